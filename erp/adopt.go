package erp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/store"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// adoptCategories makes the categories of the shops that leave them to the books
// those of the house, shop after shop: what has the same name in the same place
// is one category. Those that are new are made in the other shops.
func (b *Books) adoptCategories(ctx context.Context) error {
	for _, s := range b.ranked {
		if !b.policy(s.id).Owns(intake.FieldCategories) {
			continue
		}
		unadopted, err := catalog.CategoriesOf(ctx, b.db, s.id)
		if err != nil {
			return err
		}
		if len(unadopted) == 0 {
			continue
		}
		if err := b.db.Write(ctx, func(tx *store.Tx) error { return b.adopt(ctx, tx, s.id) }); err != nil {
			return fmt.Errorf("make the categories of %s those of the house: %w", s.name, err)
		}
	}
	return nil
}

// foldName writes a name as names of categories are compared.
func foldName(name string) string {
	return cases.Fold().String(norm.NFC.String(strings.Join(strings.Fields(name), " ")))
}

// tree is the categories of the house.
type tree struct {
	byID  map[int64]catalog.Category
	under map[int64][]int64 // children, in the order in which the books met them
}

func houseTree(ctx context.Context, r store.Reader) (tree, error) {
	list, err := catalog.CategoriesOf(ctx, r, 0)
	t := tree{byID: map[int64]catalog.Category{}, under: map[int64][]int64{}}
	for _, c := range list {
		t.add(c)
	}
	return t, err
}

func (t tree) add(c catalog.Category) {
	t.byID[c.ID] = c
	t.under[c.Parent] = append(t.under[c.Parent], c.ID)
}

// child returns the first category of a name under another one that is free.
func (t tree) child(parent int64, name string, free func(int64) bool) int64 {
	for _, id := range t.under[parent] {
		if foldName(t.byID[id].Name) == foldName(name) && free(id) {
			return id
		}
	}
	return 0
}

// only returns the category of a name, where there is one of that name in all
// the tree, and it is free.
func (t tree) only(name string, free func(int64) bool) int64 {
	var found []int64
	for id, c := range t.byID {
		if foldName(c.Name) == foldName(name) {
			found = append(found, id)
		}
	}
	if len(found) != 1 || !free(found[0]) {
		return 0
	}
	return found[0]
}

// adopt makes the categories of a shop those of the house.
func (b *Books) adopt(ctx context.Context, tx *store.Tx, shop int64) error {
	list, err := catalog.CategoriesOf(ctx, tx, shop)
	if err != nil {
		return err
	}
	house, err := houseTree(ctx, tx)
	if err != nil {
		return err
	}
	taken, err := boundAs(ctx, tx, shop, intake.KindCategory, idsOf(house))
	if err != nil {
		return err
	}
	flat, err := flatShop(ctx, tx, shop)
	if err != nil {
		return err
	}
	products, err := b.placeAsFirst(ctx, tx, shop)
	if err != nil {
		return err
	}
	is := map[int64]int64{} // what a category of the shop is in the house
	free := func(id int64) bool { _, bound := taken[id]; return !bound }
	for _, c := range topDown(list) {
		if c.Parent = is[c.Parent]; c.Parent == 0 && flat {
			is[c.ID] = house.only(c.Name, free)
		}
		if is[c.ID] == 0 {
			is[c.ID] = house.child(c.Parent, c.Name, free)
		}
		if into := is[c.ID]; into != 0 {
			taken[into] = intake.Ref{}
			rebind(tx, shop, c.ID, into)
			b.tell(tx, intake.KindCategory, into, editable[intake.KindCategory], 0)
			if b.policy(shop).Sends(intake.FieldCategories) {
				if err := wakeThoseWithin(ctx, tx, shop, into, b.opts.Now()); err != nil {
					return err
				}
			}
			continue
		}
		is[c.ID], c.Shop = c.ID, 0
		taken[c.ID] = intake.Ref{}
		house.add(c)
		tx.Queue(`UPDATE category SET shop_id = 0, parent_id = $2 WHERE id = $1`, c.ID, c.Parent)
		b.tell(tx, intake.KindCategory, c.ID, editable[intake.KindCategory], 0)
	}
	for _, id := range products {
		b.tell(tx, intake.KindProduct, id, []intake.Field{intake.FieldCategories}, 0)
	}
	return nil
}

