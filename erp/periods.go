package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/store"
)

// Signature is who does something that leaves a trail, and why.
type Signature struct {
	By     string
	Reason string
}

// The actions of the trail.
const (
	actionLock   = "lock"
	actionUnlock = "unlock"
	actionClose  = "close"
	actionReopen = "reopen"
)

// Period is a fiscal year as the books have it.
type Period struct {
	ledger.FiscalYear
	Closed bool  `json:"closed"`
	Locked bool  `json:"locked"` // to its last day
	Entry  int64 `json:"entry"`  // the entry that closed it; 0 for none
}

// PeriodEvent is one line of the trail of locks and closings.
type PeriodEvent struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"` // lock, unlock, close, reopen
	Day    string    `json:"day"`    // the lock date from then on, "" for none
	Year   int       `json:"year,omitempty"`
	Entry  int64     `json:"entry,omitempty"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// Periods are the fiscal years from the first entry to today, until when the
// books are locked, and how it came to that.
type Periods struct {
	Lock  string        `json:"lock"` // nothing is posted at or before it; "" for none
	Years []Period      `json:"years"`
	Trail []PeriodEvent `json:"trail"`
}

// today is the business date of now.
func (b *Books) today() string {
	return b.opts.Now().In(b.opts.Company.TimeZone).Format(time.DateOnly)
}

// isDay refuses what is not a business date.
func isDay(day string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fault.New(fault.Invalid, "write it as 2026-01-31", "%q is not a date", day)
	}
	return nil
}

// raiseLock locks the books until the configured day, where they are not
// locked that far.
func (b *Books) raiseLock(ctx context.Context, tx *store.Tx) error {
	day := b.opts.Company.LockDate
	if day == "" {
		return nil
	}
	if err := isDay(day); err != nil {
		return fmt.Errorf("lock date: %w", err)
	}
	had, err := ledger.LockDate(ctx, tx)
	if err != nil || had >= day {
		return err
	}
	return b.moveLock(ctx, tx, PeriodEvent{Action: actionLock, Day: day, By: "configuration", Reason: "books.lock_date"})
}

// moveLock sets the lock date and leaves a trail.
func (b *Books) moveLock(ctx context.Context, tx *store.Tx, e PeriodEvent) error {
	id, err := tx.NewID(ctx)
	if err != nil {
		return err
	}
	setLock(tx, e.Day)
	tx.Queue(`INSERT INTO period_event (id, recorded_at, action, day, year, entry_id, done_by, reason) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		id, store.Micros(b.opts.Now()), e.Action, e.Day, e.Year, e.Entry, e.By, e.Reason)
	return nil
}

func setLock(tx *store.Tx, day string) {
	tx.Queue(`UPDATE period_lock SET day = $1 WHERE id = 1`, day)
}

// SetLock locks all days until day. It refuses days that are not over, and
// those that are locked already.
func (b *Books) SetLock(ctx context.Context, day string, s Signature) error {
	if err := isDay(day); err != nil {
		return err
	}
	if today := b.today(); day >= today {
		return fault.New(fault.Invalid, "lock a day that is over", "%s is not over: today is %s", day, today)
	}
	return b.db.Write(ctx, func(tx *store.Tx) error {
		had, err := ledger.LockDate(ctx, tx)
		if err != nil {
			return err
		}
		if had >= day {
			return fault.New(fault.Conflict, fmt.Sprintf("to open days again: comptoir period unlock %s --reason TEXT", day), "the books are locked until %s already", had)
		}
		return b.moveLock(ctx, tx, PeriodEvent{Action: actionLock, Day: day, By: s.By, Reason: s.Reason})
	})
}

// Unlock opens day and all days after it. It refuses to open a closed fiscal
// year, which is reopened instead, and what the configuration locks.
func (b *Books) Unlock(ctx context.Context, day string, s Signature) error {
	if err := isDay(day); err != nil {
		return err
	}
	if err := needReason(s); err != nil {
		return err
	}
	return b.db.Write(ctx, func(tx *store.Tx) error {
		had, err := ledger.LockDate(ctx, tx)
		if err != nil {
			return err
		}
		if day > had {
			return fault.New(fault.Conflict, "see comptoir period list", "%s is not locked", day)
		}
		lock := ledger.DayBefore(day)
		if err := b.mayOpen(lock); err != nil {
			return err
		}
		var year int
		err = tx.QueryRow(ctx, `SELECT year FROM fiscal_year WHERE closed AND last_day > $1 ORDER BY year DESC LIMIT 1`, lock).Scan(&year)
		if err == nil {
			return fault.New(fault.Locked, fmt.Sprintf("comptoir period reopen %d --reason TEXT", year), "%s lies in or before fiscal year %d, which is closed", day, year)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read fiscal years: %w", err)
		}
		return b.moveLock(ctx, tx, PeriodEvent{Action: actionUnlock, Day: lock, By: s.By, Reason: s.Reason})
	})
}

