package sandbox

import "cmp"

// state is where an order stands.
type state uint8

const (
	stateDraft     state = iota // a checkout that was never placed
	statePending                // placed, unpaid
	stateHeld                   // waits for a bank transfer or a cheque
	stateOpen                   // paid, or to be paid on delivery: to be shipped
	statePickup                 // a status that a plugin added: waits for the customer
	stateDone                   // shipped
	stateCancelled              // not wanted any more
	stateFailed                 // the payment failed
	stateRefunded               // paid back in full
)

// takesStock reports whether entering the state takes goods from stock.
func (st state) takesStock() bool {
	return st == stateHeld || st == stateOpen || st == statePickup || st == stateDone
}

// order is one sale. Amounts are in cents: hundredths of its currency.
type order struct {
	id       int64
	number   string // "" means the id
	state    state
	trashed  bool
	binned   int64 // when it was trashed
	auto     bool  // the shop's own life moves it on
	holding  bool  // its goods are taken from stock
	currency uint8
	gateway  uint8
	note     uint8
	odd      oddity
	via      string

	disputed bool // the customer's bank takes the payment back, or tried to
	taken    bool // its goods were taken from stock at least once

	created, modified, paid, completed, cancelled int64

	customer int64 // 0: a guest
	who      person

	lines    []line
	shipping []shipping
	fees     []fee
	coupons  []couponUse
	gifts    []gift
	refunds  []*refund // oldest first
	extra              // what only Shopify shops have
	edits    []edit    // of quantities and amounts, oldest first; kept where the platform states them
	taxIDs   int64     // id of the first tax line
	secret   uint64    // order key, transaction, gift card code
	meta     []metaEntry
	notes    []orderNote // oldest first
}

// orderNote is something that the shop wrote down beside an order.
type orderNote struct {
	id, at   int64
	text     string
	customer bool // the customer is told
}

// wanted is goods that a customer has made up their mind about; nil: chance
// decides.
type wanted struct {
	of  *variant
	qty int64
}

// oddity is how an order is unlike others on purpose.
type oddity uint8

const (
	plain         oddity = iota
	notANumber           // the first line's total is no number
	totalsOff            // the stated total is 5.00 above its parts
	unknownStatus        // a status that nobody has heard of
)

// listed reports whether the shop lists the order: neither draft nor trash.
func (o *order) listed() bool { return !o.trashed && o.state != stateDraft }

func (o *order) place() *place { return &places[o.who.place] }

// line is goods sold, as sold.
type line struct {
	id         int64
	of         *variant
	title      string
	class      taxClass
	qty        int64
	back       int64 // units that refunds put back in stock
	sub, total int64 // net, before and after discounts
	off        []off // what coupons took off, together sub less total
}

// off is what one coupon took off one line.
type off struct {
	use    uint8 // index in the order's coupons
	amount int64
}

type shipping struct {
	id     int64
	method uint8
	total  int64
}

type fee struct {
	id    int64
	title string
	class taxClass
	total int64 // negative: a discount
}

type couponUse struct {
	id       int64
	of       *coupon
	amount   int64 // of the coupon when it was used
	discount int64
	tax      int64
}

type gift struct {
	id     int64
	amount int64
}

// refund is money given back.
type refund struct {
	id      int64
	of      *order
	created int64
	amount  int64 // positive
	reason  uint8
	why     string // in place of the reason, where someone else gave one
	byHand  bool   // an app noted it; the gateway moved nothing
	asked   bool   // an app said what becomes of the goods
	full    bool   // of all that was left
	parts   []part
	taxIDs  int64
	meta    []metaEntry

	// What follows is told by Shopify alone.
	moved    int64 // money, where apart: else it is the amount
	gifts    int64 // what goes back to gift cards
	apart    bool
	coming   bool // the money is on its way
	kept     bool // the goods do not go back into stock
	returned bool // the goods were sent back, in exchange for others
}

// because is the reason that is stated.
func (r *refund) because() string { return cmp.Or(r.why, reasons[r.reason]) }

// part is what a refund takes back of one line of its order. Amounts are
// positive where the line's is.
type part struct {
	id    int64
	kind  partKind
	index int
	qty   int64
	total int64
	taxes taxed

	// What follows is told by Shopify alone, where an app said so.
	restock string // what becomes of the goods
	to      *site  // where they go; nil: the first location
}

// stays reports whether the goods of a part do not go back into stock.
func (p *part) stays() bool { return p.restock == "NO_RESTOCK" }

type partKind uint8

const (
	goods partKind = iota
	carriage
	charge
	customs
)

// taxed is the tax of one amount, by rate, in millionths of the currency.
// There are at most two rates for a place and class.
type taxed struct {
	n     int
	rates [2]*taxRate
	micro [2]int64
}

// cents is the tax rounded to cents rate by rate, as the shop adds it up.
func (t taxed) cents() int64 {
	var sum int64
	for i := range t.n {
		sum += toCents(t.micro[i])
	}
	return sum
}

// toCents rounds millionths to hundredths, half away from zero.
func toCents(micro int64) int64 {
	if micro < 0 {
		return -toCents(-micro)
	}
	return (micro + 5_000) / 10_000
}

// tax computes the tax of a net amount: each rate on the amount, a compound
// rate on the taxes before it too, kept at six decimals.
func tax(at *place, class taxClass, cents int64, shipping bool) taxed {
	var t taxed
	if class == untaxed {
		return t
	}
	base := cents * 10_000
	for i := range taxRates {
		r := &taxRates[i]
		if r.class != class || r.country != at.country || r.region != "" && r.region != at.region || shipping && !r.shipping {
			continue
		}
		on := base
		if r.compound {
			for k := range t.n {
				on += t.micro[k]
			}
		}
		t.rates[t.n] = r
		t.micro[t.n] = perMillion(on, r.ppm)
		t.n++
	}
	return t
}

