package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/erp/fault"

	"github.com/jackc/pgx/v5"
)

// locks keep two processes with data directories of their own from syncing one
// shop into the same PostgreSQL database at the same time: each would take the
// progress of the other for its own lost one, over and over. Every shop has its
// own lock, so many processes may share the database. The locks belong to a
// session of their own and end with it, however this process ends.
//
// Books in SQLite need none: they share their directory with the sync state,
// which only one process can open.
type locks struct {
	url  string
	conn *pgx.Conn
	mine []string // shops
	held []string // shops that another process syncs
}

// lockClass keeps our locks apart from those of other programs in the
// database; any number that no other takes.
const lockClass = 0x436d7073

// takeLocks locks those of the shops that nobody else syncs. It returns nil
// for books in SQLite. Where others sync all of them it is an Unavailable fault,
// unless this process is to stand by.
func takeLocks(ctx context.Context, c *config.Config, shops []*config.Shop, standBy bool) (*locks, error) {
	if c.BooksPath() != "" {
		return nil, nil
	}
	l := &locks{url: c.Books.URL}
	for _, s := range shops {
		l.held = append(l.held, s.Name)
	}
	if err := l.dial(ctx); err != nil {
		return nil, err
	}
	if err := l.takeSoonFree(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	if len(l.mine) == 0 && !standBy {
		return nil, errors.Join(l.busy(l.held[0]), l.close())
	}
	return l, nil
}

func (l *locks) dial(ctx context.Context) error {
	c, err := pgx.ParseConfig(l.url)
	if err == nil {
		for name, value := range vanished {
			if c.RuntimeParams[name] == "" {
				c.RuntimeParams[name] = value
			}
		}
		l.conn, err = pgx.ConnectConfig(ctx, c)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "try again later", "lock the shops in the database: %w", err)
	}
	return nil
}

// vanished has the server end the session within half a minute where the machine
// of this process is there no more, in place of hours: nobody else can go on
// before. The server takes seconds and counts as text.
var vanished = map[string]string{"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4"}

// The session of a process that was killed ends a moment after it.
const (
	lingering  = 2 * time.Second
	lookAgain  = 100 * time.Millisecond
	looksAgain = int(lingering / lookAgain)
)

// takeSoonFree locks the shops that are free, or become so in a moment.
func (l *locks) takeSoonFree(ctx context.Context) error {
	for range looksAgain {
		if err := l.takeFree(ctx); err != nil || len(l.held) == 0 {
			return err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// takeFree locks the shops that nobody holds any more.
func (l *locks) takeFree(ctx context.Context) (err error) {
	l.mine, l.held, err = l.lock(ctx, l.mine, l.held)
	return err
}

// lock locks those of the shops held by others that nobody holds any more. Where
// it fails nothing is changed but the session, which then must be ended.
func (l *locks) lock(ctx context.Context, mine, held []string) (ours, theirs []string, err error) {
	ours = slices.Clone(mine)
	for _, shop := range held {
		var ok bool
		// Books may live in several schemas of one database.
		err := l.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, hashtext(coalesce(current_schema(), '') || '/' || $2))`, lockClass, shop).Scan(&ok)
		if err != nil {
			return mine, held, fmt.Errorf("lock shop %s in the database: %w", shop, err)
		}
		if ok {
			ours = append(ours, shop)
		} else {
			theirs = append(theirs, shop)
		}
	}
	return ours, theirs, nil
}

// refresh takes the locks again where their session has ended, and those that
// have become free. It reports whether other shops are ours than before. Where
// it fails, what is ours is known no better than before; call it again.
func (l *locks) refresh(ctx context.Context) (changed bool, err error) {
	if l == nil {
		return false, nil
	}
	mine, held := l.mine, l.held
	if l.conn == nil || l.conn.Ping(ctx) != nil {
		_ = l.close() // its session is over
		if err := l.dial(ctx); err != nil {
			return false, err
		}
		mine, held = nil, slices.Concat(l.mine, l.held)
	}
	mine, held, err = l.lock(ctx, mine, held)
	if err != nil {
		_ = l.close() // it may hold any of them
		return false, err
	}
	before := slices.Sorted(slices.Values(l.mine))
	l.mine, l.held = mine, held
	return !slices.Equal(before, slices.Sorted(slices.Values(mine))), nil
}

// busy is the error for a shop that another process syncs.
func (l *locks) busy(shop string) error {
	return fault.New(fault.Unavailable, "leave the work to it, or stop it first",
		"shop %s is synced into this database by another comptoir process, with another data directory", shop)
}

func (l *locks) close() error {
	if l == nil || l.conn == nil {
		return nil
	}
	conn := l.conn
	l.conn = nil
	return conn.Close(context.Background())
}
