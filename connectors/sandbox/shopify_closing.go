package sandbox

import "slices"

// How orders are cancelled, closed and opened again.

// maxStaffNote is the length of a note about a cancellation, in characters.
const maxStaffNote = 255

// orderCancel has an order cancelled. It answers before it has happened.
func (x *gqlRun) orderCancel() *payload[*job] {
	o, ok := x.s.byGid(x.args.text("orderId")).(*order)
	if !ok {
		return refusal[*job]("orderId", "NOT_FOUND", "Order does not exist")
	}
	c := &check{x: x}
	switch {
	case o.state == stateCancelled:
		c.refuse("orderId", "INVALID", "Order has already been cancelled")
	case o.underway() || o.shipped():
		c.refuse("orderId", "INVALID", "Cannot cancel an order that has fulfillments")
	case len([]rune(x.args.text("staffNote"))) > maxStaffNote:
		c.refuse("staffNote", "INVALID", "Staff note is too long (maximum is 255 characters)")
	}
	method := input(x.args.object("refundMethod"))
	if method.object("storeCreditRefund") != nil {
		c.refuse("refundMethod.storeCreditRefund", "INVALID", "The sandbox does not play store credit")
	}
	back, _ := method["originalPaymentMethodsRefund"].(bool)
	back = back || x.args.yes("refund")
	reason, restock := x.args.text("reason"), x.args.yes("restock")
	return finish(c, func() *job {
		return x.s.later(func() {
			if o.state != stateCancelled {
				x.s.cancelAs(o, reason, restock, back)
			}
		})
	})
}

// cancelAs cancels an order, with or without giving back its money and its
// goods.
func (s *Shop) cancelAs(o *order, reason string, restock, back bool) {
	o.reason, o.cancelled, o.unrefunded = reason, s.now(), !back && o.paid > 0
	if back {
		s.payBack(o)
	}
	if !restock && o.holding {
		o.holding = false
		for i := range o.lines {
			if h := o.lines[i].of.holder(); h.tracked {
				h.given -= o.lines[i].qty - o.lines[i].back
			}
		}
		if k := slices.IndexFunc(o.refunds, func(r *refund) bool { return r.id == firstCancellation+o.id }); k >= 0 {
			o.refunds[k].kept = true
		}
	}
	s.recommit(o)
	s.enter(o, stateCancelled, OrderCancelled)
}

// closeOrder puts an order away, or gets it out again.
func (x *gqlRun) closeOrder(away bool) *payload[*order] {
	o, ok := x.s.byGid(input(x.args.object("input")).text("id")).(*order)
	if !ok {
		return refusal[*order]("id", "", "Order does not exist")
	}
	c := &check{x: x}
	return finish(c, func() *order {
		switch {
		case away == (o.closedAt() > 0): // it is so already
			return o
		case away:
			o.archived = x.s.now()
		default:
			o.archived, o.trashed = 0, false
		}
		o.modified = x.s.now()
		x.s.happened(OrderEdited, o.id)
		return o
	})
}

func closingTypes() []gqlType {
	return []gqlType{
		{name: "Mutation", fields: gqlFields{
			"orderCancel": mutation("OrderCancelPayload", (*gqlRun).orderCancel),
			"orderClose":  mutation("OrderClosePayload", func(x *gqlRun) *payload[*order] { return x.closeOrder(true) }),
			"orderOpen":   mutation("OrderOpenPayload", func(x *gqlRun) *payload[*order] { return x.closeOrder(false) }),
		}},
		{name: "OrderCancelPayload", fields: gqlFields{
			"job":                   gqlObject("Job", func(_ *gqlRun, p *payload[*job]) *job { return p.made }),
			"orderCancelUserErrors": gqlList("OrderCancelUserError", func(_ *gqlRun, p *payload[*job]) []userError { return p.errs }),
			"userErrors":            gqlList("UserError", func(_ *gqlRun, p *payload[*job]) []userError { return p.errs }),
		}},
		{name: "OrderCancelUserError", fields: userErrorFields(true)},
		{name: "OrderClosePayload", fields: payloadFields[*order]("order", "Order", "UserError")},
		{name: "OrderOpenPayload", fields: payloadFields[*order]("order", "Order", "UserError")},
	}
}
