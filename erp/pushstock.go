package erp

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"

	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// stockPushes works out what a shop is to be told of its stock. What it has
// already is acknowledged, and the messages about that are settled.
func (b *Books) stockPushes(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	list, more, err := b.messages(ctx, tx, shop, q)
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	if !b.policy(shop).Sends(intake.FieldQuantity) { // no longer
		for _, m := range list {
			outbox.Settled(tx, m)
		}
		return nil, more, nil
	}
	c, err := b.openCounts(ctx, tx, shop)
	if err != nil {
		return nil, false, err
	}
	var out []Push
	for len(list) > 0 {
		chunk := list[:min(stockBatch, len(list))]
		list = list[len(chunk):]
		pushes, err := b.stockChunk(ctx, tx, c, chunk)
		if err != nil {
			return nil, false, err
		}
		out = append(out, pushes...)
	}
	return out, more, nil
}

// stockChunk works out some of the messages.
func (b *Books) stockChunk(ctx context.Context, tx *store.Tx, c shopCounts, chunk []outbox.Message) ([]Push, error) {
	ids := make([]int64, len(chunk))
	for i, m := range chunk {
		ids[i] = m.Object
	}
	stocks, err := c.shopStocks(ctx, tx, ids, 0)
	if err != nil {
		return nil, err
	}
	at := make(map[int64]shopStock, len(stocks))
	for _, s := range stocks {
		at[s.variant] = s
	}
	a := acker{tx: tx, shop: c.shop, now: store.Micros(b.opts.Now())}
	var out []Push
	for _, m := range chunk {
		s, ok := at[m.Object]
		if !ok { // not sold there any more, or not counted by the books
			outbox.Settled(tx, m)
			continue
		}
		if pushes := c.pushes(m, s); len(pushes) > 0 {
			out = append(out, pushes...)
			continue
		}
		for _, p := range c.plans(s) {
			a.agree(s, p)
		}
		outbox.Settled(tx, m)
	}
	return out, b.nameInventory(ctx, tx, c.shop, out)
}

// pushes returns what the shop is to be told of a stock; none where it has it.
func (c shopCounts) pushes(m outbox.Message, s shopStock) []Push {
	var out []Push
	for _, p := range c.plans(s) {
		if p.agrees {
			continue
		}
		level := intake.StockLevel{Ref: intake.Ref{Kind: intake.KindVariant, ID: s.external, Parent: s.parent}, Location: p.location,
			To: p.desired.Decimal(), Status: p.status, Counted: s.counted}
		if p.belief.Known && s.counted {
			from := p.belief.Quantity.Decimal()
			level.From = &from
		}
		out = append(out, Push{Message: m, Label: cmp.Or(s.sku, s.external), Level: &level, Taken: s.taken})
	}
	return out
}

// nameInventory gives levels the id under which the shop counts them.
func (b *Books) nameInventory(ctx context.Context, tx *store.Tx, shop int64, pushes []Push) error {
	ids := make([]int64, len(pushes))
	for i, p := range pushes {
		ids[i] = p.Message.Object
	}
	said, err := b.variantRecords(ctx, tx, shop, ids)
	if err != nil {
		return err
	}
	for i, p := range pushes {
		if v := said[p.Message.Object].variant(p.Level.Ref.ID); v != nil {
			pushes[i].Level.InventoryID = v.InventoryID
		}
	}
	return nil
}

// acker writes what a shop has acknowledged.
type acker struct {
	tx   *store.Tx
	shop int64
	now  int64
}

// agree notes that the shop has what it is to have, where it said so of its own
// accord.
func (a acker) agree(s shopStock, p levelPlan) {
	if had, ok := s.acks[p.location]; !s.counted || ok && s.known && !had.Unsure {
		return
	}
	a.write(s.variant, p.location, p.belief.Quantity, s.taken, p.status, false, max(s.statedAt, s.seenAt))
	a.acknowledge(s.variant)
}

// acknowledge notes that what the shop states is acknowledged.
func (a acker) acknowledge(variant int64) {
	a.tx.Queue(`UPDATE shop_stock SET known = TRUE WHERE shop_id = $1 AND variant_id = $2`, a.shop, variant)
}

func (a acker) write(variant int64, location string, q, taken quantity.Quantity, status string, unsure bool, statedAt int64) {
	a.tx.Queue(`INSERT INTO stock_ack (variant_id, shop_id, location, quantity, taken, status, acked_at, unsure, stated_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
		ON CONFLICT (variant_id, shop_id, location) DO UPDATE SET quantity = excluded.quantity, taken = excluded.taken, status = excluded.status,
			acked_at = excluded.acked_at, unsure = excluded.unsure, stated_at = excluded.stated_at`, variant, a.shop, location, int64(q), int64(taken), status, a.now, unsure, statedAt)
}

