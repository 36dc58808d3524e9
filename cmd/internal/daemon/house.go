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
	"sync/atomic"
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

	// Strangers are the shops that only the books have.
	Strangers []string

	// aside are the shops that are left to other processes. Their connectors
	// tell their hints from false ones.
	aside []engine.Shop

	state *syncstate.Bolt
	locks *locks
	tell  *teller
	front atomic.Pointer[front] // while the daemon takes hints
}

// OpenBooks opens the books alone. They can be read and written while a daemon
// works on them.
func OpenBooks(ctx context.Context, c *config.Config, env Env) (*erp.Books, error) {
	if c.BooksPath() != "" {
		if err := makeData(c.Data); err != nil {
			return nil, err
		}
	}
	options, err := c.BooksOptions(env.Now, env.Log)
	if err != nil {
		return nil, err
	}
	return erp.Open(ctx, options)
}

// OpenThereBooks opens the books alone where there are some. It refuses to
// make new ones: who asks for a report of a mistyped directory wants to know.
func OpenThereBooks(ctx context.Context, c *config.Config, env Env) (*erp.Books, error) {
	if err := booksThere(c); err != nil {
		return nil, err
	}
	return OpenBooks(ctx, c, env)
}

// booksThere is a NotFound fault where nothing was synced yet. Of books in
// PostgreSQL it knows nothing.
func booksThere(c *config.Config) error {
	path := c.BooksPath()
	if path == "" {
		return nil
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist):
		return fault.New(fault.NotFound, "run comptoir sync first, or name the right directory with --data",
			"there are no books in %s", c.Data)
	default:
		return unusable(c.Data, err)
	}
}

// unusable is the error for a data directory that this user cannot use.
func unusable(dir string, err error) error {
	fix := "choose another one with data in the configuration, or with --data"
	if errors.Is(err, os.ErrPermission) {
		fix = "run comptoir as the user that owns it, or " + fix
	}
	return fault.New(fault.Unavailable, fix, "the data directory %s cannot be used: %w", dir, err)
}

// Open opens the books, the sync state and the connectors of the shops named,
// all where none are. Only one process at a time can hold the sync state of a
// data directory; for the second one Open fails with an Unavailable fault.
func Open(ctx context.Context, c *config.Config, env Env, names ...string) (*House, error) {
	shops, err := Pick(c, names)
	if err != nil {
		return nil, err
	}
	return open(ctx, c, env, shops, opening{})
}

// opening says how a house is opened.
type opening struct {
	// offline: no shop is asked, what needs secrets that are not at hand is done
	// without, and the sync state is read and left as it is.
	offline bool
	// standBy: there need be no shop to work on, since others may leave some.
	standBy bool
	// locks are those that are held already; nil: they are taken.
	locks *locks
}

