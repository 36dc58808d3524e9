package sales

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
	"comptoir/erp/tax"
)

// Load reads orders as the books have them, by id.
func Load(ctx context.Context, r store.Reader, ids []int64) (map[int64]*Order, error) {
	orders := make(map[int64]*Order, len(ids))
	if len(ids) == 0 {
		return orders, nil
	}
	for _, read := range []func(context.Context, store.Reader, []int64, map[int64]*Order) error{loadHeaders, loadLines, loadEvents} {
		if err := read(ctx, r, ids, orders); err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
	}
	return orders, nil
}

func loadHeaders(ctx context.Context, r store.Reader, ids []int64, orders map[int64]*Order) error {
	rows, err := r.Query(ctx, `SELECT id, revision, state FROM sales_order WHERE id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		o := &Order{Lines: map[string]Line{}, Events: map[string]Event{}}
		if err := rows.Scan(&o.ID, &o.Revision, &o.State); err != nil {
			return err
		}
		orders[o.ID] = o
	}
	return rows.Err()
}

func loadLines(ctx context.Context, r store.Reader, ids []int64, orders map[int64]*Order) error {
	rows, err := r.Query(ctx, `SELECT l.order_id, l.id, l.external_id, COALESCE(v.stock_id, 0), l.demand, l.allocated, l.state
		FROM order_line l LEFT JOIN variant v ON v.id = l.variant_id WHERE l.order_id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var order int64
		var external string
		var l Line
		if err := rows.Scan(&order, &l.ID, &external, &l.Stock, &l.Demand, &l.Allocated, &l.State); err != nil {
			return err
		}
		orders[order].Lines[external] = l
	}
	return rows.Err()
}

func loadEvents(ctx context.Context, r store.Reader, ids []int64, orders map[int64]*Order) error {
	rows, err := r.Query(ctx, `SELECT e.order_id, e.event, e.revision, e.digest, e.document, e.active, o.external_id, s.name
		FROM order_event e JOIN sales_order o ON o.id = e.order_id JOIN shop s ON s.id = o.shop_id
		WHERE e.order_id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return err
	}
	causes := map[string]*Event{}
	type place struct {
		order int64
		name  string
		facts Facts // as far as a cause needs them
		ev    *Event
	}
	var places []place
	err = func() error {
		defer rows.Close()
		for rows.Next() {
			var p place
			ev := new(Event)
			if err := rows.Scan(&p.order, &p.name, &ev.Revision, &ev.Digest, &ev.Document, &ev.Active, &p.facts.External, &p.facts.Shop); err != nil {
				return err
			}
			p.ev = ev
			places = append(places, p)
			causes[p.facts.Cause(p.name, ev.Revision)] = ev
		}
		return rows.Err()
	}()
	if err != nil {
		return err
	}
	posted, err := loadEffects(ctx, r, ids, causes)
	if err != nil {
		return err
	}
	for _, p := range places {
		posted.document(p.facts, p.name, p.ev)
		orders[p.order].Events[p.name] = *p.ev
	}
	return nil
}

// effects are the documents of orders and the tax facts that go with them, by
// cause.
type effects struct {
	invoices map[string]int64
	facts    map[string][]tax.Fact
}

// document gives an event the document that it issued and that still stands.
// It may stem from an earlier revision: where only the settlement changed, the
// document was kept.
func (e effects) document(f Facts, name string, ev *Event) {
	for revision := ev.Revision; revision > 0; revision-- {
		cause := f.Cause(name, revision)
		if _, reversed := e.invoices[cause+reversalSuffix]; reversed {
			return
		}
		if id, issued := e.invoices[cause]; issued {
			ev.Invoice, ev.Facts = id, e.facts[cause]
			return
		}
	}
}

// loadEffects reads what the events posted: an entry has the event's own cause,
// a move the event's cause and its line.
func loadEffects(ctx context.Context, r store.Reader, ids []int64, causes map[string]*Event) (effects, error) {
	out := effects{invoices: map[string]int64{}, facts: map[string][]tax.Fact{}}
	entries, err := ledger.OfDocuments(ctx, r, ids)
	if err != nil {
		return out, err
	}
	facts, err := tax.OfDocuments(ctx, r, ids)
	if err != nil {
		return out, err
	}
	for _, list := range entries {
		for i := range list {
			out.facts[list[i].Cause] = facts[list[i].ID]
			if ev := causes[list[i].Cause]; ev != nil {
				ev.Entry = &list[i]
			}
		}
	}
	moves, err := inventory.OfDocuments(ctx, r, ids)
	if err != nil {
		return out, err
	}
	for _, list := range moves {
		for _, m := range list {
			event, line, ok := cutLast(m.Cause, moveSeparator)
			if ev := causes[event]; ok && ev != nil && !strings.HasSuffix(line, reversalSuffix) {
				ev.Moves = append(ev.Moves, m)
			}
		}
	}
	rows, err := r.Query(ctx, `SELECT id, cause FROM invoice WHERE order_id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var cause string
		if err := rows.Scan(&id, &cause); err != nil {
			return out, err
		}
		out.invoices[cause] = id
	}
	return out, rows.Err()
}

