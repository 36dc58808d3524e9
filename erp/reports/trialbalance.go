// Package reports reads the books. A report takes a store.Reader and so cannot
// write; each has its own file, and package render prints them all.
//
// Balances come from account_day, which the postings keep up, so their cost
// does not grow with the entries. Taxes come from the tax facts, stock from the
// levels and moves. Where a report must equal accounts, it says so in Ties.
package reports

import (
	"context"
	"fmt"

	"comptoir/erp/store"
)

// TrialBalanceReport is the balance of every account that has ever moved: three
// pairs of columns, each of which adds up to the same on both sides.
type TrialBalanceReport struct {
	From     string                `json:"from"` // YYYY-MM-DD, inclusive; "" from the beginning
	To       string                `json:"to"`   // YYYY-MM-DD, inclusive; "" to the end
	Currency string                `json:"currency"`
	Accounts []TrialBalanceAccount `json:"accounts"`
	Debit    int64                 `json:"debit"`  // sum of the debits of the period, in minor units
	Credit   int64                 `json:"credit"` // sum of the credits of the period
	// Provisional is that of the Report.
	Provisional []Provisional `json:"provisional,omitempty"`
}

// TrialBalanceAccount is one account, in minor units of the company's currency.
// Opening and Closing are debit balances; a credit balance is negative.
type TrialBalanceAccount struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Opening int64  `json:"opening"`
	Debit   int64  `json:"debit"`
	Credit  int64  `json:"credit"`
	Closing int64  `json:"closing"`
}

// Balanced reports whether the period's debits equal its credits, and the
// balances before and after add up to nothing.
func (r TrialBalanceReport) Balanced() bool {
	var opening, closing int64
	for _, a := range r.Accounts {
		opening += a.Opening
		closing += a.Closing
	}
	return r.Debit == r.Credit && opening == 0 && closing == 0
}

// TrialBalance reports the accounts over the business dates from and to, both
// inclusive, "" for an open end.
func TrialBalance(ctx context.Context, r store.Reader, from, to string) (TrialBalanceReport, error) {
	out, err := Run(ctx, r, "trial-balance", Params{From: from, To: to})
	if err != nil {
		return TrialBalanceReport{}, err
	}
	fixed, ok := out.Fixed.(TrialBalanceReport)
	if !ok {
		return TrialBalanceReport{}, fmt.Errorf("trial balance is a %T", out.Fixed)
	}
	return fixed, nil
}

func trialBalance(ctx context.Context, r *reading) error {
	accounts, err := r.balances(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	fixed := TrialBalanceReport{From: r.Report.From, To: r.Report.To, Currency: string(r.Currency), Accounts: []TrialBalanceAccount{}, Provisional: r.Provisional}
	r.Columns = []Column{{"code", "Account", Text}, {"name", "Name", Text}, {"opening", "Opening", Money}, {"debit", "Debit", Money}, {"credit", "Credit", Money}, {"closing", "Closing", Money}}
	width := len(r.Columns)
	var rows []Row
	var opening, closing int64
	for _, a := range accounts {
		fixed.Accounts = append(fixed.Accounts, TrialBalanceAccount{a.code, a.name, a.opening, a.debit, a.credit, a.closing()})
		fixed.Debit += a.debit
		fixed.Credit += a.credit
		opening += a.opening
		closing += a.closing()
		rows = append(rows, numbers(width, []Cell{name(a.code), name(a.name)}, a.opening, a.debit, a.credit, a.closing()))
	}
	r.Sections = []Section{{Key: "accounts", Rows: rows}}
	r.Totals = []Row{numbers(width, []Cell{{}, label("Total")}, opening, fixed.Debit, fixed.Credit, closing)}
	r.Fixed = fixed
	return nil
}
