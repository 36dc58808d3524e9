package woocommerce_test

import (
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/sandbox/sandboxtest"
	"comptoir/connectors/woocommerce"
)

// The shops that the suite runs on: the newest, one without the list of all
// variations and with the sorting that loses rows, and one that cannot be
// asked for changes.
func TestConformance(t *testing.T) {
	box := func(version string) func(*testing.T) conformance.Subject {
		return func(*testing.T) conformance.Subject {
			return newBox(sandbox.Options{Seed: 7, Orders: 50, Version: version})
		}
	}
	t.Run("11.0.1", func(t *testing.T) { conformance.Run(t, box("11.0.1")) })
	t.Run("9.9.5", func(t *testing.T) { conformance.RunShop(t, box("9.9.5")) })
	t.Run("5.0.0", func(t *testing.T) { conformance.RunShop(t, box("5.0.0")) })
}

// What is told to a shop arrives once, be it an old one without permalinks.
func TestPushConformance(t *testing.T) {
	box := func(o sandbox.Options) func(*testing.T) conformance.Pusher {
		o.Seed, o.Orders = 7, 50
		return func(*testing.T) conformance.Pusher { return newBox(o) }
	}
	t.Run("11.0.1", func(t *testing.T) { conformance.RunPush(t, box(sandbox.Options{})) })
	t.Run("5.0.0", func(t *testing.T) {
		conformance.RunPush(t, box(sandbox.Options{Version: "5.0.0", PlainPermalinks: true}))
	})
}

// newBox makes a sandbox the subject of the suite.
func newBox(o sandbox.Options) *sandboxtest.Box {
	b := &sandboxtest.Box{}
	// The shop lives in its own time, and so does its Date header here.
	o.Now = func() time.Time { return b.Now() }
	b.Shop = sandbox.New(o)
	b.Open = func(env connectors.Env, pageSize int) (connectors.Connector, error) {
		cfg := woocommerce.NewConfig()
		cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret = sandboxtest.URL, b.Shop.Key(), b.Shop.Secret()
		if pageSize > 0 {
			cfg.PageSize = max(pageSize, 2) // the smallest that the connector takes
		}
		return woocommerce.New(env, cfg)
	}
	b.Shop.PlaceOddOrder(sandbox.OddNotANumber)
	for range 8 { // some for the trash
		b.Shop.PlaceOrder()
		b.Shop.TrashOrder("")
		b.Advance(time.Hour)
	}
	b.Shop.HoldClock() // the suite says what shares a second
	return b
}
