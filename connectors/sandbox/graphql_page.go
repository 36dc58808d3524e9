package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"sort"
	"strconv"
)

// gqlRows are the rows that a connection is about, before it is paged.
type gqlRows[V any] struct {
	// all are the rows in ascending order of their keys.
	all []V
	// key is what the rows are sorted by, so that a cursor stays good while
	// rows come and go. Nil: a cursor is the position.
	key func(V) gqlKey
	// keep tells the rows that the query asks for. It is called only as far as
	// the page needs. Nil: all of them.
	keep func(V) bool
}

// gqlKey orders rows: by a value, and where it is equal by id.
type gqlKey struct{ by, id int64 }

func (k gqlKey) compare(of gqlKey) int {
	if c := compare(k.by, of.by); c != 0 {
		return c
	}
	return compare(k.id, of.id)
}

// gqlPaging are the arguments of a connection that choose a page.
type gqlPaging struct {
	first, last   int // -1: not given
	after, before *gqlCursor
	reverse       bool
}

// gqlCursor is the place of a row, and how many rows were before it: what a
// platform that stops paging somewhere goes by.
type gqlCursor struct {
	By   int64 `json:"last_value"`
	ID   int64 `json:"last_id"`
	Seen int   `json:"seen"`
}

func (c gqlCursor) append(b []byte) []byte {
	text := append([]byte(`{"last_id":`), strconv.FormatInt(c.ID, 10)...)
	text = append(append(text, `,"last_value":`...), strconv.FormatInt(c.By, 10)...)
	text = append(append(text, `,"seen":`...), strconv.Itoa(c.Seen)...)
	return base64.StdEncoding.AppendEncode(b, append(text, '}'))
}

// readCursor reads a cursor that this shop gave out; nil where it is none.
func readCursor(text string) *gqlCursor {
	b, err := base64.StdEncoding.DecodeString(text)
	c := &gqlCursor{}
	if err != nil || json.Unmarshal(b, c) != nil {
		return nil
	}
	return c
}

// gqlPage is a page of a connection: the receiver of its fields.
type gqlPage struct {
	n              int // rows, as they are shown: a fault may repeat some
	at             func(i int) any
	cursor         func(i int) gqlCursor
	start, end     func() (c gqlCursor, ok bool)
	next, previous func() bool
}

// gqlEdge is a row of a page with its cursor.
type gqlEdge struct {
	page *gqlPage
	i    int
}

// page chooses the rows that the arguments ask for.
func (r *gqlRows[V]) page(x *gqlRun, n *gqlNode) *gqlPage {
	a := x.paging(n)
	lo, hi := r.between(a.after, a.before, a.reverse)
	size, seen, fromEnd := a.first, 0, false
	if a.first < 0 && a.last >= 0 {
		size, fromEnd = a.last, true
	}
	if a.after != nil {
		seen = a.after.Seen
	}
	capped := false
	if left := x.end - seen; !fromEnd && size >= left {
		size, capped = max(0, left), true
	}
	picked, cut := r.walk(lo, hi, size, a.reverse != fromEnd)
	if fromEnd {
		slices.Reverse(picked)
	}
	shown := picked
	if n.parent == nil {
		shown = rearranged(&x.hits, picked)
		if x.hits.drift && len(picked) > 0 {
			x.moved = append(x.moved, r.all[picked[0]])
		}
	}
	cursor := func(row, before int) gqlCursor {
		k := r.keyOf(row)
		return gqlCursor{By: k.by, ID: k.id, Seen: seen + before + 1}
	}
	border := func(i int) (gqlCursor, bool) {
		if len(picked) == 0 {
			return gqlCursor{}, false
		}
		return cursor(picked[i], i), true
	}
	beyond := func(after bool) bool {
		if after == a.reverse {
			return r.any(0, lo)
		}
		return r.any(hi, len(r.all))
	}
	return &gqlPage{
		n:      len(shown),
		at:     func(i int) any { return r.all[shown[i]] },
		cursor: func(i int) gqlCursor { return cursor(shown[i], i) },
		start:  func() (gqlCursor, bool) { return border(0) },
		end:    func() (gqlCursor, bool) { return border(len(picked) - 1) },
		next: func() bool {
			if fromEnd {
				return beyond(true)
			}
			return cut && !capped
		},
		previous: func() bool {
			if fromEnd {
				return cut
			}
			return beyond(false)
		},
	}
}

