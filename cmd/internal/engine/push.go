package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// PushRequest is what Push is asked for.
type PushRequest struct {
	Shop string
	// Kinds are those of the messages to deliver; none means all. They are
	// delivered in the order of outbox.Kinds, whatever the order here.
	Kinds []outbox.Kind
	// All compares everything that the shop is sent with what it is known to
	// have first, and not only what has changed.
	All bool
}

// PushResult says what a pass told a shop.
type PushResult struct {
	Shop string `json:"shop"`
	// Changes are what the shop was told, field by field; after several tries
	// of one thing the last.
	Changes []PushChange `json:"changes"`
	// Total counts outcomes: a change that was stale and then done counts in
	// both.
	Total erp.PushReceipt `json:"total"`
	// Queued is how many messages the comparison of everything has added.
	Queued int `json:"queued,omitempty"`
	// Calls is how often the connector was asked to change something.
	Calls int `json:"calls"`
	// Exposure is the longest time between two instants within which a sale in
	// the shop may have been overwritten; zero where the shop compares before it
	// sets.
	Exposure time.Duration `json:"-"` // "exposure_seconds" in JSON
	// Unable are the kinds of message that the shop's connector cannot deliver:
	// they wait.
	Unable []outbox.Kind `json:"unable,omitempty"`
	// Waiting says why something was left for the next pass; "" where nothing
	// was.
	Waiting string        `json:"waiting,omitempty"`
	Took    time.Duration `json:"-"` // "took_seconds" in JSON
}

// MarshalJSON writes times in seconds, under names that say so.
func (r PushResult) MarshalJSON() ([]byte, error) {
	type plain PushResult
	return json.Marshal(struct {
		plain
		Exposure float64 `json:"exposure_seconds"`
		Took     float64 `json:"took_seconds"`
	}{plain(r), r.Exposure.Seconds(), r.Took.Seconds()})
}

// staleRounds is how often in one pass a shop is told anew what it had another
// number of than the books believed.
const staleRounds = 3

// editsAtOnce is how many messages about the catalogue are worked out at once:
// they hold whole descriptions.
const editsAtOnce = 500

// Push tells a shop what it has still to be told. Requests that were under way
// when the last process ended are made again first, with the keys and the
// content that they had. Before stock is sent the shop's orders are read. The
// result tells what was done, beside an error too.
func (e *Engine) Push(ctx context.Context, r PushRequest) (PushResult, error) {
	return e.inPass(ctx, r.Shop, func(p *pass) error { return p.run(ctx, r) })
}

// inPass has work tell a shop something, with the shop's turn.
func (e *Engine) inPass(ctx context.Context, name string, work func(*pass) error) (PushResult, error) {
	sh, err := e.pushed(name)
	if err != nil {
		return PushResult{}, err
	}
	release, err := e.takeTurnSoon(ctx, sh)
	if err != nil {
		return PushResult{}, err
	}
	defer release()
	p := &pass{e: e, sh: sh, began: e.opts.Now(), res: PushResult{Shop: sh.Name, Changes: []PushChange{}}, at: map[place]int{}}
	return p.end(work(p))
}

// pushed returns a shop that is told of changes.
func (e *Engine) pushed(name string) (*shop, error) {
	sh, err := e.shop(name)
	if err != nil {
		return nil, err
	}
	if !sh.Push {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("set shops.%s.push.enabled to true; look at what would be sent first: comptoir push %s --all --dry-run", name, name),
			"shop %s is not told of changes", name)
	}
	return sh, nil
}

// pass is one delivery of a shop's messages. It holds the shop's turn.
type pass struct {
	e     *Engine
	sh    *shop
	began time.Time
	res   PushResult
	at    map[place]int // of each change in res.Changes
	// outcome is what became of the pushes of a plan, by object; nil where none
	// is applied.
	outcome map[int64]intake.Outcome
}

func (p *pass) run(ctx context.Context, r PushRequest) error {
	kinds := kindsOf(r.Kinds)
	var first error // that does not end the pass
	for _, kind := range kinds {
		if err := p.repeat(ctx, kind); err != nil {
			return err
		}
	}
	if r.All {
		var err error
		if p.res.Queued, err = p.e.opts.Books.Compare(ctx, p.sh.Name); err != nil {
			return err
		}
	} else if _, err := p.e.opts.Books.CompareChanged(ctx, p.sh.Name); unsettled(err) {
		first = err
	} else if err != nil {
		return err
	}
	for _, kind := range kinds {
		ready, err := p.ready(ctx, kind)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !ready { // the stock need not wait for that
			first = cmp.Or(first, err)
			continue
		}
		deliver := p.deliver
		if kind == outbox.Stock {
			deliver = p.deliverStock
		}
		if !p.able(kind) {
			if err := p.leave(ctx, kind); err != nil {
				return err
			}
			continue
		}
		if err := deliver(ctx, kind); unsettled(err) {
			first = cmp.Or(first, err)
		} else if err != nil {
			return err
		}
	}
	return first
}

// unsettled reports whether err means that the configuration does not say what a
// shop is to have, as where a location of it is called otherwise since. Nothing
// else waits for that.
func unsettled(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && (f.Kind == fault.Invalid || f.Kind == fault.Unprocessable)
}

// deliver tells the shop all messages of a kind that are due.
func (p *pass) deliver(ctx context.Context, kind outbox.Kind) error {
	limit := editsAtOnce
	for more := true; more; {
		var pushes []erp.Push
		var err error
		if pushes, more, err = p.pushes(ctx, kind, limit); err != nil {
			return err
		}
		if len(pushes) == 0 {
			limit *= 2 // what was looked at told nothing, and may wait for what comes after it
			continue
		}
		before := p.res.Total
		if err := p.tell(ctx, kind, pushes); err != nil {
			return err
		}
		// What was made lets what waited for it be told: a category below
		// another one, a product's variants.
		more = p.res.Total != before
	}
	return nil
}

