package sandbox

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// gqlRun answers one operation. A field's function may use what is said so
// here; the rest is the executor's.
type gqlRun struct {
	// s is the shop, locked.
	s *Shop
	// args are the arguments of the field that is being written. They are gone
	// as soon as another field is.
	args gqlArgs
	// key is the idempotency key of the mutation that is being done; "" where
	// none was given.
	key string
	// version of the API that answers: 2026-10.
	version string
	// base is the scheme and host that the client used.
	base string

	b      []byte // the answer so far
	plan   *gqlPlan
	vars   map[string]any
	slots  []gqlSlot
	node   *gqlNode // being written
	at     []int    // indexes of the lists that it is in
	errs   []gqlError
	warns  []gqlWarning
	void   bool // a field that must not be null is: there is no data
	spent  int  // points, as objects are written
	end    int  // rows of one connection after which paging stops
	hits   hits
	moved  []any // records that drift once the answer is written
	later  *gqlLater
	weight int // rows of the list that takes its time (see Pace)
}

// gqlSlot are the arguments of a field, read once for an operation.
type gqlSlot struct {
	args   gqlArgs
	paging gqlPaging
	key    string
}

// gqlError is an error as an answer states it.
type gqlError struct {
	message, code string
	at            *ast.Position
	path          []any // of names and indexes
	more          map[string]any
}

// gqlGuard is what a field asks of whoever reads it.
type gqlGuard struct {
	denied   string // what is missing; "": nothing
	required bool   // the field may not be null, so all data is
	personal bool   // protected customer data
	status   bool   // an enum that may get new values
}

// gqlGuards finds the guard of a field; nil: everybody may read it.
type gqlGuards func(on *gqlType, field string) *gqlGuard

func (g gqlGuards) of(on *gqlType, field string) *gqlGuard {
	if g == nil {
		return nil
	}
	return g(on, field)
}

// fail states an error beside the data, at the field that is being written,
// which should then be null.
func (x *gqlRun) fail(code, message string) {
	x.errs = append(x.errs, gqlError{message: message, code: code, at: x.node.ask.Position, path: x.node.path(x.at)})
}

// gqlWarning says that a filter was not understood.
type gqlWarning struct {
	path   []any
	query  string
	fields []string
}

// warn states that the filter of the list that is being written names fields
// which are not known, and are left out of it.
func (x *gqlRun) warn(query string, unknown []string) {
	if len(unknown) > 0 && x.node != nil {
		x.warns = append(x.warns, gqlWarning{x.node.path(x.at), query, unknown})
	}
}

// begin reads the arguments of all fields.
func (x *gqlRun) begin() []gqlError {
	x.slots = make([]gqlSlot, len(x.plan.nodes))
	for i, n := range x.plan.nodes {
		slot := &x.slots[i]
		for _, a := range n.ask.Arguments {
			v, given, err := x.value(a.Value)
			if err != nil {
				return []gqlError{{message: err.Error(), code: "argumentLiteralsIncompatible", at: a.Position, path: n.path(nil)}}
			}
			if given {
				slot.args = append(slot.args, gqlArg{a.Name, v})
			}
		}
		if d := n.ask.Directives.ForName("idempotent"); d != nil {
			if a := d.Arguments.ForName("key"); a != nil {
				v, _, _ := x.value(a.Value)
				slot.key, _ = v.(string)
			}
		}
		if n.field.rows {
			slot.paging = gqlPaging{first: slot.args.size("first", -1), last: slot.args.size("last", -1), reverse: slot.args.yes("reverse")}
			slot.paging.after = readCursor(slot.args.text("after"))
			slot.paging.before = readCursor(slot.args.text("before"))
		}
	}
	return nil
}

// value is an argument's value; false where it is a variable that was not
// given.
func (x *gqlRun) value(v *ast.Value) (any, bool, error) {
	if v.Kind == ast.Variable {
		given, ok := x.vars[v.Raw]
		return given, ok, nil
	}
	plain, err := v.Value(x.vars)
	return plain, true, err
}

