package erp_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
)

// tell is one statement of an order, and when the shop made it.
type tell struct {
	at   time.Time
	edit []func(*intake.Order)
}

func refunded(r ...intake.Refund) func(*intake.Order) {
	return func(o *intake.Order) { o.Refunds = append(o.Refunds, r...) }
}

// oneShirt is the refund of one of the two shirts, with its tax.
func oneShirt(at time.Time) intake.Refund {
	return intake.Refund{ID: "9", At: at, Amount: dec("12.00"), Lines: []intake.RefundLine{
		{LineID: "1", Quantity: dec("1"), Total: dec("10"), Taxes: []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec("2")}}}}}
}

func unpaid(o *intake.Order) { o.PaidAt, o.Payments = time.Time{}, nil }

func status(raw string, s intake.OrderState) func(*intake.Order) {
	return func(o *intake.Order) { o.RawStatus, o.State = raw, s }
}

func TestPostings(t *testing.T) {
	after, before := sent.Add(24*time.Hour), paid.Add(24*time.Hour)
	for _, c := range []struct {
		name  string
		rules func(*sales.Rules)
		tells []tell
		want  string // accounts that are not at zero; stock of 8 was worth 35.00 with the two shirts
		hand  string // on hand / allocated
	}{
		{name: "pending takes no stock and posts nothing", tells: []tell{{placed, []func(*intake.Order){unpaid, status("pending", intake.StatePending)}}},
			want: "inventory=2800 opening_equity=-2800", hand: "8/0"},
		{name: "on hold takes stock", tells: []tell{{placed, []func(*intake.Order){unpaid, status("on-hold", intake.StateHold)}}},
			want: "inventory=3500 opening_equity=-3500", hand: "10/2"},
		{name: "an unknown status holds the order", tells: []tell{{placed, []func(*intake.Order){status("awaiting-pickup", intake.StateHold)}}},
			want: "customer_deposits=-2988 inventory=3500 opening_equity=-3500 payment_fees=67 stripe/EUR=2921", hand: "10/2"},
		{name: "paid is a deposit until it is shipped", tells: []tell{{paid, nil}},
			want: "customer_deposits=-2988 inventory=3500 opening_equity=-3500 payment_fees=67 stripe/EUR=2921", hand: "10/2"},
		{name: "invoiced when it is shipped", tells: []tell{{paid, nil}, {sent, []func(*intake.Order){completed}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2921", hand: "8/0"},
		{name: "invoiced when it is paid, where the shop wants it so", rules: func(r *sales.Rules) { r.Revenue = sales.OnPayment }, tells: []tell{{paid, nil}},
			want: "inventory=3500 opening_equity=-3500 output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2921", hand: "10/2"},
		{name: "shipped unpaid is a receivable", tells: []tell{{sent, []func(*intake.Order){unpaid, completed}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-498 receivable=2988 sales=-2000 shipping_income=-490", hand: "8/0"},
		{name: "and paid later", tells: []tell{{sent, []func(*intake.Order){unpaid, completed}}, {after, []func(*intake.Order){completed, func(o *intake.Order) { o.PaidAt, o.Payments[0].At = after, after }}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2921", hand: "8/0"},
		{name: "a refund before the invoice lessens the deposit", tells: []tell{{before, []func(*intake.Order){refunded(oneShirt(before))}}},
			want: "customer_deposits=-1788 inventory=3150 opening_equity=-3150 payment_fees=67 stripe/EUR=1721", hand: "9/1"},
		{name: "and the invoice", tells: []tell{{before, []func(*intake.Order){refunded(oneShirt(before))}}, {sent, []func(*intake.Order){completed, refunded(oneShirt(before))}}},
			want: "cogs=350 inventory=2800 opening_equity=-3150 output_tax=-298 payment_fees=67 sales=-1000 shipping_income=-490 stripe/EUR=1721", hand: "8/0"},
		{name: "a refund after the invoice credits sales, and the goods come back at cost", tells: []tell{{sent, []func(*intake.Order){completed}}, {after, []func(*intake.Order){completed, refunded(oneShirt(after))}}},
			want: "cogs=350 inventory=2800 opening_equity=-3150 output_tax=-298 payment_fees=67 sales=-2000 sales_returns=1000 shipping_income=-490 stripe/EUR=1721", hand: "8/0"},
		{name: "goods that are not restocked stay sold", rules: func(r *sales.Rules) { r.Restock = sales.RestockNever }, tells: []tell{{after, []func(*intake.Order){completed, refunded(oneShirt(after))}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-298 payment_fees=67 sales=-2000 sales_returns=1000 shipping_income=-490 stripe/EUR=1721", hand: "8/0"},
		{name: "a refund by amount leaves the tax as the shop states it", tells: []tell{{after, []func(*intake.Order){completed, refunded(intake.Refund{ID: "9", At: after, Amount: dec("5")})}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-498 payment_fees=67 sales=-2000 sales_returns=500 shipping_income=-490 stripe/EUR=2421", hand: "8/0"},
		{name: "or takes it back in proportion", rules: func(r *sales.Rules) { r.RefundTax = sales.TaxProportional }, tells: []tell{{after, []func(*intake.Order){completed, refunded(intake.Refund{ID: "9", At: after, Amount: dec("5.98")})}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-398 payment_fees=67 sales=-2000 sales_returns=400 shipping_income=-392 stripe/EUR=2323", hand: "8/0"},
		{name: "the rest refunded by status takes back what was left of every line and tax", tells: []tell{{after, []func(*intake.Order){completed, status("refunded", intake.StateRefunded),
			refunded(intake.Refund{ID: "9", At: after, Amount: dec("5")}, intake.Refund{ID: "10", At: after.Add(time.Hour), Amount: dec("24.88"), Full: true})}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 payment_fees=67 sales=-2000 sales_returns=2000 stripe/EUR=-67", hand: "8/0"},
		{name: "a refund that is deleted is taken back", tells: []tell{{after, []func(*intake.Order){completed, refunded(oneShirt(after))}}, {after.Add(time.Hour), []func(*intake.Order){completed}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2921", hand: "8/0"},
		{name: "cancelled after payment gives the money back", tells: []tell{{paid, nil}, {before, []func(*intake.Order){status("cancelled", intake.StateCancelled)}}},
			want: "inventory=2800 opening_equity=-2800 payment_fees=67 stripe/EUR=-67", hand: "8/0"},
		{name: "or keeps it as a deposit until a refund says so", rules: func(r *sales.Rules) { r.CancelReturnsMoney = false }, tells: []tell{{before, []func(*intake.Order){status("cancelled", intake.StateCancelled)}}},
			want: "customer_deposits=-2988 inventory=2800 opening_equity=-2800 payment_fees=67 stripe/EUR=2921", hand: "8/0"},
		{name: "cancelled after shipping takes all back", tells: []tell{{sent, []func(*intake.Order){completed}}, {after, []func(*intake.Order){status("cancelled", intake.StateCancelled)}}},
			want: "inventory=2800 opening_equity=-2800 payment_fees=67 stripe/EUR=-67", hand: "8/0"},
		{name: "reopened after shipping is a deposit again", tells: []tell{{sent, []func(*intake.Order){completed}}, {after, nil}},
			want: "customer_deposits=-2988 inventory=3500 opening_equity=-3500 payment_fees=67 stripe/EUR=2921", hand: "10/2"},
		{name: "a coupon is a discount", tells: []tell{{sent, []func(*intake.Order){completed, func(o *intake.Order) {
			o.Lines[0].Total, o.Lines[0].Taxes[0].Amount = dec("18"), dec("3.60")
			o.Total, o.TotalTax, o.DiscountTotal, o.Payments[0].Amount = dec("27.48"), dec("4.58"), dec("2"), dec("27.48")
		}}}},
			want: "cogs=700 discounts=200 inventory=2800 opening_equity=-3500 output_tax=-458 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2681", hand: "8/0"},
		{name: "fees are income, negative ones a discount", tells: []tell{{sent, []func(*intake.Order){completed, func(o *intake.Order) {
			o.Lines = append(o.Lines, intake.Line{ID: "3", Kind: intake.LineFee, Title: "Gift wrap", Quantity: dec("1"), Subtotal: dec("3"), Total: dec("3")},
				intake.Line{ID: "4", Kind: intake.LineFee, Title: "Loyalty", Quantity: dec("1"), Subtotal: dec("-1"), Total: dec("-1")})
			o.Total, o.Payments[0].Amount = dec("31.88"), dec("31.88")
		}}}},
			want: "cogs=700 discounts=100 inventory=2800 opening_equity=-3500 other_income=-300 output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=3121", hand: "8/0"},
		{name: "a gift card sold is a liability, one used settles it", tells: []tell{{sent, []func(*intake.Order){completed, func(o *intake.Order) {
			o.Lines[0].GiftCard, o.Lines[0].Taxes = true, nil
			o.Total, o.TotalTax, o.Payments[0].Amount = dec("25.88"), dec("0.98"), dec("15.88")
			o.GiftCards = []intake.Gift{{ID: "3", Amount: dec("10")}}
		}}}},
			want: "cogs=700 gift_card_liability=-1000 inventory=2800 opening_equity=-3500 output_tax=-98 payment_fees=67 shipping_income=-490 stripe/EUR=1521", hand: "8/0"},
		{name: "another currency is booked at the rate of its day", tells: []tell{{sent, []func(*intake.Order){completed, func(o *intake.Order) { o.Currency = "USD" }}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-448 payment_fees=60 sales=-1800 shipping_income=-441 stripe/USD=2629", hand: "8/0"},
		{name: "explained cents go to rounding", tells: []tell{{sent, []func(*intake.Order){completed, func(o *intake.Order) { o.Total, o.Payments[0].Amount = dec("29.89"), dec("29.89") }}}},
			want: "cogs=700 inventory=2800 opening_equity=-3500 output_tax=-498 payment_fees=67 rounding=-1 sales=-2000 shipping_income=-490 stripe/EUR=2922", hand: "8/0"},
		{name: "a line without a product is sold all the same", tells: []tell{{sent, []func(*intake.Order){completed, func(o *intake.Order) { o.Lines[0].ProductID, o.Lines[0].VariantID = "", "" }}}},
			want: "inventory=2800 opening_equity=-2800 output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2921", hand: "8/0"},
		{name: "trashed keeps what is booked and wants no stock", tells: []tell{{paid, nil}, {before, []func(*intake.Order){func(o *intake.Order) { o.Trashed = true }}}},
			want: "customer_deposits=-2988 inventory=2800 opening_equity=-2800 payment_fees=67 stripe/EUR=2921", hand: "8/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := sales.DefaultRules()
			if c.rules != nil {
				c.rules(&rules)
			}
			each(t, rules, func(t *testing.T, b *erp.Books) {
				receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
				for _, tl := range c.tells {
					state(t, b, "1042", tl.at, order(tl.edit...))
				}
				if _, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)); err != nil {
					t.Fatal(err)
				}
				if got := balances(t, b); got != c.want {
					t.Errorf("balances:\n got %s\nwant %s", got, c.want)
				}
				st, err := b.StockTotals(ctx)
				if got := st.OnHand.String() + "/" + st.Allocated.String(); err != nil || got != c.hand {
					t.Errorf("on hand/allocated: got %s, want %s (%v)", got, c.hand, err)
				}
				invariants(t, b)
			})
		})
	}
}

func TestEditIsPostedOncePerRevision(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		dearer := func(o *intake.Order) {
			o.Lines[0].Subtotal, o.Lines[0].Total, o.Lines[0].Taxes[0].Amount = dec("30"), dec("30"), dec("6")
			o.Total, o.TotalTax = dec("41.88"), dec("6.98")
		}
		state(t, b, "1042", sent, order(completed))
		state(t, b, "1042", sent.Add(time.Hour), order(completed, dearer))
		state(t, b, "1042", sent.Add(2*time.Hour), order(completed)) // A → B → A
		got := sums(t, b, `SELECT i.cause, i.total FROM invoice i`)
		want := map[string]int64{
			"order/atelier/1042/invoice": 2988, "order/atelier/1042/invoice/reversal": 2988,
			"order/atelier/1042/invoice#2": 4188, "order/atelier/1042/invoice#2/reversal": 4188, "order/atelier/1042/invoice#3": 2988,
		}
		for cause, total := range want {
			if got[cause] != total {
				t.Errorf("document %s: got %d, want %d", cause, got[cause], total)
			}
		}
		if len(got) != len(want) {
			t.Errorf("documents: got %v", got)
		}
		invariants(t, b)
	})
}

func TestPaymentOnTermsKeepsTheInvoice(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1042", sent, order(unpaid, completed))
		state(t, b, "1042", sent.Add(time.Hour), order(completed)) // it had been paid before, we just learn of it
		if n := len(sums(t, b, `SELECT cause, total FROM invoice`)); n != 1 {
			t.Errorf("%d documents, want the one invoice", n)
		}
		state(t, b, "1042", sent.Add(2*time.Hour), order(status("cancelled", intake.StateCancelled)))
		if n := len(sums(t, b, `SELECT cause, total FROM invoice`)); n != 2 {
			t.Errorf("%d documents, want the invoice and its credit note", n)
		}
		invariants(t, b)
	})
}

func TestArrivalOrderDoesNotMatter(t *testing.T) {
	rules := sales.DefaultRules()
	digest := func(t *testing.T, b *erp.Books, recs ...intake.Record) string {
		for _, r := range recs {
			s := erp.Stream{Shop: "atelier", Resource: intake.Orders}
			if r.Ref.Kind != intake.KindOrder {
				s.Resource = intake.Products
			}
			receive(t, b, s, r)
		}
		if _, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)); err != nil {
			t.Fatal(err)
		}
		invariants(t, b)
		d, err := b.Digest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	product := seal(t, intake.KindProduct, "7", placed, shirt("8"))
	one := seal(t, intake.KindOrder, "1", sent, order(completed, refunded(oneShirt(sent.Add(time.Hour)))))
	two := seal(t, intake.KindOrder, "2", paid, order())
	three := seal(t, intake.KindOrder, "3", paid, order(func(o *intake.Order) { o.Lines[0].VariantID = "8" })) // the shop does not have it
	seen := map[string]bool{}
	for _, recs := range [][]intake.Record{{product, one, two, three}, {three, two, one, product}, {one, product, three, two}, {two, one, product, one, three, two, product}} {
		each(t, rules, func(t *testing.T, b *erp.Books) { seen[digest(t, b, recs...)] = true })
	}
	if len(seen) != 1 {
		t.Errorf("%d digests of one history", len(seen))
	}
}

func TestUnbookableRecordIsParkedAndTheRestGoesOn(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(*intake.Order)
		reason string
	}{
		{"currency without a rate", func(o *intake.Order) { o.Currency = "ISK" }, "no exchange rate into EUR"},
		{"currency that does not exist", func(o *intake.Order) { o.Currency = "ZZZ" }, `currency "ZZZ" is not known`},
		{"total that its parts do not explain", func(o *intake.Order) { o.Total = dec("34.88") }, "cannot be rounding"},
		{"tax that its lines do not explain", func(o *intake.Order) { o.TotalTax = dec("9.98") }, "lines add up to"},
		{"amount out of range", func(o *intake.Order) { o.Total = dec("1e30") }, "out of range"},
		{"negative total", func(o *intake.Order) { o.Total = dec("-1") }, "negative total"},
		{"quantity that is no quantity", func(o *intake.Order) { o.Lines[0].Quantity = dec("0.12345") }, "quantity 0.12345"},
		{"refund of more than there was", func(o *intake.Order) { o.Refunds = []intake.Refund{{ID: "9", At: sent, Amount: dec("100")}} }, "more than the"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
				bad := seal(t, intake.KindOrder, "1", paid, order(c.edit))
				r := receive(t, b, orders, bad, seal(t, intake.KindOrder, "2", paid, order()))
				if r.Parked != 1 || r.Applied != 1 {
					t.Fatalf("receipt %+v", r)
				}
				parked, err := b.ParkedRecords(ctx, "atelier")
				if err != nil || len(parked) != 1 || !strings.Contains(parked[0].Reason, c.reason) || parked[0].Fix == "" {
					t.Fatalf("parked: %+v %v", parked, err)
				}
				if r := receive(t, b, orders, bad); r.Parked != 1 {
					t.Errorf("stated again: %+v", r)
				}
				if reason, err := b.RetryParked(ctx, parked[0].ID); err != nil || reason == "" {
					t.Errorf("retried: %q %v", reason, err)
				}
				// The shop corrects it: the next statement is applied and the record leaves the list.
				if r := receive(t, b, orders, seal(t, intake.KindOrder, "1", sent, order())); r.Applied != 1 {
					t.Errorf("corrected: %+v", r)
				}
				invariants(t, b)
			})
		})
	}
}

func TestDroppedRecordStaysAwayUntilItChanges(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		bad := seal(t, intake.KindOrder, "1", paid, order(func(o *intake.Order) { o.Currency = "ISK" }))
		receive(t, b, orders, bad)
		parked, _ := b.ParkedRecords(ctx, "")
		if err := b.DropParked(ctx, parked[0].ID); err != nil {
			t.Fatal(err)
		}
		if r := receive(t, b, orders, bad); r.Unchanged != 1 {
			t.Errorf("the same again: %+v", r)
		}
		if err := b.DropParked(ctx, parked[0].ID); err == nil {
			t.Error("dropped twice")
		}
		if r := receive(t, b, orders, seal(t, intake.KindOrder, "1", sent, order())); r.Applied != 1 {
			t.Errorf("changed: %+v", r)
		}
		invariants(t, b)
	})
}

func TestStatingTheSameAgainWritesNothing(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		product, o := seal(t, intake.KindProduct, "7", placed, shirt("8")), seal(t, intake.KindOrder, "1", sent, order(completed))
		receive(t, b, goods, product)
		receive(t, b, orders, o)
		before, _ := b.Digest(ctx)
		if r := receive(t, b, goods, product); r.Unchanged != 1 {
			t.Errorf("product: %+v", r)
		}
		if r := receive(t, b, orders, o, o); r.Unchanged != 2 {
			t.Errorf("order: %+v", r)
		}
		older := seal(t, intake.KindOrder, "1", paid, order())
		if r := receive(t, b, orders, older); r.Unchanged != 1 {
			t.Errorf("an older statement: %+v", r)
		}
		if after, _ := b.Digest(ctx); after != before {
			t.Error("the digest has changed")
		}
	})
}

func TestLockedPeriodTakesNoPosting(t *testing.T) {
	company := erp.Company{Currency: "EUR", Chart: "pcg", TimeZone: time.UTC, LockDate: "2026-03-31"}
	eachOf(t, company, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
		state(t, b, "1", sent, order(completed))
		state(t, b, "1", sent.Add(time.Hour), order(status("cancelled", intake.StateCancelled)))
		if _, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)); err != nil {
			t.Fatal(err)
		}
		for day, n := range sums(t, b, `SELECT effective, COUNT(*) FROM entry GROUP BY effective`) {
			if day <= "2026-03-31" || n == 0 {
				t.Errorf("%d entries on %s, in the locked period", n, day)
			}
		}
		invariants(t, b)
	})
}

func TestBooksKeepTheCurrencyTheyWereBegunWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	for i, currency := range []money.Currency{"EUR", "USD"} {
		b, err := erp.Open(ctx, erp.Options{Path: path, Company: erp.Company{Currency: currency, Chart: "general"}, Now: time.Now, Log: zerolog.Nop()})
		if (err == nil) != (i == 0) {
			t.Fatalf("%s: %v", currency, err)
		}
		if err == nil {
			b.Close()
		} else if !strings.Contains(err.Error(), "begun with currency") {
			t.Error(err)
		}
	}
}

func TestShopStockIsFollowedWhereOrdersDoNotExplainIt(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		settle := func() erp.Settlement {
			t.Helper()
			s, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
		if s := settle(); s.Opened != 1 {
			t.Errorf("opened %+v", s)
		}
		state(t, b, "1", paid, order())
		receive(t, b, goods, seal(t, intake.KindProduct, "7", paid, shirt("6"))) // the order explains it
		if s := settle(); s.Adjusted != 0 {
			t.Errorf("adjusted %+v", s)
		}
		receive(t, b, goods, seal(t, intake.KindProduct, "7", sent, shirt("5"))) // one was broken
		if s := settle(); s.Adjusted != 1 {
			t.Errorf("adjusted %+v", s)
		}
		st, _ := b.StockTotals(ctx)
		if st.OnHand.String() != "7" || st.Allocated.String() != "2" || st.Value.Minor != 2450 {
			t.Errorf("stock %+v", st)
		}
		invariants(t, b)
	})
}

func TestFenceCountsEachCommitAndKeepsTheCursor(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, orders, seal(t, intake.KindOrder, "1", paid, order()))
		if _, err := b.Receive(ctx, orders, []intake.Record{seal(t, intake.KindOrder, "2", paid, order())}, nil); err != nil {
			t.Fatal(err)
		}
		f, err := b.Fences(ctx, "atelier")
		if err != nil || len(f) != 1 || f[0].Number != 2 || string(f[0].Cursor) != "cursor" {
			t.Errorf("fences %+v %v", f, err)
		}
	})
}

func TestPreviewChangesNothing(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		before, _ := b.Digest(ctx)
		changes, err := b.Preview(ctx, orders, []intake.Record{seal(t, intake.KindOrder, "1", sent, order(completed))})
		if err != nil || len(changes) < 4 {
			t.Errorf("changes %v %v", changes, err)
		}
		if after, _ := b.Digest(ctx); after != before {
			t.Error("the preview has changed the books")
		}
	})
}
