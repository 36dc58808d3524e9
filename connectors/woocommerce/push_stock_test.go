package woocommerce_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/woocommerce"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// counter is a shop and a connector to it.
type counter struct {
	t    *testing.T
	shop *sandbox.Shop
	c    *woocommerce.Connector
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	shop := sandbox.New(sandbox.Options{Seed: 3, Orders: 40})
	shop.HoldClock()
	return &counter{t, shop, connectTo(t, shop)}
}

func connectTo(t *testing.T, shop *sandbox.Shop) *woocommerce.Connector {
	return connectBy(t, shop, shop.Transport())
}

func connectBy(t *testing.T, shop *sandbox.Shop, way http.RoundTripper) *woocommerce.Connector {
	t.Helper()
	cfg := woocommerce.NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret, cfg.RetryWait = "https://shop.example", shop.Key(), shop.Secret(), time.Millisecond
	c, err := woocommerce.New(connectors.Env{Shop: "atelier", Transport: way, Now: shop.Clock}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// goods reads what the shop sells: the variants of products and variations.
func (s *counter) goods() (own, variations []intake.Variant) {
	s.t.Helper()
	for _, r := range []intake.Resource{intake.Products, intake.Variants} {
		var cur connectors.Cursor
		for more := true; more; {
			page, err := s.c.Pull(s.t.Context(), r, cur)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, rec := range page.Records {
				switch b := rec.Body.(type) {
				case *intake.Product:
					own = append(own, b.Variants...)
				case *intake.Variant:
					variations = append(variations, *b)
				}
			}
			cur, more = page.Next, page.More
		}
	}
	return own, variations
}

func counted(all []intake.Variant) []intake.Variant {
	return slices.DeleteFunc(slices.Clone(all), func(v intake.Variant) bool { return v.Stock == nil || !v.Sellable })
}

func levelOf(v *intake.Variant, by int64) intake.StockLevel {
	from := *v.Stock
	return intake.StockLevel{Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, Counted: true, From: &from, To: from.Abs().Add(decimal.NewFromInt(by))}
}

func (s *counter) push(key string, levels ...intake.StockLevel) []intake.Outcome {
	s.t.Helper()
	out, err := s.c.PushStock(s.t.Context(), key, levels)
	if err != nil || len(out) != len(levels) {
		s.t.Fatalf("%d outcomes for %d levels: %v", len(out), len(levels), err)
	}
	return out
}

// has is what the shop says it has of a variant.
func (s *counter) has(ref intake.Ref) string {
	s.t.Helper()
	own, variations := s.goods()
	for _, v := range append(own, variations...) {
		if v.ID == ref.ID && v.Stock != nil {
			return v.Stock.String()
		}
	}
	return "none"
}

func lost(path string) sandbox.Fault {
	return sandbox.Fault{Name: "answer-lost", Path: path, Count: 1, Writes: true}
}

// A hundred products go in one call, and the variations of a product in one;
// each with one question before.
func TestStockGoesInTheFewestCalls(t *testing.T) {
	s := newCounter(t)
	own, variations := s.goods()
	var levels []intake.StockLevel
	parents := map[string]int{}
	for i := range 120 { // the shop has fewer, so some come twice
		levels = append(levels, levelOf(&counted(own)[i%len(counted(own))], 1))
	}
	for _, v := range counted(variations) {
		levels = append(levels, levelOf(&v, 1))
		parents[v.ProductID]++
	}
	parts := s.c.StockBatches(levels)
	if len(parts) != 2+len(parents) {
		t.Errorf("%d parts for 120 products and the variations of %d", len(parts), len(parents))
	}
	total := 0
	for _, part := range parts {
		total += len(part)
		for i := range part {
			if (part[i].Ref.Parent == part[i].Ref.ID) != (part[0].Ref.Parent == part[0].Ref.ID) || part[0].Ref.Parent != part[0].Ref.ID && part[i].Ref.Parent != part[0].Ref.Parent {
				t.Errorf("%v and %v in one part", part[0].Ref, part[i].Ref)
			}
		}
	}
	if total != len(levels) {
		t.Errorf("%d of %d levels", total, len(levels))
	}
	before := s.shop.Requests()
	for _, o := range s.push("k1", parts[1]...) {
		if o.Result != intake.Done {
			t.Errorf("%+v", o)
		}
	}
	if n := s.shop.Requests() - before; n != 2 {
		t.Errorf("%d requests for one part", n)
	}
}

// What is written is what the shop then states, and nothing else of the product
// has changed; a sale while it was written is within the exposure.
func TestStockIsWhatTheShopThenStates(t *testing.T) {
	s := newCounter(t)
	own, variations := s.goods()
	for _, v := range []intake.Variant{counted(own)[0], counted(variations)[0]} {
		l := levelOf(&v, 7)
		before := s.stated(v, &l.To)
		o := s.push("k-"+v.ID, l)[0]
		if o.Result != intake.Done || o.Now == nil || !o.Now.Equal(l.To) || s.has(l.Ref) != l.To.String() {
			t.Errorf("%+v, the shop has %s", o, s.has(l.Ref))
		}
		if after := s.record(v); after.Digest != before.Digest {
			t.Errorf("more than the stock has changed:\n%s\n%s", before.Statement, after.Statement)
		}
		if o.ExposedFrom.IsZero() || o.ExposedTo.Before(o.ExposedFrom) {
			t.Errorf("exposed from %v to %v", o.ExposedFrom, o.ExposedTo)
		}
		if again := s.push("k-"+v.ID, l)[0]; again.Result != intake.Done || !again.ExposedFrom.Equal(o.ExposedFrom) {
			t.Errorf("the second time: %+v", again)
		}
		if other := s.push("other", l)[0]; other.Result != intake.Done || !other.ExposedFrom.IsZero() {
			t.Errorf("told what it has: %+v", other)
		}
	}
	if n := len(s.shop.StockWrites()); n != 2 {
		t.Errorf("%d writes for 2 changes", n)
	}
}

// record is what the shop states of a variant, or of the product that it is.
func (s *counter) record(v intake.Variant) intake.Record {
	s.t.Helper()
	ref := intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}
	if v.ID == v.ProductID {
		ref = intake.Ref{Kind: intake.KindProduct, ID: v.ID}
	}
	recs, err := s.c.Fetch(s.t.Context(), []intake.Ref{ref})
	if err != nil {
		s.t.Fatal(err)
	}
	return recs[0]
}

// stated is what the shop stated, with another stock: so the books know what
// they told it when it comes back.
func (s *counter) stated(v intake.Variant, stock *decimal.Decimal) intake.Record {
	s.t.Helper()
	rec := s.record(v)
	switch b := rec.Body.(type) {
	case *intake.Product:
		b.Variants[0].Stock = stock
	case *intake.Variant:
		b.Stock = stock
	}
	rec, err := intake.Seal(rec.Ref, rec.Modified, rec.Body, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return rec
}

// A sale between the question and the write is overwritten, and lies within the
// exposure that the outcome tells.
func TestASaleWhileStockIsWrittenIsWithinTheExposure(t *testing.T) {
	s := newCounter(t)
	own, _ := s.goods()
	v := counted(own)[0]
	var sold time.Time
	s.c = connectBy(t, s.shop, meanwhile{s.shop.Transport(), func() {
		s.shop.Advance(time.Second)
		s.shop.Sell(v.ID, 1)
		sold = s.shop.Clock()
		s.shop.Advance(time.Second)
	}})
	l := levelOf(&v, 7)
	o := s.push("k1", l)[0]
	if o.Result != intake.Done || !o.ExposedFrom.Before(sold) || !o.ExposedTo.After(sold) {
		t.Errorf("%s, exposed from %v to %v, sold at %v", o.Result, o.ExposedFrom, o.ExposedTo, sold)
	}
}

// meanwhile lets something happen before each write.
type meanwhile struct {
	http.RoundTripper
	do func()
}

func (m meanwhile) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		m.do()
	}
	return m.RoundTripper.RoundTrip(r)
}

