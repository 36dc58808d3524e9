package sandbox

import (
	"fmt"
	"slices"
)

// Odd names a kind of order that is unlike others.
type Odd string

// The kinds of odd order. Those marked "cannot be booked" count as planted.
const (
	NoOddity           Odd = ""
	OddStatus          Odd = "unknown status"   // awaiting-pickup, from a plugin
	OddProductGone     Odd = "product gone"     // a line whose product is deleted
	OddGiftCardSold    Odd = "gift card sold"   // a line that is a liability
	OddGiftCardUsed    Odd = "gift card used"   // the stated total is less than the parts
	OddGiftCardPaysAll Odd = "gift card paid"   // the stated total is zero
	OddNegativeFee     Odd = "negative fee"     // a discount as a fee
	OddTwice           Odd = "same goods twice" // one product on two lines
	OddNoLines         Odd = "no lines"         // a fee only
	OddDraft           Odd = "draft"            // a checkout that was never placed
	OddNoRate          Odd = "no rate"          // ISK, which has no rate: cannot be booked
	OddCurrency        Odd = "unknown currency" // ZZZ, which is no currency: cannot be booked
	OddNotANumber      Odd = "not a number"     // the total of a line: cannot be booked
	OddTotalsOff       Odd = "totals off"       // by 5.00: cannot be booked
)

// Odds lists the kinds of odd order.
func Odds() []Odd {
	return []Odd{OddStatus, OddProductGone, OddGiftCardSold, OddGiftCardUsed, OddGiftCardPaysAll, OddNegativeFee, OddTwice,
		OddNoLines, OddDraft, OddNoRate, OddCurrency, OddNotANumber, OddTotalsOff}
}

// plantedReason says why an order of that kind cannot be booked; "" if it can.
func plantedReason(odd Odd) string {
	switch odd {
	case OddNoRate:
		return "the currency ISK has no rate"
	case OddCurrency:
		return "the currency ZZZ does not exist"
	case OddNotANumber:
		return "the total of a line is not a number"
	case OddTotalsOff:
		return "the stated total is 5.00 above its parts"
	}
	return ""
}

// oddOf decides which of the shop's orders are odd: one in 300 cannot be
// booked, a few in a hundred are merely unusual.
func (s *Shop) oddOf(seq int) Odd {
	if seq%300 == 60 && !s.opt.Common {
		return [...]Odd{OddNoRate, OddNotANumber, OddTotalsOff}[seq/300%3]
	}
	d := s.dice(diePick, int64(seq))
	if d.in(960) {
		return NoOddity
	}
	return [...]Odd{OddStatus, OddGiftCardSold, OddGiftCardUsed, OddGiftCardPaysAll, OddNegativeFee, OddDraft, OddTwice}[d.pick(25, 25, 25, 5, 35, 12, 10)]
}

// playable is the oddity, or what a Shopify shop has in its place: its orders
// are all in the shop's currency, and no fee is below zero.
func (s *Shop) playable(odd Odd) Odd {
	switch {
	case s.onShopify() && (odd == OddNoRate || odd == OddCurrency):
		return OddTotalsOff
	case odd == OddNegativeFee && (s.onShopify() || s.opt.Common):
		return NoOddity
	}
	return odd
}

// place makes the next order, as a customer leaves it at the checkout.
func (s *Shop) place(odd Odd) *order {
	odd = s.playable(odd)
	d := s.dice(dieOrder, int64(s.placed))
	o := &order{id: s.post(), created: s.now(), modified: s.now(), via: "checkout", secret: d.next()}
	s.placed++
	s.choosePerson(o, d)
	s.beginExtras(o, odd)
	s.chooseCurrency(o, odd, d)
	s.fillCart(o, odd, d)
	s.applyCoupons(o, odd, d)
	s.chooseShipping(o, d)
	s.addFees(o, odd, d)
	if d.in(60) {
		o.note = uint8(1 + d.n(len(notes)-1))
	}
	if d.in(30) {
		o.via, o.number = "marketplace", fmt.Sprintf("MK-%06d", s.placed)
	}
	o.taxIDs = s.items(4)
	s.addExtras(o, odd)
	s.useGiftCard(o, odd, d)
	s.choosePayment(o, odd, d)
	switch odd {
	case OddStatus:
		o.odd = unknownStatus
	case OddNotANumber:
		o.odd = notANumber
	case OddTotalsOff:
		o.odd = totalsOff
	}
	if why := plantedReason(odd); why != "" {
		s.planted[o.id] = why
	}
	s.orders = append(s.orders, o)
	s.settleStock(o)
	s.happened(OrderPlaced, o.id)
	return o
}

