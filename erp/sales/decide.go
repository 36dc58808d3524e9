package sales

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// Decide works out what a shop's statement of an order changes. Before is nil
// for an order that the books do not have. It touches no database and no
// clock. An error is a fault that says why the order must be parked.
func Decide(before *Order, said *intake.Order, facts Facts) (Decision, error) {
	said = dated(said)
	d := decider{before: before, said: said, facts: facts, state: state(said, facts.Rules)}
	if before == nil {
		if Ignored(said, facts.Rules) {
			return Decision{Ignore: true}, nil
		}
		d.before = &Order{}
	}
	if said.PlacedAt.IsZero() {
		return Decision{}, fault.New(fault.Unprocessable, "look at the order in the shop", "order %s has no date", said.Number)
	}
	var err error
	if d.fig, err = figure(said); err != nil {
		return Decision{}, err
	}
	if d.refunds, err = d.fig.refunds(said, facts.Rules); err != nil {
		return Decision{}, err
	}
	if err := d.convert(); err != nil {
		return Decision{}, err
	}
	d.timeline()
	if err := d.want(); err != nil {
		return Decision{}, err
	}
	return d.decision(), nil
}

// Ignored reports whether an order that the books do not have stays out of
// them: a test, or a checkout that was never placed.
func Ignored(said *intake.Order, rules Rules) bool {
	return said.Test || state(said, rules) == intake.StateDraft
}

// state is what the order's status means. A status that is not known holds the
// order, and nothing but the order.
func state(said *intake.Order, rules Rules) intake.OrderState {
	s, ok := rules.Statuses[said.RawStatus]
	if !ok {
		s = said.State
	}
	if !s.Known() {
		return intake.StateHold
	}
	return s
}

// dated gives money and goods that moved without a date the nearest one that
// the order has: nothing is booked at the beginning of time.
func dated(said *intake.Order) *intake.Order {
	o := *said
	latest := o.PlacedAt
	for _, at := range []time.Time{o.PaidAt, o.CompletedAt} {
		if at.After(latest) {
			latest = at
		}
	}
	o.Payments, o.Refunds, o.Shipments = slices.Clone(o.Payments), slices.Clone(o.Refunds), slices.Clone(o.Shipments)
	for i := range o.Payments {
		if o.Payments[i].At.IsZero() {
			o.Payments[i].At = cmp.Or(o.PaidAt, o.PlacedAt)
		}
	}
	for i := range o.Refunds {
		if o.Refunds[i].At.IsZero() {
			o.Refunds[i].At = latest
		}
	}
	for i := range o.Shipments {
		if o.Shipments[i].At.IsZero() {
			o.Shipments[i].At = latest
		}
	}
	return &o
}

// decider carries a decision while it is made.
type decider struct {
	before  *Order
	said    *intake.Order
	facts   Facts
	state   intake.OrderState
	fig     *figures
	refunds []refundFigures
	rate    decimal.Decimal // of the order's currency into the books'

	invoicedAt time.Time // zero: no invoice
	payments   []payment
	shipments  []shipment
	shipped    map[string]quantity.Quantity
	returned   map[string]quantity.Quantity
	kept       map[string]quantity.Quantity // refunded, had left and did not come back
	back       []paidBack                   // the money of each refund
	overpaid   int64                        // of the deposits that the invoice did not need
	waiting    bool
	// keep names events that stand as they are, though they are not wanted
	// now: goods that are not described yet.
	keep   map[string]bool
	wanted []*Posting
}

// convert finds the rate of the day on which the order was placed. One order
// has one rate, so that what it owes and what it pays meet at zero.
func (d *decider) convert() error {
	d.rate = decimal.NewFromInt(1)
	if d.fig.currency == d.facts.Home {
		return nil
	}
	day := d.said.PlacedAt.In(d.facts.Zone).Format(time.DateOnly)
	rate, ok := d.facts.Rate(d.fig.currency, day)
	if !ok {
		return fault.New(fault.Unprocessable,
			fmt.Sprintf("add a rate for %s to books.rates, then: comptoir parked retry", d.fig.currency),
			"order %s is in %s, and there is no exchange rate into %s on %s", d.said.Number, d.fig.currency, d.facts.Home, day)
	}
	d.rate = rate
	return nil
}

// payment is money or a gift card that settles the order.
type payment struct {
	event   string
	account account
	amount  int64
	at      time.Time
	gift    bool
}

// shipment is goods that left.
type shipment struct {
	id    string
	at    time.Time
	lines []shippedLine
}

type shippedLine struct {
	line     int
	quantity quantity.Quantity
}

