package erp_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"pgregory.net/rapid"
)

// lost is a push whose answer did not arrive: what the shop did is known to
// nobody, and the push is repeated as it was.
type lost struct {
	pushes []erp.Push
	edits  []intake.Edit
}

// pushLosing pushes as the engine does, and may lose answers; it returns what
// was lost. What was lost before comes first.
func (s *street) pushLosing(shop string, before []lost, lose func() bool) []lost {
	s.t.Helper()
	c := s.counters[shop]
	var out []lost
	send := func(l lost) {
		outcomes := c.tell(l.edits)
		if lose() {
			out = append(out, l)
			return
		}
		if _, err := s.Pushed(ctx, shop, l.pushes, outcomes); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, l := range before {
		send(l)
	}
	if len(out) > 0 {
		return out
	}
	for _, kind := range []outbox.Kind{outbox.Category, outbox.Product, outbox.Variant} {
		pushes, _, err := s.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: kind, Express: c.express, Limit: 3})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(pushes) == 0 {
			continue
		}
		l := lost{pushes: pushes}
		for _, p := range pushes {
			l.edits = append(l.edits, *p.Edit)
		}
		if send(l); len(out) > 0 {
			return out
		}
	}
	return out
}

// read reads some of a shop's records, gone ones too, and does not link.
func (s *street) read(shop string, known map[intake.Kind]map[string]bool) {
	s.t.Helper()
	c := s.counters[shop]
	for _, kind := range []intake.Kind{intake.KindCategory, intake.KindProduct} {
		if known[kind] == nil {
			known[kind] = map[string]bool{}
		}
		for n := range c.next { // all that it ever made: what is missing is told
			if kind == intake.KindCategory {
				known[kind][fmt.Sprint(n+1)] = true
			}
		}
		for id := range c.products {
			if kind == intake.KindProduct {
				known[kind][id] = true
			}
		}
		var recs []intake.Record
		for _, id := range slices.Sorted(maps.Keys(known[kind])) {
			recs = append(recs, c.record(kind, id))
		}
		resource := intake.Categories
		if kind == intake.KindProduct {
			resource = intake.Products
		}
		receive(s.t, s.Books, erp.Stream{Shop: shop, Resource: resource}, recs...)
	}
}

// Whatever people do in two shops and in the books, and whatever answers are
// lost: once everything was read, said and decided, all three have the same.
func TestAtRestTheShopsAndTheBooksHaveTheSame(t *testing.T) {
	for seed := range uint64(10) { // each takes its time: more of them with FuzzAtRest
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			story := make([]byte, 16<<10)
			_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(story) // never fails
			rapid.MakeFuzz(atRest(t))(t, story)
		})
	}
}

func FuzzAtRest(f *testing.F) {
	f.Fuzz(func(t *testing.T, story []byte) { rapid.MakeFuzz(atRest(t))(t, story) })
}

// atRest is one history and its end.
func atRest(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		s := openStreet(t, "", both(), "atelier", "boutique")
		defer s.Close()
		furnish(s)
		s.counters["atelier"].product("11", "MUG", "Mug", "1")
		s.counters["boutique"].product("21", "MUG", "Mug")
		s.pullAll()
		s.rest()
		known := map[string]map[intake.Kind]map[string]bool{"atelier": {}, "boutique": {}}
		for _, shop := range s.order {
			s.read(shop, known[shop])
		}
		inFlight := map[string][]lost{}
		shopOf := func() *counter { return s.counters[rapid.SampledFrom(s.order).Draw(rt, "shop")] }
		word := func() string { return rapid.SampledFrom([]string{"Ash", "Birch", "Cedar", "Elm"}).Draw(rt, "word") }
		price := func() string { return fmt.Sprint(rapid.IntRange(20, 60).Draw(rt, "price")) }
		sku := func() string { return rapid.SampledFrom([]string{"TEE", "MUG"}).Draw(rt, "sku") }
		path := func() string {
			nodes, err := s.Categories(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			if len(nodes) == 0 {
				return "none"
			}
			return fmt.Sprint(nodes[rapid.IntRange(0, len(nodes)-1).Draw(rt, "category")].ID)
		}
		may := func(err error) { // a person may be refused, with a reason
			if err != nil && fault.KindOf(err) == fault.Internal {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"the books set a title or a price": func(*rapid.T) {
				_, err := s.SetProduct(ctx, sku(), []erp.Assignment{{Field: intake.FieldTitle, Text: word()}, {Field: intake.FieldPrice, Text: price()}}, false)
				may(err)
			},
			"the books place a product": func(*rapid.T) {
				_, err := s.SetProduct(ctx, sku(), []erp.Assignment{{Field: intake.FieldCategories, Text: path()}}, false)
				may(err)
			},
			"the books change the tree": func(*rapid.T) {
				switch rapid.IntRange(0, 3).Draw(rt, "how") {
				case 0:
					_, err := s.AddCategory(ctx, word(), "", false)
					may(err)
				case 1:
					_, err := s.RenameCategory(ctx, path(), word(), false)
					may(err)
				case 2:
					_, err := s.MoveCategory(ctx, path(), path(), false)
					may(err)
				default:
					_, err := s.DeleteCategory(ctx, path(), true, false)
					may(err)
				}
			},
			"a shop edits a product": func(*rapid.T) {
				c := shopOf()
				p := c.products[rapid.SampledFrom(slices.Sorted(maps.Keys(c.products))).Draw(rt, "product")]
				p.Title = word()
				d := dec(price())
				p.Variants[0].Regular, p.Variants[0].Price = &d, &d
			},
			"a shop edits a category": func(*rapid.T) {
				c := shopOf()
				if ids := slices.Sorted(maps.Keys(c.categories)); len(ids) > 0 {
					c.categories[rapid.SampledFrom(ids).Draw(rt, "category")].Name = word() + " & co"
				}
			},
			"a shop deletes a category": func(*rapid.T) {
				c := shopOf()
				if ids := slices.Sorted(maps.Keys(c.categories)); len(ids) > 0 {
					c.drop(rapid.SampledFrom(ids).Draw(rt, "category"))
				}
			},
			"a shop is read": func(*rapid.T) { c := shopOf(); s.read(c.name, known[c.name]) },
			"a shop is told": func(*rapid.T) {
				c := shopOf()
				inFlight[c.name] = s.pushLosing(c.name, inFlight[c.name], func() bool { return rapid.IntRange(0, 3).Draw(rt, "lost") == 0 })
				s.now = s.now.Add(time.Hour)
			},
		})
		s.comeToRest(rt, known, inFlight)
		s.sameEverywhere(rt)
	}
}

