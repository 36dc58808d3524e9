package shopify

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
)

// However many ask, the bucket runs dry without a single refusal, nothing of
// what is restored is left lying, and all get on at the same pace.
func TestBucketIsUsedUpWithoutRefusals(t *testing.T) {
	for _, tt := range []struct {
		name              string
		requested, actual float64
		most, rate        float64
		workers, each     int
	}{
		{"answers cost what they seemed to", 90, 0, 2000, 100, 40, 10},
		{"answers cost less than they seemed to", 400, 30, 2000, 100, 40, 20},
		{"a large plan", 300, 0, 20000, 1000, 20, 20},
		{"one request takes half of the bucket", 500, 0, 1000, 50, 8, 4},
		{"fewer workers than places", 90, 0, 1000, 50, 2, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := newTill(tt.most, tt.rate, tt.requested)
				shop.actual = tt.actual
				c := clientOf(shop, nil)
				begun := time.Now()
				ends := crew(t, c, tt.workers, tt.each, asks("orders"))
				spent := float64(tt.workers*tt.each) * tt.requested
				if tt.actual > 0 {
					spent = float64(tt.workers*tt.each) * tt.actual
				}
				least := max((spent-tt.most)/tt.rate, float64(tt.workers*tt.each)/4*shop.latency.Seconds())
				took := time.Since(begun).Seconds()
				if shop.throttled > 0 {
					t.Errorf("%d of %d requests were refused", shop.throttled, shop.asked)
				}
				if took > least*1.1+2*tt.requested/tt.rate {
					t.Errorf("took %.0f s, the shop would have allowed %.0f s", took, least)
				}
				first, last := slices.MinFunc(ends, time.Time.Compare), slices.MaxFunc(ends, time.Time.Compare)
				if last.Sub(first) > last.Sub(begun)/4 {
					t.Errorf("the first worker ended after %v, the last after %v", first.Sub(begun), last.Sub(begun))
				}
			})
		})
	}
}

// Somebody else's requests are on the same account (another program with the
// same token): what they take is found out by one refusal, and not by many.
func TestPointsThatOthersTakeCauseNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newTill(1000, 50, 100)
		c := clientOf(shop, func(cfg *Config, _ *connectors.Env) { cfg.MaxInFlight = 8 })
		stop, stopped := make(chan bool), make(chan bool)
		spends := 0
		go func() {
			defer close(stopped)
			for every := time.NewTicker(5 * time.Second); ; spends++ { // 30 points of the 50 in a second
				select {
				case <-every.C:
					shop.spend(150)
				case <-stop:
					return
				}
			}
		}()
		begun := time.Now()
		crew(t, c, 16, 5, asks("orders"))
		close(stop)
		<-stopped
		if shop.throttled > spends {
			t.Errorf("%d refusals, though others took something out only %d times", shop.throttled, spends)
		}
		if took := time.Since(begun).Seconds(); took > (80*100-1000)/20*1.3 {
			t.Errorf("took %.0f s", took)
		}
	})
}

// A request that needs much is not passed by small ones for ever, and they are
// not held up by it for longer than it needs.
func TestLargeRequestsAreNotStarved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newTill(1000, 50, 0)
		shop.costs = map[string]float64{"large": 900, "small": 10}
		c := clientOf(shop, nil)
		crew(t, c, 1, 1, asks("large")) // so that the costs are known
		crew(t, c, 1, 1, asks("small"))
		ctx, stop := context.WithCancel(t.Context())
		var small sync.WaitGroup
		for range 8 {
			small.Go(func() {
				for ctx.Err() == nil {
					var out struct{}
					_, _ = c.do(ctx, "ask", asks("small"), nil, &out)
				}
			})
		}
		time.Sleep(time.Minute)
		begun := time.Now()
		crew(t, c, 1, 1, asks("large"))
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("the large request took %v", took)
		}
		stop()
		small.Wait()
	})
}

// Until the shop has told of its bucket, one request goes at a time.
func TestFirstRequestGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newTill(1000, 50, 10)
		shop.latency = time.Second
		c := clientOf(shop, nil)
		done := make(chan bool)
		go func() { crew(t, c, 8, 1, asks("orders")); close(done) }()
		time.Sleep(500 * time.Millisecond)
		if shop.asked != 1 {
			t.Errorf("%d requests are on their way", shop.asked)
		}
		<-done
		if shop.top < 2 {
			t.Error("later ones went alone as well")
		}
	})
}

// A shop that tells nothing is asked one request after the other, and asked
// nevertheless.
func TestShopThatTellsNothingIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newTill(1000, 50, 10)
		shop.says = func(_ int, req *http.Request) *http.Response { return tells(req, 200, `{"data":{"ok":true}}`) }
		crew(t, clientOf(shop, nil), 8, 5, asks("orders"))
		if shop.asked != 40 {
			t.Errorf("%d requests", shop.asked)
		}
	})
}

