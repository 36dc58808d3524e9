package erp

import (
	"context"
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/quantity"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Reread returns the orders that may have changed without a trace: those that
// are parked, those that are not final, and those placed after since. It
// returns at most limit, in the order of their internal ids; after is the
// position that the call before returned, 0 at first. It is at the end when it
// returns none.
func (b *Books) Reread(ctx context.Context, shop string, since time.Time, after int64, limit int) (refs []intake.Ref, next int64, err error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, 0, err
	}
	rows, err := b.db.Query(ctx, `SELECT id, external_id FROM sales_order WHERE shop_id = $1 AND id > $2 AND NOT deleted AND (NOT final OR placed_at > $3)
		UNION ALL SELECT id, external_id FROM parked WHERE shop_id = $1 AND id > $2 AND kind = 'order' AND NOT dropped AND NOT gone ORDER BY id LIMIT $4`,
		id, after, store.Micros(since), limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list orders of %s to read again: %w", shop, err)
	}
	defer rows.Close()
	next = after
	for rows.Next() {
		ref := intake.Ref{Kind: intake.KindOrder}
		if err := rows.Scan(&next, &ref.ID); err != nil {
			return nil, 0, err
		}
		refs = append(refs, ref)
	}
	return refs, next, rows.Err()
}

// knownBatch is how many refs Known yields at a time.
const knownBatch = 1000

// Known calls yield with each record of a kind that the books have from a
// shop and do not know to be gone, in batches.
func (b *Books) Known(ctx context.Context, shop string, kind intake.Kind, yield func([]intake.Ref) error) error {
	id, err := b.shop(shop)
	if err != nil {
		return err
	}
	last := ""
	for {
		batch, err := b.knownAfter(ctx, id, kind, last)
		if err != nil {
			return fmt.Errorf("list %ss of %s: %w", kind, shop, err)
		}
		if len(batch) == 0 {
			return nil
		}
		last = batch[len(batch)-1].ID
		if err := yield(batch); err != nil {
			return err
		}
	}
}

func (b *Books) knownAfter(ctx context.Context, shop int64, kind intake.Kind, last string) ([]intake.Ref, error) {
	rows, err := b.db.Query(ctx, `SELECT external_id, parent FROM origin WHERE shop_id = $1 AND kind = $2 AND external_id > $3 AND NOT gone AND digest <> '' ORDER BY external_id LIMIT $4`,
		shop, string(kind), last, knownBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []intake.Ref
	for rows.Next() {
		ref := intake.Ref{Kind: kind}
		if err := rows.Scan(&ref.ID, &ref.Parent); err != nil {
			return nil, err
		}
		out = append(out, ref)
	}
	return out, rows.Err()
}

// Count is how many records of a kind the books hold.
type Count struct {
	Shop string      `json:"shop"`
	Kind intake.Kind `json:"kind"`
	N    int64       `json:"n"`
}

// Counts counts the records of each shop and kind.
func (b *Books) Counts(ctx context.Context) ([]Count, error) {
	rows, err := b.db.Query(ctx, `SELECT s.name, o.kind, COUNT(*) FROM origin o JOIN shop s ON s.id = o.shop_id WHERE NOT o.gone AND o.digest <> '' GROUP BY s.name, o.kind ORDER BY s.name, o.kind`)
	if err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	defer rows.Close()
	var out []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Shop, &c.Kind, &c.N); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// StockTotals sums up the stock.
type StockTotals struct {
	Variants  int64           `json:"variants"` // that have any
	OnHand    decimal.Decimal `json:"on_hand"`
	Allocated decimal.Decimal `json:"allocated"`
	Available decimal.Decimal `json:"available"`
	Value     money.Amount    `json:"value"`
}

// StockTotals sums up the stock of all variants.
func (b *Books) StockTotals(ctx context.Context) (StockTotals, error) {
	t := StockTotals{Value: money.Amount{Currency: b.opts.Company.Currency}}
	var onHand, allocated, safety int64
	err := b.db.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN l.on_hand > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(l.on_hand), 0), COALESCE(SUM(l.allocated), 0), COALESCE(SUM(v.safety), 0), COALESCE(SUM(l.value), 0)
		FROM stock_level l JOIN variant v ON v.id = l.variant_id`).Scan(&t.Variants, &onHand, &allocated, &safety, &t.Value.Minor)
	if err != nil {
		return t, fmt.Errorf("sum up stock: %w", err)
	}
	t.OnHand, t.Allocated = quantity.Quantity(onHand).Decimal(), quantity.Quantity(allocated).Decimal()
	t.Available = quantity.Quantity(onHand - allocated - safety).Decimal()
	return t, nil
}
