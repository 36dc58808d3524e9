package sandbox

import "slices"

// What a test can do by hand to goods and categories, and what the shop then
// really holds. See hand.go.

// SetPrice sets the price of a variant, in cents. One that is reduced stays so,
// by a fifth.
func (s *Shop) SetPrice(variantID string, cents int64) string {
	return s.change(func() int64 {
		v := s.variant(number(variantID))
		if v == nil {
			return 0
		}
		s.setPrice(v, cents)
		return v.id
	})
}

// SetTitle gives a product another name.
func (s *Shop) SetTitle(productID, title string) string {
	return s.onProduct(productID, func(p *product) { p.title = title })
}

// SetCategories puts a product into these categories and no others.
func (s *Shop) SetCategories(productID string, ids ...string) string {
	return s.onProduct(productID, func(p *product) {
		var in []*category
		for _, id := range ids {
			if k := s.category(number(id)); k != nil {
				in = append(in, k)
			}
		}
		if len(in) == 0 && !s.onShopify() {
			in = []*category{s.categories[0]}
		}
		p.in = in
	})
}

func (s *Shop) onProduct(id string, change func(*product)) string {
	return s.change(func() int64 {
		p := s.product(number(id))
		if p == nil || !p.listed() {
			return 0
		}
		change(p)
		p.own.modified = s.now()
		s.happened(ProductEdited, p.own.id)
		return p.own.id
	})
}

// RenameCategory gives a category another name.
func (s *Shop) RenameCategory(id, name string) string {
	return s.change(func() int64 {
		k := s.category(number(id))
		if k == nil {
			return 0
		}
		k.name, k.modified = name, s.now()
		s.happened(CategoryEdited, k.id)
		return k.id
	})
}

// MoveCategory puts a category below another; "" makes it a root. Only a shop
// with a tree of categories can.
func (s *Shop) MoveCategory(id, parent string) string {
	return s.change(func() int64 {
		k, up := s.category(number(id)), s.category(number(parent))
		for above := up; above != nil; above = s.category(above.parent) {
			if above == k {
				return 0
			}
		}
		if k == nil || s.onShopify() || up == nil && parent != "" {
			return 0
		}
		if k.parent = 0; up != nil {
			k.parent = up.id
		}
		s.happened(CategoryEdited, k.id)
		return k.id
	})
}

// Price returns what a variant costs, in cents, and what it costs while it is
// reduced; 0: it is not.
func (s *Shop) Price(variantID string) (regular, sale int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.variant(number(variantID)); v != nil {
		return v.price, v.sale
	}
	return 0, 0
}

// CategoriesOf returns the categories of a product, by id.
func (s *Shop) CategoriesOf(productID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.product(number(productID))
	if p == nil {
		return nil
	}
	var ids []int64
	for _, k := range p.in {
		ids = append(ids, k.id)
	}
	return texts(ids)
}

// Categories returns the names of the categories by id.
func (s *Shop) Categories() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, k := range s.categories {
		all[text(k.id)] = k.name
	}
	return all
}

// VariantOf returns the id of the variant with a SKU, if one alone has it.
func (s *Shop) VariantOf(sku string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.stockKeeping(), func(v *variant) bool { return v.sku != sku || v == v.of.own && len(v.of.axes) > 0 })
	if len(all) != 1 {
		return ""
	}
	return text(all[0].id)
}
