package woocommerce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
)

func TestProductsStateWhatIsSold(t *testing.T) {
	c := newReplayed(t).start()
	records, _ := pullAll(t, c, intake.Products)
	kinds := map[intake.ProductKind]int{}
	for id, rec := range records {
		if rec.Problem != "" {
			t.Errorf("product %s: %s", id, rec.Problem)
			continue
		}
		p := rec.Body.(*intake.Product)
		kinds[p.Kind]++
		if p.Title == "" || p.Status != "published" && p.Status != "draft" && p.Status != "private" {
			t.Errorf("product %s: %q is %q", id, p.Title, p.Status)
		}
	}
	if kinds[intake.ProductStocked] == 0 {
		t.Error("no stocked product among the recorded ones")
	}
	pool := records["103"].Body.(*intake.Product).Variants
	if len(pool) != 1 || pool[0].Sellable || !pool[0].Tracked || pool[0].Stock.String() != "-13" || pool[0].ID != "103" {
		t.Errorf("the stock that variations of 103 share: %+v", pool)
	}
	if v := records["96"].Body.(*intake.Product).Variants; len(v) != 0 {
		t.Errorf("product 96 has variations of its own resource, and states %+v", v)
	}
}

func TestSimpleProductIsItsOwnVariant(t *testing.T) {
	c := newTestConnector(t)
	rec := c.productRecord(json.RawMessage(`{"id":7,"type":"simple","name":"Thé &#8211; vert","status":"publish","sku":"T-1","price":"4.5","regular_price":"5","sale_price":"4.5",
		"date_on_sale_to_gmt":"2026-12-24T23:00:00","manage_stock":true,"stock_quantity":2.5,"weight":"0.1","global_unique_id":"3760001","tax_class":"reduced-rate",
		"categories":[{"id":3}],"brands":[{"id":1,"name":"Maison"}],"images":[{"src":"https://x/1.jpg"}],"backorders":"notify",
		"meta_data":[{"key":"_wc_cog_cost","value":"1.25"}],"total_sales":12,"price_html":"<b>x</b>"}`))
	price, regular, sale, cost, stock := dec("4.5"), dec("5"), dec("4.5"), dec("1.25"), dec("2.5")
	want := &intake.Product{Title: "Thé – vert", Status: "published", Kind: intake.ProductStocked, Brand: "Maison", TaxClass: "reduced-rate", CategoryIDs: []string{"3"},
		Images: []string{"https://x/1.jpg"}, Variants: []intake.Variant{{ID: "7", ProductID: "7", SKU: "T-1", Barcode: "3760001", Status: "published",
			Kind: intake.ProductStocked, TaxClass: "reduced-rate", Price: &price, Regular: &regular, Sale: &sale, SaleTo: time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC),
			Cost: &cost, Weight: "0.1", Tracked: true, Stock: &stock, Backorders: "notify", Sellable: true}}}
	if diff := cmp.Diff(want, rec.Body, sameDecimal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProductKinds(t *testing.T) {
	c := newTestConnector(t)
	for _, tt := range []struct {
		body     string
		kind     intake.ProductKind
		variants int
		cost     string
	}{
		{`{"id":7,"type":"simple","virtual":true}`, intake.ProductService, 1, ""},
		{`{"id":7,"type":"simple","meta_data":[{"key":"_gift_card","value":"yes"}]}`, intake.ProductGiftCard, 1, ""},
		{`{"id":7,"type":"grouped"}`, intake.ProductStocked, 0, ""},
		{`{"id":7,"type":"variable-subscription","variations":[8]}`, intake.ProductStocked, 0, ""},
		{`{"id":7,"type":"external","manage_stock":false}`, intake.ProductStocked, 1, ""},
		{`{"id":7,"cost_of_goods_sold":{"values":[{"defined_value":3,"effective_value":3}],"total_value":3}}`, intake.ProductStocked, 1, "3"},
		{`{"id":7,"cost_of_goods_sold":{"values":[],"total_value":0}}`, intake.ProductStocked, 1, ""},
	} {
		rec := c.productRecord(json.RawMessage(tt.body))
		if rec.Problem != "" {
			t.Errorf("%s: %s", tt.body, rec.Problem)
			continue
		}
		p := rec.Body.(*intake.Product)
		if p.Kind != tt.kind || len(p.Variants) != tt.variants {
			t.Errorf("%s: kind %s with %d variants", tt.body, p.Kind, len(p.Variants))
		}
		if len(p.Variants) > 0 {
			got := ""
			if cost := p.Variants[0].Cost; cost != nil {
				got = cost.String()
			}
			if got != tt.cost {
				t.Errorf("%s: cost %q, want %q", tt.body, got, tt.cost)
			}
		}
	}
}

// The same variations come from a shop with a list of all, and from one that
// must be asked product by product.
func TestVariationsFromNewAndOldShops(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old %v", old), func(t *testing.T) {
			s := newReplayed(t)
			if old {
				delete(s.lists, "variations")
				s.lists["products"] = slices.DeleteFunc(s.lists["products"], func(p json.RawMessage) bool { return headOf(p).id != 96 && headOf(p).id != 103 })
			}
			c := s.start(func(cfg *Config) { cfg.Overlap = 0 })
			records, next := pullAll(t, c, intake.Variants)
			if len(records) != 12 {
				t.Fatalf("%d variations, want 12", len(records))
			}
			rec := records["109"]
			v := rec.Body.(*intake.Variant)
			if rec.Ref.Parent != "103" || v.ProductID != "103" || v.StockOf != "103" || v.Stock != nil || !v.Tracked || !v.Sellable || v.SKU != "VAR-6-L-É" {
				t.Errorf("variation 109 of %s: %+v", rec.Ref.Parent, v)
			}
			if diff := cmp.Diff([]intake.Option{{Name: "Taille", Value: "L"}, {Name: "Couleur", Value: "Écru"}}, v.Options); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
			if again, _ := pullOn(t, c, intake.Variants, next); len(again) >= 12 {
				t.Errorf("the next pull brings all %d again", len(again))
			}
			listed := map[string]string{}
			if err := c.List(t.Context(), intake.Variants, func(refs []intake.Ref) error {
				for _, ref := range refs {
					listed[ref.ID] = ref.Parent
				}
				return nil
			}); err != nil || len(listed) != 12 || listed["109"] != "103" {
				t.Errorf("listed %v, %v", listed, err)
			}
			got, err := c.Fetch(t.Context(), []intake.Ref{{Kind: intake.KindVariant, ID: "109", Parent: "103"}, {Kind: intake.KindVariant, ID: "99999", Parent: "103"}, {Kind: intake.KindVariant, ID: "104", Parent: "103"}})
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Digest != rec.Digest || !got[1].Gone() || got[2].Ref.ID != "104" {
				t.Errorf("fetched %+v", got)
			}
		})
	}
}