// comeToRest reads, decides and tells everything.
func (s *street) comeToRest(rt *rapid.T, known map[string]map[intake.Kind]map[string]bool, inFlight map[string][]lost) {
	for range 6 {
		for _, shop := range s.order {
			inFlight[shop] = s.pushLosing(shop, inFlight[shop], func() bool { return false })
			s.read(shop, known[shop])
			if _, err := s.Link(ctx, shop); err != nil {
				rt.Fatal(err)
			}
		}
		s.now = s.now.Add(24 * time.Hour)
		s.rest()
		conflicts, err := s.Conflicts(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		for _, c := range conflicts {
			side := rapid.SampledFrom([]outbox.Owner{outbox.Shop, outbox.ERP}).Draw(rt, "side")
			if _, err := s.KeepSide(ctx, c.Shop, c.Kind, c.ID, c.Field, side, false); err != nil {
				rt.Fatal(err)
			}
		}
		s.rest()
	}
	if left, err := s.Conflicts(ctx); err != nil || len(left) > 0 {
		rt.Fatalf("conflicts are left: %+v, %v", left, err)
	}
	if found, err := s.Verify(ctx); err != nil || len(found) > 0 {
		rt.Fatalf("the books are not whole: %+v, %v", found, err)
	}
}

// sameEverywhere compares what the shops have with each other, through the books.
func (s *street) sameEverywhere(rt *rapid.T) {
	nodes, err := s.Categories(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	paths := map[string]map[string]string{} // by shop and id
	for _, shop := range s.order {
		paths[shop] = map[string]string{}
		if n := len(s.counters[shop].categories); n != len(nodes) {
			rt.Errorf("%s has %d categories, and the books %d: %v, %+v", shop, n, len(nodes), s.counters[shop].tree(), nodes)
		}
	}
	for _, n := range nodes {
		for _, in := range n.Shops {
			if got := s.counters[in.Shop].path(in.ID); got != n.Path {
				rt.Errorf("%s has %q as %q", in.Shop, n.Path, got)
			}
			paths[in.Shop][in.ID] = n.Path
		}
	}
	for _, sku := range []string{"TEE", "MUG"} {
		view, err := s.Product(ctx, sku)
		if err != nil {
			rt.Fatal(err)
		}
		if len(view.Shops) != len(s.order) {
			rt.Errorf("%s is in %d shops", sku, len(view.Shops))
		}
		for _, in := range view.Shops {
			p := s.counters[in.Shop].products[in.ID]
			books := intake.Fields(&intake.Product{})
			for _, f := range in.Fields {
				books[f.Field] = f.Books
				if f.State != "same" {
					rt.Errorf("%s of %s in %s: %+v", f.Field, sku, in.Shop, f)
				}
			}
			if p.Title != books[intake.FieldTitle] || intake.Amount(p.Variants[0].Regular) != books[intake.FieldPrice] {
				rt.Errorf("%s has %s as %q at %s, and the books have %q at %s", in.Shop, sku, p.Title, p.Variants[0].Regular, books[intake.FieldTitle], books[intake.FieldPrice])
			}
			var placed []string
			for _, k := range p.CategoryIDs {
				placed = append(placed, paths[in.Shop][k])
			}
			slices.Sort(placed)
			if !slices.Equal(placed, view.Categories) && len(placed)+len(view.Categories) > 0 {
				rt.Errorf("%s has %s in %q, and the books in %q", in.Shop, sku, placed, view.Categories)
			}
		}
	}
}
