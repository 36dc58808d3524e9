package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// wooStatus is the status that the shop states for an order.
func wooStatus(o *order) string {
	if o.trashed {
		return "trash"
	}
	return wooState(o.state)
}

func wooState(st state) string {
	switch st {
	case stateDraft:
		return "checkout-draft"
	case statePending:
		return "pending"
	case stateHeld:
		return "on-hold"
	case stateOpen:
		return "processing"
	case statePickup:
		return "awaiting-pickup"
	case stateDone:
		return "completed"
	case stateCancelled:
		return "cancelled"
	case stateFailed:
		return "failed"
	default:
		return "refunded"
	}
}

// OrderIDs returns the ids of the orders with a WooCommerce status, sorted as
// numbers.
func (s *Shop) OrderIDs(status string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, o := range s.orders {
		if wooStatus(o) == status {
			ids = append(ids, text(o.id))
		}
	}
	return ids
}

// writeOrder writes an order with its keys in the order of the recorded
// answers.
func (e *encoder) writeOrder(o *order, version string) {
	t := o.totals()
	status := wooStatus(o)
	total := o.due()
	d := dice(o.secret)
	orderKey := "wc_order_" + d.of("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", 13)

	e.start()
	e.int("id", o.id)
	e.int("parent_id", 0)
	e.str("status", status)
	e.str("currency", currencies[o.currency].code)
	e.str("version", version)
	e.bool("prices_include_tax", false)
	e.local("date_created", o.created)
	e.local("date_modified", o.modified)
	e.cents("discount_total", t.discount)
	e.cents("discount_tax", t.discountTax)
	e.cents("shipping_total", t.shipping)
	e.cents("shipping_tax", t.shippingTax)
	e.cents("cart_tax", t.cartTax)
	e.cents("total", total)
	e.cents("total_tax", t.cartTax+t.shippingTax)
	e.int("customer_id", o.customer)
	e.str("order_key", orderKey)
	e.object("billing", func() { e.writeAddress(o.who, billingOfOrder) })
	e.object("shipping", func() { e.writeAddress(o.who, shippingOfOrder) })
	e.str("payment_method", gateways[o.gateway].code)
	e.str("payment_method_title", gateways[o.gateway].title)
	e.str("transaction_id", o.transaction())
	e.str("customer_ip_address", "")
	e.str("customer_user_agent", "")
	e.str("created_via", o.via)
	e.str("customer_note", notes[o.note])
	e.local("date_completed", o.completed)
	e.local("date_paid", o.paid)
	e.str("cart_hash", "")
	if o.number != "" {
		e.str("number", o.number)
	} else {
		e.str("number", text(o.id))
	}
	e.array("meta_data", func() { e.writeOrderMeta(o, total) })
	e.array("line_items", func() {
		for i := range o.lines {
			e.writeLine(o, &o.lines[i], i == 0 && o.odd == notANumber)
		}
	})
	e.array("tax_lines", func() { e.writeTaxLines(&t.rates, o.taxIDs, 1) })
	e.array("shipping_lines", func() {
		for i := range o.shipping {
			sh := &o.shipping[i]
			e.writeShipping(sh.id, sh.method, sh.total, o.shipTax(sh), 0)
		}
	})
	e.array("fee_lines", func() {
		for i := range o.fees {
			f := &o.fees[i]
			e.writeFee(f.id, f, f.total, o.feeTax(f), 0)
		}
	})
	e.array("coupon_lines", func() {
		for i := range o.coupons {
			e.writeCouponUse(&o.coupons[i])
		}
	})
	e.array("refunds", func() {
		for i := len(o.refunds) - 1; i >= 0; i-- {
			e.writeRefundBrief(o.refunds[i])
		}
	})
	e.address("payment_url", "/checkout/order-pay/"+text(o.id)+"/?pay_for_order=true&key="+orderKey)
	e.bool("is_editable", status == "pending" || status == "on-hold")
	e.bool("needs_payment", total > 0 && (status == "pending" || status == "failed"))
	e.bool("needs_processing", !o.nothingToShip())
	e.utc("date_created_gmt", o.created)
	e.utc("date_modified_gmt", o.modified)
	e.utc("date_completed_gmt", o.completed)
	e.utc("date_paid_gmt", o.paid)
	if len(o.gifts) > 0 {
		e.array("gift_cards", func() {
			for i := range o.gifts {
				e.open('{')
				e.int("id", o.gifts[i].id)
				e.str("code", strings.ToUpper(d.of("ABCDEFGHJKLMNPQRSTUVWXYZ", 4)+"-"+d.of("ABCDEFGHJKLMNPQRSTUVWXYZ", 4)))
				e.cents("amount", o.gifts[i].amount)
				e.close('}')
			}
		})
	}
	e.str("currency_symbol", currencies[o.currency].symbol)
	e.links("/orders", o.id, allowAll, func() {
		e.array("email_templates", func() {
			e.open('{')
			e.bool("embeddable", true)
			e.address("href", wooRoot+"/orders/"+text(o.id)+"/actions/email_templates")
			e.close('}')
		})
		if o.customer != 0 {
			e.href("customer", wooRoot+"/customers/"+text(o.customer))
		}
	})
	e.close('}')
}

