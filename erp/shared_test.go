package erp_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

var (
	counted = placed.AddDate(0, 0, 10)    // when the shops last stated their stock
	late    = counted.Add(3 * time.Hour)  // when what is ordered afterwards is placed
	synced  = counted.Add(30 * time.Hour) // when they are read
)

// house is a set of books that can be closed and opened again.
type house struct {
	t         *testing.T
	path, url string
	shops     []string
	rules     sales.Rules
	*erp.Books
}

func (h *house) open() {
	h.t.Helper()
	rules := map[string]sales.Rules{}
	for _, s := range h.shops {
		rules[s] = h.rules
	}
	var err error
	h.Books, err = erp.Open(ctx, erp.Options{Path: h.path, URL: h.url, Shops: rules, Order: h.shops,
		Company: erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC}, Now: func() time.Time { return synced }, Log: zerolog.Nop()})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) reopen(shops ...string) {
	h.t.Helper()
	if err := h.Books.Close(); err != nil {
		h.t.Fatal(err)
	}
	if len(shops) > 0 {
		h.shops = shops
	}
	h.open()
}

func newHouse(t *testing.T, url string, shops ...string) *house {
	h := &house{t: t, url: url, shops: shops, rules: sales.DefaultRules()}
	if url == "" {
		h.path = filepath.Join(t.TempDir(), "books.db")
	}
	h.open()
	t.Cleanup(func() { h.Books.Close() })
	return h
}

// eachHouse runs a test on both databases.
func eachHouse(t *testing.T, fn func(t *testing.T, h *house), shops ...string) {
	t.Run("sqlite", func(t *testing.T) { fn(t, newHouse(t, "", shops...)) })
	t.Run("postgres", func(t *testing.T) { fn(t, newHouse(t, storetest.URL(t), shops...)) })
}

// say has a shop state records.
func (h *house) say(shop string, r intake.Resource, recs ...intake.Record) {
	h.t.Helper()
	receive(h.t, h.Books, erp.Stream{Shop: shop, Resource: r}, recs...)
}

// thing states a product of one variant that has its id, with so many in stock
// and a cost.
func (h *house) thing(id, sku, stock, cost string) intake.Record {
	h.t.Helper()
	v := intake.Variant{ID: id, ProductID: id, SKU: sku, Title: sku, Kind: intake.ProductStocked, Sellable: true}
	if stock != "" {
		q := dec(stock)
		v.Stock, v.Tracked = &q, true
	}
	if cost != "" {
		c := dec(cost)
		v.Cost = &c
	}
	return seal(h.t, intake.KindProduct, id, counted, &intake.Product{Title: "Product " + id, Kind: intake.ProductStocked, Status: "published", Variants: []intake.Variant{v}})
}

// sale states an order of so many of a variant, placed at an instant.
func (h *house) sale(id, variant, quantity string, at time.Time, edit ...func(*intake.Order)) intake.Record {
	h.t.Helper()
	o := &intake.Order{Number: id, RawStatus: "processing", State: intake.StateOpen, PlacedAt: at, PaidAt: at, Currency: "EUR", Total: dec("12"), TotalTax: dec("2"),
		Lines: []intake.Line{{ID: "1", Kind: intake.LineItem, ProductID: variant, VariantID: variant, SKU: "as sold", Title: "Goods", Quantity: dec(quantity), Subtotal: dec("10"), Total: dec("10"),
			Taxes: []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec("2")}}}},
		Payment:  intake.Payment{Method: "stripe"},
		Payments: []intake.Money{{ID: "p", Kind: intake.MoneySale, Gateway: "stripe", Amount: dec("12"), At: at}}}
	for _, e := range edit {
		e(o)
	}
	return seal(h.t, intake.KindOrder, id, at.Add(time.Minute), o)
}

func shippedSoon(o *intake.Order) {
	o.RawStatus, o.State, o.CompletedAt = "completed", intake.StateCompleted, o.PlacedAt.Add(time.Hour)
}

func returned(o *intake.Order) {
	shippedSoon(o)
	o.Refunds = []intake.Refund{{ID: "r", At: o.PlacedAt.Add(2 * time.Hour), Amount: dec("6"),
		Lines: []intake.RefundLine{{LineID: "1", Quantity: dec("1"), Total: dec("5"), Restock: intake.RestockYes, Taxes: []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec("1")}}}}}}
}

