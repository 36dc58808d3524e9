package reports_test

import (
	"fmt"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/reports"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// anySale draws an order of any of the kinds that shops have.
func anySale(t *rapid.T, number string) sale {
	s := sale{number: number, quantity: int64(rapid.IntRange(1, 4).Draw(t, "quantity")), sku: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "sku"),
		placed: march.AddDate(0, 0, rapid.IntRange(0, 90).Draw(t, "day")), customer: rapid.SampledFrom([]string{"Zoé", "Ann"}).Draw(t, "customer"),
		country: rapid.SampledFrom([]string{"FR", "DE", "US", ""}).Draw(t, "country"),
		rate:    rapid.SampledFrom([]*rate{nil, &tva20, &tva55, &mwst, &zero}).Draw(t, "rate")}
	edits := []func(*intake.Order){}
	if rapid.Bool().Draw(t, "abroad") {
		edits = append(edits, func(o *intake.Order) { o.Currency = "USD" })
	}
	if rapid.IntRange(0, 3).Draw(t, "paid") == 0 {
		edits = append(edits, unpaid)
	}
	switch rapid.IntRange(0, 6).Draw(t, "state") {
	case 0:
		edits = append(edits, func(o *intake.Order) {
			o.State, o.RawStatus, o.CompletedAt = intake.StateOpen, "processing", time.Time{}
		})
	case 1:
		edits = append(edits, func(o *intake.Order) { o.State, o.RawStatus = intake.StateCancelled, "cancelled" })
	case 2:
		if s.rate != nil {
			edits = append(edits, refund(rapid.IntRange(1, 40).Draw(t, "days"), *s.rate))
		}
	case 3:
		edits = append(edits, func(o *intake.Order) {
			o.Refunds = append(o.Refunds, intake.Refund{ID: "g" + o.Number, At: o.CompletedAt.AddDate(0, 0, 3), Amount: dec("0.25")})
		})
	case 4:
		paid := decimal.New(int64(rapid.IntRange(0, 3000).Draw(t, "paid back")), -2)
		days := rapid.IntRange(-3, 9).Draw(t, "refunded after")
		edits = append(edits, func(o *intake.Order) {
			o.Refunds = append(o.Refunds, intake.Refund{ID: "p" + o.Number, At: o.CompletedAt.AddDate(0, 0, days), Amount: dec("1.25"), Paid: &paid})
		})
	}
	s.edit = func(o *intake.Order) {
		for _, e := range edits {
			e(o)
		}
	}
	return s
}

// anyPayout draws a payout of orders that are there or not, and of what else a
// gateway does.
func anyPayout(t *rapid.T, orders int) *intake.Payout {
	var items []intake.PayoutItem
	for i := range rapid.IntRange(0, 4).Draw(t, "items") {
		kind := rapid.SampledFrom([]intake.PayoutItemKind{intake.ItemCharge, intake.ItemCharge, intake.ItemRefund, intake.ItemDispute, intake.ItemReserve, intake.ItemAdjustment}).Draw(t, "kind")
		cents := func(name string) string {
			return decimal.New(int64(rapid.IntRange(-900, 900).Draw(t, name)), -2).String()
		}
		order := rapid.SampledFrom([]string{"", fmt.Sprint(rapid.IntRange(1, orders+1).Draw(t, "order"))}).Draw(t, "names")
		items = append(items, itemOf(fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "group"), "-", i), kind, cents("amount"), cents("fee"), march.AddDate(0, 0, rapid.IntRange(0, 90).Draw(t, "moved")), order))
	}
	p := payout("", march.AddDate(0, 0, rapid.IntRange(0, 100).Draw(t, "issued")), items...)
	p.Currency = rapid.SampledFrom([]money.Currency{"EUR", "EUR", "USD"}).Draw(t, "paid in")
	p.State = rapid.SampledFrom([]intake.PayoutState{intake.PayoutPaid, intake.PayoutPaid, intake.PayoutPending, intake.PayoutFailed}).Draw(t, "payout state")
	return p
}

