package reports

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
)

// What sales can be grouped by.
const (
	ByProduct  = "product"
	ByChannel  = "channel" // shop
	ByCustomer = "customer"
	ByCountry  = "country" // that it is sent to
	ByMonth    = "month"
)

// SalesBy lists what sales can be grouped by; the first is the default.
func SalesBy() []string { return []string{ByProduct, ByChannel, ByCustomer, ByCountry, ByMonth} }

// sold is what one product, channel, customer, country or month has brought.
type sold struct {
	key, name string
	words     bool // the name is a word of ours
	quantity  int64
	orders    map[int64]bool
	revenue   int64
	cost      int64
}

// soldBy gathers what was sold under its key.
type soldBy struct {
	groups map[string]*sold
}

func (s *soldBy) group(key, name string, words bool) *sold {
	g := s.groups[key]
	if g == nil {
		g = &sold{key: key, name: name, words: words, orders: map[int64]bool{}}
		s.groups[key] = g
	}
	return g
}

// salesBy reports revenue net of tax, discounts and returns, the cost of what
// was shipped, and the margin. Revenue is that of the accounts; where it is
// asked for by product, the revenue of an invoice is divided by its lines.
func salesBy(ctx context.Context, r *reading) error {
	by := cmp.Or(r.By, ByProduct)
	r.Filters = append(r.Filters, Filter{"by", by})
	found := &soldBy{groups: map[string]*sold{}}
	customers, err := r.orderCustomers(ctx, by)
	if err != nil {
		return err
	}
	if err := r.revenueOfOrders(ctx, by, customers, found); err != nil {
		return fmt.Errorf("read revenue: %w", err)
	}
	if err := r.costOfOrders(ctx, by, customers, found); err != nil {
		return fmt.Errorf("read the cost of goods sold: %w", err)
	}
	return r.salesRows(ctx, by, found)
}

// orderParty is what the orders are grouped by that the accounts do not know.
type orderParty struct{ key, name string }

