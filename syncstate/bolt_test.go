package syncstate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

const orders = "atelier/orders"

func open(t testing.TB, path string, opts Options) *Bolt {
	t.Helper()
	s, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fresh(t testing.TB) *Bolt {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "sync.bolt"), Options{})
}

func mark(fence int64, cursor string) Mark { return Mark{Fence: fence, Cursor: []byte(cursor)} }

// digest returns a digest as the connectors make them: 32 bytes in hex.
func digest(content string) string {
	b := make([]byte, 32)
	copy(b, content)
	return hex.EncodeToString(b)
}

func advance(t testing.TB, s *Bolt, stream string, from, to Mark, keys ...Key) {
	t.Helper()
	if err := s.Advance(context.Background(), stream, from, to, keys); err != nil {
		t.Fatal(err)
	}
}

func assertMark(t testing.TB, s *Bolt, stream string, want Mark) {
	t.Helper()
	got, err := s.Mark(stream)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("mark of %s (-want +got):\n%s", stream, d)
	}
}

func assertKnown(t testing.TB, s *Bolt, stream string, want map[Key]bool) {
	t.Helper()
	for k, w := range want {
		got, err := s.Known(stream, []Key{k})
		if err != nil {
			t.Fatal(err)
		}
		if got[0] != w {
			t.Errorf("Known(%s, %s %.8s) = %v, want %v", stream, k.ID, k.Digest, got[0], w)
		}
	}
}

func TestAdvanceMovesTheMarkAndRemembersTheKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	s := open(t, path, Options{})
	assertMark(t, s, orders, Mark{})
	a, b, gone := Key{"1042", digest("a")}, Key{"gid://shop/Order/7", digest("b")}, Key{ID: "9"}
	assertKnown(t, s, orders, map[Key]bool{a: false, b: false, gone: false})

	advance(t, s, orders, Mark{}, mark(1, "c1"), a, b, gone)
	advance(t, s, "atelier/products", Mark{}, mark(1, "p1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path, Options{})
	marks, err := s.Marks()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]Mark{orders: mark(1, "c1"), "atelier/products": mark(1, "p1")}, marks); d != "" {
		t.Errorf("marks (-want +got):\n%s", d)
	}
	assertKnown(t, s, orders, map[Key]bool{
		a: true, b: true, gone: true,
		{"1042", digest("other")}: false, {"1042", ""}: false, {"9", digest("a")}: false, {"01042", digest("a")}: false,
	})
	assertKnown(t, s, "atelier/products", map[Key]bool{a: false})
}

func TestTheLastOfTwoKeysWithOneIDCounts(t *testing.T) {
	s := fresh(t)
	old, now := Key{"1", digest("old")}, Key{"1", digest("now")}
	advance(t, s, orders, Mark{}, mark(1, "c"), old, Key{"0", digest("x")}, now)
	assertKnown(t, s, orders, map[Key]bool{old: false, now: true})
}

func TestAdvanceRefusesAStaleMark(t *testing.T) {
	s := fresh(t)
	advance(t, s, orders, Mark{}, mark(1, "c1"))
	for _, from := range []Mark{{}, mark(1, "c0"), mark(0, "c1")} {
		k := Key{"1", digest("a")}
		err := s.Advance(context.Background(), orders, from, mark(2, "c2"), []Key{k})
		if !errors.Is(err, ErrStale) {
			t.Errorf("from %v: %v, want ErrStale", from, err)
		}
		assertMark(t, s, orders, mark(1, "c1"))
		assertKnown(t, s, orders, map[Key]bool{k: false})
	}
}

func TestAdvanceNeverGoesBack(t *testing.T) {
	s := fresh(t)
	advance(t, s, orders, Mark{}, mark(5, "c5"))
	if err := s.Advance(context.Background(), orders, mark(5, "c5"), mark(4, "c4"), nil); err == nil || errors.Is(err, ErrStale) {
		t.Errorf("got %v, want an error that names Rewind", err)
	}
}

