package erp_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
)

func TestAnOpenOrderIsListedWithWhatHasStillToLeave(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		left := func() []erp.OpenOrder {
			t.Helper()
			list, err := m.OpenOrders(ctx, "a")
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		list := left()
		if len(list) != 1 || list[0].Shop != "a" || len(list[0].Lines) != 1 || list[0].Lines[0].SKU != "SKU-1" || list[0].Lines[0].Left.String() != "3" || list[0].Lines[0].State != "ready" {
			t.Fatalf("%+v", list)
		}
		words, err := m.OrderWords(ctx, []erp.OrderName{{Shop: "a", Number: list[0].Number}, {Shop: "a", Number: "none"}})
		if err != nil || len(words) != 1 {
			t.Fatalf("%+v, %v", words, err)
		}
		if w := words[erp.OrderName{Shop: "a", Number: list[0].Number}]; w.Currency != list[0].Total.Currency || w.Lines[list[0].Lines[0].Line] != "SKU-1" {
			t.Errorf("%+v", w)
		}
		for _, n := range []int64{1, 2} {
			if _, err := m.ShipOrder(ctx, "a", list[0].Number, erp.ShipAsk{Lines: []sales.Ask{{Line: "SKU-1", Quantity: decimal.NewFromInt(n)}}}, false); err != nil {
				t.Fatal(err)
			}
			pushes := m.requests()
			m.answered(pushes, m.ships(pushes[0]))
			if n == 1 {
				if now := left(); len(now) != 1 || now[0].Lines[0].Left.String() != "2" {
					t.Errorf("after a part has left: %+v", now)
				}
			}
		}
		if now := left(); len(now) != 0 {
			t.Errorf("after all has left: %+v", now)
		}
		if _, err := m.OpenOrders(ctx, "nowhere"); err == nil {
			t.Error("a shop that is not known has open orders")
		}
	})
}