// orderCustomers reads who the orders of the period were for.
func (r *reading) orderCustomers(ctx context.Context, by string) (map[int64]orderParty, error) {
	out := map[int64]orderParty{}
	if by != ByCustomer && by != ByCountry {
		return out, nil
	}
	err := r.each(ctx, `SELECT o.id, o.customer, COALESCE(c.email, '') FROM sales_order o LEFT JOIN contact c ON c.id = o.contact_id
		WHERE (CAST($1 AS BIGINT) = 0 OR o.shop_id = $1) AND o.id IN (SELECT document_id FROM entry WHERE document_kind = 'order' AND effective >= $2 AND effective <= $3)`,
		[]any{r.shop, r.from(), r.to()}, func(scan func(...any) error) error {
			var id int64
			var snapshot, email string
			if err := scan(&id, &snapshot, &email); err != nil {
				return err
			}
			if by == ByCountry {
				var c intake.Customer
				err := json.Unmarshal([]byte(snapshot), &c)
				country := cmp.Or(c.Shipping.Country, c.Billing.Country)
				out[id] = orderParty{country, country}
				return err
			}
			shown, err := customerName(snapshot)
			out[id] = orderParty{cmp.Or(email, shown), shown}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	return out, nil
}

// groupOf finds the group of a posting of an order.
func (s *soldBy) groupOf(by string, customers map[int64]orderParty, order int64, shop, day string) *sold {
	key, shown := "", ""
	switch by {
	case ByChannel:
		key, shown = shop, shop
	case ByMonth:
		key, shown = day[:7], day[:7]
	default:
		key, shown = customers[order].key, customers[order].name
	}
	if key == "" {
		return s.group("", "Not stated", true)
	}
	return s.group(key, shown, false)
}

// revenueOfOrders adds up the revenue accounts by entry.
func (r *reading) revenueOfOrders(ctx context.Context, by string, customers map[int64]orderParty, found *soldBy) error {
	return r.each(ctx, `SELECT e.effective, s.name, e.document_kind, e.document_id, e.reverses, COALESCE(i.kind, ''), COALESCE(i.content, ''),
			(SELECT COALESCE(SUM(l.credit - l.debit), 0) FROM entry_line l JOIN account a ON a.id = l.account_id
				WHERE l.entry_id = e.id AND a.type = 'income' AND a.role IN ('sales', 'shipping_income', 'other_income', 'sales_returns', 'discounts'))
		FROM entry e JOIN shop s ON s.id = e.shop_id LEFT JOIN invoice i ON i.cause = e.cause
		WHERE e.effective >= $1 AND e.effective <= $2 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3) AND e.document_kind <> 'fiscal_year'`,
		[]any{r.from(), r.to(), r.shop}, func(scan func(...any) error) error {
			var day, shop, kind, invoice, content string
			var id, reverses, revenue int64
			if err := scan(&day, &shop, &kind, &id, &reverses, &invoice, &content, &revenue); err != nil {
				return err
			}
			if revenue == 0 && invoice == "" {
				return nil
			}
			if by == ByProduct {
				return found.lines(id, invoice, content, revenue)
			}
			g := found.groupOf(by, customers, id, shop, day)
			g.revenue += revenue
			if kind == sales.DocumentKind {
				g.orders[id] = true
			}
			return nil
		})
}

// lines divides the revenue of an invoice or credit note by its lines.
func (s *soldBy) lines(order int64, invoice, content string, revenue int64) error {
	var lines []sales.InvoiceLine
	if content != "" {
		if err := json.Unmarshal([]byte(content), &lines); err != nil {
			return fmt.Errorf("read the lines of an invoice: %w", err)
		}
	}
	var net int64
	for _, l := range lines {
		net += l.Net
	}
	if net == 0 {
		s.group("~", "Not on a document", true).revenue += revenue
		return nil
	}
	shares := make([]decimal.Decimal, len(lines))
	for i, l := range lines {
		shares[i] = decimal.NewFromInt(l.Net).Mul(decimal.NewFromInt(revenue)).DivRound(decimal.NewFromInt(net), 6)
	}
	sign := int64(1)
	if invoice == sales.CreditNoteKind {
		sign = -1
	}
	for i, part := range money.Split(revenue, shares) {
		g := s.product(lines[i].Kind, lines[i].SKU, lines[i].Title)
		g.revenue += part
		if lines[i].Kind == intake.LineItem {
			g.quantity += sign * int64(lines[i].Quantity)
			g.orders[order] = true
		}
	}
	return nil
}

// product is the group of a line: goods by their SKU, or title where they have
// none; the rest by what it is.
func (s *soldBy) product(kind intake.LineKind, sku, title string) *sold {
	switch kind {
	case intake.LineShipping:
		return s.group("~shipping", "Shipping", true)
	case intake.LineFee, intake.LineTip:
		return s.group("~fees", "Fees and tips", true)
	default:
		return s.group(cmp.Or(sku, title), title, false)
	}
}

// costOfOrders adds up what the goods cost that were shipped, less those that
// came back.
func (r *reading) costOfOrders(ctx context.Context, by string, customers map[int64]orderParty, found *soldBy) error {
	return r.each(ctx, `SELECT m.effective, s.name, m.document_id, COALESCE(l.sku, ''), COALESCE(l.title, ''), SUM(CASE WHEN m.from_place = 1 THEN m.value ELSE -m.value END)
		FROM stock_move m JOIN sales_order o ON o.id = m.document_id JOIN shop s ON s.id = o.shop_id LEFT JOIN order_line l ON l.id = m.line_id
		WHERE m.document_kind = 'order' AND m.effective >= $1 AND m.effective <= $2 AND (CAST($3 AS BIGINT) = 0 OR o.shop_id = $3)
		GROUP BY m.effective, s.name, m.document_id, l.sku, l.title`, []any{r.from(), r.to(), r.shop}, func(scan func(...any) error) error {
		var day, shop, sku, title string
		var order, cost int64
		if err := scan(&day, &shop, &order, &sku, &title, &cost); err != nil {
			return err
		}
		if by == ByProduct {
			found.product(intake.LineItem, sku, title).cost += cost
		} else {
			found.groupOf(by, customers, order, shop, day).cost += cost
		}
		return nil
	})
}

func (r *reading) salesRows(ctx context.Context, by string, found *soldBy) error {
	titles := map[string]string{ByProduct: "Product", ByChannel: "Channel", ByCustomer: "Customer", ByCountry: "Country", ByMonth: "Month"}
	r.Columns = []Column{{"key", titles[by], Text}, {"name", "Name", Text}, {"quantity", "Quantity", Quantity}, {"orders", "Orders", Count}, {"revenue", "Revenue", Money},
		{"cost", "Cost", Money}, {"margin", "Margin", Money}, {"margin_rate", "Margin in %", Percent}}
	list := make([]*sold, 0, len(found.groups))
	for _, g := range found.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *sold) int {
		if by == ByMonth {
			return cmp.Compare(a.key, b.key)
		}
		return cmp.Or(cmp.Compare(b.revenue, a.revenue), cmp.Compare(a.key, b.key))
	})
	s := Section{Key: by}
	var sum sold
	for _, g := range list {
		sum.quantity += g.quantity
		sum.revenue += g.revenue
		sum.cost += g.cost
		s.Rows = append(s.Rows, g.row(by))
	}
	r.Sections = []Section{s}
	total := sum.row(by)
	total[0], total[1], total[3] = label("Total"), Cell{}, Cell{}
	r.Totals = []Row{total}
	accounts, err := r.unclosed(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	var revenue int64
	for _, a := range accounts {
		if isRevenue(a) {
			revenue -= a.moved()
		}
	}
	r.tie(Tie{What: "Revenue = revenue accounts", Report: sum.revenue, Accounts: revenue})
	return nil
}

func (g *sold) row(by string) Row {
	row := Row{name(g.key), name(g.name), {}, number(int64(len(g.orders))), number(g.revenue), number(g.cost), number(g.revenue - g.cost), {}}
	if g.words {
		row[0], row[1] = Cell{}, label(g.name)
	}
	if by == ByChannel || by == ByCountry || by == ByMonth {
		if !g.words {
			row[1] = Cell{}
		}
	}
	if by == ByProduct {
		row[2] = number(g.quantity)
	}
	if g.revenue > 0 {
		row[7] = number(decimal.NewFromInt(g.revenue - g.cost).Mul(decimal.NewFromInt(1_000_000)).Div(decimal.NewFromInt(g.revenue)).Round(-2).IntPart())
	}
	return row
}