// choosePerson makes one order in three a guest's, and one in three that of a
// new customer.
func (s *Shop) choosePerson(o *order, d *dice) {
	switch known := len(s.customers) - 1; {
	case d.in(300):
		o.who = s.person(uint32(1_000_000 + d.n(s.placed*2+20)))
	case known == 0 || d.in(470):
		id := int64(len(s.customers) + 1)
		c := &customer{id: id, who: s.person(uint32(id)), created: s.now(), modified: s.now()}
		s.customers = append(s.customers, c)
		o.customer, o.who = c.id, c.who
		s.announce(CustomerAdded, c.id)
	default:
		c := s.customers[1+d.n(known)]
		o.who = c.who
		if !c.gone { // else they come back as a guest
			o.customer = c.id
		}
	}
}

// person makes up who has a number; the same number is the same person.
func (s *Shop) person(no uint32) person {
	d := s.dice(dieKey, 1<<32+int64(no))
	p := person{first: uint8(d.n(len(firstNames))), last: uint8(d.n(len(lastNames))), place: uint8(d.pick(placeWeights...)),
		house: uint16(d.between(1, 120)), no: no}
	if d.in(120) {
		p.company = uint8(1 + d.n(len(companies)-1))
	}
	return p
}

func (s *Shop) chooseCurrency(o *order, odd Odd, d *dice) {
	chance := d.n(1000)
	switch country := o.place().country; {
	case s.opt.Common || s.onShopify():
		o.currency = eur
		if s.opt.Extras { // the customer sees another
			o.shown = uint8(map[string]int{"US": usd, "GB": gbp, "JP": jpy}[country])
		}
	case odd == OddNoRate:
		o.currency = isk
	case odd == OddCurrency:
		o.currency = zzz
	case country == "US" && chance < 500:
		o.currency = usd
	case country == "GB" && chance < 700:
		o.currency = gbp
	case country == "JP" && chance < 800:
		o.currency = jpy
	default:
		o.currency = eur
	}
}

// in converts cents of EUR to cents of the order's currency.
func (o *order) in(cents int64) int64 { return perMillion(cents, currencies[o.currency].ppm) }

func (s *Shop) fillCart(o *order, odd Odd, d *dice) {
	if odd == OddNoLines {
		return
	}
	n := 1 + d.pick(500, 280, 130, 60, 30)
	if d.in(8) {
		n = 12
	}
	o.lines = make([]line, 0, n+1)
	for range n {
		of, qty := s.chooseGoods(d), int64(1+d.pick(740, 150, 60, 30, 20))
		if s.wanted.of != nil {
			of, qty = s.wanted.of, s.wanted.qty
		}
		o.addLine(of, qty)
		if s.wanted.of != nil {
			break
		}
	}
	switch odd {
	case OddGiftCardSold:
		o.addLine(s.giftCard, 1)
		l := &o.lines[len(o.lines)-1]
		l.sub = o.in([...]int64{2500, 5000, 10000}[d.n(3)])
		l.total = l.sub
	case OddProductGone:
		o.lines[0].of = &variant{of: &product{own: &variant{gone: true}}, gone: true}
		o.lines[0].title = "Article disparu"
	case OddTwice:
		o.addLine(o.lines[0].of, 1)
	}
	first := s.items(len(o.lines))
	for i := range o.lines {
		o.lines[i].id = first + int64(i)
	}
}

// chooseGoods prefers what sells well and what there is.
func (s *Shop) chooseGoods(d *dice) *variant {
	var v *variant
	for range 8 {
		v = s.sellable[d.few(len(s.sellable))]
		h := v.holder()
		if !v.gone && v.of.forSale() && (!h.tracked || h.stock > 0 || h.backorders != "no") {
			return v
		}
	}
	if v.gone || !v.of.forSale() {
		return s.sellable[0]
	}
	return v // oversold: over the API nothing refuses it
}

func (o *order) addLine(v *variant, qty int64) {
	title := v.of.title
	for i, option := range v.options {
		if i == 0 {
			title += " - " + option
		} else {
			title += ", " + option
		}
	}
	sub := o.in(v.asks()) * qty
	o.lines = append(o.lines, line{of: v, title: title, class: v.class, qty: qty, sub: sub, total: sub})
}

