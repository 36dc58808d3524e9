package sandbox

import (
	"slices"

	"comptoir/erp/intake"
)

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
	return s.changeOrder(id, func(o *order) bool {
		return s.shippable(o) && (o.state == stateOpen || o.state == statePickup || o.state == stateHeld)
	}, s.complete)
}

// SplitOrder has the later half of the lines of an order that is to be shipped
// leave from the second location. Only a Shopify shop can, and only with two
// lines or more.
func (s *Shop) SplitOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool {
		return s.onShopify() && o.state == stateOpen && len(o.lines) > 1 && len(o.parcels) == 0
	}, func(o *order) {
		o.second = (len(o.lines) + 1) / 2
		o.modified = s.now()
	})
}

// HoldOrder has an order that is to be shipped wait until somebody comes for
// it: a status that a plugin of WooCommerce added, a hold on Shopify.
func (s *Shop) HoldOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return o.state == stateOpen && !o.underway() }, s.await)
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
			o.keepMoney()
			s.enter(o, stateOpen, OrderEdited)
		})
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
		s.forget(r)
		return r.id
	})
}

// forget deletes a refund.
func (s *Shop) forget(r *refund) {
	same := func(x *refund) bool { return x == r }
	r.of.refunds = slices.DeleteFunc(r.of.refunds, same)
	s.refunds = slices.DeleteFunc(s.refunds, same)
	s.changed()
}

// TrashOrder puts an order in the trash.
func (s *Shop) TrashOrder(id string) string {
	return s.changeOrder(id, func(o *order) bool { return s.planted[o.id] == "" }, s.trash)
}

// DeleteOrder removes an order for good, with its refunds.
func (s *Shop) DeleteOrder(id string) string { return s.Delete(intake.Orders, id) }

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

// Sell places an order of so many units of one variant (by its id), pays it by
// card, and returns the order's id.
func (s *Shop) Sell(variantID string, qty int) string {
	return s.change(func() int64 {
		v := s.variant(number(variantID))
		if v == nil || qty <= 0 {
			return 0
		}
		return s.sell(v, int64(qty)).id
	})
}

func (s *Shop) sell(v *variant, qty int64) *order {
	s.wanted = wanted{v, qty}
	o := s.place(NoOddity)
	s.wanted = wanted{}
	o.gateway = payStripe
	s.pay(o)
	return o
}

// sellOneOf sells a unit of the first row of a page that counts its stock.
func (s *Shop) sellOneOf(page []row) {
	for i := range page {
		v, _ := page[i].of.(*variant)
		if p, ok := page[i].of.(*product); ok {
			v = p.own
		}
		if v != nil && v.tracked && (v != v.of.own || len(v.of.axes) == 0) {
			s.sell(v, 1)
			return
		}
	}
}
