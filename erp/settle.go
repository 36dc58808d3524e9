package erp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/quantity"
	"comptoir/erp/sales"
	"comptoir/erp/store"
)

// Settlement says what Settle did.
type Settlement struct {
	Opened      int      `json:"opened"`      // variants whose stock was taken over
	Adjusted    int      `json:"adjusted"`    // variants whose stock was corrected to the shop's number
	Waiting     int      `json:"waiting"`     // variants with a difference that newer orders may still explain, or whose stock another shop is to state first
	Undescribed int      `json:"undescribed"` // orders for goods that the shop has not described yet, or that are not linked
	NoCost      []string `json:"no_cost"`     // SKUs taken over at zero cost; never nil
	Linked      Linking  `json:"linked"`      // variants that were linked before
}

const (
	// settleBatch is how many variants or orders one transaction settles.
	settleBatch = 200
	// skewAllowance is how far the shop's clock may be from ours before an
	// order counts as older than a statement of stock.
	skewAllowance = 2 * time.Minute
	// patience is how long a difference waits for the shop to state the stock
	// anew before it counts as one that the orders do not explain.
	patience = time.Hour
)

// Settle brings the stock in line with what the shop says. Call it when the
// products and then the orders of the shop were read to their end: catalogueAt
// and ordersAt are the instants at which the newest reading of each began.
// Variants are linked with those of other shops, see Link; orders that waited
// for goods to be described are decided again; the stock is taken over, once for
// each variant; where the shop owns the stock its number is followed; and open
// orders get what is on hand, oldest promise first.
//
// Of a stock that several shops sell from, the number of the first one that
// counts it is taken over and followed; the others wait for it, unless it is
// absent: it cannot be read. What can be settled since for the shops that were
// settled before is settled too, so it does not matter which of them was last.
func (b *Books) Settle(ctx context.Context, shop string, catalogueAt, ordersAt time.Time, absent ...string) (Settlement, error) {
	out := Settlement{NoCost: []string{}, Linked: newLinking()}
	id, err := b.shop(shop)
	if err != nil {
		return out, err
	}
	s := settling{b: b, shop: id, absent: absent, out: &out}
	if err := s.run(ctx, catalogueAt, ordersAt); err != nil {
		return out, fmt.Errorf("settle %s: %w", shop, err)
	}
	return out, nil
}

// settling is a Settle at work.
type settling struct {
	b      *Books
	shop   int64
	absent []string
	out    *Settlement
}

func (s settling) run(ctx context.Context, catalogueAt, ordersAt time.Time) (err error) {
	if s.out.Linked, err = s.b.link(ctx, s.shop, s.absent); err != nil {
		return err
	}
	if err := s.b.db.Write(ctx, func(tx *store.Tx) error { return s.begin(ctx, tx, catalogueAt, ordersAt) }); err != nil {
		return err
	}
	ready, err := s.ready(ctx)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, readyShop) error{s.waitingOrders, s.stock, s.openings} {
		for _, shop := range ready {
			if err := step(ctx, shop); err != nil {
				return err
			}
		}
	}
	if err := s.count(ctx, ordersAt); err != nil {
		return err
	}
	for more := true; more && err == nil; {
		more, err = s.b.settleAllocation(ctx)
	}
	return err
}

// begin notes that the shop was read. Goods that were sold before its products
// were last read, and were not described then, are no longer listed there: they
// are sold without stock.
func (s settling) begin(ctx context.Context, tx *store.Tx, catalogueAt, ordersAt time.Time) error {
	if err := s.b.passOnUnconfigured(ctx, tx); err != nil {
		return err
	}
	tx.Queue(`UPDATE shop SET ordered_at = $2 WHERE id = $1`, s.shop, store.Micros(ordersAt))
	tx.Queue(`UPDATE variant SET stub = FALSE, unlisted = TRUE, status = 'deleted'
		WHERE stub AND stub_at < $2 AND id IN (SELECT local_id FROM origin WHERE shop_id = $1 AND kind = 'variant')`, s.shop, store.Micros(catalogueAt.Add(-skewAllowance)))
	return tx.Flush(ctx)
}

// readyShop is a shop whose orders were read to their end.
type readyShop struct {
	rankedShop
	ordersAt int64 // when the newest reading of them began
}

