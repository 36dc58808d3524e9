package sandbox

import "cmp"

// refundPart is what a refund takes back of a line.
type refundPart struct {
	r *refund
	*part
}

// partsOf picks the parts of one kind.
func (r *refund) partsOf(kind partKind) []*refundPart {
	var all []*refundPart
	for i := range r.parts {
		if r.parts[i].kind == kind {
			all = append(all, &refundPart{r, &r.parts[i]})
		}
	}
	return all
}

// adjustment is what a refund gives back beside its lines.
type adjustment struct {
	r      *refund
	amount int64
}

// discrepancy is what a refund gives back beyond its lines. It is in the
// customer's favour, which the platform writes below zero.
func (r *refund) discrepancy() int64 { return r.amount - r.gross() }

func (r *refund) adjustments() []*adjustment {
	if d := r.discrepancy(); d != 0 {
		return []*adjustment{{r, -d}}
	}
	return nil
}

// row finds the line of the order that a part is about.
func (p *refundPart) row(x *gqlRun) *lineItem {
	return x.s.view(p.r.of).item(p.index)
}

func (v *view) item(line int) *lineItem {
	for _, l := range v.items {
		if l.index == line {
			return l
		}
	}
	return nil
}

// dutiesBack are the duties that a refund gives back.
func (r *refund) dutiesBack() []*duty {
	var all []*duty
	for _, p := range r.partsOf(customs) {
		all = append(all, r.of.duty(p.index))
	}
	return all
}

