package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// libraryShop is a shop on Shopify that has shelves of books beside its goods.
func libraryShop(o Options, books int) *Shop {
	o.Platform = Shopify
	s := New(o)
	s.shopify.plans.graph = newGraph(append(shopifyTypes(), shelfTypes(books)...)...)
	return s
}

// shelfTypes are shelves of books, and a mutation that needs a key.
func shelfTypes(n int) []gqlType {
	shelves := []*shelf{{no: 1}, {no: 2}, {no: 3}}
	for i := range int64(n) {
		s := shelves[i%2]
		s.books = append(s.books, &book{no: i + 1, title: "B" + text(i+1)})
	}
	return []gqlType{
		{name: "Book", fields: gqlFields{
			"id":    gqlID("Book", func(_ *gqlRun, b *book) int64 { return b.no }),
			"title": gqlText(func(_ *gqlRun, b *book) string { return b.title }),
			"price": gqlSame("PricePayload"),
			"marks": gqlConnection("Mark", func(_ *gqlRun, b *book) gqlRows[string] { return gqlRows[string]{all: []string{"a", "b"}[:b.no%3%2]} }),
		}},
		{name: "PricePayload", fields: gqlFields{"amount": gqlDecimal(func(_ *gqlRun, b *book) int64 { return b.no * 10_000 })}}, // free by its name
		{name: "Mark", fields: gqlFields{"text": gqlText(func(_ *gqlRun, m string) string { return m })}},
		{name: "Shelf", fields: gqlFields{
			"id":    gqlID("Shelf", func(_ *gqlRun, s *shelf) int64 { return s.no }),
			"books": gqlConnection("Book", func(_ *gqlRun, s *shelf) gqlRows[*book] { return gqlRows[*book]{all: s.books} }),
			"list":  gqlList("Book", func(_ *gqlRun, s *shelf) []*book { return s.books }),
		}},
		{name: "QueryRoot", fields: gqlFields{
			"shelves": gqlConnection("Shelf", func(*gqlRun, gqlRoot) gqlRows[*shelf] { return gqlRows[*shelf]{all: shelves} }),
			"stack": gqlConnection("Book", func(*gqlRun, gqlRoot) gqlRows[*book] {
				return gqlRows[*book]{all: shelves[0].books, key: func(b *book) gqlKey { return gqlKey{id: b.no} }}
			}),
			"shelf": gqlObject("Shelf", func(*gqlRun, gqlRoot) *shelf { return shelves[0] }),
		}},
	}
}

// post sends a document to the API.
func post(t testing.TB, s *Shop, version, token, document string, vars map[string]any) *http.Request {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": vars})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://shop.test"+adminRoot+version+graphQLFile, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Shopify-Access-Token", token)
	return r
}

// said is an answer of the API.
type said struct {
	status     int
	header     http.Header
	Data       json.RawMessage
	Errors     []saidError
	Extensions struct {
		Search []struct {
			Path     []string
			Query    string
			Warnings []struct{ Field, Code string }
		}
		Cost struct {
			RequestedQueryCost int
			ActualQueryCost    *int
			ThrottleStatus     struct{ MaximumAvailable, CurrentlyAvailable, RestoreRate float64 }
		}
	}
}

type saidError struct {
	Message    string
	Path       []any
	Extensions struct{ Code string }
}

func (a *said) codes() []string {
	var codes []string
	for _, e := range a.Errors {
		codes = append(codes, e.Extensions.Code)
	}
	return codes
}

// asking asks the newest version, with the token that never ends.
func asking(t testing.TB, s *Shop, document string, vars map[string]any) *said {
	t.Helper()
	res, body := do(t, s, post(t, s, "2026-10", s.Key(), document, vars))
	a := &said{status: res.StatusCode, header: res.Header}
	if res.StatusCode == http.StatusOK {
		decode(t, body, a)
	}
	return a
}

