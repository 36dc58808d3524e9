// Package exportstest gives an export of the books to the programs that it is
// made for, and compares what they work out of it with what the books say,
// account by account.
//
// The programs are those of the Debian packages hledger, ledger and beancount.
// Where one is not found, its comparison is skipped with a message, or fails
// where COMPTOIR_TEST_REQUIRE is "all".
package exportstest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/exports"
	"comptoir/erp/money"
	"comptoir/erp/reports"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Compare exports what r holds and compares the trial balance, the turnover,
// the balance sheet and the income statement of each program with ours. It
// fails where nothing is booked in the period.
func Compare(t *testing.T, r store.Reader, o exports.Options) {
	t.Helper()
	want := readStatements(t, r, o)
	journal, beans := export(t, r, exports.Hledger, o), export(t, r, exports.Beancount, o)
	for name, compare := range map[string]func(*testing.T, file, statements){"hledger": hledger, "ledger": ledger, "beancount": beancount} {
		f := journal
		if name == "beancount" {
			f = beans
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the file is written, and the books are not asked again
			compare(t, f, want)
		})
	}
}

// balances are amounts by the code of the account, without those that are
// nothing. Debit is positive.
type balances map[string]string

// statements are what the books say, and what a program must work out.
type statements struct {
	from, after string // the first day of the period, and the first one behind it; "" for an open end
	closing     balances
	debits      balances // of the period
	credits     balances
	sheet       balances // closing, of assets, liabilities and equity
	income      balances // of the period, income and expenses
}

func readStatements(t *testing.T, r store.Reader, o exports.Options) statements {
	t.Helper()
	tb, err := reports.TrialBalance(t.Context(), r, o.From, o.To)
	if err != nil {
		t.Fatal(err)
	}
	currency := money.Currency(tb.Currency)
	text := func(minor int64) string { return money.Amount{Minor: minor, Currency: currency}.Decimal().String() }
	w := statements{from: o.From, closing: balances{}, debits: balances{}, credits: balances{}, sheet: balances{}, income: balances{}}
	if o.To != "" {
		w.after = nextDay(t, o.To)
	}
	for _, a := range tb.Accounts {
		w.closing.set(a.Code, text(a.Closing))
		w.debits.set(a.Code, text(a.Debit))
		w.credits.set(a.Code, text(-a.Credit))
	}
	for code, minor := range readReport(t, r, "balance-sheet", reports.Params{To: o.To}) {
		w.sheet.set(code, text(minor))
	}
	for code, minor := range readReport(t, r, "income-statement", reports.Params{From: o.From, To: o.To, Compare: reports.CompareNone}) {
		w.income.set(code, text(minor))
	}
	if len(w.debits) == 0 || len(w.sheet) == 0 || len(w.income) == 0 {
		t.Fatal("nothing is booked in the period: there is nothing to compare")
	}
	return w
}

// readReport returns the accounts of a report in minor units, debit positive.
func readReport(t *testing.T, r store.Reader, name string, p reports.Params) map[string]int64 {
	t.Helper()
	p.Now = time.Date(2026, time.December, 31, 12, 0, 0, 0, time.UTC)
	report, err := reports.Run(t.Context(), r, name, p)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, s := range report.Sections {
		credit := false
		switch s.Key {
		case "revenue", "other", "liabilities", "equity":
			credit = true
		}
		for _, row := range s.Rows {
			code, amount := row[0].Text, row[2].Number
			switch {
			case code == "": // a result that is not closed
			case credit:
				out[code] -= amount
			default:
				out[code] += amount
			}
		}
	}
	return out
}

func (b balances) set(code, amount string) {
	if amount != "0" {
		b[tagged(code)] = amount
	}
}

// tagged is how a code stands in a tag: one space for many, and a hyphen for
// what would end the tag or be a date.
func tagged(code string) string {
	return strings.NewReplacer(",", "-", "[", "-", "]", "-").Replace(strings.Join(strings.Fields(code), " "))
}

func nextDay(t *testing.T, day string) string {
	t.Helper()
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return d.AddDate(0, 0, 1).Format(time.DateOnly)
}

// file is an export, and which account it calls what.
type file struct {
	path  string
	codes map[string]string // by name
}

func export(t *testing.T, r store.Reader, f exports.Format, o exports.Options) file {
	t.Helper()
	var text bytes.Buffer
	if _, err := exports.Write(t.Context(), r, &text, f, o); err != nil {
		t.Fatal(err)
	}
	out := file{path: filepath.Join(t.TempDir(), "books."+string(f)), codes: map[string]string{}}
	if err := os.WriteFile(out.path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	name := ""
	for line := range strings.Lines(text.String()) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "account "):
			name = strings.TrimSpace(strings.TrimPrefix(line, "account "))
		case len(fields) == 4 && fields[1] == "open":
			name = fields[2]
		case name != "" && strings.Contains(line, "code: "):
			_, code, _ := strings.Cut(line, "code: ")
			out.codes[name] = unquoted(strings.TrimSpace(code))
			name = ""
		}
	}
	return out
}

// unquoted is what a string of beancount says; what is none says itself.
func unquoted(s string) string {
	if len(s) < 2 || s[0] != '"' {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
}

// balances makes balances of pairs of account and amount. An account that the
// file does not declare fails the test.
func (f file) balances(t *testing.T, pairs [][2]string) balances {
	t.Helper()
	out := balances{}
	for _, p := range pairs {
		code, ok := f.codes[strings.TrimSpace(p[0])]
		if !ok {
			t.Errorf("account %q is not declared", p[0])
			continue
		}
		number, _, _ := strings.Cut(strings.TrimSpace(p[1]), " ") // the currency follows
		amount, err := decimal.NewFromString(number)
		if err != nil {
			t.Errorf("account %q: %q is no amount", p[0], p[1])
			continue
		}
		out.set(code, amount.String())
	}
	return out
}

// same compares what a program works out with what the books say.
func same(t *testing.T, what string, got, want balances) {
	t.Helper()
	for _, code := range slices.Sorted(maps.Keys(want)) {
		if got[code] != want[code] {
			t.Errorf("%s: account %s is %s in the books, and %q there", what, code, want[code], got[code])
		}
	}
	for _, code := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[code]; !ok {
			t.Errorf("%s: account %s is %s there, and nothing in the books", what, code, got[code])
		}
	}
}

// Need ends a test that needs a program which this machine does not have; it
// is in the Debian package of the name given.
func Need(t testing.TB, program, debian string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	message := fmt.Sprintf("%s is not installed: apt-get install %s", program, debian)
	if os.Getenv("COMPTOIR_TEST_REQUIRE") == "all" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// Run runs a program and returns what it prints.
func Run(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "LEDGER_FILE=", "HOME="+t.TempDir())
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}

func readCSV(t *testing.T, text string) [][]string {
	t.Helper()
	c := csv.NewReader(strings.NewReader(text))
	c.FieldsPerRecord = -1
	var rows [][]string
	for {
		row, err := c.Read()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}
