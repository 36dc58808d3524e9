// Package rest is the HTTP client of the connectors: resty, set up once.
//
// It keeps at most so many requests of a shop in flight, tries again what may
// pass (429, 503 and other 5xx, connections that break), heeds Retry-After,
// never follows a redirect, gives each attempt a time limit and each answer a
// size limit, keeps secrets out of errors and logs, and turns whatever goes
// wrong into a connectors.Error of the right class.
package rest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"comptoir/connectors"

	"github.com/go-resty/resty/v2"
	"github.com/rs/zerolog"
)

// The defaults of Options.
const (
	DefaultMaxInFlight       = 2
	DefaultTimeout           = 90 * time.Second
	DefaultMaxBody     int64 = 32 << 20
	DefaultRetries           = 3
	DefaultMinWait           = 500 * time.Millisecond
	DefaultMaxWait           = 20 * time.Second
)

// Options set a Client up. Zero values mean the defaults.
type Options struct {
	// Transport carries every request. Nil means a copy of Go's default.
	Transport http.RoundTripper
	// Now is the clock; never nil.
	Now func() time.Time
	// Log takes one debug event for each attempt.
	Log zerolog.Logger
	// MaxInFlight is how many requests may be on their way at once. Waiting
	// for a retry does not count, reading the answer does.
	MaxInFlight int
	// Timeout is how long one attempt may take, from sending to the last
	// byte of the answer.
	Timeout time.Duration
	// MaxBody is how many bytes an answer may have, after decompression.
	MaxBody int64
	// Retries is how often a request is tried again; negative: never. A
	// request thus waits at most Retries times MaxWait.
	Retries int
	// MinWait and MaxWait bound the wait before a retry. A Retry-After beyond
	// MaxWait is not waited for: the error carries it to the engine.
	MinWait, MaxWait time.Duration
	// Prepare, when set, is called on each attempt just before it is sent, so
	// that a signature with a nonce is made anew.
	Prepare func(*http.Request) error
	// Final, when set, reports whether an answer of 500 or above would be the
	// same next time, so that trying again is of no use.
	Final func(status int, body []byte) bool
	// Mood, when set, reports whether an answer of 400 to 499 may be another
	// one in a moment, so that it is worth trying again: that of a firewall.
	Mood func(status int, body []byte) bool
	// Secrets are texts that never show up in an error or in the log.
	Secrets []string
}

func (o Options) withDefaults() Options {
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Retries == 0 {
		o.Retries = DefaultRetries
	}
	if o.MinWait <= 0 {
		o.MinWait = DefaultMinWait
	}
	if o.MaxWait <= 0 {
		o.MaxWait = DefaultMaxWait
	}
	return o
}

// Client speaks to one shop. It is safe for concurrent use.
type Client struct {
	opts   Options
	resty  *resty.Client
	redact *redactor
}

// New returns a client. It does no I/O.
func New(o Options) *Client {
	o = o.withDefaults()
	c := &Client{opts: o, redact: newRedactor(o.Secrets)}
	// The transport unpacks answers itself, and tells the cases apart that a
	// plain http.Transport cannot: undeclared gzip, a limit on the size.
	c.resty = resty.NewWithClient(&http.Client{Transport: newGuard(o)}).
		SetLogger(quiet{}).
		SetRedirectPolicy(resty.RedirectPolicyFunc(refuseRedirect)).
		SetRetryCount(max(o.Retries, 0)).
		SetRetryWaitTime(o.MinWait).
		SetRetryMaxWaitTime(o.MaxWait).
		SetRetryAfter(c.retryAfter).
		AddRetryCondition(c.again).
		AddRetryHook(c.logRetry).
		SetPreRequestHook(c.before)
	return c
}

// before is called on each attempt just before it is sent.
func (c *Client) before(_ *resty.Client, req *http.Request) error {
	if call := callOf(req.Context()); call != nil && call.Before != nil {
		if err := call.Before(req.Context()); err != nil {
			return err
		}
	}
	if c.opts.Prepare != nil {
		return c.opts.Prepare(req)
	}
	return nil
}

// refuseRedirect makes the client take a redirect for the answer: following it
// would drop the credentials or hand them to another host.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Response is an answer of 200 to 299, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get asks for a page. Op says in an error what was being done
// ("woocommerce: list orders"). The error is a *connectors.Error, or that of
// ctx when it has ended; where the shop did answer, it wraps a *StatusError.
func (c *Client) Get(ctx context.Context, op, address string, query url.Values, header http.Header) (*Response, error) {
	req := c.resty.R().SetContext(ctx).SetQueryParamsFromValues(query)
	for name, values := range header {
		req.Header[name] = values
	}
	return c.send(ctx, req, http.MethodGet, op, address)
}

// send makes the attempts of one request and returns its answer.
func (c *Client) send(ctx context.Context, req *resty.Request, method, op, address string) (*Response, error) {
	begun := c.opts.Now()
	res, err := req.Execute(method, address)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, c.failed(op, address, err)
	}
	c.opts.Log.Debug().Str("op", op).Int("status", res.StatusCode()).Int("bytes", len(res.Body())).
		Int("attempt", res.Request.Attempt).Str("took", c.opts.Now().Sub(begun).Round(time.Millisecond).String()).Msg("request answered")
	if res.StatusCode() < 200 || res.StatusCode() > 299 {
		return nil, c.refused(op, res.RawResponse, res.Body())
	}
	return &Response{Status: res.StatusCode(), Header: res.Header(), Body: res.Body()}, nil
}

// Conceal adds secrets that came up after New, such as a token that the shop
// has renewed. Each call takes the place of the one before.
func (c *Client) Conceal(secrets ...string) {
	c.redact.conceal(append(slices.Clone(c.opts.Secrets), secrets...))
}

// Redact returns text without the secrets of the client.
func (c *Client) Redact(text string) string { return c.redact.clean(text) }

// Fail returns an error of a connector whose text holds no secret.
func (c *Client) Fail(class connectors.Class, op string, err error, fix string) *connectors.Error {
	return &connectors.Error{Class: class, Op: op, Err: c.redact.wrap(err), Fix: c.redact.clean(fix)}
}

// quiet takes resty's own messages, which may hold addresses with secrets. All
// that they tell comes back as an error too.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Debugf(string, ...any) {}
