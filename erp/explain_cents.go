package erp

import (
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// Cents compares the shop's total with our own arithmetic, and tells which way
// of rounding gives the shop's.
type Cents struct {
	Stated     money.Amount    `json:"stated"`     // as the shop states it
	Lines      decimal.Decimal `json:"lines"`      // the net of the lines, with all digits
	Tax        decimal.Decimal `json:"tax"`        // of the lines, with all digits
	StatedTax  decimal.Decimal `json:"stated_tax"` // as the shop states it
	Roundings  []Rounding      `json:"roundings"`
	Difference money.Amount    `json:"difference"` // stated less what the lines and the stated tax come to, each rounded once; it went to the rounding account
}

// Rounding is a way to round, and what it gives.
type Rounding struct {
	How        string       `json:"how"`
	Total      money.Amount `json:"total"`
	Tax        money.Amount `json:"tax"`
	Reproduces bool         `json:"reproduces"` // it gives the shop's total and its tax
}

// readStatement tells what only the statement of an order holds: how its cents
// come about, and what the customer was shown in another currency. Nothing,
// where the books do not have the statement.
func (x *Explanation) readStatement() error {
	if x.Source == nil || len(x.Source.Statement) == 0 {
		return nil
	}
	body, err := intake.Reopen(intake.KindOrder, x.Source.Statement)
	if err != nil {
		return err
	}
	said, ok := body.(*intake.Order)
	if !ok {
		return fmt.Errorf("the statement of order %s is none", x.Order.Number)
	}
	x.Order.Presented = said.Presented
	x.Cents, err = workOutCents(said)
	return err
}

// rounded collects amounts in minor units, and the first error.
type rounded struct {
	currency money.Currency
	scale    int32
	err      error
}

// up rounds half away from zero, as the books do.
func (r *rounded) up(d decimal.Decimal) int64 {
	a, err := money.Round(d, r.currency)
	if err != nil && r.err == nil {
		r.err = err
	}
	return a.Minor
}

// down rounds half towards zero, as WooCommerce does with the tax of prices
// that include it.
func (r *rounded) down(d decimal.Decimal) int64 {
	n := r.up(d)
	half := decimal.New(5, -r.scale-1)
	if d.Abs().Add(half).Sub(decimal.New(max(n, -n), -r.scale)).IsZero() { // a tie that was rounded away from zero
		if n > 0 {
			return n - 1
		}
		return n + 1
	}
	return n
}

func workOutCents(said *intake.Order) (*Cents, error) {
	scale, err := said.Currency.Decimals()
	if err != nil {
		return nil, err
	}
	r := &rounded{currency: said.Currency, scale: int32(scale)}
	var exactNet, exactTax decimal.Decimal
	var net, taxUp, taxDown int64 // of each line, rounded
	byRate := map[string]decimal.Decimal{}
	for _, l := range said.Lines {
		exactNet = exactNet.Add(l.Total)
		net += r.up(l.Total)
		for _, t := range l.Taxes {
			exactTax = exactTax.Add(t.Amount)
			byRate[t.RateID] = byRate[t.RateID].Add(t.Amount)
			taxUp += r.up(t.Amount)
			taxDown += r.down(t.Amount)
		}
	}
	var ratesUp, ratesDown int64
	for _, sum := range byRate {
		ratesUp += r.up(sum)
		ratesDown += r.down(sum)
	}
	stated, statedTax := r.up(said.Total), r.up(said.TotalTax)
	c := &Cents{Stated: money.Amount{Minor: stated, Currency: said.Currency}, Lines: exactNet, Tax: exactTax, StatedTax: said.TotalTax,
		Difference: money.Amount{Minor: stated - statedTax - net, Currency: said.Currency}}
	for _, way := range []struct {
		how        string
		total, tax int64
	}{
		{"each line and its tax rounded", net + taxUp, taxUp},
		{"each line rounded, the tax of each rate rounded once", net + ratesUp, ratesUp},
		{"only the totals rounded", r.up(exactNet.Add(exactTax)), r.up(exactTax)},
		{"each line and its tax rounded, half a cent of tax down", net + taxDown, taxDown},
		{"each line rounded, the tax of each rate rounded once, half a cent down", net + ratesDown, ratesDown},
	} {
		c.Roundings = append(c.Roundings, Rounding{How: way.how, Total: money.Amount{Minor: way.total, Currency: said.Currency},
			Tax: money.Amount{Minor: way.tax, Currency: said.Currency}, Reproduces: way.total == stated && way.tax == statedTax})
	}
	return c, r.err
}
