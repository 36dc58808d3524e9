package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/intake"
)

// madeVariant is what is read of a variant to tell it from the others of its
// product.
type madeVariant struct {
	ID      scalar   `json:"id"`
	SKU     scalar   `json:"sku"`
	Options []option `json:"selectedOptions"`
}

// chosen are the choices of the variant.
func (v madeVariant) chosen() []intake.Option {
	var out []intake.Option
	for _, o := range v.Options {
		out = append(out, intake.Option{Name: o.Name.trimmed(), Value: o.Value.trimmed()})
	}
	return out
}

// madeOf reads the variants of a product: none where the shop does not have it.
func (c *Connector) madeOf(ctx context.Context, product string) ([]madeVariant, error) {
	const op = "read the variants of a product"
	doc, path, id := documentOf("product_variants"), []string{"product", "variants"}, scalar{text: gid("Product", product)}
	var data json.RawMessage
	if _, err := c.client.do(ctx, op, doc, map[string]any{"id": id.trimmed(), "first": 100, "after": nil}, &data); err != nil {
		return nil, err
	}
	list, err := connectionAt[madeVariant](data, path)
	if errors.Is(err, errNothing) {
		return nil, nil
	}
	if err != nil {
		return nil, c.malformed(op, err)
	}
	err = complete(ctx, c, doc, path, id, list)
	return list.Nodes, err
}

// addVariant makes one more variant of a product that is there, unless an
// earlier try has. It bears no mark: the shop has each choice of a product only
// once, so that not even two tries at the same time make two of it.
func (c *Connector) addVariant(ctx context.Context, e *intake.Edit, o *intake.Outcome) error {
	const op = "make a variant"
	there, err := c.madeOf(ctx, e.Ref.Parent)
	if err != nil {
		return err
	}
	id, why := whereToAdd(e, there)
	if why == "" && id == "" {
		why, err = c.skusTaken(ctx, &intake.Edit{Variants: []intake.Edit{*e}})
	}
	if err != nil || why != "" || id != "" {
		o.Ref.ID = id
		refuse(o, why)
		return err
	}
	input, why := newVariantInput(e)
	if why != "" {
		refuse(o, why)
		return nil
	}
	var said struct {
		Create struct {
			answeredErrors
			Made []node `json:"productVariants"`
		} `json:"productVariantsBulkCreate"`
	}
	vars := map[string]any{"product": gid("Product", e.Ref.Parent), "variants": []map[string]any{input}}
	if _, err := c.client.doOnce(ctx, op, documentOf("variants_make"), vars, &said); err != nil {
		return err
	}
	if why := said.Create.why(); why != "" {
		refuse(o, why)
		return nil
	}
	if len(said.Create.Made) != 1 {
		return c.malformed(op, errors.New("the shop does not say what it has made"))
	}
	o.Ref.ID, o.Result = said.Create.Made[0].ID.ref(), intake.Done
	return nil
}

// whereToAdd looks among the variants of a product for one that is to be made:
// it returns its id where it is there, and why it cannot be made beside them.
func whereToAdd(e *intake.Edit, there []madeVariant) (id, why string) {
	own, ok := readOptions(changesOf(e)[intake.FieldOptions])
	switch {
	case !ok:
		return "", "these are no choices: " + changesOf(e)[intake.FieldOptions]
	case len(there) == 0:
		return "", "the shop does not have product " + e.Ref.Parent + " any more"
	}
	offered := there[0].chosen()
	if len(offered) == 1 && offered[0] == onlyVariant {
		return "", "product " + e.Ref.Parent + " has one variant and no choices: give it some in the admin of the shop, then have it told again"
	}
	own = sortedOptions(own)
	if names := sortedOptions(offered); !sameNames(own, names) {
		return "", fmt.Sprintf("the variants of product %s are told apart by %s, and this one by %s: give both shops the same choices, then have it told again",
			e.Ref.Parent, choiceNames(names), choiceNames(own))
	}
	sku := changesOf(e)[intake.FieldSKU]
	for _, v := range there {
		switch {
		case !slices.Equal(sortedOptions(v.chosen()), own):
		case v.SKU.trimmed() == sku:
			return v.ID.ref(), ""
		default:
			return "", fmt.Sprintf("product %s has a variant of the same choices, %s, with the SKU %q: link the two, or change one", e.Ref.Parent, v.ID.ref(), v.SKU.trimmed())
		}
	}
	return "", ""
}

// sortedOptions are choices by their names.
func sortedOptions(options []intake.Option) []intake.Option {
	return slices.SortedFunc(slices.Values(options), func(a, b intake.Option) int { return strings.Compare(a.Name, b.Name) })
}

// choiceNames names choices, for people.
func choiceNames(options []intake.Option) string {
	var names []string
	for _, o := range options {
		names = append(names, o.Name)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// newVariantInput is a new variant in the words of the API, or why it cannot be
// one.
func newVariantInput(v *intake.Edit) (input map[string]any, why string) {
	own, _ := choicesOf(v)
	if input, why = variantValues(v, new(intake.Variant)); why != "" {
		return nil, why
	}
	item, _ := input["inventoryItem"].(map[string]any)
	if item == nil {
		item = map[string]any{}
	}
	item["tracked"] = !v.Untracked // the books tell its stock next
	input["inventoryItem"], input["optionValues"] = item, optionInputs(own)
	return input, ""
}
