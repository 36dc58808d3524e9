package intake

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Field names something that both a shop and the books can change. Its value
// is told as a canonical text, so that equal values have equal texts: texts as
// they are, numbers without needless zeros, instants in RFC 3339 and UTC, lists
// as JSON; "" is nothing.
type Field string

// The fields of a product.
const (
	FieldTitle       Field = "title"
	FieldDescription Field = "description" // HTML
	FieldShort       Field = "short_description"
	FieldStatus      Field = "status"     // published, draft or archived; what a shop calls otherwise, verbatim
	FieldImages      Field = "images"     // URLs, a JSON list; the first is the main one
	FieldCategories  Field = "categories" // external ids, a sorted JSON list
)

// The fields of a variant.
const (
	FieldSKU        Field = "sku"
	FieldBarcode    Field = "barcode"
	FieldPrice      Field = "price"      // regular price (list price)
	FieldSale       Field = "sale_price" // "" where it is not reduced
	FieldSaleFrom   Field = "sale_from"
	FieldSaleTo     Field = "sale_to"
	FieldWeight     Field = "weight"     // as Weight writes it
	FieldOptions    Field = "attributes" // a JSON list of {name, value}
	FieldBackorders Field = "backorders" // no, notify or yes
	FieldQuantity   Field = "stock"      // units that can be sold
)

// The fields of a category.
const (
	FieldName   Field = "name"
	FieldParent Field = "parent" // external id; "" for a root
)

// FieldShipments stands for the shipments of an order.
const FieldShipments Field = "shipments"

// Fields returns the fields of a Product, a Variant or a Category as the shop
// states them. Of other bodies it returns none. Quantities are not among them,
// and what is never sold itself has no price: a shop may state one that it
// works out from those of the variants.
func Fields(body any) map[Field]string {
	switch b := body.(type) {
	case *Product:
		return map[Field]string{FieldTitle: b.Title, FieldDescription: b.Description, FieldShort: b.Short, FieldStatus: b.Status,
			FieldImages: List(b.Images), FieldCategories: Sorted(b.CategoryIDs)}
	case *Variant:
		fields := map[Field]string{FieldSKU: b.SKU, FieldBarcode: b.Barcode, FieldWeight: b.Weight, FieldOptions: List(b.Options), FieldBackorders: b.Backorders}
		if b.Sellable {
			fields[FieldPrice], fields[FieldSale] = Amount(cmp.Or(b.Regular, b.Price)), Amount(b.Sale)
			fields[FieldSaleFrom], fields[FieldSaleTo] = Instant(b.SaleFrom), Instant(b.SaleTo)
		}
		return fields
	case *Category:
		return map[Field]string{FieldName: b.Name, FieldDescription: b.Description, FieldParent: b.ParentID}
	}
	return nil
}

// List is the canonical text of a list, in its order; "" for an empty one.
func List[T any](list []T) string {
	if len(list) == 0 {
		return ""
	}
	text, err := json.Marshal(list)
	if err != nil { // texts and pairs of texts always can be written
		return ""
	}
	return string(text)
}

// Sorted is the canonical text of a set of ids.
func Sorted(ids []string) string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return List(slices.Compact(ids))
}

// Amount is the canonical text of a number; "" for nil.
func Amount(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String() // decimal writes 1.50 as 1.5
}

// Instant is the canonical text of an instant; "" for the zero time.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
