package reports

import (
	"context"
	"time"

	"comptoir/erp/ledger"
)

// cashSummary reports where money is and who owes it: what moved in a period,
// and what stood at its end.
func cashSummary(ctx context.Context, r *reading) error {
	if r.Params.From == "" { // the fiscal year so far
		day := r.to()
		if day == last {
			day = r.Now.Format(time.DateOnly)
		}
		year, err := ledger.FiscalYearOf(r.FiscalStart, day)
		if err != nil {
			return err
		}
		r.Params.From = year.First
	}
	accounts, err := r.balances(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	r.Report.From = r.Params.From
	r.Columns = []Column{{"code", "Account", Text}, {"name", "Name", Text}, {"opening", "Opening", Money}, {"in", "In", Money}, {"out", "Out", Money}, {"closing", "Closing", Money}}
	chart := &Chart{Series: []Series{{Title: "Opening"}, {Title: "Closing"}}}
	var all [4]int64
	for _, group := range []struct {
		key, title, short string
		roles             []ledger.Role
	}{
		{"bank", "Bank and cash", "Bank", []ledger.Role{ledger.Bank, ledger.Cash}},
		{"clearing", "Payment gateways", "Gateways", []ledger.Role{ledger.Clearing}},
		{"receivable", "Receivable", "Receivable", []ledger.Role{ledger.Receivable}},
		{"payable", "Payable", "Payable", []ledger.Role{ledger.Payable}},
		{"deposits", "Customer deposits and gift cards", "Deposits", []ledger.Role{ledger.CustomerDeposits, ledger.GiftCardLiability}},
	} {
		s := Section{Key: group.key, Title: group.title}
		var sum [4]int64
		for _, a := range accounts {
			if !among(a.role, group.roles) {
				continue
			}
			values := []int64{a.opening, a.debit, a.credit, a.closing()}
			for i, v := range values {
				sum[i] += v
				all[i] += v
			}
			s.Rows = append(s.Rows, numbers(len(r.Columns), []Cell{name(a.code), name(a.name)}, values...))
		}
		s.Total = numbers(len(r.Columns), []Cell{{}, label("Total")}, sum[:]...)
		r.Sections = append(r.Sections, s)
		chart.Labels = append(chart.Labels, group.short)
		chart.Series[0].Values = append(chart.Series[0].Values, sum[0])
		chart.Series[1].Values = append(chart.Series[1].Values, sum[3])
	}
	r.Totals = []Row{numbers(len(r.Columns), []Cell{{}, label("Money and claims less debts")}, all[:]...)}
	r.Chart = chart
	return nil
}

func among(role ledger.Role, roles []ledger.Role) bool {
	for _, x := range roles {
		if role == x {
			return true
		}
	}
	return false
}
