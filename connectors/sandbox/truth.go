package sandbox

import (
	"slices"
	"strconv"
	"time"

	"comptoir/erp/intake"
)

// What the shop really holds, for tests to compare with what a reader got.

// Planted returns the orders that cannot be booked on purpose, by id, each
// with its reason in plain words.
func (s *Shop) Planted() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]string, len(s.planted))
	for id, why := range s.planted {
		out[text(id)] = why
	}
	return out
}

// OrderCount returns how many orders the shop lists: all but drafts and trash
// on WooCommerce, all that were ever to be shipped on Shopify.
func (s *Shop) OrderCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, o := range s.orders {
		if s.shows(o) {
			n++
		}
	}
	return n
}

// RefundIDs returns the ids of the refunds of an order, oldest first.
func (s *Shop) RefundIDs(orderID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	if o := s.order(number(orderID)); o != nil {
		for _, r := range o.refunds {
			ids = append(ids, text(r.id))
		}
	}
	return ids
}

// Stock returns the number that the shop states for a variant (or for a
// product that pools the stock of its variants), and whether it counts it.
func (s *Shop) Stock(variantID string) (qty int, tracked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.variant(number(variantID))
	if v == nil {
		return 0, false
	}
	v = v.holder()
	return int(v.stock), v.tracked
}

// StockAt returns what can be sold of a variant at a location; where the
// platform knows no locations, in all. -1: the shop counts no such thing.
func (s *Shop) StockAt(variantID, location string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.variant(number(variantID))
	if v == nil || !v.holder().tracked {
		return -1
	}
	if !s.onShopify() {
		return int(v.holder().stock)
	}
	for _, l := range v.levels() {
		if text(l.at.id) == location {
			return int(s.quantity(l, "available"))
		}
	}
	return -1
}

// InventoryID returns the id under which a Shopify shop counts a variant; ""
// where it has no such variant.
func (s *Shop) InventoryID(variantID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.onSale(number(variantID)); v != nil && s.onShopify() {
		return text(v.itemID())
	}
	return ""
}

// IDs returns the external ids of all records that the shop has of r, sorted
// as numbers where they are numbers. Orders are those that it lists: neither
// drafts nor trash. Variants are those below a product, as a simple product is
// its own variant. Shipping methods are "method:instance".
//
// A Shopify shop lists archived orders too, and those of a card only once they
// are paid; each of its products has a variant at least; it has locations and
// payouts, and neither tax rates nor gateways, shipping methods, coupons or
// trash that could be listed.
func (s *Shop) IDs(r intake.Resource) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onShopify() {
		return s.shopifyIDs(r)
	}
	var ids []int64
	add := func(id int64) { ids = append(ids, id) }
	switch r {
	case intake.TaxRates:
		for i := range taxRates {
			add(taxRates[i].id)
		}
	case intake.Gateways:
		return namesOf(gateways[:payNothing], func(g gateway) string { return g.code })
	case intake.ShippingMethods:
		return namesOf(shippingMethods[:], func(m shippingMethod) string { return m.code + ":" + strconv.Itoa(m.instance) })
	case intake.Categories:
		for _, c := range s.categories {
			add(c.id)
		}
	case intake.Products:
		for _, p := range s.products {
			if p.listed() {
				add(p.own.id)
			}
		}
	case intake.Variants:
		for _, p := range s.products {
			for _, v := range p.variants {
				if p.listed() && !v.gone {
					add(v.id)
				}
			}
		}
	case intake.Customers:
		for _, c := range s.customers {
			if !c.gone {
				add(c.id)
			}
		}
	case intake.Coupons:
		for _, c := range s.coupons {
			add(c.id)
		}
	case intake.Orders, intake.Trash:
		for _, o := range s.orders {
			if r == intake.Orders && o.listed() || r == intake.Trash && o.trashed {
				add(o.id)
			}
		}
	}
	return texts(ids)
}

// texts sorts ids as numbers and writes them.
func texts(ids []int64) []string {
	slices.Sort(ids)
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = text(id)
	}
	return out
}

// Modified returns the date of the last change that the shop states for a
// record; zero where it states none, or has no such record.
func (s *Shop) Modified(r intake.Resource, id string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var at int64
	switch n := number(id); r {
	case intake.Categories:
		if k, ok := s.find(r, id).(*category); ok && s.onShopify() {
			at = k.modified
		}
	case intake.Variants:
		if v := s.variant(n); v != nil {
			at = v.modified
			if s.onShopify() {
				at = max(v.changed, v.counted)
			}
		}
	case intake.Products:
		if v := s.variant(n); v != nil {
			at = v.modified
		}
	case intake.Customers:
		if c := s.customer(n); c != nil {
			at = c.modified
		}
	case intake.Coupons:
		for _, c := range s.coupons {
			if c.id == n {
				at = c.modified
			}
		}
	case intake.Orders, intake.Trash:
		if o := s.order(n); o != nil {
			at = o.modified
		}
	}
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
