package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"comptoir/erp/outbox"
	"comptoir/syncstate"
)

// Recover compares the fences in the books with the marks in the sync state
// and makes the sync state follow the books: forward after a crash between the
// two commits, backward when the books were restored, from nothing when the
// file was lost. Passes do the same where it was not called, or where the two
// may have come apart since.
func (e *Engine) Recover(ctx context.Context) error {
	for _, sh := range e.shops {
		release, err := e.takeTurn(ctx, sh)
		if err != nil {
			return err
		}
		release()
	}
	return nil
}

func (e *Engine) recoverShop(ctx context.Context, sh *shop) error {
	fences, err := e.opts.Books.Fences(ctx, sh.Name)
	if err != nil {
		return fmt.Errorf("read fences of shop %s: %w", sh.Name, err)
	}
	marks, err := e.opts.State.Marks()
	if err != nil {
		return err
	}
	booked := map[string]syncstate.Mark{}
	for _, f := range fences {
		booked[streamName(sh.Name, f.Stream.Resource)] = syncstate.Mark{Fence: f.Number, Cursor: f.Cursor}
	}
	for name := range marks {
		if i := strings.LastIndexByte(name, '/'); i < 0 || name[:i] != sh.Name {
			continue
		}
		if _, ok := booked[name]; !ok {
			booked[name] = syncstate.Mark{} // the books were restored to before its first page
		}
	}
	overtaken, keep, err := e.overtaken(ctx, sh)
	if err != nil {
		return err
	}
	restored := false
	for name, fence := range booked {
		restored = restored || marks[name].Fence > fence.Fence
		if overtaken {
			err = e.start(name, fence)
		} else {
			err = e.follow(sh, name, marks[name], fence)
		}
		if err != nil {
			return err
		}
	}
	if restored || overtaken {
		if err := e.dropIntents(sh); err != nil {
			return err
		}
	}
	if err := keep(); err != nil {
		return err
	}
	sh.inStep = true
	return nil
}

// keptState is the name under which the books keep whose sync state was the last
// to follow a shop.
const keptState = "sync state"

// overtaken reports whether another sync state than ours has followed the shop
// since ours did: that of a process with a data directory of its own, into the
// same database, or one that was lost. What ours remembers of records and of
// requests is then of another day, and to make such a request again would undo
// what the other one has told the shop since. Keep has the books note that it is
// ours from now on; call it once that is forgotten.
func (e *Engine) overtaken(ctx context.Context, sh *shop) (overtaken bool, keep func() error, err error) {
	ours, err := e.opts.State.Name()
	if err != nil {
		return false, nil, err
	}
	last, err := e.opts.Books.Kept(ctx, sh.Name, keptState)
	if err != nil || string(last) == ours {
		return false, func() error { return nil }, err
	}
	if len(last) > 0 {
		sh.log.Info().Msg("another sync state has followed the shop since this one did: what this one remembers is forgotten")
	}
	return len(last) > 0, func() error { return e.opts.Books.Keep(ctx, sh.Name, keptState, []byte(ours)) }, nil
}

// start has a stream go on from its fence, without any memory of its records.
func (e *Engine) start(name string, fence syncstate.Mark) error {
	if err := e.opts.State.Rewind(name, syncstate.Mark{}); err != nil {
		return err
	}
	return e.opts.State.Rewind(name, fence)
}

// dropIntents forgets requests that were under way when the books were at
// another point of their history: what they speak of may never have been, or
// have been told by another process since. What the shop has of it shows when
// everything is compared.
func (e *Engine) dropIntents(sh *shop) error {
	for _, kind := range outbox.Kinds() {
		stream := intentStream(sh, kind)
		left, err := e.opts.State.Intents(stream)
		if err != nil {
			return err
		}
		for _, i := range left {
			if err := e.opts.State.Fulfil(stream, i.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow makes the mark of a stream follow the fence.
func (e *Engine) follow(sh *shop, name string, mark, fence syncstate.Mark) error {
	if mark.Fence == fence.Fence && bytes.Equal(mark.Cursor, fence.Cursor) {
		return nil
	}
	sh.log.Warn().Str("stream", name).Int64("remembered", mark.Fence).Int64("booked", fence.Fence).
		Msg("the sync state does not follow the books: the books are right")
	if mark.Fence == fence.Fence {
		// Each commit has one number and one cursor, so these two come from
		// different histories, and no key can be trusted.
		return e.start(name, fence)
	}
	return e.opts.State.Rewind(name, fence)
}
