package sandbox

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// How products are written: texts, status, collections and pictures. Their
// variants are in shopify_variants.go.

// productIn reads the members that all inputs of products share.
func (c *check) productIn(p *product, in input, at string) {
	s := c.x.s
	c.only(in, at, "id", "title", "descriptionHtml", "handle", "redirectNewHandle", "status", "vendor", "tags", "collectionsToJoin", "collectionsToLeave",
		"collections", "metafields", "productOptions", "variants", "files")
	if in.has("title") {
		title := strings.TrimSpace(in.text("title"))
		if title == "" {
			c.refuse(at+"title", "INVALID_PRODUCT", "Title can't be blank")
		}
		c.then(func() { p.title = title })
	}
	if in.has("descriptionHtml") {
		c.then(func() { p.written, p.body = true, in.text("descriptionHtml") })
	}
	if handle := in.text("handle"); handle != "" && handle != p.slug {
		if s.productBySlug(handle) != nil {
			c.refuse(at+"handle", "HANDLE_NOT_UNIQUE", "Handle has already been taken")
		}
		c.then(func() { p.slug = handle })
	}
	switch status := in.text("status"); status {
	case "":
	case "ACTIVE":
		c.then(func() { p.visible = "publish" })
	case "DRAFT":
		c.then(func() { p.visible = "draft" })
	case "ARCHIVED":
		c.then(func() { p.visible = "private" })
	default:
		c.refuse(at+"status", "INVALID_PRODUCT", "The sandbox does not play the status "+status)
	}
	if in.has("vendor") {
		c.then(func() { p.vendor = in.text("vendor") })
	}
	if in.has("tags") {
		c.then(func() { p.tags = in.texts("tags") })
	}
	c.collectionsIn(p, in, at)
	c.metafields(in, at, func(key, value string) { p.own.meta = s.keep(p.own.meta, key, value) })
}

// collectionsIn reads into which collections a product is to be put, and from
// which it is to be taken.
func (c *check) collectionsIn(p *product, in input, at string) {
	named := func(list string) []*category {
		var all []*category
		for i, id := range in.texts(list) {
			k, ok := c.x.s.byGid(id).(*category)
			if !ok {
				c.refuse(at+list+"."+text(int64(i)), "INVALID_PRODUCT", "Collection does not exist")
				continue
			}
			if k.ruled && (list != "collections" || !p.isIn(k)) {
				c.refuse(at+list+"."+text(int64(i)), "INVALID_PRODUCT", "Products can't be added to or removed from a collection that is filled by conditions")
				continue
			}
			all = append(all, k)
		}
		return all
	}
	join, leave := named("collectionsToJoin"), named("collectionsToLeave")
	if in.has("collections") { // of productSet: all of them
		all := named("collections")
		for _, k := range p.in {
			if k.ruled && !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
		c.then(func() { p.in = all })
	}
	c.then(func() {
		kept := slices.DeleteFunc(slices.Clone(p.in), func(k *category) bool { return slices.Contains(leave, k) })
		for _, k := range join {
			if !slices.Contains(kept, k) {
				kept = append(kept, k)
			}
		}
		p.in = kept
	})
}

// mediaIn reads pictures: those of argument media are added, the files of
// productSet are all that there are then.
func (c *check) mediaIn(p *product, list []input, at string, all bool) {
	s := c.x.s
	known := p.media()
	var then []picture
	if !all {
		for _, m := range known {
			then = append(then, *m.picture)
		}
	}
	for i, m := range list {
		if id := m.text("id"); id != "" {
			k := slices.IndexFunc(known, func(m media) bool { return plainGid("MediaImage", m.id) == id })
			if k < 0 {
				c.refuse(at+"."+text(int64(i))+".id", "INVALID_INPUT", "File does not exist")
				continue
			}
			then = append(then, *known[k].picture)
			continue
		}
		source := m.text("originalSource")
		if u, err := url.Parse(source); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			c.refuse(at+"."+text(int64(i))+".originalSource", "INVALID_INPUT", "Image URL is invalid")
			continue
		}
		// The file is copied, and has another address from then on.
		id := s.post()
		then = append(then, picture{id: id, src: "https://cdn.example/files/" + text(id) + "/" + path.Base(source), alt: m.text("alt")})
	}
	c.then(func() { p.pictured, p.pictures = true, then })
}

func (s *Shop) productBySlug(handle string) *product {
	for _, p := range s.products {
		if p.listed() && p.slug == handle {
			return p
		}
	}
	return nil
}

// ownSlug is a handle that no other product has.
func (s *Shop) ownSlug(title string) string {
	handle := slug(title)
	if handle == "" {
		handle = "produit"
	}
	own := handle
	for n := int64(1); s.productBySlug(own) != nil; n++ {
		own = handle + "-" + text(n)
	}
	return own
}

