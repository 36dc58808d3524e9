package syncstate

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The inbox holds what shops said of their own accord until it was looked at:
// which records changed, and which resources are to be read because nobody can
// say what changed in them. It holds no content, so that a record about which a
// shop says a hundred things is in it once.
//
// Its layout: inbox{shop{queue{sequence: JSON}, records{kind and id: sequence},
// pulls{resource: JSON}, seen{hash of the key: instant}, past{sequence:
// instant and hash}}}; beside them, waiting counts the queue.
var (
	bucketInbox  = []byte("inbox")
	boxQueue     = []byte("queue")
	boxRecords   = []byte("records")
	boxPulls     = []byte("pulls")
	boxSeen      = []byte("seen")
	boxPast      = []byte("past")
	boxWaiting   = []byte("waiting")
	inboxBuckets = [][]byte{boxQueue, boxRecords, boxPulls, boxSeen, boxPast}
)

// The bounds of the inbox of one shop, where InboxLimits leaves them out.
const (
	defaultInboxRecords = 10_000
	defaultInboxKeys    = 50_000
	defaultInboxMemory  = 48 * time.Hour
)

// InboxLimits bound the inbox of each shop; zero means the default.
type InboxLimits struct {
	// Records is how many records may wait: 10,000. Of what comes beyond that
	// the whole resource is read instead.
	Records int
	// Keys is how many keys of deliveries are remembered: 50,000.
	Keys int
	// Memory is how long they are remembered: 48 hours.
	Memory time.Duration
}

func (l InboxLimits) filled() InboxLimits {
	if l.Records == 0 {
		l.Records = defaultInboxRecords
	}
	if l.Keys == 0 {
		l.Keys = defaultInboxKeys
	}
	if l.Memory == 0 {
		l.Memory = defaultInboxMemory
	}
	return l
}

// Delivery is what a shop said at one time.
type Delivery struct {
	Shop string
	// Key is the same for all deliveries of one event; "" for one that is
	// never a repetition.
	Key     string
	At      time.Time
	Records []Pointer
	// Pulls are the resources to read.
	Pulls []string
}

// Pointer names a record that may have changed.
type Pointer struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"`
	// Resource is what is read instead where too many records wait.
	Resource string `json:"resource"`
}

// Waiting is a record, or a resource, that was not looked at yet.
type Waiting struct {
	Pointer
	// Since is when the shop first pointed at it.
	Since time.Time `json:"since"`
	// Revision tells what was pointed at again while it was being looked at.
	Revision uint64 `json:"revision"`
}

// TakeIn adds what a delivery points at to the inbox. It is durable when
// TakeIn returns; many calls at a time share one commit. Repeated reports that
// a delivery with the same key was taken in before: nothing is added then.
func (s *Bolt) TakeIn(d Delivery, limits InboxLimits) (repeated bool, err error) {
	limits = limits.filled()
	err = s.guard(func() error {
		return s.db.Batch(func(tx *bolt.Tx) error {
			return s.guard(func() error { // this runs wherever the batch does
				box, err := openBox(tx, d.Shop)
				if err != nil {
					return err
				}
				if repeated, err = box.repeated(d, limits); err != nil || repeated {
					return err
				}
				return box.add(d, limits)
			})
		})
	})
	if err != nil {
		return false, fmt.Errorf("take in what shop %s says: %w", d.Shop, err)
	}
	return repeated, nil
}

// box is the inbox of one shop within a transaction.
type box struct{ *bolt.Bucket }

func openBox(tx *bolt.Tx, shop string) (box, error) {
	all, err := tx.CreateBucketIfNotExists(bucketInbox)
	if err != nil {
		return box{}, err
	}
	b, err := all.CreateBucketIfNotExists([]byte(shop))
	if err != nil {
		return box{}, err
	}
	for _, name := range inboxBuckets {
		if _, err := b.CreateBucketIfNotExists(name); err != nil {
			return box{}, err
		}
	}
	return box{b}, nil
}

