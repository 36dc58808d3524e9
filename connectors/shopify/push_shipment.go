package shopify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// mostShipped is how many lines one shipment may have.
const mostShipped = 512

// The states of a fulfilment order that are told apart.
const (
	toShipOpen      = "OPEN"
	toShipBegun     = "IN_PROGRESS"
	toShipScheduled = "SCHEDULED"
	toShipHeld      = "ON_HOLD"
)

// fulfillmentOrder is a part of an order that is to leave from one location.
type fulfillmentOrder struct {
	ID       scalar `json:"id"`
	Status   string `json:"status"`
	Assigned struct {
		Location node `json:"location"`
	} `json:"assignedLocation"`
	Lines connection[toShip] `json:"lineItems"`
}

// toShip is a line of it.
type toShip struct {
	ID   scalar `json:"id"`
	Left scalar `json:"remainingQuantity"`
	Line node   `json:"lineItem"`
}

func (f *fulfillmentOrder) open() bool { return f.Status == toShipOpen || f.Status == toShipBegun }

// ship notes a shipment. The reason is why it was refused; "" where the shop
// has it.
func (c *Connector) ship(ctx context.Context, key, id string, s *intake.NewShipment, order *intake.Order) (string, error) {
	const op = "ship"
	if why := unfitShipment(s); why != "" {
		return why, nil
	}
	var before []string
	for _, there := range order.Shipments {
		before = append(before, there.ID)
	}
	tried, err := c.tries.Begin(ctx, c.env.Keeper, connectors.Try{Key: key, Before: before, Order: id})
	if err != nil {
		return "", c.client.rest.Fail(connectors.Transient, "shopify: "+op, fmt.Errorf("note what is about to be shipped: %w", err), "")
	}
	if slices.ContainsFunc(order.Shipments, func(there intake.Shipped) bool { return sameShipment(there, s, tried) }) {
		return "", nil // by an earlier try
	}
	all, err := c.toShip(ctx, id)
	if err != nil {
		return "", err
	}
	parts, why := allot(all, s)
	if why != "" {
		return why, nil
	}
	var said struct {
		Create struct {
			Made   *node       `json:"fulfillment"`
			Errors []userError `json:"userErrors"`
		} `json:"fulfillmentCreate"`
	}
	if _, err := c.client.doOnce(ctx, op, documentOf("order_ship"), map[string]any{"fulfillment": shipmentInput(s, parts)}, &said); err != nil {
		return "", err
	}
	switch {
	case len(said.Create.Errors) > 0:
		return (&refusal{said.Create.Errors}).Error(), nil
	case said.Create.Made == nil:
		return "", c.malformed(op, errors.New("the shop does not say what it has made"))
	}
	return "", nil
}

// shipmentInput is a shipment in the words of the API.
func shipmentInput(s *intake.NewShipment, parts []map[string]any) map[string]any {
	input := map[string]any{"lineItemsByFulfillmentOrder": parts, "notifyCustomer": s.Notify}
	tracking := map[string]any{}
	for name, value := range map[string]string{"company": s.Carrier, "number": s.Tracking, "url": s.TrackingURL} {
		if value != "" {
			tracking[name] = value
		}
	}
	if len(tracking) > 0 {
		input["trackingInfo"] = tracking
	}
	return input
}

// unfitShipment says why a shipment cannot be one at Shopify.
func unfitShipment(s *intake.NewShipment) string {
	if len(s.Lines) > mostShipped {
		return fmt.Sprintf("Shopify takes %d lines in one shipment, and not %d: make two of it", mostShipped, len(s.Lines))
	}
	for _, l := range s.Lines {
		if !l.Quantity.IsInteger() || !l.Quantity.IsPositive() {
			return "Shopify ships whole units, and not " + l.Quantity.String()
		}
	}
	return ""
}

// sameShipment reports whether a shipment that the shop has is the one that is
// asked for: it carries the same, and has the same tracking number or was not
// there before the first try. Without either, a second parcel with the same in
// it would pass for the first.
func sameShipment(there intake.Shipped, s *intake.NewShipment, tried *connectors.Try) bool {
	if there.Tracking != s.Tracking || s.Location != "" && there.Location != "" && there.Location != s.Location || !sameUnits(there.Lines, s.Lines) {
		return false
	}
	return s.Tracking != "" || tried != nil && !slices.Contains(tried.Before, there.ID)
}

