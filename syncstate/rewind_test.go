package syncstate

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// Whatever runs, crashes and restores happen, a key that is known was applied
// with that digest by the last commit of the books that touched its record:
// skipping it is right.
func TestAKnownKeyIsWhatTheBooksHold(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		f, err := os.CreateTemp(dir, "*.bolt")
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		defer os.Remove(f.Name())
		s, err := Open(f.Name(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()

		// The books: for each commit the records that it wrote.
		type commit map[string]string
		var books []commit
		held := func() commit {
			now := commit{}
			for _, c := range books {
				for id, d := range c {
					now[id] = d
				}
			}
			return now
		}
		at := func(n int) Mark { return mark(int64(n), strconv.Itoa(n)) }
		id := rapid.SampledFrom([]string{"1", "2", "10", "x"})
		content := rapid.SampledFrom([]string{"", digest("a"), digest("b")})
		page := rapid.MapOfN(id, content, 1, 3)
		var older []byte // a copy of the file from some time before

		t.Repeat(map[string]func(*rapid.T){
			"sync": func(t *rapid.T) {
				books = append(books, page.Draw(t, "page"))
				commitTo(t, s, books[len(books)-1], at(len(books)))
			},
			"crash before advance": func(t *rapid.T) {
				books = append(books, page.Draw(t, "page"))
				align(t, s, at(len(books)))
			},
			"restore the books": func(t *rapid.T) {
				books = slices.Clone(books[:rapid.IntRange(0, len(books)).Draw(t, "fence")])
				older = nil // it is of a history that is no more, see the package comment
				align(t, s, at(len(books)))
			},
			"copy the file": func(t *rapid.T) {
				older, err = os.ReadFile(f.Name())
				if err != nil {
					t.Fatal(err)
				}
			},
			"restore the file": func(t *rapid.T) {
				if older == nil {
					t.Skip("no copy")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(f.Name(), older, 0o600); err != nil {
					t.Fatal(err)
				}
				if s, err = Open(f.Name(), Options{}); err != nil {
					t.Fatal(err)
				}
				align(t, s, at(len(books)))
			},
			"": func(t *rapid.T) {
				now := held()
				for _, id := range []string{"1", "2", "10", "x"} {
					for _, d := range []string{"", digest("a"), digest("b")} {
						known, err := s.Known(orders, []Key{{id, d}})
						if err != nil {
							t.Fatal(err)
						}
						if got, has := now[id]; known[0] && (!has || got != d) {
							t.Fatalf("record %s: %q is known, the books hold %q", id, d, got)
						}
					}
				}
			},
		})
	})
}

// TestRewindKeepsWhatWasRememberedBefore is the other half: going back forgets
// no more than it must.
func TestRewindKeepsWhatWasRememberedBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	rapid.Check(t, func(t *rapid.T) {
		_ = os.Remove(path)
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		n := rapid.IntRange(1, 8).Draw(t, "commits")
		last := map[int]int{} // record: commit that wrote it last
		from := Mark{}
		for c := 1; c <= n; c++ {
			ids := rapid.SliceOfNDistinct(rapid.IntRange(0, 20), 0, 6, rapid.ID).Draw(t, "ids")
			var keys []Key
			for _, id := range ids {
				keys = append(keys, Key{strconv.Itoa(id), digest("x")})
				last[id] = c
			}
			to := mark(int64(c), "c")
			if err := s.Advance(context.Background(), orders, from, to, keys); err != nil {
				t.Fatal(err)
			}
			from = to
		}
		back := rapid.IntRange(1, n).Draw(t, "back to")
		if err := s.Rewind(orders, mark(int64(back), "c")); err != nil {
			t.Fatal(err)
		}
		for id := range 21 {
			known, err := s.Known(orders, []Key{{strconv.Itoa(id), digest("x")}})
			if err != nil {
				t.Fatal(err)
			}
			c, written := last[id]
			if want := written && c <= back; known[0] != want {
				t.Fatalf("record %d of commit %d: known %v after rewinding to %d", id, c, known[0], back)
			}
		}
	})
}

func commitTo(t *rapid.T, s *Bolt, page map[string]string, to Mark) {
	from, err := s.Mark(orders)
	if err != nil {
		t.Fatal(err)
	}
	var keys []Key
	for id, d := range page {
		keys = append(keys, Key{id, d})
	}
	if err := s.Advance(context.Background(), orders, from, to, keys); err != nil {
		t.Fatal(err)
	}
}

// align does what the engine does when it starts.
func align(t *rapid.T, s *Bolt, fence Mark) {
	m, err := s.Mark(orders)
	if err != nil {
		t.Fatal(err)
	}
	if m.equal(fence) {
		return
	}
	if err := s.Rewind(orders, fence); err != nil {
		t.Fatal(err)
	}
}