// edited dates a product that was changed.
func (s *Shop) edited(p *product) *product {
	p.own.modified = s.now()
	s.happened(ProductEdited, p.own.id)
	return p
}

// identified is the product that an argument identifier, or an id, names.
func (x *gqlRun) identified(id string) *product {
	by := input(x.args.object("identifier"))
	if by.text("handle") != "" {
		return x.s.productBySlug(by.text("handle"))
	}
	if by.text("id") != "" {
		id = by.text("id")
	}
	p, _ := x.s.byGid(id).(*product)
	return p
}

// mediaArg are the pictures that stand beside the input.
func (x *gqlRun) mediaArg() []input { return input{"media": x.args.value("media")}.objects("media") }

// productArg is the input of a product, under its name or the one that it had.
func (x *gqlRun) productArg() input {
	if in := x.args.object("product"); in != nil {
		return in
	}
	return x.args.object("input")
}

func (x *gqlRun) productUpdate() *payload[*product] {
	in := x.productArg()
	p := x.identified(in.text("id"))
	if p == nil {
		return refusal[*product]("id", "", "Product does not exist")
	}
	c := &check{x: x}
	c.productIn(p, in, "")
	if media := x.mediaArg(); len(media) > 0 {
		c.mediaIn(p, media, "media", false)
	}
	return finish(c, func() *product { return x.s.edited(p) })
}

// newGoods is a product that does not stand in the shop yet. It is put there by
// admit.
func (s *Shop) newGoods(in input) *product {
	p := &product{visible: "publish", unseen: true, pictured: true, written: true}
	p.own = &variant{of: p, backorders: "no", tracked: true, homeOnly: true, coded: true}
	p.title = strings.TrimSpace(in.text("title"))
	return p
}

// admit puts a new product into the shop, with its variants.
func (s *Shop) admit(p *product) {
	p.own.id = s.post()
	p.own.tracked = len(p.axes) == 0
	p.slug = s.ownSlug(p.title)
	for _, v := range p.variants {
		v.id = s.post()
	}
	for _, v := range append([]*variant{p.own}, p.variants...) {
		v.created, v.modified, v.changed, v.counted = s.now(), s.now(), s.now(), s.now()
	}
	s.products = append(s.products, p)
	s.sellable = append(s.sellable, p.sellables()...)
}

func (x *gqlRun) productCreate() *payload[*product] {
	in := x.productArg()
	p := x.s.newGoods(in)
	c := &check{x: x}
	c.productIn(p, in, "")
	if p.title == "" && !in.has("title") {
		c.refuse("title", "", "Title can't be blank")
	}
	c.mediaIn(p, x.mediaArg(), "media", true)
	if p.axes = c.axes(in); len(p.axes) > 0 {
		v := p.newVariant()
		for _, a := range p.axes {
			v.options = append(v.options, a.values[0])
		}
		p.variants = append(p.variants, v)
	}
	return c.add(p)
}

// add puts a new product into the shop, where nothing is wrong with it, and
// then does what was noted about it.
func (c *check) add(p *product) *payload[*product] {
	c.todo = append([]func(){func() { c.x.s.admit(p) }}, c.todo...)
	return finish(c, func() *product {
		c.x.s.happened(ProductAdded, p.own.id)
		return p
	})
}

// fileUpdate takes pictures from products and puts them there.
func (x *gqlRun) fileUpdate() *payload[[]any] {
	c := &check{x: x}
	var made []any
	for i, f := range (input{"files": x.args.value("files")}).objects("files") {
		at := "files." + text(int64(i))
		m, ok := x.s.pictureBy(f.text("id"))
		if !ok {
			c.refuse(at+".id", "FILE_DOES_NOT_EXIST", "File id "+f.text("id")+" does not exist.")
			continue
		}
		for _, to := range []string{"referencesToRemove", "referencesToAdd"} {
			for k, id := range f.texts(to) {
				p, ok := x.s.byGid(id).(*product)
				if !ok {
					c.refuse(at+"."+to+"."+text(int64(k)), "REFERENCE_TARGET_DOES_NOT_EXIST", "Reference target does not exist")
					continue
				}
				c.then(func() { x.s.rehang(p, *m.picture, to == "referencesToAdd") })
			}
		}
		if f.has("alt") {
			c.refuse(at+".alt", "INVALID", "The sandbox does not play changes of alternative texts")
		}
		made = append(made, m)
	}
	return finish(c, func() []any { return made })
}

// rehang hangs a picture behind those of a product, or takes it down.
func (s *Shop) rehang(p *product, shot picture, up bool) {
	var all []picture
	for _, m := range p.media() {
		if m.id != shot.id {
			all = append(all, *m.picture)
		}
	}
	if up {
		all = append(all, shot)
	}
	p.pictured, p.pictures = true, all
	s.edited(p)
}

