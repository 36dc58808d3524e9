package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What the schema cannot express.

// maxPage is how many objects one page, list or input may hold.
const maxPage = 250

// maxShipped is how many lines one parcel may hold.
const maxShipped = 512

// rules refuses a document as Shopify does before it runs it.
func (x *gqlRun) rules() []gqlError {
	var errs []gqlError
	refuse := func(n *gqlNode, code, message string) {
		errs = append(errs, gqlError{message: message, code: code, at: n.ask.Position, path: n.path(nil)})
	}
	for i, n := range x.plan.nodes {
		args := x.slots[i].args
		if n.field.rows {
			switch {
			case args.has("first") == args.has("last") && args.has("first"):
				refuse(n, "BAD_REQUEST", "providing both first and last is not supported")
			case !args.has("first") && !args.has("last"):
				refuse(n, "BAD_REQUEST", "you must provide one of first or last")
			case args.text("after") != "" && x.slots[i].paging.after == nil, args.text("before") != "" && x.slots[i].paging.before == nil:
				refuse(n, "BAD_REQUEST", "Invalid cursor for current pagination sort.")
			}
		}
		for _, name := range []string{"first", "last"} {
			size := args.size(name, 0)
			if _, whole := wholeNumber(args.value(name)); !whole && args.has(name) {
				size = -1
			}
			switch {
			case size > maxPage:
				refuse(n, "BAD_REQUEST", fmt.Sprintf("%s cannot exceed %d", name, maxPage))
			case size < 0:
				refuse(n, "BAD_REQUEST", name+" must be a whole number from 0")
			}
		}
		for _, a := range args {
			most := maxPage
			switch n.ask.Name {
			case "fulfillmentCreate":
				most = maxShipped
			case "productSet":
				most = maxVariants
			}
			if size := longestList(a.value); size > most {
				refuse(n, "MAX_INPUT_SIZE_EXCEEDED", fmt.Sprintf("The input array size of %d is greater than the maximum allowed of %d.", size, most))
			}
		}
		if n.parent == nil && x.slots[i].key == "" && slices.Contains(idempotentMutations(), n.ask.Name) {
			refuse(n, "BAD_REQUEST", "The @idempotent directive is required for this mutation but was not provided.")
		}
	}
	return errs
}

// longestList is the size of the longest list in an input.
func longestList(v any) int {
	longest := 0
	switch v := v.(type) {
	case []any:
		longest = len(v)
		for _, e := range v {
			longest = max(longest, longestList(e))
		}
	case map[string]any:
		for _, e := range v {
			longest = max(longest, longestList(e))
		}
	}
	return longest
}

// idempotentMutations are those that are refused without a key since 2026-04,
// as far as the shop plays them.
func idempotentMutations() []string {
	return []string{"inventorySetQuantities", "inventoryAdjustQuantities", "inventoryActivate", "refundCreate"}
}

// allScopes are the rights that an app has where the options name none.
func allScopes() []string {
	return []string{"read_all_orders", "read_orders", "read_products", "read_inventory", "read_locations", "read_customers", "read_returns",
		"read_gift_cards", "read_payment_terms", "read_assigned_fulfillment_orders", "read_merchant_managed_fulfillment_orders", "read_third_party_fulfillment_orders",
		"read_shopify_payments", "read_shopify_payments_payouts", "read_shopify_payments_accounts", "read_shopify_payments_disputes",
		"read_publications", "write_inventory", "write_products", "write_orders", "write_publications", "write_files", "write_merchant_managed_fulfillment_orders"}
}