// walk picks up to size rows that are kept, from one end of lo … hi, and tells
// whether there are more.
func (r *gqlRows[V]) walk(lo, hi, size int, backward bool) (picked []int, cut bool) {
	picked = make([]int, 0, min(max(size, 0), hi-lo))
	for k := range hi - lo {
		i := lo + k
		if backward {
			i = hi - 1 - k
		}
		if r.keep != nil && !r.keep(r.all[i]) {
			continue
		}
		if len(picked) == size {
			return picked, true
		}
		picked = append(picked, i)
	}
	return picked, false
}

// between narrows the rows to those after one cursor and before another, in
// the direction of reading.
func (r *gqlRows[V]) between(after, before *gqlCursor, reverse bool) (lo, hi int) {
	lo, hi = 0, len(r.all)
	if reverse {
		after, before = before, after
	}
	if after != nil {
		k := gqlKey{after.By, after.ID}
		lo = sort.Search(len(r.all), func(i int) bool { return r.keyOf(i).compare(k) > 0 })
	}
	if before != nil {
		k := gqlKey{before.By, before.ID}
		hi = max(lo, sort.Search(len(r.all), func(i int) bool { return r.keyOf(i).compare(k) >= 0 }))
	}
	return lo, hi
}

func (r *gqlRows[V]) keyOf(i int) gqlKey {
	if r.key == nil {
		return gqlKey{id: int64(i)}
	}
	return r.key(r.all[i])
}

func (r *gqlRows[V]) any(lo, hi int) bool {
	for _, v := range r.all[lo:hi] {
		if r.keep == nil || r.keep(v) {
			return true
		}
	}
	return false
}

func connectionFields(of string) gqlFields {
	return gqlFields{
		"nodes": {of: of, many: true, write: func(x *gqlRun, n *gqlNode, r any) {
			p := r.(*gqlPage)
			x.b = append(x.b, '[')
			for i := range p.n {
				if x.void {
					break
				}
				x.element(n, i, p.at(i))
			}
			x.b = append(x.b, ']')
		}},
		"edges": {of: of + "Edge", many: true, write: func(x *gqlRun, n *gqlNode, r any) {
			p := r.(*gqlPage)
			x.b = append(x.b, '[')
			for i := range p.n {
				if x.void {
					break
				}
				x.element(n, i, gqlEdge{p, i})
			}
			x.b = append(x.b, ']')
		}},
		"pageInfo": gqlSame("PageInfo"),
	}
}

func edgeFields(of string) gqlFields {
	return gqlFields{
		"node":   gqlValue(of, func(_ *gqlRun, e gqlEdge) any { return e.page.at(e.i) }),
		"cursor": gqlRaw(func(x *gqlRun, e gqlEdge) { x.cursor(e.page.cursor(e.i), true) }),
	}
}

func pageInfoFields() gqlFields {
	return gqlFields{
		"hasNextPage":     gqlBool(func(_ *gqlRun, p *gqlPage) bool { return p.next() }),
		"hasPreviousPage": gqlBool(func(_ *gqlRun, p *gqlPage) bool { return p.previous() }),
		"startCursor":     gqlRaw(func(x *gqlRun, p *gqlPage) { x.cursor(p.start()) }),
		"endCursor":       gqlRaw(func(x *gqlRun, p *gqlPage) { x.cursor(p.end()) }),
	}
}

// cursor writes a cursor; null where there is none.
func (x *gqlRun) cursor(c gqlCursor, ok bool) {
	if !ok {
		x.null()
		return
	}
	x.b = append(x.b, '"')
	x.b = c.append(x.b)
	x.b = append(x.b, '"')
}
