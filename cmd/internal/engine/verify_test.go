package engine_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

// verify compares shop and books.
func (w *world) verify(r engine.VerifyRequest) engine.Verification {
	w.t.Helper()
	r.Shop = "atelier"
	v, err := w.engine.Verify(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// drift lists the differences that count.
func drift(v engine.Verification) string {
	var all []string
	for _, d := range v.Drifted() {
		all = append(all, fmt.Sprintf("%s %s %s %s: %s, %s; %s", d.Kind, d.Resource, d.ID, d.Field, d.Shop, d.Books, d.Value))
	}
	return strings.Join(all, "\n")
}

func TestAShopThatWasReadHasNoDriftAndAllDaysAreCertified(t *testing.T) {
	onEachPlatform(t, sandbox.Options{Seed: 1, Orders: 300}, func(t *testing.T, o sandbox.Options) {
		b := newBox(t, o)
		w := newWorld(t, b)
		w.sync()
		w.sync()
		b.live(36 * time.Hour)
		w.sync()
		v := w.verify(engine.VerifyRequest{})
		planted := b.Planted()
		for _, d := range v.Drifted() {
			if _, ok := planted[d.ID]; !ok || d.Field != "parked" || d.Why == "" {
				t.Errorf("%+v", d)
			}
		}
		if len(v.Days) < 10 || v.Checked[intake.Orders] < 300 {
			t.Errorf("%d days, %v", len(v.Days), v.Checked)
		}
		for _, day := range v.Days {
			if !day.Holds && len(planted) == 0 {
				t.Errorf("%s: shop %+v, books %+v", day.Day, day.Shop, day.Books)
			}
		}
	})
}

func TestWhatDiffersIsFoundWithItsValue(t *testing.T) {
	s := newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)
	s.put(intake.Products, mug(t, 12, 1))
	s.fillOrders(t, 4)
	w := newWorld(t, s)
	w.sync()
	if v := w.verify(engine.VerifyRequest{}); len(v.Drift) != 0 {
		t.Errorf("after a sync: %s", drift(v))
	}
	s.edit(intake.Products, mug(t, 9, 1))
	s.edit(intake.Orders, order(t, "2", intake.StateCompleted, 2))
	s.remove(intake.Orders, "3")
	s.put(intake.Orders, order(t, "5", intake.StateOpen, 9))
	digest := w.digest()
	v := w.verify(engine.VerifyRequest{})
	want := "different orders 2 status: completed, open; 10\n" +
		"extra orders 3 : , open; 10\n" +
		"missing orders 5 : , ; 10\n" +
		"different stock 77 stock: 9, 12; 12"
	if got := drift(v); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if w.digest() != digest {
		t.Error("the comparison changed the books")
	}
	if v := w.verify(engine.VerifyRequest{Resources: []intake.Resource{intake.Orders}}); len(v.Drift) != 3 {
		t.Errorf("of the orders alone: %s", drift(v))
	}
	if v := w.verify(engine.VerifyRequest{Resources: []intake.Resource{"stock"}}); len(v.Drift) != 1 || len(v.Days) != 0 {
		t.Errorf("of the stock alone: %s, and %d days", drift(v), len(v.Days))
	}
	if _, err := w.engine.Verify(t.Context(), engine.VerifyRequest{Shop: "atelier", Resources: []intake.Resource{intake.Payouts}}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("of a resource that the shop does not have: %v", err)
	} else if fix := fault.FixOf(err); !strings.Contains(fix, "stock") || !strings.Contains(fix, "orders") {
		t.Errorf("of a resource that the shop does not have: it is not said which can be compared, but %q", fix)
	}
	w.sync()
	if _, err := w.engine.Resync(t.Context(), engine.ResyncRequest{Shop: "atelier"}); err != nil {
		t.Fatal(err)
	}
	if v := w.verify(engine.VerifyRequest{}); drift(v) != "extra orders 3 : , open; 10" {
		t.Errorf("after a resync: %s", drift(v))
	}
}

func TestWhatIsUnderWayIsToldApart(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 4) // changed one, two, three and four minutes after the epoch
	w := newWorld(t, s, func(w *world) { w.now = func() time.Time { return epoch.Add(10 * time.Minute) } })
	v := w.verify(engine.VerifyRequest{Grace: 8 * time.Minute})
	var pending, counts []string
	for _, d := range v.Drift {
		if d.Pending {
			pending = append(pending, d.ID)
		} else {
			counts = append(counts, fmt.Sprint(d.ID, " since ", d.AgeSeconds, " s"))
		}
	}
	sort.Strings(pending)
	if fmt.Sprint(pending, counts) != "[3 4] [1 since 540 s 2 since 480 s]" {
		t.Errorf("pending %v, drift %v", pending, counts)
	}
}

