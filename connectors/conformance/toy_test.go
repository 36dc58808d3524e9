package conformance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

const (
	toyKey        = "toy-key-0451"
	toyUnreadable = 31 // an order whose total is no number
)

// toyRow is a record of the toy shop. Modified is in whole seconds.
type toyRow struct {
	ID       int    `json:"id"`
	Modified int64  `json:"modified"`
	Total    string `json:"total"`
	Trashed  bool   `json:"trashed,omitempty"`
	Refunds  int    `json:"refunds,omitempty"`
}

// toyShop is a shop of orders and categories with a small JSON dialect:
//
//	/orders?since=T,ID&until=T&limit=N   by (modified, id), both exclusive;
//	                                     until=now is the shop's own clock
//	/orders?offset=K&limit=N             the same without a place to hold on to
//	/categories?above=ID&limit=N         by id
//	/orders/ID, /categories/ID, /settings
type toyShop struct {
	mu     sync.Mutex
	began  time.Time // in the bubble
	rows   map[intake.Resource]map[int]toyRow
	nextID int
	fault  Fault
	flaw   flaw
}

func newToyShop(f flaw) *toyShop {
	s := &toyShop{began: time.Now(), rows: map[intake.Resource]map[int]toyRow{intake.Orders: {}, intake.Categories: {}}, nextID: 1, flaw: f}
	for n := range 60 {
		s.nextID++
		// three at a time share a second
		s.rows[intake.Orders][s.nextID] = toyRow{ID: s.nextID, Modified: s.Now().Add(time.Duration(n/3-40) * time.Minute).Unix(), Total: "10"}
	}
	odd := s.rows[intake.Orders][toyUnreadable]
	odd.Total = "ten"
	s.rows[intake.Orders][toyUnreadable] = odd
	for range 11 {
		s.nextID++
		s.rows[intake.Categories][s.nextID] = toyRow{ID: s.nextID, Total: "0"}
	}
	return s
}

func (s *toyShop) Now() time.Time {
	return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Add(time.Since(s.began))
}

// clock is what the shop's own clock shows.
func (s *toyShop) clock() int64 {
	switch s.fault {
	case SkewAhead:
		return s.Now().Unix() + 300
	case SkewBehind:
		return s.Now().Unix() - 300
	}
	return s.Now().Unix()
}

func (s *toyShop) Advance(d time.Duration) { time.Sleep(d) }

func (s *toyShop) Secrets() []string { return []string{toyKey} }
func (s *toyShop) Facts() connectors.Shop {
	return connectors.Shop{Currency: "EUR", TimeZone: "Europe/Paris"}
}

func (s *toyShop) IDs(r intake.Resource) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.rows[r])) {
		ids = append(ids, strconv.Itoa(id))
	}
	return ids
}

func (s *toyShop) Unreadable(r intake.Resource) []string {
	if r != intake.Orders {
		return nil
	}
	return []string{strconv.Itoa(toyUnreadable)}
}

func (s *toyShop) Do(r intake.Resource, c Change, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := strconv.Atoi(id)
	row, ok := s.rows[r][n]
	if (!ok && c != Add) || s.rows[r] == nil || (n == toyUnreadable && c != Remove) {
		return "", ErrCannot
	}
	moves := r == intake.Orders
	switch c {
	case Add:
		s.nextID++
		row = toyRow{ID: s.nextID, Total: "7"}
	case Edit, Quiet:
		row.Total += "1"
		moves = moves && c == Edit
	case Touch:
	case Refund:
		row.Refunds++
	case Unrefund:
		row.Refunds--
		moves = false
	case Shelve:
		row.Trashed = true
	case Remove:
		delete(s.rows[r], n)
		return id, nil
	}
	if r == intake.Categories && !slices.Contains([]Change{Add, Edit}, c) || row.Refunds < 0 {
		return "", ErrCannot
	}
	if moves {
		row.Modified = s.clock()
	}
	s.rows[r][row.ID] = row
	return strconv.Itoa(row.ID), nil
}

func (s *toyShop) Misbehave(f Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	return nil
}

func (s *toyShop) Behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = ""
}

func (s *toyShop) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	s.serve(w, req)
	return w.Result(), nil
}

