package engine_test

import (
	"testing"
	"testing/synctest"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// TestWhatAShopIsNoLongerToBeToldIsNotRepeated has a shop that cannot be reached
// when it is told of its stock. Until it is back somebody has dropped the
// message, or left the stock to the shop.
func TestWhatAShopIsNoLongerToBeToldIsNotRepeated(t *testing.T) {
	for name, meanwhile := range map[string]func(t *testing.T, tl *toldShop, message erp.MessageKey){
		"dropped": func(t *testing.T, tl *toldShop, message erp.MessageKey) {
			if err := tl.books.DropMessage(t.Context(), message); err != nil {
				t.Fatal(err)
			}
		},
		"left to the shop": func(_ *testing.T, tl *toldShop, _ erp.MessageKey) {
			tl.policy.Owners[intake.FieldQuantity] = outbox.Shop
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
				synctest.Test(t, func(t *testing.T) {
					tl := newTelling(t, o, on)
					written, had := len(tl.box.StockWrites()), tl.box.inShop(t, tl.id)
					tl.adjust(tl.sku, 5, "found")
					tl.till.before = func(string, []intake.StockLevel) error { return refused(connectors.Transient, "the shop is down") }
					if _, err := tl.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"}); err == nil {
						t.Fatal("the shop is down, and was told")
					}
					list, err := tl.books.Messages(t.Context(), "atelier")
					if err != nil || len(list) != 1 {
						t.Fatalf("messages: %+v, %v", list, err)
					}
					meanwhile(t, tl, erp.MessageKey{Shop: "atelier", Kind: list[0].Kind, Object: list[0].Object})
					tl.till.before, tl.till.keys = nil, nil
					tl.stop()
					tl.start()
					tl.push(engine.PushRequest{})
					if len(tl.till.keys) > 0 || tl.effects(written) > 0 {
						t.Error("the shop was told all the same")
					}
					if got := tl.box.inShop(t, tl.id); got != had {
						t.Errorf("the shop has %s, and had %s", got, had)
					}
					if left, err := tl.state.Intents("atelier/stock"); err != nil || len(left) > 0 {
						t.Errorf("still under way: %v, %v", left, err)
					}
				})
			})
		})
	}
}
