package main

import (
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"

	"github.com/spf13/cobra"
)

func (a *app) product() *cobra.Command {
	return group("product", "Look at what is sold, and change it", a.productList(), a.productShow(), a.productSet(), a.productPublish(), a.productArchive())
}

func (a *app) productList() *cobra.Command {
	var search string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is sold, with its stock and the shops that have it",
		Long: "List shows each variant with what is on hand, what open orders were given of it, the safety stock, and what is\n" +
			"available: on hand less what open orders want less the safety stock, and never below zero. Oversold is what orders\n" +
			"want beyond what is on hand, of goods that are not sold on backorder.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "product", func(_ *config.Config, b *erp.Books) error {
				list, err := b.VariantStocks(cmd.Context(), search)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"variants": list})
				}
				a.printVariants(list)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&search, "search", "", "only what has this `TEXT` in its SKU, barcode or title")
	return cmd
}

func (a *app) printVariants(list []erp.VariantStock) {
	if len(list) == 0 {
		a.printf("No products.\n")
		return
	}
	t := a.newTable([]string{"SKU", "title", "on hand", "allocated", "safety", "available", "oversold", "shops"}, "on hand", "allocated", "safety", "available", "oversold")
	for _, v := range list {
		title := v.Product
		if v.Title != "" && v.Title != v.Product {
			title = strings.TrimPrefix(title+" – "+v.Title, " – ")
		}
		if !v.Counted {
			t.AppendRow([]any{v.SKU, title, "not counted", "", "", "", "", strings.Join(v.Shops, ", ")})
			continue
		}
		t.AppendRow([]any{v.SKU, title, v.OnHand, v.Allocated, v.Safety, v.Available, v.Oversold, strings.Join(v.Shops, ", ")})
	}
	t.Render()
}