func needReason(s Signature) error {
	if strings.TrimSpace(s.Reason) == "" {
		return fault.New(fault.Invalid, "give one with --reason", "opening a period needs a reason: it stays in the trail")
	}
	return nil
}

// mayOpen refuses a lock date before the one that the configuration sets.
func (b *Books) mayOpen(lock string) error {
	if least := b.opts.Company.LockDate; lock < least {
		return fault.New(fault.Locked, "lower books.lock_date there first", "the configuration locks the books until %s", least)
	}
	return nil
}

// closedYear is a row of that name: a fiscal year that was ever closed.
type closedYear struct {
	id       int64
	days     ledger.FiscalYear // as they were when it was closed
	closed   bool
	revision int64
	entry    int64
}

func (b *Books) closedYear(ctx context.Context, r store.Reader, year int) (closedYear, error) {
	var y closedYear
	err := r.QueryRow(ctx, `SELECT id, year, first_day, last_day, closed, revision, entry_id FROM fiscal_year WHERE year = $1`, year).
		Scan(&y.id, &y.days.Year, &y.days.First, &y.days.Last, &y.closed, &y.revision, &y.entry)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return y, fmt.Errorf("read fiscal year %d: %w", year, err)
	}
	return y, nil
}

func saveYear(tx *store.Tx, fy ledger.FiscalYear, y closedYear) {
	tx.Queue(`INSERT INTO fiscal_year (id, year, first_day, last_day, closed, revision, entry_id) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (year) DO UPDATE SET first_day = excluded.first_day, last_day = excluded.last_day, closed = excluded.closed, revision = excluded.revision, entry_id = excluded.entry_id`,
		y.id, fy.Year, fy.First, fy.Last, y.closed, y.revision, y.entry)
}

// CloseYear closes a fiscal year: its income and expenses are posted to
// retained earnings on its last day, and it is locked. It returns the closing
// entry, 0 where there was nothing to close. The year must be over and the one
// before it closed. Days of it that are locked already are no hindrance: the
// closing is what they were locked for.
func (b *Books) CloseYear(ctx context.Context, year int, s Signature) (int64, error) {
	fy, err := ledger.FiscalYearNamed(b.opts.Company.FiscalYearStart, year)
	if err != nil {
		return 0, err
	}
	if today := b.today(); today <= fy.Last {
		return 0, fault.New(fault.Unprocessable, "close it once it is over", "fiscal year %d ends on %s, and today is %s", year, fy.Last, today)
	}
	var entry int64
	err = b.db.Write(ctx, func(tx *store.Tx) (err error) {
		entry, err = b.closeYear(ctx, tx, fy, s)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("close fiscal year %d: %w", year, err)
	}
	return entry, nil
}

func (b *Books) closeYear(ctx context.Context, tx *store.Tx, fy ledger.FiscalYear, s Signature) (int64, error) {
	y, err := b.closedYear(ctx, tx, fy.Year)
	if err != nil {
		return 0, err
	}
	if y.closed {
		return 0, fault.New(fault.Conflict, fmt.Sprintf("to change it: comptoir period reopen %d --reason TEXT", fy.Year), "it is closed already")
	}
	if err := apart(ctx, tx, fy); err != nil {
		return 0, err
	}
	if err := b.earlierYearsClosed(ctx, tx, fy); err != nil {
		return 0, err
	}
	if y.id == 0 {
		if y.id, err = tx.NewID(ctx); err != nil {
			return 0, err
		}
	}
	lock, err := ledger.LockDate(ctx, tx)
	if err != nil {
		return 0, err
	}
	y.closed, y.revision = true, y.revision+1
	if lock >= fy.Last {
		setLock(tx, ledger.DayBefore(fy.Last)) // for the closing entry, within this transaction
	}
	e, err := b.closingEntry(ctx, tx, fy, y)
	if err != nil {
		return 0, err
	}
	if len(e.Lines) > 0 {
		if y.entry, err = b.postOne(ctx, tx, e); err != nil {
			return 0, err
		}
	}
	saveYear(tx, fy, y)
	return y.entry, b.moveLock(ctx, tx, PeriodEvent{Action: actionClose, Day: max(lock, fy.Last), Year: fy.Year, Entry: y.entry, By: s.By, Reason: s.Reason})
}

// postOne posts a single entry.
func (b *Books) postOne(ctx context.Context, tx *store.Tx, e *ledger.Entry) (int64, error) {
	poster := ledger.NewPoster(tx, b.accounts, b.opts.Now())
	id, err := poster.Post(ctx, e)
	if err != nil {
		return 0, err
	}
	poster.Flush()
	return id, nil
}

// apart refuses a fiscal year that shares days with one that is closed: the day
// on which years begin was changed since.
func apart(ctx context.Context, r store.Reader, fy ledger.FiscalYear) error {
	var other ledger.FiscalYear
	err := r.QueryRow(ctx, `SELECT year, first_day, last_day FROM fiscal_year WHERE closed AND year <> $1 AND first_day <= $2 AND last_day >= $3 ORDER BY year LIMIT 1`,
		fy.Year, fy.Last, fy.First).Scan(&other.Year, &other.First, &other.Last)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("read fiscal years: %w", err)
	}
	return fault.New(fault.Conflict, "set books.fiscal_year_start back, or reopen that year first", "its days, %s to %s, are partly those of fiscal year %d (%s to %s), which is closed",
		fy.First, fy.Last, other.Year, other.First, other.Last)
}

