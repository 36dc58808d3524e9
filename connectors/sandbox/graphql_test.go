package sandbox

import (
	"encoding/json"
	"strings"
	"testing"
)

// A small graph: shelves of books, some of which are loose leaves.
type shelf struct {
	no    int64
	books []*book
}

type book struct {
	no    int64
	title string
	next  *book
	leaf  bool
}

func library() *graph {
	shelves := []*shelf{{no: 1}, {no: 2}}
	for i := range int64(7) {
		b := &book{no: i + 1, title: string(rune('A' + i)), leaf: i == 2}
		if n := len(shelves[0].books); n > 0 {
			b.next = shelves[0].books[n-1]
		}
		shelves[0].books = append(shelves[0].books, b)
	}
	fields := func() gqlFields {
		return gqlFields{
			"id":    gqlID("Book", func(_ *gqlRun, b *book) int64 { return b.no }),
			"title": gqlText(func(_ *gqlRun, b *book) string { return b.title }),
			"next":  gqlObject("Print", func(_ *gqlRun, b *book) *book { return b.next }),
		}
	}
	return newGraph(
		gqlType{name: "Print", which: func(r any) string {
			if r.(*book).leaf {
				return "Leaf"
			}
			return "Book"
		}},
		gqlType{name: "Book", is: []string{"Print"}, fields: fields()},
		gqlType{name: "Leaf", is: []string{"Print"}, fields: fields()},
		gqlType{name: "Leaf", fields: gqlFields{"loose": gqlBool(func(*gqlRun, *book) bool { return true })}},
		gqlType{name: "Shelf", fields: gqlFields{
			"no": gqlNumber(func(_ *gqlRun, s *shelf) int64 { return s.no }),
			"books": gqlConnection("Print", func(x *gqlRun, s *shelf) gqlRows[*book] {
				rows := gqlRows[*book]{all: s.books, key: func(b *book) gqlKey { return gqlKey{id: b.no} }}
				if x.args.text("query") == "odd" {
					rows.keep = func(b *book) bool { return b.no%2 == 1 }
				}
				return rows
			}),
			"list": gqlList("Print", func(_ *gqlRun, s *shelf) []*book { return s.books }),
		}},
		gqlType{name: "QueryRoot", fields: gqlFields{
			"shelf": gqlObject("Shelf", func(x *gqlRun, _ gqlRoot) *shelf {
				if n := x.args.size("no", 1); n <= len(shelves) {
					return shelves[n-1]
				}
				return nil
			}),
			"shelves": gqlList("Shelf", func(*gqlRun, gqlRoot) []*shelf { return shelves }),
			"broken": gqlRaw(func(x *gqlRun, _ gqlRoot) {
				x.fail("BROKEN", "It is broken")
				x.null()
			}),
		}},
	)
}

// ask answers a document on a graph: data, then errors on a line of their own.
func ask(t *testing.T, g *graph, text string, given map[string]any) string {
	t.Helper()
	known := (&planCache{graph: g}).plan(planKey{text: text})
	if len(known.errs) > 0 {
		return string(appendErrors(nil, known.errs))
	}
	x := &gqlRun{plan: known.plan, end: pagingEnd}
	var errs []gqlError
	if x.vars, errs = known.variables(given); len(errs) == 0 {
		errs = x.begin()
	}
	if len(errs) > 0 {
		return string(appendErrors(nil, errs))
	}
	x.data()
	if len(x.errs) > 0 {
		x.b = appendErrors(append(x.b, '\n'), x.errs)
	}
	return string(x.b)
}

