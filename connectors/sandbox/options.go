package sandbox

import (
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Options say what shop to make. The zero value is a shop without orders.
type Options struct {
	// Seed decides everything that is left to chance.
	Seed int64
	// Orders is how many orders the generated history holds, drafts and trash
	// included.
	Orders int
	// Platform is the dialect that the shop speaks. The zero value is
	// WooCommerce.
	Platform Platform
	// Goods decides prices, costs and opening stock, so that two shops of
	// different seeds sell the same goods; 0 means Seed. A Shopify shop leaves
	// out a few of them and has a few of its own, unless the shops have a
	// history in Common.
	Goods int64
	// Range is how many articles the shop sells beside its usual ones: simple
	// products, each counted.
	Range int
	// Common keeps to what every platform can tell in full: amounts in EUR
	// only, stock counted by each variant, no fee below zero, no fee given
	// back, nothing discontinued and nothing that cannot be booked. Shops of
	// the same options on different platforms then state the same facts.
	Common bool
	// Extras adds what only Shopify has: parts shipped from two places,
	// returns and exchanges, refunds that settle later, tips, duties, cash
	// rounding, taxes that a marketplace pays, amounts shown in other
	// currencies, prices with tax, long orders and test orders. Other
	// platforms, and a history in Common, have none.
	Extras bool
	// Now is the clock of the Date header and of OAuth timestamps; nil means
	// time.Now. The shop's records carry its own, virtual time (see Clock),
	// which begins at the end of October 2026: a reader that trusts nothing
	// newer than the Date header needs a later one, such as the shop's Clock.
	// On Shopify the Date header follows that one, and Now is the clock of
	// tokens and of points to spend.
	Now func() time.Time
	// Key and Secret are the consumer key and secret, or on Shopify the access
	// token of a custom app and the app's secret; empty means derived from the
	// seed.
	Key, Secret string
	// ReadOnly: the WooCommerce key may only read. A Shopify app is held back by
	// its Scopes.
	ReadOnly bool
	// Version is the WooCommerce version to play; empty means 11.0.1. Before
	// 10.3 there is no list of all variations, before 10.0 sorting by date
	// loses rows that share a second, before 9.0 there is no list of all
	// refunds, before 5.8 modified_after is ignored.
	Version string
	// WeightUnit is what a WooCommerce shop weighs in: kg, g, lbs or oz; empty
	// means kg.
	WeightUnit string
	// BasicOverHTTP accepts Basic authentication without TLS, as a shop
	// behind a TLS proxy does.
	BasicOverHTTP bool
	// PlainPermalinks plays a shop without pretty permalinks: it answers only
	// under ?rest_route=.
	PlainPermalinks bool
	// Scopes are the rights that the Shopify app was granted. Nil: all of them.
	Scopes []string
	// Points is the size of the bucket of points that Shopify's requests are paid
	// from, and Restore how many flow in each second. Zero: so many that nobody
	// waits.
	Points, Restore int
	// Schemas are the published schemas by version of Shopify's API, which documents
	// are checked against; they are never changed. A version that is not among
	// them is not checked.
	Schemas map[string]*ast.Schema
}

// Platform is a dialect.
type Platform string

// The platforms that a shop can play.
const (
	WooCommerce Platform = ""
	Shopify     Platform = "shopify"
)
