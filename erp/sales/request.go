package sales

import (
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// Placed is an order as a person finds it who wants something done with it.
type Placed struct {
	Said  *intake.Order // as the shop last stated it
	State intake.OrderState
	Lines map[string]PlacedLine // by external id
	// Asked is what was asked for before and the shop has not answered yet.
	Asked []intake.OrderRequest
}

// PlacedLine is what became of a line so far.
type PlacedLine struct {
	Ordered, Refunded, Shipped, Returned, Demand quantity.Quantity
	State                                        string
}

// Ask is goods of an order that a person names: by the external id of the line,
// or by its SKU.
type Ask struct {
	Line     string          `json:"line"`
	Quantity decimal.Decimal `json:"quantity"`
}

// Left is what of a line is still to be shipped.
func (l PlacedLine) Left() quantity.Quantity {
	switch {
	case l.Demand > 0:
		return l.Demand
	case l.State == LineShipped, l.State == LineReturned, l.State == LineCancelled:
		return 0
	default:
		return max(0, l.Ordered-l.Shipped-max(0, l.Refunded-l.Returned))
	}
}

// open refuses what can no longer be done with an order.
func (p Placed) open() error {
	if slices.ContainsFunc(p.Asked, func(r intake.OrderRequest) bool { return r.Cancel != nil }) {
		return fault.New(fault.Conflict, "wait until the shop has answered", "a cancellation of order %s is on its way", p.Said.Number)
	}
	if p.Said.Trashed {
		return fault.New(fault.Unprocessable, "take it out of the trash in the shop first", "order %s is in the trash", p.Said.Number)
	}
	return nil
}

// Ship works out a shipment: the goods asked for, or without any all that is
// left. More than is left, of what was asked for before too, is refused.
func (p Placed) Ship(asked []Ask) (intake.NewShipment, error) {
	var out intake.NewShipment
	if err := p.open(); err != nil {
		return out, err
	}
	if p.State != intake.StateOpen {
		return out, fault.New(fault.Unprocessable, "only an order that is paid and open can be shipped", "order %s is %s", p.Said.Number, p.State)
	}
	left := map[string]quantity.Quantity{}
	var sum quantity.Quantity
	for _, l := range p.items() {
		left[l.ID] = max(0, p.Lines[l.ID].Left()-p.onItsWay(l.ID))
		sum += left[l.ID]
	}
	if sum == 0 {
		return out, fault.New(fault.Unprocessable, "see: comptoir shipment list", "nothing of order %s is left to be shipped", p.Said.Number)
	}
	wanted, err := p.wanted(asked, left, "shipped")
	if err != nil {
		return out, err
	}
	for _, l := range p.items() {
		if q := wanted[l.ID]; q > 0 {
			sum -= q
			out.Lines = append(out.Lines, intake.ShippedLine{LineID: l.ID, Quantity: q.Decimal()})
		}
	}
	out.Completes = sum == 0
	return out, nil
}

func (p Placed) items() []intake.Line {
	return slices.DeleteFunc(slices.Clone(p.Said.Lines), func(l intake.Line) bool { return l.Kind != intake.LineItem })
}

// onItsWay is what of a line was asked to be shipped and is not answered.
func (p Placed) onItsWay(line string) (sum quantity.Quantity) {
	for _, r := range p.Asked {
		if r.Shipment == nil {
			continue
		}
		for _, l := range r.Shipment.Lines {
			if q, err := quantity.Of(l.Quantity); err == nil && l.LineID == line {
				sum += q
			}
		}
	}
	return sum
}

// wanted returns what is wanted of each line: what was asked for, or all that is
// left.
func (p Placed) wanted(asked []Ask, left map[string]quantity.Quantity, done string) (map[string]quantity.Quantity, error) {
	if len(asked) == 0 {
		return left, nil
	}
	out := map[string]quantity.Quantity{}
	for _, a := range asked {
		l, err := p.line(a.Line)
		if err != nil {
			return nil, err
		}
		q, err := quantity.Of(a.Quantity)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", a.Line, err)
		}
		if q <= 0 {
			return nil, fault.New(fault.Invalid, "give a quantity above zero", "line %s: %s cannot be %s", a.Line, a.Quantity, done)
		}
		if out[l.ID] += q; out[l.ID] > left[l.ID] {
			return nil, fault.New(fault.Unprocessable, fmt.Sprintf("ask for %s at most", left[l.ID]), "order %s, line %s: %s are left to be %s, not %s", p.Said.Number, a.Line, left[l.ID], done, out[l.ID])
		}
	}
	return out, nil
}

