package erp

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// sighted is an object of the catalogue as the books and one shop have it.
type sighted struct {
	id    int64
	label string     // for people
	ref   intake.Ref // its ID is "" where the shop does not have it
	catalog.Sides
	deleted bool // a category: in the books
	house   bool // a category: of the house
	// waits: a category of the house that it stands in, or under, is not in the
	// shop yet. Its place is then not among Ours.
	waits  int64
	sale   [2]time.Time // of a variant: when its sale begins and ends
	stock  int64        // of a variant: the one that carries its stock
	exists bool
	// variant is a variant as the books describe it; nil of other kinds.
	variant *catalog.Described
	// noPrice says of a variant why its price is not among Ours; "" where it is.
	noPrice string
}

// sight reads objects of one kind as the books and a shop have them.
func (b *Books) sight(ctx context.Context, r store.Reader, shop int64, kind intake.Kind, ids []int64) (map[int64]*sighted, error) {
	out := make(map[int64]*sighted, len(ids))
	for _, id := range ids {
		out[id] = &sighted{id: id, ref: intake.Ref{Kind: kind}, Sides: catalog.Sides{Kind: kind}}
	}
	if err := bindings(ctx, r, shop, kind, out); err != nil {
		return nil, err
	}
	agreed, err := agreements(ctx, r, shop, kind, ids)
	if err != nil {
		return nil, err
	}
	for id, o := range out {
		o.Agreed = agreed[id]
	}
	switch kind {
	case intake.KindCategory:
		err = b.sightCategories(ctx, r, shop, ids, out)
	case intake.KindProduct:
		err = b.sightProducts(ctx, r, shop, ids, out)
	case intake.KindVariant:
		err = b.sightVariants(ctx, r, shop, ids, out)
	}
	return out, err
}

// bindings reads under which ids a shop has objects.
func bindings(ctx context.Context, r store.Reader, shop int64, kind intake.Kind, objects map[int64]*sighted) error {
	ids := make([]int64, 0, len(objects))
	for id := range objects {
		ids = append(ids, id)
	}
	bound, err := boundAs(ctx, r, shop, kind, ids)
	for id, ref := range bound {
		objects[id].ref = ref
	}
	return err
}

