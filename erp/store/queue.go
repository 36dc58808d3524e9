package store

// statement is a statement with its arguments.
type statement struct {
	q    string
	args []any
}

// queue holds statements that are to run. Its memory is used again by later
// transactions, so that queueing a statement costs no allocation of its own.
type queue struct {
	list []statement
	args []any // of the statements, one after the other
}

// add copies the arguments, so that the caller's list of them need not
// outlive the call.
func (q *queue) add(text string, args []any) {
	from, to := len(q.args), len(q.args)+len(args)
	q.args = append(q.args, args...)
	q.list = append(q.list, statement{q: text, args: q.args[from:to:to]})
}

// empty forgets the statements and keeps the memory.
func (q *queue) empty() {
	clear(q.list)
	clear(q.args)
	q.list, q.args = q.list[:0], q.args[:0]
}
