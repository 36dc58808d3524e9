package reports

import (
	"context"
	"time"

	"comptoir/erp/fault"
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
	among := func(role string, roles ...string) bool {
		for _, x := range roles {
			if role == x {
				return true
			}
		}
		return false
	}
	revenue := func(a account) bool { return a.kind == "income" && isRevenue(a.role) }
	cost := func(a account) bool {
		return a.kind == "expense" && among(a.role, "cogs", "inventory_adjustment", "price_variance", "purchase_returns")
	}
	other := func(a account) bool { return !revenue(a) && (a.kind == "income" || a.role == "fx_loss") }
	return []statement{
		{"revenue", "Revenue", "Net revenue", revenue, ""},
		{"cost_of_sales", "Cost of sales", "Total cost of sales", cost, "Gross profit"},
		{"operating_expenses", "Operating expenses", "Total operating expenses", func(a account) bool { return a.kind == "expense" && !cost(a) && !other(a) }, "Operating result"},
		{"other", "Other income and exchange differences", "Total other income", other, ""},
	}
}

// isRevenue reports whether an account of the role holds what customers are
// invoiced, net of tax.
func isRevenue(role string) bool {
	switch role {
	case "sales", "shipping_income", "other_income", "sales_returns", "discounts":
		return true
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
	accounts, err := r.balances(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	before := map[int64]int64{}
	if compare != nil {
		list, err := r.balances(ctx, compare[0], compare[1])
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
		return fault.New(fault.Internal, "run comptoir ledger verify, and restore the books from a backup",
			"the result of %s is not the change in equity of %s: the daily balances are damaged", r.major(result), r.major(netAssets-direct))
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
