package sandbox

import (
	"maps"
	"time"
)

// StockWrite is a quantity that an app wrote into the shop.
type StockWrite struct {
	At       time.Time // on the shop's clock
	ID       string    // of the variant that counts
	Location string    // "" where the platform has none
	From, To int       // what the shop had, and has
}

// StockWrites returns the quantities that apps wrote, oldest first, also those
// that the shop had already.
func (s *Shop) StockWrites() []StockWrite {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]StockWrite(nil), s.stockWrites...)
}

// wroteStock notes that an app set the stock of a variant.
func (s *Shop) wroteStock(v *variant, location string, from, to int64) {
	s.stockWrites = append(s.stockWrites, StockWrite{At: s.clock, ID: text(v.id), Location: location, From: int(from), To: int(to)})
}

// Calls returns how many calls came of each kind that may change something:
// "POST /wc/v3/products/batch" with ids as {id}, or "mutation
// inventorySetQuantities".
func (s *Shop) Calls() map[string]int {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	return maps.Clone(s.door.calls)
}

// called counts something that a call did besides.
func (d *door) called(kind string) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.calls[kind]++
}
