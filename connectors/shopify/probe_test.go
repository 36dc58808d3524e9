package shopify

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
)

// allScopes are those that leave nothing to be desired.
const allScopes = "read_orders read_all_orders read_products read_inventory read_locations read_customers read_payment_terms read_shopify_payments " +
	"write_inventory write_files write_products write_publications write_merchant_managed_fulfillment_orders write_orders"

// hall is a shop that is looked at.
type hall struct {
	scopes    string
	customer  string // the errors beside a customer
	payments  string // the account, as JSON
	locations int
	header    []string
	domain    string
}

func (h hall) connector(t *testing.T) *Connector {
	t.Helper()
	shop := newTill(1000, 50, 1)
	shop.says = func(_ int, req *http.Request) *http.Response {
		body, _ := io.ReadAll(req.Body)
		var asked struct{ Query string }
		_ = json.Unmarshal(body, &asked)
		return tells(req, 200, h.answer(t, asked.Query), h.header...)
	}
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken = "https://atelier.myshopify.com", "shpat_1"
	c, err := New(connectors.Env{Shop: "atelier", Transport: shop, Now: time.Now}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h hall) answer(t *testing.T, query string) string {
	switch {
	case strings.Contains(query, "currentAppInstallation"):
		var scopes []string
		for _, s := range strings.Fields(h.scopes) {
			scopes = append(scopes, `{"handle":"`+s+`"}`)
		}
		return `{"data":{"shop":{"name":"Atelier","currencyCode":"EUR","ianaTimezone":"Europe/Paris","taxesIncluded":true,"myshopifyDomain":"` + h.domain + `",
			"shopAddress":{"countryCodeV2":"FR"},"plan":{"publicDisplayName":"Basic"}},"currentAppInstallation":{"accessScopes":[` + strings.Join(scopes, ",") + `]}}}`
	case strings.Contains(query, "customers"):
		if h.customer != "" {
			return `{"data":{"customers":{"nodes":[]}},"errors":[` + h.customer + `]}`
		}
		return `{"data":{"customers":{"nodes":[{"id":"gid://shopify/Customer/1"}]}}}`
	case strings.Contains(query, "shopifyPaymentsAccount"):
		return `{"data":{"shopifyPaymentsAccount":` + h.payments + `}}`
	case strings.Contains(query, "locationsCount"):
		return `{"data":{"locationsCount":{"count":` + string(rune('0'+h.locations)) + `}}}`
	}
	t.Errorf("asked %s", query)
	return ""
}

// openHall is a shop where nothing is amiss.
func openHall() hall {
	return hall{scopes: allScopes, payments: `{"activated":true}`, locations: 2, domain: "atelier.myshopify.com", header: []string{headerVersion, "2026-10"}}
}

func TestProbeTellsWhatTheShopIsLike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop, err := openHall().connector(t).Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if shop.Platform != "shopify" || shop.Version != "2026-10" || shop.Name != "Atelier" || shop.URL != "https://atelier.myshopify.com" || shop.Country != "FR" ||
			shop.Currency != "EUR" || shop.Decimals != 2 || !shop.PricesIncludeTax || shop.TimeZone != "Europe/Paris" || shop.ClockOffset != 0 {
			t.Errorf("%+v", shop)
		}
		for _, c := range shop.Checks {
			if !c.OK || c.Warn {
				t.Errorf("%+v", c)
			}
		}
	})
}

// What an answer lacks is said once, with what helps against that.
func TestHiddenFieldSaysWhatHelps(t *testing.T) {
	for field, want := range map[string]string{
		"orders.nodes.paymentTerms": "give the app the right read_payment_terms",
		"orders.nodes.customer":     "ask for access to protected customer data",
	} {
		if got := hiddenField([]string{field}); !strings.Contains(got, field) || !strings.Contains(got, want) || !strings.HasSuffix(got, "run once: comptoir resync SHOP") {
			t.Errorf("%s: %q", field, got)
		}
	}
}

