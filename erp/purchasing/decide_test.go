package purchasing

import (
	"testing"

	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func facts(t *rapid.T) Facts {
	level := inventory.Level{OnHand: quantity.Quantity(rapid.Int64Range(-20_000, 50_000).Draw(t, "on hand")), Value: rapid.Int64Range(-90_000, 90_000).Draw(t, "value"),
		UnitCost: decimal.New(rapid.Int64Range(0, 9_000).Draw(t, "cost"), -2)}
	return Facts{
		Home: "EUR", Revision: 1, Vendor: Vendor{ID: 7, Name: "Tissus SA", Country: "FR", TermsDays: 30, Currency: "EUR"},
		Rate:     func(money.Currency, string) (decimal.Decimal, bool) { return decimal.Decimal{}, false },
		Accounts: map[string]Account{"6520": {"6520", "Office supplies", "expense", ""}, "1030": {"1030", "Cash", "asset", ledger.Cash}, "1010": {"1010", "Bank", "asset", ledger.Bank}},
		Goods:    map[string]Goods{"SHIRT": {Variant: 1, Stock: 1, Tracked: true}},
		Levels:   map[int64]inventory.Level{1: level},
	}
}

func anyDocument(t *rapid.T) Document {
	d := Document{Kind: rapid.SampledFrom([]Kind{Bill, Credit, Cash}).Draw(t, "kind"), Ref: Ref{"Tissus SA", "F-1"}, Date: "2026-03-10", Currency: "EUR"}
	scale := int32(-2)
	if d.Currency = money.Currency(rapid.SampledFrom([]string{"EUR", "USD", "JPY", "KWD"}).Draw(t, "currency")); d.Currency != "EUR" {
		rate := decimal.New(rapid.Int64Range(1, 5_000_000).Draw(t, "rate"), -4)
		d.Rate = &rate
		scale = map[money.Currency]int32{"USD": -2, "JPY": 0, "KWD": -3}[d.Currency]
	}
	for range rapid.IntRange(1, 5).Draw(t, "lines") {
		l := Line{Quantity: decimal.New(rapid.Int64Range(1, 20_000).Draw(t, "quantity"), -3), Net: decimal.New(rapid.Int64Range(0, 1_000_000).Draw(t, "net"), scale),
			TaxPPM: rapid.SampledFrom([]int64{0, 21_000, 55_000, 88_750, 200_000}).Draw(t, "tax"), NotDeductiblePPM: rapid.SampledFrom([]int64{0, 200_000, 333_333, 1_000_000}).Draw(t, "not deductible")}
		l.SKU, l.Account = "SHIRT", ""
		if rapid.Bool().Draw(t, "expense") {
			l.SKU, l.Account = "", "6520"
		}
		d.Lines = append(d.Lines, l)
	}
	return d
}

// TestAnyDocumentIsBookedWhole: whatever is bought in whatever currency, the
// entry balances, what is owed is the total at the rate, the input tax account
// is the tax facts and the inventory account is the moves.
func TestAnyDocumentIsBookedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, f := anyDocument(t), facts(t)
		d, err := Decide(doc, f)
		if err != nil {
			t.Skip(err.Error()) // worth nothing, or more goes back than there is
		}
		if err := d.Entry.Check(); err != nil {
			t.Fatal(err)
		}
		byRole := map[ledger.Role]int64{}
		for _, l := range d.Entry.Lines {
			byRole[l.Account.Role] += l.Debit - l.Credit
		}
		var tax, base, moved int64
		for _, l := range d.Lines {
			if l.Fact != nil {
				tax, base = tax+l.Fact.Tax, base+l.Fact.Base
			}
			if m := l.Move; m != nil && m.To == inventory.Main {
				moved += m.Value
			} else if m != nil {
				moved -= m.Value
			}
		}
		owed := -(byRole[ledger.Payable] + byRole[ledger.Cash])
		if doc.Kind == Credit {
			owed = -owed
		}
		if owed != d.HomeTotal || byRole[ledger.InputTax] != tax || byRole[ledger.Inventory] != moved {
			t.Fatalf("owed %d of %d, input tax %d of %d, inventory %d of %d", owed, d.HomeTotal, byRole[ledger.InputTax], tax, byRole[ledger.Inventory], moved)
		}
		if (tax < 0 || base < 0) != (doc.Kind == Credit && (tax != 0 || base != 0)) {
			t.Fatalf("a %s states a tax of %d on %d", doc.Kind, tax, base)
		}
	})
}

// TestAnyPaymentsSettleABillToTheCent pays a foreign bill in parts at any
// rates: when nothing is open, nothing is left on the payable account.
func TestAnyPaymentsSettleABillToTheCent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 1_000_000).Draw(t, "total")
		sign := rapid.SampledFrom([]int64{1, 1, 1, -1}).Draw(t, "sign")
		bill := Recorded{ID: 1, Kind: Bill, Vendor: "Tissus SA", Number: "F-1", Date: "2026-03-10", Currency: "USD", Open: total, HomeOpen: rapid.Int64Range(1, 2_000_000).Draw(t, "home")}
		other := Recorded{ID: 2, Kind: Credit, Vendor: "Tissus SA", Number: "A-1", Date: "2026-03-10", Currency: "USD", Open: sign * 50_000_000, HomeOpen: sign * 45_000_000}
		settled := bill.HomeOpen
		for number := int64(1); bill.Open != 0; number++ {
			part := decimal.New(rapid.Int64Range(min(bill.Open, total/7+1), bill.Open).Draw(t, "part"), -2)
			rate := decimal.New(rapid.Int64Range(1, 30_000).Draw(t, "rate"), -4)
			p := Payment{Date: "2026-03-20", Rate: &rate, Bills: []Pay{{Ref{"Tissus SA", "F-1"}, &part}}}
			bills := []Recorded{bill}
			if sign < 0 && part.GreaterThan(decimal.New(1, -1)) {
				tenth := decimal.New(1, -1)
				p.Bills, bills = append(p.Bills, Pay{Ref{"Tissus SA", "A-1"}, &tenth}), append(bills, other)
			}
			d, err := DecidePayment(p, bills, []int64{7, 7}, number, facts(t))
			if err != nil {
				t.Skip(err.Error()) // worth nothing at its rate
			}
			if err := d.Entry.Check(); err != nil {
				t.Fatal(err)
			}
			bill.Open, bill.HomeOpen = bill.Open-d.Bills[0].Amount, bill.HomeOpen-d.Bills[0].HomeAmount
			settled -= d.Bills[0].HomeAmount
			if bill.HomeOpen < 0 {
				t.Fatalf("%d is open in the accounts", bill.HomeOpen)
			}
		}
		if bill.HomeOpen != 0 || settled != 0 {
			t.Fatalf("%d is left of a bill that is paid", bill.HomeOpen)
		}
	})
}
