package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// editorOf connects an Editor, if the connector is one.
func editorOf(ctx context.Context, t T, s Subject) (connectors.Editor, bool) {
	t.Helper()
	e, ok := connect(t, s, Setup{}).(connectors.Editor)
	if !ok {
		t.Logf("no Editor")
	}
	if l, asks := e.(connectors.Learner); asks {
		insist(ctx, t, "learn", func() error { return l.Learn(ctx) })
	}
	if p, asks := e.(connectors.Priced); asks {
		insist(ctx, t, "ask for the currency", func() error {
			currency, err := p.Currency(ctx)
			if err == nil && currency != "" {
				if _, unknown := currency.Decimals(); unknown != nil {
					t.Errorf("the shop's prices are in %q: %v", currency, unknown)
				}
			}
			return err
		})
	}
	return e, ok
}

// pushEdits tells the shop edits of one kind, in the parts that the connector
// wants, and returns the outcomes in the order of the edits' keys.
func pushEdits(ctx context.Context, t T, e connectors.Editor, edits ...intake.Edit) map[string]intake.Outcome {
	t.Helper()
	of := map[string]intake.Outcome{}
	for _, part := range e.EditBatches(edits) {
		var outcomes []intake.Outcome
		insist(ctx, t, "push edits", func() (err error) {
			outcomes, err = e.PushEdits(ctx, "batch of "+part[0].Key, part)
			return err
		})
		outcomesOf(t, "push edits", outcomes, len(part))
		for i, edit := range part {
			of[edit.Key] = outcomes[i]
		}
	}
	for _, edit := range edits {
		if _, ok := of[edit.Key]; !ok {
			t.Fatalf("push edits: %s is in no batch", edit.Key)
		}
	}
	return of
}

// wanted are new values of the fields that the suite changes, one by one.
func wanted(ref intake.Ref, categories []string) []intake.Change {
	switch ref.Kind {
	case intake.KindProduct:
		return []intake.Change{
			{Field: intake.FieldTitle, To: "Lampe « Été » & co"},
			{Field: intake.FieldDescription, To: "<p>Un texte <strong>neuf</strong>.</p>"},
			{Field: intake.FieldShort, To: "<p>Court.</p>"},
			{Field: intake.FieldStatus, To: "draft"},
			{Field: intake.FieldStatus, To: "archived"}, // never deleted
			{Field: intake.FieldStatus, To: "published"},
			{Field: intake.FieldCategories, To: intake.Sorted(categories)},
			{Field: intake.FieldImages, To: intake.List([]string{"https://pictures.example/face.jpg", "https://pictures.example/dos.jpg"})},
			{Field: intake.FieldImages, To: ""},
		}
	case intake.KindVariant:
		return []intake.Change{
			{Field: intake.FieldPrice, To: "87.5"},
			{Field: intake.FieldSale, To: "80"},
			{Field: intake.FieldSaleFrom, To: "2030-12-01T08:30:00Z"},
			{Field: intake.FieldSaleTo, To: "2030-12-24T23:00:00Z"},
			{Field: intake.FieldSaleFrom, To: ""},
			{Field: intake.FieldSaleTo, To: ""},
			{Field: intake.FieldSale, To: ""},
			{Field: intake.FieldBarcode, To: "40000000" + ref.ID},
			{Field: intake.FieldWeight, To: "0.75 kg"},
			{Field: intake.FieldWeight, To: "420 g"}, // a shop may weigh in another unit
			{Field: intake.FieldWeight, To: "1.5 lb"},
			{Field: intake.FieldWeight, To: "8 oz"},
			{Field: intake.FieldWeight, To: ""},
			{Field: intake.FieldBackorders, To: "notify"},
			{Field: intake.FieldBackorders, To: "no"},
			{Field: intake.FieldSKU, To: "CONFORME-" + ref.ID},
		}
	default:
		return []intake.Change{
			{Field: intake.FieldName, To: "Rayon d’essai"},
			{Field: intake.FieldDescription, To: "Ce qui s’y trouve"},
		}
	}
}

// resources are where records of a kind are read.
func resources(kind intake.Kind) []intake.Resource {
	switch kind {
	case intake.KindProduct:
		return []intake.Resource{intake.Products}
	case intake.KindVariant:
		return []intake.Resource{intake.Products, intake.Variants}
	default:
		return []intake.Resource{intake.Categories}
	}
}

