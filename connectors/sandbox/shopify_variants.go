package sandbox

import (
	"slices"
	"strings"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// How variants are written: prices, codes, choices, what is counted of them.

// written are variants that a mutation made or changed, and their product.
type writtenVariants struct {
	of  *product
	all []*variant
}

func variantPayload(errors string) gqlFields {
	return gqlFields{
		"product": gqlObject("Product", func(_ *gqlRun, p *payload[writtenVariants]) *product { return p.made.of }),
		"productVariants": gqlRawList("ProductVariant", func(p *payload[writtenVariants]) ([]*variant, bool) {
			return p.made.all, len(p.errs) == 0 || len(p.made.all) > 0
		}),
		"userErrors": gqlList(errors, func(_ *gqlRun, p *payload[writtenVariants]) []userError { return p.errs }),
	}
}

// gqlRawList is a list that may be null.
func gqlRawList[T, V any](of string, get func(T) ([]V, bool)) gqlField {
	list := gqlList(of, func(_ *gqlRun, r T) []V {
		all, _ := get(r)
		return all
	})
	return gqlField{of: of, many: true, write: func(x *gqlRun, n *gqlNode, r any) {
		if _, ok := get(r.(T)); !ok {
			x.null()
			return
		}
		list.write(x, n, r)
	}}
}

func (p *product) newVariant() *variant {
	return &variant{of: p, backorders: "no", tracked: true, homeOnly: true, coded: true}
}

// titleAxis is the placeholder of products without choices.
const titleAxis, titleValue = "Title", "Default Title"

// axes reads the options of a new product; none for the placeholder.
func (c *check) axes(in input) []axis {
	var all []axis
	for i, o := range in.objects("productOptions") {
		a := axis{name: o.text("name"), slug: slug(o.text("name"))}
		for _, v := range o.objects("values") {
			a.values = append(a.values, v.text("name"))
		}
		switch {
		case a.name == "" || len(a.values) == 0:
			c.refuse("productOptions."+text(int64(i)), "OPTION_VALUES_MISSING", "Option values are missing")
			return nil
		case slices.ContainsFunc(all, func(b axis) bool { return b.name == a.name }):
			c.refuse("productOptions."+text(int64(i)), "DUPLICATED_OPTION_NAME", "Option names must be unique")
			return nil
		}
		all = append(all, a)
	}
	if len(all) == 1 && all[0].name == titleAxis && slices.Equal(all[0].values, []string{titleValue}) {
		return nil
	}
	return all
}

// optionsIn reads what a variant is of its product's choices; false where it
// does not say so for each.
func (c *check) optionsIn(p *product, e input, at string) ([]string, bool) {
	said := e.objects("optionValues")
	options := make([]string, len(p.axes))
	for i, o := range said {
		k := slices.IndexFunc(p.choices(), func(ch *choice) bool {
			return ch.name == o.text("optionName") || plainGid("ProductOption", ch.id()) == o.text("optionId")
		})
		switch {
		case k < 0:
			c.refuse(at+".optionValues."+text(int64(i)), "OPTION_DOES_NOT_EXIST", "Option does not exist")
			return nil, false
		case len(p.axes) > 0:
			options[k] = o.text("name")
		}
	}
	if slices.Contains(options, "") {
		c.refuse(at, "NEED_TO_ADD_OPTION_VALUES", "You need to add option values for "+p.axes[slices.Index(options, "")].name)
		return nil, false
	}
	return options, true
}

// widen adds values to the choices of a product as its variants need them.
func (p *product) widen(options []string) {
	axes := slices.Clone(p.axes)
	for i, o := range options {
		if !slices.Contains(axes[i].values, o) {
			axes[i].values = append(slices.Clone(axes[i].values), o)
		}
	}
	p.axes = axes
}

// variantIn reads the members that all inputs of variants share.
func (c *check) variantIn(v *variant, e input, at string) {
	s := c.x.s
	c.only(e, at+".", "id", "price", "compareAtPrice", "barcode", "sku", "inventoryPolicy", "taxable", "inventoryItem", "optionValues", "inventoryQuantities", "metafields")
	c.pricesIn(v, e, at)
	if e.has("barcode") {
		c.then(func() { v.coded, v.gtin = true, strings.TrimSpace(e.text("barcode")) })
	}
	if e.has("sku") { // of productSet
		c.then(func() { v.sku = strings.TrimSpace(e.text("sku")) })
	}
	switch e.text("inventoryPolicy") {
	case "DENY":
		c.then(func() { v.backorders = "no" })
	case "CONTINUE":
		c.then(func() {
			if v.backorders == "no" {
				v.backorders = "yes"
			}
		})
	}
	if taxed, ok := e["taxable"].(bool); ok {
		c.then(func() {
			switch {
			case !taxed:
				v.class = untaxed
			case v.class == untaxed:
				v.class = standard
			}
		})
	}
	c.itemIn(v, e.object("inventoryItem"), at+".inventoryItem")
	if v != v.of.own || len(v.of.axes) == 0 {
		c.metafields(e, at+".", func(key, value string) { v.meta = s.keep(v.meta, key, value) })
	}
}

// pricesIn reads the price and the one it is compared with. A price below the
// other is a reduced one.
func (c *check) pricesIn(v *variant, e input, at string) {
	price, given := v.asks(), false
	before := v.before()
	for _, name := range []string{"price", "compareAtPrice"} {
		if !e.has(name) {
			continue
		}
		amount, ok := centsIn(e[name])
		switch {
		case name == "compareAtPrice" && e[name] == nil:
			amount, ok = 0, true
		case amount < 0:
			c.refuse(at+"."+name, "NEGATIVE_PRICE_VALUE", "Price must be greater than or equal to 0")
			return
		}
		if !ok {
			c.refuse(at+"."+name, "INVALID_INPUT", "Price is not a number")
			return
		}
		if given = true; name == "price" {
			price = amount
		} else {
			before = amount
		}
	}
	if !given {
		return
	}
	c.then(func() {
		v.price, v.sale, v.was, v.resting, v.unpriced = price, 0, before, false, false
		if before > price && price > 0 {
			v.price, v.sale, v.was = before, price, 0
		}
	})
}

// gramsOf are how many grams a unit of weight has.
var gramsOf = map[string]string{"GRAMS": "1", "KILOGRAMS": "1000", "OUNCES": "28.349523125", "POUNDS": "453.59237"}

// itemIn reads what is counted of a variant.
func (c *check) itemIn(v *variant, e input, at string) {
	c.only(e, at+".", "sku", "tracked", "requiresShipping", "cost", "measurement")
	if e.has("sku") {
		c.then(func() { v.sku = strings.TrimSpace(e.text("sku")) })
	}
	if tracked, ok := e["tracked"].(bool); ok {
		c.then(func() { v.tracked = tracked })
	}
	if ships, ok := e["requiresShipping"].(bool); ok {
		c.then(func() { v.virtual = !ships })
	}
	if e["cost"] != nil {
		amount, ok := centsIn(e["cost"])
		if !ok || amount < 0 {
			c.refuse(at+".cost", "INVALID_INPUT", "Cost must be greater than or equal to 0")
		}
		c.then(func() { v.cost, v.costInMeta = amount, false })
	}
	if w := e.object("measurement").object("weight"); w != nil {
		value, ok := exact(w["value"])
		one, known := gramsOf[w.text("unit")]
		if !ok || !known || value.IsNegative() {
			c.refuse(at+".measurement.weight", "INVALID_INPUT", "Weight must be greater than or equal to 0")
			return
		}
		c.then(func() {
			v.grams = int(value.Mul(decimal.RequireFromString(one)).Round(0).IntPart())
			v.scale = &weight{value.InexactFloat64(), w.text("unit")}
		})
	}
}

// stockIn reads the opening stock of a new variant.
func (c *check) stockIn(v *variant, list []input, quantity, at string) {
	for i, q := range list {
		place, ok := c.x.s.byGid(q.text("locationId")).(*site)
		n, whole := wholeNumber(q[quantity])
		switch {
		case !ok || !place.active:
			c.refuse(at+"."+text(int64(i))+".locationId", "TRACKED_VARIANT_LOCATION_NOT_FOUND", "Location not found")
		case !whole || n < 0 || n > maxQuantity:
			c.refuse(at+"."+text(int64(i))+"."+quantity, "INVALID_INPUT", "Quantity is invalid")
		default:
			c.then(func() {
				v.homeOnly = v.homeOnly && place != &locations[reserve]
				c.x.s.put(level{v, place}, n)
			})
		}
	}
}

func (x *gqlRun) variantInputs() []input {
	return input{"variants": x.args.value("variants")}.objects("variants")
}

// variantsUpdate is productVariantsBulkUpdate.
func (x *gqlRun) variantsUpdate() *payload[writtenVariants] {
	p, ok := x.s.byGid(x.args.text("productId")).(*product)
	if !ok {
		return refusal[writtenVariants]("productId", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
	}
	whole := &check{x: x}
	made := writtenVariants{of: p}
	for i, e := range x.variantInputs() {
		c := &check{x: x}
		v := c.changedVariant(p, e, "variants."+text(int64(i)))
		whole.errs = append(whole.errs, c.errs...)
		if len(c.errs) > 0 {
			continue
		}
		whole.todo = append(whole.todo, c.todo...)
		whole.then(func() {
			v.touch(x.s.now())
			x.s.happened(PriceChanged, v.id)
		})
		made.all = append(made.all, v)
	}
	if x.args.yes("allowPartialUpdates") {
		errs := whole.errs
		whole.errs = nil
		done := finish(whole, func() writtenVariants { return made })
		done.errs = errs
		return done
	}
	return finish(whole, func() writtenVariants { return made })
}

// changedVariant reads the changes of one variant of a product.
func (c *check) changedVariant(p *product, e input, at string) *variant {
	if e.text("id") == "" {
		c.refuse(at+".id", "PRODUCT_VARIANT_ID_MISSING", "Product variant is missing ID attribute")
		return nil
	}
	v, ok := c.x.s.byGid(e.text("id")).(*variant)
	if !ok || v.of != p {
		c.refuse(at+".id", "PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist")
		return nil
	}
	if e.has("inventoryQuantities") {
		c.refuse(at+".inventoryQuantities", "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE", "Inventory quantities can only be provided during create")
	}
	c.variantIn(v, e, at)
	if e.has("optionValues") {
		if options, ok := c.optionsIn(p, e, at); ok {
			c.then(func() {
				p.widen(options)
				v.options = options
			})
		}
	}
	return v
}

// variantsCreate is productVariantsBulkCreate.
func (x *gqlRun) variantsCreate() *payload[writtenVariants] {
	p, ok := x.s.byGid(x.args.text("productId")).(*product)
	if !ok {
		return refusal[writtenVariants]("productId", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
	}
	c := &check{x: x, words: map[string]string{"OPTION_DOES_NOT_EXIST": "OPTION_VALUES_FOR_NUMBER_OF_UNKNOWN_OPTIONS"}}
	standing := p.sellables()
	if x.args.text("strategy") == "REMOVE_STANDALONE_VARIANT" && len(standing) == 1 && len(p.axes) > 0 {
		alone := standing[0]
		c.then(func() { x.s.dropVariant(alone) })
		standing = nil
	}
	made := writtenVariants{of: p}
	for i, e := range x.variantInputs() {
		at := "variants." + text(int64(i))
		options, ok := c.optionsIn(p, e, at)
		if !ok {
			continue
		}
		same := func(v *variant) bool { return slices.Equal(v.options, options) }
		if slices.ContainsFunc(standing, same) || slices.ContainsFunc(made.all, same) {
			c.refuse(at, "VARIANT_ALREADY_EXISTS", "The variant '"+strings.Join(options, " / ")+"' already exists.")
			continue
		}
		v := p.newVariant()
		v.options = options
		c.then(func() { x.s.admitVariant(v) })
		c.variantIn(v, e, at)
		c.stockIn(v, e.objects("inventoryQuantities"), "availableQuantity", at+".inventoryQuantities")
		made.all = append(made.all, v)
	}
	return finish(c, func() writtenVariants {
		x.s.edited(p)
		return made
	})
}

// admitVariant puts a new variant into its product.
func (s *Shop) admitVariant(v *variant) {
	v.id, v.created, v.counted = s.post(), s.now(), s.now()
	v.touch(s.now())
	v.of.widen(v.options)
	v.of.variants = append(v.of.variants, v)
	s.sellable = append(s.sellable, v)
}

// dropVariant deletes a variant for good.
func (s *Shop) dropVariant(v *variant) {
	v.gone = true
	s.bury(intake.Variants, v.id)
	s.edited(v.of)
}

// variantsDelete is productVariantsBulkDelete.
func (x *gqlRun) variantsDelete() *payload[*product] {
	p, ok := x.s.byGid(x.args.text("productId")).(*product)
	if !ok {
		return refusal[*product]("productId", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
	}
	c := &check{x: x}
	ids := x.args.texts("variantsIds")
	for i, id := range ids {
		v, ok := x.s.byGid(id).(*variant)
		if !ok || v.of != p {
			c.refuse("variantsIds."+text(int64(i)), "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT", "At least one variant does not belong to the product")
			continue
		}
		c.then(func() { x.s.dropVariant(v) })
	}
	if len(ids) >= len(p.sellables()) {
		c.refuse("variantsIds", "CANNOT_DELETE_LAST_VARIANT", "Cannot delete the last variant of a product")
	}
	return finish(c, func() *product { return p })
}

// itemUpdate is inventoryItemUpdate.
func (x *gqlRun) itemUpdate() *payload[inventoryItem] {
	i, ok := x.s.byGid(x.args.text("id")).(inventoryItem)
	if !ok {
		return refusal[inventoryItem]("id", "", "The product couldn't be updated because it does not exist.")
	}
	c := &check{x: x}
	c.itemIn(i.variant, x.args.object("input"), "input")
	return finish(c, func() inventoryItem {
		i.touch(x.s.now())
		x.s.happened(PriceChanged, i.id)
		return i
	})
}