func TestTokensLetIn(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	s := libraryShop(Options{Seed: 3, Now: func() time.Time { return at }}, 4)
	lets := func(token string) bool {
		res, _ := do(t, s, post(t, s, "2026-10", token, `{ shelf { id } }`, nil))
		return res.StatusCode == http.StatusOK
	}
	grant := func(params string) (status int, got struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int    `json:"expires_in"`
		Scope, Error string
	}) {
		values, _ := url.ParseQuery(params)
		values.Set("client_id", s.ClientID())
		if !values.Has("client_secret") {
			values.Set("client_secret", s.Secret())
		}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://shop.test"+tokenPath, strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, body := do(t, s, r)
		decode(t, body, &got)
		return res.StatusCode, got
	}
	if !lets(s.Key()) || lets("shpat_wrong") || lets("") {
		t.Error("the static token alone should be let in")
	}
	if status, got := grant("grant_type=client_credentials&client_secret=wrong"); status != 400 || got.Error != "invalid_client" {
		t.Errorf("a wrong secret: %d %+v", status, got)
	}
	_, own := grant("grant_type=client_credentials")
	if own.ExpiresIn != 86400 || own.RefreshToken != "" || !strings.Contains(own.Scope, "read_orders") || !lets(own.AccessToken) {
		t.Errorf("client credentials give %+v", own)
	}
	first := s.RefreshToken()
	_, one := grant("grant_type=refresh_token&refresh_token=" + first)
	_, again := grant("grant_type=refresh_token&refresh_token=" + first) // its answer got lost
	if one.ExpiresIn != 3600 || one.RefreshToken == first || again.RefreshToken != one.RefreshToken || !lets(one.AccessToken) || !lets(again.AccessToken) {
		t.Errorf("a refresh token gives %+v, then %+v", one, again)
	}
	if _, two := grant("grant_type=refresh_token&refresh_token=" + one.RefreshToken); two.RefreshToken == one.RefreshToken || s.RefreshToken() != two.RefreshToken {
		t.Errorf("the refresh token does not rotate: %+v", two)
	}
	if status, _ := grant("grant_type=refresh_token&refresh_token=" + first); status != 400 {
		t.Error("a refresh token is good although its successor was used")
	}
	at = at.Add(61 * time.Minute)
	if lets(one.AccessToken) || !lets(own.AccessToken) {
		t.Error("an offline token ends after 60 minutes, one for client credentials does not")
	}
	at = at.Add(24 * time.Hour)
	if lets(own.AccessToken) || !lets(s.Key()) {
		t.Error("a token for client credentials ends after a day, the static one never")
	}
}

func TestAnswersNameTheVersionThatAnswers(t *testing.T) {
	s := libraryShop(Options{Seed: 1}, 4)
	for asked, want := range map[string]string{"2026-10": "2026-10", "2026-04": "2026-04", "2024-01": "2026-01"} {
		res, _ := do(t, s, post(t, s, asked, s.Key(), `{ shelf { id } }`, nil))
		if got := res.Header.Get("X-Shopify-API-Version"); got != want || res.Header.Get("Date") == "" {
			t.Errorf("%s is answered by %q", asked, got)
		}
	}
	if res, _ := do(t, s, post(t, s, "2031-01", s.Key(), `{ shelf { id } }`, nil)); res.StatusCode != http.StatusNotFound {
		t.Errorf("a version to come answers %d", res.StatusCode)
	}
}

func TestPointsRunOutAndFlowBack(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	s := libraryShop(Options{Seed: 1, Points: 100, Restore: 10, Now: func() time.Time { return at }}, 200)
	// 2 for the connection, its node (1) 2·ln(100) = 9 times.
	const document = `{ stack(first: 100) { nodes { title price { amount } } pageInfo { hasNextPage } } }`
	a := asking(t, s, document, nil)
	cost := a.Extensions.Cost
	if cost.RequestedQueryCost != 11 || *cost.ActualQueryCost != 11 || cost.ThrottleStatus.CurrentlyAvailable != 89 || cost.ThrottleStatus.MaximumAvailable != 100 ||
		cost.ThrottleStatus.RestoreRate != 10 {
		t.Fatalf("cost %+v %v", cost, *cost.ActualQueryCost)
	}
	for range 8 {
		if a = asking(t, s, document, nil); len(a.Errors) > 0 {
			t.Fatalf("refused with points left: %+v", a.Errors)
		}
	}
	a = asking(t, s, document, nil)
	if !slices.Equal(a.codes(), []string{"THROTTLED"}) || a.status != 200 || a.Extensions.Cost.ActualQueryCost != nil || a.Extensions.Cost.ThrottleStatus.CurrentlyAvailable != 1 {
		t.Fatalf("with 1 point left: %+v", a)
	}
	at = at.Add(time.Second)
	if a = asking(t, s, document, nil); len(a.Errors) > 0 || s.Points() != 0 {
		t.Errorf("a second later: %+v, %v points left", a.Errors, s.Points())
	}
	at = at.Add(time.Hour)
	if s.Points() != 100 {
		t.Errorf("the bucket overflows: %v", s.Points())
	}
	a = asking(t, s, `{ shelves(first: 250) { nodes { books(first: 250) { nodes { marks(first: 250) { nodes { text } } } } } } }`, nil)
	if !slices.Equal(a.codes(), []string{"MAX_COST_EXCEEDED"}) {
		t.Errorf("a query above 1000 points: %+v", a.Errors)
	}
	a = asking(t, s, `{ stack(first: 250) { nodes { id } } a: shelf { id } }`, nil) // 100 of 250 rows are there
	if c := a.Extensions.Cost; c.RequestedQueryCost != 14 || *c.ActualQueryCost != 12 || s.Points() != 88 {
		t.Errorf("what was not needed is not given back: %+v, %d, %v left", c, *c.ActualQueryCost, s.Points())
	}
}

