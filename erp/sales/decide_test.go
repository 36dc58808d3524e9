package sales_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

var (
	monday    = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	tuesday   = monday.AddDate(0, 0, 1)
	wednesday = monday.AddDate(0, 0, 2)
	thursday  = monday.AddDate(0, 0, 3)
	friday    = monday.AddDate(0, 0, 4)
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func stated(s string) *decimal.Decimal {
	d := dec(s)
	return &d
}

// mugs is an order of five mugs at 10.00 without tax, paid on Monday.
func mugs(edit ...func(*intake.Order)) *intake.Order {
	o := &intake.Order{
		Number: "7", RawStatus: "paid/unfulfilled", State: intake.StateOpen, PlacedAt: monday, PaidAt: monday, Currency: "EUR", Total: dec("50"), MoneyStated: true,
		Lines:    []intake.Line{{ID: "1", Kind: intake.LineItem, VariantID: "9", Title: "Mug", Quantity: dec("5"), Subtotal: dec("50"), Total: dec("50")}},
		Payment:  intake.Payment{Method: "card"},
		Payments: []intake.Money{{ID: "p", Kind: intake.MoneySale, Gateway: "card", Amount: dec("50"), At: monday}},
	}
	for _, e := range edit {
		e(o)
	}
	return o
}

func shipped(id string, at time.Time, quantity string) func(*intake.Order) {
	return func(o *intake.Order) {
		o.Shipments = append(o.Shipments, intake.Shipped{ID: id, At: at, Lines: []intake.ShippedLine{{LineID: "1", Quantity: dec(quantity)}}})
	}
}

// back is a refund of mugs, by the piece.
func back(id string, at time.Time, quantity, paid string, restock intake.Restock) func(*intake.Order) {
	return func(o *intake.Order) {
		amount := dec(quantity).Mul(dec("10"))
		o.Refunds = append(o.Refunds, intake.Refund{ID: id, At: at, Amount: amount, Paid: stated(paid),
			Lines: []intake.RefundLine{{LineID: "1", Quantity: dec(quantity), Total: amount, Restock: restock}}})
	}
}

func decide(t require, o *intake.Order) sales.Decision {
	t.Helper()
	d, err := sales.Decide(nil, o, sales.Facts{Shop: "atelier", External: "7", Rules: sales.DefaultRules(), Home: "EUR", Zone: time.UTC,
		Goods: map[string]sales.Goods{"1": {Variant: 9, Stock: 9, Tracked: true, Cost: dec("3")}}})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return d
}

type require interface {
	Helper()
	Fatalf(format string, args ...any)
}

// booked sums up what a decision posts, by role.
func booked(d sales.Decision) map[ledger.Role]int64 {
	out := map[ledger.Role]int64{}
	for _, s := range d.Steps {
		if s.Posting == nil || s.Posting.Entry == nil {
			continue
		}
		for _, l := range s.Posting.Entry.Lines {
			out[l.Account.Role] += l.Debit - l.Credit
		}
	}
	return out
}

func text(sums map[ledger.Role]int64) string {
	var out []string
	for role, n := range sums {
		if n != 0 {
			out = append(out, fmt.Sprintf("%s=%d", role, n))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestMoneyOfARefundIsWhatTheShopSays(t *testing.T) {
	byAmount := func(at time.Time, amount, paid string) func(*intake.Order) {
		return func(o *intake.Order) {
			o.Refunds = append(o.Refunds, intake.Refund{ID: "r", At: at, Amount: dec(amount), Paid: stated(paid)})
		}
	}
	sent := shipped("f", wednesday, "5")
	for _, c := range []struct {
		name string
		edit []func(*intake.Order)
		want string // of the accounts that money and sales are on
	}{
		{"all of it went back", []func(*intake.Order){sent, back("r", friday, "2", "20", intake.RestockYes)},
			"clearing=3000 cogs=900 inventory=-900 sales=-5000 sales_returns=2000"},
		{"it is still to come: the customer has a credit", []func(*intake.Order){sent, back("r", friday, "2", "0", intake.RestockYes)},
			"clearing=5000 cogs=900 inventory=-900 receivable=-2000 sales=-5000 sales_returns=2000"},
		{"a part of it went back", []func(*intake.Order){sent, back("r", friday, "2", "12.50", intake.RestockYes)},
			"clearing=3750 cogs=900 inventory=-900 receivable=-750 sales=-5000 sales_returns=2000"},
		{"before the invoice it stays a deposit", []func(*intake.Order){back("r", tuesday, "2", "0", intake.RestockUnshipped)},
			"clearing=5000 customer_deposits=-5000"},
		{"and the invoice takes what it needs of it", []func(*intake.Order){back("r", tuesday, "2", "5", intake.RestockUnshipped), shipped("f", wednesday, "3")},
			"clearing=4500 cogs=900 customer_deposits=-1500 inventory=-900 sales=-3000"},
		{"exchanged for goods of the same price", []func(*intake.Order){sent, back("r", friday, "2", "0", intake.RestockYes), func(o *intake.Order) {
			o.Lines = append(o.Lines, intake.Line{ID: "2", Kind: intake.LineItem, Title: "Bowl", Quantity: dec("1"), Subtotal: dec("20"), Total: dec("20")})
			o.Total = dec("70")
		}}, "clearing=5000 cogs=900 inventory=-900 sales=-7000 sales_returns=2000"},
		{"exchanged for dearer goods, the difference paid", []func(*intake.Order){sent, back("r", friday, "2", "0", intake.RestockYes), func(o *intake.Order) {
			o.Lines = append(o.Lines, intake.Line{ID: "2", Kind: intake.LineItem, Title: "Bowl", Quantity: dec("1"), Subtotal: dec("24"), Total: dec("24")})
			o.Total = dec("74")
			o.Payments = append(o.Payments, intake.Money{ID: "q", Kind: intake.MoneySale, Gateway: "card", Amount: dec("4"), At: friday})
		}}, "clearing=5400 cogs=900 inventory=-900 sales=-7400 sales_returns=2000"},
		{"exchanged before it was shipped", []func(*intake.Order){back("r", tuesday, "2", "0", intake.RestockUnshipped), shipped("f", wednesday, "3"), func(o *intake.Order) {
			o.Lines = append(o.Lines, intake.Line{ID: "2", Kind: intake.LineItem, Title: "Bowl", Quantity: dec("1"), Subtotal: dec("20"), Total: dec("20")})
			o.Total = dec("70")
		}}, "clearing=5000 cogs=900 inventory=-900 sales=-5000"},
		{"an overpayment goes back from the deposit that the invoice left", []func(*intake.Order){sent, func(o *intake.Order) { o.Payments[0].Amount = dec("57") }, byAmount(friday, "0", "7")},
			"clearing=5000 cogs=1500 inventory=-1500 sales=-5000"},
		{"one that was made after the invoice, from the customer's account", []func(*intake.Order){sent, func(o *intake.Order) {
			o.Payments = append(o.Payments, intake.Money{ID: "q", Kind: intake.MoneySale, Gateway: "card", Amount: dec("7"), At: thursday})
		}, byAmount(friday, "0", "7")}, "clearing=5000 cogs=1500 inventory=-1500 sales=-5000"},
		{"more went back than was ever paid: the customer owes it", []func(*intake.Order){sent, byAmount(friday, "50", "58")},
			"clearing=-800 cogs=1500 inventory=-1500 receivable=800 sales=-5000 sales_returns=5000"},
		{"also before the invoice", []func(*intake.Order){byAmount(tuesday, "10", "60"), shipped("f", wednesday, "4")},
			"clearing=-1000 cogs=1200 inventory=-1200 receivable=5000 sales=-5000 sales_returns=1000"},
		{"a gift card takes its part back, after the gateway", []func(*intake.Order){sent, func(o *intake.Order) {
			o.Payments[0].Amount, o.GiftCards = dec("30"), []intake.Gift{{ID: "g", Amount: dec("20")}}
		}, back("r", friday, "4", "40", intake.RestockYes)}, "cogs=300 gift_card_liability=1000 inventory=-300 sales=-5000 sales_returns=4000"},
		{"or nothing, where the shop says so", []func(*intake.Order){sent, func(o *intake.Order) {
			o.Payments[0].Amount, o.GiftCards = dec("30"), []intake.Gift{{ID: "g", Amount: dec("20")}}
		}, back("r", friday, "4", "40", intake.RestockYes), func(o *intake.Order) { o.Refunds[0].Gateway = "card" }},
			"clearing=-1000 cogs=300 gift_card_liability=2000 inventory=-300 sales=-5000 sales_returns=4000"},
		{"or before it, where the shop says so", []func(*intake.Order){sent, func(o *intake.Order) {
			o.Payments[0].Amount, o.GiftCards = dec("30"), []intake.Gift{{ID: "g", Amount: dec("20")}}
		}, back("r", friday, "2", "20", intake.RestockYes), func(o *intake.Order) { o.Refunds[0].Gateway = "gift_card" }},
			"clearing=3000 cogs=900 inventory=-900 sales=-5000 sales_returns=2000"},
		{"a cancellation gives nothing back by itself", []func(*intake.Order){func(o *intake.Order) { o.State, o.CancelledAt = intake.StateCancelled, friday }},
			"clearing=5000 customer_deposits=-5000"},
		{"but its refund does", []func(*intake.Order){func(o *intake.Order) { o.State, o.CancelledAt = intake.StateCancelled, friday }, back("r", friday, "5", "50", intake.RestockUnshipped)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := text(booked(decide(t, mugs(c.edit...)))); got != c.want {
				t.Errorf("booked\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMoneyThatMovesLaterIsTheNextRevisionOfTheRefund(t *testing.T) {
	before := &sales.Order{ID: 1, Lines: map[string]sales.Line{}, Events: map[string]sales.Event{}}
	for _, s := range decide(t, mugs(shipped("f", wednesday, "5"), back("r", friday, "2", "0", intake.RestockYes))).Steps {
		before.Events[s.Event] = sales.Event{Revision: s.Revision, Digest: s.Posting.Digest, Document: s.Posting.Document, Active: true}
	}
	d, err := sales.Decide(before, mugs(shipped("f", wednesday, "5"), back("r", friday, "2", "20", intake.RestockYes)), sales.Facts{Shop: "atelier", External: "7",
		Rules: sales.DefaultRules(), Home: "EUR", Zone: time.UTC, Goods: map[string]sales.Goods{"1": {Variant: 9, Stock: 9, Tracked: true, Cost: dec("3")}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Steps) != 1 || d.Steps[0].Event != "refund/r" || d.Steps[0].Revision != 2 || d.Steps[0].Reverse == nil || !d.Steps[0].KeepDocument {
		t.Errorf("steps %+v, want the second revision of the refund, with its credit note as issued", d.Steps)
	}
}

func TestRefundThatCannotBePaidIsParked(t *testing.T) {
	_, err := sales.Decide(nil, mugs(back("r", friday, "1", "-3", intake.RestockNo)), sales.Facts{Rules: sales.DefaultRules(), Home: "EUR", Zone: time.UTC})
	if err == nil || !strings.Contains(err.Error(), "refund r paid back -3") {
		t.Errorf("got %v", err)
	}
}

// Whatever was paid, given back and shipped, and when: what the customer has
// paid too much or owes is what payments and goods differ by.
func TestCustomersAccountIsWhatIsOwedLessWhatIsPaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := mugs()
		o.Payments = nil
		when := func(name string) time.Time {
			return monday.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, name)) * time.Hour)
		}
		cents := func(name string, most int64) decimal.Decimal {
			return decimal.New(rapid.Int64Range(0, most).Draw(t, name), -2)
		}
		var owed, paid decimal.Decimal
		for i := range rapid.IntRange(0, 3).Draw(t, "payments") {
			m := intake.Money{ID: fmt.Sprint("p", i), Kind: intake.MoneySale, Gateway: "card", Amount: cents("payment", 7000), At: when("paid")}
			o.Payments = append(o.Payments, m)
			paid = paid.Add(m.Amount)
		}
		if rapid.Bool().Draw(t, "gift") {
			o.GiftCards = []intake.Gift{{ID: "g", Amount: cents("gift", 2000)}}
			paid = paid.Add(o.GiftCards[0].Amount)
		}
		left := o.Total
		for i := range rapid.IntRange(0, 4).Draw(t, "refunds") {
			r := intake.Refund{ID: fmt.Sprint("r", i), At: when("refunded"), Amount: cents("refund", left.Shift(2).IntPart()), Paid: stated(cents("back", 6000).String())}
			r.Gateway = rapid.SampledFrom([]string{"", "card", "gift_card"}).Draw(t, "gateway")
			left = left.Sub(r.Amount)
			paid = paid.Sub(*r.Paid)
			o.Refunds = append(o.Refunds, r)
		}
		if rapid.Bool().Draw(t, "ships") {
			shipped("f", when("shipped"), "5")(o)
			owed = left
		}
		if rapid.IntRange(0, 3).Draw(t, "cancelled") == 0 { // owed nothing; what was paid stays until a refund says more
			o.State, owed = intake.StateCancelled, decimal.Decimal{}
		}
		got := booked(decide(t, o))
		if account, want := got[ledger.CustomerDeposits]+got[ledger.Receivable], owed.Sub(paid).Shift(2).IntPart(); account != want {
			t.Fatalf("the customer's account is at %d, want %d: %s", account, want, text(got))
		}
	})
}

func TestPartialShipmentsAndRefundsOfALine(t *testing.T) {
	for _, c := range []struct {
		name string
		edit []func(*intake.Order)
		want string // demand, shipped, returned, state
		cogs int64
	}{
		{"nothing happened yet", nil, "5 0 0 open", 0},
		{"two left", []func(*intake.Order){shipped("a", monday, "2")}, "3 2 0 open", 600},
		{"one was cancelled before it left", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "1", "10", intake.RestockUnshipped)}, "2 2 0 open", 600},
		{"two more left", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "1", "10", intake.RestockUnshipped), shipped("b", wednesday, "2")}, "0 4 0 shipped", 1200},
		{"two came back", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "1", "10", intake.RestockUnshipped), shipped("b", wednesday, "2"), back("s", thursday, "2", "20", intake.RestockYes)}, "0 4 2 shipped", 600},
		{"all that had left came back", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "3", "30", intake.RestockUnshipped), back("s", thursday, "2", "20", intake.RestockYes)}, "0 2 2 returned", 0},
		{"a broken one is refunded and the rest still leaves", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "1", "10", intake.RestockNo)}, "3 2 0 open", 600},
		{"and leaves", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "1", "10", intake.RestockNo), shipped("b", wednesday, "3")}, "0 5 0 shipped", 1500},
		{"refunded without goods before anything left", []func(*intake.Order){back("r", tuesday, "1", "10", intake.RestockNo)}, "4 0 0 open", 0},
		{"more refunded than had left: the others are no longer wanted", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "3", "30", intake.RestockNo)}, "2 2 0 open", 600},
		{"one came back and one stays away", []func(*intake.Order){shipped("a", monday, "2"), back("r", tuesday, "1", "10", intake.RestockYes), back("s", wednesday, "1", "10", intake.RestockNo)}, "3 2 1 open", 300},
		{"said after it was returned: there is no more to come back", []func(*intake.Order){shipped("a", monday, "1"), back("r", tuesday, "2", "20", intake.RestockYes)}, "3 1 1 returned", 0},
		{"a refund before the second shipment takes nothing of it", []func(*intake.Order){shipped("a", monday, "1"), back("r", tuesday, "2", "20", intake.RestockYes), shipped("b", wednesday, "3")}, "0 4 1 shipped", 900},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decide(t, mugs(c.edit...))
			l := d.Lines[0]
			if got := fmt.Sprintf("%s %s %s %s", l.Demand, l.Shipped, l.Returned, l.State); got != c.want {
				t.Errorf("demand, shipped, returned, state: got %s, want %s", got, c.want)
			}
			if got := booked(d)[ledger.CostOfGoodsSold]; got != c.cogs {
				t.Errorf("cost of goods sold %d, want %d", got, c.cogs)
			}
		})
	}
}

