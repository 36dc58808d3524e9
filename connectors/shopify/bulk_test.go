package shopify

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// reading is a first reading of all orders.
type firstReading struct {
	ids     []string
	cursors []connectors.Cursor // that pages were asked for with
	end     cursor              // the first that is not of a bulk operation
}

// readFirst reads from a cursor on, for as long as orders come out of a bulk
// operation. Failures are met as the engine meets them: by trying again.
func readFirst(t *testing.T, c *Connector, from connectors.Cursor) firstReading {
	t.Helper()
	var r firstReading
	failures := 0
	for c.byBulk(from) {
		r.cursors = append(r.cursors, from)
		page, err := c.Pull(t.Context(), intake.Orders, from)
		if err != nil {
			if failures++; failures > 20 {
				t.Fatalf("after %d failures: %v", failures, err)
			}
			time.Sleep(time.Second)
			continue
		}
		if slices.Equal(page.Next, from) || !page.More {
			t.Fatalf("the reading stands still at %s", from)
		}
		for _, rec := range page.Records {
			r.ids = append(r.ids, rec.Ref.ID)
		}
		from = page.Next
	}
	r.end = c.readCursor(intake.Orders, from)
	return r
}

// whole checks that all orders have come, each once, and that the first window
// of changes begins before the operation.
func (r firstReading) whole(t *testing.T, s *bulkShop) {
	t.Helper()
	var want []string
	for id := range s.orders {
		want = append(want, scalar{text: id}.ref())
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(r.ids))
	if !slices.Equal(got, want) {
		t.Errorf("read the orders %v, want %v", got, want)
	}
	since := s.begun.Add(-clockMargin - NewConfig().Overlap).Unix()
	if r.end.Since != since || r.end.After != 0 || r.end.Until != 0 {
		t.Errorf("the first window is %+v, want it from %d on", r.end, since)
	}
}

// pagedInstead checks that all orders will be read page by page.
func (r firstReading) pagedInstead(t *testing.T) {
	t.Helper()
	if r.end.Since != 0 || r.end.Until != 0 || r.end.After != 0 || r.end.Phase != "" {
		t.Errorf("goes on with %+v, want the beginning", r.end)
	}
}

func shuffled(s *bulkShop) *bulkShop {
	rand.New(rand.NewPCG(4, 2)).Shuffle(len(s.lines), func(i, j int) { s.lines[i], s.lines[j] = s.lines[j], s.lines[i] })
	return s
}

func TestFirstOrdersComeOutOfOneBulkOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := shuffled(newBulkShop(3, 0, 1, 5, 2, 2, 4, 0, 1))
		r := readFirst(t, s.connector(t, dir), nil)
		r.whole(t, s)
		if n := s.count(askRun); n != 1 {
			t.Errorf("%d operations were begun", n)
		}
		if n := s.count(askFile); n != 1 {
			t.Errorf("the result was asked for %d times", n)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func TestShopWithoutOrdersIsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop()
		r := readFirst(t, s.connector(t, t.TempDir()), nil)
		r.whole(t, s)
		if n := s.count(askFile); n != 0 {
			t.Errorf("a result that is not there was asked for %d times", n)
		}
	})
}

func TestEachPageOfABulkOperationCanBeReadAgainElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shuffled(newBulkShop(3, 0, 1, 5, 2, 2, 4, 0, 1))
		c, other := s.connector(t, t.TempDir()), s.connector(t, t.TempDir())
		for _, cur := range readFirst(t, c, nil).cursors {
			var said []string
			for _, c := range []*Connector{c, other, c} {
				page, err := c.Pull(t.Context(), intake.Orders, cur)
				if err != nil {
					t.Fatal(err)
				}
				var ids []string
				for _, rec := range page.Records {
					ids = append(ids, rec.Ref.ID+"@"+rec.Digest)
				}
				said = append(said, strings.Join(ids, " "))
			}
			if said[0] != said[1] || said[0] != said[2] {
				t.Fatalf("%s brings %q", cur, said)
			}
		}
	})
}

func TestReadingGoesOnInAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shuffled(newBulkShop(3, 0, 1, 5, 2, 2, 4, 0, 1))
		cursors := readFirst(t, s.connector(t, t.TempDir()), nil).cursors
		for n := range cursors[1:] {
			r := readFirst(t, s.connector(t, t.TempDir()), cursors[n+1])
			if r.end.Since == 0 {
				t.Errorf("after %d pages: %+v", n+1, r.end)
			}
		}
		if n := s.count(askRun); n != 1 {
			t.Errorf("%d operations were begun", n)
		}
	})
}

