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

	"github.com/spf13/cobra"
)

func (a *app) productShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show SKU | NUMBER",
		Short: "Show a product as the books have it, and as each shop does",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "product", func(_ *config.Config, b *erp.Books) error {
				p, err := b.Product(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(p)
				}
				a.printProduct(p)
				return nil
			})
		},
	}
}

func (a *app) printProduct(p erp.ProductView) {
	var skus []string
	for _, v := range p.Variants {
		skus = append(skus, cmp.Or(v.SKU, fmt.Sprint(v.ID)))
	}
	a.printf("product %d, %s\nstatus:     %s\ncategories: %s\nvariants:   %s\n", p.ID, p.Title, p.Status, strings.Join(p.Categories, ", "), strings.Join(skus, ", "))
	for _, s := range p.Shops {
		if s.ID == "" {
			a.printf("\n%s: to be made there\n", s.Shop)
			continue
		}
		a.printf("\n%s, as %s\n", s.Shop, s.ID)
		t := a.newTable([]string{"variant", "field", "owner", "books", "shop says", "state"})
		for _, f := range s.Fields {
			t.AppendRow([]any{f.SKU, f.Field, f.Owner, short(f.Books), short(f.Stated), f.State})
		}
		t.Render()
		if len(s.Lacks) > 0 {
			a.printf("lacks %s; to have them made there: comptoir product publish %d %s\n", strings.Join(s.Lacks, ", "), p.ID, s.Shop)
		}
	}
}

func (a *app) productSet() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "set SKU | NUMBER FIELD=VALUE...",
		Short: "Change fields of a product or a variant, here and in the shops",
		Long: "Set changes fields that belong to the books (shops.NAME.owners). Those of a product are title, description,\n" +
			"short_description, status (published, draft or archived), images (addresses with commas between them) and\n" +
			"categories (paths with commas between them); those of a variant are price, sale_price, sale_from, sale_to (days or\n" +
			"instants), barcode, weight (with its unit: 700 g, 0.7 kg, 8 oz or 1.5 lb; each shop is told in its own), attributes\n" +
			"(Size=M,Colour=Red) and backorders (no, notify or yes). An empty value takes away what is there.",
		Example: "  comptoir product set TEE-M title=\"Soft tee\" price=19.90\n  comptoir product set TEE-M categories=Clothing/Shirts,Sale weight=\"180 g\"",
		Args:    count(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := assignments(args[1:])
			if err != nil {
				return err
			}
			return a.changeProduct(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.ProductChange, error) {
				return b.SetProduct(ctx, args[0], set, dry)
			})
		},
	}
	dryRun(cmd, &dry)
	return cmd
}

// assignments reads FIELD=VALUE.
func assignments(args []string) ([]erp.Assignment, error) {
	var out []erp.Assignment
	for _, arg := range args {
		field, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fault.New(fault.Invalid, "write FIELD=VALUE, such as title=Tee", "%q sets nothing", arg)
		}
		out = append(out, erp.Assignment{Field: intake.Field(strings.TrimSpace(field)), Text: value})
	}
	return out, nil
}

func (a *app) productArchive() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "archive SKU | NUMBER",
		Short: "Take a product off sale; it stays in the books and in the shops, and can be published again",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeProduct(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.ProductChange, error) {
				return b.SetProduct(ctx, args[0], []erp.Assignment{{Field: intake.FieldStatus, Text: "archived"}}, dry)
			})
		},
	}
	dryRun(cmd, &dry)
	return cmd
}

func (a *app) productPublish() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "publish SKU | NUMBER SHOP",
		Short: "Have a product made in a shop that does not have it yet, or its variants that the shop lacks",
		Long: "Publish has a product made in a shop, with all of its variants. Where the shop has the product, the variants that it\n" +
			"lacks are made. New variants of a product that several shops have are made by themselves in the shops whose prices\n" +
			"the books set (shops.NAME.owners.price: erp), and where the books have made the product. What cannot be made there\n" +
			"is refused, and comptoir outbox list says why.",
		Args: count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeProduct(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.ProductChange, error) {
				return b.PublishProduct(ctx, args[0], args[1], dry)
			})
		},
	}
	dryRun(cmd, &dry)
	return cmd
}

func (a *app) price() *cobra.Command {
	return group("price", "Set prices", a.priceSet())
}

func (a *app) priceSet() *cobra.Command {
	var sale, from, to string
	var clear, dry bool
	cmd := &cobra.Command{
		Use:   "set SKU AMOUNT",
		Short: "Set the price of a variant, here and in the shops",
		Long: "Set sets the regular price, and with --sale the reduced one. A sale runs from the beginning of the day of --from to the\n" +
			"end of that of --to, in the time zone of the books; without them it runs at once, and until it is cleared. To a shop\n" +
			"that cannot hold the dates it is sent when it begins, and taken back when it ends.",
		Example: "  comptoir price set TEE-M 19.90\n  comptoir price set TEE-M 19.90 --sale 15 --from 2026-11-27 --to 2026-11-30",
		Args:    count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			set := []erp.Assignment{{Field: intake.FieldPrice, Text: args[1]}}
			switch {
			case clear && (sale != "" || from != "" || to != ""):
				return fault.New(fault.Invalid, "say one of the two", "--clear-sale goes with neither --sale nor its dates")
			case sale == "" && (from != "" || to != ""):
				return fault.New(fault.Invalid, "give the reduced price with --sale", "there are dates of a sale, and no price of it")
			case clear || sale != "":
				set = append(set, erp.Assignment{Field: intake.FieldSale, Text: sale}, erp.Assignment{Field: intake.FieldSaleFrom, Text: from}, erp.Assignment{Field: intake.FieldSaleTo, Text: to})
			}
			return a.changeProduct(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.ProductChange, error) {
				return b.SetProduct(ctx, args[0], set, dry)
			})
		},
	}
	cmd.Flags().StringVar(&sale, "sale", "", "the reduced `PRICE`")
	cmd.Flags().StringVar(&from, "from", "", "`DAY` on which the sale begins")
	cmd.Flags().StringVar(&to, "to", "", "last `DAY` of the sale")
	cmd.Flags().BoolVar(&clear, "clear-sale", false, "end the sale")
	dryRun(cmd, &dry)
	return cmd
}

// changeProduct makes a change of a product and tells of it.
func (a *app) changeProduct(cmd *cobra.Command, dry bool, change func(context.Context, *erp.Books) (erp.ProductChange, error)) error {
	return a.withBooks(cmd.Context(), "product", func(_ *config.Config, b *erp.Books) error {
		c, err := change(cmd.Context(), b)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				erp.ProductChange
				DryRun bool `json:"dry_run"`
			}{c, dry})
		}
		for _, w := range c.Warnings {
			fmt.Fprintln(a.err, "comptoir: warning: "+w)
		}
		if len(c.Changes) == 0 {
			a.printf("Nothing changes: %s (product %d) has it already.\n", c.Title, c.Product)
			return nil
		}
		a.printf("product %d, %s\n", c.Product, c.Title)
		t := a.newTable([]string{"variant", "field", "from", "to"})
		for _, f := range c.Changes {
			t.AppendRow([]any{f.SKU, f.Field, short(f.From), short(f.To)})
		}
		t.Render()
		a.printTold(c.Shops, dry)
		return nil
	})
}
