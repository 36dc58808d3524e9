package shopify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// refundable is what of an order can be given back.
type refundable struct {
	Order *struct {
		Currency     scalar        `json:"currencyCode"`
		Presented    scalar        `json:"presentmentCurrencyCode"`
		Transactions []paidOrGiven `json:"transactions"`
	} `json:"order"`
	lines   []lineLeft
	waiting []fulfillmentOrder // where goods go back to that never left; read where they do
}

// lineLeft is what of a line can be taken back, and what never left.
type lineLeft struct {
	ID        scalar `json:"id"`
	Left      scalar `json:"refundableQuantity"`
	Unshipped scalar `json:"unfulfilledQuantity"`
}

// paidOrGiven is a transaction of an order.
type paidOrGiven struct {
	ID      scalar `json:"id"`
	Kind    string `json:"kind"`
	Status  string `json:"status"`
	Gateway scalar `json:"gateway"`
	Manual  bool   `json:"manualPaymentGateway"`
	Amount  bag    `json:"amountSet"`
	Parent  node   `json:"parentTransaction"`
}

// refund gives money back, takes goods back, or both. The reason is why it was
// refused; "" where the shop has it.
func (c *Connector) refund(ctx context.Context, key string, asked intake.OrderRequest, order *intake.Order) (string, error) {
	const op = "refund"
	id, r := asked.Order.ID, asked.Refund
	tried, err := c.tries.Begun(ctx, c.env.Keeper, key)
	if err != nil {
		return "", c.unkept(err)
	}
	if slices.ContainsFunc(order.Refunds, func(there intake.Refund) bool { return sameRefund(there, r, order, tried) }) {
		return "", nil // by an earlier try
	}
	switch why := asked.Overtaken(order); {
	case why != "" && tried == nil:
		return why, nil
	case why != "": // what has gone back since may be what the earlier try gave back
		return "", c.client.rest.Fail(connectors.Transient, "shopify: "+op, errors.New(why), "")
	}
	left, err := c.toRefund(ctx, id, r)
	if err != nil {
		return "", err
	}
	input, why := left.input(id, r, order)
	if why != "" {
		return why, nil
	}
	try := connectors.Try{Key: key, Order: id, Amount: &r.Amount}
	for _, there := range order.Refunds {
		try.Before = append(try.Before, there.ID)
	}
	if _, err := c.tries.Begin(ctx, c.env.Keeper, try); err != nil {
		return "", c.unkept(err)
	}
	return c.underKey(op, key, func(key string) ([]userError, error) { return c.giveBack(ctx, key, input) })
}

// unkept is the error of a keeper that cannot note what is about to be made.
func (c *Connector) unkept(err error) error {
	return c.client.rest.Fail(connectors.Transient, "shopify: refund", fmt.Errorf("note what is about to be refunded: %w", err), "")
}

// giveBack makes a refund. It is sent once, though it has a key: money that went
// back twice does not come again, and some have seen a key being ignored.
// Whoever tries again looks first.
func (c *Connector) giveBack(ctx context.Context, key string, input map[string]any) ([]userError, error) {
	var made struct {
		Create answeredErrors `json:"refundCreate"`
	}
	_, err := c.client.doOnce(ctx, "refund", documentOf("order_refund"), map[string]any{"key": key, "input": input}, &made)
	return made.Create.Errors, err
}

// sameRefund reports whether a refund that the shop has is the one that is asked
// for: it was not there before the first try, and takes the same goods back, or
// gives the same back where there are none.
func sameRefund(there intake.Refund, r *intake.NewRefund, order *intake.Order, tried *connectors.Try) bool {
	if tried == nil || slices.Contains(tried.Before, there.ID) {
		return false
	}
	var taken, wanted []intake.ShippedLine
	for _, l := range there.Lines {
		taken = append(taken, intake.ShippedLine{LineID: l.LineID, Quantity: l.Quantity})
	}
	for _, l := range r.Lines {
		if kindOfLine(order, l.LineID) == intake.LineItem {
			wanted = append(wanted, intake.ShippedLine{LineID: l.LineID, Quantity: l.Quantity})
		}
	}
	if len(wanted) > 0 {
		return sameUnits(itemsOf(taken, order), wanted)
	}
	return there.Amount.Equal(r.Amount)
}

