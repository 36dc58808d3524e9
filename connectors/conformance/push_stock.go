package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// pusherOf connects a StockPusher, if the connector is one.
func pusherOf(t T, s Subject, setup Setup) (connectors.StockPusher, bool) {
	t.Helper()
	p, ok := connect(t, s, setup).(connectors.StockPusher)
	if !ok {
		t.Logf("no StockPusher")
	}
	return p, ok
}

// pushStock tells the shop levels, in the parts that the connector wants, and
// returns the outcomes in the order of the levels.
func pushStock(ctx context.Context, t T, p connectors.StockPusher, key string, levels []intake.StockLevel) []intake.Outcome {
	t.Helper()
	place := func(l intake.StockLevel) string { return l.Ref.ID + "@" + l.Location }
	of := map[string]intake.Outcome{}
	for n, part := range p.StockBatches(levels) {
		var outcomes []intake.Outcome
		insist(ctx, t, "push stock", func() (err error) {
			outcomes, err = p.PushStock(ctx, fmt.Sprintf("%s-%d", key, n), part)
			return err
		})
		outcomesOf(t, "push stock", outcomes, len(part))
		for i, l := range part {
			of[place(l)] = outcomes[i]
		}
	}
	all := make([]intake.Outcome, len(levels))
	for i, l := range levels {
		o, ok := of[place(l)]
		if !ok {
			t.Fatalf("push stock: %s is in no batch", place(l))
		}
		all[i] = o
	}
	return all
}

// landed reports what is not as it was told.
func landed(t T, s Pusher, levels []intake.StockLevel, outcomes []intake.Outcome) {
	t.Helper()
	for i, l := range levels {
		if got := has(s, l); outcomes[i].Result != intake.Done || !got.Equal(l.To) {
			t.Errorf("%s: %s (%s), and the shop has %s, want %s", l.Ref.ID, outcomes[i].Result, outcomes[i].Why, got, l.To)
		}
	}
}

func stockLands(ctx context.Context, t T, s Pusher) {
	p, ok := pusherOf(t, s, Setup{})
	if !ok {
		return
	}
	levels := counted(ctx, t, s)[:3]
	for i := range levels {
		levels[i] = raised(levels[i], int64(3-2*i))
	}
	levels[1].From = nil // whatever it has
	landed(t, s, levels, pushStock(ctx, t, p, "lands", levels))
	said := map[string]*intake.Variant{}
	for _, u := range units(ctx, t, s) {
		said[u.variant.ID] = u.variant
	}
	for _, l := range levels {
		if v := said[l.Ref.ID]; v == nil || v.Stock == nil || len(v.Levels) == 0 && !v.Stock.Equal(l.To) {
			t.Errorf("%s: the shop then states %+v, want %s", l.Ref.ID, v, l.To)
		}
	}
}

// What the shop has already is done, whatever it was believed to have.
func stockThatIsThereIsDone(ctx context.Context, t T, s Pusher) {
	p, ok := pusherOf(t, s, Setup{})
	if !ok {
		return
	}
	l := counted(ctx, t, s)[0]
	wrong := l.From.Add(decimal.NewFromInt(4))
	l.From = &wrong
	landed(t, s, []intake.StockLevel{l}, pushStock(ctx, t, p, "there", []intake.StockLevel{l}))
	before := s.Writes()
	landed(t, s, []intake.StockLevel{l}, pushStock(ctx, t, p, "still there", []intake.StockLevel{asSeen(s, l)}))
	if s.Writes() != before && !s.Compares() {
		t.Errorf("what the connector sees to be there was written all the same")
	}
}

// Of several levels that one is written whose From is right, and the other not.
func wrongFromIsStale(ctx context.Context, t T, s Pusher) {
	p, ok := pusherOf(t, s, Setup{})
	if !ok {
		return
	}
	levels := counted(ctx, t, s)
	good, bad := raised(levels[0], 5), raised(levels[1], 9)
	was := has(s, bad)
	wrong := was.Add(decimal.NewFromInt(3))
	bad.From = &wrong
	out := pushStock(ctx, t, p, "wrong", []intake.StockLevel{bad, good})
	landed(t, s, []intake.StockLevel{good}, out[1:])
	if out[0].Result != intake.Stale || out[0].Now == nil || !out[0].Now.Equal(was) {
		t.Errorf("a wrong From: %+v, want stale with %s", out[0], was)
	}
	if got := has(s, bad); !got.Equal(was) {
		t.Errorf("a wrong From was overwritten: the shop has %s, had %s", got, was)
	}
}

