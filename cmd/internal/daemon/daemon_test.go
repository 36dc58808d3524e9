package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

// stall is a shop with one category. It answers at once, or, where its gate is
// set, when the gate is closed, whatever the context says.
type stall struct {
	gate    <-chan struct{}
	started func()
}

func (s *stall) Probe(context.Context) (connectors.Shop, error) { return connectors.Shop{}, nil }

func (s *stall) Streams() []connectors.Stream {
	return []connectors.Stream{{Resource: intake.Categories, Sorted: true}}
}

func (s *stall) Pull(context.Context, intake.Resource, connectors.Cursor) (connectors.Page, error) {
	s.started()
	if s.gate != nil {
		<-s.gate
	}
	record, err := intake.Seal(intake.Ref{Kind: intake.KindCategory, ID: "1"}, time.Time{}, &intake.Category{Name: "Bread"}, []byte(`{}`))
	return connectors.Page{Records: []intake.Record{record}, Next: connectors.Cursor("end")}, err
}

func (s *stall) Fetch(context.Context, []intake.Ref) ([]intake.Record, error) { return nil, nil }

type stallConfig struct{ key string }

func (c *stallConfig) Fields() []connectors.Field {
	return []connectors.Field{{Key: "key", Help: "The key.", Value: &c.key, Secret: true}}
}

func (c *stallConfig) Validate() error { return nil }

// world is a data directory, a configuration file, and what is observed of a
// daemon on them.
type world struct {
	t        *testing.T
	file     string
	gate     chan struct{} // nil: the shop answers at once
	pulls    chan struct{}
	hints    chan string         // nil: the shop sends none
	registry []connectors.Driver // nil: stalls
	signals  chan os.Signal
	notified chan string
	log      *lockedBuffer
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, file: filepath.Join(t.TempDir(), "comptoir.yaml"), pulls: make(chan struct{}, 1000),
		signals: make(chan os.Signal, 4), notified: make(chan string, 1000), log: new(lockedBuffer)}
	w.write("atelier")
	return w
}

// write writes a configuration with these shops.
func (w *world) write(shops ...string) {
	w.t.Helper()
	text := "data: " + filepath.Join(filepath.Dir(w.file), "data") + "\nstop_timeout: 200ms\nshops:\n"
	for _, s := range shops {
		text += fmt.Sprintf("  %s:\n    connector: stall\n    jitter: 0s\n    schedules: {categories: \"@every 1s\"}\n", s)
	}
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) load() (*config.Config, error) {
	if w.registry != nil {
		return config.Load(config.Options{File: w.file, Registry: w.registry})
	}
	return config.Load(config.Options{File: w.file, Registry: []connectors.Driver{{
		Name:   "stall",
		Config: func() connectors.Config { return &stallConfig{} },
		New: func(connectors.Env, connectors.Config) (connectors.Connector, error) {
			s := &stall{started: func() {
				select {
				case w.pulls <- struct{}{}:
				default:
				}
			}}
			if w.gate != nil {
				s.gate = w.gate
			}
			if w.hints != nil {
				return tellingStall{s, w.hints}, nil
			}
			return s, nil
		},
	}}})
}

func (w *world) env() Env { return Env{Now: time.Now, Log: zerolog.New(w.log), Verb: "run"} }

// start runs the daemon and returns how it ended.
func (w *world) start(watchdog time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() {
		ended <- Run(context.Background(), Options{
			Env: w.env(), Load: w.load, Signals: w.signals, Watchdog: watchdog,
			Logger: func(config.Log) zerolog.Logger { return zerolog.New(w.log) },
			Notify: func(state string) {
				select {
				case w.notified <- state:
				default:
				}
			},
		})
	}()
	return ended
}

const patience = 20 * time.Second

// told waits until the service manager was told this.
func (w *world) told(want string) string {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case state := <-w.notified:
			if strings.HasPrefix(state, want) {
				return state
			}
		case <-deadline:
			w.t.Fatalf("the service manager was not told %s; the log says\n%s", want, w.log)
		}
	}
}

// pulled waits until the shop was asked.
func (w *world) pulled() {
	w.t.Helper()
	select {
	case <-w.pulls:
	case <-time.After(patience):
		w.t.Fatalf("the shop was not asked; the log says\n%s", w.log)
	}
}

