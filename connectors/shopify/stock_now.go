package shopify

import (
	"context"
	"fmt"
	"strconv"
)

// stockNow is what the shop has of an item at a location.
type stockNow struct {
	found     bool
	tracked   bool
	available *int64 // nil: it is not stocked there
}

// read asks what the shop has of what is left: one call for each location.
func (p *stockPush) read(ctx context.Context) (map[int]stockNow, error) {
	places := map[string][]int{}
	var order []string
	for _, i := range p.left {
		at := p.levels[i].Location
		if places[at] == nil {
			order = append(order, at)
		}
		places[at] = append(places[at], i)
	}
	all := map[int]stockNow{}
	for _, location := range order {
		if err := p.readAt(ctx, location, places[location], all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *stockPush) readAt(ctx context.Context, location string, at []int, all map[int]stockNow) error {
	const op = "read stock"
	var ids []string
	for _, i := range at {
		ids = append(ids, gid("InventoryItem", p.levels[i].InventoryID))
	}
	var said struct {
		Nodes []*struct {
			ID      scalar `json:"id"`
			Tracked bool   `json:"tracked"`
			Level   *struct {
				Quantities []struct {
					Quantity scalar `json:"quantity"`
				} `json:"quantities"`
			} `json:"inventoryLevel"`
		} `json:"nodes"`
	}
	if _, err := p.c.client.do(ctx, op, documentOf("stock_now"), map[string]any{"ids": ids, "location": gid("Location", location)}, &said); err != nil {
		return err
	}
	if len(said.Nodes) != len(at) {
		return p.c.malformed(op, fmt.Errorf("the shop was asked for %d items and answered with %d", len(at), len(said.Nodes)))
	}
	for n, i := range at {
		item := said.Nodes[n]
		if item == nil {
			all[i] = stockNow{}
			continue
		}
		now := stockNow{found: true, tracked: item.Tracked}
		if item.ID.text != ids[n] {
			return p.c.malformed(op, fmt.Errorf("the shop was asked for %s and answered with %q", ids[n], item.ID.text))
		}
		if item.Level != nil {
			if len(item.Level.Quantities) != 1 {
				return p.c.malformed(op, fmt.Errorf("the shop says %d times how many of %s there are", len(item.Level.Quantities), ids[n]))
			}
			number, err := strconv.ParseInt(item.Level.Quantities[0].Quantity.trimmed(), 10, 64)
			if err != nil {
				return p.c.malformed(op, fmt.Errorf("stock of %s: %w", ids[n], err))
			}
			now.available = &number
		}
		all[i] = now
	}
	return nil
}
