package erp_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/sales"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

var payoutStream = erp.Stream{Shop: "atelier", Resource: intake.Payouts}

// item is an item of a payout; the kind comes first: "charge 29.88 0.67 order 1".
func item(id string, kind intake.PayoutItemKind, amount, fee string, at time.Time, order string) intake.PayoutItem {
	return intake.PayoutItem{ID: id, Kind: kind, Raw: string(kind), Amount: dec(amount), Fee: dec(fee), At: at, Order: order, Source: "s" + id}
}

// paidOut is a payout of stripe that was paid on 10 March, of what its items
// add up to.
func paidOut(items ...intake.PayoutItem) *intake.Payout {
	p := &intake.Payout{Gateway: "stripe", Currency: "EUR", State: intake.PayoutPaid, RawStatus: "paid", IssuedAt: placed.AddDate(0, 0, 8), Reference: "PO-1", Items: items}
	for _, it := range items {
		p.Net = p.Net.Add(it.Amount).Sub(it.Fee)
	}
	return p
}

func statePayout(t *testing.T, b *erp.Books, id string, modified time.Time, p *intake.Payout) erp.Receipt {
	t.Helper()
	return receive(t, b, payoutStream, seal(t, intake.KindPayout, id, modified, p))
}

func TestPayoutOfAGatewayIsBookedWithWhatOnlyItTells(t *testing.T) {
	sold := item("1", intake.ItemCharge, "29.88", "0.67", paid, "1")
	for _, c := range []struct {
		name  string
		items []intake.PayoutItem
		edit  func(*intake.Payout)
		want  string // besides the sale
	}{
		{"the charge, whose fee was booked with the order", []intake.PayoutItem{sold}, nil, "bank=2921 payment_fees=67"},
		{"a dispute is held back, for a fee", []intake.PayoutItem{sold, item("2", intake.ItemDispute, "-10", "15", sent, "1")}, nil, "bank=421 disputes=1000 payment_fees=1567"},
		{"and given free", []intake.PayoutItem{sold, item("2", intake.ItemDispute, "-10", "15", sent, "1"), item("3", intake.ItemDispute, "10", "-15", sent, "1")}, nil, "bank=2921 payment_fees=67"},
		{"a reserve", []intake.PayoutItem{sold, item("2", intake.ItemReserve, "-5", "0", sent, "")}, nil, "bank=2421 payment_fees=67 reserve=500"},
		{"what the gateway asks for, and what it credits", []intake.PayoutItem{sold, item("2", intake.ItemAdjustment, "-3", "0", sent, ""), item("3", intake.ItemAdjustment, "1", "0", sent, "")}, nil, "bank=2721 payment_fees=267"},
		{"a kind that nobody knows yet", []intake.PayoutItem{sold, item("2", "lending", "-3", "0.10", sent, "")}, nil, "bank=2611 payment_fees=377"},
		{"on its way: only the items", []intake.PayoutItem{sold, item("2", intake.ItemReserve, "-5", "0", sent, "")}, func(p *intake.Payout) { p.State = intake.PayoutPending },
			"payment_fees=67 reserve=500 stripe/EUR=2421"},
		{"the gateway takes from the bank", []intake.PayoutItem{item("2", intake.ItemDispute, "-10", "15", sent, "1")}, nil, "bank=-2500 disputes=1000 payment_fees=1567 stripe/EUR=2921"},
		{"an earlier one that came back is in it", []intake.PayoutItem{item("2", intake.ItemTransfer, "29.21", "0", sent, "")}, nil, "bank=2921 payment_fees=67"},
		{"or is not listed", []intake.PayoutItem{sold, item("2", intake.ItemTransfer, "-29.21", "0", sent, "")}, func(p *intake.Payout) { p.Net = dec("29.21") }, "bank=2921 payment_fees=67"},
		{"without items", nil, func(p *intake.Payout) { p.Net = dec("20") }, "bank=2000 payment_fees=67 stripe/EUR=921"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
				state(t, b, "1", sent, order(completed))
				p := paidOut(c.items...)
				if c.edit != nil {
					c.edit(p)
				}
				statePayout(t, b, "501", time.Time{}, p)
				if got := without(balances(t, b), "output_tax", "sales", "shipping_income"); got != c.want {
					t.Errorf("booked\n got %s\nwant %s", got, c.want)
				}
				invariants(t, b)
			})
		})
	}
}