// active reports whether the order is a sale at all.
func (d *decider) active() bool {
	switch d.state {
	case intake.StateCancelled, intake.StateFailed, intake.StatePending, intake.StateDraft:
		return false
	}
	return true
}

// timeline works out when the order was paid, shipped and invoiced.
func (d *decider) timeline() {
	for _, m := range d.said.Payments {
		if m.Kind != intake.MoneySale && m.Kind != intake.MoneyCapture {
			continue
		}
		d.payments = append(d.payments, payment{event: "payment/" + m.ID, account: d.clearing(m.Gateway), amount: d.minor(m.Amount), at: m.At})
	}
	// A cancellation gives a gift card its money back by itself, unless the
	// shop tells of that money too.
	if d.active() || d.said.MoneyStated {
		at := d.said.PaidAt
		if at.IsZero() {
			at = d.said.PlacedAt
		}
		for _, g := range d.said.GiftCards {
			d.payments = append(d.payments, payment{event: "giftcard/" + g.ID, account: giftCards, amount: d.minor(g.Amount), at: at, gift: true})
		}
	}
	d.planShipments()
	d.planInvoice()
}

// minor rounds an amount that figure has looked at: it is in range.
func (d *decider) minor(a decimal.Decimal) int64 {
	r := rounder{currency: d.fig.currency}
	return r.minor(a)
}

// completedAt is when the order was shipped in full; zero where it was not.
func (d *decider) completedAt() time.Time {
	switch {
	case d.state == intake.StateCompleted && d.said.CompletedAt.IsZero():
		if !d.said.PaidAt.IsZero() {
			return d.said.PaidAt
		}
		return d.said.PlacedAt
	case d.state == intake.StateCompleted, d.state == intake.StateRefunded:
		return d.said.CompletedAt
	default:
		return time.Time{}
	}
}

func (d *decider) planShipments() {
	d.shipped, d.returned, d.kept = map[string]quantity.Quantity{}, map[string]quantity.Quantity{}, map[string]quantity.Quantity{}
	if !d.active() {
		return
	}
	for _, s := range d.said.Shipments {
		sh := shipment{id: s.ID, at: s.At}
		for _, l := range s.Lines {
			i, ok := d.fig.byID[l.LineID]
			q, err := quantity.Of(l.Quantity)
			if ok && err == nil && q > 0 {
				sh.lines = append(sh.lines, shippedLine{i, q})
			}
		}
		d.shipments = append(d.shipments, sh)
	}
	if at := d.completedAt(); len(d.said.Shipments) == 0 && !at.IsZero() {
		sh := shipment{id: "all", at: at}
		for i, l := range d.fig.lines {
			q := l.quantity - d.refundedQuantity(i, at)
			if l.said.Kind == intake.LineItem && q > 0 {
				sh.lines = append(sh.lines, shippedLine{i, q})
			}
		}
		d.shipments = append(d.shipments, sh)
	}
	for _, sh := range d.shipments {
		for _, l := range sh.lines {
			d.shipped[d.fig.lines[l.line].said.ID] += l.quantity
		}
	}
}

// refundedQuantity sums up what refunds before an instant took off a line; a
// zero instant means all of them.
func (d *decider) refundedQuantity(line int, before time.Time) quantity.Quantity {
	var sum quantity.Quantity
	for _, r := range d.refunds {
		if !before.IsZero() && !r.said.At.Before(before) {
			continue
		}
		for _, p := range r.parts {
			if p.line == line {
				sum += p.quantity
			}
		}
	}
	return min(sum, d.fig.lines[line].quantity)
}

func (d *decider) planInvoice() {
	if !d.active() {
		return
	}
	var shipped time.Time
	for _, s := range d.shipments {
		if shipped.IsZero() || s.at.Before(shipped) {
			shipped = s.at
		}
	}
	d.invoicedAt = shipped
	if d.facts.Rules.Revenue == OnPayment {
		var paid int64
		var at time.Time
		for _, p := range d.payments {
			paid += p.amount
			if p.at.After(at) {
				at = p.at
			}
		}
		if paid >= d.fig.total && !at.IsZero() && (shipped.IsZero() || at.Before(shipped)) {
			d.invoicedAt = at
		}
	}
}