// reorderMedia moves pictures of a product to the places that are named, one after
// the other.
func (x *gqlRun) reorderMedia() *payload[*job] {
	p, ok := x.s.byGid(x.args.text("id")).(*product)
	if !ok {
		return refusal[*job]("id", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
	}
	c := &check{x: x}
	var all []picture
	for _, m := range p.media() {
		all = append(all, *m.picture)
	}
	for i, move := range (input{"moves": x.args.value("moves")}).objects("moves") {
		k := slices.IndexFunc(all, func(shot picture) bool { return plainGid("MediaImage", shot.id) == move.text("id") })
		if k < 0 {
			c.refuse("moves."+text(int64(i))+".id", "MEDIA_DOES_NOT_EXIST", "Media does not exist")
			continue
		}
		shot := all[k]
		all = slices.Delete(all, k, k+1)
		all = slices.Insert(all, min(int(number(move.text("newPosition"))), len(all)), shot)
	}
	return finish(c, func() *job {
		return x.s.later(func() {
			p.pictured, p.pictures = true, all
			x.s.edited(p)
		})
	})
}

// pictureBy finds a picture that hangs somewhere.
func (s *Shop) pictureBy(gid string) (media, bool) {
	for _, p := range s.products {
		for _, m := range p.media() {
			if p.listed() && plainGid("MediaImage", m.id) == gid {
				return m, true
			}
		}
	}
	return media{}, false
}

func writtenGoodsTypes() []gqlType {
	return []gqlType{
		{name: "Mutation", fields: gqlFields{
			"productUpdate":             mutation("ProductUpdatePayload", (*gqlRun).productUpdate),
			"productCreate":             mutation("ProductCreatePayload", (*gqlRun).productCreate),
			"productSet":                mutation("ProductSetPayload", (*gqlRun).productSet),
			"productVariantsBulkUpdate": mutation("ProductVariantsBulkUpdatePayload", (*gqlRun).variantsUpdate),
			"productVariantsBulkCreate": mutation("ProductVariantsBulkCreatePayload", (*gqlRun).variantsCreate),
			"productVariantsBulkDelete": mutation("ProductVariantsBulkDeletePayload", (*gqlRun).variantsDelete),
			"inventoryItemUpdate":       mutation("InventoryItemUpdatePayload", (*gqlRun).itemUpdate),
			"fileUpdate":                mutation("FileUpdatePayload", (*gqlRun).fileUpdate),
			"productReorderMedia":       mutation("ProductReorderMediaPayload", (*gqlRun).reorderMedia),
		}},
		{name: "QueryRoot", fields: gqlFields{
			"productByIdentifier": gqlObject("Product", func(x *gqlRun, _ gqlRoot) *product { return x.identified("") }),
		}},
		{name: "ProductUpdatePayload", fields: payloadFields[*product]("product", "Product", "UserError")},
		{name: "ProductCreatePayload", fields: payloadFields[*product]("product", "Product", "UserError")},
		{name: "ProductSetPayload", fields: payloadFields[*product]("product", "Product", "ProductSetUserError")},
		{name: "ProductSetUserError", fields: userErrorFields(true)},
		{name: "ProductVariantsBulkUpdatePayload", fields: variantPayload("ProductVariantsBulkUpdateUserError")},
		{name: "ProductVariantsBulkUpdateUserError", fields: userErrorFields(true)},
		{name: "ProductVariantsBulkCreatePayload", fields: variantPayload("ProductVariantsBulkCreateUserError")},
		{name: "ProductVariantsBulkCreateUserError", fields: userErrorFields(true)},
		{name: "ProductVariantsBulkDeletePayload", fields: payloadFields[*product]("product", "Product", "ProductVariantsBulkDeleteUserError")},
		{name: "ProductVariantsBulkDeleteUserError", fields: userErrorFields(true)},
		{name: "InventoryItemUpdatePayload", fields: payloadFields[inventoryItem]("inventoryItem", "InventoryItem", "UserError")},
		{name: "File", which: func(any) string { return "MediaImage" }},
		{name: "MediaImage", is: []string{"File"}},
		{name: "FileUpdatePayload", fields: gqlFields{
			"files":      gqlList("File", func(_ *gqlRun, p *payload[[]any]) []any { return p.made }),
			"userErrors": gqlList("FilesUserError", func(_ *gqlRun, p *payload[[]any]) []userError { return p.errs }),
		}},
		{name: "FilesUserError", fields: userErrorFields(true)},
		{name: "ProductReorderMediaPayload", fields: gqlFields{
			"job":             gqlObject("Job", func(_ *gqlRun, p *payload[*job]) *job { return p.made }),
			"mediaUserErrors": gqlList("MediaUserError", func(_ *gqlRun, p *payload[*job]) []userError { return p.errs }),
		}},
		{name: "MediaUserError", fields: userErrorFields(true)},
	}
}
