package catalog

import (
	"context"
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// Unlinked is a variant that was not yet looked for among those of other shops.
type Unlinked struct {
	ID      int64
	SKU     string
	Barcode string
	Product int64
	Sold    bool // it is sold itself, and holds not only the stock of others
	Gone    bool // the shop no longer has it
}

// UnlinkedOf reads the variants of a shop that it has described and that are not
// linked, with ids beyond after, at most limit.
func UnlinkedOf(ctx context.Context, r store.Reader, shop, after int64, limit int) ([]Unlinked, error) {
	rows, err := r.Query(ctx, `SELECT v.id, v.sku, v.barcode, v.product_id, v.sellable, g.gone FROM variant v JOIN origin g ON g.local_id = v.id AND g.kind = 'variant'
		WHERE NOT v.linked AND NOT v.stub AND NOT v.unlisted AND g.shop_id = $1 AND v.id > $2 ORDER BY v.id LIMIT $3`, shop, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read unlinked variants: %w", err)
	}
	defer rows.Close()
	var out []Unlinked
	for rows.Next() {
		var u Unlinked
		if err := rows.Scan(&u.ID, &u.SKU, &u.Barcode, &u.Product, &u.Sold, &u.Gone); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

// Listings reads which shops have which variants on sale under some SKUs, by
// SKU. SKUs are compared to the letter.
func Listings(ctx context.Context, r store.Reader, skus []string) (map[string][]Listing, error) {
	return listings(ctx, r, "sku", skus)
}

// ListingsByBarcode reads the same by barcode.
func ListingsByBarcode(ctx context.Context, r store.Reader, barcodes []string) (map[string][]Listing, error) {
	return listings(ctx, r, "barcode", barcodes)
}

func listings(ctx context.Context, r store.Reader, column string, codes []string) (map[string][]Listing, error) {
	out := map[string][]Listing{}
	if len(codes) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT v.`+column+`, v.id, v.sku, g.shop_id, v.linked, v.stock_id = v.id AND NOT EXISTS (SELECT 1 FROM variant x WHERE x.stock_id = v.id AND x.id <> v.id)
		FROM variant v JOIN origin g ON g.local_id = v.id AND g.kind = 'variant'
		WHERE NOT g.gone AND NOT v.stub AND NOT v.unlisted AND v.sellable AND v.`+column+` <> '' AND v.`+column+` IN (`+store.In(len(codes), 1)+`)`, store.InArgs(nil, codes)...)
	if err != nil {
		return nil, fmt.Errorf("read the variants by %s: %w", column, err)
	}
	defer rows.Close()
	for rows.Next() {
		var code string
		var l Listing
		if err := rows.Scan(&code, &l.Variant, &l.SKU, &l.Shop, &l.Linked, &l.Own); err != nil {
			return nil, err
		}
		out[code] = append(out[code], l)
	}
	return out, rows.Err()
}

// BoundTo returns the shops that have a product or a variant and have not taken
// it away.
func BoundTo(ctx context.Context, r store.Reader, kind intake.Kind, id int64) ([]int64, error) {
	q := `SELECT DISTINCT shop_id FROM origin WHERE local_id = $1 AND kind = 'variant' AND NOT gone`
	if kind == intake.KindProduct {
		q = `SELECT DISTINCT shop_id FROM origin WHERE local_id = $1 AND kind = 'product' AND NOT gone`
	}
	rows, err := r.Query(ctx, q, id)
	if err != nil {
		return nil, fmt.Errorf("read the shops of %s %d: %w", kind, id, err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var shop int64
		if err := rows.Scan(&shop); err != nil {
			return nil, err
		}
		out = append(out, shop)
	}
	return out, rows.Err()
}

// Merge queues that a variant of a shop, for which nothing was booked, is one
// that the books have: all that hangs on it moves there, and its row stays as a
// trail. Where the shop describes both from now on, its words are taken over; a
// cost is taken over where there was none in any case.
func Merge(tx *store.Tx, shop, variant, into int64, describes bool) {
	for _, q := range []string{ // what the shop said, and was told, of one that it took away since
		`DELETE FROM payload WHERE local_id = $1 AND kind = 'variant' AND shop_id = $2`,
		`DELETE FROM shop_stock WHERE variant_id = $1 AND shop_id = $2`,
		`DELETE FROM shop_level WHERE variant_id = $1 AND shop_id = $2`,
		`DELETE FROM stock_ack WHERE variant_id = $1 AND shop_id = $2`,
	} {
		tx.Queue(q, into, shop)
	}
	for _, q := range []string{
		`UPDATE payload SET local_id = $2 WHERE local_id = $1 AND kind = 'variant'`,
		`UPDATE shop_stock SET variant_id = $2 WHERE variant_id = $1`,
		`UPDATE shop_level SET variant_id = $2 WHERE variant_id = $1`,
		`UPDATE origin SET local_id = $2 WHERE local_id = $1 AND kind = 'variant'`,
	} {
		tx.Queue(q, variant, into)
	}
	if describes {
		tx.Queue(`UPDATE variant SET product_id = n.product_id, barcode = n.barcode, title = n.title, options = n.options, status = n.status, kind = n.kind, tax_class = n.tax_class,
				price = n.price, regular = n.regular, sale = n.sale, sale_from = n.sale_from, sale_to = n.sale_to, weight = n.weight, backorders = n.backorders,
				cost = CASE WHEN n.cost = '' THEN variant.cost ELSE n.cost END
			FROM variant n WHERE variant.id = $2 AND n.id = $1`, variant, into)
	} else {
		tx.Queue(`UPDATE variant SET cost = n.cost FROM variant n WHERE variant.id = $2 AND n.id = $1 AND variant.cost = ''`, variant, into)
	}
	tx.Queue(`UPDATE variant SET merged_into = $2, linked = TRUE, sku = '', barcode = '', cost = '', product_id = 0, tracked = FALSE, status = 'deleted' WHERE id = $1`, variant, into)
	Track(tx, into)
}

// Track queues that the stock of a variant which several shops sell is counted
// where one of them counts it.
func Track(tx *store.Tx, variant int64) {
	tx.Queue(`UPDATE variant SET tracked = EXISTS (SELECT 1 FROM shop_stock s WHERE s.variant_id = variant.id) WHERE id = $1`, variant)
}

// MergeProduct queues that a product of which no variant is left is another
// one, and stands in the categories of both; in those of the house only where
// house says so, else it stands there as the other one does. It queues nothing,
// and reports false, where it has variants left, or where a shop has both.
func MergeProduct(ctx context.Context, tx *store.Tx, product, into int64, house bool) (bool, error) {
	var apart bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM variant WHERE product_id = $1) OR EXISTS (SELECT 1 FROM origin a JOIN origin b ON b.shop_id = a.shop_id AND b.kind = a.kind
		WHERE a.kind = 'product' AND a.local_id = $1 AND b.kind = 'product' AND b.local_id = $2)`, product, into).Scan(&apart)
	if err != nil {
		return false, fmt.Errorf("read what is left of product %d: %w", product, err)
	}
	if apart {
		return false, nil
	}
	if !house {
		tx.Queue(`DELETE FROM product_category WHERE product_id = $1 AND category_id IN (SELECT id FROM category WHERE shop_id = 0)`, product)
	}
	for _, q := range []string{
		`UPDATE payload SET local_id = $2 WHERE local_id = $1 AND kind = 'product'`,
		`UPDATE origin SET local_id = $2 WHERE local_id = $1 AND kind = 'product'`,
		`INSERT INTO product_category (product_id, category_id) SELECT CAST($2 AS BIGINT), category_id FROM product_category WHERE product_id = $1 ON CONFLICT (product_id, category_id) DO NOTHING`,
		`INSERT INTO publication (shop_id, product_id, asked_at, made) SELECT shop_id, CAST($2 AS BIGINT), asked_at, made FROM publication WHERE product_id = $1 AND made ON CONFLICT (shop_id, product_id) DO NOTHING`,
	} {
		tx.Queue(q, product, into)
	}
	for _, q := range []string{
		`DELETE FROM product_category WHERE product_id = $1`,
		`DELETE FROM publication WHERE product_id = $1`,
		`DELETE FROM product WHERE id = $1`,
	} {
		tx.Queue(q, product)
	}
	return true, nil
}
