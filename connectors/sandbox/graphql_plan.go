package sandbox

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// gqlPlan is an operation of a document, made ready to be written straight
// from the records.
type gqlPlan struct {
	operation *ast.OperationDefinition
	root      *gqlSelection
	nodes     []*gqlNode // those with arguments, by their slot
}

// gqlNode is a field of an answer.
type gqlNode struct {
	key    []byte // "name":
	name   string // in the answer: the alias, where there is one
	ask    *ast.Field
	on     *gqlType // has the field
	field  *gqlField
	sel    *gqlSelection // of its value; nil for a scalar
	parent *gqlNode
	slot   int // of its arguments; -1: it has none
	// ifs are the places where the field is asked for, each with conditions
	// that must all hold; nil: it is always wanted.
	ifs   [][]gqlCondition
	guard *gqlGuard // nil: everybody may read it
}

// gqlCondition is an @include or a @skip.
type gqlCondition struct {
	value *ast.Value
	want  bool
}

// gqlSelection is what is asked of a value: fields, or for an interface or a
// union fields for each of its types.
type gqlSelection struct {
	on    *gqlType
	nodes []*gqlNode
	kinds []*gqlSelection // nil for an object
}

// typenameField is the field that every object has.
const typenameField = "__typename"

// planner makes a plan, and notes what cannot be asked.
type planner struct {
	graph  *graph
	guards gqlGuards
	doc    *ast.QueryDocument
	plan   *gqlPlan
	nodes  int
	errs   []gqlError
}

// gqlPlace is where a selection set stands: under which conditions, and inside
// which fragments.
type gqlPlace struct {
	set    ast.SelectionSet
	ifs    []gqlCondition
	inside []string
}

// maxNodes is how many fields a document may come to: more than anybody needs,
// and an end to fragments that contain themselves.
const maxNodes = 20_000

// makePlan makes the plan of one operation. The errors say what the graph does
// not have.
func (g *graph) makePlan(doc *ast.QueryDocument, op *ast.OperationDefinition, guards gqlGuards) (*gqlPlan, []gqlError) {
	p := &planner{graph: g, guards: guards, doc: doc, plan: &gqlPlan{operation: op}}
	root := g.types["QueryRoot"]
	if op.Operation == ast.Mutation {
		root = g.types["Mutation"]
	}
	p.plan.root = p.selection(root, nil, []gqlPlace{{set: op.SelectionSet}})
	return p.plan, p.errs
}

func (p *planner) selection(on *gqlType, parent *gqlNode, places []gqlPlace) *gqlSelection {
	sel := &gqlSelection{on: on}
	if p.nodes > maxNodes {
		return sel
	}
	if on.which == nil {
		sel.nodes = p.fields(on, parent, places)
		return sel
	}
	for _, kind := range on.kinds {
		sel.kinds = append(sel.kinds, &gqlSelection{on: kind, nodes: p.fields(kind, parent, places)})
	}
	return sel
}

