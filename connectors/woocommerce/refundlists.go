package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// pair is an order, and what came of reading it.
type pair struct {
	raw     json.RawMessage
	order   *order
	problem string
	refunds []refund
}

func (p *pair) read(raw json.RawMessage) {
	p.raw = raw
	p.order, p.problem = parseOrder(raw)
	p.refunds = nil
}

// orderRecords makes the records of orders, with their refunds in full. An
// order only lists its refunds; what they were about is asked for apart.
func (c *Connector) orderRecords(ctx context.Context, rows []row) ([]intake.Record, error) {
	pairs := make([]pair, len(rows))
	var refunded []*pair
	for i, r := range rows {
		pairs[i].read(r.raw)
		if len(pairs[i].order.Refunds) > 0 && pairs[i].order.ID.id() > 0 {
			refunded = append(refunded, &pairs[i])
		}
	}
	if err := c.addRefunds(ctx, refunded); err != nil {
		return nil, err
	}
	records := make([]intake.Record, 0, len(pairs))
	for i := range pairs {
		p := &pairs[i]
		if p.problem != "" {
			r := &reading{problem: p.problem}
			records = append(records, named(seal(r, intake.KindOrder, p.order.ID, "", p.order.Modified, nil, p.raw)))
			continue
		}
		records = append(records, named(c.sealOrder(p.order, p.refunds, p.raw)))
	}
	return records, nil
}

// addRefunds finds the refunds that orders list. Where one is not to be found,
// the order is read again: the refund may just have been deleted. An order
// that still lists it cannot be understood.
func (c *Connector) addRefunds(ctx context.Context, orders []*pair) error {
	if len(orders) == 0 {
		return nil
	}
	lacking, err := c.fillRefunds(ctx, orders)
	if err != nil || len(lacking) == 0 {
		return err
	}
	for _, p := range lacking {
		raw, err := c.one(ctx, "read order", "orders/"+p.order.ID.ref(), url.Values{"dp": {"6"}})
		if absent(err) {
			p.order.Refunds = nil // gone as a whole since the page was made; the sweep finds that
			continue
		}
		if err != nil {
			return err
		}
		p.read(raw)
	}
	if lacking, err = c.fillRefunds(ctx, lacking); err != nil || len(lacking) == 0 {
		return err
	}
	for _, p := range lacking { // only this order waits, not those behind it
		p.problem = fmt.Sprintf("order %s lists a refund that the shop does not give: open the order in WooCommerce; if its refund is damaged, delete the refund there", p.order.ID.text)
	}
	return nil
}

// fillRefunds gives orders their refunds and returns those that lack some.
func (c *Connector) fillRefunds(ctx context.Context, orders []*pair) (lacking []*pair, err error) {
	found, err := c.refundsOf(ctx, orders)
	if err != nil {
		return nil, err
	}
	for _, p := range orders {
		p.refunds = make([]refund, 0, len(p.order.Refunds))
		for i := range p.order.Refunds {
			if f, ok := found[p.order.Refunds[i].ID.ref()]; ok {
				p.refunds = append(p.refunds, f)
			}
		}
		if len(p.refunds) < len(p.order.Refunds) {
			lacking = append(lacking, p)
		}
	}
	return lacking, nil
}

// refundsOf reads the refunds of orders: from the list of all refunds where
// the shop has one, else order by order.
func (c *Connector) refundsOf(ctx context.Context, orders []*pair) (map[string]refund, error) {
	var ids []string
	for _, p := range orders {
		for i := range p.order.Refunds {
			if id := p.order.Refunds[i].ID.ref(); id != "" {
				ids = append(ids, id)
			}
		}
	}
	if !c.noRefunds.Load() {
		found := make(map[string]refund, len(ids))
		err := c.included(ctx, "list refunds", "refunds", url.Values{"dp": {"6"}}, ids, keepRefunds(found))
		if !noRoute(err) {
			return found, err
		}
		c.noRefunds.Store(true)
	}
	found := make(map[string]refund, len(ids))
	for _, p := range orders {
		l := source{resource: intake.Orders, route: "orders/" + p.order.ID.ref() + "/refunds", query: url.Values{"dp": {"6"}}}
		err := c.each(ctx, l, "", func(rows []row) error {
			for _, r := range rows {
				keepRefunds(found)(r.raw)
			}
			return nil
		})
		if err != nil && !absent(err) {
			return nil, err
		}
	}
	return found, nil
}

func keepRefunds(found map[string]refund) func(json.RawMessage) {
	return func(raw json.RawMessage) {
		var f refund
		if json.Unmarshal(raw, &f) == nil && f.ID.ref() != "" {
			found[f.ID.ref()] = f
		}
	}
}

// included reads the records with these ids, as many at once as the shop
// takes. A shop that does not know include answers with others too.
func (c *Connector) included(ctx context.Context, op, route string, query url.Values, ids []string, use func(json.RawMessage)) error {
	for len(ids) > 0 {
		n := min(len(ids), maxPageSize)
		q := url.Values{"include": {strings.Join(ids[:n], ",")}, "per_page": {strconv.Itoa(maxPageSize)}, "orderby": {"id"}, "order": {"asc"}}
		for k, v := range query {
			q[k] = v
		}
		a, err := c.api.get(ctx, op, route, q)
		if err != nil {
			return err
		}
		raws, err := c.rows(op, a)
		if err != nil {
			return err
		}
		for _, raw := range raws {
			use(raw)
		}
		ids = ids[n:]
	}
	return nil
}

// one reads a single record. What comes must be a record and not a message.
func (c *Connector) one(ctx context.Context, op, route string, query url.Values) (json.RawMessage, error) {
	a, err := c.api.get(ctx, op, route, query)
	if err != nil {
		return nil, err
	}
	if !json.Valid(a.Body) || headOf(a.Body).id == 0 {
		return nil, c.api.rest.Fail(connectors.Transient, "woocommerce: "+op,
			fmt.Errorf("%w: there is no record in it, it begins with %s", errCut, quote(a.Body)), "")
	}
	return append(json.RawMessage(nil), a.Body...), nil
}
