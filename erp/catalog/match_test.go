package catalog

import "testing"

func TestOnlyAnSKUThatIsOneOnBothSidesIsTrusted(t *testing.T) {
	linked := func(variant, shop int64) Listing {
		return Listing{Variant: variant, Shop: shop, Linked: true, Own: true}
	}
	fresh := Listing{Variant: 10, Shop: 1, Own: true} // the one that is looked for
	pooled := linked(20, 2)
	pooled.Own = false
	for _, c := range []struct {
		name      string
		list      []Listing
		into      int64
		ambiguous bool
	}{
		{"no other shop has it", []Listing{fresh}, 0, false},
		{"several in the shop, none elsewhere", []Listing{fresh, linked(11, 1)}, 0, false},
		{"one elsewhere", []Listing{fresh, linked(20, 2)}, 20, false},
		{"one elsewhere that is not linked yet and will look for itself", []Listing{fresh, {Variant: 20, Shop: 2, Own: true}}, 0, false},
		{"several in the shop", []Listing{fresh, linked(11, 1), linked(20, 2)}, 0, true},
		{"several in the other shop", []Listing{fresh, linked(20, 2), linked(21, 2)}, 0, true},
		{"one that two other shops share", []Listing{fresh, linked(20, 2), linked(20, 3)}, 20, false},
		{"one in each of two other shops, kept apart", []Listing{fresh, linked(20, 2), linked(30, 3)}, 0, true},
		{"one in a shop, several in another", []Listing{fresh, linked(20, 2), linked(30, 3), linked(31, 3)}, 20, false},
		{"stock that is shared within the other shop", []Listing{fresh, pooled}, 0, true},
		{"stock that is shared within the shop", []Listing{{Variant: 10, Shop: 1}, linked(20, 2)}, 0, true},
	} {
		if into, ambiguous := Match(c.list, 10, 1); into != c.into || ambiguous != c.ambiguous {
			t.Errorf("%s: %d, %t; want %d, %t", c.name, into, ambiguous, c.into, c.ambiguous)
		}
	}
}
