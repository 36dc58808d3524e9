package ledger

import (
	"context"
	"database/sql"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

//go:embed charts/*.csv
var charts embed.FS

// Charts lists the names of the charts of accounts that ship with the books.
func Charts() []string { return []string{"general", "pcg"} }

// Account is an account of the chart.
type Account struct {
	ID       int64
	Code     string
	Name     string
	Type     string // asset, liability, equity, income, expense
	Role     Role
	Gateway  string
	Currency money.Currency
}

// readChart returns the accounts of a shipped chart.
func readChart(name string) ([]Account, error) {
	f, err := charts.Open("charts/" + name + ".csv")
	if err != nil {
		return nil, fault.New(fault.Invalid, "use one of "+strings.Join(Charts(), ", "), "chart of accounts %q is not known", name)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read chart %s: %w", name, err)
	}
	accounts := make([]Account, 0, len(rows))
	for _, r := range rows[1:] {
		a := Account{Code: r[0], Name: r[1], Type: r[2], Role: Role(r[3])}
		if name == "pcg" && r[4] != "" { // the plan's own names are French
			a.Name = r[4]
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// Accounts finds accounts by role. It is safe for concurrent use; what a
// transaction adds is remembered once it has committed.
type Accounts struct {
	mu    sync.RWMutex
	byRef map[Ref]Account
}

// OpenAccounts writes the chart into empty books and reads the accounts. Books
// that were begun with an older chart get the accounts of the roles that have
// come since.
func OpenAccounts(ctx context.Context, db *store.DB, chart string) (*Accounts, error) {
	accounts, err := readChart(chart)
	if err != nil {
		return nil, err
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		had, err := List(ctx, tx)
		if err != nil {
			return err
		}
		for _, acc := range missing(accounts, had) {
			if err := insertAccount(ctx, tx, &acc); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("write chart %s: %w", chart, err)
	}
	a := &Accounts{byRef: map[Ref]Account{}}
	list, err := List(ctx, db)
	for _, acc := range list {
		a.remember(acc)
	}
	return a, err
}

// missing returns what books lack of a chart: all of it where they are empty,
// else the accounts of roles that no account plays. Where the code of one has
// been taken for something else, the role is added to it.
func missing(chart, had []Account) []Account {
	if len(had) == 0 {
		return chart
	}
	var out []Account
	for _, acc := range chart {
		if acc.Role == "" || slices.ContainsFunc(had, func(h Account) bool { return h.Role == acc.Role && h.Gateway == "" }) {
			continue
		}
		if slices.ContainsFunc(had, func(h Account) bool { return h.Code == acc.Code }) {
			acc.Code += "-" + string(acc.Role)
		}
		out = append(out, acc)
	}
	return out
}

// Assign gives roles to other accounts than the chart does: codes by role. An
// account that has been posted to keeps its role, because the books tie what
// is on it to the records behind it.
func (a *Accounts) Assign(ctx context.Context, db *store.DB, codes map[Role]string) error {
	return db.Write(ctx, func(tx *store.Tx) error {
		for _, role := range slices.Sorted(maps.Keys(codes)) {
			if err := a.assign(ctx, tx, role, codes[role]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *Accounts) assign(ctx context.Context, tx *store.Tx, role Role, code string) error {
	setting := "books.accounts." + string(role)
	had, ok := a.lookup(Ref{Role: role})
	if !ok {
		return fault.New(fault.Invalid, "see comptoir ledger accounts for the roles", "%s: no account of the chart has this role", setting)
	}
	if had.Code == code {
		return nil
	}
	acc, err := accountOf(ctx, tx, code)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.Invalid, "take the setting out, add the account with comptoir ledger account add, and set it again", "%s: there is no account %q", setting, code)
	}
	if err != nil {
		return fmt.Errorf("read account %s: %w", code, err)
	}
	if acc.Role != "" || acc.Type != had.Type {
		return fault.New(fault.Invalid, "choose an account of the same type that plays no role yet", "%s: account %s (%s, %s) cannot stand for %s (%s)", setting, acc.Code, acc.Type, acc.Role, had.Code, had.Type)
	}
	var posted int64
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM account_day WHERE account_id = $1`, had.ID).Scan(&posted); err != nil {
		return fmt.Errorf("read account %s: %w", had.Code, err)
	}
	if posted > 0 {
		return fault.New(fault.Invalid, fmt.Sprintf("set it back to %s", had.Code), "%s: account %s has been posted to and keeps its role", setting, had.Code)
	}
	tx.Queue(`UPDATE account SET role = '' WHERE id = $1`, had.ID)
	tx.Queue(`UPDATE account SET role = $2 WHERE id = $1`, acc.ID, string(role))
	acc.Role, had.Role = role, ""
	tx.OnCommit(func() { a.remember(had); a.remember(acc) })
	return nil
}

// Has reports whether there is an account with this code.
func (a *Accounts) Has(code string) bool {
	_, ok := a.lookup(Ref{Code: code})
	return ok
}

func (a *Accounts) remember(acc Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byRef[Ref{Code: acc.Code}] = acc
	if acc.Role != "" {
		a.byRef[Ref{Role: acc.Role, Gateway: acc.Gateway, Currency: acc.Currency}] = acc
	}
}

func (a *Accounts) lookup(r Ref) (Account, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	acc, ok := a.byRef[r]
	return acc, ok
}

// List reads all accounts, by code.
func List(ctx context.Context, r store.Reader) ([]Account, error) {
	rows, err := r.Query(ctx, `SELECT id, code, name, type, role, gateway, currency FROM account ORDER BY code`)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	var out []Account
	for rows.Next() {
		var acc Account
		if err := rows.Scan(&acc.ID, &acc.Code, &acc.Name, &acc.Type, &acc.Role, &acc.Gateway, &acc.Currency); err != nil {
			return nil, err
		}
		out = append(out, acc)
	}
	return out, rows.Err()
}

// Add adds an account to the chart. One with the same code is a Conflict.
func (a *Accounts) Add(ctx context.Context, tx *store.Tx, acc Account) error {
	had, err := accountOf(ctx, tx, acc.Code)
	if err == nil {
		return fault.New(fault.Conflict, "choose another code", "account %s is there already: %s", had.Code, had.Name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read account %s: %w", acc.Code, err)
	}
	if err := insertAccount(ctx, tx, &acc); err != nil {
		return err
	}
	tx.OnCommit(func() { a.remember(acc) })
	return nil
}

// added returns an account that another process has added to the chart.
func (a *Accounts) added(ctx context.Context, tx *store.Tx, made map[Ref]Account, code string) (Account, error) {
	acc, err := accountOf(ctx, tx, code)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, fault.New(fault.NotFound, "see comptoir ledger accounts", "there is no account %q", code)
	}
	if err != nil {
		return Account{}, fmt.Errorf("read account %s: %w", code, err)
	}
	made[Ref{Code: code}] = acc
	tx.OnCommit(func() { a.remember(acc) })
	return acc, nil
}

// accountOf reads an account by its code.
func accountOf(ctx context.Context, r store.Reader, code string) (Account, error) {
	var acc Account
	err := r.QueryRow(ctx, `SELECT id, code, name, type, role, gateway, currency FROM account WHERE code = $1`, code).
		Scan(&acc.ID, &acc.Code, &acc.Name, &acc.Type, &acc.Role, &acc.Gateway, &acc.Currency)
	return acc, err
}

func insertAccount(ctx context.Context, tx *store.Tx, acc *Account) error {
	id, err := tx.NewID(ctx)
	if err != nil {
		return err
	}
	acc.ID = id
	tx.Queue(`INSERT INTO account (id, code, name, type, role, gateway, currency) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		acc.ID, acc.Code, acc.Name, acc.Type, string(acc.Role), acc.Gateway, string(acc.Currency))
	return nil
}

// resolve returns the account that r names. A clearing account is made when
// its gateway and currency are first seen; so is one that the configuration
// names and the chart does not have.
func (a *Accounts) resolve(ctx context.Context, tx *store.Tx, made map[Ref]Account, r Ref) (Account, error) {
	key := r
	switch {
	case r.Code != "":
		key = Ref{Code: r.Code}
	case r.Role != Clearing:
		key = Ref{Role: r.Role}
	}
	if acc, ok := a.lookup(key); ok {
		return acc, nil
	}
	if acc, ok := made[key]; ok {
		return acc, nil
	}
	if r.Code != "" && r.Role != Clearing {
		return a.added(ctx, tx, made, r.Code)
	}
	if r.Role != Clearing {
		return Account{}, fault.New(fault.Unprocessable, "choose a chart that has one", "no account has the role %q", r.Role)
	}
	parent, ok := a.lookup(Ref{Role: Clearing})
	if !ok {
		return Account{}, fault.New(fault.Unprocessable, "choose a chart that has one", "no account has the role %q", Clearing)
	}
	acc := Account{
		Code: r.Code, Name: fmt.Sprintf("%s: %s, %s", parent.Name, r.Gateway, r.Currency),
		Type: parent.Type, Role: Clearing, Gateway: r.Gateway, Currency: r.Currency,
	}
	_, taken := a.lookup(Ref{Role: Clearing, Gateway: r.Gateway, Currency: r.Currency})
	switch {
	case acc.Code == "":
		acc.Code = fmt.Sprintf("%s-%s-%s", parent.Code, r.Gateway, r.Currency)
	case taken: // the gateway had another account before the configuration named this one
		acc.Role, acc.Gateway, acc.Currency = "", "", ""
	}
	had, err := accountOf(ctx, tx, acc.Code)
	switch {
	case err == nil: // another process has made it
		acc = had
	case !errors.Is(err, sql.ErrNoRows):
		return Account{}, fmt.Errorf("read account %s: %w", acc.Code, err)
	default:
		if err := insertAccount(ctx, tx, &acc); err != nil {
			return Account{}, err
		}
	}
	made[key] = acc
	tx.OnCommit(func() { a.remember(acc) })
	return acc, nil
}
