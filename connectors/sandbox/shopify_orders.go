package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

// label is the order's number.
func (o *order) label() string {
	if o.number != "" {
		return o.number
	}
	return text(o.id)
}

// financialStatus is what the shop says of the order's money.
func (s *Shop) financialStatus(o *order) string {
	switch {
	case o.state == stateRefunded, o.paid > 0 && (o.state == stateCancelled && !o.unrefunded || o.due() > 0 && o.left() <= 0):
		return "REFUNDED"
	case o.paid > 0 && s.view(o).takenBack() > 0:
		return "PARTIALLY_REFUNDED"
	case o.paid > 0:
		return "PAID"
	case o.state == stateCancelled:
		return "VOIDED"
	case o.authorised:
		return "AUTHORIZED"
	default:
		return "PENDING"
	}
}

// fulfillmentStatus is what it says of the order's goods.
func (o *order) fulfillmentStatus() string {
	switch {
	case o.state == stateDone || o.shipped():
		return "FULFILLED"
	case o.underway():
		return "PARTIALLY_FULFILLED"
	case o.state == statePickup:
		return "ON_HOLD"
	default:
		return "UNFULFILLED"
	}
}

// rateRows are the taxes of the whole order, by rate.
func (v *view) rateRows() []*taxRow {
	r := &v.totals.rates
	all := make([]*taxRow, r.n)
	for i := range r.n {
		all[i] = &taxRow{o: v.o, rate: r.sums[i].rate, amount: r.sums[i].cart + r.sums[i].ship}
	}
	return all
}

func (v *view) tax() int64 { return v.totals.cartTax + v.totals.shippingTax }

// total is what the order is worth: gift cards are a way to pay it.
func (v *view) total() int64 {
	if v.o.odd == totalsOff {
		return v.totals.total + 500
	}
	return v.totals.total
}

// received adds up what came in, refundedSum what went back.
func (v *view) received() int64    { return v.moved("SALE") + v.moved("CAPTURE") }
func (v *view) refundedSum() int64 { return v.moved("REFUND") }

func (v *view) moved(kind string) int64 {
	var sum int64
	for _, t := range v.paid {
		if t.kind == kind && t.status == "SUCCESS" {
			sum += t.amount
		}
	}
	return sum
}

// takenBack is by how much refunds lessened the sale.
func (v *view) takenBack() int64 {
	var sum int64
	for _, r := range v.o.refunds {
		sum += r.amount
	}
	return sum
}

// worth is what a line of a sheet comes to with its tax.
func (o *order) worth(e *entry) int64 {
	if o.gross {
		return e.total
	}
	return e.total + e.tax.sum()
}

func (v *view) shippingSum() int64 {
	var sum int64
	for _, s := range v.ships {
		sum += s.total
	}
	return sum
}

// orderBag is a field of an order that is an amount.
func orderBag(get func(v *view) int64) gqlField {
	return bagOf(func(x *gqlRun, o *order) (*order, int64) { return o, get(x.s.view(o)) })
}

// codes are the coupons used.
func (o *order) codes() []string {
	var all []string
	for i := range o.coupons {
		if code := o.coupons[i].of.code; code != "" {
			all = append(all, code)
		}
	}
	return all
}

// gatewayNames are the gateways of an order, gift cards first.
func (v *view) gatewayNames(s *Shop) []string {
	var names []string
	for _, t := range v.paid {
		if !slices.Contains(names, t.gateway.code) {
			names = append(names, t.gateway.code)
		}
	}
	if through := s.gatewayOf(v.o); len(names) == 0 && through.code != "" {
		names = append(names, through.code)
	}
	return names
}

// tip is what was given beside the goods.
func (o *order) tip() int64 {
	var sum int64
	for i := range o.lines {
		if o.lines[i].of.tip {
			sum += o.lines[i].total
		}
	}
	return sum
}