func idsOf(t tree) []int64 {
	out := make([]int64, 0, len(t.byID))
	for id := range t.byID {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// topDown orders categories so that each comes after the one above it. What
// stands under itself comes last.
func topDown(list []catalog.Category) []catalog.Category {
	under := map[int64][]catalog.Category{}
	own := map[int64]bool{}
	for _, c := range list {
		own[c.ID] = true
	}
	for _, c := range list {
		if !own[c.Parent] {
			c.Parent = 0
		}
		under[c.Parent] = append(under[c.Parent], c)
	}
	out := slices.Clone(under[0])
	for i := 0; i < len(out); i++ {
		out = append(out, under[out[i].ID]...)
	}
	for _, c := range list {
		if !slices.ContainsFunc(out, func(x catalog.Category) bool { return x.ID == c.ID }) {
			c.Parent = 0
			out = append(out, c)
		}
	}
	return out
}

// flatShop reports whether a shop has never stated a category under another one.
func flatShop(ctx context.Context, r store.Reader, shop int64) (bool, error) {
	var tree bool
	err := r.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM category WHERE shop_id = $1 AND parent_id <> 0)
		OR EXISTS (SELECT 1 FROM agreed WHERE shop_id = $1 AND kind = 'category' AND field = 'parent' AND theirs <> '')`, shop).Scan(&tree)
	if err != nil {
		return false, fmt.Errorf("look whether the categories form a tree: %w", err)
	}
	return !tree, nil
}

// placeAsFirst drops in which of its categories a shop has the products that a
// shop before it, which leaves its categories to the books too, has placed. It
// returns the products that stand in categories of the shop.
func (b *Books) placeAsFirst(ctx context.Context, tx *store.Tx, shop int64) ([]int64, error) {
	products, err := readIDs(ctx, tx, `SELECT DISTINCT l.product_id FROM product_category l JOIN category c ON c.id = l.category_id WHERE c.shop_id = $1 ORDER BY l.product_id`, shop)
	if err != nil {
		return nil, fmt.Errorf("read what stands in the categories: %w", err)
	}
	var before []int64
	for _, s := range b.ranked {
		if s.id != shop && b.before(s.id, shop) && b.policy(s.id).Owns(intake.FieldCategories) {
			before = append(before, s.id)
		}
	}
	if len(before) > 0 {
		tx.Queue(`DELETE FROM product_category WHERE category_id IN (SELECT id FROM category WHERE shop_id = $1)
			AND product_id IN (SELECT local_id FROM origin WHERE kind = 'product' AND NOT gone AND shop_id IN (`+store.In(len(before), 2)+`))`, store.InArgs([]any{shop}, before)...)
	}
	return products, nil
}

// rebind queues that a category of a shop is one of the house.
func rebind(tx *store.Tx, shop, category, into int64) {
	tx.Queue(`DELETE FROM payload WHERE shop_id = $1 AND kind = 'category' AND local_id = $2`, shop, into)
	for _, q := range []string{
		`UPDATE payload SET local_id = $3 WHERE shop_id = $1 AND kind = 'category' AND local_id = $2`,
		`UPDATE origin SET local_id = $3 WHERE shop_id = $1 AND kind = 'category' AND local_id = $2`,
	} {
		tx.Queue(q, shop, category, into)
	}
	forgetAgreed(tx, shop, intake.KindCategory, category)
	tx.Queue(`INSERT INTO product_category (product_id, category_id) SELECT product_id, CAST($2 AS BIGINT) FROM product_category WHERE category_id = $1
		ON CONFLICT (product_id, category_id) DO NOTHING`, category, into)
	tx.Queue(`DELETE FROM product_category WHERE category_id = $1`, category)
	tx.Queue(`UPDATE category SET parent_id = $2 WHERE parent_id = $1`, category, into)
	tx.Queue(`DELETE FROM category WHERE id = $1`, category)
}