const (
	moveSeparator  = "/line/"
	reversalSuffix = "/reversal"
)

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Writer writes the decisions of one transaction. Poster, Mover and the
// components of the shop are shared by all records of the page.
type Writer struct {
	Tx         *store.Tx
	Poster     *ledger.Poster
	Mover      *inventory.Mover
	Components map[string]int64 // ids by the shop's rate ids
}

// Write queues what a decision changes and returns the id of the order.
func (w *Writer) Write(ctx context.Context, before *Order, said *intake.Order, d Decision, f Facts, contact int64) (int64, error) {
	isNew := before == nil
	if isNew {
		id, err := w.Tx.NewID(ctx)
		if err != nil {
			return 0, err
		}
		before = &Order{ID: id}
	}
	if err := w.header(before, said, d, f, contact, isNew); err != nil {
		return 0, err
	}
	lines, err := w.lines(ctx, before, d, f)
	if err != nil {
		return 0, err
	}
	if err := w.money(ctx, before.ID, said, d, isNew); err != nil {
		return 0, err
	}
	for _, s := range d.Steps {
		if err := w.step(ctx, before.ID, s, d, f, lines); err != nil {
			return 0, err
		}
	}
	w.Mover.OrderDone()
	return before.ID, nil
}

func (w *Writer) header(before *Order, said *intake.Order, d Decision, f Facts, contact int64, isNew bool) error {
	customer, err := json.Marshal(said.Customer)
	if err != nil {
		return err
	}
	q := `UPDATE sales_order SET number=$4, raw_status=$5, state=$6, trashed=$7, final=$8, waiting=$9, placed_at=$10, paid_at=$11, completed_at=$12, cancelled_at=$13,
		promised_on=$14, contact_id=$15, customer=$16, payment_method=$17, payment_title=$18, payment_terms=$19, coupons=$20, note=$21, currency=$22, rate=$23,
		total=$24, total_tax=$25, discount=$26, recomputed=$27, difference=$28, revision=$29, deleted=FALSE
		WHERE id=$1 AND shop_id=$2 AND external_id=$3`
	if isNew {
		q = `INSERT INTO sales_order (id, shop_id, external_id, number, raw_status, state, trashed, final, waiting, placed_at, paid_at, completed_at, cancelled_at,
			promised_on, contact_id, customer, payment_method, payment_title, payment_terms, coupons, note, currency, rate, total, total_tax, discount, recomputed, difference, revision)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29)`
	}
	w.Tx.Queue(q, before.ID, f.ShopID, f.External, said.Number, said.RawStatus, string(d.State), said.Trashed, d.Final, d.Waiting,
		store.Micros(said.PlacedAt), store.Micros(said.PaidAt), store.Micros(said.CompletedAt), store.Micros(said.CancelledAt),
		d.Promised, contact, string(customer), said.Payment.Method, said.Payment.Title, said.Payment.Terms, strings.Join(said.Coupons, "\n"), said.Note,
		string(d.Currency), d.Rate.String(), d.Amounts.Total, d.Amounts.Tax, d.Amounts.Discount, d.Amounts.Recomputed, d.Amounts.Difference, before.Revision+1)
	return nil
}