func refundTypes() []gqlType {
	return []gqlType{
		{name: "Refund", is: []string{"Node"}, fields: gqlFields{
			"id":               gqlID("Refund", func(_ *gqlRun, r *refund) int64 { return r.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, r *refund) int64 { return r.id }),
			"createdAt":        gqlTime(func(_ *gqlRun, r *refund) int64 { return r.created }),
			"processedAt":      gqlTime(func(_ *gqlRun, r *refund) int64 { return r.created }),
			"updatedAt":        gqlTime(func(_ *gqlRun, r *refund) int64 { return r.created }),
			"note":             gqlTextOrNull(func(_ *gqlRun, r *refund) string { return r.because() }),
			"order":            gqlObject("Order", func(_ *gqlRun, r *refund) *order { return r.of }),
			"duties":           gqlList("RefundDuty", func(_ *gqlRun, r *refund) []*duty { return r.dutiesBack() }),
			"return":           gqlObject("Return", func(_ *gqlRun, r *refund) *swap { return r.swap() }),
			"totalRefundedSet": bagOf(func(x *gqlRun, r *refund) (*order, int64) { return r.of, x.s.paidBack(r) }),
			"refundLineItems": gqlConnection("RefundLineItem", func(_ *gqlRun, r *refund) gqlRows[*refundPart] {
				return gqlRows[*refundPart]{all: r.partsOf(goods)}
			}),
			"refundShippingLines": gqlConnection("RefundShippingLine", func(_ *gqlRun, r *refund) gqlRows[*refundPart] {
				return gqlRows[*refundPart]{all: r.partsOf(carriage)}
			}),
			"orderAdjustments": gqlConnection("OrderAdjustment", func(_ *gqlRun, r *refund) gqlRows[*adjustment] {
				return gqlRows[*adjustment]{all: r.adjustments()}
			}),
			"transactions": gqlConnection("OrderTransaction", func(x *gqlRun, r *refund) gqlRows[*transaction] {
				return gqlRows[*transaction]{all: x.s.refundTransactions(r)}
			}),
		}},
		{name: "RefundLineItem", fields: gqlFields{
			"id":       gqlID("RefundLineItem", func(_ *gqlRun, p *refundPart) int64 { return p.id }),
			"lineItem": gqlObject("LineItem", func(x *gqlRun, p *refundPart) *lineItem { return p.row(x) }),
			"location": gqlObject("Location", func(_ *gqlRun, p *refundPart) *site {
				if p.restockType() == "NO_RESTOCK" {
					return nil
				}
				return cmp.Or(p.to, &locations[atelier])
			}),
			"quantity":    gqlNumber(func(_ *gqlRun, p *refundPart) int64 { return p.qty }),
			"restockType": gqlText(func(_ *gqlRun, p *refundPart) string { return p.restockType() }),
			"restocked":   gqlBool(func(_ *gqlRun, p *refundPart) bool { return p.restockType() != "NO_RESTOCK" }),
			"priceSet":    bagOf(func(_ *gqlRun, p *refundPart) (*order, int64) { return p.r.of, p.total / max(1, p.qty) }),
			"subtotalSet": bagOf(func(_ *gqlRun, p *refundPart) (*order, int64) { return p.r.of, p.total }),
			"totalTaxSet": bagOf(func(_ *gqlRun, p *refundPart) (*order, int64) { return p.r.of, p.taxes.cents() }),
		}},
		{name: "RefundShippingLine", is: []string{"Node"}, fields: gqlFields{
			"id": gqlID("RefundShippingLine", func(_ *gqlRun, p *refundPart) int64 { return p.id }),
			"shippingLine": gqlObject("ShippingLine", func(x *gqlRun, p *refundPart) *shippingLine {
				return x.s.view(p.r.of).ships[p.index]
			}),
			"subtotalAmountSet": bagOf(func(_ *gqlRun, p *refundPart) (*order, int64) { return p.r.of, p.total }),
			"taxAmountSet":      bagOf(func(_ *gqlRun, p *refundPart) (*order, int64) { return p.r.of, p.taxes.cents() }),
		}},
		{name: "OrderAdjustment", is: []string{"Node"}, fields: gqlFields{
			"id":           gqlID("OrderAdjustment", func(_ *gqlRun, a *adjustment) int64 { return a.r.id }),
			"reason":       gqlTextOrNull(func(*gqlRun, *adjustment) string { return "REFUND_DISCREPANCY" }),
			"amountSet":    bagOf(func(_ *gqlRun, a *adjustment) (*order, int64) { return a.r.of, a.amount }),
			"taxAmountSet": bagOf(func(_ *gqlRun, a *adjustment) (*order, int64) { return a.r.of, 0 }),
		}},
		{name: "RefundDuty", fields: gqlFields{
			"amountSet":    bagOf(func(_ *gqlRun, d *duty) (*order, int64) { return d.o, d.amount }),
			"originalDuty": gqlObject("Duty", func(_ *gqlRun, d *duty) *duty { return d }),
		}},
	}
}

// restockType is what became of the goods: not sent at all, or sent back.
func (p *refundPart) restockType() string {
	if p.restock != "" {
		return p.restock
	}
	if p.r.kept || p.r.of.lines[p.index].of.tip {
		return "NO_RESTOCK"
	}
	if o := p.r.of; o.completed == 0 || p.r.created < o.completed {
		return "CANCEL"
	}
	return "RETURN"
}

// refundTransactions are the payments that a refund made.
func (s *Shop) refundTransactions(r *refund) []*transaction {
	var all []*transaction
	for _, t := range s.view(r.of).paid {
		if t.refund == r {
			all = append(all, t)
		}
	}
	return all
}

// paidBack is the money that a refund has moved so far.
func (s *Shop) paidBack(r *refund) int64 {
	var sum int64
	for _, t := range s.refundTransactions(r) {
		if t.status == "SUCCESS" {
			sum += t.amount
		}
	}
	return sum
}

// agreement is an entry of the platform's own ledger of an order.
type agreement struct {
	o      *order
	id, at int64
	kind   string // the type of it
	reason string
	refund *refund
	sales  []*ledgerSale
}

// ledgerSale is a line of an agreement.
type ledgerSale struct {
	sale
	of     *agreement
	kind   string // the type of it
	action string
	adjust int64 // of an AdjustmentSale
}

