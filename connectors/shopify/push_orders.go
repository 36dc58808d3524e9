package shopify

import (
	"context"
	"errors"
	"slices"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// PushOrder ships, cancels, refunds, closes or opens an order, and states it as
// it then is. Where the shop may have done so before and the answer was lost,
// it looks first; a refund has its key besides.
func (c *Connector) PushOrder(ctx context.Context, key string, r intake.OrderRequest) (intake.Outcome, error) {
	before, err := c.orderNow(ctx, r.Order)
	if err != nil {
		return intake.Outcome{}, err
	}
	o := intake.Outcome{Ref: r.Order}
	if order, ok := before.Body.(*intake.Order); !ok {
		o.Result, o.Why = intake.Refused, unseen(before)
	} else if err := c.carryOut(ctx, key, r, order, &o); err != nil {
		return intake.Outcome{}, err
	}
	if o.Result != intake.Done {
		return o, nil
	}
	after, err := c.orderNow(ctx, r.Order)
	if err != nil {
		return intake.Outcome{}, connectors.Unread(err)
	}
	if order, _ := after.Body.(*intake.Order); r.Cancel != nil && order != nil && order.CancelledAt.IsZero() {
		return intake.Outcome{Ref: r.Order, Result: intake.Refused, Why: "Shopify took the order to cancel it and did not: the admin says why, in the order's history"}, nil
	}
	o.Records = []intake.Record{after}
	return o, nil
}

// unseen says why an order cannot be worked on.
func unseen(rec intake.Record) string {
	switch {
	case rec.Hidden:
		return "Shopify does not show this order to the app: it is older than 60 days, and the right " + scopeAllOrders + " is missing"
	case rec.Gone():
		return "the shop does not have this order any more"
	default:
		return "the order cannot be understood: " + rec.Problem
	}
}

// carryOut does what is asked for, and says what became of it.
func (c *Connector) carryOut(ctx context.Context, key string, r intake.OrderRequest, order *intake.Order, o *intake.Outcome) error {
	var why string
	var err error
	switch {
	case r.Shipment != nil:
		why, err = c.ship(ctx, key, r.Order.ID, r.Shipment, order)
	case r.Cancel != nil:
		why, err = c.cancel(ctx, r.Order.ID, r.Cancel, order)
	case r.Refund != nil:
		why, err = c.refund(ctx, key, r, order)
	case r.Status != "":
		why, err = c.setStatus(ctx, r.Order.ID, r.Status)
	default:
		why = "nothing was asked for"
	}
	if o.Result = intake.Done; why != "" {
		o.Result, o.Why = intake.Refused, why
	}
	return err
}

// orderNow is the order as the shop states it.
func (c *Connector) orderNow(ctx context.Context, ref intake.Ref) (intake.Record, error) {
	records, err := c.fetchOrders(ctx, []intake.Ref{ref})
	if err != nil {
		return intake.Record{}, err
	}
	return records[0], nil
}

// cancelReasons are ours and the shop's.
var cancelReasons = map[string]string{
	"customer": "CUSTOMER", "inventory": "INVENTORY", "fraud": "FRAUD", "declined": "DECLINED", "staff": "STAFF", "other": "OTHER",
}

// mostNote is how long a note for the staff may be, in characters.
const mostNote = 255

// cancel cancels an order, for good. The reason is why it was refused; "" where
// it was taken.
func (c *Connector) cancel(ctx context.Context, id string, r *intake.Cancellation, order *intake.Order) (string, error) {
	const op = "cancel an order"
	if !order.CancelledAt.IsZero() {
		return "", nil // it was, by us or by somebody else
	}
	if len(order.Shipments) > 0 {
		return "goods of the order have left in the shop, so it cannot be cancelled: refund what comes back, with: comptoir order refund", nil
	}
	reason, ok := cancelReasons[r.Reason]
	if !ok {
		return "Shopify knows no reason " + r.Reason, nil
	}
	note := []rune(r.Note)
	vars := map[string]any{"id": gid("Order", id), "reason": reason, "restock": r.Restock, "refund": r.Refund, "notify": r.Notify, "note": string(note[:min(len(note), mostNote)])}
	var said struct {
		Cancel struct {
			Job    *node       `json:"job"`
			Errors []userError `json:"orderCancelUserErrors"`
		} `json:"orderCancel"`
	}
	if _, err := c.client.doOnce(ctx, op, documentOf("order_cancel"), vars, &said); err != nil {
		return "", err
	}
	if len(said.Cancel.Errors) > 0 {
		why, err := c.unlessCancelled(ctx, id, (&refusal{said.Cancel.Errors}).Error())
		if err == nil && why != "" && slices.ContainsFunc(said.Cancel.Errors, func(e userError) bool { return e.Code == codeInternal }) {
			err, why = c.client.rest.Fail(connectors.Transient, "shopify: "+op, errors.New(why), ""), ""
		}
		return why, err
	}
	if said.Cancel.Job == nil {
		return "", nil
	}
	return "", c.await(ctx, op, said.Cancel.Job.ID.trimmed())
}

// codeInternal is the code of a cancellation that Shopify stumbled over, for no
// fault of the request.
const codeInternal = "INTERNAL_ERROR"

// cancelLooks is how often an order is looked at that the shop does not cancel:
// it may be at it since an earlier try.
const cancelLooks = 4

// unlessCancelled is why an order was not cancelled; "" where it is after all.
func (c *Connector) unlessCancelled(ctx context.Context, id, why string) (string, error) {
	for look := range cancelLooks {
		if look > 0 {
			if err := c.pause(ctx, 1<<look); err != nil {
				return "", err
			}
		}
		now, err := c.orderNow(ctx, intake.Ref{Kind: intake.KindOrder, ID: id})
		if err != nil {
			return "", err
		}
		if order, ok := now.Body.(*intake.Order); ok && !order.CancelledAt.IsZero() {
			return "", nil
		}
	}
	return why, nil
}

// How long a job of the shop is waited for, in units of Config.RetryWait.
const (
	jobWaits = 60
	jobLook  = 1 // before it is looked at for the first time; doubles from there
)

// await waits until the shop has done a job. One that takes longer is a reason
// to come again.
func (c *Connector) await(ctx context.Context, op, id string) error {
	for waited, wait := 0, jobLook; waited < jobWaits; waited, wait = waited+wait, 2*wait {
		var said struct {
			Job *struct {
				Done bool `json:"done"`
			} `json:"job"`
		}
		if _, err := c.client.do(ctx, op, documentOf("job"), map[string]any{"id": id}, &said); err != nil {
			return err
		}
		if said.Job == nil || said.Job.Done {
			return nil
		}
		if err := c.pause(ctx, wait); err != nil {
			return err
		}
	}
	return c.client.rest.Fail(connectors.Transient, "shopify: "+op, errors.New("the shop has taken it and is still at it"), "")
}

// setStatus closes or opens an order. The other words for how an order stands
// follow from its payment and from what was shipped.
func (c *Connector) setStatus(ctx context.Context, id, status string) (string, error) {
	var said struct {
		Close answeredErrors `json:"orderClose"`
		Open  answeredErrors `json:"orderOpen"`
	}
	doc := documentOf("order_close")
	switch strings.ToLower(status) {
	case "closed":
	case "open":
		doc = documentOf("order_open")
	default:
		return "an order at Shopify can be closed or open; what else it is follows from its payment and from what was shipped, so " + status + " cannot be set", nil
	}
	if _, err := c.client.do(ctx, "set the status of an order", doc, map[string]any{"id": gid("Order", id)}, &said); err != nil {
		return "", err
	}
	if errs := append(said.Close.Errors, said.Open.Errors...); len(errs) > 0 {
		return (&refusal{errs}).Error(), nil
	}
	return "", nil
}

// answeredErrors is what a mutation answers of which only the errors matter.
type answeredErrors struct {
	Errors []userError `json:"userErrors"`
}
