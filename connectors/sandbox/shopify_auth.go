package sandbox

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// How long what a grant gives is good for.
const (
	clientTokenLife  = 24 * time.Hour
	offlineTokenLife = time.Hour
	refreshTokenLife = 90 * 24 * time.Hour
)

// tokens are what lets an app in: one static token, and those given out to
// the app's id and secret.
type tokens struct {
	lock       sync.Mutex
	static     string
	id, secret string
	scope      string
	chance     *dice
	good       map[string]time.Time // until when an access token is
	refresh    string               // the newest refresh token
	before     string               // the one before it, good until the newest is used
}

func (t *tokens) open(s *Shop, scopes []string) {
	t.chance = s.dice(dieToken, 0)
	t.id = t.chance.hex(32)
	t.refresh = "shprt_" + t.chance.hex(32)
	t.static, t.secret = s.opt.Key, s.opt.Secret
	t.scope = strings.Join(scopes, ",")
	t.good = map[string]time.Time{}
}

// ClientID returns the id of the Shopify app that Secret belongs to.
func (s *Shop) ClientID() string { return s.shopify.tokens.id }

// RefreshToken returns the refresh token of a Shopify app with expiring offline
// tokens that would be taken next: the newest.
func (s *Shop) RefreshToken() string {
	t := &s.shopify.tokens
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.refresh
}

// ExpireTokens ends all access tokens that were given out to the Shopify app.
// Key stays good.
func (s *Shop) ExpireTokens() {
	t := &s.shopify.tokens
	t.lock.Lock()
	defer t.lock.Unlock()
	clear(t.good)
}

// refuse checks the access token of a request.
func (t *tokens) refuse(r *http.Request, now time.Time) *reply {
	t.lock.Lock()
	defer t.lock.Unlock()
	token := r.Header.Get("X-Shopify-Access-Token")
	until, given := t.good[token]
	if same(token, t.static) || given && now.Before(until) {
		return nil
	}
	return badToken()
}

// expire ends one access token.
func (t *tokens) expire(token string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	delete(t.good, token)
}

func badToken() *reply {
	return shopifyErrors(http.StatusUnauthorized, "[API] Invalid API key or access token (unrecognized login or wrong password)")
}

// grant gives out tokens: client credentials for an app of the shop's own, or
// a refresh token for an app with expiring offline tokens.
func (s *Shop) grant(r *http.Request) *reply {
	asked := tokenRequest(r)
	if r.Method != http.MethodPost {
		return shopifyErrors(http.StatusNotFound, "Not Found")
	}
	t := &s.shopify.tokens
	t.lock.Lock()
	defer t.lock.Unlock()
	if !same(asked["client_id"], t.id) || !same(asked["client_secret"], t.secret) {
		return oauthError("invalid_client", "Client authentication failed")
	}
	now := s.opt.Now()
	switch asked["grant_type"] {
	case "client_credentials":
		return granted(map[string]any{"access_token": t.issue(now, clientTokenLife), "scope": t.scope, "expires_in": seconds(clientTokenLife)})
	case "refresh_token":
		switch given := asked["refresh_token"]; {
		case same(given, t.refresh):
			t.before = t.refresh
			t.refresh = "shprt_" + t.chance.hex(32)
		case t.before != "" && same(given, t.before): // its successor got lost: it is handed out again
		default:
			return oauthError("invalid_grant", "This refresh token is invalid or was used before")
		}
		return granted(map[string]any{"access_token": t.issue(now, offlineTokenLife), "scope": t.scope, "expires_in": seconds(offlineTokenLife),
			"refresh_token": t.refresh, "refresh_token_expires_in": seconds(refreshTokenLife)})
	}
	return oauthError("unsupported_grant_type", "Use client_credentials or refresh_token")
}

func (t *tokens) issue(now time.Time, life time.Duration) string {
	token := "shpat_" + t.chance.hex(32)
	t.good[token] = now.Add(life)
	return token
}

// tokenRequest reads the parameters of a grant, from a form or from JSON.
func tokenRequest(r *http.Request) map[string]string {
	asked := map[string]string{}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return asked
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		if json.Unmarshal(body, &asked) != nil {
			clear(asked)
		}
		return asked
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return asked
	}
	for k := range form {
		asked[k] = form.Get(k)
	}
	return asked
}

func seconds(d time.Duration) int { return int(d / time.Second) }

func granted(said map[string]any) *reply { return jsonOf(http.StatusOK, said) }

func oauthError(code, why string) *reply {
	return jsonOf(http.StatusBadRequest, map[string]any{"error": code, "error_description": why})
}

func jsonOf(status int, said map[string]any) *reply {
	body, err := json.Marshal(said)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return &reply{status: status, header: http.Header{"Content-Type": {graphQLType}}, body: body}
}
