package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/spf13/cobra"
)

func (a *app) link() *cobra.Command {
	cmd := group("link", "Say what is one article in several shops", a.linkExport(), a.linkImport())
	cmd.Long = "Articles of several shops are one in the books, with one stock, where their SKU is the same and unique in each shop,\n" +
		"or, without a SKU, their barcode. What is left a person decides: export writes a CSV file with a proposal where there\n" +
		"is one; write into its column link yes for the proposal, the number of another variant, or new for one of its own;\n" +
		"import does all of it, or nothing. Orders are decided again, and a stock that was taken over twice is taken back once."
	return cmd
}

func (a *app) linkExport() *cobra.Command {
	var shop string
	var proposals bool
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write what each shop sells, and which variant of the books it is, as CSV",
		Args:  count(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "link export", func(c *config.Config, b *erp.Books) error {
				if _, ok := c.Shop(shop); shop != "" && !ok {
					return fault.New(fault.NotFound, fmt.Sprintf("the configuration has %q", c.ShopNames()), "there is no shop %q", shop)
				}
				all, err := b.Bindings(cmd.Context())
				if err != nil {
					return err
				}
				list := []erp.Binding{}
				for _, l := range all {
					if (shop == "" || l.Shop == shop) && (!proposals || l.Reason != "") {
						list = append(list, l)
					}
				}
				if a.json {
					return a.printJSON(list)
				}
				if len(args) == 0 || args[0] == "-" {
					return writeBindings(a.out, list)
				}
				return a.saveBindings(args[0], list)
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only what this `SHOP` sells")
	cmd.Flags().BoolVar(&proposals, "proposals", false, "only what a person has to look at: what there is a proposal for, and what a shop has under one SKU several times")
	return cmd
}

// saveBindings writes a file, and never over one: somebody may have worked on
// it.
func (a *app) saveBindings(path string, list []erp.Binding) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case os.IsExist(err):
		return fault.New(fault.Conflict, "choose another name, or delete it first", "%s is there already", path)
	case err != nil:
		return fault.New(fault.Invalid, "name a file that can be written", "%w", err)
	}
	err = writeBindings(f, list)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	proposals := 0
	for _, l := range list {
		if l.Proposal != 0 {
			proposals++
		}
	}
	a.printf("%d articles written to %s, %d of them with a proposal.\nFill in the column link, then: comptoir link import %s\n", len(list), path, proposals, path)
	return nil
}

func writeBindings(to io.Writer, list []erp.Binding) error {
	w := csv.NewWriter(to)
	rows := [][]string{erp.BindingColumns()}
	for _, l := range list {
		rows = append(rows, l.Row())
	}
	return w.WriteAll(rows)
}

func (a *app) linkImport() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Do what the column link of an exported file says",
		Long: "Import takes the file that link export has written, with the column link filled in where something is to change: the\n" +
			"number of a variant (see the column variant) that the article is one with, yes where the proposal is right, or new for\n" +
			"an article of its own. Only the columns shop, external_id, variant and link are needed. Where a line cannot be followed\n" +
			"nothing is changed; so it is where something has been linked since the export.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			decisions, err := readBindings(args[0])
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "link import", func(_ *config.Config, b *erp.Books) error {
				done, err := b.Rebind(cmd.Context(), decisions, dryRun)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"links": done, "dry_run": dryRun})
				}
				a.printRebound(done, dryRun)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	return cmd
}

func readBindings(path string) ([]erp.Rebinding, error) {
	if path == "-" {
		return erp.ReadRebindings(os.Stdin, "standard input")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "name the file that link export wrote", "%w", err)
	}
	defer f.Close()
	return erp.ReadRebindings(f, path)
}

func (a *app) printRebound(done []erp.Rebound, dryRun bool) {
	if len(done) == 0 {
		a.printf("Nothing is to be linked: the column link is empty, or says what is so already.\n")
		return
	}
	t := a.newTable([]string{"shop", "id", "SKU", "was", "is", "orders", "what"}, "was", "is", "orders")
	for _, d := range done {
		t.AppendRow([]any{d.Shop, d.External, d.SKU, d.From, d.To, d.Orders, d.What})
	}
	t.Render()
	if dryRun {
		a.printf("Nothing was changed.\n")
	}
}
