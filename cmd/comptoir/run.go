package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"comptoir/cmd/internal/daemon"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func (a *app) run() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Sync the shops on their schedules until stopped (the daemon)",
		Long: "Run keeps the shops synced on their schedules. SIGTERM and SIGINT stop it cleanly, a second one at once;\n" +
			"SIGHUP reloads the configuration, and an invalid one is refused. Under systemd it reports when it is ready,\n" +
			"how it goes, and that it is alive; see: comptoir service install",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			signals := make(chan os.Signal, 4)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer signal.Stop(signals)
			log := zerolog.New(a.err).With().Timestamp().Logger()
			watchdog, err := systemd.SdWatchdogEnabled(false)
			if err != nil {
				log.Warn().Err(err).Msg("the watchdog of systemd is not set up as expected; going on without it")
			}
			// The signals are the daemon's own business here, not the context's.
			return daemon.Run(context.WithoutCancel(cmd.Context()), daemon.Options{
				Env:  daemon.Env{Now: time.Now, Log: log, Verb: "run"},
				Load: a.load, Logger: a.logger, Signals: signals, Watchdog: watchdog,
				Notify: func(state string) {
					if _, err := systemd.SdNotify(false, state); err != nil {
						log.Warn().Err(err).Msg("systemd does not listen")
					}
				},
			})
		},
	}
}
