package woocommerce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

var sameDecimal = cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })

// pulled returns the recorded orders as they come through the connector.
func pulled(t *testing.T) map[string]*intake.Order {
	t.Helper()
	c := newReplayed(t).start()
	orders := map[string]*intake.Order{}
	for _, r := range []intake.Resource{intake.Orders, intake.Trash} {
		records, _ := pullAll(t, c, r)
		for id, rec := range records {
			if rec.Problem != "" {
				t.Errorf("order %s: %s", id, rec.Problem)
				continue
			}
			orders[id] = rec.Body.(*intake.Order)
		}
	}
	return orders
}

// The parts of each recorded order add up to its total, but for what rounding
// explains: one cent a line and rate.
func TestRecordedOrdersAddUp(t *testing.T) {
	files, err := filepath.Glob("testdata/order-*.json")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	c := newTestConnector(t)
	for _, f := range files {
		if strings.HasSuffix(f, ".refunds.json") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		o, problem := parseOrder(raw)
		rec := c.sealOrder(o, nil, raw)
		if problem != "" || rec.Problem != "" {
			t.Errorf("%s: %s %s", f, problem, rec.Problem)
			continue
		}
		b := rec.Body.(*intake.Order)
		sum, cents := decimal.Decimal{}, 1
		for _, l := range b.Lines {
			sum = sum.Add(l.Total)
			for _, tax := range l.Taxes {
				sum = sum.Add(tax.Amount)
				cents++
				if tax.RateID == "" || tax.Name == "" || !tax.Rate.IsPositive() {
					t.Errorf("%s: line %s has a tax without its rate: %+v", f, l.ID, tax)
				}
			}
			cents++
		}
		if off := sum.Sub(b.Total).Abs(); off.GreaterThan(decimal.New(int64(cents), -2)) {
			t.Errorf("%s: parts make %s, the order is worth %s", f, sum, b.Total)
		}
		var fields map[string]any
		if err := json.Unmarshal(rec.Statement, &fields); err != nil {
			t.Errorf("%s: statement: %v", f, err)
		}
	}
}

func TestOrderIsReadAsTheShopStatesIt(t *testing.T) {
	orders := pulled(t)
	o := orders["415"]
	if o == nil {
		t.Fatal("order 415 is missing")
	}
	want := &intake.Order{
		Number: "415", RawStatus: "processing", State: intake.StateOpen,
		PlacedAt: time.Date(2026, 11, 23, 9, 29, 21, 0, time.UTC), PaidAt: time.Date(2026, 11, 23, 9, 29, 21, 0, time.UTC),
		Currency: "EUR", Total: dec("131.96"), TotalTax: dec("17.19"), CreatedVia: "rest-api",
		Payment: intake.Payment{Method: "bacs", Title: "Virement bancaire"},
		Payments: []intake.Money{{ID: "paid", Kind: intake.MoneySale, Gateway: "bacs", Amount: dec("131.96"),
			At: time.Date(2026, 11, 23, 9, 29, 21, 0, time.UTC)}},
		Lines: []intake.Line{
			{ID: "1455", Kind: intake.LineItem, ProductID: "19", VariantID: "19", SKU: "SMP-009", Title: "Produit simple 09 — démo",
				Quantity: dec("4"), Subtotal: dec("31.08"), Total: dec("31.08"),
				Taxes: []intake.Tax{{RateID: "7", Name: "GST", Rate: dec("5"), Amount: dec("1.554")}, {RateID: "8", Name: "QST", Rate: dec("9.975"), Amount: dec("3.10023")}}},
			{ID: "1456", Kind: intake.LineItem, ProductID: "96", VariantID: "101", SKU: "VAR-5", Title: "T-shirt variable 5 - L, Bleu",
				Quantity: dec("3"), Subtotal: dec("62.7"), Total: dec("62.7"),
				Taxes:   []intake.Tax{{RateID: "7", Name: "GST", Rate: dec("5"), Amount: dec("3.135")}, {RateID: "8", Name: "QST", Rate: dec("9.975"), Amount: dec("6.254325")}},
				Options: []intake.Option{{Name: "Taille", Value: "L"}, {Name: "Couleur", Value: "Bleu"}}},
			{ID: "1457", Kind: intake.LineShipping, Title: "Forfait United States", Code: "flat_rate:3", Quantity: dec("1"), Subtotal: dec("19"), Total: dec("19"),
				Taxes: []intake.Tax{{RateID: "7", Name: "GST", Rate: dec("5"), Amount: dec("0.95")}, {RateID: "8", Name: "QST", Rate: dec("9.975"), Amount: dec("1.89525")}}},
			{ID: "1458", Kind: intake.LineFee, Title: "Frais de dossier", Quantity: dec("1"), Subtotal: dec("1.99"), Total: dec("1.99"),
				Taxes: []intake.Tax{{RateID: "7", Name: "GST", Rate: dec("5"), Amount: dec("0.0995")}, {RateID: "8", Name: "QST", Rate: dec("9.975"), Amount: dec("0.198503")}}},
		},
	}
	if diff := cmp.Diff(want, o, sameDecimal, cmpopts.IgnoreFields(intake.Order{}, "Customer")); diff != "" {
		t.Errorf("order 415 (-want +got):\n%s", diff)
	}
	if o.Customer.Billing.City != "Montréal" || o.Customer.Email != "invite40@example.test" || o.Customer.Phone != "+33 1 00 00 00 95" {
		t.Errorf("customer: %+v", o.Customer)
	}
}

