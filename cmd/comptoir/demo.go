package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/cmd/internal/engine"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/reports"

	"github.com/spf13/cobra"
)

// shortWhile is how long the shop lives between the two syncs of the demo.
const shortWhile = 3 * 24 * time.Hour

func (a *app) demo() *cobra.Command {
	var b box
	var keep string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Sync a made-up shop into new books, and show what comes out",
		Long: "Demo makes up a web shop, serves it on this machine, syncs it over HTTP into new books, lets it live for a few\n" +
			"days of its own time, syncs again, and shows what the books hold. Nothing else is needed, and nothing is left\n" +
			"behind unless you --keep it.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := b.validate(); err != nil {
				return err
			}
			if data := cmd.Flag("data"); keep == "" && data.Changed {
				keep = data.Value.String()
			}
			dir, done, err := demoDir(keep)
			if err != nil {
				return err
			}
			return errors.Join(a.runDemo(cmd.Context(), b, dir, keep != ""), done())
		},
	}
	b.shopFlags(cmd)
	cmd.Flags().StringVar(&keep, "keep", "", "keep the books in this new `DIR`; --data does the same")
	cmd.Flags().Bool("once", true, "end after the report; there is no page yet to stay for")
	return cmd
}

// demoDir makes the data directory and returns what removes it again.
func demoDir(keep string) (string, func() error, error) {
	if keep == "" {
		dir, err := os.MkdirTemp("", "comptoir-demo-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if entries, err := os.ReadDir(keep); err == nil && len(entries) > 0 {
		return "", nil, fault.New(fault.Invalid, "name a new one", "the directory %s is not empty", keep)
	}
	if err := os.MkdirAll(keep, 0o700); err != nil {
		return "", nil, fault.New(fault.Unavailable, "name another one", "the directory cannot be made: %w", err)
	}
	return keep, func() error { return nil }, nil
}

// demoRun is a demo at work.
type demoRun struct {
	app    *app
	box    box
	shop   *sandbox.Shop
	config *config.Config
	house  *daemon.House
}

func (a *app) runDemo(ctx context.Context, b box, dir string, keep bool) (err error) {
	shop, err := b.open()
	if err != nil {
		return err
	}
	served, err := serve("127.0.0.1:0", shop.Handler())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, served.close()) }()
	c, err := b.config(shop, served.address)
	if err != nil {
		return err
	}
	c.Data, c.Log.Level = dir, "error" // what is parked is shown at the end
	if keep {
		if err := writeSource(c, filepath.Join(dir, "comptoir.yaml")); err != nil {
			return err
		}
	}
	bar := newProgress(a.err)
	defer bar.end()
	env := a.env(c, "demo")
	env.Progress = bar.callback()
	house, err := daemon.Open(ctx, c, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, house.Close()) }()
	d := &demoRun{app: a, box: b, shop: shop, config: c, house: house}
	d.say("A made-up shop with %d orders (seed %d) is served at http://%s, as WooCommerce would.\n", b.orders, b.seed, served.address)
	return d.run(ctx, bar)
}

func writeSource(c *config.Config, path string) error {
	source, err := c.Source()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, source, 0o600); err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	return nil
}

// say tells a person; JSON is for others.
func (d *demoRun) say(format string, args ...any) {
	if !d.app.json {
		d.app.printf(format, args...)
	}
}

func (d *demoRun) run(ctx context.Context, bar *progress) error {
	first, err := d.house.Engine.Sync(ctx, engine.Request{Shop: d.config.Shops[0].Name})
	bar.end()
	if err != nil {
		return err
	}
	speed := ordersPerSecond(first)
	d.say("All of it is in the books, in %s: %.0f orders a second, over HTTP.\n", first.Total.Took.Round(10*time.Millisecond), speed)

	events := d.shop.Advance(shortWhile)
	second, err := d.house.Engine.Sync(ctx, engine.Request{Shop: d.config.Shops[0].Name})
	bar.end()
	if err != nil {
		return err
	}
	d.say("Then the shop lived for %.0f days: %d things happened. The second sync brought %s, in %s.\n\n",
		shortWhile.Hours()/24, len(events), plural(second.Total.Applied, "change"), second.Total.Took.Round(10*time.Millisecond))
	return d.report(ctx, speed)
}

