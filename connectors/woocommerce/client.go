package woocommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"
)

// namespace is the API that this connector speaks.
const namespace = "wc/v3"

// client asks one shop. It finds out by itself how the shop is reached: with
// or without pretty permalinks, and where the key is looked for.
type client struct {
	cfg  Config
	base *url.URL
	now  func() time.Time
	rest *rest.Client
	tick atomic.Uint64 // makes each address new, so that no cache answers

	mu     sync.Mutex
	way    way
	proven bool // a request came back with data this way
}

// way is how a shop is reached.
type way struct {
	plain bool   // ?rest_route=/wc/v3/… instead of /wp-json/wc/v3/…
	auth  string // AuthBasic, AuthQuery or AuthOAuth
}

func newClient(env connectors.Env, cfg Config) *client {
	base, _ := parseBase(cfg.URL) // checked by Validate
	c := &client{cfg: cfg, base: base, now: env.Now, way: way{auth: cfg.Auth}}
	if cfg.Auth == AuthAuto {
		c.way.auth = AuthBasic
		if cfg.overHTTP() {
			c.way.auth = AuthOAuth
		}
	}
	c.rest = rest.New(rest.Options{
		Transport:   env.Transport,
		Now:         env.Now,
		Log:         env.Log.With().Str("shop", env.Shop).Logger(),
		MaxInFlight: cfg.MaxInFlight,
		Timeout:     cfg.Timeout,
		MaxBody:     int64(cfg.MaxBody) << 20,
		MinWait:     cfg.RetryWait,
		MaxWait:     40 * cfg.RetryWait,
		Prepare:     c.prepare,
		Final:       refusal,
		Mood:        barred,
		Secrets:     []string{cfg.ConsumerKey, cfg.ConsumerSecret},
	})
	return c
}

// answer is what a route said.
type answer struct {
	Header http.Header
	Body   []byte // JSON, without what surrounds it
}

// total is how many rows the shop has of what was asked for; -1: unknown.
func (a *answer) total() int {
	n, err := strconv.Atoi(strings.TrimSpace(a.Header.Get("X-WP-Total")))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// date is the shop's clock when it answered; zero: unknown.
func (a *answer) date() time.Time {
	at, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// get asks a route of the API, such as "orders". Op says in an error what was
// being done.
func (c *client) get(ctx context.Context, op, route string, query url.Values) (*answer, error) {
	return c.find(ctx, op, "/"+namespace+"/"+route, query)
}

// find asks a route, and as long as no way to the shop has proved itself, it
// tries the others where that may help.
func (c *client) find(ctx context.Context, op, route string, query url.Values) (*answer, error) {
	op = "woocommerce: " + op
	w, proven := c.current()
	a, err := c.ask(ctx, w, op, route, query)
	for err != nil && !proven {
		other, ok := c.detour(w, err)
		if !ok {
			return nil, err
		}
		instead, otherErr := c.ask(ctx, other, op, route, query)
		if otherErr != nil && !spokeJSON(otherErr) {
			if connectors.Ended(otherErr) {
				return nil, otherErr
			}
			return nil, c.lost(err)
		}
		w, a, err = other, instead, otherErr
	}
	if err != nil {
		return nil, err
	}
	c.settle(w)
	return a, nil
}

func (c *client) current() (way, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.way, c.proven
}

func (c *client) settle(w way) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.way, c.proven = w, true
}

// detour returns the way to try after err.
func (c *client) detour(w way, err error) (way, bool) {
	var status *rest.StatusError
	refused := errors.As(err, &status) && status.Status == http.StatusUnauthorized
	var foreign *foreignError
	elsewhere := errors.As(err, &foreign) && (foreign.Status == http.StatusOK || foreign.Status == http.StatusNotFound)
	switch {
	case elsewhere && !w.plain:
		w.plain = true
	case refused && w.auth == AuthBasic && c.cfg.Auth == AuthAuto:
		w.auth = AuthQuery
	default:
		return w, false
	}
	return w, true
}

// lost returns err as that of an address where there is no shop.
func (c *client) lost(err error) error {
	var e *connectors.Error
	var foreign *foreignError
	if errors.As(err, &e) && errors.As(err, &foreign) && foreign.Status == http.StatusNotFound {
		return c.rest.Fail(connectors.Denied, e.Op, e.Err,
			"there is no WooCommerce API at this address: correct url, check that WooCommerce is active, and that no security plugin has switched the REST API off; then run: comptoir check")
	}
	return err
}

// ask sends one request along w.
func (c *client) ask(ctx context.Context, w way, op, route string, query url.Values) (*answer, error) {
	address, query := c.address(w, route, query)
	res, err := c.rest.Get(context.WithValue(ctx, wayKey{}, w), op, address, query, http.Header{
		"Accept":        {"application/json"},
		"Cache-Control": {"no-cache"},
		"User-Agent":    {"Comptoir"},
	})
	if err != nil {
		return nil, c.explain(ctx, op, route, err)
	}
	body, err := clean(res.Body)
	if err != nil {
		return nil, c.foreign(op, res.Status, err)
	}
	return &answer{Header: res.Header, Body: body}, nil
}

// wayKey holds the way of a request in its context, for prepare.
type wayKey struct{}

// prepare shows the key, on each attempt anew: the shop remembers the nonces
// of signatures.
func (c *client) prepare(req *http.Request) error {
	w, _ := req.Context().Value(wayKey{}).(way)
	query := req.URL.Query()
	query.Set("nocache", strconv.FormatUint(c.tick.Add(1), 36)+strconv.FormatInt(c.now().UnixMilli(), 36))
	switch w.auth {
	case AuthBasic:
		req.SetBasicAuth(c.cfg.ConsumerKey, c.cfg.ConsumerSecret)
	case AuthQuery:
		query.Set("consumer_key", c.cfg.ConsumerKey)
		query.Set("consumer_secret", c.cfg.ConsumerSecret)
	case AuthOAuth:
		if err := c.sign(req, query); err != nil {
			return err
		}
	}
	req.URL.RawQuery = query.Encode()
	return nil
}

// address returns where a route lives.
func (c *client) address(w way, route string, query url.Values) (string, url.Values) {
	u := *c.base
	if !w.plain {
		u.Path = c.base.Path + "/wp-json" + route
		return u.String(), query
	}
	u.Path = c.base.Path + "/"
	with := url.Values{"rest_route": {route}}
	for k, v := range query {
		with[k] = v
	}
	return u.String(), with
}

// clean takes off what may stand around JSON without harm: a byte order mark
// and white space. Anything else is not guessed around.
func clean(body []byte) ([]byte, error) {
	text := bytes.TrimSpace(body)
	for bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		text = bytes.TrimSpace(text[3:])
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errCut)
	}
	if text[0] != '{' && text[0] != '[' {
		return nil, fmt.Errorf("%w, it begins with %s", errNotJSON, quote(text))
	}
	return text, nil
}

