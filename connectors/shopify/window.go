package shopify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// source is a list of the API that is read row by row, in the order of ids.
type source struct {
	resource intake.Resource
	node     string   // the type of its rows in the schema
	list     document // takes $first and $query
	ids      document // the same, with nothing but ids
	byID     document // takes $ids
	path     []string // where the list stands in the data
	filter   string   // what is always searched for
	// dated is the search term for the window; "": it cannot be asked for
	// changes, and is read whole each time.
	dated string
	// coarse means that the term may compare whole days.
	coarse bool
	// subject is what an event of deletion calls a row; "": there are none.
	subject string
	// tail means that the last page of a run also states what has changed since
	// the end of the window.
	tail    bool
	touched bool // rows change without their date moving, and the shop tells which
	// again is how often the list is read whole besides, since rows change
	// without their date moving, and the shop does not tell; 0: never.
	again   time.Duration
	size    int // rows on a page, that cost well under 1,000 points together
	records func(context.Context, []row) ([]intake.Record, error)
}

func (l source) op() string { return "list " + string(l.resource) }

// row is a record of a list before it is understood.
type row struct {
	id       uint64
	modified time.Time // zero where the shop does not say
	raw      json.RawMessage
	// until is the end of the window that it is read in, in Unix seconds; 0:
	// none, it was asked for by its id.
	until int64
}

// ref is the id as text.
func (r row) ref() scalar { return scalar{text: strconv.FormatUint(r.id, 10)} }

// chunk is a part of a list, as the shop gave it.
type chunk struct {
	rows []row // by id, each once, after the one that was asked for
	last uint64
	more bool
	now  time.Time // the shop's clock
}

// windowForm is how an instant is written in a search, between quotes.
const windowForm = "2006-01-02T15:04:05Z"

// search is the text that finds the rows of a window after an id.
func (l source) search(cur cursor) string {
	var terms []string
	if l.filter != "" {
		terms = append(terms, l.filter)
	}
	if l.dated != "" && cur.Since > 0 {
		terms = append(terms, l.dated+":>='"+instantOf(cur.Since).Format(windowForm)+"'")
	}
	if l.dated != "" && cur.Until > 0 && !l.coarse {
		terms = append(terms, l.dated+":<'"+instantOf(cur.Until).Format(windowForm)+"'")
	}
	if cur.After > 0 {
		terms = append(terms, "id:>"+strconv.FormatUint(cur.After, 10))
	}
	return strings.Join(terms, " ")
}

