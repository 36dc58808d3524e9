package erp_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/reports"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	ctx    = context.Background()
	placed = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	paid   = placed.Add(5 * time.Minute)
	sent   = placed.Add(48 * time.Hour)
	orders = erp.Stream{Shop: "atelier", Resource: intake.Orders}
	goods  = erp.Stream{Shop: "atelier", Resource: intake.Products}
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// each opens fresh books on both databases.
func each(t *testing.T, rules sales.Rules, fn func(t *testing.T, b *erp.Books)) {
	company := erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC, Rates: []erp.Rate{{Currency: "USD", From: "2026-01-01", Rate: dec("0.9")}}}
	eachOf(t, company, rules, fn)
}

func eachOf(t *testing.T, company erp.Company, rules sales.Rules, fn func(t *testing.T, b *erp.Books)) {
	open := func(t *testing.T, path, url string) *erp.Books {
		b, err := erp.Open(ctx, erp.Options{Path: path, URL: url, Shops: map[string]sales.Rules{"atelier": rules}, Company: company,
			Now: func() time.Time { return placed.AddDate(0, 1, 0) }, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	t.Run("sqlite", func(t *testing.T) { fn(t, open(t, filepath.Join(t.TempDir(), "books.db"), "")) })
	t.Run("postgres", func(t *testing.T) { fn(t, open(t, "", storetest.URL(t))) })
}

// order is two shirts at 10.00, 20 % tax, 4.90 for shipping, paid by stripe.
func order(edit ...func(*intake.Order)) *intake.Order {
	vat := func(amount string) []intake.Tax {
		return []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec(amount)}}
	}
	o := &intake.Order{
		Number: "1042", RawStatus: "processing", State: intake.StateOpen, PlacedAt: placed, PaidAt: paid, Currency: "EUR", Total: dec("29.88"), TotalTax: dec("4.98"),
		Customer: intake.Customer{Email: "Zoé@example.test", FirstName: "Zoé", Billing: intake.Address{City: "Saint-Étienne", Country: "FR"}},
		Lines: []intake.Line{
			{ID: "1", Kind: intake.LineItem, ProductID: "7", VariantID: "7", SKU: "SHIRT", Title: "Chemise", Quantity: dec("2"), Subtotal: dec("20"), Total: dec("20"), Taxes: vat("4")},
			{ID: "2", Kind: intake.LineShipping, Code: "flat_rate", Title: "Forfait", Quantity: dec("1"), Subtotal: dec("4.90"), Total: dec("4.90"), Taxes: vat("0.98")},
		},
		Payment:  intake.Payment{Method: "stripe", Title: "Card"},
		Payments: []intake.Money{{ID: "tx_77", Kind: intake.MoneySale, Gateway: "stripe", Amount: dec("29.88"), Fee: dec("0.67"), At: paid}},
	}
	for _, e := range edit {
		e(o)
	}
	return o
}

func completed(o *intake.Order) {
	o.RawStatus, o.State, o.CompletedAt = "completed", intake.StateCompleted, sent
}

func shirt(stock string) *intake.Product {
	q, cost := dec(stock), dec("3.50")
	return &intake.Product{Title: "Chemise", Kind: intake.ProductStocked, Status: "published",
		Variants: []intake.Variant{{ID: "7", ProductID: "7", SKU: "SHIRT", Kind: intake.ProductStocked, Tracked: true, Sellable: true, Stock: &q, Cost: &cost}}}
}

func seal(t *testing.T, kind intake.Kind, id string, modified time.Time, body any) intake.Record {
	t.Helper()
	rec, err := intake.Seal(intake.Ref{Kind: kind, ID: id}, modified, body, []byte(`{"id":`+id+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func receive(t *testing.T, b *erp.Books, s erp.Stream, recs ...intake.Record) erp.Receipt {
	t.Helper()
	r, err := b.Receive(ctx, s, recs, []byte("cursor"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func state(t *testing.T, b *erp.Books, id string, modified time.Time, o *intake.Order) {
	t.Helper()
	receive(t, b, orders, seal(t, intake.KindOrder, id, modified, o))
}

// balances returns the accounts that are not at zero, as "role=closing", and
// clearing accounts as "gateway/currency=closing".
func balances(t *testing.T, b *erp.Books) string {
	t.Helper()
	tb, err := reports.TrialBalance(ctx, b.Reader(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if !tb.Balanced() {
		t.Errorf("trial balance does not balance: %+v", tb)
	}
	var out []string
	for name, n := range sums(t, b, `SELECT CASE WHEN a.gateway <> '' THEN a.gateway || '/' || a.currency ELSE a.role END, SUM(d.debit - d.credit)
		FROM account a JOIN account_day d ON d.account_id = a.id GROUP BY a.gateway, a.currency, a.role`) {
		if n != 0 {
			out = append(out, fmt.Sprintf("%s=%d", name, n))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
