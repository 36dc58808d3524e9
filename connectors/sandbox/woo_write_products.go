package sandbox

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// productKinds are the types that the platform checks, of products and of
// variations alike.
func productKinds() kinds {
	k := kinds{
		"backorders": "enum:no,notify,yes", "stock_status": "enum:instock,outofstock,onbackorder",
		"stock_quantity": "integer", "manage_stock": "boolean", "virtual": "boolean", "downloadable": "boolean",
		"attributes": "array", "meta_data": "array", "images": "array", "categories": "array", "menu_order": "integer",
	}
	for _, name := range []string{"name", "slug", "description", "short_description", "sku", "global_unique_id", "regular_price", "sale_price", "weight", "tax_class"} {
		k[name] = "string"
	}
	k["status"] = "enum:draft,pending,private,publish,future,auto-draft,trash"
	k["type"] = "enum:simple,grouped,external,variable"
	return k
}

func (c *call) productRoom() *room {
	s := c.s
	return &room{
		kinds: productKinds(), batches: true,
		make: func(p params) (any, *reply) {
			if refused := s.skuTaken(nil, p); refused != nil {
				return nil, refused
			}
			if _, refused := s.shots(&product{pictured: true}, p); refused != nil {
				return nil, refused
			}
			of := s.newProduct(cmp.Or(p.text("name"), "Product"), s.categories[0])
			of.title, of.short, of.own.class, of.own.unpriced = p.text("name"), "", standard, true
			refused := s.writeProduct(of, p)
			s.happened(ProductAdded, of.own.id)
			return of, refused
		},
		change: func(id int64, p params) (any, *reply) {
			of := s.product(id)
			switch {
			case of == nil && s.variant(id) != nil:
				return nil, failure(http.StatusNotFound, "woocommerce_rest_invalid_product_id", "To manipulate product variations you should use the "+
					"/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.")
			case of == nil:
				return nil, invalidID("product", http.StatusBadRequest)
			}
			if refused := s.skuTaken(of.own, p); refused != nil {
				return nil, refused
			}
			return of, s.writeProduct(of, p)
		},
		remove: func(id int64, force bool) (any, *reply) {
			of := s.product(id)
			switch {
			case of == nil:
				return nil, invalidID("product", http.StatusNotFound)
			case force:
				s.discontinue(id)
			case of.visible == "trash":
				return nil, failure(http.StatusGone, "woocommerce_rest_already_trashed", "The product has already been deleted.")
			default:
				of.visible = "trash"
				of.own.touch(s.now())
				s.happened(ProductGone, id)
			}
			return of, nil
		},
		write: func(e *encoder, of any) { e.writeProduct(of.(*product), s.release) },
	}
}

func invalidID(kind string, status int) *reply {
	return failure(status, "woocommerce_rest_"+kind+"_invalid_id", "Invalid ID.")
}

func (c *call) variationRoom(parent int64) *room {
	s := c.s
	own := func(id int64) *variant {
		if v := s.variant(id); v != nil && v != v.of.own && v.of.own.id == parent {
			return v
		}
		return nil
	}
	return &room{
		kinds: productKinds(), batches: true,
		make: func(p params) (any, *reply) {
			of := s.product(parent)
			if of == nil {
				return nil, invalidID("product", http.StatusNotFound)
			}
			if refused := s.skuTaken(nil, p); refused != nil {
				return nil, refused
			}
			v := &variant{id: s.post(), of: of, options: make([]string, len(of.axes)), class: of.own.class, backorders: "no", unpriced: true,
				created: s.now(), modified: s.now(), changed: s.now()}
			if of.own.tracked {
				v.pool = of.own
			}
			of.variants = append(of.variants, v)
			s.writeVariation(v, p)
			return v, nil
		},
		change: func(id int64, p params) (any, *reply) {
			v := own(id)
			if v == nil {
				return nil, invalidID("product_variation", http.StatusBadRequest)
			}
			if refused := s.skuTaken(v, p); refused != nil {
				return nil, refused
			}
			s.writeVariation(v, p)
			return v, nil
		},
		remove: func(id int64, force bool) (any, *reply) {
			v := own(id)
			switch {
			case v == nil:
				return nil, invalidID("product_variation", http.StatusNotFound)
			case !force:
				return nil, noTrash()
			}
			v.gone = true
			v.of.own.modified = s.now()
			s.happened(ProductEdited, v.of.own.id)
			return v, nil
		},
		write: func(e *encoder, of any) { e.writeVariation(of.(*variant), s.release, false) },
	}
}

