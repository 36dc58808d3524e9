package shopify

import (
	"fmt"
	"strings"

	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// refundLine states what a refund took back of an item.
func (m *mapper) refundLine(f *refund, l *refundLine) intake.RefundLine {
	id, of := l.Line.ID.ref(), "line of refund "+f.ID.ref()
	line, ok := m.stated[id]
	if !ok {
		m.fail(of, fmt.Errorf("it names line %q, which the order does not have", id))
	}
	out := intake.RefundLine{LineID: id, Quantity: m.amount(l.Quantity, "quantity of "+of), Restock: restock(l)}
	subtotal, tax := m.in(l.Subtotal, of), m.in(l.Tax, "tax of "+of)
	out.Total = subtotal
	if m.TaxesIncluded && m.holdsTax(subtotal, out.Quantity, line) {
		out.Total = subtotal.Sub(tax)
	}
	out.Total, out.Taxes = m.byRate(out.Total, tax, line, out.Quantity, func() []intake.Tax { return m.refundTaxes(f.ID.ref(), id) })
	return out
}

// restock says what became of the goods. What is cancelled never left: its
// stock is free again without coming back.
func restock(l *refundLine) intake.Restock {
	switch strings.ToUpper(l.Type.trimmed()) {
	case "CANCEL":
		return intake.RestockUnshipped
	case "NO_RESTOCK":
		return intake.RestockNo
	case "LEGACY_RESTOCK":
		return intake.RestockYes
	case "RETURN":
		if !l.Restocked {
			return intake.RestockNo
		}
		return intake.RestockYes
	}
	if l.Restocked {
		return intake.RestockYes
	}
	return intake.RestockUnknown
}

// holdsTax reports whether what a refund states for some units of a line is
// their price with tax, of a shop whose prices include it: it is then nearer
// to that than to the price without.
func (m *mapper) holdsTax(stated, units decimal.Decimal, line intake.Line) bool {
	var tax decimal.Decimal
	for _, t := range line.Taxes {
		tax = tax.Add(t.Amount)
	}
	// Compared over all units of the line, to divide nothing.
	all := stated.Mul(line.Quantity)
	net := line.Total.Mul(units)
	return all.Sub(net.Add(tax.Mul(units))).Abs().LessThan(all.Sub(net).Abs())
}

// byRate splits the tax that a refund took back of a line by rate: all of it,
// where the line bears one rate; as the line bears it, where all comes back;
// else as the shop's agreement says, or in proportion. Tax that the line never
// bore is price.
func (m *mapper) byRate(net, tax decimal.Decimal, line intake.Line, units decimal.Decimal, agreed func() []intake.Tax) (decimal.Decimal, []intake.Tax) {
	taxes := append([]intake.Tax(nil), line.Taxes...)
	var bears decimal.Decimal
	bearing := 0
	for i := range taxes {
		bears = bears.Add(taxes[i].Amount)
		if !taxes[i].Amount.IsZero() {
			bearing = i
		}
	}
	switch {
	case len(taxes) == 0:
		return net.Add(tax), nil
	case bears.Equal(tax) && units.Equal(line.Quantity):
		return net, taxes
	case rates(taxes) <= 1 || tax.IsZero():
		for i := range taxes {
			taxes[i].Amount = decimal.Decimal{}
		}
		taxes[bearing].Amount = tax
		return net, taxes
	}
	if told := agreed(); same(told, tax) && within(told, taxes) {
		for i := range taxes {
			taxes[i].Amount = amountOf(told, taxes[i])
		}
		return net, taxes
	}
	parts := m.split(tax, taxes)
	for i := range taxes {
		taxes[i].Amount = parts[i]
	}
	return net, taxes
}

// rates counts the taxes that are not zero.
func rates(taxes []intake.Tax) int {
	n := 0
	for _, t := range taxes {
		if !t.Amount.IsZero() {
			n++
		}
	}
	return n
}

// same reports whether taxes add up to a sum.
func same(taxes []intake.Tax, sum decimal.Decimal) bool {
	for _, t := range taxes {
		sum = sum.Sub(t.Amount)
	}
	return len(taxes) > 0 && sum.IsZero()
}

// within reports whether each of some taxes is one that a line bears.
func within(some, line []intake.Tax) bool {
	for _, t := range some {
		found := false
		for _, other := range line {
			found = found || other.RateID == t.RateID && other.Remitted == t.Remitted
		}
		if !found {
			return false
		}
	}
	return true
}

func amountOf(taxes []intake.Tax, of intake.Tax) decimal.Decimal {
	for _, t := range taxes {
		if t.RateID == of.RateID && t.Remitted == of.Remitted {
			return t.Amount
		}
	}
	return decimal.Decimal{}
}

// split divides an amount in the proportion of taxes, in whole units of the
// currency as far as it is made of them.
func (m *mapper) split(amount decimal.Decimal, taxes []intake.Tax) []decimal.Decimal {
	parts := make([]decimal.Decimal, len(taxes))
	whole, err := money.Round(amount, m.out.Currency)
	if err != nil {
		m.fail("refund", err)
		return parts
	}
	places, _ := m.out.Currency.Decimals() // known, or Round had failed
	var sum, most decimal.Decimal
	for _, t := range taxes {
		sum, most = sum.Add(t.Amount), decimal.Max(most, t.Amount.Abs())
	}
	if sum.IsZero() || most.GreaterThan(sum.Abs()) {
		m.fail("refund", fmt.Errorf("%s cannot be split: the taxes that it concerns are charged and given back on one line", amount))
		return parts
	}
	shares := make([]decimal.Decimal, len(taxes))
	for i, t := range taxes {
		shares[i] = amount.Shift(int32(places)).Mul(t.Amount).DivRound(sum, exactDigits)
	}
	rest := amount.Sub(whole.Decimal())
	for i, minor := range money.Split(whole.Minor, shares) {
		parts[i] = decimal.New(minor, int32(-places)).Add(rest)
		rest = decimal.Decimal{}
	}
	return parts
}

// refundShipping states what a refund took back of a shipping line. One that
// the order does not have is taken back from the rates at large, and where
// there is no tax in it, loose: as an amount without a line.
func (m *mapper) refundShipping(s *refundShipping) (lines []intake.RefundLine, loose decimal.Decimal) {
	net, tax := m.in(s.Subtotal, "refunded shipping"), m.in(s.Tax, "tax of refunded shipping")
	if net.IsZero() && tax.IsZero() { // it was free
		return nil, loose
	}
	named := s.Line.ID.ref()
	line, ok := m.stated[shippingPrefix+named]
	if !ok && named != "" && m.ShippingAll != nil { // an edit took it off: the sale is without it already
		return nil, loose
	}
	if !ok {
		line, ok = m.onlyLine(shippingPrefix)
	}
	switch {
	case !ok && tax.IsZero():
		return nil, net
	case !ok:
		return m.overRates(net, tax), loose
	case m.TaxesIncluded && m.sharesTax(net, tax, line):
		net = net.Sub(tax)
	}
	out := intake.RefundLine{LineID: line.ID}
	out.Total, out.Taxes = m.byRate(net, tax, line, out.Quantity, func() []intake.Tax { return nil })
	return []intake.RefundLine{out}, loose
}

// sharesTax reports whether a refunded price has the tax inside it, of a shop
// whose prices include it: the tax is then the same part of it as of the
// line's price with tax.
func (m *mapper) sharesTax(price, tax decimal.Decimal, line intake.Line) bool {
	var bears decimal.Decimal
	for _, t := range line.Taxes {
		bears = bears.Add(t.Amount)
	}
	with, without := tax.Mul(line.Total.Add(bears)), tax.Mul(line.Total)
	share := price.Mul(bears)
	return with.Sub(share).Abs().LessThan(without.Sub(share).Abs())
}

// onlyLine is the only line whose id begins so, where there is one.
func (m *mapper) onlyLine(prefix string) (intake.Line, bool) {
	var found []intake.Line
	for _, l := range m.out.Lines {
		if strings.HasPrefix(l.ID, prefix) {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		return intake.Line{}, false
	}
	return found[0], true
}

// refundDuty states what a refund took back of a duty: with its tax, where the
// amount is that of both. One that the order does not have is loose.
func (m *mapper) refundDuty(d *refundDuty) (lines []intake.RefundLine, loose decimal.Decimal) {
	amount := m.in(d.Amount, "refunded duty")
	line, ok := m.stated[dutyPrefix+d.Original.ID.ref()]
	if !ok {
		line, ok = m.onlyLine(dutyPrefix)
	}
	if !ok {
		return nil, amount
	}
	out := intake.RefundLine{LineID: line.ID, Total: amount}
	if rates(line.Taxes) > 0 && same(line.Taxes, amount.Sub(line.Total)) {
		out.Total, out.Taxes = line.Total, line.Taxes
	}
	return []intake.RefundLine{out}, loose
}

// overRates spreads an amount and its tax, which concern no line in
// particular, over the rates of the order, each on the first line that bears
// it. There is none where there is no tax: the amount then stands for itself.
func (m *mapper) overRates(net, tax decimal.Decimal) []intake.RefundLine {
	if tax.IsZero() {
		return nil
	}
	var borne []intake.Tax
	var carriers []string
	for _, l := range m.out.Lines {
		for _, t := range l.Taxes {
			if t.Amount.IsZero() {
				continue
			}
			if borne = addTax(borne, t); len(borne) > len(carriers) {
				carriers = append(carriers, l.ID)
			}
		}
	}
	if len(borne) == 0 {
		m.fail("refund", fmt.Errorf("it takes back tax, but the order bears none"))
		return nil
	}
	nets, taxes := m.split(net, borne), m.split(tax, borne)
	lines := make([]intake.RefundLine, len(borne))
	for i, t := range borne {
		t.Amount = taxes[i]
		lines[i] = intake.RefundLine{LineID: carriers[i], Total: nets[i], Taxes: []intake.Tax{t}}
	}
	return lines
}

// taxesMixed reports whether a refund took back part of a line that bears
// several rates: which tax that was, only the shop's agreements tell.
func (h *heldOrder) taxesMixed() bool {
	several := map[string]bool{}
	for i := range h.Lines.Nodes {
		n := 0
		for j := range h.Lines.Nodes[i].Taxes {
			if amount, err := h.Lines.Nodes[i].Taxes[j].Price.Shop.Amount.number(); err == nil && !amount.IsZero() {
				n++
			}
		}
		several[h.Lines.Nodes[i].ID.ref()] = n > 1
	}
	for i := range h.Refunds {
		for j := range h.Refunds[i].Lines.Nodes {
			if several[h.Refunds[i].Lines.Nodes[j].Line.ID.ref()] {
				return true
			}
		}
	}
	return false
}
