package woocommerce_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
)

func changes(pairs ...string) []intake.Change {
	var all []intake.Change
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, intake.Change{Field: intake.Field(pairs[i]), To: pairs[i+1]})
	}
	return all
}

// edit tells the shop one thing and checks what goes for all: what is stated
// after a change is what Fetch states, and holds what was told.
func (s *counter) edit(e intake.Edit) intake.Outcome {
	s.t.Helper()
	parts := s.c.EditBatches([]intake.Edit{e})
	out, err := s.c.PushEdits(s.t.Context(), "k-"+e.Key, parts[0])
	if err != nil || len(out) != 1 {
		s.t.Fatalf("%d outcomes: %v", len(out), err)
	}
	if out[0].Result == intake.Done && !e.Delete {
		s.checkRecords(out[0])
		s.checkTaken(e, out[0])
	}
	return out[0]
}

func (s *counter) checkRecords(o intake.Outcome) {
	s.t.Helper()
	if len(o.Records) == 0 {
		s.t.Errorf("%+v states nothing", o)
	}
	for _, rec := range o.Records {
		again, err := s.c.Fetch(s.t.Context(), []intake.Ref{rec.Ref})
		if err != nil || again[0].Digest != rec.Digest {
			s.t.Errorf("%v is stated otherwise when it is read: %v", rec.Ref, err)
		}
	}
}

func (s *counter) checkTaken(e intake.Edit, o intake.Outcome) {
	s.t.Helper()
	stated := fieldsOf(o.Records, o.Ref)
	for _, change := range e.Changes {
		want, ok := s.c.Express(e.Ref.Kind, change.Field, change.To)
		if !ok || stated[change.Field] != want && !slices.Contains([]intake.Field{intake.FieldImages, intake.FieldDescription, intake.FieldShort}, change.Field) {
			s.t.Errorf("%v %s: %q, want %q", o.Ref, change.Field, stated[change.Field], want)
		}
	}
}

// fieldsOf is what records state of a thing.
func fieldsOf(records []intake.Record, ref intake.Ref) map[intake.Field]string {
	for _, rec := range records {
		if p, ok := rec.Body.(*intake.Product); ok && ref.Kind == intake.KindVariant {
			for i := range p.Variants {
				if p.Variants[i].ID == ref.ID {
					return intake.Fields(&p.Variants[i])
				}
			}
		}
		if rec.Ref.ID == ref.ID && rec.Ref.Kind == ref.Kind {
			return intake.Fields(rec.Body)
		}
	}
	return nil
}

func (s *counter) categories() []intake.Record {
	s.t.Helper()
	page, err := s.c.Pull(s.t.Context(), intake.Categories, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Records
}

// Every field that has an owner reaches the shop, and is stated as it was
// expressed. What is archived is still there.
func TestEditsAreStatedAsTheyWereExpressed(t *testing.T) {
	s := newCounter(t)
	own, variations := s.goods()
	categories := s.categories()
	product := intake.Ref{Kind: intake.KindProduct, ID: counted(own)[0].ProductID}
	for _, status := range []string{"archived", "draft", "published"} {
		s.edit(intake.Edit{Key: "s-" + status, Ref: product, Changes: changes("status", status)})
	}
	if o := s.edit(intake.Edit{Key: "e1", Ref: product, Changes: changes("title", "Tasse à thé & café", "description", "Une <em>tasse</em>", "short_description", "Tasse",
		"categories", intake.Sorted([]string{categories[1].Ref.ID, categories[2].Ref.ID}))}); o.Result != intake.Done {
		t.Errorf("%+v", o)
	}
	prices := changes("price", "24.9", "sale_price", "19", "sale_from", "2026-12-01T00:00:00Z", "sale_to", "2026-12-24T22:59:59Z", "weight", "350 g",
		"backorders", "notify")
	for _, v := range []intake.Variant{counted(own)[0], counted(variations)[0]} {
		ref := intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}
		if o := s.edit(intake.Edit{Key: "e2" + v.ID, Ref: ref, Changes: prices}); o.Result != intake.Done {
			t.Errorf("%+v", o)
		}
		if o := s.edit(intake.Edit{Key: "e3" + v.ID, Ref: ref, Changes: changes("sale_price", "", "sale_from", "", "sale_to", "", "sku", "NEW-"+v.ID, "barcode", "40063813339"+v.ID)}); o.Result != intake.Done {
			t.Errorf("%+v", o)
		}
	}
}

