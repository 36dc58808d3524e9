package erp

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// heedOwners leaves to the shops what the books decided on when they were last
// opened, and do no more: a shop may state none of that again for a long time.
func (b *Books) heedOwners(ctx context.Context, tx *store.Tx) error {
	for _, s := range b.ranked {
		left, err := b.ownersChanged(ctx, tx, s.id)
		if err == nil && len(left) > 0 {
			err = b.leaveTo(ctx, tx, s.id, left)
		}
		if err != nil {
			return fmt.Errorf("leave to shop %s what it decides on: %w", s.name, err)
		}
	}
	return nil
}

// ownersChanged notes on which fields of a shop the books decide, and returns
// those on which they did before and do no more.
func (b *Books) ownersChanged(ctx context.Context, tx *store.Tx, shop int64) ([]intake.Field, error) {
	now := slices.DeleteFunc(outbox.Fields(), func(f intake.Field) bool { return !b.policy(shop).Owns(f) })
	text, err := json.Marshal(now)
	if err != nil {
		return nil, fmt.Errorf("write down who decides: %w", err)
	}
	name, before := fmt.Sprintf("owned of shop %d", shop), ""
	err = tx.QueryRow(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read who decided before: %w", err)
	}
	if before == string(text) {
		return nil, nil
	}
	tx.Queue(`INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, string(text))
	if before == "" {
		return nil, nil
	}
	var left []intake.Field
	if err := json.Unmarshal([]byte(before), &left); err != nil {
		return nil, fmt.Errorf("read who decided before: %w", err)
	}
	return slices.DeleteFunc(left, func(f intake.Field) bool { return slices.Contains(now, f) }), nil
}

// leaveTo takes over what a shop last stated of fields, where it describes what
// they are fields of, and tells the other shops. Of none there is a conflict with
// the shop any more. Its stock is followed when it states that again, since its
// orders belong to that; the tree of its categories stays the house's.
func (b *Books) leaveTo(ctx context.Context, tx *store.Tx, shop int64, left []intake.Field) error {
	for _, kind := range []intake.Kind{intake.KindCategory, intake.KindProduct, intake.KindVariant} {
		fields := slices.DeleteFunc(slices.Clone(editable[kind]), func(f intake.Field) bool { return !slices.Contains(left, outbox.Setting(kind, f)) })
		if len(fields) == 0 {
			continue
		}
		tx.Queue(`DELETE FROM conflict WHERE shop_id = $1 AND kind = $2 AND field IN (`+store.In(len(fields), 3)+`)`, store.InArgs([]any{shop, string(kind)}, fields)...)
		fields = slices.DeleteFunc(fields, func(f intake.Field) bool { return outbox.Setting(kind, f) == intake.FieldCategories })
		if len(fields) == 0 {
			continue
		}
		ids, err := toCompare(ctx, tx, shop, kind)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(ids, editBatch) {
			objects, err := b.sight(ctx, tx, shop, kind, some)
			if err != nil {
				return err
			}
			for _, id := range some {
				if err := b.leaveObject(ctx, tx, shop, objects[id], fields); err != nil {
					return fmt.Errorf("%s %d: %w", kind, id, err)
				}
			}
		}
	}
	return nil
}

// leaveObject is leaveTo for one object.
func (b *Books) leaveObject(ctx context.Context, tx *store.Tx, shop int64, o *sighted, fields []intake.Field) error {
	differ := slices.DeleteFunc(slices.Clone(fields), func(f intake.Field) bool {
		ours, has := o.Ours[f]
		theirs, stated := o.Theirs[f]
		return !has || !stated || catalog.Same(f, ours, theirs)
	})
	if !o.exists || len(differ) == 0 {
		return nil
	}
	shops, err := catalog.BoundTo(ctx, tx, o.Kind, o.id)
	if err != nil || !b.describes(shop, shops) {
		return err
	}
	for _, f := range differ {
		if err := b.adoptValue(ctx, tx, shop, o, f); err != nil {
			return err
		}
	}
	b.tell(tx, o.Kind, o.id, differ, shop)
	return nil
}
