package engine_test

import (
	"testing"

	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/exports"
	"comptoir/erp/exports/exportstest"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// compareExports gives the books to hledger, ledger and beancount.
func compareExports(t *testing.T, w *world, o exports.Options) {
	t.Helper()
	err := w.books.Snapshot(t.Context(), func(r store.Reader) error {
		exportstest.Compare(t, r, o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOtherProgramsFindTheBalancesOfAShopInItsExport(t *testing.T) {
	w := newWorld(t, newBox(t, sandbox.Options{Seed: 3, Orders: 150}))
	w.sync()
	t.Run("all", func(t *testing.T) { compareExports(t, w, exports.Options{Company: `Atelier "Zoé"; & fils`}) })
	t.Run("a month", func(t *testing.T) { compareExports(t, w, exports.Options{From: "2026-10-01", To: "2026-10-31"}) })
}

func TestOtherProgramsFindTheBalancesOfRecordedOrdersInTheirExport(t *testing.T) {
	w := newWorld(t, recordedConnector(t, newRecordedShop(t, func(string) bool { return true })))
	w.stop()
	for _, c := range []money.Currency{"USD", "JPY", "BHD"} {
		rate, _ := recordedRate(c, "")
		w.rates = append(w.rates, erp.Rate{Currency: c, From: "2020-01-01", Rate: rate})
	}
	w.start()
	w.sync()
	compareExports(t, w, exports.Options{})
}
