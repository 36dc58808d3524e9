// Package store keeps the books in a database: SQLite, a file of its own, or
// PostgreSQL. It opens the database, brings its schema up to date, and runs
// transactions. What is in the tables is the business of the packages above.
//
// One set of queries serves both databases: the SQL that both speak, with $1
// placeholders. Instants are BIGINT microseconds since 1970 in UTC (see
// Micros), business dates are TEXT as YYYY-MM-DD, truth values are Go bools.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Options say which database holds the books.
type Options struct {
	// Path is the SQLite file. It is made, with the folder that it is in,
	// where it does not exist.
	Path string
	// URL is that of a PostgreSQL database; it wins over Path.
	URL string
	Log zerolog.Logger
	// MaxConns bounds the connections: all of them on PostgreSQL, those of
	// readers on SQLite, which has one more to write. 0 means 8.
	MaxConns int
}

const defaultMaxConns = 8

// Reader is all that queries and reports need; a report takes a Reader and so
// cannot write. Close the rows of one query before the next one begins: on
// PostgreSQL a transaction has only one connection.
type Reader interface {
	Query(ctx context.Context, q string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, q string, args ...any) *sql.Row
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	log zerolog.Logger
	dialect
	ids    idPool
	queues sync.Pool // of *queue
}

// Open opens the database that o names, makes it where SQLite finds no file,
// and brings its schema up to date.
//
// What an owner can put right is a fault: Unavailable where the file or the
// server is out of reach or locked by another process, Invalid where the file
// is not a database of the books or its schema is newer than this program.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.MaxConns <= 0 {
		o.MaxConns = defaultMaxConns
	}
	d, err := dial(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the books: %w", err)
	}
	if err := d.migrate(ctx, o.Log); err != nil {
		return nil, errors.Join(fmt.Errorf("open the books: %w", err), d.close())
	}
	return &DB{log: o.Log, dialect: d, queues: sync.Pool{New: func() any { return new(queue) }}}, nil
}

// Close ends all use of the database. Transactions must have ended before.
func (d *DB) Close() error { return d.close() }

// Dialect returns "sqlite" or "postgres". It is for messages and tests; no
// query depends on it.
func (d *DB) Dialect() string { return d.name() }

// Query runs a query outside of any transaction.
func (d *DB) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	rows, err := d.readers().QueryContext(ctx, q, args...)
	return rows, d.explain(err)
}

// QueryRow runs a query that returns at most one row, outside of any
// transaction.
func (d *DB) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	return d.readers().QueryRowContext(ctx, q, args...)
}

// Prepare checks that the database understands a query, without running it.
func (d *DB) Prepare(ctx context.Context, q string) error {
	stmt, err := d.readers().PrepareContext(ctx, q)
	if err != nil {
		return err
	}
	return stmt.Close()
}

// readTx is one snapshot.
type readTx struct{ tx *sql.Tx }

func (r readTx) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return r.tx.QueryContext(ctx, q, args...)
}

func (r readTx) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	return r.tx.QueryRowContext(ctx, q, args...)
}

// Read calls fn with a reader that sees one consistent state of the database,
// that of its first query. The reader must not be used after fn has returned.
func (d *DB) Read(ctx context.Context, fn func(Reader) error) error {
	tx, err := d.readers().BeginTx(ctx, d.snapshot())
	if err != nil {
		return fmt.Errorf("begin to read: %w", d.explain(err))
	}
	defer tx.Rollback() //nolint:errcheck // there is nothing to undo
	if err := fn(readTx{tx}); err != nil {
		return d.explain(err)
	}
	return nil
}

// How often Write tries a transaction that met another one, and how long it
// waits before: a random time below a bound that doubles up to a limit. All
// waits together last about a second at most.
const (
	writeTries  = 10
	firstWait   = 4 * time.Millisecond
	longestWait = 250 * time.Millisecond
)

// Write runs fn in a transaction and commits it where fn returns nil. It sees
// the database as if no other transaction ran at the same time: SQLite has one
// writer at a time, from the first statement on; PostgreSQL runs it as
// SERIALIZABLE. Where two transactions met there, fn is run again from the
// beginning in a new one, so it must not change anything but the database; see
// Tx.OnCommit for what else it has to do. The new one runs alone: it would be
// overtaken again and again where others write the same rows.
//
// The transaction must not be used after fn has returned. Calling Write within
// fn blocks for ever on SQLite. An error of the commit itself may leave open
// whether it took place, when the connection to the server broke at that
// moment.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := d.writeOnce(ctx, try > 1, fn)
		if err == nil || !d.retryable(err) {
			return d.explain(err)
		}
		if try == writeTries {
			return fmt.Errorf("gave up after %d tries: %w", try, err)
		}
		d.log.Debug().Int("try", try).Err(err).Msg("transaction met another one and is run again")
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// pause waits before the next try. Chance keeps two transactions that met
// from meeting again.
func pause(ctx context.Context, try int) error {
	bound := min(firstWait<<min(try, writeTries), longestWait)
	timer := time.NewTimer(rand.N(bound) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

func (d *DB) writeOnce(ctx context.Context, alone bool, fn func(*Tx) error) error {
	s, err := d.begin(ctx, alone)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	t := &Tx{ctx: ctx, s: s, dialect: d.dialect, pool: &d.ids, queue: d.queues.Get().(*queue)}
	committed := false
	defer func() { // also where fn panics
		t.queue.empty()
		d.queues.Put(t.queue)
		if !committed {
			t.giveBack(false)
			if err := s.rollback(); err != nil {
				d.log.Warn().Err(err).Msg("the rollback of a transaction failed; its connection is given up")
			}
		}
	}()

	if err := fn(t); err != nil {
		return t.reason(err)
	}
	if err := t.Flush(ctx); err != nil {
		return err
	}
	if err := s.commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	t.giveBack(true)
	for _, hook := range t.hooks {
		hook()
	}
	return nil
}