// stockPushed acknowledges what a shop has of its stock after it was told.
func (b *Books) stockPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	a := acker{tx: p.tx, shop: p.shop, now: store.Micros(p.now)}
	if err := p.loadTold(ctx, pushes); err != nil {
		return err
	}
	taken, err := p.taken(ctx, pushes)
	if err != nil {
		return err
	}
	var echoes []echo
	for i, o := range outcomes {
		l, variant := pushes[i].Level, pushes[i].Message.Object
		has, unsure := l.To, false
		switch {
		case !p.still(l.Ref, variant): // it is asked what it has of what that is now
			continue
		case o.Result == intake.Refused, o.Result == intake.Unknown:
			continue
		case o.Result == intake.Stale:
			has, unsure = *o.Now, true
		}
		q, err := quantity.Of(has)
		if err != nil {
			return fmt.Errorf("stock of %s: %w", pushes[i].Label, err)
		}
		before := pushes[i].Taken
		if unsure {
			before = taken[variant]
		}
		a.write(variant, l.Location, q, before, l.Status, unsure, 0)
		a.acknowledge(variant)
		a.expose(variant, o)
		if l.Counted && len(o.Records) == 0 && o.Result != intake.Skipped {
			echoes = append(echoes, echo{variant: variant, external: l.Ref.ID, location: l.Location, has: q})
		}
	}
	if _, err := p.tx.Exec(ctx, `DELETE FROM stock_exposure WHERE shop_id = $1 AND to_at < $2`, p.shop, store.Micros(p.now.Add(-exposureKept))); err != nil {
		return fmt.Errorf("forget old exposures: %w", err)
	}
	return b.echo(ctx, p, echoes)
}

// taken reads what the orders of the shop have taken of stocks.
func (p *page) taken(ctx context.Context, pushes []Push) (map[int64]quantity.Quantity, error) {
	ids := make([]int64, len(pushes))
	for i := range pushes {
		ids[i] = pushes[i].Message.Object
	}
	out := make(map[int64]quantity.Quantity, len(ids))
	err := p.addQuantities(ctx, out, `SELECT variant_id, quantity FROM shop_taken WHERE shop_id = $1 AND variant_id IN (`+store.In(len(ids), 2)+`)`, store.InArgs([]any{p.shop}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read what the orders took: %w", err)
	}
	return out, nil
}

// expose notes when a number of the shop was overwritten, and that it was asked
// since after what was overwritten before.
func (a acker) expose(variant int64, o intake.Outcome) {
	a.tx.Queue(`UPDATE stock_exposure SET checked = TRUE WHERE shop_id = $1 AND variant_id = $2 AND NOT checked`, a.shop, variant)
	if o.Result != intake.Done || o.ExposedFrom.IsZero() {
		return
	}
	a.tx.Queue(`INSERT INTO stock_exposure (shop_id, variant_id, from_at, to_at) VALUES ($1,$2,$3,$4)
		ON CONFLICT (shop_id, variant_id, from_at) DO UPDATE SET to_at = excluded.to_at, checked = FALSE`, a.shop, variant, store.Micros(o.ExposedFrom), store.Micros(o.ExposedTo))
}

// compareStock queues a message for each stock that a shop does not have as it
// is to have it, and returns how many.
func (b *Books) compareStock(ctx context.Context, tx *store.Tx, shop int64) (n int, err error) {
	if !b.policy(shop).Sends(intake.FieldQuantity) {
		return 0, nil
	}
	c, err := b.openCounts(ctx, tx, shop)
	if err != nil {
		return 0, err
	}
	err = c.each(ctx, tx, func(s shopStock) error {
		if len(c.pushes(outbox.Message{}, s)) > 0 {
			outbox.Put(tx, shop, outbox.Stock, s.variant, b.opts.Now())
			n++
		}
		return nil
	})
	return n, err
}

// each calls yield with each stock that the shop sells from.
func (c shopCounts) each(ctx context.Context, r store.Reader, yield func(shopStock) error) error {
	for after := int64(0); ; {
		list, err := c.shopStocks(ctx, r, nil, after)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, s := range list {
			if err := yield(s); err != nil {
				return err
			}
		}
		after = list[len(list)-1].variant
	}
}

// verifyOutbox looks for stock that a shop has to be told of and of which
// nothing says so. A shop that was not compared since what it is sent has
// changed is left out.
func (b *Books) verifyOutbox(ctx context.Context, r store.Reader) ([]Finding, error) {
	var out []Finding
	for _, shop := range b.ranked {
		if !b.policy(shop.id).Sends(intake.FieldQuantity) {
			continue
		}
		if _, changed, err := b.comparedBefore(ctx, r, shop.id); err != nil || changed {
			if err != nil {
				return nil, err
			}
			continue
		}
		found, err := b.unsaid(ctx, r, shop)
		if err != nil {
			return nil, fmt.Errorf("what %s has to be told: %w", shop.name, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// unsaid returns the first stock that a shop has to be told of without a
// message. A shop whose locations are not settled is told nothing.
func (b *Books) unsaid(ctx context.Context, r store.Reader, shop rankedShop) (out []Finding, err error) {
	c, err := b.openCounts(ctx, r, shop.id)
	if fault.KindOf(err) == fault.Unprocessable || fault.KindOf(err) == fault.Invalid {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	messages, err := outbox.All(ctx, r, shop.id)
	if err != nil {
		return nil, err
	}
	queued := map[int64]bool{}
	for _, m := range messages {
		queued[m.Object] = queued[m.Object] || m.Kind == outbox.Stock
	}
	err = c.each(ctx, r, func(s shopStock) error {
		for _, p := range c.pushes(outbox.Message{}, s) {
			if !queued[s.variant] && len(out) == 0 {
				out = append(out, Finding{Check: "what a shop has to be told is in its outbox", Where: shop.name + ", " + p.Label, What: fmt.Sprintf("it has %v and is to have %s", p.Level.From, p.Level.To)})
			}
		}
		return nil
	})
	return out, err
}

// exposureKept is how long an exposure is kept, for the report.
const exposureKept = 48 * time.Hour
