package sales

import (
	"cmp"
	"fmt"
	"slices"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// figures are the amounts of an order in whole minor units: each line rounded
// once, the tax split so that it adds up to what the shop states, and what is
// left explained as rounding.
type figures struct {
	currency money.Currency
	scale    int32
	total    int64
	tax      int64
	rounding int64 // total less lines less tax
	bound    int64 // how much rounding may explain: one minor unit a line and rate
	lines    []lineFigures
	byID     map[string]int
	amounts  Amounts
}

type lineFigures struct {
	said     *intake.Line
	quantity quantity.Quantity
	subtotal int64
	net      int64
	taxes    []taxFigures
}

func (l *lineFigures) tax() int64 {
	var sum int64
	for _, t := range l.taxes {
		sum += t.amount
	}
	return sum
}

type taxFigures struct {
	said   *intake.Tax
	amount int64
}

// remitted reports whether a tax on a line is paid by the marketplace. A refund
// takes it back from where the sale put it, though it may not say so again.
func (f *figures) remitted(line int, t taxFigures) bool {
	for _, own := range f.lines[line].taxes {
		if own.said.RateID == t.said.RateID {
			return own.said.Remitted
		}
	}
	return t.said.Remitted
}

// rounder turns decimals into minor units and remembers the first failure.
type rounder struct {
	currency money.Currency
	err      error
}

func (r *rounder) minor(d decimal.Decimal) int64 {
	if r.err != nil {
		return 0
	}
	a, err := money.Round(d, r.currency)
	r.err = err
	return a.Minor
}

// figure rounds the amounts of an order. It refuses what rounding cannot
// explain: the record is parked, for a person to look at.
func figure(said *intake.Order) (*figures, error) {
	scale, err := said.Currency.Decimals()
	if err != nil {
		return nil, fault.New(fault.Unprocessable, "check the order's currency in the shop, then retry", "order %s: %w", said.Number, err)
	}
	r := rounder{currency: said.Currency}
	f := &figures{currency: said.Currency, scale: int32(scale), byID: make(map[string]int, len(said.Lines))}
	f.total, f.tax = r.minor(said.Total), r.minor(said.TotalTax)
	f.amounts.Total, f.amounts.Tax, f.amounts.Discount = f.total, f.tax, r.minor(said.DiscountTotal)
	for _, g := range said.GiftCards {
		f.amounts.Gifts += r.minor(g.Amount)
	}
	if f.total < 0 {
		return nil, fault.New(fault.Unprocessable, "book it by hand", "order %s has a negative total of %s", said.Number, money.Text(said.Total, said.Currency))
	}

	rates := map[string]bool{}
	var shares []decimal.Decimal
	var exact, lines decimal.Decimal
	f.lines = make([]lineFigures, len(said.Lines))
	for i := range said.Lines {
		l := &said.Lines[i]
		if _, twice := f.byID[l.ID]; twice {
			return nil, fault.New(fault.Unprocessable, "look at the order in the shop", "order %s has two lines with the id %s", said.Number, l.ID)
		}
		f.byID[l.ID] = i
		fl := lineFigures{said: l, subtotal: r.minor(l.Subtotal), net: r.minor(l.Total)}
		if fl.quantity, err = quantity.Of(l.Quantity); err != nil || fl.quantity < 0 {
			return nil, fault.New(fault.Unprocessable, "look at the order in the shop", "order %s, line %q: quantity %s is not possible", said.Number, l.Title, l.Quantity)
		}
		for j := range l.Taxes {
			t := &l.Taxes[j]
			r.minor(t.Amount) // in range?
			if r.err != nil {
				break
			}
			rates[t.RateID] = true
			shares = append(shares, t.Amount.Shift(f.scale))
			exact = exact.Add(t.Amount)
			fl.taxes = append(fl.taxes, taxFigures{said: t})
		}
		if r.err != nil {
			return nil, fault.New(fault.Unprocessable, "look at the order in the shop", "order %s, line %q: %w", said.Number, l.Title, r.err)
		}
		lines = lines.Add(l.Total)
		f.lines[i] = fl
	}
	if err := checkMoney(said, &r); err != nil {
		return nil, err
	}
	f.bound = int64(len(f.lines) + len(rates))

	if off := said.TotalTax.Sub(exact).Shift(f.scale).Abs(); off.GreaterThan(decimal.NewFromInt(f.bound)) {
		return nil, fault.New(fault.Unprocessable, "correct the order in the shop or book it by hand, then retry",
			"order %s states %s of tax, but its lines add up to %s", said.Number, money.Text(said.TotalTax, said.Currency), money.Text(exact, said.Currency))
	}
	next := 0
	parts := money.Split(f.tax, shares)
	for i := range f.lines {
		for j := range f.lines[i].taxes {
			f.lines[i].taxes[j].amount = parts[next]
			next++
		}
	}
	if len(shares) == 0 { // within the bound, checked above
		f.tax = 0
	}
	f.rounding = f.total - f.tax
	for i := range f.lines {
		f.rounding -= f.lines[i].net
	}
	if f.rounding > f.bound || -f.rounding > f.bound {
		off := money.Amount{Minor: f.rounding, Currency: f.currency}
		return nil, fault.New(fault.Unprocessable, "correct the order in the shop or book it by hand, then retry",
			"order %s states a total of %s, but its lines and taxes add up to %s: %s cannot be rounding",
			said.Number, money.Text(said.Total, said.Currency), money.Text(lines.Add(exact), said.Currency), off)
	}
	f.explain(said, lines, exact)
	return f, nil
}

// checkMoney refuses payments, gift cards and refunds that no one can tell
// apart, and amounts out of range.
func checkMoney(said *intake.Order, r *rounder) error {
	seen := map[string]bool{}
	once := func(what, id string) error {
		if seen[what+id] {
			return fault.New(fault.Unprocessable, "look at the order in the shop", "order %s has two %ss with the id %s", said.Number, what, id)
		}
		seen[what+id] = true
		return nil
	}
	for _, m := range said.Payments {
		r.minor(m.Amount)
		r.minor(m.Fee)
		if err := once("payment", m.ID); err != nil {
			return err
		}
	}
	for _, g := range said.GiftCards {
		if err := once("gift card", g.ID); err != nil {
			return err
		}
	}
	for _, f := range said.Refunds {
		if err := once("refund", f.ID); err != nil {
			return err
		}
	}
	for _, s := range said.Shipments {
		if err := once("shipment", s.ID); err != nil {
			return err
		}
	}
	if r.err != nil {
		return fault.New(fault.Unprocessable, "look at the order in the shop", "order %s: %w", said.Number, r.err)
	}
	return nil
}

// explain compares the shop's total with our own arithmetic.
func (f *figures) explain(said *intake.Order, lines, tax decimal.Decimal) {
	r := rounder{currency: f.currency}
	f.amounts.Recomputed = r.minor(lines.Add(tax))
	sum := lines.Add(tax)
	if sum.Equal(said.Total) && f.rounding == 0 {
		return
	}
	f.amounts.Difference = fmt.Sprintf("lines %s + tax %s = %s, stated %s; rounded line by line, %s to the rounding account",
		lines, tax, sum, said.Total, money.Amount{Minor: f.rounding, Currency: f.currency})
}

// refundFigures is a refund split over what it takes back.
type refundFigures struct {
	said   *intake.Refund
	amount int64
	paid   *int64 // money that went back, as stated; nil where the shop does not say
	rest   bool   // it pays back all that was left, and names no lines
	parts  []refundPart
	gap    int64 // the amount less the parts: money given back for nothing in particular
}

type refundPart struct {
	line     int // index in figures.lines
	quantity quantity.Quantity
	net      int64
	taxes    []taxFigures
	restock  intake.Restock
}

func (p *refundPart) total() int64 {
	sum := p.net
	for _, t := range p.taxes {
		sum += t.amount
	}
	return sum
}

// remainder is what refunds have left of an order.
type remainder struct {
	total    int64
	net      []int64
	taxes    [][]int64
	quantity []quantity.Quantity
}

// refunds splits the refunds of an order, oldest first. One that pays back all
// that was left takes back exactly what was left of each line and tax, though
// the shop names no lines.
func (f *figures) refunds(said *intake.Order, rules Rules) ([]refundFigures, error) {
	sorted := make([]*intake.Refund, len(said.Refunds))
	for i := range said.Refunds {
		sorted[i] = &said.Refunds[i]
	}
	slices.SortStableFunc(sorted, func(a, b *intake.Refund) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	left := remainder{total: f.total, net: make([]int64, len(f.lines)), taxes: make([][]int64, len(f.lines)), quantity: make([]quantity.Quantity, len(f.lines))}
	for i, l := range f.lines {
		left.net[i], left.quantity[i] = l.net, l.quantity
		left.taxes[i] = make([]int64, len(l.taxes))
		for j, t := range l.taxes {
			left.taxes[i][j] = t.amount
		}
	}
	out := make([]refundFigures, 0, len(sorted))
	for _, s := range sorted {
		r, err := f.refund(said, s, &left, rules)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (f *figures) refund(said *intake.Order, s *intake.Refund, left *remainder, rules Rules) (refundFigures, error) {
	round := rounder{currency: f.currency}
	r := refundFigures{said: s, amount: round.minor(s.Amount)}
	if s.Paid != nil {
		paid := round.minor(*s.Paid)
		r.paid = &paid
	}
	switch {
	case round.err != nil || r.amount < 0:
		return r, fault.New(fault.Unprocessable, "look at the refund in the shop", "order %s: refund %s of %s is not possible", said.Number, s.ID, s.Amount)
	case r.amount > left.total+f.bound:
		return r, fault.New(fault.Unprocessable, "look at the refunds in the shop",
			"order %s: refund %s of %s %s is more than the %s that was left", said.Number, s.ID, s.Amount, f.currency, money.Amount{Minor: left.total, Currency: f.currency})
	case s.Paid != nil && s.Paid.IsNegative():
		return r, fault.New(fault.Unprocessable, "look at the refund in the shop", "order %s: refund %s paid back %s, which is not possible", said.Number, s.ID, s.Paid)
	case len(s.Lines) > 0:
		if err := f.refundLines(said, s, &r); err != nil {
			return r, err
		}
	case r.amount == left.total && r.amount > 0:
		r.rest = true
		f.refundRest(&r, left)
	case rules.RefundTax == TaxProportional:
		f.refundShare(&r, left)
	}
	r.gap = r.amount
	for i := range r.parts {
		p := &r.parts[i]
		r.gap -= p.total()
		left.net[p.line] -= p.net
		left.quantity[p.line] = max(0, left.quantity[p.line]-p.quantity)
		for _, t := range p.taxes {
			for j := range left.taxes[p.line] {
				if f.lines[p.line].taxes[j].said.RateID == t.said.RateID {
					left.taxes[p.line][j] -= t.amount
					break
				}
			}
		}
	}
	left.total -= r.amount
	return r, nil
}

func (f *figures) refundLines(said *intake.Order, s *intake.Refund, r *refundFigures) error {
	round := rounder{currency: f.currency}
	for i := range s.Lines {
		sl := &s.Lines[i]
		line, ok := f.byID[sl.LineID]
		if !ok {
			return fault.New(fault.Unprocessable, "read the order again: comptoir resync --order", "order %s: refund %s names a line %s that the order does not have", said.Number, s.ID, sl.LineID)
		}
		q, err := quantity.Of(sl.Quantity)
		if err != nil || q < 0 {
			return fault.New(fault.Unprocessable, "look at the refund in the shop", "order %s: refund %s: quantity %s is not possible", said.Number, s.ID, sl.Quantity)
		}
		p := refundPart{line: line, quantity: q, net: round.minor(sl.Total), restock: sl.Restock}
		for j := range sl.Taxes {
			p.taxes = append(p.taxes, taxFigures{said: &sl.Taxes[j], amount: round.minor(sl.Taxes[j].Amount)})
		}
		r.parts = append(r.parts, p)
	}
	if round.err != nil {
		return fault.New(fault.Unprocessable, "look at the refund in the shop", "order %s: refund %s: %w", said.Number, s.ID, round.err)
	}
	return nil
}

// refundRest takes back all that is left of every line.
func (f *figures) refundRest(r *refundFigures, left *remainder) {
	for i := range f.lines {
		p := refundPart{line: i, net: left.net[i]}
		if r.rest {
			p.quantity = left.quantity[i]
		}
		for j, t := range f.lines[i].taxes {
			p.taxes = append(p.taxes, taxFigures{said: t.said, amount: left.taxes[i][j]})
		}
		r.parts = append(r.parts, p)
	}
}

// refundShare takes back the same part of everything that is left.
func (f *figures) refundShare(r *refundFigures, left *remainder) {
	if left.total <= 0 {
		return
	}
	f.refundRest(r, left)
	var whole []int64
	var sum int64
	each := func(fn func(amount *int64)) {
		for i := range r.parts {
			fn(&r.parts[i].net)
			for j := range r.parts[i].taxes {
				fn(&r.parts[i].taxes[j].amount)
			}
		}
	}
	each(func(a *int64) { whole = append(whole, *a); sum += *a })
	if sum == 0 {
		r.parts = nil
		return
	}
	shares := make([]decimal.Decimal, len(whole))
	for i, w := range whole {
		shares[i] = decimal.NewFromInt(w).Mul(decimal.NewFromInt(r.amount)).DivRound(decimal.NewFromInt(sum), 6)
	}
	parts := money.Split(r.amount, shares)
	next := 0
	each(func(a *int64) { *a = parts[next]; next++ })
}
