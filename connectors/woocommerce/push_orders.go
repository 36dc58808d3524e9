package woocommerce

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

var _ connectors.OrderPusher = (*Connector)(nil)

// keyMeta is the metadata that keeps the key of what was made.
const keyMeta = "_comptoir_key"

// PushOrder does what is asked for with an order. The order is read first, so
// that what was done already is not done again, and read anew afterwards.
//
// WooCommerce writes to the customer by itself: when an order is completed,
// cancelled or refunded. Only the note with a tracking number is ours to send.
func (c *Connector) PushOrder(ctx context.Context, key string, r intake.OrderRequest) (intake.Outcome, error) {
	out := intake.Outcome{Ref: r.Order, Result: intake.Done}
	why, err := c.carryOut(ctx, key, r)
	if why == "" && err != nil {
		why = refusedWith(err)
	}
	switch {
	case why != "":
		out.Result, out.Why = intake.Refused, why
		return out, nil
	case err != nil:
		return intake.Outcome{}, err
	}
	out.Records, err = c.Fetch(ctx, []intake.Ref{r.Order})
	if err != nil {
		return intake.Outcome{}, connectors.Unread(err)
	}
	return out, nil
}

// refusedWith returns the shop's words where it has thought about a request
// and refused it; "" for any other error.
func refusedWith(err error) string {
	var api *apiError
	if !errors.As(err, &api) || connectors.ClassOf(err) != connectors.Rejected {
		return ""
	}
	return readRefusal(api.Body).Error()
}

// carryOut does it, or says why not: then nothing was written.
func (c *Connector) carryOut(ctx context.Context, key string, r intake.OrderRequest) (why string, err error) {
	raw, err := c.one(ctx, "read order", "orders/"+url.PathEscape(r.Order.ID), url.Values{"dp": {"6"}})
	if absent(err) {
		return "the shop has no order " + r.Order.ID + " any more", nil
	}
	if err != nil {
		return "", err
	}
	o, problem := parseOrder(raw)
	switch {
	case problem != "":
		return problem, nil
	case o.Status.text == "trash":
		return "the order is in the trash: take it out of there first", nil
	case r.Shipment != nil:
		return c.ship(ctx, key, o, raw, *r.Shipment)
	case r.Cancel != nil:
		return c.cancel(ctx, key, o, raw, *r.Cancel)
	case r.Refund != nil:
		return c.refund(ctx, key, o, raw, r)
	}
	if why := r.Overtaken(&intake.Order{RawStatus: o.Status.trimmed()}); why != "" {
		return why, nil
	}
	return "", c.setStatus(ctx, o, r.Status)
}

// update changes an order. Never send its lines or addresses with it: the shop
// would work its totals out anew.
func (c *Connector) update(ctx context.Context, op string, o *order, change map[string]any) error {
	_, err := c.writeOne(ctx, op, http.MethodPut, "orders/"+o.ID.ref(), change)
	return err
}

func (c *Connector) setStatus(ctx context.Context, o *order, status string) error {
	if o.Status.trimmed() == status {
		return nil
	}
	return c.update(ctx, "set order status", o, map[string]any{"status": status})
}

const completed = "completed"

// ship notes a shipment in the order's metadata, completes the order with the
// last one, and has the shop tell the customer.
func (c *Connector) ship(ctx context.Context, key string, o *order, raw json.RawMessage, s intake.NewShipment) (why string, err error) {
	kept := keptShipments(raw)
	if one := newShipment(key, s); !holds(kept.all, one) {
		there, err := c.refundsMade(ctx, o)
		if err != nil {
			return "", err
		}
		if why := o.cannotShip(s.Lines, kept, there); why != "" {
			return why, nil
		}
		entry, err := kept.with(one)
		if err != nil {
			return "", c.api.rest.Fail(connectors.Rejected, "woocommerce: note shipment", err, "")
		}
		c.warnOfOdd(o, kept)
		change := map[string]any{"meta_data": []map[string]any{entry}}
		if s.Completes && o.Status.trimmed() != completed {
			change["status"] = completed
		}
		if err := c.update(ctx, "note shipment", o, change); err != nil {
			return "", err
		}
	}
	note := trackingNote(s)
	if !s.Notify || note == "" {
		return "", nil
	}
	err = c.noteOnce(ctx, o, note)
	if connectors.ClassOf(err) == connectors.Rejected {
		// The shipment is noted, and that counts: refused, it would be sent again.
		c.env.Log.Warn().Str("shop", c.env.Shop).Str("order", o.ID.ref()).Str("reason", cmp.Or(refusedWith(err), err.Error())).
			Msg("the shop does not take the note with the tracking number: tell the customer otherwise")
		err = nil
	}
	return "", err
}

