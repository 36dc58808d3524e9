package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/cmd/internal/engine"
	"comptoir/erp"
	"comptoir/erp/completeness"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// verifyRequest is what the flags of verify say.
type verifyRequest struct {
	resources []string
	since     string
}

func (a *app) verify() *cobra.Command {
	var q verifyRequest
	cmd := &cobra.Command{
		Use:   "verify SHOP",
		Short: "Compare a shop with the books: orders, stock units, prices and other fields, categories",
		Long: "Verify reads a shop and compares it with the books. It tells what is missing in the books, what only they have\n" +
			"and what differs, with the value at stake and since when. It writes nothing but certificates: for each day of\n" +
			"which it compared all orders, how many there are, what they come to and which status they have, on both sides.\n" +
			"Reports say that they are provisional for days without a certificate that holds.\n\n" +
			"While the daemon runs, what is on its way is told apart and does not count: what the shop has still to be told, and\n" +
			"what changed in the last " + engine.UnderWay.String() + ". Exit code 3 means that something else differs.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			v, err := a.compare(cmd.Context(), c, args[0], q)
			if err != nil {
				return err
			}
			if err := a.printVerification(v); err != nil {
				return err
			}
			if len(v.Drifted()) > 0 {
				return fault.New(fault.Unprocessable, remedy(v), "%s", v.Summary())
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&q.resources, "resource", nil, "only this `RESOURCE`: categories, products, variants, stock, orders or another that the shop has; may be repeated")
	cmd.Flags().StringVar(&q.since, "since", "", "of the orders only those that changed on this `DATE` (2026-01-31, or 2026-01-31T15:00:00Z) or later (default: all)")
	return cmd
}

// compare opens what a comparison needs, also beside a daemon.
func (a *app) compare(ctx context.Context, c *config.Config, shop string, q verifyRequest) (v engine.Verification, err error) {
	env := a.env(c, "verify")
	bar := newProgress(a.err)
	env.Progress = bar.callback()
	house, busy, err := daemon.OpenAside(ctx, c, env, shop)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, house.Close()) }()
	r := engine.VerifyRequest{Shop: shop}
	for _, name := range q.resources {
		r.Resources = append(r.Resources, intake.Resource(name))
	}
	if r.Since, err = parseSince(q.since, c); err != nil {
		return v, err
	}
	if busy {
		r.Grace = engine.UnderWay
	}
	v, err = house.Engine.Verify(ctx, r)
	bar.end()
	return v, err
}

// remedy says what to do about what differs: what is parked is not helped by
// reading it again as it is.
func remedy(v engine.Verification) string {
	parked := func(d erp.Drift) bool { return d.Field == "parked" }
	drift := v.Drifted()
	var ways []string
	if slices.ContainsFunc(drift, parked) {
		ways = append(ways, "look after what is parked with comptoir parked list")
	}
	if slices.ContainsFunc(drift, func(d erp.Drift) bool { return !parked(d) }) {
		ways = append(ways, "read it again with comptoir resync "+v.Shop, "tell the shop with comptoir push "+v.Shop, "or correct the shop")
	}
	return strings.Join(ways, ", ")
}

func (a *app) printVerification(v engine.Verification) error {
	if a.json {
		return a.printJSON(v)
	}
	if len(v.Drift) > 0 {
		t := a.newTable([]string{"resource", "what", "", "field", "shop", "books", "value", "age", ""}, "value", "age")
		for _, d := range v.Drift {
			note := d.Why
			if d.Pending {
				note = "on its way " + note
			}
			t.AppendRow([]any{d.Resource, d.Label, d.Kind, d.Field, short(d.Shop), short(d.Books), money.Text(d.Value, d.Currency),
				(time.Duration(d.AgeSeconds) * time.Second).String(), text.WrapSoft(note, reasonWidth)})
		}
		t.Render()
	}
	certified, open := v.Certified()
	if len(certified)+len(open) > 0 {
		a.printf("%s whole on both sides.\n", plural(len(certified), "day"))
	}
	if len(open) > 0 {
		var ranges []string
		for _, r := range completeness.Ranges(open) {
			ranges = append(ranges, r.String())
		}
		a.printf("Not the same on both sides: %s.\n", shorten(ranges, 10))
	}
	if pending := len(v.Drift) - len(v.Drifted()); pending > 0 {
		a.printf("%s on the way.\n", plural(pending, "difference"))
	}
	if len(v.Drifted()) == 0 {
		a.printf("%s.\n", v.Summary())
	}
	return nil
}