func itemsOf(lines []intake.ShippedLine, order *intake.Order) []intake.ShippedLine {
	return slices.DeleteFunc(lines, func(l intake.ShippedLine) bool { return kindOfLine(order, l.LineID) != intake.LineItem })
}

// kindOfLine is what a line of an order is; "" where it has none of that id.
func kindOfLine(order *intake.Order, id string) intake.LineKind {
	for i := range order.Lines {
		if order.Lines[i].ID == id {
			return order.Lines[i].Kind
		}
	}
	return ""
}

// toRefund reads what of an order can be given back.
func (c *Connector) toRefund(ctx context.Context, id string, r *intake.NewRefund) (*refundable, error) {
	const op = "read what can be refunded"
	said, order := new(refundable), scalar{text: gid("Order", id)}
	if _, err := c.client.do(ctx, op, documentOf("order_to_refund"), map[string]any{"id": order.text}, said); err != nil {
		return nil, err
	}
	if said.Order == nil {
		return nil, c.malformed(op, fmt.Errorf("%w: order %s", errNothing, id))
	}
	if len(r.Lines) == 0 {
		return said, nil
	}
	var err error
	if said.lines, err = entire[lineLeft](ctx, c, documentOf("lines_to_refund"), []string{"order", "lineItems"}, order, 100); err != nil {
		return nil, err
	}
	if r.Restock && r.Location == "" {
		said.waiting, err = c.toShip(ctx, id)
	}
	return said, err
}

// input is a refund in the words of the API, or why it cannot be one.
func (f *refundable) input(id string, r *intake.NewRefund, order *intake.Order) (input map[string]any, why string) {
	if f.Order.Presented.trimmed() != f.Order.Currency.trimmed() {
		return nil, fmt.Sprintf("the customer paid in %s, and the books know what that is in %s: refund it in the admin of the shop",
			f.Order.Presented.trimmed(), f.Order.Currency.trimmed())
	}
	input = map[string]any{"orderId": gid("Order", id), "notify": r.Notify}
	if r.Reason != "" {
		input["note"] = r.Reason
	}
	lines, why := f.goods(r, order)
	if why != "" {
		return nil, why
	}
	if len(lines) > 0 {
		input["refundLineItems"] = lines
	}
	if shipping := shippingOf(r, order); shipping.IsPositive() {
		input["shipping"] = map[string]any{"amount": shipping.String()}
	}
	money, why := f.money(id, r)
	if why == "" && len(money) == 0 && len(lines) == 0 {
		why = "nothing is given back and no goods are taken back: Shopify notes money that was given back by hand only where it was paid by hand"
	}
	if why != "" {
		return nil, why
	}
	if len(money) > 0 {
		input["transactions"] = money
	}
	return input, ""
}

// goods are the lines that are taken back. What never left is no longer to be
// shipped, and goes back where it was; what had left comes back, to where it
// left from unless it is said where.
func (f *refundable) goods(r *intake.NewRefund, order *intake.Order) (lines []map[string]any, why string) {
	for _, l := range r.Lines {
		if kindOfLine(order, l.LineID) != intake.LineItem {
			continue
		}
		at := slices.IndexFunc(f.lines, func(there lineLeft) bool { return there.ID.ref() == l.LineID })
		switch {
		case at < 0:
			return nil, "the order has no line " + l.LineID + " any more"
		case !l.Quantity.IsInteger() || l.Quantity.IsNegative():
			return nil, "Shopify takes whole units back, and not " + l.Quantity.String()
		case l.Quantity.IsZero():
			continue // an amount alone
		}
		there := f.lines[at]
		left, _ := there.Left.number() // none where it is no number
		unshipped, _ := there.Unshipped.number()
		if l.Quantity.GreaterThan(left) {
			return nil, fmt.Sprintf("only %s of line %s are left to be refunded", left, l.LineID)
		}
		part := func(n decimal.Decimal, restock, at string) {
			if !n.IsPositive() {
				return
			}
			line := map[string]any{"lineItemId": there.ID.trimmed(), "quantity": n.IntPart(), "restockType": restock}
			if at != "" {
				line["locationId"] = gid("Location", at)
			}
			lines = append(lines, line)
		}
		if !r.Restock {
			part(l.Quantity, "NO_RESTOCK", "")
			continue
		}
		never := decimal.Min(l.Quantity, unshipped)
		part(never, "CANCEL", cmp.Or(r.Location, f.waitsAt(l.LineID)))
		part(l.Quantity.Sub(never), "RETURN", cmp.Or(r.Location, leftFrom(order, l.LineID)))
	}
	return lines, ""
}

