package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// A sale in one shop lowers the stock in the other as soon as it is heard of:
// by a webhook in seconds, else with the next reading.
func TestASaleInOneShopLowersTheStockOfTheOther(t *testing.T) {
	for _, heard := range []bool{true, false} {
		t.Run(fmt.Sprintf("by webhook %v", heard), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				atelier := newBox(t, sandbox.Options{Seed: 3, Goods: 9, Orders: 20, Common: true})
				boutique := newBox(t, sandbox.Options{Seed: 4, Goods: 9, Orders: 20, Common: true, Platform: sandbox.Shopify})
				period := map[intake.Resource]string{intake.Products: "@every 10m", intake.Variants: "@every 10m", intake.Orders: "@every 2m"}
				for _, b := range []*box{atelier, boutique} {
					b.bubbled()
				}
				w := newWorld(t, atelier.Connector, func(w *world) {
					w.now, w.rates, w.policy = time.Now, append(atelier.rates(), boutique.rates()...)[:len(atelier.rates())], owned()
					w.shop.Schedules, w.shop.Compare = scheduled(atelier, period), "@every 10m"
					w.others = []engine.Shop{{Name: "boutique", Connector: boutique.Connector, Schedules: scheduled(boutique, period), Compare: "@every 10m"}}
				})
				stop := w.daemon()
				defer stop()
				for range 30 {
					time.Sleep(time.Minute)
					atelier.Advance(time.Minute)
					boutique.Advance(time.Minute)
				}
				time.Sleep(3*time.Minute + 15*time.Second) // all is quiet, and it is between two readings
				atelier.Advance(3*time.Minute + 15*time.Second)
				boutique.Advance(3*time.Minute + 15*time.Second)
				sku := w.shared(atelier, boutique)
				order := atelier.Sell(atelier.VariantOf(sku), 2)
				limit := 2*time.Minute + 5*time.Second
				if heard {
					limit = 5 * time.Second
					if _, err := w.engine.TakeHint("atelier", connectors.Hint{Key: "sale", Refs: []intake.Ref{{Kind: intake.KindOrder, ID: order}}}); err != nil {
						t.Fatal(err)
					}
				}
				want := w.available(sku)
				before := boutique.inShop(t, boutique.VariantOf(sku))
				if before != want {
					t.Fatalf("the shop has %s before the sale, and %s can be sold", before, want)
				}
				took := time.Duration(0)
				for ; boutique.inShop(t, boutique.VariantOf(sku)) == before && took < time.Hour; took += 100 * time.Millisecond {
					time.Sleep(100 * time.Millisecond)
				}
				if took >= limit {
					t.Errorf("it took %s", took)
				}
				if got, want := boutique.inShop(t, boutique.VariantOf(sku)), w.available(sku); got != want || got == before {
					t.Errorf("the other shop has %s, and %s can be sold", got, want)
				}
			})
		})
	}
}

// scheduled gives all resources of a shop a schedule.
func scheduled(b *box, often map[intake.Resource]string) map[intake.Resource]string {
	out := map[intake.Resource]string{}
	for _, st := range b.Streams() {
		if out[st.Resource] = often[st.Resource]; out[st.Resource] == "" {
			out[st.Resource] = "@every 1h"
		}
	}
	return out
}

