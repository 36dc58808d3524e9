package erp_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/outbox"
)

func TestAStockThatIsAdjustedByHandReachesTheShops(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		done, err := m.AdjustStock(ctx, "SKU-1", dec("-4"), "torn")
		if err != nil || done.OnHand.String() != "6" || done.Available.String() != "6" || done.Value != 800 {
			t.Fatalf("%+v, %v", done, err)
		}
		m.whole()
		if got := balances(t, m.Books); got != "inventory=1200 inventory_adjustment=800 opening_equity=-2000" {
			t.Errorf("the accounts stand at %s", got)
		}
		if _, err := m.SetSafety(ctx, "SKU-1", dec("1")); err != nil {
			t.Fatal(err)
		}
		m.whole()
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=5" {
			t.Errorf("the shops have %s", got)
		}
		list, err := m.VariantStocks(ctx, "sku-1")
		if err != nil || len(list) != 1 || list[0].Available.String() != "5" || len(list[0].Shops) != 2 {
			t.Errorf("listed %+v, %v", list, err)
		}
	})
}

func TestAnAdjustmentThatCannotBeIsRefused(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock()}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.pullGoods("a")
		refused := func(want fault.Kind, sku, by, reason string) {
			t.Helper()
			if done, err := m.AdjustStock(ctx, sku, dec(by), reason); fault.KindOf(err) != want || done.OnHand != 0 {
				t.Errorf("%s by %s: %+v, %v", sku, by, done, err)
			}
		}
		refused(fault.Unprocessable, "SKU-1", "1", "found before the stock was taken over")
		m.begin()
		refused(fault.Invalid, "SKU-1", "0", "nothing")
		refused(fault.Invalid, "SKU-1", "0.0001", "too fine")
		refused(fault.Invalid, "SKU-1", "1", " ")
		refused(fault.NotFound, "SKU-2", "1", "found")
		refused(fault.Unprocessable, "SKU-1", "-11", "more than there is")
		m.whole()
	})
}

func TestWhatEachShopHasAndIsToHaveIsListed(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		m.sell("a", "1", 2)
		m.pullOrders("a")
		line := func(shop string) erp.ShopStock {
			t.Helper()
			list, err := m.ShopStocks(ctx, shop)
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			return list[0]
		}
		if a := line("a"); !a.Agrees || a.Believed.String() != "8" || a.Desired.String() != "8" {
			t.Errorf("a sold them itself: %+v", a)
		}
		if b := line("b"); b.Agrees || b.Believed.String() != "10" || b.Desired.String() != "8" || b.WaitingSince.IsZero() {
			t.Errorf("b has still to be told: %+v", b)
		}
	})
}