// A picture that the product has is not fetched again, and a new one once,
// though the answer was lost.
func TestPicturesAreFetchedOnce(t *testing.T) {
	s := newCounter(t)
	own, _ := s.goods()
	product := intake.Ref{Kind: intake.KindProduct, ID: counted(own)[0].ProductID}
	of := func(o intake.Outcome) []string { return o.Records[0].Body.(*intake.Product).Images }
	first := of(s.edit(intake.Edit{Key: "p1", Ref: product, Changes: changes("images", `["https://books.example/a.jpg","https://books.example/b.jpg"]`)}))
	if len(first) != 2 {
		t.Fatalf("%v", first)
	}
	e := intake.Edit{Key: "p2", Ref: product, Changes: changes("images", intake.List([]string{first[1], "https://books.example/c.jpg"}))}
	s.shop.Misbehave(lost("/batch"))
	if _, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{e}); err == nil {
		t.Fatal("the answer was lost")
	}
	s.shop.Behave()
	there, err := s.c.Fetch(t.Context(), []intake.Ref{product})
	if err != nil {
		t.Fatal(err)
	}
	second := of(s.edit(e))
	if !slices.Equal(second, there[0].Body.(*intake.Product).Images) || len(second) != 2 || second[0] != first[1] {
		t.Errorf("%v, then %v, then %v", first, there[0].Body.(*intake.Product).Images, second)
	}
}

// The options of a variation change with the values that its product allows;
// an attribute that the product lacks is said.
func TestOptionsOfAVariation(t *testing.T) {
	s := newCounter(t)
	_, variations := s.goods()
	v := variations[0]
	ref := intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}
	options := slices.Clone(v.Options)
	options[0].Value = "Turquoise"
	if o := s.edit(intake.Edit{Key: "o1", Ref: ref, Changes: changes("attributes", intake.List(options))}); o.Result != intake.Done {
		t.Errorf("%+v", o)
	}
	if o := s.edit(intake.Edit{Key: "o2", Ref: ref, Changes: changes("attributes", `[{"name":"Voltage","value":"230"}]`)}); o.Result != intake.Refused || !strings.Contains(o.Why, "Voltage") {
		t.Errorf("%+v", o)
	}
}

// A variation of which the product counts the stock knows no backorders of its
// own: what else it was told is done.
func TestBackordersOfWhatIsCountedWithItsProduct(t *testing.T) {
	s := newCounter(t)
	_, variations := s.goods()
	v := variations[slices.IndexFunc(variations, func(v intake.Variant) bool { return v.StockOf != "" })]
	e := intake.Edit{Key: "b", Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, Changes: changes("price", "33", "backorders", "yes")}
	out, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{e})
	if err != nil || out[0].Result != intake.Done || fieldsOf(out[0].Records, e.Ref)[intake.FieldPrice] != "33" {
		t.Errorf("%s %s, %v", out[0].Result, out[0].Why, err)
	}
}

