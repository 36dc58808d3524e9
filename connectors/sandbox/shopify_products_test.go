package sandbox

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"comptoir/connectors/schema"
)

// told is a payload as a client reads it.
type toldPayload struct {
	UserErrors []struct {
		Field         []string
		Code, Message string
	}
	Product *struct {
		ID, Title, Handle, DescriptionHTML, Status, UpdatedAt, Vendor string
		PublishedAt                                                   *string
		Collections                                                   struct{ Nodes []struct{ ID string } }
		Media                                                         struct {
			Nodes []struct {
				ID    string
				Image struct{ URL string }
			}
		}
		Variants struct{ Nodes []toldVariant }
	}
	ProductVariants     []toldVariant
	Collection          *struct{ ID, Title, Handle, UpdatedAt string }
	DeletedCollectionID string
}

type toldVariant struct {
	ID, Price, SKU, Barcode, InventoryPolicy string
	CompareAtPrice                           *string
	InventoryQuantity                        int
	SelectedOptions                          []struct{ Name, Value string }
}

func (p *toldPayload) code() string {
	if len(p.UserErrors) == 0 {
		return ""
	}
	return strings.Join(p.UserErrors[0].Field, ".") + " " + p.UserErrors[0].Code
}

// asked tells the shop something in a version of the API, which checks it, and
// checks the codes of user errors against the schema.
func told(t *testing.T, s *Shop, version, document string, vars map[string]any) *toldPayload {
	t.Helper()
	res, body := do(t, s, post(t, s, version, s.Key(), document, vars))
	a := &said{header: res.Header}
	decode(t, body, a)
	if len(a.Errors) > 0 {
		t.Fatalf("%s\n%+v", document, a.Errors)
	}
	if old := a.header.Get("X-Shopify-API-Deprecated-Reason"); old != "" {
		t.Errorf("%s asks for what is deprecated: %s", document, old)
	}
	var all map[string]toldPayload
	decode(t, a.Data, &all)
	for name, p := range all {
		for _, e := range p.UserErrors {
			if e.Code != "" && !hasCode(version, name, e.Code) {
				t.Errorf("%s has no code %s in %s", name, e.Code, version)
			}
		}
		return &p
	}
	t.Fatalf("%s: no answer", document)
	return nil
}

// hasCode reports whether the user errors of a mutation may have a code; true
// where the schema is not there to say so.
func hasCode(version, mutation, code string) bool {
	s, err := schema.Load(version)
	if err != nil {
		return true
	}
	errors := s.Types[s.Mutation.Fields.ForName(mutation).Type.Name()].Fields.ForName("userErrors").Type.Name()
	return s.Types[s.Types[errors].Fields.ForName("code").Type.Name()].EnumValues.ForName(code) != nil
}

func newGoodsShop(t *testing.T) *Shop {
	t.Helper()
	return New(Options{Seed: 4, Orders: 30, Platform: Shopify, Schemas: presentSchemas()})
}

// obj is a variable or a part of one.
type obj = map[string]any

const (
	toldGoods = `product { id title handle descriptionHtml status updatedAt publishedAt vendor collections(first: 9) { nodes { id } }
		media(first: 9) { nodes { ... on MediaImage { id image { url } } } } variants(first: 9) { nodes { ` + toldVariants + ` } } }`
	toldVariants  = `id price compareAtPrice sku barcode inventoryPolicy inventoryQuantity selectedOptions { name value }`
	updateProduct = `mutation($p: ProductUpdateInput!, $m: [CreateMediaInput!]) { productUpdate(product: $p, media: $m) { ` + toldGoods + ` userErrors { field message } } }`
	updateVariant = `mutation($p: ID!, $v: [ProductVariantsBulkInput!]!, $some: Boolean) { productVariantsBulkUpdate(productId: $p, variants: $v, allowPartialUpdates: $some) {
		productVariants { ` + toldVariants + ` } userErrors { field code message } } }`
	setProduct = `mutation($id: ProductSetIdentifiers, $in: ProductSetInput!) { productSet(identifier: $id, input: $in) { ` + toldGoods + ` userErrors { field code message } } }`
)

