package erp

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// statedStock is what a shop says of a variant, beside what the books have.
type statedStock struct {
	variant  int64
	external string
	bound    int64 // see stockCause
	sku      string
	stated   quantity.Quantity
	statedAt int64
	seenAt   int64
	waiting  int64
	free     quantity.Quantity // on hand less what open orders want
	// others is what the orders of other shops took of it since this shop's
	// number was taken over: this shop does not know of them.
	others   quantity.Quantity
	opened   bool
	master   int64 // the shop whose number is followed
	present  bool  // it still sells the variant, and counts it
	ordered  int64 // when an order of the shop last changed what is free, by its clock
	firstDay string
	revision int64
	unitCost string
	cost     string
}

// countedAt is as of when the shop's number holds.
func (s statedStock) countedAt() int64 { return cmp.Or(s.statedAt, s.seenAt) }

// known is what the shop would say if it knew what the books know of its own
// orders, and of what was bought and counted.
func (s statedStock) known() quantity.Quantity { return s.free + s.others }

// settleStock takes over or follows the stock that a shop has stated since the
// last time, in one transaction. It returns how many variants it settled. The
// stock of what one of the shops first counts too is left to that one.
func (b *Books) settleStock(ctx context.Context, shop readyShop, first []int64, out *Settlement) (settled int, err error) {
	var done Settlement
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		done, settled = Settlement{}, 0
		p, err := b.openPage(ctx, tx, Stream{Shop: shop.name, Resource: intake.Products})
		if err != nil {
			return err
		}
		list, err := p.stated(ctx, shop.ordersAt, first)
		if err != nil {
			return err
		}
		if err := p.takeOver(ctx, list); err != nil {
			return err
		}
		for _, s := range list {
			ok, err := p.settleVariant(ctx, s, &done)
			if err != nil {
				return fmt.Errorf("stock of %s: %w", s.sku, err)
			}
			if ok {
				settled++
				tx.Queue(`UPDATE shop_stock SET settled = TRUE, waiting_since = 0 WHERE shop_id = $1 AND variant_id = $2`, shop.id, s.variant)
			}
		}
		return p.flush(ctx)
	})
	if err != nil {
		return 0, err
	}
	out.Opened += done.Opened
	out.Adjusted += done.Adjusted
	out.NoCost = append(out.NoCost, done.NoCost...)
	return settled, nil
}

