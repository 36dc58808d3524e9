package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// owned is the policy of a shop whose stock and prices the books decide on.
func owned() *outbox.Policy {
	owners := outbox.DefaultOwners(true)
	owners[intake.FieldPrice] = outbox.ERP
	return &outbox.Policy{On: true, Owners: owners, Share: 100}
}

// till is a real connector whose pushes a test can disturb.
type till struct {
	connectors.Connector
	connectors.StockPusher
	// before, where set, is asked before a push of stock reaches the shop, after
	// when it has; what they return is returned instead of the answer.
	before, after func(key string, levels []intake.StockLevel) error
	hangs         bool // a push of stock never comes back by itself
	keys          []string
}

func newTill(b *box) *till {
	return &till{Connector: b.Connector, StockPusher: b.Connector.(connectors.StockPusher)}
}

func (c *till) PushStock(ctx context.Context, key string, levels []intake.StockLevel) ([]intake.Outcome, error) {
	c.keys = append(c.keys, key)
	if c.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if c.before != nil {
		if err := c.before(key, levels); err != nil {
			return nil, err
		}
	}
	out, err := c.StockPusher.PushStock(ctx, key, levels)
	if err == nil && c.after != nil {
		if err := c.after(key, levels); err != nil {
			return nil, err
		}
	}
	return out, err
}

// counting counts what is asked of a shop.
type counting struct {
	next  http.RoundTripper
	calls atomic.Int32
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	return c.next.RoundTrip(r)
}

// toldShop is a world with one shop that is told of its stock and prices.
type toldShop struct {
	*world
	box  *box
	till *till
	wire *counting
	sku  string // of an article that the shop counts
	id   string // of its variant in the shop
}

// newTelling reads a shop, and tells it once all that it should have.
func newTelling(t *testing.T, o sandbox.Options, change ...func(*world)) *toldShop {
	t.Helper()
	b := newBox(t, o)
	wire := &counting{next: b.Transport()}
	b.Connector = connect(t, "https://shop.example", b.Shop, wire, b.now)
	b.live(time.Minute)
	tl := &toldShop{box: b, till: newTill(b), wire: wire}
	told := func(w *world) { w.now, w.rates, w.policy = b.now, b.rates(), owned() }
	tl.world = newWorld(t, tl.till, append([]func(*world){told}, change...)...)
	tl.sync()
	tl.push(engine.PushRequest{Shop: "atelier", All: true})
	list, err := tl.books.VariantStocks(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		if id := b.VariantOf(v.SKU); id != "" && simple(v) {
			tl.sku, tl.id = v.SKU, id
			break
		}
	}
	if tl.sku == "" {
		t.Fatal("the shop counts no article")
	}
	return tl
}

// simple reports whether an article carries its own stock, and some of it.
func simple(v erp.VariantStock) bool {
	return strings.HasPrefix(v.SKU, "SMP-") && v.OnHand > 10*quantity.Unit
}

