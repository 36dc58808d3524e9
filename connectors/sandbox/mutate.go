package sandbox

import (
	"slices"
	"time"
)

// The transitions of an order. Each dates the change, moves the stock and says
// what happened.

func (s *Shop) enter(o *order, st state, kind EventKind) {
	o.state = st
	o.modified = s.now()
	s.settleStock(o)
	s.happened(kind, o.id)
}

// settleStock takes the order's goods from stock, or gives them back, as its
// state wants it. Only cancelling gives back; trashing and deleting do not.
func (s *Shop) settleStock(o *order) {
	switch {
	case o.state.takesStock() && !o.holding:
		o.holding = true
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
	h.touch(s.now())
}

func (s *Shop) pay(o *order) {
	o.paid = s.now()
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

func (s *Shop) fail(o *order)   { s.enter(o, stateFailed, OrderFailed) }
func (s *Shop) await(o *order)  { s.enter(o, statePickup, OrderWaits) }
func (s *Shop) cancel(o *order) { s.enter(o, stateCancelled, OrderCancelled) }

func (s *Shop) complete(o *order) {
	o.completed = s.now()
	if o.paid == 0 {
		o.paid = s.now() // cash on delivery
	}
	s.enter(o, stateDone, OrderCompleted)
	if o.auto {
		s.planReturns(o, s.dice(dieLife, o.id*32+29))
	}
}

// refundable reports whether the shop may give money back for the order.
func (s *Shop) refundable(o *order) bool {
	return !o.trashed && o.paid > 0 && (o.state == stateOpen || o.state == stateDone || o.state == statePickup) &&
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
	r.full = r.amount == o.left()
	for i := range r.parts {
		if p := &r.parts[i]; p.kind == goods {
			l := &o.lines[p.index]
			l.back += p.qty
			if o.holding {
				s.shift(l.of, p.qty)
			}
		}
	}
	o.refunds = append(o.refunds, r)
	s.refunds = append(s.refunds, r)
	next := o.state
	if r.full {
		next = stateRefunded
	}
	s.enter(o, next, OrderRefunded)
	return r
}

// refundSome takes back some units of one or two lines, now and then with the
// shipping.
func (s *Shop) refundSome(o *order, d *dice) *refund {
	if !s.refundable(o) || len(o.gifts) > 0 {
		return nil
	}
	r := &refund{reason: uint8(d.n(byStatus))}
	for i, line := range o.lines {
		done, _, _ := o.refunded(goods, i)
		if done == line.qty || line.of.gift || len(r.parts) > 0 && !d.in(300) {
			continue
		}
		r.parts = append(r.parts, o.takeBack(goods, i, int64(d.between(1, int(line.qty-done)))))
	}
	if done, _, _ := o.refunded(carriage, 0); len(o.shipping) > 0 && done == 0 && d.in(250) {
		r.parts = append(r.parts, o.takeBack(carriage, 0, 1))
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
	for i := range o.fees {
		if done, _, _ := o.refunded(charge, i); done == 0 {
			r.parts = append(r.parts, o.takeBack(charge, i, 1))
		}
	}
	return s.addParts(o, r)
}

// addParts books a refund by lines. Where the lines come to more than what is
// left (after a refund by amount, or with a gift card used), it is one by
// amount.
func (s *Shop) addParts(o *order, r *refund) *refund {
	for i := range r.parts {
		r.amount += r.parts[i].gross()
	}
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
	open := o.state == statePending || o.state == stateHeld || o.state == stateOpen
	if open && len(o.lines) > 0 && len(o.refunds)+len(o.coupons)+len(o.gifts) == 0 && d.in(600) {
		l := &o.lines[0]
		by := int64(1)
		if l.qty > 1 && d.in(400) {
			by = -1
		}
		unit := l.sub / l.qty
		l.qty += by
		l.sub, l.total = unit*l.qty, unit*l.qty
		if o.holding {
			s.shift(l.of, -by)
		}
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
	i := slices.Index(s.orders, o)
	s.orders = slices.Delete(s.orders, i, i+1)
	s.refunds = slices.DeleteFunc(s.refunds, func(r *refund) bool { return r.of == o })
	delete(s.planted, o.id)
	s.changed()
}

func (s *Shop) editProduct(p *product) {
	p.revision++
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
	v.touch(s.now())
	s.happened(StockChanged, v.id)
}

func (s *Shop) editCategory(c *category) {
	c.position++
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
	p.own.gone = true
	for _, v := range p.variants {
		v.gone = true
	}
	s.happened(ProductGone, id)
}

// What follows lets a test change the shop directly. Each call is dated one
// second after what was before it, and returns the id of what it touched; ""
// where nothing in the shop can be changed so. An empty id lets the shop choose
// the newest record that can.

// PlaceOrder places an order that waits to be paid.
func (s *Shop) PlaceOrder() string {
	return s.change(func() int64 {
		o := s.place(NoOddity)
		if o.gateway == payDelivery {
			o.gateway = payTransfer
			s.enter(o, stateHeld, OrderPlaced)
		}
		return o.id
	})
}

// PlaceOddOrder places and pays an order of an odd kind.
func (s *Shop) PlaceOddOrder(kind Odd) string {
	return s.change(func() int64 {
		o := s.place(kind)
		switch kind {
		case OddDraft:
		case OddStatus:
			s.pay(o)
			s.await(o)
		default:
			s.pay(o)
		}
		return o.id
	})
}

// PayOrder pays an unpaid order.
func (s *Shop) PayOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return o.state == statePending || o.state == stateHeld || o.state == stateFailed }, s.pay)
}

// CompleteOrder ships a whole order.
func (s *Shop) CompleteOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return o.state == stateOpen || o.state == statePickup || o.state == stateHeld }, s.complete)
}

