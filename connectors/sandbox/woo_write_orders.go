package sandbox

import (
	"net/http"
	"slices"
)

// Orders are changed by their status and metadata. An update that carries lines
// or addresses has the platform work out the totals anew; here that is only
// counted, as the call "recalculation", and changes nothing but the date.

// recalculating are the parameters that make the platform work out totals anew.
var recalculating = []string{"line_items", "shipping_lines", "fee_lines", "coupon_lines", "billing", "shipping"}

func (c *call) orderRoom() *room {
	s := c.s
	return &room{
		kinds: kinds{"status": "string", "meta_data": "array", "line_items": "array", "customer_note": "string"}, batches: true,
		change: func(id int64, p params) (any, *reply) {
			o := s.order(id)
			if o == nil {
				return nil, invalidID("shop_order", http.StatusBadRequest)
			}
			return o, s.writeStatus(o, p)
		},
		make: func(params) (any, *reply) { return nil, noRoute() },
		remove: func(id int64, force bool) (any, *reply) {
			o := s.order(id)
			switch {
			case o == nil:
				return nil, invalidID("shop_order", http.StatusNotFound)
			case force:
				s.drop(o)
			case o.trashed:
				return nil, failure(http.StatusGone, "woocommerce_rest_already_trashed", "The shop_order has already been deleted.")
			default:
				s.trash(o)
			}
			return o, nil
		},
		write: func(e *encoder, of any) { e.writeOrder(of.(*order), s.opt.Version) },
	}
}

// writeStatus changes what a request names of an order.
func (s *Shop) writeStatus(o *order, p params) *reply {
	if status := p.text("status"); status != "" && status != wooStatus(o) {
		if !slices.Contains(s.orderList().statuses[2:], status) { // neither any nor trash
			return invalid("status", "status is not one of "+statusWords(s.orderList().statuses[2:])+".", "rest_not_in_enum")
		}
		o.trashed, o.binned = false, 0
		s.moveTo(o, stateNamed(status))
	}
	for _, name := range recalculating {
		if p.has(name) {
			s.door.called("recalculation")
			break
		}
	}
	o.meta = s.keepMeta(o.meta, p.objects("meta_data"))
	o.modified = s.now()
	s.happened(OrderEdited, o.id)
	return nil
}

func statusWords(all []string) string {
	out := ""
	for i, w := range all {
		if i > 0 {
			out += ", "
		}
		out += w
	}
	return out
}

func stateNamed(status string) state {
	for st := stateDraft; st <= stateRefunded; st++ {
		if wooState(st) == status {
			return st
		}
	}
	return stateHeld
}

// moveTo sets an order's status with all that the platform does then: stock
// moves, dates are set, and what is left of a refunded order is given back.
func (s *Shop) moveTo(o *order, st state) {
	switch {
	case st == stateCancelled:
		s.cancel(o)
	case st == stateDone:
		s.complete(o)
	case st == stateRefunded && o.left() > 0:
		s.addRefund(o, &refund{reason: byStatus, amount: o.left()})
	case st == stateOpen && o.paid == 0 && o.gateway != payDelivery:
		o.paid = s.now()
		s.enter(o, st, OrderPaid)
	default:
		s.enter(o, st, OrderEdited)
	}
}

// noteRoom keeps what the shop writes down beside an order. A note does not move
// the order's date.
func (c *call) noteRoom(id int64) *room {
	s := c.s
	return &room{
		kinds: kinds{"note": "string", "customer_note": "boolean"}, required: []string{"note"},
		make: func(p params) (any, *reply) {
			o := s.order(id)
			if o == nil {
				return nil, invalidID("shop_order", http.StatusNotFound)
			}
			o.notes = append(o.notes, orderNote{id: 7_000_000 + s.items(1), at: s.now(), text: p.text("note"), customer: p.yes("customer_note")})
			return &o.notes[len(o.notes)-1], nil
		},
		write: func(e *encoder, of any) { e.writeNote(of.(*orderNote), id) },
	}
}

func (e *encoder) writeNote(n *orderNote, order int64) {
	e.start()
	e.int("id", n.id)
	e.str("author", "system")
	e.date("date_created", n.at)
	e.str("note", n.text)
	e.bool("customer_note", n.customer)
	e.links("/orders/"+text(order)+"/notes", n.id, allowDelete, func() { e.href("up", wooRoot+"/orders/"+text(order)) })
	e.close('}')
}

