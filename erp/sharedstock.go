package erp

import (
	"context"
	"fmt"
	"math"
	"slices"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// follower is a variant that a shop sells and another one counts, of which was
// not yet looked what the shop had sold before the count.
type follower struct {
	variant   int64
	external  string
	bound     int64  // see stockCause
	master    string // the shop that counts it
	countedAt int64  // as of when its number was taken over
	unitCost  string
	firstAt   int64 // when the first order of the shop was placed
	firstDay  string
}

// openingBatch is how many variants one transaction looks at: each looks through
// all orders of the shop.
const openingBatch = 2000

// settleOpenings adds to the stock what the orders of a shop had taken before
// another shop's number was taken over: the goods had left by then, so that
// number does not hold them, and the orders take them off it once more. It does
// so once for each variant, and returns how many it looked at.
func (b *Books) settleOpenings(ctx context.Context, shop readyShop) (n int, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		p, err := b.openPage(ctx, tx, Stream{Shop: shop.name, Resource: intake.Products})
		if err != nil {
			return err
		}
		list, err := p.followers(ctx)
		if err != nil {
			return err
		}
		n = len(list)
		gone, err := p.takenBefore(ctx, list)
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := p.openFollower(ctx, f, gone[f.variant]); err != nil {
				return fmt.Errorf("stock of variant %s: %w", f.external, err)
			}
		}
		return p.flush(ctx)
	})
	return n, err
}

// followers reads the variants to look at.
func (p *page) followers(ctx context.Context) ([]follower, error) {
	rows, err := p.tx.Query(ctx, `SELECT t.variant_id, (SELECT COALESCE(MIN(CASE WHEN g.gone THEN NULL ELSE g.external_id END), MIN(g.external_id), '') FROM origin g
				WHERE g.local_id = t.variant_id AND g.kind = 'variant' AND g.shop_id = t.shop_id),
			(SELECT COALESCE(MAX(g.bound), 1) FROM origin g WHERE g.local_id = t.variant_id AND g.kind = 'variant' AND g.shop_id = t.shop_id), s.name, l.counted_at, l.unit_cost, t.first_at, t.first_day
		FROM shop_taken t JOIN stock_level l ON l.variant_id = t.variant_id AND l.place_id = 1 AND l.opened JOIN shop s ON s.id = l.counted_by
		WHERE t.shop_id = $1 AND NOT t.counted AND l.counted_by <> $1 AND l.counted_by <> 0 ORDER BY t.variant_id LIMIT $2`, p.shop, openingBatch)
	if err != nil {
		return nil, fmt.Errorf("read what %s sells of the stock of other shops: %w", p.stream.Shop, err)
	}
	defer rows.Close()
	var out []follower
	for rows.Next() {
		var f follower
		if err := rows.Scan(&f.variant, &f.external, &f.bound, &f.master, &f.countedAt, &f.unitCost, &f.firstAt, &f.firstDay); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// takenBefore sums up what orders of the shop that were placed up to the count
// have taken, by variant.
func (p *page) takenBefore(ctx context.Context, list []follower) (map[int64]quantity.Quantity, error) {
	out := map[int64]quantity.Quantity{}
	sold := slices.ContainsFunc(list, func(f follower) bool { return f.firstAt != 0 && f.firstAt <= f.countedAt })
	if !sold {
		return out, nil
	}
	for _, q := range []string{
		`SELECT m.variant_id, CASE WHEN m.from_place = 1 THEN m.quantity ELSE -m.quantity END FROM stock_move m JOIN sales_order o ON o.id = m.document_id
			JOIN shop_taken t ON t.variant_id = m.variant_id AND t.shop_id = o.shop_id AND NOT t.counted JOIN stock_level l ON l.variant_id = m.variant_id AND l.place_id = 1
			WHERE o.shop_id = $1 AND o.placed_at <= l.counted_at AND m.document_kind = 'order' AND (m.from_place = 1 OR m.to_place = 1) AND m.variant_id BETWEEN $2 AND $3`,
		`SELECT v.stock_id, d.demand FROM variant v JOIN order_line d ON d.variant_id = v.id AND d.demand > 0 JOIN sales_order o ON o.id = d.order_id
			JOIN shop_taken t ON t.variant_id = v.stock_id AND t.shop_id = o.shop_id AND NOT t.counted JOIN stock_level l ON l.variant_id = v.stock_id AND l.place_id = 1
			WHERE o.shop_id = $1 AND o.placed_at <= l.counted_at AND v.stock_id BETWEEN $2 AND $3`,
	} {
		if err := p.addQuantities(ctx, out, q, p.shop, list[0].variant, list[len(list)-1].variant); err != nil {
			return nil, fmt.Errorf("sum up what %s sold before: %w", p.stream.Shop, err)
		}
	}
	return out, nil
}

func (p *page) addQuantities(ctx context.Context, to map[int64]quantity.Quantity, q string, args ...any) error {
	rows, err := p.tx.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var n quantity.Quantity
		if err := rows.Scan(&id, &n); err != nil {
			return err
		}
		to[id] += n
	}
	return rows.Err()
}

// openFollower adds what had left before the count.
func (p *page) openFollower(ctx context.Context, f follower, left quantity.Quantity) error {
	p.tx.Queue(`UPDATE shop_taken SET opening = $3, counted = TRUE WHERE variant_id = $1 AND shop_id = $2`, f.variant, p.shop, int64(left))
	cost, err := unitCost(f.unitCost)
	if err != nil {
		return err
	}
	day := p.day(f.countedAt)
	if f.firstDay != "" {
		day = min(day, f.firstDay)
	}
	return p.moveStock(ctx, stockChange{variant: f.variant, quantity: left, cost: cost, from: inventory.Opening, against: ledger.OpeningEquity,
		reason: fmt.Sprintf("sold by %s before the stock was taken over from %s", p.stream.Shop, f.master), day: day,
		cause: p.stockCause(f.external, f.bound) + "/opening"})
}

// takeOver makes the shop the one whose number is followed, of variants that the
// one before no longer counts. What other shops took until now had left before
// this shop counts, but for what they have sold since.
func (p *page) takeOver(ctx context.Context, list []statedStock) error {
	orphans := map[int64]*statedStock{}
	first, last := int64(math.MaxInt64), int64(0)
	for i := range list {
		s := &list[i]
		if s.opened && s.master != p.shop && !(s.present && p.b.configured(s.master)) {
			orphans[s.variant] = s
			first, last = min(first, s.variant), max(last, s.variant)
		}
	}
	if len(orphans) == 0 {
		return nil
	}
	since := map[[2]int64]quantity.Quantity{} // by variant and shop
	for _, q := range []string{
		`SELECT m.variant_id, o.shop_id, o.placed_at, CASE WHEN m.from_place = 1 THEN m.quantity ELSE -m.quantity END FROM stock_move m JOIN sales_order o ON o.id = m.document_id
			WHERE o.shop_id <> $1 AND m.document_kind = 'order' AND (m.from_place = 1 OR m.to_place = 1) AND m.variant_id BETWEEN $2 AND $3`,
		`SELECT v.stock_id, o.shop_id, o.placed_at, d.demand FROM variant v JOIN order_line d ON d.variant_id = v.id AND d.demand > 0 JOIN sales_order o ON o.id = d.order_id
			WHERE o.shop_id <> $1 AND v.stock_id BETWEEN $2 AND $3`,
	} {
		if err := p.addSince(ctx, since, orphans, q, p.shop, first, last); err != nil {
			return fmt.Errorf("sum up what other shops sold since %s counted: %w", p.stream.Shop, err)
		}
	}
	for _, s := range orphans {
		p.tx.Queue(`UPDATE shop_taken SET opening = quantity, counted = TRUE WHERE variant_id = $1 AND shop_id <> $2`, s.variant, p.shop)
		p.tx.Queue(`UPDATE stock_level SET counted_by = $2, counted_at = $3 WHERE variant_id = $1 AND place_id = 1`, s.variant, p.shop, s.countedAt())
		s.master, s.others = p.shop, 0
	}
	for k, n := range since {
		p.tx.Queue(`UPDATE shop_taken SET opening = quantity - $3 WHERE variant_id = $1 AND shop_id = $2`, k[0], k[1], int64(n))
		orphans[k[0]].others += n
	}
	return nil
}

// addSince sums up what was taken of variants after they were counted.
func (p *page) addSince(ctx context.Context, since map[[2]int64]quantity.Quantity, orphans map[int64]*statedStock, q string, args ...any) error {
	rows, err := p.tx.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var variant, shop, placed int64
		var n quantity.Quantity
		if err := rows.Scan(&variant, &shop, &placed, &n); err != nil {
			return err
		}
		if s := orphans[variant]; s != nil && placed > s.countedAt() {
			since[[2]int64{variant, shop}] += n
		}
	}
	return rows.Err()
}

