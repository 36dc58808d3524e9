package erp

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// New variants of a product that several shops have: a variant that one of them
// states is made in the others. Only what is new to a product that they already
// shared is: how their products differed when they were linked stays as it is.

// offer has new variants of a shop, which are none that another one sells, made
// in the other shops that have their product and get its variants by
// themselves.
func (b *Books) offer(ctx context.Context, tx *store.Tx, shop int64, variants []catalog.Unlinked) error {
	told := func(s rankedShop) bool { return s.id != shop && b.policy(s.id).On }
	if len(variants) == 0 || !slices.ContainsFunc(b.ranked, told) {
		return nil
	}
	products := make([]int64, len(variants))
	for i, v := range variants {
		products[i] = v.Product
	}
	slices.Sort(products)
	shops, err := b.sharedWith(ctx, tx, shop, slices.Compact(products))
	if err != nil {
		return err
	}
	for _, v := range variants {
		for _, s := range shops[v.Product] {
			askVariant(tx, s, v.ID, store.Micros(b.opts.Now()))
			outbox.Put(tx, s, outbox.Variant, v.ID, b.opts.Now())
		}
	}
	return nil
}

// askVariant queues that a variant is to be made in a shop.
func askVariant(tx *store.Tx, shop, variant, now int64) {
	tx.Queue(`INSERT INTO variant_publication (shop_id, variant_id, asked_at) VALUES ($1,$2,$3) ON CONFLICT (shop_id, variant_id) DO NOTHING`, shop, variant, now)
}

// unaskVariant queues that a variant need not be made in a shop any more.
func unaskVariant(tx *store.Tx, shop, variant int64) {
	tx.Queue(`DELETE FROM variant_publication WHERE shop_id = $1 AND variant_id = $2`, shop, variant)
}

// sharedWith returns by product which other shops have products and get new
// variants of them by themselves: the books set its prices — else a new variant
// would be sold there at one that nobody has set —, or have made the product
// there. A shop that sells in another currency gets none.
func (b *Books) sharedWith(ctx context.Context, r store.Reader, shop int64, products []int64) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	in, err := b.shopCurrencies(ctx, r)
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, r, `SELECT DISTINCT g.local_id, g.shop_id, EXISTS (SELECT 1 FROM publication a WHERE a.shop_id = g.shop_id AND a.product_id = g.local_id AND a.made)
		FROM origin g WHERE g.kind = 'product' AND NOT g.gone AND g.shop_id <> $1 AND g.local_id IN (`+store.In(len(products), 2)+`)`, store.InArgs([]any{shop}, products),
		func(rows *sql.Rows) error {
			var product, other int64
			var made bool
			if err := rows.Scan(&product, &other, &made); err != nil {
				return err
			}
			if p := b.policy(other); b.configured(other) && p.On && in.of(other) == in.of(shop) && (made || p.Sends(intake.FieldPrice)) {
				out[product] = append(out[product], other)
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read which shops have the products of new variants: %w", err)
	}
	return out, nil
}

