package shopify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// largeOrder has much of everything: so many lines with their duties, and
// shipping lines, refunds with lines and money, a fulfilment, agreements and
// sales.
func largeOrder(t testing.TB, id, size int) json.RawMessage {
	total := func(each string, more string) string {
		return euros(dec(each).Mul(dec(fmt.Sprint(size))).Add(dec(more)).String())
	}
	n := func(kind string, i int) string { return fmt.Sprintf("gid://shopify/%s/%d", kind, id*1000+i) }
	var lines, shipping, refunds, back, sales, agreements, carried []string
	for i := range size {
		lines = append(lines, fmt.Sprintf(`{"id": %q, "name": "Cup %d", "quantity": 3, "currentQuantity": 2, "requiresShipping": true, "variant": {"id": %q}, "originalTotalSet": %s, "discountAllocations": [], "taxLines": [%s],
			"duties": [{"id": %q, "price": %s, "taxLines": []}]}`, n("LineItem", i), i, n("ProductVariant", i), euros("30.00"), vat("6.00"), n("Duty", i), euros("1.00")))
		sales = append(sales, fmt.Sprintf(`{"__typename": "ProductSale", "actionType": "ORDER", "quantity": 3, "lineItem": {"id": %q}, "totalAmount": %s, "totalTaxAmount": %s, "totalDiscountAmountBeforeTaxes": %s,
			"taxes": [{"amount": %s, "taxLine": {"title": "TVA", "rate": 0.2, "ratePercentage": 20.0}}]}`, n("LineItem", i), euros("36.00"), euros("6.00"), euros("0.00"), euros("6.00")))
		back = append(back, fmt.Sprintf(`{"quantity": 1, "restockType": "RETURN", "restocked": true, "lineItem": {"id": %q}, "subtotalSet": %s, "totalTaxSet": %s}`, n("LineItem", i), euros("10.00"), euros("2.00")))
		carried = append(carried, fmt.Sprintf(`{"quantity": 2, "lineItem": {"id": %q}}`, n("LineItem", i)))
	}
	for i := range 7 {
		shipping = append(shipping, fmt.Sprintf(`{"id": %q, "title": "Parcel %d", "isRemoved": false, "originalPriceSet": %s, "discountedPriceSet": %s, "taxLines": [%s]}`, n("ShippingLine", i), i, euros("5.00"), euros("5.00"), vat("1.00")))
		agreements = append(agreements, fmt.Sprintf(`{"__typename": "OrderEditAgreement", "id": %q, "sales": []}`, n("OrderEditAgreement", i)))
		var shippingBack, adjusted, money []string
		for j := range 5 {
			shippingBack = append(shippingBack, fmt.Sprintf(`{"shippingLine": {"id": %q}, "subtotalAmountSet": %s, "taxAmountSet": %s}`, n("ShippingLine", j), euros("0.10"), euros("0.02")))
			adjusted = append(adjusted, fmt.Sprintf(`{"reason": "REFUND_DISCREPANCY", "amountSet": %s, "taxAmountSet": %s}`, euros("-0.20"), euros("0.00")))
			money = append(money, fmt.Sprintf(`{"id": %q, "kind": "REFUND", "status": "SUCCESS", "gateway": "card", "amountSet": %s}`, n("OrderTransaction", 100+10*i+j), euros("0.32")))
		}
		lines := "[]"
		if i == 3 {
			lines = "[" + strings.Join(back, ",") + "]"
			money = append(money, fmt.Sprintf(`{"id": %q, "kind": "REFUND", "status": "SUCCESS", "gateway": "card", "amountSet": %s}`, n("OrderTransaction", 99), total("12.00", "0")))
		}
		refunds = append(refunds, fmt.Sprintf(`{"id": %q, "processedAt": "2026-11-0%dT09:00:00Z", "refundLineItems": %s, "refundShippingLines": [%s], "orderAdjustments": [%s], "duties": [], "transactions": [%s]}`,
			n("Refund", i), i+1, lines, strings.Join(shippingBack, ","), strings.Join(adjusted, ","), strings.Join(money, ",")))
	}
	agreements = append(agreements, fmt.Sprintf(`{"__typename": "OrderAgreement", "id": %q, "sales": [%s]}`, n("OrderAgreement", 1), strings.Join(sales, ",")),
		fmt.Sprintf(`{"__typename": "OrderEditAgreement", "id": %q, "sales": []}`, n("OrderEditAgreement", 9)))
	return changed(t, plainOrder, fmt.Sprintf(`"id": "gid://shopify/Order/%d", "edited": true, "originalTotalDutiesSet": %s, "currentTotalDutiesSet": %s, "totalPriceSet": %s, "totalShippingPriceSet": %s,
		"lineItems": {"nodes": [%s]}, "shippingLines": {"nodes": [%s]}, "refunds": [%s], "agreements": {"nodes": [%s]},
		"fulfillments": [{"id": %q, "status": "SUCCESS", "totalQuantity": %d, "createdAt": "2026-11-01T12:00:00Z", "fulfillmentLineItems": [%s]}]`,
		id, total("1.00", "0"), total("1.00", "0"), total("37.00", "42"), euros("35.00"), strings.Join(lines, ","), strings.Join(shipping, ","), strings.Join(refunds, ","), strings.Join(agreements, ","), n("Fulfillment", 1), 2*size, strings.Join(carried, ",")))
}

