package conformance

import (
	"context"
	"maps"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// more is a variant that is to be made of a product that the shop has.
func more(e connectors.Editor, product, key, sku string, options ...intake.Option) intake.Edit {
	edit := intake.Edit{Key: key, Ref: intake.Ref{Kind: intake.KindVariant, Parent: product}}
	for f, v := range map[intake.Field]string{intake.FieldSKU: sku, intake.FieldPrice: "21.5", intake.FieldOptions: intake.List(options)} {
		if to, ok := e.Express(intake.KindVariant, f, v); ok && to != "" {
			edit.Changes = append(edit.Changes, intake.Change{Field: f, To: to})
		}
	}
	return edit
}

// A variant that is made of a product which is there stands beside those that
// it has, once, whatever answer is lost, and is counted where it should be.
// What would not fit beside them is refused.
func variantIsMadeOnce(ctx context.Context, t T, s Pusher) {
	e, ok := editorOf(ctx, t, s)
	if !ok {
		return
	}
	category := slices.Sorted(maps.Keys(readNow(ctx, t, s, intake.Categories)))[1]
	products := pushEdits(ctx, t, e, fresh(e, "tailles", category, 2), fresh(e, "unique", category, 1))
	product, single := products["tailles"].Ref.ID, products["unique"].Ref.ID
	size := func(value string) intake.Option { return intake.Option{Name: "Taille", Value: value} }
	there := len(variantsIn(ctx, t, s, product))
	for lost, edit := range []intake.Edit{
		more(e, product, "plus", "PLUS-0", size("XL")),
		more(e, product, "plus perdu", "PLUS-1", size("XXL")),
		more(e, product, "plus souvent", "PLUS-2", size("3XL")),
	} {
		edit.Untracked = lost == 1
		s.LoseAnswers(lost)
		out := pushEdits(ctx, t, e, edit)[edit.Key]
		s.LoseAnswers(0)
		again := pushEdits(ctx, t, e, edit)[edit.Key]
		other := edit
		other.Key = "encore " + edit.Key
		later := pushEdits(ctx, t, e, other)[other.Key]
		if out.Result != intake.Done || out.Ref.ID == "" || again.Ref.ID != out.Ref.ID || later.Ref.ID != out.Ref.ID {
			t.Errorf("%s: %s %q (%s), told again %s %q, and under another key %s %q (%s)", edit.Key, out.Result, out.Ref.ID, out.Why, again.Result, again.Ref.ID, later.Result, later.Ref.ID, later.Why)
			continue
		}
		sameFields(t, reading(ctx, t, s, intake.KindVariant), out.Ref, edit.Changes)
		all := variantsIn(ctx, t, s, product)
		if v := all[out.Ref.ID]; len(all) != there+lost+1 || v == nil || v.Tracked == edit.Untracked {
			t.Errorf("%s: the product has %d variants, want %d, and the new one is %+v", edit.Key, len(all), there+lost+1, v)
		}
	}
	before := len(s.IDs(intake.Variants))
	for says, edit := range map[string]intake.Edit{
		"of a product without choices":           more(e, single, "seul", "SEUL-1", size("XL")),
		"told apart by other choices":            more(e, product, "autre", "AUTRE-1", intake.Option{Name: "Couleur", Value: "rouge"}),
		"without a choice":                       more(e, product, "sans", "SANS-1"),
		"of the choices of one with another SKU": more(e, product, "pareil", "PAREIL-1", size("XL")),
		"of a product that is not there":         more(e, "999999", "nulle part", "NULLE-1", size("XL")),
	} {
		if out := pushEdits(ctx, t, e, edit)[edit.Key]; out.Result != intake.Refused || out.Why == "" {
			t.Errorf("a variant %s: %s (%s), want refused", says, out.Result, out.Why)
		}
	}
	if now := len(s.IDs(intake.Variants)); now != before {
		t.Errorf("of what was refused %d variants were made", now-before)
	}
}

// variantsIn are the variants that the shop states of a product, by id.
func variantsIn(ctx context.Context, t T, s Pusher, product string) map[string]*intake.Variant {
	t.Helper()
	all := map[string]*intake.Variant{}
	for _, u := range units(ctx, t, s) {
		if u.variant.ProductID == product {
			all[u.variant.ID] = u.variant
		}
	}
	return all
}
