package sandbox

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// oauthWindow is how far a timestamp may be from the shop's clock, and how
// long a nonce is remembered.
const oauthWindow = 15 * time.Minute

// authorise checks who asks, as the platform does: Basic or keys in the query
// over TLS, else OAuth 1.0a signed with the consumer secret alone. One thing is
// more lenient: keys in the query also count without TLS, so that the sandbox
// on loopback can be tried with curl.
func (s *Shop) authorise(r *http.Request) *reply {
	q := r.URL.Query()
	key, secret := q.Get("consumer_key"), q.Get("consumer_secret")
	if key == "" && (r.TLS != nil || s.opt.BasicOverHTTP) {
		key, secret, _ = r.BasicAuth()
	}
	if key == "" {
		return s.authoriseOAuth(r, q)
	}
	switch {
	case !same(key, s.opt.Key):
		return cannotView()
	case !same(secret, s.opt.Secret):
		return unauthorised("Consumer secret is invalid.")
	}
	return s.mayWrite(r)
}

// mayWrite refuses changes where the key may only read.
func (s *Shop) mayWrite(r *http.Request) *reply {
	if !s.opt.ReadOnly || !writes(r) {
		return nil
	}
	return unauthorised("The API key provided does not have write permissions.")
}

func (s *Shop) authoriseOAuth(r *http.Request, q url.Values) *reply {
	params := url.Values{}
	for k, v := range q {
		params[k] = v
	}
	if header, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth "); ok {
		for pair := range strings.SplitSeq(header, ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(pair), "=")
			plain, err := url.PathUnescape(strings.Trim(v, `"`))
			if err == nil && k != "realm" {
				params.Set(k, plain)
			}
		}
	}
	if !params.Has("oauth_consumer_key") && !params.Has("oauth_signature") {
		return cannotView()
	}
	for _, k := range []string{"oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"} {
		if params.Get(k) == "" {
			return unauthorised("Missing OAuth parameter " + k)
		}
	}
	if !same(params.Get("oauth_consumer_key"), s.opt.Key) {
		return unauthorised("Consumer key is invalid.")
	}
	want, ok := s.sign(r, params)
	if !ok {
		return unauthorised("Invalid signature - signature method is invalid.")
	}
	if !same(params.Get("oauth_signature"), want) {
		return unauthorised("Invalid signature - provided signature does not match.")
	}
	if bad := s.door.checkNonce(params.Get("oauth_timestamp"), params.Get("oauth_nonce"), s.opt.Now()); bad != nil {
		return bad
	}
	return s.mayWrite(r)
}

// sign makes the signature that the request should carry (RFC 5849, 3.4).
func (s *Shop) sign(r *http.Request, params url.Values) (string, bool) {
	var keys, pairs []string
	escaped := map[string][]string{}
	for k, values := range params {
		if k == "oauth_signature" {
			continue
		}
		keys = append(keys, escape(k))
		for _, v := range values {
			escaped[escape(k)] = append(escaped[escape(k)], escape(v))
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		sort.Strings(escaped[k])
		for _, v := range escaped[k] {
			pairs = append(pairs, k+"="+v)
		}
	}
	text := r.Method + "&" + escape(base(r)+r.URL.EscapedPath()) + "&" + escape(strings.Join(pairs, "&"))
	var kind func() hash.Hash
	switch params.Get("oauth_signature_method") {
	case "HMAC-SHA1":
		kind = sha1.New
	case "HMAC-SHA256":
		kind = sha256.New
	default:
		return "", false
	}
	mac := hmac.New(kind, []byte(s.opt.Secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil)), true
}

// checkNonce refuses a timestamp outside the window and a nonce seen in it.
func (d *door) checkNonce(stamp, nonce string, now time.Time) *reply {
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || at < now.Add(-oauthWindow).Unix() || at > now.Add(oauthWindow).Unix() {
		return unauthorised("Invalid timestamp.")
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	if len(d.nonces) > 4096 {
		maps.DeleteFunc(d.nonces, func(_ string, when int64) bool { return when < now.Add(-oauthWindow).Unix() })
	}
	seen := stamp + " " + nonce
	if _, used := d.nonces[seen]; used {
		return unauthorised("Invalid nonce - nonce has already been used.")
	}
	d.nonces[seen] = at
	return nil
}

// base is the scheme and host that the request names.
func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// escape is the percent-encoding of RFC 3986.
func escape(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") }

func cannotView() *reply {
	return failure(http.StatusUnauthorized, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
}

func unauthorised(message string) *reply {
	return failure(http.StatusUnauthorized, "woocommerce_rest_authentication_error", message)
}
