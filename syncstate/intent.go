package syncstate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// bucketIntents: intents{stream{key: JSON}}.
var bucketIntents = []byte("intents")

// Intent is a request to change a shop that is about to be made, or was made
// and whose effect the books have not acknowledged. After a crash it is not
// known which: it is made again with the same key and unchanged, which is
// harmless.
type Intent struct {
	// Key is the idempotency key of the request.
	Key string `json:"-"`
	// Stream names what is changed: "atelier/stock".
	Stream string `json:"-"`
	// Request is what was asked for, in the caller's own words.
	Request []byte    `json:"request"`
	At      time.Time `json:"at"` // when it was first intended
}

// Intend remembers a request before the network is touched. It is durable when
// Intend returns. One that is remembered under its key already stays as it is.
func (s *Bolt) Intend(i Intent) error {
	i.At = i.At.UTC()
	v, err := json.Marshal(i)
	if err != nil {
		return s.failed("intend a change of", i.Stream, err)
	}
	err = s.update(func(tx *bolt.Tx) error {
		all, err := tx.CreateBucketIfNotExists(bucketIntents)
		if err != nil {
			return err
		}
		b, err := all.CreateBucketIfNotExists([]byte(i.Stream))
		if err != nil {
			return err
		}
		if b.Get([]byte(i.Key)) != nil {
			return nil
		}
		return b.Put([]byte(i.Key), v)
	})
	if err != nil {
		return s.failed("intend a change of", i.Stream, err)
	}
	return nil
}

// Intents returns the requests of a stream whose effect is not known, in the
// order in which they were intended.
func (s *Bolt) Intents(stream string) ([]Intent, error) {
	var list []Intent
	err := s.view(func(tx *bolt.Tx) error {
		b := intentsOf(tx, stream)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			i := Intent{Key: string(k), Stream: stream}
			if err := json.Unmarshal(v, &i); err != nil {
				return &DamagedError{Path: s.path, Err: fmt.Errorf("intent %s: %w", k, err)}
			}
			list = append(list, i)
			return nil
		})
	})
	if err != nil {
		return nil, s.failed("read intents of", stream, err)
	}
	slices.SortStableFunc(list, func(a, b Intent) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return list, nil
}

// Touched are records of a stream, by their external ids.
type Touched struct {
	Stream string
	IDs    []string
}

// Fulfil forgets an intent, once the books have acknowledged what became of
// it, and with it what is remembered of the records that it has changed: the
// books hold another content of them by now, and the day on which one gets its
// old content back must not be missed. What is unknown does no harm.
func (s *Bolt) Fulfil(stream, key string, touched ...Touched) error {
	err := s.update(func(tx *bolt.Tx) error {
		for _, t := range touched {
			if err := s.forget(tx, t.Stream, t.IDs); err != nil {
				return err
			}
		}
		if b := intentsOf(tx, stream); b != nil {
			return b.Delete([]byte(key))
		}
		return nil
	})
	if err != nil {
		return s.failed("forget an intent of", stream, err)
	}
	return nil
}

// intentsOf returns the bucket of a stream's intents; nil where there is none,
// as in a file of an older comptoir.
func intentsOf(tx *bolt.Tx, stream string) *bolt.Bucket {
	if all := tx.Bucket(bucketIntents); all != nil {
		return all.Bucket([]byte(stream))
	}
	return nil
}
