package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"comptoir/erp/store"
)

// Keep keeps a small value of a shop under a name, in place of the one before:
// a token that the shop has renewed. It is durable when Keep returns, and seen
// by every process that has these books open.
func (b *Books) Keep(ctx context.Context, shop, name string, value []byte) error {
	id, err := b.shop(shop)
	if err != nil {
		return err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		b.keepValue(tx, id, name, value)
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep %s of %s: %w", name, shop, err)
	}
	return nil
}

func (b *Books) keepValue(tx *store.Tx, shop int64, name string, value []byte) {
	tx.Queue(`INSERT INTO shop_value (shop_id, name, value, kept_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (shop_id, name) DO UPDATE SET value = excluded.value, kept_at = excluded.kept_at`, shop, name, value, store.Micros(b.opts.Now()))
}

// Kept returns the value of a shop that was last kept under a name; nil where
// there is none.
func (b *Books) Kept(ctx context.Context, shop, name string) ([]byte, error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	var value []byte
	err = b.db.QueryRow(ctx, `SELECT value FROM shop_value WHERE shop_id = $1 AND name = $2`, id, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read %s kept of %s: %w", name, shop, err)
	}
	return value, nil
}