// ordersPerSecond is how fast orders came in: reading, deciding and writing.
func ordersPerSecond(r engine.Result) float64 {
	for _, one := range r.Resources {
		if one.Resource == intake.Orders && one.Took > 0 {
			return float64(one.Applied+one.Unchanged+one.Parked) / one.Took.Seconds()
		}
	}
	return 0
}

// demoJSON is what the demo found; scripts rely on its form.
type demoJSON struct {
	Orders          int64   `json:"orders"`
	OrdersPerSecond float64 `json:"orders_per_second"`
	Parked          int     `json:"parked"`
	Digest          string  `json:"digest"`
	TrialBalance    struct {
		Debit  int64 `json:"debit"`
		Credit int64 `json:"credit"`
	} `json:"trial_balance"`
}

// report shows what the books hold. It fails where they do not balance, and
// where something is parked that the shop did not plant.
func (d *demoRun) report(ctx context.Context, speed float64) error {
	books := d.house.Books
	counts, err := books.Counts(ctx)
	if err != nil {
		return err
	}
	stock, err := books.StockTotals(ctx)
	if err != nil {
		return err
	}
	parked, err := books.ParkedRecords(ctx, "")
	if err != nil {
		return err
	}
	digest, err := books.Digest(ctx)
	if err != nil {
		return err
	}
	balance, err := reports.TrialBalance(ctx, books.Reader(), "", "")
	if err != nil {
		return fmt.Errorf("trial balance: %w", err)
	}
	out := demoJSON{OrdersPerSecond: speed, Parked: len(parked), Digest: digest}
	out.TrialBalance.Debit, out.TrialBalance.Credit = balance.Debit, balance.Credit
	for _, c := range counts {
		if c.Kind == intake.KindOrder {
			out.Orders += c.N
		}
	}
	if d.app.json {
		if err := d.app.printJSON(out); err != nil {
			return err
		}
	} else {
		d.show(counts, stock, parked, balance, digest)
	}
	return errors.Join(d.unplanted(parked), unbalanced(balance))
}

func (d *demoRun) show(counts []erp.Count, stock erp.StockTotals, parked []erp.ParkedRecord, balance reports.TrialBalanceReport, digest string) {
	a := d.app
	t := a.newTable([]string{"records", "in the books"}, "in the books")
	for _, c := range counts {
		t.AppendRow([]any{c.Kind, c.N})
	}
	t.Render()
	a.printf("\nStock: %d variants, %s on hand, %s promised to customers, %s available; worth %s.\n",
		stock.Variants, stock.OnHand, stock.Allocated, stock.Available, stock.Value)
	a.printf("\nParked, for a person to look at (the shop planted these on purpose):\n")
	a.printParked(parked)
	a.printf("\nTrial balance:\n")
	a.printTrialBalance(balance)
	if balance.Debit == balance.Credit {
		a.printf("It balances: debits and credits are both %s %s.\n", amount(balance.Debit, money.Currency(balance.Currency)), balance.Currency)
	}
	a.printf("\nDigest of these books: %s\n", digest)
	a.printf("\nWhat next? Try it by hand:         comptoir sandbox\n           Connect a shop of yours: comptoir config example > comptoir.yaml\n")
}

// unplanted is the error for records that are parked although nothing was
// wrong with them on purpose.
func (d *demoRun) unplanted(parked []erp.ParkedRecord) error {
	planted := d.shop.Planted()
	var errs []error
	for _, p := range parked {
		if _, ok := planted[p.Ref.ID]; ok && p.Ref.Kind == intake.KindOrder {
			continue
		}
		errs = append(errs, fault.New(fault.Unprocessable, "please report it", "%s %s was parked, and the shop did not plant it (%s)", p.Ref.Kind, p.Ref.ID, p.Reason))
	}
	return errors.Join(errs...)
}

func unbalanced(r reports.TrialBalanceReport) error {
	if r.Debit == r.Credit {
		return nil
	}
	return fault.New(fault.Internal, "please report it", "the trial balance does not balance: debits %d, credits %d", r.Debit, r.Credit)
}
