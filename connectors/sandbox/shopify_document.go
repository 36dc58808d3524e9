package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// planCache keeps what documents come to. Clients send few, again and again.
type planCache struct {
	graph   *graph
	schemas map[string]*ast.Schema
	guards  gqlGuards

	lock  sync.Mutex
	known map[planKey]*plannedDocument
}

type planKey struct{ version, text, operation string }

// plannedDocument is a document that can be answered, or what is wrong with
// it.
type plannedDocument struct {
	plan       *gqlPlan
	schema     *ast.Schema // nil: not checked
	deprecated []string    // fields that it asks for
	errs       []gqlError
}

// maxPlans bounds the cache; a client that writes values into its documents
// fills it.
const maxPlans = 256

func (c *planCache) plan(key planKey) *plannedDocument {
	c.lock.Lock()
	defer c.lock.Unlock()
	if p := c.known[key]; p != nil {
		return p
	}
	p := c.read(key)
	if c.known == nil || len(c.known) >= maxPlans {
		c.known = map[planKey]*plannedDocument{}
	}
	c.known[key] = p
	return p
}

// read parses a document, checks it against the schema of its version, and
// plans one of its operations.
func (c *planCache) read(key planKey) *plannedDocument {
	p := &plannedDocument{schema: c.schemas[key.version]}
	doc, err := parser.ParseQuery(&ast.Source{Input: key.text})
	if err != nil {
		p.errs = []gqlError{asGraphQL(err)}
		return p
	}
	if p.schema != nil {
		if p.errs = against(p.schema, doc); len(p.errs) > 0 {
			return p
		}
		p.deprecated = deprecatedFields(p.schema, doc)
	}
	op := doc.Operations.ForName(key.operation)
	if op == nil {
		p.errs = []gqlError{{message: "An operation name is required"}}
		return p
	}
	p.plan, p.errs = c.graph.makePlan(doc, op, c.guards)
	if p.schema != nil {
		for i := range p.errs { // the schema has it: it is the sandbox that does not
			p.errs[i].message = "The sandbox does not play this: " + p.errs[i].message
		}
	}
	return p
}

// against checks a document, and words what is wrong as Shopify does where a
// client may look at it.
func against(schema *ast.Schema, doc *ast.QueryDocument) []gqlError {
	var errs []gqlError
	for _, e := range validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()) {
		if e.Rule == "FieldsOnCorrectType" {
			continue // undefinedFields says it better
		}
		said := asGraphQL(e)
		said.code = ruleCode(e.Rule)
		errs = append(errs, said)
	}
	return append(undefinedFields(schema, doc), errs...)
}

// ruleCode is what Shopify calls a breach of a rule of the GraphQL
// specification.
func ruleCode(rule string) string {
	switch rule {
	case "KnownArgumentNames":
		return "argumentNotAccepted"
	case "KnownDirectives":
		return "undefinedDirective"
	case "KnownFragmentNames":
		return "useAndDefineFragment"
	case "KnownTypeNames":
		return "undefinedType"
	case "NoUndefinedVariables":
		return "variableNotDefined"
	case "NoUnusedVariables":
		return "variableNotUsed"
	case "ProvidedRequiredArguments":
		return "missingRequiredArguments"
	case "ScalarLeafs":
		return "selectionMismatch"
	case "ValuesOfCorrectType":
		return "argumentLiteralsIncompatible"
	case "VariablesInAllowedPosition":
		return "variableMismatch"
	}
	return strings.ToLower(rule[:1]) + rule[1:]
}

func undefinedFields(schema *ast.Schema, doc *ast.QueryDocument) []gqlError {
	var errs []gqlError
	var events core.Events
	events.OnField(func(_ *core.Walker, f *ast.Field) {
		if f.Definition != nil || f.ObjectDefinition == nil || f.Name == typenameField {
			return
		}
		errs = append(errs, gqlError{at: f.Position, code: "undefinedField", more: map[string]any{"typeName": f.ObjectDefinition.Name, "fieldName": f.Name},
			message: "Field '" + f.Name + "' doesn't exist on type '" + f.ObjectDefinition.Name + "'"})
	})
	core.Walk(schema, doc, &events)
	return errs
}

// deprecatedFields lists the fields of a document that the schema calls
// deprecated, each once: "Order.cartDiscountAmount".
func deprecatedFields(schema *ast.Schema, doc *ast.QueryDocument) []string {
	var names []string
	var events core.Events
	events.OnField(func(_ *core.Walker, f *ast.Field) {
		if f.Definition == nil || f.ObjectDefinition == nil || f.Definition.Directives.ForName("deprecated") == nil {
			return
		}
		if name := f.ObjectDefinition.Name + "." + f.Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	core.Walk(schema, doc, &events)
	return names
}

func asGraphQL(err error) gqlError {
	e := gqlError{message: err.Error()}
	var said *gqlerror.Error
	if errors.As(err, &said) {
		e.message = said.Message
		if len(said.Locations) > 0 {
			e.at = &ast.Position{Line: said.Locations[0].Line, Column: said.Locations[0].Column}
		}
	}
	return e
}

// variables checks the variables and fills in defaults.
func (p *plannedDocument) variables(given map[string]any) (map[string]any, []gqlError) {
	vars := map[string]any{}
	for _, v := range p.plan.operation.VariableDefinitions {
		value, ok := given[v.Variable]
		if !ok && v.DefaultValue != nil {
			value, _ = v.DefaultValue.Value(nil) // a literal: cannot fail
			ok = true
		}
		if v.Type.NonNull && value == nil {
			return nil, []gqlError{invalidVariable(v, "Expected value to not be null")}
		}
		if ok {
			vars[v.Variable] = value
		}
	}
	if p.schema == nil {
		return vars, nil
	}
	checked, err := validator.VariableValues(p.schema, p.plan.operation, given)
	if err != nil {
		e := gqlError{message: fmt.Sprintf("Variables were provided invalid value (%v)", err), code: "INVALID_VARIABLE"}
		return nil, []gqlError{e}
	}
	return checked, nil
}

func invalidVariable(v *ast.VariableDefinition, why string) gqlError {
	return gqlError{at: v.Position, code: "INVALID_VARIABLE",
		message: "Variable $" + v.Variable + " of type " + v.Type.String() + " was provided invalid value (" + why + ")"}
}