// stated is what the shop states of a product, a variant or a category: its
// fields, and the record that they are in.
func stated(all map[string]intake.Record, ref intake.Ref) (map[intake.Field]string, intake.Record) {
	for _, rec := range all {
		if ref.Kind != intake.KindVariant {
			if rec.Ref.Kind == ref.Kind && rec.Ref.ID == ref.ID {
				return intake.Fields(rec.Body), rec
			}
			continue
		}
		switch body := rec.Body.(type) {
		case *intake.Variant:
			if body.ID == ref.ID {
				return intake.Fields(body), rec
			}
		case *intake.Product:
			for i := range body.Variants {
				if body.Variants[i].ID == ref.ID {
					return intake.Fields(&body.Variants[i]), rec
				}
			}
		}
	}
	return nil, intake.Record{}
}

// reading is what the shop states of all records of a kind now.
func reading(ctx context.Context, t T, s Subject, kind intake.Kind) map[string]intake.Record {
	t.Helper()
	all := map[string]intake.Record{}
	for _, r := range resources(kind) {
		for id, rec := range readNow(ctx, t, s, r) {
			all[string(r)+"/"+id] = rec
		}
	}
	return all
}

// Each field is changed alone: it is then what was told, nothing else is, and
// the record that the outcome holds is the one that is read next.
func editChangesWhatItNames(ctx context.Context, t T, s Pusher) {
	e, ok := editorOf(ctx, t, s)
	if !ok {
		return
	}
	seen := units(ctx, t, s)
	several := seen[slices.IndexFunc(seen, func(u unit) bool { return u.in.Ref.Kind == intake.KindVariant || u.variant.ID != u.variant.ProductID })]
	categories := slices.Sorted(maps.Keys(readNow(ctx, t, s, intake.Categories)))
	last := intake.Ref{Kind: intake.KindCategory, ID: categories[len(categories)-1]}
	for _, ref := range []intake.Ref{
		{Kind: intake.KindProduct, ID: seen[0].variant.ProductID}, seen[0].ref(), several.ref(), last,
	} {
		for _, c := range wanted(ref, categories[1:3]) {
			to, ok := e.Express(ref.Kind, c.Field, c.To)
			if !ok {
				t.Logf("%s has no %s", ref.Kind, c.Field)
				continue
			}
			if c.Field == intake.FieldWeight && !asHeavy(c.To, to) {
				t.Errorf("%s would be told as %s", c.To, to)
			}
			editOnce(ctx, t, s, e, ref, intake.Change{Field: c.Field, To: to})
		}
	}
	for _, f := range []struct {
		kind  intake.Kind
		field intake.Field
	}{{intake.KindProduct, intake.FieldTitle}, {intake.KindVariant, intake.FieldPrice}, {intake.KindCategory, intake.FieldName}} {
		if _, ok := e.Express(f.kind, f.field, "1"); !ok {
			t.Errorf("the %s of a %s cannot be changed", f.field, f.kind)
		}
	}
	_, weighs := e.Express(intake.KindVariant, intake.FieldWeight, "1 kg")
	for _, weight := range []string{"1 g", "1 oz", "1 lb"} {
		if _, ok := e.Express(intake.KindVariant, intake.FieldWeight, weight); ok != weighs {
			t.Errorf("a weight of %s can be told: %v, and one of 1 kg: %v", weight, ok, weighs)
		}
	}
}

// asHeavy reports whether two weights are the same, but for what is rounded.
func asHeavy(a, b string) bool {
	x, unitX, errX := intake.ReadWeight(a)
	y, unitY, errY := intake.ReadWeight(b)
	if a == "" || b == "" {
		return a == b
	}
	x, okX := intake.ConvertWeight(x, unitX, "g")
	y, okY := intake.ConvertWeight(y, unitY, "g")
	return errX == nil && errY == nil && okX && okY && x.Sub(y).Abs().LessThan(decimal.New(1, -3))
}

func editOnce(ctx context.Context, t T, s Pusher, e connectors.Editor, ref intake.Ref, c intake.Change) {
	t.Helper()
	before, _ := stated(reading(ctx, t, s, ref.Kind), ref)
	c.From = before[c.Field]
	key := string(ref.Kind) + " " + ref.ID + " " + string(c.Field) + " to " + c.To
	out := pushEdits(ctx, t, e, intake.Edit{Key: key, Ref: ref, Changes: []intake.Change{c}})[key]
	if out.Result != intake.Done {
		t.Errorf("%s %s, %s to %q: %s (%s)", ref.Kind, ref.ID, c.Field, c.To, out.Result, out.Why)
		return
	}
	// Read at once: the shop lives, and a variant may be sold in the next minute.
	now, err := connect(t, s, Setup{}).Fetch(ctx, refsOf(out.Records))
	if err != nil {
		t.Fatalf("fetch what was changed: %v", err)
	}
	after, rec := stated(reading(ctx, t, s, ref.Kind), ref)
	for f, v := range after {
		want := before[f]
		if f == c.Field {
			want = c.To
		}
		if v != want && (f != intake.FieldImages || pictures(v) != pictures(want)) { // a shop may keep them at its own address
			t.Errorf("%s %s, %s to %q: its %s is %q, want %q", ref.Kind, ref.ID, c.Field, c.To, f, v, want)
		}
	}
	if !slices.ContainsFunc(out.Records, func(r intake.Record) bool { return r.Ref.ID == rec.Ref.ID && r.Ref.Kind == rec.Ref.Kind }) {
		t.Errorf("%s %s, %s to %q: the %d records of the outcome do not state it", ref.Kind, ref.ID, c.Field, c.To, len(out.Records))
	}
	for i, r := range out.Records {
		if r.Digest != now[i].Digest {
			t.Errorf("%s %s, %s to %q: a record of the outcome is not what is read next:\n%s", ref.Kind, ref.ID, c.Field, c.To, differences(out.Records[i:i+1], now[i]))
		}
	}
}

