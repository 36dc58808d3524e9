package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"comptoir/connectors"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/syncstate"
)

// Hints are what shops say of their own accord. They are kept in the sync state
// before the shop is answered, and only say where to look: the records are
// fetched and go the way of every other reading. A hint that is lost, late or
// wrong does no harm, since the schedules read the same records.

const (
	// gatherHints is how long hints are gathered before they are looked at: a
	// sale makes a shop say several things at once.
	gatherHints = 300 * time.Millisecond
	// lookAtPause is how often hints of a paused shop look whether it still is.
	lookAtPause = 15 * time.Second
)

// Hinter returns what checks the deliveries of a shop; false where there is no
// such shop, or its connector takes none.
func (e *Engine) Hinter(shop string) (connectors.Hinter, bool) {
	sh, err := e.shop(shop)
	if err != nil {
		return nil, false
	}
	hinter, ok := sh.Connector.(connectors.Hinter)
	return hinter, ok
}

// TakeHint keeps a hint that a shop has sent, and has Run look at it soon. It
// is durable when TakeHint returns, and harmless to repeat: repeated reports
// that it was taken before.
func (e *Engine) TakeHint(shop string, h connectors.Hint) (repeated bool, err error) {
	sh, err := e.shop(shop)
	if err != nil {
		return false, err
	}
	d := syncstate.Delivery{Shop: sh.Name, Key: h.Key, At: e.opts.Now()}
	for _, ref := range h.Refs {
		st, ok := sh.streamOf(ref.Kind)
		if !ok { // nothing of the kind is read, so nothing is missed
			continue
		}
		d.Records = append(d.Records, syncstate.Pointer{Kind: string(ref.Kind), ID: ref.ID, Parent: ref.Parent, Resource: string(st.Resource)})
	}
	for _, r := range h.Pull {
		if _, ok := sh.stream(r); ok {
			d.Pulls = append(d.Pulls, string(r))
		}
	}
	if len(d.Records)+len(d.Pulls) == 0 {
		return false, nil
	}
	repeated, err = e.opts.State.TakeIn(d, syncstate.InboxLimits{})
	if err == nil && !repeated {
		sh.hear()
	}
	return repeated, err
}

// hear has the shop's hints looked at.
func (sh *shop) hear() {
	select {
	case sh.hinted <- struct{}{}:
	default: // it was told already
	}
}

// streamOf returns the first stream that states records of a kind.
func (sh *shop) streamOf(kind intake.Kind) (connectors.Stream, bool) {
	i := slices.IndexFunc(sh.streams, func(st connectors.Stream) bool { return intake.KindOf(st.Resource) == kind })
	if i < 0 {
		return connectors.Stream{}, false
	}
	return sh.streams[i], true
}

// heed looks at the hints of a shop until ctx ends: first at those that the
// last process left.
func (e *Engine) heed(ctx context.Context, sh *shop) {
	failures := 0
	for ctx.Err() == nil {
		if sh.pausedFor() != "" {
			_ = sleep(ctx, lookAtPause)
			continue
		}
		more, err := e.heedSome(ctx, sh)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			wait := max(backOff(failures), retryAfter(err))
			sh.log.Warn().Err(err).Str("wait", wait.Round(time.Second).String()).Msg("what the shop pointed at could not be read; trying again")
			_ = sleep(ctx, wait)
		case err == nil && more:
			failures = 0
		case err == nil:
			failures = 0
			select {
			case <-sh.hinted:
				_ = sleep(ctx, gatherHints)
			case <-ctx.Done():
			}
		}
	}
}

// heedSome looks at some of what waits, and reports whether more does.
func (e *Engine) heedSome(ctx context.Context, sh *shop) (more bool, err error) {
	release, err := e.takeTurnSoon(ctx, sh)
	if err != nil {
		return false, err
	}
	defer release()
	records, pulls, err := e.opts.State.Inbox(sh.Name, fetchSize)
	if err != nil {
		return false, err
	}
	if err := e.lookAtRecords(ctx, sh, records); err != nil {
		return false, err
	}
	return len(records) == fetchSize, e.pullHinted(ctx, sh, pulls)
}

// lookAtRecords fetches records, applies them, and takes out of the inbox what
// was applied. Where orders came, open ones get what is on hand.
func (e *Engine) lookAtRecords(ctx context.Context, sh *shop, waiting []syncstate.Waiting) error {
	if len(waiting) == 0 {
		return nil
	}
	chosen := map[intake.Resource][]syncstate.Waiting{}
	var unread []syncstate.Waiting // that the connector no longer reads
	for _, w := range waiting {
		if st, ok := sh.streamOf(intake.Kind(w.Kind)); ok {
			chosen[st.Resource] = append(chosen[st.Resource], w)
		} else {
			unread = append(unread, w)
		}
	}
	if len(unread) > 0 {
		if err := e.opts.State.LookedAt(sh.Name, unread); err != nil {
			return err
		}
	}
	streams := slices.DeleteFunc(slices.Clone(sh.streams), func(st connectors.Stream) bool { return len(chosen[st.Resource]) == 0 })
	res, err := e.each(ctx, sh, streams, func(ctx context.Context, sh *shop, st connectors.Stream) (ResourceResult, error) {
		if st.Resource == intake.Orders {
			if _, err := e.link(ctx, sh); err != nil {
				return ResourceResult{Resource: st.Resource}, err
			}
		}
		return e.lookAtKind(ctx, sh, st, chosen[st.Resource])
	})
	if err != nil || len(chosen[intake.Orders]) == 0 || res.Total.Applied == 0 {
		return err
	}
	// The orders were read to their end before, so what was true of the stock
	// then is true still; these are newer.
	ordersAt, err := e.lastRead(sh, intake.Orders)
	if err == nil && !ordersAt.IsZero() {
		_, err = e.settle(ctx, sh, ordersAt, nil)
	}
	return err
}

