package intake

import (
	"time"

	"github.com/shopspring/decimal"
)

// ProductKind tells what is kept in stock.
type ProductKind string

// The kinds of product.
const (
	ProductStocked  ProductKind = "stocked"
	ProductService  ProductKind = "service"
	ProductGiftCard ProductKind = "gift_card"
)

// Product groups variants. A shop whose product is itself the sellable unit
// states one variant that has the product's id.
type Product struct {
	Title       string      `json:"title"`
	Slug        string      `json:"slug,omitempty"`
	Description string      `json:"description,omitempty"`
	Short       string      `json:"short,omitempty"`
	Brand       string      `json:"brand,omitempty"`
	Status      string      `json:"status"` // published, draft, archived, or verbatim
	Kind        ProductKind `json:"kind"`
	TaxClass    string      `json:"tax_class,omitempty"`
	CategoryIDs []string    `json:"category_ids,omitempty"`
	Images      []string    `json:"images,omitempty"`
	// Variants are those that the shop sends along with the product. Those
	// of their own resource are not repeated here.
	Variants []Variant `json:"variants,omitempty"`
}

// Variant is the sellable unit.
type Variant struct {
	ID        string           `json:"id"`
	ProductID string           `json:"product_id"`
	SKU       string           `json:"sku,omitempty"`
	Barcode   string           `json:"barcode,omitempty"`
	Title     string           `json:"title,omitempty"`
	Options   []Option         `json:"options,omitempty"`
	Status    string           `json:"status,omitempty"`
	Kind      ProductKind      `json:"kind"`
	TaxClass  string           `json:"tax_class,omitempty"`
	Price     *decimal.Decimal `json:"price,omitempty"`
	Regular   *decimal.Decimal `json:"regular,omitempty"`
	Sale      *decimal.Decimal `json:"sale,omitempty"`
	SaleFrom  time.Time        `json:"sale_from,omitzero"`
	SaleTo    time.Time        `json:"sale_to,omitzero"`
	Cost      *decimal.Decimal `json:"cost,omitempty"`   // the shop's cost field; nil where it has none
	Weight    string           `json:"weight,omitempty"` // see Weight; a number alone where the shop's unit is not known
	// Tracked says whether the shop counts this variant's stock; false for a
	// group that only holds others.
	Tracked bool `json:"tracked"`
	// StockOf is the external id of the variant that carries the stock, where
	// several share one ("manage_stock": "parent"). "" means its own.
	StockOf string `json:"stock_of,omitempty"`
	// Stock is the number that the shop can still sell: it has taken off what
	// open orders hold. Nil where it is not tracked here.
	Stock      *decimal.Decimal `json:"stock,omitempty"`
	Backorders string           `json:"backorders,omitempty"`
	// Levels is Stock by location, for shops that have several.
	Levels []Level `json:"levels,omitempty"`
	// InventoryID is the external id under which the shop counts the stock,
	// where that is another than ID.
	InventoryID string `json:"inventory_id,omitempty"`
	// Sellable is false for the stock pool of a group: a variant that carries
	// stock for others and is never sold itself.
	Sellable bool `json:"sellable"`
}

// Level is what a shop has of a variant at one location.
type Level struct {
	Location  string          `json:"location"`  // external id
	Available decimal.Decimal `json:"available"` // can still be sold
	OnHand    decimal.Decimal `json:"on_hand"`
	Committed decimal.Decimal `json:"committed,omitzero"` // held by open orders
	Incoming  decimal.Decimal `json:"incoming,omitzero"`
}

// Category is a node of the shop's category tree.
type Category struct {
	ParentID    string `json:"parent_id,omitempty"`
	Name        string `json:"name"`
	Slug        string `json:"slug,omitempty"`
	Description string `json:"description,omitempty"`
	Position    int    `json:"position,omitempty"`
}
