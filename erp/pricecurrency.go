package erp

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// A price of the books is in the currency of the shop that describes the
// variant: the first of those that sell it, or sold it. It is never told to a
// shop that sells in another one.

// priceFields are those that are, or go with, an amount of money.
var priceFields = []intake.Field{intake.FieldPrice, intake.FieldSale, intake.FieldSaleFrom, intake.FieldSaleTo}

func isPrice(f intake.Field) bool { return slices.Contains(priceFields, f) }

// shopCurrency is the name under which the currency of a shop's prices is kept.
const shopCurrency = "currency of prices"

// PricedIn notes in which currency a shop has its prices. As long as that is not
// known it is taken for the one of the accounts. Call it before the shop is
// compared or told anything; it is durable when PricedIn returns.
func (b *Books) PricedIn(ctx context.Context, shop string, currency money.Currency) error {
	id, err := b.shop(shop)
	if err != nil {
		return err
	}
	if _, err := currency.Decimals(); err != nil {
		return fmt.Errorf("note in which currency %s sells: %w", shop, err)
	}
	known, err := b.shopCurrencies(ctx, b.db)
	if err != nil || known.has[id] == currency {
		return err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		b.keepValue(tx, id, shopCurrency, []byte(currency))
		if known.of(id) != currency { // who is told which prices is another question now
			tx.Queue(`DELETE FROM setting WHERE name LIKE 'compared shop %'`)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note in which currency %s sells: %w", shop, err)
	}
	return nil
}

// currencies are those of the prices of shops.
type currencies struct {
	has  map[int64]money.Currency // by shop; those that are known
	home money.Currency
}

func (c currencies) of(shop int64) money.Currency {
	if known, ok := c.has[shop]; ok {
		return known
	}
	return c.home
}

func (b *Books) shopCurrencies(ctx context.Context, r store.Reader) (currencies, error) {
	out := currencies{has: map[int64]money.Currency{}, home: b.opts.Company.Currency}
	err := eachRow(ctx, r, `SELECT shop_id, value FROM shop_value WHERE name = $1`, []any{shopCurrency}, func(rows *sql.Rows) error {
		var shop int64
		var value []byte
		err := rows.Scan(&shop, &value)
		out.has[shop] = money.Currency(value)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("read in which currencies the shops sell: %w", err)
	}
	return out, nil
}

// differ reports whether any two shops may have different ones.
func (c currencies) differ() bool {
	for _, currency := range c.has {
		if currency != c.home {
			return true
		}
	}
	return false
}

// priceCurrencies returns the currency of the price of each of some variants.
func (b *Books) priceCurrencies(ctx context.Context, r store.Reader, in currencies, variants []int64) (map[int64]money.Currency, error) {
	describes := map[int64]int64{}
	err := eachRow(ctx, r, `SELECT DISTINCT local_id, shop_id FROM origin WHERE kind = 'variant' AND local_id IN (`+store.In(len(variants), 1)+`)`, store.InArgs(nil, variants), func(rows *sql.Rows) error {
		var variant, shop int64
		err := rows.Scan(&variant, &shop)
		if first, ok := describes[variant]; !ok || b.before(shop, first) {
			describes[variant] = shop
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read which shop describes variants: %w", err)
	}
	out := map[int64]money.Currency{}
	for variant, shop := range describes {
		out[variant] = in.of(shop)
	}
	return out, nil
}

// pricedApart returns which of some variants have a price that a shop is not to
// be told, with its currency, and the shop's own.
func (b *Books) pricedApart(ctx context.Context, r store.Reader, shop int64, variants []int64) (apart map[int64]money.Currency, own money.Currency, err error) {
	in, err := b.shopCurrencies(ctx, r)
	if err != nil || !in.differ() || len(variants) == 0 {
		return nil, in.of(shop), err
	}
	apart, err = b.priceCurrencies(ctx, r, in, variants)
	for variant, currency := range apart {
		if currency == in.of(shop) {
			delete(apart, variant)
		}
	}
	return apart, in.of(shop), err
}

// noPriceFor says why a variant cannot be made in a shop that sells in another
// currency, and what to do about it.
func noPriceFor(own, of money.Currency) string {
	return fmt.Sprintf("the shop sells in %s, and its price is in %s: make it in the shop by hand, with a price, under the same SKU", own, of)
}

// checkPrices refuses prices that nobody can pay: of those that are set, the
// ones with more decimals than the currency has, and a sale that is none. What
// was odd before and is not touched does not keep other fields from being set.
func (c *clerk) checkPrices(ctx context.Context, set map[intake.Field]string) error {
	touched := func(fields ...intake.Field) bool {
		return slices.ContainsFunc(fields, func(f intake.Field) bool { _, is := set[f]; return is })
	}
	if !touched(priceFields...) {
		return nil
	}
	if touched(intake.FieldPrice, intake.FieldSale) {
		in, err := c.b.shopCurrencies(ctx, c.tx)
		if err != nil {
			return err
		}
		of, err := c.b.priceCurrencies(ctx, c.tx, in, []int64{c.variant.ID})
		if err != nil {
			return err
		}
		currency, sold := of[c.variant.ID]
		if !sold {
			currency = in.home
		}
		for _, f := range []intake.Field{intake.FieldPrice, intake.FieldSale} {
			if err := catalog.CheckDecimals(f, set[f], currency); err != nil {
				return err
			}
		}
	}
	return catalog.CheckSale(&c.variant.Variant)
}

// leaveOut returns which of the shops that are told of fields of the variant are
// told nothing, as it is only prices in another currency than theirs. It is said
// of each of them that has the variant that it is not told its price.
func (c *clerk) leaveOut(ctx context.Context, shops []int64, fields []intake.Field) ([]int64, error) {
	var out []int64
	for _, shop := range shops {
		apart, own, err := c.b.pricedApart(ctx, c.tx, shop, []int64{c.variant.ID})
		if err != nil {
			return nil, err
		}
		of, is := apart[c.variant.ID]
		if !is || !slices.ContainsFunc(fields, isPrice) {
			continue
		}
		if slices.Contains(c.shops, shop) {
			c.out.Warnings = append(c.out.Warnings, fmt.Sprintf("shop %s sells in %s and is not told prices in %s: it keeps its own", c.b.nameOf(shop), own, of))
		}
		if !slices.ContainsFunc(fields, func(f intake.Field) bool { return !isPrice(f) }) {
			out = append(out, shop)
		}
	}
	return out, nil
}
