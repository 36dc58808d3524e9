package reports_test

import (
	"fmt"
	"testing"
	"time"

	"comptoir/erp/reports"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

// The books of the benchmarks: a million entries of three lines, over three
// years. Accounts 1 to 4 have a line in each entry or in most, 5 in a few.
const (
	manyEntries = 1_000_000
	manyDays    = 1095
)

// manyBooks writes them with a few statements.
func manyBooks(b *testing.B) *store.DB {
	b.Helper()
	db := storetest.SQLite(b)
	numbers := fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, manyEntries)
	line := func(number int, account, debit, credit string) string {
		return fmt.Sprintf(`INSERT INTO entry_line (entry_id, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, contact_id, memo)
			%s SELECT i, %d, %s, %s, %s, 'EUR', %[4]s, %[5]s, 0, '' FROM n`, numbers, number, account, debit, credit)
	}
	err := db.Write(b.Context(), func(tx *store.Tx) error {
		for _, q := range []string{
			`INSERT INTO setting (name, value) VALUES ('currency', 'EUR')`,
			`INSERT INTO account (id, code, name, type, role) VALUES (1, '1050', 'Gateway', 'asset', ''), (2, '4000', 'Sales', 'income', 'sales'), (3, '2200', 'Tax', 'liability', 'output_tax'),
				(4, '1200', 'Receivable', 'asset', 'receivable'), (5, '1010', 'Bank', 'asset', 'bank')`,
			line(1, `CASE WHEN i % 1000 = 0 THEN 5 WHEN i % 10 = 0 THEN 4 ELSE 1 END`, `1200 + i % 500`, `0`),
			line(2, `2`, `0`, `1000`),
			line(3, `3`, `0`, `200 + i % 500`),
			// Entries come in no particular order of their days.
			fmt.Sprintf(`INSERT INTO entry (id, journal, effective, recorded_at, cause, description, document_kind, document_id, sequence, hash)
				%s SELECT i, 'sales', date('2024-01-01', '+' || ((i * 7919) %% %d) || ' days'), 0, 'order/' || i, 'Invoice, order ' || i, 'order', i, i, '' FROM n`, numbers, manyDays),
			`INSERT INTO account_day (account_id, day, debit, credit)
				SELECT l.account_id, e.effective, SUM(l.debit), SUM(l.credit) FROM entry_line l JOIN entry e ON e.id = l.entry_id GROUP BY l.account_id, e.effective`,
		} {
			if _, err := tx.Exec(b.Context(), q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// within runs a report and fails where it takes longer than a limit.
func within(b *testing.B, db *store.DB, report string, p reports.Params, limit time.Duration) {
	b.Helper()
	for b.Loop() {
		if _, err := reports.Run(b.Context(), db, report, p); err != nil {
			b.Fatal(err)
		}
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(each.Microseconds())/1000, "ms/report")
	b.ReportMetric(float64(each)/float64(limit), "of-the-limit")
	if each > limit {
		b.Errorf("%s takes %s, more than %s", report, each, limit)
	}
}

// BenchmarkMillionEntries measures the reports that people wait for at a million
// entries, beside the same sums by a scan of the lines.
func BenchmarkMillionEntries(b *testing.B) {
	db := manyBooks(b)
	last := fmt.Sprintf("2026-12-01/%d/2/4000", manyEntries/2)
	b.Run("trial balance", func(b *testing.B) {
		within(b, db, "trial-balance", reports.Params{From: "2026-01-01", To: "2026-12-31"}, 50*time.Millisecond)
		each := b.Elapsed() / time.Duration(b.N)
		begin := time.Now()
		var n int64
		err := db.QueryRow(b.Context(), `SELECT SUM(x.d) FROM (SELECT l.account_id, SUM(l.debit) AS d FROM entry_line l JOIN entry e ON e.id = l.entry_id WHERE e.effective <= '2026-12-31' GROUP BY l.account_id) x`).Scan(&n)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin))/float64(each), "times-faster-than-a-scan")
	})
	if err := db.Write(b.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(b.Context(), `INSERT INTO fiscal_year (id, year, first_day, last_day, closed, revision, entry_id) VALUES (2000001, 2024, '2024-01-01', '2024-12-31', TRUE, 1, 0)`)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.Run("income statement", func(b *testing.B) {
		within(b, db, "income-statement", reports.Params{From: "2026-01-01", To: "2026-12-31"}, 50*time.Millisecond)
	})
	b.Run("balance sheet", func(b *testing.B) {
		within(b, db, "balance-sheet", reports.Params{AsOf: "2026-12-31"}, 50*time.Millisecond)
	})
	b.Run("ledger first page", func(b *testing.B) {
		within(b, db, "general-ledger", reports.Params{Limit: 100}, 20*time.Millisecond)
	})
	b.Run("ledger last page", func(b *testing.B) {
		within(b, db, "general-ledger", reports.Params{Limit: 100, After: last}, 20*time.Millisecond)
	})
	b.Run("ledger of a rare account", func(b *testing.B) {
		within(b, db, "general-ledger", reports.Params{Account: "1010", From: "2026-06-01", Limit: 100}, 20*time.Millisecond)
	})
	b.Run("journal page", func(b *testing.B) {
		within(b, db, "journal", reports.Params{From: "2026-06-01", Limit: 100}, 20*time.Millisecond)
	})
}
