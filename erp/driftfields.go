package erp

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// described is an object of the catalogue as a record states it.
type described struct {
	rec   *intake.Record
	kind  intake.Kind
	id    string
	local int64
	body  any
}

// describe returns the objects of the catalogue that a record states and the
// books have. A variant that they do not have is missing.
func (d *drifting) describe(rec *intake.Record) []described {
	key := originKey{rec.Ref.Kind, rec.Ref.ID}
	switch rec.Body.(type) {
	case *intake.Category, *intake.Product, *intake.Variant:
	default:
		if d.locals[key].digest != rec.Digest && rec.Ref.Kind != intake.KindOrder {
			d.add(rec, Drift{Kind: DriftDifferent, Field: "content", Shop: rec.Digest[:min(8, len(rec.Digest))], Books: d.locals[key].digest[:min(8, len(d.locals[key].digest))]})
		}
		return nil
	}
	out := []described{{rec: rec, kind: rec.Ref.Kind, id: rec.Ref.ID, local: d.locals[key].local, body: rec.Body}}
	if rec.Ref.Kind != intake.KindProduct {
		return out
	}
	for _, v := range variantsIn(rec) {
		o := d.locals[originKey{intake.KindVariant, v.ID}]
		if o == nil || o.gone {
			d.add(rec, Drift{Resource: intake.Variants, ID: v.ID, Label: labelOf(v), Kind: DriftMissing})
			continue
		}
		out = append(out, described{rec: rec, kind: intake.KindVariant, id: v.ID, local: o.local, body: v})
	}
	return out
}

// fields compares the fields of objects of the catalogue.
func (d *drifting) fields(ctx context.Context, all []described) error {
	for _, kind := range []intake.Kind{intake.KindCategory, intake.KindProduct, intake.KindVariant} {
		var some []described
		for _, one := range all {
			if one.kind == kind {
				some = append(some, one)
			}
		}
		if len(some) == 0 {
			continue
		}
		ids := localsOf(some)
		objects, err := d.b.sight(ctx, d.r, d.shop, kind, ids)
		if err != nil {
			return err
		}
		waiting, err := d.waiting(ctx, outbox.Kind(kind), ids)
		if err != nil {
			return err
		}
		for _, one := range some {
			d.compare(one, objects[one.local], waiting[one.local])
		}
	}
	return nil
}

func localsOf(all []described) []int64 {
	ids := make([]int64, 0, len(all))
	for _, one := range all {
		ids = append(ids, one.local)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// message is what the shop has still to be told of an object.
type message struct {
	waits bool
	since time.Time
	why   string // of a message that is parked
}

// waiting reads what the shop has still to be told of objects.
func (d *drifting) waiting(ctx context.Context, kind outbox.Kind, ids []int64) (map[int64]message, error) {
	out := map[int64]message{}
	err := eachRow(ctx, d.r, `SELECT object_id, since, parked, why FROM outbox WHERE shop_id = $1 AND kind = $2 AND object_id IN (`+store.In(len(ids), 3)+`)`,
		store.InArgs([]any{d.shop, string(kind)}, ids), func(rows *sql.Rows) error {
			var id, since int64
			var parked bool
			var m message
			err := rows.Scan(&id, &since, &parked, &m.why)
			m.since, m.waits = store.FromMicros(since), !parked
			if m.waits {
				m.why = ""
			}
			out[id] = m
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read what the shop has still to be told: %w", err)
	}
	return out, nil
}

// resourceOfKind names the objects of the catalogue.
var resourceOfKind = map[intake.Kind]intake.Resource{intake.KindCategory: intake.Categories, intake.KindProduct: intake.Products, intake.KindVariant: intake.Variants}

// compare notes the fields in which the shop differs: from what the books
// decide, and elsewhere from what it had stated.
func (d *drifting) compare(one described, o *sighted, told message) {
	base := Drift{Resource: resourceOfKind[one.kind], ID: one.id, Label: labelOf(one.body), Kind: DriftDifferent}
	if !o.exists {
		base.Kind = DriftMissing
		d.add(one.rec, base)
		return
	}
	if o.deleted {
		base.Kind, base.Why, base.Pending = DriftMissing, cmp.Or(told.why, "the books have deleted it"), told.waits
		if told.waits {
			base.Since = told.since
		}
		d.add(one.rec, base)
		return
	}
	now := intake.Fields(one.body)
	owned := d.b.owned(d.shop, one.kind)
	for _, f := range editable[one.kind] {
		if before, stated := o.Theirs[f]; stated && !catalog.Same(f, before, now[f]) && !slices.Contains(owned, f) {
			d.addField(one.rec, base, f, now[f], before)
		}
	}
	if d.q.Express == nil || len(owned) == 0 {
		return
	}
	o.Theirs = now
	if one.kind == intake.KindVariant && !catalog.HoldsSaleDates(d.q.Express) {
		catalog.OnSale(o.Ours, o.sale[0], o.sale[1], d.now)
	}
	base.Pending, base.Why = told.waits, told.why
	if told.waits {
		base.Since = told.since
	}
	c := catalog.Compare(o.Sides, func(f intake.Field) bool { return slices.Contains(owned, f) }, d.q.Express)
	for _, change := range c.Changes {
		d.addField(one.rec, base, change.Field, change.From, change.To)
	}
	base.Pending, base.Why = false, "both sides have changed it: a person has to say which one counts"
	for _, conflict := range c.Conflicts {
		d.addField(one.rec, base, conflict.Field, conflict.Theirs, conflict.Ours)
	}
}

func (d *drifting) addField(rec *intake.Record, f Drift, field intake.Field, shop, books string) {
	f.Field, f.Shop, f.Books = string(field), shop, books
	if field == intake.FieldPrice || field == intake.FieldSale {
		a, errA := intake.Number(shop)
		b, errB := intake.Number(books)
		if errA == nil && errB == nil {
			f.Value = a.Sub(b)
		}
	}
	d.add(rec, f)
}
