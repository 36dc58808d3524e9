package sandbox

import (
	"path"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// writeProduct writes a product with its keys in the order of the recorded
// answers.
func (e *encoder) writeProduct(p *product, r release) {
	v := p.own
	kind := "simple"
	if len(p.axes) > 0 {
		kind = "variable"
	}
	e.start()
	e.int("id", v.id)
	e.str("name", p.title)
	e.str("slug", p.slug)
	e.address("permalink", "/product/"+p.slug+"/")
	e.date("date_created", v.created)
	e.date("date_modified", v.modified)
	e.str("type", kind)
	e.str("status", p.visible)
	e.bool("featured", false)
	e.str("catalog_visibility", "visible")
	e.prose("description", p.description())
	e.prose("short_description", p.short)
	e.str("sku", v.sku)
	e.writePrices(v, kind == "variable")
	e.bool("on_sale", v.reduced())
	e.bool("purchasable", p.visible != "trash")
	e.int("total_sales", 0)
	e.writeVirtual(v)
	e.str("external_url", "")
	e.str("button_text", "")
	e.writeTaxStatus(v)
	e.bool("manage_stock", v.tracked)
	e.writeStock(v)
	e.writeBackorders(v)
	e.bool("sold_individually", false)
	e.writeSize(v)
	e.bool("shipping_required", !v.virtual)
	e.bool("shipping_taxable", !v.virtual)
	e.str("shipping_class", "")
	e.int("shipping_class_id", 0)
	e.bool("reviews_allowed", true)
	e.str("average_rating", "0.00")
	e.int("rating_count", 0)
	e.raw("upsell_ids", "[]")
	e.raw("cross_sell_ids", "[]")
	e.int("parent_id", 0)
	e.str("purchase_note", "")
	e.array("categories", func() {
		for _, k := range p.in {
			e.open('{')
			e.int("id", k.id)
			e.str("name", k.name)
			e.str("slug", k.slug)
			e.close('}')
		}
	})
	e.raw("brands", "[]")
	e.raw("tags", "[]")
	e.array("images", func() { e.writeImages(p) })
	e.array("attributes", func() { e.writeAxes(p) })
	e.raw("default_attributes", "[]")
	e.array("variations", func() {
		for _, x := range p.variants {
			if !x.gone {
				e.separate()
				e.b = append(e.b, text(x.id)...)
			}
		}
	})
	e.raw("grouped_products", "[]")
	e.int("menu_order", 0)
	e.str("price_html", priceHTML(v.asks()))
	e.raw("related_ids", "[]")
	e.array("meta_data", func() { e.writeProductMeta(v) })
	e.str("stock_status", stockStatus(v))
	e.bool("has_options", kind == "variable")
	e.str("post_password", "")
	e.str("global_unique_id", v.gtin)
	e.writeCost(v, r)
	e.links("/products", v.id, allowAll, nil)
	e.close('}')
}

// prose writes a text: as it was written for an editor, and in paragraphs for
// everyone else.
func (e *encoder) prose(k, v string) {
	if !e.edits {
		v = paragraphs(v)
	}
	e.str(k, v)
}

// paragraphs is what the platform shows of a text: what is not HTML by blocks
// gets some.
func paragraphs(v string) string {
	v = strings.TrimSpace(v)
	switch {
	case v == "":
		return ""
	case slices.ContainsFunc([]string{"<p", "<div", "<ul", "<ol", "<h", "<table"}, func(tag string) bool { return strings.HasPrefix(v, tag) }):
		return v + "\n"
	}
	var b strings.Builder
	for part := range strings.SplitSeq(v, "\n\n") {
		b.WriteString("<p>" + strings.ReplaceAll(strings.TrimSpace(part), "\n", "<br />\n") + "</p>\n")
	}
	return b.String()
}

func (p *product) description() string {
	if p.written || p.revision == 0 {
		return p.body
	}
	return "<p>Texte révisé n° " + text(int64(p.revision)) + ".</p>\n"
}

// writePrices writes the prices. That of a product with variations is the
// lowest of theirs, and it has no regular price of its own.
func (e *encoder) writePrices(v *variant, grouped bool) {
	if grouped {
		low := v.price
		for i, x := range v.of.variants {
			if i == 0 || x.asks() < low {
				low = x.asks()
			}
		}
		e.str("price", price(low))
		e.str("regular_price", "")
	} else {
		e.str("price", priceOr(v.asks(), v.unpriced))
		e.str("regular_price", priceOr(v.price, v.unpriced))
	}
	if v.sale > 0 {
		e.str("sale_price", price(v.sale))
	} else {
		e.str("sale_price", "")
	}
	e.date("date_on_sale_from", v.saleFrom)
	e.date("date_on_sale_to", v.saleTo)
}

// priceOr is a price; "" where there is none.
func priceOr(cents int64, none bool) string {
	if none {
		return ""
	}
	return price(cents)
}

func (e *encoder) writeVirtual(v *variant) {
	e.bool("virtual", v.virtual)
	e.bool("downloadable", v.download)
	e.raw("downloads", "[]")
	e.int("download_limit", -1)
	e.int("download_expiry", -1)
}

func (e *encoder) writeTaxStatus(v *variant) {
	status := "taxable"
	if v.class == untaxed {
		status = "none"
	}
	e.str("tax_status", status)
	e.str("tax_class", wooClass(v.class))
}

// writeStock writes the quantity: of the pool for a variation that shares one.
func (e *encoder) writeStock(v *variant) {
	if h := v.holder(); h.tracked {
		e.int("stock_quantity", h.stock)
	} else {
		e.null("stock_quantity")
	}
}

func stockStatus(v *variant) string {
	switch h := v.holder(); {
	case !h.tracked && h.refused != "":
		return h.refused
	case !h.tracked || h.stock > 0:
		return "instock"
	case h.backorders != "no":
		return "onbackorder"
	default:
		return "outofstock"
	}
}

func (e *encoder) writeBackorders(v *variant) {
	h := v.holder()
	e.str("backorders", h.backorders)
	e.bool("backorders_allowed", h.backorders != "no")
	e.bool("backordered", h.backorders != "no" && h.tracked && h.stock <= 0)
	e.null("low_stock_amount")
}

func (e *encoder) writeSize(v *variant) {
	weight := v.weighed
	if weight == "" && v.grams > 0 {
		weight = decimal.NewFromInt(int64(v.grams)).DivRound(e.unit, 4).String()
	}
	e.str("weight", weight)
	e.raw("dimensions", `{"length":"","width":"","height":""}`)
}

// gallery are the pictures of a product. Until someone sets them, one in three
// has one.
func (p *product) gallery() []picture {
	if p.pictured || p.own.id%3 != 0 {
		return p.pictures
	}
	return []picture{{id: p.own.id + 1_000_000, created: p.own.created, src: "/wp-content/uploads/2025/11/" + p.slug + ".jpg"}}
}

func (e *encoder) writeImages(p *product) {
	for _, shot := range p.gallery() {
		e.open('{')
		e.int("id", shot.id)
		e.date("date_created", shot.created)
		e.date("date_modified", shot.created)
		if strings.HasPrefix(shot.src, "/") {
			e.address("src", shot.src)
		} else {
			e.str("src", shot.src)
		}
		e.str("name", path.Base(shot.src))
		e.str("alt", shot.alt)
		e.close('}')
	}
}

func (e *encoder) writeAxes(p *product) {
	for i, a := range p.axes {
		e.open('{')
		e.int("id", a.attribute)
		e.str("name", a.name)
		if a.attribute == 0 { // the platform is not consistent about its slug
			e.str("slug", a.name)
		} else {
			e.str("slug", a.slug)
		}
		e.int("position", int64(i))
		e.bool("visible", true)
		e.bool("variation", true)
		e.array("options", func() {
			for _, option := range a.values {
				e.item(option)
			}
		})
		e.close('}')
	}
}

func priceHTML(cents int64) string {
	return `<span class="woocommerce-Price-amount amount"><bdi>` + strings.Replace(price(cents), ".", ",", 1) +
		`&nbsp;<span class="woocommerce-Price-currencySymbol" translate="no">&euro;</span></bdi></span>`
}

func (e *encoder) writeProductMeta(v *variant) {
	if v.gift {
		e.meta(v.id*10, "_gift_card", "yes")
	}
	if v.cost > 0 && v.costInMeta {
		e.meta(v.id*10+1, "_wc_cog_cost", price(v.cost))
	}
	e.writeMeta(v.meta)
}

// writeCost writes the platform's own cost field, which came with 9.5 and is
// there only where its feature is switched on, as it is here. (It was off in
// the recorded shop.)
func (e *encoder) writeCost(v *variant, r release) {
	if r.before(9, 5) {
		return
	}
	e.object("cost_of_goods_sold", func() {
		own := v.cost > 0 && !v.costInMeta
		e.array("values", func() {
			if own {
				e.open('{')
				e.float("defined_value", float64(v.cost)/100)
				e.float("effective_value", float64(v.cost)/100)
				e.close('}')
			}
		})
		if own {
			e.float("total_value", float64(v.cost)/100)
		} else {
			e.int("total_value", 0)
		}
	})
}

// writeMeta writes what apps keep with a record.
func (e *encoder) writeMeta(entries []metaEntry) {
	for _, m := range entries {
		e.metaRaw(m.id, m.key, m.value)
	}
}

// chosenQuery is how the address of a variation names what it is of its
// product's choices.
func (v *variant) chosenQuery() string {
	query := ""
	for i, option := range v.options {
		sep := "&"
		if i == 0 {
			sep = "?"
		}
		query += sep + "attribute_" + v.of.axes[i].slug + "=" + slug(option)
	}
	return query
}

// writeVariation writes a variation. In the list of all variations its links
// name no product, and name nothing that may be done.
func (e *encoder) writeVariation(v *variant, r release, all bool) {
	p := v.of
	e.start()
	e.int("id", v.id)
	e.str("type", "variation")
	e.date("date_created", v.created)
	e.date("date_modified", v.modified)
	e.str("description", "")
	e.address("permalink", "/product/"+p.slug+"/"+v.chosenQuery())
	e.str("sku", v.shownSKU())
	e.str("global_unique_id", v.gtin)
	e.writePrices(v, false)
	e.bool("on_sale", v.reduced())
	e.str("status", p.visible)
	e.bool("purchasable", true)
	e.writeVirtual(v)
	e.writeTaxStatus(v)
	if v.pool != nil {
		e.str("manage_stock", "parent")
	} else {
		e.bool("manage_stock", v.tracked)
	}
	e.writeStock(v)
	e.str("stock_status", stockStatus(v))
	e.writeBackorders(v)
	e.writeSize(v)
	e.str("shipping_class", "")
	e.int("shipping_class_id", 0)
	e.null("image")
	e.raw("gallery_image_ids", "[]")
	e.array("attributes", func() {
		for i, a := range p.axes {
			e.open('{')
			e.int("id", a.attribute)
			e.str("name", a.name)
			e.str("slug", a.slug)
			e.str("option", v.options[i])
			e.close('}')
		}
	})
	e.int("menu_order", 0)
	e.array("meta_data", func() { e.writeProductMeta(v) })
	e.str("name", strings.Join(v.options, ", "))
	e.int("parent_id", p.own.id)
	e.writeCost(v, r)
	e.object("_links", func() {
		up, at, allow := "/products/"+text(p.own.id), "/products/"+text(p.own.id)+"/variations", allowAll
		if all {
			up, at, allow = "/products/0", "/variations", ""
		}
		e.link("self", wooRoot+at+"/"+text(v.id), allow)
		e.href("collection", wooRoot+at)
		e.href("up", wooRoot+up)
	})
	e.close('}')
}

func (e *encoder) writeCategory(c *category, products []*product) {
	n := int64(0)
	for _, p := range products {
		if p.isIn(c) && p.listed() {
			n++
		}
	}
	e.start()
	e.int("id", c.id)
	e.str("name", c.name)
	e.str("slug", c.slug)
	e.int("parent", c.parent)
	e.str("description", c.description)
	e.str("display", "default")
	e.null("image")
	e.int("menu_order", int64(c.position))
	e.int("count", n)
	e.links("/products/categories", c.id, allowAll, func() {
		if c.parent != 0 {
			e.href("up", wooRoot+"/products/categories/"+text(c.parent))
		}
	})
	e.close('}')
}
