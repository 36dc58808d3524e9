package intake

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
)

// WeightDecimals is to how many decimals a metric weight is rounded, half to
// even, where it is told in ounces or pounds, in which it seldom comes out
// even. All other weights are told exactly.
const WeightDecimals = 6

// grams are how many grams the units of weight have, by their short names.
// Source: the international yard and pound agreement of 1959.
var grams = map[string]decimal.Decimal{
	"g":  decimal.NewFromInt(1),
	"kg": decimal.NewFromInt(1000),
	"oz": decimal.RequireFromString("28.349523125"),
	"lb": decimal.RequireFromString("453.59237"),
}

// unitNames are other names of the units of weight.
var unitNames = map[string]string{
	"gram": "g", "grams": "g", "kgs": "kg", "kilogram": "kg", "kilograms": "kg", "ounce": "oz", "ounces": "oz", "lbs": "lb", "pound": "lb", "pounds": "lb",
}

// WeightUnit returns the short name of a unit of weight, which is g, kg, oz or
// lb; false for what is none.
func WeightUnit(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if short := unitNames[name]; short != "" {
		name = short
	}
	_, ok := grams[name]
	return name, ok
}

// Weight is the canonical text of a weight: the number and the short name of its
// unit, such as "0.7 kg"; "" for one of zero, which no shop tells from none.
// Where the unit is "" it is the number alone.
func Weight(number decimal.Decimal, unit string) string {
	if number.IsZero() {
		return ""
	}
	return strings.TrimSpace(number.String() + " " + unit)
}

// ReadWeight reads a weight as Weight or a person writes it. The unit is the
// short name of one, or "" for a number alone: in which unit that is, only the
// shop knows that stated it. "" is 0.
func ReadWeight(text string) (number decimal.Decimal, unit string, err error) {
	text = strings.TrimSpace(text)
	digits := text
	if at := strings.IndexFunc(text, unicode.IsLetter); at >= 0 {
		var ok bool
		if unit, ok = WeightUnit(text[at:]); !ok {
			return number, "", fmt.Errorf("%q is no unit of weight: those are g, kg, oz and lb", text[at:])
		}
		digits = strings.TrimSpace(text[:at])
	}
	if number, err = Number(digits); err == nil && digits == "" && unit != "" {
		err = fmt.Errorf("%q is a unit without a number", text)
	}
	return number, unit, err
}

// ConvertWeight tells a weight in another unit: exactly, but for what
// WeightDecimals says. It reports false for a unit that is none, and for a
// weight that is too small to be told in the other one.
func ConvertWeight(number decimal.Decimal, from, to string) (decimal.Decimal, bool) {
	factor, known := grams[from]
	divisor, other := grams[to]
	if !known || !other || from == to {
		return number, known && other
	}
	switch {
	case to == "g":
		return number.Mul(factor), true
	case to == "kg":
		return number.Mul(factor).Shift(-3), true
	case from == "oz": // to lb: a sixteenth
		return number.Mul(decimal.New(625, -4)), true
	case from == "lb": // to oz
		return number.Mul(decimal.NewFromInt(16)), true
	}
	out := quotient(number.Mul(factor), divisor)
	return out, number.IsZero() || !out.IsZero()
}

// quotient divides, to WeightDecimals decimals, half to even.
func quotient(of, by decimal.Decimal) decimal.Decimal {
	whole, rest := of.QuoRem(by, WeightDecimals)
	// What is cut off is below, at or above the half of the last decimal: that
	// much of the next one rounds like it.
	tail := 5 + rest.Abs().Shift(WeightDecimals).Mul(decimal.NewFromInt(2)).Cmp(by)
	if of.IsNegative() {
		tail = -tail
	}
	return whole.Add(decimal.New(int64(tail), -WeightDecimals-1)).RoundBank(WeightDecimals)
}

// SameWeight reports whether two texts that are of one shop, or of the books and
// a shop, mean the same weight: "700 g" and "0.7 kg" do. A number alone is taken
// to be in the unit of the other: it was stated when the unit was not known.
func SameWeight(a, b string) bool {
	if a == b {
		return true
	}
	x, unitX, errX := ReadWeight(a)
	y, unitY, errY := ReadWeight(b)
	if errX != nil || errY != nil {
		return false
	}
	if unitX == "" || unitY == "" {
		return x.Equal(y)
	}
	return x.Mul(grams[unitX]).Equal(y.Mul(grams[unitY]))
}

// NameUnit gives a number alone the unit of another weight. What has a unit, or
// is no number, stays as it is, and so does all where the other has none.
func NameUnit(weight, other string) string {
	number, unit, err := ReadWeight(weight)
	_, name, errOther := ReadWeight(other)
	if weight == "" || err != nil || unit != "" || errOther != nil || name == "" {
		return weight
	}
	return Weight(number, name)
}
