package engine_test

import (
	"errors"
	"strings"
	"testing"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// mug states a product of one variant with so many in stock.
func mug(t testing.TB, stock int64, minute int) intake.Record {
	t.Helper()
	n, cost := decimal.New(stock, 0), decimal.New(4, 0)
	return seal(t, intake.KindProduct, "77", &intake.Product{
		Title: "Mug", Status: "published", Kind: intake.ProductStocked,
		Variants: []intake.Variant{{ID: "77", ProductID: "77", SKU: "MUG", Kind: intake.ProductStocked, Cost: &cost, Tracked: true, Stock: &n, Sellable: true}},
	}, minute)
}

func TestTheStockIsSettledWhenProductsAndOrdersWereRead(t *testing.T) {
	s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
	s.put(intake.Products, mug(t, 12, 1))
	s.fillOrders(t, 2)
	w := newWorld(t, s)

	if res := w.sync(intake.Orders); res.Settled != nil {
		t.Errorf("the orders alone: %+v", res.Settled)
	}
	if res := w.sync(intake.Products); res.Settled != nil {
		t.Errorf("the products alone: %+v", res.Settled)
	}
	if res := w.sync(intake.Orders); res.Settled == nil || res.Settled.Opened != 1 {
		t.Errorf("the orders after the products: %+v", res.Settled)
	}
	if res := w.sync(); res.Settled != nil {
		t.Errorf("nothing has changed: %+v", res.Settled)
	}
	s.put(intake.Products, mug(t, 10, 2))
	if res := w.sync(); res.Settled == nil || res.Settled.Adjusted != 1 {
		t.Errorf("the shop counted two less: %+v", res.Settled)
	}
	w.restart() // this process has read no products, the one before has
	if res := w.sync(intake.Orders); res.Settled == nil || res.Settled.Adjusted != 0 {
		t.Errorf("after a restart: %+v", res.Settled)
	}
}

func TestTheStockIsNotSettledAfterAReadingThatFailed(t *testing.T) {
	for _, broken := range []intake.Resource{intake.Products, intake.Orders} {
		t.Run(string(broken), func(t *testing.T) {
			s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
			s.put(intake.Products, mug(t, 12, 1))
			s.fillOrders(t, 2)
			s.answers(func(call string) error {
				if strings.HasPrefix(call, "pull "+string(broken)) {
					return &connectors.Error{Class: connectors.Rejected, Op: "shelf: list", Err: errors.New("nonsense")}
				}
				return nil
			})
			w := newWorld(t, s)
			res, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"})
			if err == nil || res.Settled != nil {
				t.Errorf("settled %+v, error %v", res.Settled, err)
			}
			if len(res.Resources) != 2 {
				t.Errorf("what does not fail was not read: %+v", res.Resources)
			}
			s.answers(nil)
			if res := w.sync(); res.Settled == nil {
				t.Error("not settled after the error was gone")
			}
		})
	}
}