// One that is refused does not hinder the others, and the shop's words are
// plain.
func TestRefusedEditsKeepToThemselves(t *testing.T) {
	s := newCounter(t)
	own, _ := s.goods()
	a, b := counted(own)[0], counted(own)[1]
	ref := func(v intake.Variant) intake.Ref {
		return intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}
	}
	edits := []intake.Edit{
		{Key: "1", Ref: ref(a), Changes: changes("sku", b.SKU)},
		{Key: "2", Ref: ref(b), Changes: changes("price", "11")},
		{Key: "3", Ref: intake.Ref{Kind: intake.KindVariant, ID: "999999", Parent: "999999"}, Changes: changes("price", "11")},
		{Key: "4", Ref: ref(counted(own)[2]), Changes: changes("price", "much")},
	}
	if parts := s.c.EditBatches(edits); len(parts) != 1 {
		t.Errorf("%d parts", len(parts))
	}
	out, err := s.c.PushEdits(t.Context(), "k", edits)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []intake.Result{intake.Refused, intake.Done, intake.Refused, intake.Refused} {
		if out[i].Result != want || (out[i].Why == "") != (want == intake.Done) || strings.Contains(out[i].Why, "&#") {
			t.Errorf("%d: %+v", i, out[i])
		}
	}
}

// A product is made once with its variants, whichever answer was lost.
func TestProductsAreMadeOnce(t *testing.T) {
	variant := func(key, sku, options string) intake.Edit {
		e := intake.Edit{Key: key, Ref: intake.Ref{Kind: intake.KindVariant}, Changes: changes("sku", sku, "price", "12.5")}
		if options != "" {
			e.Changes = append(e.Changes, changes("attributes", options)...)
		}
		return e
	}
	mug := intake.Edit{Key: "mug", Ref: intake.Ref{Kind: intake.KindProduct}, Changes: changes("title", "Mug", "status", "published", "description", "Un mug"), Variants: []intake.Edit{variant("mug-1", "MUG-1", "")}}
	bare := intake.Edit{Key: "bare", Ref: intake.Ref{Kind: intake.KindProduct}, Changes: changes("title", "Sans SKU", "status", "draft"), Variants: []intake.Edit{{Key: "bare-1", Ref: intake.Ref{Kind: intake.KindVariant}, Changes: changes("price", "1")}}}
	shirt := intake.Edit{Key: "shirt", Ref: intake.Ref{Kind: intake.KindProduct}, Changes: changes("title", "Chemise", "status", "published"), Variants: []intake.Edit{
		variant("shirt-s", "SHIRT-S", `[{"name":"Taille","value":"S"}]`), variant("shirt-m", "SHIRT-M", `[{"name":"Taille","value":"M"}]`)}}
	for name, test := range map[string]struct {
		edit intake.Edit
		lost string // path of the request of which the answer is lost
	}{
		"simple": {mug, ""}, "simple, answer lost": {mug, "/products"}, "without a SKU, answer lost": {bare, "/products"},
		"variable": {shirt, ""}, "variable, answer lost": {shirt, "/products"}, "variable, answer for its variations lost": {shirt, "/variations"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCounter(t)
			products, variants := len(s.shop.IDs(intake.Products)), len(s.shop.IDs(intake.Variants))
			if test.lost != "" {
				s.shop.Misbehave(lost(test.lost))
				if _, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{test.edit}); err == nil {
					t.Fatal("the answer was lost")
				}
				s.shop.Behave()
			}
			for range 2 {
				o := s.edit(test.edit)
				if o.Result != intake.Done || o.Ref.ID == "" || len(o.Variants) != len(test.edit.Variants) {
					t.Fatalf("%+v", o)
				}
				for i, ref := range o.Variants {
					stated := fieldsOf(o.Records, ref)
					for _, change := range test.edit.Variants[i].Changes {
						if want, _ := s.c.Express(intake.KindVariant, change.Field, change.To); stated[change.Field] != want {
							t.Errorf("%v %s: %q, want %q", ref, change.Field, stated[change.Field], want)
						}
					}
					if s.has(ref) != "0" {
						t.Errorf("%v is counted from %s", ref, s.has(ref))
					}
				}
			}
			more := len(test.edit.Variants)
			if len(test.edit.Variants) == 1 {
				more = 0
			}
			if p, v := len(s.shop.IDs(intake.Products))-products, len(s.shop.IDs(intake.Variants))-variants; p != 1 || v != more {
				t.Errorf("%d products and %d variations more", p, v)
			}
		})
	}
}

