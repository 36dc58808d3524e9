package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/dghubble/oauth1"
)

type brief struct {
	ID       int64
	Modified string `json:"date_modified_gmt"`
}

func readList(t *testing.T, s *Shop, path string) []brief {
	t.Helper()
	res, body := do(t, s, request(t, s, path))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, res.StatusCode, body)
	}
	var rows []brief
	if err := json.Unmarshal(body, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// The window of changes is exclusive at both ends and counts whole seconds; a
// date with Z becomes local time, and so misses what changed in the last hour.
func TestWindowOfChanges(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 200})
	id := s.EditOrder("")
	at := s.Modified(intake.Orders, id)
	stamp := func(d time.Duration) string { return at.Add(d).Format(wooTime) }
	for _, c := range []struct {
		name, query string
		found       bool
	}{
		{"a second before", "dates_are_gmt=true&modified_after=" + stamp(-time.Second), true},
		{"the same second", "dates_are_gmt=true&modified_after=" + stamp(0), false},
		{"a second before, with a fraction", "dates_are_gmt=true&modified_after=" + stamp(-time.Second) + ".900", true},
		{"with Z", "dates_are_gmt=true&modified_after=" + stamp(-time.Second) + "Z", false},
		{"with Z, two hours before", "dates_are_gmt=true&modified_after=" + stamp(-2*time.Hour) + "Z", true},
		{"with Z, on the local column", "modified_after=" + stamp(-time.Second) + "Z", true},
		{"naive UTC on the local column", "modified_after=" + stamp(30*time.Minute), true},
		{"before the next second", "dates_are_gmt=1&modified_before=" + stamp(time.Second), true},
		{"before the same second", "dates_are_gmt=1&modified_before=" + stamp(0), false},
		{"misspelt", "modifiedafter=" + stamp(time.Hour), true},
	} {
		rows := readList(t, s, "orders?per_page=100&orderby=modified&"+c.query)
		found := slices.ContainsFunc(rows, func(r brief) bool { return text(r.ID) == id })
		if found != c.found {
			t.Errorf("%s: found %t", c.name, found)
		}
	}
}

func TestOldVersionsLackWhatCameLater(t *testing.T) {
	for _, c := range []struct {
		version, path string
		status        int
	}{
		{"11.0.1", "refunds", 200}, {"11.0.1", "variations", 200}, {"9.9.5", "refunds", 200}, {"9.9.5", "variations", 404},
		{"8.9.0", "refunds", 404}, {"5.0.0", "orders?modified_after=2099-01-01T00:00:00", 200},
	} {
		s := New(Options{Seed: 1, Orders: 30, Version: c.version})
		res, body := do(t, s, request(t, s, c.path))
		if res.StatusCode != c.status {
			t.Errorf("%s on %s: %d", c.path, c.version, res.StatusCode)
		}
		if c.version == "5.0.0" && string(body) == "[]" {
			t.Error("version 5.0.0 knows modified_after")
		}
	}
}

// Paging by id is whole on every version. Paging by date is so on new ones;
// old ones lose and repeat rows that share a second.
func TestPagingBreaksTiesOnNewVersionsOnly(t *testing.T) {
	for _, c := range []struct {
		version, by string
		whole       bool
	}{{"11.0.1", "id", true}, {"11.0.1", "modified", true}, {"11.0.1", "date", true}, {"9.9.5", "id", true}, {"9.9.5", "modified", false}} {
		s := New(Options{Seed: 1, Orders: 300, Version: c.version})
		seen := map[int64]int{}
		rows := 0
		for page := 1; ; page++ {
			got := readList(t, s, fmt.Sprintf("products?per_page=5&order=asc&orderby=%s&page=%d", strings.Replace(c.by, "modified", "date", 1), page))
			for _, r := range got {
				seen[r.ID]++
				rows++
			}
			if len(got) < 5 {
				break
			}
		}
		if whole := len(seen) == rows; whole != c.whole || rows != len(s.IDs(intake.Products)) {
			t.Errorf("%s by %s: %d rows, %d distinct, of %d", c.version, c.by, rows, len(seen), len(s.IDs(intake.Products)))
		}
	}
}

func TestListsServeWhatTheShopHas(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 250})
	for _, c := range []struct {
		r    intake.Resource
		path string
	}{
		{intake.Orders, "orders?"}, {intake.Trash, "orders?status=trash"}, {intake.Products, "products?"}, {intake.Variants, "variations?"},
		{intake.Customers, "customers?role=all"}, {intake.Coupons, "coupons?"}, {intake.Categories, "products/categories?"}, {intake.TaxRates, "taxes?"},
	} {
		var ids []string
		for page := 1; ; page++ {
			got := readList(t, s, fmt.Sprintf("%s&_fields=id&per_page=40&orderby=id&order=asc&page=%d", c.path, page))
			for _, r := range got {
				ids = append(ids, text(r.ID))
			}
			if len(got) < 40 {
				break
			}
		}
		if !slices.Equal(ids, s.IDs(c.r)) || len(ids) == 0 {
			t.Errorf("%s: lists %d, has %d", c.r, len(ids), len(s.IDs(c.r)))
		}
	}
}

