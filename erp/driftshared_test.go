package erp_test

import (
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

func TestWhatOthersSoldIsNoDriftOfAShopThatDecidesItself(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": {}, "b": {}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.now = m.now.Add(time.Minute)
		m.sell("b", "1", 3)
		m.sell("a", "1", 1)
		m.pullOrders("a")
		m.pullOrders("b")
		if got := m.drift("a"); got != "" {
			t.Errorf("the number of a knows of its own orders only: %s", got)
		}
		m.shops["a"].has["1"] = 8
		if got, want := m.drift("a"), "different stock 1 stock: 8, 9; 2 EUR"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestAShopThatDecidesItselfNeedsNoLocationToBeCompared(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": {}}, func(t *testing.T, m *market) {
		closed, err := intake.Seal(intake.Ref{Kind: intake.KindLocation, ID: "500"}, m.now, &intake.Location{Name: "Archive", Active: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.receive("a", intake.Locations, []intake.Record{closed})
		m.stock("1", 10, "a")
		m.begin()
		if _, _, err := m.Drift(ctx, erp.DriftQuery{Shop: "a", Resource: intake.Products, Said: []intake.Record{m.product(m.shops["a"], "1")}}); err != nil {
			t.Errorf("none of its locations ships: %v", err)
		}
	})
}
