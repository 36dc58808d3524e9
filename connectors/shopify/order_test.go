package shopify

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// plainOrder is two cups at 12.00 and shipping at 5.00, with 20 % of tax on
// top, paid by card and not shipped.
const plainOrder = `{
	"id": "gid://shopify/Order/1001", "name": "#1", "createdAt": "2026-11-01T09:00:00Z", "processedAt": "2026-11-01T09:00:00Z",
	"updatedAt": "2026-11-02T10:00:00Z", "taxesIncluded": false, "currencyCode": "EUR", "presentmentCurrencyCode": "EUR",
	"displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED", "sourceName": "web", "paymentGatewayNames": ["shopify_payments"],
	"email": "ada@example.com", "customer": {"id": "gid://shopify/Customer/7"},
	"billingAddress": {"firstName": "Ada", "lastName": "Byron", "city": "Lyon", "zip": "69001", "countryCodeV2": "FR"},
	"shippingAddress": {"firstName": "Ada", "lastName": "Byron", "city": "Lyon", "zip": "69001", "countryCodeV2": "FR"},
	"totalPriceSet": {"shopMoney": {"amount": "34.80", "currencyCode": "EUR"}, "presentmentMoney": {"amount": "34.80"}},
	"totalTaxSet": {"shopMoney": {"amount": "5.80"}}, "totalTipReceivedSet": {"shopMoney": {"amount": "0.0"}},
	"totalShippingPriceSet": {"shopMoney": {"amount": "5.00"}}, "totalCashRoundingAdjustment": {"paymentSet": {"shopMoney": {"amount": "0.0"}}},
	"lineItems": {"nodes": [{
		"id": "gid://shopify/LineItem/11", "name": "Cup - blue", "sku": "CUP-B", "quantity": 2, "currentQuantity": 2, "requiresShipping": true,
		"variant": {"id": "gid://shopify/ProductVariant/31"}, "product": {"id": "gid://shopify/Product/21"},
		"originalTotalSet": {"shopMoney": {"amount": "24.00"}}, "discountAllocations": [],
		"taxLines": [{"title": "TVA", "rate": 0.2, "ratePercentage": 20.0, "channelLiable": false, "priceSet": {"shopMoney": {"amount": "4.80"}}}]
	}]},
	"shippingLine": {"id": "gid://shopify/ShippingLine/41", "title": "Colissimo", "code": "colissimo",
		"originalPriceSet": {"shopMoney": {"amount": "5.00"}}, "discountedPriceSet": {"shopMoney": {"amount": "5.00"}},
		"taxLines": [{"title": "TVA", "rate": 0.2, "ratePercentage": 20.0, "priceSet": {"shopMoney": {"amount": "1.00"}}}]},
	"transactions": [{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "shopify_payments",
		"formattedGateway": "Shopify Payments", "paymentId": "c1.1", "createdAt": "2026-11-01T09:00:01Z", "processedAt": "2026-11-01T09:00:02Z",
		"amountSet": {"shopMoney": {"amount": "34.80"}},
		"fees": [{"amount": {"amount": "0.82", "currencyCode": "EUR"}, "taxAmount": {"amount": "0.00"}}]}],
	"fulfillments": [], "refunds": []
}`

// euros writes an amount as the shop does.
func euros(amount string) string { return `{"shopMoney": {"amount": "` + amount + `"}}` }

// vat writes a tax line of 20 %.
func vat(amount string) string {
	return `{"title": "TVA", "rate": 0.2, "ratePercentage": 20.0, "priceSet": ` + euros(amount) + `}`
}

