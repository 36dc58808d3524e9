package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

const (
	// fetchSize is how many records are fetched at once: the most that shops
	// list on a page.
	fetchSize = 100
	// listSize is how many refs are taken from the books at once.
	listSize = 1000
)

// Reread reads again the records that may have changed without a trace, for
// the resources whose streams say that such changes happen: of orders those
// that are open or recent, of other kinds all that the books have.
func (e *Engine) Reread(ctx context.Context, shop string) (Result, error) {
	return e.chosen(ctx, shop, func(st connectors.Stream) bool { return st.Reread > 0 }, e.rereadStream)
}

func (e *Engine) rereadStream(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
	next := e.knownRefs(sh, intake.KindOf(st.Resource))
	if st.Resource == intake.Orders {
		next = e.openOrders(sh, st)
	}
	return e.fetchAll(ctx, sh, st, purposeReread, next)
}

// refs returns the next refs to look at; none at the end.
type refs func(ctx context.Context) ([]intake.Ref, error)

// openOrders lists the orders that are open or recent.
func (e *Engine) openOrders(sh *shop, st connectors.Stream) refs {
	since, after := e.opts.Now().Add(-st.Reread), int64(0)
	return func(ctx context.Context) (some []intake.Ref, err error) {
		some, after, err = e.opts.Books.Reread(ctx, sh.Name, since, after, listSize)
		return some, err
	}
}

// knownRefs lists all records of a kind that the books have.
func (e *Engine) knownRefs(sh *shop, kind intake.Kind) refs {
	listed := false
	return func(ctx context.Context) (all []intake.Ref, err error) {
		if listed {
			return nil, nil
		}
		listed = true
		err = e.opts.Books.Known(ctx, sh.Name, kind, func(some []intake.Ref) error {
			all = append(all, some...)
			return nil
		})
		return all, err
	}
}

// fetchAll fetches records, applies those that differ from what is known, and
// moves no cursor.
func (e *Engine) fetchAll(ctx context.Context, sh *shop, st connectors.Stream, purpose string, next refs) (ResourceResult, error) {
	a := e.begin(sh, st.Resource, purpose)
	list := &toFetch{next: next}
	done := 0
	for more := true; more; {
		more = false
		list.again()
		for said, err := range ahead(ctx, func(fetching context.Context) ([]intake.Record, bool, error) {
			some, err := list.take(ctx)
			if err != nil || len(some) == 0 {
				return nil, false, err
			}
			said, err := e.fetch(fetching, sh, st.Resource, some)
			return said, true, err
		}) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = e.apply(ctx, sh, batch{resource: st.Resource, records: said}, &a.tally)
			}
			if err != nil {
				return a.end(err)
			}
			list.used++
			if len(said) > 0 {
				a.tally.Pages++
				done += len(said)
				e.progress(Progress{Shop: sh.Name, Resource: st.Resource, Done: done})
			}
			if sh.pressed() {
				more = true
				break // what was fetched ahead is fetched again
			}
		}
		if more {
			if err := e.giveWay(ctx, sh); err != nil {
				return a.end(err)
			}
		}
	}
	return a.end(nil)
}

// toFetch hands out refs batch by batch, and those again that were taken and
// not used.
type toFetch struct {
	next    refs
	waiting []intake.Ref
	taken   [][]intake.Ref // since the last again
	used    int            // of taken
}

func (l *toFetch) take(ctx context.Context) ([]intake.Ref, error) {
	if len(l.waiting) == 0 {
		var err error
		if l.waiting, err = l.next(ctx); err != nil || len(l.waiting) == 0 {
			return nil, err
		}
	}
	some := l.waiting[:min(fetchSize, len(l.waiting))]
	l.waiting = l.waiting[len(some):]
	l.taken = append(l.taken, some)
	return some, nil
}

// again puts what was not used back to the front. The end of the list counts as
// used too, and was not taken.
func (l *toFetch) again() {
	l.waiting = append(slices.Concat(l.taken[min(l.used, len(l.taken)):]...), l.waiting...)
	l.taken, l.used = nil, 0
}

// fetch reads records again by their ids. It leaves out those that the shop
// does not show: what the books have of them stands.
func (e *Engine) fetch(ctx context.Context, sh *shop, r intake.Resource, refs []intake.Ref) (said []intake.Record, err error) {
	err = e.patiently(ctx, sh, r, func() error {
		said, err = sh.Connector.Fetch(ctx, refs)
		return err
	})
	if err == nil && len(said) != len(refs) {
		err = fmt.Errorf("fetch %d records: the connector returned %d", len(refs), len(said))
	}
	return slices.DeleteFunc(said, func(rec intake.Record) bool { return rec.Hidden }), err
}

// Sweep compares all the ids of the kinds of record that vanish with those in
// the books, and reads what is on one side only.
func (e *Engine) Sweep(ctx context.Context, shop string) (Result, error) {
	swept := map[intake.Kind]bool{}
	return e.chosen(ctx, shop, func(st connectors.Stream) bool {
		kind := intake.KindOf(st.Resource)
		first := st.Vanishes && !swept[kind]
		swept[kind] = swept[kind] || first
		return first
	}, e.sweepStream)
}

// chosen reads those streams of a shop that choose says.
func (e *Engine) chosen(ctx context.Context, shop string, choose func(connectors.Stream) bool, read reader) (Result, error) {
	sh, err := e.shop(shop)
	if err != nil {
		return Result{}, err
	}
	var streams []connectors.Stream
	for _, st := range sh.streams {
		if choose(st) {
			streams = append(streams, st)
		}
	}
	release, err := e.takeTurn(ctx, sh)
	if err != nil {
		return Result{}, err
	}
	defer release()
	return e.each(ctx, sh, streams, read)
}

func (e *Engine) sweepStream(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
	swept := false
	return e.fetchAll(ctx, sh, st, purposeSweep, func(ctx context.Context) ([]intake.Ref, error) {
		if swept {
			return nil, nil
		}
		swept = true
		return e.differing(ctx, sh, st.Resource)
	})
}

// differing returns the records that only the shop or only the books have.
func (e *Engine) differing(ctx context.Context, sh *shop, r intake.Resource) ([]intake.Ref, error) {
	lister, ok := sh.Connector.(connectors.Lister)
	if !ok {
		return nil, fault.New(fault.Internal, "please report it", "records of %s vanish in shop %s, but its connector cannot list ids", r, sh.Name)
	}
	kind, shops := intake.KindOf(r), map[string]intake.Ref{}
	for _, st := range sh.streams { // an order is in the list of orders or in the trash
		if !st.Vanishes || intake.KindOf(st.Resource) != kind {
			continue
		}
		err := e.patiently(ctx, sh, st.Resource, func() error {
			return lister.List(ctx, st.Resource, func(some []intake.Ref) error {
				for _, ref := range some {
					shops[ref.ID] = ref
				}
				if sh.pressed() { // ids alone become no older
					return e.giveWay(ctx, sh)
				}
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
	}
	var differ []intake.Ref
	err := e.opts.Books.Known(ctx, sh.Name, kind, func(some []intake.Ref) error {
		for _, ref := range some {
			if _, ok := shops[ref.ID]; ok {
				delete(shops, ref.ID)
			} else {
				differ = append(differ, ref)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s of shop %s in the books: %w", r, sh.Name, err)
	}
	for _, ref := range shops {
		differ = append(differ, ref)
	}
	slices.SortFunc(differ, func(a, b intake.Ref) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) // numbers by their value
	})
	return differ, nil
}
