package erp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/quantity"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Settlement says what Settle did.
type Settlement struct {
	Opened      int      `json:"opened"`      // variants whose stock was taken over
	Adjusted    int      `json:"adjusted"`    // variants whose stock was corrected to the shop's number
	Waiting     int      `json:"waiting"`     // variants with a difference that newer orders may still explain
	Undescribed int      `json:"undescribed"` // orders for goods that the shop has not described yet
	NoCost      []string `json:"no_cost"`     // SKUs taken over at zero cost; never nil
}

const (
	// settleBatch is how many variants or orders one transaction settles.
	settleBatch = 200
	// skewAllowance is how far the shop's clock may be from ours before an
	// order counts as older than a statement of stock.
	skewAllowance = 2 * time.Minute
	// patience is how long a difference waits for the shop to state the stock
	// anew before it counts as one that the orders do not explain.
	patience = time.Hour
)

// Settle brings the stock in line with what the shop says. Call it when the
// products and then the orders of the shop were read to their end: catalogueAt
// and ordersAt are the instants at which the newest reading of each began.
// Orders that waited for goods to be described are decided again; the stock is
// taken over, once for each variant; where the shop owns the stock its number
// is followed; and open orders get what is on hand, oldest promise first.
func (b *Books) Settle(ctx context.Context, shop string, catalogueAt, ordersAt time.Time) (Settlement, error) {
	out := Settlement{NoCost: []string{}}
	id, err := b.shop(shop)
	if err != nil {
		return out, err
	}
	err = b.settleWaiting(ctx, shop, id, catalogueAt, &out)
	for more := err == nil; more && err == nil; {
		more, err = b.settleStock(ctx, shop, id, ordersAt, &out)
	}
	for more := err == nil; more && err == nil; {
		more, err = b.settleAllocation(ctx)
	}
	if err != nil {
		return out, fmt.Errorf("settle %s: %w", shop, err)
	}
	return out, nil
}

