package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

// heardShelf is a shelf that sends hints.
type heardShelf struct {
	*shelf
	subscribed []string
}

func (s *heardShelf) Hint(http.Header, []byte) (connectors.Hint, error) {
	return connectors.Hint{}, nil
}

func (s *heardShelf) Subscribe(_ context.Context, address string) ([]connectors.Subscription, error) {
	if s.subscribed = append(s.subscribed, address); len(s.subscribed) == 1 {
		return []connectors.Subscription{{Topic: "order.updated", ID: "7", Done: "made"}}, nil
	}
	return []connectors.Subscription{{Topic: "order.updated", ID: "7", Done: "kept"}}, nil
}

func heard() *heardShelf {
	return &heardShelf{shelf: newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders)}
}

func orderRefs(ids ...string) []intake.Ref {
	refs := make([]intake.Ref, len(ids))
	for i, id := range ids {
		refs[i] = intake.Ref{Kind: intake.KindOrder, ID: id}
	}
	return refs
}

// hint has the shop say something, and reports whether it was a repetition.
func (w *world) hint(h connectors.Hint) (repeated bool) {
	w.t.Helper()
	repeated, err := w.engine.TakeHint("atelier", h)
	if err != nil {
		w.t.Fatal(err)
	}
	return repeated
}

// waits counts the records and resources that were not looked at.
func (w *world) waits() string {
	w.t.Helper()
	all, err := w.engine.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	st := all[0].Hints
	return fmt.Sprintf("%d records, %d resources", st.Records, st.Resources)
}

// orders counts the orders in the books.
func (w *world) orders() (n int) {
	w.t.Helper()
	err := w.books.Known(w.t.Context(), "atelier", intake.KindOrder, func(refs []intake.Ref) error {
		n += len(refs)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestAHintHasItsRecordsReadAtOnceAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 5)
		w := newWorld(t, s)
		stop := w.daemon()
		defer stop()
		w.hint(connectors.Hint{Key: "a", Refs: orderRefs("2", "4")})
		w.hint(connectors.Hint{Key: "b", Refs: orderRefs("4", "5")})
		if !w.hint(connectors.Hint{Key: "a", Refs: orderRefs("2", "4")}) {
			t.Error("a delivery that came again is taken for a new one")
		}
		time.Sleep(time.Second)
		if got := strings.Join(s.requests(), ", "); got != "fetch 3" {
			t.Errorf("the shop was asked to %s", got)
		}
		if n := w.orders(); n != 3 || w.waits() != "0 records, 0 resources" {
			t.Errorf("%d orders in the books; %s wait", n, w.waits())
		}
		digest := w.digest()
		w.hint(connectors.Hint{Key: "c", Refs: orderRefs("2", "4")})
		time.Sleep(time.Second)
		if w.digest() != digest {
			t.Error("a hint about records that are known changed the books")
		}
		w.sync()
		if n := w.orders(); n != 5 {
			t.Errorf("%d orders after a pull, want all 5", n)
		}
	})
}

func TestAHintThatAnotherProcessHasTakenIsLookedAtHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 5)
		w := newWorld(t, s, func(w *world) { w.opts = func(o *engine.Options) { o.Passed = true } })
		pass := func(h connectors.Hint) {
			t.Helper()
			if err := engine.PassHint(t.Context(), w.books, "atelier", h); err != nil {
				t.Fatal(err)
			}
		}
		pass(connectors.Hint{Key: "a", Refs: orderRefs("2", "4")}) // while nobody is at work
		stop := w.daemon()
		defer stop()
		time.Sleep(3 * time.Second)
		if n := w.orders(); n != 2 || w.waits() != "0 records, 0 resources" {
			t.Errorf("%d orders in the books; %s wait", n, w.waits())
		}
		pass(connectors.Hint{Key: "b", Pull: []intake.Resource{intake.Orders}})
		time.Sleep(3 * time.Second)
		if got := strings.Join(s.requests(), ", "); got != "fetch 2, pull orders 0, pull orders 3" || w.orders() != 5 {
			t.Errorf("the shop was asked to %s; %d orders", got, w.orders())
		}
		time.Sleep(time.Hour)
		if got := s.requests(); len(got) > 0 {
			t.Errorf("what was looked at was asked for again: %s", got)
		}
	})
}

func TestAHintAboutNoRecordInParticularHasTheResourceRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		stop := w.daemon()
		defer stop()
		w.hint(connectors.Hint{Key: "a", Pull: []intake.Resource{intake.Orders, intake.Payouts}}) // of which it has none
		time.Sleep(time.Second)
		if got := strings.Join(s.requests(), ", "); got != "pull orders 0" || w.orders() != 2 {
			t.Errorf("the shop was asked to %s; %d orders", got, w.orders())
		}
		time.Sleep(time.Hour)
		if got := s.requests(); len(got) > 0 {
			t.Errorf("without a hint the shop was asked to %s", got)
		}
	})
}

