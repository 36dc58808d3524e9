package engine_test

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
)

// parked returns the ids of the orders that are parked.
func (w *world) parked() []string {
	w.t.Helper()
	records, err := w.books.ParkedRecords(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	ids := []string{}
	for _, p := range records {
		ids = append(ids, p.Ref.ID)
		if p.Reason == "" || p.Fix == "" {
			w.t.Errorf("parked %s %s: reason %q, fix %q", p.Ref.Kind, p.Ref.ID, p.Reason, p.Fix)
		}
	}
	sort.Strings(ids)
	return ids
}

// asTheShop fails the test unless the books hold what the shop states now:
// reading everything again changes nothing, and only what was planted is
// parked.
func (w *world) asTheShop(b *box) {
	w.t.Helper()
	before := w.digest()
	res := w.resync(engine.ResyncRequest{})
	if res.Total.Applied != 0 {
		w.t.Errorf("a resync applied %+v", res.Resources)
	}
	if w.digest() != before {
		w.t.Error("a resync changed the books")
	}
	planted := []string{}
	for id := range b.Planted() {
		planted = append(planted, id)
	}
	sort.Strings(planted)
	if got := w.parked(); !slices.Equal(got, planted) {
		w.t.Errorf("parked are %v, planted were %v", got, planted)
	}
	w.inStep()
}

func TestAWholeShopArrivesOnceAndStaysCurrent(t *testing.T) {
	onEachPlatform(t, sandbox.Options{Seed: 1, Orders: 300}, arriveOnce)
}

func arriveOnce(t *testing.T, o sandbox.Options) {
	b := newBox(t, o)
	w := newWorld(t, b)
	if first := w.sync(); first.Settled == nil || first.Settled.Opened == 0 {
		t.Errorf("the stock was not taken over: %+v", first.Settled)
	}
	w.asTheShop(b)
	for day := range 5 {
		b.live(24 * time.Hour)
		if res := w.sync(); res.Total.Applied == 0 {
			t.Errorf("day %d brought nothing", day)
		}
	}
	w.asTheShop(b)
}

func TestAnIdlePollOfAShopCommitsNothing(t *testing.T) {
	onEachPlatform(t, sandbox.Options{Seed: 2, Orders: 120}, pollIdly)
}

func pollIdly(t *testing.T, o sandbox.Options) {
	b := newBox(t, o)
	w := newWorld(t, b)
	w.sync()
	w.sync()
	fences := w.fences()
	w.sync()
	if got := w.fences(); got != fences {
		t.Errorf("before: %s\nafter:  %s", fences, got)
	}
}

func (w *world) fences() string {
	w.t.Helper()
	fences, err := w.books.Fences(w.t.Context(), w.shop.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, f := range fences {
		all = append(all, fmt.Sprintf("%s %d %s", f.Stream.Resource, f.Number, f.Cursor))
	}
	sort.Strings(all)
	return fmt.Sprint(all)
}

func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	onEachPlatform(t, sandbox.Options{Seed: 3, Orders: 250}, arriveShuffled)
}

func arriveShuffled(t *testing.T, o sandbox.Options) {
	inOrder := newWorld(t, newBox(t, o))
	inOrder.sync()
	inOrder.sync()
	want := inOrder.digest()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			b := newBox(t, o)
			w := newWorld(t, b)
			w.shop.Connector = shuffle(b, seed)
			w.restart()
			w.sync()
			w.sync() // the stock can only be settled once the catalogue is known
			if w.digest() != want {
				t.Error("another digest than in order")
			}
		})
	}
}

// liveAndSync is the history that the crash tests below disturb.
func liveAndSync(t *testing.T, w *world, b *box, disturb func()) string {
	w.sync()
	for range 3 {
		b.live(12 * time.Hour)
		disturb()
		w.sync()
	}
	w.asTheShop(b)
	return w.digest()
}

func TestALivingShopSurvivesTheLossOfEitherStore(t *testing.T) {
	onEachPlatform(t, sandbox.Options{Seed: 4, Orders: 150}, loseStores)
}

func loseStores(t *testing.T, o sandbox.Options) {
	calm := newBox(t, o)
	want := liveAndSync(t, newWorld(t, calm), calm, func() {})

	t.Run("the sync state is deleted", func(t *testing.T) {
		b := newBox(t, o)
		w := newWorld(t, b)
		got := liveAndSync(t, w, b, func() {
			w.stop()
			if err := os.Remove(w.stateFile()); err != nil {
				t.Fatal(err)
			}
			w.start()
		})
		if got != want {
			t.Error("the books are not the same as without the loss")
		}
	})
	t.Run("the books lose their last page", func(t *testing.T) {
		b := newBox(t, o)
		w := newWorld(t, b)
		got := liveAndSync(t, w, b, func() {
			w.stop()
			restore := w.keep(w.booksFile())
			w.pages(9)
			w.stop()
			restore()
			w.start()
		})
		if got != want {
			t.Error("the books are not the same as without the loss")
		}
	})
	t.Run("the sync state loses its last page", func(t *testing.T) {
		b := newBox(t, o)
		w := newWorld(t, b)
		got := liveAndSync(t, w, b, func() {
			w.stop()
			restore := w.keep(w.stateFile())
			w.pages(9)
			w.stop()
			restore()
			w.start()
		})
		if got != want {
			t.Error("the books are not the same as without the loss")
		}
	})
}

func TestWhatLeavesNoTraceIsFound(t *testing.T) {
	b := newBox(t, sandbox.Options{Seed: 5, Orders: 150})
	w := newWorld(t, b)
	w.sync()
	edited := b.EditOrderSilently("")
	refunded := b.RefundOrder("", true)
	b.live(time.Hour)
	w.sync()
	w.reread()
	if n := b.DeleteRefund(refunded); n == "" {
		t.Fatal("no refund to delete")
	}
	b.live(time.Hour)
	w.sync()
	if edited == "" || refunded == "" {
		t.Fatal("nothing to edit or to refund")
	}
	w.reread()
	w.asTheShop(b)

	gone := b.DeleteOrder("")
	b.live(time.Hour)
	w.sync()
	res, err := w.engine.Sweep(t.Context(), "atelier")
	if err != nil {
		t.Fatal(err)
	}
	if gone == "" || res.Total.Applied == 0 {
		t.Errorf("order %q was deleted, and the sweep found %+v", gone, res.Total)
	}
	if res, err = w.engine.Sweep(t.Context(), "atelier"); err != nil || res.Total.Applied != 0 {
		t.Errorf("the sweep found it again: %+v, %v", res.Total, err)
	}
	if slices.Contains(b.IDs(intake.Orders), gone) {
		t.Error("the shop still has the order")
	}
}

func (w *world) reread() engine.Result {
	w.t.Helper()
	res, err := w.engine.Reread(w.t.Context(), w.shop.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}
