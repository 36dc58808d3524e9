package engine

import (
	"context"
	"fmt"
	"time"

	"comptoir/connectors"
	"comptoir/erp/fault"

	"github.com/robfig/cron/v3"
	"github.com/shopspring/decimal"
)

// UnderWay is how long a change in a shop may take to come into the books while
// somebody carries it, and back; a younger difference is no drift.
const UnderWay = 15 * time.Minute

// DriftStatus is what a comparison on the schedule found.
type DriftStatus struct {
	At time.Time `json:"at"`
	// Differences counts those that count, Pending those that were on their way.
	Differences int `json:"differences"`
	Pending     int `json:"pending"`
	// Uncertified counts the days compared whose orders are not the same on both
	// sides.
	Uncertified int `json:"uncertified"`
	// Alarm says in plain words that shop and books differ; "" where they do not.
	Alarm string `json:"alarm,omitempty"`
	// LastError is why the comparison could not be made; "" where it could.
	LastError string `json:"last_error,omitempty"`
}

// verifySchedule reads the spec of a shop's comparisons; nil for none.
func verifySchedule(s Shop) (cron.Schedule, error) {
	if s.Verify == "" {
		return nil, nil
	}
	schedule, err := specs.Parse(s.Verify)
	if err != nil {
		return nil, fault.New(fault.Invalid, `use five fields ("47 4 * * *"), six with seconds, or "@every 24h"`,
			"shop %s, schedule of verify: cannot read %q: %w", s.Name, s.Verify, err)
	}
	return schedule, nil
}

// compareOnSchedule compares the shop with the books until ctx ends. It stands
// beside the worker, since it may take long and keeps nobody from working.
func (e *Engine) compareOnSchedule(ctx context.Context, sh *shop) {
	for ctx.Err() == nil {
		next := sh.verify.Next(e.opts.Now().In(sh.Location))
		if next.IsZero() { // "31 February"
			return
		}
		for left := next.Sub(e.opts.Now()); left > 0 && ctx.Err() == nil; left = next.Sub(e.opts.Now()) {
			_ = sleep(ctx, min(left, longestSleep))
		}
		if ctx.Err() == nil && sh.pausedFor() == "" {
			e.compareNow(ctx, sh)
		}
	}
}

func (e *Engine) compareNow(ctx context.Context, sh *shop) {
	r := VerifyRequest{Shop: sh.Name, Grace: UnderWay}
	if sh.VerifySpan > 0 {
		r.Since = e.opts.Books.BeginOf(e.opts.Books.DayOf(e.opts.Now().Add(-sh.VerifySpan)))
	}
	v, err := e.Verify(ctx, r)
	if connectors.Ended(err) && ctx.Err() != nil {
		return
	}
	st := standing(v, err)
	st.At = e.opts.Now()
	sh.mu.Lock()
	sh.drift = &st
	sh.mu.Unlock()
	switch {
	case err != nil:
		sh.log.Error().Err(err).Str("run", "verify").Msg("failed; it is tried again at its next time")
	case st.Alarm != "":
		sh.log.Error().Int("differences", st.Differences).Int("pending", st.Pending).Int("uncertified", st.Uncertified).
			Str("took", v.Took.Round(time.Millisecond).String()).Msg(st.Alarm)
	default:
		sh.log.Info().Int("pending", st.Pending).Str("took", v.Took.Round(time.Millisecond).String()).Msg("shop and books agree")
	}
}

// standing sums a comparison up.
func standing(v Verification, err error) DriftStatus {
	if err != nil {
		return DriftStatus{LastError: err.Error()}
	}
	drifted := v.Drifted()
	st := DriftStatus{Differences: len(drifted), Pending: len(v.Drift) - len(drifted)}
	for _, day := range v.Days {
		if !day.Holds {
			st.Uncertified++
		}
	}
	if len(drifted) > 0 {
		st.Alarm = v.Summary() + "; see comptoir verify " + v.Shop
	}
	return st
}

// Summary says in one sentence how many differences count, and what is at stake.
func (v Verification) Summary() string {
	drifted := v.Drifted()
	if len(drifted) == 0 {
		return fmt.Sprintf("shop %s and the books agree", v.Shop)
	}
	stake := map[string]decimal.Decimal{}
	var currencies []string
	for _, d := range drifted {
		c := string(d.Currency)
		if _, ok := stake[c]; !ok {
			currencies = append(currencies, c)
		}
		stake[c] = stake[c].Add(d.Value)
	}
	text := fmt.Sprintf("shop %s and the books differ in %d places", v.Shop, len(drifted))
	if len(drifted) == 1 {
		text = fmt.Sprintf("shop %s and the books differ in 1 place", v.Shop)
	}
	for i, c := range currencies {
		sep := ", "
		if i == 0 {
			sep = ", with a value of "
		}
		text += fmt.Sprintf("%s%s %s", sep, stake[c], c)
	}
	return text
}

// Certified splits the days that were compared into those whose certificate
// holds and those whose does not.
func (v Verification) Certified() (certified, open []string) {
	for _, c := range v.Days {
		if c.Holds {
			certified = append(certified, c.Day)
		} else {
			open = append(open, c.Day)
		}
	}
	return certified, open
}
