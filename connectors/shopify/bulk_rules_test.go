package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"comptoir/connectors/schema"

	"github.com/vektah/gqlparser/v2/ast"
)

// bulkFaults lists why a bulk operation would refuse a query that the schema
// allows.
func bulkFaults(doc *ast.QueryDocument) []string {
	op := doc.Operations[0]
	w := bulkWalk{}
	if op.Operation != ast.Query || len(op.SelectionSet) != 1 {
		w.fault("it is not a query of one field")
	}
	if len(op.VariableDefinitions) > 0 {
		w.fault("it has variables")
	}
	w.selection(op.SelectionSet, 0, false)
	if w.connections == 0 || w.connections > 5 {
		w.fault("it has %d connections", w.connections)
	}
	return w.faults
}

type bulkWalk struct {
	faults      []string
	connections int
}

func (w *bulkWalk) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// selection looks at fields below so many connections.
func (w *bulkWalk) selection(set ast.SelectionSet, depth int, inList bool) {
	for _, f := range fieldsOf(set) {
		if f.Definition == nil || !strings.HasSuffix(f.Definition.Type.Name(), "Connection") {
			w.selection(f.SelectionSet, depth, inList || f.Definition != nil && f.Definition.Type.Elem != nil)
			continue
		}
		w.connections++
		if inList {
			w.fault("%s is a connection inside a list", f.Name)
		}
		if depth > 2 {
			w.fault("%s is too deep", f.Name)
		}
		w.connection(f, depth)
	}
}

// connection looks at the nodes of one, which must be told apart by their ids.
func (w *bulkWalk) connection(f *ast.Field, depth int) {
	edges := fieldsOf(f.SelectionSet)
	if len(edges) != 1 || edges[0].Name != "edges" || len(fieldsOf(edges[0].SelectionSet)) != 1 {
		w.fault("%s is not read by edges and node alone", f.Name)
		return
	}
	node := fieldsOf(edges[0].SelectionSet)[0]
	if !slices.ContainsFunc(fieldsOf(node.SelectionSet), func(f *ast.Field) bool { return f.Name == "id" && f.Alias == "id" }) {
		w.fault("the nodes of %s have no id", f.Name)
	}
	w.selection(node.SelectionSet, depth+1, false)
}

// fieldsOf lists the fields of a selection, also of its fragments.
func fieldsOf(set ast.SelectionSet) []*ast.Field {
	var fields []*ast.Field
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			fields = append(fields, s)
		case *ast.InlineFragment:
			fields = append(fields, fieldsOf(s.SelectionSet)...)
		case *ast.FragmentSpread:
			fields = append(fields, fieldsOf(s.Definition.SelectionSet)...)
		}
	}
	return fields
}

func TestBulkOperationTakesOurQuery(t *testing.T) {
	for _, version := range schema.Versions() {
		doc, faults := schema.Check(schema.Need(t, version), bulkQuery())
		if len(faults) == 0 {
			faults = bulkFaults(doc)
		}
		for _, fault := range faults {
			t.Errorf("%s: %s", version, fault)
		}
	}
}

// What comes in a connection that joining does not know would spoil a result.
func TestConnectionsOfOurQueryAreJoined(t *testing.T) {
	doc, _ := schema.Check(schema.Need(t, DefaultVersion), bulkQuery())
	var look func(set ast.SelectionSet, top bool)
	look = func(set ast.SelectionSet, top bool) {
		for _, f := range fieldsOf(set) {
			name := f.Definition.Type.Name()
			if kind, is := strings.CutSuffix(name, "Connection"); is && !top {
				if field, known := connectionOf(kind); !known || field != f.Name {
					t.Errorf("%s holds objects of the type %s, which are joined as %q", f.Name, kind, field)
				}
			}
			look(f.SelectionSet, false)
		}
	}
	look(doc.Operations[0].SelectionSet, true)
}

func TestRulesOfBulkOperationsAreFound(t *testing.T) {
	for query, want := range map[string]string{
		`{ orders { nodes { id } } }`:                                                                "orders is not read by edges",
		`{ orders { edges { node { name } } } }`:                                                     "the nodes of orders have no id",
		`{ orders { edges { node { key: id } } } }`:                                                  "the nodes of orders have no id",
		`{ orders { edges { node { id refunds { refundLineItems { edges { node { id } } } } } } } }`: "refundLineItems is a connection inside a list",
		`{ orders { edges { node { id } } } shop { name } }`:                                         "it is not a query of one field",
		`{ shop { name } }`:                                                                          "it has 0 connections",
		`query ($q: String) { orders(query: $q) { edges { node { id } } } }`:                         "it has variables",
		`{ collections { edges { node { id products { edges { node { id variants { edges { node { id metafields { edges { node { id } } } } } } } } } } } } }`:                                                                             "metafields is too deep",
		`{ products { edges { node { id variants { edges { node { id } } } metafields { edges { node { id } } } collections { edges { node { id } } } media { edges { node { id } } } sellingPlanGroups { edges { node { id } } } } } } }`: "it has 6 connections",
	} {
		doc, faults := schema.Check(schema.Need(t, DefaultVersion), query)
		if len(faults) > 0 {
			t.Fatalf("%s: %q", query, faults)
		}
		if faults := bulkFaults(doc); !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("%s: found %q, want %q", query, faults, want)
		}
	}
}