// waitsAt is the location that a line is to leave from.
func (f *refundable) waitsAt(line string) string {
	for i := range f.waiting {
		if slices.ContainsFunc(f.waiting[i].Lines.Nodes, func(l toShip) bool { return l.Line.ID.ref() == line }) {
			return f.waiting[i].Assigned.Location.ID.ref()
		}
	}
	return ""
}

// leftFrom is the location that a line left from last.
func leftFrom(order *intake.Order, line string) (at string) {
	for _, s := range order.Shipments {
		if s.Location != "" && slices.ContainsFunc(s.Lines, func(l intake.ShippedLine) bool { return l.LineID == line }) {
			at = s.Location
		}
	}
	return at
}

// shippingOf is what of a refund is for shipping, with tax.
func shippingOf(r *intake.NewRefund, order *intake.Order) (sum decimal.Decimal) {
	for _, l := range r.Lines {
		if kindOfLine(order, l.LineID) != intake.LineShipping {
			continue
		}
		sum = sum.Add(l.Total)
		for _, t := range l.Taxes {
			sum = sum.Add(t.Amount)
		}
	}
	return sum
}

// money is what moves, each part on the payment that it goes back to. Money
// that was given back by hand can be noted only on a payment that was made by
// hand: on any other, Shopify would move it.
func (f *refundable) money(id string, r *intake.NewRefund) (parts []map[string]any, why string) {
	open, left := r.Amount, decimal.Decimal{}
	for _, t := range f.Order.Transactions {
		if t.Status != "SUCCESS" || t.Kind != "SALE" && t.Kind != "CAPTURE" || t.Manual == r.Pay {
			continue
		}
		rest, err := f.leftOf(t)
		if err != nil {
			return nil, fmt.Sprintf("payment %s: %v", t.ID.trimmed(), err)
		}
		left = left.Add(rest)
		if part := decimal.Min(open, rest); part.IsPositive() {
			open = open.Sub(part)
			parts = append(parts, map[string]any{"orderId": gid("Order", id), "kind": "REFUND", "gateway": t.Gateway.trimmed(), "amount": part.String(), "parentId": t.ID.trimmed()})
		}
	}
	switch {
	case !open.IsPositive():
		return parts, ""
	case r.Pay:
		return nil, fmt.Sprintf("only %s can go back through the gateways it was paid with, and not %s: what was paid by hand is given back by hand", left, r.Amount)
	case len(parts) > 0:
		return nil, fmt.Sprintf("only %s was paid by hand, and not %s: the rest can only go back through its gateway", left, r.Amount)
	default:
		return nil, "" // Shopify has no place for it
	}
}

// leftOf is what of a payment was not given back yet. What is on its way back
// counts as given.
func (f *refundable) leftOf(t paidOrGiven) (decimal.Decimal, error) {
	left, err := t.Amount.Shop.Amount.number()
	if err != nil {
		return left, err
	}
	for _, given := range f.Order.Transactions {
		if given.Kind != "REFUND" || given.Status == "FAILURE" || given.Status == "ERROR" || given.Parent.ID.trimmed() != t.ID.trimmed() {
			continue
		}
		back, err := given.Amount.Shop.Amount.number()
		if err != nil {
			return left, err
		}
		left = left.Sub(back)
	}
	return decimal.Max(left, decimal.Decimal{}), nil
}
