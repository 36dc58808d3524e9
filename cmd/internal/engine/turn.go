package engine

import "context"

// takeTurn waits until nobody works on the shop, brings the sync state in step
// with the books where it may not be, and returns what ends the turn.
func (e *Engine) takeTurn(ctx context.Context, sh *shop) (release func(), err error) {
	if release, err = sh.hold(ctx); err != nil || sh.inStep {
		return release, err
	}
	if err := e.recoverShop(ctx, sh); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// hold waits until nobody works on the shop. It is enough for what leaves the
// sync state alone.
func (sh *shop) hold(ctx context.Context) (release func(), err error) {
	select {
	case sh.turn <- struct{}{}:
		return func() { <-sh.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// takeTurnSoon is takeTurn for what must not wait for long: readings that take
// long give way to it between two pages.
func (e *Engine) takeTurnSoon(ctx context.Context, sh *shop) (release func(), err error) {
	sh.hurried.Add(1)
	defer sh.hurried.Add(-1)
	return e.takeTurn(ctx, sh)
}

// pressed reports whether somebody waits for the turn who cannot wait for
// long.
func (sh *shop) pressed() bool { return sh.hurried.Load() > 0 }

// giveWay lets those who wait for the turn have it first. Call it only while
// nothing of the shop is being fetched, and fetch again what is in hand: it
// may tell of a time before what they did, and would be taken for news.
func (e *Engine) giveWay(ctx context.Context, sh *shop) error {
	<-sh.turn
	sh.turn <- struct{}{} // whoever is next in line has had it by then
	if sh.inStep {
		return nil
	}
	return e.recoverShop(ctx, sh)
}

// wake tells all shops that something has changed in the books which they may
// have to be told.
func (e *Engine) wake() {
	for _, sh := range e.shops {
		select {
		case sh.changed <- struct{}{}:
		default: // it is told already
		}
	}
}
