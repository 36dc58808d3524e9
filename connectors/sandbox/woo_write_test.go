package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
)

// object is a record of an answer.
type object = map[string]any

// tell asks the shop for a change, and reads its answer.
func tell(t *testing.T, s *Shop, method, path, body string) (int, object) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://shop.test"+wooRoot+"/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(s.Key(), s.Secret())
	res, raw := do(t, s, r)
	var got object
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	return res.StatusCode, got
}

// simple is a product on the shelf that is counted.
func simple(t *testing.T, s *Shop) *variant {
	t.Helper()
	for _, v := range s.sellable {
		if v == v.of.own && v.tracked && v.sku != "" && v.sale == 0 {
			return v
		}
	}
	t.Fatal("no simple product")
	return nil
}

// variation is one that counts its own stock.
func variation(t *testing.T, s *Shop) *variant {
	t.Helper()
	for _, v := range s.sellable {
		if v != v.of.own && v.tracked && v.sku != "" {
			return v
		}
	}
	t.Fatal("no variation")
	return nil
}

func TestWritesAreRefusedAsRecorded(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 30})
	v, other := simple(t, s), s.sellable[7]
	order := s.PlaceOrder()
	binned := s.TrashOrder("")
	many := "[" + strings.Repeat(`{"id":1},`, 100) + `{"id":1}]`
	for _, c := range []struct{ fixture, method, path, body string }{
		{"error-400-number-for-price", "PUT", "products/" + text(v.id), `{"regular_price":12.5}`},
		{"error-400-bad-json-type", "PUT", "products/" + text(v.id), `{"stock_quantity":"many"}`},
		{"error-413-batch-101", "POST", "products/batch", `{"update":` + many + `}`},
		{"error-500-refund-too-much", "POST", "orders/" + order + "/refunds", `{"amount":"999999.00","api_refund":false}`},
		{"error-410-already-trashed", "DELETE", "orders/" + binned, ""},
		{"error-400-duplicate-sku", "POST", "products", `{"name":"x","sku":"` + other.sku + `"}`},
		{"batch-mixed-result", "POST", "products/batch", `{"create":[{"sku":"` + other.sku + `"}],"update":[{"id":999999}],"delete":[888888]}`},
	} {
		recorded := load(t, "testdata/"+c.fixture+".json").(object)
		same := strings.NewReplacer("unique_sku:SMP-001-1", "unique_sku:"+other.sku+"-1", "resource_id:11 ", "resource_id:"+text(other.id)+" ")
		status, got := tell(t, s, c.method, c.path, c.body)
		if want := same.Replace(fmt.Sprint(recorded["body"])); float64(status) != recorded["status"] || fmt.Sprint(got) != want {
			t.Errorf("%s: %d %v\nrecorded %v %v", c.fixture, status, got, recorded["status"], want)
		}
	}
}