// without leaves roles out of balances.
func without(text string, roles ...string) string {
	var out []string
next:
	for _, f := range strings.Fields(text) {
		for _, r := range roles {
			if strings.HasPrefix(f, r+"=") {
				continue next
			}
		}
		out = append(out, f)
	}
	return strings.Join(out, " ")
}

func TestPayoutIsBookedOncePerRevision(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		reserve := item("2", intake.ItemReserve, "-5", "0", sent, "")
		a := paidOut(item("1", intake.ItemCharge, "29.88", "0.67", paid, "1"), reserve)
		failed := paidOut(a.Items...)
		failed.State = intake.PayoutFailed
		for i, p := range []*intake.Payout{a, a, failed, a} { // A → A → B → A
			statePayout(t, b, "501", sent.AddDate(0, 0, i), p)
		}
		got := sums(t, b, `SELECT cause, COUNT(*) FROM entry WHERE document_kind = 'payout' GROUP BY cause`)
		for _, cause := range []string{"payout/atelier/501", "payout/atelier/501/reversal", "payout/atelier/501#2", "payout-item/atelier/stripe/2"} {
			if got[cause] != 1 {
				t.Errorf("%d entries of %s", got[cause], cause)
			}
		}
		if len(got) != 4 {
			t.Errorf("entries %v", got)
		}
		if got, want := balances(t, b), "bank=2421 reserve=500 stripe/EUR=-2921"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

func TestItemsAreOfTheirOwnDayAndTheBankOfThePayouts(t *testing.T) {
	company := erp.Company{Currency: "EUR", Chart: "pcg", TimeZone: paris(t), LockDate: "2026-03-05"}
	eachOf(t, company, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		p := paidOut(item("1", intake.ItemReserve, "-5", "0", placed, ""), item("2", intake.ItemReserve, "9", "0", time.Date(2026, 3, 7, 23, 30, 0, 0, time.UTC), ""))
		statePayout(t, b, "501", time.Time{}, p)
		for cause, want := range map[string]string{"payout-item/atelier/stripe/1": "2026-03-06", "payout-item/atelier/stripe/2": "2026-03-08", "payout/atelier/501": "2026-03-10"} {
			if n := sums(t, b, `SELECT effective, 1 FROM entry WHERE cause = $1`, cause); n[want] != 1 {
				t.Errorf("%s is booked on %v, want %s", cause, n, want)
			}
		}
		invariants(t, b)
	})
}

