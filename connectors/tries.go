package connectors

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/shopspring/decimal"
)

// MostTries is how many tries are remembered: those that may have to be made
// again are far fewer.
const MostTries = 100

// keptTries is the name under which the tries are kept.
const keptTries = "tries"

// Try is a shipment or a refund that was about to be made.
type Try struct {
	Key    string   `json:"key"`
	Before []string `json:"before,omitempty"` // the ids of those that the order had
	// Order is the id of the order, and Amount what a refund was to give back;
	// nil of a shipment, and of a try that an older version has kept.
	Order  string           `json:"order,omitempty"`
	Amount *decimal.Decimal `json:"amount,omitempty"`
}

// Tries remembers what was begun: where a shop takes no key for what is made,
// keeps it for a while only, or notes it only once the work is done, this tells
// after a lost answer whose a shipment or a refund is. The zero value is ready;
// safe for concurrent use.
type Tries struct {
	mu   sync.Mutex
	list []Try // the newest last
}

// Begin notes a try before the network is touched. It returns the one before,
// of the same key; nil where this is the first. Without a keeper it is
// remembered for as long as the process runs. Errors are those of the keeper.
func (t *Tries) Begin(ctx context.Context, keeper Keeper, now Try) (*Try, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(ctx, keeper); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(t.list, func(one Try) bool { return one.Key == now.Key }); i >= 0 {
		before := t.list[i]
		return &before, nil
	}
	next := append(slices.Clone(t.list[max(len(t.list)-MostTries+1, 0):]), now)
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

// Begun returns the try of a key; nil where none was begun. Errors are those of
// the keeper.
func (t *Tries) Begun(ctx context.Context, keeper Keeper, key string) (*Try, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(ctx, keeper); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.list, func(one Try) bool { return one.Key == key })
	if i < 0 {
		return nil, nil
	}
	before := t.list[i]
	return &before, nil
}

// Of returns what was begun of an order, the oldest first. Errors are those of
// the keeper.
func (t *Tries) Of(ctx context.Context, keeper Keeper, order string) ([]Try, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(ctx, keeper); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(t.list), func(one Try) bool { return one.Order != order }), nil
}

// load reads what is kept, once.
func (t *Tries) load(ctx context.Context, keeper Keeper) error {
	if t.list != nil || keeper == nil {
		return nil
	}
	raw, err := keeper.Kept(ctx, keptTries)
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, &t.list) != nil {
		t.list = []Try{} // of another version
	}
	return nil
}
