package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// told has a shop told one thing as somebody at its admin would do it, and
// returns what it made.
func (b *box) told(t *testing.T, e intake.Edit) intake.Outcome {
	t.Helper()
	editor := b.Connector.(connectors.Editor)
	for i := range e.Variants {
		e.Variants[i].Changes = expressed(editor, e.Variants[i].Changes)
	}
	e.Changes = expressed(editor, e.Changes)
	out, err := editor.PushEdits(t.Context(), "k "+e.Key, []intake.Edit{e})
	if err != nil || out[0].Result != intake.Done {
		t.Fatalf("%s: %+v, %v", e.Key, out, err)
	}
	return out[0]
}

// expressed leaves out what the shop cannot hold.
func expressed(editor connectors.Editor, changes []intake.Change) []intake.Change {
	var out []intake.Change
	for _, c := range changes {
		kind := intake.KindVariant
		if c.Field == intake.FieldTitle || c.Field == intake.FieldStatus {
			kind = intake.KindProduct
		}
		if to, ok := editor.Express(kind, c.Field, c.To); ok {
			out = append(out, intake.Change{Field: c.Field, To: to})
		}
	}
	return out
}

// hood describes a hood of a size.
func hood(product, sku, size string, untracked bool) intake.Edit {
	return intake.Edit{Key: sku, Ref: intake.Ref{Kind: intake.KindVariant, Parent: product}, Untracked: untracked,
		Changes: []intake.Change{{Field: intake.FieldSKU, To: sku}, {Field: intake.FieldPrice, To: "21.5"}, {Field: intake.FieldBackorders, To: "yes"},
			{Field: intake.FieldOptions, To: intake.List([]intake.Option{{Name: "Taille", Value: size}})}}}
}

// hoods makes a product with hoods of sizes.
func (b *box) hoods(t *testing.T, title string, variants ...intake.Edit) string {
	t.Helper()
	return b.told(t, intake.Edit{Key: title, Ref: intake.Ref{Kind: intake.KindProduct}, Variants: variants,
		Changes: []intake.Change{{Field: intake.FieldTitle, To: title}, {Field: intake.FieldStatus, To: "published"}}}).Ref.ID
}

// has is what a shop states of the variant of a product with a SKU; nil where it
// has none.
func (b *box) has(t *testing.T, product, sku string) *intake.Variant {
	t.Helper()
	id := b.VariantOf(sku)
	if id == "" {
		return nil
	}
	recs, err := b.Fetch(t.Context(), []intake.Ref{{Kind: intake.KindVariant, ID: id, Parent: product}})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := recs[0].Body.(*intake.Variant)
	return v
}

// A variant that either of two real shops gets is made in the other one, counted
// and sold beyond the stock as it is there, once.
func TestANewVariantIsMadeInTheOtherShop(t *testing.T) {
	atelier := newBox(t, sandbox.Options{Seed: 3, Goods: 9, Orders: 5, Common: true})
	boutique := newBox(t, sandbox.Options{Seed: 4, Goods: 9, Orders: 5, Common: true, Platform: sandbox.Shopify})
	boxes := map[string]*box{"atelier": atelier, "boutique": boutique}
	products := map[string]string{}
	for name, b := range boxes {
		products[name] = b.hoods(t, "Capuche", hood("", "HOOD-S", "S", false), hood("", "HOOD-M", "M", false))
	}
	w := newWorld(t, atelier.Connector, func(w *world) {
		w.now, w.rates, w.policy = atelier.now, atelier.rates(), owned()
		w.others = []engine.Shop{{Name: "boutique", Connector: boutique.Connector}}
	})
	round := func() {
		t.Helper()
		for _, b := range boxes {
			b.live(time.Hour)
		}
		for range 2 {
			for _, name := range []string{"atelier", "boutique"} {
				w.syncOf(name)
			}
		}
		for _, name := range []string{"atelier", "boutique", "atelier", "boutique"} {
			if _, err := w.engine.Push(t.Context(), engine.PushRequest{Shop: name}); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	atelier.told(t, hood(products["atelier"], "HOOD-L", "L", false))
	atelier.told(t, hood(products["atelier"], "HOOD-XL", "XL", true))
	boutique.told(t, hood(products["boutique"], "HOOD-XS", "XS", false))
	round()
	for _, c := range []struct {
		shop, sku, size string
		tracked         bool
	}{{"boutique", "HOOD-L", "L", true}, {"boutique", "HOOD-XL", "XL", false}, {"atelier", "HOOD-XS", "XS", true}} {
		v := boxes[c.shop].has(t, products[c.shop], c.sku)
		if v == nil || v.ProductID != products[c.shop] || v.Tracked != c.tracked || c.tracked && v.Backorders != "yes" || v.Regular.String() != "21.5" ||
			!slices.Equal(v.Options, []intake.Option{{Name: "Taille", Value: c.size}}) {
			t.Errorf("%s has %s as %+v", c.shop, c.sku, v)
		}
	}
	if _, err := w.books.AdjustStock(t.Context(), "HOOD-L", decimal.NewFromInt(7), "counted"); err != nil {
		t.Fatal(err)
	}
	counts := func() string {
		return fmt.Sprint(len(atelier.IDs(intake.Variants)), len(boutique.IDs(intake.Variants)))
	}
	before := counts()
	round()
	if after := counts(); after != before {
		t.Errorf("variants: %s, and after another round %s", before, after)
	}
	for name, b := range boxes {
		if got := b.inShop(t, b.VariantOf("HOOD-L")); got != "7" {
			t.Errorf("%s has %s of HOOD-L", name, got)
		}
	}
}
