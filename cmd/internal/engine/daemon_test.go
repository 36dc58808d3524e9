package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp/intake"
)

// daemon runs the engine until the returned function is called, which returns
// how long the stop took.
func (w *world) daemon() (stop func() time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.engine.Run(ctx) }()
	return func() time.Duration {
		w.t.Helper()
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
		return time.Since(began)
	}
}

// timed makes the shelf note the time of each call, and returns what lists
// them.
func timed(s *shelf) (times func() []string) {
	var noted []string
	s.answers(func(call string) error {
		noted = append(noted, time.Now().UTC().Format("Mon 15:04:05 ")+strings.Fields(call)[1])
		return nil
	})
	return func() []string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Clone(noted)
	}
}

func TestTheDaemonPullsOnItsSchedulesProductsBeforeOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins on Saturday 1 January 2000 at midnight UTC
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		times := timed(s)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "*/20 * * * *", intake.Products: "0 * * * *"}
		w.restart()
		stop := w.daemon()
		time.Sleep(2*time.Hour - time.Second)
		stop()
		want := "Sat 00:00:00 products, Sat 00:00:00 orders, Sat 00:20:00 orders, Sat 00:40:00 orders, " +
			"Sat 01:00:00 products, Sat 01:00:00 orders, Sat 01:20:00 orders, Sat 01:40:00 orders"
		if got := strings.Join(times(), ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestSecondsDescriptorsAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		times := timed(s)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "30 */10 * * * *", intake.Products: "@every 10m"}
		w.shop.Jitter = 20 * time.Second
		w.restart()
		stop := w.daemon()
		time.Sleep(10*time.Minute - time.Second)
		if got := len(times()); got != 3 { // the first two, and the orders of 00:00:30
			t.Errorf("%d pulls before the first schedule is due again: %v", got, times())
		}
		time.Sleep(52 * time.Second)
		if got := len(times()); got != 5 {
			t.Errorf("%d pulls: %v", got, times())
		}
		stop()
	})
}

func TestSchedulesFollowTheShopsZoneThroughDaylightSaving(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no time zones on this machine: ", err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2000, time.March, 25, 5, 0, 0, 0, paris))) // the clocks go forward on the 26th
		s := newShelf(sortedOrders)
		times := timed(s)
		w := newWorld(t, s)
		w.shop.Schedules, w.shop.Location = map[intake.Resource]string{intake.Orders: "0 6 * * *"}, paris
		w.restart()
		stop := w.daemon()
		time.Sleep(49 * time.Hour)
		stop()
		want := "[Sat 04:00:00 orders Sat 05:00:00 orders Sun 04:00:00 orders Mon 04:00:00 orders]"
		if got := fmt.Sprint(times()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestAPullThatIsStillRunningIsNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(sortedOrders)
		w := newWorld(t, s)
		running, most, pulls := 0, 0, 0
		slow := &slowShelf{shelf: s, before: func(ctx context.Context) error {
			running++
			pulls++
			most = max(most, running)
			defer func() { running-- }()
			return wait(ctx, 150*time.Second)
		}}
		w.shop.Connector, w.shop.Schedules = slow, map[intake.Resource]string{intake.Orders: "* * * * *"}
		w.restart()
		stop := w.daemon()
		time.Sleep(time.Hour - time.Second)
		stop()
		if most != 1 {
			t.Errorf("%d pulls at the same time", most)
		}
		if pulls != 20 { // each takes two and a half minutes, and the next begins with the next minute
			t.Errorf("%d pulls in an hour", pulls)
		}
	})
}

// slowShelf does something before each pull.
type slowShelf struct {
	*shelf
	before func(context.Context) error
}

func (s *slowShelf) Pull(ctx context.Context, r intake.Resource, cur connectors.Cursor) (connectors.Page, error) {
	if err := s.before(ctx); err != nil {
		return connectors.Page{}, err
	}
	return s.shelf.Pull(ctx, r, cur)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func transient(string) error {
	return &connectors.Error{Class: connectors.Transient, Op: "shelf: list", Err: errors.New("connection refused")}
}

func TestAOneShotTriesATransientErrorAgainAndThenGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		s.fillOrders(t, 2)
		failures := 3
		s.answer = func(call string) error {
			if failures--; failures >= 0 {
				return transient(call)
			}
			return nil
		}
		w := newWorld(t, s)
		if res := w.sync(); res.Total.Applied != 2 {
			t.Errorf("got %+v", res.Total)
		}
		s.requests()
		s.answer = transient
		began := time.Now()
		_, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"})
		if err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("got %v", err)
		}
		if got := len(s.requests()); got != 6 { // five tries, and one of the next resource
			t.Errorf("%d requests", got)
		}
		if took := time.Since(began); took < 10*time.Second || took > 16*time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestWhatAllResourcesFailWithIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		s.answers(transient)
		w := newWorld(t, s)
		res, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"})
		if err == nil || strings.Count(err.Error(), "connection refused") != 1 || !strings.HasPrefix(err.Error(), "read products, orders of shop atelier: ") {
			t.Errorf("got %v", err)
		}
		if len(res.Resources) != 2 || res.Resources[1].Error == "" || connectors.ClassOf(err) != connectors.Transient {
			t.Errorf("got %+v", res)
		}
		if strings.Contains(w.log.String(), `"level":"error"`) {
			t.Errorf("what is returned was logged too:\n%s", w.log.String())
		}
	})
}

func TestAStopIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(sortedOrders)
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		ctx, stop := context.WithCancel(t.Context())
		s.answers(func(string) error { stop(); return ctx.Err() })
		if _, err := w.engine.Sync(ctx, engine.Request{Shop: "atelier"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if got := w.status(intake.Orders); got.LastError != "" || got.LagSeconds != -1 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAThrottledRequestWaitsAsLongAsTheShopAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(sortedOrders)
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		after := 90 * time.Second
		s.answer = func(string) error {
			s.answer = nil
			return &connectors.Error{Class: connectors.Throttled, Op: "shelf: list", RetryAfter: after, Err: errors.New("429")}
		}
		throttle := s.answer
		began := time.Now()
		w.sync()
		if took := time.Since(began); took < after || took > after+time.Second {
			t.Errorf("it took %s", took)
		}
		// Longer than a one-shot waits: it says so.
		s.answer, after = throttle, time.Hour
		if _, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"}); connectors.ClassOf(err) != connectors.Throttled {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheDaemonLeavesAThrottledShopAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		times := timed(s)
		note, asked := s.answer, 0
		s.answer = func(call string) error {
			_ = note(call)
			if asked++; asked == 1 {
				return &connectors.Error{Class: connectors.Throttled, Op: "shelf: list", RetryAfter: time.Hour, Err: errors.New("429")}
			}
			return nil
		}
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "*/5 * * * *", intake.Products: "*/5 * * * *"}
		w.restart()
		stop := w.daemon()
		time.Sleep(time.Hour + time.Second)
		stop()
		if got := fmt.Sprint(times()); got != "[Sat 00:00:00 products Sat 01:00:00 products Sat 01:00:00 orders]" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAPausedShopIsAskedAgainAndGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		s.fillOrders(t, 2)
		s.answer = func(string) error {
			return &connectors.Error{Class: connectors.Denied, Op: "shelf: list", Err: errors.New("a firewall refuses")}
		}
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "@every 1m", intake.Products: "@every 1m"}
		w.restart()
		stop := w.daemon()
		time.Sleep(48 * time.Hour)
		// 15 and 30 minutes, 1, 2, 4 and then every 6 hours, less up to a quarter.
		if got := len(s.requests()); got < 12 || got > 17 {
			t.Errorf("%d requests in two days of a shop that refuses", got)
		}
		s.answers(nil)
		time.Sleep(7 * time.Hour)
		if got := w.status(intake.Orders); got.Cursor != "2" || got.LagSeconds > 120 {
			t.Errorf("after the firewall gave way: %+v", got)
		}
		shops, err := w.engine.Status(t.Context())
		if err != nil || shops[0].Paused != "" {
			t.Errorf("paused: %q, %v", shops[0].Paused, err)
		}
		stop()
		if got := strings.Count(w.log.String(), "is paused"); got != 1 {
			t.Errorf("the pause was logged %d times", got)
		}
	})
}

func TestADeniedShopIsPausedUntilAPersonActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
		s.fillOrders(t, 2)
		s.answer = func(string) error {
			return &connectors.Error{Class: connectors.Denied, Op: "shelf: list", Fix: "make a new key", Err: errors.New("the key was retired")}
		}
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "@every 1m", intake.Products: "@every 1m"}
		w.restart()
		stop := w.daemon()
		time.Sleep(10 * time.Minute)
		if got := len(s.requests()); got != 1 {
			t.Errorf("%d requests of a shop that refused the first", got)
		}
		shops, err := w.engine.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := shops[0].Paused; !strings.Contains(got, "the key was retired: make a new key") {
			t.Errorf("paused: %q", got)
		}
		s.answers(nil)
		if !w.engine.Resume("atelier") {
			t.Error("it was not paused")
		}
		time.Sleep(30 * time.Second)
		if got := w.status(intake.Orders); got.Cursor != "2" {
			t.Errorf("after the pause: %+v", got)
		}
		stop()
		if got := strings.Count(w.log.String(), "is paused"); got != 1 {
			t.Errorf("the pause was logged %d times", got)
		}
	})
}

