package erp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/completeness"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/reports"

	"github.com/google/go-cmp/cmp"
)

// listed writes differences for people.
func listed(found []erp.Drift) string {
	var out []string
	for _, d := range found {
		line := fmt.Sprintf("%s %s %s %s: %s, %s; %s %s", d.Kind, d.Resource, d.ID, d.Field, d.Shop, d.Books, d.Value, d.Currency)
		if d.Pending {
			line += " (pending)"
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// drift compares the goods of a shop with the books.
func (m *market) drift(shop string) string {
	m.t.Helper()
	s := m.shops[shop]
	var said []intake.Record
	for id := range s.has {
		said = append(said, m.product(s, id))
	}
	found, _, err := m.Drift(ctx, erp.DriftQuery{Shop: shop, Resource: intake.Products, Said: said})
	if err != nil {
		m.t.Fatal(err)
	}
	return listed(found)
}

func TestUnitsDriftWhereTheShopHasOthersThanItShould(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		expect := func(what, a, b string) {
			t.Helper()
			if got := []string{m.drift("a"), m.drift("b")}; !cmp.Equal(got, []string{a, b}) {
				t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), a+"\n"+b)
			}
		}
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		expect("at rest", "", "")
		m.now = m.now.Add(time.Minute)
		m.sell("a", "1", 3)
		m.pullOrders("a")
		expect("while the other shop has still to be told", "", "different stock 1 stock: 10, 7; 6 EUR (pending)")
		m.rest()
		expect("once it was told", "", "")
		m.shops["b"].has["1"] = 5
		expect("somebody counted", "", "different stock 1 stock: 5, 7; 4 EUR")
		m.rest()
		m.sell("b", "1", 1)
		expect("an order that was not read yet", "", "different stock 1 stock: 6, 7; 2 EUR")
	})
}

func TestUnitsOfAShopThatDecidesItselfAreThoseOfTheBooks(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": {}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.begin()
		if got := m.drift("a"); got != "" {
			t.Errorf("as it was read: %s", got)
		}
		m.shops["a"].has["1"] = 8
		if got, want := m.drift("a"), "different stock 1 stock: 8, 10; 4 EUR"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// drift compares the catalogue of a shop with the books.
func (s *street) drift(shop string) string {
	s.t.Helper()
	c := s.counters[shop]
	q := erp.DriftQuery{Shop: shop, Express: c.express}
	var all []erp.Drift
	compare := func(r intake.Resource, said []intake.Record) {
		q.Resource, q.Said = r, said
		found, _, err := s.Drift(ctx, q)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, found...)
	}
	var categories, products []intake.Record
	for id := range c.categories {
		categories = append(categories, c.record(intake.KindCategory, id))
	}
	for id := range c.products {
		products = append(products, c.record(intake.KindProduct, id))
	}
	compare(intake.Categories, categories)
	compare(intake.Products, products)
	return listed(all)
}

func TestFieldsDriftFromWhatTheirOwnerSays(t *testing.T) {
	policies := map[string]outbox.Policy{"a": owning(intake.FieldPrice)}
	eachStreet(t, policies, []string{"a"}, func(t *testing.T, s *street) {
		c := s.counters["a"]
		c.category("7", "", "Cups")
		c.product("1", "MUG", "Mug", "7")
		expect := func(what, want string) {
			t.Helper()
			if diff := cmp.Diff(want, s.drift("a")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		expect("before the first reading", "missing categories 7 : , ; 0 EUR\nmissing products 1 : , ; 0 EUR")
		s.pull("a")
		expect("as it was read", "")

		price := dec("12.5")
		c.products["1"].Variants[0].Regular = &price
		c.products["1"].Title = "Big mug"
		c.categories["7"].Name = "Mugs"
		expect("the shop has changed them", "different categories 7 name: Mugs, Cups; 0 EUR\n"+
			"different products 1 title: Big mug, Mug; 0 EUR\n"+
			"different variants 1 price: 12.5, 10; 2.5 EUR")
		s.pull("a") // what the shop owns is taken over, and the price is to be put back
		expect("the price is on its way back", "different variants 1 price: 12.5, 10; 2.5 EUR (pending)")
		s.push("a")
		expect("it was put back", "")
	})
}

func TestOrdersThatStayOutOfTheBooksAreNoDrift(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": {}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.begin()
		m.sell("a", "1", 1)
		order := func(change func(*intake.Order)) intake.Record {
			o := *m.shops["a"].orders[0].Body.(*intake.Order)
			change(&o)
			return seal(t, intake.KindOrder, "a-1", m.now, &o)
		}
		for _, test := range []struct {
			name   string
			change func(*intake.Order)
			want   string
			day    bool
		}{
			{"placed", func(*intake.Order) {}, "missing orders a-1 : , ; 10 EUR", true},
			{"a test", func(o *intake.Order) { o.Test = true }, "", false},
			{"a checkout", func(o *intake.Order) { o.State, o.RawStatus = intake.StateDraft, "checkout-draft" }, "", false},
		} {
			found, facts, err := m.Drift(ctx, erp.DriftQuery{Shop: "a", Resource: intake.Orders, Said: []intake.Record{order(test.change)}})
			if err != nil || listed(found) != test.want || (facts[0].Day != "") != test.day {
				t.Errorf("%s: %s, %+v, %v", test.name, listed(found), facts, err)
			}
		}
		m.pullOrders("a")
		for _, test := range []struct{ name, want string }{{"shipped", "different orders a-1 status: completed, processing; 10 EUR"}} {
			found, _, err := m.Drift(ctx, erp.DriftQuery{Shop: "a", Resource: intake.Orders,
				Said: []intake.Record{order(func(o *intake.Order) { o.State, o.RawStatus = intake.StateCompleted, "completed" })}})
			if err != nil || listed(found) != test.want {
				t.Errorf("%s: %s, %v", test.name, listed(found), err)
			}
		}
		found, _, err := m.Drift(ctx, erp.DriftQuery{Shop: "a", Resource: intake.Orders, Said: []intake.Record{intake.Missing(intake.Ref{Kind: intake.KindOrder, ID: "a-1"})}})
		if want := "extra orders a-1 : , processing; 10 EUR"; err != nil || listed(found) != want {
			t.Errorf("an order that the shop does not have: %s, %v", listed(found), err)
		}
	})
}