// Where the shop has another number than it was believed to have, nothing is
// written; without a belief any number is replaced.
func TestStockThatMovedIsLeftAlone(t *testing.T) {
	s := newCounter(t)
	own, _ := s.goods()
	v := counted(own)[0]
	l := levelOf(&v, 5)
	s.shop.SetStock(v.ID, 3)
	if o := s.push("k1", l)[0]; o.Result != intake.Stale || o.Now == nil || o.Now.String() != "3" || s.has(l.Ref) != "3" {
		t.Errorf("%+v, the shop has %s", o, s.has(l.Ref))
	}
	l.From = nil
	if o := s.push("k2", l)[0]; o.Result != intake.Done || s.has(l.Ref) != l.To.String() {
		t.Errorf("%+v, the shop has %s", o, s.has(l.Ref))
	}
}

// A push whose answer was lost is not written again, though its number may by
// then be what it was before: as much was sold meanwhile.
func TestStockOfWhichTheAnswerWasLostIsNotWrittenTwice(t *testing.T) {
	for _, sold := range []int{0, 2} {
		t.Run(fmt.Sprint(sold, " sold"), func(t *testing.T) {
			s := newCounter(t)
			own, _ := s.goods()
			v := counted(own)[0]
			s.shop.SetStock(v.ID, 5)
			five := decimal.NewFromInt(5)
			v.Stock = &five
			l := levelOf(&v, 2)
			s.shop.Misbehave(lost("/batch"))
			began := s.shop.Clock()
			if _, err := s.c.PushStock(t.Context(), "k1", []intake.StockLevel{l}); err == nil || connectors.ClassOf(err) != connectors.Transient {
				t.Fatalf("the answer was lost: %v", err)
			}
			s.shop.Behave()
			want := intake.Done
			if sold > 0 {
				s.shop.Sell(v.ID, sold)
				want = intake.Stale
			}
			o := s.push("k1", l)[0]
			if o.Result != want || len(s.shop.StockWrites()) != 1 {
				t.Errorf("%+v, writes %+v", o, s.shop.StockWrites())
			}
			if want == intake.Done && (o.ExposedFrom.After(began) || o.ExposedTo.Before(s.shop.StockWrites()[0].At)) {
				t.Errorf("written at %v, exposed from %v to %v", s.shop.StockWrites()[0].At, o.ExposedFrom, o.ExposedTo)
			}
		})
	}
}

