package main

import (
	"testing"

	"comptoir/cmd/internal/engine"
	"comptoir/erp"
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

func TestTheRemedyFitsWhatDiffers(t *testing.T) {
	parked, missing, waits := erp.Drift{Field: "parked"}, erp.Drift{}, erp.Drift{Pending: true}
	for _, c := range []struct {
		drift []erp.Drift
		want  string
	}{
		{[]erp.Drift{parked, waits}, "look after what is parked with comptoir parked list"},
		{[]erp.Drift{missing}, "read it again with comptoir resync atelier, tell the shop with comptoir push atelier, or correct the shop"},
		{[]erp.Drift{missing, parked}, "look after what is parked with comptoir parked list, read it again with comptoir resync atelier, tell the shop with comptoir push atelier, or correct the shop"},
	} {
		if got := remedy(engine.Verification{Shop: "atelier", Drift: c.drift}); got != c.want {
			t.Errorf("%+v: %s", c.drift, got)
		}
	}
}
