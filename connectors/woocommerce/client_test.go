package woocommerce

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/dghubble/oauth1"
	"github.com/rs/zerolog"
)

// A server that drops the Authorization header hears the key in the address.
func TestKeyInTheAddressWhereTheHeaderIsDropped(t *testing.T) {
	s := newReplayed(t)
	s.before = func(_ string, _ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Authorization")
		if q := r.URL.Query(); q.Get("consumer_key") == testKey && q.Get("consumer_secret") == testSecret {
			r.SetBasicAuth(testKey, testSecret)
		}
		return false
	}
	var log bytes.Buffer
	c := s.start()
	c.env.Log = zerolog.New(&log)
	shop, err := c.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if check := find(shop, "credentials"); !check.OK || !check.Warn || !strings.Contains(check.Note, "Authorization") {
		t.Errorf("credentials: %+v", check)
	}
	if refused := strings.Count(strings.Join(s.requests(), " "), "consumer_key="); refused != len(s.requests())-1 {
		t.Errorf("%d of %d requests show the key: it is to be found out once", refused, len(s.requests()))
	}
	s.before = nil
	if _, err = s.start(func(cfg *Config) { cfg.Auth = AuthQuery }).Pull(t.Context(), intake.Orders, nil); connectors.ClassOf(err) != connectors.Denied {
		t.Errorf("auth: query was not obeyed: %v", err)
	}
}

