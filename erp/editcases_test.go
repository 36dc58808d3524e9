package erp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/google/go-cmp/cmp"
)

// everything is the policy of a shop in which the books decide on all that can
// be decided.
func everything() outbox.Policy { return owning(outbox.Fields()...) }

func both() map[string]outbox.Policy {
	return map[string]outbox.Policy{"atelier": everything(), "boutique": everything()}
}

// furnish gives two shops one tree and one shared product.
func furnish(s *street) (a, b *counter) {
	a, b = s.counters["atelier"], s.counters["boutique"]
	a.category("1", "", "Clothing")
	a.category("2", "1", "Shirts")
	a.product("10", "TEE", "Tee", "2")
	b.product("20", "TEE", "Tee")
	s.pullAll()
	s.pull("atelier")
	s.rest()
	s.quiet()
	return a, b
}

// placed names the categories that a shop has a product in.
func (c *counter) placed(product string) []string {
	out := []string{}
	for _, k := range c.products[product].CategoryIDs {
		out = append(out, c.path(k))
	}
	slices.Sort(out)
	return out
}

func (c *counter) path(id string) string {
	k := c.categories[id]
	if k == nil {
		return "?"
	}
	if k.ParentID == "" {
		return k.Name
	}
	return c.path(k.ParentID) + "/" + k.Name
}

func (c *counter) tree() []string {
	out := []string{}
	for id := range c.categories {
		out = append(out, c.path(id))
	}
	slices.Sort(out)
	return out
}

func TestAChangeOfTheTreeReachesEachShop(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := furnish(s)
		for _, step := range []struct {
			name   string
			do     func() (erp.CategoryChange, error)
			tree   []string
			placed []string
		}{
			{"add", func() (erp.CategoryChange, error) { return s.AddCategory(ctx, "Knitwear", "clothing", false) },
				[]string{"Clothing", "Clothing/Knitwear", "Clothing/Shirts"}, []string{"Clothing/Shirts"}},
			{"rename", func() (erp.CategoryChange, error) { return s.RenameCategory(ctx, "Clothing/Shirts", "Tops", false) },
				[]string{"Clothing", "Clothing/Knitwear", "Clothing/Tops"}, []string{"Clothing/Tops"}},
			{"move", func() (erp.CategoryChange, error) { return s.MoveCategory(ctx, "Tops", "", false) },
				[]string{"Clothing", "Clothing/Knitwear", "Tops"}, []string{"Tops"}},
			{"delete", func() (erp.CategoryChange, error) { return s.DeleteCategory(ctx, "Tops", false, false) },
				[]string{"Clothing", "Clothing/Knitwear"}, []string{}},
			{"delete with what is under it", func() (erp.CategoryChange, error) { return s.DeleteCategory(ctx, "Clothing", true, false) },
				[]string{"Knitwear"}, []string{}},
		} {
			if _, err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			s.rest()
			s.quiet()
			for _, c := range []*counter{a, b} {
				if diff := cmp.Diff(step.tree, c.tree()); diff != "" {
					t.Errorf("%s: the tree of %s: %s", step.name, c.name, diff)
				}
			}
			for _, placed := range [][]string{a.placed("10"), b.placed("20")} {
				if diff := cmp.Diff(step.placed, placed); diff != "" {
					t.Errorf("%s: the product stands in: %s", step.name, diff)
				}
			}
			calls := a.calls + b.calls
			s.pullAll() // the echo
			s.rest()
			if a.calls+b.calls != calls {
				t.Errorf("%s: the echo caused %d calls: %+v", step.name, a.calls+b.calls-calls, append(a.edits, b.edits...))
			}
		}
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		furnish(s)
		change, err := s.DeleteCategory(ctx, "Shirts", false, true)
		if err != nil || !slices.Equal(change.Shops, []string{"atelier", "boutique"}) {
			t.Fatalf("%+v, %v", change, err)
		}
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldPrice, Text: "99"}}, true); err != nil {
			t.Fatal(err)
		}
		s.quiet()
	})
}