func TestRefusalForWantOfPoints(t *testing.T) {
	// The shop wants 400 points, has 100 of them, and restores 50 a second.
	const refused = `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":400,"actualQueryCost":null,
		"throttleStatus":{"maximumAvailable":1000,"currentlyAvailable":100,"restoreRate":50}}}}`
	t.Run("is waited for as long as they take", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shop := newTill(1000, 50, 400)
			shop.says = func(n int, req *http.Request) *http.Response {
				if n > 1 {
					return nil
				}
				return tells(req, 200, refused)
			}
			begun := time.Now()
			crew(t, clientOf(shop, nil), 1, 1, asks("orders"))
			if took := time.Since(begun); took < 6*time.Second || took > 8*time.Second {
				t.Errorf("waited %v", took)
			}
		})
	})
	t.Run("ends when it does not end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shop := newTill(1000, 50, 400)
			shop.says = func(_ int, req *http.Request) *http.Response { return tells(req, 200, refused) }
			var out struct{}
			_, err := clientOf(shop, nil).do(t.Context(), "list orders", asks("orders"), nil, &out)
			var e *connectors.Error
			if !errors.As(err, &e) || e.Class != connectors.Throttled || e.RetryAfter != 6*time.Second || shop.asked != retries+1 {
				t.Errorf("%d requests, %+v", shop.asked, err)
			}
		})
	})
	t.Run("is left to the engine where it takes too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shop := newTill(1000, 50, 400)
			shop.says = func(_ int, req *http.Request) *http.Response {
				return tells(req, 200, strings.Replace(refused, `"restoreRate":50`, `"restoreRate":1`, 1))
			}
			var out struct{}
			_, err := clientOf(shop, nil).do(t.Context(), "list orders", asks("orders"), nil, &out)
			var e *connectors.Error
			if !errors.As(err, &e) || e.Class != connectors.Throttled || e.RetryAfter != 300*time.Second || shop.asked != 1 {
				t.Errorf("%d requests, %+v", shop.asked, err)
			}
		})
	})
	t.Run("ends with the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shop := newTill(1000, 50, 900)
			c := clientOf(shop, nil)
			crew(t, c, 1, 1, asks("orders"))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var out struct{}
			if _, err := c.do(ctx, "ask", asks("orders"), nil, &out); !connectors.Ended(err) || shop.asked != 1 {
				t.Errorf("%d requests: %v", shop.asked, err)
			}
			crew(t, c, 1, 1, asks("orders")) // the leave was given back
		})
	})
}

// A request that comes to nothing gives its points back.
func TestPointsOfFailedRequestsAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := newTill(1000, 1, 400)
		c := clientOf(shop, nil)
		crew(t, c, 1, 1, asks("orders"))
		shop.says = func(_ int, req *http.Request) *http.Response { return tells(req, 404, `{"errors":"Not Found"}`) }
		for range 5 {
			var out struct{}
			_, _ = c.do(t.Context(), "ask", asks("orders"), nil, &out)
		}
		shop.says = nil
		begun := time.Now()
		crew(t, c, 1, 1, asks("orders"))
		if took := time.Since(begun); took > time.Second {
			t.Errorf("waited %v for points that nobody has", took)
		}
	})
}

func TestAnswersOutOfOrder(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	g := newGovernor(func() time.Time { return now })
	enter := func() *ticket {
		t.Helper()
		ticket, err := g.enter(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	told := func(left float64) cost {
		return cost{Requested: 100, Bucket: bucket{Maximum: 1000, Available: left, Restore: 50}}
	}
	enter().done(told(900))
	early, late := enter(), enter()
	late.done(told(700))
	if left := g.available(); left != 600 {
		t.Errorf("%v points, want 700 less the 100 of the request on its way", left)
	}
	early.done(told(800)) // made before the other, told after it
	if left := g.available(); left != 700 {
		t.Errorf("%v points, want the 700 that were told last", left)
	}
	early.done(told(100))
	if left := g.available(); left != 700 || g.away != 0 || g.held != 0 {
		t.Errorf("a ticket counts twice: %v points, %d away with %v", left, g.away, g.held)
	}
}

func TestPauseIsBounded(t *testing.T) {
	for _, tt := range []struct {
		cost cost
		want time.Duration
	}{
		{cost{}, time.Second},
		{cost{Requested: 110, Bucket: bucket{1000, 100, 50}}, time.Second},
		{cost{Requested: 500, Bucket: bucket{1000, 100, 50}}, 8 * time.Second},
		{cost{Requested: 5000, Bucket: bucket{1000, 0, 50}}, 20 * time.Second},
		{cost{Requested: 500, Bucket: bucket{1000, 100, 1e-300}}, time.Hour},
		{cost{Requested: 500, Bucket: bucket{1000, 900, 50}}, time.Second},
	} {
		if got := pause(tt.cost); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.cost, got, tt.want)
		}
	}
}
