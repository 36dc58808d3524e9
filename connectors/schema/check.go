package schema

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Check reads a document and lists what is wrong with it: fields, arguments,
// values and types that the schema does not have, and those that it has but
// calls deprecated. The document is returned where nothing is wrong, with its
// definitions filled in.
func Check(s *ast.Schema, text string) (*ast.QueryDocument, []string) {
	doc, errs := gqlparser.LoadQueryWithRules(s, text, rules.NewDefaultRules())
	if len(errs) > 0 {
		var wrong []string
		for _, err := range errs {
			wrong = append(wrong, err.Error())
		}
		return nil, wrong
	}
	if old := Deprecated(s, doc); len(old) > 0 {
		return nil, old
	}
	return doc, nil
}

// Deprecated lists what a document asks for that the schema calls deprecated,
// each once, by its name and with the schema's advice.
func Deprecated(s *ast.Schema, doc *ast.QueryDocument) []string {
	var found []string
	note := func(name string, by ast.DirectiveList) {
		d := by.ForName("deprecated")
		if d == nil {
			return
		}
		text := name + " is deprecated"
		if reason := d.Arguments.ForName("reason"); reason != nil {
			text += ": " + reason.Value.Raw
		}
		if !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	var events core.Events
	events.OnField(func(_ *core.Walker, f *ast.Field) {
		if f.Definition == nil || f.ObjectDefinition == nil {
			return
		}
		name := f.ObjectDefinition.Name + "." + f.Name
		note(name, f.Definition.Directives)
		for _, given := range f.Arguments {
			if arg := f.Definition.Arguments.ForName(given.Name); arg != nil {
				note(fmt.Sprintf("%s(%s:)", name, given.Name), arg.Directives)
			}
		}
	})
	events.OnValue(func(_ *core.Walker, v *ast.Value) {
		switch {
		case v.Definition == nil:
		case v.Kind == ast.EnumValue:
			if e := v.Definition.EnumValues.ForName(v.Raw); e != nil {
				note(v.Definition.Name+"."+v.Raw, e.Directives)
			}
		case v.Kind == ast.ObjectValue:
			for _, child := range v.Children {
				if f := v.Definition.Fields.ForName(child.Name); f != nil {
					note(v.Definition.Name+"."+child.Name, f.Directives)
				}
			}
		}
	})
	core.Walk(s, doc, &events)
	return found
}
