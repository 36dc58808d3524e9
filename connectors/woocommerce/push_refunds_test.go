package woocommerce_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// cutOffRefunds is a shop whose answers show refunds as they are where the
// shop was cut off after it had made them, and before it noted their key.
type cutOffRefunds struct {
	http.RoundTripper
	unpaid bool // and before its gateway had moved the money
}

func (c *cutOffRefunds) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(req)
	if err != nil || req.Method != http.MethodGet || !strings.HasSuffix(req.URL.Path, "/refunds") {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(string(body), "_comptoir_key", "_something_else")
	if c.unpaid {
		text = strings.ReplaceAll(text, `"refunded_payment":true`, `"refunded_payment":false`)
	}
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	res.Header.Del("Content-Length")
	return res, nil
}

// WooCommerce notes the key of a refund after its gateway has moved the money:
// where it was cut off between the two, the money does not go back again.
func TestARefundThatWasCutOffIsNotPaidTwice(t *testing.T) {
	for _, unpaid := range []bool{false, true} {
		s := newCounter(t)
		way := &cutOffRefunds{s.shop.Transport(), unpaid}
		s.c = connectBy(t, s.shop, way)
		id, _ := s.paidByCard()
		r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Refund: &intake.NewRefund{Amount: decimal.NewFromInt(1), Pay: true}}
		s.shop.Misbehave(lost("/refunds"))
		if _, err := s.c.PushOrder(t.Context(), "k", r); err == nil {
			t.Fatal("the answer was lost, and nobody has noticed")
		}
		s.shop.Behave()
		out, err := s.c.PushOrder(t.Context(), "k", r)
		if unpaid && (connectors.ClassOf(err) != connectors.Transient || !strings.Contains(err.Error(), "moved the money")) {
			t.Errorf("nobody knows whether the money was moved: %+v, %v", out, err)
		}
		if !unpaid && (err != nil || out.Result != intake.Done) {
			t.Errorf("the money was moved: %+v, %v", out, err)
		}
		if n := len(s.order(id).Refunds); n != 1 {
			t.Errorf("unpaid %v: %d refunds", unpaid, n)
		}
		// Another one of the same amount is another one.
		way.unpaid = false
		if out, err := s.c.PushOrder(t.Context(), "another", r); err != nil || out.Result != intake.Done || len(s.order(id).Refunds) != 2 {
			t.Errorf("another: %+v, %v: %d refunds", out.Result, err, len(s.order(id).Refunds))
		}
	}
}

// A cancellation whose refund was cut off is not done while nobody knows
// whether the money was moved, and the money does not go back twice.
func TestACancellationOfWhichTheRefundWasCutOffSaysSo(t *testing.T) {
	for _, unpaid := range []bool{false, true} {
		s := newCounter(t)
		way := &cutOffRefunds{s.shop.Transport(), unpaid}
		s.c = connectBy(t, s.shop, way)
		id, _ := s.paidByCard()
		r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Cancel: &intake.Cancellation{Reason: "customer", Restock: true, Refund: true}}
		s.shop.Misbehave(lost("/refunds"))
		if _, err := s.c.PushOrder(t.Context(), "k", r); err == nil {
			t.Fatal("the answer was lost, and nobody has noticed")
		}
		s.shop.Behave()
		out, err := s.c.PushOrder(t.Context(), "k", r)
		if unpaid {
			if connectors.ClassOf(err) != connectors.Transient || !strings.Contains(err.Error(), "moved the money") || s.order(id).State == intake.StateCancelled {
				t.Errorf("nobody knows whether the money was moved: %+v, %v, and the order is %s", out, err, s.order(id).State)
			}
			way.unpaid = false // the gateway came to its end
			out, err = s.c.PushOrder(t.Context(), "k", r)
		}
		if o := s.order(id); err != nil || out.Result != intake.Done || o.State != intake.StateCancelled || len(o.Refunds) != 1 || !o.Refunds[0].Amount.Equal(o.Total) {
			t.Errorf("unpaid %v: %+v, %v: %s with %+v", unpaid, out.Result, err, o.State, o.Refunds)
		}
	}
}

