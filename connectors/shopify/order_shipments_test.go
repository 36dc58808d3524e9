package shopify

import (
	"strings"
	"testing"
)

func TestShipmentsAreFulfilmentsThatLeft(t *testing.T) {
	o := orderSaid(t, changed(t, plainOrder, `"displayFulfillmentStatus": "PARTIALLY_FULFILLED", "fulfillments": [
		{"id": "gid://shopify/Fulfillment/81", "status": "SUCCESS", "totalQuantity": 1, "createdAt": "2026-11-03T08:00:00Z", "location": {"id": "gid://shopify/Location/9"},
			"trackingInfo": [{"company": "Colissimo", "number": "8L01"}, {"company": "DPD", "number": "2"}],
			"fulfillmentLineItems": {"nodes": [{"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/11"}}]}},
		{"id": "gid://shopify/Fulfillment/82", "status": "CANCELLED", "totalQuantity": 1, "createdAt": "2026-11-04T08:00:00Z"},
		{"id": "gid://shopify/Fulfillment/83", "status": "ERROR", "totalQuantity": 1, "createdAt": "2026-11-05T08:00:00Z"}]`))
	if len(o.Shipments) != 1 || len(o.Shipments[0].Lines) != 1 || o.Shipments[0].Lines[0].LineID != "11" {
		t.Fatalf("the shipments are %+v", o.Shipments)
	}
	if s := o.Shipments[0]; s.ID != "81" || s.Carrier != "Colissimo" || s.Tracking != "8L01" || s.Location != "9" {
		t.Errorf("the shipment is %+v", s)
	}
	equal(t, "what left", o.Shipments[0].Lines[0].Quantity, "1")
	if !o.CompletedAt.IsZero() {
		t.Error("the order passes for completed")
	}
}

// Only what cannot be otherwise is concluded; all else is read.
func TestTheOnlyFulfilmentCarriesAllWhereItMust(t *testing.T) {
	card := `{"id": "gid://shopify/LineItem/12", "name": "Course", "quantity": 1, "requiresShipping": false, "originalTotalSet": ` + euros("0") + `}`
	cup := `{"id": "gid://shopify/LineItem/11", "name": "Cup", "quantity": 2, "requiresShipping": true, "originalTotalSet": ` + euros("24.00") + `}`
	for _, tt := range []struct {
		name, lines, units, more string
		want                     []string // nil: it must be read
	}{
		{"all there is", cup, "2", ``, []string{"11"}},
		{"also what needs no shipping", cup + "," + card, "3", ``, []string{"11", "12"}},
		{"all that is shipped", cup + "," + card, "2", `"displayFulfillmentStatus": "FULFILLED"`, []string{"11"}},
		{"some of it", cup, "1", ``, nil},
		{"one cup and the course, or two cups", cup + "," + card, "2", `"displayFulfillmentStatus": "PARTIALLY_FULFILLED"`, nil},
		{"after an edit", cup, "2", `"edited": true`, nil},
		{"beside a refund", cup, "2", `"refunds": [{"id": "gid://shopify/Refund/91"}]`, nil},
		{"one of two", cup, "2", `"fulfillments": [{"id": "gid://shopify/Fulfillment/81", "status": "SUCCESS", "totalQuantity": 2}, {"id": "gid://shopify/Fulfillment/82", "status": "SUCCESS", "totalQuantity": 0}]`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := holdOrder(changed(t, plainOrder, `"lineItems": {"nodes": [`+tt.lines+`]}, "fulfillments": [{"id": "gid://shopify/Fulfillment/81", "status": "SUCCESS", "totalQuantity": `+tt.units+`}]`, tt.more))
			var got []string
			for _, l := range h.shippedWhole() {
				got = append(got, l.ID.ref())
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("it carried %q, want %q", got, tt.want)
			}
		})
	}
}
