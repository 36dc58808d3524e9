package purchasing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/store"
	"comptoir/erp/tax"
)

// companyShop is the row of the company itself among the shops.
const companyShop = 0

// SaveVendor writes a vendor, new or changed, by its name.
func SaveVendor(ctx context.Context, tx *store.Tx, v Vendor) (Vendor, error) {
	id, err := tx.NewID(ctx)
	if err != nil {
		return v, err
	}
	err = tx.QueryRow(ctx, `INSERT INTO vendor (id, name, country, vat_number, terms_days, currency, email, account) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)
		ON CONFLICT (name) DO UPDATE SET country = excluded.country, vat_number = excluded.vat_number, terms_days = excluded.terms_days,
			currency = excluded.currency, email = excluded.email, account = excluded.account
		RETURNING id`, id, v.Name, v.Country, v.VATNumber, v.TermsDays, string(v.Currency), v.Email, v.Account).Scan(&v.ID)
	if err != nil {
		return v, fmt.Errorf("save vendor %s: %w", v.Name, err)
	}
	return v, nil
}

// Vendors returns all vendors by name.
func Vendors(ctx context.Context, r store.Reader) ([]Vendor, error) {
	rows, err := r.Query(ctx, `SELECT id, name, country, vat_number, terms_days, currency, email, account FROM vendor ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read vendors: %w", err)
	}
	defer rows.Close()
	var out []Vendor
	for rows.Next() {
		var v Vendor
		if err := rows.Scan(&v.ID, &v.Name, &v.Country, &v.VATNumber, &v.TermsDays, &v.Currency, &v.Email, &v.Account); err != nil {
			return nil, fmt.Errorf("read vendors: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// VendorNamed returns a vendor. One that is not known is a NotFound fault that
// names the nearest ones.
func VendorNamed(ctx context.Context, r store.Reader, name string) (Vendor, error) {
	var v Vendor
	err := r.QueryRow(ctx, `SELECT id, name, country, vat_number, terms_days, currency, email, account FROM vendor WHERE name = $1`, name).
		Scan(&v.ID, &v.Name, &v.Country, &v.VATNumber, &v.TermsDays, &v.Currency, &v.Email, &v.Account)
	if !errors.Is(err, sql.ErrNoRows) {
		return v, err
	}
	known, err := Vendors(ctx, r)
	if err != nil {
		return v, err
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = k.Name
	}
	return v, fault.New(fault.NotFound, advice("add it first: comptoir vendor add NAME --country FR", nearest(name, names)), "vendor %q is not known", name)
}

// Accounts returns the chart by code.
func Accounts(ctx context.Context, r store.Reader) (map[string]Account, error) {
	rows, err := r.Query(ctx, `SELECT code, name, type, role FROM account`)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	out := map[string]Account{}
	for rows.Next() {
		var a Account
		if err := rows.Scan(&a.Code, &a.Name, &a.Type, &a.Role); err != nil {
			return nil, fmt.Errorf("read accounts: %w", err)
		}
		out[a.Code] = a
	}
	return out, rows.Err()
}

// GoodsOf returns the goods that have one of the SKUs.
func GoodsOf(ctx context.Context, r store.Reader, skus []string) (map[string]Goods, error) {
	out := map[string]Goods{}
	if len(skus) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT v.sku, v.id, v.stock_id, v.tracked OR COALESCE(p.tracked, FALSE) FROM variant v LEFT JOIN variant p ON p.id = v.stock_id
		WHERE v.sku <> '' AND v.status <> 'deleted' AND v.sku IN (`+store.In(len(skus), 1)+`) ORDER BY v.id`, store.InArgs(nil, skus)...)
	if err != nil {
		return nil, fmt.Errorf("read goods: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var sku string
		var g Goods
		if err := rows.Scan(&sku, &g.Variant, &g.Stock, &g.Tracked); err != nil {
			return nil, fmt.Errorf("read goods: %w", err)
		}
		if had, ok := out[sku]; ok { // the same goods where they share a stock
			if had.Stock != g.Stock {
				had.Others++
			}
			had.Tracked = had.Tracked || g.Tracked
			g = had
		}
		out[sku] = g
	}
	return out, rows.Err()
}

// SKUs returns all SKUs that are on sale.
func SKUs(ctx context.Context, r store.Reader) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT DISTINCT sku FROM variant WHERE sku <> '' AND status <> 'deleted' ORDER BY sku`)
	if err != nil {
		return nil, fmt.Errorf("read SKUs: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var sku string
		if err := rows.Scan(&sku); err != nil {
			return nil, err
		}
		out = append(out, sku)
	}
	return out, rows.Err()
}

// Filter chooses documents.
type Filter struct {
	Vendor string // "": of all
	Open   bool   // only those of which something is open
	Kind   Kind   // "": all kinds
}

// Documents returns the documents that a filter chooses, without their lines,
// by date.
func Documents(ctx context.Context, r store.Reader, f Filter) ([]Recorded, error) {
	rows, err := r.Query(ctx, `SELECT b.id, b.kind, COALESCE(v.name, ''), b.number, b.date, b.due_on, b.currency, b.rate, b.net, b.tax, b.total, b.home_total,
			COALESCE(o.open, 0), COALESCE(o.home_open, 0), b.account, b.note, COALESCE(x.date, ''), b.revision, b.cause, b.digest, b.entry_id
		FROM bill b LEFT JOIN vendor v ON v.id = b.vendor_id LEFT JOIN bill_balance o ON o.bill_id = b.id LEFT JOIN purchase_reversal x ON x.document_id = b.id
		WHERE ($1 = '' OR v.name = $1) AND ($2 = '' OR b.kind = $2) AND (NOT $3 OR o.open <> 0) ORDER BY b.date, b.id`, f.Vendor, string(f.Kind), f.Open)
	if err != nil {
		return nil, fmt.Errorf("read bills: %w", err)
	}
	return scanDocuments(rows)
}

func scanDocuments(rows *sql.Rows) ([]Recorded, error) {
	defer rows.Close()
	var out []Recorded
	for rows.Next() {
		var d Recorded
		if err := rows.Scan(&d.ID, &d.Kind, &d.Vendor, &d.Number, &d.Date, &d.Due, &d.Currency, &d.Rate, &d.Net, &d.Tax, &d.Total, &d.HomeTotal,
			&d.Open, &d.HomeOpen, &d.Account, &d.Note, &d.Reversed, &d.revision, &d.cause, &d.digest, &d.entry); err != nil {
			return nil, fmt.Errorf("read bills: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// Newest returns the newest revision of a number of a vendor, nil where there
// is none. Vendor 0 is that of purchases that name none.
func Newest(ctx context.Context, r store.Reader, vendor int64, number string) (*Recorded, error) {
	rows, err := r.Query(ctx, `SELECT b.id, b.kind, COALESCE(v.name, ''), b.number, b.date, b.due_on, b.currency, b.rate, b.net, b.tax, b.total, b.home_total,
			COALESCE(o.open, 0), COALESCE(o.home_open, 0), b.account, b.note, COALESCE(x.date, ''), b.revision, b.cause, b.digest, b.entry_id
		FROM bill b LEFT JOIN vendor v ON v.id = b.vendor_id LEFT JOIN bill_balance o ON o.bill_id = b.id LEFT JOIN purchase_reversal x ON x.document_id = b.id
		WHERE b.vendor_id = $1 AND b.number = $2 ORDER BY b.revision DESC LIMIT 1`, vendor, number)
	if err != nil {
		return nil, fmt.Errorf("read bill %s: %w", number, err)
	}
	found, err := scanDocuments(rows)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Complete reads the lines of a document and what was paid of it.
func (d *Recorded) Complete(ctx context.Context, r store.Reader) error {
	rows, err := r.Query(ctx, `SELECT sku, account, description, quantity, net, tax, rate_ppm, 1000000 - deductible_ppm FROM bill_line WHERE bill_id = $1 ORDER BY position`, d.ID)
	if err != nil {
		return fmt.Errorf("read the lines of bill %s: %w", d.Number, err)
	}
	defer rows.Close()
	for rows.Next() {
		var l RecordedLine
		if err := rows.Scan(&l.SKU, &l.Account, &l.Description, &l.Quantity, &l.Net, &l.Tax, &l.TaxPPM, &l.NotDeductiblePPM); err != nil {
			return err
		}
		d.Lines = append(d.Lines, l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return d.readPayments(ctx, r)
}

func (d *Recorded) readPayments(ctx context.Context, r store.Reader) error {
	rows, err := r.Query(ctx, `SELECT p.series || '-' || p.number, p.date, -i.amount, COALESCE(x.date, '') FROM payable_item i JOIN payment_voucher p ON p.id = i.document_id AND p.entry_id = i.entry_id
		LEFT JOIN purchase_reversal x ON x.document_id = p.id WHERE i.bill_id = $1 ORDER BY i.id`, d.ID)
	if err != nil {
		return fmt.Errorf("read the payments of bill %s: %w", d.Number, err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Settled
		if err := rows.Scan(&s.Voucher, &s.Date, &s.Amount, &s.Reversed); err != nil {
			return err
		}
		d.Payments = append(d.Payments, s)
	}
	return rows.Err()
}

const voucherColumns = `SELECT p.id, p.series || '-' || p.number, p.date, p.account, p.currency, p.rate, p.amount, p.home_amount, p.charge, p.reference, COALESCE(x.date, ''), p.cause, p.digest, p.entry_id
	FROM payment_voucher p LEFT JOIN purchase_reversal x ON x.document_id = p.id`

// Vouchers returns all payments by number, with the bills that they pay.
func Vouchers(ctx context.Context, r store.Reader) ([]Voucher, error) {
	rows, err := r.Query(ctx, voucherColumns+` ORDER BY p.series, p.number`)
	return readVouchers(ctx, r, rows, err)
}

// VoucherNumbered returns a payment, nil where there is none of that number.
func VoucherNumbered(ctx context.Context, r store.Reader, number string) (*Voucher, error) {
	rows, err := r.Query(ctx, voucherColumns+` WHERE p.series || '-' || p.number = $1`, number)
	return oneVoucher(readVouchers(ctx, r, rows, err))
}

// voucherOf returns the payment that was made with a cause.
func voucherOf(ctx context.Context, r store.Reader, cause string) (*Voucher, error) {
	rows, err := r.Query(ctx, voucherColumns+` WHERE p.cause = $1`, cause)
	return oneVoucher(readVouchers(ctx, r, rows, err))
}

// Paid returns the payment that was made with a key, nil where there is none.
// One that paid otherwise is a Conflict fault.
func Paid(ctx context.Context, r store.Reader, p Payment) (*Voucher, error) {
	had, err := voucherOf(ctx, r, keyCause(p.Key))
	if err != nil || had == nil {
		return nil, err
	}
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	if had.digest != digest {
		return nil, fault.New(fault.Conflict, "give each payment a key of its own", "the key %q was used for another payment, %s", p.Key, had.Number)
	}
	had.Known = true
	return had, nil
}

func oneVoucher(list []Voucher, err error) (*Voucher, error) {
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

func readVouchers(ctx context.Context, r store.Reader, rows *sql.Rows, err error) ([]Voucher, error) {
	if err != nil {
		return nil, fmt.Errorf("read vouchers: %w", err)
	}
	defer rows.Close()
	var out []Voucher
	at := map[int64]int{}
	var ids []int64
	for rows.Next() {
		var v Voucher
		if err := rows.Scan(&v.ID, &v.Number, &v.Date, &v.Account, &v.Currency, &v.Rate, &v.Amount, &v.HomeAmount, &v.Charge, &v.Reference, &v.Reversed, &v.cause, &v.digest, &v.entry); err != nil {
			return nil, fmt.Errorf("read vouchers: %w", err)
		}
		at[v.ID] = len(out)
		ids = append(ids, v.ID)
		out = append(out, v)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	items, err := itemsOf(ctx, r, ids)
	if err != nil {
		return nil, err
	}
	for _, i := range items {
		if v := &out[at[i.document]]; v.entry == i.entry {
			v.Bills = append(v.Bills, VoucherLine{Vendor: i.vendor, Bill: i.number, Amount: -i.amount, HomeAmount: -i.home, bill: i.bill})
		}
	}
	return out, nil
}

// item is a row of the payable sub-ledger.
type item struct {
	bill, document, entry int64
	vendor, number        string
	amount, home          int64
}

// itemsOf returns what documents did to bills, oldest first.
func itemsOf(ctx context.Context, r store.Reader, documents []int64) ([]item, error) {
	var out []item
	if len(documents) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT i.bill_id, i.document_id, i.entry_id, COALESCE(v.name, ''), b.number, i.amount, i.home_amount
		FROM payable_item i JOIN bill b ON b.id = i.bill_id LEFT JOIN vendor v ON v.id = b.vendor_id
		WHERE i.document_id IN (`+store.In(len(documents), 1)+`) ORDER BY i.id`, store.InArgs(nil, documents)...)
	if err != nil {
		return nil, fmt.Errorf("read payable items: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i item
		if err := rows.Scan(&i.bill, &i.document, &i.entry, &i.vendor, &i.number, &i.amount, &i.home); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

// NextNumber takes the next number of payments, without gaps: it is taken in
// the transaction that writes the voucher.
func NextNumber(ctx context.Context, tx *store.Tx) (int64, error) {
	return next(ctx, tx, voucherSeries)
}

// NextReceipt takes the next number of purchases that have none of their own.
func NextReceipt(ctx context.Context, tx *store.Tx) (string, error) {
	n, err := next(ctx, tx, receiptSeries)
	return fmt.Sprintf("%s-%d", receiptSeries, n), err
}

func next(ctx context.Context, tx *store.Tx, series string) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `INSERT INTO voucher_series (series, next) VALUES ($1, 2) ON CONFLICT (series) DO UPDATE SET next = voucher_series.next + 1 RETURNING next - 1`, series).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("take a number of series %s: %w", series, err)
	}
	return n, nil
}

