// Package quantity holds how much of something there is: a whole number of
// thousandths of its unit, so that goods sold by the piece, by weight and by
// length share one exact scale. Stock is never a float.
package quantity

import (
	"comptoir/erp/fault"

	"github.com/shopspring/decimal"
)

// Scale is the number of decimals that a quantity keeps.
const Scale = 3

// Max is the largest quantity that Of lets pass, either way: small enough that
// thousands of them add up within 64 bits.
const Max = 1_000_000_000_000_000

// Unit is one piece.
const Unit Quantity = 1000

// Quantity is a number of thousandths.
type Quantity int64

// Of returns d as a Quantity. A quantity finer than a thousandth, or beyond
// Max, is an Invalid fault: stock is never approximately right.
func Of(d decimal.Decimal) (Quantity, error) {
	// The exponent is looked at first: "1e9999" must not be written out.
	if d.Exponent() > 15 || d.Exponent() < -64 {
		return 0, fault.New(fault.Invalid, "correct it at its source", "quantity with exponent %d is out of range", d.Exponent())
	}
	shifted := d.Shift(Scale)
	if !shifted.IsInteger() {
		return 0, fault.New(fault.Invalid, "correct it at its source", "quantity %s has more than %d decimals", d, Scale)
	}
	if !shifted.BigInt().IsInt64() || shifted.IntPart() > Max || shifted.IntPart() < -Max {
		return 0, fault.New(fault.Invalid, "correct it at its source", "quantity %s is out of range", d)
	}
	return Quantity(shifted.IntPart()), nil
}

// Decimal returns q in units.
func (q Quantity) Decimal() decimal.Decimal { return decimal.New(int64(q), -Scale) }

// String formats q for people: "2", "0.250".
func (q Quantity) String() string { return q.Decimal().String() }

// MarshalJSON writes q as a number of units.
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(q.Decimal().String()), nil }

// UnmarshalJSON reads a number of units.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	var d decimal.Decimal
	if err := d.UnmarshalJSON(b); err != nil {
		return err
	}
	v, err := Of(d)
	*q = v
	return err
}