func TestWrittenProductsAreStatedSo(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 20})
	p, v := simple(t, s), variation(t, s)
	inParent := "products/" + text(v.of.own.id) + "/variations/" + text(v.id)
	for _, c := range []struct {
		name, path, body string
		want             object // in the answer
		read             object // afterwards, where that differs
	}{
		{"stock", "products/" + text(p.id), `{"stock_quantity":7}`, object{"stock_quantity": 7.0, "stock_status": "instock"}, nil},
		{"stock is a whole number in a text, too", "products/" + text(p.id), `{"stock_quantity":"0"}`, object{"stock_quantity": 0.0, "stock_status": "outofstock"}, nil},
		{"backorders", "products/" + text(p.id), `{"backorders":"notify"}`, object{"backorders": "notify", "stock_status": "onbackorder"}, nil},
		{"price", "products/" + text(p.id), `{"regular_price":"12.30","sale_price":"10"}`, object{"regular_price": "12.30", "sale_price": "10.00", "price": "10.00", "on_sale": true}, nil},
		{"a sale to come", "products/" + text(p.id), `{"date_on_sale_from_gmt":"2026-12-01T00:00:00","date_on_sale_to_gmt":"2026-12-08T00:00:00"}`,
			object{"sale_price": "10.00", "price": "12.30", "on_sale": false, "date_on_sale_from_gmt": "2026-12-01T00:00:00", "date_on_sale_from": "2026-12-01T01:00:00"}, nil},
		{"no sale", "products/" + text(p.id), `{"sale_price":"","date_on_sale_from_gmt":"","date_on_sale_to_gmt":""}`,
			object{"sale_price": "", "price": "12.30", "date_on_sale_from": nil, "date_on_sale_to": nil}, nil},
		{"no price", "products/" + text(p.id), `{"regular_price":""}`, object{"regular_price": "", "price": ""}, nil},
		{"texts", "products/" + text(p.id), `{"name":"Été & hiver","description":"line one\nline two","short_description":"<p>short</p>"}`,
			object{"name": "Été & hiver", "description": "line one\nline two", "short_description": "<p>short</p>"},
			object{"description": "<p>line one<br />\nline two</p>\n", "short_description": "<p>short</p>\n"}},
		{"status, weight and barcode", "products/" + text(p.id), `{"status":"draft","weight":"0.4205","global_unique_id":"4000000000017"}`,
			object{"status": "draft", "weight": "0.4205", "global_unique_id": "4000000000017"}, nil},
		{"null says nothing", "products/" + text(p.id), `{"status":null,"weight":null}`, object{"status": "draft", "weight": "0.4205"}, nil},
		{"not counted", "products/" + text(p.id), `{"manage_stock":false,"stock_quantity":5,"stock_status":"outofstock"}`,
			object{"manage_stock": false, "stock_quantity": nil, "stock_status": "outofstock"}, nil},
		{"a variation", inParent, `{"stock_quantity":3,"regular_price":"1","sku":"V-NEW"}`,
			object{"stock_quantity": 3.0, "regular_price": "1.00", "sku": "V-NEW", "parent_id": float64(v.of.own.id)}, nil},
	} {
		status, got := tell(t, s, http.MethodPut, c.path, c.body)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", c.name, status, got)
		}
		_, read := tell(t, s, http.MethodGet, c.path, "")
		for key, want := range c.want {
			if fmt.Sprint(got[key]) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %v, want %v", c.name, key, got[key], want)
			}
			if later, differs := c.read[key]; differs {
				want = later
			}
			if fmt.Sprint(read[key]) != fmt.Sprint(want) {
				t.Errorf("%s: read again, %s is %v, want %v", c.name, key, read[key], want)
			}
		}
	}
	if status, got := tell(t, s, http.MethodPut, "products/"+text(v.id), `{"stock_quantity":1}`); status != http.StatusNotFound || got["code"] != "woocommerce_rest_invalid_product_id" {
		t.Errorf("a variation written as a product: %d %v", status, got)
	}
}

func TestAVariationMovesItsProductAndAnEmptyWriteTheDate(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 20})
	v, order := variation(t, s), s.PlaceOrder()
	product := text(v.of.own.id)
	s.Advance(time.Hour)
	tell(t, s, http.MethodPut, "products/"+product+"/variations/"+text(v.id), `{"stock_quantity":3}`)
	tell(t, s, http.MethodPut, "orders/"+order, `{}`)
	for _, c := range []struct {
		r  intake.Resource
		id string
	}{{intake.Variants, text(v.id)}, {intake.Products, product}, {intake.Orders, order}} {
		if at := s.Modified(c.r, c.id); !at.Equal(s.Clock()) {
			t.Errorf("%s %s is dated %v, now %v", c.r, c.id, at, s.Clock())
		}
	}
}