func TestOrdersSinceADayAreComparedAndItsDaysCertified(t *testing.T) {
	s := newShelf(sortedOrders)
	days := []int{0, 1, 1, 3}
	for i, day := range days {
		rec := order(t, fmt.Sprint(i), intake.StateOpen, i)
		o := *rec.Body.(*intake.Order)
		o.PlacedAt = epoch.AddDate(0, 0, day)
		s.put(intake.Orders, seal(t, intake.KindOrder, fmt.Sprint(i), &o, day*24*60))
	}
	now := epoch.AddDate(0, 0, 4)
	w := newWorld(t, s, func(w *world) { w.now = func() time.Time { return now } })
	w.sync()
	certified := func(v engine.Verification) string {
		var out []string
		for _, d := range v.Days {
			out = append(out, fmt.Sprintf("%s %d %d %v", d.Day, d.Shop.Orders, d.Books.Orders, d.Holds))
		}
		return strings.Join(out, ", ")
	}
	if got, want := certified(w.verify(engine.VerifyRequest{})), "2026-03-02 1 1 true, 2026-03-03 2 2 true, 2026-03-04 0 0 true, 2026-03-05 1 1 true"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.remove(intake.Orders, "2")
	since := w.books.BeginOf("2026-03-03")
	v := w.verify(engine.VerifyRequest{Since: since})
	if got, want := certified(v), "2026-03-03 1 2 false, 2026-03-04 0 0 true, 2026-03-05 1 1 true"; got != want || drift(v) != "extra orders 2 : , open; 10" {
		t.Errorf("got  %s\nwant %s\n%s", got, want, drift(v))
	}
	v = w.verify(engine.VerifyRequest{Since: since.Add(time.Hour)})
	if got, want := certified(v), "2026-03-04 0 0 true, 2026-03-05 1 1 true"; got != want {
		t.Errorf("from the middle of a day: got %s, want %s", got, want)
	}
}

func TestAComparisonNeedsNoSyncState(t *testing.T) {
	s := newShelf(sortedOrders)
	s.fillOrders(t, 3)
	w := newWorld(t, s)
	w.sync()
	e, err := engine.New(engine.Options{Books: w.books, Shops: []engine.Shop{w.shop}, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Verify(t.Context(), engine.VerifyRequest{Shop: "atelier"})
	if err != nil || len(v.Drift) != 0 {
		t.Errorf("%v, %v", v.Drift, err)
	}
}

func TestTheDaemonComparesOnItsScheduleAndRaisesAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(sortedOrders)
		s.fillOrders(t, 3)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "0 * * * *"}
		w.shop.Verify, w.shop.VerifySpan = "30 2 * * *", 100*365*24*time.Hour
		w.restart()
		stop := w.daemon()
		defer stop()
		standing := func() *engine.DriftStatus {
			all, err := w.engine.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return all[0].Drift
		}
		time.Sleep(2 * time.Hour)
		if standing() != nil {
			t.Error("compared before its time")
		}
		time.Sleep(time.Hour)
		if st := standing(); st == nil || st.Alarm != "" || st.Differences != 0 || strings.Contains(w.log.String(), `"level":"error"`) {
			t.Errorf("%+v\n%s", st, w.log.String())
		}
		s.remove(intake.Orders, "2")
		time.Sleep(24 * time.Hour)
		st := standing()
		if st == nil || st.Differences != 1 || st.Alarm != "shop atelier and the books differ in 1 place, with a value of 10 EUR; see comptoir verify atelier" {
			t.Errorf("%+v", st)
		}
		if !strings.Contains(w.log.String(), `"level":"error"`) {
			t.Errorf("the log does not tell\n%s", w.log.String())
		}
	})
}

func TestAScheduleOfComparisonsThatCannotBeReadIsRefused(t *testing.T) {
	_, err := engine.New(engine.Options{Shops: []engine.Shop{{Name: "atelier", Connector: newShelf(), Verify: "at night"}}})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "schedule of verify") {
		t.Errorf("%v", err)
	}
}
