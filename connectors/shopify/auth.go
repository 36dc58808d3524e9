package shopify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"
)

// renewAhead is how long before its end a token is renewed.
const renewAhead = 5 * time.Minute

// keptToken is the name under which the tokens of a shop are kept.
const keptToken = "shopify-token"

// auth has the token that opens the shop. There is one for all work on it, and
// only one renews it at a time.
type auth struct {
	cfg    Config
	now    func() time.Time
	keeper connectors.Keeper
	rest   *rest.Client
	base   *url.URL

	lock chan struct{} // held by who looks at or renews what follows
	have tokens
}

// tokens are what the shop has given. They are kept as JSON.
type tokens struct {
	// Of is the digest of the refresh token in the configuration that these
	// come from: another one there takes their place.
	Of      string    `json:"of,omitempty"`
	Access  string    `json:"access,omitempty"`
	Until   time.Time `json:"until,omitzero"` // of Access; zero: not known
	Refresh string    `json:"refresh,omitempty"`

	kept bool
}

func newAuth(env connectors.Env, cfg Config, client *rest.Client, base *url.URL) *auth {
	a := &auth{cfg: cfg, now: env.Now, keeper: env.Keeper, rest: client, base: base, lock: make(chan struct{}, 1)}
	switch {
	case cfg.AccessToken != "":
		a.have = tokens{Access: cfg.AccessToken}
	case cfg.RefreshToken != "":
		sum := sha256.Sum256([]byte(cfg.ClientID + "\n" + cfg.RefreshToken))
		a.have = tokens{Of: hex.EncodeToString(sum[:]), Refresh: cfg.RefreshToken, kept: true}
	}
	return a
}

// renews reports whether a token that the shop refuses can be renewed.
func (a *auth) renews() bool { return a.cfg.AccessToken == "" }

// rotates reports whether each renewal also gives a new refresh token.
func (a *auth) rotates() bool { return a.cfg.RefreshToken != "" }

// token returns the token to show.
func (a *auth) token(ctx context.Context, op string) (string, error) {
	if !a.renews() {
		return a.cfg.AccessToken, nil
	}
	return a.locked(ctx, func() error {
		if a.fresh("") {
			return a.keep(ctx, op)
		}
		return a.obtain(ctx, op, "")
	})
}

// renew returns a token in place of one that the shop has refused.
func (a *auth) renew(ctx context.Context, op, refused string) (string, error) {
	return a.locked(ctx, func() error {
		if a.fresh(refused) {
			return a.keep(ctx, op) // somebody else has renewed it meanwhile
		}
		return a.obtain(ctx, op, refused)
	})
}

// locked runs fn alone and returns the token after it.
func (a *auth) locked(ctx context.Context, fn func() error) (string, error) {
	select {
	case a.lock <- struct{}{}:
		defer func() { <-a.lock }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if err := fn(); err != nil {
		return "", err
	}
	return a.have.Access, nil
}

// fresh reports whether there is a token that will serve for a while, and that
// is not the refused one.
func (a *auth) fresh(refused string) bool {
	return a.have.Access != "" && a.have.Access != refused && (a.have.Until.IsZero() || a.now().Before(a.have.Until.Add(-renewAhead)))
}

// obtain gets another token: the one that was kept, or a new one of the shop.
func (a *auth) obtain(ctx context.Context, op, refused string) error {
	if !a.rotates() {
		given, err := a.ask(ctx, op, url.Values{"grant_type": {"client_credentials"}})
		if err != nil {
			return err
		}
		a.take(tokens{Access: given.Access, Until: given.until(a.now()), kept: true})
		return nil
	}
	// Another process may have renewed them.
	if err := a.recall(ctx, op); err != nil || a.fresh(refused) {
		return err
	}
	given, err := a.ask(ctx, op, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.have.Refresh}})
	if err != nil {
		return err
	}
	a.take(tokens{Of: a.have.Of, Access: given.Access, Until: given.until(a.now()), Refresh: given.Refresh})
	return a.keep(ctx, op)
}

// take remembers new tokens, and hides them and those before them from errors
// and logs.
func (a *auth) take(t tokens) {
	a.rest.Conceal(a.have.Access, a.have.Refresh, t.Access, t.Refresh)
	a.have = t
}

