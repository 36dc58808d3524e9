package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// endpoint is a collection with what it says of a record that it has not.
type endpoint struct {
	collection
	missing *reply // the record that holds the collection is itself missing
	none    func() *reply
}

var byDate = []string{"date", "id", "include", "title", "slug", "modified"}

func noSuch(kind string) func() *reply {
	return func() *reply {
		return failure(http.StatusNotFound, "woocommerce_rest_"+kind+"_invalid_id", "Invalid ID.")
	}
}

// collection finds the list with a path, nil where this version has none.
func (c *call) collection(parts []string) *endpoint {
	s := c.s
	switch path := strings.Join(parts, "/"); path {
	case "orders":
		return s.orderList()
	case "refunds":
		if s.release.before(9, 0) {
			return nil
		}
		return s.refundList("refunds", s.refunds, true)
	case "products":
		return s.productList()
	case "variations":
		if s.release.before(10, 3) {
			return nil
		}
		return s.variationList("variations", s.products, true)
	case "products/categories":
		return s.categoryList()
	case "customers":
		return s.customerList()
	case "coupons":
		return s.couponList()
	case "taxes":
		return s.taxList()
	case "webhooks":
		return s.webhookList()
	case "products/tags", "products/attributes", "products/shipping_classes", "products/brands":
		return &endpoint{collection: collection{name: path, orderby: []string{"id", "name", "include", "slug"}, first: "id",
			rows: func() []row { return nil }}, none: noSuch("term")}
	}
	if len(parts) != 3 || !isID(parts[1]) {
		return nil
	}
	switch id := number(parts[1]); {
	case parts[0] == "orders" && parts[2] == "refunds":
		o := s.order(id)
		if o == nil {
			return &endpoint{missing: noSuch("shop_order")()}
		}
		return s.refundList(strings.Join(parts, "/"), o.refunds, false)
	case parts[0] == "orders" && parts[2] == "notes":
		o := s.order(id)
		if o == nil {
			return &endpoint{missing: noSuch("shop_order")()}
		}
		return s.noteList(strings.Join(parts, "/"), o)
	case parts[0] == "products" && parts[2] == "variations":
		p := s.product(id)
		if p == nil {
			return &endpoint{missing: noSuch("product")()}
		}
		return s.variationList(strings.Join(parts, "/"), []*product{p}, false)
	}
	return nil
}

