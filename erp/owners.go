package erp

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// editable are the fields of the catalogue that have an owner, by what they are
// fields of. A SKU names the goods: it is told when they are made, and then the
// shop's own.
var editable = map[intake.Kind][]intake.Field{
	intake.KindCategory: {intake.FieldName, intake.FieldParent, intake.FieldDescription},
	intake.KindProduct:  {intake.FieldTitle, intake.FieldDescription, intake.FieldShort, intake.FieldStatus, intake.FieldImages, intake.FieldCategories},
	intake.KindVariant: {intake.FieldBarcode, intake.FieldPrice, intake.FieldSale, intake.FieldSaleFrom, intake.FieldSaleTo, intake.FieldWeight,
		intake.FieldOptions, intake.FieldBackorders},
}

// owned returns the fields of a kind that the books decide on in a shop.
func (b *Books) owned(shop int64, kind intake.Kind) []intake.Field {
	policy := b.policy(shop)
	var out []intake.Field
	for _, f := range editable[kind] {
		if policy.Owns(outbox.Setting(kind, f)) {
			out = append(out, f)
		}
	}
	return out
}

// sent is like owned, for a shop that is told of changes.
func (b *Books) sent(shop int64, kind intake.Kind) []intake.Field {
	if !b.policy(shop).On {
		return nil
	}
	return b.owned(shop, kind)
}

// sendersOf returns the shops that are told of changes of at least one of the
// fields of a kind, in order.
func (b *Books) sendersOf(kind intake.Kind, fields []intake.Field) []int64 {
	var out []int64
	for _, s := range b.ranked {
		if slices.ContainsFunc(fields, func(f intake.Field) bool { return slices.Contains(b.sends(outbox.Setting(kind, f)), s.id) }) {
			out = append(out, s.id)
		}
	}
	return out
}

// tell queues a message for each shop that has an object and is told of one of
// the fields that have changed, but for the one that changed them itself (0 for
// none). A category of the house is to be in all of them.
func (b *Books) tell(tx *store.Tx, kind intake.Kind, id int64, fields []intake.Field, but int64) {
	shops := slices.DeleteFunc(b.sendersOf(kind, fields), func(s int64) bool { return s == but })
	if kind == intake.KindVariant && slices.Contains(fields, intake.FieldBackorders) {
		// A shop that does not count is told with the stock whether it can be sold.
		outbox.PutStock(tx, b.sends(intake.FieldQuantity), id, b.opts.Now())
	}
	if kind != intake.KindCategory {
		outbox.PutBound(tx, shops, outbox.Kind(kind), id, b.opts.Now())
		return
	}
	for _, s := range shops {
		outbox.Put(tx, s, outbox.Category, id, b.opts.Now())
	}
}

// differing returns the fields of a kind whose values differ, in order.
func differing(kind intake.Kind, a, b map[intake.Field]string) []intake.Field {
	var out []intake.Field
	for _, f := range editable[kind] {
		if a[f] != b[f] {
			out = append(out, f)
		}
	}
	return out
}

// keepOwned decides what of a shop's description of an object is written into the
// books: of one that the books have described, had, the fields that they decide
// on stay as they are, and so does what the shop says as it did before. Nothing
// was said before of what was made there for the books. It changes said, and
// queues messages for the other shops that are to have what is new.
func (p *page) keepOwned(kind intake.Kind, id int64, had, before, said any) error {
	owned, was, now, then := p.b.owned(p.shop, kind), intake.Fields(had), intake.Fields(said), intake.Fields(before)
	keep := map[intake.Field]string{}
	for _, f := range editable[kind] {
		text, stated := then[f]
		kept := slices.Contains(owned, f) || before != nil && (!stated || catalog.Same(f, text, now[f]))
		switch {
		case f == intake.FieldWeight:
			keep[f] = keptWeight(was[f], now[f], kept)
		case kept:
			keep[f] = was[f]
		}
	}
	if err := catalog.Told(said, keep); err != nil {
		return fmt.Errorf("keep what the books say of %s %d: %w", kind, id, err)
	}
	changed := differing(kind, was, intake.Fields(said))
	changed = slices.DeleteFunc(changed, func(f intake.Field) bool { return f == intake.FieldCategories || f == intake.FieldParent })
	p.b.tell(p.tx, kind, id, changed, p.shop)
	return nil
}

