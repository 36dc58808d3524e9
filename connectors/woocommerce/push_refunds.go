package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// The shop notes the key of a refund only after its gateway has moved the
// money, so where it was cut off between the two there is a refund without a
// key. One that was not there before the first try, and is of the same amount,
// is that one: another would pay the customer twice. Where the shop does not
// say that the money of it was moved, a person has to look at the gateway.

// refund pays back a part of an order, unless that was done with this key.
func (c *Connector) refund(ctx context.Context, key string, o *order, raw json.RawMessage, r intake.OrderRequest) (why string, err error) {
	there, err := c.refundsMade(ctx, o)
	if err != nil {
		return "", err
	}
	made, err := c.refunded(ctx, key, there, r.Refund)
	if made || err != nil {
		return "", err
	}
	if r.Known != nil {
		rec := c.sealOrder(o, there, raw)
		now, ok := rec.Body.(*intake.Order)
		if !ok {
			return rec.Problem, nil
		}
		if why := r.Overtaken(now); why != "" {
			return why, nil
		}
	}
	return c.makeRefund(ctx, key, o, there, *r.Refund)
}

// payBack pays back what is left of an order that is to be cancelled; its goods
// come back by the cancellation. Done reports whether money has gone back by
// this. A refund that was begun by another request, and of which nobody knows
// whether the money was moved, is not passed over: what it was to give back
// would be left out without a word.
func (c *Connector) payBack(ctx context.Context, key string, o *order, reason string) (done bool, why string, err error) {
	there, err := c.refundsMade(ctx, o)
	if err != nil {
		return false, "", err
	}
	left, err := o.left()
	if err != nil {
		return false, "the amounts of the order are no numbers: " + err.Error(), nil
	}
	own, err := c.tries.Begun(ctx, c.env.Keeper, key)
	if err != nil {
		return false, "", c.unkept(err)
	}
	f := intake.NewRefund{Amount: left, Reason: reason, Pay: true}
	switch {
	case own != nil && own.Amount != nil:
		f.Amount = *own.Amount
	case own == nil:
		tries, err := c.tries.Of(ctx, c.env.Keeper, o.ID.ref())
		if err != nil {
			return false, "", c.unkept(err)
		}
		if r := uncertain(tries, there); r != nil {
			return false, fmt.Sprintf("an earlier request has left refund %s of %s in the shop, which does not say that its gateway has moved the money: look at the gateway; "+
				"where it has moved nothing, delete that refund in the shop and ask for this again; where it has, refund the rest with: comptoir order refund, and cancel the order without a refund",
				r.ID.ref(), r.Amount.trimmed()), nil
		}
		if !left.IsPositive() {
			return false, "", nil
		}
	}
	made, err := c.refunded(ctx, key, there, &f)
	if made || err != nil {
		return made, "", err
	}
	if !left.Equal(f.Amount) { // whose doing that is cannot be told
		return false, "", c.api.rest.Fail(connectors.Transient, refundOp, fmt.Errorf("%s of the order was to go back when this was begun, and %s is left to go back now", f.Amount, left),
			"if it stays so, look at the refunds of the order in the shop, drop this, and ask for what is still to be done")
	}
	why, err = c.makeRefund(ctx, key, o, there, f)
	return why == "" && err == nil, why, err
}

// uncertain is a refund of which nobody knows whether its money was moved:
// another request has begun it, and it was cut off. Nil for none.
func uncertain(tries []connectors.Try, there []refund) *refund {
	for i := range tries {
		t := &tries[i]
		if t.Amount == nil || slices.ContainsFunc(there, func(r refund) bool { return metaOf(r.Meta, keyMeta) == t.Key }) {
			continue
		}
		for n := range there {
			if r := &there[n]; r.cutOff(t, *t.Amount) && !r.Paid.yes() {
				return r
			}
		}
	}
	return nil
}

