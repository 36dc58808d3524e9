package shopify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// pushVariants changes variants: one call for each product. Where one of them
// is refused none is changed, so the others are told again. Those that are to
// be made are made one by one.
func (c *Connector) pushVariants(ctx context.Context, edits []intake.Edit, outcomes []intake.Outcome) error {
	now, err := c.variantsNow(ctx, edits)
	if err != nil {
		return err
	}
	inputs := make([]map[string]any, len(edits))
	products := map[string][]int{} // places of the edits, by product
	var order []string
	for i := range edits {
		e, o := &edits[i], &outcomes[i]
		there := now[e.Ref.ID]
		switch {
		case e.Ref.ID == "":
			if err := c.addVariant(ctx, e, o); err != nil {
				return err
			}
			continue
		case there == nil:
			refuse(o, "the shop does not have this variant any more")
			continue
		}
		var why string
		if inputs[i], why = variantInput(e, there); why != "" {
			refuse(o, why)
			continue
		}
		if products[there.ProductID] == nil {
			order = append(order, there.ProductID)
		}
		products[there.ProductID] = append(products[there.ProductID], i)
	}
	for _, product := range order {
		if err := c.changeVariants(ctx, product, products[product], inputs, outcomes); err != nil {
			return err
		}
	}
	return nil
}

// variantsNow are the variants as the shop has them: of which product they are,
// and what of their prices stays.
func (c *Connector) variantsNow(ctx context.Context, edits []intake.Edit) (map[string]*intake.Variant, error) {
	var refs []intake.Ref
	for _, e := range edits {
		if e.Ref.ID != "" {
			refs = append(refs, e.Ref)
		}
	}
	records, err := c.Fetch(ctx, refs)
	if err != nil {
		return nil, err
	}
	now := map[string]*intake.Variant{}
	for _, rec := range records {
		if v, ok := rec.Body.(*intake.Variant); ok {
			now[rec.Ref.ID] = v
		}
	}
	return now, nil
}

// changeVariants changes variants of one product.
func (c *Connector) changeVariants(ctx context.Context, product string, at []int, inputs []map[string]any, outcomes []intake.Outcome) error {
	for left := slices.Clone(at); len(left) > 0; {
		var variants []map[string]any
		for _, i := range left {
			variants = append(variants, inputs[i])
		}
		var said struct {
			Update answeredErrors `json:"productVariantsBulkUpdate"`
		}
		_, err := c.client.do(ctx, "change variants", documentOf("variants_edit"), map[string]any{"product": gid("Product", product), "variants": variants}, &said)
		if err != nil {
			return err
		}
		blamed := map[int]bool{}
		for _, e := range said.Update.Errors {
			if n, placed := e.place("variants"); placed && n < len(left) {
				refuse(&outcomes[left[n]], (&refusal{[]userError{e}}).Error())
				blamed[left[n]] = true
			}
		}
		if len(blamed) == 0 { // it was done, or the reason concerns all of them
			for _, i := range left {
				refuse(&outcomes[i], said.Update.why())
			}
			return nil
		}
		left = slices.DeleteFunc(left, func(i int) bool { return blamed[i] })
	}
	return nil
}

// variantInput is an edit in the words of the API, or why it cannot be one. Now
// is the variant as the shop has it.
func variantInput(e *intake.Edit, now *intake.Variant) (map[string]any, string) {
	input, why := variantValues(e, now)
	if why != "" {
		return nil, why
	}
	input["id"] = gid("ProductVariant", e.Ref.ID)
	text, changed := changesOf(e)[intake.FieldOptions]
	if !changed {
		return input, ""
	}
	options, ok := readOptions(text)
	if !ok || !sameNames(options, now.Options) {
		return nil, "the choices of a product that is there can get other values, and no other names: change them in the admin of the shop"
	}
	if len(options) > 0 {
		input["optionValues"] = optionInputs(options)
	}
	return input, ""
}

func sameNames(a, b []intake.Option) bool {
	return slices.EqualFunc(a, b, func(x, y intake.Option) bool { return x.Name == y.Name })
}

// optionInputs are choices in the words of the API.
func optionInputs(options []intake.Option) []map[string]any {
	var list []map[string]any
	for _, o := range options {
		list = append(list, map[string]any{"optionName": o.Name, "name": o.Value})
	}
	return list
}

// variantValues are the fields of a variant in the words of the API, but for
// its choices.
func variantValues(e *intake.Edit, now *intake.Variant) (input map[string]any, why string) {
	input = map[string]any{}
	item := map[string]any{}
	for _, change := range e.Changes {
		switch change.Field {
		case intake.FieldSKU:
			item["sku"] = change.To
		case intake.FieldBarcode:
			input["barcode"] = change.To
		case intake.FieldBackorders:
			if input["inventoryPolicy"] = "CONTINUE"; change.To == "no" {
				input["inventoryPolicy"] = "DENY"
			}
		case intake.FieldWeight:
			number, unit, ok := readWeight(change.To)
			if !ok {
				return nil, "this is no weight that Shopify knows: " + change.To
			}
			item["measurement"] = map[string]any{"weight": map[string]any{"value": json.Number(number.String()), "unit": weightUnits[unit]}}
		case intake.FieldPrice, intake.FieldSale, intake.FieldOptions:
		default:
			return nil, "Shopify has no place for the " + string(change.Field) + " of a variant"
		}
	}
	if len(item) > 0 {
		input["inventoryItem"] = item
	}
	return input, priceInto(input, e, now)
}

// priceInto adds the price. At Shopify a sale is a price with a higher one to
// compare it with, so each of the two needs the other.
func priceInto(input map[string]any, e *intake.Edit, now *intake.Variant) (why string) {
	to := changesOf(e)
	regularText, changesRegular := to[intake.FieldPrice]
	saleText, changesSale := to[intake.FieldSale]
	if !changesRegular && !changesSale {
		return ""
	}
	regular, sale, err := now.Regular, now.Sale, error(nil)
	if changesRegular {
		if regular, err = priceOf(regularText); err != nil || regular == nil {
			return "this is no price: " + regularText
		}
	}
	if changesSale {
		if sale, err = priceOf(saleText); err != nil {
			return "this is no price: " + saleText
		}
	}
	switch {
	case regular == nil:
		return "a price that is reduced needs one that is not"
	case sale == nil:
		input["price"], input["compareAtPrice"] = regular.String(), nil
	case !sale.LessThan(*regular):
		return fmt.Sprintf("the reduced price %s is not below the regular one, %s", sale, regular)
	default:
		input["price"], input["compareAtPrice"] = sale.String(), regular.String()
	}
	return ""
}

// priceOf reads an amount; nil for none.
func priceOf(text string) (*decimal.Decimal, error) {
	if text == "" {
		return nil, nil
	}
	d, err := intake.Number(text)
	return &d, err
}
