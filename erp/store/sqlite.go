package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"comptoir/erp/fault"

	"github.com/pressly/goose/v3"
	"github.com/rs/zerolog"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a connection waits for one of another process.
const busyTimeout = 10 * time.Second

// Settings of each connection, in the order in which they are made. The wait
// comes first, because it holds for those that follow.
//
// FULL: a commit that the sync state remembers must outlive a power cut. A log
// of 20,000 pages (80 MB) before it is copied into the file makes bulk work
// faster by half. Cache sizes are in KiB.
var (
	pragmas = []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"foreign_keys(on)",
		"journal_mode(wal)",
		"synchronous(full)",
		"wal_autocheckpoint(20000)",
		"temp_store(memory)",
		"mmap_size(0)",
	}
	writerPragmas = append(slices.Clip(pragmas), "cache_size(-32768)")
	readerPragmas = append(slices.Clip(pragmas), "cache_size(-8192)", "query_only(on)")
	// A connection that is being opened does not heed a context, so the one
	// that looks first whether the file is ours and free waits for nobody.
	claimPragmas = []string{"busy_timeout(0)", "journal_mode(wal)"}
)

// applicationID marks the file as one of ours ("Cmpt"), see
// https://www.sqlite.org/pragma.html#pragma_application_id.
const applicationID = 0x436d7074

type sqliteDialect struct {
	path   string
	writer *sql.DB // one connection, which sessions take in turn
	reader *sql.DB
	// turn holds the writer's connection while no session has it, and is closed
	// with the database.
	turn chan *writerConn
}

func dialSQLite(ctx context.Context, o Options) (dialect, error) {
	if o.Path == "" {
		return nil, fault.New(fault.Invalid, "name a file or the URL of a PostgreSQL database", "no place for the books is configured")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, err
	}
	if err := makeFile(path); err != nil {
		return nil, err
	}
	d := &sqliteDialect{path: path, turn: make(chan *writerConn, 1)}
	if err := d.claimPatiently(ctx); err != nil {
		return nil, d.explain(err)
	}
	if d.writer, err = sql.Open("sqlite", dsn(path, "immediate", writerPragmas)); err != nil {
		return nil, err
	}
	if d.reader, err = sql.Open("sqlite", dsn(path, "deferred", readerPragmas)); err != nil {
		return nil, errors.Join(err, d.writer.Close())
	}
	d.writer.SetMaxOpenConns(1)
	d.reader.SetMaxOpenConns(o.MaxConns)
	d.reader.SetMaxIdleConns(o.MaxConns)
	d.turn <- &writerConn{}
	return d, nil
}

// claimPatiently claims the file, and waits for another process that has it
// locked, perhaps only because it is making the same new file.
func (d *sqliteDialect) claimPatiently(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	var busy error
	for try := 1; ; try++ {
		err := d.claim(ctx)
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
			busy = err
		} else if busy == nil || ctx.Err() == nil {
			return err
		}
		if pause(ctx, try) != nil {
			return busy
		}
	}
}

func (d *sqliteDialect) locked(err error) error {
	return fault.New(fault.Unavailable, "find the program that has it open, perhaps another comptoir, and stop it or wait for it",
		"%s is locked by another process: %w", d.path, err)
}

// makeFile makes the file and its folder where they do not exist, so that
// nobody but their owner can read them. SQLite gives its log the same rights.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fault.New(fault.Unavailable, "check that the folder exists and may be written to", "make the folder of the books: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fault.New(fault.Unavailable, "check that the file is one that this user may write to", "open the file of the books: %w", err)
	}
	return f.Close()
}

// dsn is a URL, so that no character of the path has a meaning of its own.
func dsn(path, lock string, pragmas []string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // Windows: file:///C:/…
	}
	q := url.Values{"_txlock": {lock}, "_dqs": {"false"}, "_pragma": pragmas}
	u := url.URL{Scheme: "file", Path: p, RawQuery: q.Encode()}
	return u.String()
}

// claim marks a new file as one of ours, and refuses a database that is not.
func (d *sqliteDialect) claim(ctx context.Context) error {
	db, err := sql.Open("sqlite", dsn(d.path, "immediate", claimPragmas))
	if err != nil {
		return err
	}
	defer db.Close()
	var id int
	var empty bool
	err = db.QueryRowContext(ctx, `SELECT application_id, NOT EXISTS (SELECT * FROM sqlite_schema) FROM pragma_application_id`).Scan(&id, &empty)
	if err != nil {
		return err
	}
	switch {
	case id == applicationID:
		return nil
	case id == 0 && empty:
		_, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
		return err
	default:
		return fault.New(fault.Invalid, "choose another path", "%s is the database of another program", d.path)
	}
}

func (d *sqliteDialect) name() string { return "sqlite" }

func (d *sqliteDialect) migrate(ctx context.Context, log zerolog.Logger) error {
	return d.explain(migrate(ctx, d.writer, goose.DialectSQLite3, d.name(), log))
}

func (d *sqliteDialect) close() error {
	w, open := <-d.turn
	if !open {
		return nil
	}
	close(d.turn)
	return errors.Join(w.discard(), d.reader.Close(), d.writer.Close())
}

func (d *sqliteDialect) readers() *sql.DB         { return d.reader }
func (d *sqliteDialect) snapshot() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// retryable: writers take turns, so none can meet another.
func (d *sqliteDialect) retryable(error) bool { return false }