func TestAShopThatIsDownForTwoDaysIsAskedLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(sortedOrders)
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "* * * * *"}
		w.restart()
		stop := w.daemon()
		time.Sleep(time.Hour)
		s.requests()
		s.answers(transient)
		time.Sleep(48 * time.Hour)
		if got := len(s.requests()); got < 90 || got > 150 {
			t.Errorf("%d requests in two days", got)
		}
		if got := w.status(intake.Orders); got.LagSeconds < 47*3600 || !strings.Contains(got.LastError, "connection refused") {
			t.Errorf("got %+v", got)
		}
		s.put(intake.Orders, order(t, "3", intake.StateOpen, 3))
		s.answers(nil)
		time.Sleep(31 * time.Minute)
		if got := w.status(intake.Orders); got.LagSeconds > 120 || got.LastError != "" || got.Cursor != "3" {
			t.Errorf("after the shop came back: %+v", got)
		}
		stop()
		if runs, err := w.state.Runs("atelier/orders", 0); err != nil || len(runs) > 70 {
			t.Errorf("%d runs in the history of two days that brought nothing, %v", len(runs), err)
		}
	})
}

func TestAStopInMidRunKeepsWholePages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := history(t)
		w := newWorld(t, s)
		pulls := 0
		w.shop.Connector = &slowShelf{shelf: s, before: func(ctx context.Context) error {
			pulls++
			return wait(ctx, time.Minute)
		}}
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "@every 1h"}
		w.restart()
		stop := w.daemon()
		time.Sleep(150 * time.Second) // in the middle of the third page
		if took := stop(); took > time.Second {
			t.Errorf("it took %s to stop", took)
		}
		if got := w.mark(intake.Orders); got.Fence != 2 {
			t.Errorf("after two pages the mark is %d %q", got.Fence, got.Cursor)
		}
		w.inStep()
		w.restart() // as SIGHUP does
		stop = w.daemon()
		time.Sleep(10 * time.Minute)
		stop()
		want := newWorld(t, history(t))
		want.sync()
		if w.digest() != want.digest() {
			t.Error("the books are not the same as without the stop")
		}
	})
}

func TestScheduledTasksRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Orders, Sorted: true, Vanishes: true, Reread: 24 * time.Hour})
		s.fillOrders(t, 3)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "@every 30m"}
		w.shop.Reread, w.shop.Sweep, w.shop.Retry = "0 2 * * *", "0 3 * * *", "@hourly"
		w.restart()
		stop := w.daemon()
		time.Sleep(time.Hour)
		s.edit(intake.Orders, order(t, "1", intake.StateCompleted, 1))
		s.remove(intake.Orders, "2")
		s.requests()
		time.Sleep(time.Hour + time.Minute)
		if got := s.requests(); len(only(got, "fetch")) != 1 || len(only(got, "list")) != 0 {
			t.Errorf("by 02:01 it asked for %q", got)
		}
		s.remove(intake.Orders, "3")
		time.Sleep(time.Hour)
		if got := s.requests(); len(only(got, "fetch")) != 1 || len(only(got, "list")) != 1 {
			t.Errorf("by 03:01 it asked for %q", got)
		}
		stop()
	})
}

func TestAStopGivesThePageInHandItsTime(t *testing.T) {
	for _, tt := range []struct {
		name    string
		applies time.Duration // how long the page takes
		stops   time.Duration
		pages   int64
	}{
		{"enough", 15 * time.Second, 5 * time.Second, 1},
		{"not enough", 40 * time.Second, 30 * time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(sortedOrders)
				s.fillOrders(t, 3)
				w := newWorld(t, s)
				w.stop()
				w.shop.Schedules = map[intake.Resource]string{intake.Orders: "@every 1h"}
				var slow sync.Once
				running := false
				w.booksNow = func() time.Time {
					if running {
						slow.Do(func() { time.Sleep(tt.applies) })
					}
					return time.Now()
				}
				w.start()
				w.recover()
				running = true
				stop := w.daemon()
				time.Sleep(10 * time.Second)
				if took := stop(); took != tt.stops {
					t.Errorf("it took %s to stop", took)
				}
				if got := w.fence(intake.Orders); got != tt.pages {
					t.Errorf("%d pages are in the books, want %d", got, tt.pages)
				}
				w.inStep()
			})
		})
	}
}