func (s *Shop) orderList() *endpoint {
	return &endpoint{collection: collection{
		name: "orders", orderby: byDate, first: "date", dated: true, vain: true,
		statuses: []string{"any", "trash", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed",
			"checkout-draft", "awaiting-pickup"},
		rows: func() []row {
			rows := make([]row, len(s.orders))
			for i, o := range s.orders {
				rows[i] = row{id: o.id, created: o.created, modified: o.modified, status: wooStatus(o), of: o}
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			if !v.Has("customer") {
				return nil
			}
			who := number(v.Get("customer"))
			return func(r *row) bool { return r.of.(*order).customer == who }
		},
		write: func(e *encoder, r *row) { s.writeOrder(e, r.of.(*order)) },
	}, none: noSuch("shop_order")}
}

func (s *Shop) refundList(name string, refunds []*refund, all bool) *endpoint {
	return &endpoint{collection: collection{
		name: name, small: !all, orderby: byDate, first: "date", dated: true,
		rows: func() []row {
			rows := make([]row, len(refunds))
			for i, r := range refunds {
				rows[i] = row{id: r.id, created: r.created, modified: r.created, of: r}
			}
			return rows
		},
		write: func(e *encoder, r *row) { e.writeRefund(r.of.(*refund), all) },
	}, none: noSuch("shop_order_refund")}
}

func (s *Shop) noteList(name string, o *order) *endpoint {
	return &endpoint{collection: collection{
		name: name, small: true, orderby: []string{"id"}, first: "id",
		rows: func() []row {
			rows := make([]row, len(o.notes))
			for i := range o.notes {
				rows[i] = row{id: o.notes[i].id, created: o.notes[i].at, of: &o.notes[i]}
			}
			return rows
		},
		write: func(e *encoder, r *row) { e.writeNote(r.of.(*orderNote), o.id) },
	}, none: noSuch("order_note")}
}

func (s *Shop) productList() *endpoint {
	return &endpoint{collection: collection{
		name: "products", orderby: append(slices.Clone(byDate), "price", "popularity", "rating", "menu_order"), first: "date", dated: true,
		statuses: []string{"any", "future", "trash", "draft", "pending", "private", "publish"},
		rows: func() []row {
			var rows []row
			for _, p := range s.products {
				if !p.own.gone {
					rows = append(rows, row{id: p.own.id, created: p.own.created, modified: p.own.modified, status: p.visible, title: p.title, of: p})
				}
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			skus, within := many(v, "sku"), number(v.Get("category"))
			return func(r *row) bool {
				p := r.of.(*product)
				return (len(skus) == 0 || slices.Contains(skus, p.own.sku)) && (within < 0 || slices.ContainsFunc(p.in, func(k *category) bool { return k.id == within }))
			}
		},
		write: func(e *encoder, r *row) { e.writeProduct(r.of.(*product), s.release) },
	}, none: noSuch("product")}
}

func (s *Shop) variationList(name string, products []*product, all bool) *endpoint {
	return &endpoint{collection: collection{
		name: name, small: !all, orderby: append(slices.Clone(byDate), "menu_order"), first: "date", dated: true,
		statuses: []string{"any", "future", "trash", "draft", "pending", "private", "publish"},
		rows: func() []row {
			var rows []row
			for _, p := range products {
				for _, v := range p.variants {
					if !v.gone {
						rows = append(rows, row{id: v.id, created: v.created, modified: v.modified, status: p.visible, of: v})
					}
				}
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			sku := v.Get("sku")
			return func(r *row) bool { return sku == "" || r.of.(*variant).sku == sku }
		},
		write: func(e *encoder, r *row) { e.writeVariation(r.of.(*variant), s.release, all) },
	}, none: noSuch("product_variation")}
}

func (s *Shop) categoryList() *endpoint {
	return &endpoint{collection: collection{
		name: "products/categories", orderby: []string{"id", "include", "name", "slug", "term_group", "description", "count"}, first: "name", rising: true,
		rows: func() []row {
			var rows []row
			for _, g := range s.categories {
				rows = append(rows, row{id: g.id, title: g.name, of: g})
			}
			return rows
		},
		write: func(e *encoder, r *row) { e.writeCategory(r.of.(*category), s.products) },
	}, none: func() *reply {
		return failure(http.StatusNotFound, "woocommerce_rest_term_invalid", "Resource does not exist.")
	}}
}

func (s *Shop) customerList() *endpoint {
	return &endpoint{collection: collection{
		name: "customers", orderby: []string{"id", "include", "name", "registered_date"}, first: "name", rising: true,
		rows: func() []row {
			rows := make([]row, 0, len(s.customers))
			for _, u := range s.customers {
				if !u.gone {
					rows = append(rows, row{id: u.id, created: u.created, modified: u.modified, title: u.login(), of: u})
				}
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			role, email := v.Get("role"), v.Get("email")
			if role == "" {
				role = "customer" // who has another role stays hidden unless asked for
			}
			return func(r *row) bool {
				u := r.of.(*customer)
				return (role == "all" || role == u.role()) && (email == "" || strings.EqualFold(email, u.email()))
			}
		},
		write: func(e *encoder, r *row) { e.writeCustomer(r.of.(*customer)) },
	}, none: func() *reply {
		if s.release.before(10, 0) {
			return failure(http.StatusNotFound, "woocommerce_rest_invalid_id", "Invalid resource ID.")
		}
		return failure(http.StatusNotFound, "wc_user_invalid_id", "Invalid user ID.")
	}}
}

func (s *Shop) couponList() *endpoint {
	return &endpoint{collection: collection{
		name: "coupons", orderby: byDate, first: "date", dated: true,
		rows: func() []row {
			var rows []row
			for _, k := range s.coupons {
				rows = append(rows, row{id: k.id, created: k.created, modified: k.modified, title: k.code, of: k})
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			code := v.Get("code")
			return func(r *row) bool { return code == "" || strings.EqualFold(code, r.of.(*coupon).code) }
		},
		write: func(e *encoder, r *row) { e.writeCoupon(r.of.(*coupon)) },
	}, none: noSuch("shop_coupon")}
}

func (s *Shop) taxList() *endpoint {
	return &endpoint{collection: collection{
		name: "taxes", orderby: []string{"id", "order", "priority"}, first: "order", rising: true,
		rows: func() []row {
			var rows []row
			for i := range taxRates {
				rows = append(rows, row{id: taxRates[i].id, of: &taxRates[i]})
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			class := v.Get("class")
			return func(r *row) bool {
				own := wooClass(r.of.(*taxRate).class)
				return class == "" || class == own || class == "standard" && own == ""
			}
		},
		write: func(e *encoder, r *row) { e.writeTaxRate(r.of.(*taxRate)) },
	}, none: noSuch("tax")}
}
