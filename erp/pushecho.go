package erp

import (
	"context"
	"database/sql"
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// statedVariant is the record in which a shop stated a variant: its own, or
// that of its product.
type statedVariant struct {
	kind     intake.Kind
	external string
	local    int64
	body     any
}

// variant returns the variant of the record that has an external id; nil where
// it has none.
func (s *statedVariant) variant(external string) *intake.Variant {
	if s == nil {
		return nil
	}
	switch body := s.body.(type) {
	case *intake.Variant:
		return body
	case *intake.Product:
		for i := range body.Variants {
			if body.Variants[i].ID == external {
				return &body.Variants[i]
			}
		}
	}
	return nil
}

// variantRecords reads the records in which a shop last stated variants, by
// variant. Variants of one product share its record.
func (b *Books) variantRecords(ctx context.Context, r store.Reader, shop int64, variants []int64) (map[int64]*statedVariant, error) {
	out := make(map[int64]*statedVariant, len(variants))
	if len(variants) == 0 {
		return out, nil
	}
	shared := map[int64]*statedVariant{}
	take := func(rows *sql.Rows) error {
		var variant int64
		var statement []byte
		s := new(statedVariant)
		if err := rows.Scan(&variant, &s.kind, &s.external, &s.local, &statement); err != nil {
			return err
		}
		if had := shared[s.local]; had != nil {
			out[variant] = had
			return nil
		}
		statement, err := b.decompress(statement)
		if err != nil {
			return fmt.Errorf("statement of %s %s: %w", s.kind, s.external, err)
		}
		if s.body, err = intake.Reopen(s.kind, statement); err != nil {
			return err
		}
		shared[s.local], out[variant] = s, s
		return nil
	}
	in, args := store.In(len(variants), 2), store.InArgs([]any{shop}, variants)
	for _, q := range []string{
		`SELECT g.local_id, g.kind, g.external_id, g.local_id, p.statement FROM origin g JOIN payload p ON p.local_id = g.local_id AND p.kind = 'variant' AND p.shop_id = g.shop_id
			WHERE g.shop_id = $1 AND g.kind = 'variant' AND NOT g.gone AND g.digest <> '' AND g.local_id IN (` + in + `)`,
		`SELECT g.local_id, o.kind, o.external_id, o.local_id, p.statement FROM origin g JOIN origin o ON o.shop_id = g.shop_id AND o.kind = 'product' AND o.external_id = g.parent
			JOIN payload p ON p.local_id = o.local_id AND p.kind = 'product' AND p.shop_id = g.shop_id
			WHERE g.shop_id = $1 AND g.kind = 'variant' AND NOT g.gone AND g.digest = '' AND g.local_id IN (` + in + `)`,
	} {
		if err := eachRow(ctx, r, q, args, take); err != nil {
			return nil, fmt.Errorf("read what the shop states of variants: %w", err)
		}
	}
	return out, nil
}

// echo is a number that the shop has since it was told.
type echo struct {
	variant  int64
	external string
	location string
	has      quantity.Quantity
}

// echo writes into what a shop stated what it has since it was told: when it
// states it, that is no news.
func (b *Books) echo(ctx context.Context, p *page, list []echo) error {
	ids := make([]int64, len(list))
	for i, e := range list {
		ids[i] = e.variant
	}
	said, err := b.variantRecords(ctx, p.tx, p.shop, ids)
	if err != nil {
		return err
	}
	changed := map[*statedVariant]bool{}
	for _, e := range list {
		p.restock(e)
		s := said[e.variant]
		if v := s.variant(e.external); v != nil && amend(v, e) {
			changed[s] = true
		}
	}
	for _, e := range list {
		if s := said[e.variant]; changed[s] {
			delete(changed, s)
			if err := p.reseal(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// restock writes what the shop has into what it is known to state.
func (p *page) restock(e echo) {
	if e.location == "" {
		p.tx.Queue(`UPDATE shop_stock SET quantity = $3 WHERE shop_id = $1 AND variant_id = $2`, p.shop, e.variant, int64(e.has))
		return
	}
	p.tx.Queue(`UPDATE shop_stock SET quantity = shop_stock.quantity + $4 - l.available FROM shop_level l
		WHERE shop_stock.shop_id = $1 AND shop_stock.variant_id = $2 AND l.shop_id = $1 AND l.variant_id = $2 AND l.location = $3`, p.shop, e.variant, e.location, int64(e.has))
	p.tx.Queue(`UPDATE shop_level SET on_hand = on_hand + $4 - available, available = $4 WHERE shop_id = $1 AND variant_id = $2 AND location = $3`, p.shop, e.variant, e.location, int64(e.has))
}

// amend writes what the shop has into its statement. It reports false where the
// shop states no such number.
func amend(v *intake.Variant, e echo) bool {
	if v.Stock == nil {
		return false
	}
	has := e.has.Decimal()
	if e.location == "" {
		v.Stock = &has
		return true
	}
	for i := range v.Levels {
		if l := &v.Levels[i]; l.Location == e.location {
			more := has.Sub(l.Available)
			stock := v.Stock.Add(more)
			l.Available, l.OnHand, v.Stock = has, l.OnHand.Add(more), &stock
			return true
		}
	}
	return false
}

// reseal writes a statement that was amended, and its digest.
func (p *page) reseal(s *statedVariant) error {
	rec, err := intake.Seal(intake.Ref{Kind: s.kind, ID: s.external}, p.now, s.body, nil)
	if err != nil {
		return err
	}
	p.tx.Queue(`UPDATE origin SET digest = $4 WHERE shop_id = $1 AND kind = $2 AND external_id = $3`, p.shop, string(s.kind), s.external, rec.Digest)
	p.tx.Queue(`UPDATE payload SET statement = $4 WHERE shop_id = $1 AND kind = $2 AND local_id = $3`, p.shop, string(s.kind), s.local, p.b.compress(rec.Statement))
	return nil
}