// A wrong key is refused both ways; the connector does not go on trying.
func TestWrongKey(t *testing.T) {
	s := newReplayed(t)
	c := s.start(func(cfg *Config) { cfg.ConsumerSecret = "cs_wrong" })
	_, err := c.Pull(t.Context(), intake.Orders, nil)
	checkDenial(t, "wrong key", err, connectors.Denied, "Either the key and its secret are wrong or were deleted, or the key or its user may not read this")
	if n := len(s.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// Without pretty permalinks every route is a parameter of the home page.
func TestPlainPermalinks(t *testing.T) {
	s := newReplayed(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := r.URL.Query().Get("rest_route")
		if r.URL.Path != "/boutique/" || route == "" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("<html>Page introuvable</html>"))
			return
		}
		r.URL.Path = "/wp-json" + route
		s.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := connectTo(t, server.URL+"/boutique/wp-json/", server.Client().Transport)
	if records, _ := pullAll(t, c, intake.TaxRates); len(records) == 0 {
		t.Error("no tax rates")
	}
	shop, err := c.Probe(t.Context())
	if err != nil || !strings.Contains(find(shop, "credentials").Note, "permalinks are off") {
		t.Errorf("%+v, %v", shop.Checks, err)
	}
}

// Over plain http each attempt is signed anew, as WooCommerce checks it.
func TestSignaturesOverHTTP(t *testing.T) {
	s := newReplayed(t)
	var mu sync.Mutex
	nonces := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		mu.Lock()
		nonces[q.Get("oauth_nonce")]++
		first := len(nonces) == 1
		reused := nonces[q.Get("oauth_nonce")] > 1
		mu.Unlock()
		switch {
		case reused:
			replayError(t, w, "error-401-oauth-nonce-reused.json")
		case first:
			w.WriteHeader(http.StatusBadGateway)
		case q.Get("oauth_consumer_key") != testKey || q.Get("oauth_signature") != wooSignature("http://"+r.Host+r.URL.Path, q):
			replayError(t, w, "error-401-bad-secret.json")
		default:
			r.SetBasicAuth(testKey, testSecret)
			s.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	c := connectTo(t, server.URL, nil)
	if records, _ := pullAll(t, c, intake.Orders); len(records) < 25 {
		t.Errorf("%d orders", len(records))
	}
	if strings.Contains(strings.Join(s.requests(), " "), testSecret) {
		t.Error("the secret went over plain http")
	}
}

// wooSignature is what WooCommerce computes, from its source: names in byte
// order, names and values encoded twice, the secret followed by "&".
func wooSignature(address string, q url.Values) string {
	var names []string
	for name := range q {
		if name != "oauth_signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var pairs []string
	for _, name := range names {
		twice := func(v string) string { return strings.ReplaceAll(oauth1.PercentEncode(v), "%", "%25") }
		pairs = append(pairs, twice(name)+"%3D"+twice(q.Get(name)))
	}
	mac := hmac.New(sha256.New, []byte(testSecret+"&"))
	mac.Write([]byte("GET&" + oauth1.PercentEncode(address) + "&" + strings.Join(pairs, "%26")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// What some hosts do to an answer does no harm: a byte order mark, blank lines,
// gzip that no header announces.
func TestHarmlessDecorations(t *testing.T) {
	for name, decorate := range map[string]func([]byte) []byte{
		"byte order mark": func(b []byte) []byte { return append([]byte("\r\n\xef\xbb\xbf\n "), b...) },
		"blank lines":     func(b []byte) []byte { return append(b, "\n\n\n"...) },
		"undeclared gzip": func(b []byte) []byte {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			_, _ = w.Write(b)
			_ = w.Close()
			return z.Bytes()
		},
	} {
		s := newReplayed(t)
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(rec.Code)
			_, _ = w.Write(decorate(rec.Body.Bytes()))
		}))
		records, _ := pullAll(t, connectTo(t, server.URL, server.Client().Transport), intake.TaxRates)
		server.Close()
		if len(records) == 0 {
			t.Errorf("%s: no records", name)
		}
	}
}

// No two requests have the same address, so that no cache can answer.
func TestEveryAddressIsNew(t *testing.T) {
	s := newReplayed(t)
	c := s.start()
	for range 3 {
		pullAll(t, c, intake.TaxRates)
	}
	asked := s.requests()
	slices.Sort(asked)
	if n := len(slices.Compact(slices.Clone(asked))); n != len(asked) {
		t.Errorf("%d addresses for %d requests", n, len(asked))
	}
}

func find(shop connectors.Shop, name string) connectors.Check {
	for _, c := range shop.Checks {
		if c.Name == name {
			return c
		}
	}
	return connectors.Check{}
}

func TestProbeTellsWhatTheShopIsLike(t *testing.T) {
	shop, err := newReplayed(t).start().Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := connectors.Shop{Platform: "woocommerce", Version: "11.0.1", Name: "Atelier d’essai", URL: shop.URL, Country: "FR", Currency: "EUR", Decimals: 2, TimeZone: "Europe/Paris", Checks: shop.Checks}
	if got := shop; got.Name != want.Name || got.Version != want.Version || got.Currency != want.Currency || got.Decimals != 2 ||
		got.TimeZone != want.TimeZone || got.Country != "FR" || got.PricesIncludeTax || got.RoundAtSubtotal || got.ClockOffset != 0 {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, check := range shop.Checks {
		if !check.OK || check.Warn {
			t.Errorf("%+v", check)
		}
	}
	for _, name := range []string{"credentials", "clock", "rights", "write access", "filter by change", "version", "order storage", "list of variations", "list of refunds", "weights"} {
		if find(shop, name).Name == "" {
			t.Errorf("%q was not checked", name)
		}
	}
}

func TestProbeFindsWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name     string
		check    string
		ok, warn bool
		says     string
		before   func(route string, w http.ResponseWriter, r *http.Request) bool
	}{
		{"clock off by a day", "clock", false, false, "24h0m0s behind", func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", testNow.Add(-24*time.Hour).Format(http.TimeFormat))
			return false
		}},
		{"clock off by five minutes", "clock", true, true, "5m0s ahead of", func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", testNow.Add(5*time.Minute).Format(http.TimeFormat))
			return false
		}},
		{"filter ignored", "filter by change", true, true, "ignores modified_after", func(_ string, _ http.ResponseWriter, r *http.Request) bool {
			q := r.URL.Query()
			q.Del("modified_after")
			r.URL.RawQuery = q.Encode()
			return false
		}},
		{"filter misread", "filter by change", false, false, "changes would be missed", func(_ string, w http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("modified_after") {
				return false
			}
			_, _ = w.Write([]byte("[]"))
			return true
		}},
		{"too few rights", "rights", false, false, "customers, coupons", func(route string, w http.ResponseWriter, _ *http.Request) bool {
			if route != "customers" && route != "coupons" {
				return false
			}
			replayError(t, w, "error-401-bad-key.json")
			return true
		}},
		{"an old shop", "list of refunds", true, false, "order by order", func(route string, w http.ResponseWriter, _ *http.Request) bool {
			if route != "refunds" {
				return false
			}
			replayError(t, w, "error-404-no-route.json")
			return true
		}},
		{"a key that may only read", "write access", true, true, "Read/Write", func(route string, w http.ResponseWriter, _ *http.Request) bool {
			if route != "products/batch" {
				return false
			}
			replayError(t, w, "error-401-read-only-key.json")
			return true
		}},
		{"a firewall before the write", "write access", true, true, "cannot be found out", func(route string, w http.ResponseWriter, _ *http.Request) bool {
			if route != "products/batch" {
				return false
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<html>Forbidden</html>"))
			return true
		}},
		{"settings out of reach", "settings general", true, true, "cannot be read", func(route string, w http.ResponseWriter, _ *http.Request) bool {
			if route != "settings/general" {
				return false
			}
			replayError(t, w, "error-401-bad-key.json")
			return true
		}},
	} {
		s := newReplayed(t)
		s.before = tt.before
		shop, err := s.start().Probe(t.Context())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := find(shop, tt.check); got.OK != tt.ok || got.Warn != tt.warn || !strings.Contains(got.Note, tt.says) {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if shop.Currency != "EUR" {
			t.Errorf("%s: currency %q", tt.name, shop.Currency)
		}
	}
}

func TestTimeZones(t *testing.T) {
	for _, tt := range []struct{ name, offset, want string }{
		{"America/Montreal", "-5", "America/Montreal"}, {"", "0", "UTC"}, {"", "2", "Etc/GMT-2"}, {"", "-3", "Etc/GMT+3"}, {"", "5.5", "Asia/Kolkata"}, {"", "", ""},
	} {
		got := timeZone(tt.name, tt.offset)
		if _, err := time.LoadLocation(got); got != tt.want || err != nil {
			t.Errorf("%q and %q: %q, %v", tt.name, tt.offset, got, err)
		}
	}
}