// stated reads what the shop said before its orders were read.
func (p *page) stated(ctx context.Context, ordersAt int64, first []int64) ([]statedStock, error) {
	args := []any{p.shop, ordersAt, settleBatch}
	left := ""
	if len(first) > 0 {
		left = ` AND (COALESCE(l.opened, FALSE) OR NOT EXISTS (SELECT 1 FROM shop_stock m JOIN origin o ON o.local_id = m.variant_id AND o.kind = 'variant' AND o.shop_id = m.shop_id AND NOT o.gone
			WHERE m.variant_id = s.variant_id AND m.shop_id IN (` + store.In(len(first), len(args)+1) + `)))`
		args = store.InArgs(args, first)
	}
	rows, err := p.tx.Query(ctx, `SELECT s.variant_id, (SELECT COALESCE(MIN(CASE WHEN g.gone THEN NULL ELSE g.external_id END), MIN(g.external_id)) FROM origin g WHERE g.local_id = s.variant_id AND g.kind = 'variant' AND g.shop_id = s.shop_id),
			(SELECT MAX(g.bound) FROM origin g WHERE g.local_id = s.variant_id AND g.kind = 'variant' AND g.shop_id = s.shop_id), v.sku, s.quantity, s.stated_at, s.seen_at, s.waiting_since, COALESCE(l.on_hand - l.demand, 0),
			COALESCE((SELECT SUM(t.quantity - t.opening) FROM shop_taken t WHERE t.variant_id = s.variant_id AND t.shop_id <> s.shop_id), 0), COALESCE(l.opened, FALSE), COALESCE(l.counted_by, 0),
			EXISTS (SELECT 1 FROM shop_stock m JOIN origin g ON g.local_id = m.variant_id AND g.kind = 'variant' AND g.shop_id = m.shop_id AND NOT g.gone WHERE m.variant_id = s.variant_id AND m.shop_id = l.counted_by),
			COALESCE(own.ordered_at, 0), COALESCE(l.first_day, ''), COALESCE(own.first_day, ''), COALESCE(l.revision, 0), COALESCE(l.unit_cost, ''), v.cost
		FROM shop_stock s JOIN variant v ON v.id = s.variant_id
		LEFT JOIN stock_level l ON l.variant_id = s.variant_id AND l.place_id = 1
		LEFT JOIN shop_taken own ON own.variant_id = s.variant_id AND own.shop_id = s.shop_id
		WHERE s.shop_id = $1 AND NOT s.settled AND s.seen_at <= $2 AND v.linked`+left+` ORDER BY s.waiting_since, s.variant_id LIMIT $3`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []statedStock
	for rows.Next() {
		var s statedStock
		var own string
		if err := rows.Scan(&s.variant, &s.external, &s.bound, &s.sku, &s.stated, &s.statedAt, &s.seenAt, &s.waiting, &s.free, &s.others, &s.opened, &s.master, &s.present,
			&s.ordered, &s.firstDay, &own, &s.revision, &s.unitCost, &s.cost); err != nil {
			return nil, err
		}
		s.firstDay = earlier(s.firstDay, own)
		out = append(out, s)
	}
	return out, rows.Err()
}

// earlier is the earlier of two days, of which "" is none.
func earlier(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return min(a, b)
}

// settleVariant opens or adjusts one variant. It reports false where the
// difference must wait.
func (p *page) settleVariant(ctx context.Context, s statedStock, done *Settlement) (bool, error) {
	if s.opened && s.master != p.shop {
		return true, nil // another shop's number is followed
	}
	diff := s.stated - s.known()
	switch {
	case s.opened && (diff == 0 || p.rules.StockOwner != sales.OwnerShop):
		return true, nil
	case p.tooNew(s):
		if s.waiting == 0 {
			p.tx.Queue(`UPDATE shop_stock SET waiting_since = $3 WHERE shop_id = $1 AND variant_id = $2`, p.shop, s.variant, store.Micros(p.now))
		}
		return false, nil
	case !s.opened:
		done.Opened++
		return true, p.openStock(ctx, s, diff, done)
	}
	done.Adjusted++
	return true, p.adjustStock(ctx, s, diff)
}

// tooNew reports whether an order may have changed the stock after the shop
// stated it: the shop will then state it anew.
func (p *page) tooNew(s statedStock) bool {
	return s.ordered > s.statedAt && s.ordered > s.seenAt-skewAllowance.Microseconds() &&
		(s.waiting == 0 || p.now.Sub(store.FromMicros(s.waiting)) < patience)
}

// openStock takes the stock of a variant over: what is on the shelf is what the
// shop can sell and what its open orders hold, and what its known orders took
// away had been there before them.
func (p *page) openStock(ctx context.Context, s statedStock, diff quantity.Quantity, done *Settlement) error {
	cost, err := p.openingCost(ctx, s)
	if err != nil {
		return err
	}
	p.tx.Queue(`INSERT INTO stock_level (variant_id, place_id, unit_cost, opened, dirty, counted_by, counted_at) VALUES ($1, 1, $2, TRUE, TRUE, $3, $4)
		ON CONFLICT (variant_id, place_id) DO UPDATE SET unit_cost = excluded.unit_cost, opened = TRUE, dirty = TRUE, counted_by = excluded.counted_by, counted_at = excluded.counted_at`,
		s.variant, cost.String(), p.shop, s.countedAt())
	outbox.PutStock(p.tx, p.b.sends(intake.FieldQuantity), s.variant, p.now)
	if s.unitCost != "" { // some was bought before
		p.mover.Average(s.variant)
	}
	if diff > 0 && cost.IsZero() {
		done.NoCost = append(done.NoCost, cmp.Or(s.sku, s.external))
	}
	day := p.day(s.statedAt)
	if s.firstDay != "" {
		day = min(day, s.firstDay)
	}
	return p.moveStock(ctx, stockChange{variant: s.variant, quantity: diff, cost: cost, from: inventory.Opening, against: ledger.OpeningEquity,
		reason: "opening stock, taken over from " + p.stream.Shop, day: day, cause: p.stockCause(s.external, s.bound) + "/opening"})
}

// stockCause begins the causes of what is booked for the stock of a shop's
// record. It names how often the record was bound to a variant: after it was
// linked by hand, its stock is taken over once more.
func (p *page) stockCause(external string, bound int64) string {
	cause := "stock/" + p.stream.Shop + "/" + external
	if bound > 1 {
		cause += fmt.Sprintf("@%d", bound)
	}
	return cause
}

// day is the business date of an instant in microseconds; today for 0.
func (p *page) day(at int64) string {
	t := p.now
	if at != 0 {
		t = store.FromMicros(at)
	}
	return t.In(p.b.opts.Company.TimeZone).Format(time.DateOnly)
}

func (p *page) openingCost(ctx context.Context, s statedStock) (decimal.Decimal, error) {
	if s.cost != "" {
		return decimal.NewFromString(s.cost)
	}
	shared, err := catalog.SharedCosts(ctx, p.tx, []int64{s.variant})
	if c, ok := shared[s.variant]; err != nil || ok {
		return c, err
	}
	if p.b.opts.Company.DefaultCost != nil {
		return *p.b.opts.Company.DefaultCost, nil
	}
	return decimal.Decimal{}, nil
}

// adjustStock follows the shop's number where the orders do not explain it.
func (p *page) adjustStock(ctx context.Context, s statedStock, diff quantity.Quantity) error {
	cost, err := unitCost(s.unitCost)
	if err != nil {
		return err
	}
	p.tx.Queue(`UPDATE stock_level SET revision = revision + 1 WHERE variant_id = $1 AND place_id = 1`, s.variant)
	return p.moveStock(ctx, stockChange{variant: s.variant, quantity: diff, cost: cost, from: inventory.Adjustment, against: ledger.InventoryAdjustment,
		reason: fmt.Sprintf("%s states %s, its orders explain %s", p.stream.Shop, s.stated, s.known()), day: p.day(s.statedAt),
		cause: fmt.Sprintf("%s/adjustment#%d", p.stockCause(s.external, s.bound), s.revision+1)})
}

// unitCost reads the cost of a level; "" is zero.
func unitCost(text string) (decimal.Decimal, error) {
	if text == "" {
		return decimal.Decimal{}, nil
	}
	return decimal.NewFromString(text)
}

// stockChange is stock that appears, or with a negative quantity vanishes.
type stockChange struct {
	variant  int64
	quantity quantity.Quantity
	cost     decimal.Decimal
	from     int64
	against  ledger.Role
	reason   string
	day      string
	cause    string
}

func (p *page) moveStock(ctx context.Context, c stockChange) error {
	if c.quantity == 0 {
		return nil
	}
	home := p.b.opts.Company.Currency
	day := ledger.Unlocked(p.lock, c.day)
	if day != c.day {
		c.reason += " (of " + c.day + ", in the locked period)"
	}
	m := inventory.Move{Variant: c.variant, From: c.from, To: inventory.Main, Quantity: c.quantity, UnitCost: c.cost, Reason: c.reason,
		DocumentKind: "stock", Document: c.variant, Effective: day, Cause: c.cause}
	debit, credit := ledger.Ref{Role: ledger.Inventory}, ledger.Ref{Role: c.against}
	if c.quantity < 0 {
		m.From, m.To, m.Quantity = m.To, m.From, -c.quantity
		debit, credit = credit, debit
	}
	var err error
	if m.Value, err = inventory.ValueOf(m.Quantity, c.cost, home); err != nil {
		return err
	}
	if err := p.mover.Move(ctx, m); err != nil {
		return err
	}
	if m.Value == 0 {
		return nil
	}
	_, err = p.poster.Post(ctx, &ledger.Entry{Journal: ledger.JournalInventory, Effective: m.Effective, Cause: c.cause, Description: c.reason, Shop: p.shop,
		DocumentKind: "stock", Document: c.variant, Lines: []ledger.Line{
			{Account: debit, Debit: m.Value, Currency: home, ForeignDebit: m.Value},
			{Account: credit, Credit: m.Value, Currency: home, ForeignCredit: m.Value},
		}})
	return err
}