func TestOddOrders(t *testing.T) {
	orders := pulled(t)
	for _, tt := range []struct {
		id   string
		says string
		got  func(*intake.Order) any
		want any
	}{
		{"449", "cancelled, without a date that moves", func(o *intake.Order) any { return fmt.Sprintf("%s %v", o.State, o.CancelledAt.IsZero()) }, "cancelled true"},
		{"448", "failed", func(o *intake.Order) any { return o.State }, intake.StateFailed},
		{"445", "on hold", func(o *intake.Order) any { return o.State }, intake.StateHold},
		{"465", "unpaid: no payment", func(o *intake.Order) any { return len(o.Payments) }, 0},
		{"454", "in the trash, with the state it had", func(o *intake.Order) any { return fmt.Sprintf("%v %s %s", o.Trashed, o.State, o.RawStatus) }, "true open trash"},
		{"447", "guest", func(o *intake.Order) any { return o.CustomerID }, ""},
		{"441", "customer with an account", func(o *intake.Order) any { return o.CustomerID }, "43"},
		{"441", "paid, by an unknown gateway", func(o *intake.Order) any { return o.Payments[0].Gateway }, "unknown"},
		{"136", "transaction and VAT number", func(o *intake.Order) any {
			return o.Payments[0].ID != "paid" && o.Customer.VATNumber == "FR00999999999"
		}, true},
		{"469", "a line whose product is gone", func(o *intake.Order) any { return o.Lines[0].ProductID + o.Lines[0].SKU }, ""},
		{"123", "two coupons", func(o *intake.Order) any { return strings.Join(o.Coupons, "+") }, "été 2026+produit2"},
		{"429", "a compound rate", func(o *intake.Order) any {
			for _, l := range o.Lines {
				for _, tax := range l.Taxes {
					if tax.Compound {
						return true
					}
				}
			}
			return false
		}, true},
		{"133", "JPY with the shop's decimals", func(o *intake.Order) any { return string(o.Currency) + o.Total.String() }, "JPY29.86"},
		{"155", "prices include tax", func(o *intake.Order) any { return o.PricesIncludeTax }, true},
		{"124", "a negative fee", func(o *intake.Order) any {
			for _, l := range o.Lines {
				if l.Kind == intake.LineFee && l.Total.IsNegative() {
					return true
				}
			}
			return false
		}, true},
	} {
		o := orders[tt.id]
		if o == nil {
			t.Errorf("order %s is missing", tt.id)
			continue
		}
		if got := tt.got(o); got != tt.want {
			t.Errorf("order %s, %s: %v, want %v", tt.id, tt.says, got, tt.want)
		}
	}
}

func TestRefundsComeWithTheirLines(t *testing.T) {
	want := []intake.Refund{
		{ID: "459", At: time.Date(2026, 11, 23, 9, 44, 56, 0, time.UTC), Amount: dec("31.84"), Full: true},
		{ID: "456", At: time.Date(2026, 11, 23, 9, 44, 55, 0, time.UTC), Amount: dec("19.9"),
			Lines: []intake.RefundLine{{LineID: "1580", Quantity: dec("1"), Total: dec("19.9")}}},
		{ID: "457", At: time.Date(2026, 11, 23, 9, 44, 55, 0, time.UTC), Amount: dec("19.9"),
			Lines: []intake.RefundLine{{LineID: "1580", Quantity: dec("1"), Total: dec("19.9")}}},
	}
	for _, global := range []bool{true, false} {
		t.Run(fmt.Sprintf("global list %v", global), func(t *testing.T) {
			s := newReplayed(t)
			if !global {
				s.before = func(route string, w http.ResponseWriter, _ *http.Request) bool {
					if route != "refunds" {
						return false
					}
					replayError(t, w, "error-404-no-route.json")
					return true
				}
			}
			c := s.start()
			records, _ := pullAll(t, c, intake.Orders)
			got := records["455"].Body.(*intake.Order).Refunds
			if diff := cmp.Diff(want, got, sameDecimal); diff != "" {
				t.Errorf("refunds of 455 (-want +got):\n%s", diff)
			}
			single := records["146"].Body.(*intake.Order).Refunds
			if len(single) != 1 || len(single[0].Lines) != 0 || single[0].Reason != "Geste commercial" || single[0].Full {
				t.Errorf("refund by amount: %+v", single)
			}
		})
	}
}