// keptWeight is the weight that the books have after a shop has stated it, kept
// or not. A number alone, as shops stated before their unit was known, gets the
// unit that the shop states with the same number; and where the unit is not known
// for once, it does not lose it.
func keptWeight(was, said string, kept bool) string {
	same := catalog.Same(intake.FieldWeight, was, said)
	switch {
	case kept && same:
		return intake.NameUnit(was, said)
	case kept:
		return was
	case same:
		return intake.NameUnit(said, was)
	}
	return said
}

// saidNothing stands for what a shop said before of what it has not described.
type saidNothing struct{}

// saidBefore returns what the shop stated last of a product or a variant that
// another shop has too: nil where it is alone, so that all it says counts.
func (p *page) saidBefore(ctx context.Context, kind intake.Kind, id int64, shared bool) (any, error) {
	if !shared {
		return nil, nil
	}
	stated, err := p.b.statements(ctx, p.tx, p.shop, kind, []int64{id})
	if body := stated[id]; body != nil {
		return body, err
	}
	return saidNothing{}, err
}

// variantBefore is saidBefore for a variant, which may have been stated with its
// product.
func (p *page) variantBefore(ctx context.Context, id int64, external string, shared bool) (any, error) {
	if v := p.within[external]; v != nil && shared {
		return v, nil
	}
	return p.saidBefore(ctx, intake.KindVariant, id, shared)
}

// minds reports whether anybody minds how a shop describes objects of a kind:
// the books decide on some fields, or have things made there, or another shop is
// told of them. If not, the books need not be read before they are written.
func (p *page) minds(kind intake.Kind) bool {
	minds, ok := p.mindful[kind]
	if !ok {
		minds = p.b.policy(p.shop).On || len(p.b.owned(p.shop, kind)) > 0 || slices.ContainsFunc(p.b.sendersOf(kind, editable[kind]), func(s int64) bool { return s != p.shop })
		p.mindful[kind] = minds
	}
	return minds
}

// heed compares what a shop states of an object with what was last agreed. Of
// one that is new to the books it is what is agreed. Where a field that the
// books decide on is another one than was agreed, a message is queued: what
// there is to do about it is decided when it is delivered.
func (p *page) heed(ctx context.Context, kind intake.Kind, id int64, isNew bool, said any) error {
	fields := p.b.sent(p.shop, kind)
	if len(fields) == 0 {
		return nil
	}
	theirs := intake.Fields(said)
	if isNew {
		for _, f := range fields {
			agree(p.tx, p.shop, kind, id, f, catalog.Agreement{Ours: theirs[f], Theirs: theirs[f]}, p.now)
		}
		return nil
	}
	if err := p.loadAgreed(ctx, kind, []int64{id}); err != nil {
		return err
	}
	agreed := p.agreed[objectKey{kind, id}]
	for _, f := range fields {
		if a, met := agreed[f]; !met || a.Theirs != theirs[f] {
			outbox.Put(p.tx, p.shop, outbox.Kind(kind), id, p.now)
			return nil
		}
	}
	return nil
}

// objectKey names an object of the books.
type objectKey struct {
	kind intake.Kind
	id   int64
}

// loadAgreed reads what was agreed with the shop of objects that are not read
// yet.
func (p *page) loadAgreed(ctx context.Context, kind intake.Kind, ids []int64) error {
	missing := make([]int64, 0, len(ids))
	for _, id := range ids {
		if _, ok := p.agreed[objectKey{kind, id}]; !ok {
			missing = append(missing, id)
		}
	}
	agreed, err := agreements(ctx, p.tx, p.shop, kind, missing)
	for _, id := range missing {
		p.agreed[objectKey{kind, id}] = agreed[id]
	}
	return err
}