// customsSum is what customs ask for the order; none where they ask nothing.
func (o *order) customsSum() bag {
	var sum int64
	for i := range o.duties {
		sum += o.duties[i].amount
	}
	if sum == 0 {
		return bag{}
	}
	return bag{o: o, cents: sum}
}

func orderTypes() []gqlType {
	return []gqlType{
		{name: "Order", is: []string{"Node", "HasEvents"}, fields: gqlFields{
			"id":                       gqlID("Order", func(_ *gqlRun, o *order) int64 { return o.id }),
			"legacyResourceId":         gqlNumberText(func(_ *gqlRun, o *order) int64 { return o.id }),
			"name":                     gqlText(func(_ *gqlRun, o *order) string { return "#" + o.label() }),
			"number":                   gqlNumber(func(_ *gqlRun, o *order) int64 { return o.id }),
			"createdAt":                gqlTime(func(_ *gqlRun, o *order) int64 { return o.created }),
			"processedAt":              gqlTime(func(_ *gqlRun, o *order) int64 { return o.created }),
			"updatedAt":                gqlTime(func(_ *gqlRun, o *order) int64 { return o.modified }),
			"closed":                   gqlBool(func(_ *gqlRun, o *order) bool { return o.closedAt() > 0 }),
			"closedAt":                 gqlTime(func(_ *gqlRun, o *order) int64 { return o.closedAt() }),
			"cancelledAt":              gqlTime(func(_ *gqlRun, o *order) int64 { return o.cancelledAt() }),
			"cancelReason":             gqlTextOrNull(func(_ *gqlRun, o *order) string { return o.cancelReason() }),
			"confirmed":                gqlBool(func(*gqlRun, *order) bool { return true }),
			"test":                     gqlBool(func(_ *gqlRun, o *order) bool { return o.test }),
			"edited":                   gqlBool(func(_ *gqlRun, o *order) bool { return len(o.edits) > 0 }),
			"taxesIncluded":            gqlBool(func(_ *gqlRun, o *order) bool { return o.gross }),
			"dutiesIncluded":           gqlBool(func(*gqlRun, *order) bool { return false }),
			"estimatedTaxes":           gqlBool(func(*gqlRun, *order) bool { return false }),
			"taxExempt":                gqlBool(func(*gqlRun, *order) bool { return false }),
			"currencyCode":             gqlText(func(*gqlRun, *order) string { return currencies[eur].code }),
			"presentmentCurrencyCode":  gqlText(func(_ *gqlRun, o *order) string { return currencies[o.shown].code }),
			"displayFinancialStatus":   gqlTextOrNull(func(x *gqlRun, o *order) string { return x.s.financialStatus(o) }),
			"displayFulfillmentStatus": gqlText(func(_ *gqlRun, o *order) string { return o.fulfillmentStatus() }),
			"returnStatus":             gqlText(func(_ *gqlRun, o *order) string { return o.returnStatus() }),
			"fullyPaid":                gqlBool(func(_ *gqlRun, o *order) bool { return o.paid > 0 }),
			"unpaid":                   gqlBool(func(_ *gqlRun, o *order) bool { return o.paid == 0 }),
			"sourceName":               gqlTextOrNull(func(_ *gqlRun, o *order) string { return o.source() }),
			"note":                     gqlTextOrNull(func(_ *gqlRun, o *order) string { return notes[o.note] }),
			"tags":                     gqlTexts(func(*gqlRun, *order) []string { return nil }),
			"discountCode":             gqlTextOrNull(func(_ *gqlRun, o *order) string { return strings.Join(o.codes()[:min(1, len(o.codes()))], "") }),
			"discountCodes":            gqlTexts(func(_ *gqlRun, o *order) []string { return o.codes() }),
			"paymentGatewayNames":      gqlTexts(func(x *gqlRun, o *order) []string { return x.s.view(o).gatewayNames(x.s) }),
			"customAttributes":         gqlList("Attribute", func(*gqlRun, *order) []attribute { return nil }),
			"subtotalLineItemsQuantity": gqlNumber(func(_ *gqlRun, o *order) int64 {
				var n int64
				for i := range o.lines {
					n += o.lines[i].qty
				}
				return n
			}),
			"currentSubtotalLineItemsQuantity": gqlNumber(func(x *gqlRun, o *order) int64 {
				var n int64
				for _, l := range x.s.view(o).items {
					n += l.current()
				}
				return n
			}),
			"requiresShipping": gqlBool(func(_ *gqlRun, o *order) bool { return len(o.shipping) > 0 }),
		}},
		{name: "Order", fields: orderAmounts()},
		{name: "Order", fields: orderParts()},
		{name: "Attribute", fields: gqlFields{
			"key":   gqlText(func(_ *gqlRun, a attribute) string { return a.key }),
			"value": gqlTextOrNull(func(_ *gqlRun, a attribute) string { return a.value }),
		}},
		{name: "PaymentTerms", fields: gqlFields{
			"paymentTermsName": gqlText(func(*gqlRun, *order) string { return "" }),
		}},
		{name: "CashRoundingAdjustment", fields: gqlFields{
			"paymentSet": bagOf(func(_ *gqlRun, o *order) (*order, int64) { return o, o.rounded }),
			"refundSet":  bagOf(func(_ *gqlRun, o *order) (*order, int64) { return o, 0 }),
		}},
	}
}

