package sandbox

import (
	"slices"

	"comptoir/erp/intake"
)

// The transitions of an order. Each dates the change, moves the stock and says
// what happened.

func (s *Shop) enter(o *order, st state, kind EventKind) {
	if st == stateDone || o.state == stateDone || st == stateRefunded {
		s.recommit(o)
	}
	o.state = st
	o.modified = s.now()
	s.settleStock(o)
	s.happened(kind, o.id)
}

// settleStock takes the order's goods from stock, or gives them back, as its
// state wants it. Only cancelling gives back; trashing and deleting do not.
func (s *Shop) settleStock(o *order) {
	if o.test { // takes no goods
		o.taken = o.taken || o.state.takesStock()
		return
	}
	switch {
	case o.state.takesStock() && !o.holding:
		o.holding, o.taken = true, true
		s.moveStock(o, -1)
	case (o.state == stateCancelled || o.state == statePending) && o.holding:
		o.holding = false
		s.moveStock(o, 1)
	}
}

func (s *Shop) moveStock(o *order, sign int64) {
	for i := range o.lines {
		l := &o.lines[i]
		s.shift(l.of, sign*(l.qty-l.back))
	}
}

func (s *Shop) shift(v *variant, by int64) {
	h := v.holder()
	if !h.tracked || h.gone || by == 0 {
		return
	}
	h.stock += by
	h.recount(s.now())
	s.announce(StockTaken, h.id)
}

func (s *Shop) pay(o *order) {
	o.paid = s.now()
	s.collect(o)
	if c := s.customer(o.customer); c != nil {
		c.paying, c.modified = true, s.now()
	}
	next := stateOpen
	if o.nothingToShip() {
		next, o.completed = stateDone, s.now()
	}
	s.enter(o, next, OrderPaid)
	if !o.auto {
		return
	}
	if d := s.dice(dieLife, o.id*32+30); next == stateDone {
		s.planReturns(o, d)
	} else {
		s.planShipping(o, d)
	}
}

// nothingToShip reports whether all lines are downloads: such an order is
// complete when it is paid.
func (o *order) nothingToShip() bool {
	for i := range o.lines {
		if !o.lines[i].of.download {
			return false
		}
	}
	return len(o.lines) > 0
}

func (s *Shop) fail(o *order)  { s.enter(o, stateFailed, OrderFailed) }
func (s *Shop) await(o *order) { s.enter(o, statePickup, OrderWaits) }

func (s *Shop) cancel(o *order) {
	o.cancelled = s.now()
	s.payBack(o)
	s.enter(o, stateCancelled, OrderCancelled)
}

// shippable reports whether the order can be completed: on Shopify only by
// shipping something.
func (s *Shop) shippable(o *order) bool {
	if !s.opt.Common && !s.onShopify() {
		return true
	}
	for i := range o.lines {
		if done, _, _ := o.refunded(goods, i); done < o.lines[i].qty && !o.lines[i].of.tip {
			return true
		}
	}
	return false
}

func (s *Shop) complete(o *order) {
	o.completed = s.now()
	if o.paid == 0 {
		o.paid = s.now() // cash on delivery
		s.collect(o)
	}
	s.shipRest(o)
	s.enter(o, stateDone, OrderCompleted)
	if o.auto {
		s.planReturns(o, s.dice(dieLife, o.id*32+29))
	}
}

// refundable reports whether the shop may give money back for the order.
func (s *Shop) refundable(o *order) bool {
	return !o.trashed && !o.disputed && !o.underway() && o.paid > 0 && (o.state == stateOpen || o.state == stateDone || o.state == statePickup) &&
		s.planted[o.id] == "" && o.left() > 0
}

