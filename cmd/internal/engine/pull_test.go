package engine_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

var (
	sortedOrders = connectors.Stream{Resource: intake.Orders, Sorted: true}
	heapedOrders = connectors.Stream{Resource: intake.Orders}
	trash        = connectors.Stream{Resource: intake.Trash, Sorted: true}
)

func TestSyncReadsAllPagesAndAnIdlePollWritesNothing(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 10)
	w := newWorld(t, s)
	res := w.sync()
	if got := res.Total; got.Applied != 10 || got.Pages != 4 || got.Unchanged != 0 || got.Parked != 0 {
		t.Fatalf("the first sync: %+v", got)
	}
	w.inStep()
	before, mark := w.fence(intake.Orders), w.mark(intake.Orders)
	if before != 4 || string(mark.Cursor) != "10" {
		t.Errorf("after 4 pages the fence is at %d and the cursor at %q", before, mark.Cursor)
	}
	res = w.sync()
	if res.Total.Applied != 0 {
		t.Errorf("the second sync applied %d", res.Total.Applied)
	}
	if got := w.fence(intake.Orders); got != before {
		t.Errorf("an idle poll committed to the books: fence %d, was %d", got, before)
	}
}

func TestKnownRecordsAreNotAppliedAgain(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 4)
	w := newWorld(t, s)
	w.sync()
	for i := 1; i <= 3; i++ { // listed again, as an overlap does
		s.put(intake.Orders, order(t, strconv.Itoa(i), intake.StateOpen, i))
	}
	s.put(intake.Orders, order(t, "4", intake.StateCompleted, 60))
	before := w.fence(intake.Orders)
	res := w.sync()
	if res.Total.Applied != 1 || res.Total.Unchanged != 3 {
		t.Errorf("got %+v, want 1 applied and 3 unchanged", res.Total)
	}
	if got := w.fence(intake.Orders); got != before+1 {
		t.Errorf("a page of known records was committed: fence %d, was %d", got, before)
	}
	if got := string(w.mark(intake.Orders).Cursor); got != "8" {
		t.Errorf("the cursor is at %q", got)
	}
	w.inStep()
}

func TestACursorThatMovesOverKnownRecordsIsKept(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 2)
	w := newWorld(t, s)
	w.sync()
	s.put(intake.Orders, order(t, "1", intake.StateOpen, 1))
	w.sync()
	if got := string(w.mark(intake.Orders).Cursor); got != "3" {
		t.Errorf("the cursor is at %q, so the same record comes with every poll", got)
	}
	w.inStep()
}

func TestTheCursorOfAnUnsortedStreamWaitsForTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream connectors.Stream
		cursor string
	}{
		{"sorted", sortedOrders, "6"},
		{"unsorted", heapedOrders, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(tt.stream)
			s.fillOrders(t, 10)
			s.answer = func(call string) error {
				if call == "pull orders 6" {
					return &connectors.Error{Class: connectors.Rejected, Op: "shelf: list orders", Err: errors.New("bad page")}
				}
				return nil
			}
			w := newWorld(t, s)
			res, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"})
			if err == nil || !strings.Contains(err.Error(), "read orders of shop atelier: shelf: list orders: bad page") {
				t.Fatalf("the page that cannot be read is passed over: %v", err)
			}
			if res.Total.Applied != 6 || res.Resources[0].Error == "" {
				t.Errorf("what was read before is not told: %+v", res)
			}
			if got := string(w.mark(intake.Orders).Cursor); got != tt.cursor {
				t.Errorf("the cursor is at %q, want %q", got, tt.cursor)
			}
			w.inStep()
			s.answer = nil
			w.sync()
			if got := string(w.mark(intake.Orders).Cursor); got != "10" {
				t.Errorf("the cursor is at %q at the end", got)
			}
		})
	}
}

func TestAnOrderThatGoesBackIsAppliedThreeTimes(t *testing.T) {
	s := newShelf(sortedOrders)
	w := newWorld(t, s)
	for i, state := range []intake.OrderState{intake.StateOpen, intake.StateCancelled, intake.StateOpen} {
		s.put(intake.Orders, order(t, "1", state, i))
		if res := w.sync(); res.Total.Applied != 1 {
			t.Errorf("state %d, %s: %+v", i, state, res.Total)
		}
	}
}

