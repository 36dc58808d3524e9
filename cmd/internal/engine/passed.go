package engine

import (
	"context"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
)

// PassHint keeps a hint of a shop that another process with the same books keeps
// in step, for that one to take. It is durable when PassHint returns.
func PassHint(ctx context.Context, books *erp.Books, shop string, h connectors.Hint) error {
	hints := make([]erp.PassedHint, 0, len(h.Refs)+len(h.Pull))
	for _, ref := range h.Refs {
		hints = append(hints, erp.PassedHint{Ref: ref})
	}
	for _, r := range h.Pull {
		hints = append(hints, erp.PassedHint{Resource: r})
	}
	return books.PassHint(ctx, shop, hints)
}

// collectPassed takes the hints of a shop that other processes have passed on,
// until ctx ends.
func (e *Engine) collectPassed(ctx context.Context, sh *shop) {
	failures := 0
	for ctx.Err() == nil {
		wait := lookEvery
		more, err := e.collectSome(ctx, sh)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			wait = backOff(failures)
			sh.log.Warn().Err(err).Str("wait", wait.Round(time.Second).String()).Msg("hints that another process has passed on could not be taken; trying again")
		case err == nil:
			failures = 0
			if more {
				continue
			}
		}
		_ = sleep(ctx, wait) // the loop looks at ctx
	}
}

// collectSome takes some of the hints that were passed on, as if the shop had
// sent them here, and reports whether there are more.
func (e *Engine) collectSome(ctx context.Context, sh *shop) (more bool, err error) {
	list, err := e.opts.Books.PassedHints(ctx, sh.Name, fetchSize)
	if err != nil || len(list) == 0 {
		return false, err
	}
	var h connectors.Hint
	for _, one := range list {
		if one.Resource != "" {
			h.Pull = append(h.Pull, one.Resource)
		} else {
			h.Refs = append(h.Refs, one.Ref)
		}
	}
	if _, err := e.TakeHint(sh.Name, h); err != nil {
		return false, err
	}
	graced, cancel := e.grace(ctx)
	defer cancel()
	return len(list) == fetchSize, e.opts.Books.HintsTaken(graced, sh.Name, list)
}
