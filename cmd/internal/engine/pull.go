package engine

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// errStuck is a defect of a connector: it would be asked for the same page
// for ever.
var errStuck = errors.New("the shop's pages do not advance: two in a row end at the same place")

// pull reads what has changed in one stream since its cursor, to the end.
func (e *Engine) pull(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
	mark, err := e.opts.State.Mark(streamName(sh.Name, st.Resource))
	if err != nil {
		return ResourceResult{Resource: st.Resource}, err
	}
	return e.readStream(ctx, sh, st, purposePull, mark.Cursor, func(ctx context.Context, page connectors.Page, tally *ResourceResult) error {
		b := batch{resource: st.Resource, records: page.Records, more: page.More}
		if st.Sorted || !page.More {
			b.next = page.Next
		}
		return e.apply(ctx, sh, b, tally)
	})
}

// readStream hands the pages of a stream from a cursor on to use, one by one,
// and keeps account of it.
func (e *Engine) readStream(ctx context.Context, sh *shop, st connectors.Stream, purpose string, from connectors.Cursor,
	use func(context.Context, connectors.Page, *ResourceResult) error) (ResourceResult, error) {
	r := e.begin(sh, st.Resource, purpose)
	done, total := 0, 0
	for more := true; more; {
		more = false
		for page, err := range e.pages(ctx, sh, st.Resource, from) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = use(ctx, page, &r.tally)
			}
			if err != nil {
				return r.end(err)
			}
			r.tally.Pages++
			r.see(page.Records)
			done += len(page.Records)
			total = max(total, page.Total)
			e.progress(Progress{Shop: sh.Name, Resource: st.Resource, Done: done, Total: total})
			from = page.Next
			if page.More && sh.pressed() {
				more = true
				break // the page ahead is dropped
			}
		}
		if more {
			if err := e.yield(ctx, sh, st, purpose); err != nil {
				return r.end(err)
			}
		}
	}
	return r.end(nil)
}

// yield is giveWay in the middle of a stream. Who has the turn meanwhile must
// not pull orders whose pull is under way.
func (e *Engine) yield(ctx context.Context, sh *shop, st connectors.Stream, purpose string) error {
	if purpose == purposePull && st.Resource == intake.Orders {
		sh.ordering = true
		defer func() { sh.ordering = false }()
	}
	return e.giveWay(ctx, sh)
}

func (e *Engine) progress(p Progress) {
	if e.opts.Progress != nil {
		e.opts.Progress(p)
	}
}

// pages pulls the pages of a resource from a cursor on, one page ahead of
// whoever uses them. An error ends it.
func (e *Engine) pages(ctx context.Context, sh *shop, r intake.Resource, cur connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return ahead(ctx, func(ctx context.Context) (page connectors.Page, more bool, err error) {
		err = e.patiently(ctx, sh, r, func() error {
			page, err = sh.Connector.Pull(ctx, r, cur)
			return err
		})
		if err == nil && page.More && bytes.Equal(page.Next, cur) {
			err = &connectors.Error{Class: connectors.Rejected, Op: "pull " + string(r), Err: errStuck,
				Fix: "please report this with the debug log of the pull"}
		}
		cur = page.Next
		return page, page.More, err
	})
}

// ahead yields what next returns until there is no more, and calls next once
// more while the one before is in use. It waits for next before it ends.
func ahead[T any](ctx context.Context, next func(context.Context) (v T, more bool, err error)) iter.Seq2[T, error] {
	type result struct {
		v   T
		err error
	}
	return func(yield func(T, error) bool) {
		reading, cancel := context.WithCancel(ctx)
		results := make(chan result)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() {
			defer close(results)
			for more := true; more; {
				var r result
				r.v, more, r.err = next(reading)
				select {
				case results <- r:
				case <-reading.Done():
					return
				}
				if r.err != nil {
					return
				}
			}
		})
		for r := range results {
			if !yield(r.v, r.err) || r.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none T
			yield(none, err) // the rest was not read
		}
	}
}
