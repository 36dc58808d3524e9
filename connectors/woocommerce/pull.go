package woocommerce

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// clockMargin is how far a window stays behind the clocks: a change of the
// running second may still be followed by another.
const clockMargin = 5 * time.Second

// pullList reads the next page of a list.
func (c *Connector) pullList(ctx context.Context, l source, from connectors.Cursor) (connectors.Page, error) {
	page, err := c.pullFrom(ctx, l, readCursor(from))
	if noRoute(err) && l.route == "variations" {
		c.noVariations.Store(true)
		l, _ = c.listOf(l.resource)
		page, err = c.pullFrom(ctx, l, readCursor(from))
	}
	if err != nil {
		return connectors.Page{}, err
	}
	return page, nil
}

func (c *Connector) pullFrom(ctx context.Context, l source, cur cursor) (connectors.Page, error) {
	if !cur.running(l.key()) {
		cur = cur.restart()
	}
	if !l.windowed {
		cur.Since = 0
	}
	begins := !cur.running(l.key())
	if begins && l.windowed && cur.asked() == 0 {
		if err := c.fixUntil(ctx, l, &cur); err != nil {
			return connectors.Page{}, err
		}
	}
	at := cur
	rows, ch, done, err := c.next(ctx, l, &at, "")
	if err == nil && begins && l.windowed && !done && at.Until == 0 {
		// There is more than one page: the next window starts at what was
		// newest before the first of them was read.
		if err = c.fixUntil(ctx, l, &cur); err == nil {
			at = cur
			rows, ch, done, err = c.next(ctx, l, &at, "")
		}
	}
	if err != nil {
		return connectors.Page{}, err
	}
	if ignored(ch, cur.asked()) {
		c.env.Log.Warn().Str("shop", c.env.Shop).Str("resource", string(l.resource)).
			Msg("the shop ignores modified_after and is read whole each time: bring WooCommerce up to date")
		return c.pullFrom(ctx, l, cursor{Since: cur.Since, Blind: true})
	}
	records, err := c.records(ctx, l, append(ch.odd, cur.changed(rows)...))
	if err != nil {
		return connectors.Page{}, err
	}
	page := connectors.Page{Records: records, More: !done, Total: max(ch.total, 0)}
	if done {
		at = c.finished(at, ch)
	}
	page.Next = at.bytes()
	return page, nil
}

// key tells the lists apart that a position may belong to.
func (l source) key() string {
	if l.parents {
		return "parents"
	}
	return l.route
}

// fixUntil sets where the window after this one starts.
func (c *Connector) fixUntil(ctx context.Context, l source, cur *cursor) error {
	_, changed, date, err := c.newest(ctx, l)
	if err != nil {
		return err
	}
	cur.Until = c.horizon(changed, date, cur.Since)
	return nil
}

