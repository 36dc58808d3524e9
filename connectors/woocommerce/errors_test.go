package woocommerce

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// Every recorded refusal ends in the class that says what is to be done, and
// in words that help.
func TestRecordedErrors(t *testing.T) {
	want := map[string]struct {
		class connectors.Class
		says  string
	}{
		"error-400-bad-date.json":                    {connectors.Rejected, "modified_after"},
		"error-400-bad-json-type.json":               {connectors.Rejected, "stock_quantity"},
		"error-400-duplicate-sku.json":               {connectors.Rejected, "SKU"},
		"error-400-expired-coupon-leaves-draft.json": {connectors.Rejected, `Coupon "expire" has expired`},
		"error-400-number-for-price.json":            {connectors.Rejected, "regular_price"},
		"error-400-per-page.json":                    {connectors.Rejected, "per_page"},
		"error-401-bad-key.json":                     {connectors.Denied, "or the key or its user may not read this"},
		"error-401-bad-secret.json":                  {connectors.Denied, "Consumer secret is invalid"},
		"error-401-basic-over-http.json":             {connectors.Denied, "Make a key"},
		"error-401-no-auth.json":                     {connectors.Denied, "Make a key"},
		"error-401-oauth-nonce-reused.json":          {connectors.Denied, "nonce"},
		"error-401-read-only-key.json":               {connectors.Denied, "write permissions"},
		"error-404-customer.json":                    {connectors.Rejected, "Invalid user ID"},
		"error-404-no-route.json":                    {connectors.Denied, "activate WooCommerce"},
		"error-404-no-such-order.json":               {connectors.Rejected, "Invalid ID"},
		"error-404-product.json":                     {connectors.Rejected, "Invalid ID"},
		"error-410-already-trashed.json":             {connectors.Rejected, "already been deleted"},
		"error-413-batch-101.json":                   {connectors.Rejected, "100 items"},
		"error-500-refund-too-much.json":             {connectors.Rejected, "Invalid refund amount"},
	}
	files, _ := filepath.Glob("testdata/error-*.json")
	if len(files) != len(want) {
		t.Errorf("%d recorded errors, %d expected", len(files), len(want))
	}
	for _, f := range files {
		name := filepath.Base(f)
		asked := 0
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			replayError(t, w, name)
		}))
		c := connectTo(t, server.URL, server.Client().Transport, func(cfg *Config) { cfg.Auth = AuthBasic })
		_, err := c.Pull(t.Context(), intake.Customers, nil)
		server.Close()
		checkDenial(t, name, err, want[name].class, want[name].says)
		if asked != 1 {
			t.Errorf("%s: asked %d times for what stays refused", name, asked)
		}
	}
}

// checkDenial checks the class and the words of an error, and that it keeps
// the key to itself.
func checkDenial(t *testing.T, name string, err error, class connectors.Class, says string) {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v is no error of a connector", name, err)
		return
	}
	if e.Class != class || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %s error %q, want %s with %q", name, e.Class, err, class, says)
	}
	for _, secret := range []string{testKey, testSecret} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}
	if !strings.HasPrefix(e.Op, "woocommerce: ") {
		t.Errorf("%s: op is %q", name, e.Op)
	}
}