// Each thing that is amiss is one check, which says what will be missing.
func TestProbeTellsWhatIsAmiss(t *testing.T) {
	without := func(scope string) func(*hall) {
		return func(h *hall) {
			what, reading := strings.CutPrefix(scope, "read_")
			h.scopes = strings.Replace(h.scopes, scope, "", 1)
			if reading { // who may write may read
				h.scopes = strings.Replace(h.scopes, "write_"+what, "", 1)
			}
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*hall)
		check  string
		fails  bool // else it warns
		note   string
	}{
		{"60 days of orders", without("read_all_orders"), "read_all_orders", false, "comptoir resync"},
		{"no orders", without("read_orders"), "read_orders", true, "no orders"},
		{"no stock", without("read_inventory"), "read_inventory", true, "no stock"},
		{"no customers", without("read_customers"), "read_customers", false, "customers are not read"},
		{"no right to set stock", without("write_inventory"), "pushing", false, "without write_inventory this cannot be pushed: stock; where"},
		{"no terms of payment", without("read_payment_terms"), "read_payment_terms", false, "held until they are paid: give it to the app and install it again; after that, run once: comptoir resync SHOP"},
		{"no payouts", without("read_shopify_payments"), "payouts", false, "payouts"},
		{"customers without names", func(h *hall) {
			h.customer = `{"message":"no","path":["customers","nodes",0,"defaultEmailAddress","emailAddress"],"extensions":{"code":"ACCESS_DENIED"}}`
		}, "customer data", false, "emailAddress"},
		{"customers not at all", func(h *hall) {
			h.customer = `{"message":"no","path":["customers"],"extensions":{"code":"ACCESS_DENIED"}}`
		}, "customer data", false, "customers"},
		{"another version", func(h *hall) { h.header = []string{headerVersion, "2027-01"} }, "version", false, "2027-01"},
		{"another address", func(h *hall) { h.domain = "other.myshopify.com" }, "address", false, "https://other.myshopify.com"},
		{"a clock that is wrong", func(h *hall) { h.header = append(h.header, "Date", "Sat, 01 Jan 2000 00:10:00 GMT") }, "clock", false, "NTP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := openHall()
				tt.change(&h)
				shop, err := h.connector(t).Probe(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var amiss []connectors.Check
				for _, c := range shop.Checks {
					if (!c.OK || c.Warn) && (c.Name != "pushing" || tt.check == "pushing") {
						amiss = append(amiss, c)
					}
				}
				if len(amiss) != 1 || amiss[0].Name != tt.check || amiss[0].OK == tt.fails || !strings.Contains(amiss[0].Note, tt.note) {
					t.Errorf("amiss: %+v", amiss)
				}
			})
		})
	}
}

func TestShopWithoutShopifyPayments(t *testing.T) {
	for _, account := range []string{`null`, `{"activated":false}`} {
		h := openHall()
		h.payments = account
		shop, err := h.connector(t).Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range shop.Checks {
			if c.Name == "payouts" && (!c.OK || c.Warn || !strings.Contains(c.Note, "does not use")) {
				t.Errorf("%s: %+v", account, c)
			}
		}
	}
}

func TestProbeOfAShopThatDoesNotLetUsIn(t *testing.T) {
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken = "https://atelier.myshopify.com", "shpat_1"
	c, err := New(connectors.Env{Shop: "atelier", Transport: answering(401, `{"errors":"no"}`), Now: time.Now}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Probe(t.Context()); connectors.ClassOf(err) != connectors.Denied {
		t.Errorf("%v", err)
	}
}

func TestRightToWriteIsARightToRead(t *testing.T) {
	for _, tt := range []struct {
		scopes string
		orders bool
	}{
		{"read_orders", true}, {"write_orders", true}, {"read_products write_orders", true},
		{"", false}, {"read_ordersx orders", false}, {"read_all_orders", false},
	} {
		if got := (access{scopes: strings.Fields(tt.scopes)}).has(scopeOrders); got != tt.orders {
			t.Errorf("%q: %v", tt.scopes, got)
		}
	}
	if (access{scopes: []string{"read_all_orders"}}).windowed() || !(access{}).windowed() {
		t.Error("the window of 60 days is not found")
	}
	for scopes, want := range map[string]bool{"read_shopify_payments": true, "read_shopify_payments_accounts": true, "read_shopify_payments_disputes": false, "": false} {
		if got := (access{scopes: strings.Fields(scopes)}).payouts(); got != want {
			t.Errorf("payouts with %q: %v", scopes, got)
		}
	}
}

// The rights are asked for once; a probe asks anew.
func TestRightsAreRemembered(t *testing.T) {
	h := openHall()
	c := h.connector(t)
	for range 3 {
		may, err := c.access(t.Context())
		if err != nil || may.windowed() || !may.payouts() {
			t.Fatalf("%+v, %v", may, err)
		}
	}
	if asked := c.client.governor.number; asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
