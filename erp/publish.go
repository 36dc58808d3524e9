package erp

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// PublishProduct has a product of the books made in a shop that does not have
// it, or the variants of it that the shop lacks. With dry nothing is changed.
func (b *Books) PublishProduct(ctx context.Context, which, shop string, dry bool) (ProductChange, error) {
	id, err := b.shop(shop)
	if err != nil {
		return ProductChange{}, err
	}
	if !b.policy(id).On {
		return ProductChange{}, fault.New(fault.Conflict, fmt.Sprintf("set shops.%s.push.enabled: true", shop), "nothing is sent to shop %s", shop)
	}
	return b.withClerk(ctx, which, dry, func(c *clerk) error { return c.publish(ctx, id, shop) })
}

func (c *clerk) publish(ctx context.Context, shop int64, name string) error {
	if slices.Contains(c.shops, shop) {
		return c.complete(ctx, shop, name)
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
		why, err := c.b.whyNotMade(ctx, c.tx, shop, described[v])
		if err := c.addTo(name, described[v], why, err); err != nil {
			return err
		}
	}
	for _, f := range catalog.Fresh(intake.KindProduct, intake.Fields(c.product), asItIs) {
		c.out.Changes = append(c.out.Changes, FieldChange{Field: f.Field, To: f.To})
	}
	c.out.Shops = append(c.out.Shops, name)
	now := c.b.opts.Now()
	c.tx.Queue(`INSERT INTO publication (shop_id, product_id, asked_at) VALUES ($1,$2,$3)
		ON CONFLICT (shop_id, product_id) DO UPDATE SET asked_at = excluded.asked_at, made = FALSE`, shop, c.id, store.Micros(now))
	outbox.Put(c.tx, shop, outbox.Product, c.id, now)
	return nil
}

// asItIs is a shop that can hold everything.
func asItIs(_ intake.Kind, _ intake.Field, value string) (string, bool) { return value, true }

// complete has the variants made that a shop lacks of a product that it has.
func (c *clerk) complete(ctx context.Context, shop int64, name string) error {
	missing, err := lacking(ctx, c.tx, shop, c.id)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		return fault.New(fault.Conflict, "to change it: comptoir product set", "shop %s has product %d already, with all of its variants", name, c.id)
	}
	described, err := catalog.DescribedVariants(ctx, c.tx, missing)
	if err != nil {
		return err
	}
	now := c.b.opts.Now()
	for _, v := range missing {
		why, err := c.b.whyNotAdded(ctx, c.tx, shop, described[v])
		if err := c.addTo(name, described[v], why, err); err != nil {
			return err
		}
		askVariant(c.tx, shop, v, store.Micros(now))
		outbox.Put(c.tx, shop, outbox.Variant, v, now)
	}
	c.out.Shops = append(c.out.Shops, name)
	return nil
}

// addTo notes a variant that is to be made in a shop, and refuses one that
// cannot be, for the given reason.
func (c *clerk) addTo(name string, v *catalog.Described, why string, err error) error {
	if err != nil {
		return err
	}
	if why != "" {
		return fault.New(fault.Unprocessable, "mend that first, and then publish it again", "variant %s of product %d cannot be made in shop %s: %s", cmp.Or(v.SKU, fmt.Sprint(v.ID)), c.id, name, why)
	}
	for _, f := range catalog.Fresh(intake.KindVariant, intake.Fields(&v.Variant), asItIs) {
		c.out.Changes = append(c.out.Changes, FieldChange{SKU: v.SKU, Field: f.Field, To: f.To})
	}
	return nil
}
