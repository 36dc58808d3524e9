package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"

	"github.com/rs/zerolog"
)

// retries is how often a request is tried again, for want of points or after
// a stumble.
const retries = 4

// client asks one shop. All work on the shop shares it, so that it is paced
// and let in as one.
type client struct {
	cfg      Config
	base     *url.URL
	log      zerolog.Logger
	rest     *rest.Client
	auth     *auth
	governor *governor
	versions *versions
}

func newClient(env connectors.Env, cfg Config) *client {
	base, _ := parseBase(cfg.URL) // checked by Validate
	log := env.Log.With().Str("shop", env.Shop).Logger()
	c := &client{
		cfg: cfg, base: base, log: log,
		rest: rest.New(rest.Options{
			Transport:   env.Transport,
			Now:         env.Now,
			Log:         log,
			MaxInFlight: cfg.MaxInFlight,
			Timeout:     cfg.Timeout,
			MaxBody:     int64(cfg.MaxBody) << 20,
			Retries:     retries,
			MinWait:     cfg.RetryWait,
			MaxWait:     40 * cfg.RetryWait,
			Mood:        weary,
			Secrets:     []string{cfg.AccessToken, cfg.ClientSecret, cfg.RefreshToken, cfg.WebhookSecret},
		}),
		governor: newGovernor(env.Now),
		versions: newVersions(cfg.APIVersion, env.Now, log),
	}
	c.auth = newAuth(env, cfg, c.rest, base)
	return c
}

// do sends a document and decodes the data into out. Op says in an error what
// was being done ("list orders"). The error is a *connectors.Error, or that of
// ctx when it has ended. Errors beside the data are an error, except where a
// field was denied that can be done without: those are in the answer.
func (c *client) do(ctx context.Context, op string, doc document, vars map[string]any, out any) (*answer, error) {
	return c.send(ctx, op, doc, vars, out, false)
}

// doOnce is do for a mutation that makes something and has no idempotency key, or
// is not to rely on it: where the shop may have carried it out, it is not sent
// again. Whoever tries again looks first whether it is there.
func (c *client) doOnce(ctx context.Context, op string, doc document, vars map[string]any, out any) (*answer, error) {
	return c.send(ctx, op, doc, vars, out, true)
}

func (c *client) send(ctx context.Context, op string, doc document, vars map[string]any, out any, once bool) (*answer, error) {
	op = platform + ": " + op
	if doc.text == "" {
		return nil, c.rest.Fail(connectors.Rejected, op, fmt.Errorf("there is no document %q", doc.name), "")
	}
	body, err := json.Marshal(map[string]any{"query": doc.text, "variables": vars})
	if err != nil {
		return nil, c.rest.Fail(connectors.Rejected, op, fmt.Errorf("variables of %s: %w", doc.name, err), "")
	}
	q := &question{c: c, op: op, kind: fmt.Sprint(doc.name, " ", vars["first"]), body: body, once: once}
	defer q.end(cost{})
	token, err := c.auth.token(ctx, op)
	if err != nil {
		return nil, err
	}
	res, err := q.ask(ctx, token)
	if unauthorized(err) && c.auth.renews() {
		if token, err = c.auth.renew(ctx, op, token); err != nil {
			return nil, err
		}
		res, err = q.ask(ctx, token)
	}
	if err != nil {
		return nil, c.explain(err)
	}
	return c.read(q, res, out)
}

// read decodes an answer.
func (c *client) read(q *question, res *rest.Response, out any) (*answer, error) {
	said, err := readReply(res.Body)
	if err != nil {
		return nil, c.rest.Fail(connectors.Transient, q.op, err, "something before the shop answers in its place: open url in a browser, and look for a proxy")
	}
	q.end(said.Extensions.Cost)
	c.versions.heed(res.Header)
	c.log.Debug().Str("op", q.op).Float64("cost", said.Extensions.Cost.Requested).
		Float64("available", said.Extensions.Cost.Bucket.Available).Msg("points spent")
	spoiling, missing := said.Errors.sift()
	if len(spoiling) > 0 {
		return nil, c.faulty(q.op, spoiling, said.Extensions.Cost)
	}
	for _, field := range missing {
		c.versions.warn(hiddenField([]string{field}))
	}
	if !said.hasData() {
		return nil, c.rest.Fail(connectors.Transient, q.op, fmt.Errorf("%w: it holds neither data nor errors", errDamaged), "")
	}
	if err := c.ignored(q.op, said.Extensions.Search); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(said.Data, out); err != nil {
		class := connectors.Rejected
		if q.once { // it was carried out: as refused, it would count as not done
			class = connectors.Transient
		}
		return nil, c.rest.Fail(class, q.op, fmt.Errorf("the answer has another shape than its version has: %w", err), "bring Comptoir up to date")
	}
	return &answer{Now: date(res.Header), Denied: missing, Extensions: said.Extensions}, nil
}

