package sandbox

import (
	"slices"
	"strings"
)

// How collections are written, and what is published where.

// collectionArg is the input of a collection: under its name since 2026-07,
// and under the one that it had.
func (x *gqlRun) collectionArg() input {
	if in := x.args.object("collection"); in != nil && x.version >= "2026-07" {
		return in
	}
	return x.args.object("input")
}

// collectionIn reads what an input says of a collection.
func (c *check) collectionIn(k *category, in input) {
	s := c.x.s
	c.only(in, "", "id", "title", "descriptionHtml", "handle", "redirectNewHandle", "products", "metafields") // filled by hand, not by rules
	if in.has("title") {
		title := strings.TrimSpace(in.text("title"))
		if title == "" {
			c.refuse("title", "", "Title can't be blank")
		}
		c.then(func() { k.name = title })
	}
	if in.has("descriptionHtml") {
		c.then(func() { k.description = in.text("descriptionHtml") })
	}
	if handle := in.text("handle"); handle != "" && handle != k.slug {
		if s.categoryBySlug(handle) != nil {
			c.refuse("handle", "", "Handle has already been taken")
		}
		c.then(func() { k.slug = handle })
	}
	for i, id := range in.texts("products") {
		p, ok := s.byGid(id).(*product)
		if !ok {
			c.refuse("products."+text(int64(i)), "", "Product does not exist")
			continue
		}
		c.then(func() {
			if !p.isIn(k) {
				p.in = append(slices.Clone(p.in), k)
				s.edited(p)
			}
		})
	}
	c.metafields(in, "", func(key, value string) { k.meta = s.keep(k.meta, key, value) })
}

func (s *Shop) categoryBySlug(handle string) *category {
	for _, k := range s.categories {
		if k.slug == handle {
			return k
		}
	}
	return nil
}

func (x *gqlRun) collectionCreate() *payload[*category] {
	s, in := x.s, x.collectionArg()
	k := &category{unseen: true}
	c := &check{x: x}
	c.then(func() {
		made := s.newCategory(strings.TrimSpace(in.text("title")))
		handle := made.slug
		for n := int64(1); slices.ContainsFunc(s.categories, func(o *category) bool { return o != made && o.slug == made.slug }); n++ {
			made.slug = handle + "-" + text(n)
		}
		made.unseen = true
		*k = *made
		s.categories[len(s.categories)-1] = k
	})
	c.collectionIn(k, in)
	if !in.has("title") {
		c.refuse("title", "", "Title can't be blank")
	}
	return finish(c, func() *category { return k })
}

func (x *gqlRun) collectionUpdate() *payload[*category] {
	in := x.collectionArg()
	k, ok := x.s.byGid(in.text("id")).(*category)
	if !ok {
		return refusal[*category]("id", "", "Collection does not exist")
	}
	c := &check{x: x}
	c.collectionIn(k, in)
	return finish(c, func() *category {
		k.modified = x.s.now()
		x.s.happened(CategoryEdited, k.id)
		return k
	})
}

// collectionDelete deletes a collection. What stands in it stays, and no date
// of it moves.
func (x *gqlRun) collectionDelete() *payload[string] {
	id := input(x.args.object("input")).text("id")
	k, ok := x.s.byGid(id).(*category)
	if !ok {
		return refusal[string]("id", "", "Collection does not exist")
	}
	c := &check{x: x}
	return finish(c, func() string {
		x.s.dropCategory(k)
		return id
	})
}

// channel is where goods can be published: the shop has one.
type channel struct{ id int64 }

var onlineStore = &channel{7001}

// publish puts a product or a collection into the sales channels that are
// named, or takes it out.
func (x *gqlRun) publish(unseen bool) *payload[any] {
	c := &check{x: x}
	of := x.s.byGid(x.args.text("id"))
	switch of.(type) {
	case *product, *category:
	default:
		return refusal[any]("id", "", "Resource does not exist")
	}
	for i, in := range (input{"input": x.args.value("input")}).objects("input") {
		if in.text("publicationId") != plainGid("Publication", onlineStore.id) {
			c.refuse("input."+text(int64(i))+".publicationId", "", "Publication does not exist or is not publishable")
		}
	}
	return finish(c, func() any {
		switch of := of.(type) {
		case *product:
			of.unseen = unseen
			x.s.edited(of)
		case *category:
			of.unseen = unseen
			of.modified = x.s.now()
			x.s.happened(CategoryEdited, of.id)
		}
		return of
	})
}

