package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/connectors/sandbox"
	"comptoir/erp/reports"
	"comptoir/erp/sales"

	"github.com/google/go-cmp/cmp"
)

// TestTheSameHistoryEndsInTheSameBooksOnEitherPlatform has two shops tell one
// history, each in its own dialect, and compares the books: accounts, taxes,
// stock, invoices and credit notes, to the cent. The one rule that they must be
// given is that a cancellation gives no money back: WooCommerce leaves that to
// the books, and Shopify tells of each refund.
func TestTheSameHistoryEndsInTheSameBooksOnEitherPlatform(t *testing.T) {
	for _, seed := range []int64{1, 2, 3} {
		told := map[sandbox.Platform]telling{}
		for _, platform := range []sandbox.Platform{sandbox.WooCommerce, sandbox.Shopify} {
			b := newBox(t, sandbox.Options{Seed: seed, Orders: 400, Platform: platform, Common: true})
			w := newWorld(t, b, func(w *world) { w.rules = func(r *sales.Rules) { r.CancelReturnsMoney = false } })
			w.sync()
			b.live(10 * 24 * time.Hour)
			w.sync()
			told[platform] = w.tell()
		}
		woo, shopify := told[sandbox.WooCommerce], told[sandbox.Shopify]
		if len(woo.Documents) < 300 || len(woo.Taxes) < 3 || len(woo.Stock) < 20 {
			t.Fatalf("seed %d: there is little to compare: %d documents, %d taxes, %d variants in stock", seed, len(woo.Documents), len(woo.Taxes), len(woo.Stock))
		}
		if diff := cmp.Diff(woo, shopify); diff != "" {
			t.Errorf("seed %d: the books differ (- WooCommerce, + Shopify):\n%s", seed, diff)
		}
	}
}

// telling is what books say, without where they have it from.
type telling struct {
	Accounts  []string // code, name, closing balance
	Taxes     []string // agency, rate, month, amounts
	Stock     []string // SKU, on hand, demand, value
	Documents []string // order, kind, date, amounts, content
	Parked    int
}

func (w *world) tell() telling {
	w.t.Helper()
	if found, err := w.books.Verify(w.t.Context()); err != nil || len(found) > 0 {
		w.t.Errorf("the books do not hold together: %v, %v", found, err)
	}
	return telling{
		Accounts:  w.rows(`SELECT a.code, a.name, SUM(l.debit - l.credit) FROM entry_line l JOIN account a ON a.id = l.account_id GROUP BY a.code, a.name`),
		Taxes:     w.report("sales-tax", strings.NewReplacer("CA-QC", "CA", "US-CA", "US")), // Shopify does not tell which region a tax is due to
		Stock:     w.rows(`SELECT v.sku, SUM(l.on_hand), SUM(l.demand), SUM(l.allocated), SUM(l.value) FROM stock_level l JOIN variant v ON v.id = l.variant_id GROUP BY v.sku`),
		Documents: w.rows(`SELECT REPLACE(o.number, '#', ''), i.kind, i.date, i.currency, i.net, i.tax, i.total, i.content FROM invoice i JOIN sales_order o ON o.id = i.order_id`),
		Parked:    len(w.parked()),
	}
}

// rows are the rows of a query as text, sorted.
func (w *world) rows(query string) []string {
	w.t.Helper()
	rows, err := w.books.Reader().Query(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// report is a report of the whole time, row by row, as spelled.
func (w *world) report(name string, spelling *strings.Replacer) []string {
	w.t.Helper()
	r, err := reports.Run(w.t.Context(), w.books.Reader(), name, reports.Params{Now: w.now()})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, s := range r.Sections {
		for _, row := range s.Rows {
			text := s.Title
			for _, c := range row {
				text += fmt.Sprintf(" | %s%d", c.Text, c.Number)
			}
			out = append(out, spelling.Replace(text))
		}
	}
	slices.Sort(out)
	return out
}

// TestAnOrderOfTheLastMomentsMakesNoFalseAdjustment syncs right after a sale:
// the goods have left the shop's number, and the order may not be listed yet.
func TestAnOrderOfTheLastMomentsMakesNoFalseAdjustment(t *testing.T) {
	for _, platform := range []sandbox.Platform{sandbox.WooCommerce, sandbox.Shopify} {
		b := newBox(t, sandbox.Options{Seed: 4, Orders: 60, Platform: platform, Common: true})
		b.live(time.Minute)
		w := newWorld(t, b)
		w.sync()
		for range 3 {
			for range 20 { // some of the goods sell early and late in this minute
				if b.PlaceOrder() == "" {
					t.Fatal("no order was placed")
				}
				b.live(2 * time.Second)
			}
			for range 2 { // at once, and when it is listed
				if res := w.sync(); res.Settled != nil && res.Settled.Adjusted > 0 {
					t.Errorf("%q: %+v", platform, res.Settled)
				}
				b.live(40 * time.Second)
			}
		}
		if found, err := w.books.Verify(t.Context()); err != nil || len(found) > 0 {
			t.Errorf("%q: %v, %v", platform, found, err)
		}
	}
}