func TestProductUpdateChangesWhatIsNamed(t *testing.T) {
	s := newGoodsShop(t)
	p := s.products[3]
	gid := plainGid("Product", p.own.id)
	before := told(t, s, "2026-10", updateProduct, obj{"p": obj{"id": gid}})
	stays := plainGid("Collection", p.in[0].id)
	joined := plainGid("Collection", s.categories[9].id)
	got := told(t, s, "2026-10", updateProduct, obj{"p": obj{"id": gid, "title": "Neu & alt", "descriptionHtml": "<p>Hé</p>", "status": "ARCHIVED", "collectionsToJoin": []any{joined}},
		"m": []any{obj{"originalSource": "https://shop.example/a.jpg", "mediaContentType": "IMAGE"}}}).Product
	if got.Title != "Neu & alt" || got.DescriptionHTML != "<p>Hé</p>" || got.Status != "ARCHIVED" || got.Handle != before.Product.Handle || got.UpdatedAt <= before.Product.UpdatedAt {
		t.Errorf("%+v", got)
	}
	if !reflect.DeepEqual(got.Variants, before.Product.Variants) {
		t.Errorf("its variants became %+v", got.Variants)
	}
	if n := len(got.Media.Nodes); n != 2 || got.Media.Nodes[1].Image.URL == "https://shop.example/a.jpg" || !strings.HasSuffix(got.Media.Nodes[1].Image.URL, "/a.jpg") {
		t.Errorf("media %+v", got.Media)
	}
	left := told(t, s, "2026-04", updateProduct, obj{"p": obj{"id": gid, "collectionsToLeave": []any{stays}}}).Product
	if had := len(before.Product.Collections.Nodes); len(got.Collections.Nodes) != had+1 || len(left.Collections.Nodes) != had ||
		slices.ContainsFunc(left.Collections.Nodes, func(c struct{ ID string }) bool { return c.ID == stays }) {
		t.Errorf("collections %v, then %v", got.Collections.Nodes, left.Collections.Nodes)
	}
	const unhang = `mutation($f: [FileUpdateInput!]!) { fileUpdate(files: $f) { files { id } userErrors { field code message } } }`
	told(t, s, "2026-07", unhang, obj{"f": []any{obj{"id": got.Media.Nodes[0].ID, "referencesToRemove": []any{gid}}}})
	if now := told(t, s, "2026-10", updateProduct, obj{"p": obj{"id": gid}}).Product; len(now.Media.Nodes) != 1 || now.Media.Nodes[0].ID != got.Media.Nodes[1].ID {
		t.Errorf("media %+v", now.Media)
	}
	for want, in := range map[string]obj{
		"title ":               {"id": gid, "title": " "},
		"id ":                  {"id": "gid://shopify/Product/1"},
		"handle ":              {"id": gid, "handle": s.products[4].slug},
		"collectionsToJoin.0 ": {"id": gid, "title": "half", "collectionsToJoin": []any{"gid://shopify/Collection/1"}},
	} {
		if a := told(t, s, "2026-10", updateProduct, obj{"p": in}); a.code() != want {
			t.Errorf("%v: %+v", in, a.UserErrors)
		}
	}
	if p.title != "Neu & alt" {
		t.Error("an update that was refused was done by half")
	}
}