// perMillion returns amount × ppm / 1,000,000, half away from zero.
func perMillion(amount, ppm int64) int64 {
	p := amount * ppm
	if p < 0 {
		return -((-p + 500_000) / 1_000_000)
	}
	return (p + 500_000) / 1_000_000
}

func (o *order) lineTax(l *line) taxed     { return o.taxOn(l.class, l.total, false) }
func (o *order) shipTax(s *shipping) taxed { return o.taxOn(standard, s.total, true) }
func (o *order) feeTax(f *fee) taxed       { return o.taxOn(f.class, f.total, false) }

// taxOn is the tax on an amount of the order, or in it.
func (o *order) taxOn(class taxClass, amount int64, shipping bool) taxed {
	if o.gross {
		return taxWithin(o.place(), class, amount, shipping)
	}
	return tax(o.place(), class, amount, shipping)
}

// net is an amount of the order without its tax.
func (o *order) net(amount int64, t taxed) int64 {
	if o.gross {
		return amount - t.cents()
	}
	return amount
}

// rateSum is what a tax rate comes to over an order or a refund, in cents.
type rateSum struct {
	rate       *taxRate
	cart, ship int64
}

// rateSums adds up taxes by rate.
type rateSums struct {
	n    int
	sums [len(taxRates)]rateSum
}

func (r *rateSums) add(t taxed, ship bool) {
	for i := range t.n {
		k := 0
		for k < r.n && r.sums[k].rate != t.rates[i] {
			k++
		}
		if k == r.n {
			r.sums[k] = rateSum{rate: t.rates[i]}
			r.n++
		}
		if ship {
			r.sums[k].ship += toCents(t.micro[i])
		} else {
			r.sums[k].cart += toCents(t.micro[i])
		}
	}
}

// totals is what an order comes to, in cents.
type totals struct {
	discount, discountTax, shipping, shippingTax, cartTax, total int64
	rates                                                        rateSums
}

func (o *order) totals() totals {
	var t totals
	net := int64(0)
	for i := range o.lines {
		l := &o.lines[i]
		taxes := o.lineTax(l)
		net += o.net(l.total, taxes)
		t.discount += l.sub - l.total
		t.rates.add(taxes, false)
	}
	for i := range o.fees {
		taxes := o.feeTax(&o.fees[i])
		net += o.net(o.fees[i].total, taxes)
		t.rates.add(taxes, false)
	}
	for i := range o.shipping {
		taxes := o.shipTax(&o.shipping[i])
		t.shipping += o.net(o.shipping[i].total, taxes)
		t.rates.add(taxes, true)
	}
	for i := range o.duties {
		net += o.duties[i].amount
	}
	for i := range o.coupons {
		t.discountTax += o.coupons[i].tax
	}
	for _, r := range t.rates.sums[:t.rates.n] {
		t.cartTax += r.cart
		t.shippingTax += r.ship
	}
	t.total = net + t.shipping + t.cartTax + t.shippingTax
	return t
}

// due is the total that the shop states: gift cards are taken off it.
func (o *order) due() int64 {
	total := o.totals().total
	for _, g := range o.gifts {
		total -= g.amount
	}
	if o.odd == totalsOff {
		total += 500
	}
	return total
}

// left is what of the stated total was not refunded yet.
func (o *order) left() int64 {
	left := o.due()
	for _, r := range o.refunds {
		left -= r.amount
	}
	return left
}

// refunded is what refunds took back of one line so far.
func (o *order) refunded(kind partKind, index int) (qty, total int64, taxes [2]int64) {
	for _, r := range o.refunds {
		for i := range r.parts {
			p := &r.parts[i]
			if p.kind != kind || p.index != index {
				continue
			}
			qty += p.qty
			total += p.total
			for k := range p.taxes.n {
				taxes[k] += p.taxes.micro[k]
			}
		}
	}
	return qty, total, taxes
}

// takeBack makes the part that refunds qty units of a line of the order (all
// that is left of a shipping line or fee). Its taxes are whole cents, and the
// last unit takes what is left, so that parts never exceed their line.
func (o *order) takeBack(kind partKind, index int, qty int64) part {
	done, total, paid := o.refunded(kind, index)
	p := part{kind: kind, index: index, qty: qty}
	var all taxed
	var net, units int64
	switch kind {
	case goods:
		l := &o.lines[index]
		all, units = o.lineTax(l), l.qty
		net = o.net(l.total, all)
	case carriage:
		all, units = o.shipTax(&o.shipping[index]), 1
		net = o.net(o.shipping[index].total, all)
	case customs:
		net, units = o.duties[index].amount, 1
	case charge:
		all, units = o.feeTax(&o.fees[index]), 1
		net = o.net(o.fees[index].total, all)
	}
	last := done+qty >= units
	p.total = net - total
	if !last {
		p.total = net * qty / units
	}
	p.taxes = all
	for k := range all.n {
		whole := toCents(all.micro[k]) * 10_000
		p.taxes.micro[k] = whole - paid[k]
		if !last {
			p.taxes.micro[k] = whole / 10_000 * qty / units * 10_000
		}
	}
	return p
}

// gross is what a part gives back, tax included.
func (p *part) gross() int64 { return p.total + p.taxes.cents() }

// gross is what the parts of a refund come to.
func (r *refund) gross() int64 {
	var sum int64
	for i := range r.parts {
		sum += r.parts[i].gross()
	}
	return sum
}
