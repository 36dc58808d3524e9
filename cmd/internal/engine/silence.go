package engine

import (
	"fmt"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/syncstate"
)

// When a resource is silent for unusually long.
//
// The hours in which a resource brought something that changed the books are
// kept in the run history, at most one note an hour and the last 200. A resource is busy once these notes span a week, so that its nights
// and its weekend are among them, and are at least minActivity. It is silent
// for unusually long when it has brought nothing for one and a half times the
// longest gap between two notes, and an hour for the coarseness of the notes.
// So a shop that sells nothing at night or on Sundays raises no alarm then,
// and one that stays silent into the next working day does.
//
// Silence is counted up to the last pull that came to its end: a shop that
// cannot be reached is not silent, it is an error, and shows as one.
const (
	activityEvery = time.Hour
	minActivity   = 20
	maxActivity   = 200
	minSpan       = 7 * 24 * time.Hour
)

func activityName(sh *shop, r intake.Resource) string {
	return streamName(sh.Name, r) + "/" + purposeActivity
}

// activity returns the notes of a resource, newest first.
func (e *Engine) activity(sh *shop, r intake.Resource) ([]time.Time, error) {
	sh.mu.Lock()
	notes, loaded := sh.notes[r]
	sh.mu.Unlock()
	if loaded {
		return notes, nil
	}
	runs, err := e.opts.State.Runs(activityName(sh, r), maxActivity)
	if err != nil {
		return nil, err
	}
	notes = make([]time.Time, len(runs))
	for i, run := range runs {
		notes[i] = run.Started
	}
	sh.mu.Lock()
	sh.notes[r] = notes
	sh.mu.Unlock()
	return notes, nil
}

// noteActivity notes that a resource brought something at an instant.
func (e *Engine) noteActivity(sh *shop, r intake.Resource, at time.Time) error {
	notes, err := e.activity(sh, r)
	if err != nil {
		return err
	}
	if len(notes) > 0 && at.Sub(notes[0]) < activityEvery {
		return nil
	}
	err = e.opts.State.RecordRun(syncstate.Run{Stream: activityName(sh, r), Purpose: purposeActivity, Started: at, Ended: at})
	if err != nil {
		return err
	}
	notes = append([]time.Time{at}, notes[:min(len(notes), maxActivity-1)]...)
	sh.mu.Lock()
	sh.notes[r] = notes
	sh.mu.Unlock()
	return nil
}

// silence returns the alarm of a resource in plain words, "" where there is
// none.
func (e *Engine) silence(sh *shop, r intake.Resource) (string, error) {
	pulls, err := e.lastPulls(sh, r)
	if err != nil || pulls.ended.Started.IsZero() {
		return "", err
	}
	notes, err := e.activity(sh, r)
	if err != nil || len(notes) == 0 {
		return "", err
	}
	limit := sh.Silence
	if limit == 0 {
		limit = usualSilence(notes)
	}
	silent := pulls.ended.Started.Sub(notes[0])
	if limit == 0 || silent <= limit {
		return "", nil
	}
	return fmt.Sprintf("shop %s has brought no new %s for %s, usually it is silent for at most %s: look whether the shop still takes orders, then run: comptoir check",
		sh.Name, r, silent.Round(time.Minute), limit.Round(time.Minute)), nil
}

// usualSilence returns for how long a resource may be silent by its own
// history, newest first; zero where it is not busy.
func usualSilence(notes []time.Time) time.Duration {
	if len(notes) < minActivity || notes[0].Sub(notes[len(notes)-1]) < minSpan {
		return 0
	}
	var longest time.Duration
	for i := range notes[1:] {
		longest = max(longest, notes[i].Sub(notes[i+1]))
	}
	return longest + longest/2 + activityEvery
}

// watchSilence logs each alarm of these streams once, when it begins.
func (e *Engine) watchSilence(sh *shop, streams []connectors.Stream) error {
	for _, st := range streams {
		alarm, err := e.silence(sh, st.Resource)
		if err != nil {
			return err
		}
		if alarm != "" && !sh.alarmed[st.Resource] {
			sh.log.Warn().Str("resource", string(st.Resource)).Msg(alarm)
		}
		sh.alarmed[st.Resource] = alarm != ""
	}
	return nil
}
