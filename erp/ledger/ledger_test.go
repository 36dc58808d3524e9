package ledger_test

import (
	"context"
	"math"
	"testing"
	"time"

	"comptoir/erp/ledger"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var ctx = context.Background()

func entry(lines ...ledger.Line) *ledger.Entry {
	return &ledger.Entry{Journal: ledger.JournalGeneral, Effective: "2026-03-02", Cause: "test/1", DocumentKind: "test", Document: 1, Lines: lines}
}

func debit(n int64) ledger.Line {
	return ledger.Line{Account: ledger.Ref{Role: ledger.Receivable}, Debit: n, Currency: "EUR", ForeignDebit: n}
}

func credit(n int64) ledger.Line {
	return ledger.Line{Account: ledger.Ref{Role: ledger.Sales}, Credit: n, Currency: "EUR", ForeignCredit: n}
}

func TestCodeRefusesAnEntryThatIsNone(t *testing.T) {
	for name, e := range map[string]*ledger.Entry{
		"unbalanced":   entry(debit(100), credit(99)),
		"no lines":     entry(),
		"a zero line":  entry(debit(100), credit(100), debit(0)),
		"two sides":    entry(ledger.Line{Debit: 1, Credit: 1}),
		"negative":     entry(debit(-1), credit(-1)),
		"overflow":     entry(debit(math.MaxInt64), debit(1), credit(1)),
		"without date": {Lines: []ledger.Line{debit(1), credit(1)}},
	} {
		if err := e.Check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := entry(debit(100), credit(60), credit(40)).Check(); err != nil {
		t.Error(err)
	}
}

func TestReversalTakesAnEntryBack(t *testing.T) {
	e := entry(debit(100), credit(100))
	r := e.Reversal(7, "test/1/reversal", "2026-04-01")
	if err := r.Check(); err != nil || r.Lines[0].Credit != 100 || r.Lines[1].Debit != 100 || r.Reverses != 7 || e.Lines[0].Debit != 100 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestDatabaseRefusesWhatTheCodeWould(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		accounts, err := ledger.OpenAccounts(ctx, db, "general")
		if err != nil {
			t.Fatal(err)
		}
		post := func(e *ledger.Entry) error {
			return db.Write(ctx, func(tx *store.Tx) error {
				p := ledger.NewPoster(tx, accounts, time.Unix(0, 0))
				if _, err := p.Post(ctx, e); err != nil {
					return err
				}
				p.Flush()
				return tx.Flush(ctx)
			})
		}
		if err := post(entry(debit(100), credit(100))); err != nil {
			t.Fatal(err)
		}
		if err := post(entry(debit(100), credit(100))); !store.IsUnique(err) {
			t.Errorf("the same cause twice: %v", err)
		}
		for name, q := range map[string][]string{
			"unbalanced entry": {`INSERT INTO entry_line (entry_id, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, memo) SELECT 900, 1, MIN(id), 5, 0, 'EUR', 5, 0, '' FROM account`,
				`INSERT INTO entry (id, journal, effective, recorded_at, cause, description, document_kind, document_id, sequence, hash) VALUES (900, 'general', '2026-03-02', 0, 'x', '', '', 0, 1, '')`},
			"entry without lines": {`INSERT INTO entry (id, journal, effective, recorded_at, cause, description, document_kind, document_id, sequence, hash) VALUES (901, 'general', '2026-03-02', 0, 'y', '', '', 0, 1, '')`},
			"line of an entry that stands": {`INSERT INTO entry_line (entry_id, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, memo)
				SELECT e.id, 9, (SELECT MIN(id) FROM account), 5, 0, 'EUR', 5, 0, '' FROM entry e`},
			"lines without an entry": {`INSERT INTO entry_line (entry_id, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, memo) SELECT 902, 1, MIN(id), 5, 0, 'EUR', 5, 0, '' FROM account`},
			"changed entry":          {`UPDATE entry SET effective = '2026-03-03'`},
			"changed line":           {`UPDATE entry_line SET debit = debit + 1`},
			"deleted entry":          {`DELETE FROM entry`},
			"deleted line":           {`DELETE FROM entry_line`},
		} {
			err := db.Write(ctx, func(tx *store.Tx) error {
				for _, s := range q {
					if _, err := tx.Exec(ctx, s); err != nil {
						return err
					}
				}
				return nil
			})
			if !store.IsConstraint(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestClearingAccountIsMadeForEachGatewayAndCurrency(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		accounts, err := ledger.OpenAccounts(ctx, db, "pcg")
		if err != nil {
			t.Fatal(err)
		}
		other, err := ledger.OpenAccounts(ctx, db, "pcg") // as of a process that knows none of the new ones
		if err != nil {
			t.Fatal(err)
		}
		for i, ref := range []ledger.Ref{
			{Role: ledger.Clearing, Gateway: "stripe", Currency: "EUR"}, {Role: ledger.Clearing, Gateway: "stripe", Currency: "USD"},
			{Role: ledger.Clearing, Gateway: "stripe", Currency: "EUR"}, {Role: ledger.Clearing, Gateway: "paypal", Currency: "EUR", Code: "517900"},
		} {
			e := entry(credit(100), ledger.Line{Account: ref, Debit: 100, Currency: ref.Currency, ForeignDebit: 100})
			e.Cause = string(rune('a' + i))
			if i == 2 {
				accounts = other
			}
			err := db.Write(ctx, func(tx *store.Tx) error {
				p := ledger.NewPoster(tx, accounts, time.Unix(0, 0))
				_, err := p.Post(ctx, e)
				p.Flush()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := db.QueryRow(ctx, `SELECT COUNT(*) FROM account WHERE gateway <> ''`).Scan(&n); err != nil || n != 3 {
			t.Errorf("%d clearing accounts, %v, want 3", n, err)
		}
	})
}

// Roles have come since the first charts: books that were begun with one of
// those get their accounts when they are next opened.
func TestBooksOfAnOlderChartGetTheRolesThatHaveComeSince(t *testing.T) {
	for _, taken := range []bool{false, true} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			accounts, err := ledger.OpenAccounts(ctx, db, "general")
			if err != nil {
				t.Fatal(err)
			}
			err = db.Write(ctx, func(tx *store.Tx) error {
				tx.Queue(`DELETE FROM account WHERE role IN ('reserve', 'remitted_tax')`)
				if taken {
					return accounts.Add(ctx, tx, ledger.Account{Code: "1070", Name: "Petty cash", Type: "asset"})
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if accounts, err = ledger.OpenAccounts(ctx, db, "general"); err != nil {
					t.Fatal(err)
				}
			}
			e := entry(ledger.Line{Account: ledger.Ref{Role: ledger.Reserve}, Debit: 100, Currency: "EUR", ForeignDebit: 100},
				ledger.Line{Account: ledger.Ref{Role: ledger.RemittedTax}, Credit: 100, Currency: "EUR", ForeignCredit: 100})
			err = db.Write(ctx, func(tx *store.Tx) error {
				p := ledger.NewPoster(tx, accounts, time.Unix(0, 0))
				_, err := p.Post(ctx, e)
				p.Flush()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			list, err := ledger.List(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			codes := map[ledger.Role]string{}
			for _, a := range list {
				codes[a.Role] += a.Code
			}
			want := "1070"
			if taken {
				want = "1070-reserve"
			}
			if codes[ledger.Reserve] != want || codes[ledger.RemittedTax] != "2220" || codes[ledger.Sales] != "4000" {
				t.Errorf("reserve on %s, want %s; taxes on %s, sales on %s", codes[ledger.Reserve], want, codes[ledger.RemittedTax], codes[ledger.Sales])
			}
		})
	}
}
