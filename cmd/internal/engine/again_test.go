package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

func (w *world) resync(r engine.ResyncRequest) engine.Result {
	w.t.Helper()
	r.Shop = w.shop.Name
	res, err := w.engine.Resync(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func TestResyncTwiceChangesNothing(t *testing.T) {
	s := history(t)
	w := newWorld(t, s)
	w.sync()
	digest, cursor := w.digest(), string(w.mark(intake.Orders).Cursor)
	for range 2 {
		if res := w.resync(engine.ResyncRequest{}); res.Total.Applied != 0 || res.Total.Unchanged != 14 {
			t.Errorf("a resync of what is known: %+v", res.Total)
		}
		if got := w.digest(); got != digest {
			t.Errorf("the books have changed")
		}
		if got := string(w.mark(intake.Orders).Cursor); got != cursor {
			t.Errorf("the cursor has moved from %q to %q", cursor, got)
		}
		w.inStep()
	}
}

func TestResyncFindsWhatThePullCannotSee(t *testing.T) {
	s := history(t)
	w := newWorld(t, s)
	w.sync()
	s.edit(intake.Orders, order(t, "1", intake.StateCompleted, 1))
	s.edit(intake.Orders, order(t, "12", intake.StateCompleted, 12))
	if res := w.sync(); res.Total.Applied != 0 {
		t.Fatalf("the edit was not silent: %+v", res.Total)
	}
	t.Run("a dry run lists it and changes nothing", func(t *testing.T) {
		digest, fence := w.digest(), w.fence(intake.Orders)
		res := w.resync(engine.ResyncRequest{DryRun: true})
		if len(res.Changes) == 0 || res.Total.Applied != 2 || res.Total.Unchanged != 12 {
			t.Errorf("got %+v", res)
		}
		if w.digest() != digest || w.fence(intake.Orders) != fence {
			t.Errorf("the dry run wrote to the books")
		}
	})
	t.Run("one order", func(t *testing.T) {
		s.requests()
		if res := w.resync(engine.ResyncRequest{Order: "1"}); res.Total.Applied != 1 {
			t.Errorf("got %+v", res.Total)
		}
		if got := s.requests(); len(got) != 1 || got[0] != "fetch 1" {
			t.Errorf("it asked for %q", got)
		}
	})
	t.Run("since an instant", func(t *testing.T) {
		if res := w.resync(engine.ResyncRequest{Since: epoch.Add(12 * time.Minute)}); res.Total.Applied != 1 || res.Total.Unchanged != 5 {
			t.Errorf("got %+v", res.Total)
		}
	})
	w.inStep()
}

func TestResyncOfAnOrderThatNobodyHas(t *testing.T) {
	w := newWorld(t, newShelf(sortedOrders))
	_, err := w.engine.Resync(t.Context(), engine.ResyncRequest{Shop: "atelier", Order: "1042"})
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "shop atelier has no order 1042") {
		t.Errorf("got %v", err)
	}
	_, err = w.engine.Resync(t.Context(), engine.ResyncRequest{Shop: "atelier", Order: "1042", Since: epoch})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestRereadFindsSilentEditsAndWritesOnlyThem(t *testing.T) {
	s := newShelf(connectors.Stream{Resource: intake.Orders, Sorted: true, Reread: 30 * 24 * time.Hour})
	s.fillOrders(t, 250)
	w := newWorld(t, s)
	w.sync()
	s.edit(intake.Orders, order(t, "7", intake.StateCompleted, 7))
	s.remove(intake.Orders, "9")
	s.requests()
	res, err := w.engine.Reread(t.Context(), "atelier")
	if err != nil {
		t.Fatal(err)
	}
	if res.Total.Applied != 2 || res.Total.Unchanged != 248 {
		t.Errorf("got %+v", res.Total)
	}
	if got := fmt.Sprint(s.requests()); got != "[fetch 100 fetch 100 fetch 50]" {
		t.Errorf("it asked for %s", got)
	}
	fence := w.fence(intake.Orders)
	if res, err = w.engine.Reread(t.Context(), "atelier"); err != nil || res.Total.Applied != 0 {
		t.Errorf("again: %+v, %v", res.Total, err)
	}
	if got := w.fence(intake.Orders); got != fence {
		t.Errorf("reading the same again was committed: fence %d, was %d", got, fence)
	}
	w.inStep()
}

func TestSweepFindsWhatIsOnOneSideOnly(t *testing.T) {
	vanishing := connectors.Stream{Resource: intake.Orders, Sorted: true, Vanishes: true}
	s := newShelf(vanishing)
	s.fillOrders(t, 5)
	w := newWorld(t, s)
	w.sync()
	s.remove(intake.Orders, "2")
	s.put(intake.Orders, order(t, "6", intake.StateOpen, 6))
	s.rows[intake.Orders][4].at = 0 // it never comes in a pull
	if res := w.sync(); res.Total.Applied != 0 {
		t.Fatalf("the pull saw it: %+v", res.Total)
	}
	s.requests()
	res, err := w.engine.Sweep(t.Context(), "atelier")
	if err != nil {
		t.Fatal(err)
	}
	if res.Total.Applied != 2 {
		t.Errorf("got %+v", res.Total)
	}
	if got := fmt.Sprint(s.requests()); got != "[list orders fetch 2]" {
		t.Errorf("it asked for %s", got)
	}
	if res, err = w.engine.Sweep(t.Context(), "atelier"); err != nil || res.Total.Applied != 0 {
		t.Errorf("again: %+v, %v", res.Total, err)
	}
}

func TestSweepLeavesTheTrashAlone(t *testing.T) {
	s := newShelf(connectors.Stream{Resource: intake.Orders, Sorted: true, Vanishes: true},
		connectors.Stream{Resource: intake.Trash, Sorted: true, Vanishes: true})
	s.fillOrders(t, 2)
	put := *order(t, "3", intake.StateOpen, 3).Body.(*intake.Order)
	put.Trashed = true
	s.put(intake.Trash, seal(t, intake.KindOrder, "3", &put, 3))
	w := newWorld(t, s)
	w.sync()
	s.requests()
	if res, err := w.engine.Sweep(t.Context(), "atelier"); err != nil || res.Total.Applied != 0 {
		t.Errorf("got %+v, %v", res.Total, err)
	}
	if got := fmt.Sprint(s.requests()); got != "[list orders list trash]" {
		t.Errorf("it asked for %s", got)
	}
}

func TestParkedRecordsAreCountedAndNotAppliedWithEachPoll(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 2)
	bad := intake.Unreadable(intake.Ref{Kind: intake.KindOrder, ID: "3"}, epoch, []byte(`{"total":"many"}`), `the total "many" is no number`)
	s.put(intake.Orders, bad)
	s.put(intake.Orders, order(t, "4", intake.StateOpen, 4))
	w := newWorld(t, s)
	if res := w.sync(); res.Total.Applied != 3 || res.Total.Parked != 1 {
		t.Fatalf("one bad record stopped the others: %+v", res.Total)
	}
	if n := w.status(intake.Orders).Parked; n != 1 {
		t.Errorf("status counts %d parked", n)
	}
	s.put(intake.Orders, bad) // touched
	if res := w.sync(); res.Total.Parked != 0 || res.Total.Unchanged != 1 {
		t.Errorf("the same statement was parked again: %+v", res.Total)
	}
	res, err := w.engine.RetryParked(t.Context(), "atelier")
	if err != nil || res.Total.Parked != 1 || res.Total.Applied != 0 {
		t.Errorf("retry: %+v, %v", res.Total, err)
	}
	s.put(intake.Orders, order(t, "3", intake.StateOpen, 5)) // mended in the shop
	if res := w.sync(); res.Total.Applied != 1 {
		t.Errorf("mended: %+v", res.Total)
	}
	if n := w.status(intake.Orders).Parked; n != 0 {
		t.Errorf("status still counts %d parked", n)
	}
}

func TestStatusTellsOfTheLastPull(t *testing.T) {
	s := newShelf(sortedOrders, trash)
	s.fillOrders(t, 4)
	w := newWorld(t, s)
	now := epoch
	w.now = func() time.Time { return now }
	w.restart()
	if got := w.status(intake.Orders); got.LagSeconds != -1 || !got.LastRun.IsZero() || got.Cursor != "" {
		t.Errorf("before the first pull: %+v", got)
	}
	w.sync()
	now = now.Add(10 * time.Minute)
	s.answer = func(string) error {
		return &connectors.Error{Class: connectors.Rejected, Op: "list", Err: errors.New("nonsense")}
	}
	if _, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"}); err == nil {
		t.Fatal("nothing failed")
	}
	now = now.Add(5 * time.Minute)
	want := engine.ResourceStatus{Shop: "atelier", Resource: intake.Orders, Cursor: "4", LastRun: epoch.Add(10 * time.Minute),
		LagSeconds: 15 * 60, LastError: "list: nonsense"}
	if got := w.status(intake.Orders); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	w.restart()
	if got := w.status(intake.Orders); got != want {
		t.Errorf("from the history:\ngot  %+v\nwant %+v", got, want)
	}
}

// status returns the status of a resource of the shop.
func (w *world) status(r intake.Resource) engine.ResourceStatus {
	w.t.Helper()
	shops, err := w.engine.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range shops[0].Resources {
		if s.Resource == r {
			return s
		}
	}
	w.t.Fatalf("no status of %s", r)
	return engine.ResourceStatus{}
}