// horizon is where a window may start that must not miss what changes from now
// on: the newest change so far, but never beyond the clocks, since a record
// may carry a date that has not come yet.
func (c *Connector) horizon(changed, date time.Time, since int64) int64 {
	h := c.env.Now().Add(-clockMargin)
	if !date.IsZero() {
		h = earlier(h, date.Add(-clockMargin))
	}
	if !changed.IsZero() {
		h = earlier(h, changed)
	}
	return max(h.Add(-c.cfg.Overlap).Unix(), since, 0)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// finished is the cursor after the last page of a run.
func (c *Connector) finished(at cursor, ch *chunk) cursor {
	switch {
	case at.Until > 0:
		return cursor{Since: at.Until, Blind: at.Blind}
	case at.Since == 0 || len(ch.rows) == 0:
		return at.restart() // read whole each time, or nothing new
	}
	var newest time.Time
	for _, r := range ch.rows {
		if r.modified.After(newest) {
			newest = r.modified
		}
	}
	return cursor{Since: c.horizon(newest, ch.date, at.Since)}
}

// ignored reports whether rows came that are older than the window: the shop
// does not know the filter and said nothing.
func ignored(ch *chunk, since int64) bool {
	if since == 0 {
		return false
	}
	for _, r := range ch.rows {
		if !r.modified.IsZero() && r.modified.Unix() < since {
			return true
		}
	}
	return false
}

// records makes the records of rows.
func (c *Connector) records(ctx context.Context, l source, rows []row) ([]intake.Record, error) {
	switch {
	case len(rows) == 0:
		return nil, nil
	case l.parents:
		return c.variantsOf(ctx, rows)
	case intake.KindOf(l.resource) == intake.KindOrder:
		return c.orderRecords(ctx, rows)
	}
	records := make([]intake.Record, 0, len(rows))
	for _, r := range rows {
		records = append(records, c.record(intake.KindOf(l.resource), r.raw, ""))
	}
	return records, nil
}

// record makes the record of one row of any kind but an order.
func (c *Connector) record(kind intake.Kind, raw json.RawMessage, parent string) intake.Record {
	switch kind {
	case intake.KindProduct:
		return named(c.productRecord(raw))
	case intake.KindVariant:
		return named(c.variantRecord(raw, parent))
	case intake.KindCustomer:
		return named(customerRecord(raw))
	case intake.KindCoupon:
		return named(couponRecord(raw))
	case intake.KindCategory:
		return named(categoryRecord(raw))
	case intake.KindTaxRate:
		return named(taxRateRecord(raw))
	default:
		return named(gatewayRecord(raw))
	}
}

// named gives a record without an id a name made from its content, so that it
// can be parked and looked at.
func named(rec intake.Record) intake.Record {
	if rec.Ref.ID == "" {
		rec = intake.Unreadable(rec.Ref, rec.Modified, rec.Raw, rec.Problem)
		rec.Ref.ID = "unknown-" + rec.Digest[:12]
	}
	return rec
}

// variantsOf reads the variations of products, where the shop has no list of
// all variations.
func (c *Connector) variantsOf(ctx context.Context, parents []row) ([]intake.Record, error) {
	var records []intake.Record
	for _, p := range parents {
		if p.id == 0 {
			continue // parked with the products
		}
		err := c.eachVariation(ctx, p.id, "", func(rows []row) error {
			for _, r := range rows {
				records = append(records, c.record(intake.KindVariant, r.raw, strconv.FormatInt(p.id, 10)))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}

// eachVariation reads the variations of one product to the end. A product that
// is gone has none.
func (c *Connector) eachVariation(ctx context.Context, product int64, fields string, use func([]row) error) error {
	l := source{resource: intake.Variants, route: "products/" + strconv.FormatInt(product, 10) + "/variations", query: url.Values{"status": {"any"}}}
	err := c.each(ctx, l, fields, use)
	if absent(err) {
		return nil
	}
	return err
}

// each reads a list to its end, in the order of ids.
func (c *Connector) each(ctx context.Context, l source, fields string, use func([]row) error) error {
	var cur cursor
	for {
		rows, ch, done, err := c.next(ctx, l, &cur, fields)
		if err != nil {
			return err
		}
		if err := use(append(ch.odd, rows...)); err != nil {
			return err
		}
		if done {
			return nil
		}
	}
}

// pullSmall reads a resource that the shop gives at once.
func (c *Connector) pullSmall(ctx context.Context, r intake.Resource) (connectors.Page, error) {
	records, err := c.small(ctx, r)
	if err != nil {
		return connectors.Page{}, err
	}
	return connectors.Page{Records: records, Next: cursor{}.bytes(), Total: len(records)}, nil
}

// small reads the gateways or the shipping methods.
func (c *Connector) small(ctx context.Context, r intake.Resource) ([]intake.Record, error) {
	if r == intake.ShippingMethods {
		return c.shippingMethods(ctx)
	}
	raws, err := c.all(ctx, "list gateways", "payment_gateways")
	var records []intake.Record
	for _, raw := range raws {
		records = append(records, c.record(intake.KindGateway, raw, ""))
	}
	return records, err
}

// shippingMethods reads the methods of each zone.
func (c *Connector) shippingMethods(ctx context.Context) ([]intake.Record, error) {
	zones, err := c.all(ctx, "list shipping zones", "shipping/zones")
	if err != nil {
		return nil, err
	}
	var records []intake.Record
	for _, raw := range zones {
		var zone struct {
			ID   scalar `json:"id"`
			Name scalar `json:"name"`
		}
		if err := json.Unmarshal(raw, &zone); err != nil || zone.ID.trimmed() == "" {
			continue // not a zone: it has no methods to ask for
		}
		methods, err := c.all(ctx, "list shipping methods", "shipping/zones/"+url.PathEscape(zone.ID.trimmed())+"/methods")
		if absent(err) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		for _, m := range methods {
			records = append(records, named(shippingMethodRecord(m, zone.Name.plain())))
		}
	}
	return records, nil
}

// all reads a list that the shop does not divide into pages.
func (c *Connector) all(ctx context.Context, op, route string) ([]json.RawMessage, error) {
	a, err := c.api.get(ctx, op, route, nil)
	if err != nil {
		return nil, err
	}
	return c.rows(op, a)
}