// earlierYearsClosed refuses a closing while income or expenses of an earlier
// year are open: they would become those of this one.
func (b *Books) earlierYearsClosed(ctx context.Context, r store.Reader, fy ledger.FiscalYear) error {
	var open int64
	err := r.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT d.account_id FROM account_day d JOIN account a ON a.id = d.account_id
		WHERE a.type IN ('income', 'expense') AND d.day < $1 GROUP BY d.account_id HAVING SUM(d.debit - d.credit) <> 0) x`, fy.First).Scan(&open)
	if err != nil {
		return fmt.Errorf("read earlier years: %w", err)
	}
	if open == 0 {
		return nil
	}
	var day string
	err = r.QueryRow(ctx, `SELECT MIN(d.day) FROM account_day d JOIN account a ON a.id = d.account_id
		WHERE a.type IN ('income', 'expense') AND d.day < $1 AND d.day > (SELECT COALESCE(MAX(last_day), '') FROM fiscal_year WHERE closed AND last_day < $1)`, fy.First).Scan(&day)
	if err != nil {
		return fmt.Errorf("read earlier years: %w", err)
	}
	before, err := ledger.FiscalYearOf(b.opts.Company.FiscalYearStart, day)
	if err != nil {
		return err
	}
	return fault.New(fault.Unprocessable, fmt.Sprintf("close it first: comptoir period close %d", before.Year), "fiscal year %d is open", before.Year)
}

// closingEntry brings every income and expense account to zero against
// retained earnings.
func (b *Books) closingEntry(ctx context.Context, r store.Reader, fy ledger.FiscalYear, y closedYear) (*ledger.Entry, error) {
	cause := fmt.Sprintf("period/close/%d", fy.Year)
	if y.revision > 1 {
		cause += fmt.Sprintf("#%d", y.revision)
	}
	e := &ledger.Entry{Journal: ledger.JournalClosing, Effective: fy.Last, Cause: cause, DocumentKind: ledger.FiscalYearKind, Document: y.id,
		Description: fmt.Sprintf("Closing of fiscal year %d, %s to %s", fy.Year, fy.First, fy.Last)}
	rows, err := r.Query(ctx, `SELECT a.code, SUM(d.debit - d.credit) FROM account_day d JOIN account a ON a.id = d.account_id
		WHERE a.type IN ('income', 'expense') AND d.day <= $1 GROUP BY a.code HAVING SUM(d.debit - d.credit) <> 0 ORDER BY a.code`, fy.Last)
	if err != nil {
		return nil, fmt.Errorf("read income and expenses: %w", err)
	}
	defer rows.Close()
	var result int64
	for rows.Next() {
		var code string
		var balance int64
		if err := rows.Scan(&code, &balance); err != nil {
			return nil, err
		}
		e.Lines = append(e.Lines, b.homeLine(ledger.Ref{Code: code}, -balance, ""))
		result += balance
	}
	if result != 0 {
		e.Lines = append(e.Lines, b.homeLine(ledger.Ref{Role: ledger.RetainedEarnings}, result, ""))
	}
	return e, rows.Err()
}

// homeLine is a line in the currency of the books; a positive amount is a
// debit.
func (b *Books) homeLine(account ledger.Ref, amount int64, memo string) ledger.Line {
	debit, credit := max(amount, 0), max(-amount, 0)
	return ledger.Line{Account: account, Debit: debit, Credit: credit, Currency: b.opts.Company.Currency, ForeignDebit: debit, ForeignCredit: credit, Memo: memo}
}

// ReopenYear takes the closing of a fiscal year back and opens the year. Later
// years must not be closed. It returns the entry that reverses the closing, 0
// where nothing was closed.
func (b *Books) ReopenYear(ctx context.Context, year int, s Signature) (int64, error) {
	if err := needReason(s); err != nil {
		return 0, err
	}
	var entry int64
	err := b.db.Write(ctx, func(tx *store.Tx) (err error) {
		entry, err = b.reopenYear(ctx, tx, year, s)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reopen fiscal year %d: %w", year, err)
	}
	return entry, nil
}

func (b *Books) reopenYear(ctx context.Context, tx *store.Tx, year int, s Signature) (int64, error) {
	y, err := b.closedYear(ctx, tx, year)
	if err != nil {
		return 0, err
	}
	fy := y.days
	if !y.closed {
		return 0, fault.New(fault.Conflict, "see comptoir period list", "it is not closed")
	}
	var later int
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(year), 0) FROM fiscal_year WHERE closed AND year > $1`, fy.Year).Scan(&later)
	if err != nil {
		return 0, fmt.Errorf("read later years: %w", err)
	}
	if later > 0 {
		return 0, fault.New(fault.Locked, fmt.Sprintf("reopen that first: comptoir period reopen %d --reason TEXT", later), "fiscal year %d is closed", later)
	}
	if err := b.mayOpen(ledger.DayBefore(fy.Last)); err != nil {
		return 0, err
	}
	setLock(tx, ledger.DayBefore(fy.Last))
	var reversal int64
	if y.entry != 0 {
		closing, err := ledger.ByID(ctx, tx, y.entry)
		if err != nil {
			return 0, err
		}
		if reversal, err = b.postOne(ctx, tx, closing.Reversal(closing.ID, closing.Cause+"/reversal", closing.Effective)); err != nil {
			return 0, err
		}
	}
	y.closed, y.entry = false, 0
	saveYear(tx, fy, y)
	return reversal, b.moveLock(ctx, tx, PeriodEvent{Action: actionReopen, Day: max(ledger.DayBefore(fy.First), b.opts.Company.LockDate), Year: fy.Year, Entry: reversal, By: s.By, Reason: s.Reason})
}