// attribute is a note of a kind of its own.
type attribute struct{ key, value string }

func orderAmounts() gqlFields {
	return gqlFields{
		"totalPriceSet":               orderBag((*view).total),
		"totalTaxSet":                 orderBag((*view).tax),
		"originalTotalPriceSet":       orderBag((*view).firstTotal),
		"currentTotalPriceSet":        orderBag(func(v *view) int64 { return v.total() - v.takenBack() }),
		"currentTotalTaxSet":          orderBag(func(v *view) int64 { return v.tax() - v.taxBack() }),
		"subtotalPriceSet":            orderBag((*view).subtotal),
		"totalDiscountsSet":           orderBag(func(v *view) int64 { return v.totals.discount }),
		"totalShippingPriceSet":       orderBag((*view).shippingSum),
		"totalTipReceivedSet":         orderBag(func(v *view) int64 { return v.o.tip() }),
		"totalReceivedSet":            orderBag((*view).received),
		"totalRefundedSet":            orderBag((*view).refundedSum),
		"netPaymentSet":               orderBag(func(v *view) int64 { return v.received() - v.refundedSum() }),
		"totalOutstandingSet":         orderBag(func(v *view) int64 { return v.total() - v.takenBack() - v.received() + v.refundedSum() }),
		"originalTotalDutiesSet":      gqlObject("MoneyBag", func(_ *gqlRun, o *order) bag { return o.customsSum() }),
		"currentTotalDutiesSet":       gqlObject("MoneyBag", func(_ *gqlRun, o *order) bag { return o.customsSum() }),
		"totalCashRoundingAdjustment": gqlSame("CashRoundingAdjustment"),
	}
}

// subtotal is what the goods come to after discounts.
func (v *view) subtotal() int64 {
	var sum int64
	for i := range v.o.lines {
		sum += v.o.lines[i].total
	}
	return sum
}

// firstTotal is what the order came to when it was placed.
func (v *view) firstTotal() int64 {
	if len(v.o.edits) == 0 {
		return v.total()
	}
	var sum int64
	for _, e := range v.o.edits[0].before {
		sum += v.o.worth(&e)
	}
	return sum
}

func (v *view) taxBack() int64 {
	var sum int64
	for _, r := range v.o.refunds {
		sum += r.tax()
	}
	return sum
}

func (o *order) closedAt() int64 {
	switch {
	case o.trashed:
		return o.binned
	case o.state == stateCancelled:
		return o.cancelled
	}
	return o.archived
}

