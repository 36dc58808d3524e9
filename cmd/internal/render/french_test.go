package render

import (
	"path/filepath"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/reports"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// TestEveryLabelIsTranslated makes every report of books with one untaxed order
// and looks for words that French does not have.
func TestEveryLabelIsTranslated(t *testing.T) {
	day := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	b, err := erp.Open(t.Context(), erp.Options{Path: filepath.Join(t.TempDir(), "books.db"), Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()},
		Company: erp.Company{Currency: "EUR", Chart: "pcg"}, Now: func() time.Time { return day }, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ten := decimal.NewFromInt(10)
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: "1"}, day, &intake.Order{Number: "1", State: intake.StateCompleted, PlacedAt: day, PaidAt: day, CompletedAt: day, Currency: "EUR", Total: ten,
		Lines:    []intake.Line{{ID: "1", Kind: intake.LineItem, Title: "A", Quantity: ten, Subtotal: ten, Total: ten}},
		Payments: []intake.Money{{ID: "1", Kind: intake.MoneySale, Gateway: "stripe", Amount: ten, At: day}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Receive(t.Context(), erp.Stream{Shop: "atelier", Resource: intake.Orders}, []intake.Record{rec}, nil); err != nil {
		t.Fatal(err)
	}
	words := french()
	check := func(report, s string) {
		if _, ok := words[s]; s != "" && !ok {
			t.Errorf("%s says %q, which has no French", report, s)
		}
	}
	for _, d := range reports.All() {
		for _, by := range reports.SalesBy() {
			p := reports.Params{Now: day.AddDate(1, 0, 0), By: by, From: "2026-02-01", To: "2026-03-31", Documents: by == reports.ByMonth}
			if d.Paged {
				p.Limit = 1
			}
			r, err := reports.Run(t.Context(), b.Reader(), d.Name, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range labels(r) {
				check(d.Name, s)
			}
		}
	}
}

// labels are the words of a report that are ours.
func labels(r reports.Report) []string {
	out := []string{r.Title}
	row := func(line reports.Row) {
		for _, c := range line {
			if c.Label {
				out = append(out, c.Text)
			}
		}
	}
	for _, c := range r.Columns {
		out = append(out, c.Title)
	}
	for _, f := range r.Filters {
		out = append(out, f.Name)
	}
	for _, s := range r.Sections {
		if !s.Name {
			out = append(out, s.Title)
		}
		row(s.Total)
		for _, line := range s.Rows {
			row(line)
		}
	}
	for _, line := range r.Totals {
		row(line)
	}
	for _, n := range r.Notes {
		out = append(out, n.Text)
	}
	for _, t := range r.Ties {
		out = append(out, t.What)
	}
	if r.Chart != nil {
		for _, s := range r.Chart.Series {
			out = append(out, s.Title)
		}
	}
	return out
}
