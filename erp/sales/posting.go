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
	d.keep = map[string]bool{}
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

// beforeInvoice reports whether a refund came before the invoice, or there is
// none: it then lessens what is invoiced instead of being credited.
func (d *decider) beforeInvoice(r refundFigures) bool {
	return d.invoicedAt.IsZero() || r.said.At.Before(d.invoicedAt)
}

// paidBack is what of a refund was money, and where it went.
type paidBack struct{ gateway, gifts int64 }

func (p paidBack) total() int64 { return p.gateway + p.gifts }

// refundedMoney tells for each refund how much of it was money: no more than
// was paid and not yet given back. The gateway gives back what it was paid, a
// gift card the rest.
func (d *decider) refundedMoney() []paidBack {
	var given paidBack
	out := make([]paidBack, len(d.refunds))
	for i, r := range d.refunds {
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
			b.credit(outputTax, amount, t.said.RateID)
			facts = append(facts, taxable{line: l.said.ID, rate: t.said.RateID, base: net, tax: amount})
			il.Taxes = append(il.Taxes, InvoiceTax{Name: t.said.Name, Rate: t.said.Rate, Amount: amount})
			doc.Tax += amount
		}
		doc.Net += net
		doc.Lines = append(doc.Lines, il)
	}
	b.debit(salesReturns, inv.gap, "")
	b.credit(roundingCents, d.fig.rounding, "")

	prepaid := d.paidBy(d.invoicedAt).total()
	for i, m := range d.refundedMoney() {
		if d.beforeInvoice(d.refunds[i]) {
			prepaid -= m.total()
		}
	}
	fromDeposits := max(0, min(prepaid, inv.total))
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

// wantRefunds: before the invoice, money goes back from the deposit; after it,
// a credit note takes back income and tax. Goods that came back return to
// stock at the cost they left with.
func (d *decider) wantRefunds() error {
	back := d.refundedMoney()
	for i, r := range d.refunds {
		gateway := r.said.Gateway
		if gateway == "" {
			gateway = d.said.Payment.Method
		}
		event := "refund/" + r.said.ID
		if d.beforeInvoice(r) {
			b := d.book(ledger.JournalCash, "Refund")
			b.debit(deposits, back[i].total(), "")
			b.credit(d.clearing(gateway), back[i].gateway, "")
			b.credit(giftCards, back[i].gifts, "")
			if err := d.post(event, r.said.At, b, nil); err != nil {
				return err
			}
		} else if err := d.creditNote(event, r, gateway, back[i]); err != nil {
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
			b.debit(outputTax, t.amount, t.said.RateID)
			facts = append(facts, taxable{line: l.said.ID, rate: t.said.RateID, base: -p.net, tax: -t.amount})
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
	b.credit(receivable, r.amount-back.total(), "")
	return d.issue(event, r.said.At, b, facts, doc)
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

// wantReturn brings refunded goods back that had been shipped.
func (d *decider) wantReturn(r refundFigures) error {
	var shippedAt time.Time
	for _, s := range d.shipments {
		if shippedAt.IsZero() || s.at.Before(shippedAt) {
			shippedAt = s.at
		}
	}
	if shippedAt.IsZero() || r.said.At.Before(shippedAt) {
		return nil
	}
	event := "return/" + r.said.ID
	var moves []LineMove
	digest := "return"
	for _, p := range r.parts {
		said := d.fig.lines[p.line].said
		goods := d.facts.Goods[said.ID]
		q := p.quantity
		if r.rest && d.facts.Rules.Restock != RestockAlways { // the shop named no goods
			q = 0
		}
		q = min(q, d.shipped[said.ID]-d.returned[said.ID])
		if said.Kind != intake.LineItem || q <= 0 || !d.restocks(p.restock) {
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

func (d *decider) restocks(said intake.Restock) bool {
	switch said {
	case intake.RestockYes:
		return true
	case intake.RestockNo:
		return false
	default:
		return d.facts.Rules.Restock != RestockNever
	}
}

// costOut is the unit cost at which the goods of a line left.
func (d *decider) costOut(line string, goods Goods) decimal.Decimal {
	for _, sh := range d.shipments {
		for _, m := range d.before.Events["shipment/"+sh.id].Moves {
			if m.Line != 0 && m.Line == d.before.Lines[line].ID {
				return m.UnitCost
			}
		}
	}
	return goods.Cost
}

// wantCancellation: the money of a cancelled order goes back, where the shop's
// rule says that it does.
func (d *decider) wantCancellation() error {
	if d.state != intake.StateCancelled || !d.facts.Rules.CancelReturnsMoney {
		return nil
	}
	left := d.paidBy(time.Time{})
	for _, m := range d.refundedMoney() {
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