// decision compares what should stand with what stands.
func (d *decider) decision() Decision {
	out := Decision{
		State: d.state, Waiting: d.waiting, Currency: d.fig.currency, Rate: d.rate, Promised: d.promised(), Amounts: d.fig.amounts,
		Final: d.said.Trashed || d.state == intake.StateCompleted || d.state == intake.StateCancelled || d.state == intake.StateRefunded,
	}
	for i := range d.fig.lines {
		out.Lines = append(out.Lines, d.line(i))
	}
	for _, r := range d.refunds {
		out.Refunds = append(out.Refunds, RefundDecision{Said: *r.said, Amount: r.amount})
	}
	wanted := make(map[string]bool, len(d.wanted))
	for _, p := range d.wanted {
		wanted[p.Event] = true
	}
	gone := make([]string, 0, len(d.before.Events))
	for name, ev := range d.before.Events {
		if ev.Active && !wanted[name] && !d.keep[name] {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		ev := d.before.Events[name]
		out.Steps = append(out.Steps, Step{Event: name, Revision: ev.Revision, Reverse: &ev, Day: d.changeDay(ev)})
	}
	for _, p := range d.wanted {
		if s, ok := d.step(p); ok {
			out.Steps = append(out.Steps, s)
		}
	}
	return out
}

// step turns what should stand into what must be done for it.
func (d *decider) step(p *Posting) (Step, bool) {
	ev, had := d.before.Events[p.Event]
	switch {
	case !had:
		return Step{Event: p.Event, Revision: 1, Posting: p}, true
	case ev.Active && ev.Digest == p.Digest && ev.Document == p.Document:
		return Step{}, false
	}
	s := Step{Event: p.Event, Revision: ev.Revision + 1, Posting: p}
	s.Day = d.changeDay(ev)
	p.Effective = max(p.Effective, s.Day)
	if p.Entry != nil {
		p.Entry.Effective = p.Effective
	}
	for i := range p.Moves {
		p.Moves[i].Move.Effective = p.Effective
	}
	if ev.Active {
		s.Reverse = &ev
		s.KeepDocument = ev.Document != "" && ev.Document == p.Document
	}
	return s, true
}

// changeDay is the business date on which a change to an event is booked: when
// the shop made it, and not before what it changes.
func (d *decider) changeDay(ev Event) string {
	var day string
	if !d.facts.Modified.IsZero() {
		day = d.facts.day(d.facts.Modified)
	}
	if ev.Entry != nil {
		day = max(day, ev.Entry.Effective)
	}
	for _, m := range ev.Moves {
		day = max(day, m.Effective)
	}
	if day == "" {
		day = d.facts.day(d.said.PlacedAt)
	}
	return d.facts.Unlocked(day)
}

// promised is the date that the customer was promised.
func (d *decider) promised() string {
	if d.said.PromisedOn != "" || d.facts.Rules.LeadDays < 0 {
		return d.said.PromisedOn
	}
	return d.said.PlacedAt.In(d.facts.Zone).AddDate(0, 0, d.facts.Rules.LeadDays).Format(time.DateOnly)
}

func (d *decider) line(i int) LineDecision {
	l := d.fig.lines[i]
	id := l.said.ID
	out := LineDecision{
		Said: *l.said, Goods: d.facts.Goods[id], Ordered: l.quantity, Refunded: d.refundedQuantity(i, time.Time{}),
		Shipped: d.shipped[id], Returned: d.returned[id], Subtotal: l.subtotal, Net: l.net, Tax: l.tax(),
	}
	out.Current = out.Ordered - out.Refunded
	if l.quantity > 0 {
		out.UnitPrice = l.said.Subtotal.DivRound(l.quantity.Decimal(), 6)
	}
	wants := d.state == intake.StateHold || d.state == intake.StateOpen
	if wants && !d.said.Trashed && out.Goods.Tracked && !out.Goods.Stub && l.said.Kind == intake.LineItem {
		out.Demand = max(0, out.Ordered-d.refundedUnshipped(i)-out.Shipped)
	}
	out.State = d.lineState(out)
	return out
}

// refundedUnshipped sums up what was refunded of a line and never left.
func (d *decider) refundedUnshipped(line int) quantity.Quantity {
	id := d.fig.lines[line].said.ID
	return max(0, d.refundedQuantity(line, time.Time{})-d.returned[id]-d.kept[id])
}

func (d *decider) lineState(l LineDecision) string {
	switch {
	case l.Shipped > 0 && l.Returned >= l.Shipped:
		return LineReturned
	case l.Shipped > 0 && l.Shipped >= l.Ordered-d.refundedUnshipped(d.fig.byID[l.Said.ID]):
		return LineShipped
	case d.state == intake.StateCancelled || d.state == intake.StateFailed || d.state == intake.StateRefunded || d.said.Trashed,
		l.Said.Kind == intake.LineItem && l.Current <= 0:
		return LineCancelled
	}
	if had, ok := d.before.Lines[l.Said.ID]; ok && had.Demand == l.Demand && had.Demand > 0 {
		return had.State // as it was allocated
	}
	return LineOpen
}
