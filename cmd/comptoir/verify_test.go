package main

import (
	"testing"

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

func TestWhatADifferenceIsWorthHasTheDecimalsOfItsCurrency(t *testing.T) {
	for _, c := range []struct {
		value    string
		currency money.Currency
		want     string
	}{
		{"51", "EUR", "51.00 EUR"},
		{"25.6", "EUR", "25.60 EUR"},
		{"0.003", "EUR", "0.003 EUR"},
		{"28922.640000", "ISK", "28922.64 ISK"},
		{"1200", "JPY", "1200 JPY"},
	} {
		if got := worth(decimal.RequireFromString(c.value), c.currency); got != c.want {
			t.Errorf("%s of %s is written %q; want %q", c.value, c.currency, got, c.want)
		}
	}
}
