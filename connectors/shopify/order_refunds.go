package shopify

import (
	"fmt"
	"strings"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// refunds states what was taken back and paid back.
//
// What a refund is worth and what it pays are two things. By Shopify's own
// identity, lines + shipping + duties - adjustments = transactions: an
// adjustment is positive where the merchant pays less than was worked out, and
// negative where he pays more. Where the identity holds only without them,
// they repeat what is stated elsewhere (shipping, in refunds of old); where it
// holds only with the signs turned round, they are. An adjustment that says
// that money is still to come, or comes now for an earlier refund, changes
// what is paid and not what the sale is worth.
func (m *mapper) refunds() {
	m.dropRemovals()
	known := map[string]bool{}
	for i := range m.Refunds {
		for _, t := range m.Refunds[i].Transactions.Nodes {
			known[t.ID.ref()] = true
		}
		m.refund(&m.Refunds[i], m.Refunds[i].ID.ref())
	}
	for i := range m.Transactions { // money that no refund tells of
		if t := &m.Transactions[i]; t.is("REFUND") && t.moved() && !known[t.ID.ref()] {
			m.refund(&refund{ID: t.ID, Created: t.Created, Processed: t.Processed, Transactions: connection[transaction]{Nodes: []transaction{*t}}},
				"t"+t.ID.ref())
		}
	}
}

// refund states one refund: once, and again for the money of each further
// gateway that it went through.
func (m *mapper) refund(f *refund, id string) {
	r := intake.Refund{ID: id, At: m.refundedAt(f), Reason: f.Note.trimmed()}
	var worth decimal.Decimal // what was worked out
	take := func(l intake.RefundLine) {
		r.Lines = append(r.Lines, l)
		worth = worth.Add(l.Total)
		for _, t := range l.Taxes {
			worth = worth.Add(t.Amount)
		}
	}
	for i := range f.Lines.Nodes {
		take(m.refundLine(f, &f.Lines.Nodes[i]))
	}
	for i := range f.Shipping.Nodes {
		lines, loose := m.refundShipping(&f.Shipping.Nodes[i])
		worth = worth.Add(loose)
		for _, l := range lines {
			take(l)
		}
	}
	for i := range f.Duties {
		lines, loose := m.refundDuty(&f.Duties[i])
		worth = worth.Add(loose)
		for _, l := range lines {
			take(l)
		}
	}
	back := m.paidBack(f)
	adjusted, tax, later := m.adjustments(f, worth, back.total)
	r.Amount = worth.Sub(adjusted)
	r.Lines = append(r.Lines, m.overRates(adjusted.Sub(tax).Neg(), tax.Neg())...)
	if gap := back.total.Sub(r.Amount).Add(later); gap.IsPositive() {
		r.Amount = r.Amount.Add(m.goodwill(r, back.total, gap))
	}
	if r.Amount.IsNegative() {
		m.fail("refund "+id, fmt.Errorf("it takes %s less than nothing from the sale", r.Amount))
	}
	if !back.rounding.IsZero() {
		r.Amount = r.Amount.Add(back.rounding)
		r.Lines = append(r.Lines, intake.RefundLine{LineID: roundingLine, Total: back.rounding})
	}
	m.pay(r, back)
}

// pay states a refund with the money that moved. What went through a second
// gateway is stated as a refund of its own that is worth nothing.
func (m *mapper) pay(r intake.Refund, back paidBack) {
	none := decimal.Decimal{}
	r.Paid = &none
	if len(back.gateways) > 0 {
		paid := back.paid[back.gateways[0]]
		r.Gateway, r.Paid = back.gateways[0], &paid
	}
	m.out.Refunds = append(m.out.Refunds, r)
	for i := 1; i < len(back.gateways); i++ {
		gateway := back.gateways[i]
		paid := back.paid[gateway]
		m.out.Refunds = append(m.out.Refunds, intake.Refund{ID: r.ID + "-" + gateway, At: r.At, Reason: r.Reason, Gateway: gateway, Paid: &paid})
	}
}

func (m *mapper) refundedAt(f *refund) time.Time {
	at := m.instant(f.Processed, "date of refund "+f.ID.ref())
	if at.IsZero() {
		at = m.instant(f.Created, "date of refund "+f.ID.ref())
	}
	return at
}

// paidBack is the money of a refund.
type paidBack struct {
	total    decimal.Decimal // that moved or is on its way, before rounding
	rounding decimal.Decimal // of cash, where it moved
	gateways []string        // in the order of the transactions
	paid     map[string]decimal.Decimal
}

func (m *mapper) paidBack(f *refund) paidBack {
	back := paidBack{paid: map[string]decimal.Decimal{}}
	for i := range f.Transactions.Nodes {
		t := &f.Transactions.Nodes[i]
		if !t.is("REFUND") || !t.moved() && !t.coming() {
			continue
		}
		gateway := t.gateway()
		if _, seen := back.paid[gateway]; !seen {
			back.gateways = append(back.gateways, gateway)
			back.paid[gateway] = decimal.Decimal{}
		}
		amount := m.in(t.Amount, "transaction "+t.ID.ref())
		back.total = back.total.Add(amount)
		if t.moved() {
			cash := m.cash(t)
			back.paid[gateway] = back.paid[gateway].Add(cash)
			back.rounding = back.rounding.Add(cash.Sub(amount))
		}
	}
	return back
}

// adjustments sums up what a refund gave less (positive) than was worked out,
// and the tax in it; and apart what it does not pay yet, or pays for an
// earlier one (negative).
func (m *mapper) adjustments(f *refund, worth, paid decimal.Decimal) (adjusted, tax, later decimal.Decimal) {
	for i := range f.Adjustments.Nodes {
		a := &f.Adjustments.Nodes[i]
		net := m.in(a.Amount, "adjustment of refund "+f.ID.ref())
		of := m.in(a.Tax, "tax of an adjustment of refund "+f.ID.ref())
		if strings.EqualFold(a.Reason.trimmed(), "PENDING_REFUND_DISCREPANCY") {
			later = later.Add(net).Add(of)
			continue
		}
		adjusted, tax = adjusted.Add(net).Add(of), tax.Add(of)
	}
	all, none := adjusted.Add(later), decimal.Decimal{}
	switch {
	case worth.Sub(all).Equal(paid):
	case worth.Equal(paid):
		return none, none, none
	case worth.Add(all).Equal(paid):
		return adjusted.Neg(), tax.Neg(), later.Neg()
	}
	return adjusted, tax, later
}

// goodwill is how much of the money that a refund paid, and explains by
// nothing, lessens the sale. Where the customer had paid too much, after an
// edit say, that goes back first: it was never part of the sale.
func (m *mapper) goodwill(r intake.Refund, paid, gap decimal.Decimal) decimal.Decimal {
	owed := m.in(m.Total, "totalPriceSet").Add(m.in(m.CashRounding.Payment, "totalCashRoundingAdjustment")).Sub(r.Amount)
	var had decimal.Decimal
	for _, before := range m.out.Refunds {
		owed = owed.Sub(before.Amount)
		had = had.Sub(*before.Paid)
	}
	for _, p := range m.out.Payments {
		if (p.Kind == intake.MoneySale || p.Kind == intake.MoneyCapture) && !p.At.After(r.At) {
			had = had.Add(p.Amount)
		}
	}
	for _, g := range m.out.GiftCards {
		had = had.Add(g.Amount)
	}
	tooMuch := had.Sub(owed).Sub(paid.Sub(gap))
	if !tooMuch.IsPositive() {
		return gap
	}
	return decimal.Max(gap.Sub(tooMuch), decimal.Decimal{})
}

// dropRemovals takes out of the refunds what an edit has taken off already:
// Shopify may state a removal both as an edit and as a refund without money.
// Units tell: what is left and what was refunded make up what was sold.
func (m *mapper) dropRemovals() {
	for id, sold := range m.sold {
		if sold.uncounted {
			continue
		}
		twice := m.refunded(id).Sub(sold.units)
		for i := range m.Lines.Nodes {
			if l := &m.Lines.Nodes[i]; l.ID.ref() == id {
				twice = twice.Add(m.amount(l.Current, "current quantity of line "+id))
			}
		}
		for i := len(m.Refunds) - 1; i >= 0 && twice.IsPositive(); i-- {
			if f := &m.Refunds[i]; len(f.Transactions.Nodes) == 0 && len(f.Adjustments.Nodes) == 0 {
				twice = m.dropLines(f, id, twice)
			}
		}
	}
}

// dropLines takes the lines of a refund that concern up to so many units of a
// line of the order, and returns how many are left to take.
func (m *mapper) dropLines(f *refund, line string, units decimal.Decimal) decimal.Decimal {
	var kept []refundLine
	for _, l := range f.Lines.Nodes {
		q := m.amount(l.Quantity, "quantity of refund "+f.ID.ref())
		if l.Line.ID.ref() == line && q.IsPositive() && q.LessThanOrEqual(units) {
			units = units.Sub(q)
			continue
		}
		kept = append(kept, l)
	}
	f.Lines.Nodes = kept
	return units
}
