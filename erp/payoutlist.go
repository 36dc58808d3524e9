package erp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// StatedPayout is a payout as a shop's gateway states it. Amounts are in minor
// units of its currency.
type StatedPayout struct {
	Shop      string             `json:"shop"`
	ID        string             `json:"id"` // in the shop
	Gateway   string             `json:"gateway"`
	Reference string             `json:"reference,omitempty"`
	IssuedAt  time.Time          `json:"issued_at"`
	Day       string             `json:"date"` // business date
	State     intake.PayoutState `json:"state"`
	RawStatus string             `json:"raw_status"` // as the gateway calls it
	Currency  money.Currency     `json:"currency"`
	Net       int64              `json:"net"`
	Fees      int64              `json:"fees"` // of its items
	Items     int64              `json:"items"`
	Booked    bool               `json:"booked"` // it is at the bank
	// Open is what of it is open: all of it where it is on its way or its items
	// are not known, and what its orders were booked at otherwise. The report of
	// payouts lists what that is.
	Open int64 `json:"open"`

	id, shop, account int64
}

// Payouts lists the payouts that shops state, the newest first; shop "" means
// all, and limit 0 no bound.
func (b *Books) Payouts(ctx context.Context, shop string, limit int) ([]StatedPayout, error) {
	if shop != "" {
		if _, err := b.shop(shop); err != nil {
			return nil, err
		}
	}
	var out []StatedPayout
	err := b.db.Read(ctx, func(r store.Reader) error {
		var err error
		if out, err = statedPayouts(ctx, r, shop, limit); err != nil {
			return err
		}
		return differences(ctx, r, out)
	})
	if err != nil {
		return nil, fmt.Errorf("list payouts: %w", err)
	}
	return out, nil
}

func statedPayouts(ctx context.Context, r store.Reader, shop string, limit int) ([]StatedPayout, error) {
	if limit == 0 {
		limit = 1 << 31
	}
	rows, err := r.Query(ctx, `SELECT p.id, p.shop_id, p.account_id, s.name, p.external_id, p.gateway, p.reference, p.issued_at, p.day, p.state, p.raw_status, p.currency, p.net, p.active, COUNT(i.external_id), CAST(COALESCE(SUM(i.fee), 0) AS BIGINT)
		FROM (SELECT x.* FROM payout x JOIN shop y ON y.id = x.shop_id WHERE $1 = '' OR y.name = $1 ORDER BY x.issued_at DESC, x.id DESC LIMIT $2) p
		JOIN shop s ON s.id = p.shop_id LEFT JOIN payout_item i ON i.payout_id = p.id AND NOT i.removed
		GROUP BY p.id, p.shop_id, p.account_id, s.name, p.external_id, p.gateway, p.reference, p.issued_at, p.day, p.state, p.raw_status, p.currency, p.net, p.active ORDER BY p.issued_at DESC, p.id DESC`, shop, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []StatedPayout
	for rows.Next() {
		var p StatedPayout
		var issued int64
		if err := rows.Scan(&p.id, &p.shop, &p.account, &p.Shop, &p.ID, &p.Gateway, &p.Reference, &issued, &p.Day, &p.State, &p.RawStatus, &p.Currency, &p.Net, &p.Booked, &p.Items, &p.Fees); err != nil {
			return nil, err
		}
		p.IssuedAt = store.FromMicros(issued)
		out = append(out, p)
	}
	return out, rows.Err()
}

// differences adds up what is open of each payout.
func differences(ctx context.Context, r store.Reader, list []StatedPayout) error {
	for i := range list {
		p := &list[i]
		switch came := p.State == intake.PayoutFailed || p.State == intake.PayoutCancelled; {
		case p.Booked && p.Items == 0:
			p.Open = -p.Net
		case !p.Booked && !came:
			p.Open = p.Net
		}
		parts, err := partsOf(ctx, r, p.id)
		if err != nil {
			return err
		}
		var orders []string
		for k, paid := range parts {
			if k.order == "" {
				p.Open -= paid
				continue
			}
			orders = append(orders, k.order)
		}
		slices.Sort(orders)
		orders = slices.Compact(orders)
		for some := range slices.Chunk(orders, ordersAtOnce) {
			sums, err := p.booked(ctx, r, some)
			if err != nil {
				return err
			}
			for k, n := range sums {
				if _, in := parts[k]; in {
					p.Open += n
				}
			}
		}
	}
	return nil
}

// ordersAtOnce bounds how many orders one query names.
const ordersAtOnce = 1000

// orderPart is what of an order a payout carries: its payments or its refunds.
type orderPart struct {
	order  string // external id
	refund bool
}

// partsOf adds up the charges and refunds of a payout, less their fees.
func partsOf(ctx context.Context, r store.Reader, payout int64) (map[orderPart]int64, error) {
	return sumParts(ctx, r, `SELECT order_ref, kind = 'refund', CAST(SUM(amount - fee) AS BIGINT) FROM payout_item
		WHERE payout_id = $1 AND NOT removed AND kind IN ('charge', 'refund') GROUP BY order_ref, kind = 'refund'`, payout)
}

// booked is what orders have moved at the gateway, less what is in any payout.
func (p *StatedPayout) booked(ctx context.Context, r store.Reader, orders []string) (map[orderPart]int64, error) {
	in := store.In(len(orders), 3)
	out, err := sumParts(ctx, r, `SELECT g.external_id, NOT (e.cause LIKE 'order/%/payment/%' OR e.cause LIKE 'order/%/fee/%'), CAST(SUM(l.foreign_debit - l.foreign_credit) AS BIGINT)
		FROM origin g JOIN entry e ON e.document_id = g.local_id AND e.document_kind = 'order' JOIN entry_line l ON l.entry_id = e.id
		WHERE g.shop_id = $1 AND g.kind = 'order' AND l.account_id = $2 AND g.external_id IN (`+in+`) GROUP BY 1, 2`, store.InArgs([]any{p.shop, p.account}, orders)...)
	if err != nil {
		return nil, err
	}
	paid, err := sumParts(ctx, r, `SELECT i.order_ref, i.kind = 'refund', CAST(SUM(i.amount - i.fee) AS BIGINT) FROM payout_item i JOIN payout q ON q.id = i.payout_id
		WHERE i.shop_id = $1 AND q.account_id = $2 AND i.order_ref IN (`+in+`) AND NOT i.removed AND i.kind IN ('charge', 'refund') GROUP BY 1, 2`, store.InArgs([]any{p.shop, p.account}, orders)...)
	for k, n := range paid {
		out[k] -= n
	}
	return out, err
}

func sumParts(ctx context.Context, r store.Reader, q string, args ...any) (map[orderPart]int64, error) {
	rows, err := r.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[orderPart]int64{}
	for rows.Next() {
		var k orderPart
		var n int64
		if err := rows.Scan(&k.order, &k.refund, &n); err != nil {
			return nil, err
		}
		out[k] = n
	}
	return out, rows.Err()
}
