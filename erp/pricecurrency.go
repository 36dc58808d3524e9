package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/money"
)

// checkPrices refuses prices that nobody can pay: of those that are set, the
// ones with more decimals than the currency has, and a sale that is none. What
// was odd before and is not touched does not keep other fields from being set.
func (c *clerk) checkPrices(ctx context.Context, set map[intake.Field]string) error {
	touched := func(fields ...intake.Field) bool {
		return slices.ContainsFunc(fields, func(f intake.Field) bool { _, is := set[f]; return is })
	}
	if touched(intake.FieldPrice, intake.FieldSale) {
		currencies, err := c.currencies(ctx)
		if err != nil {
			return err
		}
		for _, f := range []intake.Field{intake.FieldPrice, intake.FieldSale} {
			if err := catalog.CheckDecimals(f, set[f], currencies); err != nil {
				return err
			}
		}
	}
	if !touched(intake.FieldPrice, intake.FieldSale, intake.FieldSaleFrom, intake.FieldSaleTo) {
		return nil
	}
	return catalog.CheckSale(&c.variant.Variant)
}

// currencies are those that the price of the product is paid in: of each of its
// shops that of its latest order, and the company's where a shop has none yet.
func (c *clerk) currencies(ctx context.Context) ([]money.Currency, error) {
	var out []money.Currency
	for _, shop := range c.shops {
		latest := c.b.opts.Company.Currency
		err := c.tx.QueryRow(ctx, `SELECT currency FROM sales_order WHERE shop_id = $1 ORDER BY placed_at DESC LIMIT 1`, shop).Scan(&latest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read the currency of %s: %w", c.b.nameOf(shop), err)
		}
		if !slices.Contains(out, latest) {
			out = append(out, latest)
		}
	}
	if len(out) == 0 {
		out = append(out, c.b.opts.Company.Currency)
	}
	return out, nil
}
