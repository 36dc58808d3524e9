// Package storetest gives tests databases of the books, on SQLite and on
// PostgreSQL.
//
// SQLite needs nothing. For PostgreSQL the first test that wants it starts a
// private server, which ends with the test binary; each test has a database of
// its own there. A package that uses it declares
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// Where the programs of PostgreSQL are not found, its tests are skipped with a
// message, or fail where COMPTOIR_TEST_REQUIRE is "all". Where
// COMPTOIR_TEST_POSTGRES_URL names a running server, that one is used; its
// user must be allowed to make databases.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"comptoir/erp/store"

	"github.com/rs/zerolog"
)

// Main runs the tests of a package and ends the server that they started.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has more to do: it runs the tests, ends the
// server, and returns the exit code.
func Run(m *testing.M) int {
	defer shared.stop()
	return m.Run()
}

// Each runs fn once for each database, as subtests named "sqlite" and
// "postgres". The database is empty but for its schema and ends with the test.
func Each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite returns an empty database in a file of its own.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Options{Path: filepath.Join(t.TempDir(), "books.db")})
}

// Postgres returns an empty database on the server of the tests, or skips the
// test where there is none.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Options{URL: URL(t)})
}

// URL makes an empty database on the PostgreSQL server of the tests and
// returns its URL, or skips the test where there is no server. The database is
// the test's own until it ends.
func URL(t testing.TB) string {
	t.Helper()
	s, err := shared.server(t.Context())
	if err != nil {
		unavailable(t, err)
	}
	d, err := s.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.giveBack(context.Background(), d); err != nil {
			t.Errorf("drop the database of the test: %v", err)
		}
	})
	return d.url
}

// unavailable ends a test that needs what this machine does not have.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if !missing(err) || os.Getenv("COMPTOIR_TEST_REQUIRE") == "all" {
		t.Fatal(err)
	}
	t.Skip(err)
}

func open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	o.Log = zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database of the test: %v", err)
		}
	})
	return db
}
