package reports

import (
	"context"
	"fmt"
	"time"

	"comptoir/erp/inventory"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// stock reports what is on hand, what of it can be sold, and what was sold
// without being there. It shows how things stand now: what open orders wanted on
// another day is not kept.
func stock(ctx context.Context, r *reading) error {
	if r.Params.To != "" {
		r.Report.AsOf = ""
		r.note("This is how the stock stands now: what open orders wanted on another day is not kept.")
	}
	r.Columns = []Column{{"sku", "SKU", Text}, {"name", "Name", Text}, {"on_hand", "On hand", Quantity}, {"wanted", "Wanted", Quantity}, {"safety", "Safety", Quantity},
		{"available", "Available", Quantity}, {"oversold", "Oversold", Quantity}, {"exposed", "Sold while overwritten", Quantity}}
	exposed, err := r.exposures(ctx)
	if err != nil {
		return err
	}
	s := Section{Key: "variants"}
	var sums [6]int64
	err = r.each(ctx, `SELECT v.id, v.sku, v.title, COALESCE(p.title, ''), l.on_hand, l.demand, v.safety, v.backorders IN ('notify', 'yes') FROM stock_level l JOIN variant v ON v.id = l.variant_id LEFT JOIN product p ON p.id = v.product_id
		WHERE l.place_id = 1 AND (l.opened OR l.on_hand <> 0 OR l.demand <> 0) ORDER BY v.sku, v.id`, nil, func(scan func(...any) error) error {
		var id int64
		var sku, variant, product string
		var onHand, demand, safety quantity.Quantity
		var backorders bool
		if err := scan(&id, &sku, &variant, &product, &onHand, &demand, &safety, &backorders); err != nil {
			return err
		}
		oversold := inventory.Oversold(onHand, demand)
		if backorders {
			oversold = 0
		}
		figures := [6]int64{int64(onHand), int64(demand), int64(safety), int64(inventory.Available(onHand, demand, safety)), int64(oversold), exposed[id]}
		for i, n := range figures {
			sums[i] += n
		}
		s.Rows = append(s.Rows, numbers(8, []Cell{name(sku), name(goodsName(variant, product))}, figures[:]...))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	r.Sections = []Section{s}
	r.Totals = []Row{numbers(8, []Cell{label("Total")}, sums[:]...)}
	if len(s.Rows) == 0 {
		r.note("Nothing is in stock.")
	}
	return nil
}

// exposures returns what was sold of each stock during the last day while a
// shop's number of it was overwritten, and notes how long that took at most.
func (r *reading) exposures(ctx context.Context) (map[int64]int64, error) {
	since := store.Micros(r.Params.Now.Add(-24 * time.Hour))
	type window struct {
		shop          string
		longest, sold int64
	}
	var windows []window
	err := r.each(ctx, `SELECT s.name, MAX(e.to_at - e.from_at) FROM stock_exposure e JOIN shop s ON s.id = e.shop_id WHERE e.to_at > $1 GROUP BY s.name ORDER BY s.name`, []any{since}, func(scan func(...any) error) error {
		var w window
		err := scan(&w.shop, &w.longest)
		windows = append(windows, w)
		return err
	})
	out := map[int64]int64{}
	if err != nil || len(windows) == 0 {
		return out, err
	}
	err = r.each(ctx, `SELECT s.name, v.stock_id, SUM(l.ordered) FROM sales_order o JOIN shop s ON s.id = o.shop_id JOIN order_line l ON l.order_id = o.id JOIN variant v ON v.id = l.variant_id
		WHERE o.placed_at > $1 AND EXISTS (SELECT 1 FROM stock_exposure e WHERE e.shop_id = o.shop_id AND e.variant_id = v.stock_id AND e.to_at > $1 AND o.placed_at BETWEEN e.from_at AND e.to_at)
		GROUP BY s.name, v.stock_id`, []any{since}, func(scan func(...any) error) error {
		var shop string
		var variant, sold int64
		if err := scan(&shop, &variant, &sold); err != nil {
			return err
		}
		out[variant] += sold
		for i := range windows {
			if windows[i].shop == shop {
				windows[i].sold += sold
			}
		}
		return nil
	})
	for _, w := range windows {
		r.note("%s could have sold unseen for %s at most while its numbers were overwritten in the last day, and its orders took %s units then.",
			w.shop, (time.Duration(w.longest) * time.Microsecond).String(), quantity.Quantity(w.sold).String())
	}
	return out, err
}
