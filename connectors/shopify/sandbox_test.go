package shopify

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"

	"github.com/rs/zerolog"
)

// boxed returns a sandbox, and a connector that has one of its keys.
func boxed(t *testing.T, opt sandbox.Options, change func(*sandbox.Shop, *Config, *connectors.Env)) (*sandbox.Shop, *Connector) {
	t.Helper()
	opt.Seed, opt.Orders, opt.Platform, opt.Now = 7, 60, sandbox.Shopify, time.Now
	shop := sandbox.New(opt)
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken = "https://atelier.myshopify.com", shop.Key()
	env := connectors.Env{Shop: "atelier", Transport: shop.Transport(), Now: time.Now, Log: zerolog.Nop()}
	if change != nil {
		change(shop, cfg, &env)
	}
	c, err := New(env, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return shop, c
}

func TestSandboxIsProbed(t *testing.T) {
	_, c := boxed(t, sandbox.Options{}, nil)
	found, err := c.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found.Currency == "" || found.TimeZone == "" || found.Country == "" || found.Name == "" || found.Version != DefaultVersion {
		t.Errorf("%+v", found)
	}
	for _, check := range found.Checks {
		if !check.OK || check.Warn && check.Name != "clock" && check.Name != "address" { // its clock is that of its history
			t.Errorf("%+v", check)
		}
	}
}

// Each way into a shop opens it, and goes on opening it when tokens end.
func TestWaysIntoTheSandbox(t *testing.T) {
	for name, change := range map[string]func(*sandbox.Shop, *Config, *connectors.Env){
		"client credentials": func(s *sandbox.Shop, cfg *Config, _ *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret = "", s.ClientID(), s.Secret()
		},
		"refresh token": func(s *sandbox.Shop, cfg *Config, env *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret, cfg.RefreshToken = "", s.ClientID(), s.Secret(), s.RefreshToken()
			env.Keeper = &drawer{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop, c := boxed(t, sandbox.Options{}, change)
				for hour := range 30 {
					if _, err := c.Probe(t.Context()); err != nil {
						t.Fatalf("hour %d: %v", hour, err)
					}
					if hour%7 == 0 {
						shop.ExpireTokens()
					}
					time.Sleep(time.Hour)
				}
				shop.Misbehave(sandbox.Fault{Name: "token-end", Count: 1})
				if _, err := c.Probe(t.Context()); err != nil {
					t.Errorf("after a 401: %v", err)
				}
			})
		})
	}
}

func TestFaultsOfTheSandbox(t *testing.T) {
	for _, tt := range []struct {
		fault  sandbox.Fault
		passes bool // within the client's own patience
		class  connectors.Class
	}{
		{sandbox.Fault{Name: "429", Count: 2, RetryAfter: 2 * time.Second}, true, 0},
		{sandbox.Fault{Name: "430", Count: 2}, true, 0},
		{sandbox.Fault{Name: "502", Count: 2}, true, 0},
		{sandbox.Fault{Name: "internal", Count: 2}, true, 0},
		{sandbox.Fault{Name: "error-beside", Count: 2}, true, 0},
		{sandbox.Fault{Name: "throttled", Count: 2}, true, 0},
		{sandbox.Fault{Name: "cut", Count: 2}, true, 0},
		{sandbox.Fault{Name: "bom"}, true, 0},
		{sandbox.Fault{Name: "gzip"}, true, 0},
		{sandbox.Fault{Name: "denied"}, true, 0},
		{sandbox.Fault{Name: "old-version"}, true, 0},
		{sandbox.Fault{Name: "deprecated"}, true, 0},
		{sandbox.Fault{Name: "429"}, false, connectors.Throttled},
		{sandbox.Fault{Name: "430"}, false, connectors.Throttled},
		{sandbox.Fault{Name: "500"}, false, connectors.Transient},
		{sandbox.Fault{Name: "503", RetryAfter: time.Hour}, false, connectors.Throttled},
		{sandbox.Fault{Name: "internal"}, false, connectors.Transient},
		{sandbox.Fault{Name: "error-beside"}, false, connectors.Transient},
		{sandbox.Fault{Name: "cut"}, false, connectors.Transient},
		{sandbox.Fault{Name: "hang"}, false, connectors.Transient},
		{sandbox.Fault{Name: "html"}, false, connectors.Transient},
		{sandbox.Fault{Name: "notice"}, false, connectors.Transient},
		{sandbox.Fault{Name: "endless"}, false, connectors.Rejected},
		{sandbox.Fault{Name: "frozen"}, false, connectors.Denied},
		{sandbox.Fault{Name: "locked"}, false, connectors.Denied},
		{sandbox.Fault{Name: "forbidden"}, false, connectors.Denied},
		{sandbox.Fault{Name: "403"}, false, connectors.Denied},
		{sandbox.Fault{Name: "redirect"}, false, connectors.Denied},
		{sandbox.Fault{Name: "retired-key"}, false, connectors.Denied},
	} {
		t.Run(tt.fault.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop, c := boxed(t, sandbox.Options{}, func(_ *sandbox.Shop, cfg *Config, _ *connectors.Env) { cfg.MaxBody = 1 })
				shop.Misbehave(tt.fault)
				_, err := ids(t, c)
				var e *connectors.Error
				switch {
				case tt.passes && err != nil:
					t.Error(err)
				case !tt.passes && (!errors.As(err, &e) || e.Class != tt.class):
					t.Errorf("%v, want it %s", err, tt.class)
				}
			})
		})
	}
}

// ids asks for a page of orders by their ids, and returns what it cost.
func ids(t *testing.T, c *Connector) (points float64, err error) {
	t.Helper()
	var out struct {
		Orders struct{ Nodes []struct{ ID string } }
	}
	a, err := c.client.do(t.Context(), "list ids", documentOf("order_ids"), map[string]any{"first": 250}, &out)
	if err != nil {
		return 0, err
	}
	if len(out.Orders.Nodes) == 0 || a.Extensions.Cost.Actual == nil {
		t.Errorf("%d orders at %+v", len(out.Orders.Nodes), a.Extensions.Cost)
		return 0, nil
	}
	return *a.Extensions.Cost.Actual, nil
}

// The sandbox counts points by itself: what it tells is what the governor
// needs.
func TestSandboxRunsDryWithoutRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop, c := boxed(t, sandbox.Options{Points: 100, Restore: 50}, nil)
		begun := time.Now()
		spent := make(chan float64, 200)
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				for range 10 {
					points, err := ids(t, c)
					if err != nil {
						t.Error(err)
					}
					spent <- points
				}
			})
		}
		wait.Wait()
		close(spent)
		sum := -100.0 // at hand
		for points := range spent {
			sum += points
		}
		if asked := shop.Requests(); asked != 200 {
			t.Errorf("%d requests for 200 answers", asked)
		}
		if took, least := time.Since(begun).Seconds(), sum/50; took < least*0.95 || took > least*1.05 {
			t.Errorf("took %.1f s, want about %.1f s", took, least)
		}
	})
}
