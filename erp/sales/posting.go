package sales

import (
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/quantity"
)

type account = ledger.Ref

var (
	deposits       = account{Role: ledger.CustomerDeposits}
	receivable     = account{Role: ledger.Receivable}
	giftCards      = account{Role: ledger.GiftCardLiability}
	salesIncome    = account{Role: ledger.Sales}
	shippingIncome = account{Role: ledger.ShippingIncome}
	otherIncome    = account{Role: ledger.OtherIncome}
	salesReturns   = account{Role: ledger.SalesReturns}
	discounts      = account{Role: ledger.Discounts}
	outputTax      = account{Role: ledger.OutputTax}
	remittedTax    = account{Role: ledger.RemittedTax}
	roundingCents  = account{Role: ledger.Rounding}
	paymentFees    = account{Role: ledger.PaymentFees}
	goodsSold      = account{Role: ledger.CostOfGoodsSold}
	stock          = account{Role: ledger.Inventory}
)

// giftCardGateway is the gateway of money that goes back to a gift card.
const giftCardGateway = "gift_card"

// clearing is the account that money of a gateway goes to.
func (d *decider) clearing(gateway string) account {
	if gateway == giftCardGateway {
		return giftCards
	}
	return d.facts.Rules.Clearing(gateway, d.fig.currency, d.facts.Home)
}