// lookAtKind fetches and applies records of one kind. Where the shop does not
// take the request, they are asked for one by one, and those that it refuses
// alone too are dropped: the schedules read what can be read.
func (e *Engine) lookAtKind(ctx context.Context, sh *shop, st connectors.Stream, waiting []syncstate.Waiting) (ResourceResult, error) {
	tally, err := e.lookAt(ctx, sh, st, waiting)
	if err == nil || connectors.ClassOf(err) != connectors.Rejected || ctx.Err() != nil {
		return tally, err
	}
	if len(waiting) == 1 {
		sh.log.Warn().Err(err).Str("resource", string(st.Resource)).Str("id", waiting[0].ID).Msg("the shop pointed at a record that it does not give")
		tally.Error = ""
		return tally, e.opts.State.LookedAt(sh.Name, waiting)
	}
	all := ResourceResult{Resource: st.Resource}
	for i := range waiting {
		one, err := e.lookAtKind(ctx, sh, st, waiting[i:i+1])
		all.Pages += one.Pages
		all.Applied += one.Applied
		all.Unchanged += one.Unchanged
		all.Parked += one.Parked
		all.Took += one.Took
		if err != nil {
			all.Error = one.Error
			return all, err
		}
	}
	return all, nil
}

func (e *Engine) lookAt(ctx context.Context, sh *shop, st connectors.Stream, waiting []syncstate.Waiting) (ResourceResult, error) {
	refs := make([]intake.Ref, len(waiting))
	for i, w := range waiting {
		refs[i] = intake.Ref{Kind: intake.Kind(w.Kind), ID: w.ID, Parent: w.Parent}
	}
	tally, err := e.fetchAll(ctx, sh, st, purposeHint, func(context.Context) ([]intake.Ref, error) {
		some := refs
		refs = nil
		return some, nil
	})
	if err != nil {
		return tally, err
	}
	return tally, e.opts.State.LookedAt(sh.Name, waiting)
}

// pullHinted reads resources of which the shop did not say what has changed.
func (e *Engine) pullHinted(ctx context.Context, sh *shop, waiting []syncstate.Waiting) error {
	if len(waiting) == 0 {
		return nil
	}
	streams := slices.DeleteFunc(slices.Clone(sh.streams), func(st connectors.Stream) bool {
		return !slices.ContainsFunc(waiting, func(w syncstate.Waiting) bool { return w.Resource == string(st.Resource) })
	})
	if _, err := e.cycle(ctx, sh, streams, e.pull); err != nil {
		return err
	}
	return e.opts.State.LookedAt(sh.Name, waiting)
}

// Subscribe has a shop send its hints to an address, and says how each of its
// subscriptions stands. It asks the shop once. It is a NotFound fault where the
// shop's connector takes no hints.
func (e *Engine) Subscribe(ctx context.Context, shop, address string) ([]connectors.Subscription, error) {
	sh, err := e.shop(shop)
	if err != nil {
		return nil, err
	}
	hinter, ok := sh.Connector.(connectors.Hinter)
	if !ok {
		return nil, fault.New(fault.NotFound, "it is read on its schedules", "shop %s sends no hints", shop)
	}
	subs, err := hinter.Subscribe(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("subscribe to the hints of shop %s: %w", shop, err)
	}
	for _, s := range subs {
		if s.Done != "kept" {
			sh.log.Info().Str("topic", s.Topic).Str("done", s.Done).Str("note", s.Note).Msg("subscription to the shop's hints")
		}
	}
	return subs, nil
}

// HintStatus is what waits of a shop's hints.
type HintStatus struct {
	// Records and Resources were pointed at and not looked at yet.
	Records   int `json:"records"`
	Resources int `json:"resources"`
	// Oldest is since when the oldest of them waits; nil where none does.
	Oldest *time.Time `json:"oldest"`
}

func (e *Engine) hintStatus(sh *shop) (HintStatus, error) {
	st, err := e.opts.State.InboxStats(sh.Name)
	if err != nil {
		return HintStatus{}, err
	}
	out := HintStatus{Records: st.Records, Resources: st.Pulls}
	if !st.Oldest.IsZero() {
		out.Oldest = &st.Oldest
	}
	return out, nil
}
