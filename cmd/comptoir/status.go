package main

import (
	"time"

	"comptoir/cmd/internal/daemon"
	"comptoir/cmd/internal/engine"

	"github.com/spf13/cobra"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Tell how each shop and resource stands",
		Long: "Status tells, for each resource of each shop, when it was read last, what that brought, how old our picture\n" +
			"of it is (its lag), and what is parked. It asks no shop, and it works while the daemon runs.\n\n" +
			"With --json, lag_seconds counts from the beginning of the last run that read the resource to its end; it is null\n" +
			"where none did, and so is last_run where there was none.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			s, err := daemon.ReadStatus(cmd.Context(), c, a.env(c, "status"))
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(s)
			}
			a.printStatus(s)
			return nil
		},
	}
}

func (a *app) printStatus(s daemon.Status) {
	t := a.newTable([]string{"shop", "resource", "last run", "applied", "unchanged", "parked", "lag"}, "applied", "unchanged", "parked", "lag")
	for _, shop := range s.Shops {
		for _, r := range shop.Resources {
			t.AppendRow([]any{r.Shop, r.Resource, instant(r.LastRun), r.Applied, r.Unchanged, r.Parked, lag(r.LagSeconds)})
		}
	}
	t.Render()
	for _, shop := range s.Shops {
		if shop.Paused != "" {
			a.printf("%s\n", shop.Paused)
		}
		a.printPushStatus(shop)
		if n := len(shop.RepeatedSKUs); n > 0 {
			a.printf("%s has %s on several records, each with a stock of its own, so it may sell more than there is: %s. See: comptoir link export --proposals --shop %s\n",
				shop.Shop, plural(n, "SKU"), shorten(shop.RepeatedSKUs, 8), shop.Shop)
		}
		if d := shop.Drift; d != nil && d.Alarm != "" {
			a.printf("%s\n", d.Alarm)
		}
		if d := shop.Drift; d != nil && d.LastError != "" {
			a.printf("%s: the last comparison with the books failed: %s\n", shop.Shop, d.LastError)
		}
		for _, r := range shop.Resources {
			if r.LastError != "" {
				a.printf("%s %s: the last run failed: %s\n", r.Shop, r.Resource, r.LastError)
			}
			if r.Alarm != "" {
				a.printf("%s %s: %s\n", r.Shop, r.Resource, r.Alarm)
			}
		}
	}
	for _, shop := range s.Elsewhere {
		a.printf("%s: another comptoir process syncs it into the same database; this one stands by.\n", shop)
	}
	for _, w := range s.Webhooks {
		if w.Error != "" {
			a.printf("%s: the shop cannot be asked for hints: %s\n", w.Shop, w.Error)
		}
	}
	if len(s.Unconfigured) > 0 {
		a.printf("Look: %s.\n", daemon.StrangersAdvice(s.Unconfigured))
	}
	if s.PID != 0 {
		a.printf("As comptoir %s (process %d) told %s ago.\n", s.Verb, s.PID, time.Since(s.AsOf).Round(time.Second))
	}
}

// printPushStatus tells how that stands which a shop is told.
func (a *app) printPushStatus(shop engine.ShopStatus) {
	p := shop.Push
	if p == nil {
		return
	}
	a.printf("%s: %s to tell it", shop.Shop, plural(p.Waiting, "message"))
	if p.Oldest != nil {
		a.printf(", the oldest since %s", instant(*p.Oldest))
	}
	if p.LastPush != nil {
		a.printf("; last told %s", instant(*p.LastPush))
	}
	a.printf("\n")
	if p.Parked > 0 {
		a.printf("%s has refused %s too often: comptoir outbox list %s --parked\n", shop.Shop, plural(p.Parked, "message"), shop.Shop)
	}
	if p.LastError != "" {
		a.printf("%s could not be told: %s\n", shop.Shop, p.LastError)
	}
}

func lag(seconds int64) string {
	if seconds < 0 {
		return "never read"
	}
	return (time.Duration(seconds) * time.Second).String()
}
