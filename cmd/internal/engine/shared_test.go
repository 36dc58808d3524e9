package engine_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp/intake"
)

// twoShops starts a world with a second shop that sells the same mug.
func twoShops(t *testing.T) (w *world, atelier, boutique *shelf) {
	streams := []connectors.Stream{{Resource: intake.Products, Sorted: true}, sortedOrders}
	atelier, boutique = newShelf(streams...), newShelf(streams...)
	atelier.put(intake.Products, mug(t, 12, 1))
	boutique.put(intake.Products, mug(t, 30, 1))
	w = newWorld(t, atelier)
	w.others = []engine.Shop{{Name: "boutique", Connector: boutique}}
	w.restart()
	return w, atelier, boutique
}

func (w *world) syncOf(shop string) engine.Result {
	w.t.Helper()
	res, err := w.engine.Sync(w.t.Context(), engine.Request{Shop: shop})
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func TestShopsThatSellTheSameShareOneStockWhicheverIsReadFirst(t *testing.T) {
	var digests []string
	for _, order := range [][]string{{"atelier", "boutique"}, {"boutique", "atelier"}} {
		t.Run(strings.Join(order, " then "), func(t *testing.T) {
			w, atelier, boutique := twoShops(t)
			atelier.fillOrders(t, 2)
			boutique.fillOrders(t, 3)
			first := w.syncOf(order[0])
			if first.Linked == nil || !slices.Equal(first.Linked.Missing, order[1:]) || first.Settled.Opened != 0 {
				t.Errorf("%s alone: linked %+v, settled %+v", order[0], first.Linked, first.Settled)
			}
			second := w.syncOf(order[1])
			if second.Linked == nil || second.Linked.Shared != 1 || second.Settled.Opened != 1 {
				t.Errorf("%s then: linked %+v, settled %+v", order[1], second.Linked, second.Settled)
			}
			totals, err := w.books.StockTotals(t.Context())
			if err != nil || totals.Variants != 1 || !totals.OnHand.Equal(totals.Allocated.Add(totals.Available)) {
				t.Errorf("stock %+v, error %v", totals, err)
			}
			digests = append(digests, w.digest())
		})
	}
	t.Run("both at once", func(t *testing.T) {
		w, atelier, boutique := twoShops(t)
		atelier.fillOrders(t, 2)
		boutique.fillOrders(t, 3)
		var group sync.WaitGroup
		for _, shop := range []string{"atelier", "boutique"} {
			group.Go(func() {
				if _, err := w.engine.Sync(t.Context(), engine.Request{Shop: shop}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		digests = append(digests, w.digest())
	})
	if len(slices.Compact(digests)) != 1 {
		t.Error("the order in which they are read matters")
	}
}

func TestAShopThatRefusesIsNotWaitedFor(t *testing.T) {
	w, atelier, _ := twoShops(t)
	atelier.answers(func(string) error { return &connectors.Error{Class: connectors.Denied, Op: "shelf: list"} })
	if res := w.syncOf("boutique"); res.Settled.Opened != 0 {
		t.Errorf("before anybody asked the atelier: %+v", res.Settled)
	}
	if _, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"}); err == nil {
		t.Fatal("the atelier did not refuse")
	}
	if res := w.syncOf("boutique"); len(res.Linked.Missing) != 0 || res.Settled == nil || res.Settled.Opened != 1 {
		t.Errorf("when the atelier has refused: %+v, %+v", res.Linked, res.Settled)
	}
}
