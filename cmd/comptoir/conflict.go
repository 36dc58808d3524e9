package main

import (
	"strconv"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/spf13/cobra"
)

func (a *app) conflict() *cobra.Command {
	cmd := group("conflict", "Decide what counts where the books and a shop have both changed it", a.conflictList(), a.conflictKeep())
	cmd.Long = "A field that belongs to the books and was changed in a shop is put back. Where it was changed here too since both\n" +
		"last agreed, nobody can know which is right: nothing is sent or taken over until a person says which side counts."
	return cmd
}

func (a *app) conflictList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List what is to be decided, oldest first",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "conflict", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Conflicts(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"conflicts": list})
				}
				if len(list) == 0 {
					a.printf("No conflicts.\n")
					return nil
				}
				a.printConflicts(list)
				return nil
			})
		},
	}
}

// printConflicts prints what is to be decided, where there is something.
func (a *app) printConflicts(list []erp.StandingConflict) {
	if len(list) == 0 {
		return
	}
	t := a.newTable([]string{"shop", "kind", "number", "what", "field", "books", "shop says", "since"}, "number")
	for _, c := range list {
		t.AppendRow([]any{c.Shop, c.Kind, c.ID, short(c.Label), c.Field, short(c.Books), short(c.Stated), instant(c.Since)})
	}
	t.Render()
	a.printf("Decide: comptoir conflict keep SHOP KIND NUMBER FIELD --side shop|erp\n")
}

// short cuts a text that is too long for a table.
func short(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

func (a *app) conflictKeep() *cobra.Command {
	var side string
	var dry bool
	cmd := &cobra.Command{
		Use:     "keep SHOP KIND NUMBER FIELD --side shop|erp",
		Short:   "Say which side counts",
		Example: `  comptoir conflict keep atelier product 1042 title --side erp`,
		Args:    count(4, 4),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[2], 10, 64)
			if err != nil {
				return fault.New(fault.Invalid, "see: comptoir conflict list", "%q is not a number of the list", args[2])
			}
			return a.withBooks(cmd.Context(), "conflict", func(_ *config.Config, b *erp.Books) error {
				c, err := b.KeepSide(cmd.Context(), args[0], intake.Kind(args[1]), id, intake.Field(args[3]), outbox.Owner(side), dry)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"conflict": c, "side": side, "dry_run": dry})
				}
				value, keeps := c.Books, "keeps"
				if side == string(outbox.Shop) {
					value = c.Stated
				}
				if dry {
					keeps = "would keep"
				}
				a.printf("%s %s %s %q as %s\n", c.Kind, c.Label, keeps, short(value), c.Field)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&side, "side", "", "`shop`: what it says counts, and the books take it over; erp: what the books say counts, and the shop is told")
	dryRun(cmd, &dry)
	return cmd
}