func isUnseen(of any) bool {
	if p, ok := of.(*product); ok {
		return p.unseen
	}
	return of.(*category).unseen
}

func collectionTypes() []gqlType {
	types := []gqlType{
		{name: "Mutation", fields: gqlFields{
			"collectionCreate":     mutation("CollectionCreatePayload", (*gqlRun).collectionCreate),
			"collectionUpdate":     mutation("CollectionUpdatePayload", (*gqlRun).collectionUpdate),
			"collectionDelete":     mutation("CollectionDeletePayload", (*gqlRun).collectionDelete),
			"publishablePublish":   mutation("PublishablePublishPayload", func(x *gqlRun) *payload[any] { return x.publish(false) }),
			"publishableUnpublish": mutation("PublishableUnpublishPayload", func(x *gqlRun) *payload[any] { return x.publish(true) }),
		}},
		{name: "QueryRoot", fields: gqlFields{
			"publications": gqlConnection("Publication", func(*gqlRun, gqlRoot) gqlRows[*channel] { return gqlRows[*channel]{all: []*channel{onlineStore}} }),
			"collectionByIdentifier": gqlObject("Collection", func(x *gqlRun, _ gqlRoot) *category {
				by := input(x.args.object("identifier"))
				if handle := by.text("handle"); handle != "" {
					return x.s.categoryBySlug(handle)
				}
				k, _ := x.s.byGid(by.text("id")).(*category)
				return k
			}),
		}},
		{name: "Publication", is: []string{"Node"}, fields: gqlFields{
			"id":      gqlID("Publication", func(_ *gqlRun, c *channel) int64 { return c.id }),
			"name":    gqlText(func(*gqlRun, *channel) string { return "Online Store" }),
			"catalog": gqlSame("Catalog"),
			// New products are published there by itself, if not an app makes them.
			"autoPublish": gqlBool(func(*gqlRun, *channel) bool { return true }),
		}},
		{name: "Catalog", which: func(any) string { return "AppCatalog" }},
		{name: "AppCatalog", is: []string{"Catalog", "Node"}, fields: gqlFields{
			"id":    gqlID("AppCatalog", func(_ *gqlRun, c *channel) int64 { return c.id }),
			"title": gqlText(func(*gqlRun, *channel) string { return "Online Store" }),
		}},
		{name: "CollectionCreatePayload", fields: payloadFields[*category]("collection", "Collection", "UserError")},
		{name: "CollectionUpdatePayload", fields: payloadFields[*category]("collection", "Collection", "UserError")},
		{name: "CollectionUpdatePayload", fields: gqlFields{
			"job": gqlObject("Job", func(*gqlRun, *payload[*category]) *job { return nil }), // only what rules fill takes its time
		}},
		{name: "CollectionDeletePayload", fields: gqlFields{
			"deletedCollectionId": gqlTextOrNull(func(_ *gqlRun, p *payload[string]) string { return p.made }),
			"userErrors":          gqlList("UserError", func(_ *gqlRun, p *payload[string]) []userError { return p.errs }),
		}},
		{name: "PublishablePublishPayload", fields: payloadFields[any]("publishable", "Publishable", "UserError")},
		{name: "PublishableUnpublishPayload", fields: payloadFields[any]("publishable", "Publishable", "UserError")},
		{name: "Publishable", which: nodeKind},
	}
	for _, of := range []string{"Product", "Collection"} {
		types = append(types, gqlType{name: of, is: []string{"Publishable"}, fields: gqlFields{
			"publishedOnPublication": gqlRaw(func(x *gqlRun, of any) {
				x.bool(x.args.text("publicationId") == plainGid("Publication", onlineStore.id) && !isUnseen(of))
			}),
		}})
	}
	return types
}