// lines writes the lines and what they want of the stock, and returns their
// ids by external id.
func (w *Writer) lines(ctx context.Context, before *Order, d Decision, f Facts) (map[string]int64, error) {
	ids := make(map[string]int64, len(d.Lines))
	for i, l := range d.Lines {
		had, known := before.Lines[l.Said.ID]
		allocated := min(had.Allocated, l.Demand)
		if had.Stock != l.Goods.Stock {
			allocated = 0
		}
		w.want(had, l, allocated, f)
		if !known && l.Goods.Stock != 0 && l.Ordered > 0 && (l.Refunded > 0 || d.State == intake.StateCancelled || d.State == intake.StateRefunded) {
			w.Mover.Released(f.ShopID, l.Goods.Stock)
		}
		if before.State != d.State && l.Demand > 0 {
			w.Mover.Recheck(l.Goods.Stock) // a hold came or went: it may be ready, or no longer
		}
		taxes, err := json.Marshal(l.Said.Taxes)
		if err != nil {
			return nil, err
		}
		id := had.ID
		q := `UPDATE order_line SET order_id=$2, kind=$3, external_id=$4, position=$5, variant_id=$6, sku=$7, title=$8, code=$9, ordered=$10, current=$11, refunded=$12, shipped=$13,
			returned=$14, demand=$15, allocated=$16, state=$17, unit_price=$18, subtotal=$19, discount=$20, net=$21, tax=$22, taxes=$23, gift_card=$24 WHERE id=$1`
		if !known {
			if id, err = w.Tx.NewID(ctx); err != nil {
				return nil, err
			}
			q = `INSERT INTO order_line (id, order_id, kind, external_id, position, variant_id, sku, title, code, ordered, current, refunded, shipped, returned, demand, allocated, state,
				unit_price, subtotal, discount, net, tax, taxes, gift_card) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24)`
		}
		w.Tx.Queue(q, id, before.ID, string(l.Said.Kind), l.Said.ID, i, l.Goods.Variant, l.Said.SKU, l.Said.Title, l.Said.Code, int64(l.Ordered), int64(l.Current), int64(l.Refunded),
			int64(l.Shipped), int64(l.Returned), int64(l.Demand), int64(allocated), l.State, l.UnitPrice.String(), l.Subtotal, l.Subtotal-l.Net, l.Net, l.Tax, string(taxes), l.Said.GiftCard)
		ids[l.Said.ID] = id
	}
	for external, had := range before.Lines {
		if _, stays := ids[external]; stays {
			continue
		}
		w.want(had, LineDecision{}, 0, f)
		ids[external] = had.ID
		w.Tx.Queue(`UPDATE order_line SET current=0, demand=0, allocated=0, state=$2, subtotal=0, discount=0, net=0, tax=0 WHERE id=$1`, had.ID, LineCancelled)
	}
	return ids, nil
}

// want moves a line's claim on the stock from what it was to what it is.
func (w *Writer) want(had Line, now LineDecision, allocated quantity.Quantity, f Facts) {
	if had.Stock == now.Goods.Stock {
		w.Mover.Want(f.ShopID, had.Stock, now.Demand-had.Demand, allocated-had.Allocated)
	} else {
		w.Mover.Want(f.ShopID, had.Stock, -had.Demand, -had.Allocated)
		w.Mover.Want(f.ShopID, now.Goods.Stock, now.Demand, allocated)
	}
	if had.Demand != now.Demand && now.Goods.Stock != 0 {
		w.touched(now.Goods.Stock, f)
	}
}

// touched notes that the order changed what can be sold of a variant.
func (w *Writer) touched(variant int64, f Facts) {
	w.Mover.Touched(f.ShopID, variant, store.Micros(f.Placed), store.Micros(f.Modified))
}