// addRefund books a refund, puts its goods back in stock, and closes the order
// where nothing is left.
func (s *Shop) addRefund(o *order, r *refund) *refund {
	r.id, r.of, r.created = s.post(), o, s.now()
	for i := range r.parts {
		r.parts[i].id = s.items(1)
	}
	r.taxIDs = s.items(4)
	r.kept = r.kept || s.opt.Extras && !r.returned && !r.asked && s.dice(dieExtra, r.id).in(150)
	r.full = r.full || r.amount == o.left()
	for i := range r.parts {
		if p := &r.parts[i]; p.kind == goods {
			l := &o.lines[p.index]
			if r.kept || p.stays() {
				continue
			}
			l.back += p.qty
			if o.holding {
				s.shift(l.of, p.qty)
				if p.to == &locations[reserve] && l.of.tracked && !l.of.gone {
					l.of.aside += p.qty
				}
			}
		}
	}
	o.refunds = append(o.refunds, r)
	s.refunds = append(s.refunds, r)
	s.repay(o, r)
	next := o.state
	if r.full {
		next = stateRefunded
	}
	s.enter(o, next, OrderRefunded)
	return r
}

// refundSome takes back some units of one or two lines, now and then with the
// shipping; never all that is left. Of an order that cannot be split it gives
// back half by amount.
func (s *Shop) refundSome(o *order, d *dice) *refund {
	if !s.refundable(o) || len(o.gifts) > 0 {
		return nil
	}
	r := &refund{reason: uint8(d.n(byStatus))}
	for i, line := range o.lines {
		done, _, _ := o.refunded(goods, i)
		if done == line.qty || line.of.gift || line.of.tip || len(r.parts) > 0 && !d.in(300) {
			continue
		}
		r.parts = append(r.parts, o.takeBack(goods, i, int64(d.between(1, int(line.qty-done)))))
	}
	if done, _, _ := o.refunded(carriage, 0); len(o.shipping) > 0 && done == 0 && d.in(250) {
		r.parts = append(r.parts, o.takeBack(carriage, 0, 1))
	}
	for len(r.parts) > 1 && r.gross() >= o.left() {
		r.parts = r.parts[:len(r.parts)-1]
	}
	if r.gross() >= o.left() {
		return s.addRefund(o, &refund{reason: r.reason, amount: (o.left() + 1) / 2})
	}
	return s.addParts(o, r)
}

// refundAll takes back all that is left, line by line.
func (s *Shop) refundAll(o *order, d *dice) *refund {
	if !s.refundable(o) {
		return nil
	}
	r := &refund{reason: uint8(d.n(byStatus))}
	for i := range o.lines {
		if done, _, _ := o.refunded(goods, i); done < o.lines[i].qty {
			r.parts = append(r.parts, o.takeBack(goods, i, o.lines[i].qty-done))
		}
	}
	for i := range o.shipping {
		if done, _, _ := o.refunded(carriage, i); done == 0 {
			r.parts = append(r.parts, o.takeBack(carriage, i, 1))
		}
	}
	for i := range o.duties {
		if done, _, _ := o.refunded(customs, i); done == 0 {
			r.parts = append(r.parts, o.takeBack(customs, i, 1))
		}
	}
	for i := range o.fees {
		if done, _, _ := o.refunded(charge, i); done == 0 && s.refundsFees() {
			r.parts = append(r.parts, o.takeBack(charge, i, 1))
		}
	}
	return s.addParts(o, r)
}

// refundsFees reports whether a refund can name a fee. On Shopify it cannot.
func (s *Shop) refundsFees() bool { return !s.opt.Common && !s.onShopify() }

// addParts books a refund by lines. Where the lines come to more than what is
// left (after a refund by amount, or with a gift card used), it is one by
// amount.
func (s *Shop) addParts(o *order, r *refund) *refund {
	r.amount = r.gross()
	if r.amount > o.left() {
		r.parts, r.amount = nil, o.left()
	}
	if r.amount <= 0 {
		return nil
	}
	return s.addRefund(o, r)
}

// refundAmount gives back a sum without lines and without tax.
func (s *Shop) refundAmount(o *order, d *dice) *refund {
	if !s.refundable(o) {
		return nil
	}
	return s.addRefund(o, &refund{reason: 2, amount: min(o.in(int64(100*d.between(1, 8))), o.left())})
}

