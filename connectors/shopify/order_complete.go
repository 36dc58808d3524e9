package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// heldOrder is an order on its way to a record: what was read of it, and why
// it cannot be understood.
type heldOrder struct {
	order
	reading
	raw json.RawMessage
}

// holdOrder reads the payload of an order.
func holdOrder(raw json.RawMessage) *heldOrder {
	h := &heldOrder{raw: raw}
	h.decode(raw, &h.order)
	if h.problem != "" { // which one is it, and of when?
		var head struct {
			ID      scalar `json:"id"`
			Updated scalar `json:"updatedAt"`
		}
		if json.Unmarshal(raw, &head) == nil {
			h.ID, h.Updated = head.ID, head.Updated
		}
	}
	return h
}

// detail is a part of records that is read by the records' ids, many at once.
type detail struct {
	op    string
	doc   document
	ids   []string       // global ids
	batch int            // of how many at once
	vars  map[string]any // of all requests
	// take takes the part of the i-th id. What it returns are the variables
	// with which the rest of it is asked for; nil: there is no more.
	take func(i int, raw json.RawMessage) (more map[string]any, err error)
}

// read reads a detail of all its ids. What is not there, or does not end, is
// an error: part of an order is no order.
func (c *Connector) read(ctx context.Context, d detail) error {
	for from := 0; from < len(d.ids); {
		var ids []string
		var nodes []json.RawMessage
		err := c.sized(intake.Orders, d.doc, d.batch, func(size int) (err error) {
			ids = d.ids[from:min(from+size, len(d.ids))]
			nodes, err = c.nodes(ctx, d, ids, nil)
			return err
		})
		if err != nil {
			return err
		}
		for i, raw := range nodes {
			more, err := d.take(from+i, raw)
			if err == nil && more != nil {
				err = c.readRest(ctx, d, from+i, more)
			}
			if err != nil {
				return c.broken(d.op, ids[i], err)
			}
		}
		from += len(ids)
	}
	return nil
}

// broken is the error of a record that did not come whole. One of the client
// says enough by itself.
func (c *Connector) broken(op, id string, err error) error {
	if said := (*connectors.Error)(nil); errors.As(err, &said) || connectors.Ended(err) {
		return err
	}
	return c.client.rest.Fail(connectors.Transient, "shopify: "+op, fmt.Errorf("%s: %w", id, err), "")
}

// readRest reads what of one record did not fit in the first answer.
func (c *Connector) readRest(ctx context.Context, d detail, i int, more map[string]any) error {
	before := ""
	for more != nil {
		if asked := fmt.Sprint(more); asked == before {
			return fmt.Errorf("the shop does not move on from %s", asked)
		} else {
			before = asked
		}
		nodes, err := c.nodes(ctx, d, d.ids[i:i+1], more)
		if err != nil {
			return err
		}
		if more, err = d.take(i, nodes[0]); err != nil {
			return err
		}
	}
	return nil
}

// nodes reads records by their global ids, in that order.
func (c *Connector) nodes(ctx context.Context, d detail, ids []string, more map[string]any) ([]json.RawMessage, error) {
	vars := map[string]any{"ids": ids}
	maps.Copy(vars, d.vars)
	maps.Copy(vars, more)
	var said struct {
		Nodes []json.RawMessage `json:"nodes"`
	}
	if _, err := c.client.do(ctx, d.op, d.doc, vars, &said); err != nil {
		return nil, err
	}
	if len(said.Nodes) != len(ids) {
		return nil, c.client.rest.Fail(connectors.Transient, "shopify: "+d.op,
			fmt.Errorf("the shop was asked for %d records and answered with %d", len(ids), len(said.Nodes)), "")
	}
	for i, raw := range said.Nodes {
		var got node
		if json.Unmarshal(raw, &got) != nil || got.ID.text != ids[i] {
			return nil, c.client.rest.Fail(connectors.Transient, "shopify: "+d.op,
				fmt.Errorf("the shop was asked for %s and answered with %q", ids[i], got.ID.text), "")
		}
	}
	return said.Nodes, nil
}

