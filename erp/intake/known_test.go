package intake

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestARequestIsOvertakenByWhatTouchesIt(t *testing.T) {
	n := decimal.RequireFromString
	back := func(amount, line, units string) Refund {
		return Refund{Amount: n(amount), Lines: []RefundLine{{LineID: line, Quantity: n(units)}}}
	}
	ofLine := OrderRequest{Refund: &NewRefund{Amount: n("5"), Lines: []NewRefundLine{{LineID: "a", Quantity: n("1")}}}}
	asked := &Order{RawStatus: "processing", Refunds: []Refund{back("2", "a", "1")}}
	for _, c := range []struct {
		name string
		r    OrderRequest
		known,
		now *Order
		made *NewRefund // on request, since
		says string     // "" where it is not overtaken
	}{
		{name: "nothing has moved", r: ofLine, known: asked, now: asked},
		{name: "money has gone back", r: ofLine, known: asked, now: &Order{Refunds: []Refund{back("2", "a", "1"), back("0.01", "b", "0")}}, says: "2 of the order had gone back when this was asked for, and 2.01 have"},
		{name: "goods have come back without money", r: ofLine, known: asked, now: &Order{Refunds: []Refund{back("2", "a", "1"), back("0", "a", "1")}}, says: "1 of line a had come back when this was asked for, and 2 have"},
		{name: "goods of another line have come back without money", r: ofLine, known: asked, now: &Order{Refunds: []Refund{back("2", "a", "1"), back("0", "b", "1")}}},
		{name: "a refund was deleted", r: ofLine, known: asked, now: &Order{}},
		{name: "by another request", r: ofLine, known: asked, now: &Order{Refunds: []Refund{back("2", "a", "1"), back("3", "a", "1")}},
			made: &NewRefund{Amount: n("3"), Lines: []NewRefundLine{{LineID: "a", Quantity: n("1")}}}},
		{name: "by another request and by hand", r: ofLine, known: asked, now: &Order{Refunds: []Refund{back("2", "a", "1"), back("3", "a", "1"), back("1", "b", "0")}},
			made: &NewRefund{Amount: n("3"), Lines: []NewRefundLine{{LineID: "a", Quantity: n("1")}}}, says: "5 of the order"},
		{name: "an edited status does not touch a refund", r: ofLine, known: asked, now: &Order{RawStatus: "on-hold", Refunds: asked.Refunds}},
		{name: "another status", r: OrderRequest{Status: "completed"}, known: asked, now: &Order{RawStatus: "cancelled"}, says: "was processing when this was asked for, and is cancelled"},
		{name: "the status that it is to have", r: OrderRequest{Status: "completed"}, known: asked, now: &Order{RawStatus: "completed"}},
		{name: "a refund does not touch a status", r: OrderRequest{Status: "completed"}, known: asked, now: &Order{RawStatus: "processing", Refunds: []Refund{back("9", "a", "1")}}},
	} {
		r := c.r
		r.Known = Know(c.known, r)
		if c.made != nil {
			r.Known.Add(c.made)
		}
		if got := r.Overtaken(c.now); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", c.name, got, c.says)
		}
		if r.Known = nil; r.Overtaken(c.now) != "" {
			t.Errorf("%s: overtaken though nothing is known", c.name)
		}
	}
}
