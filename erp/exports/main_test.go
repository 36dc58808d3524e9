package exports_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/exports"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var placed = time.Date(2026, 3, 31, 21, 30, 0, 0, time.UTC) // 23:30 in Paris

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// shop is books that a test fills with orders.
type shop struct {
	*testing.T
	books *erp.Books
	now   time.Time
}

// each runs a test on books of both databases, in a currency.
func each(t *testing.T, currency money.Currency, chart string, fn func(s *shop)) {
	t.Run("sqlite", func(t *testing.T) { fn(onSQLite(t, currency, chart)) })
	t.Run("postgres", func(t *testing.T) { fn(open(t, "", storetest.URL(t), currency, chart)) })
}

func onSQLite(t *testing.T, currency money.Currency, chart string) *shop {
	return open(t, filepath.Join(t.TempDir(), "books.db"), "", currency, chart)
}

func open(t *testing.T, path, url string, currency money.Currency, chart string) *shop {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{T: t, now: placed.AddDate(0, 1, 0)}
	s.books, err = erp.Open(t.Context(), erp.Options{Path: path, URL: url, Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()},
		Company: erp.Company{Currency: currency, Chart: chart, TimeZone: paris, Rates: []erp.Rate{{Currency: "USD", From: "2025-01-01", Rate: dec("0.9")}}},
		Now:     func() time.Time { return s.now }, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.books.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// sell books an order of 30 with 5 of tax: paid and shipped.
func (s *shop) sell(number string, edit ...func(*intake.Order)) {
	s.Helper()
	tax := func(amount string) []intake.Tax {
		return []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec(amount)}}
	}
	o := &intake.Order{
		Number: number, RawStatus: "completed", State: intake.StateCompleted, PlacedAt: placed, PaidAt: placed, CompletedAt: placed.Add(time.Hour),
		Currency: s.books.Company().Currency, Total: dec("30"), TotalTax: dec("5"),
		Customer: intake.Customer{Email: number + "@example.test", FirstName: "Zoé", LastName: "O'Brien\t\"X\""},
		Lines: []intake.Line{
			{ID: "1", Kind: intake.LineItem, Title: "Chemise", Quantity: dec("2"), Subtotal: dec("22"), Total: dec("20"), Taxes: tax("4")},
			{ID: "2", Kind: intake.LineShipping, Code: "flat_rate", Title: "Forfait", Quantity: dec("1"), Subtotal: dec("5"), Total: dec("5"), Taxes: tax("1")},
		},
		Payment:  intake.Payment{Method: "stripe"},
		Payments: []intake.Money{{ID: "tx", Kind: intake.MoneySale, Gateway: "stripe", Amount: dec("30"), Fee: dec("1"), At: placed}},
	}
	for _, e := range edit {
		e(o)
	}
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: number}, o.PlacedAt, o, []byte(`{}`))
	if err != nil {
		s.Fatal(err)
	}
	got, err := s.books.Receive(s.Context(), erp.Stream{Shop: "atelier", Resource: intake.Orders}, []intake.Record{rec}, nil)
	if err != nil || got.Applied != 1 {
		s.Fatalf("order %s: %+v, %v", number, got, err)
	}
}

// paysOut books a payout of stripe for the order of a number, from which the
// gateway has held a reserve of 5 back.
func (s *shop) paysOut(number string, c money.Currency, day time.Time, state intake.PayoutState) {
	s.Helper()
	p := &intake.Payout{Gateway: "stripe", Currency: c, State: state, RawStatus: string(state), IssuedAt: day, Net: dec("24"), Reference: "PO-" + number, Items: []intake.PayoutItem{
		{ID: "c" + number, Kind: intake.ItemCharge, Amount: dec("30"), Fee: dec("1"), At: placed, Order: number},
		{ID: "r" + number, Kind: intake.ItemReserve, Raw: "reserved_funds", Amount: dec("-5"), At: day},
	}}
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindPayout, ID: number}, day, p, []byte(`{}`))
	if err != nil {
		s.Fatal(err)
	}
	got, err := s.books.Receive(s.Context(), erp.Stream{Shop: "atelier", Resource: intake.Payouts}, []intake.Record{rec}, nil)
	if err != nil || got.Applied != 1 {
		s.Fatalf("payout %s: %+v, %v", number, got, err)
	}
}

// on moves an order to another day.
func on(day time.Time) func(*intake.Order) {
	return func(o *intake.Order) {
		o.PlacedAt, o.PaidAt, o.CompletedAt = day, day, day.Add(time.Hour)
		for i := range o.Payments {
			o.Payments[i].At = day
		}
	}
}

func gateway(code string) func(*intake.Order) {
	return func(o *intake.Order) { o.Payment.Method, o.Payments[0].Gateway = code, code }
}

func in(c money.Currency) func(*intake.Order) { return func(o *intake.Order) { o.Currency = c } }

// write exports the books and returns the text.
func (s *shop) write(f exports.Format, o exports.Options) (string, exports.Summary) {
	s.Helper()
	var text strings.Builder
	sum, err := write(s.Context(), s.books, &text, f, o)
	if err != nil {
		s.Fatal(err)
	}
	return text.String(), sum
}

func write(ctx context.Context, b *erp.Books, w *strings.Builder, f exports.Format, o exports.Options) (sum exports.Summary, err error) {
	o.Zone = b.Company().TimeZone
	err = b.Snapshot(ctx, func(r store.Reader) error {
		sum, err = exports.Write(ctx, r, w, f, o)
		return err
	})
	return sum, err
}
