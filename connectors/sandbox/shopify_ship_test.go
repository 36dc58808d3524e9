package sandbox

import (
	"slices"
	"testing"
	"time"
)

// openOrder places and pays an order that is to be shipped.
func openOrder(t *testing.T, s *Shop, fits func(o *order) bool) (*order, string) {
	t.Helper()
	for range 200 {
		o := s.order(number(s.PayOrder(s.PlaceOrder())))
		if o != nil && o.state == stateOpen && len(o.gifts) == 0 && fits(o) {
			return o, plainGid("Order", o.id)
		}
	}
	t.Fatal("no order is such")
	return nil, ""
}

type toldErrand struct {
	ID, Status       string
	AssignedLocation struct{ Location struct{ ID string } }
	LineItems        struct {
		Nodes []struct {
			ID                               string
			TotalQuantity, RemainingQuantity int
			LineItem                         struct{ ID string }
		}
	}
}

type toldOrder struct {
	DisplayFulfillmentStatus, DisplayFinancialStatus, UpdatedAt string
	CancelledAt, CancelReason, ClosedAt                         *string
	FulfillmentOrders                                           struct{ Nodes []toldErrand }
	Fulfillments                                                []struct {
		ID, Status, UpdatedAt string
		TrackingInfo          []struct{ Company, Number, URL string }
		FulfillmentLineItems  struct {
			Nodes []struct {
				Quantity int
				LineItem struct{ ID string }
			}
		}
		Location struct{ ID string }
	}
	LineItems struct {
		Nodes []struct {
			ID                                                string
			Quantity, UnfulfilledQuantity, RefundableQuantity int
		}
	}
	Transactions []struct {
		ID, Kind, Status, Gateway string
		AmountSet                 struct{ ShopMoney struct{ Amount string } }
	}
	Refunds []struct {
		ID, Note         string
		TotalRefundedSet struct{ ShopMoney struct{ Amount string } }
		RefundLineItems  struct {
			Nodes []struct {
				Quantity    int
				RestockType string
				Location    *struct{ ID string }
			}
		}
		OrderAdjustments struct{ Nodes []struct{ Reason string } }
	}
}

const readOrder = `query($id: ID!) { order(id: $id) { displayFulfillmentStatus displayFinancialStatus updatedAt cancelledAt cancelReason closedAt
	fulfillmentOrders(first: 5) { nodes { id status assignedLocation { location { id } } lineItems(first: 50) { nodes { id totalQuantity remainingQuantity lineItem { id } } } } }
	fulfillments { id status updatedAt trackingInfo { company number url } location { id } fulfillmentLineItems(first: 50) { nodes { quantity lineItem { id } } } }
	lineItems(first: 50) { nodes { id quantity unfulfilledQuantity refundableQuantity } }
	transactions { id kind status gateway amountSet { shopMoney { amount } } }
	refunds { id note totalRefundedSet { shopMoney { amount } } refundLineItems(first: 9) { nodes { quantity restockType location { id } } } orderAdjustments(first: 9) { nodes { reason } } } } }`

func orderAsTold(t *testing.T, s *Shop, gid string) *toldOrder {
	t.Helper()
	var got struct{ Order *toldOrder }
	a := asking(t, s, readOrder, obj{"id": gid})
	if len(a.Errors) > 0 {
		t.Fatalf("%+v", a.Errors)
	}
	decode(t, a.Data, &got)
	return got.Order
}

const ship = `mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id status } userErrors { field message } } }`

func whySo(p *toldPayload) string {
	if len(p.UserErrors) == 0 {
		return ""
	}
	return p.UserErrors[0].Message
}

