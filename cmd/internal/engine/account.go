package engine

import (
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/syncstate"
)

// The purposes of a run, as the run history names them.
const (
	purposePull     = "pull"
	purposeResync   = "resync"
	purposeReread   = "reread"
	purposeSweep    = "sweep"
	purposeHint     = "hint"
	purposePush     = "push"     // only logged
	purposePreview  = "preview"  // never written down
	purposeActivity = "activity" // see silence.go
)

// stopped stands in the history for the error of a run that was stopped: it
// did not come to its end, and it did not fail.
const stopped = "stopped"

// rewriteAfter is how long a run that says the same as the one before is not
// written down: a poll that brings nothing should cost nothing.
const rewriteAfter = time.Hour

// account keeps account of one reading of a resource.
type account struct {
	e       *Engine
	sh      *shop
	purpose string
	began   time.Time
	newest  time.Time
	tally   ResourceResult
}

func (e *Engine) begin(sh *shop, r intake.Resource, purpose string) *account {
	return &account{e: e, sh: sh, purpose: purpose, began: e.opts.Now(), tally: ResourceResult{Resource: r}}
}

// see notes what a page brought.
func (a *account) see(records []intake.Record) {
	for _, rec := range records {
		if rec.Modified.After(a.newest) {
			a.newest = rec.Modified
		}
	}
}

// end closes the account: it logs the run and adds it to the history. It
// returns err, or why the history could not be written.
func (a *account) end(err error) (ResourceResult, error) {
	now := a.e.opts.Now()
	a.tally.Took = now.Sub(a.began)
	switch {
	case err != nil && connectors.Ended(err):
		a.tally.Error = stopped
	case err != nil:
		a.tally.Error = err.Error()
	}
	a.log(err)
	run := syncstate.Run{
		Stream: streamName(a.sh.Name, a.tally.Resource), Purpose: a.purpose,
		Started: a.began, Ended: now, Newest: a.newest,
		Pages: a.tally.Pages, Applied: a.tally.Applied, Unchanged: a.tally.Unchanged, Parked: a.tally.Parked,
		Error: a.tally.Error,
	}
	if failed := a.e.note(a.sh, a.tally.Resource, run); err == nil && failed != nil {
		a.tally.Error, err = failed.Error(), failed
	}
	return a.tally, err
}

func (a *account) log(err error) {
	ev := a.sh.log.Debug()
	switch {
	case err != nil: // whoever asked for it tells of it
		ev = ev.Err(err)
	case a.tally.Applied+a.tally.Parked > 0:
		ev = a.sh.log.Info()
	}
	ev.Str("resource", string(a.tally.Resource)).Str("run", a.purpose).
		Int("pages", a.tally.Pages).Int("applied", a.tally.Applied).Int("unchanged", a.tally.Unchanged).Int("parked", a.tally.Parked).
		Str("took", a.tally.Took.Round(time.Millisecond).String()).Msg("read")
}

// lastPulls is what is known of the pulls of a resource.
type lastPulls struct {
	loaded  bool
	last    syncstate.Run // the last one
	ended   syncstate.Run // the last one that came to its end
	written syncstate.Run // the last one in the history that this process wrote
}

// note remembers a run, and writes it to the history unless it says the same
// as the one before.
func (e *Engine) note(sh *shop, r intake.Resource, run syncstate.Run) error {
	switch run.Purpose {
	case purposePull:
	case purposePreview:
		return nil
	default:
		return e.opts.State.RecordRun(run)
	}
	pulls, err := e.lastPulls(sh, r)
	if err != nil {
		return err
	}
	pulls.last = run
	if run.Error == "" {
		pulls.ended = run
	}
	same := run.Applied+run.Parked == 0 && pulls.written.Applied+pulls.written.Parked == 0 && run.Error == pulls.written.Error
	write := !same || run.Started.Sub(pulls.written.Started) >= rewriteAfter
	if write {
		pulls.written = run
	}
	sh.mu.Lock()
	sh.pulls[r] = pulls
	sh.mu.Unlock()
	if run.Applied > 0 {
		if err := e.noteActivity(sh, r, run.Ended); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	return e.opts.State.RecordRun(run)
}

// lastPulls returns what is known of the pulls of a resource, from the history
// where this process has made none yet.
func (e *Engine) lastPulls(sh *shop, r intake.Resource) (lastPulls, error) {
	sh.mu.Lock()
	pulls := sh.pulls[r]
	sh.mu.Unlock()
	if pulls.loaded {
		return pulls, nil
	}
	runs, err := e.opts.State.Runs(streamName(sh.Name, r), 0)
	if err != nil {
		return lastPulls{}, err
	}
	pulls.loaded = true
	for _, run := range runs { // newest first
		if run.Purpose != purposePull {
			continue
		}
		if pulls.last.Started.IsZero() {
			pulls.last = run
		}
		if run.Error == "" {
			pulls.ended = run
			break
		}
	}
	return pulls, nil
}