// fields collects what is asked of an object type. Fields that are asked for
// twice under one name are one, and their selections add up.
func (p *planner) fields(on *gqlType, parent *gqlNode, places []gqlPlace) []*gqlNode {
	c := collected{on: on, at: map[string]int{}}
	for _, place := range places {
		p.collect(&c, parent, place)
	}
	nodes := make([]*gqlNode, 0, len(c.asked))
	for _, asked := range c.asked {
		if n := p.node(on, parent, asked); n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// collected are the fields asked of one type, in the order of the document.
type collected struct {
	on    *gqlType
	asked [][]occurrence
	at    map[string]int // place in asked by name in the answer
}

type occurrence struct {
	ask *ast.Field
	ifs []gqlCondition
}

func (p *planner) collect(c *collected, parent *gqlNode, place gqlPlace) {
	for _, s := range place.set {
		switch s := s.(type) {
		case *ast.Field:
			o := occurrence{s, conditions(place.ifs, s.Directives)}
			if i, ok := c.at[s.Alias]; ok {
				c.asked[i] = append(c.asked[i], o)
				continue
			}
			c.at[s.Alias] = len(c.asked)
			c.asked = append(c.asked, []occurrence{o})
		case *ast.InlineFragment:
			if s.TypeCondition == "" || c.on.belongs(s.TypeCondition) {
				p.collect(c, parent, gqlPlace{s.SelectionSet, conditions(place.ifs, s.Directives), place.inside})
			}
		case *ast.FragmentSpread:
			f := p.doc.Fragments.ForName(s.Name)
			switch {
			case f == nil:
				p.fail(parent, s.Position, "useAndDefineFragment", "Fragment "+s.Name+" was used, but not defined", nil)
			case slices.Contains(place.inside, s.Name):
				p.fail(parent, s.Position, "infiniteLoop", "Fragment "+s.Name+" contains an infinite loop", nil)
			case c.on.belongs(f.TypeCondition):
				inside := append(place.inside[:len(place.inside):len(place.inside)], s.Name)
				p.collect(c, parent, gqlPlace{f.SelectionSet, conditions(place.ifs, s.Directives), inside})
			}
		}
	}
}

// conditions adds the @include and @skip of a selection to those around it.
func conditions(around []gqlCondition, of ast.DirectiveList) []gqlCondition {
	all := around[:len(around):len(around)]
	for _, d := range of {
		if arg := d.Arguments.ForName("if"); arg != nil && (d.Name == "include" || d.Name == "skip") {
			all = append(all, gqlCondition{arg.Value, d.Name == "include"})
		}
	}
	return all
}

// node makes one field of the answer from all places where it is asked for;
// nil, with an error noted, where the type has no such field.
func (p *planner) node(on *gqlType, parent *gqlNode, asked []occurrence) *gqlNode {
	ask := asked[0].ask
	n := &gqlNode{key: []byte(`"` + ask.Alias + `":`), name: ask.Alias, ask: ask, on: on, parent: parent, slot: -1}
	if p.nodes++; p.nodes == maxNodes {
		p.fail(n, ask.Position, "MAX_COMPLEXITY", "Query is too large, or a fragment contains itself", nil)
	}
	if n.field = on.field(ask.Name); n.field == nil {
		p.fail(n, ask.Position, "undefinedField", "Field '"+ask.Name+"' doesn't exist on type '"+on.name+"'",
			map[string]any{"typeName": on.name, "fieldName": ask.Name})
		return nil
	}
	n.guard = p.guards.of(on, ask.Name)
	if len(ask.Arguments) > 0 || n.field.rows {
		n.slot = len(p.plan.nodes)
		p.plan.nodes = append(p.plan.nodes, n)
	}
	places := make([]gqlPlace, len(asked))
	always := false
	for i, o := range asked {
		places[i] = gqlPlace{set: o.ask.SelectionSet}
		if len(asked) > 1 {
			places[i].ifs = o.ifs
		}
		n.ifs = append(n.ifs, o.ifs)
		always = always || len(o.ifs) == 0
	}
	if always {
		n.ifs = nil
	}
	of := n.field.value()
	switch has := len(ask.SelectionSet) > 0; {
	case of != "" && !has:
		p.fail(n, ask.Position, "selectionMismatch", "Field must have selections (field '"+ask.Name+"' returns "+of+" but has no selections. Did you mean '"+
			ask.Name+" { ... }'?)", map[string]any{"nodeName": "field '" + ask.Name + "'", "typeName": of})
	case of == "" && has:
		p.fail(n, ask.Position, "selectionMismatch", "Selections can't be made on scalars (field '"+ask.Name+"' returns a scalar)",
			map[string]any{"nodeName": "field '" + ask.Name + "'"})
	case of != "":
		n.sel = p.selection(p.graph.types[of], n, places)
	}
	return n
}

func (t *gqlType) field(name string) *gqlField {
	if f, ok := t.fields[name]; ok {
		return &f
	}
	if name == typenameField {
		return &gqlField{write: func(x *gqlRun, _ *gqlNode, _ any) { x.text(t.name) }}
	}
	return nil
}

func (p *planner) fail(n *gqlNode, at *ast.Position, code, message string, more map[string]any) {
	path := []any{strings.TrimSpace(string(p.plan.operation.Operation) + " " + p.plan.operation.Name)}
	if n != nil {
		path = append(path, n.path(nil)...)
	}
	p.errs = append(p.errs, gqlError{message: message, code: code, at: at, path: path, more: more})
}

// branch is the selection for the type of a receiver.
func (s *gqlSelection) branch(receiver any) *gqlSelection {
	if s.kinds == nil {
		return s
	}
	name := s.on.which(receiver)
	for _, k := range s.kinds {
		if k.on.name == name {
			return k
		}
	}
	panic("sandbox: no type " + name + " belongs to " + s.on.name)
}

// path is where the field is in an answer. at are the indexes of the lists on
// the way; without them the path names fields only.
func (n *gqlNode) path(at []int) []any {
	var way []*gqlNode
	for ; n != nil; n = n.parent {
		way = append(way, n)
	}
	slices.Reverse(way)
	var path []any
	for i, n := range way {
		path = append(path, n.name)
		if n.field != nil && n.field.many && i < len(way)-1 && len(at) > 0 {
			path = append(path, at[0])
			at = at[1:]
		}
	}
	return path
}