func cancelled(o *intake.Order) { o.RawStatus, o.State = "cancelled", intake.StateCancelled }

func (h *house) link(shop string, absent ...string) erp.Linking {
	h.t.Helper()
	l, err := h.Link(ctx, shop, absent...)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (h *house) settle(shop string, absent ...string) erp.Settlement {
	h.t.Helper()
	s, err := h.Settle(ctx, shop, synced, synced, absent...)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// stock returns on hand and wanted of a SKU, in whole units, by variant.
func (h *house) stock(sku string) []string {
	h.t.Helper()
	rows, err := h.Reader().Query(ctx, `SELECT l.on_hand, l.demand, l.value FROM stock_level l JOIN variant v ON v.id = l.variant_id WHERE v.sku = $1 ORDER BY l.on_hand, l.demand`, sku)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var onHand, demand, value int64
		if err := rows.Scan(&onHand, &demand, &value); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s on hand, %s wanted, worth %s", decimal.New(onHand, -3), decimal.New(demand, -3), decimal.New(value, -2)))
	}
	return out
}

func (h *house) hasStock(sku string, want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.stock(sku)); diff != "" {
		h.t.Errorf("stock of %s (-want +got):\n%s", sku, diff)
	}
}

func TestTwoShopsSellFromOneStock(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "99", "5"), h.thing("71", "shirt", "3", "5"))
		h.link("atelier")
		if l := h.link("boutique"); l.Shared != 1 || len(l.Missing) != 0 {
			t.Errorf("linked %+v", l)
		}
		h.say("atelier", intake.Orders, h.sale("1", "7", "2", paid, shippedSoon), h.sale("2", "7", "1", paid))
		h.say("boutique", intake.Orders, h.sale("1", "70", "4", paid, shippedSoon), h.sale("2", "70", "3", late, shippedSoon), h.sale("3", "70", "2", late),
			h.sale("4", "70", "5", late, cancelled), h.sale("5", "70", "2", late, returned))
		h.settle("boutique")
		h.settle("atelier")
		// The atelier can sell 10 and owes 1, so 11 were there when it counted. Of
		// what the boutique sold since, 3 left, 2 more left of which 1 came back,
		// and 2 are wanted.
		h.hasStock("SHIRT", "7 on hand, 3 wanted, worth 28")
		h.hasStock("shirt", "3 on hand, 0 wanted, worth 15")
		for cause, id := range map[string]string{"stock/atelier/7/opening": "7", "stock/boutique/70/opening": "70"} {
			if x := explained(t, h.Books, cause); x.Source == nil || x.Source.Ref.ID != id {
				t.Errorf("%s is explained by %+v", cause, x.Source)
			}
		}
		invariants(t, h.Books)
		// The boutique's own number is no concern of the stock, the atelier's is.
		h.say("boutique", intake.Products, seal(t, intake.KindProduct, "70", late, h.thing("70", "SHIRT", "50", "5").Body))
		h.say("atelier", intake.Products, seal(t, intake.KindProduct, "7", late, h.thing("7", "SHIRT", "9", "4").Body))
		if s := h.settle("boutique"); s.Adjusted != 1 { // the atelier is settled with it
			t.Errorf("settled %+v", s)
		}
		h.hasStock("SHIRT", "6 on hand, 3 wanted, worth 24")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestGoodsWaitUntilEveryShopWasRead(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "99", "5"))
		if l := h.link("boutique"); !slices.Equal(l.Missing, []string{"atelier"}) {
			t.Errorf("missing %v", l.Missing)
		}
		h.say("boutique", intake.Orders, h.sale("1", "70", "4", late, shippedSoon))
		if s := h.settle("boutique"); s.Undescribed != 1 || s.Waiting != 1 || s.Opened != 0 {
			t.Errorf("before the atelier was read: %+v", s)
		}
		if got := balances(t, h.Books); got != "output_tax=-200 sales=-1000 stripe/EUR=1200" {
			t.Errorf("the money is not booked: %s", got)
		}
		h.reopen() // killed between
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		if l := h.link("atelier"); l.Shared != 1 {
			t.Errorf("linked %+v", l)
		}
		h.reopen()
		if s := h.settle("boutique"); s.Undescribed != 0 || s.Waiting != 1 {
			t.Errorf("before the atelier's orders were read: %+v", s)
		}
		h.settle("atelier")
		h.hasStock("SHIRT", "6 on hand, 0 wanted, worth 24")
		if s := h.settle("boutique"); s.Waiting != 0 {
			t.Errorf("afterwards: %+v", s)
		}
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestAShopThatCannotBeReadIsNotWaitedFor(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "20", "5"))
		h.link("boutique", "atelier")
		h.say("boutique", intake.Orders, h.sale("1", "70", "4", late))
		if s := h.settle("boutique", "atelier"); s.Opened != 1 || s.Waiting+s.Undescribed != 0 {
			t.Errorf("settled %+v", s)
		}
		h.hasStock("SHIRT", "24 on hand, 4 wanted, worth 120")
		// When it can be read after all, the boutique's number goes on to count.
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		h.say("atelier", intake.Orders, h.sale("1", "7", "2", paid, shippedSoon), h.sale("2", "7", "3", late, shippedSoon))
		h.settle("atelier")
		h.hasStock("SHIRT", "21 on hand, 4 wanted, worth 105")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestAShopThatIsRefusedAfterItsProductsWereReadIsNotWaitedFor(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "20", "5"))
		h.link("atelier")
		if s := h.settle("boutique"); s.Opened != 0 || s.Waiting != 1 {
			t.Errorf("while the atelier is read: %+v", s)
		}
		if s := h.settle("boutique", "atelier"); s.Opened != 1 || s.Waiting != 0 {
			t.Errorf("when it is refused: %+v", s)
		}
		h.settle("atelier")
		h.hasStock("SHIRT", "20 on hand, 0 wanted, worth 80")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestAnSKUThatIsNotOneIsNotGuessedAbout(t *testing.T) {
	pool := func(h *house) intake.Record {
		q := dec("5")
		return seal(h.t, intake.KindProduct, "8", counted, &intake.Product{Title: "Pool", Kind: intake.ProductStocked, Status: "published", Variants: []intake.Variant{
			{ID: "8", ProductID: "8", Kind: intake.ProductStocked, Tracked: true, Stock: &q},
			{ID: "81", ProductID: "8", SKU: "SHIRT", Kind: intake.ProductStocked, Sellable: true, StockOf: "8"},
		}})
	}
	for _, c := range []struct {
		name              string
		atelier, boutique func(h *house) []intake.Record
	}{
		{"several in the first shop", func(h *house) []intake.Record {
			return []intake.Record{h.thing("7", "SHIRT", "1", "4"), h.thing("8", "SHIRT", "2", "4")}
		}, func(h *house) []intake.Record { return []intake.Record{h.thing("70", "SHIRT", "3", "4")} }},
		{"several in the second shop", func(h *house) []intake.Record { return []intake.Record{h.thing("7", "SHIRT", "3", "4")} },
			func(h *house) []intake.Record {
				return []intake.Record{h.thing("70", "SHIRT", "1", "4"), h.thing("80", "SHIRT", "2", "4")}
			}},
		{"a stock that is shared within a shop", func(h *house) []intake.Record { return []intake.Record{pool(h)} },
			func(h *house) []intake.Record { return []intake.Record{h.thing("70", "SHIRT", "3", "4")} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachHouse(t, func(t *testing.T, h *house) {
				h.say("atelier", intake.Products, c.atelier(h)...)
				h.say("boutique", intake.Products, c.boutique(h)...)
				h.link("atelier")
				if l := h.link("boutique"); l.Shared != 0 || !slices.Equal(l.Ambiguous, []string{"SHIRT"}) {
					t.Errorf("linked %+v", l)
				}
				h.settle("atelier")
				if s := h.settle("boutique"); s.Waiting != 0 {
					t.Errorf("settled %+v", s)
				}
				if n := sums(t, h.Books, `SELECT 'on hand', SUM(on_hand) FROM stock_level`)["on hand"]; n != 6000 && n != 8000 {
					t.Errorf("%d thousandths on hand", n)
				}
				invariants(t, h.Books)
			}, "atelier", "boutique")
		})
	}
}