var (
	// errCut is JSON that ends too early, or that is none further on.
	errCut = errors.New("the answer is cut off or damaged")
	// errNotJSON is an answer that begins as something else.
	errNotJSON = errors.New("the answer is not JSON")
)

// quoted is how much of an answer that is not understood an error shows.
const quoted = 200

func quote(text []byte) string {
	return strconv.Quote(string(bytes.ToValidUTF8(text[:min(len(text), quoted)], []byte("?"))))
}

// foreignError is an answer that does not come from the API.
type foreignError struct {
	Status int
	err    error
}

func (e *foreignError) Error() string { return e.err.Error() }
func (e *foreignError) Unwrap() error { return e.err }

// foreign returns the error for an answer of 200 that is not JSON. It is
// Transient: a plugin or a maintenance page may be in the way for a while.
func (c *client) foreign(op string, status int, err error) error {
	return c.rest.Fail(connectors.Transient, op, &foreignError{status, err},
		"open the address in a browser: a maintenance page, a security plugin, a login page or a PHP notice (set WP_DEBUG_DISPLAY to false) stands before the data")
}

// spokeJSON reports whether the API itself has answered.
func spokeJSON(err error) bool {
	var api *apiError
	return errors.As(err, &api)
}

// apiError is an error that the API states: {code, message, data}.
type apiError struct {
	*rest.StatusError
	Code    string
	Message string
}

func (e *apiError) Error() string {
	return fmt.Sprintf("the shop answered %d %s: %s", e.Status, e.Code, e.Message)
}

func (e *apiError) Unwrap() error { return e.StatusError }

// parseError reads an error of the API out of an answer.
func parseError(body []byte) (code, message string, ok bool) {
	text, err := clean(body)
	if err != nil {
		return "", "", false
	}
	var e struct {
		Code    scalar `json:"code"`
		Message scalar `json:"message"`
	}
	if json.Unmarshal(text, &e) != nil || e.Code.text == "" {
		return "", "", false
	}
	return e.Code.text, html.UnescapeString(strings.TrimSpace(e.Message.text)), true
}