// Periods lists the fiscal years, the lock and the trail, newest last.
func (b *Books) Periods(ctx context.Context) (Periods, error) {
	var out Periods
	err := b.db.Read(ctx, func(r store.Reader) (err error) {
		out = Periods{Years: []Period{}, Trail: []PeriodEvent{}}
		if out.Lock, err = ledger.LockDate(ctx, r); err != nil {
			return err
		}
		if out.Years, err = b.years(ctx, r, out.Lock); err != nil {
			return err
		}
		out.Trail, err = trail(ctx, r)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("list periods: %w", err)
	}
	return out, nil
}

func (b *Books) years(ctx context.Context, r store.Reader, lock string) ([]Period, error) {
	var first, last string
	if err := r.QueryRow(ctx, `SELECT COALESCE(MIN(day), ''), COALESCE(MAX(day), '') FROM account_day`).Scan(&first, &last); err != nil {
		return nil, err
	}
	today := b.today()
	if first == "" || first > today {
		first = today
	}
	fy, err := ledger.FiscalYearOf(b.opts.Company.FiscalYearStart, first)
	if err != nil {
		return nil, err
	}
	years := []Period{}
	for fy.First <= max(last, today) {
		y, err := b.closedYear(ctx, r, fy.Year)
		if err != nil {
			return nil, err
		}
		days := fy
		if y.closed {
			days = y.days
		}
		years = append(years, Period{FiscalYear: days, Closed: y.closed, Locked: lock >= days.Last, Entry: y.entry})
		if fy, err = ledger.FiscalYearNamed(b.opts.Company.FiscalYearStart, fy.Year+1); err != nil {
			return nil, err
		}
	}
	return years, nil
}

func trail(ctx context.Context, r store.Reader) ([]PeriodEvent, error) {
	rows, err := r.Query(ctx, `SELECT recorded_at, action, day, year, entry_id, done_by, reason FROM period_event ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []PeriodEvent{}
	for rows.Next() {
		var e PeriodEvent
		var at int64
		if err := rows.Scan(&at, &e.Action, &e.Day, &e.Year, &e.Entry, &e.By, &e.Reason); err != nil {
			return nil, err
		}
		e.At = store.FromMicros(at)
		out = append(out, e)
	}
	return out, rows.Err()
}
