package sales

import (
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// beforeInvoice reports whether a refund came before the invoice, or there is
// none: it then lessens what is invoiced instead of being credited.
func (d *decider) beforeInvoice(r refundFigures) bool {
	return d.invoicedAt.IsZero() || r.said.At.Before(d.invoicedAt)
}

// paidBack is what of a refund was money, and where it went.
type paidBack struct{ gateway, gifts int64 }

func (p paidBack) total() int64 { return p.gateway + p.gifts }

// refundedMoney tells for each refund how much of it was money. Where the shop
// does not say, it is no more than was paid and not yet given back. The gateway
// gives back what it was paid, a gift card the rest.
func (d *decider) refundedMoney() []paidBack {
	var given paidBack
	out := make([]paidBack, len(d.refunds))
	for i, r := range d.refunds {
		if r.paid != nil {
			out[i] = d.statedMoney(r, given)
			given.gateway += out[i].gateway
			given.gifts += out[i].gifts
			continue
		}
		var until time.Time
		if d.beforeInvoice(r) {
			until = r.said.At // money that came later was not given back before
		}
		paid := d.paidBy(until)
		out[i].gateway = max(0, min(r.amount, paid.gateway-given.gateway))
		out[i].gifts = max(0, min(r.amount-out[i].gateway, paid.gifts-given.gifts))
		given.gateway += out[i].gateway
		given.gifts += out[i].gifts
	}
	return out
}

// statedMoney splits the money that the shop says went back. It is booked
// whole, though it be more than was ever paid: the gateway has let go of it,
// and the customer owes the difference. Where the shop names no gateway, gift
// cards take back what the order's own was not paid.
func (d *decider) statedMoney(r refundFigures, given paidBack) paidBack {
	switch r.said.Gateway {
	case "":
	case giftCardGateway:
		return paidBack{gifts: *r.paid}
	default:
		return paidBack{gateway: *r.paid}
	}
	paid := d.paidBy(time.Time{})
	var out paidBack
	out.gateway = max(0, min(*r.paid, paid.gateway-given.gateway))
	out.gifts = max(0, min(*r.paid-out.gateway, paid.gifts-given.gifts))
	out.gateway = *r.paid - out.gifts
	return out
}

// takeDeposits is how much of an invoice the customer had paid before, less
// what went back before; negative where more went back than was paid. What it
// leaves is kept for the refunds that pay it back.
func (d *decider) takeDeposits(total int64) int64 {
	prepaid := d.paidBy(d.invoicedAt).total()
	for i, m := range d.back {
		if d.beforeInvoice(d.refunds[i]) {
			prepaid -= m.total()
		}
	}
	if prepaid < 0 {
		return prepaid
	}
	taken := max(0, min(prepaid, total))
	d.overpaid = prepaid - taken
	return taken
}

// paidBy sums up what gateways and gift cards paid up to an instant; zero means
// all.
func (d *decider) paidBy(until time.Time) paidBack {
	var sum paidBack
	for _, p := range d.payments {
		switch {
		case !until.IsZero() && p.at.After(until):
		case p.gift:
			sum.gifts += p.amount
		default:
			sum.gateway += p.amount
		}
	}
	return sum
}

// wantRefunds: before the invoice, money goes back from the deposit; after it,
// a credit note takes back income and tax. Goods that came back return to
// stock at the cost they left with.
func (d *decider) wantRefunds() error {
	for i, r := range d.refunds {
		gateway := r.said.Gateway
		if gateway == "" {
			gateway = d.said.Payment.Method
		}
		event := "refund/" + r.said.ID
		if d.beforeInvoice(r) {
			b := d.book(ledger.JournalCash, "Refund")
			b.debit(deposits, d.back[i].total(), "")
			b.credit(d.clearing(gateway), d.back[i].gateway, "")
			b.credit(giftCards, d.back[i].gifts, "")
			if err := d.post(event, r.said.At, b, nil); err != nil {
				return err
			}
		} else if err := d.creditNote(event, r, gateway, d.back[i]); err != nil {
			return err
		}
		if err := d.wantReturn(r); err != nil {
			return err
		}
	}
	return nil
}

func (d *decider) creditNote(event string, r refundFigures, gateway string, back paidBack) error {
	b := d.book(ledger.JournalSales, "Refund")
	doc := &Invoice{Kind: CreditNoteKind, Currency: d.fig.currency, Total: r.amount}
	var facts []taxable
	for _, p := range r.parts {
		l := d.fig.lines[p.line]
		b.debit(returnsAccount(l.said), p.net, "")
		il := InvoiceLine{Title: l.said.Title, SKU: l.said.SKU, Kind: l.said.Kind, Quantity: p.quantity, Net: p.net}
		for _, t := range p.taxes {
			if d.fig.remitted(p.line, t) {
				b.debit(remittedTax, t.amount, t.said.RateID)
			} else {
				b.debit(outputTax, t.amount, t.said.RateID)
				facts = append(facts, taxable{line: l.said.ID, rate: t.said.RateID, base: -p.net, tax: -t.amount})
			}
			il.Taxes = append(il.Taxes, InvoiceTax{Name: t.said.Name, Rate: t.said.Rate, Amount: t.amount})
			doc.Tax += t.amount
		}
		doc.Lines = append(doc.Lines, il)
	}
	doc.Net = r.amount - doc.Tax
	if len(r.parts) > 0 && r.gap <= d.fig.bound && -r.gap <= d.fig.bound {
		b.debit(roundingCents, r.gap, "")
	} else {
		b.debit(salesReturns, r.gap, "")
		if r.gap != 0 {
			doc.Lines = append(doc.Lines, InvoiceLine{Title: r.said.Reason, Kind: intake.LineFee, Quantity: quantity.Unit, Net: r.gap})
		}
	}
	b.credit(d.clearing(gateway), back.gateway, "")
	b.credit(giftCards, back.gifts, "")
	b.credit(receivable, d.leaveOnAccount(b, r, back), "")
	if r.paid != nil && r.amount == 0 && doc.Tax == 0 { // money alone: there is nothing to credit
		b.journal = ledger.JournalCash
		return d.post(event, r.said.At, b, nil)
	}
	return d.issue(event, r.said.At, b, facts, doc)
}

// leaveOnAccount is what of a refund stays on the customer's account: what was
// not paid back, or negative what was paid back beyond it. An overpayment goes
// back from the deposit where it is still there.
func (d *decider) leaveOnAccount(b *booking, r refundFigures, back paidBack) int64 {
	left := r.amount - back.total()
	if left >= 0 || r.paid == nil {
		return left
	}
	taken := min(-left, d.overpaid)
	d.overpaid -= taken
	b.debit(deposits, taken, "")
	return left + taken
}

// returnsAccount is the account that a refund of a line takes back from.
func returnsAccount(l *intake.Line) account {
	switch {
	case l.GiftCard:
		return giftCards
	case l.Kind == intake.LineShipping:
		return shippingIncome
	case l.Kind == intake.LineFee && l.Total.IsNegative():
		return discounts
	case l.Kind == intake.LineFee, l.Kind == intake.LineTip:
		return otherIncome
	default:
		return salesReturns
	}
}

// wantReturn brings refunded goods back that had been shipped, and notes those
// that had been and stay away.
func (d *decider) wantReturn(r refundFigures) error {
	event := "return/" + r.said.ID
	var moves []LineMove
	digest := "return"
	for _, p := range r.parts {
		said := d.fig.lines[p.line].said
		goods := d.facts.Goods[said.ID]
		if said.Kind != intake.LineItem || p.restock == intake.RestockUnshipped {
			continue
		}
		q := min(p.quantity, d.shippedBy(p.line, r.said.At)-d.returned[said.ID]-d.kept[said.ID])
		if q <= 0 {
			continue
		}
		if !d.restocks(r, p.restock) {
			d.kept[said.ID] += q
			continue
		}
		if goods.Stub {
			d.waiting, d.keep[event] = true, true
			return nil
		}
		d.returned[said.ID] += q
		digest += fmt.Sprintf("|%s:%d:%d", said.ID, q, goods.Variant)
		if goods.Unlisted {
			digest += ":unlisted"
		}
		if !goods.Tracked || goods.Stock == 0 {
			continue
		}
		cost := d.costOut(said.ID, goods)
		value, err := inventory.ValueOf(q, cost, d.facts.Home)
		if err != nil {
			return err
		}
		moves = append(moves, LineMove{Line: said.ID, Move: inventory.Move{
			Variant: goods.Stock, From: inventory.Customers, To: inventory.Main, Quantity: q, UnitCost: cost, Value: value, Reason: "return",
		}})
	}
	if digest != "return" {
		d.postMoves(event, r.said.At, digest, moves, stock, goodsSold, "Goods returned")
	}
	return nil
}

// shippedBy sums up what had left of a line by an instant.
func (d *decider) shippedBy(line int, at time.Time) quantity.Quantity {
	var sum quantity.Quantity
	for _, sh := range d.shipments {
		if sh.at.After(at) {
			continue
		}
		for _, l := range sh.lines {
			if l.line == line {
				sum += l.quantity
			}
		}
	}
	return sum
}

// restocks reports whether refunded goods that had left are back.
func (d *decider) restocks(r refundFigures, said intake.Restock) bool {
	if r.rest && d.facts.Rules.Restock != RestockAlways { // the shop named no goods
		return false
	}
	switch said {
	case intake.RestockYes:
		return true
	case intake.RestockNo:
		return false
	default:
		return d.facts.Rules.Restock != RestockNever
	}
}

// costOut is the unit cost at which the goods of a line left, or leave anew where
// they are others from now on.
func (d *decider) costOut(line string, goods Goods) decimal.Decimal {
	for _, sh := range d.shipments {
		for _, m := range d.before.Events["shipment/"+sh.id].Moves {
			if m.Line != 0 && m.Line == d.before.Lines[line].ID && m.Variant == goods.Stock {
				return m.UnitCost
			}
		}
	}
	return goods.Cost
}
