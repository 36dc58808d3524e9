package shopify

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
)

func TestATipIsALineOfItsKind(t *testing.T) {
	tip := `{"id": "gid://shopify/LineItem/12", "name": "Tip", "quantity": 1, "originalTotalSet": ` + euros("3.00") + `, "taxLines": []}`
	gift := `{"id": "gid://shopify/LineItem/13", "name": "Gift wrap", "quantity": 1, "originalTotalSet": ` + euros("2.00") + `, "taxLines": []}`
	cup := `{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "variant": {"id": "gid://shopify/ProductVariant/31"}, "originalTotalSet": ` + euros("24.00") + `, "taxLines": [` + vat("4.80") + `]}`
	for _, tt := range []struct{ name, lines, tip, total, want string }{
		{"as a line beside another", cup + "," + tip + "," + gift, "3.00", "39.80", "12"},
		{"by its amount, where it has another name", cup + "," + strings.Replace(tip, "Tip", "Pourboire", 1) + "," + gift, "3.00", "39.80", "12"},
		{"that is no line in the shop", cup, "3.00", "37.80", "tip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := orderSaid(t, changed(t, plainOrder, `"lineItems": {"nodes": [`+tt.lines+`]}, "totalTipReceivedSet": `+euros(tt.tip)+`, "totalPriceSet": `+euros(tt.total)))
			adds(t, o)
			for _, l := range o.Lines {
				if (l.Kind == intake.LineTip) != (l.ID == tt.want) {
					t.Errorf("line %s is a %s", l.ID, l.Kind)
				}
			}
		})
	}
}

func TestDutiesAndFeesAreLines(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("42.40")+`, "originalTotalDutiesSet": `+euros("3.00")+`,
		"additionalFees": [{"id": "gid://shopify/AdditionalFee/61", "name": "Eco fee", "price": `+euros("1.00")+`, "taxLines": [`+vat("0.20")+`]}],
		"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": `+euros("24.00")+`, "taxLines": [`+vat("4.80")+`],
			"duties": [{"id": "gid://shopify/Duty/71", "price": `+euros("5.00")+`, "taxLines": [`+vat("1.40")+`]}]}]}`))
	adds(t, o)
	if d := lineOf(t, o, "d71"); d.Kind != intake.LineFee || d.Code != "duty" || d.Title != "Duty on Cup" {
		t.Errorf("the duty is %+v", d)
	}
	if f := lineOf(t, o, "f61"); f.Kind != intake.LineFee || f.Title != "Eco fee" {
		t.Errorf("the fee is %+v", f)
	}
	equal(t, "the tax", o.TotalTax, "7.40")
}

// Each amount of a sale in another currency is converted by itself, so that
// the total may be a cent away from its parts. The tax of duties and fees stays
// tax all the same.
func TestACentOfConversionIsNotTheTaxOfADuty(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("41.21")+`, "originalTotalDutiesSet": `+euros("5.00")+`,
		"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "originalTotalSet": `+euros("24.00")+`, "taxLines": [`+vat("4.80")+`],
			"duties": [{"id": "gid://shopify/Duty/71", "price": `+euros("5.00")+`, "taxLines": [`+vat("1.40")+`]}]}]}`))
	equal(t, "the tax", o.TotalTax, "7.20")
	plain := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("34.81")+`, "totalTaxSet": `+euros("5.81")))
	equal(t, "the tax of an order without duties", plain.TotalTax, "5.81")
}

func TestShippingLinesWithoutIdsAreToldApart(t *testing.T) {
	line := func(title, price, tax string) string {
		return `{"id": null, "title": "` + title + `", "originalPriceSet": ` + euros(price) + `, "discountedPriceSet": ` + euros(price) + `, "taxLines": [` + vat(tax) + `]}`
	}
	o := orderSaid(t, changed(t, plainOrder, `"shippingLines": {"nodes": [`+line("Colissimo", "3.00", "0.60")+`,`+line("Chronopost", "2.00", "0.40")+`]}`))
	adds(t, o)
	if l := lineOf(t, o, "s-2"); l.Title != "Chronopost" || l.Code != "Chronopost" {
		t.Errorf("the second shipping line is %+v", l)
	}
}

