package store_test

import (
	"testing"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

func TestX(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		db.Write(t.Context(), func(tx *store.Tx) error {
			id, err := tx.NewID(t.Context())
			t.Log(id, err)
			return err
		})
	})
}
