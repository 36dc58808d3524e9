package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
)

// errBoom is an error of a caller.
var errBoom = errors.New("boom")

// withTable makes a table of names for a test.
func withTable(t *testing.T, db *store.DB) {
	t.Helper()
	write(t, db, func(tx *store.Tx) error {
		tx.Queue(`CREATE TABLE name (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, size BIGINT CHECK (size > 0))`)
		tx.Queue(`CREATE TABLE alias (id BIGINT PRIMARY KEY, of BIGINT NOT NULL REFERENCES name (id))`)
		return nil
	})
	t.Cleanup(func() { // so that the database can serve the next test
		err := db.Write(context.Background(), func(tx *store.Tx) error {
			tx.Queue(`DROP TABLE alias`)
			tx.Queue(`DROP TABLE name`)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

const addName = `INSERT INTO name (id, name, size) VALUES ($1, $2, $3)`

func write(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// names returns the names in the order of their ids.
func names(t *testing.T, r store.Reader) []string {
	t.Helper()
	rows, err := r.Query(t.Context(), `SELECT name FROM name ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func wantNames(t *testing.T, r store.Reader, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, names(t, r)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error {
			n, err := tx.Exec(t.Context(), addName, 1, "Zoë", 7)
			if n != 1 {
				t.Errorf("rows changed by an insert: %d", n)
			}
			return err
		})
		var size int
		err := db.QueryRow(t.Context(), `SELECT size FROM name WHERE name = $2 AND id = $1`, 1, "Zoë").Scan(&size)
		if err != nil || size != 7 {
			t.Errorf("size %d, %v", size, err)
		}
	})
}

func TestTransactionThatFailsLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			tx.OnCommit(func() { t.Error("told of a commit") })
			if _, err := tx.Exec(t.Context(), addName, 1, "a", 1); err != nil {
				return err
			}
			tx.Queue(addName, 2, "b", 1)
			return errBoom
		})
		if !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() { recover() }()
			db.Write(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.Exec(t.Context(), addName, 1, "a", 1); err != nil {
					return err
				}
				panic("boom")
			})
		}()
		wantNames(t, db)
		write(t, db, func(tx *store.Tx) error { return nil }) // the writer is free again
	})
}

func TestTransactionEndsWithItsContext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, addName, 1, "a", 1); err != nil {
				return err
			}
			tx.Queue(addName, 2, "b", 1)
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		wantNames(t, db)

		err = db.Write(ctx, func(*store.Tx) error { t.Error("run without a context"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestQueueRunsInOrderBeforeWhatFollows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error {
			tx.Queue(addName, 1, "a", 1)
			tx.Queue(`UPDATE name SET name = name || 'b' WHERE id = $1`, 1)
			wantNames(t, tx, "ab")
			tx.Queue(`UPDATE name SET name = name || 'c' WHERE id = $1`, 1)
			n, err := tx.Exec(t.Context(), `UPDATE name SET size = 2 WHERE name = $1`, "abc")
			if n != 1 {
				t.Errorf("the statement ran before the one queued")
			}
			tx.Queue(addName, 2, "d", 1)
			var count int
			if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM name`).Scan(&count); err != nil || count != 2 {
				t.Errorf("%d rows, %v", count, err)
			}
			tx.Queue(addName, 3, "e", 1)
			return err
		})
		wantNames(t, db, "abc", "d", "e")
	})
}

func TestQueueCopiesItsArguments(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error {
			args := []any{0, "", 1}
			for i, name := range []string{"a", "b", "c"} {
				args[0], args[1] = i, name
				tx.Queue(addName, args...)
			}
			return nil
		})
		wantNames(t, db, "a", "b", "c")
	})
}

func TestErrorOfTheQueueNamesTheStatement(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			tx.Queue(addName, 1, "a", 1)
			tx.Queue(addName, 2, "secret", 1)
			tx.Queue(addName, 3, "secret", 1)
			tx.Queue(addName, 4, "d", 1)
			return nil
		})
		e, ok := errors.AsType[*store.StatementError](err)
		if !ok || e.Position != 3 || e.Of != 4 || e.Table != "name" || !store.IsUnique(err) {
			t.Fatalf("got %#v: %v", e, err)
		}
		if msg := err.Error(); !strings.HasPrefix(msg, "write to name (statement 3 of 4): ") || strings.Contains(msg, "secret") {
			t.Errorf("message %q", msg)
		}
		wantNames(t, db)
	})
}