func paris(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestItemThatMovesToAnotherPayoutIsBookedOnce(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		fee := item("2", intake.ItemAdjustment, "-3", "0", sent, "")
		first := paidOut(item("1", intake.ItemCharge, "29.88", "0.67", paid, "1"), fee)
		first.State = intake.PayoutCancelled
		second := paidOut(first.Items...)
		left := paidOut()
		left.State = intake.PayoutCancelled
		statePayout(t, b, "501", sent, first)
		statePayout(t, b, "502", sent, second)
		statePayout(t, b, "501", sent.Add(time.Hour), left)
		if got, want := balances(t, b), "bank=2621 payment_fees=300 stripe/EUR=-2921"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		if n := sums(t, b, `SELECT 'entries', COUNT(*) FROM entry`)["entries"]; n != 2 {
			t.Errorf("%d entries, want that of the bank and that of the fee", n)
		}
		invariants(t, b)
		first.RawStatus = "canceled" // it still names what the other has
		statePayout(t, b, "501", sent.Add(2*time.Hour), first)
		if n := sums(t, b, `SELECT p.external_id, COUNT(*) FROM payout_item i JOIN payout p ON p.id = i.payout_id WHERE NOT i.removed GROUP BY p.external_id`); n["502"] != 2 || len(n) != 1 {
			t.Errorf("items by payout: %v", n)
		}

		statePayout(t, b, "502", sent.Add(time.Hour), paidOut(second.Items[0])) // the fee is gone altogether
		if got, want := balances(t, b), "bank=2921 stripe/EUR=-2921"; got != want {
			t.Errorf("without the fee\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

func TestPayoutThatCannotBeBookedIsParked(t *testing.T) {
	charge := item("1", intake.ItemCharge, "29.88", "0.67", paid, "1")
	for name, c := range map[string]struct {
		edit func(*intake.Payout)
		want string
	}{
		"items that do not add up":  {func(p *intake.Payout) { p.Net = dec("29.20") }, "items add up to 29.21 EUR, and 29.20 EUR was paid"},
		"an item twice":             {func(p *intake.Payout) { p.Items = append(p.Items, charge) }, "two items with the id 1"},
		"half a cent":               {func(p *intake.Payout) { p.Items[0].Fee = dec("0.675") }, "0.675 has more decimals"},
		"no date":                   {func(p *intake.Payout) { p.IssuedAt = time.Time{} }, "no date"},
		"no gateway":                {func(p *intake.Payout) { p.Gateway = "" }, "names no gateway"},
		"a currency without a rate": {func(p *intake.Payout) { p.Currency = "ISK"; p.Items = nil; p.Net = dec("20") }, "no exchange rate from ISK"},
		"no currency":               {func(p *intake.Payout) { p.Currency = "" }, "currency"},
		"out of range":              {func(p *intake.Payout) { p.Net = dec("1e30") }, "out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBooks(t, filepath.Join(t.TempDir(), "books.db"), "", erp.Company{Currency: "EUR", Chart: "general"}, func() time.Time { return sent })
			p := paidOut(charge)
			c.edit(p)
			if r := statePayout(t, b, "501", time.Time{}, p); r.Parked != 1 {
				t.Fatalf("%+v", r)
			}
			parked, err := b.ParkedRecords(ctx, "")
			if err != nil || len(parked) != 1 || !strings.Contains(parked[0].Reason, c.want) || parked[0].Fix == "" || parked[0].Amount == "" {
				t.Errorf("parked %+v %v, want %q", parked, err, c.want)
			}
			if n := sums(t, b, `SELECT 'entries', COUNT(*) FROM entry`)["entries"]; n != 0 {
				t.Errorf("%d entries", n)
			}
		})
	}
}

func TestPayoutByHandAndByTheShopIsBookedOnce(t *testing.T) {
	byHand := erp.Payout{Gateway: "stripe", Currency: "EUR", Amount: dec("29.21"), Date: "2026-03-10", Reference: "PO-1"}
	charge := item("1", intake.ItemCharge, "29.88", "0.67", paid, "1")
	t.Run("the shop comes first", func(t *testing.T) {
		each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
			statePayout(t, b, "501", time.Time{}, paidOut(charge))
			for _, ref := range []string{"PO-1", "501"} {
				byHand := byHand
				byHand.Reference = ref
				if _, err := b.BookPayout(ctx, byHand); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "atelier states it itself") {
					t.Errorf("%s: %v", ref, err)
				}
			}
		})
	})
	t.Run("the person does", func(t *testing.T) {
		each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
			id, err := b.BookPayout(ctx, byHand)
			if err != nil {
				t.Fatal(err)
			}
			if r := statePayout(t, b, "501", time.Time{}, paidOut(charge)); r.Parked != 1 {
				t.Fatalf("%+v", r)
			}
			parked, err := b.ParkedRecords(ctx, "")
			if err != nil || !strings.Contains(parked[0].Reason, fmt.Sprint("by hand already, as entry ", id)) {
				t.Errorf("%+v %v", parked, err)
			}
			if _, err := b.ReverseEntry(ctx, id, ""); err != nil {
				t.Fatal(err)
			}
			if reason, err := b.RetryParked(ctx, parked[0].ID); err != nil || reason != "" {
				t.Errorf("retried: %s %v", reason, err)
			}
			if got, want := balances(t, b), "bank=2921 stripe/EUR=-2921"; got != want {
				t.Errorf("booked\n got %s\nwant %s", got, want)
			}
			invariants(t, b)
		})
	})
	t.Run("what the shop states cannot be taken back by hand", func(t *testing.T) {
		each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
			statePayout(t, b, "501", time.Time{}, paidOut(charge))
			e, err := ledger.ByCause(ctx, b.Reader(), "payout/atelier/501")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.ReverseEntry(ctx, e.ID, ""); fault.KindOf(err) != fault.Unprocessable {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestPayoutsInAnotherCurrencyTakeAlongWhatTheAccountCarries(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) { // a dollar is 0.90
		state(t, b, "1", sent, order(completed, func(o *intake.Order) { o.Currency = "USD" })) // 29.21 USD are 26.29 EUR
		p := paidOut(item("1", intake.ItemCharge, "29.88", "0.67", paid, "1"), item("2", intake.ItemReserve, "-10", "1", sent, ""), item("3", intake.ItemReserve, "4", "0", sent, ""))
		p.Currency = "USD"
		statePayout(t, b, "501", time.Time{}, p)
		// 10 of 29.21 USD were carried at 9.00, 1 of 19.21 at 0.90; 4 come back at 3.60; 22.21 USD at 19.99.
		if got, want := without(balances(t, b), "output_tax", "sales", "shipping_income"), "bank=1999 payment_fees=150 reserve=540"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

func TestDisputeThatAPayoutTellsOfCanBeLost(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		statePayout(t, b, "501", time.Time{}, paidOut(item("1", intake.ItemCharge, "29.88", "0.67", paid, "1"), item("2", intake.ItemDispute, "-10", "15", sent, "1")))
		lost := erp.Dispute{Gateway: "stripe", Currency: "EUR", Amount: dec("10"), Date: "2026-03-20", Reference: "s2", Stage: erp.DisputeLost}
		other := lost
		other.Reference = "s9"
		if _, err := b.BookDispute(ctx, other); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another one: %v", err)
		}
		if _, err := b.BookDispute(ctx, lost); err != nil {
			t.Fatal(err)
		}
		if got, want := balances(t, b), "bank=421 dispute_losses=1000 payment_fees=1500 stripe/EUR=-2921"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

// Whatever a gateway states of its payouts, and however often it changes its
// mind: the books end as its last statements say.
func TestAnyHistoryOfPayoutsEndsAsTheLastStatements(t *testing.T) {
	open := func() *erp.Books {
		return openBooks(t, filepath.Join(t.TempDir(), "books.db"), "", erp.Company{}, func() time.Time { return placed.AddDate(0, 1, 0) })
	}
	long, short := open(), open()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		last := map[string]*intake.Payout{}
		for i := range rapid.IntRange(1, 6).Draw(rt, "statements") {
			id := fmt.Sprint(rapid.IntRange(1, 2).Draw(rt, "payout"), "-", n)
			p := paidOut()
			for j := range rapid.IntRange(0, 4).Draw(rt, "items") {
				kind := rapid.SampledFrom([]intake.PayoutItemKind{intake.ItemCharge, intake.ItemRefund, intake.ItemDispute, intake.ItemReserve, intake.ItemAdjustment, "new"}).Draw(rt, "kind")
				cents := func(name string) string {
					return decimal.New(int64(rapid.IntRange(-300, 300).Draw(rt, name)), -2).String()
				}
				p.Items = append(p.Items, item(id+fmt.Sprint("-", j), kind, cents("amount"), cents("fee"), sent, "1"))
			}
			p = paidOut(p.Items...)
			p.State = rapid.SampledFrom([]intake.PayoutState{intake.PayoutPaid, intake.PayoutPaid, intake.PayoutPending, intake.PayoutFailed, intake.PayoutCancelled, "unheard of"}).Draw(rt, "state")
			statePayout(t, long, id, sent.Add(time.Duration(i)*time.Hour), p)
			last[id] = p
		}
		for id, p := range last {
			statePayout(t, short, id, sent, p)
		}
		if got, want := balances(t, long), balances(t, short); got != want {
			rt.Fatalf("booked\n got %s\nwant %s", got, want)
		}
	})
	invariants(t, long)
}

func TestPayoutsAreListedWithWhatIsOpenOfThem(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		after := sent.Add(24 * time.Hour)
		state(t, b, "1", after, order(completed, refunded(oneShirt(after))))
		charge, back := item("1", intake.ItemCharge, "29.88", "0.67", paid, "1"), item("2", intake.ItemRefund, "-12", "0", after, "1")
		later := func(days int, p *intake.Payout) *intake.Payout {
			p.IssuedAt = p.IssuedAt.AddDate(0, 0, days)
			return p
		}
		onItsWay := later(1, paidOut(back))
		onItsWay.State = intake.PayoutPending
		bare := later(2, paidOut())
		bare.Net = dec("4")
		statePayout(t, b, "501", time.Time{}, paidOut(charge))
		statePayout(t, b, "502", time.Time{}, onItsWay)
		statePayout(t, b, "503", time.Time{}, bare)
		statePayout(t, b, "504", time.Time{}, later(3, paidOut(item("3", intake.ItemCharge, "5", "0.10", paid, "9"), item("4", intake.ItemCharge, "2", "0", paid, ""))))
		list := func(shop string, limit int) (out []string) {
			t.Helper()
			payouts, err := b.Payouts(ctx, shop, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range payouts {
				out = append(out, fmt.Sprintf("%s %s %s net %d, fees %d, open %d", p.Day, p.ID, p.State, p.Net, p.Fees, p.Open))
			}
			return out
		}
		want := []string{"2026-03-13 504 paid net 690, fees 10, open -690", "2026-03-12 503 paid net 400, fees 0, open -400",
			"2026-03-11 502 pending net -1200, fees 0, open -1200", "2026-03-10 501 paid net 2921, fees 67, open 0"}
		if diff := cmp.Diff(want, list("atelier", 0)); diff != "" {
			t.Errorf("payouts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[:2], list("", 2)); diff != "" {
			t.Errorf("the newest (-want +got):\n%s", diff)
		}
		if _, err := b.Payouts(ctx, "nowhere", 0); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another shop: %v", err)
		}
	})
}

func TestDisputeByHandAndByThePayoutsIsBookedOnce(t *testing.T) {
	opened := erp.Dispute{Gateway: "stripe", Currency: "EUR", Amount: dec("10"), Date: "2026-03-08", Reference: "s2", Stage: erp.DisputeOpened}
	said := paidOut(item("1", intake.ItemCharge, "29.88", "0.67", paid, "1"), item("2", intake.ItemDispute, "-10", "15", sent, "1"))
	t.Run("the payout comes first", func(t *testing.T) {
		each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
			statePayout(t, b, "501", time.Time{}, said)
			for _, ref := range []string{"s2", "2"} {
				opened := opened
				opened.Reference = ref
				if _, err := b.BookDispute(ctx, opened); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "payout 501 of atelier") {
					t.Errorf("%s: %v", ref, err)
				}
			}
			if got, want := balances(t, b), "bank=421 disputes=1000 payment_fees=1500 stripe/EUR=-2921"; got != want {
				t.Errorf("booked\n got %s\nwant %s", got, want)
			}
		})
	})
	t.Run("the person does", func(t *testing.T) {
		each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
			id, err := b.BookDispute(ctx, opened)
			if err != nil {
				t.Fatal(err)
			}
			if r := statePayout(t, b, "501", time.Time{}, said); r.Parked != 1 {
				t.Fatalf("%+v", r)
			}
			parked, err := b.ParkedRecords(ctx, "")
			if err != nil || !strings.Contains(parked[0].Reason, fmt.Sprint("by hand already, as entry ", id)) {
				t.Errorf("%+v %v", parked, err)
			}
			if _, err := b.ReverseEntry(ctx, id, ""); err != nil {
				t.Fatal(err)
			}
			if reason, err := b.RetryParked(ctx, parked[0].ID); err != nil || reason != "" {
				t.Errorf("retried: %s %v", reason, err)
			}
			lost := opened
			lost.Date, lost.Stage = "2026-03-20", erp.DisputeLost
			if _, err := b.BookDispute(ctx, lost); err != nil {
				t.Fatal(err)
			}
			if got, want := balances(t, b), "bank=421 dispute_losses=1000 payment_fees=1500 stripe/EUR=-2921"; got != want {
				t.Errorf("booked\n got %s\nwant %s", got, want)
			}
			invariants(t, b)
		})
	})
}

