package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// answering is a shop that gives one answer.
func answering(status int, body string, header ...string) *till {
	shop := newTill(1000, 50, 1)
	shop.says = func(_ int, req *http.Request) *http.Response { return tells(req, status, body, header...) }
	return shop
}

func TestQuestionIsAskedAsTheShopWantsIt(t *testing.T) {
	var asked *http.Request
	var body []byte
	shop := newTill(1000, 50, 1)
	shop.says = func(_ int, req *http.Request) *http.Response {
		asked = req
		body, _ = io.ReadAll(req.Body)
		return tells(req, 200, `{"data":{"orders":{"nodes":[{"id":"gid://shopify/Order/1"}]}},"extensions":{"cost":{"requestedQueryCost":7}}}`, "Date", "Mon, 23 Nov 2026 12:00:00 GMT")
	}
	var out struct {
		Orders struct{ Nodes []struct{ ID string } }
	}
	a, err := clientOf(shop, nil).do(t.Context(), "list orders", document{"orders", "query orders { x }"}, map[string]any{"first": 25}, &out)
	if err != nil || len(out.Orders.Nodes) != 1 || out.Orders.Nodes[0].ID != "gid://shopify/Order/1" {
		t.Fatalf("%+v, %v", out, err)
	}
	if !a.Now.Equal(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)) || a.Extensions.Cost.Requested != 7 || len(a.Denied) > 0 {
		t.Errorf("beside the data: %+v", a)
	}
	if asked.Method != "POST" || asked.URL.String() != "https://atelier.myshopify.com/admin/api/2026-10/graphql.json" ||
		asked.Header.Get("X-Shopify-Access-Token") != "shpat_secret" || asked.Header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %s %s with %v", asked.Method, asked.URL, asked.Header)
	}
	var sent struct {
		Query     string
		Variables map[string]any
	}
	if err := json.Unmarshal(body, &sent); err != nil || sent.Query != "query orders { x }" || sent.Variables["first"] != 25.0 {
		t.Errorf("sent %s", body)
	}
}