// CancelOrder cancels an order, paid or not, and puts its goods back.
func (s *Shop) CancelOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool {
		return o.state == statePending || o.state == stateHeld || o.state == stateOpen || o.state == statePickup
	}, s.cancel)
}

// ReopenOrder sets a cancelled or completed order back to be shipped.
func (s *Shop) ReopenOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return o.state == stateCancelled || o.state == stateDone },
		func(o *order) { s.enter(o, stateOpen, OrderEdited) })
}

// EditOrder changes what an order says: a quantity or the address.
func (s *Shop) EditOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return s.planted[o.id] == "" }, func(o *order) {
		s.edit(o, s.dice(dieChange, s.now()))
	})
}

// EditOrderSilently changes what an order says but not its date, as shops with
// legacy storage do.
func (s *Shop) EditOrderSilently(id string) string {
	return s.changeOrder(id, func(o *order) bool { return s.planted[o.id] == "" }, func(o *order) {
		s.alter(o, s.dice(dieChange, s.now()))
		s.changed()
	})
}

// RefundOrder refunds a paid order by lines, in part or all that is left, and
// returns the id of the refund.
func (s *Shop) RefundOrder(id string, partial bool) string {
	return s.giveBack(id, func(o *order, d *dice) *refund {
		if partial {
			return s.refundSome(o, d)
		}
		return s.refundAll(o, d)
	})
}

// RefundByAmount refunds a sum without naming lines, and returns the id of the
// refund.
func (s *Shop) RefundByAmount(id string) string { return s.giveBack(id, s.refundAmount) }

// RefundByStatus sets an order to refunded by hand, and returns the id of the
// refund that the platform then makes.
func (s *Shop) RefundByStatus(id string) string {
	return s.giveBack(id, func(o *order, _ *dice) *refund { return s.refundByStatus(o) })
}

func (s *Shop) giveBack(id string, how func(*order, *dice) *refund) string {
	var made *refund
	s.changeOrder(id, s.refundable, func(o *order) { made = how(o, s.dice(dieChange, s.now())) })
	if made == nil {
		return ""
	}
	return text(made.id)
}

// DeleteRefund deletes a refund. The date of its order does not move, nor does
// its status, nor the stock.
func (s *Shop) DeleteRefund(id string) string {
	return s.change(func() int64 {
		r := s.refund(number(id))
		if r == nil {
			return 0
		}
		same := func(x *refund) bool { return x == r }
		r.of.refunds = slices.DeleteFunc(r.of.refunds, same)
		s.refunds = slices.DeleteFunc(s.refunds, same)
		return r.id
	})
}

// TrashOrder puts an order in the trash.
func (s *Shop) TrashOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return s.planted[o.id] == "" }, s.trash)
}

// RestoreOrder takes an order out of the trash.
func (s *Shop) RestoreOrder(id string) string {
	return s.change(func() int64 {
		o := s.pick(id, func(o *order) bool { return o.trashed })
		if o == nil {
			return 0
		}
		o.trashed = false
		o.modified = s.now()
		return o.id
	})
}

// DeleteOrder removes an order for good, with its refunds.
func (s *Shop) DeleteOrder(id string) string {
	return s.change(func() int64 {
		o := s.pick(id, func(*order) bool { return true })
		if o == nil {
			return 0
		}
		s.drop(o)
		return o.id
	})
}

// TouchProduct edits the text of a product.
func (s *Shop) TouchProduct(id string) string {
	return s.change(func() int64 {
		if id == "" {
			id = text(s.sellable[0].of.own.id)
		}
		p := s.product(number(id))
		if p == nil {
			return 0
		}
		s.editProduct(p)
		return p.own.id
	})
}

// SetPrice sets the price of a variant, in cents.
func (s *Shop) SetPrice(variantID string, cents int) string {
	return s.change(func() int64 {
		v := s.variant(number(variantID))
		if v == nil {
			return 0
		}
		s.setPrice(v, int64(cents))
		return v.id
	})
}

// SetStock sets the stock of a variant, or of a product that pools the stock
// of its variants, by hand.
func (s *Shop) SetStock(variantID string, qty int) string {
	return s.change(func() int64 {
		v := s.variant(number(variantID))
		if variantID == "" {
			v = s.sellable[0]
		}
		if v == nil || !v.holder().tracked {
			return 0
		}
		s.setStock(v.holder(), int64(qty))
		return v.holder().id
	})
}

// DeleteProduct deletes a product for good. Lines of old orders lose their
// product, SKU and variation, and no date moves.
func (s *Shop) DeleteProduct(id string) string {
	return s.change(func() int64 {
		if id == "" {
			for _, v := range s.sellable {
				if !v.gone {
					id = text(v.of.own.id)
				}
			}
		}
		s.discontinue(number(id))
		return max(0, number(id))
	})
}

// change runs f one second later.
func (s *Shop) change(f func() int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Second)
	id := f()
	s.changed()
	if id == 0 {
		return ""
	}
	return text(id)
}

func (s *Shop) changeOrder(id string, can func(*order) bool, how func(*order)) string {
	return s.change(func() int64 {
		o := s.pick(id, func(o *order) bool { return o.listed() && can(o) })
		if o == nil {
			return 0
		}
		how(o)
		return o.id
	})
}

// pick finds the order with the id, or the newest, that can be changed.
func (s *Shop) pick(id string, can func(*order) bool) *order {
	if id != "" {
		if o := s.order(number(id)); o != nil && can(o) {
			return o
		}
		return nil
	}
	for i := len(s.orders) - 1; i >= 0; i-- {
		if can(s.orders[i]) {
			return s.orders[i]
		}
	}
	return nil
}
