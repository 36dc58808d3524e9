package shopify

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// How many edits are worked on as one part: what they change is then read
// again at once.
const (
	mostEdits    = 25
	mostVariants = 100
)

// EditBatches puts edits together. Those of variants stand by product, since
// one call takes the variants of one; what is to be made stands alone, since it
// takes several calls.
func (c *Connector) EditBatches(edits []intake.Edit) [][]intake.Edit {
	var parts [][]intake.Edit
	var changed []intake.Edit
	most := mostEdits
	for _, e := range edits {
		if e.Ref.Kind == intake.KindVariant {
			most = mostVariants
		}
		if e.Ref.ID == "" {
			parts = append(parts, []intake.Edit{e})
		} else {
			changed = append(changed, e)
		}
	}
	slices.SortStableFunc(changed, func(a, b intake.Edit) int { return cmp.Compare(a.Ref.Parent, b.Ref.Parent) })
	return slices.AppendSeq(parts, slices.Chunk(changed, most))
}

// PushEdits tells the shop one part. Changes state the value that is wanted, so
// to tell them again does no harm; what is to be made is looked for first. What
// the shop then has is read as Fetch reads it.
func (c *Connector) PushEdits(ctx context.Context, _ string, edits []intake.Edit) ([]intake.Outcome, error) {
	outcomes := make([]intake.Outcome, len(edits))
	for i := range edits {
		outcomes[i].Ref = edits[i].Ref
	}
	var err error
	switch {
	case len(edits) == 0:
	case edits[0].Ref.Kind == intake.KindProduct:
		err = c.pushProducts(ctx, edits, outcomes)
	case edits[0].Ref.Kind == intake.KindVariant:
		err = c.pushVariants(ctx, edits, outcomes)
	case edits[0].Ref.Kind == intake.KindCategory:
		err = c.pushCollections(ctx, edits, outcomes)
	default:
		err = c.client.rest.Fail(connectors.Rejected, "shopify: push edits", fmt.Errorf("nothing of the kind %q can be changed", edits[0].Ref.Kind), "")
	}
	if err != nil {
		return nil, err
	}
	return outcomes, c.readBack(ctx, edits, outcomes)
}

// refuse is the outcome of what the shop does not take; nothing where there is
// no reason.
func refuse(o *intake.Outcome, why string) {
	if o.Result = intake.Done; why != "" {
		o.Result, o.Why = intake.Refused, why
	}
}

// readBack gives each outcome that is done what the shop now states: a product
// that was made with its variants, and of what was deleted nothing.
func (c *Connector) readBack(ctx context.Context, edits []intake.Edit, outcomes []intake.Outcome) error {
	var own, variants []intake.Ref
	for i, o := range outcomes {
		if o.Result == intake.Done && !edits[i].Delete {
			own = append(own, o.Ref)
			variants = append(variants, o.Variants...)
		}
	}
	said := map[intake.Ref]intake.Record{}
	for _, refs := range [][]intake.Ref{own, variants} {
		records, err := c.Fetch(ctx, refs)
		if err != nil {
			return err
		}
		for _, rec := range records {
			said[intake.Ref{Kind: rec.Ref.Kind, ID: rec.Ref.ID}] = rec
		}
	}
	for i := range outcomes {
		o := &outcomes[i]
		if o.Result != intake.Done || edits[i].Delete {
			continue
		}
		for _, ref := range append([]intake.Ref{o.Ref}, o.Variants...) {
			o.Records = append(o.Records, said[intake.Ref{Kind: ref.Kind, ID: ref.ID}])
		}
	}
	return nil
}

// sinceSources picks the document that fits the version of the API: in 2026-07
// collections got sources, and their mutations another input.
func (c *Connector) sinceSources(now, before document) document {
	if c.cfg.APIVersion < "2026-07" {
		return before
	}
	return now
}
