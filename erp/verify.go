package erp

import (
	"context"
	"fmt"

	"comptoir/erp/ledger"
	"comptoir/erp/store"
)

// Finding is something in the books that is not as it must be.
type Finding struct {
	Check string `json:"check"` // what was looked at
	Where string `json:"where"` // the first record that is wrong
	What  string `json:"what"`  // in plain words
}

// tieOuts are the sums that must agree: each query returns, for the places
// where they do not, where it is and the two amounts.
var tieOuts = []struct{ check, query string }{
	{"entries balance", `SELECT e.cause, SUM(l.debit), SUM(l.credit) FROM entry e JOIN entry_line l ON l.entry_id = e.id
		GROUP BY e.id, e.cause HAVING SUM(l.debit) <> SUM(l.credit) ORDER BY e.id LIMIT 1`},
	{"daily debits are the sums of the lines", `SELECT a.code || ' on ' || x.day, SUM(x.kept), SUM(x.summed) FROM (
			SELECT account_id, day, debit AS kept, 0 AS summed FROM account_day
			UNION ALL SELECT l.account_id, e.effective, 0, SUM(l.debit) FROM entry_line l JOIN entry e ON e.id = l.entry_id GROUP BY l.account_id, e.effective
		) x JOIN account a ON a.id = x.account_id GROUP BY a.code, x.day HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY a.code, x.day LIMIT 1`},
	{"daily credits are the sums of the lines", `SELECT a.code || ' on ' || x.day, SUM(x.kept), SUM(x.summed) FROM (
			SELECT account_id, day, credit AS kept, 0 AS summed FROM account_day
			UNION ALL SELECT l.account_id, e.effective, 0, SUM(l.credit) FROM entry_line l JOIN entry e ON e.id = l.entry_id GROUP BY l.account_id, e.effective
		) x JOIN account a ON a.id = x.account_id GROUP BY a.code, x.day HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY a.code, x.day LIMIT 1`},
	{"stock on hand is the sum of the moves", `SELECT v.sku || ' (variant ' || v.id || ')', SUM(x.kept), SUM(x.summed) FROM (
			SELECT variant_id, on_hand AS kept, 0 AS summed FROM stock_level WHERE place_id = 1
			UNION ALL SELECT variant_id, 0, CASE WHEN to_place = 1 THEN quantity ELSE -quantity END FROM stock_move WHERE to_place = 1 OR from_place = 1
		) x JOIN variant v ON v.id = x.variant_id GROUP BY v.id, v.sku HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY v.id LIMIT 1`},
	{"stock is worth what its moves were worth", `SELECT v.sku || ' (variant ' || v.id || ')', SUM(x.kept), SUM(x.summed) FROM (
			SELECT variant_id, value AS kept, 0 AS summed FROM stock_level WHERE place_id = 1
			UNION ALL SELECT variant_id, 0, CASE WHEN to_place = 1 THEN value ELSE -value END FROM stock_move WHERE to_place = 1 OR from_place = 1
		) x JOIN variant v ON v.id = x.variant_id GROUP BY v.id, v.sku HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY v.id LIMIT 1`},
	{"the inventory account is the value of the stock", `SELECT 'inventory', x.account, x.stock FROM (SELECT
			(SELECT COALESCE(SUM(d.debit - d.credit), 0) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role = 'inventory') AS account,
			(SELECT COALESCE(SUM(value), 0) FROM stock_level) AS stock) x WHERE x.account <> x.stock`},
	{"demand is what open orders want", `SELECT v.sku || ' (variant ' || v.id || ')', SUM(x.kept), SUM(x.summed) FROM (
			SELECT variant_id, demand AS kept, 0 AS summed FROM stock_level
			UNION ALL SELECT s.stock_id, 0, l.demand FROM order_line l JOIN variant s ON s.id = l.variant_id WHERE l.demand > 0
		) x JOIN variant v ON v.id = x.variant_id GROUP BY v.id, v.sku HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY v.id LIMIT 1`},
	{"allocated is what order lines were given", `SELECT v.sku || ' (variant ' || v.id || ')', SUM(x.kept), SUM(x.summed) FROM (
			SELECT variant_id, allocated AS kept, 0 AS summed FROM stock_level
			UNION ALL SELECT s.stock_id, 0, l.allocated FROM order_line l JOIN variant s ON s.id = l.variant_id WHERE l.allocated > 0
		) x JOIN variant v ON v.id = x.variant_id GROUP BY v.id, v.sku HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY v.id LIMIT 1`},
	{"what each shop took of the stock is what its orders shipped and want", `SELECT s.name || ', ' || v.sku || ' (variant ' || v.id || ')', SUM(x.kept), SUM(x.summed) FROM (
			SELECT variant_id, shop_id, quantity AS kept, 0 AS summed FROM shop_taken
			UNION ALL SELECT m.variant_id, o.shop_id, 0, CASE WHEN m.from_place = 1 THEN m.quantity ELSE -m.quantity END FROM stock_move m JOIN sales_order o ON o.id = m.document_id
				WHERE m.document_kind = 'order' AND (m.from_place = 1 OR m.to_place = 1)
			UNION ALL SELECT d.stock_id, o.shop_id, 0, l.demand FROM order_line l JOIN variant d ON d.id = l.variant_id JOIN sales_order o ON o.id = l.order_id WHERE l.demand > 0
		) x JOIN variant v ON v.id = x.variant_id JOIN shop s ON s.id = x.shop_id GROUP BY v.id, v.sku, s.id, s.name HAVING SUM(x.kept) <> SUM(x.summed) ORDER BY v.id, s.id LIMIT 1`},
	{"nothing hangs on a variant that is another one", `SELECT 'variant ' || v.id, COUNT(*), 0 FROM variant v JOIN (
			SELECT variant_id AS id FROM order_line UNION ALL SELECT variant_id FROM stock_level UNION ALL SELECT variant_id FROM shop_taken
			UNION ALL SELECT variant_id FROM shop_stock UNION ALL SELECT local_id FROM origin WHERE kind = 'variant'
		) x ON x.id = v.id WHERE v.merged_into <> 0 GROUP BY v.id ORDER BY v.id LIMIT 1`},
	{"tax facts are the tax accounts", `SELECT 'output tax', x.account, x.facts FROM (SELECT
			(SELECT COALESCE(SUM(d.credit - d.debit), 0) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role = 'output_tax') AS account,
			(SELECT COALESCE(SUM(tax), 0) FROM tax_fact WHERE direction = 'collected')
				- (SELECT COALESCE(SUM(output), 0) FROM tax_return WHERE reversal_id = 0) AS facts) x WHERE x.account <> x.facts`},
	{"what is declared and paid to tax agencies is what their entries post", `SELECT x.kind || ' ' || x.id, x.kept, COALESCE(SUM(l.credit - l.debit), 0) FROM (
			SELECT 'tax return' AS kind, id, entry_id, output - input AS kept FROM tax_return WHERE entry_id <> 0
			UNION ALL SELECT 'tax payment', id, entry_id, -amount FROM tax_payment
		) x LEFT JOIN entry_line l ON l.entry_id = x.entry_id AND l.account_id NOT IN (SELECT id FROM account WHERE role IN ('output_tax', 'input_tax')) AND (x.kind = 'tax return' OR l.line = 1)
		GROUP BY x.kind, x.id, x.kept HAVING COALESCE(SUM(l.credit - l.debit), 0) <> x.kept ORDER BY x.id LIMIT 1`},
	{"what is taken back at tax agencies has an entry that does it", `SELECT 'tax document ' || x.id, x.reversal_id, COALESCE(e.id, 0) FROM (
			SELECT id, entry_id, reversal_id FROM tax_return WHERE entry_id <> 0 UNION ALL SELECT id, entry_id, reversal_id FROM tax_payment
		) x LEFT JOIN entry e ON e.reverses = x.entry_id WHERE COALESCE(e.id, 0) <> x.reversal_id ORDER BY x.id LIMIT 1`},
	{"closed years have no result left", `SELECT 'fiscal year ' || y.year, SUM(d.debit), SUM(d.credit) FROM fiscal_year y JOIN account_day d ON d.day <= y.last_day JOIN account a ON a.id = d.account_id
		WHERE y.closed AND a.type IN ('income', 'expense') GROUP BY y.year HAVING SUM(d.debit - d.credit) <> 0 ORDER BY y.year LIMIT 1`},
	{"deductible tax facts are the input tax account", `SELECT 'input tax', x.account, x.facts FROM (SELECT
			(SELECT COALESCE(SUM(d.debit - d.credit), 0) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role = 'input_tax') AS account,
			(SELECT COALESCE(SUM(tax), 0) FROM tax_fact WHERE direction = 'deductible')
				- (SELECT COALESCE(SUM(input), 0) FROM tax_return WHERE reversal_id = 0) AS facts) x WHERE x.account <> x.facts`},
	{"what is open of a bill is the sum of its items", `SELECT x.name, x.kept, x.summed FROM (
			SELECT b.id, b.number || ' (bill ' || b.id || ')' AS name, o.open AS kept, (SELECT COALESCE(SUM(i.amount), 0) FROM payable_item i WHERE i.bill_id = b.id) AS summed FROM bill_balance o JOIN bill b ON b.id = o.bill_id
			UNION ALL SELECT b.id, b.number || ' (bill ' || b.id || ')', o.home_open, (SELECT COALESCE(SUM(i.home_amount), 0) FROM payable_item i WHERE i.bill_id = b.id) FROM bill_balance o JOIN bill b ON b.id = o.bill_id
		) x WHERE x.kept <> x.summed ORDER BY x.id LIMIT 1`},
	{"the payable account is what is open of bills", `SELECT e.cause, SUM(x.line), SUM(x.item) FROM (
			SELECT l.entry_id, l.credit - l.debit AS line, 0 AS item FROM entry_line l JOIN account a ON a.id = l.account_id WHERE a.role = 'payable'
			UNION ALL SELECT entry_id, 0, home_amount FROM payable_item
		) x JOIN entry e ON e.id = x.entry_id GROUP BY e.id, e.cause HAVING SUM(x.line) <> SUM(x.item) ORDER BY e.id LIMIT 1`},
	{"bills are their lines", `SELECT x.cause, x.stated, x.lines FROM (
			SELECT b.id, b.cause, b.net AS stated, (SELECT COALESCE(SUM(l.net), 0) FROM bill_line l WHERE l.bill_id = b.id) AS lines FROM bill b
			UNION ALL SELECT b.id, b.cause, b.tax, (SELECT COALESCE(SUM(l.tax), 0) FROM bill_line l WHERE l.bill_id = b.id) FROM bill b
		) x WHERE x.stated <> x.lines ORDER BY x.id LIMIT 1`},
	{"bills are what their entries say", `SELECT x.cause, x.stated, x.booked FROM (
			SELECT b.id, b.cause, b.total AS stated, (SELECT ABS(COALESCE(SUM(i.amount), 0)) FROM payable_item i WHERE i.document_id = b.id AND i.entry_id = b.entry_id) AS booked FROM bill b WHERE b.kind <> 'cash'
			UNION ALL SELECT b.id, b.cause, b.home_total, (SELECT ABS(COALESCE(SUM(i.home_amount), 0)) FROM payable_item i WHERE i.document_id = b.id AND i.entry_id = b.entry_id) FROM bill b WHERE b.kind <> 'cash'
			UNION ALL SELECT b.id, b.cause, b.home_total, (SELECT COALESCE(SUM(l.credit), 0) FROM entry_line l JOIN account a ON a.id = l.account_id WHERE l.entry_id = b.entry_id AND a.code = b.account) FROM bill b WHERE b.kind = 'cash'
		) x WHERE x.stated <> x.booked ORDER BY x.id LIMIT 1`},
	{"payments are what their entries say", `SELECT x.cause, x.stated, x.booked FROM (
			SELECT v.id, v.cause, v.amount AS stated, (SELECT -COALESCE(SUM(i.amount), 0) FROM payable_item i WHERE i.document_id = v.id AND i.entry_id = v.entry_id) AS booked FROM payment_voucher v
			UNION ALL SELECT v.id, v.cause, v.home_amount + v.charge, (SELECT COALESCE(SUM(l.credit), 0) FROM entry_line l JOIN account a ON a.id = l.account_id WHERE l.entry_id = v.entry_id AND a.code = v.account) FROM payment_voucher v
		) x WHERE x.stated <> x.booked ORDER BY x.id LIMIT 1`},
	{"payments have no gaps", `SELECT s.series, s.next - 1, COUNT(v.id) FROM voucher_series s LEFT JOIN payment_voucher v ON v.series = s.series WHERE s.series = 'PV'
		GROUP BY s.series, s.next HAVING COUNT(v.id) <> s.next - 1 OR MAX(v.number) <> s.next - 1 ORDER BY s.series LIMIT 1`},
	{"payouts and their items are what their entries say", `SELECT a.code, SUM(x.kept), SUM(x.posted) FROM (
			SELECT account_id, -net AS kept, 0 AS posted FROM payout WHERE active
			UNION ALL SELECT p.account_id, i.amount - i.fee, 0 FROM payout_item i JOIN payout p ON p.id = i.payout_id WHERE i.active
			UNION ALL SELECT l.account_id, 0, l.foreign_debit - l.foreign_credit FROM entry e JOIN entry_line l ON l.entry_id = e.id
				WHERE e.document_kind = 'payout' AND e.document_id <> 0 AND l.account_id IN (SELECT account_id FROM payout)
		) x JOIN account a ON a.id = x.account_id GROUP BY a.code HAVING SUM(x.kept) <> SUM(x.posted) ORDER BY a.code LIMIT 1`},
	{"what was agreed with a shop is about what it has", `SELECT s.name || ', ' || a.kind || ' ' || a.local_id, COUNT(*), 0 FROM agreed a JOIN shop s ON s.id = a.shop_id
		WHERE NOT EXISTS (SELECT 1 FROM origin g WHERE g.shop_id = a.shop_id AND g.kind = a.kind AND g.local_id = a.local_id AND NOT g.gone)
		GROUP BY s.name, a.kind, a.local_id ORDER BY s.name, a.kind, a.local_id LIMIT 1`},
	{"a category is its shop's or the house's", `SELECT s.name || ', category ' || g.external_id, g.shop_id, c.shop_id FROM origin g JOIN category c ON c.id = g.local_id JOIN shop s ON s.id = g.shop_id
		WHERE g.kind = 'category' AND c.shop_id <> 0 AND c.shop_id <> g.shop_id ORDER BY s.name, g.external_id LIMIT 1`},
	{"a shop has a category of the house once", `SELECT s.name || ', category ' || g.local_id, COUNT(*), 1 FROM origin g JOIN category c ON c.id = g.local_id JOIN shop s ON s.id = g.shop_id
		WHERE g.kind = 'category' AND NOT g.gone AND c.shop_id = 0 GROUP BY s.name, g.local_id HAVING COUNT(*) > 1 ORDER BY s.name, g.local_id LIMIT 1`},
	{"categories of the house stand under those that are there", `SELECT 'category ' || c.id, c.parent_id, 0 FROM category c LEFT JOIN category p ON p.id = c.parent_id
		WHERE c.shop_id = 0 AND NOT c.deleted AND c.parent_id <> 0 AND (p.id IS NULL OR p.deleted OR p.id = c.id) ORDER BY c.id LIMIT 1`},
	{"nothing stands in a category that was deleted", `SELECT 'category ' || c.id, COUNT(*), 0 FROM category c JOIN product_category l ON l.category_id = c.id WHERE c.deleted GROUP BY c.id ORDER BY c.id LIMIT 1`},
	{"numbers have no gaps", `SELECT s.series, s.next - 1, COUNT(i.id) FROM invoice_series s LEFT JOIN invoice i ON i.series = s.series
		GROUP BY s.series, s.next HAVING COUNT(i.id) <> s.next - 1 OR MAX(i.number) <> s.next - 1 ORDER BY s.series LIMIT 1`},
}

