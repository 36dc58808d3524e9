package woocommerce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// numbered fills a list with orders 1 to n, one a minute.
func numbered(s *replayed, n int) {
	s.lists["orders"] = nil
	for id := 1; id <= n; id++ {
		s.lists["orders"] = append(s.lists["orders"], numberedOrder(id, testNow.Add(-time.Duration(n-id+60)*time.Minute)))
	}
}

func numberedOrder(id int, modified time.Time) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":%d,"status":"processing","currency":"EUR","total":"1.00","date_modified_gmt":%q}`, id, modified.Format(windowForm)))
}

// The anchor costs one row a page, and finding the newest change one request:
// less than a twentieth of the pages in all.
func TestAnchorsCostLittle(t *testing.T) {
	s := newReplayed(t)
	numbered(s, 2000)
	c := s.start()
	records, _ := pullAll(t, c, intake.Orders)
	if len(records) != 2000 {
		t.Fatalf("%d orders", len(records))
	}
	if n := len(s.requests()); n > 22 {
		t.Errorf("%d requests for 20 full pages", n)
	}
}

func TestIncrementalPullAsksForTheWindowAlone(t *testing.T) {
	s := newReplayed(t)
	numbered(s, 50)
	c := s.start()
	_, cur := pullAll(t, c, intake.Orders)
	s.lists["orders"][9] = numberedOrder(10, testNow.Add(-time.Hour+time.Second))
	before := len(s.requests())
	records, next := pullOn(t, c, intake.Orders, cur)
	if len(records) > 3 || records["10"].Gone() {
		t.Errorf("brought %d records", len(records))
	}
	asked := s.requests()[before:]
	if len(asked) != 1 {
		t.Errorf("%d requests for one page: %q", len(asked), asked)
	}
	// The newest change, an overlap of a minute and one second: naive UTC.
	if want := "modified_after=2026-11-23T10%3A58%3A59"; !strings.Contains(asked[0], want) || !strings.Contains(asked[0], "dates_are_gmt=true") {
		t.Errorf("asked %s, want %s", asked[0], want)
	}
	if cur := readCursor(next); cur.Since != testNow.Add(-time.Hour+time.Second-time.Minute).Unix() {
		t.Errorf("the next window starts at %v", instantOf(cur.Since))
	}
}

// A date that has not come yet, in the row or on the shop's clock, does not
// carry the window over changes to come.
func TestWindowStaysBehindTheClocks(t *testing.T) {
	s := newReplayed(t)
	numbered(s, 5)
	s.lists["orders"] = append(s.lists["orders"], numberedOrder(6, testNow.AddDate(1, 0, 0)))
	_, next := pullAll(t, s.start(), intake.Orders)
	if at := instantOf(readCursor(next).Since); at.After(testNow.Add(-time.Minute)) {
		t.Errorf("the next window starts at %v, now is %v", at, testNow)
	}
}

// Between two pages rows leave the list before the position, enter it, or the
// anchor itself goes.
func TestRowsThatMoveWhilePagingAreNotLost(t *testing.T) {
	for name, move := range map[string]func(s *replayed, page int){
		"rows already read leave": func(s *replayed, page int) {
			s.lists["orders"] = slices.DeleteFunc(s.lists["orders"], func(r json.RawMessage) bool { return headOf(r).id <= int64(100+3*page) })
		},
		"the anchor and those before it leave": func(s *replayed, page int) {
			s.lists["orders"] = slices.DeleteFunc(s.lists["orders"], func(r json.RawMessage) bool { return headOf(r).id <= int64(100+9*page+1) })
		},
		"rows enter before the position": func(s *replayed, page int) {
			// The ids run from 101 here, so that there is room before them.
			for n := range 5 {
				s.lists["orders"] = append(s.lists["orders"], numberedOrder(5*page+n, testNow))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newReplayed(t)
			numbered(s, 200)
			s.lists["orders"] = s.lists["orders"][100:]
			c := s.start(func(cfg *Config) { cfg.PageSize = 10 })
			found := map[int64]bool{}
			var cur connectors.Cursor
			for n := 1; ; n++ {
				page, err := c.Pull(t.Context(), intake.Orders, cur)
				if err != nil {
					t.Fatal(err)
				}
				for _, rec := range page.Records {
					id, _ := strconv.ParseInt(rec.Ref.ID, 10, 64)
					found[id] = true
				}
				if cur = page.Next; !page.More {
					break
				}
				move(s, n)
			}
			for id := int64(101); id <= 200; id++ {
				if !found[id] {
					t.Errorf("order %d is lost", id)
				}
			}
		})
	}
}

// A shop before 5.8 answers with everything: the window is applied here.
func TestShopThatIgnoresTheFilter(t *testing.T) {
	s := newReplayed(t)
	numbered(s, 30)
	s.before = func(_ string, _ http.ResponseWriter, r *http.Request) bool {
		q := r.URL.Query()
		q.Del("modified_after")
		r.URL.RawQuery = q.Encode()
		return false
	}
	c := s.start(func(cfg *Config) { cfg.PageSize = 10 })
	records, cur := pullAll(t, c, intake.Orders)
	if len(records) != 30 {
		t.Fatalf("%d orders", len(records))
	}
	for range 2 {
		s.lists["orders"][2] = numberedOrder(3, testNow.Add(-10*time.Second))
		records, cur = pullOn(t, c, intake.Orders, cur)
		if records["3"].Gone() || len(records) > 3 {
			t.Errorf("brought %d records", len(records))
		}
		if !readCursor(cur).Blind {
			t.Error("the cursor does not remember that the filter is ignored")
		}
	}
}

// 100 rows are too many for the server, 20 are not. After a while it is asked
// for more again.
func TestPageSizeAdapts(t *testing.T) {
	s := newReplayed(t)
	numbered(s, 1000)
	limit := 20
	s.before = func(route string, w http.ResponseWriter, r *http.Request) bool {
		n, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		if route != "orders" || n <= limit {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("<p>Allowed memory size of 134217728 bytes exhausted</p>"))
		return true
	}
	c := s.start()
	page, err := c.Pull(t.Context(), intake.Orders, nil)
	if err != nil || len(page.Records) != 20 {
		t.Fatalf("%d records, %v", len(page.Records), err)
	}
	limit = 100
	rest, _ := pullOn(t, c, intake.Orders, page.Next)
	if len(rest) != 980 {
		t.Errorf("%d of the other 980 orders", len(rest))
	}
	if got := c.sizes.now(intake.Orders); got != 100 {
		t.Errorf("page size is %d again, want 100", got)
	}
	limit = 0
	if _, err := c.Pull(t.Context(), intake.Orders, nil); connectors.ClassOf(err) != connectors.Transient {
		t.Errorf("a server that makes no page at all: %v", err)
	}
}

func TestSeekStartsAtTheInstant(t *testing.T) {
	c := newTestConnector(t)
	at := time.Date(2026, 3, 1, 10, 0, 0, 500, time.UTC)
	if got := readCursor(c.Seek(intake.Orders, at)); got.Since != at.Unix() {
		t.Errorf("orders are sought at %v", instantOf(got.Since))
	}
	if got := readCursor(c.Seek(intake.Customers, at)); got.Since != 0 {
		t.Errorf("customers cannot be asked for changes, and are sought at %v", instantOf(got.Since))
	}
}
