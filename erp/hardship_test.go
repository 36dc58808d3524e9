package erp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
)

// Histories in which something once went wrong: late, odd, hostile or repeated
// statements.

func settle(t *testing.T, b *erp.Books) erp.Settlement {
	t.Helper()
	s, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unlike(o *intake.Order) { o.Total = dec("99") } // its parts do not add up: it is parked

func TestHardHistories(t *testing.T) {
	after := sent.Add(24 * time.Hour)
	paidLate := func(o *intake.Order) { o.PaidAt, o.Payments[0].At = after.Add(time.Hour), after.Add(time.Hour) }
	usd := func(o *intake.Order) { o.Currency = "USD" }
	for _, c := range []struct {
		name  string
		rules func(*sales.Rules)
		tells []tell
		want  string
	}{
		{name: "a document that survived a late payment is taken back once", tells: []tell{
			{sent.Add(25 * time.Hour), []func(*intake.Order){unpaid, completed, refunded(oneShirt(after))}},
			{sent.Add(26 * time.Hour), []func(*intake.Order){paidLate, completed, refunded(oneShirt(after))}},
			{sent.Add(27 * time.Hour), []func(*intake.Order){paidLate, refunded(oneShirt(after))}},
			{sent.Add(28 * time.Hour), []func(*intake.Order){paidLate, completed, refunded(oneShirt(after))}}},
			want: "output_tax=-298 payment_fees=67 sales=-2000 sales_returns=1000 shipping_income=-490 stripe/EUR=1721"},
		{name: "a refund goes back to the card and the gift card that paid", tells: []tell{{after, []func(*intake.Order){completed, status("refunded", intake.StateRefunded), func(o *intake.Order) {
			o.Payments[0].Amount, o.GiftCards = dec("19.88"), []intake.Gift{{ID: "3", Amount: dec("10")}}
		}, refunded(intake.Refund{ID: "9", At: after, Amount: dec("29.88"), Full: true})}}},
			want: "payment_fees=67 sales=-2000 sales_returns=2000 stripe/EUR=-67"},
		{name: "a refund before any payment moves no money", tells: []tell{
			{paid, []func(*intake.Order){unpaid, refunded(oneShirt(paid))}},
			{sent, []func(*intake.Order){unpaid, completed, refunded(oneShirt(paid))}},
			{after, []func(*intake.Order){completed, refunded(oneShirt(paid)), func(o *intake.Order) { o.PaidAt, o.Payments[0].At, o.Payments[0].Amount = after, after, dec("17.88") }}}},
			want: "output_tax=-298 payment_fees=67 sales=-1000 shipping_income=-490 stripe/EUR=1721"},
		{name: "an order in another currency has one rate, though its day is corrected", tells: []tell{
			{paid, []func(*intake.Order){usd}},
			{sent, []func(*intake.Order){usd, completed, func(o *intake.Order) { o.PlacedAt = placed.AddDate(0, -1, -1) }}}},
			want: "output_tax=-249 payment_fees=34 sales=-1000 shipping_income=-245 stripe/USD=1460"},
		{name: "a negative fee that is refunded was a discount", tells: []tell{{after, []func(*intake.Order){completed, status("refunded", intake.StateRefunded), func(o *intake.Order) {
			o.Lines = append(o.Lines, intake.Line{ID: "4", Kind: intake.LineFee, Title: "Loyalty", Quantity: dec("1"), Subtotal: dec("-1"), Total: dec("-1")})
			o.Total, o.Payments[0].Amount = dec("28.88"), dec("28.88")
		}, refunded(intake.Refund{ID: "9", At: after, Amount: dec("28.88"), Full: true})}}},
			want: "payment_fees=67 sales=-2000 sales_returns=2000 stripe/EUR=-67"},
		{name: "money without a date is booked on the day of the order", tells: []tell{{sent, []func(*intake.Order){func(o *intake.Order) { o.Payments[0].At = time.Time{} }}}},
			want: "customer_deposits=-2988 payment_fees=67 stripe/EUR=2921"},
		{name: "an older statement that comes late changes nothing", tells: []tell{{paid, nil}, {sent, nil}, {paid.Add(time.Hour), []func(*intake.Order){status("cancelled", intake.StateCancelled)}}},
			want: "customer_deposits=-2988 payment_fees=67 stripe/EUR=2921"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := sales.DefaultRules()
			if c.rules != nil {
				c.rules(&rules)
			}
			company := erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC,
				Rates: []erp.Rate{{Currency: "USD", From: "2026-01-01", Rate: dec("0.5")}, {Currency: "USD", From: "2026-03-01", Rate: dec("0.9")}}}
			eachOf(t, company, rules, func(t *testing.T, b *erp.Books) {
				for _, tl := range c.tells {
					state(t, b, "1", tl.at, order(tl.edit...))
					invariants(t, b) // the books are whole after each statement
				}
				if got := balances(t, b); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if n := sums(t, b, `SELECT 'early', COUNT(*) FROM entry WHERE effective < '2020'`)["early"]; n != 0 {
					t.Errorf("%d entries at the beginning of time", n)
				}
				invariants(t, b)
			})
		})
	}
}

