package erp_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
)

// placed has shop a take an order of three, paid, and the books read it.
func (m *market) placed() {
	m.t.Helper()
	m.stock("1", 10, "a")
	m.begin()
	m.now = m.now.Add(time.Minute)
	m.sell("a", "1", 3)
	m.pullOrders("a")
}

// requests returns what a is asked to do with orders.
func (m *market) requests() []erp.Push {
	m.t.Helper()
	pushes, _, err := m.Pushes(ctx, erp.PushQuery{Shop: "a", Kind: outbox.Order})
	if err != nil {
		m.t.Fatal(err)
	}
	return pushes
}

// ships is what the shop states after it has shipped as it was asked.
func (m *market) ships(push erp.Push) intake.Outcome {
	m.t.Helper()
	said := *m.shops["a"].orders[0].Body.(*intake.Order)
	said.Shipments = append(said.Shipments, intake.Shipped{ID: fmt.Sprint("f", len(said.Shipments)+1), At: m.now, Carrier: push.Request.Shipment.Carrier,
		Tracking: push.Request.Shipment.Tracking, Lines: push.Request.Shipment.Lines})
	if push.Request.Shipment.Completes {
		said.State, said.RawStatus, said.CompletedAt = intake.StateCompleted, "completed", m.now
	}
	rec, err := intake.Seal(push.Request.Order, m.now, &said, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.shops["a"].orders[0] = rec
	return intake.Outcome{Result: intake.Done, Ref: push.Request.Order, Records: []intake.Record{rec}}
}

func (m *market) answered(pushes []erp.Push, outcomes ...intake.Outcome) erp.PushReceipt {
	m.t.Helper()
	receipt, err := m.Pushed(ctx, "a", pushes, outcomes)
	if err != nil {
		m.t.Fatal(err)
	}
	return receipt
}

func (m *market) onHand() string {
	m.t.Helper()
	list, err := m.VariantStocks(ctx, "SKU-1")
	if err != nil || len(list) != 1 {
		m.t.Fatalf("%+v, %v", list, err)
	}
	return list[0].OnHand.String()
}

var oneShop = map[string]outbox.Policy{"a": ownsStock()}

func TestAnOrderIsShippedInPartsByTheShop(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		part := []sales.Ask{{Line: "SKU-1", Quantity: dec("1")}}
		planned, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{Lines: part}, true)
		if err != nil || planned.State != erp.RequestPlanned || len(m.requests()) != 0 {
			t.Fatalf("a dry run asked for %+v, %v", planned, err)
		}
		if _, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{Lines: part, Carrier: "Colissimo", Tracking: "6A1"}, false); err != nil {
			t.Fatal(err)
		}
		if _, err := m.ShipOrder(ctx, "a", "#a-1", erp.ShipAsk{}, false); fault.KindOf(err) != fault.NotFound {
			t.Errorf("there is no number #a-1: %v", err)
		}
		rest, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{Notify: true}, false)
		if err != nil || rest.Request.Shipment.Lines[0].Quantity.String() != "2" || !rest.Request.Shipment.Completes {
			t.Fatalf("the rest is %+v, %v", rest, err)
		}
		if _, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{}, false); fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("nothing is left: %v", err)
		}
		if got := m.onHand(); got != "10" {
			t.Errorf("%s are on hand before the shop has shipped any", got)
		}

		first := m.requests()
		if len(first) != 1 || first[0].Request.Shipment.Tracking != "6A1" {
			t.Fatalf("asked for %+v, the second waits for the first", first)
		}
		m.answered(first, m.ships(first[0]))
		if got := m.onHand(); got != "9" {
			t.Errorf("%s are on hand, one has left", got)
		}
		second := m.requests()
		done := m.ships(second[0])
		m.answered(second, done)
		m.answered(second, done) // told twice after a restart
		m.pullOrders("a")
		if got := m.onHand(); got != "7" || len(m.requests()) != 0 {
			t.Errorf("%s are on hand, and %d requests wait", got, len(m.requests()))
		}
		list, err := m.OrderRequests(ctx, "a", "shipment")
		if err != nil || len(list) != 2 || list[0].State != erp.RequestDone || list[1].State != erp.RequestDone {
			t.Errorf("listed %+v, %v", list, err)
		}
		m.whole()
	})
}

