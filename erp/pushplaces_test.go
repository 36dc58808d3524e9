package erp_test

import (
	"fmt"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/shopspring/decimal"
)

// places has shop a keep so many of thing 1 in Paris and in Lyon.
func (m *market) places(paris, lyon int64) intake.Record {
	m.t.Helper()
	level := func(location string, n int64) intake.Level {
		q := decimal.NewFromInt(n)
		return intake.Level{Location: location, Available: q, OnHand: q}
	}
	q, cost := decimal.NewFromInt(paris+lyon), dec("2")
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindVariant, ID: "1", Parent: "9"}, m.now, &intake.Variant{ID: "1", ProductID: "9", SKU: "SKU-1", Kind: intake.ProductStocked,
		Sellable: true, Tracked: true, Stock: &q, Cost: &cost, InventoryID: "inv-1", Levels: []intake.Level{level("501", paris), level("502", lyon)}}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return rec
}

// beginPlaces has a state where it keeps stock, and b one number of it.
func (m *market) beginPlaces(paris, lyon int64) {
	m.t.Helper()
	var locations []intake.Record
	for _, l := range []struct {
		id, name string
		ships    bool
	}{{"500", "Archive", false}, {"501", "Paris", true}, {"502", "Lyon", true}} {
		rec, err := intake.Seal(intake.Ref{Kind: intake.KindLocation, ID: l.id}, m.now, &intake.Location{Name: l.name, Active: true, Ships: l.ships}, nil)
		if err != nil {
			m.t.Fatal(err)
		}
		locations = append(locations, rec)
	}
	m.receive("a", intake.Locations, locations)
	m.receive("a", intake.Variants, []intake.Record{m.places(paris, lyon)})
	m.stock("1", paris+lyon, "b")
	m.begin()
}

// told returns what a shop is to be told, as "location: from→to".
func (m *market) told(shop string) ([]erp.Push, string) {
	m.t.Helper()
	pushes, _, err := m.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: outbox.Stock})
	if err != nil {
		m.t.Fatal(err)
	}
	text := ""
	for _, p := range pushes {
		text += fmt.Sprintf("%s: %v→%s %s ", p.Level.Location, p.Level.From, p.Level.To, p.Level.InventoryID)
	}
	return pushes, text
}

func TestStockIsOfferedAtTheFirstLocationThatShips(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.beginPlaces(6, 4)
		if _, text := m.told("a"); text != "" {
			t.Errorf("a has what it is to have, and is told %s", text)
		}
		m.sell("b", "1", 1)
		m.pullOrders("b")
		m.whole()
		pushes, text := m.told("a")
		if text != "501: 6→5 inv-1 " {
			t.Fatalf("a is told %q: nine are there, of which it offers four in Lyon", text)
		}
		if _, err := m.Pushed(ctx, "a", pushes, []intake.Outcome{{Result: intake.Done}}); err != nil {
			t.Fatal(err)
		}
		echo := m.places(5, 4)
		receipt, err := m.Receive(ctx, erp.Stream{Shop: "a", Resource: intake.Variants}, []intake.Record{echo}, nil)
		if err != nil || receipt.Applied != 0 {
			t.Errorf("what a was told came back and was applied: %+v, %v", receipt, err)
		}
		m.receive("a", intake.Variants, []intake.Record{m.places(5, 1)}) // somebody took three away in Lyon
		m.whole()
		if _, text := m.told("a"); text != "501: 5→8 inv-1 " {
			t.Errorf("a is told %q: nine are there, of which it offers one in Lyon", text)
		}
	})
}

func TestStockIsOfferedWhereItIsSaidToBe(t *testing.T) {
	lyon := map[string]outbox.Policy{"a": ownsStock(func(p *outbox.Policy) { p.Locations = map[string]string{"Lyon": "main"} }), "b": ownsStock()}
	eachMarket(t, lyon, func(t *testing.T, m *market) {
		m.beginPlaces(6, 4)
		m.sell("b", "1", 1)
		m.pullOrders("b")
		if _, text := m.told("a"); text != "502: 4→3 inv-1 " {
			t.Errorf("a is told %q", text)
		}
		m.whole()
	})
}

func TestALocationThatCannotStandForAWarehouseIsRefused(t *testing.T) {
	for name, locations := range map[string]map[string]string{
		"two for one warehouse":         {"501": "main", "Lyon": "main"},
		"a warehouse that there is not": {"501": "attic"},
		"a location that there is not":  {"Nice": "main"},
	} {
		t.Run(name, func(t *testing.T) {
			m := openMarket(t, "", map[string]outbox.Policy{"a": ownsStock(), "b": ownsStock()})
			m.beginPlaces(6, 4)
			m.sell("b", "1", 1)
			m.pullOrders("b")
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			rules := map[string]outbox.Policy{"a": ownsStock(func(p *outbox.Policy) { p.Locations = locations }), "b": ownsStock()}
			m.connect(rules)
			if _, err := m.CompareChanged(ctx, "a"); fault.KindOf(err) != fault.Invalid {
				t.Errorf("compared: %v", err)
			}
			if _, _, err := m.Pushes(ctx, erp.PushQuery{Shop: "a", Kind: outbox.Stock}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("pushed: %v", err)
			}
			m.whole()
		})
	}
}

