package erp_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
)

func TestPayoutEmptiesTheClearingAccount(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", sent, order(completed))
		p := erp.Payout{Gateway: "stripe", Currency: "EUR", Amount: dec("29"), Fee: dec("0.21"), Date: "2026-03-10", Reference: "po_1"}
		if _, err := b.BookPayout(ctx, p); err != nil {
			t.Fatal(err)
		}
		if got, want := balances(t, b), "bank=2900 output_tax=-498 payment_fees=88 sales=-2000 shipping_income=-490"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if _, err := b.BookPayout(ctx, p); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the same payout twice: %v", err)
		}
		invariants(t, b)
	})
}

func TestPayoutInAnotherCurrencyShowsWhatTheRateChanged(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", sent, order(completed, func(o *intake.Order) { o.Currency = "USD" })) // 29.21 USD at 0.90 are 26.29 EUR
		p := erp.Payout{Gateway: "stripe", Currency: "USD", Amount: dec("29.21"), Received: dec("25"), Date: "2026-03-10", Reference: "po_1"}
		if _, err := b.BookPayout(ctx, p); err != nil {
			t.Fatal(err)
		}
		if got, want := balances(t, b), "bank=2500 fx_loss=129 output_tax=-448 payment_fees=60 sales=-1800 shipping_income=-441"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		invariants(t, b)
	})
}

func TestDisputeHoldsMoneyBackUntilItIsDecided(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", sent, order(completed))
		d := erp.Dispute{Gateway: "stripe", Currency: "EUR", Amount: dec("29.88"), Date: "2026-03-10", Reference: "dp_1", Stage: erp.DisputeLost}
		if _, err := b.BookDispute(ctx, d); fault.KindOf(err) != fault.NotFound {
			t.Errorf("lost before it was opened: %v", err)
		}
		for _, step := range []struct{ stage, want string }{{erp.DisputeOpened, "disputes=2988"}, {erp.DisputeLost, "dispute_losses=2988"}} {
			d.Stage = step.stage
			if _, err := b.BookDispute(ctx, d); err != nil {
				t.Fatal(err)
			}
			if got := balances(t, b); !strings.Contains(got, step.want) || !strings.Contains(got, "stripe/EUR=-67") {
				t.Errorf("%s: %s", step.stage, got)
			}
		}
		d.Stage = erp.DisputeWon
		if _, err := b.BookDispute(ctx, d); fault.KindOf(err) != fault.Conflict {
			t.Errorf("won after it was lost: %v", err)
		}
		invariants(t, b)
	})
}

func TestPayoutThatCannotBeIsRefused(t *testing.T) {
	b := openBooks(t, filepath.Join(t.TempDir(), "books.db"), "", erp.Company{}, func() time.Time { return sent })
	for name, p := range map[string]erp.Payout{
		"no reference":     {Gateway: "stripe", Currency: "EUR", Amount: dec("1"), Date: "2026-03-10"},
		"no amount":        {Gateway: "stripe", Currency: "EUR", Date: "2026-03-10", Reference: "x"},
		"negative":         {Gateway: "stripe", Currency: "EUR", Amount: dec("-1"), Date: "2026-03-10", Reference: "x"},
		"half a cent":      {Gateway: "stripe", Currency: "EUR", Amount: dec("1.005"), Date: "2026-03-10", Reference: "x"},
		"unknown currency": {Gateway: "stripe", Currency: "XXQ", Amount: dec("1"), Date: "2026-03-10", Reference: "x"},
		"without a rate":   {Gateway: "stripe", Currency: "USD", Amount: dec("1"), Date: "2026-03-10", Reference: "x"},
		"no date":          {Gateway: "stripe", Currency: "EUR", Amount: dec("1"), Date: "tomorrow", Reference: "x"},
		"another sum":      {Gateway: "stripe", Currency: "EUR", Amount: dec("1"), Received: dec("2"), Date: "2026-03-10", Reference: "x"},
	} {
		if _, err := b.BookPayout(ctx, p); err == nil || fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAccountsOfTheCompanyAndOfAShop(t *testing.T) {
	rules := sales.DefaultRules()
	company := erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC}
	path := filepath.Join(t.TempDir(), "books.db")
	open := func() (*erp.Books, error) {
		return erp.Open(ctx, erp.Options{Path: path, Company: company, Shops: map[string]sales.Rules{"atelier": rules}, Now: func() time.Time { return sent }, Log: zerolog.Nop()})
	}
	b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.AddAccount(ctx, "4011", "Sales of the workshop", "income"); err != nil {
		t.Fatal(err)
	}
	if err := b.AddAccount(ctx, "1201", "Debtors", "asset"); err != nil {
		t.Fatal(err)
	}
	b.Close()

	rules.Roles = map[ledger.Role]string{ledger.Sales: "4011"}
	company.Accounts = map[ledger.Role]string{ledger.Receivable: "1201"}
	if b, err = open(); err != nil {
		t.Fatal(err)
	}
	state(t, b, "1", sent, order(unpaid, completed))
	got := sums(t, b, `SELECT a.code, SUM(d.debit - d.credit) FROM account a JOIN account_day d ON d.account_id = a.id GROUP BY a.code`)
	if got["4011"] != -2000 || got["1201"] != 2988 {
		t.Errorf("balances by code: %v", got)
	}
	invariants(t, b)
	b.Close()

	for code, want := range map[string]string{"9999": `there is no account "9999"`, "4011": "cannot stand for", "1010": "cannot stand for", "1200": "has been posted to"} {
		company.Accounts[ledger.Receivable] = code
		if b, err := open(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "books.accounts.receivable") {
			t.Errorf("receivable on %s: %v", code, err)
			if err == nil {
				b.Close()
			}
		}
	}
	company.Accounts[ledger.Receivable] = "1201"
	rules.Roles[ledger.Discounts] = "4999"
	if b, err := open(); err == nil || !strings.Contains(err.Error(), "shops.atelier.accounts.discounts") {
		t.Errorf("discounts on an account that is not there: %v", err)
		if err == nil {
			b.Close()
		}
	}
	rules.Roles[ledger.Inventory] = "1400"
	if err := rules.Validate(); err == nil || !strings.Contains(err.Error(), "accounts.inventory") {
		t.Errorf("an inventory account of a shop's own: %v", err)
	}
}
