package sandbox

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
)

// wooPatience is how many failures in a row a webhook survives.
const wooPatience = 6

// wooTells names the topics of a change. A permanent deletion is not told of,
// nor is a category's change.
func (s *Shop) wooTells(kind EventKind, id int64) []hooked {
	switch kind {
	case OrderPlaced:
		return []hooked{{"order.created", "order", id}}
	case OrderTrashed:
		return []hooked{{"order.deleted", "order", id}}
	case OrderPaid, OrderFailed, OrderWaits, OrderCompleted, OrderCancelled, OrderEdited, OrderRefunded, OrderParted:
		return []hooked{{"order.updated", "order", id}}
	case ProductAdded:
		return []hooked{{"product.created", "product", id}}
	case ProductEdited, PriceChanged, StockChanged, StockTaken:
		return []hooked{{"product.updated", "product", id}}
	case ProductGone:
		if p := s.product(id); p != nil && p.visible != "trash" {
			return []hooked{{"product.restored", "product", id}}
		} else if p != nil {
			return []hooked{{"product.deleted", "product", id}}
		}
	case CustomerAdded:
		return []hooked{{"customer.created", "customer", id}}
	case CustomerEdited:
		return []hooked{{"customer.updated", "customer", id}}
	case CustomerGone:
		return []hooked{{"customer.deleted", "customer", id}}
	case CouponEdited:
		return []hooked{{"coupon.updated", "coupon", id}}
	}
	return nil
}

// wooParcel makes a delivery as it is sent: with the record as it is now.
func (s *Shop) wooParcel(h *subscription, d *delivery) (http.Header, []byte) {
	header := http.Header{"User-Agent": {"WooCommerce/" + s.opt.Version + " Hookshot (WordPress/7.0.4)"}, "Accept": {"*/*"}}
	if d.ping {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		return header, []byte("webhook_id=" + text(h.id))
	}
	body := s.wooPayload(h, d)
	resource, event, _ := strings.Cut(d.topic, ".")
	id := md5.Sum([]byte(text(h.id) + "@" + text(s.now()))) // of all within a second the same
	for k, v := range map[string]string{
		"Content-Type": "application/json", "X-WC-Webhook-Source": h.site + "/", "X-WC-Webhook-Topic": d.topic, "X-WC-Webhook-Resource": resource,
		"X-WC-Webhook-Event": event, "X-WC-Webhook-ID": text(h.id), "X-WC-Webhook-Delivery-ID": hex.EncodeToString(id[:]),
	} {
		header.Set(k, v)
	}
	if !d.bare {
		header.Set("X-WC-Webhook-Signature", signature(h.secret, body))
	}
	return header, body
}

// signature is the base64 of the HMAC-SHA256 of a body.
func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// wooPayload is what the API would answer for the record now, be it that it has
// none; of one that was deleted, only its id.
func (s *Shop) wooPayload(h *subscription, d *delivery) []byte {
	if strings.HasSuffix(d.topic, ".deleted") {
		return []byte(`{"id":` + text(d.id) + `}`)
	}
	parts := []string{d.kind + "s"}
	if v := s.variant(d.id); d.kind == "product" && v != nil && v != v.of.own {
		parts = []string{"products", text(v.of.own.id), "variations"}
	}
	host, secure := strings.CutPrefix(h.site, "https://")
	c := &call{s: s, r: &http.Request{Host: strings.TrimPrefix(host, "http://")}, query: url.Values{}}
	if secure {
		c.r.TLS = &tls.ConnectionState{}
	}
	return c.record(c.collection(parts), d.id).body
}