func TestParametersOfLists(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 250})
	orders := s.IDs(intake.Orders)
	trash := s.TrashOrder(orders[7])
	done := len(s.OrderIDs("completed"))
	admin := readList(t, s, "customers?role=administrator")
	if len(admin) != 1 || admin[0].Modified != "" {
		t.Errorf("the administrator is %v", admin)
	}
	for _, c := range []struct {
		path   string
		status int
		rows   int
	}{
		{"orders", 200, 10},
		{"orders?per_page=0", 400, 0},
		{"orders?per_page=x", 400, 0},
		{"orders?page=0", 400, 0},
		{"orders?orderby=total", 400, 0},
		{"orders?status=nonsense", 400, 0},
		{"orders?status[0]=completed&per_page=100", 200, min(100, done)},
		{"orders?status=completed,processing&per_page=100&status[]=failed", 200, 100},
		{"orders?include=" + orders[1] + "," + orders[2] + "," + trash + ",999999", 200, 2},
		{"orders?include[]=" + orders[1] + "&include[]=" + orders[2], 200, 2},
		{"orders?exclude=" + orders[0] + "&order=asc&orderby=id&per_page=1", 200, 1},
		{"orders?offset=5&per_page=3", 200, 3},
		{"orders/" + trash, 200, -1},
		{"orders/x", 404, -1},
		{"orders?customer=999999", 200, 0},
		{"refunds?include=" + s.RefundIDs(s.OrderIDs("refunded")[0])[0], 200, 1},
		{"customers?orderby=modified", 400, 0},
		{"customers?email=ADMIN@example.test&role=all", 200, 1},
		{"products?sku=DUP-001", 200, 2},
		{"coupons?code=MOINS5", 200, 1},
		{"payment_gateways/stripe", 200, -1},
		{"settings/general/woocommerce_currency", 200, -1},
		{"shipping/zones/1/methods", 200, 3},
		{"shipping_methods", 200, 3},
		{"products/999999/variations", 404, -1},
	} {
		res, body := do(t, s, request(t, s, c.path))
		var rows []json.RawMessage
		if c.rows >= 0 && c.status == 200 {
			if err := json.Unmarshal(body, &rows); err != nil {
				t.Errorf("%s: %v", c.path, err)
			}
		}
		if res.StatusCode != c.status || c.rows >= 0 && len(rows) != c.rows {
			t.Errorf("%s: status %d, %d rows: %.200s", c.path, res.StatusCode, len(rows), body)
		}
	}
	_, body := do(t, s, request(t, s, "orders/"+orders[0]+"?_fields=id,date_modified_gmt,number"))
	var few map[string]any
	if err := json.Unmarshal(body, &few); err != nil || len(few) != 3 {
		t.Errorf("_fields gives %s", body)
	}
	_, body = do(t, s, request(t, s, "orders?include="+orders[2]+","+orders[0]+"&orderby=include&order=asc&_fields=id"))
	if want := `[{"id":` + orders[2] + `},{"id":` + orders[0] + `}]`; string(body) != want {
		t.Errorf("by include: %s, want %s", body, want)
	}
}

// The signature is checked against that of another implementation.
func TestOAuthSignsRequestsOverHTTP(t *testing.T) {
	now := time.Now()
	s := New(Options{Seed: 1, Orders: 20, Now: func() time.Time { return now }})
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	for _, path := range []string{
		"/wp-json/wc/v3/orders?status=any&per_page=5&_fields=id%2Ctotal&search=%C3%A9t%C3%A9+2026",
		"/?rest_route=/wc/v3/orders&per_page=3",
	} {
		for _, signer := range []oauth1.Signer{nil, &oauth1.HMAC256Signer{ConsumerSecret: s.Secret()}} {
			config := &oauth1.Config{ConsumerKey: s.Key(), ConsumerSecret: s.Secret(), Signer: signer}
			res, err := config.Client(t.Context(), &oauth1.Token{}).Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", path, res.StatusCode, body)
			}
		}
	}
	wrong := &oauth1.Config{ConsumerKey: s.Key(), ConsumerSecret: "cs_wrong"}
	res, err := wrong.Client(t.Context(), &oauth1.Token{}).Get(server.URL + "/wp-json/wc/v3/orders")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong secret is answered with %d", res.StatusCode)
	}
}