func (s *toyShop) serve(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.URL.Query().Get("key") != toyKey || s.fault == RetiredKey {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"no such key"}`)
		return
	}
	name, id, one := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	rows := s.rows[intake.Resource(name)]
	switch {
	case name == "settings":
		fmt.Fprint(w, `{"rows":[],"currency":"EUR","zone":"Europe/Paris"}`)
	case one:
		n, _ := strconv.Atoi(id)
		row, ok := rows[n]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"no such record"}`)
			return
		}
		_ = json.NewEncoder(w).Encode(toyPage{Rows: []toyRow{row}})
	default:
		_ = json.NewEncoder(w).Encode(toyPage{Rows: s.list(rows, req.URL.Query())})
	}
}

// toyPage is an answer of the toy shop.
type toyPage struct {
	Rows     []toyRow `json:"rows"`
	Currency string   `json:"currency,omitempty"`
	Zone     string   `json:"zone,omitempty"`
}

func (s *toyShop) list(rows map[int]toyRow, q url.Values) []toyRow {
	list := slices.SortedFunc(maps.Values(rows), func(a, b toyRow) int {
		return cmp.Or(cmp.Compare(a.Modified, b.Modified), cmp.Compare(a.ID, b.ID))
	})
	var since toyCursor
	_, _ = fmt.Sscanf(q.Get("since"), "%d,%d", &since.Time, &since.ID)
	above, _ := strconv.Atoi(q.Get("above"))
	until, _ := strconv.ParseInt(q.Get("until"), 10, 64)
	if q.Get("until") == "now" {
		until = s.clock()
	}
	list = slices.DeleteFunc(list, func(r toyRow) bool {
		return r.ID <= above || !since.before(r) || (until > 0 && r.Modified >= until)
	})
	if q.Has("above") {
		slices.SortFunc(list, func(a, b toyRow) int { return cmp.Compare(a.ID, b.ID) })
	}
	offset, _ := strconv.Atoi(q.Get("offset"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	list = list[min(offset, len(list)):]
	list = slices.Clone(list[:min(limit, len(list))])
	switch s.fault {
	case Duplicates:
		list = slices.Concat(list, list)
	case Reordered:
		slices.Reverse(list)
	}
	return list
}

func (s *toyShop) Connect(setup Setup) (connectors.Connector, error) {
	var transport http.RoundTripper = s
	if setup.Wire != nil {
		transport = setup.Wire(transport)
	}
	size := setup.PageSize
	if size == 0 {
		size = 20
	}
	c := &toy{size: size, now: s.Now, flaw: s.flaw}
	c.http = &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		if s.flaw == followsRedirects {
			return nil
		}
		return http.ErrUseLastResponse
	}}
	switch s.flaw {
	case waitsForEver:
		c.http.Timeout = 0
	case impatient:
		c.http.Timeout = 5 * time.Second
	}
	return c, nil
}

// toyCursor is a place in the list of orders, or an id among the categories.
type toyCursor struct {
	Time int64 `json:"time"`
	ID   int   `json:"id"`
}

func (c toyCursor) before(r toyRow) bool {
	return r.Modified > c.Time || (r.Modified == c.Time && r.ID > c.ID)
}

// toy is a sound connector for toyShop, but for its flaw.
type toy struct {
	http *http.Client
	size int
	now  func() time.Time
	flaw flaw

	mu       sync.Mutex
	place    map[intake.Resource]toyCursor // only with remembersItsPlace
	stumbled bool                          // only with skipsAfterAnError
}

// flaw is one thing that is wrong with the toy.
type flaw string