// hiddenField says what it means that fields are denied which the books can do
// without.
func hiddenField(names []string) string {
	said := "Shopify does not let the app see " + strings.Join(names, ", ") + ": "
	if !slices.ContainsFunc(names, func(name string) bool { return !strings.Contains(name, "paymentTerms") }) {
		return said + "orders on payment terms are held until they are paid; give the app the right " + scopeTerms + " and install it again" + andAgain
	}
	return said + "records come without, and the taxes of an order without an address count as due in the shop's own country; " +
		"ask for access to protected customer data in the app's settings" + andAgain
}

// andAgain ends the advice to let the app see more: what was read without it
// has not changed in the shop, and would not be read again by itself.
const andAgain = "; after that, run once: comptoir resync SHOP"

// faulty returns the error for errors beside the data.
func (c *client) faulty(op string, spoiling faults, spent cost) error {
	cause := &answerError{spoiling}
	class, fix := cause.judge(c.cfg)
	err := c.rest.Fail(class, op, cause, fix)
	if class == connectors.Throttled {
		err.RetryAfter = pause(spent)
	}
	return err
}

// ignored returns an error where the shop did not understand a part of a
// filter: it leaves such a part out, and answers with other records than were
// asked for.
func (c *client) ignored(op string, said []search) error {
	for _, s := range said {
		for _, w := range s.Warnings {
			if w.Code == "invalid_field" {
				return c.rest.Fail(connectors.Rejected, op, fmt.Errorf("the shop left %q out of the filter %q: %s", w.Field, s.Query, w.Message),
					"bring Comptoir up to date, or set api_version to "+DefaultVersion)
			}
			c.versions.warn("the shop warns about a filter: " + w.Field + ": " + w.Message)
		}
	}
	return nil
}

// question is one document on its way, over all its attempts.
type question struct {
	c      *client
	op     string
	kind   string // requests of one kind cost the same
	body   []byte
	once   bool // not sent again where it may have been carried out
	ticket *ticket
}

// ask makes the attempts with one token.
func (q *question) ask(ctx context.Context, token string) (*rest.Response, error) {
	return q.c.rest.Post(ctx, rest.Call{Op: q.op, Address: q.c.endpoint(), Body: q.body, Once: q.once, Before: q.begin, Judge: q.judge, Header: http.Header{
		"Accept":                 {"application/json"},
		"Content-Type":           {"application/json"},
		"User-Agent":             {"Comptoir"},
		"X-Shopify-Access-Token": {token},
	}})
}

// begin waits until an attempt may be sent.
func (q *question) begin(ctx context.Context) (err error) {
	q.end(cost{})
	q.ticket, err = q.c.governor.enter(ctx, q.kind)
	return err
}

// end gives back the leave of the last attempt.
func (q *question) end(told cost) {
	if q.ticket != nil {
		q.ticket.done(told)
	}
}

// judge finds the answers of 200 that refuse for the moment: for want of
// points, or since the shop stumbled.
func (q *question) judge(res *rest.Response) (time.Duration, bool) {
	if !bytes.Contains(res.Body, []byte(`"errors"`)) {
		return 0, false
	}
	said, err := readReply(res.Body)
	if err != nil {
		return 0, false
	}
	spoiling, _ := said.Errors.sift()
	if len(spoiling) == 0 {
		return 0, false
	}
	q.end(said.Extensions.Cost)
	switch class, _ := (&answerError{spoiling}).judge(q.c.cfg); class {
	case connectors.Throttled:
		wait := pause(said.Extensions.Cost)
		return wait + rand.N(wait/4), true
	case connectors.Transient:
		return 0, !q.once
	default:
		return 0, false
	}
}

// endpoint is where documents are sent.
func (c *client) endpoint() string {
	u := *c.base
	u.Path += "/admin/api/" + c.cfg.APIVersion + "/graphql.json"
	return u.String()
}

// unauthorized reports whether the shop does not know the token.
func unauthorized(err error) bool {
	var status *rest.StatusError
	return errors.As(err, &status) && status.Status == http.StatusUnauthorized
}

// date is the shop's clock when it answered; zero where it did not say.
func date(h http.Header) time.Time {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// get streams a file that the shop has laid out, such as the result of a bulk
// operation, from offset (in bytes) on. The address is a secret of its own, so
// our token is not sent along. Close what it returns.
func (c *client) get(ctx context.Context, op, address string, offset int64) (io.ReadCloser, error) {
	return c.rest.Stream(ctx, platform+": "+op, address, http.Header{"User-Agent": {"Comptoir"}}, offset)
}