// want collects every event that should stand.
func (d *decider) want() error {
	d.keep, d.back = map[string]bool{}, d.refundedMoney()
	for _, step := range []func() error{d.wantPayments, d.wantInvoice, d.wantShipments, d.wantRefunds, d.wantCancellation} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// settles is the account that a payment of the given instant is owed to: the
// receivable once there is an invoice, the customer's deposit before.
func (d *decider) settles(at time.Time) account {
	if !d.invoicedAt.IsZero() && at.After(d.invoicedAt) {
		return receivable
	}
	return deposits
}

// wantPayments: clearing to customer deposits (or receivable); fees from
// clearing; gift cards used from their liability.
func (d *decider) wantPayments() error {
	for _, p := range d.payments {
		b := d.book(ledger.JournalCash, "Payment")
		if p.gift {
			b = d.book(ledger.JournalGeneral, "Gift card used")
		}
		b.debit(p.account, p.amount, "")
		b.credit(d.settles(p.at), p.amount, "")
		if err := d.post(p.event, p.at, b, nil); err != nil {
			return err
		}
	}
	for _, m := range d.said.Payments {
		fee := d.minor(m.Fee)
		if fee == 0 {
			continue
		}
		b := d.book(ledger.JournalCash, "Payment fee")
		b.debit(paymentFees, fee, m.Gateway)
		b.credit(d.clearing(m.Gateway), fee, "")
		if err := d.post("fee/"+m.ID, m.At, b, nil); err != nil {
			return err
		}
	}
	return nil
}

// wantInvoice: customer deposits or receivable, and discounts, to sales,
// shipping, fees, gift cards and tax by component.
func (d *decider) wantInvoice() error {
	if d.invoicedAt.IsZero() {
		return nil
	}
	inv := d.invoiceFigures()
	b := d.book(ledger.JournalSales, "Invoice")
	var facts []taxable
	doc := &Invoice{Kind: InvoiceKind, Currency: d.fig.currency, Total: inv.total}
	for i, l := range d.fig.lines {
		net := inv.net[i]
		d.creditLine(b, l, inv.taken[i])
		il := InvoiceLine{Title: l.said.Title, SKU: l.said.SKU, Kind: l.said.Kind, Quantity: l.quantity - inv.quantity[i], Net: net}
		for j, t := range l.taxes {
			amount := inv.taxes[i][j]
			if d.fig.remitted(i, t) {
				b.credit(remittedTax, amount, t.said.RateID)
			} else {
				b.credit(outputTax, amount, t.said.RateID)
				facts = append(facts, taxable{line: l.said.ID, rate: t.said.RateID, base: net, tax: amount})
			}
			il.Taxes = append(il.Taxes, InvoiceTax{Name: t.said.Name, Rate: t.said.Rate, Amount: amount})
			doc.Tax += amount
		}
		doc.Net += net
		doc.Lines = append(doc.Lines, il)
	}
	b.debit(salesReturns, inv.gap, "")
	b.credit(roundingCents, d.fig.rounding, "")

	fromDeposits := d.takeDeposits(inv.total)
	b.debit(deposits, fromDeposits, "")
	b.debit(receivable, inv.total-fromDeposits, "")
	return d.issue("invoice", d.invoicedAt, b, facts, doc)
}

// invoiceFigures are the order's amounts less what was refunded before.
type invoiceFigures struct {
	total    int64
	gap      int64
	net      []int64
	taken    []int64 // net refunded before
	taxes    [][]int64
	quantity []quantity.Quantity // refunded before
}

func (d *decider) invoiceFigures() invoiceFigures {
	n := len(d.fig.lines)
	inv := invoiceFigures{total: d.fig.total, net: make([]int64, n), taken: make([]int64, n), taxes: make([][]int64, n), quantity: make([]quantity.Quantity, n)}
	for i, l := range d.fig.lines {
		inv.net[i] = l.net
		inv.taxes[i] = make([]int64, len(l.taxes))
		for j, t := range l.taxes {
			inv.taxes[i][j] = t.amount
		}
	}
	for _, r := range d.refunds {
		if !d.beforeInvoice(r) {
			continue
		}
		inv.total -= r.amount
		inv.gap += r.gap
		for _, p := range r.parts {
			inv.net[p.line] -= p.net
			inv.taken[p.line] += p.net
			inv.quantity[p.line] += p.quantity
			for _, t := range p.taxes {
				if !inv.takeTax(d.fig, p.line, t) {
					inv.gap += t.amount
				}
			}
		}
	}
	// A negative gap only takes back an earlier one; what is below zero in
	// total was refused when the refunds were split.
	return inv
}

// takeTax takes the tax of a refund off the line that bears the same rate.
func (inv *invoiceFigures) takeTax(f *figures, line int, t taxFigures) bool {
	for j := range f.lines[line].taxes {
		if f.lines[line].taxes[j].said.RateID == t.said.RateID {
			inv.taxes[line][j] -= t.amount
			return true
		}
	}
	return false
}

// creditLine books the net of a line, less what was taken off before, to the
// account of its kind. Goods are booked at their price, and what was given off
// as a discount.
func (d *decider) creditLine(b *booking, l lineFigures, taken int64) {
	switch {
	case l.said.GiftCard:
		b.credit(giftCards, l.net-taken, "")
	case l.said.Kind == intake.LineShipping:
		b.credit(shippingIncome, l.net-taken, "")
	case l.said.Kind == intake.LineFee && l.net < 0:
		b.debit(discounts, -l.net+taken, "")
	case l.said.Kind == intake.LineFee, l.said.Kind == intake.LineTip:
		b.credit(otherIncome, l.net-taken, "")
	default:
		price := max(l.subtotal, l.net)
		b.credit(salesIncome, price-taken, "")
		b.debit(discounts, price-l.net, "")
	}
}

// wantShipments: goods leave the warehouse, at cost.
func (d *decider) wantShipments() error {
	for _, sh := range d.shipments {
		event := "shipment/" + sh.id
		waits := false
		for _, l := range sh.lines {
			waits = waits || d.facts.Goods[d.fig.lines[l.line].said.ID].Stub
		}
		if waits {
			d.waiting, d.keep[event] = true, true
			continue
		}
		var moves []LineMove
		digest := "shipment"
		for _, l := range sh.lines {
			said := d.fig.lines[l.line].said
			goods := d.facts.Goods[said.ID]
			digest += fmt.Sprintf("|%s:%d:%d", said.ID, l.quantity, goods.Variant)
			if goods.Unlisted { // posted anew with its stock if the shop describes it after all
				digest += ":unlisted"
			}
			if !goods.Tracked || goods.Stock == 0 {
				continue
			}
			value, err := inventory.ValueOf(l.quantity, goods.Cost, d.facts.Home)
			if err != nil {
				return err
			}
			moves = append(moves, LineMove{Line: said.ID, Move: inventory.Move{
				Variant: goods.Stock, From: inventory.Main, To: inventory.Customers, Quantity: l.quantity,
				UnitCost: goods.Cost, Value: value, Reason: "shipment",
			}})
		}
		d.postMoves(event, sh.at, digest, moves, goodsSold, stock, "Goods shipped")
	}
	for _, l := range d.said.Lines { // open lines wait too
		if d.facts.Goods[l.ID].Stub {
			d.waiting = true
		}
	}
	return nil
}

// postMoves adds a posting that moves goods and books their value.
func (d *decider) postMoves(event string, at time.Time, digest string, moves []LineMove, debit, credit account, title string) {
	p := &Posting{Event: event, Effective: d.facts.day(at), Digest: hash(digest), Moves: moves, Summary: title}
	var value int64
	for i := range moves {
		moves[i].Move.DocumentKind = DocumentKind
		moves[i].Move.Effective = p.Effective
		value += moves[i].Move.Value
	}
	if value > 0 {
		home := d.facts.Home
		p.Entry = &ledger.Entry{
			Journal: ledger.JournalInventory, Effective: p.Effective, DocumentKind: DocumentKind, Shop: d.facts.ShopID,
			Description: d.describe(title) + d.late(at),
			Lines: []ledger.Line{
				{Account: d.own(debit), Debit: value, Currency: home, ForeignDebit: value},
				{Account: d.own(credit), Credit: value, Currency: home, ForeignCredit: value},
			},
		}
	}
	d.wanted = append(d.wanted, p)
}

// wantCancellation: the money of a cancelled order goes back, where the shop's
// rule says that it does and the shop does not tell itself what went back.
func (d *decider) wantCancellation() error {
	if d.state != intake.StateCancelled || !d.facts.Rules.CancelReturnsMoney || d.said.MoneyStated {
		return nil
	}
	left := d.paidBy(time.Time{})
	for _, m := range d.back {
		left.gateway -= m.gateway
		left.gifts -= m.gifts
	}
	b := d.book(ledger.JournalCash, "Cancellation")
	for _, p := range d.payments {
		from := &left.gateway
		if p.gift {
			from = &left.gifts
		}
		back := max(0, min(*from, p.amount))
		*from -= back
		b.debit(deposits, back, "")
		b.credit(p.account, back, "")
	}
	at := d.said.CancelledAt
	if at.IsZero() {
		at = d.facts.Modified
	}
	if at.IsZero() {
		at = d.said.PlacedAt
	}
	return d.post("cancellation", at, b, nil)
}
