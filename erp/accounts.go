package erp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/store"
)

// AccountBalance is an account and what is on it.
type AccountBalance struct {
	Code    string      `json:"code"`
	Name    string      `json:"name"`
	Type    string      `json:"type"`
	Role    ledger.Role `json:"role,omitempty"`
	Balance int64       `json:"balance"` // debit less credit, in minor units
}

// Accounts lists the accounts with their balances, by code.
func (b *Books) Accounts(ctx context.Context) ([]AccountBalance, error) {
	rows, err := b.db.Query(ctx, `SELECT a.code, a.name, a.type, a.role, COALESCE(SUM(d.debit - d.credit), 0)
		FROM account a LEFT JOIN account_day d ON d.account_id = a.id GROUP BY a.code, a.name, a.type, a.role ORDER BY a.code`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	defer rows.Close()
	var out []AccountBalance
	for rows.Next() {
		var a AccountBalance
		if err := rows.Scan(&a.Code, &a.Name, &a.Type, &a.Role, &a.Balance); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// AddAccount adds an account to the chart. It has no role: postings of
// documents do not use it unless the configuration names it.
func (b *Books) AddAccount(ctx context.Context, code, name, kind string) error {
	types := []string{"asset", "liability", "equity", "income", "expense"}
	switch {
	case code == "" || len(code) > 20 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`:;=,"'`, r) }):
		return fault.New(fault.Invalid, "use digits, letters, points and hyphens, 20 at the most", "%q cannot be the code of an account", code)
	case strings.TrimSpace(name) == "":
		return fault.New(fault.Invalid, "say it with --name", "account %s has no name", code)
	case !slices.Contains(types, kind):
		return fault.New(fault.Invalid, "use one of "+strings.Join(types, ", "), "%q is not a type of account", kind)
	}
	return b.db.Write(ctx, func(tx *store.Tx) error {
		return b.accounts.Add(ctx, tx, ledger.Account{Code: code, Name: strings.TrimSpace(name), Type: kind})
	})
}
