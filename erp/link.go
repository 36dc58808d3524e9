package erp

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/erp/store"
)

// Linking says what Link did.
type Linking struct {
	Linked int `json:"linked"` // variants that were looked for in the other shops
	Shared int `json:"shared"` // of them, those that another shop sells too
	// Ambiguous are the SKUs and barcodes, in order, that would have to be guessed about:
	// several variants of one shop have them, or they share their stock. Such
	// variants stay apart. Never nil.
	Ambiguous []string `json:"ambiguous"`
	// Missing are the shops whose products have still to be read for the first
	// time: until then nothing new is linked, and its goods wait. Never nil.
	Missing []string `json:"missing"`
}

// linkBatch is how many variants one transaction links.
const linkBatch = 500

// Link finds the new variants of a shop among those that the other shops sell,
// by their SKU, else by their barcode: what is one thing in two shops is one variant in the books, with
// one stock. Call it when the products of the shop were read to their end, and
// before its orders. It waits until the products of all configured shops were
// read once, but for those absent, which cannot be read; then it links those
// that have waited too. So it does not matter which shop came first.
func (b *Books) Link(ctx context.Context, shop string, absent ...string) (Linking, error) {
	id, err := b.shop(shop)
	if err != nil {
		return newLinking(), err
	}
	out, err := b.link(ctx, id, absent)
	if err != nil {
		return out, fmt.Errorf("link the variants of %s: %w", shop, err)
	}
	return out, nil
}

func newLinking() Linking { return Linking{Ambiguous: []string{}, Missing: []string{}} }

func (b *Books) link(ctx context.Context, shop int64, absent []string) (Linking, error) {
	// Whoever comes second waits: orders are only read when all is linked.
	b.linking.Lock()
	defer b.linking.Unlock()
	out := newLinking()
	read, err := b.noteListed(ctx, shop)
	if err != nil {
		return out, err
	}
	for _, s := range b.ranked {
		if !read[s.id].listed && !slices.Contains(absent, s.name) {
			out.Missing = append(out.Missing, s.name)
		}
	}
	if len(out.Missing) > 0 {
		return out, nil
	}
	for _, s := range b.ranked {
		first := read[s.id].listed && !read[s.id].linked
		if s.id != shop && !first {
			continue
		}
		if err := b.linkShop(ctx, s.id, first, &out); err != nil {
			return out, err
		}
	}
	slices.Sort(out.Ambiguous)
	out.Ambiguous = slices.Compact(out.Ambiguous)
	return out, b.adoptCategories(ctx)
}

// readSoFar is how far the products of a shop have come.
type readSoFar struct {
	listed bool // they were read to their end once
	linked bool // and then linked with those of the other shops
}

// noteListed notes that the products of a shop were read to their end, and
// returns how far each shop has come.
func (b *Books) noteListed(ctx context.Context, shop int64) (map[int64]readSoFar, error) {
	read, err := b.readSoFar(ctx)
	if err != nil || read[shop].listed {
		return read, err
	}
	if err := b.setShop(ctx, `UPDATE shop SET listed = TRUE WHERE id = $1`, shop); err != nil {
		return nil, err
	}
	return b.readSoFar(ctx) // another process may have read its shop meanwhile
}

func (b *Books) setShop(ctx context.Context, q string, shop int64) error {
	return b.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, q, shop)
		return err
	})
}

func (b *Books) readSoFar(ctx context.Context) (map[int64]readSoFar, error) {
	rows, err := b.db.Query(ctx, `SELECT id, listed, linked FROM shop`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]readSoFar{}
	for rows.Next() {
		var id int64
		var s readSoFar
		if err := rows.Scan(&id, &s.listed, &s.linked); err != nil {
			return nil, err
		}
		out[id] = s
	}
	return out, rows.Err()
}