func TestARequestThatTheShopRefusesIsParkedWithItsWords(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		amount := dec("4")
		if _, err := m.RefundOrder(ctx, "a", "a-1", erp.RefundAsk{Amount: &amount, Reason: "torn"}, false); err != nil {
			t.Fatal(err)
		}
		if _, err := m.SetOrderStatus(ctx, "a", "a-1", "on-hold", false); err != nil {
			t.Fatal(err)
		}
		refund := m.requests()
		if len(refund) != 1 || refund[0].Request.Refund == nil || !refund[0].Request.Refund.Pay {
			t.Fatalf("asked for %+v", refund)
		}
		no := intake.Outcome{Result: intake.Refused, Why: "The gateway says no"}
		if receipt := m.answered(refund, no); receipt.Refused != 1 || receipt.Parked != 1 {
			t.Fatalf("%+v", receipt)
		}
		list, err := m.OrderRequests(ctx, "a", "refund")
		if err != nil || list[0].State != erp.RequestRefused || list[0].Why != "The gateway says no" {
			t.Errorf("listed %+v, %v", list, err)
		}
		messages, err := m.Messages(ctx, "a")
		messages = slices.DeleteFunc(messages, func(left erp.Message) bool { return !left.Parked })
		if err != nil || len(messages) != 1 || messages[0].Kind != outbox.Order || messages[0].Why != "The gateway says no" || messages[0].Tries != 1 {
			t.Errorf("left for a person: %+v, %v", messages, err)
		}
		if next := m.requests(); len(next) != 1 || next[0].Request.Status != "on-hold" {
			t.Errorf("what was asked for next is %+v", next)
		}
		m.now = m.now.Add(24 * time.Hour)
		if next := m.requests(); len(next) != 1 || next[0].Request.Status != "on-hold" {
			t.Errorf("what was refused for good is asked for again by itself: %+v", next)
		}
		m.retry(refund[0])
		m.answered(refund, no) // told twice after a restart
		if again := m.requests(); len(again) != 1 || again[0].Request.Refund == nil {
			t.Errorf("a person has looked, and asked for is %+v", again)
		}
		m.whole()
	})
}

// retry has a person say that a request is made again.
func (m *market) retry(push erp.Push) {
	m.t.Helper()
	if err := m.RetryMessage(ctx, erp.MessageKey{Shop: "a", Kind: outbox.Order, Object: push.Message.Object}); err != nil {
		m.t.Fatal(err)
	}
}

func TestWhatCannotBeAskedForIsRefused(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "off": {}, "own": {On: true, Owners: outbox.DefaultOwners(false)}}, func(t *testing.T, m *market) {
		m.placed()
		m.stock("1", 10, "own")
		m.pullGoods("own")
		m.sell("own", "1", 1)
		m.pullOrders("own")
		tooMuch := decimal.NewFromInt(11)
		for name, test := range map[string]struct {
			do   func() error
			want fault.Kind
		}{
			"an order that there is not": {func() error { _, err := m.CancelOrder(ctx, "a", "77", intake.Cancellation{}, false); return err }, fault.NotFound},
			"a reason that there is not": {func() error {
				_, err := m.CancelOrder(ctx, "a", "a-1", intake.Cancellation{Reason: "mood"}, false)
				return err
			}, fault.Invalid},
			"a location that there is not": {func() error {
				_, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{Location: "Paris"}, false)
				return err
			}, fault.NotFound},
			"more money than there is": {func() error {
				_, err := m.RefundOrder(ctx, "a", "a-1", erp.RefundAsk{Amount: &tooMuch}, false)
				return err
			}, fault.Unprocessable},
			"a status that it has":        {func() error { _, err := m.SetOrderStatus(ctx, "a", "a-1", "processing", false); return err }, fault.Unprocessable},
			"no status":                   {func() error { _, err := m.SetOrderStatus(ctx, "a", "a-1", " ", false); return err }, fault.Invalid},
			"a shop that is sent nothing": {func() error { _, err := m.CancelOrder(ctx, "off", "1", intake.Cancellation{}, false); return err }, fault.Unprocessable},
			"a shop that ships itself":    {func() error { _, err := m.ShipOrder(ctx, "own", "own-1", erp.ShipAsk{}, false); return err }, fault.Unprocessable},
			"a shop that there is not":    {func() error { _, err := m.CancelOrder(ctx, "b", "1", intake.Cancellation{}, false); return err }, fault.NotFound},
		} {
			if err := test.do(); fault.KindOf(err) != test.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(m.requests()); n != 0 {
			t.Errorf("%d requests are queued", n)
		}
	})
}

func TestAShipmentDoesNotCompleteAnOrderOfWhichAnotherOneWasRefused(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		if _, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{Lines: []sales.Ask{{Line: "SKU-1", Quantity: dec("1")}}}, false); err != nil {
			t.Fatal(err)
		}
		if rest, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{}, false); err != nil || !rest.Request.Shipment.Completes {
			t.Fatalf("the rest is %+v, %v", rest, err)
		}
		m.now = m.now.Add(time.Minute)
		m.answered(m.requests(), intake.Outcome{Result: intake.Refused, Why: "not from there"})
		second := m.requests()
		if len(second) != 1 || second[0].Request.Shipment.Completes {
			t.Fatalf("one of three was not shipped, and asked for is %+v", second)
		}
		m.answered(second, m.ships(second[0]))
		left, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{}, true)
		if err != nil || left.Request.Shipment.Lines[0].Quantity.String() != "1" || !left.Request.Shipment.Completes {
			t.Errorf("what is left is %+v, %v", left, err)
		}
		m.whole()
	})
}

