package erp

import (
	"context"
	"fmt"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/crm"
	"comptoir/erp/intake"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
	"comptoir/erp/tax"
)

// save writes a record that is no order, under its id.
func (p *page) save(ctx context.Context, rec *intake.Record) error {
	if c, ok := rec.Body.(*intake.Customer); ok {
		return p.saveCustomer(ctx, rec, c)
	}
	if t, ok := rec.Body.(*intake.TaxRate); ok {
		return p.saveTaxRate(ctx, rec, t)
	}
	id, _, err := p.ensure(ctx, rec.Ref.Kind, rec.Ref.ID)
	if err != nil {
		return err
	}
	if body, ok := rec.Body.(*intake.Payout); ok {
		return p.savePayout(ctx, rec, id, body)
	}
	switch body := rec.Body.(type) {
	case *intake.Category:
		parent, err := p.category(ctx, body.ParentID)
		if err != nil {
			return err
		}
		catalog.SaveCategory(p.tx, id, p.shop, parent, body)
	case *intake.Product:
		return p.saveProduct(ctx, rec, id, body)
	case *intake.Variant:
		return p.saveVariant(ctx, rec, id, body)
	case *intake.Coupon:
		p.tx.Queue(`INSERT INTO coupon (id, shop_id, code, type, amount, description, expires_at, usage_count, usage_limit, free_shipping) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
			ON CONFLICT (id) DO UPDATE SET code = excluded.code, type = excluded.type, amount = excluded.amount, description = excluded.description, expires_at = excluded.expires_at,
				usage_count = excluded.usage_count, usage_limit = excluded.usage_limit, free_shipping = excluded.free_shipping, deleted = FALSE`,
			id, p.shop, body.Code, body.Type, body.Amount.String(), body.Description, store.Micros(body.ExpiresAt), body.UsageCount, body.UsageLimit, body.Free)
	case *intake.Gateway:
		p.tx.Queue(`INSERT INTO gateway (id, shop_id, code, title, enabled) VALUES ($1,$2,$3,$4,$5)
			ON CONFLICT (id) DO UPDATE SET title = excluded.title, enabled = excluded.enabled`, id, p.shop, rec.Ref.ID, body.Title, body.Enabled)
	case *intake.ShippingMethod:
		p.tx.Queue(`INSERT INTO shipping_method (id, shop_id, code, title, zone, enabled) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (id) DO UPDATE SET title = excluded.title, zone = excluded.zone, enabled = excluded.enabled`, id, p.shop, rec.Ref.ID, body.Title, body.Zone, body.Enabled)
	default:
		return fmt.Errorf("save: no rule for a body of %T", rec.Body)
	}
	return nil
}

// saveCustomer: one e-mail is one contact. An account without an e-mail has no
// contact.
func (p *page) saveCustomer(ctx context.Context, rec *intake.Record, c *intake.Customer) error {
	book, err := crm.Open(ctx, p.tx, p.now, []string{c.Email})
	if err != nil {
		return err
	}
	id, err := book.Meet(ctx, *c, true)
	if err != nil {
		return err
	}
	if had := p.origins[originKey{rec.Ref.Kind, rec.Ref.ID}]; id == 0 && had != nil {
		id = had.local
	}
	if id == 0 { // no contact: the id is for its payload only
		if id, err = p.tx.NewID(ctx); err != nil {
			return err
		}
	}
	p.own(rec.Ref, id)
	return nil
}

func (p *page) saveTaxRate(ctx context.Context, rec *intake.Record, t *intake.TaxRate) error {
	c, err := tax.FromRate(rec.Ref.ID, t)
	if err != nil {
		return err
	}
	id, err := tax.Save(ctx, p.tx, p.shop, c)
	if err != nil {
		return err
	}
	p.own(rec.Ref, id)
	return nil
}

// own gives a record the local id that another rule found for it.
func (p *page) own(ref intake.Ref, id int64) {
	key := originKey{ref.Kind, ref.ID}
	if had := p.origins[key]; had != nil {
		had.local = id
		return
	}
	p.origins[key] = &origin{local: id, isNew: true}
}

// category returns the id of a category, made where the shop has not described
// it yet; 0 for none.
func (p *page) category(ctx context.Context, external string) (int64, error) {
	if external == "" {
		return 0, nil
	}
	if err := p.loadOrigins(ctx, intake.KindCategory, []string{external}); err != nil {
		return 0, err
	}
	id, made, err := p.ensure(ctx, intake.KindCategory, external)
	if err == nil && made {
		catalog.SaveCategory(p.tx, id, p.shop, 0, &intake.Category{})
		p.place(intake.KindCategory, external, "")
	}
	return id, err
}

// variant returns the id of a variant, made as a stub where the shop has not
// described it yet.
func (p *page) variant(ctx context.Context, external, product string) (int64, error) {
	if err := p.loadOrigins(ctx, intake.KindVariant, []string{external}); err != nil {
		return 0, err
	}
	id, made, err := p.ensure(ctx, intake.KindVariant, external)
	if err == nil && made {
		catalog.SaveStub(p.tx, id, "", "", time.Time{})
		p.place(intake.KindVariant, external, product)
	}
	return id, err
}

