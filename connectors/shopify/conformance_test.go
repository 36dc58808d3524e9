package shopify_test

import (
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/sandbox/sandboxtest"
	"comptoir/connectors/shopify"
)

// The ways in which a shop is read for the first time: by pages, and by a bulk
// operation.
func TestConformance(t *testing.T) {
	box := func(bulk string) func(*testing.T) conformance.Subject {
		return func(*testing.T) conformance.Subject {
			return newBox(sandbox.Options{Seed: 7, Orders: 50, Extras: true}, bulk)
		}
	}
	t.Run("pages", func(t *testing.T) { conformance.Run(t, box(shopify.BulkNever)) })
	t.Run("bulk", func(t *testing.T) { conformance.RunShop(t, box(shopify.BulkAuto)) })
}

// What is told to a shop arrives once, in the newest version of the API and in
// the oldest that its documents are for.
func TestPushConformance(t *testing.T) {
	for _, version := range []string{shopify.DefaultVersion, "2026-04"} {
		t.Run(version, func(t *testing.T) {
			conformance.RunPush(t, func(*testing.T) conformance.Pusher {
				return newBox(sandbox.Options{Seed: 7, Orders: 50, Extras: true}, shopify.BulkNever, func(cfg *shopify.Config) { cfg.APIVersion = version })
			})
		})
	}
}

// newBox makes a sandbox the subject of the suite.
func newBox(o sandbox.Options, bulk string, change ...func(*shopify.Config)) *sandboxtest.Box {
	o.Platform = sandbox.Shopify
	// The connector's clock stands still but for Advance, so that points would
	// not flow back: there are enough of them.
	o.Points, o.Restore = 1<<30, 1<<20
	shop := sandbox.New(o)
	shop.PlaceOddOrder(sandbox.OddNotANumber)
	shop.Advance(5 * time.Minute) // a window ends a little behind the clock
	shop.HoldClock()              // the suite says what shares a second
	return &sandboxtest.Box{Shop: shop, Platform: o.Platform, Open: func(env connectors.Env, pageSize int) (connectors.Connector, error) {
		cfg := shopify.NewConfig()
		cfg.URL, cfg.AccessToken, cfg.WebhookSecret, cfg.Bulk = sandboxtest.URL, shop.Key(), shop.Secret(), bulk
		if pageSize > 0 {
			cfg.PageSize = pageSize
		}
		for _, f := range change {
			f(cfg)
		}
		return shopify.New(env, cfg)
	}}
}