func (x *gqlRun) paging(n *gqlNode) gqlPaging { return x.slots[n.slot].paging }

// data writes the data of the operation.
func (x *gqlRun) data() {
	start := len(x.b)
	x.object(x.plan.root, gqlRoot{})
	if x.void {
		x.b = x.b[:start]
		x.null()
	}
}

// gqlRoot is the receiver of the fields of QueryRoot and Mutation.
type gqlRoot struct{}

// object writes what is asked of a record.
func (x *gqlRun) object(sel *gqlSelection, receiver any) {
	sel = sel.branch(receiver)
	if !sel.on.free {
		x.spent++
	}
	x.b = append(x.b, '{')
	x.members(sel.nodes, receiver)
	x.b = append(x.b, '}')
}

func (x *gqlRun) members(nodes []*gqlNode, receiver any) {
	start := len(x.b)
	for _, n := range nodes {
		if n.ifs != nil && !x.wanted(n) {
			continue
		}
		if x.later != nil && n.field.rows {
			x.later.add(n, receiver)
			continue
		}
		if len(x.b) > start {
			x.b = append(x.b, ',')
		}
		x.b = append(x.b, n.key...)
		x.node = n
		if n.guard != nil && x.guarded(n) {
			if x.void {
				return
			}
			continue
		}
		x.args = nil
		if n.slot >= 0 {
			x.args, x.key = x.slots[n.slot].args, x.slots[n.slot].key
		}
		n.field.write(x, n, receiver)
		if x.void {
			return
		}
	}
}

// element writes the i-th element of a list.
func (x *gqlRun) element(n *gqlNode, i int, receiver any) {
	if i > 0 {
		x.b = append(x.b, ',')
	}
	if receiver == nil {
		x.null()
		return
	}
	x.at = append(x.at, i)
	x.object(n.sel, receiver)
	x.at = x.at[:len(x.at)-1]
}

// charge sets what a connection has cost: its node as often as one of n rows
// counts, not once for each.
func (x *gqlRun) charge(before, n int) {
	inside := x.spent - before
	x.spent = before + connectionCost
	if n > 0 {
		x.spent += times(n) * inside / n
	}
}

// wanted reports whether the conditions of one of the places hold.
func (x *gqlRun) wanted(n *gqlNode) bool {
	return slices.ContainsFunc(n.ifs, func(all []gqlCondition) bool {
		for _, c := range all {
			v, _, _ := x.value(c.value)
			if yes, _ := v.(bool); yes != c.want {
				return false
			}
		}
		return true
	})
}

// guarded answers a field in place of the graph, where something stands
// against reading it.
func (x *gqlRun) guarded(n *gqlNode) bool {
	if n.guard.status && x.hits.status {
		x.text("RECENTLY_ADDED")
		return true
	}
	return x.denied(n)
}

// denied writes null, with an error, where the field may not be read.
func (x *gqlRun) denied(n *gqlNode) bool {
	e := gqlError{code: "ACCESS_DENIED", at: n.ask.Position}
	switch {
	case n.guard.denied != "":
		e.message = "Access denied for " + n.ask.Name + " field. Required access: `" + n.guard.denied + "` access scope."
		e.more = map[string]any{"requiredAccess": "`" + n.guard.denied + "` access scope."}
	case x.hits.denied && n.guard.personal:
		e.message = "This app is not approved to use the " + n.ask.Name + " field. See the requirements of protected customer data."
	default:
		return false
	}
	e.path = n.path(x.at)
	x.errs = append(x.errs, e)
	x.null()
	x.void = x.void || n.guard.required
	return true
}

// gqlLater are the connections that a bulk operation writes as lines of their
// own.
type gqlLater struct {
	found []gqlFound
}

type gqlFound struct {
	node     *gqlNode
	receiver any
}

func (l *gqlLater) add(n *gqlNode, receiver any) { l.found = append(l.found, gqlFound{n, receiver}) }
