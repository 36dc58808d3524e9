package woocommerce

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

// replayed is a shop made of recorded answers: it serves them as the recorded
// server did, with its headers, its filters by id and status, and its ways to
// say no.
type replayed struct {
	t      *testing.T
	mu     sync.Mutex
	lists  map[string][]json.RawMessage // by route
	asked  []string
	before func(route string, w http.ResponseWriter, r *http.Request) bool // true: answered
}

const (
	testKey    = "ck_0123456789abcdef"
	testSecret = "cs_fedcba9876543210"
)

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newReplayed(t *testing.T) *replayed {
	s := &replayed{t: t, lists: map[string][]json.RawMessage{}}
	files, err := filepath.Glob("testdata/order-*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded orders", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, ".refunds.json") {
			s.add("orders", s.file(filepath.Base(f)))
		}
	}
	for _, f := range []string{"order-full-refund.refunds.json", "order-partial-refund.refunds.json", "order-full-refund-by-status.refunds.json", "refunds-page.json"} {
		s.add("refunds", s.rows(f)...)
	}
	s.add("products", s.rows("products-page.json")...)
	s.add("products", s.rows("products-variable-and-odd.json")...)
	s.add("products/categories", s.rows("products-categories.json")...)
	for _, f := range []string{"variations-of-96.json", "variations-of-103.json"} {
		s.add("variations", s.rows(f)...)
	}
	s.add("products/96/variations", s.rows("variations-of-96.json")...)
	s.add("products/103/variations", s.rows("variations-of-103.json")...)
	s.add("customers", s.rows("customers-page.json")...)
	s.add("customers", s.rows("customers-admin-null-modified.json")...)
	s.add("coupons", s.rows("coupons.json")...)
	s.add("taxes", s.rows("taxes.json")...)
	for route, f := range map[string]string{"payment_gateways": "payment_gateways.json", "shipping/zones": "shipping-zones.json",
		"settings/general": "settings-general.json", "settings/tax": "settings-tax.json"} {
		s.lists[route] = s.rows(f)
	}
	for zone := range 4 {
		s.lists["shipping/zones/"+strconv.Itoa(zone)+"/methods"] = []json.RawMessage{}
	}
	s.lists["shipping/zones/1/methods"] = []json.RawMessage{json.RawMessage(
		`{"id":1,"instance_id":1,"title":"Forfait France","order":1,"enabled":true,"method_id":"flat_rate","method_title":"Flat rate"}`)}
	return s
}

func (s *replayed) file(name string) json.RawMessage {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *replayed) rows(name string) []json.RawMessage {
	s.t.Helper()
	var rows []json.RawMessage
	if err := json.Unmarshal(s.file(name), &rows); err != nil {
		s.t.Fatal(name, err)
	}
	return rows
}

// add puts rows into a list; the same row from another recording replaces it.
func (s *replayed) add(route string, rows ...json.RawMessage) {
	for _, row := range rows {
		id := headOf(row).id
		s.lists[route] = slices.DeleteFunc(s.lists[route], func(r json.RawMessage) bool { return headOf(r).id == id })
		s.lists[route] = append(s.lists[route], row)
	}
}

// start serves the shop over https and returns a connector to it.
func (s *replayed) start(change ...func(*Config)) *Connector {
	s.t.Helper()
	server := httptest.NewTLSServer(s)
	s.t.Cleanup(server.Close)
	return connectTo(s.t, server.URL, server.Client().Transport, change...)
}

