package erp_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/rs/zerolog"
)

// TestAnyChangeToTheBooksIsFound lifts the locks that keep entries as they are,
// as a tampering hand would, and changes one value at a time.
func TestAnyChangeToTheBooksIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	b, err := erp.Open(ctx, erp.Options{Path: path, Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()},
		Company: erp.Company{Currency: "EUR", Chart: "general"}, Now: func() time.Time { return sent }, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
	for i := range 5 {
		state(t, b, fmt.Sprint(i), sent, order(completed))
	}
	if _, err := b.Settle(ctx, "atelier", sent, sent); err != nil {
		t.Fatal(err)
	}
	invariants(t, b)
	db, err := store.Open(ctx, store.Options{Path: path, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, change := range []string{
		`UPDATE entry SET effective = '2026-03-05' WHERE id = (SELECT MAX(id) FROM entry)`,
		`UPDATE entry SET description = description || ' ' WHERE id = (SELECT MIN(id) FROM entry)`,
		`UPDATE entry SET recorded_at = recorded_at + 1 WHERE id = (SELECT MIN(id) FROM entry)`,
		`UPDATE entry SET cause = cause || 'x' WHERE id = (SELECT MIN(id) FROM entry)`,
		`UPDATE entry_line SET memo = 'x' WHERE entry_id = (SELECT MIN(id) FROM entry) AND line = 1`,
		`UPDATE entry_line SET debit = debit + 1 WHERE entry_id = (SELECT MIN(id) FROM entry) AND line = 1`,
		`UPDATE entry_line SET foreign_debit = foreign_debit + 1 WHERE entry_id = (SELECT MIN(id) FROM entry) AND line = 1`,
		`UPDATE entry_line SET account_id = (SELECT MIN(id) FROM account) WHERE entry_id = (SELECT MAX(id) FROM entry) AND line = 1`,
		`DELETE FROM entry_line WHERE entry_id = (SELECT MAX(entry_id) FROM entry_line)`,
		`UPDATE account_day SET debit = debit + 1, credit = credit - 3 WHERE (account_id, day) IN (SELECT account_id, day FROM account_day LIMIT 1)`,
		`UPDATE stock_level SET on_hand = on_hand + 1`,
		`UPDATE stock_level SET value = value + 1`,
		`UPDATE stock_level SET demand = demand + 1`,
		`UPDATE stock_level SET allocated = allocated + 1`,
		`UPDATE shop_taken SET quantity = quantity + 1`,
		`UPDATE stock_move SET quantity = quantity + 1 WHERE id = (SELECT MIN(id) FROM stock_move)`,
		`UPDATE tax_fact SET tax = tax + 1 WHERE id = (SELECT MIN(id) FROM tax_fact)`,
		`UPDATE invoice_series SET next = next + 1`,
	} {
		t.Run(change, func(t *testing.T) {
			undo := fmt.Errorf("undo")
			err := db.Write(ctx, func(tx *store.Tx) error {
				for _, trigger := range strings.Fields("entry_kept entry_line_kept entry_line_stays stock_move_kept tax_fact_kept") {
					if _, err := tx.Exec(ctx, "DROP TRIGGER "+trigger); err != nil {
						return err
					}
				}
				if n, err := tx.Exec(ctx, change); err != nil || n == 0 {
					return fmt.Errorf("%d rows changed: %w", n, err)
				}
				found, err := erp.VerifyWith(ctx, tx)
				if err != nil {
					return err
				}
				if len(found) == 0 {
					t.Error("not found")
				}
				return undo
			})
			if err != undo {
				t.Fatal(err)
			}
		})
	}
}
