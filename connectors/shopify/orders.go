package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// pullOrders returns the page of orders after cur.
func (c *Connector) pullOrders(ctx context.Context, cur connectors.Cursor) (connectors.Page, error) {
	return c.pullList(ctx, intake.Orders, cur)
}

// orderRecords makes the records of orders, however they were read: what a
// page or a bulk operation cannot hold of them is read here, so that an order
// states the same on every way.
func (c *Connector) orderRecords(ctx context.Context, rows []row) ([]intake.Record, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	known, err := c.access(ctx)
	if err != nil {
		return nil, err
	}
	held := make([]*heldOrder, len(rows))
	for i := range rows {
		held[i] = holdOrder(rows[i].raw)
	}
	if err := c.completeOrders(ctx, held); err != nil {
		return nil, err
	}
	rules := orderRules{country: known.shop.Address.Country, shipUnpaid: c.cfg.ShipUnpaid}
	records := make([]intake.Record, len(held))
	for i, h := range held {
		records[i] = h.state(rules)
		if problem := records[i].Problem; problem != "" {
			records[i] = intake.Unreadable(records[i].Ref, records[i].Modified, payload(h.raw), problem)
		}
	}
	return records, nil
}

// fetchOrders reads orders again. An order that the shop does not show is gone,
// unless it may be older than what the shop shows to this app.
func (c *Connector) fetchOrders(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	l, ok := c.listOf(intake.Orders)
	if !ok {
		return nil, c.unknownResource(intake.Orders)
	}
	records, err := inOrder(refs, func(ids []uint64) ([]intake.Record, error) { return c.fetchNumbers(ctx, l, ids, 0) })
	if err != nil {
		return nil, err
	}
	return records, c.hideOld(ctx, records)
}

// hideOld marks what is gone and may only be too old: without the right to all
// orders, an app sees those of the last 60 days. The right may have been taken
// away since it was asked for, so it is asked for again: what is taken for gone
// leaves the books.
func (c *Connector) hideOld(ctx context.Context, records []intake.Record) error {
	missing := func(rec intake.Record) bool { return rec.Gone() && (scalar{text: rec.Ref.ID}).id() > 0 }
	if !slices.ContainsFunc(records, missing) {
		return nil
	}
	known, _, err := c.askAccess(ctx)
	if err != nil || !known.windowed() {
		return err
	}
	oldest, err := c.oldestOrder(ctx)
	if err != nil {
		return err
	}
	for i, rec := range records {
		if missing(rec) && (oldest == 0 || (scalar{text: rec.Ref.ID}).id() < oldest) {
			records[i] = intake.Hidden(rec.Ref)
		}
	}
	return nil
}

// oldestOrder is the number of the oldest order that the shop shows; 0: it
// shows none. Numbers rise with time, so an order with a lower one is older.
func (c *Connector) oldestOrder(ctx context.Context) (uint64, error) {
	var said struct {
		Orders struct {
			Nodes []json.RawMessage `json:"nodes"`
		} `json:"orders"`
	}
	const op = "find the oldest order"
	if _, err := c.client.do(ctx, op, documentOf("orders_oldest"), nil, &said); err != nil {
		return 0, err
	}
	if len(said.Orders.Nodes) == 0 {
		return 0, nil
	}
	r := rowOf(said.Orders.Nodes[0])
	if r.id == 0 {
		return 0, c.malformed(op, errors.New("an order has no id"))
	}
	return r.id, nil
}
