package shopify

import (
	"strings"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// agreed is what a line was sold for, over the order and all its edits.
type agreed struct {
	units     decimal.Decimal
	uncounted bool            // some units are not known
	total     decimal.Decimal // with tax, after discounts
	tax       decimal.Decimal
	discount  decimal.Decimal // before tax
	taxes     []intake.Tax
}

// soldByAgreement adds up by line what was agreed on. Shopify spreads the
// cents of an edit there so that they are exact, which the fields of a line
// are not. It is empty where the order was never edited.
func (m *mapper) soldByAgreement() map[string]agreed {
	sold := map[string]agreed{}
	if !m.Edited {
		return sold
	}
	for i := range m.Agreements.Nodes {
		a := &m.Agreements.Nodes[i]
		for j := range a.Sales.Nodes {
			s := &a.Sales.Nodes[j]
			line := s.Line.ID.ref()
			if line == "" || !a.sells(s) {
				continue
			}
			sold[line] = m.agree(sold[line], s)
		}
	}
	return sold
}

// sells reports whether a sale is part of what was sold: all of the order and
// of its edits, and of a return what was given in exchange. What a return or a
// refund takes back is stated by the refunds.
func (a *agreement) sells(s *sale) bool {
	if a.Type == "OrderAgreement" || a.Type == "OrderEditAgreement" {
		return true
	}
	return strings.EqualFold(s.Action.trimmed(), "ORDER")
}

// agree adds a sale to what was agreed on before.
func (m *mapper) agree(sum agreed, s *sale) agreed {
	of := "sale of line " + s.Line.ID.ref()
	switch strings.ToUpper(s.Action.trimmed()) {
	case "ORDER":
		sum.units = sum.units.Add(m.amount(s.Quantity, "quantity of "+of).Abs())
		sum.uncounted = sum.uncounted || s.Quantity.trimmed() == ""
	case "RETURN":
		sum.units = sum.units.Sub(m.amount(s.Quantity, "quantity of "+of).Abs())
		sum.uncounted = sum.uncounted || s.Quantity.trimmed() == ""
	}
	sum.total = sum.total.Add(m.in(s.Total, of))
	sum.tax = sum.tax.Add(m.in(s.Tax, "tax of "+of))
	sum.discount = sum.discount.Add(m.in(s.Discount, "discount of "+of))
	for _, t := range m.saleTaxes(s) {
		sum.taxes = addTax(sum.taxes, t)
	}
	return sum
}

func (m *mapper) saleTaxes(s *sale) []intake.Tax {
	var all []intake.Tax
	for i := range s.Taxes {
		t := &s.Taxes[i]
		all = addTax(all, m.tax(&t.Line, m.in(t.Amount, "tax of a sale of line "+s.Line.ID.ref())))
	}
	return all
}

// refundTaxes are the taxes of a line that a refund took back, by rate, as the
// agreement of the refund states them; nil where there is none.
func (m *mapper) refundTaxes(refund, line string) []intake.Tax {
	var all []intake.Tax
	for i := range m.Agreements.Nodes {
		a := &m.Agreements.Nodes[i]
		if a.Refund.ID.ref() != refund {
			continue
		}
		for j := range a.Sales.Nodes {
			s := &a.Sales.Nodes[j]
			if s.Line.ID.ref() != line || strings.EqualFold(s.Action.trimmed(), "ORDER") {
				continue
			}
			for _, t := range m.saleTaxes(s) {
				t.Amount = t.Amount.Neg()
				all = addTax(all, t)
			}
		}
	}
	return all
}