// The flaws.
const (
	sound              flaw = ""
	losesARow          flaw = "loses the last row of each full page"
	pagesByOffset      flaw = "pages by offset"
	keepsNoMargin      flaw = "reads up to the very second"
	remembersItsPlace  flaw = "keeps the cursor within itself"
	emptyNext          flaw = "returns no cursor with an empty page"
	bringsAll          flaw = "brings everything each time"
	takesHalfABody     flaw = "takes as many rows as can be read"
	swallowsErrors     flaw = "takes an error for the end"
	skipsAfterAnError  flaw = "skips a page after an error"
	takesAnyClass      flaw = "calls everything transient"
	plainErrors        flaw = "lets out plain errors"
	followsRedirects   flaw = "follows redirects"
	waitsForEver       flaw = "waits for ever"
	impatient          flaw = "gives up after seconds"
	readsWithoutLimit  flaw = "reads a body without limit"
	tellsSecrets       flaw = "prints its key"
	skipsADigest       flaw = "leaves the total out of the content"
	dateInContent      flaw = "takes the date for content"
	ownDigest          flaw = "does not seal its records"
	readsNonsense      flaw = "takes what is no number for zero"
	wrongKind          flaw = "mixes up kinds"
	goneOnError        flaw = "takes any failed fetch for gone"
	leavesOutGone      flaw = "leaves gone records out of a fetch"
	fetchOutOfOrder    flaw = "fetches in its own order"
	hidesQuiet         flaw = "does not ask to re-read"
	hidesVanishing     flaw = "does not ask for a sweep"
	listsOnePage       flaw = "lists the first page only"
	seeksLate          flaw = "seeks after the instant"
	spoiltMeansEnd     flaw = "takes a spoilt cursor for the end"
	wrongFacts         flaw = "reports another currency"
	probesBlindly      flaw = "probes without looking"
	ignoresContext     flaw = "works on when cancelled"
	claimsToBeSorted   flaw = "says that categories are sorted"
	goesInCircles      flaw = "goes in circles"
	dropsRowsBackward  flaw = "drops a row that is older than the one before it"
	throttleWithoutEnd flaw = "forgets how long to wait"
	trustsItsOwnClock  flaw = "takes its own clock for the shop's"
	ordersFirst        flaw = "lists what depends on others first"
	skipsTrash         flaw = "leaves out what is in the trash"
	strictAboutBlanks  flaw = "cannot bear blanks around the JSON"
)

func (c *toy) is(f flaw) bool { return c.flaw == f }

func (c *toy) Streams() []connectors.Stream {
	categories := connectors.Stream{Resource: intake.Categories, Full: true, Vanishes: true}
	orders := connectors.Stream{Resource: intake.Orders, Sorted: true, Reread: 24 * time.Hour, Vanishes: true}
	if c.is(hidesQuiet) {
		orders.Reread = 0
	}
	if c.is(hidesVanishing) {
		orders.Vanishes = false
	}
	if c.is(claimsToBeSorted) {
		categories.Sorted, categories.Full = true, false
	}
	if c.is(ordersFirst) {
		return []connectors.Stream{orders, categories}
	}
	return []connectors.Stream{categories, orders}
}

func (c *toy) Probe(ctx context.Context) (connectors.Shop, error) {
	page, err := c.get(ctx, "/settings", nil)
	if err != nil && !c.is(probesBlindly) {
		return connectors.Shop{}, err
	}
	if c.is(wrongFacts) {
		page.Currency = "USD"
	}
	return connectors.Shop{Platform: "toy", URL: "https://toy.example", Currency: money.Currency(page.Currency), TimeZone: page.Zone,
		Checks: []connectors.Check{{Name: "credentials", OK: true}}}, nil
}

