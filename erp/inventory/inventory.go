// Package inventory keeps the stock: moves between places, which are only ever
// added to, and the level of each variant at each place, which is kept up with
// them in the same transaction.
//
// On hand is the sum of the moves. Demand is what open orders want; allocated
// is the part of it that stock is set aside for. Available is on hand less
// allocated less the safety stock. The value of a level is the sum of the
// values of its moves, so it equals the inventory account to the cent.
//
// Several shops may sell from one stock. What the orders of each took of it is
// kept apart, since a shop's own number knows of its own orders only.
package inventory

import (
	"sort"

	"comptoir/erp/money"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// The places that every set of books has.
const (
	Main       int64 = 1 // the warehouse
	Customers  int64 = 2
	Vendors    int64 = 3
	Adjustment int64 = 4
	Opening    int64 = 5
)

// Move is goods going from one place to another.
type Move struct {
	Variant      int64 // that carries the stock
	Shop         int64 // whose order it is for; 0 for none
	From, To     int64
	Quantity     quantity.Quantity // positive
	UnitCost     decimal.Decimal   // company currency, for one unit
	Value        int64             // minor units of the company's currency
	Reason       string
	DocumentKind string
	Document     int64
	Line         int64 // of the document; 0 for none
	Effective    string
	Cause        string // unique: the event that it records
}

// Reversal returns the move that takes m back, at the cost it had.
func (m Move) Reversal(cause, effective string) Move {
	m.From, m.To = m.To, m.From
	m.Cause, m.Effective, m.Reason = cause, effective, "reversal"
	return m
}

// ValueOf returns q units at a unit cost, in minor units with the given number
// of decimals, rounded half away from zero.
func ValueOf(q quantity.Quantity, cost decimal.Decimal, currency money.Currency) (int64, error) {
	a, err := money.Round(q.Decimal().Mul(cost), currency)
	return a.Minor, err
}

// Demand is what one order line wants of a variant.
type Demand struct {
	Line     int64  // id of the order line
	Promised string // YYYY-MM-DD; "" is last
	Placed   int64  // microseconds since 1970
	Origin   string // settles what is equal otherwise
	Quantity quantity.Quantity
}

// Allocate gives what is on hand to the demands, oldest promise first, and
// returns how much each gets, in the order of the demands given. A line gets
// what is left, be it less than it wants.
func Allocate(onHand quantity.Quantity, demands []Demand) []quantity.Quantity {
	order := make([]int, len(demands))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(x, y int) bool {
		a, b := demands[order[x]], demands[order[y]]
		if a.Promised != b.Promised {
			return b.Promised == "" || (a.Promised != "" && a.Promised < b.Promised)
		}
		if a.Placed != b.Placed {
			return a.Placed < b.Placed
		}
		return a.Origin < b.Origin
	})
	got := make([]quantity.Quantity, len(demands))
	for _, i := range order {
		q := min(demands[i].Quantity, max(onHand, 0))
		got[i] = q
		onHand -= q
	}
	return got
}
