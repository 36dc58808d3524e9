package sandbox

import (
	"fmt"
	"slices"
	"time"

	"comptoir/erp/intake"
)

// This file lets a test change the shop by hand. Each call is dated one second
// after what was before it, unless HoldClock says otherwise, and returns the id of what it touched; "" where
// nothing in the shop can be changed so. An empty id lets the shop choose the
// newest record that can.

// Add makes a new record: an order that waits to be paid, a simple product, a
// variation of a product that has some, a customer, a coupon, a category.
func (s *Shop) Add(r intake.Resource) string {
	if r == intake.Orders {
		return s.PlaceOrder()
	}
	return s.change(func() int64 {
		d := s.dice(dieChange, s.now())
		switch r {
		case intake.Products:
			p := s.newProduct("Nouveauté "+text(s.now()), s.categories[0])
			p.own.price, p.own.sku, p.own.cost = int64(d.between(500, 9000)), "NEW-"+text(p.own.id), 300
			s.fill(p.own, d)
			s.sellable = append(s.sellable, p.own)
			return p.own.id
		case intake.Variants:
			return s.addVariation(d)
		case intake.Customers:
			id := int64(len(s.customers) + 1)
			s.customers = append(s.customers, &customer{id: id, who: s.person(uint32(id)), created: s.now(), modified: s.now()})
			return id
		case intake.Coupons:
			k := &coupon{id: s.post(), kind: "percent", amount: 500, created: s.now(), modified: s.now()}
			k.code = fmt.Sprintf("code-%d", k.id)
			s.coupons = append(s.coupons, k)
			return k.id
		case intake.Categories:
			k := &category{id: s.categories[len(s.categories)-1].id + 1, position: len(s.categories), modified: s.now()}
			k.name, k.slug = "Rayon "+text(k.id), "rayon-"+text(k.id)
			s.categories = append(s.categories, k)
			return k.id
		}
		return 0
	})
}

// Edit changes the content of a record, and its date where it has one.
func (s *Shop) Edit(r intake.Resource, id string) string {
	if r == intake.Orders {
		return s.EditOrder(id)
	}
	return s.change(func() int64 {
		d := s.dice(dieChange, s.now())
		switch of := s.find(r, id).(type) {
		case *product:
			s.editProduct(of)
			return of.own.id
		case *variant:
			s.setPrice(of, of.price+10)
			return of.id
		case *customer:
			if of.admin {
				return 0
			}
			for was := of.who.house; of.who.house == was; {
				s.moveHouse(of, d)
			}
			return of.id
		case *coupon:
			of.amount += 100
			s.editCoupon(of)
			return of.id
		case *category:
			s.editCategory(of)
			return of.id
		}
		return 0
	})
}

// Touch moves the date of a record and nothing else; "" where it has none.
func (s *Shop) Touch(r intake.Resource, id string) string {
	return s.change(func() int64 {
		switch of := s.find(r, id).(type) {
		case *order:
			of.modified = s.now()
			return of.id
		case *product:
			of.own.modified = s.now()
			return of.own.id
		case *variant:
			of.touch(s.now())
			return of.id
		case *customer:
			if of.admin {
				return 0
			}
			of.modified = s.now()
			return of.id
		case *coupon:
			of.modified = s.now()
			return of.id
		}
		return 0
	})
}

// Delete removes a record for good. No other date moves.
func (s *Shop) Delete(r intake.Resource, id string) string {
	return s.change(func() int64 {
		switch of := s.find(r, id).(type) {
		case *order:
			s.drop(of)
			return of.id
		case *product:
			s.discontinue(of.own.id)
			return of.own.id
		case *variant:
			of.gone = true
			if s.onShopify() {
				s.bury(intake.Variants, of.id)
				of.of.own.modified = s.now()
			}
			return of.id
		case *customer:
			if of.admin {
				return 0
			}
			of.gone = true
			return of.id
		case *coupon:
			s.coupons = slices.DeleteFunc(s.coupons, func(k *coupon) bool { return k == of })
			return of.id
		case *category:
			if len(s.categories) == 1 {
				return 0
			}
			s.bury(intake.Categories, of.id)
			s.categories = slices.DeleteFunc(s.categories, func(k *category) bool { return k == of })
			for _, p := range s.products {
				if p.category == of {
					p.category = s.categories[0]
				}
			}
			return of.id
		}
		return 0
	})
}