func TestOrdersAreShippedInParts(t *testing.T) {
	s := newGoodsShop(t)
	o, gid := openOrder(t, s, func(o *order) bool { return len(o.lines) == 1 && o.lines[0].qty > 1 && o.lines[0].of.tracked })
	good, qty := o.lines[0].of, int(o.lines[0].qty)
	held := func() int64 { return s.quantity(level{good, &locations[atelier]}, "committed") }
	available, committed := good.stock, held()
	before := orderAsTold(t, s, gid)
	e := before.FulfillmentOrders.Nodes[0]
	if e.Status != "OPEN" || e.LineItems.Nodes[0].RemainingQuantity != qty || e.AssignedLocation.Location.ID != plainGid("Location", 501) {
		t.Fatalf("%+v", e)
	}
	parcel := func(n int) obj {
		return obj{"lineItemsByFulfillmentOrder": []any{obj{"fulfillmentOrderId": e.ID, "fulfillmentOrderLineItems": []any{obj{"id": e.LineItems.Nodes[0].ID, "quantity": n}}}},
			"trackingInfo": obj{"company": "Colissimo", "number": "AB1", "url": "https://suivi.example/AB1"}, "notifyCustomer": true}
	}
	for _, n := range []int{0, qty + 1} {
		if a := told(t, s, "2026-10", ship, obj{"f": parcel(n)}); whySo(a) != "Invalid fulfillment order line item quantity requested." {
			t.Errorf("%d of %d: %+v", n, qty, a)
		}
	}
	told(t, s, "2026-04", ship, obj{"f": parcel(1)})
	part := orderAsTold(t, s, gid)
	if f := part.Fulfillments; part.DisplayFulfillmentStatus != "PARTIALLY_FULFILLED" || len(f) != 1 || f[0].TrackingInfo[0].Number != "AB1" || f[0].TrackingInfo[0].Company != "Colissimo" ||
		f[0].FulfillmentLineItems.Nodes[0].Quantity != 1 || part.UpdatedAt <= before.UpdatedAt {
		t.Errorf("%+v", part)
	}
	if e := part.FulfillmentOrders.Nodes[0]; e.Status != "IN_PROGRESS" || e.LineItems.Nodes[0].RemainingQuantity != qty-1 || part.LineItems.Nodes[0].UnfulfilledQuantity != qty-1 {
		t.Errorf("%+v", e)
	}
	if good.stock != available || held() != committed-1 {
		t.Errorf("what was sent was held: available %d, was %d; held %d, was %d", good.stock, available, held(), committed)
	}
	const all = `mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id } userErrors { field message } } }`
	told(t, s, "2026-10", all, obj{"f": obj{"lineItemsByFulfillmentOrder": []any{obj{"fulfillmentOrderId": e.ID}}}})
	done := orderAsTold(t, s, gid)
	if done.DisplayFulfillmentStatus != "FULFILLED" || len(done.Fulfillments) != 2 || done.FulfillmentOrders.Nodes[0].Status != "CLOSED" || len(done.Fulfillments[1].TrackingInfo) != 0 {
		t.Errorf("%+v", done)
	}
	if a := told(t, s, "2026-10", ship, obj{"f": parcel(1)}); whySo(a) == "" {
		t.Error("more is shipped than was ordered")
	}
	const track = `mutation($id: ID!, $t: FulfillmentTrackingInput!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t, notifyCustomer: false) { fulfillment { id } userErrors { field message } } }`
	told(t, s, "2026-07", track, obj{"id": done.Fulfillments[1].ID, "t": obj{"company": "DHL", "numbers": []any{"X1", "X2"}}})
	const undo = `mutation($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { id status } userErrors { field message } } }`
	told(t, s, "2026-10", undo, obj{"id": done.Fulfillments[0].ID})
	back := orderAsTold(t, s, gid)
	if f := back.Fulfillments; back.DisplayFulfillmentStatus != "PARTIALLY_FULFILLED" || f[0].Status != "CANCELLED" || f[1].Status != "SUCCESS" || f[1].TrackingInfo[1].Number != "X2" || held() != committed-int64(qty)+1 {
		t.Errorf("%+v, held %d", back, held())
	}
	if a := told(t, s, "2026-10", undo, obj{"id": done.Fulfillments[0].ID}); whySo(a) == "" {
		t.Error("a parcel is cancelled twice")
	}
	if s.CompleteOrder(text(o.id)) == "" || orderAsTold(t, s, gid).DisplayFulfillmentStatus != "FULFILLED" || held() != committed-int64(qty) {
		t.Error("the rest cannot be shipped by hand")
	}
}