// line finds a line by its id or its SKU.
func (p Placed) line(named string) (intake.Line, error) {
	var found []intake.Line
	var all, ids []string
	for _, l := range p.items() {
		if l.ID == named {
			return l, nil
		}
		if l.SKU == named && named != "" {
			found, ids = append(found, l), append(ids, l.ID)
		}
		all = append(all, fmt.Sprintf("%s (%s)", l.ID, l.SKU))
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return intake.Line{}, fault.New(fault.NotFound, "use one of "+strings.Join(all, ", "), "order %s has no line %q", p.Said.Number, named)
	default:
		return intake.Line{}, fault.New(fault.Unprocessable, "name one of the lines "+strings.Join(ids, ", ")+" instead", "order %s has SKU %s on several lines", p.Said.Number, named)
	}
}

// Cancel refuses a cancellation that cannot be.
func (p Placed) Cancel() error {
	if err := p.open(); err != nil {
		return err
	}
	switch p.State {
	case intake.StateCancelled, intake.StateRefunded, intake.StateFailed:
		return fault.New(fault.Unprocessable, "there is nothing to do", "order %s is %s already", p.Said.Number, p.State)
	}
	for id, l := range p.Lines {
		if l.Shipped > 0 || p.onItsWay(id) > 0 {
			return fault.New(fault.Unprocessable, "refund what comes back: comptoir order refund", "goods of order %s have been shipped, so it cannot be cancelled", p.Said.Number)
		}
	}
	return nil
}

// Refundable is what of the money of an order can still go back, in its
// currency: what it is worth, less what went back and what was asked for.
func (p Placed) Refundable() decimal.Decimal {
	left := p.Said.Total
	for _, r := range p.Said.Refunds {
		left = left.Sub(r.Amount)
	}
	for _, r := range p.Asked {
		if r.Refund != nil {
			left = left.Sub(r.Refund.Amount)
		}
	}
	if left.IsNegative() {
		return decimal.Decimal{}
	}
	return left
}

// Refund works out a refund: of an amount alone; of goods, at what they were
// sold for with their taxes; or, with neither, of all that is left. More than is
// left is refused.
func (p Placed) Refund(amount *decimal.Decimal, asked []Ask) (intake.NewRefund, error) {
	var out intake.NewRefund
	if err := p.open(); err != nil {
		return out, err
	}
	left := p.Refundable()
	switch {
	case amount != nil && len(asked) > 0:
		return out, fault.New(fault.Invalid, "leave one of them out", "a refund is of an amount or of goods, not of both")
	case p.Said.PaidAt.IsZero() && !p.paid():
		return out, fault.New(fault.Unprocessable, "cancel it instead: comptoir order cancel", "order %s was not paid", p.Said.Number)
	case !left.IsPositive():
		return out, fault.New(fault.Unprocessable, "there is nothing to do", "nothing of order %s is left to go back", p.Said.Number)
	case amount != nil:
		out.Amount = *amount
		rounded, err := money.Round(out.Amount, p.Said.Currency)
		if err != nil || !out.Amount.IsPositive() || !rounded.Decimal().Equal(out.Amount) {
			return out, fault.New(fault.Invalid, "give an amount above zero, in whole cents", "%s %s cannot go back", out.Amount, p.Said.Currency)
		}
	default:
		if err := p.refundLines(asked, &out); err != nil {
			return out, err
		}
		if len(asked) == 0 {
			out.Amount = left
		}
	}
	if out.Amount.GreaterThan(left) {
		return out, fault.New(fault.Unprocessable, fmt.Sprintf("give back %s at most", money.Text(left, p.Said.Currency)), "%s of order %s is left to go back, not %s", money.Text(left, p.Said.Currency), p.Said.Number, money.Text(out.Amount, p.Said.Currency))
	}
	if !out.Amount.IsPositive() {
		return out, fault.New(fault.Unprocessable, "give an amount instead", "the goods are worth nothing, so nothing goes back")
	}
	return out, nil
}

