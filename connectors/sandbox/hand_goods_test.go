package sandbox

import (
	"fmt"
	"slices"
	"testing"

	"comptoir/erp/intake"
)

func TestGoodsAreChangedByHand(t *testing.T) {
	for _, platform := range []Platform{WooCommerce, Shopify} {
		s := New(Options{Seed: 1, Platform: platform})
		v := simple(t, s)
		id := s.VariantOf(v.sku)
		if id != text(v.id) {
			t.Fatalf("%q: SKU %s is %q", platform, v.sku, id)
		}
		ids := s.IDs(intake.Categories)
		for name, done := range map[string]string{
			"price": s.SetPrice(id, 1234), "title": s.SetTitle(id, "Neuf"), "categories": s.SetCategories(id, ids[1], ids[2]), "name": s.RenameCategory(ids[1], "Ailleurs"),
		} {
			if done == "" {
				t.Errorf("%q: the %s cannot be changed", platform, name)
			}
		}
		price, sale := s.Price(id)
		if got := fmt.Sprint(price, sale, v.of.title, s.CategoriesOf(id), s.Categories()[ids[1]]); got != fmt.Sprint(1234, 0, "Neuf", ids[1:3], "Ailleurs") {
			t.Errorf("%q: %s", platform, got)
		}
		if moved := s.MoveCategory(ids[2], ids[5]); (moved != "") != (platform == WooCommerce) {
			t.Errorf("%q: moved %q", platform, moved)
		}
		if s.MoveCategory(ids[2], ids[3]) != "" {
			t.Errorf("%q: a category went below itself", platform)
		}
		if s.SetCategories(id); platform == WooCommerce && !slices.Equal(s.CategoriesOf(id), ids[:1]) {
			t.Errorf("without a category it is in %v", s.CategoriesOf(id))
		}
		if s.SetPrice("999999", 1) != "" || s.VariantOf("nobody") != "" {
			t.Errorf("%q: what is not there was changed", platform)
		}
	}
}