// agreements tell how the order came to be what it is, exactly.
func (s *Shop) agreements(o *order) []*agreement {
	var all []*agreement
	for i, d := range o.deals() {
		a := &agreement{o: o, id: o.id*100 + int64(i), at: d.at, kind: "OrderAgreement", reason: "ORDER"}
		if i > 0 {
			a.kind, a.reason = "OrderEditAgreement", "ORDER_EDIT"
		}
		if d.swap != nil {
			a.kind, a.reason, a.refund = "ReturnAgreement", "RETURN", d.swap
		}
		for _, sold := range d.sales {
			action := "ORDER"
			switch {
			case sold.qty < 0:
				action = "RETURN"
			case sold.qty == 0:
				action = "UPDATE"
			}
			a.add(sold, action)
		}
		all = append(all, a)
	}
	for _, r := range o.refunds {
		all = append(all, refundAgreement(r))
	}
	return all
}

func refundAgreement(r *refund) *agreement {
	a := &agreement{o: r.of, id: r.id*100 + 50, at: r.created, kind: "RefundAgreement", reason: "REFUND", refund: r}
	for i := range r.parts {
		p := &r.parts[i]
		e := entry{kind: p.kind, index: p.index, qty: -p.qty, sub: -p.total, total: -p.total, tax: wholeCents(p.taxes)}
		if r.of.gross { // as lines state it
			e.sub, e.total = -p.gross(), -p.gross()
		}
		for k := range e.tax.n {
			e.tax.amount[k] = -e.tax.amount[k]
		}
		a.add(sale{id: p.id*10 + 5, entry: e}, "RETURN")
	}
	if d := r.discrepancy(); d != 0 {
		a.sales = append(a.sales, &ledgerSale{of: a, sale: sale{id: r.id*10 + 6}, kind: "AdjustmentSale", action: "RETURN", adjust: -d})
	}
	return a
}

func (a *agreement) add(sold sale, action string) {
	kind := "ProductSale"
	switch {
	case sold.kind == carriage:
		kind = "ShippingLineSale"
	case sold.kind == charge:
		kind = "AdditionalFeeSale"
	case sold.kind == customs:
		kind = "DutySale"
	case a.o.lines[sold.index].of.tip:
		kind = "TipSale"
	case a.o.lines[sold.index].of.gift:
		kind = "GiftCardSale"
	}
	a.sales = append(a.sales, &ledgerSale{sale: sold, of: a, kind: kind, action: action})
}

// discount is what was taken off before tax.
func (l *ledgerSale) discount() int64 {
	off := l.sub - l.total
	if o := l.of.o; o.gross && l.tax.n > 0 {
		return off - toCents(taxWithin(o.place(), l.tax.rates[0].class, off, l.kind == "ShippingLineSale").micro[0])
	}
	return off
}

// saleLines are what the kinds of sale are about.
var saleLines = map[string]string{"ProductSale": "PRODUCT", "ShippingLineSale": "SHIPPING", "AdditionalFeeSale": "ADDITIONAL_FEE",
	"GiftCardSale": "GIFT_CARD", "AdjustmentSale": "ADJUSTMENT", "TipSale": "TIP", "DutySale": "DUTY"}

// saleTax is the tax of one rate on a sale.
type saleTax struct {
	of *ledgerSale
	i  int
}

