package engine

import (
	"context"
	"fmt"
	"time"

	"comptoir/connectors"
	"comptoir/erp/outbox"
)

const (
	// lookEvery is how often the daemon looks whether another process has
	// changed the books, which nobody tells it of.
	lookEvery = 2 * time.Second
	// tellEvery is how long a shop is left alone between two passes, so that
	// what changes together is told together.
	tellEvery = time.Second
	// waitEvery is that for a shop whose orders are being read, or that sells
	// faster than it can be told.
	waitEvery = 4 * time.Second
	// stuckFor is how long messages that could not be delivered are left alone
	// where nothing has changed since.
	stuckFor = time.Minute
)

// teller tells one shop of changes as they happen.
type teller struct {
	e  *Engine
	sh *shop
	// before it the shop is left alone.
	notBefore time.Time
	compared  bool
	failures  int // in a row
	denials   int // in a row
	// stuck is how the messages stood when a pass could deliver none of them.
	stuck   outbox.Standing
	stuckAt time.Time
}

// keepTelling tells a shop what it has to be told, as soon as there is
// something, until ctx ends.
func (e *Engine) keepTelling(ctx context.Context, sh *shop) {
	t := &teller{e: e, sh: sh}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for ctx.Err() == nil {
		t.look(ctx)
		select {
		case <-sh.changed:
		case <-look.C:
		case <-ctx.Done():
		}
		if left := t.notBefore.Sub(e.opts.Now()); left > 0 && left <= tellEvery {
			_ = sleep(ctx, left) // the loop looks at ctx
		}
	}
}

// look makes a pass where there is something to tell.
func (t *teller) look(ctx context.Context) {
	now := t.e.opts.Now()
	if t.sh.pausedFor() != "" || now.Before(t.notBefore) {
		return
	}
	if !t.compared { // what the shop is sent may have changed while nobody ran
		_, err := t.e.opts.Books.CompareChanged(ctx, t.sh.Name)
		if _, due, _ := t.due(ctx, now); err != nil && !(unsettled(err) && due) {
			t.after(PushResult{}, err)
			return
		}
		t.compared = err == nil // if not, the pass says so, and tells what it can
	}
	standing, due, err := t.due(ctx, now)
	var res PushResult
	if err == nil && due {
		res, err = t.e.Push(ctx, PushRequest{Shop: t.sh.Name})
		if err == nil && res.Calls == 0 {
			t.stuck, t.stuckAt = standing, now
		}
		wait := tellEvery
		if res.Waiting != "" {
			wait = waitEvery
		}
		t.notBefore = t.e.opts.Now().Add(wait)
	}
	if ctx.Err() == nil && (due || err != nil) {
		t.after(res, err)
	}
}

// due reports whether a pass has something to do.
func (t *teller) due(ctx context.Context, now time.Time) (outbox.Standing, bool, error) {
	s, err := t.e.opts.Books.Outbox(ctx, t.sh.Name)
	if err != nil {
		return s, false, err
	}
	if s.Waiting == 0 || s.Next.After(now) {
		left, err := t.leftOver()
		return s, left, err
	}
	if s == t.stuck && now.Before(t.stuckAt.Add(stuckFor)) {
		return s, false, nil
	}
	return s, true, nil
}

// leftOver reports whether requests are under way of which it is not known
// what became.
func (t *teller) leftOver() (bool, error) {
	for _, kind := range outbox.Kinds() {
		left, err := t.e.opts.State.Intents(intentStream(t.sh, kind))
		if err != nil || len(left) > 0 {
			return len(left) > 0, err
		}
	}
	return false, nil
}

// after sets when the next pass may be, and says how this one went.
func (t *teller) after(res PushResult, err error) {
	now := t.e.opts.Now()
	t.sh.notePush(now, res, err)
	if err == nil {
		t.failures, t.denials = 0, 0
		return
	}
	wait := time.Duration(0)
	if connectors.ClassOf(err) == connectors.Denied {
		// It may be that the key may only read, so the reading goes on; where it
		// may not even read, the reading finds out.
		t.denials++
		wait = pauseFor(t.denials)
	} else {
		t.failures++
		wait = max(backOff(t.failures), retryAfter(err))
	}
	t.notBefore = now.Add(wait)
	t.sh.log.Error().Err(err).Str("run", purposePush).Str("wait", wait.Round(time.Second).String()).Msg("the shop could not be told; it is tried again")
}

// notePush remembers how a pass went.
func (sh *shop) notePush(at time.Time, res PushResult, err error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.pushing.err = ""
	switch {
	case err != nil:
		sh.pushing.err = err.Error()
	case res.Calls > 0:
		sh.pushing.last = at
	}
}

// compare queues what a shop should have and is not known to have.
func (e *Engine) compare(ctx context.Context, sh *shop) error {
	release, err := e.takeTurn(ctx, sh)
	if err != nil {
		return err
	}
	defer release()
	graced, cancel := e.grace(ctx)
	defer cancel()
	queued, err := e.opts.Books.Compare(graced, sh.Name)
	if err != nil {
		return err
	}
	if queued > 0 {
		sh.log.Info().Int("queued", queued).Msg("the shop does not have all that it should")
		e.wake()
	}
	return nil
}

// pushStatus is how that stands which a shop has to be told; nil for a shop
// that is told nothing.
func (e *Engine) pushStatus(ctx context.Context, sh *shop) (*PushStatus, error) {
	if !sh.Push {
		return nil, nil
	}
	s, err := e.opts.Books.Outbox(ctx, sh.Name)
	if err != nil {
		return nil, fmt.Errorf("look at the outbox of shop %s: %w", sh.Name, err)
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	out := &PushStatus{Waiting: s.Waiting, Parked: s.Parked, LastError: sh.pushing.err, ExposureSeconds: sh.pushing.exposure.Seconds()}
	if s.Waiting > 0 {
		out.Oldest = &s.Oldest
	}
	if last := sh.pushing.last; !last.IsZero() {
		out.LastPush = &last
	}
	return out, nil
}