// A sale right before the number is set is not overwritten where the shop
// compares; elsewhere the outcome says when that could happen.
func saleMeanwhileIsSeen(ctx context.Context, t T, s Pusher) {
	var wire tap
	p, ok := pusherOf(t, s, Setup{Wire: wire.wire})
	if !ok {
		return
	}
	l := raised(counted(ctx, t, s)[0], 6)
	var sold time.Time
	wire.before = func(_ int, req *http.Request) {
		if changes(req) && sold.IsZero() {
			s.Sell(l.Ref, 1)
			sold = s.Now()
		}
	}
	out := pushStock(ctx, t, p, "meanwhile", []intake.StockLevel{l})[0]
	left := l.From.Sub(decimal.NewFromInt(1))
	got := has(s, l)
	switch {
	case sold.IsZero():
		t.Fatalf("no request could have changed the shop")
	case out.Result == intake.Stale && got.Equal(left):
		if out.Now == nil || !out.Now.Equal(left) {
			t.Errorf("stale, and the shop is said to have %v, not %s", out.Now, left)
		}
	case s.Compares():
		t.Errorf("the sale was overwritten: %s, and the shop has %s, not %s", out.Result, got, left)
	case out.ExposedFrom.IsZero() || out.ExposedFrom.After(sold) || out.ExposedTo.Before(sold):
		t.Errorf("a sale at %v was overwritten outside of what is said to be exposed: from %v to %v", sold, out.ExposedFrom, out.ExposedTo)
	}
}

// changes tells requests that may change something from those that only read: a
// document of GraphQL is asked for by POST, too.
func changes(req *http.Request) bool {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return false
	}
	return !isQuery(peek(req))
}

// The answer to a change is lost, and one unit is sold before it is told again
// with the same key: that sale stays.
func stockIsSetOnce(ctx context.Context, t T, s Pusher) {
	for _, sold := range []int{0, 1} {
		p, ok := pusherOf(t, s, Setup{})
		if !ok {
			return
		}
		levels := counted(ctx, t, s)
		l := raised(levels[sold], 7)
		part := []intake.StockLevel{l}
		key := fmt.Sprint("lost, sold ", sold)
		s.LoseAnswers(1)
		if _, err := p.PushStock(ctx, key+"-0", part); err != nil {
			checkError(t, "push stock", err)
		}
		s.LoseAnswers(0)
		s.Sell(l.Ref, sold)
		out := pushStock(ctx, t, p, key, part)[0]
		want := l.To.Sub(decimal.NewFromInt(int64(sold)))
		if got := has(s, l); !got.Equal(want) {
			t.Errorf("told twice and %d sold between: the shop has %s, want %s (%s)", sold, got, want, out.Result)
		}
		if sold == 0 && out.Result != intake.Done {
			t.Errorf("told twice: %s (%s), want done", out.Result, out.Why)
		}
	}
}

func refusedLevelHindersNoOther(ctx context.Context, t T, s Pusher) {
	p, ok := pusherOf(t, s, Setup{})
	if !ok {
		return
	}
	levels := counted(ctx, t, s)
	lost := levels[0]
	if _, err := s.Do(intake.Products, Remove, lost.Ref.Parent); err != nil {
		t.Logf("no product can be removed")
		return
	}
	good := raised(levels[1], 2)
	out := pushStock(ctx, t, p, "refused", []intake.StockLevel{raised(lost, 1), good})
	if out[0].Result != intake.Refused && out[0].Result != intake.Skipped {
		t.Errorf("stock of what is gone: %+v, want refused", out[0])
	}
	landed(t, s, []intake.StockLevel{good}, out[1:])
}

// fewest is the size of batch that every shop takes at least.
const fewest = 100

func stockBatchesAreFew(ctx context.Context, t T, s Pusher) {
	p, ok := pusherOf(t, s, Setup{})
	if !ok {
		return
	}
	levels := counted(ctx, t, s)
	groups := map[string]bool{} // what a shop may want to be told of apart
	for i := range levels {
		levels[i] = raised(levels[i], 1)
		group := levels[i].Ref.Parent
		if group == levels[i].Ref.ID {
			group = ""
		}
		groups[group] = true
	}
	if n := len(p.StockBatches(levels)); n > len(groups) {
		t.Errorf("%d levels make %d batches, with %d groups of variants", len(levels), n, len(groups))
	}
	before := s.Writes()
	landed(t, s, levels, pushStock(ctx, t, p, "all", levels))
	if calls, n := s.Writes()-before, len(p.StockBatches(levels)); calls > n {
		t.Errorf("%d batches took %d calls", n, calls)
	}
	var many []intake.StockLevel
	for i := range 10*fewest + 1 {
		l := levels[0]
		l.Ref.ID = fmt.Sprint(1_000_000 + i)
		l.Ref.Parent, l.InventoryID = l.Ref.ID, "9"+l.Ref.ID
		many = append(many, l)
	}
	told := 0
	parts := p.StockBatches(many)
	for _, part := range parts {
		told += len(part)
	}
	if told != len(many) || len(parts) > 11 {
		t.Errorf("%d levels are %d in %d batches", len(many), told, len(parts))
	}
}

// isQuery reports whether a body is a document of GraphQL that only reads.
func isQuery(body []byte) bool {
	var doc struct {
		Query string `json:"query"`
	}
	return json.Unmarshal(body, &doc) == nil && doc.Query != "" && !strings.Contains(doc.Query, "mutation")
}

// peek reads the body of a request and puts it back.
func peek(req *http.Request) []byte {
	if req.Body == nil {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return body
}
