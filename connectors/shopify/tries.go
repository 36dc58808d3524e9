package shopify

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"comptoir/connectors"
)

// mostTries is how many tries are remembered: those that may have to be made
// again are far fewer.
const mostTries = 100

// keptTries is the name under which the tries are kept.
const keptTries = "tries"

// try is a shipment or a refund that was about to be made.
type try struct {
	Key    string   `json:"key"`
	Before []string `json:"before,omitempty"` // those that the order had
}

// tries remembers what was begun: the shop takes no key for a shipment, and
// keeps that of a refund for a while only, so where an answer was lost this
// tells whose a shipment or a refund is.
type tries struct {
	mu   sync.Mutex
	list []try // the newest last
}

// begin notes a try before the network is touched. It returns the one before,
// of the same key; nil where this is the first.
func (t *tries) begin(ctx context.Context, keeper connectors.Keeper, key string, before []string) (*try, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.list == nil && keeper != nil {
		raw, err := keeper.Kept(ctx, keptTries)
		if err != nil {
			return nil, err
		}
		if json.Unmarshal(raw, &t.list) != nil {
			t.list = []try{} // of another version
		}
	}
	if i := slices.IndexFunc(t.list, func(one try) bool { return one.Key == key }); i >= 0 {
		return &t.list[i], nil
	}
	now := try{Key: key, Before: before}
	next := append(slices.Clone(t.list[max(len(t.list)-mostTries+1, 0):]), now)
	if keeper != nil {
		raw, err := json.Marshal(next)
		if err != nil {
			return nil, err
		}
		if err := keeper.Keep(ctx, keptTries, raw); err != nil {
			return nil, err
		}
	}
	t.list = next
	return nil, nil
}
