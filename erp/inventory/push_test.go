package inventory_test

import (
	"testing"

	"comptoir/erp/inventory"
	"comptoir/erp/quantity"

	"pgregory.net/rapid"
)

func TestAShopIsOfferedItsShareOfWhatIsAvailable(t *testing.T) {
	for name, test := range map[string]struct {
		onHand, demand, safety int64 // thousandths
		offer                  inventory.Offer
		want                   int64
	}{
		"all of it":                      {10_000, 3_000, 0, inventory.Offer{Whole: true}, 7_000},
		"less the safety stock":          {10_000, 3_000, 2_000, inventory.Offer{Whole: true}, 5_000},
		"wanted beyond what there is":    {2_000, 5_000, 0, inventory.Offer{Whole: true}, 0},
		"below zero":                     {-2_000, 0, 0, inventory.Offer{Whole: true}, 0},
		"safety beyond what is left":     {3_000, 2_000, 5_000, inventory.Offer{Whole: true}, 0},
		"half of it":                     {11_000, 0, 0, inventory.Offer{Share: 50, Whole: true}, 5_000},
		"a share of one":                 {1_000, 0, 0, inventory.Offer{Share: 99, Whole: true}, 0},
		"at most so many":                {11_000, 0, 0, inventory.Offer{Cap: 4, Whole: true}, 4_000},
		"a share, and at most so many":   {11_000, 0, 0, inventory.Offer{Share: 20, Cap: 4, Whole: true}, 2_000},
		"by weight":                      {2_500, 0, 0, inventory.Offer{Share: 100}, 2_500},
		"by weight, where units count":   {2_500, 0, 0, inventory.Offer{Share: 100, Whole: true}, 2_000},
		"a share is whole in any case":   {2_500, 0, 0, inventory.Offer{Share: 90}, 2_000},
		"as much as can be in the books": {quantity.Max, 0, 0, inventory.Offer{Share: 99, Whole: true}, 990_000_000_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.offer.Desired(inventory.Available(quantity.Quantity(test.onHand), quantity.Quantity(test.demand), quantity.Quantity(test.safety)))
			if got != quantity.Quantity(test.want) {
				t.Errorf("the shop is to have %s, want %s", got, quantity.Quantity(test.want))
			}
		})
	}
}

func TestWhatAShopIsBelievedToHave(t *testing.T) {
	const n, before, after = 1000, 100, 200
	acked := func(q, taken int64, unsure bool) *inventory.Acknowledged {
		return &inventory.Acknowledged{Quantity: quantity.Quantity(q * n), Taken: quantity.Quantity(taken * n), Unsure: unsure}
	}
	said := func(q, at int64) *inventory.Statement {
		return &inventory.Statement{Quantity: quantity.Quantity(q * n), At: at}
	}
	for name, test := range map[string]struct {
		acked   *inventory.Acknowledged
		said    *inventory.Statement
		taken   int64
		ordered int64
		want    inventory.Belief
	}{
		"nothing is known":                               {nil, nil, 0, 0, inventory.Belief{}},
		"it has stated it":                               {nil, said(5, after), 2, before, inventory.Belief{Quantity: 5 * n, Known: true, Sure: true}},
		"it has stated it, and sold since":               {nil, said(5, before), 2, after, inventory.Belief{Quantity: 5 * n, Known: true}},
		"it was told":                                    {acked(5, 2, false), nil, 2, after, inventory.Belief{Quantity: 5 * n, Known: true, Sure: true}},
		"it was told, and has sold two since":            {acked(5, 2, false), nil, 4, after, inventory.Belief{Quantity: 3 * n, Known: true, Sure: true}},
		"it was told, and one came back":                 {acked(5, 2, false), nil, 1, after, inventory.Belief{Quantity: 6 * n, Known: true, Sure: true}},
		"it was told, and states what it sold":           {acked(5, 2, false), said(4, after), 3, after, inventory.Belief{Quantity: 4 * n, Known: true, Sure: true}},
		"somebody counted in the shop":                   {acked(5, 2, false), said(9, after), 2, before, inventory.Belief{Quantity: 9 * n, Known: true, Sure: true}},
		"somebody counted, and it sold in the same tick": {acked(5, 2, false), said(9, after), 3, after, inventory.Belief{Quantity: 4 * n, Known: true}},
		"it had another number than was believed":        {acked(3, 2, true), nil, 4, after, inventory.Belief{Quantity: 3 * n, Known: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := inventory.Believed(test.acked, test.said, quantity.Quantity(test.taken*n), test.ordered); got != test.want {
				t.Errorf("believed %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAShopThatHasSoldTooMuchIsNotToldToHaveNothing(t *testing.T) {
	for _, test := range []struct {
		belief  inventory.Belief
		desired quantity.Quantity
		want    bool
	}{
		{inventory.Belief{Quantity: -2000, Known: true, Sure: true}, 0, true},
		{inventory.Belief{Quantity: -2000, Known: true, Sure: true}, 1000, false},
		{inventory.Belief{Quantity: 1000, Known: true, Sure: true}, 1000, true},
		{inventory.Belief{Quantity: 1000, Known: true}, 1000, false},
		{inventory.Belief{}, 0, false},
	} {
		if got := test.belief.Agrees(test.desired); got != test.want {
			t.Errorf("%+v, to have %s: agrees %v", test.belief, test.desired, got)
		}
	}
}

// TestAShopIsNeverOfferedMoreThanThereIs draws stocks and offers: what a shop is
// to have is at most what is available, never negative, and grows with it.
func TestAShopIsNeverOfferedMoreThanThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-quantity.Max, quantity.Max)
		available := inventory.Available(quantity.Quantity(amount.Draw(t, "on hand")), quantity.Quantity(rapid.Int64Range(0, quantity.Max).Draw(t, "demand")), quantity.Quantity(rapid.Int64Range(0, quantity.Max).Draw(t, "safety")))
		o := inventory.Offer{Share: rapid.IntRange(0, 100).Draw(t, "share"), Cap: rapid.IntRange(0, 1_000_000).Draw(t, "cap"), Whole: rapid.Bool().Draw(t, "whole")}
		got := o.Desired(available)
		if got < 0 || got > available {
			t.Fatalf("offered %s of %s", got, available)
		}
		if o.Whole && got%quantity.Unit != 0 {
			t.Fatalf("offered %s, not whole units", got)
		}
		if more := o.Desired(available + quantity.Unit); more < got {
			t.Fatalf("offered %s of %s, and %s of one more", got, available, more)
		}
	})
}

// TestAShopsOwnSalesAreBelievedAtOnce has a shop sell at random, and the books
// learn of it: what is believed is what it has.
func TestAShopsOwnSalesAreBelievedAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		has := quantity.Quantity(rapid.Int64Range(0, 100).Draw(t, "has")) * quantity.Unit
		taken := quantity.Quantity(rapid.Int64Range(0, 100).Draw(t, "taken")) * quantity.Unit
		acked := &inventory.Acknowledged{Quantity: has, Taken: taken}
		for i := range rapid.IntRange(0, 20).Draw(t, "orders") {
			q := quantity.Quantity(rapid.Int64Range(-3, 5).Draw(t, "sold")) * quantity.Unit
			has, taken = has-q, taken+q
			if got := inventory.Believed(acked, nil, taken, int64(i)); got.Quantity != has || !got.Sure {
				t.Fatalf("believed %+v, it has %s", got, has)
			}
		}
	})
}
