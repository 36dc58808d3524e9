package sandbox

import (
	"fmt"
	"slices"
	"time"

	"comptoir/erp/intake"
)

// This file lets a test change the shop by hand. Each call is dated one second
// after what was before it, unless HoldClock says otherwise, and returns the id of what it touched; "" where
// nothing in the shop can be changed so. An empty id lets the shop choose the
// newest record that can.

// Add makes a new record: an order that waits to be paid, a simple product, a
// variation of a product that has some, a customer, a coupon, a category.
func (s *Shop) Add(r intake.Resource) string {
	if r == intake.Orders {
		return s.PlaceOrder()
	}
	return s.change(func() int64 {
		d := s.dice(dieChange, s.now())
		switch r {
		case intake.Products:
			p := s.newProduct("Nouveauté "+text(s.now()), s.categories[0])
			p.own.price, p.own.sku, p.own.cost = int64(d.between(500, 9000)), "NEW-"+text(p.own.id), 300
			s.fill(p.own, d)
			s.sellable = append(s.sellable, p.own)
			s.announce(ProductAdded, p.own.id)
			return p.own.id
		case intake.Variants:
			return s.addVariation(d)
		case intake.Customers:
			id := int64(len(s.customers) + 1)
			s.customers = append(s.customers, &customer{id: id, who: s.person(uint32(id)), created: s.now(), modified: s.now()})
			s.announce(CustomerAdded, id)
			return id
		case intake.Coupons:
			k := &coupon{id: s.post(), kind: "percent", amount: 500, created: s.now(), modified: s.now()}
			k.code = fmt.Sprintf("code-%d", k.id)
			s.coupons = append(s.coupons, k)
			return k.id
		case intake.Categories:
			return s.newCategory("Rayon " + text(s.lastCategory+1)).id
		}
		return 0
	})
}

// Edit changes the content of a record, and its date where it has one.
func (s *Shop) Edit(r intake.Resource, id string) string {
	if r == intake.Orders {
		return s.EditOrder(id)
	}
	return s.change(func() int64 {
		d := s.dice(dieChange, s.now())
		switch of := s.find(r, id).(type) {
		case *product:
			s.editProduct(of)
			return of.own.id
		case *variant:
			s.setPrice(of, of.price+10)
			return of.id
		case *customer:
			if of.admin {
				return 0
			}
			for was := of.who.house; of.who.house == was; {
				s.moveHouse(of, d)
			}
			return of.id
		case *coupon:
			of.amount += 100
			s.editCoupon(of)
			return of.id
		case *category:
			s.editCategory(of)
			return of.id
		}
		return 0
	})
}

// FillByRule has a rule fill a collection of a Shopify shop from now on, with
// what is in it already: nobody can put anything into it by hand, or take it
// out.
func (s *Shop) FillByRule(categoryID string) string {
	return s.change(func() int64 {
		k, ok := s.find(intake.Categories, categoryID).(*category)
		if !ok || !s.onShopify() {
			return 0
		}
		k.ruled, k.modified = true, s.now()
		s.happened(CategoryEdited, k.id)
		return k.id
	})
}

// Touch moves the date of a record and nothing else; "" where it has none.
func (s *Shop) Touch(r intake.Resource, id string) string {
	return s.change(func() int64 {
		switch of := s.find(r, id).(type) {
		case *order:
			of.modified = s.now()
			s.announce(OrderEdited, of.id)
			return of.id
		case *product:
			of.own.modified = s.now()
			s.announce(ProductEdited, of.own.id)
			return of.own.id
		case *variant:
			of.touch(s.now())
			s.announce(ProductEdited, of.id)
			return of.id
		case *customer:
			if of.admin {
				return 0
			}
			of.modified = s.now()
			s.announce(CustomerEdited, of.id)
			return of.id
		case *coupon:
			of.modified = s.now()
			return of.id
		}
		return 0
	})
}

