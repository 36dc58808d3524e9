package store_test

import (
	"testing"
	"time"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"golang.org/x/sync/errgroup"
)

// TestNobodyIsOvertakenForEver has one long transaction and several short ones
// write the same row over and over, as two shops do that are read at once.
func TestNobodyIsOvertakenForEver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			tx.Queue(`INSERT INTO counter (name, next) VALUES ('crowd', 1)`)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		grow := func(work time.Duration) error {
			return db.Write(t.Context(), func(tx *store.Tx) error {
				var next int64
				if err := tx.QueryRow(t.Context(), `SELECT next FROM counter WHERE name = 'crowd'`).Scan(&next); err != nil {
					return err
				}
				time.Sleep(work)
				tx.Queue(`UPDATE counter SET next = $1 WHERE name = 'crowd'`, next+1)
				return nil
			})
		}
		long := make(chan struct{})
		var group errgroup.Group
		for range 2 {
			group.Go(func() error {
				for {
					select {
					case <-long:
						return nil
					default:
						if err := grow(time.Millisecond); err != nil {
							return err
						}
					}
				}
			})
		}
		for range 3 {
			if err := grow(60 * time.Millisecond); err != nil {
				t.Error(err)
			}
		}
		close(long)
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
}
