package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/cmd/internal/engine"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/spf13/cobra"
)

func (a *app) resync() *cobra.Command {
	var resources []string
	var since, order string
	var dry bool
	cmd := &cobra.Command{
		Use:   "resync SHOP",
		Short: "Read a shop again, whatever was read before",
		Long: "Resync reads records again that were read before, and books what differs. Doing it twice changes nothing.\n" +
			"With --dry-run it only tells what it would change.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if order != "" && (since != "" || len(resources) > 0) {
				return fault.New(fault.Invalid, "leave out one of them", "--order goes neither with --since nor with --resource")
			}
			return a.withHouse(cmd.Context(), "resync", args, func(ctx context.Context, h *daemon.House) error {
				from, err := parseSince(since, h.Config)
				if err != nil {
					return err
				}
				res, err := h.Engine.Resync(ctx, engine.ResyncRequest{Shop: args[0], Resources: asResources(resources),
					Since: from, Order: order, DryRun: dry})
				if res.Shop == "" {
					return err
				}
				return errors.Join(a.printResync(res, dry), err)
			})
		},
	}
	resourceFlag(cmd, &resources)
	cmd.Flags().StringVar(&since, "since", "", "only what changed since this `DATE` (2026-01-31, or 2026-01-31T15:00:00Z)")
	cmd.Flags().StringVar(&order, "order", "", "only the order with this `ID`")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only tell what would change")
	return cmd
}

// parseSince reads a day in the company's time zone, or an instant.
func parseSince(text string, c *config.Config) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, c.Books.TimeZone); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "write it as 2026-01-31 or 2026-01-31T15:00:00Z", "--since: %q is not a date", text)
	}
	return t, nil
}

func (a *app) printResync(res engine.Result, dry bool) error {
	if !dry {
		return a.printResults([]engine.Result{res})
	}
	if a.json {
		if res.Changes == nil {
			res.Changes = []erp.Change{}
		}
		return a.printJSON(map[string]any{"results": []engine.Result{res}})
	}
	if len(res.Changes) == 0 {
		a.printf("Nothing would change.\n")
		return nil
	}
	t := a.newTable([]string{"kind", "id", "what would change"})
	for _, c := range res.Changes {
		what := c.What
		if c.Parks != "" {
			what = strings.TrimPrefix(what+"; would be parked: "+c.Parks, "; ")
		}
		t.AppendRow([]any{c.Ref.Kind, c.Ref.ID, what})
	}
	t.Render()
	return nil
}

// shorten joins a list, the first few of it where it is long.
func shorten(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
}
