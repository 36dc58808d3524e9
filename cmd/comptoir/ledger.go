package main

import (
	"os"
	"strconv"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/spf13/cobra"
)

func (a *app) ledger() *cobra.Command {
	return group("ledger", "Enter, take back and verify entries of the accounts",
		a.ledgerPost(), a.ledgerImport(), a.ledgerReverse(), a.ledgerOpening(), a.ledgerAccounts(),
		group("account", "Look after the chart of accounts", a.ledgerAccountAdd()), a.ledgerVerify())
}

func (a *app) ledgerPost() *cobra.Command {
	var e erp.ManualEntry
	var debits, credits []string
	cmd := &cobra.Command{
		Use:   "post --date D --description T --debit CODE=AMOUNT... --credit CODE=AMOUNT...",
		Short: "Post an entry by hand",
		Long: "Post posts an entry by hand, such as the rent:\n\n" +
			"    comptoir ledger post --date 2026-03-05 --description \"Rent of March\" --debit 6400=500 --credit 1010=500\n\n" +
			"With --ref the entry is posted once, however often the command is repeated.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if e.Lines, err = entryLines(debits, credits); err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "ledger", func(_ *config.Config, b *erp.Books) error {
				p, err := b.PostManual(cmd.Context(), e)
				if err != nil {
					return err
				}
				return a.printPosted(p)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.Date, "date", "", "business `DAY` of the entry")
	f.StringVar(&e.Description, "description", "", "what it is for")
	f.StringVar(&e.Reference, "ref", "", "post it once under this `NAME`")
	f.StringVar((*string)(&e.Currency), "currency", "", "of the amounts, an ISO 4217 `CODE` (default: that of the books)")
	f.StringArrayVar(&debits, "debit", nil, "account and amount: `CODE=AMOUNT`")
	f.StringArrayVar(&credits, "credit", nil, "account and amount: `CODE=AMOUNT`")
	return cmd
}

// entryLines reads CODE=AMOUNT.
func entryLines(debits, credits []string) ([]erp.ManualLine, error) {
	var lines []erp.ManualLine
	for i, list := range [][]string{debits, credits} {
		for _, text := range list {
			code, amount, ok := strings.Cut(text, "=")
			if !ok {
				return nil, fault.New(fault.Invalid, "write account and amount as 6400=500.00", "%q names no amount", text)
			}
			d, err := erp.ParseAmount(amount)
			if err != nil {
				return nil, err
			}
			l := erp.ManualLine{Account: code, Debit: d}
			if i == 1 {
				l = erp.ManualLine{Account: code, Credit: d}
			}
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// printPosted tells of entries that were posted, or were there already.
func (a *app) printPosted(list ...erp.Posted) error {
	if a.json {
		return a.printJSON(map[string]any{"entries": list})
	}
	for _, p := range list {
		verb := "posted"
		if p.Again {
			verb = "is posted already"
		}
		a.printf("entry %d %s on %s: %s\n", p.ID, verb, p.Date, p.Description)
	}
	return nil
}

func (a *app) ledgerImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Post the entries of a CSV file, all or none",
		Long: "Import posts the entries of a CSV file with the columns date, description, account, debit, credit and, where wanted,\n" +
			"entry, currency, memo. Lines that follow each other with the same date, description and entry are one entry.\n" +
			"Where one line is wrong nothing is posted, and all that is wrong is told. The same file is posted once.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withFile(cmd, args[0], func(f *os.File, b *erp.Books) error {
				list, err := b.ImportEntries(cmd.Context(), args[0], f)
				if err != nil {
					return err
				}
				return a.printPosted(list...)
			})
		},
	}
}

// withFile opens the books and a file.
func (a *app) withFile(cmd *cobra.Command, path string, use func(*os.File, *erp.Books) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fault.New(fault.NotFound, "", "%w", err)
	}
	defer f.Close()
	return a.withBooks(cmd.Context(), cmd.Name(), func(_ *config.Config, b *erp.Books) error { return use(f, b) })
}

