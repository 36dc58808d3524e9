package erp_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/purchasing"
	"comptoir/erp/sales"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"
)

func amountPtr(s string) *decimal.Decimal {
	d := dec(s)
	return &d
}

func ref(number string) purchasing.Ref { return purchasing.Ref{Vendor: "Tissus SA", Number: number} }

// bill is ten shirts at 4.00 and paper for 10.00, with 20 % tax.
func bill(number string, edit ...func(*purchasing.Document)) purchasing.Document {
	d := purchasing.Document{Ref: ref(number), Date: "2026-03-10", Lines: []purchasing.Line{
		{SKU: "SHIRT", Quantity: dec("10"), Net: dec("40"), TaxPPM: 200_000},
		{Account: "6520", Description: "Paper", Quantity: dec("1"), Net: dec("10"), TaxPPM: 200_000},
	}}
	for _, e := range edit {
		e(&d)
	}
	return d
}

func inDollars(d *purchasing.Document) { d.Currency = "USD" }

// stocked opens books on both databases with eight shirts at 3.50 and a vendor.
func stocked(t *testing.T, fn func(t *testing.T, b *erp.Books)) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		stock(t, b)
		fn(t, b)
		invariants(t, b)
		payablesTie(t, b)
	})
}

func stock(t *testing.T, b *erp.Books) {
	t.Helper()
	receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
	must(b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)))
	must(b.SaveVendor(ctx, purchasing.Vendor{Name: "Tissus SA", Country: "FR", VATNumber: "FR12345678901", TermsDays: 30, Account: "6520"}))
}

// stockedWithin is stocked with the database beneath the books.
func stockedWithin(t *testing.T, fn func(t *testing.T, b *erp.Books, db *store.DB)) {
	on := func(t *testing.T, o store.Options) {
		b := must(erp.Open(ctx, erp.Options{Path: o.Path, URL: o.URL, Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()},
			Company: erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC}, Now: func() time.Time { return placed.AddDate(0, 1, 0) }, Log: zerolog.Nop()}))
		defer b.Close()
		stock(t, b)
		o.Log = zerolog.Nop()
		db := must(store.Open(ctx, o))
		defer db.Close()
		fn(t, b, db)
	}
	t.Run("sqlite", func(t *testing.T) { on(t, store.Options{Path: filepath.Join(t.TempDir(), "books.db")}) })
	t.Run("postgres", func(t *testing.T) { on(t, store.Options{URL: storetest.URL(t)}) })
}

// payablesTie asserts that the payable account is what is open of all bills.
func payablesTie(t require, b *erp.Books) {
	t.Helper()
	account := sums(t, b, `SELECT 'payable', COALESCE(SUM(d.credit - d.debit), 0) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role = 'payable'`)["payable"]
	bills, err := b.Bills(ctx, purchasing.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var open int64
	for _, d := range bills {
		open += d.HomeOpen
	}
	if account != open {
		t.Fatal(fmt.Sprintf("the payable account is %d, open bills add up to %d", account, open))
	}
}

// must returns v; an error ends the test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sellShirts ships two shirts.
func sellShirts(b *erp.Books, id string) error {
	o := order(completed)
	o.Number = id
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: id}, sent, o, []byte(`{}`))
	if err != nil {
		return err
	}
	_, err = b.Receive(ctx, orders, []intake.Record{rec}, []byte("cursor"))
	return err
}

func wantBalances(t *testing.T, b *erp.Books, want string) {
	t.Helper()
	if got := balances(t, b); got != want {
		t.Errorf("balances\n %s, want\n %s", got, want)
	}
}

func byCode(t *testing.T, b *erp.Books, code string) int64 {
	t.Helper()
	return sums(t, b, `SELECT a.code, SUM(d.debit - d.credit) FROM account_day d JOIN account a ON a.id = d.account_id GROUP BY a.code`)[code]
}

func unitCost(t *testing.T, b *erp.Books) string {
	t.Helper()
	for name := range sums(t, b, `SELECT unit_cost, 1 FROM stock_level`) {
		return name
	}
	return ""
}

