// Package catalog keeps what is sold: products, the variants that are their
// sellable units, and the categories they stand in.
package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// SaveProduct queues a product, new or changed.
func SaveProduct(tx *store.Tx, id int64, p *intake.Product) error {
	images, err := json.Marshal(p.Images)
	if err != nil {
		return fmt.Errorf("save product: %w", err)
	}
	tx.Queue(`INSERT INTO product (id, title, slug, description, short, brand, status, kind, tax_class, images) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, slug = excluded.slug, description = excluded.description, short = excluded.short,
			brand = excluded.brand, status = excluded.status, kind = excluded.kind, tax_class = excluded.tax_class, images = excluded.images`,
		id, p.Title, p.Slug, p.Description, p.Short, p.Brand, p.Status, string(p.Kind), p.TaxClass, string(images))
	return nil
}

// SaveCategories queues the categories of a shop that a product stands in. Those
// of other shops, and of the house, stay.
func SaveCategories(tx *store.Tx, shop, product int64, categories []int64) {
	tx.Queue(`DELETE FROM product_category WHERE product_id = $1 AND category_id IN (SELECT id FROM category WHERE shop_id = $2)`, product, shop)
	seen := map[int64]bool{}
	for _, c := range categories {
		if !seen[c] {
			seen[c] = true
			tx.Queue(`INSERT INTO product_category (product_id, category_id) VALUES ($1, $2) ON CONFLICT (product_id, category_id) DO NOTHING`, product, c)
		}
	}
}

// SaveVariant queues a variant, new or changed. Stock is the variant that
// carries its stock. Linked says that it need not be looked for among those of
// other shops; one that is linked stays so.
func SaveVariant(tx *store.Tx, id, product, stock int64, v *intake.Variant, linked bool) error {
	options, err := json.Marshal(v.Options)
	if err != nil {
		return fmt.Errorf("save variant: %w", err)
	}
	tx.Queue(`INSERT INTO variant (id, product_id, sku, barcode, title, options, status, kind, tax_class, price, regular, sale, sale_from, sale_to, cost, weight, backorders, tracked, stock_id, sellable, stub, linked)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,FALSE,$21)
		ON CONFLICT (id) DO UPDATE SET product_id = excluded.product_id, sku = excluded.sku, barcode = excluded.barcode, title = excluded.title, options = excluded.options,
			status = excluded.status, kind = excluded.kind, tax_class = excluded.tax_class, price = excluded.price, regular = excluded.regular, sale = excluded.sale,
			sale_from = excluded.sale_from, sale_to = excluded.sale_to, cost = excluded.cost, weight = excluded.weight, backorders = excluded.backorders,
			tracked = excluded.tracked, stock_id = excluded.stock_id, sellable = excluded.sellable, stub = FALSE, unlisted = FALSE,
			linked = variant.linked OR excluded.linked`,
		id, product, v.SKU, v.Barcode, v.Title, string(options), v.Status, string(v.Kind), v.TaxClass, text(v.Price), text(v.Regular), text(v.Sale),
		store.Micros(v.SaleFrom), store.Micros(v.SaleTo), text(v.Cost), v.Weight, v.Backorders, v.Tracked, stock, v.Sellable, linked)
	return nil
}

// Reword queues what the fields say that are described in words and prices: the
// barcode, the options, the prices with their dates, the weight and whether it
// may be sold beyond the stock.
func Reword(tx *store.Tx, id int64, v *intake.Variant) error {
	options, err := json.Marshal(v.Options)
	if err != nil {
		return fmt.Errorf("reword variant %d: %w", id, err)
	}
	tx.Queue(`UPDATE variant SET barcode = $2, options = $3, price = $4, regular = $5, sale = $6, sale_from = $7, sale_to = $8, weight = $9, backorders = $10 WHERE id = $1`,
		id, v.Barcode, string(options), text(v.Price), text(v.Regular), text(v.Sale), store.Micros(v.SaleFrom), store.Micros(v.SaleTo), v.Weight, v.Backorders)
	return nil
}

// SaveStub queues a variant that a record names before the shop has described
// it. The shop has had it since the given instant at the latest.
func SaveStub(tx *store.Tx, id int64, sku, title string, since time.Time) {
	tx.Queue(`INSERT INTO variant (id, product_id, sku, barcode, title, options, status, kind, tax_class, price, regular, sale, sale_from, sale_to, cost, weight, backorders, tracked, stock_id, sellable, stub, stub_at, linked)
		VALUES ($1,0,$2,'',$3,'[]','','stocked','','','','',0,0,'','','',FALSE,$1,TRUE,TRUE,$4,FALSE)`, id, sku, title, store.Micros(since))
}

