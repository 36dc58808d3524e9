package erp

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// unmade are the queries for what a shop is to have, and was not made there yet,
// with what it is still to be told of it.
var unmade = map[intake.Resource]string{
	intake.Categories: `SELECT c.id, c.name, COALESCE(m.since, 0), COALESCE(NOT m.parked, FALSE), COALESCE(m.why, '') FROM category c
		LEFT JOIN outbox m ON m.shop_id = $1 AND m.kind = 'category' AND m.object_id = c.id
		WHERE c.shop_id = 0 AND NOT c.deleted AND NOT EXISTS (SELECT 1 FROM origin g WHERE g.kind = 'category' AND g.local_id = c.id AND g.shop_id = $1 AND NOT g.gone) ORDER BY c.id`,
	intake.Products: `SELECT p.id, p.title, COALESCE(m.since, a.asked_at), COALESCE(NOT m.parked, FALSE), COALESCE(m.why, '') FROM publication a JOIN product p ON p.id = a.product_id
		LEFT JOIN outbox m ON m.shop_id = $1 AND m.kind = 'product' AND m.object_id = p.id
		WHERE a.shop_id = $1 AND NOT a.made AND NOT EXISTS (SELECT 1 FROM origin g WHERE g.kind = 'product' AND g.local_id = p.id AND g.shop_id = $1 AND NOT g.gone) ORDER BY p.id`,
	intake.Variants: `SELECT v.id, v.sku, COALESCE(m.since, a.asked_at), COALESCE(NOT m.parked, FALSE), COALESCE(m.why, '') FROM variant_publication a JOIN variant v ON v.id = a.variant_id
		LEFT JOIN outbox m ON m.shop_id = $1 AND m.kind = 'variant' AND m.object_id = v.id
		WHERE a.shop_id = $1 AND NOT EXISTS (SELECT 1 FROM origin g WHERE g.kind = 'variant' AND g.local_id = v.id AND g.shop_id = $1 AND NOT g.gone) ORDER BY v.id`,
}

// Unmade lists the categories, the products or the variants that a shop is to
// have and that were not made there yet.
func (b *Books) Unmade(ctx context.Context, shop string, r intake.Resource) ([]Drift, error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	query, ok := unmade[r]
	if !ok || r == intake.Categories && !b.policy(id).Owns(intake.FieldCategories) {
		return nil, nil
	}
	var out []Drift
	err = eachRow(ctx, b.db, query, []any{id}, func(rows *sql.Rows) error {
		var local, since int64
		d := Drift{Resource: r, Kind: DriftExtra, Currency: b.opts.Company.Currency}
		if err := rows.Scan(&local, &d.Label, &since, &d.Pending, &d.Why); err != nil {
			return err
		}
		d.Books, d.Since = d.Label, store.FromMicros(since)
		d.Why = cmp.Or(d.Why, "it was not made in the shop yet")
		if since != 0 {
			d.AgeSeconds = max(int64(b.opts.Now().Sub(d.Since).Seconds()), 0)
		}
		// It has no id there, so it is told apart by ours.
		d.Ref = intake.Ref{Kind: intake.KindOf(r), ID: fmt.Sprint("unmade/", local)}
		out = append(out, d)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the %s that %s is to have: %w", r, shop, err)
	}
	return out, nil
}