func TestWhatNoSchemaCanExpressIsRefused(t *testing.T) {
	s := libraryShop(Options{Seed: 1, Scopes: []string{"read_products"}}, 4)
	many := make([]any, 251)
	for _, c := range []struct {
		ask  string
		vars map[string]any
		code string
	}{
		{`{ stack { nodes { id } } }`, nil, "BAD_REQUEST"},
		{`{ stack(first: 251) { nodes { id } } }`, nil, "BAD_REQUEST"},
		{`{ stack(first: 1, last: 1) { nodes { id } } }`, nil, "BAD_REQUEST"},
		{`{ stack(first: -1) { nodes { id } } }`, nil, "BAD_REQUEST"},
		{`query($n: Int) { stack(first: $n) { nodes { id } } }`, map[string]any{"n": "2"}, "BAD_REQUEST"},
		{`{ stack(first: 1, after: "x") { nodes { id } } }`, nil, "BAD_REQUEST"},
		{`query($v: [ID!]) { shelf(ids: $v) { id } }`, map[string]any{"v": many}, "MAX_INPUT_SIZE_EXCEEDED"},
		{`{ shelf { colour } }`, nil, "undefinedField"},
		{`{ shelf { id }`, nil, ""},
	} {
		if a := asking(t, s, c.ask, c.vars); !slices.Equal(a.codes(), []string{c.code}) || a.Data != nil {
			t.Errorf("%s: %+v %s", c.ask, a.Errors, a.Data)
		}
	}
	res, _ := do(t, s, post(t, s, "2026-10", s.Key(), "", nil))
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("no query: %d", res.StatusCode)
	}
}

// A filter that is not understood is left out, with a warning.
func TestUnknownFiltersAreWarnedOf(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 30, Platform: Shopify})
	const document = `query($q: String) { orders(first: 100, query: $q) { nodes { id } } }`
	all := asking(t, s, document, nil)
	a := asking(t, s, document, map[string]any{"q": "colour:blue updated_at:>'2020-01-01T00:00:00Z'"})
	if w := a.Extensions.Search; string(a.Data) != string(all.Data) || len(w) != 1 || len(w[0].Warnings) != 1 || w[0].Warnings[0].Field != "colour" ||
		w[0].Warnings[0].Code != "invalid_field" || !slices.Equal(w[0].Path, []string{"orders"}) {
		t.Errorf("%+v", w)
	}
	if a := asking(t, s, document, map[string]any{"q": "test:false"}); len(a.Extensions.Search) > 0 {
		t.Errorf("a filter that is known: %+v", a.Extensions.Search)
	}
}