// ready returns the shops that were read, in the order in which they go before
// each other.
func (s settling) ready(ctx context.Context) ([]readyShop, error) {
	rows, err := s.b.db.Query(ctx, `SELECT id, ordered_at FROM shop WHERE ordered_at > 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	at := map[int64]int64{}
	for rows.Next() {
		var id, ordersAt int64
		if err := rows.Scan(&id, &ordersAt); err != nil {
			return nil, err
		}
		at[id] = ordersAt
	}
	var out []readyShop
	for _, shop := range s.b.ranked {
		if at[shop.id] > 0 {
			out = append(out, readyShop{shop, at[shop.id]})
		}
	}
	return out, rows.Err()
}

// waitingOrders decides orders again whose goods the shop had not described
// when they came, or that were not linked.
func (s settling) waitingOrders(ctx context.Context, shop readyShop) error {
	if len(s.out.Linked.Missing) > 0 { // nothing new is linked
		return nil
	}
	b, stream := s.b, Stream{Shop: shop.name, Resource: intake.Orders}
	force := func(p *page) { p.force = true }
	for last := int64(0); ; {
		var records []intake.Record
		again := func(apply func(context.Context, *store.Tx, Stream, []intake.Record, func(*page)) ([]Outcome, error)) error {
			return b.db.Write(ctx, func(tx *store.Tx) error {
				var next int64
				var err error
				if records, next, err = b.waiting(ctx, tx, shop.id, last); err != nil || len(records) == 0 {
					return err
				}
				if _, err = apply(ctx, tx, stream, records, force); err == nil {
					tx.OnCommit(func() { last = next })
				}
				return err
			})
		}
		err := again(b.applyPage)
		if refusedByDatabase(err) {
			err = again(b.applyEach)
		}
		if err != nil {
			return err
		}
		if len(records) < settleBatch {
			return nil
		}
	}
}

// stock takes over or follows the stock that a shop has stated since the last
// time.
func (s settling) stock(ctx context.Context, shop readyShop) error {
	for {
		settled, err := s.b.settleStock(ctx, shop, s.first(shop), s.out)
		if err != nil || settled == 0 {
			return err
		}
	}
}

// first returns the shops whose number goes before that of a shop: those before
// it that can be read.
func (s settling) first(shop readyShop) []int64 {
	var out []int64
	for _, other := range s.b.ranked {
		if s.b.before(other.id, shop.id) && !slices.Contains(s.absent, other.name) {
			out = append(out, other.id)
		}
	}
	return out
}

// openings adds to the stock what a shop had sold before another one's number
// was taken over.
func (s settling) openings(ctx context.Context, shop readyShop) error {
	for {
		n, err := s.b.settleOpenings(ctx, shop)
		if err != nil || n == 0 {
			return err
		}
	}
}

// count counts what of the shop is left to wait.
func (s settling) count(ctx context.Context, ordersAt time.Time) error {
	err := s.b.db.QueryRow(ctx, `SELECT COUNT(*) FROM shop_stock WHERE shop_id = $1 AND NOT settled AND seen_at <= $2`, s.shop, store.Micros(ordersAt)).Scan(&s.out.Waiting)
	if err != nil {
		return err
	}
	return s.b.db.QueryRow(ctx, `SELECT COUNT(*) FROM sales_order WHERE shop_id = $1 AND waiting AND NOT deleted`, s.shop).Scan(&s.out.Undescribed)
}

// waiting reads back the statements of orders that wait, and have internal ids
// beyond after; next is the last of those.
func (b *Books) waiting(ctx context.Context, tx *store.Tx, shop, after int64) (out []intake.Record, next int64, err error) {
	rows, err := tx.Query(ctx, `SELECT o.id, o.external_id, g.digest, g.modified_at, p.raw, p.statement FROM sales_order o
		JOIN origin g ON g.shop_id = o.shop_id AND g.kind = 'order' AND g.external_id = o.external_id
		JOIN payload p ON p.local_id = o.id AND p.kind = 'order' AND p.shop_id = o.shop_id
		WHERE o.shop_id = $1 AND o.waiting AND NOT o.deleted AND o.id > $2 ORDER BY o.id LIMIT $3`, shop, after, settleBatch)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		rec := intake.Record{Ref: intake.Ref{Kind: intake.KindOrder}}
		var modified int64
		var raw, statement []byte
		if err := rows.Scan(&next, &rec.Ref.ID, &rec.Digest, &modified, &raw, &statement); err != nil {
			return nil, 0, err
		}
		rec.Modified = store.FromMicros(modified)
		if rec.Raw, err = b.decompress(raw); err != nil {
			return nil, 0, err
		}
		if rec.Statement, err = b.decompress(statement); err != nil {
			return nil, 0, err
		}
		if rec.Body, err = intake.Reopen(rec.Ref.Kind, rec.Statement); err != nil {
			return nil, 0, err
		}
		out = append(out, rec)
	}
	return out, next, rows.Err()
}

// settleAllocation gives what is on hand to open orders, for the variants that
// have changed.
func (b *Books) settleAllocation(ctx context.Context) (bool, error) {
	n := 0
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		onHand, variants, err := dirty(ctx, tx)
		if err != nil || len(variants) == 0 {
			n = 0
			return err
		}
		n = len(variants)
		wants, err := demands(ctx, tx, variants)
		if err != nil {
			return err
		}
		touched := map[int64]bool{}
		for _, v := range variants {
			list := wants[v]
			plain := make([]inventory.Demand, len(list))
			for i, w := range list {
				plain[i] = w.Demand
			}
			var sum quantity.Quantity
			for i, q := range inventory.Allocate(onHand[v], plain) {
				sum += q
				state := sales.LineBackordered
				if q == list[i].Quantity {
					state = sales.LineAllocated
				}
				if q != list[i].allocated || (state != list[i].state && !(state == sales.LineAllocated && list[i].state == sales.LineReady)) {
					tx.Queue(`UPDATE order_line SET allocated = $2, state = $3 WHERE id = $1`, list[i].Line, int64(q), state)
				}
				touched[list[i].order] = true
			}
			tx.Queue(`UPDATE stock_level SET allocated = $2, dirty = FALSE WHERE variant_id = $1 AND place_id = 1`, v, int64(sum))
		}
		return markReady(ctx, tx, touched)
	})
	return n == settleBatch, err
}

func dirty(ctx context.Context, tx *store.Tx) (map[int64]quantity.Quantity, []int64, error) {
	rows, err := tx.Query(ctx, `SELECT variant_id, on_hand FROM stock_level WHERE dirty AND place_id = 1 ORDER BY variant_id LIMIT $1`, settleBatch)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	onHand := map[int64]quantity.Quantity{}
	var ids []int64
	for rows.Next() {
		var id int64
		var q quantity.Quantity
		if err := rows.Scan(&id, &q); err != nil {
			return nil, nil, err
		}
		onHand[id] = q
		ids = append(ids, id)
	}
	return onHand, ids, rows.Err()
}

type lineDemand struct {
	inventory.Demand
	order     int64
	allocated quantity.Quantity
	state     string
}

func demands(ctx context.Context, tx *store.Tx, variants []int64) (map[int64][]lineDemand, error) {
	rows, err := tx.Query(ctx, `SELECT v.stock_id, l.id, o.id, o.promised_on, o.placed_at, s.name, o.external_id, l.external_id, l.demand, l.allocated, l.state
		FROM variant v JOIN order_line l ON l.variant_id = v.id AND l.demand > 0 JOIN sales_order o ON o.id = l.order_id JOIN shop s ON s.id = o.shop_id
		WHERE v.stock_id IN (`+store.In(len(variants), 1)+`)`, store.InArgs(nil, variants)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]lineDemand{}
	for rows.Next() {
		var stock int64
		var d lineDemand
		var shop, order, line string
		if err := rows.Scan(&stock, &d.Line, &d.order, &d.Promised, &d.Placed, &shop, &order, &line, &d.Quantity, &d.allocated, &d.state); err != nil {
			return nil, err
		}
		d.Origin = shop + "/" + order + "/" + line
		out[stock] = append(out[stock], d)
	}
	return out, rows.Err()
}

// markReady marks the lines of orders that can be shipped as they stand: every
// line that wants stock has it, and nothing holds the order.
func markReady(ctx context.Context, tx *store.Tx, orders map[int64]bool) error {
	ids := make([]int64, 0, len(orders))
	for id := range orders {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, 1024) {
		in, args := store.In(len(chunk), 3), store.InArgs([]any{sales.LineReady, sales.LineAllocated}, chunk)
		short := `EXISTS (SELECT 1 FROM order_line x WHERE x.order_id = order_line.order_id AND x.demand > x.allocated)`
		held := `NOT EXISTS (SELECT 1 FROM sales_order o WHERE o.id = order_line.order_id AND o.state = 'open')`
		tx.Queue(`UPDATE order_line SET state = $1 WHERE state = $2 AND demand > 0 AND order_id IN (`+in+`) AND NOT `+short+` AND NOT (`+held+`)`, args...)
		tx.Queue(`UPDATE order_line SET state = $2 WHERE state = $1 AND demand > 0 AND order_id IN (`+in+`) AND (`+short+` OR `+held+`)`, args...)
	}
	return tx.Flush(ctx)
}
