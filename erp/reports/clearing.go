package reports

import (
	"context"
	"database/sql"
	"fmt"

	"comptoir/erp/ledger"
	"comptoir/erp/money"
)

// clearing reports the accounts between the gateways and the bank, each in the
// currency of its gateway: what came in, what the gateway kept, what went back
// to customers and on to the bank, and what is open.
func clearing(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"code", "Account", Text}, {"gateway", "Gateway", Text}, {"currency", "Currency", Text}, {"opening", "Opening", Money}, {"received", "Received", Money},
		{"fees", "Fees", Money}, {"refunds", "Refunds", Money}, {"payouts", "Payouts", Money}, {"other", "Other", Money}, {"open", "Open", Money}, {"home", "Open, in the books' currency", Money}}
	accounts, err := r.balances(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	s := Section{Key: "gateways"}
	var home, onAccounts int64
	for _, a := range accounts {
		if a.role != ledger.Clearing || (r.Params.Gateway != "" && a.gateway != r.Params.Gateway) {
			continue
		}
		c, err := r.clearingOf(ctx, a)
		if err != nil {
			return fmt.Errorf("read account %s: %w", a.code, err)
		}
		row := Row{name(a.code), name(a.gateway), name(a.currency)}
		for _, n := range []int64{c.opening, c.received, c.fees, c.refunds, c.payouts, c.other, c.opening + c.received - c.fees - c.refunds - c.payouts + c.other} {
			row = append(row, amountIn(n, money.Currency(a.currency)))
		}
		s.Rows = append(s.Rows, append(row, number(c.home)))
		home += c.home
		onAccounts += a.closing()
	}
	r.Sections = []Section{s}
	r.Totals = []Row{numbers(len(r.Columns), []Cell{label("Total")}, home)}
	if len(s.Rows) == 0 {
		r.note("No gateway has moved any money.")
	}
	r.tie(Tie{What: "Open at the gateways = clearing accounts", Report: home, Accounts: onAccounts})
	return nil
}

// clearingSums are the movements of a clearing account, in its own currency
// but for home.
type clearingSums struct {
	opening, received, fees, refunds, payouts, other int64
	home                                             int64 // the balance at the end, in the books' currency
}

// clearingOf adds up the lines of a clearing account by what stands against
// them in their entry: fees, the bank, or a customer. The reversal of an entry
// takes back what the entry was.
func (r *reading) clearingOf(ctx context.Context, a account) (clearingSums, error) {
	var c clearingSums
	err := r.each(ctx, `SELECT kind, SUM(amount), SUM(home) FROM (
			SELECT l.foreign_debit - l.foreign_credit AS amount, l.debit - l.credit AS home, CASE
				WHEN al.day < $2 THEN 'opening'
				WHEN EXISTS (SELECT 1 FROM entry_line x JOIN account b ON b.id = x.account_id WHERE x.entry_id = al.entry_id AND b.role IN ('bank', 'cash')) THEN 'payout'
				WHEN EXISTS (SELECT 1 FROM entry_line x JOIN account b ON b.id = x.account_id WHERE x.entry_id = al.entry_id AND b.role IN ('disputes', 'reserve')) THEN 'other'
				WHEN EXISTS (SELECT 1 FROM entry_line x JOIN account b ON b.id = x.account_id WHERE x.entry_id = al.entry_id AND b.role = 'payment_fees') THEN 'fee'
				WHEN NOT EXISTS (SELECT 1 FROM entry_line x JOIN account b ON b.id = x.account_id WHERE x.entry_id = al.entry_id
					AND b.role IN ('customer_deposits', 'receivable', 'sales', 'sales_returns', 'shipping_income', 'other_income', 'gift_card_liability', 'store_credit')) THEN 'other'
				WHEN (l.debit > 0) = (e.reverses = 0) THEN 'received'
				ELSE 'refund' END AS kind
			FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
			WHERE al.account_id = $1 AND al.day <= $3 AND (CAST($4 AS BIGINT) = 0 OR e.shop_id = $4)) x GROUP BY kind`, []any{a.id, r.from(), r.to(), r.shop},
		func(scan func(...any) error) error {
			var kind string
			var amount, home int64
			if err := scan(&kind, &amount, &home); err != nil {
				return err
			}
			c.home += home
			switch kind {
			case "opening":
				c.opening = amount
			case "received":
				c.received = amount
			case "fee":
				c.fees = -amount
			case "refund":
				c.refunds = -amount
			case "payout":
				c.payouts = -amount
			default:
				c.other = amount
			}
			return nil
		})
	if err != nil {
		return c, err
	}
	// A payout, or money held back, may come with a fee: that part of it did not
	// go where the rest went.
	for _, with := range []struct {
		one, other ledger.Role
		of         *int64
		sign       int64
	}{{ledger.Bank, ledger.Cash, &c.payouts, -1}, {ledger.Disputes, ledger.Reserve, &c.other, 1}} {
		var fee sql.NullInt64
		err = r.QueryRow(ctx, `SELECT SUM(x.foreign_debit - x.foreign_credit) FROM entry_line x JOIN account f ON f.id = x.account_id
			WHERE f.role = 'payment_fees' AND x.currency = $4 AND x.entry_id IN (
				SELECT al.entry_id FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line b ON b.entry_id = al.entry_id JOIN account k ON k.id = b.account_id
				WHERE al.account_id = $1 AND al.day >= $2 AND al.day <= $3 AND k.role IN ($6, $7) AND (CAST($5 AS BIGINT) = 0 OR e.shop_id = $5))`,
			a.id, r.from(), r.to(), a.currency, r.shop, string(with.one), string(with.other)).Scan(&fee)
		if err != nil {
			return c, err
		}
		c.fees += fee.Int64
		*with.of += with.sign * fee.Int64
	}
	return c, nil
}
