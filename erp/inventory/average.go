package inventory

import (
	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// costDigits is how many decimals a unit cost keeps: enough that a million
// units at an average cost are right to the cent.
const costDigits = 8

// Level is what is on hand of a variant and what it is worth.
type Level struct {
	OnHand   quantity.Quantity
	Value    int64           // minor units of the company's currency
	UnitCost decimal.Decimal // at which goods leave
	valued   bool            // UnitCost is known
}

// Receive takes in q units that cost so much altogether, and returns the value
// at which they enter the stock and the level that they leave.
//
// They enter at their cost, and the unit cost becomes the average. Where more
// had left than was there, goods left at a cost that was not known yet: that
// part of what came in only makes up for them, at what they left with, and the
// rest is worth what it cost. The difference between cost and value is the
// price variance of what is gone already.
func (l Level) Receive(q quantity.Quantity, cost int64, currency money.Currency) (value int64, after Level, err error) {
	if q <= 0 || cost < 0 {
		return 0, l, fault.New(fault.Invalid, "give a quantity above zero and an amount that is not negative", "%s units for %d cannot be received", q, cost)
	}
	after = Level{OnHand: l.OnHand + q, valued: true}
	if after.OnHand < l.OnHand {
		return 0, l, fault.New(fault.Invalid, "correct the quantity", "stock of %s and %s more is out of range", l.OnHand, q)
	}
	each := UnitCost(q, cost, currency)
	switch {
	case l.OnHand > 0 && l.Value >= 0:
		value = cost
	case after.OnHand > 0: // all that is on hand now is of what came in
		rest, err := money.Round(money.Amount{Minor: cost, Currency: currency}.Decimal().Mul(after.OnHand.Decimal()).Div(q.Decimal()), currency)
		if err != nil {
			return 0, l, err
		}
		value = rest.Minor - l.Value
	case l.Value < 0: // all that came in only makes up for what had left
		part := decimal.NewFromInt(l.Value).Neg().Mul(q.Decimal()).Div(l.OnHand.Decimal().Neg()).Round(0)
		value = part.IntPart()
	}
	value = max(value, 0)
	if after.Value, err = money.AddMinor(l.Value, value); err != nil {
		return 0, l, err
	}
	after.UnitCost = each
	if after.OnHand > 0 && after.Value >= 0 {
		after.UnitCost = UnitCost(after.OnHand, after.Value, currency)
	}
	return value, after, nil
}

// Release lets q units go, no more than are on hand, and returns what they are
// worth: the last ones take all the value with them.
func (l Level) Release(q quantity.Quantity, currency money.Currency) (value int64, after Level, err error) {
	if q <= 0 || q > l.OnHand {
		return 0, l, fault.New(fault.Unprocessable, "receive or count them first, or leave the goods out", "%s units cannot leave, %s are on hand", q, l.OnHand)
	}
	if value, err = ValueOf(q, l.UnitCost, currency); err != nil {
		return 0, l, err
	}
	if q == l.OnHand || value > l.Value {
		value = max(l.Value, 0)
	}
	return value, Level{OnHand: l.OnHand - q, Value: l.Value - value, UnitCost: l.UnitCost, valued: l.valued}, nil
}

// UnitCost is what one of q units costs that are worth so many minor units
// altogether. The quantity must not be zero.
func UnitCost(q quantity.Quantity, value int64, currency money.Currency) decimal.Decimal {
	return money.Amount{Minor: value, Currency: currency}.Decimal().DivRound(q.Decimal(), costDigits)
}