// The recorded refund of shipping has tax, and names the line it refunds.
func TestRefundOfShippingTurnsItsSigns(t *testing.T) {
	s := newReplayed(t)
	for _, raw := range s.rows("refunds-page.json") {
		var f refund
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		if f.ID.text != "145" {
			continue
		}
		r := new(reading)
		got := refundBody(r, &f, &order{}, nil)
		want := intake.Refund{ID: "145", At: time.Date(2026, 11, 23, 11, 25, 7, 0, time.UTC), Amount: dec("5.88"), Reason: "Port remboursé",
			Lines: []intake.RefundLine{{LineID: "111", Quantity: dec("0"), Total: dec("4.9"),
				Taxes: []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec("0.98")}}}}}
		if diff := cmp.Diff(want, got, sameDecimal); diff != "" || r.problem != "" {
			t.Errorf("%s refund 145 (-want +got):\n%s", r.problem, diff)
		}
		return
	}
	t.Fatal("refund 145 is not recorded")
}

// A refund that was deleted between the page and its refunds is not in the
// order any more: the order is read again. One that stays listed and cannot be
// read makes the order one that cannot be understood, and stops no other.
func TestListedRefundThatCannotBeFound(t *testing.T) {
	for _, deleted := range []bool{true, false} {
		t.Run(fmt.Sprintf("deleted %v", deleted), func(t *testing.T) {
			s := newReplayed(t)
			var found []json.RawMessage
			for _, r := range s.lists["refunds"] {
				if headOf(r).id != 147 {
					found = append(found, r)
				}
			}
			s.lists["refunds"] = found
			if deleted {
				s.before = func(route string, w http.ResponseWriter, _ *http.Request) bool {
					if route != "orders/146" {
						return false
					}
					var o map[string]any
					_ = json.Unmarshal(s.file("order-partial-refund.json"), &o)
					o["refunds"] = []any{}
					_ = json.NewEncoder(w).Encode(o)
					return true
				}
			}
			c := s.start()
			if deleted {
				records, _ := pullAll(t, c, intake.Orders)
				if refunds := records["146"].Body.(*intake.Order).Refunds; len(refunds) != 0 {
					t.Errorf("a deleted refund is still there: %+v", refunds)
				}
				return
			}
			records, _ := pullAll(t, c, intake.Orders)
			if rec := records["146"]; rec.Body != nil || !strings.Contains(rec.Problem, "order 146 lists a refund") {
				t.Errorf("got %+v, want a record that cannot be understood", rec)
			}
			if len(records) < 20 {
				t.Errorf("only %d records: the others wait for the one", len(records))
			}
		})
	}
}

