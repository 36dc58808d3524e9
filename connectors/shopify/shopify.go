// Package shopify reads and changes a Shopify shop through its GraphQL Admin
// API. It speaks the dialect only: it translates, and decides nothing.
//
// How the shop is asked and told, and why:
//
//   - One client serves all work on a shop, so that one governor paces it: the
//     shop gives points to spend, and tells with each answer how many are left.
//   - Lists are read in windows of changes, in the order of their ids, and each
//     page is asked for by the last id before it: no position goes stale, and
//     no list ends at 25,000 records. At the end of a window come the events
//     that tell of deletions, the variants of which only the stock has changed,
//     and once a day all products: a smart collection takes one in or lets it
//     go without a word to the product.
//   - The first reading of all orders is left to a bulk operation: the shop
//     writes them into a file, which costs no points. Whatever goes wrong with
//     it ends in reading by pages.
//   - Errors stand in three places: the HTTP status, "errors" beside the data,
//     and "userErrors" inside a mutation's. All three are read, by code and
//     never by text. Part of an answer is no answer.
//   - Stock is compared before it is set, and changes state the value that is
//     wanted. What makes something bears an idempotency key where Shopify takes
//     one. Where it does not, it is sent once, and whoever tries again looks
//     first: for the mark that what is made bears, or with what is remembered of
//     the try.
//   - What the shop says of its own accord is a hint: only the id in it counts,
//     and only when the app's secret has signed it.
//   - Ids are the digits of the shop's own: gid://shopify/Order/123 is 123.
package shopify

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// platform is the name of this connector in the configuration and in errors.
const platform = "shopify"

// Driver returns the driver of Shopify shops.
func Driver() connectors.Driver {
	return connectors.Driver{
		Name:   platform,
		Config: func() connectors.Config { return NewConfig() },
		New: func(env connectors.Env, cfg connectors.Config) (connectors.Connector, error) {
			c, ok := cfg.(*Config)
			if !ok {
				return nil, fmt.Errorf("shopify: configuration of type %T", cfg)
			}
			return New(env, c)
		},
	}
}

// Connector reads and changes one shop. It is safe for concurrent use.
type Connector struct {
	env    connectors.Env
	cfg    Config
	client *client
	result *exportResult // of the bulk operation that is being read

	// What the app may see of the shop, once the shop has said so.
	granted atomic.Pointer[access]
	// What was learnt about it, for as long as the process runs.
	sizes   sizes
	touched touched
	tries   connectors.Tries
}

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Lister    = (*Connector)(nil)
	_ connectors.Seeker    = (*Connector)(nil)

	_ connectors.StockPusher = (*Connector)(nil)
	_ connectors.Hinter      = (*Connector)(nil)
	_ connectors.OrderPusher = (*Connector)(nil)
	_ connectors.Editor      = (*Connector)(nil)
)

// New makes a connector for one shop. It does no I/O.
func New(env connectors.Env, cfg *Config) (*Connector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Connector{env: env, cfg: *cfg, result: newExportResult()}
	c.client = newClient(env, c.cfg)
	return c, nil
}

// rereadAge is how long an order may change without its date moving and still
// be found: the fees of a payment come in late.
const rereadAge = 7 * 24 * time.Hour

// Streams lists what Pull serves. Deletions come with each window; sweeps find
// those that the shop does not tell, such as a customer merged into another.
// What stock and collections do to goods without moving a date is looked for
// by Pull itself.
func (c *Connector) Streams() []connectors.Stream {
	window := func(r intake.Resource) connectors.Stream {
		return connectors.Stream{Resource: r, Sorted: true, Overlap: c.cfg.Overlap, Vanishes: true}
	}
	orders := window(intake.Orders)
	orders.Reread = rereadAge
	return []connectors.Stream{
		{Resource: intake.Locations, Sorted: true, Full: true, Vanishes: true},
		window(intake.Categories), window(intake.Products), window(intake.Variants), window(intake.Customers), orders,
		{Resource: intake.Payouts, Sorted: true, Overlap: payoutsAgain},
	}
}

// Pull returns the page after cur.
func (c *Connector) Pull(ctx context.Context, r intake.Resource, cur connectors.Cursor) (connectors.Page, error) {
	switch r {
	case intake.Orders:
		if c.byBulk(cur) {
			return c.firstOrders(ctx, cur)
		}
		return c.pullOrders(ctx, cur)
	case intake.Payouts:
		return c.pullPayouts(ctx, cur)
	default:
		return c.pullList(ctx, r, cur)
	}
}

// Fetch reads records again.
func (c *Connector) Fetch(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	switch {
	case len(refs) == 0:
		return nil, nil
	case refs[0].Kind == intake.KindOrder:
		return c.fetchOrders(ctx, refs)
	default:
		return c.fetchOthers(ctx, refs)
	}
}

func (c *Connector) unknownResource(r intake.Resource) error {
	return &connectors.Error{Class: connectors.Rejected, Op: "shopify: read " + string(r),
		Err: fmt.Errorf("a shop at Shopify has no %q", string(r)), Fix: "take this resource out of the configuration"}
}
