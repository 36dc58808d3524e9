package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// Tx is a transaction that writes. It is not safe for concurrent use.
//
// A statement that fails fails the transaction: what follows is refused, on
// both databases alike, until the Savepoint around it was rolled back.
type Tx struct {
	ctx     context.Context // of Write: when it ends, the transaction ends
	s       session
	dialect dialect
	pool    *idPool

	queue  *queue
	hooks  []func()
	blocks []idBlock
	depth  int // of savepoints

	failed error // why statements are refused
	doomed bool  // a savepoint cannot undo failed
}

// errSpent refuses what is asked of a transaction whose failure was dropped.
var errSpent = errors.New("the transaction has failed before")

// usable returns why no statement may run, nil where one may.
func (t *Tx) usable(ctx context.Context) error {
	if t.failed != nil {
		return fmt.Errorf("%w: %w", errSpent, t.failed)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return nil
}

// fail remembers why the transaction cannot go on, and returns it.
func (t *Tx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// reason is why a transaction fails whose function returned err: that which
// failed first, where err does not tell.
func (t *Tx) reason(err error) error {
	if t.failed == nil || errors.Is(err, t.failed) {
		return err
	}
	return errors.Join(err, t.failed)
}

// Queue notes a statement that runs later, in order: at Flush, before any
// Query, QueryRow and Exec, and before the commit. Nothing may change the
// bytes of an argument until then. On PostgreSQL this saves a journey to the
// server for each statement; on both the statements are prepared once.
func (t *Tx) Queue(q string, args ...any) {
	t.queue.add(q, args)
}

// Flush runs what was queued. A StatementError names the statement that
// failed; those after it did not run.
func (t *Tx) Flush(ctx context.Context) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	list := t.queue.list
	if len(list) == 0 {
		return nil
	}
	i, err := t.s.flush(ctx, list)
	if err != nil {
		err = &StatementError{Position: i + 1, Of: len(list), Table: tableOf(list[i].q), Err: err}
	}
	t.queue.empty()
	return t.fail(err)
}

// Exec runs a statement at once, after those that were queued, and returns
// how many rows it changed.
func (t *Tx) Exec(ctx context.Context, q string, args ...any) (int64, error) {
	if err := t.Flush(ctx); err != nil {
		return 0, err
	}
	n, err := t.s.exec(ctx, q, args)
	if err != nil {
		return 0, t.fail(&StatementError{Position: 1, Of: 1, Table: tableOf(q), Err: err})
	}
	return n, nil
}

// Query runs a query after the statements that were queued.
func (t *Tx) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	if err := t.Flush(ctx); err != nil {
		return nil, err
	}
	rows, err := t.s.query(ctx, q, args)
	return rows, t.fail(err)
}

// QueryRow runs a query that returns at most one row, after the statements
// that were queued.
func (t *Tx) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	if err := t.Flush(ctx); err != nil {
		return failedRow(err)
	}
	return t.s.queryRow(ctx, q, args)
}

// failedRow returns a row whose Scan returns err. The standard library has no
// other way to make one than a database that cannot be reached.
func failedRow(err error) *sql.Row {
	db := sql.OpenDB(unreachable{err})
	defer db.Close()
	return db.QueryRow("")
}

type unreachable struct{ err error }

func (u unreachable) Connect(context.Context) (driver.Conn, error) { return nil, u.err }
func (u unreachable) Driver() driver.Driver                        { return nil }

// OnCommit has fn called after the transaction was committed, in the order of
// the calls. It is not called where the transaction, or the savepoint that it
// was asked for in, was rolled back.
func (t *Tx) OnCommit(fn func()) { t.hooks = append(t.hooks, fn) }

// Savepoint runs fn, and undoes what it did where it returns an error, which
// Savepoint then returns. Statements queued before run before, and those that
// fn queued have run when Savepoint returns. Where the error says that the
// whole transaction must be run again, nothing more can be done in it: return
// the error, or go on and have all that follows refused.
func (t *Tx) Savepoint(ctx context.Context, fn func() error) error {
	if err := t.Flush(ctx); err != nil {
		return err
	}
	t.depth++
	defer func() { t.depth-- }()
	name := fmt.Sprintf("sp%d", t.depth)
	if _, err := t.s.exec(ctx, "SAVEPOINT "+name, nil); err != nil {
		return t.fail(fmt.Errorf("set a savepoint: %w", err))
	}
	hooks, blocks := len(t.hooks), len(t.blocks)

	err := fn()
	if err == nil {
		err = t.Flush(ctx)
	}
	if err == nil {
		if _, err = t.s.exec(ctx, "RELEASE SAVEPOINT "+name, nil); err == nil {
			return nil
		}
	}

	err = t.reason(err)
	t.queue.empty()
	t.hooks = t.hooks[:hooks]
	t.blocks = t.blocks[:blocks] // what was reserved since is undone with the rest
	t.undo(name, err)
	return err
}

// undo rolls back to a savepoint because of err. The transaction can go on
// after that, unless it must be run again as a whole.
func (t *Tx) undo(name string, err error) {
	if t.doomed {
		return
	}
	if t.ctx.Err() != nil || t.dialect.retryable(err) {
		t.failed, t.doomed = err, true
		return
	}
	// The caller's context may have ended because of what is undone here.
	ctx := context.WithoutCancel(t.ctx)
	for _, q := range []string{"ROLLBACK TO SAVEPOINT " + name, "RELEASE SAVEPOINT " + name} {
		if _, e := t.s.exec(ctx, q, nil); e != nil {
			t.failed, t.doomed = errors.Join(err, fmt.Errorf("roll back to a savepoint: %w", e)), true
			return
		}
	}
	t.failed = nil
}