func (w *world) ended(ended <-chan error) error {
	w.t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		w.t.Fatalf("the daemon did not end; the log says\n%s", w.log)
		return nil
	}
}

func TestDaemonReportsReadyAliveAndStopping(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	ended := w.start(100 * time.Millisecond)
	if state := w.told(systemd.SdNotifyReady); !strings.Contains(state, "STATUS=1 shops") {
		t.Errorf("ready with %q", state)
	}
	w.pulled()
	w.told(systemd.SdNotifyWatchdog)
	w.signals <- syscall.SIGTERM
	w.told(systemd.SdNotifyStopping)
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
	c, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.StatusPath()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the status file is left behind: %v", err)
	}
}

func TestReloadPutsNewConfigurationInForce(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	w.write("atelier", "marche")
	w.signals <- syscall.SIGHUP
	if state := w.told(systemd.SdNotifyReloading); !strings.Contains(state, "MONOTONIC_USEC=") {
		t.Errorf("reloading with %q", state)
	}
	if state := w.told(systemd.SdNotifyReady); !strings.Contains(state, "STATUS=2 shops") {
		t.Errorf("ready with %q", state)
	}
	w.pulled()
	w.signals <- syscall.SIGINT
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestReloadRefusesInvalidConfiguration(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	if err := os.WriteFile(w.file, []byte("shops:\n  atelier: {connector: magento}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.signals <- syscall.SIGHUP
	w.told(systemd.SdNotifyReloading)
	w.told(systemd.SdNotifyReady)
	if log := w.log.String(); !strings.Contains(log, "comptoir.yaml:2: shops.atelier.connector") || !strings.Contains(log, "the old one stays in force") {
		t.Errorf("the log says\n%s", log)
	}
	for len(w.pulls) > 0 {
		<-w.pulls
	}
	w.pulled() // it goes on
	w.signals <- syscall.SIGTERM
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestReloadToBrokenDataDirectoryGoesBack(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	text := "data: " + filepath.Join(w.file, "below-a-file") + "\nshops:\n  atelier: {connector: stall}\n"
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.signals <- syscall.SIGHUP
	w.told(systemd.SdNotifyReloading)
	w.told(systemd.SdNotifyReady)
	if log := w.log.String(); !strings.Contains(log, "the new configuration does not work") {
		t.Errorf("the log says\n%s", log)
	}
	w.signals <- syscall.SIGTERM
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestSecondSignalStopsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.gate = make(chan struct{})
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	w.pulled()
	w.signals <- syscall.SIGTERM
	w.told(systemd.SdNotifyStopping)
	w.signals <- syscall.SIGTERM
	if err := w.ended(ended); !errors.Is(err, ErrAbandoned) {
		t.Errorf("ended with %v", err)
	}
	close(w.gate)
}

func TestSecondProcessIsToldWhoIsAtWork(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	ctx := t.Context()
	c, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	house, err := Open(ctx, c, w.env())
	if err != nil {
		t.Fatal(err)
	}
	var held Status
	for deadline := time.Now().Add(patience); held.PID == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the status file did not come")
		}
		if held, err = ReadStatus(ctx, c, w.env()); err != nil {
			t.Fatal(err)
		}
	}
	if held.Verb != "run" || held.PID != os.Getpid() || len(held.Shops) != 1 {
		t.Errorf("status: %+v", held)
	}
	_, err = Open(ctx, c, w.env())
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), fmt.Sprintf("comptoir run (process %d) is at work on", os.Getpid())) {
		t.Errorf("second process: %v", err)
	}
	if err := house.Close(); err != nil {
		t.Fatal(err)
	}
	free, err := ReadStatus(ctx, c, w.env())
	if err != nil || free.PID != 0 || len(free.Shops) != 1 {
		t.Errorf("status: %+v, %v", free, err)
	}
}

func TestUnknownShopIsNamedWithThoseThatThereAre(t *testing.T) {
	w := newWorld(t)
	c, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), c, w.env(), "nowhere")
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), `"nowhere"`) || !strings.Contains(err.Error(), "atelier") {
		t.Errorf("got %v", err)
	}
}