// refunds is what the shop states after it has given money back as it was asked.
func (m *market) refunds(push erp.Push) intake.Outcome {
	m.t.Helper()
	said := *m.shops["a"].orders[0].Body.(*intake.Order)
	said.Refunds = append(slices.Clone(said.Refunds), intake.Refund{ID: fmt.Sprint("r", len(said.Refunds)+1), At: m.now, Amount: push.Request.Refund.Amount})
	rec, err := intake.Seal(push.Request.Order, m.now, &said, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.shops["a"].orders[0] = rec
	return intake.Outcome{Result: intake.Done, Ref: push.Request.Order, Records: []intake.Record{rec}}
}

// What a person asked for too and the shop has done is no news to a request;
// what has gone back by hand is.
func TestARequestKnowsWhatElseWasAskedFor(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		ask := func(text string) {
			t.Helper()
			amount := dec(text)
			if _, err := m.RefundOrder(ctx, "a", "a-1", erp.RefundAsk{Amount: &amount}, false); err != nil {
				t.Fatal(err)
			}
			m.now = m.now.Add(time.Minute)
		}
		next := func(refunded string) []erp.Push {
			t.Helper()
			pushes := m.requests()
			if len(pushes) != 1 || pushes[0].Request.Known == nil || pushes[0].Request.Known.Refunded.String() != refunded {
				t.Fatalf("want one request that knows of %s: %+v", refunded, pushes)
			}
			return pushes
		}
		ask("1")
		ask("2")
		first := next("0")
		m.answered(first, m.refunds(first[0]))
		m.now = m.now.Add(time.Minute)
		second := next("1")
		m.answered(second, intake.Outcome{Result: intake.Refused, Why: "no"})
		ask("3") // knows of the first, and not of what was refused
		third := next("1")
		m.answered(third, m.refunds(third[0]))
		m.now = m.now.Add(time.Minute)
		m.retry(second[0])
		again := next("4") // which was asked for before the third
		now := m.shops["a"].orders[0].Body.(*intake.Order)
		if why := again[0].Request.Overtaken(now); why != "" {
			t.Errorf("all that went back was asked for: %s", why)
		}
		byHand := *now
		byHand.Refunds = append(slices.Clone(now.Refunds), intake.Refund{ID: "by-hand", Amount: dec("0.50")})
		if again[0].Request.Overtaken(&byHand) == "" {
			t.Error("what went back by hand adds up with it")
		}
		m.whole()
	})
}

// A status that was asked for in turn is one that the order may have.
func TestAStatusFollowsWhatWasAskedForBefore(t *testing.T) {
	eachMarket(t, oneShop, func(t *testing.T, m *market) {
		m.placed()
		for _, status := range []string{"on-hold", "processing"} { // which it has now
			if _, err := m.SetOrderStatus(ctx, "a", "a-1", status, false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.SetOrderStatus(ctx, "a", "a-1", "processing", false); fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("it is to have that already: %v", err)
		}
		m.now = m.now.Add(time.Minute)
		m.answered(m.requests(), intake.Outcome{Result: intake.Done})
		second := m.requests()[0].Request
		for status, overtaken := range map[string]bool{"on-hold": false, "processing": false, "cancelled": true} {
			if got := second.Overtaken(&intake.Order{RawStatus: status}) != ""; got != overtaken {
				t.Errorf("%s: overtaken is %v", status, got)
			}
		}
		if _, err := m.ShipOrder(ctx, "a", "a-1", erp.ShipAsk{}, false); err != nil {
			t.Fatal(err)
		}
		if _, err := m.SetOrderStatus(ctx, "a", "a-1", "on-hold", false); err != nil {
			t.Fatal(err)
		}
		m.now = m.now.Add(time.Minute)
		m.answered(m.requests(), intake.Outcome{Result: intake.Done})
		shipment := m.requests()
		m.answered(shipment, m.ships(shipment[0])) // which completes it
		m.now = m.now.Add(time.Minute)
		last := m.requests()[0].Request
		for status, overtaken := range map[string]bool{"completed": false, "cancelled": true} {
			if got := last.Overtaken(&intake.Order{RawStatus: status}) != ""; got != overtaken {
				t.Errorf("after the shipment, %s: overtaken is %v", status, got)
			}
		}
		m.whole()
	})
}