// paid reports whether any money was taken.
func (p Placed) paid() bool {
	return slices.ContainsFunc(p.Said.Payments, func(m intake.Money) bool { return m.Kind == intake.MoneySale || m.Kind == intake.MoneyCapture }) || len(p.Said.GiftCards) > 0
}

// refundLines works out the lines of a refund and their sum: of the goods asked
// for, or without any of all that is left of every line.
func (p Placed) refundLines(asked []Ask, out *intake.NewRefund) error {
	left := map[string]quantity.Quantity{}
	for _, l := range p.items() {
		q, err := quantity.Of(l.Quantity)
		if err != nil {
			return err
		}
		left[l.ID] = max(0, q-p.refunded(l.ID).quantity)
	}
	wanted, err := p.wanted(asked, left, "refunded")
	if err != nil {
		return err
	}
	for _, l := range p.Said.Lines {
		q := wanted[l.ID]
		if q == 0 && (len(asked) > 0 || l.Kind == intake.LineItem) {
			continue
		}
		part, err := p.part(l, q, q == left[l.ID])
		if err != nil {
			return err
		}
		out.Lines = append(out.Lines, part)
		out.Amount = out.Amount.Add(part.Total)
		for _, t := range part.Taxes {
			out.Amount = out.Amount.Add(t.Amount)
		}
	}
	return nil
}

// back is what of a line went back or was asked for.
type back struct {
	quantity quantity.Quantity
	net      decimal.Decimal
	taxes    map[string]decimal.Decimal // by rate
}

func (p Placed) refunded(line string) back {
	b := back{taxes: map[string]decimal.Decimal{}}
	add := func(id string, q, net decimal.Decimal, taxes []intake.Tax) {
		if id != line {
			return
		}
		if n, err := quantity.Of(q); err == nil {
			b.quantity += n
		}
		b.net = b.net.Add(net)
		for _, t := range taxes {
			b.taxes[t.RateID] = b.taxes[t.RateID].Add(t.Amount)
		}
	}
	for _, r := range p.Said.Refunds {
		for _, l := range r.Lines {
			add(l.LineID, l.Quantity, l.Total, l.Taxes)
		}
	}
	for _, r := range p.Asked {
		if r.Refund == nil {
			continue
		}
		for _, l := range r.Refund.Lines {
			add(l.LineID, l.Quantity, l.Total, l.Taxes)
		}
	}
	return b
}

// part is a quantity of a line with its taxes, each rounded once; the last of it is
// what the parts before have left.
func (p Placed) part(l intake.Line, q quantity.Quantity, last bool) (intake.NewRefundLine, error) {
	had := p.refunded(l.ID)
	share := func(whole, gone decimal.Decimal) (decimal.Decimal, error) {
		rest := whole.Sub(gone)
		if last {
			rounded, err := money.Round(rest, p.Said.Currency)
			return decimal.Max(rounded.Decimal(), decimal.Decimal{}), err
		}
		rounded, err := money.Round(whole.Mul(q.Decimal()).DivRound(l.Quantity, 16), p.Said.Currency)
		return decimal.Max(decimal.Min(rounded.Decimal(), rest), decimal.Decimal{}), err
	}
	out := intake.NewRefundLine{LineID: l.ID, Quantity: q.Decimal()}
	var err error
	if out.Total, err = share(l.Total, had.net); err != nil {
		return out, err
	}
	for _, t := range l.Taxes {
		if t.Amount, err = share(t.Amount, had.taxes[t.RateID]); err != nil {
			return out, err
		}
		out.Taxes = append(out.Taxes, t)
	}
	return out, nil
}
