package reports

import (
	"context"
	"time"

	"comptoir/erp/ledger"
)

// incomeExpenses reports income and expenses by month. Without a first day it
// begins with the fiscal year that the last one is in.
func incomeExpenses(ctx context.Context, r *reading) error {
	if r.Params.To == "" {
		r.Params.To = r.Now.Format(time.DateOnly)
	}
	if r.Params.From == "" {
		year, err := ledger.FiscalYearOf(r.FiscalStart, r.Params.To)
		if err != nil {
			return err
		}
		r.Params.From = year.First
	}
	r.Report.From, r.Report.To = r.Params.From, r.Params.To
	earned, err := r.months(ctx, func(a account) bool { return a.kind == "income" })
	if err != nil {
		return err
	}
	spent, err := r.months(ctx, func(a account) bool { return a.kind == "expense" })
	if err != nil {
		return err
	}
	income, expenses := byMonth(earned, 1), byMonth(spent, -1)
	r.Columns = []Column{{"month", "Month", Date}, {"income", "Income", Money}, {"expenses", "Expenses", Money}, {"result", "Result", Money}, {"cumulated", "Result so far", Money}}
	s := Section{Key: "months"}
	chart := &Chart{Series: []Series{{Title: "Income"}, {Title: "Expenses"}, {Title: "Result so far", Line: true}}}
	var in, out int64
	for _, m := range monthsBetween(r.Params.From, r.Params.To) {
		in += income[m]
		out += expenses[m]
		s.Rows = append(s.Rows, append(Row{name(m)}, numbers(4, nil, income[m], expenses[m], income[m]-expenses[m], in-out)...))
		chart.Labels = append(chart.Labels, m)
		for i, v := range []int64{income[m], expenses[m], in - out} {
			chart.Series[i].Values = append(chart.Series[i].Values, v)
		}
	}
	r.Sections = []Section{s}
	r.Totals = []Row{append(Row{label("Total")}, numbers(4, nil, in, out, in-out, in-out)...)}
	r.Chart = chart
	return nil
}

func byMonth(list []monthAmount, sign int64) map[string]int64 {
	out := make(map[string]int64, len(list))
	for _, m := range list {
		out[m.month] = sign * m.amount
	}
	return out
}

// mostMonths bounds the months that a report lists one by one: a century.
const mostMonths = 1200

// monthsBetween lists the months from the one of a day to that of another.
func monthsBetween(from, to string) []string {
	first, err := time.Parse(time.DateOnly, from[:7]+"-01")
	if err != nil {
		return nil
	}
	var out []string
	for m := first; len(out) < mostMonths; m = m.AddDate(0, 1, 0) {
		month := m.Format("2006-01")
		if month > to[:7] {
			break
		}
		out = append(out, month)
	}
	return out
}
