package erp

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"comptoir/erp/completeness"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// fact is what an order adds to its day.
func (d *drifting) fact(o *intake.Order) OrderFact {
	if o.PlacedAt.IsZero() {
		return OrderFact{}
	}
	f := OrderFact{Day: completeness.DayOf(o.PlacedAt, d.b.zone()), Status: o.RawStatus, Currency: o.Currency}
	if total, err := money.Round(o.Total, o.Currency); err == nil {
		f.Total = total.Minor
	} // else the order is parked, and the day differs by it
	return f
}

// extra notes a record that only the books have.
func (d *drifting) extra(ctx context.Context, rec *intake.Record, had *origin) error {
	f := Drift{Kind: DriftExtra, Since: store.FromMicros(had.modified)}
	if rec.Ref.Kind == intake.KindOrder {
		var a money.Amount
		var number, status string
		err := d.r.QueryRow(ctx, `SELECT number, raw_status, total, currency FROM sales_order WHERE id = $1`, had.local).Scan(&number, &status, &a.Minor, &a.Currency)
		if err != nil {
			return fmt.Errorf("read order %s: %w", rec.Ref.ID, err)
		}
		f.Label, f.Books, f.Value, f.Currency = number, status, a.Decimal(), a.Currency
	} else if before, err := d.b.statements(ctx, d.r, d.shop, rec.Ref.Kind, []int64{had.local}); err != nil {
		return err
	} else {
		f.Label = labelOf(before[had.local])
	}
	d.add(rec, f)
	return nil
}

// orderDiffers notes what the shop states of an order now beside what it stated
// when it was booked: the status and the total, or else that something differs.
func (d *drifting) orderDiffers(ctx context.Context, rec *intake.Record, now *intake.Order, had *origin) error {
	stated, err := d.b.statements(ctx, d.r, d.shop, intake.KindOrder, []int64{had.local})
	if err != nil {
		return err
	}
	f := Drift{Kind: DriftDifferent, Label: now.Number, Value: now.Total, Currency: now.Currency}
	booked, ok := stated[had.local].(*intake.Order)
	refunded, bookedRefunds := refundsOf(now), decimal.Decimal{}
	if ok {
		bookedRefunds = refundsOf(booked)
	}
	switch {
	case !ok:
		f.Field = "content"
	case booked.RawStatus != now.RawStatus:
		f.Field, f.Shop, f.Books = "status", now.RawStatus, booked.RawStatus
	case !booked.Total.Equal(now.Total):
		f.Field, f.Shop, f.Books, f.Value = "total", now.Total.String(), booked.Total.String(), now.Total.Sub(booked.Total)
	case !refunded.Equal(bookedRefunds):
		f.Field, f.Shop, f.Books, f.Value = "refunds", refunded.String(), bookedRefunds.String(), refunded.Sub(bookedRefunds)
	default:
		f.Field, f.Shop, f.Books = "content", rec.Digest[:min(8, len(rec.Digest))], had.digest[:min(8, len(had.digest))]
	}
	d.add(rec, f)
	return nil
}

func refundsOf(o *intake.Order) (sum decimal.Decimal) {
	for _, r := range o.Refunds {
		sum = sum.Add(r.Amount)
	}
	return sum
}

// OrdersSince calls yield with the orders that the books have of a shop and that
// were placed at or after an instant. An error from yield ends it.
func (b *Books) OrdersSince(ctx context.Context, shop string, since time.Time, yield func([]intake.Ref) error) error {
	id, err := b.shop(shop)
	if err != nil {
		return err
	}
	var refs []intake.Ref
	err = eachRow(ctx, b.db, `SELECT external_id FROM sales_order WHERE shop_id = $1 AND placed_at >= $2 AND NOT deleted ORDER BY placed_at, id`, []any{id, store.Micros(since)},
		func(rows *sql.Rows) error {
			ref := intake.Ref{Kind: intake.KindOrder}
			err := rows.Scan(&ref.ID)
			refs = append(refs, ref)
			return err
		})
	if err != nil {
		return fmt.Errorf("list the orders of %s since %s: %w", shop, since.Format(time.RFC3339), err)
	}
	return yield(refs)
}
