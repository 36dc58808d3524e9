package erp

import (
	"context"

	"fmt"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/outbox"
	"comptoir/erp/purchasing"
	"comptoir/erp/quantity"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Adjusted says how a stock stands after it was adjusted by hand.
type Adjusted struct {
	SKU       string            `json:"sku"`
	By        quantity.Quantity `json:"by"`
	Reason    string            `json:"reason,omitempty"`
	OnHand    quantity.Quantity `json:"on_hand"`
	Safety    quantity.Quantity `json:"safety"`
	Available quantity.Quantity `json:"available"`
	Value     int64             `json:"value"`           // of what was adjusted, in minor units of the company's currency
	Cause     string            `json:"cause,omitempty"` // of the move and its entry
}

// AdjustStock adds units to a stock, or with a negative number takes them away,
// because somebody counted them, found them or broke them. They are worth what a
// unit costs on average, against the account for inventory adjustments. The
// shops that sell from the stock are told.
//
// A SKU that is not known (near ones are named) is NotFound; one that several
// stocks have, a stock that the books do not count yet, and one that would fall
// below zero are Unprocessable.
func (b *Books) AdjustStock(ctx context.Context, sku string, by decimal.Decimal, reason string) (Adjusted, error) {
	out := Adjusted{SKU: sku, Reason: strings.TrimSpace(reason)}
	var err error
	if out.By, err = quantity.Of(by); err != nil {
		return out, err
	}
	if out.By == 0 {
		return out, fault.New(fault.Invalid, "give the units by which the stock is to change, as in --by -2", "a stock cannot be adjusted by 0")
	}
	if out.Reason == "" {
		return out, fault.New(fault.Invalid, "say why in a few words, as in --reason \"counted\"", "the reason is missing")
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		p, err := b.openHand(ctx, tx)
		if err != nil {
			return err
		}
		if err := p.adjust(ctx, &out); err != nil {
			return err
		}
		return p.flush(ctx)
	})
	for more := true; more && err == nil; {
		more, err = b.settleAllocation(ctx)
	}
	if err != nil {
		return out, fmt.Errorf("adjust the stock of %s: %w", sku, err)
	}
	return out, nil
}

// openHand opens a page for what a person does, and no shop has said.
func (b *Books) openHand(ctx context.Context, tx *store.Tx) (*page, error) {
	now := b.opts.Now()
	p := &page{b: b, tx: tx, now: now, poster: ledger.NewPoster(tx, b.accounts, now), mover: inventory.NewMover(tx, now)}
	p.mover.Tells(b.sends(intake.FieldQuantity))
	var err error
	p.lock, err = p.poster.Lock(ctx)
	return p, err
}

// adjust moves the units.
func (p *page) adjust(ctx context.Context, a *Adjusted) error {
	s, err := p.carrier(ctx, a.SKU)
	if err != nil {
		return err
	}
	if !s.opened {
		return fault.New(fault.Unprocessable, "sync the shop that counts it first; its number is then taken over", "the books do not count the stock of %s", a.SKU)
	}
	if a.By < 0 && s.onHand+a.By < 0 {
		return fault.New(fault.Unprocessable, fmt.Sprintf("take away %s at most", max(s.onHand, 0)), "%s are on hand, so %s cannot be taken away", s.onHand, -a.By)
	}
	cost, err := unitCost(s.cost)
	if err != nil {
		return err
	}
	id, err := p.tx.NewID(ctx)
	if err != nil {
		return err
	}
	a.Cause = fmt.Sprintf("stock/by-hand/%d", id)
	if a.Value, err = inventory.ValueOf(max(a.By, -a.By), cost, p.b.opts.Company.Currency); err != nil {
		return err
	}
	a.OnHand, a.Safety, a.Available = s.onHand+a.By, s.safety, inventory.Available(s.onHand+a.By, s.demand, s.safety)
	return p.moveStock(ctx, stockChange{variant: s.variant, quantity: a.By, cost: cost, from: inventory.Adjustment, against: ledger.InventoryAdjustment,
		reason: a.Reason, day: p.day(0), cause: a.Cause})
}

// SetSafety sets how many units of a stock are kept back from sale, and tells
// the shops that sell from it. Its errors are those of AdjustStock.
func (b *Books) SetSafety(ctx context.Context, sku string, safety decimal.Decimal) (Adjusted, error) {
	out := Adjusted{SKU: sku}
	q, err := quantity.Of(safety)
	if err == nil && q < 0 {
		err = fault.New(fault.Invalid, "give 0 or more", "the safety stock cannot be %s", safety)
	}
	if err != nil {
		return out, err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		p, err := b.openHand(ctx, tx)
		if err != nil {
			return err
		}
		s, err := p.carrier(ctx, sku)
		if err != nil {
			return err
		}
		out.OnHand, out.Safety, out.Available = s.onHand, q, inventory.Available(s.onHand, s.demand, q)
		tx.Queue(`UPDATE variant SET safety = $2 WHERE id = $1`, s.variant, int64(q))
		outbox.PutStock(tx, b.sends(intake.FieldQuantity), s.variant, p.now)
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("set the safety stock of %s: %w", sku, err)
	}
	return out, nil
}

// carrier is the stock that goods are sold from.
type carrier struct {
	variant                int64
	onHand, demand, safety quantity.Quantity
	cost                   string
	opened                 bool
}

// carrier finds the stock of a SKU.
func (p *page) carrier(ctx context.Context, sku string) (carrier, error) {
	var s carrier
	goods, err := purchasing.GoodsOf(ctx, p.tx, []string{sku})
	if err != nil {
		return s, err
	}
	g, ok := goods[sku]
	switch {
	case !ok:
		known, err := purchasing.SKUs(ctx, p.tx)
		if err != nil {
			return s, err
		}
		return s, fault.New(fault.NotFound, likeAdvice(purchasing.LikeSKUs(known)(sku)), "SKU %q is not known", sku)
	case g.Others > 0:
		return s, fault.New(fault.Unprocessable, "give them SKUs of their own in the shop, and sync it", "SKU %q is that of several stocks", sku)
	}
	s.variant = g.Stock
	err = p.tx.QueryRow(ctx, `SELECT COALESCE(l.on_hand, 0), COALESCE(l.demand, 0), v.safety, COALESCE(l.unit_cost, ''), COALESCE(l.opened, FALSE)
		FROM variant v LEFT JOIN stock_level l ON l.variant_id = v.id AND l.place_id = 1 WHERE v.id = $1`, s.variant).Scan(&s.onHand, &s.demand, &s.safety, &s.cost, &s.opened)
	if err != nil {
		return s, fmt.Errorf("read the stock: %w", err)
	}
	return s, nil
}

// likeAdvice says which SKUs may have been meant.
func likeAdvice(near []string) string {
	if len(near) == 0 {
		return "see: comptoir product list"
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}
