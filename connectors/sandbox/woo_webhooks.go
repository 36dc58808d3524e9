package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// wooTopics are those that a webhook may have.
func wooTopics() []string {
	var all []string
	for _, resource := range []string{"coupon", "customer", "order", "product"} {
		for _, event := range []string{"created", "updated", "deleted", "restored"} {
			if resource != "customer" || event != "restored" {
				all = append(all, resource+"."+event)
			}
		}
	}
	return append(all, "product.published")
}

// webhookList is the list of webhooks.
func (s *Shop) webhookList() *endpoint {
	return &endpoint{collection: collection{
		name: "webhooks", orderby: []string{"date", "id", "title", "include"}, first: "date", dated: true,
		rows: func() []row {
			var rows []row
			for _, h := range s.hooks.all {
				rows = append(rows, row{id: h.id, created: h.created, modified: h.modified, title: h.name, of: h})
			}
			return rows
		},
		keep: func(v url.Values) func(*row) bool {
			status := v.Get("status")
			return func(r *row) bool { return status == "" || status == "all" || r.of.(*subscription).status == status }
		},
		write: func(e *encoder, r *row) { e.writeWebhook(r.of.(*subscription)) },
	}, none: noSuch("shop_webhook")}
}

func (c *call) webhookRoom() *room {
	s := c.s
	return &room{
		kinds:   kinds{"name": "string", "topic": "string", "delivery_url": "string", "secret": "string", "status": "enum:active,paused,disabled"},
		batches: true,
		make: func(p params) (any, *reply) {
			if refused := webhookRefused(p, true); refused != nil {
				return nil, refused
			}
			h := s.subscribe(subscription{topic: p.text("topic"), name: p.text("name"), site: base(c.r)})
			if h.name == "" {
				h.name = "Webhook created on " + s.clock.In(s.zone).Format("Jan 2, 2006 @ 03:04 PM")
			}
			s.writeWebhook(h, p)
			s.ping(h)
			return h, nil
		},
		change: func(id int64, p params) (any, *reply) {
			h := s.subscription(id)
			if h == nil {
				return nil, invalidID("shop_webhook", http.StatusBadRequest)
			}
			if refused := webhookRefused(p, false); refused != nil {
				return nil, refused
			}
			s.writeWebhook(h, p)
			return h, nil
		},
		remove: func(id int64, force bool) (any, *reply) {
			h := s.subscription(id)
			switch {
			case h == nil:
				return nil, invalidID("shop_webhook", http.StatusNotFound)
			case !force:
				return nil, failure(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
			}
			s.unsubscribe(h)
			return h, nil
		},
		write: func(e *encoder, of any) { e.writeWebhook(of.(*subscription)) },
	}
}

// webhookRefused refuses a topic that there is not, and an address that is none.
// Both are needed when a webhook is made.
func webhookRefused(p params, fresh bool) *reply {
	topic, address := p.text("topic"), p.text("delivery_url")
	if (fresh || p.has("topic")) && !slices.Contains(wooTopics(), topic) && !strings.HasPrefix(topic, "action.") {
		return failure(http.StatusBadRequest, "woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic is required and must be valid.")
	}
	if (fresh || p.has("delivery_url")) && !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return failure(http.StatusBadRequest, "woocommerce_rest_shop_webhook_invalid_delivery_url",
			"Webhook delivery URL must be a valid URL starting with http:// or https://.")
	}
	return nil
}

func (s *Shop) writeWebhook(h *subscription, p params) {
	set(p, "name", &h.name)
	set(p, "topic", &h.topic)
	set(p, "delivery_url", &h.address)
	set(p, "secret", &h.secret)
	set(p, "status", &h.status) // its failures stay counted: another one, and it is off again
	h.modified = s.now()
	s.changed()
}

// writeWebhook writes a webhook. Its secret is never told.
func (e *encoder) writeWebhook(h *subscription) {
	resource, event, _ := strings.Cut(h.topic, ".")
	e.start()
	e.int("id", h.id)
	e.str("name", h.name)
	e.str("status", h.status)
	e.str("topic", h.topic)
	e.str("resource", resource)
	e.str("event", event)
	e.array("hooks", func() { e.item("woocommerce_" + strings.ReplaceAll(h.topic, ".", "_")) })
	e.str("delivery_url", h.address)
	e.date("date_created", h.created)
	e.date("date_modified", h.modified)
	e.links("/webhooks", h.id, allowAll, nil)
	e.close('}')
}
