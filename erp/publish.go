package erp

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// PublishProduct has a product of the books made in a shop that does not have
// it. With dry nothing is changed.
func (b *Books) PublishProduct(ctx context.Context, which, shop string, dry bool) (ProductChange, error) {
	id, err := b.shop(shop)
	if err != nil {
		return ProductChange{}, err
	}
	if !b.policy(id).On {
		return ProductChange{}, fault.New(fault.Conflict, fmt.Sprintf("set shops.%s.push.enabled: true", shop), "nothing is sent to shop %s", shop)
	}
	var out ProductChange
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		c, err := b.openClerk(ctx, tx, which)
		if err != nil {
			return err
		}
		if err := c.publish(ctx, id, shop); err != nil {
			return err
		}
		out = c.out
		if dry {
			return errPreview
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPreview) {
		return ProductChange{}, err
	}
	return out, nil
}

func (c *clerk) publish(ctx context.Context, shop int64, name string) error {
	if slices.Contains(c.shops, shop) {
		return fault.New(fault.Conflict, "to change it: comptoir product set", "shop %s has product %d already", name, c.id)
	}
	variants, err := catalog.VariantsOf(ctx, c.tx, []int64{c.id})
	if err != nil {
		return err
	}
	if len(variants[c.id]) == 0 {
		return fault.New(fault.Unprocessable, "choose a product that can be sold", "product %d has no variant that can be sold", c.id)
	}
	described, err := catalog.DescribedVariants(ctx, c.tx, variants[c.id])
	if err != nil {
		return err
	}
	for _, v := range variants[c.id] {
		if err := c.sellsAlready(ctx, shop, name, described[v]); err != nil {
			return err
		}
		for _, f := range catalog.Fresh(intake.KindVariant, intake.Fields(&described[v].Variant), asItIs) {
			c.out.Changes = append(c.out.Changes, FieldChange{SKU: described[v].SKU, Field: f.Field, To: f.To})
		}
	}
	for _, f := range catalog.Fresh(intake.KindProduct, intake.Fields(c.product), asItIs) {
		c.out.Changes = append(c.out.Changes, FieldChange{Field: f.Field, To: f.To})
	}
	c.out.Shops = append(c.out.Shops, name)
	now := c.b.opts.Now()
	c.tx.Queue(`INSERT INTO publication (shop_id, product_id, asked_at) VALUES ($1,$2,$3) ON CONFLICT (shop_id, product_id) DO NOTHING`, shop, c.id, store.Micros(now))
	outbox.Put(c.tx, shop, outbox.Product, c.id, now)
	return nil
}

// asItIs is a shop that can hold everything.
func asItIs(_ intake.Kind, _ intake.Field, value string) (string, bool) { return value, true }

// sellsAlready refuses a variant that the shop sells, be it as another one of
// the books.
func (c *clerk) sellsAlready(ctx context.Context, shop int64, name string, v *catalog.Described) error {
	if v.SKU == "" {
		return fault.New(fault.Unprocessable, "give each variant a SKU in the shop that describes it", "a variant of product %d has no SKU: it could not be found again", c.id)
	}
	var other int64
	err := c.tx.QueryRow(ctx, `SELECT COALESCE(MAX(v.id), 0) FROM variant v JOIN origin g ON g.local_id = v.id AND g.kind = 'variant' AND NOT g.gone
		WHERE g.shop_id = $1 AND (v.id = $2 OR v.sku = $3)`, shop, v.ID, v.SKU).Scan(&other)
	if err != nil {
		return fmt.Errorf("look for SKU %q in the shop: %w", v.SKU, err)
	}
	if other != 0 {
		return fault.New(fault.Conflict, "say that the two are one: comptoir link export", "shop %s sells SKU %q already, as variant %d", name, v.SKU, other)
	}
	return nil
}
