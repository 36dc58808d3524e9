package shopify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"comptoir/erp/intake"
)

// listed are the resources that are read as lists, in no order.
var listed = [...]intake.Resource{intake.Locations, intake.Categories, intake.Products, intake.Variants, intake.Customers, intake.Orders}

// listOf returns the list that holds a resource.
func (c *Connector) listOf(r intake.Resource) (source, bool) {
	switch r {
	case intake.Locations:
		return source{resource: r, node: "Location", list: documentOf("locations"), ids: documentOf("location_ids"), byID: documentOf("locations_by_id"),
			path: []string{"locations"}, size: 100, records: each(locationRecord)}, true
	case intake.Categories:
		return source{resource: r, node: "Collection", list: documentOf("collections"), ids: documentOf("collection_ids"), byID: documentOf("collections_by_id"),
			path: []string{"collections"}, dated: "updated_at", subject: "COLLECTION", size: 100, records: each(categoryRecord)}, true
	case intake.Products:
		return source{resource: r, node: "Product", list: documentOf("products"), ids: documentOf("product_ids"), byID: documentOf("products_by_id"),
			path: []string{"products"}, filter: anyStatus, dated: "updated_at", subject: "PRODUCT", again: 24 * time.Hour, size: 25, records: c.productRecords}, true
	case intake.Variants:
		return source{resource: r, node: "ProductVariant", list: documentOf("variants"), ids: documentOf("variant_ids"), byID: documentOf("variants_by_id"),
			path: []string{"productVariants"}, dated: "updated_at", subject: "PRODUCT_VARIANT", touched: true, size: 25, records: c.variantRecords}, true
	case intake.Customers:
		return source{resource: r, node: "Customer", list: documentOf("customers"), ids: documentOf("customer_ids"), byID: documentOf("customers_by_id"),
			path: []string{"customers"}, dated: "updated_at", coarse: true, subject: "CUSTOMER", size: 100, records: each(customerRecord)}, true
	case intake.Orders:
		return source{resource: r, node: "Order", list: documentOf("orders"), ids: documentOf("order_ids"), byID: documentOf("orders_by_id"),
			path: []string{"orders"}, dated: "updated_at", subject: "ORDER", tail: true, size: 50, records: c.orderRecords}, true
	default:
		return source{}, false
	}
}

// anyStatus names every status that a product can have: the documentation says
// that a search which names none finds active products.
const anyStatus = "status:active,archived,draft,unlisted"

// each makes records of rows that need nothing else.
func each(record func(row) intake.Record) func(context.Context, []row) ([]intake.Record, error) {
	return func(_ context.Context, rows []row) ([]intake.Record, error) {
		records := make([]intake.Record, 0, len(rows))
		for _, r := range rows {
			records = append(records, record(r))
		}
		return records, nil
	}
}

// fetchOthers reads records again that are no orders.
func (c *Connector) fetchOthers(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	kind := refs[0].Kind
	if kind == intake.KindPayout {
		return c.fetchPayouts(ctx, refs)
	}
	for _, r := range listed {
		if l, ok := c.listOf(r); ok && intake.KindOf(r) == kind {
			return inOrder(refs, func(ids []uint64) ([]intake.Record, error) { return c.fetchNumbers(ctx, l, ids, 0) })
		}
	}
	return nil, c.unknownResource(intake.Resource(kind))
}

