package erp_test

import (
	"fmt"
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
		for try := 1; try <= outbox.MaxTries; try++ {
			pushes := m.requests()
			if len(pushes) != 1 || pushes[0].Request.Refund == nil || !pushes[0].Request.Refund.Pay {
				t.Fatalf("try %d: asked for %+v", try, pushes)
			}
			receipt := m.answered(pushes, intake.Outcome{Result: intake.Refused, Why: "The gateway says no"})
			if receipt.Refused != 1 || (receipt.Parked == 1) != (try == outbox.MaxTries) {
				t.Fatalf("try %d: %+v", try, receipt)
			}
			m.now = m.now.Add(24 * time.Hour)
		}
		list, err := m.OrderRequests(ctx, "a", "refund")
		if err != nil || list[0].State != erp.RequestRefused || list[0].Why != "The gateway says no" {
			t.Errorf("listed %+v, %v", list, err)
		}
		if next := m.requests(); len(next) != 1 || next[0].Request.Status != "on-hold" {
			t.Errorf("what was asked for next is %+v", next)
		}
		m.whole()
	})
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
		for range outbox.MaxTries {
			m.answered(m.requests(), intake.Outcome{Result: intake.Refused, Why: "not from there"})
			m.now = m.now.Add(24 * time.Hour)
		}
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
