package erp

import (
	"context"
	"database/sql"
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// stock compares units: where the books decide, with what the shop should have;
// else with what the books took over from it.
func (d *drifting) stock(ctx context.Context, all []described) error {
	stated := map[int64]described{}
	for _, one := range all {
		if v, ok := one.body.(*intake.Variant); ok && v.Tracked && v.StockOf == "" && v.Stock != nil {
			stated[one.local] = one
		}
	}
	if len(stated) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(stated))
	for id := range stated {
		ids = append(ids, id)
	}
	counts := shopCounts{shop: d.shop, policy: d.b.policy(d.shop)}
	if counts.policy.Owns(intake.FieldQuantity) { // else it does not matter which location stands for what
		var err error
		if counts, err = d.b.openCounts(ctx, d.r, d.shop); err != nil {
			return err
		}
	}
	stocks, err := counts.shopStocks(ctx, d.r, ids, 0)
	if err != nil {
		return err
	}
	worths, err := d.worths(ctx, ids)
	if err != nil {
		return err
	}
	waiting, err := d.waiting(ctx, outbox.Stock, ids)
	if err != nil {
		return err
	}
	for _, s := range stocks {
		one, w := stated[s.variant], worths[s.variant]
		if counts.policy.Owns(intake.FieldQuantity) {
			d.ownStock(one, s, counts.plans(s), w, waiting[s.variant])
		} else if w.countedBy == d.shop {
			d.followedStock(one, s, w)
		}
	}
	return nil
}

// worth is what a stock costs, and who counts it.
type worth struct {
	unit      decimal.Decimal // of one unit
	countedBy int64
	settled   bool // the shop's last number was taken over
	// others is what the orders of other shops took since: this shop does not
	// know of them.
	others quantity.Quantity
}

func (d *drifting) worths(ctx context.Context, ids []int64) (map[int64]worth, error) {
	out := map[int64]worth{}
	currency := d.b.opts.Company.Currency
	err := eachRow(ctx, d.r, `SELECT l.variant_id, l.on_hand, l.value, l.unit_cost, l.counted_by, COALESCE(s.settled, TRUE),
			(SELECT CAST(COALESCE(SUM(t.quantity - t.opening), 0) AS BIGINT) FROM shop_taken t WHERE t.variant_id = l.variant_id AND t.shop_id <> $1) FROM stock_level l
		LEFT JOIN shop_stock s ON s.variant_id = l.variant_id AND s.shop_id = $1 WHERE l.place_id = 1 AND l.variant_id IN (`+store.In(len(ids), 2)+`)`,
		store.InArgs([]any{d.shop}, ids), func(rows *sql.Rows) error {
			var id, value int64
			var onHand quantity.Quantity
			var cost string
			var w worth
			if err := rows.Scan(&id, &onHand, &value, &cost, &w.countedBy, &w.settled, &w.others); err != nil {
				return err
			}
			var err error
			if onHand > 0 {
				w.unit = money.Amount{Minor: value, Currency: currency}.Decimal().Div(onHand.Decimal())
			} else if cost != "" {
				w.unit, err = decimal.NewFromString(cost)
			}
			out[id] = w
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read what the stock costs: %w", err)
	}
	return out, nil
}

// ownStock compares a stock that the books decide on at each location.
func (d *drifting) ownStock(one described, s shopStock, plans []levelPlan, w worth, told message) {
	if !s.counted {
		return // the shop is told only whether there is any
	}
	v := one.body.(*intake.Variant)
	for _, p := range plans {
		has, ok := unitsAt(v, p.location)
		want := p.desired.Decimal()
		if !ok || has.Equal(want) || has.IsNegative() && want.IsZero() {
			continue
		}
		f := Drift{Pending: told.waits, Why: told.why}
		if told.waits {
			f.Since = told.since
		}
		d.addUnits(one, f, has, want, w)
	}
}

// unitsAt returns what the shop has at a location.
func unitsAt(v *intake.Variant, location string) (decimal.Decimal, bool) {
	if location == "" {
		return *v.Stock, true
	}
	for _, l := range v.Levels {
		if l.Location == location {
			return l.Available, true
		}
	}
	return decimal.Decimal{}, false
}

// followedStock compares a stock that the shop decides on.
func (d *drifting) followedStock(one described, s shopStock, w worth) {
	has, have := *one.body.(*intake.Variant).Stock, (s.onHand - s.demand + w.others).Decimal()
	if !has.Equal(have) {
		f := Drift{Pending: !w.settled}
		if f.Pending {
			f.Why = "an order that is read next may explain it"
		}
		d.addUnits(one, f, has, have, w)
	}
}

func (d *drifting) addUnits(one described, f Drift, has, want decimal.Decimal, w worth) {
	f.Resource, f.ID, f.Label = StockUnits, one.id, labelOf(one.body)
	f.Kind, f.Field, f.Shop, f.Books = DriftDifferent, string(intake.FieldQuantity), has.String(), want.String()
	if cost, err := money.Round(has.Sub(want).Mul(w.unit), d.b.opts.Company.Currency); err == nil {
		f.Value = cost.Decimal()
	}
	d.add(one.rec, f)
}
