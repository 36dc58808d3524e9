package erp

import (
	"context"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

func (b *Books) orderPushes(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	return nil, false, nil
}

func (b *Books) orderPushed(ctx context.Context, p *page, pushes []Push, outcomes []intake.Outcome) error {
	return nil
}
