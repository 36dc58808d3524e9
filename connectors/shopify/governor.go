package shopify

import (
	"context"
	"math"
	"sync"
	"time"
)

// cost is what a request took from the points that the shop gives.
type cost struct {
	Requested float64  `json:"requestedQueryCost"` // must be there before it is run
	Actual    *float64 `json:"actualQueryCost"`    // nil where nothing was run
	Bucket    bucket   `json:"throttleStatus"`
}

// bucket is how many points the shop had left when it answered.
type bucket struct {
	Maximum   float64 `json:"maximumAvailable"`
	Available float64 `json:"currentlyAvailable"`
	Restore   float64 `json:"restoreRate"` // in a second
}

// said reports whether the shop has told of its bucket.
func (b bucket) said() bool { return b.Maximum > 0 && b.Restore > 0 }

// governor lets requests go as fast as the shop allows and no faster. It knows
// the bucket as the shop told of it last, fills it up by the clock, and keeps
// back what requests on their way may take from it. Requests go in the order
// in which they came, so that a small one does not hold a large one up for
// ever. Safe for concurrent use.
type governor struct {
	now  func() time.Time
	turn chan struct{} // held by the first in the queue; channels serve in order

	mu      sync.Mutex
	bucket  bucket
	at      time.Time // when bucket was told
	told    uint64    // number of the request that was told it
	number  uint64    // of the last request
	away    int       // requests on their way
	held    float64   // what they may take
	changed chan struct{}
	expect  map[string]float64 // what each kind of request cost last
}

func newGovernor(now func() time.Time) *governor {
	return &governor{now: now, turn: make(chan struct{}, 1), changed: make(chan struct{}), expect: map[string]float64{}}
}

// ticket is the leave to send one request. It must be given back.
type ticket struct {
	g      *governor
	kind   string
	number uint64
	held   float64
	back   bool
}

// enter waits until the shop has the points that a request of this kind costs.
// The error is that of ctx.
func (g *governor) enter(ctx context.Context, kind string) (*ticket, error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		t, wait, changed := g.try(kind)
		if t != nil {
			return t, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		timer.Stop()
	}
}

// unknownWait is how long is waited at once for an answer that tells of the
// bucket; it comes with changed.
const unknownWait = time.Minute

// try takes the points out, or says how long until they may be there.
func (g *governor) try(kind string) (t *ticket, wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	need := g.expect[kind]
	switch {
	case !g.bucket.said() && g.away > 0:
		// The first request goes alone: it tells how many may follow.
		return nil, unknownWait, g.changed
	case g.bucket.said():
		need = min(need, g.bucket.Maximum)
		if short := need - g.available(); short > 0 {
			return nil, seconds(short / g.bucket.Restore), g.changed
		}
	}
	g.number++
	g.away++
	g.held += need
	return &ticket{g: g, kind: kind, number: g.number, held: need}, 0, nil
}

// available is what the bucket holds by now, less what is on its way.
func (g *governor) available() float64 { return g.level() - g.held }

func (g *governor) level() float64 {
	restored := max(g.now().Sub(g.at), 0).Seconds() * g.bucket.Restore
	return min(g.bucket.Available+restored, g.bucket.Maximum)
}

// done gives the ticket back with what the answer told; the zero cost where
// there was none. Only the first call counts.
func (t *ticket) done(told cost) {
	g := t.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.back {
		return
	}
	t.back = true
	g.away--
	g.held -= t.held
	if g.away == 0 {
		g.held = 0 // sums of fractions leave crumbs
	}
	if told.Requested > 0 {
		g.expect[t.kind] = told.Requested
	}
	if told.Bucket.said() {
		g.learn(t.number, told.Bucket)
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// learn takes over what an answer told. One to a request that was sent before
// the last that we learnt from may be out of date: it is only let lower what
// is known.
func (g *governor) learn(number uint64, told bucket) {
	if number < g.told && told.Available > g.level() {
		return
	}
	g.bucket, g.at, g.told = told, g.now(), max(number, g.told)
}

// leastPause is waited at least after the shop has refused a request for want
// of points: its count is not ours.
const leastPause = time.Second

// pause is how long to wait after such a refusal.
func pause(c cost) time.Duration {
	if !c.Bucket.said() {
		return leastPause
	}
	return max(seconds((min(c.Requested, c.Bucket.Maximum)-c.Bucket.Available)/c.Bucket.Restore), leastPause)
}

// longestPause keeps an odd answer from stopping everything.
const longestPause = time.Hour

// seconds is a number of seconds, rounded up to what a timer can tell apart.
func seconds(s float64) time.Duration {
	if !(s < longestPause.Seconds()) { // not a number, or too many
		return longestPause
	}
	return time.Duration(math.Ceil(max(s, 0)*1000)) * time.Millisecond
}
