// Package money holds amounts, currencies and rounding.
//
// An Amount is a whole number of minor units (cents) of one currency. Adding
// two currencies is an error, never a guess. Unit prices and rates, which need
// more digits, are decimals and become amounts once, by Round, at the line of
// a document.
package money

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"

	"comptoir/erp/fault"

	"github.com/shopspring/decimal"
	"golang.org/x/text/currency"
)

// Currency is an ISO 4217 code in capital letters, such as "EUR".
type Currency string

var scales sync.Map // Currency → int; x/text parses the code anew on each call

// Decimals returns how many decimals an amount of c has: 0 for JPY, 2 for EUR,
// 3 for KWD. It returns an Invalid fault where ISO 4217 does not know c.
func (c Currency) Decimals() (int, error) {
	if n, ok := scales.Load(c); ok {
		return n.(int), nil
	}
	unit, err := currency.ParseISO(string(c))
	if err != nil || string(c) != strings.ToUpper(string(c)) || unit == (currency.Unit{}) {
		return 0, fault.New(fault.Invalid, "use an ISO 4217 code such as EUR", "currency %q is not known", string(c))
	}
	n, _ := currency.Standard.Rounding(unit)
	scales.Store(c, n)
	return n, nil
}

// Amount is a whole number of minor units of a currency.
type Amount struct {
	Minor    int64    `json:"minor"`
	Currency Currency `json:"currency"`
}

// MaxMinor is the largest amount that Round lets pass, either way: more than
// any document is worth, and small enough that thousands of them add up within
// 64 bits.
const MaxMinor = 1_000_000_000_000_000

// Round turns a decimal in major units into an Amount, half away from zero.
// It fails for an unknown currency and for an amount beyond MaxMinor.
func Round(d decimal.Decimal, c Currency) (Amount, error) {
	scale, err := c.Decimals()
	if err != nil {
		return Amount{}, err
	}
	minor, err := roundMinor(d, int32(scale))
	if err != nil {
		return Amount{}, err
	}
	return Amount{minor, c}, nil
}

func roundMinor(d decimal.Decimal, scale int32) (int64, error) {
	// The exponent is looked at first: "1e9999" must not be written out.
	if d.Exponent() > 19 || d.Exponent() < -64 {
		return 0, overflow(d)
	}
	shifted := d.Shift(scale).Round(0)
	if !shifted.BigInt().IsInt64() || shifted.IntPart() > MaxMinor || shifted.IntPart() < -MaxMinor {
		return 0, overflow(d)
	}
	return shifted.IntPart(), nil
}

func overflow(d decimal.Decimal) error {
	return fault.New(fault.Invalid, "correct the amount at its source",
		"amount with exponent %d is out of range", d.Exponent())
}

// Decimal returns a in major units.
func (a Amount) Decimal() decimal.Decimal {
	scale, err := a.Currency.Decimals()
	if err != nil {
		scale = 2
	}
	return decimal.New(a.Minor, int32(-scale))
}

// Add returns a + b. It fails where the currencies differ or the sum leaves
// 64 bits.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fault.New(fault.Invalid, "convert one of them first", "cannot add %s to %s", b.Currency, a.Currency)
	}
	sum, err := AddMinor(a.Minor, b.Minor)
	return Amount{sum, a.Currency}, err
}

// AddMinor returns a + b, or an Invalid fault where the sum leaves 64 bits.
func AddMinor(a, b int64) (int64, error) {
	if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {
		return 0, fault.New(fault.Invalid, "correct the amount at its source", "sum of %d and %d is out of range", a, b)
	}
	return a + b, nil
}

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{-a.Minor, a.Currency} }

// IsZero reports whether a is nothing, in whatever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// String formats a for people and logs: "12.50 EUR".
func (a Amount) String() string {
	scale, err := a.Currency.Decimals()
	if err != nil {
		scale = 2
	}
	return fmt.Sprintf("%s %s", a.Decimal().StringFixed(int32(scale)), a.Currency)
}

// Text writes an amount as somebody stated it, for people: "13.40 EUR" also for
// 13.4, and all of 13.405. It rounds nothing.
func Text(stated decimal.Decimal, c Currency) string {
	text := stated.String()
	_, fraction, _ := strings.Cut(text, ".")
	if scale, err := c.Decimals(); err == nil && len(fraction) < scale {
		text = stated.StringFixed(int32(scale))
	}
	return text + " " + string(c)
}

// Convert returns a in currency to, at rate units of to for one unit of a's
// currency, rounded half away from zero.
func (a Amount) Convert(rate decimal.Decimal, to Currency) (Amount, error) {
	return Round(a.Decimal().Mul(rate), to)
}

// Split divides total into as many parts as there are exact shares, so that
// the parts add up to total and each lies as near to its share as possible
// (largest remainder). Shares are in minor units and may be negative. Where
// they do not add up to total, the difference goes, unit by unit, to the
// shares that lose least by it.
func Split(total int64, shares []decimal.Decimal) []int64 {
	parts := make([]int64, len(shares))
	if len(shares) == 0 {
		return parts
	}
	var sum int64
	rest := make([]decimal.Decimal, len(shares)) // share - part, in [0, 1)
	for i, s := range shares {
		floor := s.Floor()
		parts[i] = floor.IntPart()
		rest[i] = s.Sub(floor)
		sum += parts[i]
	}
	order := make([]int, len(shares))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(x, y int) bool { return rest[order[x]].GreaterThan(rest[order[y]]) })
	missing := total - sum
	n := int64(len(shares))
	if whole := missing / n; whole != 0 { // far apart: everyone gets the same first
		for i := range parts {
			parts[i] += whole
		}
		missing -= whole * n
	}
	for i := int64(0); i < missing; i++ {
		parts[order[i]]++
	}
	for i := int64(0); i < -missing; i++ {
		parts[order[n-1-i]]--
	}
	return parts
}
