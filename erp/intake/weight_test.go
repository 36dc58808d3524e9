package intake_test

import (
	"testing"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestAWeightIsRead(t *testing.T) {
	for _, test := range []struct {
		text, want string // canonical; "" with a fault
		ok         bool
	}{
		{"", "", true},
		{"0 kg", "", true},
		{"0", "", true},
		{"700 g", "700 g", true},
		{" 0.700kg ", "0.7 kg", true},
		{"1.50 LBS", "1.5 lb", true},
		{"2 Pounds", "2 lb", true},
		{"8 ounces", "8 oz", true},
		{"0.70", "0.7", true},
		{"-1 kg", "-1 kg", true},
		{"0,7 kg", "", false},
		{"3 stones", "", false},
		{"kg", "", false},
		{"1 2 kg", "", false},
		{"heavy", "", false},
		{"1e9999999 kg", "", false},
	} {
		number, unit, err := intake.ReadWeight(test.text)
		if (err == nil) != test.ok {
			t.Errorf("%q: %v", test.text, err)
		} else if got := intake.Weight(number, unit); test.ok && got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestAWeightIsToldInAnotherUnit(t *testing.T) {
	for _, test := range []struct {
		number, from, to, want string
	}{
		{"700", "g", "kg", "0.7"},
		{"0.0005", "kg", "g", "0.5"},
		{"1", "lb", "g", "453.59237"},
		{"1.5", "lb", "kg", "0.680388555"},
		{"1.5", "oz", "g", "42.5242846875"}, // all of it: this way it always comes out
		{"1", "oz", "kg", "0.028349523125"},
		{"1", "oz", "lb", "0.0625"},
		{"0.03", "lb", "oz", "0.48"},
		{"453.59237", "g", "lb", "1"},
		{"0.7", "kg", "lb", "1.543236"}, // 1.5432358…
		{"700", "g", "oz", "24.691773"}, // 24.6917733…
		{"-0.7", "kg", "lb", "-1.543236"},
		{"0.0000680388555", "g", "lb", "0"},        // 0.00000015: too small
		{"0.0002267961850", "g", "lb", "0"},        // half of the last decimal: to even
		{"0.0006803885550", "g", "lb", "0.000002"}, // one and a half: to even
		{"0.00068038855500001", "g", "lb", "0.000002"},
		{"0.0011339809250", "g", "lb", "0.000002"}, // two and a half: to even
		{"0.0011339809251", "g", "lb", "0.000003"}, // and a bit
		{"0", "g", "lb", "0"},
	} {
		number := decimal.RequireFromString(test.number)
		got, ok := intake.ConvertWeight(number, test.from, test.to)
		if got.String() != test.want || ok != (test.want != "0" || number.IsZero()) {
			t.Errorf("%s %s: %s %s (%v), want %s", test.number, test.from, got, test.to, ok, test.want)
		}
	}
	if _, ok := intake.ConvertWeight(decimal.NewFromInt(1), "g", "stone"); ok {
		t.Error("there are no stones")
	}
}

// What is told in another unit means the same, but for what is rounded: that is
// never off by more than half of the last decimal.
func TestAWeightInAnotherUnitIsAsHeavy(t *testing.T) {
	unit := rapid.SampledFrom([]string{"g", "kg", "oz", "lb"})
	metric := map[string]bool{"g": true, "kg": true}
	rapid.Check(t, func(t *rapid.T) {
		number := decimal.New(rapid.Int64Range(1, 1e12).Draw(t, "number"), int32(-rapid.IntRange(0, 6).Draw(t, "decimals")))
		from, to := unit.Draw(t, "from"), unit.Draw(t, "to")
		told, ok := intake.ConvertWeight(number, from, to)
		if !ok && number.GreaterThan(decimal.New(1, -3)) {
			t.Fatalf("%s %s cannot be told in %s", number, from, to)
		}
		if !metric[from] || metric[to] {
			if !intake.SameWeight(intake.Weight(number, from), intake.Weight(told, to)) {
				t.Fatalf("%s %s is not %s %s", number, from, told, to)
			}
			return
		}
		back, _ := intake.ConvertWeight(told, to, from)
		half, _ := intake.ConvertWeight(decimal.New(5, -intake.WeightDecimals-1), to, from)
		if back.Sub(number).Abs().GreaterThan(half) {
			t.Fatalf("%s %s is %s %s, which is %s", number, from, told, to, back)
		}
		if again, _ := intake.ConvertWeight(number, from, to); !again.Equal(told) || told.Exponent() < -intake.WeightDecimals {
			t.Fatalf("%s and %s", told, again)
		}
	})
}

func TestWeightsAreTheSame(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"700 g", "0.7 kg", true},
		{"16 oz", "1 lb", true},
		{"1 lb", "0.45359237 kg", true},
		{"1 lb", "0.453592 kg", false},
		{"0.7", "0.7 kg", true}, // from when the unit was not known
		{"0.70", "0.7", true},
		{"0.7", "700 g", false},
		{"", "0", true},
		{"", "0.7 kg", false},
		{"", "", true},
		{"heavy", "heavy", true},
		{"heavy", "0.7 kg", false},
	} {
		if intake.SameWeight(test.a, test.b) != test.same || intake.SameWeight(test.b, test.a) != test.same {
			t.Errorf("%q and %q: want %v", test.a, test.b, test.same)
		}
	}
}

func TestANumberAloneGetsAUnit(t *testing.T) {
	for _, test := range []struct{ weight, other, want string }{
		{"0.70", "0.9 kg", "0.7 kg"},
		{"0.7", "", "0.7"},
		{"0.7", "0.9", "0.7"},
		{"0.7 kg", "2 lb", "0.7 kg"},
		{"", "0.7 kg", ""},
		{"heavy", "0.7 kg", "heavy"},
	} {
		if got := intake.NameUnit(test.weight, test.other); got != test.want {
			t.Errorf("%q beside %q: %q, want %q", test.weight, test.other, got, test.want)
		}
	}
}