// find returns the record of a resource, or the newest where id is empty; nil
// where there is none. Orders in the trash are found under both resources.
func (s *Shop) find(r intake.Resource, id string) any {
	n := number(id)
	newest := id == ""
	switch r {
	case intake.Orders, intake.Trash:
		if o := s.pick(id, func(o *order) bool {
			return !newest || (o.listed() && (o.taken || s.tellsUnpaid())) == (r == intake.Orders)
		}); o != nil {
			return o
		}
	case intake.Products, intake.Variants:
		for i := len(s.products) - 1; i >= 0; i-- {
			p := s.products[i]
			switch {
			case !p.listed():
			case r == intake.Products && (newest || p.own.id == n):
				return p
			case r == intake.Variants:
				for k := len(p.variants) - 1; k >= 0; k-- {
					if v := p.variants[k]; !v.gone && (newest || v.id == n) {
						return v
					}
				}
			}
		}
	case intake.Customers:
		if newest {
			n = int64(len(s.customers))
		}
		if c := s.customer(n); c != nil {
			return c
		}
	case intake.Coupons:
		for i := len(s.coupons) - 1; i >= 0; i-- {
			if k := s.coupons[i]; newest || k.id == n {
				return k
			}
		}
	case intake.Categories:
		for i := len(s.categories) - 1; i >= 0; i-- {
			if k := s.categories[i]; newest || k.id == n {
				return k
			}
		}
	}
	return nil
}

// addVariation gives a product with variations one more size.
func (s *Shop) addVariation(d *dice) int64 {
	for _, p := range s.products {
		if !p.listed() || len(p.axes) == 0 || p.own.tracked {
			continue
		}
		size := "T" + text(int64(len(p.axes[0].values)+1))
		p.axes[0].values = append(slices.Clone(p.axes[0].values), size)
		v := &variant{id: s.post(), of: p, options: []string{size, p.axes[1].values[0]}, price: p.own.price, backorders: "no",
			created: s.now(), modified: s.now(), changed: s.now()}
		v.sku = p.own.sku + "-" + text(v.id)
		s.fill(v, d)
		p.variants = append(p.variants, v)
		p.own.modified = s.now()
		s.sellable = append(s.sellable, v)
		return v.id
	}
	return 0
}

// PlaceOrder places an order that waits to be paid.
func (s *Shop) PlaceOrder() string {
	return s.change(func() int64 {
		o := s.place(NoOddity)
		if o.gateway == payDelivery || o.state == statePending && !s.tellsUnpaid() {
			o.gateway = payTransfer
			s.enter(o, stateHeld, OrderPlaced)
		}
		return o.id
	})
}

// tellsUnpaid reports whether the shop lists an order whose payment by card is
// still to come, and so does every other that tells the same history.
func (s *Shop) tellsUnpaid() bool { return !s.opt.Common && !s.onShopify() }

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
		return !o.underway() && (o.state == statePending || o.state == stateHeld || o.state == stateOpen || o.state == statePickup)
	}, s.cancel)
}

// ReopenOrder sets a cancelled or completed order back to be shipped.
func (s *Shop) ReopenOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return o.state == stateCancelled || o.state == stateDone },
		func(o *order) {
			o.unship()
			s.enter(o, stateOpen, OrderEdited)
		})
}

// ShipPart ships a part of an order that is to be shipped, from the second
// location. Only a shop with Extras can.
func (s *Shop) ShipPart(id string) string {
	return s.changeOrder(id, s.partable, s.shipPart)
}

// Exchange takes back a unit of a shipped order and sends something else for
// it. Only a shop with Extras can. It returns the id of the refund.
func (s *Shop) Exchange(id string) string {
	var made *refund
	s.changeOrder(id, s.exchangeable, func(o *order) { made = s.exchange(o, s.dice(dieChange, s.now())) })
	if made == nil {
		return ""
	}
	return text(made.id)
}

// DelayRefund refunds an order in part, with money that is still to come, and
// returns the id of the refund. Only a shop with Extras can.
func (s *Shop) DelayRefund(id string) string {
	return s.giveBack(id, func(o *order, d *dice) *refund {
		if !s.opt.Extras {
			return nil
		}
		s.slow = true
		defer func() { s.slow = false }()
		return s.refundSome(o, d)
	})
}

// SettleRefund lets the money of an order's refunds arrive.
func (s *Shop) SettleRefund(orderID string) string {
	return s.changeOrder(orderID, func(o *order) bool { return o.unsettled() }, s.settle)
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

// DeleteOrder removes an order for good, with its refunds.
func (s *Shop) DeleteOrder(id string) string { return s.Delete(intake.Orders, id) }

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
func (s *Shop) DeleteProduct(id string) string { return s.Delete(intake.Products, id) }

// HoldClock makes changes by hand happen at the time of the clock, which then
// only Advance moves: several may share a second.
func (s *Shop) HoldClock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// tick lets a second pass, unless the clock is held.
func (s *Shop) tick() {
	if !s.held {
		s.clock = s.clock.Add(time.Second)
	}
}

// change runs f one second later, or now where the clock is held.
func (s *Shop) change(f func() int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	id := f()
	s.changed()
	if id == 0 {
		return ""
	}
	return text(id)
}

func (s *Shop) changeOrder(id string, can func(*order) bool, how func(*order)) string {
	return s.change(func() int64 {
		o := s.pick(id, func(o *order) bool { return o.listed() && (o.taken || s.tellsUnpaid()) && can(o) })
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
