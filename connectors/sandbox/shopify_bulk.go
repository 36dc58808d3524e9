package sandbox

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// The limits of bulk operations.
const (
	bulkSlots       = 5 // that run at once
	bulkConnections = 5
	bulkDepth       = 2 // of connections in connections
	bulkURLLife     = 7 * 24 * time.Hour
)

// bulkPolls is how often a client has to ask before an operation is done.
const bulkPolls = 3

// bulkOperations are those that the app has started.
type bulkOperations struct {
	lock sync.Mutex
	all  []*bulkOperation // by id
}

// bulkOperation is an export: its query, and what has come of it.
type bulkOperation struct {
	id                 int64
	status             string
	errorCode          string
	query, version     string
	grouped            bool
	created, completed int64 // on the shop's clock
	fate               bulkFate
	hits               hits // the faults under which it runs
	polls              int
	building           bool
	objects, roots     int64
	key                string // makes the address of the file hard to guess
	file               *os.File
	size, partial      int64 // bytes of the file, and of it where the operation failed
}

// bulkFate is how an operation ends.
type bulkFate uint8

const (
	bulkSucceeds bulkFate = iota
	bulkFails
	bulkExpires
	bulkLacks // lines that its count promises
)

func (o *bulkOperation) running() bool {
	return o.status == "CREATED" || o.status == "RUNNING" || o.status == "CANCELING"
}

