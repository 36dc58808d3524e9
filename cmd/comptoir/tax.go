package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/tax"

	"github.com/spf13/cobra"
)

func (a *app) tax() *cobra.Command {
	return group("tax", "Check, declare and pay taxes",
		a.taxLoad(), a.taxRates(), a.taxCheck(), a.taxSettle(), a.taxPay(), a.taxReverse(), a.taxList(), a.taxBalance())
}

func (a *app) taxLoad() *cobra.Command {
	return &cobra.Command{
		Use:   "load " + strings.Join(tax.Presets(), "|") + "|FILE.yaml",
		Short: "Load the taxes that are due: agencies, zones, rates",
		Long: "Load adds tax rules to those of the books, and replaces what has the same keys: rules that ship with Comptoir, or\n" +
			"those of a file. Two rates that are valid at once for the same goods and zone are refused. The rules check what\n" +
			"the shops charge, and say to whom it is declared; they do not change an order.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := readRules(args[0])
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "tax", func(_ *config.Config, b *erp.Books) error {
				if err := b.LoadTaxRules(cmd.Context(), rules); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(rules)
				}
				a.printf("loaded %s, %s, %s\n", plural(len(rules.Rates), "rate"), plural(len(rules.Zones), "zone"), pluralOf(len(rules.Agencies), "agency", "agencies"))
				return nil
			})
		},
	}
}

func pluralOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// readRules reads rules that ship with Comptoir, or a file.
func readRules(name string) (*tax.Rules, error) {
	if slices.Contains(tax.Presets(), name) {
		return tax.Preset(name)
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "name a file, or one of "+strings.Join(tax.Presets(), ", "), "there are no tax rules %q", name)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "", "%w", err)
	}
	defer f.Close()
	return tax.ReadRules(f)
}

func (a *app) taxRates() *cobra.Command {
	return &cobra.Command{
		Use:   "rates",
		Short: "List the rates of the tax rules",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "tax", func(_ *config.Config, b *erp.Books) error {
				rules, err := b.TaxRules(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(rules)
				}
				t := a.newTable([]string{"zone", "category", "position", "name", "agency", "rate", "compound", "from", "to", "recoverable"}, "position", "rate", "recoverable")
				for _, x := range rules.Rates {
					t.AppendRow([]any{x.Zone, x.Category, x.Position, x.Name, x.Agency, tax.Percent(x.PPM) + " %", x.Compound, x.From, x.To, tax.Percent(x.RecoverablePPM) + " %"})
				}
				t.Render()
				return nil
			})
		},
	}
}

func (a *app) taxCheck() *cobra.Command {
	var q erp.TaxQuery
	var all bool
	cmd := &cobra.Command{
		Use:   "check [ORDER] [--from DAY --to DAY]",
		Short: "Compare the tax that shops charged with the tax rules",
		Long: "Check computes the tax of orders by the rules and lists those whose tax differs, with the reason: another rate,\n" +
			"tax that is missing or not due, the rate of home where that of the destination is due. Rounding, reverse charge\n" +
			"and exports are explained and counted; --all lists them, too. Nothing is changed.",
		Args: count(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				q.Order, all = args[0], true
			}
			return a.withBooks(cmd.Context(), "tax", func(_ *config.Config, b *erp.Books) error {
				list, counts := []erp.TaxCheck{}, map[tax.Reason]int{}
				err := b.CheckTaxes(cmd.Context(), q, func(c erp.TaxCheck) error {
					counts[c.Reason]++
					if all || !c.Reason.Fine() {
						list = append(list, c)
					}
					return nil
				})
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"orders": list, "counts": counts})
				}
				a.printTaxChecks(list, counts)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.From, "from", "", "first `DAY` on which orders were placed")
	f.StringVar(&q.To, "to", "", "last `DAY`")
	f.StringVar(&q.Shop, "shop", "", "only those of this `SHOP`")
	f.BoolVar(&all, "all", false, "list the orders whose tax is right, too")
	return cmd
}

func (a *app) printTaxChecks(list []erp.TaxCheck, counts map[tax.Reason]int) {
	if len(list) > 0 {
		t := a.newTable([]string{"order", "placed", "to", "charged", "by the rules", "why"}, "charged", "by the rules")
		for _, c := range list {
			t.AppendRow([]any{c.Shop + " " + c.Number, c.Day, c.Country, amount(c.Stated, c.Currency), amount(c.Expected, c.Currency) + " " + string(c.Currency), string(c.Reason) + ": " + c.Text})
		}
		t.Render()
	}
	var reasons []string
	for r := range counts {
		reasons = append(reasons, string(r))
	}
	slices.Sort(reasons)
	for _, r := range reasons {
		a.printf("%s: %s\n", r, plural(counts[tax.Reason(r)], "order"))
	}
	if len(reasons) == 0 {
		a.printf("No orders in these days.\n")
	}
}