// changed returns a payload with other fields: objects are merged, all else is
// put in the place of what was there.
func changed(t testing.TB, payload string, patches ...string) json.RawMessage {
	t.Helper()
	into := map[string]any{}
	if err := json.Unmarshal([]byte(payload), &into); err != nil {
		t.Fatal(err)
	}
	for _, patch := range patches {
		var fields map[string]any
		if err := json.Unmarshal([]byte("{"+patch+"}"), &fields); err != nil {
			t.Fatalf("%v in %s", err, patch)
		}
		merge(into, fields)
	}
	raw, err := json.Marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func merge(into, fields map[string]any) {
	for key, value := range fields {
		was, object := into[key].(map[string]any)
		is, both := value.(map[string]any)
		if object && both {
			merge(was, is)
			continue
		}
		maps.Copy(into, map[string]any{key: value})
	}
}

var frenchRules = orderRules{country: "FR", shipUnpaid: []string{"Cash on Delivery (COD)", "cod"}}

// orderSaid reads an order that is readable.
func orderSaid(t testing.TB, raw json.RawMessage) *intake.Order {
	t.Helper()
	rec := holdOrder(raw).state(frenchRules)
	if rec.Problem != "" {
		t.Fatalf("the order cannot be read: %s", rec.Problem)
	}
	return rec.Body.(*intake.Order)
}

// adds checks that an order adds up to the cent, as the books do: the lines
// with the taxes that they bear make up the total, and each refund is about
// lines that are there.
func adds(t testing.TB, o *intake.Order) {
	t.Helper()
	var lines, taxes, discounts decimal.Decimal
	ids := map[string]bool{}
	for _, l := range o.Lines {
		if l.ID == "" || ids[l.ID] {
			t.Errorf("the id %q of a line is empty or stands twice", l.ID)
		}
		ids[l.ID] = true
		lines, discounts = lines.Add(l.Total), discounts.Add(l.Subtotal).Sub(l.Total)
		for _, tax := range l.Taxes {
			taxes = taxes.Add(tax.Amount)
		}
	}
	if !lines.Add(taxes).Equal(o.Total) {
		t.Errorf("the lines are %s and their taxes %s, together not the total of %s", lines, taxes, o.Total)
	}
	if !taxes.Equal(o.TotalTax) {
		t.Errorf("the taxes of the lines are %s, the order's %s", taxes, o.TotalTax)
	}
	if !discounts.Equal(o.DiscountTotal) {
		t.Errorf("the discounts of the lines are %s, the order's %s", discounts, o.DiscountTotal)
	}
	for _, r := range o.Refunds {
		if r.Paid == nil || r.Amount.IsNegative() {
			t.Errorf("refund %s has the amount %s and pays %v", r.ID, r.Amount, r.Paid)
		}
		for _, l := range r.Lines {
			if !ids[l.LineID] {
				t.Errorf("refund %s names line %q, which is not there", r.ID, l.LineID)
			}
		}
	}
}

// account is what the customer still owes, as the books would have it; below
// zero, what the customer has to come.
func account(o *intake.Order) decimal.Decimal {
	owes := o.Total
	for _, p := range o.Payments {
		if p.Kind == intake.MoneySale || p.Kind == intake.MoneyCapture {
			owes = owes.Sub(p.Amount)
		}
	}
	for _, g := range o.GiftCards {
		owes = owes.Sub(g.Amount)
	}
	for _, r := range o.Refunds {
		owes = owes.Sub(r.Amount).Add(*r.Paid)
	}
	return owes
}

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// equal compares amounts by their value.
func equal(t testing.TB, what string, got decimal.Decimal, want string) {
	t.Helper()
	if !got.Equal(dec(want)) {
		t.Errorf("%s is %s, want %s", what, got, want)
	}
}

// line finds a line of an order.
func lineOf(t testing.TB, o *intake.Order, id string) intake.Line {
	t.Helper()
	for _, l := range o.Lines {
		if l.ID == id {
			return l
		}
	}
	t.Fatalf("there is no line %s in %+v", id, o.Lines)
	return intake.Line{}
}

func TestOrderSaysWhoBoughtWhatForHowMuch(t *testing.T) {
	rec := holdOrder(json.RawMessage(plainOrder)).state(frenchRules)
	if want := (intake.Ref{Kind: intake.KindOrder, ID: "1001"}); rec.Ref != want {
		t.Errorf("the record is %v, want %v", rec.Ref, want)
	}
	if want := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC); !rec.Modified.Equal(want) {
		t.Errorf("it was changed at %s, want %s", rec.Modified, want)
	}
	o := orderSaid(t, json.RawMessage(plainOrder))
	adds(t, o)
	if o.Number != "#1" || o.RawStatus != "paid/unfulfilled" || o.State != intake.StateOpen || o.Currency != "EUR" || o.CreatedVia != "web" || !o.MoneyStated {
		t.Errorf("the order is %+v", o)
	}
	if o.CustomerID != "7" || o.Customer.Email != "ada@example.com" || o.Customer.LastName != "Byron" || o.Customer.Shipping.Postcode != "69001" {
		t.Errorf("the customer is %s, %+v", o.CustomerID, o.Customer)
	}
	equal(t, "the total", o.Total, "34.80")
	equal(t, "the tax", o.TotalTax, "5.80")
	cup := lineOf(t, o, "11")
	if cup.Kind != intake.LineItem || cup.VariantID != "31" || cup.ProductID != "21" || cup.SKU != "CUP-B" || cup.Title != "Cup - blue" {
		t.Errorf("the line is %+v", cup)
	}
	equal(t, "its quantity", cup.Quantity, "2")
	equal(t, "its total", cup.Total, "24.00")
	if len(cup.Taxes) != 1 || cup.Taxes[0].RateID != "FR/TVA/20" || cup.Taxes[0].Country != "FR" || cup.Taxes[0].Remitted {
		t.Errorf("its taxes are %+v", cup.Taxes)
	}
	if s := lineOf(t, o, "s41"); s.Kind != intake.LineShipping || s.Code != "colissimo" {
		t.Errorf("the shipping is %+v", s)
	}
	if len(o.Payments) != 1 || o.Payments[0].ID != "51" || o.Payments[0].Kind != intake.MoneySale || o.Payments[0].Gateway != "shopify_payments" || o.Payments[0].Reference != "c1.1" {
		t.Errorf("the payments are %+v", o.Payments)
	}
	equal(t, "the fee", o.Payments[0].Fee, "0.82")
	if want := time.Date(2026, 11, 1, 9, 0, 2, 0, time.UTC); !o.PaidAt.Equal(want) || o.Payment.Method != "shopify_payments" {
		t.Errorf("it was paid at %s by %s", o.PaidAt, o.Payment.Method)
	}
	equal(t, "what the customer owes", account(o), "0")
}

