package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

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

// gqlArgs are the arguments that a field was given.
type gqlArgs []gqlArg

type gqlArg struct {
	name  string
	value any
}

// has reports whether the argument was given, and is not null.
func (a gqlArgs) has(name string) bool { return a.value(name) != nil }

// value is an argument as JSON has it; nil where it was not given.
func (a gqlArgs) value(name string) any {
	for i := range a {
		if a[i].name == name {
			return a[i].value
		}
	}
	return nil
}

// text is a string, an id or an enum value; "" where it was not given.
func (a gqlArgs) text(name string) string {
	v, _ := a.value(name).(string)
	return v
}

// yes is a Boolean; false where it was not given.
func (a gqlArgs) yes(name string) bool {
	v, _ := a.value(name).(bool)
	return v
}

// size is an Int; none where it was not given.
func (a gqlArgs) size(name string, none int) int {
	if n, ok := wholeNumber(a.value(name)); ok {
		return int(n)
	}
	return none
}

// list is a list; a single value counts as a list of one, as the language
// wants it.
func (a gqlArgs) list(name string) []any {
	switch v := a.value(name).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// texts are the strings of a list.
func (a gqlArgs) texts(name string) []string {
	var all []string
	for _, v := range a.list(name) {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// object is an input object; nil where it was not given.
func (a gqlArgs) object(name string) map[string]any {
	v, _ := a.value(name).(map[string]any)
	return v
}

// wholeNumber reads an Int of a literal or of JSON.
func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case float64:
		return int64(v), v == float64(int64(v))
	}
	return 0, false
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
	why := n.guard.denied
	if x.hits.denied && n.guard.personal {
		why = "protected customer data"
	}
	if why == "" {
		return false
	}
	x.errs = append(x.errs, gqlError{
		message: "Access denied for " + n.ask.Name + " field. Required access: `" + why + "` access scope.",
		code:    "ACCESS_DENIED", at: n.ask.Position, path: n.path(x.at), more: map[string]any{"requiredAccess": why},
	})
	x.null()
	x.void = x.void || n.guard.required
	return true
}

// What follows writes one value.

func (x *gqlRun) null() { x.b = append(x.b, "null"...) }

func (x *gqlRun) number(v int64) { x.b = strconv.AppendInt(x.b, v, 10) }

func (x *gqlRun) bool(v bool) { x.b = strconv.AppendBool(x.b, v) }

func (x *gqlRun) float(v float64) { x.b = appendFloat(x.b, v) }

func appendFloat(b []byte, v float64) []byte {
	at := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	if !slices.Contains(b[at:], '.') {
		b = append(b, ".0"...)
	}
	return b
}

// text writes a string.
func (x *gqlRun) text(v string) { x.b = appendQuoted(x.b, v) }

func appendQuoted(b []byte, v string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(v) {
		c := v[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, v[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	return append(append(b, v[start:]...), '"')
}

// gid writes a global id; null for 0.
func (x *gqlRun) gid(kind string, id int64) {
	if id == 0 {
		x.null()
		return
	}
	x.b = append(append(x.b, `"gid://shopify/`...), kind...)
	x.b = append(strconv.AppendInt(append(x.b, '/'), id, 10), '"')
}

// time writes an instant in seconds since 1970; null for 0.
func (x *gqlRun) time(at int64) {
	if at == 0 {
		x.null()
		return
	}
	x.b = append(x.b, '"')
	x.b = time.Unix(at, 0).UTC().AppendFormat(x.b, time.RFC3339)
	x.b = append(x.b, '"')
}

// decimal writes millionths with at least two decimals.
func (x *gqlRun) decimal(micro int64) {
	x.b = append(x.b, '"')
	x.b = appendAmount(x.b, micro, decimalsOf(micro))
	x.b = append(x.b, '"')
}

// decimalsOf is how many decimals an amount of millionths needs, from two.
func decimalsOf(micro int64) int {
	for dp, unit := 2, int64(10_000); dp < 6; dp, unit = dp+1, unit/10 {
		if micro%unit == 0 {
			return dp
		}
	}
	return 6
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
