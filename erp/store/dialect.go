package store

import (
	"context"
	"database/sql"

	"github.com/rs/zerolog"
)

// dialect is what differs between the databases. It is chosen here, once, and
// nothing above asks which one it is.
type dialect interface {
	name() string
	migrate(ctx context.Context, log zerolog.Logger) error
	close() error

	// readers is the pool for queries that do not write.
	readers() *sql.DB
	// snapshot is how a transaction of readers begins.
	snapshot() *sql.TxOptions
	// begin starts a transaction that writes; one that is alone waits until no
	// other one runs, and keeps others from beginning.
	begin(ctx context.Context, alone bool) (session, error)

	// retryable tells whether err says that a transaction met another one and
	// would do better alone.
	retryable(err error) bool
	// explain turns an error that an owner can put right into a fault, and
	// returns any other error as it is.
	explain(err error) error
}

// session is one transaction on one connection. It is not safe for concurrent
// use. After commit or rollback the connection is free again.
type session interface {
	exec(ctx context.Context, q string, args []any) (int64, error)
	query(ctx context.Context, q string, args []any) (*sql.Rows, error)
	queryRow(ctx context.Context, q string, args []any) *sql.Row
	// flush runs the statements in order. Where one fails, it returns its
	// index and the error, and the ones after it did not run.
	flush(ctx context.Context, queued []statement) (int, error)
	commit() error
	rollback() error
}

// dial opens the database that o names.
func dial(ctx context.Context, o Options) (dialect, error) {
	if o.URL != "" {
		return dialPostgres(ctx, o)
	}
	return dialSQLite(ctx, o)
}
