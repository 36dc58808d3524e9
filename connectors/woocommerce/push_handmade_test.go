package woocommerce_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/woocommerce"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// editing has a hand edit the metadata of an order as it is written.
type editing struct {
	http.RoundTripper
	from, to string
}

func (e *editing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPut && e.to != "" {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.Replace(body, []byte(e.from), []byte(e.to), 1)
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return e.RoundTripper.RoundTrip(req)
}

// edited is an order of which one unit has left, and whose list of shipments
// somebody has edited.
func edited(t *testing.T, from, to string) (s *counter, id, line string, log *bytes.Buffer) {
	t.Helper()
	s, log = newCounter(t), new(bytes.Buffer)
	way := &editing{s.shop.Transport(), from, to}
	cfg := woocommerce.NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret, cfg.RetryWait = "https://shop.example", s.shop.Key(), s.shop.Secret(), time.Millisecond
	var err error
	if s.c, err = woocommerce.New(connectors.Env{Shop: "atelier", Transport: way, Now: s.shop.Clock, Log: zerolog.New(log)}, cfg); err != nil {
		t.Fatal(err)
	}
	order, l := s.open()
	first := intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: order}, Shipment: shipment(l.ID, 1, "6A1")}
	if out, err := s.c.PushOrder(t.Context(), "first", first); err != nil || out.Result != intake.Done {
		t.Fatalf("%s %s, %v", out.Result, out.Why, err)
	}
	way.to = ""
	return s, order, l.ID, log
}

// wording is an order in the shop's own words.
func (s *counter) wording(id string) string {
	s.t.Helper()
	recs, err := s.c.Fetch(s.t.Context(), []intake.Ref{{Kind: intake.KindOrder, ID: id}})
	if err != nil {
		s.t.Fatal(err)
	}
	return string(recs[0].Raw)
}

// What a person or a plugin has written into the list stays there beside what
// is noted, whatever it is, and is told of once.
func TestWhatAHandHasWrittenAmongShipmentsStays(t *testing.T) {
	s, id, line, log := edited(t, `"value":[{`, `"value":[{"parcel":"kept by hand","n":12},"sent on monday",{"key":"b","at":"yesterday","lines":[]},{"insured":true,`)
	ref := intake.Ref{Kind: intake.KindOrder, ID: id}
	for _, tracking := range []string{"6A2", "6A3"} {
		if out := s.ask("with "+tracking, "", intake.OrderRequest{Order: ref, Shipment: shipment(line, 1, tracking)}); out.Result != intake.Done {
			t.Fatalf("%s %s", out.Result, out.Why)
		}
	}
	raw := s.wording(id)
	for _, want := range []string{`{"n":12,"parcel":"kept by hand"}`, `"sent on monday"`, `"yesterday"`, `"insured":true`, `"6A1"`, `"6A2"`, `"6A3"`} {
		if strings.Count(raw, want) != 1 {
			t.Errorf("%s stands %d times in %s", want, strings.Count(raw, want), raw[max(0, strings.Index(raw, `"meta_data"`)):])
		}
	}
	if o := s.order(id); len(o.Shipments) != 3 {
		t.Errorf("shipments: %+v", o.Shipments)
	}
	if n := strings.Count(log.String(), "make no sense"); n != 1 || !strings.Contains(log.String(), `"entries":3`) {
		t.Errorf("told %d times: %s", n, log)
	}
}

// What is no list at all is not overwritten: a person is asked to mend it.
func TestWhatIsNoListOfShipmentsIsNotOverwritten(t *testing.T) {
	for _, value := range []string{`"value":"shipped"`, `"value":{"first":{}}`, `"value":7`} {
		s, id, line, _ := edited(t, `"value":[`, value+`,"was":[`)
		before := s.wording(id)
		out := s.ask("second", "", intake.OrderRequest{Order: intake.Ref{Kind: intake.KindOrder, ID: id}, Shipment: shipment(line, 1, "6A2")})
		if out.Result != intake.Refused || !strings.Contains(out.Why, "no list of shipments") || s.wording(id) != before {
			t.Errorf("%s: %s %s, and it is %s", value, out.Result, out.Why, s.wording(id))
		}
	}
}

// More than is there does not leave: what somebody refunded in the shop since is
// not shipped.
func TestMoreThanIsLeftIsNotShipped(t *testing.T) {
	s := newCounter(t)
	id, line := s.open() // of three
	ref := intake.Ref{Kind: intake.KindOrder, ID: id}
	if out := s.ask("too many", "", intake.OrderRequest{Order: ref, Shipment: shipment(line.ID, 4, "")}); out.Result != intake.Refused || !strings.Contains(out.Why, "only 3 of line") {
		t.Errorf("%s %s", out.Result, out.Why)
	}
	back := &intake.NewRefund{Amount: decimal.NewFromInt(1), Lines: []intake.NewRefundLine{{LineID: line.ID, Quantity: decimal.NewFromInt(2), Total: decimal.NewFromInt(1)}}}
	if out := s.ask("refund", "", intake.OrderRequest{Order: ref, Refund: back}); out.Result != intake.Done {
		t.Fatalf("%s %s", out.Result, out.Why)
	}
	if out := s.ask("two", "", intake.OrderRequest{Order: ref, Shipment: shipment(line.ID, 2, "")}); out.Result != intake.Refused || !strings.Contains(out.Why, "only 1 of line") {
		t.Errorf("%s %s", out.Result, out.Why)
	}
	if out := s.ask("one", "", intake.OrderRequest{Order: ref, Shipment: shipment(line.ID, 1, "")}); out.Result != intake.Done {
		t.Errorf("%s %s", out.Result, out.Why)
	}
	if o := s.order(id); len(o.Shipments) != 1 {
		t.Errorf("shipments: %+v", o.Shipments)
	}
}
