package outbox_test

import (
	"context"
	"testing"
	"time"

	"comptoir/erp/outbox"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	ctx  = context.Background()
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

// each runs a test on both databases, with a shop that has variant 7, and had
// variant 8.
func each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) {
			tx.Queue(`INSERT INTO shop (id, name) VALUES (1, 'atelier')`)
			tx.Queue(`INSERT INTO origin (shop_id, kind, external_id, local_id, digest) VALUES (1, 'variant', '70', 7, ''), (1, 'variant', '71', 7, '')`)
			tx.Queue(`INSERT INTO origin (shop_id, kind, external_id, local_id, digest, gone) VALUES (1, 'variant', '80', 8, '', TRUE)`)
		})
		fn(t, db)
	})
}

func write(t *testing.T, db *store.DB, fn func(tx *store.Tx)) {
	t.Helper()
	if err := db.Write(ctx, func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// due returns the one message that is due at an instant; nil for none.
func due(t *testing.T, db *store.DB, at time.Time) *outbox.Message {
	t.Helper()
	list, err := outbox.Due(ctx, db, 1, outbox.Variant, at, 10)
	if err != nil || len(list) > 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func TestManyChangesAreOneMessage(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) {
			outbox.PutBound(tx, []int64{1}, outbox.Variant, 7, noon)
			outbox.PutBound(tx, []int64{1}, outbox.Variant, 7, noon.Add(time.Minute))
			outbox.PutBound(tx, []int64{1}, outbox.Variant, 8, noon) // the shop has it no more
			outbox.PutBound(tx, nil, outbox.Variant, 7, noon)
		})
		m := due(t, db, noon)
		if m == nil || m.Object != 7 || m.Revision != 2 || !m.Since.Equal(noon) {
			t.Fatalf("due is %+v", m)
		}
		write(t, db, func(tx *store.Tx) { outbox.Put(tx, 1, outbox.Variant, 7, noon) }) // while it was told
		write(t, db, func(tx *store.Tx) { outbox.Settled(tx, *m) })
		if m := due(t, db, noon); m == nil || m.Revision != 3 {
			t.Errorf("what changed while it was told is lost: %+v", m)
		}
	})
}

func TestWhatIsForLaterIsDueThen(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		later := noon.Add(time.Hour)
		write(t, db, func(tx *store.Tx) { outbox.PutAt(tx, 1, outbox.Variant, 7, noon, later) })
		if m := due(t, db, later.Add(-time.Second)); m != nil {
			t.Errorf("due too soon: %+v", m)
		}
		standing, err := outbox.StandingOf(ctx, db, 1)
		if err != nil || standing.Waiting != 1 || !standing.Next.Equal(later) {
			t.Errorf("%+v, %v", standing, err)
		}
		if waiting, err := outbox.Waiting(ctx, db, 1, outbox.Variant, 10); err != nil || len(waiting) != 1 {
			t.Errorf("waiting are %+v, %v", waiting, err)
		}
		write(t, db, func(tx *store.Tx) { outbox.Put(tx, 1, outbox.Variant, 7, noon) })
		if due(t, db, noon) == nil {
			t.Error("what is due at once was put off")
		}
	})
}

func TestWhatIsRefusedIsTriedLaterEachTimeAndThenParked(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) { outbox.Put(tx, 1, outbox.Variant, 7, noon) })
		now, wait := noon, time.Minute
		for try := 1; try <= outbox.MaxTries; try++ {
			m := due(t, db, now)
			if m == nil || m.Tries != try-1 {
				t.Fatalf("try %d: due is %+v", try, m)
			}
			for range 2 { // to say so twice counts once
				write(t, db, func(tx *store.Tx) { outbox.Refused(tx, *m, now, "no") })
			}
			if m := due(t, db, now.Add(wait-time.Second)); m != nil {
				t.Fatalf("try %d: due too soon: %+v", try, m)
			}
			now, wait = now.Add(wait), wait*2
		}
		standing, err := outbox.StandingOf(ctx, db, 1)
		if err != nil || standing.Parked != 1 || standing.Waiting != 0 {
			t.Fatalf("%+v, %v", standing, err)
		}
		write(t, db, func(tx *store.Tx) { outbox.Put(tx, 1, outbox.Variant, 7, now) })
		if m := due(t, db, now); m == nil || m.Tries != 0 || m.Why != "" {
			t.Errorf("a new change does not take it out: %+v", m)
		}
	})
}

func TestWhatWasQueuedSinceIsAnotherMessage(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		put := func(at time.Time) outbox.Message {
			t.Helper()
			write(t, db, func(tx *store.Tx) { outbox.Put(tx, 1, outbox.Variant, 7, at) })
			m := due(t, db, at)
			if m == nil {
				t.Fatal("nothing is due")
			}
			return *m
		}
		old := put(noon)
		write(t, db, func(tx *store.Tx) { outbox.Settled(tx, old) })
		later := noon.Add(time.Second)
		fresh := put(later)
		write(t, db, func(tx *store.Tx) {
			outbox.Postpone(tx, old, later.Add(time.Hour))
			outbox.Moved(tx, old)
			outbox.Refused(tx, old, later, "no")
			outbox.RefusedForGood(tx, old, "no")
			outbox.Park(tx, old, "no")
			outbox.Settled(tx, old)
		})
		if m := due(t, db, later); m == nil || *m != fresh {
			t.Errorf("due is %+v, and was %+v", m, fresh)
		}
	})
}