// shared is an article that both shops sell.
func (w *world) shared(a, b *box) string {
	w.t.Helper()
	list, err := w.books.VariantStocks(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, v := range list {
		if simple(v) && a.VariantOf(v.SKU) != "" && b.VariantOf(v.SKU) != "" && len(v.Shops) == 2 {
			return v.SKU
		}
	}
	w.t.Fatal("the shops have no article in common")
	return ""
}

// A long reading does not keep a push waiting to its end, and reads again the
// page that it had fetched ahead.
func TestALongReadingGivesWayToAPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(connectors.Stream{Resource: intake.Customers, Sorted: true}, sortedOrders)
		for i := range 30 { // ten pages
			s.put(intake.Customers, seal(t, intake.KindCustomer, fmt.Sprint(i), &intake.Customer{Email: fmt.Sprintf("buyer%d@example.com", i)}, i))
		}
		slow := &slowShelf{shelf: s, before: func(ctx context.Context) error { return wait(ctx, 10*time.Second) }}
		w := newWorld(t, slow, func(w *world) { w.policy = owned() })
		done := make(chan engine.Result)
		go func() {
			res, err := w.engine.Sync(t.Context(), engine.Request{Shop: "atelier", Resources: []intake.Resource{intake.Customers}})
			if err != nil {
				t.Error(err)
			}
			done <- res
		}()
		time.Sleep(25 * time.Second)
		began := time.Now()
		w.push(engine.PushRequest{})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the push waited for %s", took)
		}
		if res := <-done; res.Total.Applied != 30 {
			t.Errorf("applied %d records of 30", res.Total.Applied)
		}
		if took := time.Since(began); took < 60*time.Second {
			t.Errorf("the reading was over after %s: nothing was given way to", took)
		}
		if n := len(only(s.requests(), "pull customers")); n != 10 && n != 11 { // the one that was dropped may not have arrived
			t.Errorf("%d pages read", n)
		}
	})
}

func TestAShopThatOnlyLetsUsReadIsStillRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, sandbox.Options{Seed: 3, Orders: 20, Common: true})
		b.bubbled()
		c := newTill(b)
		calls := 0
		c.before = func(string, []intake.StockLevel) error {
			calls++
			return refused(connectors.Denied, "this key may only read")
		}
		w := newWorld(t, c, func(w *world) { w.now, w.rates, w.policy = b.now, b.rates(), owned() })
		w.shop.Schedules, w.shop.Compare = map[intake.Resource]string{intake.Orders: "@every 5m", intake.Products: "@every 5m", intake.Variants: "@every 5m"}, "@every 1h"
		w.restart()
		stop := w.daemon()
		time.Sleep(10 * time.Minute)
		list, err := w.books.VariantStocks(t.Context(), "")
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		for _, v := range list {
			if b.VariantOf(v.SKU) != "" && simple(v) {
				w.adjust(v.SKU, 1, "found")
				break
			}
		}
		time.Sleep(5 * time.Minute)
		status, err := w.engine.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := status[0].Push
		if status[0].Paused != "" || p == nil || p.Waiting != 1 || !strings.Contains(p.LastError, "may only read") || calls != 1 {
			t.Errorf("got %+v, %+v, %d calls", status[0], p, calls)
		}
		stop()
	})
}

func TestAPushThatHangsDoesNotKeepTheDaemonFromStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := newTelling(t, sandbox.Options{Seed: 3, Orders: 20, Common: true})
		written := len(tl.box.StockWrites())
		tl.till.hangs = true
		tl.opts = func(o *engine.Options) { o.StopTimeout = 5 * time.Second }
		tl.restart()
		stop := tl.daemon()
		tl.adjust(tl.sku, 5, "found")
		time.Sleep(10 * time.Second)
		if took := stop(); took > 5*time.Second {
			t.Errorf("it took %s to stop", took)
		}
		tl.till.hangs = false
		tl.restart()
		stop = tl.daemon()
		time.Sleep(5 * time.Second)
		stop()
		tl.agree()
		if n := tl.effects(written); n != 1 {
			t.Errorf("%d effects", n)
		}
	})
}

// Requests of a history that the books no longer have are not made again.
func TestRequestsOfBooksThatWereRestoredAreDropped(t *testing.T) {
	tl := newTelling(t, sandbox.Options{Seed: 3, Orders: 20, Common: true})
	tl.stop()
	restore := tl.keep(tl.booksFile())
	tl.start()
	tl.box.live(24 * time.Hour) // orders come in
	tl.sync()
	tl.adjust(tl.sku, 5, "found")
	tl.till.before = func(string, []intake.StockLevel) error { return refused(connectors.Transient, "the line is cut") }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tl.engine.Push(ctx, engine.PushRequest{Shop: "atelier"}); err == nil {
		t.Fatal("nothing was cut off")
	}
	tl.till.before = nil
	tl.stop()
	restore()
	tl.start()
	if err := tl.engine.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, err := tl.state.Intents("atelier/stock")
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	tl.sync()
	tl.push(engine.PushRequest{All: true})
	tl.agree()
}

