package shopify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// drawnOrder draws an order as Shopify would work it out: its taxes to the
// cent by line and rate, with prices that include them or not, discounts that
// are spread over the lines, and refunds of some units that share what is
// left, by the cent.
func drawnOrder(t *rapid.T) string {
	included := rapid.Bool().Draw(t, "included")
	rates := rapid.SampledFrom([][]int64{{}, {200}, {55}, {60, 20}, {50, 99}, {0}}).Draw(t, "rates") // per mille
	cents := func(n int64) string { return euros(decimal.New(n, -2).StringFixed(2)) }
	var lines, back []string
	var total, tax, value int64
	part := func(of, n, all int64) int64 { return of * n / all } // the last unit bears the rest
	for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
		units := rapid.Int64Range(1, 5).Draw(t, "units")
		price := units * rapid.Int64Range(0, 20_000).Draw(t, "price")
		off := rapid.Int64Range(0, price).Draw(t, "discount")
		first := rapid.Int64Range(0, off).Draw(t, "allocated")
		gross := price - off
		var taxes []string
		var borne int64
		for j, rate := range rates {
			amount := gross * rate / 1000
			if included {
				amount = gross * rate / (1000 + sum(rates))
			}
			borne += amount
			taxes = append(taxes, fmt.Sprintf(`{"title": "Tax %d", "rate": %s, "ratePercentage": %s, "priceSet": %s}`, j, decimal.New(rate, -3), decimal.New(rate, -1), cents(amount)))
		}
		lines = append(lines, fmt.Sprintf(`{"id": "gid://shopify/LineItem/%d", "name": "Cup", "quantity": %d, "currentQuantity": %d, "requiresShipping": true, "originalTotalSet": %s,
			"discountAllocations": [{"allocatedAmountSet": %s}, {"allocatedAmountSet": %s}], "taxLines": [%s]}`, 11+i, units, units, cents(price), cents(first), cents(off-first), strings.Join(taxes, ",")))
		total, tax = total+gross, tax+borne
		if n := rapid.Int64Range(0, units).Draw(t, "refunded"); n > 0 {
			subtotal, taxBack := part(gross, n, units), part(borne, n, units)
			value += subtotal
			if !included {
				value += taxBack
			}
			back = append(back, fmt.Sprintf(`{"quantity": %d, "restockType": "RETURN", "restocked": true, "lineItem": {"id": "gid://shopify/LineItem/%d"}, "subtotalSet": %s, "totalTaxSet": %s}`, n, 11+i, cents(subtotal), cents(taxBack)))
		}
	}
	if !included {
		total += tax
	}
	refunds := ""
	if len(back) > 0 {
		less := rapid.Int64Range(0, value).Draw(t, "kept")
		paid := rapid.SampledFrom([]string{"SUCCESS", "PENDING"}).Draw(t, "status")
		refunds = refundOf(`"refundLineItems": {"nodes": [`+strings.Join(back, ",")+`]}`, adjustedBy("REFUND_DISCREPANCY", decimal.New(less, -2).String(), "0"),
			moneyBack([3]string{paid, "card", decimal.New(value-less, -2).String()}))
	}
	return fmt.Sprintf(`"taxesIncluded": %v, "totalPriceSet": %s, "totalTaxSet": %s, "shippingLine": null, "totalShippingPriceSet": %s, "lineItems": {"nodes": [%s]}, "refunds": [%s],
		"transactions": [{"id": "gid://shopify/OrderTransaction/51", "kind": "SALE", "status": "SUCCESS", "gateway": "card", "processedAt": "2026-11-01T09:00:02Z", "amountSet": %s}]`,
		included, cents(total), cents(tax), cents(0), strings.Join(lines, ","), refunds, cents(total))
}

func sum(all []int64) int64 {
	var sum int64
	for _, n := range all {
		sum += n
	}
	return sum
}

// Whatever was sold and taken back: the order adds up, no line's refunds are
// more than the line, and what is left open is what is still to be paid back.
func TestAnyOrderAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		raw := changed(t, plainOrder, drawnOrder(rt))
		o := orderSaid(t, raw)
		adds(t, o)
		open := decimal.Decimal{}
		for _, r := range o.Refunds {
			worth := decimal.Decimal{}
			for _, l := range r.Lines {
				of := lineOf(t, o, l.LineID)
				worth = worth.Add(l.Total)
				if l.Total.IsNegative() || l.Total.GreaterThan(of.Total) || l.Quantity.GreaterThan(of.Quantity) || len(l.Taxes) != len(of.Taxes) {
					rt.Errorf("the refund line %+v is more than the line %+v", l, of)
				}
				for i, tax := range l.Taxes {
					worth = worth.Add(tax.Amount)
					if tax.RateID != of.Taxes[i].RateID || tax.Amount.IsNegative() || tax.Amount.GreaterThan(of.Taxes[i].Amount) {
						rt.Errorf("the refunded tax %+v is more than the tax %+v", tax, of.Taxes[i])
					}
				}
			}
			if r.Amount.GreaterThan(worth) {
				rt.Errorf("the refund is %s, more than its lines, which are %s", r.Amount, worth)
			}
			open = open.Add(r.Amount).Sub(*r.Paid)
		}
		if owes := account(o); !owes.Equal(open.Neg()) {
			rt.Errorf("the customer owes %s, and %s is still to go back", owes, open)
		}
		if t.Failed() {
			rt.Fatalf("%s", raw)
		}
	})
}

// What a shop may send is either understood or said not to be: nothing breaks,
// and a statement can be kept and read again.
func FuzzOrder(f *testing.F) {
	for _, patch := range []string{``, editedFields, shippedFields, refunded(refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), shippingBack("1", "0.20"), adjustedBy("RESTOCK", "-1", "-0.1"), moneyBack(card("14.40"))))} {
		f.Add([]byte(changed(f, plainOrder, patch)))
	}
	for _, seed := range []string{``, `null`, `[]`, `{}`, `{"id": 7}`, `{"id": "gid://shopify/Order/1", "lineItems": {"nodes": [null]}, "transactions": [null], "refunds": [{}], "fulfillments": [{"status": "SUCCESS"}]}`,
		`{"id": "1", "totalPriceSet": {"shopMoney": {"amount": "1e999999999"}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		h := holdOrder(raw)
		if h.problem == "" {
			h.manyShippingLines()
			h.taxesMixed()
		}
		rec := h.state(frenchRules)
		if rec.Gone() || rec.Digest == "" {
			t.Fatalf("the record is %+v", rec)
		}
		if rec.Problem == "" {
			if _, err := intake.Reopen(intake.KindOrder, rec.Statement); err != nil {
				t.Fatal(err)
			}
			if again := holdOrder(raw).state(frenchRules); again.Digest != rec.Digest {
				t.Fatalf("the same order states %s and then %s", rec.Statement, again.Statement)
			}
		}
	})
}

// What it takes to understand an order, of which a first reading has many.
func BenchmarkOrder(b *testing.B) {
	raw := changed(b, plainOrder, shippedFields)
	b.ReportAllocs()
	for b.Loop() {
		if rec := holdOrder(raw).state(frenchRules); rec.Problem != "" {
			b.Fatal(rec.Problem)
		}
	}
}
