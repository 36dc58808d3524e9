package erp

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// ProductView is a product as the books have it, and as each shop does.
type ProductView struct {
	ID         int64           `json:"id"`
	Title      string          `json:"title"`
	Status     string          `json:"status"`
	Categories []string        `json:"categories"` // paths in the tree of the house; never nil
	Variants   []VariantView   `json:"variants"`
	Shops      []ProductInShop `json:"shops"`
}

// VariantView names a variant of a product.
type VariantView struct {
	ID  int64  `json:"id"`
	SKU string `json:"sku"`
}

// ProductInShop is how a shop has a product.
type ProductInShop struct {
	Shop   string        `json:"shop"`
	ID     string        `json:"id"` // "" where it is still to be made there
	Fields []FieldInShop `json:"fields"`
	// Lacks are the variants, by SKU or number, that are sold elsewhere and not
	// there; never nil.
	Lacks []string `json:"lacks"`
}

// FieldInShop is a field of a product or a variant as the books and a shop have
// it.
type FieldInShop struct {
	SKU    string       `json:"sku,omitempty"` // of the variant; "" for a field of the product
	Field  intake.Field `json:"field"`
	Owner  outbox.Owner `json:"owner"`
	Books  string       `json:"books"`
	Stated string       `json:"stated"` // what the shop stated last
	// State is "same" where both have the same, or have agreed on what the shop
	// makes of it; "waiting" where the shop has still to be told, "conflict"
	// where both have changed it, and "different" where the shop decides and
	// says something else.
	State string `json:"state"`
}

// Product shows a product, by the SKU of a variant or by its number.
func (b *Books) Product(ctx context.Context, which string) (ProductView, error) {
	var out ProductView
	err := b.db.Read(ctx, func(r store.Reader) (err error) {
		out, err = b.productView(ctx, r, which)
		return err
	})
	return out, err
}

func (b *Books) productView(ctx context.Context, r store.Reader, which string) (ProductView, error) {
	id, _, err := findProduct(ctx, r, which)
	if err != nil {
		return ProductView{}, err
	}
	products, err := catalog.Products(ctx, r, []int64{id})
	if err != nil {
		return ProductView{}, err
	}
	out := ProductView{ID: id, Categories: []string{}, Variants: []VariantView{}, Shops: []ProductInShop{}}
	if p := products[id]; p != nil {
		out.Title, out.Status = p.Title, p.Status
	}
	t, err := houseTree(ctx, r)
	if err != nil {
		return out, err
	}
	standing, err := catalog.HouseCategoriesOf(ctx, r, []int64{id})
	if err != nil {
		return out, err
	}
	for _, c := range standing[id] {
		out.Categories = append(out.Categories, t.path(c))
	}
	slices.Sort(out.Categories)
	ids, err := catalog.VariantsOf(ctx, r, []int64{id})
	if err != nil {
		return out, err
	}
	variants, err := catalog.DescribedVariants(ctx, r, ids[id])
	if err != nil {
		return out, err
	}
	for _, v := range ids[id] {
		out.Variants = append(out.Variants, VariantView{ID: v, SKU: variants[v].SKU})
	}
	for _, s := range b.ranked {
		in, ok, err := b.productInShop(ctx, r, s, out)
		if err != nil {
			return out, err
		}
		if ok {
			out.Shops = append(out.Shops, in)
		}
	}
	return out, nil
}

// productInShop tells how a shop has a product; false where it neither has it
// nor is to have it.
func (b *Books) productInShop(ctx context.Context, r store.Reader, s rankedShop, p ProductView) (ProductInShop, bool, error) {
	asked, err := publications(ctx, r, s.id, []int64{p.ID})
	if err != nil {
		return ProductInShop{}, false, err
	}
	products, err := b.sight(ctx, r, s.id, intake.KindProduct, []int64{p.ID})
	if err != nil {
		return ProductInShop{}, false, err
	}
	o := products[p.ID]
	out := ProductInShop{Shop: s.name, ID: o.ref.ID, Fields: []FieldInShop{}, Lacks: []string{}}
	if _, published := asked[p.ID]; o.ref.ID == "" {
		return out, published, nil
	}
	if out.Fields, err = b.fieldsInShop(ctx, r, s.id, o, "", out.Fields); err != nil {
		return out, true, err
	}
	var ids []int64
	for _, v := range p.Variants {
		ids = append(ids, v.ID)
	}
	variants, err := b.sight(ctx, r, s.id, intake.KindVariant, ids)
	if err != nil {
		return out, true, err
	}
	missing, err := lacking(ctx, r, s.id, p.ID)
	if err != nil {
		return out, true, err
	}
	for _, v := range p.Variants {
		if slices.Contains(missing, v.ID) {
			out.Lacks = append(out.Lacks, cmp.Or(v.SKU, fmt.Sprint(v.ID)))
		}
		if variants[v.ID].ref.ID == "" {
			continue
		}
		if out.Fields, err = b.fieldsInShop(ctx, r, s.id, variants[v.ID], cmp.Or(v.SKU, fmt.Sprint(v.ID)), out.Fields); err != nil {
			return out, true, err
		}
	}
	return out, true, nil
}

// fieldsInShop adds the fields of an object that a shop has.
func (b *Books) fieldsInShop(ctx context.Context, r store.Reader, shop int64, o *sighted, sku string, list []FieldInShop) ([]FieldInShop, error) {
	conflicts, err := conflictsOf(ctx, r, `WHERE c.shop_id = $1 AND c.kind = $2 AND c.local_id = $3`, shop, string(o.Kind), o.id)
	if err != nil {
		return nil, err
	}
	var told bool
	if err := r.QueryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM outbox WHERE shop_id = $1 AND kind = $2 AND object_id = $3)`, shop, string(o.Kind), o.id).Scan(&told); err != nil {
		return nil, err
	}
	policy := b.policy(shop)
	for _, f := range editable[o.Kind] {
		in := FieldInShop{SKU: sku, Field: f, Owner: outbox.Shop, Books: o.Ours[f], Stated: o.Theirs[f], State: "same"}
		agreed, met := o.Agreed[f]
		owned := policy.Owns(outbox.Setting(o.Kind, f)) && (o.noPrice == "" || !isPrice(f))
		if owned {
			in.Owner = outbox.ERP
		}
		switch _, known := o.Ours[f]; {
		case !known && f == intake.FieldCategories, catalog.Same(f, in.Books, in.Stated),
			owned && met && catalog.Same(f, agreed.Theirs, in.Stated) && (told || catalog.Same(f, agreed.Ours, in.Books)):
		case slices.ContainsFunc(conflicts, func(c StandingConflict) bool { return c.Field == f }):
			in.State = "conflict"
		case owned && policy.On:
			in.State = "waiting"
		default:
			in.State = "different"
		}
		list = append(list, in)
	}
	return list, nil
}