func TestOrdersOfPluginsAndOldVersions(t *testing.T) {
	c := newTestConnector(t)
	c.cfg.PromisedMeta = "_delivery_date"
	read := func(t *testing.T, body string) *intake.Order {
		t.Helper()
		o, problem := parseOrder(json.RawMessage(body))
		rec := c.sealOrder(o, nil, json.RawMessage(body))
		if problem != "" || rec.Problem != "" {
			t.Fatal(problem, rec.Problem)
		}
		return rec.Body.(*intake.Order)
	}
	t.Run("gift cards used and sold", func(t *testing.T) {
		o := read(t, `{"id":9,"status":"processing","currency":"eur","total":"20.00","date_paid_gmt":"2026-01-02T03:04:05","payment_method":"stripe","transaction_id":"ch_1",
			"gift_cards":[{"id":4,"code":"ABCD","amount":30}],
			"meta_data":[{"key":"_stripe_fee","value":"0.55"},{"key":"_stripe_currency","value":"EUR"},{"key":"_delivery_date","value":"20260110"}],
			"line_items":[{"id":1,"name":"Bon &amp; beau","quantity":1,"total":"50","subtotal":"50","meta_data":[{"key":"wc_gc_giftcard_amount","value":"50"}]}]}`)
		if !o.Total.Equal(dec("50")) || len(o.GiftCards) != 1 || !o.GiftCards[0].Amount.Equal(dec("30")) {
			t.Errorf("total %s, gift cards %+v", o.Total, o.GiftCards)
		}
		if p := o.Payments[0]; p.ID != "ch_1" || !p.Amount.Equal(dec("20")) || !p.Fee.Equal(dec("0.55")) {
			t.Errorf("payment %+v", p)
		}
		if l := o.Lines[0]; !l.GiftCard || l.Title != "Bon & beau" {
			t.Errorf("line %+v", l)
		}
		if o.Currency != "EUR" || o.PromisedOn != "2026-01-10" {
			t.Errorf("currency %s, promised %q", o.Currency, o.PromisedOn)
		}
	})
	t.Run("unknown status waits for a person", func(t *testing.T) {
		o := read(t, `{"id":"9","status":"awaiting-pickup","total":1}`)
		if o.State != intake.StateHold || o.RawStatus != "awaiting-pickup" {
			t.Errorf("state %s of %s", o.State, o.RawStatus)
		}
	})
	t.Run("fields of other types", func(t *testing.T) {
		o := read(t, `{"id":"9","number":9,"status":"pending","total":12.5,"total_tax":"","discount_total":null,"customer_id":"0","billing":[],"shipping":"",
			"meta_data":{},"coupon_lines":null,"fee_lines":{"3":{"id":7,"name":"Tip for the team","total":"2"}},
			"line_items":[{"id":1,"quantity":"0.250","total":"10.5","subtotal":10.5,"variation_id":null,"sku":false,"taxes":[{"id":1,"total":""},{"id":2,"total":0}]}],
			"tax_lines":[{"rate_id":2,"label":"","rate_code":"ZERO","rate_percent":null}]}`)
		if !o.Total.Equal(dec("12.5")) || !o.Lines[0].Quantity.Equal(dec("0.25")) || o.Lines[1].Kind != intake.LineTip {
			t.Errorf("%+v", o)
		}
		if taxes := o.Lines[0].Taxes; len(taxes) != 1 || taxes[0].RateID != "2" || taxes[0].Name != "ZERO" {
			t.Errorf("taxes %+v", taxes)
		}
	})
	t.Run("a fee in another currency is left out", func(t *testing.T) {
		o := read(t, `{"id":9,"status":"processing","currency":"USD","total":"20.00","date_paid_gmt":"2026-01-02T03:04:05",
			"meta_data":[{"key":"_stripe_fee","value":"0.55"},{"key":"_stripe_currency","value":"EUR"}]}`)
		if !o.Payments[0].Fee.IsZero() {
			t.Errorf("fee %s", o.Payments[0].Fee)
		}
	})
}

// What cannot be understood is parked with its reason, and takes nothing else
// with it.
func TestUnreadableOrderIsARecordOfItsOwn(t *testing.T) {
	s := newReplayed(t)
	s.lists["orders"] = append(s.lists["orders"],
		json.RawMessage(`{"id":900,"status":"processing","total":"12,50"}`),
		json.RawMessage(`{"id":901,"status":"processing","total":"1e999999999"}`),
		json.RawMessage(`{"id":902,"status":"processing","date_created_gmt":"yesterday"}`),
		json.RawMessage(`{"id":903}`),
		json.RawMessage(`{"number":"no id"}`))
	c := s.start()
	records, _ := pullAll(t, c, intake.Orders)
	for id, says := range map[string]string{"900": `total: "12,50" is no number`, "901": "is no number", "902": `"yesterday" is no date`, "903": "status"} {
		if rec := records[id]; !strings.Contains(rec.Problem, says) || rec.Digest == "" || len(rec.Raw) == 0 {
			t.Errorf("order %s: problem %q, want %q", id, rec.Problem, says)
		}
	}
	unnamed := 0
	for id, rec := range records {
		if strings.HasPrefix(id, "unknown-") && rec.Problem != "" {
			unnamed++
		}
	}
	if unnamed != 1 {
		t.Errorf("%d records without an id, want 1", unnamed)
	}
	if rec := records["441"]; rec.Problem != "" || rec.Gone() {
		t.Errorf("an order beside them: %+v", rec)
	}
}

// A link, a signed address or the date of the last change say nothing about an
// order: its digest stays.
func TestVolatileFieldsLeaveTheDigest(t *testing.T) {
	c := newTestConnector(t)
	raw, err := os.ReadFile("testdata/order-plain.json")
	if err != nil {
		t.Fatal(err)
	}
	digest := func(change func(map[string]any)) string {
		var fields map[string]any
		if err := json.Unmarshal(raw, &fields); err != nil {
			t.Fatal(err)
		}
		change(fields)
		b, _ := json.Marshal(fields)
		o, _ := parseOrder(b)
		return c.sealOrder(o, nil, b).Digest
	}
	same := digest(func(map[string]any) {})
	if got := digest(func(f map[string]any) {
		f["date_modified_gmt"], f["date_modified"], f["payment_url"], f["_links"], f["order_key"] = "2027-01-01T00:00:00", "x", "x", nil, "x"
	}); got != same {
		t.Error("volatile fields change the digest")
	}
	if got := digest(func(f map[string]any) { f["total"] = "21.61" }); got == same {
		t.Error("another total leaves the digest")
	}
}
