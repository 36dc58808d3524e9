// Package sandbox is a storefront in a box: a believable shop, generated from
// a seed, that lives as its own clock advances, answers over HTTP in a real
// platform's dialect, and misbehaves on demand.
//
// The shop itself (shop.go, catalogue.go, order.go, stock.go, generate.go,
// live.go, mutate.go) knows no dialect; sheet.go, payouts.go and extras.go keep
// what only some can tell. The files woo*.go speak WooCommerce REST v3 over
// it, the files shopify*.go Shopify's GraphQL Admin API, for which graphql*.go
// answers documents on any graph of types; another dialect goes beside them.
// misbehave.go and serve.go stand between a dialect and the network; hooks*.go
// tell those who subscribed what has changed, in the words of woo_hooks.go and
// shopify_hooks.go.
//
// The same options and the same calls give the same shop, byte for byte, on
// any day: its history runs from 1 November 2025 to 31 October 2026, and only
// the Date header of the WooCommerce dialect follows the real clock.
package sandbox

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"
	_ "time/tzdata" // the shop's zone, on machines without a zone database

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// The generated history, in UTC.
var (
	historyStart = time.Date(2025, time.November, 1, 0, 0, 0, 0, time.UTC)
	historyEnd   = time.Date(2026, time.October, 31, 23, 59, 59, 0, time.UTC)
)

// defaultVersion is the version whose answers were recorded.
const defaultVersion = "11.0.1"

// Shop is a storefront in a box. It is safe for concurrent use.
type Shop struct {
	opt     Options
	seed    uint64
	goods   uint64 // the seed of the catalogue
	release release
	zone    *time.Location

	mu      sync.Mutex // guards all that follows
	clock   time.Time
	held    bool   // see HoldClock
	changes uint64 // moves with every change, so that lists know when to be built anew

	lastPost, lastItem int64 // ids are given out in order and never reused
	lastCategory       int64
	placed             int // orders ever placed
	agenda             agenda
	telling            bool // Advance wants to know what happens
	events             []Event

	categories []*category
	products   []*product // in order of id
	sellable   []*variant // what a customer can choose from, gift cards apart
	giftCard   *variant
	coupons    []*coupon
	customers  []*customer // the id is the index plus one
	orders     []*order    // in order of id
	refunds    []*refund   // in order of id
	retiring   []*product  // will be discontinued
	gone       []gone      // what was deleted for good, oldest first
	hooks      hooks       // who wants to be told

	stockWrites []StockWrite
	wanted      wanted     // what the next customer wants
	holdings    *holdings  // see committed
	balance     []movement // of the card payments, oldest first; see payouts.go
	paidOut     paidOut
	viewed      *view // see view
	withheld    bool  // a reserve is held back
	slow        bool  // refunds made now are on their way for days
	planted     map[int64]string
	lists       map[string]*list
	sorts       map[string]sorted
	written     written

	speak   speech
	shopify *shopify // nil on another platform

	door door // requests, faults and pace; guarded by its own lock
}

// New makes the shop that the options describe.
func New(o Options) *Shop {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version == "" {
		o.Version = defaultVersion
	}
	zone, err := time.LoadLocation(siteZone)
	if err != nil {
		zone = time.UTC // cannot happen: time/tzdata is linked in
	}
	if o.Goods == 0 {
		o.Goods = o.Seed
	}
	o.Extras = o.Extras && o.Platform == Shopify && !o.Common
	s := &Shop{
		opt: o, seed: uint64(o.Seed), goods: uint64(o.Goods), release: parseRelease(o.Version), zone: zone, clock: historyStart,
		planted: map[int64]string{}, lists: map[string]*list{}, sorts: map[string]sorted{},
	}
	d := s.dice(dieKey, 0)
	key, secret := "ck_"+d.hex(40), "cs_"+d.hex(40)
	if o.Platform == Shopify {
		key, secret = "shpat_"+d.hex(32), "shpss_"+d.hex(32)
	}
	s.opt.Key, s.opt.Secret = cmp.Or(o.Key, key), cmp.Or(o.Secret, secret)
	s.door.open(s)
	s.generate()
	s.speak = s.speakWoo
	if o.Platform == Shopify {
		s.shopify = s.openShopify()
		s.speak = s.speakShopify
	}
	return s
}

// siteZone is where the shop's local dates are written.
const siteZone = "Europe/Paris"

// Platform returns the dialect that the shop speaks.
func (s *Shop) Platform() Platform { return s.opt.Platform }

// Key returns the consumer key, or on Shopify an access token that never ends.
func (s *Shop) Key() string { return s.opt.Key }

// Secret returns the consumer secret, or on Shopify that of the app.
func (s *Shop) Secret() string { return s.opt.Secret }

// Clock returns the shop's own, virtual time.
func (s *Shop) Clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

// Rates returns what one unit of each foreign currency that the shop sells in
// is worth in EUR. The currency of planted orders is not among them.
func (s *Shop) Rates() map[money.Currency]decimal.Decimal {
	rates := map[money.Currency]decimal.Decimal{}
	for _, c := range currencies[1:] {
		if c.planted {
			continue
		}
		rates[money.Currency(c.code)] = decimal.New(1_000_000, 0).DivRound(decimal.New(c.ppm, 0), 6)
	}
	return rates
}

// now is the stamp that a change gets: the virtual clock in whole seconds.
func (s *Shop) now() int64 { return s.clock.Unix() }

// changed makes lists be built anew.
func (s *Shop) changed() { s.changes++ }

// post gives out the next id of the sequence that products, coupons, orders
// and refunds share. Images and revisions, which are not played, leave gaps.
func (s *Shop) post() int64 {
	s.lastPost += 1 + int64(mix(s.seed^uint64(s.lastPost))%3)
	return s.lastPost
}

// items gives out n ids of order lines and returns the first.
func (s *Shop) items(n int) int64 {
	first := s.lastItem + 1
	s.lastItem += int64(n)
	return first
}

func (s *Shop) order(id int64) *order {
	if i, ok := slices.BinarySearchFunc(s.orders, id, func(o *order, id int64) int { return compare(o.id, id) }); ok {
		return s.orders[i]
	}
	return nil
}

func (s *Shop) refund(id int64) *refund {
	if i, ok := slices.BinarySearchFunc(s.refunds, id, func(r *refund, id int64) int { return compare(r.id, id) }); ok {
		return s.refunds[i]
	}
	return nil
}

func (s *Shop) customer(id int64) *customer {
	if id < 1 || id > int64(len(s.customers)) || s.customers[id-1].gone {
		return nil
	}
	return s.customers[id-1]
}

func (s *Shop) product(id int64) *product {
	if i, ok := s.productAt(id); ok && !s.products[i].own.gone {
		return s.products[i]
	}
	return nil
}

// productAt is the place of a product: they are in order of id.
func (s *Shop) productAt(id int64) (int, bool) {
	return slices.BinarySearchFunc(s.products, id, func(p *product, id int64) int { return compare(p.own.id, id) })
}

// variant finds a variation, or what a product itself is.
func (s *Shop) variant(id int64) *variant {
	if p := s.product(id); p != nil {
		return p.own
	}
	for _, p := range s.products {
		if p.own.gone {
			continue
		}
		for _, v := range p.variants {
			if v.id == id && !v.gone {
				return v
			}
		}
	}
	return nil
}

func namesOf[T any](of []T, name func(T) string) []string {
	names := make([]string, len(of))
	for i, v := range of {
		names[i] = name(v)
	}
	sort.Strings(names)
	return names
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

// number reads an external id; -1, which nothing has, where it is none.
func number(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