func TestVariantsAreWrittenAllOrNone(t *testing.T) {
	s := newGoodsShop(t)
	p := s.products[slices.IndexFunc(s.products, func(p *product) bool { return len(p.variants) > 2 })]
	gid, one, two := plainGid("Product", p.own.id), plainGid("ProductVariant", p.variants[0].id), plainGid("ProductVariant", p.variants[1].id)
	got := told(t, s, "2026-10", updateVariant, obj{"p": gid, "v": []any{
		obj{"id": one, "price": "8.50", "compareAtPrice": "10", "barcode": "4006381333931", "inventoryPolicy": "CONTINUE",
			"inventoryItem": obj{"sku": "NEW-1", "measurement": obj{"weight": obj{"value": 1.5, "unit": "KILOGRAMS"}}}},
		obj{"id": two, "price": "9.00", "compareAtPrice": nil},
	}}).ProductVariants
	if v := got[0]; v.Price != "8.50" || *v.CompareAtPrice != "10.00" || v.Barcode != "4006381333931" || v.SKU != "NEW-1" || v.InventoryPolicy != "CONTINUE" {
		t.Errorf("%+v", v)
	}
	if v := got[1]; v.Price != "9.00" || v.CompareAtPrice != nil || len(got) != 2 {
		t.Errorf("%+v", v)
	}
	if w := p.variants[0].weight(); w.value != 1.5 || w.unit != "KILOGRAMS" || p.variants[0].grams != 1500 {
		t.Errorf("weight %+v, %d g", w, p.variants[0].grams)
	}
	for want, v := range map[string]obj{
		"variants.1.price NEGATIVE_PRICE_VALUE":                                     {"id": one, "price": "-1"},
		"variants.1.id PRODUCT_VARIANT_DOES_NOT_EXIST":                              {"id": plainGid("ProductVariant", s.products[2].own.id), "price": "1"},
		"variants.1.id PRODUCT_VARIANT_ID_MISSING":                                  {"price": "1"},
		"variants.1.inventoryQuantities NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE": {"id": one, "inventoryQuantities": []any{obj{"availableQuantity": 1, "locationId": plainGid("Location", 501)}}},
		"variants.1.inventoryItem.measurement.weight INVALID_INPUT":                 {"id": one, "inventoryItem": obj{"measurement": obj{"weight": obj{"value": -2, "unit": "GRAMS"}}}},
		"variants.1.optionValues.0 OPTION_DOES_NOT_EXIST":                           {"id": one, "optionValues": []any{obj{"optionName": "Schall", "name": "laut"}}},
	} {
		a := told(t, s, "2026-07", updateVariant, obj{"p": gid, "v": []any{obj{"id": two, "price": "99"}, v}})
		if a.code() != want || p.variants[1].asks() != 900 || a.ProductVariants != nil {
			t.Errorf("%s: %+v, price %d", want, a, p.variants[1].asks())
		}
	}
	a := told(t, s, "2026-10", updateVariant, obj{"p": gid, "some": true, "v": []any{obj{"id": two, "price": "7"}, obj{"id": one, "price": "-1"}}})
	if a.code() != "variants.1.price NEGATIVE_PRICE_VALUE" || len(a.ProductVariants) != 1 || p.variants[1].asks() != 700 {
		t.Errorf("a partial update: %+v", a)
	}
	if before := s.Clock(); told(t, s, "2026-10", updateVariant, obj{"p": gid, "v": []any{obj{"id": one, "price": "8"}}}) == nil || p.variants[0].changed <= before.Unix() || p.own.modified != p.variants[0].changed {
		t.Error("a change of price does not date the variant and its product")
	}
}

