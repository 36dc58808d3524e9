package exports_test

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp/exports"
	"comptoir/erp/exports/exportstest"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// compare gives the books to hledger, ledger and beancount.
func (s *shop) compare(o exports.Options) {
	s.Helper()
	err := s.books.Snapshot(s.Context(), func(r store.Reader) error {
		exportstest.Compare(s.T, r, o)
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

func TestJournalsHaveTheSameBalancesInEveryCurrency(t *testing.T) {
	for _, currency := range []money.Currency{"EUR", "JPY", "KWD"} {
		t.Run(string(currency), func(t *testing.T) {
			s := onSQLite(t, currency, "general")
			s.sell("1")
			s.sell("2", in("USD"))
			s.paysOut("1", currency, placed.AddDate(0, 0, 9), intake.PayoutPaid)
			s.paysOut("2", "USD", placed.AddDate(0, 0, 9), intake.PayoutPaid)
			s.compare(exports.Options{})
		})
	}
}

func TestJournalsStandWhateverAShopCallsThings(t *testing.T) {
	s := onSQLite(t, "EUR", "general")
	for i, text := range []string{
		`; "quoted" \ back`, "two  spaces\tand\nlines", "[2026-13-45] (x) * ! | = @@ {1}", "date:nonsense, date2:[=2020-99-99]", "été – Ω 漢字 \U0001F600", "…:…", "-", "stripe_cc", "stripe cc", "STRIPE-CC", "=x", "'", "#",
	} {
		s.sell("n"+text, gateway(text), func(o *intake.Order) { o.PlacedAt = o.PlacedAt.Add(time.Duration(i) * time.Minute) })
	}
	s.compare(exports.Options{Company: `A; "B" \ [c]` + "\n"})
}

func TestAPeriodBringsBalancesForward(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		s.sell("1", on(time.Date(2025, 12, 31, 12, 0, 0, 0, time.UTC)))
		s.sell("2", on(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)))
		s.sell("3", on(time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)))
		s.sell("4", on(time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)))
		o := exports.Options{From: "2026-01-01", To: "2026-12-31"}
		s.compare(o)
		text, sum := s.write(exports.Hledger, o)
		// Payment, fee, invoice and no goods for each of the two orders within.
		if sum.Entries != 1+2*3 || !strings.Contains(text, "2025-12-31 * Balances brought forward") || strings.Contains(text, "order 1 ") || strings.Contains(text, "order 4 ") {
			t.Errorf("%d entries in\n%s", sum.Entries, text)
		}
	})
}

func TestAJournalSaysWhereAnEntryComesFrom(t *testing.T) {
	each(t, "EUR", "general", func(s *shop) {
		s.sell("1042", in("USD"))
		for format, want := range map[exports.Format][]string{
			exports.Hledger: {"2026-03-31 * (", ") Payment, order 1042 of atelier", "; cause: order/atelier/1042/invoice", "; document: INV-1", "; shop: atelier",
				"; foreign: -22.00 USD", "Assets:1050-stripe-USD Payment gateways stripe, USD", "27.00 EUR", "commodity EUR"},
			exports.Beancount: {`2026-03-31 * "Payment, order 1042 of atelier"`, `cause: "order/atelier/1042/invoice"`, `document: "INV-1"`, `shop: "atelier"`, `foreign: "-22.00 USD"`,
				"open Assets:1050-stripe-USD-Payment-gateways-stripe-USD EUR", "27.00 EUR", `option "operating_currency" "EUR"`},
		} {
			text, _ := s.write(format, exports.Options{})
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s: %q is not in\n%s", format, w, text)
				}
			}
		}
	})
}

func TestAnEmptyExportIsAFile(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		for _, f := range exports.Formats() {
			if text, sum := s.write(f, exports.Options{From: "2026-01-01"}); sum.Entries != 0 || text == "" {
				t.Errorf("%s of empty books: %+v\n%s", f, sum, text)
			}
		}
	})
}

func TestWhatCannotBeExportedIsRefused(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		for _, c := range []struct {
			f    exports.Format
			o    exports.Options
			want string
		}{
			{"gnucash", exports.Options{}, "gnucash"},
			{exports.Hledger, exports.Options{From: "2026-02-30"}, "2026-02-30"},
			{exports.FEC, exports.Options{To: "31.12.2026"}, "31.12.2026"},
			{exports.Beancount, exports.Options{From: "2026-02-01", To: "2026-01-31"}, "ends before it begins"},
		} {
			var text strings.Builder
			_, err := write(s.Context(), s.books, &text, c.f, c.o)
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) || text.Len() > 0 {
				t.Errorf("%s %+v: %v", c.f, c.o, err)
			}
		}
	})
}
