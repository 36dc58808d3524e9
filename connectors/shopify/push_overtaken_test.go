package shopify

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// intercepted is a way to a shop on which one operation never arrives: it is
// answered on the way, or breaks off where there is no answer.
type intercepted struct {
	http.RoundTripper
	op, answer string
}

func (i *intercepted) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(strings.NewReader(string(body)))
	var ask struct{ Query string }
	if err := json.Unmarshal(body, &ask); err != nil {
		return nil, err
	}
	if m := operationName.FindStringSubmatch(ask.Query); m == nil || m[1] != i.op {
		return i.RoundTripper.RoundTrip(req)
	}
	if i.answer == "" {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(i.answer)), Request: req}, nil
}

// What somebody gave back in the shop since a refund was asked for does not add
// up with it. After a try of which the answer was lost it may be that try, so
// that is not called refused.
func TestARefundThatWasOvertakenInTheShopIsNotMade(t *testing.T) {
	for _, tried := range []bool{false, true} {
		shop, c, way := pushed(t)
		id, o := paidByCard(t, shop, c)
		r := intake.OrderRequest{Order: orderRef(id), Refund: &intake.NewRefund{Amount: decimal.RequireFromString("1.5"), Pay: true}}
		r.Known = intake.Know(o, r)
		if tried {
			way.to = &intercepted{way.to, "order_refund", ""}
			if _, err := c.PushOrder(t.Context(), "k", r); err == nil {
				t.Fatal("the way is cut, and nobody has noticed")
			}
			way.to = way.to.(*intercepted).RoundTripper
		}
		if shop.RefundByAmount(id) == "" {
			t.Fatal("the order cannot be refunded by hand")
		}
		out, err := c.PushOrder(t.Context(), "k", r)
		switch {
		case tried && (connectors.ClassOf(err) != connectors.Transient || !strings.Contains(err.Error(), "have gone back in the shop since then")):
			t.Errorf("after a try: %s %s, %v", out.Result, out.Why, err)
		case !tried && (err != nil || out.Result != intake.Refused || !strings.Contains(out.Why, "have gone back in the shop since then")):
			t.Errorf("%s %s, %v", out.Result, out.Why, err)
		}
		if again, err := c.PushOrder(t.Context(), "k", r); !tried && (err != nil || again.Result != intake.Refused) {
			t.Errorf("a person has it made again, and nothing was sent yet: %s, %v", again.Result, err)
		}
		if n := len(anOrder(t, c, id).Refunds); n != 1 {
			t.Errorf("tried %v: %d refunds", tried, n)
		}
	}
}

func TestAnOrderThatWasShippedInTheShopIsNotCancelled(t *testing.T) {
	shop, c, way := pushed(t)
	id, _ := paidOrder(t, shop, c, severalUnits)
	shop.CompleteOrder(id)
	out := push(t, c, "k", intake.OrderRequest{Order: orderRef(id), Cancel: &intake.Cancellation{Reason: "customer", Restock: true}})
	if out.Result != intake.Refused || !strings.Contains(out.Why, "have left") || way.times("order_cancel") != 0 {
		t.Errorf("%s %s, asked %v", out.Result, out.Why, way.ops)
	}
}

// What Shopify stumbles over by itself is tried again; what it refuses is not.
func TestACancellationThatShopifyStumblesOverIsTriedAgain(t *testing.T) {
	for code, again := range map[string]bool{"INTERNAL_ERROR": true, "INVALID": false} {
		shop, c, way := pushed(t)
		id, _ := paidOrder(t, shop, c, severalUnits)
		r := intake.OrderRequest{Order: orderRef(id), Cancel: &intake.Cancellation{Reason: "customer", Restock: true}}
		way.to = &intercepted{way.to, "order_cancel", `{"data":{"orderCancel":{"job":null,"orderCancelUserErrors":[{"code":"` + code + `","field":null,"message":"it went wrong"}]}}}`}
		out, err := c.PushOrder(t.Context(), "k", r)
		if again && connectors.ClassOf(err) != connectors.Transient || again && err == nil || !again && (err != nil || out.Result != intake.Refused) {
			t.Errorf("%s: %s %s, %v", code, out.Result, out.Why, err)
		}
		way.to = way.to.(*intercepted).RoundTripper
		if out := push(t, c, "k", r); out.Result != intake.Done {
			t.Errorf("%s, then: %s %s", code, out.Result, out.Why)
		}
	}
}

// What the shop has done does not count as refused where the order cannot be
// read after it: it is looked for again.
func TestWhatWasDoneIsNotRefused(t *testing.T) {
	shop, c, way := pushed(t)
	id, o := paidOrder(t, shop, c, severalUnits)
	r := intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Lines: units(o.Lines[0].ID, 1)}}
	way.after = func(_ string, res *http.Response) *http.Response {
		if way.times("order_ship") > 0 && way.ops[len(way.ops)-1] != "order_ship" {
			return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>")), Request: res.Request}
		}
		return res
	}
	if out, err := c.PushOrder(t.Context(), "k", r); err == nil || connectors.ClassOf(err) != connectors.Transient {
		t.Errorf("%s %s, %v", out.Result, out.Why, err)
	}
	way.after = nil
	if out := push(t, c, "k", r); out.Result != intake.Done || way.times("order_ship") != 1 {
		t.Errorf("looked for again: %s %s, and shipped %d times", out.Result, out.Why, way.times("order_ship"))
	}
}
