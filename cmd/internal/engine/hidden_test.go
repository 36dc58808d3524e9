package engine_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors/sandbox"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

// An app without the right to all orders sees those of 60 days. The older ones
// are not gone: the books keep them, whoever asks for them again.
func TestOrdersThatTheShopHidesAreLeftAlone(t *testing.T) {
	b := newBox(t, sandbox.Options{Seed: 4, Orders: 300, Platform: sandbox.Shopify, Scopes: []string{
		"read_orders", "read_products", "read_inventory", "read_locations", "read_customers"}})
	w := newWorld(t, b)
	w.sync()
	b.live(50 * 24 * time.Hour)
	w.sync()
	shown := map[string]bool{}
	err := b.List(t.Context(), intake.Orders, func(refs []intake.Ref) error {
		for _, ref := range refs {
			shown[ref.ID] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var hidden []string
	if err := w.books.Known(t.Context(), "atelier", intake.KindOrder, func(refs []intake.Ref) error {
		for _, ref := range refs {
			if !shown[ref.ID] {
				hidden = append(hidden, ref.ID)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(hidden) < 5 || len(shown) < 5 {
		t.Fatalf("the shop shows %d orders and hides %d", len(shown), len(hidden))
	}
	digest := w.digest()
	for name, read := range map[string]func() (engine.Result, error){
		"sweep":  func() (engine.Result, error) { return w.engine.Sweep(t.Context(), "atelier") },
		"reread": func() (engine.Result, error) { return w.engine.Reread(t.Context(), "atelier") },
	} {
		if res, err := read(); err != nil || res.Total.Applied != 0 || w.digest() != digest {
			t.Errorf("a %s changed the books: %+v, %v", name, res.Total, err)
		}
	}
	_, err = w.engine.Resync(t.Context(), engine.ResyncRequest{Shop: "atelier", Order: slices.Min(hidden)})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.NotFound || w.digest() != digest {
		t.Errorf("an order that is hidden was read again: %v", err)
	}
	w.inStep()
}