func TestProductSetReplacesLists(t *testing.T) {
	s := newGoodsShop(t)
	variant := func(size, sku string, stock int) obj {
		return obj{"optionValues": []any{obj{"optionName": "Size", "name": size}}, "price": "12.00", "inventoryItem": obj{"sku": sku, "tracked": true},
			"inventoryQuantities": []any{obj{"locationId": plainGid("Location", 502), "name": "available", "quantity": stock}}}
	}
	options := []any{obj{"name": "Size", "values": []any{obj{"name": "S"}, obj{"name": "M"}}}}
	in := obj{"title": "Seau", "status": "DRAFT", "productOptions": options, "variants": []any{variant("S", "SE-S", 4), variant("M", "SE-M", 0)},
		"collections": []any{plainGid("Collection", s.categories[2].id)}, "files": []any{obj{"originalSource": "https://x.example/b.png"}},
		"metafields": []any{obj{"namespace": "comptoir", "key": "key", "type": "single_line_text_field", "value": "k-1"}}}
	made := told(t, s, "2026-10", setProduct, obj{"in": in}).Product
	if made.Title != "Seau" || made.Status != "DRAFT" || made.PublishedAt != nil || len(made.Variants.Nodes) != 2 || len(made.Collections.Nodes) != 1 || len(made.Media.Nodes) != 1 {
		t.Fatalf("%+v", made)
	}
	if v := made.Variants.Nodes[0]; v.SKU != "SE-S" || v.Price != "12.00" || v.InventoryQuantity != 4 || v.SelectedOptions[0].Value != "S" {
		t.Errorf("%+v", v)
	}
	var found struct {
		Products        struct{ Nodes []struct{ ID string } }
		ProductVariants struct{ Nodes []struct{ ID string } }
		Product         struct{ Metafield struct{ Value string } }
	}
	decode(t, asking(t, s, `query($id: ID!) { products(first: 2, query: "metafields.comptoir.key:'k-1'") { nodes { id } } productVariants(first: 2, query: "sku:'SE-M'") { nodes { id } }
		product(id: $id) { metafield(namespace: "comptoir", key: "key") { value } } }`, obj{"id": made.ID}).Data, &found)
	if len(found.Products.Nodes) != 1 || found.Products.Nodes[0].ID != made.ID || len(found.ProductVariants.Nodes) != 1 || found.Product.Metafield.Value != "k-1" {
		t.Errorf("looking for it finds %+v", found)
	}
	if twin := told(t, s, "2026-10", setProduct, obj{"in": in}).Product; twin.ID == made.ID || twin.Handle != made.Handle+"-1" {
		t.Errorf("the same once more: %s %s", twin.ID, twin.Handle)
	}
	by := obj{"id": made.ID}
	one := told(t, s, "2026-10", setProduct, obj{"id": by, "in": obj{"productOptions": options, "variants": []any{variant("M", "SE-M", 0)}}}).Product
	if len(one.Variants.Nodes) != 1 || one.Variants.Nodes[0].ID != made.Variants.Nodes[1].ID || len(one.Collections.Nodes) != 1 {
		t.Errorf("a variant that is left out stays: %+v", one)
	}
	if files := told(t, s, "2026-10", setProduct, obj{"id": by, "in": obj{"files": []any{}}}).Product; len(files.Media.Nodes) != 0 || len(files.Variants.Nodes) != 1 {
		t.Errorf("%+v", files)
	}
	for want, in := range map[string]obj{
		"input.title INVALID_PRODUCT":                        {"status": "DRAFT"},
		"input.productOptions PRODUCT_OPTIONS_INPUT_MISSING": {"title": "x", "variants": []any{variant("S", "", 0)}},
		"input.variants.0.price INVALID_VARIANT":             {"title": "x", "productOptions": options, "variants": []any{obj{"price": "-1", "optionValues": []any{obj{"optionName": "Size", "name": "S"}}}}},
		"input.productOptions OPTIONS_OVER_LIMIT":            {"title": "x", "productOptions": append(slices.Repeat(options, 1), obj{"name": "a", "values": []any{obj{"name": "1"}}}, obj{"name": "b", "values": []any{obj{"name": "1"}}}, obj{"name": "c", "values": []any{obj{"name": "1"}}}), "variants": []any{variant("S", "", 0)}},
		"input.seo INVALID_INPUT":                            {"title": "x", "seo": obj{"title": "y"}},
		"input.variants VARIANTS_INPUT_MISSING":              {"title": "x", "productOptions": options},
	} {
		if a := told(t, s, "2026-10", setProduct, obj{"in": in}); a.code() != want || a.Product != nil {
			t.Errorf("%s: %+v", want, a.UserErrors)
		}
	}
	if a := told(t, s, "2026-10", setProduct, obj{"id": obj{"id": "gid://shopify/Product/1"}, "in": obj{"title": "x"}}); a.code() != "identifier PRODUCT_DOES_NOT_EXIST" {
		t.Errorf("%+v", a.UserErrors)
	}
}

