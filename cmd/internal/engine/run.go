package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"

	"github.com/robfig/cron/v3"
)

// The names of what is scheduled beside the pulls, as the configuration and
// the errors call it.
const (
	taskReread = "reread"
	taskSweep  = "sweep"
	taskRetry  = "retry"

	taskCompare = "compare"
)

// longestSleep is how long the daemon sleeps at most before it looks at the
// clock again: after a laptop was asleep, or a clock was set, what is due is
// noticed within this time.
const longestSleep = time.Minute

// timer is one schedule of a shop.
//
// cron's own runner would start each job by itself. Here all that is due at an
// instant has to be done as one cycle, the products before the orders, and
// what is due while it is at work already must not start twice; so cron reads
// the specs and works out the times, and one worker for each shop keeps them.
type timer struct {
	resource intake.Resource // of a pull; "" for the other tasks
	task     string          // taskReread …; "" for a pull
	schedule cron.Schedule
	next     time.Time
	failures int // in a row
}

// timersOf returns the timers of a shop in the order in which what is due at
// the same instant is done.
func timersOf(sh *shop) ([]timer, error) {
	var timers []timer
	add := func(r intake.Resource, task, what, spec string) error {
		schedule, err := specs.Parse(spec)
		if err != nil {
			return fault.New(fault.Invalid, `use five fields ("*/5 * * * *"), six with seconds, or "@every 5m"`,
				"shop %s, schedule of %s: cannot read %q: %w", sh.Name, what, spec, err)
		}
		timers = append(timers, timer{resource: r, task: task, schedule: schedule})
		return nil
	}
	for _, st := range sh.streams {
		if spec := sh.Schedules[st.Resource]; spec != "" {
			if err := add(st.Resource, "", string(st.Resource), spec); err != nil {
				return nil, err
			}
		}
	}
	for r, spec := range sh.Schedules {
		if _, ok := sh.stream(r); !ok {
			return nil, fault.New(fault.Invalid, "take it out", "shop %s, schedule of %s (%q): the shop has no such resource", sh.Name, r, spec)
		}
	}
	for _, t := range []struct{ task, spec string }{{taskRetry, sh.Retry}, {taskReread, sh.Reread}, {taskSweep, sh.Sweep}, {taskCompare, sh.Compare}} {
		if t.spec == "" || t.task == taskCompare && !sh.Push {
			continue
		}
		if err := add("", t.task, t.task, t.spec); err != nil {
			return nil, err
		}
	}
	return timers, nil
}

// Run pulls on the shops' schedules until ctx ends. It then stops within
// StopTimeout and returns nil; a page in hand is finished or dropped whole.
// It begins with a pull of everything that has a schedule. Errors of a shop
// are logged and tried again; only a Recover that fails ends it.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.Recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	var wg sync.WaitGroup
	for _, sh := range e.shops {
		wg.Go(func() { e.work(ctx, sh) })
		if sh.Push {
			wg.Go(func() { e.keepTelling(ctx, sh) })
		}
		if sh.verify != nil {
			wg.Go(func() { e.compareOnSchedule(ctx, sh) })
		}
		if _, ok := sh.Connector.(connectors.Hinter); ok {
			wg.Go(func() { e.heed(ctx, sh) })
			if e.opts.Passed {
				wg.Go(func() { e.collectPassed(ctx, sh) })
			}
		}
	}
	wg.Wait()
	<-ctx.Done() // also where there is no shop to work on
	return nil
}

// work does what is due of one shop until ctx ends.
func (e *Engine) work(ctx context.Context, sh *shop) {
	w := &worker{e: e, sh: sh}
	if sh.Jitter > 0 {
		w.offset = rand.N(sh.Jitter)
	}
	w.plan()
	for ctx.Err() == nil {
		if sh.pausedFor() != "" {
			w.awaitResume(ctx)
			continue
		}
		due := w.due()
		if len(due) == 0 {
			w.sleep(ctx)
			continue
		}
		w.do(ctx, due)
	}
}

// worker keeps the timers of one shop.
type worker struct {
	e  *Engine
	sh *shop
	// offset puts off the shop's schedules, all by the same time, so that what
	// is due together stays together.
	offset time.Duration
	timers []timer
	// denials counts in a row how often the shop refused: the pause and what
	// asked it again since.
	denials int
}

// plan makes every pull due at once, to catch up with what happened while
// nobody was there, and the other tasks in their time.
func (w *worker) plan() {
	now := w.e.opts.Now()
	w.timers = append([]timer(nil), w.sh.timers...)
	for i := range w.timers {
		t := &w.timers[i]
		t.next = now
		if t.task != "" {
			t.next = w.after(t, now)
		}
	}
}

// after returns when t is due next after an instant, in the shop's time zone.
func (w *worker) after(t *timer, now time.Time) time.Time {
	next := t.schedule.Next(now.Add(-w.offset).In(w.sh.Location))
	if next.IsZero() { // "31 February"
		return now.AddDate(100, 0, 0)
	}
	return next.Add(w.offset)
}