func TestACategoryThatAShopDeletesIsMadeThereAgain(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, _ := furnish(s)
		delete(a.categories, "2")
		a.products["10"].CategoryIDs = nil
		receive(t, s.Books, erp.Stream{Shop: "atelier", Resource: intake.Categories}, intake.Missing(intake.Ref{Kind: intake.KindCategory, ID: "2"}))
		s.rest()
		s.quiet()
		if diff := cmp.Diff([]string{"Clothing/Shirts"}, a.placed("10")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatIsRefusedOfATreeSaysWhatToDo(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		furnish(s)
		if _, err := s.AddCategory(ctx, "Shirts", "", false); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			do   func() (erp.CategoryChange, error)
			kind fault.Kind
			says string
		}{
			{"a name that is taken", func() (erp.CategoryChange, error) { return s.AddCategory(ctx, " shirts ", "Clothing", false) }, fault.Conflict, "Clothing/Shirts"},
			{"a name with a slash", func() (erp.CategoryChange, error) { return s.AddCategory(ctx, "A/B", "", false) }, fault.Invalid, "--under"},
			{"no name", func() (erp.CategoryChange, error) { return s.AddCategory(ctx, " ", "", false) }, fault.Invalid, "empty"},
			{"under itself", func() (erp.CategoryChange, error) { return s.MoveCategory(ctx, "Clothing", "Clothing/Shirts", false) }, fault.Invalid, "stands under"},
			{"with something under it", func() (erp.CategoryChange, error) { return s.DeleteCategory(ctx, "Clothing", false, false) }, fault.Conflict, "--children up"},
			{"what moves up has a name that is taken", func() (erp.CategoryChange, error) { return s.DeleteCategory(ctx, "Clothing", true, false) }, fault.Conflict, "Shirts"},
			{"one that is not", func() (erp.CategoryChange, error) { return s.DeleteCategory(ctx, "Clothng", false, false) }, fault.NotFound, "did you mean Clothing"},
		} {
			_, err := c.do()
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

func TestWithoutAnOwnerOfTheTreeTheSettingIsNamed(t *testing.T) {
	eachStreet(t, nil, []string{"atelier"}, func(t *testing.T, s *street) {
		s.pullAll()
		_, err := s.AddCategory(ctx, "Shirts", "", false)
		if err == nil || !strings.Contains(err.Error(), "shops.atelier.owners.categories: erp") {
			t.Fatal(err)
		}
	})
}

func TestAProductIsChangedInEachShop(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := furnish(s)
		change, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldTitle, Text: "Soft tee"}, {Field: intake.FieldPrice, Text: "12.50"}, {Field: intake.FieldSale, Text: "9"},
			{Field: intake.FieldCategories, Text: "Clothing"}, {Field: intake.FieldBarcode, Text: "123"}}, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(change.Changes) != 5 || len(change.Warnings) != 1 || !slices.Equal(change.Shops, []string{"atelier", "boutique"}) {
			t.Errorf("%+v", change)
		}
		s.rest()
		s.quiet()
		for _, p := range []*intake.Product{a.products["10"], b.products["20"]} {
			v := p.Variants[0]
			if p.Title != "Soft tee" || v.Regular.String() != "12.5" || v.Sale.String() != "9" || v.Price.String() != "9" || v.Barcode != "123" {
				t.Errorf("%+v", p)
			}
		}
		if diff := cmp.Diff([]string{"Clothing"}, b.placed("20")); diff != "" {
			t.Error(diff)
		}
		view, err := s.Product(ctx, "TEE")
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range view.Shops {
			for _, f := range in.Fields {
				if f.State != "same" || f.Owner != outbox.ERP {
					t.Errorf("%s: %+v", in.Shop, f)
				}
			}
		}
	})
}

