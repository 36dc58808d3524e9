package shopify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"
)

// client asks one shop. All work on the shop shares it.
type client struct {
	cfg  Config
	base *url.URL
	now  func() time.Time
	rest *rest.Client
}

func newClient(env connectors.Env, cfg Config) *client {
	base, _ := parseBase(cfg.URL) // checked by Validate
	return &client{
		cfg: cfg, base: base, now: env.Now,
		rest: rest.New(rest.Options{
			Transport:   env.Transport,
			Now:         env.Now,
			Log:         env.Log.With().Str("shop", env.Shop).Logger(),
			MaxInFlight: cfg.MaxInFlight,
			Timeout:     cfg.Timeout,
			MaxBody:     int64(cfg.MaxBody) << 20,
			MinWait:     cfg.RetryWait,
			MaxWait:     40 * cfg.RetryWait,
			Secrets:     []string{cfg.AccessToken, cfg.ClientSecret, cfg.RefreshToken},
		}),
	}
}

// answer is what the shop said beside the data.
type answer struct {
	// Now is the shop's clock when it answered; zero: it did not say.
	Now time.Time
	// Denied lists the fields that this app may not see and that came back as
	// null, as dotted paths: "orders.nodes.customer".
	Denied     []string
	Extensions extensions
}

// extensions is what stands beside data and errors.
type extensions struct {
	Cost cost `json:"cost"`
}

// cost is what a request took from the points that the shop gives.
type cost struct {
	Requested float64  `json:"requestedQueryCost"`
	Actual    *float64 `json:"actualQueryCost"` // nil where nothing was run
	Throttle  struct {
		Maximum   float64 `json:"maximumAvailable"`
		Available float64 `json:"currentlyAvailable"`
		Restore   float64 `json:"restoreRate"` // in a second
	} `json:"throttleStatus"`
}

// do sends a document and decodes the data into out. Op says in an error what
// was being done ("list orders"). The error is a *connectors.Error, or that of
// ctx when it has ended. Errors beside the data are an error, except where a
// field was denied that can be done without: those are in the answer.
func (c *client) do(ctx context.Context, op string, doc document, vars map[string]any, out any) (*answer, error) {
	op = "shopify: " + op
	if doc.text == "" {
		return nil, c.rest.Fail(connectors.Rejected, op, fmt.Errorf("there is no document %q", doc.name), "")
	}
	body, err := json.Marshal(map[string]any{"query": doc.text, "variables": vars})
	if err != nil {
		return nil, c.rest.Fail(connectors.Rejected, op, fmt.Errorf("variables of %s: %w", doc.name, err), "")
	}
	res, err := c.rest.Post(ctx, rest.Call{Op: op, Address: c.endpoint(), Body: body, Header: http.Header{
		"Accept":                 {"application/json"},
		"Content-Type":           {"application/json"},
		"User-Agent":             {"Comptoir"},
		"X-Shopify-Access-Token": {c.cfg.AccessToken},
	}})
	if err != nil {
		return nil, err
	}
	reply := struct {
		Data       any             `json:"data"`
		Errors     json.RawMessage `json:"errors"`
		Extensions extensions      `json:"extensions"`
	}{Data: out}
	if err := json.Unmarshal(res.Body, &reply); err != nil {
		return nil, c.rest.Fail(connectors.Transient, op, fmt.Errorf("the answer cannot be read: %w", err), "")
	}
	if len(reply.Errors) > 0 {
		return nil, c.rest.Fail(connectors.Rejected, op, fmt.Errorf("the shop answered errors: %s", reply.Errors), "")
	}
	return &answer{Now: date(res.Header), Extensions: reply.Extensions}, nil
}

// endpoint is where documents are sent.
func (c *client) endpoint() string {
	u := *c.base
	u.Path += "/admin/api/" + c.cfg.APIVersion + "/graphql.json"
	return u.String()
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
	return c.rest.Stream(ctx, "shopify: "+op, address, http.Header{"User-Agent": {"Comptoir"}}, offset)
}