func TestOrderIsReadyWhenItsHoldEnds(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
		for _, step := range []struct {
			at   time.Time
			o    *intake.Order
			want string
		}{
			{placed, order(unpaid, status("on-hold", intake.StateHold)), sales.LineAllocated},
			{paid, order(), sales.LineReady},
			{sent, order(status("on-hold", intake.StateHold)), sales.LineAllocated},
		} {
			state(t, b, "1", step.at, step.o)
			settle(t, b)
			if got := sums(t, b, `SELECT state, 1 FROM order_line WHERE kind = 'item'`); got[step.want] != 1 {
				t.Errorf("%s: line is %v, want %s", step.o.RawStatus, got, step.want)
			}
		}
	})
}

func TestParkedEditOutlivesOlderStatements(t *testing.T) {
	older, newer := order(), order(completed, unlike)
	for _, first := range []bool{true, false} {
		each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
			recs := []intake.Record{seal(t, intake.KindOrder, "1", paid, older), seal(t, intake.KindOrder, "1", sent, newer)}
			if !first {
				recs[0], recs[1] = recs[1], recs[0]
			}
			for _, r := range recs {
				receive(t, b, orders, r)
			}
			settle(t, b)
			if p, err := b.ParkedRecords(ctx, ""); err != nil || len(p) != 1 {
				t.Errorf("%d parked, %v", len(p), err)
			}
		})
	}
}

func TestDemandFollowsTheCarrierOfTheStock(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
		state(t, b, "1", paid, order())
		settle(t, b)
		p := shirt("8")
		pool := p.Variants[0]
		pool.ID, pool.Sellable = "70", false
		p.Variants[0].StockOf = "70"
		p.Variants = append(p.Variants, pool)
		receive(t, b, goods, seal(t, intake.KindProduct, "7", sent, p))
		settle(t, b)
		invariants(t, b)
	})
}

func TestSharedStockHasOneCost(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		p := shirt("8")
		large := p.Variants[0]
		cost := dec("4.50")
		large.ID, large.SKU, large.Cost = "71", "SHIRT-L", &cost
		pool := p.Variants[0]
		pool.ID, pool.SKU, pool.Sellable, pool.Cost = "70", "", false, nil
		p.Variants[0].StockOf, large.StockOf = "70", "70"
		p.Variants = []intake.Variant{p.Variants[0], large, pool}
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, p))
		state(t, b, "1", sent, order(completed))
		settle(t, b)
		state(t, b, "2", sent, order(completed))
		if got := balances(t, b); !strings.Contains(got, "cogs=1600 ") || !strings.Contains(got, "inventory=2400 ") { // 4.00 each, the mean
			t.Error(got)
		}
		invariants(t, b)
	})
}

func TestGoodsDescribedAfterAllAreTakenFromStock(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", sent, order(completed))
		settle(t, b) // the shop does not list them: sold without stock
		receive(t, b, goods, seal(t, intake.KindProduct, "7", sent, shirt("8")))
		settle(t, b)
		if got := balances(t, b); !strings.Contains(got, "cogs=700 inventory=2800 opening_equity=-3500") {
			t.Error(got)
		}
		invariants(t, b)
	})
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", sent, order(completed))
		s, err := b.Settle(ctx, "atelier", placed.Add(-time.Hour), sent) // the products were read before it was placed
		if err != nil || s.Undescribed != 1 {
			t.Fatalf("%+v %v", s, err)
		}
		if n := sums(t, b, `SELECT 'shipments', COUNT(*) FROM order_event WHERE event LIKE 'shipment%'`)["shipments"]; n != 0 {
			t.Error("shipped before its goods were described")
		}
		receive(t, b, goods, seal(t, intake.KindProduct, "7", sent, shirt("8")))
		if s := settle(t, b); s.Undescribed != 0 {
			t.Errorf("%+v", s)
		}
		if n := sums(t, b, `SELECT 'moves', COUNT(*) FROM stock_move`)["moves"]; n != 2 {
			t.Errorf("%d moves, want the opening and the shipment", n)
		}
		invariants(t, b)
	})
}

func TestParkedProductIsNotHalfWritten(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		p, bad := shirt("8"), dec("0.12345")
		v := p.Variants[0]
		v.ID, v.Stock = "8", &bad
		p.Variants = append(p.Variants, v)
		if r := receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, p)); r.Parked != 1 {
			t.Fatalf("%+v", r)
		}
		receive(t, b, goods, seal(t, intake.KindProduct, "7", sent, shirt("8")))
		if n := sums(t, b, `SELECT 'products', COUNT(*) FROM product`)["products"]; n != 1 {
			t.Errorf("%d products", n)
		}
	})
}

