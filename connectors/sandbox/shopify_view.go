package sandbox

// view is what Shopify states of an order, worked out once for all its fields.
type view struct {
	o       *order
	changes uint64
	totals  totals
	items   []*lineItem
	ships   []*shippingLine
	fees    []*additionalFee
	paid    []*transaction
	parcels []*fulfillment
}

// lineItem is a line of goods, with all that was ever added to it.
type lineItem struct {
	o *order
	l *line
	entry
	refunded int64
}

// shippingLine is a way of shipping that was paid for.
type shippingLine struct {
	o  *order
	sh *shipping
	entry
}

// additionalFee is a charge beside goods and shipping.
type additionalFee struct {
	o *order
	f *fee
	entry
}

// transaction is money that moved, or is to move.
type transaction struct {
	o            *order
	id, at       int64
	kind, status string
	gateway      gateway
	amount, fee  int64
	rounded      int64 // beside amount, where cash has no coins for it
	parent       *transaction
	refund       *refund
}

// parcelsOfOrder is how many parcels can be told apart by their numbers.
const parcelsOfOrder = 100

// fulfillment is a parcel.
type fulfillment struct {
	o       *order
	id, at  int64
	from    *site
	carries []carried
	p       *parcel // nil: all that the order holds
}

// carried is what a parcel holds of a line.
type carried struct {
	of  *fulfillment
	row *lineItem
	qty int64
}

// view looks at an order as Shopify states it. The last one is kept: an
// answer asks for one order after the other.
func (s *Shop) view(o *order) *view {
	if v := s.viewed; v != nil && v.o == o && v.changes == s.changes {
		return v
	}
	v := &view{o: o, changes: s.changes, totals: o.totals()}
	for _, e := range o.ordered() {
		switch e.kind {
		case goods:
			done, _, _ := o.refunded(goods, e.index)
			v.items = append(v.items, &lineItem{o: o, l: &o.lines[e.index], entry: e, refunded: done})
		case carriage:
			v.ships = append(v.ships, &shippingLine{o: o, sh: &o.shipping[e.index], entry: e})
		case charge:
			v.fees = append(v.fees, &additionalFee{o: o, f: &o.fees[e.index], entry: e})
		}
	}
	v.parcels = v.fulfillments()
	v.paid = s.transactions(o)
	s.viewed = v
	return v
}

// current is how many units of the line are still wanted.
func (l *lineItem) current() int64 { return l.l.qty - l.refunded }

// unshipped is how many of them have not left yet.
func (v *view) unshipped(l *lineItem) int64 {
	if l.l.of.tip || v.o.shipped() {
		return 0
	}
	return max(0, l.current()-v.o.sent(l.index))
}

// shipped reports whether all of the order's goods have left.
func (o *order) shipped() bool {
	return o.completed > 0 && (o.state == stateDone || o.state == stateRefunded)
}

// fulfillments are the parcels of an order. One that was shipped as a whole
// has one, with all that was not refunded before it left.
func (v *view) fulfillments() []*fulfillment {
	o := v.o
	var all []*fulfillment
	for i := range o.parcels {
		p := &o.parcels[i]
		f := &fulfillment{o: o, id: p.id, at: p.at, from: p.from, p: p}
		for _, row := range v.items {
			for _, h := range p.holds {
				if h.line == row.index {
					f.carries = append(f.carries, carried{f, row, h.qty})
				}
			}
		}
		all = append(all, f)
	}
	if len(all) > 0 || !o.shipped() {
		return all
	}
	f := &fulfillment{o: o, id: o.id * parcelsOfOrder, at: o.completed, from: &locations[atelier]}
	for _, row := range v.items {
		left := row.l.qty
		for _, r := range o.refunds {
			for i := range r.parts {
				if p := &r.parts[i]; r.created < o.completed && p.kind == goods && p.index == row.index {
					left -= p.qty
				}
			}
		}
		if left > 0 && !row.l.of.tip {
			f.carries = append(f.carries, carried{f, row, left})
		}
	}
	if len(f.carries) > 0 {
		all = append(all, f)
	}
	return all
}

// giftGateway is the gateway of what gift cards pay.
var giftGateway = gateway{code: "gift_card", title: "Carte cadeau", method: "Gift card"}

// cardGateway is the platform's own card payment, in place of the other's.
var cardGateway = gateway{code: "shopify_payments", title: "Carte bancaire (Shopify Payments)", method: "Shopify Payments"}

// gatewayOf is the gateway that the shop states for an order.
func (s *Shop) gatewayOf(o *order) gateway {
	if o.gateway == payStripe && s.settles() {
		return cardGateway
	}
	return gateways[o.gateway]
}

// byHand reports whether a person must see that the money came.
func (g *gateway) byHand() bool {
	return g.code == "bacs" || g.code == "cheque" || g.code == "cod"
}

// transactions are the gift cards used, the payments, and what was paid back.
// A payment that a person must see to is pending until it is made, and one by
// card may be authorised long before.
func (s *Shop) transactions(o *order) []*transaction {
	var all []*transaction
	add := func(t transaction) *transaction {
		t.o = o
		all = append(all, &t)
		return &t
	}
	for i := range o.gifts {
		add(transaction{id: o.id*10 + 2 + int64(i), at: o.created, kind: "SALE", status: "SUCCESS", gateway: giftGateway, amount: o.gifts[i].amount})
	}
	through := s.gatewayOf(o)
	due := o.due()
	if o.charged > 0 {
		due = o.charged
	}
	var paid *transaction
	if due > 0 {
		paid = s.payment(o, through, due, add)
	}
	for _, p := range o.more {
		add(transaction{id: p.id, at: p.at, kind: "SALE", status: "SUCCESS", gateway: through, amount: p.amount, fee: o.charge(p.amount)})
	}
	for _, r := range o.refunds {
		if back := s.moneyBack(r); back > 0 {
			t := transaction{id: r.transactionID(), at: r.created, kind: "REFUND", status: "SUCCESS", gateway: through, amount: back, parent: paid, refund: r}
			if r.coming {
				t.status = "PENDING"
			}
			add(t)
		}
		if r.gifts > 0 {
			add(transaction{id: r.transactionID() + 1, at: r.created, kind: "REFUND", status: "SUCCESS", gateway: giftGateway, amount: r.gifts, refund: r})
		}
	}
	return all
}

// payment adds the first payment of an order as it stands, and returns it.
func (s *Shop) payment(o *order, through gateway, due int64, add func(transaction) *transaction) *transaction {
	var before *transaction
	kind := "SALE"
	switch {
	case through.byHand():
		before = add(transaction{id: o.id * 10, at: o.created, kind: "SALE", status: "PENDING", gateway: through, amount: due})
	case o.authorised && o.taken:
		before = add(transaction{id: o.id * 10, at: o.created, kind: "AUTHORIZATION", status: "SUCCESS", gateway: through, amount: due})
		kind = "CAPTURE"
		if o.paid == 0 && o.state == stateCancelled {
			return add(transaction{id: o.transactionID(), at: o.cancelled, kind: "VOID", status: "SUCCESS", gateway: through, amount: due, parent: before})
		}
	}
	if o.paid == 0 {
		return before
	}
	return add(transaction{id: o.transactionID(), at: o.paid, kind: kind, status: "SUCCESS", gateway: through, amount: due, fee: o.charge(due),
		rounded: o.rounded, parent: before})
}

// moneyBack is the money that a refund gives back.
func (s *Shop) moneyBack(r *refund) int64 {
	if r.apart {
		return r.moved
	}
	return r.amount
}
