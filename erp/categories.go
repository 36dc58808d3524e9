package erp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// CategoryNode is a category of the house with its place in the tree.
type CategoryNode struct {
	ID       int64  `json:"id"`
	Parent   int64  `json:"parent"` // 0 for a root
	Path     string `json:"path"`   // the names from the root down, with slashes between them
	Name     string `json:"name"`
	Products int    `json:"products"` // that stand in it, not in those under it
	// Shops are those that leave their categories to the books, in order; never
	// nil.
	Shops []InShop `json:"shops"`
}

// InShop says under which id a shop has something; "" while it does not.
type InShop struct {
	Shop string `json:"shop"`
	ID   string `json:"id"`
}

// CategoryChange says what became of a category.
type CategoryChange struct {
	Category CategoryNode `json:"category"`
	Was      string       `json:"was,omitempty"`   // its path before, where that has changed
	Moved    []string     `json:"moved,omitempty"` // what stood under one that was deleted, as paths now
	Shops    []string     `json:"shops"`           // that are told; never nil
}

// Categories lists the categories of the house, each after the one above it,
// sorted by name.
func (b *Books) Categories(ctx context.Context) ([]CategoryNode, error) {
	var out []CategoryNode
	err := b.db.Read(ctx, func(r store.Reader) error {
		t, err := houseTree(ctx, r)
		if err != nil {
			return err
		}
		out, err = b.nodes(ctx, r, t)
		return err
	})
	return out, err
}

// nodes lists a tree.
func (b *Books) nodes(ctx context.Context, r store.Reader, t tree) ([]CategoryNode, error) {
	products := map[int64]int{}
	rows, err := r.Query(ctx, `SELECT l.category_id, COUNT(*) FROM product_category l JOIN category c ON c.id = l.category_id WHERE c.shop_id = 0 GROUP BY l.category_id`)
	if err != nil {
		return nil, fmt.Errorf("count the products of the categories: %w", err)
	}
	for rows.Next() {
		var id int64
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		products[id] = n
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	out := []CategoryNode{}
	for _, id := range t.all() {
		c := t.byID[id]
		out = append(out, CategoryNode{ID: id, Parent: c.Parent, Path: t.path(id), Name: c.Name, Products: products[id], Shops: []InShop{}})
	}
	for _, s := range b.ranked {
		if !b.policy(s.id).Owns(intake.FieldCategories) {
			continue
		}
		bound, err := boundAs(ctx, r, s.id, intake.KindCategory, idsOf(t))
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i].Shops = append(out[i].Shops, InShop{Shop: s.name, ID: bound[out[i].ID].ID})
		}
	}
	return out, nil
}

// all lists the ids of a tree, each after the one above it, by name.
func (t tree) all() []int64 {
	var out []int64
	seen := map[int64]bool{}
	var walk func(parent int64)
	walk = func(parent int64) {
		under := slices.Clone(t.under[parent])
		slices.SortFunc(under, func(a, b int64) int { return cmp.Or(cmp.Compare(t.byID[a].Name, t.byID[b].Name), cmp.Compare(a, b)) })
		for _, id := range under {
			if !seen[id] {
				seen[id] = true
				out = append(out, id)
				walk(id)
			}
		}
	}
	walk(0)
	return out
}

// longestName is how many characters a name can have in every shop: WordPress
// keeps 200.
const longestName = 200

// pathSeparator stands between the names of a path.
const pathSeparator = "/"

// path is the names from the root down to a category.
func (t tree) path(id int64) string {
	var names []string
	for _, id := range t.line(id) {
		names = append(names, t.byID[id].Name)
	}
	slices.Reverse(names)
	return strings.Join(names, pathSeparator)
}

// line is a category and those that it stands under, up to the root, each once:
// while a shop that decides on its tree is read, two of them may stand under
// each other.
func (t tree) line(id int64) []int64 {
	var out []int64
	for ; id != 0 && !slices.Contains(out, id); id = t.byID[id].Parent {
		out = append(out, id)
	}
	return out
}