func TestABillBringsGoodsAtTheirCostAndIsOwedUntilItsTermsEnd(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		d := must(b.Bill(ctx, bill("F-1")))
		if d.Due != "2026-04-09" || d.Total != 6000 || d.Open != 6000 || d.Known {
			t.Errorf("%+v", d)
		}
		// 8 at 3.50 and 10 at 4.00 are worth 68.00.
		wantBalances(t, b, "=1000 input_tax=1000 inventory=6800 opening_equity=-2800 payable=-6000")
		if got := unitCost(t, b); got != "3.77777778" {
			t.Errorf("a shirt costs %s on average", got)
		}
		facts := sums(t, b, `SELECT c.agency || ' ' || c.rate_ppm || ' ' || f.direction, SUM(f.base * 1000000 + f.tax) FROM tax_fact f JOIN tax_component c ON c.id = f.component_id GROUP BY c.agency, c.rate_ppm, f.direction`)
		if facts["FR 200000 deductible"] != 5000*1_000_000+1000 {
			t.Errorf("tax facts %v", facts)
		}
	})
}

func TestTheSameBillTwiceIsBookedOnce(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1")))
		again := must(b.Bill(ctx, bill("F-1")))
		if !again.Known || again.Total != 6000 || len(again.Lines) != 2 {
			t.Errorf("%+v", again)
		}
		_, err := b.Bill(ctx, bill("F-1", func(d *purchasing.Document) { d.Lines[0].Net = dec("41") }))
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("another bill of the same number: %v", err)
		}
		must(b.ReverseBill(ctx, ref("F-1"), "2026-03-11", "typing error"))
		anew := must(b.Bill(ctx, bill("F-1", func(d *purchasing.Document) { d.Lines[0].Net = dec("41") })))
		if anew.Known || anew.Total != 6120 {
			t.Errorf("%+v", anew)
		}
		wantBalances(t, b, "=1000 input_tax=1020 inventory=6900 opening_equity=-2800 payable=-6120")
	})
}

func TestReversalTakesBackAllThatABillDid(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		before := balances(t, b)
		must(b.Bill(ctx, bill("F-1")))
		must(b.ReverseBill(ctx, ref("F-1"), "2026-03-31", ""))
		wantBalances(t, b, before)
		if got := unitCost(t, b); got != "3.5" {
			t.Errorf("a shirt costs %s", got)
		}
		if _, err := b.ReverseBill(ctx, ref("F-1"), "2026-03-31", ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("reversed twice: %v", err)
		}
	})
}

func TestSeveralBillsArePaidByOneVoucher(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1")))
		must(b.Bill(ctx, bill("F-2")))
		v := must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Charge: dec("0.80"), Reference: "SEPA 17", Bills: []purchasing.Pay{{Ref: ref("F-1")}, {Ref: ref("F-2"), Amount: amountPtr("15.50")}}}))
		if v.Number != "PV-1" || v.Amount != 7550 || v.Charge != 80 || v.Account != "1010" {
			t.Errorf("%+v", v)
		}
		wantBalances(t, b, "=2000 bank=-7630 bank_charges=80 input_tax=2000 inventory=10800 opening_equity=-2800 payable=-4450")
		kept := must(b.Voucher(ctx, "PV-1"))
		if len(kept.Bills) != 2 || kept.Bills[1].Amount != 1550 || kept.Reference != "SEPA 17" {
			t.Errorf("%+v", kept)
		}
		if _, err := b.PayBills(ctx, purchasing.Payment{Date: "2026-03-21", Bills: []purchasing.Pay{{Ref: ref("F-1")}}}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("paid twice: %v", err)
		}
		if _, err := b.ReverseBill(ctx, ref("F-2"), "2026-03-31", ""); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "voucher reverse PV-1") {
			t.Errorf("a paid bill was reversed: %v", err)
		}
		// Numbers of payments that were refused are not lost.
		if v := must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-21", PaidFrom: "cash", Bills: []purchasing.Pay{{Ref: ref("F-2")}}})); v.Number != "PV-2" || v.Amount != 4450 {
			t.Errorf("%+v", v)
		}
		must(b.ReverseVoucher(ctx, "PV-1", "2026-03-31", "bounced"))
		if d := must(b.BillOf(ctx, ref("F-1"))); d.Open != 6000 || d.Payments[0].Reversed != "2026-03-31" {
			t.Errorf("%+v", d)
		}
	})
}

