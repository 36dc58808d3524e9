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
	for _, p := range v.parcels {
		for _, c := range p.carries {
			if c.row == l {
				return 0
			}
		}
	}
	return l.current()
}

// shipped reports whether the order's goods have left.
func (o *order) shipped() bool {
	return o.completed > 0 && (o.state == stateDone || o.state == stateRefunded)
}

// fulfillments is one parcel, with all that was not refunded before it left.
func (v *view) fulfillments() []*fulfillment {
	o := v.o
	if !o.shipped() {
		return nil
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
		if left > 0 {
			f.carries = append(f.carries, carried{f, row, left})
		}
	}
	if len(f.carries) == 0 {
		return nil
	}
	return []*fulfillment{f}
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

// transactions are the gift cards used, the payment, and what was paid back.
// One that a person must see to is pending until it is paid.
func (s *Shop) transactions(o *order) []*transaction {
	var all []*transaction
	paid := o.paid
	for i := range o.gifts {
		g := &o.gifts[i]
		all = append(all, &transaction{o: o, id: o.id*10 + 2 + int64(i), at: o.created, kind: "SALE", status: "SUCCESS", gateway: giftGateway, amount: g.amount})
	}
	through := s.gatewayOf(o)
	var sale *transaction
	if due := o.due(); due > 0 {
		if through.byHand() {
			sale = &transaction{o: o, id: o.id * 10, at: o.created, kind: "SALE", status: "PENDING", gateway: through, amount: due}
			all = append(all, sale)
		}
		if paid > 0 {
			sale = &transaction{o: o, id: o.transactionID(), at: paid, kind: "SALE", status: "SUCCESS", gateway: through, amount: due, fee: o.charge(due), parent: sale}
			all = append(all, sale)
		}
	}
	for _, r := range o.refunds {
		all = append(all, &transaction{o: o, id: r.transactionID(), at: r.created, kind: "REFUND", status: "SUCCESS", gateway: through, amount: r.amount, parent: sale, refund: r})
	}
	return all
}