func TestAShopThatJoinsLaterSellsFromTheStockThatIsThere(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		h.say("atelier", intake.Orders, h.sale("1", "7", "2", paid, shippedSoon))
		h.settle("atelier")
		h.hasStock("SHIRT", "10 on hand, 0 wanted, worth 40")
		h.reopen("boutique", "atelier") // it even goes before the other
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "99", "6"))
		h.say("boutique", intake.Orders, h.sale("1", "70", "4", paid, shippedSoon), h.sale("2", "70", "3", late, shippedSoon))
		h.link("boutique")
		h.settle("boutique")
		h.hasStock("SHIRT", "7 on hand, 0 wanted, worth 28")
		invariants(t, h.Books)
	}, "atelier")
}

func TestWhatOneShopTakesAwayIsStillSoldInTheOther(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "99", "5"))
		h.say("atelier", intake.Orders, h.sale("1", "7", "2", late, shippedSoon))
		h.say("boutique", intake.Orders, h.sale("1", "70", "4", late, shippedSoon))
		h.settle("atelier")
		h.settle("boutique")
		h.hasStock("SHIRT", "6 on hand, 0 wanted, worth 24")
		status := func() map[string]int64 {
			return sums(t, h.Books, `SELECT 'variant ' || status, COUNT(*) FROM variant WHERE sku = 'SHIRT' GROUP BY status UNION ALL SELECT 'product ' || status, COUNT(*) FROM product GROUP BY status`)
		}
		h.say("atelier", intake.Products, intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: "7"}))
		if diff := cmp.Diff(map[string]int64{"variant ": 1, "product published": 1}, status()); diff != "" {
			t.Errorf("after the atelier took it away (-want +got):\n%s", diff)
		}
		// Now it is the boutique's number that counts.
		h.say("boutique", intake.Products, seal(t, intake.KindProduct, "70", late.Add(time.Hour), h.thing("70", "SHIRT", "5", "5").Body))
		h.settle("boutique")
		h.hasStock("SHIRT", "5 on hand, 0 wanted, worth 20")
		h.say("boutique", intake.Products, intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: "70"}))
		if diff := cmp.Diff(map[string]int64{"variant deleted": 1, "product deleted": 1}, status()); diff != "" {
			t.Errorf("after both took it away (-want +got):\n%s", diff)
		}
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		if diff := cmp.Diff(map[string]int64{"variant ": 1, "product published": 1}, status()); diff != "" {
			t.Errorf("after the atelier has it again (-want +got):\n%s", diff)
		}
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestTheFirstShopDescribesWhatItShares(t *testing.T) {
	for _, first := range []string{"atelier", "boutique"} {
		t.Run(first+" is read first", func(t *testing.T) {
			eachHouse(t, func(t *testing.T, h *house) {
				said := map[string]intake.Record{"atelier": h.thing("7", "SHIRT", "10", ""), "boutique": h.thing("70", "SHIRT", "99", "5")}
				for _, shop := range []string{"atelier", "boutique"} {
					id := map[string]string{"atelier": "1", "boutique": "2"}[shop]
					h.say(shop, intake.Categories, seal(t, intake.KindCategory, id, counted, &intake.Category{Name: shop}))
					said[shop].Body.(*intake.Product).CategoryIDs = []string{id}
				}
				second := map[string]string{"atelier": "boutique", "boutique": "atelier"}[first]
				h.say(first, intake.Products, said[first])
				h.link(first)
				h.say(second, intake.Products, said[second])
				h.link(second)
				again := said["boutique"].Body.(*intake.Product)
				again.Title = "Another title"
				h.say("boutique", intake.Products, seal(t, intake.KindProduct, "70", late, again))
				want := map[string]int64{"Product 7": 1, "cost 5": 1, "in atelier": 1, "in boutique": 1}
				got := sums(t, h.Books, `SELECT p.title, COUNT(*) FROM product p GROUP BY p.title
					UNION ALL SELECT 'cost ' || v.cost, COUNT(*) FROM variant v JOIN product p ON p.id = v.product_id WHERE v.sku = 'SHIRT' GROUP BY v.cost
					UNION ALL SELECT 'in ' || c.name, COUNT(*) FROM product_category x JOIN category c ON c.id = x.category_id JOIN product p ON p.id = x.product_id GROUP BY c.name`)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}, "atelier", "boutique")
		})
	}
}