// shelf is a shop with orders of all kinds, the largest with so many lines.
func shelf(t testing.TB, size int) *graphShop {
	edited := strings.NewReplacer("LineItem/1", "LineItem/701", "ShippingLine/4", "ShippingLine/704").Replace(editedFields)
	return newGraphShop(t,
		json.RawMessage(plainOrder),
		largeOrder(t, 1002, size),
		changed(t, plainOrder, `"id": "gid://shopify/Order/1003"`, edited),
		changed(t, plainOrder, `"id": "gid://shopify/Order/1004"`, strings.ReplaceAll(shippedFields, "Fulfillment/81", "Fulfillment/781")),
		changed(t, plainOrder, `"id": "gid://shopify/Order/1005"`, strings.ReplaceAll(refunded(refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), moneyBack(card("14.40")))), "Refund/91", "Refund/791")),
		largeOrder(t, 1006, size/2),
		changed(t, plainOrder, `"id": "gid://shopify/Order/1007", "totalPriceSet": {"shopMoney": {"amount": "heaps"}}`),
	)
}

// wholly is what an order says that comes in one piece.
func wholly(t testing.TB, o map[string]any) intake.Record {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return holdOrder(nodesOf(t, raw)).state(orderRules{country: "FR", shipUnpaid: NewConfig().ShipUnpaid})
}

