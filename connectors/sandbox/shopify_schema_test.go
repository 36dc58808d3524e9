package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"comptoir/connectors/schema"

	"github.com/vektah/gqlparser/v2/ast"
)

// What the graph plays is in the published schema, of the same shape.
func TestGraphKeepsToTheSchema(t *testing.T) {
	published := schema.Need(t, "2026-10")
	g := newGraph(shopifyTypes()...)
	for _, name := range slices.Sorted(maps.Keys(g.types)) {
		typ, def := g.types[name], published.Types[name]
		if def == nil {
			t.Errorf("type %s is not in the schema", name)
			continue
		}
		if abstract := def.Kind == ast.Interface || def.Kind == ast.Union; abstract != (typ.which != nil) {
			t.Errorf("type %s is an %s in the schema", name, def.Kind)
		}
		for _, of := range typ.is {
			if !slices.ContainsFunc(published.PossibleTypes[of], func(d *ast.Definition) bool { return d.Name == name }) {
				t.Errorf("type %s is no %s in the schema", name, of)
			}
		}
		for _, field := range slices.Sorted(maps.Keys(typ.fields)) {
			f := typ.fields[field]
			d := def.Fields.ForName(field)
			if d == nil {
				t.Errorf("field %s.%s is not in the schema", name, field)
				continue
			}
			of := published.Types[d.Type.Name()]
			leaf := of.Kind == ast.Scalar || of.Kind == ast.Enum
			switch {
			case leaf != (f.of == ""), !leaf && f.value() != of.Name:
				t.Errorf("field %s.%s is %s in the schema, here %q", name, field, d.Type, f.value())
			case !leaf && f.many != (d.Type.Elem != nil):
				t.Errorf("field %s.%s is %s in the schema: a list, or not", name, field, d.Type)
			}
		}
	}
}

func TestDocumentsAreCheckedAgainstTheSchema(t *testing.T) {
	schemas := map[string]*ast.Schema{}
	for _, v := range schema.Versions() {
		schemas[v] = schema.Need(t, v)
	}
	s := New(Options{Seed: 1, Orders: 5, Platform: Shopify, Schemas: schemas})
	for _, c := range []struct {
		ask  string
		vars map[string]any
		code string
	}{
		{`{ bulkOperations(first: 1) { nodes { id colour } } }`, nil, "undefinedField"},
		{`{ bulkOperations(first: 1, colour: 2) { nodes { id } } }`, nil, "argumentNotAccepted"},
		{`{ bulkOperations(first: "1") { nodes { id } } }`, nil, "argumentLiteralsIncompatible"},
		{`{ bulkOperations(first: 1) }`, nil, "selectionMismatch"},
		{`{ bulkOperation { id } }`, nil, "missingRequiredArguments"},
		{`query($n: String) { bulkOperations(first: $n) { nodes { id } } }`, nil, "variableMismatch"},
		{`query($n: Int) { bulkOperations(first: 1) { nodes { id } } }`, nil, "variableNotUsed"},
		{`query($n: Int!) { bulkOperations(first: $n) { nodes { id } } }`, nil, "INVALID_VARIABLE"},
		{`query($n: Int!) { bulkOperations(first: $n) { nodes { id } } }`, map[string]any{"n": "one"}, "INVALID_VARIABLE"},
		{`{ bulkOperations(first: 1) @idempotent(key: "x") @nonsense { nodes { id } } }`, nil, "undefinedDirective"},
		{`{ abandonmentByAbandonedCheckoutId(abandonedCheckoutId: "x") { id } }`, nil, "undefinedField"}, // the schema has it, the sandbox does not
	} {
		if a := asking(t, s, c.ask, c.vars); len(a.codes()) == 0 || a.codes()[0] != c.code || a.Data != nil {
			t.Errorf("%s: %+v %s", c.ask, a.Errors, a.Data)
		}
	}
	const old = `{ currentBulkOperation { id } }`
	for _, version := range schema.Versions() {
		res, _ := do(t, s, post(t, s, version, s.Key(), old, nil))
		if why := res.Header.Get("X-Shopify-API-Deprecated-Reason"); res.StatusCode != http.StatusOK || why != "QueryRoot.currentBulkOperation" {
			t.Errorf("%s: a deprecated field is answered %d %q", version, res.StatusCode, why)
		}
	}
	if a := asking(t, s, `query($n: Int = 2) { bulkOperations(first: $n) { nodes { id } } }`, nil); len(a.Errors) > 0 || a.header.Get("X-Shopify-API-Deprecated-Reason") != "" {
		t.Errorf("a good document: %+v %v", a.Errors, a.header)
	}
}