// Verify checks the books against themselves: the chain of entries, every sum
// that is kept beside what it sums, the accounts against their sub-ledgers, and
// what the shops were told against what they should have been. It returns what is wrong, the first place of each check; none
// means that the books are whole.
func (b *Books) Verify(ctx context.Context) ([]Finding, error) {
	var out []Finding
	err := b.db.Read(ctx, func(r store.Reader) (err error) {
		if out, err = VerifyWith(ctx, r); err != nil {
			return err
		}
		unsaid, err := b.verifyOutbox(ctx, r)
		if err != nil {
			return err
		}
		untold, err := b.untold(ctx, r)
		out = append(append(out, unsaid...), untold...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify the books: %w", err)
	}
	return out, nil
}

// VerifyWith is Verify on what r sees: a snapshot, or a transaction.
func VerifyWith(ctx context.Context, r store.Reader) ([]Finding, error) {
	broken, err := ledger.VerifyChain(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for _, e := range broken {
		out = append(out, Finding{Check: "each entry is as it was written", Where: e.Cause, What: fmt.Sprintf("entry %d: %s", e.Entry, e.Why)})
	}
	for _, t := range tieOuts {
		found, err := tie(ctx, r, t.check, t.query)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func tie(ctx context.Context, r store.Reader, check, query string) ([]Finding, error) {
	rows, err := r.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", check, err)
	}
	defer rows.Close()
	var out []Finding
	for rows.Next() {
		var where string
		var left, right int64
		if err := rows.Scan(&where, &left, &right); err != nil {
			return nil, fmt.Errorf("%s: %w", check, err)
		}
		out = append(out, Finding{Check: check, Where: where, What: fmt.Sprintf("%d is not %d", left, right)})
	}
	return out, rows.Err()
}