// nodesOf writes the lists that are connections as connections.
func nodesOf(t testing.TB, raw json.RawMessage) json.RawMessage {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(v any, refund bool)
	walk = func(v any, refund bool) {
		switch v := v.(type) {
		case []any:
			for i := range v {
				walk(v[i], refund)
			}
		case map[string]any:
			for key, value := range v {
				walk(value, key == "refunds")
				switch key {
				case "lineItems", "shippingLines", "agreements", "sales", "refundLineItems", "refundShippingLines", "orderAdjustments", "fulfillmentLineItems":
					v[key] = map[string]any{"nodes": value}
				case "transactions":
					if refund {
						v[key] = map[string]any{"nodes": value}
					}
				}
			}
		}
	}
	walk(v, false)
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// An order states the same on a page, by itself, and out of a bulk operation:
// what it would say in one piece. It does so however little comes at once.
func TestOrderSaysTheSameOnEveryWay(t *testing.T) {
	for _, tt := range []struct {
		name       string
		size, most int
	}{
		{"as many as are asked for", 130, 0},
		{"one at a time", 6, 1},
		{"four at a time", 20, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := shelf(t, tt.size)
			s.most = tt.most
			c := s.connector()
			var refs []intake.Ref
			want := map[string]intake.Record{}
			for _, o := range s.orders {
				rec := wholly(t, o)
				refs = append(refs, rec.Ref)
				want[rec.Ref.ID] = rec
				if o, ok := rec.Body.(*intake.Order); ok {
					adds(t, o)
				}
			}
			same := func(way string, got []intake.Record) {
				t.Helper()
				if len(got) != len(want) {
					t.Errorf("%s: %d orders came, want %d", way, len(got), len(want))
				}
				for _, rec := range got {
					if was := want[rec.Ref.ID]; rec.Problem != was.Problem || string(rec.Statement) != string(was.Statement) {
						t.Errorf("%s: order %s states\n%.3000s\nwant\n%.3000s\n(%s, %s)", way, rec.Ref.ID, rec.Statement, was.Statement, rec.Problem, was.Problem)
					}
				}
			}
			var paged []intake.Record
			var cur connectors.Cursor
			for more := true; more; {
				page, err := c.Pull(t.Context(), intake.Orders, cur)
				if err != nil {
					t.Fatal(err)
				}
				paged, cur, more = append(paged, page.Records...), page.Next, page.More
			}
			same("on pages", paged)
			fetched, err := c.Fetch(t.Context(), refs)
			if err != nil {
				t.Fatal(err)
			}
			same("by themselves", fetched)
			exported, err := c.orderRecords(t.Context(), s.export())
			if err != nil {
				t.Fatal(err)
			}
			same("out of a bulk operation", exported)
		})
	}
}

// export is what a bulk operation gives of the orders, after its lines were
// joined.
func (s *graphShop) export() []row {
	s.t.Helper()
	most := s.most
	s.most = 0
	answer, _ := s.answer(documentOf("orders_bulk").text, nil)
	s.most = most
	var rows []row
	for _, edge := range answer["orders"].(map[string]any)["edges"].([]any) {
		node := edge.(map[string]any)["node"].(map[string]any)
		var lines []any
		for _, edge := range node["lineItems"].(map[string]any)["edges"].([]any) {
			lines = append(lines, edge.(map[string]any)["node"])
		}
		node["lineItems"] = map[string]any{"nodes": lines}
		raw, err := json.Marshal(node)
		if err != nil {
			s.t.Fatal(err)
		}
		rows = append(rows, rowOf(raw))
	}
	return rows
}

// Most orders are plain, and a page of them takes one request.
func TestPlainOrdersTakeOneRequest(t *testing.T) {
	var orders []json.RawMessage
	for i := range 40 {
		orders = append(orders, changed(t, plainOrder, fmt.Sprintf(`"id": "gid://shopify/Order/%d"`, 1000+i),
			`"displayFulfillmentStatus": "FULFILLED", "fulfillments": [{"id": "gid://shopify/Fulfillment/81", "status": "SUCCESS", "totalQuantity": 2, "createdAt": "2026-11-03T08:00:00Z"}]`))
	}
	s := newGraphShop(t, orders...)
	page, err := s.connector().Pull(t.Context(), intake.Orders, nil)
	if err != nil || len(page.Records) != 40 || page.More {
		t.Fatalf("the page has %d orders: %v", len(page.Records), err)
	}
	if got := strings.Join(s.asked, " "); got != "orders shop" {
		t.Errorf("the shop was asked for %s", got)
	}
}

// Details are read for many orders at once.
func TestDetailsAreReadForManyOrdersAtOnce(t *testing.T) {
	var orders []json.RawMessage
	for i := range 40 {
		orders = append(orders, changed(t, plainOrder, fmt.Sprintf(`"id": "gid://shopify/Order/%d"`, 1000+i),
			strings.ReplaceAll(refunded(refundOf(cupsBack(1, "RETURN", "12.00", "2.40"), moneyBack(card("14.40")))), "Refund/91", fmt.Sprintf("Refund/%d", 9000+i))))
	}
	s := newGraphShop(t, orders...)
	if _, err := s.connector().Pull(t.Context(), intake.Orders, nil); err != nil {
		t.Fatal(err)
	}
	if n := s.times("order_refunds"); n != 2 {
		t.Errorf("40 refunds took %d requests", n)
	}
}

