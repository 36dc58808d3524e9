package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/connectors/all"
	"comptoir/connectors/sandbox"
	"comptoir/erp/fault"
	"comptoir/erp/intake"

	"github.com/spf13/cobra"
)

// box is a storefront in a box as the flags describe it.
type box struct {
	name      string // of the shop in the configuration
	platform  string
	seed      int64
	goods     int64 // seed of what is sold; 0: seed
	orders    int
	listen    string
	live      time.Duration
	pace      time.Duration
	misbehave []string
	print     bool
	owned     []intake.Field // what the books decide on in the configuration that reaches it
}

func (a *app) sandbox() *cobra.Command {
	b := box{name: "sandbox", owned: []intake.Field{intake.FieldQuantity, intake.FieldPrice, intake.FieldSale, intake.FieldCategories, intake.FieldShipments}}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a made-up web shop, to try things on",
		Long: "Sandbox makes up a web shop from a seed, serves it in the dialect of a platform (WooCommerce's REST API, or\n" +
			"Shopify's GraphQL Admin API), and prints the configuration that reaches it. The same seed makes the same shop.\n" +
			"In that configuration the books own stock, prices, categories and shipments, and send them to the shop.\n" +
			"To sync it, in another window:\n\n" +
			"    comptoir sandbox --print-config > sandbox.yaml\n" +
			"    comptoir --config sandbox.yaml --data somewhere sync",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := b.validate(); err != nil {
				return err
			}
			if b.print {
				return a.printBoxConfig(b)
			}
			return a.serveBox(cmd.Context(), b)
		},
	}
	b.shopFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&b.platform, "platform", platforms[0], "`NAME` of the platform to play: "+strings.Join(platforms, " or "))
	f.StringVar(&b.listen, "listen", "127.0.0.1:8089", "`HOST:PORT` to serve at; port 0 chooses a free one")
	f.DurationVar(&b.live, "live", 0, "how much `TIME` passes in the shop each second, such as 10m; 0s: it stands still")
	f.DurationVar(&b.pace, "pace", 0, "how much `TIME` the shop takes for a page of 100")
	f.StringArrayVar(&b.misbehave, "misbehave", nil, "a `FAULT` to show, such as 429:count=3; may be repeated; see comptoir help faults")
	f.BoolVar(&b.print, "print-config", false, "only print the configuration that reaches it")
	return cmd
}

func (b *box) shopFlags(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&b.seed, "seed", 1, "`NUMBER` that the shop is made from")
	cmd.Flags().IntVar(&b.orders, "orders", 1000, "`NUMBER` of orders in the shop's history")
}

// validate refuses what no shop can be made from or served at.
func (b *box) validate() error {
	if b.orders < 0 {
		return fault.New(fault.Invalid, "use 0 or more", "--orders %d is not a number of orders", b.orders)
	}
	for _, d := range []struct {
		flag string
		span time.Duration
	}{{"live", b.live}, {"pace", b.pace}} {
		if d.span < 0 {
			return fault.New(fault.Invalid, "use 0s or more", "--%s %v: time does not run backwards", d.flag, d.span)
		}
	}
	if !slices.Contains(platforms, b.platform) {
		return fault.New(fault.Invalid, "use "+strings.Join(platforms, " or "), "--platform %q cannot be played", b.platform)
	}
	if b.listen == "" { // the demo chooses an address itself
		return nil
	}
	_, port, err := net.SplitHostPort(b.listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fault.New(fault.Invalid, "write it as HOST:PORT, such as 127.0.0.1:8089", "--listen %q is no address", b.listen)
	}
	return nil
}

// platforms are what a sandbox can play, by the name of the connector.
var platforms = []string{"woocommerce", "shopify"}

// speaks is the platform as the sandbox names it.
func (b *box) speaks() sandbox.Platform {
	if b.platform == "shopify" {
		return sandbox.Shopify
	}
	return sandbox.WooCommerce
}

