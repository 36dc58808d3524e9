package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

// Resync reads a shop again whatever the sync state remembers, and applies
// what differs from the books. It moves no cursor.
func (e *Engine) Resync(ctx context.Context, r ResyncRequest) (Result, error) {
	sh, err := e.shop(r.Shop)
	if err != nil {
		return Result{}, err
	}
	if r.Order != "" && (len(r.Resources) > 0 || !r.Since.IsZero()) {
		return Result{}, fault.New(fault.Invalid, "leave the others out", "one order cannot be resynced together with resources or a date")
	}
	streams, err := sh.pick(r.Resources)
	if err != nil {
		return Result{}, err
	}
	release, err := e.takeTurn(ctx, sh)
	if err != nil {
		return Result{}, err
	}
	defer release()
	if r.Order != "" && !r.DryRun { // who asks for this order wants it, though it was dropped once
		if err := e.opts.Books.Readmit(ctx, sh.Name, r.Order); err != nil {
			return Result{}, err
		}
	}
	var changes []erp.Change
	use := func(ctx context.Context, resource intake.Resource, said []intake.Record, tally *ResourceResult) error {
		return e.apply(ctx, sh, batch{resource: resource, records: said, again: true}, tally)
	}
	if r.DryRun {
		use = func(ctx context.Context, resource intake.Resource, said []intake.Record, tally *ResourceResult) error {
			would, err := e.preview(ctx, sh, resource, said, tally)
			changes = append(changes, would...)
			return err
		}
	}
	var res Result
	if r.Order != "" {
		res, err = e.resyncOrder(ctx, sh, r.Order, use)
	} else {
		res, err = e.resyncStreams(ctx, sh, streams, r.Since, r.DryRun, use)
	}
	res.Changes = changes
	return res, err
}

// usage is what becomes of records that were read again.
type usage func(ctx context.Context, r intake.Resource, said []intake.Record, tally *ResourceResult) error

func (e *Engine) resyncStreams(ctx context.Context, sh *shop, streams []connectors.Stream, since time.Time, dry bool, use usage) (Result, error) {
	read := func(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
		var from connectors.Cursor
		if seeker, ok := sh.Connector.(connectors.Seeker); ok && !since.IsZero() {
			from = seeker.Seek(st.Resource, since)
		}
		purpose := purposeResync
		if dry {
			purpose = purposePreview
		}
		return e.readStream(ctx, sh, st, purpose, from, func(ctx context.Context, page connectors.Page, tally *ResourceResult) error {
			return use(ctx, st.Resource, changedSince(page.Records, since), tally)
		})
	}
	if dry || !since.IsZero() {
		return e.each(ctx, sh, streams, read)
	}
	return e.cycle(ctx, sh, streams, read)
}

// changedSince leaves out what the shop dates before an instant.
func changedSince(records []intake.Record, since time.Time) []intake.Record {
	return slices.DeleteFunc(slices.Clone(records), func(rec intake.Record) bool {
		return !rec.Modified.IsZero() && rec.Modified.Before(since)
	})
}

func (e *Engine) resyncOrder(ctx context.Context, sh *shop, id string, use usage) (Result, error) {
	if _, ok := sh.stream(intake.Orders); !ok {
		return Result{}, fault.New(fault.NotFound, "choose a shop that sells", "shop %s has no orders", sh.Name)
	}
	return e.each(ctx, sh, []connectors.Stream{{Resource: intake.Orders}}, func(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
		var tally ResourceResult
		tally.Resource = st.Resource
		began := e.opts.Now()
		said, err := e.fetch(ctx, sh, st.Resource, []intake.Ref{{Kind: intake.KindOrder, ID: id}})
		if err == nil {
			tally.Pages++
			err = use(ctx, st.Resource, said, &tally)
		}
		if err == nil && len(said) == 0 {
			err = fault.New(fault.NotFound, "give the app the right to read all orders, not only those of the last weeks; or check the id",
				"shop %s does not show order %s", sh.Name, id)
		}
		if err == nil && said[0].Gone() && tally.Applied == 0 {
			tally = ResourceResult{Resource: st.Resource, Pages: tally.Pages}
			err = fault.New(fault.NotFound, "give the id that the shop uses inside, not the order number that customers see",
				"shop %s has no order %s", sh.Name, id)
		}
		tally.Took = e.opts.Now().Sub(began)
		return tally, err
	})
}

// preview counts and returns what records would change.
func (e *Engine) preview(ctx context.Context, sh *shop, r intake.Resource, said []intake.Record, tally *ResourceResult) ([]erp.Change, error) {
	changes, err := e.opts.Books.Preview(ctx, sh.booked(r), said)
	if err != nil {
		return nil, fmt.Errorf("preview %d records: %w", len(said), err)
	}
	touched := map[intake.Ref]bool{} // and whether it would be parked
	for _, c := range changes {
		touched[c.Ref] = touched[c.Ref] || c.Parks != ""
	}
	for _, parks := range touched {
		if parks {
			tally.Parked++
		} else {
			tally.Applied++
		}
	}
	tally.Unchanged += len(said) - len(touched)
	return changes, nil
}

// RetryParked applies the parked records of a shop again, as they were stated:
// after a setting has changed, or on a schedule. It asks no shop.
func (e *Engine) RetryParked(ctx context.Context, shop string) (Result, error) {
	sh, err := e.shop(shop)
	if err != nil {
		return Result{}, err
	}
	release, err := e.takeTurn(ctx, sh)
	if err != nil {
		return Result{}, err
	}
	defer release()
	started := e.opts.Now()
	res := Result{Shop: sh.Name}
	parked, err := e.opts.Books.ParkedRecords(ctx, sh.Name)
	if err != nil {
		return res, fmt.Errorf("list parked records of shop %s: %w", sh.Name, err)
	}
	tallies := map[intake.Resource]*ResourceResult{}
	for _, p := range parked {
		if tallies[p.Resource] == nil {
			tallies[p.Resource] = &ResourceResult{Resource: p.Resource}
		}
		if err = e.retry(ctx, p, tallies[p.Resource]); err != nil {
			break
		}
	}
	for _, st := range sh.streams {
		if tally := tallies[st.Resource]; tally != nil {
			res.add(*tally)
			sh.unsettled = sh.unsettled || tally.Applied > 0
		}
	}
	res.Total.Took = e.opts.Now().Sub(started)
	return res, err
}

func (e *Engine) retry(ctx context.Context, p erp.ParkedRecord, tally *ResourceResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	graced, cancel := e.grace(ctx)
	defer cancel()
	reason, err := e.opts.Books.RetryParked(graced, p.ID)
	if err != nil {
		return fmt.Errorf("retry parked record %d: %w", p.ID, err)
	}
	if reason == "" {
		tally.Applied++
		e.wake()
	} else {
		tally.Parked++
	}
	return nil
}
