package woocommerce

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"comptoir/connectors"
	"comptoir/connectors/rest"
	"comptoir/erp/intake"
)

// WooCommerce writes weights as numbers alone. Their unit is a setting of the
// shop, which is asked for, or stands in the configuration.

// unitRoute is the setting. Its values are kg, g, lbs and oz.
const unitRoute = "settings/products/woocommerce_weight_unit"

var weightUnit = shopSetting{
	what: "read the unit of weights", route: unitRoute,
	read: func(text string) (string, error) {
		unit, ok := intake.WeightUnit(text)
		if !ok {
			return "", fmt.Errorf("the shop weighs in %q, which is none of g, kg, oz and lb", text)
		}
		return unit, nil
	},
	fix:     "try later, or set weight_unit, so that the shop need not be asked",
	unknown: "the unit of the shop's weights is not known, so they are numbers alone: set weight_unit",
}

var _ connectors.Learner = (*Connector)(nil)

// Learn finds out in which unit the shop weighs. Where the key may not read
// settings that is not known, which is no error.
func (c *Connector) Learn(ctx context.Context) error {
	if c.cfg.WeightUnit != "" {
		return nil
	}
	return c.learn(ctx, weightUnit, &c.scale)
}

// learnToRead is Learn for who reads. Where the shop answers, but time and again
// not with the setting, weights are read as numbers alone: everything else can
// be read. Sooner they are not: what was read so would be read as changed the
// next time.
func (c *Connector) learnToRead(ctx context.Context, r intake.Resource) error {
	if r != intake.Products && r != intake.Variants {
		return nil
	}
	err := c.Learn(ctx)
	var answer *rest.StatusError
	if s := c.scale.Load(); s != nil && s.failures >= settingTries && errors.As(err, &answer) && connectors.ClassOf(err) == connectors.Transient {
		return nil
	}
	return err
}

// unit is the unit of the shop's weights; "" where it is not known.
func (c *Connector) unit() string {
	if unit, ok := intake.WeightUnit(c.cfg.WeightUnit); ok {
		return unit
	}
	if s := c.scale.Load(); s != nil {
		return s.value
	}
	return ""
}

// weight is a weight as the shop writes it, in canonical text. What is no number
// stays as it is, and so does all where the unit is not known.
func (c *Connector) weight(s scalar) string {
	text, unit := s.trimmed(), c.unit()
	number, err := intake.Number(text)
	if err != nil || unit == "" {
		return text
	}
	return intake.Weight(number, unit)
}

// expressWeight tells a weight in the shop's unit. Where that is not known only
// a number alone can be told, and where it is only a weight with its unit.
func (c *Connector) expressWeight(value string) (string, bool) {
	number, from, err := intake.ReadWeight(value)
	unit := c.unit()
	switch {
	case err != nil || number.IsNegative():
		return "", false
	case unit == "":
		return value, from == ""
	case number.IsZero():
		return "", true
	}
	told, ok := intake.ConvertWeight(number, from, unit)
	return intake.Weight(told, unit), ok
}

// weighed returns edits with the numbers that the shop takes for weights. One
// that cannot be told stays, to be refused with its edit.
func (c *Connector) weighed(ctx context.Context, edits []intake.Edit) ([]intake.Edit, error) {
	if !slices.ContainsFunc(edits, tellsWeight) {
		return edits, nil
	}
	if err := c.Learn(ctx); err != nil {
		return nil, err
	}
	edits = slices.Clone(edits)
	for i := range edits {
		edits[i].Changes = c.numbers(edits[i].Changes)
		edits[i].Variants = slices.Clone(edits[i].Variants)
		for j := range edits[i].Variants {
			edits[i].Variants[j].Changes = c.numbers(edits[i].Variants[j].Changes)
		}
	}
	return edits, nil
}

func tellsWeight(e intake.Edit) bool {
	_, ok := changeOf(e.Changes, intake.FieldWeight)
	return ok || slices.ContainsFunc(e.Variants, tellsWeight)
}

// numbers returns changes with the number alone of a weight.
func (c *Connector) numbers(changes []intake.Change) []intake.Change {
	changes = slices.Clone(changes)
	for i, change := range changes {
		if change.Field != intake.FieldWeight {
			continue
		}
		number, from, err := intake.ReadWeight(change.To)
		if err != nil || from == "" {
			continue
		}
		if told, ok := intake.ConvertWeight(number, from, c.unit()); ok {
			changes[i].To = intake.Weight(told, "")
		}
	}
	return changes
}

// weights finds out in which unit the shop weighs, and whether the configuration
// says otherwise.
func (p *probe) weights(ctx context.Context) error {
	const name = "weights"
	configured, _ := intake.WeightUnit(p.c.cfg.WeightUnit)
	stated, err := p.c.ask(ctx, weightUnit)
	switch {
	case connectors.Ended(err):
		return err
	case err == nil && p.c.cfg.WeightUnit != "" && configured != stated:
		p.bad(name, fmt.Sprintf("the shop weighs in %s, and weight_unit says %s: correct it, or leave it out", stated, configured))
	case err == nil:
		p.ok(name, "in "+stated)
	case p.c.cfg.WeightUnit != "":
		p.ok(name, "in "+configured+", as configured")
	default:
		p.warn(name, "the unit of the shop's weights cannot be read, so they are numbers alone, and are not told to shops of other platforms: "+
			"let the key read the settings, or set weight_unit; "+err.Error())
	}
	return nil
}
