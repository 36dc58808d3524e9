package sandbox

import (
	"testing"

	"github.com/shopspring/decimal"
)

func extraShop(seed int64, orders int) *Shop {
	return New(generous(Options{Seed: seed, Orders: orders, Extras: true}))
}

// factsOf reads one order.
func factsOf(t testing.TB, s *Shop, id string) factOrder {
	t.Helper()
	all, _ := factsWhere(t, s, "id:"+id)
	if len(all) != 1 {
		t.Fatalf("%d orders have the id %q", len(all), id)
	}
	return all[0]
}

func TestAShopWithExtrasHasThemAll(t *testing.T) {
	s := extraShop(1, 1600)
	all, _ := facts(t, s)
	met := map[string]int{}
	count := func(what string, yes bool) {
		if yes {
			met[what]++
		} else {
			met[what] += 0
		}
	}
	for i := range all {
		f := &all[i]
		count("test order", f.Test)
		count("prices with tax", f.TaxesIncluded)
		count("long order", len(f.LineItems.Nodes) > 50)
		count("tip", f.TotalTipReceivedSet.amount().IsPositive())
		count("rounded cash", !f.TotalCashRounding.PaymentSet.amount().IsZero())
		count("edited", f.Edited)
		count("cancelled with its money given back", f.CancelledAt != nil && f.DisplayFinancialStatus == "REFUNDED")
		from := map[string]bool{}
		for _, p := range f.Fulfillments {
			from[p.Location.ID] = true
		}
		count("two locations", len(from) == 2)
		for _, l := range f.LineItems.Nodes {
			count("duty", len(l.Duties) > 0)
			for _, tax := range l.TaxLines {
				count("tax of a marketplace", tax.ChannelLiable)
			}
		}
		for _, m := range f.Transactions {
			count(m.Kind, m.Status == "SUCCESS")
			count("on its way", m.Kind == "REFUND" && m.Status == "PENDING")
		}
		for j := range f.Refunds {
			r := &f.Refunds[j]
			for _, l := range r.RefundLineItems.Nodes {
				count(l.RestockType, true)
			}
			count("goods without money", r.worth().IsZero() && len(r.RefundLineItems.Nodes) > 0)
			count("worth more than its money", r.worth().GreaterThan(r.TotalRefundedSet.amount()) && len(r.Transactions.Nodes) <= 1)
		}
		for _, a := range f.Agreements.Nodes {
			count(a.Type, true)
		}
	}
	for _, what := range []string{"CAPTURE", "AUTHORIZATION", "VOID", "SALE", "REFUND", "CANCEL", "RETURN", "NO_RESTOCK", "ReturnAgreement", "OrderEditAgreement"} {
		met[what] += 0
	}
	for what, n := range met {
		if n == 0 && what != "on its way" { // the last may all have arrived
			t.Errorf("no %s", what)
		}
	}
}

func TestAnOrderIsShippedInParts(t *testing.T) {
	s := extraShop(2, 60)
	id := ""
	for id == "" { // the first that holds several units
		id = s.ShipPart(s.PayOrder(s.PlaceOrder()))
	}
	f := factsOf(t, s, id)
	if f.DisplayFulfillmentStatus != "PARTIALLY_FULFILLED" || len(f.Fulfillments) != 1 {
		t.Fatalf("%s with %d parcels", f.DisplayFulfillmentStatus, len(f.Fulfillments))
	}
	if s.ShipPart(id) != "" || s.CancelOrder(id) != "" || s.RefundOrder(id, true) != "" {
		t.Error("half of it is on its way, and it can be changed")
	}
	s.CompleteOrder(id)
	f = factsOf(t, s, id)
	f.addsUp(t)
	if f.DisplayFulfillmentStatus != "FULFILLED" || len(f.Fulfillments) != 2 || f.Fulfillments[0].Location == f.Fulfillments[1].Location {
		t.Errorf("%s with %+v", f.DisplayFulfillmentStatus, f.Fulfillments)
	}
	for _, l := range f.LineItems.Nodes {
		if l.UnfulfilledQuantity != 0 {
			t.Errorf("%d of %s are still to be shipped", l.UnfulfilledQuantity, l.Name)
		}
	}
}