func TestAdvanceDoesNothingOnceItsContextHasEnded(t *testing.T) {
	s := fresh(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Advance(ctx, orders, Mark{}, mark(1, "c"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	assertMark(t, s, orders, Mark{})
}

func TestOneOfManyConcurrentRunsAdvances(t *testing.T) {
	s := fresh(t)
	for round := range int64(10) {
		from, _ := s.Mark(orders)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				to := mark(round+1, fmt.Sprintf("run %d", i))
				errs[i] = s.Advance(context.Background(), orders, from, to, []Key{{strconv.Itoa(i), digest("x")}})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, ErrStale):
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d runs advanced, want 1", round, won)
		}
	}
}

func TestRewindForgetsWhatWasRememberedAfterTheFence(t *testing.T) {
	s := fresh(t)
	early, late, redone := Key{"1", digest("a")}, Key{"2", digest("b")}, Key{"3", digest("new")}
	advance(t, s, orders, Mark{}, mark(1, "c1"), early, Key{"3", digest("old")})
	advance(t, s, orders, mark(1, "c1"), mark(2, "c2"), late, redone)

	if err := s.Rewind(orders, mark(1, "c1")); err != nil {
		t.Fatal(err)
	}
	assertMark(t, s, orders, mark(1, "c1"))
	assertKnown(t, s, orders, map[Key]bool{early: true, late: false, redone: false, {"3", digest("old")}: false})
}

// A crash between the commit of the books and Advance leaves the books ahead.
// The commit may have changed any record. Were its old digest still known, the
// day on which the shop changes it back would go unnoticed.
func TestBooksThatAreAheadMakeEveryKeyUnknown(t *testing.T) {
	s := fresh(t)
	k := Key{"1", digest("a")}
	advance(t, s, orders, Mark{}, mark(1, "c1"), k)
	if err := s.Rewind(orders, mark(2, "c2")); err != nil {
		t.Fatal(err)
	}
	assertMark(t, s, orders, mark(2, "c2"))
	assertKnown(t, s, orders, map[Key]bool{k: false})
}

func TestStreamsOfOneSpaceShareTheirKeys(t *testing.T) {
	space := func(stream string) string { return strings.ReplaceAll(stream, "trash", "orders") }
	s := open(t, filepath.Join(t.TempDir(), "sync.bolt"), Options{Space: space})
	const trash = "atelier/trash"
	listed, put := Key{"1", digest("listed")}, Key{"1", digest("in the trash")}
	other := Key{"2", digest("x")}
	advance(t, s, orders, Mark{}, mark(7, "o"), listed, other)
	advance(t, s, trash, Mark{}, mark(1, "t1"))
	advance(t, s, trash, mark(1, "t1"), mark(2, "t2"), put)
	// Taken out of the trash, the order has its first content again. It must
	// not pass for known.
	assertKnown(t, s, orders, map[Key]bool{listed: false, put: true, other: true})

	// The fences of two streams are counted apart.
	if err := s.Rewind(trash, mark(1, "t1")); err != nil {
		t.Fatal(err)
	}
	assertKnown(t, s, orders, map[Key]bool{listed: false, put: false, other: true})
	assertMark(t, s, orders, mark(7, "o"))
}

func TestForgetDropsSingleRecords(t *testing.T) {
	s := fresh(t)
	a, b := Key{"1", digest("a")}, Key{"2", digest("b")}
	if err := s.Forget(orders, "1"); err != nil {
		t.Fatalf("on an empty file: %v", err)
	}
	advance(t, s, orders, Mark{}, mark(1, "c"), a, b)
	if err := s.Forget(orders, "1", "unknown"); err != nil {
		t.Fatal(err)
	}
	assertKnown(t, s, orders, map[Key]bool{a: false, b: true})
	assertMark(t, s, orders, mark(1, "c"))
}

func TestForgetStreamDropsAllOfIt(t *testing.T) {
	s := fresh(t)
	k := Key{"1", digest("a")}
	if err := s.ForgetStream("never/seen"); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{orders, "other/orders"} {
		advance(t, s, stream, Mark{}, mark(1, "c"), k)
		if err := s.RecordRun(Run{Stream: stream}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ForgetStream(orders); err != nil {
		t.Fatal(err)
	}
	assertMark(t, s, orders, Mark{})
	assertMark(t, s, "other/orders", mark(1, "c"))
	assertKnown(t, s, orders, map[Key]bool{k: false})
	assertKnown(t, s, "other/orders", map[Key]bool{k: true})
	if runs, err := s.Runs(orders, 0); err != nil || len(runs) != 0 {
		t.Errorf("runs %v, %v; want none", runs, err)
	}
}

func TestRunsAreKeptNewestFirstAndBounded(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.FixedZone("Paris", 3600))
	clock := start
	s := open(t, filepath.Join(t.TempDir(), "sync.bolt"), Options{KeepRuns: 5, Now: func() time.Time { return clock }})
	for i := range 12 {
		clock = start.Add(time.Duration(i) * time.Minute)
		if err := s.RecordRun(Run{Stream: orders, Purpose: "pull", Started: start, Applied: i, Error: "shop is down"}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Runs(orders, 0)
	if err != nil {
		t.Fatal(err)
	}
	var applied []int
	for _, r := range all {
		applied = append(applied, r.Applied)
	}
	if d := cmp.Diff([]int{11, 10, 9, 8, 7}, applied); d != "" {
		t.Errorf("runs (-want +got):\n%s", d)
	}
	one, err := s.Runs(orders, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []Run{{Stream: orders, Purpose: "pull", Started: start.UTC(), Ended: start.Add(11 * time.Minute).UTC(), Applied: 11, Error: "shop is down"}}
	if d := cmp.Diff(want, one); d != "" {
		t.Errorf("last run (-want +got):\n%s", d)
	}
	if st, err := s.Stats(); err != nil || st.Streams[orders].Runs != 0 {
		t.Errorf("a stream that was never read has no mark and is not counted: %+v, %v", st.Streams, err)
	}
}

func TestStatsCountStreamsKeysAndBytes(t *testing.T) {
	s := fresh(t)
	advance(t, s, orders, Mark{}, mark(1, "c"), Key{"1", digest("a")}, Key{"2", digest("b")}, Key{"2", digest("c")})
	if err := s.RecordRun(Run{Stream: orders}); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]StreamStats{orders: {Mark: mark(1, "c"), Runs: 1}}, st.Streams); d != "" {
		t.Errorf("streams (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{orders: 2}, st.Keys); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	info, err := os.Stat(st.Path)
	if err != nil {
		t.Fatal(err)
	}
	if st.Size != info.Size() || info.Mode().Perm() != 0o600 {
		t.Errorf("size %d, file has %d; mode %v, want 0600", st.Size, info.Size(), info.Mode())
	}
}

// The file does not grow when the same records come again and again.
func TestTheFileStaysBoundedWhenRecordsRepeat(t *testing.T) {
	s := fresh(t)
	from := Mark{}
	var first int64
	for round := range 30 {
		keys := make([]Key, 100)
		for i := range keys {
			keys[i] = Key{strconv.Itoa(1000 + i), digest(fmt.Sprint(round))}
		}
		to := mark(int64(round+1), fmt.Sprint(round))
		advance(t, s, orders, from, to, keys...)
		if err := s.RecordRun(Run{Stream: orders}); err != nil {
			t.Fatal(err)
		}
		from = to
		st, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if round == 5 {
			first = st.Size
		}
		if round > 5 && st.Size > 2*first {
			t.Fatalf("round %d: file has grown from %d to %d bytes", round, first, st.Size)
		}
	}
}

func TestAHeldFileSaysWhoHoldsItAndWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	open(t, path, Options{})
	for _, readOnly := range []bool{false, true} {
		_, err := Open(path, Options{ReadOnly: readOnly, Timeout: 60 * time.Millisecond})
		var held *HeldError
		if !errors.As(err, &held) || held.Path != path {
			t.Fatalf("got %v, want a HeldError of %s", err, path)
		}
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "systemctl stop comptoir") {
			t.Errorf("message does not help: %v", err)
		}
	}
}

func TestReadersShareTheFileAndCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	if _, err := Open(path, Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no file: got %v, want fs.ErrNotExist", err)
	}
	w := open(t, path, Options{})
	advance(t, w, orders, Mark{}, mark(1, "c"), Key{"1", digest("a")})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r := open(t, path, Options{ReadOnly: true})
		assertMark(t, r, orders, mark(1, "c"))
		if _, err := r.Stats(); err != nil {
			t.Errorf("stats: %v", err)
		}
		if err := r.Rewind(orders, Mark{}); err == nil {
			t.Error("a reader could write")
		}
	}
}

func TestADirectoryThatIsNotThereIsNoDamage(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "no", "sync.bolt"), Options{})
	var damaged *DamagedError
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &damaged) {
		t.Errorf("got %v", err)
	}
}

