package erp

import (
	"context"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

func (b *Books) stockPushes(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	return nil, false, nil
}

func (b *Books) stockPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	return nil
}

func (b *Books) compareStock(ctx context.Context, tx *store.Tx, shop int64) (int, error) {
	return 0, nil
}