// warnOfOdd says once of an order that its list of shipments was edited by hand
// and makes no sense in part.
func (c *Connector) warnOfOdd(o *order, kept keptList) {
	if kept.odd == 0 {
		return
	}
	if _, told := c.odd.LoadOrStore(o.ID.ref(), true); !told {
		c.env.Log.Warn().Str("shop", c.env.Shop).Str("order", o.ID.ref()).Int("entries", kept.odd).
			Msg("the metadata " + shipmentsMeta + " of the order has entries that make no sense: they are left as they are, and do not count as shipments")
	}
}

// cannotShip says why lines of an order cannot be shipped. More than was
// ordered less what has left, or less what was taken back, cannot be there.
func (o *order) cannotShip(lines []intake.ShippedLine, kept keptList, there []refund) string {
	switch status := o.Status.trimmed(); {
	case slices.Contains([]string{"cancelled", "failed", "refunded"}, status):
		return "the order is " + status + " in the shop: nothing is to be shipped"
	case kept.unfit:
		return "the order has metadata " + shipmentsMeta + " that is no list of shipments: mend or delete it in the shop, then retry this"
	}
	want := map[string]decimal.Decimal{}
	for _, l := range lines {
		want[l.LineID] = want[l.LineID].Add(l.Quantity)
	}
	for _, l := range lines {
		at := slices.IndexFunc(o.Items, func(it item) bool { return it.ID.ref() == l.LineID })
		if at < 0 {
			return "the order has no line " + l.LineID + " any more"
		}
		ordered, err := o.Items[at].Quantity.number()
		if err != nil {
			return "the quantity of line " + l.LineID + " is no number"
		}
		gone := decimal.Max(kept.units(l.LineID), o.unitsBack(there, l.LineID))
		if left := decimal.Max(ordered.Sub(gone), decimal.Decimal{}); want[l.LineID].GreaterThan(left) {
			return fmt.Sprintf("only %s of line %s can still be shipped, not %s: the rest has left, or was refunded", left, l.LineID, want[l.LineID])
		}
	}
	return ""
}

// unitsBack is how many units of a line were refunded. What the shop does not
// say in a number does not count.
func (o *order) unitsBack(there []refund, line string) (sum decimal.Decimal) {
	for i := range there {
		for n := range there[i].Items {
			it := &there[i].Items[n]
			if q, err := it.Quantity.number(); err == nil && refundedLine(it, o.Items) == line {
				sum = sum.Add(q.Abs())
			}
		}
	}
	return sum
}

// units is how many units of a line have left.
func (k keptList) units(line string) (sum decimal.Decimal) {
	for i := range k.all {
		for _, l := range k.all[i].stated().Lines {
			if l.LineID == line {
				sum = sum.Add(l.Quantity)
			}
		}
	}
	return sum
}

// with is the metadata with one more shipment. What stands there stays, be it of
// whatever hand.
func (k keptList) with(one shipment) (map[string]any, error) {
	text, err := json.Marshal(one)
	if err != nil {
		return nil, err
	}
	entry := map[string]any{"key": shipmentsMeta, "value": append(slices.Clone(k.raw), text)}
	if k.metaID > 0 {
		entry["id"] = k.metaID
	}
	return entry, nil
}

