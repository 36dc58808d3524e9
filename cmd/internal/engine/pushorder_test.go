package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/shopspring/decimal"
)

// desk is a shop that is asked things about its orders.
type desk struct {
	*shelf
	answer func() (intake.Outcome, error)
	keys   []string
}

func (d *desk) PushOrder(_ context.Context, key string, _ intake.OrderRequest) (intake.Outcome, error) {
	d.keys = append(d.keys, key)
	return d.answer()
}

func TestARefundOfWhichNobodyKnowsWhetherItWasMadeIsNotMadeUnderAnotherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{shelf: newShelf(connectors.Stream{Resource: intake.Orders})}
		d.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
		d.answer = func() (intake.Outcome, error) {
			return intake.Outcome{}, refused(connectors.Transient, "the key is in use")
		}
		w := newWorld(t, d, func(w *world) { w.policy = owned() })
		w.sync()
		asked, err := w.books.RefundOrder(t.Context(), "atelier", "1", erp.RefundAsk{}, false)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // passes, as the daemon makes them
			_, _ = w.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"})
		}
		messages, err := w.books.Messages(t.Context(), "atelier")
		if err != nil || len(messages) != 1 || !messages[0].Parked || !strings.Contains(messages[0].Why, "look at the order") {
			t.Fatalf("left: %+v, %v", messages, err)
		}
		cent := decimal.New(1, -2)
		if _, err := w.books.RefundOrder(t.Context(), "atelier", "1", erp.RefundAsk{Amount: &cent}, true); err == nil {
			t.Error("more than is left is asked for while nobody knows whether all went back")
		}
		d.answer = func() (intake.Outcome, error) { return intake.Outcome{Result: intake.Done}, nil }
		if err := w.books.RetryMessage(t.Context(), erp.MessageKey{Shop: "atelier", Kind: outbox.Order, Object: asked.ID}); err != nil {
			t.Fatal(err)
		}
		if res := w.push(engine.PushRequest{}); res.Total.Done != 1 {
			t.Errorf("got %+v", res)
		}
		if keys := slices.Compact(d.keys); len(keys) != 1 {
			t.Errorf("keys: %v", keys)
		}
	})
}

// What else of an order is done meanwhile belongs to what a request knows, and
// not to what it is: a refund that may have been made is asked for with its key.
func TestARefundKeepsItsKeyWhileOthersAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{shelf: newShelf(connectors.Stream{Resource: intake.Orders})}
		d.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
		w := newWorld(t, d, func(w *world) { w.policy = owned() })
		w.sync()
		ask := func(cents int64) int64 {
			t.Helper()
			amount := decimal.New(cents, -2)
			asked, err := w.books.RefundOrder(t.Context(), "atelier", "1", erp.RefundAsk{Amount: &amount}, false)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			return asked.ID
		}
		retry := func(id int64) {
			t.Helper()
			if err := w.books.RetryMessage(t.Context(), erp.MessageKey{Shop: "atelier", Kind: outbox.Order, Object: id}); err != nil {
				t.Fatal(err)
			}
		}
		first, second := ask(1), ask(2)
		d.answer = func() (intake.Outcome, error) {
			if len(d.keys) == 1 {
				return intake.Outcome{Result: intake.Refused, Why: "not now"}, nil
			}
			return intake.Outcome{}, refused(connectors.Transient, "the key is in use")
		}
		for range 20 { // passes, until the second is parked: nobody knows
			_, _ = w.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"})
		}
		before := d.keys
		d.answer, d.keys = func() (intake.Outcome, error) { return intake.Outcome{Result: intake.Done}, nil }, nil
		retry(first)
		w.push(engine.PushRequest{})
		time.Sleep(time.Minute)
		retry(second)
		w.push(engine.PushRequest{})
		if len(d.keys) != 2 || d.keys[0] != before[0] || d.keys[1] != before[1] || d.keys[0] == d.keys[1] {
			t.Errorf("keys: %v, and before %v", d.keys, slices.Compact(before))
		}
	})
}

func TestARefundThatWasDroppedIsNotMadeWhenTheShopIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{shelf: newShelf(connectors.Stream{Resource: intake.Orders})}
		d.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
		d.answer = func() (intake.Outcome, error) {
			return intake.Outcome{}, refused(connectors.Transient, "the shop is down")
		}
		w := newWorld(t, d, func(w *world) { w.policy = owned() })
		w.sync()
		asked, err := w.books.RefundOrder(t.Context(), "atelier", "1", erp.RefundAsk{}, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"}); err == nil {
			t.Fatal("the shop is down, and was told")
		}
		if err := w.books.DropMessage(t.Context(), erp.MessageKey{Shop: "atelier", Kind: outbox.Order, Object: asked.ID}); err != nil {
			t.Fatal(err)
		}
		d.answer, d.keys = func() (intake.Outcome, error) { return intake.Outcome{Result: intake.Done}, nil }, nil
		w.push(engine.PushRequest{})
		if len(d.keys) > 0 {
			t.Error("the refund was made though it was dropped")
		}
		if left, err := w.state.Intents("atelier/order"); err != nil || len(left) > 0 {
			t.Errorf("still under way: %v, %v", left, err)
		}
	})
}

func TestARequestDoesNotWaitForALocationThatIsCalledOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{shelf: newShelf(connectors.Stream{Resource: intake.Locations}, connectors.Stream{Resource: intake.Orders})}
		d.put(intake.Locations, seal(t, intake.KindLocation, "501", &intake.Location{Name: "Paris", Active: true, Ships: true}, 1))
		d.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
		d.put(intake.Orders, order(t, "2", intake.StateOpen, 2))
		d.answer = func() (intake.Outcome, error) { return intake.Outcome{Result: intake.Done}, nil }
		w := newWorld(t, d, func(w *world) {
			w.policy = owned()
			w.policy.Locations = map[string]string{"Lutetia": "main"}
		})
		w.sync()
		if _, err := w.books.RefundOrder(t.Context(), "atelier", "1", erp.RefundAsk{}, false); err != nil {
			t.Fatal(err)
		}
		res, err := w.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"})
		if err == nil || !strings.Contains(err.Error(), "locations") {
			t.Errorf("the setting that is wrong is not named: %v", err)
		}
		if len(d.keys) != 1 || res.Total.Done != 1 {
			t.Errorf("the refund waits: %+v", res)
		}
		if _, err := w.books.RefundOrder(t.Context(), "atelier", "2", erp.RefundAsk{}, false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = w.engine.Run(ctx)
		if len(d.keys) != 2 {
			t.Error("the daemon leaves the refund waiting")
		}
	})
}