func agreementTypes() []gqlType {
	types := []gqlType{
		{name: "SalesAgreement", which: func(of any) string { return of.(*agreement).kind }},
		{name: "Sale", which: func(of any) string { return of.(*ledgerSale).kind }},
		{name: "SaleTax", fields: gqlFields{
			"id":      gqlID("SaleTax", func(_ *gqlRun, t saleTax) int64 { return t.of.id*10 + int64(t.i) }),
			"amount":  bagOf(func(_ *gqlRun, t saleTax) (*order, int64) { return t.of.of.o, t.of.tax.amount[t.i] }),
			"taxLine": gqlValue("TaxLine", func(_ *gqlRun, t saleTax) *taxRow { return t.of.tax.rows(t.of.of.o)[t.i] }),
		}},
		{name: "OrderAgreement", fields: gqlFields{"order": gqlObject("Order", func(_ *gqlRun, a *agreement) *order { return a.o })}},
		{name: "RefundAgreement", fields: gqlFields{"refund": gqlObject("Refund", func(_ *gqlRun, a *agreement) *refund { return a.refund })}},
		{name: "ShippingLineSale", fields: gqlFields{"shippingLine": gqlObject("ShippingLine", func(x *gqlRun, l *ledgerSale) *shippingLine {
			return x.s.view(l.of.o).ships[l.index]
		})}},
		{name: "ReturnAgreement", fields: gqlFields{"return": gqlObject("Return", func(_ *gqlRun, a *agreement) *swap { return a.refund.swap() })}},
		{name: "DutySale", fields: gqlFields{"duty": gqlObject("Duty", func(_ *gqlRun, l *ledgerSale) *duty { return l.of.o.duty(l.index) })}},
		{name: "AdditionalFeeSale", fields: gqlFields{"additionalFee": gqlObject("SaleAdditionalFee", func(x *gqlRun, l *ledgerSale) *additionalFee {
			return x.s.view(l.of.o).fees[l.index]
		})}},
	}
	for _, kind := range []string{"OrderAgreement", "OrderEditAgreement", "RefundAgreement", "ReturnAgreement"} {
		types = append(types, gqlType{name: kind, is: []string{"SalesAgreement"}, fields: gqlFields{
			"id":         gqlID("SalesAgreement", func(_ *gqlRun, a *agreement) int64 { return a.id }),
			"happenedAt": gqlTime(func(_ *gqlRun, a *agreement) int64 { return a.at }),
			"reason":     gqlText(func(_ *gqlRun, a *agreement) string { return a.reason }),
			"sales": gqlConnection("Sale", func(_ *gqlRun, a *agreement) gqlRows[*ledgerSale] {
				return gqlRows[*ledgerSale]{all: a.sales}
			}),
		}})
	}
	for kind := range saleLines {
		types = append(types, gqlType{name: kind, is: []string{"Sale"}, fields: saleFields()})
	}
	for _, kind := range []string{"ProductSale", "GiftCardSale", "TipSale"} {
		types = append(types, gqlType{name: kind, fields: gqlFields{"lineItem": gqlObject("LineItem", func(x *gqlRun, l *ledgerSale) *lineItem {
			return x.s.view(l.of.o).item(l.index)
		})}})
	}
	return types
}

func saleFields() gqlFields {
	return gqlFields{
		"id":         gqlID("Sale", func(_ *gqlRun, l *ledgerSale) int64 { return l.id }),
		"actionType": gqlText(func(_ *gqlRun, l *ledgerSale) string { return l.action }),
		"lineType":   gqlText(func(_ *gqlRun, l *ledgerSale) string { return saleLines[l.kind] }),
		"quantity": gqlRaw(func(x *gqlRun, l *ledgerSale) {
			if l.kind == "AdjustmentSale" {
				x.null()
				return
			}
			x.number(l.qty)
		}),
		"totalAmount": bagOf(func(_ *gqlRun, l *ledgerSale) (*order, int64) {
			return l.of.o, l.of.o.worth(&l.entry) + l.adjust
		}),
		"totalTaxAmount":                 bagOf(func(_ *gqlRun, l *ledgerSale) (*order, int64) { return l.of.o, l.tax.sum() }),
		"totalDiscountAmountBeforeTaxes": bagOf(func(_ *gqlRun, l *ledgerSale) (*order, int64) { return l.of.o, l.discount() }),
		"totalDiscountAmountAfterTaxes":  bagOf(func(_ *gqlRun, l *ledgerSale) (*order, int64) { return l.of.o, l.sub - l.total }),
		"taxes": gqlList("SaleTax", func(_ *gqlRun, l *ledgerSale) []saleTax {
			all := make([]saleTax, l.tax.n)
			for i := range all {
				all[i] = saleTax{l, i}
			}
			return all
		}),
	}
}