func TestProductCreateMakesOneVariantAndMoreFollow(t *testing.T) {
	s := newGoodsShop(t)
	const create = `mutation($p: ProductCreateInput!) { productCreate(product: $p) { ` + toldGoods + ` userErrors { field message } } }`
	const more = `mutation($p: ID!, $v: [ProductVariantsBulkInput!]!, $s: ProductVariantsBulkCreateStrategy) { productVariantsBulkCreate(productId: $p, variants: $v, strategy: $s) {
		productVariants { ` + toldVariants + ` } userErrors { field code message } } }`
	plain := told(t, s, "2026-04", create, obj{"p": obj{"title": "Clou"}}).Product
	if plain.PublishedAt != nil || plain.Status != "ACTIVE" || len(plain.Variants.Nodes) != 1 || plain.Variants.Nodes[0].SelectedOptions[0].Value != "Default Title" || len(plain.Media.Nodes) != 0 {
		t.Errorf("%+v", plain)
	}
	p := told(t, s, "2026-10", create, obj{"p": obj{"title": "Vis", "productOptions": []any{obj{"name": "Long", "values": []any{obj{"name": "4"}, obj{"name": "5"}}}}}}).Product
	v := func(long string) obj {
		return obj{"price": "1.10", "optionValues": []any{obj{"optionName": "Long", "name": long}}}
	}
	if a := told(t, s, "2026-10", more, obj{"p": p.ID, "v": []any{v("5"), v("4")}}); a.code() != "variants.1 VARIANT_ALREADY_EXISTS" {
		t.Errorf("%+v", a)
	}
	if a := told(t, s, "2026-10", more, obj{"p": p.ID, "v": []any{obj{"price": "1"}}}); a.code() != "variants.0 NEED_TO_ADD_OPTION_VALUES" {
		t.Errorf("%+v", a)
	}
	if a := told(t, s, "2026-10", more, obj{"p": p.ID, "s": "REMOVE_STANDALONE_VARIANT", "v": []any{v("4"), v("5"), v("6")}}); len(a.ProductVariants) != 3 || a.ProductVariants[2].SelectedOptions[0].Value != "6" {
		t.Errorf("%+v", a)
	}
	if now := told(t, s, "2026-10", updateProduct, obj{"p": obj{"id": p.ID}}).Product; len(now.Variants.Nodes) != 3 {
		t.Errorf("%+v", now.Variants)
	}
}

func TestCollectionsComeAndGoAndTheirProductsStay(t *testing.T) {
	s := newGoodsShop(t)
	const create = `mutation($c: CollectionCreateInput!) { collectionCreate(collection: $c) { collection { id title handle } userErrors { field message } } }`
	const old = `mutation($c: CollectionInput!) { collectionCreate(input: $c) { collection { id title handle } userErrors { field message } } }`
	const update = `mutation($c: CollectionUpdateInput!) { collectionUpdate(collection: $c) { collection { id title handle updatedAt } job { id done } userErrors { field message } } }`
	const remove = `mutation($id: ID!) { collectionDelete(input: {id: $id}) { deletedCollectionId userErrors { field message } } }`
	a := told(t, s, "2026-10", create, obj{"c": obj{"title": "Jardin"}}).Collection
	b := told(t, s, "2026-04", old, obj{"c": obj{"title": "Jardin", "products": []any{plainGid("Product", s.products[1].own.id)}}}).Collection
	if a.Title != "Jardin" || a.ID == b.ID || b.Handle != a.Handle+"-1" {
		t.Errorf("%+v %+v", a, b)
	}
	if got := told(t, s, "2026-07", update, obj{"c": obj{"id": a.ID, "title": "Potager"}}).Collection; got.Title != "Potager" || got.Handle != a.Handle {
		t.Errorf("%+v", got)
	}
	p, products := s.products[1], len(s.listedProducts())
	if !p.isIn(s.byGid(b.ID).(*category)) {
		t.Error("a product that was named is not in the collection")
	}
	if got := told(t, s, "2026-10", remove, obj{"id": b.ID}); got.DeletedCollectionID != b.ID || s.byGid(b.ID) != nil || len(s.listedProducts()) != products || len(p.in) == 0 {
		t.Errorf("%+v", got)
	}
	if got := told(t, s, "2026-10", remove, obj{"id": b.ID}); got.code() != "id " {
		t.Errorf("deleted again: %+v", got)
	}
	if got := told(t, s, "2026-10", create, obj{"c": obj{"title": ""}}); got.code() != "title " {
		t.Errorf("%+v", got)
	}
	if fresh := told(t, s, "2026-10", create, obj{"c": obj{"title": "Verger"}}).Collection; fresh.ID == b.ID {
		t.Error("the id of a deleted collection is given out again")
	}
}

