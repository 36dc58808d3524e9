package erp

import (
	"context"
	"fmt"
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
	master    string // the shop that counts it
	countedAt int64  // as of when its number was taken over
	unitCost  string
	firstAt   int64 // when the first order of the shop was placed
	firstDay  string
}

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
				WHERE g.local_id = t.variant_id AND g.kind = 'variant' AND g.shop_id = t.shop_id), s.name, l.counted_at, l.unit_cost, t.first_at, t.first_day
		FROM shop_taken t JOIN stock_level l ON l.variant_id = t.variant_id AND l.place_id = 1 AND l.opened JOIN shop s ON s.id = l.counted_by
		WHERE t.shop_id = $1 AND NOT t.counted AND l.counted_by <> $1 AND l.counted_by <> 0 ORDER BY t.variant_id LIMIT $2`, p.shop, settleBatch)
	if err != nil {
		return nil, fmt.Errorf("read what %s sells of the stock of other shops: %w", p.stream.Shop, err)
	}
	defer rows.Close()
	var out []follower
	for rows.Next() {
		var f follower
		if err := rows.Scan(&f.variant, &f.external, &f.master, &f.countedAt, &f.unitCost, &f.firstAt, &f.firstDay); err != nil {
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
	list = slices.DeleteFunc(slices.Clone(list), func(f follower) bool { return f.firstAt == 0 || f.firstAt > f.countedAt })
	if len(list) == 0 {
		return out, nil
	}
	ids := make([]int64, len(list))
	for i, f := range list {
		ids[i] = f.variant
	}
	in, args := store.In(len(ids), 2), store.InArgs([]any{p.shop}, ids)
	for _, q := range []string{
		`SELECT m.variant_id, CASE WHEN m.from_place = 1 THEN m.quantity ELSE -m.quantity END FROM stock_move m JOIN sales_order o ON o.id = m.document_id AND m.document_kind = 'order'
			JOIN stock_level l ON l.variant_id = m.variant_id AND l.place_id = 1
			WHERE o.shop_id = $1 AND o.placed_at <= l.counted_at AND (m.from_place = 1 OR m.to_place = 1) AND m.variant_id IN (` + in + `)`,
		`SELECT v.stock_id, d.demand FROM variant v JOIN order_line d ON d.variant_id = v.id AND d.demand > 0 JOIN sales_order o ON o.id = d.order_id
			JOIN stock_level l ON l.variant_id = v.stock_id AND l.place_id = 1
			WHERE o.shop_id = $1 AND o.placed_at <= l.counted_at AND v.stock_id IN (` + in + `)`,
	} {
		if err := p.addQuantities(ctx, out, q, args); err != nil {
			return nil, fmt.Errorf("sum up what %s sold before: %w", p.stream.Shop, err)
		}
	}
	return out, nil
}

func (p *page) addQuantities(ctx context.Context, to map[int64]quantity.Quantity, q string, args []any) error {
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
		cause: "stock/" + p.stream.Shop + "/" + f.external + "/opening"})
}
