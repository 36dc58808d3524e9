package storetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/erp/store"

	"github.com/google/go-cmp/cmp"
)

// childMark tells the test binary to start a server and to wait.
const childMark = "COMPTOIR_STORETEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		waitWithServer()
	}
	Main(m)
}

// waitWithServer starts a server, prints its folder and the id of its process,
// and waits to be killed.
func waitWithServer() {
	p, _, err := startProcess(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.folder, p.cmd.Process.Pid)
	select {}
}

func TestServerDiesWithATestBinaryThatIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only the kernel of Linux can be asked for this")
	}
	if _, err := findPrograms(); err != nil {
		unavailable(t, err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childMark+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	folder, id, _ := strings.Cut(strings.TrimSpace(line), " ")
	defer os.RemoveAll(folder)
	pid, err := strconv.Atoi(id)
	if err != nil || gone(pid) {
		t.Fatalf("no server: %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed
	for deadline := time.After(10 * time.Second); !gone(pid); {
		select {
		case <-deadline:
			t.Fatalf("the server %d outlives the tests", pid)
		case <-time.After(5 * time.Millisecond):
		}
	}
	removeLeftovers()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder of the server is left: %v", err)
	}
}

func TestDatabasesOfTestsAreApart(t *testing.T) {
	for range 2 {
		Each(t, func(t *testing.T, db *store.DB) {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				tx.Queue(`CREATE TABLE mine (id BIGINT PRIMARY KEY)`)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDatabaseIsEmptyAgainForTheNextTest(t *testing.T) {
	Postgres(t) // keeps one busy, and skips the test where there is no server
	urls := map[string]bool{}
	for range 3 {
		t.Run("uses one", func(t *testing.T) {
			url := URL(t)
			urls[url] = true
			db := open(t, store.Options{URL: url})
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				if id, err := tx.NewID(t.Context()); err != nil || id != 1 {
					t.Errorf("the first id is %d, %v", id, err)
				}
				n, err := tx.Exec(t.Context(), `INSERT INTO counter (name, next) VALUES ('mine', 1)`)
				if n != 1 {
					t.Errorf("%d rows", n)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	if os.Getenv("COMPTOIR_TEST_POSTGRES_URL") == "" && len(urls) != 1 {
		t.Errorf("%d databases for three tests, one after the other", len(urls))
	}
}

func TestQueriesAreFound(t *testing.T) {
	file := filepath.Join("testdata", "sample", "sample.go")
	want := []Query{
		{"UPDATE counter SET next = next + $1 WHERE name = $2", file + ":18"},
		{"DELETE FROM counter", file + ":19"},
		{"SELECT a colour", file + ":21"},
		{"SELECT name, next\n\t\tFROM counter WHERE name = $1", file + ":6"},
	}
	got := Queries(t, filepath.Join("testdata", "sample"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	Each(t, func(t *testing.T, db *store.DB) {
		for _, q := range got {
			err := db.Prepare(t.Context(), q.Text)
			if bad := q.Text == "SELECT a colour"; bad != (err != nil) {
				t.Errorf("%s: %v", q.Text, err)
			}
		}
	})
}