// startBulk starts an operation, or says in a user error why not.
func (x *gqlRun) startBulk() bulkPayload {
	b := &x.s.shopify.bulk
	query := x.args.text("query")
	plan, why := x.bulkPlan(query)
	if plan == nil {
		return bulkPayload{errs: []userError{{"query", "INVALID", why}}}
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	running := 0
	for _, o := range b.all {
		if o.running() {
			running++
		}
	}
	if running >= bulkSlots || x.hits.full {
		return bulkPayload{errs: []userError{{"query", "LIMIT_REACHED", fmt.Sprintf("Limit of %d concurrent bulk query operations reached.", bulkSlots)}}}
	}
	id := int64(len(b.all) + 1)
	o := &bulkOperation{id: id, status: "CREATED", query: query, version: x.version, grouped: x.args.yes("groupObjects"),
		created: x.s.now(), fate: x.hits.fate, hits: x.hits, key: x.s.dice(dieBulk, id).hex(32)}
	b.all = append(b.all, o)
	return bulkPayload{made: o.copied()}
}

// copied is the operation as it is now: others may move it on meanwhile.
func (o *bulkOperation) copied() *bulkOperation {
	now := *o
	return &now
}

// bulkPlan reads the query of an operation; nil, and why, where Shopify
// refuses it.
func (x *gqlRun) bulkPlan(query string) (*gqlPlan, string) {
	known := x.s.shopify.plans.plan(planKey{version: x.version, text: query})
	if len(known.errs) > 0 {
		return nil, "Invalid bulk query: " + known.errs[0].message
	}
	plan := known.plan
	if plan.operation.Operation != ast.Query {
		return nil, "Invalid operation type. Only query operations are supported."
	}
	if len(plan.root.nodes) != 1 {
		return nil, "Bulk queries must contain exactly one top-level field."
	}
	if top := plan.root.nodes[0].ask.Name; top == "node" || top == "nodes" {
		return nil, "Bulk queries cannot contain the top-level field " + top + "."
	}
	connections, why := 0, ""
	for _, n := range plan.nodes {
		if !n.field.rows {
			continue
		}
		connections++
		depth := 0
		for up := n.parent; up != nil; up = up.parent {
			if up.field.rows {
				depth++
			} else if up.field.many && !strings.HasSuffix(up.on.name, "Connection") {
				why = "Queries that contain a connection field within a list field are not currently supported."
			}
		}
		if depth > bulkDepth {
			why = fmt.Sprintf("Bulk queries cannot contain connections with a nesting depth greater than %d.", bulkDepth)
		}
	}
	switch {
	case why != "":
		return nil, why
	case connections == 0:
		return nil, "Bulk queries must contain at least one connection."
	case connections > bulkConnections:
		return nil, fmt.Sprintf("Bulk queries cannot contain more than %d connections.", bulkConnections)
	}
	return plan, ""
}

// cancelBulk begins to cancel an operation.
func (x *gqlRun) cancelBulk() bulkPayload {
	b := &x.s.shopify.bulk
	b.lock.Lock()
	defer b.lock.Unlock()
	o := b.find(gidNumber(x.args.text("id"), "BulkOperation"))
	switch {
	case o == nil:
		return bulkPayload{errs: []userError{{"id", "", "Bulk operation does not exist"}}}
	case !o.running():
		return bulkPayload{made: o.copied(), errs: []userError{{"", "", "A bulk operation cannot be canceled when it is " + strings.ToLower(o.status)}}}
	}
	o.status = "CANCELING"
	return bulkPayload{made: o.copied()}
}

func (b *bulkOperations) find(id int64) *bulkOperation {
	if id < 1 || id > int64(len(b.all)) {
		return nil
	}
	return b.all[id-1]
}

// state is an operation as it is now; nil where there is none.
func (b *bulkOperations) state(id int64) *bulkOperation {
	b.lock.Lock()
	defer b.lock.Unlock()
	if o := b.find(id); o != nil {
		return o.copied()
	}
	return nil
}

// states are all operations as they are now, the newest first.
func (b *bulkOperations) states() []*bulkOperation {
	b.lock.Lock()
	defer b.lock.Unlock()
	all := make([]*bulkOperation, 0, len(b.all))
	for _, o := range slices.Backward(b.all) {
		all = append(all, o.copied())
	}
	return all
}

// advanceBulk moves the operations on whenever a client asks for them, before
// it is answered.
func (s *Shop) advanceBulk(x *gqlRun) {
	asks := slices.ContainsFunc(x.plan.root.nodes, func(n *gqlNode) bool {
		return n.ask.Name == "bulkOperation" || n.ask.Name == "bulkOperations" || n.ask.Name == "node" || n.ask.Name == "nodes"
	})
	if !asks || x.hits.stuck {
		return
	}
	for _, o := range s.shopify.bulk.due(s.Clock().Unix()) {
		f, err := s.export(o)
		s.shopify.bulk.finish(o, f, err, s.Clock().Unix())
	}
}

// due moves all operations one step on, and returns those whose file is to be
// written now.
func (b *bulkOperations) due(now int64) []*bulkOperation {
	b.lock.Lock()
	defer b.lock.Unlock()
	var ready []*bulkOperation
	for _, o := range b.all {
		o.forget(now)
		if o.status == "CANCELING" && !o.building {
			o.status, o.completed = "CANCELED", now
		}
		if !o.running() || o.building {
			continue
		}
		o.polls++
		o.status = "RUNNING"
		if o.polls >= bulkPolls {
			o.building = true
			ready = append(ready, o)
		}
	}
	return ready
}

// old reports whether the address of the file has ended.
func (o *bulkOperation) old(now int64) bool {
	return o.completed > 0 && now > o.completed+int64(bulkURLLife/time.Second)
}

// forget closes a file that nobody can ask for any more.
func (o *bulkOperation) forget(now int64) {
	if o.file != nil && o.old(now) {
		o.file.Close()
		o.file = nil
	}
}

func (b *bulkOperations) finish(o *bulkOperation, f *exported, err error, now int64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	o.building = false
	if o.status == "CANCELING" {
		f.close()
		o.status, o.completed = "CANCELED", now
		return
	}
	o.completed = now
	if err != nil || f.denied {
		f.close()
		o.status, o.errorCode = "FAILED", "INTERNAL_SERVER_ERROR"
		if err == nil {
			o.errorCode = "ACCESS_DENIED"
		}
		return
	}
	o.status, o.objects, o.roots = "COMPLETED", f.objects, f.roots
	o.file, o.size = f.file, f.size
	switch o.fate {
	case bulkFails:
		o.status, o.errorCode = "FAILED", "INTERNAL_SERVER_ERROR"
		o.partial, o.size = f.half, 0
	case bulkExpires:
		f.close()
		o.status, o.file, o.size = "EXPIRED", nil, 0
	}
}

// bulkFile serves the result of an operation. Its address is all that it
// takes; a token that is sent along has been given away, and is refused.
func (s *Shop) bulkFile(r *http.Request, h hits) *reply {
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, bulkRoot), "/")
	o := s.shopify.bulk.state(number(id))
	if o == nil || max(o.size, o.partial) == 0 || !same(rest, o.key+".jsonl") {
		return xmlError(http.StatusNotFound, "NoSuchKey")
	}
	if r.Header.Get("X-Shopify-Access-Token") != "" {
		return xmlError(http.StatusBadRequest, "InvalidArgument")
	}
	if o.old(s.Clock().Unix()) {
		return xmlError(http.StatusBadRequest, "ExpiredToken")
	}
	return &reply{status: http.StatusOK, header: http.Header{
		"Content-Type": {"application/jsonl"}, "Accept-Ranges": {"bytes"}, "Etag": {`"` + o.key[:16] + `"`}}, file: o.file, size: max(o.size, o.partial)}
}

// xmlError is an error as a file store states it.
func xmlError(status int, code string) *reply {
	return &reply{status: status, header: http.Header{"Content-Type": {"application/xml; charset=UTF-8"}},
		body: []byte("<?xml version='1.0' encoding='UTF-8'?><Error><Code>" + code + "</Code></Error>")}
}

// address is where the file of an operation is; "" where it has none.
func (o *bulkOperation) address(base string) string {
	return base + bulkRoot + text(o.id) + "/" + o.key + ".jsonl"
}

// gidNumber is the number of a global id of a kind; -1, which nothing has,
// where it is none.
func gidNumber(gid, kind string) int64 {
	if n, ok := strings.CutPrefix(gid, "gid://shopify/"+kind+"/"); ok {
		return number(n)
	}
	return -1
}
