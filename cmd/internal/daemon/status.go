package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/engine"
	"comptoir/erp/fault"
)

// Status is how the shops stand.
type Status struct {
	// AsOf is when this was so.
	AsOf time.Time `json:"as_of"`
	// Verb and PID say which process is at work on the data directory; "" and
	// 0 where none is.
	Verb  string              `json:"verb,omitempty"`
	PID   int                 `json:"pid,omitempty"`
	Shops []engine.ShopStatus `json:"shops"`
	// Elsewhere are the shops that another process syncs into the same database,
	// with a data directory of its own: how they stand is told there.
	Elsewhere []string `json:"elsewhere,omitempty"`
	// Webhooks say how the hints of shops come in; none where none are taken.
	Webhooks []WebhookStatus `json:"webhooks,omitempty"`
	// Unconfigured are the shops that only the books have.
	Unconfigured []string `json:"unconfigured"`
}

// tellEvery is how often whoever holds the sync state writes how it goes.
// bbolt lets nobody else read the file meanwhile.
const tellEvery = 2 * time.Second

// ReadStatus tells how the shops stand. While another process is at work on
// the data directory it is what that process wrote last, at most a few seconds
// ago.
func ReadStatus(ctx context.Context, c *config.Config, env Env) (Status, error) {
	shops, err := Pick(c, nil)
	if err != nil {
		return Status{}, err
	}
	h, err := open(ctx, c, env, shops, opening{offline: true})
	if fault.KindOf(err) == fault.Unavailable {
		if s, other := readStatus(c.StatusPath()); other == nil {
			return s, nil
		}
	}
	if err != nil {
		return Status{}, err
	}
	all, err := h.Engine.Status(ctx)
	if err = errors.Join(err, h.Close()); err != nil {
		return Status{}, err
	}
	return Status{AsOf: env.Now(), Shops: all, Unconfigured: h.Strangers}, nil
}

func readStatus(path string) (Status, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Status{}, err
	}
	var s Status
	if err := json.Unmarshal(b, &s); err != nil {
		return Status{}, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

// teller writes the status file as long as it is open.
type teller struct {
	path   string
	env    Env
	house  *House
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newTeller(path string, env Env, h *House) *teller {
	ctx, cancel := context.WithCancel(context.Background())
	t := &teller{path: path, env: env, house: h, cancel: cancel}
	t.done.Go(func() { t.run(ctx) })
	return t
}

func (t *teller) run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		if err := t.write(ctx); err != nil && ctx.Err() == nil {
			t.env.Log.Warn().Err(err).Msg("the status for other processes cannot be written")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// write replaces the file as a whole, so that nobody reads half of it.
func (t *teller) write(ctx context.Context) error {
	shops, err := t.house.Engine.Status(ctx)
	if err != nil {
		return err
	}
	b, err := json.Marshal(Status{AsOf: t.env.Now(), Verb: t.env.Verb, PID: os.Getpid(), Shops: shops, Elsewhere: t.house.elsewhere(), Webhooks: t.house.front.Load().status(), Unconfigured: t.house.Strangers})
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(t.path), ".status-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), t.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// close ends the writing and takes the file away.
func (t *teller) close() {
	t.cancel()
	t.done.Wait()
	if err := os.Remove(t.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.env.Log.Warn().Err(err).Msg("the status for other processes cannot be removed")
	}
}