func TestADayIsCertifiedUntilItsOrdersChange(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": {}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.begin()
		first := m.now
		m.sell("a", "1", 1)
		m.now = m.now.AddDate(0, 0, 2)
		m.sell("a", "1", 1)
		m.now = m.now.AddDate(0, 0, 1)
		m.pullOrders("a")
		day := func(n int) string { return m.DayOf(first.AddDate(0, 0, n)) }
		provisional := func() []string {
			t.Helper()
			r, err := reports.Run(ctx, m.Reader(), "sales", reports.Params{Now: m.now.UTC()})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range r.Provisional {
				for _, d := range p.Days {
					out = append(out, p.Shop+" "+d)
				}
			}
			return out
		}
		all := []string{"a " + day(0), "a " + day(1), "a " + day(2), "a " + day(3)}
		if diff := cmp.Diff(all, provisional()); diff != "" {
			t.Errorf("before the first comparison (-want +got):\n%s", diff)
		}
		_, facts, err := m.Drift(ctx, erp.DriftQuery{Shop: "a", Resource: intake.Orders, Said: m.shops["a"].orders})
		if err != nil {
			t.Fatal(err)
		}
		ofShop := completeness.Days{}
		for _, f := range facts {
			ofShop.Add(f.Day, f.Status, f.Currency, 1, f.Total)
		}
		days, err := m.Certify(ctx, "a", day(0), day(2), ofShop)
		if err != nil || len(days) != 3 {
			t.Fatalf("%+v, %v", days, err)
		}
		for _, d := range days {
			if !d.Holds || !d.Shop.Equal(d.Books) {
				t.Errorf("%s: shop %+v, books %+v", d.Day, d.Shop, d.Books)
			}
		}
		if diff := cmp.Diff(all[3:], provisional()); diff != "" {
			t.Errorf("today goes on (-want +got):\n%s", diff)
		}
		o := *m.shops["a"].orders[1].Body.(*intake.Order)
		o.State, o.RawStatus = intake.StateCompleted, "completed"
		m.receive("a", intake.Orders, []intake.Record{seal(t, intake.KindOrder, "a-2", m.now, &o)})
		if diff := cmp.Diff(all[2:], provisional()); diff != "" {
			t.Errorf("after an order has changed (-want +got):\n%s", diff)
		}
		if days, err = m.Certify(ctx, "a", day(2), day(2), ofShop); err != nil || len(days) != 1 || days[0].Holds {
			t.Errorf("compared with what the shop no longer says: %+v, %v", days, err)
		}
		if first, err := m.FirstOrderDay(ctx, "a"); err != nil || first != day(0) {
			t.Errorf("the first day is %s, %v", first, err)
		}
	})
}

func TestCategoriesDriftUntilTheShopHasTheHousesTree(t *testing.T) {
	policies := map[string]outbox.Policy{"a": owning(intake.FieldCategories)}
	eachStreet(t, policies, []string{"a"}, func(t *testing.T, s *street) {
		c := s.counters["a"]
		c.category("7", "", "Cups")
		c.product("1", "MUG", "Mug", "7")
		s.pull("a")
		s.push("a")
		expect := func(what, fields, toMake string) {
			t.Helper()
			unmade, err := s.Unmade(ctx, "a", intake.Categories)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{fields, toMake}, []string{s.drift("a"), listed(unmade)}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		expect("as it was read", "", "")
		if _, err := s.AddCategory(ctx, "Plates", "", false); err != nil {
			t.Fatal(err)
		}
		expect("one was added", "", "extra categories  : , Plates; 0 EUR (pending)")
		s.push("a")
		expect("it was made", "", "")
		if _, err := s.DeleteCategory(ctx, "Plates", false, false); err != nil {
			t.Fatal(err)
		}
		expect("it was deleted", "missing categories 101 : , ; 0 EUR (pending)", "")
		s.push("a")
		expect("it was deleted in the shop too", "", "")
	})
}