func (w *world) push(r engine.PushRequest) engine.PushResult {
	w.t.Helper()
	r.Shop = "atelier"
	res, err := w.engine.Push(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func (w *world) adjust(sku string, by int64, reason string) {
	w.t.Helper()
	if _, err := w.books.AdjustStock(w.t.Context(), sku, decimal.NewFromInt(by), reason); err != nil {
		w.t.Fatal(err)
	}
}

// available is what of an article can be sold.
func (w *world) available(sku string) string {
	w.t.Helper()
	list, err := w.books.VariantStocks(w.t.Context(), sku)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(v erp.VariantStock) bool { return v.SKU == sku })
	return list[i].Available.String()
}

// inShop is what the shop has of a variant.
func (b *box) inShop(t testing.TB, id string) string {
	t.Helper()
	refs := []intake.Ref{{Kind: intake.KindVariant, ID: id}}
	for _, st := range b.Streams() {
		if st.Resource != intake.Products && st.Resource != intake.Variants {
			continue
		}
		var cur connectors.Cursor
		for more := true; more; {
			page, err := b.Connector.Pull(t.Context(), st.Resource, cur)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range page.Records {
				switch body := rec.Body.(type) {
				case *intake.Variant:
					if body.ID == id {
						return intake.Amount(body.Stock)
					}
				case *intake.Product:
					for _, v := range body.Variants {
						if v.ID == id {
							return intake.Amount(v.Stock)
						}
					}
				}
			}
			cur, more = page.Next, page.More
		}
	}
	t.Fatalf("the shop has no variant %v", refs)
	return ""
}

// effects counts the writes that changed a number in the shop since the first n.
func (tl *toldShop) effects(n int) int {
	count := 0
	for _, w := range tl.box.StockWrites()[n:] {
		if w.From != w.To {
			count++
		}
	}
	return count
}

func (tl *toldShop) agree() {
	tl.t.Helper()
	if want, got := tl.available(tl.sku), tl.box.inShop(tl.t, tl.id); got != want {
		tl.t.Errorf("%s: the shop has %s, and %s can be sold", tl.sku, got, want)
	}
}

func TestAChangeOfStockIsToldOnceAndWhatIsUnchangedCostsNothing(t *testing.T) {
	onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
		tl := newTelling(t, o, on)
		tl.agree()
		written := len(tl.box.StockWrites())
		tl.wire.calls.Store(0)
		if res := tl.push(engine.PushRequest{}); len(res.Changes) > 0 || tl.wire.calls.Load() > 0 {
			t.Errorf("with nothing to tell: %+v, %d requests", res.Changes, tl.wire.calls.Load())
		}
		tl.adjust(tl.sku, 5, "found")
		tl.adjust(tl.sku, -2, "broken")
		res := tl.push(engine.PushRequest{})
		if len(res.Changes) != 1 || res.Calls != 1 || res.Changes[0].Label != tl.sku || res.Changes[0].Field != "stock" || res.Changes[0].Outcome != intake.Done {
			t.Fatalf("got %+v", res)
		}
		tl.agree()
		tl.adjust(tl.sku, 4, "there")
		tl.adjust(tl.sku, -4, "and back")
		tl.wire.calls.Store(0)
		if res := tl.push(engine.PushRequest{}); len(res.Changes) > 0 || tl.wire.calls.Load() > 0 {
			t.Errorf("there and back again: %+v, %d requests", res.Changes, tl.wire.calls.Load())
		}
		tl.box.live(time.Hour)
		tl.sync() // the echo
		if res := tl.push(engine.PushRequest{}); len(res.Changes) > 0 {
			t.Errorf("the echo: %+v", res.Changes)
		}
		if n := tl.effects(written); n != 1 {
			t.Errorf("%d effects", n)
		}
	})
}

// What goes back and forth must be told each time: the keys of equal changes
// differ, those of one attempt do not.
func TestEachChangeHasAKeyOfItsOwn(t *testing.T) {
	onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
		tl := newTelling(t, o, on)
		tl.till.keys = nil
		for n := range 3 {
			tl.box.live(time.Second)
			for _, by := range []int64{3, -3} {
				tl.adjust(tl.sku, by, fmt.Sprint("round ", n))
				tl.push(engine.PushRequest{})
				tl.agree()
			}
		}
		slices.Sort(tl.till.keys)
		if got := len(slices.Compact(tl.till.keys)); got != 6 {
			t.Errorf("%d keys for 6 changes", got)
		}
	})
}

