package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/engine"
	"comptoir/erp/fault"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
)

// Options say how the daemon runs.
type Options struct {
	Env
	// Load reads the configuration, at the start and for each reload.
	Load func() (*config.Config, error)
	// Logger makes the log of a configuration; Env.Log is used before there
	// is one.
	Logger func(config.Log) zerolog.Logger
	// Signals brings SIGTERM and SIGINT (stop; a second one stops at once)
	// and SIGHUP (reload).
	Signals <-chan os.Signal
	// Notify tells the service manager; see sd_notify(3).
	Notify func(state string)
	// Watchdog is how often the service manager wants to hear that all is
	// well; zero: it does not.
	Watchdog time.Duration
}

// ErrAbandoned means that the daemon left a page in the middle: it was told a
// second time, or the time to stop was over. The page comes again at the next
// start.
var ErrAbandoned = errors.New("stopped in the middle of a page; it is read again at the next start")

// stopMargin is how long closing may take beyond the configured time to stop.
const stopMargin = 5 * time.Second

// Run syncs the shops on their schedules until a signal or ctx ends it. A
// reload with a configuration that does not work is refused and logged; the
// old one stays in force.
func Run(ctx context.Context, o Options) error {
	c, err := o.Load()
	if err != nil {
		return err
	}
	d := &running{Options: o, log: o.Logger(c.Log), reloads: make(chan struct{}, 1), abandon: make(chan struct{})}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	over := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() { d.listen(over, stop) })
	err = d.run(ctx, c)
	close(over)
	listening.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // it was stopped while it was opening
	}
	return err
}

// running is a daemon at work.
type running struct {
	Options
	log     zerolog.Logger
	reloads chan struct{} // holds one request at most
	abandon chan struct{} // closed by the second order to stop
	// lockless is whether the locks could not be kept when they were last looked
	// at.
	lockless bool
}

// listen turns signals into orders until the daemon is over.
func (d *running) listen(over <-chan struct{}, stop context.CancelFunc) {
	told := false
	for {
		select {
		case <-over:
			return
		case sig := <-d.Signals:
			switch {
			case sig == syscall.SIGHUP:
				select {
				case d.reloads <- struct{}{}:
				default: // one is waiting already
				}
			case told:
				close(d.abandon)
				return
			default:
				told = true
				stop()
			}
		}
	}
}

// run works with one configuration after the other.
func (d *running) run(ctx context.Context, c *config.Config) error {
	house, err := d.open(ctx, c, nil)
	if err != nil {
		return err
	}
	for {
		next, err := d.serve(ctx, house)
		if errors.Is(err, ErrAbandoned) {
			house.Abandon()
			return err
		}
		var kept *locks
		if next == house.Config && err == nil { // other shops are ours now
			kept, house.locks = house.locks, nil
		}
		if err = errors.Join(err, house.Close()); err != nil || next == nil {
			return errors.Join(err, kept.close())
		}
		if kept != nil {
			house, err = d.open(ctx, next, kept)
		} else {
			house, err = d.move(ctx, house.Config, next)
		}
		if err != nil {
			return err
		}
	}
}

// open opens the house of a configuration. Where other processes sync all of its
// shops it stands by until one of them ends. Locks that are kept from the house
// before are closed where it fails.
func (d *running) open(ctx context.Context, c *config.Config, kept *locks) (*House, error) {
	shops, err := Pick(c, nil)
	if err != nil {
		return nil, errors.Join(err, kept.close())
	}
	return open(ctx, c, d.env(), shops, opening{standBy: true, locks: kept})
}

func (d *running) env() Env {
	env := d.Env
	env.Log = d.log
	return env
}

// move opens the house of the next configuration, or that of the last one
// again where it cannot be opened.
func (d *running) move(ctx context.Context, last, next *config.Config) (*House, error) {
	d.log = d.Logger(next.Log)
	house, err := d.open(ctx, next, nil)
	if err == nil {
		d.log.Info().Strs("shops", next.ShopNames()).Msg("the new configuration is in force")
		return house, nil
	}
	d.log = d.Logger(last.Log)
	d.log.Error().Err(err).Msg("the new configuration does not work; the old one stays in force")
	return d.open(ctx, last, nil)
}

