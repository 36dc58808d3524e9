package syncstate

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crashFile tells a child of this test which file to write until it is killed.
const crashFile = "COMPTOIR_TEST_SYNCSTATE_FILE"

const keysPerPage = 20

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled goes on where the file ends, and prints the number of each
// page that Advance has reported as done.
func writeUntilKilled(path string) error {
	s, err := Open(path, Options{})
	if err != nil {
		return err
	}
	for {
		from, err := s.Mark(orders)
		if err != nil {
			return err
		}
		n := from.Fence
		keys := make([]Key, keysPerPage)
		for i := range keys {
			keys[i] = Key{strconv.Itoa(int(n)*keysPerPage + i), digest("x")}
		}
		if err := s.Advance(context.Background(), orders, from, mark(n+1, strconv.Itoa(int(n)+1)), keys); err != nil {
			return err
		}
		if _, err := fmt.Println(n + 1); err != nil {
			return err
		}
	}
}

// Killed at any moment, the file holds the mark and the keys of one and the
// same moment, and all that Advance reported as done. The next process finds
// the file free.
func TestAKilledProcessLeavesMarkAndKeysOfOneMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	const kills = 8
	for kill := range kills {
		done := runAndKill(t, path, 1+rand.IntN(20), time.Duration(rand.IntN(1000))*time.Microsecond)
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		m, err := s.Mark(orders)
		if err != nil {
			t.Fatal(err)
		}
		if m.Fence < done || string(m.Cursor) != strconv.Itoa(int(m.Fence)) {
			t.Fatalf("kill %d: mark %d %q, but %d was reported as done", kill, m.Fence, m.Cursor, done)
		}
		for id := range int(m.Fence+2) * keysPerPage {
			known, err := s.Known(orders, []Key{{strconv.Itoa(id), digest("x")}})
			if err != nil {
				t.Fatal(err)
			}
			if want := id < int(m.Fence)*keysPerPage; known[0] != want {
				t.Fatalf("kill %d: at mark %d key %d is known: %v", kill, m.Fence, id, known[0])
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill runs a child until it has written some pages, and a moment more.
// It returns the last page that the child reported.
func runAndKill(t *testing.T, path string, pages int, moment time.Duration) (done int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFile+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	for n := 0; lines.Scan(); n++ {
		if done, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if n == pages {
			kill.Reset(moment)
		}
	}
	_ = cmd.Wait() // it was killed
	if done == 0 {
		t.Fatalf("the child wrote nothing: %s", stderr.String())
	}
	return done
}
