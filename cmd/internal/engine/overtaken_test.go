package engine_test

import (
	"context"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
)

// elsewhere goes on with the sync state of another data directory, as a process
// of its own with the same books does.
func (w *world) elsewhere(dir string) {
	w.t.Helper()
	w.stop()
	w.stateDir = dir
	w.start()
}

// A process is ended in the middle of a push; another one, with a sync state of
// its own, tells the shop that and more, and the first one comes back with the
// request still in its sync state. It must not be made again: the number that
// it names is the one that the shop had then, once more.
func TestAProcessThatWasOvertakenForgetsWhatItHadUnderWay(t *testing.T) {
	onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
		tl := newTelling(t, o, on)
		before := tl.box.inShop(t, tl.id)
		tl.adjust(tl.sku, 5, "found")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		tl.till.before = func(string, []intake.StockLevel) error { return refused(connectors.Transient, "the line is cut") }
		if _, err := tl.engine.Push(ctx, engine.PushRequest{Shop: "atelier"}); err == nil {
			t.Fatal("nothing was cut off")
		}
		tl.till.before = nil
		tl.elsewhere(t.TempDir())
		tl.push(engine.PushRequest{})
		tl.agree()
		tl.adjust(tl.sku, -5, "lost again")
		tl.push(engine.PushRequest{})
		tl.agree()
		if now := tl.box.inShop(t, tl.id); now != before {
			t.Fatalf("the shop has %s, and had %s", now, before)
		}
		written := len(tl.box.StockWrites())
		tl.elsewhere(tl.dir)
		if res := tl.push(engine.PushRequest{}); res.Calls > 0 || tl.effects(written) > 0 {
			t.Errorf("the shop was told what it was to have another day: %+v", res)
		}
		tl.agree()
	})
}
