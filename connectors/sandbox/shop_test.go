package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

func request(t testing.TB, s *Shop, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://shop.test"+wooRoot+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(s.Key(), s.Secret())
	return r
}

func do(t testing.TB, s *Shop, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	res, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

// everything reads all lists whole, by id.
func everything(t testing.TB, s *Shop) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, list := range []string{"orders?status=any", "orders?status=trash", "refunds?", "products?", "variations?", "products/categories?",
		"customers?role=all", "coupons?", "taxes?", "payment_gateways?"} {
		for page := 1; ; page++ {
			res, body := do(t, s, request(t, s, fmt.Sprintf("%s&per_page=100&dp=6&orderby=id&order=asc&page=%d", list, page)))
			if res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d %s", list, res.StatusCode, body)
			}
			all.Write(body)
			if last, _ := strconv.Atoi(res.Header.Get("X-WP-TotalPages")); page >= last {
				break
			}
		}
	}
	return all.Bytes()
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	a, b := New(Options{Seed: 7, Orders: 400}), New(Options{Seed: 7, Orders: 400, Now: func() time.Time { return time.Unix(0, 0) }})
	if !bytes.Equal(everything(t, a), everything(t, b)) {
		t.Fatal("two shops of one seed differ")
	}
	events := a.Advance(72 * time.Hour)
	var parts []Event
	for range 3 {
		parts = append(parts, b.Advance(24*time.Hour)...)
	}
	if !slices.Equal(events, parts) || len(events) == 0 {
		t.Errorf("three days at once bring %d events, day by day %d", len(events), len(parts))
	}
	if !bytes.Equal(everything(t, a), everything(t, b)) {
		t.Error("the shops differ after three days")
	}
	for _, s := range []*Shop{a, b} {
		s.PayOrder(s.PlaceOrder())
		s.RefundOrder("", true)
		s.EditOrder("")
		s.DeleteProduct("")
	}
	if !bytes.Equal(everything(t, a), everything(t, b)) {
		t.Error("the shops differ after the same changes by hand")
	}
	if c := New(Options{Seed: 8, Orders: 400}); bytes.Equal(everything(t, a), everything(t, c)) || a.Key() == c.Key() {
		t.Error("another seed gives the same shop")
	}
}

func TestHistoryEndsOnTheSameDayWhateverTheClock(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 300})
	if got := s.Clock(); !got.Equal(historyEnd) {
		t.Errorf("clock %s", got)
	}
	if len(s.orders) != 300 {
		t.Errorf("%d orders", len(s.orders))
	}
	for _, o := range s.orders {
		if o.created < historyStart.Unix() || o.modified > historyEnd.Unix() || o.modified < o.created {
			t.Fatalf("order %d lived from %d to %d", o.id, o.created, o.modified)
		}
	}
}

type wireTax struct{ Total decimal.Decimal }

type wireOrder struct {
	ID          int64
	Number      string
	Status      string
	Currency    string
	Total       decimal.Decimal
	TotalTax    decimal.Decimal                    `json:"total_tax"`
	CartTax     decimal.Decimal                    `json:"cart_tax"`
	ShippingTax decimal.Decimal                    `json:"shipping_tax"`
	Discount    decimal.Decimal                    `json:"discount_total"`
	Lines       []wireLine                         `json:"line_items"`
	Carriage    []wireLine                         `json:"shipping_lines"`
	Fees        []wireLine                         `json:"fee_lines"`
	Rates       []wireRate                         `json:"tax_lines"`
	Refunds     []struct{ Total decimal.Decimal }  `json:"refunds"`
	Gifts       []struct{ Amount decimal.Decimal } `json:"gift_cards"`
}

type wireLine struct {
	Subtotal decimal.Decimal
	Total    decimal.Decimal
	TotalTax decimal.Decimal `json:"total_tax"`
	Taxes    []wireTax
}

type wireRate struct {
	Tax  decimal.Decimal `json:"tax_total"`
	Ship decimal.Decimal `json:"shipping_tax_total"`
}

func readOrders(t *testing.T, s *Shop, status string) []wireOrder {
	t.Helper()
	var all []wireOrder
	for page := 1; ; page++ {
		_, body := do(t, s, request(t, s, fmt.Sprintf("orders?per_page=100&dp=6&orderby=id&order=asc&status=%s&page=%d", status, page)))
		body = bytes.ReplaceAll(body, []byte(`"nan"`), []byte(`"-1"`))
		var raw []wireOrder
		if err := json.Unmarshal(body, &raw); err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
		if len(raw) < 100 {
			return all
		}
	}
}

