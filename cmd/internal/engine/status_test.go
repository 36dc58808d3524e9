package engine_test

import (
	"slices"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/intake"
)

// The whole catalogue is looked through for them, and the daemon tells its
// status every two seconds.
func TestRepeatedSKUsAreLookedForOnceAMinute(t *testing.T) {
	now := epoch
	w := newWorld(t, newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}), func(w *world) { w.now = func() time.Time { return now } })
	said := func() []string {
		t.Helper()
		shops, err := w.engine.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return shops[0].RepeatedSKUs
	}
	if skus := said(); len(skus) > 0 {
		t.Fatalf("in an empty catalogue: %v", skus)
	}
	p := &intake.Product{Title: "Shirt", Status: "published", Variants: []intake.Variant{
		{ID: "11", ProductID: "1", SKU: "TEE", Sellable: true, Kind: intake.ProductStocked},
		{ID: "12", ProductID: "1", SKU: "TEE", Sellable: true, Kind: intake.ProductStocked}}}
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindProduct, ID: "1"}, now, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.books.Receive(t.Context(), erp.Stream{Shop: "atelier", Resource: intake.Products}, []intake.Record{rec}, nil); err != nil {
		t.Fatal(err)
	}
	now = now.Add(59 * time.Second)
	if skus := said(); len(skus) > 0 {
		t.Errorf("looked for anew within a minute: %v", skus)
	}
	now = now.Add(time.Second)
	if skus := said(); !slices.Equal(skus, []string{"TEE"}) {
		t.Errorf("after a minute: %v", skus)
	}
}