// repeated reports whether the delivery's key is remembered, and remembers it.
func (b box) repeated(d Delivery, limits InboxLimits) (bool, error) {
	if d.Key == "" {
		return false, nil
	}
	seen, past := b.Bucket.Bucket(boxSeen), b.Bucket.Bucket(boxPast)
	hash := encodeDigest(d.Key)
	if at := seen.Get(hash); len(at) == 8 && d.At.UnixNano()-int64(binary.BigEndian.Uint64(at)) < int64(limits.Memory) {
		return true, nil
	}
	n, err := past.NextSequence()
	if err != nil {
		return false, err
	}
	at := binary.BigEndian.AppendUint64(nil, uint64(d.At.UnixNano()))
	if err := past.Put(encodeSequence(n), append(bytes.Clone(at), hash...)); err != nil {
		return false, err
	}
	if err := seen.Put(hash, at); err != nil {
		return false, err
	}
	return false, forgetPast(seen, past, n, d.At, limits)
}

// forgetAtOnce bounds how many keys one delivery forgets, so that it is
// answered soon. It is more than one, so the memory shrinks to its bounds.
const forgetAtOnce = 8

// forgetPast forgets keys that are too old or too many, oldest first.
func forgetPast(seen, past *bolt.Bucket, newest uint64, now time.Time, limits InboxLimits) error {
	for range forgetAtOnce {
		number, entry := past.Cursor().First()
		if number == nil || len(entry) < 8 {
			return nil
		}
		at, hash := bytes.Clone(entry[:8]), bytes.Clone(entry[8:])
		old := now.UnixNano()-int64(binary.BigEndian.Uint64(at)) >= int64(limits.Memory)
		if !old && newest-binary.BigEndian.Uint64(number) < uint64(limits.Keys) {
			return nil
		}
		if err := past.Delete(bytes.Clone(number)); err != nil {
			return err
		}
		if !bytes.Equal(seen.Get(hash), at) { // it came again since
			continue
		}
		if err := seen.Delete(hash); err != nil {
			return err
		}
	}
	return nil
}

// add adds what a delivery points at.
func (b box) add(d Delivery, limits InboxLimits) error {
	waiting := b.waiting()
	before := waiting
	for _, p := range d.Records {
		known, err := b.again(p)
		switch {
		case err != nil:
			return err
		case known:
		case waiting >= uint64(limits.Records):
			if err := b.pull(p.Resource, d.At); err != nil {
				return err
			}
		default:
			if err := b.enqueue(p, d.At); err != nil {
				return err
			}
			waiting++
		}
	}
	for _, resource := range d.Pulls {
		if err := b.pull(resource, d.At); err != nil {
			return err
		}
	}
	if waiting == before {
		return nil
	}
	return b.Put(boxWaiting, encodeSequence(waiting))
}

