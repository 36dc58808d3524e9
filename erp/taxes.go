package erp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/store"
	"comptoir/erp/tax"
)

// TaxRules returns the tax rules that the books keep.
func (b *Books) TaxRules(ctx context.Context) (*tax.Rules, error) { return tax.LoadRules(ctx, b.db) }

// LoadTaxRules adds rules to those that the books keep. What has the same keys
// is replaced. Where the result would have two rates that are valid at once,
// nothing is changed and both are named.
func (b *Books) LoadTaxRules(ctx context.Context, more *tax.Rules) error {
	return b.db.Write(ctx, func(tx *store.Tx) error {
		had, err := tax.LoadRules(ctx, tx)
		if err != nil {
			return err
		}
		all, err := had.Merge(more)
		if err != nil {
			return err
		}
		accounts, err := ledger.List(ctx, tx)
		if err != nil {
			return err
		}
		known := map[string]ledger.Account{}
		for _, a := range accounts {
			known[a.Code] = a
		}
		for _, a := range all.Agencies {
			if _, ok := known[a.Account]; a.Account != "" && !ok {
				return fault.New(fault.NotFound, "", "agency %s: there is no account %q%s", a.Code, a.Account, suggest(a.Account, known))
			}
		}
		all.Save(tx)
		return nil
	})
}

// TaxQuery says which orders' taxes are checked.
type TaxQuery struct {
	Order string // number or external id; "" for all of the days
	Shop  string // "" for all
	From  string // business dates on which they were placed; "" for no end
	To    string
}

// TaxCheck is what the rules say of the tax of one order.
type TaxCheck struct {
	Shop     string         `json:"shop"`
	Order    string         `json:"order"` // external id
	Number   string         `json:"number"`
	Day      string         `json:"day"`
	Country  string         `json:"country"`
	Currency money.Currency `json:"currency"`
	tax.Opinion
}

// taxBatch is how many orders are checked at a time.
const taxBatch = 500

// CheckTaxes computes the tax of orders by the rules of the books and calls
// yield with what they say of each. The orders stay as they are: the shop's
// amounts are what is booked.
func (b *Books) CheckTaxes(ctx context.Context, q TaxQuery, yield func(TaxCheck) error) error {
	rules, err := b.TaxRules(ctx)
	if err != nil {
		return err
	}
	if len(rules.Rates) == 0 {
		return fault.New(fault.Unprocessable, "load some first: comptoir tax load "+tax.Presets()[0], "the books have no tax rules to check with")
	}
	from, to, err := b.span(q.From, q.To)
	if err != nil {
		return err
	}
	found := false
	for last := int64(0); ; {
		batch, err := b.taxBatch(ctx, q, from, to, last)
		if err != nil {
			return fmt.Errorf("check taxes: %w", err)
		}
		if len(batch) == 0 {
			break
		}
		found = true
		for _, o := range batch {
			last = o.id
			o.check.Opinion = rules.Explain(o.sale)
			if err := yield(o.check); err != nil {
				return err
			}
		}
	}
	if !found && q.Order != "" {
		return fault.New(fault.NotFound, "say its number or the shop's own id of it", "there is no order %q", q.Order)
	}
	return nil
}

// span returns the instants between which the orders of some days were placed.
func (b *Books) span(from, to string) (int64, int64, error) {
	ends := [2]int64{0, store.Micros(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))}
	for i, day := range []string{from, to} {
		if day == "" {
			continue
		}
		t, err := time.ParseInLocation(time.DateOnly, day, b.opts.Company.TimeZone)
		if err != nil {
			return 0, 0, isDay(day)
		}
		ends[i] = store.Micros(t.AddDate(0, 0, i))
	}
	return ends[0], ends[1], nil
}

// taxedOrder is an order with its tax, to be checked.
type taxedOrder struct {
	id    int64
	check TaxCheck
	sale  tax.Sale
}

