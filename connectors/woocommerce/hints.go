package woocommerce

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

var _ connectors.Hinter = (*Connector)(nil)

// The headers of a delivery.
const (
	hookTopic     = "X-WC-Webhook-Topic"
	hookSource    = "X-WC-Webhook-Source"
	hookSignature = "X-WC-Webhook-Signature"
	hookDelivery  = "X-WC-Webhook-Delivery-ID"
)

// ping is what WooCommerce sends, unsigned, when a webhook is made.
var ping = regexp.MustCompile(`^webhook_id=[0-9]+$`)

// Hint checks a delivery and says what to look at. A delivery holds the record
// as it was when it was sent, which is not when it changed; so only its id is
// taken.
func (c *Connector) Hint(header http.Header, body []byte) (connectors.Hint, error) {
	if header.Get(hookSignature) == "" && ping.Match(bytes.TrimSpace(body)) {
		return connectors.Hint{}, nil
	}
	if !c.signed(header.Get(hookSignature), body) {
		return connectors.Hint{}, connectors.ErrSignature
	}
	if source := header.Get(hookSource); source != "" && !c.ours(source) {
		return connectors.Hint{}, connectors.ErrForeign
	}
	return hintOf(header.Get(hookTopic), header.Get(hookDelivery), body)
}

// signed reports whether the shop has signed body, in constant time.
func (c *Connector) signed(signature string, body []byte) bool {
	got, err := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(c.cfg.hookSecret()))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}

// ours reports whether a site is this shop. Its scheme and its port are not
// looked at: behind a proxy a site knows itself under others. It matters though
// the delivery is signed: a copy of a shop, made to try things on, has its
// secret too.
func (c *Connector) ours(source string) bool {
	u, err := url.Parse(strings.TrimSpace(source))
	if err != nil {
		return false
	}
	return siteName(u) == siteName(c.api.base)
}

// siteName is the host and the folder of a site.
func siteName(u *url.URL) string {
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") + "/" + strings.Trim(u.Path, "/")
}

// delivery is what is read of the record that a delivery holds.
type delivery struct {
	ID       scalar `json:"id"`
	ParentID scalar `json:"parent_id"`
	Modified scalar `json:"date_modified_gmt"`
	Code     scalar `json:"code"` // of an error, and of a coupon
	Data     object[struct {
		Status scalar `json:"status"`
	}] `json:"data"`
}

// hintOf says what a delivery that is signed points at.
func hintOf(topic, sent string, body []byte) (connectors.Hint, error) {
	topic = strings.ToLower(strings.TrimSpace(topic))
	var d delivery
	if text, err := clean(body); err != nil {
		return connectors.Hint{}, fmt.Errorf("%w: %w", connectors.ErrUnreadable, err)
	} else if err := json.Unmarshal(text, &d); err != nil {
		return connectors.Hint{}, fmt.Errorf("%w: %w", connectors.ErrUnreadable, err)
	}
	hint := connectors.Hint{Topic: topic, Key: hookKey(topic, sent, &d, body)}
	kind, _, _ := strings.Cut(topic, ".")
	switch {
	case d.ID.id() == 0 && d.Data.v.Status.trimmed() != "":
		hint.Pull = pullFor(kind) // the record was gone when the delivery was made
	case d.ID.id() == 0:
		return connectors.Hint{}, fmt.Errorf("%w: it names no record", connectors.ErrUnreadable)
	default:
		if ref, ok := refOf(kind, &d); ok {
			hint.Refs = []intake.Ref{ref}
		}
	}
	return hint, nil
}

// refOf names the record of a delivery; false for one that the books do not
// look at.
func refOf(kind string, d *delivery) (intake.Ref, bool) {
	id := d.ID.ref()
	switch kind {
	case "order":
		return intake.Ref{Kind: intake.KindOrder, ID: id}, true
	case "product":
		if parent := d.ParentID.ref(); parent != "" {
			return intake.Ref{Kind: intake.KindVariant, ID: id, Parent: parent}, true
		}
		return intake.Ref{Kind: intake.KindProduct, ID: id}, true
	case "customer":
		return intake.Ref{Kind: intake.KindCustomer, ID: id}, true
	case "coupon":
		return intake.Ref{Kind: intake.KindCoupon, ID: id}, true
	default:
		return intake.Ref{}, false
	}
}

// pullFor returns what to read where a delivery does not say which record it
// is about. Customers are left to their schedule: they can only be read whole.
func pullFor(kind string) []intake.Resource {
	switch kind {
	case "order":
		return []intake.Resource{intake.Orders}
	case "product":
		return []intake.Resource{intake.Products, intake.Variants}
	default:
		return nil
	}
}

// hookKey names the event of a delivery. The shop's own id of the delivery
// does not: it is a digest of the webhook and the second, so all that changes
// within a second shares it. It only tells apart what carries no date: the same
// order may be put in the trash twice.
func hookKey(topic, sent string, d *delivery, body []byte) string {
	sum := sha256.Sum256(body)
	when := d.Modified.trimmed()
	if when == "" {
		when = strings.TrimSpace(sent)
	}
	return strings.Join([]string{topic, d.ID.trimmed(), when, hex.EncodeToString(sum[:])}, "/")
}
