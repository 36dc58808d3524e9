package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is what a list needs to know of a record before it writes it.
type row struct {
	id                int64
	created, modified int64
	status            string
	title             string
	of                any
}

// list is the rows of a collection, and their orders, until the shop changes.
type list struct {
	changes uint64
	rows    []row // in order of id
	sorted  map[string][]int32
}

// collection is a list of the API.
type collection struct {
	name     string
	rows     func() []row
	write    func(*encoder, *row)
	orderby  []string                         // what it can be sorted by
	first    string                           // what it is sorted by unless told
	rising   bool                             // in that case: ascending
	dated    bool                             // can be filtered by date
	statuses []string                         // what status may be; nil: the parameter is ignored
	keep     func(url.Values) func(*row) bool // further filters; nil where a request has none
	small    bool                             // not worth remembering, and there are many of its kind
	vain     bool                             // a page beyond the last states a total of zero
}

// query is what a request asks of a list.
type query struct {
	page, size, offset int
	orderby            string
	rising             bool
	include, exclude   []int64
	statuses           []string
	bounds             []bound
	keep               func(*row) bool
	values             url.Values
}

// bound is one end of a window of dates, exclusive, in whole seconds.
type bound struct {
	created, before, gmt bool
	wall                 int64
}

func (s *Shop) rows(c *collection) *list {
	l := s.lists[c.name]
	if l == nil || l.changes != s.changes {
		l = &list{changes: s.changes, rows: c.rows(), sorted: map[string][]int32{}}
		// A variation may be younger than those of the products behind its own.
		slices.SortFunc(l.rows, func(a, b row) int { return compare(a.id, b.id) })
		if !c.small {
			s.lists[c.name] = l
		}
	}
	return l
}

// listing finds the rows that a request asks for: those of its page, and how
// many there are in all.
func (s *Shop) listing(c *collection, q *query) (page []row, total int) {
	l := s.rows(c)
	if len(q.include) > 0 || q.orderby == "include" {
		return cut(s.included(c, l, q), q)
	}
	order := l.order(q.orderby)
	n := len(l.rows)
	var found []row
	if !s.whole(q.orderby) {
		for i := range l.rows {
			if s.keeps(c, q, &l.rows[i]) {
				found = append(found, l.rows[i])
			}
		}
		shuffleTies(found, q)
		return cut(found, q)
	}
	for i := range n {
		at := order[i]
		if !q.rising {
			at = order[n-1-i]
		}
		r := &l.rows[at]
		if !s.keeps(c, q, r) {
			continue
		}
		if total >= q.offset && len(page) < q.size {
			page = append(page, *r)
		}
		total++
	}
	return page, total
}

// whole reports whether an order is total. Old versions forgot to break ties
// of dates by id, so that rows of one second come in another order on each
// page.
func (s *Shop) whole(orderby string) bool {
	return !s.release.before(10, 0) || orderby != "date" && orderby != "modified"
}

