package erp

import (
	"context"
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

// orderPushed notes what a shop answered. What the books make of it is up to
// what the shop states of the order, which is received afterwards.
func (b *Books) orderPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	for i, o := range outcomes {
		m := pushes[i].Message
		state := RequestWaiting
		switch {
		case o.Result == intake.Done:
			state = RequestDone
		case o.Result == intake.Skipped, o.Result == intake.Refused && m.Tries+1 >= outbox.MaxTries:
			state = RequestRefused
		}
		p.tx.Queue(`UPDATE order_request SET state = $2, why = $3, answered_at = $4 WHERE id = $1`, m.Object, state, o.Why, store.Micros(p.now))
	}
	return p.tx.Flush(ctx)
}
