package main

import (
	"context"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/spf13/cobra"
)

func (a *app) category() *cobra.Command {
	cmd := group("category", "Look after the tree of categories that the shops share",
		a.categoryList(), a.categoryAdd(), a.categoryRename(), a.categoryMove(), a.categoryDelete())
	cmd.Long = "The shops whose categories belong to the books (shops.NAME.owners.categories: erp) share one tree: what is added,\n" +
		"renamed, moved or deleted here is so in each of them, and the products follow. A category is named by its path, such\n" +
		"as Clothing/Shirts, by the end of one that is like no other, or by its number."
	return cmd
}

func (a *app) categoryList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the tree, and under which id each shop has each category",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "category", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Categories(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"categories": list})
				}
				if len(list) == 0 {
					a.printf("No categories. They come with the products of a shop that leaves its categories to the books; see: comptoir category --help\n")
					return nil
				}
				t := a.newTable([]string{"number", "category", "products", "shops"}, "number", "products")
				for _, c := range list {
					t.AppendRow([]any{c.ID, c.Path, c.Products, inShops(c.Shops)})
				}
				t.Render()
				return nil
			})
		},
	}
}

// inShops tells under which id each shop has something.
func inShops(list []erp.InShop) string {
	var out []string
	for _, s := range list {
		id := s.ID
		if id == "" {
			id = "to be made"
		}
		out = append(out, s.Shop+": "+id)
	}
	return strings.Join(out, ", ")
}

func (a *app) categoryAdd() *cobra.Command {
	var under string
	var dry bool
	cmd := &cobra.Command{
		Use:     "add NAME [--under CATEGORY]",
		Short:   "Add a category, here and in the shops",
		Example: `  comptoir category add Shirts --under Clothing`,
		Args:    count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeCategory(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.CategoryChange, error) {
				return b.AddCategory(ctx, args[0], under, dry)
			}, "added")
		},
	}
	cmd.Flags().StringVar(&under, "under", "", "the `CATEGORY` that it stands under (default: none, at the root)")
	dryRun(cmd, &dry)
	return cmd
}

func (a *app) categoryRename() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "rename CATEGORY NAME",
		Short: "Give a category another name, here and in the shops",
		Args:  count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeCategory(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.CategoryChange, error) {
				return b.RenameCategory(ctx, args[0], args[1], dry)
			}, "renamed")
		},
	}
	dryRun(cmd, &dry)
	return cmd
}

func (a *app) categoryMove() *cobra.Command {
	var under string
	var root, dry bool
	cmd := &cobra.Command{
		Use:   "move CATEGORY --under CATEGORY | --root",
		Short: "Put a category, with all that stands under it, elsewhere in the tree",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (under == "") != root {
				return fault.New(fault.Invalid, "usage: "+cmd.UseLine(), "say either --under CATEGORY or --root")
			}
			return a.changeCategory(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.CategoryChange, error) {
				return b.MoveCategory(ctx, args[0], under, dry)
			}, "moved")
		},
	}
	cmd.Flags().StringVar(&under, "under", "", "the `CATEGORY` that it is to stand under")
	cmd.Flags().BoolVar(&root, "root", false, "it is to stand under none")
	dryRun(cmd, &dry)
	return cmd
}

func (a *app) categoryDelete() *cobra.Command {
	var children string
	var dry bool
	cmd := &cobra.Command{
		Use:   "delete CATEGORY [--children up]",
		Short: "Delete a category, here and in the shops; its products stay",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if children != "" && children != "up" {
				return fault.New(fault.Invalid, "say --children up, or leave it out", "--children %s is not known", children)
			}
			return a.changeCategory(cmd, dry, func(ctx context.Context, b *erp.Books) (erp.CategoryChange, error) {
				return b.DeleteCategory(ctx, args[0], children == "up", dry)
			}, "deleted")
		},
	}
	cmd.Flags().StringVar(&children, "children", "", "`up`: the categories under it move up to where it stood; without it one that has any is refused")
	dryRun(cmd, &dry)
	return cmd
}

// dryRun adds the flag that every change of the catalogue has.
func dryRun(cmd *cobra.Command, dry *bool) {
	cmd.Flags().BoolVar(dry, "dry-run", false, "change nothing, and only say what would be done")
}

// changeCategory makes a change of the tree and tells of it.
func (a *app) changeCategory(cmd *cobra.Command, dry bool, change func(context.Context, *erp.Books) (erp.CategoryChange, error), done string) error {
	return a.withBooks(cmd.Context(), "category", func(_ *config.Config, b *erp.Books) error {
		c, err := change(cmd.Context(), b)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				erp.CategoryChange
				DryRun bool `json:"dry_run"`
			}{c, dry})
		}
		would := ""
		if dry {
			would = "would be "
		}
		a.printf("category %s %s%s", c.Category.Path, would, done)
		if c.Was != "" {
			a.printf(" (was %s)", c.Was)
		}
		a.printf("\n")
		for _, path := range c.Moved {
			a.printf("  %s %smoved up\n", path, would)
		}
		a.printTold(c.Shops, dry)
		return nil
	})
}

// printTold says which shops are told of a change.
func (a *app) printTold(shops []string, dry bool) {
	switch {
	case len(shops) == 0:
		a.printf("No shop is told: nothing is sent to those that have it.\n")
	case dry:
		a.printf("Would be told: %s\n", strings.Join(shops, ", "))
	default:
		a.printf("To be told: %s. The daemon does it at once; without one: comptoir push SHOP\n", strings.Join(shops, ", "))
	}
}
