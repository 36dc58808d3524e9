package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sample is a result of a bulk operation, and what it says.
type sample struct {
	lines  []string
	orders map[string]string // the whole order by its id, as JSON
}

// file is the result as the shop gives it.
func (e sample) file() []byte { return []byte(strings.Join(e.lines, "\n") + "\n") }

// exportOf makes the result of orders with so many items each. Each order has
// a shipping line, and each third item something that belongs to it.
func sampleOf(items ...int) sample {
	e := sample{orders: map[string]string{}}
	for n, count := range items {
		order := fmt.Sprintf("gid://shopify/Order/%d", 1000+n)
		e.lines = append(e.lines, fmt.Sprintf(`{"id":%q,"name":"#%d","tags":[{"id":"no id of mine"}]}`, order, n))
		var nodes []string
		for i := range count {
			item := fmt.Sprintf("gid://shopify/LineItem/%d", 100*n+i)
			e.lines = append(e.lines, fmt.Sprintf(`{"id":%q,"quantity":%d,"__parentId":%q}`, item, i, order))
			below := ""
			if i%3 == 2 {
				deep := fmt.Sprintf("gid://shopify/ShippingLine/%d", 5000+100*n+i)
				line := fmt.Sprintf(`{"id":%q,"__parentId":%q}`, deep, item)
				e.lines = append(e.lines, line)
				below = `,"shippingLines":{"nodes":[` + line + `]}`
			}
			nodes = append(nodes, fmt.Sprintf(`{"id":%q,"quantity":%d,"__parentId":%q%s}`, item, i, order, below))
		}
		shipping := fmt.Sprintf(`{"id":"gid://shopify/ShippingLine/%d","__parentId":%q}`, n, order)
		e.lines = append(e.lines, shipping)
		whole := fmt.Sprintf(`{"id":%q,"name":"#%d","tags":[{"id":"no id of mine"}]`, order, n)
		if len(nodes) > 0 {
			whole += `,"lineItems":{"nodes":[` + strings.Join(nodes, ",") + `]}`
		}
		e.orders[order] = whole + `,"shippingLines":{"nodes":[` + shipping + `]}}`
	}
	return e
}

// joined reads all orders of a result.
func joined(file []byte, objects int) (map[string]string, error) {
	r := bytes.NewReader(file)
	x, err := readIndex(r, int64(len(file)), int64(objects))
	if err != nil {
		return nil, err
	}
	orders := map[string]string{}
	for n := range x.roots() {
		lines, err := x.lines(r, n)
		if err != nil {
			return nil, err
		}
		raw, err := joinOrder(lines)
		if err != nil {
			return nil, err
		}
		var o head
		if err := json.Unmarshal(raw, &o); err != nil {
			return nil, fmt.Errorf("joined to no JSON: %w: %s", err, raw)
		}
		orders[o.ID] = string(raw)
	}
	return orders, nil
}

func TestOrdersAreJoinedFromLinesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := sampleOf(rapid.SliceOfN(rapid.IntRange(0, 9), 0, 12).Draw(t, "items")...)
		e.lines = rapid.Permutation(e.lines).Draw(t, "lines")
		got, err := joined(e.file(), len(e.lines))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.orders, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestResultThatIsNotWholeIsRefused(t *testing.T) {
	sound := func() sample { return sampleOf(3, 1, 4) }
	cases := []struct {
		name  string
		spoil func(e *sample) (objects int)
	}{
		{"a line is missing", func(e *sample) int { e.lines = e.lines[:len(e.lines)-1]; return len(e.lines) + 1 }},
		{"a line too many", func(e *sample) int { return len(e.lines) - 1 }},
		{"nothing came", func(e *sample) int { n := len(e.lines); e.lines = nil; return n }},
		{"an order twice", func(e *sample) int { e.lines[1] = e.lines[0]; return len(e.lines) }},
		{"an item twice", func(e *sample) int { e.lines[2] = e.lines[1]; return len(e.lines) }},
		{"an item of an order that is not there", func(e *sample) int {
			e.lines[1] = `{"id":"gid://shopify/LineItem/1","__parentId":"gid://shopify/Order/77"}`
			return len(e.lines)
		}},
		{"an object that belongs to itself", func(e *sample) int {
			e.lines[1] = `{"id":"gid://shopify/LineItem/1","__parentId":"gid://shopify/LineItem/1"}`
			return len(e.lines)
		}},
		{"an order without an id", func(e *sample) int { e.lines[0] = `{"name":"#1"}`; return len(e.lines) }},
		{"an object of a kind that was not asked for", func(e *sample) int {
			e.lines[1] = strings.Replace(e.lines[1], "LineItem", "Metafield", 1)
			return len(e.lines)
		}},
		{"a line that is cut", func(e *sample) int { e.lines[4] = e.lines[4][:9]; return len(e.lines) }},
		{"a line that is no object", func(e *sample) int { e.lines[4] = `null`; return len(e.lines) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := sound()
			objects := c.spoil(&e)
			_, err := joined(e.file(), objects)
			if !errors.As(err, new(spoilt)) {
				t.Fatalf("got %v, want the result to be spoilt", err)
			}
		})
	}
}

