package sandbox

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// vendor makes all that the shop sells.
const vendor = "Comptoir"

// firstItem keeps the ids of inventory items apart from those of variants: a
// reader that takes one for the other must find nothing.
const firstItem = 40_000_000

func (v *variant) itemID() int64 { return firstItem + v.id }

// inventoryItem is the variant as something that is counted.
type inventoryItem struct{ *variant }

// media is a picture of a product.
type media struct {
	of *product
	*picture
}

// media are the pictures of a product: until someone sets them it has one.
func (p *product) media() []media {
	if !p.pictured {
		return []media{{p, &picture{id: p.own.id, src: "https://cdn.example/" + p.slug + ".jpg", alt: p.title}}}
	}
	all := make([]media, len(p.pictures))
	for i := range all {
		all[i] = media{p, &p.pictures[i]}
	}
	return all
}

// choice is a dimension of choice of a product; one without any has the
// platform's placeholder.
type choice struct {
	of       *product
	position int
	name     string
	values   []string
}

func (c *choice) id() int64 { return c.of.own.id*10 + int64(c.position) }

func (p *product) choices() []*choice {
	if len(p.axes) == 0 {
		return []*choice{{of: p, position: 1, name: "Title", values: []string{"Default Title"}}}
	}
	all := make([]*choice, len(p.axes))
	for i, a := range p.axes {
		all[i] = &choice{of: p, position: i + 1, name: a.name, values: a.values}
	}
	return all
}

// chosen is what a variant is of its product's choices.
func (v *variant) chosen() []attribute {
	if len(v.options) == 0 {
		return []attribute{{"Title", "Default Title"}}
	}
	all := make([]attribute, len(v.options))
	for i, o := range v.options {
		all[i] = attribute{v.of.axes[i].name, o}
	}
	return all
}

func (v *variant) name() string {
	if len(v.options) == 0 {
		return "Default Title"
	}
	return strings.Join(v.options, " / ")
}

// productStatus is the shop's word for who sees the product.
func (p *product) productStatus() string {
	switch p.visible {
	case "publish":
		return "ACTIVE"
	case "draft":
		return "DRAFT"
	default:
		return "ARCHIVED"
	}
}

// onShelf is what the product has left in all.
func (p *product) onShelf() int64 {
	var n int64
	for _, v := range p.sellables() {
		if v.tracked {
			n += v.stock
		}
	}
	return n
}

// collections are those that hold a product, in order of id.
func (p *product) collections() []*category {
	all := slices.Clone(p.in)
	slices.SortFunc(all, func(a, b *category) int { return compare(a.id, b.id) })
	return all
}

func (s *Shop) category(id int64) *category {
	for _, c := range s.categories {
		if c.id == id {
			return c
		}
	}
	return nil
}

// barcode is a GTIN of the range that is kept for use within a company. One
// variant in four has none.
func (v *variant) barcode() string {
	if v.coded {
		return v.gtin
	}
	if v.id%4 == 0 {
		return ""
	}
	digits := "2" + zeros(v.id, 11)
	sum := 0
	for i, d := range digits {
		sum += int(d-'0') * (1 + i%2*2)
	}
	return digits + text(int64((10-sum%10)%10))
}

// zeros writes n with so many digits.
func zeros(n int64, digits int) string {
	t := text(n)
	return strings.Repeat("0", max(0, digits-len(t))) + t
}

// twins is how many other variants have the same SKU.
func (s *Shop) twins(v *variant) int64 {
	var n int64
	for _, other := range s.allVariants() {
		if other != v && v.shownSKU() != "" && other.shownSKU() == v.shownSKU() {
			n++
		}
	}
	return n
}

// quantityOf is how much of something is in one state.
type quantityOf struct {
	of    level
	state string
}

