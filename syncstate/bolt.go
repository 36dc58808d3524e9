package syncstate

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	defaultTimeout  = time.Second
	defaultKeepRuns = 200

	// fill packs pages nearly full: ids mostly grow, so pages are written
	// once, from left to right.
	fill = 0.9

	// format is the layout of the file, stored in it.
	format = "1"
)

// The layout: meta{format, name}; streams{stream: mark}; keys{space{id: entry}};
// runs{stream{sequence: JSON}}; for the inbox see inbox.go.
var (
	bucketMeta    = []byte("meta")
	bucketStreams = []byte("streams")
	bucketKeys    = []byte("keys")
	bucketRuns    = []byte("runs")
	keyFormat     = []byte("format")
	keyName       = []byte("name")
)

// Bolt is the sync state in a bbolt file. It is safe for concurrent use.
type Bolt struct {
	db    *bolt.DB
	path  string
	now   func() time.Time
	keep  int
	space func(stream string) string
}

// Open opens the file at path, and makes it unless opts.ReadOnly. The error is
// a *HeldError when another process has it open, a *DamagedError when it
// cannot be read, and wraps fs.ErrNotExist when there is nothing to read.
func Open(path string, opts Options) (*Bolt, error) {
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.KeepRuns == 0 {
		opts.KeepRuns = defaultKeepRuns
	}
	if opts.Space == nil {
		opts.Space = func(stream string) string { return stream }
	}
	s := &Bolt{path: path, now: opts.Now, keep: opts.KeepRuns, space: opts.Space}
	if err := s.open(opts); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Bolt) open(opts Options) (err error) {
	var file *os.File
	defer func() {
		if err != nil && file != nil {
			// After a panic within bbolt only this lets go of the lock. It
			// is closed already on every other way here.
			_ = file.Close()
		}
	}()
	err = s.guard(func() error {
		db, err := bolt.Open(s.path, 0o600, &bolt.Options{
			ReadOnly:     opts.ReadOnly,
			Timeout:      opts.Timeout,
			FreelistType: bolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				file = f
				return f, err
			},
		})
		s.db = db
		return err
	})
	var damaged *DamagedError
	var errno syscall.Errno
	switch {
	case err == nil:
	case errors.As(err, &damaged):
		return err
	case errors.Is(err, bolterrors.ErrTimeout):
		return &HeldError{Path: s.path}
	case errors.Is(err, fs.ErrNotExist) && opts.ReadOnly:
		return fmt.Errorf("open sync state: nothing was synced into this data directory yet: %w", err)
	case errors.As(err, &errno):
		return fmt.Errorf("open sync state %s: %w", s.path, err)
	default:
		return &DamagedError{Path: s.path, Err: err}
	}
	if err := s.prepare(opts.ReadOnly); err != nil {
		_ = s.db.Close()
		return err
	}
	return nil
}

