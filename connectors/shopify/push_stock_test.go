package shopify

import (
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
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// listener is a way to a shop that remembers which operations were asked for,
// and may come between.
type listener struct {
	to     http.RoundTripper
	ops    []string
	vars   []map[string]any
	before func(op string, vars map[string]any)               // ahead of a request
	after  func(op string, res *http.Response) *http.Response // its answer; nil loses it
}

func (l *listener) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var ask struct {
		Query     string
		Variables map[string]any
	}
	op := ""
	if json.Unmarshal(body, &ask) == nil {
		if m := operationName.FindStringSubmatch(ask.Query); m != nil {
			op = m[1]
		}
	}
	l.ops, l.vars = append(l.ops, op), append(l.vars, ask.Variables)
	if l.before != nil {
		l.before(op, ask.Variables)
	}
	req.Body = io.NopCloser(strings.NewReader(string(body)))
	res, err := l.to.RoundTrip(req)
	if err == nil && l.after != nil {
		if res = l.after(op, res); res == nil {
			return nil, errors.New("the connection broke")
		}
	}
	return res, err
}

// times is how often an operation was asked for.
func (l *listener) times(op string) int {
	return len(slices.DeleteFunc(slices.Clone(l.ops), func(o string) bool { return o != op }))
}

// pushed returns a sandbox to push into, its connector, and what passes
// between them.
func pushed(t *testing.T) (*sandbox.Shop, *Connector, *listener) {
	t.Helper()
	shop := sandbox.New(sandbox.Options{Platform: sandbox.Shopify, Seed: 7, Orders: 20, Points: 1 << 30, Restore: 1 << 20})
	way := &listener{to: shop.Transport()}
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken, cfg.Bulk, cfg.RetryWait = "https://atelier.myshopify.com", shop.Key(), BulkNever, time.Microsecond
	c, err := New(connectors.Env{Shop: "atelier", Transport: way, Now: shop.Clock, Log: zerolog.Nop()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return shop, c, way
}

// levelsOf returns what the shop has of the variants that it counts, as levels
// to which nothing is to change.
func levelsOf(t *testing.T, c *Connector, most int) []intake.StockLevel {
	t.Helper()
	var levels []intake.StockLevel
	var cur connectors.Cursor
	for {
		page, err := c.Pull(t.Context(), intake.Variants, cur)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			v, ok := rec.Body.(*intake.Variant)
			if !ok || !v.Tracked {
				continue
			}
			if len(levels) == most {
				return levels
			}
			for _, l := range v.Levels[:1] { // where a change by hand falls
				from := l.Available
				levels = append(levels, intake.StockLevel{
					Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, InventoryID: v.InventoryID, Location: l.Location,
					To: from, From: &from, Status: intake.InStock, Counted: true,
				})
			}
		}
		if cur = page.Next; !page.More {
			return levels
		}
	}
}

// has is what the shop says it has at the place of a level.
func has(t *testing.T, c *Connector, l intake.StockLevel) string {
	t.Helper()
	recs, err := c.Fetch(t.Context(), []intake.Ref{l.Ref})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range recs[0].Body.(*intake.Variant).Levels {
		if at.Location == l.Location {
			return at.Available.String()
		}
	}
	return "nothing"
}

func results(outcomes []intake.Outcome) string {
	var list []string
	for _, o := range outcomes {
		text := string(o.Result)
		if o.Now != nil {
			text += "=" + o.Now.String()
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func set(l *intake.StockLevel, from, to int64) {
	f := decimal.NewFromInt(from)
	l.From, l.To = &f, decimal.NewFromInt(to)
}

func TestStockIsSetInOneCall(t *testing.T) {
	_, c, way := pushed(t)
	levels := levelsOf(t, c, 6)
	for i := range levels {
		levels[i].To = decimal.NewFromInt(int64(100 + i))
	}
	way.ops = nil
	outcomes, err := c.PushStock(t.Context(), "k1", levels)
	if err != nil || results(outcomes) != "done done done done done done" {
		t.Fatalf("%s: %v", results(outcomes), err)
	}
	if len(way.ops) != 1 || way.vars[len(way.vars)-1]["key"] != "k1" {
		t.Errorf("asked %v with %v", way.ops, way.vars[len(way.vars)-1])
	}
	for i, l := range levels {
		if got := has(t, c, l); got != l.To.String() || !outcomes[i].ExposedTo.IsZero() {
			t.Errorf("level %d is %s, want %s; exposed to %v", i, got, l.To, outcomes[i].ExposedTo)
		}
	}
}

// One number that has changed keeps the shop from setting any: it is told, and
// the others are set all the same.
func TestStaleLevelDoesNotHoldUpTheOthers(t *testing.T) {
	shop, c, way := pushed(t)
	levels := levelsOf(t, c, 5)
	for i := range levels {
		levels[i].To = decimal.NewFromInt(int64(50 + i))
	}
	shop.SetStock(levels[1].Ref.ID, 1007) // somebody counts
	levels[2].To = *levels[2].From        // the shop has it already,
	set(&levels[2], 777, levels[2].To.IntPart())
	levels[3].From = nil // any number may be replaced
	way.ops = nil
	outcomes, err := c.PushStock(t.Context(), "k1", levels)
	if err != nil {
		t.Fatal(err)
	}
	want := []intake.Result{intake.Done, intake.Stale, intake.Done, intake.Done, intake.Done}
	for i := range want {
		if outcomes[i].Result != want[i] || outcomes[i].Ref != levels[i].Ref {
			t.Errorf("level %d: %+v, want it %s", i, outcomes[i], want[i])
		}
	}
	if now := outcomes[1].Now; now == nil || has(t, c, levels[1]) != now.String() {
		t.Errorf("stale at %v, and the shop has %s", now, has(t, c, levels[1]))
	}
	if outcomes[3].ExposedFrom.IsZero() || !outcomes[0].ExposedFrom.IsZero() {
		t.Errorf("exposed from %v and %v, want only what was not compared", outcomes[3].ExposedFrom, outcomes[0].ExposedFrom)
	}
	if way.times("stock_set") != 2 {
		t.Errorf("asked %v, want two calls that set", way.ops)
	}
	for _, i := range []int{0, 2, 3, 4} {
		if got := has(t, c, levels[i]); got != levels[i].To.String() {
			t.Errorf("level %d is %s, want %s", i, got, levels[i].To)
		}
	}
}

// The answer is lost after the shop has set the stock, and again: the same key
// asks for the same, and a sale in between is not written over.
func TestStockIsNotSetTwice(t *testing.T) {
	shop, c, way := pushed(t)
	levels := levelsOf(t, c, 3)
	for i := range levels {
		levels[i].To = decimal.NewFromInt(int64(30 + i))
	}
	way.after = func(op string, res *http.Response) *http.Response {
		if op == "stock_set" {
			return nil
		}
		return res
	}
	if _, err := c.PushStock(t.Context(), "k1", levels); connectors.ClassOf(err) != connectors.Transient {
		t.Fatalf("%v", err)
	}
	way.after = nil
	shop.SetStock(levels[0].Ref.ID, 9)
	sold := has(t, c, levels[0])
	outcomes, err := c.PushStock(t.Context(), "k1", levels)
	if err != nil || results(outcomes) != "done done done" {
		t.Fatalf("%s: %v", results(outcomes), err)
	}
	if got := has(t, c, levels[0]); got != sold {
		t.Errorf("the shop has %s, want what was left after the sale, %s", got, sold)
	}
}

// A push that ended in the middle of its rounds is done again with its key,
// which the shop does not take any more for what it refused.
func TestInterruptedPushIsTakenUpAgain(t *testing.T) {
	shop, c, way := pushed(t)
	levels := levelsOf(t, c, 4)
	for i := range levels {
		levels[i].To = decimal.NewFromInt(int64(30 + i))
	}
	shop.SetStock(levels[1].Ref.ID, 1005)
	way.after = func(op string, res *http.Response) *http.Response {
		if op == "stock_now" {
			return nil
		}
		return res
	}
	if _, err := c.PushStock(t.Context(), "k1", levels); err == nil {
		t.Fatal("the shop did not say what it has")
	}
	way.after = nil
	outcomes, err := c.PushStock(t.Context(), "k1", levels)
	if err != nil || outcomes[0].Result != intake.Done || outcomes[1].Result != intake.Stale || outcomes[3].Result != intake.Done {
		t.Errorf("%s: %v", results(outcomes), err)
	}
}

// stockAnswers is a shop that gives its answers one after the other, by
// operation.
type stockAnswers map[string][]string

func (a stockAnswers) connector(t *testing.T) *Connector {
	t.Helper()
	shop := newTill(1000, 50, 1)
	shop.says = func(_ int, req *http.Request) *http.Response {
		body, _ := io.ReadAll(req.Body)
		op := ""
		var ask struct{ Query string }
		if json.Unmarshal(body, &ask) == nil {
			op = operationName.FindStringSubmatch(ask.Query)[1]
		}
		if len(a[op]) == 0 {
			t.Errorf("%s was not to be asked for", op)
			return tells(req, 200, `{}`)
		}
		said := a[op][0]
		a[op] = a[op][1:]
		return tells(req, 200, `{"data":`+said+`}`)
	}
	return &Connector{env: connectors.Env{Shop: "atelier", Now: func() time.Time { return noon }, Log: zerolog.Nop()}, cfg: *NewConfig(), client: clientOf(shop, nil)}
}

func refusedSet(errs ...string) string {
	return `{"inventorySetQuantities":{"userErrors":[` + strings.Join(errs, ",") + `]}}`
}

func at(n int, code string) string {
	return fmt.Sprintf(`{"field":["input","quantities","%d"],"code":%q,"message":"so"}`, n, code)
}

// What each refusal comes to. The shop has 4 of the item.
func TestRefusalsOfStock(t *testing.T) {
	const set = `{"inventorySetQuantities":{"userErrors":[]}}`
	now := func(tracked bool, level string) string {
		return fmt.Sprintf(`{"nodes":[{"id":"gid://shopify/InventoryItem/11","tracked":%v,"inventoryLevel":%s}]}`, tracked, level)
	}
	four := now(true, `{"quantities":[{"quantity":4}]}`)
	for name, tt := range map[string]struct {
		says stockAnswers
		want string
	}{
		"a bundle":         {stockAnswers{"stock_set": {refusedSet(at(0, "NON_MUTABLE_INVENTORY_ITEM"))}, "stock_now": {four}}, "skipped"},
		"not counted":      {stockAnswers{"stock_set": {refusedSet(at(0, "INVALID_INVENTORY_ITEM"))}, "stock_now": {now(false, "null")}}, "skipped"},
		"gone":             {stockAnswers{"stock_set": {refusedSet(at(0, "INVALID_INVENTORY_ITEM"))}, "stock_now": {`{"nodes":[null]}`}}, "refused"},
		"a location shut":  {stockAnswers{"stock_set": {refusedSet(at(0, "INVALID_LOCATION"))}, "stock_now": {four}}, "refused=4"},
		"sold meanwhile":   {stockAnswers{"stock_set": {refusedSet(at(0, "CHANGE_FROM_QUANTITY_STALE"))}, "stock_now": {four}}, "stale=4"},
		"said of no place": {stockAnswers{"stock_set": {refusedSet(`{"field":null,"code":"CHANGE_FROM_QUANTITY_STALE","message":"so"}`)}, "stock_now": {four}}, "stale=4"},
		"key used up":      {stockAnswers{"stock_set": {refusedSet(`{"field":null,"code":"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED","message":"so"}`)}, "stock_now": {four}}, "stale=4"},
		"came back meanwhile": {stockAnswers{"stock_set": {refusedSet(at(0, "CHANGE_FROM_QUANTITY_STALE")), set},
			"stock_now": {now(true, `{"quantities":[{"quantity":5}]}`)}}, "done"},
		"the shop has it already": {stockAnswers{"stock_set": {refusedSet(at(0, "CHANGE_FROM_QUANTITY_STALE"))},
			"stock_now": {now(true, `{"quantities":[{"quantity":9}]}`)}}, "done=9"},
		"not stocked there, where there should be some": {stockAnswers{"stock_set": {refusedSet(at(0, "ITEM_NOT_STOCKED_AT_LOCATION"))},
			"stock_now": {now(true, "null")}}, "stale=0"},
		"never stands still": {stockAnswers{
			"stock_set": slices.Repeat([]string{refusedSet(at(0, "CHANGE_FROM_QUANTITY_STALE"))}, stockRounds),
			"stock_now": slices.Repeat([]string{now(true, `{"quantities":[{"quantity":5}]}`)}, stockRounds+1)}, "stale=5"},
	} {
		l := intake.StockLevel{Ref: intake.Ref{Kind: intake.KindVariant, ID: "1"}, InventoryID: "11", Location: "21", Counted: true}
		five := decimal.NewFromInt(5)
		l.From, l.To = &five, decimal.NewFromInt(9)
		outcomes, err := tt.says.connector(t).PushStock(t.Context(), "k", []intake.StockLevel{l})
		if err != nil || results(outcomes) != tt.want {
			t.Errorf("%s: %s, want %s: %v", name, results(outcomes), tt.want, err)
			continue
		}
		if r := outcomes[0].Result; (outcomes[0].Why == "") != (r == intake.Done || r == intake.Stale) {
			t.Errorf("%s: %s because %q", name, r, outcomes[0].Why)
		}
	}
}

// What is not stocked at a location begins to be, where the books have some.
func TestStockIsPlacedWhereThereWasNone(t *testing.T) {
	const unstocked = `{"nodes":[{"id":"gid://shopify/InventoryItem/11","tracked":true,"inventoryLevel":null}]}`
	for name, tt := range map[string]struct {
		to     int64
		answer []string
		want   string
	}{
		"some":    {9, []string{`{"inventoryActivate":{"userErrors":[]}}`}, "done"},
		"nothing": {0, nil, "done=0"},
		"refused": {9, []string{`{"inventoryActivate":{"userErrors":[{"field":null,"message":"no room"}]}}`}, "refused"},
	} {
		shop := stockAnswers{"stock_set": {refusedSet(at(0, "ITEM_NOT_STOCKED_AT_LOCATION"))}, "stock_now": {unstocked}, "stock_place": tt.answer}
		l := intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, To: decimal.NewFromInt(tt.to)}
		outcomes, err := shop.connector(t).PushStock(t.Context(), "k", []intake.StockLevel{l})
		if err != nil || results(outcomes) != tt.want {
			t.Errorf("%s: %s, want %s: %v", name, results(outcomes), tt.want, err)
		}
	}
}

// To place stock takes a key too, though its errors have no codes.
func TestKeysOfPlacedStock(t *testing.T) {
	const unstocked = `{"nodes":[{"id":"gid://shopify/InventoryItem/11","tracked":true,"inventoryLevel":null}]}`
	says := func(message string) string {
		return `{"inventoryActivate":{"userErrors":[{"field":null,"message":"` + message + `"}]}}`
	}
	l := intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, To: decimal.NewFromInt(9)}
	shop := stockAnswers{"stock_set": {refusedSet(at(0, "ITEM_NOT_STOCKED_AT_LOCATION"))}, "stock_now": {unstocked},
		"stock_place": {says("Another request with this idempotency key is being processed.")}}
	if outcomes, err := shop.connector(t).PushStock(t.Context(), "k", []intake.StockLevel{l}); err == nil || connectors.ClassOf(err) != connectors.Transient {
		t.Errorf("a key that is in use: %s, %v", results(outcomes), err)
	}
	shop = stockAnswers{"stock_set": {refusedSet(at(0, "ITEM_NOT_STOCKED_AT_LOCATION"))}, "stock_now": {unstocked},
		"stock_place": {says("A previous request with this idempotency key failed. Retry with a new idempotency key."), `{"inventoryActivate":{"userErrors":[]}}`}}
	if outcomes, err := shop.connector(t).PushStock(t.Context(), "k", []intake.StockLevel{l}); err != nil || results(outcomes) != "done" {
		t.Errorf("a key that was used up: %s, %v", results(outcomes), err)
	}
}

// A key that the shop still works on is tried again; one that was used for
// something else never will do.
func TestKeysOfStock(t *testing.T) {
	l := intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, To: decimal.NewFromInt(9)}
	for code, class := range map[string]connectors.Class{
		"IDEMPOTENCY_CONCURRENT_REQUEST": connectors.Transient, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": connectors.Rejected, "INVALID_REASON": connectors.Rejected,
	} {
		shop := stockAnswers{"stock_set": {refusedSet(fmt.Sprintf(`{"field":null,"code":%q,"message":"so"}`, code))}}
		_, err := shop.connector(t).PushStock(t.Context(), "k", []intake.StockLevel{l})
		var e *connectors.Error
		if !errors.As(err, &e) || e.Class != class || class == connectors.Transient && e.RetryAfter == 0 {
			t.Errorf("%s: %v, want it %s", code, err, class)
		}
	}
}

// What the shop cannot hold is not sent.
func TestStockThatCannotBeSent(t *testing.T) {
	half, minus := decimal.RequireFromString("1.5"), decimal.NewFromInt(-1)
	for name, tt := range map[string]struct {
		level intake.StockLevel
		want  intake.Result
	}{
		"not counted":           {intake.StockLevel{InventoryID: "11", Location: "21"}, intake.Skipped},
		"no inventory item":     {intake.StockLevel{Location: "21", Counted: true}, intake.Refused},
		"no location":           {intake.StockLevel{InventoryID: "11", Counted: true}, intake.Refused},
		"half of one":           {intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, To: half}, intake.Refused},
		"half of one before":    {intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, From: &half}, intake.Refused},
		"less than none":        {intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, To: minus}, intake.Refused},
		"more than can be held": {intake.StockLevel{InventoryID: "11", Location: "21", Counted: true, To: decimal.NewFromInt(mostUnits + 1)}, intake.Refused},
	} {
		outcomes, err := stockAnswers{}.connector(t).PushStock(t.Context(), "k", []intake.StockLevel{tt.level})
		if err != nil || outcomes[0].Result != tt.want || outcomes[0].Why == "" {
			t.Errorf("%s: %+v, %v", name, outcomes, err)
		}
	}
}

