package exportstest

import (
	"strings"
	"testing"
)

// period are the options that bound a report of hledger or ledger.
func (s statements) period() []string {
	var args []string
	if s.from != "" {
		args = append(args, "-b", s.from)
	}
	if s.after != "" {
		args = append(args, "-e", s.after)
	}
	return args
}

func hledger(t *testing.T, f file, want statements) {
	Need(t, "hledger", "hledger")
	Run(t, "hledger", "-f", f.path, "check", "--strict", "accounts", "commodities", "balancedwithautoconversion")
	report := func(name string, args ...string) [][2]string {
		var pairs [][2]string
		for _, row := range readCSV(t, Run(t, "hledger", append([]string{name, "-f", f.path, "-O", "csv"}, args...)...)) {
			if len(row) == 2 && strings.Contains(row[0], ":") && !strings.HasSuffix(row[0], ":") {
				pairs = append(pairs, [2]string{row[0], row[1]})
			}
		}
		return pairs
	}
	same(t, "trial balance", f.balances(t, report("balance", "--no-total")), want.closing)
	same(t, "debits", f.balances(t, report("balance", append(want.period(), "--no-total", "amt:>0")...)), want.debits)
	same(t, "credits", f.balances(t, report("balance", append(want.period(), "--no-total", "amt:<0")...)), want.credits)
	same(t, "balance sheet", f.balances(t, turned(report("balancesheetequity"), "Liabilities:", "Equity:")), want.sheet)
	same(t, "income statement", f.balances(t, turned(report("incomestatement", want.period()...), "Income:")), want.income)
}

// turned gives amounts the sign of a debit again, on the accounts that a
// statement shows with the other one.
func turned(pairs [][2]string, roots ...string) [][2]string {
	for i, p := range pairs {
		for _, r := range roots {
			if !strings.HasPrefix(p[0], r) {
				continue
			}
			if amount, minus := strings.CutPrefix(p[1], "-"); minus {
				pairs[i][1] = amount
			} else {
				pairs[i][1] = "-" + p[1]
			}
		}
	}
	return pairs
}

func ledger(t *testing.T, f file, want statements) {
	Need(t, "ledger", "ledger")
	report := func(args ...string) [][2]string {
		args = append([]string{"-f", f.path, "--pedantic", "--flat", "--no-total", "--format", `%(account)|%(quantity(scrub(display_total)))\n`}, args...)
		var pairs [][2]string
		for line := range strings.Lines(Run(t, "ledger", args...)) {
			account, amount, ok := strings.Cut(strings.TrimSpace(line), "|")
			if ok {
				pairs = append(pairs, [2]string{account, amount})
			}
		}
		return pairs
	}
	same(t, "trial balance", f.balances(t, report("balance")), want.closing)
	same(t, "debits", f.balances(t, report(append(want.period(), "balance", "-l", "amount > 0")...)), want.debits)
	same(t, "credits", f.balances(t, report(append(want.period(), "balance", "-l", "amount < 0")...)), want.credits)
	same(t, "balance sheet", f.balances(t, report("balance", "^Assets:", "^Liabilities:", "^Equity:")), want.sheet)
	same(t, "income statement", f.balances(t, report(append(want.period(), "balance", "^Income:", "^Expenses:")...)), want.income)
}

func beancount(t *testing.T, f file, want statements) {
	Need(t, "bean-check", "beancount")
	Need(t, "bean-query", "beancount")
	Run(t, "bean-check", "--no-cache", f.path)
	query := func(conditions ...string) [][2]string {
		q := "SELECT account, sum(number) AS total"
		if len(conditions) > 0 {
			q += " WHERE " + strings.Join(conditions, " AND ")
		}
		var pairs [][2]string
		for _, row := range readCSV(t, Run(t, "bean-query", "-q", "-f", "csv", f.path, q+" GROUP BY account ORDER BY account"))[1:] {
			pairs = append(pairs, [2]string{row[0], row[1]})
		}
		return pairs
	}
	var period []string
	if want.from != "" {
		period = append(period, "date >= "+want.from)
	}
	if want.after != "" {
		period = append(period, "date < "+want.after)
	}
	within := func(condition string) []string { return append([]string{condition}, period...) }
	same(t, "trial balance", f.balances(t, query()), want.closing)
	same(t, "debits", f.balances(t, query(within("number > 0")...)), want.debits)
	same(t, "credits", f.balances(t, query(within("number < 0")...)), want.credits)
	same(t, "balance sheet", f.balances(t, query("account ~ '^(Assets|Liabilities|Equity):'")), want.sheet)
	same(t, "income statement", f.balances(t, query(within("account ~ '^(Income|Expenses):'")...)), want.income)
}
