package inventory

import "comptoir/erp/quantity"

// Available is what can be sold of a stock: what is on hand, less what is set
// aside for open orders, less the safety stock, and never below zero. At rest
// as much is set aside as open orders want, but for what is not there.
func Available(onHand, demand, safety quantity.Quantity) quantity.Quantity {
	return max(onHand-demand-safety, 0)
}

// Oversold is what open orders want of a stock beyond what is on hand.
func Oversold(onHand, demand quantity.Quantity) quantity.Quantity {
	return max(demand-max(onHand, 0), 0)
}

// Offer is how much of a stock a shop may sell.
type Offer struct {
	Share int // in per cent, rounded down to whole units; 0 is all of it
	Cap   int // units at most; 0 for no limit
	// Whole: the shop counts in whole units, and what is left of one is kept
	// back.
	Whole bool
}

// Desired is what a shop is to have of a stock of which so much is available.
func (o Offer) Desired(available quantity.Quantity) quantity.Quantity {
	whole := o.Whole
	if o.Share > 0 && o.Share < 100 {
		available, whole = share(available, quantity.Quantity(o.Share)), true
	}
	if o.Cap > 0 {
		available = min(available, quantity.Quantity(o.Cap)*quantity.Unit)
	}
	if whole {
		available -= available % quantity.Unit
	}
	return max(available, 0)
}

// share is this many per cent of q, rounded down, without going out of range.
func share(q, percent quantity.Quantity) quantity.Quantity {
	return q/100*percent + q%100*percent/100
}

// Acknowledged is what a shop last said that it has of a stock.
type Acknowledged struct {
	Quantity quantity.Quantity
	// Taken is what its orders had taken of the stock by then.
	Taken quantity.Quantity
	// Unsure: orders that the books did not know then may be in Quantity
	// already, or goods of orders were released since, which the shop may have
	// put back in stock or not.
	Unsure bool
}

// Statement is what a shop stated to have of a stock of its own accord, and
// that the books have not acknowledged.
type Statement struct {
	Quantity quantity.Quantity
	At       int64 // as of when, by the shop's clock, in microseconds
}

// Belief is what a shop is taken to have of a stock.
type Belief struct {
	Quantity quantity.Quantity
	Known    bool // it has said so once
	// Sure: nothing speaks against it. If not, the shop has to be asked, which
	// a change does that is only made where it has Quantity.
	Sure bool
}

// Believed works out what a shop has. It lowers its own number with its own
// orders, so that what these took since is off what it acknowledged. What it
// states counts where no order of the shop is as new, of which it would not be
// known whether the shop had counted it: taken is what its orders have taken
// until now, ordered when one of them last did.
func Believed(acked *Acknowledged, said *Statement, taken quantity.Quantity, ordered int64) Belief {
	if acked == nil && said == nil {
		return Belief{}
	}
	var b Belief
	switch {
	case acked == nil:
		b = Belief{Quantity: said.Quantity, Known: true, Sure: said.At > ordered}
	case acked.Unsure:
		b = Belief{Quantity: acked.Quantity, Known: true}
	default:
		b = Belief{Quantity: acked.Quantity - (taken - acked.Taken), Known: true, Sure: true}
	}
	switch {
	case said == nil || acked == nil:
	case said.At > ordered:
		b = Belief{Quantity: said.Quantity, Known: true, Sure: true}
	case said.Quantity != b.Quantity:
		b.Sure = false
	}
	return b
}

// Agrees reports whether a shop that has what is believed need not be told that
// it is to have desired. A shop that has sold more than it had has nothing to
// sell.
func (b Belief) Agrees(desired quantity.Quantity) bool {
	return b.Known && b.Sure && (b.Quantity == desired || desired == 0 && b.Quantity < 0)
}