func connectTo(t *testing.T, url string, transport http.RoundTripper, change ...func(*Config)) *Connector {
	t.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret, cfg.RetryWait = url, testKey, testSecret, time.Millisecond
	for _, f := range change {
		f(cfg)
	}
	c, err := New(connectors.Env{Shop: "atelier", Transport: transport, Now: func() time.Time { return testNow }, Log: zerolog.Nop()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *replayed) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// ServeHTTP answers under /wp-json/.
func (s *replayed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := strings.Trim(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/wp-json/"), "wc/v3"), "/")
	s.mu.Lock()
	s.asked = append(s.asked, route+"?"+r.URL.RawQuery)
	before := s.before
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Date", testNow.Format(http.TimeFormat))
	if before != nil && before(route, w, r) {
		return
	}
	if key, secret, ok := r.BasicAuth(); !ok || key != testKey || secret != testSecret {
		s.replay(w, "error-401-bad-key.json")
		return
	}
	switch route {
	case "products/batch": // of nothing
		_, _ = w.Write([]byte("[]"))
	case "":
		_, _ = w.Write([]byte(`{"name":"Atelier d&#8217;essai","timezone_string":"Europe/Paris","gmt_offset":1,"namespaces":["wc/v3"]}`))
		return
	case "system_status":
		_, _ = w.Write(s.file("system_status.json"))
		return
	case unitRoute:
		_, _ = w.Write([]byte(`{"id":"woocommerce_weight_unit","label":"Weight unit","value":"kg"}`))
		return
	}
	if rows, ok := s.lists[route]; ok {
		s.list(w, r, rows)
		return
	}
	cut := strings.LastIndexByte(route, '/')
	if cut > 0 && s.lists[route[:cut]] != nil {
		for _, row := range s.lists[route[:cut]] {
			if strconv.FormatInt(headOf(row).id, 10) == route[cut+1:] {
				_, _ = w.Write(row)
				return
			}
		}
		s.replay(w, map[string]string{"orders": "error-404-no-such-order.json", "customers": "error-404-customer.json"}[route[:cut]], "error-404-product.json")
		return
	}
	if order, ok := strings.CutSuffix(route, "/refunds"); ok {
		s.refundsOfOrder(w, r, strings.TrimPrefix(order, "orders/"))
		return
	}
	s.replay(w, "error-404-no-route.json")
}

func (s *replayed) refundsOfOrder(w http.ResponseWriter, r *http.Request, order string) {
	var listed struct {
		Refunds []struct {
			ID int64 `json:"id"`
		} `json:"refunds"`
	}
	var rows []json.RawMessage
	for _, o := range s.lists["orders"] {
		if strconv.FormatInt(headOf(o).id, 10) == order && json.Unmarshal(o, &listed) == nil {
			for _, ref := range listed.Refunds {
				for _, row := range s.lists["refunds"] {
					if headOf(row).id == ref.ID {
						rows = append(rows, row)
					}
				}
			}
		}
	}
	s.list(w, r, rows)
}

// list answers with a page of rows in the order of ids.
func (s *replayed) list(w http.ResponseWriter, r *http.Request, rows []json.RawMessage) {
	q := r.URL.Query()
	after, _ := scalar{text: q.Get("modified_after")}.instant()
	var kept []json.RawMessage
	for _, row := range rows {
		var head struct {
			Status scalar `json:"status"`
		}
		_ = json.Unmarshal(row, &head)
		h := headOf(row)
		switch trash := head.Status.text == "trash"; {
		case q.Get("status") != "" && trash != (q.Get("status") == "trash"):
		case q.Has("include") && !slices.Contains(strings.Split(q.Get("include"), ","), strconv.FormatInt(h.id, 10)):
		case !after.IsZero() && !h.modified.After(after):
		default:
			kept = append(kept, row)
		}
	}
	slices.SortFunc(kept, func(a, b json.RawMessage) int {
		if q.Get("orderby") == "modified" {
			return headOf(b).modified.Compare(headOf(a).modified)
		}
		return int(headOf(a).id - headOf(b).id)
	})
	size, offset := 10, 0
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(q.Get("offset")); err == nil {
		offset = n
	}
	w.Header().Set("X-WP-Total", strconv.Itoa(len(kept)))
	if !q.Has("per_page") {
		size = len(kept) // gateways, zones and settings come whole
	}
	from := min(offset, len(kept))
	b, _ := json.Marshal(append([]json.RawMessage{}, kept[from:min(from+size, len(kept))]...))
	_, _ = w.Write(b)
}

// replay answers with the first recorded error that has a name.
func (s *replayed) replay(w http.ResponseWriter, names ...string) {
	for _, name := range names {
		if name != "" {
			replayError(s.t, w, name)
			return
		}
	}
}

func replayError(t *testing.T, w http.ResponseWriter, name string) {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	var recorded struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	}
	if err == nil {
		err = json.Unmarshal(b, &recorded)
	}
	if err != nil {
		t.Error(name, err)
		return
	}
	for k, v := range recorded.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(recorded.Status)
	_, _ = w.Write(recorded.Body)
}

// pullAll reads a resource from its beginning and checks the pages.
func pullAll(t *testing.T, c *Connector, r intake.Resource) (map[string]intake.Record, connectors.Cursor) {
	t.Helper()
	return pullOn(t, c, r, nil)
}

func pullOn(t *testing.T, c *Connector, r intake.Resource, cur connectors.Cursor) (map[string]intake.Record, connectors.Cursor) {
	t.Helper()
	found := map[string]intake.Record{}
	for range 1000 {
		page, err := c.Pull(t.Context(), r, cur)
		if err != nil {
			t.Fatalf("pull %s: %v", r, err)
		}
		for _, rec := range page.Records {
			found[rec.Ref.ID] = rec
		}
		if cur = page.Next; len(cur) == 0 {
			t.Fatalf("pull %s: empty cursor", r)
		}
		if !page.More {
			return found, cur
		}
	}
	t.Fatalf("pull %s: no end", r)
	return nil, nil
}