func TestEndsOfLinesDoNotMatter(t *testing.T) {
	e := sampleOf(2, 0)
	plain := strings.Join(e.lines, "\n")
	for name, file := range map[string]string{
		"no end at the end": plain,
		"empty lines":       "\n" + strings.ReplaceAll(plain, "\n", "\n\n") + "\n\n",
		"carriage returns":  strings.ReplaceAll(plain, "\n", "\r\n") + "\r\n",
	} {
		got, err := joined([]byte(file), len(e.lines))
		if diff := cmp.Diff(e.orders, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestEmptyResultHasNoOrders(t *testing.T) {
	got, err := joined(nil, 0)
	if err != nil || len(got) != 0 {
		t.Fatalf("got %v and %v", got, err)
	}
}

// The index of a large result must stay small: here of 100,000 lines.
func TestIndexOfLargeResultIsSmall(t *testing.T) {
	const orders, items = 25_000, 3
	padding := strings.Repeat("x", 100)
	lines := make([]string, 0, orders*(1+items))
	for n := range orders {
		order := fmt.Sprintf("gid://shopify/Order/%d", n)
		lines = append(lines, fmt.Sprintf(`{"id":%q,"note":%q}`, order, padding))
		for i := range items {
			lines = append(lines, fmt.Sprintf(`{"id":"gid://shopify/LineItem/%d","title":%q,"__parentId":%q}`, n*items+i, padding, order))
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	count := len(lines)
	file := []byte(strings.Join(lines, "\n"))
	lines = nil

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x, err := readIndex(bytes.NewReader(file), int64(len(file)), int64(count))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if x.roots() != orders {
		t.Fatalf("found %d orders, want %d", x.roots(), orders)
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > int64(20*count) {
		t.Errorf("the index of %d lines takes %d bytes", count, kept)
	}
	runtime.KeepAlive(x)
	runtime.KeepAlive(file)
}

func FuzzJoin(f *testing.F) {
	f.Add(sampleOf(3, 0, 2).file())
	f.Add([]byte(`{"id":"a","__parentId":"a"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		for objects := range 4 {
			if _, err := joined(file, objects); err != nil && !errors.As(err, new(spoilt)) {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkOrdersOutOfAResult tells how many orders a second are found and
// joined, of about 6 KB each.
func BenchmarkOrdersOutOfAResult(b *testing.B) {
	const orders, items = 5_000, 3
	var file []byte
	field := fmt.Sprintf(`"shopMoney":{"amount":"12.50","note":%q}`, strings.Repeat("x", 40))
	fields := strings.Repeat(`{`+field+`},`, 20)
	fields = `"fields":[` + strings.TrimSuffix(fields, ",") + `]`
	for n := range orders {
		order := fmt.Sprintf("gid://shopify/Order/%d", n)
		file = fmt.Appendf(file, "{\"id\":%q,%s}\n", order, fields)
		for i := range items {
			file = fmt.Appendf(file, "{\"id\":\"gid://shopify/LineItem/%d\",%s,\"__parentId\":%q}\n", n*items+i, fields, order)
		}
	}
	s, err := newSpool(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		s.size = 0
		if err := s.fill(b.Context(), 1<<30, func(int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }); err != nil {
			b.Fatal(err)
		}
		x, err := readIndex(s.file, s.size, orders*(1+items))
		if err != nil {
			b.Fatal(err)
		}
		for n := range x.roots() {
			lines, err := x.lines(s.file, n)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := joinOrder(lines); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(orders*float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}

// What is read off a line at a glance is what its JSON says.
func TestPlaceOfALineIsThatOfItsJSON(t *testing.T) {
	lines := []string{
		`{"id":"gid://shopify/Order/1","name":"#1"}`,
		`{"id":"gid://shopify/LineItem/2","title":"a","__parentId":"gid://shopify/Order/1"}`,
		`{"id":"gid://shopify/LineItem/2","title":",\"__parentId\":\"x","__parentId":"gid://shopify/Order/1"}`,
		`{"id":"1","title":"says ,\"__parentId\":\"x\"}"}`,
		`{"id":"1","__parentId":"2","title":"last"}`,
		`{"id":"1","__parentId":"2","title":"\"}"}`,
		`{"id":"1","inner":{"a":1,"__parentId":"2"}}`,
		`{"id":"1","inner":{"a":1,"__parentId":"2"},"__parentId":"3"}`,
		`{"id":"1","__parentId" : "2"}`,
		`{"__parentId":"2","id":"1"}`,
		`{"id":"a\"b","__parentId":"2\\"}`,
		`{"id":"1"} `,
	}
	for _, line := range lines {
		var want head
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(line, err)
		}
		if got, err := placeOf([]byte(line)); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", line, got, err, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOf(rapid.SampledFrom([]rune(`",\{}:_parentId"abc`)))
		fields := []string{"title", "__parentId", "note"}
		line := []byte(`{"id":` + asJSON(texts.Draw(t, "id")))
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			line = append(line, `,"`+rapid.SampledFrom(fields).Draw(t, "field")+`":`+asJSON(texts.Draw(t, "text"))...)
		}
		line = append(line, '}')
		var want head
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		if got, err := placeOf(line); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", line, got, err, want)
		}
	})
}

func asJSON(s string) string {
	b, _ := json.Marshal(s) // a text
	return string(b)
}
