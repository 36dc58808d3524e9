package shopify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

// listShop is a shop of which the lists are plain rows. It answers by the name
// of the operation, and understands windows and ids in a search.
type listShop struct {
	mu     sync.Mutex
	now    time.Time
	rows   map[string][]listRow // by operation
	nodes  map[string]string    // answers to nodes(ids), by global id
	other  func(op string, vars map[string]any) (data string, ok bool)
	before func(op string) // called ahead of each answer

	asked    []string // operations and their searches
	noIDs    bool     // ids in a search are not understood
	noWindow bool     // dates in a search are not understood
	mostRows int      // of more than so many the shop makes no page
	choking  string   // the code of the error then
	denied   string   // the operation that this app may not ask for
	shuffled bool
	twice    bool
}

type listRow struct {
	id      uint64
	changed time.Time
	extra   string // further fields, as JSON without braces
}

var (
	operationName = regexp.MustCompile(`^\s*(?:query|mutation) (\w+)`)
	searchTerm    = regexp.MustCompile(`(\w+):(>=|<|>)'?([^' ]+)'?`)
)

func (s *listShop) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var ask struct {
		Query     string
		Variables map[string]any
	}
	if err := json.Unmarshal(body, &ask); err != nil {
		return nil, err
	}
	op := operationName.FindStringSubmatch(ask.Query)[1]
	if s.before != nil {
		s.before(op)
	}
	text := s.answer(op, ask.Variables)
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {s.now.Format(http.TimeFormat)}, "X-Shopify-Api-Version": {DefaultVersion}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}, nil
}

func (s *listShop) answer(op string, vars map[string]any) string {
	search, _ := vars["query"].(string)
	s.asked = append(s.asked, strings.TrimSpace(op+" "+search))
	if s.other != nil {
		if data, ok := s.other(op, vars); ok {
			return `{"data":` + data + `}`
		}
	}
	if ids, ok := vars["ids"].([]any); ok {
		var found []string
		for _, id := range ids {
			node := s.nodes[id.(string)]
			if node == "" {
				node = "null"
			}
			found = append(found, node)
		}
		return `{"data":{"nodes":[` + strings.Join(found, ",") + `]}}`
	}
	if op == s.denied {
		at := map[string]string{"destroyed": "events"}[op]
		return `{"data":null,"errors":[{"message":"Access denied","path":["` + cmp.Or(at, op) + `"],"extensions":{"code":"ACCESS_DENIED"}}]}`
	}
	first := int(vars["first"].(float64))
	if s.mostRows > 0 && first > s.mostRows {
		return `{"errors":[{"message":"too much","extensions":{"code":"` + s.choking + `"}}]}`
	}
	list := s.list(op, search, first)
	for _, l := range []struct{ op, path string }{
		{"destroyed", "events"}, {"variant", "productVariants"}, {"product", "products"}, {"collection", "collections"}, {"customer", "customers"}, {"location", "locations"},
	} {
		if strings.HasPrefix(op, l.op) {
			return `{"data":{"` + l.path + `":` + list + `}}`
		}
	}
	return `{"data":{"shopifyPaymentsAccount":{"` + map[string]string{"payouts": "payouts", "balance_transactions": "balanceTransactions"}[op] + `":` + list + `}}}`
}

func (s *listShop) list(op, search string, first int) string {
	rows := slices.Clone(s.rows[strings.Replace(op, "_ids", "s", 1)])
	slices.SortFunc(rows, func(a, b listRow) int { return int(a.id) - int(b.id) })
	for _, term := range searchTerm.FindAllStringSubmatch(search, -1) {
		rows = slices.DeleteFunc(rows, func(r listRow) bool { return !s.fits(r, term[1], term[2], term[3]) })
	}
	more := len(rows) > first
	rows = rows[:min(first, len(rows))]
	if s.twice && len(rows) > 0 {
		rows = append(rows, rows[0])
	}
	if s.shuffled {
		slices.Reverse(rows)
	}
	nodes := []string{}
	for _, r := range rows {
		node := `{"id":"gid://shopify/Thing/` + strconv.FormatUint(r.id, 10) + `","updatedAt":"` + r.changed.Format(time.RFC3339) + `"`
		if r.extra != "" {
			node += "," + r.extra
		}
		nodes = append(nodes, node+"}")
	}
	return fmt.Sprintf(`{"nodes":[%s],"pageInfo":{"hasNextPage":%v}}`, strings.Join(nodes, ","), more)
}