func TestTheOrderInWhichShopsArriveDoesNotMatter(t *testing.T) {
	run := func(h *house, seed uint64) string {
		r := rand.New(rand.NewPCG(seed, seed))
		type step func()
		plan := func(shop string, products, orders []intake.Record) []step {
			var out []step
			each := func(res intake.Resource, recs []intake.Record) {
				for _, i := range r.Perm(len(recs)) {
					out = append(out, func() { h.say(shop, res, recs[i]) })
				}
			}
			if r.IntN(3) == 0 { // some orders before what they name
				each(intake.Orders, orders[:2])
			}
			each(intake.Products, products)
			out = append(out, func() { h.link(shop) })
			each(intake.Orders, orders)
			return append(out, func() { h.settle(shop) }, func() { h.settle(shop) })
		}
		a := plan("atelier", []intake.Record{h.thing("7", "SHIRT", "10", "4"), h.thing("8", "MUG", "", ""), h.thing("9", "CAP", "5", "2"), h.thing("10", "", "5", "2"), h.thing("11", "PEN", "1", "3")},
			[]intake.Record{h.sale("1", "7", "2", paid, shippedSoon), h.sale("2", "8", "1", paid, shippedSoon), h.sale("3", "8", "1", late), h.sale("4", "7", "2", late, returned),
				h.sale("5", "9", "1", late, cancelled), h.sale("6", "404", "1", paid, shippedSoon), h.sale("7", "11", "4", paid)})
		b := plan("boutique", []intake.Record{h.thing("70", "SHIRT", "99", "5"), h.thing("80", "MUG", "6", "9"), h.thing("90", "CAP", "5", "3"), h.thing("91", "CAP", "6", "3"), h.thing("100", "", "7", "2")},
			[]intake.Record{h.sale("1", "70", "4", paid, shippedSoon), h.sale("2", "80", "1", paid, shippedSoon), h.sale("3", "80", "3", late), h.sale("4", "70", "2", late, returned),
				h.sale("5", "90", "1", late, shippedSoon), h.sale("6", "70", "1", paid, returned), h.sale("7", "70", "1", late)})
		for len(a)+len(b) > 0 {
			from := &a
			if len(a) == 0 || (len(b) > 0 && r.IntN(2) == 0) {
				from = &b
			}
			(*from)[0]()
			*from = (*from)[1:]
			if r.IntN(8) == 0 {
				h.reopen()
			}
		}
		invariants(h.t, h.Books)
		digest, err := h.Digest(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		return digest
	}
	shops := []string{"atelier", "boutique"}
	want := run(newHouse(t, "", shops...), 1)
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("sqlite ", seed), func(t *testing.T) {
			if run(newHouse(t, "", shops...), seed) != want {
				t.Error("another digest")
			}
		})
	}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("postgres ", seed), func(t *testing.T) {
			if run(newHouse(t, storetest.URL(t), shops...), seed) != want {
				t.Error("another digest")
			}
		})
	}
}