// open opens a house. Locks that it was given are closed where it fails.
func open(ctx context.Context, c *config.Config, env Env, shops []*config.Shop, how opening) (_ *House, err error) {
	h, offline := &House{Config: c, locks: how.locks}, how.offline
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	if _, err := h.connect(env, shops, offline); err != nil {
		return nil, err // before any file is touched
	}
	if err := h.openFiles(ctx, env, offline); err != nil {
		return nil, err
	}
	if !offline && h.locks == nil {
		if h.locks, err = takeLocks(ctx, c, shops, how.standBy); err != nil {
			return nil, err
		}
	}
	all, err := h.connect(env, shops, offline)
	if err != nil {
		return nil, err
	}
	var ready []engine.Shop
	for _, s := range all {
		if h.Ready(s.Name) == nil {
			ready = append(ready, s)
		} else {
			h.aside = append(h.aside, s)
		}
	}
	if h.Strangers, err = Strangers(ctx, c, h.Books); err != nil {
		return nil, err
	}
	h.Engine, err = engine.New(engine.Options{
		Books: h.Books, State: h.state, Shops: ready, Now: env.Now, Log: env.Log,
		Progress: env.Progress, StopTimeout: c.StopTimeout, Passed: h.locks != nil,
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
	h.warn(env)
	h.tell = newTeller(c.StatusPath(), env, h)
	return h, nil
}

// OpenAside opens the books and the connectors of the shops named for what needs
// no sync state, and can so be done beside a daemon. Busy reports whether there
// is one, or another process that keeps the shops in step.
func OpenAside(ctx context.Context, c *config.Config, env Env, names ...string) (h *House, busy bool, err error) {
	shops, err := Pick(c, names)
	if err != nil {
		return nil, false, err
	}
	h = &House{Config: c}
	ready, err := h.connect(env, shops, false)
	if err != nil {
		return nil, false, err
	}
	if h.Books, err = OpenThereBooks(ctx, c, env); err != nil {
		return nil, false, err
	}
	if h.Engine, err = engine.New(engine.Options{Books: h.Books, Shops: ready, Now: env.Now, Log: env.Log, Progress: env.Progress}); err != nil {
		return nil, false, errors.Join(err, h.Close())
	}
	state, err := openState(c, env, true)
	switch fault.KindOf(err) {
	case fault.Unavailable:
		return h, true, nil
	case fault.NotFound:
		return h, false, nil
	}
	if err != nil {
		return nil, false, errors.Join(err, h.Close())
	}
	return h, false, state.Close()
}

// openFiles opens the sync state and the books.
func (h *House) openFiles(ctx context.Context, env Env, offline bool) (err error) {
	if offline { // nothing is made, so the books come first
		if h.Books, err = OpenThereBooks(ctx, h.Config, env); err == nil {
			h.state, err = openState(h.Config, env, true)
		}
		return err
	}
	for _, dir := range []string{h.Config.Data, h.Config.SpoolPath()} {
		if err := makeData(dir); err != nil {
			return err
		}
	}
	// The state first: it tells at once that another process is at work here.
	if h.state, err = openState(h.Config, env, false); err == nil {
		h.Books, err = OpenBooks(ctx, h.Config, env)
	}
	return err
}

// Abandon only ends the telling to others: what hangs would hang the rest of
// Close too.
func (h *House) Abandon() { h.tell.close() }

// Close closes everything, in the opposite order.
func (h *House) Close() error {
	var errs []error
	if h.tell != nil {
		h.tell.close()
	}
	errs = append(errs, h.locks.close())
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
func (h *House) connect(env Env, shops []*config.Shop, offline bool) ([]engine.Shop, error) {
	c := h.Config
	inBooks := func(_ context.Context, use func(*erp.Books) error) error { return use(h.Books) }
	ready := make([]engine.Shop, 0, len(shops))
	for _, s := range shops {
		build := s.Connector
		if offline {
			build = s.Offline
		}
		connector, err := build(connectors.Env{Transport: env.Transport, Now: env.Now, Log: env.Log,
			Keeper: NewKeeper(s.Name, inBooks), Spool: c.SpoolPath()})
		if err != nil {
			return nil, fmt.Errorf("shop %s: %w", s.Name, err)
		}
		e := engine.Shop{Name: s.Name, Connector: connector, Schedules: map[intake.Resource]string{},
			Location: s.TimeZone, Jitter: s.Jitter, Reread: cron(s.Reread), Sweep: cron(s.Sweep), Retry: cron(s.Retry), Verify: cron(s.Verify), VerifySpan: s.VerifySpan, Silence: s.Silence,
			Push: s.Push.Enabled, Compare: cron(s.Push.Compare)}
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
		return unusable(dir, err)
	}
	return nil
}

func openState(c *config.Config, env Env, offline bool) (*syncstate.Bolt, error) {
	path := c.StatePath()
	options := syncstate.Options{Now: env.Now, Space: engine.Space}
	switch _, err := os.Stat(path); {
	case err == nil:
		options.ReadOnly = offline
	case offline && c.BooksPath() == "":
		return nil, fault.New(fault.NotFound, "run comptoir sync first, or name the right directory with --data",
			"nothing was synced from %s yet", c.Data)
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
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, unusable(c.Data, err)
	case err != nil:
		return nil, &fault.Error{Kind: fault.Unavailable, Msg: err.Error(), Err: err}
	}
	return state, nil
}
