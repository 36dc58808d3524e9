package sandbox

import (
	"strconv"
	"strings"
)

// discount is a coupon as applied to an order.
type discount struct {
	o     *order
	use   *couponUse
	index int
}

func (o *order) applications() []*discount {
	all := make([]*discount, len(o.coupons))
	for i := range o.coupons {
		all[i] = &discount{o, &o.coupons[i], i}
	}
	return all
}

// allocation is what a discount takes off a line.
type allocation struct {
	of     *discount
	amount int64
}

func (l *lineItem) allocations() []allocation {
	all := make([]allocation, len(l.l.off))
	for i, f := range l.l.off {
		all[i] = allocation{&discount{l.o, &l.o.coupons[f.use], int(f.use)}, f.amount}
	}
	return all
}

func lineTypes() []gqlType {
	return []gqlType{
		{name: "LineItem", is: []string{"Node"}, fields: gqlFields{
			"id":                  gqlID("LineItem", func(_ *gqlRun, l *lineItem) int64 { return l.l.id }),
			"name":                gqlText(func(_ *gqlRun, l *lineItem) string { return l.l.title }),
			"title":               gqlText(func(_ *gqlRun, l *lineItem) string { return l.title() }),
			"variantTitle":        gqlTextOrNull(func(_ *gqlRun, l *lineItem) string { return strings.Join(l.l.of.options, " / ") }),
			"vendor":              gqlTextOrNull(func(*gqlRun, *lineItem) string { return vendor }),
			"sku":                 gqlTextOrNull(func(_ *gqlRun, l *lineItem) string { return l.l.of.soldSKU() }),
			"quantity":            gqlNumber(func(_ *gqlRun, l *lineItem) int64 { return l.qty }),
			"currentQuantity":     gqlNumber(func(_ *gqlRun, l *lineItem) int64 { return l.current() }),
			"refundableQuantity":  gqlNumber(func(_ *gqlRun, l *lineItem) int64 { return l.current() }),
			"unfulfilledQuantity": gqlNumber(func(x *gqlRun, l *lineItem) int64 { return x.s.view(l.o).unshipped(l) }),
			"requiresShipping":    gqlBool(func(_ *gqlRun, l *lineItem) bool { return !l.l.of.virtual }),
			"taxable":             gqlBool(func(_ *gqlRun, l *lineItem) bool { return l.l.class != untaxed }),
			"isGiftCard":          gqlBool(func(_ *gqlRun, l *lineItem) bool { return l.l.of.gift }),
			"variant":             gqlObject("ProductVariant", func(_ *gqlRun, l *lineItem) *variant { return l.l.of.still() }),
			"product": gqlObject("Product", func(_ *gqlRun, l *lineItem) *product {
				if l.l.of.still() == nil {
					return nil
				}
				return l.l.of.of
			}),
			"customAttributes": gqlList("Attribute", func(*gqlRun, *lineItem) []attribute { return nil }),
			"originalUnitPriceSet": gqlValue("MoneyBag", func(_ *gqlRun, l *lineItem) bag {
				return bag{o: l.o, cents: l.sub / max(1, l.qty), odd: l.odd()}
			}),
			"originalTotalSet": gqlValue("MoneyBag", func(_ *gqlRun, l *lineItem) bag {
				return bag{o: l.o, cents: l.sub, odd: l.odd()}
			}),
			"discountedTotalSet": bagOf(func(x *gqlRun, l *lineItem) (*order, int64) {
				if x.args.yes("withCodeDiscounts") {
					return l.o, l.total
				}
				return l.o, l.sub
			}),
			"discountedUnitPriceSet": bagOf(func(_ *gqlRun, l *lineItem) (*order, int64) { return l.o, l.sub / max(1, l.qty) }),
			"discountedUnitPriceAfterAllDiscountsSet": bagOf(func(_ *gqlRun, l *lineItem) (*order, int64) {
				return l.o, l.total / max(1, l.qty)
			}),
			"totalDiscountSet":    bagOf(func(_ *gqlRun, l *lineItem) (*order, int64) { return l.o, l.sub - l.total }),
			"discountAllocations": gqlList("DiscountAllocation", func(_ *gqlRun, l *lineItem) []allocation { return l.allocations() }),
			"taxLines":            gqlList("TaxLine", func(_ *gqlRun, l *lineItem) []*taxRow { return l.tax.rows(l.o) }),
			"duties":              gqlList("Duty", func(_ *gqlRun, l *lineItem) []*duty { return l.duties() }),
		}},
		{name: "Duty", is: []string{"Node"}, fields: gqlFields{
			"id":       gqlID("Duty", func(_ *gqlRun, d *duty) int64 { return d.id }),
			"price":    bagOf(func(_ *gqlRun, d *duty) (*order, int64) { return d.o, d.amount }),
			"taxLines": gqlList("TaxLine", func(*gqlRun, *duty) []*taxRow { return nil }),
		}},
		{name: "ShippingLine", fields: gqlFields{
			"id":                        gqlID("ShippingLine", func(_ *gqlRun, s *shippingLine) int64 { return s.sh.id }),
			"title":                     gqlText(func(_ *gqlRun, s *shippingLine) string { return shippingMethods[s.sh.method].title }),
			"code":                      gqlTextOrNull(func(_ *gqlRun, s *shippingLine) string { return s.code() }),
			"source":                    gqlTextOrNull(func(*gqlRun, *shippingLine) string { return "shopify" }),
			"custom":                    gqlBool(func(*gqlRun, *shippingLine) bool { return false }),
			"isRemoved":                 gqlBool(func(*gqlRun, *shippingLine) bool { return false }),
			"originalPriceSet":          bagOf(func(_ *gqlRun, s *shippingLine) (*order, int64) { return s.o, s.sub }),
			"discountedPriceSet":        bagOf(func(_ *gqlRun, s *shippingLine) (*order, int64) { return s.o, s.total }),
			"currentDiscountedPriceSet": bagOf(func(_ *gqlRun, s *shippingLine) (*order, int64) { return s.o, s.total }),
			"taxLines":                  gqlList("TaxLine", func(_ *gqlRun, s *shippingLine) []*taxRow { return s.tax.rows(s.o) }),
			"discountAllocations":       gqlList("DiscountAllocation", func(*gqlRun, *shippingLine) []allocation { return nil }),
		}},
		{name: "AdditionalFee", is: []string{"Node"}, fields: feeFields("AdditionalFee")},
		{name: "SaleAdditionalFee", is: []string{"Node"}, fields: feeFields("SaleAdditionalFee")},
		{name: "DiscountAllocation", fields: gqlFields{
			"allocatedAmountSet":  bagOf(func(_ *gqlRun, a allocation) (*order, int64) { return a.of.o, a.amount }),
			"discountApplication": gqlObject("DiscountApplication", func(_ *gqlRun, a allocation) *discount { return a.of }),
		}},
		{name: "DiscountApplication", which: func(of any) string {
			if of.(*discount).use.of.code == "" {
				return "ManualDiscountApplication"
			}
			return "DiscountCodeApplication"
		}},
		{name: "DiscountCodeApplication", is: []string{"DiscountApplication"}, fields: discountFields()},
		{name: "DiscountCodeApplication", fields: gqlFields{
			"code": gqlText(func(_ *gqlRun, d *discount) string { return d.use.of.code }),
		}},
		{name: "ManualDiscountApplication", is: []string{"DiscountApplication"}, fields: discountFields()},
		{name: "ManualDiscountApplication", fields: gqlFields{
			"title":       gqlText(func(*gqlRun, *discount) string { return "Remise du comptoir" }),
			"description": gqlTextOrNull(func(*gqlRun, *discount) string { return "" }),
		}},
		{name: "PricingValue", which: func(of any) string {
			if _, percent := of.(*discount); percent {
				return "PricingPercentageValue"
			}
			return "MoneyV2"
		}},
		{name: "PricingPercentageValue", is: []string{"PricingValue"}, fields: gqlFields{
			"percentage": gqlFloat(func(_ *gqlRun, d *discount) float64 { return float64(d.use.amount) / 100 }),
		}},
	}
}