func (p *page) saveProduct(ctx context.Context, rec *intake.Record, id int64, body *intake.Product) error {
	for i := range body.Variants { // nothing is written of a product that will be parked
		if _, err := statedQuantity(&body.Variants[i]); err != nil {
			return err
		}
	}
	categories := make([]int64, 0, len(body.CategoryIDs))
	for _, external := range body.CategoryIDs {
		c, err := p.category(ctx, external)
		if err != nil {
			return err
		}
		if c != 0 {
			categories = append(categories, c)
		}
	}
	if err := catalog.SaveProduct(p.tx, id, body, categories); err != nil {
		return err
	}
	for i := range body.Variants {
		v := &body.Variants[i]
		variant, err := p.variant(ctx, v.ID, rec.Ref.ID)
		if err != nil {
			return err
		}
		if err := p.writeVariant(ctx, rec, variant, id, v); err != nil {
			return err
		}
	}
	return nil
}

// saveVariant writes a variant that is a record of its own. Its product may
// come later.
func (p *page) saveVariant(ctx context.Context, rec *intake.Record, id int64, v *intake.Variant) error {
	if _, err := statedQuantity(v); err != nil {
		return err
	}
	if v.ProductID == "" {
		return p.writeVariant(ctx, rec, id, 0, v)
	}
	if err := p.loadOrigins(ctx, intake.KindProduct, []string{v.ProductID}); err != nil {
		return err
	}
	product, made, err := p.ensure(ctx, intake.KindProduct, v.ProductID)
	if err != nil {
		return err
	}
	if made {
		if err := catalog.SaveProduct(p.tx, product, &intake.Product{Kind: v.Kind}, nil); err != nil {
			return err
		}
		p.place(intake.KindProduct, v.ProductID, "")
	}
	return p.writeVariant(ctx, rec, id, product, v)
}

// writeVariant writes a variant and what the shop says of its stock.
func (p *page) writeVariant(ctx context.Context, rec *intake.Record, id, product int64, v *intake.Variant) error {
	carrier := id
	if v.StockOf != "" && v.StockOf != v.ID {
		var err error
		if carrier, err = p.variant(ctx, v.StockOf, v.ProductID); err != nil {
			return err
		}
	}
	had, err := catalog.StandingOf(ctx, p.tx, id)
	if err != nil {
		return err
	}
	if had.Stock != 0 && had.Stock != carrier {
		if err := p.moveDemand(ctx, id, had.Stock, carrier); err != nil {
			return err
		}
	}
	if had.Unlisted { // orders were booked without its stock
		p.tx.Queue(`UPDATE sales_order SET waiting = TRUE WHERE id IN (SELECT order_id FROM order_line WHERE variant_id = $1)`, id)
	}
	if err := catalog.SaveVariant(p.tx, id, product, carrier, v); err != nil {
		return err
	}
	if !v.Tracked || v.Stock == nil || carrier != id {
		return nil
	}
	q, err := statedQuantity(v)
	if err != nil {
		return err
	}
	p.tx.Queue(`INSERT INTO shop_stock (shop_id, variant_id, quantity, stated_at, seen_at) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (shop_id, variant_id) DO UPDATE SET quantity = excluded.quantity, stated_at = excluded.stated_at, seen_at = excluded.seen_at,
			waiting_since = 0, settled = FALSE`,
		p.shop, id, int64(q), store.Micros(rec.Modified), store.Micros(p.now))
	return nil
}

// statedQuantity is the stock that the shop states of a variant.
func statedQuantity(v *intake.Variant) (quantity.Quantity, error) {
	if v.Stock == nil {
		return 0, nil
	}
	q, err := quantity.Of(*v.Stock)
	if err != nil {
		return 0, fmt.Errorf("stock of variant %s: %w", v.ID, err)
	}
	return q, nil
}

// moveDemand moves what open orders want of a variant from one carrier of its
// stock to another.
func (p *page) moveDemand(ctx context.Context, variant, from, to int64) error {
	var demand, allocated int64
	err := p.tx.QueryRow(ctx, `SELECT COALESCE(SUM(demand), 0), COALESCE(SUM(allocated), 0) FROM order_line WHERE variant_id = $1 AND demand > 0`, variant).Scan(&demand, &allocated)
	if err != nil {
		return fmt.Errorf("read the demand for variant %d: %w", variant, err)
	}
	p.mover.Want(from, -quantity.Quantity(demand), -quantity.Quantity(allocated))
	p.mover.Want(to, quantity.Quantity(demand), quantity.Quantity(allocated))
	return nil
}

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
	switch ref.Kind {
	case intake.KindOrder:
		if err := p.forgetOrder(ctx, ref.ID, o.local); err != nil {
			return err
		}
	case intake.KindProduct:
		p.tx.Queue(`UPDATE product SET status = 'deleted' WHERE id = $1`, o.local)
		p.tx.Queue(`UPDATE variant SET status = 'deleted' WHERE product_id = $1`, o.local)
	case intake.KindVariant:
		p.tx.Queue(`UPDATE variant SET status = 'deleted' WHERE id = $1`, o.local)
	case intake.KindCategory:
		p.tx.Queue(`UPDATE category SET deleted = TRUE WHERE id = $1`, o.local)
		p.tx.Queue(`DELETE FROM product_category WHERE category_id = $1`, o.local)
	case intake.KindCoupon:
		p.tx.Queue(`UPDATE coupon SET deleted = TRUE WHERE id = $1`, o.local)
	}
	p.tx.Queue(`UPDATE origin SET gone = TRUE WHERE shop_id = $1 AND kind = $2 AND external_id = $3`, p.shop, string(ref.Kind), ref.ID)
	o.gone = true
	p.note(ref, fmt.Sprintf("%s %s: the shop no longer has it", ref.Kind, ref.ID))
	return nil
}
