package erp

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"comptoir/erp/completeness"
	"comptoir/erp/store"
)

// Certify writes the certificates of days whose orders were compared whole, and
// returns them. The shop's side is what it stated of these days.
func (b *Books) Certify(ctx context.Context, shop, from, to string, ofShop completeness.Days) (out []completeness.Certificate, err error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	days, err := completeness.Between(from, to)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		ofBooks, err := completeness.OfBooks(ctx, tx, id, b.zone(), from, to)
		if err != nil {
			return err
		}
		completeness.Save(tx, id, days, ofShop, ofBooks, b.opts.Now())
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		out, err = completeness.Read(ctx, tx, id, b.zone(), from, to)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("certify %s to %s of %s: %w", from, to, shop, err)
	}
	return out, nil
}

// FirstOrderDay returns the day of the first order that the books have of a
// shop; "" where they have none.
func (b *Books) FirstOrderDay(ctx context.Context, shop string) (string, error) {
	id, err := b.shop(shop)
	if err != nil {
		return "", err
	}
	return completeness.FirstDay(ctx, b.db, id, b.zone())
}

// DayOf returns the day of an instant in the company's time zone.
func (b *Books) DayOf(t time.Time) string { return completeness.DayOf(t, b.zone()) }

// BeginOf returns the first instant of a day in the company's time zone; the
// zero time of what is no day.
func (b *Books) BeginOf(day string) time.Time {
	t, err := completeness.Begin(day, b.zone())
	if err != nil {
		return time.Time{}
	}
	return t
}

// zone is the time zone of the company.
func (b *Books) zone() *time.Location {
	return cmp.Or(b.opts.Company.TimeZone, time.UTC)
}
