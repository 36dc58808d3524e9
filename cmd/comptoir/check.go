package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/connectors"
	"comptoir/erp/fault"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// probeTimeout bounds how long the check of one shop may take.
const probeTimeout = 2 * time.Minute

func (a *app) check() *cobra.Command {
	return &cobra.Command{
		Use:   "check [SHOP...]",
		Short: "Check the configuration, the books, and each shop's key, rights, clock and filters",
		Args:  count(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			shops, err := daemon.Pick(c, args)
			if err != nil {
				return err
			}
			report := checkJSON{Config: c.File, Data: c.Data, Shops: []shopCheck{}}
			var refused error
			report.Checks, refused = checkHouse(cmd.Context(), a, c)
			failed := failedOf(report.Checks)
			for _, s := range shops {
				one, err := a.checkShop(cmd.Context(), c, s)
				refused = errors.Join(refused, err)
				failed += failedOf(one.Checks)
				report.Shops = append(report.Shops, one)
			}
			if err := a.printChecks(report); err != nil {
				return err
			}
			if refused != nil {
				return refused
			}
			if failed > 0 {
				return fault.New(fault.Unprocessable, "see the notes above", "%s failed", plural(failed, "check"))
			}
			return nil
		},
	}
}

// checkJSON is what check found.
type checkJSON struct {
	Config string             `json:"config"`
	Data   string             `json:"data"`
	Checks []connectors.Check `json:"checks"`
	Shops  []shopCheck        `json:"shops"`
}

// shopCheck is what check found of one shop.
type shopCheck struct {
	Shop   string             `json:"shop"`
	Found  *connectors.Shop   `json:"found,omitempty"`
	Error  string             `json:"error,omitempty"`
	Checks []connectors.Check `json:"checks"`
}

func failedOf(checks []connectors.Check) int {
	n := 0
	for _, c := range checks {
		if !c.OK && !c.Warn {
			n++
		}
	}
	return n
}

// checkHouse checks what is on this side. The error is that of books which
// cannot be used.
func checkHouse(ctx context.Context, a *app, c *config.Config) ([]connectors.Check, error) {
	checks := []connectors.Check{{Name: "configuration", OK: true, Note: c.File}}
	if open, err := readableByOthers(c.File); err == nil && open && c.HoldsSecrets() {
		checks = append(checks, connectors.Check{Name: "file rights", OK: true, Warn: true,
			Note: "everyone on this machine can read it, and it holds secrets: take them out of it, with credential:NAME for the service " +
				"(see LoadCredential in its unit) or file:PATH; or, where comptoir runs as you and not as a service: chmod 600 " + c.File})
	}
	books, err := daemon.OpenThereBooks(ctx, c, a.env(c, "check"))
	if fault.KindOf(err) == fault.NotFound {
		return append(checks, connectors.Check{Name: "books", OK: true, Note: "there are none in " + c.Data + " yet; the first sync makes them"}), nil
	}
	var strangers []string
	if err == nil {
		strangers, err = daemon.Strangers(ctx, c, books)
		err = errors.Join(err, books.Close())
	}
	if err != nil {
		return append(checks, connectors.Check{Name: "books", Note: "see below"}), err
	}
	checks = append(checks, connectors.Check{Name: "books", OK: true, Note: booksPlace(c)})
	if len(strangers) > 0 {
		checks = append(checks, connectors.Check{Name: "shops", OK: true, Warn: true, Note: daemon.StrangersAdvice(strangers)})
	}
	return checks, nil
}

// booksPlace says where the books are, without a secret.
func booksPlace(c *config.Config) string {
	if path := c.BooksPath(); path != "" {
		return path
	}
	return "in PostgreSQL"
}

func readableByOthers(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return info.Mode().Perm()&0o004 != 0, nil
}

// checkShop asks one shop. The error is that of a shop that cannot be used.
func (a *app) checkShop(ctx context.Context, c *config.Config, s *config.Shop) (shopCheck, error) {
	out := shopCheck{Shop: s.Name, Checks: []connectors.Check{}}
	connector, err := a.connector(c, s, "check")
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		var found connectors.Shop
		if found, err = connector.Probe(ctx); err == nil {
			out.Checks, found.Checks = append(found.Checks, checkHints(c, s, connector)), nil // once is enough
			out.Found = &found
		}
	}
	if err != nil {
		out.Error = err.Error()
		return out, fmt.Errorf("shop %s: %w", s.Name, err)
	}
	return out, nil
}

// checkHints says how soon a change in the shop is known here.
func checkHints(c *config.Config, s *config.Shop, connector connectors.Connector) connectors.Check {
	check := connectors.Check{Name: "hints", OK: true}
	_, sends := connector.(connectors.Hinter)
	switch address := daemon.HookAddress(c, s); {
	case !sends:
		check.Note = "the shop sends none; it is read on its schedules"
	case address == "":
		check.Note = "none are asked for; the shop is read on its schedules. Set webhooks.listen and webhooks.url to know of changes within seconds"
	case c.Webhooks.Listen == "":
		check.Warn, check.Note = true, "the shop is to send them to "+address+", and nothing listens: set webhooks.listen"
	default:
		check.Note = "taken at " + address + "; see comptoir webhook status"
	}
	return check
}

func (a *app) printChecks(r checkJSON) error {
	if a.json {
		return a.printJSON(r)
	}
	t := a.newTable([]string{"", "check", "", "note"})
	add := func(where string, checks []connectors.Check) {
		for _, c := range checks {
			t.AppendRow([]any{where, c.Name, mark(c), text.WrapSoft(c.Note, reasonWidth)})
		}
	}
	add("here", r.Checks)
	for _, s := range r.Shops {
		if s.Found != nil {
			t.AppendRow([]any{s.Shop, "shop", "ok", fmt.Sprintf("%s %s at %s, %s, %s", s.Found.Platform, s.Found.Version, s.Found.URL, s.Found.Currency, s.Found.TimeZone)})
		}
		add(s.Shop, s.Checks)
		if s.Error != "" {
			t.AppendRow([]any{s.Shop, "shop", "FAILED", "see below"})
		}
	}
	t.Render()
	return nil
}

func mark(c connectors.Check) string {
	switch {
	case c.Warn:
		return "look"
	case c.OK:
		return "ok"
	default:
		return "FAILED"
	}
}
