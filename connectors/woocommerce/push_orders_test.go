package woocommerce_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// order reads an order.
func (s *counter) order(id string) *intake.Order {
	s.t.Helper()
	recs, err := s.c.Fetch(s.t.Context(), []intake.Ref{{Kind: intake.KindOrder, ID: id}})
	if err != nil {
		s.t.Fatal(err)
	}
	return recs[0].Body.(*intake.Order)
}

// open is an order for three of one thing that waits to be shipped.
func (s *counter) open() (id string, line intake.Line) {
	s.t.Helper()
	own, _ := s.goods()
	v := counted(own)[0]
	s.shop.SetStock(v.ID, 50)
	id = s.shop.Sell(v.ID, 3)
	if o := s.order(id); o.State != intake.StateOpen {
		s.shop.PayOrder(id)
	}
	for _, l := range s.order(id).Lines {
		if l.Kind == intake.LineItem {
			return id, l
		}
	}
	s.t.Fatal("an order without goods")
	return "", intake.Line{}
}

// ask asks for something twice, where the answer to a write under a path is
// lost the first time: "" loses none.
func (s *counter) ask(key, path string, r intake.OrderRequest) intake.Outcome {
	s.t.Helper()
	if path != "" {
		s.shop.Misbehave(lost(path))
		if _, err := s.c.PushOrder(s.t.Context(), key, r); err == nil || connectors.ClassOf(err) != connectors.Transient {
			s.t.Fatalf("the answer was lost: %v", err)
		}
		s.shop.Behave()
	}
	var out intake.Outcome
	for range 2 {
		var err error
		if out, err = s.c.PushOrder(s.t.Context(), key, r); err != nil {
			s.t.Fatal(err)
		}
		if out.Result == intake.Done {
			s.checkRecords(out)
		}
	}
	return out
}

func shipment(line string, n int64, tracking string) *intake.NewShipment {
	return &intake.NewShipment{Carrier: "Colissimo", Tracking: tracking, TrackingURL: "https://suivi.example/?a=1&region=eu&n=" + tracking, Notify: true,
		At: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), Lines: []intake.ShippedLine{{LineID: line, Quantity: decimal.NewFromInt(n)}}}
}

func (s *counter) calls(of string) int {
	n := 0
	for call, count := range s.shop.Calls() {
		if strings.Contains(call, of) {
			n += count
		}
	}
	return n
}

// An order is shipped in two parts: WooCommerce keeps neither, so its metadata
// does. The last completes it. The customer is told once of each, whichever
// answer is lost, and no totals are worked out anew.
func TestAnOrderIsShippedInParts(t *testing.T) {
	for _, path := range []string{"", "/orders", "/notes"} {
		t.Run(url.PathEscape(path), func(t *testing.T) {
			s := newCounter(t)
			id, line := s.open()
			ref := intake.Ref{Kind: intake.KindOrder, ID: id}
			if o := s.ask("first", path, intake.OrderRequest{Order: ref, Shipment: shipment(line.ID, 1, "6A1")}); o.Result != intake.Done {
				t.Fatalf("%s %s", o.Result, o.Why)
			}
			o := s.order(id)
			if o.State != intake.StateOpen || len(o.Shipments) != 1 || o.Shipments[0].ID != "first" || o.Shipments[0].Tracking != "6A1" ||
				o.Shipments[0].Carrier != "Colissimo" || !o.Shipments[0].At.Equal(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)) ||
				o.Shipments[0].Lines[0].LineID != line.ID || o.Shipments[0].Lines[0].Quantity.String() != "1" {
				t.Errorf("%s %+v", o.RawStatus, o.Shipments)
			}
			last := shipment(line.ID, 2, "6A2")
			last.Completes = true
			if o := s.ask("second", path, intake.OrderRequest{Order: ref, Shipment: last}); o.Result != intake.Done {
				t.Fatalf("%s %s", o.Result, o.Why)
			}
			if o = s.order(id); o.State != intake.StateCompleted || len(o.Shipments) != 2 || o.Shipments[1].ID != "second" {
				t.Errorf("%s %+v", o.RawStatus, o.Shipments)
			}
			if notes, changes := s.calls("/notes"), s.calls("PUT"); notes != 2 || changes != 2 || s.calls("recalculation") != 0 {
				t.Errorf("%d notes, %d changes: %v", notes, changes, s.shop.Calls())
			}
		})
	}
}

// The same shipment under another key is the same shipment.
func TestAShipmentThatWasTakenForRefusedIsNotNotedTwice(t *testing.T) {
	s := newCounter(t)
	id, line := s.open()
	r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Shipment: shipment(line.ID, 1, "6A1")}
	s.ask("first", "", r)
	s.ask("first, tried anew", "", r)
	if o := s.order(id); len(o.Shipments) != 1 {
		t.Errorf("%+v", o.Shipments)
	}
	r.Shipment.At = r.Shipment.At.Add(time.Hour)
	s.ask("second", "", r)
	if o := s.order(id); len(o.Shipments) != 2 {
		t.Errorf("%+v", o.Shipments)
	}
}

// What a person completes in the shop after a part was shipped has left as a
// whole.
func TestTheRestOfACompletedOrderHasLeft(t *testing.T) {
	s := newCounter(t)
	id, line := s.open()
	s.ask("first", "", intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Shipment: shipment(line.ID, 1, "6A1")})
	s.shop.CompleteOrder(id)
	o := s.order(id)
	if len(o.Shipments) != 2 || o.Shipments[1].Lines[0].Quantity.String() != "2" || !o.Shipments[1].At.Equal(o.CompletedAt) {
		t.Errorf("%+v", o.Shipments)
	}
}

