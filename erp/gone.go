package erp

import (
	"context"
	"fmt"

	"comptoir/erp/intake"
)

// gone notes that the shop no longer has a record. What is booked stays.
func (p *page) gone(ctx context.Context, ref intake.Ref) error {
	key := originKey{ref.Kind, ref.ID}
	if row, ok := p.parked[key]; ok && !row.gone {
		p.tx.Queue(`UPDATE parked SET gone = TRUE, reason = reason || $2, fix = $3 WHERE id = $1`, row.id,
			"; meanwhile the shop no longer has it", "book it by hand if it was a sale, then: comptoir parked drop")
	}
	o := p.origins[key]
	if o == nil || o.gone {
		return nil
	}
	o.gone = true
	p.tx.Queue(`UPDATE origin SET gone = TRUE WHERE shop_id = $1 AND kind = $2 AND external_id = $3`, p.shop, string(ref.Kind), ref.ID)
	switch ref.Kind {
	case intake.KindOrder:
		if err := p.forgetOrder(ctx, ref.ID, o.local); err != nil {
			return err
		}
	case intake.KindProduct:
		if err := p.productGone(ctx, ref.ID, o.local); err != nil {
			return err
		}
	case intake.KindVariant:
		p.variantGone(o.local)
	case intake.KindCategory:
		if err := p.categoryGone(ctx, o.local); err != nil {
			return err
		}
	case intake.KindCoupon:
		p.tx.Queue(`UPDATE coupon SET deleted = TRUE WHERE id = $1`, o.local)
	case intake.KindLocation:
		p.tx.Queue(`UPDATE location SET deleted = TRUE WHERE id = $1`, o.local)
		p.heedLocation()
	}
	p.note(ref, fmt.Sprintf("%s %s: the shop no longer has it", ref.Kind, ref.ID))
	return nil
}

// withinProduct says of the record of a variant that it belongs to a product, by
// external id $2 and in the books $3. Which product it belongs to in the books
// does not tell: there it may be that of another shop, together with variants
// that are products of their own here.
const withinProduct = `shop_id = $1 AND kind = 'variant' AND (parent = $2 OR parent = '' AND local_id IN (SELECT id FROM variant WHERE product_id = $3))`

// productGone notes that a product went, and its variants with it. Those that
// another shop has stay on sale.
func (p *page) productGone(ctx context.Context, external string, product int64) error {
	ids, err := readIDs(ctx, p.tx, `SELECT DISTINCT local_id FROM origin WHERE `+withinProduct, p.shop, external, product)
	if err != nil {
		return fmt.Errorf("read the variants of product %s: %w", external, err)
	}
	p.tx.Queue(`UPDATE origin SET gone = TRUE WHERE `+withinProduct, p.shop, external, product)
	forgetAgreed(p.tx, p.shop, intake.KindProduct, product)
	for _, id := range ids {
		p.variantGone(id)
	}
	p.tx.Queue(`UPDATE product SET status = 'deleted' WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM origin g WHERE g.local_id = product.id AND g.kind = 'product' AND NOT g.gone)`, product)
	return nil
}

// variantGone notes that the shop no longer has a variant.
func (p *page) variantGone(id int64) {
	p.tx.Queue(`UPDATE variant SET status = 'deleted' WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM origin g WHERE g.local_id = variant.id AND g.kind = 'variant' AND NOT g.gone)`, id)
	p.passOn(id)
	forgetAgreed(p.tx, p.shop, intake.KindVariant, id)
}