// linkShop links the variants of a shop that are not linked yet; first says that
// none of its were before.
func (b *Books) linkShop(ctx context.Context, shop int64, first bool, out *Linking) error {
	some, err := catalog.UnlinkedOf(ctx, b.db, shop, 0, 1)
	if err != nil {
		return err
	}
	if len(some) > 0 {
		if err := b.linkAll(ctx, shop, out); err != nil {
			return err
		}
	}
	if !first {
		return nil
	}
	return b.setShop(ctx, `UPDATE shop SET linked = TRUE WHERE id = $1`, shop)
}

func (b *Books) linkAll(ctx context.Context, shop int64, out *Linking) error {
	products := productMoves{}
	for last := int64(0); ; {
		var batch linkedBatch
		err := b.db.Write(ctx, func(tx *store.Tx) (err error) {
			batch, err = b.linkSome(ctx, tx, shop, last)
			return err
		})
		if err != nil {
			return err
		}
		if batch.n == 0 {
			break
		}
		last = batch.last
		out.Linked += batch.n
		out.Shared += batch.shared
		out.Ambiguous = append(out.Ambiguous, batch.ambiguous...)
		for _, m := range batch.moved {
			products.note(m)
		}
	}
	return b.db.Write(ctx, func(tx *store.Tx) error { return products.merge(ctx, tx, b) })
}

// linkedBatch is what one transaction linked.
type linkedBatch struct {
	n, shared int
	last      int64
	ambiguous []string
	moved     []productMove
}

// linkSome links variants of a shop with ids beyond after.
func (b *Books) linkSome(ctx context.Context, tx *store.Tx, shop, after int64) (linkedBatch, error) {
	var out linkedBatch
	variants, err := catalog.UnlinkedOf(ctx, tx, shop, after, linkBatch)
	if err != nil || len(variants) == 0 {
		return out, err
	}
	like, err := alike(ctx, tx, variants)
	if err != nil {
		return out, err
	}
	var fresh []catalog.Unlinked // that no other shop sells
	for _, v := range variants {
		out.n++
		out.last = v.ID
		into, ambiguous := like.match(v, shop)
		if into != 0 {
			if ambiguous, err = booked(ctx, tx, v.ID); err != nil {
				return out, err
			}
		}
		if ambiguous {
			out.ambiguous = append(out.ambiguous, cmp.Or(v.SKU, v.Barcode))
		}
		if into == 0 || ambiguous {
			tx.Queue(`UPDATE variant SET linked = TRUE WHERE id = $1`, v.ID)
			if !ambiguous && v.Sold && !v.Gone && v.Product != 0 && !like.elsewhere(v, shop) {
				fresh = append(fresh, v)
			}
			continue
		}
		move, err := b.merge(ctx, tx, shop, v, into)
		if err != nil {
			return out, err
		}
		out.shared++
		out.moved = append(out.moved, move)
	}
	if err := b.offer(ctx, tx, shop, fresh); err != nil {
		return out, err
	}
	if out.shared > 0 { // orders that name the goods wait; they are decided again
		tx.Queue(`UPDATE order_line SET variant_id = v.merged_into FROM variant v WHERE v.id = order_line.variant_id AND v.merged_into <> 0
			AND order_line.order_id IN (SELECT id FROM sales_order WHERE shop_id = $1 AND waiting)`, shop)
	}
	return out, nil
}

