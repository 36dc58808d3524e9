package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Products reads products by id as the books describe them, without their
// categories and variants.
func Products(ctx context.Context, r store.Reader, ids []int64) (map[int64]*intake.Product, error) {
	out := make(map[int64]*intake.Product, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT id, title, slug, description, short, brand, status, kind, tax_class, images FROM product WHERE id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var images string
		p := new(intake.Product)
		if err := rows.Scan(&id, &p.Title, &p.Slug, &p.Description, &p.Short, &p.Brand, &p.Status, &p.Kind, &p.TaxClass, &images); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(images), &p.Images); err != nil {
			return nil, fmt.Errorf("images of product %d: %w", id, err)
		}
		out[id] = p
	}
	return out, rows.Err()
}

// Described is a variant as the books describe it.
type Described struct {
	ID      int64
	Product int64 // 0 where it is not known
	Stock   int64 // the variant that carries its stock
	// Known: a shop has described it. If not, it was only named.
	Known bool
	intake.Variant
}

// DescribedVariants reads variants by id as the books describe them, without
// what concerns their stock.
func DescribedVariants(ctx context.Context, r store.Reader, ids []int64) (map[int64]*Described, error) {
	out := make(map[int64]*Described, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT id, product_id, stock_id, NOT stub AND NOT unlisted, sku, barcode, title, options, status, kind, tax_class, price, regular, sale, sale_from, sale_to, cost, weight,
		backorders, tracked, sellable FROM variant WHERE merged_into = 0 AND id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read variants: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		d := new(Described)
		v := &d.Variant
		var options, price, regular, sale, cost string
		var from, to int64
		if err := rows.Scan(&d.ID, &d.Product, &d.Stock, &d.Known, &v.SKU, &v.Barcode, &v.Title, &options, &v.Status, &v.Kind, &v.TaxClass, &price, &regular, &sale, &from, &to, &cost, &v.Weight,
			&v.Backorders, &v.Tracked, &v.Sellable); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(options), &v.Options); err != nil {
			return nil, fmt.Errorf("options of variant %d: %w", d.ID, err)
		}
		for _, n := range []struct {
			text string
			into **decimal.Decimal
		}{{price, &v.Price}, {regular, &v.Regular}, {sale, &v.Sale}, {cost, &v.Cost}} {
			if n.text == "" {
				continue
			}
			if *n.into, err = costOf(d.ID, n.text); err != nil {
				return nil, err
			}
		}
		v.SaleFrom, v.SaleTo = store.FromMicros(from), store.FromMicros(to)
		out[d.ID] = d
	}
	return out, rows.Err()
}

// VariantsOf returns the ids of the variants of products that can be sold, in
// the order in which the books met them, by product.
func VariantsOf(ctx context.Context, r store.Reader, products []int64) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	if len(products) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT product_id, id FROM variant WHERE sellable AND merged_into = 0 AND NOT stub AND product_id IN (`+store.In(len(products), 1)+`) ORDER BY id`, store.InArgs(nil, products)...)
	if err != nil {
		return nil, fmt.Errorf("read the variants of products: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var product, id int64
		if err := rows.Scan(&product, &id); err != nil {
			return nil, err
		}
		out[product] = append(out[product], id)
	}
	return out, rows.Err()
}

// Category is a node of the category tree of the house, or of one shop.
type Category struct {
	ID          int64
	Shop        int64 // 0 for one of the house
	Parent      int64 // 0 for a root
	Name        string
	Description string
	Deleted     bool
}

// Categories reads categories by id.
func Categories(ctx context.Context, r store.Reader, ids []int64) (map[int64]Category, error) {
	list, err := categories(ctx, r, `WHERE id IN (`+store.In(len(ids), 1)+`)`, store.InArgs(nil, ids)...)
	out := make(map[int64]Category, len(list))
	for _, c := range list {
		out[c.ID] = c
	}
	return out, err
}

// CategoriesOf reads the categories of a shop that it has described and that
// are not deleted, those of the house for shop 0, in the order in which the
// books met them.
func CategoriesOf(ctx context.Context, r store.Reader, shop int64) ([]Category, error) {
	return categories(ctx, r, `WHERE shop_id = $1 AND name <> '' AND NOT deleted ORDER BY id`, shop)
}

func categories(ctx context.Context, r store.Reader, where string, args ...any) ([]Category, error) {
	rows, err := r.Query(ctx, `SELECT id, shop_id, parent_id, name, description, deleted FROM category `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read categories: %w", err)
	}
	defer rows.Close()
	var out []Category
	for rows.Next() {
		var c Category
		if err := rows.Scan(&c.ID, &c.Shop, &c.Parent, &c.Name, &c.Description, &c.Deleted); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// HouseCategoriesOf returns the ids of the categories of the house that
// products stand in, by product.
func HouseCategoriesOf(ctx context.Context, r store.Reader, products []int64) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	if len(products) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT l.product_id, l.category_id FROM product_category l JOIN category c ON c.id = l.category_id
		WHERE c.shop_id = 0 AND l.product_id IN (`+store.In(len(products), 1)+`) ORDER BY l.product_id, l.category_id`, store.InArgs(nil, products)...)
	if err != nil {
		return nil, fmt.Errorf("read the categories of products: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var product, category int64
		if err := rows.Scan(&product, &category); err != nil {
			return nil, err
		}
		out[product] = append(out[product], category)
	}
	return out, rows.Err()
}

// Told puts the values of fields, in canonical texts, into a Product, a Variant
// or a Category. FieldCategories and FieldParent are left alone, and so is what
// the body does not have. What is no value of its field is an error.
func Told(body any, values map[intake.Field]string) error {
	for f, text := range values {
		if err := tellOne(body, f, text); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

func tellOne(body any, f intake.Field, text string) error {
	switch b := body.(type) {
	case *intake.Product:
		switch f {
		case intake.FieldTitle:
			b.Title = text
		case intake.FieldDescription:
			b.Description = text
		case intake.FieldShort:
			b.Short = text
		case intake.FieldStatus:
			b.Status = text
		case intake.FieldImages:
			return fromList(text, &b.Images)
		}
	case *intake.Variant:
		return tellVariant(b, f, text)
	case *intake.Category:
		switch f {
		case intake.FieldName:
			b.Name = text
		case intake.FieldDescription:
			b.Description = text
		}
	}
	return nil
}

func tellVariant(v *intake.Variant, f intake.Field, text string) (err error) {
	switch f {
	case intake.FieldSKU:
		v.SKU = text
	case intake.FieldBarcode:
		v.Barcode = text
	case intake.FieldPrice:
		v.Regular, err = amount(text)
		v.Price = v.Regular
		if v.Sale != nil {
			v.Price = v.Sale
		}
	case intake.FieldSale:
		v.Sale, err = amount(text)
		v.Price = v.Sale
		if v.Sale == nil {
			v.Price = v.Regular
		}
	case intake.FieldSaleFrom:
		v.SaleFrom, err = instant(text)
	case intake.FieldSaleTo:
		v.SaleTo, err = instant(text)
	case intake.FieldWeight:
		v.Weight = text
	case intake.FieldOptions:
		err = fromList(text, &v.Options)
	case intake.FieldBackorders:
		v.Backorders = text
	}
	return err
}

func amount(text string) (*decimal.Decimal, error) {
	if text == "" {
		return nil, nil
	}
	d, err := intake.Number(text)
	return &d, err
}

func instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, text)
}

func fromList[T any](text string, into *[]T) error {
	*into = nil
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}
