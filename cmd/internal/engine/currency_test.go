package engine_test

import (
	"context"
	"errors"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/erp/money"
)

// pricedShelf is a shelf that says in which currency it sells.
type pricedShelf struct {
	*shelf
	currency money.Currency
	err      error
}

func (s *pricedShelf) Currency(context.Context) (money.Currency, error) { return s.currency, s.err }

// Other shops depend on it, so it is learnt of a shop that is told nothing, too;
// that it cannot be found out keeps nothing from being read.
func TestTheCurrencyOfAShopIsLearntWhenItsProductsAreRead(t *testing.T) {
	s := &pricedShelf{shelf: newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders), err: errors.New("out of order")}
	s.put(intake.Products, mug(t, 12, 1))
	w := newWorld(t, s)
	w.sync()
	if kept, err := w.books.Kept(t.Context(), "atelier", "currency of prices"); kept != nil || err != nil {
		t.Errorf("%q, %v", kept, err)
	}
	if w.fence(intake.Products) == 0 {
		t.Error("the products were not read")
	}
	s.currency, s.err = "USD", nil
	w.sync()
	if kept, err := w.books.Kept(t.Context(), "atelier", "currency of prices"); string(kept) != "USD" || err != nil {
		t.Errorf("%q, %v", kept, err)
	}
}