// Delete removes a record for good. No other date moves.
func (s *Shop) Delete(r intake.Resource, id string) string {
	return s.change(func() int64 {
		switch of := s.find(r, id).(type) {
		case *order:
			s.drop(of)
			return of.id
		case *product:
			s.discontinue(of.own.id)
			return of.own.id
		case *variant:
			of.gone = true
			if s.onShopify() {
				s.bury(intake.Variants, of.id)
				of.of.own.modified = s.now()
				s.announce(ProductEdited, of.of.own.id)
			}
			return of.id
		case *customer:
			if of.admin {
				return 0
			}
			of.gone = true
			s.announce(CustomerGone, of.id)
			return of.id
		case *coupon:
			s.coupons = slices.DeleteFunc(s.coupons, func(k *coupon) bool { return k == of })
			return of.id
		case *category:
			if len(s.categories) == 1 {
				return 0
			}
			s.dropCategory(of)
			return of.id
		}
		return 0
	})
}

// find returns the record of a resource, or the newest where id is empty; nil
// where there is none. Orders in the trash are found under both resources.
func (s *Shop) find(r intake.Resource, id string) any {
	n := number(id)
	newest := id == ""
	switch r {
	case intake.Orders, intake.Trash:
		if o := s.pick(id, func(o *order) bool {
			return !newest || (o.listed() && (o.taken || s.tellsUnpaid())) == (r == intake.Orders)
		}); o != nil {
			return o
		}
	case intake.Products, intake.Variants:
		for i := len(s.products) - 1; i >= 0; i-- {
			p := s.products[i]
			switch {
			case !p.listed():
			case r == intake.Products && (newest || p.own.id == n):
				return p
			case r == intake.Variants:
				for k := len(p.variants) - 1; k >= 0; k-- {
					if v := p.variants[k]; !v.gone && (newest || v.id == n) {
						return v
					}
				}
			}
		}
	case intake.Customers:
		if newest {
			n = int64(len(s.customers))
		}
		if c := s.customer(n); c != nil {
			return c
		}
	case intake.Coupons:
		for i := len(s.coupons) - 1; i >= 0; i-- {
			if k := s.coupons[i]; newest || k.id == n {
				return k
			}
		}
	case intake.Categories:
		for i := len(s.categories) - 1; i >= 0; i-- {
			if k := s.categories[i]; newest || k.id == n {
				return k
			}
		}
	}
	return nil
}

// addVariation gives a product with variations one more size.
func (s *Shop) addVariation(d *dice) int64 {
	for _, p := range s.products {
		if !p.listed() || len(p.axes) == 0 || p.own.tracked {
			continue
		}
		size := "T" + text(int64(len(p.axes[0].values)+1))
		p.axes[0].values = append(slices.Clone(p.axes[0].values), size)
		v := &variant{id: s.post(), of: p, options: []string{size, p.axes[1].values[0]}, price: p.own.price, backorders: "no",
			created: s.now(), modified: s.now(), changed: s.now()}
		v.sku = p.own.sku + "-" + text(v.id)
		s.fill(v, d)
		p.variants = append(p.variants, v)
		p.own.modified = s.now()
		s.sellable = append(s.sellable, v)
		s.announce(ProductAdded, v.id)
		return v.id
	}
	return 0
}

// SetStock sets the stock of a variant, or of a product that pools the stock
// of its variants, by hand.
func (s *Shop) SetStock(variantID string, qty int) string {
	return s.change(func() int64 {
		v := s.variant(number(variantID))
		if variantID == "" {
			v = s.sellable[0]
		}
		if v == nil || !v.holder().tracked {
			return 0
		}
		s.setStock(v.holder(), int64(qty))
		return v.holder().id
	})
}

// DeleteProduct deletes a product for good. Lines of old orders lose their
// product, SKU and variation, and no date moves.
func (s *Shop) DeleteProduct(id string) string { return s.Delete(intake.Products, id) }

// HoldClock makes changes by hand happen at the time of the clock, which then
// only Advance moves: several may share a second.
func (s *Shop) HoldClock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// tick lets a second pass, unless the clock is held.
func (s *Shop) tick() {
	if !s.held {
		s.clock = s.clock.Add(time.Second)
	}
}

// change runs f one second later, or now where the clock is held.
func (s *Shop) change(f func() int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	id := f()
	s.changed()
	if id == 0 {
		return ""
	}
	return text(id)
}

// Quieten ends the shop's own life: from now on only what is done by hand, or by
// apps, happens in it.
func (s *Shop) Quieten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agenda.steps = nil
}