// instantOf is the instant of a Unix second.
func instantOf(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// pullList reads the next page of a list, or of what follows it in a run.
func (c *Connector) pullList(ctx context.Context, r intake.Resource, from connectors.Cursor) (connectors.Page, error) {
	l, ok := c.listOf(r)
	if !ok {
		return connectors.Page{}, c.unknownResource(r)
	}
	switch cur := c.readCursor(r, from); cur.Phase {
	case phaseGone:
		return c.pullGone(ctx, l, cur)
	case phaseTouched:
		return c.pullTouched(ctx, l, cur)
	case phaseWhole:
		return c.pullWhole(ctx, l, cur)
	default:
		cur.Phase = ""
		return c.pullRows(ctx, l, cur)
	}
}

// pullWhole reads the next rows of a list, whenever they were changed.
func (c *Connector) pullWhole(ctx context.Context, l source, cur cursor) (connectors.Page, error) {
	ch, err := c.chunk(ctx, l, l.list, cursor{After: cur.After})
	if err != nil {
		return connectors.Page{}, err
	}
	records, err := l.records(ctx, ch.rows)
	if err != nil {
		return connectors.Page{}, err
	}
	return c.onward(ctx, l, cur, ch, records)
}

// pullRows reads the next rows of a window.
func (c *Connector) pullRows(ctx context.Context, l source, cur cursor) (connectors.Page, error) {
	ch, err := c.chunk(ctx, l, l.list, cur)
	if err != nil {
		return connectors.Page{}, err
	}
	if cur.Until == 0 && l.dated != "" {
		cur.Until = c.horizon(ch.now)
	}
	c.lookForIgnoredWindow(l, cur, ch)
	// What has changed after the end of the window is stated already where it
	// came along; it comes again in the next.
	rows := slices.DeleteFunc(ch.rows, func(r row) bool { return l.dated != "" && !cur.since(r) })
	if cur.Since > 0 { // at first, everything is stated
		for i := range rows {
			rows[i].until = cur.Until
		}
	}
	records, err := l.records(ctx, rows)
	if err != nil {
		return connectors.Page{}, err
	}
	return c.onward(ctx, l, cur, ch, records)
}

// onward goes on after the rows of a chunk: to those after them, or to the next
// phase where there are none.
func (c *Connector) onward(ctx context.Context, l source, cur cursor, ch *chunk, records []intake.Record) (connectors.Page, error) {
	if ch.more {
		cur.After, cur.Bounded = ch.last, true
		return connectors.Page{Records: records, Next: cur.bytes(), More: true}, nil
	}
	return c.page(ctx, l, cur, records)
}

// page ends a phase of a run with the records given, and goes on to the next.
func (c *Connector) page(ctx context.Context, l source, cur cursor, records []intake.Record) (connectors.Page, error) {
	next, more := c.finished(cur), false
	if phase := l.after(cur); phase != "" {
		next, more = cursor{Phase: phase, Since: cur.Since, Until: cur.Until, Bounded: cur.Bounded, Whole: cur.Whole}, true
	}
	if l.dated == "" {
		next = cursor{}
	}
	page := connectors.Page{Records: records, Next: next.bytes(), More: more}
	if l.tail && cur.Bounded && !more {
		if err := c.addTail(ctx, l, cur.Until, &page); err != nil {
			return connectors.Page{}, err
		}
	}
	return page, nil
}

// after is the phase of a run that follows; "" at its end. Who has read
// everything has missed nothing, and what was deleted is not there.
func (l source) after(cur cursor) phase {
	switch whole := cur.Until-cur.Whole >= int64(l.again/time.Second); {
	case l.dated == "" || cur.Since == 0 || cur.Phase == phaseWhole:
		return ""
	case cur.Phase == "" && l.subject != "":
		return phaseGone
	case cur.Phase != phaseTouched && l.touched:
		return phaseTouched
	case l.again > 0 && whole:
		return phaseWhole
	default:
		return ""
	}
}

// lookForIgnoredWindow warns of rows that are older than the window: the shop
// has not applied the filter, and does not say so.
func (c *Connector) lookForIgnoredWindow(l source, cur cursor, ch *chunk) {
	if l.dated == "" || cur.Since == 0 {
		return
	}
	oldest := instantOf(cur.Since)
	if l.coarse {
		oldest = oldest.Add(-24 * time.Hour)
	}
	for _, r := range ch.rows {
		if !r.modified.IsZero() && r.modified.Before(oldest) {
			c.env.Log.Warn().Str("shop", c.env.Shop).Str("resource", string(l.resource)).Str("filter", l.dated).
				Msg("the shop gives records from before the window that it was asked for: reading takes longer than it need")
			return
		}
	}
}

// chunk reads the rows of a window after an id. Where the shop chokes on them,
// it is asked for fewer.
func (c *Connector) chunk(ctx context.Context, l source, doc document, cur cursor) (*chunk, error) {
	var ch *chunk
	most := l.size
	if doc.name == l.ids.name {
		most = maxPageSize
	}
	err := c.sized(l.resource, doc, most, func(size int) (err error) {
		ch, err = c.chunkOf(ctx, l, doc, cur, size)
		return err
	})
	return ch, err
}

func (c *Connector) chunkOf(ctx context.Context, l source, doc document, cur cursor, size int) (*chunk, error) {
	var data json.RawMessage
	a, err := c.client.do(ctx, l.op(), doc, map[string]any{"first": size, "query": l.search(cur)}, &data)
	if err != nil {
		return nil, err
	}
	list, err := connectionAt[json.RawMessage](data, l.path)
	if err != nil {
		return nil, c.malformed(l.op(), err)
	}
	ch := &chunk{more: list.PageInfo.HasNextPage, now: a.Now}
	for _, raw := range list.Nodes {
		r := rowOf(raw)
		if r.id == 0 {
			return nil, c.malformed(l.op(), errors.New("a row has no id"))
		}
		if r.id > cur.After {
			ch.rows = append(ch.rows, r)
			ch.last = max(ch.last, r.id)
		}
	}
	if ch.more && len(ch.rows) == 0 {
		return nil, c.client.rest.Fail(connectors.Transient, "shopify: "+l.op(), errNoAdvance,
			"the shop does not search by id, or its search is out of order: try again later, and tell Shopify's support if it stays so")
	}
	slices.SortStableFunc(ch.rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	ch.rows = slices.CompactFunc(ch.rows, func(a, b row) bool { return a.id == b.id })
	return ch, nil
}

// errNoAdvance is a shop that gives the same rows again and again.
var errNoAdvance = errors.New("the shop says that there are more rows, and gives none after the last one that was read")

// rowOf reads what is needed of a row to place it.
func rowOf(raw json.RawMessage) row {
	var head struct {
		ID      scalar `json:"id"`
		Updated scalar `json:"updatedAt"`
	}
	if json.Unmarshal(raw, &head) != nil {
		return row{raw: raw}
	}
	at, _ := head.Updated.instant()
	return row{id: head.ID.id(), modified: at, raw: raw}
}

// connectionAt finds a list in the data. It is an error where there is none.
func connectionAt[T any](data json.RawMessage, path []string) (*connection[T], error) {
	for i, key := range path {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(data, &object); err != nil {
			return nil, fmt.Errorf("%q in the answer cannot be read: %w", key, err)
		}
		if _, ok := object[key]; !ok && i == 0 {
			return nil, fmt.Errorf("the answer lacks %q", key)
		}
		data = object[key]
		if len(data) == 0 || string(data) == "null" {
			return nil, fmt.Errorf("%w: %q", errNothing, key)
		}
	}
	var list connection[T]
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("the list in the answer cannot be read: %w", err)
	}
	return &list, nil
}

// errNothing is a list that is null.
var errNothing = errors.New("the answer does not have")

// malformed is the error for an answer that lacks what it must have.
func (c *Connector) malformed(op string, err error) error {
	return c.client.rest.Fail(connectors.Transient, "shopify: "+op, err, "")
}