// find returns the category that a person means by its path, by the end of one
// that is like no other, or by its number.
func (t tree) find(which string) (int64, error) {
	folded := foldName(strings.Trim(which, pathSeparator))
	var whole, ends, near []int64
	for _, id := range t.all() {
		path := foldName(t.path(id))
		switch {
		case path == folded:
			whole = append(whole, id)
		case strings.HasSuffix(path, pathSeparator+folded):
			ends = append(ends, id)
		case fault.Distance(folded, foldName(t.byID[id].Name)) <= max(1, len(folded)/3):
			near = append(near, id)
		}
	}
	if id, err := strconv.ParseInt(which, 10, 64); err == nil && len(whole) == 0 && t.byID[id].ID != 0 {
		return id, nil
	}
	found := whole
	if len(found) == 0 {
		found = ends
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return 0, fault.New(fault.Invalid, "name one of them: "+t.list(found), "%q may be several categories", which)
	case len(near) > 0:
		return 0, fault.New(fault.NotFound, "did you mean "+t.list(near)+"? See: comptoir category list", "there is no category %q", which)
	}
	return 0, fault.New(fault.NotFound, "see: comptoir category list", "there is no category %q", which)
}

// list names categories by path and number.
func (t tree) list(ids []int64) string {
	var out []string
	for _, id := range ids[:min(len(ids), 5)] {
		out = append(out, fmt.Sprintf("%s (%d)", t.path(id), id))
	}
	return strings.Join(out, ", ")
}

// AddCategory adds a category under another one, "" for a root; it is made in
// every shop that leaves its categories to the books. With dry nothing is
// changed, here as in what follows.
func (b *Books) AddCategory(ctx context.Context, name, under string, dry bool) (CategoryChange, error) {
	return b.changeTree(ctx, dry, func(d *gardener) error {
		parent, err := d.parent(under)
		if err != nil {
			return err
		}
		if name, err = d.name(name, parent, 0); err != nil {
			return err
		}
		if d.id, err = d.tx.NewID(ctx); err != nil {
			return err
		}
		catalog.SaveCategory(d.tx, d.id, 0, parent, &intake.Category{Name: name})
		d.b.tell(d.tx, intake.KindCategory, d.id, editable[intake.KindCategory], 0)
		return nil
	})
}

// RenameCategory gives a category another name.
func (b *Books) RenameCategory(ctx context.Context, which, name string, dry bool) (CategoryChange, error) {
	return b.changeTree(ctx, dry, func(d *gardener) (err error) {
		if err = d.pick(which); err != nil {
			return err
		}
		if name, err = d.name(name, d.tree.byID[d.id].Parent, d.id); err != nil {
			return err
		}
		d.tx.Queue(`UPDATE category SET name = $2 WHERE id = $1`, d.id, name)
		d.b.tell(d.tx, intake.KindCategory, d.id, []intake.Field{intake.FieldName}, 0)
		return nil
	})
}

// MoveCategory puts a category, with all that stands under it, under another
// one, "" for the root.
func (b *Books) MoveCategory(ctx context.Context, which, under string, dry bool) (CategoryChange, error) {
	return b.changeTree(ctx, dry, func(d *gardener) error {
		if err := d.pick(which); err != nil {
			return err
		}
		parent, err := d.parent(under)
		if err != nil {
			return err
		}
		if slices.Contains(d.tree.line(parent), d.id) {
			return fault.New(fault.Invalid, "choose another place", "%s stands under %s, or is it", d.tree.path(parent), d.tree.path(d.id))
		}
		if _, err := d.name(d.tree.byID[d.id].Name, parent, d.id); err != nil {
			return err
		}
		d.move(d.id, parent)
		return nil
	})
}

// DeleteCategory deletes a category here and in the shops; the products in it
// stay. One under which others stand is refused, unless these are to move up to
// where it stood.
func (b *Books) DeleteCategory(ctx context.Context, which string, childrenUp, dry bool) (CategoryChange, error) {
	return b.changeTree(ctx, dry, func(d *gardener) error {
		if err := d.pick(which); err != nil {
			return err
		}
		under := d.tree.under[d.id]
		if len(under) > 0 && !childrenUp {
			return fault.New(fault.Conflict, "delete these first, or have them move up with --children up", "under %s stands: %s", d.tree.path(d.id), d.tree.list(under))
		}
		for _, child := range under {
			up := d.tree.byID[d.id].Parent
			if _, err := d.name(d.tree.byID[child].Name, up, d.id); err != nil {
				return err
			}
			d.move(child, up)
			d.moved = append(d.moved, child)
		}
		products, err := readIDs(ctx, d.tx, `SELECT product_id FROM product_category WHERE category_id = $1`, d.id)
		if err != nil {
			return fmt.Errorf("read what stands in category %d: %w", d.id, err)
		}
		d.tx.Queue(`DELETE FROM product_category WHERE category_id = $1`, d.id)
		d.tx.Queue(`UPDATE category SET deleted = TRUE WHERE id = $1`, d.id)
		d.b.tell(d.tx, intake.KindCategory, d.id, editable[intake.KindCategory], 0)
		for _, p := range products {
			d.b.tell(d.tx, intake.KindProduct, p, []intake.Field{intake.FieldCategories}, 0)
		}
		return nil
	})
}

