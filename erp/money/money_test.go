package money_test

import (
	"errors"
	"math"
	"testing"

	"comptoir/erp/fault"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestRoundsHalfAwayFromZeroToTheCurrencysDecimals(t *testing.T) {
	for _, c := range []struct {
		in       string
		currency money.Currency
		want     int64
	}{
		{"1.005", "EUR", 101}, {"-1.005", "EUR", -101}, {"1.004999", "EUR", 100},
		{"29.86", "JPY", 30}, {"29.86", "BHD", 29860}, {"0.0005", "KWD", 1}, {"0", "EUR", 0},
	} {
		got, err := money.Round(decimal.RequireFromString(c.in), c.currency)
		if err != nil || got.Minor != c.want {
			t.Errorf("Round(%s %s) = %d, %v, want %d", c.in, c.currency, got.Minor, err, c.want)
		}
	}
}

func TestRefusesWhatIsNoAmount(t *testing.T) {
	for _, c := range []struct {
		in       string
		currency money.Currency
	}{{"1e30", "EUR"}, {"1e9999", "EUR"}, {"1e-9999", "EUR"}, {"92233720368547758.08", "EUR"}, {"1", "XYZ"}, {"1", "eur"}, {"1", ""}} {
		if _, err := money.Round(decimal.RequireFromString(c.in), c.currency); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Round(%s %q): %v, want an invalid fault", c.in, c.currency, err)
		}
	}
}

func TestAddingTwoCurrenciesIsAnError(t *testing.T) {
	var f *fault.Error
	if _, err := (money.Amount{Minor: 1, Currency: "EUR"}).Add(money.Amount{Minor: 1, Currency: "USD"}); !errors.As(err, &f) {
		t.Errorf("added EUR and USD: %v", err)
	}
	if _, err := (money.Amount{Minor: math.MaxInt64, Currency: "EUR"}).Add(money.Amount{Minor: 1, Currency: "EUR"}); err == nil {
		t.Error("the sum overflows and is no error")
	}
}

func TestSplitAddsUpAndStaysNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.SliceOfN(rapid.Int64Range(-1_000_000, 1_000_000), 1, 12).Draw(t, "ten-thousandths")
		shares := make([]decimal.Decimal, len(cents))
		var sum decimal.Decimal
		for i, c := range cents {
			shares[i] = decimal.New(c, -4)
			sum = sum.Add(shares[i])
		}
		total := sum.Round(0).IntPart() + rapid.Int64Range(-1, 1).Draw(t, "off")
		var got int64
		for i, p := range money.Split(total, shares) {
			got += p
			if d := decimal.NewFromInt(p).Sub(shares[i]).Abs(); d.GreaterThanOrEqual(decimal.NewFromInt(3)) {
				t.Errorf("part %d of share %s", p, shares[i])
			}
		}
		if got != total {
			t.Errorf("parts add up to %d, want %d", got, total)
		}
	})
}

func TestTextWritesWhatWasStatedAndRoundsNothing(t *testing.T) {
	for _, tt := range []struct {
		stated   string
		currency money.Currency
		want     string
	}{
		{"13.4", "EUR", "13.40 EUR"},
		{"19", "EUR", "19.00 EUR"},
		{"-0.1", "EUR", "-0.10 EUR"},
		{"13.405", "EUR", "13.405 EUR"},
		{"51", "EUR", "51.00 EUR"},
		{"25.6", "EUR", "25.60 EUR"},
		{"0.003", "EUR", "0.003 EUR"},
		{"28922.640000", "ISK", "28922.64 ISK"},
		{"1200", "JPY", "1200 JPY"},
		{"892.21", "ISK", "892.21 ISK"},
		{"1.5", "XXQ", "1.5 XXQ"},
	} {
		if got := money.Text(decimal.RequireFromString(tt.stated), tt.currency); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.stated, tt.currency, got, tt.want)
		}
	}
}