func (c *toy) Pull(ctx context.Context, r intake.Resource, cur connectors.Cursor) (connectors.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var at toyCursor
	if len(cur) > 0 {
		if err := json.Unmarshal(cur, &at); err != nil || (at == toyCursor{}) {
			if c.is(spoiltMeansEnd) {
				return connectors.Page{Next: cur}, nil
			}
			return connectors.Page{}, &connectors.Error{Class: connectors.Rejected, Op: "toy: pull", Err: fmt.Errorf("cursor %q makes no sense", cur)}
		}
	}
	if c.is(remembersItsPlace) {
		at = c.place[r]
	}
	q := url.Values{"limit": {strconv.Itoa(c.size)}}
	switch {
	case r == intake.Categories:
		q.Set("above", strconv.Itoa(at.ID))
	case c.is(pagesByOffset):
		q.Set("offset", strconv.Itoa(at.ID))
		q.Set("since", fmt.Sprintf("%d,0", at.Time))
	case c.is(bringsAll) && len(cur) > 0 && at.ID < 0:
		at = toyCursor{}
		fallthrough
	default:
		q.Set("since", fmt.Sprintf("%d,%d", at.Time, at.ID))
	}
	switch {
	case r != intake.Orders || c.is(keepsNoMargin):
	case c.is(trustsItsOwnClock):
		q.Set("until", strconv.FormatInt(c.now().Unix(), 10))
	default:
		q.Set("until", "now")
	}
	page, err := c.get(ctx, "/"+string(r), q)
	if err != nil && !c.is(swallowsErrors) {
		c.stumbled = true
		return connectors.Page{}, err
	}
	rows := page.Rows
	next := at
	for _, row := range rows {
		if next.before(row) || r == intake.Categories && row.ID > next.ID {
			next = toyCursor{row.Modified, row.ID}
		}
	}
	more := len(rows) >= c.size
	if r == intake.Categories {
		next.Time = -1 // tells the cursor from a spoilt one
		if !more {
			next.ID = 0
		}
	}
	if r == intake.Orders && c.is(pagesByOffset) {
		next = toyCursor{at.Time, at.ID + len(rows)}
		if !more && len(rows) > 0 {
			next = toyCursor{rows[len(rows)-1].Modified - 1, 0}
		}
	}
	if r == intake.Orders && c.is(bringsAll) && !more {
		next.ID = -1
	}
	switch {
	case c.is(skipsTrash):
		rows = slices.DeleteFunc(rows, func(r toyRow) bool { return r.Trashed })
	case c.is(dropsRowsBackward):
		newest := 0
		rows = slices.DeleteFunc(rows, func(r toyRow) bool {
			older := r.ID < newest
			newest = max(newest, r.ID)
			return older
		})
	}
	if c.is(losesARow) && more {
		rows = rows[:len(rows)-1]
	}
	if c.is(skipsAfterAnError) && c.stumbled {
		rows, c.stumbled = nil, false
	}
	if c.is(goesInCircles) && more {
		next = at
	}
	if c.is(remembersItsPlace) {
		if c.place == nil {
			c.place = map[intake.Resource]toyCursor{}
		}
		c.place[r] = next
	}
	recs := make([]intake.Record, len(rows))
	for i, row := range rows {
		recs[i] = c.record(intake.KindOf(r), row)
	}
	if next == (toyCursor{}) {
		next.Time = -1
	}
	cursor, _ := json.Marshal(next)
	if c.is(emptyNext) && len(recs) == 0 {
		cursor = nil
	}
	return connectors.Page{Records: recs, Next: cursor, More: more}, nil
}

func (c *toy) record(kind intake.Kind, row toyRow) intake.Record {
	raw, _ := json.Marshal(row)
	ref := intake.Ref{Kind: kind, ID: strconv.Itoa(row.ID)}
	modified := time.Unix(row.Modified, 0).UTC()
	var body any
	if kind == intake.KindCategory {
		body = &intake.Category{Name: row.Total}
	} else {
		total, err := decimal.NewFromString(row.Total)
		if err != nil && !c.is(readsNonsense) {
			return intake.Unreadable(ref, modified, raw, "the total is no number")
		}
		o := &intake.Order{Number: ref.ID, Total: total, Trashed: row.Trashed}
		for n := range row.Refunds {
			o.Refunds = append(o.Refunds, intake.Refund{ID: strconv.Itoa(n)})
		}
		if c.is(skipsADigest) {
			o.Total = decimal.Zero
		}
		if c.is(dateInContent) {
			o.Note = modified.String()
		}
		body = o
	}
	if c.is(wrongKind) {
		ref.Kind = intake.KindCoupon
	}
	rec, err := intake.Seal(ref, modified, body, raw)
	if err != nil {
		panic(err)
	}
	if c.is(ownDigest) {
		rec.Digest = "d" + ref.ID
	}
	return rec
}

func (c *toy) Fetch(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	var recs []intake.Record
	path := map[intake.Kind]string{intake.KindOrder: "/orders/", intake.KindCategory: "/categories/"}
	if c.is(fetchOutOfOrder) {
		refs = slices.SortedFunc(slices.Values(refs), func(a, b intake.Ref) int { return cmp.Compare(a.ID, b.ID) })
	}
	for _, ref := range refs {
		page, err := c.get(ctx, path[ref.Kind]+ref.ID, nil)
		switch {
		case errors.Is(err, errToyGone) || (err != nil && c.is(goneOnError)):
			if !c.is(leavesOutGone) {
				recs = append(recs, intake.Missing(ref))
			}
		case err != nil:
			return nil, err
		default:
			recs = append(recs, c.record(ref.Kind, page.Rows[0]))
		}
	}
	return recs, nil
}