func (d *sqliteDialect) explain(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok || fault.KindOf(err) != fault.Internal {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return d.locked(err)
	case sqlite3.SQLITE_NOTADB:
		return fault.New(fault.Invalid, "choose another path, or put the file of the books back from a backup",
			"%s is not a database: %w", d.path, err)
	case sqlite3.SQLITE_CORRUPT:
		return fault.New(fault.Invalid, "stop comptoir and put the file back from a backup; the next sync brings what is missing since",
			"%s is damaged: %w", d.path, err)
	case sqlite3.SQLITE_FULL:
		return fault.New(fault.Unavailable, "free some space on the disk", "the disk of %s is full: %w", d.path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fault.New(fault.Unavailable, "check that this user may write to the file and to its folder",
			"%s cannot be opened for writing: %w", d.path, err)
	default:
		return err
	}
}

// maxPrepared bounds the statements that stay prepared. The program has a few
// hundred; a number above comes from IN lists, and the cache starts anew.
const maxPrepared = 500

// writerConn is the one connection that writes, with its statements.
type writerConn struct {
	conn     *sql.Conn // nil: not open
	prepared map[string]driver.Stmt
	values   []driver.NamedValue // memory for the arguments of one statement
}

// begin waits for its turn, then for the lock of the file, which another
// process may have.
//
// The transaction is begun with a statement of ours instead of sql.Tx: that
// one is rolled back in the background when its context ends, and a statement
// that runs at that moment may find no transaction around it. Statements run
// without the caller's context for the same reason: SQLite undoes the whole
// transaction of a write that is interrupted. They are short.
func (d *sqliteDialect) begin(ctx context.Context, _ bool) (session, error) {
	var w *writerConn
	select {
	case w = <-d.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if w == nil {
		return nil, sql.ErrConnDone
	}
	if err := w.begin(ctx, d.writer); err != nil {
		err = errors.Join(err, w.discard())
		d.turn <- w
		return nil, err
	}
	return &sqliteSession{d: d, w: w}, nil
}

func (w *writerConn) begin(ctx context.Context, db *sql.DB) error {
	if w.conn == nil {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		w.conn, w.prepared = conn, map[string]driver.Stmt{}
	}
	_, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	return err
}

// discard closes the connection, and with it a transaction that it may be in.
func (w *writerConn) discard() error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.Raw(func(any) error {
		err := w.unprepare()
		if err != nil {
			return err
		}
		return driver.ErrBadConn // which has database/sql close it
	})
	w.conn = nil
	if errors.Is(err, driver.ErrBadConn) {
		return nil
	}
	return err
}

func (w *writerConn) unprepare() error {
	var errs []error
	for _, stmt := range w.prepared {
		errs = append(errs, stmt.Close())
	}
	clear(w.prepared)
	return errors.Join(errs...)
}

// run executes statements one after the other on the driver's connection,
// which costs less than through database/sql. It returns the rows that the
// last one changed, and the index of the statement that failed.
func (w *writerConn) run(ctx context.Context, list []statement) (changed int64, failed int, err error) {
	err = w.conn.Raw(func(c any) error {
		var result driver.Result
		for i, s := range list {
			failed = i
			stmt, err := w.prepare(ctx, c, s.q)
			if err != nil {
				return err
			}
			if err := w.bind(s.args); err != nil {
				return err
			}
			if result, err = stmt.(driver.StmtExecContext).ExecContext(ctx, w.values); err != nil {
				return err
			}
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, failed, err
}

func (w *writerConn) prepare(ctx context.Context, c any, q string) (driver.Stmt, error) {
	if stmt, ok := w.prepared[q]; ok {
		return stmt, nil
	}
	if len(w.prepared) >= maxPrepared {
		if err := w.unprepare(); err != nil {
			return nil, err
		}
	}
	stmt, err := c.(driver.ConnPrepareContext).PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	w.prepared[q] = stmt
	return stmt, nil
}

// bind converts arguments to the types that a driver takes.
func (w *writerConn) bind(args []any) error {
	w.values = w.values[:0]
	for i, arg := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return fmt.Errorf("argument $%d: %w", i+1, err)
		}
		w.values = append(w.values, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return nil
}

type sqliteSession struct {
	d *sqliteDialect
	w *writerConn
}

func (s *sqliteSession) exec(ctx context.Context, q string, args []any) (int64, error) {
	n, _, err := s.w.run(context.WithoutCancel(ctx), []statement{{q, args}})
	return n, err
}

func (s *sqliteSession) flush(ctx context.Context, queued []statement) (int, error) {
	_, i, err := s.w.run(context.WithoutCancel(ctx), queued)
	return i, err
}

func (s *sqliteSession) query(ctx context.Context, q string, args []any) (*sql.Rows, error) {
	return s.w.conn.QueryContext(context.WithoutCancel(ctx), q, args...)
}

func (s *sqliteSession) queryRow(ctx context.Context, q string, args []any) *sql.Row {
	return s.w.conn.QueryRowContext(context.WithoutCancel(ctx), q, args...)
}

func (s *sqliteSession) commit() error {
	_, err := s.w.conn.ExecContext(context.Background(), "COMMIT")
	if err == nil {
		s.d.turn <- s.w
	}
	return err
}

func (s *sqliteSession) rollback() error {
	_, err := s.w.conn.ExecContext(context.Background(), "ROLLBACK")
	if err != nil {
		err = errors.Join(err, s.w.discard())
	}
	s.d.turn <- s.w
	return err
}