func TestADamagedFileSaysThatItMayBeDeleted(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.bolt")
	s := open(t, whole, Options{})
	var keys []Key
	for i := range 5000 {
		keys = append(keys, Key{strconv.Itoa(i), digest("x")})
	}
	advance(t, s, orders, Mark{}, mark(1, "cursor of the books"), keys...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	tests := []struct {
		name   string
		damage func([]byte) []byte
	}{
		{"text", func([]byte) []byte { return []byte(strings.Repeat("not a database\n", 1000)) }},
		{"short text", func([]byte) []byte { return []byte("hello") }},
		{"zeroes", func(b []byte) []byte { return make([]byte, len(b)) }},
		{"cut short", func(b []byte) []byte { return b[:3*page] }},
		{"pages overwritten", func(b []byte) []byte {
			for i := 2 * page; i < len(b); i++ {
				b[i] = 0xA5
			}
			return b
		}},
		{"cursor changed", func(b []byte) []byte {
			return []byte(strings.ReplaceAll(string(b), "cursor of the books", "cursor of the cooks"))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := os.WriteFile(path, tt.damage([]byte(string(good))), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, readOnly := range []bool{true, false} {
				s, err := Open(path, Options{ReadOnly: readOnly, Timeout: 60 * time.Millisecond})
				if err == nil {
					_, err = s.Stats()
					_ = s.Close()
				}
				var damaged *DamagedError
				if !errors.As(err, &damaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "delete the file") {
					t.Fatalf("read-only %v: got %v, want a DamagedError that says what to do", readOnly, err)
				}
			}
			// The advice works at once, in this process too.
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			open(t, path, Options{})
		})
	}
}

func TestAFileOfAnotherFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	s := open(t, path, Options{})
	err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyFormat, []byte("7")) })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), `format "7"`) {
		t.Errorf("got %v", err)
	}
}