func (s *Shop) applyCoupons(o *order, odd Odd, d *dice) {
	if odd == OddNoLines {
		return
	}
	n := d.pick(880, 100, 20)
	if n == 0 {
		return
	}
	usable := slices.DeleteFunc(slices.Clone(s.coupons), func(c *coupon) bool { return c.expires > 0 && c.expires < s.now() })
	n = min(n, len(usable))
	first := d.n(len(s.coupons))
	for i := range n {
		c := usable[(first+i)%len(usable)]
		use := couponUse{id: s.items(1), of: c, amount: c.amount}
		for k, amount := range o.discounts(c) {
			l := &o.lines[k]
			amount = min(amount, l.total)
			if amount == 0 {
				continue
			}
			l.total -= amount
			l.off = append(l.off, off{use: uint8(i), amount: amount})
			use.discount += amount
			use.tax += tax(o.place(), l.class, amount, false).cents()
		}
		c.used++
		o.coupons = append(o.coupons, use)
	}
}

// discounts is what a coupon takes off each line.
func (o *order) discounts(c *coupon) []int64 {
	off := make([]int64, len(o.lines))
	var left int64
	for i := range o.lines {
		if !o.lines[i].of.gift {
			left += o.lines[i].total
		}
	}
	give := min(c.amount, left)
	for i := range o.lines {
		l := &o.lines[i]
		switch {
		case l.of.gift || c.amount == 0:
		case c.kind == "percent":
			off[i] = perMillion(l.sub, c.amount*100)
		case c.kind == "fixed_product":
			off[i] = c.amount * l.qty
		case left > 0: // fixed_cart: in proportion, the last line takes the rest
			off[i] = give * l.total / left
			give -= off[i]
			left -= l.total
		}
	}
	return off
}

func (s *Shop) chooseShipping(o *order, d *dice) {
	goods, free, heavy := int64(0), false, false
	for i := range o.lines {
		goods += o.lines[i].total
		heavy = heavy || !o.lines[i].of.virtual
	}
	for i := range o.coupons {
		free = free || o.coupons[i].of.free
	}
	if !heavy {
		return
	}
	method := 5
	switch o.place().country {
	case "FR":
		method = 0
		if free || goods >= 12_000 {
			method = 4
		} else if d.in(80) {
			method = 3
		}
	case "DE", "BE":
		method = 1
	case "US", "CA":
		method = 2
	}
	total := o.in(shippingMethods[method].cents)
	if free {
		total = 0
	}
	o.shipping = []shipping{{id: s.items(1), method: uint8(method), total: total}}
}

func (s *Shop) addFees(o *order, odd Odd, d *dice) {
	add := func(title string, class taxClass, cents int64) {
		o.fees = append(o.fees, fee{id: s.items(1), title: title, class: class, total: o.in(cents)})
	}
	if odd == OddNoLines || d.in(45) {
		add("Emballage cadeau", standard, 250)
	}
	if d.in(12) {
		add("Consigne", untaxed, 300)
	}
	var goods int64
	for i := range o.lines {
		goods += o.lines[i].total
	}
	if off := o.in(int64(100 + 50*d.n(9))); odd == OddNegativeFee && off < goods/2 {
		o.fees = append(o.fees, fee{id: s.items(1), title: "Remise fidélité", class: standard, total: -off})
	}
}

func (s *Shop) useGiftCard(o *order, odd Odd, d *dice) {
	total := o.totals().total
	if total <= 0 {
		return
	}
	switch odd {
	case OddGiftCardUsed:
		o.gifts = []gift{{id: s.items(1), amount: min(o.in(int64(500*d.between(1, 6))), (total+1)/2)}}
	case OddGiftCardPaysAll:
		o.gifts = []gift{{id: s.items(1), amount: total}}
	}
}

func (s *Shop) choosePayment(o *order, odd Odd, d *dice) {
	o.gateway = uint8([...]int{payStripe, payPayPal, payTransfer, payCheque, payDelivery}[d.pick(450, 250, 150, 50, 100)])
	if o.gateway == payDelivery && o.place().country != "FR" || plantedReason(odd) != "" {
		o.gateway = payStripe
	}
	if o.due() == 0 {
		o.gateway = payNothing
	}
	switch {
	case odd == OddDraft:
		o.state, o.gateway, o.via = stateDraft, payNothing, "store-api"
	case o.gateway == payTransfer, o.gateway == payCheque:
		o.state = stateHeld
	case o.gateway == payDelivery:
		o.state = stateOpen
	default:
		o.state = statePending
	}
}