func TestAnOrderThatComesBackFromTheTrashIsApplied(t *testing.T) {
	s := newShelf(sortedOrders, trash)
	w := newWorld(t, s)
	listed := order(t, "1", intake.StateOpen, 1)
	s.put(intake.Orders, listed)
	w.sync()
	put := *listed.Body.(*intake.Order)
	put.Trashed = true
	s.remove(intake.Orders, "1")
	s.put(intake.Trash, seal(t, intake.KindOrder, "1", &put, 1)) // the date stays
	if res := w.sync(); res.Total.Applied != 1 {
		t.Errorf("put into the trash: %+v", res.Total)
	}
	s.remove(intake.Trash, "1")
	s.put(intake.Orders, listed)
	if res := w.sync(); res.Total.Applied != 1 {
		t.Errorf("taken out of the trash: %+v", res.Total)
	}
}

// The books pass over a statement that is older than the one they hold. When
// the shop states that content anew, it counts.
func TestAnOlderStatementIsNotTakenForTheNewest(t *testing.T) {
	s := newShelf(sortedOrders)
	w := newWorld(t, s)
	for i, change := range []intake.Record{
		order(t, "1", intake.StateCancelled, 5),
		order(t, "1", intake.StateOpen, 2), // a page that was read before the cancellation
		order(t, "1", intake.StateOpen, 9),
	} {
		s.put(intake.Orders, change)
		if res, want := w.sync(), []int{1, 0, 1}[i]; res.Total.Applied != want {
			t.Errorf("statement %d: %+v", i, res.Total)
		}
	}
}

func TestTwoStatementsOfOneRecordOnAPageEndWithTheLast(t *testing.T) {
	s := newShelf(sortedOrders)
	w := newWorld(t, s)
	open, done := order(t, "1", intake.StateOpen, 1), order(t, "1", intake.StateCompleted, 1)
	s.put(intake.Orders, done)
	w.sync()
	s.rows[intake.Orders] = []row{{2, open}, {3, done}} // the second is known, the first is not
	w.sync()
	if res := w.resync(engine.ResyncRequest{Order: "1"}); res.Total.Unchanged != 1 {
		t.Errorf("the books did not end with the last statement: %+v", res.Total)
	}
}

func TestOnePageIsReadAhead(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 30)
	w := newWorld(t, s)
	w.opts = func(o *engine.Options) {
		o.Progress = func(p engine.Progress) {
			s.mu.Lock()
			asked := len(s.calls)
			s.mu.Unlock()
			// The page in hand, the one that waits, and the one asked for
			// between this page's end and the next page's beginning.
			if read := p.Done / s.size; asked > read+2 {
				t.Errorf("%d pages asked for, %d applied", asked, read)
			}
		}
	}
	w.restart()
	w.sync()
}

func TestProgressCountsUp(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 7)
	w := newWorld(t, s)
	var got []engine.Progress
	w.opts = func(o *engine.Options) { o.Progress = func(p engine.Progress) { got = append(got, p) } }
	w.restart()
	w.sync()
	want := []engine.Progress{
		{Shop: "atelier", Resource: intake.Orders, Done: 3, Total: 7},
		{Shop: "atelier", Resource: intake.Orders, Done: 6, Total: 7},
		{Shop: "atelier", Resource: intake.Orders, Done: 7, Total: 7},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestAConnectorThatDoesNotAdvanceIsAnError(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 3)
	s.size = 0 // pages without records, and always more of them
	w := newWorld(t, s)
	s.rows[intake.Orders][0].at = 5
	if _, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier"}); err == nil || !strings.Contains(err.Error(), "do not advance") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	w := newWorld(t, newShelf(sortedOrders))
	_, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelir"})
	if fault.KindOf(err) != fault.NotFound || err.Error() != `there is no shop "atelir": the configuration has atelier` {
		t.Errorf("got %v", err)
	}
	_, err = w.engine.Sync(t.Context(), engine.Request{Shop: "atelier", Resources: []intake.Resource{"order"}})
	if fault.KindOf(err) != fault.NotFound || err.Error() != `shop atelier has no resource "order": it has orders` {
		t.Errorf("got %v", err)
	}
}

func TestABadCronSpecNamesShopResourceAndSpec(t *testing.T) {
	for _, tt := range []struct {
		name string
		shop engine.Shop
		want string
	}{
		{"of a pull", engine.Shop{Schedules: map[intake.Resource]string{intake.Orders: "*/5 * *"}}, `shop atelier, schedule of orders: cannot read "*/5 * *"`},
		{"of the sweep", engine.Shop{Sweep: "at night"}, `shop atelier, schedule of sweep: cannot read "at night"`},
		{"of nothing", engine.Shop{Schedules: map[intake.Resource]string{"order": "@hourly"}}, `shop atelier, schedule of order ("@hourly"): the shop has no such resource`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.shop.Name, tt.shop.Connector = "atelier", newShelf(sortedOrders)
			_, err := engine.New(engine.Options{Shops: []engine.Shop{tt.shop}})
			if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
