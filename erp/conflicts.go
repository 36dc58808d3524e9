package erp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// StandingConflict is a field that the books and a shop have both changed since
// they last agreed, and that nobody has decided yet.
type StandingConflict struct {
	Shop   string       `json:"shop"`
	Kind   intake.Kind  `json:"kind"`
	ID     int64        `json:"id"`    // of the product, variant or category in the books
	Label  string       `json:"label"` // its title, SKU or name
	Field  intake.Field `json:"field"`
	Books  string       `json:"books"`
	Stated string       `json:"stated"` // what the shop says
	Since  time.Time    `json:"since"`
}

// Conflicts lists the conflicts that nobody has decided yet, oldest first.
func (b *Books) Conflicts(ctx context.Context) ([]StandingConflict, error) {
	return conflictsOf(ctx, b.db, ``)
}

func conflictsOf(ctx context.Context, r store.Reader, where string, args ...any) ([]StandingConflict, error) {
	rows, err := r.Query(ctx, `SELECT s.name, c.kind, c.local_id, c.field, c.ours, c.theirs, c.since, COALESCE(p.title, v.sku, k.name, '') FROM conflict c JOIN shop s ON s.id = c.shop_id
		LEFT JOIN product p ON p.id = c.local_id AND c.kind = 'product' LEFT JOIN variant v ON v.id = c.local_id AND c.kind = 'variant' LEFT JOIN category k ON k.id = c.local_id AND c.kind = 'category'
		`+where+` ORDER BY c.since, s.name, c.kind, c.local_id, c.field`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the conflicts: %w", err)
	}
	defer rows.Close()
	out := []StandingConflict{}
	for rows.Next() {
		var c StandingConflict
		var since int64
		if err := rows.Scan(&c.Shop, &c.Kind, &c.ID, &c.Field, &c.Books, &c.Stated, &since, &c.Label); err != nil {
			return nil, err
		}
		c.Since = store.FromMicros(since)
		out = append(out, c)
	}
	return out, rows.Err()
}

// KeepSide decides a conflict: of the field of an object what the given side has
// now counts. Where that is the shop, the books take it over, and tell the other
// shops. One that only an Outlook has shown yet can be decided too. With dry
// nothing is changed.
func (b *Books) KeepSide(ctx context.Context, shop string, kind intake.Kind, id int64, f intake.Field, side outbox.Owner, dry bool) (StandingConflict, error) {
	shopID, err := b.shop(shop)
	if err != nil {
		return StandingConflict{}, err
	}
	if side != outbox.Shop && side != outbox.ERP {
		return StandingConflict{}, fault.New(fault.Invalid, "it is shop or erp", "there is no side %q", side)
	}
	var out StandingConflict
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		found, err := conflictsOf(ctx, tx, `WHERE c.shop_id = $1 AND c.kind = $2 AND c.local_id = $3 AND c.field = $4`, shopID, string(kind), id, string(f))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			if found, err = b.foreseen(ctx, tx, shop, shopID, kind, id, f); err != nil {
				return err
			}
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "see: comptoir conflict list", "there is no conflict about the %s of %s %d in shop %s", f, kind, id, shop)
		}
		out = found[0]
		if err := b.keep(ctx, tx, shopID, kind, id, f, side); err != nil {
			return err
		}
		if dry {
			return errPreview
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPreview) {
		return StandingConflict{}, err
	}
	return out, nil
}

// foreseen returns a conflict that was not noted yet, as no push has come upon it;
// none where the two sides do not differ.
func (b *Books) foreseen(ctx context.Context, tx *store.Tx, name string, shop int64, kind intake.Kind, id int64, f intake.Field) ([]StandingConflict, error) {
	if !slices.Contains(b.sent(shop, kind), f) {
		return nil, nil
	}
	objects, err := b.sight(ctx, tx, shop, kind, []int64{id})
	if err != nil || !objects[id].exists {
		return nil, err
	}
	o := objects[id]
	compared := catalog.Compare(o.Sides, func(of intake.Field) bool { return of == f }, asItIs)
	var out []StandingConflict
	for _, c := range compared.Conflicts {
		out = append(out, StandingConflict{Shop: name, Kind: kind, ID: id, Label: o.label, Field: f, Books: c.Ours, Stated: c.Theirs, Since: b.opts.Now()})
	}
	return out, nil
}