func TestAPaymentWithAKeyIsMadeOnce(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1")))
		p := purchasing.Payment{Date: "2026-03-20", Key: "march", Bills: []purchasing.Pay{{Ref: ref("F-1"), Amount: amountPtr("10")}}}
		must(b.PayBills(ctx, p))
		if v := must(b.PayBills(ctx, p)); !v.Known || v.Number != "PV-1" {
			t.Errorf("%+v", v)
		}
		p.Date = "2026-03-21"
		if _, err := b.PayBills(ctx, p); fault.KindOf(err) != fault.Conflict {
			t.Errorf("another payment with the same key: %v", err)
		}
		if got := byCode(t, b, "1010"); got != -1000 {
			t.Errorf("the bank is at %d", got)
		}
	})
}

func TestForeignBillsAreSettledAtTheRateOfThePayment(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		d := must(b.Bill(ctx, bill("F-1", inDollars)))
		if d.HomeTotal != 5400 || d.Rate != "0.9" {
			t.Errorf("%+v", d)
		}
		must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Rate: amountPtr("0.95"), Bills: []purchasing.Pay{{Ref: ref("F-1"), Amount: amountPtr("20")}}}))
		wantBalances(t, b, "=900 bank=-1900 fx_loss=100 input_tax=900 inventory=6400 opening_equity=-2800 payable=-3600")
		must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Rate: amountPtr("0.8"), Bills: []purchasing.Pay{{Ref: ref("F-1")}}}))
		wantBalances(t, b, "=900 bank=-5100 fx_gain=-400 fx_loss=100 input_tax=900 inventory=6400 opening_equity=-2800")
	})
}

func TestACreditTakesGoodsBackAndIsSetAgainstABill(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1")))
		// Two shirts of 3.78 on average go back at 4.00 each; a rebate of 5.00.
		credit := bill("A-1", func(d *purchasing.Document) {
			d.Lines[0].Quantity, d.Lines[0].Net = dec("2"), dec("8")
			d.Lines[1] = purchasing.Line{Account: "5300", Quantity: dec("1"), Net: dec("5"), TaxPPM: 200_000}
		})
		d := must(b.VendorCredit(ctx, credit))
		if d.Open != -1560 {
			t.Errorf("%+v", d)
		}
		wantBalances(t, b, "=1000 input_tax=740 inventory=6044 opening_equity=-2800 payable=-4440 price_variance=-44 purchase_returns=-500")
		v := must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref("F-1")}, {Ref: ref("A-1")}}}))
		if v.Amount != 4440 {
			t.Errorf("%+v", v)
		}
		if open := must(b.Bills(ctx, purchasing.Filter{Open: true})); len(open) != 0 {
			t.Errorf("open: %+v", open)
		}
		over := bill("A-2", func(d *purchasing.Document) { d.Lines[0].Quantity = dec("17") })
		if _, err := b.VendorCredit(ctx, over); fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("more went back than is there: %v", err)
		}
	})
}

func TestACreditCanBeSetAgainstABillWithoutMoney(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		expense := func(net string) func(*purchasing.Document) {
			return func(d *purchasing.Document) { d.Lines = []purchasing.Line{{Quantity: dec("1"), Net: dec(net)}} }
		}
		must(b.Bill(ctx, bill("F-1", expense("30"))))
		must(b.VendorCredit(ctx, bill("A-1", expense("10"))))
		v := must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref("F-1"), Amount: amountPtr("10")}, {Ref: ref("A-1")}}}))
		if v.Amount != 0 {
			t.Errorf("%+v", v)
		}
		wantBalances(t, b, "=2000 inventory=2800 opening_equity=-2800 payable=-2000")
		_, err := b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref("A-1")}}})
		if err == nil {
			t.Error("a used credit was used again")
		}
	})
}

