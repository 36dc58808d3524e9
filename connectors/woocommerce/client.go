package woocommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
		Secrets:     []string{cfg.ConsumerKey, cfg.ConsumerSecret, cfg.WebhookSecret, cfg.hookSecret()},
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
	return c.reach(ctx, question{op: "woocommerce: " + op, method: http.MethodGet, route: route, query: query})
}

// write sends body to a route of the API. It is sent once: the shop knows no
// keys that would make a second time harmless, so whoever asked looks first
// what came of it.
func (c *client) write(ctx context.Context, op, method, route string, body any) (*answer, error) {
	op = "woocommerce: " + op
	text, err := json.Marshal(body)
	if err != nil {
		return nil, c.rest.Fail(connectors.Rejected, op, err, "")
	}
	if err := c.prove(ctx, op); err != nil {
		return nil, err
	}
	return c.reach(ctx, question{op: op, method: method, route: "/" + namespace + "/" + route, body: text})
}

// prove finds the way to the shop by a question, where none has proved itself:
// what is written could arrive along one way and be sent along the next as well.
func (c *client) prove(ctx context.Context, op string) error {
	if _, proven := c.current(); proven {
		return nil
	}
	_, err := c.reach(ctx, question{op: op, method: http.MethodGet, route: "/" + namespace + "/orders", query: url.Values{"per_page": {"1"}, "_fields": {"id"}}})
	return err
}

// question is one request to the shop, before it is known how it is reached.
type question struct {
	op     string
	method string // GET, POST or PUT
	route  string
	query  url.Values
	body   []byte
}

// reach asks along the way that has proved itself, or finds one.
func (c *client) reach(ctx context.Context, q question) (*answer, error) {
	w, proven := c.current()
	a, err := c.ask(ctx, w, q)
	for err != nil && !proven {
		other, ok := c.detour(w, err)
		if !ok {
			return nil, err
		}
		instead, otherErr := c.ask(ctx, other, q)
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
func (c *client) ask(ctx context.Context, w way, q question) (*answer, error) {
	address, query := c.address(w, q.route, q.query)
	header := http.Header{
		"Accept":        {"application/json"},
		"Cache-Control": {"no-cache"},
		"User-Agent":    {"Comptoir"},
	}
	res, err := c.exchange(context.WithValue(ctx, wayKey{}, w), q, address, query, header)
	if err != nil {
		return nil, c.explain(ctx, q, err)
	}
	body, err := clean(res.Body)
	if err != nil {
		return nil, c.foreign(q.op, res.Status, err)
	}
	return &answer{Header: res.Header, Body: body}, nil
}

func (c *client) exchange(ctx context.Context, q question, address string, query url.Values, header http.Header) (*rest.Response, error) {
	if q.method == http.MethodGet {
		return c.rest.Get(ctx, q.op, address, query, header)
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	call := rest.Call{Op: q.op, Address: address, Header: header, Body: q.body, Once: true}
	if q.method == http.MethodPut {
		return c.rest.Put(ctx, call)
	}
	return c.rest.Post(ctx, call)
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
