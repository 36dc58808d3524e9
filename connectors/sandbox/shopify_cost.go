package sandbox

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// What Shopify takes for a request is documented in outline only: a scalar is
// free, an object costs 1, lists are "sized" by first or last, a mutation costs
// 10, one query may cost 1,000. The costs that it charged, as far as they were
// published, are met by 2 for a connection plus its node 2·ln(n) times, with
// amounts of money, edges and pageInfo free.
const (
	maxQueryCost   = 1000
	mutationCost   = 10
	connectionCost = 2
	whenUnsized    = 250 // nodes
)

// The bucket where the options name none: enough for a backfill, even where the
// clock of Options.Now stands still.
const (
	defaultPoints  = 10_000_000
	defaultRestore = 1_000_000 // a second
)

// times is how often the node of a connection of n counts.
func times(n int) int { return max(int(2*math.Log(float64(n))), 1) }

// freeType reports whether objects of a type cost nothing themselves.
func freeType(name string) bool {
	return name == "QueryRoot" || name == "Mutation" || name == "MoneyBag" || name == "MoneyV2" || strings.HasSuffix(name, "Payload")
}

// cost is what the request costs at most: requestedQueryCost.
func (x *gqlRun) cost() int {
	sum := x.selectionCost(x.plan.root)
	if x.plan.operation.Operation == ast.Mutation {
		sum += mutationCost
	}
	return max(sum, 1)
}

func (x *gqlRun) selectionCost(sel *gqlSelection) int {
	if sel.kinds == nil {
		return x.nodesCost(sel.nodes)
	}
	dearest := 0
	for _, k := range sel.kinds {
		dearest = max(dearest, x.nodesCost(k.nodes))
	}
	return dearest
}

func (x *gqlRun) nodesCost(nodes []*gqlNode) int {
	sum := 0
	for _, n := range nodes {
		if n.sel == nil || n.ifs != nil && !x.wanted(n) {
			continue
		}
		inside := x.selectionCost(n.sel)
		switch {
		case n.field.rows:
			size := x.paging(n).size()
			if size < 0 {
				size = whenUnsized
			}
			inside = connectionCost + times(size)*inside
		case !n.sel.on.free:
			inside++
		}
		sum += inside
	}
	return sum
}

// size is how many rows are asked for; -1 where nobody said.
func (p gqlPaging) size() int {
	if p.first >= 0 {
		return p.first
	}
	return p.last
}

func tooDear(cost int) gqlError {
	return gqlError{code: "MAX_COST_EXCEEDED", more: map[string]any{"cost": cost, "maxCost": maxQueryCost},
		message: fmt.Sprintf("Query cost is %d, which exceeds the single query max cost limit (%d).", cost, maxQueryCost)}
}

// bucket holds the points that a client may spend.
type bucket struct {
	lock          sync.Mutex
	most, restore float64 // points, points a second
	left          float64
	at            time.Time // when left was true
}

func (b *bucket) open(o Options) {
	b.most, b.restore = float64(o.Points), float64(o.Restore)
	if o.Points == 0 {
		b.most = defaultPoints
	}
	if o.Restore == 0 {
		b.restore = defaultRestore
	}
	b.left, b.at = b.most, o.Now()
}

// fill lets points flow in until now.
func (b *bucket) fill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.left = min(b.most, b.left+b.restore*d.Seconds())
		b.at = now
	}
}

// take takes the points, if they are there.
func (b *bucket) take(points int, now time.Time) bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.fill(now)
	if b.left < float64(points) {
		return false
	}
	b.left -= float64(points)
	return true
}

func (b *bucket) giveBack(points int) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.left = min(b.most, b.left+float64(points))
}

// drain empties the bucket, as another client of the app would.
func (b *bucket) drain(now time.Time) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.fill(now)
	b.left = 0
}

// throttled is the answer where the points are not there.
func (b *bucket) throttled(cost int, now time.Time) *reply {
	body := appendErrors([]byte("{"), []gqlError{{message: "Throttled", code: "THROTTLED"}})
	return graphQLReply(append(appendExtensions(append(body, ','), b.state(cost, nil, now), nil), '}'))
}

// costState is what an answer says of points. Actual is null where nothing was
// run.
type costState struct {
	Requested int          `json:"requestedQueryCost"`
	Actual    *int         `json:"actualQueryCost"`
	Bucket    bucketStatus `json:"throttleStatus"`
}

type bucketStatus struct {
	Most    float64 `json:"maximumAvailable"`
	Left    float64 `json:"currentlyAvailable"`
	Restore float64 `json:"restoreRate"`
}

// state is the bucket as it is after a request of some cost.
func (b *bucket) state(requested int, actual *int, now time.Time) costState {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.fill(now)
	return costState{requested, actual, bucketStatus{b.most, math.Floor(b.left), b.restore}}
}

// Points returns what is left in the bucket of the Shopify app, on the clock of Options.Now.
func (s *Shop) Points() float64 {
	b := &s.shopify.bucket
	b.lock.Lock()
	defer b.lock.Unlock()
	b.fill(s.opt.Now())
	return b.left
}