// duty is what customs ask for a line.
type duty struct {
	o          *order
	id, amount int64
}

func (o *order) duty(i int) *duty { return &duty{o, o.duties[i].id, o.duties[i].amount} }

func (l *lineItem) duties() []*duty {
	var all []*duty
	for i := range l.o.duties {
		if l.o.duties[i].line == l.index {
			all = append(all, l.o.duty(i))
		}
	}
	return all
}

func feeFields(kind string) gqlFields {
	return gqlFields{
		"id":       gqlID(kind, func(_ *gqlRun, f *additionalFee) int64 { return f.f.id }),
		"name":     gqlText(func(_ *gqlRun, f *additionalFee) string { return f.f.title }),
		"price":    bagOf(func(_ *gqlRun, f *additionalFee) (*order, int64) { return f.o, f.total }),
		"taxLines": gqlList("TaxLine", func(_ *gqlRun, f *additionalFee) []*taxRow { return f.tax.rows(f.o) }),
	}
}

// odd reports whether the line's amount is no number on purpose.
func (l *lineItem) odd() bool { return l.index == 0 && l.o.odd == notANumber }

func (l *lineItem) title() string {
	if l.l.of.of != nil && l.l.of.of.title != "" {
		return l.l.of.of.title
	}
	return l.l.title
}

// code names a shipping method: "flat_rate:3".
func (s *shippingLine) code() string {
	m := &shippingMethods[s.sh.method]
	return m.code + ":" + strconv.Itoa(m.instance)
}

// still is the variant, as long as it was not deleted.
func (v *variant) still() *variant {
	if v.gone || v.of == nil || v.of.own.gone {
		return nil
	}
	return v
}

// soldSKU is the SKU as it was when it was sold: it outlives the product.
func (v *variant) soldSKU() string {
	if v.of == nil || v.of.own == nil {
		return ""
	}
	return v.shownSKU()
}

func discountFields() gqlFields {
	return gqlFields{
		"index": gqlNumber(func(_ *gqlRun, d *discount) int64 { return int64(d.index) }),
		"allocationMethod": gqlText(func(_ *gqlRun, d *discount) string {
			if d.use.of.kind == "fixed_product" {
				return "EACH"
			}
			return "ACROSS"
		}),
		"targetSelection": gqlText(func(*gqlRun, *discount) string { return "ALL" }),
		"targetType":      gqlText(func(*gqlRun, *discount) string { return "LINE_ITEM" }),
		"value": gqlValue("PricingValue", func(_ *gqlRun, d *discount) any {
			if d.use.of.kind == "percent" {
				return d
			}
			return coin{cents: d.use.amount}
		}),
	}
}
