package sandbox

import (
	"slices"
	"strings"
)

// How a product is stated as a whole: productSet.

// What one product may have at most.
const (
	maxOptions  = 3
	maxVariants = 2048
)

// productSet makes a product as it is stated, or changes one: what is a list is
// replaced as a whole.
func (x *gqlRun) productSet() *payload[*product] {
	in := input(x.args.object("input"))
	c := &check{x: x, words: map[string]string{"NEGATIVE_PRICE_VALUE": "INVALID_VARIANT", "NEED_TO_ADD_OPTION_VALUES": "OPTION_VALUES_MISSING",
		"TRACKED_VARIANT_LOCATION_NOT_FOUND": "INVALID_VARIANT", "INVALID": "INVALID_METAFIELD", "INVALID_TYPE": "INVALID_METAFIELD"}}
	if x.args.has("synchronous") && !x.args.yes("synchronous") {
		return refusal[*product]("synchronous", "GENERIC_ERROR", "The sandbox does not play productSet in the background")
	}
	p := x.identified(in.text("id"))
	if asked := input(x.args.object("identifier")); p == nil && (asked.text("id") != "" || in.text("id") != "") {
		return refusal[*product]("identifier", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
	}
	switch {
	case in.has("variants") && !in.has("productOptions"):
		c.refuse("input.productOptions", "PRODUCT_OPTIONS_INPUT_MISSING", "Product options input is required when updating variants")
	case in.has("productOptions") && !in.has("variants"):
		c.refuse("input.variants", "VARIANTS_INPUT_MISSING", "Variants input is required when updating product options")
	}
	if len(in.objects("productOptions")) > maxOptions {
		c.refuse("input.productOptions", "OPTIONS_OVER_LIMIT", "Exceeded maximum number of options allowed")
	}
	made := p == nil
	if made {
		p = x.s.newGoods(in)
		if !in.has("title") {
			c.refuse("input.title", "INVALID_PRODUCT", "Title can't be blank")
		}
		p.axes = c.axes(in)
	}
	c.productIn(p, in, "input.")
	if in.has("files") {
		c.mediaIn(p, in.objects("files"), "input.files", true)
	}
	if in.has("variants") {
		c.variantsIn(p, in.objects("variants"), made)
	}
	if !made {
		return finish(c, func() *product { return x.s.edited(p) })
	}
	return c.add(p)
}

// variantsIn reads all variants of a product as productSet states them: those
// that it leaves out are deleted.
func (c *check) variantsIn(p *product, list []input, made bool) {
	s := c.x.s
	var kept []*variant
	for i, e := range list {
		at := "input.variants." + text(int64(i))
		options, ok := c.optionsIn(p, e, at)
		if !ok {
			continue
		}
		k := slices.IndexFunc(p.sellables(), func(v *variant) bool {
			return !made && (plainGid("ProductVariant", v.id) == e.text("id") || e.text("id") == "" && slices.Equal(v.options, options))
		})
		var v *variant
		switch {
		case k >= 0:
			v = p.sellables()[k]
			c.then(func() { v.touch(s.now()) })
		case e.text("id") != "":
			c.refuse(at+".id", "PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist")
			continue
		case made && len(p.axes) == 0:
			v = p.own
		case made:
			v = p.newVariant()
			v.options = options
			p.widen(options)
			p.variants = append(p.variants, v)
		default:
			v = p.newVariant()
			v.options = options
			c.then(func() { s.admitVariant(v) })
		}
		if slices.ContainsFunc(kept, func(k *variant) bool { return k == v || slices.Equal(k.options, options) }) {
			c.refuse(at, "INVALID_VARIANT", "The variant '"+strings.Join(options, " / ")+"' already exists.")
			continue
		}
		kept = append(kept, v)
		c.variantIn(v, e, at)
		c.stockIn(v, e.objects("inventoryQuantities"), "quantity", at+".inventoryQuantities")
	}
	if len(kept) == 0 && len(c.errs) == 0 {
		c.refuse("input.variants", "VARIANTS_INPUT_MISSING", "Variants input is required when updating product options")
	}
	for _, v := range p.sellables() {
		if !made && !slices.Contains(kept, v) {
			c.then(func() { s.dropVariant(v) })
		}
	}
}