// Every field of a person is protected data, and absent where the app has no
// right to it.
func TestOrderStandsWithoutItsPerson(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"email": null, "phone": null, "customer": null, "billingAddress": null, "shippingAddress": null, "paymentTerms": null`,
		`"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "variant": null, "product": null,
			"originalTotalSet": `+euros("24.00")+`, "taxLines": [`+vat("4.80")+`]}]}`))
	adds(t, o)
	if o.CustomerID != "" || o.Customer != (intake.Customer{}) || o.Lines[0].VariantID != "" {
		t.Errorf("the customer is %q, %+v", o.CustomerID, o.Customer)
	}
	if id := o.Lines[0].Taxes[0].RateID; id != "FR/TVA/20" {
		t.Errorf("the rate is %s, want that of the shop's own country", id)
	}
}

func TestTaxIsDueWhereTheGoodsGo(t *testing.T) {
	for _, tt := range []struct{ name, patch, want string }{
		{"to where they are shipped", `"shippingAddress": {"countryCodeV2": "BE"}`, "BE/TVA/20"},
		{"to where the bill goes, without shipping", `"shippingAddress": null, "billingAddress": {"countryCodeV2": "de"}`, "DE/TVA/20"},
	} {
		if o := orderSaid(t, changed(t, plainOrder, tt.patch)); o.Lines[0].Taxes[0].RateID != tt.want {
			t.Errorf("%s: the rate is %s, want %s", tt.name, o.Lines[0].Taxes[0].RateID, tt.want)
		}
	}
}

func TestRatesKeepFourDecimals(t *testing.T) {
	for text, want := range map[string]string{`"rate": 0.055, "ratePercentage": 5.5`: "FR/T/5.5", `"rate": 0.08875, "ratePercentage": null`: "FR/T/8.875",
		`"rate": 0.07, "ratePercentage": 7.000000000000001`: "FR/T/7", `"rate": 0.0, "ratePercentage": 0.0`: "FR/T/0", `"rate": null`: "FR/T/0"} {
		o := orderSaid(t, changed(t, plainOrder, `"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "quantity": 1, "originalTotalSet": `+euros("1.00")+`,
			"taxLines": [{"title": "T", "priceSet": `+euros("0.05")+`, `+text+`}]}]}`))
		if got := o.Lines[0].Taxes[0].RateID; got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestTheSameRateTwiceOnALineIsAddedUp(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "quantity": 2, "originalTotalSet": `+euros("24.00")+`,
		"taxLines": [`+vat("2.40")+`, `+vat("2.40")+`]}]}`))
	adds(t, o)
	if len(o.Lines[0].Taxes) != 1 {
		t.Errorf("the taxes are %+v", o.Lines[0].Taxes)
	}
}

