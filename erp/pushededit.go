package erp

import (
	"context"
	"fmt"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// editPushed notes what became of edits. The messages are settled, and the
// records that the shop states received, by the caller, afterwards.
func (b *Books) editPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	if err := p.loadTold(ctx, pushes); err != nil {
		return err
	}
	for i, push := range pushes {
		t := told{p: p, id: push.Message.Object, kind: intake.Kind(push.Message.Kind), edit: push.Edit, outcome: &outcomes[i]}
		if err := t.note(ctx); err != nil {
			return fmt.Errorf("%s %d: %w", t.kind, t.id, err)
		}
	}
	return nil
}

// told is an edit of which the outcome is known.
type told struct {
	p       *page
	id      int64
	kind    intake.Kind
	edit    *intake.Edit
	outcome *intake.Outcome
}

func (t told) note(ctx context.Context) error {
	switch {
	case t.edit.Ref.ID != "" && !t.edit.Delete && !t.p.still(t.edit.Ref, t.id):
		return nil
	case t.outcome.Result == intake.Skipped: // it is not told again until either side changes
		for _, c := range t.edit.Changes {
			agree(t.p.tx, t.p.shop, t.kind, t.id, c.Field, catalog.Agreement{Ours: c.To, Theirs: c.From}, t.p.now)
		}
		return nil
	case t.outcome.Result != intake.Done:
		return nil
	case t.edit.Delete:
		t.p.tx.Queue(`UPDATE origin SET gone = TRUE WHERE shop_id = $1 AND kind = $2 AND external_id = $3`, t.p.shop, string(t.kind), t.edit.Ref.ID)
		forgetAgreed(t.p.tx, t.p.shop, t.kind, t.id)
		return nil
	case t.edit.Ref.ID == "" && t.kind == intake.KindVariant:
		if ok, err := t.bindAdded(ctx); err != nil || !ok {
			return err
		}
	case t.edit.Ref.ID == "":
		if ok, err := t.bind(ctx); err != nil || !ok {
			return err
		}
	}
	t.agree(t.kind, t.id, t.outcome.Ref.ID, t.edit.Changes)
	if t.kind == intake.KindVariant {
		return t.watchSale(ctx)
	}
	return nil
}

// agree notes that the shop has what it was told, in the words in which it then
// stated it.
func (t told) agree(kind intake.Kind, id int64, external string, changes []intake.Change) {
	stated := intake.Fields(t.stated(kind, external))
	for _, c := range changes {
		theirs, ok := stated[c.Field]
		if !ok {
			theirs = c.To
		}
		agree(t.p.tx, t.p.shop, kind, id, c.Field, catalog.Agreement{Ours: c.To, Theirs: theirs}, t.p.now)
		t.p.tx.Queue(`DELETE FROM conflict WHERE shop_id = $1 AND kind = $2 AND local_id = $3 AND field = $4`, t.p.shop, string(kind), id, string(c.Field))
	}
}

// stated returns what the shop stated of a record after the change; nil where it
// did not.
func (t told) stated(kind intake.Kind, external string) any {
	for _, rec := range t.outcome.Records {
		if rec.Ref.Kind == kind && rec.Ref.ID == external {
			return rec.Body
		}
		if body, ok := rec.Body.(*intake.Product); ok && kind == intake.KindVariant {
			for i := range body.Variants {
				if body.Variants[i].ID == external {
					return &body.Variants[i]
				}
			}
		}
	}
	return nil
}

// watchSale has a variant looked at again whose sale has still to begin or to
// end.
func (t told) watchSale(ctx context.Context) error {
	all, err := catalog.DescribedVariants(ctx, t.p.tx, []int64{t.id})
	if err != nil {
		return err
	}
	if v := all[t.id]; v != nil && !catalog.NextTurn(v.SaleFrom, v.SaleTo, t.p.now).IsZero() && t.p.b.policy(t.p.shop).Sends(intake.FieldSale) {
		outbox.Put(t.p.tx, t.p.shop, outbox.Variant, t.id, t.p.now)
	}
	return nil
}

// bind notes under which ids the shop has what it was told to make. Where it had
// that before, and the books know it as another thing, it is refused: a person
// has to say that the two are one.
func (t told) bind(ctx context.Context) (bool, error) {
	p, ref := t.p, t.outcome.Ref
	if len(t.outcome.Variants) != len(t.edit.Variants) {
		t.refuse(fmt.Sprintf("the shop made %d of the %d variants", len(t.outcome.Variants), len(t.edit.Variants)))
		return false, nil
	}
	variants, err := catalog.VariantsOf(ctx, p.tx, []int64{t.id})
	if err != nil {
		return false, err
	}
	made := map[intake.Ref]int64{{Kind: t.kind, ID: ref.ID}: t.id}
	if t.kind == intake.KindProduct {
		if len(variants[t.id]) != len(t.edit.Variants) {
			t.refuse("the variants of the product have changed meanwhile; it is tried again")
			return false, nil
		}
		for i, v := range t.outcome.Variants {
			made[intake.Ref{Kind: intake.KindVariant, ID: v.ID}] = variants[t.id][i]
		}
	}
	for r, id := range made {
		if other, err := boundTo(ctx, p.tx, p.shop, r); err != nil {
			return false, err
		} else if own, err := t.unadopted(ctx, other); err != nil {
			return false, err
		} else if own {
			rebind(p.tx, p.shop, other, id)
		} else if other != 0 && other != id {
			t.refuse(knownAsAnother(r))
			return false, nil
		}
		if r.Kind == intake.KindVariant {
			if apart, err := t.besides(ctx, r, id); err != nil || apart {
				return false, err
			}
		}
	}
	t.bound(t.kind, t.id, ref.ID, "")
	if t.kind == intake.KindCategory {
		return true, wakeThoseWithin(ctx, p.tx, p.shop, t.id, p.now)
	}
	p.tx.Queue(`UPDATE publication SET made = TRUE WHERE shop_id = $1 AND product_id = $2`, p.shop, t.id)
	return true, t.bindVariants(ctx, variants[t.id])
}

