package sandbox

import (
	"net/http"
	"strings"
)

// shopifyHits are the faults that only Shopify's dialect has.
type shopifyHits struct {
	throttled, beside, internal bool
	denied                      bool // protected customer data is
	version, deprecated         bool
	status                      bool // of orders is one that nobody knows
	fate                        bulkFate
	stuck, full                 bool
	busy                        bool // another request has the idempotency key
	forgets                     bool // idempotency keys
}

// add takes a fault down; false where it is none of these.
func (h *shopifyHits) add(name string) bool {
	switch name {
	case "throttled":
		h.throttled = true
	case "error-beside":
		h.beside = true
	case "internal":
		h.internal = true
	case "denied":
		h.denied = true
	case "old-version":
		h.version = true
	case "deprecated":
		h.deprecated = true
	case "new-status":
		h.status = true
	case "busy-key":
		h.busy = true
	case "key-forgotten":
		h.forgets = true
	case "bulk-failed":
		h.fate = bulkFails
	case "bulk-expired":
		h.fate = bulkExpires
	case "bulk-short":
		h.fate = bulkLacks
	case "bulk-stuck":
		h.stuck = true
	case "bulk-full":
		h.full = true
	default:
		return false
	}
	return true
}

// where is what a path must contain for the fault to hit it.
func (f *Fault) where() string {
	if f.Path != "" {
		return f.Path
	}
	switch f.Name {
	case "throttled", "error-beside", "internal", "denied", "old-version", "deprecated", "new-status", "token-end", "busy-key", "key-forgotten":
		return graphQLFile
	case "bulk-failed", "bulk-expired", "bulk-short", "bulk-full":
		return "/bulkOperationRunQuery"
	case "bulk-stuck":
		return "/bulkOperation"
	case "bulk-cut":
		return bulkRoot
	}
	return ""
}

// substitute is the answer that a fault gives in Shopify's words; nil where it
// has none of its own.
func (p *shopify) substitute(f *Fault, r *http.Request) *reply {
	switch f.Name {
	case "429":
		return shopifyErrors(http.StatusTooManyRequests, "Too Many Requests")
	case "430":
		return shopifyErrors(430, "Security Rejection")
	case "frozen":
		return shopifyErrors(http.StatusPaymentRequired, "Unavailable Shop")
	case "locked":
		return shopifyErrors(http.StatusLocked, "Unavailable Shop")
	case "forbidden":
		return shopifyErrors(http.StatusForbidden, "[API] This action requires merchant approval for read_orders scope.")
	case "retired-key":
		return badToken()
	case "token-end":
		p.tokens.expire(strings.TrimSpace(r.Header.Get("X-Shopify-Access-Token")))
		return badToken()
	}
	return nil
}
