package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"comptoir/erp/intake"
)

func TestHowShopifyExpressesWhatTheBooksHave(t *testing.T) {
	c := told(t)
	for _, tt := range []struct {
		kind  intake.Kind
		field intake.Field
		value string
		want  string
		can   bool
	}{
		{intake.KindProduct, intake.FieldTitle, " Lampe ", "Lampe", true},
		{intake.KindProduct, intake.FieldTitle, " ", "", false},
		{intake.KindProduct, intake.FieldDescription, "<p>x</p>", "<p>x</p>", true},
		{intake.KindProduct, intake.FieldShort, "x", "", false},
		{intake.KindProduct, intake.FieldStatus, "archived", "archived", true},
		{intake.KindProduct, intake.FieldStatus, "pending", "pending", false},
		{intake.KindProduct, intake.FieldCategories, `["9","10","9"]`, `["10","9"]`, true},
		{intake.KindProduct, intake.FieldCategories, `["x"]`, `["x"]`, false},
		{intake.KindProduct, intake.FieldCategories, "", "", true},
		{intake.KindVariant, intake.FieldSKU, " A-1 ", "A-1", true},
		{intake.KindVariant, intake.FieldPrice, "12.50", "12.5", true},
		{intake.KindVariant, intake.FieldPrice, "12.505", "12.51", true},
		{intake.KindVariant, intake.FieldPrice, "", "", false},
		{intake.KindVariant, intake.FieldPrice, "-1", "", false},
		{intake.KindVariant, intake.FieldSale, "", "", true},
		{intake.KindVariant, intake.FieldSale, "9.90", "9.9", true},
		{intake.KindVariant, intake.FieldSaleFrom, "2026-11-27T00:00:00Z", "", false},
		{intake.KindVariant, intake.FieldWeight, "0.750 kg", "0.75 kg", true},
		{intake.KindVariant, intake.FieldWeight, "0 kg", "", true},
		{intake.KindVariant, intake.FieldWeight, "0.75", "", false}, // kilograms? pounds?
		{intake.KindVariant, intake.FieldWeight, "-1 kg", "", false},
		{intake.KindVariant, intake.FieldOptions, `[{"name":"Title","value":"Default Title"}]`, "", true},
		{intake.KindVariant, intake.FieldOptions, `[{"name":"Taille ","value":"S"}]`, `[{"name":"Taille","value":"S"}]`, true},
		{intake.KindVariant, intake.FieldBackorders, "notify", "yes", true},
		{intake.KindVariant, intake.FieldBackorders, "no", "no", true},
		{intake.KindVariant, intake.FieldBackorders, "", "", false},
		{intake.KindVariant, intake.FieldQuantity, "4", "", false},
		{intake.KindCategory, intake.FieldName, "Rayon", "Rayon", true},
		{intake.KindCategory, intake.FieldParent, "7", "", false},
		{intake.KindOrder, intake.FieldName, "x", "", false},
	} {
		if got, can := c.Express(tt.kind, tt.field, tt.value); can != tt.can || can && got != tt.want {
			t.Errorf("%s %s %q: %q, %v, want %q, %v", tt.kind, tt.field, tt.value, got, can, tt.want, tt.can)
		}
	}
	c.granted.Store(&access{shop: shopFacts{Currency: "JPY"}})
	if got, _ := c.Express(intake.KindVariant, intake.FieldPrice, "1234.5"); got != "1235" {
		t.Errorf("1234.5 yen are %s", got)
	}
}

// Variants of one product stand together, what is to be made stands alone, and
// nothing is lost.
func TestEditBatches(t *testing.T) {
	var edits []intake.Edit
	for i := range 260 {
		edits = append(edits, intake.Edit{Key: fmt.Sprint(i), Ref: intake.Ref{Kind: intake.KindVariant, ID: fmt.Sprint(i + 1), Parent: fmt.Sprint(i % 40)}})
	}
	edits = append(edits, intake.Edit{Key: "new", Ref: intake.Ref{Kind: intake.KindVariant}})
	parts := (&Connector{}).EditBatches(edits)
	seen, calls := map[string]bool{}, 0
	for _, part := range parts {
		last := ""
		for _, e := range part {
			seen[e.Key] = true
			if e.Ref.Parent != last || last == "" {
				calls, last = calls+1, e.Ref.Parent
			}
		}
		if part[0].Ref.ID == "" && len(part) > 1 || len(part) > mostVariants {
			t.Errorf("a part has %d edits", len(part))
		}
	}
	if len(seen) != len(edits) || len(parts) != 4 || calls > 40+len(parts) {
		t.Errorf("%d of %d edits in %d parts, with %d calls", len(seen), len(edits), len(parts), calls)
	}
}