// preload reads what the records of a page need of what was agreed, in a few
// queries: the objects that they state, and the variants within products.
func (p *page) preload(ctx context.Context, said []intake.Record) error {
	if len(p.b.sent(p.shop, intake.KindVariant)) > 0 || p.minds(intake.KindVariant) {
		var inline []string
		for _, rec := range said {
			if body, ok := rec.Body.(*intake.Product); ok {
				for _, v := range body.Variants {
					inline = append(inline, v.ID)
				}
			}
		}
		if err := p.loadOrigins(ctx, intake.KindVariant, inline); err != nil {
			return err
		}
	}
	ids := map[intake.Kind][]int64{}
	for key, o := range p.origins {
		if o.local != 0 {
			ids[key.kind] = append(ids[key.kind], o.local)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(editable)) {
		if len(p.b.sent(p.shop, kind)) == 0 {
			continue
		}
		slices.Sort(ids[kind])
		if err := p.loadAgreed(ctx, kind, ids[kind]); err != nil {
			return err
		}
	}
	return nil
}

// agreements reads what was agreed with a shop of objects, by object and field.
func agreements(ctx context.Context, r store.Reader, shop int64, kind intake.Kind, ids []int64) (map[int64]map[intake.Field]catalog.Agreement, error) {
	out := map[int64]map[intake.Field]catalog.Agreement{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT local_id, field, ours, theirs FROM agreed WHERE shop_id = $1 AND kind = $2 AND local_id IN (`+store.In(len(ids), 3)+`)`,
		store.InArgs([]any{shop, string(kind)}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read what was agreed: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var f intake.Field
		var a catalog.Agreement
		if err := rows.Scan(&id, &f, &a.Ours, &a.Theirs); err != nil {
			return nil, err
		}
		if out[id] == nil {
			out[id] = map[intake.Field]catalog.Agreement{}
		}
		out[id][f] = a
	}
	return out, rows.Err()
}

// knownProduct returns a product as the books describe it; nil where they do not
// know it yet, or where nobody minds.
func (p *page) knownProduct(ctx context.Context, id int64) (*intake.Product, error) {
	if !p.minds(intake.KindProduct) {
		return nil, nil
	}
	var known bool
	if err := p.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM origin WHERE local_id = $1 AND kind = 'product' AND digest <> '')`, id).Scan(&known); err != nil || !known {
		return nil, err
	}
	all, err := catalog.Products(ctx, p.tx, []int64{id})
	return all[id], err
}

// knownVariant is like knownProduct.
func (p *page) knownVariant(ctx context.Context, id int64) (*catalog.Described, error) {
	if !p.minds(intake.KindVariant) {
		return nil, nil
	}
	all, err := catalog.DescribedVariants(ctx, p.tx, []int64{id})
	if d := all[id]; d != nil && d.Known {
		return d, err
	}
	return nil, err
}

// describeProduct writes a product as the shop describes it.
func (p *page) describeProduct(ctx context.Context, id int64, had, said *intake.Product, shared bool) error {
	if had == nil {
		return catalog.SaveProduct(p.tx, id, said)
	}
	before, err := p.saidBefore(ctx, intake.KindProduct, id, shared)
	if err != nil {
		return err
	}
	p.within = map[string]*intake.Variant{}
	if body, ok := before.(*intake.Product); ok {
		for i := range body.Variants {
			p.within[body.Variants[i].ID] = &body.Variants[i]
		}
	}
	kept := *said
	if err := p.keepOwned(intake.KindProduct, id, had, before, &kept); err != nil {
		return err
	}
	return catalog.SaveProduct(p.tx, id, &kept)
}
