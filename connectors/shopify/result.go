package shopify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// exportPage is how many orders are taken out of a result at once.
const exportPage = 250

// exportResult is the result of a bulk operation that is being read. A Connector has
// at most one: it is brought with the first page that is asked of it, and let
// go with the last, or when the context of whoever read it last has ended: the
// end of a run is the end of its files.
type exportResult struct {
	stumbles atomic.Int32 // failures in a row

	turn chan struct{} // holds one token; who has it may use the rest

	id    string // of the operation
	spool *spool // nil: nothing was brought
	index *index // nil: not all was brought
	keep  func() bool
}

func newExportResult() *exportResult {
	r := &exportResult{turn: make(chan struct{}, 1), keep: func() bool { return true }}
	r.turn <- struct{}{}
	return r
}

// take waits for its turn, which ends with give.
func (r *exportResult) take(ctx context.Context) error {
	select {
	case <-r.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *exportResult) give() { r.turn <- struct{}{} }

// drop lets go of what was brought.
func (r *exportResult) drop() {
	r.keep()
	if r.spool != nil {
		_ = r.spool.Close() // only read from
	}
	r.id, r.spool, r.index, r.keep = "", nil, nil, func() bool { return true }
}

// keepFor lets go of what was brought when ctx ends, if nobody else has used
// it meanwhile.
func (r *exportResult) keepFor(ctx context.Context) {
	r.keep()
	mine := r.spool
	r.keep = context.AfterFunc(ctx, func() {
		<-r.turn
		defer r.give()
		if r.spool == mine {
			r.drop()
		}
	})
}

// stumble counts a failure that may pass, of a shop that answers otherwise:
// after some in a row bulk operations are given up.
func (r *exportResult) stumble(err error) error {
	if errors.As(err, new(hopeless)) || errors.As(err, new(spoilt)) || connectors.Ended(err) {
		return err
	}
	if r.stumbles.Add(1) >= maxStumbles {
		return hopeless{err}
	}
	return err
}

// refused reports whether asking again is of no use. Of a shop that has just
// answered it says no more than that, so it must not stop all work on it.
func refused(err error) bool {
	class := connectors.ClassOf(err)
	return err != nil && (class == connectors.Denied || class == connectors.Rejected)
}

// exportedPage returns the orders at a place of a result, as pages would have
// stated them, and how many orders it has in all.
func (c *Connector) exportedPage(ctx context.Context, at bulkCursor) (orders []row, all int, err error) {
	r := c.result
	if err := r.take(ctx); err != nil {
		return nil, 0, err
	}
	defer r.give()
	if err := c.bring(ctx, at.Operation); err != nil {
		return nil, 0, err
	}
	r.keepFor(ctx)
	all = r.index.roots()
	end := min(at.At+c.scaled(exportPage), all)
	for n := at.At; n < end; n++ {
		lines, err := r.index.lines(r.spool.file, n)
		if err != nil {
			return nil, 0, err
		}
		order, err := joinOrder(lines)
		if err != nil {
			return nil, 0, err
		}
		orders = append(orders, row{raw: order})
	}
	if end == all {
		r.drop()
	}
	return orders, all, nil
}

// bring sees to it that the result of an operation is there.
func (c *Connector) bring(ctx context.Context, id string) error {
	r := c.result
	if r.id == id && r.index != nil {
		return nil
	}
	if r.id != id {
		r.drop()
	}
	op, err := c.lookAtExport(ctx, id)
	switch {
	case err != nil:
		return err
	case op.status != exportCompleted:
		return spoilt{fmt.Errorf("%s was completed, and is now %s", id, op.status)}
	case op.size > int64(c.cfg.MaxExport)<<30:
		return hopeless{fmt.Errorf("%w: it has %d bytes", errTooLarge, op.size)}
	}
	if r.spool == nil {
		if r.spool, err = newSpool(c.env.Spool); err != nil {
			return err
		}
		r.id = id
	}
	r.keepFor(ctx)
	if op.url != "" {
		err = r.spool.fill(ctx, int64(c.cfg.MaxExport)<<30, func(offset int64) (io.ReadCloser, error) {
			return c.client.get(ctx, "read the result of a bulk operation", op.url, offset)
		})
	}
	switch {
	case refused(err):
		return spoilt{err}
	case err != nil:
		return r.stumble(err)
	case op.size > 0 && op.size != r.spool.size:
		err = spoilt{fmt.Errorf("the result of %s has %d bytes, and should have %d", id, r.spool.size, op.size)}
	default:
		r.index, err = readIndex(r.spool.file, r.spool.size, op.objects)
	}
	if err == nil && int64(r.index.roots()) != op.roots {
		err = spoilt{fmt.Errorf("the result of %s has %d orders, and should have %d", id, r.index.roots(), op.roots)}
	}
	if err != nil {
		r.drop()
		return err
	}
	r.stumbles.Store(0)
	c.env.Log.Info().Str("shop", c.env.Shop).Str("resource", string(intake.Orders)).Str("operation", id).
		Int("orders", r.index.roots()).Int64("bytes", r.spool.size).Msg("the file with all orders has come")
	return nil
}
