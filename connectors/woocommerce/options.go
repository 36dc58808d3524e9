package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// parentAttribute is one of the attributes of a product whose values make its
// variations. One with an id is shared by all products of the shop.
type parentAttribute struct {
	ID        scalar       `json:"id"`
	Name      scalar       `json:"name"`
	Position  scalar       `json:"position"`
	Visible   scalar       `json:"visible"`
	Variation scalar       `json:"variation"`
	Options   list[scalar] `json:"options"`
}

// choices are the attributes of the product whose variations are written.
type choices struct {
	product    string
	attributes list[object[parentAttribute]]
	gone       bool
	varies     bool // it has variations, or can have some
}

// prepareOptions reads what the product of variations lets them be, and adds
// the values that it lacks: of a variation that names another, WooCommerce drops
// it without a word.
func (c *Connector) prepareOptions(ctx context.Context, edits []intake.Edit) (*choices, error) {
	var wanted []intake.Option
	for i := range edits {
		text, ok := changeOf(edits[i].Changes, intake.FieldOptions)
		if !ok || goodsRoute(edits[i].Ref) == "products" && edits[i].Ref.ID != "" {
			continue
		}
		options, err := readList[intake.Option](text)
		if err == nil { // else refused with its edit
			wanted = append(wanted, options...)
		}
	}
	if len(wanted) == 0 {
		return &choices{}, nil
	}
	ch, err := c.readChoices(ctx, edits[0].Ref.Parent)
	if err != nil || ch.gone {
		return ch, err
	}
	return ch, c.widen(ctx, ch, wanted)
}

// readChoices reads what a product lets its variations be.
func (c *Connector) readChoices(ctx context.Context, product string) (*choices, error) {
	ch := &choices{product: product}
	raw, err := c.one(ctx, "read attributes", "products/"+product, nil)
	if absent(err) {
		ch.gone = true
		return ch, nil
	}
	if err != nil {
		return nil, err
	}
	var p struct {
		Type       scalar                        `json:"type"`
		Variations list[scalar]                  `json:"variations"`
		Attributes list[object[parentAttribute]] `json:"attributes"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, c.api.rest.Fail(connectors.Transient, "woocommerce: read attributes", err, "")
	}
	ch.attributes, ch.varies = p.Attributes, isVariable(p.Type, len(p.Variations))
	return ch, nil
}

// widen adds the values to the attributes of the product that they lack.
func (c *Connector) widen(ctx context.Context, ch *choices, wanted []intake.Option) error {
	if !ch.add(wanted) {
		return nil
	}
	_, err := c.api.write(ctx, "add values to attributes", http.MethodPut, "products/"+ch.product, map[string]any{"attributes": ch.wire()})
	return err
}

// find returns the attribute of a name that makes variations.
func (ch *choices) find(name string) *parentAttribute {
	for i := range ch.attributes {
		if a := &ch.attributes[i].v; a.Variation.yes() && strings.EqualFold(a.Name.plain(), name) {
			return a
		}
	}
	return nil
}

// add adds the values that attributes lack, and reports whether there were any.
func (ch *choices) add(wanted []intake.Option) bool {
	added := false
	for _, o := range wanted {
		a := ch.find(o.Name)
		if a == nil || slices.ContainsFunc(a.Options, func(s scalar) bool { return s.plain() == o.Value }) {
			continue
		}
		a.Options = append(a.Options, scalar{text: o.Value})
		added = true
	}
	return added
}

// wire is the whole list, as the shop wants it back.
func (ch *choices) wire() []map[string]any {
	var all []map[string]any
	for i := range ch.attributes {
		a := &ch.attributes[i].v
		options := []string{}
		for _, o := range a.Options {
			options = append(options, o.plain())
		}
		one := map[string]any{"name": a.Name.plain(), "position": a.Position.count(), "visible": a.Visible.yes(), "variation": a.Variation.yes(), "options": options}
		if id := a.ID.id(); id > 0 {
			one["id"] = id
		}
		all = append(all, one)
	}
	return all
}

// express adds the options of a variation to its body.
func (ch *choices) express(body map[string]any, changes []intake.Change) error {
	text, ok := changeOf(changes, intake.FieldOptions)
	if !ok {
		return nil
	}
	if ch.gone {
		return errors.New("the shop does not have the product of this variation any more")
	}
	options, err := readList[intake.Option](text)
	if err != nil {
		return err
	}
	wire := []map[string]any{}
	for _, o := range options {
		a := ch.find(o.Name)
		if a == nil {
			return fmt.Errorf("the product has no attribute %s that makes variations: add it to the product in WooCommerce", strconv.Quote(o.Name))
		}
		one := map[string]any{"name": a.Name.plain(), "option": o.Value}
		if id := a.ID.id(); id > 0 {
			one["id"] = id
		}
		wire = append(wire, one)
	}
	body["attributes"] = wire
	return nil
}