// gardener changes the tree within one transaction.
type gardener struct {
	b     *Books
	tx    *store.Tx
	tree  tree
	id    int64 // the category that is changed
	moved []int64
}

// changeTree makes one change of the tree and tells what became of it.
func (b *Books) changeTree(ctx context.Context, dry bool, change func(*gardener) error) (CategoryChange, error) {
	var out CategoryChange
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		out = CategoryChange{Shops: []string{}}
		for _, s := range b.ranked {
			if b.policy(s.id).Sends(intake.FieldCategories) {
				out.Shops = append(out.Shops, s.name)
			}
		}
		if err := b.anyOwner(intake.FieldCategories); err != nil {
			return err
		}
		before, err := houseTree(ctx, tx)
		if err != nil {
			return err
		}
		d := &gardener{b: b, tx: tx, tree: before}
		if err := change(d); err != nil {
			return err
		}
		after, err := houseTree(ctx, tx)
		if err != nil {
			return err
		}
		nodes, err := b.nodes(ctx, tx, after)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(nodes, func(n CategoryNode) bool { return n.ID == d.id }); i >= 0 {
			out.Category = nodes[i]
		} else {
			c := before.byID[d.id]
			out.Category = CategoryNode{ID: c.ID, Parent: c.Parent, Path: before.path(c.ID), Name: c.Name, Shops: []InShop{}}
		}
		if was := before.path(d.id); was != out.Category.Path {
			out.Was = was
		}
		for _, id := range d.moved {
			out.Moved = append(out.Moved, after.path(id))
		}
		if dry {
			return errPreview
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPreview) {
		return CategoryChange{}, err
	}
	return out, nil
}

// anyOwner refuses what no shop leaves to the books.
func (b *Books) anyOwner(f intake.Field) error {
	for _, s := range b.ranked {
		if b.policy(s.id).Owns(f) {
			return nil
		}
	}
	name := "NAME"
	if len(b.ranked) > 0 {
		name = b.ranked[0].name
	}
	return fault.New(fault.Conflict, fmt.Sprintf("to have the books decide: shops.%s.owners.%s: erp", name, f), "no shop leaves its %s to the books", f)
}

// pick chooses the category that is changed.
func (d *gardener) pick(which string) (err error) {
	d.id, err = d.tree.find(which)
	return err
}

// parent returns the category that another one is to stand under.
func (d *gardener) parent(under string) (int64, error) {
	if strings.Trim(under, pathSeparator) == "" {
		return 0, nil
	}
	return d.tree.find(under)
}

// name returns a name as it is written, refusing one that cannot be given to a
// category under parent. But is the one that has it already.
func (d *gardener) name(name string, parent, but int64) (string, error) {
	if name = strings.Join(strings.Fields(name), " "); name == "" {
		return "", fault.New(fault.Invalid, "say what the category is called", "the name is empty")
	}
	if err := catalog.CheckLine(intake.FieldName, name, longestName); err != nil {
		return "", err
	}
	if strings.Contains(name, pathSeparator) && name != d.tree.byID[d.id].Name {
		return "", fault.New(fault.Invalid, "name the place with --under", "%q: a slash stands between names, never in one", name)
	}
	for _, id := range d.tree.under[parent] {
		if id != but && foldName(d.tree.byID[id].Name) == foldName(name) {
			return "", fault.New(fault.Conflict, "choose another name, or another place", "there is a category %s already, %d", d.tree.path(id), id)
		}
	}
	return name, nil
}

func (d *gardener) move(id, parent int64) {
	d.tx.Queue(`UPDATE category SET parent_id = $2 WHERE id = $1`, id, parent)
	d.b.tell(d.tx, intake.KindCategory, id, []intake.Field{intake.FieldParent}, 0)
}
