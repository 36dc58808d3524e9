package erp

import (
	"context"
	"fmt"
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

	id int64
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
	rows, err := r.Query(ctx, `SELECT p.id, s.name, p.external_id, p.gateway, p.reference, p.issued_at, p.day, p.state, p.raw_status, p.currency, p.net, p.active, COUNT(i.external_id), CAST(COALESCE(SUM(i.fee), 0) AS BIGINT)
		FROM (SELECT x.* FROM payout x JOIN shop y ON y.id = x.shop_id WHERE $1 = '' OR y.name = $1 ORDER BY x.issued_at DESC, x.id DESC LIMIT $2) p
		JOIN shop s ON s.id = p.shop_id LEFT JOIN payout_item i ON i.payout_id = p.id AND NOT i.removed
		GROUP BY p.id, s.name, p.external_id, p.gateway, p.reference, p.issued_at, p.day, p.state, p.raw_status, p.currency, p.net, p.active ORDER BY p.issued_at DESC, p.id DESC`, shop, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []StatedPayout
	for rows.Next() {
		var p StatedPayout
		var issued int64
		if err := rows.Scan(&p.id, &p.Shop, &p.ID, &p.Gateway, &p.Reference, &issued, &p.Day, &p.State, &p.RawStatus, &p.Currency, &p.Net, &p.Booked, &p.Items, &p.Fees); err != nil {
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
		var orders, strays int64
		err := r.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(
				COALESCE((SELECT SUM(l.foreign_debit - l.foreign_credit) FROM origin g JOIN entry e ON e.document_id = g.local_id AND e.document_kind = 'order'
						JOIN entry_line l ON l.entry_id = e.id AND l.account_id = k.account_id
					WHERE g.shop_id = k.shop_id AND g.kind = 'order' AND g.external_id = k.order_ref
						AND CASE WHEN e.cause LIKE 'order/%/payment/%' OR e.cause LIKE 'order/%/fee/%' THEN 'payment' ELSE 'refund' END = k.part), 0)
				- COALESCE((SELECT SUM(x.amount - x.fee) FROM payout_item x JOIN payout q ON q.id = x.payout_id AND q.account_id = k.account_id
					WHERE x.shop_id = k.shop_id AND x.order_ref = k.order_ref AND NOT x.removed AND x.kind IN ('charge', 'refund')
						AND CASE WHEN x.kind = 'refund' THEN 'refund' ELSE 'payment' END = k.part), 0)), 0) AS BIGINT)
			FROM (SELECT DISTINCT p.account_id, i.shop_id, i.order_ref, CASE WHEN i.kind = 'refund' THEN 'refund' ELSE 'payment' END AS part
				FROM payout_item i JOIN payout p ON p.id = i.payout_id WHERE i.payout_id = $1 AND NOT i.removed AND i.kind IN ('charge', 'refund') AND i.order_ref <> '') k`, p.id).Scan(&orders)
		if err != nil {
			return err
		}
		err = r.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(fee - amount), 0) AS BIGINT) FROM payout_item WHERE payout_id = $1 AND NOT removed AND kind IN ('charge', 'refund') AND order_ref = ''`, p.id).Scan(&strays)
		if err != nil {
			return err
		}
		p.Open += orders + strays
	}
	return nil
}
