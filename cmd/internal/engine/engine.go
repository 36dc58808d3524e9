// Package engine carries what shops say into the books: it pulls pages, drops
// the records that are known, has the books apply the others, and only then
// remembers how far it came. It is the only place that orders writes across
// the connectors, the books and the sync state.
//
// The books commit first, the sync state remembers after, never the other way
// round. A crash between the two makes a page come again, which is harmless;
// the other order would lose it.
package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
)

const defaultStopTimeout = 20 * time.Second

// Engine keeps shops and books in step. It is safe for concurrent use; work on
// one shop is done one piece after the other.
type Engine struct {
	opts  Options
	shops []*shop
}

// shop is a Shop at work.
type shop struct {
	Shop
	streams []connectors.Stream
	timers  []timer
	verify  cron.Schedule // of comparisons; nil for none
	log     zerolog.Logger

	// turn is held by whoever works on the shop: pulls, reads again, sweeps.
	// So no two statements about one record can overtake each other.
	turn chan struct{}
	// hurried is how many wait for the turn who cannot wait for long, see
	// takeTurnSoon.
	hurried atomic.Int32
	changed chan struct{} // holds one notice that the books have changed
	hinted  chan struct{} // holds one notice that the shop has said something
	// The rest of this block belongs to the holder of turn.
	inStep    bool                          // the marks follow the fences
	stumbled  bool                          // the last request failed for good
	unsettled bool                          // something has changed since the last settlement, or may have
	read      map[intake.Resource]time.Time // when the last pull began, zero where it did not come to its end; absent: none yet
	alarmed   map[intake.Resource]bool      // whether its silence was logged
	awaited   []string                      // the shops that its new goods wait for
	priced    bool                          // the books know in which currency it sells, as far as it lets that be known
	ordering  bool                          // its orders are being pulled, and the pull has given way
	unable    map[outbox.Kind]bool          // the messages that its connector cannot deliver; it was logged
	troubled  map[string]int                // by key: in how many passes a request failed while the shop answered others

	mu      sync.Mutex
	paused  string // why, "" where it is not
	resumed chan struct{}
	pushing pushHistory
	drift   *DriftStatus // of the last comparison on the schedule
	pulls   map[intake.Resource]lastPulls
	notes   map[intake.Resource][]time.Time // of activity, see silence.go
	// repeated is what the last status said of repeated SKUs.
	repeated repeated
}

// New makes an engine. It does no I/O. A cron spec that cannot be read is an
// error that names the shop, the resource and the spec.
func New(o Options) (*Engine, error) {
	if o.StopTimeout == 0 {
		o.StopTimeout = defaultStopTimeout
	}
	e := &Engine{opts: o}
	for _, s := range o.Shops {
		if s.Location == nil {
			s.Location = time.UTC
		}
		sh := &shop{
			Shop:      s,
			streams:   s.Connector.Streams(),
			log:       o.Log.With().Str("shop", s.Name).Logger(),
			turn:      make(chan struct{}, 1),
			hinted:    make(chan struct{}, 1),
			changed:   make(chan struct{}, 1),
			unsettled: true,
			read:      map[intake.Resource]time.Time{},
			alarmed:   map[intake.Resource]bool{},
			unable:    map[outbox.Kind]bool{},
			troubled:  map[string]int{},
			resumed:   make(chan struct{}, 1),
			pulls:     map[intake.Resource]lastPulls{},
			notes:     map[intake.Resource][]time.Time{},
		}
		var err error
		if sh.timers, err = timersOf(sh); err != nil {
			return nil, err
		}
		if sh.verify, err = verifySchedule(sh.Shop); err != nil {
			return nil, err
		}
		e.shops = append(e.shops, sh)
	}
	return e, nil
}

// specs reads cron specs: the seconds may be left out, and descriptors such as
// "@every 5m" are fine.
var specs = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

func (e *Engine) shop(name string) (*shop, error) {
	names := make([]string, len(e.shops))
	for i, sh := range e.shops {
		if sh.Name == name {
			return sh, nil
		}
		names[i] = sh.Name
	}
	return nil, fault.New(fault.NotFound, "the configuration has "+listed(names), "there is no shop %q", name)
}

