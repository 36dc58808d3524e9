package daemon

import (
	"context"
	"strings"
	"sync"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/engine"
	"comptoir/cmd/internal/hooks"
	"comptoir/connectors"

	"github.com/rs/zerolog"
)

const (
	// subscribeEvery is how often a shop's subscriptions are looked at: a shop
	// switches one off when deliveries have failed for a while.
	subscribeEvery = 24 * time.Hour
	// After a failure they are looked at sooner, then less and less often.
	firstSubscribeWait   = time.Minute
	longestSubscribeWait = 6 * time.Hour
	// frontPatience is how long deliveries that are being taken may still need
	// when the daemon stops.
	frontPatience = 2 * time.Second
	// passPatience is how long it may take to pass a hint on: Shopify waits five
	// seconds for an answer.
	passPatience = 4 * time.Second
)

// WebhookStatus is how the hints of a shop come in.
type WebhookStatus struct {
	Shop string `json:"shop"`
	// Address is where the shop sends them to; "" where none is known.
	Address string `json:"address,omitempty"`
	hooks.Counts
	// Subscribed is when the subscriptions were last looked at; nil where they
	// never were.
	Subscribed    *time.Time                `json:"subscribed"`
	Subscriptions []connectors.Subscription `json:"subscriptions"` // never nil
	// Error is why that failed the last time; "" where it did not.
	Error string `json:"error,omitempty"`
}

// HookAddress is where a shop is to send its hints to; "" where it is not
// asked to send any.
func HookAddress(c *config.Config, s *config.Shop) string {
	if c.Webhooks.URL == "" || !s.Webhooks {
		return ""
	}
	return strings.TrimRight(c.Webhooks.URL, "/") + hooks.Path(s.Name)
}

// front is where shops send their hints to while the daemon works. It is nil
// where none are taken.
type front struct {
	house    *House
	log      zerolog.Logger
	now      func() time.Time
	receiver *hooks.Receiver
	server   *hooks.Server // nil while the address is taken
	cancel   context.CancelFunc
	asking   sync.WaitGroup
	closing  sync.Once

	mu    sync.Mutex
	shops []*WebhookStatus
}

// openFront takes hints, and asks the shops to send them. An address that
// cannot be used is logged and tried again: without hints the shops are read on
// their schedules.
func openFront(ctx context.Context, house *House, env Env) *front {
	c := house.Config
	if c.Webhooks.Listen == "" {
		return nil
	}
	f := &front{house: house, log: env.Log, now: env.Now}
	f.receiver = hooks.New(hooks.Options{Hinter: f.hinter, Take: f.take, Now: env.Now, Log: env.Log})
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.listen()
	for _, s := range c.Shops {
		_, sends := f.hinter(s.Name)
		if _, left := house.leftAside(s.Name); left || !sends {
			continue
		}
		st := &WebhookStatus{Shop: s.Name, Address: HookAddress(c, s)}
		f.shops = append(f.shops, st)
		if st.Address != "" {
			f.asking.Go(func() { f.subscribe(ctx, st) })
		}
	}
	house.front.Store(f)
	return f
}

func (f *front) hinter(name string) (connectors.Hinter, bool) {
	if s, ok := f.house.Config.Shop(name); !ok || !s.Webhooks {
		return nil, false
	}
	if s, left := f.house.leftAside(name); left {
		hinter, ok := s.Connector.(connectors.Hinter)
		return hinter, ok
	}
	return f.house.Engine.Hinter(name)
}

// take keeps a hint; one of a shop that another process syncs is passed on to
// that one.
func (f *front) take(shop string, h connectors.Hint) (repeated bool, err error) {
	if _, left := f.house.leftAside(shop); !left {
		return f.house.Engine.TakeHint(shop, h)
	}
	ctx, cancel := context.WithTimeout(context.Background(), passPatience)
	defer cancel()
	return false, engine.PassHint(ctx, f.house.Books, shop, h)
}

// listen opens the address, where it is not open.
func (f *front) listen() {
	if f == nil || f.server != nil {
		return
	}
	server, err := hooks.Start(f.house.Config.Webhooks.Listen, f.receiver, f.log)
	if err != nil {
		f.log.Error().Err(err).Msg("going on without hints, and trying again")
		return
	}
	f.server = server
}

// subscribe keeps the subscriptions of a shop in order until ctx ends.
func (f *front) subscribe(ctx context.Context, st *WebhookStatus) {
	wait := firstSubscribeWait
	for {
		subs, err := f.house.Engine.Subscribe(ctx, st.Shop, st.Address)
		if ctx.Err() != nil {
			return
		}
		next := subscribeEvery
		if err != nil {
			f.log.Warn().Err(err).Str("shop", st.Shop).Str("wait", wait.String()).Msg("the shop cannot be asked for hints; trying again")
			next, wait = wait, min(2*wait, longestSubscribeWait)
		} else {
			wait = firstSubscribeWait
		}
		f.note(st, subs, err)
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return
		}
	}
}

func (f *front) note(st *WebhookStatus, subs []connectors.Subscription, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		st.Error = err.Error()
		return
	}
	now := f.now()
	st.Subscribed, st.Subscriptions, st.Error = &now, subs, ""
}

// status tells how the hints come in.
func (f *front) status() []WebhookStatus {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]WebhookStatus, len(f.shops))
	for i, st := range f.shops {
		all[i] = *st
		all[i].Counts = f.receiver.Counts(st.Shop)
		if all[i].Subscriptions == nil {
			all[i].Subscriptions = []connectors.Subscription{}
		}
	}
	return all
}

// close takes no more hints. It comes before everything else ends, so that
// nothing is acknowledged that cannot be kept. It may be called again.
func (f *front) close() {
	if f == nil {
		return
	}
	f.closing.Do(func() {
		f.cancel()
		if f.server != nil {
			ctx, cancel := context.WithTimeout(context.Background(), frontPatience)
			defer cancel()
			if err := f.server.Stop(ctx); err != nil {
				f.log.Warn().Err(err).Msg("stopping")
			}
		}
		f.asking.Wait()
	})
}
