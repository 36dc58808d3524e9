package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"comptoir/erp/intake"
)

// shippedOrder is plainOrder after its goods have left.
const shippedFields = `"displayFulfillmentStatus": "FULFILLED", "fulfillments": [{"id": "gid://shopify/Fulfillment/81", "status": "SUCCESS", "totalQuantity": 2, "createdAt": "2026-11-03T08:00:00Z",
	"fulfillmentLineItems": {"nodes": [{"quantity": 2, "lineItem": {"id": "gid://shopify/LineItem/11"}}]}}]`

// refunded writes the refunds of an order.
func refunded(refunds ...string) string { return `"refunds": [` + strings.Join(refunds, ",") + `]` }

// refundOf writes refund 91 with the fields given.
func refundOf(fields ...string) string {
	return `{"id": "gid://shopify/Refund/91", "createdAt": "2026-11-05T08:00:00Z", "processedAt": "2026-11-05T09:00:00Z", "note": "too blue"` + prefixed(fields) + `}`
}

func prefixed(fields []string) string {
	var all strings.Builder
	for _, f := range fields {
		all.WriteString(", " + f)
	}
	return all.String()
}

func cupsBack(n int, kind string, subtotal, tax string) string {
	return fmt.Sprintf(`"refundLineItems": {"nodes": [{"quantity": %d, "restockType": %q, "restocked": %v, "lineItem": {"id": "gid://shopify/LineItem/11"}, "subtotalSet": %s, "totalTaxSet": %s}]}`,
		n, kind, kind != "NO_RESTOCK", euros(subtotal), euros(tax))
}

func shippingBack(net, tax string) string {
	return `"refundShippingLines": {"nodes": [{"shippingLine": {"id": "gid://shopify/ShippingLine/41"}, "subtotalAmountSet": ` + euros(net) + `, "taxAmountSet": ` + euros(tax) + `}]}`
}

func adjustedBy(reason, amount, tax string) string {
	return `"orderAdjustments": {"nodes": [{"reason": "` + reason + `", "amountSet": ` + euros(amount) + `, "taxAmountSet": ` + euros(tax) + `}]}`
}

// moneyBack writes the transactions of a refund, as status, gateway, amount.
func moneyBack(transactions ...[3]string) string {
	var all []string
	for i, tx := range transactions {
		all = append(all, fmt.Sprintf(`{"id": "gid://shopify/OrderTransaction/%d", "kind": "REFUND", "status": %q, "gateway": %q, "amountSet": %s}`, 60+i, tx[0], tx[1], euros(tx[2])))
	}
	return `"transactions": {"nodes": [` + strings.Join(all, ",") + `]}`
}

func card(amount string) [3]string { return [3]string{"SUCCESS", "shopify_payments", amount} }

