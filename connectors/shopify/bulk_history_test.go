package shopify

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"pgregory.net/rapid"
)

// Whatever fails, whenever the process dies, and however often a page is asked
// for again: in the end each order has come from a whole result, or all of
// them are read by pages from the beginning.
func TestNoHistoryOfFailuresLosesOrders(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		s := newBulkShop(rapid.SliceOfN(rapid.IntRange(0, 4), 0, 9).Draw(rt, "items")...)
		s.lines = rapid.Permutation(s.lines).Draw(rt, "lines")
		s.updated = map[string]string{} // the shop still has all of them, as they were
		for id := range s.orders {
			s.updated[id] = ""
		}
		s.taken = rapid.IntRange(0, 3).Draw(rt, "taken")
		s.cutAt = rapid.SliceOfN(rapid.IntRange(0, 300), 0, 6).Draw(rt, "cuts")
		answers := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, cutOff, http.StatusBadGateway, http.StatusTooManyRequests}), 0, 30).Draw(rt, "answers")
		s.instead = func(string) (*http.Response, error) {
			now := next(&answers)
			switch now {
			case 0:
				return nil, nil
			case cutOff:
				return nil, errCut
			default:
				return answered(now, "<html>busy</html>"), nil
			}
		}
		ends := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "FAILED", "CANCELED", "EXPIRED"}), 0, 4).Draw(rt, "ends")
		s.say = func(op *bulkOp) map[string]any {
			if n := slices.Index(s.ops, op); op.looked > 1 && n < len(ends) && ends[n] != "" {
				return map[string]any{"status": ends[n]}
			}
			return nil
		}
		mishaps := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, dies, losesCursor}), 0, 40).Draw(rt, "mishaps")
		synctest.Test(t, func(t *testing.T) {
			came, end := readWithMishaps(t, s, dir, mishaps)
			if end.Since > 0 && came != len(s.orders) {
				t.Errorf("%d of %d orders have come, and the window of changes begins", came, len(s.orders))
			}
		})
		if t.Failed() {
			rt.Fatal("as told")
		}
	})
}

// cutOff is an answer that never comes.
const cutOff = 1

// What may happen to the process between two pages.
const (
	dies        = 1
	losesCursor = 2
)

// next takes the first of a list; nothing where it is empty.
func next(list *[]int) int {
	if len(*list) == 0 {
		return 0
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

// readWithMishaps reads all orders by bulk operations, and tells how many have
// come and what is read then.
func readWithMishaps(t *testing.T, s *bulkShop, dir string, mishaps []int) (came int, end cursor) {
	t.Helper()
	var cur connectors.Cursor
	ids := map[string]bool{}
	c := s.connector(t, dir)
	for c.byBulk(cur) {
		mishap := next(&mishaps)
		if mishap == dies {
			c = s.connector(t, dir)
		}
		page, err := c.Pull(t.Context(), intake.Orders, cur)
		if err != nil {
			continue
		}
		for _, rec := range page.Records {
			ids[rec.Ref.ID] = true
		}
		if mishap != losesCursor {
			cur = page.Next
		}
	}
	return len(ids), c.readCursor(intake.Orders, cur)
}