// The total is the sum of the parts, and the exact taxes of the lines are
// within a cent for each line and rate of what is stated.
func TestEveryTotalIsTheSumOfItsParts(t *testing.T) {
	s := New(Options{Seed: 11, Orders: 1500})
	s.Advance(48 * time.Hour)
	planted := s.Planted()
	if len(planted) < 5 {
		t.Errorf("%d orders are planted", len(planted))
	}
	seen := map[string]int{}
	for _, o := range append(readOrders(t, s, "any"), readOrders(t, s, "trash")...) {
		seen[o.Status]++
		seen[o.Currency]++
		if planted[text(o.ID)] != "" {
			continue
		}
		sum, exact, off, parts := decimal.Zero, decimal.Zero, decimal.Zero, int64(0)
		for _, group := range [][]wireLine{o.Lines, o.Carriage, o.Fees} {
			for _, l := range group {
				sum = sum.Add(l.Total)
				if !l.Subtotal.IsZero() {
					off = off.Add(l.Subtotal).Sub(l.Total)
				}
				for _, x := range l.Taxes {
					exact = exact.Add(x.Total)
					parts++
				}
			}
		}
		total := sum.Add(o.TotalTax)
		for _, g := range o.Gifts {
			total = total.Sub(g.Amount)
			seen["gift"]++
		}
		if !total.Equal(o.Total) {
			t.Errorf("order %d states %s, parts %s", o.ID, o.Total, total)
		}
		if !off.Equal(o.Discount) {
			t.Errorf("order %d states a discount of %s, lines %s", o.ID, o.Discount, off)
		}
		if exact.Sub(o.TotalTax).Abs().GreaterThan(decimal.New(parts, -2)) {
			t.Errorf("order %d states a tax of %s, lines %s", o.ID, o.TotalTax, exact)
		}
		rates := decimal.Zero
		for _, r := range o.Rates {
			rates = rates.Add(r.Tax).Add(r.Ship)
		}
		if !rates.Equal(o.TotalTax) || !o.CartTax.Add(o.ShippingTax).Equal(o.TotalTax) {
			t.Errorf("order %d states a tax of %s, rates %s", o.ID, o.TotalTax, rates)
		}
		back := decimal.Zero
		for _, r := range o.Refunds {
			back = back.Sub(r.Total)
			seen["refund"]++
		}
		if back.GreaterThan(o.Total) || o.Status == "refunded" && !back.Equal(o.Total) {
			t.Errorf("order %d (%s) of %s was refunded %s", o.ID, o.Status, o.Total, back)
		}
		if o.Number != text(o.ID) {
			seen["other number"]++
		}
	}
	for _, want := range []string{"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash", "awaiting-pickup",
		"EUR", "USD", "GBP", "JPY", "ISK", "gift", "refund", "other number"} {
		if seen[want] == 0 {
			t.Errorf("the shop has no %s", want)
		}
	}
}

// A refund's amount is what its lines come to, and no line is refunded beyond
// what it was.
func TestRefundsNeverExceedTheirLines(t *testing.T) {
	s := New(Options{Seed: 5, Orders: 4000})
	kinds := map[string]int{}
	for _, r := range s.refunds {
		var sum int64
		for i := range r.parts {
			p := &r.parts[i]
			sum += p.gross()
			kinds[[]string{"goods", "shipping", "fees"}[p.kind]]++
			if p.kind != goods {
				continue
			}
			l := &r.of.lines[p.index]
			qty, total, _ := r.of.refunded(goods, p.index)
			if qty > l.qty || total > l.total || qty != l.back {
				t.Errorf("line %d: %d of %d units, %d of %d cents refunded, %d restocked", l.id, qty, l.qty, total, l.total, l.back)
			}
		}
		if len(r.parts) == 0 {
			kinds["by amount"]++
		} else if sum != r.amount {
			t.Errorf("refund %d of %d has lines of %d", r.id, r.amount, sum)
		}
		if r.full {
			kinds["full"]++
		}
	}
	for _, k := range []string{"goods", "shipping", "fees", "by amount", "full"} {
		if kinds[k] == 0 {
			t.Errorf("no refund of kind %s", k)
		}
	}
}

// stockAdds checks that what the shop states is what it was given minus what
// orders hold.
func stockAdds(t *testing.T, s *Shop) {
	t.Helper()
	held := map[*variant]int64{}
	for _, o := range s.orders {
		for i := range o.lines {
			if l := &o.lines[i]; o.holding {
				held[l.of.holder()] += l.qty - l.back
			}
		}
	}
	for _, p := range s.products {
		for _, v := range append([]*variant{p.own}, p.variants...) {
			if v.tracked && !v.gone && v.stock != v.given-held[v] {
				t.Errorf("variant %d states %d, was given %d, orders hold %d", v.id, v.stock, v.given, held[v])
			}
		}
	}
}

