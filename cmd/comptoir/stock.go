package main

import (
	"cmp"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
)

func (a *app) stock() *cobra.Command {
	return group("stock", "Look at the stock and correct it", a.stockList(), a.stockAdjust(), a.stockSafety())
}

func (a *app) stockAdjust() *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{
		Use:   "adjust SKU --by N --reason TEXT",
		Short: "Add units to the stock, or take some away",
		Long: "Adjust adds units that were found or counted to the stock of a SKU, or with a negative number takes away what is\n" +
			"lost or broken. It is booked at the average cost, against inventory adjustments. Shops whose stock the books decide\n" +
			"on are told.",
		Example: `  comptoir stock adjust SHIRT-M --by -2 --reason "torn"`,
		Args:    count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := units("--by", by)
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "stock", func(_ *config.Config, b *erp.Books) error {
				done, err := b.AdjustStock(cmd.Context(), args[0], n, reason)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(done)
				}
				currency := b.Company().Currency
				a.printf("%s: %s on hand, %s available; %s worth %s %s adjusted\n", done.SKU, done.OnHand, done.Available, done.By, amount(done.Value, currency), currency)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "units to add, `N`; negative takes them away")
	cmd.Flags().StringVar(&reason, "reason", "", "`TEXT` for the journal: counted, torn, found …")
	return cmd
}

// units reads a number of units.
func units(what, text string) (decimal.Decimal, error) {
	n, err := decimal.NewFromString(text)
	if err != nil {
		return n, fault.New(fault.Invalid, "give a number of units, as in "+what+" 3", "%s is %q, and no number", what, text)
	}
	return n, nil
}

func (a *app) stockSafety() *cobra.Command {
	return &cobra.Command{
		Use:   "safety SKU N",
		Short: "Set how many units are kept back from sale",
		Args:  count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := units("the safety stock", args[1])
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "stock", func(_ *config.Config, b *erp.Books) error {
				done, err := b.SetSafety(cmd.Context(), args[0], n)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(done)
				}
				a.printf("%s: %s on hand, %s kept back, %s available\n", done.SKU, done.OnHand, done.Safety, done.Available)
				return nil
			})
		},
	}
}

func (a *app) stockList() *cobra.Command {
	var shop string
	var waiting bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what each shop has of the stock, and what it is to have",
		Long: "List shows, for each shop whose stock the books decide on, what it is taken to have of each variant and what it is\n" +
			"to have, by location. It is taken to have what it last acknowledged, less what its own orders took since.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "stock", func(c *config.Config, b *erp.Books) error {
				names := c.ShopNames()
				if shop != "" {
					names = []string{shop}
				}
				list := []erp.ShopStock{}
				for _, name := range names {
					of, err := b.ShopStocks(cmd.Context(), name)
					if err != nil {
						return err
					}
					for _, s := range of {
						if !waiting || !s.Agrees {
							list = append(list, s)
						}
					}
				}
				if a.json {
					return a.printJSON(map[string]any{"stock": list})
				}
				if waiting && len(list) == 0 {
					a.printf("The shops have what they are to have.\n")
					return nil
				}
				a.printShopStocks(list)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only what concerns this `SHOP`")
	cmd.Flags().BoolVar(&waiting, "waiting", false, "only what the shop has still to be told of")
	return cmd
}

func (a *app) printShopStocks(list []erp.ShopStock) {
	if len(list) == 0 {
		a.printf("Nothing to list: a shop is sent stock where push is enabled and owners gives stock to erp.\n")
		return
	}
	t := a.newTable([]string{"shop", "SKU", "location", "has", "is to have", "waiting since"}, "has", "is to have")
	for _, s := range list {
		has, desired := any("not known"), any(s.Desired)
		if s.Believed != nil {
			has = *s.Believed
		}
		if !s.Counted {
			has, desired = "not counted", s.Status
		}
		t.AppendRow([]any{s.Shop, cmp.Or(s.SKU, s.External), s.Location, has, desired, since(s)})
	}
	t.Render()
}

// since is how long a shop has not been told of a change.
func since(s erp.ShopStock) string {
	switch {
	case s.Parked:
		return "refused: " + s.Why
	case s.WaitingSince.IsZero():
		return ""
	default:
		return instant(s.WaitingSince)
	}
}
