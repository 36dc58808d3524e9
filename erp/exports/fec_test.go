package exports_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/exports"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/purchasing"
	"comptoir/erp/reports"

	"github.com/shopspring/decimal"
)

const fecHead = "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\tPieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise"

// fecLine is one line of a file, by the names of its fields.
type fecLine map[string]string

// readFEC reads a file and checks what the administration checks: 18 fields in
// their order, those that must be filled filled, dates and amounts well formed,
// entries that balance, numbers without a gap within each journal, in the order
// in which entries were validated.
func readFEC(t *testing.T, text string) []fecLine {
	t.Helper()
	records := strings.Split(text, "\r\n")
	if records[0] != fecHead || records[len(records)-1] != "" || strings.Count(text, "\n") != len(records)-1 {
		t.Fatalf("head or line ends are wrong in\n%.400q", text)
	}
	names := strings.Split(fecHead, "\t")
	var lines []fecLine
	last, validated := map[string]int{}, ""
	entries := map[string]decimal.Decimal{}
	for n, record := range records[1 : len(records)-1] {
		fields := strings.Split(record, "\t")
		if len(fields) != 18 {
			t.Fatalf("line %d has %d fields: %q", n+2, len(fields), record)
		}
		l := fecLine{}
		for i, f := range fields {
			l[names[i]] = f
		}
		for _, must := range []string{"JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "ValidDate"} {
			if l[must] == "" {
				t.Errorf("line %d: %s is empty: %q", n+2, must, record)
			}
		}
		for _, name := range []string{"EcritureDate", "PieceDate", "ValidDate"} {
			if _, err := time.Parse("20060102", l[name]); err != nil {
				t.Errorf("line %d: %s: %v", n+2, name, err)
			}
		}
		if l["EcritureDate"] > l["ValidDate"] || l["ValidDate"] < validated {
			t.Errorf("line %d: validated on %s, booked on %s, the one before was validated on %s", n+2, l["ValidDate"], l["EcritureDate"], validated)
		}
		validated = l["ValidDate"]
		number, err := strconv.Atoi(l["EcritureNum"])
		if had := last[l["JournalCode"]]; err != nil || number != had && number != had+1 {
			t.Errorf("line %d: number %q of journal %s after %d", n+2, l["EcritureNum"], l["JournalCode"], had)
		}
		last[l["JournalCode"]] = number
		key := l["JournalCode"] + l["EcritureNum"]
		entries[key] = entries[key].Add(l.amount(t))
		lines = append(lines, l)
	}
	for key, rest := range entries {
		if !rest.IsZero() {
			t.Errorf("entry %s does not balance: %s", key, rest)
		}
	}
	return lines
}

// amount is debit less credit.
func (l fecLine) amount(t *testing.T) decimal.Decimal {
	t.Helper()
	var sides [2]decimal.Decimal
	for i, name := range []string{"Debit", "Credit"} {
		whole, cents, ok := strings.Cut(l[name], ",")
		d, err := decimal.NewFromString(whole + "." + cents)
		if !ok || len(cents) != 2 || err != nil || d.IsNegative() {
			t.Fatalf("%s: %q", name, l[name])
		}
		sides[i] = d
	}
	if sides[0].IsZero() == sides[1].IsZero() {
		t.Errorf("both or none of the sides: %v", l)
	}
	return sides[0].Sub(sides[1])
}

