package main

import (
	"cmp"
	"fmt"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// ordersShown is how many orders a person is shown.
const ordersShown = 100

func (a *app) orderList() *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the orders that are open or on hold, and what of them has still to leave",
		Long: "List shows the orders that are neither done nor cancelled, newest first, with the goods that have still to leave. One\n" +
			"that is on hold waits in its shop, for its payment say. Goods are ready where they can be shipped now.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "order", func(_ *config.Config, b *erp.Books) error {
				list, err := b.OpenOrders(cmd.Context(), shop)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"orders": list})
				}
				a.printOrders(list)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only those of this `SHOP`")
	return cmd
}

func (a *app) printOrders(list []erp.OpenOrder) {
	if len(list) == 0 {
		a.printf("No order is open.\n")
		return
	}
	t := a.newTable([]string{"shop", "order", "placed", "state", "total", "has still to leave"}, "total")
	for _, o := range list[:min(len(list), ordersShown)] {
		goods := make([]string, len(o.Lines))
		for i, l := range o.Lines {
			goods[i] = fmt.Sprintf("%s × %s (%s)", l.Left, cmp.Or(l.SKU, l.Title), l.State)
		}
		t.AppendRow([]any{o.Shop, o.Number, instant(o.Placed), fmt.Sprintf("%s: %s", o.State, o.Status), o.Total, text.WrapSoft(strings.Join(goods, ", "), reasonWidth)})
	}
	t.Render()
	if n := len(list) - ordersShown; n > 0 {
		a.printf("… and %d more; --json lists all.\n", n)
	}
	a.printf("Ship one: comptoir shipment add SHOP ORDER\n")
}