type addressKind uint8

const (
	billingOfOrder addressKind = iota
	shippingOfOrder
	billingOfCustomer
	shippingOfCustomer
)

// writeAddress writes the members of an address. Orders and customers name
// them in another order; shipping has no e-mail address.
func (e *encoder) writeAddress(p person, kind addressKind) {
	at := &places[p.place]
	e.str("first_name", firstNames[p.first])
	e.str("last_name", lastNames[p.last])
	e.str("company", companies[p.company])
	e.str("address_1", strconv.Itoa(int(p.house))+" "+at.street)
	e.str("address_2", "")
	e.str("city", at.city)
	if kind == billingOfOrder || kind == shippingOfOrder {
		e.str("state", at.region)
		e.str("postcode", at.postcode)
		e.str("country", at.country)
	} else {
		e.str("postcode", at.postcode)
		e.str("country", at.country)
		e.str("state", at.region)
	}
	if kind == billingOfOrder || kind == billingOfCustomer {
		e.str("email", p.email())
		e.str("phone", p.phone())
		return
	}
	e.str("phone", "")
}

func (p person) email() string {
	kind := "client"
	if p.no >= 1_000_000 {
		kind = "invite"
	}
	return kind + strconv.Itoa(int(p.no)) + "@example.test"
}

// phone uses the numbers that the French regulator keeps for fiction.
func (p person) phone() string {
	return fmt.Sprintf("+33 1 99 00 %02d %02d", p.no/100%100, p.no%100)
}

// vatNumber is one whose check digits cannot be right.
func (p person) vatNumber() string { return fmt.Sprintf("FR00%09d", p.no%1_000_000_000) }