// prepare makes the buckets of a new file, and reads all marks so that the
// damage which matters most shows at once.
func (s *Bolt) prepare(readOnly bool) error {
	if !readOnly {
		err := s.update(func(tx *bolt.Tx) error {
			meta, err := tx.CreateBucketIfNotExists(bucketMeta)
			if err != nil {
				return err
			}
			if meta.Get(keyFormat) == nil {
				if err := meta.Put(keyFormat, []byte(format)); err != nil {
					return err
				}
			}
			if meta.Get(keyName) == nil {
				if err := meta.Put(keyName, []byte(rand.Text())); err != nil {
					return err
				}
			}
			for _, name := range [][]byte{bucketStreams, bucketKeys, bucketRuns} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	err := s.view(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return &DamagedError{Path: s.path, Err: errors.New("it is no sync state")}
		}
		if got := string(meta.Get(keyFormat)); got != format {
			return fmt.Errorf("sync state %s has format %q and this comptoir reads %q: "+
				"use the comptoir that wrote it, or delete the file; it is rebuilt from the books", s.path, got, format)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = s.Marks()
	return err
}

// Name returns a text that no other file has: where several processes keep a
// shop in step one after the other, each with a file of its own, it tells whose
// memory is the newest.
func (s *Bolt) Name() (string, error) {
	var name string
	err := s.view(func(tx *bolt.Tx) error {
		name = string(tx.Bucket(bucketMeta).Get(keyName))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read the name of the sync state: %w", err)
	}
	return name, nil
}

// Close ends all use of the file.
func (s *Bolt) Close() error {
	if err := s.guard(s.db.Close); err != nil {
		return fmt.Errorf("close sync state: %w", err)
	}
	return nil
}

// Mark returns the mark of a stream; the zero Mark where nothing was read yet.
func (s *Bolt) Mark(stream string) (Mark, error) {
	var m Mark
	err := s.view(func(tx *bolt.Tx) error {
		st, err := loadStream(tx, stream)
		m = st.mark
		return err
	})
	if err != nil {
		return Mark{}, s.failed("read mark of", stream, err)
	}
	return m, nil
}

// Marks returns the marks of all streams.
func (s *Bolt) Marks() (map[string]Mark, error) {
	marks := map[string]Mark{}
	err := s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketStreams).ForEach(func(name, v []byte) error {
			st, err := decodeStream(v)
			if err != nil {
				return &DamagedError{Path: s.path, Err: fmt.Errorf("stream %s: %w", name, err)}
			}
			marks[string(name)] = st.mark
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return marks, nil
}

// Known tells for each key whether it is remembered with exactly that digest.
func (s *Bolt) Known(stream string, keys []Key) ([]bool, error) {
	known := make([]bool, len(keys))
	err := s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketKeys).Bucket([]byte(s.space(stream)))
		if b == nil {
			return nil
		}
		for i, k := range keys {
			v := b.Get(encodeID(k.ID))
			known[i] = v != nil && entryHas(v, encodeDigest(k.Digest))
		}
		return nil
	})
	if err != nil {
		return nil, s.failed("look up records of", stream, err)
	}
	return known, nil
}

// Advance moves the mark of a stream and remembers the keys in one
// transaction: after a crash either both happened or neither. It returns
// ErrStale, and does nothing, where the stored mark is not from. A key that is
// remembered already is replaced; of two keys with one id the last counts.
// Call it only after the books have committed to.Fence.
func (s *Bolt) Advance(ctx context.Context, stream string, from, to Mark, keys []Key) error {
	if err := ctx.Err(); err != nil {
		return s.failed("advance", stream, err)
	}
	if to.Fence < from.Fence {
		return s.failed("advance", stream, fmt.Errorf("fence %d is before %d: only Rewind goes back", to.Fence, from.Fence))
	}
	err := s.update(func(tx *bolt.Tx) error {
		st, err := loadStream(tx, stream)
		if err != nil {
			return err
		}
		if !st.mark.equal(from) {
			return ErrStale
		}
		st.mark = to
		if err := storeStream(tx, stream, &st); err != nil {
			return err
		}
		return s.remember(tx, stream, st, keys)
	})
	if err != nil {
		return s.failed("advance", stream, err)
	}
	return nil
}

// remember writes the keys in their order in the file: at random it takes many
// times as long once the file is large.
func (s *Bolt) remember(tx *bolt.Tx, stream string, st stream, keys []Key) error {
	if len(keys) == 0 {
		return nil
	}
	b, err := tx.Bucket(bucketKeys).CreateBucketIfNotExists([]byte(s.space(stream)))
	if err != nil {
		return err
	}
	b.FillPercent = fill
	type pair struct{ id, entry []byte }
	pairs := make([]pair, len(keys))
	for i, k := range keys {
		pairs[i] = pair{encodeID(k.ID), encodeEntry(st, encodeDigest(k.Digest))}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return bytes.Compare(a.id, b.id) })
	for _, p := range pairs {
		if err := b.Put(p.id, p.entry); err != nil {
			return err
		}
	}
	return nil
}

// Rewind sets the mark of a stream to what the books say, and forgets every
// key that the books may not agree with.
//
// Books that are behind (they were restored, or lost a commit) know nothing of
// the commits after to.Fence: the keys remembered since are forgotten. Books
// that are ahead hold commits that were never remembered here, so any record
// may have another content by now, and its remembered digest would hide the
// day on which it gets that content back: all keys are forgotten. That costs
// a comparison in the books for each record that comes again.
func (s *Bolt) Rewind(stream string, to Mark) error {
	err := s.update(func(tx *bolt.Tx) error {
		st, err := loadStream(tx, stream)
		if err != nil {
			return err
		}
		ahead := to.Fence > st.mark.Fence
		st.mark = to
		if err := storeStream(tx, stream, &st); err != nil {
			return err
		}
		if ahead || to.Fence == 0 {
			return s.dropSpace(tx, stream)
		}
		return s.forgetAfter(tx, stream, st)
	})
	if err != nil {
		return s.failed("rewind", stream, err)
	}
	return nil
}

// forgetAfter forgets the keys that the stream remembered after its mark.
func (s *Bolt) forgetAfter(tx *bolt.Tx, stream string, st stream) error {
	b := tx.Bucket(bucketKeys).Bucket([]byte(s.space(stream)))
	if b == nil {
		return nil
	}
	var later [][]byte // deleting under a cursor makes it skip
	err := b.ForEach(func(id, v []byte) error {
		number, fence, err := entryOrigin(v)
		if err != nil {
			return &DamagedError{Path: s.path, Err: err}
		}
		if number == st.number && fence > st.mark.Fence {
			later = append(later, bytes.Clone(id))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range later {
		if err := b.Delete(id); err != nil {
			return err
		}
	}
	return nil
}

// Forget drops what is remembered of the records with these external ids, so
// that they are applied when they come again. Unknown ids do no harm.
func (s *Bolt) Forget(stream string, ids ...string) error {
	err := s.update(func(tx *bolt.Tx) error { return s.forget(tx, stream, ids) })
	if err != nil {
		return s.failed("forget records of", stream, err)
	}
	return nil
}

func (s *Bolt) forget(tx *bolt.Tx, stream string, ids []string) error {
	b := tx.Bucket(bucketKeys).Bucket([]byte(s.space(stream)))
	if b == nil {
		return nil
	}
	for _, id := range ids {
		if err := b.Delete(encodeID(id)); err != nil {
			return err
		}
	}
	return nil
}

// ForgetStream drops everything of a stream: its mark, its runs and all keys
// of its space.
func (s *Bolt) ForgetStream(stream string) error {
	err := s.update(func(tx *bolt.Tx) error {
		if err := s.dropSpace(tx, stream); err != nil {
			return err
		}
		if err := tx.Bucket(bucketRuns).DeleteBucket([]byte(stream)); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
		return tx.Bucket(bucketStreams).Delete([]byte(stream))
	})
	if err != nil {
		return s.failed("forget", stream, err)
	}
	return nil
}

func (s *Bolt) dropSpace(tx *bolt.Tx, stream string) error {
	err := tx.Bucket(bucketKeys).DeleteBucket([]byte(s.space(stream)))
	if errors.Is(err, bolterrors.ErrBucketNotFound) {
		return nil
	}
	return err
}

// RecordRun adds a run to the history of its stream and drops the oldest ones
// above Options.KeepRuns.
func (s *Bolt) RecordRun(r Run) error {
	if r.Ended.IsZero() && s.now != nil {
		r.Ended = s.now()
	}
	r.Started, r.Ended, r.Newest = r.Started.UTC(), r.Ended.UTC(), r.Newest.UTC()
	v, err := json.Marshal(r)
	if err != nil {
		return s.failed("record run of", r.Stream, err)
	}
	err = s.update(func(tx *bolt.Tx) error {
		b, err := tx.Bucket(bucketRuns).CreateBucketIfNotExists([]byte(r.Stream))
		if err != nil {
			return err
		}
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		if err := b.Put(encodeSequence(n), v); err != nil {
			return err
		}
		return trimRuns(b, n, s.keep)
	})
	if err != nil {
		return s.failed("record run of", r.Stream, err)
	}
	return nil
}

// trimRuns keeps the last runs up to number n.
func trimRuns(b *bolt.Bucket, n uint64, keep int) error {
	if n <= uint64(keep) {
		return nil
	}
	oldest := encodeSequence(n - uint64(keep) + 1)
	for {
		k, _ := b.Cursor().First()
		if k == nil || bytes.Compare(k, oldest) >= 0 {
			return nil
		}
		if err := b.Delete(k); err != nil {
			return err
		}
	}
}

// Runs returns the last runs of a stream, newest first, at most limit; all
// that are kept where limit is zero.
func (s *Bolt) Runs(stream string, limit int) ([]Run, error) {
	var runs []Run
	err := s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketRuns).Bucket([]byte(stream))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, v := c.Last(); k != nil && (limit <= 0 || len(runs) < limit); k, v = c.Prev() {
			var r Run
			if err := json.Unmarshal(v, &r); err != nil {
				return &DamagedError{Path: s.path, Err: err}
			}
			runs = append(runs, r)
		}
		return nil
	})
	if err != nil {
		return nil, s.failed("read runs of", stream, err)
	}
	return runs, nil
}

// Stats counts what the file holds. It reads the whole file.
func (s *Bolt) Stats() (Stats, error) {
	st := Stats{Path: s.path, Streams: map[string]StreamStats{}, Keys: map[string]int{}}
	marks, err := s.Marks()
	if err != nil {
		return Stats{}, err
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return Stats{}, fmt.Errorf("count sync state: %w", err)
	}
	st.Size = info.Size()
	err = s.view(func(tx *bolt.Tx) error {
		free := s.db.Stats()
		st.Free = int64(free.FreePageN+free.PendingPageN) * int64(s.db.Info().PageSize)
		for name, m := range marks {
			one := StreamStats{Mark: m}
			if b := tx.Bucket(bucketRuns).Bucket([]byte(name)); b != nil {
				one.Runs = b.Stats().KeyN
			}
			st.Streams[name] = one
		}
		keys := tx.Bucket(bucketKeys)
		return keys.ForEachBucket(func(space []byte) error {
			st.Keys[string(space)] = keys.Bucket(space).Stats().KeyN
			return nil
		})
	})
	if err != nil {
		return Stats{}, fmt.Errorf("count sync state: %w", err)
	}
	return st, nil
}

func (s *Bolt) failed(what, stream string, err error) error {
	return fmt.Errorf("%s stream %s: %w", what, stream, err)
}

func (s *Bolt) view(fn func(*bolt.Tx) error) error {
	return s.guard(func() error { return s.db.View(fn) })
}

func (s *Bolt) update(fn func(*bolt.Tx) error) error {
	return s.guard(func() error { return s.db.Update(fn) })
}

// guard turns what bbolt does with a damaged file into an error. It panics on
// pages that make no sense, and reading the mapping of a file that was cut
// short is a memory fault.
func (s *Bolt) guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamagedError{Path: s.path, Err: fmt.Errorf("%v", p)}
		}
	}()
	return fn()
}
