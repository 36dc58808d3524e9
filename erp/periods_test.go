package erp_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/sales"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

var owner = erp.Signature{By: "zoe", Reason: "the return was corrected"}

// openBooks opens books whose owner says it is a certain day.
func openBooks(t *testing.T, path, url string, company erp.Company, now func() time.Time) *erp.Books {
	t.Helper()
	company.Currency, company.Chart = "EUR", "general"
	b, err := erp.Open(ctx, erp.Options{Path: path, URL: url, Company: company, Now: now, Log: zerolog.Nop(),
		Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// eachDay runs a test on both databases, with a clock that the test turns.
func eachDay(t *testing.T, company erp.Company, fn func(t *testing.T, b *erp.Books, now *time.Time)) {
	t.Run("sqlite", func(t *testing.T) {
		now := placed.AddDate(0, 1, 0)
		fn(t, openBooks(t, filepath.Join(t.TempDir(), "books.db"), "", company, func() time.Time { return now }), &now)
	})
	t.Run("postgres", func(t *testing.T) {
		now := placed.AddDate(0, 1, 0)
		fn(t, openBooks(t, "", storetest.URL(t), company, func() time.Time { return now }), &now)
	})
}

// until is all that the books say of the days until one of them.
func until(t *testing.T, b *erp.Books, day string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, q := range []string{
		`SELECT a.code, SUM(d.debit * 3 + d.credit) FROM account_day d JOIN account a ON a.id = d.account_id WHERE d.day <= $1 GROUP BY a.code`,
		`SELECT 'entry ' || journal, COUNT(*) FROM entry WHERE effective <= $1 GROUP BY journal`,
		`SELECT 'moves', COUNT(*) FROM stock_move WHERE effective <= $1`,
		`SELECT 'tax', SUM(tax) + COUNT(*) FROM tax_fact WHERE effective <= $1`,
		`SELECT 'documents', COUNT(*) FROM invoice WHERE date <= $1`,
	} {
		for name, n := range sums(t, b, q, day) {
			out[name] = n
		}
	}
	return out
}

func refundOf(o *intake.Order) {
	o.Refunds = []intake.Refund{{ID: "r1", At: sent.Add(time.Hour), Amount: dec("6"),
		Lines: []intake.RefundLine{{LineID: "1", Total: dec("5"), Taxes: []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec("1")}}}}}}
}

func TestNoPathPostsIntoALockedPeriod(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("80")))
		state(t, b, "1", sent, order(completed))
		state(t, b, "2", sent, order(completed, refundOf))
		state(t, b, "3", paid, order())
		if _, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)); err != nil {
			t.Fatal(err)
		}
		if err := b.SetLock(ctx, "2026-03-31", owner); err != nil {
			t.Fatal(err)
		}
		before := until(t, b, "2026-03-31")
		later := placed.AddDate(0, 1, 0)
		for _, path := range []struct {
			name string
			walk func(t *testing.T)
		}{
			{"a new order with an old date", func(t *testing.T) { state(t, b, "9", sent, order(completed)) }},
			{"an edit", func(t *testing.T) {
				state(t, b, "1", sent.Add(2*time.Hour), order(completed, func(o *intake.Order) {
					o.Lines[0].Subtotal, o.Lines[0].Total, o.Lines[0].Taxes[0].Amount = dec("10"), dec("10"), dec("2")
					o.Total, o.TotalTax, o.Payments[0].Amount = dec("17.88"), dec("2.98"), dec("17.88")
				}))
			}},
			{"a refund that is deleted", func(t *testing.T) { state(t, b, "2", sent.Add(3*time.Hour), order(completed)) }},
			{"a cancellation", func(t *testing.T) { state(t, b, "3", later, order(status("cancelled", intake.StateCancelled))) }},
			{"an order that the shop deletes", func(t *testing.T) {
				receive(t, b, orders, intake.Record{Ref: intake.Ref{Kind: intake.KindOrder, ID: "9"}})
			}},
			{"stock that is stated otherwise", func(t *testing.T) {
				receive(t, b, goods, seal(t, intake.KindProduct, "7", later.Add(time.Hour), shirt("3")))
				if s, err := b.Settle(ctx, "atelier", later, later); err != nil || s.Adjusted != 1 {
					t.Fatal(s, err)
				}
			}},
			{"a resync", func(t *testing.T) { state(t, b, "1", later, order(completed)) }},
		} {
			t.Run(path.name, func(t *testing.T) {
				path.walk(t)
				if diff := cmp.Diff(before, until(t, b, "2026-03-31")); diff != "" {
					t.Errorf("the locked period has changed (-before +after):\n%s", diff)
				}
			})
		}
		late := sums(t, b, `SELECT e.description, COUNT(*) FROM entry e WHERE e.effective = '2026-04-01' AND (e.description LIKE '%(of 2026-03-%' ) GROUP BY e.description`)
		for _, want := range []string{"Invoice, order 1042 of atelier (of 2026-03-04, in the locked period)", "Reversal: Invoice, order 1042 of atelier (of 2026-03-04)"} {
			if late[want] == 0 {
				t.Errorf("no entry says %q: %v", want, late)
			}
		}
		invariants(t, b)
	})
}

