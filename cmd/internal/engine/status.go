package engine

import (
	"context"
	"fmt"
	"time"

	"comptoir/connectors"
)

// Status tells how the shops stand. It asks no shop.
func (e *Engine) Status(ctx context.Context) ([]ShopStatus, error) {
	parked, err := e.opts.Books.ParkedRecords(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list parked records: %w", err)
	}
	counts := map[string]int{}
	for _, p := range parked {
		counts[streamName(p.Shop, p.Resource)]++
	}
	all := make([]ShopStatus, 0, len(e.shops))
	for _, sh := range e.shops {
		one := ShopStatus{Shop: sh.Name, Paused: sh.pausedFor(), Resources: make([]ResourceStatus, 0, len(sh.streams))}
		for _, st := range sh.streams {
			r, err := e.resourceStatus(sh, st, counts)
			if err != nil {
				return nil, err
			}
			one.Resources = append(one.Resources, r)
		}
		if one.RepeatedSKUs, err = e.repeatedSKUs(ctx, sh); err != nil {
			return nil, err
		}
		if one.Push, err = e.pushStatus(ctx, sh); err != nil {
			return nil, err
		}
		sh.mu.Lock()
		one.Drift = sh.drift
		sh.mu.Unlock()
		if _, ok := sh.Connector.(connectors.Hinter); ok {
			hints, err := e.hintStatus(sh)
			if err != nil {
				return nil, err
			}
			one.Hints = &hints
		}
		all = append(all, one)
	}
	return all, nil
}

// repeatedAge is how long the SKUs that records of a shop share are taken to be
// the same: the whole catalogue is looked through for them, and the status is
// told every few seconds.
const repeatedAge = time.Minute

// repeatedSKUs is RepeatedSKUs of the books, as it was up to repeatedAge ago.
func (e *Engine) repeatedSKUs(ctx context.Context, sh *shop) ([]string, error) {
	now := e.opts.Now()
	sh.mu.Lock()
	had := sh.repeated
	sh.mu.Unlock()
	if !had.at.IsZero() && now.Sub(had.at).Abs() < repeatedAge {
		return had.skus, nil
	}
	skus, err := e.opts.Books.RepeatedSKUs(ctx, sh.Name)
	if err != nil {
		return nil, err
	}
	sh.mu.Lock()
	sh.repeated = repeated{skus: skus, at: now}
	sh.mu.Unlock()
	return skus, nil
}

// repeated are the SKUs that several records of a shop had at an instant.
type repeated struct {
	skus []string
	at   time.Time
}

func (e *Engine) resourceStatus(sh *shop, st connectors.Stream, parked map[string]int) (ResourceStatus, error) {
	name := streamName(sh.Name, st.Resource)
	mark, err := e.opts.State.Mark(name)
	if err != nil {
		return ResourceStatus{}, err
	}
	pulls, err := e.lastPulls(sh, st.Resource)
	if err != nil {
		return ResourceStatus{}, err
	}
	alarm, err := e.silence(sh, st.Resource)
	if err != nil {
		return ResourceStatus{}, err
	}
	s := ResourceStatus{
		Shop: sh.Name, Resource: st.Resource, Cursor: string(mark.Cursor),
		LastRun: pulls.last.Started, Applied: pulls.last.Applied, Unchanged: pulls.last.Unchanged, Parked: parked[name],
		LagSeconds: -1, LastError: pulls.last.Error, Alarm: alarm,
	}
	if s.LastError == stopped {
		s.LastError = ""
	}
	if !pulls.ended.Started.IsZero() {
		s.LagSeconds = int64(e.opts.Now().Sub(pulls.ended.Started).Seconds())
	}
	return s, nil
}