// anyPeriod draws the parameters of a report.
func anyPeriod(t *rapid.T, d reports.Definition) reports.Params {
	p := reports.Params{Now: march.AddDate(0, 4, 0), Documents: rapid.Bool().Draw(t, "documents"), By: rapid.SampledFrom(reports.SalesBy()).Draw(t, "by")}
	day := func(n int) string { return march.AddDate(0, 0, n).Format(time.DateOnly) }
	from := rapid.IntRange(-5, 60).Draw(t, "from")
	if rapid.Bool().Draw(t, "begins") {
		p.From = day(from)
	}
	if rapid.Bool().Draw(t, "ends") {
		p.To = day(from + rapid.IntRange(0, 60).Draw(t, "length"))
	}
	if d.NoShop == "" && rapid.Bool().Draw(t, "one shop") {
		p.Shop = rapid.SampledFrom([]string{"atelier", "bureau"}).Draw(t, "shop")
	}
	return p
}

// Whatever the shops have sold, however it is asked: statements balance, and
// each report equals the accounts that it is the detail of.
func TestReportsTieToTheAccounts(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		for _, shop := range []string{"atelier", "bureau"} {
			stocked(t, b, shop)
		}
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(1, 3).Draw(rt, "orders") {
				n++
				number := fmt.Sprint(n)
				if n > 3 && rapid.Bool().Draw(rt, "edited") { // one that is known is stated anew
					number = fmt.Sprint(n - 3)
				}
				shop := []string{"atelier", "bureau"}[len(number)%2]
				receive(rt, b, shop, intake.Orders, seal(rt, intake.KindOrder, number, anySale(rt, number).order()))
			}
			if rapid.Bool().Draw(rt, "paid out") {
				shop := rapid.SampledFrom([]string{"atelier", "bureau"}).Draw(rt, "of")
				receive(rt, b, shop, intake.Payouts, seal(rt, intake.KindPayout, fmt.Sprint(rapid.IntRange(1, 5).Draw(rt, "payout")), anyPayout(rt, n)))
			}
			for range 4 {
				d := rapid.SampledFrom(reports.All()).Draw(rt, "report")
				p := anyPeriod(rt, d)
				r, err := reports.Run(ctx, b.Reader(), d.Name, p)
				if err != nil {
					rt.Fatalf("%s %+v: %v", d.Name, p, err)
				}
				for _, tie := range r.Ties {
					if tie.Difference() != 0 {
						rt.Fatalf("%s %+v: %+v differs by %d\n%s", d.Name, p, tie, tie.Difference(), dump(r))
					}
				}
				for _, s := range r.Sections {
					for _, row := range append([]reports.Row{s.Total}, s.Rows...) {
						if row != nil && len(row) != len(r.Columns) {
							rt.Fatalf("%s: a row of %d cells for %d columns", d.Name, len(row), len(r.Columns))
						}
					}
				}
			}
		})
	})
}

func TestPagesOfLedgerAndJournalMakeTheWhole(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		quarter(t, b)
		for _, d := range []string{"general-ledger", "journal"} {
			for _, p := range []reports.Params{{}, {From: "2026-03-10", To: "2026-05-10"}, {Shop: "bureau"}} {
				whole, err := reports.Run(ctx, b.Reader(), d, p)
				if err != nil {
					t.Fatal(err)
				}
				want := rowsOf(whole)
				for _, limit := range []int{1, 3, 7} {
					var got []string
					p := p
					p.Limit = limit
					for pages := 0; ; pages++ {
						page, err := reports.Run(ctx, b.Reader(), d, p)
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, rowsOf(page)...)
						if p.After = page.Next; p.After == "" || pages > 1000 {
							break
						}
					}
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%s %+v by %d: %d lines, want %d\n got %v\nwant %v", d, p, limit, len(got), len(want), got, want)
					}
				}
			}
		}
	})
}

// rowsOf are the lines of a report without openings and sums.
func rowsOf(r reports.Report) []string {
	var out []string
	for _, s := range r.Sections {
		for _, row := range s.Rows {
			if row[0].Filled {
				out = append(out, s.Key+fmt.Sprint(row))
			}
		}
	}
	return out
}

func TestWhatCannotBeReportedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		for _, c := range []struct {
			name   string
			params reports.Params
			want   string
		}{
			{"income", reports.Params{}, `there is no report "income"`},
			{"journal", reports.Params{From: "yesterday"}, `--from: "yesterday" is not a date`},
			{"journal", reports.Params{To: "2026-02-30"}, `--to: "2026-02-30" is not a date`},
			{"balance-sheet", reports.Params{AsOf: "2026-13-01"}, `--as-of: "2026-13-01" is not a date`},
			{"sales-tax", reports.Params{From: "2026-04-01", To: "2026-03-31"}, "after its end"},
			{"balance-sheet", reports.Params{From: "2026-04-01", AsOf: "2026-03-31"}, "after its end"},
			{"journal", reports.Params{To: "2026-03-31", AsOf: "2026-04-30"}, "ends on one day"},
			{"sales", reports.Params{Shop: "nowhere"}, `know no shop "nowhere".*atelier, bureau`},
			{"balance-sheet", reports.Params{Shop: "atelier"}, "belongs to the company"},
			{"stock-valuation", reports.Params{Shop: "atelier"}, "the same stock"},
			{"sales", reports.Params{By: "colour"}, `--by: "colour" is not known`},
			{"income-statement", reports.Params{Compare: "best"}, `--compare: "best"`},
			{"income-statement", reports.Params{Compare: "year"}, "a period with two ends"},
			{"general-ledger", reports.Params{Account: "9999"}, `no account "9999"`},
			{"general-ledger", reports.Params{After: "here"}, `--after: "here" is no place`},
			{"journal", reports.Params{After: "2026-01-01/x"}, "is no place"},
			{"journal", reports.Params{Limit: -1}, "--limit"},
			{"sales", reports.Params{Limit: 5}, "it has no pages"},
		} {
			_, err := reports.Run(ctx, b.Reader(), c.name, c.params)
			if fault.KindOf(err) != fault.Invalid || !matches(c.want, err) || fault.FixOf(err) == "" {
				t.Errorf("%s %+v: got %v, want an invalid %q with advice", c.name, c.params, err, c.want)
			}
		}
	})
}

func TestAnyTextForADayIsRefusedOrRead(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		quarter(t, b)
		rapid.Check(t, func(rt *rapid.T) {
			day := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"0001-01-01", "9999-12-31", "2026-02-29", "2024-02-29", "0000-01-01", ""}))
			p := reports.Params{From: day.Draw(rt, "from"), To: day.Draw(rt, "to"), AsOf: day.Draw(rt, "as of"), Now: march}
			d := rapid.SampledFrom(reports.All()).Draw(rt, "report")
			if _, err := reports.Run(ctx, b.Reader(), d.Name, p); err != nil && fault.KindOf(err) != fault.Invalid {
				rt.Fatalf("%s %+v: %v", d.Name, p, err)
			}
		})
	})
}

func TestClosingAYearLeavesItsStatementAlone(t *testing.T) {
	eachAt(t, march.AddDate(2, 0, 0), func(t *testing.T, b *erp.Books) {
		quarter(t, b)
		closed := func(name string) string {
			r, err := reports.Run(ctx, b.Reader(), name, reports.Params{To: "2026-12-31", Now: march.AddDate(2, 0, 0)})
			if err != nil {
				t.Fatal(err)
			}
			for _, tie := range r.Ties {
				if tie.Difference() != 0 {
					t.Errorf("%s: %+v", name, tie)
				}
			}
			r.Ties = nil
			return dump(r)
		}
		names := []string{"income-statement", "income-expenses", "sales-tax", "sales"}
		before := map[string]string{}
		for _, name := range names {
			before[name] = closed(name)
		}
		if _, err := b.CloseYear(ctx, 2026, erp.Signature{By: "the accountant", Reason: "year end"}); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if got := closed(name); got != before[name] {
				t.Errorf("%s changed by the closing:\n%s\nwas\n%s", name, got, before[name])
			}
		}
		closed("balance-sheet")
	})
}