// scopesOf are the rights of which one is needed to read a type; nil: none is.
func scopesOf(typ string) []string {
	switch typ {
	case "Order", "LineItem", "Fulfillment", "OrderTransaction", "Refund", "SalesAgreement":
		return []string{"read_orders"}
	case "Return", "ReturnLineItem":
		return []string{"read_returns"}
	case "Product", "ProductVariant", "Collection":
		return []string{"read_products"}
	case "InventoryItem":
		return []string{"read_inventory", "read_products"}
	case "InventoryLevel":
		return []string{"read_inventory"}
	case "Location":
		return []string{"read_locations", "read_inventory"}
	case "Customer":
		return []string{"read_customers"}
	case "PaymentTerms":
		return []string{"read_payment_terms"}
	case "FulfillmentOrder":
		return []string{"read_assigned_fulfillment_orders", "read_merchant_managed_fulfillment_orders", "read_third_party_fulfillment_orders"}
	case "ShopifyPaymentsAccount":
		return []string{"read_shopify_payments", "read_shopify_payments_accounts"}
	case "ShopifyPaymentsDispute":
		return []string{"read_shopify_payments_disputes"}
	case "InventorySetQuantitiesPayload", "InventoryAdjustQuantitiesPayload", "InventoryActivatePayload", "InventoryItemUpdatePayload":
		return []string{"write_inventory"}
	case "ProductUpdatePayload", "ProductCreatePayload", "ProductSetPayload", "ProductVariantsBulkUpdatePayload", "ProductVariantsBulkCreatePayload",
		"ProductVariantsBulkDeletePayload", "CollectionCreatePayload", "CollectionUpdatePayload", "CollectionDeletePayload":
		return []string{"write_products"}
	case "FileUpdatePayload":
		return []string{"write_files", "write_images", "write_products"}
	case "Publication":
		return []string{"read_publications"}
	case "PublishablePublishPayload", "PublishableUnpublishPayload":
		return []string{"write_publications"}
	case "FulfillmentCreatePayload", "FulfillmentTrackingInfoUpdatePayload", "FulfillmentCancelPayload":
		return []string{"write_assigned_fulfillment_orders", "write_merchant_managed_fulfillment_orders", "write_third_party_fulfillment_orders"}
	case "OrderCancelPayload", "OrderClosePayload", "OrderOpenPayload", "RefundCreatePayload":
		return []string{"write_orders"}
	}
	return nil
}

// personal are the fields that hold protected customer data.
func personal(typ, field string) bool {
	switch typ {
	case "Order":
		return slices.Contains([]string{"customer", "email", "phone", "billingAddress", "shippingAddress"}, field)
	case "Customer":
		return slices.Contains([]string{"firstName", "lastName", "defaultEmailAddress", "defaultPhoneNumber", "defaultAddress"}, field)
	case "MailingAddress":
		return slices.Contains([]string{"name", "firstName", "lastName", "company", "address1", "address2", "phone"}, field)
	}
	return false
}

// status are the fields whose values grow with the years.
func isStatus(typ, field string) bool {
	return typ == "Order" && (field == "displayFulfillmentStatus" || field == "displayFinancialStatus")
}

// guards tells what the granted scopes leave open.
func (p *shopify) guards() gqlGuards {
	return func(on *gqlType, name string) *gqlGuard {
		f := on.field(name)
		g := gqlGuard{personal: personal(on.name, name), status: isStatus(on.name, name), required: f.rows}
		if need := scopesOf(f.of); need != nil && !slices.ContainsFunc(need, func(scope string) bool { return slices.Contains(p.scopes, scope) }) {
			g.denied = strings.Join(need, "` or `")
		}
		if g == (gqlGuard{required: g.required}) {
			return nil
		}
		return &g
	}
}

// orderWindow is how far back an app without read_all_orders sees orders.
const orderWindow = 60 * 24 * time.Hour

// sees reports whether the app may look at an order.
func (s *Shop) sees(o *order) bool { return s.shows(o) && o.created >= s.ordersSince() }

// ordersSince is the creation date, in seconds since 1970, before which orders
// do not exist for this app.
func (s *Shop) ordersSince() int64 {
	if slices.Contains(s.shopify.scopes, "read_all_orders") {
		return 0
	}
	return s.clock.Add(-orderWindow).Unix()
}