func TestHintsWaitForAShopThatIsPausedAndOutliveTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		s.answers(func(string) error {
			return &connectors.Error{Class: connectors.Denied, Op: "fetch", Err: errors.New("the key is wrong")}
		})
		stop := w.daemon()
		w.hint(connectors.Hint{Key: "a", Refs: orderRefs("1")})
		time.Sleep(time.Minute)
		s.requests()
		w.hint(connectors.Hint{Key: "b", Refs: orderRefs("2")})
		time.Sleep(10 * time.Minute)
		if got := s.requests(); len(got) > 0 || w.waits() != "2 records, 0 resources" {
			t.Errorf("a paused shop was asked to %v; %s wait", got, w.waits())
		}
		stop()
		s.answers(nil)
		w.restart()
		if w.waits() != "2 records, 0 resources" {
			t.Errorf("after a restart %s wait", w.waits())
		}
		stop = w.daemon()
		defer stop()
		time.Sleep(time.Second)
		if w.orders() != 2 || w.waits() != "0 records, 0 resources" {
			t.Errorf("%d orders in the books; %s wait", w.orders(), w.waits())
		}
	})
}

func TestAHintIsTriedAgainUntilItsRecordsAreInTheBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		s.answers(transient)
		stop := w.daemon()
		defer stop()
		w.hint(connectors.Hint{Key: "a", Refs: orderRefs("1", "2")})
		time.Sleep(5 * time.Minute)
		if w.waits() != "2 records, 0 resources" {
			t.Errorf("%s wait while the shop does not answer", w.waits())
		}
		s.answers(nil)
		time.Sleep(30 * time.Minute)
		if w.orders() != 2 || w.waits() != "0 records, 0 resources" {
			t.Errorf("%d orders in the books; %s wait", w.orders(), w.waits())
		}
	})
}

func TestARecordThatTheShopRefusesKeepsNoOtherFromBeingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 3)
		w := newWorld(t, s)
		fetches := 0
		s.answers(func(string) error { // all three together, and the first alone
			if fetches++; fetches <= 2 {
				return &connectors.Error{Class: connectors.Rejected, Op: "fetch", Err: errors.New("no such thing")}
			}
			return nil
		})
		stop := w.daemon()
		defer stop()
		w.hint(connectors.Hint{Key: "a", Refs: orderRefs("1", "2", "3")})
		time.Sleep(time.Second)
		if w.orders() != 2 || w.waits() != "0 records, 0 resources" {
			t.Errorf("%d orders in the books; %s wait", w.orders(), w.waits())
		}
		if !strings.Contains(w.log.String(), "pointed at a record that it does not give") {
			t.Error("the log does not tell of the record that was dropped")
		}
	})
}

func TestAHintAboutARecordThatIsGoneHasItGoneFromTheBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 2)
		w := newWorld(t, s)
		w.sync()
		s.remove(intake.Orders, "1")
		stop := w.daemon()
		defer stop()
		w.hint(connectors.Hint{Key: "a", Refs: orderRefs("1", "no such order")})
		time.Sleep(time.Second)
		if w.orders() != 1 || w.waits() != "0 records, 0 resources" {
			t.Errorf("%d orders in the books; %s wait", w.orders(), w.waits())
		}
	})
}

func TestWhatNoStreamReadsIsNotKept(t *testing.T) {
	w := newWorld(t, heard())
	if w.hint(connectors.Hint{Key: "a", Refs: []intake.Ref{{Kind: intake.KindCoupon, ID: "1"}}}) || w.waits() != "0 records, 0 resources" {
		t.Errorf("%s wait", w.waits())
	}
	if _, err := w.engine.TakeHint("nobody", connectors.Hint{}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a hint of a shop that is not there: %v", err)
	}
}

func TestSubscribeTellsOnlyOfWhatItChanged(t *testing.T) {
	s := heard()
	w := newWorld(t, s)
	for i, logged := range []bool{true, false} {
		subs, err := w.engine.Subscribe(t.Context(), "atelier", "https://example.com/hooks/atelier")
		if err != nil || len(subs) != 1 {
			t.Fatalf("%v, %v", subs, err)
		}
		if got := strings.Count(w.log.String(), "subscription to the shop's hints") == i+1; got != logged {
			t.Errorf("round %d is logged: %v", i, got)
		}
	}
	if !slices.Equal(s.subscribed, []string{"https://example.com/hooks/atelier", "https://example.com/hooks/atelier"}) {
		t.Errorf("subscribed %v", s.subscribed)
	}
	w = newWorld(t, newShelf(sortedOrders))
	if _, err := w.engine.Subscribe(t.Context(), "atelier", "https://example.com"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a shop that sends no hints: %v", err)
	}
	if _, ok := w.engine.Hinter("atelier"); ok {
		t.Error("a shop that sends no hints takes deliveries")
	}
}

func TestAFloodOfHintsAboutNothingChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := heard()
		s.fillOrders(t, 5)
		w := newWorld(t, s)
		w.sync()
		s.requests()
		digest := w.digest()
		stop := w.daemon()
		defer stop()
		const flood = 2000
		var hinting sync.WaitGroup
		for sender := range 20 {
			hinting.Go(func() {
				for i := range flood / 20 {
					id := fmt.Sprint(1000 + sender*flood/20 + i)
					if _, err := w.engine.TakeHint("atelier", connectors.Hint{Key: id, Refs: orderRefs(id, "3")}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		hinting.Wait()
		time.Sleep(time.Minute)
		if w.digest() != digest || w.waits() != "0 records, 0 resources" {
			t.Errorf("the books have changed: %v; %s wait", w.digest() != digest, w.waits())
		}
		if n := len(only(s.requests(), "fetch")); n > flood/100+20 {
			t.Errorf("%d hints made %d requests", flood, n)
		}
	})
}