// pick returns the shop's streams of these resources, all where there are
// none, in the order in which they must be synced.
func (sh *shop) pick(resources []intake.Resource) ([]connectors.Stream, error) {
	if len(resources) == 0 {
		return sh.streams, nil
	}
	for _, r := range resources {
		if _, ok := sh.stream(r); !ok {
			return nil, sh.lacks(r)
		}
	}
	var picked []connectors.Stream
	for _, st := range sh.streams {
		if slices.Contains(resources, st.Resource) {
			picked = append(picked, st)
		}
	}
	return picked, nil
}

// lacks is the error of a resource that is asked for and is none of the shop's;
// others may be asked for besides its streams.
func (sh *shop) lacks(r intake.Resource, others ...intake.Resource) error {
	var names []string
	for _, st := range sh.streams {
		names = append(names, string(st.Resource))
	}
	for _, o := range others {
		names = append(names, string(o))
	}
	return fault.New(fault.NotFound, "it has "+listed(names), "shop %s has no resource %q", sh.Name, r)
}

func (sh *shop) stream(r intake.Resource) (connectors.Stream, bool) {
	i := slices.IndexFunc(sh.streams, func(st connectors.Stream) bool { return st.Resource == r })
	if i < 0 {
		return connectors.Stream{}, false
	}
	return sh.streams[i], true
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// grace returns a context for what must not be torn apart when ctx ends: it
// ends StopTimeout later.
func (e *Engine) grace(ctx context.Context) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(e.opts.StopTimeout)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-graced.Done():
		}
	})
	return graced, func() { stop(); cancel() }
}

// Sync reads what has changed in a shop, resource by resource in the
// connector's order, to the end, and then settles the stock. The result tells
// what was done, beside an error too. A paused shop that can be read again is
// no longer paused.
func (e *Engine) Sync(ctx context.Context, r Request) (Result, error) {
	sh, err := e.shop(r.Shop)
	if err != nil {
		return Result{}, err
	}
	streams, err := sh.pick(r.Resources)
	if err != nil {
		return Result{}, err
	}
	release, err := e.takeTurn(ctx, sh)
	if err != nil {
		return Result{}, err
	}
	defer release()
	res, err := e.cycle(ctx, sh, streams, e.pull)
	if err == nil {
		sh.resume()
	}
	return res, err
}

// reader reads one stream to its end.
type reader func(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error)

// cycle reads streams from where it is up to date on. Before the orders the
// products are linked with those of the other shops, after them the stock is
// settled.
func (e *Engine) cycle(ctx context.Context, sh *shop, streams []connectors.Stream, read reader) (Result, error) {
	var ordersAt time.Time
	var linked *erp.Linking
	res, err := e.each(ctx, sh, streams, func(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
		if st.Resource == intake.Orders {
			var err error
			if linked, err = e.link(ctx, sh); err != nil {
				return ResourceResult{Resource: st.Resource}, err
			}
		}
		if st.Resource == intake.Products && !sh.priced {
			// Another shop that is told prices has to know, be this one told any or not.
			err := e.learnCurrency(ctx, sh)
			if sh.priced = err == nil; err != nil && ctx.Err() == nil {
				sh.log.Warn().Err(err).Msg("the currency of the shop's prices is not known yet")
			}
		}
		began := e.opts.Now()
		sh.read[st.Resource] = time.Time{} // also for whoever is given way to meanwhile
		one, err := read(ctx, sh, st)
		if err == nil {
			sh.read[st.Resource] = began
		}
		if st.Resource == intake.Orders && err == nil {
			ordersAt = began
		}
		return one, err
	})
	res.Linked = linked
	if ordersAt.IsZero() || ctx.Err() != nil {
		return res, err
	}
	res.Settled, err = e.settle(ctx, sh, ordersAt, err)
	return res, err
}

// each reads streams one after the other. One that fails does not keep the
// others from being read, unless nothing can be read.
func (e *Engine) each(ctx context.Context, sh *shop, streams []connectors.Stream, read reader) (Result, error) {
	started := e.opts.Now()
	res := Result{Shop: sh.Name, Resources: []ResourceResult{}}
	var errs []*readError
	for _, st := range streams {
		one, err := read(ctx, sh, st)
		res.add(one)
		if one.Applied > 0 && movesStock(st.Resource) {
			sh.unsettled = true
		}
		if err == nil {
			continue
		}
		errs = append(errs, &readError{resources: []string{string(st.Resource)}, shop: sh.Name, err: err})
		class := connectors.ClassOf(err)
		if class == connectors.Denied {
			sh.pause(err)
		}
		if ctx.Err() != nil || class == connectors.Denied || class == connectors.Throttled {
			break
		}
	}
	res.Total.Took = e.opts.Now().Sub(started)
	return res, joined(errs)
}