// What the shop does not count, or counts with the product, is skipped; what it
// no longer has is refused. Neither hinders the others.
func TestStockThatTheShopCannotHold(t *testing.T) {
	s := newCounter(t)
	own, variations := s.goods()
	good := levelOf(&counted(own)[0], 4)
	level := func(all []intake.Variant, is func(v *intake.Variant) bool) intake.StockLevel {
		i := slices.IndexFunc(all, func(v intake.Variant) bool { return is(&v) })
		if i < 0 {
			t.Fatal("the sandbox has no such variant")
		}
		return intake.StockLevel{Ref: intake.Ref{Kind: intake.KindVariant, ID: all[i].ID, Parent: all[i].ProductID}, Counted: true, To: decimal.NewFromInt(1)}
	}
	uncounted := level(own, func(v *intake.Variant) bool { return !v.Tracked })
	gone := good
	gone.Ref.ID, gone.Ref.Parent = "999999", "999999"
	out := s.push("k1", uncounted, good, gone)
	for i, want := range []intake.Result{intake.Skipped, intake.Done, intake.Refused} {
		if out[i].Result != want || (want != intake.Done) == (out[i].Why == "") {
			t.Errorf("%d: %+v", i, out[i])
		}
	}
	pooled := level(variations, func(v *intake.Variant) bool { return v.StockOf != "" })
	if o := s.push("k2", pooled)[0]; o.Result != intake.Skipped {
		t.Errorf("%+v", o)
	}
	carried := level(own, func(v *intake.Variant) bool { return !v.Sellable })
	if o := s.push("k3", carried)[0]; o.Result != intake.Done || s.has(carried.Ref) != "1" {
		t.Errorf("stock carried by the product: %+v, %s", o, s.has(carried.Ref))
	}
	uncounted.Counted, uncounted.Status = false, intake.OutOfStock
	for _, writes := range []bool{true, false} {
		if o := s.push("k4", uncounted)[0]; o.Result != intake.Done || o.ExposedFrom.IsZero() == writes {
			t.Errorf("out of stock: %+v", o)
		}
	}
}

// slowly is a host that ends each request after a while, so that a large batch
// never comes to its end.
type slowly struct {
	next http.RoundTripper
	most int // updates that there is time for
}

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return s.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var b struct{ Update []json.RawMessage }
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, err
	}
	if len(b.Update) > s.most {
		return &http.Response{StatusCode: http.StatusGatewayTimeout, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>")), Request: r}, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return s.next.RoundTrip(r)
}

// A shop that cannot take a whole batch in its time is told less at once when it
// is told again.
func TestASlowShopIsToldLessAtOnce(t *testing.T) {
	const many = 60
	shop := sandbox.New(sandbox.Options{Seed: 3, Range: many})
	s := &counter{t, shop, connectBy(t, shop, slowly{shop.Transport(), 12})}
	own, _ := s.goods()
	var levels []intake.StockLevel
	var edits []intake.Edit
	for i := range counted(own)[:many/2] {
		v := counted(own)[i]
		levels = append(levels, levelOf(&v, 2))
		edits = append(edits, intake.Edit{Key: v.ID, Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ID}, Changes: changes("price", "31.5")})
	}
	for what, tell := range map[string]func(*woocommerce.Connector) ([]intake.Outcome, error){
		"stock":  func(c *woocommerce.Connector) ([]intake.Outcome, error) { return c.PushStock(t.Context(), "k", levels) },
		"prices": func(c *woocommerce.Connector) ([]intake.Outcome, error) { return c.PushEdits(t.Context(), "k", edits) },
	} {
		c := connectBy(t, shop, slowly{shop.Transport(), 12})
		var out []intake.Outcome
		err := errors.New("not told yet")
		for n := 0; err != nil && n < 4; n++ {
			out, err = tell(c)
		}
		if err != nil || len(out) != many/2 {
			t.Errorf("%s: %d outcomes: %v", what, len(out), err)
		}
		for _, o := range out {
			if o.Result != intake.Done {
				t.Errorf("%s: %+v", what, o)
			}
		}
	}
}