func TestPayoutThatCameBackMayBeStatedAgainAfterAPersonToldOfIt(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		charge := item("1", intake.ItemCharge, "29.88", "0.67", paid, "1")
		failed := paidOut(charge)
		failed.State = intake.PayoutFailed
		statePayout(t, b, "501", sent, paidOut(charge))
		statePayout(t, b, "501", sent.Add(time.Hour), failed)
		if _, err := b.BookPayout(ctx, erp.Payout{Gateway: "stripe", Currency: "EUR", Amount: dec("29.21"), Date: "2026-03-12", Reference: "PO-1"}); err != nil {
			t.Fatal(err)
		}
		again := paidOut(charge)
		again.State, again.RawStatus = intake.PayoutFailed, "returned"
		if r := statePayout(t, b, "501", sent.Add(2*time.Hour), again); r.Parked != 0 {
			t.Errorf("%+v", r)
		}
		if got, want := balances(t, b), "bank=2921 stripe/EUR=-2921"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

// A part of a payout may be worth less than a cent of the books, and is off the
// gateway's balance all the same.
func TestPartsOfAPayoutWorthLessThanACentAreBooked(t *testing.T) {
	company := erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC, Rates: []erp.Rate{{Currency: "HUF", From: "2020-01-01", Rate: dec("0.0025")}}}
	eachOf(t, company, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		p := paidOut(item("1", intake.ItemReserve, "-1000", "0", sent, ""), item("2", intake.ItemAdjustment, "-1", "0", sent, ""), item("3", intake.ItemDispute, "-1000", "1", sent, ""))
		p.Currency = "HUF"
		if r := statePayout(t, b, "501", time.Time{}, p); r.Parked != 0 {
			t.Errorf("%+v", r)
		}
		if got, want := balances(t, b), "bank=-501 disputes=250 fx_gain=-1 payment_fees=2 reserve=250"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
		failed := paidOut(p.Items...)
		failed.Currency, failed.State = "HUF", intake.PayoutFailed
		failed.Items = failed.Items[:1]
		statePayout(t, b, "501", time.Time{}, failed)
		invariants(t, b)
	})
}

