package erp

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// Shipment is goods of an order that have left, or are asked to.
type Shipment struct {
	Shop     string               `json:"shop"`
	Number   string               `json:"number"` // of the order
	External string               `json:"external,omitempty"`
	At       time.Time            `json:"at"`
	Carrier  string               `json:"carrier"`
	Tracking string               `json:"tracking"`
	Lines    []intake.ShippedLine `json:"lines"`
	// State is done for one that the shop states, else that of the request.
	State string `json:"state"`
	Why   string `json:"why,omitempty"` // what the shop refused it for
}

// Shipments lists what shops have shipped and what they are asked to, newest
// first: of a shop and of an order, by its number or external id; "" is all.
func (b *Books) Shipments(ctx context.Context, shop, order string) ([]Shipment, error) {
	if shop != "" {
		if _, err := b.shop(shop); err != nil {
			return nil, err
		}
	}
	out := []Shipment{}
	err := eachRow(ctx, b.db, `SELECT x.shop, x.number, x.external_id, x.at, x.carrier, x.tracking, x.lines, x.request, x.state, x.why FROM (
			SELECT s.name AS shop, o.number, o.external_id AS ordered, p.external_id, p.shipped_at AS at, p.carrier, p.tracking, p.lines, '' AS request, 'done' AS state, '' AS why
				FROM shipment p JOIN sales_order o ON o.id = p.order_id JOIN shop s ON s.id = o.shop_id
			UNION ALL SELECT s.name, o.number, o.external_id, '', r.created_at, '', '', '', r.request, r.state, r.why
				FROM order_request r JOIN sales_order o ON o.id = r.order_id JOIN shop s ON s.id = r.shop_id WHERE r.kind = 'shipment' AND r.state <> 'done'
		) x WHERE (x.shop = $1 OR $1 = '') AND ($2 = '' OR x.ordered = $2 OR x.number IN ($2, '#' || $2)) ORDER BY x.at DESC, x.shop, x.number, x.external_id`, []any{shop, order}, func(rows *sql.Rows) error {
		var s Shipment
		var at int64
		var lines, request string
		if err := rows.Scan(&s.Shop, &s.Number, &s.External, &at, &s.Carrier, &s.Tracking, &lines, &request, &s.State, &s.Why); err != nil {
			return err
		}
		s.At = store.FromMicros(at)
		if request == "" {
			out = append(out, s)
			return json.Unmarshal([]byte(lines), &out[len(out)-1].Lines)
		}
		var asked intake.OrderRequest
		if err := json.Unmarshal([]byte(request), &asked); err != nil {
			return err
		}
		s.Carrier, s.Tracking, s.Lines = asked.Shipment.Carrier, asked.Shipment.Tracking, asked.Shipment.Lines
		out = append(out, s)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list shipments: %w", err)
	}
	return out, nil
}
