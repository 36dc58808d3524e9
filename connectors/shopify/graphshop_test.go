package shopify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// graphShop answers any document over orders that are written out whole: it
// gives of each what is asked for and no more, and cuts connections as they
// are asked to be cut. It knows no types: connections are lists in the orders.
type graphShop struct {
	t      testing.TB
	orders []map[string]any
	scopes []string
	most   int // nodes of one connection, whatever is asked for; 0: no limit

	mu    sync.Mutex
	asked []string                               // operations
	spoil func(op string, answer map[string]any) // spoils an answer
}

func newGraphShop(t testing.TB, orders ...json.RawMessage) *graphShop {
	t.Helper()
	s := &graphShop{t: t, scopes: []string{"read_orders", "read_all_orders"}}
	for _, raw := range orders {
		var o map[string]any
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		s.orders = append(s.orders, flat(o).(map[string]any))
	}
	return s
}

// flat writes connections as lists.
func flat(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = flat(v[i])
		}
	case map[string]any:
		if nodes, ok := v["nodes"]; ok {
			return flat(nodes)
		}
		for key := range v {
			v[key] = flat(v[key])
		}
	}
	return v
}

func (s *graphShop) connector() *Connector {
	s.t.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken, cfg.Bulk, cfg.RetryWait = "https://atelier.myshopify.com", "shpat_1", BulkNever, time.Millisecond
	c, err := New(connectors.Env{Shop: "atelier", Transport: s, Now: func() time.Time { return noon }, Log: zerolog.Nop()}, cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *graphShop) RoundTrip(req *http.Request) (*http.Response, error) {
	var said struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := json.NewDecoder(req.Body).Decode(&said); err != nil {
		return nil, err
	}
	answer, op := s.answer(said.Query, said.Variables)
	s.mu.Lock()
	s.asked = append(s.asked, op)
	if s.spoil != nil {
		s.spoil(op, answer)
	}
	s.mu.Unlock()
	body, err := json.Marshal(map[string]any{"data": answer})
	if err != nil {
		return nil, err
	}
	res := answered(http.StatusOK, string(body))
	res.Header.Set("Date", noon.Format(http.TimeFormat))
	res.Header.Set("Content-Type", "application/json")
	return res, nil
}

// answer runs a document.
func (s *graphShop) answer(text string, vars map[string]any) (answer map[string]any, op string) {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		s.t.Errorf("a document cannot be parsed: %v", err)
		return nil, ""
	}
	run := graphRun{s, doc, vars}
	return run.object(doc.Operations[0].SelectionSet, s.root(vars)), doc.Operations[0].Name
}

// root is what a query begins with.
func (s *graphShop) root(vars map[string]any) map[string]any {
	after := uint64(0)
	search, _ := vars["query"].(string)
	if _, id, found := strings.Cut(search, "id:>"); found {
		after, _ = strconv.ParseUint(id, 10, 64)
	}
	list := []any{}
	for _, o := range s.orders {
		if (scalar{text: o["id"].(string)}).id() > after {
			list = append(list, o)
		}
	}
	var scopes []any
	for _, handle := range s.scopes {
		scopes = append(scopes, map[string]any{"handle": handle})
	}
	root := map[string]any{"orders": list, "shop": map[string]any{"billingAddress": map[string]any{"countryCodeV2": "FR"}},
		"currentAppInstallation": map[string]any{"accessScopes": scopes}}
	ids, _ := vars["ids"].([]any)
	found := make([]any, len(ids))
	for i := range ids {
		for _, o := range s.orders {
			if node := find(o, ids[i].(string)); node != nil {
				found[i] = node
				break
			}
		}
	}
	root["nodes"] = found
	return root
}

// find looks for an object by its id, in v and below. One that has more than
// its id is meant.
func find(v any, id string) map[string]any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if got := find(v[i], id); got != nil {
				return got
			}
		}
	case map[string]any:
		if v["id"] == id && len(v) > 1 {
			return v
		}
		for key := range v {
			if got := find(v[key], id); got != nil {
				return got
			}
		}
	}
	return nil
}

type graphRun struct {
	shop *graphShop
	doc  *ast.QueryDocument
	vars map[string]any
}

// object gives of an object what is selected.
func (g graphRun) object(set ast.SelectionSet, of map[string]any) map[string]any {
	out := map[string]any{}
	for _, selection := range set {
		switch sel := selection.(type) {
		case *ast.Field:
			out[sel.Name] = g.value(sel, of[sel.Name])
		case *ast.InlineFragment:
			g.spread(out, sel.TypeCondition, sel.SelectionSet, of)
		case *ast.FragmentSpread:
			f := g.doc.Fragments.ForName(sel.Name)
			g.spread(out, f.TypeCondition, f.SelectionSet, of)
		}
	}
	return out
}

func (g graphRun) spread(out map[string]any, condition string, set ast.SelectionSet, of map[string]any) {
	if name, ok := of["__typename"].(string); ok && !strings.HasSuffix(name, condition) {
		return
	}
	for key, value := range g.object(set, of) {
		out[key] = value
	}
}

func (g graphRun) value(f *ast.Field, v any) any {
	if f.SelectionSet == nil {
		return v
	}
	if part := asked(f.SelectionSet, "nodes"); part != nil {
		return g.connection(f, part, v, func(node any) any { return node })
	}
	if part := asked(f.SelectionSet, "edges"); part != nil {
		return g.connection(f, asked(part.SelectionSet, "node"), v, func(node any) any { return map[string]any{"node": node} })
	}
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = g.value(f, v[i])
		}
		return list
	case map[string]any:
		return g.object(f.SelectionSet, v)
	default:
		return nil
	}
}

func asked(set ast.SelectionSet, name string) *ast.Field {
	for _, selection := range set {
		if f, ok := selection.(*ast.Field); ok && f.Name == name {
			return f
		}
	}
	return nil
}

// connection cuts a list as it is asked for. The cursor is the position.
func (g graphRun) connection(f, part *ast.Field, v any, wrap func(any) any) any {
	list, _ := v.([]any)
	args := map[string]any{}
	for _, arg := range f.Arguments {
		value, err := arg.Value.Value(g.vars)
		if err != nil {
			g.shop.t.Errorf("argument %s of %s: %v", arg.Name, f.Name, err)
		}
		args[arg.Name] = value
	}
	from := 0
	if after, ok := args["after"].(string); ok {
		from, _ = strconv.Atoi(after)
	}
	n := len(list)
	switch first := args["first"].(type) {
	case int64:
		n = int(first)
	case float64:
		n = int(first)
	}
	if g.shop.most > 0 {
		n = min(n, g.shop.most)
	}
	to := min(from+n, len(list))
	nodes := []any{}
	for _, node := range list[min(from, to):to] {
		nodes = append(nodes, wrap(g.object(part.SelectionSet, node.(map[string]any))))
	}
	name := "nodes"
	if asked(f.SelectionSet, "edges") != nil {
		name = "edges"
	}
	out := map[string]any{name: nodes, "pageInfo": map[string]any{"hasNextPage": to < len(list), "endCursor": nil}}
	if to > from {
		out["pageInfo"].(map[string]any)["endCursor"] = fmt.Sprint(to)
	}
	return out
}

// times is how often an operation was asked for.
func (s *graphShop) times(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(s.asked), func(a string) bool { return a != op }))
}