// A process can end at any step of a push; the next one goes on from there.
func TestAPushThatIsCutOffAtAnyStepHasOneEffect(t *testing.T) {
	cut := func(string, []intake.StockLevel) error { return context.Canceled }
	onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
		for _, lost := range []bool{false, true} {
			for _, step := range []string{"the intent", "the network", "the books"} {
				t.Run(fmt.Sprintf("after %s, sync state lost %v", step, lost), func(t *testing.T) {
					tl := newTelling(t, o, on)
					written := len(tl.box.StockWrites())
					tl.adjust(tl.sku, 5, "found")
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					var intended []byte
					tl.till.keys = nil
					tl.till.before = func(string, []intake.StockLevel) error {
						var err error
						if intended, err = os.ReadFile(tl.stateFile()); err != nil {
							t.Error(err)
						}
						if step == "the intent" {
							cancel()
							return cut("", nil)
						}
						return nil
					}
					if step == "the network" {
						tl.till.after = func(string, []intake.StockLevel) error { cancel(); return cut("", nil) }
					}
					if _, err := tl.engine.Push(ctx, engine.PushRequest{Shop: "atelier"}); err == nil && step != "the books" {
						t.Fatal("nothing was cut off")
					}
					tl.till.before, tl.till.after = nil, nil
					tl.stop()
					switch {
					case lost:
						if err := os.Remove(tl.stateFile()); err != nil {
							t.Fatal(err)
						}
					case step == "the books": // the intent is still there
						if err := os.WriteFile(tl.stateFile(), intended, 0o600); err != nil {
							t.Fatal(err)
						}
					}
					tl.start()
					tl.push(engine.PushRequest{})
					tl.agree()
					if n := tl.effects(written); n != 1 {
						t.Errorf("%d effects", n)
					}
					if keys := slices.Compact(slices.Clone(tl.till.keys)); len(keys) != 1 {
						t.Errorf("the attempt had other keys after the restart: %v", tl.till.keys)
					}
					if res := tl.push(engine.PushRequest{}); res.Calls > 0 {
						t.Errorf("something was left: %+v", res)
					}
				})
			}
		}
	})
}

func TestAnAnswerThatIsLostIsAskedForAgainWithTheSameKey(t *testing.T) {
	onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
		synctest.Test(t, func(t *testing.T) {
			tl := newTelling(t, o, on)
			written := len(tl.box.StockWrites())
			tl.adjust(tl.sku, 5, "found")
			lost := 3
			tl.till.keys = nil
			tl.till.after = func(string, []intake.StockLevel) error {
				if lost--; lost >= 0 {
					return refused(connectors.Transient, "the answer did not come in time")
				}
				return nil
			}
			if res := tl.push(engine.PushRequest{}); res.Calls != 4 || res.Total.Done != 1 {
				t.Errorf("got %+v", res)
			}
			tl.agree()
			if n := tl.effects(written); n != 1 {
				t.Errorf("%d effects", n)
			}
			if keys := slices.Compact(slices.Clone(tl.till.keys)); len(keys) != 1 {
				t.Errorf("keys: %v", tl.till.keys)
			}
		})
	})
}

func TestANumberThatWasChangedInTheShopIsPutBackAndNoSaleIsOverwritten(t *testing.T) {
	onEachPlatformAndDatabase(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options, on func(*world)) {
		tl := newTelling(t, o, on)
		tl.box.live(time.Minute)
		tl.box.SetStock(tl.id, 3) // by hand
		tl.adjust(tl.sku, 1, "found")
		res := tl.push(engine.PushRequest{})
		tl.agree()
		if res.Total.Stale != 1 || len(res.Changes) != 1 || res.Changes[0].Outcome != intake.Done || res.Changes[0].From != "3" {
			t.Errorf("got %+v", res)
		}
		tl.adjust(tl.sku, 1, "found again")
		sold := false
		tl.till.before = func(string, []intake.StockLevel) error {
			if !sold {
				sold = tl.box.Sell(tl.id, 2) != "" // after the orders were read
			}
			return nil
		}
		tl.push(engine.PushRequest{})
		for range 3 { // the sale is listed within a minute
			tl.box.live(time.Minute)
			tl.sync(intake.Orders)
			tl.push(engine.PushRequest{})
		}
		tl.agree()
		if !sold {
			t.Error("nothing was sold")
		}
	})
}

// refused is an error that no other try will mend.
func refused(class connectors.Class, why string) error {
	return &connectors.Error{Class: class, Op: "till: set stock", Err: errors.New(why)}
}
