package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"comptoir/cmd/internal/daemon"
	"comptoir/cmd/internal/engine"
	"comptoir/erp"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// shopsAtOnce is how many shops are read at the same time.
const shopsAtOnce = 4

func (a *app) sync() *cobra.Command {
	var resources []string
	cmd := &cobra.Command{
		Use:   "sync [SHOP...]",
		Short: "Read what has changed in the shops, once",
		Long: "Sync reads what has changed in the shops named, in all where none is, and books it.\n" +
			"It can be stopped and repeated at any time: nothing is lost, and nothing is booked twice.\n" +
			"On its way it only tells of trouble; with log.level debug it tells of each request.",
		Args: count(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withHouse(cmd.Context(), "sync", args, func(ctx context.Context, h *daemon.House) error {
				if len(args) == 0 {
					args = h.Config.ShopNames()
				}
				began := time.Now()
				results, err := syncShops(ctx, h, args, asResources(resources))
				return errors.Join(a.printResults(ctx, h.Books, began, results), err)
			})
		},
	}
	resourceFlag(cmd, &resources)
	return cmd
}

func resourceFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringSliceVar(into, "resource", nil, "only this `RESOURCE`, such as orders or products; may be repeated")
}

func asResources(names []string) []intake.Resource {
	var list []intake.Resource
	for _, n := range names {
		list = append(list, intake.Resource(n))
	}
	return list
}

// withHouse opens everything, hands it over, and closes it again.
func (a *app) withHouse(ctx context.Context, verb string, shops []string, use func(context.Context, *daemon.House) error) (err error) {
	c, err := a.load()
	if err != nil {
		return err
	}
	bar := newProgress(a.err)
	env := a.env(c, verb)
	env.Progress = bar.callback()
	if c.Log.Level == "info" && c.Log.Format == "console" {
		env.Log = env.Log.Level(zerolog.WarnLevel) // the bar and the table say the rest
	}
	h, err := daemon.Open(ctx, c, env, shops...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	defer bar.end()
	return use(ctx, h)
}

// syncShops syncs shops side by side. One that fails does not stop the others.
func syncShops(ctx context.Context, h *daemon.House, shops []string, resources []intake.Resource) ([]engine.Result, error) {
	results := make([]engine.Result, len(shops))
	errs := make([]error, len(shops))
	var g errgroup.Group
	g.SetLimit(shopsAtOnce)
	for i, shop := range shops {
		g.Go(func() error {
			if errs[i] = h.Ready(shop); errs[i] != nil {
				return nil
			}
			results[i], errs[i] = h.Engine.Sync(ctx, engine.Request{Shop: shop, Resources: resources})
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	return slices.DeleteFunc(results, func(r engine.Result) bool { return r.Shop == "" }), errors.Join(errs...)
}

// printResults prints what passes did that began at an instant.
func (a *app) printResults(ctx context.Context, books *erp.Books, began time.Time, results []engine.Result) error {
	if a.json {
		if results == nil {
			results = []engine.Result{}
		}
		return a.printJSON(map[string]any{"results": results})
	}
	if len(results) == 0 {
		return nil
	}
	t := a.newTable([]string{"shop", "resource", "applied", "unchanged", "parked", "took", ""}, "applied", "unchanged", "parked", "took")
	parked := 0
	for _, res := range results {
		for _, r := range res.Resources {
			t.AppendRow([]any{res.Shop, r.Resource, r.Applied, r.Unchanged, r.Parked, r.Took.Round(time.Millisecond), ended(r)})
			parked += r.Parked
		}
	}
	t.Render()
	read := map[string]bool{} // the shops whose products have been read by now
	for _, res := range results {
		read[res.Shop] = res.Linked != nil
	}
	for _, res := range results {
		a.printLinked(res, read)
		if s := res.Settled; s != nil && s.Opened+s.Adjusted+s.Waiting > 0 {
			a.printf("%s: stock of %s taken over, %d adjusted, %d waiting for newer orders or for another shop's number\n",
				res.Shop, plural(s.Opened, "variant"), s.Adjusted, s.Waiting)
		}
		if s := res.Settled; s != nil && len(s.NoCost) > 0 {
			a.printf("%s: %s taken over at zero cost: %s\n", res.Shop, plural(len(s.NoCost), "variant"), shorten(s.NoCost, 8))
		}
	}
	return a.printParkedCount(ctx, books, began, parked)
}

// printLinked tells what became of products that other shops sell too. A shop
// that was read after this one, in the same go, is not waited for any more.
func (a *app) printLinked(res engine.Result, read map[string]bool) {
	l := res.Linked
	if l == nil {
		return
	}
	if l.Shared > 0 {
		a.printf("%s: %s found to be sold in several shops, by their SKUs: they share one stock\n", res.Shop, plural(l.Shared, "variant"))
	}
	if len(l.Ambiguous) > 0 {
		a.printf("%s: %s stand for several things or share their stock with others, so each shop keeps a stock of its own: %s\n",
			res.Shop, plural(len(l.Ambiguous), "SKU"), shorten(l.Ambiguous, 8))
	}
	missing := slices.DeleteFunc(slices.Clone(l.Missing), func(shop string) bool { return read[shop] })
	if len(missing) > 0 {
		a.printf("%s: new goods wait until the products of %s were read too; the money is booked. Next: comptoir sync %s\n",
			res.Shop, strings.Join(missing, ", "), strings.Join(missing, " "))
	}
}

// ended marks a resource that was not read to its end.
func ended(r engine.ResourceResult) string {
	if r.Error != "" {
		return "FAILED"
	}
	return ""
}

// printParkedCount tells how many of the records that are parked were parked
// since an instant, and how many were before.
func (a *app) printParkedCount(ctx context.Context, books *erp.Books, began time.Time, parked int) error {
	if parked == 0 {
		return nil
	}
	list, err := books.ParkedRecords(context.WithoutCancel(ctx), "")
	if err != nil {
		return err
	}
	fresh := 0
	for _, p := range list {
		if !p.FirstAt.Before(began.Truncate(time.Microsecond)) { // as exact as the books are
			fresh++
		}
	}
	fresh = min(fresh, parked)
	switch old := parked - fresh; {
	case old == 0:
		a.printf("%s set aside. To see why: comptoir parked list\n", plural(fresh, "record"))
	case fresh == 0:
		a.printf("%s still set aside. To see why: comptoir parked list\n", plural(old, "record"))
	default:
		a.printf("%s set aside, and %d still are. To see why: comptoir parked list\n", plural(fresh, "record"), old)
	}
	return nil
}
