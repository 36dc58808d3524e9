package woocommerce_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// blocked is a shop before which something answers requests of a kind with a
// page of its own, from when the order was changed.
type blocked struct {
	http.RoundTripper
	method, suffix string
	changed        bool
}

func (b *blocked) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.changed && req.Method == b.method && strings.HasSuffix(req.URL.Path, b.suffix) {
		return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader("<html>")), Request: req}, nil
	}
	b.changed = b.changed || req.Method == http.MethodPut
	return b.RoundTripper.RoundTrip(req)
}

// What the shop has done does not count as refused, whatever cannot be done or
// read after it.
func TestWhatWasDoneIsNotRefused(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		suffix func(order string) string
		done   bool // at once; else it is looked for again
	}{
		"the note for the customer is refused": {http.MethodPost, func(string) string { return "/notes" }, true},
		"the notes cannot be read":             {http.MethodGet, func(string) string { return "/notes" }, true},
		"the order cannot be read again":       {http.MethodGet, func(order string) string { return "/orders/" + order }, false},
	} {
		s := newCounter(t)
		id, line := s.open()
		s.c = connectBy(t, s.shop, &blocked{s.shop.Transport(), test.method, test.suffix(id), false})
		out, err := s.c.PushOrder(t.Context(), "k", intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Shipment: shipment(line.ID, 1, "6A1")})
		switch {
		case test.done && (err != nil || out.Result != intake.Done):
			t.Errorf("%s: %s %s, %v", name, out.Result, out.Why, err)
		case !test.done && (err == nil || connectors.ClassOf(err) != connectors.Transient):
			t.Errorf("%s: %s %s, %v", name, out.Result, out.Why, err)
		}
		if n := s.calls("PUT /wc/v3/orders/{id}"); n != 1 {
			t.Errorf("%s: the order was changed %d times", name, n)
		}
	}
}
