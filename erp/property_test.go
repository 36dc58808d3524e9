package erp_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// history draws statements of one order as it is paid, edited, refunded in
// part, cancelled, shipped and opened again, in any sequence.
func history(t *rapid.T) []*intake.Order {
	currency := rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "currency")
	steps := rapid.IntRange(1, 6).Draw(t, "steps")
	var out []*intake.Order
	var refunds []intake.Refund
	for i := range steps {
		o := order()
		o.Currency = "EUR"
		if currency == "USD" {
			o.Currency = "USD"
		}
		price := decimal.New(int64(rapid.IntRange(1, 5000).Draw(t, "price")), -2)
		quantity := decimal.NewFromInt(int64(rapid.IntRange(1, 4).Draw(t, "quantity")))
		net := price.Mul(quantity)
		o.Lines[0].Quantity, o.Lines[0].Subtotal = quantity, net
		o.Lines[0].Total = net.Sub(decimal.New(int64(rapid.IntRange(0, 1).Draw(t, "off")), -2))
		o.Lines[0].Taxes[0].Amount = o.Lines[0].Total.Mul(dec("0.2"))
		o.TotalTax = o.Lines[0].Taxes[0].Amount.Add(dec("0.98")).Round(2)
		o.Total = o.Lines[0].Total.Add(dec("4.90")).Add(o.TotalTax)
		o.Payments[0].Amount = o.Total
		switch rapid.SampledFrom([]string{"pending", "hold", "open", "completed", "cancelled", "failed", "refunded"}).Draw(t, "state") {
		case "pending":
			o.State, o.PaidAt, o.Payments = intake.StatePending, time.Time{}, nil
		case "hold":
			o.State, o.PaidAt, o.Payments = intake.StateHold, time.Time{}, nil
		case "completed":
			completed(o)
			if rapid.Bool().Draw(t, "in parts") {
				all := decimal.NewFromInt(int64(rapid.IntRange(1, 4).Draw(t, "left")))
				for j := range rapid.IntRange(1, 2).Draw(t, "shipments") {
					o.Shipments = append(o.Shipments, intake.Shipped{ID: fmt.Sprint("f", j), At: sent.Add(time.Duration(j*50) * time.Hour),
						Lines: []intake.ShippedLine{{LineID: "1", Quantity: all}}})
				}
			}
			if rapid.Bool().Draw(t, "paid on delivery") {
				o.PaidAt = sent.Add(24 * time.Hour)
				o.Payments[0].At = o.PaidAt
			}
		case "cancelled":
			o.State = intake.StateCancelled
		case "failed":
			o.State, o.PaidAt, o.Payments = intake.StateFailed, time.Time{}, nil
		case "refunded":
			completed(o)
			o.State = intake.StateRefunded
		}
		switch rapid.IntRange(0, 3).Draw(t, "refund") {
		case 0:
			refunds = nil // deleted without a trace
		case 1:
			at := paid.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "hours")) * time.Hour)
			refunds = append(refunds, intake.Refund{ID: fmt.Sprint("r", i), At: at, Amount: dec("0.60"),
				Lines: []intake.RefundLine{{LineID: "1", Quantity: dec("1"), Total: dec("0.50"), Taxes: []intake.Tax{{RateID: "1", Name: "TVA", Rate: dec("20"), Amount: dec("0.10")}}}}})
		case 2:
			refunds = append(refunds, intake.Refund{ID: fmt.Sprint("r", i), At: sent.Add(time.Hour), Amount: dec("0.25"), Reason: "Geste commercial"})
		}
		if n := len(refunds) - 1; n >= 0 && rapid.Bool().Draw(t, "says what it paid") { // more of it may have gone back since
			back := decimal.New(int64(rapid.IntRange(0, 200).Draw(t, "paid back")), -2)
			refunds[n].Paid = &back
		}
		o.Refunds = slices.Clone(refunds)
		var sum decimal.Decimal
		for _, r := range o.Refunds {
			sum = sum.Add(r.Amount)
		}
		if sum.GreaterThan(o.Total) {
			o.Refunds, refunds = nil, nil
		} else if o.State == intake.StateRefunded && sum.LessThan(o.Total) {
			o.Refunds = append(o.Refunds, intake.Refund{ID: fmt.Sprint("full", i), At: sent.Add(200 * time.Hour), Amount: o.Total.Sub(sum), Full: true})
		}
		out = append(out, o)
	}
	return out
}

// posted sums up what an order has posted: by account, and its goods and tax
// facts.
func posted(t require, b *erp.Books, external string) map[string]int64 {
	out := map[string]int64{}
	for _, q := range []string{
		`SELECT a.code, SUM(l.debit - l.credit) FROM entry_line l JOIN entry e ON e.id = l.entry_id JOIN account a ON a.id = l.account_id
			JOIN sales_order o ON o.id = e.document_id WHERE o.external_id = $1 GROUP BY a.code`,
		`SELECT 'tax ' || c.rate_id, SUM(f.tax) FROM tax_fact f JOIN tax_component c ON c.id = f.component_id JOIN sales_order o ON o.id = f.document_id WHERE o.external_id = $1 GROUP BY c.rate_id`,
		`SELECT 'goods', SUM(CASE WHEN m.to_place = 1 THEN m.quantity ELSE -m.quantity END) FROM stock_move m JOIN sales_order o ON o.id = m.document_id WHERE o.external_id = $1`,
		`SELECT 'documents', SUM(CASE WHEN i.kind = 'invoice' THEN i.total ELSE -i.total END) FROM invoice i JOIN sales_order o ON o.id = i.order_id WHERE o.external_id = $1`,
		`SELECT 'demand', SUM(l.demand) FROM order_line l JOIN sales_order o ON o.id = l.order_id WHERE o.external_id = $1`,
	} {
		for name, n := range sums(t, b, q, external) {
			if n != 0 {
				out[name] = n
			}
		}
	}
	return out
}

type require interface {
	Helper()
	Fatal(args ...any)
}

func sums(t require, b *erp.Books, q string, args ...any) map[string]int64 {
	t.Helper()
	rows, err := b.Reader().Query(ctx, q, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var name string
		var n *int64
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		if n != nil {
			out[name] = *n
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnyHistoryEndsAsItsLastStatement(t *testing.T) {
	for _, revenue := range []string{sales.OnShipment, sales.OnPayment} {
		t.Run(revenue, func(t *testing.T) {
			rules := sales.DefaultRules()
			rules.Revenue = revenue
			each(t, rules, func(t *testing.T, b *erp.Books) {
				receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("800")))
				n := 0
				rapid.Check(t, func(rt *rapid.T) {
					n++
					said := history(rt)
					long, short := fmt.Sprint("1", n), fmt.Sprint("2", n)
					for i, o := range said {
						state(t, b, long, paid.Add(time.Duration(i)*time.Hour), o)
					}
					state(t, b, short, paid, said[len(said)-1])
					if diff := cmp.Diff(posted(rt, b, short), posted(rt, b, long)); diff != "" {
						rt.Fatalf("history ends otherwise than its last statement (-last +history):\n%s", diff)
					}
				})
				invariants(t, b)
			})
		})
	}
}

// invariants asserts what must hold in any books.
func invariants(t *testing.T, b *erp.Books) {
	t.Helper()
	balances(t, b)
	findings, err := b.Verify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Errorf("%s: %s: %s", f.Check, f.Where, f.What)
	}
	if parked, err := b.ParkedRecords(ctx, ""); err != nil || len(parked) > 0 {
		t.Errorf("parked: %v %v", parked, err)
	}
}