// keep has one side of a conflict count.
func (b *Books) keep(ctx context.Context, tx *store.Tx, shop int64, kind intake.Kind, id int64, f intake.Field, side outbox.Owner) error {
	objects, err := b.sight(ctx, tx, shop, kind, []int64{id})
	if err != nil {
		return err
	}
	o := objects[id]
	now := b.opts.Now()
	if side == outbox.Shop {
		if err := b.adoptValue(ctx, tx, shop, o, f); err != nil {
			return err
		}
		agree(tx, shop, kind, id, f, catalog.Agreement{Ours: o.Theirs[f], Theirs: o.Theirs[f]}, now)
		b.tell(tx, kind, id, []intake.Field{f}, shop)
	} else { // nothing is agreed any more, so the shop is told what the books have
		tx.Queue(`DELETE FROM agreed WHERE shop_id = $1 AND kind = $2 AND local_id = $3 AND field = $4`, shop, string(kind), id, string(f))
	}
	tx.Queue(`DELETE FROM conflict WHERE shop_id = $1 AND kind = $2 AND local_id = $3 AND field = $4`, shop, string(kind), id, string(f))
	outbox.Put(tx, shop, outbox.Kind(kind), id, now)
	return nil
}

// adoptValue writes what a shop states of a field into the books.
func (b *Books) adoptValue(ctx context.Context, tx *store.Tx, shop int64, o *sighted, f intake.Field) error {
	value := map[intake.Field]string{f: o.Theirs[f]}
	switch o.Kind {
	case intake.KindProduct:
		if f == intake.FieldCategories {
			return b.adoptPlaces(ctx, tx, shop, o)
		}
		all, err := catalog.Products(ctx, tx, []int64{o.id})
		if err != nil {
			return err
		}
		if err := catalog.Told(all[o.id], value); err != nil {
			return err
		}
		return catalog.SaveProduct(tx, o.id, all[o.id])
	case intake.KindVariant:
		all, err := catalog.DescribedVariants(ctx, tx, []int64{o.id})
		if err != nil {
			return err
		}
		if err := catalog.Told(&all[o.id].Variant, value); err != nil {
			return err
		}
		return catalog.Reword(tx, o.id, &all[o.id].Variant)
	}
	switch f {
	case intake.FieldName:
		tx.Queue(`UPDATE category SET name = $2 WHERE id = $1`, o.id, value[f])
	case intake.FieldDescription:
		tx.Queue(`UPDATE category SET description = $2 WHERE id = $1`, o.id, value[f])
	case intake.FieldParent:
		return b.adoptParent(ctx, tx, shop, o)
	}
	return nil
}

// adoptParent puts a category where a shop has it.
func (b *Books) adoptParent(ctx context.Context, tx *store.Tx, shop int64, o *sighted) error {
	parent := int64(0)
	if external := o.Theirs[intake.FieldParent]; external != "" {
		var err error
		if parent, err = boundTo(ctx, tx, shop, intake.Ref{Kind: intake.KindCategory, ID: external}); err != nil {
			return err
		}
	}
	t, err := houseTree(ctx, tx)
	if err != nil {
		return err
	}
	if slices.Contains(t.line(parent), o.id) {
		return fault.New(fault.Conflict, "move one of them first: comptoir category move", "in the books %s stands under %s", t.path(parent), t.path(o.id))
	}
	tx.Queue(`UPDATE category SET parent_id = $2 WHERE id = $1`, o.id, parent)
	return nil
}

// adoptPlaces puts a product where a shop has it.
func (b *Books) adoptPlaces(ctx context.Context, tx *store.Tx, shop int64, o *sighted) error {
	stated, err := b.statements(ctx, tx, shop, intake.KindProduct, []int64{o.id})
	if err != nil {
		return err
	}
	body, ok := stated[o.id].(*intake.Product)
	if !ok {
		return fault.New(fault.Unprocessable, "read the products of the shop first", "shop %s has not said where product %d stands", b.nameOf(shop), o.id)
	}
	var places []int64
	for _, external := range body.CategoryIDs {
		id, err := boundTo(ctx, tx, shop, intake.Ref{Kind: intake.KindCategory, ID: external})
		if err != nil {
			return err
		}
		if id != 0 {
			places = append(places, id)
		}
	}
	slices.Sort(places)
	putInto(tx, o.id, slices.Compact(places))
	return nil
}
