package erp

import (
	"context"
	"database/sql"
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// PassedHint is what a shop has pointed at in a hint: a record, or a resource of
// which it does not say what has changed.
type PassedHint struct {
	Ref      intake.Ref      // zero for a resource
	Resource intake.Resource // "" for a record
	// revision tells what was pointed at again while it was being taken.
	revision int64
}

// PassHint keeps what a shop points at for the process that keeps the shop in
// step, where another one with the same books was told. It is durable when
// PassHint returns, and what a shop points at a hundred times is kept once. A
// shop that the books do not have is a fault.
func (b *Books) PassHint(ctx context.Context, shop string, hints []PassedHint) error {
	id, err := b.shop(shop)
	if err != nil || len(hints) == 0 {
		return err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		for _, h := range hints {
			kind, external := h.named()
			tx.Queue(`INSERT INTO passed_hint (shop_id, kind, external_id, parent, revision) VALUES ($1,$2,$3,$4,1)
				ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET revision = passed_hint.revision + 1`, id, kind, external, h.Ref.Parent)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("pass on what %s points at: %w", shop, err)
	}
	return nil
}

// PassedHints returns what was passed on of a shop, at most limit.
func (b *Books) PassedHints(ctx context.Context, shop string, limit int) ([]PassedHint, error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	var list []PassedHint
	err = eachRow(ctx, b.db, `SELECT kind, external_id, parent, revision FROM passed_hint WHERE shop_id = $1 ORDER BY kind, external_id LIMIT $2`, []any{id, limit}, func(rows *sql.Rows) error {
		var h PassedHint
		var external string
		if err := rows.Scan(&h.Ref.Kind, &external, &h.Ref.Parent, &h.revision); err != nil {
			return err
		}
		if h.Ref.Kind == "" {
			h.Resource = intake.Resource(external)
		} else {
			h.Ref.ID = external
		}
		list = append(list, h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what %s points at: %w", shop, err)
	}
	return list, nil
}

// HintsTaken forgets what was passed on of a shop: call it once it is kept
// elsewhere. What the shop has pointed at again since PassedHints stays.
func (b *Books) HintsTaken(ctx context.Context, shop string, hints []PassedHint) error {
	id, err := b.shop(shop)
	if err != nil || len(hints) == 0 {
		return err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		for _, h := range hints {
			kind, external := h.named()
			tx.Queue(`DELETE FROM passed_hint WHERE shop_id = $1 AND kind = $2 AND external_id = $3 AND revision = $4`, id, kind, external, h.revision)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget what %s pointed at: %w", shop, err)
	}
	return nil
}

// named is how a hint is kept.
func (h PassedHint) named() (kind, external string) {
	if h.Resource != "" {
		return "", string(h.Resource)
	}
	return string(h.Ref.Kind), h.Ref.ID
}