// A SKU that another product has is refused, with the shop's words and the
// product that has it.
func TestAProductWithATakenSKUIsRefused(t *testing.T) {
	s := newCounter(t)
	own, _ := s.goods()
	taken := counted(own)[0]
	o := s.edit(intake.Edit{Key: "x", Ref: intake.Ref{Kind: intake.KindProduct}, Changes: changes("title", "Double"),
		Variants: []intake.Edit{{Key: "x-1", Ref: intake.Ref{Kind: intake.KindVariant}, Changes: changes("sku", taken.SKU)}}})
	if o.Result != intake.Refused || !strings.Contains(o.Why, taken.ID) {
		t.Errorf("%+v", o)
	}
}

// A variation more.
func TestAVariationIsAddedOnce(t *testing.T) {
	s := newCounter(t)
	_, variations := s.goods()
	v := variations[0]
	options := slices.Clone(v.Options)
	options[0].Value = "Turquoise"
	e := intake.Edit{Key: "more", Ref: intake.Ref{Kind: intake.KindVariant, Parent: v.ProductID}, Changes: changes("sku", "MORE-1", "price", "9", "attributes", intake.List(options))}
	before := len(s.shop.IDs(intake.Variants))
	s.shop.Misbehave(lost("/variations"))
	if _, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{e}); err == nil {
		t.Fatal("the answer was lost")
	}
	s.shop.Behave()
	if o := s.edit(e); o.Result != intake.Done || len(s.shop.IDs(intake.Variants)) != before+1 {
		t.Errorf("%+v, %d variations more", o, len(s.shop.IDs(intake.Variants))-before)
	}
}

// Categories are made once, renamed, moved and deleted; the products in them
// stay.
func TestCategoriesComeAndGoAndProductsStay(t *testing.T) {
	s := newCounter(t)
	ref := intake.Ref{Kind: intake.KindCategory}
	thing := intake.Edit{Key: "c1", Ref: ref, Changes: changes("name", "Thé & café", "description", "Tout")}
	s.shop.Misbehave(lost("/categories"))
	if _, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{thing}); err == nil || connectors.ClassOf(err) != connectors.Transient {
		t.Fatalf("the answer was lost: %v", err)
	}
	s.shop.Behave()
	before := len(s.shop.IDs(intake.Categories))
	made := s.edit(thing)
	if made.Result != intake.Done || made.Ref.ID == "" || len(s.shop.IDs(intake.Categories)) != before {
		t.Fatalf("%+v", made)
	}
	child := s.edit(intake.Edit{Key: "c2", Ref: ref, Changes: changes("name", "Théières", "parent", made.Ref.ID)})
	if o := s.edit(intake.Edit{Key: "c3", Ref: child.Ref, Changes: changes("name", "Bouilloires", "parent", "")}); o.Result != intake.Done {
		t.Errorf("%+v", o)
	}
	own, _ := s.goods()
	product := intake.Ref{Kind: intake.KindProduct, ID: counted(own)[0].ProductID}
	s.edit(intake.Edit{Key: "c4", Ref: product, Changes: changes("categories", intake.Sorted([]string{made.Ref.ID, child.Ref.ID}))})
	products := len(s.shop.IDs(intake.Products))
	for i := range 2 { // what is gone already is gone
		o := s.edit(intake.Edit{Key: "c5", Ref: made.Ref, Delete: true})
		if o.Result != intake.Done {
			t.Errorf("%+v", o)
		}
		if i == 0 && (len(o.Records) != 1 || o.Records[0].Ref != product) {
			t.Errorf("the product that was in it moved without its date, and is not stated: %d records", len(o.Records))
		}
	}
	if o := s.edit(intake.Edit{Key: "c7", Ref: made.Ref, Changes: changes("name", "Thés")}); o.Result != intake.Refused || !strings.Contains(o.Why, "does not have category "+made.Ref.ID) {
		t.Errorf("a category that is gone was renamed: %+v", o)
	}
	rec, err := s.c.Fetch(t.Context(), []intake.Ref{product})
	if err != nil || !slices.Equal(rec[0].Body.(*intake.Product).CategoryIDs, []string{child.Ref.ID}) {
		t.Errorf("%+v, %v", rec[0].Body, err)
	}
	if len(s.shop.IDs(intake.Products)) != products || len(s.shop.IDs(intake.Categories)) != before {
		t.Errorf("%d products, %d categories", len(s.shop.IDs(intake.Products)), len(s.shop.IDs(intake.Categories)))
	}
	if o := s.edit(intake.Edit{Key: "c6", Ref: intake.Ref{Kind: intake.KindCategory, ID: s.shop.IDs(intake.Categories)[0]}, Delete: true}); o.Result != intake.Refused {
		t.Errorf("the default category was deleted: %+v", o)
	}
}

