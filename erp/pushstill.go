package erp

import (
	"context"
	"slices"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// loadTold reads what the things are that a shop was told of, all of one kind.
func (p *page) loadTold(ctx context.Context, pushes []Push) error {
	ids := map[intake.Kind][]string{}
	for _, push := range pushes {
		ref := push.ref()
		ids[ref.Kind] = append(ids[ref.Kind], ref.ID)
	}
	for kind, list := range ids {
		if err := p.loadOrigins(ctx, kind, list); err != nil {
			return err
		}
	}
	return nil
}

// ref is what a level or an edit is about.
func (p Push) ref() intake.Ref {
	if p.Level != nil {
		return p.Level.Ref
	}
	return p.Edit.Ref
}

// still reports whether a record is what it was when the shop was told of it: a
// person may have linked it with something else meanwhile, and the shop may have
// taken it away.
func (p *page) still(ref intake.Ref, id int64) bool {
	o := p.origins[originKey{ref.Kind, ref.ID}]
	return o != nil && !o.gone && o.local == id
}

// StillTold reports whether a shop is still to be told what was under way to it
// when the last process ended, or when the shop did not answer: each message
// waits yet, since nobody has dropped it and no answer has settled it, and the
// books decide yet on all that is told. It is not asked about requests that
// orders are the object of.
func (b *Books) StillTold(ctx context.Context, shop string, pushes []Push) (bool, error) {
	id, err := b.shop(shop)
	if err != nil {
		return false, err
	}
	waiting, err := outbox.All(ctx, b.db, id)
	if err != nil {
		return false, err
	}
	for _, push := range pushes {
		m := push.Message
		same := func(w outbox.Message) bool { return w.Kind == m.Kind && w.Object == m.Object && w.Since.Equal(m.Since) }
		if !slices.ContainsFunc(waiting, same) || !push.sent(b.policy(id)) {
			return false, nil
		}
	}
	return true, nil
}

// sent reports whether a shop with this policy is told all of a push. What is to
// be made is described whole, whoever decides on it afterwards.
func (p Push) sent(policy outbox.Policy) bool {
	if p.Level != nil {
		return policy.Sends(intake.FieldQuantity)
	}
	if p.Edit.Delete { // only categories are
		return policy.Sends(intake.FieldCategories)
	}
	return p.Edit.Ref.ID == "" || !slices.ContainsFunc(p.Edit.Changes, func(c intake.Change) bool {
		return !policy.Sends(outbox.Setting(p.Edit.Ref.Kind, c.Field))
	})
}
