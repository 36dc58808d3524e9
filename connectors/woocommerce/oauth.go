package woocommerce

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dghubble/oauth1"
)

// sign adds a one-legged OAuth 1.0a signature to query. It is put there and
// not into a header, which some servers drop.
func (c *client) sign(req *http.Request, query url.Values) error {
	signer := &oauth1.HMAC256Signer{ConsumerSecret: c.cfg.ConsumerSecret}
	query.Set("oauth_consumer_key", c.cfg.ConsumerKey)
	query.Set("oauth_nonce", oauth1.HexNoncer{}.Nonce())
	query.Set("oauth_signature_method", signer.Name())
	query.Set("oauth_timestamp", strconv.FormatInt(c.now().Unix(), 10))
	query.Set("oauth_version", "1.0")
	signature, err := signer.Sign("", signatureBase(req, query))
	if err != nil {
		return err
	}
	query.Set("oauth_signature", signature)
	return nil
}

// signatureBase is the text that is signed (RFC 5849, 3.4.1). Empty and
// repeated parameters count.
func signatureBase(req *http.Request, query url.Values) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(query)) {
		for _, v := range slices.Sorted(slices.Values(query[key])) {
			pairs = append(pairs, oauth1.PercentEncode(key)+"="+oauth1.PercentEncode(v))
		}
	}
	target := strings.ToLower(req.URL.Scheme) + "://" + strings.ToLower(req.URL.Host) + req.URL.EscapedPath()
	return req.Method + "&" + oauth1.PercentEncode(target) + "&" + oauth1.PercentEncode(strings.Join(pairs, "&"))
}