// A nonce serves once, and a timestamp only near the shop's clock.
func TestOAuthRefusesRepeatsAndOldStamps(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := New(Options{Seed: 1, Orders: 5, Now: func() time.Time { return now }})
	signed := func(stamp time.Time, nonce string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "http://shop.test/wp-json/wc/v3/orders", nil)
		v := url.Values{"oauth_consumer_key": {s.Key()}, "oauth_timestamp": {text(stamp.Unix())}, "oauth_nonce": {nonce},
			"oauth_signature_method": {"HMAC-SHA256"}}
		signature, _ := s.sign(r, v)
		v.Set("oauth_signature", signature)
		r.URL.RawQuery = v.Encode()
		return r
	}
	want := load(t, "testdata/error-401-oauth-nonce-reused.json").(map[string]any)["body"].(map[string]any)["message"].(string)
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		message string
	}{
		{"first", signed(now, "a"), 200, ""},
		{"again", signed(now, "a"), 401, want},
		{"another nonce", signed(now, "b"), 200, ""},
		{"too old", signed(now.Add(-16*time.Minute), "c"), 401, "Invalid timestamp."},
		{"too new", signed(now.Add(16*time.Minute), "d"), 401, "Invalid timestamp."},
	} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, c.request)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.message) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestKeysInTheQueryAndBasicBehindAProxy(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Options
		url    string
		basic  bool
		status int
	}{
		{"query over TLS", Options{}, "https://shop.test/wp-json/wc/v3/orders?consumer_key=KEY&consumer_secret=SECRET", false, 200},
		{"query on loopback", Options{}, "http://shop.test/wp-json/wc/v3/orders?consumer_key=KEY&consumer_secret=SECRET", false, 200},
		{"basic over http", Options{}, "http://shop.test/wp-json/wc/v3/orders", true, 401},
		{"basic behind a proxy", Options{BasicOverHTTP: true}, "http://shop.test/wp-json/wc/v3/orders", true, 200},
		{"index needs no key", Options{}, "https://shop.test/wp-json/", false, 200},
		{"rest_route", Options{}, "https://shop.test/?rest_route=/wc/v3/orders", true, 200},
		{"plain permalinks", Options{PlainPermalinks: true}, "https://shop.test/?rest_route=/wc/v3/orders", true, 200},
		{"plain permalinks have no /wp-json", Options{PlainPermalinks: true}, "https://shop.test/wp-json/wc/v3/orders", true, 404},
		{"home page", Options{PlainPermalinks: true}, "https://shop.test/", false, 200},
	} {
		c.o.Seed, c.o.Orders = 1, 5
		s := New(c.o)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.NewReplacer("KEY", s.Key(), "SECRET", s.Secret()).Replace(c.url), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.basic {
			r.SetBasicAuth(s.Key(), s.Secret())
		}
		if res, body := do(t, s, r); res.StatusCode != c.status || res.Header.Get("Link") == "" && c.name == "home page" {
			t.Errorf("%s: %d %.200s", c.name, res.StatusCode, body)
		}
	}
}

func TestIndexNamesZoneAndRoutes(t *testing.T) {
	s := New(Options{Seed: 1})
	_, body := do(t, s, mustGet(t, "https://shop.test/wp-json/"))
	var index struct {
		Zone   string `json:"timezone_string"`
		Routes map[string]any
	}
	if err := json.Unmarshal(body, &index); err != nil {
		t.Fatal(err)
	}
	if index.Zone != "Europe/Paris" || index.Routes["/wc/v3/orders"] == nil || index.Routes[`/wc/v3/orders/(?P<id>[\d]+)`] == nil {
		t.Errorf("index is %s", body)
	}
}

func mustGet(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is written is what any JSON reader reads back.
func TestStringsAreEscapedAsPHPDoes(t *testing.T) {
	for _, v := range []string{"", "a/b", `"\`, "été", "太郎", "🙏", "\n\t\r\x01", "<b>&"} {
		got := asciiJSON(v)
		var back string
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != v {
			t.Errorf("%q is written %s", v, got)
		}
		if strings.Contains(got, "/") && !strings.Contains(got, `\/`) || !bytes.Equal([]byte(got), bytes.ToValidUTF8([]byte(got), nil)) {
			t.Errorf("%q is written %s", v, got)
		}
	}
}

func TestAmountsAreRoundedHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		micro int64
		dp    int
		want  string
	}{
		{1_234_567, 6, "1.234567"}, {1_234_567, 2, "1.23"}, {1_235_000, 2, "1.24"}, {-1_235_000, 2, "-1.24"}, {-4_000, 2, "0.00"},
		{99_999_999, 2, "100.00"}, {5_000_000, 0, "5"}, {1_500_000, 8, "1.50000000"},
	} {
		if got := string(appendAmount(nil, c.micro, c.dp)); got != c.want {
			t.Errorf("%d at %d decimals is %s, want %s", c.micro, c.dp, got, c.want)
		}
	}
}
