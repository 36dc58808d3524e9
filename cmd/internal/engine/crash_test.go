package engine_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/erp/intake"
)

// history is what the crash tests read: orders with edits that come back to an
// earlier content.
func history(t testing.TB) *shelf {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 14)
	for i, state := range []intake.OrderState{intake.StateHold, intake.StateOpen, intake.StateCompleted} {
		s.put(intake.Orders, order(t, fmt.Sprint(3+i), state, 20+i))
	}
	return s
}

// undisturbed is the digest of the books after a history without a crash.
func undisturbed(t *testing.T, s *shelf) string {
	w := newWorld(t, s)
	w.sync()
	return w.digest()
}

// pages reads so many pages and stops there.
func (w *world) pages(n int) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	read := 0
	w.opts = func(o *engine.Options) {
		o.Progress = func(engine.Progress) {
			if read++; read == n {
				cancel()
			}
		}
	}
	w.restart()
	w.opts = nil
	if _, err := w.engine.Sync(ctx, engine.Request{Shop: w.shop.Name}); err != nil && ctx.Err() == nil {
		w.t.Fatal(err)
	}
}

// A crash between the commit of the books and that of the sync state leaves
// the books one page ahead.
func TestACrashBetweenTheTwoCommitsLosesAndDoublesNothing(t *testing.T) {
	want := undisturbed(t, history(t))
	for page := 1; page <= 5; page++ {
		t.Run(fmt.Sprint("page ", page), func(t *testing.T) {
			w := newWorld(t, history(t))
			if page > 1 {
				w.pages(page - 1)
			}
			w.stop()
			forget := w.keep(w.stateFile())
			w.pages(1)
			w.stop()
			forget()
			w.start()
			w.sync()
			w.inStep()
			if got := w.digest(); got != want {
				t.Errorf("the books are not the same as without the crash")
			}
		})
	}
}

// The sync state fails in mid-run; the same process goes on.
func TestASyncStateThatFailsAfterTheCommitIsCaughtUp(t *testing.T) {
	want := undisturbed(t, history(t))
	w := newWorld(t, history(t))
	w.stop()
	working, stale := false, false
	w.booksNow = func() time.Time {
		if working && !stale {
			// Another run moves the mark while the books are at work.
			stale = true
			m := w.mark(intake.Orders)
			if err := w.state.Advance(context.Background(), "atelier/orders", m, mark(m.Fence, "7"), nil); err != nil {
				t.Error(err)
			}
		}
		return time.Now()
	}
	w.start()
	w.recover()
	working = true
	if _, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"}); err == nil {
		t.Fatal("nothing failed")
	}
	w.sync()
	w.inStep()
	if got := w.digest(); got != want {
		t.Errorf("the books are not the same as without the failure")
	}
}

// An edit that the sync state never heard of, followed by one back to the
// content that it remembers, must still be booked.
func TestAnEditUndoneAfterACrashIsBooked(t *testing.T) {
	s := newShelf(sortedOrders)
	s.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
	w := newWorld(t, s)
	w.sync()
	w.stop()
	forget := w.keep(w.stateFile())
	w.start()
	s.put(intake.Orders, order(t, "1", intake.StateCancelled, 2))
	w.sync()
	w.stop()
	forget()
	w.start()
	s.put(intake.Orders, order(t, "1", intake.StateOpen, 3))
	if res := w.sync(); res.Total.Applied != 1 {
		t.Errorf("the way back was taken for known: %+v", res.Total)
	}
}

func TestOlderBooksBesideANewerSyncState(t *testing.T) {
	want := undisturbed(t, history(t))
	for page := 0; page <= 5; page++ {
		t.Run(fmt.Sprint("from page ", page), func(t *testing.T) {
			w := newWorld(t, history(t))
			if page > 0 {
				w.pages(page)
			}
			w.stop()
			restore := w.keep(w.booksFile())
			w.start()
			w.sync()
			w.stop()
			restore()
			w.start()
			w.sync()
			w.inStep()
			if got := w.digest(); got != want {
				t.Errorf("the books are not the same as without the restore")
			}
		})
	}
}

func TestALostSyncStateIsRebuilt(t *testing.T) {
	want := undisturbed(t, history(t))
	for page := 1; page <= 6; page++ {
		t.Run(fmt.Sprint("after page ", page), func(t *testing.T) {
			s := history(t)
			w := newWorld(t, s)
			w.pages(page)
			fence := w.fence(intake.Orders)
			w.stop()
			if err := os.Remove(w.stateFile()); err != nil {
				t.Fatal(err)
			}
			w.start()
			s.requests()
			w.sync()
			w.inStep()
			if got := w.digest(); got != want {
				t.Errorf("the books are not the same as without the loss")
			}
			if first := s.requests()[0]; fence > 0 && first == "pull orders 0" {
				t.Errorf("the books' cursor was not used: it began with %q", first)
			}
		})
	}
}

// Books and sync state of different histories that happen to be at the same
// commit number.
func TestASyncStateOfAnotherHistoryIsNotTrusted(t *testing.T) {
	s := newShelf(sortedOrders)
	s.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
	w := newWorld(t, s)
	w.sync() // one date for all: changes that leave it alone
	w.stop()
	older := w.keep(w.booksFile())
	w.start()
	s.put(intake.Orders, order(t, "1", intake.StateCancelled, 1))
	w.sync()
	w.stop()
	foreign := w.keep(w.stateFile())
	older()
	w.start()
	s.put(intake.Orders, order(t, "2", intake.StateOpen, 1))
	s.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
	w.sync() // the cancellation never happened here
	w.stop()
	foreign()
	w.start()
	s.put(intake.Orders, order(t, "1", intake.StateCancelled, 1))
	if res := w.sync(); res.Total.Applied != 1 {
		t.Errorf("a key of another history hid a change: %+v", res.Total)
	}
	w.inStep()
}