// edit tells the shop edits at once and returns their outcomes.
func edit(t *testing.T, c *Connector, edits ...intake.Edit) []intake.Outcome {
	t.Helper()
	outcomes, err := c.PushEdits(t.Context(), "k", edits)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func change(ref intake.Ref, changes ...string) intake.Edit {
	e := intake.Edit{Key: ref.ID, Ref: ref}
	for i := 0; i < len(changes); i += 2 {
		e.Changes = append(e.Changes, intake.Change{Field: intake.Field(changes[i]), To: changes[i+1]})
	}
	return e
}

// variantRefs are variants that the shop counts.
func variantRefs(t *testing.T, c *Connector, n int) []intake.Ref {
	t.Helper()
	var refs []intake.Ref
	for _, l := range levelsOf(t, c, n) {
		refs = append(refs, l.Ref)
	}
	return refs
}

func theFields(t *testing.T, o intake.Outcome) map[intake.Field]string {
	t.Helper()
	if o.Result != intake.Done || len(o.Records) == 0 {
		t.Fatalf("%s: %s", o.Result, o.Why)
	}
	return intake.Fields(o.Records[0].Body)
}

// A sale is a price with a higher one beside it: either is changed without the
// other being lost.
func TestPriceAndSaleKeepEachOther(t *testing.T) {
	_, c, _ := pushed(t)
	ref := variantRefs(t, c, 1)[0]
	for _, step := range []struct {
		told        []string
		price, sale string
		refused     bool
	}{
		{[]string{"price", "20", "sale_price", "15"}, "20", "15", false},
		{[]string{"price", "25"}, "25", "15", false},
		{[]string{"sale_price", "12.5"}, "25", "12.5", false},
		{[]string{"sale_price", "25"}, "25", "12.5", true},
		{[]string{"price", "12"}, "25", "12.5", true},
		{[]string{"sale_price", ""}, "25", "", false},
		{[]string{"price", "30"}, "30", "", false},
	} {
		o := edit(t, c, change(ref, step.told...))[0]
		if (o.Result == intake.Refused) != step.refused {
			t.Errorf("%v: %s %s", step.told, o.Result, o.Why)
		}
		recs, err := c.Fetch(t.Context(), []intake.Ref{ref})
		if err != nil {
			t.Fatal(err)
		}
		if got := intake.Fields(recs[0].Body); got[intake.FieldPrice] != step.price || got[intake.FieldSale] != step.sale {
			t.Errorf("after %v: price %s, sale %s, want %s, %s", step.told, got[intake.FieldPrice], got[intake.FieldSale], step.price, step.sale)
		}
	}
}

// Variants of one product take one call, and one that is refused keeps none of
// the others from being changed.
func TestVariantsOfAProductAreChangedTogether(t *testing.T) {
	shop, c, way := pushed(t)
	made := edit(t, c, newProduct("k-trois", "Trois", "S", "M", "L"))[0]
	if made.Result != intake.Done || len(made.Variants) != 3 {
		t.Fatalf("%+v", made)
	}
	way.ops = nil
	var edits []intake.Edit
	for i, v := range made.Variants {
		edits = append(edits, change(v, "price", fmt.Sprint(50+i), "attributes", intake.List([]intake.Option{{Name: "Taille", Value: fmt.Sprint("X", i)}})))
	}
	for i, o := range edit(t, c, edits...) {
		if got := theFields(t, o); got[intake.FieldPrice] != fmt.Sprint(50+i) || got[intake.FieldOptions] != fmt.Sprintf(`[{"name":"Taille","value":"X%d"}]`, i) {
			t.Errorf("variant %d: %v", i, got)
		}
	}
	if way.times("variants_edit") != 1 {
		t.Errorf("asked %v", way.ops)
	}
	edits[1].Changes = []intake.Change{{Field: intake.FieldOptions, To: `[{"name":"Couleur","value":"bleu"}]`}}
	edits[0].Changes[0].To = "60"
	edits[2].Ref = intake.Ref{Kind: intake.KindVariant, ID: "1", Parent: made.Ref.ID}
	got := edit(t, c, edits...)
	if got[0].Result != intake.Done || got[1].Result != intake.Refused || got[2].Result != intake.Refused || !strings.Contains(got[1].Why, "no other names") {
		t.Errorf("%+v", got)
	}
	if shop.IDs(intake.Products) == nil {
		t.Error("the shop has lost its products")
	}
}

// What the shop itself refuses of several is told apart from the others.
func TestRefusedVariantIsLeftOut(t *testing.T) {
	said := stockAnswers{
		"variants_by_id": {
			`{"nodes":[{"id":"gid://shopify/ProductVariant/1","product":{"id":"gid://shopify/Product/9"}},{"id":"gid://shopify/ProductVariant/2","product":{"id":"gid://shopify/Product/9"}}]}`,
			`{"nodes":[{"id":"gid://shopify/ProductVariant/2","product":{"id":"gid://shopify/Product/9"}}]}`,
		},
		"variants_edit": {
			`{"productVariantsBulkUpdate":{"userErrors":[{"field":["variants","0","barcode"],"message":"is odd","code":"INVALID"}]}}`,
			`{"productVariantsBulkUpdate":{"userErrors":[]}}`,
		},
	}
	ref := func(id string) intake.Ref { return intake.Ref{Kind: intake.KindVariant, ID: id, Parent: "9"} }
	got := edit(t, said.connector(t), change(ref("1"), "barcode", "x"), change(ref("2"), "barcode", "y"))
	if got[0].Result != intake.Refused || !strings.Contains(got[0].Why, "is odd") || got[1].Result != intake.Done {
		t.Errorf("%+v", got)
	}
}

// newProduct is a product that is to be made, with a variant for each size; or
// one without choices.
func newProduct(key, title string, sizes ...string) intake.Edit {
	e := intake.Edit{Key: key, Ref: intake.Ref{Kind: intake.KindProduct}, Changes: []intake.Change{{Field: intake.FieldTitle, To: title}, {Field: intake.FieldStatus, To: "published"}}}
	variant := func(sku string, more ...intake.Change) {
		e.Variants = append(e.Variants, intake.Edit{Ref: intake.Ref{Kind: intake.KindVariant}, Changes: append([]intake.Change{
			{Field: intake.FieldSKU, To: sku}, {Field: intake.FieldPrice, To: "19.9"}, {Field: intake.FieldWeight, To: "1.25 kg"}}, more...)})
	}
	for _, size := range sizes {
		variant(key+"-"+size, intake.Change{Field: intake.FieldOptions, To: intake.List([]intake.Option{{Name: "Taille", Value: size}})})
	}
	if len(sizes) == 0 {
		variant(key)
	}
	return e
}

// Two products of one name are two, each is on sale, and their variants come
// back in the order in which they were asked for.
func TestProductsAreMadeAndPutOnSale(t *testing.T) {
	_, c, way := pushed(t)
	first, second := edit(t, c, newProduct("k1", "Écharpe d’été", "L", "S"))[0], edit(t, c, newProduct("k2", "Écharpe d’été"))[0]
	if first.Result != intake.Done || second.Result != intake.Done || first.Ref.ID == second.Ref.ID || first.Why+second.Why != "" {
		t.Fatalf("%+v\n%+v", first, second)
	}
	if way.times("publish") != 2 {
		t.Errorf("put on sale %d times", way.times("publish"))
	}
	body, _ := first.Records[0].Body.(*intake.Product)
	if body.Slug != "echarpe-d-ete" || len(first.Variants) != 2 || len(first.Records) != 3 {
		t.Errorf("%+v with %d records", body, len(first.Records))
	}
	large, _ := first.Records[1].Body.(*intake.Variant)
	if large.SKU != "k1-L" || large.Weight != "1.25 kg" || !large.Tracked || large.ProductID != first.Ref.ID {
		t.Errorf("%+v", large)
	}
	other, _ := second.Records[0].Body.(*intake.Product)
	if !strings.HasPrefix(other.Slug, "echarpe-d-ete-") {
		t.Errorf("the other has the handle %q", other.Slug)
	}
}

func TestProductsThatAreNotMade(t *testing.T) {
	shop, c, _ := pushed(t)
	edit(t, c, newProduct("k1", "Une", "S"))
	before := len(shop.IDs(intake.Products))
	mixed := newProduct("k3", "Mêlée", "S", "M")
	mixed.Variants[1].Changes[3].To = `[{"name":"Couleur","value":"bleu"}]`
	taken := newProduct("k4", "Une autre", "S")
	taken.Variants[0].Changes[0].To = "k1-S"
	short := newProduct("k5", "Courte")
	short.Changes = append(short.Changes, intake.Change{Field: intake.FieldShort, To: "x"})
	none := newProduct("k6", "Sans")
	none.Variants = nil
	for says, e := range map[string]intake.Edit{"same choices": mixed, "SKU k1-S": taken, "short_description": short, "variants": none} {
		if o := edit(t, c, e)[0]; o.Result != intake.Refused || !strings.Contains(o.Why, says) {
			t.Errorf("%s: %s %q", e.Key, o.Result, o.Why)
		}
	}
	if after := len(shop.IDs(intake.Products)); after != before {
		t.Errorf("the shop has %d products, had %d", after, before)
	}
}

// Without the right to put things on sale they are made all the same.
func TestProductIsMadeWithoutTheRightToPutItOnSale(t *testing.T) {
	_, c, way := pushed(t)
	if _, err := c.access(t.Context()); err != nil {
		t.Fatal(err)
	}
	known := *c.granted.Load()
	known.scopes = slices.DeleteFunc(slices.Clone(known.scopes), func(s string) bool { return s == scopePublish })
	c.granted.Store(&known)
	o := edit(t, c, newProduct("k1", "Cachée"))[0]
	if o.Result != intake.Done || !strings.Contains(o.Why, scopePublish) || way.times("publish") != 0 {
		t.Errorf("%s %q", o.Result, o.Why)
	}
}

// Each version of the API is told in its own words.
func TestCollectionsInEachVersion(t *testing.T) {
	for _, version := range []string{"2026-04", "2026-07", "2026-10"} {
		shop, c, _ := pushed(t)
		c.cfg.APIVersion, c.client.cfg.APIVersion = version, version
		made := edit(t, c, intake.Edit{Key: "k1", Ref: intake.Ref{Kind: intake.KindCategory}, Changes: []intake.Change{{Field: intake.FieldName, To: "Rayon d’été"}}})[0]
		if got := theFields(t, made); got[intake.FieldName] != "Rayon d’été" {
			t.Errorf("%s: %v", version, got)
		}
		renamed := edit(t, c, change(made.Ref, "name", "Soldes", "description", "<p>Tout</p>"))[0]
		if got := theFields(t, renamed); got[intake.FieldName] != "Soldes" || got[intake.FieldDescription] != "<p>Tout</p>" {
			t.Errorf("%s: %v", version, got)
		}
		product := intake.Ref{Kind: intake.KindProduct, ID: shop.IDs(intake.Products)[0]}
		in := theFields(t, edit(t, c, change(product, "categories", intake.Sorted([]string{made.Ref.ID})))[0])
		if in[intake.FieldCategories] != intake.Sorted([]string{made.Ref.ID}) {
			t.Errorf("%s: the product stands in %s", version, in[intake.FieldCategories])
		}
		if gone := edit(t, c, intake.Edit{Ref: made.Ref, Delete: true})[0]; gone.Result != intake.Done || len(gone.Records) != 0 || slices.Contains(shop.IDs(intake.Categories), made.Ref.ID) {
			t.Errorf("%s: %+v", version, gone)
		}
		if o := edit(t, c, change(intake.Ref{Kind: intake.KindCategory, ID: shop.IDs(intake.Categories)[0]}, "parent", "1"))[0]; o.Result != intake.Refused {
			t.Errorf("%s: moved below another: %s", version, o.Result)
		}
	}
}

// Nobody puts a product into a collection that rules fill, or takes it out.
func TestRulesDecideAboutTheirCollections(t *testing.T) {
	s := &places{in: map[string][]string{"1": {"10", "11"}}, rules: map[string]bool{"11": true, "13": true}}
	join, leave := s.moves("1", []string{"12", "13"})
	if !slices.Equal(join, []string{gid("Collection", "12")}) || !slices.Equal(leave, []string{gid("Collection", "10")}) {
		t.Errorf("joins %v, leaves %v", join, leave)
	}
	said := stockAnswers{"collection_rules": {`{"nodes":[
		{"id":"gid://shopify/Collection/1","sources":[]},
		{"id":"gid://shopify/Collection/2","sources":[{"__typename":"CollectionConditionsSource","inclusion":{"conditions":[]}}]},
		{"id":"gid://shopify/Collection/3","sources":[{"__typename":"CollectionConditionsSource","inclusion":{"conditions":[{"__typename":"X"}]}}]},
		{"id":"gid://shopify/Collection/4","sources":[{"__typename":"CollectionSubCollectionsSource"}]}, null]}`},
		"collection_rules_until_2026_04": {`{"nodes":[{"id":"gid://shopify/Collection/1","ruleSet":null},{"id":"gid://shopify/Collection/3","ruleSet":{"appliedDisjunctively":true}}]}`}}
	c := said.connector(t)
	rules := map[string]bool{}
	if err := c.readRules(t.Context(), []string{"1", "2", "3", "4", "5"}, rules); err != nil || rules["1"] || rules["2"] || !rules["3"] || !rules["4"] {
		t.Errorf("%v, %v", rules, err)
	}
	c.cfg.APIVersion, rules = "2026-04", map[string]bool{}
	if err := c.readRules(t.Context(), []string{"1", "3"}, rules); err != nil || rules["1"] || !rules["3"] {
		t.Errorf("%v, %v", rules, err)
	}
}

func TestHandles(t *testing.T) {
	for name, want := range map[string]string{"Écharpe d’été": "echarpe-d-ete", "  A—B  ": "a-b", "½ litre": "1-2-litre", "雨": "", strings.Repeat("x", 300): strings.Repeat("x", mostHandle)} {
		if got := handleOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if one, other := handlesOf("雨", "k1"), handlesOf("雨", "k2"); len(one) != 1 || one[0] == "" || one[0] == other[0] {
		t.Errorf("%v, %v", one, other)
	}
}