// deliverStock tells the shop what it can sell. Between what the books know of
// its orders and what it is told there is as little time as can be: they are
// read right before, and again where the shop turns out to have another number.
func (p *pass) deliverStock(ctx context.Context, kind outbox.Kind) error {
	for round := 1; ; round++ {
		pushes, _, err := p.pushes(ctx, kind, 0)
		if err != nil || len(pushes) == 0 {
			return err
		}
		if p.sh.ordering {
			p.res.Waiting = "the shop's orders are being read"
			return nil
		}
		if round > staleRounds {
			p.res.Waiting = "the shop sells faster than its numbers can be set"
			p.sh.log.Info().Int("waiting", len(pushes)).Msg("the shop has other numbers each time; the stock is told again in the next pass")
			return nil
		}
		if err := p.readOrders(ctx); err != nil {
			return err
		}
		if pushes, _, err = p.pushes(ctx, kind, 0); err != nil {
			return err
		}
		stale := p.res.Total.Stale
		if err := p.tell(ctx, kind, pushes); err != nil || p.res.Total.Stale == stale {
			return err
		}
	}
}

// readOrders reads the shop's orders up to now and settles the stock.
func (p *pass) readOrders(ctx context.Context) error {
	st, ok := p.sh.stream(intake.Orders)
	if !ok {
		return nil
	}
	_, err := p.e.cycle(ctx, p.sh, []connectors.Stream{st}, p.e.pull)
	return err
}

// pushes works out what is to be told of a kind.
func (p *pass) pushes(ctx context.Context, kind outbox.Kind, limit int) ([]erp.Push, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	graced, cancel := p.e.grace(ctx)
	defer cancel()
	return p.e.opts.Books.Pushes(graced, erp.PushQuery{Shop: p.sh.Name, Kind: kind, Limit: limit, Express: express(p.sh)})
}

// ready reports whether the shop can be told messages of a kind. What only those
// of the catalogue need is asked for where some are due: a shop that is told of
// nothing else goes on without.
func (p *pass) ready(ctx context.Context, kind outbox.Kind) (bool, error) {
	if kind != outbox.Product && kind != outbox.Variant {
		return true, nil
	}
	due, err := p.e.opts.Books.Due(ctx, p.sh.Name, kind)
	if err == nil && due {
		err = p.e.learn(ctx, p.sh, kind)
	}
	return due, err
}

// learn has the connector ask the shop for what its spelling of values and its
// prices depend on, where messages of a kind hold any.
func (e *Engine) learn(ctx context.Context, sh *shop, kind outbox.Kind) error {
	if kind != outbox.Product && kind != outbox.Variant {
		return nil
	}
	if learner, ok := sh.Connector.(connectors.Learner); ok {
		if err := learner.Learn(ctx); err != nil {
			return err
		}
	}
	return e.learnCurrency(ctx, sh)
}

// learnCurrency has the books know in which currency a shop sells.
func (e *Engine) learnCurrency(ctx context.Context, sh *shop) error {
	priced, ok := sh.Connector.(connectors.Priced)
	if !ok {
		return nil
	}
	currency, err := priced.Currency(ctx)
	if err != nil || currency == "" {
		return err
	}
	graced, cancel := e.grace(ctx)
	defer cancel()
	return e.opts.Books.PricedIn(graced, sh.Name, currency)
}

// express is the connector's spelling of values; nil where it edits nothing.
func express(sh *shop) func(intake.Kind, intake.Field, string) (string, bool) {
	if editor, ok := sh.Connector.(connectors.Editor); ok {
		return editor.Express
	}
	return nil
}

// able reports whether the shop's connector can deliver messages of a kind.
func (p *pass) able(kind outbox.Kind) bool {
	switch c := p.sh.Connector; kind {
	case outbox.Stock:
		_, ok := c.(connectors.StockPusher)
		return ok
	case outbox.Order:
		_, ok := c.(connectors.OrderPusher)
		return ok
	default:
		_, ok := c.(connectors.Editor)
		return ok
	}
}

// leave lets messages wait that cannot be delivered, and says so once.
func (p *pass) leave(ctx context.Context, kind outbox.Kind) error {
	pushes, _, err := p.pushes(ctx, kind, 1)
	if err != nil || len(pushes) == 0 {
		return err
	}
	p.res.Unable = append(p.res.Unable, kind)
	if !p.sh.unable[kind] {
		p.sh.unable[kind] = true
		p.sh.log.Warn().Str("resource", string(resourceOf(kind))).Msg("the shop cannot be told of this by its connector; the messages wait")
	}
	return nil
}

// end closes the account of the pass, and logs it where it has told the shop
// something.
func (p *pass) end(err error) (PushResult, error) {
	p.res.Took = p.e.opts.Now().Sub(p.began)
	p.sh.noteExposure(p.res.Exposure)
	if p.res.Calls == 0 {
		return p.res, err
	}
	t := p.res.Total
	ev := p.sh.log.Info().Str("run", purposePush).Int("calls", p.res.Calls).Int("done", t.Done).Int("stale", t.Stale).Int("refused", t.Refused).Int("parked", t.Parked)
	if p.res.Exposure > 0 {
		ev = ev.Str("exposure", p.res.Exposure.Round(time.Millisecond).String())
	}
	ev.Str("took", p.res.Took.Round(time.Millisecond).String()).Msg("told")
	return p.res, err
}
