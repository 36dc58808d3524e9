package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

// How orders are shipped: the errands that Shopify calls fulfillment orders,
// one for each location, and the parcels that come of them.

// firstErrand keeps the numbers of errands apart from others.
const firstErrand = 6_000_000_000

// errandsOfOrder is how many errands can be told apart by their numbers.
const errandsOfOrder = 10

// errand is what is to leave from one location for an order.
type errand struct {
	o    *order
	n    int64
	from *site
	rows []*lineItem
}

// errandRow is a line of an errand.
type errandRow struct {
	of  *errand
	row *lineItem
}

func (e *errand) id() int64 { return firstErrand + e.o.id*errandsOfOrder + e.n }

func (r errandRow) id() int64 { return r.of.id()*1000 + int64(r.row.index) }

// errands are those of an order.
func (s *Shop) errands(o *order) []*errand {
	all := []*errand{{o: o, from: &locations[atelier]}}
	if o.second > 0 {
		all = append(all, &errand{o: o, n: 1, from: &locations[reserve]})
	}
	for _, row := range s.view(o).items {
		if row.l.of.tip {
			continue
		}
		e := all[0]
		if o.second > 0 && row.index >= o.second {
			e = all[1]
		}
		e.rows = append(e.rows, row)
	}
	return slices.DeleteFunc(all, func(e *errand) bool { return len(e.rows) == 0 })
}

// errand finds one by its number; nil where there is none.
func (s *Shop) errand(id int64) any {
	o := s.order((id - firstErrand) / errandsOfOrder)
	if o == nil || !s.sees(o) {
		return nil
	}
	for _, e := range s.errands(o) {
		if e.id() == id {
			return e
		}
	}
	return nil
}

// left is how much is still to leave.
func (e *errand) left(s *Shop) int64 {
	var n int64
	for _, row := range e.rows {
		n += s.view(e.o).unshipped(row)
	}
	return n
}

func (e *errand) status(s *Shop) string {
	switch {
	case e.o.state == stateCancelled:
		return "CANCELLED"
	case e.left(s) == 0:
		return "CLOSED"
	case e.o.state == statePickup:
		return "ON_HOLD"
	}
	if slices.ContainsFunc(e.rows, func(row *lineItem) bool { return e.o.sent(row.index) > 0 }) {
		return "IN_PROGRESS"
	}
	return "OPEN"
}

// fulfillmentCreate sends a parcel. Nothing tells one call from another: who
// asks twice sends two, as far as there is anything left.
func (x *gqlRun) fulfillmentCreate() *payload[*fulfillment] {
	in := input(x.args.object("fulfillment"))
	c := &check{x: x}
	c.only(in, "fulfillment.", "lineItemsByFulfillmentOrder", "trackingInfo", "notifyCustomer")
	asked := in.objects("lineItemsByFulfillmentOrder")
	if len(asked) == 0 {
		c.refuse("fulfillment.lineItemsByFulfillmentOrder", "", "Fulfillment orders can't be blank")
	}
	p := parcel{told: true, tracking: c.trackingIn(in.object("trackingInfo"), "fulfillment.trackingInfo")}
	var o *order
	for _, by := range asked {
		e, ok := x.s.byGid(by.text("fulfillmentOrderId")).(*errand)
		switch {
		case !ok:
			c.refuse("fulfillment", "", "Fulfillment order does not exist.")
			continue
		case o != nil && (o != e.o || p.from != e.from):
			c.refuse("fulfillment", "", "All fulfillment orders must have the same order and the same assigned location.")
			continue
		}
		if status := e.status(x.s); status != "OPEN" && status != "IN_PROGRESS" {
			c.refuse("fulfillment", "", "Fulfillment order "+text(e.id())+" has an unfulfillable status= "+strings.ToLower(status)+".")
			continue
		}
		o, p.from = e.o, e.from
		p.holds = append(p.holds, c.packed(e, by)...)
	}
	if len(p.holds) == 0 && len(c.errs) == 0 {
		c.refuse("fulfillment", "", "There is nothing to fulfill.")
	}
	return finish(c, func() *fulfillment {
		p.at = x.s.now()
		x.s.send(o, p)
		x.s.changed()
		id := o.parcels[len(o.parcels)-1].id
		if x.s.nothingLeft(o) {
			x.s.complete(o)
		} else {
			x.s.enter(o, o.state, OrderParted)
		}
		f, _ := x.s.parcel(id).(*fulfillment)
		return f
	})
}