// A page that cannot be completed is an error, and never a page.
func TestOrdersThatDoNotComeWholeAreAnError(t *testing.T) {
	for name, spoil := range map[string]func(op string, answer map[string]any){
		"a refund that is gone": func(op string, answer map[string]any) {
			if op == "order_refunds" {
				answer["nodes"].([]any)[0] = nil
			}
		},
		"another refund": func(op string, answer map[string]any) {
			if op == "order_refunds" {
				answer["nodes"].([]any)[0].(map[string]any)["id"] = "gid://shopify/Refund/1"
			}
		},
		"fewer records than asked for": func(op string, answer map[string]any) {
			if op == "order_fulfillments" {
				answer["nodes"] = []any{}
			}
		},
		"lines that never end": func(op string, answer map[string]any) {
			if op == "order_lines" {
				list := answer["nodes"].([]any)[0].(map[string]any)["lineItems"].(map[string]any)
				list["pageInfo"] = map[string]any{"hasNextPage": true, "endCursor": "1"}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := shelf(t, 20)
			s.spoil = spoil
			page, err := s.connector().Pull(t.Context(), intake.Orders, nil)
			if err == nil || len(page.Records) > 0 {
				t.Fatalf("the page came with %d orders", len(page.Records))
			}
			if class := connectors.ClassOf(err); class != connectors.Transient {
				t.Errorf("the error is %s: %v", class, err)
			}
		})
	}
}

// Where the app may see the orders of 60 days only, an older one is hidden and
// not gone.
func TestAnOldOrderIsHiddenAndNotGone(t *testing.T) {
	refs := []intake.Ref{{Kind: intake.KindOrder, ID: "999"}, {Kind: intake.KindOrder, ID: "1001"}, {Kind: intake.KindOrder, ID: "1002"}, {Kind: intake.KindOrder, ID: "x"}}
	for _, tt := range []struct {
		name   string
		scopes []string
		empty  bool
		want   string
	}{
		{"with the right to all orders", []string{"read_orders", "read_all_orders"}, false, "gone here gone gone"},
		{"without", []string{"read_orders"}, false, "hidden here gone gone"},
		{"without, and none to be seen", []string{"read_orders"}, true, "hidden hidden hidden gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newGraphShop(t, json.RawMessage(plainOrder))
			s.scopes = tt.scopes
			if tt.empty {
				s.orders = nil
			}
			records, err := s.connector().Fetch(t.Context(), refs)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, rec := range records {
				switch {
				case rec.Ref != refs[i]:
					t.Errorf("record %d is %v, want %v", i, rec.Ref, refs[i])
				case rec.Hidden:
					got = append(got, "hidden")
				case rec.Gone():
					got = append(got, "gone")
				default:
					got = append(got, "here")
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("they are %q, want %q", got, tt.want)
			}
		})
	}
}

// A right that is taken away while the program runs hides orders from then on:
// none is taken for deleted.
func TestAnOrderIsHiddenOnceTheRightToItIsTaken(t *testing.T) {
	s := newGraphShop(t, json.RawMessage(plainOrder), changed(t, plainOrder, `"id": "gid://shopify/Order/1000"`))
	c, refs := s.connector(), []intake.Ref{{Kind: intake.KindOrder, ID: "1000"}, {Kind: intake.KindOrder, ID: "1001"}}
	if records, err := c.Fetch(t.Context(), refs); err != nil || records[0].Body == nil {
		t.Fatalf("while both are shown: %v, %v", records, err)
	}
	s.scopes, s.orders = []string{"read_orders"}, s.orders[:1]
	records, err := c.Fetch(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	if !records[0].Hidden || records[1].Body == nil {
		t.Errorf("after the right was taken the first is gone: %v, hidden: %v", records[0].Gone(), records[0].Hidden)
	}
}
