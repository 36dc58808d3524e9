package main

import (
	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

func (a *app) order() *cobra.Command {
	cmd := group("order", "List orders that are open, and have shops cancel, refund and change orders", a.orderList(), a.orderCancel(), a.orderRefund(), a.orderStatus(), a.orderRequests())
	cmd.Long = "Order asks a shop to do something with an order, which is named by its number or its id there. The daemon, or\n" +
		"comptoir push, tells the shop; goods and money move in the books when the shop states that they moved."
	return cmd
}

func (a *app) orderCancel() *cobra.Command {
	var c intake.Cancellation
	var dry bool
	cmd := &cobra.Command{
		Use:   "cancel SHOP ORDER",
		Short: "Have the shop cancel an order of which nothing has left",
		Args:  count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "order", func(_ *config.Config, b *erp.Books) error {
				done, err := b.CancelOrder(cmd.Context(), args[0], args[1], c, dry)
				return a.printRequested(cmd.Context(), b, done, err)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Reason, "reason", "", "`REASON`: customer, inventory, fraud, declined, staff or other (default: other)")
	f.StringVar(&c.Note, "note", "", "`TEXT` for the staff")
	f.BoolVar(&c.Restock, "restock", true, "put the goods back in stock; --restock=false keeps them out where the shop can")
	f.BoolVar(&c.Refund, "refund", false, "give back what was paid, the way it came")
	f.BoolVar(&c.Notify, "notify", false, "have the shop write to the customer")
	dryFlag(cmd, &dry)
	return cmd
}

func (a *app) orderRefund() *cobra.Command {
	var ask erp.RefundAsk
	var lines []string
	var sum string
	var all, dry bool
	cmd := &cobra.Command{
		Use:   "refund SHOP ORDER --amount N | --line SKU=N... | --all",
		Short: "Have the shop give money of an order back",
		Long: "Refund asks the shop to give money back: an amount with its tax, goods at what they were sold for with their taxes,\n" +
			"or all that is left. The shop's gateway moves the money, unless --by-hand says that it was moved already.",
		Example: `  comptoir order refund atelier 1042 --line SHIRT-M=1 --restock --reason "too small"`,
		Args:    count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if ask.Lines, err = orderLines(lines); err != nil {
				return err
			}
			if ask.Amount, err = number("amount", sum); err != nil {
				return err
			}
			if given := ask.Amount != nil || len(ask.Lines) > 0; given == all {
				return fault.New(fault.Invalid, "give --amount, --line or --all", "it must be said what goes back, in one way")
			}
			return a.withBooks(cmd.Context(), "order", func(_ *config.Config, b *erp.Books) error {
				done, err := b.RefundOrder(cmd.Context(), args[0], args[1], ask, dry)
				return a.printRequested(cmd.Context(), b, done, err)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&sum, "amount", "", "`AMOUNT` with its tax, in the order's currency")
	f.StringArrayVar(&lines, "line", nil, "`SKU=N` or LINE=N: so many of a line; may be repeated")
	f.BoolVar(&all, "all", false, "all that is left of the order")
	f.StringVar(&ask.Reason, "reason", "", "`TEXT` that says why")
	f.BoolVar(&ask.Restock, "restock", false, "put the goods back in stock")
	f.StringVar(&ask.Location, "location", "", "`LOCATION` of the shop where they come back to, by id or name (default: the shop decides)")
	f.BoolVar(&ask.ByHand, "by-hand", false, "the money was moved by hand: only note it")
	f.BoolVar(&ask.Notify, "notify", false, "have the shop write to the customer")
	dryFlag(cmd, &dry)
	return cmd
}

func (a *app) orderStatus() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "status SHOP ORDER STATUS",
		Short: "Have the shop give an order a status, in its own word",
		Args:  count(3, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "order", func(_ *config.Config, b *erp.Books) error {
				done, err := b.SetOrderStatus(cmd.Context(), args[0], args[1], args[2], dry)
				return a.printRequested(cmd.Context(), b, done, err)
			})
		},
	}
	dryFlag(cmd, &dry)
	return cmd
}

func (a *app) orderRequests() *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use:   "requests",
		Short: "List what shops were asked to do with orders, and what they answered",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "order", func(_ *config.Config, b *erp.Books) error {
				list, err := b.OrderRequests(cmd.Context(), shop, "")
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"requests": list})
				}
				if len(list) == 0 {
					a.printf("No shop was asked for anything.\n")
					return nil
				}
				names := make([]erp.OrderName, len(list))
				for i, r := range list {
					names[i] = erp.OrderName{Shop: r.Shop, Number: r.Number}
				}
				words, err := b.OrderWords(cmd.Context(), names)
				if err != nil {
					return err
				}
				t := a.newTable([]string{"shop", "asked", "asked at", "answered at", "state"})
				for _, r := range list {
					t.AppendRow([]any{r.Shop, text.WrapSoft(inWords(r, words), reasonWidth), instant(r.Created), instant(r.Answered), text.WrapSoft(stateOf(r.State, r.Why), reasonWidth)})
				}
				t.Render()
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only what this `SHOP` was asked")
	return cmd
}