// boundAs reads under which id a shop has objects, by object. The kind stands
// in the query itself: the index is of one kind.
func boundAs(ctx context.Context, r store.Reader, shop int64, kind intake.Kind, ids []int64) (map[int64]intake.Ref, error) {
	out := map[int64]intake.Ref{}
	if len(ids) == 0 {
		return out, nil
	}
	in := store.In(len(ids), 2)
	q := `SELECT local_id, external_id, parent FROM origin WHERE kind = 'variant' AND NOT gone AND shop_id = $1 AND local_id IN (` + in + `) ORDER BY external_id DESC`
	switch kind {
	case intake.KindProduct:
		q = `SELECT local_id, external_id, parent FROM origin WHERE kind = 'product' AND NOT gone AND shop_id = $1 AND local_id IN (` + in + `) ORDER BY external_id DESC`
	case intake.KindCategory:
		q = `SELECT local_id, external_id, parent FROM origin WHERE kind = 'category' AND NOT gone AND shop_id = $1 AND local_id IN (` + in + `) ORDER BY external_id DESC`
	}
	rows, err := r.Query(ctx, q, store.InArgs([]any{shop}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read where the shop has each %s: %w", kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		ref := intake.Ref{Kind: kind}
		var id int64
		if err := rows.Scan(&id, &ref.ID, &ref.Parent); err != nil {
			return nil, err
		}
		out[id] = ref
	}
	return out, rows.Err()
}

// statements reads what a shop last stated of objects of a kind.
func (b *Books) statements(ctx context.Context, r store.Reader, shop int64, kind intake.Kind, ids []int64) (map[int64]any, error) {
	out := map[int64]any{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT local_id, statement FROM payload WHERE shop_id = $1 AND kind = $2 AND local_id IN (`+store.In(len(ids), 3)+`)`,
		store.InArgs([]any{shop, string(kind)}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read what the shop stated of each %s: %w", kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var packed sql.RawBytes
		if err := rows.Scan(&id, &packed); err != nil {
			return nil, err
		}
		if len(packed) == 0 {
			continue
		}
		statement, err := b.decompress(packed)
		if err != nil {
			return nil, fmt.Errorf("read what the shop stated of %s %d: %w", kind, id, err)
		}
		if out[id], err = intake.Reopen(kind, statement); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

func (b *Books) sightCategories(ctx context.Context, r store.Reader, shop int64, ids []int64, out map[int64]*sighted) error {
	read, err := catalog.Categories(ctx, r, ids)
	if err != nil {
		return err
	}
	stated, err := b.statements(ctx, r, shop, intake.KindCategory, ids)
	if err != nil {
		return err
	}
	parents := map[int64]bool{}
	for _, c := range read {
		if c.Parent != 0 {
			parents[c.Parent] = true
		}
	}
	bound, err := boundAs(ctx, r, shop, intake.KindCategory, keysOf(parents))
	if err != nil {
		return err
	}
	for id, c := range read {
		o := out[id]
		o.exists, o.label, o.deleted, o.house = true, c.Name, c.Deleted, c.Shop == 0
		o.Ours = intake.Fields(&intake.Category{Name: c.Name, Description: c.Description, ParentID: bound[c.Parent].ID})
		if c.Parent != 0 && bound[c.Parent].ID == "" {
			o.waits = c.Parent
			delete(o.Ours, intake.FieldParent)
		}
		if stated[id] != nil && o.ref.ID != "" {
			o.Theirs = intake.Fields(stated[id])
		}
	}
	return nil
}

func keysOf(set map[int64]bool) []int64 {
	out := make([]int64, 0, len(set))
	for id := range set {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func (b *Books) sightProducts(ctx context.Context, r store.Reader, shop int64, ids []int64, out map[int64]*sighted) error {
	read, err := catalog.Products(ctx, r, ids)
	if err != nil {
		return err
	}
	stated, err := b.statements(ctx, r, shop, intake.KindProduct, ids)
	if err != nil {
		return err
	}
	for id, p := range read {
		o := out[id]
		o.exists, o.label, o.Ours = true, p.Title, intake.Fields(p)
		delete(o.Ours, intake.FieldCategories)
		if stated[id] != nil && o.ref.ID != "" {
			o.Theirs = intake.Fields(stated[id])
		}
	}
	if !b.policy(shop).Owns(intake.FieldCategories) {
		return nil
	}
	return sightPlaces(ctx, r, shop, ids, out, stated)
}

// sightPlaces adds the categories that products stand in, under the shop's own
// ids. Categories that the shop took away are not counted among those that it
// stated or was told of. While categories of the shop have still to become the house's the
// place of a product is not known.
func sightPlaces(ctx context.Context, r store.Reader, shop int64, ids []int64, out map[int64]*sighted, stated map[int64]any) error {
	standing, err := catalog.HouseCategoriesOf(ctx, r, ids)
	if err != nil {
		return err
	}
	all := map[int64]bool{}
	for _, list := range standing {
		for _, c := range list {
			all[c] = true
		}
	}
	bound, err := boundAs(ctx, r, shop, intake.KindCategory, keysOf(all))
	if err != nil {
		return err
	}
	unsettled, err := inOwnCategories(ctx, r, shop, ids)
	if err != nil {
		return err
	}
	gone, err := goneCategories(ctx, r, shop)
	if err != nil {
		return err
	}
	for id, o := range out {
		if !o.exists {
			continue
		}
		var externals []string
		for _, c := range standing[id] {
			if ref := bound[c]; ref.ID != "" {
				externals = append(externals, ref.ID)
			} else {
				o.waits = c
			}
		}
		if !unsettled[id] {
			o.Ours[intake.FieldCategories] = intake.Sorted(externals)
		}
		if said, ok := stated[id].(*intake.Product); ok && o.Theirs != nil {
			o.Theirs[intake.FieldCategories] = intake.Sorted(slices.DeleteFunc(slices.Clone(said.CategoryIDs), func(c string) bool { return gone[c] }))
		}
		if a, met := o.Agreed[intake.FieldCategories]; met && len(gone) > 0 {
			o.Agreed[intake.FieldCategories] = catalog.Agreement{Ours: withoutGone(a.Ours, gone), Theirs: withoutGone(a.Theirs, gone)}
		}
	}
	return nil
}

// withoutGone takes the categories that are gone out of a list of ids.
func withoutGone(text string, gone map[string]bool) string {
	var ids []string
	if text == "" || json.Unmarshal([]byte(text), &ids) != nil { // nothing, or nothing that we wrote
		return text
	}
	return intake.Sorted(slices.DeleteFunc(ids, func(c string) bool { return gone[c] }))
}

// inOwnCategories returns which products stand in categories of a shop that have
// not become the house's.
func inOwnCategories(ctx context.Context, r store.Reader, shop int64, products []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	ids, err := readIDs(ctx, r, `SELECT DISTINCT l.product_id FROM product_category l JOIN category c ON c.id = l.category_id WHERE c.shop_id = $1 AND l.product_id IN (`+store.In(len(products), 2)+`)`,
		store.InArgs([]any{shop}, products)...)
	if err != nil {
		return nil, fmt.Errorf("read the categories of products: %w", err)
	}
	for _, id := range ids {
		out[id] = true
	}
	return out, nil
}

func goneCategories(ctx context.Context, r store.Reader, shop int64) (map[string]bool, error) {
	out := map[string]bool{}
	rows, err := r.Query(ctx, `SELECT external_id FROM origin WHERE shop_id = $1 AND kind = 'category' AND gone`, shop)
	if err != nil {
		return nil, fmt.Errorf("read the categories that the shop took away: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out[id] = true
	}
	return out, rows.Err()
}

func (b *Books) sightVariants(ctx context.Context, r store.Reader, shop int64, ids []int64, out map[int64]*sighted) error {
	read, err := catalog.DescribedVariants(ctx, r, ids)
	if err != nil {
		return err
	}
	stated, err := b.statedVariants(ctx, r, shop, ids, out)
	if err != nil {
		return err
	}
	apart, own, err := b.pricedApart(ctx, r, shop, ids)
	if err != nil {
		return err
	}
	for id, v := range read {
		o := out[id]
		o.exists, o.label, o.Ours = v.Known, cmp.Or(v.SKU, v.Title), intake.Fields(&v.Variant)
		if of, is := apart[id]; is {
			o.noPrice = noPriceFor(own, of)
			for _, f := range priceFields {
				delete(o.Ours, f)
			}
		}
		o.sale, o.stock, o.variant = [2]time.Time{v.SaleFrom, v.SaleTo}, v.Stock, v
		if said := stated[id]; said != nil && o.ref.ID != "" {
			o.Theirs = intake.Fields(said)
			o.ref.Parent = cmp.Or(said.ProductID, o.ref.Parent)
		}
	}
	return nil
}

// statedVariants reads what a shop last stated of variants: with their product,
// or by themselves.
func (b *Books) statedVariants(ctx context.Context, r store.Reader, shop int64, ids []int64, bound map[int64]*sighted) (map[int64]*intake.Variant, error) {
	own, err := b.statements(ctx, r, shop, intake.KindVariant, ids)
	if err != nil {
		return nil, err
	}
	within, err := b.statedWithin(ctx, r, shop, bound)
	if err != nil {
		return nil, err
	}
	out := map[int64]*intake.Variant{}
	for _, id := range ids {
		if v := within[bound[id].ref.ID]; v != nil {
			out[id] = v
		} else if v, ok := own[id].(*intake.Variant); ok {
			out[id] = v
		}
	}
	return out, nil
}

// statedWithin reads the variants that a shop stated with the products of some
// of them, by external id.
func (b *Books) statedWithin(ctx context.Context, r store.Reader, shop int64, bound map[int64]*sighted) (map[string]*intake.Variant, error) {
	var parents []string
	for _, o := range bound {
		if o.ref.Parent != "" {
			parents = append(parents, o.ref.Parent)
		}
	}
	slices.Sort(parents)
	if parents = slices.Compact(parents); len(parents) == 0 {
		return nil, nil
	}
	products, err := readIDs(ctx, r, `SELECT local_id FROM origin WHERE shop_id = $1 AND kind = 'product' AND external_id IN (`+store.In(len(parents), 2)+`)`, store.InArgs([]any{shop}, parents)...)
	if err != nil {
		return nil, fmt.Errorf("read the products of variants: %w", err)
	}
	stated, err := b.statements(ctx, r, shop, intake.KindProduct, products)
	out := map[string]*intake.Variant{}
	for _, body := range stated {
		if p, ok := body.(*intake.Product); ok {
			for i := range p.Variants {
				out[p.Variants[i].ID] = &p.Variants[i]
			}
		}
	}
	return out, err
}
