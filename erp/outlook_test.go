package erp_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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

// saying collects what a shop is told, by what it is about: of several times the
// last.
type saying map[string]string

func (s saying) add(p erp.Push) {
	about := fmt.Sprintf("%s %d ", p.Message.Kind, p.Message.Object)
	if p.Edit.Delete {
		s[about+"deleted"] = "yes"
	}
	for _, c := range p.Edit.Changes {
		s[about+string(c.Field)] = c.To
	}
	for i, v := range p.Edit.Variants {
		for _, c := range v.Changes {
			s[fmt.Sprintf("%s%d %s", about, i, c.Field)] = c.To
		}
	}
}

// named puts names in the place of the ids of categories.
func (s saying) named(names map[string]string) saying {
	out := saying{}
	for about, to := range s {
		var ids []string
		switch {
		case strings.HasSuffix(about, " "+string(intake.FieldParent)):
			if name, ok := names[to]; ok {
				to = name
			}
		case strings.HasSuffix(about, " "+string(intake.FieldCategories)) && json.Unmarshal([]byte(to), &ids) == nil:
			for i, id := range ids {
				if name, ok := names[id]; ok {
					ids[i] = name
				}
			}
			to = intake.Sorted(ids)
		}
		out[about] = to
	}
	return out
}

// places are the paths of the categories that a shop has, by its ids.
func (s *street) places(shop string) map[string]string {
	s.t.Helper()
	nodes, err := s.Categories(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, n := range nodes {
		for _, in := range n.Shops {
			if in.Shop == shop && in.ID != "" {
				out[in.ID] = n.Path
			}
		}
	}
	return out
}

// Whatever people have changed in the books: a shop is told what the outlook has
// said, all of it and nothing else.
func TestAShopIsToldWhatTheOutlookSaid(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			story := make([]byte, 8<<10)
			_, _ = rand.NewChaCha8([32]byte{byte(seed), 1}).Read(story) // never fails
			rapid.MakeFuzz(asForetold(t))(t, story)
		})
	}
}

func asForetold(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		s := openStreet(t, "", both(), "atelier", "boutique")
		defer s.Close()
		a, _ := furnish(s)
		a.product("11", "MUG", "Mug", "1")
		s.pullAll()
		s.rest()
		word := func() string {
			return rapid.SampledFrom([]string{"Ash", "Birch", "Cedar", "Elm", "Fir"}).Draw(rt, "word")
		}
		path := func() string {
			nodes, err := s.Categories(ctx)
			if err != nil || len(nodes) == 0 {
				return "none"
			}
			return fmt.Sprint(nodes[rapid.IntRange(0, len(nodes)-1).Draw(rt, "category")].ID)
		}
		may := func(_ any, err error) { // a person may be refused, with a reason
			if err != nil && fault.KindOf(err) == fault.Internal {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"a category is added":   func(*rapid.T) { may(s.AddCategory(ctx, word(), path(), false)) },
			"a category is moved":   func(*rapid.T) { may(s.MoveCategory(ctx, path(), path(), false)) },
			"a category is renamed": func(*rapid.T) { may(s.RenameCategory(ctx, path(), word(), false)) },
			"a category is deleted": func(*rapid.T) { may(s.DeleteCategory(ctx, path(), true, false)) },
			"a product is placed": func(*rapid.T) {
				sku := rapid.SampledFrom([]string{"TEE", "MUG"}).Draw(rt, "sku")
				may(s.SetProduct(ctx, sku, []erp.Assignment{{Field: intake.FieldCategories, Text: path()}, {Field: intake.FieldTitle, Text: word()}}, false))
			},
			"a product is published": func(*rapid.T) { may(s.PublishProduct(ctx, "MUG", "boutique", false)) },
			"a shop is told": func(*rapid.T) {
				shop := rapid.SampledFrom(s.order).Draw(rt, "shop")
				foretold, told := s.foretold(rt, shop), s.told(rt, shop)
				if diff := cmp.Diff(foretold, told); diff != "" {
					rt.Fatalf("%s was told something else than the outlook said (-said +told):\n%s", shop, diff)
				}
			},
		})
	}
}

func (s *street) foretold(rt *rapid.T, shop string) saying {
	o, err := s.Outlook(ctx, erp.OutlookQuery{Shop: shop, Kinds: outbox.Kinds()[:3], Express: s.counters[shop].express})
	if err != nil {
		rt.Fatal(err)
	}
	out, names := saying{}, s.places(shop)
	for _, p := range o.Pushes {
		out.add(p.Push)
	}
	for ref, name := range o.Names {
		names[ref.ID] = name
	}
	return out.named(names)
}

// told tells a shop all that there is, and returns it.
func (s *street) told(rt *rapid.T, shop string) saying {
	out, c := saying{}, s.counters[shop]
	for _, kind := range outbox.Kinds()[:3] {
		for {
			pushes, _, err := s.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: kind, Express: c.express})
			if err != nil {
				rt.Fatal(err)
			}
			if len(pushes) == 0 {
				break
			}
			edits := make([]intake.Edit, len(pushes))
			for i, p := range pushes {
				out.add(p)
				edits[i] = *p.Edit
			}
			if _, err := s.Pushed(ctx, shop, pushes, c.tell(edits)); err != nil {
				rt.Fatal(err)
			}
		}
	}
	return out.named(s.places(shop))
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