// recall reads the tokens that were kept, unless they come from another
// refresh token than the configuration now has.
func (a *auth) recall(ctx context.Context, op string) error {
	if a.keeper == nil {
		return a.rest.Fail(connectors.Denied, op, errors.New("a refresh token is used up when it is used, and there is no place here to keep the next one"),
			"run this from where the books are, or use an access token that does not expire")
	}
	if !a.have.kept {
		return nil // ours are newer
	}
	raw, err := a.keeper.Kept(ctx, keptToken)
	if err != nil {
		return a.unkept(ctx, op, "read the token that was kept", err)
	}
	var kept tokens
	if len(raw) == 0 || json.Unmarshal(raw, &kept) != nil || kept.Of != a.have.Of || kept.Refresh == "" {
		return nil
	}
	kept.kept = true
	a.take(kept)
	return nil
}

// keep makes new tokens last before they are used: once they are, those before
// them open nothing any more.
func (a *auth) keep(ctx context.Context, op string) error {
	if a.have.kept {
		return nil
	}
	raw, err := json.Marshal(a.have)
	if err == nil {
		err = a.keeper.Keep(ctx, keptToken, raw)
	}
	if err != nil {
		return a.unkept(ctx, op, "keep the renewed token", err)
	}
	a.have.kept = true
	return nil
}

func (a *auth) unkept(ctx context.Context, op, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.rest.Fail(connectors.Transient, op, fmt.Errorf("%s: %w", what, err), "")
}

// grant is what the shop gives for credentials.
type grant struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Expires int64  `json:"expires_in"` // seconds; 0: it does not say
}

func (g grant) until(now time.Time) time.Time {
	if g.Expires <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(g.Expires) * time.Second)
}

// ask asks the shop for a token.
func (a *auth) ask(ctx context.Context, op string, form url.Values) (grant, error) {
	form.Set("client_id", a.cfg.ClientID)
	form.Set("client_secret", a.cfg.ClientSecret)
	address := *a.base
	address.Path += "/admin/oauth/access_token"
	asked := a.now()
	res, err := a.rest.Post(ctx, rest.Call{Op: op, Address: address.String(), Body: []byte(form.Encode()), Header: http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/x-www-form-urlencoded"},
		"User-Agent":   {"Comptoir"},
	}})
	if err != nil {
		return grant{}, a.explain(err)
	}
	var given grant
	if err := json.Unmarshal(res.Body, &given); err != nil || given.Access == "" || a.rotates() && given.Refresh == "" {
		return grant{}, a.rest.Fail(connectors.Transient, op, errors.New("the shop answered the request for a token with something else"), "check url; then run: comptoir check")
	}
	if given.Expires > 0 {
		// It began to run when it was made, which is not later than this.
		given.Expires -= int64(a.now().Sub(asked) / time.Second)
	}
	return given, nil
}

// explain puts a refusal of the token into words.
func (a *auth) explain(err error) error {
	var e *connectors.Error
	var status *rest.StatusError
	if !errors.As(err, &e) || !errors.As(err, &status) || status.Status >= 500 || e.Class == connectors.Throttled {
		return err
	}
	var said struct {
		Code text `json:"error"`
		Text text `json:"error_description"`
	}
	cause := error(status)
	if json.Unmarshal(status.Body, &said) == nil && said.Code != "" {
		cause = fmt.Errorf("%w: %s", status, strings.TrimSpace(string(said.Code+" "+said.Text)))
	}
	advice := a.advice()
	if said.Code == "" && (status.Status == http.StatusNotFound || status.Status < 400) { // nobody who gives tokens
		advice = ownAddress
	}
	return a.rest.Fail(connectors.Denied, e.Op, fmt.Errorf("the shop gives no token: %w", cause), advice+"; then run: comptoir check")
}

// advice says what to do where the shop does not know us.
func (a *auth) advice() string {
	switch {
	case !a.renews():
		return "the access token is wrong or was taken back: install its app again under Settings, Apps, Develop apps, and put the new token into access_token; " +
			"or make an app in the Dev Dashboard, and put its client_id and client_secret in place of it"
	case a.rotates():
		return "the refresh token is wrong or has ended: check client_id and client_secret, install the app again and put its new token into refresh_token"
	default:
		return "check client_id and client_secret, that the app is installed, and that it belongs to the same organisation as the shop"
	}
}
