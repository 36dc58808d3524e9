package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// This file and those beside it speak Shopify's GraphQL Admin API: how a
// request is read and answered (here), who may ask (shopify_auth.go), what is
// refused (shopify_rules.go) and at what cost (shopify_cost.go), and what the
// graph answers (shopify_types.go and the files that it lists).

// shopify is what the shop keeps as a speaker of Shopify.
type shopify struct {
	graph  *graph
	plans  planCache
	scopes []string
	bucket bucket
	tokens tokens
	bulk   bulkOperations
	keys   idempotency
	jobs   []*job // by id
}

// openShopify makes the shop ready to speak Shopify.
func (s *Shop) openShopify() *shopify {
	p := &shopify{graph: newGraph(shopifyTypes()...), scopes: s.opt.Scopes}
	if p.scopes == nil {
		p.scopes = allScopes()
	}
	p.plans = planCache{graph: p.graph, schemas: s.opt.Schemas, guards: p.guards()}
	p.bucket.open(s.opt)
	p.tokens.open(s, p.scopes)
	return p
}

// Where Shopify answers; the version stands between the two halves.
const (
	adminRoot   = "/admin/api/"
	graphQLFile = "/graphql.json"
	tokenPath   = "/admin/oauth/access_token"
	bulkRoot    = "/bulk/"
)

// maxRequest bounds a request, in bytes.
const maxRequest = 1 << 20

// speakShopify is the Shopify dialect. The path that counts and faults go by
// ends in the fields that are asked of the root:
// /admin/api/2026-10/graphql.json/orders.
func (s *Shop) speakShopify(r *http.Request) spoken {
	path := r.URL.Path
	if asked, ok := apiVersion(path); ok {
		q := s.readQuestion(r, asked)
		return spoken{path: path + "/" + strings.Join(q.fields(), "/"), calls: q.mutations(),
			answer: func(h hits) *reply { return s.answerQuestion(r, q, h) }}
	}
	return spoken{path: path, answer: func(h hits) *reply {
		switch {
		case path == tokenPath:
			return s.grant(r)
		case strings.HasPrefix(path, bulkRoot):
			return s.bulkFile(r, h)
		}
		return shopifyErrors(http.StatusNotFound, "Not Found")
	}}
}

// mutations names the changes that the document asks for.
func (q *question) mutations() []string {
	if q.known == nil || q.known.plan == nil || q.known.plan.operation.Operation != ast.Mutation {
		return nil
	}
	calls := q.fields()
	for i := range calls {
		calls[i] = "mutation " + calls[i]
	}
	return calls
}

// apiVersion finds the version in the address of the API.
func apiVersion(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, adminRoot)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, graphQLFile)
}

// shopifyVersions are those that are served, the newest first.
func shopifyVersions() []string { return []string{"2026-10", "2026-07", "2026-04", "2026-01"} }

// served is the version that answers: a retired one is answered by the oldest
// that is left, without a word. "" for what never was a version.
func served(asked string) string {
	switch {
	case slices.Contains(shopifyVersions(), asked):
		return asked
	case len(asked) == len("2026-10") && asked < oldestVersion():
		return oldestVersion()
	}
	return ""
}

func oldestVersion() string { return shopifyVersions()[len(shopifyVersions())-1] }

// question is one GraphQL request.
type question struct {
	version string // that answers
	known   *plannedDocument
	given   map[string]any
	bad     *reply // the request cannot be read at all
}

// fields are the fields asked of the root.
func (q *question) fields() []string {
	if q.known == nil || q.known.plan == nil {
		return nil
	}
	var names []string
	for _, n := range q.known.plan.root.nodes {
		names = append(names, n.ask.Name)
	}
	return names
}

