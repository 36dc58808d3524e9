package erp

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"comptoir/erp/store"
)

// digestQueries read the state of the books in terms that any other books with
// the same history share: external ids and causes instead of row ids, no
// arrival order, no recorded instants, no numbers taken in order of arrival.
var digestQueries = []struct{ name, query string }{
	{"order", `SELECT s.name, o.external_id, o.number, o.raw_status, o.state, o.trashed, o.deleted, o.final, o.waiting, o.placed_at, o.paid_at, o.completed_at, o.cancelled_at, o.promised_on,
			COALESCE(c.email, ''), o.customer, o.payment_method, o.payment_title, o.payment_terms, o.coupons, o.note, o.currency, o.rate, o.total, o.total_tax, o.discount, o.recomputed, o.difference
		FROM sales_order o JOIN shop s ON s.id = o.shop_id LEFT JOIN contact c ON c.id = o.contact_id`},
	{"line", `SELECT s.name, o.external_id, l.external_id, l.kind, l.position, l.sku, l.title, l.code, l.ordered, l.current, l.refunded, l.shipped, l.returned, l.demand,
			l.unit_price, l.subtotal, l.discount, l.net, l.tax, l.taxes, l.gift_card
		FROM order_line l JOIN sales_order o ON o.id = l.order_id JOIN shop s ON s.id = o.shop_id`},
	{"payment", `SELECT s.name, o.external_id, p.external_id, p.kind, p.gateway, p.amount, p.fee, p.reference, p.paid_at
		FROM order_payment p JOIN sales_order o ON o.id = p.order_id JOIN shop s ON s.id = o.shop_id`},
	{"refund", `SELECT s.name, o.external_id, r.external_id, r.refunded_at, r.amount, r.gateway, r.reason, r.lines, r.removed
		FROM refund r JOIN sales_order o ON o.id = r.order_id JOIN shop s ON s.id = o.shop_id`},
	{"shipment", `SELECT s.name, o.external_id, p.external_id, p.shipped_at, p.carrier, p.tracking, p.lines
		FROM shipment p JOIN sales_order o ON o.id = p.order_id JOIN shop s ON s.id = o.shop_id`},
	{"invoice", `SELECT i.cause, i.series, i.kind, COALESCE(c.cause, ''), i.date, i.currency, i.net, i.tax, i.total, i.content FROM invoice i LEFT JOIN invoice c ON c.id = i.corrects`},
	{"entry", `SELECT e.cause, e.journal, e.effective, e.description, COALESCE(r.cause, '') FROM entry e LEFT JOIN entry r ON r.id = e.reverses`},
	{"entry line", `SELECT e.cause, l.line, a.code, l.debit, l.credit, l.currency, l.foreign_debit, l.foreign_credit, l.memo
		FROM entry_line l JOIN entry e ON e.id = l.entry_id JOIN account a ON a.id = l.account_id`},
	{"tax fact", `SELECT e.cause, s.name, c.rate_id, COALESCE(l.external_id, ''), f.document_kind, f.direction, f.effective, f.currency, f.foreign_base, f.foreign_tax, f.base, f.tax
		FROM tax_fact f JOIN entry e ON e.id = f.entry_id JOIN tax_component c ON c.id = f.component_id JOIN shop s ON s.id = c.shop_id LEFT JOIN order_line l ON l.id = f.line_id`},
	{"move", `SELECT m.cause, p.code, q.code, m.quantity, m.unit_cost, m.value, m.reason, m.effective FROM stock_move m JOIN place p ON p.id = m.from_place JOIN place q ON q.id = m.to_place`},
	{"payout", `SELECT s.name, p.external_id, a.code, p.gateway, p.currency, p.state, p.raw_status, p.issued_at, p.net, p.reference, p.active
		FROM payout p JOIN shop s ON s.id = p.shop_id JOIN account a ON a.id = p.account_id`},
	{"payout item", `SELECT s.name, p.external_id, i.gateway, i.external_id, i.kind, i.raw, i.amount, i.fee, i.happened_at, i.order_ref, i.source, i.active
		FROM payout_item i JOIN shop s ON s.id = i.shop_id JOIN payout p ON p.id = i.payout_id WHERE NOT i.removed`},
	{"vendor", `SELECT name, country, vat_number, terms_days, currency, email, account FROM vendor`},
	{"bill", `SELECT b.cause, b.kind, COALESCE(v.name, ''), b.number, b.date, b.due_on, b.currency, b.rate, b.net, b.tax, b.total, b.home_total, b.account, b.note, COALESCE(o.open, 0), COALESCE(o.home_open, 0), COALESCE(x.date, '')
		FROM bill b LEFT JOIN vendor v ON v.id = b.vendor_id LEFT JOIN bill_balance o ON o.bill_id = b.id LEFT JOIN purchase_reversal x ON x.document_id = b.id`},
	{"bill line", `SELECT b.cause, l.position, l.sku, l.account, l.description, l.quantity, l.net, l.tax, l.rate_ppm, l.deductible_ppm FROM bill_line l JOIN bill b ON b.id = l.bill_id`},
	{"voucher", `SELECT p.cause, p.date, p.account, p.currency, p.rate, p.amount, p.home_amount, p.charge, p.reference, COALESCE(x.date, '') FROM payment_voucher p LEFT JOIN purchase_reversal x ON x.document_id = p.id`},
	{"payable item", `SELECT e.cause, b.cause, i.document_kind, i.effective, i.amount, i.home_amount FROM payable_item i JOIN bill b ON b.id = i.bill_id JOIN entry e ON e.id = i.entry_id`},
	{"stock", `SELECT s.name, g.external_id, l.on_hand, l.demand, l.allocated, l.value, l.unit_cost, l.opened FROM stock_level l
		JOIN origin g ON g.local_id = l.variant_id AND g.kind = 'variant' JOIN shop s ON s.id = g.shop_id WHERE l.on_hand <> 0 OR l.demand <> 0 OR l.value <> 0 OR l.opened`},
}

// Digest returns the digest of the state of the books: documents, moves,
// entries and tax facts, whatever their row ids, their order of arrival and
// the time on the clock. Hex.
func (b *Books) Digest(ctx context.Context) (string, error) {
	var sum multiset
	err := b.db.Read(ctx, func(r store.Reader) error {
		sum = multiset{}
		for _, q := range digestQueries {
			if err := sum.addAll(ctx, r, q.name, q.query); err != nil {
				return fmt.Errorf("digest of each %s: %w", q.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return sum.String(), nil
}

// multiset is the hash of a set of rows in which the order does not count and
// the number of times does: the sum of the rows' hashes.
type multiset [4]uint64

func (m *multiset) add(row string) {
	h := sha256.Sum256([]byte(row))
	for i := range m {
		m[i] += binary.BigEndian.Uint64(h[i*8:])
	}
}

func (m *multiset) String() string {
	var b [32]byte
	for i, v := range m {
		binary.BigEndian.PutUint64(b[i*8:], v)
	}
	return hex.EncodeToString(b[:])
}

func (m *multiset) addAll(ctx context.Context, r store.Reader, name, query string) error {
	rows, err := r.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]sql.NullString, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var row strings.Builder
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row.Reset()
		row.WriteString(name)
		for _, v := range values {
			row.WriteByte(0)
			row.WriteString(truth(v.String))
		}
		m.add(row.String())
	}
	return rows.Err()
}

// truth spells booleans alike on both databases.
func truth(s string) string {
	switch s {
	case "true":
		return "1"
	case "false":
		return "0"
	default:
		return s
	}
}
