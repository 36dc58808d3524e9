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
		p.productGone(ref.ID, o.local)
	case intake.KindVariant:
		p.tx.Queue(variantDeleted+`id = $1`, o.local)
		p.passOn(o.local)
		forgetAgreed(p.tx, p.shop, intake.KindVariant, o.local)
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

// variantDeleted marks variants that no shop has any more; a condition follows.
const variantDeleted = `UPDATE variant SET status = 'deleted' WHERE NOT EXISTS (SELECT 1 FROM origin g WHERE g.local_id = variant.id AND g.kind = 'variant' AND NOT g.gone) AND `

// withinProduct says of the record of a variant that it belongs to a product, by
// external id $2 and in the books $3. Which product it belongs to in the books
// does not tell: there it may be that of another shop, together with variants
// that are products of their own here.
const withinProduct = `shop_id = $1 AND kind = 'variant' AND (parent = $2 OR parent = '' AND local_id IN (SELECT id FROM variant WHERE product_id = $3))`

// productGone notes that a product went, and its variants with it. Those that
// another shop has stay on sale.
func (p *page) productGone(external string, product int64) {
	p.tx.Queue(`UPDATE origin SET gone = TRUE WHERE `+withinProduct, p.shop, external, product)
	p.tx.Queue(variantDeleted+`id IN (SELECT local_id FROM origin WHERE `+withinProduct+`)`, p.shop, external, product)
	p.tx.Queue(numberPassedOn+`(SELECT local_id FROM origin WHERE `+withinProduct+`)`, p.shop, external, product)
	p.tx.Queue(`UPDATE product SET status = 'deleted' WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM origin g WHERE g.local_id = product.id AND g.kind = 'product' AND NOT g.gone)`, product)
	p.forgetProduct(external, product)
}

// forgetProduct forgets what was agreed with the shop on a product that it no
// longer has, and on its variants.
func (p *page) forgetProduct(external string, product int64) {
	forgetAgreed(p.tx, p.shop, intake.KindProduct, product)
	for _, q := range []string{
		`DELETE FROM agreed WHERE shop_id = $1 AND kind = 'variant' AND local_id IN (SELECT local_id FROM origin WHERE ` + withinProduct + `)`,
		`DELETE FROM conflict WHERE shop_id = $1 AND kind = 'variant' AND local_id IN (SELECT local_id FROM origin WHERE ` + withinProduct + `)`,
		`DELETE FROM outbox WHERE shop_id = $1 AND kind = 'variant' AND object_id IN (SELECT local_id FROM origin WHERE ` + withinProduct + `)`,
	} {
		p.tx.Queue(q, p.shop, external, product)
	}
}
