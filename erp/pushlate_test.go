package erp_test

import (
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// TestAnAnswerThatIsTakenTwiceSettlesNothingNew has the process end when the
// books have taken an answer and the sync state has not: the request is made
// again, and answered again, when something else has to be told.
func TestAnAnswerThatIsTakenTwiceSettlesNothingNew(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		sell := func(n int64) []erp.Push {
			m.now = m.now.Add(time.Minute)
			m.sell("a", "1", n)
			m.pullOrders("a")
			pushes, _, err := m.Pushes(ctx, erp.PushQuery{Shop: "b", Kind: outbox.Stock})
			if err != nil || len(pushes) != 1 {
				t.Fatalf("b is told %+v, %v", pushes, err)
			}
			return pushes
		}
		pushes := sell(3)
		m.shops["b"].has["1"] = 7
		answer := []intake.Outcome{{Result: intake.Done, Ref: pushes[0].Level.Ref}}
		if _, err := m.Pushed(ctx, "b", pushes, answer); err != nil {
			t.Fatal(err)
		}
		sell(1)
		if _, err := m.Pushed(ctx, "b", pushes, answer); err != nil {
			t.Fatal(err)
		}
		m.whole()
		m.rest()
		if got := m.shelf("1"); got != "a=6 b=6" {
			t.Errorf("the shops have %s, ten less four are there", got)
		}
	})
}

// TestAnAnswerAboutWhatIsAnotherThingByThenIsNotTaken has a person say that what
// a shop sells is another thing, and take that back, while the shop is told of
// its stock.
func TestAnAnswerAboutWhatIsAnotherThingByThenIsNotTaken(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		m.now = m.now.Add(time.Minute)
		m.sell("a", "1", 3)
		m.pullOrders("a")
		pushes, _ := m.told("b")
		var shared int64
		for _, p := range pushes {
			shared = p.Message.Object
		}
		rebind := func(variant int64) {
			t.Helper()
			if _, err := m.Rebind(ctx, []erp.Rebinding{{Shop: "b", External: "1", Variant: variant}}, false); err != nil {
				t.Fatal(err)
			}
		}
		rebind(0)
		m.shops["b"].has["1"] = 7
		if _, err := m.Pushed(ctx, "b", pushes, []intake.Outcome{{Result: intake.Done, Ref: pushes[0].Level.Ref}}); err != nil {
			t.Fatal(err)
		}
		m.whole()
		rebind(shared)
		m.whole()
		for _, shop := range m.names {
			m.now = m.now.Add(time.Minute)
			m.pullGoods(shop)
			m.push(shop)
		}
		if got := m.shelf("1"); got != "a=7 b=7" {
			t.Errorf("the shops have %s, ten less three are there", got)
		}
	})
}
