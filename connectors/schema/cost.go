package schema

import (
	"math"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// What a request costs at least, and what a mutation does.
const (
	leastCost    = 1
	mutationCost = 10
)

// Cost estimates the points that Shopify takes for an operation that Check has
// found right, asked with vars: what it calls requestedQueryCost.
//
// Shopify documents that a scalar costs nothing, an object 1, and that lists
// are "sized" by first or last, without saying how. The costs that it charged
// (as the connector of Business Central has audited and published them with
// its documents, microsoft/BCApps) are met by: 2 for a connection, and its
// node 2·ln(n) times, rounded down; nothing for amounts of money, edges and
// pageInfo; the dearest branch of an interface or a union.
func Cost(s *ast.Schema, doc *ast.QueryDocument, op *ast.OperationDefinition, vars map[string]any) int {
	c := costs{s, doc, op, vars}
	total := c.selection(op.SelectionSet, "")
	if op.Operation == ast.Mutation {
		total += mutationCost
	}
	return max(total, leastCost)
}

type costs struct {
	schema *ast.Schema
	doc    *ast.QueryDocument
	op     *ast.OperationDefinition
	vars   map[string]any
}

// selection is the cost of all that is asked of an object: of the type named
// on, or of the dearest of those that it may have where on is "".
func (c costs) selection(set ast.SelectionSet, on string) int {
	sum, dearest := 0, 0
	branches := map[string]int{}
	branch := func(condition string, of ast.SelectionSet) {
		if condition == "" || condition == on {
			sum += c.selection(of, on)
			return
		}
		branches[condition] += c.selection(of, condition)
		dearest = max(dearest, branches[condition])
	}
	for _, selection := range set {
		switch sel := selection.(type) {
		case *ast.Field:
			sum += c.field(sel)
		case *ast.InlineFragment:
			branch(sel.TypeCondition, sel.SelectionSet)
		case *ast.FragmentSpread:
			branch(sel.Definition.TypeCondition, sel.Definition.SelectionSet)
		}
	}
	return sum + dearest
}

func (c costs) field(f *ast.Field) int {
	if len(f.SelectionSet) == 0 || f.Definition == nil {
		return 0
	}
	name := f.Definition.Type.Name()
	inside := c.selection(f.SelectionSet, name)
	switch {
	case strings.HasSuffix(name, "Connection"):
		return 2 + times(c.size(f))*inside
	case strings.HasSuffix(name, "Edge"), name == "PageInfo", name == "MoneyBag", name == "MoneyV2", c.op.Operation == ast.Mutation && strings.HasSuffix(name, "Payload"):
		return inside
	default:
		return 1 + inside
	}
}

// times is how often the node of a connection counts.
func times(n int) int { return max(int(2*math.Log(float64(n))), 1) }

// most is what a connection gives where nobody says how much.
const most = 250

// size is how many nodes a connection is asked for.
func (c costs) size(f *ast.Field) int {
	for _, name := range []string{"first", "last"} {
		arg := f.Arguments.ForName(name)
		if arg == nil {
			continue
		}
		value, err := arg.Value.Value(c.vars)
		if n := number(value); err == nil && n > 0 {
			return n
		}
		if arg.Value.Kind == ast.Variable {
			if v := c.op.VariableDefinitions.ForName(arg.Value.Raw); v != nil && v.DefaultValue != nil {
				if value, err = v.DefaultValue.Value(nil); err == nil && number(value) > 0 {
					return number(value)
				}
			}
		}
	}
	return most
}

func number(value any) int {
	switch n := value.(type) {
	case int:
		return n
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}
