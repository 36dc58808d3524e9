package erp_test

import (
	"errors"
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
	"comptoir/erp/store"
	"comptoir/erp/tax"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"
)

// french loads the French tax rules and the shop's rate.
func french(t *testing.T, b *erp.Books) {
	t.Helper()
	rules, err := tax.Preset("fr")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.LoadTaxRules(ctx, rules); err != nil {
		t.Fatal(err)
	}
	receive(t, b, erp.Stream{Shop: "atelier", Resource: intake.TaxRates}, seal(t, intake.KindTaxRate, "1", placed, &intake.TaxRate{Name: "TVA 20%", Country: "FR", Rate: dec("20")}))
}

func checks(t *testing.T, b *erp.Books, q erp.TaxQuery) map[string]erp.TaxCheck {
	t.Helper()
	out := map[string]erp.TaxCheck{}
	if err := b.CheckTaxes(ctx, q, func(c erp.TaxCheck) error { out[c.Order] = c; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func to(country, vat string) func(*intake.Order) {
	return func(o *intake.Order) { o.Customer.Shipping.Country, o.Customer.VATNumber = country, vat }
}

// untaxed takes the tax off an order.
func untaxed(o *intake.Order) {
	for i := range o.Lines {
		o.Lines[i].Taxes = nil
	}
	o.TotalTax, o.Total, o.Payments[0].Amount = dec("0"), dec("24.90"), dec("24.90")
}

func TestTheShopsTaxIsCheckedAndItsDifferencesExplained(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		if err := b.CheckTaxes(ctx, erp.TaxQuery{}, func(erp.TaxCheck) error { return nil }); fault.KindOf(err) != fault.Unprocessable || !strings.Contains(err.Error(), "tax load fr") {
			t.Errorf("checked without rules: %v", err)
		}
		french(t, b)
		for id, edits := range map[string][]func(*intake.Order){
			"1": nil, "2": {to("DE", "")}, "3": {to("DE", "DE129273398"), untaxed}, "4": {untaxed}, "5": {to("US", ""), untaxed}, "6": {to("US", "")},
			"7": {status("cancelled", intake.StateCancelled), untaxed},
		} {
			o := order(edits...)
			o.Number = "N" + id
			state(t, b, id, paid, o)
		}
		want := map[string]tax.Reason{"1": tax.Agrees, "2": tax.OneStopShop, "3": tax.ReverseCharge, "4": tax.Exempt, "5": tax.Export, "6": tax.NotDue}
		got := checks(t, b, erp.TaxQuery{From: "2026-03-02", To: "2026-03-02"})
		for id, reason := range want {
			if got[id].Reason != reason {
				t.Errorf("order %s: %+v, want %s", id, got[id], reason)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d orders: %v", len(got), got)
		}
		if got := checks(t, b, erp.TaxQuery{Order: "N2"}); len(got) != 1 || got["2"].Expected != 473 || got["2"].Stated != 498 {
			t.Errorf("%+v", got)
		}
		if got := checks(t, b, erp.TaxQuery{From: "2026-03-03"}); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		for q, kind := range map[erp.TaxQuery]fault.Kind{{Order: "99"}: fault.NotFound, {From: "soon"}: fault.Invalid} {
			if err := b.CheckTaxes(ctx, q, func(erp.TaxCheck) error { return nil }); fault.KindOf(err) != kind {
				t.Errorf("%+v: %v", q, err)
			}
		}
	})
}

func TestRulesThatContradictThoseOfTheBooksChangeNothing(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		french(t, b)
		before, err := b.TaxRules(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct{ account, from, want string }{
			{"", "2026-01-01", `"TVA 20 %" (zone FR, standard, 20 %, from 2014-01-01 on) and "TVA 21 %"`},
			{"9999", "2014-01-01", `there is no account "9999"`},
		} {
			bad := &tax.Rules{Name: "mine", Agencies: []tax.Authority{{Code: "FR", Name: "DGFiP", Period: "monthly", Account: test.account}},
				Rates: []tax.Rate{{Zone: "FR", Category: "standard", Name: "TVA 21 %", Agency: "FR", PPM: 210_000, From: test.from}}}
			if err := b.LoadTaxRules(ctx, bad); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		}
		after, err := b.TaxRules(ctx)
		if err != nil || len(after.Rates) != len(before.Rates) || after.Agencies[0].Name != before.Agencies[0].Name {
			t.Errorf("the rules have changed: %v", err)
		}
		good := &tax.Rules{Name: "mine", Rates: []tax.Rate{
			{Zone: "FR", Category: "standard", Name: "TVA 20 %", Agency: "FR", PPM: 200_000, From: "2014-01-01", To: "2026-12-31"},
			{Zone: "FR", Category: "standard", Name: "TVA 21 %", Agency: "FR", PPM: 210_000, From: "2027-01-01"}}}
		if err := b.LoadTaxRules(ctx, good); err != nil {
			t.Fatal(err)
		}
		if after, err = b.TaxRules(ctx); err != nil || len(after.Rates) != len(before.Rates)+1 {
			t.Errorf("%d rates of %d: %v", len(after.Rates), len(before.Rates), err)
		}
	})
}

func balanceOf(t *testing.T, b *erp.Books, agency string) erp.TaxBalance {
	t.Helper()
	list, err := b.TaxBalances(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.Agency == agency {
			return x
		}
	}
	t.Fatalf("no agency %s in %+v", agency, list)
	return erp.TaxBalance{}
}

func TestTaxIsDeclaredAndPaidByAgency(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		french(t, b)
		*now = time.Date(2026, 7, 2, 9, 0, 0, 0, time.UTC)
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("80")))
		state(t, b, "1", sent, order(completed)) // 4.98 on 4 March
		settle := func(agency, from, to string) (erp.TaxReturn, error) { return b.SettleTax(ctx, agency, from, to) }
		for _, test := range []struct {
			agency, from, to, want string
			kind                   fault.Kind
		}{
			{"FR", "2026-04-01", "2026-04-30", "tax since 2026-03-04", fault.Unprocessable},
			{"FR", "2026-03-31", "2026-03-01", "ends before it begins", fault.Invalid},
			{"FR", "2026-07-01", "2026-07-31", "is not over", fault.Invalid},
			{"FR", "2026-03-01", "soon", "is not a date", fault.Invalid},
			{"DE", "2026-03-01", "2026-03-31", "declared to FR-OSS", fault.NotFound},
			{"XX", "2026-03-01", "2026-03-31", "the agencies are FR, FR-OSS", fault.NotFound},
		} {
			if _, err := settle(test.agency, test.from, test.to); fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v", test, err)
			}
		}
		march, err := settle("FR", "2026-03-01", "2026-03-31")
		if err != nil || march.Output != 498 || march.Net != 498 || march.Late != 0 {
			t.Fatalf("%+v %v", march, err)
		}
		// A refund in April of what was sold in March belongs to April; a sale
		// of March that comes late is told apart.
		state(t, b, "1", sent.AddDate(0, 1, 0), order(completed, func(o *intake.Order) {
			refundOf(o)
			o.Refunds[0].At = sent.AddDate(0, 1, 0)
		}))
		state(t, b, "2", sent, order(completed))
		if _, err := settle("FR", "2026-03-01", "2026-03-31"); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "from 2026-04-01") {
			t.Errorf("declared twice: %v", err)
		}
		if _, err := settle("FR", "2026-05-01", "2026-05-31"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("left April out: %v", err)
		}
		april, err := settle("FR", "2026-04-01", "2026-04-30")
		if err != nil || april.Net != 398 || april.Late != 498 {
			t.Fatalf("%+v %v", april, err)
		}
		may, err := settle("FR", "2026-05-01", "2026-05-31")
		if err != nil || may.Net != 0 || may.Entry != 0 {
			t.Fatalf("%+v %v", may, err)
		}
		if got := balanceOf(t, b, "FR"); got.Due != 896 || got.Collected != 0 || got.Next != "2026-06-01" {
			t.Errorf("%+v", got)
		}
		invariants(t, b)

		pay := func(amount string, edit ...func(*erp.PayOrder)) (erp.TaxPayment, error) {
			o := erp.PayOrder{Agency: "FR", Amount: dec(amount), Day: "2026-05-20"}
			for _, e := range edit {
				e(&o)
			}
			return b.PayTax(ctx, o)
		}
		for amount, want := range map[string]string{"8.97": "8.96 EUR is due", "-1": "positive amount", "0": "positive amount", "1.001": "positive amount", "99999999999999999999": "out of range"} {
			if _, err := pay(amount); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("paid %s: %v", amount, err)
			}
		}
		if _, err := pay("1", func(o *erp.PayOrder) { o.Account = "1011" }); fault.KindOf(err) != fault.NotFound {
			t.Errorf("paid from nowhere: %v", err)
		}
		first, err := pay("5", func(o *erp.PayOrder) { o.Reference = "SEPA-1" })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pay("5", func(o *erp.PayOrder) { o.Reference = "SEPA-1" }); fault.KindOf(err) != fault.Conflict {
			t.Errorf("paid twice: %v", err)
		}
		if _, err := pay("3.96", func(o *erp.PayOrder) { o.Account = "1030" }); err != nil {
			t.Fatal(err)
		}
		if got := balances(t, b); !strings.Contains(got, "bank=-500 cash=-396 ") || strings.Contains(got, "tax") {
			t.Error(got)
		}
		if _, err := pay("2", func(o *erp.PayOrder) { o.Advance = true }); err != nil {
			t.Error(err)
		}
		if _, err := pay("2", func(o *erp.PayOrder) { o.Received = true }); err != nil {
			t.Error(err)
		}
		if _, err := b.ReverseTax(ctx, first.ID); err != nil {
			t.Error(err)
		}
		if _, err := b.ReverseTax(ctx, first.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("taken back twice: %v", err)
		}
		if _, err := b.ReverseTax(ctx, april.ID); fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("taken back before May: %v", err)
		}
		if _, err := b.ReverseEntry(ctx, april.Entry, ""); fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("taken back by hand: %v", err)
		}
		for _, id := range []int64{may.ID, april.ID} {
			if _, err := b.ReverseTax(ctx, id); err != nil {
				t.Error(err)
			}
		}
		if got := balanceOf(t, b, "FR"); got.Collected != 398 || got.Due != 102 || got.Paid != 396 || got.Next != "2026-04-01" {
			t.Errorf("%+v", got)
		}
		returns, payments, err := b.TaxDocuments(ctx)
		if err != nil || len(returns) != 3 || len(payments) != 4 {
			t.Errorf("%v %v %v", returns, payments, err)
		}
		invariants(t, b)
	})
}