// settleWaiting decides orders again whose goods the shop had not described
// when they came. Goods that were sold before its products were last read, and
// were not described then, are no longer listed there: they are sold without
// stock.
func (b *Books) settleWaiting(ctx context.Context, shop string, id int64, catalogueAt time.Time, out *Settlement) error {
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE variant SET stub = FALSE, unlisted = TRUE, status = 'deleted'
			WHERE stub AND stub_at < $2 AND id IN (SELECT local_id FROM origin WHERE shop_id = $1 AND kind = 'variant')`, id, store.Micros(catalogueAt.Add(-skewAllowance)))
		return err
	})
	if err != nil {
		return err
	}
	stream := Stream{Shop: shop, Resource: intake.Orders}
	force := func(p *page) { p.force = true }
	for last := int64(0); ; {
		var records []intake.Record
		again := func(apply func(context.Context, *store.Tx, Stream, []intake.Record, func(*page)) ([]Outcome, error)) error {
			return b.db.Write(ctx, func(tx *store.Tx) error {
				var next int64
				var err error
				if records, next, err = b.waiting(ctx, tx, id, last); err != nil {
					return err
				}
				if _, err = apply(ctx, tx, stream, records, force); err == nil {
					tx.OnCommit(func() { last = next })
				}
				return err
			})
		}
		err := again(b.applyPage)
		if refusedByDatabase(err) {
			err = again(b.applyEach)
		}
		if err != nil {
			return err
		}
		if len(records) < settleBatch {
			break
		}
	}
	return b.db.QueryRow(ctx, `SELECT COUNT(*) FROM sales_order WHERE shop_id = $1 AND waiting AND NOT deleted`, id).Scan(&out.Undescribed)
}

// waiting reads back the statements of orders that wait, and have internal ids
// beyond after; next is the last of those.
func (b *Books) waiting(ctx context.Context, tx *store.Tx, shop, after int64) (out []intake.Record, next int64, err error) {
	rows, err := tx.Query(ctx, `SELECT o.id, o.external_id, g.digest, g.modified_at, p.raw, p.statement FROM sales_order o
		JOIN origin g ON g.shop_id = o.shop_id AND g.kind = 'order' AND g.external_id = o.external_id
		JOIN payload p ON p.local_id = o.id AND p.kind = 'order' AND p.shop_id = o.shop_id
		WHERE o.shop_id = $1 AND o.waiting AND NOT o.deleted AND o.id > $2 ORDER BY o.id LIMIT $3`, shop, after, settleBatch)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		rec := intake.Record{Ref: intake.Ref{Kind: intake.KindOrder}}
		var modified int64
		var raw, statement []byte
		if err := rows.Scan(&next, &rec.Ref.ID, &rec.Digest, &modified, &raw, &statement); err != nil {
			return nil, 0, err
		}
		rec.Modified = store.FromMicros(modified)
		if rec.Raw, err = b.decompress(raw); err != nil {
			return nil, 0, err
		}
		if rec.Statement, err = b.decompress(statement); err != nil {
			return nil, 0, err
		}
		if rec.Body, err = intake.Reopen(rec.Ref.Kind, rec.Statement); err != nil {
			return nil, 0, err
		}
		out = append(out, rec)
	}
	return out, next, rows.Err()
}

// statedStock is what a shop says of a variant, beside what the books have.
type statedStock struct {
	variant  int64
	external string
	sku      string
	stated   quantity.Quantity
	statedAt int64
	seenAt   int64
	waiting  int64
	ours     quantity.Quantity // on hand less what open orders want
	opened   bool
	ordered  int64 // when an order last changed ours, by the shop's clock
	firstDay string
	revision int64
	unitCost string
	cost     string
}

// settleStock takes over or follows the stock that the shop has stated since
// the last time.
func (b *Books) settleStock(ctx context.Context, shop string, id int64, ordersAt time.Time, out *Settlement) (bool, error) {
	var done Settlement
	var settled int
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		done, settled = Settlement{}, 0
		p, err := b.openPage(ctx, tx, Stream{Shop: shop, Resource: intake.Products})
		if err != nil {
			return err
		}
		list, err := p.stated(ctx, ordersAt)
		if err != nil {
			return err
		}
		for _, s := range list {
			ok, err := p.settleVariant(ctx, s, &done)
			if err != nil {
				return fmt.Errorf("stock of %s: %w", s.sku, err)
			}
			if ok {
				settled++
				tx.Queue(`UPDATE shop_stock SET settled = TRUE, waiting_since = 0 WHERE shop_id = $1 AND variant_id = $2`, id, s.variant)
			}
		}
		return p.flush(ctx)
	})
	if err != nil {
		return false, err
	}
	out.Opened += done.Opened
	out.Adjusted += done.Adjusted
	out.Waiting = done.Waiting
	out.NoCost = append(out.NoCost, done.NoCost...)
	return settled > 0, nil
}

// stated reads what the shop said before its orders were read.
func (p *page) stated(ctx context.Context, ordersAt time.Time) ([]statedStock, error) {
	rows, err := p.tx.Query(ctx, `SELECT s.variant_id, g.external_id, v.sku, s.quantity, s.stated_at, s.seen_at, s.waiting_since,
			COALESCE(l.on_hand - l.demand, 0), COALESCE(l.opened, FALSE), COALESCE(l.ordered_at, 0), COALESCE(l.first_day, ''), COALESCE(l.revision, 0), COALESCE(l.unit_cost, ''), v.cost
		FROM shop_stock s JOIN variant v ON v.id = s.variant_id
		JOIN origin g ON g.local_id = s.variant_id AND g.kind = 'variant' AND g.shop_id = s.shop_id
		LEFT JOIN stock_level l ON l.variant_id = s.variant_id AND l.place_id = 1
		WHERE s.shop_id = $1 AND NOT s.settled AND s.seen_at <= $2 ORDER BY s.waiting_since, s.variant_id LIMIT $3`, p.shop, store.Micros(ordersAt), settleBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []statedStock
	for rows.Next() {
		var s statedStock
		if err := rows.Scan(&s.variant, &s.external, &s.sku, &s.stated, &s.statedAt, &s.seenAt, &s.waiting, &s.ours, &s.opened, &s.ordered, &s.firstDay, &s.revision, &s.unitCost, &s.cost); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// settleVariant opens or adjusts one variant. It reports false where the
// difference must wait.
func (p *page) settleVariant(ctx context.Context, s statedStock, done *Settlement) (bool, error) {
	diff := s.stated - s.ours
	switch {
	case s.opened && (diff == 0 || p.rules.StockOwner != sales.OwnerShop):
		return true, nil
	case p.tooNew(s):
		done.Waiting++
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
// shop can sell and what its open orders hold, and what the known orders took
// away had been there before them.
func (p *page) openStock(ctx context.Context, s statedStock, diff quantity.Quantity, done *Settlement) error {
	cost, err := p.openingCost(ctx, s)
	if err != nil {
		return err
	}
	p.tx.Queue(`INSERT INTO stock_level (variant_id, place_id, unit_cost, opened, dirty) VALUES ($1, 1, $2, TRUE, TRUE)
		ON CONFLICT (variant_id, place_id) DO UPDATE SET unit_cost = excluded.unit_cost, opened = TRUE, dirty = TRUE`, s.variant, cost.String())
	if s.unitCost != "" { // some was bought before
		p.mover.Average(s.variant)
	}
	if diff > 0 && cost.IsZero() {
		done.NoCost = append(done.NoCost, cmp.Or(s.sku, s.external))
	}
	day := store.FromMicros(s.statedAt).In(p.b.opts.Company.TimeZone).Format(time.DateOnly)
	if s.statedAt == 0 {
		day = p.now.In(p.b.opts.Company.TimeZone).Format(time.DateOnly)
	}
	if s.firstDay != "" {
		day = min(day, s.firstDay)
	}
	return p.moveStock(ctx, stockChange{variant: s.variant, quantity: diff, cost: cost, from: inventory.Opening, against: ledger.OpeningEquity,
		reason: "opening stock, taken over from " + p.stream.Shop, day: day, cause: "stock/" + p.stream.Shop + "/" + s.external + "/opening"})
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
	cost := decimal.Decimal{}
	if s.unitCost != "" {
		var err error
		if cost, err = decimal.NewFromString(s.unitCost); err != nil {
			return err
		}
	}
	p.tx.Queue(`UPDATE stock_level SET revision = revision + 1 WHERE variant_id = $1 AND place_id = 1`, s.variant)
	at := p.now
	if s.statedAt != 0 {
		at = store.FromMicros(s.statedAt)
	}
	return p.moveStock(ctx, stockChange{variant: s.variant, quantity: diff, cost: cost, from: inventory.Adjustment, against: ledger.InventoryAdjustment,
		reason: fmt.Sprintf("%s states %s, its orders explain %s", p.stream.Shop, s.stated, s.ours), day: at.In(p.b.opts.Company.TimeZone).Format(time.DateOnly),
		cause: fmt.Sprintf("stock/%s/%s/adjustment#%d", p.stream.Shop, s.external, s.revision+1)})
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

// settleAllocation gives what is on hand to open orders, for the variants that
// have changed.
func (b *Books) settleAllocation(ctx context.Context) (bool, error) {
	n := 0
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		onHand, variants, err := dirty(ctx, tx)
		if err != nil || len(variants) == 0 {
			n = 0
			return err
		}
		n = len(variants)
		wants, err := demands(ctx, tx, variants)
		if err != nil {
			return err
		}
		touched := map[int64]bool{}
		for _, v := range variants {
			list := wants[v]
			plain := make([]inventory.Demand, len(list))
			for i, w := range list {
				plain[i] = w.Demand
			}
			var sum quantity.Quantity
			for i, q := range inventory.Allocate(onHand[v], plain) {
				sum += q
				state := sales.LineBackordered
				if q == list[i].Quantity {
					state = sales.LineAllocated
				}
				if q != list[i].allocated || (state != list[i].state && !(state == sales.LineAllocated && list[i].state == sales.LineReady)) {
					tx.Queue(`UPDATE order_line SET allocated = $2, state = $3 WHERE id = $1`, list[i].Line, int64(q), state)
				}
				touched[list[i].order] = true
			}
			tx.Queue(`UPDATE stock_level SET allocated = $2, dirty = FALSE WHERE variant_id = $1 AND place_id = 1`, v, int64(sum))
		}
		return markReady(ctx, tx, touched)
	})
	return n == settleBatch, err
}

func dirty(ctx context.Context, tx *store.Tx) (map[int64]quantity.Quantity, []int64, error) {
	rows, err := tx.Query(ctx, `SELECT variant_id, on_hand FROM stock_level WHERE dirty AND place_id = 1 ORDER BY variant_id LIMIT $1`, settleBatch)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	onHand := map[int64]quantity.Quantity{}
	var ids []int64
	for rows.Next() {
		var id int64
		var q quantity.Quantity
		if err := rows.Scan(&id, &q); err != nil {
			return nil, nil, err
		}
		onHand[id] = q
		ids = append(ids, id)
	}
	return onHand, ids, rows.Err()
}

type lineDemand struct {
	inventory.Demand
	order     int64
	allocated quantity.Quantity
	state     string
}

func demands(ctx context.Context, tx *store.Tx, variants []int64) (map[int64][]lineDemand, error) {
	rows, err := tx.Query(ctx, `SELECT v.stock_id, l.id, o.id, o.promised_on, o.placed_at, s.name, o.external_id, l.external_id, l.demand, l.allocated, l.state
		FROM variant v JOIN order_line l ON l.variant_id = v.id AND l.demand > 0 JOIN sales_order o ON o.id = l.order_id JOIN shop s ON s.id = o.shop_id
		WHERE v.stock_id IN (`+store.In(len(variants), 1)+`)`, store.InArgs(nil, variants)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]lineDemand{}
	for rows.Next() {
		var stock int64
		var d lineDemand
		var shop, order, line string
		if err := rows.Scan(&stock, &d.Line, &d.order, &d.Promised, &d.Placed, &shop, &order, &line, &d.Quantity, &d.allocated, &d.state); err != nil {
			return nil, err
		}
		d.Origin = shop + "/" + order + "/" + line
		out[stock] = append(out[stock], d)
	}
	return out, rows.Err()
}

// markReady marks the lines of orders that can be shipped as they stand: every
// line that wants stock has it, and nothing holds the order.
func markReady(ctx context.Context, tx *store.Tx, orders map[int64]bool) error {
	ids := make([]int64, 0, len(orders))
	for id := range orders {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, 1024) {
		in, args := store.In(len(chunk), 3), store.InArgs([]any{sales.LineReady, sales.LineAllocated}, chunk)
		short := `EXISTS (SELECT 1 FROM order_line x WHERE x.order_id = order_line.order_id AND x.demand > x.allocated)`
		held := `NOT EXISTS (SELECT 1 FROM sales_order o WHERE o.id = order_line.order_id AND o.state = 'open')`
		tx.Queue(`UPDATE order_line SET state = $1 WHERE state = $2 AND demand > 0 AND order_id IN (`+in+`) AND NOT `+short+` AND NOT (`+held+`)`, args...)
		tx.Queue(`UPDATE order_line SET state = $2 WHERE state = $1 AND demand > 0 AND order_id IN (`+in+`) AND (`+short+` OR `+held+`)`, args...)
	}
	return tx.Flush(ctx)
}
