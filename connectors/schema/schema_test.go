package schema

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestSchemasOfAllVersionsAreRead(t *testing.T) {
	for _, version := range Versions() {
		s := Need(t, version)
		if len(s.Types) < 3000 || s.Types["Order"] == nil || s.Mutation == nil || s.Directives["idempotent"] == nil {
			t.Errorf("%s: %d types, order %v, mutation %v", version, len(s.Types), s.Types["Order"] != nil, s.Mutation != nil)
		}
		if again, _ := Load(version); again != s {
			t.Errorf("%s is read twice", version)
		}
	}
}

func TestAbsentSchema(t *testing.T) {
	t.Setenv(Directory, t.TempDir())
	t.Setenv(require, "")
	_, err := read("2026-10")
	if !errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), ".ci/shopify-schema") {
		t.Errorf("error %v", err)
	}
	for setting, want := range map[string]string{"": "skipped", "all": "failed"} {
		t.Setenv(require, setting)
		asked := &fakeTest{}
		Need(asked, "1999-01")
		if asked.end != want {
			t.Errorf("with %q the test is %s, want %s", setting, asked.end, want)
		}
	}
}

func TestDamagedSchema(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(Directory, dir)
	if err := os.WriteFile(dir+"/admin_2026-10.json.gz", []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read("2026-10"); err == nil || errors.Is(err, ErrAbsent) {
		t.Errorf("error %v", err)
	}
}

type fakeTest struct{ end string }

func (f *fakeTest) Helper() {}
func (f *fakeTest) Skip(...any) {
	if f.end == "" {
		f.end = "skipped"
	}
}
func (f *fakeTest) Fatal(...any) {
	if f.end == "" {
		f.end = "failed"
	}
}

// Every kind of mistake is found, and named.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	s := Need(t, "2026-10")
	for _, tt := range []struct{ name, text, names string }{
		{"unknown field", `{ shop { nome } }`, `"nome"`},
		{"unknown argument", `{ orders(first: 1, status: OPEN) { nodes { id } } }`, `"status"`},
		{"unknown enum value", `{ orders(first: 1, sortKey: AGE) { nodes { id } } }`, `"AGE"`},
		{"unknown type", `query q($id: GlobalID) { order(id: $id) { id } }`, `"GlobalID"`},
		{"missing argument", `{ order { id } }`, `"id"`},
		{"wrong type of variable", `query q($id: Int) { order(id: $id) { id } }`, `"$id"`},
		{"unknown directive", `mutation { locationDeactivate(locationId: "1") @once { userErrors { code } } }`, `"@once"`},
		{"deprecated field", `{ orders(first: 1) { nodes { totalPrice } } }`, "Order.totalPrice"},
		{"deprecated root field", `{ currentBulkOperation { id } }`, "QueryRoot.currentBulkOperation"},
		{"deprecated field in a fragment", `{ orders(first: 1) { nodes { ...o } } } fragment o on Order { totalTax }`, "Order.totalTax"},
		{"deprecated input field", `mutation { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {callbackUrl: "https://x"}) { userErrors { message } } }`,
			"WebhookSubscriptionInput.callbackUrl"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, wrong := Check(s, tt.text)
			if doc != nil || !strings.Contains(strings.Join(wrong, "\n"), tt.names) {
				t.Errorf("found %q, want one that names %s", wrong, tt.names)
			}
		})
	}
	if _, wrong := Check(s, `query q($n: Int!) { orders(first: $n, sortKey: ID) { nodes { id totalPriceSet { shopMoney { amount } } } } }`); len(wrong) > 0 {
		t.Errorf("a right document is refused: %q", wrong)
	}
}

// The costs are those that Shopify has charged for selections of this shape,
// as published with the documents of Business Central's connector.
func TestCostIsWhatShopifyCharges(t *testing.T) {
	s := Need(t, "2026-10")
	for _, tt := range []struct {
		text string
		vars map[string]any
		want int
	}{
		{`{ customers(first: 1) { edges { node { id } } } }`, nil, 3},
		{`query q($n: Int!) { products(first: $n) { nodes { id } pageInfo { hasNextPage } } }`, map[string]any{"n": 200}, 12},
		{`query q($n: Int = 200) { products(first: $n) { nodes { id } } }`, nil, 12},
		{`{ product(id: "1") { variants(first: 250) { nodes { inventoryItem { id } } } } }`, nil, 25},
		{`{ location(id: "1") { inventoryLevels(first: 100) { edges { node { quantities(names: "available") { quantity } item { measurement { weight { unit } } } } } } } }`, nil, 48},
		{`{ order(id: "1") { transactions { amountSet { shopMoney { amount } } paymentDetails { ... on CardPaymentDetails { bin } } } } }`, nil, 3},
		{`{ orders(first: 25) { nodes { totalPriceSet { shopMoney { amount } } app { name } customAttributes { key } risk { assessments { riskLevel } }
			displayAddress { zip } shippingAddress { zip } billingAddress { zip } taxLines { rate } purchasingEntity { ... on PurchasingCompany { company { id } } } } } }`, nil, 68},
	} {
		doc, wrong := Check(s, tt.text)
		if doc == nil {
			t.Errorf("%s: %q", tt.text, wrong)
			continue
		}
		if got := Cost(s, doc, doc.Operations[0], tt.vars); got != tt.want {
			t.Errorf("%s costs %d, want %d", tt.text, got, tt.want)
		}
	}
}

func TestDefaultsAreRead(t *testing.T) {
	for text, want := range map[string]ast.ValueKind{"false": ast.BooleanValue, `"x"`: ast.StringValue, "[A, B]": ast.ListValue, "{a: 1}": ast.ObjectValue, "ID": ast.EnumValue} {
		if v, err := literal(text); err != nil || v.Kind != want {
			t.Errorf("%s is %+v, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "1) }", "1, w: 2"} {
		if v, err := literal(text); err == nil {
			t.Errorf("%q is %+v", text, v)
		}
	}
}

func TestScopesAreThoseOfTypesAndFields(t *testing.T) {
	s := Need(t, "2026-10")
	for text, want := range map[string]string{
		`{ shop { name } }`: "[]",
		`{ orders(first: 1) { nodes { id paymentTerms { id } } } }`:  "[[read_orders read_marketplace_orders read_quick_sale] [read_payment_terms]]",
		`{ shopifyPaymentsAccount { activated accountOpenerName } }`: "[[read_shopify_payments read_shopify_payments_accounts] [read_shopify_payments_accounts_sensitive]]",
	} {
		doc, wrong := Check(s, text)
		if doc == nil {
			t.Errorf("%s: %q", text, wrong)
			continue
		}
		if got := fmt.Sprint(Scopes("2026-10", doc)); got != want {
			t.Errorf("%s needs %s, want %s", text, got, want)
		}
	}
}
