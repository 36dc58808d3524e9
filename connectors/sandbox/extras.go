package sandbox

import "slices"

// What Options.Extras adds: what a Shopify shop has and others do not.

// extra is what an order has of it.
type extra struct {
	test       bool  // placed to try the shop out
	faceless   bool  // sold over the counter: nobody knows to whom
	gross      bool  // amounts of lines hold their tax
	remitted   bool  // a marketplace pays the taxes
	authorised bool  // paid by card when it is shipped
	shown      uint8 // the currency that the customer saw
	rounded    int64 // by which a payment in cash differs from the total
	charged    int64 // the first payment, where further ones follow; 0: of the total
	more       []payment
	duties     []customsDuty
	parcels    []parcel
	second     int    // the first line that is to leave from the second location; 0: none is
	archived   int64  // when it was closed by hand
	reason     string // why it was cancelled; "": the customer wanted it so
	unrefunded bool   // it was cancelled, and what was paid was kept
}

// payment is money beside the first payment.
type payment struct{ id, at, amount int64 }

// customsDuty is what customs ask for a line.
type customsDuty struct {
	id     int64
	line   int
	amount int64
}

// parcel is goods that left.
type parcel struct {
	id, at    int64
	from      *site
	holds     []sent
	told      bool // tracking says how it travels, rather than the shop itself
	tracking  []tracking
	changed   int64 // when the tracking was last changed; 0: never
	cancelled int64 // 0: it has left
}

// tracking is how a parcel can be followed.
type tracking struct{ company, number, url string }

type sent struct {
	line int
	qty  int64
}

// sent is how many units of a line have left.
func (o *order) sent(line int) int64 {
	var n int64
	for i := range o.parcels {
		for _, h := range o.parcels[i].holds {
			if h.line == line && o.parcels[i].cancelled == 0 {
				n += h.qty
			}
		}
	}
	return n
}

// underway reports whether a part of the order was shipped, and the rest is
// still to be.
func (o *order) underway() bool {
	return (o.state == stateOpen || o.state == stateHeld) && slices.ContainsFunc(o.parcels, func(p parcel) bool { return p.cancelled == 0 })
}

// unsettled reports whether money of a refund is on its way.
func (o *order) unsettled() bool {
	return slices.ContainsFunc(o.refunds, func(r *refund) bool { return r.coming })
}

// taxWithin is the tax in an amount that holds it, in whole cents. Only places
// with one rate for a class have such prices here.
func taxWithin(at *place, class taxClass, amount int64, shipping bool) taxed {
	t := tax(at, class, amount, shipping)
	if t.n == 0 {
		return t
	}
	whole := 1_000_000 + t.rates[0].ppm
	net := (2*amount*1_000_000 + whole) / (2 * whole)
	t.micro[0] = (amount - net) * 10_000
	return t
}

// beginExtras decides what an order is like before it is filled.
func (s *Shop) beginExtras(o *order, odd Odd) {
	if !s.opt.Extras {
		return
	}
	d := s.dice(dieExtra, o.id)
	o.test = d.in(10) && odd == NoOddity
	if d.in(25) {
		o.faceless, o.customer, o.who = true, 0, person{}
	}
	country := o.place().country
	o.gross = d.in(120) && (country == "FR" || country == "DE")
}

// addExtras adds what stands beside the goods, and goods beyond a page.
func (s *Shop) addExtras(o *order, odd Odd) {
	if !s.opt.Extras || odd != NoOddity || len(o.lines) == 0 {
		return
	}
	d := s.dice(dieExtra, o.id+1<<40)
	if d.in(6) {
		for range 53 {
			s.addTo(o, s.chooseGoods(d), 1)
		}
	}
	if d.in(40) {
		s.giveDiscount(o)
	}
	if d.in(30) {
		s.addTo(o, tipGood, 1)
		l := &o.lines[len(o.lines)-1]
		l.sub = int64(100 * d.between(1, 5))
		l.total = l.sub
	}
	if country := o.place().country; !o.gross && country != "FR" && country != "DE" && country != "BE" && d.in(300) {
		o.duties = append(o.duties, customsDuty{id: s.items(1), line: 0, amount: 100 + perMillion(o.lines[0].total, 80_000)})
	}
	if o.gross {
		o.fees = nil
	}
	o.remitted = o.via == "marketplace"
	o.authorised = d.in(120)
}