func TestASaleBeginsAndEndsByItself(t *testing.T) {
	s := New(Options{Seed: 1})
	id := text(simple(t, s).id)
	from, to := s.Clock().Add(time.Hour), s.Clock().Add(2*time.Hour)
	tell(t, s, http.MethodPut, "products/"+id, fmt.Sprintf(`{"regular_price":"20","sale_price":"15","date_on_sale_from_gmt":%q,"date_on_sale_to_gmt":%q}`,
		from.Format(wooTime), to.Format(wooTime)))
	for _, want := range []string{"20.00 15.00", "15.00 15.00", "20.00 "} {
		if _, got := tell(t, s, http.MethodGet, "products/"+id, ""); fmt.Sprint(got["price"], " ", got["sale_price"]) != want {
			t.Errorf("at %v: %v %v, want %s", s.Clock(), got["price"], got["sale_price"], want)
		}
		s.Advance(time.Hour)
	}
}

func TestBatchesKeepOrderAndDeleteForGood(t *testing.T) {
	s := New(Options{Seed: 1})
	a, b, c := s.sellable[0], s.sellable[1], s.sellable[2]
	_, got := tell(t, s, http.MethodPost, "products/batch", fmt.Sprintf(
		`{"create":[{"name":"Fresh","sku":"FRESH","regular_price":"3","manage_stock":true,"stock_quantity":4}],"update":[{"id":%d,"stock_quantity":1},{"id":999999},{"id":%d,"stock_quantity":2}],"delete":[%d]}`,
		b.id, a.id, c.id))
	updated := got["update"].([]any)
	for i, want := range []string{text(b.id) + " 1", "999999 <nil>", text(a.id) + " 2"} {
		if o := updated[i].(object); fmt.Sprintf("%.0f %v", o["id"], o["stock_quantity"]) != want {
			t.Errorf("item %d is %v %v, want %s", i, o["id"], o["stock_quantity"], want)
		}
	}
	made := got["create"].([]any)[0].(object)
	if made["stock_quantity"] != 4.0 || made["status"] != "publish" || made["type"] != "simple" {
		t.Errorf("made %v", made)
	}
	if s.product(c.id) != nil {
		t.Error("what a batch deletes is gone for good")
	}
}

func TestCategoriesAreKeptApartAndTheirProductsStay(t *testing.T) {
	s := New(Options{Seed: 1})
	_, top := tell(t, s, http.MethodPost, "products/categories", `{"name":"Jouets & jeux"}`)
	if top["name"] != "Jouets &amp; jeux" || top["slug"] != "jouets-jeux" {
		t.Errorf("made %v", top)
	}
	status, got := tell(t, s, http.MethodPost, "products/categories", `{"name":"Jouets & jeux"}`)
	if data, _ := got["data"].(object); status != 400 || got["code"] != "term_exists" || data["resource_id"] != top["id"] {
		t.Errorf("made again: %d %v", status, got)
	}
	_, below := tell(t, s, http.MethodPost, "products/categories", fmt.Sprintf(`{"name":"Jouets & jeux","parent":%v}`, top["id"]))
	if below["slug"] != "jouets-jeux-2" {
		t.Errorf("below it: %v", below)
	}
	id := text(simple(t, s).id)
	tell(t, s, http.MethodPut, "products/"+id, fmt.Sprintf(`{"categories":[{"id":%v},{"id":%v}]}`, top["id"], below["id"]))
	if status, _ := tell(t, s, http.MethodDelete, fmt.Sprintf("products/categories/%v", top["id"]), ""); status != http.StatusNotImplemented {
		t.Errorf("deleted without force: %d", status)
	}
	for _, c := range []object{top, below} {
		if status, _ := tell(t, s, http.MethodDelete, fmt.Sprintf("products/categories/%v?force=true", c["id"]), ""); status != http.StatusOK {
			t.Errorf("delete: %d", status)
		}
		_, p := tell(t, s, http.MethodGet, "products/"+id, "")
		if n := len(p["categories"].([]any)); n != 1 {
			t.Errorf("the product is in %d categories", n)
		}
	}
	if status, _ := tell(t, s, http.MethodDelete, fmt.Sprintf("products/categories/%d?force=true", s.categories[0].id), ""); status != 500 {
		t.Errorf("the default category can be deleted: %d", status)
	}
	gone := fmt.Sprintf("products/categories/%v", top["id"])
	if status, got := tell(t, s, http.MethodDelete, gone+"?force=true", ""); status != http.StatusNotFound || got["code"] != "woocommerce_rest_term_invalid" {
		t.Errorf("deleted again: %d %v", status, got)
	}
	_, got = tell(t, s, http.MethodPost, "products/categories/batch", fmt.Sprintf(`{"update":[{"id":%v,"name":"Jeux"}],"delete":[%v]}`, top["id"], top["id"]))
	for part, want := range map[string]string{"update": "invalid_taxonomy", "delete": "woocommerce_rest_cannot_delete"} {
		if item := got[part].([]any)[0].(object); item["error"].(object)["code"] != want {
			t.Errorf("%s of a category that is gone, in a batch: %v, want %s", part, item, want)
		}
	}
}