func TestOtherRecords(t *testing.T) {
	c := newReplayed(t).start()
	for _, tt := range []struct {
		resource intake.Resource
		id       string
		want     any
	}{
		{intake.TaxRates, "2", &intake.TaxRate{Name: "TVA 5,5%", Country: "FR", Rate: dec("5.5"), Class: "reduced-rate", Priority: 1, Shipping: true}},
		{intake.Categories, "20", &intake.Category{ParentID: "16", Name: "Accessoires", Slug: "accessoires"}},
		{intake.Coupons, "115", &intake.Coupon{Code: "expire", Type: "percent", Amount: dec("50"), ExpiresAt: time.Date(2024, 12, 31, 23, 0, 0, 0, time.UTC)}},
		{intake.Customers, "1", &intake.Customer{Email: "admin@example.test", Role: "administrator", Registered: time.Date(2026, 11, 23, 11, 24, 40, 0, time.UTC)}},
		{intake.Gateways, "cod", &intake.Gateway{Title: "Cash on delivery"}},
		{intake.ShippingMethods, "flat_rate:1", &intake.ShippingMethod{Title: "Forfait France", Zone: "France", Enabled: true}},
	} {
		records, next := pullAll(t, c, tt.resource)
		if diff := cmp.Diff(tt.want, records[tt.id].Body, sameDecimal); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.resource, tt.id, diff)
		}
		if again, _ := pullOn(t, c, tt.resource, next); len(again) != len(records) {
			t.Errorf("%s: the next run brings %d of %d: it must read everything", tt.resource, len(again), len(records))
		}
		kind := intake.KindOf(tt.resource)
		got, err := c.Fetch(t.Context(), []intake.Ref{{Kind: kind, ID: "424242"}, {Kind: kind, ID: tt.id}})
		if err != nil || !got[0].Gone() || got[1].Digest != records[tt.id].Digest {
			t.Errorf("fetch %s: %+v, %v", tt.resource, got, err)
		}
	}
}

// Orders in the trash are not in the lists, but answer by their id.
func TestFetchFindsOrdersInTheTrash(t *testing.T) {
	c := newReplayed(t).start()
	order := func(id string) intake.Ref { return intake.Ref{Kind: intake.KindOrder, ID: id} }
	got, err := c.Fetch(t.Context(), []intake.Ref{order("455"), order("454"), order("1"), order("441"), order("455"), order("no number")})
	if err != nil {
		t.Fatal(err)
	}
	var says []string
	for _, rec := range got {
		switch b, _ := rec.Body.(*intake.Order); {
		case rec.Gone():
			says = append(says, rec.Ref.ID+" gone")
		default:
			says = append(says, fmt.Sprintf("%s %s %v %d", rec.Ref.ID, b.State, b.Trashed, len(b.Refunds)))
		}
	}
	want := "455 refunded false 3, 454 open true 0, 1 gone, 441 open false 0, 455 refunded false 3, no number gone"
	if strings.Join(says, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(says, ", "), want)
	}
}

// A page that is missing for another reason than the record must not pass for
// its deletion.
func TestFetchDoesNotTakeAFaultForADeletion(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"404 with HTML":        func(w http.ResponseWriter) { w.WriteHeader(404); _, _ = w.Write([]byte("<h1>Not found</h1>")) },
		"404 of a plugin":      func(w http.ResponseWriter) { w.WriteHeader(404); _, _ = w.Write([]byte(`{"code":"not_found"}`)) },
		"404 without a route":  func(w http.ResponseWriter) { replayError(t, w, "error-404-no-route.json") },
		"another record":       func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"id":7}`)) },
		"an error with a 200":  func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"code":"oops","message":"x"}`)) },
		"a record that is cut": func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"id":441,"status":"pro`)) },
	} {
		s := newReplayed(t)
		s.before = func(route string, w http.ResponseWriter, _ *http.Request) bool {
			if route != "orders/441" {
				return false
			}
			answer(w)
			return true
		}
		if got, err := s.start().Fetch(t.Context(), []intake.Ref{{Kind: intake.KindOrder, ID: "441"}}); err == nil {
			t.Errorf("%s: passes for %+v", name, got)
		}
	}
}