func TestWhatIsMadeIsPublishedByItself(t *testing.T) {
	s := newGoodsShop(t)
	made := told(t, s, "2026-10", setProduct, obj{"in": obj{"title": "Seau"}}).Product
	const publish = `mutation($id: ID!, $p: ID!) { publishablePublish(id: $id, input: [{publicationId: $p}]) { publishable { publishedOnPublication(publicationId: $p) } userErrors { field message } } }`
	var pubs struct {
		Publications struct{ Nodes []struct{ ID string } }
	}
	decode(t, asking(t, s, `{ publications(first: 5) { nodes { id catalog { title } } } }`, nil).Data, &pubs)
	to := pubs.Publications.Nodes[0].ID
	for _, v := range schema.Versions() {
		if a := told(t, s, v, publish, obj{"id": made.ID, "p": to}); len(a.UserErrors) > 0 {
			t.Errorf("%+v", a)
		}
	}
	if p := s.byGid(made.ID).(*product); p.unseen || !p.forSale() {
		t.Error("a published product is not for sale")
	}
	if a := told(t, s, "2026-10", publish, obj{"id": made.ID, "p": "gid://shopify/Publication/1"}); a.code() != "input.0.publicationId " {
		t.Errorf("%+v", a.UserErrors)
	}
}

func TestWritingNeedsItsScope(t *testing.T) {
	reader := New(Options{Seed: 4, Platform: Shopify, Scopes: []string{"read_products", "read_orders", "read_inventory", "read_locations"}})
	for name, document := range map[string]string{
		"write_products": `mutation { productUpdate(product: {id: "gid://shopify/Product/1", title: "x"}) { userErrors { message } } }`,
		"collections":    `mutation { collectionDelete(input: {id: "gid://shopify/Collection/15"}) { userErrors { message } } }`,
		"publications":   `mutation { publishablePublish(id: "gid://shopify/Product/1", input: []) { userErrors { message } } }`,
		"publication":    `{ publications(first: 1) { nodes { id } } }`,
	} {
		if a := asking(t, reader, document, nil); !slices.Equal(a.codes(), []string{"ACCESS_DENIED"}) {
			t.Errorf("%s: %+v", name, a.Errors)
		}
	}
	if len(reader.categories) == 0 || reader.category(15) == nil {
		t.Error("what was denied was done")
	}
}