// refundByStatus is what the platform does when someone sets the status by
// hand: one refund of all that is left, without lines, and nothing restocked.
func (s *Shop) refundByStatus(o *order) *refund {
	if !s.refundable(o) {
		return nil
	}
	return s.addRefund(o, &refund{reason: byStatus, amount: o.left()})
}

// alter changes what an order says: the quantity of its first line where it is
// still open, else the address.
func (s *Shop) alter(o *order, d *dice) {
	open := o.state == statePending || o.state == stateHeld || o.state == stateOpen && (o.paid == 0 || s.repays())
	if open && !o.underway() && len(o.lines) > 0 && len(o.refunds)+len(o.coupons)+len(o.gifts) == 0 && d.in(600) {
		l := &o.lines[0]
		by := int64(1)
		if l.qty > 1 && d.in(400) {
			by = -1
		}
		s.keepBefore(o)
		due := o.due()
		unit := l.sub / l.qty
		l.qty += by
		l.sub, l.total = unit*l.qty, unit*l.qty
		if o.holding {
			s.shift(l.of, -by)
		}
		s.evenUp(o, o.due()-due)
		return
	}
	o.who.house++
	o.note = (o.note + 1) % uint8(len(notes))
}

func (s *Shop) edit(o *order, d *dice) {
	if o.trashed || s.planted[o.id] != "" {
		return
	}
	s.alter(o, d)
	o.modified = s.now()
	s.happened(OrderEdited, o.id)
}

func (s *Shop) trash(o *order) {
	if o.trashed || s.planted[o.id] != "" {
		return
	}
	o.trashed, o.binned, o.modified = true, s.now(), s.now()
	s.happened(OrderTrashed, o.id)
}

// drop removes an order for good. Its goods do not come back.
func (s *Shop) drop(o *order) {
	if o.holding {
		for i := range o.lines {
			if h := o.lines[i].of.holder(); h.tracked {
				h.given -= o.lines[i].qty - o.lines[i].back
			}
		}
	}
	if s.shows(o) {
		s.bury(intake.Orders, o.id)
	}
	i := slices.Index(s.orders, o)
	s.orders = slices.Delete(s.orders, i, i+1)
	s.refunds = slices.DeleteFunc(s.refunds, func(r *refund) bool { return r.of == o })
	delete(s.planted, o.id)
	s.changed()
	s.announce(OrderGone, o.id)
}

func (s *Shop) editProduct(p *product) {
	p.revision++
	p.written, p.body = false, ""
	p.own.modified = s.now()
	s.happened(ProductEdited, p.own.id)
}

func (s *Shop) setPrice(v *variant, cents int64) {
	v.price = max(100, cents)
	if v.sale > 0 {
		v.sale = v.price * 80 / 100
	}
	v.touch(s.now())
	s.happened(PriceChanged, v.id)
}

func (s *Shop) setStock(v *variant, qty int64) {
	v.given += qty - v.stock
	v.stock = qty
	v.recount(s.now())
	s.happened(StockChanged, v.id)
}

func (s *Shop) editCategory(c *category) {
	c.position++
	c.modified = s.now()
	c.description = "Mise à jour " + text(int64(c.position))
	s.happened(CategoryEdited, c.id)
}

func (s *Shop) editCoupon(c *coupon) {
	c.revision++
	c.modified = s.now()
	s.happened(CouponEdited, c.id)
}

func (s *Shop) moveHouse(c *customer, d *dice) {
	c.who.house = uint16(d.between(1, 120))
	c.modified = s.now()
	s.happened(CustomerEdited, c.id)
}

// discontinue deletes a product and its variations for good. Lines of old
// orders keep their titles and lose everything else.
func (s *Shop) discontinue(id int64) {
	p := s.product(id)
	if p == nil {
		return
	}
	s.bury(intake.Products, p.own.id)
	p.own.gone = true
	for _, v := range p.variants {
		v.gone = true
	}
	s.happened(ProductGone, id)
}
