package sandbox

import "slices"

// How money is given back: refundCreate.

// refundCreate gives money back, takes goods back, or both.
func (x *gqlRun) refundCreate() *payload[*refund] {
	in := input(x.args.object("input"))
	o, ok := x.s.byGid(in.text("orderId")).(*order)
	if !ok {
		return refusal[*refund]("orderId", "", "Order does not exist")
	}
	c := &check{x: x}
	r := &refund{of: o, apart: true, asked: true, why: in.text("note")}
	c.only(in, "", "orderId", "note", "notify", "currency", "discrepancyReason", "refundLineItems", "shipping", "transactions", "refundMethods")
	if len(in.objects("refundMethods")) > 0 {
		c.refuse("refundMethods", "", "The sandbox does not play store credit")
	}
	if code := in.text("currency"); code != "" && code != currencies[eur].code {
		c.refuse("currency", "", "The sandbox refunds in the currency of the shop only")
	}
	c.goodsBack(o, r, in.objects("refundLineItems"))
	c.carriageBack(o, r, in.object("shipping"))
	c.moneyOf(o, r, in.objects("transactions"))
	r.amount = r.moved + r.gifts
	if len(r.parts) == 0 && r.amount == 0 && len(c.errs) == 0 {
		c.refuse("", "", "Refund must have refund line items, shipping or transactions")
	}
	v := x.s.view(o)
	r.full = r.amount > 0 && v.total()-v.takenBack() == r.amount
	return finish(c, func() *refund { return x.s.addRefund(o, r) })
}

// goodsBack reads which goods are taken back.
func (c *check) goodsBack(o *order, r *refund, list []input) {
	v := c.x.s.view(o)
	for i, l := range list {
		at := "refundLineItems." + text(int64(i))
		k := slices.IndexFunc(v.items, func(row *lineItem) bool { return plainGid("LineItem", row.l.id) == l.text("lineItemId") })
		if k < 0 {
			c.refuse(at+".lineItemId", "", "Line item does not exist")
			continue
		}
		row := v.items[k]
		n, _ := wholeNumber(l["quantity"])
		if n < 1 || n > row.current() || slices.ContainsFunc(r.parts, func(p part) bool { return p.index == row.index }) {
			c.refuse(at+".quantity", "", "Quantity cannot refund more items than were purchased")
			continue
		}
		p := o.takeBack(goods, row.index, n)
		if p.restock = l.text("restockType"); p.restock == "" {
			p.restock = "NO_RESTOCK"
		}
		place, located := c.x.s.byGid(l.text("locationId")).(*site)
		unshipped := v.unshipped(row)
		switch {
		case p.restock == "NO_RESTOCK":
		case !located || !place.active:
			c.refuse(at+".locationId", "", "Location can't be blank when restocking")
		case p.restock == "CANCEL" && n > unshipped:
			c.refuse(at+".restockType", "", "Quantity to cancel is more than what is not fulfilled")
		case p.restock == "RETURN" && n > row.current()-unshipped:
			c.refuse(at+".restockType", "", "Quantity to return is more than what is fulfilled")
		default:
			p.to = place
		}
		r.parts = append(r.parts, p)
	}
}

// carriageBack reads how much of the shipping is given back.
func (c *check) carriageBack(o *order, r *refund, in input) {
	if in == nil {
		return
	}
	full, _ := in["fullRefund"].(bool)
	amount, given := centsIn(in["amount"])
	var left int64
	for i := range o.shipping {
		if done, _, _ := o.refunded(carriage, i); done == 0 {
			p := o.takeBack(carriage, i, 1)
			left += p.gross()
			if full || given && amount == p.gross() {
				r.parts = append(r.parts, p)
			}
		}
	}
	switch {
	case given && amount > left, full && left == 0:
		c.refuse("shipping.amount", "", "Shipping refund amount cannot be greater than what is left of it")
	case given && !full && amount > 0 && len(r.partsOf(carriage)) == 0:
		c.refuse("shipping.amount", "", "The sandbox refunds the whole shipping only")
	}
}

// moneyOf reads which payments are given back, and how much of each.
func (c *check) moneyOf(o *order, r *refund, list []input) {
	v := c.x.s.view(o)
	for i, in := range list {
		at := "transactions." + text(int64(i))
		amount, ok := centsIn(in["amount"])
		k := slices.IndexFunc(v.paid, func(t *transaction) bool { return plainGid("OrderTransaction", t.id) == in.text("parentId") })
		switch {
		case in.text("kind") != "REFUND":
			c.refuse(at+".kind", "", "Kind must be refund")
			continue
		case !ok || amount <= 0:
			c.refuse(at+".amount", "", "Amount must be greater than 0")
			continue
		case k < 0 || v.paid[k].status != "SUCCESS" || v.paid[k].kind != "SALE" && v.paid[k].kind != "CAPTURE":
			c.refuse(at+".parentId", "", "Parent transaction is invalid")
			continue
		}
		paid := v.paid[k]
		card := paid.gateway.code != giftGateway.code
		if amount > v.refundable(paid)-r.moved*of(card)-r.gifts*of(!card) {
			c.refuse(at+".amount", "", "Refund amount cannot be greater than the amount that is left of the payment")
			continue
		}
		if card {
			r.moved += amount
		} else {
			r.gifts += amount
		}
	}
}

// of is 1 where something holds.
func of(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// refundable is what is left of the payments through a payment's gateway.
func (v *view) refundable(paid *transaction) int64 {
	var left int64
	for _, t := range v.paid {
		switch {
		case t.gateway.code != paid.gateway.code || t.status == "FAILURE":
		case t.kind == "REFUND":
			left -= t.amount
		case t.status == "SUCCESS" && (t.kind == "SALE" || t.kind == "CAPTURE"):
			left += t.amount
		}
	}
	return left
}

func repayTypes() []gqlType {
	return []gqlType{
		{name: "Mutation", fields: gqlFields{"refundCreate": onceOnly("RefundCreatePayload", (*gqlRun).refundCreate)}},
		{name: "RefundCreatePayload", fields: payloadFields[*refund]("refund", "Refund", "UserError")},
		{name: "RefundCreatePayload", fields: gqlFields{
			"order": gqlObject("Order", func(_ *gqlRun, p *payload[*refund]) *order {
				if p.made == nil {
					return nil
				}
				return p.made.of
			}),
		}},
	}
}
