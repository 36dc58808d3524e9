package erp

import (
	"context"
	"fmt"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/payouts"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// The kinds of document of what is entered by hand.
const (
	manualKind  = "manual"
	openingKind = "opening"
)

// ManualEntry is an entry as a person writes it down.
type ManualEntry struct {
	Date        string // business date, YYYY-MM-DD
	Description string
	// Reference makes the entry one that is posted once: the same entry with
	// the same reference changes nothing, another one is refused. May be "".
	Reference string
	// Currency of the amounts; "" means that of the books. Another one is
	// converted at the configured rate of the day.
	Currency money.Currency
	Lines    []ManualLine
}

// ManualLine is one line of a ManualEntry; one of Debit and Credit is positive
// and the other one zero, in major units.
type ManualLine struct {
	Account string // code
	Debit   decimal.Decimal
	Credit  decimal.Decimal
	Memo    string
	Line    int // in the file that it was read from; 0 for none
}

// Posted is an entry that was asked for.
type Posted struct {
	ID          int64  `json:"id"`
	Cause       string `json:"cause"`
	Date        string `json:"date"`
	Description string `json:"description"`
	Reverses    int64  `json:"reverses,omitempty"`
	// Again is set where the books had it already and nothing was posted.
	Again bool `json:"again"`
}

// PostManual posts an entry that a person wrote. What is wrong with it is told
// whole, in one fault, and then nothing is posted: a date that is none or
// locked, an account that is not known (the nearest ones are named) or is kept
// by documents, amounts that are negative, too fine or too large, a currency
// without a rate, debits that differ from credits.
func (b *Books) PostManual(ctx context.Context, e ManualEntry) (Posted, error) {
	posted, err := b.postAll(ctx, []ManualEntry{e}, "the entry")
	if err != nil {
		return Posted{}, err
	}
	return posted[0], nil
}

// postAll posts entries, all of them or none.
func (b *Books) postAll(ctx context.Context, list []ManualEntry, what string) ([]Posted, error) {
	var out []Posted
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		d, err := b.openDesk(ctx, tx)
		if err != nil {
			return err
		}
		out = make([]Posted, 0, len(list))
		entries := make([]*ledger.Entry, len(list))
		for i := range list {
			if entries[i], err = d.entry(ctx, list[i]); err != nil {
				return err
			}
		}
		if err := d.problems.fault(what); err != nil {
			return err
		}
		for _, e := range entries {
			p, err := d.post(ctx, e)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		d.poster.Flush()
		return nil
	})
	return out, err
}

// desk is where entries are written by hand, within one transaction.
type desk struct {
	b        *Books
	tx       *store.Tx
	poster   *ledger.Poster
	lock     string
	accounts map[string]ledger.Account
	problems problems
}

func (b *Books) openDesk(ctx context.Context, tx *store.Tx) (*desk, error) {
	d := &desk{b: b, tx: tx, poster: ledger.NewPoster(tx, b.accounts, b.opts.Now()), accounts: map[string]ledger.Account{}}
	var err error
	if d.lock, err = d.poster.Lock(ctx); err != nil {
		return nil, err
	}
	list, err := ledger.List(ctx, tx)
	for _, a := range list {
		d.accounts[a.Code] = a
	}
	return d, err
}

// entry checks what a person wrote and makes an entry of it, noting every
// problem. It has a cause only where there is a reference.
func (d *desk) entry(ctx context.Context, m ManualEntry) (*ledger.Entry, error) {
	first := 0
	if len(m.Lines) > 0 {
		first = m.Lines[0].Line
	}
	if strings.TrimSpace(m.Description) == "" {
		d.problems.add(first, fault.Invalid, "the description is missing: say what it is for")
	}
	if len(m.Lines) < 2 {
		d.problems.add(first, fault.Invalid, "an entry needs a debit and a credit at the least")
	}
	e := &ledger.Entry{Journal: ledger.JournalGeneral, Effective: m.Date, Description: m.Description, DocumentKind: manualKind}
	if m.Reference != "" {
		e.Cause = manualKind + "/" + m.Reference
	}
	if err := d.date(ctx, first, e); err != nil {
		return nil, err
	}
	currency, rate, ok := d.currency(m, first)
	var balance int64
	for _, l := range m.Lines {
		d.account(l)
		amount, good := d.amount(l, currency)
		ok = ok && good
		if !ok {
			continue
		}
		var err error
		if balance, err = money.AddMinor(balance, amount); err != nil {
			d.problems.add(l.Line, fault.Invalid, "the amounts add up to more than can be kept")
			ok = false
			continue
		}
		e.Lines = append(e.Lines, ledger.Line{Account: ledger.Ref{Code: l.Account}, Currency: currency, Memo: l.Memo,
			ForeignDebit: max(amount, 0), ForeignCredit: max(-amount, 0)})
	}
	if !ok {
		return e, nil
	}
	if balance != 0 {
		side := "debits exceed the credits"
		if balance < 0 {
			side, balance = "credits exceed the debits", -balance
		}
		d.problems.add(first, fault.Invalid, "the entry does not balance: the %s by %s", side, money.Amount{Minor: balance, Currency: currency})
		return e, nil
	}
	d.convert(e, rate, first)
	return e, nil
}