func TestStockIsWhatOrdersLeave(t *testing.T) {
	s := New(Options{Seed: 2, Orders: 2000})
	stockAdds(t, s)
	s.Advance(100 * time.Hour)
	stockAdds(t, s)
	id := s.PayOrder(s.PlaceOrder())
	stockAdds(t, s)
	s.RefundOrder(id, true)
	s.CancelOrder(s.PayOrder(s.PlaceOrder()))
	s.ReopenOrder("")
	s.EditOrderSilently(s.PlaceOrder())
	s.SetStock("", 77)
	s.DeleteOrder("")
	s.TrashOrder("")
	stockAdds(t, s)
}

// What a life changes is dated, but for what the platform does not date.
func TestChangesMoveTheDateButForThoseThatDoNot(t *testing.T) {
	s := New(Options{Seed: 4, Orders: 300})
	id := s.PlaceOrder()
	date := func() time.Time { return s.Modified(intake.Orders, id) }
	for _, c := range []struct {
		name  string
		do    func() string
		moves bool
	}{
		{"pay", func() string { return s.PayOrder(id) }, true},
		{"edit", func() string { return s.EditOrder(id) }, true},
		{"edit silently", func() string { return s.EditOrderSilently(id) }, false},
		{"complete", func() string { return s.CompleteOrder(id) }, true},
		{"refund in part", func() string { return s.RefundOrder(id, true) }, true},
		{"refund by amount", func() string { return s.RefundByAmount(id) }, true},
		{"delete a refund", func() string { return s.DeleteRefund(s.RefundIDs(id)[0]) }, false},
		{"touch", func() string { return s.Touch(intake.Orders, id) }, true},
		{"trash", func() string { return s.TrashOrder(id) }, true},
	} {
		before, body := date(), getOrder(t, s, id)
		if c.do() == "" {
			t.Fatalf("%s did nothing", c.name)
		}
		if moved := date().After(before); moved != c.moves {
			t.Errorf("%s: date moved: %t", c.name, moved)
		}
		if bytes.Equal(getOrder(t, s, id), body) {
			t.Errorf("%s: nothing changed", c.name)
		}
	}
	if got := s.IDs(intake.Trash); !slices.Contains(got, id) || slices.Contains(s.IDs(intake.Orders), id) {
		t.Error("the trashed order is not in the trash alone")
	}
	s.DeleteOrder(id)
	if res, _ := do(t, s, request(t, s, "orders/"+id)); res.StatusCode != http.StatusNotFound {
		t.Errorf("a deleted order is answered with %d", res.StatusCode)
	}
}

func getOrder(t *testing.T, s *Shop, id string) []byte {
	t.Helper()
	res, body := do(t, s, request(t, s, "orders/"+id))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("order %s: %d", id, res.StatusCode)
	}
	return body
}

func TestRecordsOfEveryKindCanBeAddedEditedAndDeleted(t *testing.T) {
	s := New(Options{Seed: 4, Orders: 50})
	for _, r := range []intake.Resource{intake.Orders, intake.Products, intake.Variants, intake.Customers, intake.Coupons, intake.Categories} {
		id := s.Add(r)
		if !slices.Contains(s.IDs(r), id) {
			t.Errorf("%s: %q was not added", r, id)
		}
		before := s.Modified(r, id)
		if s.Edit(r, id) != id || r != intake.Categories && !s.Modified(r, id).After(before) {
			t.Errorf("%s: the edit of %s does not show", r, id)
		}
		if s.Delete(r, id) != id || slices.Contains(s.IDs(r), id) {
			t.Errorf("%s: %s was not deleted", r, id)
		}
	}
	s.Advance(96 * time.Hour)
}

// Orders are kept as JSON until something changes, for each host and number
// of decimals.
func TestAnswersAreNeverStale(t *testing.T) {
	s := New(Options{Seed: 3, Orders: 60})
	id := s.PlaceOrder()
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"edit silently", func() { s.EditOrderSilently(id) }},
		{"pay", func() { s.PayOrder(id) }},
		{"refund", func() { s.RefundByAmount(id) }},
		{"delete a refund", func() { s.DeleteRefund(s.RefundIDs(id)[0]) }},
		{"delete a product", func() { s.DeleteProduct("") }},
		{"trash", func() { s.TrashOrder("") }},
		{"a day", func() { s.Advance(24 * time.Hour) }},
	} {
		before := everything(t, s)
		c.do()
		after := everything(t, s)
		s.written, s.lists = written{}, map[string]*list{}
		if bytes.Equal(before, after) || !bytes.Equal(after, everything(t, s)) {
			t.Errorf("stale after: %s", c.name)
		}
	}
	for _, path := range []string{"orders/" + id, "orders/" + id + "?dp=6", "orders/" + id} {
		_, a := do(t, s, request(t, s, path))
		r := request(t, s, path)
		r.URL.Host, r.Host = "other.test", ""
		if _, b := do(t, s, r); !bytes.Equal(b, bytes.ReplaceAll(a, []byte("shop.test"), []byte("other.test"))) {
			t.Errorf("%s: hosts or decimals are mixed up", path)
		}
	}
}

