package woocommerce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/intake"
)

// addVariation makes one more variation of a product that the shop has, unless
// an earlier try has.
func (c *Connector) addVariation(ctx context.Context, e *intake.Edit) (intake.Outcome, error) {
	refuse := func(why string) (intake.Outcome, error) {
		return intake.Outcome{Ref: e.Ref, Result: intake.Refused, Why: why}, nil
	}
	there, err := c.variationsOf(ctx, e.Ref.Parent, madeFields+",attributes")
	if err != nil {
		return intake.Outcome{}, err
	}
	id := ""
	if at := slices.IndexFunc(there, func(m made) bool { return e.Key != "" && metaOf(m.Meta, keyMeta) == e.Key }); at >= 0 {
		id = there[at].ID.ref()
	} else {
		var why string
		if id, why, err = c.makeVariation(ctx, e, there); err != nil {
			return intake.Outcome{}, err
		} else if why != "" {
			return refuse(why)
		}
	}
	out := intake.Outcome{Ref: intake.Ref{Kind: intake.KindVariant, ID: id, Parent: e.Ref.Parent}, Result: intake.Done}
	out.Records, err = c.Fetch(ctx, []intake.Ref{out.Ref})
	return out, err
}

// makeVariation makes a variation beside those that are there, or says why it
// cannot be. Where it is there already, it returns that.
func (c *Connector) makeVariation(ctx context.Context, e *intake.Edit, there []made) (id, why string, err error) {
	options, err := readList[intake.Option](optionsOf(e))
	if err != nil {
		return "", err.Error(), nil
	}
	ch, err := c.readChoices(ctx, e.Ref.Parent)
	if err != nil {
		return "", "", err
	}
	if why := ch.refuses(options); why != "" {
		return "", why, nil
	}
	sku, _ := changeOf(e.Changes, intake.FieldSKU)
	for _, m := range there {
		switch {
		case !sameChoices(m, options):
		case m.SKU.trimmed() == sku:
			return m.ID.ref(), "", nil
		default: // WooCommerce would make it all the same, and nobody could tell which one is bought
			return "", fmt.Sprintf("product %s has a variation of the same attributes, %s, with the SKU %q: link the two, or change one", e.Ref.Parent, m.ID.ref(), m.SKU.trimmed()), nil
		}
	}
	if err := c.widen(ctx, ch, options); err != nil {
		return "", refusedWith(err), notRefused(err)
	}
	body, err := variationBodyOf(e)
	if err == nil {
		err = ch.express(body, e.Changes)
	}
	if err != nil {
		return "", err.Error(), nil
	}
	id, err = c.makeOne(ctx, "make variation", goodsRoute(e.Ref), body)
	return id, refusedWith(err), notRefused(err)
}

// notRefused is an error that is no refusal.
func notRefused(err error) error {
	if refusedWith(err) != "" {
		return nil
	}
	return err
}

// refuses says why a product can have no variation with some options: each of
// its attributes needs one. What is sold itself would first have to become a
// product with variations, which is no small change: its own price and stock
// would count no more.
func (ch *choices) refuses(options []intake.Option) string {
	if ch.gone {
		return "the shop does not have product " + ch.product + " any more"
	}
	if !ch.varies {
		return "product " + ch.product + " is sold without variations: make it a variable product in WooCommerce, then have it told again"
	}
	var has, wants []string
	for i := range ch.attributes {
		if a := &ch.attributes[i].v; a.Variation.yes() {
			has = append(has, a.Name.plain())
		}
	}
	for _, o := range options {
		wants = append(wants, o.Name)
	}
	slices.SortFunc(has, compareFold)
	slices.SortFunc(wants, compareFold)
	if len(wants) > 0 && slices.EqualFunc(has, wants, strings.EqualFold) {
		return ""
	}
	return fmt.Sprintf("the variations of product %s are told apart by the attributes (%s), and this one by (%s): give both shops the same, then have it told again",
		ch.product, strings.Join(has, ", "), strings.Join(wants, ", "))
}

func compareFold(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }

// sameChoices reports whether a variation is told apart from others by the same
// options.
func sameChoices(m made, options []intake.Option) bool {
	if len(m.Attributes) != len(options) {
		return false
	}
	for _, o := range options {
		if !slices.ContainsFunc(m.Attributes, func(a attribute) bool {
			return strings.EqualFold(a.Name.plain(), o.Name) && a.Option.plain() == o.Value
		}) {
			return false
		}
	}
	return true
}