// due returns the timers whose time has come.
func (w *worker) due() []*timer {
	now := w.e.opts.Now()
	var due []*timer
	for i := range w.timers {
		if !w.timers[i].next.After(now) {
			due = append(due, &w.timers[i])
		}
	}
	return due
}

// sleep waits for the next timer, for a while at most.
func (w *worker) sleep(ctx context.Context) {
	now, d := w.e.opts.Now(), longestSleep
	for i := range w.timers {
		d = min(d, w.timers[i].next.Sub(now))
	}
	_ = sleep(ctx, d) // the caller looks at ctx
}

// awaitResume waits until the shop is no longer paused, when all pulls are
// due, or until it is time to ask it again.
func (w *worker) awaitResume(ctx context.Context) {
	if w.denials++; w.denials == 1 {
		w.sh.log.Error().Msg(w.sh.pausedFor())
	}
	until := w.e.opts.Now().Add(pauseFor(w.denials))
	for left := until.Sub(w.e.opts.Now()); left > 0; left = until.Sub(w.e.opts.Now()) {
		t := time.NewTimer(min(left, longestSleep))
		select {
		case <-w.sh.resumed:
			t.Stop()
			w.denials = 0
			w.plan()
			return
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
	w.askAgain(ctx)
}

// askAgain reads a paused shop as if it were not. Where it does not refuse any
// more the pause is over: a firewall that was in a bad mood, or a key that was
// mended at the shop, needs nobody to come here.
func (w *worker) askAgain(ctx context.Context) {
	w.plan()
	streams, pulls := w.pulls(w.due())
	err := w.pull(ctx, streams, pulls)
	if ctx.Err() != nil || connectors.ClassOf(err) == connectors.Denied {
		return
	}
	w.denials = 0
	w.sh.resume()
	select {
	case <-w.sh.resumed: // it was us
	default:
	}
	w.sh.log.Info().Msg("the shop can be read again; the pause is over")
	w.report(ctx, "cycle", err)
}

// do does what is due: the pulls as one cycle, then the other tasks.
func (w *worker) do(ctx context.Context, due []*timer) {
	if streams, pulls := w.pulls(due); len(streams) > 0 {
		w.report(ctx, "cycle", w.pull(ctx, streams, pulls))
	}
	for _, t := range due {
		if t.task == "" {
			continue
		}
		var err error
		if w.sh.pausedFor() == "" {
			err = w.run(ctx, t.task)
		}
		w.again(t, err)
		w.report(ctx, t.task, err)
	}
}

// pulls picks the streams to read among what is due.
func (w *worker) pulls(due []*timer) ([]connectors.Stream, map[intake.Resource]*timer) {
	var streams []connectors.Stream
	timers := map[intake.Resource]*timer{}
	for _, t := range due {
		if st, ok := w.sh.stream(t.resource); ok {
			timers[t.resource] = t
			streams = append(streams, st)
		}
	}
	return streams, timers
}

// pull reads the streams that are due as one cycle.
func (w *worker) pull(ctx context.Context, streams []connectors.Stream, pulls map[intake.Resource]*timer) error {
	release, err := w.e.takeTurn(ctx, w.sh)
	if err != nil {
		for _, t := range pulls {
			w.again(t, err)
		}
		return err
	}
	defer release()
	_, err = w.e.cycle(ctx, w.sh, streams, func(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
		one, err := w.e.pull(ctx, sh, st)
		w.again(pulls[st.Resource], err)
		return one, err
	})
	if silenced := w.e.watchSilence(w.sh, streams); err == nil {
		err = silenced
	}
	return err
}

func (w *worker) run(ctx context.Context, task string) (err error) {
	switch task {
	case taskRetry:
		_, err = w.e.RetryParked(ctx, w.sh.Name)
	case taskReread:
		_, err = w.e.Reread(ctx, w.sh.Name)
	case taskSweep:
		_, err = w.e.Sweep(ctx, w.sh.Name)
	case taskCompare:
		err = w.e.compare(ctx, w.sh)
	}
	return err
}

// again sets when t is due next: on its schedule, or after a back-off where it
// has failed. A tick that passes while the work goes on is left out.
func (w *worker) again(t *timer, err error) {
	now := w.e.opts.Now()
	if err == nil {
		t.failures = 0
		t.next = w.after(t, now)
		return
	}
	t.failures++
	t.next = now.Add(max(backOff(t.failures), retryAfter(err)))
	if connectors.ClassOf(err) == connectors.Throttled {
		// The shop asks for patience, not this resource.
		for i := range w.timers {
			w.timers[i].next = maxTime(w.timers[i].next, now.Add(retryAfter(err)))
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// report logs why a task failed. That of a paused shop is logged already.
func (w *worker) report(ctx context.Context, task string, err error) {
	if err == nil || ctx.Err() != nil || w.sh.pausedFor() != "" {
		return
	}
	w.sh.log.Error().Err(err).Str("run", task).Msg("failed; it is tried again")
}
