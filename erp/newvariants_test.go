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

// shirt adds a product that is sold in sizes: its variants have its id and the
// size, and three of each are in stock.
func (c *counter) shirt(id string, sizes ...string) *intake.Product {
	p := c.product(id, "", "Shirt")
	p.Variants = nil
	for _, size := range sizes {
		c.size(p, id, size)
	}
	return p
}

func (c *counter) size(p *intake.Product, id, size string) *intake.Variant {
	price, stock := dec("10"), dec("3")
	p.Variants = append(p.Variants, intake.Variant{ID: id + size, ProductID: id, SKU: "TEE-" + size, Kind: intake.ProductStocked, Sellable: true,
		Price: &price, Regular: &price, Tracked: true, Stock: &stock, Options: []intake.Option{{Name: "Size", Value: size}}})
	return &p.Variants[len(p.Variants)-1]
}

// skus are the SKUs of the variants of a product, sorted.
func skus(p *intake.Product) []string {
	out := []string{}
	for _, v := range p.Variants {
		out = append(out, v.SKU)
	}
	slices.Sort(out)
	return out
}

// priced is the policy of two shops whose prices the books set.
func priced() map[string]outbox.Policy {
	return map[string]outbox.Policy{"atelier": owning(intake.FieldPrice), "boutique": owning(intake.FieldPrice)}
}

// stockOnly is that of two shops of which the boutique is told its stock and no
// prices.
func stockOnly() map[string]outbox.Policy {
	return map[string]outbox.Policy{"atelier": owning(intake.FieldPrice), "boutique": owning()}
}

// refusals lists why messages to a shop about variants wait.
func (s *street) refusals(shop string) []string {
	s.t.Helper()
	list, err := s.Messages(ctx, shop)
	if err != nil {
		s.t.Fatal(err)
	}
	out := []string{}
	for _, m := range list {
		if m.Kind == outbox.Variant && m.Why != "" {
			out = append(out, m.Label+": "+m.Why)
		}
	}
	return out
}

// shirts gives two shops one shirt in two sizes: product 1 of the first, which is
// returned, and 50 of the second.
func shirts(s *street) (a, b *counter, tee *intake.Product) {
	a, b = s.counters["atelier"], s.counters["boutique"]
	tee = a.shirt("1", "S", "M")
	b.shirt("50", "S", "M")
	s.pullAll()
	s.rest()
	return a, b, tee
}

func TestANewVariantOfAProductThatTwoShopsHaveIsMadeInTheOther(t *testing.T) {
	eachStreet(t, priced(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b, tee := shirts(s)
		l := a.size(tee, "1", "L")
		l.Backorders = "notify"
		a.size(tee, "1", "XL").Stock, tee.Variants[3].Tracked = nil, false
		s.pull("atelier")
		b.refuses = "not today"
		s.push("boutique")
		b.refuses = ""
		for _, m := range must(s.Messages(ctx, "boutique")) {
			if err := s.RetryMessage(ctx, erp.MessageKey{Shop: m.Shop, Kind: m.Kind, Object: m.Object}); err != nil {
				t.Fatal(err)
			}
		}
		s.rest()
		made := b.products["50"]
		if diff := cmp.Diff([]string{"TEE-L", "TEE-M", "TEE-S", "TEE-XL"}, skus(made)); diff != "" {
			t.Fatal(diff)
		}
		if v := made.Variants[2]; !v.Tracked || v.Backorders != "notify" || v.Regular.String() != "10" || intake.List(v.Options) != `[{"name":"Size","value":"L"}]` {
			t.Errorf("made as %+v", v)
		}
		if v := made.Variants[3]; v.Tracked {
			t.Errorf("what nobody counts was made as %+v", v)
		}
		for _, shop := range []string{"atelier", "boutique"} {
			must(s.Settle(ctx, shop, s.now, s.now))
		}
		told := []string{}
		stock, _, err := s.Pushes(ctx, erp.PushQuery{Shop: "boutique", Kind: outbox.Stock})
		for _, p := range stock {
			told = append(told, fmt.Sprintf("%s at %s: %s", p.Label, p.Level.Ref.ID, p.Level.To))
		}
		if diff := cmp.Diff([]string{"TEE-L at " + made.Variants[2].ID + ": 3"}, told); err != nil || diff != "" {
			t.Errorf("stock to be told: %v\n%s", err, diff)
		}
		calls := b.calls
		s.pullAll()
		s.rest()
		s.quietButStock()
		if len(made.Variants) != 4 || b.calls != calls || len(tee.Variants) != 4 {
			t.Errorf("after reading both again: %q in the boutique after %d calls, %q in the atelier", skus(made), b.calls-calls, skus(tee))
		}
		view := must(s.Product(ctx, "TEE-L"))
		if len(view.Shops) != 2 || len(view.Variants) != 4 {
			t.Errorf("the product is shown as %+v", view)
		}
	})
}