func TestTheDatabaseRefusesALockedPeriodToo(t *testing.T) {
	check := func(t *testing.T, path, url string) {
		b := openBooks(t, path, url, erp.Company{}, func() time.Time { return placed.AddDate(0, 1, 0) })
		state(t, b, "1", sent, order(completed))
		if err := b.SetLock(ctx, "2026-03-31", owner); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(ctx, store.Options{Path: path, URL: url, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, q := range []string{
			`INSERT INTO entry (id, journal, effective, recorded_at, cause, description, document_kind, document_id, sequence, hash)
				SELECT id + 100000, journal, effective, recorded_at, 'x' || cause, description, document_kind, document_id, sequence, hash FROM entry`,
			`INSERT INTO stock_move (id, variant_id, from_place, to_place, quantity, unit_cost, value, reason, document_kind, document_id, line_id, effective, recorded_at, cause)
				SELECT MIN(id) + 100000, MIN(id), 1, 2, 1, '1', 1, '', '', 0, 0, '2026-03-31', 0, 'x' FROM variant`,
			`INSERT INTO tax_fact (id, component_id, entry_id, document_kind, document_id, line_id, direction, effective, currency, foreign_base, foreign_tax, base, tax)
				SELECT id + 100000, component_id, entry_id, document_kind, document_id, line_id, direction, effective, currency, 0, 0, 0, 0 FROM tax_fact`,
		} {
			err := db.Write(ctx, func(tx *store.Tx) error {
				if strings.HasPrefix(q, "INSERT INTO entry") {
					if _, err := tx.Exec(ctx, `INSERT INTO entry_line SELECT entry_id + 100000, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, contact_id, memo FROM entry_line`); err != nil {
						return err
					}
				}
				_, err := tx.Exec(ctx, q)
				return err
			})
			if !store.IsCheck(err) || !strings.Contains(err.Error(), "locked") {
				t.Errorf("%s: %v", q, err)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { check(t, filepath.Join(t.TempDir(), "books.db"), "") })
	t.Run("postgres", func(t *testing.T) { check(t, "", storetest.URL(t)) })
}

// TestAPostingThatBeganBeforeTheLockDoesNotSlipIn has another process lock the
// period while a transaction is under way that has seen it open. SQLite has one
// writer at a time, so there it cannot happen.
func TestAPostingThatBeganBeforeTheLockDoesNotSlipIn(t *testing.T) {
	url := storetest.URL(t)
	b := openBooks(t, "", url, erp.Company{}, func() time.Time { return placed.AddDate(0, 1, 0) })
	db, err := store.Open(ctx, store.Options{URL: url, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tries := 0
	err = db.Write(ctx, func(tx *store.Tx) error {
		tries++
		lock, err := ledger.LockDate(ctx, tx)
		if err != nil {
			return err
		}
		if lock == "" {
			if err := b.SetLock(ctx, "2026-03-31", owner); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO entry_line (entry_id, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, memo)
			SELECT 1, 1, MIN(id), 0, 0, 'EUR', 0, 0, '' FROM account`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO entry (id, journal, effective, recorded_at, cause, description, document_kind, document_id, sequence, hash)
			VALUES (1, 'general', '2026-03-05', 0, 'x', '', '', 0, 1, '')`)
		return err
	})
	if !store.IsCheck(err) || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

func TestTheConfigurationLocksAtTheLeast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	now := func() time.Time { return placed.AddDate(0, 1, 0) }
	b := openBooks(t, path, "", erp.Company{LockDate: "2026-02-28"}, now)
	if err := b.SetLock(ctx, "2026-03-15", owner); err != nil {
		t.Fatal(err)
	}
	if err := b.Unlock(ctx, "2026-02-28", owner); fault.KindOf(err) != fault.Locked || !strings.Contains(err.Error(), "books.lock_date") {
		t.Errorf("unlocked what the configuration locks: %v", err)
	}
	if err := b.Unlock(ctx, "2026-03-01", owner); err != nil {
		t.Error(err)
	}
	b = openBooks(t, path, "", erp.Company{}, now)
	p, err := b.Periods(ctx)
	if err != nil || p.Lock != "2026-02-28" || len(p.Trail) != 3 || p.Trail[0].By != "configuration" || p.Trail[2].Reason != owner.Reason {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := erp.Open(ctx, erp.Options{Path: path, Company: erp.Company{Currency: "EUR", Chart: "general", LockDate: "soon"}, Now: now, Log: zerolog.Nop()}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a lock date that is none: %v", err)
	}
}

func TestLocksAndClosingsAreRefusedWithTheReason(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		state(t, b, "1", sent, order(completed))
		if err := b.SetLock(ctx, "2026-03-20", owner); err != nil {
			t.Fatal(err)
		}
		close := func(year int) error { _, err := b.CloseYear(ctx, year, owner); return err }
		reopen := func(year int, s erp.Signature) error { _, err := b.ReopenYear(ctx, year, s); return err }
		for _, test := range []struct {
			name, want string
			err        error
		}{
			{"no date", "is not a date", b.SetLock(ctx, "2026-13-01", owner)},
			{"a day that is not over", "is not over", b.SetLock(ctx, "2026-04-02", owner)},
			{"locked already", "locked until 2026-03-20", b.SetLock(ctx, "2026-03-01", owner)},
			{"not locked", "is not locked", b.Unlock(ctx, "2026-03-21", owner)},
			{"no reason", "needs a reason", b.Unlock(ctx, "2026-03-20", erp.Signature{By: "zoe"})},
			{"a year that is not over", "ends on 2026-12-31", close(2026)},
			{"not a year", "is not a fiscal year", close(26)},
			{"not closed", "is not closed", reopen(2025, owner)},
			{"no reason to reopen", "needs a reason", reopen(2025, erp.Signature{By: "zoe"})},
		} {
			if test.err == nil || fault.KindOf(test.err) == fault.Internal || !strings.Contains(test.err.Error(), test.want) {
				t.Errorf("%s: %v", test.name, test.err)
			}
		}
	})
}

func TestClosingAYearMovesItsResultAndReopeningTakesItBack(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("80")))
		state(t, b, "1", sent, order(completed))
		state(t, b, "2", placed.AddDate(1, 0, 0), order(completed, func(o *intake.Order) {
			o.Number, o.PlacedAt, o.PaidAt, o.CompletedAt, o.Payments[0].At = "2000", placed.AddDate(1, 0, 0), placed.AddDate(1, 0, 0), placed.AddDate(1, 0, 0), placed.AddDate(1, 0, 0)
		}))
		*now = time.Date(2028, 2, 1, 9, 0, 0, 0, time.UTC)
		if _, err := b.Settle(ctx, "atelier", *now, *now); err != nil {
			t.Fatal(err)
		}
		open := until(t, b, "2028-12-31")
		if _, err := b.CloseYear(ctx, 2027, owner); err == nil || !strings.Contains(err.Error(), "period close 2026") {
			t.Errorf("closed 2027 before 2026: %v", err)
		}
		if err := b.SetLock(ctx, "2026-12-31", owner); err != nil { // the months were locked one by one
			t.Fatal(err)
		}
		result := func(year string) int64 {
			return sums(t, b, `SELECT 'result', SUM(d.credit - d.debit) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.type IN ('income', 'expense') AND substr(d.day, 1, 4) = $1`, year)["result"]
		}
		retained := func() int64 {
			return sums(t, b, `SELECT 'x', SUM(d.credit - d.debit) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role = 'retained_earnings'`)["x"]
		}
		first, second := result("2026"), result("2027")
		if first == 0 || second == 0 {
			t.Fatal("the years have no results")
		}
		for _, year := range []int{2026, 2027} {
			if id, err := b.CloseYear(ctx, year, owner); err != nil || id == 0 {
				t.Fatal(id, err)
			}
		}
		if result("2026") != 0 || result("2027") != 0 || retained() != first+second {
			t.Errorf("results %d %d, retained %d of %d", result("2026"), result("2027"), retained(), first+second)
		}
		if _, err := b.CloseYear(ctx, 2026, owner); fault.KindOf(err) != fault.Conflict {
			t.Errorf("closed twice: %v", err)
		}
		if err := b.Unlock(ctx, "2027-06-01", owner); fault.KindOf(err) != fault.Locked || !strings.Contains(err.Error(), "period reopen 2027") {
			t.Errorf("unlocked a closed year: %v", err)
		}
		if _, err := b.ReopenYear(ctx, 2026, owner); fault.KindOf(err) != fault.Locked || !strings.Contains(err.Error(), "period reopen 2027") {
			t.Errorf("reopened 2026 before 2027: %v", err)
		}
		invariants(t, b)
		for _, year := range []int{2027, 2026} {
			if _, err := b.ReopenYear(ctx, year, owner); err != nil {
				t.Fatal(err)
			}
		}
		if result("2026") != first || retained() != 0 {
			t.Errorf("result %d of %d, retained %d", result("2026"), first, retained())
		}
		if _, err := b.CloseYear(ctx, 2026, owner); err != nil {
			t.Errorf("closed again: %v", err)
		}
		p, err := b.Periods(ctx)
		if err != nil || p.Lock != "2026-12-31" || len(p.Trail) != 6 || len(p.Years) != 3 || !p.Years[0].Closed || p.Years[1].Closed {
			t.Errorf("%+v %v", p, err)
		}
		if len(open) == 0 {
			t.Error("nothing was posted")
		}
		invariants(t, b)
	})
}

func TestAFiscalYearThatSharesDaysWithAClosedOneIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	now := func() time.Time { return placed.AddDate(3, 0, 0) }
	b := openBooks(t, path, "", erp.Company{}, now)
	state(t, b, "1", sent, order(completed))
	if _, err := b.CloseYear(ctx, 2026, owner); err != nil {
		t.Fatal(err)
	}
	b = openBooks(t, path, "", erp.Company{FiscalYearStart: "07-01"}, now)
	if _, err := b.CloseYear(ctx, 2027, owner); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "fiscal year 2026 (2026-01-01 to 2026-12-31)") {
		t.Errorf("closed: %v", err)
	}
	if _, err := b.ReopenYear(ctx, 2026, owner); err != nil {
		t.Error(err)
	}
	if p, err := b.Periods(ctx); err != nil || p.Lock != "2025-12-31" {
		t.Errorf("%+v %v", p, err)
	}
	invariants(t, b)
}

func TestFiscalYearsAreNamedByTheYearInWhichTheyEnd(t *testing.T) {
	for _, test := range []struct {
		start, day string
		want       ledger.FiscalYear
	}{
		{"", "2026-03-02", ledger.FiscalYear{Year: 2026, First: "2026-01-01", Last: "2026-12-31"}},
		{"07-01", "2026-06-30", ledger.FiscalYear{Year: 2026, First: "2025-07-01", Last: "2026-06-30"}},
		{"07-01", "2026-07-01", ledger.FiscalYear{Year: 2027, First: "2026-07-01", Last: "2027-06-30"}},
		{"03-01", "2024-02-29", ledger.FiscalYear{Year: 2024, First: "2023-03-01", Last: "2024-02-29"}},
	} {
		if got, err := ledger.FiscalYearOf(test.start, test.day); err != nil || got != test.want {
			t.Errorf("%s %s: %+v %v", test.start, test.day, got, err)
		}
	}
	for _, start := range []string{"02-29", "13-01", "1 July"} {
		if _, err := ledger.FiscalYearNamed(start, 2026); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", start, err)
		}
	}
}