// noTrash refuses to put in the trash what only can be deleted for good.
func noTrash() *reply {
	return failure(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Resource does not support trashing. Set force=true to delete.")
}

// skuTaken refuses a SKU or a barcode that another product has, be it in the
// trash.
func (s *Shop) skuTaken(own *variant, p params) *reply {
	for _, c := range []struct {
		field, code, message string
		of                   func(*variant) string
	}{
		{"sku", "product_invalid_sku", "Invalid or duplicated SKU.", func(v *variant) string { return v.sku }},
		{"global_unique_id", "product_invalid_global_unique_id", "Invalid or duplicated GTIN, UPC, EAN or ISBN.", func(v *variant) string { return v.gtin }},
	} {
		wanted := p.text(c.field)
		if wanted == "" {
			continue
		}
		for _, v := range s.stockKeeping() {
			if v == own || c.of(v) != wanted {
				continue
			}
			var e encoder
			e.open('{')
			e.str("code", c.code)
			e.str("message", c.message)
			e.object("data", func() {
				e.int("status", http.StatusBadRequest)
				e.int("resource_id", v.id)
				if c.field == "sku" {
					e.str("unique_sku", wanted+"-1")
				}
			})
			e.close('}')
			return jsonReply(http.StatusBadRequest, e.b)
		}
	}
	return nil
}

// stockKeeping are all products and variations that are not deleted for good.
func (s *Shop) stockKeeping() []*variant {
	var all []*variant
	for _, p := range s.products {
		if p.own.gone {
			continue
		}
		all = append(all, p.own)
		for _, v := range p.variants {
			if !v.gone {
				all = append(all, v)
			}
		}
	}
	return all
}

// writeProduct changes what a request names of a product. What is wrong is
// refused before anything is changed.
func (s *Shop) writeProduct(p *product, given params) *reply {
	shots, refused := s.shots(p, given)
	if refused != nil {
		return refused
	}
	was := p.visible
	set(given, "name", &p.title)
	set(given, "short_description", &p.short)
	set(given, "status", &p.visible)
	if given.has("slug") {
		p.slug = slug(given.text("slug"))
	}
	if given.has("description") {
		p.written, p.body = true, given.text("description")
	}
	if given.has("categories") {
		p.in = s.chosenCategories(given.objects("categories"))
	}
	if given.has("images") {
		p.pictured, p.pictures = true, shots
	}
	if given.text("type") == "variable" || len(p.axes) > 0 {
		p.setAxes(given)
	}
	s.writeVariant(p.own, given)
	s.shareStock(p)
	p.own.touch(s.now())
	if p.visible != was && (p.visible == "trash" || was == "trash") {
		s.happened(ProductGone, p.own.id)
	}
	s.happened(ProductEdited, p.own.id)
	return nil
}

func set(given params, name string, into *string) {
	if given.has(name) {
		*into = given.text(name)
	}
}

// shots reads the pictures that a request names: those that the product has, by
// id, and new ones, which the shop copies to its own site.
func (s *Shop) shots(p *product, given params) ([]picture, *reply) {
	var shots []picture
	for _, g := range given.objects("images") {
		src := g.text("src")
		if at := slices.IndexFunc(p.gallery(), func(x picture) bool { return x.id == g.whole("id") && g.whole("id") != 0 }); at >= 0 {
			shots = append(shots, p.gallery()[at])
			continue
		}
		if !strings.HasPrefix(src, "http://") && !strings.HasPrefix(src, "https://") {
			return nil, failure(http.StatusBadRequest, "woocommerce_product_image_upload_error", "Invalid URL "+src+".")
		}
		month := time.Unix(s.now(), 0).In(s.zone).Format("2006/01")
		id := s.post()
		shots = append(shots, picture{id: id, created: s.now(), alt: g.text("alt"), src: "/wp-content/uploads/" + month + "/" + text(id) + "-" + path.Base(src)})
	}
	return shots, nil
}

// chosenCategories are those with the ids, in order of their names; the shop's
// default where there is none.
func (s *Shop) chosenCategories(given []params) []*category {
	var in []*category
	for _, g := range given {
		if k := s.category(g.whole("id")); k != nil && !slices.Contains(in, k) {
			in = append(in, k)
		}
	}
	if len(in) == 0 {
		return s.categories[:1:1]
	}
	slices.SortFunc(in, func(a, b *category) int { return cmp.Or(strings.Compare(a.name, b.name), compare(a.id, b.id)) })
	return in
}

// setAxes sets the attributes that variations are chosen by. Others are not
// kept.
func (p *product) setAxes(given params) {
	if !given.has("attributes") {
		if len(p.axes) == 0 { // a product with variations that has none yet
			p.axes = []axis{{name: "Option", slug: "option"}}
		}
		return
	}
	p.axes = nil
	for _, g := range given.objects("attributes") {
		if !g.yes("variation") {
			continue
		}
		a := axis{attribute: g.whole("id"), name: g.text("name"), slug: slug(g.text("name"))}
		list, _ := g["options"].([]any)
		for _, value := range list {
			a.values = append(a.values, params{"v": value}.text("v"))
		}
		p.axes = append(p.axes, a)
	}
}

// shareStock has the variations that count none of their own share the stock of
// their product, where it counts.
func (s *Shop) shareStock(p *product) {
	changed := false
	for _, v := range p.variants {
		before := v.pool
		v.pool = nil
		if !v.tracked && p.own.tracked {
			v.pool = p.own
		}
		changed = changed || v.pool != before
	}
	if changed {
		s.recount(p)
	}
}

// writeVariation changes what a request names of a variation.
func (s *Shop) writeVariation(v *variant, given params) {
	for _, g := range given.objects("attributes") {
		for i, a := range v.of.axes {
			if a.attribute != 0 && a.attribute == g.whole("id") || strings.EqualFold(a.name, g.text("name")) {
				v.options[i] = g.text("option")
			}
		}
	}
	s.writeVariant(v, given)
	if given.has("manage_stock") {
		s.shareStock(v.of)
	}
	if !v.tracked && v.pool == nil {
		v.backorders = "no"
	}
	v.touch(s.now())
	s.happened(ProductEdited, v.id)
}