func TestAShopWithoutHistoryComesToLife(t *testing.T) {
	s := New(Options{})
	if s.OrderCount() != 0 {
		t.Fatalf("%d orders", s.OrderCount())
	}
	kinds := map[EventKind]bool{}
	for _, e := range s.Advance(10 * 24 * time.Hour) {
		kinds[e.Kind] = true
	}
	for _, k := range []EventKind{OrderPlaced, OrderPaid, OrderFailed, OrderCompleted, OrderCancelled, OrderEdited, OrderRefunded, StockChanged} {
		if !kinds[k] {
			t.Errorf("in ten days, no %s", k)
		}
	}
	stockAdds(t, s)
}

// Whatever is odd about an order, it is served, and those that cannot be
// booked are told.
func TestOddOrdersAreServedAndToldApart(t *testing.T) {
	s := New(Options{Seed: 9, Orders: 0})
	for _, kind := range Odds() {
		id := s.PlaceOddOrder(kind)
		body := string(getOrder(t, s, id))
		if !json.Valid([]byte(body)) {
			t.Errorf("%s: no JSON", kind)
		}
		if want := map[Odd]string{
			OddStatus: `"awaiting-pickup"`, OddProductGone: `"sku":null`, OddGiftCardSold: "wc_gc_giftcard_amount", OddGiftCardUsed: `"gift_cards":[{`,
			OddGiftCardPaysAll: `"total":"0.00"`, OddNoLines: `"line_items":[]`, OddDraft: `"checkout-draft"`, OddNoRate: `"ISK"`, OddCurrency: `"ZZZ"`,
			OddNotANumber: `"total":"nan"`,
		}[kind]; !strings.Contains(body, want) {
			t.Errorf("%s: %s is missing in %s", kind, want, body)
		}
		if planted := s.Planted()[id] != ""; planted != slices.Contains([]Odd{OddNoRate, OddCurrency, OddNotANumber, OddTotalsOff}, kind) {
			t.Errorf("%s: planted %t", kind, planted)
		}
	}
	small := New(Options{Seed: 1, Orders: 100})
	if len(small.Planted()) == 0 {
		t.Error("a shop of 100 orders has nothing planted")
	}
}

// Deleting a product changes what old orders say of it, and no date.
func TestLinesOutliveTheirProduct(t *testing.T) {
	s := New(Options{Seed: 6, Orders: 400})
	gone := 0
	for _, o := range s.orders {
		for _, l := range o.lines {
			if l.of.gone && l.title != "" {
				gone++
			}
		}
	}
	if gone == 0 {
		t.Error("no line has lost its product")
	}
	id := s.PayOrder(s.PlaceOrder())
	line := s.order(number(id)).lines[0]
	before := s.Modified(intake.Orders, id)
	s.DeleteProduct(text(line.of.of.own.id))
	if body := string(getOrder(t, s, id)); !strings.Contains(body, `"sku":null`) || !strings.Contains(body, `"product_id":0`) {
		t.Errorf("the line still has its product: %s", body)
	}
	if !s.Modified(intake.Orders, id).Equal(before) {
		t.Error("the date of the order moved")
	}
}

func TestARangeIsSoldInEveryShopAlike(t *testing.T) {
	stock := map[string]int64{}
	for _, platform := range []Platform{WooCommerce, Shopify} {
		s := New(Options{Seed: int64(len(platform) + 1), Goods: 9, Range: 300, Platform: platform})
		n := 0
		for _, p := range s.products {
			if !strings.HasPrefix(p.own.sku, "ART-") {
				continue
			}
			n++
			if before, known := stock[p.own.sku]; !p.own.tracked || known && before != p.own.stock {
				t.Errorf("%s: %d, elsewhere %d", p.own.sku, p.own.stock, before)
			}
			stock[p.own.sku] = p.own.stock
		}
		if n != 300 || len(s.IDs(intake.Products)) < 300 {
			t.Errorf("%d articles", n)
		}
	}
}