func TestACashPurchaseIsPaidAtOnce(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		stamps := purchasing.Document{Date: "2026-03-10", Lines: []purchasing.Line{{Account: "6510", Quantity: dec("1"), Net: dec("12.90")}}}
		if d := must(b.CashPurchase(ctx, stamps)); d.Number != "CP-1" || d.Account != "1030" || d.Open != 0 {
			t.Errorf("%+v", d)
		}
		goods := bill("T-9", func(d *purchasing.Document) { d.PaidFrom, d.Lines = "bank", d.Lines[:1] })
		must(b.CashPurchase(ctx, goods))
		wantBalances(t, b, "=1290 bank=-4800 cash=-1290 input_tax=800 inventory=6800 opening_equity=-2800")
		must(b.ReverseBill(ctx, purchasing.Ref{Number: "CP-1"}, "2026-03-10", ""))
		if got := byCode(t, b, "1030"); got != 0 {
			t.Errorf("the cash is at %d", got)
		}
	})
}

func TestTaxThatIsNotDeductibleAddsToTheCost(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1", func(d *purchasing.Document) {
			d.Lines[0].NotDeductiblePPM = 1_000_000
			d.Lines[1].NotDeductiblePPM = 200_000
		})))
		wantBalances(t, b, "=1040 input_tax=160 inventory=7600 opening_equity=-2800 payable=-6000")
	})
}

func TestTheVendorsCentsAreTakenOver(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1", func(d *purchasing.Document) { d.Total = amountPtr("60.02") })))
		wantBalances(t, b, "=1000 input_tax=1000 inventory=6800 opening_equity=-2800 payable=-6002 rounding=2")
	})
}

// TestGoodsSoldBeforeTheyWereBoughtCostTheDifferenceWhenTheyCome sells ten
// shirts of eight; the bill says that they cost more.
func TestGoodsSoldBeforeTheyWereBoughtCostTheDifferenceWhenTheyCome(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		for i := range 5 {
			state(t, b, fmt.Sprint(i), sent, order(completed))
		}
		must(b.Bill(ctx, bill("F-1")))
		// Two of the ten at 4.00 had left at 3.50; eight are on hand.
		if got := sums(t, b, `SELECT a.role, SUM(d.debit - d.credit) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role <> '' GROUP BY a.role`); got["inventory"] != 3200 || got["price_variance"] != 100 || got["cogs"] != 3500 {
			t.Errorf("balances %v", got)
		}
		if got := unitCost(t, b); got != "4" {
			t.Errorf("a shirt costs %s", got)
		}
	})
}

