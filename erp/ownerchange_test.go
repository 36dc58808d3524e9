package erp_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/google/go-cmp/cmp"
)

func TestAFieldThatIsLeftToAShopHasNoConflictAnyMore(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		_, b := furnish(s)
		b.products["20"].Title = "T-shirt"
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldTitle, Text: "Tee-shirt"}}, false); err != nil {
			t.Fatal(err)
		}
		s.pull("boutique")
		s.rest()
		if list, err := s.Conflicts(ctx); err != nil || len(list) != 1 {
			t.Fatalf("conflicts: %+v, %v", list, err)
		}
		titles := everything()
		titles.Owners[intake.FieldTitle] = outbox.Shop
		s.reopen(map[string]outbox.Policy{"atelier": everything(), "boutique": titles})
		if list, err := s.Conflicts(ctx); err != nil || len(list) > 0 {
			t.Errorf("the shop decides, and there are conflicts: %+v, %v", list, err)
		}
		s.rest()
		s.quiet()
	})
}

// TestWhatIsLeftToAShopIsAsTheShopHasIt has the books have another price than
// the shop when that is left to it.
func TestWhatIsLeftToAShopIsAsTheShopHasIt(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := furnish(s)
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldPrice, Text: "12"}}, false); err != nil {
			t.Fatal(err)
		}
		prices := everything()
		prices.Owners[intake.FieldPrice] = outbox.Shop
		s.reopen(map[string]outbox.Policy{"atelier": prices, "boutique": everything()})
		s.rest()
		a.now = a.now.Add(1)
		s.pullAll()
		s.rest()
		got := []string{intake.Amount(a.products["10"].Variants[0].Regular), intake.Amount(b.products["20"].Variants[0].Regular)}
		if diff := cmp.Diff([]string{"10", "10"}, got); diff != "" {
			t.Errorf("the atelier decides on the price (-want +got):\n%s", diff)
		}
	})
}
