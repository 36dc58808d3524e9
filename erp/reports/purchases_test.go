package reports_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/purchasing"
	"comptoir/erp/reports"
)

// cells returns the row of a report that begins with a text, by the keys of its
// columns.
func cells(t *testing.T, r reports.Report, first string) map[string]reports.Cell {
	t.Helper()
	for _, s := range r.Sections {
		for _, row := range s.Rows {
			if row[0].Text != first {
				continue
			}
			out := map[string]reports.Cell{}
			for i, c := range row {
				out[r.Columns[i].Key] = c
			}
			return out
		}
	}
	t.Fatalf("%s has no row %q:\n%s", r.Name, first, dump(r))
	return nil
}

func TestPurchasesPayoutsAndReturnsStandInTheirReports(t *testing.T) {
	eachAt(t, march.AddDate(0, 6, 0), func(t *testing.T, b *erp.Books) {
		quarter(t, b)
		done := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := b.SaveVendor(ctx, purchasing.Vendor{Name: "Tissus SA", Country: "FR", TermsDays: 30})
		done(err)
		bill := func(number, date, net string) purchasing.Document {
			return purchasing.Document{Ref: purchasing.Ref{Vendor: "Tissus SA", Number: number}, Date: date,
				Lines: []purchasing.Line{{Account: "6520", Description: "Paper", Quantity: dec("1"), Net: dec(net), TaxPPM: 200_000}}}
		}
		_, err = b.Bill(ctx, bill("F-1", "2026-03-10", "10"))
		done(err)
		_, err = b.Bill(ctx, bill("F-2", "2026-05-01", "20"))
		done(err)
		pay := dec("4")
		_, err = b.PayBills(ctx, purchasing.Payment{Date: "2026-05-20", Bills: []purchasing.Pay{{Ref: purchasing.Ref{Vendor: "Tissus SA", Number: "F-1"}, Amount: &pay}}})
		done(err)
		_, err = b.BookPayout(ctx, erp.Payout{Gateway: "stripe", Currency: "EUR", Amount: dec("50"), Fee: dec("0.30"), Date: "2026-05-21", Reference: "po_1"})
		done(err)
		_, err = b.SettleTax(ctx, "FR", "2026-01-01", "2026-06-30")
		done(err)

		run := func(name string, p reports.Params) reports.Report {
			t.Helper()
			p.Now = march.AddDate(0, 6, 0)
			r, err := reports.Run(ctx, b.Reader(), name, p)
			done(err)
			for _, tie := range r.Ties {
				if tie.Difference() != 0 {
					t.Errorf("%s: %+v differs by %d", name, tie, tie.Difference())
				}
			}
			return r
		}
		for _, d := range reports.All() {
			run(d.Name, reports.Params{})
			run(d.Name, reports.Params{From: "2026-05-01", To: "2026-06-30"})
		}
		owed := cells(t, run("aged-payables", reports.Params{AsOf: "2026-05-31"}), "F-1")
		if owed["total"].Number != 800 || owed["61-90"].Number != 800 || owed["name"].Text != "Tissus SA" {
			t.Errorf("F-1 is owed %+v", owed)
		}
		if before := cells(t, run("aged-payables", reports.Params{AsOf: "2026-04-30"}), "F-1"); before["total"].Number != 1200 || before["31-60"].Number != 1200 {
			t.Errorf("F-1 was owed %+v", before)
		}
		gateway := cells(t, run("clearing", reports.Params{From: "2026-05-01"}), "1050-stripe-EUR")
		if gateway["payouts"].Number != 5000 || gateway["fees"].Number != 30+67 {
			t.Errorf("payouts of 50.00 and fees of 0.30 and 0.67: got %+v", gateway)
		}
		for _, tie := range run("sales-tax", reports.Params{}).Ties {
			if tie.Other == 0 {
				t.Errorf("the settlement is not told apart: %+v", tie)
			}
		}
		vat := run("vat-return", reports.Params{Documents: true})
		var deductible int64
		for _, s := range vat.Sections {
			for _, row := range s.Rows {
				deductible += row[len(row)-2].Number
			}
		}
		if deductible != 600 {
			t.Errorf("deductible tax of %d:\n%s", deductible, dump(vat))
		}
	})
}