func TestWhatIsWrongWithABillIsSaid(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		before := balances(t, b)
		for name, test := range map[string]struct {
			edit func(*purchasing.Document)
			kind fault.Kind
			says string
		}{
			"vendor":          {func(d *purchasing.Document) { d.Vendor = "Tisus SA" }, fault.NotFound, `vendor "Tisus SA" is not known: did you mean Tissus SA?`},
			"SKU":             {func(d *purchasing.Document) { d.Lines[0].SKU = "SHRT" }, fault.NotFound, `item 1: SKU "SHRT" is not known: did you mean SHIRT?`},
			"account":         {func(d *purchasing.Document) { d.Lines[1].Account = "6521" }, fault.NotFound, `item 2: account "6521" is not known: did you mean 6520 Office supplies`},
			"control account": {func(d *purchasing.Document) { d.Lines[1].Account = "1400" }, fault.Invalid, "account 1400 Inventory is kept by the books themselves"},
			"both":            {func(d *purchasing.Document) { d.Lines[0].Account = "6520" }, fault.Invalid, "both SKU SHIRT and account 6520"},
			"date":            {func(d *purchasing.Document) { d.Date = "2026-02-30" }, fault.Invalid, `date: "2026-02-30" is not a date`},
			"due":             {func(d *purchasing.Document) { d.Due = "2026-03-09" }, fault.Invalid, "before its date"},
			"currency":        {func(d *purchasing.Document) { d.Currency = "EUX" }, fault.Invalid, `currency "EUX" is not known`},
			"rate":            {func(d *purchasing.Document) { d.Currency = "JPY"; d.Lines = d.Lines[:1] }, fault.Unprocessable, "no rate from JPY into EUR is known for 2026-03-10"},
			"negative":        {func(d *purchasing.Document) { d.Lines[0].Net = dec("-1") }, fault.Invalid, "net -1 is below zero: for what a vendor gives back, enter a credit"},
			"overflow":        {func(d *purchasing.Document) { d.Lines[0].Net = dec("100000000000000000000") }, fault.Invalid, "out of range"},
			"exponent":        {func(d *purchasing.Document) { d.Lines[0].Net = dec("1e9999") }, fault.Invalid, "out of range"},
			"sum overflows": {func(d *purchasing.Document) {
				d.Lines[0].Net, d.Lines[1].Net = dec("9000000000000"), dec("9000000000000")
			}, fault.Invalid, "more than can be booked"},
			"finer than cents": {func(d *purchasing.Document) { d.Lines[0].Net = dec("1.005") }, fault.Invalid, "finer than EUR allows"},
			"quantity":         {func(d *purchasing.Document) { d.Lines[0].Quantity = dec("0") }, fault.Invalid, "quantity 0"},
			"unbalanced":       {func(d *purchasing.Document) { d.Total = amountPtr("61") }, fault.Invalid, "it does not balance: the lines and their tax add up to 60.00 EUR, the total says 61.00 EUR"},
			"tax":              {func(d *purchasing.Document) { d.Lines[0].TaxPPM = -1 }, fault.Invalid, "tax of -0.0001 % is out of range"},
			"no lines":         {func(d *purchasing.Document) { d.Lines = nil }, fault.Invalid, "it has no lines"},
			"nothing":          {func(d *purchasing.Document) { d.Lines[0].Net, d.Lines[1].Net = dec("0"), dec("0") }, fault.Invalid, "it adds up to nothing"},
			"no number":        {func(d *purchasing.Document) { d.Number = " " }, fault.Invalid, "give the number that the vendor printed on it"},
			"two at once": {func(d *purchasing.Document) { d.Lines[0].SKU, d.Lines[1].Account = "SHRT", "9" }, fault.NotFound,
				"item 2: account \"9\" is not known"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := b.Bill(ctx, bill("F-1", test.edit))
				if fault.KindOf(err) != test.kind || !strings.Contains(fmt.Sprint(err), test.says) {
					t.Errorf("%v: %v, want %v with %q", fault.KindOf(err), err, test.kind, test.says)
				}
			})
		}
		wantBalances(t, b, before)
	})
}

func TestNothingIsBoughtOrPaidInALockedPeriod(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		must(b.Bill(ctx, bill("F-1")))
		must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-10", Bills: []purchasing.Pay{{Ref: ref("F-1"), Amount: amountPtr("1")}}}))
		before := balances(t, b)
		if err := b.SetLock(ctx, "2026-03-15", erp.Signature{By: "Ada", Reason: "filed"}); err != nil {
			t.Fatal(err)
		}
		for name, try := range map[string]func() error{
			"bill":          func() error { _, err := b.Bill(ctx, bill("F-2")); return err },
			"credit":        func() error { _, err := b.VendorCredit(ctx, bill("A-1")); return err },
			"cash purchase": func() error { _, err := b.CashPurchase(ctx, bill("T-1")); return err },
			"payment": func() error {
				_, err := b.PayBills(ctx, purchasing.Payment{Date: "2026-03-15", Bills: []purchasing.Pay{{Ref: ref("F-1")}}})
				return err
			},
			"reversal": func() error { _, err := b.ReverseVoucher(ctx, "PV-1", "2026-03-12", ""); return err },
			"import": func() error {
				_, err := b.ImportBills(ctx, strings.NewReader("vendor,number,date,net\nTissus SA,F-9,2026-03-14,5\n"))
				return err
			},
		} {
			if err := try(); fault.KindOf(err) != fault.Locked || !strings.Contains(err.Error(), "locked until 2026-03-15") {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantBalances(t, b, before)
		must(b.ReverseVoucher(ctx, "PV-1", "2026-03-16", ""))
		must(b.ReverseBill(ctx, ref("F-1"), "2026-03-16", ""))
	})
}