func TestRefundIsWorthWhatTheSaleLosesAndPaysWhatMoved(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		refund                 string
		amount, paid, customer string // what the customer owes in the end
		lines                  string // id quantity net tax restock
	}{
		{"a line", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), moneyBack(card("14.40"))), "14.40", "14.40", "0", "11 1 12 2.4 yes"},
		{"a line that is not put back", refundOf(cupsBack(1, "NO_RESTOCK", "12.00", "2.40"), moneyBack(card("14.40"))), "14.40", "14.40", "0", "11 1 12 2.4 no"},
		{"a line that never left", refundOf(cupsBack(1, "CANCEL", "12.00", "2.40"), moneyBack(card("14.40"))), "14.40", "14.40", "0", "11 1 12 2.4 unshipped"},
		{"as old refunds were", refundOf(cupsBack(1, "LEGACY_RESTOCK", "12.00", "2.40"), moneyBack(card("14.40"))), "14.40", "14.40", "0", "11 1 12 2.4 yes"},
		{"all of it", refundOf(cupsBack(2, "RETURN", "24.00", "4.80"), shippingBack("5.00", "1.00"), moneyBack(card("34.80"))), "34.80", "34.80", "0", "11 2 24 4.8 yes, s41 0 5 1 "},
		{"part of the shipping", refundOf(shippingBack("2.50", "0.50"), moneyBack(card("3.00"))), "3.00", "3.00", "0", "s41 0 2.5 0.5 "},
		{"more than was worked out", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), adjustedBy("REFUND_DISCREPANCY", "-5.00", "0"), moneyBack(card("19.40"))), "19.40", "19.40", "0", "11 1 12 2.4 yes"},
		{"less than was worked out", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), adjustedBy("RESTOCK", "4.40", "0"), moneyBack(card("10.00"))), "10.00", "10.00", "0", "11 1 12 2.4 yes"},
		{"an adjustment whose sign is turned round", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), adjustedBy("CUSTOMER", "5.00", "0"), moneyBack(card("19.40"))), "19.40", "19.40", "0", "11 1 12 2.4 yes"},
		{"shipping that stands in an adjustment, too", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), shippingBack("5.00", "1.00"), adjustedBy("", "-5.00", "-1.00"), moneyBack(card("20.40"))), "20.40", "20.40", "0", "11 1 12 2.4 yes, s41 0 5 1 "},
		{"an amount that failed to go back", refundOf(adjustedBy("REFUND_DISCREPANCY", "-7.00", "0"), moneyBack([3]string{"FAILURE", "shopify_payments", "7.00"})), "0", "0", "0", ""},
		{"an amount and nothing else", refundOf(adjustedBy("REFUND_DISCREPANCY", "-7.00", "0"), moneyBack(card("7.00"))), "7.00", "7.00", "0", ""},
		{"an amount with tax in it", refundOf(adjustedBy("REFUND_DISCREPANCY", "-5.00", "-1.00"), moneyBack(card("6.00"))), "6.00", "6.00", "0", "11 0 5 1 "},
		{"money that is explained by nothing", refundOf(moneyBack(card("7.00"))), "7.00", "7.00", "0", ""},
		{"goods back and no money", refundOf(cupsBack(1, "RETURN", "12.00", "2.40")), "14.40", "0", "-14.40", "11 1 12 2.4 yes"},
		{"goods back, for which nothing is due", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), adjustedBy("REFUND_DISCREPANCY", "14.40", "0")), "0", "0", "0", "11 1 12 2.4 yes"},
		{"money that is still to come", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), moneyBack([3]string{"PENDING", "shopify_payments", "14.40"})), "14.40", "0", "-14.40", "11 1 12 2.4 yes"},
		{"money that is still to come, and adjusted for it", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), adjustedBy("PENDING_REFUND_DISCREPANCY", "14.40", "0")), "14.40", "0", "-14.40", "11 1 12 2.4 yes"},
		{"money that failed to go back", refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), moneyBack([3]string{"FAILURE", "shopify_payments", "14.40"})), "14.40", "0", "-14.40", "11 1 12 2.4 yes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := orderSaid(t, changed(t, plainOrder, shippedFields, refunded(tt.refund)))
			adds(t, o)
			if len(o.Refunds) != 1 || o.Refunds[0].ID != "91" || o.Refunds[0].Reason != "too blue" || o.Refunds[0].At.Hour() != 9 {
				t.Fatalf("the refunds are %+v", o.Refunds)
			}
			r := o.Refunds[0]
			equal(t, "its amount", r.Amount, tt.amount)
			equal(t, "what it paid", *r.Paid, tt.paid)
			equal(t, "what the customer owes", account(o), tt.customer)
			if got := refundLinesOf(r); got != tt.lines {
				t.Errorf("its lines are %q, want %q", got, tt.lines)
			}
		})
	}
}

// refundLinesOf writes the lines of a refund as id, quantity, net, tax and what
// became of the goods.
func refundLinesOf(r intake.Refund) string {
	var all []string
	for _, l := range r.Lines {
		tax := dec("0")
		for _, t := range l.Taxes {
			tax = tax.Add(t.Amount)
		}
		all = append(all, fmt.Sprintf("%s %s %s %s %s", l.LineID, l.Quantity, l.Total, tax, l.Restock))
	}
	return strings.Join(all, ", ")
}

