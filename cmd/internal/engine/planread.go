package engine

import (
	"context"
	"fmt"
	"slices"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/shopspring/decimal"
)

// objectOf is the record of the shop that a push changes; false where there is
// none yet, or where its fields are not compared.
func objectOf(push erp.Push) (intake.Ref, bool) {
	switch {
	case push.Level != nil:
		return push.Level.Ref, true
	case push.Edit != nil:
		return push.Edit.Ref, push.Edit.Ref.ID != ""
	}
	return intake.Ref{}, false
}

// asTheShopHasIt reads the records that pushes change.
func (e *Engine) asTheShopHasIt(ctx context.Context, sh *shop, pushes []erp.Foreseen) (map[intake.Ref]any, error) {
	refs := map[outbox.Kind][]intake.Ref{}
	seen := map[intake.Ref]bool{}
	for _, push := range pushes {
		if ref, ok := objectOf(push.Push); ok && !seen[ref] {
			seen[ref] = true
			refs[push.Message.Kind] = append(refs[push.Message.Kind], ref)
		}
	}
	has := map[intake.Ref]any{}
	for _, kind := range outbox.Kinds() {
		for some := range slices.Chunk(refs[kind], fetchSize) {
			said, err := e.fetch(ctx, sh, resourceOf(kind), some)
			if err != nil {
				return nil, fmt.Errorf("read in shop %s what it has: %w", sh.Name, err)
			}
			for _, rec := range said {
				for _, ref := range some {
					if ref.Kind == rec.Ref.Kind && ref.ID == rec.Ref.ID {
						has[ref] = rec.Body
					}
				}
			}
		}
	}
	return has, nil
}

// compared puts what the shop has into a push; false where it has what it
// should.
func compared(push erp.Push, body any) (erp.Push, bool) {
	if push.Level != nil {
		l := *push.Level
		if now := stockOf(body, l.Location); now != nil && l.Counted {
			l.From = now
			push.Level = &l
			return push, !now.Equal(l.To)
		}
		return push, true
	}
	if push.Edit.Delete {
		return push, true
	}
	edit, fields := *push.Edit, intake.Fields(body)
	edit.Changes = nil
	for _, c := range push.Edit.Changes {
		if c.From = fields[c.Field]; c.From != c.To {
			edit.Changes = append(edit.Changes, c)
		}
	}
	push.Edit = &edit
	return push, len(edit.Changes)+len(edit.Variants) > 0
}

// stockOf is what a variant has at a location; nil where it does not say.
func stockOf(body any, location string) *decimal.Decimal {
	v, ok := body.(*intake.Variant)
	if !ok {
		return nil
	}
	for _, l := range v.Levels {
		if l.Location == location {
			return &l.Available
		}
	}
	if len(v.Levels) > 0 {
		return nil
	}
	return v.Stock
}