// The process may die after the shop has begun an operation and before its
// cursor is kept.
func TestOperationThatIsUnderWayIsTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(1, 2)
		if _, err := s.connector(t, t.TempDir()).Pull(t.Context(), intake.Orders, nil); err != nil {
			t.Fatal(err)
		}
		readFirst(t, s.connector(t, t.TempDir()), nil).whole(t, s)
		if n := s.count(askRun); n != 1 {
			t.Errorf("%d operations were begun", n)
		}
	})
}

func TestOperationOfOthersIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(1, 2)
		s.ops = []*bulkOp{{id: "gid://shopify/BulkOperation/7", query: "{ products { edges { node { id } } } }", looked: 1}}
		readFirst(t, s.connector(t, t.TempDir()), nil).whole(t, s)
		if s.ops[0].cancelled || s.ops[0].looked > 1 {
			t.Errorf("the operation of others was touched: %+v", s.ops[0])
		}
	})
}

func TestCutResultIsBroughtFromWhereItBroke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shuffled(newBulkShop(3, 0, 1, 5, 2, 2, 4, 0, 1))
		s.cutAt = []int{100, 0, 1, 500}
		readFirst(t, s.connector(t, t.TempDir()), nil).whole(t, s)
		if size := int64(len(s.file())); s.served != size {
			t.Errorf("%d bytes were sent of a result of %d", s.served, size)
		}
	})
}

func TestResultGoesWithTheRunThatReadIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(1, 1, 1, 1, 1, 1, 1, 1, 1)
		c := s.connector(t, t.TempDir())
		cursors := readFirst(t, c, nil).cursors
		middle := cursors[len(cursors)-2]
		run, end := context.WithCancel(t.Context())
		if _, err := c.Pull(run, intake.Orders, middle); err != nil {
			t.Fatal(err)
		}
		if c.result.spool == nil {
			t.Fatal("there is no result to let go of")
		}
		end()
		synctest.Wait()
		if c.result.spool != nil {
			t.Error("the run has ended and its result is still held")
		}
	})
}

func TestEndedContextEndsTheWait(t *testing.T) {
	for name, prepare := range map[string]func(s *bulkShop) int{
		"for a place":    func(s *bulkShop) int { s.taken = 1000; return 1 },
		"for the result": func(s *bulkShop) int { s.looks = 1000; return 1 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBulkShop(2)
				pages := prepare(s)
				c := s.connector(t, t.TempDir())
				var cur connectors.Cursor
				for range pages {
					page, err := c.Pull(t.Context(), intake.Orders, cur)
					if err != nil {
						t.Fatal(err)
					}
					cur = page.Next
				}
				ctx, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer end()
				if _, err := c.Pull(ctx, intake.Orders, cur); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestSeveralMayReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shuffled(newBulkShop(3, 0, 1, 5, 2, 2, 4, 0, 1))
		c := s.connector(t, t.TempDir())
		cursors := readFirst(t, c, nil).cursors
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				r := readFirst(t, c, cursors[1])
				if len(r.ids) != len(s.orders) {
					t.Errorf("read %d orders, want %d", len(r.ids), len(s.orders))
				}
			})
		}
		wg.Wait()
	})
}

func TestWithoutRoomOnDiskOrdersAreReadByPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(2)
		readFirst(t, s.connector(t, t.TempDir()+"/not there"), nil).pagedInstead(t)
	})
}

func TestOperationOfAnotherVersionIsBegunAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(1, 2)
		c := s.connector(t, t.TempDir())
		cursors := readFirst(t, c, nil).cursors
		at, _ := readBulkCursor(cursors[len(cursors)-1])
		at.Query = "older"
		readFirst(t, c, at.bytes()).whole(t, s)
		if n := s.count(askRun); n != 2 {
			t.Errorf("%d operations were begun, want 2", n)
		}
	})
}

func TestConfigurationMayForbidBulkOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(1, 1, 1, 1, 1, 1, 1)
		c := s.connector(t, t.TempDir())
		cursors := readFirst(t, c, nil).cursors
		c.cfg.Bulk = BulkNever
		if c.byBulk(nil) {
			t.Error("the first orders are read in bulk all the same")
		}
		readFirst(t, c, cursors[len(cursors)-1]).pagedInstead(t)
	})
}