func shuffleTies(rows []row, q *query) {
	slices.SortFunc(rows, func(a, b row) int {
		x, y := a.created, b.created
		if q.orderby == "modified" {
			x, y = a.modified, b.modified
		}
		if !q.rising {
			x, y = y, x
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		return cmp.Compare(mix(uint64(a.id)<<20+uint64(q.offset)), mix(uint64(b.id)<<20+uint64(q.offset)))
	})
}

func (s *Shop) included(c *collection, l *list, q *query) []row {
	var found []row
	for _, id := range q.include {
		i, ok := slices.BinarySearchFunc(l.rows, id, func(r row, id int64) int { return compare(r.id, id) })
		if ok && s.keeps(c, q, &l.rows[i]) {
			found = append(found, l.rows[i])
		}
	}
	if q.orderby == "include" {
		return found
	}
	slices.SortStableFunc(found, func(a, b row) int {
		if q.rising {
			return compareRows(q.orderby, &a, &b)
		}
		return compareRows(q.orderby, &b, &a)
	})
	return slices.CompactFunc(found, func(a, b row) bool { return a.id == b.id })
}

func cut(found []row, q *query) ([]row, int) {
	from := min(q.offset, len(found))
	return found[from:min(from+q.size, len(found))], len(found)
}

// order returns the rows by a key, ascending, ties by id.
func (l *list) order(by string) []int32 {
	if order, ok := l.sorted[by]; ok {
		return order
	}
	order := make([]int32, len(l.rows))
	for i := range order {
		order[i] = int32(i)
	}
	if by != "id" {
		slices.SortFunc(order, func(a, b int32) int { return compareRows(by, &l.rows[a], &l.rows[b]) })
	}
	l.sorted[by] = order
	return order
}

func compareRows(by string, a, b *row) int {
	c := 0
	switch by {
	case "date", "registered_date":
		c = cmp.Compare(a.created, b.created)
	case "modified":
		c = cmp.Compare(a.modified, b.modified)
	case "title", "name", "slug":
		c = strings.Compare(a.title, b.title)
	}
	if c == 0 {
		c = cmp.Compare(a.id, b.id)
	}
	return c
}

func (s *Shop) keeps(c *collection, q *query, r *row) bool {
	if c.statuses != nil && !wantsStatus(q.statuses, r.status) {
		return false
	}
	if len(q.exclude) > 0 && slices.Contains(q.exclude, r.id) {
		return false
	}
	for i := range q.bounds {
		if !q.bounds[i].holds(r, s.zone) {
			return false
		}
	}
	return q.keep == nil || q.keep(r)
}

// wantsStatus knows that "any" leaves out what is hidden from search.
func wantsStatus(wanted []string, status string) bool {
	for _, w := range wanted {
		if w == status || w == "any" && status != "trash" && status != "checkout-draft" {
			return true
		}
	}
	return false
}

func (b *bound) holds(r *row, zone *time.Location) bool {
	at := r.modified
	if b.created {
		at = r.created
	}
	if !b.gmt {
		_, offset := time.Unix(at, 0).In(zone).Zone()
		at += int64(offset)
	}
	if b.before {
		return at < b.wall
	}
	return at > b.wall
}

var wpDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(Z|z|[+-]\d\d(?::\d\d)?)?$`)

// readDate reads a date as WordPress does: one without an offset is taken as it
// stands, one with an offset (or Z) is turned into the site's local time and
// then taken as that stands. With dates_are_gmt, the latter compares local time
// with UTC: the trap.
func (s *Shop) readDate(v string) (wall int64, ok bool) {
	m := wpDate.FindStringSubmatch(v)
	if m == nil {
		return 0, false
	}
	naive := strings.Replace(v[:19], " ", "T", 1)
	naive = strings.ToUpper(naive)
	if m[1] == "" {
		t, err := time.ParseInLocation(wooTime, naive, time.UTC)
		return t.Unix(), err == nil
	}
	zone := strings.ToUpper(m[1])
	if len(zone) == 3 {
		zone += ":00"
	}
	t, err := time.Parse(time.RFC3339, naive+zone)
	if err != nil {
		return 0, false
	}
	_, offset := t.In(s.zone).Zone()
	return t.Unix() + int64(offset), true
}

// readQuery reads the parameters of a list. What it does not know it ignores,
// as the platform does.
func (s *Shop) readQuery(c *collection, v url.Values) (*query, *reply) {
	q := &query{page: 1, size: 10, orderby: c.first, rising: c.rising, values: v, statuses: []string{"any"}}
	for _, p := range []struct {
		name     string
		into     *int
		min, max int
	}{{"page", &q.page, 1, 1 << 30}, {"per_page", &q.size, 1, 100}, {"offset", &q.offset, 0, 1 << 30}} {
		if bad := readInt(v, p.name, p.into, p.min, p.max); bad != nil {
			return nil, bad
		}
	}
	if v.Get("offset") == "" {
		q.offset = (q.page - 1) * q.size
	}
	if by := v.Get("orderby"); by != "" {
		if !slices.Contains(c.orderby, by) {
			return nil, invalid("orderby", "orderby is not one of "+strings.Join(c.orderby, ", ")+".", "rest_not_in_enum")
		}
		q.orderby = by
	}
	switch v.Get("order") {
	case "asc":
		q.rising = true
	case "desc":
		q.rising = false
	case "":
	default:
		return nil, invalid("order", "order is not one of asc, desc.", "rest_not_in_enum")
	}
	if c.keep != nil {
		q.keep = c.keep(v)
	}
	q.include, q.exclude = readIDs(v, "include"), readIDs(v, "exclude")
	if bad := s.readFilters(c, q); bad != nil {
		return nil, bad
	}
	return q, nil
}

func (s *Shop) readFilters(c *collection, q *query) *reply {
	if c.statuses != nil {
		if wanted := many(q.values, "status"); len(wanted) > 0 {
			q.statuses = wanted
		}
		for i, w := range q.statuses {
			if !slices.Contains(c.statuses, w) {
				name := "status[" + strconv.Itoa(i) + "]"
				return invalid("status", name+" is not one of "+strings.Join(c.statuses, ", ")+".", "rest_not_in_enum")
			}
		}
	}
	if !c.dated {
		return nil
	}
	gmt := truth(q.values.Get("dates_are_gmt"))
	for _, p := range []struct {
		name            string
		created, before bool
	}{{"after", true, false}, {"before", true, true}, {"modified_after", false, false}, {"modified_before", false, true}} {
		if !p.created && s.release.before(5, 8) {
			continue
		}
		given := q.values.Get(p.name)
		if given == "" {
			continue
		}
		wall, ok := s.readDate(given)
		if !ok {
			return invalid(p.name, "Invalid date.", "rest_invalid_date")
		}
		q.bounds = append(q.bounds, bound{created: p.created, before: p.before, gmt: gmt, wall: wall})
	}
	return nil
}

func readInt(v url.Values, name string, into *int, low, high int) *reply {
	given := v.Get(name)
	if given == "" {
		return nil
	}
	n, err := strconv.Atoi(given)
	switch {
	case err != nil:
		return invalidType(name, name+" is not of type integer.")
	case high < 1<<30 && (n < low || n > high):
		return invalid(name, name+" must be between "+strconv.Itoa(low)+" (inclusive) and "+strconv.Itoa(high)+" (inclusive)", "rest_out_of_bounds")
	case n < low:
		return invalid(name, name+" must be greater than or equal to "+strconv.Itoa(low), "rest_out_of_bounds")
	}
	*into = n
	return nil
}

// many reads a list: name=a,b or name[]=a&name[]=b or name[0]=a&name[1]=b.
func many(v url.Values, name string) []string {
	var out []string
	for _, one := range append(slices.Clone(v[name]), v[name+"[]"]...) {
		for part := range strings.SplitSeq(one, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	for i := 0; v.Has(name + "[" + strconv.Itoa(i) + "]"); i++ {
		out = append(out, v.Get(name+"["+strconv.Itoa(i)+"]"))
	}
	return out
}

func readIDs(v url.Values, name string) []int64 {
	var ids []int64
	for _, id := range many(v, name) {
		ids = append(ids, number(id))
	}
	return ids
}

func truth(v string) bool {
	return v == "1" || strings.EqualFold(v, "true") || strings.EqualFold(v, "yes")
}

// pageHeaders writes the totals and the links to the pages beside this one.
func (s *Shop) pageHeaders(h http.Header, c *collection, q *query, path, base string, total int) {
	pages := (total + q.size - 1) / q.size
	if c.vain && q.offset >= total {
		total, pages = 0, 0
	}
	h.Set("X-WP-Total", strconv.Itoa(total))
	h.Set("X-WP-TotalPages", strconv.Itoa(pages))
	link := func(page int, rel string) string {
		v := url.Values{}
		for k, values := range q.values {
			switch {
			case strings.HasPrefix(k, "oauth_"), k == "consumer_key", k == "consumer_secret", k == restRouteName:
			default:
				v[k] = values
			}
		}
		v.Set("page", strconv.Itoa(page))
		if c.name == "orders" && !v.Has("status") && !v.Has("status[0]") && !v.Has("status[]") {
			v.Set("status[0]", "any")
		}
		return "<" + base + apiRoot + path + "?" + v.Encode() + `>; rel="` + rel + `"`
	}
	var links []string
	if q.page > 1 {
		links = append(links, link(min(q.page-1, pages), "prev"))
	}
	if q.page < pages {
		links = append(links, link(q.page+1, "next"))
	}
	if len(links) > 0 {
		h.Set("Link", strings.Join(links, ", "))
	}
}
