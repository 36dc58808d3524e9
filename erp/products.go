package erp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// Assignment is a field of a product or a variant with its value as a person
// writes it; see catalog.Value. Categories are paths with commas between them.
type Assignment struct {
	Field intake.Field
	Text  string
}

// FieldChange is a field that has changed.
type FieldChange struct {
	SKU   string       `json:"sku,omitempty"` // of the variant; "" for a field of the product
	Field intake.Field `json:"field"`
	From  string       `json:"from"`
	To    string       `json:"to"`
}

// ProductChange says what became of a product.
type ProductChange struct {
	Product  int64         `json:"product"`
	Title    string        `json:"title"`
	Changes  []FieldChange `json:"changes"`  // never nil
	Warnings []string      `json:"warnings"` // never nil
	Shops    []string      `json:"shops"`    // that are told; never nil
}

// SetProduct changes fields of a product and of one of its variants. Which is
// the SKU of the variant, or the number of the product; by its number the fields
// of a variant can be set where the product has one only. A field that the shop
// which describes the product keeps to itself is refused. With dry nothing is
// changed.
func (b *Books) SetProduct(ctx context.Context, which string, set []Assignment, dry bool) (ProductChange, error) {
	return b.withClerk(ctx, which, dry, func(c *clerk) error {
		if err := c.set(ctx, set); err != nil {
			return err
		}
		return c.save(ctx)
	})
}

// withClerk has work change a product, in a transaction that is not committed
// where dry is set.
func (b *Books) withClerk(ctx context.Context, which string, dry bool, work func(*clerk) error) (ProductChange, error) {
	var out ProductChange
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		c, err := b.openClerk(ctx, tx, which)
		if err != nil {
			return err
		}
		if err := work(c); err != nil {
			return err
		}
		out = c.out
		if dry {
			return errPreview
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPreview) {
		return ProductChange{}, err
	}
	return out, nil
}

// clerk changes one product within one transaction.
type clerk struct {
	b        *Books
	tx       *store.Tx
	id       int64
	product  *intake.Product
	variant  *catalog.Described // nil where it is not said which
	shops    []int64            // that have the product, in order
	tree     tree
	places   []int64 // categories of the house that it stands in
	placesTo []int64 // the same after the change
	out      ProductChange
}

// openClerk reads what a person means by a SKU or a number.
func (b *Books) openClerk(ctx context.Context, tx *store.Tx, which string) (*clerk, error) {
	c := &clerk{b: b, tx: tx, out: ProductChange{Changes: []FieldChange{}, Warnings: []string{}, Shops: []string{}}}
	variant := int64(0)
	var err error
	if c.id, variant, err = findProduct(ctx, tx, which); err != nil {
		return nil, err
	}
	products, err := catalog.Products(ctx, tx, []int64{c.id})
	if err != nil {
		return nil, err
	}
	if c.product = products[c.id]; c.product == nil {
		return nil, fault.New(fault.NotFound, "see: comptoir product list", "the product of %q has not been read yet", which)
	}
	if variant != 0 {
		variants, err := catalog.DescribedVariants(ctx, tx, []int64{variant})
		if err != nil {
			return nil, err
		}
		c.variant = variants[variant]
	}
	bound, err := catalog.BoundTo(ctx, tx, intake.KindProduct, c.id)
	if err != nil {
		return nil, err
	}
	for _, s := range b.ranked {
		if slices.Contains(bound, s.id) {
			c.shops = append(c.shops, s.id)
		}
	}
	if c.tree, err = houseTree(ctx, tx); err != nil {
		return nil, err
	}
	standing, err := catalog.HouseCategoriesOf(ctx, tx, []int64{c.id})
	c.places, c.placesTo = standing[c.id], standing[c.id]
	c.out.Product, c.out.Title = c.id, c.product.Title
	return c, err
}

