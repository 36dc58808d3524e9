package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"
	"comptoir/erp/intake"
)

// source is a list of the API that is read row by row, in the order of ids.
type source struct {
	resource intake.Resource
	route    string
	query    url.Values
	windowed bool // can be asked for changes
	parents  bool // its rows are the products whose variations are wanted
}

// parentsAtOnce is how many products' variations make a page, where each
// product must be asked.
const parentsAtOnce = 10

// listOf returns the list that holds a resource.
func (c *Connector) listOf(r intake.Resource) (source, bool) {
	switch r {
	case intake.Orders:
		return source{resource: r, route: "orders", query: url.Values{"status": {"any"}, "dp": {"6"}}, windowed: true}, true
	case intake.Trash:
		return source{resource: r, route: "orders", query: url.Values{"status": {"trash"}, "dp": {"6"}}, windowed: true}, true
	case intake.Products:
		return source{resource: r, route: "products", query: url.Values{"status": {"any"}}, windowed: true}, true
	case intake.Variants:
		if c.noVariations.Load() {
			return source{resource: r, route: "products", query: url.Values{"status": {"any"}, "type": {"variable"}}, windowed: true, parents: true}, true
		}
		return source{resource: r, route: "variations", query: url.Values{"status": {"any"}}, windowed: true}, true
	case intake.Customers:
		return source{resource: r, route: "customers", query: url.Values{"role": {"all"}}}, true
	case intake.Coupons:
		return source{resource: r, route: "coupons"}, true
	case intake.Categories:
		return source{resource: r, route: "products/categories", query: url.Values{"hide_empty": {"false"}}}, true
	case intake.TaxRates:
		return source{resource: r, route: "taxes"}, true
	default:
		return source{}, false
	}
}

func (l source) op() string { return "list " + string(l.resource) }

// row is a record of a list before it is understood.
type row struct {
	id       int64 // 0 where it cannot be read
	modified time.Time
	raw      json.RawMessage
}

// chunk is a part of a list, as the shop gave it.
type chunk struct {
	rows   []row // by id, each once
	odd    []row // rows without an id
	count  int   // rows that came, before any were put together
	size   int   // rows that were asked for
	total  int   // rows that the shop has in all; -1: unknown
	date   time.Time
	offset int
}

// windowForm is how WooCommerce wants an instant: UTC, without saying so. With
// an offset or a Z it would be moved to the site's time zone and compared with
// UTC all the same.
const windowForm = "2006-01-02T15:04:05"

// window adds the question for changes since a second. The shop's own bound is
// exclusive and in whole seconds, so it is asked from one second before.
func window(query url.Values, since int64) {
	if since == 0 {
		return
	}
	query.Set("modified_after", instantOf(since-1).Format(windowForm))
	query.Set("dates_are_gmt", "true")
}

// chunk reads the rows of a window from an offset on. Where the shop chokes on
// them, it is asked for fewer.
func (c *Connector) chunk(ctx context.Context, l source, since int64, offset int, fields string) (*chunk, error) {
	for {
		size := c.sizes.now(l.resource)
		if l.parents {
			size = min(size, parentsAtOnce)
		}
		ch, err := c.chunkOf(ctx, l, since, offset, size, fields)
		if err == nil {
			c.sizes.worked(l.resource)
			return ch, nil
		}
		if !choked(err) || !c.sizes.shrink(l.resource, size) {
			return nil, err
		}
		c.env.Log.Warn().Str("shop", c.env.Shop).Str("resource", string(l.resource)).Int("page_size", size).
			Str("error", c.api.rest.Redact(err.Error())).Msg("the shop could not make this page, a smaller one is asked for")
	}
}

// choked reports whether a smaller page may succeed: the server ran out of
// time or memory, which PHP also shows as an answer of nothing.
func choked(err error) bool {
	if errors.Is(err, rest.ErrTimeout) || errors.Is(err, rest.ErrTooLarge) || errors.Is(err, errCut) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	var status *rest.StatusError
	return errors.As(err, &status) && status.Status >= 500 && connectors.ClassOf(err) == connectors.Transient
}