func goodsTypes() []gqlType {
	return []gqlType{
		{name: "Product", is: []string{"Node", "HasEvents"}, fields: gqlFields{
			"id":               gqlID("Product", func(_ *gqlRun, p *product) int64 { return p.own.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, p *product) int64 { return p.own.id }),
			"title":            gqlText(func(_ *gqlRun, p *product) string { return p.title }),
			"handle":           gqlText(func(_ *gqlRun, p *product) string { return p.slug }),
			"descriptionHtml":  gqlText(func(_ *gqlRun, p *product) string { return p.html() }),
			"description":      gqlText(func(_ *gqlRun, p *product) string { return htmlTag.ReplaceAllString(p.html(), "") }),
			"vendor":           gqlText(func(_ *gqlRun, p *product) string { return cmp.Or(p.vendor, vendor) }),
			"productType":      gqlText(func(*gqlRun, *product) string { return "" }),
			"tags":             gqlTexts(func(_ *gqlRun, p *product) []string { return p.tags }),
			"status":           gqlText(func(_ *gqlRun, p *product) string { return p.productStatus() }),
			"isGiftCard":       gqlBool(func(_ *gqlRun, p *product) bool { return p.own.gift }),
			"hasOnlyDefaultVariant": gqlBool(func(_ *gqlRun, p *product) bool {
				return len(p.axes) == 0
			}),
			"tracksInventory": gqlBool(func(_ *gqlRun, p *product) bool {
				return slices.ContainsFunc(p.sellables(), func(v *variant) bool { return v.tracked })
			}),
			"totalInventory": gqlNumber(func(_ *gqlRun, p *product) int64 { return p.onShelf() }),
			"createdAt":      gqlTime(func(_ *gqlRun, p *product) int64 { return p.own.created }),
			"updatedAt":      gqlTime(func(_ *gqlRun, p *product) int64 { return p.own.modified }),
			"publishedAt": gqlTime(func(_ *gqlRun, p *product) int64 {
				if p.visible != "publish" || p.unseen {
					return 0
				}
				return p.own.created
			}),
			"variantsCount": gqlValue("Count", func(_ *gqlRun, p *product) counted { return counted{int64(len(p.sellables())), true} }),
			"options":       gqlList("ProductOption", func(_ *gqlRun, p *product) []*choice { return p.choices() }),
			"variants": gqlConnection("ProductVariant", func(_ *gqlRun, p *product) gqlRows[*variant] {
				return gqlRows[*variant]{all: p.sellables()}
			}),
			"collections": gqlConnection("Collection", func(x *gqlRun, p *product) gqlRows[*category] {
				return gqlRows[*category]{all: p.collections()}
			}),
			"media": gqlConnection("Media", func(_ *gqlRun, p *product) gqlRows[media] {
				return gqlRows[media]{all: p.media()}
			}),
		}},
		{name: "ProductOption", is: []string{"Node"}, fields: gqlFields{
			"id":       gqlID("ProductOption", func(_ *gqlRun, o *choice) int64 { return o.id() }),
			"name":     gqlText(func(_ *gqlRun, o *choice) string { return o.name }),
			"position": gqlNumber(func(_ *gqlRun, o *choice) int64 { return int64(o.position) }),
			"values":   gqlTexts(func(_ *gqlRun, o *choice) []string { return o.values }),
		}},
		{name: "Media", which: func(any) string { return "MediaImage" }},
		{name: "MediaImage", is: []string{"Media", "Node"}, fields: gqlFields{
			"id":               gqlID("MediaImage", func(_ *gqlRun, m media) int64 { return m.id }),
			"alt":              gqlTextOrNull(func(_ *gqlRun, m media) string { return m.alt }),
			"mediaContentType": gqlText(func(*gqlRun, media) string { return "IMAGE" }),
			"status":           gqlText(func(*gqlRun, media) string { return "READY" }), // pictures are copied at once
			"image":            gqlSame("Image"),
		}},
		{name: "Image", fields: gqlFields{
			"id":      gqlID("ProductImage", func(_ *gqlRun, m media) int64 { return m.id }),
			"altText": gqlTextOrNull(func(_ *gqlRun, m media) string { return m.alt }),
			"url":     gqlText(func(_ *gqlRun, m media) string { return m.src }),
		}},
		{name: "ProductVariant", is: []string{"Node", "HasEvents"}, fields: gqlFields{
			"id":               gqlID("ProductVariant", func(_ *gqlRun, v *variant) int64 { return v.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, v *variant) int64 { return v.id }),
			"title":            gqlText(func(_ *gqlRun, v *variant) string { return v.name() }),
			"displayName":      gqlText(func(_ *gqlRun, v *variant) string { return v.of.title + " - " + v.name() }),
			"sku":              gqlTextOrNull(func(_ *gqlRun, v *variant) string { return v.shownSKU() }),
			"barcode":          gqlTextOrNull(func(_ *gqlRun, v *variant) string { return v.barcode() }),
			"price":            gqlDecimal(func(_ *gqlRun, v *variant) int64 { return micros(v.asks()) }),
			"compareAtPrice": gqlRaw(func(x *gqlRun, v *variant) {
				if before := v.before(); before > 0 {
					x.decimal(micros(before))
				} else {
					x.null()
				}
			}),
			"taxable":            gqlBool(func(_ *gqlRun, v *variant) bool { return v.class != untaxed }),
			"requiresComponents": gqlBool(func(*gqlRun, *variant) bool { return false }),
			"inventoryQuantity":  gqlNumber(func(_ *gqlRun, v *variant) int64 { return v.stock }),
			"inventoryPolicy": gqlText(func(_ *gqlRun, v *variant) string {
				if v.backorders == "no" {
					return "DENY"
				}
				return "CONTINUE"
			}),
			"availableForSale": gqlBool(func(_ *gqlRun, v *variant) bool {
				return !v.tracked || v.stock > 0 || v.backorders != "no"
			}),
			"position":        gqlNumber(func(_ *gqlRun, v *variant) int64 { return int64(1 + max(0, slices.Index(v.of.variants, v))) }),
			"createdAt":       gqlTime(func(_ *gqlRun, v *variant) int64 { return v.created }),
			"updatedAt":       gqlTime(func(_ *gqlRun, v *variant) int64 { return v.changed }),
			"selectedOptions": gqlList("SelectedOption", func(_ *gqlRun, v *variant) []attribute { return v.chosen() }),
			"product":         gqlObject("Product", func(_ *gqlRun, v *variant) *product { return v.of }),
			"inventoryItem":   gqlObject("InventoryItem", func(_ *gqlRun, v *variant) inventoryItem { return inventoryItem{v} }),
		}},
		{name: "SelectedOption", fields: gqlFields{
			"name":  gqlText(func(_ *gqlRun, a attribute) string { return a.key }),
			"value": gqlText(func(_ *gqlRun, a attribute) string { return a.value }),
		}},
		{name: "Collection", is: []string{"Node", "HasEvents"}, fields: gqlFields{
			"id":              gqlID("Collection", func(_ *gqlRun, c *category) int64 { return c.id }),
			"title":           gqlText(func(_ *gqlRun, c *category) string { return strings.ReplaceAll(c.name, "&amp;", "&") }),
			"handle":          gqlText(func(_ *gqlRun, c *category) string { return c.slug }),
			"description":     gqlText(func(_ *gqlRun, c *category) string { return c.description }),
			"descriptionHtml": gqlText(func(_ *gqlRun, c *category) string { return c.description }),
			"updatedAt":       gqlTime(func(_ *gqlRun, c *category) int64 { return c.modified }),
			"products": gqlConnection("Product", func(x *gqlRun, c *category) gqlRows[*product] {
				all := slices.DeleteFunc(slices.Clone(x.s.products), func(p *product) bool {
					return !p.listed() || !p.isIn(c)
				})
				return gqlRows[*product]{all: all}
			}),
		}},
	}
}

