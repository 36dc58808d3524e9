package shopify

import (
	"context"
	"errors"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// mostTail is how many orders of the last moments a run states at most.
const mostTail = 250

// addTail adds to the last page of a run the orders that have changed since its
// window ended: a sale must lower the stock in the other shops at once, and not
// with the window after. A run of one page has no need of it: the first page has
// no end. The cursor stays where it is. What is stated here
// comes again with the next window, which also finds what the shop's search
// did not show yet. So where the tail cannot be read, such as that of an order
// which is deleted meanwhile, it is left to that window: the page is whole
// without it.
func (c *Connector) addTail(ctx context.Context, l source, until int64, page *connectors.Page) error {
	records, err := c.tailRecords(ctx, l, until)
	switch {
	case connectors.Ended(err), err != nil && connectors.ClassOf(err) == connectors.Denied:
		return err
	case err != nil:
		c.env.Log.Info().Err(err).Str("shop", c.env.Shop).Str("resource", string(l.resource)).
			Msg("what has changed in the last moments cannot be read: it is left to the next run")
		return nil
	}
	// One that stands on the page already is stated as it is now.
	page.Records = slices.DeleteFunc(page.Records, func(old intake.Record) bool {
		return slices.ContainsFunc(records, func(now intake.Record) bool { return now.Ref == old.Ref })
	})
	page.Records = append(page.Records, records...)
	return nil
}

func (c *Connector) tailRecords(ctx context.Context, l source, until int64) ([]intake.Record, error) {
	rows, err := c.tail(ctx, l, until)
	if err != nil {
		return nil, err
	}
	return l.records(ctx, rows)
}

// tail reads the rows of a list that have changed since an instant, in Unix
// seconds. Mostly there are none, so their ids are asked for first: that costs
// next to nothing.
func (c *Connector) tail(ctx context.Context, l source, since int64) ([]row, error) {
	var ids []uint64
	err := c.each(ctx, l, cursor{Since: since}, func(rows []row) error {
		for _, r := range rows {
			ids = append(ids, r.id)
		}
		if len(ids) >= mostTail {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	rows, err := c.readNodes(ctx, l, ids[:min(len(ids), mostTail)])
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r row) bool { return !r.modified.IsZero() && r.modified.Unix() < since }), nil
}

// errEnough ends the reading of a list before its end.
var errEnough = errors.New("enough")
