package shopify

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

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
		c := s.connector(t, t.TempDir())
		c.cfg.PageSize = 3 // all of them
		r := readFirst(t, c, nil)
		if want := []string{"1002"}; !slices.Equal(r.ids, want) {
			t.Errorf("read %v, want %v", r.ids, want)
		}
		if r.end.Since == 0 || r.end.Since > s.begun.Unix() {
			t.Errorf("the window begins at %d, too late for what was left out", r.end.Since)
		}
	})
}
