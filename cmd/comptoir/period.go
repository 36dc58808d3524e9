package main

import (
	"context"
	"os"
	"os/user"
	"strconv"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/spf13/cobra"
)

func (a *app) period() *cobra.Command {
	return group("period", "Lock days and close fiscal years, with a trail",
		a.periodList(),
		a.periodDay("lock DAY", "Lock all days until this one", "is locked", (*erp.Books).SetLock),
		a.periodDay("unlock DAY --reason TEXT", "Open this day and all after it", "and all days after it are open", (*erp.Books).Unlock),
		a.periodYear("close YEAR", "Post a year's result to retained earnings, and lock the year", "closed", (*erp.Books).CloseYear),
		a.periodYear("reopen YEAR --reason TEXT", "Take the closing of a year back, and open it", "open again", (*erp.Books).ReopenYear))
}

// operator is the name of whoever runs this process, as the system knows it.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

func (a *app) periodList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the fiscal years, the lock and who changed them, when and why",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "period", func(_ *config.Config, b *erp.Books) error {
				p, err := b.Periods(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(p)
				}
				a.printPeriods(p)
				return nil
			})
		},
	}
}

func (a *app) printPeriods(p erp.Periods) {
	if p.Lock == "" {
		a.printf("No day is locked.\n\n")
	} else {
		a.printf("Locked until %s.\n\n", p.Lock)
	}
	t := a.newTable([]string{"fiscal year", "from", "to", "state", "closing entry"}, "closing entry")
	for _, y := range p.Years {
		state := "open"
		switch {
		case y.Closed:
			state = "closed"
		case y.Locked:
			state = "locked"
		}
		t.AppendRow([]any{y.Year, y.First, y.Last, state, blankZero(y.Entry)})
	}
	t.Render()
	if len(p.Trail) == 0 {
		return
	}
	a.printf("\n")
	t = a.newTable([]string{"when", "who", "what", "year", "locked until", "entry", "why"}, "entry")
	for _, e := range p.Trail {
		t.AppendRow([]any{instant(e.At), e.By, e.Action, blankZero(int64(e.Year)), e.Day, blankZero(e.Entry), e.Reason})
	}
	t.Render()
}

// blankZero is a number, "" for none.
func blankZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// periodDay makes a verb that moves the lock date.
func (a *app) periodDay(use, short, done string, move func(*erp.Books, context.Context, string, erp.Signature) error) *cobra.Command {
	var s erp.Signature
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "period", func(_ *config.Config, b *erp.Books) error {
				s.By = operator()
				if err := move(b, cmd.Context(), args[0], s); err != nil {
					return err
				}
				if a.json {
					return a.printPeriodsJSON(cmd.Context(), b)
				}
				a.printf("%s %s\n", args[0], done)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&s.Reason, "reason", "", "why; it stays in the trail")
	return cmd
}

func (a *app) printPeriodsJSON(ctx context.Context, b *erp.Books) error {
	p, err := b.Periods(ctx)
	if err != nil {
		return err
	}
	return a.printJSON(p)
}

// periodYear makes a verb that closes or reopens a year.
func (a *app) periodYear(use, short, done string, act func(*erp.Books, context.Context, int, erp.Signature) (int64, error)) *cobra.Command {
	var s erp.Signature
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			year, err := strconv.Atoi(args[0])
			if err != nil {
				return fault.New(fault.Invalid, "write it with four digits, such as 2025", "%q is not a fiscal year", args[0])
			}
			return a.withBooks(cmd.Context(), "period", func(_ *config.Config, b *erp.Books) error {
				s.By = operator()
				entry, err := act(b, cmd.Context(), year, s)
				if err != nil {
					return err
				}
				if a.json {
					return a.printPeriodsJSON(cmd.Context(), b)
				}
				if entry == 0 {
					a.printf("fiscal year %d is %s; there was nothing to post\n", year, done)
					return nil
				}
				a.printf("fiscal year %d is %s, by entry %d\n", year, done, entry)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&s.Reason, "reason", "", "why; it stays in the trail")
	return cmd
}
