package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// shopify is what the shop keeps as a speaker of Shopify's GraphQL Admin API.
type shopify struct {
	graph *graph
	plans planCache
}

// openShopify makes the shop ready to speak Shopify.
func (s *Shop) openShopify() *shopify {
	return &shopify{graph: newGraph(shopifyTypes()...)}
}

// graphQLPath is where the API answers, the version between its halves.
const (
	adminRoot   = "/admin/api/"
	graphQLFile = "/graphql.json"
)

// maxRequest bounds a request, in bytes.
const maxRequest = 1 << 20

// speakShopify is the Shopify dialect. The path that counts and faults go by
// ends in the fields that are asked of the root:
// /admin/api/2026-10/graphql.json/orders.
func (s *Shop) speakShopify(r *http.Request) (string, func(hits) *reply) {
	version, ok := apiVersion(r.URL.Path)
	if !ok {
		return r.URL.Path, func(hits) *reply { return s.shopifyPage(r) }
	}
	q := s.readQuestion(r, version)
	return r.URL.Path + "/" + strings.Join(q.fields(), "/"), func(h hits) *reply { return s.answerGraphQL(r, q, h) }
}

// apiVersion finds the version in the address of the API.
func apiVersion(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, adminRoot)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, graphQLFile)
}

func (s *Shop) shopifyPage(r *http.Request) *reply {
	return shopifyErrors(http.StatusNotFound, "Not Found")
}

// question is one GraphQL request.
type question struct {
	version string
	plan    *gqlPlan
	vars    map[string]any
	bad     *reply     // the request cannot be read at all
	errs    []gqlError // the document cannot be answered
}

// fields are the fields asked of the root.
func (q *question) fields() []string {
	if q.plan == nil {
		return nil
	}
	var names []string
	for _, n := range q.plan.root.nodes {
		names = append(names, n.ask.Name)
	}
	return names
}

func (s *Shop) readQuestion(r *http.Request, version string) *question {
	q := &question{version: version}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	var asked struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err != nil || d.Decode(&asked) != nil {
		q.bad = shopifyErrors(http.StatusBadRequest, map[string]string{"query": "Required parameter missing or invalid"})
		return q
	}
	known := s.shopify.plans.plan(s.shopify.graph, asked.Query, asked.OperationName)
	q.plan, q.errs = known.plan, known.errs
	if len(q.errs) > 0 {
		return q
	}
	q.vars, q.errs = variables(q.plan.operation, asked.Variables)
	return q
}

// variables fills in defaults, and refuses what is missing.
func variables(op *ast.OperationDefinition, given map[string]any) (map[string]any, []gqlError) {
	vars := map[string]any{}
	var errs []gqlError
	for _, v := range op.VariableDefinitions {
		value, ok := given[v.Variable]
		if !ok && v.DefaultValue != nil {
			value, _ = v.DefaultValue.Value(nil) // a literal: cannot fail
			ok = true
		}
		if v.Type.NonNull && value == nil {
			errs = append(errs, gqlError{at: v.Position, code: "INVALID_VARIABLE",
				message: "Variable $" + v.Variable + " of type " + v.Type.String() + " was provided invalid value"})
		}
		if ok {
			vars[v.Variable] = value
		}
	}
	return vars, errs
}

// answerGraphQL answers a request.
func (s *Shop) answerGraphQL(r *http.Request, q *question, h hits) *reply {
	if q.bad != nil {
		return q.bad
	}
	if len(q.errs) > 0 {
		return graphQLReply(appendErrors([]byte("{"), q.errs))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &gqlRun{s: s, plan: q.plan, vars: q.vars, hits: h, end: pagingEnd, b: append(s.door.buffer(), `{"data":`...)}
	if err := x.begin(); err != nil {
		return graphQLReply(appendErrors([]byte("{"), []gqlError{{message: err.Error(), code: "INVALID_VARIABLE"}}))
	}
	x.data()
	if len(x.errs) > 0 {
		x.b = appendErrors(append(x.b, ','), x.errs)
	}
	for _, of := range x.moved {
		s.drift(of)
	}
	return graphQLReply(x.b)
}

// pagingEnd is how many objects of one connection can be paged through.
const pagingEnd = 25_000

func graphQLReply(body []byte) *reply {
	return &reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: append(body, '}')}
}

// shopifyErrors is an error that is no answer to a query.
func shopifyErrors(status int, errs any) *reply {
	body, err := json.Marshal(map[string]any{"errors": errs})
	if err != nil {
		panic(err) // strings only
	}
	return &reply{status: status, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: body}
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

// location is a place in a document, from 1.
type location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func (e *gqlError) append(b []byte) []byte {
	said := struct {
		Message    string            `json:"message"`
		Locations  []location        `json:"locations,omitempty"`
		Path       []any             `json:"path,omitempty"`
		Extensions map[string]string `json:"extensions,omitempty"`
	}{Message: e.message, Path: e.path, Extensions: map[string]string{}}
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

// planCache keeps the plans of documents. Clients send few, again and again.
type planCache struct {
	lock  sync.Mutex
	known map[planKey]*plannedDocument
}

type planKey struct{ text, operation string }

type plannedDocument struct {
	plan *gqlPlan
	errs []gqlError
}

// maxPlans bounds the cache; a client that writes values into its documents
// fills it.
const maxPlans = 256

func (c *planCache) plan(g *graph, text, operation string) *plannedDocument {
	key := planKey{text, operation}
	c.lock.Lock()
	defer c.lock.Unlock()
	if p := c.known[key]; p != nil {
		return p
	}
	p := &plannedDocument{}
	p.plan, p.errs = g.read(text, operation)
	if c.known == nil || len(c.known) >= maxPlans {
		c.known = map[planKey]*plannedDocument{}
	}
	c.known[key] = p
	return p
}

// read parses a document and plans one of its operations.
func (g *graph) read(text, operation string) (*gqlPlan, []gqlError) {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		e := gqlError{message: err.Error()}
		var parse *gqlerror.Error
		if errors.As(err, &parse) && len(parse.Locations) > 0 {
			e.message = parse.Message
			e.at = &ast.Position{Line: parse.Locations[0].Line, Column: parse.Locations[0].Column}
		}
		return nil, []gqlError{e}
	}
	op := doc.Operations.ForName(operation)
	if op == nil {
		return nil, []gqlError{{message: "An operation name is required"}}
	}
	return g.makePlan(doc, op, nil)
}