// refusal reports whether an error of the server is one that WooCommerce has
// thought about: it answers some refusals with a 500.
func refusal(_ int, body []byte) bool {
	code, _, ok := parseError(body)
	return ok && strings.HasPrefix(code, "woocommerce_rest_")
}

// barred reports whether something before the shop refuses, not the shop.
// Firewalls do so now and then to one request of many.
func barred(status int, body []byte) bool {
	_, _, ok := parseError(body)
	return !ok && (status == http.StatusForbidden || status == http.StatusNotAcceptable)
}

// noRoute reports whether the shop does not know the route.
func noRoute(err error) bool {
	var api *apiError
	return errors.As(err, &api) && api.Code == "rest_no_route"
}

// absent reports whether the shop says that it does not have the record. A
// page that is missing for another reason does not say so.
func absent(err error) bool {
	var api *apiError
	if !errors.As(err, &api) || api.Status != http.StatusNotFound && api.Status != http.StatusGone {
		return false
	}
	return strings.HasPrefix(api.Code, "woocommerce_rest_") || strings.HasPrefix(api.Code, "wc_")
}

// invalid reports whether the shop does not understand the question.
func invalid(err error) bool {
	var status *rest.StatusError
	return errors.As(err, &status) && status.Status == http.StatusBadRequest
}

// explain puts an error of the transport into the words of this platform.
func (c *client) explain(ctx context.Context, op, route string, err error) error {
	var e *connectors.Error
	if !errors.As(err, &e) || ctx.Err() != nil {
		return err
	}
	var status *rest.StatusError
	if !errors.As(err, &status) {
		return e
	}
	if status.Location != "" {
		e.Fix = fmt.Sprintf("redirects are not followed, since they lose the key: set url to %q, then run: comptoir check", siteOf(status.Location, route))
		return e
	}
	if code, message, ok := parseError(status.Body); ok {
		e.Err = c.rest.Fail(e.Class, op, &apiError{status, code, message}, "").Err
	} else {
		e.Err = c.rest.Fail(e.Class, op, &foreignError{status.Status, fmt.Errorf("%w, not as JSON, but as %s", status, quote(bytes.TrimSpace(status.Body)))}, "").Err
	}
	c.judge(e)
	return e
}

// judge gives an answer of the shop its class and its advice.
func (c *client) judge(e *connectors.Error) {
	var api *apiError
	var status *rest.StatusError
	_ = errors.As(e, &status)
	isAPI := errors.As(e, &api)
	_, proven := c.current()
	switch {
	case isAPI && api.Code == "rest_no_route":
		e.Class = connectors.Denied
		e.Fix = "WordPress answers, but has no WooCommerce API here: activate WooCommerce, bring it up to date, and check url; then run: comptoir check"
	case isAPI && status.Status == http.StatusUnauthorized && strings.Contains(strings.ToLower(api.Message), "timestamp"):
		e.Fix = "the signature is refused because the clocks of the shop and of this machine differ by more than 15 minutes: set them right"
	case status.Status == http.StatusUnauthorized || isAPI && status.Status == http.StatusForbidden:
		e.Class = connectors.Denied
		e.Fix = "Either the key and its secret are wrong or were deleted, or the key or its user may not read this; WooCommerce does not say which. " +
			"Make a key with read access for an administrator or shop manager: WooCommerce, Settings, Advanced, REST API. " +
			"Put it into consumer_key and consumer_secret."
		if c.cfg.overHTTP() {
			e.Fix += " Over plain http only auth: oauth1 is heard."
		}
		e.Fix += " Then run: comptoir check"
	case barred(status.Status, status.Body):
		e.Class = connectors.Denied
		e.Fix = "something before the shop (a firewall, a security plugin, the host) refuses this machine: have its address allowed"
	case isAPI && status.Status >= 500 && refusal(status.Status, status.Body):
		e.Class = connectors.Rejected
	case !isAPI && status.Status == http.StatusNotFound && proven:
		e.Class = connectors.Transient // it was there a moment ago
	case !isAPI && status.Status == http.StatusNotFound:
		e.Class = connectors.Denied
		e.Fix = "there is no WooCommerce API at this address: correct url, then run: comptoir check"
	case status.Status >= 500 && e.Fix == "":
		e.Fix = "if it stays so, the reason is in the error log of the shop's server"
	}
}

// siteOf returns the address of a shop from where a request was sent to.
func siteOf(location, route string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(path.Clean("/"+u.Path), route), "/wp-json")
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u.String()
}