func TestOneParcelLeavesFromOneLocation(t *testing.T) {
	s := newGoodsShop(t)
	o, gid := openOrder(t, s, func(o *order) bool { return len(o.lines) > 1 })
	s.SplitOrder(text(o.id))
	errands := orderAsTold(t, s, gid).FulfillmentOrders.Nodes
	if len(errands) != 2 || errands[0].AssignedLocation.Location.ID == errands[1].AssignedLocation.Location.ID {
		t.Fatalf("%+v", errands)
	}
	of := func(ids ...string) obj {
		var by []any
		for _, id := range ids {
			by = append(by, obj{"fulfillmentOrderId": id})
		}
		return obj{"f": obj{"lineItemsByFulfillmentOrder": by}}
	}
	if a := told(t, s, "2026-10", ship, of(errands[0].ID, errands[1].ID)); whySo(a) == "" {
		t.Error("a parcel leaves from two locations")
	}
	told(t, s, "2026-10", ship, of(errands[1].ID))
	got := orderAsTold(t, s, gid)
	if got.Fulfillments[0].Location.ID != plainGid("Location", 502) || got.FulfillmentOrders.Nodes[0].Status != "OPEN" || got.FulfillmentOrders.Nodes[1].Status != "CLOSED" {
		t.Errorf("%+v", got)
	}
	held, gid := openOrder(t, s, func(*order) bool { return true })
	s.HoldOrder(text(held.id))
	waiting := orderAsTold(t, s, gid).FulfillmentOrders.Nodes[0]
	if a := told(t, s, "2026-10", ship, of(waiting.ID)); waiting.Status != "ON_HOLD" || whySo(a) == "" {
		t.Errorf("what is on hold is shipped: %+v %+v", waiting, a)
	}
	if a := told(t, s, "2026-10", ship, of("gid://shopify/FulfillmentOrder/6000000000")); whySo(a) != "Fulfillment order does not exist." {
		t.Errorf("%+v", a)
	}
}

const cancelling = `mutation($id: ID!, $restock: Boolean!, $m: OrderCancelRefundMethodInput, $note: String) { orderCancel(orderId: $id, reason: INVENTORY, restock: $restock, refundMethod: $m, staffNote: $note) {
	job { id done } orderCancelUserErrors { field code message } } }`

func cancelOrder(t *testing.T, s *Shop, vars obj) (jobID, code string) {
	t.Helper()
	var got struct {
		OrderCancel struct {
			Job                   *struct{ ID string }
			OrderCancelUserErrors []struct{ Code string }
		}
	}
	a := asking(t, s, cancelling, vars)
	decode(t, a.Data, &got)
	if e := got.OrderCancel.OrderCancelUserErrors; len(e) > 0 {
		return "", e[0].Code
	}
	return got.OrderCancel.Job.ID, ""
}

