package shopify

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

var errCut = errors.New("connection cut")

// cutAfter serves file in attempts: the first gives up to the first number of
// bytes from where it was asked to begin, and so on; then all the rest comes.
func cutAfter(file []byte, bytesEach ...int) func(int64) (io.ReadCloser, error) {
	return func(offset int64) (io.ReadCloser, error) {
		rest := file[offset:]
		if len(bytesEach) == 0 || bytesEach[0] >= len(rest) {
			return io.NopCloser(bytes.NewReader(rest)), nil
		}
		piece := rest[:bytesEach[0]]
		bytesEach = bytesEach[1:]
		return io.NopCloser(io.MultiReader(bytes.NewReader(piece), iotest.ErrReader(errCut))), nil
	}
}

func contentOf(t *testing.T, s *spool) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(s.file, 0, s.size))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func spoolIn(t *testing.T, dir string) *spool {
	t.Helper()
	s, err := newSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestDownloadGoesOnAfterCutsAnywhere(t *testing.T) {
	file, dir := sampleOf(1, 0).file(), t.TempDir()
	for first := 1; first < len(file); first++ {
		s := spoolIn(t, dir)
		if err := s.fill(t.Context(), 1<<20, cutAfter(file, first, (len(file)-first)/2+1)); err != nil {
			t.Fatalf("cut after %d bytes: %v", first, err)
		}
		if got := contentOf(t, s); got != string(file) {
			t.Fatalf("cut after %d bytes: got %q", first, got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDownloadThatBringsNothingEndsAndIsTakenUpLater(t *testing.T) {
	file := sampleOf(3).file()
	s := spoolIn(t, t.TempDir())
	serve := cutAfter(file, 10, 0)
	if err := s.fill(t.Context(), 1<<20, serve); !errors.Is(err, errCut) {
		t.Fatalf("got %v, want the cut", err)
	}
	if s.size != 10 {
		t.Fatalf("kept %d bytes, want 10", s.size)
	}
	if err := s.fill(t.Context(), 1<<20, serve); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, s); got != string(file) {
		t.Fatalf("got %q", got)
	}
}

func TestResultLargerThanAllowedIsRefused(t *testing.T) {
	file := []byte(strings.Repeat("x", 100))
	for limit, tooLarge := range map[int64]bool{99: true, 100: false} {
		s := spoolIn(t, t.TempDir())
		err := s.fill(t.Context(), limit, cutAfter(file, 60))
		if errors.Is(err, errTooLarge) != tooLarge {
			t.Errorf("limit %d: got %v", limit, err)
		}
	}
}

func TestSpoolLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	s := spoolIn(t, dir)
	if err := s.fill(t.Context(), 1<<20, cutAfter(sampleOf(3).file())); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
}

func TestSpoolIsForItsOwnerOnly(t *testing.T) {
	s := spoolIn(t, t.TempDir())
	info, err := s.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v", info.Mode())
	}
}

func TestSpoolThatCannotBeWrittenIsNoReasonToAskAgain(t *testing.T) {
	s := spoolIn(t, t.TempDir())
	if err := s.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.fill(t.Context(), 1<<20, cutAfter([]byte("x"))); !errors.As(err, new(spoilt)) {
		t.Fatalf("got %v", err)
	}
}