func TestFECIsValidAndHasOurBalances(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		s.sell("1")
		s.sell("2", in("USD"))
		s.paysOut("1", "EUR", placed.AddDate(0, 0, 9), intake.PayoutPaid)
		s.paysOut("2", "USD", placed.AddDate(0, 0, 9), intake.PayoutPaid)
		s.now = s.now.AddDate(0, 0, 1)
		s.sell("3\tx", gateway("a\tb"), func(o *intake.Order) { o.Payments, o.PaidAt = nil, time.Time{} }) // owed by a customer
		text, sum := s.write(exports.FEC, exports.Options{})
		lines := readFEC(s.T, text)
		if len(sum.Warnings) != 0 || int(sum.Lines) != len(lines) || sum.Debit == 0 {
			s.Errorf("summary %+v of %d lines", sum, len(lines))
		}
		got := map[string]decimal.Decimal{}
		for _, l := range lines {
			got[l["CompteNum"]] = got[l["CompteNum"]].Add(l.amount(s.T))
		}
		tb, err := reports.TrialBalance(s.Context(), s.books.Reader(), "", "")
		if err != nil {
			s.Fatal(err)
		}
		for _, a := range tb.Accounts {
			if want := decimal.New(a.Closing, -2); !got[a.Code].Equal(want) {
				s.Errorf("account %s is %s there, %s here", a.Code, got[a.Code], want)
			}
			delete(got, a.Code)
		}
		if len(got) > 0 {
			s.Errorf("accounts that the books do not have: %v", slices.Collect(maps.Keys(got)))
		}
	})
}

func TestFECTellsVoucherPartyAndForeignAmount(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		s.sell("1042", in("USD"))
		text, _ := s.write(exports.FEC, exports.Options{})
		for _, want := range []string{
			// 21:30 UTC is 23:30 in Paris; shipped and invoiced half an hour after midnight.
			"TR\tTrésorerie\t1\t20260331\t4191\tClients - Avances et acomptes reçus sur commandes\tC",
			"\tZoé O'Brien \"X\"\t1042\t20260331\tPaiement, commande 1042\t0,00\t27,00\t\t\t20260501\t30,00\tUSD\r\n",
			"VT\tVentes\t1\t20260401\t707\tVentes de marchandises\t\t\tINV-1\t20260401\tFacture, commande 1042\t0,00\t19,80\t\t\t20260501\t22,00\tUSD\r\n",
		} {
			if !strings.Contains(text, want) {
				s.Errorf("%q is not in\n%s", want, text)
			}
		}
	})
}

func TestFECTellsOfPayouts(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		s.sell("1")
		s.paysOut("1", "EUR", placed.AddDate(0, 0, 9), intake.PayoutPaid)
		s.paysOut("1", "EUR", placed.AddDate(0, 0, 10), intake.PayoutFailed)
		text, _ := s.write(exports.FEC, exports.Options{})
		for _, want := range []string{"\tVersement PO-1 de stripe\t24,00\t0,00\t", "\tExtourne : Versement PO-1 de stripe\t0,00\t24,00\t", "\tRéserve r1 de stripe (reserved_funds)\t5,00\t0,00\t"} {
			if !strings.Contains(text, want) {
				s.Errorf("%q is not in\n%s", want, text)
			}
		}
	})
}

func TestFECNamesVendorsAndTheirBills(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		if _, err := s.books.SaveVendor(s.Context(), purchasing.Vendor{Name: "Tissus SA", Country: "FR", TermsDays: 30, Account: "607"}); err != nil {
			s.Fatal(err)
		}
		ref := purchasing.Ref{Vendor: "Tissus SA", Number: "F-2026/7"}
		bill := purchasing.Document{Ref: ref, Date: "2026-03-10", Lines: []purchasing.Line{{Account: "607", Description: "Lin", Quantity: dec("1"), Net: dec("50"), TaxPPM: 200_000}}}
		if _, err := s.books.Bill(s.Context(), bill); err != nil {
			s.Fatal(err)
		}
		if _, err := s.books.PayBills(s.Context(), purchasing.Payment{Date: "2026-03-20", Bills: []purchasing.Pay{{Ref: ref}}}); err != nil {
			s.Fatal(err)
		}
		text, _ := s.write(exports.FEC, exports.Options{})
		readFEC(s.T, text)
		var vendor int64
		if err := s.books.Reader().QueryRow(s.Context(), `SELECT id FROM vendor`).Scan(&vendor); err != nil {
			s.Fatal(err)
		}
		for _, want := range []string{
			fmt.Sprintf("HA\tAchats\t1\t20260310\t401\tFournisseurs\tF%d\tTissus SA\tF-2026/7\t20260310\t", vendor),
			fmt.Sprintf("TR\tTrésorerie\t1\t20260320\t401\tFournisseurs\tF%d\tTissus SA\tPV-1\t20260320\t", vendor),
		} {
			if !strings.Contains(text, want) {
				s.Errorf("%q is not in\n%s", want, text)
			}
		}
	})
}

