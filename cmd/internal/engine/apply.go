package engine

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/syncstate"
)

// batch is what is applied at once: a page, or records fetched by their ids.
type batch struct {
	resource intake.Resource
	records  []intake.Record
	// next is the cursor that the batch ends with; nil keeps the one before.
	next connectors.Cursor
	// more means that the run goes on after this batch: a cursor alone is not
	// worth a commit then.
	more bool
	// again means that records which are known are applied all the same.
	again bool
}

// apply has the books apply a batch and then remembers it.
func (e *Engine) apply(ctx context.Context, sh *shop, b batch, tally *ResourceResult) error {
	name := streamName(sh.Name, b.resource)
	mark, err := e.opts.State.Mark(name)
	if err != nil {
		return err
	}
	fresh := b.records
	if !b.again {
		if fresh, err = e.unknown(name, b); err != nil {
			return err
		}
		tally.Unchanged += len(b.records) - len(fresh)
	}
	if len(fresh) == 0 && (b.more || b.next == nil || bytes.Equal(b.next, mark.Cursor)) {
		return nil
	}
	graced, cancel := e.grace(ctx)
	defer cancel()
	receipt, err := e.opts.Books.Receive(graced, sh.booked(b.resource), fresh, b.next)
	if err != nil {
		return fmt.Errorf("apply %d records: %w", len(fresh), err)
	}
	if receipt.Applied > 0 {
		defer e.wake()
	}
	tally.Applied += receipt.Applied
	tally.Unchanged += receipt.Unchanged
	tally.Parked += receipt.Parked
	sh.logParked(b.resource, fresh, receipt)
	to := syncstate.Mark{Fence: receipt.Fence, Cursor: mark.Cursor}
	if b.next != nil {
		to.Cursor = b.next
	}
	// The books have committed: whatever happens to ctx, remember it.
	if err := e.opts.State.Advance(context.WithoutCancel(ctx), name, mark, to, keysOf(b.resource, fresh)); err != nil {
		sh.inStep = false
		return fmt.Errorf("remember %d records: %w", len(fresh), err)
	}
	return nil
}

// logParked logs what was set aside: a person has to look at it.
func (sh *shop) logParked(r intake.Resource, records []intake.Record, receipt erp.Receipt) {
	if receipt.Parked == 0 {
		return
	}
	for i, o := range receipt.Outcomes {
		if o == erp.Parked {
			sh.log.Info().Str("resource", string(r)).Str("id", records[i].Ref.ID).Msg("parked; see comptoir parked list")
		}
	}
}

// unknown leaves out the records that were applied with the same content. Of
// an id that comes several times in a batch it leaves out all or none, since
// what counts is the last.
func (e *Engine) unknown(stream string, b batch) ([]intake.Record, error) {
	if len(b.records) == 0 {
		return nil, nil
	}
	keys := keysOf(b.resource, b.records)
	known, err := e.opts.State.Known(stream, keys)
	if err != nil {
		return nil, err
	}
	changed := make(map[string]bool, len(keys))
	for i, k := range keys {
		if !known[i] {
			changed[k.ID] = true
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	fresh := make([]intake.Record, 0, len(b.records))
	for i, rec := range b.records {
		if changed[keys[i].ID] {
			fresh = append(fresh, rec)
		}
	}
	return fresh, nil
}

// keysOf returns the keys of records, in their order. Parked records are
// remembered too, else each poll would park them again; they are applied by
// RetryParked.
//
// The date of the change belongs to what is remembered. The books pass over a
// statement that is older than the one they hold, and the engine remembers
// it all the same; when the shop states that content anew, with a newer date,
// it must not be taken for known.
func keysOf(r intake.Resource, records []intake.Record) []syncstate.Key {
	keys := make([]syncstate.Key, len(records))
	for i, rec := range records {
		keys[i] = syncstate.Key{ID: keyID(r, rec.Ref), Digest: rec.Digest}
		if !rec.Modified.IsZero() {
			keys[i].Digest += "@" + strconv.FormatInt(rec.Modified.UnixNano(), 36)
		}
	}
	return keys
}

// keyID is the id under which a record of a stream is remembered.
func keyID(r intake.Resource, ref intake.Ref) string {
	if ref.Kind != intake.KindOf(r) {
		return string(ref.Kind) + "/" + ref.ID
	}
	return ref.ID
}