// refunded reports whether an earlier try with this key has made a refund. It is
// an error where that cannot be told.
func (c *Connector) refunded(ctx context.Context, key string, there []refund, f *intake.NewRefund) (bool, error) {
	if slices.ContainsFunc(there, func(r refund) bool { return metaOf(r.Meta, keyMeta) == key }) {
		return true, nil
	}
	tried, err := c.tries.Begun(ctx, c.env.Keeper, key)
	if err != nil {
		return false, c.unkept(err)
	}
	var unpaid error
	for i := range there {
		r := &there[i]
		if !r.cutOff(tried, f.Amount) {
			continue
		}
		if !f.Pay || r.Paid.yes() {
			return true, nil
		}
		unpaid = fmt.Errorf("an earlier try has left refund %s in the shop, which does not say that its gateway has moved the money", r.ID.ref())
	}
	if unpaid != nil { // it may still be at it
		return false, c.api.rest.Fail(connectors.Transient, refundOp, unpaid,
			"if it stays so, look at the gateway; where it has moved nothing, delete that refund in the shop and retry this, and drop it where it has")
	}
	return false, nil
}

const refundOp = "woocommerce: refund order"

// unkept is the error of a keeper that cannot note what is about to be made.
func (c *Connector) unkept(err error) error {
	return c.api.rest.Fail(connectors.Transient, refundOp, fmt.Errorf("note what is about to be refunded: %w", err), "")
}

// makeRefund makes a refund. The shop moves money and puts goods back unless it
// is told not to, so both are always said. That it is tried is noted first, with
// the refunds that are there.
func (c *Connector) makeRefund(ctx context.Context, key string, o *order, there []refund, f intake.NewRefund) (why string, err error) {
	left, err := o.left()
	switch {
	case err != nil:
		return "the amounts of the order are no numbers: " + err.Error(), nil
	case f.Amount.GreaterThan(left):
		return fmt.Sprintf("only %s of the order is left to refund, not %s", left, f.Amount), nil
	case f.Amount.IsNegative():
		return "a refund cannot be less than nothing", nil
	}
	try := connectors.Try{Key: key, Order: o.ID.ref(), Amount: &f.Amount}
	for i := range there {
		try.Before = append(try.Before, there[i].ID.ref())
	}
	if _, err := c.tries.Begin(ctx, c.env.Keeper, try); err != nil {
		return "", c.unkept(err)
	}
	restock := intake.RestockNo
	if f.Restock {
		restock = intake.RestockYes
	}
	body := map[string]any{
		"amount": f.Amount.String(), "reason": f.Reason, "api_refund": f.Pay, "api_restock": f.Restock,
		"meta_data": []map[string]any{{"key": keyMeta, "value": key}, {"key": restockMeta, "value": restock}},
	}
	if len(f.Lines) > 0 {
		body["line_items"] = refundItems(f.Lines)
	}
	_, err = c.writeOne(ctx, "refund order", http.MethodPost, "orders/"+o.ID.ref()+"/refunds", body)
	return "", err
}

// left is what of an order was not refunded yet.
func (o *order) left() (decimal.Decimal, error) {
	left, err := o.Total.number()
	for i := range o.Refunds {
		back, e := o.Refunds[i].Total.number()
		left, err = left.Sub(back.Abs()), errors.Join(err, e)
	}
	return left, err
}

// cutOff reports whether a refund may be what an earlier try has made without
// its key.
func (f *refund) cutOff(tried *connectors.Try, amount decimal.Decimal) bool {
	if tried == nil || slices.Contains(tried.Before, f.ID.ref()) || metaOf(f.Meta, keyMeta) != "" {
		return false
	}
	has, err := f.Amount.number()
	return err == nil && has.Abs().Equal(amount)
}

// refundsMade reads the refunds of an order.
func (c *Connector) refundsMade(ctx context.Context, o *order) ([]refund, error) {
	if len(o.Refunds) == 0 {
		return nil, nil
	}
	found := map[string]refund{}
	l := source{resource: intake.Orders, route: "orders/" + o.ID.ref() + "/refunds", query: url.Values{"dp": {"6"}}}
	err := c.each(ctx, l, "", func(rows []row) error {
		for _, r := range rows {
			keepRefunds(found)(r.raw)
		}
		return nil
	})
	return slices.Collect(maps.Values(found)), err
}

func refundItems(lines []intake.NewRefundLine) []map[string]any {
	var all []map[string]any
	for _, l := range lines {
		item := map[string]any{"id": number(l.LineID), "quantity": json.Number(l.Quantity.String()), "refund_total": json.Number(l.Total.String())}
		var taxes []map[string]any
		for _, t := range l.Taxes {
			taxes = append(taxes, map[string]any{"id": number(t.RateID), "refund_total": json.Number(t.Amount.String())})
		}
		if len(taxes) > 0 {
			item["refund_tax"] = taxes
		}
		all = append(all, item)
	}
	return all
}
