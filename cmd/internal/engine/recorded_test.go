package engine_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/woocommerce"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/reports"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// recordedAnswers is where the connector keeps the answers of a real server.
const recordedAnswers = "../../../connectors/woocommerce/testdata"

// recordedShop serves the recorded answers over HTTP as lists in their real
// shapes: orders by id, with offset, include, status and totals.
type recordedShop struct {
	orders  []json.RawMessage // ascending by id
	refunds []json.RawMessage
	files   map[string]json.RawMessage // path below /wp-json/wc/v3 → body
}

func recorded(t *testing.T, name string) json.RawMessage {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(recordedAnswers, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type recordedRow struct {
	ID       int64  `json:"id"`
	Status   string `json:"status"`
	Modified string `json:"date_modified_gmt"`
}

func recordedRowOf(t testing.TB, raw json.RawMessage) recordedRow {
	t.Helper()
	var r recordedRow
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// newRecordedShop gathers the recorded orders: those of the files for which
// take says so, one for each id.
func newRecordedShop(t *testing.T, take func(file string) bool) *recordedShop {
	t.Helper()
	s := &recordedShop{files: map[string]json.RawMessage{}}
	names, err := filepath.Glob(filepath.Join(recordedAnswers, "order-*.json"))
	if err != nil || len(names) < 30 {
		t.Fatalf("%d recorded orders, %v", len(names), err)
	}
	seen := map[int64]bool{}
	for _, path := range names {
		name := filepath.Base(path)
		body := recorded(t, name)
		if strings.HasSuffix(name, ".refunds.json") {
			var list []json.RawMessage
			if err := json.Unmarshal(body, &list); err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				if id := recordedRowOf(t, r).ID; !seen[-id] {
					seen[-id] = true
					s.refunds = append(s.refunds, r)
				}
			}
			continue
		}
		if id := recordedRowOf(t, body).ID; take(name) && !seen[id] {
			seen[id] = true
			s.orders = append(s.orders, body)
		}
	}
	slices.SortFunc(s.orders, func(a, b json.RawMessage) int { return int(recordedRowOf(t, a).ID - recordedRowOf(t, b).ID) })
	for path, name := range map[string]string{
		"products": "products-page.json", "variations": "variations-all-page.json", "products/categories": "products-categories.json", "customers": "customers-page.json",
		"taxes": "taxes.json", "coupons": "coupons.json", "payment_gateways": "payment_gateways.json", "shipping/zones": "shipping-zones.json",
		"settings/general": "settings-general.json", "settings/tax": "settings-tax.json", "system_status": "system_status.json",
	} {
		s.files[path] = recorded(t, name)
	}
	return s
}

func (s *recordedShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	path := strings.Trim(strings.TrimPrefix(r.URL.Path, "/wp-json/wc/v3"), "/")
	q := r.URL.Query()
	switch {
	case path == "orders":
		s.list(w, q, s.orders)
	case path == "refunds":
		s.list(w, q, s.refunds)
	case strings.HasPrefix(path, "orders/"):
		for _, o := range s.orders {
			if strconv.FormatInt(mustRecorded(o).ID, 10) == strings.TrimPrefix(path, "orders/") {
				w.Write(o)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte(`{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}`))
	case strings.HasSuffix(path, "/methods"):
		w.Write([]byte("[]"))
	default:
		body, ok := s.files[path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"code":"rest_no_route","message":"No route was found matching the URL and request method.","data":{"status":404}}`))
			return
		}
		var list []json.RawMessage
		if json.Unmarshal(body, &list) == nil {
			s.list(w, q, list)
			return
		}
		w.Write(body)
	}
}

func mustRecorded(raw json.RawMessage) (r recordedRow) { _ = json.Unmarshal(raw, &r); return r }

// list answers as WooCommerce does: filtered, sorted, cut into pages.
func (s *recordedShop) list(w http.ResponseWriter, q map[string][]string, all []json.RawMessage) {
	get := func(k string) string { return strings.Join(append(slices.Clone(q[k]), q[k+"[]"]...), ",") }
	status, include, after := get("status"), get("include"), get("modified_after")
	var rows []json.RawMessage
	for _, raw := range all {
		r := mustRecorded(raw)
		if (r.Status == "trash") != (status == "trash") || (include != "" && !slices.Contains(strings.Split(include, ","), strconv.FormatInt(r.ID, 10))) ||
			(after != "" && r.Modified != "" && r.Modified <= after) {
			continue
		}
		rows = append(rows, raw)
	}
	if get("order") == "desc" {
		slices.SortStableFunc(rows, func(a, b json.RawMessage) int {
			return strings.Compare(mustRecorded(b).Modified, mustRecorded(a).Modified)
		})
	} else {
		slices.SortStableFunc(rows, func(a, b json.RawMessage) int { return int(mustRecorded(a).ID - mustRecorded(b).ID) })
	}
	total, per, offset := len(rows), 10, 0
	if n, err := strconv.Atoi(get("per_page")); err == nil {
		per = n
	}
	if n, err := strconv.Atoi(get("page")); err == nil {
		offset = (n - 1) * per
	}
	if n, err := strconv.Atoi(get("offset")); err == nil {
		offset = n
	}
	rows = rows[min(offset, total):min(offset+per, total)]
	w.Header().Set("X-WP-Total", strconv.Itoa(total))
	w.Header().Set("X-WP-TotalPages", strconv.Itoa((total+per-1)/per))
	if rows == nil {
		rows = []json.RawMessage{}
	}
	_ = json.NewEncoder(w).Encode(rows)
}

func recordedConnector(t *testing.T, s *recordedShop) connectors.Connector {
	t.Helper()
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	cfg := woocommerce.NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret = srv.URL, "ck_recorded", "cs_recorded"
	c, err := woocommerce.New(connectors.Env{Shop: "atelier", Transport: srv.Client().Transport, Now: time.Now, Log: zerolog.Nop()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// recordedFacts decides with the goods of every line tracked at a cost of one.
func recordedFacts(rec intake.Record, said *intake.Order) sales.Facts {
	f := sales.Facts{Shop: "atelier", External: rec.Ref.ID, Modified: rec.Modified, Rules: sales.DefaultRules(), Home: "EUR", Zone: time.UTC, Goods: map[string]sales.Goods{},
		Rate: recordedRate}
	for i, l := range said.Lines {
		if l.VariantID != "" {
			f.Goods[l.ID] = sales.Goods{Variant: int64(i + 1), Stock: int64(i + 1), Tracked: true, Cost: decimal.NewFromInt(1)}
		}
	}
	return f
}

func TestEveryRecordedOrderIsDecidedAndBalances(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(recordedAnswers, "order-*.json"))
	for _, path := range names {
		name := filepath.Base(path)
		if strings.HasSuffix(name, ".refunds.json") {
			continue
		}
		for _, revenue := range []string{sales.OnPayment, sales.OnShipment} {
			t.Run(name+"/"+revenue, func(t *testing.T) {
				shop := newRecordedShop(t, func(file string) bool { return file == name })
				id := strconv.FormatInt(recordedRowOf(t, shop.orders[0]).ID, 10)
				recs, err := recordedConnector(t, shop).Fetch(t.Context(), []intake.Ref{{Kind: intake.KindOrder, ID: id}})
				if err != nil {
					t.Fatal(err)
				}
				said, ok := recs[0].Body.(*intake.Order)
				if !ok {
					t.Fatalf("record %+v", recs[0])
				}
				facts := recordedFacts(recs[0], said)
				facts.Rules.Revenue = revenue
				d, err := sales.Decide(nil, said, facts)
				if err != nil {
					t.Fatal(err)
				}
				checkDecision(t, said, d)
			})
		}
	}
}

// checkDecision asserts that what is posted balances, and that the documents
// and refunds add up to what the shop states, to the cent of the currency.
func checkDecision(t *testing.T, said *intake.Order, d sales.Decision) {
	t.Helper()
	scale, err := said.Currency.Decimals()
	if err != nil {
		t.Fatal(err)
	}
	if want := said.Total.Shift(int32(scale)).Round(0).IntPart(); d.Amounts.Total != want {
		t.Errorf("total %d, the shop states %d", d.Amounts.Total, want)
	}
	bound := int64(len(said.Lines))
	rates := map[string]bool{}
	for _, l := range said.Lines {
		for _, x := range l.Taxes {
			rates[x.RateID] = true
		}
	}
	bound += int64(len(rates))
	if off := d.Amounts.Recomputed - d.Amounts.Total; off > bound || -off > bound || (off != 0 && d.Amounts.Difference == "") {
		t.Errorf("recomputed %d, stated %d, explained by %q", d.Amounts.Recomputed, d.Amounts.Total, d.Amounts.Difference)
	}
	invoiced, paidBack := int64(0), int64(0)
	for _, s := range d.Steps {
		p := s.Posting
		if p == nil || s.Reverse != nil {
			t.Fatalf("a new order has the step %+v", s)
		}
		if p.Entry != nil {
			e := *p.Entry
			e.Cause = s.Event
			if err := e.Check(); err != nil {
				t.Error(err)
			}
		}
		if p.Invoice == nil {
			continue
		}
		sign := int64(1)
		if p.Invoice.Kind == sales.CreditNoteKind {
			sign = -1
		}
		invoiced += sign * p.Invoice.Total
		var facts int64
		for _, f := range p.Facts {
			facts += f.ForeignTax
		}
		if facts != sign*p.Invoice.Tax {
			t.Errorf("%s: tax facts %d, tax of the document %d", s.Event, facts, sign*p.Invoice.Tax)
		}
	}
	for _, r := range d.Refunds {
		paidBack += r.Amount
	}
	if invoiced != 0 && invoiced != d.Amounts.Total-paidBack {
		t.Errorf("documents add up to %d, order %d less refunds %d", invoiced, d.Amounts.Total, paidBack)
	}
}

func recordedRate(c money.Currency, _ string) (decimal.Decimal, bool) {
	rates := map[money.Currency]string{"USD": "0.92", "JPY": "0.0061", "BHD": "2.45"}
	r, ok := rates[c]
	if !ok {
		return decimal.Decimal{}, false
	}
	return decimal.RequireFromString(r), true
}

func TestRecordedShopEndsInBalancedBooks(t *testing.T) {
	shop := newRecordedShop(t, func(string) bool { return true })
	w := newWorld(t, recordedConnector(t, shop))
	w.stop()
	w.rates = nil
	for _, c := range []money.Currency{"USD", "JPY", "BHD"} {
		rate, _ := recordedRate(c, "")
		w.rates = append(w.rates, erp.Rate{Currency: c, From: "2020-01-01", Rate: rate})
	}
	w.start()
	w.sync()
	parked, err := w.books.ParkedRecords(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parked {
		t.Errorf("parked: %s %s: %s", p.Ref.Kind, p.Ref.ID, p.Reason)
	}
	tb, err := reports.TrialBalance(t.Context(), w.books.Reader(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if !tb.Balanced() || tb.Debit == 0 {
		t.Errorf("trial balance %+v", tb)
	}
	counts, err := w.books.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.Kind == intake.KindOrder && c.N != int64(len(shop.orders)) {
			t.Errorf("%d orders in the books, the shop has %d", c.N, len(shop.orders))
		}
	}
	before := w.digest()
	w.sync()
	if w.digest() != before {
		t.Error("a second reading changed the books")
	}
}
