package store_test

import (
	"fmt"
	"testing"
	"time"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestInstantsKeepTheirMicroseconds(t *testing.T) {
	if store.Micros(time.Time{}) != 0 || !store.FromMicros(0).IsZero() {
		t.Error("an unknown time is not 0")
	}
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.FixedZone("", 3600))
	if got := store.FromMicros(store.Micros(at)); !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Errorf("got %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(-62135596800_000000+1, 253402300799_999999).Draw(t, "us")
		if got := store.Micros(store.FromMicros(us)); got != us {
			t.Fatalf("%d became %d", us, got)
		}
	})
}

func TestInListsHaveFewShapes(t *testing.T) {
	for n, want := range []string{"NULL", "$3", "$3,$4", "$3,$4,$5,$6", "$3,$4,$5,$6", "$3,$4,$5,$6,$7,$8,$9,$10"} {
		if got := store.In(n, 3); got != want {
			t.Errorf("In(%d, 3) = %s, want %s", n, got, want)
		}
	}
	got := store.InArgs([]any{"shop"}, []int64{7, 8, 9})
	if diff := cmp.Diff([]any{"shop", int64(7), int64(8), int64(9), int64(9)}, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

func TestInListsFindWhatTheyName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error {
			for i, name := range []string{"a", "b", "c", "d", "e"} {
				tx.Queue(addName, i, name, 1)
			}
			return nil
		})
		for n := range 6 {
			ids := []int64{0, 1, 2, 3, 99}[:min(n, 5)]
			var got int
			q := fmt.Sprintf(`SELECT count(*) FROM name WHERE size = $1 AND id IN (%s)`, store.In(len(ids), 2))
			if err := db.QueryRow(t.Context(), q, store.InArgs([]any{1}, ids)...).Scan(&got); err != nil || got != min(n, 4) {
				t.Errorf("%d ids: %d found, %v", n, got, err)
			}
		}
	})
}