func TestShopsThatCannotBeRead(t *testing.T) {
	html := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<!DOCTYPE html><html><body>Bienvenue</body></html>"))
		}
	}
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for _, tt := range []struct {
		name        string
		handler     http.HandlerFunc
		pull, probe connectors.Class
		says        string
	}{
		{"wrong url: a site without WordPress", html(404), connectors.Denied, connectors.Denied, "correct url"},
		{"a web page with status 200", html(200), connectors.Transient, connectors.Transient, "<!DOCTYPE html>"},
		{"a firewall", html(403), connectors.Denied, connectors.Denied, "firewall"},
		{"a PHP notice before the data", text("<b>Notice</b>: Undefined index []"), connectors.Transient, connectors.Transient, "WP_DEBUG_DISPLAY"},
		{"an empty answer", text(""), connectors.Transient, connectors.Transient, "empty"},
		{"too many requests", html(429, "Retry-After", "3600"), connectors.Throttled, connectors.Throttled, "429"},
		{"maintenance", html(503), connectors.Transient, connectors.Transient, "503"},
		{"maintenance with an end", html(503, "Retry-After", "3600"), connectors.Throttled, connectors.Throttled, "503"},
		{"a redirect to the right name", html(301, "Location", "https://www.shop.example/fr/wp-json/wc/v3/orders?consumer_key="+testKey), connectors.Denied, connectors.Denied, `set url to "https://www.shop.example/fr"`},
		{"a redirect elsewhere", html(302, "Location", "/wp-login.php?"+testSecret), connectors.Denied, connectors.Denied, "/wp-login.php"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewTLSServer(tt.handler)
			defer server.Close()
			c := connectTo(t, server.URL, server.Client().Transport)
			_, err := c.Pull(t.Context(), intake.Orders, nil)
			checkDenial(t, "pull", err, tt.pull, "")
			_, err = c.Probe(t.Context())
			checkDenial(t, "probe", err, tt.probe, tt.says)
			var e *connectors.Error
			if errors.As(err, &e) && tt.probe == connectors.Throttled && e.RetryAfter != time.Hour {
				t.Errorf("RetryAfter is %v", e.RetryAfter)
			}
		})
	}
}

// A firewall that refuses one request of many is asked once more; a key that
// is refused is not.
func TestAFirewallIsAskedMoreThanOnce(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotAcceptable} {
		asked := 0
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked == 1 {
				w.WriteHeader(status)
				_, _ = w.Write([]byte("<html>blocked</html>"))
				return
			}
			_, _ = w.Write([]byte("[]"))
		}))
		c := connectTo(t, server.URL, server.Client().Transport)
		_, err := c.Pull(t.Context(), intake.TaxRates, nil)
		server.Close()
		if err != nil || asked != 2 {
			t.Errorf("%d: asked %d times: %v", status, asked, err)
		}
	}
}

func TestCertificatesThatAreNotTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of each refusal
	server.StartTLS()
	defer server.Close()
	trusting := server.Client().Transport.(*http.Transport)
	for _, tt := range []struct {
		name   string
		config func(*tls.Config)
		url    string
		says   string
	}{
		{"expired", func(c *tls.Config) { c.Time = func() time.Time { return time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC) } }, server.URL, "certificate has expired"},
		{"of an unknown authority", func(c *tls.Config) { c.RootCAs = nil }, server.URL, "not issued by an authority"},
		{"of another name", func(c *tls.Config) { c.ServerName = "boutique.example.org" }, server.URL, "made for another name"},
		{"none: plain http behind https", func(*tls.Config) {}, "", "does not speak https"},
	} {
		plain := httptest.NewServer(http.NotFoundHandler())
		url := tt.url
		if url == "" {
			url = strings.Replace(plain.URL, "http://", "https://", 1)
		}
		transport := trusting.Clone()
		tt.config(transport.TLSClientConfig)
		_, err := connectTo(t, url, transport).Probe(t.Context())
		checkDenial(t, tt.name, err, connectors.Denied, tt.says)
		transport.CloseIdleConnections()
		plain.Close()
	}
}

// Two gigabytes are announced, or just come: neither is read.
func TestHugeBodyIsCutOff(t *testing.T) {
	for _, announced := range []bool{true, false} {
		sent := 0
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if announced {
				w.Header().Set("Content-Length", fmt.Sprint(2<<30))
			}
			row := []byte("[" + strings.Repeat(" ", 64<<10))
			for r.Context().Err() == nil && sent < 2<<30 {
				n, err := w.Write(row)
				if sent += n; err != nil {
					return
				}
			}
		}))
		c := connectTo(t, server.URL, server.Client().Transport, func(cfg *Config) { cfg.MaxBody = 1; cfg.PageSize = 5 })
		_, err := c.Pull(t.Context(), intake.TaxRates, nil)
		server.Close()
		checkDenial(t, "pull", err, connectors.Rejected, "max_body")
		if sent > 200<<20 {
			t.Errorf("announced %v: %d bytes were read", announced, sent)
		}
	}
}

func TestEndedContextIsNoErrorOfTheShop(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := connectTo(t, server.URL, server.Client().Transport).Pull(ctx, intake.Orders, nil)
	if !connectors.Ended(err) {
		t.Errorf("got %v", err)
	}
}
