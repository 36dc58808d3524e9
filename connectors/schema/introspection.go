package schema

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// introspection is a schema as a server describes it, in the form that the
// GraphQL specification gives to __Schema.
type introspection struct {
	QueryType    named          `json:"queryType"`
	MutationType *named         `json:"mutationType"`
	Types        []typeInfo     `json:"types"`
	Directives   []directiveDef `json:"directives"`
}

type named struct {
	Name string `json:"name"`
}

type typeInfo struct {
	Kind          string      `json:"kind"`
	Name          string      `json:"name"`
	OneOf         bool        `json:"isOneOf"`
	Fields        []fieldInfo `json:"fields"`
	InputFields   []inputInfo `json:"inputFields"`
	Interfaces    []named     `json:"interfaces"`
	EnumValues    []enumInfo  `json:"enumValues"`
	PossibleTypes []named     `json:"possibleTypes"`
}

type fieldInfo struct {
	Name string      `json:"name"`
	Args []inputInfo `json:"args"`
	Type typeRef     `json:"type"`
	deprecation
}

type inputInfo struct {
	Name    string  `json:"name"`
	Type    typeRef `json:"type"`
	Default *string `json:"defaultValue"`
	deprecation
}

type enumInfo struct {
	Name string `json:"name"`
	deprecation
}

type deprecation struct {
	Deprecated bool   `json:"isDeprecated"`
	Reason     string `json:"deprecationReason"`
}

type typeRef struct {
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	OfType *typeRef `json:"ofType"`
}

type directiveDef struct {
	Name       string      `json:"name"`
	Repeatable bool        `json:"isRepeatable"`
	Locations  []string    `json:"locations"`
	Args       []inputInfo `json:"args"`
}

// writer makes definitions that all say where they come from.
type writer struct{ at *ast.Position }

// document returns the definitions of the schema, and those that every schema
// has.
func (s introspection) document(version string) (*ast.SchemaDocument, error) {
	doc := validator.PreludeDocument()
	w := writer{&ast.Position{Src: &ast.Source{Name: "Admin API " + version}}}
	builtIn := map[string]bool{}
	for _, def := range doc.Definitions {
		builtIn[def.Name] = true
	}
	for _, t := range s.Types {
		if builtIn[t.Name] {
			continue
		}
		def, err := w.definition(t)
		if err != nil {
			return nil, fmt.Errorf("type %s: %w", t.Name, err)
		}
		doc.Definitions = append(doc.Definitions, def)
	}
	for _, d := range s.Directives {
		if doc.Directives.ForName(d.Name) != nil {
			continue
		}
		args, err := w.arguments(d.Args)
		if err != nil {
			return nil, fmt.Errorf("directive %s: %w", d.Name, err)
		}
		def := &ast.DirectiveDefinition{Name: d.Name, Arguments: args, IsRepeatable: d.Repeatable, Position: w.at}
		for _, l := range d.Locations {
			def.Locations = append(def.Locations, ast.DirectiveLocation(l))
		}
		doc.Directives = append(doc.Directives, def)
	}
	roots := ast.OperationTypeDefinitionList{{Operation: ast.Query, Type: s.QueryType.Name, Position: w.at}}
	if s.MutationType != nil {
		roots = append(roots, &ast.OperationTypeDefinition{Operation: ast.Mutation, Type: s.MutationType.Name, Position: w.at})
	}
	doc.Schema = append(doc.Schema, &ast.SchemaDefinition{OperationTypes: roots, Position: w.at})
	return doc, nil
}

func (w writer) definition(t typeInfo) (*ast.Definition, error) {
	def := &ast.Definition{Kind: ast.DefinitionKind(t.Kind), Name: t.Name, Position: w.at}
	if t.OneOf {
		def.Directives = append(def.Directives, &ast.Directive{Name: "oneOf", Position: w.at})
	}
	for _, i := range t.Interfaces {
		def.Interfaces = append(def.Interfaces, i.Name)
	}
	if def.Kind == ast.Union {
		for _, p := range t.PossibleTypes {
			def.Types = append(def.Types, p.Name)
		}
	}
	for _, e := range t.EnumValues {
		def.EnumValues = append(def.EnumValues, &ast.EnumValueDefinition{Name: e.Name, Directives: w.deprecated(e.deprecation), Position: w.at})
	}
	for _, f := range t.Fields {
		args, err := w.arguments(f.Args)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		def.Fields = append(def.Fields, &ast.FieldDefinition{Name: f.Name, Type: w.typeOf(f.Type), Arguments: args,
			Directives: w.deprecated(f.deprecation), Position: w.at})
	}
	inputs, err := w.arguments(t.InputFields)
	if err != nil {
		return nil, err
	}
	for _, in := range inputs {
		def.Fields = append(def.Fields, &ast.FieldDefinition{Name: in.Name, Type: in.Type, DefaultValue: in.DefaultValue,
			Directives: in.Directives, Position: w.at})
	}
	return def, nil
}

func (w writer) arguments(of []inputInfo) (ast.ArgumentDefinitionList, error) {
	var list ast.ArgumentDefinitionList
	for _, in := range of {
		arg := &ast.ArgumentDefinition{Name: in.Name, Type: w.typeOf(in.Type), Directives: w.deprecated(in.deprecation), Position: w.at}
		if in.Default != nil {
			value, err := literal(*in.Default)
			if err != nil {
				return nil, fmt.Errorf("default of %s: %w", in.Name, err)
			}
			arg.DefaultValue = value
		}
		list = append(list, arg)
	}
	return list, nil
}

// literal reads a value as it stands in GraphQL, by way of a document that
// holds it.
func literal(text string) (*ast.Value, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: "{ f(v: " + text + ") }"})
	if err != nil {
		return nil, err
	}
	if len(doc.Operations) == 1 && len(doc.Operations[0].SelectionSet) == 1 {
		if f, ok := doc.Operations[0].SelectionSet[0].(*ast.Field); ok && len(f.Arguments) == 1 {
			return f.Arguments[0].Value, nil
		}
	}
	return nil, fmt.Errorf("%q is no value", text)
}

func (w writer) typeOf(r typeRef) *ast.Type {
	switch {
	case r.Kind == "NON_NULL" && r.OfType != nil:
		t := *w.typeOf(*r.OfType)
		t.NonNull = true
		return &t
	case r.Kind == "LIST" && r.OfType != nil:
		return ast.ListType(w.typeOf(*r.OfType), w.at)
	default:
		return ast.NamedType(r.Name, w.at)
	}
}

func (w writer) deprecated(d deprecation) ast.DirectiveList {
	if !d.Deprecated {
		return nil
	}
	reason := &ast.Value{Kind: ast.StringValue, Raw: strings.Join(strings.Fields(d.Reason), " "), Position: w.at}
	return ast.DirectiveList{{Name: "deprecated", Position: w.at,
		Arguments: ast.ArgumentList{{Name: "reason", Value: reason, Position: w.at}}}}
}