// tipGood is what a tip pays for. It is no product.
var tipGood = &variant{of: &product{own: &variant{gone: true}, title: "Tip"}, class: untaxed, virtual: true, download: true, tip: true, gone: true}

// addTo adds a line to an order after it was filled.
func (s *Shop) addTo(o *order, v *variant, qty int64) {
	o.addLine(v, qty)
	o.lines[len(o.lines)-1].id = s.items(1)
}

// counterDiscount is what a person takes off an order, without a code.
var counterDiscount = &coupon{kind: "percent", amount: 500}

// giveDiscount takes five per cent off what coupons left.
func (s *Shop) giveDiscount(o *order) {
	use := couponUse{id: s.items(1), of: counterDiscount, amount: counterDiscount.amount}
	for i := range o.lines {
		l := &o.lines[i]
		if amount := min(perMillion(l.sub, counterDiscount.amount*100), l.total); amount > 0 && !l.of.gift && !l.of.tip {
			l.total -= amount
			l.off = append(l.off, off{use: uint8(len(o.coupons)), amount: amount})
			use.discount += amount
		}
	}
	o.coupons = append(o.coupons, use)
}

// collect takes the money of an order when it is paid. Cash is rounded to five
// cents.
func (s *Shop) collect(o *order) {
	if !s.settles() {
		return
	}
	o.charged = o.due()
	if s.opt.Extras && o.gateway == payDelivery && o.odd == plain {
		o.rounded = (o.charged+2)/5*5 - o.charged
	}
	s.charge(o, o.transactionID(), o.charged)
}

// evenUp collects or gives back the difference that an edit of a paid order
// makes, so that it is paid again.
func (s *Shop) evenUp(o *order, difference int64) {
	switch {
	case !s.opt.Extras || o.paid == 0 || difference == 0:
	case difference > 0:
		s.collectMore(o, difference)
	default: // what was paid too much was never part of the sale
		s.addRefund(o, &refund{reason: 2, apart: true, moved: -difference})
	}
}

func (s *Shop) collectMore(o *order, amount int64) {
	p := payment{id: o.transactionID() + 4 + int64(len(o.more)), at: s.now(), amount: amount}
	o.more = append(o.more, p)
	s.charge(o, p.id, amount)
}

// repay moves the money of a refund: at once, or in the days that follow.
func (s *Shop) repay(o *order, r *refund) {
	if !s.onShopify() {
		return
	}
	s.recommit(o)
	if !r.apart {
		r.moved = r.amount
	}
	if d := s.dice(dieExtra, r.id+1<<41); s.opt.Extras && !r.full && !r.apart && (s.slow || d.in(100)) {
		r.coming = true
		s.plan(s.now()+int64(d.between(1, 4))*86400, doSettle, o.id)
		return
	}
	s.chargeBack(o, r)
}

// settle lets the money of refunds arrive.
func (s *Shop) settle(o *order) {
	for _, r := range o.refunds {
		if r.coming {
			r.coming = false
			s.chargeBack(o, r)
			s.enter(o, o.state, OrderRefunded)
		}
	}
}

// callOff cancels an order. Where it was paid, the money goes back with it: on
// WooCommerce the books conclude that from the cancellation, on Shopify only a
// refund says so.
func (s *Shop) callOff(o *order, d *dice) {
	switch {
	case o.paid == 0:
	case s.opt.Common:
		s.refundByStatus(o)
	case s.opt.Extras:
		s.refundAll(o, d)
	}
	s.cancel(o)
}

// partable reports whether a part of the order can be shipped by itself.
func (s *Shop) partable(o *order) bool {
	if !s.opt.Extras || o.state != stateOpen || len(o.parcels)+len(o.refunds) > 0 || s.planted[o.id] != "" {
		return false
	}
	return o.units() > 1
}

// units is how much there is to ship.
func (o *order) units() int64 {
	var n int64
	for i := range o.lines {
		if !o.lines[i].of.tip {
			n += o.lines[i].qty
		}
	}
	return n
}