// pictures is how many a field of images lists.
func pictures(v string) int {
	var list []string
	if json.Unmarshal([]byte(v), &list) != nil {
		return 0
	}
	return len(list)
}

func refsOf(records []intake.Record) []intake.Ref {
	var refs []intake.Ref
	for _, r := range records {
		refs = append(refs, r.Ref)
	}
	return refs
}

// differences shows how what was said differs from a record.
func differences(said []intake.Record, rec intake.Record) string {
	text := "read: " + string(rec.Statement)
	for _, r := range said {
		text += "\nsaid: " + string(r.Statement)
	}
	return text
}

// fresh is a product that is to be made, with one variant or with two.
func fresh(e connectors.Editor, key, category string, variants int) intake.Edit {
	edit := intake.Edit{Key: key, Ref: intake.Ref{Kind: intake.KindProduct}}
	set := func(of *intake.Edit, kind intake.Kind, f intake.Field, v string) {
		if to, ok := e.Express(kind, f, v); ok {
			of.Changes = append(of.Changes, intake.Change{Field: f, To: to})
		}
	}
	set(&edit, intake.KindProduct, intake.FieldTitle, "Nouveau "+key)
	set(&edit, intake.KindProduct, intake.FieldStatus, "published")
	set(&edit, intake.KindProduct, intake.FieldCategories, intake.Sorted([]string{category}))
	for i := range variants {
		v := intake.Edit{Key: key + string(rune('a'+i)), Ref: intake.Ref{Kind: intake.KindVariant}}
		set(&v, intake.KindVariant, intake.FieldSKU, "NOUV-"+key+"-"+string(rune('A'+i)))
		set(&v, intake.KindVariant, intake.FieldPrice, "19.9")
		set(&v, intake.KindVariant, intake.FieldWeight, "250 g")
		if variants > 1 {
			v.Changes = append(v.Changes, intake.Change{Field: intake.FieldOptions, To: intake.List([]intake.Option{{Name: "Taille", Value: string(rune('S' + i))}})})
		}
		edit.Variants = append(edit.Variants, v)
	}
	return edit
}

// Whatever answer is lost, the product is there once, with all of its variants.
func productIsMadeOnce(ctx context.Context, t T, s Pusher) {
	for _, c := range []struct {
		key            string
		variants, lost int
	}{{"un", 1, 0}, {"deux", 2, 0}, {"perdu", 1, 1}, {"perdus", 2, 1}, {"souvent", 2, 2}} {
		e, ok := editorOf(ctx, t, s)
		if !ok {
			return
		}
		categories := slices.Sorted(maps.Keys(readNow(ctx, t, s, intake.Categories)))
		before := s.IDs(intake.Products)
		s.LoseAnswers(c.lost)
		edit := fresh(e, c.key, categories[1], c.variants)
		out := pushEdits(ctx, t, e, edit)[c.key]
		s.LoseAnswers(0)
		again := pushEdits(ctx, t, e, edit)[c.key]
		if out.Result != intake.Done || again.Result != intake.Done || out.Ref.ID == "" || again.Ref.ID != out.Ref.ID {
			t.Errorf("%s: %s %q (%s), and told again %s %q (%s)", c.key, out.Result, out.Ref.ID, out.Why, again.Result, again.Ref.ID, again.Why)
			continue
		}
		if made := without(s.IDs(intake.Products), before); len(made) != 1 || made[0] != out.Ref.ID {
			t.Errorf("%s: the shop has made %q", c.key, made)
		}
		all := reading(ctx, t, s, intake.KindVariant)
		sameFields(t, all, out.Ref, edit.Changes)
		if len(out.Variants) != c.variants {
			t.Errorf("%s: the outcome names %d variants, want %d", c.key, len(out.Variants), c.variants)
			continue
		}
		for i, v := range out.Variants {
			sameFields(t, all, v, edit.Variants[i].Changes)
		}
	}
}

