package erp_test

import (
	"fmt"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// family states a product of variants that have stock.
func (m *market) family(id string, variants map[string]int64) intake.Record {
	m.t.Helper()
	body := &intake.Product{Title: id, Kind: intake.ProductStocked, Status: "published"}
	for v, n := range variants {
		q, cost := decimal.NewFromInt(n), dec("2")
		body.Variants = append(body.Variants, intake.Variant{ID: v, ProductID: id, SKU: "SKU-" + v, Kind: intake.ProductStocked, Sellable: true, Tracked: true, Stock: &q, Cost: &cost})
	}
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindProduct, ID: id}, m.now, body, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return rec
}

// TestOnlyWhatAShopTookAwayIsGone has what is one product of several variants in
// one shop be products of their own in the other, which takes one of them away.
func TestOnlyWhatAShopTookAwayIsGone(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.receive("a", intake.Products, []intake.Record{m.family("P", map[string]int64{"1": 5, "2": 5})})
		m.stock("1", 5, "b")
		m.stock("2", 5, "b")
		m.begin()
		m.rest()
		for _, taken := range []string{"1", "2"} {
			left := map[string]string{"1": "2", "2": "1"}[taken]
			m.now = m.now.Add(time.Minute)
			m.receive("b", intake.Products, []intake.Record{intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: taken})})
			if _, err := m.AdjustStock(ctx, "SKU-"+left, dec("-1"), "counted"); err != nil {
				t.Fatal(err)
			}
			m.whole()
			if told := m.push("b"); fmt.Sprint(told) != fmt.Sprintf("[SKU-%s=4 done]", left) {
				t.Errorf("without %s the shop is told %q", taken, told)
			}
			m.now = m.now.Add(time.Minute)
			m.stock(taken, 5, "b")
			m.receive("b", intake.Products, []intake.Record{m.product(m.shops["b"], taken)})
			if _, err := m.AdjustStock(ctx, "SKU-"+left, dec("1"), "counted"); err != nil {
				t.Fatal(err)
			}
			m.rest()
		}
	})
}