// Batches hold every level once, none holds a pair twice or more than the shop
// takes, and there are no more of them than must be.
func TestStockBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var levels []intake.StockLevel
		often := map[stockAt]int{}
		sent, most := 0, 0
		for i, n := range rapid.SliceOfN(rapid.IntRange(0, 400), 0, 900).Draw(t, "items") {
			l := intake.StockLevel{Ref: intake.Ref{ID: fmt.Sprint(i)}, InventoryID: fmt.Sprint(n + 1), Location: "21", Counted: n%7 != 0}
			levels = append(levels, l)
			if l.Counted {
				often[stockAtOf(l)]++
				sent, most = sent+1, max(most, often[stockAtOf(l)])
			}
		}
		batches := (&Connector{}).StockBatches(levels)
		seen := map[string]bool{}
		for _, b := range batches {
			pairs := map[stockAt]bool{}
			for _, l := range b {
				if seen[l.Ref.ID] {
					t.Fatalf("%s stands twice", l.Ref.ID)
				}
				seen[l.Ref.ID] = true
				if !l.Counted {
					continue
				}
				if pairs[stockAtOf(l)] {
					t.Fatalf("a batch has %v twice", stockAtOf(l))
				}
				pairs[stockAtOf(l)] = true
			}
			if len(pairs) > mostLevels {
				t.Fatalf("a batch has %d quantities", len(pairs))
			}
		}
		if len(seen) != len(levels) {
			t.Fatalf("%d of %d levels are in a batch", len(seen), len(levels))
		}
		if least := max((sent+mostLevels-1)/mostLevels, most); most <= 1 && len(batches) > max(least, 1) {
			t.Fatalf("%d batches where %d do", len(batches), least)
		}
	})
}