func TestGiftCardsAreSoldAndUsed(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"lineItems": {"nodes": [{"id": "gid://shopify/LineItem/11", "name": "Gift card", "isGiftCard": true, "quantity": 1, "originalTotalSet": `+euros("28.80")+`, "taxLines": []}]}`,
		`"totalTaxSet": `+euros("1.00")+`, "transactions": [
			{"id": "gid://shopify/OrderTransaction/50", "kind": "SALE", "status": "SUCCESS", "gateway": "gift_card", "processedAt": "2026-11-01T09:00:01Z", "amountSet": `+euros("10.00")+`},
			{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "shopify_payments", "processedAt": "2026-11-01T09:00:02Z", "amountSet": `+euros("24.80")+`}]`))
	adds(t, o)
	if !o.Lines[0].GiftCard || len(o.GiftCards) != 1 || o.GiftCards[0].ID != "50" || len(o.Payments) != 1 || o.Payment.Method != "shopify_payments" {
		t.Errorf("the gift cards are %+v, the payments %+v by %s", o.GiftCards, o.Payments, o.Payment.Method)
	}
	equal(t, "what the card paid", o.GiftCards[0].Amount, "10.00")
	equal(t, "what the customer owes", account(o), "0")
	if want := time.Date(2026, 11, 1, 9, 0, 2, 0, time.UTC); !o.PaidAt.Equal(want) {
		t.Errorf("it was paid at %s, want %s", o.PaidAt, want)
	}
}

func TestOnlyMoneyThatMovedIsPaid(t *testing.T) {
	tx := func(id, kind, status, gateway, amount string) string {
		return `{"id": "gid://shopify/OrderTransaction/` + id + `", "kind": "` + kind + `", "status": "` + status + `", "gateway": "` + gateway + `",
			"processedAt": "2026-11-01T09:00:0` + id + `Z", "amountSet": ` + euros(amount) + `}`
	}
	for _, tt := range []struct {
		name, transactions string
		want               string // id kind amount
		paid               bool
	}{
		{"authorised and captured in two parts", tx("1", "AUTHORIZATION", "SUCCESS", "card", "34.80") + "," + tx("2", "CAPTURE", "SUCCESS", "card", "30") + "," + tx("3", "CAPTURE", "SUCCESS", "card", "4.80"),
			"1 authorize 34.8, 2 capture 30, 3 capture 4.8", true},
		{"authorised and voided", tx("1", "EMV_AUTHORIZATION", "SUCCESS", "card", "34.80") + "," + tx("2", "VOID", "SUCCESS", "card", "34.80"), "1 authorize 34.8, 2 void 34.8", false},
		{"failed, pending, unknown", tx("1", "SALE", "FAILURE", "card", "34.80") + "," + tx("2", "SALE", "PENDING", "bank", "34.80") + "," + tx("3", "SALE", "ERROR", "card", "34.80") + "," + tx("4", "SALE", "PONDERING", "card", "34.80"), "", false},
		{"of a kind that nobody knows", tx("1", "TELEPATHY", "SUCCESS", "mind", "34.80"), "1 telepathy 34.8", false},
		{"cash, with change from it", tx("1", "SALE", "SUCCESS", "cash", "50.00") + "," + strings.Replace(tx("2", "CHANGE", "SUCCESS", "cash", "15.20"), "{", `{"parentTransaction": {"id": "gid://shopify/OrderTransaction/1"},`, 1),
			"1 sale 34.8", true},
		{"cash, with change from nobody says what", tx("1", "SALE", "SUCCESS", "cash", "50.00") + "," + tx("2", "CHANGE", "SUCCESS", "cash", "15.20"), "1 sale 34.8", true},
		{"by hand", tx("1", "SALE", "SUCCESS", "manual", "34.80"), "1 sale 34.8", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := orderSaid(t, changed(t, plainOrder, `"transactions": [`+tt.transactions+`]`))
			var got []string
			for _, p := range o.Payments {
				got = append(got, p.ID+" "+p.Kind+" "+p.Amount.String())
			}
			if strings.Join(got, ", ") != tt.want || o.PaidAt.IsZero() == tt.paid {
				t.Errorf("the payments are %q, paid at %s; want %q, paid %v", got, o.PaidAt, tt.want, tt.paid)
			}
		})
	}
}

func TestChangeOutOfNothingIsNotReadAsMoney(t *testing.T) {
	rec := holdOrder(changed(t, plainOrder, `"transactions": [{"id": "gid://shopify/OrderTransaction/2", "kind": "CHANGE", "status": "SUCCESS", "gateway": "cash", "amountSet": `+euros("15.20")+`}]`)).state(frenchRules)
	if rec.Problem == "" {
		t.Error("change that came out of no payment passes for nothing")
	}
}

func TestFeesInAnotherCurrencyAreLeftToThePayout(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"transactions": [{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "card", "amountSet": `+euros("34.80")+`,
		"fees": [{"amount": {"amount": "0.50", "currencyCode": "EUR"}, "taxAmount": {"amount": "0.10"}}, {"amount": {"amount": "9", "currencyCode": "USD"}, "taxAmount": {"amount": "1"}}]}]`))
	equal(t, "the fee", o.Payments[0].Fee, "0.60")
}

func TestCashIsRoundedByALine(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"totalPriceSet": `+euros("34.82")+`, "totalTaxSet": `+euros("5.82")+`, "totalCashRoundingAdjustment": {"paymentSet": `+euros("-0.02")+`}`,
		`"shippingLine": {"taxLines": [`+vat("1.02")+`]}, "transactions": [{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "cash", "processedAt": "2026-11-01T09:00:00Z",
			"amountSet": `+euros("34.82")+`, "amountRoundingSet": `+euros("-0.02")+`}]`))
	adds(t, o)
	if l := lineOf(t, o, "r"); l.Kind != intake.LineFee || l.Code != "cash_rounding" {
		t.Errorf("the rounding is %+v", l)
	}
	equal(t, "the total", o.Total, "34.80")
	equal(t, "what the customer owes", account(o), "0")
	if o.PaidAt.IsZero() {
		t.Error("the order does not pass for paid")
	}
}
