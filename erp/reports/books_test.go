package reports_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	ctx   = context.Background()
	march = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// each opens fresh books of two shops on both databases.
func each(t *testing.T, fn func(t *testing.T, b *erp.Books)) {
	eachAt(t, march.AddDate(0, 3, 0), fn)
}

// eachAt is each on a day of its own.
func eachAt(t *testing.T, now time.Time, fn func(t *testing.T, b *erp.Books)) {
	open := func(t *testing.T, path, url string) *erp.Books {
		b, err := erp.Open(ctx, erp.Options{Path: path, URL: url,
			Shops:   map[string]sales.Rules{"atelier": sales.DefaultRules(), "bureau": sales.DefaultRules()},
			Company: erp.Company{Name: "Atelier Zoé", Currency: "EUR", Chart: "general", TimeZone: time.UTC, Rates: []erp.Rate{{Currency: "USD", From: "2026-01-01", Rate: dec("0.9")}}},
			Now:     func() time.Time { return now }, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	t.Run("sqlite", func(t *testing.T) { fn(t, open(t, filepath.Join(t.TempDir(), "books.db"), "")) })
	t.Run("postgres", func(t *testing.T) { fn(t, open(t, "", storetest.URL(t))) })
}

// rate is a tax that the orders of the tests bear.
type rate struct {
	id, name, country string
	percent           string
}

var (
	tva20 = rate{"1", "TVA 20 %", "FR", "20"}
	tva55 = rate{"2", "TVA 5,5 %", "FR", "5.5"}
	mwst  = rate{"3", "MwSt. 19 %", "DE", "19"}
	zero  = rate{"4", "Export", "US", "0"}
)

func (r rate) on(net decimal.Decimal) []intake.Tax {
	return []intake.Tax{{RateID: r.id, Name: r.name, Rate: dec(r.percent), Amount: net.Mul(dec(r.percent)).Div(dec("100")).Round(2)}}
}

// an order of shirts at 10.00 and shipping at 4.90, paid by stripe with a fee
// of 0.67.
type sale struct {
	number   string
	placed   time.Time
	quantity int64
	sku      string
	rate     *rate
	country  string
	customer string
	edit     func(*intake.Order)
}

func (s sale) order() *intake.Order {
	quantity := decimal.NewFromInt(max(s.quantity, 1))
	net, shipping := quantity.Mul(dec("10")), dec("4.90")
	o := &intake.Order{
		Number: s.number, RawStatus: "completed", State: intake.StateCompleted, PlacedAt: s.placed, PaidAt: s.placed.Add(time.Hour), CompletedAt: s.placed.Add(48 * time.Hour), Currency: "EUR",
		Customer: intake.Customer{Email: s.customer + "@example.test", FirstName: s.customer, LastName: "Muster", Billing: intake.Address{Country: s.country}},
		Lines: []intake.Line{
			{ID: "1", Kind: intake.LineItem, ProductID: s.sku, VariantID: s.sku, SKU: s.sku, Title: "Chemise " + s.sku, Quantity: quantity, Subtotal: net, Total: net},
			{ID: "2", Kind: intake.LineShipping, Code: "flat_rate", Title: "Forfait", Quantity: dec("1"), Subtotal: shipping, Total: shipping},
		},
		Payment: intake.Payment{Method: "stripe", Title: "Card"},
	}
	if s.rate != nil {
		o.Lines[0].Taxes, o.Lines[1].Taxes = s.rate.on(net), s.rate.on(shipping)
		o.TotalTax = o.Lines[0].Taxes[0].Amount.Add(o.Lines[1].Taxes[0].Amount)
	}
	o.Total = net.Add(shipping).Add(o.TotalTax)
	o.Payments = []intake.Money{{ID: "tx" + s.number, Kind: intake.MoneySale, Gateway: "stripe", Amount: o.Total, Fee: dec("0.67"), At: o.PaidAt}}
	if s.edit != nil {
		s.edit(o)
	}
	return o
}

func unpaid(o *intake.Order) {
	o.PaidAt, o.Payments, o.Payment = time.Time{}, nil, intake.Payment{Method: "bacs", Title: "Transfer"}
}

// refund gives back one shirt with its tax, some days after it was shipped.
func refund(days int, r rate) func(*intake.Order) {
	return func(o *intake.Order) {
		at := o.CompletedAt.AddDate(0, 0, days)
		taxes := r.on(dec("10"))
		o.Refunds = append(o.Refunds, intake.Refund{ID: "r" + o.Number, At: at, Amount: dec("10").Add(taxes[0].Amount),
			Lines: []intake.RefundLine{{LineID: "1", Quantity: dec("1"), Total: dec("10"), Taxes: taxes}}})
	}
}

// matches reports whether an error says what a pattern wants.
func matches(pattern string, err error) bool {
	return err != nil && regexp.MustCompile(pattern).MatchString(err.Error())
}

func seal(t require, kind intake.Kind, id string, body any) intake.Record {
	t.Helper()
	rec, err := intake.Seal(intake.Ref{Kind: kind, ID: id}, march, body, []byte(`{"id":1}`))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

type require interface {
	Helper()
	Fatal(args ...any)
}

func receive(t require, b *erp.Books, shop string, r intake.Resource, recs ...intake.Record) {
	t.Helper()
	got, err := b.Receive(ctx, erp.Stream{Shop: shop, Resource: r}, recs, []byte("cursor"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Parked > 0 {
		parked, err := b.ParkedRecords(ctx, shop)
		t.Fatal(fmt.Sprintf("parked: %+v %v", parked, err))
	}
}

// stocked fills the shelves and tells the tax rates of a shop.
func stocked(t require, b *erp.Books, shop string) {
	t.Helper()
	for _, r := range []rate{tva20, tva55, mwst, zero} {
		receive(t, b, shop, intake.TaxRates, seal(t, intake.KindTaxRate, r.id, &intake.TaxRate{Name: r.name, Country: r.country, Rate: dec(r.percent)}))
	}
	for _, sku := range []string{"A", "B"} {
		q, cost := dec("100"), dec("3.50")
		receive(t, b, shop, intake.Products, seal(t, intake.KindProduct, sku, &intake.Product{Title: "Chemise " + sku, Kind: intake.ProductStocked, Status: "published",
			Variants: []intake.Variant{{ID: sku, ProductID: sku, SKU: sku, Kind: intake.ProductStocked, Tracked: true, Sellable: true, Stock: &q, Cost: &cost}}}))
	}
	if _, err := b.Settle(ctx, shop, march.AddDate(0, 4, 0), march.AddDate(0, 4, 0)); err != nil {
		t.Fatal(err)
	}
}

// quarter is a small shop's spring.
func quarter(t *testing.T, b *erp.Books) {
	t.Helper()
	for _, shop := range []string{"atelier", "bureau"} {
		stocked(t, b, shop)
	}
	day := func(n int) time.Time { return march.AddDate(0, 0, n) }
	for _, x := range []struct {
		shop string
		sale sale
	}{
		{"atelier", sale{number: "1", placed: day(0), quantity: 2, sku: "A", rate: &tva20, country: "FR", customer: "Zoé"}},
		{"atelier", sale{number: "2", placed: day(3), quantity: 1, sku: "B", rate: &tva55, country: "FR", customer: "Łukasz"}},
		{"atelier", sale{number: "3", placed: day(10), quantity: 3, sku: "A", rate: &mwst, country: "DE", customer: "Jürgen", edit: refund(30, mwst)}},
		{"atelier", sale{number: "4", placed: day(12), quantity: 5, sku: "A", rate: &tva20, country: "FR", customer: "Zoé", edit: unpaid}},
		{"bureau", sale{number: "5", placed: day(15), quantity: 1, sku: "B", rate: &zero, country: "US", customer: "Ann", edit: func(o *intake.Order) { o.Currency = "USD" }}},
		{"bureau", sale{number: "6", placed: day(40), quantity: 4, sku: "A", country: "FR", customer: "=cmd()"}},
		{"bureau", sale{number: "7", placed: day(62), quantity: 1, sku: "B", rate: &tva20, country: "FR", customer: "Zoé", edit: unpaid}},
		{"bureau", sale{number: "8", placed: day(70), quantity: 1, sku: "B", rate: &tva20, country: "FR", customer: "Zoé", edit: func(o *intake.Order) {
			o.State, o.RawStatus, o.CompletedAt = intake.StateOpen, "processing", time.Time{}
		}}},
	} {
		receive(t, b, x.shop, intake.Orders, seal(t, intake.KindOrder, x.sale.number, x.sale.order()))
	}
	if _, err := b.Settle(ctx, "atelier", march.AddDate(0, 4, 0), march.AddDate(0, 4, 0)); err != nil {
		t.Fatal(err)
	}
}
