package erp

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"
	"comptoir/erp/store"
)

func readExplainedOrder(ctx context.Context, r store.Reader, id int64) (*ExplainedOrder, error) {
	o := &ExplainedOrder{id: id}
	var placed int64
	err := r.QueryRow(ctx, `SELECT s.name, o.external_id, o.number, o.state, o.raw_status, o.placed_at, o.currency, o.rate, o.total, o.total_tax
		FROM sales_order o JOIN shop s ON s.id = o.shop_id WHERE o.id = $1`, id).
		Scan(&o.Shop, &o.External, &o.Number, &o.State, &o.RawStatus, &placed, &o.Currency, &o.Rate, &o.Total.Minor, &o.Tax.Minor)
	if err != nil {
		return nil, fmt.Errorf("read order %d: %w", id, err)
	}
	o.PlacedAt = store.FromMicros(placed)
	o.Total.Currency, o.Tax.Currency = o.Currency, o.Currency
	return o, nil
}

// source reads what was last fetched of a record from a shop, from any for 0;
// nil where it is not kept.
func (b *Books) source(ctx context.Context, r store.Reader, kind intake.Kind, local, shop int64) (*Source, error) {
	s := &Source{Ref: intake.Ref{Kind: kind}}
	var received, modified int64
	var raw, statement []byte
	err := r.QueryRow(ctx, `SELECT s.name, g.external_id, g.parent, g.modified_at, g.gone, p.received_at, p.raw, p.statement
		FROM origin g JOIN shop s ON s.id = g.shop_id JOIN payload p ON p.local_id = g.local_id AND p.kind = g.kind AND p.shop_id = g.shop_id
		WHERE g.local_id = $1 AND g.kind = $2 AND ($3 = 0 OR g.shop_id = $3) ORDER BY p.received_at DESC LIMIT 1`, local, string(kind), shop).
		Scan(&s.Shop, &s.Ref.ID, &s.Ref.Parent, &modified, &s.Gone, &received, &raw, &statement)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the origin of %s %d: %w", kind, local, err)
	}
	s.ReceivedAt, s.ModifiedAt = store.FromMicros(received), store.FromMicros(modified)
	s.How = fmt.Sprintf("read from the shop %s, as its %s %s", s.Shop, strings.ReplaceAll(string(kind), "_", " "), s.Ref.ID)
	if s.Raw, err = b.decompress(raw); err != nil {
		return nil, fmt.Errorf("unpack the payload of %s %s: %w", kind, s.Ref.ID, err)
	}
	if s.Statement, err = b.decompress(statement); err != nil {
		return nil, fmt.Errorf("unpack the statement of %s %s: %w", kind, s.Ref.ID, err)
	}
	s.Bytes, s.Payload, s.Digest = len(s.Raw), sha(s.Raw), sha(s.Statement)
	return s, nil
}

