package reports

import (
	"context"
	"time"

	"comptoir/erp/ledger"
)

// balanceSheet reports assets, liabilities and equity at the end of a day, with
// the result that is not closed yet. Where the two sides differ it fails: there
// is no plug.
func balanceSheet(ctx context.Context, r *reading) error {
	day := r.to()
	if day == last {
		day = r.Now.Format(time.DateOnly)
	}
	year, err := ledger.FiscalYearOf(r.FiscalStart, day)
	if err != nil {
		return err
	}
	now, err := r.balances(ctx, year.First, r.to())
	if err != nil {
		return err
	}
	r.Columns = []Column{{"code", "Account", Text}, {"name", "Name", Text}, {"amount", "Amount", Money}}
	then := map[int64]account{}
	compare := r.Params.From != ""
	if compare {
		eve := dayBefore(r.Params.From)
		year, err := ledger.FiscalYearOf(r.FiscalStart, eve)
		if err != nil {
			return err
		}
		list, err := r.balances(ctx, year.First, eve)
		if err != nil {
			return err
		}
		for _, a := range list {
			then[a.id] = a
		}
		r.Columns = append(r.Columns, Column{"previous", "Before", Money}, Column{"change", "Change", Money})
		r.Filters = append(r.Filters, Filter{"compared with", eve})
	}
	line := func(code string, title Cell, amount, before int64) Row {
		values := []int64{amount}
		if compare {
			values = append(values, before, amount-before)
		}
		return numbers(len(r.Columns), []Cell{name(code), title}, values...)
	}
	sums := map[string]*[2]int64{"asset": {}, "liability": {}, "equity": {}}
	var current, earlier [2]int64 // results that are not closed, now and then
	sections := map[string]*Section{}
	for _, s := range []Section{{Key: "assets", Title: "Assets"}, {Key: "liabilities", Title: "Liabilities"}, {Key: "equity", Title: "Equity"}} {
		sections[s.Key] = &s
	}
	for _, a := range now {
		before := then[a.id]
		var s *Section
		sign := int64(-1)
		switch a.kind {
		case "asset":
			s, sign = sections["assets"], 1
		case "liability":
			s = sections["liabilities"]
		case "equity":
			s = sections["equity"]
		default:
			current[0] -= a.moved()
			current[1] -= before.moved()
			earlier[0] -= a.opening
			earlier[1] -= before.opening
			continue
		}
		is, was := sign*a.closing(), sign*before.closing()
		sums[a.kind][0] += is
		sums[a.kind][1] += was
		if is != 0 || was != 0 {
			s.Rows = append(s.Rows, line(a.code, name(a.name), is, was))
		}
	}
	equity := sections["equity"]
	for _, x := range []struct {
		title  string
		result [2]int64
	}{{"Result of earlier years, not closed", earlier}, {"Result of the current year", current}} {
		if x.result != [2]int64{} || x.title == "Result of the current year" {
			equity.Rows = append(equity.Rows, line("", label(x.title), x.result[0], x.result[1]))
		}
		sums["equity"][0] += x.result[0]
		sums["equity"][1] += x.result[1]
	}
	assets, liabilities, own := *sums["asset"], *sums["liability"], *sums["equity"]
	for i := range assets {
		if assets[i] != liabilities[i]+own[i] {
			return damaged("assets of %s are not liabilities of %s and equity of %s: the daily balances are damaged", r.major(assets[i]), r.major(liabilities[i]), r.major(own[i]))
		}
	}
	sections["assets"].Total = line("", label("Total assets"), assets[0], assets[1])
	sections["liabilities"].Total = line("", label("Total liabilities"), liabilities[0], liabilities[1])
	equity.Total = line("", label("Total equity"), own[0], own[1])
	r.Sections = []Section{*sections["assets"], *sections["liabilities"], *equity}
	r.Totals = []Row{line("", label("Total liabilities and equity"), liabilities[0]+own[0], liabilities[1]+own[1])}
	r.tie(Tie{What: "Assets = liabilities + equity", Report: liabilities[0] + own[0], Accounts: assets[0]})
	return nil
}