func TestErrorOfAStatementThatCannotBePreparedNamesIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		for _, test := range []struct {
			q    string
			args []any
		}{
			{`INSERT INTO nowhere (id) VALUES ($1)`, []any{1}},
			{`INSERT INTO nowhere SELECT FROM WHERE`, nil},
		} {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				tx.Queue(addName, 1, "a", 1)
				tx.Queue(addName, 2, "b", 1)
				tx.Queue(test.q, test.args...)
				tx.Queue(addName, 3, "c", 1)
				return nil
			})
			if e, ok := errors.AsType[*store.StatementError](err); !ok || e.Position != 3 || e.Table != "nowhere" {
				t.Errorf("%s: %v", test.q, err)
			}
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			tx.Queue(addName, 1, "a", 1)
			tx.Queue(`UPDATE name SET size = $1`, make(chan int))
			return nil
		})
		if e, ok := errors.AsType[*store.StatementError](err); !ok || e.Position != 2 {
			t.Error(err)
		}
		wantNames(t, db)
	})
}

func TestNothingRunsAfterAStatementFailed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			tx.Queue(addName, 1, "a", -1)
			var n int
			// The row tells of the statement that was queued before it.
			if err := tx.QueryRow(t.Context(), `SELECT 1`).Scan(&n); !store.IsCheck(err) {
				t.Errorf("row: %v", err)
			}
			if _, err := tx.Exec(t.Context(), addName, 2, "b", 1); !store.IsCheck(err) {
				t.Errorf("exec: %v", err)
			}
			if rows, err := tx.Query(t.Context(), `SELECT 1`); !store.IsCheck(err) {
				rows.Close()
				t.Errorf("query: %v", err)
			}
			return nil // dropped by mistake
		})
		if !store.IsCheck(err) {
			t.Errorf("got %v", err)
		}
		wantNames(t, db)
	})
}

func TestSavepointUndoesOnlyItsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		var told []string
		write(t, db, func(tx *store.Tx) error {
			ctx := t.Context()
			tx.Queue(addName, 1, "before", 1)
			err := tx.Savepoint(ctx, func() error {
				tx.OnCommit(func() { told = append(told, "undone") })
				tx.Queue(addName, 2, "undone", 1)
				return errBoom
			})
			if !errors.Is(err, errBoom) {
				t.Errorf("got %v", err)
			}
			err = tx.Savepoint(ctx, func() error {
				tx.Queue(addName, 3, "before", 1) // fails when the savepoint ends
				return nil
			})
			if !store.IsUnique(err) {
				t.Errorf("got %v", err)
			}
			err = tx.Savepoint(ctx, func() error {
				tx.OnCommit(func() { told = append(told, "kept") })
				tx.Queue(addName, 4, "outer", 1)
				err := tx.Savepoint(ctx, func() error {
					tx.Queue(addName, 5, "inner", 0)
					return nil
				})
				if !store.IsCheck(err) {
					t.Errorf("got %v", err)
				}
				return nil
			})
			tx.Queue(addName, 6, "after", 1)
			return err
		})
		wantNames(t, db, "before", "outer", "after")
		if diff := cmp.Diff([]string{"kept"}, told); diff != "" {
			t.Errorf("told of a commit (-want +got):\n%s", diff)
		}
	})
}

func TestConstraintsAreToldApart(t *testing.T) {
	classes := map[string]func(error) bool{
		"unique": store.IsUnique, "check": store.IsCheck, "foreign key": store.IsForeignKey, "not null": store.IsNotNull,
	}
	tests := []struct {
		class string
		q     string
	}{
		{"unique", `INSERT INTO name (id, name) VALUES (1, 'other')`},
		{"unique", `INSERT INTO name (id, name) VALUES (2, 'a')`},
		{"check", `INSERT INTO name (id, name, size) VALUES (2, 'b', 0)`},
		{"foreign key", `INSERT INTO alias (id, of) VALUES (1, 99)`},
		{"not null", `INSERT INTO name (id) VALUES (2)`},
		{"", `INSERT INTO nowhere (id) VALUES (2)`},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error { tx.Queue(addName, 1, "a", 1); return nil })
		for _, test := range tests {
			err := db.Write(t.Context(), func(tx *store.Tx) error { tx.Queue(test.q); return nil })
			if err == nil {
				t.Errorf("%s: accepted", test.q)
			}
			for class, is := range classes {
				if is(err) != (class == test.class) {
					t.Errorf("%s: %s is %t: %v", test.q, class, is(err), err)
				}
			}
			if store.IsConstraint(err) != (test.class != "") {
				t.Errorf("%s: constraint is %t", test.q, store.IsConstraint(err))
			}
		}
	})
}

func TestNewIDsAreNeverGivenTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		seen := map[int64]bool{}
		// take takes n ids in a transaction; those of one that commits are new.
		take := func(n int, outcome error) {
			var got []int64
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				got = got[:0]
				for range n {
					id, err := tx.NewID(t.Context())
					if err != nil {
						return err
					}
					got = append(got, id)
				}
				return outcome
			})
			if !errors.Is(err, outcome) {
				t.Fatal(err)
			}
			for _, id := range got {
				if seen[id] || id <= 0 {
					t.Fatalf("id %d was given twice", id)
				}
				seen[id] = outcome == nil
			}
		}
		for _, n := range []int{1, 10, 5000, 1} {
			take(n, nil)
			take(n, errBoom)
		}
	})
}

func TestNewIDsOfAnUndoneSavepointAreDropped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		seen := map[int64]bool{}
		for range 3 {
			write(t, db, func(tx *store.Tx) error {
				for i := range 4 {
					err := tx.Savepoint(t.Context(), func() error {
						for range 3000 {
							id, err := tx.NewID(t.Context())
							if err != nil {
								return err
							}
							if seen[id] {
								return fmt.Errorf("id %d was given twice", id)
							}
							if i%2 == 0 {
								seen[id] = true
							}
						}
						if i%2 == 1 {
							return errBoom
						}
						return nil
					})
					if err != nil && !errors.Is(err, errBoom) {
						return err
					}
				}
				return nil
			})
		}
	})
}

func TestNewIDsAreUniqueAcrossConcurrentTransactions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var mu sync.Mutex
		seen := map[int64]bool{}
		inParallel(t, 4, func() error {
			for range 5 {
				var got []int64
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					got = got[:0]
					for range 1500 {
						id, err := tx.NewID(t.Context())
						if err != nil {
							return err
						}
						got = append(got, id)
					}
					return nil
				})
				if err != nil {
					return err
				}
				mu.Lock()
				for _, id := range got {
					if seen[id] {
						t.Errorf("id %d was given twice", id)
					}
					seen[id] = true
				}
				mu.Unlock()
			}
			return nil
		})
	})
}