// What cannot be done is said, and nothing is written.
func TestOrderRequestsThatAreRefused(t *testing.T) {
	s := newCounter(t)
	id, line := s.open()
	ref := intake.Ref{Kind: intake.KindOrder, ID: id}
	cancelled, _ := s.open()
	s.shop.CancelOrder(cancelled)
	binned, _ := s.open()
	s.shop.TrashOrder(binned)
	for name, r := range map[string]intake.OrderRequest{
		"no such line":     {Order: ref, Shipment: shipment("1", 1, "")},
		"cancelled":        {Order: intake.Ref{Kind: intake.KindOrder, ID: cancelled}, Shipment: shipment(line.ID, 1, "")},
		"in the trash":     {Order: intake.Ref{Kind: intake.KindOrder, ID: binned}, Status: "completed"},
		"gone":             {Order: intake.Ref{Kind: intake.KindOrder, ID: "999999"}, Status: "completed"},
		"unknown status":   {Order: ref, Status: "on-the-moon"},
		"too much":         {Order: ref, Refund: &intake.NewRefund{Amount: decimal.NewFromInt(100000)}},
		"without restock":  {Order: ref, Cancel: &intake.Cancellation{Reason: "customer"}},
		"less than naught": {Order: ref, Refund: &intake.NewRefund{Amount: decimal.NewFromInt(-1)}},
	} {
		before := s.shop.Requests()
		out, err := s.c.PushOrder(t.Context(), "k-"+name, r)
		if err != nil || out.Result != intake.Refused || out.Why == "" || strings.Contains(out.Why, "&#") {
			t.Errorf("%s: %s %q %v", name, out.Result, out.Why, err)
		}
		if n := s.shop.Requests() - before; n > 2 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
	if o := s.order(id); len(o.Shipments)+len(o.Refunds) != 0 || o.State != intake.StateOpen {
		t.Errorf("%+v", o)
	}
}

// A line is refunded once, with its tax, and its goods come back only where
// that is asked for.
func TestALineIsRefundedOnce(t *testing.T) {
	for _, restock := range []bool{true, false} {
		s := newCounter(t)
		id, line := s.open()
		ref := intake.Ref{Kind: intake.KindVariant, ID: line.VariantID, Parent: line.ProductID}
		before := s.has(ref)
		third := decimal.NewFromInt(3)
		part := intake.NewRefundLine{LineID: line.ID, Quantity: decimal.NewFromInt(1), Total: line.Total.DivRound(third, 2)}
		amount := part.Total
		for _, tax := range line.Taxes {
			tax.Amount = tax.Amount.DivRound(third, 2)
			part.Taxes = append(part.Taxes, tax)
			amount = amount.Add(tax.Amount)
		}
		r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Refund: &intake.NewRefund{Amount: amount, Reason: "Cassé", Restock: restock, Lines: []intake.NewRefundLine{part}}}
		if o := s.ask("refund", "/refunds", r); o.Result != intake.Done {
			t.Fatalf("%s %s", o.Result, o.Why)
		}
		o := s.order(id)
		if len(o.Refunds) != 1 || !o.Refunds[0].Amount.Equal(amount) || o.Refunds[0].Reason != "Cassé" || len(o.Refunds[0].Lines) != 1 ||
			!o.Refunds[0].Lines[0].Total.Equal(part.Total) || o.Refunds[0].Lines[0].Quantity.String() != "1" || o.Refunds[0].Lines[0].LineID != line.ID {
			t.Errorf("%+v", o.Refunds)
		}
		said := map[bool]intake.Restock{true: intake.RestockYes, false: intake.RestockNo}[restock]
		if back := s.has(ref) != before; back != restock || o.Refunds[0].Lines[0].Restock != said {
			t.Errorf("restock %v: %s, then %s", restock, before, s.has(ref))
		}
	}
}

// A cancelled order gives its goods back once, and its money where that is
// asked for.
func TestAnOrderIsCancelledAndPaidBack(t *testing.T) {
	for _, path := range []string{"", "/refunds", "/orders/"} {
		s := newCounter(t)
		id, line := s.paidByCard()
		ref := intake.Ref{Kind: intake.KindVariant, ID: line.VariantID, Parent: line.ProductID}
		before := decimal.RequireFromString(s.has(ref))
		r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Cancel: &intake.Cancellation{Reason: "customer", Restock: true, Refund: true}}
		if o := s.ask("cancel", path, r); o.Result != intake.Done {
			t.Fatalf("%q: %s %s", path, o.Result, o.Why)
		}
		o := s.order(id)
		if o.State != intake.StateCancelled || len(o.Refunds) != 1 || !o.Refunds[0].Amount.Equal(o.Total) {
			t.Errorf("%q: %s %+v", path, o.RawStatus, o.Refunds)
		}
		if s.has(ref) != before.Add(line.Quantity).String() {
			t.Errorf("%q: %s of %s back on %s", path, s.has(ref), line.Quantity, before)
		}
	}
}

// paidByCard is an open order of which the gateway can give the money back.
func (s *counter) paidByCard() (id string, line intake.Line) {
	s.t.Helper()
	for range 40 {
		id, line = s.open()
		if o := s.order(id); (o.Payment.Method == "stripe" || o.Payment.Method == "ppcp-gateway" || o.Payment.Method == "paypal") && !o.PaidAt.IsZero() && o.State == intake.StateOpen {
			return id, line
		}
	}
	s.t.Fatal("no order that was paid by card")
	return "", intake.Line{}
}