func (s *Shop) readQuestion(r *http.Request, asked string) *question {
	q := &question{version: served(asked)}
	if q.version == "" || r.Method != http.MethodPost {
		q.bad = shopifyErrors(http.StatusNotFound, "Not Found")
		return q
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	var said struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err != nil || d.Decode(&said) != nil || said.Query == "" {
		q.bad = shopifyErrors(http.StatusBadRequest, map[string]string{"query": "Required parameter missing or invalid"})
		return q
	}
	q.known = s.shopify.plans.plan(planKey{q.version, said.Query, said.OperationName})
	q.given = said.Variables
	return q
}

// answerQuestion answers a GraphQL request.
func (s *Shop) answerQuestion(r *http.Request, q *question, h hits) *reply {
	if refused := s.shopify.tokens.refuse(r, s.opt.Now()); refused != nil {
		return refused
	}
	if q.bad != nil {
		return q.bad
	}
	if h.version {
		q.version = oldestVersion()
	}
	a := s.answerDocument(r, q, h)
	a.header.Set("X-Shopify-API-Version", q.version)
	if old := q.known.deprecated; len(old) > 0 {
		a.header.Set("X-Shopify-API-Deprecated-Reason", strings.Join(old, ", "))
	}
	if h.deprecated {
		a.header.Set("X-Shopify-API-Deprecated-Reason", "https://shopify.example.test/deprecations#Order.example")
	}
	return a
}

// answerDocument runs the document, if nothing stands against it.
func (s *Shop) answerDocument(r *http.Request, q *question, h hits) *reply {
	if len(q.known.errs) > 0 {
		return onlyErrors(q.known.errs)
	}
	x := &gqlRun{s: s, plan: q.known.plan, version: q.version, base: base(r), hits: h, end: pagingEnd}
	var errs []gqlError
	if x.vars, errs = q.known.variables(q.given); len(errs) > 0 {
		return onlyErrors(errs)
	}
	if errs := x.begin(); len(errs) > 0 {
		return onlyErrors(errs)
	}
	if errs := x.rules(); len(errs) > 0 {
		return onlyErrors(errs)
	}
	cost := x.cost()
	if cost > maxQueryCost {
		return onlyErrors([]gqlError{tooDear(cost)})
	}
	if h.throttled {
		s.shopify.bucket.drain(s.opt.Now())
	}
	if !s.shopify.bucket.take(cost, s.opt.Now()) {
		return s.shopify.bucket.throttled(cost, s.opt.Now())
	}
	if h.internal {
		return onlyErrors([]gqlError{internalError(nil)})
	}
	s.advanceBulk(x)
	x.b = append(s.door.buffer(), `{"data":`...)
	s.run(x)
	if h.beside {
		x.errs = append(x.errs, internalError([]any{x.plan.root.nodes[0].name}))
	}
	if len(x.errs) > 0 {
		x.b = appendErrors(append(x.b, ','), x.errs)
	}
	actual := min(cost, max(x.spent, 1))
	s.shopify.bucket.giveBack(cost - actual)
	x.b = appendExtensions(append(x.b, ','), s.shopify.bucket.state(cost, &actual, s.opt.Now()), x.warns)
	a := graphQLReply(append(x.b, '}'))
	a.rows = x.weight
	return a
}

// run writes the data under the shop's lock.
func (s *Shop) run(x *gqlRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workOff()
	x.data()
	for _, of := range x.moved {
		s.drift(of)
	}
}

// pagingEnd is how many objects of one connection can be paged through.
const pagingEnd = 25_000

const graphQLType = "application/json; charset=utf-8"

func graphQLReply(body []byte) *reply {
	return &reply{status: http.StatusOK, header: http.Header{"Content-Type": {graphQLType}}, body: body}
}

// onlyErrors is an answer without data.
func onlyErrors(errs []gqlError) *reply {
	return graphQLReply(append(appendErrors([]byte("{"), errs), '}'))
}

// shopifyErrors is an error that is no answer to a query.
func shopifyErrors(status int, errs any) *reply {
	body, err := json.Marshal(map[string]any{"errors": errs})
	if err != nil {
		panic(err) // strings only
	}
	return &reply{status: status, header: http.Header{"Content-Type": {graphQLType}}, body: body}
}

func internalError(path []any) gqlError {
	return gqlError{code: "INTERNAL_SERVER_ERROR", path: path, more: map[string]any{"requestId": "00000000-0000-4000-8000-000000000000"},
		message: "Internal error. Looks like something went wrong on our end. Request ID: 00000000-0000-4000-8000-000000000000 (include this in support requests)."}
}

// appendErrors writes the member "errors".
func appendErrors(b []byte, errs []gqlError) []byte {
	b = append(b, `"errors":[`...)
	for i, e := range errs {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.append(b)
	}
	return append(b, ']')
}

// appendExtensions writes the member "extensions": the cost, and where a filter
// was not understood.
func appendExtensions(b []byte, cost costState, warnings []gqlWarning) []byte {
	type warning struct {
		Field   string `json:"field"`
		Message string `json:"message"`
		Code    string `json:"code"`
	}
	type search struct {
		Path     []any     `json:"path"`
		Query    string    `json:"query"`
		Warnings []warning `json:"warnings"`
	}
	said := struct {
		Cost   costState `json:"cost"`
		Search []search  `json:"search,omitempty"`
	}{Cost: cost}
	for _, w := range warnings {
		s := search{Path: w.path, Query: w.query}
		for _, f := range w.fields {
			s.Warnings = append(s.Warnings, warning{f, "Invalid search field for this query.", "invalid_field"})
		}
		said.Search = append(said.Search, s)
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(append(b, `"extensions":`...), text...)
}

// location is a place in a document, from 1.
type location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func (e *gqlError) append(b []byte) []byte {
	said := struct {
		Message    string         `json:"message"`
		Locations  []location     `json:"locations,omitempty"`
		Path       []any          `json:"path,omitempty"`
		Extensions map[string]any `json:"extensions,omitempty"`
	}{Message: e.message, Path: e.path, Extensions: map[string]any{}}
	if e.at != nil {
		said.Locations = []location{{e.at.Line, e.at.Column}}
	}
	for k, v := range e.more {
		said.Extensions[k] = v
	}
	if e.code != "" {
		said.Extensions["code"] = e.code
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(b, text...)
}