func sameUnits(a, b []intake.ShippedLine) bool {
	left := map[string]decimal.Decimal{}
	for _, l := range a {
		left[l.LineID] = left[l.LineID].Add(l.Quantity)
	}
	for _, l := range b {
		left[l.LineID] = left[l.LineID].Sub(l.Quantity)
	}
	for _, n := range left {
		if !n.IsZero() {
			return false
		}
	}
	return true
}

// toShip reads what of an order is to be shipped.
func (c *Connector) toShip(ctx context.Context, id string) ([]fulfillmentOrder, error) {
	all, err := entire[fulfillmentOrder](ctx, c, documentOf("order_to_ship"), []string{"order", "fulfillmentOrders"}, scalar{text: gid("Order", id)}, 10)
	if err != nil {
		return nil, err
	}
	for i := range all {
		f := &all[i]
		if err := complete(ctx, c, documentOf("lines_to_ship"), []string{"fulfillmentOrder", "lineItems"}, f.ID, &f.Lines); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// allot says which of what is to be shipped a shipment takes, all of it from
// one location; or why it cannot.
func allot(all []fulfillmentOrder, s *intake.NewShipment) (parts []map[string]any, why string) {
	places := []string{s.Location}
	if s.Location == "" {
		places = nil
		for i := range all {
			if at := all[i].Assigned.Location.ID.ref(); !slices.Contains(places, at) {
				places = append(places, at)
			}
		}
	}
	for _, at := range places {
		var short string
		if parts, short = allotAt(all, s, at); short == "" {
			return parts, ""
		}
		if why == "" {
			why = short + whereElse(all, at)
		}
	}
	if why == "" {
		why = "nothing of this order is to be shipped"
	}
	if len(places) > 1 {
		why += "; no location has all of it, so make a shipment for each"
	}
	return nil, why
}

// allotAt takes what is asked for from what is open at one location.
func allotAt(all []fulfillmentOrder, s *intake.NewShipment, at string) (parts []map[string]any, short string) {
	want := map[string]int64{}
	var order []string
	for _, l := range s.Lines {
		if _, known := want[l.LineID]; !known {
			order = append(order, l.LineID)
		}
		want[l.LineID] += l.Quantity.IntPart()
	}
	for i := range all {
		f := &all[i]
		if !f.open() || f.Assigned.Location.ID.ref() != at {
			continue
		}
		var taken []map[string]any
		for _, l := range f.Lines.Nodes {
			left, _ := l.Left.number() // none where it is no number
			n := min(want[l.Line.ID.ref()], left.IntPart())
			if n > 0 {
				want[l.Line.ID.ref()] -= n
				taken = append(taken, map[string]any{"id": l.ID.trimmed(), "quantity": n})
			}
		}
		if len(taken) > 0 {
			parts = append(parts, map[string]any{"fulfillmentOrderId": f.ID.trimmed(), "fulfillmentOrderLineItems": taken})
		}
	}
	for _, line := range order {
		if n := want[line]; n > 0 {
			return nil, fmt.Sprintf("%d of line %s cannot be shipped", n, line)
		}
	}
	return parts, ""
}

// whereElse says what keeps the rest of an order from being shipped.
func whereElse(all []fulfillmentOrder, at string) string {
	for i := range all {
		switch f := &all[i]; {
		case f.Status == toShipHeld:
			return ": a part of the order is on hold at Shopify, so release it there first"
		case f.Status == toShipScheduled:
			return ": a part of the order is scheduled for a later day at Shopify"
		case f.open() && f.Assigned.Location.ID.ref() != at && f.left():
			return ": Shopify has a part of the order leave from location " + f.Assigned.Location.ID.ref()
		}
	}
	return ": it is shipped already, or was removed from the order"
}

// left reports whether something is still to be shipped.
func (f *fulfillmentOrder) left() bool {
	return slices.ContainsFunc(f.Lines.Nodes, func(l toShip) bool {
		n, err := l.Left.number()
		return err == nil && n.IsPositive()
	})
}
