package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"comptoir/erp/intake"

	"pgregory.net/rapid"
)

// Whatever apps and people do to a WooCommerce shop, in whatever order: stock
// is what orders leave of it, no more money goes back than came in, every
// product is in a category, and all can be read.
func TestWhateverIsWrittenOverRESTAddsUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := New(Options{Seed: int64(rapid.IntRange(1, 5).Draw(r, "seed")), Orders: 8})
		w := &restWriter{t: t, r: r, s: s}
		for range rapid.IntRange(5, 30).Draw(r, "steps") {
			w.step()
			stockAdds(t, s)
			w.addsUp()
			if t.Failed() {
				r.FailNow()
			}
		}
		everything(t, s)
	})
}

// restWriter does something at random over the API.
type restWriter struct {
	t *testing.T
	r *rapid.T
	s *Shop
}

func (w *restWriter) one(ids []string, what string) string {
	return rapid.SampledFrom(ids).Draw(w.r, what)
}
func (w *restWriter) n(upTo int) int { return rapid.IntRange(0, upTo).Draw(w.r, "n") }

func (w *restWriter) step() {
	s := w.s
	order := w.one(s.IDs(intake.Orders), "order")
	product := w.one(s.IDs(intake.Products), "product")
	category := w.one(s.IDs(intake.Categories), "category")
	variant := w.one(s.IDs(intake.Variants), "variant")
	under := "products/" + text(s.variant(number(variant)).of.own.id) + "/variations/" + variant
	switch rapid.SampledFrom([]string{"sell", "status", "refund", "lines", "stock", "manage", "variation", "price", "make", "category", "file", "drop", "batch", "trash"}).Draw(w.r, "what") {
	case "sell":
		s.Sell(variant, 1+w.n(4))
	case "status":
		w.tell(http.MethodPut, "orders/"+order, `{"status":%q}`, w.one([]string{"processing", "completed", "cancelled", "on-hold", "pending", "refunded", "failed"}, "status"))
	case "refund":
		w.tell(http.MethodPost, "orders/"+order+"/refunds", `{"amount":"%d.50","api_refund":false,"api_restock":%t}`, w.n(60), w.n(1) == 0)
	case "lines":
		if o := s.order(number(order)); len(o.lines) > 0 {
			w.tell(http.MethodPost, "orders/"+order+"/refunds", `{"api_refund":false,"api_restock":%t,"line_items":[{"id":%d,"quantity":%d,"refund_total":%d}]}`,
				w.n(1) == 0, o.lines[0].id, w.n(3), w.n(30))
		}
	case "stock":
		w.tell(http.MethodPut, "products/"+product, `{"stock_quantity":%d}`, w.n(90)-10)
	case "manage":
		w.tell(http.MethodPut, "products/"+product, `{"manage_stock":%t,"stock_quantity":%d}`, w.n(1) == 0, w.n(90))
	case "variation":
		w.tell(http.MethodPut, under, `{"manage_stock":%t,"stock_quantity":%d,"sku":"V-%d"}`, w.n(2) > 0, w.n(90), w.n(3))
	case "price":
		w.tell(http.MethodPut, under, `{"regular_price":"%d.99","sale_price":"%d"}`, w.n(90), w.n(90))
	case "make":
		w.tell(http.MethodPost, "products", `{"name":"Neuf","sku":"N-%d","regular_price":"5","manage_stock":true,"stock_quantity":%d}`, w.n(4), w.n(9))
	case "category":
		w.tell(http.MethodPost, "products/categories", `{"name":"Rayon %d","parent":%s}`, w.n(2), category)
	case "file":
		w.tell(http.MethodPut, "products/"+product, `{"categories":[{"id":%s}]}`, category)
		w.tell(http.MethodPut, "products/categories/"+category, `{"parent":%s}`, w.one(s.IDs(intake.Categories), "parent"))
	case "drop":
		w.tell(http.MethodDelete, "products/categories/"+category+"?force=true", "")
	case "batch":
		w.tell(http.MethodPost, "products/batch", `{"create":[{"sku":"N-1"}],"update":[{"id":%s,"stock_quantity":3},{"id":%s,"name":"x"}],"delete":[%d]}`, product, variant, w.n(400))
	case "trash":
		w.tell(http.MethodDelete, "orders/"+order, "")
	}
}

// tell asks for a change. It may be refused, but not by breaking down.
func (w *restWriter) tell(method, path, form string, args ...any) {
	body := form
	if len(args) > 0 {
		body = fmt.Sprintf(form, args...)
	}
	if status, got := tell(w.t, w.s, method, path, body); status >= 500 && got["code"] != "woocommerce_rest_cannot_create_order_refund" && got["code"] != "woocommerce_rest_cannot_delete" {
		w.t.Errorf("%s %s %s: %d %v", method, path, body, status, got)
	}
}

func (w *restWriter) addsUp() {
	for _, o := range w.s.orders {
		if o.left() < 0 {
			w.t.Errorf("of order %d %d is left", o.id, o.left())
		}
		for i := range o.lines {
			if back, _, _ := o.refunded(goods, i); back > o.lines[i].qty {
				w.t.Errorf("of order %d %d units of %d came back", o.id, back, o.lines[i].qty)
			}
		}
	}
	for _, p := range w.s.products {
		if len(p.in) == 0 {
			w.t.Errorf("product %d is in no category", p.own.id)
		}
	}
	for _, k := range w.s.categories {
		depth := 0
		for up := k; up != nil && depth < 100; up = w.s.category(up.parent) {
			depth++
		}
		if depth == 100 {
			w.t.Errorf("category %d is below itself", k.id)
		}
	}
}

// Nothing that is sent makes the shop break down, or answer what is not JSON.
func FuzzWritesOverREST(f *testing.F) {
	for _, body := range []string{`{}`, `{"regular_price":"x","stock_quantity":1e99}`, `{"update":[{"id":43}],"delete":[null,{"a":1}]}`, `[1]`, `"`, `{"images":[{"src":3}],"categories":[7,{"id":-1}]}`,
		`{"line_items":[{"id":1,"quantity":-5,"refund_tax":[{"id":1,"refund_total":"-1"}]}],"amount":"-1"}`, `{"meta_data":[{"key":1},{"id":0,"value":{}}]}`, `{"name":"<b>","parent":99,"slug":"é"}`} {
		for n := range len(writtenPaths) {
			f.Add(n, body)
		}
	}
	s := New(Options{Seed: 1, Orders: 20})
	f.Fuzz(func(t *testing.T, n int, body string) {
		path := writtenPaths[uint(n)%uint(len(writtenPaths))]
		method, path, _ := strings.Cut(path, " ")
		r := request(t, s, path)
		r.Method, r.Body = method, http.NoBody
		r = r.Clone(t.Context())
		r.Header.Set("Content-Type", "application/json")
		r.Body = readCloser(body)
		if res, got := do(t, s, r); !json.Valid(got) || res.StatusCode == 0 {
			t.Errorf("%s %s %s: %d %s", method, path, body, res.StatusCode, got)
		}
		stockAdds(t, s)
	})
}

var writtenPaths = []string{"PUT products/32", "POST products", "POST products/batch", "POST products/1/variations", "POST products/categories", "PUT products/categories/16",
	"POST products/categories/batch", "PUT orders/120", "POST orders/130/refunds", "POST orders/130/notes", "POST webhooks", "POST webhooks/batch", "DELETE products/40"}

func readCloser(body string) io.ReadCloser { return io.NopCloser(strings.NewReader(body)) }