// ledge is a shelf that takes stock, so many numbers in a call.
type ledge struct {
	*shelf
	most  int
	calls int
	has   map[string]decimal.Decimal
}

func (l *ledge) StockBatches(levels []intake.StockLevel) [][]intake.StockLevel {
	return slices.Collect(slices.Chunk(levels, l.most))
}

func (l *ledge) PushStock(_ context.Context, _ string, levels []intake.StockLevel) ([]intake.Outcome, error) {
	l.calls++
	out := make([]intake.Outcome, len(levels))
	for i, level := range levels {
		l.has[level.Ref.ID] = level.To
		out[i] = intake.Outcome{Result: intake.Done, Ref: level.Ref, Now: &level.To}
	}
	return out, nil
}

// Many numbers take as many calls as the shop's limit makes of them,
// and none where they are as they should.
func TestManyNumbersAreToldInTheFewestCalls(t *testing.T) {
	const many, most = 2_500, 250
	l := &ledge{shelf: newShelf(connectors.Stream{Resource: intake.Products, Sorted: true}, sortedOrders), most: most, has: map[string]decimal.Decimal{}}
	l.size = 1000
	ten := decimal.NewFromInt(10)
	for i := range many {
		id := fmt.Sprint(i)
		l.rows[intake.Products] = append(l.rows[intake.Products], row{i + 1, seal(t, intake.KindProduct, id, &intake.Product{Title: "Mug " + id, Status: "published", Kind: intake.ProductStocked,
			Variants: []intake.Variant{{ID: id, ProductID: id, SKU: "MUG-" + id, Kind: intake.ProductStocked, Price: &ten, Tracked: true, Stock: &ten, Sellable: true}}}, i)})
	}
	half := owned()
	half.Share = 50
	w := newWorld(t, l, func(w *world) { w.policy = half })
	if res := w.sync(); res.Settled == nil || res.Settled.Opened != many {
		t.Fatalf("got %+v", res.Settled)
	}
	if res := w.push(engine.PushRequest{All: true}); res.Calls != many/most || l.calls != many/most || res.Total.Done != many {
		t.Errorf("%d calls: %+v", l.calls, res.Total)
	}
	if got := l.has["1789"]; !got.Equal(decimal.NewFromInt(5)) {
		t.Errorf("the shop has %s", got)
	}
	l.requests()
	if res := w.push(engine.PushRequest{All: true}); res.Calls != 0 || res.Queued != 0 || len(l.requests()) > 0 {
		t.Errorf("with nothing to tell: %d calls, %d queued", res.Calls, res.Queued)
	}
}

// several changes the stock of several articles.
func (tl *toldShop) several(n int) {
	tl.t.Helper()
	list, err := tl.books.VariantStocks(tl.t.Context(), "")
	if err != nil {
		tl.t.Fatal(err)
	}
	for _, v := range list {
		if n > 0 && tl.box.VariantOf(v.SKU) != "" && simple(v) {
			tl.adjust(v.SKU, 1, "found")
			n--
		}
	}
	if n > 0 {
		tl.t.Fatalf("%d articles are missing", n)
	}
}

func TestTheOneThingThatAShopRejectsDoesNotKeepTheOthersFromBeingTold(t *testing.T) {
	for _, class := range []connectors.Class{connectors.Rejected, connectors.Transient} {
		t.Run(class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tl := newTelling(t, sandbox.Options{Seed: 3, Orders: 20, Common: true, Platform: sandbox.Shopify})
				tl.several(8)
				tl.adjust(tl.sku, 1, "found")
				tl.till.before = func(_ string, levels []intake.StockLevel) error {
					for _, l := range levels {
						if l.Ref.ID == tl.id {
							return refused(class, "the shop stumbles over this article")
						}
					}
					return nil
				}
				for range 40 { // passes, as the daemon makes them
					if _, err := tl.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"}); err == nil {
						break
					}
				}
				messages, err := tl.books.Messages(t.Context(), "atelier")
				if err != nil || len(messages) != 1 || messages[0].Label != tl.sku || !strings.Contains(messages[0].Why, "stumbles") {
					t.Errorf("left: %+v, %v", messages, err)
				}
			})
		})
	}
}
