package hooks

import (
	"maps"
	"sync"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// Reason is why a delivery was refused.
type Reason string

// The reasons.
const (
	UnknownShop  Reason = "unknown shop"
	TooLarge     Reason = "too large"
	TooSlow      Reason = "too slow"
	NoRoom       Reason = "too many at once"
	BadSignature Reason = "wrong signature"
	Foreign      Reason = "of another shop"
	Unreadable   Reason = "unreadable"
	NotKept      Reason = "could not be kept"
)

// Counts is what came from a shop since the process began.
type Counts struct {
	Accepted int `json:"accepted"`
	Repeated int `json:"repeated"` // taken before
	Empty    int `json:"empty"`    // that say nothing, such as a ping
	// Refused counts by reason; never nil.
	Refused map[Reason]int `json:"refused"`
	// Last is when the last one was accepted; nil where none was.
	Last *time.Time `json:"last"`
}

// tellEvery is how long a refusal for the same reason is not logged again:
// whoever sends rubbish must not fill the log.
const tellEvery = time.Minute

// tally counts deliveries by shop; "" stands for shops that are not known.
type tally struct {
	now func() time.Time
	log zerolog.Logger

	mu    sync.Mutex
	shops map[string]*Counts
	told  map[told]*silence
}

type told struct {
	shop   string
	reason Reason
}

// silence is how often something happened since it was logged.
type silence struct {
	since time.Time
	times int
}

func newTally(now func() time.Time, log zerolog.Logger) *tally {
	return &tally{now: now, log: log, shops: map[string]*Counts{}, told: map[told]*silence{}}
}

// counts returns those of a shop; the caller holds mu.
func (t *tally) counts(shop string) *Counts {
	c := t.shops[shop]
	if c == nil {
		c = &Counts{Refused: map[Reason]int{}}
		t.shops[shop] = c
	}
	return c
}

func (t *tally) of(shop string) Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := *t.counts(shop)
	c.Refused = maps.Clone(c.Refused)
	return c
}

func (t *tally) took(shop string, h connectors.Hint, repeated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts(shop)
	switch {
	case repeated:
		c.Repeated++
	case len(h.Refs)+len(h.Pull) == 0:
		c.Empty++
	default:
		now := t.now()
		c.Accepted, c.Last = c.Accepted+1, &now
	}
}

// refused counts a refusal, and logs it where that was not done lately.
func (t *tally) refused(shop string, why Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts(shop).Refused[why]++
	s := t.told[told{shop, why}]
	if s == nil {
		s = &silence{}
		t.told[told{shop, why}] = s
	}
	s.times++
	now := t.now()
	if now.Sub(s.since) < tellEvery {
		return
	}
	t.log.Warn().Str("shop", shop).Str("reason", string(why)).Int("times", s.times).Msg("a delivery was refused")
	s.since, s.times = now, 0
}