// inOrder answers refs with what fetch finds, each number being asked for
// once. What has no number cannot be in the shop.
func inOrder(refs []intake.Ref, fetch func(ids []uint64) ([]intake.Record, error)) ([]intake.Record, error) {
	var ids []uint64
	for _, ref := range refs {
		if id := (scalar{text: ref.ID}).id(); id > 0 && strconv.FormatUint(id, 10) == ref.ID {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	some, err := fetch(slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	found := make(map[string]intake.Record, len(some))
	for _, rec := range some {
		found[rec.Ref.ID] = rec
	}
	records := make([]intake.Record, 0, len(refs))
	for _, ref := range refs {
		rec, ok := found[ref.ID]
		if !ok {
			rec = intake.Missing(ref)
		}
		records = append(records, rec)
	}
	return records, nil
}

// fetchNumbers reads records by the numbers in their ids, in that order, in a
// window that ends at until; 0: in none. Those that the shop does not have are
// missing.
func (c *Connector) fetchNumbers(ctx context.Context, l source, ids []uint64, until int64) ([]intake.Record, error) {
	rows, err := c.readNodes(ctx, l, ids)
	if err != nil {
		return nil, err
	}
	here := make(map[uint64]bool, len(rows))
	for i := range rows {
		here[rows[i].id] = true
		rows[i].until = until
	}
	records, err := l.records(ctx, rows)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !here[id] {
			records = append(records, intake.Missing(intake.Ref{Kind: intake.KindOf(l.resource), ID: strconv.FormatUint(id, 10)}))
		}
	}
	return records, nil
}

// readNodes reads rows by their ids.
func (c *Connector) readNodes(ctx context.Context, l source, ids []uint64) ([]row, error) {
	var rows []row
	for len(ids) > 0 {
		var some []uint64
		err := c.sized(l.resource, l.byID, l.size, func(size int) (err error) {
			some = ids[:min(size, len(ids))]
			var batch []row
			if batch, err = c.readNodesAtOnce(ctx, l, some); err == nil {
				rows = append(rows, batch...)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		ids = ids[len(some):]
	}
	return rows, nil
}

func (c *Connector) readNodesAtOnce(ctx context.Context, l source, ids []uint64) ([]row, error) {
	op := "read " + string(l.resource)
	gids := make([]string, 0, len(ids))
	for _, id := range ids {
		gids = append(gids, gid(l.node, strconv.FormatUint(id, 10)))
	}
	var data struct {
		Nodes []json.RawMessage `json:"nodes"`
	}
	if _, err := c.client.do(ctx, op, l.byID, map[string]any{"ids": gids}, &data); err != nil {
		return nil, err
	}
	if len(data.Nodes) != len(ids) {
		return nil, c.malformed(op, fmt.Errorf("the shop was asked for %d records and answered with %d", len(ids), len(data.Nodes)))
	}
	var rows []row
	for i, raw := range data.Nodes {
		if string(raw) == "null" {
			continue
		}
		r := rowOf(raw)
		if r.id != ids[i] {
			return nil, c.malformed(op, fmt.Errorf("the shop was asked for %s and answered with number %d", gids[i], r.id))
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// entire reads a list inside a record to its end, at first so many of it.
func entire[T any](ctx context.Context, c *Connector, doc document, path []string, id scalar, first int) ([]T, error) {
	op := "read the " + path[len(path)-1] + " of a " + path[0]
	var data json.RawMessage
	if _, err := c.client.do(ctx, op, doc, map[string]any{"id": id.trimmed(), "first": first, "after": nil}, &data); err != nil {
		return nil, err
	}
	list, err := connectionAt[T](data, path)
	if err != nil {
		return nil, c.malformed(op, err)
	}
	if err := complete(ctx, c, doc, path, id, list); err != nil {
		return nil, err
	}
	return list.Nodes, nil
}

// complete asks for the rest of a list inside a record, where it did not come
// along whole.
func complete[T any](ctx context.Context, c *Connector, doc document, path []string, id scalar, list *connection[T]) error {
	const most = 50
	op := "read the rest of " + path[len(path)-1]
	for list.PageInfo.HasNextPage {
		var part *connection[T]
		err := c.sized(intake.Resource(path[0]), doc, most, func(size int) error {
			var data json.RawMessage
			vars := map[string]any{"id": id.trimmed(), "first": size, "after": list.PageInfo.EndCursor}
			_, err := c.client.do(ctx, op, doc, vars, &data)
			if err != nil {
				return err
			}
			if part, err = connectionAt[T](data, path); err != nil {
				return c.malformed(op, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if part.PageInfo.HasNextPage && (part.PageInfo.EndCursor == "" || part.PageInfo.EndCursor == list.PageInfo.EndCursor) {
			return c.malformed(op, errNoAdvance)
		}
		list.Nodes = append(list.Nodes, part.Nodes...)
		list.PageInfo = part.PageInfo
	}
	return nil
}

// List calls yield with the ids that the shop has of r.
func (c *Connector) List(ctx context.Context, r intake.Resource, yield func([]intake.Ref) error) error {
	l, ok := c.listOf(r)
	if !ok {
		return c.unknownResource(r)
	}
	return c.each(ctx, l, cursor{}, func(rows []row) error {
		refs := make([]intake.Ref, 0, len(rows))
		for _, row := range rows {
			refs = append(refs, intake.Ref{Kind: intake.KindOf(r), ID: strconv.FormatUint(row.id, 10)})
		}
		return yield(refs)
	})
}

// each reads the ids of a list, from a place in a window to its end.
func (c *Connector) each(ctx context.Context, l source, cur cursor, use func([]row) error) error {
	for {
		ch, err := c.chunk(ctx, l, l.ids, cur)
		if err != nil {
			return err
		}
		if len(ch.rows) > 0 {
			if err := use(ch.rows); err != nil {
				return err
			}
		}
		if !ch.more {
			return nil
		}
		cur.After = ch.last
	}
}