func (o *order) cancelledAt() int64 {
	if o.state == stateCancelled {
		return o.cancelled
	}
	return 0
}

func (o *order) cancelReason() string {
	if o.state == stateCancelled {
		return cmp.Or(o.reason, "CUSTOMER")
	}
	return ""
}

// source is the channel that the order came through.
func (o *order) source() string {
	if o.via == "checkout" {
		return "web"
	}
	return o.via
}

func (o *order) returnStatus() string {
	if len(o.returns()) > 0 {
		return "RETURNED"
	}
	return "NO_RETURN"
}

// told is what is known of a buyer; nothing of one who came to the counter.
func (o *order) told(what string) string {
	if o.faceless {
		return ""
	}
	return what
}

func (o *order) billTo() address {
	if o.faceless {
		return address{}
	}
	return address{id: o.id * 10, who: o.who}
}

func orderParts() gqlFields {
	return gqlFields{
		"email": gqlTextOrNull(func(_ *gqlRun, o *order) string { return o.told(o.who.email()) }),
		"phone": gqlTextOrNull(func(_ *gqlRun, o *order) string { return o.told(o.who.phone()) }),
		"customer": gqlObject("Customer", func(x *gqlRun, o *order) *customer {
			return x.s.customer(o.customer)
		}),
		"billingAddress":  gqlObject("MailingAddress", func(_ *gqlRun, o *order) address { return o.billTo() }),
		"shippingAddress": gqlObject("MailingAddress", func(_ *gqlRun, o *order) address { return o.shipTo() }),
		"paymentTerms":    gqlObject("PaymentTerms", func(*gqlRun, *order) *order { return nil }),
		"lineItems": gqlConnection("LineItem", func(x *gqlRun, o *order) gqlRows[*lineItem] {
			return gqlRows[*lineItem]{all: x.s.view(o).items}
		}),
		"shippingLine": gqlObject("ShippingLine", func(x *gqlRun, o *order) *shippingLine {
			if ships := x.s.view(o).ships; len(ships) > 0 {
				return ships[0]
			}
			return nil
		}),
		"shippingLines": gqlConnection("ShippingLine", func(x *gqlRun, o *order) gqlRows[*shippingLine] {
			return gqlRows[*shippingLine]{all: x.s.view(o).ships}
		}),
		"additionalFees": gqlList("AdditionalFee", func(x *gqlRun, o *order) []*additionalFee { return x.s.view(o).fees }),
		"taxLines":       gqlList("TaxLine", func(x *gqlRun, o *order) []*taxRow { return x.s.view(o).rateRows() }),
		"discountApplications": gqlConnection("DiscountApplication", func(_ *gqlRun, o *order) gqlRows[*discount] {
			return gqlRows[*discount]{all: o.applications()}
		}),
		"transactions": gqlList("OrderTransaction", func(x *gqlRun, o *order) []*transaction { return x.s.view(o).paid }),
		"fulfillments": gqlList("Fulfillment", func(x *gqlRun, o *order) []*fulfillment { return x.s.view(o).parcels }),
		"returns": gqlConnection("Return", func(_ *gqlRun, o *order) gqlRows[*swap] {
			return gqlRows[*swap]{all: o.returns()}
		}),
		"refunds": gqlList("Refund", func(_ *gqlRun, o *order) []*refund { return o.refunds }),
		"agreements": gqlConnection("SalesAgreement", func(x *gqlRun, o *order) gqlRows[*agreement] {
			return gqlRows[*agreement]{all: x.s.agreements(o)}
		}),
	}
}

// shipTo is where the goods go; nowhere where nothing is shipped.
func (o *order) shipTo() address {
	if len(o.shipping) == 0 || o.faceless {
		return address{}
	}
	return address{id: o.id*10 + 1, who: o.who}
}