// sameFields reports fields that are not as they were told.
func sameFields(t T, all map[string]intake.Record, ref intake.Ref, told []intake.Change) {
	t.Helper()
	got, _ := stated(all, ref)
	for _, c := range told {
		if got[c.Field] != c.To {
			t.Errorf("%s %s: its %s is %q, want %q", ref.Kind, ref.ID, c.Field, got[c.Field], c.To)
		}
	}
}

func categoryIsMadeOnce(ctx context.Context, t T, s Pusher) {
	for _, lost := range []int{0, 1} {
		e, ok := editorOf(ctx, t, s)
		if !ok {
			return
		}
		key := []string{"rayon", "rayon perdu"}[lost]
		edit := intake.Edit{Key: key, Ref: intake.Ref{Kind: intake.KindCategory}, Changes: []intake.Change{{Field: intake.FieldName, To: "Essai " + key}}}
		if to, ok := e.Express(intake.KindCategory, intake.FieldParent, s.IDs(intake.Categories)[1]); ok {
			edit.Changes = append(edit.Changes, intake.Change{Field: intake.FieldParent, To: to})
		}
		before := s.IDs(intake.Categories)
		s.LoseAnswers(lost)
		out := pushEdits(ctx, t, e, edit)[key]
		s.LoseAnswers(0)
		again := pushEdits(ctx, t, e, edit)[key]
		made := without(s.IDs(intake.Categories), before)
		if out.Result != intake.Done || len(made) != 1 || made[0] != out.Ref.ID || again.Ref.ID != out.Ref.ID {
			t.Errorf("%s: %s %q (%s), told again %q, and the shop has made %q", key, out.Result, out.Ref.ID, out.Why, again.Ref.ID, made)
			continue
		}
		sameFields(t, reading(ctx, t, s, intake.KindCategory), out.Ref, edit.Changes)
	}
}

func deletedCategoryKeepsItsProducts(ctx context.Context, t T, s Pusher) {
	e, ok := editorOf(ctx, t, s)
	if !ok {
		return
	}
	in := map[string]int{}
	products := s.IDs(intake.Products)
	for _, rec := range readNow(ctx, t, s, intake.Products) {
		if p, ok := rec.Body.(*intake.Product); ok {
			for _, id := range p.CategoryIDs {
				in[id]++
			}
		}
	}
	ids := slices.SortedFunc(maps.Keys(in), func(a, b string) int { return cmp.Or(cmp.Compare(in[b], in[a]), cmp.Compare(a, b)) })
	for _, id := range ids[:2] {
		if id == s.IDs(intake.Categories)[0] {
			continue // a shop may insist on a default one
		}
		edit := intake.Edit{Key: "weg-" + id, Ref: intake.Ref{Kind: intake.KindCategory, ID: id}, Delete: true}
		for _, again := range []bool{false, true} {
			if out := pushEdits(ctx, t, e, edit)[edit.Key]; out.Result != intake.Done {
				t.Errorf("delete category %s (again: %v): %s (%s)", id, again, out.Result, out.Why)
			}
		}
		if slices.Contains(s.IDs(intake.Categories), id) {
			t.Errorf("category %s is still there", id)
		}
		if gone := without(products, s.IDs(intake.Products)); len(gone) > 0 {
			t.Errorf("category %s took products %s with it", id, some(gone))
		}
		for _, rec := range readNow(ctx, t, s, intake.Products) {
			if p, ok := rec.Body.(*intake.Product); ok && slices.Contains(p.CategoryIDs, id) {
				t.Errorf("product %s is still in category %s", rec.Ref.ID, id)
			}
		}
	}
}

func refusedEditHindersNoOther(ctx context.Context, t T, s Pusher) {
	e, ok := editorOf(ctx, t, s)
	if !ok {
		return
	}
	seen := units(ctx, t, s)
	gone, good := seen[0].variant.ProductID, seen[1].variant.ProductID
	if _, err := s.Do(intake.Products, Remove, gone); err != nil {
		t.Logf("no product can be removed")
		return
	}
	title := func(id string) intake.Edit {
		return intake.Edit{Key: "titre " + id, Ref: intake.Ref{Kind: intake.KindProduct, ID: id}, Changes: []intake.Change{{Field: intake.FieldTitle, To: "Titre " + id}}}
	}
	out := pushEdits(ctx, t, e, title(gone), title(good))
	if o := out["titre "+gone]; o.Result != intake.Refused {
		t.Errorf("an edit of what is gone: %+v, want refused", o)
	}
	if o := out["titre "+good]; o.Result != intake.Done {
		t.Errorf("beside a refused edit: %+v, want done", o)
	}
	sameFields(t, reading(ctx, t, s, intake.KindProduct), intake.Ref{Kind: intake.KindProduct, ID: good}, title(good).Changes)
}
