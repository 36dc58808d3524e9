package sandbox

import (
	"slices"

	"comptoir/erp/intake"
)

// What the shop is to those who read it through Shopify.

// onShopify reports whether the shop speaks Shopify.
func (s *Shop) onShopify() bool { return s.opt.Platform == Shopify }

// shows reports whether the shop lists an order. On WooCommerce that is all
// but drafts and trash. On Shopify an order begins when it is paid, or when it
// is to be paid by a way that needs a person, and archived ones are listed.
func (s *Shop) shows(o *order) bool {
	if s.onShopify() {
		return o.taken
	}
	return o.listed()
}

// repays reports whether an edit of a paid order is paid: on a platform that
// knows one payment and its date the payment is simply of the new total, and
// with Extras the difference is paid or paid back.
func (s *Shop) repays() bool { return !s.onShopify() || s.opt.Common || s.opt.Extras }

// shopifyIDs are the ids that IDs returns.
func (s *Shop) shopifyIDs(r intake.Resource) []string {
	var ids []int64
	switch r {
	case intake.Locations:
		for i := range locations {
			ids = append(ids, locations[i].id)
		}
	case intake.Categories:
		for _, c := range s.categories {
			ids = append(ids, c.id)
		}
	case intake.Products:
		for _, p := range s.products {
			if p.listed() {
				ids = append(ids, p.own.id)
			}
		}
	case intake.Variants:
		for _, v := range s.allVariants() {
			ids = append(ids, v.id)
		}
	case intake.Customers:
		for _, c := range s.buyers() {
			ids = append(ids, c.id)
		}
	case intake.Orders:
		for _, o := range s.orders {
			if s.shows(o) {
				ids = append(ids, o.id)
			}
		}
	case intake.Payouts:
		for _, p := range s.payouts() {
			ids = append(ids, p.id)
		}
	}
	return texts(ids)
}

// sellables are what a customer can buy of a product: its variations, or the
// product itself, which is then its own only variant.
func (p *product) sellables() []*variant {
	if len(p.axes) == 0 {
		return []*variant{p.own}
	}
	return slices.DeleteFunc(slices.Clone(p.variants), func(v *variant) bool { return v.gone })
}

// allVariants are the variants of all products, in order of id.
func (s *Shop) allVariants() []*variant {
	var all []*variant
	for _, p := range s.products {
		if p.listed() {
			all = append(all, p.sellables()...)
		}
	}
	slices.SortFunc(all, func(a, b *variant) int { return compare(a.id, b.id) })
	return all
}

// buyers are the customers, in order of id. The owner is none on Shopify.
func (s *Shop) buyers() []*customer {
	return slices.DeleteFunc(slices.Clone(s.customers), func(c *customer) bool { return c.admin || c.gone })
}

// transactionID is the id of the order's payment. Those of its refunds and of
// the gift cards used are made like it, so that none is another's.
func (o *order) transactionID() int64 { return o.id*10 + 1 }

func (r *refund) transactionID() int64 { return r.id*10 + 1 }
