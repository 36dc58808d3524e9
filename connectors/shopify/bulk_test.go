package shopify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
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

func TestOperationThatEndsWithoutResultIsBegunAnewAndThenGivenUp(t *testing.T) {
	ended := func(status, code string) func(*bulkOp) map[string]any {
		return func(op *bulkOp) map[string]any {
			if op.looked == 0 {
				return nil
			}
			return map[string]any{"status": status, "errorCode": code, "partialDataUrl": "https://files.example.com/partial"}
		}
	}
	onceDone := func(more map[string]any) func(*bulkOp) map[string]any {
		return func(op *bulkOp) map[string]any {
			if op.looked <= 2 {
				return nil
			}
			return more
		}
	}
	cases := []struct {
		name string
		say  func(*bulkOp) map[string]any
		runs int // operations that are begun before it is given up
	}{
		{"failed inside the shop", ended("FAILED", "INTERNAL_SERVER_ERROR"), 3},
		{"failed for its time", ended("FAILED", "TIMEOUT"), 3},
		{"failed for an unknown reason", ended("FAILED", "OUT_OF_INK"), 3},
		{"failed for a missing right", ended("FAILED", "ACCESS_DENIED"), 1},
		{"cancelled", ended("CANCELED", ""), 3},
		{"expired", ended("EXPIRED", ""), 3},
		{"gone", func(op *bulkOp) map[string]any {
			if op.looked == 0 {
				return nil
			}
			return map[string]any{"status": nil}
		}, 3},
		{"completed without a result", onceDone(map[string]any{"url": nil}), 3},
		{"more objects than lines", onceDone(map[string]any{"objectCount": "99"}), 3},
		{"fewer objects than lines", onceDone(map[string]any{"objectCount": "1"}), 3},
		{"more orders than there are", onceDone(map[string]any{"rootObjectCount": "99"}), 3},
		{"a result of another size", onceDone(map[string]any{"fileSize": "3"}), 3},
		{"a result that is too large", onceDone(map[string]any{"fileSize": fmt.Sprint(17 << 30)}), 1},
		{"counts that are no numbers", onceDone(map[string]any{"objectCount": "many"}), 1},
		{"no date", func(*bulkOp) map[string]any { return map[string]any{"createdAt": nil} }, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBulkShop(2, 2, 2)
				s.say = c.say
				r := readFirst(t, s.connector(t, t.TempDir()), nil)
				r.pagedInstead(t)
				if len(r.ids) > 0 {
					t.Errorf("took the orders %v", r.ids)
				}
				if n := s.count(askRun); n != c.runs {
					t.Errorf("%d operations were begun, want %d", n, c.runs)
				}
			})
		})
	}
}

func TestSecondOperationHelpsAfterAFailedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(2, 2, 2)
		s.say = func(op *bulkOp) map[string]any {
			if op.id != "gid://shopify/BulkOperation/500" || op.looked == 0 {
				return nil
			}
			return map[string]any{"status": "FAILED", "errorCode": "TIMEOUT"}
		}
		readFirst(t, s.connector(t, t.TempDir()), nil).whole(t, s)
	})
}

func TestUnknownStatusIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(2)
		s.looks = 20
		s.say = func(op *bulkOp) map[string]any {
			if op.looked > s.looks {
				return nil
			}
			return map[string]any{"status": "PONDERING"}
		}
		readFirst(t, s.connector(t, t.TempDir()), nil).whole(t, s)
	})
}

func TestLongOperationIsWaitedForWhileItMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := newBulkShop(2)
		s.looks = 1_000
		readFirst(t, s.connector(t, t.TempDir()), nil).whole(t, s)
		if took := time.Since(begun); took < 2*time.Hour {
			t.Errorf("it took %v only", took)
		}
	})
}

func TestOperationThatStandsStillIsCancelledAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(2)
		s.say = func(*bulkOp) map[string]any { return map[string]any{"status": "RUNNING", "objectCount": "5"} }
		begun := time.Now()
		readFirst(t, s.connector(t, t.TempDir()), nil).pagedInstead(t)
		if took := time.Since(begun); took < 30*time.Minute || took > 3*time.Hour {
			t.Errorf("given up after %v", took)
		}
		if !s.ops[0].cancelled {
			t.Error("our operation still takes its place")
		}
	})
}