func (c *toy) List(ctx context.Context, r intake.Resource, yield func([]intake.Ref) error) error {
	above := 0
	for {
		page, err := c.get(ctx, "/"+string(r), url.Values{"above": {strconv.Itoa(above)}, "limit": {strconv.Itoa(c.size)}})
		if err != nil {
			return err
		}
		var refs []intake.Ref
		for _, row := range page.Rows {
			refs = append(refs, intake.Ref{Kind: intake.KindOf(r), ID: strconv.Itoa(row.ID)})
			above = max(above, row.ID)
		}
		if err := yield(refs); err != nil {
			return err
		}
		if len(page.Rows) < c.size || c.is(listsOnePage) {
			return nil
		}
	}
}

func (c *toy) Seek(_ intake.Resource, since time.Time) connectors.Cursor {
	at := toyCursor{Time: since.Unix() - 1}
	if c.is(seeksLate) {
		at.Time += 3
	}
	cursor, _ := json.Marshal(at)
	return cursor
}

var errToyGone = errors.New("no such record")

// get is the toy's client.
func (c *toy) get(ctx context.Context, path string, q url.Values) (toyPage, error) {
	fail := func(class connectors.Class, wait time.Duration, err error) (toyPage, error) {
		switch {
		case c.is(takesAnyClass):
			class = connectors.Transient
		case c.is(plainErrors):
			return toyPage{}, err
		case c.is(throttleWithoutEnd):
			wait = 0
		case c.is(tellsSecrets):
			err = fmt.Errorf("%w with key %s", err, toyKey)
		}
		return toyPage{}, &connectors.Error{Class: class, Op: "toy: get " + path, RetryAfter: wait, Fix: "look at the shop", Err: err}
	}
	if c.is(ignoresContext) {
		ctx = context.WithoutCancel(ctx)
	}
	if q == nil {
		q = url.Values{}
	}
	q.Set("key", toyKey)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://toy.example"+path+"?"+q.Encode(), nil)
	if err != nil {
		return fail(connectors.Rejected, 0, err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.broken(ctx, fail, err)
	}
	defer res.Body.Close()
	var limit int64 = 1 << 20
	if c.is(readsWithoutLimit) {
		limit = 1 << 40
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit))
	if err != nil && !c.is(takesHalfABody) {
		return c.broken(ctx, fail, err)
	}
	if c.is(strictAboutBlanks) && (!bytes.HasPrefix(body, []byte("{")) || bytes.HasSuffix(body, []byte("\n\n"))) {
		return fail(connectors.Transient, 0, errors.New("blanks around the JSON"))
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusTooManyRequests:
		return fail(connectors.Throttled, c.wait(res.Header.Get("Retry-After")), errors.New(res.Status))
	case http.StatusNotFound:
		if bytes.HasPrefix(body, []byte("{")) {
			return fail(connectors.Rejected, 0, errToyGone)
		}
		return fail(connectors.Denied, 0, errors.New(res.Status))
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMovedPermanently:
		return fail(connectors.Denied, 0, errors.New(res.Status))
	default:
		return fail(connectors.Transient, 0, errors.New(res.Status))
	}
	if c.is(takesHalfABody) {
		if cut := bytes.LastIndex(body, []byte("}")); cut > 0 && !json.Valid(body) {
			body = append(body[:cut:cut], []byte("}]}")...)
		}
	}
	var page toyPage
	if err := json.Unmarshal(body, &page); err != nil {
		return fail(connectors.Transient, 0, err)
	}
	if page.Rows == nil {
		if bytes.Contains(body, []byte(`"rows":null`)) {
			return page, nil
		}
		return fail(connectors.Transient, 0, errors.New("the answer has no rows"))
	}
	return page, nil
}

func (c *toy) broken(ctx context.Context, fail func(connectors.Class, time.Duration, error) (toyPage, error), err error) (toyPage, error) {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // the outer one prints the address, and with it the key
	}
	switch {
	case ctx.Err() != nil:
		return toyPage{}, ctx.Err()
	case strings.Contains(err.Error(), "certificate"):
		return fail(connectors.Denied, 0, err)
	case connectors.Ended(err):
		return fail(connectors.Transient, 0, errors.New("no answer within a minute"))
	}
	return fail(connectors.Transient, 0, err)
}

func (c *toy) wait(header string) time.Duration {
	if n, err := strconv.Atoi(header); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return at.Sub(c.now())
	}
	return 0
}