func TestAFileOfBillsIsImportedWholeOrNotAtAll(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		good := "vendor,number,date,sku,account,quantity,net,tax,deductible,total\n" +
			"Tissus SA,F-1,2026-03-10,SHIRT,,10,40,20,,60\n" +
			"Tissus SA,F-2,2026-03-11,,6520,,5,5.5%,50,\n" +
			"Tissus SA,F-1,2026-03-10,,6520,1,10,20,,\n"
		list := must(b.ImportBills(ctx, strings.NewReader("\ufeff"+good)))
		if len(list) != 2 || list[0].Total != 6000 || len(list[0].Lines) != 2 || list[1].Tax != 28 {
			t.Errorf("%+v", list)
		}
		before := balances(t, b)
		again := must(b.ImportBills(ctx, strings.NewReader(good)))
		if !again[0].Known || !again[1].Known {
			t.Errorf("%+v", again)
		}
		_, err := b.ImportBills(ctx, strings.NewReader("vendor,number,date,account,net\n"+
			"Tissus SA,F-3,2026-03-10,6520,40\n"+
			"Nobody,F-4,2026-03-10,6520,40\n"+
			"Tissus SA,F-5,2026-03-10,6599,40\n"))
		if !strings.Contains(fmt.Sprint(err), "bill Nobody F-4 (line 3): vendor") || !strings.Contains(err.Error(), `line 4: account "6599" is not known`) {
			t.Errorf("%v", err)
		}
		wantBalances(t, b, before)
	})
}

// TestAnyPurchasesKeepTheBooksTied buys, sells, pays, returns and takes back in
// any order.
func TestAnyPurchasesKeepTheBooksTied(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		n, tries := 0, 0
		rapid.Check(t, func(rt *rapid.T) {
			if tries++; tries > 25 { // each adds to the same books
				return
			}
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				n++
				purchaseStep(rt, b, n)
			}
			payablesTie(rt, b)
			found, err := b.Verify(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			for _, f := range found {
				rt.Errorf("%s: %s: %s", f.Check, f.Where, f.What)
			}
		})
	})
}

