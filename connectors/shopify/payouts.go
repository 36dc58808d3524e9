package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// payoutsAgain is how long after its issue a payout may still change without a
// word: a bank may send one back that was paid.
const payoutsAgain = 30 * 24 * time.Hour

// payoutList is the list of payouts. They have no date of change, so those of
// a while are looked at each time, and stated again where they differ.
func (c *Connector) payoutList() source {
	return source{resource: intake.Payouts, node: "ShopifyPaymentsPayout", list: documentOf("payouts"), byID: documentOf("payouts_by_id"),
		path: []string{"shopifyPaymentsAccount", "payouts"}, dated: "issued_at", coarse: true, size: 50, records: c.payoutRecords}
}

// payout is what is read of a payout.
type payout struct {
	IssuedAt  scalar  `json:"issuedAt"`
	Status    scalar  `json:"status"`
	Direction scalar  `json:"transactionType"`
	Trace     scalar  `json:"externalTraceId"`
	Net       moneyV2 `json:"net"`
}

// pullPayouts reads the payouts that were issued since the window began and
// are not as they were last stated. A shop that has none, or does not let this
// app see them, has an empty list: nothing is behind us when the right comes.
func (c *Connector) pullPayouts(ctx context.Context, from connectors.Cursor) (connectors.Page, error) {
	l := c.payoutList()
	cur := c.readCursor(l.resource, from)
	known, err := c.access(ctx)
	if err == nil && !known.payouts() {
		known, _, err = c.askAccess(ctx) // it may have been given since
	}
	if err != nil {
		return connectors.Page{}, err
	}
	if !known.payouts() {
		return connectors.Page{Next: cur.bytes()}, ctx.Err()
	}
	ch, err := c.chunk(ctx, l, l.list, cur)
	if errors.Is(err, errNothing) { // no account at Shopify Payments
		return connectors.Page{Next: cur.bytes()}, nil
	}
	if err != nil {
		return connectors.Page{}, err
	}
	if cur.Until == 0 {
		cur.Until = c.horizon(ch.now)
	}
	seen := maps.Clone(cur.Payouts)
	if seen == nil {
		seen = map[string]string{}
	}
	rows := slices.DeleteFunc(ch.rows, func(r row) bool { return stated(seen, r, cur.Until) })
	records, err := l.records(ctx, rows)
	if err != nil {
		return connectors.Page{}, err
	}
	for _, rec := range records {
		if rec.Problem != "" {
			delete(seen, rec.Ref.ID) // look again: a part of it may have been late
		}
	}
	cur.Payouts = seen
	if ch.more {
		cur.After = ch.last
		return connectors.Page{Records: records, Next: cur.bytes(), More: true}, nil
	}
	return connectors.Page{Records: records, Next: afterPayouts(cur).bytes()}, nil
}

// stated reports whether a payout was stated before as it is now, and notes in
// seen how it is where it may still change.
func stated(seen map[string]string, r row, now int64) bool {
	p, id := new(payout), r.ref().text
	if json.Unmarshal(r.raw, p) != nil {
		return false
	}
	issued, err := p.IssuedAt.instant()
	if err != nil || issued.IsZero() {
		return false
	}
	said := strings.Join([]string{strconv.FormatInt(issued.Unix(), 10), p.Status.trimmed(), p.Net.Amount.trimmed()}, " ")
	before := seen[id]
	if _, final := p.state(); final && issued.Unix() < againFrom(now) {
		delete(seen, id)
	} else {
		seen[id] = said
	}
	return before == said
}

// againFrom is the issue, in Unix seconds, from which on payouts are looked at
// again.
func againFrom(now int64) int64 { return max(now-int64(payoutsAgain/time.Second), 0) }

// afterPayouts is the cursor after the last page of a run: the next window
// starts at the first payout that may still change.
func afterPayouts(cur cursor) cursor {
	next := cursor{Since: againFrom(cur.Until), Payouts: cur.Payouts}
	for _, said := range cur.Payouts {
		issued, _, _ := strings.Cut(said, " ")
		if at, err := strconv.ParseInt(issued, 10, 64); err == nil && at > 0 {
			next.Since = min(next.Since, at)
		}
	}
	return next
}

// state maps the status of a payout, and says whether it is the last one. A
// status that is not known is on its way to one that is.
func (p *payout) state() (s intake.PayoutState, final bool) {
	switch strings.ToUpper(p.Status.trimmed()) {
	case "PAID":
		return intake.PayoutPaid, true
	case "FAILED":
		return intake.PayoutFailed, true
	case "CANCELED":
		return intake.PayoutCancelled, true
	default:
		return intake.PayoutPending, false
	}
}

// payoutRecords makes the records of payouts, each with all that it is made of.
func (c *Connector) payoutRecords(ctx context.Context, rows []row) ([]intake.Record, error) {
	records := make([]intake.Record, 0, len(rows))
	for _, row := range rows {
		parts, err := c.transactionsOf(ctx, row)
		if err != nil {
			return nil, err
		}
		records = append(records, payoutRecord(row, parts))
	}
	return records, nil
}

// transactionsOf reads all transactions of a payout but the payout itself.
func (c *Connector) transactionsOf(ctx context.Context, of row) ([]row, error) {
	l := source{resource: intake.Payouts, list: documentOf("balance_transactions"), size: 100,
		path: []string{"shopifyPaymentsAccount", "balanceTransactions"}, filter: "payments_transfer_id:" + of.ref().text}
	var parts []row
	for cur := (cursor{}); ; {
		ch, err := c.chunk(ctx, l, l.list, cur)
		if err != nil {
			return nil, err
		}
		for _, part := range ch.rows {
			// Those of a payout that failed are given to the next one.
			if to := payoutOf(part); to == "" || to == of.ref().text {
				parts = append(parts, part)
			}
		}
		if !ch.more {
			return parts, nil
		}
		cur.After = ch.last
	}
}

// payoutOf returns the payout that a transaction belongs to; "" where the shop
// does not say.
func payoutOf(part row) string {
	var t struct {
		Payout *holder `json:"associatedPayout"`
	}
	if json.Unmarshal(part.raw, &t) != nil || t.Payout == nil {
		return ""
	}
	return t.Payout.ID.ref()
}

// fetchPayouts reads payouts again.
func (c *Connector) fetchPayouts(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	return inOrder(refs, func(ids []uint64) ([]intake.Record, error) { return c.fetchNumbers(ctx, c.payoutList(), ids, 0) })
}