func TestPayoutThatTakesFromTheBankInAnotherCurrencyEmptiesTheAccount(t *testing.T) {
	company := erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC,
		Rates: []erp.Rate{{Currency: "USD", From: "2026-01-01", Rate: dec("0.9")}, {Currency: "USD", From: "2026-03-10", Rate: dec("0.95")}}}
	eachOf(t, company, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		p := paidOut(item("2", intake.ItemDispute, "-10", "15", sent, "1"))
		p.Currency = "USD"
		statePayout(t, b, "501", time.Time{}, p)
		// 25 USD were held back at 22.50 and cost 23.75 at the bank.
		if got, want := balances(t, b), "bank=-2375 disputes=900 fx_loss=125 payment_fees=1350"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

func TestPayoutThatFailsHalfwayIsParkedWhole(t *testing.T) {
	company := erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC, Rates: []erp.Rate{{Currency: "GBP", From: "2026-01-01", Rate: dec("1.2")}}}
	eachOf(t, company, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		p := paidOut(item("1", intake.ItemReserve, "-5", "0", sent, ""), item("2", intake.ItemReserve, "-9000000000000", "0", sent, "")) // more euros than can be counted
		p.Currency = "GBP"
		if r := statePayout(t, b, "501", time.Time{}, p); r.Parked != 1 {
			t.Errorf("%+v", r)
		}
		if got := balances(t, b); got != "" {
			t.Errorf("booked %s", got)
		}
		q := paidOut(p.Items[0])
		q.Currency = "GBP"
		statePayout(t, b, "501", time.Time{}, q)
		if got, want := balances(t, b), "bank=-600 reserve=600"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}