func TestRefundThroughSeveralGatewaysIsStatedForEach(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, refunded(refundOf(cupsBack(2, "RETURN", "24.00", "4.80"), moneyBack(card("18.80"), [3]string{"SUCCESS", "gift_card", "10.00"})))))
	adds(t, o)
	if len(o.Refunds) != 2 || o.Refunds[0].Gateway != "shopify_payments" || o.Refunds[1].Gateway != "gift_card" || o.Refunds[1].ID == o.Refunds[0].ID {
		t.Fatalf("the refunds are %+v", o.Refunds)
	}
	equal(t, "the worth of the first", o.Refunds[0].Amount, "28.80")
	equal(t, "the worth of the second", o.Refunds[1].Amount, "0")
	equal(t, "what the card got", *o.Refunds[0].Paid, "18.80")
	equal(t, "what the gift card got", *o.Refunds[1].Paid, "10.00")
	equal(t, "what the customer owes", account(o), "0")
}

func TestMoneyThatNoRefundTellsOfIsNotLost(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"transactions": [
		{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "card", "processedAt": "2026-11-01T09:00:02Z", "amountSet": `+euros("34.80")+`},
		{"id": "gid://shopify/OrderTransaction/52", "kind": "REFUND", "status": "SUCCESS", "gateway": "card", "processedAt": "2026-11-05T09:00:02Z", "amountSet": `+euros("4.80")+`},
		{"id": "gid://shopify/OrderTransaction/60", "kind": "REFUND", "status": "SUCCESS", "gateway": "card", "processedAt": "2026-11-05T09:00:02Z", "amountSet": `+euros("10.00")+`}]`,
		refunded(refundOf(adjustedBy("REFUND_DISCREPANCY", "-10.00", "0"), moneyBack(card("10.00"))))))
	if len(o.Refunds) != 2 || o.Refunds[1].ID != "t52" {
		t.Fatalf("the refunds are %+v", o.Refunds)
	}
	equal(t, "what it paid", *o.Refunds[1].Paid, "4.80")
	equal(t, "what the customer owes", account(o), "0")
}

func TestCashRefundIsRoundedByTheLine(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, refunded(refundOf(cupsBack(1, "RETURN", "12.00", "2.42"), `"transactions": {"nodes": [{"id": "gid://shopify/OrderTransaction/60",
		"kind": "REFUND", "status": "SUCCESS", "gateway": "cash", "amountSet": `+euros("14.42")+`, "amountRoundingSet": `+euros("-0.02")+`}]}`))))
	adds(t, o)
	equal(t, "its amount", o.Refunds[0].Amount, "14.40")
	equal(t, "what it paid", *o.Refunds[0].Paid, "14.40")
	equal(t, "the order", o.Total, "34.80")
}

// Shops whose prices include tax may state the price of a refunded line with
// it or without.
func TestRefundIsNetWherePricesIncludeTax(t *testing.T) {
	for _, tt := range []struct{ name, line, shipping string }{
		{"stated with tax", cupsBack(1, "RETURN", "12.00", "2.00"), shippingBack("3.00", "0.50")},
		{"stated without", cupsBack(1, "RETURN", "10.00", "2.00"), shippingBack("2.50", "0.50")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := orderSaid(t, changed(t, plainOrder, `"taxesIncluded": true, "totalPriceSet": `+euros("30.00")+`, "totalTaxSet": `+euros("5.00"),
				`"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": `+euros("24.00")+`, "taxLines": [`+vat("4.00")+`]}]}`,
				`"shippingLine": {"originalPriceSet": `+euros("6.00")+`, "discountedPriceSet": `+euros("6.00")+`, "taxLines": [`+vat("1.00")+`]}`,
				refunded(refundOf(tt.line, tt.shipping, moneyBack(card("15.00"))))))
			adds(t, o)
			equal(t, "its amount", o.Refunds[0].Amount, "15.00")
			if got := refundLinesOf(o.Refunds[0]); got != "11 1 10 2 yes, s41 0 2.5 0.5 " {
				t.Errorf("its lines are %q", got)
			}
		})
	}
}

func TestRefundedTaxIsToldByRate(t *testing.T) {
	two := func(state, city string) string {
		return `[{"title": "State", "ratePercentage": 6, "priceSet": ` + euros(state) + `}, {"title": "City", "ratePercentage": 2, "priceSet": ` + euros(city) + `}]`
	}
	line := func(taxes string) string {
		return `"totalPriceSet": ` + euros("31.92") + `, "totalTaxSet": ` + euros("2.92") + `, "lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 3, "currentQuantity": 2,
			"originalTotalSet": ` + euros("24.00") + `, "taxLines": ` + taxes + `}]}`
	}
	agreement := func(state, city string) string {
		return `"agreements": {"nodes": [{"__typename": "RefundAgreement", "refund": {"id": "gid://shopify/Refund/91"}, "sales": {"nodes": [{"__typename": "ProductSale", "actionType": "RETURN", "quantity": -1,
			"lineItem": {"id": "gid://shopify/LineItem/11"}, "totalAmount": ` + euros("-8.64") + `, "totalTaxAmount": ` + euros("-0.64") + `,
			"taxes": [{"amount": ` + euros(state) + `, "taxLine": {"title": "State", "ratePercentage": 6}}, {"amount": ` + euros(city) + `, "taxLine": {"title": "City", "ratePercentage": 2}}]}]}}]}`
	}
	for _, tt := range []struct{ name, taxes, back, agreements, want string }{
		{"all of it, as it was borne", two("1.44", "0.48"), cupsBack(3, "RETURN", "24.00", "1.92"), ``, "State 1.44, City 0.48"},
		{"part of it, as agreed", two("1.44", "0.48"), cupsBack(1, "RETURN", "8.00", "0.64"), agreement("-0.47", "-0.17"), "State 0.47, City 0.17"},
		{"part of it, without an agreement", two("1.44", "0.48"), cupsBack(1, "RETURN", "8.00", "0.64"), ``, "State 0.48, City 0.16"},
		{"part of it, where the agreement says something else", two("1.44", "0.48"), cupsBack(1, "RETURN", "8.00", "0.64"), agreement("-0.40", "-0.17"), "State 0.48, City 0.16"},
		{"where only one rate was charged", two("1.92", "0.00"), cupsBack(1, "RETURN", "8.00", "0.64"), ``, "State 0.64, City 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := orderSaid(t, changed(t, plainOrder, line(tt.taxes), refunded(refundOf(tt.back)), tt.agreements))
			adds(t, o)
			var got []string
			for _, tax := range o.Refunds[0].Lines[0].Taxes {
				got = append(got, tax.Name+" "+tax.Amount.String())
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("the taxes are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDutiesGoBackWithTheirTaxOrWithout(t *testing.T) {
	duty := `"totalPriceSet": ` + euros("40.80") + `, "originalTotalDutiesSet": ` + euros("5.00") + `,
		"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": ` + euros("24.00") + `, "taxLines": [` + vat("4.80") + `],
			"duties": [{"id": "gid://shopify/Duty/71", "price": ` + euros("5.00") + `, "taxLines": [` + vat("1.00") + `]}]}]}`
	for amount, want := range map[string]string{"6.00": "d71 0 5 1 ", "5.00": "d71 0 5 0 "} {
		o := orderSaid(t, changed(t, plainOrder, duty, refunded(refundOf(`"duties": [{"originalDuty": {"id": "gid://shopify/Duty/71"}, "amountSet": `+euros(amount)+`}]`, moneyBack(card(amount))))))
		adds(t, o)
		equal(t, "its amount", o.Refunds[0].Amount, amount)
		if got := refundLinesOf(o.Refunds[0]); got != want {
			t.Errorf("a duty of %s is taken back as %q, want %q", amount, got, want)
		}
	}
}

// editedOrder had three cups; one was taken off, and a plate came on.
const editedFields = `"edited": true, "totalPriceSet": {"shopMoney": {"amount": "46.80"}}, "totalTaxSet": {"shopMoney": {"amount": "7.80"}},
	"shippingLines": {"nodes": [{"id": "gid://shopify/ShippingLine/41", "title": "Colissimo", "originalPriceSet": {"shopMoney": {"amount": "5.00"}}, "discountedPriceSet": {"shopMoney": {"amount": "5.00"}},
		"taxLines": [{"title": "TVA", "ratePercentage": 20, "priceSet": {"shopMoney": {"amount": "1.00"}}}]},
		{"id": "gid://shopify/ShippingLine/42", "title": "Pigeon", "isRemoved": true, "originalPriceSet": {"shopMoney": {"amount": "9.00"}}, "discountedPriceSet": {"shopMoney": {"amount": "9.00"}}}]},
	"lineItems": {"nodes": [
		{"id": "gid://shopify/LineItem/13", "name": "Spoon", "quantity": 1, "currentQuantity": 0, "originalTotalSet": {"shopMoney": {"amount": "2.00"}}},
		{"id": "gid://shopify/LineItem/12", "name": "Plate", "quantity": 1, "currentQuantity": 1, "originalTotalSet": {"shopMoney": {"amount": "99.00"}}},
		{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 3, "currentQuantity": 2, "originalTotalSet": {"shopMoney": {"amount": "36.00"}}}]},
	"agreements": {"nodes": [
		{"__typename": "OrderAgreement", "sales": {"nodes": [
			{"__typename": "ProductSale", "actionType": "ORDER", "quantity": 3, "lineItem": {"id": "gid://shopify/LineItem/11"}, "totalAmount": {"shopMoney": {"amount": "43.20"}}, "totalTaxAmount": {"shopMoney": {"amount": "7.20"}},
				"totalDiscountAmountBeforeTaxes": {"shopMoney": {"amount": "3.00"}}, "taxes": [{"amount": {"shopMoney": {"amount": "7.20"}}, "taxLine": {"title": "TVA", "ratePercentage": 20}}]},
			{"__typename": "ProductSale", "actionType": "ORDER", "quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/13"}, "totalAmount": {"shopMoney": {"amount": "2.40"}}, "totalTaxAmount": {"shopMoney": {"amount": "0.40"}},
				"taxes": [{"amount": {"shopMoney": {"amount": "0.40"}}, "taxLine": {"title": "TVA", "ratePercentage": 20}}]}]}},
		{"__typename": "OrderEditAgreement", "sales": {"nodes": [
			{"__typename": "ProductSale", "actionType": "RETURN", "quantity": -1, "lineItem": {"id": "gid://shopify/LineItem/11"}, "totalAmount": {"shopMoney": {"amount": "-14.40"}}, "totalTaxAmount": {"shopMoney": {"amount": "-2.40"}},
				"totalDiscountAmountBeforeTaxes": {"shopMoney": {"amount": "-1.00"}}, "taxes": [{"amount": {"shopMoney": {"amount": "-2.40"}}, "taxLine": {"title": "TVA", "ratePercentage": 20}}]},
			{"__typename": "ProductSale", "actionType": "RETURN", "quantity": -1, "lineItem": {"id": "gid://shopify/LineItem/13"}, "totalAmount": {"shopMoney": {"amount": "-2.40"}}, "totalTaxAmount": {"shopMoney": {"amount": "-0.40"}},
				"taxes": [{"amount": {"shopMoney": {"amount": "-0.40"}}, "taxLine": {"title": "TVA", "ratePercentage": 20}}]},
			{"__typename": "ProductSale", "actionType": "ORDER", "quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/12"}, "totalAmount": {"shopMoney": {"amount": "12.00"}}, "totalTaxAmount": {"shopMoney": {"amount": "2.00"}},
				"taxes": [{"amount": {"shopMoney": {"amount": "2.00"}}, "taxLine": {"title": "TVA", "ratePercentage": 20}}]},
			{"__typename": "ProductSale", "actionType": "UPDATE", "quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/12"}, "totalAmount": {"shopMoney": {"amount": "0.00"}}, "totalTaxAmount": {"shopMoney": {"amount": "0.00"}}}]}}]}`

func TestEditedOrderIsStatedAsItStandsNow(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, editedFields))
	adds(t, o)
	if len(o.Lines) != 3 {
		t.Fatalf("the lines are %+v; want two cups, a plate and the shipping", o.Lines)
	}
	cups, plate := lineOf(t, o, "11"), lineOf(t, o, "12")
	equal(t, "the cups", cups.Quantity, "2")
	equal(t, "their price", cups.Total, "24.00")
	equal(t, "their price before discounts", cups.Subtotal, "26.00")
	equal(t, "the plates", plate.Quantity, "1")
	equal(t, "its price", plate.Total, "10.00")
	equal(t, "what the customer owes", account(o), "12.00")
}

// Shopify may tell of a line that an edit took off in a refund without money,
// too. It must not count twice.
func TestWhatAnEditTookOffIsNotRefundedToo(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, editedFields, refunded(refundOf(cupsBack(1, "CANCEL", "12.00", "2.40")))))
	adds(t, o)
	if r := o.Refunds[0]; len(r.Lines) != 0 || !r.Amount.IsZero() {
		t.Errorf("the refund is %+v", r)
	}
	equal(t, "the cups", lineOf(t, o, "11").Quantity, "2")
}

// Shipping that an edit took off is in the total no more: paying it back lessens
// nothing.
func TestShippingThatAnEditTookOffIsNotRefundedToo(t *testing.T) {
	pigeon := strings.Replace(shippingBack("7.50", "1.50"), "ShippingLine/41", "ShippingLine/42", 1)
	o := orderSaid(t, changed(t, plainOrder, editedFields, refunded(refundOf(pigeon, moneyBack(card("9.00")))),
		`"transactions": [{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "card",
			"processedAt": "2026-11-01T09:00:02Z", "amountSet": `+euros("55.80")+`}]`))
	adds(t, o)
	equal(t, "its amount", o.Refunds[0].Amount, "0")
	equal(t, "what it paid", *o.Refunds[0].Paid, "9.00")
	equal(t, "what the customer owes", account(o), "0")
}

func TestRefundAfterAnEditCounts(t *testing.T) {
	raw := changed(t, plainOrder, strings.Replace(editedFields, `"quantity": 3, "currentQuantity": 2`, `"quantity": 3, "currentQuantity": 1`, 1),
		refunded(refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), moneyBack(card("14.40")))))
	o := orderSaid(t, raw)
	adds(t, o)
	equal(t, "the refund", o.Refunds[0].Amount, "14.40")
	equal(t, "the cups", lineOf(t, o, "11").Quantity, "2")
}

// A line that was taken off wholly stays while a refund names it.
func TestRefundedLineStaysThoughAnEditTookItOff(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, editedFields, refunded(refundOf(`"refundLineItems": {"nodes": [{"quantity": 1, "restockType": "CANCEL", "lineItem": {"id": "gid://shopify/LineItem/13"},
		"subtotalSet": `+euros("0.00")+`, "totalTaxSet": `+euros("0.00")+`}]}`, moneyBack(card("1.00"))))))
	adds(t, o)
	equal(t, "the spoons", lineOf(t, o, "13").Quantity, "0")
}

func TestWhatWasPaidTooMuchAfterAnEditGoesBackWithoutLessOfASale(t *testing.T) {
	for name, back := range map[string]string{
		"as the shop explains it": refundOf(adjustedBy("PENDING_REFUND_DISCREPANCY", "-8.00", "0"), moneyBack(card("8.00"))),
		"unexplained":             refundOf(moneyBack(card("8.00"))),
	} {
		t.Run(name, func(t *testing.T) {
			o := orderSaid(t, changed(t, plainOrder, editedFields, refunded(back), `"transactions": [{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "card",
				"processedAt": "2026-11-01T09:00:02Z", "amountSet": `+euros("54.80")+`}]`))
			adds(t, o)
			equal(t, "its amount", o.Refunds[0].Amount, "0")
			equal(t, "what it paid", *o.Refunds[0].Paid, "8.00")
			equal(t, "what the customer owes", account(o), "0")
		})
	}
}

// A return in exchange for something dearer: the goods come back without
// money, the new ones are a line, and the difference is a payment.
func TestExchangeIsARefundWithoutMoneyAndALine(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("52.80")+`, "totalTaxSet": `+euros("8.80")+`, "lineItems": {"nodes": [
		{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "currentQuantity": 1, "originalTotalSet": `+euros("24.00")+`, "taxLines": [`+vat("4.80")+`]},
		{"id": "gid://shopify/LineItem/14", "name": "Mug", "quantity": 1, "currentQuantity": 1, "originalTotalSet": `+euros("15.00")+`, "taxLines": [`+vat("3.00")+`]}]}`,
		refunded(refundOf(cupsBack(1, "RETURN", "12.00", "2.40"))), `"transactions": [
		{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "card", "processedAt": "2026-11-01T09:00:02Z", "amountSet": `+euros("34.80")+`},
		{"id": "gid://shopify/OrderTransaction/52", "kind": "SALE", "status": "SUCCESS", "gateway": "card", "processedAt": "2026-11-05T09:00:02Z", "amountSet": `+euros("3.60")+`}]`))
	adds(t, o)
	equal(t, "the refund", o.Refunds[0].Amount, "14.40")
	equal(t, "what it paid", *o.Refunds[0].Paid, "0")
	equal(t, "what the customer owes", account(o), "0")
}

// A mapping that depends on the order in which the shop lists things would
// change the digest of an order that has not changed.
func TestStatementDoesNotDependOnTheOrderOfLines(t *testing.T) {
	turned := strings.NewReplacer(`LineItem/11`, `LineItem/13`, `LineItem/13`, `LineItem/11`).Replace(editedFields)
	if orderSaid(t, changed(t, plainOrder, turned)).Lines[0].ID != "12" { // 11 is the spoon now, and gone
		t.Error("the lines are not in the order of their ids")
	}
}

// Which gateway a refund is stated for, and what is left for it to lessen, go by
// the order of the shop's events, not by that of a list.
func TestStatementDoesNotDependOnTheOrderOfRefundsAndMoney(t *testing.T) {
	said := func(turned bool) string {
		money := `"transactions": {"nodes": [%s]}`
		back := []string{`{"id": "gid://shopify/OrderTransaction/61", "kind": "REFUND", "status": "SUCCESS", "gateway": "card", "amountSet": ` + euros("3.00") + `}`,
			`{"id": "gid://shopify/OrderTransaction/62", "kind": "REFUND", "status": "SUCCESS", "gateway": "gift_card", "amountSet": ` + euros("2.00") + `}`}
		if turned {
			slices.Reverse(back)
		}
		refunds := []string{refundOf(fmt.Sprintf(money, strings.Join(back, ","))),
			strings.Replace(refundOf(moneyBack(card("4.00"))), "Refund/91", "Refund/92", 1)}
		if turned {
			slices.Reverse(refunds)
		}
		o := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("30.80")+`, "lineItems": {"nodes": [
			{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": `+euros("20.00")+`, "taxLines": [`+vat("4.80")+`]}]}`, refunded(refunds...)))
		var all []string
		for _, r := range o.Refunds {
			all = append(all, fmt.Sprint(r.ID, " ", r.Gateway, " ", r.Amount, " ", r.Paid))
		}
		return strings.Join(all, ", ")
	}
	if one, other := said(false), said(true); one != other {
		t.Errorf("the refunds are %q, and turned round %q", one, other)
	}
}
