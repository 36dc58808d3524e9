package shopify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// The first reading of all orders is left to a bulk operation: the shop writes
// them into a file in its own time, and the file is read page by page. Orders
// that change after the operation was begun come again with the first window
// of changes, which starts there: so the pages need no order, and a cursor
// among them can be trusted.
//
// Whatever goes wrong ends in reading by pages from the beginning. Part of a
// result is never taken for all of it.

// How patient the reading is. A wait is in turns, so that the engine can keep
// what is known in between; a turn is as long as turnWaits says, times
// Config.RetryWait.
const (
	turnWaits   = 120 // a minute with the usual RetryWait of half a second
	firstLook   = 2   // before the operation is looked at for the first time; doubles from there
	longestLook = 30
	maxWaiting  = 15 // turns in which all places are taken
	maxStanding = 60 // turns in which the operation does not move
	maxRuns     = 3  // operations that are begun in all
	maxStumbles = 5  // failures in a row to begin an operation or to bring a file, of a shop that answers otherwise
)

// bulkCursor is how far the first reading has come.
type bulkCursor struct {
	// Operation is the id of the operation; "" while all places are taken.
	Operation string `json:"operation,omitempty"`
	// Query names what was asked for. A later version of this program may ask
	// for more.
	Query string `json:"query,omitempty"`
	// Begun is when it was begun, by the shop's clock, in Unix seconds.
	Begun int64 `json:"begun,omitempty"`
	// Runs counts the operations before it, which came to nothing.
	Runs int `json:"runs,omitempty"`
	// Turns counts the turns without any progress, Objects is how many it had
	// read at the last.
	Turns   int   `json:"turns,omitempty"`
	Objects int64 `json:"objects,omitempty"`
	// Done means that the result can be read, from order number At on.
	Done bool `json:"done,omitempty"`
	At   int  `json:"at,omitempty"`
}

// readBulkCursor reads a cursor among the first orders. The empty cursor is the
// beginning; others belong to the windows.
func readBulkCursor(from connectors.Cursor) (at bulkCursor, ours bool) {
	if len(from) == 0 {
		return bulkCursor{}, true
	}
	var cur cursor
	if json.Unmarshal(from, &cur) != nil || cur.Version != cursorVersion || cur.Phase != phaseBulk {
		return bulkCursor{}, false
	}
	ours = json.Unmarshal(cur.Bulk, &at) == nil && at.At >= 0
	return at, ours
}

func (at bulkCursor) bytes() connectors.Cursor {
	b, _ := json.Marshal(at) // numbers and plain text
	return cursor{Phase: phaseBulk, Bulk: b}.bytes()
}

// bulkQuery is the query of the bulk operation.
func bulkQuery() string { return documentOf("orders_bulk").text }

// bulkQueryName tells this query from what other versions ask.
func bulkQueryName() string {
	sum := sha256.Sum256([]byte(bulkQuery()))
	return hex.EncodeToString(sum[:8])
}

// byBulk reports whether the orders after cur are read by a bulk operation.
func (c *Connector) byBulk(cur connectors.Cursor) bool {
	_, ours := readBulkCursor(cur)
	return ours && (len(cur) > 0 || c.cfg.Bulk == BulkAuto)
}

// hopeless is why bulk operations are of no use here.
type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// firstOrders returns the next page of the first reading of all orders.
func (c *Connector) firstOrders(ctx context.Context, cur connectors.Cursor) (connectors.Page, error) {
	at, _ := readBulkCursor(cur)
	page, err := c.bulkStep(ctx, at)
	switch {
	case errors.As(err, new(hopeless)), errors.As(err, new(spoilt)) && at.Runs+1 >= maxRuns:
		c.env.Log.Warn().Err(err).Str("shop", c.env.Shop).Str("resource", string(intake.Orders)).
			Msg("bulk operations do not help here: all orders are read page by page")
		return connectors.Page{Next: cursor{}.bytes(), More: true}, nil
	case errors.As(err, new(spoilt)):
		c.env.Log.Warn().Err(err).Str("shop", c.env.Shop).Str("resource", string(intake.Orders)).
			Msg("the bulk operation came to nothing and is begun anew")
		return connectors.Page{Next: bulkCursor{Runs: at.Runs + 1}.bytes(), More: true}, nil
	}
	return page, err
}

func (c *Connector) bulkStep(ctx context.Context, at bulkCursor) (connectors.Page, error) {
	switch {
	case c.cfg.Bulk != BulkAuto:
		return connectors.Page{}, hopeless{fmt.Errorf("the configuration says bulk: %s", c.cfg.Bulk)}
	case at.Operation == "":
		return c.beginExport(ctx, at)
	case at.Query != bulkQueryName():
		return connectors.Page{}, spoilt{fmt.Errorf("%s was begun by another version of this program", at.Operation)}
	case !at.Done:
		return c.awaitExport(ctx, at)
	default:
		return c.exportedOrders(ctx, at)
	}
}

