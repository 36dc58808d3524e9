package sandbox

import "strconv"

// bag is an amount of an order, in cents of the shop's currency.
type bag struct {
	o     *order
	cents int64
	odd   bool // it is no number, on purpose
}

// coin is an amount in one currency, in cents of it.
type coin struct {
	cents    int64
	currency uint8
	odd      bool
}

// bagOf makes a field of type MoneyBag.
func bagOf[T any](get func(*gqlRun, T) (*order, int64)) gqlField {
	return gqlValue("MoneyBag", func(x *gqlRun, r T) bag {
		o, cents := get(x, r)
		return bag{o: o, cents: cents}
	})
}

// coinOf makes a field of type MoneyV2 in the shop's currency.
func coinOf[T any](get func(*gqlRun, T) int64) gqlField {
	return gqlValue("MoneyV2", func(x *gqlRun, r T) coin { return coin{cents: get(x, r)} })
}

// micros turns cents into millionths, which decimals are written from.
func micros(cents int64) int64 { return cents * 10_000 }

// taxRow is a tax of one rate on something.
type taxRow struct {
	o      *order
	rate   *taxRate
	amount int64
}

// rows are the taxes as a list.
func (c cents) rows(o *order) []*taxRow {
	all := make([]*taxRow, c.n)
	for i := range c.n {
		all[i] = &taxRow{o: o, rate: c.rates[i], amount: c.amount[i]}
	}
	return all
}

func moneyTypes() []gqlType {
	return []gqlType{
		{name: "MoneyBag", fields: gqlFields{
			"shopMoney": gqlValue("MoneyV2", func(_ *gqlRun, b bag) coin { return coin{cents: b.cents, odd: b.odd} }),
			"presentmentMoney": gqlValue("MoneyV2", func(_ *gqlRun, b bag) coin {
				return coin{cents: b.o.shownAs(b.cents), currency: b.o.shown, odd: b.odd}
			}),
		}},
		{name: "MoneyV2", is: []string{"PricingValue"}, fields: gqlFields{
			"amount": gqlRaw(func(x *gqlRun, c coin) {
				if c.odd {
					x.text("nan")
					return
				}
				x.decimal(micros(c.cents))
			}),
			"currencyCode": gqlText(func(_ *gqlRun, c coin) string { return currencies[c.currency].code }),
		}},
		{name: "TaxLine", fields: gqlFields{
			"title":          gqlText(func(_ *gqlRun, t *taxRow) string { return t.rate.name }),
			"rate":           gqlFloat(func(_ *gqlRun, t *taxRow) float64 { return float64(t.rate.ppm) / 1e6 }),
			"ratePercentage": gqlFloat(func(_ *gqlRun, t *taxRow) float64 { return float64(t.rate.ppm) / 1e4 }),
			"channelLiable":  gqlBool(func(_ *gqlRun, t *taxRow) bool { return t.o.remitted }),
			"source":         gqlTextOrNull(func(*gqlRun, *taxRow) string { return "Shopify" }),
			"priceSet":       bagOf(func(_ *gqlRun, t *taxRow) (*order, int64) { return t.o, t.amount }),
		}},
	}
}

// shownAs converts cents of the shop's currency into the one that the customer
// was shown.
func (o *order) shownAs(cents int64) int64 {
	if o.shown == eur {
		return cents
	}
	return perMillion(cents, currencies[o.shown].ppm)
}

// counted is a number of rows, up to a limit.
type counted struct {
	n     int64
	exact bool
}

func countTypes() []gqlType {
	return []gqlType{{name: "Count", fields: gqlFields{
		"count": gqlNumber(func(_ *gqlRun, c counted) int64 { return c.n }),
		"precision": gqlText(func(_ *gqlRun, c counted) string {
			if c.exact {
				return "EXACT"
			}
			return "AT_LEAST"
		}),
	}}}
}

// plainGid is a global id with nothing special about it.
func plainGid(kind string, id int64) string {
	return "gid://shopify/" + kind + "/" + strconv.FormatInt(id, 10)
}