// A shop that cannot list all variations lists those of a product: what was
// changed of it is read again in one go.
func TestVariationsOfAnOlderShopAreReadAgainTogether(t *testing.T) {
	shop := sandbox.New(sandbox.Options{Seed: 3, Orders: 40, Version: "9.9.5"})
	s := &counter{t, shop, connectTo(t, shop)}
	_, variations := s.goods()
	var edits []intake.Edit
	for _, v := range variations {
		if v.ProductID == variations[0].ProductID {
			edits = append(edits, intake.Edit{Key: "e" + v.ID, Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, Changes: changes("price", "31.5")})
		}
	}
	before := shop.Requests()
	out, err := s.c.PushEdits(t.Context(), "k", edits)
	if err != nil || len(out) != len(edits) || len(edits) < 2 {
		t.Fatalf("%d outcomes for %d: %v", len(out), len(edits), err)
	}
	if n := shop.Requests() - before; n != 2 {
		t.Errorf("%d requests to change %d variations and read them again", n, len(edits))
	}
	for i, o := range out {
		if o.Result != intake.Done || fieldsOf(o.Records, edits[i].Ref)[intake.FieldPrice] != "31.5" {
			t.Errorf("%+v", o)
		}
	}
}

// What a shop is told before anything else was asked of it is sent once too,
// though its answer does not show whether this is the way to it.
func TestWhatIsToldFirstIsSentOnce(t *testing.T) {
	s := newCounter(t)
	s.shop.Misbehave(sandbox.Fault{Name: "notice", Path: "/categories", Writes: true})
	thing := intake.Edit{Key: "c1", Ref: intake.Ref{Kind: intake.KindCategory}, Changes: changes("name", "Théières")}
	if _, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{thing}); connectors.ClassOf(err) != connectors.Transient {
		t.Errorf("the answer cannot be read: %v", err)
	}
	sent := 0
	for _, n := range s.shop.Calls() {
		sent += n
	}
	if sent != 1 {
		t.Errorf("sent %d times: %v", sent, s.shop.Calls())
	}
}

// A change that the shop drops without a word is not taken for done.
func TestAChangeThatIsDroppedIsSaid(t *testing.T) {
	s := newCounter(t)
	own, _ := s.goods()
	v := counted(own)[0]
	s.c = connectBy(t, s.shop, deaf{s.shop.Transport(), "global_unique_id"})
	o, err := s.c.PushEdits(t.Context(), "k", []intake.Edit{{Key: "b", Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, Changes: changes("barcode", "4006381333931")}})
	if err != nil || o[0].Result != intake.Refused || !strings.Contains(o[0].Why, "barcode") {
		t.Errorf("%s %s, %v", o[0].Result, o[0].Why, err)
	}
}

// deaf is a shop that is too old for a field: it does not hear of it.
type deaf struct {
	http.RoundTripper
	field string
}

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.ReplaceAll(body, []byte(d.field), []byte("unknown"))
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return d.RoundTripper.RoundTrip(r)
}
