package reports

import (
	"context"
	"fmt"

	"comptoir/erp/ledger"

	"github.com/shopspring/decimal"
)

// stockValuation reports what is in stock and what it cost. Its sum is the
// inventory account. How things stand now is kept up with the moves; how they
// stood on a day is added up from them.
func stockValuation(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"sku", "SKU", Text}, {"name", "Name", Text}, {"quantity", "On hand", Quantity}, {"unit_cost", "Unit cost", Money}, {"value", "Value", Money}}
	q, args := `SELECT v.sku, v.title, COALESCE(p.title, ''), SUM(l.on_hand), SUM(l.value) FROM stock_level l JOIN variant v ON v.id = l.variant_id LEFT JOIN product p ON p.id = v.product_id
		WHERE l.on_hand <> 0 OR l.value <> 0 GROUP BY v.id, v.sku, v.title, p.title ORDER BY v.sku, v.id`, []any{}
	if r.Params.To != "" {
		q, args = `SELECT v.sku, v.title, COALESCE(p.title, ''), m.quantity, m.value FROM (
				SELECT variant_id, SUM(CASE WHEN to_place = 1 THEN quantity WHEN from_place = 1 THEN -quantity ELSE 0 END) AS quantity,
					SUM(CASE WHEN to_place = 1 THEN value WHEN from_place = 1 THEN -value ELSE 0 END) AS value
				FROM stock_move WHERE effective <= $1 GROUP BY variant_id) m
			JOIN variant v ON v.id = m.variant_id LEFT JOIN product p ON p.id = v.product_id WHERE m.quantity <> 0 OR m.value <> 0 ORDER BY v.sku, v.id`, []any{r.to()}
	}
	s := Section{Key: "variants"}
	var quantity, value int64
	err := r.each(ctx, q, args, func(scan func(...any) error) error {
		var sku, variant, product string
		var n, v int64
		if err := scan(&sku, &variant, &product, &n, &v); err != nil {
			return err
		}
		row := Row{name(sku), name(goodsName(variant, product)), number(n), {}, number(v)}
		if n != 0 {
			row[3] = number(unitCost(v, n))
		}
		quantity += n
		value += v
		s.Rows = append(s.Rows, row)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	r.Sections = []Section{s}
	r.Totals = []Row{{label("Total"), {}, number(quantity), {}, number(value)}}
	if len(s.Rows) == 0 {
		r.note("Nothing is in stock.")
	}
	accounts, err := r.balances(ctx, "", r.to())
	if err != nil {
		return err
	}
	r.tie(Tie{What: "Value of the stock = inventory account", Report: value, Accounts: ofRole(accounts, ledger.Inventory)})
	return nil
}

// goodsName is the title of a variant, which may be short for "Shirt – L".
func goodsName(variant, product string) string {
	switch {
	case variant == "" || variant == product:
		return product
	case product == "":
		return variant
	default:
		return product + " – " + variant
	}
}

// unitCost is what one unit costs, in minor units: value for thousandths.
func unitCost(value, thousandths int64) int64 {
	return decimal.New(value, 3).DivRound(decimal.NewFromInt(thousandths), 0).IntPart()
}
