package erp

import (
	"context"
	"fmt"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/crm"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
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
		return p.saveCategory(ctx, id, body)
	case *intake.Product:
		return p.saveProduct(ctx, rec, id, body)
	case *intake.Variant:
		return p.saveVariant(ctx, rec, id, body)
	case *intake.Coupon:
		p.tx.Queue(`INSERT INTO coupon (id, shop_id, code, type, amount, description, expires_at, usage_count, usage_limit, free_shipping) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
			ON CONFLICT (id) DO UPDATE SET code = excluded.code, type = excluded.type, amount = excluded.amount, description = excluded.description, expires_at = excluded.expires_at,
				usage_count = excluded.usage_count, usage_limit = excluded.usage_limit, free_shipping = excluded.free_shipping, deleted = FALSE`,
			id, p.shop, body.Code, body.Type, body.Amount.String(), body.Description, store.Micros(body.ExpiresAt), body.UsageCount, body.UsageLimit, body.Free)
	case *intake.Location:
		p.tx.Queue(`INSERT INTO location (id, shop_id, external_id, name, country, city, active, ships) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, country = excluded.country, city = excluded.city, active = excluded.active, ships = excluded.ships, deleted = FALSE`,
			id, p.shop, rec.Ref.ID, body.Name, body.Country, body.City, body.Active, body.Ships)
		p.heedLocation()
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
		if err := checkQuantities(&body.Variants[i]); err != nil {
			return err
		}
	}
	standing, err := p.standing(ctx, intake.KindProduct, id)
	if err != nil {
		return err
	}
	had, err := p.knownProduct(ctx, id)
	if err != nil {
		return err
	}
	if standing.describes {
		if err := p.describeProduct(ctx, id, had, body, standing.shared); err != nil {
			return err
		}
	}
	if had == nil || !p.b.policy(p.shop).Owns(intake.FieldCategories) {
		if err := p.saveCategories(ctx, id, body.CategoryIDs, standing.describes); err != nil {
			return err
		}
	}
	if err := p.heed(ctx, intake.KindProduct, id, had == nil, body); err != nil {
		return err
	}
	for i := range body.Variants {
		v := &body.Variants[i]
		variant, err := p.variant(ctx, v.ID, rec.Ref.ID)
		if err != nil {
			return err
		}
		if variant, err = p.revive(ctx, v.ID, variant); err != nil {
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
	if err := checkQuantities(v); err != nil {
		return err
	}
	id, err := p.revive(ctx, rec.Ref.ID, id)
	if err != nil {
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
		if err := catalog.SaveProduct(p.tx, product, &intake.Product{Kind: v.Kind}); err != nil {
			return err
		}
		p.place(intake.KindProduct, v.ProductID, "")
	}
	return p.writeVariant(ctx, rec, id, product, v)
}

// writeVariant writes a variant and what the shop says of its stock. Where
// several shops sell it, one of them describes it.
func (p *page) writeVariant(ctx context.Context, rec *intake.Record, id, product int64, v *intake.Variant) error {
	standing, err := p.standing(ctx, intake.KindVariant, id)
	if err != nil {
		return err
	}
	carrier := id
	if v.StockOf != "" && v.StockOf != v.ID {
		if carrier, err = p.variant(ctx, v.StockOf, v.ProductID); err != nil {
			return err
		}
	}
	had, err := catalog.StandingOf(ctx, p.tx, id)
	if err != nil {
		return err
	}
	described, err := p.knownVariant(ctx, id)
	if err != nil {
		return err
	}
	if standing.describes {
		said := *v
		if described != nil {
			before, err := p.variantBefore(ctx, id, v.ID, standing.shared)
			if err != nil {
				return err
			}
			if err := p.keepOwned(intake.KindVariant, id, &described.Variant, before, &said); err != nil {
				return err
			}
		}
		if err := p.describeVariant(ctx, id, product, carrier, &said, had, standing.alone); err != nil {
			return err
		}
	}
	if err := p.heed(ctx, intake.KindVariant, id, described == nil, v); err != nil {
		return err
	}
	if standing.shared && had.Cost != "" && v.Cost == nil {
		p.tx.Queue(`UPDATE variant SET cost = $2 WHERE id = $1`, id, had.Cost)
	} else if !standing.describes && had.Cost == "" && v.Cost != nil {
		p.tx.Queue(`UPDATE variant SET cost = $2 WHERE id = $1`, id, v.Cost.String())
	}
	if err := p.writeStock(rec, id, carrier == id, v); err != nil {
		return err
	}
	p.heedStock(id)
	if standing.shared {
		catalog.Track(p.tx, id)
		if carrier == id && (!v.Tracked || v.Stock == nil) {
			p.passOn(id)
		}
	}
	return nil
}

// describeVariant writes a variant as the shop describes it.
func (p *page) describeVariant(ctx context.Context, id, product, carrier int64, v *intake.Variant, had catalog.Standing, linked bool) error {
	if had.Stock != 0 && had.Stock != carrier {
		if err := p.moveDemand(ctx, id, had.Stock, carrier); err != nil {
			return err
		}
	}
	if had.Unlisted { // orders were booked without its stock
		p.tx.Queue(`UPDATE sales_order SET waiting = TRUE WHERE id IN (SELECT order_id FROM order_line WHERE variant_id = $1)`, id)
	}
	return catalog.SaveVariant(p.tx, id, product, carrier, v, linked)
}

// writeStock writes what the shop says it has of a variant, which does or does
// not carry its own stock.
func (p *page) writeStock(rec *intake.Record, id int64, own bool, v *intake.Variant) error {
	p.tx.Queue(`DELETE FROM shop_level WHERE variant_id = $1 AND shop_id = $2`, id, p.shop)
	for _, l := range v.Levels {
		var q [4]quantity.Quantity
		for i, d := range []decimal.Decimal{l.Available, l.OnHand, l.Committed, l.Incoming} {
			var err error
			if q[i], err = quantity.Of(d); err != nil {
				return fmt.Errorf("stock of variant %s: %w", v.ID, err)
			}
		}
		p.tx.Queue(`INSERT INTO shop_level (variant_id, shop_id, location, available, on_hand, committed, incoming) VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (variant_id, shop_id, location) DO UPDATE SET available = excluded.available, on_hand = excluded.on_hand, committed = excluded.committed, incoming = excluded.incoming`,
			id, p.shop, l.Location, int64(q[0]), int64(q[1]), int64(q[2]), int64(q[3]))
	}
	if !v.Tracked || v.Stock == nil || !own {
		p.tx.Queue(`DELETE FROM shop_stock WHERE shop_id = $1 AND variant_id = $2`, p.shop, id)
		return nil
	}
	q, err := quantity.Of(*v.Stock)
	if err != nil {
		return fmt.Errorf("stock of variant %s: %w", v.ID, err)
	}
	p.tx.Queue(`INSERT INTO shop_stock (shop_id, variant_id, quantity, stated_at, seen_at) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (shop_id, variant_id) DO UPDATE SET quantity = excluded.quantity, stated_at = excluded.stated_at, seen_at = excluded.seen_at,
			waiting_since = 0, settled = FALSE, known = FALSE`,
		p.shop, id, int64(q), store.Micros(rec.Modified), store.Micros(p.now))
	return nil
}

// heedStock queues messages about a stock of which the shop states something
// else than it is known to have. Where it only states that, it is no news.
func (p *page) heedStock(variant int64) {
	shops := p.b.sends(intake.FieldQuantity)
	if len(shops) == 0 {
		return
	}
	p.tx.Queue(`UPDATE shop_stock SET known = TRUE WHERE shop_id = $1 AND variant_id = $2
		AND EXISTS (SELECT 1 FROM stock_ack a WHERE a.shop_id = $1 AND a.variant_id = $2)
		AND NOT EXISTS (SELECT 1 FROM stock_ack a LEFT JOIN shop_level x ON x.shop_id = a.shop_id AND x.variant_id = a.variant_id AND x.location = a.location
			LEFT JOIN shop_taken t ON t.shop_id = a.shop_id AND t.variant_id = a.variant_id
			WHERE a.shop_id = $1 AND a.variant_id = $2 AND (a.unsure OR a.quantity - COALESCE(t.quantity, 0) + a.taken IS DISTINCT FROM CASE WHEN a.location = '' THEN shop_stock.quantity ELSE x.available END))`,
		p.shop, variant)
	outbox.PutStockNews(p.tx, shops, variant, p.now)
}

// heedLocation queues messages about all stock of the shop: it may have to be
// offered at another location.
func (p *page) heedLocation() {
	if p.b.policy(p.shop).Sends(intake.FieldQuantity) {
		outbox.PutAllStock(p.tx, p.shop, p.now)
	}
}

// checkQuantities looks at the quantities that a shop states of a variant.
func checkQuantities(v *intake.Variant) error {
	var stated []decimal.Decimal
	if v.Stock != nil {
		stated = append(stated, *v.Stock)
	}
	for _, l := range v.Levels {
		stated = append(stated, l.Available, l.OnHand, l.Committed, l.Incoming)
	}
	for _, d := range stated {
		if _, err := quantity.Of(d); err != nil {
			return fmt.Errorf("stock of variant %s: %w", v.ID, err)
		}
	}
	return nil
}

// moveDemand moves what open orders want of a variant from one carrier of its
// stock to another.
func (p *page) moveDemand(ctx context.Context, variant, from, to int64) error {
	rows, err := p.tx.Query(ctx, `SELECT o.shop_id, SUM(l.demand), SUM(l.allocated) FROM order_line l JOIN sales_order o ON o.id = l.order_id
		WHERE l.variant_id = $1 AND l.demand > 0 GROUP BY o.shop_id`, variant)
	if err != nil {
		return fmt.Errorf("read the demand for variant %d: %w", variant, err)
	}
	defer rows.Close()
	for rows.Next() {
		var shop, demand, allocated int64
		if err := rows.Scan(&shop, &demand, &allocated); err != nil {
			return err
		}
		p.mover.Want(shop, from, -quantity.Quantity(demand), -quantity.Quantity(allocated))
		p.mover.Want(shop, to, quantity.Quantity(demand), quantity.Quantity(allocated))
	}
	return rows.Err()
}