// stockSource reads what was last fetched of a variant from a shop, which may be
// one of several that sell it: a record of its own, or the product that it was
// sent along with.
func (b *Books) stockSource(ctx context.Context, r store.Reader, variant, shop int64) (*Source, error) {
	s, err := b.source(ctx, r, intake.KindVariant, variant, shop)
	if s != nil || err != nil {
		return s, err
	}
	var product int64
	err = r.QueryRow(ctx, `SELECT COALESCE((SELECT MIN(p.local_id) FROM origin g JOIN origin p ON p.shop_id = g.shop_id AND p.kind = 'product' AND p.external_id = g.parent
		WHERE g.local_id = v.id AND g.kind = 'variant' AND g.shop_id = $2), v.product_id) FROM variant v WHERE v.id = $1`, variant, shop).Scan(&product)
	if err != nil {
		return nil, fmt.Errorf("read variant %d: %w", variant, err)
	}
	return b.source(ctx, r, intake.KindProduct, product, shop)
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// explainedEntries reads entries with their lines; a condition follows.
const explainedEntries = `SELECT e.id, e.journal, e.effective, e.recorded_at, e.cause, e.description, e.reverses, COALESCE(v.id, 0),
		COALESCE(i.series || '-' || CAST(i.number AS TEXT), ''), a.code, a.name, l.debit, l.credit, l.currency, l.foreign_debit - l.foreign_credit, l.memo
	FROM entry e JOIN entry_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		LEFT JOIN entry v ON v.document_id = e.document_id AND v.reverses = e.id
		LEFT JOIN invoice i ON i.cause = e.cause WHERE `

func readExplained(ctx context.Context, r store.Reader, condition string, arg int64) ([]ExplainedEntry, error) {
	rows, err := r.Query(ctx, explainedEntries+condition+` ORDER BY e.recorded_at, e.id, l.line`, arg)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	defer rows.Close()
	list := []ExplainedEntry{}
	for rows.Next() {
		var e ExplainedEntry
		var l ExplainedLine
		var recorded int64
		if err := rows.Scan(&e.ID, &e.Journal, &e.Effective, &recorded, &e.Cause, &e.Description, &e.Reverses, &e.ReversedBy,
			&e.Document, &l.Account, &l.Name, &l.Debit, &l.Credit, &l.Currency, &l.Foreign, &l.Memo); err != nil {
			return nil, err
		}
		if n := len(list); n == 0 || list[n-1].ID != e.ID {
			e.RecordedAt = store.FromMicros(recorded)
			list = append(list, e)
		}
		last := &list[len(list)-1]
		last.Lines = append(last.Lines, l)
	}
	return list, rows.Err()
}

func readDocuments(ctx context.Context, r store.Reader, order int64) ([]ExplainedDocument, error) {
	rows, err := r.Query(ctx, `SELECT i.series || '-' || CAST(i.number AS TEXT), i.kind, i.date, i.cause, i.currency, i.net, i.tax, i.total,
			COALESCE(c.series || '-' || CAST(c.number AS TEXT), '')
		FROM invoice i LEFT JOIN invoice c ON c.id = i.corrects WHERE i.order_id = $1 ORDER BY i.id`, order)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	defer rows.Close()
	var list []ExplainedDocument
	for rows.Next() {
		var d ExplainedDocument
		var c money.Currency
		if err := rows.Scan(&d.Number, &d.Kind, &d.Date, &d.Cause, &c, &d.Net.Minor, &d.Tax.Minor, &d.Total.Minor, &d.Corrects); err != nil {
			return nil, err
		}
		d.Net.Currency, d.Tax.Currency, d.Total.Currency = c, c, c
		list = append(list, d)
	}
	return list, rows.Err()
}

// explainEntry tells which event of the order an entry books, and by which
// rule.
func (b *Books) explainEntry(e *ExplainedEntry, o *ExplainedOrder, s *Source) {
	event := strings.TrimPrefix(e.Cause, "order/"+o.Shop+"/"+o.External+"/")
	event = strings.TrimSuffix(event, "/reversal")
	e.Event, e.Revision = event, 1
	if at := strings.LastIndexByte(event, '#'); at > 0 {
		if n, err := strconv.Atoi(event[at+1:]); err == nil {
			e.Event, e.Revision = event[:at], n
		}
	}
	e.Current = s != nil && e.RecordedAt.Equal(s.ReceivedAt)
	e.Rule = eventRule(e.Event, b.opts.Shops[o.Shop])
	if e.Reverses != 0 {
		e.Rule = fmt.Sprintf("The shop changed or took back what entry %d books, so it is reversed; nothing is ever edited. What still applies is booked again as the next revision.", e.Reverses)
	}
	if o.Currency != b.opts.Company.Currency {
		e.Rule += fmt.Sprintf(" Converted at the order's rate, %s %s for one %s; cents of the conversion go to the rounding account.", o.Rate, b.opts.Company.Currency, o.Currency)
	}
}

// eventRule is the rule that books an event, with the setting that it follows.
func eventRule(event string, rules sales.Rules) string {
	kind, _, _ := strings.Cut(event, "/")
	switch kind {
	case "payment":
		return "Money taken by the gateway goes to its clearing account. It is owed to the customer as a deposit until the sale is invoiced; later it settles the receivable."
	case "giftcard":
		return "A gift card used to pay lessens the gift card liability, like a payment."
	case "fee":
		return "What the gateway keeps is a payment fee, taken from its clearing account."
	case "invoice":
		return fmt.Sprintf("The sale is invoiced on %s (revenue: %s): deposits, and the receivable for what is not paid, against sales, shipping, fees and the tax of each rate. "+
			"Goods are booked at their price, what was given off as discounts. Cents that rounding explains go to the rounding account.", rules.Revenue, rules.Revenue)
	case "shipment":
		return "Goods left: their cost moves from the inventory to the cost of goods sold."
	case "return":
		return fmt.Sprintf("Goods came back (restock: %s): they return to the inventory at the cost that they left with.", rules.Restock)
	case "refund":
		return fmt.Sprintf("A refund after the invoice is credited by a credit note: income and tax are taken back (refund_tax: %s), the money leaves the clearing account. "+
			"A refund before the invoice lessens the customer's deposit. Where the shop says how much money went back, that much is booked, and the rest stays on the customer's account.", rules.RefundTax)
	case "cancellation":
		return fmt.Sprintf("The order was cancelled (cancel_returns_money: %t): the customer's deposit goes back through the gateway.", rules.CancelReturnsMoney)
	default:
		return "Booked for the event " + event + "."
	}
}