// nothingLeft reports whether all of an order has left.
func (s *Shop) nothingLeft(o *order) bool {
	for _, e := range s.errands(o) {
		if e.left(s) > 0 {
			return false
		}
	}
	return true
}

// packed reads what of an errand is to be sent: all that is left of it where no
// lines are named.
func (c *check) packed(e *errand, by input) []sent {
	v := c.x.s.view(e.o)
	var holds []sent
	if !by.has("fulfillmentOrderLineItems") || by["fulfillmentOrderLineItems"] == nil {
		for _, row := range e.rows {
			if n := v.unshipped(row); n > 0 {
				holds = append(holds, sent{row.index, n})
			}
		}
		return holds
	}
	for _, l := range by.objects("fulfillmentOrderLineItems") {
		k := slices.IndexFunc(e.rows, func(row *lineItem) bool {
			return plainGid("FulfillmentOrderLineItem", errandRow{e, row}.id()) == l.text("id")
		})
		if k < 0 {
			c.refuse("fulfillment", "", "Fulfillment order line item does not exist.")
			continue
		}
		row := e.rows[k]
		n, _ := wholeNumber(l["quantity"])
		if n < 1 || n > v.unshipped(row) || slices.ContainsFunc(holds, func(h sent) bool { return h.line == row.index }) {
			c.refuse("fulfillment", "", "Invalid fulfillment order line item quantity requested.")
			continue
		}
		holds = append(holds, sent{row.index, n})
	}
	return holds
}

// trackingIn reads how a parcel can be followed.
func (c *check) trackingIn(in input, at string) []tracking {
	numbers, urls := in.texts("numbers"), in.texts("urls")
	for _, one := range []struct {
		name string
		many *[]string
	}{{"number", &numbers}, {"url", &urls}} {
		if in.text(one.name) == "" {
			continue
		}
		if len(*one.many) > 0 {
			c.refuse(at+"."+one.name, "", "Only one of "+one.name+" and "+one.name+"s can be given")
		}
		*one.many = []string{in.text(one.name)}
	}
	var all []tracking
	for i := range max(len(numbers), len(urls)) {
		t := tracking{company: in.text("company")}
		if i < len(numbers) {
			t.number = numbers[i]
		}
		if i < len(urls) {
			t.url = urls[i]
		}
		all = append(all, t)
	}
	if len(all) == 0 && in.text("company") != "" {
		all = []tracking{{company: in.text("company")}}
	}
	return all
}

// own is the parcel of a fulfillment, which one that holds the whole order
// becomes.
func (f *fulfillment) own() *parcel {
	if f.p != nil {
		return f.p
	}
	p := parcel{id: f.id, at: f.at, from: f.from}
	for _, c := range f.carries {
		p.holds = append(p.holds, sent{c.row.index, c.qty})
	}
	f.o.parcels = append(f.o.parcels, p)
	return &f.o.parcels[len(f.o.parcels)-1]
}

func (x *gqlRun) trackingUpdate() *payload[*fulfillment] {
	f, ok := x.s.byGid(x.args.text("fulfillmentId")).(*fulfillment)
	if !ok {
		return refusal[*fulfillment]("fulfillmentId", "", "Fulfillment does not exist.")
	}
	c := &check{x: x}
	if f.p != nil && f.p.cancelled > 0 {
		c.refuse("fulfillmentId", "", "Fulfillment is cancelled.")
	}
	all := c.trackingIn(x.args.object("trackingInfoInput"), "trackingInfoInput")
	return finish(c, func() *fulfillment {
		p := f.own()
		p.told, p.tracking, p.changed = true, all, x.s.now()
		x.s.enter(f.o, f.o.state, OrderEdited)
		return x.s.again(f)
	})
}

func (x *gqlRun) fulfillmentCancel() *payload[*fulfillment] {
	f, ok := x.s.byGid(x.args.text("id")).(*fulfillment)
	if !ok {
		return refusal[*fulfillment]("id", "", "Fulfillment not found.")
	}
	c := &check{x: x}
	if f.p != nil && f.p.cancelled > 0 {
		c.refuse("id", "", "Fulfillment has already been cancelled.")
	}
	if o := f.o; o.state == stateCancelled || o.state == stateRefunded {
		c.refuse("id", "", "Fulfillment cannot be cancelled: the order is closed.")
	}
	return finish(c, func() *fulfillment {
		f.own().cancelled = x.s.now()
		next := f.o.state
		if next == stateDone {
			next, f.o.completed = stateOpen, 0
		}
		x.s.recommit(f.o)
		x.s.enter(f.o, next, OrderEdited)
		return x.s.again(f)
	})
}

