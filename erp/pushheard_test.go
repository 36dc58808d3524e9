package erp_test

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// A connector that says "stale" without the number that the shop has, against
// its contract, is not asked the same without end.
func TestAStaleAnswerThatSaysNoNumberEnds(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		if _, err := m.SetOrderStatus(ctx, "a", "a-1", "on-hold", false); err != nil {
			t.Fatal(err)
		}
		if _, err := m.AdjustStock(ctx, "SKU-1", dec("-2"), "broken"); err != nil {
			t.Fatal(err)
		}
		for kind, most := range map[outbox.Kind]int{outbox.Order: 1, outbox.Stock: outbox.MaxTries} {
			tries := 0
			for ; tries <= most; tries++ {
				pushes, _, err := m.Pushes(ctx, erp.PushQuery{Shop: "a", Kind: kind})
				if err != nil {
					t.Fatal(err)
				}
				if len(pushes) == 0 {
					break
				}
				if receipt := m.answered(pushes, intake.Outcome{Result: intake.Stale}); receipt.Stale != 0 || receipt.Refused != 1 {
					t.Fatalf("%s, try %d: %+v", kind, tries+1, receipt)
				}
				m.now = m.now.Add(24 * time.Hour)
			}
			if tries != most {
				t.Errorf("%s: told %d times, want %d", kind, tries, most)
			}
		}
		messages, err := m.Messages(ctx, "a")
		if err != nil || len(messages) != 2 {
			t.Fatalf("%+v, %v", messages, err)
		}
		for _, left := range messages {
			if !left.Parked || !strings.Contains(left.Why, "defect of the connector") {
				t.Errorf("left for a person: %+v", left)
			}
		}
		m.whole()
	})
}
