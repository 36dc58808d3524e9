package shopify

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"comptoir/connectors"
)

// hookTopics are what the shop is to tell of, as its API calls them. Payment,
// cancellation and what was shipped change the order, which is told as well.
var hookTopics = [...]string{
	"ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_EDITED", "ORDERS_DELETE", "REFUNDS_CREATE", "ORDER_TRANSACTIONS_CREATE", "FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE",
	"PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE", "INVENTORY_LEVELS_UPDATE", "INVENTORY_ITEMS_UPDATE",
	"COLLECTIONS_CREATE", "COLLECTIONS_UPDATE", "COLLECTIONS_DELETE", "CUSTOMERS_CREATE", "CUSTOMERS_UPDATE", "CUSTOMERS_DELETE", "CUSTOMERS_MERGE",
	"LOCATIONS_CREATE", "LOCATIONS_UPDATE", "APP_UNINSTALLED",
}

// subscription is a subscription of the app, as the shop states it.
type subscription struct {
	ID     scalar   `json:"id"`
	Topic  string   `json:"topic"`
	URI    string   `json:"uri"`
	Format string   `json:"format"`
	Filter string   `json:"filter"` // "": all of the topic
	Fields []string `json:"includeFields"`
}

// whole reports whether everything of its topic is sent, in a form that Hint
// reads.
func (s subscription) whole() bool {
	return s.Format == "JSON" && s.Filter == "" && len(s.Fields) == 0
}

// Subscribe has the shop send hints to an address. Shopify deletes a
// subscription after some failures in a row, so this is done again every day.
// The shop shows only what this app has made; of those, what points at the same
// place under another host or scheme is taken for made by us, for an address
// that was left, and what points elsewhere is somebody else's.
func (c *Connector) Subscribe(ctx context.Context, address string) ([]connectors.Subscription, error) {
	if c.cfg.hookSecret() == "" {
		return nil, c.client.rest.Fail(connectors.Denied, "shopify: subscribe to hints", errors.New("there is no secret to check what the shop sends"),
			"set webhook_secret to the API secret key of the app, which the shop's admin shows where the token was made")
	}
	if _, err := c.access(ctx); err != nil { // Hint has to know what the shop calls itself
		return nil, err
	}
	there, err := c.subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var stand []connectors.Subscription
	wanted := slices.Clone(hookTopics[:])
	for _, s := range there {
		switch at := slices.Index(wanted, s.Topic); {
		case s.URI == address && s.whole() && at >= 0:
			wanted = slices.Delete(wanted, at, at+1)
			stand = append(stand, connectors.Subscription{Topic: s.Topic, ID: s.ID.trimmed(), Done: "kept"})
		case s.URI == address, samePlace(s.URI, address):
			gone, err := c.unsubscribe(ctx, s)
			if err != nil {
				return nil, err
			}
			stand = append(stand, gone)
		}
	}
	for _, topic := range wanted {
		made, err := c.subscribe(ctx, topic, address)
		if err != nil {
			return nil, err
		}
		stand = append(stand, made)
	}
	return stand, nil
}

// samePlace reports whether two addresses differ only in how their host is
// reached: the place of the endpoint names the shop.
func samePlace(a, b string) bool {
	one, err := url.Parse(a)
	other, otherErr := url.Parse(b)
	if err != nil || otherErr != nil || !strings.HasPrefix(one.Scheme, "http") {
		return false // a queue of a cloud
	}
	return strings.Trim(one.Path, "/") != "" && strings.Trim(one.Path, "/") == strings.Trim(other.Path, "/")
}

// subscriptions reads those of the app.
func (c *Connector) subscriptions(ctx context.Context) ([]subscription, error) {
	const op, most = "list subscriptions", 100
	var all []subscription
	vars := map[string]any{"first": most}
	for {
		var said struct {
			List connection[subscription] `json:"webhookSubscriptions"`
		}
		if _, err := c.client.do(ctx, op, documentOf("hooks"), vars, &said); err != nil {
			return nil, err
		}
		all = append(all, said.List.Nodes...)
		page := said.List.PageInfo
		switch {
		case !page.HasNextPage:
			return all, nil
		case page.EndCursor == "" || page.EndCursor == vars["after"]:
			return nil, c.malformed(op, errNoAdvance)
		}
		vars["after"] = page.EndCursor
	}
}

// subscribe makes a subscription. That the shop refuses one topic, such as one
// on customers to an app that may not see them, is no reason to do without the
// others.
func (c *Connector) subscribe(ctx context.Context, topic, address string) (connectors.Subscription, error) {
	var said struct {
		Create struct {
			Made   *node       `json:"webhookSubscription"`
			Errors []userError `json:"userErrors"`
		} `json:"webhookSubscriptionCreate"`
	}
	const op = "subscribe to hints"
	made := connectors.Subscription{Topic: topic}
	// Sent once: a second one on the topic would double its deliveries. Where
	// the answer is lost, the next time finds it.
	_, err := c.client.doOnce(ctx, op, documentOf("hook_make"), map[string]any{"topic": topic, "uri": address}, &said)
	if _, no := denied(err); no {
		made.Note = err.Error()
		return made, nil
	}
	switch {
	case err != nil:
		return made, err
	case len(said.Create.Errors) > 0:
		made.Note = (&refusal{said.Create.Errors}).Error()
	case said.Create.Made == nil:
		return made, c.malformed(op, errors.New("the shop does not say what it has made"))
	default:
		made.ID, made.Done = said.Create.Made.ID.trimmed(), "made"
	}
	return made, nil
}

// unsubscribe takes a subscription away. One that is gone already needs no
// removing.
func (c *Connector) unsubscribe(ctx context.Context, s subscription) (connectors.Subscription, error) {
	gone := connectors.Subscription{Topic: s.Topic, ID: s.ID.trimmed(), Done: "removed", Note: "it was for " + s.URI}
	var said struct {
		Delete struct {
			Errors []userError `json:"userErrors"`
		} `json:"webhookSubscriptionDelete"`
	}
	_, err := c.client.do(ctx, "remove a subscription", documentOf("hook_remove"), map[string]any{"id": s.ID.trimmed()}, &said)
	if err == nil && len(said.Delete.Errors) > 0 {
		gone.Note = (&refusal{said.Delete.Errors}).Error()
	}
	return gone, err
}