// money writes payments, refunds and shipments as the shop states them.
func (w *Writer) money(ctx context.Context, order int64, said *intake.Order, d Decision, isNew bool) error {
	if !isNew {
		w.Tx.Queue(`DELETE FROM order_payment WHERE order_id = $1`, order)
		w.Tx.Queue(`DELETE FROM shipment WHERE order_id = $1`, order)
		w.Tx.Queue(`UPDATE refund SET removed = TRUE WHERE order_id = $1`, order)
	}
	round := rounder{currency: d.Currency}
	pay := func(id, kind, gateway string, amount, fee int64, reference string, at time.Time) {
		w.Tx.Queue(`INSERT INTO order_payment (order_id, external_id, kind, gateway, amount, fee, reference, paid_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
			order, id, kind, gateway, amount, fee, reference, store.Micros(at))
	}
	for _, m := range said.Payments {
		pay(m.ID, m.Kind, m.Gateway, round.minor(m.Amount), round.minor(m.Fee), m.Reference, m.At)
	}
	for _, g := range said.GiftCards {
		pay("giftcard/"+g.ID, giftCardGateway, giftCardGateway, round.minor(g.Amount), 0, "", said.PaidAt)
	}
	for _, s := range said.Shipments {
		lines, err := json.Marshal(s.Lines)
		if err != nil {
			return err
		}
		w.Tx.Queue(`INSERT INTO shipment (order_id, external_id, shipped_at, carrier, tracking, lines) VALUES ($1,$2,$3,$4,$5,$6)`,
			order, s.ID, store.Micros(s.At), s.Carrier, s.Tracking, string(lines))
	}
	for _, r := range d.Refunds {
		lines, err := json.Marshal(r.Said.Lines)
		if err != nil {
			return err
		}
		id, err := w.Tx.NewID(ctx)
		if err != nil {
			return err
		}
		w.Tx.Queue(`INSERT INTO refund (id, order_id, external_id, refunded_at, amount, gateway, reason, lines) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)
			ON CONFLICT (order_id, external_id) DO UPDATE SET refunded_at = excluded.refunded_at, amount = excluded.amount, gateway = excluded.gateway,
				reason = excluded.reason, lines = excluded.lines, removed = FALSE`,
			id, order, r.Said.ID, store.Micros(r.Said.At), r.Amount, r.Said.Gateway, r.Said.Reason, string(lines))
	}
	return round.err
}

// step writes one step: what is taken back first, then what is posted.
func (w *Writer) step(ctx context.Context, order int64, s Step, d Decision, f Facts, lines map[string]int64) error {
	if s.Reverse != nil {
		if err := w.reverse(ctx, order, s, d, f); err != nil {
			return fmt.Errorf("reverse %s: %w", s.Event, err)
		}
	}
	digest, document := "", ""
	if p := s.Posting; p != nil {
		digest, document = p.Digest, p.Document
		if err := w.posting(ctx, order, s, d, f, lines); err != nil {
			return fmt.Errorf("post %s: %w", s.Event, err)
		}
	}
	w.Tx.Queue(`INSERT INTO order_event (order_id, event, revision, digest, document, active) VALUES ($1,$2,$3,$4,$5,$6)
		ON CONFLICT (order_id, event) DO UPDATE SET revision = excluded.revision, digest = excluded.digest, document = excluded.document, active = excluded.active`,
		order, s.Event, s.Revision, digest, document, s.Posting != nil)
	return nil
}

func (w *Writer) posting(ctx context.Context, order int64, s Step, d Decision, f Facts, lines map[string]int64) error {
	p := s.Posting
	cause := f.Cause(s.Event, s.Revision)
	var entry int64
	if p.Entry != nil {
		e := *p.Entry
		e.Cause, e.Document = cause, order
		var err error
		if entry, err = w.Poster.Post(ctx, &e); err != nil {
			return err
		}
	}
	for _, m := range p.Moves {
		mv := m.Move
		mv.Cause, mv.Document, mv.Line, mv.Shop = cause+moveSeparator+m.Line, order, lines[m.Line], f.ShopID
		if err := w.Mover.Move(ctx, mv); err != nil {
			return err
		}
		w.touched(mv.Variant, f)
	}
	if s.KeepDocument || p.Invoice == nil {
		return nil
	}
	if entry != 0 {
		doc := tax.Document{Kind: p.Invoice.Kind, ID: order, Entry: entry, Effective: p.Effective, Currency: string(d.Currency), Lines: lines}
		if err := tax.Write(ctx, w.Tx, w.Components, doc, p.Facts); err != nil {
			return err
		}
	}
	return w.issue(ctx, order, cause, p.Effective, 0, p.Invoice)
}

// reverse takes back what an event posted: entry, moves, tax facts, and by a
// document of the other kind the document that it issued.
func (w *Writer) reverse(ctx context.Context, order int64, s Step, d Decision, f Facts) error {
	ev := s.Reverse
	cause := f.Cause(s.Event, ev.Revision)
	var entry int64
	if ev.Entry != nil {
		var err error
		if entry, err = w.Poster.Post(ctx, ev.Entry.Reversal(ev.Entry.ID, cause+reversalSuffix, s.Day)); err != nil {
			return err
		}
	}
	for _, m := range ev.Moves {
		back := m.Reversal(m.Cause+reversalSuffix, s.Day)
		back.Shop = f.ShopID
		if err := w.Mover.Move(ctx, back); err != nil {
			return err
		}
		w.touched(m.Variant, f)
	}
	if s.KeepDocument || ev.Invoice == 0 {
		return nil
	}
	inv, err := loadInvoice(ctx, w.Tx, ev.Invoice)
	if err != nil {
		return err
	}
	opposite := inv.opposite()
	if entry != 0 {
		doc := tax.Document{Kind: opposite.Kind, ID: order, Entry: entry, Effective: s.Day, Currency: string(d.Currency)}
		if err := tax.Write(ctx, w.Tx, w.Components, doc, tax.Reversed(ev.Facts)); err != nil {
			return err
		}
	}
	return w.issue(ctx, order, cause+reversalSuffix, s.Day, ev.Invoice, opposite)
}

func (i Invoice) opposite() *Invoice {
	if i.Kind == InvoiceKind {
		i.Kind = CreditNoteKind
	} else {
		i.Kind = InvoiceKind
	}
	return &i
}

func loadInvoice(ctx context.Context, r store.Reader, id int64) (Invoice, error) {
	var inv Invoice
	var content string
	err := r.QueryRow(ctx, `SELECT kind, currency, net, tax, total, content FROM invoice WHERE id = $1`, id).
		Scan(&inv.Kind, &inv.Currency, &inv.Net, &inv.Tax, &inv.Total, &content)
	if err != nil {
		return inv, fmt.Errorf("read invoice %d: %w", id, err)
	}
	return inv, json.Unmarshal([]byte(content), &inv.Lines)
}

// series is that of the numbers of a kind of document.
func series(kind string) string {
	if kind == CreditNoteKind {
		return "CN"
	}
	return "INV"
}

// issue gives a document the next number of its series. The number is taken in
// the transaction that writes the document, so there are no gaps.
func (w *Writer) issue(ctx context.Context, order int64, cause, date string, corrects int64, inv *Invoice) error {
	content, err := json.Marshal(inv.Lines)
	if err != nil {
		return err
	}
	id, err := w.Tx.NewID(ctx)
	if err != nil {
		return err
	}
	s := series(inv.Kind)
	w.Tx.Queue(`INSERT INTO invoice_series (series, next) VALUES ($1, 2) ON CONFLICT (series) DO UPDATE SET next = invoice_series.next + 1`, s)
	w.Tx.Queue(`INSERT INTO invoice (id, series, number, kind, order_id, corrects, date, cause, currency, net, tax, total, content)
		SELECT $1, s.series, s.next - 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM invoice_series s WHERE s.series = $2`,
		id, s, inv.Kind, order, corrects, date, cause, string(inv.Currency), inv.Net, inv.Tax, inv.Total, string(content))
	return nil
}

// MarkDeleted notes that the shop no longer has an order: what is booked stays,
// and it wants nothing more of the stock.
func (w *Writer) MarkDeleted(ctx context.Context, o *Order, f Facts) error {
	if o == nil {
		return errors.New("mark deleted: no order")
	}
	for _, had := range o.Lines {
		w.want(had, LineDecision{Goods: Goods{Stock: had.Stock}}, 0, f)
		if had.Demand > 0 {
			w.Tx.Queue(`UPDATE order_line SET demand=0, allocated=0, state=$2 WHERE id=$1`, had.ID, LineCancelled)
		}
	}
	w.Mover.OrderDone()
	w.Tx.Queue(`UPDATE sales_order SET deleted = TRUE, final = TRUE, revision = revision + 1 WHERE id = $1`, o.ID)
	return nil
}