func TestLocationsAndTheStockAtThemAreKeptByShop(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		at := func(id, name string, active bool) intake.Record {
			return seal(t, intake.KindLocation, id, counted, &intake.Location{Name: name, Country: "FR", City: "Lyon", Active: active, Ships: true})
		}
		variant := func(modified time.Time, levels ...intake.Level) intake.Record {
			sum := decimal.Decimal{}
			for _, l := range levels {
				sum = sum.Add(l.Available)
			}
			return seal(t, intake.KindVariant, "70", modified, &intake.Variant{ID: "70", ProductID: "7", SKU: "SHIRT", Kind: intake.ProductStocked, Tracked: true, Sellable: true, Stock: &sum, Levels: levels})
		}
		h.say("atelier", intake.Locations, at("1", "Shop", true), at("2", "Depot", true))
		h.say("atelier", intake.Variants, variant(counted, intake.Level{Location: "1", Available: dec("3"), OnHand: dec("4"), Committed: dec("1")}, intake.Level{Location: "2", Available: dec("5"), OnHand: dec("5")}))
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "9", "4"))
		h.link("atelier")
		h.link("boutique")
		h.say("atelier", intake.Variants, variant(late, intake.Level{Location: "2", Available: dec("6"), OnHand: dec("6"), Incoming: dec("2")}))
		h.say("atelier", intake.Locations, at("2", "Warehouse", false), intake.Missing(intake.Ref{Kind: intake.KindLocation, ID: "1"}))
		want := map[string]int64{"Shop gone": 0, "Warehouse": 0, "2 available": 6000, "2 incoming": 2000}
		got := sums(t, h.Books, `SELECT name || CASE WHEN deleted THEN ' gone' ELSE '' END, 0 FROM location
			UNION ALL SELECT l.location || ' available', SUM(l.available) FROM shop_level l JOIN variant v ON v.id = l.variant_id WHERE v.sku = 'SHIRT' GROUP BY l.location
			UNION ALL SELECT location || ' incoming', SUM(incoming) FROM shop_level GROUP BY location`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestTheNumberOfTheNextShopIsFollowedWhereTheFirstStopsCounting(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "99", "4"))
		h.say("atelier", intake.Orders, h.sale("1", "7", "2", late, shippedSoon))
		h.settle("atelier")
		h.settle("boutique")
		h.say("atelier", intake.Products, seal(t, intake.KindProduct, "7", late, h.thing("7", "SHIRT", "", "4").Body))
		h.say("boutique", intake.Products, seal(t, intake.KindProduct, "70", late, h.thing("70", "SHIRT", "8", "4").Body))
		h.say("atelier", intake.Orders, h.sale("2", "7", "1", late.Add(time.Hour), shippedSoon), h.sale("3", "7", "1", late.Add(time.Hour))) // it still sells from it
		h.settle("atelier")
		h.settle("boutique")
		h.hasStock("SHIRT", "7 on hand, 1 wanted, worth 28")
		h.say("boutique", intake.Products, seal(t, intake.KindProduct, "70", late.Add(2*time.Hour), h.thing("70", "SHIRT", "7", "4").Body))
		h.settle("boutique")
		h.hasStock("SHIRT", "6 on hand, 1 wanted, worth 24")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

