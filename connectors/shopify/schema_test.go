package shopify

import (
	"slices"
	"strings"
	"testing"

	"comptoir/connectors/schema"

	"github.com/vektah/gqlparser/v2/ast"
)

// mostPoints is what one request may cost.
const mostPoints = 1000

// Every document that can be sent exists in each version that is supported,
// and touches nothing that is deprecated.
func TestDocumentsKeepToTheSchema(t *testing.T) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range schema.Versions() {
		t.Run(version, func(t *testing.T) {
			s := schema.Need(t, version)
			for _, doc := range all {
				if !sentTo(doc, all, version) {
					continue
				}
				if _, wrong := schema.Check(s, doc.text); len(wrong) > 0 {
					t.Errorf("%s: %q", doc.name, wrong)
				}
			}
		})
	}
}

// sentTo reports whether a document is sent to a version of the API. One whose
// name ends in until and a version is for that and older ones; the document of
// the same name without is for the newer.
func sentTo(doc document, all []document, version string) bool {
	version = strings.ReplaceAll(version, "-", "_")
	if _, last, old := strings.Cut(doc.name, "_until_"); old {
		return version <= last
	}
	return !slices.ContainsFunc(all, func(d document) bool {
		last, old := strings.CutPrefix(d.name, doc.name+"_until_")
		return old && version <= last
	})
}

// A page of the size that is asked for first fits into what one request may
// cost; what does not is halved, which costs a request.
func TestDocumentsFitTheirCost(t *testing.T) {
	s := schema.Need(t, DefaultVersion)
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range all {
		if !sentTo(doc, all, DefaultVersion) {
			continue
		}
		parsed, wrong := schema.Check(s, doc.text)
		if parsed == nil {
			t.Errorf("%s: %q", doc.name, wrong)
			continue
		}
		if strings.HasSuffix(doc.name, "_bulk") {
			continue // run by the shop in the background, at no cost
		}
		op := parsed.Operations[0]
		vars := map[string]any{}
		for _, v := range op.VariableDefinitions {
			if v.DefaultValue == nil && v.Type.Name() == "Int" {
				vars[v.Variable] = NewConfig().PageSize
			}
		}
		cost := schema.Cost(s, parsed, op, vars)
		t.Logf("%s: %d points", doc.name, cost)
		if cost > mostPoints {
			t.Errorf("%s costs %d points with %v, more than the %d that Shopify allows", doc.name, cost, vars, mostPoints)
		}
	}
}

// A right that a document needs and nobody asks for would stop the shop only
// when it is read.
func TestRightsOfTheDocumentsAreThoseThatProbeLooksAt(t *testing.T) {
	s := schema.Need(t, DefaultVersion)
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	looked := []string{scopePayments}
	for _, r := range slices.Concat(rights[:], writing[:]) {
		looked = append(looked, r.scope)
	}
	needed := map[string]bool{}
	for _, doc := range all {
		if !sentTo(doc, all, DefaultVersion) {
			continue
		}
		parsed, wrong := schema.Check(s, doc.text)
		if parsed == nil {
			t.Errorf("%s: %q", doc.name, wrong)
			continue
		}
		for _, one := range schema.Scopes(DefaultVersion, parsed) {
			i := slices.IndexFunc(looked, func(scope string) bool {
				what, writes := strings.CutPrefix(scope, "write_") // who may write may read
				return slices.Contains(one, scope) || writes && slices.Contains(one, "read_"+what)
			})
			if i < 0 {
				t.Errorf("%s needs one of %v, and Probe looks at none of them", doc.name, one)
				continue
			}
			needed[looked[i]] = true
		}
	}
	for _, scope := range looked {
		if !needed[scope] {
			t.Errorf("no document needs %s", scope)
		}
	}
}

func TestTheDefaultVersionIsChecked(t *testing.T) {
	if newest := schema.Versions()[0]; newest != DefaultVersion {
		t.Errorf("the default is %s, the newest schema that of %s", DefaultVersion, newest)
	}
}

// The proof that the tests above can fail.
func TestWrongDocumentsAreFound(t *testing.T) {
	s := schema.Need(t, DefaultVersion)
	for name, text := range map[string]string{
		"a field that is unknown":    `query q { orders(first: 5) { nodes { id turnover } } }`,
		"a field that is deprecated": `query q { orders(first: 5) { nodes { id totalPrice } } }`,
		"a value that is unknown":    `query q { orders(first: 5, sortKey: MOOD) { nodes { id } } }`,
		"an argument of old":         `query q { orders(first: 5, page: 2) { nodes { id } } }`,
	} {
		if _, wrong := schema.Check(s, text); len(wrong) != 1 {
			t.Errorf("%s: found %q", name, wrong)
		}
	}
	dear, _ := schema.Check(s, `query q { orders(first: 250) { nodes { lineItems(first: 250) { nodes { taxLines { rate } variants: variant { id } duties { id taxLines { rate } } } } } } }`)
	if dear == nil || len(dear.Operations) != 1 || dear.Operations[0].Operation != ast.Query || schema.Cost(s, dear, dear.Operations[0], nil) < mostPoints/2 {
		t.Error("a document that asks for much is cheap")
	}
}
