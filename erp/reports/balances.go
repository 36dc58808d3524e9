package reports

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"comptoir/erp/ledger"
)

// account is an account with its movements in a period.
type account struct {
	id                int64
	code, name        string
	kind              string // asset, liability, equity, income, expense
	role              ledger.Role
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

// unclosed reads the accounts as balances does, but for the entries that close
// fiscal years: they bring income and expenses to zero, and are none.
func (r *reading) unclosed(ctx context.Context, from, to string) ([]account, error) {
	accounts, err := r.balances(ctx, from, to)
	if err != nil || r.shop != 0 { // a closing is of no shop
		return accounts, err
	}
	closed, err := r.closings(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for i, a := range accounts {
		accounts[i].debit -= closed[a.id].debit
		accounts[i].credit -= closed[a.id].credit
	}
	return accounts, nil
}

// closings adds up, by account id, what the entries that close fiscal years and
// their reversals have posted. CROSS JOIN has SQLite begin with the years,
// which are few: by the days it would walk through all entries.
func (r *reading) closings(ctx context.Context, from, to string) (map[int64]account, error) {
	out := map[int64]account{}
	err := r.each(ctx, `SELECT l.account_id, SUM(l.debit), SUM(l.credit) FROM fiscal_year y CROSS JOIN entry e JOIN entry_line l ON l.entry_id = e.id
		WHERE e.document_id = y.id AND e.document_kind = $1 AND e.effective >= $2 AND e.effective <= $3 GROUP BY l.account_id`, []any{ledger.FiscalYearKind, from, to},
		func(scan func(...any) error) error {
			var a account
			err := scan(&a.id, &a.debit, &a.credit)
			out[a.id] = a
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the closings of fiscal years: %w", err)
	}
	return out, nil
}

// ofRole adds up what moved on the accounts of a role: debits less credits.
func ofRole(accounts []account, role ledger.Role) int64 {
	var sum int64
	for _, a := range accounts {
		if a.role == role {
			sum += a.moved()
		}
	}
	return sum
}

// months adds up what the accounts that want chooses earned by month: credits
// less debits, without the closing of fiscal years.
func (r *reading) months(ctx context.Context, want func(a account) bool) ([]monthAmount, error) {
	q, args := `SELECT a.id, a.type, a.role, substr(d.day, 1, 7), SUM(d.debit), SUM(d.credit) FROM account_day d JOIN account a ON a.id = d.account_id
		WHERE d.day >= $1 AND d.day <= $2 AND a.type IN ('income', 'expense') GROUP BY a.id, a.type, a.role, substr(d.day, 1, 7)`, []any{r.from(), r.to()}
	if r.shop != 0 {
		q, args = `SELECT a.id, a.type, a.role, substr(e.effective, 1, 7), SUM(l.debit), SUM(l.credit) FROM entry e JOIN entry_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		WHERE e.effective >= $1 AND e.effective <= $2 AND e.shop_id = $3 AND a.type IN ('income', 'expense') GROUP BY a.id, a.type, a.role, substr(e.effective, 1, 7)`, append(args, r.shop)
	}
	wanted := map[int64]bool{}
	sums := map[string]int64{}
	err := r.each(ctx, q, args, func(scan func(...any) error) error {
		var a account
		var month string
		if err := scan(&a.id, &a.kind, &a.role, &month, &a.debit, &a.credit); err != nil {
			return err
		}
		if want(a) {
			wanted[a.id] = true
			sums[month] -= a.moved()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	out := make([]monthAmount, 0, len(sums))
	for _, m := range slices.Sorted(maps.Keys(sums)) {
		closed, err := r.closedIn(ctx, m, wanted)
		if err != nil {
			return nil, err
		}
		out = append(out, monthAmount{m, sums[m] - closed})
	}
	return out, nil
}

// closedIn is what the closings of fiscal years earned on some accounts in a
// month, so to say.
func (r *reading) closedIn(ctx context.Context, month string, wanted map[int64]bool) (int64, error) {
	if r.shop != 0 { // a closing is of no shop
		return 0, nil
	}
	closed, err := r.closings(ctx, max(r.from(), month+"-01"), min(r.to(), month+"-31"))
	var sum int64
	for id, s := range closed {
		if wanted[id] {
			sum += s.credit - s.debit
		}
	}
	return sum, err
}

// monthAmount is an amount of a month, YYYY-MM.
type monthAmount struct {
	month  string
	amount int64
}
