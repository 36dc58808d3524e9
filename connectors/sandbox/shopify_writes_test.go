package sandbox

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever apps and people do to orders, in whatever order: stock is what
// orders leave of it, what is held is what is still to leave, and no more money
// goes back than came in.
func TestWhateverIsWrittenAddsUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := New(Options{Seed: int64(rapid.IntRange(1, 5).Draw(r, "seed")), Orders: 8, Platform: Shopify})
		w := &writer{t: t, r: r, s: s}
		for range rapid.IntRange(5, 25).Draw(r, "steps") {
			w.step()
			w.addsUp()
			if t.Failed() {
				r.FailNow()
			}
		}
	})
}

// writer does something at random.
type writer struct {
	t    *testing.T
	r    *rapid.T
	s    *Shop
	sold []string
	keys int
}

// one draws one of the orders that were sold; "" where there is none.
func (w *writer) one() string {
	if len(w.sold) == 0 {
		return ""
	}
	return rapid.SampledFrom(w.sold).Draw(w.r, "order")
}

func (w *writer) step() {
	id := w.one()
	gid := plainGid("Order", number(id))
	what := rapid.SampledFrom([]string{"sell", "sell", "ship", "ship", "unship", "cancel", "refund", "refund", "complete", "split", "stock"}).Draw(w.r, "what")
	if what == "sell" || id == "" {
		for _, v := range w.s.allVariants() {
			if v.tracked && rapid.IntRange(0, 6).Draw(w.r, "this") == 0 {
				if id := w.s.Sell(text(v.id), rapid.IntRange(1, 4).Draw(w.r, "units")); id != "" {
					w.sold = append(w.sold, id)
				}
				return
			}
		}
		return
	}
	now := orderAsTold(w.t, w.s, gid)
	switch what {
	case "ship":
		e := rapid.SampledFrom(now.FulfillmentOrders.Nodes).Draw(w.r, "errand")
		l := rapid.SampledFrom(e.LineItems.Nodes).Draw(w.r, "row")
		if l.RemainingQuantity > 0 {
			told(w.t, w.s, "2026-10", ship, obj{"f": obj{"lineItemsByFulfillmentOrder": []any{obj{"fulfillmentOrderId": e.ID,
				"fulfillmentOrderLineItems": []any{obj{"id": l.ID, "quantity": rapid.IntRange(1, l.RemainingQuantity).Draw(w.r, "units")}}}}}})
		}
	case "unship":
		if len(now.Fulfillments) > 0 {
			told(w.t, w.s, "2026-10", `mutation($id: ID!) { fulfillmentCancel(id: $id) { userErrors { field message } } }`,
				obj{"id": rapid.SampledFrom(now.Fulfillments).Draw(w.r, "parcel").ID})
		}
	case "cancel":
		cancelOrder(w.t, w.s, obj{"id": gid, "restock": rapid.Bool().Draw(w.r, "restock"), "m": obj{"originalPaymentMethodsRefund": rapid.Bool().Draw(w.r, "back")}})
		orderAsTold(w.t, w.s, gid)
		orderAsTold(w.t, w.s, gid)
	case "refund":
		w.refund(gid, now)
	case "complete":
		w.s.CompleteOrder(id)
	case "split":
		w.s.SplitOrder(id)
	case "stock":
		w.s.SetStock("", rapid.IntRange(0, 30).Draw(w.r, "units"))
	}
}

func (w *writer) refund(gid string, now *toldOrder) {
	w.keys++
	in := obj{"orderId": gid}
	l := rapid.SampledFrom(now.LineItems.Nodes).Draw(w.r, "line")
	if l.RefundableQuantity > 0 && rapid.Bool().Draw(w.r, "goods") {
		in["refundLineItems"] = []any{obj{"lineItemId": l.ID, "quantity": rapid.IntRange(1, l.RefundableQuantity).Draw(w.r, "units"),
			"restockType": rapid.SampledFrom([]string{"CANCEL", "RETURN", "NO_RESTOCK"}).Draw(w.r, "restock"),
			"locationId":  plainGid("Location", int64(rapid.IntRange(501, 502).Draw(w.r, "to")))}}
	}
	for _, p := range now.Transactions {
		if p.Kind == "SALE" && p.Status == "SUCCESS" {
			in["transactions"] = []any{obj{"orderId": gid, "parentId": p.ID, "gateway": p.Gateway, "kind": "REFUND",
				"amount": fmt.Sprintf("%d.50", rapid.IntRange(0, 60).Draw(w.r, "amount"))}}
		}
	}
	told(w.t, w.s, "2026-10", refunding, obj{"in": in, "k": fmt.Sprint("k", w.keys)})
}

func (w *writer) addsUp() {
	s := w.s
	stockAdds(w.t, s)
	s.mu.Lock()
	defer s.mu.Unlock()
	left := map[*variant]int64{}
	for _, id := range w.sold {
		o := s.order(number(id))
		for _, e := range s.errands(o) {
			for _, row := range e.rows {
				n := s.view(o).unshipped(row)
				if status := e.status(s); n < 0 || n > 0 && (status == "CLOSED") {
					w.t.Errorf("order %s: %d of line %d are left, and the errand is %s", id, n, row.index, status)
				}
				if o.holding && o.state != stateRefunded && o.state != stateCancelled {
					left[row.l.of] += n
				}
			}
		}
		v := s.view(o)
		if v.refundedSum() > v.received() {
			w.t.Errorf("order %s: %d came in, %d went back", id, v.received(), v.refundedSum())
		}
	}
	for v, n := range left {
		if held := s.committed(v); held < n {
			w.t.Errorf("variant %d: %d are held, and %d are still to leave", v.id, held, n)
		}
	}
}