// Each of the places where an error may stand, with what the engine is to do
// and what a person is told.
func TestErrorsInAllPlaces(t *testing.T) {
	const html = `<!DOCTYPE html><html>Something went wrong</html>`
	beside := func(fault string) string {
		return `{"data":{"orders":{"nodes":[{"id":"1"}]}},"errors":[` + fault + `]}`
	}
	for _, tt := range []struct {
		name     string
		shop     *till
		class    connectors.Class
		says     string // in the error
		fix      string // in the advice
		attempts int
	}{
		{"wrong token", answering(401, `{"errors":"[API] Invalid API key or access token"}`), connectors.Denied, "Invalid API key", "access_token", 1},
		{"frozen", answering(402, `{"errors":"Payment Required"}`), connectors.Denied, "402", "bill", 1},
		{"locked", answering(423, `{"errors":"Locked"}`), connectors.Denied, "423", "support", 1},
		{"no right", answering(403, `{"errors":"requires merchant approval for read_orders scope"}`), connectors.Denied, "the shop answered 403 Forbidden: requires merchant approval for read_orders", "the right", 1},
		{"no shop", answering(404, html), connectors.Denied, "404", "api_version", 1},
		{"redirected", answering(301, "", "Location", "https://other.example/admin"), connectors.Denied, "other.example", ".myshopify.com", 1},
		{"takes us for a danger", answering(430, `{"errors":"Security Rejection"}`), connectors.Throttled, "430:", "max_in_flight", retries + 1},
		{"too many requests", answering(429, `{"errors":"slow"}`, "Retry-After", "2"), connectors.Throttled, "slow", "", retries + 1},
		{"stumbles", answering(502, html), connectors.Transient, "502", "", retries + 1},
		{"bad request", answering(400, `{"errors":{"query":"Required parameter missing"}}`), connectors.Rejected, "Required parameter", "", 1},
		{"a page in place of the answer", answering(200, html), connectors.Transient, "not JSON", "proxy", 1},
		{"nothing", answering(200, ""), connectors.Transient, "empty", "", 1},
		{"half an answer", answering(200, `{"data":{"orders":`), connectors.Transient, "cut off", "", 1},
		{"neither data nor errors", answering(200, `{"extensions":{}}`), connectors.Transient, "neither", "", 1},
		{"no data", answering(200, `{"data":null}`), connectors.Transient, "neither", "", 1},
		{"errors as a text", answering(200, `{"errors":"Not Found"}`), connectors.Transient, "Not Found", "", retries + 1},
		{"its own failing, with half of the data", answering(200, beside(`{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"r"}}`)),
			connectors.Transient, "INTERNAL_SERVER_ERROR", "status page", retries + 1},
		{"a field of old", answering(200, `{"errors":[{"message":"Field 'totalPrice' doesn't exist on type 'Order'","path":["query orders","orders","nodes","totalPrice"],
			"extensions":{"code":"undefinedField","typeName":"Order","fieldName":"totalPrice"}}]}`), connectors.Rejected, "totalPrice", "version 2026-10 of the Admin API does not know what was asked (Order.totalPrice)", 1},
		{"a wrong variable", answering(200, `{"errors":[{"message":"bad","extensions":{"code":"argumentLiteralsIncompatible"}}]}`), connectors.Rejected, "argumentLiteralsIncompatible", ": bring Comptoir up to date", 1},
		{"too dear", answering(200, `{"errors":[{"message":"Query cost is 1502","extensions":{"code":"MAX_COST_EXCEEDED","cost":1502,"maxCost":1000}}]}`), connectors.Rejected, "MAX_COST_EXCEEDED", "page_size", 1},
		{"closed", answering(200, `{"errors":[{"message":"x","extensions":{"code":"SHOP_INACTIVE"}}]}`), connectors.Denied, "SHOP_INACTIVE", "plan", 1},
		{"customers that are denied", answering(200, `{"data":{"customers":null},"errors":[{"message":"Access denied","path":["customers"],
			"extensions":{"code":"ACCESS_DENIED","requiredAccess":"`+"`read_customers`"+` access scope."}}]}`), connectors.Rejected, "ACCESS_DENIED", "read_customers", 1},
		{"a denial of nobody knows what", answering(200, `{"errors":[{"message":"Access denied","extensions":{"code":"ACCESS_DENIED"}}]}`), connectors.Denied, "ACCESS_DENIED", "rights", 1},
		{"orders that are denied", answering(200, `{"data":{"orders":null},"errors":[{"message":"Access denied","path":["orders"],"extensions":{"code":"ACCESS_DENIED"}}]}`), connectors.Denied, "ACCESS_DENIED", "orders", 1},
		{"a field that cannot be done without", answering(200, beside(`{"message":"no","path":["orders","nodes",0,"refunds"],"extensions":{"code":"ACCESS_DENIED"}}`)), connectors.Denied, "refunds", "orders.nodes.refunds", 1},
		{"a filter that was left out", answering(200, `{"data":{"orders":{"nodes":[]}},"extensions":{"search":[{"path":["orders"],"query":"updatedat:>x","warnings":[{"field":"updatedat","message":"Invalid search field for this query.","code":"invalid_field"}]}]}}`),
			connectors.Rejected, `"updatedat"`, "api_version", 1},
		{"data of another shape", answering(200, `{"data":{"orders":[]}}`), connectors.Rejected, "shape", "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out struct {
					Orders struct{ Nodes []struct{ ID string } }
				}
				a, err := clientOf(tt.shop, nil).do(t.Context(), "list orders", asks("orders"), nil, &out)
				var e *connectors.Error
				if !errors.As(err, &e) || a != nil {
					t.Fatalf("answer %+v, error %v", a, err)
				}
				if e.Class != tt.class || tt.shop.asked != tt.attempts {
					t.Errorf("%s after %d requests, want %s after %d: %v", e.Class, tt.shop.asked, tt.class, tt.attempts, err)
				}
				if !strings.Contains(e.Err.Error(), tt.says) || !strings.Contains(e.Fix, tt.fix) || e.Op != "shopify: list orders" {
					t.Errorf("says %q and advises %q", e.Error(), e.Fix)
				}
				if strings.Contains(err.Error(), "shpat_secret") {
					t.Errorf("the token is in %q", err)
				}
			})
		})
	}
}

func TestTooDearIsKnownAsSuch(t *testing.T) {
	_, err := clientOf(answering(200, `{"errors":[{"message":"x","extensions":{"code":"MAX_COST_EXCEEDED"}}]}`), nil).do(t.Context(), "ask", asks("orders"), nil, new(struct{}))
	if !errors.Is(err, errTooDear) {
		t.Errorf("%v", err)
	}
}

func TestDeniedFieldsAreNamed(t *testing.T) {
	_, err := clientOf(answering(200, `{"data":null,"errors":[{"message":"x","path":["orders","nodes",3,"returns"],"extensions":{"code":"ACCESS_DENIED"}}]}`), nil).do(t.Context(), "ask", asks("orders"), nil, new(struct{}))
	if fields, ok := denied(err); !ok || len(fields) != 1 || fields[0] != "orders.nodes.returns" {
		t.Errorf("%v, %v", fields, ok)
	}
	if _, ok := denied(errors.New("x")); ok {
		t.Error("any error is a denial")
	}
}