// serve works until it is told to stop, when it returns nil, or until there is
// a new configuration, which it returns.
func (d *running) serve(ctx context.Context, house *House) (*config.Config, error) {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- house.Engine.Run(working) }()
	door := openFront(ctx, house, d.env())
	defer door.close()

	if ours := house.ours(); len(ours) > 0 {
		d.log.Info().Strs("shops", ours).Str("data", house.Config.Data).Msg("syncing")
	} else {
		d.log.Info().Str("data", house.Config.Data).Msg("standing by until another process leaves a shop")
	}
	d.Notify(systemd.SdNotifyReady + "\n" + d.summary(ctx, house))
	alive, stop := d.ticker()
	defer stop()
	others := time.NewTicker(lookAtOthers)
	defer others.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				err = fault.New(fault.Internal, "please report it", "the engine ended by itself")
			}
			return nil, err
		case <-ctx.Done():
			d.log.Info().Msg("stopping")
			d.Notify(systemd.SdNotifyStopping)
			door.close()
			return nil, d.stop(house.Config, cancel, ended)
		case <-alive:
			door.listen()
			d.watch(ctx, house)
		case <-others.C:
			if d.othersMoved(ctx, house) {
				door.close()
				return house.Config, d.stop(house.Config, cancel, ended)
			}
		case <-d.reloads:
			if next := d.reload(); next != nil {
				door.close()
				return next, d.stop(house.Config, cancel, ended)
			}
			d.Notify(systemd.SdNotifyReady)
		}
	}
}

// reload returns the configuration as it is now, nil where it cannot work.
func (d *running) reload() *config.Config {
	d.Notify(systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec())
	next, err := d.Load()
	if err == nil {
		var shops []*config.Shop
		if shops, err = Pick(next, nil); err == nil {
			_, err = (&House{Config: next}).connect(d.env(), shops, false)
		}
	}
	if err != nil {
		d.log.Error().Err(err).Msg("the new configuration is refused; the old one stays in force")
		return nil
	}
	return next
}

// stop ends the engine and waits for it within the time there is.
func (d *running) stop(c *config.Config, cancel context.CancelFunc, ended <-chan error) error {
	cancel()
	late := time.NewTimer(c.StopTimeout + stopMargin)
	defer late.Stop()
	select {
	case err := <-ended:
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	case <-late.C:
		return ErrAbandoned
	case <-d.abandon:
		return ErrAbandoned
	}
}

// ticker ticks twice in the time of the watchdog; without a watchdog, once in
// a minute, for the status line.
func (d *running) ticker() (<-chan time.Time, func()) {
	every := time.Minute
	if d.Watchdog > 0 {
		every = d.Watchdog / 2
	}
	t := time.NewTicker(every)
	return t.C, t.Stop
}

// watch tells the service manager that all is well, if it is.
func (d *running) watch(ctx context.Context, house *House) {
	ctx, cancel := context.WithTimeout(ctx, max(d.Watchdog/4, 5*time.Second))
	defer cancel()
	if err := house.Healthy(ctx); err != nil {
		d.log.Error().Err(err).Msg("the books do not answer")
		return
	}
	d.Notify(systemd.SdNotifyWatchdog + "\n" + d.summary(ctx, house))
}

// othersMoved reports whether another process has left shops to us, or has
// taken some while the database was away.
func (d *running) othersMoved(ctx context.Context, house *House) bool {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	changed, err := house.locks.refresh(ctx)
	switch {
	case err != nil && !d.lockless:
		d.log.Error().Err(err).Msg("the locks of the shops cannot be kept; going on, and trying again")
	case err == nil && d.lockless:
		d.log.Info().Msg("the locks of the shops are kept again")
	}
	d.lockless = err != nil
	return changed
}

// lookAtOthers is how often a process that shares its database with others looks
// whether one of them has ended.
const lookAtOthers = 2 * time.Second

// lockPatience is how long the database may take to tell who syncs what.
const lockPatience = 5 * time.Second

// summary is the line that systemctl status shows.
func (d *running) summary(ctx context.Context, house *House) string {
	shops, err := house.Engine.Status(ctx)
	if err != nil {
		return "STATUS=the status cannot be read"
	}
	return "STATUS=" + summarize(shops)
}

func summarize(shops []engine.ShopStatus) string {
	parked, paused, alarms := 0, 0, 0
	for _, s := range shops {
		if s.Paused != "" {
			paused++
		}
		if s.Drift != nil && s.Drift.Alarm != "" {
			alarms++
		}
		for _, r := range s.Resources {
			parked += r.Parked
			if r.Alarm != "" {
				alarms++
			}
		}
	}
	return fmt.Sprintf("%d shops, %d paused; %d records parked; %d alarms", len(shops), paused, parked, alarms)
}