// The shop may live, be exported, changed and read at the same time.
func TestShopifyServesManyAtTheSameTime(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 80, Platform: Shopify, Schemas: presentSchemas()})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 8 {
				asking(t, s, `{ orders(first: 50) { nodes { id lineItems(first: 5) { nodes { id } } } } }`, nil)
				asking(t, s, `{ productVariants(first: 50) { nodes { id inventoryItem { id inventoryLevels(first: 5) { nodes { id } } } } } }`, nil)
			}
		})
		wg.Go(func() {
			if id, code := startsBulk(t, s, `{ orders { edges { node { id lineItems { edges { node { id } } } } } } }`, false); code == "" {
				end, _ := endBulk(t, s, id)
				if _, _, err := fetch(t, s, end.URL, nil); err != nil || end.Status != "COMPLETED" {
					t.Errorf("%+v: %v", end, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 8 {
			s.Advance(time.Hour)
			s.EditOrder("")
			s.Points()
			s.ExpireTokens()
		}
	})
	wg.Wait()
}

// Reading on stops after 25,000 objects of a connection, without a word.
func TestPagingStopsAfterSoManyObjects(t *testing.T) {
	s := libraryShop(Options{Seed: 1}, 50_600)
	cursor, seen := "", 0
	for {
		a := asking(t, s, `query($c: String) { stack(first: 250, after: $c) { nodes { id } pageInfo { hasNextPage endCursor } } }`, map[string]any{"c": orNil(cursor)})
		var got struct {
			Stack struct {
				Nodes    []struct{ ID string }
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		decode(t, a.Data, &got)
		seen += len(got.Stack.Nodes)
		if cursor = got.Stack.PageInfo.EndCursor; !got.Stack.PageInfo.HasNextPage {
			break
		}
	}
	if seen != 25_000 {
		t.Errorf("%d of 25,300 objects were read", seen)
	}
}

func orNil(v string) any {
	if v == "" {
		return nil
	}
	return v
}

func TestShopifyFaultsLookAsOnTheNetwork(t *testing.T) {
	s := libraryShop(Options{Seed: 1, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}, 8)
	const document = `{ stack(first: 3) { nodes { title } } }`
	good := string(asking(t, s, document, nil).Data)
	for fault, check := range map[string]func(a *said) bool{
		"429:retry-after=2": func(a *said) bool { return a.status == 429 && a.header.Get("Retry-After") == "2" },
		"430":               func(a *said) bool { return a.status == 430 },
		"frozen":            func(a *said) bool { return a.status == 402 },
		"locked":            func(a *said) bool { return a.status == 423 },
		"forbidden":         func(a *said) bool { return a.status == 403 },
		"retired-key":       func(a *said) bool { return a.status == 401 },
		"token-end":         func(a *said) bool { return a.status == 401 },
		"502":               func(a *said) bool { return a.status == 502 },
		"throttled": func(a *said) bool {
			return a.status == 200 && slices.Equal(a.codes(), []string{"THROTTLED"}) && a.Extensions.Cost.ThrottleStatus.CurrentlyAvailable == 0
		},
		"error-beside": func(a *said) bool {
			return slices.Equal(a.codes(), []string{"INTERNAL_SERVER_ERROR"}) && string(a.Data) == good
		},
		"internal":    func(a *said) bool { return slices.Equal(a.codes(), []string{"INTERNAL_SERVER_ERROR"}) && a.Data == nil },
		"old-version": func(a *said) bool { return a.header.Get("X-Shopify-API-Version") == "2026-01" },
		"deprecated":  func(a *said) bool { return a.header.Get("X-Shopify-API-Deprecated-Reason") != "" },
		"duplicate":   func(a *said) bool { return strings.Count(string(a.Data), "title") == 4 },
		"reorder":     func(a *said) bool { return string(a.Data) != good && len(a.Data) == len(good) },
	} {
		f, err := ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		s.Misbehave(f)
		if a := asking(t, s, document, nil); !check(a) {
			t.Errorf("%s: %+v %s", fault, a, a.Data)
		}
		if s.Hits()[f.Name] != 1 {
			t.Errorf("%s hit %d times", fault, s.Hits()[f.Name])
		}
		s.Behave()
		s.shopify.bucket.giveBack(defaultPoints)
	}
	if a := asking(t, s, document, nil); string(a.Data) != good {
		t.Errorf("the shop does not behave again: %+v", a)
	}
}

// Whatever order the rows come in, the cursor leads on.
func TestRearrangedPagesLeadOn(t *testing.T) {
	for _, fault := range []string{"reorder", "duplicate"} {
		s := libraryShop(Options{Seed: 1}, 40)
		s.Misbehave(Fault{Name: fault})
		seen, cursor := map[string]bool{}, ""
		for range 4 {
			var got struct {
				Stack struct {
					Nodes    []struct{ ID string }
					PageInfo struct{ EndCursor string }
				}
			}
			a := asking(t, s, `query($c: String) { stack(first: 5, after: $c) { nodes { id } pageInfo { endCursor } } }`, map[string]any{"c": orNil(cursor)})
			decode(t, a.Data, &got)
			for _, n := range got.Stack.Nodes {
				seen[n.ID] = true
			}
			cursor = got.Stack.PageInfo.EndCursor
		}
		if len(seen) != 20 {
			t.Errorf("%s: %d of 20 rows were seen", fault, len(seen))
		}
	}
}

// readAll reads a body that may end too early.
func readAll(t testing.TB, s *Shop, r *http.Request) (*http.Response, []byte, error) {
	t.Helper()
	res, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}