func TestAnExchangePaysOnlyTheDifference(t *testing.T) {
	s := extraShop(2, 60)
	before := map[string]int{}
	all, _ := facts(t, s)
	for i := range all {
		before[all[i].ID] = len(all[i].LineItems.Nodes)
	}
	refund := s.Exchange("")
	if refund == "" {
		t.Fatal("nothing was exchanged")
	}
	s.mu.Lock()
	id := text(s.refund(number(refund)).of.id)
	s.mu.Unlock()
	f := factsOf(t, s, id)
	f.addsUp(t)
	r := &f.Refunds[len(f.Refunds)-1]
	if !f.Edited || len(f.LineItems.Nodes) != before[f.ID]+1 || r.RefundLineItems.Nodes[0].RestockType != "RETURN" {
		t.Errorf("%d lines, before %d; %+v", len(f.LineItems.Nodes), before[f.ID], r)
	}
	f.isPaid(t)
}

// isPaid checks that the money which came in and did not go back is what the
// order is still worth.
func (f *factOrder) isPaid(t *testing.T) {
	t.Helper()
	if got, left := f.received(), f.CurrentTotalPriceSet.amount(); !got.Equal(left) {
		t.Errorf("%s: paid %s for what is worth %s", f.ID, got, left)
	}
}

// received is the money that came in and did not go back.
func (f *factOrder) received() decimal.Decimal {
	var sum decimal.Decimal
	for _, m := range f.Transactions {
		switch {
		case m.Status != "SUCCESS":
		case m.Kind == "REFUND":
			sum = sum.Sub(m.AmountSet.amount())
		case m.Kind == "SALE", m.Kind == "CAPTURE":
			sum = sum.Add(m.AmountSet.amount())
		}
	}
	return sum
}

func TestAnEditOfAPaidOrderIsPaidOrPaidBack(t *testing.T) {
	s := extraShop(2, 60)
	more, less := 0, 0
	for range 60 {
		id := s.PayOrder(s.PlaceOrder())
		was := factsOf(t, s, id)
		s.EditOrder(id)
		f := factsOf(t, s, id)
		f.addsUp(t)
		f.isPaid(t)
		switch total := f.TotalPriceSet.amount(); {
		case total.GreaterThan(was.TotalPriceSet.amount()):
			more++
		case total.LessThan(was.TotalPriceSet.amount()):
			less++
			if r := f.Refunds[0]; !r.worth().IsZero() || !r.TotalRefundedSet.amount().IsPositive() {
				t.Errorf("%s: %+v", f.ID, r)
			}
		}
	}
	if more == 0 || less == 0 {
		t.Errorf("%d orders grew and %d shrank", more, less)
	}
}

func TestTheMoneyOfARefundMayComeLater(t *testing.T) {
	s := extraShop(2, 60)
	refund := s.DelayRefund("")
	s.mu.Lock()
	id := text(s.refund(number(refund)).of.id)
	s.mu.Unlock()
	states := func() (string, decimal.Decimal) {
		f := factsOf(t, s, id)
		f.addsUp(t)
		r := f.Refunds[len(f.Refunds)-1]
		return r.Transactions.Nodes[0].Status, r.TotalRefundedSet.amount()
	}
	if status, paid := states(); status != "PENDING" || !paid.IsZero() {
		t.Errorf("%s, %s paid", status, paid)
	}
	s.SettleRefund(id)
	if status, paid := states(); status != "SUCCESS" || !paid.IsPositive() {
		t.Errorf("then %s, %s paid", status, paid)
	}
}

func TestOnlyAShopWithExtrasHasThem(t *testing.T) {
	for _, o := range []Options{{Seed: 2, Orders: 60}, {Seed: 2, Orders: 60, Platform: Shopify}} {
		s := New(o)
		if a, b, c := s.ShipPart(""), s.Exchange(""), s.DelayRefund(""); a+b+c != "" {
			t.Errorf("%q: %q %q %q", o.Platform, a, b, c)
		}
	}
}