// again is a fulfillment as it is after a change.
func (s *Shop) again(f *fulfillment) *fulfillment {
	s.changed()
	now, _ := s.parcel(f.id).(*fulfillment)
	return cmp.Or(now, f)
}

func errandTypes() []gqlType {
	payloads := payloadFields[*fulfillment]("fulfillment", "Fulfillment", "UserError")
	return []gqlType{
		{name: "Mutation", fields: gqlFields{
			"fulfillmentCreate":             mutation("FulfillmentCreatePayload", (*gqlRun).fulfillmentCreate),
			"fulfillmentTrackingInfoUpdate": mutation("FulfillmentTrackingInfoUpdatePayload", (*gqlRun).trackingUpdate),
			"fulfillmentCancel":             mutation("FulfillmentCancelPayload", (*gqlRun).fulfillmentCancel),
		}},
		{name: "FulfillmentCreatePayload", fields: payloads},
		{name: "FulfillmentTrackingInfoUpdatePayload", fields: payloads},
		{name: "FulfillmentCancelPayload", fields: payloads},
		{name: "QueryRoot", fields: gqlFields{"fulfillmentOrder": one[*errand]("FulfillmentOrder")}},
		{name: "Order", fields: gqlFields{
			"fulfillmentOrders": gqlConnection("FulfillmentOrder", func(x *gqlRun, o *order) gqlRows[*errand] {
				return gqlRows[*errand]{all: x.s.errands(o)}
			}),
		}},
		{name: "FulfillmentOrder", is: []string{"Node"}, fields: gqlFields{
			"id":               gqlID("FulfillmentOrder", func(_ *gqlRun, e *errand) int64 { return e.id() }),
			"status":           gqlText(func(x *gqlRun, e *errand) string { return e.status(x.s) }),
			"requestStatus":    gqlText(func(*gqlRun, *errand) string { return "UNSUBMITTED" }),
			"createdAt":        gqlTime(func(_ *gqlRun, e *errand) int64 { return e.o.created }),
			"updatedAt":        gqlTime(func(_ *gqlRun, e *errand) int64 { return e.o.modified }),
			"order":            gqlObject("Order", func(_ *gqlRun, e *errand) *order { return e.o }),
			"orderId":          gqlID("Order", func(_ *gqlRun, e *errand) int64 { return e.o.id }),
			"orderName":        gqlText(func(_ *gqlRun, e *errand) string { return "#" + e.o.label() }),
			"assignedLocation": gqlSame("FulfillmentOrderAssignedLocation"),
			"lineItems": gqlConnection("FulfillmentOrderLineItem", func(_ *gqlRun, e *errand) gqlRows[errandRow] {
				all := make([]errandRow, len(e.rows))
				for i, row := range e.rows {
					all[i] = errandRow{e, row}
				}
				return gqlRows[errandRow]{all: all}
			}),
		}},
		{name: "FulfillmentOrderAssignedLocation", fields: gqlFields{
			"name":        gqlText(func(_ *gqlRun, e *errand) string { return e.from.name }),
			"countryCode": gqlText(func(_ *gqlRun, e *errand) string { return places[e.from.place].country }),
			"location":    gqlObject("Location", func(_ *gqlRun, e *errand) *site { return e.from }),
		}},
		{name: "FulfillmentOrderLineItem", is: []string{"Node"}, fields: gqlFields{
			"id":                gqlID("FulfillmentOrderLineItem", func(_ *gqlRun, r errandRow) int64 { return r.id() }),
			"lineItem":          gqlObject("LineItem", func(_ *gqlRun, r errandRow) *lineItem { return r.row }),
			"sku":               gqlTextOrNull(func(_ *gqlRun, r errandRow) string { return r.row.l.of.soldSKU() }),
			"variant":           gqlObject("ProductVariant", func(_ *gqlRun, r errandRow) *variant { return r.row.l.of.still() }),
			"requiresShipping":  gqlBool(func(_ *gqlRun, r errandRow) bool { return !r.row.l.of.virtual }),
			"totalQuantity":     gqlNumber(func(_ *gqlRun, r errandRow) int64 { return r.row.current() }),
			"remainingQuantity": gqlNumber(func(x *gqlRun, r errandRow) int64 { return x.s.view(r.of.o).unshipped(r.row) }),
			"inventoryItemId": gqlRaw(func(x *gqlRun, r errandRow) {
				if v := r.row.l.of.still(); v != nil {
					x.gid("InventoryItem", v.itemID())
				} else {
					x.null()
				}
			}),
		}},
	}
}
