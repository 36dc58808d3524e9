package sandbox

import "strings"

// byGid finds a record by its global id; nil where there is none.
func (s *Shop) byGid(gid string) any {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(gid, "gid://shopify/"), "/")
	digits, _, _ := strings.Cut(rest, "?")
	if !ok || !isID(digits) {
		return nil
	}
	id := number(digits)
	switch kind {
	case "Order":
		if o := s.order(id); o != nil && s.sees(o) {
			return o
		}
	case "Refund":
		if r := s.refundBy(id); r != nil && s.sees(r.of) {
			return r
		}
	case "Fulfillment":
		return s.parcel(id)
	case "FulfillmentOrder":
		return s.errand(id)
	case "WebhookSubscription":
		if h := s.subscription(id); h != nil {
			return h
		}
	case "Product":
		if p := s.product(id); p != nil && p.listed() {
			return p
		}
	case "ProductVariant":
		if v := s.onSale(id); v != nil {
			return v
		}
	case "InventoryItem":
		if v := s.onSale(id - firstItem); v != nil {
			return inventoryItem{v}
		}
	case "InventoryLevel":
		return s.levelBy(gid)
	case "Collection":
		if c := s.category(id); c != nil {
			return c
		}
	case "Customer":
		if c := s.customer(id); c != nil && !c.admin {
			return c
		}
	case "Location":
		for i := range locations {
			if locations[i].id == id {
				return &locations[i]
			}
		}
	case "BulkOperation":
		if o := s.shopify.bulk.state(id); o != nil {
			return o
		}
	case "ShopifyPaymentsPayout":
		for _, p := range s.payouts() {
			if p.id == id {
				return p
			}
		}
	}
	return nil
}

// parcel finds a fulfilment, whose number begins with that of its order.
func (s *Shop) parcel(id int64) any {
	o := s.order(id / parcelsOfOrder)
	if o == nil || !s.sees(o) {
		return nil
	}
	for _, f := range s.view(o).parcels {
		if f.id == id {
			return f
		}
	}
	return nil
}

// onSale is the variant with an id, which for a product with variations is
// not the product's own.
func (s *Shop) onSale(id int64) *variant {
	v := s.variant(id)
	if v == nil || !v.of.listed() || v == v.of.own && len(v.of.axes) > 0 {
		return nil
	}
	return v
}

func (s *Shop) levelBy(gid string) any {
	_, item, _ := strings.Cut(gid, "inventory_item_id=")
	if v := s.onSale(number(item) - firstItem); v != nil {
		for _, l := range v.levels() {
			if levelID(l) == gid {
				return l
			}
		}
	}
	return nil
}

// nodeKind names the type of a record that has a global id.
func nodeKind(of any) string {
	switch of.(type) {
	case *order:
		return "Order"
	case *refund:
		return "Refund"
	case *fulfillment:
		return "Fulfillment"
	case *errand:
		return "FulfillmentOrder"
	case *subscription:
		return "WebhookSubscription"
	case *product:
		return "Product"
	case *variant:
		return "ProductVariant"
	case inventoryItem:
		return "InventoryItem"
	case level:
		return "InventoryLevel"
	case *category:
		return "Collection"
	case *customer:
		return "Customer"
	case *site:
		return "Location"
	case *payout:
		return "ShopifyPaymentsPayout"
	case *lineItem:
		return "LineItem"
	case *transaction:
		return "OrderTransaction"
	case *gone:
		return "BasicEvent"
	case *bulkOperation:
		return "BulkOperation"
	}
	return ""
}
