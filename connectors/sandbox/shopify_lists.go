package sandbox

import "slices"

// rowsOf makes the rows of a connection that can be searched: all, in order of
// key, of which the argument query keeps those that term agrees with.
func rowsOf[V any](x *gqlRun, all []V, key func(V) gqlKey, term func(*Shop, V, *searchTerm) (yes, known bool)) gqlRows[V] {
	s := x.s
	rows := gqlRows[V]{all: all, key: key}
	text := x.args.text("query")
	if text == "" {
		return rows
	}
	q := parseSearch(text)
	if len(all) > 0 {
		x.warn(text, q.unknown(func(t *searchTerm) bool {
			_, known := term(s, all[0], t)
			return known
		}))
	}
	rows.keep = func(v V) bool {
		return q.keeps(func(t *searchTerm) (bool, bool) { return term(s, v, t) })
	}
	return rows
}

// sorted is a list in one order, kept until the shop changes.
type sorted struct {
	changes uint64
	rows    any
}

// inOrder returns rows in the order of their keys, the name telling the list
// and the order apart from others.
func inOrder[V any](s *Shop, name string, all func() []V, key func(V) gqlKey) []V {
	if had, ok := s.sorts[name]; ok && had.changes == s.changes {
		return had.rows.([]V)
	}
	rows := all()
	slices.SortFunc(rows, func(a, b V) int { return key(a).compare(key(b)) })
	s.sorts[name] = sorted{s.changes, rows}
	return rows
}

func orderKey(sortKey string) func(*order) gqlKey {
	switch sortKey {
	case "ID":
		return func(o *order) gqlKey { return gqlKey{o.id, o.id} }
	case "UPDATED_AT":
		return func(o *order) gqlKey { return gqlKey{o.modified, o.id} }
	default: // PROCESSED_AT, which is the platform's default, and CREATED_AT
		return func(o *order) gqlKey { return gqlKey{o.created, o.id} }
	}
}

func (x *gqlRun) orders() gqlRows[*order] {
	key := orderKey(x.args.text("sortKey"))
	all := inOrder(x.s, "orders "+x.args.text("sortKey"), func() []*order {
		return slices.DeleteFunc(slices.Clone(x.s.orders), func(o *order) bool { return !x.s.shows(o) })
	}, key)
	rows := rowsOf(x, all, key, orderTerm)
	if since := x.s.ordersSince(); since > 0 {
		asked := rows.keep
		rows.keep = func(o *order) bool { return o.created >= since && (asked == nil || asked(o)) }
	}
	if x.args.text("sortKey") == "ID" {
		rows.all = after(all, parseSearch(x.args.text("query")).above(), func(o *order) int64 { return o.id })
	}
	return rows
}

// after cuts off what a search for higher ids leaves out, so that reading a
// long list in steps does not begin at its beginning each time.
func after[V any](all []V, id int64, of func(V) int64) []V {
	i, _ := slices.BinarySearchFunc(all, id+1, func(v V, id int64) int { return compare(of(v), id) })
	return all[i:]
}

func orderTerm(s *Shop, o *order, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(o.id), true
	case "updated_at":
		return t.instant(o.modified), true
	case "created_at", "processed_at":
		return t.instant(o.created), true
	case "name":
		return t.word(o.label()) || t.word("#"+o.label()), true
	case "test":
		return t.word("true") == o.test, true
	case "financial_status":
		return t.word(s.financialStatus(o)), true
	case "fulfillment_status":
		return t.word(o.fulfillmentStatus()), true
	case "status":
		cancelled, closed := o.cancelledAt() > 0, o.closedAt() > 0
		return t.word("any") || t.word("open") && !closed || t.word("closed") && closed || t.word("cancelled") && cancelled ||
			t.word("not_closed") && !closed, true
	}
	return false, false
}

func productKey(sortKey string) func(*product) gqlKey {
	switch sortKey {
	case "UPDATED_AT":
		return func(p *product) gqlKey { return gqlKey{p.own.modified, p.own.id} }
	case "CREATED_AT":
		return func(p *product) gqlKey { return gqlKey{p.own.created, p.own.id} }
	default:
		return func(p *product) gqlKey { return gqlKey{p.own.id, p.own.id} }
	}
}

func productTerm(_ *Shop, p *product, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(p.own.id), true
	case "updated_at":
		return t.instant(p.own.modified), true
	case "created_at":
		return t.instant(p.own.created), true
	case "status":
		return t.word(p.productStatus()), true
	case "handle":
		return t.word(p.slug), true
	case "sku":
		return slices.ContainsFunc(p.sellables(), func(v *variant) bool { return t.word(v.shownSKU()) }), true
	case "title":
		return t.word(p.title), true
	}
	return hasMeta(p.own.meta, t)
}

func (s *Shop) listedProducts() []*product {
	return slices.DeleteFunc(slices.Clone(s.products), func(p *product) bool { return !p.listed() })
}

func variantKey(v *variant) gqlKey { return gqlKey{v.id, v.id} }

func variantTerm(_ *Shop, v *variant, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(v.id), true
	case "updated_at":
		return t.instant(v.changed), true
	case "product_id":
		return t.number(v.of.own.id), true
	case "product_status":
		return t.word(v.of.productStatus()), true
	case "sku":
		return t.word(v.shownSKU()), true
	case "barcode":
		return t.word(v.barcode()), true
	}
	return false, false
}

func itemTerm(_ *Shop, i inventoryItem, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(i.itemID()), true
	case "updated_at":
		return t.instant(i.changed), true
	case "created_at":
		return t.instant(i.created), true
	case "sku":
		return t.word(i.shownSKU()), true
	}
	return false, false
}

func collectionKey(sortKey string) func(*category) gqlKey {
	if sortKey == "UPDATED_AT" {
		return func(c *category) gqlKey { return gqlKey{c.modified, c.id} }
	}
	return func(c *category) gqlKey { return gqlKey{c.id, c.id} }
}

func collectionTerm(_ *Shop, c *category, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(c.id), true
	case "updated_at":
		return t.instant(c.modified), true
	case "handle":
		return t.word(c.slug), true
	case "title":
		return t.word(c.name), true
	}
	return hasMeta(c.meta, t)
}

func customerKey(sortKey string) func(*customer) gqlKey {
	if sortKey == "UPDATED_AT" {
		return func(c *customer) gqlKey { return gqlKey{c.modified, c.id} }
	}
	return func(c *customer) gqlKey { return gqlKey{c.id, c.id} }
}

func customerTerm(_ *Shop, c *customer, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(c.id), true
	case "updated_at":
		return t.instant(c.modified), true
	case "created_at":
		return t.instant(c.created), true
	case "email":
		return t.word(c.who.email()), true
	}
	return false, false
}

func locationTerm(_ *Shop, l *site, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(l.id), true
	case "active":
		return t.word("true") == l.active, true
	}
	return false, false
}

// places that the argument includeInactive allows.
func (x *gqlRun) locations() gqlRows[*site] {
	var all []*site
	for i := range locations {
		if l := &locations[i]; l.active || x.args.yes("includeInactive") {
			all = append(all, l)
		}
	}
	return rowsOf(x, all, func(l *site) gqlKey { return gqlKey{l.id, l.id} }, locationTerm)
}

// countRows is how many rows a search finds, up to a limit.
func countRows[V any](x *gqlRun, rows gqlRows[V]) counted {
	limit := int64(x.args.size("limit", 10_000))
	var n int64
	for _, v := range rows.all {
		if rows.keep != nil && !rows.keep(v) {
			continue
		}
		if n == limit {
			return counted{n, false}
		}
		n++
	}
	return counted{n, true}
}
