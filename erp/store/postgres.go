package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"comptoir/erp/fault"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/rs/zerolog"
)

type postgresDialect struct {
	server string // host and port, for messages
	db     *sql.DB
}

// connectTimeout is for a URL that does not set one.
const connectTimeout = 10 * time.Second

func dialPostgres(ctx context.Context, o Options) (dialect, error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return nil, fault.New(fault.Invalid, "write it as postgres://user@host:5432/database", "the URL of the PostgreSQL database is not valid: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name":    "comptoir",
		"timezone":            "UTC",
		"client_min_messages": "warning", // notices of the migrations are not for anybody
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	d := &postgresDialect{
		server: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))),
		db:     stdlib.OpenDB(*config),
	}
	d.db.SetMaxOpenConns(o.MaxConns)
	d.db.SetMaxIdleConns(o.MaxConns)
	if err := d.db.PingContext(ctx); err != nil {
		return nil, errors.Join(d.explain(err), d.close())
	}
	return d, nil
}

func (d *postgresDialect) name() string     { return "postgres" }
func (d *postgresDialect) close() error     { return d.db.Close() }
func (d *postgresDialect) readers() *sql.DB { return d.db }

func (d *postgresDialect) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (d *postgresDialect) migrate(ctx context.Context, log zerolog.Logger) error {
	return d.explain(migrate(ctx, d.db, goose.DialectPostgres, d.name(), log, goose.WithSessionLocker(migrationLock{})))
}

// migrationLock lets one process at a time bring the schema up to date. The
// one of goose looks once in a while; this one waits.
type migrationLock struct{}

// The key of the lock is any number that no other program takes.
const migrationKey = 0x436d7074

func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationKey)
	return err
}

func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, migrationKey)
	return err
}

// SQLSTATE codes, see
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"

	invalidAuthorization = "28000"
	invalidPassword      = "28P01"
	unknownDatabase      = "3D000"
	insufficientRights   = "42501"
	diskFull             = "53100"
	tooManyConnections   = "53300"
	readOnlyTransaction  = "25006"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03"
)

func (d *postgresDialect) retryable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == serializationFailure || e.Code == deadlockDetected)
}

func (d *postgresDialect) explain(err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case invalidPassword, invalidAuthorization:
			return fault.New(fault.Invalid, "check the user and the password in the URL of the database",
				"the PostgreSQL server %s refuses the user: %w", d.server, err)
		case unknownDatabase:
			return fault.New(fault.Invalid, "make it with createdb, or correct the name in the URL",
				"the PostgreSQL server %s has no such database: %w", d.server, err)
		case insufficientRights:
			return fault.New(fault.Invalid, "make the user the owner of the database",
				"the user lacks a right on the PostgreSQL server %s: %w", d.server, err)
		case tooManyConnections:
			return fault.New(fault.Unavailable, "raise max_connections of the server or lower the number of connections of comptoir",
				"the PostgreSQL server %s has no connection left: %w", d.server, err)
		case diskFull:
			return fault.New(fault.Unavailable, "free some space on its disk",
				"the disk of the PostgreSQL server %s is full: %w", d.server, err)
		case readOnlyTransaction:
			return fault.New(fault.Unavailable, "name the primary server in the URL",
				"the PostgreSQL server %s takes no writes: %w", d.server, err)
		case adminShutdown, crashShutdown, cannotConnectNow:
			return fault.New(fault.Unavailable, "wait until it has started again",
				"the PostgreSQL server %s is starting or stopping: %w", d.server, err)
		}
		return err
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fault.New(fault.Unavailable, "check that it runs, that the host and the port in the URL are right, and that no firewall is between",
			"the PostgreSQL server %s cannot be reached: %w", d.server, err)
	}
	return err
}

// How a transaction that writes announces itself to the others. The modes do
// not keep anybody from reading. To lock a table is no look at the database:
// what the transaction sees is settled after it has waited.
const (
	amongOthers = `LOCK TABLE counter IN ROW SHARE MODE`
	allAlone    = `LOCK TABLE counter IN EXCLUSIVE MODE`
)

func (d *postgresDialect) begin(ctx context.Context, alone bool) (session, error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// A transaction that ends with its context would be rolled back in the
	// background, and a batch sent at that moment run without one.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	lock := amongOthers
	if alone {
		lock = allAlone
	}
	s := &postgresSession{conn: conn, tx: tx}
	if _, err := tx.ExecContext(ctx, lock); err != nil {
		return nil, errors.Join(err, s.rollback())
	}
	return s, nil
}

type postgresSession struct {
	conn *sql.Conn
	tx   *sql.Tx
}

func (s *postgresSession) exec(ctx context.Context, q string, args []any) (int64, error) {
	result, err := s.tx.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *postgresSession) query(ctx context.Context, q string, args []any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, q, args...)
}

func (s *postgresSession) queryRow(ctx context.Context, q string, args []any) *sql.Row {
	return s.tx.QueryRowContext(ctx, q, args...)
}

// flush sends all statements at once and then reads the answers.
func (s *postgresSession) flush(ctx context.Context, queued []statement) (failed int, err error) {
	err = s.conn.Raw(func(c any) error {
		batch := &pgx.Batch{QueuedQueries: make([]*pgx.QueuedQuery, 0, len(queued))}
		for _, st := range queued {
			batch.Queue(st.q, st.args...)
		}
		results := c.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		for failed = range queued {
			if _, err := results.Exec(); err != nil {
				failed = blame(queued, failed, err)
				return errors.Join(err, closeFailed(results))
			}
		}
		return results.Close()
	})
	return failed, err
}

// blame returns the index of the statement that err is about. All statements
// are prepared before the first one runs; what fails then fails the batch, and
// the error tells the text of the statement instead of its index.
func blame(queued []statement, seen int, err error) int {
	if e, ok := errors.AsType[pgx.ErrPreprocessingBatch](err); ok {
		if i := slices.IndexFunc(queued, func(s statement) bool { return s.q == e.SQL() }); i >= 0 {
			return i
		}
	}
	return seen
}

// closeFailed ends a batch that has failed. Its error is the one that
// was seen already, or else one more.
func closeFailed(results pgx.BatchResults) error {
	err := results.Close()
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return nil
	}
	return err
}

func (s *postgresSession) commit() error {
	if err := s.tx.Commit(); err != nil {
		return err
	}
	s.conn.Close() // back to the pool; what goes wrong there undoes nothing
	return nil
}

func (s *postgresSession) rollback() error {
	err := s.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil // a commit that failed
	}
	if err := errors.Join(err, s.conn.Close()); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}