// purchaseStep does one thing; that it may be refused is part of it.
func purchaseStep(t *rapid.T, b *erp.Books, n int) {
	number := fmt.Sprint("N-", n)
	known, err := b.Bills(ctx, purchasing.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	pick := func() purchasing.Recorded {
		if len(known) == 0 {
			return purchasing.Recorded{}
		}
		return rapid.SampledFrom(known).Draw(t, "bill")
	}
	doc := func() purchasing.Document {
		return bill(number, func(d *purchasing.Document) {
			if rapid.Bool().Draw(t, "foreign") {
				d.Currency = "USD"
				d.Rate = amountPtr(rapid.SampledFrom([]string{"0.87", "0.913", "1.3333", "0.0301"}).Draw(t, "rate"))
			}
			for i := range d.Lines {
				d.Lines[i].Net = decimal.New(rapid.Int64Range(1, 50_000).Draw(t, "net"), -2)
				d.Lines[i].Quantity = decimal.New(rapid.Int64Range(1, 12_000).Draw(t, "quantity"), -3)
				d.Lines[i].TaxPPM = rapid.SampledFrom([]int64{0, 21_000, 55_000, 200_000}).Draw(t, "tax")
				d.Lines[i].NotDeductiblePPM = rapid.SampledFrom([]int64{0, 200_000, 1_000_000}).Draw(t, "not deductible")
			}
		})
	}
	refused := []fault.Kind{fault.Conflict, fault.Unprocessable, fault.Invalid}
	switch rapid.SampledFrom([]string{"bill", "bill", "credit", "cash", "pay", "pay", "reverse", "unpay", "sell"}).Draw(t, "step") {
	case "bill":
		_, err = b.Bill(ctx, doc())
		refused = []fault.Kind{fault.Invalid} // worth nothing at its rate
	case "credit":
		_, err = b.VendorCredit(ctx, doc())
	case "cash":
		_, err = b.CashPurchase(ctx, doc())
	case "pay":
		p := purchasing.Payment{Date: "2026-03-20", Charge: decimal.New(rapid.Int64Range(0, 200).Draw(t, "charge"), -2)}
		for range rapid.IntRange(1, 3).Draw(t, "bills") {
			d := pick()
			pay := purchasing.Pay{Ref: purchasing.Ref{Vendor: d.Vendor, Number: d.Number}}
			if rapid.Bool().Draw(t, "part") && d.Open != 0 {
				part := decimal.New(rapid.Int64Range(1, max(d.Open, -d.Open)).Draw(t, "amount"), -2)
				pay.Amount = &part
			}
			if d.Currency == "USD" {
				p.Rate = amountPtr("0.95")
			}
			p.Bills = append(p.Bills, pay)
		}
		_, err = b.PayBills(ctx, p)
		refused = append(refused, fault.NotFound)
	case "reverse":
		d := pick()
		_, err = b.ReverseBill(ctx, purchasing.Ref{Vendor: d.Vendor, Number: d.Number}, "2026-03-25", "")
		refused = append(refused, fault.NotFound)
	case "unpay":
		_, err = b.ReverseVoucher(ctx, fmt.Sprint("PV-", rapid.IntRange(1, 20).Draw(t, "voucher")), "2026-03-26", "")
		refused = append(refused, fault.NotFound)
	case "sell":
		err = sellShirts(b, number)
	}
	if err != nil && !slices.Contains(refused, fault.KindOf(err)) {
		t.Fatal(err)
	}
}

func TestGoodsBoughtBeforeTheirStockWasTakenOverShareItsAverage(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("30")))
		must(b.SaveVendor(ctx, purchasing.Vendor{Name: "Tissus SA", Country: "FR", Account: "6520"}))
		must(b.Bill(ctx, bill("F-1")))
		must(b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)))
		// Ten at 4.00 were bought, so twenty at 3.50 had been there.
		wantBalances(t, b, "=1000 input_tax=1000 inventory=11000 opening_equity=-7000 payable=-6000")
		if got := unitCost(t, b); got != "3.66666667" {
			t.Errorf("a shirt costs %s on average", got)
		}
		invariants(t, b)
	})
}

