package shopify

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// statuses are the states of a product that can be written.
var statuses = map[string]string{"published": "ACTIVE", "draft": "DRAFT", "archived": "ARCHIVED"}

// Express returns the value of a field as the shop will state it once it was
// told so. Shopify has no short texts, no tree of collections and no dates for
// a sale, and can hold or not hold backorders.
func (c *Connector) Express(kind intake.Kind, field intake.Field, value string) (string, bool) {
	value = strings.TrimSpace(value)
	switch kind {
	case intake.KindProduct:
		return expressProduct(field, value)
	case intake.KindVariant:
		return c.expressVariant(field, value)
	case intake.KindCategory:
		switch field {
		case intake.FieldName:
			return value, value != ""
		case intake.FieldDescription:
			return value, true
		}
	}
	return "", false
}

func expressProduct(field intake.Field, value string) (string, bool) {
	switch field {
	case intake.FieldTitle:
		return value, value != ""
	case intake.FieldDescription:
		return value, true
	case intake.FieldStatus:
		return value, statuses[value] != ""
	case intake.FieldImages: // of which the shop states its own addresses, once it has copied them
		list, ok := readAddresses(value)
		return intake.List(list), ok
	case intake.FieldCategories:
		ids, ok := readList[string](value)
		return intake.Sorted(ids), ok && !slices.ContainsFunc(ids, func(id string) bool { return !isNumber(id) })
	default:
		return "", false
	}
}

func (c *Connector) expressVariant(field intake.Field, value string) (string, bool) {
	switch field {
	case intake.FieldSKU, intake.FieldBarcode:
		return value, true
	case intake.FieldPrice:
		return c.expressPrice(value)
	case intake.FieldSale:
		if value == "" {
			return "", true
		}
		return c.expressPrice(value)
	case intake.FieldWeight:
		number, unit, ok := readWeight(value)
		if !ok || number.IsZero() {
			return "", ok
		}
		return intake.Weight(number, unit), true
	case intake.FieldOptions:
		options, ok := readOptions(value)
		return intake.List(options), ok
	case intake.FieldBackorders:
		if value == "notify" {
			value = "yes"
		}
		return value, value == "yes" || value == "no"
	default:
		return "", false
	}
}

var _ connectors.Priced = (*Connector)(nil)

// Currency returns the currency of the shop's prices.
func (c *Connector) Currency(ctx context.Context) (money.Currency, error) {
	known, err := c.access(ctx)
	return money.Currency(known.shop.Currency), err
}

// expressPrice rounds an amount to what the shop's currency has.
func (c *Connector) expressPrice(value string) (string, bool) {
	d, err := intake.Number(value)
	if err != nil || value == "" || d.IsNegative() {
		return "", false
	}
	digits := 2
	if known := c.granted.Load(); known != nil {
		if n, err := money.Currency(known.shop.Currency).Decimals(); err == nil {
			digits = n
		}
	}
	d = d.Round(int32(digits))
	return intake.Amount(&d), true
}

// weightUnits are the units of weight, by their short names.
var weightUnits = map[string]string{"g": "GRAMS", "kg": "KILOGRAMS", "oz": "OUNCES", "lb": "POUNDS"}

// readWeight reads a weight with its unit. One without could be anything.
func readWeight(value string) (number decimal.Decimal, unit string, ok bool) {
	if value == "" {
		return number, "kg", true
	}
	number, unit, err := intake.ReadWeight(value)
	return number, unit, err == nil && !number.IsNegative() && weightUnits[unit] != ""
}

// readOptions reads the choices that make a variant; none of a product that has
// only one.
func readOptions(value string) ([]intake.Option, bool) {
	options, ok := readList[intake.Option](value)
	for i := range options {
		options[i] = intake.Option{Name: strings.TrimSpace(options[i].Name), Value: strings.TrimSpace(options[i].Value)}
		ok = ok && options[i].Name != "" && options[i].Value != ""
	}
	if len(options) == 1 && options[0] == onlyVariant {
		options = nil
	}
	return options, ok
}

// readList reads the canonical text of a list.
func readList[T any](value string) (list []T, ok bool) {
	if value == "" {
		return nil, true
	}
	err := json.Unmarshal([]byte(value), &list)
	return list, err == nil
}

// changesOf are the changes of an edit by their fields.
func changesOf(e *intake.Edit) map[intake.Field]string {
	to := map[intake.Field]string{}
	for _, change := range e.Changes {
		to[change.Field] = change.To
	}
	return to
}
