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
	"comptoir/erp/intake"

	"github.com/jedib0t/go-pretty/v6/text"
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
			for _, name := range []string{"order", "since", "resource"} {
				if f := cmd.Flag(name); f.Changed && (f.Value.String() == "" || f.Value.String() == "[]") {
					return fault.New(fault.Invalid, "give it a value, or leave it out to read everything", "--%s is empty", name)
				}
			}
			if order != "" && (since != "" || len(resources) > 0) {
				return fault.New(fault.Invalid, "leave out one of them", "--order goes neither with --since nor with --resource")
			}
			return a.withHouse(cmd.Context(), "resync", args, func(ctx context.Context, h *daemon.House) error {
				began := time.Now()
				from, err := parseSince(since, h.Config)
				if err != nil {
					return err
				}
				res, err := h.Engine.Resync(ctx, engine.ResyncRequest{Shop: args[0], Resources: asResources(resources),
					Since: from, Order: order, DryRun: dry})
				if res.Shop == "" || fault.KindOf(err) == fault.NotFound {
					return err
				}
				if dry && order != "" && err == nil {
					if res.Changes, err = stillParked(ctx, h.Books, res, order); err != nil {
						return err
					}
				}
				if !dry {
					return errors.Join(a.printResults(ctx, h.Books, began, []engine.Result{res}), err)
				}
				return errors.Join(a.printPreview(res), err)
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
func parseSince(said string, c *config.Config) (time.Time, error) {
	if said == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, said, c.Books.TimeZone); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, said)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "write it as 2026-01-31 or 2026-01-31T15:00:00Z", "--since: %q is not a date", said)
	}
	return t, nil
}

// stillParked adds to what a dry run of one order found that the order stays
// parked, where it does.
func stillParked(ctx context.Context, books *erp.Books, res engine.Result, order string) ([]erp.Change, error) {
	if len(res.Changes) > 0 {
		return res.Changes, nil
	}
	parked, err := books.ParkedRecords(ctx, res.Shop)
	if err != nil {
		return nil, err
	}
	var changes []erp.Change
	for _, p := range parked {
		if p.Ref.Kind == intake.KindOrder && p.Ref.ID == order {
			changes = append(changes, erp.Change{Ref: p.Ref, What: "nothing: it stays parked: " + explain(p)})
		}
	}
	return changes, nil
}

// printPreview prints what a dry run found.
func (a *app) printPreview(res engine.Result) error {
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
		t.AppendRow([]any{c.Ref.Kind, c.Ref.ID, text.WrapSoft(what, reasonWidth)})
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
