package reports_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"comptoir/erp"
	"comptoir/erp/reports"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// dump writes a report as text, with the numbers as the books hold them.
func dump(r reports.Report) string {
	var b strings.Builder
	line := func(mark string, row reports.Row) {
		fmt.Fprint(&b, mark)
		for i, c := range row {
			switch {
			case !c.Filled:
				fmt.Fprint(&b, " |")
			case r.Columns[i].Key == "entry":
				fmt.Fprint(&b, " # |") // a number that depends on all that was written before
			case r.Columns[i].Kind.Numeric():
				fmt.Fprintf(&b, " %d%s |", c.Number, c.Currency)
			default:
				fmt.Fprintf(&b, " %s |", c.Text)
			}
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "%s: %s, %s, from %q to %q as of %q, %v\n", r.Name, r.Title, r.Currency, r.From, r.To, r.AsOf, r.Filters)
	for _, c := range r.Columns {
		fmt.Fprintf(&b, "%s (%s, %s) ", c.Key, c.Title, c.Kind)
	}
	fmt.Fprintln(&b)
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "[%s] %s\n", s.Key, s.Title)
		for _, row := range s.Rows {
			line("  ", row)
		}
		if s.Total != nil {
			line("  =", s.Total)
		}
	}
	for _, row := range r.Totals {
		line("==", row)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: "+n.Text+"\n", n.Args...)
	}
	for _, t := range r.Ties {
		fmt.Fprintf(&b, "tie: %s: %d = %d - %d, difference %d\n", t.What, t.Report, t.Accounts, t.Other, t.Difference())
	}
	if c := r.Chart; c != nil {
		fmt.Fprintf(&b, "chart: %q\n", c.Labels)
		for _, s := range c.Series {
			fmt.Fprintf(&b, "  %s: %v\n", s.Title, s.Values)
		}
	}
	return b.String()
}

// asked are the parameters of the golden files; a report may have several.
var asked = map[string][]reports.Params{
	"trial-balance":    {{}, {From: "2026-04-01", To: "2026-04-30", Shop: "atelier"}},
	"income-statement": {{}, {From: "2026-04-01", To: "2026-04-30"}, {From: "2026-03-10", To: "2026-03-31", Compare: reports.CompareYear, Shop: "bureau"}},
	"balance-sheet":    {{}, {AsOf: "2026-04-30", From: "2026-04-01"}},
	"general-ledger":   {{From: "2026-03-10", To: "2026-03-20"}, {Account: "1200"}, {Shop: "bureau", Account: "4000"}},
	"journal":          {{To: "2026-03-10"}, {Shop: "bureau", From: "2026-05-01"}},
	"sales-tax":        {{}, {From: "2026-04-01", To: "2026-04-30"}, {Shop: "bureau"}},
	"vat-return":       {{}, {From: "2026-03-01", To: "2026-04-30", Documents: true}, {Shop: "bureau", Documents: true}},
	"income-expenses":  {{}, {From: "2026-04-01", To: "2026-05-31", Shop: "bureau"}},
	"cash-summary":     {{}, {From: "2026-04-01", To: "2026-04-30"}},
	"aged-receivables": {{}, {AsOf: "2026-04-20"}, {Shop: "bureau", AsOf: "2026-03-01"}},
	"aged-payables":    {{}},
	"clearing":         {{}, {From: "2026-04-01", To: "2026-04-30", Shop: "atelier"}},
	"payouts":          {{}},
	"stock-valuation":  {{}, {AsOf: "2026-03-10"}},
	"stock":            {{}, {AsOf: "2026-03-10"}},
	"sales":            {{}, {By: reports.ByChannel}, {By: reports.ByCustomer, Shop: "atelier"}, {By: reports.ByCountry}, {By: reports.ByMonth, From: "2026-04-01"}},
}

func TestReportsAreAsTheirGoldenFiles(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		quarter(t, b)
		for _, d := range reports.All() {
			t.Run(d.Name, func(t *testing.T) {
				if len(asked[d.Name]) == 0 {
					t.Fatal("no golden file is asked for")
				}
				var got strings.Builder
				for _, p := range asked[d.Name] {
					p.Now = march.AddDate(0, 3, 0)
					r, err := reports.Run(ctx, b.Reader(), d.Name, p)
					if err != nil {
						t.Fatal(err)
					}
					got.WriteString(dump(r) + "\n")
				}
				golden(t, d.Name, got.String())
			})
		}
	})
}

// golden compares a text with the golden file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +got):\n%s", file, diff)
	}
}
