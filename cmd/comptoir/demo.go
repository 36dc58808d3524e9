package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
)

// shortWhile is how long the shop lives between the two syncs of the demo.
const shortWhile = 3 * 24 * time.Hour

func (a *app) demo() *cobra.Command {
	b := box{platform: platforms[0]} // of which both are shown
	var keep string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Sync two made-up shops into new books, and show what comes out",
		Long: "Demo makes up two web shops of one merchant, a WooCommerce one and a Shopify one that sell the same goods, serves\n" +
			"them on this machine, syncs both at once over HTTP into new books, lets them live for a few days of their own\n" +
			"time, syncs again, tells both what is left of their common stock, and shows what the books hold. Nothing else is\n" +
			"needed, and nothing is left behind unless you --keep it.",
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
	stalls []*stall
	config *config.Config
	house  *daemon.House
}

// stall is one of the demo's shops, served.
type stall struct {
	box
	shop   *sandbox.Shop
	served *served
}

// openStalls makes and serves the shops. They sell the same goods; everything
// else about them differs.
func openStalls(b box) (stalls []*stall, err error) {
	for i, platform := range platforms {
		one := stall{box: box{name: []string{"atelier", "boutique"}[i], platform: platform, seed: b.seed + int64(i), goods: b.seed, orders: b.orders,
			owned: []intake.Field{intake.FieldQuantity}}}
		if one.shop, err = one.open(); err != nil {
			return stalls, err
		}
		if one.served, err = serve("127.0.0.1:0", one.shop.Handler()); err != nil {
			return stalls, err
		}
		stalls = append(stalls, &one)
	}
	return stalls, nil
}

// demoConfig is the configuration that reaches the shops.
func demoConfig(stalls []*stall) (*config.Config, error) {
	rates := map[money.Currency]decimal.Decimal{}
	shops := make([]config.Made, len(stalls))
	for i, s := range stalls {
		maps.Copy(rates, s.shop.Rates())
		var err error
		if shops[i], err = s.made(s.shop, s.served.address); err != nil {
			return nil, err
		}
	}
	return config.Make(rates, shops...)
}

func (a *app) runDemo(ctx context.Context, b box, dir string, keep bool) (err error) {
	stalls, err := openStalls(b)
	defer func() {
		for _, s := range stalls {
			err = errors.Join(err, s.served.close())
		}
	}()
	if err != nil {
		return err
	}
	c, err := demoConfig(stalls)
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
	d := &demoRun{app: a, stalls: stalls, config: c, house: house}
	d.say("Two made-up shops with %d orders each (seed %d) are served:\n", b.orders, b.seed)
	for _, s := range stalls {
		d.say("  %-9s at http://%s, as %s would\n", s.name, s.served.address, s.platform)
	}
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
	began := time.Now()
	first, err := syncShops(ctx, d.house, d.config.ShopNames(), nil)
	bar.end()
	if err != nil {
		return err
	}
	took := time.Since(began)
	speed := float64(orders(first)) / took.Seconds()
	d.say("All of it is in the books, in %s: %.0f orders a second, both shops at once, over HTTP.\n", took.Round(10*time.Millisecond), speed)

	happened := 0
	for _, s := range d.stalls {
		happened += len(s.shop.Advance(shortWhile))
	}
	began = time.Now()
	second, err := syncShops(ctx, d.house, d.config.ShopNames(), nil)
	bar.end()
	if err != nil {
		return err
	}
	applied := 0
	for _, r := range second {
		applied += r.Total.Applied
	}
	d.say("Then the shops lived for %.0f days: %d things happened. The second sync brought %s, in %s.\n",
		shortWhile.Hours()/24, happened, plural(applied, "change"), time.Since(began).Round(10*time.Millisecond))
	told, err := d.tell(ctx)
	if err != nil {
		return err
	}
	return d.report(ctx, speed, told)
}

