package erp_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// How shops word a weight: one of which the unit is not known, one that weighs in
// kilograms, and one that takes any unit.
func numberAlone(value string) (string, bool) {
	_, unit, err := intake.ReadWeight(value)
	return value, err == nil && unit == ""
}

func inKilograms(value string) (string, bool) {
	number, unit, err := intake.ReadWeight(value)
	told, ok := intake.ConvertWeight(number, unit, "kg")
	return intake.Weight(told, "kg"), err == nil && (ok || number.IsZero())
}

func inAnyUnit(value string) (string, bool) {
	number, unit, err := intake.ReadWeight(value)
	return intake.Weight(number, unit), err == nil && (unit != "" || number.IsZero())
}

// weighing is a street of which the first shop has stated a weight as a number
// alone, and the second one with its unit.
func weighing(s *street) (a, b *intake.Variant) {
	first, second := s.counters["atelier"], s.counters["boutique"]
	first.weighs, second.weighs = numberAlone, inAnyUnit
	a, b = &first.product("1", "TEE", "Tee").Variants[0], &second.product("2", "TEE", "Tee").Variants[0]
	a.Weight, b.Weight = "0.7", "650 g"
	s.pullAll()
	s.pullAll()
	s.rest()
	s.quiet()
	return a, b
}

func (s *street) weight(want string) {
	s.t.Helper()
	s.weightOf("TEE", want)
}

func (s *street) weightOf(sku, want string) {
	s.t.Helper()
	view, err := s.Product(ctx, sku)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range view.Shops[0].Fields {
		if f.Field == intake.FieldWeight && f.Books != want {
			s.t.Errorf("the books have the weight %q of %s, want %q", f.Books, sku, want)
		}
	}
}

func (s *street) noConflicts() {
	s.t.Helper()
	if list, err := s.Conflicts(ctx); err != nil || len(list) > 0 {
		s.t.Errorf("conflicts: %+v, %v", list, err)
	}
}

func owningWeights() map[string]outbox.Policy {
	return map[string]outbox.Policy{"atelier": owning(intake.FieldWeight), "boutique": owning(intake.FieldWeight)}
}

// A book that took numbers alone over, as it was once, gets their unit with the
// next statement: nobody is told anything for it who has it already, and who
// could not be told before is told.
func TestANumberAloneGetsItsUnitFromTheShopThatStatedIt(t *testing.T) {
	eachStreet(t, owningWeights(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := weighing(s)
		s.weight("0.7")
		if b.Weight != "650 g" {
			t.Fatalf("the second shop was told %q", b.Weight)
		}
		s.counters["atelier"].weighs = inKilograms
		s.quiet() // it has not stated its unit yet
		calls := s.counters["atelier"].calls
		a.Weight = "0.7 kg"
		s.pullAll()
		s.rest()
		s.quiet()
		s.weight("0.7 kg")
		if s.counters["atelier"].calls != calls || a.Weight != "0.7 kg" || b.Weight != "0.7 kg" {
			t.Errorf("%d calls; the shops have %q and %q", s.counters["atelier"].calls-calls, a.Weight, b.Weight)
		}
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldWeight, Text: "1 lb"}}, false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.pullAll()
		s.rest()
		s.quiet()
		s.noConflicts()
		s.weight("1 lb")
		if a.Weight != "0.45359237 kg" || b.Weight != "1 lb" {
			t.Errorf("the shops have %q and %q", a.Weight, b.Weight)
		}
	})
}

// What the books own stays theirs, though they had it as a number alone: it was
// in the unit of the shop that agreed to it.
func TestANumberAloneIsPutBackInTheUnitOfTheShop(t *testing.T) {
	eachStreet(t, owningWeights(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := weighing(s)
		s.counters["atelier"].weighs = inKilograms
		a.Weight = "0.9 kg"
		s.pullAll()
		s.rest()
		s.noConflicts()
		if a.Weight != "0.7 kg" {
			t.Errorf("the first shop has %q", a.Weight)
		}
		s.pullAll()
		s.rest()
		s.quiet()
		s.noConflicts()
		s.weight("0.7 kg")
		if b.Weight != "0.7 kg" {
			t.Errorf("the second shop has %q", b.Weight)
		}
	})
}

// The weight in another unit is the same weight.
func TestAWeightThatIsOnlyWordedOtherwiseIsToldToNobody(t *testing.T) {
	eachStreet(t, owningWeights(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		first, second := s.counters["atelier"], s.counters["boutique"]
		first.weighs, second.weighs = inKilograms, inAnyUnit
		first.product("1", "TEE", "Tee").Variants[0].Weight = "0.7 kg"
		second.product("2", "TEE", "Tee").Variants[0].Weight = "700 g"
		s.pullAll()
		s.pullAll()
		s.rest()
		s.quiet()
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldWeight, Text: "700 g"}}, false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.quiet()
		if first.calls+second.calls > 0 || second.products["2"].Variants[0].Weight != "700 g" {
			t.Errorf("%d and %d calls", first.calls, second.calls)
		}
		view, err := s.Product(ctx, "TEE")
		if err != nil {
			t.Fatal(err)
		}
		for _, shop := range view.Shops {
			for _, f := range shop.Fields {
				if f.Field == intake.FieldWeight && f.State != "same" {
					t.Errorf("%s: %+v", shop.Shop, f)
				}
			}
		}
	})
}

// What the shop owns is taken over with its unit, and does not lose it where the
// shop's unit cannot be found out for once. Neither is a difference.
func TestAUnitIsTakenOverAndKept(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": owning(), "boutique": owning(intake.FieldWeight)}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := weighing(s)
		c := s.counters["atelier"]
		alone := &c.product("3", "CUP", "Cup").Variants[0] // no other shop has it
		for _, weight := range []string{"0.7 kg", "0.70"} {
			c.weighs, a.Weight, alone.Weight = inKilograms, weight, weight
			rec := c.record(intake.KindProduct, "1")
			found, _, err := s.Drift(ctx, erp.DriftQuery{Shop: "atelier", Resource: intake.Products, Said: []intake.Record{rec}, Express: c.express})
			if err != nil || len(found) > 0 {
				t.Errorf("%q differs: %+v, %v", weight, found, err)
			}
			s.pullAll()
			s.rest()
			s.quiet()
			s.weight("0.7 kg")
			s.weightOf("CUP", "0.7 kg")
		}
		if b.Weight != "0.7 kg" || s.counters["boutique"].calls != 1 {
			t.Errorf("the second shop has %q after %d calls", b.Weight, s.counters["boutique"].calls)
		}
		a.Weight = "800 g"
		s.pullAll()
		s.rest()
		s.quiet()
		s.noConflicts()
		s.weight("800 g")
	})
}

// A shop that gets the weights to decide on has last stated a number alone.
func TestAWeightThatIsLeftToAShopKeepsItsUnit(t *testing.T) {
	eachStreet(t, owningWeights(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		_, b := weighing(s)
		s.counters["atelier"].weighs = inKilograms
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldWeight, Text: "0.7 kg"}}, false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.reopen(map[string]outbox.Policy{"atelier": owning(), "boutique": owning(intake.FieldWeight)})
		s.rest()
		s.quiet()
		s.weight("0.7 kg")
		if b.Weight != "0.7 kg" {
			t.Errorf("the second shop has %q", b.Weight)
		}
	})
}
