package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/connectors/all"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is what the verbs share.
type app struct {
	out, err io.Writer
	flags    *pflag.FlagSet // those of every verb
	file     string         // --config
	json     bool           // --json
}

func newApp(out, err io.Writer) *app {
	a := &app{out: out, err: err, flags: pflag.NewFlagSet("comptoir", pflag.ContinueOnError)}
	a.flags.StringVar(&a.file, "config", os.Getenv("COMPTOIR_CONFIG"), "configuration `FILE` (default: comptoir.yaml here, in your or the system's configuration directory)")
	a.flags.String("data", "", "data `DIR`, which wins over the configuration")
	a.flags.BoolVar(&a.json, "json", false, "print JSON")
	return a
}

// root is the whole command line.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "comptoir",
		Short: "Sync web shops into double-entry books, each record once",
		Long: "Comptoir reads the orders, refunds, products, stock and customers of web shops and books them, each once.\n" +
			"New here? Try: comptoir demo",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noVerb(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range []string{"config", "data"} {
				if f := cmd.Flag(name); f != nil && f.Changed && f.Value.String() == "" {
					return fault.New(fault.Invalid, "give it a value, or leave it out", "--%s is empty", name)
				}
			}
			return nil
		},
		SuggestionsMinimumDistance: 2,
	}
	root.SetHelpCommand(help(root))
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().AddFlagSet(a.flags)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		a.demo(), a.sandbox(),
		a.check(), a.run(), a.sync(), a.push(), a.outbox(), a.resync(), a.status(), a.parked(),
		a.digest(), a.report(), a.export(), a.explain(), a.invoice(), a.ledger(), a.period(), a.tax(), a.payout(), a.dispute(), a.link(),
		a.product(), a.price(), a.category(), a.conflict(), a.stock(), a.order(), a.shipment(),
		a.vendor(), a.bill(), a.voucher(), a.purchase(),
		a.verify(), a.webhook(),
		a.config(), a.service(), a.version(),
	)
	root.AddCommand(topics()...)
	return root
}

// flagError is what a person reads about a flag that is none. A number below
// zero looks like one to the library that reads them.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if text := "-" + unknown.GetSpecifiedShortnames(); negative(text) {
			return fault.New(fault.Invalid, "usage: "+cmd.UseLine(), "%s is a negative number, and %s takes none here", text, cmd.CommandPath())
		}
	}
	return fault.New(fault.Invalid, "see: "+cmd.CommandPath()+" --help", "%w", err)
}

func negative(text string) bool {
	n, err := decimal.NewFromString(text)
	return err == nil && n.IsNegative()
}

// load reads the configuration. What looks like a slip in it is told.
func (a *app) load() (*config.Config, error) {
	c, err := config.Load(config.Options{File: a.file, Flags: a.flags, Registry: all.Registry()})
	if err != nil {
		return nil, err
	}
	for _, w := range c.Warnings {
		fmt.Fprintln(a.err, "comptoir: warning: "+w)
	}
	return c, nil
}

// logger makes the log that the configuration asks for, on standard error.
func (a *app) logger(c config.Log) zerolog.Logger {
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	var w io.Writer = a.err
	if c.Format == "console" {
		w = zerolog.ConsoleWriter{Out: a.err, NoColor: !isTerminal(a.err), TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// env is what a verb takes from this process.
func (a *app) env(c *config.Config, verb string) daemon.Env {
	return daemon.Env{Now: time.Now, Log: a.logger(c.Log), Verb: verb}
}

// withBooks opens the books alone and closes them after use; see
// daemon.OpenThereBooks.
func (a *app) withBooks(ctx context.Context, verb string, use func(*config.Config, *erp.Books) error) (err error) {
	c, err := a.load()
	if err != nil {
		return err
	}
	books, err := daemon.OpenThereBooks(ctx, c, a.env(c, verb))
	if err != nil {
		return err
	}
	defer func() {
		if e := books.Close(); err == nil {
			err = e
		}
	}()
	return use(c, books)
}

// count refuses a wrong number of arguments; most < 0 means any.
func count(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		return fault.New(fault.Invalid, "usage: "+cmd.UseLine(), "%s was given %s", cmd.CommandPath(), plural(len(args), "argument"))
	}
}

// group makes a verb that only holds others.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return noVerb(cmd, args[0])
		}
		return cmd.Help()
	}, Args: cobra.ArbitraryArgs}
	cmd.AddCommand(verbs...)
	return cmd
}

// noVerb is the error for a verb that cmd does not have.
func noVerb(cmd *cobra.Command, name string) error {
	where, see := "", "see: comptoir help"
	if cmd.HasParent() {
		where, see = " in "+cmd.CommandPath(), "see: "+cmd.CommandPath()+" --help"
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		see = "did you mean " + strings.Join(near, " or ") + "? " + strings.ToUpper(see[:1]) + see[1:]
	}
	return fault.New(fault.Invalid, see, "there is no verb %q%s", name, where)
}

// help shows the help of a verb. Unlike cobra's own it fails for one that
// does not exist.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Help about any verb",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return noVerb(cmd, rest[0])
			}
			return cmd.Help()
		},
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
