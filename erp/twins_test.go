package erp_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// under is what a shop states of a product that has a SKU, and so many in stock.
func (m *market) under(id, sku string, n int64) intake.Record {
	m.t.Helper()
	q, cost := decimal.NewFromInt(n), dec("2")
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindProduct, ID: id}, m.now, &intake.Product{Title: "Product " + id, Kind: intake.ProductStocked, Status: "published",
		Variants: []intake.Variant{{ID: id, ProductID: id, SKU: sku, Kind: intake.ProductStocked, Sellable: true, Tracked: true, Stock: &q, Cost: &cost}}}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return rec
}

// state has a shop state products, an hour later, and links and settles them.
func (m *market) state(shop string, recs ...func() intake.Record) erp.Linking {
	m.t.Helper()
	m.now = m.now.Add(time.Hour)
	for _, rec := range recs {
		m.receive(shop, intake.Products, []intake.Record{rec()})
	}
	l, err := m.Link(ctx, shop)
	if err != nil {
		m.t.Fatal(err)
	}
	m.pullOrders(shop)
	return l
}

func goneProduct(id string) func() intake.Record {
	return func() intake.Record { return intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: id}) }
}

// records are the records of a shop with the variants that they are, as "1" for
// the first variant that is listed, "2" for the next one, and why a person has to
// look at them.
func (m *market) records(t *testing.T) []string {
	t.Helper()
	list := must(m.Bindings(ctx))
	variants, out := []int64{}, []string{}
	for _, l := range list {
		if !slices.Contains(variants, l.Variant) {
			variants = append(variants, l.Variant)
		}
		text := l.Shop + " " + l.External + " is " + string(rune('1'+slices.Index(variants, l.Variant)))
		if l.Reason != "" {
			text += ": " + l.Reason
		}
		out = append(out, text)
	}
	return out
}

const onTwoRecords = "the shop has this SKU on 2 records, each with a stock of its own: give all but one another SKU"

func TestASKUThatAShopHasOnTwoRecordsIsSaid(t *testing.T) {
	for _, c := range []struct {
		name    string
		happens func(m *market)

		records []string
	}{
		{"a second record comes later", func(m *market) {
			m.stock("1", 10, "a", "b")
			m.begin()
			if l := m.state("b", func() intake.Record { return m.under("5", "SKU-1", 10) }); !slices.Equal(l.Ambiguous, []string{"SKU-1"}) {
				m.t.Fatalf("linked %+v", l)
			}
		}, []string{"a 1 is 1", "b 1 is 1: " + onTwoRecords, "b 5 is 2: " + onTwoRecords}},
		{"both were there before", func(m *market) {
			m.stock("1", 10, "a")
			m.receive("b", intake.Products, []intake.Record{m.under("4", "SKU-1", 10), m.under("5", "SKU-1", 10)})
			m.begin()
		}, []string{"a 1 is 1", "b 4 is 2: same SKU, which is not unique; " + onTwoRecords, "b 5 is 3: same SKU, which is not unique; " + onTwoRecords}},
		{"a record gets the SKU of another", func(m *market) {
			m.stock("1", 10, "a", "b")
			m.receive("b", intake.Products, []intake.Record{m.under("5", "OTHER", 10)})
			m.begin()
			m.state("b", func() intake.Record { return m.under("5", "SKU-1", 10) })
		}, []string{"a 1 is 1", "b 1 is 1: " + onTwoRecords, "b 5 is 2: " + onTwoRecords}},
		{"a record comes back after another took its place", func(m *market) {
			m.stock("1", 10, "a", "b")
			m.begin()
			m.state("b", goneProduct("1"), func() intake.Record { return m.under("5", "SKU-1", 10) })
			m.shops["b"].has["5"] = 10
			if l := m.state("b", func() intake.Record { return m.under("1", "SKU-1", 10) }); !slices.Equal(l.Ambiguous, []string{"SKU-1"}) {
				m.t.Fatalf("linked %+v", l)
			}
		}, []string{"a 1 is 1", "b 1 is 2: " + onTwoRecords, "b 5 is 1: " + onTwoRecords}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachMarket(t, twoShops, func(t *testing.T, m *market) {
				m.t = t
				c.happens(m)
				if diff := cmp.Diff(c.records, m.records(t)); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
				if skus := must(m.RepeatedSKUs(ctx, "b")); !slices.Equal(skus, []string{"SKU-1"}) {
					t.Errorf("repeated in b: %q", skus)
				}
				if skus := must(m.RepeatedSKUs(ctx, "a")); len(skus) > 0 {
					t.Errorf("repeated in a: %q", skus)
				}
				m.whole()
			})
		})
	}
}

// What is sold of the one is no concern of the other: the books tell no shop one
// number twice.
func TestTwoRecordsOfOneSKUEachHaveAStockOfTheirOwn(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.state("b", goneProduct("1"), func() intake.Record { return m.under("5", "SKU-1", 10) })
		m.sell("b", "5", 1)
		m.pullOrders("b")
		m.state("b", func() intake.Record { return m.under("1", "SKU-1", 7) })
		b := m.shops["b"]
		b.has = map[string]int64{"1": 7, "5": 9}
		m.push("a")
		m.push("b")
		m.sell("a", "1", 4) // of 9
		m.sell("b", "1", 2) // of 7
		m.pullOrders("a")
		m.push("b")
		m.push("a")
		if got := m.shelf("1") + " " + m.shelf("5"); got != "a=5 b=5 a=0 b=5" {
			t.Errorf("the shops have %s", got)
		}
		if stock := m.stocks(t); stock != "SKU-1: 5, SKU-1: 5" {
			t.Errorf("the books have %s", stock)
		}
		m.whole()
	})
}

// What was sold under a record before it became a variant of its own was taken
// from what it was then, and is not taken anew when the order moves on.
func TestOrdersStayWithWhatTheirRecordWas(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.sell("b", "1", 2)
		m.sell("b", "1", 1)
		m.pullOrders("b")
		m.state("b", goneProduct("1"), func() intake.Record { return m.under("5", "SKU-1", 7) })
		m.state("b", func() intake.Record { return m.under("1", "SKU-1", 4) })
		if stock := m.stocks(t); stock != "SKU-1: 4, SKU-1: 7" {
			t.Fatalf("the books have %s", stock)
		}
		for i, change := range []func(*intake.Order){
			func(o *intake.Order) { o.RawStatus, o.State, o.CompletedAt = "completed", intake.StateCompleted, m.now },
			cancelled,
		} {
			m.now = m.now.Add(time.Hour)
			o := *m.shops["b"].orders[i].Body.(*intake.Order)
			change(&o)
			m.receive("b", intake.Orders, []intake.Record{seal(t, intake.KindOrder, m.shops["b"].orders[i].Ref.ID, m.now, &o)})
		}
		m.sell("b", "1", 3)
		m.pullOrders("b")
		if stock := m.stocks(t); stock != "SKU-1: 1, SKU-1: 8" { // one came back to the one, three left the other
			t.Errorf("the books have %s", stock)
		}
		m.whole()
	})
}

// stocks are what can be sold by the books.
func (m *market) stocks(t *testing.T) string {
	t.Helper()
	var out []string
	for _, v := range must(m.VariantStocks(ctx, "")) {
		if v.Available != 0 {
			out = append(out, v.SKU+": "+v.Available.String())
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
