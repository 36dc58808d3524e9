// Package daemon opens what Comptoir works with in the right order, keeps the
// shops synced until it is told to stop, and closes everything again. It is
// what stands between the command line and the engine: start and stop order,
// signals, reload, readiness and watchdog.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/syncstate"

	"github.com/rs/zerolog"
)

// Env is what a house takes from the process it lives in.
type Env struct {
	Now func() time.Time
	Log zerolog.Logger
	// Transport carries the requests to the shops; nil means the default.
	Transport http.RoundTripper
	// Progress is told after each page; may be nil.
	Progress func(engine.Progress)
	// Verb is what the process does, for others to read: "run", "sync".
	Verb string
}

// House is everything that a verb works with, opened.
type House struct {
	Config *config.Config
	Books  *erp.Books
	Engine *engine.Engine

	state *syncstate.Bolt
	tell  *teller
}

// OpenBooks opens the books alone. They can be read and written while a daemon
// works on them.
func OpenBooks(ctx context.Context, c *config.Config, env Env) (*erp.Books, error) {
	if err := makeData(c.Data); err != nil {
		return nil, err
	}
	options, err := c.BooksOptions(env.Now, env.Log)
	if err != nil {
		return nil, err
	}
	books, err := erp.Open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open the books: %w", err)
	}
	return books, nil
}

// Open opens the books, the sync state and the connectors of the shops named,
// all where none are. Only one process at a time can hold the sync state of a
// data directory; for the second one Open fails with an Unavailable fault.
func Open(ctx context.Context, c *config.Config, env Env, names ...string) (*House, error) {
	shops, err := Pick(c, names)
	if err != nil {
		return nil, err
	}
	return open(ctx, c, env, shops, false)
}

// open opens a house. An offline one asks no shop, and does without secrets
// that are not at hand; it reads the sync state and leaves it as it is.
func open(ctx context.Context, c *config.Config, env Env, shops []*config.Shop, offline bool) (_ *House, err error) {
	ready, err := connect(c, env, shops, offline)
	if err != nil {
		return nil, err
	}
	h := &House{Config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	if err := makeData(c.Data); err != nil {
		return nil, err
	}
	// The state first: it tells at once that another process is at work here.
	if h.state, err = openState(c, env, offline); err != nil {
		return nil, err
	}
	if h.Books, err = OpenBooks(ctx, c, env); err != nil {
		return nil, err
	}
	h.Engine, err = engine.New(engine.Options{
		Books: h.Books, State: h.state, Shops: ready, Now: env.Now, Log: env.Log,
		Progress: env.Progress, StopTimeout: c.StopTimeout,
	})
	if err != nil {
		return nil, err
	}
	if offline {
		return h, nil
	}
	if err := h.Engine.Recover(ctx); err != nil {
		return nil, fmt.Errorf("compare the sync state with the books: %w", err)
	}
	h.tell = newTeller(c.StatusPath(), env, h.Engine)
	return h, nil
}

// Close closes everything, in the opposite order.
func (h *House) Close() error {
	var errs []error
	if h.tell != nil {
		h.tell.close()
	}
	if h.Books != nil {
		errs = append(errs, h.Books.Close())
	}
	if h.state != nil {
		errs = append(errs, h.state.Close())
	}
	return errors.Join(errs...)
}

// Healthy reports whether the books answer.
func (h *House) Healthy(ctx context.Context) error {
	_, err := h.Books.Fences(ctx, h.Config.Shops[0].Name)
	return err
}

// Pick returns the shops of these names, all where there are none.
func Pick(c *config.Config, names []string) ([]*config.Shop, error) {
	if len(c.Shops) == 0 {
		fix := "write a configuration (comptoir config example > comptoir.yaml), or name one with --config"
		if c.File != "" {
			fix = "add one under shops in " + c.File
		}
		return nil, fault.New(fault.Invalid, fix, "no shop is configured")
	}
	if len(names) == 0 {
		return c.Shops, nil
	}
	var picked []*config.Shop
	for _, name := range names {
		s, ok := c.Shop(name)
		if !ok {
			return nil, UnknownShop(c, name)
		}
		picked = append(picked, s)
	}
	return picked, nil
}

// UnknownShop is the error for a shop that the configuration does not have.
func UnknownShop(c *config.Config, name string) error {
	return fault.New(fault.NotFound, fmt.Sprintf("%s has %q", c.File, c.ShopNames()), "there is no shop %q", name)
}

// connect makes the engine's shops. It does no I/O.
func connect(c *config.Config, env Env, shops []*config.Shop, offline bool) ([]engine.Shop, error) {
	ready := make([]engine.Shop, 0, len(shops))
	for _, s := range shops {
		build := s.Connector
		if offline {
			build = s.Offline
		}
		connector, err := build(connectors.Env{Transport: env.Transport, Now: env.Now, Log: env.Log})
		if err != nil {
			return nil, fmt.Errorf("shop %s: %w", s.Name, err)
		}
		e := engine.Shop{Name: s.Name, Connector: connector, Schedules: map[intake.Resource]string{},
			Location: s.TimeZone, Jitter: s.Jitter, Reread: cron(s.Reread), Sweep: cron(s.Sweep), Retry: cron(s.Retry), Silence: s.Silence}
		if e.Location == nil {
			e.Location = c.Books.TimeZone
		}
		for _, stream := range connector.Streams() {
			if spec := cron(s.Schedule(stream.Resource)); spec != "" {
				e.Schedules[stream.Resource] = spec
			}
		}
		ready = append(ready, e)
	}
	return ready, nil
}

// cron is a schedule as the engine takes it.
func cron(spec string) string {
	if spec == config.Off {
		return ""
	}
	return spec
}

func makeData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.New(fault.Invalid, "choose another one with data in the configuration, or with --data",
			"the data directory cannot be made: %w", err)
	}
	return nil
}

func openState(c *config.Config, env Env, offline bool) (*syncstate.Bolt, error) {
	path := c.StatePath()
	options := syncstate.Options{Now: env.Now, Space: engine.Space}
	if _, err := os.Stat(path); err == nil {
		options.ReadOnly = offline
	}
	state, err := syncstate.Open(path, options)
	var held *syncstate.HeldError
	if errors.As(err, &held) {
		msg := fmt.Sprintf("another comptoir process is at work on %s", filepath.Dir(path))
		if s, err := readStatus(c.StatusPath()); err == nil && s.PID > 0 {
			msg = fmt.Sprintf("comptoir %s (process %d) is at work on %s", s.Verb, s.PID, filepath.Dir(path))
		}
		return nil, &fault.Error{Kind: fault.Unavailable, Msg: msg, Err: held,
			Fix: "leave the work to it, or stop it first (a service: systemctl stop comptoir)"}
	}
	if err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Msg: err.Error(), Err: err}
	}
	return state, nil
}