func TestWhatIsNotNewIsNotMadeByItself(t *testing.T) {
	for _, c := range []struct {
		name     string
		policies map[string]outbox.Policy
		change   func(s *street, a, b *counter)
	}{
		{"how the products differed when they were linked", priced(), func(s *street, a, b *counter) {}},
		{"a shop that is told no prices", stockOnly(), func(s *street, a, b *counter) { a.size(a.products["1"], "1", "L") }},
		{"a shop that nothing is sent to", map[string]outbox.Policy{}, func(s *street, a, b *counter) { a.size(a.products["1"], "1", "L") }},
		{"what the shop takes away", priced(), func(s *street, a, b *counter) {
			b.products["50"].Variants = b.products["50"].Variants[:1]
			receive(s.t, s.Books, erp.Stream{Shop: "boutique", Resource: intake.Variants}, intake.Missing(intake.Ref{Kind: intake.KindVariant, ID: "50M"}))
		}},
		{"what the shop has with the same SKU", priced(), func(s *street, a, b *counter) {
			a.size(a.products["1"], "1", "L")
			b.size(b.products["50"], "50", "L")
			s.pull("boutique")
		}},
		{"what may be something that the shop has", priced(), func(s *street, a, b *counter) {
			a.size(a.products["1"], "1", "L").Barcode = "40000001"
			b.product("60", "OTHER", "Shirt L").Variants[0].Barcode = "40000001"
			s.pull("boutique")
		}},
		{"what a group holds its stock in", priced(), func(s *street, a, b *counter) { a.size(a.products["1"], "1", "L").Sellable = false }},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachStreet(t, c.policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
				a, b := s.counters["atelier"], s.counters["boutique"]
				a.shirt("1", "S", "M")
				b.shirt("50", "S", "M")
				a.shirt("2", "XS") // a product of which the boutique has more
				two := b.shirt("51", "XS", "XXL")
				two.Title = "Other shirt"
				s.pullAll()
				s.rest()
				c.change(s, a, b)
				inA, inB := skus(a.products["1"]), skus(b.products["50"])
				s.pull("atelier")
				s.rest()
				s.pullAll()
				s.rest()
				if diff := cmp.Diff([][]string{inA, inB}, [][]string{skus(a.products["1"]), skus(b.products["50"])}); diff != "" {
					t.Error(diff)
				}
				if len(a.products["2"].Variants) != 1 || len(two.Variants) != 2 {
					t.Errorf("%q and %q", skus(a.products["2"]), skus(two))
				}
				if why := s.refusals("boutique"); len(why) > 0 {
					t.Errorf("the boutique has still to be told %q", why)
				}
			})
		})
	}
}

func TestPublishingAProductAgainAddsTheVariantsThatAShopLacks(t *testing.T) {
	eachStreet(t, stockOnly(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := s.counters["atelier"], s.counters["boutique"]
		tee := a.shirt("1", "S", "M")
		b.shirt("50", "S", "M")
		s.pullAll()
		a.size(tee, "1", "L")
		s.pull("atelier")
		s.rest()
		dry := must(s.PublishProduct(ctx, "TEE-S", "boutique", true))
		if len(dry.Changes) == 0 || slices.ContainsFunc(dry.Changes, func(c erp.FieldChange) bool { return c.SKU != "TEE-L" }) {
			t.Errorf("to be made: %+v", dry.Changes)
		}
		view := must(s.Product(ctx, "TEE-S"))
		if diff := cmp.Diff([]string{"TEE-L"}, view.Shops[1].Lacks); diff != "" {
			t.Error(diff)
		}
		s.rest()
		if n := len(b.products["50"].Variants); n != 2 {
			t.Fatalf("a dry run made %d variants", n-2)
		}
		must(s.PublishProduct(ctx, "TEE-S", "boutique", false))
		drift := must(s.Unmade(ctx, "boutique", intake.Variants))
		if len(drift) != 1 || drift[0].Label != "TEE-L" {
			t.Errorf("still to be made: %+v", drift)
		}
		s.rest()
		if diff := cmp.Diff([]string{"TEE-L", "TEE-M", "TEE-S"}, skus(b.products["50"])); diff != "" {
			t.Error(diff)
		}
		if drift := must(s.Unmade(ctx, "boutique", intake.Variants)); len(drift) != 0 {
			t.Errorf("still to be made: %+v", drift)
		}
		if _, err := s.PublishProduct(ctx, "TEE-S", "boutique", false); fault.KindOf(err) != fault.Conflict {
			t.Errorf("published once more: %v", err)
		}
	})
}

