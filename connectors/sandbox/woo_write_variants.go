package sandbox

import (
	"slices"
	"time"
)

// writeVariant changes what products and variations have in common.
func (s *Shop) writeVariant(v *variant, given params) {
	set(given, "sku", &v.sku)
	set(given, "weight", &v.weighed)
	set(given, "backorders", &v.backorders)
	if given.has("weight") {
		number, _ := exact(v.weighed)
		v.grams = int(number.Mul(s.gramsEach()).Round(0).IntPart())
	}
	if given.has("global_unique_id") {
		v.coded, v.gtin = true, given.text("global_unique_id")
	}
	if given.has("virtual") {
		v.virtual = given.yes("virtual")
	}
	v.meta = s.keepMeta(v.meta, given.objects("meta_data"))
	s.writePrice(v, given)
	s.writeStock(v, given)
	s.fillShelf(v)
}

// fillShelf puts what is published and has a price on the shelf that customers
// choose from.
func (s *Shop) fillShelf(v *variant) {
	sold := v != v.of.own || len(v.of.axes) == 0
	if sold && v.of.visible == "publish" && v != s.giftCard && !v.unpriced && !slices.Contains(s.sellable, v) {
		s.sellable = append(s.sellable, v)
	}
}

// writePrice changes prices and when the lower one holds.
func (s *Shop) writePrice(v *variant, given params) {
	if given.has("regular_price") {
		cents, ok := given.cents("regular_price")
		v.price, v.unpriced = cents, !ok
	}
	if given.has("sale_price") {
		v.sale, _ = given.cents("sale_price")
	}
	s.saleDate(given, "date_on_sale_from", &v.saleFrom)
	s.saleDate(given, "date_on_sale_to", &v.saleTo)
	s.holdSale(v)
	for _, at := range []int64{v.saleFrom, v.saleTo} {
		if at > s.now() {
			s.plan(at, doSale, v.id)
		}
	}
}

// saleDate reads an instant, in UTC or in the shop's zone; "" is none.
func (s *Shop) saleDate(given params, name string, into *int64) {
	for suffix, zone := range map[string]*time.Location{"_gmt": time.UTC, "": s.zone} {
		if !given.has(name + suffix) {
			continue
		}
		*into = 0
		for _, form := range []string{wooTime, time.RFC3339, time.DateOnly} {
			if at, err := time.ParseInLocation(form, given.text(name+suffix), zone); err == nil {
				*into = at.Unix()
			}
		}
	}
}

// holdSale works out whether the sale price holds now.
func (s *Shop) holdSale(v *variant) {
	v.resting = v.sale >= v.price || v.saleFrom > s.now() || v.saleTo != 0 && v.saleTo <= s.now()
}

// turnSale begins a sale, or ends it: then the shop clears price and dates.
func (s *Shop) turnSale(v *variant) {
	if v == nil || v.sale == 0 {
		return
	}
	was := v.resting
	s.holdSale(v)
	if !was && v.resting && v.saleTo != 0 && v.saleTo <= s.now() {
		v.sale, v.saleFrom, v.saleTo, v.resting = 0, 0, 0, false
	}
	if was != v.resting || v.sale == 0 {
		v.touch(s.now())
		s.happened(PriceChanged, v.id)
	}
}

// recount begins to count what a product and its variations have anew, because
// another of them counts now. Orders that are under way are taken for counted:
// the platform would know of each line whether it was.
func (s *Shop) recount(p *product) {
	held := map[*variant]int64{}
	for _, o := range s.orders {
		for i := range o.lines {
			if l := &o.lines[i]; o.holding && l.of.of == p {
				held[l.of.holder()] += l.qty - l.back
			}
		}
	}
	for _, v := range append([]*variant{p.own}, p.variants...) {
		v.given = v.stock + held[v]
	}
}

// writeStock changes what is counted. A quantity is ignored where nothing is
// counted, and what is in stock where something is.
func (s *Shop) writeStock(v *variant, given params) {
	if given.has("manage_stock") && v.tracked != given.yes("manage_stock") {
		v.tracked, v.stock = !v.tracked, 0
		s.recount(v.of)
	}
	switch {
	case v.tracked && given.has("stock_quantity"):
		s.wroteStock(v, "", v.stock, given.whole("stock_quantity"))
		if v.stock != given.whole("stock_quantity") {
			s.setStock(v, given.whole("stock_quantity"))
		}
	case !v.tracked && given.has("stock_status"):
		v.refused = ""
		if status := given.text("stock_status"); status != "instock" {
			v.refused = status
		}
	}
}
