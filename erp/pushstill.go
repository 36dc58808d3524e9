package erp

import (
	"context"

	"comptoir/erp/intake"
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
