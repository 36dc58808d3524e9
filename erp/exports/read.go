package exports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// account is an account that has moved. Name is what it is called in the
// format that is written.
type account struct {
	id    int64
	code  string
	label string
	kind  string // asset, liability, equity, income, expense
	role  ledger.Role
	name  string
}

// entry is one entry of the books, or the one that brings balances forward.
type entry struct {
	id          int64 // 0: brought forward
	journal     string
	effective   string
	recorded    time.Time
	cause       string
	description string
	reverses    int64
	shop        string
	order       string // number of the order, "" where it is of none
	document    string // number of what it issued or booked: "INV-12", a vendor's bill, a voucher; "" for none
	issued      string // date of that document
	vendor      party  // of a purchase or a payment
	lines       []line
}

// line is one line of an entry; amounts are in minor units.
type line struct {
	account *account
	debit   int64
	credit  int64
	memo    string
	// currency is that of the document; foreign is the amount in it, which is
	// positive for a debit and 0 where the line has none.
	currency money.Currency
	foreign  int64
	customer party
}

// party is a customer or a vendor; the zero party is none.
type party struct {
	id   int64
	name string
}

// amount is the line's amount, positive for a debit.
func (l line) amount() int64 { return l.debit - l.credit }

func openBook(ctx context.Context, r store.Reader, o Options) (*book, error) {
	if err := checkDay("from", o.From); err != nil {
		return nil, err
	}
	if err := checkDay("to", o.To); err != nil {
		return nil, err
	}
	if o.From != "" && o.To != "" && o.From > o.To {
		return nil, fault.New(fault.Invalid, "swap them", "the period from %s to %s ends before it begins", o.From, o.To)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	bk := &book{Options: o}
	if err := bk.settings(ctx, r); err != nil {
		return nil, err
	}
	return bk, bk.readAccounts(ctx, r)
}

func (bk *book) settings(ctx context.Context, r store.Reader) error {
	rows, err := r.Query(ctx, `SELECT name, value FROM setting WHERE name IN ('currency', 'chart')`)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		if name == "currency" {
			bk.currency = money.Currency(value)
		} else {
			bk.chart = value
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	bk.scale, err = bk.currency.Decimals()
	return err
}

// last is the last business date that the export holds.
func (bk *book) last() string {
	if bk.To == "" {
		return "9999-12-31"
	}
	return bk.To
}

// readAccounts reads the accounts that have moved, by code, and the first day.
func (bk *book) readAccounts(ctx context.Context, r store.Reader) error {
	rows, err := r.Query(ctx, `SELECT a.id, a.code, a.name, a.type, a.role, MIN(d.day) FROM account a JOIN account_day d ON d.account_id = a.id
		WHERE d.day <= $1 GROUP BY a.id, a.code, a.name, a.type, a.role ORDER BY a.code`, bk.last())
	if err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		a := new(account)
		var first string
		if err := rows.Scan(&a.id, &a.code, &a.label, &a.kind, &a.role, &first); err != nil {
			return err
		}
		if bk.first == "" || first < bk.first {
			bk.first = first
		}
		bk.accounts = append(bk.accounts, a)
	}
	if bk.From != "" {
		bk.first = ledger.DayBefore(bk.From)
	}
	return rows.Err()
}

// nameAccounts names every account, each by a name of its own.
func (bk *book) nameAccounts(name func(*account) string) {
	taken := make(map[string]bool, len(bk.accounts))
	for _, a := range bk.accounts {
		a.name = name(a)
		for n := 2; taken[a.name]; n++ {
			a.name = fmt.Sprintf("%s-%d", name(a), n)
		}
		taken[a.name] = true
	}
}

// root is a kind of account as hledger, ledger and beancount call
// it; their reports go by these names.
func root(kind string) string {
	switch kind {
	case "asset":
		return "Assets"
	case "liability":
		return "Liabilities"
	case "equity":
		return "Equity"
	case "income":
		return "Income"
	default:
		return "Expenses"
	}
}

// broughtForward makes the entry that brings the balances of all accounts from
// before the period. For a year's file, which holds no income and expenses of
// other years, their balance goes to the retained earnings.
func (bk *book) broughtForward(ctx context.Context, r store.Reader, year bool) (*entry, error) {
	e := &entry{journal: journalOpening, effective: ledger.DayBefore(bk.From), cause: "brought forward", description: "Balances brought forward"}
	if year {
		e.effective = bk.From
	}
	rows, err := r.Query(ctx, `SELECT account_id, SUM(debit - credit) FROM account_day WHERE day < $1 GROUP BY account_id`, bk.From)
	if err != nil {
		return nil, fmt.Errorf("read opening balances: %w", err)
	}
	defer rows.Close()
	balances := map[int64]int64{}
	for rows.Next() {
		var id, balance int64
		if err := rows.Scan(&id, &balance); err != nil {
			return nil, err
		}
		balances[id] = balance
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if year {
		if err := bk.retain(ctx, r, balances); err != nil {
			return nil, err
		}
	}
	for _, a := range bk.accounts {
		if b := balances[a.id]; b != 0 {
			e.lines = append(e.lines, line{account: a, debit: max(b, 0), credit: max(-b, 0), currency: bk.currency})
		}
	}
	return e, nil
}

// retain moves the balances of income and expenses to the retained earnings.
func (bk *book) retain(ctx context.Context, r store.Reader, balances map[int64]int64) error {
	var result int64
	var to *account
	for _, a := range bk.accounts {
		switch {
		case a.kind == "income" || a.kind == "expense":
			result += balances[a.id]
			delete(balances, a.id)
		case a.role == ledger.RetainedEarnings:
			to = a
		}
	}
	if result == 0 {
		return nil
	}
	if to == nil { // it has not moved yet
		to = &account{kind: "equity", role: ledger.RetainedEarnings}
		err := r.QueryRow(ctx, `SELECT id, code, name FROM account WHERE role = 'retained_earnings'`).Scan(&to.id, &to.code, &to.label)
		if err != nil {
			return fault.New(fault.Unprocessable, "choose a chart that has one", "no account has the role %q: %w", ledger.RetainedEarnings, err)
		}
		bk.accounts = append(bk.accounts, to)
		slices.SortFunc(bk.accounts, func(a, b *account) int { return cmp.Compare(a.code, b.code) })
	}
	balances[to.id] += result
	return nil
}

// journalOpening is that of the entry that brings balances forward.
const journalOpening = "opening"

// The orders in which entries are written. Only the numbers of the entries are
// sorted, so that sorting needs little memory.
const (
	selectIDs = `SELECT id FROM entry WHERE effective >= $1 AND effective <= $2`
	byDay     = selectIDs + ` ORDER BY effective, id`
	// The tax office wants no entries that only bring income and expenses to
	// zero at the end of a year.
	byRecording = selectIDs + ` AND journal <> 'closing' ORDER BY recorded_at, effective, id`
)

// chunk is how many entries are read at a time.
const chunk = 512

// entries calls fn with each entry of the period.
func (bk *book) entries(ctx context.Context, r store.Reader, order string, fn func(*entry) error) error {
	ids, err := readIDs(ctx, r, order, bk.From, bk.last())
	if err != nil {
		return fmt.Errorf("list entries: %w", err)
	}
	byID := make(map[int64]*account, len(bk.accounts))
	for _, a := range bk.accounts {
		byID[a.id] = a
	}
	read := make(map[int64]*entry, chunk)
	for len(ids) > 0 {
		n := min(chunk, len(ids))
		clear(read)
		if err := readEntries(ctx, r, ids[:n], byID, read); err != nil {
			return fmt.Errorf("read entries: %w", err)
		}
		for _, id := range ids[:n] {
			e := read[id]
			if e == nil {
				return fault.New(fault.Internal, "run comptoir ledger verify", "entry %d has no lines", id)
			}
			if err := fn(e); err != nil {
				return err
			}
		}
		ids = ids[n:]
	}
	return nil
}

func readIDs(ctx context.Context, r store.Reader, order, from, to string) ([]int64, error) {
	rows, err := r.Query(ctx, order, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// readEntries reads entries with their lines into a map.
func readEntries(ctx context.Context, r store.Reader, ids []int64, accounts map[int64]*account, into map[int64]*entry) error {
	rows, err := r.Query(ctx, `SELECT e.id, e.journal, e.effective, e.recorded_at, e.cause, e.description, e.reverses, COALESCE(s.name, ''),
			COALESCE(o.number, ''), COALESCE(i.series || '-' || CAST(i.number AS TEXT), p.number, w.series || '-' || CAST(w.number AS TEXT), ''), COALESCE(i.date, p.date, w.date, ''),
			COALESCE(v.id, 0), COALESCE(v.name, ''),
			l.account_id, l.debit, l.credit, l.memo, l.currency, l.foreign_debit - l.foreign_credit,
			COALESCE(c.id, 0), COALESCE(c.company, ''), COALESCE(c.first_name, ''), COALESCE(c.last_name, ''), COALESCE(c.email, '')
		FROM entry e JOIN entry_line l ON l.entry_id = e.id
			LEFT JOIN shop s ON s.id = e.shop_id
			LEFT JOIN sales_order o ON e.document_kind = 'order' AND o.id = e.document_id
			LEFT JOIN invoice i ON i.cause = e.cause
			LEFT JOIN bill p ON e.document_kind IN ('bill', 'credit', 'cash') AND p.id = e.document_id
			LEFT JOIN payment_voucher w ON e.document_kind = 'voucher' AND w.id = e.document_id
			LEFT JOIN vendor v ON v.id = COALESCE(p.vendor_id, (SELECT MIN(b.vendor_id) FROM payable_item x JOIN bill b ON b.id = x.bill_id
				WHERE x.document_id = w.id HAVING MIN(b.vendor_id) = MAX(b.vendor_id)))
			LEFT JOIN contact c ON c.id = CASE WHEN l.contact_id <> 0 THEN l.contact_id ELSE o.contact_id END
		WHERE e.id IN (`+store.In(len(ids), 1)+`) ORDER BY e.id, l.line`, store.InArgs(nil, ids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var e entry
		var l line
		var recorded, account int64
		var company, first, last, email string
		if err := rows.Scan(&e.id, &e.journal, &e.effective, &recorded, &e.cause, &e.description, &e.reverses, &e.shop, &e.order, &e.document, &e.issued, &e.vendor.id, &e.vendor.name,
			&account, &l.debit, &l.credit, &l.memo, &l.currency, &l.foreign, &l.customer.id, &company, &first, &last, &email); err != nil {
			return err
		}
		if l.account = accounts[account]; l.account == nil {
			return fault.New(fault.Internal, "run comptoir ledger verify", "entry %d moves account %d, whose daily balance does not show it", e.id, account)
		}
		l.customer.name = customerName(company, first, last, email)
		had := into[e.id]
		if had == nil {
			e.recorded = store.FromMicros(recorded)
			had = &e
			into[e.id] = had
		}
		had.lines = append(had.lines, l)
	}
	return rows.Err()
}

// customerName is what a contact is called in the accounts.
func customerName(company, first, last, email string) string {
	person := strings.TrimSpace(first + " " + last)
	switch {
	case company != "":
		return company
	case person != "":
		return person
	default:
		return email
	}
}
