package exports_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/exports"
	"comptoir/erp/exports/exportstest"
	"comptoir/erp/ledger"
	"comptoir/erp/reports"
	"comptoir/erp/store"

	"github.com/rs/zerolog"
)

// BenchmarkTrialBalance holds our trial balance against `ledger bal` on the
// same books, exported: 100,000 entries on 365 days.
func BenchmarkTrialBalance(b *testing.B) {
	exportstest.Need(b, "ledger", "ledger")
	const entries = 100_000
	dir := b.TempDir()
	path := filepath.Join(dir, "books.db")
	books, err := erp.Open(b.Context(), erp.Options{Path: path, Company: erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC}, Now: func() time.Time { return placed }, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	books.Close()
	db, err := store.Open(b.Context(), store.Options{Path: path, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := fill(b, db, entries); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "books.journal")
	out, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := exports.Write(b.Context(), db, out, exports.Hledger, exports.Options{}); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	if text, err := exec.Command("ledger", "-f", file, "bal").CombinedOutput(); err != nil {
		b.Fatalf("ledger bal: %v\n%s", err, text)
	}
	theirs := time.Since(started)
	for b.Loop() {
		tb, err := reports.TrialBalance(b.Context(), db, "", "")
		if err != nil || !tb.Balanced() {
			b.Fatal(tb, err)
		}
	}
	ours := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(theirs.Seconds(), "ledger-s")
	b.ReportMetric(ours.Seconds()*1000, "ours-ms")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// fill posts sales of a year.
func fill(b *testing.B, db *store.DB, entries int) error {
	accounts, err := ledger.OpenAccounts(b.Context(), db, "general")
	if err != nil {
		return err
	}
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for done := 0; done < entries; done += 1000 {
		err := db.Write(b.Context(), func(tx *store.Tx) error {
			p := ledger.NewPoster(tx, accounts, placed)
			for i := done; i < done+1000; i++ {
				amount := int64(1000 + i%977)
				side := func(role ledger.Role, debit, credit int64) ledger.Line {
					return ledger.Line{Account: ledger.Ref{Role: role}, Debit: debit, Credit: credit, Currency: "EUR", ForeignDebit: debit, ForeignCredit: credit}
				}
				e := &ledger.Entry{Journal: ledger.JournalGeneral, Effective: first.AddDate(0, 0, i%365).Format(time.DateOnly), Cause: fmt.Sprint("bench/", i),
					Description: "Sale", DocumentKind: "bench", Document: int64(i + 1),
					Lines: []ledger.Line{side(ledger.Receivable, amount*6, 0), side(ledger.Sales, 0, amount*5), side(ledger.OutputTax, 0, amount)}}
				if _, err := p.Post(b.Context(), e); err != nil {
					return err
				}
			}
			p.Flush()
			return tx.Flush(b.Context())
		})
		if err != nil {
			return err
		}
	}
	return nil
}