func (b *Books) taxBatch(ctx context.Context, q TaxQuery, from, to, after int64) ([]*taxedOrder, error) {
	rows, err := b.db.Query(ctx, `SELECT o.id, s.name, o.external_id, o.number, o.placed_at, o.customer, o.currency, o.total_tax
		FROM sales_order o JOIN shop s ON s.id = o.shop_id
		WHERE o.id > $1 AND o.placed_at >= $2 AND o.placed_at < $3 AND ($4 = '' OR s.name = $4)
			AND (($5 = '' AND NOT o.deleted AND o.state NOT IN ('cancelled', 'failed', 'pending', 'draft')) OR o.number = $5 OR o.external_id = $5)
		ORDER BY o.id LIMIT $6`, after, from, to, q.Shop, q.Order, taxBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*taxedOrder
	for rows.Next() {
		o := new(taxedOrder)
		var placed int64
		var customer string
		if err := rows.Scan(&o.id, &o.check.Shop, &o.check.Order, &o.check.Number, &placed, &customer, &o.check.Currency, &o.sale.Stated); err != nil {
			return nil, err
		}
		if err := o.buyer(customer); err != nil {
			return nil, fmt.Errorf("order %s: %w", o.check.Order, err)
		}
		o.check.Day = store.FromMicros(placed).In(b.opts.Company.TimeZone).Format(time.DateOnly)
		o.check.Country, o.sale.Day, o.sale.Currency = o.sale.To.Country, o.check.Day, o.check.Currency
		out = append(out, o)
	}
	if err := rows.Err(); err != nil || len(out) == 0 {
		return nil, err
	}
	rows.Close()
	return out, b.taxedLines(ctx, out)
}

// buyer notes who bought and where it goes.
func (o *taxedOrder) buyer(customer string) error {
	var c intake.Customer
	if err := json.Unmarshal([]byte(customer), &c); err != nil {
		return err
	}
	to := c.Shipping
	if to.Country == "" {
		to = c.Billing
	}
	o.sale.To = tax.Place{Country: to.Country, Region: to.Region, Postcode: to.Postcode}
	o.sale.VATNumber = strings.TrimSpace(c.VATNumber)
	return nil
}

func (b *Books) taxedLines(ctx context.Context, orders []*taxedOrder) error {
	byID := make(map[int64]*taxedOrder, len(orders))
	ids := make([]int64, len(orders))
	for i, o := range orders {
		ids[i], byID[o.id] = o.id, o
	}
	rows, err := b.db.Query(ctx, `SELECT l.order_id, l.kind, l.net, l.taxes, COALESCE(v.tax_class, '') FROM order_line l LEFT JOIN variant v ON v.id = l.variant_id
		WHERE NOT l.gift_card AND l.order_id IN (`+store.In(len(ids), 1)+`) ORDER BY l.order_id, l.position`, store.InArgs(nil, ids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var order, net int64
		var kind, taxes, class string
		if err := rows.Scan(&order, &kind, &net, &taxes, &class); err != nil {
			return err
		}
		line, err := saleLine(intake.LineKind(kind), net, taxes, class)
		if err != nil {
			return fmt.Errorf("order %s: %w", byID[order].check.Order, err)
		}
		if line != nil {
			byID[order].sale.Lines = append(byID[order].sale.Lines, *line)
		}
	}
	return rows.Err()
}

// saleLine is a line as it is checked; nil where there is nothing to check: a
// fee or a tip may be free of tax.
func saleLine(kind intake.LineKind, net int64, taxes, class string) (*tax.SaleLine, error) {
	var stated []intake.Tax
	if err := json.Unmarshal([]byte(taxes), &stated); err != nil {
		return nil, err
	}
	l := &tax.SaleLine{Category: tax.Category(class), Goods: kind == intake.LineItem, Net: net}
	if kind == intake.LineShipping {
		l.Category = tax.Shipping
	}
	for _, t := range stated {
		ppm, err := tax.PPM(t.Rate)
		if err != nil {
			return nil, err
		}
		if !t.Amount.IsZero() || !t.Rate.IsZero() {
			l.Charged = append(l.Charged, tax.Charged{PPM: ppm, Amount: t.Amount})
		}
	}
	if len(l.Charged) == 0 && (kind == intake.LineFee || kind == intake.LineTip) {
		return nil, nil
	}
	return l, nil
}
