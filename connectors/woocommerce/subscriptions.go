package woocommerce

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"comptoir/connectors"
)

// hookTopics are what the shop is to tell of. A refund comes with its order, a
// variation with its product; categories have no topic.
var hookTopics = [...]string{
	"order.created", "order.updated", "order.deleted", "order.restored",
	"product.created", "product.updated", "product.deleted", "product.restored",
	"customer.created", "customer.updated", "customer.deleted",
}

// hookName begins the names of the webhooks that are ours.
const hookName = "Comptoir "

// webhook is what is read of a webhook. The shop does not give out its secret,
// so the name carries a mark of it.
type webhook struct {
	ID      scalar `json:"id"`
	Name    scalar `json:"name"`
	Status  scalar `json:"status"` // active, paused or disabled
	Topic   scalar `json:"topic"`
	Address scalar `json:"delivery_url"`
}

const (
	hookActive   = "active"
	hookDisabled = "disabled" // by the shop itself
)

// Subscribe has the shop send hints to an address. WooCommerce switches a
// webhook off after a few failures in a row, so this is done again every day.
func (c *Connector) Subscribe(ctx context.Context, address string) ([]connectors.Subscription, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	plan := c.planHooks(there, address)
	plan.note(uncalled(address, c.api.base))
	if plan.batch.empty() {
		return plan.stand, nil
	}
	answer, err := c.batch(ctx, "write webhooks", "webhooks", plan.batch)
	if err != nil {
		return nil, err
	}
	return plan.taken(answer)
}

// webhooks reads those of the shop, whoever made them.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	var all []webhook
	for page := 1; ; page++ {
		a, err := c.api.get(ctx, "list webhooks", "webhooks", url.Values{"status": {"all"}, "per_page": {strconv.Itoa(maxPageSize)}, "page": {strconv.Itoa(page)}})
		if err != nil {
			return nil, err
		}
		rows, err := c.rows("list webhooks", a)
		if err != nil {
			return nil, err
		}
		for _, raw := range rows {
			var w webhook
			if json.Unmarshal(raw, &w) == nil && w.ID.id() > 0 {
				all = append(all, w)
			}
		}
		if len(rows) < maxPageSize {
			return all, nil
		}
	}
}

// hookPlan is what has to be written so that the webhooks are as they should
// be, and how each then stands. The first stands are those of batch.Create, in
// that order; those of batch.Update and batch.Delete follow.
type hookPlan struct {
	batch batch
	stand []connectors.Subscription
}

// create plans a webhook that stands so once it is made.
func (p *hookPlan) create(c *Connector, address string, stand connectors.Subscription) {
	p.batch.Create = append(p.batch.Create, map[string]any{"name": c.hookNameOf(stand.Topic), "topic": stand.Topic, "delivery_url": address,
		"status": hookActive, "secret": c.cfg.hookSecret()})
	p.stand = append(p.stand, stand)
}

// note says something of all that stay.
func (p *hookPlan) note(text string) {
	for i := range p.stand {
		if s := &p.stand[i]; text != "" && s.Done != "removed" {
			s.Note = strings.TrimPrefix(s.Note+"; "+text, "; ")
		}
	}
}

// uncalled says why WordPress will never call an address; "" where it may. It
// takes the webhook all the same, and its deliveries then fail unsent. Its own
// host and port it calls; what other names lead to is not known here, and a
// plugin may allow more (wp_http_validate_url).
func uncalled(address string, shop *url.URL) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	own := strings.EqualFold(u.Hostname(), shop.Hostname())
	ip, port := net.ParseIP(u.Hostname()), u.Port()
	switch {
	case !slices.Contains([]string{"", "80", "443", "8080"}, port) && !(own && port == shop.Port()):
		return "WordPress calls the ports 80, 443 and 8080 only, so nothing will come to port " + port + ": have a proxy listen at one of them, and name that in webhooks.url"
	case !own && (u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified())):
		return "WordPress calls no private address, so nothing will come: give webhooks.url the name under which this machine is reached from outside"
	default:
		return ""
	}
}

// planHooks compares the webhooks that are there with those that should be. One
// that the shop has switched off is made anew: it keeps count of its failures,
// so that set active it would be off again after the next.
func (c *Connector) planHooks(there []webhook, address string) *hookPlan {
	wanted := map[string]bool{}
	for _, topic := range hookTopics {
		wanted[topic] = true
	}
	plan := &hookPlan{}
	var mended, removed, kept []connectors.Subscription
	for _, w := range there {
		topic := w.Topic.trimmed()
		stand := connectors.Subscription{Topic: topic, ID: w.ID.ref()}
		switch name := w.Name.plain(); {
		case !strings.HasPrefix(name, hookName): // somebody else's
		case !wanted[topic] || w.Address.plain() != address:
			plan.batch.Delete = append(plan.batch.Delete, w.ID.id())
			stand.Done, stand.Note = "removed", "it was for another address, or there were two of it"
			removed = append(removed, stand)
		default:
			wanted[topic] = false
			if stand.Note = c.flaw(&w, topic); stand.Note == "" {
				stand.Done = "kept"
				kept = append(kept, stand)
				continue
			}
			stand.Done = "mended"
			if w.Status.trimmed() == hookDisabled {
				plan.batch.Delete = append(plan.batch.Delete, w.ID.id())
				plan.create(c, address, stand)
				continue
			}
			plan.batch.Update = append(plan.batch.Update, map[string]any{"id": w.ID.id(), "name": c.hookNameOf(topic), "status": hookActive, "secret": c.cfg.hookSecret()})
			mended = append(mended, stand)
		}
	}
	for _, topic := range hookTopics {
		if wanted[topic] {
			plan.create(c, address, connectors.Subscription{Topic: topic, Done: "made"})
		}
	}
	plan.stand = append(append(append(plan.stand, mended...), removed...), kept...)
	return plan
}

// flaw says why a webhook has to be mended; "" where it is sound.
func (c *Connector) flaw(w *webhook, topic string) string {
	switch {
	case w.Status.trimmed() != hookActive:
		return fmt.Sprintf("it was %s: WooCommerce switches a webhook off when its address fails several times in a row", w.Status.trimmed())
	case w.Name.plain() != c.hookNameOf(topic):
		return "it was made with another secret"
	default:
		return ""
	}
}

// hookNameOf is the name of our webhook on a topic. It ends with a mark of the
// secret, which tells when the secret has changed, and nothing else of it.
func (c *Connector) hookNameOf(topic string) string {
	mac := hmac.New(sha256.New, []byte(c.cfg.hookSecret()))
	mac.Write([]byte(hookName))
	return hookName + topic + " (" + hex.EncodeToString(mac.Sum(nil)[:4]) + ")"
}

// taken reads what came of the plan. A webhook that is gone already needs no
// removing.
func (p *hookPlan) taken(answer *batchAnswer) ([]connectors.Subscription, error) {
	for i, raw := range answer.Create {
		made, refusal := readItem(raw)
		if refusal != nil {
			return nil, refusal.failure("woocommerce: make a webhook")
		}
		p.stand[i].ID = strconv.FormatInt(made, 10)
	}
	for _, raw := range answer.Update {
		if _, refusal := readItem(raw); refusal != nil {
			return nil, refusal.failure("woocommerce: mend a webhook")
		}
	}
	for _, raw := range answer.Delete {
		if _, refusal := readItem(raw); refusal != nil && refusal.status != http.StatusNotFound {
			return nil, refusal.failure("woocommerce: remove a webhook")
		}
	}
	return p.stand, nil
}