// movesStock reports whether records of r may change what is in stock.
func movesStock(r intake.Resource) bool {
	switch r {
	case intake.Products, intake.Variants, intake.Orders, intake.Trash:
		return true
	}
	return false
}

// settle brings the stock in line, where the catalogue was read before the
// orders were and something has changed since the last time. It adds its error
// to those of the reading before it.
func (e *Engine) settle(ctx context.Context, sh *shop, ordersAt time.Time, before error) (*erp.Settlement, error) {
	catalogueAt, err := e.catalogueRead(sh)
	if err != nil {
		return nil, errors.Join(before, err)
	}
	if catalogueAt.IsZero() || !sh.unsettled {
		return nil, before
	}
	graced, cancel := e.grace(ctx)
	defer cancel()
	s, err := e.opts.Books.Settle(graced, sh.Name, catalogueAt, ordersAt, e.absent()...)
	if err != nil {
		return nil, errors.Join(before, fmt.Errorf("settle the stock of shop %s: %w", sh.Name, err))
	}
	// A difference that newer orders may explain, and orders for goods that
	// the shop has not described, are settled after the next reading, even if
	// that brings nothing.
	sh.unsettled = s.Waiting > 0 || s.Undescribed > 0
	if s.Opened+s.Adjusted > 0 {
		e.wake()
	}
	sh.log.Info().Int("opened", s.Opened).Int("adjusted", s.Adjusted).Int("waiting", s.Waiting).Msg("stock settled")
	return &s, before
}

// catalogueRead returns when the newest reading of all that carries stock
// numbers began; zero where the last one did not come to its end.
func (e *Engine) catalogueRead(sh *shop) (time.Time, error) {
	first := e.opts.Now() // of a shop that has no catalogue there is nothing to wait for
	for _, r := range []intake.Resource{intake.Products, intake.Variants} {
		if _, ok := sh.stream(r); !ok {
			continue
		}
		at, err := e.lastRead(sh, r)
		if err != nil || at.IsZero() {
			return time.Time{}, err
		}
		if at.Before(first) {
			first = at
		}
	}
	return first, nil
}

// lastRead returns when the last pull of r began, in this process or in one
// before; zero where it did not come to its end.
func (e *Engine) lastRead(sh *shop, r intake.Resource) (time.Time, error) {
	if at, ok := sh.read[r]; ok {
		return at, nil
	}
	pulls, err := e.lastPulls(sh, r)
	if err != nil || pulls.last.Error != "" {
		return time.Time{}, err
	}
	return pulls.ended.Started, nil
}

func (res *Result) add(one ResourceResult) {
	res.Resources = append(res.Resources, one)
	res.Total.Pages += one.Pages
	res.Total.Applied += one.Applied
	res.Total.Unchanged += one.Unchanged
	res.Total.Parked += one.Parked
}

// pause keeps the daemon from reading the shop, but for now and then, until it
// does not refuse any more; see worker.askAgain.
func (sh *shop) pause(err error) {
	reason := fmt.Sprintf("shop %s is paused: %v; it is asked again after %v, then less and less often; reload or restart comptoir to have it asked at once",
		sh.Name, err, firstPause)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.paused = reason
}

func (sh *shop) pausedFor() string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.paused
}

// resume ends a pause, and reports whether there was one.
func (sh *shop) resume() bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	was := sh.paused != ""
	sh.paused = ""
	if was {
		select {
		case sh.resumed <- struct{}{}:
		default:
		}
	}
	return was
}

// Resume lets a paused shop be read again, after a person has acted. It
// reports whether the shop was paused.
func (e *Engine) Resume(shop string) bool {
	sh, err := e.shop(shop)
	return err == nil && sh.resume()
}

// streamName is the name of a stream in the sync state.
func streamName(shop string, r intake.Resource) string { return shop + "/" + string(r) }

// Space names the set of keys that a stream of the engine belongs to: streams
// that state the same kind of record share one. The sync state must be opened
// with it as its syncstate.Options.Space.
func Space(stream string) string {
	i := strings.LastIndexByte(stream, '/') + 1
	return stream[:i] + string(intake.KindOf(intake.Resource(stream[i:])))
}

func (sh *shop) booked(r intake.Resource) erp.Stream {
	return erp.Stream{Shop: sh.Name, Resource: r}
}
