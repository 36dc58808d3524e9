package sandbox

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// How an app asks to be told of changes.

// topicScopes are the rights that a topic needs, by how its name begins: one of
// them. Other topics need none.
func topicScopes(topic string) []string {
	for _, t := range []struct{ begins, of string }{
		{"ORDERS_", "Order"}, {"ORDER_TRANSACTIONS_", "Order"}, {"REFUNDS_", "Order"}, {"RETURNS_", "Return"}, {"FULFILLMENTS_", "Order"},
		{"FULFILLMENT_ORDERS_", "FulfillmentOrder"}, {"PRODUCTS_", "Product"}, {"COLLECTIONS_", "Collection"}, {"CUSTOMERS_", "Customer"},
		{"INVENTORY_ITEMS_", "InventoryItem"}, {"INVENTORY_LEVELS_", "InventoryLevel"}, {"LOCATIONS_", "Location"},
	} {
		if strings.HasPrefix(topic, t.begins) {
			return scopesOf(t.of)
		}
	}
	return nil
}

// hookIn reads a subscription as it is to be. h is what it is until now.
func (c *check) hookIn(h *subscription, in input, at string) {
	s := c.x.s
	for _, name := range []string{"filter", "includeFields", "metafieldNamespaces", "metafields"} {
		if in[name] != nil && (in.text(name) != "" || len(gqlArgs{{name, in[name]}}.list(name)) > 0) {
			c.refuse(at+"."+name, "", "The sandbox plays subscriptions to whole records only")
		}
	}
	if in.text("format") == "XML" {
		c.refuse(at+".format", "", "The sandbox delivers JSON only")
	}
	address := h.address
	for _, name := range []string{"callbackUrl", "uri"} {
		if in.text(name) != "" {
			address = in.text(name)
		}
	}
	switch u, err := url.Parse(address); {
	case err != nil || u.Host == "":
		c.refuse(at+".uri", "", "Address is invalid")
	case u.Scheme != "https" && !loopback(u.Hostname()):
		c.refuse(at+".uri", "", "Address protocol "+u.Scheme+":// is not supported")
	case slices.ContainsFunc(s.hooks.all, func(o *subscription) bool { return o.id != h.id && o.topic == h.topic && o.address == address }):
		c.refuse(at+".uri", "", "Address for this topic has already been taken")
	}
	c.then(func() {
		h.address, h.modified = address, s.now()
		if in.has("name") {
			h.name = in.text("name")
		}
	})
}

// loopback reports whether a host is this machine, which no real shop would
// call: there it may be without encryption.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (x *gqlRun) hookCreate() *payload[*subscription] {
	h := &subscription{topic: x.args.text("topic")}
	c := &check{x: x}
	if need := topicScopes(h.topic); need != nil && !slices.ContainsFunc(need, func(scope string) bool { return slices.Contains(x.s.shopify.scopes, scope) }) {
		c.refuse("topic", "", "You do not have permission to create or update webhooks with "+h.topic+" topic. This topic requires access scope "+strings.Join(need, " or "))
	}
	c.hookIn(h, x.args.object("webhookSubscription"), "webhookSubscription")
	return finish(c, func() *subscription { return x.s.subscribe(*h) })
}

func (x *gqlRun) hookUpdate() *payload[*subscription] {
	h, ok := x.s.byGid(x.args.text("id")).(*subscription)
	if !ok {
		return refusal[*subscription]("id", "", "Webhook subscription does not exist")
	}
	c := &check{x: x}
	c.hookIn(h, x.args.object("webhookSubscription"), "webhookSubscription")
	return finish(c, func() *subscription { return h })
}

func (x *gqlRun) hookDelete() *payload[string] {
	h, ok := x.s.byGid(x.args.text("id")).(*subscription)
	if !ok {
		return refusal[string]("id", "", "Webhook subscription does not exist")
	}
	return finish(&check{x: x}, func() string {
		x.s.unsubscribe(h)
		return x.args.text("id")
	})
}

// hooks are the subscriptions that a query asks for.
func (x *gqlRun) hooks() gqlRows[*subscription] {
	topics, uri := x.args.texts("topics"), x.args.text("uri")
	return gqlRows[*subscription]{all: x.s.hooks.all, key: func(h *subscription) gqlKey { return gqlKey{id: h.id} }, keep: func(h *subscription) bool {
		return (len(topics) == 0 || slices.Contains(topics, h.topic)) && (uri == "" || uri == h.address)
	}}
}

func subscriptionTypes() []gqlType {
	payloads := payloadFields[*subscription]("webhookSubscription", "WebhookSubscription", "UserError")
	return []gqlType{
		{name: "Mutation", fields: gqlFields{
			"webhookSubscriptionCreate": mutation("WebhookSubscriptionCreatePayload", (*gqlRun).hookCreate),
			"webhookSubscriptionUpdate": mutation("WebhookSubscriptionUpdatePayload", (*gqlRun).hookUpdate),
			"webhookSubscriptionDelete": mutation("WebhookSubscriptionDeletePayload", (*gqlRun).hookDelete),
		}},
		{name: "WebhookSubscriptionCreatePayload", fields: payloads},
		{name: "WebhookSubscriptionUpdatePayload", fields: payloads},
		{name: "WebhookSubscriptionDeletePayload", fields: gqlFields{
			"deletedWebhookSubscriptionId": gqlTextOrNull(func(_ *gqlRun, p *payload[string]) string { return p.made }),
			"userErrors":                   gqlList("UserError", func(_ *gqlRun, p *payload[string]) []userError { return p.errs }),
		}},
		{name: "QueryRoot", fields: gqlFields{
			"webhookSubscription":  one[*subscription]("WebhookSubscription"),
			"webhookSubscriptions": gqlConnection("WebhookSubscription", func(x *gqlRun, _ gqlRoot) gqlRows[*subscription] { return x.hooks() }),
		}},
		{name: "WebhookSubscription", is: []string{"Node"}, fields: gqlFields{
			"id":               gqlID("WebhookSubscription", func(_ *gqlRun, h *subscription) int64 { return h.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, h *subscription) int64 { return h.id }),
			"topic":            gqlText(func(_ *gqlRun, h *subscription) string { return h.topic }),
			"uri":              gqlText(func(_ *gqlRun, h *subscription) string { return h.address }),
			"format":           gqlText(func(*gqlRun, *subscription) string { return "JSON" }),
			"name":             gqlTextOrNull(func(_ *gqlRun, h *subscription) string { return h.name }),
			"filter":           gqlTextOrNull(func(*gqlRun, *subscription) string { return "" }),
			"includeFields":    gqlTexts(func(*gqlRun, *subscription) []string { return nil }),
			"createdAt":        gqlTime(func(_ *gqlRun, h *subscription) int64 { return h.created }),
			"updatedAt":        gqlTime(func(_ *gqlRun, h *subscription) int64 { return h.modified }),
		}},
	}
}
