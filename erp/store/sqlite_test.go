package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func openFile(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Path: path, MaxConns: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// raw runs a statement on a file without any of our settings.
func raw(t *testing.T, path, q string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(q); err != nil {
		t.Fatal(err)
	}
}

func TestFileCanBeReadByItsOwnerOnly(t *testing.T) {
	// A path in which every character stands for itself.
	path := filepath.Join(t.TempDir(), "data of 100% ?#&é", "books.db")
	db := openFile(t, path)
	withTable(t, db)
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, want %v", filepath.Base(name), info.Mode().Perm(), want)
		}
	}
}

func TestEachConnectionHasItsSettings(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "books.db"))
	settings := func(r store.Reader) map[string]string {
		got := map[string]string{}
		for _, name := range []string{"busy_timeout", "foreign_keys", "journal_mode", "synchronous", "wal_autocheckpoint", "temp_store", "cache_size", "query_only"} {
			var value string
			if err := r.QueryRow(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got[name] = value
		}
		return got
	}
	want := map[string]string{
		"busy_timeout": "10000", "foreign_keys": "1", "journal_mode": "wal", "synchronous": "2",
		"wal_autocheckpoint": "20000", "temp_store": "2", "cache_size": "-8192", "query_only": "1",
	}
	// All readers at the same time, so that each has a connection of its own.
	var inside, done sync.WaitGroup
	inside.Add(3)
	for range 3 {
		done.Go(func() {
			err := db.Read(t.Context(), func(r store.Reader) error {
				inside.Done()
				inside.Wait()
				if diff := cmp.Diff(want, settings(r)); diff != "" {
					t.Errorf("settings of a reader (-want +got):\n%s", diff)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	want["cache_size"], want["query_only"] = "-32768", "0"
	write(t, db, func(tx *store.Tx) error {
		if diff := cmp.Diff(want, settings(tx)); diff != "" {
			t.Errorf("settings of the writer (-want +got):\n%s", diff)
		}
		return nil
	})
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, path string)
		kind fault.Kind
		says string
	}{
		{"a text", func(t *testing.T, path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("Dear diary. "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.Invalid, "is not a database"},
		{"the database of another program", func(t *testing.T, path string) {
			raw(t, path, `CREATE TABLE bookmark (url TEXT)`)
		}, fault.Invalid, "the database of another program"},
		{"a folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, fault.Unavailable, "open the file of the books"},
		{"books of a newer version", func(t *testing.T, path string) {
			db, err := store.Open(t.Context(), store.Options{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
			raw(t, path, `INSERT INTO schema_version (version_id, is_applied) VALUES (99999, 1)`)
		}, fault.Invalid, "at version 99999"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "books.db")
			test.make(t, path)
			_, err := store.Open(t.Context(), store.Options{Path: path})
			if err == nil || fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) || fault.FixOf(err) == "" {
				t.Errorf("got a fault that is %v: %v", fault.KindOf(err), err)
			}
		})
	}
	if _, err := store.Open(t.Context(), store.Options{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a path: %v", err)
	}
}

func TestFileLockedByAnotherProgramIsAFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	other, err := sql.Open("sqlite", path+"?_pragma=locking_mode(exclusive)&_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = store.Open(ctx, store.Options{Path: path})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "locked by another process") {
		t.Errorf("got %v", err)
	}
}

func TestTwoHandlesOnOneFileTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	a, b := openFile(t, path), openFile(t, path)
	withTable(t, a)
	write(t, a, func(tx *store.Tx) error { tx.Queue(addName, 1, "a", 1); return nil })

	write(t, a, func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE name SET name = 'changed'`); err != nil {
			return err
		}
		wantNames(t, b, "a") // a reader waits for nobody
		return nil
	})
	wantNames(t, b, "changed")

	var group sync.WaitGroup
	for _, db := range []*store.DB{a, b, a, b} {
		group.Go(func() {
			for range 25 {
				if err := increment(t.Context(), db); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	var n int
	if err := a.QueryRow(t.Context(), `SELECT size FROM name`).Scan(&n); err != nil || n != 101 {
		t.Errorf("%d, %v; want 101", n, err)
	}
}

func TestHandlesThatOpenANewFileAtOnceAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	inParallel(t, 4, func() error {
		db, err := store.Open(t.Context(), store.Options{Path: path})
		if err != nil {
			return err
		}
		return db.Close()
	})
}

func TestWriterThatWaitsEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	a, b := openFile(t, path), openFile(t, path)
	write(t, a, func(*store.Tx) error {
		for name, db := range map[string]*store.DB{"in the same process": a, "for another one": b} {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- db.Write(ctx, func(*store.Tx) error { return nil }) }()
			cancel()
			if err := <-ended; err == nil {
				t.Errorf("a writer that waits %s went on", name)
			}
		}
		return nil
	})
	write(t, b, func(*store.Tx) error { return nil })
}

func TestClosedDatabaseRefuses(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "books.db")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := db.Write(t.Context(), func(*store.Tx) error { return nil }); err == nil {
		t.Error("wrote to a closed database")
	}
	if err := db.Read(t.Context(), func(store.Reader) error { return nil }); err == nil {
		t.Error("read a closed database")
	}
}

// childPath tells the test binary that it is to write to a file, as another
// process; see TestMain.
const childPath = "COMPTOIR_STORE_TEST_CHILD"

// child is what such a process does. It returns its exit code.
func child(path string) int {
	db, err := store.Open(context.Background(), store.Options{Path: path})
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	defer db.Close()
	for range 50 {
		if err := increment(context.Background(), db); err != nil {
			os.Stderr.WriteString(err.Error())
			return 1
		}
	}
	return 0
}

func TestTwoProcessesOnOneFileLoseNoUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	db := openFile(t, path)
	withTable(t, db)
	write(t, db, func(tx *store.Tx) error { tx.Queue(addName, 1, "a", 1); return nil })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inParallel(t, 2, func() error {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), childPath+"="+path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		return err
	})
	var n int
	if err := db.QueryRow(t.Context(), `SELECT size FROM name`).Scan(&n); err != nil || n != 101 {
		t.Errorf("%d, %v; want 101", n, err)
	}
}

func TestMoreStatementsThanStayPreparedRun(t *testing.T) {
	db := storetest.SQLite(t)
	withTable(t, db)
	const n = 1100
	write(t, db, func(tx *store.Tx) error {
		for i := range n {
			tx.Queue(strings.Repeat(" ", i)+addName, i, strings.Repeat("x", i+1), 1)
		}
		return nil
	})
	if got := len(names(t, db)); got != n {
		t.Errorf("%d rows, want %d", got, n)
	}
}