func TestOrdersAreCompletedCancelledAndRefunded(t *testing.T) {
	s := New(Options{Seed: 1})
	v := simple(t, s)
	id := text(v.id)
	s.SetStock(id, 50)
	done, dropped, back := s.Sell(id, 2), s.Sell(id, 3), s.Sell(id, 4)
	tell(t, s, http.MethodPut, "orders/"+done, `{"status":"completed","meta_data":[{"key":"_comptoir_shipments","value":[{"key":"k"}]}]}`)
	_, got := tell(t, s, http.MethodGet, "orders/"+done, "")
	if got["status"] != "completed" || !strings.Contains(fmt.Sprint(got["meta_data"]), "_comptoir_shipments value:[map[key:k]]") {
		t.Errorf("completed: %v %v", got["status"], got["meta_data"])
	}
	tell(t, s, http.MethodPut, "orders/"+dropped, `{"status":"cancelled"}`)
	if left, _ := s.Stock(id); left != 50-2-4 {
		t.Errorf("after the cancellation %d are left", left)
	}
	o := s.order(number(back))
	o.gateway = payStripe
	line := o.takeBack(goods, 0, 1)
	body := fmt.Sprintf(`{"amount":%q,"reason":"Cassé","api_refund":false,"api_restock":false,"line_items":[{"id":%d,"quantity":1,"refund_total":%s,"refund_tax":[]}],"meta_data":[{"key":"_comptoir_key","value":"k1"}]}`,
		price(line.total), o.lines[0].id, price(line.total))
	status, made := tell(t, s, http.MethodPost, "orders/"+back+"/refunds", body)
	if status != http.StatusCreated || made["amount"] != price(line.total) || made["refunded_payment"] != false || !strings.Contains(fmt.Sprint(made["meta_data"]), "k1") {
		t.Errorf("refund: %d %v", status, made)
	}
	if left, _ := s.Stock(id); left != 44 {
		t.Errorf("a refund that restocks nothing leaves %d", left)
	}
	tell(t, s, http.MethodPost, "orders/"+back+"/refunds", fmt.Sprintf(`{"amount":"0.01","line_items":[{"id":%d,"quantity":1,"refund_total":0.01}]}`, o.lines[0].id))
	if left, _ := s.Stock(id); left != 45 {
		t.Errorf("by default goods go back: %d are left", left)
	}
	o.gateway = payTransfer
	if status, got := tell(t, s, http.MethodPost, "orders/"+back+"/refunds", `{"amount":"0.01"}`); status != 500 || got["data"] != 500.0 {
		t.Errorf("a refund by a gateway that cannot: %d %v", status, got)
	}
	_, note := tell(t, s, http.MethodPost, "orders/"+back+"/notes", `{"note":"Colis 1","customer_note":true}`)
	if note["note"] != "Colis 1" || note["customer_note"] != true {
		t.Errorf("note: %v", note)
	}
}

