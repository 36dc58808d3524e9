package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
)

func (a *app) shipment() *cobra.Command {
	return group("shipment", "Ship orders, and see what has left", a.shipmentAdd(), a.shipmentList())
}

func (a *app) shipmentAdd() *cobra.Command {
	var ask erp.ShipAsk
	var lines []string
	var dry bool
	cmd := &cobra.Command{
		Use:   "add SHOP ORDER",
		Short: "Have the shop ship goods of an order, all that is left or a part",
		Long: "Add asks the shop to ship goods of an order, which is named by its number or its id. Without --line it is all that\n" +
			"is left. The daemon, or comptoir push, tells the shop; the goods leave the books when the shop states that they left.",
		Example: `  comptoir shipment add atelier 1042 --line SHIRT-M=2 --carrier Colissimo --tracking 6A12345678901 --notify`,
		Args:    count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if ask.Lines, err = orderLines(lines); err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "shipment", func(_ *config.Config, b *erp.Books) error {
				done, err := b.ShipOrder(cmd.Context(), args[0], args[1], ask, dry)
				return a.printRequested(cmd.Context(), b, done, err)
			})
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&lines, "line", nil, "`SKU=N` or LINE=N: so many of a line; may be repeated (default: all that is left)")
	f.StringVar(&ask.Carrier, "carrier", "", "`NAME` of who carries it")
	f.StringVar(&ask.Tracking, "tracking", "", "tracking `NUMBER`")
	f.StringVar(&ask.TrackingURL, "url", "", "`URL` at which it can be followed")
	f.StringVar(&ask.Location, "location", "", "`LOCATION` of the shop that it leaves from, by id or name (default: the shop decides)")
	f.BoolVar(&ask.Notify, "notify", false, "have the shop write to the customer")
	dryFlag(cmd, &dry)
	return cmd
}

// dryFlag is the flag of the verbs that ask a shop for something.
func dryFlag(cmd *cobra.Command, dry *bool) {
	cmd.Flags().BoolVar(dry, "dry-run", false, "only show what the shop would be asked for")
}

// orderLines reads SKU=N; a SKU may hold a = itself.
func orderLines(list []string) ([]sales.Ask, error) {
	var out []sales.Ask
	for _, text := range list {
		i := strings.LastIndexByte(text, '=')
		if i < 1 {
			return nil, fault.New(fault.Invalid, "write it as SKU=2", "--line %q does not say how many", text)
		}
		n, err := decimal.NewFromString(text[i+1:])
		if err != nil {
			return nil, fault.New(fault.Invalid, "write it as SKU=2", "--line %q: %q is no number", text, text[i+1:])
		}
		out = append(out, sales.Ask{Line: text[:i], Quantity: n})
	}
	return out, nil
}

// printRequested shows what a shop is asked for.
func (a *app) printRequested(ctx context.Context, b *erp.Books, r erp.Requested, err error) error {
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(r)
	}
	words, err := b.OrderWords(ctx, []erp.OrderName{{Shop: r.Shop, Number: r.Number}})
	if err != nil {
		return err
	}
	when := "; it is told by the daemon, or by: comptoir push " + r.Shop
	if r.State == erp.RequestPlanned {
		when = " (not asked: this is a dry run)"
	}
	a.printf("%s is asked to %s%s\n", r.Shop, inWords(r, words), when)
	return nil
}

// inWords says what a shop is asked for.
func inWords(r erp.Requested, words map[erp.OrderName]erp.OrderWords) string {
	q, order := r.Request, words[erp.OrderName{Shop: r.Shop, Number: r.Number}]
	switch {
	case q.Shipment != nil:
		text := fmt.Sprintf("ship %s of order %s", goods(q.Shipment.Lines, order), r.Number)
		if q.Shipment.Carrier+q.Shipment.Tracking != "" {
			text += " by " + strings.TrimSpace(q.Shipment.Carrier+" "+q.Shipment.Tracking)
		}
		return text
	case q.Cancel != nil:
		text := fmt.Sprintf("cancel order %s (%s)", r.Number, q.Cancel.Reason)
		if q.Cancel.Refund {
			text += " and give the money back"
		}
		return text
	case q.Refund != nil:
		return fmt.Sprintf("give %s of order %s back", strings.TrimSpace(money.Text(q.Refund.Amount, order.Currency)), r.Number)
	default:
		return fmt.Sprintf("set order %s to %s", r.Number, q.Status)
	}
}

// goods lists shipped lines for people.
func goods(lines []intake.ShippedLine, of erp.OrderWords) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = fmt.Sprintf("%s × %s", l.Quantity, cmp.Or(of.Lines[l.LineID], "line "+l.LineID))
	}
	return strings.Join(out, ", ")
}

func (a *app) shipmentList() *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use:   "list [ORDER]",
		Short: "List what shops have shipped, and what they are asked to ship",
		Args:  count(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "shipment", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Shipments(cmd.Context(), shop, strings.Join(args, ""))
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"shipments": list})
				}
				names := make([]erp.OrderName, len(list))
				for i, s := range list {
					names[i] = erp.OrderName{Shop: s.Shop, Number: s.Number}
				}
				words, err := b.OrderWords(cmd.Context(), names)
				if err != nil {
					return err
				}
				a.printShipments(list, words)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only those of this `SHOP`")
	return cmd
}

func (a *app) printShipments(list []erp.Shipment, words map[erp.OrderName]erp.OrderWords) {
	if len(list) == 0 {
		a.printf("No shipments. Where a shop states none, an order that is completed was shipped in full.\n")
		return
	}
	t := a.newTable([]string{"shop", "order", "at", "carrier", "tracking", "goods", "state"})
	for _, s := range list {
		t.AppendRow([]any{s.Shop, s.Number, instant(s.At), s.Carrier, s.Tracking, text.WrapSoft(goods(s.Lines, words[erp.OrderName{Shop: s.Shop, Number: s.Number}]), reasonWidth), text.WrapSoft(stateOf(s.State, s.Why), reasonWidth)})
	}
	t.Render()
}

// stateOf is a state with what the shop says about it.
func stateOf(state, why string) string {
	if why == "" {
		return state
	}
	return state + ": " + why
}