func (a *app) taxSettle() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "settle AGENCY --from DAY --to DAY",
		Short: "Close a return: post what was collected and deducted to what is to be paid",
		Long: "Settle closes the return to an agency for a period that is over: what was collected, less what is deductible,\n" +
			"goes from the tax accounts to what is to be paid. Returns follow each other without a gap.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "tax", func(c *config.Config, b *erp.Books) error {
				r, err := b.SettleTax(cmd.Context(), args[0], from, to)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				cur := c.Books.Currency
				a.printf("return %d to %s, %s to %s: collected %s, deductible %s, to pay %s %s\n", r.ID, r.Agency, r.From, r.To, amount(r.Output, cur), amount(r.Input, cur), amount(r.Net, cur), cur)
				if r.Late != 0 {
					a.printf("%s %s of it belongs to earlier periods and was booked after they were declared\n", amount(r.Late, cur), cur)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first `DAY` of the period")
	cmd.Flags().StringVar(&to, "to", "", "last `DAY` of the period")
	return cmd
}

func (a *app) taxPay() *cobra.Command {
	var o erp.PayOrder
	var text string
	cmd := &cobra.Command{
		Use:   "pay AGENCY --amount AMOUNT --date DAY",
		Short: "Book a payment to an agency, or one from it",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Amount, err = erp.ParseAmount(text); err != nil {
				return err
			}
			o.Agency = args[0]
			return a.withBooks(cmd.Context(), "tax", func(c *config.Config, b *erp.Books) error {
				p, err := b.PayTax(cmd.Context(), o)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(p)
				}
				a.printf("payment %d: %s %s with %s, by entry %d\n", p.ID, amount(p.Amount, c.Books.Currency), c.Books.Currency, p.Agency, p.Entry)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&text, "amount", "", "`AMOUNT` in the currency of the books, such as 1234.56")
	f.StringVar(&o.Day, "date", "", "business `DAY` of the payment")
	f.StringVar(&o.Account, "account", "", "`CODE` of the account that it is paid from (default: the bank)")
	f.StringVar(&o.Reference, "ref", "", "`REFERENCE` of the bank; the same one is booked once")
	f.BoolVar(&o.Received, "received", false, "the agency pays back")
	f.BoolVar(&o.Advance, "advance", false, "pay more than is due")
	return cmd
}

func (a *app) taxReverse() *cobra.Command {
	return &cobra.Command{
		Use:   "reverse ID",
		Short: "Take back a return or a payment",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fault.New(fault.Invalid, "see: comptoir tax list", "%q is not the number of a return or a payment", args[0])
			}
			return a.withBooks(cmd.Context(), "tax", func(_ *config.Config, b *erp.Books) error {
				entry, err := b.ReverseTax(cmd.Context(), id)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]int64{"id": id, "entry": entry})
				}
				a.printf("%d is taken back\n", id)
				return nil
			})
		},
	}
}

func (a *app) taxList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the returns and payments",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "tax", func(c *config.Config, b *erp.Books) error {
				returns, payments, err := b.TaxDocuments(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"returns": returns, "payments": payments})
				}
				cur := c.Books.Currency
				state := func(reversal int64) string {
					if reversal != 0 {
						return "taken back"
					}
					return ""
				}
				t := a.newTable([]string{"id", "what", "agency", "from", "to", "collected", "deductible", "amount", "entry", "state"}, "id", "collected", "deductible", "amount", "entry")
				for _, r := range returns {
					t.AppendRow([]any{r.ID, "return", r.Agency, r.From, r.To, amount(r.Output, cur), amount(r.Input, cur), amount(r.Net, cur), blankZero(r.Entry), state(r.Reversal)})
				}
				for _, p := range payments {
					t.AppendRow([]any{p.ID, "payment", p.Agency, p.Day, p.Day, "", "", amount(p.Amount, cur), blankZero(p.Entry), state(p.Reversal)})
				}
				t.Render()
				return nil
			})
		},
	}
}

func (a *app) taxBalance() *cobra.Command {
	return &cobra.Command{
		Use:   "balance",
		Short: "Tell how the company stands with each agency",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "tax", func(c *config.Config, b *erp.Books) error {
				list, err := b.TaxBalances(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"agencies": list})
				}
				cur := c.Books.Currency
				t := a.newTable([]string{"agency", "name", "collected", "deductible", "declared", "paid", "due", "next return from"}, "collected", "deductible", "declared", "paid", "due")
				for _, x := range list {
					t.AppendRow([]any{x.Agency, x.Name, amount(x.Collected, cur), amount(x.Deductible, cur), amount(x.Declared, cur), amount(x.Paid, cur), amount(x.Due, cur), x.Next})
				}
				t.Render()
				a.printf("Collected and deductible are not declared yet; due is declared and not paid. All in %s.\n", cur)
				return nil
			})
		},
	}
}