// What Shopify keeps from apps that it has not approved is left out; the rest
// of the answer stands.
func TestProtectedFieldsMayBeMissing(t *testing.T) {
	shop := answering(200, `{"data":{"orders":{"nodes":[{"id":"1","customer":null},{"id":"2","customer":null}]}},"errors":[
		{"message":"not approved","path":["orders","nodes",0,"customer"],"extensions":{"code":"ACCESS_DENIED"}},
		{"message":"not approved","path":["orders","nodes",1,"customer"],"extensions":{"code":"ACCESS_DENIED"}},
		{"message":"not approved","path":["orders","nodes",1,"shippingAddress","phone"],"extensions":{"code":"ACCESS_DENIED"}}]}`)
	var out struct {
		Orders struct{ Nodes []struct{ ID string } }
	}
	var log bytes.Buffer
	c := clientOf(shop, func(_ *Config, env *connectors.Env) { env.Log = zerolog.New(&log).Level(zerolog.WarnLevel) })
	a, err := c.do(t.Context(), "list orders", asks("orders"), nil, &out)
	if err != nil || len(out.Orders.Nodes) != 2 || shop.asked != 1 {
		t.Fatalf("%+v after %d requests: %v", out, shop.asked, err)
	}
	if _, err := c.do(t.Context(), "list orders", asks("orders"), nil, &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "orders.nodes.shippingAddress.phone"); n != 1 || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("each field is told of once: %s", log.String())
	}
	if got := strings.Join(a.Denied, " "); got != "orders.nodes.customer orders.nodes.shippingAddress.phone" {
		t.Errorf("denied: %s", got)
	}
}

// Many errors of one kind make one short message.
func TestErrorsAreNotRepeated(t *testing.T) {
	var list []string
	for _, code := range []string{"A", "A", "B", "C", "D", "E"} {
		list = append(list, `{"message":"x","extensions":{"code":"`+code+`"}}`)
	}
	var f faults
	if err := json.Unmarshal([]byte("["+strings.Join(list, ",")+"]"), &f); err != nil {
		t.Fatal(err)
	}
	if got, want := (&answerError{f}).Error(), "the shop answered A: x; B: x; C: x; and 2 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRefusedMutation(t *testing.T) {
	c := clientOf(newTill(1000, 50, 1), nil)
	var said []userError
	if err := json.Unmarshal([]byte(`[{"field":["input","quantities","0"],"message":"is stale","code":"CHANGE_FROM_QUANTITY_STALE"},{"field":null,"message":"busy"}]`), &said); err != nil {
		t.Fatal(err)
	}
	e := c.userFault("push stock", said)
	if e.Class != connectors.Rejected || e.Op != "shopify: push stock" ||
		e.Err.Error() != "the shop refused: CHANGE_FROM_QUANTITY_STALE: input.quantities.0: is stale; busy" {
		t.Errorf("%v", e)
	}
}

func TestDocumentThatDoesNotExistIsNotSent(t *testing.T) {
	shop := newTill(1000, 50, 1)
	if _, err := clientOf(shop, nil).do(t.Context(), "ask", document{name: "nonsense"}, nil, new(struct{})); connectors.ClassOf(err) != connectors.Rejected || shop.asked > 0 {
		t.Errorf("%d requests: %v", shop.asked, err)
	}
}

// A file lies elsewhere: whoever keeps it must not see the token.
func TestFilesAreReadWithoutTheToken(t *testing.T) {
	var asked *http.Request
	shop := newTill(1000, 50, 1)
	shop.says = func(_ int, req *http.Request) *http.Response {
		asked = req
		return tells(req, 206, "b\n", "Content-Range", "bytes 2-3/4")
	}
	file, err := clientOf(shop, nil).get(t.Context(), "read the result", "https://storage.example/result.jsonl?signature=s3cret", 2)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err != nil || string(text) != "b\n" || asked.Header.Get("Range") != "bytes=2-" || asked.Header.Get("X-Shopify-Access-Token") != "" {
		t.Errorf("%q, %v, asked with %v", text, err, asked.Header)
	}
	shop.says = func(_ int, req *http.Request) *http.Response {
		return tells(req, 403, "<Error>Signature expired</Error>")
	}
	if _, err := clientOf(shop, nil).get(t.Context(), "read the result", "https://storage.example/result.jsonl?signature=s3cret", 0); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}

