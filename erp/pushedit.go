package erp

import (
	"context"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// editPushes works out what of the catalogue a shop is to be told.
func (b *Books) editPushes(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	return nil, false, nil
}

// editPushed notes what became of edits. The messages are settled, and the
// records that the shop states received, by the caller, afterwards.
func (b *Books) editPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	return nil
}

// compareEdits queues a message for what of the catalogue a shop does not have
// as the books want it, and returns how many.
func (b *Books) compareEdits(ctx context.Context, tx *store.Tx, shop int64) (int, error) {
	return 0, nil
}