// beginExport begins an operation, or takes up one that is under way already:
// its cursor may not have been kept.
func (c *Connector) beginExport(ctx context.Context, at bulkCursor) (connectors.Page, error) {
	if at.Turns > 0 {
		if err := c.pause(ctx, turnWaits); err != nil {
			return connectors.Page{}, err
		}
	}
	op, err := c.runningExport(ctx)
	if err != nil {
		return connectors.Page{}, err
	}
	if op == nil {
		if op, err = c.runExport(ctx); err != nil {
			return connectors.Page{}, c.result.stumble(err)
		}
	}
	if op == nil {
		if at.Turns++; at.Turns > maxWaiting {
			return connectors.Page{}, hopeless{errors.New("other bulk operations of this app take all places")}
		}
		if at.Turns == 1 {
			c.env.Log.Info().Str("shop", c.env.Shop).Str("resource", string(intake.Orders)).
				Msg("other bulk operations of this app take all places: waiting for one, or else orders are read page by page")
		}
		return connectors.Page{Next: at.bytes(), More: true}, nil
	}
	c.env.Log.Info().Str("shop", c.env.Shop).Str("resource", string(intake.Orders)).Str("operation", op.id).Msg("the shop writes all orders into a file")
	return connectors.Page{Next: bulkCursor{Operation: op.id, Query: bulkQueryName(), Begun: op.begun.Unix(), Runs: at.Runs}.bytes(), More: true}, nil
}

// awaitExport waits a turn for the operation to end.
func (c *Connector) awaitExport(ctx context.Context, at bulkCursor) (connectors.Page, error) {
	var op *export
	for waited, wait := 0, firstLook; waited < turnWaits; waited, wait = waited+wait, min(2*wait, longestLook) {
		if err := c.pause(ctx, wait); err != nil {
			return connectors.Page{}, err
		}
		var err error
		if op, err = c.lookAtExport(ctx, at.Operation); err != nil {
			return connectors.Page{}, err
		}
		if op.status == exportCompleted {
			at.Done, at.Turns, at.Objects = true, 0, 0
			return connectors.Page{Next: at.bytes(), More: true}, nil
		}
	}
	at.Turns++
	if op.objects != at.Objects {
		at.Turns, at.Objects = 0, op.objects
	}
	if at.Turns > maxStanding {
		c.cancelExport(ctx, at.Operation)
		return connectors.Page{}, hopeless{fmt.Errorf("%s stands still at %d objects, %s", op.id, at.Objects, op.status)}
	}
	return connectors.Page{Next: at.bytes(), More: true, Total: int(op.roots)}, nil
}

// exportedOrders returns the next page out of the result.
func (c *Connector) exportedOrders(ctx context.Context, at bulkCursor) (connectors.Page, error) {
	rows, all, err := c.exportedPage(ctx, at)
	if err != nil {
		return connectors.Page{}, err
	}
	records, err := c.orderRecords(ctx, rows)
	if err != nil && ctx.Err() == nil && connectors.ClassOf(err) == connectors.Transient {
		if some, odd := c.unchanged(ctx, rows); odd == nil && len(some) < len(rows) {
			records, err = c.orderRecords(ctx, some)
		}
	}
	if err != nil {
		return connectors.Page{}, err
	}
	page := connectors.Page{Records: records, More: true, Total: all}
	if at.At += len(rows); at.At < all {
		page.Next = at.bytes()
	} else {
		page.Next = c.finished(cursor{Until: at.Begun - int64(clockMargin/time.Second)}).bytes()
	}
	return page, nil
}

// unchanged returns those of rows that the shop still has as the result says.
// What a result cannot hold of an order is read from the shop, and may not be
// there any more. The others are left to the window of changes, which begins
// before the operation and has them all.
func (c *Connector) unchanged(ctx context.Context, rows []row) ([]row, error) {
	var ids []string
	for i := range rows {
		rows[i] = rowOf(rows[i].raw)
		ids = append(ids, gid("Order", strconv.FormatUint(rows[i].id, 10)))
	}
	var said struct {
		Nodes []json.RawMessage `json:"nodes"`
	}
	if _, err := c.client.do(ctx, "look whether orders have changed", documentOf("orders_dates"), map[string]any{"ids": ids}, &said); err != nil {
		return nil, err
	}
	dates := map[uint64]time.Time{}
	for _, raw := range said.Nodes {
		now := rowOf(raw)
		dates[now.id] = now.modified
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
		at, there := dates[r.id]
		return !there || !at.Equal(r.modified)
	}), nil
}

// pause waits so many times Config.RetryWait.
func (c *Connector) pause(ctx context.Context, times int) error {
	t := time.NewTimer(time.Duration(times) * c.cfg.RetryWait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