// inParallel runs fn n times at the same time.
func inParallel(t *testing.T, n int, fn func() error) {
	t.Helper()
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if err := fn(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// increment reads a number and writes the one after it, which goes wrong where
// another transaction does the same in between.
func increment(ctx context.Context, db *store.DB) error {
	return db.Write(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT size FROM name WHERE id = 1`).Scan(&n); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		tx.Queue(`UPDATE name SET size = $1 WHERE id = 1`, n+1)
		return nil
	})
}

func TestReadThenWriteLosesNoUpdate(t *testing.T) {
	const workers, times = 4, 25
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error { tx.Queue(addName, 1, "a", 1); return nil })
		inParallel(t, workers, func() error {
			for range times {
				if err := increment(t.Context(), db); err != nil {
					return err
				}
			}
			return nil
		})
		var n int
		if err := db.QueryRow(t.Context(), `SELECT size FROM name`).Scan(&n); err != nil || n != workers*times+1 {
			t.Errorf("%d, %v; want %d", n, err, workers*times+1)
		}
	})
}

// meet makes two transactions of PostgreSQL meet: tx has read a row that
// another one then changes, and changes it too.
func meet(t *testing.T, db *store.DB, tx *store.Tx) error {
	ctx := t.Context()
	var n int
	if err := tx.QueryRow(ctx, `SELECT size FROM name WHERE id = 1`).Scan(&n); err != nil {
		return err
	}
	write(t, db, func(other *store.Tx) error {
		_, err := other.Exec(ctx, `UPDATE name SET size = size + 1 WHERE id = 1`)
		return err
	})
	_, err := tx.Exec(ctx, `UPDATE name SET size = $1 WHERE id = 1`, n+10)
	return err
}

func TestTransactionThatMetAnotherIsRunAgain(t *testing.T) {
	db := storetest.Postgres(t)
	withTable(t, db)
	write(t, db, func(tx *store.Tx) error { tx.Queue(addName, 1, "a", 1); return nil })
	for _, how := range []string{"the error is returned", "the error is dropped", "the error is taken for one of a record"} {
		tries, told := 0, 0
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			tries++
			tx.OnCommit(func() { told++ })
			if tries > 1 {
				return nil
			}
			switch how {
			case "the error is returned":
				return meet(t, db, tx)
			case "the error is dropped":
				_ = meet(t, db, tx)
				return nil
			default:
				if err := tx.Savepoint(t.Context(), func() error { return meet(t, db, tx) }); err == nil {
					t.Error("the transactions did not meet")
				}
				// The next record cannot go on as if nothing had happened.
				if err := tx.Savepoint(t.Context(), func() error { return nil }); err == nil {
					t.Error("a transaction went on that must be run again")
				}
				return nil
			}
		})
		if err != nil || tries != 2 || told != 1 {
			t.Errorf("%s: %d tries, told %d times: %v", how, tries, told, err)
		}
	}
}

func TestTransactionThatAlwaysMeetsAnotherIsGivenUp(t *testing.T) {
	db := storetest.Postgres(t)
	tries := 0
	err := db.Write(t.Context(), func(*store.Tx) error {
		tries++
		return fmt.Errorf("receive: %w", &pgconn.PgError{Code: "40001"})
	})
	if err == nil || tries != 10 {
		t.Errorf("%d tries: %v", tries, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	tries = 0
	err = db.Write(ctx, func(*store.Tx) error {
		tries++
		cancel()
		return &pgconn.PgError{Code: "40001"}
	})
	if !errors.Is(err, context.Canceled) || tries != 1 {
		t.Errorf("%d tries after the context ended: %v", tries, err)
	}
}

func TestReadSeesOneState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		write(t, db, func(tx *store.Tx) error { tx.Queue(addName, 1, "a", 1); return nil })
		err := db.Read(t.Context(), func(r store.Reader) error {
			wantNames(t, r, "a")
			write(t, db, func(tx *store.Tx) error { tx.Queue(addName, 2, "b", 1); return nil })
			wantNames(t, r, "a")
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		wantNames(t, db, "a", "b")
	})
}

func TestReadersCannotWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		withTable(t, db)
		err := db.Read(t.Context(), func(r store.Reader) error {
			var id int
			return r.QueryRow(t.Context(), `INSERT INTO name (id, name) VALUES (1, 'a') RETURNING id`).Scan(&id)
		})
		if err == nil {
			t.Error("a reader wrote")
		}
		wantNames(t, db)
	})
}

func TestBoolsAndNullsAreTheSameOnBoth(t *testing.T) {
	kinds := map[string]string{"sqlite": `INTEGER NOT NULL CHECK (done IN (0, 1))`, "postgres": `BOOLEAN NOT NULL`}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) error {
			tx.Queue(`CREATE TABLE task (id BIGINT PRIMARY KEY, done ` + kinds[db.Dialect()] + `, note TEXT, raw ` +
				map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[db.Dialect()] + `)`)
			if err := tx.Flush(t.Context()); err != nil {
				return err
			}
			var none *string
			tx.Queue(`INSERT INTO task (id, done, note, raw) VALUES ($1, $2, $3, $4)`, int64(1), true, none, []byte{0, 1})
			tx.Queue(`INSERT INTO task (id, done, note, raw) VALUES ($1, $2, $3, $4)`, int64(2), false, "", nil)
			return nil
		})
		var id int64
		var done bool
		var note *string
		var raw []byte
		if err := db.QueryRow(t.Context(), `SELECT id, done, note, raw FROM task WHERE done = $1`, true).Scan(&id, &done, &note, &raw); err != nil {
			t.Fatal(err)
		}
		if id != 1 || !done || note != nil || !slices.Equal(raw, []byte{0, 1}) {
			t.Errorf("got %d %t %v %v", id, done, note, raw)
		}
	})
}