// date refuses what is no date, and a day that is locked; what was posted there
// before stands and may be said again.
func (d *desk) date(ctx context.Context, line int, e *ledger.Entry) error {
	day := e.Effective
	if err := isDay(day); err != nil {
		d.problems.add(line, fault.Invalid, "%v", err)
		return nil
	}
	if d.lock == "" || day > d.lock {
		return nil
	}
	had, err := ledger.ByCause(ctx, d.tx, e.Cause)
	if err == nil && had.ID == 0 {
		d.problems.add(line, fault.Locked, "%s lies in the locked period, which ends on %s: date it %s or later, or open the period: comptoir period unlock %s --reason TEXT",
			day, d.lock, ledger.DayAfter(d.lock), day)
	}
	return err
}

// currency returns the currency of an entry and its rate into that of the
// books.
func (d *desk) currency(m ManualEntry, line int) (money.Currency, decimal.Decimal, bool) {
	home := d.b.opts.Company.Currency
	one := decimal.NewFromInt(1)
	if m.Currency == "" || m.Currency == home {
		return home, one, true
	}
	if _, err := m.Currency.Decimals(); err != nil {
		d.problems.add(line, fault.Invalid, "%v", err)
		return home, one, false
	}
	rate, ok := d.b.opts.Company.rate(m.Currency, m.Date)
	if !ok {
		d.problems.add(line, fault.Unprocessable, "there is no exchange rate of %s on %s: add one to books.rates", m.Currency, m.Date)
	}
	return m.Currency, rate, ok
}

// account refuses an account that is not known, and those that only documents
// post to.
func (d *desk) account(l ManualLine) {
	a, ok := d.accounts[l.Account]
	if !ok {
		d.problems.add(l.Line, fault.NotFound, "there is no account %q%s", l.Account, suggest(l.Account, d.accounts))
		return
	}
	if keeper := keepers()[a.Role]; keeper != "" {
		d.problems.add(l.Line, fault.Invalid, "account %s (%s) is not entered by hand: %s", a.Code, a.Name, keeper)
	}
}

// keepers tells of the accounts that always equal the sum of something else:
// an entry by hand would part the two.
func keepers() map[ledger.Role]string {
	return map[ledger.Role]string{
		ledger.Inventory: "it is the value of the stock, which posts to it when it is taken over, moved and counted",
		ledger.OutputTax: "it is the tax of the documents; what is owed for earlier periods belongs on the account that has the role tax_settlement",
		ledger.InputTax:  "it is the tax of the documents; what is owed for earlier periods belongs on the account that has the role tax_settlement",
		ledger.Payable:   "it is what bills are owed; enter the bill",
	}
}

// amount is what a line debits, or negative what it credits, in minor units.
func (d *desk) amount(l ManualLine, c money.Currency) (int64, bool) {
	debit, ok1 := d.minor(l.Line, l.Debit, c)
	credit, ok2 := d.minor(l.Line, l.Credit, c)
	if !ok1 || !ok2 {
		return 0, false
	}
	if (debit > 0) == (credit > 0) {
		d.problems.add(l.Line, fault.Invalid, "account %s must have either a debit or a credit", l.Account)
		return 0, false
	}
	return debit - credit, true
}

func (d *desk) minor(line int, amount decimal.Decimal, c money.Currency) (int64, bool) {
	a, err := money.Round(amount, c)
	switch {
	case err != nil:
		d.problems.add(line, fault.Invalid, "the amount is out of range")
	case a.Minor < 0 || amount.IsNegative():
		d.problems.add(line, fault.Invalid, "the amount %s is negative: put it on the other side", amount)
	case !a.Decimal().Equal(amount):
		d.problems.add(line, fault.Invalid, "the amount %s has more decimals than %s", amount, c)
	default:
		return a.Minor, true
	}
	return 0, false
}