func (c *Connector) chunkOf(ctx context.Context, l source, since int64, offset, size int, fields string) (*chunk, error) {
	query := maps.Clone(l.query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("orderby", "id")
	query.Set("order", "asc")
	query.Set("per_page", strconv.Itoa(size))
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	if fields != "" {
		query.Set("_fields", fields)
	}
	window(query, since)
	a, err := c.api.get(ctx, l.op(), l.route, query)
	if err != nil {
		return nil, err
	}
	raws, err := c.rows(l.op(), a)
	if err != nil {
		return nil, err
	}
	ch := &chunk{count: len(raws), size: size, total: a.total(), date: a.date(), offset: offset}
	for _, raw := range raws {
		if r := headOf(raw); r.id > 0 {
			ch.rows = append(ch.rows, r)
		} else {
			ch.odd = append(ch.odd, r)
		}
	}
	// Plugins that join other tables repeat rows and lose the order.
	slices.SortStableFunc(ch.rows, func(a, b row) int { return int(min(max(a.id-b.id, -1), 1)) })
	ch.rows = slices.CompactFunc(ch.rows, func(a, b row) bool { return a.id == b.id })
	return ch, nil
}

// rows splits the list in an answer. The pieces no longer hold on to the whole.
func (c *Connector) rows(op string, a *answer) ([]json.RawMessage, error) {
	var raws []json.RawMessage
	err := json.Unmarshal(a.Body, &raws)
	if err == nil {
		return raws, nil
	}
	if code, message, ok := parseError(a.Body); ok {
		err = fmt.Errorf("the shop answered 200 with an error: %s: %s", code, message)
	} else {
		err = fmt.Errorf("%w: %v, after %s", errCut, err, quote(a.Body))
	}
	return nil, c.api.rest.Fail(connectors.Transient, "woocommerce: "+op, &foreignError{http.StatusOK, err},
		"if it stays so, look for PHP errors in the log of the shop's server")
}

// maxMoves is how many requests one page may take while rows move.
const maxMoves = 60

// next reads the rows that come after a position in a window, and moves the
// position on. Done means that there are none after them.
//
// The first row that is asked for is the last one that was read: while it, or
// any before it, is there, no row in between can have slipped away. Where it
// is not, because rows before it have left the window, the reader steps back.
func (c *Connector) next(ctx context.Context, l source, cur *cursor, fields string) (fresh []row, ch *chunk, done bool, err error) {
	back := 1
	for range maxMoves {
		if ch, err = c.chunk(ctx, l, cur.asked(), cur.Offset, fields); err != nil {
			return nil, nil, false, err
		}
		if cur.Offset > 0 && (len(ch.rows) == 0 || ch.rows[0].id > cur.After) {
			cur.Offset = max(0, cur.Offset-back*ch.size)
			back *= 2
			continue
		}
		fresh = ch.rows
		if i := slices.IndexFunc(fresh, func(r row) bool { return r.id > cur.After }); i >= 0 {
			fresh = fresh[i:]
		} else {
			fresh = nil
		}
		// A short page is the last one only where the shop does not know of
		// more: rows that a key may not see are left out of a page.
		done = ch.count < ch.size && ch.total <= ch.offset+ch.size
		if len(fresh) == 0 && len(ch.odd) == 0 && !done {
			cur.Offset += ch.size - 1
			continue
		}
		if n := len(ch.rows); n > 0 {
			cur.After = max(cur.After, ch.rows[n-1].id)
			cur.Offset = ch.offset + n - 1
		}
		cur.List = l.key()
		return fresh, ch, done, nil
	}
	return nil, nil, false, c.api.rest.Fail(connectors.Transient, "woocommerce: "+l.op(),
		fmt.Errorf("the rows of the list keep moving: no firm ground after %d requests", maxMoves),
		"the list is not in the order of ids: a plugin of the shop may change how lists are sorted")
}

// newest asks for the newest change in a list; zero where there is none, or
// where the shop cannot tell. With it comes the shop's clock.
func (c *Connector) newest(ctx context.Context, l source) (id string, changed, date time.Time, err error) {
	query := maps.Clone(l.query)
	if query == nil {
		query = url.Values{}
	}
	for k, v := range map[string]string{"orderby": "modified", "order": "desc", "per_page": "1", "_fields": "id,date_modified_gmt"} {
		query.Set(k, v)
	}
	a, err := c.api.get(ctx, l.op(), l.route, query)
	if invalid(err) { // before 5.8
		return "", time.Time{}, time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, time.Time{}, err
	}
	raws, err := c.rows(l.op(), a)
	if err != nil {
		return "", time.Time{}, time.Time{}, err
	}
	if len(raws) > 0 {
		head := headOf(raws[0])
		id, changed = strconv.FormatInt(head.id, 10), head.modified
	}
	return id, changed, a.date(), nil
}