// holds reports whether a shipment is noted: under its key, or under another one
// that the same request had before it was taken for refused.
func holds(kept []shipment, one shipment) bool {
	return slices.ContainsFunc(kept, func(s shipment) bool {
		same := s.At == one.At && s.Carrier == one.Carrier && s.Tracking == one.Tracking && slices.Equal(s.Lines, one.Lines)
		return s.Key == one.Key || same
	})
}

func newShipment(key string, s intake.NewShipment) shipment {
	out := shipment{Key: key, At: s.At.UTC().Format(time.RFC3339), Carrier: s.Carrier, Tracking: s.Tracking, URL: s.TrackingURL}
	for _, l := range s.Lines {
		out.Lines = append(out.Lines, shipmentLine{l.LineID, l.Quantity.String()})
	}
	return out
}

// trackingNote is what the customer is told; "" where there is nothing to
// follow. It holds no word of a language.
func trackingNote(s intake.NewShipment) string {
	if s.Tracking == "" && s.TrackingURL == "" {
		return ""
	}
	return strings.Join(strings.Fields(strings.Join([]string{s.Carrier, s.Tracking, s.TrackingURL}, " ")), " ")
}

// noteOnce adds a note for the customer, which the shop sends by mail, unless
// the order has it.
func (c *Connector) noteOnce(ctx context.Context, o *order, note string) error {
	route := "orders/" + o.ID.ref() + "/notes"
	a, err := c.api.get(ctx, "read order notes", route, url.Values{"type": {"customer"}})
	if err != nil {
		return err
	}
	rows, err := c.rows("read order notes", a)
	if err != nil {
		return err
	}
	for _, raw := range rows {
		var n struct {
			Note scalar `json:"note"`
		}
		if json.Unmarshal(raw, &n) != nil {
			continue
		}
		// An address may stand there as it was written, or with its & escaped.
		if strings.Contains(n.Note.text, note) || strings.Contains(n.Note.plain(), note) {
			return nil
		}
	}
	_, err = c.writeOne(ctx, "add order note", http.MethodPost, route, map[string]any{"note": note, "customer_note": true})
	return err
}

// cancel cancels an order. Where it is to be paid back too, that comes first:
// a gateway may refuse it, and then nothing is done.
func (c *Connector) cancel(ctx context.Context, key string, o *order, raw json.RawMessage, x intake.Cancellation) (why string, err error) {
	if o.Status.trimmed() != "cancelled" {
		if why := o.cannotCancel(raw, x.Restock); why != "" {
			return why, nil
		}
	}
	back := false
	if x.Refund && o.Paid.trimmed() != "" {
		if back, why, err = c.payBack(ctx, key, o, cmp.Or(x.Note, x.Reason)); why != "" || err != nil {
			return why, err
		}
	}
	err = c.setStatus(ctx, o, "cancelled")
	if why := refusedWith(err); why != "" && back {
		return "the money has gone back, but the order was not cancelled, so cancel it in the shop: " + why, nil
	}
	return "", err
}

// cannotCancel says why an order cannot be cancelled as it is asked for.
func (o *order) cannotCancel(raw json.RawMessage, restock bool) string {
	if len(keptShipments(raw).all) > 0 || o.Status.trimmed() == completed {
		return "goods of the order have left in the shop, so it cannot be cancelled: refund what comes back, with: comptoir order refund"
	}
	if !restock && o.tookStock() {
		return "WooCommerce puts the goods of an order back in stock when it is cancelled, and cannot be told not to: " +
			"cancel it with the goods put back, and then take them off with: comptoir stock adjust"
	}
	return ""
}

// tookStock reports whether the shop has taken stock for an order.
func (o *order) tookStock() bool {
	for i := range o.Items {
		if q, err := (scalar{text: metaOf(o.Items[i].Meta, "_reduced_stock")}).number(); err == nil && q.IsPositive() {
			return true
		}
	}
	return false
}
