package erp

import (
	"context"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// saveCategory writes a category as a shop describes it. Where the books decide
// on the categories of the shop, only what is new to them is taken over.
func (p *page) saveCategory(ctx context.Context, id int64, said *intake.Category) error {
	parent, err := p.category(ctx, said.ParentID)
	if err != nil {
		return err
	}
	if !p.minds(intake.KindCategory) {
		catalog.SaveCategory(p.tx, id, p.shop, parent, said)
		return nil
	}
	all, err := catalog.Categories(ctx, p.tx, []int64{id})
	if err != nil {
		return err
	}
	had, ok := all[id]
	known, owned := ok && had.Name != "", p.b.policy(p.shop).Owns(intake.FieldCategories)
	if !known || !owned {
		catalog.SaveCategory(p.tx, id, p.shop, parent, said)
	} else if had.Shop != 0 && had.Deleted { // the shop has it again
		p.tx.Queue(`UPDATE category SET deleted = FALSE WHERE id = $1`, id)
	}
	if known && had.Shop == 0 && !owned {
		p.b.tell(p.tx, intake.KindCategory, id, editable[intake.KindCategory], p.shop)
	}
	return p.heed(ctx, intake.KindCategory, id, !known, said)
}

// categoryGone notes that a shop no longer has a category. One of the house stays
// in the books, and is made there again where they decide on it.
func (p *page) categoryGone(ctx context.Context, id int64) error {
	all, err := catalog.Categories(ctx, p.tx, []int64{id})
	if err != nil {
		return err
	}
	forgetAgreed(p.tx, p.shop, intake.KindCategory, id)
	if c := all[id]; c.Shop != 0 {
		p.tx.Queue(`UPDATE category SET deleted = TRUE WHERE id = $1`, id)
		p.tx.Queue(`DELETE FROM product_category WHERE category_id = $1`, id)
	} else if !c.Deleted && len(p.b.sent(p.shop, intake.KindCategory)) > 0 {
		outbox.Put(p.tx, p.shop, outbox.Category, id, p.now)
	}
	return nil
}

// hasHouse reports whether there are categories of the house.
func (p *page) hasHouse(ctx context.Context) (bool, error) {
	if p.house == nil {
		var yes bool
		if err := p.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM category WHERE shop_id = 0)`).Scan(&yes); err != nil {
			return false, fmt.Errorf("look for categories of the house: %w", err)
		}
		p.house = &yes
	}
	return *p.house, nil
}

// saveCategories writes in which of its categories a shop has a product. Those
// of the house that the shop has count as its own where it describes the
// product.
func (p *page) saveCategories(ctx context.Context, product int64, externals []string, describes bool) error {
	house, err := p.hasHouse(ctx)
	if err != nil {
		return err
	}
	categories := make([]int64, 0, len(externals))
	for _, external := range externals {
		c, err := p.category(ctx, external)
		if err != nil {
			return err
		}
		if c != 0 {
			categories = append(categories, c)
		}
	}
	if !house {
		catalog.SaveCategories(p.tx, p.shop, product, categories)
		return nil
	}
	return p.saveAmongHouse(ctx, product, categories, describes)
}

// saveAmongHouse is saveCategories where there are categories of the house.
func (p *page) saveAmongHouse(ctx context.Context, product int64, categories []int64, describes bool) error {
	read, err := catalog.Categories(ctx, p.tx, categories)
	if err != nil {
		return err
	}
	house := func(c int64) bool { return read[c].Shop == 0 && read[c].ID != 0 }
	if describes {
		before, err := catalog.HouseCategoriesOf(ctx, p.tx, []int64{product})
		if err != nil {
			return err
		}
		p.tx.Queue(`DELETE FROM product_category WHERE product_id = $1 AND category_id IN (SELECT c.id FROM category c JOIN origin g ON g.local_id = c.id AND g.kind = 'category'
			WHERE c.shop_id = 0 AND g.shop_id = $2)`, product, p.shop)
		after := slices.DeleteFunc(slices.Clone(categories), func(c int64) bool { return !house(c) })
		slices.Sort(after)
		if !slices.Equal(before[product], slices.Compact(after)) {
			p.b.tell(p.tx, intake.KindProduct, product, []intake.Field{intake.FieldCategories}, p.shop)
		}
	} else {
		categories = slices.DeleteFunc(categories, house)
	}
	catalog.SaveCategories(p.tx, p.shop, product, categories)
	return nil
}