// Writer writes the decisions of one transaction.
type Writer struct {
	Tx     *store.Tx
	Poster *ledger.Poster
	Mover  *inventory.Mover
	Now    time.Time
}

// Write queues what entering a document changes, and returns the document.
func (w *Writer) Write(ctx context.Context, d *Decision, vendor int64) (Recorded, error) {
	r := d.Recorded
	components, err := w.components(ctx, d.Components)
	if err != nil {
		return r, err
	}
	if r.ID, err = w.Tx.NewID(ctx); err != nil {
		return r, err
	}
	d.Entry.Document = r.ID
	if r.entry, err = w.Poster.Post(ctx, &d.Entry); err != nil {
		return r, err
	}
	w.Tx.Queue(`INSERT INTO bill (id, kind, vendor_id, number, revision, date, due_on, currency, rate, net, tax, total, home_total, account, note, cause, digest, entry_id, recorded_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19)`,
		r.ID, string(r.Kind), vendor, r.Number, r.revision, r.Date, r.Due, string(r.Currency), r.Rate, r.Net, r.Tax, r.Total, r.HomeTotal, r.Account, r.Note, r.cause, r.digest, r.entry, store.Micros(w.Now))
	doc := tax.Document{Kind: string(r.Kind), ID: r.ID, Entry: r.entry, Direction: tax.Deductible, Effective: r.Date, Currency: string(r.Currency)}
	for i := range d.Lines {
		if err := w.line(ctx, &d.Lines[i], i, doc, components); err != nil {
			return r, err
		}
		r.Lines = append(r.Lines, d.Lines[i].RecordedLine)
	}
	if r.Kind == Cash {
		return r, nil
	}
	return r, w.owe(ctx, item{bill: r.ID, document: r.ID, entry: r.entry, amount: r.Open, home: r.HomeOpen}, string(r.Kind), r.Date)
}