func TestCancellationComesLater(t *testing.T) {
	s := newGoodsShop(t)
	tracked := func(o *order) bool { return len(o.lines) == 1 && o.lines[0].of.tracked }
	for _, c := range []struct {
		name          string
		restock, back bool
		financial     string
	}{{"all goes back", true, true, "REFUNDED"}, {"the money is kept", true, false, "PAID"}, {"the goods are not restocked", false, true, "REFUNDED"}} {
		o, gid := openOrder(t, s, tracked)
		good, stock := o.lines[0].of, o.lines[0].of.stock
		if _, code := cancelOrder(t, s, obj{"id": gid, "restock": c.restock, "m": obj{"originalPaymentMethodsRefund": c.back}}); code != "" {
			t.Fatalf("%s: %s", c.name, code)
		}
		if now := orderAsTold(t, s, gid); now.CancelledAt != nil {
			t.Errorf("%s: it is cancelled at once", c.name)
		}
		now := orderAsTold(t, s, gid)
		if now.CancelledAt == nil || *now.CancelReason != "INVENTORY" || now.DisplayFinancialStatus != c.financial || now.FulfillmentOrders.Nodes[0].Status != "CANCELLED" {
			t.Errorf("%s: %+v", c.name, now)
		}
		want := stock
		if c.restock {
			want += o.lines[0].qty
		}
		if good.stock != want || (len(now.Refunds) == 1) != c.back {
			t.Errorf("%s: stock %d, want %d; refunds %+v", c.name, good.stock, want, now.Refunds)
		}
		if c.back && (now.Refunds[0].RefundLineItems.Nodes[0].RestockType == "CANCEL") != c.restock {
			t.Errorf("%s: %+v", c.name, now.Refunds)
		}
		if _, code := cancelOrder(t, s, obj{"id": gid, "restock": true}); code != "INVALID" {
			t.Errorf("%s: cancelled again: %s", c.name, code)
		}
	}
	shipped, _ := openOrder(t, s, tracked)
	s.CompleteOrder(text(shipped.id))
	for want, vars := range map[string]obj{
		"NOT_FOUND": {"id": "gid://shopify/Order/1", "restock": true},
		"INVALID":   {"id": plainGid("Order", shipped.id), "restock": true},
	} {
		if _, code := cancelOrder(t, s, vars); code != want {
			t.Errorf("%v: %s", vars, code)
		}
	}
}

func TestOrdersAreClosedAndOpened(t *testing.T) {
	s := newGoodsShop(t)
	o, gid := openOrder(t, s, func(*order) bool { return true })
	const away = `mutation($id: ID!) { orderClose(input: {id: $id}) { order { closedAt } userErrors { field message } } }`
	const out = `mutation($id: ID!) { orderOpen(input: {id: $id}) { order { closedAt } userErrors { field message } } }`
	told(t, s, "2026-10", away, obj{"id": gid})
	if now := orderAsTold(t, s, gid); now.ClosedAt == nil || o.modified != o.archived {
		t.Errorf("%+v", now)
	}
	told(t, s, "2026-10", out, obj{"id": gid})
	if now := orderAsTold(t, s, gid); now.ClosedAt != nil {
		t.Errorf("%+v", now)
	}
}

const refunding = `mutation($in: RefundInput!, $k: String!) { refundCreate(input: $in) @idempotent(key: $k) { refund { id } order { id } userErrors { field message } } }`

