package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// The headers of a delivery.
const (
	hookTopic     = "X-Shopify-Topic"
	hookShop      = "X-Shopify-Shop-Domain"
	hookSignature = "X-Shopify-Hmac-Sha256"
	hookEvent     = "X-Shopify-Event-Id"
	hookDelivery  = "X-Shopify-Webhook-Id"
)

// Hint checks a delivery and says what to look at. A delivery that is late
// holds the record as it was, so only its id is taken.
func (c *Connector) Hint(header http.Header, body []byte) (connectors.Hint, error) {
	if !c.signed(header.Get(hookSignature), body) {
		return connectors.Hint{}, connectors.ErrSignature
	}
	if domain := strings.TrimSpace(header.Get(hookShop)); !c.ours(domain) {
		return connectors.Hint{}, fmt.Errorf("%w: it is of %.100q", connectors.ErrForeign, domain)
	}
	topic := strings.ToLower(strings.TrimSpace(header.Get(hookTopic)))
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil {
		return connectors.Hint{}, fmt.Errorf("%w: %w", connectors.ErrUnreadable, err)
	}
	hint := connectors.Hint{Key: hookKey(topic, header, body), Topic: topic}
	var err error
	hint.Refs, hint.Pull, err = d.pointsAt(topic)
	return hint, err
}

// signed reports whether the shop has signed body, in constant time. Without a
// secret nothing is.
func (c *Connector) signed(signature string, body []byte) bool {
	secret := c.cfg.hookSecret()
	got, err := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
	if err != nil || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}

// ours reports whether a domain is this shop's. What the shop calls itself is
// known once it was asked; a proxy may stand before it under another name, so
// the address in the configuration decides only where it is the shop's own.
func (c *Connector) ours(domain string) bool {
	if known := c.granted.Load(); known != nil && known.shop.Domain != "" {
		return strings.EqualFold(domain, known.shop.Domain)
	}
	host := c.client.base.Hostname()
	return !strings.HasSuffix(strings.ToLower(host), shopDomain) || strings.EqualFold(domain, host)
}

// hookKey names the event of a delivery: the same for each time that it is
// sent, since it is sent again as it was. Several topics may share an event, and
// so may several records, where one act has changed them all; hence the body
// counts too. Where the shop names no event, the delivery has an id.
func hookKey(topic string, header http.Header, body []byte) string {
	event, sent := strings.TrimSpace(header.Get(hookEvent)), ""
	if event == "" {
		sent = strings.TrimSpace(header.Get(hookDelivery))
	}
	sum := sha256.Sum256(body)
	return strings.Join([]string{topic, event, sent, hex.EncodeToString(sum[:])}, "/")
}

// delivery is what is read of the record that a delivery holds.
type delivery struct {
	ID       scalar `json:"id"`
	Global   scalar `json:"admin_graphql_api_id"`
	Order    scalar `json:"order_id"` // of a refund, a fulfilment and a transaction
	OrderNew struct {
		ID scalar `json:"order_id"`
	} `json:"order_edit"` // of an order that was edited
	Duplicate scalar `json:"admin_graphql_api_customer_deleted_id"` // of customers that were merged
	Kept      scalar `json:"admin_graphql_api_customer_kept_id"`
}

// pointsAt says what a delivery on a topic is about: records, or else
// resources of which something has changed. Of a topic that nobody asked for
// nothing need be looked at.
func (d *delivery) pointsAt(topic string) ([]intake.Ref, []intake.Resource, error) {
	what, event, _ := strings.Cut(topic, "/")
	switch what {
	case "orders":
		return d.refs(intake.KindOrder, d.OrderNew.ID, d.Global, d.ID)
	case "refunds", "fulfillments", "order_transactions":
		return d.refs(intake.KindOrder, d.Order)
	case "products":
		refs, _, err := d.refs(intake.KindProduct, d.Global, d.ID)
		if event == "delete" {
			return refs, nil, err
		}
		return refs, []intake.Resource{intake.Variants}, err // their prices and barcodes change with it
	case "inventory_levels", "inventory_items":
		return nil, []intake.Resource{intake.Variants}, nil // it does not say of which variant
	case "collections":
		return d.refs(intake.KindCategory, d.Global, d.ID)
	case "customers":
		if event == "merge" {
			refs, _, err := d.refs(intake.KindCustomer, d.Kept)
			if id := d.Duplicate.ref(); id != "" {
				refs = append(refs, intake.Ref{Kind: intake.KindCustomer, ID: id})
			}
			return refs, nil, err
		}
		return d.refs(intake.KindCustomer, d.Global, d.ID)
	case "locations":
		return d.refs(intake.KindLocation, d.Global, d.ID)
	default:
		return nil, nil, nil
	}
}

// refs is the record that the first of ids names.
func (d *delivery) refs(kind intake.Kind, ids ...scalar) ([]intake.Ref, []intake.Resource, error) {
	for _, id := range ids {
		if n := id.ref(); n != "" {
			return []intake.Ref{{Kind: kind, ID: n}}, nil, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: it names no record", connectors.ErrUnreadable)
}
