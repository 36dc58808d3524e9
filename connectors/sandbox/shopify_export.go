package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"os"
)

// exported is the file of a bulk operation.
type exported struct {
	file           *os.File
	size, half     int64 // bytes of all lines, and of about the first half of them
	objects, roots int64
	denied         bool // the app may not read what was asked for
}

func (f *exported) close() {
	if f != nil && f.file != nil {
		f.file.Close()
	}
}

// lockedRows is how many rows are written before others get their turn.
const lockedRows = 200

// export writes the file of an operation: a line for each node, those of
// nested connections on lines of their own.
func (s *Shop) export(o *bulkOperation) (*exported, error) {
	known := s.shopify.plans.plan(planKey{version: o.version, text: o.query})
	x := &gqlRun{s: s, plan: known.plan, version: o.version, hits: o.hits, later: &gqlLater{}}
	if errs := x.begin(); len(errs) > 0 {
		return nil, errors.New(errs[0].message)
	}
	out, err := newLines(o, s.dice(dieBulk, -o.id))
	if err != nil {
		return nil, err
	}
	root := known.plan.root.nodes[0]
	for rows := s.exportRows(x, root); len(rows) > 0; {
		n := min(lockedRows, len(rows))
		s.exportSome(x, out, root, rows[:n])
		rows = rows[n:]
	}
	return out.finish(len(x.errs) > 0)
}

// exportRows are the nodes of the connection that an export is about, or the
// object that it begins with.
func (s *Shop) exportRows(x *gqlRun, root *gqlNode) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if root.guard != nil && x.denied(root) {
		return nil
	}
	if !root.field.rows {
		return []any{gqlRoot{}}
	}
	var rows []any
	x.args = x.slots[root.slot].args
	root.field.lines(x, gqlRoot{}, func(r any) bool {
		rows = append(rows, r)
		return true
	})
	return rows
}

func (s *Shop) exportSome(x *gqlRun, out *lines, root *gqlNode, rows []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		if root.field.rows {
			out.roots++
			x.exportNode(out, nodeSelection(root), r, nil)
			continue
		}
		x.b = x.b[:0]
		x.object(x.plan.root, r) // an object: what matters are the connections in it
		x.exportLater(out, nil)
	}
}

// exportNode writes the line of a node, then those of the connections in it.
func (x *gqlRun) exportNode(out *lines, sel *gqlSelection, receiver any, parent []byte) {
	x.b = x.b[:0]
	x.object(sel, receiver)
	if parent != nil {
		x.b = x.b[:len(x.b)-1]
		if len(x.b) > 1 {
			x.b = append(x.b, ',')
		}
		x.b = append(append(append(x.b, `"__parentId":`...), parent...), '}')
	}
	out.add(x.b)
	if len(x.later.found) == 0 {
		return
	}
	x.b = x.b[:0]
	kind := sel.branch(receiver).on
	if id := kind.field("id"); id != nil {
		id.write(x, nil, receiver)
	}
	x.exportLater(out, bytes.Clone(x.b))
}

// exportLater writes the connections that were met in an object.
func (x *gqlRun) exportLater(out *lines, parent []byte) {
	found := x.later.found
	x.later.found = nil
	for _, f := range found {
		x.args = x.slots[f.node.slot].args
		sel := nodeSelection(f.node)
		var rows []any
		f.node.field.lines(x, f.receiver, func(r any) bool {
			rows = append(rows, r)
			return true
		})
		for _, r := range rows {
			if parent == nil {
				out.roots++
			}
			x.exportNode(out, sel, r, parent)
		}
	}
}

// nodeSelection is what is asked of the nodes of a connection.
func nodeSelection(connection *gqlNode) *gqlSelection {
	for _, n := range connection.sel.nodes {
		switch n.ask.Name {
		case "nodes":
			return n.sel
		case "edges":
			for _, e := range n.sel.nodes {
				if e.ask.Name == "node" {
					return e.sel
				}
			}
		}
	}
	return &gqlSelection{on: connection.sel.on}
}

// Shuffling: of so many lines that wait to be written one is chosen by chance,
// and a few stay behind until the end.
const (
	waitingLines = 512
	lateLines    = 64
	lateChance   = 3 // in a thousand
)

// lines writes the lines of a file in no order.
type lines struct {
	exported
	out     *bufio.Writer
	chance  *dice
	waiting [][]byte
	late    [][]byte
	ends    []int64 // where each line ends
	room    int     // lines that may wait
	lacks   bool    // leaves lines out
	err     error
}

// newLines opens a file that vanishes with its last user: nobody can find it
// by name.
func newLines(o *bulkOperation, chance *dice) (*lines, error) {
	f, err := os.CreateTemp("", "comptoir-sandbox-*.jsonl")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	l := &lines{exported: exported{file: f}, out: bufio.NewWriterSize(f, 1<<18), chance: chance, room: waitingLines, lacks: o.fate == bulkLacks}
	if o.grouped {
		l.room = 0
	}
	return l, nil
}

func (l *lines) add(line []byte) {
	l.objects++
	if l.lacks && l.objects%10 == 0 {
		return
	}
	if l.room == 0 {
		l.write(line)
		return
	}
	line = bytes.Clone(line)
	if len(l.late) < lateLines && l.chance.in(lateChance) {
		l.late = append(l.late, line)
		return
	}
	if len(l.waiting) < l.room {
		l.waiting = append(l.waiting, line)
		return
	}
	i := l.chance.n(len(l.waiting))
	l.write(l.waiting[i])
	l.waiting[i] = line
}

func (l *lines) write(line []byte) {
	l.size += int64(len(line)) + 1
	l.ends = append(l.ends, l.size)
	if l.err == nil {
		_, l.err = l.out.Write(line)
	}
	if l.err == nil {
		l.err = l.out.WriteByte('\n')
	}
}

func (l *lines) finish(denied bool) (*exported, error) {
	for len(l.waiting) > 0 {
		i := l.chance.n(len(l.waiting))
		last := len(l.waiting) - 1
		l.write(l.waiting[i])
		l.waiting[i] = l.waiting[last]
		l.waiting = l.waiting[:last]
	}
	for _, line := range l.late {
		l.write(line)
	}
	if l.err == nil {
		l.err = l.out.Flush()
	}
	if l.err != nil {
		l.close()
		return nil, l.err
	}
	if n := len(l.ends); n > 1 {
		l.half = l.ends[n/2-1]
	}
	l.denied = denied
	return &l.exported, nil
}
