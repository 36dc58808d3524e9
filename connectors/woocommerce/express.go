package woocommerce

import (
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"comptoir/erp/intake"
)

// statusForms are the states of a product that can be written, by what the
// books call them. What is archived becomes private: a customer does not find
// it, and it is still there. In the trash its SKU would stay taken, and it would
// vanish from the lists.
var statusForms = map[string]string{"published": "publish", "archived": "private", "draft": "draft", "pending": "pending", "private": "private"}

// Express returns the value of a field as the shop will state it once it was
// told so. It may state a text in other words all the same: WordPress wraps
// paragraphs and drops tags that it does not allow.
func (c *Connector) Express(kind intake.Kind, field intake.Field, value string) (string, bool) {
	if _, ok := fieldNames[kind][field]; !ok {
		return "", false
	}
	switch field {
	case intake.FieldTitle, intake.FieldName:
		return html.UnescapeString(strings.TrimSpace(value)), true
	case intake.FieldStatus:
		form, ok := statusForms[value]
		return publication(scalar{text: form}), ok
	case intake.FieldBackorders:
		return value, value == "no" || value == "notify" || value == "yes"
	case intake.FieldWeight:
		return c.expressWeight(value)
	case intake.FieldPrice, intake.FieldSale:
		if d, err := intake.Number(value); err == nil && value != "" {
			return intake.Amount(&d), true
		}
	}
	return strings.TrimSpace(value), true
}

// fieldNames are the names of what can be written.
var fieldNames = map[intake.Kind]map[intake.Field]string{
	intake.KindProduct: {
		intake.FieldTitle: "name", intake.FieldDescription: "description", intake.FieldShort: "short_description", intake.FieldStatus: "status",
		intake.FieldImages: "images", intake.FieldCategories: "categories",
	},
	intake.KindVariant: {
		intake.FieldSKU: "sku", intake.FieldBarcode: "global_unique_id", intake.FieldPrice: "regular_price", intake.FieldSale: "sale_price",
		intake.FieldSaleFrom: "date_on_sale_from_gmt", intake.FieldSaleTo: "date_on_sale_to_gmt", intake.FieldWeight: "weight",
		intake.FieldOptions: "attributes", intake.FieldBackorders: "backorders",
	},
	intake.KindCategory: {intake.FieldName: "name", intake.FieldDescription: "description", intake.FieldParent: "parent"},
}

// express adds changes to the body of a record. What is told by reference,
// images and options, is added by whoever knows what the shop has of them.
func express(body map[string]any, kind intake.Kind, changes []intake.Change) error {
	for _, change := range changes {
		name, ok := fieldNames[kind][change.Field]
		if !ok {
			return fmt.Errorf("WooCommerce has no place for %s of a %s", change.Field, kind)
		}
		value, err := wireValue(change)
		if err != nil {
			return fmt.Errorf("%s: %w", change.Field, err)
		}
		if value != nil {
			body[name] = value
		}
	}
	return nil
}

// wireValue is the value of a field in the shop's own form; nil for those that
// are told by reference.
func wireValue(change intake.Change) (any, error) {
	switch change.Field {
	case intake.FieldImages, intake.FieldOptions:
		return nil, nil
	case intake.FieldStatus:
		form, ok := statusForms[change.To]
		if !ok {
			return nil, fmt.Errorf("%q is no state that can be written", change.To)
		}
		return form, nil
	case intake.FieldCategories:
		ids, err := readList[string](change.To)
		terms := make([]map[string]any, 0, len(ids))
		for _, id := range ids {
			terms = append(terms, map[string]any{"id": number(id)})
		}
		return terms, err
	case intake.FieldParent:
		return number(change.To), nil
	case intake.FieldPrice, intake.FieldSale:
		_, err := intake.Number(change.To)
		return change.To, err
	case intake.FieldWeight: // a number alone by now
		if _, err := intake.Number(change.To); err != nil {
			return nil, fmt.Errorf("%q cannot be told: the shop does not say in which unit it weighs; set weight_unit in its configuration", change.To)
		}
		return change.To, nil
	case intake.FieldSaleFrom, intake.FieldSaleTo:
		return wireInstant(change.To)
	default:
		return change.To, nil
	}
}

// wireInstant writes an instant as the fields do that end with _gmt; "" clears
// it.
func wireInstant(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC().Format(windowForm), err
}

// readList reads the canonical text of a list.
func readList[T any](text string) ([]T, error) {
	if text == "" {
		return nil, nil
	}
	var all []T
	err := json.Unmarshal([]byte(text), &all)
	return all, err
}

// changeOf returns the new value of a field.
func changeOf(changes []intake.Change, field intake.Field) (string, bool) {
	for _, change := range changes {
		if change.Field == field {
			return change.To, true
		}
	}
	return "", false
}

// reworded are the fields that the shop may state in other words than it was
// told. Of the rest it is checked that it took them: what it does not know it
// drops without a word.
var reworded = []intake.Field{intake.FieldTitle, intake.FieldDescription, intake.FieldShort, intake.FieldImages}

// dropped says which change the shop did not take, though it did not refuse
// it. Where a product stands in no category it puts it into its default one, and
// where it does not count a variant by itself it knows no backorders of it: that
// is its own way to have what it was told.
func (c *Connector) dropped(e *intake.Edit, body any) string {
	stated := intake.Fields(body)
	v, _ := body.(*intake.Variant)
	for _, change := range e.Changes {
		switch {
		case slices.Contains(reworded, change.Field):
			continue
		case change.Field == intake.FieldCategories && change.To == "":
			continue
		case change.Field == intake.FieldWeight && intake.SameWeight(stated[change.Field], change.To): // told as a number alone
			continue
		case change.Field == intake.FieldBackorders && v != nil && (!v.Tracked || v.StockOf != ""):
			continue
		}
		if want, ok := c.Express(e.Ref.Kind, change.Field, change.To); !ok || !sameValue(change.Field, stated[change.Field], want) {
			return fmt.Sprintf("the shop was told %s %q and has %q: a plugin may forbid the change, or WooCommerce is too old for it", change.Field, change.To, stated[change.Field])
		}
	}
	return ""
}

// sameValue compares two texts of a field. The shop puts options into the order
// of its own attributes.
func sameValue(field intake.Field, a, b string) bool {
	if field != intake.FieldOptions {
		return a == b
	}
	x, errX := readList[intake.Option](a)
	y, errY := readList[intake.Option](b)
	byName := func(p, q intake.Option) int { return strings.Compare(p.Name, q.Name) }
	slices.SortFunc(x, byName)
	slices.SortFunc(y, byName)
	return errX == nil && errY == nil && slices.Equal(x, y)
}