func (a *app) ledgerReverse() *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use:   "reverse ENTRY",
		Short: "Take back an entry that was posted by hand",
		Long: "Reverse posts the opposite of an entry that was posted by hand. Entries of orders, bills and closings are taken\n" +
			"back with what they belong to.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fault.New(fault.Invalid, "see: comptoir report journal", "%q is not the number of an entry", args[0])
			}
			return a.withBooks(cmd.Context(), "ledger", func(_ *config.Config, b *erp.Books) error {
				p, err := b.ReverseEntry(cmd.Context(), id, day)
				if err != nil {
					return err
				}
				return a.printPosted(p)
			})
		},
	}
	cmd.Flags().StringVar(&day, "date", "", "business `DAY` (default: that of the entry, or the first open day)")
	return cmd
}

func (a *app) ledgerOpening() *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use:   "opening FILE.csv --date DAY",
		Short: "Begin the books with the balances of a CSV file",
		Long: "Opening posts the balances with which the books begin, from a CSV file with the columns account, debit, credit and,\n" +
			"where wanted, name and memo. What they do not balance by goes to opening equity. Where one line is wrong nothing is\n" +
			"posted, and all that is wrong is told. Repeating it changes nothing; to correct it, reverse the entry first.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withFile(cmd, args[0], func(f *os.File, b *erp.Books) error {
				p, err := b.OpenBalances(cmd.Context(), day, args[0], f)
				if err != nil {
					return err
				}
				return a.printPosted(p)
			})
		},
	}
	cmd.Flags().StringVar(&day, "date", "", "the `DAY` of the balances")
	return cmd
}

func (a *app) ledgerAccounts() *cobra.Command {
	return &cobra.Command{
		Use:   "accounts",
		Short: "List the accounts with their balances",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "ledger", func(c *config.Config, b *erp.Books) error {
				list, err := b.Accounts(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"accounts": list})
				}
				t := a.newTable([]string{"account", "name", "type", "role", "balance"}, "balance")
				for _, x := range list {
					t.AppendRow([]any{x.Code, x.Name, x.Type, string(x.Role), amount(x.Balance, c.Books.Currency)})
				}
				t.Render()
				return nil
			})
		},
	}
}

func (a *app) ledgerAccountAdd() *cobra.Command {
	var name, kind string
	cmd := &cobra.Command{
		Use:   "add CODE --name NAME --type TYPE",
		Short: "Add an account to the chart",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "ledger", func(_ *config.Config, b *erp.Books) error {
				if err := b.AddAccount(cmd.Context(), args[0], name, kind); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]string{"code": args[0], "name": name, "type": kind})
				}
				a.printf("account %s is added\n", args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what it is called")
	cmd.Flags().StringVar(&kind, "type", "", "asset, liability, equity, income or expense")
	return cmd
}

func (a *app) ledgerVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check the books against themselves",
		Long: "Verify reads all entries and checks that each is as it was written and in its place, that debits equal credits,\n" +
			"that the balances are the sums of the lines, and that stock, taxes and documents agree with their accounts.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "ledger", func(c *config.Config, b *erp.Books) error {
				found, err := b.Verify(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					if found == nil {
						found = []erp.Finding{}
					}
					if err := a.printJSON(map[string]any{"findings": found}); err != nil {
						return err
					}
				}
				if !a.json {
					a.printFindings(found)
				}
				if len(found) > 0 {
					return fault.New(fault.Unprocessable, "restore the books from a backup, or report it", "the books are not whole; the first: %s: %s: %s",
						found[0].Check, found[0].Where, found[0].What)
				}
				return nil
			})
		},
	}
}

func (a *app) printFindings(found []erp.Finding) {
	if len(found) == 0 {
		a.printf("The books are whole.\n")
	}
	for _, f := range found {
		a.printf("%s: %s: %s\n", f.Check, f.Where, f.What)
	}
}
