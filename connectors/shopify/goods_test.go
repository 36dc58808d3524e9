package shopify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func amount(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func pointer(text string) *decimal.Decimal {
	d := amount(text)
	return &d
}

// said fetches one record of which the shop has this node.
func said(t *testing.T, kind intake.Kind, typ, node string) intake.Record {
	t.Helper()
	shop := newListShop()
	shop.nodes = map[string]string{"gid://shopify/" + typ + "/1": node}
	recs, err := connectTo(t, shop, 10).Fetch(t.Context(), []intake.Ref{{Kind: kind, ID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if recs[0].Problem != "" {
		t.Fatalf("the record cannot be read: %s", recs[0].Problem)
	}
	return recs[0]
}

func TestProductIsStatedWithoutItsVariants(t *testing.T) {
	rec := said(t, intake.KindProduct, "Product", `{"id":"gid://shopify/Product/1","updatedAt":"2026-11-20T10:00:00Z",
		"title":"Bol bleu ","handle":"bol-bleu","descriptionHtml":"<p>Grès</p>","vendor":"Atelier","status":"ACTIVE","isGiftCard":false,
		"collections":{"nodes":[{"id":"gid://shopify/Collection/30"},{"id":"gid://shopify/Collection/4"}],"pageInfo":{"hasNextPage":false}},
		"media":{"nodes":[{"image":{"url":"https://cdn.example/1.jpg"}},{},{"image":null},{"image":{"url":"https://cdn.example/2.jpg"}}],"pageInfo":{"hasNextPage":false}}}`)
	want := &intake.Product{Title: "Bol bleu", Slug: "bol-bleu", Description: "<p>Grès</p>", Brand: "Atelier", Status: "published",
		Kind: intake.ProductStocked, CategoryIDs: []string{"4", "30"}, Images: []string{"https://cdn.example/1.jpg", "https://cdn.example/2.jpg"}}
	if diff := cmp.Diff(want, rec.Body); diff != "" {
		t.Error(diff)
	}
	if want := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC); !rec.Modified.Equal(want) {
		t.Errorf("modified at %v", rec.Modified)
	}
}

func TestStatusOfAProduct(t *testing.T) {
	for status, want := range map[string]string{"ACTIVE": "published", "UNLISTED": "published", "DRAFT": "draft", "ARCHIVED": "archived", "FORGOTTEN": "forgotten"} {
		rec := said(t, intake.KindProduct, "Product", `{"id":"gid://shopify/Product/1","status":"`+status+`","isGiftCard":true}`)
		b := rec.Body.(*intake.Product)
		if b.Status != want || b.Kind != intake.ProductGiftCard {
			t.Errorf("%s: status %q, kind %q", status, b.Status, b.Kind)
		}
	}
}

func TestListsInsideARecordAreReadToTheirEnd(t *testing.T) {
	shop := newListShop()
	shop.nodes = map[string]string{
		"gid://shopify/Product/1": `{"id":"gid://shopify/Product/1","status":"ACTIVE",
			"collections":{"nodes":[{"id":"gid://shopify/Collection/1"}],"pageInfo":{"hasNextPage":true,"endCursor":"a"}},
			"media":{"nodes":[],"pageInfo":{"hasNextPage":true,"endCursor":"m"}}}`,
		"gid://shopify/ProductVariant/1": `{"id":"gid://shopify/ProductVariant/1","inventoryItem":{"id":"gid://shopify/InventoryItem/7","tracked":true,
			"inventoryLevels":{"nodes":[` + levelNode(1, true, 3) + `],"pageInfo":{"hasNextPage":true,"endCursor":"x"}}}}`,
	}
	shop.other = func(op string, vars map[string]any) (string, bool) {
		switch fmt.Sprint(op, " ", vars["id"], " ", vars["after"]) {
		case "product_collections gid://shopify/Product/1 a":
			return `{"product":{"collections":{"nodes":[{"id":"gid://shopify/Collection/2"}],"pageInfo":{"hasNextPage":true,"endCursor":"b"}}}}`, true
		case "product_collections gid://shopify/Product/1 b":
			return `{"product":{"collections":{"nodes":[{"id":"gid://shopify/Collection/3"}],"pageInfo":{"hasNextPage":false}}}}`, true
		case "product_media gid://shopify/Product/1 m":
			return `{"product":{"media":{"nodes":[{"image":{"url":"https://cdn.example/9.jpg"}}],"pageInfo":{"hasNextPage":false}}}}`, true
		case "item_levels gid://shopify/InventoryItem/7 x":
			return `{"inventoryItem":{"inventoryLevels":{"nodes":[` + levelNode(2, true, 4) + `],"pageInfo":{"hasNextPage":false}}}}`, true
		}
		return "", false
	}
	c := connectTo(t, shop, 10)
	recs, err := c.Fetch(t.Context(), []intake.Ref{{Kind: intake.KindProduct, ID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	p := recs[0].Body.(*intake.Product)
	if !slices.Equal(p.CategoryIDs, []string{"1", "2", "3"}) || !slices.Equal(p.Images, []string{"https://cdn.example/9.jpg"}) {
		t.Errorf("the product is in %q and has the images %q", p.CategoryIDs, p.Images)
	}
	if recs, err = c.Fetch(t.Context(), []intake.Ref{{Kind: intake.KindVariant, ID: "1"}}); err != nil {
		t.Fatal(err)
	}
	if v := recs[0].Body.(*intake.Variant); len(v.Levels) != 2 || !v.Stock.Equal(amount("7")) {
		t.Errorf("the variant has %v at %d locations", v.Stock, len(v.Levels))
	}
}

func levelNode(location int, active bool, available int) string {
	return fmt.Sprintf(`{"location":{"id":"gid://shopify/Location/%d","isActive":%v},"quantities":[{"name":"available","quantity":%d},
		{"name":"on_hand","quantity":%d},{"name":"committed","quantity":2},{"name":"incoming","quantity":5},{"name":"novelty","quantity":1}]}`,
		location, active, available, available+2)
}

const variantNode = `{"id":"gid://shopify/ProductVariant/1","updatedAt":"2026-11-20T10:00:00Z","title":"Bleu","sku":"BOL-B","barcode":"3760000000017",
	"price":"24.00","compareAtPrice":"30.00","taxable":true,"inventoryPolicy":"DENY","selectedOptions":[{"name":"Couleur","value":"Bleu"}],
	"product":{"id":"gid://shopify/Product/5","isGiftCard":false},
	"inventoryItem":{"id":"gid://shopify/InventoryItem/7","updatedAt":"2026-11-21T10:00:00Z","tracked":true,"requiresShipping":true,"duplicateSkuCount":0,
		"unitCost":{"amount":"9.5","currencyCode":"EUR"},"measurement":{"weight":{"value":0.45,"unit":"KILOGRAMS"}},
		"inventoryLevels":{"nodes":[LEVELS],"pageInfo":{"hasNextPage":false}}}}`

func TestVariantIsStatedWithItsStock(t *testing.T) {
	node := strings.Replace(variantNode, "LEVELS", levelNode(12, true, 3)+","+levelNode(9, false, 100)+","+levelNode(3, true, -1), 1)
	rec := said(t, intake.KindVariant, "ProductVariant", node)
	at := func(location, available, onHand string) intake.Level {
		return intake.Level{Location: location, Available: amount(available), OnHand: amount(onHand), Committed: amount("2"), Incoming: amount("5")}
	}
	want := &intake.Variant{ID: "1", ProductID: "5", SKU: "BOL-B", Barcode: "3760000000017", Title: "Bleu",
		Options: []intake.Option{{Name: "Couleur", Value: "Bleu"}}, Kind: intake.ProductStocked,
		Price: pointer("24"), Regular: pointer("30"), Sale: pointer("24"), Cost: pointer("9.5"), Weight: "0.45 kg",
		Tracked: true, Stock: pointer("2"), Backorders: "no", InventoryID: "7", Sellable: true,
		Levels: []intake.Level{at("3", "-1", "1"), at("9", "100", "102"), at("12", "3", "5")}}
	if diff := cmp.Diff(want, rec.Body); diff != "" {
		t.Error(diff)
	}
	if want := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC); !rec.Modified.Equal(want) {
		t.Errorf("modified at %v, want when its inventory item was", rec.Modified)
	}
}

func TestVariantsOfOtherKinds(t *testing.T) {
	for _, c := range []struct {
		name    string
		replace []string
		check   func(v *intake.Variant) bool
	}{
		{"no sale", []string{`"compareAtPrice":"30.00"`, `"compareAtPrice":null`},
			func(v *intake.Variant) bool { return v.Regular.Equal(amount("24")) && v.Sale == nil }},
		{"compared with less", []string{`"compareAtPrice":"30.00"`, `"compareAtPrice":"20.00"`},
			func(v *intake.Variant) bool { return v.Regular.Equal(amount("24")) && v.Sale == nil }},
		{"not counted", []string{`"tracked":true`, `"tracked":false`},
			func(v *intake.Variant) bool {
				return v.Stock == nil && v.Levels == nil && !v.Tracked && v.Kind == intake.ProductStocked
			}},
		{"a bundle, whose number is that of its components", []string{`"taxable":true`, `"taxable":true,"requiresComponents":true`},
			func(v *intake.Variant) bool {
				return v.Stock == nil && v.Levels == nil && !v.Tracked && v.Kind == intake.ProductStocked
			}},
		{"service", []string{`"tracked":true,"requiresShipping":true`, `"tracked":false,"requiresShipping":false`},
			func(v *intake.Variant) bool { return v.Kind == intake.ProductService }},
		{"counted places in a class", []string{`"requiresShipping":true`, `"requiresShipping":false`},
			func(v *intake.Variant) bool { return v.Kind == intake.ProductStocked && v.Tracked }},
		{"gift card", []string{`"isGiftCard":false`, `"isGiftCard":true`},
			func(v *intake.Variant) bool { return v.Kind == intake.ProductGiftCard }},
		{"sold beyond its stock", []string{"DENY", "CONTINUE"}, func(v *intake.Variant) bool { return v.Backorders == "yes" }},
		{"a policy of tomorrow", []string{"DENY", "ASK_FIRST"}, func(v *intake.Variant) bool { return v.Backorders == "ask_first" }},
		{"no cost", []string{`{"amount":"9.5","currencyCode":"EUR"}`, "null"}, func(v *intake.Variant) bool { return v.Cost == nil }},
		{"no weight", []string{`{"value":0.45,"unit":"KILOGRAMS"}`, "null"}, func(v *intake.Variant) bool { return v.Weight == "" }},
		{"weighs nothing", []string{`0.45`, "0"}, func(v *intake.Variant) bool { return v.Weight == "" }},
		{"a unit of tomorrow", []string{"KILOGRAMS", "STONES"}, func(v *intake.Variant) bool { return v.Weight == "0.45 stones" }},
		{"exempt from tax", []string{`"taxable":true`, `"taxable":false`}, func(v *intake.Variant) bool { return v.TaxClass == "exempt" }},
		{"the only one", []string{`"name":"Couleur","value":"Bleu"`, `"name":"Title","value":"Default Title"`},
			func(v *intake.Variant) bool { return v.Options == nil && v.Title == "" }},
		{"price as a number", []string{`"24.00"`, `24.00`}, func(v *intake.Variant) bool { return v.Price.Equal(amount("24")) }},
	} {
		node := strings.Replace(variantNode, "LEVELS", levelNode(1, true, 3), 1)
		changed := strings.Replace(node, c.replace[0], c.replace[1], 1)
		if changed == node {
			t.Fatalf("%s: %q is not in the node", c.name, c.replace[0])
		}
		rec := said(t, intake.KindVariant, "ProductVariant", changed)
		if v := rec.Body.(*intake.Variant); !c.check(v) {
			t.Errorf("%s: stated as %s", c.name, rec.Statement)
		}
	}
}

func TestVariantThatCannotBeReadIsParkedAlone(t *testing.T) {
	shop := newListShop()
	node := strings.Replace(variantNode, "LEVELS", levelNode(1, true, 3), 1)
	shop.nodes = map[string]string{
		"gid://shopify/ProductVariant/1": node,
		"gid://shopify/ProductVariant/2": strings.Replace(strings.Replace(node, `"24.00"`, `"a lot"`, 1), "ProductVariant/1", "ProductVariant/2", 1),
		"gid://shopify/ProductVariant/3": `{"id":"gid://shopify/ProductVariant/3","inventoryItem":5}`,
	}
	recs, err := connectTo(t, shop, 10).Fetch(t.Context(), []intake.Ref{
		{Kind: intake.KindVariant, ID: "1"}, {Kind: intake.KindVariant, ID: "2"}, {Kind: intake.KindVariant, ID: "3"}})
	if err != nil {
		t.Fatal(err)
	}
	if recs[0].Problem != "" || recs[1].Problem != `price: "a lot" is no number` || recs[2].Problem == "" || recs[2].Ref.ID != "3" {
		t.Errorf("the problems are %q, %q and %q", recs[0].Problem, recs[1].Problem, recs[2].Problem)
	}
}

// stockShop has variants 1 to 9, of which item and levels change by
// themselves.
func stockShop() (shop *listShop, items *[]string, levels map[string][]string) {
	shop = newListShop()
	shop.nodes = map[string]string{}
	for id := range 9 {
		node := strings.Replace(variantNode, "LEVELS", levelNode(1, true, id), 1)
		gid := fmt.Sprintf("gid://shopify/ProductVariant/%d", id+1)
		shop.nodes[gid] = strings.Replace(node, "gid://shopify/ProductVariant/1", gid, 1)
	}
	shop.rows["locations"] = []listRow{{id: 1, changed: noon.Add(-24 * time.Hour)}, {id: 2, changed: noon.Add(-24 * time.Hour)}}
	items, levels = &[]string{}, map[string][]string{}
	shop.other = func(op string, vars map[string]any) (string, bool) {
		list := func(nodes []string, wrap string) string {
			at := 0
			if after, ok := vars["after"].(string); ok {
				fmt.Sscan(after, &at)
			}
			end := min(at+int(vars["first"].(float64)), len(nodes))
			var out []string
			for _, v := range nodes[at:end] {
				out = append(out, fmt.Sprintf(wrap, `{"variants":{"nodes":[{"id":"gid://shopify/ProductVariant/`+v+`"}],"pageInfo":{"hasNextPage":false}}}`))
			}
			return fmt.Sprintf(`{"nodes":[%s],"pageInfo":{"hasNextPage":%v,"endCursor":"%d"}}`, strings.Join(out, ","), end < len(nodes), end)
		}
		switch op {
		case "changed_items":
			return `{"inventoryItems":` + list(*items, "%s") + `}`, true
		case "changed_levels":
			which := vars["id"].(string)
			if vars["query"] == nil {
				which += " whole"
			}
			if levels[which] == nil && strings.HasSuffix(which, "/2") {
				return `{"location":null}`, true // deleted meanwhile
			}
			return `{"location":{"inventoryLevels":` + list(levels[which], `{"item":%s}`) + `}}`, true
		}
		return "", false
	}
	return shop, items, levels
}

func TestVariantsOfWhichTheStockChangedAreStated(t *testing.T) {
	shop, items, levels := stockShop()
	*items = []string{"8"}
	levels["gid://shopify/Location/1"] = []string{"5", "2", "5"}
	c := connectTo(t, shop, 2)
	since := c.Seek(intake.Variants, noon.Add(-time.Hour))
	pages, next := pullAll(t, c, intake.Variants, since)
	if got := strings.Join(pages, "/"); got != "//2 5/8" {
		t.Errorf("the pages are %q", got)
	}
	if at := c.readCursor(intake.Variants, next); at.Phase != "" || at.Since == 0 {
		t.Errorf("the next run begins with %s", next)
	}
	// A new process in the middle finds them again.
	cur := since
	var got []string
	for more := true; more; {
		page, err := connectTo(t, shop, 2).Pull(t.Context(), intake.Variants, cur)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			got = append(got, rec.Ref.ID)
		}
		cur, more = page.Next, page.More
	}
	if !slices.Equal(got, []string{"2", "5", "8"}) {
		t.Errorf("new processes read %q", got)
	}
}

// An order of the last moments is not read yet, and its goods are gone from the
// shelf already: the number waits for the window that has both.
func TestStockThatMovedAfterTheWindowWaitsForTheNext(t *testing.T) {
	shop, _, levels := stockShop()
	levels["gid://shopify/Location/1"] = []string{"2", "5"}
	moved := "gid://shopify/ProductVariant/5"
	shop.nodes[moved] = strings.Replace(shop.nodes[moved], `"quantities"`, `"updatedAt":"`+noon.Add(-time.Second).Format(time.RFC3339)+`","quantities"`, 1)
	c := connectTo(t, shop, 5)
	pages, next := pullAll(t, c, intake.Variants, c.Seek(intake.Variants, noon.Add(-time.Hour)))
	if got := strings.Join(pages, "/"); got != "//2" {
		t.Errorf("the pages are %q", got)
	}
	if since := c.readCursor(intake.Variants, next).Since; since >= noon.Add(-time.Second).Unix() {
		t.Errorf("the next window starts at %v and leaves it out", instantOf(since))
	}
	if recs, err := c.Fetch(t.Context(), []intake.Ref{{Kind: intake.KindVariant, ID: "5"}}); err != nil || recs[0].Gone() {
		t.Errorf("asked for by its id it is %+v, %v", recs, err)
	}
}

// A location that was opened or closed moves no level, and changes what all of
// them count for.
func TestLocationThatChangedCountsWithAllItsStock(t *testing.T) {
	shop, _, levels := stockShop()
	shop.rows["locations"][0].changed = noon.Add(-time.Minute)
	levels["gid://shopify/Location/1 whole"] = []string{"1", "4"}
	c := connectTo(t, shop, 5)
	pages, _ := pullAll(t, c, intake.Variants, c.Seek(intake.Variants, noon.Add(-time.Hour)))
	if got := strings.Join(pages, "/"); got != "//1 4" {
		t.Errorf("the pages are %q", got)
	}
}

func TestStockThatChangedAlmostEverywhereIsReadWhole(t *testing.T) {
	shop, _, levels := stockShop()
	levels["gid://shopify/Location/1"] = slices.Repeat([]string{"3"}, mostTouched+200)
	for id := range uint64(9) {
		shop.set("variants", id+1, noon.Add(-48*time.Hour))
	}
	c := connectTo(t, shop, defaultPageSize)
	pages, next := pullAll(t, c, intake.Variants, c.Seek(intake.Variants, noon.Add(-time.Hour)))
	if got := strings.Join(pages, "/"); got != "///1 2 3 4 5 6 7 8 9" {
		t.Errorf("the pages are %q", got)
	}
	if since := c.readCursor(intake.Variants, next).Since; since != noon.Add(-clockMargin-c.cfg.Overlap).Unix() {
		t.Errorf("the next window starts at %v", instantOf(since))
	}
}

func TestCustomerMayBeKeptFromTheApp(t *testing.T) {
	full := said(t, intake.KindCustomer, "Customer", `{"id":"gid://shopify/Customer/1","createdAt":"2026-01-02T03:04:05Z","firstName":"Ana","lastName":"Durand",
		"defaultEmailAddress":{"emailAddress":"ana@example.com"},"defaultPhoneNumber":{"phoneNumber":"+33100000000"},
		"defaultAddress":{"firstName":"Ana","lastName":"Durand","company":"Durand SARL","address1":"1 rue A","address2":null,"city":"Lyon","province":"Rhône",
		"provinceCode":null,"zip":"69001","countryCodeV2":"FR","phone":"+33200000000"}}`)
	home := intake.Address{FirstName: "Ana", LastName: "Durand", Company: "Durand SARL", Street1: "1 rue A", City: "Lyon", Region: "Rhône",
		Postcode: "69001", Country: "FR", Phone: "+33200000000"}
	want := &intake.Customer{Email: "ana@example.com", FirstName: "Ana", LastName: "Durand", Company: "Durand SARL", Phone: "+33100000000",
		Billing: home, Shipping: home, Registered: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if diff := cmp.Diff(want, full.Body); diff != "" {
		t.Error(diff)
	}
	hidden := said(t, intake.KindCustomer, "Customer", `{"id":"gid://shopify/Customer/1","firstName":null,"lastName":null,"defaultEmailAddress":null,
		"defaultPhoneNumber":null,"defaultAddress":null}`)
	if diff := cmp.Diff(&intake.Customer{}, hidden.Body); diff != "" {
		t.Error(diff)
	}
}

func TestLocationsAndCollections(t *testing.T) {
	place := said(t, intake.KindLocation, "Location", `{"id":"gid://shopify/Location/1","name":"Entrepôt","isActive":true,"fulfillsOnlineOrders":false,
		"address":{"city":"Lille","countryCode":"FR"}}`)
	if diff := cmp.Diff(&intake.Location{Name: "Entrepôt", Country: "FR", City: "Lille", Active: true}, place.Body); diff != "" {
		t.Error(diff)
	}
	group := said(t, intake.KindCategory, "Collection", `{"id":"gid://shopify/Collection/1","title":"Bols","handle":"bols","descriptionHtml":"<b>x</b>"}`)
	if diff := cmp.Diff(&intake.Category{Name: "Bols", Slug: "bols", Description: "<b>x</b>"}, group.Body); diff != "" {
		t.Error(diff)
	}
}

// Whatever a row holds, it ends in a record that can be kept.
func FuzzRows(f *testing.F) {
	f.Add([]byte(strings.Replace(variantNode, "LEVELS", levelNode(1, true, 3), 1)))
	f.Add([]byte(`{"id":"gid://shopify/Product/1","status":"ACTIVE","collections":{"nodes":[{"id":7}]},"media":{"nodes":[{"image":{"url":"x"}}]}}`))
	f.Add([]byte(`{"id":1,"defaultAddress":{"zip":75001},"createdAt":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"id":"gid://shopify/ShopifyPaymentsPayout/1","issuedAt":"2026-01-02T03:04:05Z","net":{"amount":"1","currencyCode":"EUR"},"type":"CHARGE","amount":{"amount":1}}`))
	shop := newListShop()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		at := rowOf(raw)
		if at.id == 0 {
			return
		}
		c := connectTo(t, shop, 10)
		for _, r := range listed {
			l, ok := c.listOf(r)
			if !ok || r == intake.Orders { // orders have a test of their own
				continue
			}
			recs, err := l.records(t.Context(), []row{at})
			if err != nil {
				continue // a list inside that does not end
			}
			keepable(t, recs[0], at)
		}
		keepable(t, payoutRecord(at, []row{at}), at)
	})
}

func keepable(t *testing.T, rec intake.Record, at row) {
	t.Helper()
	if rec.Ref.ID != at.ref().text || rec.Gone() || rec.Digest == "" {
		t.Errorf("%s becomes %+v", at.raw, rec)
	}
	if rec.Problem == "" {
		if _, err := intake.Reopen(rec.Ref.Kind, rec.Statement); err != nil {
			t.Errorf("%s: %v", at.raw, err)
		}
	}
}