// booked reports whether anything was booked for the stock of a variant: then
// it cannot become another one.
func booked(ctx context.Context, r store.Reader, variant int64) (yes bool, err error) {
	err = r.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM stock_level WHERE variant_id = $1) OR EXISTS (SELECT 1 FROM shop_taken WHERE variant_id = $1)`, variant).Scan(&yes)
	return yes, err
}

// merge makes a variant of a shop one with another one.
func (b *Books) merge(ctx context.Context, tx *store.Tx, shop int64, v catalog.Unlinked, into int64) (productMove, error) {
	shops, err := catalog.BoundTo(ctx, tx, intake.KindVariant, into)
	if err != nil {
		return productMove{}, err
	}
	describes := b.describes(shop, shops)
	move := productMove{from: v.Product}
	if err := tx.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, into).Scan(&move.to); err != nil {
		return productMove{}, err
	}
	if describes {
		move.from, move.to = move.to, move.from
	}
	catalog.Merge(tx, shop, v.ID, into, describes)
	b.agreeAnew(tx, intake.KindVariant, v.ID, into)
	outbox.PutStock(tx, b.sends(intake.FieldQuantity), into, b.opts.Now())
	// What the shop sold up to the newest number of the shop that counts had
	// left by then: nobody subtracted it since. Where the books decide, only the
	// number that was taken over was counted.
	followed := b.followed()
	tx.Queue(`UPDATE stock_level SET counted_at = COALESCE((SELECT CASE WHEN s.stated_at > 0 THEN s.stated_at ELSE s.seen_at END FROM shop_stock s
			WHERE s.variant_id = stock_level.variant_id AND s.shop_id = stock_level.counted_by), counted_at)
		WHERE variant_id = $1 AND place_id = 1 AND opened AND counted_by IN (`+store.In(len(followed), 2)+`)`, store.InArgs([]any{into}, followed)...)
	return move, nil
}

// followed returns the shops whose numbers of their stock the books follow.
func (b *Books) followed() []int64 {
	var out []int64
	for _, s := range b.ranked {
		if b.opts.Shops[s.name].StockOwner == sales.OwnerShop {
			out = append(out, s.id)
		}
	}
	return out
}

// describes reports whether a shop describes what it shares with others.
func (b *Books) describes(shop int64, others []int64) bool {
	return !slices.ContainsFunc(others, func(other int64) bool { return other != shop && b.before(other, shop) })
}

// productMove is a product that lost a variant to another one.
type productMove struct{ from, to int64 }

// productMoves collects where the variants of products went.
type productMoves map[int64]map[int64]bool

func (p productMoves) note(m productMove) {
	if m.from == m.to || m.from == 0 || m.to == 0 {
		return
	}
	if p[m.from] == nil {
		p[m.from] = map[int64]bool{}
	}
	p[m.from][m.to] = true
}

// merge merges the products of which all variants went to one other product.
func (p productMoves) merge(ctx context.Context, tx *store.Tx, b *Books) error {
	for _, from := range slices.Sorted(maps.Keys(p)) {
		if len(p[from]) != 1 {
			continue
		}
		for to := range p[from] {
			if err := b.mergeProduct(ctx, tx, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing is how a shop stands to a product or variant of the books.
type standing struct {
	alone     bool // there is no other shop
	shared    bool // another shop has it too
	describes bool // it goes before the others that have it
}

func (p *page) standing(ctx context.Context, kind intake.Kind, id int64) (standing, error) {
	alone, err := p.aloneInBooks(ctx)
	if err != nil || alone {
		return standing{alone: true, describes: true}, err
	}
	shops, err := catalog.BoundTo(ctx, p.tx, kind, id)
	if err != nil {
		return standing{}, err
	}
	shared := slices.ContainsFunc(shops, func(shop int64) bool { return shop != p.shop })
	return standing{shared: shared, describes: p.b.describes(p.shop, shops)}, nil
}

// aloneInBooks reports whether the books have no other shop.
func (p *page) aloneInBooks(ctx context.Context) (bool, error) {
	if p.shopCount == 0 {
		if err := p.tx.QueryRow(ctx, `SELECT COUNT(*) FROM shop WHERE id <> 0`).Scan(&p.shopCount); err != nil {
			return false, fmt.Errorf("count the shops: %w", err)
		}
	}
	return p.shopCount == 1, nil
}

// mergeProduct makes a product of which no variant is left another one. Where a
// shop that leaves its categories to the books has that, it stays where it
// stands.
func (b *Books) mergeProduct(ctx context.Context, tx *store.Tx, from, to int64) error {
	shops, err := catalog.BoundTo(ctx, tx, intake.KindProduct, to)
	if err != nil {
		return err
	}
	placed := slices.ContainsFunc(shops, func(s int64) bool { return b.policy(s).Owns(intake.FieldCategories) })
	merged, err := catalog.MergeProduct(ctx, tx, from, to, !placed)
	if err != nil {
		return err
	}
	if merged {
		b.agreeAnew(tx, intake.KindProduct, from, to)
	}
	return nil
}
