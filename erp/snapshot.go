package erp

import (
	"context"

	"comptoir/erp/store"
)

// Snapshot calls read with a reader that sees one state of the books, whatever
// is booked meanwhile: what an export or several reports that must tie want.
// The reader must not be used after read has returned.
func (b *Books) Snapshot(ctx context.Context, read func(store.Reader) error) error {
	return b.db.Read(ctx, read)
}