// shipPart ships the first half of an order.
func (s *Shop) shipPart(o *order) {
	if !s.partable(o) {
		return
	}
	p := parcel{at: s.now(), from: &locations[reserve]}
	left := o.units() / 2
	for i := range o.lines {
		if n := min(left, o.lines[i].qty); n > 0 && !o.lines[i].of.tip {
			p.holds = append(p.holds, sent{i, n})
			left -= n
		}
	}
	s.send(o, p)
	s.enter(o, o.state, OrderParted)
}

// send adds a parcel.
func (s *Shop) send(o *order, p parcel) {
	p.id = o.id*parcelsOfOrder + int64(len(o.parcels))
	o.parcels = append(o.parcels, p)
	s.recommit(o)
}

// shipRest ships all that is left and was not refunded. An order that is
// shipped as a whole needs no parcel to say so.
func (s *Shop) shipRest(o *order) {
	if !s.opt.Extras && len(o.parcels) == 0 {
		return
	}
	p := parcel{at: s.now(), from: &locations[atelier]}
	for i := range o.lines {
		back, _, _ := o.refunded(goods, i)
		if n := o.lines[i].qty - back - o.sent(i); n > 0 && !o.lines[i].of.tip {
			p.holds = append(p.holds, sent{i, n})
		}
	}
	if len(p.holds) > 0 {
		s.send(o, p)
	}
}

// unship takes back the parcels of a completed order that is set open again.
func (o *order) unship() {
	if o.state == stateDone {
		o.parcels = nil
	}
}

// exchangeable reports whether a unit of the order can be exchanged. After a
// refund by amount it cannot: the unit would be worth less than it cost.
func (s *Shop) exchangeable(o *order) bool {
	byAmount := slices.ContainsFunc(o.refunds, func(r *refund) bool { return r.amount > 0 && len(r.parts) == 0 })
	return s.opt.Extras && o.state == stateDone && s.refundable(o) && !byAmount && len(o.gifts) == 0 && o.odd == plain && o.swappable() >= 0
}

// swappable is a line of which a unit can be sent back; -1: none.
func (o *order) swappable() int {
	for i := range o.lines {
		back, _, _ := o.refunded(goods, i)
		if l := &o.lines[i]; back < o.sent(i) && l.total > 0 && !l.of.virtual && !l.of.gift {
			return i
		}
	}
	return -1
}

// exchange takes back one unit and sends something else. Only the difference
// is paid, by whoever owes it.
func (s *Shop) exchange(o *order, d *dice) *refund {
	if !s.exchangeable(o) {
		return nil
	}
	r := &refund{reason: 3, apart: true, returned: true, parts: []part{o.takeBack(goods, o.swappable(), 1)}}
	r.amount = r.gross()
	o.edits = append(o.edits, edit{at: s.now(), before: o.sheet(), swap: r})
	before := o.due()
	s.addTo(o, s.chooseGoods(d), 1)
	last := len(o.lines) - 1
	s.shift(o.lines[last].of, -1)
	difference := o.due() - before - r.amount
	r.moved = max(0, -difference)
	if difference > 0 {
		s.collectMore(o, difference)
	}
	s.send(o, parcel{at: s.now(), from: &locations[reserve], holds: []sent{{last, 1}}})
	return s.addRefund(o, r)
}

// restock takes goods back without giving money for them.
func (s *Shop) restock(o *order) {
	if i := o.swappable(); s.exchangeable(o) && i >= 0 {
		s.addRefund(o, &refund{reason: 1, apart: true, parts: []part{o.takeBack(goods, i, 1)}})
	}
}

// planPart decides whether an order is shipped in two parts.
func (s *Shop) planPart(o *order) {
	if d := s.dice(dieExtra, o.id+1<<42); s.opt.Extras && d.in(120) {
		s.plan(s.now()+int64(d.between(600, 43200)), doShipPart, o.id)
	}
}

// planExchange decides whether something of an order is exchanged.
func (s *Shop) planExchange(o *order) {
	d := s.dice(dieExtra, o.id+1<<43)
	switch {
	case !s.opt.Extras:
	case d.in(60):
		s.plan(s.now()+int64(d.between(3*86400, 15*86400)), doExchange, o.id)
	case d.in(12):
		s.plan(s.now()+int64(d.between(3*86400, 15*86400)), doRestock, o.id)
	}
}