func TestActivationStocksAnItem(t *testing.T) {
	s := newGoodsShop(t)
	made := told(t, s, "2026-10", setProduct, obj{"in": obj{"title": "Seau"}}).Product
	v := s.byGid(made.Variants.Nodes[0].ID).(*variant)
	const activate = `mutation($i: ID!, $l: ID!, $n: Int, $k: String!) { inventoryActivate(inventoryItemId: $i, locationId: $l, available: $n) @idempotent(key: $k) {
		inventoryLevel { id } userErrors { field message } } }`
	vars := obj{"i": plainGid("InventoryItem", v.itemID()), "l": plainGid("Location", 502), "n": 6, "k": "a"}
	set := obj{"name": "available", "reason": "correction", "quantities": []any{obj{"inventoryItemId": vars["i"], "locationId": vars["l"], "quantity": 9, "changeFromQuantity": nil}}}
	if a := told(t, s, "2026-07", setStock, obj{"i": set, "k": "s1"}); a.code() != "input.quantities.0.locationId ITEM_NOT_STOCKED_AT_LOCATION" {
		t.Errorf("%+v", a.UserErrors)
	}
	for range 2 {
		if a := told(t, s, "2026-10", activate, vars); len(a.UserErrors) > 0 || v.stock != 6 {
			t.Errorf("%+v, stock %d", a.UserErrors, v.stock)
		}
	}
	vars["k"] = "b"
	if a := told(t, s, "2026-10", activate, vars); a.code() != "available " {
		t.Errorf("activated again: %+v", a.UserErrors)
	}
	vars["k"] = "a"
	s.Misbehave(Fault{Name: "key-forgotten", Count: 1})
	if a := told(t, s, "2026-10", activate, vars); a.code() != "available " {
		t.Errorf("with a key that was forgotten: %+v", a.UserErrors)
	}
	s.Misbehave(Fault{Name: "busy-key", Count: 1})
	if a := told(t, s, "2026-10", setStock, obj{"i": set, "k": "s2"}); a.code() != " IDEMPOTENCY_CONCURRENT_REQUEST" || v.stock != 6 {
		t.Errorf("%+v", a.UserErrors)
	}
	if a := told(t, s, "2026-10", setStock, obj{"i": set, "k": "s2"}); len(a.UserErrors) > 0 || v.stock != 9 {
		t.Errorf("%+v, stock %d", a.UserErrors, v.stock)
	}
}

func TestJobsTakeTheirTime(t *testing.T) {
	s := newGoodsShop(t)
	done := false
	s.mu.Lock()
	j := s.later(func() { done = true })
	s.mu.Unlock()
	poll := func() (is bool) {
		var got struct{ Job struct{ Done bool } }
		decode(t, asking(t, s, `query($id: ID!) { job(id: $id) { id done } }`, obj{"id": plainGid("Job", j.id)}).Data, &got)
		return got.Job.Done
	}
	if poll() || done {
		t.Error("a job is done at once")
	}
	if !poll() || !done {
		t.Error("a job is never done")
	}
}

func TestNobodyFillsACollectionOfRules(t *testing.T) {
	s := newGoodsShop(t)
	p := s.products[3]
	gid, ruled, other := plainGid("Product", p.own.id), plainGid("Collection", p.in[0].id), plainGid("Collection", s.categories[9].id)
	s.FillByRule(text(p.in[0].id))
	for _, list := range []string{"collectionsToJoin", "collectionsToLeave"} {
		if a := told(t, s, "2026-10", updateProduct, obj{"p": obj{"id": gid, list: []any{ruled}}}); a.code() != list+".0 " {
			t.Errorf("%s: %+v", list, a.UserErrors)
		}
	}
	told(t, s, "2026-10", setProduct, obj{"id": obj{"id": gid}, "in": obj{"collections": []any{other}}})
	if len(p.in) != 2 || !p.isIn(s.categories[9]) {
		t.Errorf("it is in %d collections", len(p.in))
	}
	var got struct {
		Collection struct {
			Sources []struct {
				Inclusion struct{ Conditions []struct{ Values []string } }
			}
			RuleSet *struct{ AppliedDisjunctively bool }
		}
	}
	for id, want := range map[string]int{ruled: 1, other: 0} {
		decode(t, asking(t, s, `query($id: ID!) { collection(id: $id) { sources { ... on CollectionConditionsSource { inclusion { conditions { ... on CollectionSourceInclusionConditionProductTag { values } } } } } } }`, obj{"id": id}).Data, &got)
		if len(got.Collection.Sources) != 1 || len(got.Collection.Sources[0].Inclusion.Conditions) != want {
			t.Errorf("%s: %+v", id, got)
		}
		res, body := do(t, s, post(t, s, "2026-04", s.Key(), `query($id: ID!) { collection(id: $id) { ruleSet { appliedDisjunctively } } }`, obj{"id": id}))
		a := &said{header: res.Header}
		decode(t, body, a)
		got.Collection.RuleSet = nil
		if decode(t, a.Data, &got); (got.Collection.RuleSet != nil) != (want == 1) || a.header.Get("X-Shopify-API-Deprecated-Reason") != "" {
			t.Errorf("%s in 2026-04: %+v", id, got)
		}
	}
}