func TestAShopThatDoesNotCountIsToldWhetherThereIsAny(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		uncounted := func(backorders string) intake.Record {
			rec, err := intake.Seal(intake.Ref{Kind: intake.KindVariant, ID: "1", Parent: "9"}, m.now, &intake.Variant{ID: "1", ProductID: "9", SKU: "SKU-1", Kind: intake.ProductStocked, Sellable: true, Backorders: backorders}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return rec
		}
		status := func() string {
			t.Helper()
			pushes, _ := m.told("b")
			text := ""
			for _, p := range pushes {
				text += p.Level.Status
				if p.Level.Counted || p.Level.From != nil {
					t.Errorf("b does not count, and is told %+v", p.Level)
				}
			}
			if len(pushes) > 0 {
				if _, err := m.Pushed(ctx, "b", pushes, []intake.Outcome{{Result: intake.Done}}); err != nil {
					t.Fatal(err)
				}
			}
			return text
		}
		m.stock("1", 3, "a")
		m.receive("b", intake.Variants, []intake.Record{uncounted("no")})
		m.begin()
		if got := status(); got != intake.InStock {
			t.Errorf("b is told %q first", got)
		}
		m.sell("a", "1", 1)
		m.pullOrders("a")
		if got := status(); got != "" {
			t.Errorf("b is told %q, though there are some left", got)
		}
		m.sell("a", "1", 2)
		m.pullOrders("a")
		m.whole()
		if got := status(); got != intake.OutOfStock {
			t.Errorf("b is told %q, nothing is left", got)
		}
	})
}

func TestStockThatAShopRefusesIsToldAgainLaterAndThenParked(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		m.sell("a", "1", 1)
		m.pullOrders("a")
		for try := range outbox.MaxTries {
			pushes, text := m.told("b")
			if len(pushes) != 1 {
				t.Fatalf("try %d: told %q", try, text)
			}
			receipt, err := m.Pushed(ctx, "b", pushes, []intake.Outcome{{Result: intake.Refused, Why: "no such item"}})
			if err != nil || receipt.Refused != 1 {
				t.Fatalf("%+v, %v", receipt, err)
			}
			if _, err := m.Pushed(ctx, "b", pushes, []intake.Outcome{{Result: intake.Refused, Why: "no such item"}}); err != nil { // told twice after a restart
				t.Fatal(err)
			}
			if _, text := m.told("b"); text != "" {
				t.Errorf("try %d: told %q again at once", try, text)
			}
			m.now = m.now.Add(2 * time.Hour)
		}
		if standing, err := m.Outbox(ctx, "b"); err != nil || standing.Parked != 1 || standing.Waiting != 0 {
			t.Errorf("%+v, %v", standing, err)
		}
		m.whole()
		m.sell("a", "1", 1) // something new to tell
		m.pullOrders("a")
		if _, text := m.told("b"); text != ": 10→8  " {
			t.Errorf("b is told %q", text)
		}
	})
}

// TestWhatCameBackIsToldAnew has a shop take something away, and put it back as
// it was, while more of it was sold elsewhere.
func TestWhatCameBackIsToldAnew(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.beginPlaces(6, 4)
		m.stock("2", 5, "a", "b")
		m.pull()
		m.rest()
		m.receive("a", intake.Products, []intake.Record{intake.Missing(intake.Ref{Kind: intake.KindProduct, ID: "2"})})
		m.receive("a", intake.Variants, []intake.Record{intake.Missing(intake.Ref{Kind: intake.KindVariant, ID: "1", Parent: "9"})})
		m.sell("b", "1", 2)
		m.sell("b", "2", 1)
		m.pullOrders("b")
		m.whole()
		if _, text := m.told("a"); text != "" {
			t.Errorf("a has none of it, and is told %s", text)
		}
		m.now = m.now.Add(time.Minute)
		m.receive("a", intake.Variants, []intake.Record{m.places(6, 4)})
		m.shops["a"].has["2"] = 5
		m.pullGoods("a")
		m.whole()
		if _, text := m.told("a"); text != "501: 6→4 inv-1 501: <nil>→4  " {
			t.Errorf("a is told %q", text)
		}
	})
}
