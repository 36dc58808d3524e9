package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shopDomain is the shop's own address at Shopify.
const shopDomain = "comptoir-exemple.myshopify.com"

// topicName is a topic as the API names it: "orders/updated" is ORDERS_UPDATED.
func topicName(topic string) string {
	return strings.ToUpper(strings.ReplaceAll(topic, "/", "_"))
}

// shopifyTells names the topics of a change.
func (s *Shop) shopifyTells(kind EventKind, id int64) []hooked {
	if o := s.order(id); o != nil && strings.HasPrefix(string(kind), "order ") {
		if !s.shows(o) {
			return nil // a checkout that was not paid yet is no order
		}
		return orderTopics(kind, o)
	}
	switch kind {
	case OrderGone:
		return []hooked{{"orders/delete", "order", id}}
	case ProductAdded:
		return []hooked{{"products/create", "product", id}}
	case ProductEdited, PriceChanged:
		if v := s.variant(id); v != nil {
			return []hooked{{"products/update", "product", v.of.own.id}}
		}
	case ProductGone:
		return []hooked{{"products/delete", "product", id}}
	case StockChanged, StockTaken:
		return []hooked{{"inventory_levels/update", "level", id}}
	case CategoryAdded:
		return []hooked{{"collections/create", "collection", id}}
	case CategoryEdited:
		return []hooked{{"collections/update", "collection", id}}
	case CategoryGone:
		return []hooked{{"collections/delete", "collection", id}}
	case CustomerAdded:
		return []hooked{{"customers/create", "customer", id}}
	case CustomerEdited:
		return []hooked{{"customers/update", "customer", id}}
	case CustomerGone:
		return []hooked{{"customers/delete", "customer", id}}
	}
	return nil
}

// orderTopics are those of a change of an order, the particular one first.
func orderTopics(kind EventKind, o *order) []hooked {
	all := []hooked{{"orders/updated", "order", o.id}}
	add := func(topic, kind string, id int64) { all = slices.Insert(all, len(all)-1, hooked{topic, kind, id}) }
	switch kind {
	case OrderPlaced:
		return []hooked{{"orders/create", "order", o.id}}
	case OrderPaid:
		if o.gateway == payStripe || o.gateway == payPayPal { // until now it was a checkout
			add("orders/create", "order", o.id)
		}
		add("orders/paid", "order", o.id)
		add("order_transactions/create", "transaction", o.id)
	case OrderCancelled:
		add("orders/cancelled", "order", o.id)
	case OrderCompleted, OrderParted:
		add("fulfillments/create", "fulfillment", o.id)
		if kind == OrderCompleted {
			add("orders/fulfilled", "order", o.id)
		}
	case OrderRefunded:
		if n := len(o.refunds); n > 0 {
			add("refunds/create", "refund", o.refunds[n-1].id)
		}
	}
	return all
}

// shopifyPayload is what is told of a record: enough to find it.
func (s *Shop) shopifyPayload(what hooked) []byte {
	var e encoder
	e.open('{')
	named := func(kind string, id int64) {
		e.int("id", id)
		e.str("admin_graphql_api_id", plainGid(kind, id))
	}
	switch what.kind {
	case "order":
		named("Order", what.id)
		if o := s.order(what.id); o != nil {
			e.str("name", "#"+o.label())
			e.str("updated_at", shopifyTime(o.modified))
		}
	case "transaction", "fulfillment":
		kind := map[string]string{"transaction": "OrderTransaction", "fulfillment": "Fulfillment"}[what.kind]
		named(kind, what.id*10+1)
		e.int("order_id", what.id)
	case "refund":
		named("Refund", what.id)
		if r := s.refund(what.id); r != nil {
			e.int("order_id", r.of.id)
		}
	case "product":
		named("Product", what.id)
		if p := s.product(what.id); p != nil {
			e.str("title", p.title)
			e.str("updated_at", shopifyTime(p.own.modified))
		}
	case "level":
		if v := s.variant(what.id); v != nil {
			l := level{v, &locations[atelier]}
			e.int("inventory_item_id", v.itemID())
			e.int("location_id", l.at.id)
			e.int("available", s.quantity(l, "available"))
			e.str("updated_at", shopifyTime(v.counted))
			e.str("admin_graphql_api_id", levelID(l))
		}
	case "collection":
		named("Collection", what.id)
	case "customer":
		named("Customer", what.id)
	}
	e.close('}')
	return e.b
}

func shopifyTime(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }

// shopifyParcel are the headers of a delivery. The app's secret signs it.
func (s *Shop) shopifyParcel(h *subscription, d *delivery) http.Header {
	header := http.Header{"User-Agent": {"Shopify-Captain-Hook"}, "Accept": {"*/*"}}
	for k, v := range map[string]string{
		"Content-Type": "application/json", "X-Shopify-Topic": d.topic, "X-Shopify-Shop-Domain": shopDomain, "X-Shopify-Api-Version": shopifyVersions()[0],
		"X-Shopify-Webhook-Id": uuidOf("hook", d.number), "X-Shopify-Event-Id": uuidOf("event", d.event), "X-Shopify-Triggered-At": shopifyTime(d.at),
	} {
		header.Set(k, v)
	}
	if h.name != "" {
		header.Set("X-Shopify-Name", h.name)
	}
	secret := s.opt.Secret
	if d.bare {
		secret = "another"
	}
	header.Set("X-Shopify-Hmac-Sha256", signature(secret, d.body))
	return header
}

// uuidOf makes an id that looks as Shopify's do.
func uuidOf(what string, n int64) string {
	hex := strconv.FormatUint(mix(uint64(n)+uint64(len(what))<<40), 16) + strconv.FormatUint(mix(uint64(n)+uint64(len(what))<<41), 16)
	hex += strings.Repeat("0", 32)
	return hex[:8] + "-" + hex[8:12] + "-4" + hex[13:16] + "-a" + hex[17:20] + "-" + hex[20:32]
}

// shopifyTries is how often a delivery is sent again, over four hours.
const shopifyTries = 8

// sendAgain plans the next try, with the same body. After the last one the
// subscription is taken away.
func (s *Shop) sendAgain(h *subscription, d *delivery) {
	h.failures++
	if d.tries++; d.tries > shopifyTries {
		s.unsubscribe(h)
		return
	}
	wait := int64(60) << (d.tries - 1) // 1, 2, 4 … 64 minutes, then the rest of four hours
	d.due = s.now() + min(wait, int64(4*time.Hour/time.Second)/2)
	s.hooks.queue = append(s.hooks.queue, d)
}