// A number that was stated while another shop counted is followed without being
// stated again: stock that does not sell would never change otherwise.
func TestTheNumberThatTheNextShopStatedBeforeIsFollowed(t *testing.T) {
	for name, stop := range map[string]func(h *house){
		"the first is taken out of the configuration": func(h *house) { h.reopen("boutique") },
		"the first takes the product away": func(h *house) {
			h.say("atelier", intake.Products, intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: "7"}))
		},
		"the first takes the variant away": func(h *house) {
			h.say("atelier", intake.Variants, intake.Missing(intake.Ref{Kind: intake.KindVariant, ID: "7"}))
		},
		"the first counts it no more": func(h *house) {
			h.say("atelier", intake.Products, seal(h.t, intake.KindProduct, "7", late, h.thing("7", "SHIRT", "", "4").Body))
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachHouse(t, func(t *testing.T, h *house) {
				h.say("atelier", intake.Products, h.thing("7", "SHIRT", "10", "4"))
				h.say("boutique", intake.Products, h.thing("70", "SHIRT", "8", "4"))
				h.say("atelier", intake.Orders, h.sale("1", "7", "2", late, shippedSoon))
				h.settle("atelier")
				h.settle("boutique")
				h.hasStock("SHIRT", "10 on hand, 0 wanted, worth 40")
				stop(h)
				h.settle("boutique")
				// The boutique counted 8 before the atelier sold 2.
				h.hasStock("SHIRT", "6 on hand, 0 wanted, worth 24")
				h.settle("boutique")
				h.hasStock("SHIRT", "6 on hand, 0 wanted, worth 24")
				invariants(t, h.Books)
			}, "atelier", "boutique")
		})
	}
}

// Whatever order two shops' statements, links and settlements come in, on two
// connections at once: no unit is doubled or lost.
func TestTwoShopsAtOnceLoseNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, h.thing("7", "SHIRT", "50", "4"))
		h.say("boutique", intake.Products, h.thing("70", "SHIRT", "50", "4"))
		h.settle("atelier")
		h.settle("boutique")
		var wg sync.WaitGroup
		for shop, variant := range map[string]string{"atelier": "7", "boutique": "70"} {
			wg.Go(func() {
				for i := range 10 {
					if _, err := h.Receive(ctx, erp.Stream{Shop: shop, Resource: intake.Orders}, []intake.Record{h.sale(fmt.Sprint(i), variant, "1", late, shippedSoon)}, []byte("x")); err != nil {
						t.Error(err)
					}
					if _, err := h.Settle(ctx, shop, synced, synced); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		h.hasStock("SHIRT", "30 on hand, 0 wanted, worth 120")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}