// refundRoom gives money back. Only the gateways of cards and PayPal move it
// themselves.
func (c *call) refundRoom(id int64) *room {
	s := c.s
	return &room{
		kinds: kinds{"amount": "string", "reason": "string", "api_refund": "boolean", "api_restock": "boolean", "line_items": "array", "meta_data": "array"},
		make: func(p params) (any, *reply) {
			o := s.order(id)
			if o == nil {
				return nil, invalidID("shop_order", http.StatusNotFound)
			}
			return s.writeRefund(o, p)
		},
		remove: func(refundID int64, force bool) (any, *reply) {
			r := s.refund(refundID)
			switch {
			case r == nil || r.of.id != id:
				return nil, invalidID("shop_order_refund", http.StatusNotFound)
			case !force:
				return nil, noTrash()
			}
			s.forget(r)
			return r, nil
		},
		write: func(e *encoder, of any) { e.writeRefund(of.(*refund), false) },
	}
}

// cannotRefund is the refusal of a refund: a 500 whose data is a number.
func cannotRefund(message string) *reply {
	var e encoder
	e.open('{')
	e.str("code", "woocommerce_rest_cannot_create_order_refund")
	e.str("message", message)
	e.int("data", http.StatusInternalServerError)
	e.close('}')
	return jsonReply(http.StatusInternalServerError, e.b)
}

func (s *Shop) writeRefund(o *order, p params) (any, *reply) {
	amount, ok := p.cents("amount")
	r := &refund{why: p.text("reason"), amount: amount, byHand: !flagOr(p, "api_refund", true), kept: !flagOr(p, "api_restock", true)}
	r.parts = o.namedParts(p.objects("line_items"))
	if !ok {
		r.amount = r.gross()
	}
	gateway := o.gateway == payStripe || o.gateway == payPayPal
	switch {
	case r.amount < 0:
		return nil, failure(http.StatusBadRequest, "woocommerce_rest_invalid_order_refund", "Refund amount must be greater than zero.")
	case r.amount > o.left() || o.overdrawn(r.parts):
		return nil, cannotRefund("Invalid refund amount.")
	case !r.byHand && !gateway:
		return nil, cannotRefund("The payment gateway for this order does not support automatic refunds.")
	}
	r.meta = s.keepMeta(nil, p.objects("meta_data"))
	return s.addRefund(o, r), nil
}

// flagOr is a parameter that is true or false, or what it is if it is not given.
func flagOr(p params, name string, otherwise bool) bool {
	if !p.has(name) {
		return otherwise
	}
	return p.yes(name)
}

// namedParts reads the lines of a refund. Lines that the order has not are
// ignored, as the platform does.
func (o *order) namedParts(given []params) []part {
	var parts []part
	for _, g := range given {
		p, ok := o.partOf(g.whole("id"))
		if !ok {
			continue
		}
		p.qty = g.whole("quantity")
		p.total, _ = g.cents("refund_total")
		for _, tax := range g.objects("refund_tax") {
			for k := range p.taxes.n {
				if p.taxes.rates[k].id == tax.whole("id") {
					cents, _ := tax.cents("refund_total")
					p.taxes.micro[k] = cents * 10_000
				}
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// partOf is a part without amounts of the line with an id.
func (o *order) partOf(id int64) (part, bool) {
	bare := func(kind partKind, index int, t taxed) (part, bool) {
		t.micro = [2]int64{}
		return part{kind: kind, index: index, taxes: t}, true
	}
	if i := slices.IndexFunc(o.lines, func(l line) bool { return l.id == id }); i >= 0 {
		return bare(goods, i, o.lineTax(&o.lines[i]))
	}
	if i := slices.IndexFunc(o.shipping, func(l shipping) bool { return l.id == id }); i >= 0 {
		return bare(carriage, i, o.shipTax(&o.shipping[i]))
	}
	if i := slices.IndexFunc(o.fees, func(l fee) bool { return l.id == id }); i >= 0 {
		return bare(charge, i, o.feeTax(&o.fees[i]))
	}
	return part{}, false
}

// overdrawn reports whether a refund takes back more units than there are. The
// platform does not look; a shop with more units back than sold helps nobody.
func (o *order) overdrawn(parts []part) bool {
	return slices.ContainsFunc(parts, func(p part) bool {
		done, _, _ := o.refunded(goods, p.index)
		return p.kind == goods && (p.qty < 0 || done+p.qty > o.lines[p.index].qty)
	})
}