func TestGraphAnswersWhatIsAsked(t *testing.T) {
	g := library()
	for _, c := range []struct{ name, ask, want string }{
		{"fields in the order of the document, aliases, typename",
			`{ shelf { nr: no __typename no } }`, `{"shelf":{"nr":1,"__typename":"Shelf","no":1}}`},
		{"null", `{ shelf(no: 9) { no } }`, `{"shelf":null}`},
		{"a variable, its default, and one not given",
			`query Q($n: Int = 2, $m: Int) { a: shelf(no: $n) { no } b: shelf(no: $m) { no } }`, `{"a":{"no":2},"b":{"no":1}}`},
		{"one field asked for twice is one",
			`{ shelf { no } shelf { books(first: 1) { nodes { id } } } ...F } fragment F on QueryRoot { shelf { books(first: 1) { nodes { title } } } }`,
			`{"shelf":{"no":1,"books":{"nodes":[{"id":"gid://shopify/Book/1","title":"A"}]}}}`},
		{"conditions of types", `{ shelf { list(first: 3) { ... on Print { title } ... on Leaf { loose } ... on Book { id } } } }`,
			`{"shelf":{"list":[{"title":"A","id":"gid://shopify/Book/1"},{"title":"B","id":"gid://shopify/Book/2"},{"title":"C","loose":true}]}}`},
		{"include and skip", `query($y: Boolean!) { shelf { a: no @include(if: $y) b: no @skip(if: $y) c: no @skip(if: true) ... @include(if: $y) { c: no } } }`,
			`{"shelf":{"a":1,"c":1}}`},
		{"a field that is wanted in one of two places", `query($y: Boolean!) { shelf @skip(if: $y) { a: no } shelf @include(if: $y) { b: no } }`,
			`{"shelf":{"b":1}}`},
		{"edges and the page", `{ shelf { books(first: 2) { edges { node { title } } pageInfo { hasNextPage hasPreviousPage } } } }`,
			`{"shelf":{"books":{"edges":[{"node":{"title":"A"}},{"node":{"title":"B"}}],"pageInfo":{"hasNextPage":true,"hasPreviousPage":false}}}}`},
		{"an empty connection", `{ shelf(no: 2) { books(first: 2) { nodes { title } pageInfo { hasNextPage endCursor } } } }`,
			`{"shelf":{"books":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}}}`},
		{"an error beside the data", `{ broken shelf { no } }`,
			`{"broken":null,"shelf":{"no":1}}` + "\n" + `"errors":[{"message":"It is broken","locations":[{"line":1,"column":3}],"path":["broken"],"extensions":{"code":"BROKEN"}}]`},
		{"no such field", `query Q { shelves { books(first: 1) { nodes { colour } } } }`,
			`"errors":[{"message":"Field 'colour' doesn't exist on type 'Book'","locations":[{"line":1,"column":47}],"path":["query Q","shelves","books","nodes","colour"],` +
				`"extensions":{"code":"undefinedField","fieldName":"colour","typeName":"Book"}},` +
				`{"message":"Field 'colour' doesn't exist on type 'Leaf'","locations":[{"line":1,"column":47}],"path":["query Q","shelves","books","nodes","colour"],` +
				`"extensions":{"code":"undefinedField","fieldName":"colour","typeName":"Leaf"}}]`},
		{"no selection", `{ shelf }`, `"errors":[{"message":"Field must have selections (field 'shelf' returns Shelf but has no selections. Did you mean 'shelf { ... }'?)",` +
			`"locations":[{"line":1,"column":3}],"path":["query","shelf"],"extensions":{"code":"selectionMismatch","nodeName":"field 'shelf'","typeName":"Shelf"}}]`},
	} {
		if got := ask(t, g, c.ask, map[string]any{"y": true}); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	for _, c := range []struct{ ask, says string }{
		{`{ shelf { ...F } } fragment F on Shelf { no ...F }`, "infinite loop"},
		{`{ shelf { list { ...F } } } fragment F on Print { next { ...F } }`, "too large"},
		{`{ shelf { ...G } }`, "G was used, but not defined"},
		{`{ shelf { no }`, "Expected Name"},
		{`query($n: Int!) { shelf(no: $n) { no } }`, "Variable $n of type Int! was provided invalid value"},
	} {
		if got := ask(t, g, c.ask, nil); !strings.Contains(got, c.says) {
			t.Errorf("%s answers %.300s", c.ask, got)
		}
	}
}

// Whatever the way of paging, the rows come once each and in order.
func TestPagesOfAConnection(t *testing.T) {
	g := library()
	for _, c := range []struct{ args, want string }{
		{`first: 3`, "ABC DEF G"},
		{`first: 3, reverse: true`, "GFE DCB A"},
		{`first: 3, query: "odd"`, "ACE G"},
		{`last: 3`, "EFG BCD A"},
		{`last: 3, reverse: true`, "CBA FED G"},
		{`last: 2, query: "odd"`, "EG AC"},
	} {
		fromEnd := strings.HasPrefix(c.args, "last")
		var pages []string
		var more bool
		cursor := ""
		for {
			args := c.args
			if cursor != "" && fromEnd {
				args += `, before: "` + cursor + `"`
			} else if cursor != "" {
				args += `, after: "` + cursor + `"`
			}
			page := readPage(t, g, args)
			pages = append(pages, page.titles)
			cursor, more = page.end, page.next
			if fromEnd {
				cursor, more = page.start, page.previous
			}
			if len(pages) > 1 && fromEnd && !page.next || len(pages) > 1 && !fromEnd && !page.previous {
				t.Errorf("%s: page %d does not know of the one before it", c.args, len(pages))
			}
			if !more {
				break
			}
		}
		if got := strings.Join(pages, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.args, got, c.want)
		}
	}
}

type readBooks struct {
	titles, start, end string
	next, previous     bool
}

func readPage(t *testing.T, g *graph, args string) readBooks {
	t.Helper()
	var said struct {
		Shelf struct {
			Books struct {
				Nodes    []struct{ Title string }
				PageInfo struct {
					HasNextPage, HasPreviousPage bool
					StartCursor, EndCursor       string
				}
			}
		}
	}
	decode(t, []byte(ask(t, g, `{ shelf { books(`+args+`) { nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`, nil)), &said)
	b := said.Shelf.Books
	r := readBooks{start: b.PageInfo.StartCursor, end: b.PageInfo.EndCursor, next: b.PageInfo.HasNextPage, previous: b.PageInfo.HasPreviousPage}
	for _, n := range b.Nodes {
		r.titles += n.Title
	}
	return r
}

func TestGraphRefusesItsOwnMistakes(t *testing.T) {
	for name, types := range map[string][]gqlType{
		"twice":     {{name: "A", fields: gqlFields{"a": gqlSame("A")}}, {name: "A", fields: gqlFields{"a": gqlSame("A")}}},
		"nowhere":   {{name: "A", fields: gqlFields{"a": gqlSame("B")}}},
		"interface": {{name: "A", is: []string{"B"}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			newGraph(types...)
		}()
	}
}

func TestStringsAreQuotedAsJSON(t *testing.T) {
	const odd = "a\"b\\c\n\r\t\x01\x1f é 🙏 </script>"
	var back string
	decode(t, appendQuoted(nil, odd), &back)
	if back != odd {
		t.Errorf("%q came back as %q", odd, back)
	}
}

func TestDecimalsAreWrittenInFull(t *testing.T) {
	for micro, want := range map[int64]string{0: "0.00", 19_900_000: "19.90", -5_000: "-0.005", 1_234_567: "1.234567", 163_500_000_000: "163500.00"} {
		x := &gqlRun{}
		x.decimal(micro)
		if got := strings.Trim(string(x.b), `"`); got != want {
			t.Errorf("%d is written %s, want %s", micro, got, want)
		}
	}
}

func decode(t testing.TB, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %.500s", err, text)
	}
}