// transaction is the gateway's reference.
func (o *order) transaction() string {
	d := dice(o.secret + 1)
	switch {
	case o.paid == 0:
		return ""
	case o.gateway == payStripe:
		return "ch_3" + d.of("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", 23)
	case o.gateway == payPayPal:
		return d.of("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 17)
	}
	return ""
}

// charge is what the gateway keeps of a payment, in cents.
func (o *order) charge(total int64) int64 {
	switch o.gateway {
	case payStripe:
		return perMillion(total, 15_000) + o.in(25)
	case payPayPal:
		return perMillion(total, 29_000) + o.in(35)
	}
	return 0
}

func (e *encoder) writeOrderMeta(o *order, total int64) {
	id := o.id * 10
	if o.who.company != 0 {
		e.meta(id, "_vat_number", o.who.vatNumber())
	}
	if o.paid != 0 && total > 0 {
		kept := o.charge(total)
		switch o.gateway {
		case payStripe:
			e.meta(id+1, "_stripe_fee", price(kept))
			e.meta(id+2, "_stripe_net", price(total-kept))
			e.meta(id+3, "_stripe_currency", currencies[o.currency].code)
		case payPayPal:
			e.meta(id+1, "PayPal Transaction Fee", price(kept))
		}
	}
	if o.secret%25 == 0 {
		e.metaRaw(id+4, "_delivery_slot", `{"day":"samedi","hours":[9,12]}`)
	}
	if o.trashed {
		e.meta(id+5, "_wp_trash_meta_status", "wc-"+wooState(o.state))
		e.meta(id+6, "_wp_trash_meta_time", text(o.binned))
	}
	e.writeMeta(o.meta)
}

// writeTaxes writes the taxes of a line by rate. Lines of goods repeat the tax
// before discounts; others leave it empty.
func (e *encoder) writeTaxes(t taxed, before *taxed, sign int64) {
	e.array("taxes", func() {
		for i := range t.n {
			e.open('{')
			e.int("id", t.rates[i].id)
			e.micro("total", sign*t.micro[i])
			if before != nil {
				e.micro("subtotal", sign*before.micro[i])
			} else {
				e.str("subtotal", "")
			}
			e.close('}')
		}
	})
}

func (e *encoder) writeLine(o *order, l *line, notANumber bool) {
	now := o.lineTax(l)
	before := tax(o.place(), l.class, l.sub, false)
	e.open('{')
	e.int("id", l.id)
	e.str("name", l.title)
	e.writeGoods(l, l.qty)
	e.cents("subtotal", l.sub)
	e.cents("subtotal_tax", before.cents())
	if notANumber {
		e.str("total", "nan")
	} else {
		e.cents("total", l.total)
	}
	e.cents("total_tax", now.cents())
	e.writeTaxes(now, &before, 1)
	e.array("meta_data", func() { e.writeLineMeta(o, l) })
	e.writeGoodsNow(l)
	e.close('}')
}

// writeGoods writes which product a line sells; zero for one that is deleted.
func (e *encoder) writeGoods(l *line, qty int64) {
	productID, variationID := int64(0), int64(0)
	if v := l.of; !v.gone {
		productID = v.of.own.id
		if v != v.of.own {
			variationID = v.id
		}
	}
	e.int("product_id", productID)
	e.int("variation_id", variationID)
	e.int("quantity", qty)
	e.str("tax_class", wooClass(l.class))
}

// writeGoodsNow writes what the shop looks up of the product at this moment:
// null where it is deleted.
func (e *encoder) writeGoodsNow(l *line) {
	v := l.of
	if v.gone {
		e.null("sku")
		e.null("global_unique_id")
	} else {
		e.str("sku", v.shownSKU())
		e.str("global_unique_id", "")
	}
	e.float("price", float64(l.total)/100/float64(l.qty))
	switch { // the platform is not consistent about what "no image" is
	case v.gone || v != v.of.own:
		e.raw("image", `{"id":0,"src":""}`)
	default:
		e.raw("image", `{"id":"","src":""}`)
	}
	if v.gone || v == v.of.own {
		e.null("parent_name")
	} else {
		e.str("parent_name", v.of.title)
	}
}

func (e *encoder) writeLineMeta(o *order, l *line) {
	id := l.id * 10
	for i, option := range l.of.options {
		a := &l.of.of.axes[i]
		value := option
		if a.attribute != 0 {
			value = slug(option)
		}
		e.itemMeta(id+int64(i), a.slug, value, a.name, option)
	}
	if l.of.gift {
		amount := price(l.sub)
		e.itemMeta(id+2, "wc_gc_giftcard_amount", amount, "wc_gc_giftcard_amount", amount)
	}
	if held := l.qty - l.back; o.holding && held > 0 && l.of.holder().tracked && !l.of.gone {
		e.itemMeta(id+3, "_reduced_stock", text(held), "_reduced_stock", text(held))
	}
}

func (e *encoder) writeTaxLines(r *rateSums, firstID, sign int64) {
	for i := range r.n {
		sum := &r.sums[i]
		rate := sum.rate
		code := rate.country
		if rate.region != "" {
			code += "-" + rate.region
		}
		e.open('{')
		e.int("id", firstID+int64(i))
		e.str("rate_code", code+"-"+strings.ToUpper(rate.name)+"-"+strconv.Itoa(rate.priority))
		e.int("rate_id", rate.id)
		e.str("label", rate.name)
		e.bool("compound", rate.compound)
		e.cents("tax_total", sign*sum.cart)
		e.cents("shipping_tax_total", sign*sum.ship)
		e.float("rate_percent", float64(rate.ppm)/10_000)
		e.raw("meta_data", "[]")
		e.close('}')
	}
}

func (e *encoder) writeShipping(id int64, method uint8, total int64, t taxed, refunded int64) {
	m := &shippingMethods[method]
	sign := int64(1)
	if refunded != 0 {
		sign = -1
	}
	e.open('{')
	e.int("id", id)
	e.str("method_title", m.title)
	e.str("method_id", m.code)
	e.str("instance_id", strconv.Itoa(m.instance))
	e.cents("total", sign*total)
	e.cents("total_tax", sign*t.cents())
	e.writeTaxes(t, nil, sign)
	e.str("tax_status", "taxable")
	e.writeRefunded(id, refunded)
	e.close('}')
}

func (e *encoder) writeFee(id int64, f *fee, total int64, t taxed, refunded int64) {
	sign, status := int64(1), "taxable"
	if refunded != 0 {
		sign = -1
	}
	if f.class == untaxed {
		status = "none"
	}
	e.open('{')
	e.int("id", id)
	e.str("name", f.title)
	e.str("tax_class", wooClass(f.class))
	e.str("tax_status", status)
	e.str("amount", "")
	e.cents("total", sign*total)
	e.cents("total_tax", sign*t.cents())
	e.writeTaxes(t, nil, sign)
	e.writeRefunded(id, refunded)
	e.close('}')
}

// writeRefunded names the line that a line of a refund takes back.
func (e *encoder) writeRefunded(id, line int64) {
	e.array("meta_data", func() {
		if line != 0 {
			e.itemMeta(id*10, "_refunded_item_id", text(line), "_refunded_item_id", text(line))
		}
	})
}

func (e *encoder) writeCouponUse(c *couponUse) {
	info := fmt.Sprintf("[%d,%s,\"%s\",%s]", c.of.id, asciiJSON(c.of.code), c.of.kind, short(c.amount))
	e.open('{')
	e.int("id", c.id)
	e.str("code", c.of.code)
	e.str("discount", short(c.discount))
	e.str("discount_tax", short(c.tax))
	e.array("meta_data", func() { e.itemMeta(c.id*10, "coupon_info", info, "coupon_info", info) })
	e.str("discount_type", c.of.kind)
	e.float("nominal_amount", float64(c.amount)/100)
	e.bool("free_shipping", c.of.free)
	e.close('}')
}

func asciiJSON(s string) string {
	var e encoder
	e.quote(s)
	return string(e.b)
}

func (r *refund) tax() int64 {
	var sum int64
	for i := range r.parts {
		sum += r.parts[i].taxes.cents()
	}
	return sum
}

func (e *encoder) writeRefundBrief(r *refund) {
	e.open('{')
	e.int("id", r.id)
	e.str("reason", r.because())
	e.cents("total", -r.amount)
	e.cents("total_tax", -r.tax())
	e.close('}')
}

// writeRefund writes a refund in full; the list of all refunds names the order
// too.
func (e *encoder) writeRefund(r *refund, parent bool) {
	o := r.of
	kind := "partial"
	if r.full {
		kind = "full"
	}
	e.start()
	e.int("id", r.id)
	if parent {
		e.int("parent_id", o.id)
	}
	e.date("date_created", r.created)
	e.cents("amount", r.amount)
	e.str("reason", r.because())
	e.int("refunded_by", 1)
	e.bool("refunded_payment", r.reason != byStatus && !r.byHand && (o.gateway == payStripe || o.gateway == payPayPal))
	e.array("meta_data", func() {
		e.meta(r.id*10, "_refund_type", kind)
		e.writeMeta(r.meta)
	})
	var sums rateSums
	for i := range r.parts {
		sums.add(r.parts[i].taxes, r.parts[i].kind == carriage)
	}
	e.array("line_items", func() {
		for i := range r.parts {
			if p := &r.parts[i]; p.kind == goods {
				e.writeRefundLine(p, &o.lines[p.index])
			}
		}
	})
	e.array("shipping_lines", func() {
		for i := range r.parts {
			if p := &r.parts[i]; p.kind == carriage {
				sh := &o.shipping[p.index]
				e.writeShipping(p.id, sh.method, p.total, p.taxes, sh.id)
			}
		}
	})
	e.array("tax_lines", func() { e.writeTaxLines(&sums, r.taxIDs, -1) })
	e.array("fee_lines", func() {
		for i := range r.parts {
			if p := &r.parts[i]; p.kind == charge {
				f := &o.fees[p.index]
				e.writeFee(p.id, f, p.total, p.taxes, f.id)
			}
		}
	})
	e.object("_links", func() {
		at := wooRoot + "/orders/" + text(o.id)
		e.link("self", at+"/refunds/"+text(r.id), allowDelete)
		e.href("collection", at+"/refunds")
		e.href("up", at)
	})
	e.close('}')
}

func (e *encoder) writeRefundLine(p *part, l *line) {
	e.open('{')
	e.int("id", p.id)
	e.str("name", l.title)
	e.writeGoods(l, -p.qty)
	e.cents("subtotal", -p.total)
	e.cents("subtotal_tax", -p.taxes.cents())
	e.cents("total", -p.total)
	e.cents("total_tax", -p.taxes.cents())
	e.writeTaxes(p.taxes, &p.taxes, -1)
	e.writeRefunded(p.id, l.id)
	e.writeGoodsNow(l)
	e.close('}')
}

func wooClass(c taxClass) string {
	switch c {
	case reduced:
		return "reduced-rate"
	case intermediate:
		return "intermediate-rate"
	case superReduced:
		return "super-reduced-rate"
	case zeroRated:
		return "zero-rate"
	default:
		return ""
	}
}