// bindAdded notes under which id the shop has a variant that was made of a
// product that it had.
func (t told) bindAdded(ctx context.Context) (bool, error) {
	ref := t.outcome.Ref
	other, err := boundTo(ctx, t.p.tx, t.p.shop, ref)
	if err != nil {
		return false, err
	}
	if other != 0 && other != t.id {
		t.refuse(knownAsAnother(ref))
		return false, nil
	}
	if apart, err := t.besides(ctx, ref, t.id); err != nil || apart {
		return false, err
	}
	all, err := catalog.DescribedVariants(ctx, t.p.tx, []int64{t.id})
	if err != nil {
		return false, err
	}
	t.bound(t.kind, t.id, ref.ID, ref.Parent)
	unaskVariant(t.p.tx, t.p.shop, t.id)
	t.tellRest(t.id, all[t.id])
	return true, nil
}

// besides refuses a variant that was made beside one that somebody else has made
// and that was linked meanwhile: one number would be told of the two.
func (t told) besides(ctx context.Context, ref intake.Ref, id int64) (bool, error) {
	there, err := t.p.soldAs(ctx, id, ref.ID)
	if err != nil || there == "" {
		return false, err
	}
	t.refuse(fmt.Sprintf("the shop sells it as %s already, and %s was made beside that: delete one of the two there", there, ref.ID))
	return true, nil
}

// tellRest has the shop told what there is to tell of a variant once it is
// there: what has changed meanwhile, and its stock.
func (t told) tellRest(id int64, v *catalog.Described) {
	outbox.Put(t.p.tx, t.p.shop, outbox.Variant, id, t.p.now)
	if v != nil && t.p.b.policy(t.p.shop).Sends(intake.FieldQuantity) {
		outbox.Put(t.p.tx, t.p.shop, outbox.Stock, v.Stock, t.p.now)
	}
}

func knownAsAnother(ref intake.Ref) string {
	return fmt.Sprintf("the shop has it already as %s %s, which the books know as another one: link the two", ref.Kind, ref.ID)
}

// unadopted reports whether something is a category that the shop stated before
// it was known that it had made it for the books.
func (t told) unadopted(ctx context.Context, id int64) (bool, error) {
	if t.kind != intake.KindCategory || id == 0 || id == t.id {
		return false, nil
	}
	all, err := catalog.Categories(ctx, t.p.tx, []int64{id})
	return all[id].Shop == t.p.shop, err
}

// refuse makes the outcome one that is refused.
func (t told) refuse(why string) {
	*t.outcome = intake.Outcome{Result: intake.Refused, Why: why, Ref: t.outcome.Ref}
}

func (t told) bound(kind intake.Kind, id int64, external, parent string) {
	t.p.tx.Queue(`INSERT INTO origin (shop_id, kind, external_id, local_id, parent, digest) VALUES ($1,$2,$3,$4,$5,'')
		ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET gone = FALSE`, t.p.shop, string(kind), external, id, parent)
}

// bindVariants binds the variants of a product that was made, and has the shop
// told of their stock.
func (t told) bindVariants(ctx context.Context, ids []int64) error {
	all, err := catalog.DescribedVariants(ctx, t.p.tx, ids)
	if err != nil {
		return err
	}
	for i, ref := range t.outcome.Variants {
		t.bound(intake.KindVariant, ids[i], ref.ID, t.outcome.Ref.ID)
		t.agree(intake.KindVariant, ids[i], ref.ID, t.edit.Variants[i].Changes)
		t.tellRest(ids[i], all[ids[i]])
	}
	return nil
}

// boundTo returns what the books know a record of a shop as; 0 for nothing.
func boundTo(ctx context.Context, r store.Reader, shop int64, ref intake.Ref) (int64, error) {
	var id int64
	err := r.QueryRow(ctx, `SELECT COALESCE(MAX(local_id), 0) FROM origin WHERE shop_id = $1 AND kind = $2 AND external_id = $3`, shop, string(ref.Kind), ref.ID).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("read what %s %s is: %w", ref.Kind, ref.ID, err)
	}
	return id, nil
}

// wakeThoseWithin has all looked at for a shop that waited for a category to be
// there, or left it out: the categories under it and the products in it.
func wakeThoseWithin(ctx context.Context, tx *store.Tx, shop, category int64, now time.Time) error {
	under, err := readIDs(ctx, tx, `SELECT id FROM category WHERE parent_id = $1 AND shop_id = 0 AND NOT deleted`, category)
	if err != nil {
		return fmt.Errorf("read what stands under category %d: %w", category, err)
	}
	within, err := readIDs(ctx, tx, `SELECT DISTINCT g.local_id FROM product_category l JOIN origin g ON g.local_id = l.product_id AND g.kind = 'product' AND NOT g.gone
		WHERE l.category_id = $1 AND g.shop_id = $2`, category, shop)
	if err != nil {
		return fmt.Errorf("read what stands in category %d: %w", category, err)
	}
	for _, id := range under {
		outbox.Put(tx, shop, outbox.Category, id, now)
	}
	for _, id := range within {
		outbox.Put(tx, shop, outbox.Product, id, now)
	}
	return nil
}
