package reports

import (
	"context"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
)

// statement is a part of the income statement: the accounts in it, by role.
type statement struct {
	key, title, total string
	// in reports whether an account of income or expense belongs here.
	in func(a account) bool
	// sum, where it is set, is a line below the part: what is left so far.
	sum string
}

func statements() []statement {
	cost := func(a account) bool {
		switch a.role {
		case ledger.CostOfGoodsSold, ledger.InventoryAdjustment, ledger.PriceVariance, ledger.PurchaseReturns:
			return a.kind == "expense"
		default:
			return false
		}
	}
	other := func(a account) bool {
		return !isRevenue(a) && (a.kind == "income" || a.role == ledger.ExchangeLoss)
	}
	operating := func(a account) bool { return a.kind == "expense" && !cost(a) && !other(a) }
	return []statement{
		{key: "revenue", title: "Revenue", total: "Net revenue", in: isRevenue},
		{key: "cost_of_sales", title: "Cost of sales", total: "Total cost of sales", in: cost, sum: "Gross profit"},
		{key: "operating_expenses", title: "Operating expenses", total: "Total operating expenses", in: operating, sum: "Operating result"},
		{key: "other", title: "Other income and exchange differences", total: "Total other income", in: other},
	}
}

// isRevenue reports whether an account holds what customers are invoiced, net
// of tax.
func isRevenue(a account) bool {
	switch a.role {
	case ledger.Sales, ledger.ShippingIncome, ledger.OtherIncome, ledger.SalesReturns, ledger.Discounts:
		return a.kind == "income"
	default:
		return false
	}
}

// incomeStatement reports income and expenses by kind, and proves the result by
// what it did to the equity.
func incomeStatement(ctx context.Context, r *reading) error {
	compare, err := r.comparison()
	if err != nil {
		return err
	}
	accounts, err := r.unclosed(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	before := map[int64]int64{}
	if compare != nil {
		list, err := r.unclosed(ctx, compare[0], compare[1])
		if err != nil {
			return err
		}
		for _, a := range list {
			before[a.id] = a.moved()
		}
		r.Filters = append(r.Filters, Filter{"compared with", compare[0] + " – " + compare[1]})
	}
	r.Columns = []Column{{"code", "Account", Text}, {"name", "Name", Text}, {"amount", "Amount", Money}}
	if compare != nil {
		r.Columns = append(r.Columns, Column{"previous", "Before", Money}, Column{"change", "Change", Money})
	}
	line := func(code string, title Cell, amount, before int64) Row {
		values := []int64{amount}
		if compare != nil {
			values = append(values, before, amount-before)
		}
		return numbers(len(r.Columns), []Cell{name(code), title}, values...)
	}
	var left, leftBefore int64
	for _, st := range statements() {
		s := Section{Key: st.key, Title: st.title}
		var sum, sumBefore int64
		for _, a := range accounts {
			now, then := a.moved(), before[a.id]
			if a.kind != "income" && a.kind != "expense" || !st.in(a) || now == 0 && then == 0 {
				continue
			}
			if st.key == "revenue" || st.key == "other" {
				now, then = -now, -then
			}
			sum += now
			sumBefore += then
			s.Rows = append(s.Rows, line(a.code, name(a.name), now, then))
		}
		s.Total = line("", label(st.total), sum, sumBefore)
		if st.key == "revenue" || st.key == "other" {
			left, leftBefore = left+sum, leftBefore+sumBefore
		} else {
			left, leftBefore = left-sum, leftBefore-sumBefore
		}
		if len(s.Rows) > 0 {
			r.Sections = append(r.Sections, s)
		}
		if st.sum != "" {
			r.Sections = append(r.Sections, Section{Key: st.key + "_left", Total: line("", label(st.sum), left, leftBefore)})
		}
	}
	r.Totals = []Row{line("", label("Result"), left, leftBefore)}
	return r.proveResult(accounts, left)
}

// proveResult holds the result against what the period did to the net assets:
// they change by the result and by what was posted to the equity itself.
func (r *reading) proveResult(accounts []account, result int64) error {
	var netAssets, direct int64
	for _, a := range accounts {
		switch a.kind {
		case "asset", "liability":
			netAssets += a.moved()
		case "equity":
			direct -= a.moved()
		}
	}
	r.tie(Tie{What: "Result = change in equity, but for what was posted to equity itself", Report: result, Accounts: netAssets, Other: direct})
	if netAssets != direct+result {
		return damaged("the result of %s is not the change in equity of %s: the daily balances are damaged", r.major(result), r.major(netAssets-direct))
	}
	return nil
}

// comparison returns the two ends of the period to compare with, nil for none.
func (r *reading) comparison() ([]string, error) {
	open := r.Params.From == "" || r.Params.To == ""
	switch {
	case r.Compare == CompareNone, r.Compare == "" && open:
		return nil, nil
	case open:
		return nil, fault.New(fault.Invalid, "say --from and --to", "--compare %s needs a period with two ends", r.Compare)
	}
	from, err := time.Parse(time.DateOnly, r.Params.From)
	if err != nil {
		return nil, err
	}
	to, err := time.Parse(time.DateOnly, r.Params.To)
	if err != nil {
		return nil, err
	}
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	if r.Compare == CompareYear {
		return []string{day(yearBefore(from)), day(yearBefore(to))}, nil
	}
	if next := to.AddDate(0, 0, 1); from.Day() == 1 && next.Day() == 1 { // whole months
		months := (next.Year()-from.Year())*12 + int(next.Month()) - int(from.Month())
		return []string{day(from.AddDate(0, -months, 0)), day(from.AddDate(0, 0, -1))}, nil
	}
	days := int(to.Sub(from).Hours()/24) + 1
	return []string{day(from.AddDate(0, 0, -days)), day(from.AddDate(0, 0, -1))}, nil
}

// yearBefore returns the same day of the year before; the end of a month stays
// the end of that month.
func yearBefore(t time.Time) time.Time {
	if t.AddDate(0, 0, 1).Day() == 1 {
		return time.Date(t.Year()-1, t.Month()+1, 0, 0, 0, 0, 0, t.Location())
	}
	return t.AddDate(-1, 0, 0)
}