// Standing is what the books had of a variant before it is described anew.
type Standing struct {
	Stock    int64 // the variant that carries its stock; 0 for a new one
	Unlisted bool
	Cost     string // "" where no shop has stated one
}

// StandingOf reads the standing of a variant.
func StandingOf(ctx context.Context, r store.Reader, id int64) (Standing, error) {
	var s Standing
	err := r.QueryRow(ctx, `SELECT stock_id, unlisted, cost FROM variant WHERE id = $1`, id).Scan(&s.Stock, &s.Unlisted, &s.Cost)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("read variant %d: %w", id, err)
	}
	return s, nil
}

func text(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

// SaveCategory queues a category of a shop, new or changed. Parent is 0 for a
// root.
func SaveCategory(tx *store.Tx, id, shop, parent int64, c *intake.Category) {
	tx.Queue(`INSERT INTO category (id, shop_id, parent_id, name, slug, description, position) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name, slug = excluded.slug, description = excluded.description,
			position = excluded.position, deleted = FALSE`,
		id, shop, parent, c.Name, c.Slug, c.Description, c.Position)
}

// Variant is what the books need to know of a variant to sell it.
type Variant struct {
	ID      int64
	Stock   int64 // the variant that carries its stock
	Tracked bool
	// Stub: the shop has not described it yet, or it is not linked yet, so its
	// goods must wait.
	Stub bool
	// Unlisted: the shop did not describe it when its products were read.
	Unlisted bool
	// Cost of one unit in the company's currency, of the stock that it is sold
	// from: as that was valued, else as the shop states it. Nil where neither
	// says.
	Cost *decimal.Decimal
}

// Variants reads variants by id.
func Variants(ctx context.Context, r store.Reader, ids []int64) (map[int64]Variant, error) {
	out := make(map[int64]Variant, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT v.id, v.stock_id, v.tracked OR COALESCE(p.tracked, FALSE), v.stub OR NOT (v.linked OR v.unlisted), v.unlisted, CASE WHEN l.opened THEN l.unit_cost ELSE COALESCE(p.cost, '') END
		FROM variant v LEFT JOIN variant p ON p.id = v.stock_id LEFT JOIN stock_level l ON l.variant_id = v.stock_id AND l.place_id = 1
		WHERE v.id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read variants: %w", err)
	}
	var unpriced []int64
	for rows.Next() {
		var v Variant
		var cost string
		if err := rows.Scan(&v.ID, &v.Stock, &v.Tracked, &v.Stub, &v.Unlisted, &cost); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		if cost == "" {
			unpriced = append(unpriced, v.ID)
		} else if v.Cost, err = costOf(v.ID, cost); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		out[v.ID] = v
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	carriers := make([]int64, 0, len(unpriced))
	for _, id := range unpriced {
		carriers = append(carriers, out[id].Stock)
	}
	costs, err := SharedCosts(ctx, r, carriers)
	if err != nil {
		return nil, err
	}
	for _, id := range unpriced {
		v := out[id]
		if c, ok := costs[v.Stock]; ok {
			v.Cost = &c
			out[id] = v
		}
	}
	return out, nil
}

func costOf(variant int64, text string) (*decimal.Decimal, error) {
	c, err := decimal.NewFromString(text)
	if err != nil {
		return nil, fmt.Errorf("cost of variant %d: %w", variant, err)
	}
	return &c, nil
}

// SharedCosts returns what a unit costs of variants that carry the stock of
// others and have no cost of their own: the mean of what the others cost, to
// four decimals. Stock that is one has one cost, whichever of them is sold.
func SharedCosts(ctx context.Context, r store.Reader, carriers []int64) (map[int64]decimal.Decimal, error) {
	out := map[int64]decimal.Decimal{}
	if len(carriers) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT id, stock_id, cost FROM variant WHERE cost <> '' AND stock_id <> id AND stock_id IN (`+store.In(len(carriers), 1)+`)`, store.InArgs(nil, carriers)...)
	if err != nil {
		return nil, fmt.Errorf("read costs of variants: %w", err)
	}
	defer rows.Close()
	n := map[int64]int64{}
	for rows.Next() {
		var id, carrier int64
		var text string
		if err := rows.Scan(&id, &carrier, &text); err != nil {
			return nil, err
		}
		c, err := costOf(id, text)
		if err != nil {
			return nil, err
		}
		n[carrier]++
		out[carrier] = out[carrier].Add(*c)
	}
	for carrier, count := range n {
		out[carrier] = out[carrier].DivRound(decimal.NewFromInt(count), 4)
	}
	return out, rows.Err()
}