func TestAReturnOfALockedPeriodIsPostedOnTheFirstOpenDay(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		french(t, b)
		state(t, b, "1", sent, order(completed))
		*now = time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
		if err := b.SetLock(ctx, "2026-03-31", owner); err != nil {
			t.Fatal(err)
		}
		r, err := b.SettleTax(ctx, "FR", "2026-03-01", "2026-03-31")
		if err != nil {
			t.Fatal(err)
		}
		e, err := ledger.ByID(ctx, b.Reader(), r.Entry)
		if err != nil || e.Effective != "2026-04-01" || !strings.Contains(e.Description, "2026-03-01 to 2026-03-31") {
			t.Errorf("%+v %v", e, err)
		}
		if _, err := b.PayTax(ctx, erp.PayOrder{Agency: "FR", Amount: dec("1"), Day: "2026-03-31"}); fault.KindOf(err) != fault.Locked {
			t.Errorf("paid in a locked period: %v", err)
		}
		invariants(t, b)
	})
}

// TestAnyHistoryOfTaxesTies sells, refunds, declares, pays and takes back in
// any sequence: what is collected is either declared or not yet, and what is
// declared is either paid or due.
func TestAnyHistoryOfTaxesTies(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		french(t, b)
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("800")))
		*now = time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(1, 6).Draw(rt, "steps") {
				n++
				var err error
				day := placed.AddDate(0, 0, rapid.IntRange(0, 300).Draw(rt, "day"))
				switch rapid.SampledFrom([]string{"sell", "refund", "declare", "pay", "take back"}).Draw(rt, "step") {
				case "sell", "refund":
					id := time.Duration(n).String()
					edits := []func(*intake.Order){completed, func(o *intake.Order) {
						o.PlacedAt, o.PaidAt, o.CompletedAt, o.Payments[0].At = day, day, day, day
					}}
					if rapid.Bool().Draw(rt, "refund") {
						edits = append(edits, refundOf, func(o *intake.Order) { o.Refunds[0].At = day.AddDate(0, 0, 20) })
					}
					state(t, b, id, day, order(edits...))
				case "declare":
					from := balanceOf(t, b, "FR").Next
					if from == "" {
						from = "2026-01-01"
					}
					if at, e := time.Parse(time.DateOnly, from); e == nil {
						_, err = b.SettleTax(ctx, "FR", from, at.AddDate(0, 0, rapid.IntRange(0, 90).Draw(rt, "days")).Format(time.DateOnly))
					}
				case "pay":
					_, err = b.PayTax(ctx, erp.PayOrder{Agency: "FR", Amount: dec("0.50"), Day: "2027-01-15", Received: rapid.Bool().Draw(rt, "received")})
				case "take back":
					returns, _, e := b.TaxDocuments(ctx)
					if err = e; len(returns) > 0 {
						_, err = b.ReverseTax(ctx, returns[len(returns)-1].ID)
					}
				}
				if err != nil && fault.KindOf(err) == fault.Internal {
					rt.Fatal(err)
				}
			}
			got := balanceOf(t, b, "FR")
			facts := sums(rt, b, `SELECT 'x', COALESCE(SUM(tax), 0) FROM tax_fact`)["x"]
			due := sums(rt, b, `SELECT 'x', COALESCE(SUM(d.credit - d.debit), 0) FROM account_day d JOIN account a ON a.id = d.account_id WHERE a.role = 'tax_settlement'`)["x"]
			if got.Collected+got.Declared != facts || got.Due != due || got.Declared-got.Paid != got.Due {
				rt.Fatalf("%+v: facts %d, due %d", got, facts, due)
			}
		})
		invariants(t, b)
	})
}