// made is the shop at an address, for a configuration.
func (b *box) made(shop *sandbox.Shop, address string) (config.Made, error) {
	m := config.Made{Name: b.name, Values: map[string]string{"url": "http://" + address}, Owned: b.owned}
	switch b.platform {
	case "shopify":
		m.Values["access_token"], m.Values["webhook_secret"] = shop.Key(), shop.Secret()
		m.Values["retry_wait"] = "50ms" // it is quick with what a real shop takes minutes for
	default:
		m.Values["consumer_key"], m.Values["consumer_secret"] = shop.Key(), shop.Secret()
	}
	for _, d := range all.Registry() {
		if d.Name == b.platform {
			m.Driver = d
			return m, nil
		}
	}
	return m, fault.New(fault.Internal, "please report it", "the connector that the sandbox speaks to is not built in")
}

// config is the configuration that reaches the shop at an address.
func (b *box) config(shop *sandbox.Shop, address string) (*config.Config, error) {
	m, err := b.made(shop, address)
	if err != nil {
		return nil, err
	}
	return config.Make(shop.Rates(), m)
}

func (a *app) printBoxConfig(b box) error {
	host, port, err := net.SplitHostPort(b.listen)
	if err != nil || port == "0" {
		return fault.New(fault.Invalid, "name a port, such as 127.0.0.1:8089", "--listen %q has no address to print", b.listen)
	}
	shop := sandbox.New(sandbox.Options{Platform: b.speaks(), Seed: b.seed})
	c, err := b.config(shop, net.JoinHostPort(reachable(host), port))
	if err != nil {
		return err
	}
	return a.printSource(c, nil)
}

// printSource prints a configuration with its secrets, which are the
// sandbox's, and in JSON what else there is to know.
func (a *app) printSource(c *config.Config, more map[string]any) error {
	source, err := c.Source()
	if err != nil {
		return err
	}
	if !a.json {
		a.printf("%s", source)
		return nil
	}
	out := map[string]any{"config": string(source)}
	maps.Copy(out, more)
	return a.printJSON(out)
}

// reachable is the host under which a listening address is reached from here.
func reachable(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

func (a *app) serveBox(ctx context.Context, b box) error {
	shop, err := b.open()
	if err != nil {
		return err
	}
	served, err := serve(b.listen, shop.Handler())
	if err != nil {
		return err
	}
	c, err := b.config(shop, served.address)
	if err != nil {
		return errors.Join(err, served.close())
	}
	address := "http://" + served.address
	if !a.json {
		a.printf("# A shop with %d orders is served at %s until you press Ctrl-C.\n# This configuration reaches it:\n\n", b.orders, address)
	}
	err = a.printSource(c, map[string]any{"url": address, "seed": b.seed, "orders": b.orders})
	if err != nil {
		return errors.Join(err, served.close())
	}
	return errors.Join(b.keepAlive(ctx, shop, served), served.close())
}

// open makes the shop.
func (b *box) open() (*sandbox.Shop, error) {
	shop := sandbox.New(sandbox.Options{Platform: b.speaks(), Seed: b.seed, Goods: b.goods, Orders: b.orders, Extras: b.platform == "shopify"})
	for _, name := range b.misbehave {
		f, err := sandbox.ParseFault(name)
		if err != nil {
			return nil, fault.New(fault.Invalid, "", "--misbehave: %w", err)
		}
		shop.Misbehave(f)
	}
	shop.Pace(b.pace)
	return shop, nil
}

// keepAlive lets the shop live, and tell those who subscribed, until ctx ends, which is no error here.
func (b *box) keepAlive(ctx context.Context, shop *sandbox.Shop, served *served) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	post := sandbox.Deliverer{Shop: shop}
	go post.Run(ctx, time.Second) // beside the clock: an address may be slow
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-served.failed:
			return err
		case <-tick.C:
			if b.live > 0 {
				shop.Advance(b.live)
			}
		}
	}
}

// served is a handler that is served.
type served struct {
	address string // host:port under which it is reached
	server  *http.Server
	failed  chan error // gets the error that ended it, if one did
}

// serve begins to serve a handler.
func serve(listen string, h http.Handler) (*served, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "choose another one with --listen", "the address %q cannot be used: %w", listen, err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the address: %w", err), l.Close())
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the address: %w", err), l.Close())
	}
	s := &served{address: net.JoinHostPort(reachable(host), port), failed: make(chan error, 1),
		server: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}}
	go func() {
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}

func (s *served) close() error { return s.server.Close() }