// numberPassedOn has what other shops say of variants looked at again, which
// the shop $1 counted: they may have stated it when nobody asked them. A set of
// variants follows.
const numberPassedOn = `UPDATE shop_stock SET settled = FALSE WHERE shop_id <> $1 AND settled AND ` + stillSold + `
	AND EXISTS (SELECT 1 FROM stock_level l WHERE l.variant_id = shop_stock.variant_id AND l.place_id = 1 AND l.counted_by = $1) AND variant_id IN `

// stillSold says of a statement of stock that its shop has the variant yet.
const stillSold = `EXISTS (SELECT 1 FROM origin g WHERE g.local_id = shop_stock.variant_id AND g.kind = 'variant' AND g.shop_id = shop_stock.shop_id AND NOT g.gone)`

// passOn leaves the number of a variant that the shop counts no more to the next
// one that does.
func (p *page) passOn(variant int64) {
	p.tx.Queue(numberPassedOn+`($2)`, p.shop, variant)
}

// passOnUnconfigured does so for what shops counted that are no longer in the
// configuration.
func (b *Books) passOnUnconfigured(ctx context.Context, tx *store.Tx) error {
	shops := make([]int64, len(b.ranked))
	for i, s := range b.ranked {
		shops[i] = s.id
	}
	in, args := store.In(len(shops), 1), store.InArgs(nil, shops)
	var some bool // seldom, and all stock is looked through then
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM shop WHERE id <> 0 AND id NOT IN (`+in+`))`, args...).Scan(&some); err != nil || !some {
		return err
	}
	tx.Queue(`UPDATE shop_stock SET settled = FALSE WHERE settled AND shop_id IN (`+in+`) AND `+stillSold+`
		AND variant_id IN (SELECT variant_id FROM stock_level WHERE place_id = 1 AND opened AND counted_by <> 0 AND counted_by NOT IN (`+in+`))`, args...)
	return nil
}
