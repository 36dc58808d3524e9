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