func (s *listShop) fits(r listRow, term, than, value string) bool {
	if term == "id" {
		n, err := strconv.ParseUint(value, 10, 64)
		return err == nil && (s.noIDs || r.id > n)
	}
	at, err := time.Parse(windowForm, value)
	if err != nil {
		panic("an instant that is not understood: " + value)
	}
	if s.noWindow {
		return true
	}
	return (than == ">=") == !r.changed.Before(at)
}

func (s *listShop) set(op string, id uint64, changed time.Time) {
	rows := s.rows[op]
	for i := range rows {
		if rows[i].id == id {
			rows[i].changed = changed
			return
		}
	}
	s.rows[op] = append(rows, listRow{id: id, changed: changed})
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newListShop() *listShop { return &listShop{now: noon, rows: map[string][]listRow{}} }

func connectTo(t *testing.T, shop *listShop, pageSize int) *Connector {
	t.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken, cfg.PageSize = "https://atelier.myshopify.com", "shpat_of_a_test", pageSize
	cfg.RetryWait = time.Microsecond
	c, err := New(connectors.Env{Shop: "atelier", Transport: shop, Now: func() time.Time { return shop.now }, Log: zerolog.Nop()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pullAll reads a run to its end and returns the ids, those that are gone with
// a minus, page by page, and the cursor of the next run.
func pullAll(t *testing.T, c *Connector, r intake.Resource, from connectors.Cursor) (pages []string, next connectors.Cursor) {
	t.Helper()
	for range 1000 {
		page, err := c.Pull(t.Context(), r, from)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Next) == 0 {
			t.Fatal("the cursor is empty")
		}
		var ids []string
		for _, rec := range page.Records {
			id := rec.Ref.ID
			if rec.Gone() {
				id = "-" + id
			}
			ids = append(ids, id)
		}
		pages = append(pages, strings.Join(ids, " "))
		from = page.Next
		if !page.More {
			return pages, from
		}
	}
	t.Fatal("no end")
	return nil, nil
}

func TestWindowIsReadInTheOrderOfIDs(t *testing.T) {
	shop := newListShop()
	for id := range uint64(7) {
		shop.set("customers", id+1, noon.Add(-time.Duration(id)*time.Hour))
	}
	pages, next := pullAll(t, connectTo(t, shop, 3), intake.Customers, nil)
	if got := strings.Join(pages, "/"); got != "1 2 3/4 5 6/7" {
		t.Errorf("the pages are %q", got)
	}
	shop.now = noon.Add(10 * time.Minute)
	shop.set("customers", 5, noon.Add(time.Minute))
	// The first was of the last moments: it comes again.
	if pages, _ = pullAll(t, connectTo(t, shop, 3), intake.Customers, next); strings.Join(pages, "/") != "1 5/" {
		t.Errorf("then the pages are %q", pages)
	}
}

func TestSearchNamesBothEndsOfTheWindowAndTheLastID(t *testing.T) {
	shop := newListShop()
	for id := range uint64(5) {
		shop.set("collections", id+1, noon.Add(-time.Hour))
	}
	c := connectTo(t, shop, 2)
	pullAll(t, c, intake.Categories, c.Seek(intake.Categories, noon.Add(-2*time.Hour)))
	want := []string{
		"collections updated_at:>='2026-11-23T10:00:00Z'",
		"collections updated_at:>='2026-11-23T10:00:00Z' updated_at:<'2026-11-23T11:59:30Z' id:>2",
		"collections updated_at:>='2026-11-23T10:00:00Z' updated_at:<'2026-11-23T11:59:30Z' id:>4",
		"destroyed action:destroy subject_type:COLLECTION created_at:>='2026-11-23T10:00:00Z' created_at:<'2026-11-23T11:59:30Z'",
	}
	if !slices.Equal(shop.asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(shop.asked, "\n"), strings.Join(want, "\n"))
	}
}

// Products that are no longer sold are found too: the documentation says that
// a search which names no status finds active ones.
func TestProductsOfEveryStatusAreSearchedFor(t *testing.T) {
	shop := newListShop()
	pullAll(t, connectTo(t, shop, 2), intake.Products, nil)
	if want := "products status:active,archived,draft,unlisted"; !slices.Equal(shop.asked, []string{want}) {
		t.Errorf("asked %q, want %q", shop.asked, want)
	}
}

func TestChangesDuringARunComeWithTheNext(t *testing.T) {
	shop := newListShop()
	for id := range uint64(6) {
		shop.set("collections", id+1, noon.Add(-time.Hour))
	}
	requests := 0
	shop.before = func(string) {
		if requests++; requests == 2 { // after the first page
			shop.now = shop.now.Add(time.Hour)
			shop.set("collections", 1, shop.now) // was read
			shop.set("collections", 5, shop.now) // is still to come
			shop.set("collections", 9, shop.now) // is new
		}
	}
	pages, next := pullAll(t, connectTo(t, shop, 2), intake.Categories, nil)
	if got := strings.Join(pages, "/"); got != "1 2/3 4/6" {
		t.Errorf("the pages are %q", got)
	}
	shop.now = shop.now.Add(time.Minute)
	if pages, _ = pullAll(t, connectTo(t, shop, 5), intake.Categories, next); strings.Join(pages, "/") != "1 5 9/" {
		t.Errorf("then the pages are %q", pages)
	}
}

// The window ends at the earlier of the two clocks: one that runs ahead for a
// while must not carry it past changes that are still to be made.
func TestNeitherClockAheadSkipsChanges(t *testing.T) {
	for name, ours := range map[string]time.Duration{"ours ahead": time.Hour, "ours behind": -time.Hour, "equal": 0} {
		shop := newListShop()
		c := connectTo(t, shop, 10)
		c.env.Now = func() time.Time { return shop.now.Add(ours) }
		_, next := pullAll(t, c, intake.Categories, nil)
		earlier := noon
		if ours < 0 {
			earlier = noon.Add(ours)
		}
		if got, want := c.readCursor(intake.Categories, next).Since, earlier.Add(-clockMargin-c.cfg.Overlap).Unix(); got != want {
			t.Errorf("%s: the next window starts at %v, want %v", name, instantOf(got), instantOf(want))
		}
	}
}

func TestShopThatIgnoresTheWindowCostsTimeAndNothingElse(t *testing.T) {
	shop := newListShop()
	shop.noWindow = true
	for id := range uint64(5) {
		shop.set("collections", id+1, noon.Add(-time.Duration(id)*24*time.Hour))
	}
	c := connectTo(t, shop, 2)
	pages, _ := pullAll(t, c, intake.Categories, c.Seek(intake.Categories, noon.Add(-26*time.Hour)))
	if got := strings.Join(pages, "/"); got != "1 2///" {
		t.Errorf("the pages are %q", got)
	}
}

func TestShopThatIgnoresTheIDIsAnError(t *testing.T) {
	shop := newListShop()
	shop.noIDs = true
	for id := range uint64(5) {
		shop.set("collections", id+1, noon.Add(-time.Hour))
	}
	c := connectTo(t, shop, 2)
	page, err := c.Pull(t.Context(), intake.Categories, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Pull(t.Context(), intake.Categories, page.Next); !errors.Is(err, errNoAdvance) {
		t.Errorf("the second page: %v", err)
	}
}

func TestRowsThatComeTwiceOrShuffledAreStatedOnce(t *testing.T) {
	shop := newListShop()
	shop.twice, shop.shuffled = true, true
	for id := range uint64(5) {
		shop.set("collections", id+1, noon.Add(-time.Hour))
	}
	if pages, _ := pullAll(t, connectTo(t, shop, 2), intake.Categories, nil); strings.Join(pages, "/") != "1 2/3 4/5" {
		t.Errorf("the pages are %q", pages)
	}
}

func TestPageThatTheShopCannotMakeIsAskedForInHalves(t *testing.T) {
	for _, code := range []string{"MAX_COST_EXCEEDED", "INTERNAL_SERVER_ERROR", "TIMEOUT"} {
		shop := newListShop()
		shop.mostRows, shop.choking = 6, code
		for id := range uint64(100) {
			shop.set("collections", id+1, noon.Add(-time.Hour))
		}
		c := connectTo(t, shop, defaultPageSize)
		pages, _ := pullAll(t, c, intake.Categories, nil)
		if len(pages) < 100/6 || len(strings.Fields(strings.Join(pages, " "))) != 100 {
			t.Errorf("%s: %d pages: %q", code, len(pages), pages)
		}
	}
}

func TestDeletionsAreToldAtTheEndOfTheWindow(t *testing.T) {
	shop := newListShop()
	event := func(id uint64, at time.Time, action, kind string, subject int) {
		shop.rows["destroyed"] = append(shop.rows["destroyed"], listRow{id: id, changed: at, extra: fmt.Sprintf(
			`"action":%q,"createdAt":%q,"subjectType":%q,"subjectId":"gid://shopify/Collection/%d"`, action, at.Format(time.RFC3339), kind, subject)})
	}
	event(1, noon.Add(-3*time.Hour), "destroy", "COLLECTION", 91) // before the window
	event(2, noon.Add(-time.Hour), "destroy", "COLLECTION", 92)
	event(3, noon.Add(-time.Hour), "update", "COLLECTION", 93)
	event(4, noon.Add(-time.Hour), "destroy", "PRODUCT", 94)
	event(5, noon.Add(-time.Minute), "destroy", "COLLECTION", 95)
	event(6, noon, "destroy", "COLLECTION", 96) // after it
	shop.set("collections", 1, noon.Add(-time.Hour))
	for _, ignored := range []bool{false, true} {
		shop.noWindow = ignored
		c := connectTo(t, shop, 2)
		pages, _ := pullAll(t, c, intake.Categories, c.Seek(intake.Categories, noon.Add(-2*time.Hour)))
		want := []string{"1", "-92", "-95"}
		if ignored {
			want = append(want, "-96") // gone is gone, and told again in the next window
		}
		if got := strings.Fields(strings.Join(pages, " ")); !slices.Equal(got, want) {
			t.Errorf("told %q (filters ignored: %v)", got, ignored)
		}
	}
	// Who reads everything does not need to be told what is not there.
	if pages, _ := pullAll(t, connectTo(t, shop, 2), intake.Categories, nil); strings.Join(pages, " ") != "1" {
		t.Errorf("the first run tells %q", pages)
	}
}

// Sweeps find what was deleted, so a shop that does not show its events is read
// on.
func TestDeniedEventsDoNotStopTheWindow(t *testing.T) {
	shop := newListShop()
	shop.set("collections", 1, noon.Add(-time.Hour))
	shop.denied = "destroyed"
	c := connectTo(t, shop, 2)
	pages, next := pullAll(t, c, intake.Categories, c.Seek(intake.Categories, noon.Add(-2*time.Hour)))
	if got := strings.Join(pages, "/"); got != "1/" || c.readCursor(intake.Categories, next).Phase != "" {
		t.Errorf("the pages are %q, then %s", got, next)
	}
	shop.denied = "collections"
	if _, err := c.Pull(t.Context(), intake.Categories, next); connectors.ClassOf(err) != connectors.Denied || err == nil {
		t.Errorf("denied collections: %v", err)
	}
}

// A smart collection takes products in and lets them go, and their dates stay.
func TestProductsAreReadWholeOnceADay(t *testing.T) {
	shop := newListShop()
	for id := range uint64(4) {
		shop.set("products", id+1, noon.Add(-time.Hour))
	}
	_, next := pullAll(t, connectTo(t, shop, 3), intake.Products, nil)
	shop.rows["destroyed"] = []listRow{{id: 1, changed: noon.Add(20 * time.Hour),
		extra: `"action":"destroy","createdAt":"2026-11-24T08:00:00Z","subjectType":"PRODUCT","subjectId":"gid://shopify/Product/9"`}}
	var got []string
	for range 5 {
		shop.now = shop.now.Add(10 * time.Hour)
		var pages []string
		pages, next = pullAll(t, connectTo(t, shop, 3), intake.Products, next)
		got = append(got, strings.Join(pages, "/"))
	}
	if want := []string{"/", "/", "/-9/1 2 3/4", "/", "/"}; !slices.Equal(got, want) {
		t.Errorf("every ten hours are read %q, want %q", got, want)
	}
}

func TestSpoiltCursorIsTheBeginning(t *testing.T) {
	shop := newListShop()
	shop.set("collections", 1, noon.Add(-time.Hour))
	for _, spoilt := range []string{"\x00\xff", "{", "{}", "null", "[]", `"x"`, "0", " ", `{"v":2,"since":1795435200}`,
		`{"v":1,"since":-1}`, `{"v":1,"phase":"gone"}`, `{"v":1,"phase":"elsewhere","since":1,"until":2}`, `{"v":1,"phase":"bulk"}`} {
		if pages, _ := pullAll(t, connectTo(t, shop, 2), intake.Categories, connectors.Cursor(spoilt)); strings.Join(pages, "/") != "1" {
			t.Errorf("%q: the pages are %q", spoilt, pages)
		}
	}
}

func TestListNamesEveryID(t *testing.T) {
	shop := newListShop()
	for id := range uint64(6) {
		shop.set("products", id+1, noon)
	}
	var ids []string
	err := connectTo(t, shop, 4).List(t.Context(), intake.Products, func(refs []intake.Ref) error {
		for _, ref := range refs {
			ids = append(ids, string(ref.Kind)+" "+ref.ID)
		}
		return nil
	})
	if want := []string{"product 1", "product 2", "product 3", "product 4", "product 5", "product 6"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("listed %q, %v", ids, err)
	}
}

func TestFetchAnswersInTheOrderAskedFor(t *testing.T) {
	shop := newListShop()
	shop.nodes = map[string]string{
		"gid://shopify/Collection/1": `{"id":"gid://shopify/Collection/1","updatedAt":"2026-11-01T00:00:00Z","title":"One"}`,
		"gid://shopify/Collection/3": `{"id":"gid://shopify/Collection/3","updatedAt":"2026-11-01T00:00:00Z","title":"Three"}`,
	}
	var refs []intake.Ref
	for _, id := range []string{"3", "2", "1", "3", "no number", "007"} {
		refs = append(refs, intake.Ref{Kind: intake.KindCategory, ID: id})
	}
	recs, err := connectTo(t, shop, 2).Fetch(t.Context(), refs)
	if err != nil || len(recs) != len(refs) {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	for i, gone := range []bool{false, true, false, false, true, true} {
		if recs[i].Ref != refs[i] || recs[i].Gone() != gone {
			t.Errorf("record %d is %+v, gone %v", i, recs[i].Ref, recs[i].Gone())
		}
	}
}

func TestAnswerForAnotherRecordIsAnError(t *testing.T) {
	for name, node := range map[string]string{"another": `{"id":"gid://shopify/Customer/2","lastName":"Byron"}`, "of another type": `{"lastName":"Byron"}`} {
		shop := newListShop()
		shop.nodes = map[string]string{"gid://shopify/Customer/1": node}
		_, err := connectTo(t, shop, 2).Fetch(context.Background(), []intake.Ref{{Kind: intake.KindCustomer, ID: "1"}})
		if connectors.ClassOf(err) != connectors.Transient || err == nil || strings.Contains(err.Error(), "Byron") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Errors go to logs, and a row may say who somebody is.
func TestErrorAboutARowDoesNotRepeatIt(t *testing.T) {
	shop := newListShop()
	shop.other = func(string, map[string]any) (string, bool) {
		return `{"customers":{"nodes":[{"lastName":"Byron"}],"pageInfo":{"hasNextPage":false}}}`, true
	}
	if _, err := connectTo(t, shop, 2).Pull(t.Context(), intake.Customers, nil); err == nil || strings.Contains(err.Error(), "Byron") {
		t.Errorf("the error is %v", err)
	}
}