// convert fills in the amounts in the currency of the books, so that they
// balance as those of the document do.
func (d *desk) convert(e *ledger.Entry, rate decimal.Decimal, line int) {
	home := d.b.opts.Company.Currency
	scale, err := home.Decimals()
	if err != nil {
		d.problems.add(line, fault.Invalid, "%v", err)
		return
	}
	shares := make([]decimal.Decimal, len(e.Lines))
	for i, l := range e.Lines {
		amount := money.Amount{Minor: l.ForeignDebit - l.ForeignCredit, Currency: l.Currency}
		if l.Currency == home {
			e.Lines[i].Debit, e.Lines[i].Credit = l.ForeignDebit, l.ForeignCredit
			continue
		}
		if _, err := amount.Convert(rate, home); err != nil {
			d.problems.add(line, fault.Invalid, "the amount is out of range in %s", home)
			return
		}
		shares[i] = amount.Decimal().Mul(rate).Shift(int32(scale))
	}
	if len(e.Lines) == 0 || e.Lines[0].Currency == home {
		return
	}
	for i, part := range money.Split(0, shares) {
		if part == 0 {
			d.problems.add(line, fault.Invalid, "the amount is less than the smallest unit of %s", home)
			return
		}
		e.Lines[i].Debit, e.Lines[i].Credit = max(part, 0), max(-part, 0)
	}
}

// post posts an entry, once where it has a cause.
func (d *desk) post(ctx context.Context, e *ledger.Entry) (Posted, error) {
	if e.Cause != "" {
		had, err := ledger.ByCause(ctx, d.tx, e.Cause)
		if err != nil {
			return Posted{}, err
		}
		if had.ID != 0 && !sameEntry(had.Entry, *e) {
			return Posted{}, fault.New(fault.Conflict, fmt.Sprintf("choose another reference, or take it back first: comptoir ledger reverse %d", had.ID),
				"%s is posted already as entry %d, and it is another entry", e.Cause, had.ID)
		}
		if had.ID != 0 {
			return asPosted(had.ID, &had.Entry, true), nil
		}
	}
	document, err := d.tx.NewID(ctx)
	if err != nil {
		return Posted{}, err
	}
	e.Document = document
	if e.Cause == "" {
		e.Cause = fmt.Sprintf("%s/%d", manualKind, document)
	}
	id, err := d.poster.Post(ctx, e)
	return asPosted(id, e, false), err
}

func asPosted(id int64, e *ledger.Entry, again bool) Posted {
	return Posted{ID: id, Cause: e.Cause, Date: e.Effective, Description: e.Description, Reverses: e.Reverses, Again: again}
}

// sameEntry reports whether two entries say the same.
func sameEntry(a, b ledger.Entry) bool {
	if a.Effective != b.Effective || a.Description != b.Description || len(a.Lines) != len(b.Lines) {
		return false
	}
	for i, l := range a.Lines {
		m := b.Lines[i]
		if l.Account.Code != m.Account.Code || l.Currency != m.Currency || l.ForeignDebit != m.ForeignDebit || l.ForeignCredit != m.ForeignCredit || l.Memo != m.Memo {
			return false
		}
	}
	return true
}

// ReverseEntry takes an entry back that was entered by hand. Day "" means the
// day of the entry, or the first open day where that is locked. Entries of
// documents are taken back with the document, and are refused.
func (b *Books) ReverseEntry(ctx context.Context, id int64, day string) (Posted, error) {
	if day != "" {
		if err := isDay(day); err != nil {
			return Posted{}, err
		}
	}
	var out Posted
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		had, err := ledger.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := reversible(had); err != nil {
			return err
		}
		lock, err := ledger.LockDate(ctx, tx)
		if err != nil {
			return err
		}
		on := day
		if on == "" {
			on = ledger.Unlocked(lock, had.Effective)
		}
		if on < had.Effective {
			return fault.New(fault.Invalid, "date it later", "the entry is of %s and cannot be taken back on %s", had.Effective, on)
		}
		reversal := had.Reversal(id, had.Cause+"/reversal", on)
		before, err := ledger.ByCause(ctx, tx, reversal.Cause)
		if err != nil {
			return err
		}
		if before.ID != 0 {
			return fault.New(fault.Conflict, fmt.Sprintf("see comptoir explain %d", before.ID), "it is taken back already, by entry %d", before.ID)
		}
		n, err := b.postOne(ctx, tx, reversal)
		out = asPosted(n, reversal, false)
		return err
	})
	if err != nil {
		return Posted{}, fmt.Errorf("reverse entry %d: %w", id, err)
	}
	return out, nil
}

func reversible(e ledger.Stored) error {
	switch e.DocumentKind {
	case manualKind, openingKind, disputeKind:
		return nil
	case payouts.DocumentKind:
		if e.Document == 0 { // a person told of it, no gateway
			return nil
		}
		return fault.New(fault.Unprocessable, "the gateway's next statement of the payout corrects it", "it was posted for a payout that the shop states: %s", e.Cause)
	case ledger.FiscalYearKind:
		return fault.New(fault.Unprocessable, "reopen the year: comptoir period reopen YEAR --reason TEXT", "it belongs to the closing of a fiscal year")
	default:
		return fault.New(fault.Unprocessable, "change the document instead: its entries follow", "it was posted for %s: %s", e.DocumentKind, e.Cause)
	}
}
