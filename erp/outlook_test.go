package erp_test

import (
	"fmt"
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/google/go-cmp/cmp"
)

// outlook lists what a shop would be told: "kind label field: to", with names in
// the place of the ids of what is to be made.
func (s *street) outlook(shop string, kinds ...outbox.Kind) []string {
	s.t.Helper()
	o, err := s.Outlook(ctx, erp.OutlookQuery{Shop: shop, Kinds: kinds, Express: s.counters[shop].express})
	if err != nil {
		s.t.Fatal(err)
	}
	named := func(kind intake.Kind, id string) string {
		if name, ok := o.Names[intake.Ref{Kind: kind, ID: id}]; ok {
			return name
		}
		return id
	}
	out := []string{}
	for _, p := range o.Pushes {
		if p.Edit == nil {
			continue
		}
		for _, c := range p.Edit.Changes {
			to := c.To
			if c.Field == intake.FieldParent {
				to = named(intake.KindCategory, to)
			}
			for ref, name := range o.Names {
				if c.Field == intake.FieldCategories && to == intake.Sorted([]string{ref.ID}) {
					to = name
				}
			}
			out = append(out, fmt.Sprintf("%s %s %s: %s", p.Message.Kind, p.Label, c.Field, to))
		}
	}
	return out
}

func TestAnOutlookTakesWhatIsToBeMadeForMade(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		furnish(s)
		s.rest()
		for _, c := range [][2]string{{"Garden", ""}, {"Pots", "Garden"}, {"Clay", "Pots"}} {
			if _, err := s.AddCategory(ctx, c[0], c[1], false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.MoveCategory(ctx, "Clothing", "Clay", false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldCategories, Text: "Garden/Pots/Clay"}}, false); err != nil {
			t.Fatal(err)
		}
		want := []string{"category Garden name: Garden", "category Pots name: Pots", "category Pots parent: Garden", "category Clay name: Clay", "category Clay parent: Garden/Pots",
			"category Clothing parent: Garden/Pots/Clay", "product Tee categories: Garden/Pots/Clay"}
		for range 2 { // to look changes nothing
			if diff := cmp.Diff(want, s.outlook("atelier", outbox.Kinds()...)); diff != "" {
				t.Error(diff)
			}
		}
		// Only what is asked for is taken to be made.
		if diff := cmp.Diff([]string{}, s.outlook("atelier", outbox.Product)); diff != "" {
			t.Error(diff)
		}
		s.rest()
		s.quiet()
		if diff := cmp.Diff([]string{}, s.outlook("atelier", outbox.Kinds()...)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAConflictThatOnlyAnOutlookHasShownCanBeDecided(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, _ := furnish(s)
		s.rest()
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldTitle, Text: "Ours"}}, false); err != nil {
			t.Fatal(err)
		}
		a.products["10"].Title = "Theirs"
		s.pull("atelier")
		o, err := s.Outlook(ctx, erp.OutlookQuery{Shop: "atelier", Kinds: outbox.Kinds(), Express: a.express})
		if err != nil || len(o.Conflicts) != 1 || o.Conflicts[0].Books != "Ours" || o.Conflicts[0].Stated != "Theirs" {
			t.Fatalf("%+v, %v", o.Conflicts, err)
		}
		if list, err := s.Conflicts(ctx); err != nil || len(list) != 0 {
			t.Errorf("to look has noted %+v, %v", list, err)
		}
		c := o.Conflicts[0]
		if _, err := s.KeepSide(ctx, "atelier", c.Kind, c.ID, intake.FieldStatus, outbox.ERP, false); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a field that both have alike: %v", err)
		}
		if _, err := s.KeepSide(ctx, "atelier", c.Kind, c.ID, c.Field, outbox.ERP, false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.quiet()
		if a.products["10"].Title != "Ours" {
			t.Errorf("the shop says %q", a.products["10"].Title)
		}
	})
}