// tell tells the shops what is left of the stock that they share, and returns
// how many numbers they were told.
func (d *demoRun) tell(ctx context.Context) (told int, err error) {
	began, calls := time.Now(), 0
	for _, name := range d.config.ShopNames() {
		res, err := d.house.Engine.Push(ctx, engine.PushRequest{Shop: name})
		if err != nil {
			return told, err
		}
		told += res.Total.Done
		calls += res.Calls
	}
	d.say("Both sell from one stock, so each was told what is left of it: %s in %s, in %s. What a shop had right was not sent.\n\n",
		plural(told, "number"), plural(calls, "call"), time.Since(began).Round(10*time.Millisecond))
	return told, nil
}

// orders is how many orders came in: read, decided and written.
func orders(results []engine.Result) int {
	n := 0
	for _, r := range results {
		for _, one := range r.Resources {
			if one.Resource == intake.Orders {
				n += one.Applied + one.Unchanged + one.Parked
			}
		}
	}
	return n
}

// demoJSON is what the demo found; scripts rely on its form.
type demoJSON struct {
	Orders          int64   `json:"orders"`
	OrdersPerSecond float64 `json:"orders_per_second"`
	StockTold       int     `json:"stock_told"` // numbers that the shops were told
	Parked          int     `json:"parked"`
	Digest          string  `json:"digest"`
	TrialBalance    struct {
		Debit  int64 `json:"debit"`
		Credit int64 `json:"credit"`
	} `json:"trial_balance"`
}

// report shows what the books hold. It fails where they do not balance, and
// where something is parked that the shop did not plant.
func (d *demoRun) report(ctx context.Context, speed float64, told int) error {
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
	out := demoJSON{OrdersPerSecond: speed, StockTold: told, Parked: len(parked), Digest: digest}
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
	d.showCounts(counts)
	a.printf("Stock: %d variants, %s on hand, %s promised to customers, %s available; worth %s.\n",
		stock.Variants, stock.OnHand, stock.Allocated, stock.Available, stock.Value)
	a.printf("\nParked, for a person to look at (the shops planted these on purpose):\n")
	a.printParked(parked)
	a.printf("\nTrial balance:\n")
	a.printTrialBalance(balance)
	if balance.Debit == balance.Credit {
		a.printf("It balances: debits and credits are both %s %s.\n", amount(balance.Debit, money.Currency(balance.Currency)), balance.Currency)
	}
	a.printf("\nDigest of these books: %s\n", digest)
	a.printf("\nWhat next? Try it by hand:         comptoir sandbox\n           Connect a shop of yours: comptoir config example > comptoir.yaml\n")
}

// showCounts shows how many records of each kind the books have of each shop.
func (d *demoRun) showCounts(counts []erp.Count) {
	shops := d.config.ShopNames()
	rows := map[intake.Kind][]any{}
	for _, c := range counts {
		if rows[c.Kind] == nil {
			rows[c.Kind] = append([]any{c.Kind}, slices.Repeat([]any{""}, len(shops))...)
		}
		rows[c.Kind][1+slices.Index(shops, c.Shop)] = c.N
	}
	t := d.app.newTable(append([]string{"records in the books"}, shops...), shops...)
	for _, kind := range slices.Sorted(maps.Keys(rows)) {
		t.AppendRow(rows[kind])
	}
	t.Render()
	d.app.printf("\nThe shops sell the same goods under the same SKUs, so in the books they are one, with one stock.\n")
}

// unplanted is the error for records that are parked although nothing was
// wrong with them on purpose.
func (d *demoRun) unplanted(parked []erp.ParkedRecord) error {
	planted := map[string]map[string]string{}
	for _, s := range d.stalls {
		planted[s.name] = s.shop.Planted()
	}
	var errs []error
	for _, p := range parked {
		if _, ok := planted[p.Shop][p.Ref.ID]; ok && p.Ref.Kind == intake.KindOrder {
			continue
		}
		errs = append(errs, fault.New(fault.Unprocessable, "please report it", "%s %s of %s was parked, and the shop did not plant it (%s)", p.Ref.Kind, p.Ref.ID, p.Shop, p.Reason))
	}
	return errors.Join(errs...)
}

func unbalanced(r reports.TrialBalanceReport) error {
	if r.Debit == r.Credit {
		return nil
	}
	return fault.New(fault.Internal, "please report it", "the trial balance does not balance: debits %d, credits %d", r.Debit, r.Credit)
}