func stockTypes() []gqlType {
	return []gqlType{
		{name: "InventoryItem", is: []string{"Node"}, fields: gqlFields{
			"id":                gqlID("InventoryItem", func(_ *gqlRun, i inventoryItem) int64 { return i.itemID() }),
			"legacyResourceId":  gqlNumberText(func(_ *gqlRun, i inventoryItem) int64 { return i.itemID() }),
			"sku":               gqlTextOrNull(func(_ *gqlRun, i inventoryItem) string { return i.shownSKU() }),
			"tracked":           gqlBool(func(_ *gqlRun, i inventoryItem) bool { return i.tracked }),
			"requiresShipping":  gqlBool(func(_ *gqlRun, i inventoryItem) bool { return !i.virtual }),
			"duplicateSkuCount": gqlNumber(func(x *gqlRun, i inventoryItem) int64 { return x.s.twins(i.variant) }),
			"createdAt":         gqlTime(func(_ *gqlRun, i inventoryItem) int64 { return i.created }),
			"updatedAt":         gqlTime(func(_ *gqlRun, i inventoryItem) int64 { return i.changed }),
			"unitCost":          gqlObject("MoneyV2", func(_ *gqlRun, i inventoryItem) coin { return coin{cents: i.cost} }),
			"measurement":       gqlSame("InventoryItemMeasurement"),
			"variant":           gqlObject("ProductVariant", func(_ *gqlRun, i inventoryItem) *variant { return i.variant }),
			"variants": gqlConnection("ProductVariant", func(_ *gqlRun, i inventoryItem) gqlRows[*variant] {
				return gqlRows[*variant]{all: []*variant{i.variant}}
			}),
			"inventoryLevel": gqlObject("InventoryLevel", func(x *gqlRun, i inventoryItem) level {
				for _, l := range i.levels() {
					if plainGid("Location", l.at.id) == x.args.text("locationId") {
						return l
					}
				}
				return level{}
			}),
			"inventoryLevels": gqlConnection("InventoryLevel", func(x *gqlRun, i inventoryItem) gqlRows[level] {
				return rowsOf(x, i.levels(), levelKey, levelTerm)
			}),
			"locationsCount": gqlValue("Count", func(_ *gqlRun, i inventoryItem) counted { return counted{int64(len(i.levels())), true} }),
		}},
		{name: "InventoryItemMeasurement", is: []string{"Node"}, fields: gqlFields{
			"id":     gqlID("InventoryItemMeasurement", func(_ *gqlRun, i inventoryItem) int64 { return i.itemID() }),
			"weight": gqlObject("Weight", func(_ *gqlRun, i inventoryItem) weight { return i.weight() }),
		}},
		{name: "Weight", fields: gqlFields{
			"value": gqlFloat(func(_ *gqlRun, w weight) float64 { return w.value }),
			"unit":  gqlText(func(_ *gqlRun, w weight) string { return w.unit }),
		}},
		{name: "InventoryLevel", is: []string{"Node"}, fields: gqlFields{
			"id":        gqlText(func(_ *gqlRun, l level) string { return levelID(l) }),
			"isActive":  gqlBool(func(_ *gqlRun, l level) bool { return l.at.active }),
			"createdAt": gqlTime(func(_ *gqlRun, l level) int64 { return l.of.created }),
			"updatedAt": gqlTime(func(_ *gqlRun, l level) int64 { return max(l.of.created, l.of.counted) }),
			"item":      gqlObject("InventoryItem", func(_ *gqlRun, l level) inventoryItem { return inventoryItem{l.of} }),
			"location":  gqlObject("Location", func(_ *gqlRun, l level) *site { return l.at }),
			"quantities": gqlList("InventoryQuantity", func(x *gqlRun, l level) []quantityOf {
				names := x.args.texts("names")
				all := make([]quantityOf, len(names))
				for i, n := range names {
					all[i] = quantityOf{l, n}
				}
				return all
			}),
		}},
		{name: "InventoryQuantity", is: []string{"Node"}, fields: gqlFields{
			"id": gqlText(func(_ *gqlRun, q quantityOf) string {
				return plainGid("InventoryQuantity", q.of.of.id) + "?inventory_item_id=" + text(q.of.of.itemID()) + "&name=" + q.state
			}),
			"name":      gqlText(func(_ *gqlRun, q quantityOf) string { return q.state }),
			"quantity":  gqlNumber(func(x *gqlRun, q quantityOf) int64 { return x.s.quantity(q.of, q.state) }),
			"updatedAt": gqlTime(func(_ *gqlRun, q quantityOf) int64 { return max(q.of.of.created, q.of.of.counted) }),
		}},
		{name: "Location", is: []string{"Node"}, fields: gqlFields{
			"id":                   gqlID("Location", func(_ *gqlRun, l *site) int64 { return l.id }),
			"legacyResourceId":     gqlNumberText(func(_ *gqlRun, l *site) int64 { return l.id }),
			"name":                 gqlText(func(_ *gqlRun, l *site) string { return l.name }),
			"isActive":             gqlBool(func(_ *gqlRun, l *site) bool { return l.active }),
			"fulfillsOnlineOrders": gqlBool(func(_ *gqlRun, l *site) bool { return l.ships }),
			"shipsInventory":       gqlBool(func(_ *gqlRun, l *site) bool { return l.ships }),
			"isFulfillmentService": gqlBool(func(*gqlRun, *site) bool { return false }),
			"hasActiveInventory":   gqlBool(func(_ *gqlRun, l *site) bool { return l.active }),
			"createdAt":            gqlTime(func(*gqlRun, *site) int64 { return historyStart.Unix() }),
			"updatedAt":            gqlTime(func(*gqlRun, *site) int64 { return historyStart.Unix() }),
			"address":              gqlSame("LocationAddress"),
			"inventoryLevel": gqlObject("InventoryLevel", func(x *gqlRun, at *site) level {
				for _, v := range x.s.allVariants() {
					if plainGid("InventoryItem", v.itemID()) == x.args.text("inventoryItemId") {
						return v.levelAt(at)
					}
				}
				return level{}
			}),
			"inventoryLevels": gqlConnection("InventoryLevel", func(x *gqlRun, at *site) gqlRows[level] {
				var all []level
				for _, v := range x.s.allVariants() {
					if l := v.levelAt(at); l.of != nil {
						all = append(all, l)
					}
				}
				return rowsOf(x, all, levelKey, levelTerm)
			}),
		}},
		{name: "LocationAddress", fields: gqlFields{
			"address1":    gqlTextOrNull(func(_ *gqlRun, l *site) string { return "1 " + places[l.place].street }),
			"city":        gqlTextOrNull(func(_ *gqlRun, l *site) string { return places[l.place].city }),
			"zip":         gqlTextOrNull(func(_ *gqlRun, l *site) string { return places[l.place].postcode }),
			"country":     gqlTextOrNull(func(_ *gqlRun, l *site) string { return countryNames[places[l.place].country] }),
			"countryCode": gqlTextOrNull(func(_ *gqlRun, l *site) string { return places[l.place].country }),
		}},
	}
}

