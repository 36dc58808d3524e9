// Package woocommerce reads and changes a WooCommerce shop through its REST API
// v3. It speaks the dialect only: it translates, and decides nothing.
//
// How a list is read, and why (measured on WooCommerce 9.9.5 and 11.0.1):
//
//   - Inside a window of changes (modified_after) rows are read in the order of
//     their ids. Sorting by date loses rows that share a second on older
//     versions, and rows that change meanwhile on all.
//   - A page begins with the last row of the page before it, as an anchor. Where
//     the anchor has moved, the reader steps back until it stands on known
//     ground. So a row that leaves the window takes no other row with it.
//   - The window has no upper end; the next one starts at the newest change that
//     the shop had when the run began, minus an overlap.
//   - A shop is never trusted to have applied a filter: unknown parameters are
//     ignored with a 200. Where older rows come back, the shop is read whole.
//
// How a shop is changed, which has neither keys for requests nor a comparison
// before it sets:
//
//   - A write is sent once. Before it is made again, the shop is asked what came
//     of it: what is made carries the key of its request in its metadata.
//   - Stock is read right before it is written, and the key of the push is kept
//     with the product. What was sold between the two is told as an exposure.
//   - The answer to a change shows a record as it is edited, before WordPress has
//     made paragraphs of its texts. So what the shop states is read again.
//   - Of an order only its status and its metadata are written: with lines or
//     addresses the shop would work its totals out anew. Its shipments, which
//     WooCommerce knows nothing of, are kept in that metadata.
package woocommerce

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// rereadAge is how long an order may change without its date moving and still
// be found: a note, a deleted refund, and most edits on legacy order storage
// leave the date alone.
const rereadAge = 30 * 24 * time.Hour

// Driver returns the driver of WooCommerce shops.
func Driver() connectors.Driver {
	return connectors.Driver{
		Name:   "woocommerce",
		Config: func() connectors.Config { return NewConfig() },
		New: func(env connectors.Env, cfg connectors.Config) (connectors.Connector, error) {
			c, ok := cfg.(*Config)
			if !ok {
				return nil, fmt.Errorf("woocommerce: configuration of type %T", cfg)
			}
			return New(env, c)
		},
	}
}

// Connector reads one shop. It is safe for concurrent use.
type Connector struct {
	env connectors.Env
	cfg Config
	api *client

	// What was learnt about the shop, for as long as the process runs.
	noVariations atomic.Bool // no list of all variations (before 10.3)
	noRefunds    atomic.Bool // no list of all refunds (before 9.0)
	sizes        sizes       // of pages, in rows
	batches      sizes       // of what is written at once, in records
	tries        connectors.Tries
	odd          sync.Map               // ids of orders of which it was told that they keep odd shipments
	scale        atomic.Pointer[learnt] // the unit of its weights
	currency     atomic.Pointer[learnt] // of its prices
}

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Lister    = (*Connector)(nil)
	_ connectors.Seeker    = (*Connector)(nil)
)

// New makes a connector for one shop. It does no I/O.
func New(env connectors.Env, cfg *Config) (*Connector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Connector{env: env, cfg: *cfg}
	c.api = newClient(env, c.cfg)
	c.sizes.most, c.batches.most = c.cfg.PageSize, batchSize
	return c, nil
}

// Streams lists what Pull serves. Coupons are read whole, though the shop
// could filter them: their amounts change without the date moving.
func (c *Connector) Streams() []connectors.Stream {
	whole := func(r intake.Resource) connectors.Stream {
		return connectors.Stream{Resource: r, Sorted: true, Full: true, Vanishes: true}
	}
	window := func(r intake.Resource) connectors.Stream {
		return connectors.Stream{Resource: r, Sorted: true, Overlap: c.cfg.Overlap, Vanishes: true}
	}
	orders := window(intake.Orders)
	orders.Reread = rereadAge
	return []connectors.Stream{
		whole(intake.TaxRates), whole(intake.Gateways), whole(intake.ShippingMethods), whole(intake.Categories),
		window(intake.Products), window(intake.Variants), whole(intake.Customers), whole(intake.Coupons),
		orders, window(intake.Trash),
	}
}

// Pull returns the page after cur.
func (c *Connector) Pull(ctx context.Context, r intake.Resource, cur connectors.Cursor) (connectors.Page, error) {
	if err := c.learnToRead(ctx, r); err != nil {
		return connectors.Page{}, err
	}
	switch r {
	case intake.Gateways, intake.ShippingMethods:
		return c.pullSmall(ctx, r)
	default:
		l, ok := c.listOf(r)
		if !ok {
			return connectors.Page{}, c.unknownResource(r)
		}
		return c.pullList(ctx, l, cur)
	}
}

func (c *Connector) unknownResource(r intake.Resource) error {
	return &connectors.Error{Class: connectors.Rejected, Op: "woocommerce: read " + string(r),
		Err: fmt.Errorf("WooCommerce has no %q", string(r)), Fix: "take this resource out of the configuration"}
}

// sizes remembers how many rows a page of each resource may have: fewer after
// the shop choked on it, more again after a while.
type sizes struct {
	most int
	mu   sync.Mutex
	of   map[intake.Resource]size
}

type size struct {
	step int // index into steps
	good int // pages in a row that went well
}

// steps are the parts of the configured page size that are tried one after the
// other: 100, 50, 20 and 5 rows by default.
var steps = [...]int{100, 50, 20, 5}

// growAfter is after how many good pages a larger one is tried.
const growAfter = 10

func (s *sizes) now(r intake.Resource) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows(s.of[r].step)
}

func (s *sizes) rows(step int) int { return max(s.most*steps[step]/100, min(s.most, 2)) }

// shrink takes the next smaller size than rows; false when there is none.
func (s *sizes) shrink(r intake.Resource, rows int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for step := range steps {
		if s.rows(step) < rows {
			s.set(r, size{step: step})
			return true
		}
	}
	return false
}

func (s *sizes) worked(r intake.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.of[r]
	if now.step == 0 {
		return
	}
	if now.good++; now.good >= growAfter {
		now = size{step: now.step - 1}
	}
	s.set(r, now)
}

func (s *sizes) set(r intake.Resource, v size) {
	if s.of == nil {
		s.of = map[intake.Resource]size{}
	}
	s.of[r] = v
}
