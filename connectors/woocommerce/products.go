package woocommerce

import (
	"encoding/json"
	"fmt"
	"strings"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// product is what is read of a product and of a variation.
type product struct {
	ID          scalar                `json:"id"`
	ParentID    scalar                `json:"parent_id"`
	Type        scalar                `json:"type"`
	Name        scalar                `json:"name"`
	Slug        scalar                `json:"slug"`
	Status      scalar                `json:"status"`
	Modified    scalar                `json:"date_modified_gmt"`
	Description scalar                `json:"description"`
	Short       scalar                `json:"short_description"`
	SKU         scalar                `json:"sku"`
	Barcode     scalar                `json:"global_unique_id"`
	Price       scalar                `json:"price"`
	Regular     scalar                `json:"regular_price"`
	Sale        scalar                `json:"sale_price"`
	SaleFrom    scalar                `json:"date_on_sale_from_gmt"`
	SaleTo      scalar                `json:"date_on_sale_to_gmt"`
	Virtual     scalar                `json:"virtual"`
	TaxClass    scalar                `json:"tax_class"`
	ManageStock scalar                `json:"manage_stock"` // true, false or "parent"
	Stock       scalar                `json:"stock_quantity"`
	Backorders  scalar                `json:"backorders"`
	Weight      scalar                `json:"weight"`
	Categories  list[term]            `json:"categories"`
	Brands      list[term]            `json:"brands"`
	Images      list[object[picture]] `json:"images"`
	Attributes  list[attribute]       `json:"attributes"`
	Variations  list[scalar]          `json:"variations"`
	Meta        list[meta]            `json:"meta_data"`
	CostOfGoods object[costOfGoods]   `json:"cost_of_goods_sold"`
}

type term struct {
	ID   scalar `json:"id"`
	Name scalar `json:"name"`
}

type picture struct {
	Src scalar `json:"src"`
}

// attribute holds the one option of a variation; a product's own list of
// options is not read.
type attribute struct {
	Name   scalar `json:"name"`
	Option scalar `json:"option"`
}

// costOfGoods is WooCommerce's own cost field, where the feature is on.
type costOfGoods struct {
	Values list[object[json.RawMessage]] `json:"values"`
	Total  scalar                        `json:"total_value"`
}

const managedByParent = "parent"

func (c *Connector) productRecord(raw json.RawMessage) intake.Record {
	r, p := new(reading), new(product)
	if err := json.Unmarshal(raw, p); err != nil {
		r.problem = unreadable(err)
	}
	return seal(r, intake.KindProduct, p.ID, "", p.Modified, c.productBody(r, p), raw)
}

// isVariable reports whether a product of a type, with so many variations, is
// sold as these and not itself.
func isVariable(kind scalar, variations int) bool {
	return kind.text == "variable" || strings.HasPrefix(kind.text, "variable-") || variations > 0
}

func (c *Connector) productBody(r *reading, p *product) *intake.Product {
	b := &intake.Product{
		Title:       p.Name.plain(),
		Slug:        p.Slug.trimmed(),
		Description: p.Description.trimmed(),
		Short:       p.Short.trimmed(),
		Status:      publication(p.Status),
		Kind:        p.kind(),
		TaxClass:    p.TaxClass.trimmed(),
	}
	if p.ID.id() == 0 {
		r.fail("id", fmt.Errorf("%q is no id of a product", p.ID.text))
	}
	if len(p.Brands) > 0 {
		b.Brand = p.Brands[0].Name.plain()
	}
	for i := range p.Categories {
		if id := p.Categories[i].ID.ref(); id != "" {
			b.CategoryIDs = append(b.CategoryIDs, id)
		}
	}
	for i := range p.Images {
		if src := p.Images[i].v.Src.trimmed(); src != "" {
			b.Images = append(b.Images, src)
		}
	}
	switch {
	case p.Type.text == "grouped": // only points to others
	case isVariable(p.Type, len(p.Variations)):
		if p.ManageStock.yes() {
			pool := c.variant(r, p, p.ID.ref())
			pool.Sellable = false
			b.Variants = []intake.Variant{pool}
		}
	default:
		b.Variants = []intake.Variant{c.variant(r, p, p.ID.ref())}
	}
	return b
}

// variantRecord reads a variation. The list under a product does not repeat
// whose it is, so parent says it.
func (c *Connector) variantRecord(raw json.RawMessage, parent string) intake.Record {
	r, p := new(reading), new(product)
	if err := json.Unmarshal(raw, p); err != nil {
		r.problem = unreadable(err)
	}
	if own := p.ParentID.ref(); own != "" {
		parent = own
	}
	if p.ID.id() == 0 {
		r.fail("id", fmt.Errorf("%q is no id of a variation", p.ID.text))
	}
	v := c.variant(r, p, parent)
	v.Title = p.Name.plain()
	for i := range p.Attributes {
		if value := p.Attributes[i].Option.plain(); value != "" {
			v.Options = append(v.Options, intake.Option{Name: p.Attributes[i].Name.plain(), Value: value})
		}
	}
	return seal(r, intake.KindVariant, p.ID, parent, p.Modified, &v, raw)
}

// variant is the sellable unit in p, which is a variation or a product that is
// itself sold.
func (c *Connector) variant(r *reading, p *product, parent string) intake.Variant {
	v := intake.Variant{
		ID:         p.ID.ref(),
		ProductID:  parent,
		SKU:        p.SKU.trimmed(),
		Barcode:    p.Barcode.trimmed(),
		Status:     publication(p.Status),
		Kind:       p.kind(),
		TaxClass:   p.TaxClass.trimmed(),
		Price:      r.optional(p.Price, "price"),
		Regular:    r.optional(p.Regular, "regular_price"),
		Sale:       r.optional(p.Sale, "sale_price"),
		SaleFrom:   r.instant(p.SaleFrom, "date_on_sale_from_gmt"),
		SaleTo:     r.instant(p.SaleTo, "date_on_sale_to_gmt"),
		Cost:       c.cost(r, p),
		Weight:     c.weight(p.Weight),
		Backorders: p.Backorders.trimmed(),
		Sellable:   true,
	}
	switch {
	case p.ManageStock.text == managedByParent:
		v.Tracked, v.StockOf = true, parent
	case p.ManageStock.yes():
		v.Tracked = true
		stock := r.amount(p.Stock, "stock_quantity")
		v.Stock = &stock
	}
	return v
}

// cost is what one unit costs: by the configured metadata, else by
// WooCommerce's own field, where a value was set.
func (c *Connector) cost(r *reading, p *product) *decimal.Decimal {
	if text := metaOf(p.Meta, c.cfg.CostMeta); text != "" {
		return r.optional(scalar{text: text}, "metadata "+c.cfg.CostMeta)
	}
	own := &p.CostOfGoods.v
	total := r.optional(own.Total, "cost_of_goods_sold.total_value")
	if total != nil && total.IsZero() && len(own.Values) == 0 {
		return nil // the feature is on, and nobody has filled it in
	}
	return total
}

func (p *product) kind() intake.ProductKind {
	switch {
	case scalar{text: metaOf(p.Meta, "_gift_card")}.yes():
		return intake.ProductGiftCard
	case p.Virtual.yes():
		return intake.ProductService
	default:
		return intake.ProductStocked
	}
}

// publication maps a status of WordPress; one that is not known stays as it
// is.
func publication(status scalar) string {
	switch s := status.trimmed(); s {
	case "publish":
		return "published"
	case "trash":
		return "archived"
	default:
		return s
	}
}
