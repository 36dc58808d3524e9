// Package reports reads the books. A report takes a store.Reader and so cannot
// write; each has its own file.
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
// inclusive, "" for an open end. It reads the daily balances, never the
// entries, so its cost does not grow with them.
func TrialBalance(ctx context.Context, r store.Reader, from, to string) (TrialBalanceReport, error) {
	out := TrialBalanceReport{From: from, To: to, Accounts: []TrialBalanceAccount{}}
	if to == "" {
		to = "9999-12-31"
	}
	if err := r.QueryRow(ctx, `SELECT value FROM setting WHERE name = 'currency'`).Scan(&out.Currency); err != nil {
		return out, fmt.Errorf("trial balance: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT a.code, a.name,
			COALESCE(SUM(CASE WHEN d.day < $1 THEN d.debit - d.credit ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN d.day >= $1 THEN d.debit ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN d.day >= $1 THEN d.credit ELSE 0 END), 0)
		FROM account a JOIN account_day d ON d.account_id = a.id WHERE d.day <= $2 GROUP BY a.code, a.name ORDER BY a.code`, from, to)
	if err != nil {
		return out, fmt.Errorf("trial balance: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a TrialBalanceAccount
		if err := rows.Scan(&a.Code, &a.Name, &a.Opening, &a.Debit, &a.Credit); err != nil {
			return out, fmt.Errorf("trial balance: %w", err)
		}
		a.Closing = a.Opening + a.Debit - a.Credit
		out.Debit += a.Debit
		out.Credit += a.Credit
		out.Accounts = append(out.Accounts, a)
	}
	return out, rows.Err()
}