func TestPlaceIsWaitedForButNotForEver(t *testing.T) {
	for taken, helped := range map[int]bool{1: true, 10: true, 1000: false} {
		synctest.Test(t, func(t *testing.T) {
			s := newBulkShop(2)
			s.taken = taken
			r := readFirst(t, s.connector(t, t.TempDir()), nil)
			if helped {
				r.whole(t, s)
			} else {
				r.pagedInstead(t)
			}
			if n := s.count(askCancel); n > 0 {
				t.Errorf("%d operations were cancelled", n)
			}
		})
	}
}

func TestRefusedOperationIsGivenUpAtOnce(t *testing.T) {
	for name, broken := range map[string]func(*bulkShop){
		"an invalid query": func(s *bulkShop) { s.refuse = []userError{{Message: "too many connections", Code: "INVALID"}} },
		"an error beside the data": func(s *bulkShop) {
			s.instead = func(asked string) (*http.Response, error) {
				if asked != askRun {
					return nil, nil
				}
				return answered(http.StatusOK, `{"data":null,"errors":[{"message":"not for this app","extensions":{"code":"ACCESS_DENIED"}}]}`), nil
			}
		},
		"nothing said at all": func(s *bulkShop) {
			s.instead = func(asked string) (*http.Response, error) {
				if asked != askRun {
					return nil, nil
				}
				return data(map[string]any{"bulkOperationRunQuery": map[string]any{"userErrors": []any{}}}), nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBulkShop(2)
				broken(s)
				r := readFirst(t, s.connector(t, t.TempDir()), nil)
				r.pagedInstead(t)
				if len(r.cursors) > 1 {
					t.Errorf("it took %d pages to give up", len(r.cursors))
				}
			})
		})
	}
}

// A shop that answers all else, while operations cannot be begun or results
// not be brought: a firewall before the host of the files, say.
func TestPartThatKeepsFailingIsGivenUp(t *testing.T) {
	for _, part := range []string{askRun, askFile} {
		for failing, helped := range map[int]bool{3: true, 1000: false} {
			t.Run(fmt.Sprintf("%s fails %d times", part, failing), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newBulkShop(2, 3)
					left := failing
					s.instead = func(asked string) (*http.Response, error) {
						if left--; asked != part || left < 0 {
							return nil, nil
						}
						return nil, errCut
					}
					r := readFirst(t, s.connector(t, t.TempDir()), nil)
					if helped {
						r.whole(t, s)
					} else {
						r.pagedInstead(t)
					}
				})
			})
		}
	}
}

// The answer of a host of files says nothing of the shop, which would be left
// alone if it were taken for its own.
func TestRefusedResultIsNoReasonToLeaveTheShopAlone(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusGone} {
		synctest.Test(t, func(t *testing.T) {
			s := newBulkShop(2, 3)
			s.instead = func(asked string) (*http.Response, error) {
				if asked != askFile {
					return nil, nil
				}
				return answered(status, "<html>no</html>"), nil
			}
			c := s.connector(t, t.TempDir())
			var cur connectors.Cursor
			for c.byBulk(cur) {
				page, err := c.Pull(t.Context(), intake.Orders, cur)
				if err != nil {
					t.Fatal(err)
				}
				cur = page.Next
			}
			if n := s.count(askRun); n != maxRuns {
				t.Errorf("%d: %d operations were begun, want %d", status, n, maxRuns)
			}
		})
	}
}

// What a result cannot hold of an order is asked for later, when the order may
// have changed or be gone. Such an order is in the window of changes.
func TestOrderThatHasChangedSinceIsLeftToTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBulkShop(0, 0, 0)
		refund := `"refunds":[{"id":"gid://shopify/Refund/1"}],`
		then, now := "2026-11-01T00:00:00Z", "2026-11-20T09:00:00Z"
		for i, line := range s.lines {
			if !strings.Contains(line, "__parentId") {
				s.lines[i] = strings.Replace(line, `"name"`, refund+`"updatedAt":"`+then+`","name"`, 1)
				refund = ""
			}
		}
		// 1000 has a refund and is gone, 1001 was changed, 1002 is as it was.
		s.updated = map[string]string{"gid://shopify/Order/1001": now, "gid://shopify/Order/1002": then}
		r := readFirst(t, s.connector(t, t.TempDir()), nil)
		if want := []string{"1002"}; !slices.Equal(r.ids, want) {
			t.Errorf("read %v, want %v", r.ids, want)
		}
		if r.end.Since == 0 || r.end.Since > s.begun.Unix() {
			t.Errorf("the window begins at %d, too late for what was left out", r.end.Since)
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