// completeOrders adds to orders what a page or a bulk operation cannot hold of
// them, the same whichever way they came.
func (c *Connector) completeOrders(ctx context.Context, held []*heldOrder) error {
	for _, step := range []func(context.Context, []*heldOrder) error{
		c.readLines, c.readShipping, c.readFulfillments, c.readRefunds, c.readAgreements, // the last needs those before
	} {
		if err := step(ctx, held); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the readable orders that want a detail, and their ids.
func pick(held []*heldOrder, want func(*heldOrder) bool) (some []*heldOrder, ids []string) {
	for _, h := range held {
		if h.problem == "" && want(h) {
			some = append(some, h)
			ids = append(ids, gid("Order", h.ID.ref()))
		}
	}
	return some, ids
}

// part is a connection of a record of which a detail was asked for.
type part[T any] struct {
	into  *connection[T]
	begun bool
}

// add takes the next part of a connection. One that has ended is left alone:
// it comes again while another of the same record goes on.
func (p *part[T]) add(next connection[T]) {
	if !p.begun {
		p.into.Nodes = nil
	}
	if !p.begun || p.into.PageInfo.HasNextPage {
		p.into.Nodes = append(p.into.Nodes, next.Nodes...)
		p.into.PageInfo = next.PageInfo
	}
	p.begun = true
}

// goOn takes the next part of the only connection that was asked for, and says
// with which variables the rest is asked for; nil where there is none.
func (p *part[T]) goOn(next connection[T], first int) map[string]any {
	p.add(next)
	if !next.PageInfo.HasNextPage {
		return nil
	}
	return map[string]any{"first": first, "after": p.after()}
}

// after is where the connection goes on; nil at its beginning.
func (p *part[T]) after() any {
	if p.into.PageInfo.EndCursor == "" {
		return nil
	}
	return p.into.PageInfo.EndCursor
}

// readLines reads the lines of orders that have more than a page holds, and of
// those with duties, which stand in the lines.
func (c *Connector) readLines(ctx context.Context, held []*heldOrder) error {
	some, ids := pick(held, func(h *heldOrder) bool {
		return h.Lines.PageInfo.HasNextPage || h.OriginalDuties != nil || h.CurrentDuties != nil
	})
	parts := make([]part[lineItem], len(some))
	for i, h := range some {
		parts[i].into = &h.Lines
	}
	return c.read(ctx, detail{op: "read lines of orders", doc: documentOf("order_lines"), ids: ids, batch: 10, vars: map[string]any{"first": 50},
		take: func(i int, raw json.RawMessage) (map[string]any, error) {
			var said struct {
				Lines connection[lineItem] `json:"lineItems"`
			}
			if err := json.Unmarshal(raw, &said); err != nil {
				return nil, err
			}
			return parts[i].goOn(said.Lines, 100), nil
		}})
}

// readShipping reads the shipping lines of orders that have others than the
// one that stands in the order.
func (c *Connector) readShipping(ctx context.Context, held []*heldOrder) error {
	some, ids := pick(held, (*heldOrder).manyShippingLines)
	parts := make([]part[shippingLine], len(some))
	for i, h := range some {
		h.ShippingAll = new(connection[shippingLine])
		parts[i].into = h.ShippingAll
	}
	return c.read(ctx, detail{op: "read shipping lines of orders", doc: documentOf("order_shipping"), ids: ids, batch: 50, vars: map[string]any{"first": 5},
		take: func(i int, raw json.RawMessage) (map[string]any, error) {
			var said struct {
				Lines connection[shippingLine] `json:"shippingLines"`
			}
			if err := json.Unmarshal(raw, &said); err != nil {
				return nil, err
			}
			return parts[i].goOn(said.Lines, 100), nil
		}})
}

// manyShippingLines reports whether the one shipping line that stands in the
// order may not be the only one.
func (h *heldOrder) manyShippingLines() bool {
	total, _ := h.ShippingPrice.Shop.Amount.number() // one that is no number shows in the mapping
	if h.ShippingLine == nil {
		return h.Edited || !total.IsZero()
	}
	price, _ := h.ShippingLine.Original.Shop.Amount.number()
	return h.Edited || h.ShippingLine.Removed || h.ShippingLine.ID.ref() == "" || !price.Equal(total)
}

// readFulfillments reads the lines of the fulfilments that do not follow from
// the order.
func (c *Connector) readFulfillments(ctx context.Context, held []*heldOrder) error {
	var parts []part[fulfillmentLine]
	var ids []string
	for _, h := range held {
		if h.problem != "" || h.shippedWhole() != nil {
			continue
		}
		for i := range h.Fulfillments {
			if f := &h.Fulfillments[i]; f.shipped() {
				parts = append(parts, part[fulfillmentLine]{into: &f.Lines})
				ids = append(ids, f.ID.text)
			}
		}
	}
	return c.read(ctx, detail{op: "read fulfilments", doc: documentOf("order_fulfillments"), ids: ids, batch: 50, vars: map[string]any{"first": 50},
		take: func(i int, raw json.RawMessage) (map[string]any, error) {
			var said fulfillment
			if err := json.Unmarshal(raw, &said); err != nil {
				return nil, err
			}
			return parts[i].goOn(said.Lines, 250), nil
		}})
}

// readRefunds reads what refunds are made of.
func (c *Connector) readRefunds(ctx context.Context, held []*heldOrder) error {
	type parts struct {
		refund       *refund
		lines        part[refundLine]
		shipping     part[refundShipping]
		adjustments  part[adjustment]
		transactions part[transaction]
	}
	var all []*parts
	var ids []string
	for _, h := range held {
		if h.problem != "" {
			continue
		}
		for i := range h.Refunds {
			f := &h.Refunds[i]
			all = append(all, &parts{refund: f, lines: part[refundLine]{into: &f.Lines}, shipping: part[refundShipping]{into: &f.Shipping},
				adjustments: part[adjustment]{into: &f.Adjustments}, transactions: part[transaction]{into: &f.Transactions}})
			ids = append(ids, f.ID.text)
		}
	}
	return c.read(ctx, detail{op: "read refunds", doc: documentOf("order_refunds"), ids: ids, batch: 25, vars: map[string]any{"first": 20},
		take: func(i int, raw json.RawMessage) (map[string]any, error) {
			var said refund
			if err := json.Unmarshal(raw, &said); err != nil {
				return nil, err
			}
			p := all[i]
			p.refund.Duties = said.Duties
			p.lines.add(said.Lines)
			p.shipping.add(said.Shipping)
			p.adjustments.add(said.Adjustments)
			p.transactions.add(said.Transactions)
			f := p.refund
			if !f.Lines.PageInfo.HasNextPage && !f.Shipping.PageInfo.HasNextPage && !f.Adjustments.PageInfo.HasNextPage && !f.Transactions.PageInfo.HasNextPage {
				return nil, nil
			}
			return map[string]any{"first": 100, "lines": p.lines.after(), "shipping": p.shipping.after(),
				"adjustments": p.adjustments.after(), "transactions": p.transactions.after()}, nil
		}})
}

// readAgreements reads the agreements of edited orders, and of those with a
// refund whose tax cannot be told by rate.
func (c *Connector) readAgreements(ctx context.Context, held []*heldOrder) error {
	some, ids := pick(held, func(h *heldOrder) bool { return h.Edited || h.taxesMixed() })
	return c.read(ctx, detail{op: "read agreements of orders", doc: documentOf("order_agreements"), ids: ids, batch: 25,
		vars: map[string]any{"first": 5, "sales": 20},
		take: func(i int, raw json.RawMessage) (map[string]any, error) {
			var said struct {
				Agreements connection[agreement] `json:"agreements"`
			}
			if err := json.Unmarshal(raw, &said); err != nil {
				return nil, err
			}
			if whole(said.Agreements) {
				some[i].Agreements = said.Agreements
				return nil, nil
			}
			return nil, c.readAgreementsOf(ctx, some[i], ids[i])
		}})
}

// whole reports whether a list of agreements, and the sales of each, have come
// to their end.
func whole(list connection[agreement]) bool {
	for i := range list.Nodes {
		if list.Nodes[i].Sales.PageInfo.HasNextPage {
			return false
		}
	}
	return !list.PageInfo.HasNextPage
}

// readAgreementsOf reads the agreements of one order, one after the other,
// since the sales of an agreement can only be read inside it.
func (c *Connector) readAgreementsOf(ctx context.Context, h *heldOrder, id string) error {
	h.Agreements = connection[agreement]{}
	d := detail{op: "read agreements of an order", doc: documentOf("order_agreements"), ids: []string{id}, batch: 1, vars: map[string]any{"first": 1, "sales": 100}}
	var last any       // the position of the agreement before
	var goesOn = false // the last agreement has more sales
	d.take = func(_ int, raw json.RawMessage) (map[string]any, error) {
		var said struct {
			Agreements connection[agreement] `json:"agreements"`
		}
		if err := json.Unmarshal(raw, &said); err != nil {
			return nil, err
		}
		if len(said.Agreements.Nodes) == 0 {
			return nil, nil
		}
		now := said.Agreements.Nodes[0]
		if goesOn {
			into := &h.Agreements.Nodes[len(h.Agreements.Nodes)-1]
			into.Sales.Nodes = append(into.Sales.Nodes, now.Sales.Nodes...)
		} else {
			h.Agreements.Nodes = append(h.Agreements.Nodes, now)
		}
		if goesOn = now.Sales.PageInfo.HasNextPage; goesOn {
			return map[string]any{"after": last, "salesAfter": now.Sales.PageInfo.EndCursor}, nil
		}
		if !said.Agreements.PageInfo.HasNextPage {
			return nil, nil
		}
		last = said.Agreements.PageInfo.EndCursor
		return map[string]any{"after": last}, nil
	}
	return c.read(ctx, d)
}