func TestHostileRecordsAreParkedAndStopNothing(t *testing.T) {
	first := func(o *intake.Order) *intake.Line { o.Lines = o.Lines[:1]; o.Lines[0].Taxes = nil; return &o.Lines[0] }
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		var recs []intake.Record
		for name, edit := range map[string]func(*intake.Order){
			"1": func(o *intake.Order) {
				l := first(o)
				l.Subtotal, l.Total, o.Total, o.TotalTax = dec("9e16"), dec("9e16"), dec("9e16"), dec("0")
			},
			"2": func(o *intake.Order) { o.Lines[0].Quantity = dec("9e15") },
			"3": func(o *intake.Order) { o.Lines[0].Taxes[0].Amount = decimal.New(1, 20_000_000) },
			"4": func(o *intake.Order) {
				o.Lines[0].Taxes = append(o.Lines[0].Taxes, intake.Tax{RateID: "2", Rate: dec("1"), Amount: dec("1.2e29")}, intake.Tax{RateID: "3", Rate: dec("1"), Amount: dec("-1.2e29")})
			},
			"5":  func(o *intake.Order) { o.Payments = append(o.Payments, o.Payments[0]) },
			"6":  func(o *intake.Order) { o.Refunds = []intake.Refund{oneShirt(sent), oneShirt(sent)} },
			"7":  func(o *intake.Order) { o.Payments[0].Amount = dec("1e30") },
			"8":  func(o *intake.Order) { o.Lines[1].ID = o.Lines[0].ID },
			"9":  func(o *intake.Order) { o.Lines[0].Taxes[0].Rate = dec("-5"); o.Lines[0].Taxes[0].RateID = "99" },
			"10": func(o *intake.Order) { o.PlacedAt = time.Time{} },
		} {
			o := order(edit)
			statement := []byte(`{}`) // what JSON cannot hold in reasonable time stays out of it
			recs = append(recs, intake.Record{Ref: intake.Ref{Kind: intake.KindOrder, ID: name}, Modified: paid, Digest: "hostile" + name, Body: o, Statement: statement})
		}
		recs = append(recs, seal(t, intake.KindOrder, "20", paid, order()))
		r := receive(t, b, orders, recs...)
		if r.Parked != len(recs)-1 || r.Applied != 1 {
			t.Errorf("%+v", r)
		}
		parked, err := b.ParkedRecords(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parked {
			if strings.Contains(p.Fix, "report it") || len(p.Reason) > 300 {
				t.Errorf("%s: %.300s: %s", p.Ref.ID, p.Reason, p.Fix)
			}
			if err := b.DropParked(ctx, p.ID); err != nil {
				t.Error(err)
			}
		}
		invariants(t, b)
	})
}

func TestTextThatADatabaseRefusesParksOneRecord(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		nul := seal(t, intake.KindOrder, "1", paid, order(func(o *intake.Order) { o.Note = "a\x00b" }))
		r := receive(t, b, orders, nul, seal(t, intake.KindOrder, "2", paid, order()))
		if r.Outcomes[1] != erp.Applied {
			t.Errorf("%+v", r)
		}
	})
}

func TestSettleDecidesAllWaitingOrdersInBatches(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		var recs []intake.Record
		for i := range 250 { // more than one batch
			recs = append(recs, seal(t, intake.KindOrder, fmt.Sprint(i+1), paid, order(func(o *intake.Order) { o.Lines[0].VariantID = fmt.Sprint(100 + i) })))
		}
		receive(t, b, orders, recs...)
		if s, err := b.Settle(ctx, "atelier", placed.Add(-time.Hour), sent); err != nil || s.Undescribed != 250 {
			t.Errorf("%+v %v", s, err)
		}
		if s := settle(t, b); s.Undescribed != 0 {
			t.Errorf("%+v", s)
		}
		invariants(t, b)
	})
}

func TestParkedRecordThatIsGoneIsNotReadAgain(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", paid, order(unlike))
		if refs, _, err := b.Reread(ctx, "atelier", placed, 0, 10); err != nil || len(refs) != 1 {
			t.Errorf("%v %v", refs, err)
		}
		receive(t, b, orders, intake.Missing(intake.Ref{Kind: intake.KindOrder, ID: "1"}))
		p, err := b.ParkedRecords(ctx, "")
		if err != nil || len(p) != 1 || !strings.Contains(p[0].Reason, "no longer has it") {
			t.Errorf("%+v %v", p, err)
		}
		if refs, _, err := b.Reread(ctx, "atelier", placed, 0, 10); err != nil || len(refs) != 0 {
			t.Errorf("%v %v", refs, err)
		}
	})
}

func TestDroppedOrderComesBackWhenItIsAskedFor(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		bad := seal(t, intake.KindOrder, "1", paid, order(unlike))
		receive(t, b, orders, bad)
		p, _ := b.ParkedRecords(ctx, "")
		if err := b.DropParked(ctx, p[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := b.Readmit(ctx, "atelier", "1"); err != nil {
			t.Fatal(err)
		}
		if r := receive(t, b, orders, bad); r.Parked != 1 {
			t.Errorf("%+v", r)
		}
	})
}