// Where the books have made a product, they make its new variants too.
func TestAProductThatTheBooksHaveMadeGetsItsNewVariants(t *testing.T) {
	eachStreet(t, stockOnly(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := s.counters["atelier"], s.counters["boutique"]
		mug := a.product("7", "MUG", "Mug")
		s.pullAll()
		must(s.PublishProduct(ctx, "MUG", "boutique", false))
		s.rest()
		mug.Variants = append(mug.Variants, intake.Variant{ID: "71", ProductID: "7", SKU: "MUG-RED", Kind: intake.ProductStocked, Sellable: true})
		s.pull("atelier")
		s.rest()
		if diff := cmp.Diff([]string{"MUG", "MUG-RED"}, skus(b.products[fmt.Sprint(b.next-1)])); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatKeepsAVariantFromBeingMadeIsToldToAPerson(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b *counter, l *intake.Variant)
		want   string
		mend   func(b *counter, l *intake.Variant)
	}{
		{"no SKU", func(_ *counter, l *intake.Variant) { l.SKU = "" }, "it has no SKU", func(_ *counter, l *intake.Variant) { l.SKU = "TEE-L" }},
		{"the stock of another", func(_ *counter, l *intake.Variant) { l.StockOf, l.Tracked, l.Stock = "1S", false, nil }, "it shares its stock", nil},
		{"not on sale", func(_ *counter, l *intake.Variant) { l.Status = "private" }, "it is not on sale", func(_ *counter, l *intake.Variant) { l.Status = "published" }},
		{"a shop that cannot hold it", func(b *counter, _ *intake.Variant) { b.refuses = "product 50 has no choices" }, "product 50 has no choices", func(b *counter, _ *intake.Variant) { b.refuses = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachStreet(t, priced(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
				a, b, tee := shirts(s)
				l := a.size(tee, "1", "L")
				c.change(b, l)
				s.pull("atelier")
				s.push("boutique")
				why := s.refusals("boutique")
				if len(why) != 1 || !strings.Contains(why[0], c.want) {
					t.Fatalf("the boutique is not told because %q, want %q", why, c.want)
				}
				if len(b.products["50"].Variants) != 2 {
					t.Fatalf("it was made: %q", skus(b.products["50"]))
				}
				if c.mend == nil {
					return
				}
				c.mend(b, l)
				s.pull("atelier")
				s.now = s.now.Add(2 * time.Minute)
				s.rest()
				if diff := cmp.Diff([]string{"TEE-L", "TEE-M", "TEE-S"}, skus(b.products["50"])); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestAVariantThatIsGoneBeforeItWasMadeIsNotMade(t *testing.T) {
	eachStreet(t, priced(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b, tee := shirts(s)
		a.size(tee, "1", "L")
		s.pull("atelier")
		tee.Variants = tee.Variants[:2]
		receive(t, s.Books, erp.Stream{Shop: "atelier", Resource: intake.Variants}, intake.Missing(intake.Ref{Kind: intake.KindVariant, ID: "1L"}))
		s.rest()
		s.quietButStock()
		if len(b.products["50"].Variants) != 2 {
			t.Errorf("made: %q", skus(b.products["50"]))
		}
		if drift := must(s.Unmade(ctx, "boutique", intake.Variants)); len(drift) != 0 {
			t.Errorf("still to be made: %+v", drift)
		}
	})
}

// Somebody makes the variant in the other shop, and it is linked, while the shop
// is told to make it.
func TestAVariantThatIsMadeTwiceAtOnceIsToldNoNumberTwice(t *testing.T) {
	eachStreet(t, priced(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b, tee := shirts(s)
		made := b.products["50"]
		a.size(tee, "1", "L")
		s.pull("atelier")
		pushes, _, err := s.Pushes(ctx, erp.PushQuery{Shop: "boutique", Kind: outbox.Variant, Express: b.express})
		if err != nil || len(pushes) != 1 {
			t.Fatalf("%+v, %v", pushes, err)
		}
		b.size(made, "50", "L")
		s.pull("boutique")
		if receipt := must(s.Pushed(ctx, "boutique", pushes, b.tell([]intake.Edit{*pushes[0].Edit}))); receipt.Refused != 1 {
			t.Errorf("what came of it: %+v", receipt)
		}
		s.now = s.now.Add(2 * time.Minute)
		s.rest()
		s.pullAll()
		s.rest()
		s.quietButStock()
		if skus := must(s.RepeatedSKUs(ctx, "boutique")); !slices.Equal(skus, []string{"TEE-L"}) {
			t.Errorf("repeated: %q", skus)
		}
		if why := s.refusals("boutique"); len(why) > 0 {
			t.Errorf("the boutique has still to be told %q", why)
		}
	})
}