// askedVariants returns which variants are to be made in a shop.
func askedVariants(ctx context.Context, r store.Reader, shop int64, ids []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	asked, err := readIDs(ctx, r, `SELECT variant_id FROM variant_publication WHERE shop_id = $1 AND variant_id IN (`+store.In(len(ids), 2)+`)`, store.InArgs([]any{shop}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read which variants are to be made: %w", err)
	}
	for _, id := range asked {
		out[id] = true
	}
	return out, nil
}

// addVariant tells the shop to make a variant of a product that it has. What
// keeps it from that is told to a person, and looked at again later.
func (e *editing) addVariant(ctx context.Context, m outbox.Message, o *sighted) error {
	v := o.variant
	sold, err := catalog.BoundTo(ctx, e.tx, intake.KindVariant, o.id)
	if err != nil {
		return err
	}
	bound, err := boundAs(ctx, e.tx, e.shop, intake.KindProduct, []int64{v.Product})
	if err != nil {
		return err
	}
	product := bound[v.Product].ID
	if len(sold) == 0 || product == "" { // no shop has it any more, or this one has not even its product
		unaskVariant(e.tx, e.shop, o.id)
		outbox.Settled(e.tx, m)
		return nil
	}
	why, err := e.b.whyNotAdded(ctx, e.tx, e.shop, v)
	if err != nil {
		return err
	}
	if why != "" {
		outbox.Refused(e.tx, m, e.now, why)
		return nil
	}
	edit := e.fresh(o)
	edit.Ref.Parent = product
	e.push(m, o, edit)
	return nil
}

// fresh describes a variant that is to be made.
func (e *editing) fresh(o *sighted) intake.Edit {
	if !catalog.HoldsSaleDates(e.express) {
		catalog.OnSale(o.Ours, o.sale[0], o.sale[1], e.now)
	}
	return intake.Edit{Ref: intake.Ref{Kind: intake.KindVariant}, Changes: catalog.Fresh(intake.KindVariant, o.Ours, e.express), Untracked: !o.variant.Tracked}
}

// whyNotAdded is whyNotMade for a variant of a product that the shop has: it
// would be on sale there at once.
func (b *Books) whyNotAdded(ctx context.Context, r store.Reader, shop int64, v *catalog.Described) (string, error) {
	if v.Status != "" && v.Status != "published" {
		return fmt.Sprintf("it is not on sale in the shop that describes it, but %s", v.Status), nil
	}
	return b.whyNotMade(ctx, r, shop, v)
}

// whyNotMade says why a variant of the books cannot be made in a shop, and what
// to do about it; "" where it can.
func (b *Books) whyNotMade(ctx context.Context, r store.Reader, shop int64, v *catalog.Described) (string, error) {
	switch {
	case v.SKU == "":
		return "it has no SKU and could not be found again: give it one in the shop that describes it", nil
	case v.Stock != v.ID:
		return "it shares its stock with other variants of its product, and would be counted apart: have the shop that describes it count each variant by itself", nil
	}
	apart, own, err := b.pricedApart(ctx, r, shop, []int64{v.ID})
	if of, is := apart[v.ID]; is || err != nil {
		return noPriceFor(own, of), err
	}
	var other int64
	err = r.QueryRow(ctx, `SELECT COALESCE(MAX(v.id), 0) FROM variant v JOIN origin g ON g.local_id = v.id AND g.kind = 'variant' AND NOT g.gone
		WHERE g.shop_id = $1 AND (v.id = $2 OR v.sku = $3)`, shop, v.ID, v.SKU).Scan(&other)
	if err != nil {
		return "", fmt.Errorf("look for SKU %q in the shop: %w", v.SKU, err)
	}
	if other != 0 {
		return fmt.Sprintf("the shop sells the SKU %q already, as variant %d: say that the two are one (comptoir link export)", v.SKU, other), nil
	}
	return "", nil
}

// lacking returns the variants of a product that shops sell and one shop does
// not have, in the order in which the books met them.
func lacking(ctx context.Context, r store.Reader, shop, product int64) ([]int64, error) {
	all, err := catalog.VariantsOf(ctx, r, []int64{product})
	if err != nil || len(all[product]) == 0 {
		return nil, err
	}
	ids := all[product]
	here, err := readIDs(ctx, r, `SELECT DISTINCT local_id FROM origin WHERE kind = 'variant' AND NOT gone AND shop_id = $1 AND local_id IN (`+store.In(len(ids), 2)+`)`, store.InArgs([]any{shop}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read which variants the shop has: %w", err)
	}
	sold, err := readIDs(ctx, r, `SELECT DISTINCT local_id FROM origin WHERE kind = 'variant' AND NOT gone AND local_id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read which variants are sold: %w", err)
	}
	return slices.DeleteFunc(ids, func(id int64) bool { return slices.Contains(here, id) || !slices.Contains(sold, id) }), nil
}
