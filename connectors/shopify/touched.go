package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// mostTouched is how many rows of one list are looked through for variants
// that were touched; the shop ends a list at 25,000. Where there are more, all
// variants are read.
const mostTouched = 20_000

// errTooMany is a list that is longer than can be looked through.
var errTooMany = errors.New("too many rows have changed")

// touched remembers the variants that were touched in one window, for the
// pages that state them. It is only a memory: what is not in it is asked for.
type touched struct {
	mu           sync.Mutex
	since, until int64
	ids          []uint64
}

func (t *touched) recall(since, until int64) ([]uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ids, t.until > 0 && t.since == since && t.until == until
}

func (t *touched) remember(since, until int64, ids []uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since, t.until, t.ids = since, until, ids
}

// pullTouched states the variants of which the stock or the cost has changed
// in the window.
func (c *Connector) pullTouched(ctx context.Context, l source, cur cursor) (connectors.Page, error) {
	ids, known := c.touched.recall(cur.Since, cur.Until)
	if !known {
		var err error
		ids, err = c.touchedIn(ctx, cur)
		if errors.Is(err, errTooMany) {
			c.env.Log.Info().Str("shop", c.env.Shop).Str("resource", string(l.resource)).
				Msg("the stock of many variants has changed at once, so all of them are read")
			return connectors.Page{Next: cursor{Until: cur.Until}.bytes(), More: true}, nil
		}
		if err != nil {
			return connectors.Page{}, err
		}
		c.touched.remember(cur.Since, cur.Until, ids)
	}
	at, found := slices.BinarySearch(ids, cur.After)
	if found {
		at++
	}
	ids = ids[at:]
	some := ids[:min(len(ids), l.size, c.cfg.PageSize)]
	records, err := c.fetchNumbers(ctx, l, some, cur.Until)
	if err != nil {
		return connectors.Page{}, err
	}
	if len(some) == len(ids) {
		return c.page(ctx, l, cur, records)
	}
	cur.After = some[len(some)-1]
	return connectors.Page{Records: records, Next: cur.bytes(), More: true}, nil
}

// touchedIn lists the variants, in the order of their ids, of which the
// inventory item or a level has changed in a window.
func (c *Connector) touchedIn(ctx context.Context, cur cursor) ([]uint64, error) {
	window := source{dated: "updated_at"}.search(cursor{Since: cur.Since, Until: cur.Until})
	ids := map[uint64]bool{}
	items := func(data json.RawMessage) (pageInfo, error) {
		list, err := connectionAt[item](data, []string{"inventoryItems"})
		if err != nil {
			return pageInfo{}, err
		}
		return list.PageInfo, note(ids, list.Nodes)
	}
	if err := c.lookThrough(ctx, documentOf("changed_items"), map[string]any{"query": window}, items); err != nil {
		return nil, err
	}
	levels := func(data json.RawMessage) (pageInfo, error) {
		list, err := connectionAt[struct{ Item item }](data, []string{"location", "inventoryLevels"})
		if errors.Is(err, errNothing) {
			return pageInfo{}, nil // deleted meanwhile
		}
		if err != nil {
			return pageInfo{}, err
		}
		var some []item
		for _, level := range list.Nodes {
			some = append(some, level.Item)
		}
		return list.PageInfo, note(ids, some)
	}
	locations, _ := c.listOf(intake.Locations)
	err := c.each(ctx, locations, cursor{}, func(rows []row) error {
		for _, r := range rows {
			vars := map[string]any{"id": gid(locations.node, r.ref().text), "query": window}
			if cur.since(r) {
				// It may have been opened or closed: all its stock counts, or none.
				delete(vars, "query")
			}
			if err := c.lookThrough(ctx, documentOf("changed_levels"), vars, levels); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sortedKeys(ids), nil
}

// item is an inventory item with the variants that it stands for.
type item struct {
	Variants connection[struct {
		ID scalar `json:"id"`
	}] `json:"variants"`
}

// note adds the variants of items to ids.
func note(ids map[uint64]bool, items []item) error {
	for _, it := range items {
		if it.Variants.PageInfo.HasNextPage {
			return errTooMany
		}
		for _, v := range it.Variants.Nodes {
			if id := v.ID.id(); id > 0 {
				ids[id] = true
			}
		}
	}
	return nil
}

// lookThrough reads a list to its end, in the order in which the shop gives
// it. It is for lists that cannot be sorted by id.
func (c *Connector) lookThrough(ctx context.Context, doc document, vars map[string]any, use func(json.RawMessage) (pageInfo, error)) error {
	const op, most = "list changed stock", 100
	for n := 0; ; {
		var page pageInfo
		err := c.sized(intake.Variants, doc, most, func(size int) error {
			var data json.RawMessage
			vars["first"] = size
			if _, err := c.client.do(ctx, op, doc, vars, &data); err != nil {
				return err
			}
			n += size
			var err error
			if page, err = use(data); err != nil && !errors.Is(err, errTooMany) {
				return c.malformed(op, err)
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case !page.HasNextPage:
			return nil
		case n > mostTouched:
			return errTooMany
		case page.EndCursor == "" || page.EndCursor == vars["after"]:
			return c.malformed(op, errNoAdvance)
		}
		vars["after"] = page.EndCursor
	}
}
