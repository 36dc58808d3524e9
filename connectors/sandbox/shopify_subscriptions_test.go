package sandbox

import (
	"testing"

	"comptoir/connectors/schema"
	"comptoir/erp/intake"
)

const (
	hookMake   = `mutation($t: WebhookSubscriptionTopic!, $u: String!) { webhookSubscriptionCreate(topic: $t, webhookSubscription: {uri: $u, format: JSON}) { webhookSubscription { id topic uri } userErrors { field message } } }`
	hookMove   = `mutation($id: ID!, $u: String!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: {uri: $u}) { webhookSubscription { id uri } userErrors { field message } } }`
	hookRemove = `mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } } }`
	hookList   = `query($t: [WebhookSubscriptionTopic!]) { webhookSubscriptions(first: 9, topics: $t) { nodes { id topic uri format filter includeFields } } }`
)

type toldHook struct{ ID, Topic, URI string }

func hooksOf(t *testing.T, s *Shop, vars obj) []toldHook {
	t.Helper()
	var got struct {
		WebhookSubscriptions struct{ Nodes []toldHook }
	}
	decode(t, asking(t, s, hookList, vars).Data, &got)
	return got.WebhookSubscriptions.Nodes
}

func TestSubscriptionsAreMadeMovedAndTakenAway(t *testing.T) {
	s := newGoodsShop(t)
	const here, there = "https://books.example/hooks/a", "https://books.example/hooks/b"
	for _, version := range schema.Versions() {
		topic := map[string]string{"2026-10": "ORDERS_UPDATED", "2026-07": "PRODUCTS_UPDATE", "2026-04": "INVENTORY_LEVELS_UPDATE"}[version]
		if a := told(t, s, version, hookMake, obj{"t": topic, "u": here}); len(a.UserErrors) > 0 {
			t.Errorf("%s: %+v", topic, a.UserErrors)
		}
	}
	all := hooksOf(t, s, nil)
	if one := hooksOf(t, s, obj{"t": []any{"PRODUCTS_UPDATE"}}); len(all) != 3 || len(one) != 1 || one[0].URI != here {
		t.Fatalf("%+v %+v", all, one)
	}
	for want, u := range map[string]string{
		"Address for this topic has already been taken": here,
		"Address protocol http:// is not supported":     "http://books.example/hooks/a",
		"Address is invalid":                            "nowhere",
	} {
		if a := told(t, s, "2026-10", hookMake, obj{"t": "ORDERS_UPDATED", "u": u}); whySo(a) != want {
			t.Errorf("%s: %+v", u, a.UserErrors)
		}
	}
	told(t, s, "2026-10", hookMove, obj{"id": all[0].ID, "u": there})
	told(t, s, "2026-10", hookRemove, obj{"id": all[1].ID})
	if now := hooksOf(t, s, nil); len(now) != 2 || now[0].URI != there || now[1].ID != all[2].ID {
		t.Errorf("%+v", now)
	}
	if a := told(t, s, "2026-10", hookRemove, obj{"id": all[1].ID}); whySo(a) == "" {
		t.Error("a subscription is taken away twice")
	}
	blind := New(Options{Seed: 4, Platform: Shopify, Scopes: []string{"read_products"}})
	if a := told(t, blind, "2026-10", hookMake, obj{"t": "ORDERS_UPDATED", "u": here}); whySo(a) == "" {
		t.Error("who may not read orders is told of them")
	}
}

func TestWhatAnAppWritesIsTold(t *testing.T) {
	s := newGoodsShop(t)
	m := &mailbox{}
	post := &Deliverer{Shop: s, Transport: m}
	for _, topic := range []string{"PRODUCTS_CREATE", "PRODUCTS_UPDATE", "COLLECTIONS_CREATE", "COLLECTIONS_DELETE", "INVENTORY_LEVELS_UPDATE", "FULFILLMENTS_CREATE", "REFUNDS_CREATE", "ORDERS_CANCELLED"} {
		if a := told(t, s, "2026-10", hookMake, obj{"t": topic, "u": "https://books.example/hooks/a"}); len(a.UserErrors) > 0 {
			t.Fatalf("%s: %+v", topic, a.UserErrors)
		}
	}
	tells := func(want string) {
		t.Helper()
		post.Deliver(t.Context())
		for _, topic := range m.topics() {
			if topic == want {
				return
			}
		}
		t.Errorf("nobody is told of %s", want)
	}
	made := told(t, s, "2026-10", setProduct, obj{"in": obj{"title": "Seau"}}).Product
	tells("products/create")
	told(t, s, "2026-10", updateVariant, obj{"p": made.ID, "v": []any{obj{"id": made.Variants.Nodes[0].ID, "price": "3"}}})
	tells("products/update")
	c := told(t, s, "2026-04", `mutation { collectionCreate(input: {title: "X"}) { collection { id } userErrors { message } } }`, nil).Collection
	tells("collections/create")
	told(t, s, "2026-10", `mutation($id: ID!) { collectionDelete(input: {id: $id}) { deletedCollectionId userErrors { message } } }`, obj{"id": c.ID})
	tells("collections/delete")
	s.SetStock(s.IDs(intake.Variants)[0], 5)
	tells("inventory_levels/update")
	_, gid := openOrder(t, s, func(*order) bool { return true })
	told(t, s, "2026-10", ship, obj{"f": obj{"lineItemsByFulfillmentOrder": []any{obj{"fulfillmentOrderId": orderAsTold(t, s, gid).FulfillmentOrders.Nodes[0].ID}}}})
	tells("fulfillments/create")
	_, gid = openOrder(t, s, func(*order) bool { return true })
	cancelOrder(t, s, obj{"id": gid, "restock": true, "m": obj{"originalPaymentMethodsRefund": true}})
	orderAsTold(t, s, gid)
	orderAsTold(t, s, gid)
	tells("orders/cancelled")
}
