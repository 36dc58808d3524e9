package woocommerce

import (
	"strings"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// rate is what an order says of a tax rate.
type rate struct {
	name     string
	percent  decimal.Decimal
	compound bool
}

// ratesOf reads the rates of an order by their ids: the code holds a label.
func ratesOf(r *reading, lines list[taxLine]) map[string]rate {
	rates := make(map[string]rate, len(lines))
	for i := range lines {
		l := &lines[i]
		name := l.Label.plain()
		if name == "" {
			name = l.RateCode.plain()
		}
		percent, err := scalar{text: strings.TrimSuffix(l.Percent.trimmed(), "%")}.number()
		r.fail("rate_percent of tax "+l.RateID.text, err)
		rates[l.RateID.trimmed()] = rate{name: name, percent: percent, compound: l.Compound.yes()}
	}
	return rates
}

// taxes reads the taxes of a line. An empty amount means that the rate does
// not apply to it; a zero means a rate of zero.
func taxes(r *reading, it *item, rates map[string]rate) []intake.Tax {
	var all []intake.Tax
	for i := range it.Taxes {
		t := &it.Taxes[i]
		if t.Total.trimmed() == "" && !t.Total.odd {
			continue
		}
		id := t.ID.trimmed()
		of := rates[id]
		all = append(all, intake.Tax{RateID: id, Name: of.name, Rate: of.percent, Compound: of.compound,
			Amount: r.amount(t.Total, "tax "+id+" of line "+it.ID.text)})
	}
	return all
}

func goods(r *reading, it *item, rates map[string]rate) intake.Line {
	l := intake.Line{
		ID:        it.ID.ref(),
		Kind:      intake.LineItem,
		ProductID: it.ProductID.ref(),
		VariantID: it.VariationID.ref(),
		SKU:       it.SKU.trimmed(),
		Title:     it.Name.plain(),
		Quantity:  r.amount(it.Quantity, "quantity of line "+it.ID.text),
		Subtotal:  r.amount(it.Subtotal, "subtotal of line "+it.ID.text),
		Total:     r.amount(it.Total, "total of line "+it.ID.text),
		TaxClass:  it.TaxClass.trimmed(),
		Taxes:     taxes(r, it, rates),
	}
	if l.VariantID == "" {
		l.VariantID = l.ProductID
	}
	for i := range it.Meta {
		m := &it.Meta[i]
		switch {
		case strings.HasPrefix(m.Key.text, "wc_gc_giftcard"):
			l.GiftCard = true
		case strings.HasPrefix(m.Key.text, "_") || m.DisplayValue.trimmed() == "": // not for people
		default:
			name := m.DisplayKey.plain()
			if name == "" {
				name = m.Key.plain()
			}
			l.Options = append(l.Options, intake.Option{Name: name, Value: m.DisplayValue.plain()})
		}
	}
	return l
}

func freight(r *reading, it *item, rates map[string]rate) intake.Line {
	l := amountOnly(r, it, rates)
	l.Kind = intake.LineShipping
	l.Title = it.MethodTitle.plain()
	l.Code = methodCode(it.MethodID, it.InstanceID)
	return l
}

// methodCode names a shipping method as WooCommerce does: "flat_rate:3".
func methodCode(method, instance scalar) string {
	if instance.ref() == "" {
		return method.trimmed()
	}
	return method.trimmed() + ":" + instance.ref()
}

func fee(r *reading, it *item, rates map[string]rate) intake.Line {
	l := amountOnly(r, it, rates)
	l.Kind = intake.LineFee
	l.Title = it.Name.plain()
	l.TaxClass = it.TaxClass.trimmed()
	words := strings.FieldsFunc(strings.ToLower(l.Title), func(c rune) bool { return c < 'a' || c > 'z' })
	for _, word := range words {
		for _, tip := range tipWords {
			if word == tip {
				l.Kind = intake.LineTip
			}
		}
	}
	return l
}

func amountOnly(r *reading, it *item, rates map[string]rate) intake.Line {
	total := r.amount(it.Total, "total of line "+it.ID.text)
	return intake.Line{ID: it.ID.ref(), Quantity: decimal.New(1, 0), Subtotal: total, Total: total, Taxes: taxes(r, it, rates)}
}