// weight is a weight in one of the platform's units.
type weight struct {
	value float64
	unit  string
}

func (v *variant) weight() weight {
	if v.scale != nil {
		return *v.scale
	}
	return weight{float64(v.grams), "GRAMS"}
}

// before is the price that the variant is compared with, in cents; 0: none.
func (v *variant) before() int64 {
	if v.reduced() {
		return v.price
	}
	return v.was
}

func (v *variant) levelAt(at *site) level {
	for _, l := range v.levels() {
		if l.at == at {
			return l
		}
	}
	return level{}
}

func levelID(l level) string {
	return plainGid("InventoryLevel", l.at.id) + "?inventory_item_id=" + text(l.of.itemID())
}

func levelKey(l level) gqlKey { return gqlKey{l.of.id, l.at.id} }

func levelTerm(_ *Shop, l level, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "updated_at":
		return t.instant(max(l.of.created, l.of.counted)), true
	case "created_at":
		return t.instant(l.of.created), true
	case "inventory_item_id":
		return t.number(l.of.itemID()), true
	}
	return false, false
}

var htmlTag = regexp.MustCompile(`<[^>]*>`)

// html is the product's text.
func (p *product) html() string {
	if p.written {
		return p.body
	}
	return "<p>" + p.blurb() + "</p>"
}

// blurb is the text that the shop itself wrote, as it was last edited.
func (p *product) blurb() string {
	if p.revision > 0 {
		return "Texte révisé n° " + text(int64(p.revision)) + "."
	}
	return p.short
}