// waiting counts the records in the queue.
func (b box) waiting() uint64 {
	if v := b.Get(boxWaiting); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// name is the key of a record: no kind holds a zero byte.
func (p Pointer) name() []byte {
	return append(append([]byte(p.Kind), 0), encodeID(p.ID)...)
}

// again marks a record that waits already as pointed at once more. It reports
// whether it waits.
func (b box) again(p Pointer) (bool, error) {
	number := b.Bucket.Bucket(boxRecords).Get(p.name())
	if number == nil {
		return false, nil
	}
	queue := b.Bucket.Bucket(boxQueue)
	w, err := decodeWaiting(queue.Get(number))
	if err != nil {
		return false, err
	}
	w.Revision++
	return true, putJSON(queue, bytes.Clone(number), w)
}

func (b box) enqueue(p Pointer, at time.Time) error {
	queue := b.Bucket.Bucket(boxQueue)
	n, err := queue.NextSequence()
	if err != nil {
		return err
	}
	if err := putJSON(queue, encodeSequence(n), Waiting{Pointer: p, Since: at.UTC(), Revision: 1}); err != nil {
		return err
	}
	return b.Bucket.Bucket(boxRecords).Put(p.name(), encodeSequence(n))
}

func (b box) pull(resource string, at time.Time) error {
	pulls := b.Bucket.Bucket(boxPulls)
	w := Waiting{Pointer: Pointer{Resource: resource}, Since: at.UTC()}
	if v := pulls.Get([]byte(resource)); v != nil {
		var err error
		if w, err = decodeWaiting(v); err != nil {
			return err
		}
	}
	w.Revision++
	return putJSON(pulls, []byte(resource), w)
}

func putJSON(b *bolt.Bucket, key []byte, value any) error {
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put(key, v)
}

func decodeWaiting(v []byte) (Waiting, error) {
	var w Waiting
	if err := json.Unmarshal(v, &w); err != nil {
		return Waiting{}, fmt.Errorf("an entry of the inbox cannot be read: %w", err)
	}
	return w, nil
}

// Inbox returns what waits in the inbox of a shop: at most limit records, those
// that wait longest first, and all resources to be read.
func (s *Bolt) Inbox(shop string, limit int) (records, pulls []Waiting, err error) {
	err = s.viewBox(shop, func(b box) error {
		c := b.Bucket.Bucket(boxQueue).Cursor()
		for k, v := c.First(); k != nil && len(records) < limit; k, v = c.Next() {
			w, err := decodeWaiting(v)
			if err != nil {
				return &DamagedError{Path: s.path, Err: err}
			}
			records = append(records, w)
		}
		return b.Bucket.Bucket(boxPulls).ForEach(func(_, v []byte) error {
			w, err := decodeWaiting(v)
			if err != nil {
				return &DamagedError{Path: s.path, Err: err}
			}
			pulls = append(pulls, w)
			return nil
		})
	})
	return records, pulls, err
}

// viewBox reads the inbox of a shop, where it has one.
func (s *Bolt) viewBox(shop string, read func(box) error) error {
	err := s.view(func(tx *bolt.Tx) error {
		all := tx.Bucket(bucketInbox)
		if all == nil {
			return nil
		}
		b := all.Bucket([]byte(shop))
		if b == nil {
			return nil
		}
		return read(box{b})
	})
	if err != nil {
		return fmt.Errorf("read the inbox of shop %s: %w", shop, err)
	}
	return nil
}

// InboxStats is how much waits in the inbox of a shop.
type InboxStats struct {
	Records int
	Pulls   int
	// Oldest is since when the oldest of them waits; zero where none does.
	Oldest time.Time
}

// InboxStats counts what waits in the inbox of a shop.
func (s *Bolt) InboxStats(shop string) (InboxStats, error) {
	var st InboxStats
	records, pulls, err := s.Inbox(shop, 1)
	if err != nil {
		return st, err
	}
	for _, w := range append(records, pulls...) {
		if st.Oldest.IsZero() || w.Since.Before(st.Oldest) {
			st.Oldest = w.Since
		}
	}
	st.Pulls = len(pulls)
	err = s.viewBox(shop, func(b box) error {
		st.Records = int(b.waiting())
		return nil
	})
	return st, err
}

// LookedAt takes out of the inbox what was looked at: call it after the books
// have committed. What the shop has pointed at again meanwhile stays.
func (s *Bolt) LookedAt(shop string, done []Waiting) error {
	err := s.update(func(tx *bolt.Tx) error {
		b, err := openBox(tx, shop)
		if err != nil {
			return err
		}
		waiting := b.waiting()
		for _, w := range done {
			record, err := b.remove(w)
			if err != nil {
				return err
			}
			if record && waiting > 0 {
				waiting--
			}
		}
		return b.Put(boxWaiting, encodeSequence(waiting))
	})
	if err != nil {
		return fmt.Errorf("take out of the inbox of shop %s: %w", shop, err)
	}
	return nil
}

// remove takes out one entry, and reports whether a record was.
func (b box) remove(w Waiting) (record bool, err error) {
	if w.Kind == "" {
		pulls := b.Bucket.Bucket(boxPulls)
		if same, err := unchanged(pulls.Get([]byte(w.Resource)), w); !same || err != nil {
			return false, err
		}
		return false, pulls.Delete([]byte(w.Resource))
	}
	records, queue := b.Bucket.Bucket(boxRecords), b.Bucket.Bucket(boxQueue)
	number := bytes.Clone(records.Get(w.name()))
	if number == nil {
		return false, nil
	}
	if same, err := unchanged(queue.Get(number), w); !same || err != nil {
		return false, err
	}
	if err := queue.Delete(number); err != nil {
		return false, err
	}
	return true, records.Delete(w.name())
}

func unchanged(v []byte, w Waiting) (bool, error) {
	if v == nil {
		return false, nil
	}
	now, err := decodeWaiting(v)
	return err == nil && now.Revision == w.Revision && now.Since.Equal(w.Since), err
}