func TestAPriceThatNobodyCanPayIsRefused(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		furnish(s) // TEE costs 10
		for _, c := range []struct {
			name string
			set  map[intake.Field]string
			says string // "" where it is taken
		}{
			{"a fraction of a cent", map[intake.Field]string{"price": "19.999"}, "price: 19.999 has more decimals than EUR, which has 2: round it, such as to 20.00"},
			{"of the sale", map[intake.Field]string{"sale_price": "8.005"}, "sale_price: 8.005 has more decimals than EUR"},
			{"less than nothing", map[intake.Field]string{"price": "-1"}, "not below 0"},
			{"a sale of less than nothing", map[intake.Field]string{"sale_price": "-1"}, "not below 0"},
			{"a sale at the same price", map[intake.Field]string{"sale_price": "10"}, "the sale price 10 is not below the price 10"},
			{"a sale at a higher price", map[intake.Field]string{"price": "7", "sale_price": "8"}, "not below the price 7"},
			{"a sale that ends before it begins", map[intake.Field]string{"sale_price": "8", "sale_from": "2026-06-02", "sale_to": "2026-06-01"}, "before it begins"},
			{"a sale of one day", map[intake.Field]string{"price": "19.90", "sale_price": "8.50", "sale_from": "2026-06-02", "sale_to": "2026-06-02"}, ""},
		} {
			var set []erp.Assignment
			for f, text := range c.set {
				set = append(set, erp.Assignment{Field: f, Text: text})
			}
			_, err := s.SetProduct(ctx, "TEE", set, true)
			if c.says == "" && err != nil || c.says != "" && (fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

func TestWhatAShopStatesOfASaleDoesNotKeepAVariantFromBeingChanged(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		sale := dec("12.345")
		s.counters["atelier"].product("10", "TEE", "Tee").Variants[0].Sale = &sale // of 10
		s.pullAll()
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldBarcode, Text: "4006381333931"}}, false); err != nil {
			t.Error(err)
		}
	})
}

func TestAFieldThatAShopKeepsToItselfIsRefused(t *testing.T) {
	eachStreet(t, map[string]outbox.Policy{"atelier": owning(intake.FieldPrice)}, []string{"atelier"}, func(t *testing.T, s *street) {
		s.counters["atelier"].product("1", "TEE", "Tee")
		s.pullAll()
		for _, c := range []struct{ field, value, says string }{
			{"title", "Soft tee", "shops.atelier.owners.title: erp"},
			{"colour", "red", "the fields are title"},
			{"sale_price", "8", "shops.atelier.owners.sale_price: erp"},
			{"price", "-1", "not below 0"},
		} {
			_, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.Field(c.field), Text: c.value}}, false)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", c.field, err)
			}
		}
		s.quiet()
	})
}

func TestAConflictIsListedAndNotSentUntilAPersonDecides(t *testing.T) {
	for _, side := range []outbox.Owner{outbox.Shop, outbox.ERP} {
		eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
			a, b := furnish(s)
			if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldTitle, Text: "Ours"}}, false); err != nil {
				t.Fatal(err)
			}
			a.products["10"].Title = "Theirs"
			s.pull("atelier")
			s.rest()
			conflicts, err := s.Conflicts(ctx)
			if err != nil || len(conflicts) != 1 {
				t.Fatalf("%+v, %v", conflicts, err)
			}
			c := conflicts[0]
			if c.Shop != "atelier" || c.Books != "Ours" || c.Stated != "Theirs" || a.products["10"].Title != "Theirs" || b.products["20"].Title != "Ours" {
				t.Fatalf("%+v; the shops say %q and %q", c, a.products["10"].Title, b.products["20"].Title)
			}
			s.pull("atelier") // nothing changes by looking again
			s.rest()
			if _, err := s.KeepSide(ctx, "atelier", c.Kind, c.ID, c.Field, side, false); err != nil {
				t.Fatal(err)
			}
			s.rest()
			s.quiet()
			want := "Ours"
			if side == outbox.Shop {
				want = "Theirs"
			}
			if a.products["10"].Title != want || b.products["20"].Title != want {
				t.Errorf("%s counts, and the shops say %q and %q", side, a.products["10"].Title, b.products["20"].Title)
			}
			if left, _ := s.Conflicts(ctx); len(left) != 0 {
				t.Errorf("left: %+v", left)
			}
		})
	}
}

