package sandbox

// swap is a return: goods that came back, and what was sent for them. Its
// number is that of the refund that settles it.
type swap struct {
	r   *refund
	new int // index of the line sent in exchange
}

// returns are the returns of an order.
func (o *order) returns() []*swap {
	var all []*swap
	for _, r := range o.refunds {
		if w := r.swap(); w != nil {
			all = append(all, w)
		}
	}
	return all
}

// swap is the return that a refund belongs to; nil where it is none.
func (r *refund) swap() *swap {
	if !r.returned {
		return nil
	}
	for _, e := range r.of.edits {
		if e.swap == r {
			return &swap{r: r, new: countKind(e.before, goods)}
		}
	}
	return nil
}

// countKind is how many lines of a kind a sheet has, and so the index of the
// line that came next.
func countKind(sheet []entry, kind partKind) int {
	n := 0
	for _, e := range sheet {
		if e.kind == kind {
			n++
		}
	}
	return n
}

// swapped is a line of a return: of what came back, or of what was sent.
type swapped struct {
	of  *swap
	row *lineItem
	qty int64
}

func returnTypes() []gqlType {
	return []gqlType{
		{name: "Return", is: []string{"Node"}, fields: gqlFields{
			"id":            gqlID("Return", func(_ *gqlRun, w *swap) int64 { return w.r.id }),
			"name":          gqlText(func(_ *gqlRun, w *swap) string { return "#" + w.r.of.label() + "-R1" }),
			"status":        gqlText(func(*gqlRun, *swap) string { return "CLOSED" }),
			"createdAt":     gqlTime(func(_ *gqlRun, w *swap) int64 { return w.r.created }),
			"closedAt":      gqlTime(func(_ *gqlRun, w *swap) int64 { return w.r.created }),
			"totalQuantity": gqlNumber(func(*gqlRun, *swap) int64 { return 1 }),
			"order":         gqlObject("Order", func(_ *gqlRun, w *swap) *order { return w.r.of }),
			"refunds": gqlConnection("Refund", func(_ *gqlRun, w *swap) gqlRows[*refund] {
				return gqlRows[*refund]{all: []*refund{w.r}}
			}),
			"exchangeLineItems": gqlConnection("ExchangeLineItem", func(x *gqlRun, w *swap) gqlRows[*swapped] {
				return gqlRows[*swapped]{all: []*swapped{{w, x.s.view(w.r.of).item(w.new), 1}}}
			}),
			"returnLineItems": gqlConnection("ReturnLineItemType", func(x *gqlRun, w *swap) gqlRows[*swapped] {
				var all []*swapped
				for _, p := range w.r.partsOf(goods) {
					all = append(all, &swapped{w, p.row(x), p.qty})
				}
				return gqlRows[*swapped]{all: all}
			}),
		}},
		{name: "ExchangeLineItem", is: []string{"Node"}, fields: gqlFields{
			"id":        gqlID("ExchangeLineItem", func(_ *gqlRun, l *swapped) int64 { return l.row.l.id }),
			"quantity":  gqlNumber(func(_ *gqlRun, l *swapped) int64 { return l.qty }),
			"lineItems": gqlList("LineItem", func(_ *gqlRun, l *swapped) []*lineItem { return []*lineItem{l.row} }),
		}},
		{name: "ReturnLineItemType", which: func(any) string { return "ReturnLineItem" }},
		{name: "ReturnLineItem", is: []string{"ReturnLineItemType", "Node"}, fields: gqlFields{
			"id":                 gqlID("ReturnLineItem", func(_ *gqlRun, l *swapped) int64 { return l.row.l.id }),
			"quantity":           gqlNumber(func(_ *gqlRun, l *swapped) int64 { return l.qty }),
			"refundedQuantity":   gqlNumber(func(_ *gqlRun, l *swapped) int64 { return l.qty }),
			"refundableQuantity": gqlNumber(func(*gqlRun, *swapped) int64 { return 0 }),
			"processedQuantity":  gqlNumber(func(_ *gqlRun, l *swapped) int64 { return l.qty }),
			"returnReasonNote":   gqlText(func(_ *gqlRun, l *swapped) string { return l.of.r.because() }),
		}},
	}
}
