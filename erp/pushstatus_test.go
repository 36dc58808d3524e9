package erp_test

import (
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// uncounted has a shop list a thing that it does not count.
func (m *market) uncounted(shop, id, sku string) {
	m.t.Helper()
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindProduct, ID: id}, m.now, &intake.Product{Title: id, Kind: intake.ProductStocked, Status: "published",
		Variants: []intake.Variant{{ID: id, ProductID: id, SKU: sku, Kind: intake.ProductStocked, Sellable: true, Backorders: "no"}}}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.receive(shop, intake.Products, []intake.Record{rec})
}

// statusTold tells a shop that does not count, and returns what it was told of
// the one thing; "" for nothing.
func (m *market) statusTold(shop string) string {
	m.t.Helper()
	pushes, _ := m.told(shop)
	if len(pushes) == 0 {
		return ""
	}
	if _, err := m.Pushed(ctx, shop, pushes, []intake.Outcome{{Result: intake.Done}}); err != nil {
		m.t.Fatal(err)
	}
	return pushes[0].Level.Status
}

func TestAShopThatDoesNotCountIsToldThatBackordersAreTaken(t *testing.T) {
	backorders := ownsStock(func(p *outbox.Policy) { p.Owners[intake.FieldBackorders] = outbox.ERP })
	eachMarket(t, map[string]outbox.Policy{"a": backorders, "b": backorders}, func(t *testing.T, m *market) {
		m.stock("1", 1, "a")
		m.uncounted("b", "1", "SKU-1")
		m.begin()
		m.sell("a", "1", 1)
		m.pullOrders("a")
		if got := m.statusTold("b"); got != intake.OutOfStock {
			t.Errorf("b is told %q, nothing is left", got)
		}
		if _, err := m.SetProduct(ctx, "SKU-1", []erp.Assignment{{Field: intake.FieldBackorders, Text: "yes"}}, false); err != nil {
			t.Fatal(err)
		}
		m.whole()
		if got := m.statusTold("b"); got != intake.OnBackorder {
			t.Errorf("b is told %q, and backorders are taken", got)
		}
	})
}

// TestWhatAShopMadeAnewIsToldAnew has a shop take a thing away that it was told
// of, and make it once more: of that it was told nothing.
func TestWhatAShopMadeAnewIsToldAnew(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 1, "a")
		m.uncounted("b", "1", "SKU-1")
		m.begin()
		m.sell("a", "1", 1)
		m.pullOrders("a")
		if got := m.statusTold("b"); got != intake.OutOfStock {
			t.Errorf("b is told %q, nothing is left", got)
		}
		m.now = m.now.Add(time.Minute)
		m.receive("b", intake.Products, []intake.Record{intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: "1"})})
		m.uncounted("b", "100", "SKU-1")
		if _, err := m.Link(ctx, "b"); err != nil {
			t.Fatal(err)
		}
		m.whole()
		if got := m.statusTold("b"); got != intake.OutOfStock {
			t.Errorf("b is told %q of what it made anew, nothing is left", got)
		}
	})
}
