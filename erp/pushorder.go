package erp

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// askedBefore says of a request e that it is of the same order as r, and was
// asked for before it.
const askedBefore = `e.order_id = r.order_id AND (e.created_at < r.created_at OR e.created_at = r.created_at AND e.id < r.id)`

// orderPushes returns the requests about orders that are due. One of an order
// waits until those before it are answered.
func (b *Books) orderPushes(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	list, more, err := b.messages(ctx, tx, shop, q)
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	ids := make([]int64, len(list))
	for i, m := range list {
		ids[i] = m.Object
	}
	found, err := requests(ctx, tx, `WHERE r.id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, false, err
	}
	waits, err := readIDs(ctx, tx, `SELECT r.id FROM order_request r WHERE r.id IN (`+store.In(len(ids), 1)+`) AND EXISTS (SELECT 1 FROM order_request e
		WHERE `+askedBefore+` AND e.state = 'waiting')`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, false, fmt.Errorf("read what waits for another request: %w", err)
	}
	at := make(map[int64]Requested, len(found))
	for _, r := range found {
		at[r.ID] = r
	}
	lacking, err := readIDs(ctx, tx, `SELECT r.id FROM order_request r WHERE r.id IN (`+store.In(len(ids), 1)+`) AND r.kind = 'shipment' AND EXISTS (SELECT 1 FROM order_request e
		WHERE `+askedBefore+` AND e.kind = 'shipment' AND e.state = 'refused' AND e.answered_at > r.created_at)`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, false, fmt.Errorf("read what was not shipped: %w", err)
	}
	if err := b.knowMore(ctx, tx, at); err != nil {
		return nil, false, err
	}
	var out []Push
	for _, m := range list {
		r, ok := at[m.Object]
		if r.Request.Shipment != nil && slices.Contains(lacking, m.Object) {
			// It was to be the last one after another one that came to nothing.
			r.Request.Shipment.Completes = false
		}
		switch {
		case !ok || r.State == RequestDone:
			outbox.Settled(tx, m)
		case !slices.Contains(waits, m.Object):
			out = append(out, Push{Message: m, Label: r.Number, Request: &r.Request})
		}
	}
	return out, more, nil
}

// knowMore adds to what was known when requests were made what else of their
// orders was asked for and has been done since: that the shop has moved on by
// that is no news.
func (b *Books) knowMore(ctx context.Context, r store.Reader, asked map[int64]Requested) error {
	var ids []int64
	for id, q := range asked {
		if q.Request.Known != nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	done, err := requests(ctx, r, `WHERE r.state = 'done' AND r.order_id IN (SELECT w.order_id FROM order_request w WHERE w.id IN (`+store.In(len(ids), 1)+`))`, store.InArgs(nil, ids)...)
	if err != nil || len(done) == 0 {
		return err
	}
	ended, err := b.endedBy(ctx, r, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		q := asked[id]
		for _, d := range done {
			if d.Request.Order != q.Request.Order || d.ID == id || !d.Answered.After(q.Created) {
				continue
			}
			switch {
			case d.Request.Refund != nil:
				q.Request.Known.Add(d.Request.Refund)
			case d.Request.Status != "":
				q.Request.Known.Statuses = append(q.Request.Known.Statuses, d.Request.Status)
			}
			if status, ok := ended[id]; ok && d.Request.Status == "" {
				q.Request.Known.Statuses = append(q.Request.Known.Statuses, status)
			}
		}
	}
	return nil
}

// endedBy returns, of requests, the statuses of their orders that are completed
// or refunded, in the shops' words: a shipment or a refund may have brought that
// about.
func (b *Books) endedBy(ctx context.Context, r store.Reader, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	args := store.InArgs([]any{string(intake.StateCompleted), string(intake.StateRefunded)}, ids)
	err := eachRow(ctx, r, `SELECT w.id, o.raw_status FROM order_request w JOIN sales_order o ON o.id = w.order_id
		WHERE w.kind = 'status' AND o.state IN ($1, $2) AND w.id IN (`+store.In(len(ids), 3)+`)`, args, func(rows *sql.Rows) error {
		var id int64
		var status string
		err := rows.Scan(&id, &status)
		out[id] = status
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read how orders stand: %w", err)
	}
	return out, nil
}

// orderPushed notes what a shop answered. What the books make of it is up to
// what the shop states of the order, which is received afterwards. An answer
// from before a person had the request made again does not end it.
func (b *Books) orderPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	for i, o := range outcomes {
		m := pushes[i].Message
		state := RequestWaiting
		switch {
		case o.Result == intake.Done:
			state = RequestDone
		case o.Result == intake.Skipped, o.Result == intake.Refused:
			state = RequestRefused
		}
		p.tx.Queue(`UPDATE order_request SET state = $2, why = $3, answered_at = $4 WHERE id = $1 AND ($2 = 'done'
			OR EXISTS (SELECT 1 FROM outbox m WHERE m.shop_id = $5 AND m.kind = 'order' AND m.object_id = $1 AND m.revision = $6))`,
			m.Object, state, o.Why, store.Micros(p.now), p.shop, m.Revision)
	}
	return p.tx.Flush(ctx)
}