func TestVersionsAreWatched(t *testing.T) {
	at := func(day string) func(*Config, *connectors.Env) {
		return func(_ *Config, env *connectors.Env) {
			now, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			env.Now = func() time.Time { return now }
		}
	}
	for _, tt := range []struct {
		name, day string
		header    []string
		warns     string // "": nothing
	}{
		{"the version that was asked for", "2026-11-23", []string{headerVersion, "2026-10"}, ""},
		{"no version at all", "2026-11-23", nil, ""},
		{"another version", "2026-11-23", []string{headerVersion, "2027-01"}, "answers as version 2027-01"},
		{"a deprecated field", "2026-11-23", []string{headerVersion, "2026-10", headerDeprecated, "https://shopify.dev/x"}, "https://shopify.dev/x"},
		{"61 days before the end", "2027-08-01", nil, ""},
		{"59 days before the end", "2027-08-03", nil, "only until 2027-10-01"},
		{"after the end", "2027-10-02", nil, "until 2027-10-01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			c := clientOf(answering(200, `{"data":{"ok":true}}`, tt.header...), func(cfg *Config, env *connectors.Env) {
				at(tt.day)(cfg, env)
				env.Log = zerolog.New(&log).Level(zerolog.WarnLevel)
			})
			for range 3 {
				if _, err := c.do(t.Context(), "ask", asks("orders"), nil, new(struct{})); err != nil {
					t.Fatal(err)
				}
			}
			lines := strings.Count(log.String(), "\n")
			if tt.warns == "" && lines > 0 || tt.warns != "" && (lines != 1 || !strings.Contains(log.String(), tt.warns) || !strings.Contains(log.String(), `"shop":"atelier"`)) {
				t.Errorf("logged %q, want %q once", log.String(), tt.warns)
			}
		})
	}
}

// FuzzReply holds that no answer makes the client panic, and that none with
// errors, or with neither data nor errors, passes for one with data.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"ok":true}}`, `{"data":null,"errors":"x"}`, `{"errors":[{"message":"x","path":["a",0,"b"],"extensions":{"code":"THROTTLED"}}]}`,
		`{"errors":{"a":[1]},"extensions":{"cost":{"requestedQueryCost":1e308,"throttleStatus":{"maximumAvailable":1,"currentlyAvailable":-1e308,"restoreRate":1e-308}}}}`,
		`{"errors":[null,1,"x",{"message":null,"extensions":{"code":7}}]}`, `{"data":{},"extensions":{"search":[{"warnings":[{"code":"invalid_field"}]}]}}`, "\xef\xbb\xbf{}", `[]`, ``, `{"errors":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := readReply(body)
		if err != nil {
			return
		}
		var raw struct{ Errors json.RawMessage }
		if json.Unmarshal(body, &raw) == nil && raw.Errors != nil {
			var list []any
			empty := string(raw.Errors) == "null" || json.Unmarshal(raw.Errors, &list) == nil && len(list) == 0
			if empty != (len(r.Errors) == 0) {
				t.Errorf("errors %s are read as %v", raw.Errors, r.Errors)
			}
		}
		if wait := pause(r.Extensions.Cost); wait < leastPause || wait > longestPause {
			t.Errorf("a pause of %v", wait)
		}
		g := newGovernor(time.Now)
		if ticket, _, _ := g.try("x"); ticket != nil {
			ticket.done(r.Extensions.Cost)
		}
		if _, wait, _ := g.try("x"); wait < 0 || wait > longestPause {
			t.Errorf("a wait of %v", wait)
		}
		spoiling, _ := r.Errors.sift()
		if e := (&answerError{spoiling}); len(spoiling) > 0 {
			_, _ = e.judge(*NewConfig())
			if e.Error() == "" {
				t.Error("an error without a text")
			}
		}
	})
}

// What must not be done twice is sent again only where the shop says that it
// has not begun.
func TestWhatIsSentOnceIsSentAgainOnlyWhereItWasRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		first    string
		attempts int
	}{
		"no points left": {`{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`, 2},
		"stumbled":       {`{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`, 1},
		"cut off":        {`{"data":{`, 1},
		"another shape":  {`{"data":{"ok":"done"}}`, 1}, // it was done, and how is not understood
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				shop := newTill(1000, 50, 1)
				shop.says = func(_ int, req *http.Request) *http.Response {
					if attempts++; attempts == 1 {
						return tells(req, 200, tt.first)
					}
					return tells(req, 200, `{"data":{"ok":true}}`)
				}
				var out struct{ OK bool }
				_, err := clientOf(shop, nil).doOnce(t.Context(), "ship", asks("order_ship"), nil, &out)
				if attempts != tt.attempts || (err == nil) != (tt.attempts == 2) || err != nil && connectors.ClassOf(err) != connectors.Transient {
					t.Errorf("%d attempts, %v: %v", attempts, connectors.ClassOf(err), err)
				}
			})
		})
	}
}
