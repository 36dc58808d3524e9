package main

import (
	"fmt"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/reports"

	"github.com/spf13/cobra"
)

func (a *app) report() *cobra.Command {
	return group("report", "Print a report of the books", a.trialBalance())
}

func (a *app) trialBalance() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "trial-balance",
		Short: "Print each account with its opening, debit, credit and closing",
		Long: "Trial-balance prints each account with its opening balance, its debits and credits in the period, and its\n" +
			"closing balance; debit is positive. With --json the amounts are in minor units (cents).",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			for flag, day := range map[string]string{"--from": from, "--to": to} {
				if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
					return fault.New(fault.Invalid, "write it as 2026-01-31", "%s: %q is not a date", flag, day)
				}
			}
			return a.withBooks(cmd.Context(), "report", func(_ *config.Config, b *erp.Books) error {
				r, err := reports.TrialBalance(cmd.Context(), b.Reader(), from, to)
				if err != nil {
					return fmt.Errorf("trial balance: %w", err)
				}
				if a.json {
					return a.printJSON(r)
				}
				a.printTrialBalance(r)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first `DAY` of the period (default: the first day of the books)")
	cmd.Flags().StringVar(&to, "to", "", "last `DAY` of the period (default: the last day of the books)")
	return cmd
}

func (a *app) printTrialBalance(r reports.TrialBalanceReport) {
	currency := money.Currency(r.Currency)
	t := a.newTable([]string{"account", "name", "opening", "debit", "credit", "closing"}, "opening", "debit", "credit", "closing")
	var opening, closing int64
	for _, x := range r.Accounts {
		t.AppendRow([]any{x.Code, x.Name, amount(x.Opening, currency), amount(x.Debit, currency), amount(x.Credit, currency), amount(x.Closing, currency)})
		opening, closing = opening+x.Opening, closing+x.Closing
	}
	t.AppendFooter([]any{"", "all in " + string(currency), amount(opening, currency), amount(r.Debit, currency), amount(r.Credit, currency), amount(closing, currency)})
	t.Render()
}
