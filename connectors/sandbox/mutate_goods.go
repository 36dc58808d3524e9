package sandbox

import (
	"slices"

	"comptoir/erp/intake"
)

// What changes of the catalogue beside what the shop does by itself.

// below is a category as a product of it states it: with those above it where
// the platform knows no tree.
func (s *Shop) below(c *category) []*category {
	in := []*category{c}
	for up := s.category(c.parent); s.onShopify() && up != nil; up = s.category(up.parent) {
		in = append(in, up)
	}
	return in
}

// newCategory makes a category of an id that no other ever had.
func (s *Shop) newCategory(name string) *category {
	s.lastCategory++
	k := &category{id: s.lastCategory, name: name, slug: slug(name), position: len(s.categories), modified: s.now()}
	s.categories = append(s.categories, k)
	s.announce(CategoryAdded, k.id)
	return k
}

// dropCategory deletes a category. Its products stay; where the platform has a
// default category, those that stand in no other go there. What is below it
// moves up.
func (s *Shop) dropCategory(c *category) {
	s.bury(intake.Categories, c.id)
	s.categories = slices.DeleteFunc(s.categories, func(k *category) bool { return k == c })
	for _, k := range s.categories {
		if k.parent == c.id {
			k.parent = c.parent
		}
	}
	for _, p := range s.products {
		p.in = slices.DeleteFunc(slices.Clone(p.in), func(k *category) bool { return k == c })
		if len(p.in) == 0 && !s.onShopify() {
			p.in = []*category{s.categories[0]}
		}
	}
	s.happened(CategoryGone, c.id)
}