func TestWhatWasWrittenIsCounted(t *testing.T) {
	s := New(Options{Seed: 1})
	v := simple(t, s)
	was := int(v.stock)
	tell(t, s, http.MethodPut, "products/"+text(v.id), `{"stock_quantity":9}`)
	tell(t, s, http.MethodPost, "products/batch", fmt.Sprintf(`{"update":[{"id":%d,"stock_quantity":9}]}`, v.id))
	if calls := s.Calls(); calls["PUT /wc/v3/products/{id}"] != 1 || calls["POST /wc/v3/products/batch"] != 1 || len(calls) != 2 {
		t.Errorf("calls: %v", calls)
	}
	want := []StockWrite{{s.Clock(), text(v.id), "", was, 9}, {s.Clock(), text(v.id), "", 9, 9}}
	if got := s.StockWrites(); !slices.Equal(got, want) {
		t.Errorf("written %v, want %v", got, want)
	}
}

func TestAnAnswerIsLostAfterTheChange(t *testing.T) {
	s := New(Options{Seed: 1})
	id := text(simple(t, s).id)
	s.Misbehave(Fault{Name: "answer-lost", Count: 1})
	tell(t, s, http.MethodGet, "products/"+id, "")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://shop.test"+wooRoot+"/products/"+id, strings.NewReader(`{"stock_quantity":9}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(s.Key(), s.Secret())
	if _, err := s.Transport().RoundTrip(r); err == nil {
		t.Error("the answer arrived")
	}
	if left, _ := s.Stock(id); left != 9 {
		t.Errorf("%d are in stock", left)
	}
}

func TestFaultsMeetWritesAlone(t *testing.T) {
	for _, name := range []string{"503:writes=true", "429:writes=true:retry-after=3"} {
		s := New(Options{Seed: 1})
		id := text(simple(t, s).id)
		f, err := ParseFault(name)
		if err != nil {
			t.Fatal(err)
		}
		s.Misbehave(f)
		if status, _ := tell(t, s, http.MethodGet, "products/"+id, ""); status != http.StatusOK {
			t.Errorf("%s: reading is answered %d", name, status)
		}
		r := request(t, s, "products/"+id)
		r.Method = http.MethodPut
		if res, _ := do(t, s, r); text(int64(res.StatusCode)) != f.Name {
			t.Errorf("%s: writing is answered %d", name, res.StatusCode)
		}
	}
}

// A customer comes between reading a number and writing it: this is what a
// write overwrites.
func TestASaleComesBetweenReadingAndWriting(t *testing.T) {
	s := New(Options{Seed: 1})
	v := simple(t, s)
	id, had := text(v.id), v.stock
	s.Misbehave(Fault{Name: "sale", Count: 1})
	_, body := do(t, s, request(t, s, "products?include="+id))
	if !strings.Contains(string(body), fmt.Sprintf(`"stock_quantity":%d`, had)) {
		t.Errorf("read %s", body)
	}
	if left, _ := s.Stock(id); left != int(had)-1 || len(s.IDs(intake.Orders)) != 1 {
		t.Errorf("%d are left of %d, orders %v", left, had, s.IDs(intake.Orders))
	}
	do(t, s, request(t, s, "products?include="+id))
	if left, _ := s.Stock(id); left != int(had)-1 {
		t.Errorf("one customer was to come, and %d are left of %d", left, had)
	}
}

func TestAPriceThatNoneIsIsNoAmount(t *testing.T) {
	for _, text := range []string{"", "cheap", "NaN", "Inf", "-1e30", "1000000000000000000000000000000"} {
		if cents, ok := centsOf(text); ok {
			t.Errorf("%q is %d", text, cents)
		}
	}
	if cents, ok := centsOf("-19.995"); !ok || cents != -2000 {
		t.Errorf("-19.995 is %d", cents)
	}
}
