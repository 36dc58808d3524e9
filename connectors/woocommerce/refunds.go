package woocommerce

import (
	"strings"

	"comptoir/erp/intake"
)

// refund is a full refund record. Its lines carry negative quantities and
// amounts.
type refund struct {
	ID       scalar        `json:"id"`
	ParentID scalar        `json:"parent_id"` // in the list of all refunds only
	Created  scalar        `json:"date_created_gmt"`
	Amount   scalar        `json:"amount"`
	Reason   scalar        `json:"reason"`
	Paid     scalar        `json:"refunded_payment"` // the gateway has moved the money
	Meta     list[meta]    `json:"meta_data"`
	Items    list[item]    `json:"line_items"`
	Shipping list[item]    `json:"shipping_lines"`
	Fees     list[item]    `json:"fee_lines"`
	TaxLines list[taxLine] `json:"tax_lines"`
}

func refundBody(r *reading, f *refund, o *order, rates map[string]rate) intake.Refund {
	name := "refund " + f.ID.text
	b := intake.Refund{
		ID:     f.ID.ref(),
		At:     r.instant(f.Created, "date of "+name),
		Amount: r.amount(f.Amount, "amount of "+name).Abs(),
		Reason: f.Reason.plain(),
		Full:   metaOf(f.Meta, "_refund_type") == "full",
	}
	if len(f.TaxLines) > 0 { // a rate may have come into the order later
		rates = merged(rates, ratesOf(r, f.TaxLines))
	}
	for _, part := range []struct{ refunded, ordered list[item] }{{f.Items, o.Items}, {f.Shipping, o.ShippingLines}, {f.Fees, o.Fees}} {
		for i := range part.refunded {
			if l, ok := refundLine(r, &part.refunded[i], part.ordered, rates); ok {
				l.Restock = restockOf(f, &l)
				b.Lines = append(b.Lines, l)
			}
		}
	}
	return b
}

// restockMeta is the metadata of a refund that keeps whether its goods went
// back in stock. WooCommerce does not say; of the refunds that were asked for
// here it is known.
const restockMeta = "_comptoir_restock"

func restockOf(f *refund, l *intake.RefundLine) intake.Restock {
	said := intake.Restock(metaOf(f.Meta, restockMeta))
	if l.Quantity.IsPositive() && (said == intake.RestockYes || said == intake.RestockNo) {
		return said
	}
	return intake.RestockUnknown
}

func merged(a, b map[string]rate) map[string]rate {
	all := make(map[string]rate, len(a)+len(b))
	for id, v := range b {
		all[id] = v
	}
	for id, v := range a {
		all[id] = v
	}
	return all
}

// refundLine turns the signs of a line: what was given back is positive. It
// reports false for a line about nothing.
func refundLine(r *reading, it *item, ordered list[item], rates map[string]rate) (intake.RefundLine, bool) {
	l := intake.RefundLine{
		LineID:   refundedLine(it, ordered),
		Quantity: r.amount(it.Quantity, "quantity of refund line "+it.ID.text).Abs(),
		Total:    r.amount(it.Total, "total of refund line "+it.ID.text).Neg(),
		Taxes:    taxes(r, it, rates),
	}
	something := !l.Quantity.IsZero() || !l.Total.IsZero()
	for i := range l.Taxes {
		l.Taxes[i].Amount = l.Taxes[i].Amount.Neg()
		something = something || !l.Taxes[i].Amount.IsZero()
	}
	return l, something
}

// refundedLine finds the line of the order that a refund line is about. Where
// the shop does not say, it is the only one of the same thing, or none.
func refundedLine(it *item, ordered list[item]) string {
	if id := metaOf(it.Meta, "_refunded_item_id"); id != "" {
		return strings.TrimSpace(id)
	}
	found := ""
	for i := range ordered {
		other := &ordered[i]
		if other.ProductID.ref() != it.ProductID.ref() || other.VariationID.ref() != it.VariationID.ref() ||
			other.MethodID.text != it.MethodID.text || other.InstanceID.text != it.InstanceID.text ||
			it.ProductID.ref() == "" && other.Name.text != it.Name.text {
			continue
		}
		if found != "" {
			return ""
		}
		found = other.ID.ref()
	}
	return found
}
