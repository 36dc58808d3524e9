package erp

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/quantity"
	"comptoir/erp/sales"
	"comptoir/erp/store"
)

// OpenOrder is an order that is neither done nor cancelled.
type OpenOrder struct {
	Shop     string            `json:"shop"`
	Number   string            `json:"number"`
	External string            `json:"external_id"`
	Placed   time.Time         `json:"placed_at"`
	State    intake.OrderState `json:"state"`  // open, or hold for one that waits, for its payment say
	Status   string            `json:"status"` // in the shop's own word
	Total    money.Amount      `json:"total"`
	// Lines are the goods of which something has still to leave; never nil.
	Lines []OpenLine `json:"lines"`
}

// OpenLine is goods of an order that have still to leave.
type OpenLine struct {
	Line  string            `json:"line"` // external id
	SKU   string            `json:"sku"`
	Title string            `json:"title"` // as sold
	Left  quantity.Quantity `json:"left"`
	// State is ready where it can be shipped now, allocated where the order
	// keeps it waiting, backordered where there are not enough, and open where
	// the books do not count it.
	State string `json:"state"`
}

// OpenOrders lists the orders that are open or on hold, newest first: of a shop,
// "" for all.
func (b *Books) OpenOrders(ctx context.Context, shop string) ([]OpenOrder, error) {
	if shop != "" {
		if _, err := b.shop(shop); err != nil {
			return nil, err
		}
	}
	out := []OpenOrder{}
	err := b.db.Read(ctx, func(r store.Reader) error {
		at := map[int64]int{}
		out = out[:0]
		err := eachRow(ctx, r, `SELECT o.id, s.name, o.number, o.external_id, o.placed_at, o.state, o.raw_status, o.total, o.currency FROM sales_order o JOIN shop s ON s.id = o.shop_id
			WHERE o.state IN ('open', 'hold') AND NOT o.final AND NOT o.deleted AND NOT o.trashed AND (s.name = $1 OR $1 = '') ORDER BY o.placed_at DESC, o.id DESC`, []any{shop}, func(rows *sql.Rows) error {
			o := OpenOrder{Lines: []OpenLine{}}
			var id, placed int64
			if err := rows.Scan(&id, &o.Shop, &o.Number, &o.External, &placed, &o.State, &o.Status, &o.Total.Minor, &o.Total.Currency); err != nil {
				return err
			}
			o.Placed, at[id] = store.FromMicros(placed), len(out)
			out = append(out, o)
			return nil
		})
		if err != nil {
			return err
		}
		return openLines(ctx, r, at, out)
	})
	if err != nil {
		return nil, fmt.Errorf("list the open orders: %w", err)
	}
	return out, nil
}

// openLines adds to orders, which stand at an index by their id, what of them
// has still to leave.
func openLines(ctx context.Context, r store.Reader, at map[int64]int, orders []OpenOrder) error {
	ids := make([]int64, 0, len(at))
	for id := range at {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for some := range slices.Chunk(ids, editBatch) {
		err := eachRow(ctx, r, `SELECT order_id, external_id, sku, title, ordered, refunded, shipped, returned, demand, state FROM order_line
			WHERE kind = 'item' AND order_id IN (`+store.In(len(some), 1)+`) ORDER BY order_id, position`, store.InArgs(nil, some), func(rows *sql.Rows) error {
			var order int64
			var l OpenLine
			var p sales.PlacedLine
			if err := rows.Scan(&order, &l.Line, &l.SKU, &l.Title, &p.Ordered, &p.Refunded, &p.Shipped, &p.Returned, &p.Demand, &p.State); err != nil {
				return err
			}
			if l.Left, l.State = p.Left(), p.State; l.Left > 0 {
				o := &orders[at[order]]
				o.Lines = append(o.Lines, l)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// OrderName names an order of a shop by its number.
type OrderName struct{ Shop, Number string }

// OrderWords are what a person needs to read a request about an order.
type OrderWords struct {
	Currency money.Currency
	Lines    map[string]string // the SKU of a line, or its title as sold, by external id
}

// OrderWords reads the words for orders.
func (b *Books) OrderWords(ctx context.Context, names []OrderName) (map[OrderName]OrderWords, error) {
	numbers := map[string][]string{}
	for _, n := range names {
		numbers[n.Shop] = append(numbers[n.Shop], n.Number)
	}
	out := map[OrderName]OrderWords{}
	for shop, list := range numbers {
		slices.Sort(list)
		for some := range slices.Chunk(slices.Compact(list), editBatch) {
			err := eachRow(ctx, b.db, `SELECT o.number, o.currency, l.external_id, l.sku, l.title FROM sales_order o JOIN shop s ON s.id = o.shop_id JOIN order_line l ON l.order_id = o.id
				WHERE s.name = $1 AND l.kind = 'item' AND o.number IN (`+store.In(len(some), 2)+`)`, store.InArgs([]any{shop}, some), func(rows *sql.Rows) error {
				var number, line, sku, title string
				var currency money.Currency
				if err := rows.Scan(&number, &currency, &line, &sku, &title); err != nil {
					return err
				}
				name := OrderName{shop, number}
				if out[name].Lines == nil {
					out[name] = OrderWords{currency, map[string]string{}}
				}
				if sku == "" {
					sku = title
				}
				out[name].Lines[line] = sku
				return nil
			})
			if err != nil {
				return nil, fmt.Errorf("read what the goods of orders are called: %w", err)
			}
		}
	}
	return out, nil
}
