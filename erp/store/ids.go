package store

import (
	"context"
	"fmt"
	"sync"
)

// blockSize is how many ids are reserved at a time: enough that a page of
// orders reserves once or not at all, few enough that the ids lost at the end
// of a process do not matter.
const blockSize = 4096

// idBlock is a range of reserved ids.
type idBlock struct {
	next, end int64 // free are next … end-1
	fresh     bool  // reserved by the transaction that holds it, so undone with it
}

// idPool keeps the ids that committed transactions have reserved and not used.
type idPool struct {
	mu     sync.Mutex
	blocks []idBlock
}

func (p *idPool) take() (idBlock, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.blocks) - 1
	if last < 0 {
		return idBlock{}, false
	}
	b := p.blocks[last]
	p.blocks = p.blocks[:last]
	return b, true
}

func (p *idPool) put(b idBlock) {
	if b.next >= b.end {
		return
	}
	b.fresh = false
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blocks = append(p.blocks, b)
}

// NewID returns an id that no other row of the books has. The ids of all
// tables come from one series; it has gaps. It does not run what was queued.
func (t *Tx) NewID(ctx context.Context) (int64, error) {
	if n := len(t.blocks); n == 0 || t.blocks[n-1].next == t.blocks[n-1].end {
		b, err := t.reserve(ctx)
		if err != nil {
			return 0, err
		}
		t.blocks = append(t.blocks, b)
	}
	b := &t.blocks[len(t.blocks)-1]
	id := b.next
	b.next++
	return id, nil
}

// reserve returns a block of the pool, or else a new one, which is reserved
// only when this transaction commits. A block of the pool is not taken within
// a savepoint, so that all blocks above one are undone with it.
func (t *Tx) reserve(ctx context.Context) (idBlock, error) {
	if err := t.usable(ctx); err != nil {
		return idBlock{}, err
	}
	if t.depth == 0 {
		if b, ok := t.pool.take(); ok {
			return b, nil
		}
	}
	const q = `UPDATE counter SET next = next + $1 WHERE name = 'id' RETURNING next`
	b := idBlock{fresh: true}
	if err := t.s.queryRow(ctx, q, []any{int64(blockSize)}).Scan(&b.end); err != nil {
		return idBlock{}, t.fail(fmt.Errorf("reserve ids: %w", err))
	}
	b.next = b.end - blockSize
	return b, nil
}

// giveBack returns the unused ids to the pool when the transaction has ended.
func (t *Tx) giveBack(committed bool) {
	for _, b := range t.blocks {
		if committed || !b.fresh {
			t.pool.put(b)
		}
	}
	t.blocks = nil
}
