package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// scopeInfo says which scopes open a type or a field; one of them is enough.
type scopeInfo struct {
	Type   string   `json:"typeName"`
	Field  string   `json:"fieldName"` // "" for the type itself
	Scopes []string `json:"offlineScopes"`
}

func scopesByName(items []scopeInfo) map[string][]string {
	scopes := map[string][]string{}
	for _, item := range items {
		if len(item.Scopes) > 0 {
			scopes[strings.TrimSuffix(item.Type+"."+item.Field, ".")] = item.Scopes
		}
	}
	return scopes
}

// Scopes lists what an app must have been granted to be answered a document
// that Check has found right: of each list, one. Load must have succeeded for
// the version.
func Scopes(version string, doc *ast.QueryDocument) [][]string {
	p, err := load(version)
	if err != nil {
		return nil
	}
	var needed [][]string
	var events core.Events
	events.OnField(func(_ *core.Walker, f *ast.Field) {
		if f.Definition == nil || f.ObjectDefinition == nil {
			return
		}
		for _, name := range []string{f.Definition.Type.Name(), f.ObjectDefinition.Name + "." + f.Name} {
			if one := p.scopes[name]; one != nil && !slices.ContainsFunc(needed, func(n []string) bool { return slices.Equal(n, one) }) {
				needed = append(needed, one)
			}
		}
	})
	core.Walk(p.schema, doc, &events)
	slices.SortFunc(needed, slices.Compare)
	return needed
}