// What an earlier request has left uncertain is not left out of a cancellation
// that is to give the money back: a person is told what to do.
func TestACancellationDoesNotPassOverAnUncertainRefund(t *testing.T) {
	for name, part := range map[string]bool{"of all": false, "of a part": true} {
		s := newCounter(t)
		way := &cutOffRefunds{s.shop.Transport(), true}
		s.c = connectBy(t, s.shop, way)
		id, _ := s.paidByCard()
		ref := intake.Ref{Kind: intake.KindOrder, ID: id}
		amount := s.order(id).Total
		if part {
			amount = decimal.NewFromInt(1)
		}
		s.shop.Misbehave(lost("/refunds"))
		if _, err := s.c.PushOrder(t.Context(), "refund", intake.OrderRequest{Order: ref, Refund: &intake.NewRefund{Amount: amount, Pay: true}}); err == nil {
			t.Fatal("the answer was lost, and nobody has noticed")
		}
		s.shop.Behave()
		cancel := intake.OrderRequest{Order: ref, Cancel: &intake.Cancellation{Reason: "customer", Restock: true, Refund: true}}
		out, err := s.c.PushOrder(t.Context(), "cancel", cancel)
		if err != nil || out.Result != intake.Refused || !strings.Contains(out.Why, "look at the gateway") {
			t.Errorf("%s: %s %s, %v", name, out.Result, out.Why, err)
		}
		if o := s.order(id); o.State == intake.StateCancelled || len(o.Refunds) != 1 {
			t.Errorf("%s: it is %s, with %d refunds", name, o.State, len(o.Refunds))
		}
		if s.shop.DeleteRefund(s.order(id).Refunds[0].ID) == "" { // as it says: the gateway has moved nothing
			t.Fatal("there is no such refund")
		}
		way.unpaid = false
		out, err = s.c.PushOrder(t.Context(), "cancel", cancel)
		if o := s.order(id); err != nil || out.Result != intake.Done || o.State != intake.StateCancelled || len(o.Refunds) != 1 || !o.Refunds[0].Amount.Equal(o.Total) {
			t.Errorf("%s: %s %s, %v: %s with %+v", name, out.Result, out.Why, err, o.State, o.Refunds)
		}
	}
}

// What somebody gave back in the shop since a refund was asked for does not add
// up with it. A try that was made is found all the same.
func TestARefundThatWasOvertakenInTheShopIsNotMade(t *testing.T) {
	s := newCounter(t)
	id, _ := s.paidByCard()
	ask := func(amount int64) intake.OrderRequest {
		r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Refund: &intake.NewRefund{Amount: decimal.NewFromInt(amount), Pay: true}}
		r.Known = intake.Know(s.order(id), r)
		return r
	}
	first := ask(1)
	if out := s.ask("first", "/refunds", first); out.Result != intake.Done {
		t.Fatalf("%s %s", out.Result, out.Why)
	}
	second := ask(1)
	s.shop.RefundByAmount(id)
	out, err := s.c.PushOrder(t.Context(), "second", second)
	if err != nil || out.Result != intake.Refused || !strings.Contains(out.Why, "have gone back in the shop since then") {
		t.Errorf("%s %s, %v", out.Result, out.Why, err)
	}
	if out := s.ask("first", "", first); out.Result != intake.Done {
		t.Errorf("what was made is found no more: %s %s", out.Result, out.Why)
	}
	if n := len(s.order(id).Refunds); n != 2 {
		t.Errorf("%d refunds", n)
	}
}

// An order that somebody has ended in the shop is not opened again by what was
// asked for before.
func TestAStatusThatWasOvertakenInTheShopIsNotSet(t *testing.T) {
	s := newCounter(t)
	id, _ := s.open()
	r := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Status: "completed"}
	r.Known = intake.Know(s.order(id), r)
	s.shop.CancelOrder(id)
	out, err := s.c.PushOrder(t.Context(), "k", r)
	if err != nil || out.Result != intake.Refused || !strings.Contains(out.Why, "is cancelled in the shop since") || s.order(id).State != intake.StateCancelled {
		t.Errorf("%s %s, %v", out.Result, out.Why, err)
	}
}

// Goods that have left do not come back in stock by a cancellation.
func TestAnOrderThatWasShippedInTheShopIsNotCancelled(t *testing.T) {
	for name, ship := range map[string]func(s *counter, id string, line intake.Line){
		"in full": func(s *counter, id string, _ intake.Line) { s.shop.CompleteOrder(id) },
		"in a part": func(s *counter, id string, line intake.Line) {
			s.ask("part", "", intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Shipment: shipment(line.ID, 1, "")})
		},
	} {
		s := newCounter(t)
		id, line := s.open()
		ship(s, id, line)
		out, err := s.c.PushOrder(t.Context(), "k", intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Cancel: &intake.Cancellation{Reason: "customer", Restock: true}})
		if err != nil || out.Result != intake.Refused || !strings.Contains(out.Why, "have left") || s.order(id).State == intake.StateCancelled {
			t.Errorf("%s: %s %s, %v", name, out.Result, out.Why, err)
		}
	}
}