// findProduct returns the product that a person means by a SKU or a number, and
// its variant where there is one that is meant.
func findProduct(ctx context.Context, r store.Reader, which string) (product, variant int64, err error) {
	rows, err := r.Query(ctx, `SELECT id, product_id FROM variant WHERE sku = $1 AND sku <> '' AND merged_into = 0 AND NOT stub AND sellable ORDER BY id`, which)
	if err != nil {
		return 0, 0, fmt.Errorf("look for SKU %q: %w", which, err)
	}
	var products []string
	for rows.Next() {
		if err := rows.Scan(&variant, &product); err != nil {
			return 0, 0, errors.Join(err, rows.Close())
		}
		products = append(products, strconv.FormatInt(product, 10))
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, 0, err
	}
	switch {
	case len(products) == 1:
		return product, variant, nil
	case len(products) > 1:
		return 0, 0, fault.New(fault.Invalid, "name one of the products by its number: "+strings.Join(slices.Compact(products), ", "), "several variants have the SKU %q", which)
	}
	number, bad := strconv.ParseInt(which, 10, 64)
	if bad != nil {
		return 0, 0, fault.New(fault.NotFound, "see: comptoir product list", "there is no SKU %q", which)
	}
	all, err := catalog.Products(ctx, r, []int64{number})
	if err != nil {
		return 0, 0, err
	}
	if all[number] == nil {
		return 0, 0, fault.New(fault.NotFound, "see: comptoir product list", "there is no SKU %q and no product %d", which, number)
	}
	variants, err := catalog.VariantsOf(ctx, r, []int64{number})
	if err == nil && len(variants[number]) == 1 {
		variant = variants[number][0]
	}
	return number, variant, err
}

// set notes the new values, refusing what cannot be.
func (c *clerk) set(ctx context.Context, set []Assignment) error {
	if len(set) == 0 {
		return fault.New(fault.Invalid, "say FIELD=VALUE; the fields are "+settable(), "nothing is to be set")
	}
	product, variant := map[intake.Field]string{}, map[intake.Field]string{}
	for _, a := range set {
		kind, err := c.may(a.Field)
		if err != nil {
			return err
		}
		if a.Field == intake.FieldCategories {
			if err := c.place(a.Text); err != nil {
				return err
			}
			continue
		}
		value, warning, err := catalog.Value(a.Field, a.Text, c.b.opts.Company.TimeZone)
		if err != nil {
			return err
		}
		if warning != "" {
			c.out.Warnings = append(c.out.Warnings, warning)
		}
		if kind == intake.KindVariant {
			variant[a.Field] = value
		} else {
			product[a.Field] = value
		}
	}
	before := intake.Fields(c.product)
	if err := catalog.Told(c.product, product); err != nil {
		return err
	}
	c.changed(intake.KindProduct, "", before, intake.Fields(c.product))
	if c.variant == nil || len(variant) == 0 {
		return nil
	}
	before = intake.Fields(&c.variant.Variant)
	if err := catalog.Told(&c.variant.Variant, variant); err != nil {
		return err
	}
	c.changed(intake.KindVariant, c.variant.SKU, before, intake.Fields(&c.variant.Variant))
	return c.checkPrices(ctx, variant)
}

// may refuses a field that is none, that another shop keeps to itself, or of
// which it is not said which variant is meant. It returns what it is a field of.
func (c *clerk) may(f intake.Field) (intake.Kind, error) {
	kind := intake.KindProduct
	switch {
	case slices.Contains(editable[intake.KindProduct], f):
	case slices.Contains(editable[intake.KindVariant], f):
		if kind = intake.KindVariant; c.variant == nil {
			return kind, fault.New(fault.Invalid, "name the variant by its SKU", "product %d has several variants, and %s is of one of them", c.id, f)
		}
	default:
		return kind, fault.New(fault.Invalid, "the fields are "+settable(), "a product has no field %q that can be set", f)
	}
	owner := outbox.Setting(kind, f)
	if f == intake.FieldCategories {
		if slices.ContainsFunc(c.shops, func(s int64) bool { return c.b.policy(s).Owns(owner) }) {
			return kind, nil
		}
	} else if len(c.shops) == 0 || c.b.policy(c.shops[0]).Owns(owner) {
		return kind, nil
	}
	if len(c.shops) == 0 {
		return kind, c.b.anyOwner(owner)
	}
	name := c.b.nameOf(c.shops[0])
	return kind, fault.New(fault.Conflict, fmt.Sprintf("change it there, or have the books decide: shops.%s.owners.%s: erp", name, owner),
		"shop %[3]s decides on the %[1]s of product %[2]d", f, c.id, name)
}