// components makes the rates that the books have not met yet.
func (w *Writer) components(ctx context.Context, wanted []tax.Component) (map[string]int64, error) {
	known, err := tax.Components(ctx, w.Tx, companyShop)
	if err != nil {
		return nil, err
	}
	for _, c := range wanted {
		if _, ok := known[c.RateID]; ok {
			continue
		}
		if known[c.RateID], err = tax.Save(ctx, w.Tx, companyShop, c); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (w *Writer) line(ctx context.Context, l *LineDecision, i int, doc tax.Document, components map[string]int64) error {
	id, err := w.Tx.NewID(ctx)
	if err != nil {
		return err
	}
	w.Tx.Queue(`INSERT INTO bill_line (id, bill_id, position, variant_id, sku, account, description, quantity, net, tax, rate_ppm, deductible_ppm) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`,
		id, doc.ID, i+1, l.Variant, l.SKU, l.Account, l.Description, int64(l.Quantity), l.Net, l.Tax, l.TaxPPM, 1_000_000-l.NotDeductiblePPM)
	if l.Move != nil {
		l.Move.Document, l.Move.Line = doc.ID, id
		if err := w.Mover.Move(ctx, *l.Move); err != nil {
			return err
		}
	}
	if l.Fact == nil {
		return nil
	}
	l.Fact.LineID = id
	return tax.Write(ctx, w.Tx, components, doc, []tax.Fact{*l.Fact})
}

// owe writes an item of the payable sub-ledger and keeps the bill's balance.
func (w *Writer) owe(ctx context.Context, i item, kind, day string) error {
	id, err := w.Tx.NewID(ctx)
	if err != nil {
		return err
	}
	w.Tx.Queue(`INSERT INTO payable_item (id, bill_id, entry_id, document_kind, document_id, effective, amount, home_amount) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		id, i.bill, i.entry, kind, i.document, day, i.amount, i.home)
	w.Tx.Queue(`INSERT INTO bill_balance (bill_id, open, home_open) VALUES ($1,$2,$3)
		ON CONFLICT (bill_id) DO UPDATE SET open = bill_balance.open + excluded.open, home_open = bill_balance.home_open + excluded.home_open`, i.bill, i.amount, i.home)
	return nil
}

// Pay queues what paying bills changes, and returns the voucher.
func (w *Writer) Pay(ctx context.Context, d *PaymentDecision, number int64) (Voucher, error) {
	v := d.Voucher
	var err error
	if v.ID, err = w.Tx.NewID(ctx); err != nil {
		return v, err
	}
	d.Entry.Document = v.ID
	if v.entry, err = w.Poster.Post(ctx, &d.Entry); err != nil {
		return v, err
	}
	w.Tx.Queue(`INSERT INTO payment_voucher (id, series, number, date, account, currency, rate, amount, home_amount, charge, reference, cause, digest, entry_id, recorded_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)`,
		v.ID, voucherSeries, number, v.Date, v.Account, string(v.Currency), v.Rate, v.Amount, v.HomeAmount, v.Charge, v.Reference, v.cause, v.digest, v.entry, store.Micros(w.Now))
	for _, b := range d.Bills {
		if err := w.owe(ctx, item{bill: b.ID, document: v.ID, entry: v.entry, amount: -b.Amount, home: -b.HomeAmount}, VoucherKind, v.Date); err != nil {
			return v, err
		}
	}
	return v, nil
}

// ReverseDocument queues the entry, the moves and the tax facts that take a
// document back.
func (w *Writer) ReverseDocument(ctx context.Context, d Recorded, day, reason string) error {
	if err := w.reverse(ctx, reversal{d.ID, d.entry, string(d.Kind), d.cause, day, reason}, string(d.Currency)); err != nil {
		return err
	}
	moves, err := inventory.OfDocuments(ctx, w.Tx, []int64{d.ID})
	if err != nil {
		return err
	}
	for _, m := range moves[d.ID] {
		if err := w.Mover.Move(ctx, m.Reversal(m.Cause+reversalSuffix, day)); err != nil {
			return err
		}
	}
	return nil
}

// ReverseVoucher queues the entry that takes a payment back; its bills are open
// again.
func (w *Writer) ReverseVoucher(ctx context.Context, v Voucher, day, reason string) error {
	return w.reverse(ctx, reversal{v.ID, v.entry, VoucherKind, v.cause, day, reason}, string(v.Currency))
}

type reversal struct {
	id, entry                int64
	kind, cause, day, reason string
}

// reverse takes back an entry with its tax facts and payable items.
func (w *Writer) reverse(ctx context.Context, x reversal, currency string) error {
	entries, err := ledger.OfDocuments(ctx, w.Tx, []int64{x.id})
	if err != nil {
		return err
	}
	facts, err := tax.OfDocuments(ctx, w.Tx, []int64{x.id})
	if err != nil {
		return err
	}
	items, err := itemsOf(ctx, w.Tx, []int64{x.id})
	if err != nil {
		return err
	}
	components, err := tax.Components(ctx, w.Tx, companyShop)
	if err != nil {
		return err
	}
	for _, e := range entries[x.id] {
		if e.ID != x.entry {
			continue
		}
		back := e.Reversal(e.ID, x.cause+reversalSuffix, x.day)
		if x.reason != "" {
			back.Description += ": " + x.reason
		}
		id, err := w.Poster.Post(ctx, back)
		if err != nil {
			return err
		}
		doc := tax.Document{Kind: x.kind, ID: x.id, Entry: id, Direction: tax.Deductible, Effective: x.day, Currency: currency}
		if err := tax.Write(ctx, w.Tx, components, doc, tax.Reversed(facts[e.ID])); err != nil {
			return err
		}
		for _, i := range items {
			i.entry, i.amount, i.home = id, -i.amount, -i.home
			if err := w.owe(ctx, i, x.kind, x.day); err != nil {
				return err
			}
		}
		w.Tx.Queue(`INSERT INTO purchase_reversal (document_id, date, reason, entry_id, recorded_at) VALUES ($1,$2,$3,$4,$5)`, x.id, x.day, x.reason, id, store.Micros(w.Now))
	}
	return nil
}