func TestRefundsGiveBackWhatIsNamed(t *testing.T) {
	s := newGoodsShop(t)
	o, gid := openOrder(t, s, func(o *order) bool {
		return len(o.lines) == 1 && o.lines[0].qty > 1 && o.lines[0].of.tracked && len(o.coupons) == 0 && len(o.fees) == 0
	})
	good, stock := o.lines[0].of, o.lines[0].of.stock
	before := orderAsTold(t, s, gid)
	k := slices.IndexFunc(before.Transactions, func(t struct {
		ID, Kind, Status, Gateway string
		AmountSet                 struct{ ShopMoney struct{ Amount string } }
	}) bool {
		return t.Kind == "SALE" && t.Status == "SUCCESS"
	})
	paid := before.Transactions[k]
	money := func(amount string) []any {
		return []any{obj{"orderId": gid, "parentId": paid.ID, "amount": amount, "gateway": paid.Gateway, "kind": "REFUND"}}
	}
	line := func(n int, restock string) []any {
		return []any{obj{"lineItemId": before.LineItems.Nodes[0].ID, "quantity": n, "restockType": restock, "locationId": plainGid("Location", 502)}}
	}
	for _, c := range []struct {
		name string
		in   obj
	}{
		{"more than was paid", obj{"transactions": money("99999")}},
		{"more than was bought", obj{"refundLineItems": line(99, "CANCEL")}},
		{"a return of what was not sent", obj{"refundLineItems": line(1, "RETURN")}},
		{"a restock nowhere", obj{"refundLineItems": []any{obj{"lineItemId": before.LineItems.Nodes[0].ID, "quantity": 1, "restockType": "CANCEL"}}}},
		{"nothing", obj{}},
		{"two of the same line", obj{"refundLineItems": append(line(1, "CANCEL"), line(1, "CANCEL")...)}},
		{"twice the payment", obj{"transactions": append(money(paid.AmountSet.ShopMoney.Amount), money("0.01")...)}},
	} {
		c.in["orderId"] = gid
		if a := told(t, s, "2026-10", refunding, obj{"in": c.in, "k": c.name}); whySo(a) == "" || len(o.refunds) > 0 || good.stock != stock {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	in := obj{"orderId": gid, "note": "abîmé", "refundLineItems": line(1, "CANCEL"), "transactions": money("1.00")}
	aside := good.aside
	for range 2 { // the second time is the same
		if a := told(t, s, "2026-10", refunding, obj{"in": in, "k": "r1"}); len(a.UserErrors) > 0 {
			t.Fatalf("%+v", a.UserErrors)
		}
	}
	now := orderAsTold(t, s, gid)
	if len(now.Refunds) != 1 || now.Refunds[0].Note != "abîmé" || now.Refunds[0].TotalRefundedSet.ShopMoney.Amount != "1.00" || now.DisplayFinancialStatus != "PARTIALLY_REFUNDED" || now.UpdatedAt <= before.UpdatedAt {
		t.Fatalf("%+v", now)
	}
	if l := now.Refunds[0].RefundLineItems.Nodes[0]; l.Quantity != 1 || l.RestockType != "CANCEL" || l.Location.ID != plainGid("Location", 502) || len(now.Refunds[0].OrderAdjustments.Nodes) != 1 {
		t.Errorf("%+v", now.Refunds[0])
	}
	if good.stock != stock+1 || good.aside != aside+1 {
		t.Errorf("stock %d, was %d; aside %d, was %d", good.stock, stock, good.aside, aside)
	}
	if a := told(t, s, "2026-10", refunding, obj{"in": obj{"orderId": gid, "transactions": money("2.00")}, "k": "r1"}); len(a.UserErrors) == 0 {
		t.Error("a key stands for two refunds")
	}
	if a := asking(t, s, `mutation($in: RefundInput!) { refundCreate(input: $in) { refund { id } } }`, obj{"in": in}); !slices.Equal(a.codes(), []string{"BAD_REQUEST"}) {
		t.Errorf("without a key: %+v", a.Errors)
	}
	told(t, s, "2026-10", refunding, obj{"in": obj{"orderId": gid, "refundLineItems": line(1, "NO_RESTOCK")}, "k": "r2"})
	if now := orderAsTold(t, s, gid); len(now.Refunds) != 2 || now.Refunds[1].RefundLineItems.Nodes[0].RestockType != "NO_RESTOCK" || now.Refunds[1].TotalRefundedSet.ShopMoney.Amount != "0.00" || good.stock != stock+1 {
		t.Errorf("%+v, stock %d", now.Refunds, good.stock)
	}
}

func TestWhatIsAskedOfOrdersIsDated(t *testing.T) {
	s := newGoodsShop(t)
	s.HoldClock()
	o, gid := openOrder(t, s, func(*order) bool { return true })
	s.Advance(time.Minute)
	e := orderAsTold(t, s, gid).FulfillmentOrders.Nodes[0].ID
	told(t, s, "2026-10", ship, obj{"f": obj{"lineItemsByFulfillmentOrder": []any{obj{"fulfillmentOrderId": e}}}})
	if o.modified != s.now() {
		t.Error("a shipment does not date its order")
	}
}