func TestTaxThatTheMarketplacePaysIsNoTaxOfOurs(t *testing.T) {
	remitted := []intake.Tax{{RateID: "US/NY/8", Name: "NY", Rate: dec("8"), Amount: dec("4"), Country: "US", Remitted: true}, {RateID: "US/City/2", Name: "City", Rate: dec("2"), Amount: dec("1"), Country: "US"}}
	o := mugs(shipped("f", wednesday, "5"), func(o *intake.Order) {
		o.Lines[0].Taxes, o.TotalTax, o.Total, o.Payments[0].Amount = remitted, dec("5"), dec("55"), dec("55")
	})
	d := decide(t, o)
	if got, want := text(booked(d)), "clearing=5500 cogs=1500 inventory=-1500 output_tax=-100 remitted_tax=-400 sales=-5000"; got != want {
		t.Errorf("sold\n got %s\nwant %s", got, want)
	}
	for _, s := range d.Steps {
		for _, f := range s.Posting.Facts {
			if f.RateID != "US/City/2" {
				t.Errorf("%s: a tax fact of %s", s.Event, f.RateID)
			}
		}
	}
	o.Refunds = []intake.Refund{{ID: "r", At: friday, Amount: dec("55"), Paid: stated("55"), Lines: []intake.RefundLine{{LineID: "1", Quantity: dec("5"), Total: dec("50"), Restock: intake.RestockYes,
		Taxes: []intake.Tax{{RateID: "US/NY/8", Rate: dec("8"), Amount: dec("4")}, {RateID: "US/City/2", Rate: dec("2"), Amount: dec("1")}}}}}}
	if got, want := text(booked(decide(t, o))), "sales=-5000 sales_returns=5000"; got != want {
		t.Errorf("and refunded\n got %s\nwant %s", got, want)
	}
}