// TestAnyChangeToPurchasesIsFound lifts the locks that keep purchases as they
// are, as a tampering hand would, and changes one value at a time.
func TestAnyChangeToPurchasesIsFound(t *testing.T) {
	stockedWithin(t, func(t *testing.T, b *erp.Books, db *store.DB) {
		must(b.Bill(ctx, bill("F-1")))
		must(b.VendorCredit(ctx, bill("A-1", func(d *purchasing.Document) { d.Lines = d.Lines[1:] })))
		must(b.CashPurchase(ctx, bill("T-1", func(d *purchasing.Document) { d.Lines = d.Lines[1:] })))
		must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Charge: dec("1"), Bills: []purchasing.Pay{{Ref: ref("F-1")}, {Ref: ref("A-1")}}}))
		invariants(t, b)
		for _, change := range []string{
			`UPDATE bill SET total = total + 1 WHERE kind = 'bill'`,
			`UPDATE bill SET home_total = home_total + 1 WHERE kind = 'credit'`,
			`UPDATE bill SET home_total = home_total + 1 WHERE kind = 'cash'`,
			`UPDATE bill SET net = net + 1, tax = tax - 1 WHERE kind = 'cash'`,
			`UPDATE bill_line SET tax = tax + 1 WHERE id = (SELECT MIN(id) FROM bill_line)`,
			`UPDATE payment_voucher SET amount = amount + 1`,
			`UPDATE payment_voucher SET home_amount = home_amount + 1`,
			`UPDATE payment_voucher SET charge = charge + 1`,
			`UPDATE payable_item SET amount = amount + 1 WHERE id = (SELECT MAX(id) FROM payable_item)`,
			`UPDATE payable_item SET home_amount = home_amount + 1 WHERE id = (SELECT MIN(id) FROM payable_item)`,
			`UPDATE bill_balance SET open = open + 1, home_open = home_open - 3 WHERE bill_id = (SELECT MIN(bill_id) FROM bill_balance)`,
			`UPDATE voucher_series SET next = next + 1 WHERE series = 'PV'`,
			`UPDATE tax_fact SET tax = tax + 1 WHERE direction = 'deductible'`,
		} {
			undo := errors.New("undo")
			err := db.Write(ctx, func(tx *store.Tx) error {
				for _, trigger := range strings.Fields("bill_kept bill_line_kept payment_voucher_kept payable_item_kept tax_fact_kept") {
					must(tx.Exec(ctx, "DROP TRIGGER "+trigger+onTable(db, trigger)))
				}
				if must(tx.Exec(ctx, change)) == 0 {
					t.Errorf("%s: changes nothing", change)
				}
				if len(must(erp.VerifyWith(ctx, tx))) == 0 {
					t.Errorf("%s: not found", change)
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Fatal(err)
			}
		}
	})
}

// onTable names the table of a trigger, where the database wants to know.
func onTable(db *store.DB, trigger string) string {
	if db.Dialect() == "sqlite" {
		return ""
	}
	return " ON " + strings.TrimSuffix(trigger, "_kept")
}

// TestPurchasesAreKept asks the database to change and delete what was bought.
func TestPurchasesAreKept(t *testing.T) {
	stockedWithin(t, func(t *testing.T, b *erp.Books, db *store.DB) {
		must(b.Bill(ctx, bill("F-1")))
		must(b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref("F-1")}}}))
		must(b.ReverseVoucher(ctx, "PV-1", "2026-03-21", ""))
		for _, table := range []string{"bill", "bill_line", "payment_voucher", "purchase_reversal", "payable_item"} {
			column := map[string]string{"bill": "note", "bill_line": "sku", "payment_voucher": "reference", "purchase_reversal": "reason", "payable_item": "document_kind"}[table]
			for _, change := range []string{"UPDATE " + table + " SET " + column + " = 'x'", "DELETE FROM " + table} {
				err := db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.Exec(ctx, change)
					return err
				})
				if !store.IsCheck(err) {
					t.Errorf("%s: %v", change, err)
				}
			}
		}
	})
}

// TestPaymentsAtTheSameTimePayOnceAndAreNumberedWithoutGaps pays the same bill
// and others from several sides.
func TestPaymentsAtTheSameTimePayOnceAndAreNumberedWithoutGaps(t *testing.T) {
	stocked(t, func(t *testing.T, b *erp.Books) {
		const sides = 6
		must(b.Bill(ctx, bill("same")))
		for i := range sides {
			must(b.Bill(ctx, bill(fmt.Sprint("F-", i))))
		}
		var paid atomic.Int64
		var g errgroup.Group
		for i := range sides {
			g.Go(func() error {
				_, err := b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref("same")}}})
				if err == nil {
					paid.Add(1)
				} else if fault.KindOf(err) != fault.Conflict {
					return err
				}
				_, err = b.PayBills(ctx, purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref(fmt.Sprint("F-", i))}}})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if n := paid.Load(); n != 1 {
			t.Errorf("the bill was paid %d times", n)
		}
		for i, v := range must(b.Vouchers(ctx)) {
			if v.Number != fmt.Sprint("PV-", i+1) {
				t.Errorf("voucher %d is numbered %s", i+1, v.Number)
			}
		}
	})
}
