package woocommerce

import (
	"context"
	"net/url"
	"slices"

	"comptoir/erp/intake"
)

const categoriesRoute = "products/categories"

// pushCategories makes, changes or deletes categories in one call.
func (c *Connector) pushCategories(ctx context.Context, edits []intake.Edit) ([]intake.Outcome, error) {
	p := &categoryPush{c: c, edits: edits, outcomes: make([]intake.Outcome, len(edits))}
	p.plan()
	if p.b.empty() {
		return p.outcomes, nil
	}
	within, err := p.productsWithin(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.batch(ctx, "change categories", categoriesRoute, p.b)
	if err != nil {
		return nil, err
	}
	p.take(answer)
	if err := p.lookFor(ctx); err != nil {
		return nil, err
	}
	if err := p.adopt(ctx); err != nil {
		return nil, err
	}
	if err := p.restate(ctx, within); err != nil {
		return nil, err
	}
	return p.outcomes, c.readBack(ctx, edits, p.outcomes)
}

// categoryPush is a call about categories.
type categoryPush struct {
	c        *Connector
	edits    []intake.Edit
	outcomes []intake.Outcome
	b        batch
	// Of what is in the batch, the indices of the edits.
	made, changed, gone []int
	// found are those that the shop had, though they were to be made.
	found []int
}

// plan fills the batch.
func (p *categoryPush) plan() {
	for i := range p.edits {
		e := &p.edits[i]
		p.outcomes[i].Ref = e.Ref
		body := map[string]any{}
		err := express(body, intake.KindCategory, e.Changes)
		switch {
		case e.Delete:
			p.b.Delete = append(p.b.Delete, number(e.Ref.ID))
			p.gone = append(p.gone, i)
		case err != nil:
			p.refuse(i, err.Error())
		case e.Ref.ID == "":
			p.b.Create = append(p.b.Create, body)
			p.made = append(p.made, i)
		default:
			body["id"] = number(e.Ref.ID)
			p.b.Update = append(p.b.Update, body)
			p.changed = append(p.changed, i)
		}
	}
}

func (p *categoryPush) refuse(i int, why string) {
	p.outcomes[i] = intake.Outcome{Ref: p.edits[i].Ref, Result: intake.Refused, Why: why}
}

// take reads what became of each.
func (p *categoryPush) take(answer *batchAnswer) {
	for j, raw := range answer.Create {
		i := p.made[j]
		id, refusal := readItem(raw)
		switch {
		case refusal == nil:
			p.outcomes[i].Result, p.outcomes[i].Ref.ID = intake.Done, scalarID(id)
		case refusal.code == "term_exists" && refusal.holder > 0:
			p.outcomes[i].Ref.ID = scalarID(refusal.holder)
			p.found = append(p.found, i)
		default:
			p.refuse(i, refusal.Error())
		}
	}
	for j, raw := range answer.Update {
		p.outcomes[p.changed[j]] = itemOutcome(p.edits[p.changed[j]].Ref, raw)
	}
	for j, raw := range answer.Delete {
		p.outcomes[p.gone[j]] = itemOutcome(p.edits[p.gone[j]].Ref, raw)
	}
}

// lookFor looks whether those are there that the shop would not change or
// delete: in a batch it does not say so of one that is gone, but that it cannot
// be deleted, or that its taxonomy is invalid.
func (p *categoryPush) lookFor(ctx context.Context) error {
	var refs []intake.Ref
	var at []int
	for _, i := range slices.Concat(p.changed, p.gone) {
		if p.outcomes[i].Result == intake.Refused {
			refs = append(refs, p.edits[i].Ref)
			at = append(at, i)
		}
	}
	records, err := p.c.Fetch(ctx, refs)
	if err != nil {
		return err
	}
	for j, rec := range records {
		switch i := at[j]; {
		case !rec.Gone():
		case p.edits[i].Delete:
			p.outcomes[i].Result, p.outcomes[i].Why = intake.Done, ""
		default:
			p.refuse(i, "the shop does not have category "+rec.Ref.ID+" any more")
		}
	}
	return nil
}

// productsWithin finds the products of each category that goes: they leave it,
// or fall into the default one, without their dates moving.
func (p *categoryPush) productsWithin(ctx context.Context) ([][]intake.Ref, error) {
	within := make([][]intake.Ref, len(p.gone))
	for j, i := range p.gone {
		l := source{resource: intake.Products, route: "products", query: url.Values{"status": {"any"}, "category": {p.edits[i].Ref.ID}}}
		err := p.c.each(ctx, l, "id", func(rows []row) error {
			for _, r := range rows {
				within[j] = append(within[j], intake.Ref{Kind: intake.KindProduct, ID: scalarID(r.id)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return within, nil
}

// restate adds what the shop states of those products now.
func (p *categoryPush) restate(ctx context.Context, within [][]intake.Ref) error {
	for j, i := range p.gone {
		if p.outcomes[i].Result != intake.Done || len(within[j]) == 0 {
			continue
		}
		records, err := p.c.Fetch(ctx, within[j])
		if err != nil {
			return err
		}
		p.outcomes[i].Records = records
	}
	return nil
}

// adopt takes those for made that the shop had: of one name there is only one
// under a parent, so it was made by the call whose answer was lost, or it is
// what was wanted. It gets the rest of what it was to be.
func (p *categoryPush) adopt(ctx context.Context) error {
	if len(p.found) == 0 {
		return nil
	}
	var refs []intake.Ref
	for _, i := range p.found {
		refs = append(refs, p.outcomes[i].Ref)
	}
	records, err := p.c.Fetch(ctx, refs)
	if err != nil {
		return err
	}
	var b batch
	var at []int
	for j, i := range p.found {
		if !p.sameCategory(p.edits[i].Changes, records[j]) {
			p.refuse(i, "the shop has another category in its place ("+refs[j].ID+")")
			continue
		}
		body := p.b.Create[slices.Index(p.made, i)]
		body["id"] = number(refs[j].ID)
		b.Update = append(b.Update, body)
		at = append(at, i)
	}
	if b.empty() {
		return nil
	}
	answer, err := p.c.batch(ctx, "change categories", categoriesRoute, b)
	if err != nil {
		return err
	}
	for j, raw := range answer.Update {
		p.outcomes[at[j]] = itemOutcome(p.outcomes[at[j]].Ref, raw)
	}
	return nil
}

// sameCategory reports whether a record has the name and the parent that a new
// category was to have.
func (p *categoryPush) sameCategory(changes []intake.Change, rec intake.Record) bool {
	has := intake.Fields(rec.Body)
	name, _ := changeOf(changes, intake.FieldName)
	parent, _ := changeOf(changes, intake.FieldParent)
	wanted, _ := p.c.Express(intake.KindCategory, intake.FieldName, name)
	return has[intake.FieldName] == wanted && has[intake.FieldParent] == (scalar{text: parent}).ref()
}