func TestFECOfAYearBeginsWithTheBalancesOfTheYearBefore(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		s.now = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		s.sell("1", on(time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)))
		s.sell("2", on(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)))
		open, _ := s.write(exports.FEC, exports.Options{From: "2026-01-01", To: "2026-12-31"})
		closed := exports.Options{From: "2025-01-01", To: "2025-12-31"}
		before, _ := s.write(exports.FEC, closed)
		if _, err := s.books.CloseYear(s.Context(), 2025, erp.Signature{By: "test"}); err != nil {
			s.Fatal(err)
		}
		if after, _ := s.write(exports.FEC, closed); after != before {
			s.Errorf("closing the year changed its file from\n%s\nto\n%s", before, after)
		}
		text, _ := s.write(exports.FEC, exports.Options{From: "2026-01-01", To: "2026-12-31"})
		if text != open {
			s.Errorf("closing the year before changed the file from\n%s\nto\n%s", open, text)
		}
		var opening []string
		for _, l := range readFEC(s.T, text) {
			if l["JournalCode"] == "AN" {
				opening = append(opening, fmt.Sprintf("%s %s %s", l["CompteNum"], l["EcritureDate"], l.amount(s.T)))
			} else if l["EcritureDate"] < "20260101" {
				s.Errorf("an entry of another year: %v", l)
			}
		}
		// 29 with the gateway, 5 of tax owed; 24 earned: sales 22 and shipping 5 less 2 of discount and 1 of fees.
		want := "110 20260101 -24,44571 20260101 -5,517-stripe-EUR 20260101 29"
		if got := strings.Join(opening, ","); got != want || !strings.HasPrefix(text, fecHead+"\r\nAN\t") {
			s.Errorf("opening entry %s, want %s", got, want)
		}
	})
}

func TestFECNumbersStayWhenMoreIsBooked(t *testing.T) {
	each(t, "EUR", "pcg", func(s *shop) {
		s.sell("1")
		before, _ := s.write(exports.FEC, exports.Options{})
		s.now = s.now.Add(time.Hour)
		s.sell("2", on(placed.AddDate(0, -1, 0))) // an earlier day, booked later
		after, _ := s.write(exports.FEC, exports.Options{})
		if !strings.HasPrefix(after, before) {
			s.Errorf("what was\n%s\nbecame\n%s", before, after)
		}
		readFEC(s.T, after)
	})
}

func TestFECCanBeLatin(t *testing.T) {
	s := onSQLite(t, "EUR", "pcg")
	s.sell("漢")
	text, _ := s.write(exports.FEC, exports.Options{Latin: true})
	if !strings.Contains(text, "Tr\xe9sorerie") || !strings.Contains(text, "commande ?") || strings.Contains(text, "é") {
		t.Errorf("%q", text)
	}
}

func TestFECWarnsOfWhatTheAdministrationRefuses(t *testing.T) {
	for _, c := range []struct {
		currency, chart string
		warnings        int
	}{{"EUR", "pcg", 0}, {"EUR", "general", 1}, {"USD", "pcg", 1}} {
		s := onSQLite(t, money.Currency(c.currency), c.chart)
		s.sell("1")
		if _, sum := s.write(exports.FEC, exports.Options{}); len(sum.Warnings) != c.warnings {
			t.Errorf("%s, %s: %q", c.currency, c.chart, sum.Warnings)
		}
	}
}

func TestFECName(t *testing.T) {
	for _, c := range []struct{ siren, end, want string }{
		{"732 829 320", "2026-12-31", "732829320FEC20261231.txt"},
		{"732829321", "2026-12-31", ""}, // the last digit proves the others
		{"73282932", "2026-12-31", ""},
		{"73282932x", "2026-12-31", ""},
		{"732829320", "2026-12-32", ""},
	} {
		got, err := exports.FECName(c.siren, c.end)
		if got != c.want || (err != nil) != (c.want == "") || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s, %s: %q, %v", c.siren, c.end, got, err)
		}
	}
}
