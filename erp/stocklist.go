package erp

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// VariantStock is a variant that is sold, and its stock. Variants that share a
// stock each state all of it.
type VariantStock struct {
	ID        int64             `json:"id"`
	SKU       string            `json:"sku"`
	Product   string            `json:"product"`
	Title     string            `json:"title"`
	OnHand    quantity.Quantity `json:"on_hand"`
	Wanted    quantity.Quantity `json:"wanted"` // by open orders
	Allocated quantity.Quantity `json:"allocated"`
	Safety    quantity.Quantity `json:"safety"`
	Available quantity.Quantity `json:"available"`
	// Oversold is what open orders want beyond what is on hand, of goods that
	// are not sold on backorder.
	Oversold quantity.Quantity `json:"oversold"`
	Counted  bool              `json:"counted"` // the books count it
	Shops    []string          `json:"shops"`   // that have it, in their order; never nil
}

// VariantStocks lists the variants that are sold or of which there is stock, by
// SKU: those of which the SKU, the barcode or a title holds a text, whatever the
// case; "" is all.
func (b *Books) VariantStocks(ctx context.Context, search string) ([]VariantStock, error) {
	out := []VariantStock{}
	err := b.db.Read(ctx, func(r store.Reader) error {
		out = out[:0]
		shops, err := b.sellers(ctx, r)
		if err != nil {
			return err
		}
		want := strings.ToLower(search)
		return eachRow(ctx, r, `SELECT v.id, v.sku, v.barcode, COALESCE(p.title, ''), v.title, v.backorders, COALESCE(l.on_hand, 0), COALESCE(l.demand, 0), COALESCE(l.allocated, 0), COALESCE(c.safety, 0), COALESCE(l.opened, FALSE)
			FROM variant v LEFT JOIN product p ON p.id = v.product_id LEFT JOIN variant c ON c.id = v.stock_id LEFT JOIN stock_level l ON l.variant_id = v.stock_id AND l.place_id = 1
			WHERE v.merged_into = 0 AND ((v.sellable AND v.status <> 'deleted') OR COALESCE(l.on_hand, 0) <> 0 AND v.stock_id = v.id) ORDER BY v.sku = '', v.sku, v.id`, nil, func(rows *sql.Rows) error {
			var s VariantStock
			var barcode, backorders string
			if err := rows.Scan(&s.ID, &s.SKU, &barcode, &s.Product, &s.Title, &backorders, &s.OnHand, &s.Wanted, &s.Allocated, &s.Safety, &s.Counted); err != nil {
				return err
			}
			if !slices.ContainsFunc([]string{s.SKU, barcode, s.Product, s.Title}, func(text string) bool { return strings.Contains(strings.ToLower(text), want) }) {
				return nil
			}
			s.Available = inventory.Available(s.OnHand, s.Wanted, s.Safety)
			if !onBackorder(backorders) {
				s.Oversold = inventory.Oversold(s.OnHand, s.Wanted)
			}
			s.Shops = append([]string{}, shops[s.ID]...)
			out = append(out, s)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the variants: %w", err)
	}
	return out, nil
}

// onBackorder reports whether goods are sold that are not there.
func onBackorder(backorders string) bool { return backorders == "notify" || backorders == "yes" }

// sellers returns the shops that have each variant, in their order.
func (b *Books) sellers(ctx context.Context, r store.Reader) (map[int64][]string, error) {
	at := map[int64]map[int64]bool{}
	err := eachRow(ctx, r, `SELECT local_id, shop_id FROM origin WHERE kind = 'variant' AND NOT gone`, nil, func(rows *sql.Rows) error {
		var variant, shop int64
		err := rows.Scan(&variant, &shop)
		if at[variant] == nil {
			at[variant] = map[int64]bool{}
		}
		at[variant][shop] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	out := map[int64][]string{}
	for variant, shops := range at {
		for _, s := range b.ranked {
			if shops[s.id] {
				out[variant] = append(out[variant], s.name)
			}
		}
	}
	return out, nil
}

// ShopStock is what a shop has of a stock at one of its locations, beside what
// it is to have.
type ShopStock struct {
	Shop     string `json:"shop"`
	SKU      string `json:"sku"`
	Variant  int64  `json:"variant"`
	External string `json:"external"`           // id of the variant in the shop
	Location string `json:"location,omitempty"` // external id
	Counted  bool   `json:"counted"`            // the shop counts it; if not, only Status matters
	// Believed is what the shop is taken to have: what it acknowledged, less
	// what its orders took since. Nil where that is not known.
	Believed *quantity.Quantity `json:"believed"`
	Desired  quantity.Quantity  `json:"desired"`
	Status   string             `json:"status"`
	Agrees   bool               `json:"agrees"`
	// WaitingSince is when the change was made that the shop has still to be
	// told of; zero where there is none.
	WaitingSince time.Time `json:"waiting_since,omitzero"`
	Parked       bool      `json:"parked,omitempty"`
	Why          string    `json:"why,omitempty"` // in the shop's own words
}

// ShopStocks lists what a shop that the books send stock to has and is to have,
// in the order in which the books met the variants. Of a shop that is sent none
// it lists nothing.
func (b *Books) ShopStocks(ctx context.Context, shop string) ([]ShopStock, error) {
	id, err := b.shop(shop)
	if err != nil || !slices.Contains(b.sends(intake.FieldQuantity), id) {
		return []ShopStock{}, err
	}
	out := []ShopStock{}
	err = b.db.Read(ctx, func(r store.Reader) error {
		out = out[:0]
		c, err := b.openCounts(ctx, r, id)
		if err != nil {
			return err
		}
		messages, err := outbox.All(ctx, r, id)
		if err != nil {
			return err
		}
		queued := map[int64]outbox.Message{}
		for _, m := range messages {
			if m.Kind == outbox.Stock {
				queued[m.Object] = m
			}
		}
		return c.each(ctx, r, func(s shopStock) error {
			m := queued[s.variant]
			for _, p := range c.plans(s) {
				line := ShopStock{Shop: shop, SKU: s.sku, Variant: s.variant, External: s.external, Location: p.location, Counted: s.counted,
					Desired: p.desired, Status: p.status, Agrees: p.agrees, WaitingSince: m.Since, Parked: m.Parked, Why: m.Why}
				if p.belief.Known {
					line.Believed = &p.belief.Quantity
				}
				out = append(out, line)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the stock of %s: %w", shop, err)
	}
	return out, nil
}
