package woocommerce

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

var _ connectors.Editor = (*Connector)(nil)

// EditBatches puts together what one call takes: products, with the variants
// that are products themselves; the variations of one product; categories. A
// product that is made is a part of its own, since it takes several calls, and
// so is one whose images change, since the shop takes its time to fetch them.
func (c *Connector) EditBatches(edits []intake.Edit) [][]intake.Edit {
	var changed, alone []intake.Edit
	for _, e := range edits {
		_, images := changeOf(e.Changes, intake.FieldImages)
		if images || e.Ref.ID == "" && e.Ref.Kind != intake.KindCategory {
			alone = append(alone, e)
		} else {
			changed = append(changed, e)
		}
	}
	all := parts(changed, func(e intake.Edit) string {
		switch {
		case e.Ref.Kind != intake.KindCategory:
			return goodsRoute(e.Ref)
		case e.Delete:
			return "categories that go"
		default:
			return "categories"
		}
	})
	for i := range alone {
		all = append(all, alone[i:i+1])
	}
	return all
}

// PushEdits tells the shop one part. The records come from reading them again:
// the answer to a change shows a product as it is edited, without what the shop
// makes of its texts for those who look at it.
func (c *Connector) PushEdits(ctx context.Context, key string, edits []intake.Edit) ([]intake.Outcome, error) {
	edits, err := c.weighed(ctx, edits)
	if err != nil {
		return nil, err
	}
	switch {
	case len(edits) == 0:
		return nil, nil
	case edits[0].Ref.Kind == intake.KindCategory:
		return c.pushCategories(ctx, edits)
	case edits[0].Ref.ID != "":
		return c.pushChanges(ctx, edits)
	}
	outcomes := make([]intake.Outcome, len(edits))
	for i := range edits {
		var err error
		if edits[i].Ref.Kind == intake.KindVariant {
			outcomes[i], err = c.addVariation(ctx, &edits[i])
		} else {
			outcomes[i], err = c.makeProduct(ctx, &edits[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// pushChanges changes products, or variations of one product, in one call.
func (c *Connector) pushChanges(ctx context.Context, edits []intake.Edit) ([]intake.Outcome, error) {
	route := goodsRoute(edits[0].Ref)
	outcomes := make([]intake.Outcome, len(edits))
	pictures, err := c.picturesOf(ctx, edits)
	if err != nil {
		return nil, err
	}
	options, err := c.prepareOptions(ctx, edits)
	if err != nil {
		return nil, err
	}
	var b batch
	var at []int
	for i := range edits {
		e := &edits[i]
		outcomes[i].Ref = e.Ref
		body := map[string]any{"id": number(e.Ref.ID)}
		err := express(body, e.Ref.Kind, e.Changes)
		if err == nil {
			err = pictures.express(body, e)
		}
		if err == nil {
			err = options.express(body, e.Changes)
		}
		if err != nil {
			outcomes[i].Result, outcomes[i].Why = intake.Refused, err.Error()
			continue
		}
		b.Update = append(b.Update, body)
		at = append(at, i)
	}
	if b.empty() {
		return outcomes, nil
	}
	answer, err := c.batch(ctx, "change "+string(edits[0].Ref.Kind)+"s", route, b)
	if err != nil {
		return nil, err
	}
	for i, raw := range answer.Update {
		outcomes[at[i]] = itemOutcome(edits[at[i]].Ref, raw)
	}
	return outcomes, c.readBack(ctx, edits, outcomes)
}

// itemOutcome reads what became of one item of a batch.
func itemOutcome(ref intake.Ref, raw []byte) intake.Outcome {
	if _, refusal := readItem(raw); refusal != nil {
		return intake.Outcome{Ref: ref, Result: intake.Refused, Why: refusal.Error()}
	}
	return intake.Outcome{Ref: ref, Result: intake.Done}
}

// recordRef names the record that states a thing: what a product carries itself
// is stated with the product.
func recordRef(ref intake.Ref) intake.Ref {
	if ref.Kind == intake.KindVariant && goodsRoute(ref) == "products" {
		return intake.Ref{Kind: intake.KindProduct, ID: ref.ID}
	}
	return ref
}

// readBack gives each outcome that is done what the shop now states.
func (c *Connector) readBack(ctx context.Context, edits []intake.Edit, outcomes []intake.Outcome) error {
	var refs []intake.Ref
	var at []int
	for i := range outcomes {
		if outcomes[i].Result == intake.Done && !edits[i].Delete {
			refs = append(refs, recordRef(outcomes[i].Ref))
			at = append(at, i)
		}
	}
	records, err := c.Fetch(ctx, refs)
	if err != nil {
		return err
	}
	for i, rec := range records {
		out, e := &outcomes[at[i]], &edits[at[i]]
		out.Records = []intake.Record{rec}
		why := rec.Problem
		if rec.Gone() {
			why = "the shop does not have it any more"
		}
		if body := bodyOf(rec, out.Ref); body != nil {
			why = c.dropped(e, body)
		}
		if why != "" {
			out.Result, out.Why = intake.Refused, why
		}
	}
	return nil
}

// bodyOf is what a record states of a thing.
func bodyOf(rec intake.Record, ref intake.Ref) any {
	if p, ok := rec.Body.(*intake.Product); ok && ref.Kind == intake.KindVariant {
		for i := range p.Variants {
			if p.Variants[i].ID == ref.ID {
				return &p.Variants[i]
			}
		}
	}
	return rec.Body
}
