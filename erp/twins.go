package erp

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
)

// One SKU on several records of one shop. A shop counts each record apart, and
// the books tell it one number for each variant: two records of one variant
// would each sell all of it. So each keeps a variant of its own, and a person is
// told.

// revive notes that the shop has a record of a variant again that was gone, by
// itself or with its product, and returns the variant that it is. While it was
// gone, nothing was queued for it, and what it had is not what it has. Where the
// shop sells the variant under another record by now, it becomes one of its own;
// the orders that the books have of it stay with what it was.
func (p *page) revive(ctx context.Context, external string, variant int64) (int64, error) {
	o := p.origins[originKey{intake.KindVariant, external}]
	if o == nil || !o.gone {
		return variant, nil
	}
	o.gone = false
	other, err := p.soldAs(ctx, o.local, external)
	if err != nil {
		return 0, err
	}
	if other == "" {
		p.tx.Queue(`UPDATE origin SET gone = FALSE WHERE shop_id = $1 AND kind = 'variant' AND external_id = $2`, p.shop, external)
		p.tx.Queue(`DELETE FROM stock_ack WHERE shop_id = $1 AND variant_id = $2`, p.shop, o.local)
		return o.local, nil
	}
	o.was = o.local
	if o.local, err = p.tx.NewID(ctx); err != nil {
		return 0, err
	}
	catalog.SaveStub(p.tx, o.local, "", "", time.Time{})
	p.tx.Queue(`UPDATE origin SET local_id = $3, was = $4, gone = FALSE, bound = bound + 1 WHERE shop_id = $1 AND kind = 'variant' AND external_id = $2`, p.shop, external, o.local, o.was)
	p.b.opts.Log.Warn().Str("shop", p.stream.Shop).Str("record", external).Str("other", other).
		Msg("the shop has a variant again which it sells under another record by now: each has a stock of its own")
	return o.local, nil
}

// soldAs returns under which other record the shop sells a variant; "" for none.
func (p *page) soldAs(ctx context.Context, variant int64, but string) (external string, err error) {
	err = p.tx.QueryRow(ctx, `SELECT COALESCE(MIN(external_id), '') FROM origin WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2 AND NOT gone AND external_id <> $3`,
		p.shop, variant, but).Scan(&external)
	if err != nil {
		return "", fmt.Errorf("read under which records the shop sells variant %d: %w", variant, err)
	}
	return external, nil
}

// RepeatedSKUs lists the SKUs, in order, that several records of a shop have:
// each of these has a stock of its own in the books. See Bindings.
func (b *Books) RepeatedSKUs(ctx context.Context, shop string) ([]string, error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	skus := []string{}
	err = eachRow(ctx, b.db, `SELECT v.sku FROM origin g JOIN variant v ON v.id = g.local_id
		WHERE g.shop_id = $1 AND g.kind = 'variant' AND NOT g.gone AND v.sellable AND NOT v.stub AND v.sku <> '' GROUP BY v.sku HAVING COUNT(*) > 1 ORDER BY v.sku`, []any{id},
		func(rows *sql.Rows) error {
			var sku string
			err := rows.Scan(&sku)
			skus = append(skus, sku)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("look for SKUs that %s has several times: %w", shop, err)
	}
	return skus, nil
}

// repeated says of records of shops why a person has to look at them: the shop
// has their SKU on others too, or the same variant.
func repeated(list []Binding) {
	type inShop struct {
		shop    int64
		sku     string
		variant int64
	}
	count := map[inShop]int{}
	for _, l := range list {
		if l.SKU != "" {
			count[inShop{shop: l.shop, sku: l.SKU}]++
		}
		count[inShop{shop: l.shop, variant: l.Variant}]++
	}
	for i := range list {
		l, why := &list[i], ""
		switch n, same := count[inShop{shop: l.shop, variant: l.Variant}], count[inShop{shop: l.shop, sku: l.SKU}]; {
		case n > 1:
			why = fmt.Sprintf("the shop has this variant on %d records, and only the first is told its stock: take the others off sale", n)
		case l.SKU != "" && same > 1:
			why = fmt.Sprintf("the shop has this SKU on %d records, each with a stock of its own: give all but one another SKU", same)
		}
		if l.Reason != "" && why != "" {
			why = "; " + why
		}
		l.Reason += why
	}
}
