package erp

import (
	"context"
	"fmt"
	"html"
	"slices"
	"strings"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// untold finds what of the catalogue has changed in the books since it was last
// agreed with a shop, and is neither to be told it nor a conflict: the first
// place of each shop and field. Only fields are looked at of which it is known
// here how a shop states them.
func (b *Books) untold(ctx context.Context, r store.Reader) ([]Finding, error) {
	var out []Finding
	for _, s := range b.ranked {
		for _, kind := range []intake.Kind{intake.KindCategory, intake.KindProduct, intake.KindVariant} {
			found, err := b.untoldOf(ctx, r, s, kind)
			if err != nil {
				return nil, fmt.Errorf("what %s was told: %w", s.name, err)
			}
			out = append(out, found...)
		}
	}
	return out, nil
}

// verifiable are the fields that untold looks at.
var verifiable = []intake.Field{intake.FieldName, intake.FieldTitle, intake.FieldCategories, intake.FieldPrice}

func (b *Books) untoldOf(ctx context.Context, r store.Reader, s rankedShop, kind intake.Kind) ([]Finding, error) {
	fields := slices.DeleteFunc(b.sent(s.id, kind), func(f intake.Field) bool { return !slices.Contains(verifiable, f) })
	if len(fields) == 0 {
		return nil, nil
	}
	pending, err := pendingOf(ctx, r, s.id, kind)
	if err != nil {
		return nil, err
	}
	ids, err := toCompare(ctx, r, s.id, kind)
	if err != nil {
		return nil, err
	}
	first := map[intake.Field]Finding{}
	for chunk := range slices.Chunk(ids, editBatch) {
		objects, err := b.sight(ctx, r, s.id, kind, chunk)
		if err != nil {
			return nil, err
		}
		for _, id := range chunk {
			o := objects[id]
			if !o.exists || o.deleted || o.ref.ID == "" || o.waits != 0 || pending[id] {
				continue
			}
			for _, f := range fields {
				ours, known := o.Ours[f]
				a, met := o.Agreed[f]
				if _, found := first[f]; !found && known && met && !sameAsTold(f, ours, a.Ours) {
					first[f] = Finding{Check: "a change in the books is told to the shops", Where: fmt.Sprintf("%s, %s of %s %d", s.name, f, kind, id),
						What: fmt.Sprintf("the books have %q, and the shop was last told %q", ours, a.Ours)}
				}
			}
		}
	}
	var out []Finding
	for _, f := range fields {
		if found, ok := first[f]; ok {
			out = append(out, found)
		}
	}
	return out, nil
}

// pendingOf returns the objects of a kind of which a shop is to be told
// something, or of which something is to be decided.
func pendingOf(ctx context.Context, r store.Reader, shop int64, kind intake.Kind) (map[int64]bool, error) {
	ids, err := readIDs(ctx, r, `SELECT object_id FROM outbox WHERE shop_id = $1 AND kind = $2 UNION SELECT local_id FROM conflict WHERE shop_id = $1 AND kind = $2`, shop, string(outbox.Kind(kind)))
	if err != nil {
		return nil, fmt.Errorf("read what is to be told: %w", err)
	}
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, nil
}

// sameAsTold reports whether two values of a field may be one, as a shop states it: it
// drops white space around texts, reads entities in them, and rounds prices to
// what its currency has.
func sameAsTold(f intake.Field, a, b string) bool {
	if f == intake.FieldPrice {
		x, errX := intake.Number(a)
		y, errY := intake.Number(b)
		return errX == nil && errY == nil && x.Sub(y).Abs().LessThan(decimal.NewFromInt(1))
	}
	plain := func(text string) string { return strings.TrimSpace(html.UnescapeString(text)) }
	return plain(a) == plain(b)
}