func TestTaxThatTheChannelPaysIsRemitted(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "quantity": 2, "originalTotalSet": `+euros("24.00")+`,
		"taxLines": [{"title": "TVA", "ratePercentage": 20, "channelLiable": true, "priceSet": `+euros("4.80")+`}]}]}`))
	adds(t, o)
	if !o.Lines[0].Taxes[0].Remitted || o.Lines[1].Taxes[0].Remitted {
		t.Errorf("the taxes are %+v and %+v", o.Lines[0].Taxes, o.Lines[1].Taxes)
	}
}

func TestLinesAreNetWherePricesIncludeTax(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"taxesIncluded": true, "totalPriceSet": `+euros("24.00")+`, "totalTaxSet": `+euros("4.00")+`, "shippingLine": null`,
		`"totalShippingPriceSet": `+euros("0.00"),
		`"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": `+euros("30.00")+`,
			"discountAllocations": [{"allocatedAmountSet": `+euros("4.00")+`}, {"allocatedAmountSet": `+euros("2.00")+`}], "taxLines": [`+vat("4.00")+`]}]}`))
	adds(t, o)
	equal(t, "the line", o.Lines[0].Total, "20.00")
	equal(t, "the line before discounts", o.Lines[0].Subtotal, "25.00")
	equal(t, "the discount", o.DiscountTotal, "5.00")
}

