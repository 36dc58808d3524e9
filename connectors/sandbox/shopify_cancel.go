package sandbox

import "slices"

// Shopify tells what money goes back when an order is cancelled, where
// WooCommerce leaves that to whoever reads it.

// firstCancellation keeps the numbers of the refunds that cancel an order
// apart from others. They are not drawn from the sequence of all, so that the
// history goes on as it does on the other platform.
const firstCancellation = 5_000_000_000

// payBack gives back what was paid of an order that is cancelled, gift cards
// too.
func (s *Shop) payBack(o *order) {
	if !s.onShopify() {
		return
	}
	r := &refund{id: firstCancellation + o.id, of: o, created: s.now(), reason: 2, apart: true, full: true}
	if o.paid > 0 {
		r.moved = o.due()
		if o.charged > 0 {
			r.moved = o.charged
		}
	}
	for _, p := range o.more {
		r.moved += p.amount
	}
	worth := o.totals().total
	for _, before := range o.refunds {
		r.moved -= s.moneyBack(before)
		worth -= before.amount
	}
	for _, g := range o.gifts {
		r.gifts += g.amount
	}
	if r.amount = r.moved + r.gifts; r.amount <= 0 {
		return
	}
	if r.amount == worth {
		r.parts = o.allLeft(r.id)
	}
	o.refunds = append(o.refunds, r)
	s.chargeBack(o, r)
}

// allLeft are the lines of an order as far as no refund took them back. Fees
// cannot be named.
func (o *order) allLeft(id int64) []part {
	var parts []part
	add := func(kind partKind, index int, qty int64) {
		if done, _, _ := o.refunded(kind, index); done < qty {
			p := o.takeBack(kind, index, qty-done)
			p.id = id*100 + int64(len(parts))
			parts = append(parts, p)
		}
	}
	for i := range o.lines {
		add(goods, i, o.lines[i].qty)
	}
	for i := range o.shipping {
		add(carriage, i, 1)
	}
	for i := range o.duties {
		add(customs, i, 1)
	}
	return parts
}

// keepMoney takes that back, where the order is wanted after all.
func (o *order) keepMoney() {
	o.refunds = slices.DeleteFunc(o.refunds, func(r *refund) bool { return r.id == firstCancellation+o.id })
}

// refundBy finds a refund by its number.
func (s *Shop) refundBy(id int64) *refund {
	if id < firstCancellation {
		return s.refund(id)
	}
	if o := s.order(id - firstCancellation); o != nil {
		for _, r := range o.refunds {
			if r.id == id {
				return r
			}
		}
	}
	return nil
}
