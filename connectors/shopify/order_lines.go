package shopify

import (
	"strconv"
	"strings"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// lines states goods, tips, shipping, duties and additional fees.
func (m *mapper) lines() {
	m.sold = m.soldByAgreement()
	tips := m.tips()
	for i := range m.Lines.Nodes {
		it := &m.Lines.Nodes[i]
		id := it.ID.ref()
		l, ok := m.goods(it)
		if !ok {
			continue
		}
		if tips[id] {
			l.Kind = intake.LineTip
		}
		m.add(l)
	}
	for i, s := range m.shippingLines() {
		m.add(m.freight(s, i))
	}
	for i := range m.Lines.Nodes {
		for j := range m.Lines.Nodes[i].Duties {
			duty := &m.Lines.Nodes[i].Duties[j]
			l := m.surcharge(duty, dutyPrefix, "duty")
			l.Title = "Duty on " + m.Lines.Nodes[i].Name.trimmed()
			m.add(l)
		}
	}
	for i := range m.Fees {
		m.add(m.surcharge(&m.Fees[i], feePrefix, ""))
	}
}

func (m *mapper) add(l intake.Line) {
	m.out.Lines = append(m.out.Lines, l)
	m.stated[l.ID] = l
}

// goods states an item. It reports false for one that an edit took off wholly:
// nothing of it was ever owed.
func (m *mapper) goods(it *lineItem) (intake.Line, bool) {
	id := it.ID.ref()
	l := intake.Line{ID: id, Kind: intake.LineItem, ProductID: it.Product.ID.ref(), VariantID: it.Variant.ID.ref(),
		SKU: it.SKU.trimmed(), Title: it.Name.trimmed(), GiftCard: it.GiftCard}
	for _, a := range it.Attributes {
		if key := a.Key.trimmed(); key != "" && !strings.HasPrefix(key, "_") { // those are not for people
			l.Options = append(l.Options, intake.Option{Name: key, Value: a.Value.trimmed()})
		}
	}
	l.Quantity = m.ordered(it)
	if sold, ok := m.sold[id]; ok {
		l.Taxes, l.Total, l.Subtotal = sold.taxes, sold.total.Sub(sold.tax), sold.total.Sub(sold.tax).Add(sold.discount)
		if l.Quantity.IsZero() && l.Total.IsZero() && sold.tax.IsZero() && m.refunded(id).IsZero() {
			return l, false
		}
		return l, true
	}
	original := m.in(it.Original, "price of line "+id)
	if m.DutiesIncluded { // duties are lines of their own
		for i := range it.Duties {
			original = original.Sub(m.in(it.Duties[i].Price, "duty on line "+id))
		}
	}
	discounted := original
	for i := range it.Allocations {
		discounted = discounted.Sub(m.in(it.Allocations[i].Amount, "discount of line "+id))
	}
	l.Taxes = m.taxes(it.Taxes, "line "+id)
	l.Subtotal, l.Total = m.net(original, discounted, l.Taxes)
	return l, true
}

// ordered is how many units were sold: all that were ever ordered, less those
// that an edit took off. What was refunded is stated by the refunds.
func (m *mapper) ordered(it *lineItem) decimal.Decimal {
	id := it.ID.ref()
	if !m.Edited {
		return m.amount(it.Quantity, "quantity of line "+id)
	}
	if sold, ok := m.sold[id]; ok && !sold.uncounted {
		return sold.units
	}
	return m.amount(it.Current, "current quantity of line "+id).Add(m.refunded(id))
}

// refunded sums up the units of a line that refunds name.
func (m *mapper) refunded(line string) decimal.Decimal {
	var units decimal.Decimal
	for i := range m.Refunds {
		for j := range m.Refunds[i].Lines.Nodes {
			if l := &m.Refunds[i].Lines.Nodes[j]; l.Line.ID.ref() == line {
				units = units.Add(m.amount(l.Quantity, "quantity of refund "+m.Refunds[i].ID.ref()))
			}
		}
	}
	return units
}

// net takes the taxes out of prices that hold them: that of the price before
// discounts in the proportion of the one after.
func (m *mapper) net(original, discounted decimal.Decimal, taxes []intake.Tax) (subtotal, total decimal.Decimal) {
	tax, rate := decimal.Decimal{}, decimal.Decimal{}
	for _, t := range taxes {
		tax, rate = tax.Add(t.Amount), rate.Add(t.Rate)
	}
	if !m.TaxesIncluded {
		return original, discounted
	}
	total = discounted.Sub(tax)
	switch {
	case original.Equal(discounted):
		return total, total
	case discounted.IsZero(): // given away: there is only the rate to go by
		return original.DivRound(one.Add(rate.Shift(-2)), exactDigits), total
	case tax.IsZero():
		return original, total
	default:
		return original.Mul(total).DivRound(discounted, exactDigits), total
	}
}

// exactDigits is to how many decimals amounts are divided; the books round
// them to those of the currency.
const exactDigits = 6

// tips finds the items that are tips. Shopify does not mark them: they are
// those without product, taxes and shipping that make up the tips of the
// order, by their name where several could.
func (m *mapper) tips() map[string]bool {
	total := m.in(m.Tip, "totalTipReceivedSet")
	found := map[string]bool{}
	if total.IsZero() {
		return found
	}
	var named, all []*lineItem
	for i := range m.Lines.Nodes {
		it := &m.Lines.Nodes[i]
		if it.Variant.ID.ref() != "" || it.Product.ID.ref() != "" || it.Ships || it.GiftCard || len(it.Taxes) > 0 {
			continue
		}
		all = append(all, it)
		if strings.EqualFold(it.Name.trimmed(), "tip") {
			named = append(named, it)
		}
	}
	choices := [][]*lineItem{named, all}
	for i := range all {
		choices = append(choices, all[i:i+1])
	}
	for _, some := range choices {
		var sum decimal.Decimal
		for _, it := range some {
			sum = sum.Add(m.in(it.Original, "price of line "+it.ID.ref()))
		}
		if sum.Equal(total) {
			for _, it := range some {
				found[it.ID.ref()] = true
			}
			return found
		}
	}
	return found
}

// shippingLines lists the shipping that was not taken off again.
func (m *mapper) shippingLines() []*shippingLine {
	var lines []*shippingLine
	if m.ShippingAll == nil {
		if m.ShippingLine != nil {
			lines = append(lines, m.ShippingLine)
		}
		return lines
	}
	for i := range m.ShippingAll.Nodes {
		if s := &m.ShippingAll.Nodes[i]; !s.Removed {
			lines = append(lines, s)
		}
	}
	return lines
}

// freight states the i-th shipping line. Its id may be missing, as the schema
// has it.
func (m *mapper) freight(s *shippingLine, i int) intake.Line {
	id := shippingPrefix + s.ID.ref()
	if id == shippingPrefix {
		id += "-" + strconv.Itoa(i+1)
	}
	l := intake.Line{ID: id, Kind: intake.LineShipping, Title: s.Title.trimmed(), Code: s.Code.trimmed(), Quantity: one}
	if l.Code == "" {
		l.Code = l.Title
	}
	l.Taxes = m.taxes(s.Taxes, "shipping "+l.Title)
	l.Subtotal, l.Total = m.net(m.in(s.Original, "price of shipping "+l.Title), m.in(s.Discounted, "price of shipping "+l.Title), l.Taxes)
	return l
}

// surcharge states a duty or an additional fee. Its own code or title tells
// which.
func (m *mapper) surcharge(s *surcharge, prefix, code string) intake.Line {
	l := intake.Line{ID: prefix + s.ID.ref(), Kind: intake.LineFee, Title: s.Name.trimmed(), Code: code, Quantity: one}
	price := m.in(s.Price, "price of "+l.ID)
	l.Taxes = m.taxes(s.Taxes, l.ID)
	l.Subtotal, l.Total = m.net(price, price, l.Taxes)
	return l
}

// taxes states the taxes of a line. The same rate twice is added up: the books
// tell taxes apart by their rate.
func (m *mapper) taxes(lines []taxLine, of string) []intake.Tax {
	var all []intake.Tax
	for i := range lines {
		all = addTax(all, m.tax(&lines[i], m.in(lines[i].Price, "tax of "+of)))
	}
	return all
}

func addTax(all []intake.Tax, t intake.Tax) []intake.Tax {
	for i := range all {
		if all[i].RateID == t.RateID && all[i].Remitted == t.Remitted {
			all[i].Amount = all[i].Amount.Add(t.Amount)
			return all
		}
	}
	return append(all, t)
}

// tax states an amount of a rate. Shopify has no list of rates: country, title
// and percentage name it.
func (m *mapper) tax(t *taxLine, amount decimal.Decimal) intake.Tax {
	percent := m.amount(t.Percent, "percentage of tax "+t.Title.trimmed())
	if t.Percent.trimmed() == "" {
		percent = m.amount(t.Rate, "rate of tax "+t.Title.trimmed()).Shift(2)
	}
	percent = percent.Round(rateDigits)
	name := t.Title.trimmed()
	return intake.Tax{RateID: m.country + "/" + name + "/" + percent.String(), Name: name, Rate: percent, Amount: amount,
		Country: m.country, Remitted: t.Channel != nil && *t.Channel}
}

// rateDigits is to how many decimals a percentage is taken: the shop sends
// binary fractions, and the books keep parts per million.
const rateDigits = 4
