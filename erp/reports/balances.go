package reports

import (
	"context"
	"fmt"
)

// account is an account with its movements in a period.
type account struct {
	id                int64
	code, name        string
	kind, role        string
	gateway, currency string
	opening           int64 // debit balance before the period
	debit, credit     int64 // of the period
}

// closing is the debit balance at the end of the period.
func (a account) closing() int64 { return a.opening + a.debit - a.credit }

// moved is the debit less the credit of the period.
func (a account) moved() int64 { return a.debit - a.credit }

// balances reads the accounts that have ever moved up to a day, in the order of
// their codes. It reads the daily balances, whose number does not grow with
// that of the entries. These are kept for all shops together: for one shop it
// adds up the lines of its entries.
func (r *reading) balances(ctx context.Context, from, to string) ([]account, error) {
	q, args := `SELECT a.id, a.code, a.name, a.type, a.role, a.gateway, a.currency,
			SUM(CASE WHEN d.day < $1 THEN d.debit - d.credit ELSE 0 END),
			SUM(CASE WHEN d.day >= $1 THEN d.debit ELSE 0 END),
			SUM(CASE WHEN d.day >= $1 THEN d.credit ELSE 0 END)
		FROM account a JOIN account_day d ON d.account_id = a.id WHERE d.day <= $2
		GROUP BY a.id, a.code, a.name, a.type, a.role, a.gateway, a.currency ORDER BY a.code`, []any{from, to}
	if r.shop != 0 {
		q, args = `SELECT a.id, a.code, a.name, a.type, a.role, a.gateway, a.currency,
			SUM(CASE WHEN e.effective < $1 THEN l.debit - l.credit ELSE 0 END),
			SUM(CASE WHEN e.effective >= $1 THEN l.debit ELSE 0 END),
			SUM(CASE WHEN e.effective >= $1 THEN l.credit ELSE 0 END)
		FROM entry e JOIN entry_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id WHERE e.effective <= $2 AND e.shop_id = $3
		GROUP BY a.id, a.code, a.name, a.type, a.role, a.gateway, a.currency ORDER BY a.code`, []any{from, to, r.shop}
	}
	var out []account
	err := r.each(ctx, q, args, func(scan func(...any) error) error {
		var a account
		err := scan(&a.id, &a.code, &a.name, &a.kind, &a.role, &a.gateway, &a.currency, &a.opening, &a.debit, &a.credit)
		out = append(out, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	return out, nil
}