// TestAnyChangeToReturnsAndPaymentsIsFound changes what was declared and paid
// behind the books' back.
func TestAnyChangeToReturnsAndPaymentsIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	b := openBooks(t, path, "", erp.Company{}, func() time.Time { return placed.AddDate(0, 2, 0) })
	french(t, b)
	state(t, b, "1", sent, order(completed))
	if _, err := b.SettleTax(ctx, "FR", "2026-03-01", "2026-03-31"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PayTax(ctx, erp.PayOrder{Agency: "FR", Amount: dec("1"), Day: "2026-04-15"}); err != nil {
		t.Fatal(err)
	}
	invariants(t, b)
	db, err := store.Open(ctx, store.Options{Path: path, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, change := range []string{
		`UPDATE tax_return SET output = output + 1`,
		`UPDATE tax_return SET output = output + 1, input = input + 1`,
		`UPDATE tax_return SET reversal_id = 1`,
		`DELETE FROM tax_return`,
		`UPDATE tax_payment SET amount = amount + 1`,
		`UPDATE tax_payment SET entry_id = 1`,
		`UPDATE tax_payment SET reversal_id = 1`,
	} {
		undo := errors.New("undo")
		err := db.Write(ctx, func(tx *store.Tx) error {
			if n, err := tx.Exec(ctx, change); err != nil || n != 1 {
				return fmt.Errorf("%d rows changed: %w", n, err)
			}
			found, err := erp.VerifyWith(ctx, tx)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				t.Errorf("not found: %s", change)
			}
			return undo
		})
		if err != undo {
			t.Fatal(err)
		}
	}
}

func TestRatesThatOnlyOrdersNameHaveTheCountryOfTheOrder(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "77", sent, order(completed, func(o *intake.Order) {
			for i := range o.Lines {
				o.Lines[i].Taxes[0].RateID, o.Lines[i].Taxes[0].Country = "FR/TVA/20", "FR"
			}
			o.Lines[1].Taxes[0].RateID, o.Lines[1].Taxes[0].Remitted = "US/NY/20", true
		}))
		got := sums(t, b, `SELECT c.agency || ' ' || c.country || ' ' || c.rate_id, SUM(f.tax) FROM tax_component c LEFT JOIN tax_fact f ON f.component_id = c.id GROUP BY c.agency, c.country, c.rate_id`)
		if len(got) != 1 || got["FR FR FR/TVA/20"] != 400 {
			t.Errorf("tax by agency, country and rate: %v", got)
		}
		if got, want := balances(t, b), "output_tax=-400 payment_fees=67 remitted_tax=-98 sales=-2000 shipping_income=-490 stripe/EUR=2921"; got != want {
			t.Errorf("booked\n got %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}