// settable names the fields that can be set.
func settable() string {
	var names []string
	for _, kind := range []intake.Kind{intake.KindProduct, intake.KindVariant} {
		for _, f := range editable[kind] {
			names = append(names, string(f))
		}
	}
	return strings.Join(names, ", ")
}

// nameOf is the name of a configured shop.
func (b *Books) nameOf(shop int64) string {
	for _, s := range b.ranked {
		if s.id == shop {
			return s.name
		}
	}
	return fmt.Sprint(shop)
}

// place notes the categories that the product is to stand in.
func (c *clerk) place(text string) error {
	c.placesTo = nil
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, err := c.tree.find(part)
		if err != nil {
			return err
		}
		c.placesTo = append(c.placesTo, id)
	}
	slices.Sort(c.placesTo)
	c.placesTo = slices.Compact(c.placesTo)
	if !slices.Equal(c.places, c.placesTo) {
		c.out.Changes = append(c.out.Changes, FieldChange{Field: intake.FieldCategories, From: c.paths(c.places), To: c.paths(c.placesTo)})
	}
	return nil
}

// paths names categories, sorted.
func (c *clerk) paths(ids []int64) string {
	var out []string
	for _, id := range ids {
		out = append(out, c.tree.path(id))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (c *clerk) changed(kind intake.Kind, sku string, before, after map[intake.Field]string) {
	for _, f := range differing(kind, before, after) {
		if f != intake.FieldCategories {
			c.out.Changes = append(c.out.Changes, FieldChange{SKU: sku, Field: f, From: before[f], To: after[f]})
		}
	}
}

// save writes what has changed, and has the shops told.
func (c *clerk) save(ctx context.Context) error {
	byKind := map[intake.Kind][]intake.Field{}
	for _, ch := range c.out.Changes {
		kind := intake.KindProduct
		if ch.SKU != "" || slices.Contains(editable[intake.KindVariant], ch.Field) {
			kind = intake.KindVariant
		}
		byKind[kind] = append(byKind[kind], ch.Field)
	}
	told := map[int64]bool{}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		fields, id := byKind[kind], c.id
		shops := c.b.sendersOf(kind, fields)
		if kind == intake.KindVariant {
			id = c.variant.ID
			without, err := c.leaveOut(ctx, shops, fields)
			if err != nil {
				return err
			}
			shops = slices.DeleteFunc(shops, func(s int64) bool { return slices.Contains(without, s) })
		}
		c.b.tell(c.tx, kind, id, fields, 0)
		for _, s := range shops {
			told[s] = slices.Contains(c.shops, s)
		}
	}
	for _, s := range c.b.ranked {
		if told[s.id] {
			c.out.Shops = append(c.out.Shops, s.name)
		}
	}
	if len(byKind[intake.KindProduct]) > 0 {
		if err := catalog.SaveProduct(c.tx, c.id, c.product); err != nil {
			return err
		}
	}
	if !slices.Equal(c.places, c.placesTo) {
		putInto(c.tx, c.id, c.placesTo)
	}
	if len(byKind[intake.KindVariant]) > 0 {
		return catalog.Reword(c.tx, c.variant.ID, &c.variant.Variant)
	}
	return nil
}

// putInto queues in which categories of the house a product stands.
func putInto(tx *store.Tx, product int64, categories []int64) {
	tx.Queue(`DELETE FROM product_category WHERE product_id = $1 AND category_id IN (SELECT id FROM category WHERE shop_id = 0)`, product)
	for _, c := range categories {
		tx.Queue(`INSERT INTO product_category (product_id, category_id) VALUES ($1, $2) ON CONFLICT (product_id, category_id) DO NOTHING`, product, c)
	}
}