// The price before a discount of 100 % bears no tax that it could be told by.
func TestWhatIsGivenAwayIsNetByItsRate(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"taxesIncluded": true, "totalPriceSet": `+euros("6.00")+`, "totalTaxSet": `+euros("1.00"),
		`"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": `+euros("24.00")+`,
			"discountAllocations": [{"allocatedAmountSet": `+euros("24.00")+`}], "taxLines": [`+vat("0.00")+`]}]}`,
		`"shippingLine": {"originalPriceSet": `+euros("6.00")+`, "discountedPriceSet": `+euros("6.00")+`, "taxLines": [`+vat("1.00")+`]}`))
	adds(t, o)
	equal(t, "the line", o.Lines[0].Total, "0")
	equal(t, "the line before discounts", o.Lines[0].Subtotal, "20")
}

func TestDiscountsAreThoseOfTheAllocations(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("26.40")+`, "totalTaxSet": `+euros("4.40")+`, "discountCodes": ["WELCOME", "vip"]`,
		`"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "quantity": 2, "originalTotalSet": `+euros("24.00")+`,
			"discountAllocations": [{"allocatedAmountSet": `+euros("2.40")+`}, {"allocatedAmountSet": `+euros("1.60")+`}], "taxLines": [`+vat("4.00")+`]}]}`,
		`"shippingLine": {"discountedPriceSet": `+euros("2.00")+`, "taxLines": [`+vat("0.40")+`]}`))
	adds(t, o)
	equal(t, "the line", o.Lines[0].Total, "20.00")
	equal(t, "the line before discounts", o.Lines[0].Subtotal, "24.00")
	equal(t, "the shipping", o.Lines[1].Total, "2.00")
	equal(t, "all discounts", o.DiscountTotal, "7.00")
	if strings.Join(o.Coupons, " ") != "WELCOME vip" {
		t.Errorf("the coupons are %q", o.Coupons)
	}
}

func TestStateFollowsMoneyAndGoods(t *testing.T) {
	for _, tt := range []struct {
		financial, fulfilled, patch string
		want                        intake.OrderState
		raw                         string
		trashed                     bool
	}{
		{"PAID", "UNFULFILLED", ``, intake.StateOpen, "paid/unfulfilled", false},
		{"AUTHORIZED", "UNFULFILLED", ``, intake.StateOpen, "authorized/unfulfilled", false},
		{"PARTIALLY_REFUNDED", "PARTIALLY_FULFILLED", ``, intake.StateOpen, "partially_refunded/partially_fulfilled", false},
		{"PAID", "FULFILLED", ``, intake.StateCompleted, "paid/fulfilled", false},
		{"PAID", "FULFILLMENT_NOT_REQUIRED", ``, intake.StateCompleted, "paid/fulfillment_not_required", false},
		{"REFUNDED", "FULFILLED", ``, intake.StateRefunded, "refunded/fulfilled", false},
		{"PAID", "ON_HOLD", ``, intake.StateHold, "paid/on_hold", false},
		{"PAID", "SCHEDULED", ``, intake.StateHold, "paid/scheduled", false},
		{"PAID", "REQUEST_DECLINED", ``, intake.StateHold, "paid/request_declined", false},
		{"PAID", "BEAMED_UP", ``, intake.StateHold, "paid/beamed_up", false},
		{"PAID_IN_SHELLS", "UNFULFILLED", ``, intake.StateHold, "paid_in_shells/unfulfilled", false},
		{"", "UNFULFILLED", ``, intake.StateHold, "/unfulfilled", false},
		{"PENDING", "UNFULFILLED", ``, intake.StateHold, "pending/unfulfilled", false},
		{"PARTIALLY_PAID", "UNFULFILLED", ``, intake.StateHold, "partially_paid/unfulfilled", false},
		{"VOIDED", "UNFULFILLED", ``, intake.StateHold, "voided/unfulfilled", false},
		{"EXPIRED", "UNFULFILLED", ``, intake.StateHold, "expired/unfulfilled", false},
		{"PENDING", "UNFULFILLED", `"paymentTerms": {"paymentTermsName": "Net 30"}`, intake.StateOpen, "pending/unfulfilled", false},
		{"PENDING", "UNFULFILLED", `"paymentGatewayNames": ["Cash on Delivery (COD)"]`, intake.StateOpen, "pending/unfulfilled", false},
		{"PENDING", "UNFULFILLED", `"paymentGatewayNames": [], "transactions": [{"id": "gid://shopify/OrderTransaction/5", "kind": "SALE", "status": "PENDING", "gateway": "COD", "amountSet": ` + euros("34.80") + `}]`,
			intake.StateOpen, "pending/unfulfilled", false},
		{"PAID", "UNFULFILLED", `"cancelledAt": "2026-11-03T00:00:00Z"`, intake.StateCancelled, "cancelled/paid/unfulfilled", false},
		{"REFUNDED", "UNFULFILLED", `"cancelledAt": "2026-11-03T00:00:00Z", "closedAt": "2026-11-03T00:00:00Z"`, intake.StateCancelled, "cancelled/refunded/unfulfilled", false},
		{"PAID", "UNFULFILLED", `"closedAt": "2026-11-03T00:00:00Z"`, intake.StateOpen, "paid/unfulfilled", true},
		{"PAID", "FULFILLED", `"closedAt": "2026-11-03T00:00:00Z"`, intake.StateCompleted, "paid/fulfilled", false},
	} {
		raw := changed(t, plainOrder, `"displayFinancialStatus": "`+tt.financial+`", "displayFulfillmentStatus": "`+tt.fulfilled+`"`, tt.patch)
		if o := orderSaid(t, raw); o.State != tt.want || o.RawStatus != tt.raw || o.Trashed != tt.trashed {
			t.Errorf("%s/%s %s is %s (%s), trashed %v; want %s (%s), trashed %v", tt.financial, tt.fulfilled, tt.patch, o.State, o.RawStatus, o.Trashed, tt.want, tt.raw, tt.trashed)
		}
	}
}

func TestTestOrdersSaySo(t *testing.T) {
	if o := orderSaid(t, changed(t, plainOrder, `"test": true`)); !o.Test {
		t.Error("a test order passes for a real one")
	}
}

func TestWhatTheCustomerSawIsKeptBeside(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"presentmentCurrencyCode": "USD", "totalPriceSet": {"presentmentMoney": {"amount": "40.02"}}, "totalTaxSet": {"presentmentMoney": {"amount": "6.67"}}`))
	adds(t, o)
	if o.Currency != "EUR" || o.Presented == nil || o.Presented.Currency != "USD" {
		t.Fatalf("the order is in %s, shown %+v", o.Currency, o.Presented)
	}
	equal(t, "the total shown", o.Presented.Total, "40.02")
	equal(t, "the tax shown", o.Presented.TotalTax, "6.67")
}

func TestOneBadFieldIsSaidOfTheOrderItIsIn(t *testing.T) {
	for name, patch := range map[string]string{
		"an amount that is no number":  `"totalPriceSet": ` + euros("a lot"),
		"a date that is none":          `"processedAt": "yesterday"`,
		"a total in another currency":  `"totalPriceSet": {"shopMoney": {"currencyCode": "USD"}}`,
		"a list where an object is":    `"lineItems": []`,
		"a fulfilment of another line": `"fulfillments": [{"id": "gid://shopify/Fulfillment/81", "status": "SUCCESS", "totalQuantity": 1, "fulfillmentLineItems": {"nodes": [{"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/99"}}]}}]`,
		"a refund of another line":     `"refunds": [{"id": "gid://shopify/Refund/91", "refundLineItems": {"nodes": [{"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/99"}, "subtotalSet": ` + euros("1") + `}]}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			rec := holdOrder(changed(t, plainOrder, patch)).state(frenchRules)
			if rec.Problem == "" || rec.Body != nil || rec.Ref.ID != "1001" || rec.Digest == "" || len(rec.Raw) == 0 {
				t.Errorf("the record is %+v", rec)
			}
		})
	}
}