func TestAProductIsPublishedOnceAndThenKeptAlike(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		_, b := furnish(s)
		s.counters["atelier"].product("11", "MUG", "Mug", "1")
		s.pull("atelier")
		s.rest()
		if _, err := s.PublishProduct(ctx, "MUG", "boutique", false); err != nil {
			t.Fatal(err)
		}
		b.refuses = "not today"
		s.push("boutique")
		b.refuses = ""
		s.now = s.now.Add(time.Hour)
		s.rest()
		s.quietButStock()
		if len(b.products) != 2 {
			t.Fatalf("%d products", len(b.products))
		}
		made := b.products[fmt.Sprint(b.next)]
		if made.Title != "Mug" || made.Variants[0].SKU != "MUG" || made.Variants[0].Regular.String() != "10" {
			t.Errorf("%+v", made)
		}
		if diff := cmp.Diff([]string{"Clothing"}, b.placed(fmt.Sprint(b.next))); diff != "" {
			t.Error(diff)
		}
		var keys []string
		for _, e := range b.edits {
			if e.Ref.Kind == intake.KindProduct && e.Ref.ID == "" {
				keys = append(keys, e.Key)
			}
		}
		if len(keys) != 2 || keys[0] == keys[1] { // what is refused is made by nobody
			t.Errorf("keys of the two tries: %q", keys)
		}
		if _, err := s.PublishProduct(ctx, "MUG", "boutique", false); fault.KindOf(err) != fault.Conflict {
			t.Errorf("published twice: %v", err)
		}
		if _, err := s.SetProduct(ctx, "MUG", []erp.Assignment{{Field: intake.FieldTitle, Text: "Big mug"}}, false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		if made.Title != "Big mug" {
			t.Errorf("title %q", made.Title)
		}
		s.pullAll()
		s.rest()
		if n := len(b.products); n != 2 {
			t.Errorf("%d products after reading them", n)
		}
	})
}

// quietButStock is quiet, but for stock, which nobody pushes here.
func (s *street) quietButStock() {
	s.t.Helper()
	for _, shop := range s.order {
		if plan := s.plan(shop); len(plan) > 0 {
			s.t.Fatalf("%s has still to be told: %q", shop, plan)
		}
	}
}

func TestASaleIsSentWhenItBeginsToAShopThatHoldsNoDates(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := furnish(s)
		b.noDates = true
		begins, ends := s.now.Add(24*time.Hour).Truncate(time.Second), s.now.Add(48*time.Hour).Truncate(time.Second)
		set := []erp.Assignment{{Field: intake.FieldSale, Text: "8"}, {Field: intake.FieldSaleFrom, Text: begins.Format(time.RFC3339)}, {Field: intake.FieldSaleTo, Text: ends.Format(time.RFC3339)}}
		if _, err := s.SetProduct(ctx, "TEE", set, false); err != nil {
			t.Fatal(err)
		}
		sale := func(want string) {
			t.Helper()
			s.rest()
			if got := intake.Amount(b.products["20"].Variants[0].Sale); got != want {
				t.Errorf("at %v the sale price in the shop is %q, want %q", s.now, got, want)
			}
			if got := intake.Amount(a.products["10"].Variants[0].Sale); got != "8" {
				t.Errorf("the shop that holds the dates has %q", got)
			}
		}
		sale("")
		s.now = begins
		sale("8")
		s.now = ends
		sale("")
		s.now = s.now.Add(time.Hour)
		s.rest()
		s.quiet()
	})
}

func TestAFullCompareFindsWhatWasNeverSaid(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		furnish(s)
		if n, err := s.Compare(ctx, "boutique"); err != nil || n != 0 {
			t.Fatalf("%d messages where all is well, %v", n, err)
		}
	})
}

// What the shop cannot hold, or words its own way, must not come back into the
// books only because the shop goes before the one that described it.
func TestAShopThatAProductIsPublishedToSaysNothingNewByIt(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": owning(), "boutique": owning()}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := s.counters["atelier"], s.counters["boutique"]
		a.noWeights = true
		b.product("20", "MUG", "Mug").Variants[0].Weight = "240 g"
		s.pullAll()
		if _, err := s.PublishProduct(ctx, "MUG", "atelier", false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.pullAll()
		weight := func() (out string) {
			view, err := s.Product(ctx, "MUG")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range view.Shops[0].Fields {
				if f.Field == intake.FieldWeight {
					out = f.Books
				}
			}
			return out
		}
		if got := weight(); got != "240 g" {
			t.Errorf("the books have the weight %q", got)
		}
		made := a.products[fmt.Sprint(a.next)]
		made.Title = "Big mug"
		s.pullAll()
		view, err := s.Product(ctx, "MUG")
		if err != nil || view.Title != "Big mug" || weight() != "240 g" {
			t.Errorf("after a change of the title in the shop that goes first: %q, %q, %v", view.Title, weight(), err)
		}
	})
}
