package inventory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"comptoir/erp/quantity"
)

// takenKey names what the orders of one shop took of one variant.
type takenKey struct{ variant, shop int64 }

// taken is what a transaction changes of it. Instants are microseconds.
type taken struct {
	quantity quantity.Quantity
	ordered  int64 // when an order last changed it, by the shop's clock
	first    int64 // when the first such order was placed
	firstDay string
	// before is quantity when the last order was done, and inOrder says that the
	// one at hand has changed it since.
	before  quantity.Quantity
	inOrder bool
	// released: one of the orders takes less than before, be it that others take
	// more.
	released bool
}

func (m *Mover) takenBy(shop, variant int64) *taken {
	k := takenKey{variant, shop}
	t := m.taken[k]
	if t == nil {
		t = new(taken)
		m.taken[k] = t
	}
	if !t.inOrder {
		t.inOrder = true
		m.inOrder = append(m.inOrder, t)
	}
	return t
}

// Released notes that an order of a shop, of which the books know only now, took
// some of a variant and gave it back.
func (m *Mover) Released(shop, variant int64) { m.takenBy(shop, variant).released = true }

// OrderDone ends what an order changes: what comes next is another one's.
func (m *Mover) OrderDone() {
	for _, t := range m.inOrder {
		t.released = t.released || t.quantity < t.before
		t.before, t.inOrder = t.quantity, false
	}
	m.inOrder = m.inOrder[:0]
}

// Touched notes that an order of a shop changed what can be sold of a variant:
// when the order was placed (0: not known), and when the shop stated the change, by the shop's
// clock in microseconds.
func (m *Mover) Touched(shop, variant, placed, at int64) {
	t := m.takenBy(shop, variant)
	t.ordered = max(t.ordered, at)
	if placed != 0 && (t.first == 0 || placed < t.first) {
		t.first = placed
	}
}

// flushTaken queues what the orders of each shop took. Where one takes less
// than before, a shop may have put the goods back in stock, or not: it does with
// an order that is cancelled, and need not with one that is refunded. And where an
// order comes that was placed before the shop said what it has, that may hold it
// already. What it has is then to be asked.
func (m *Mover) flushTaken() {
	keys := slices.SortedFunc(maps.Keys(m.taken), func(a, b takenKey) int {
		return cmp.Or(cmp.Compare(a.variant, b.variant), cmp.Compare(a.shop, b.shop))
	})
	for _, k := range keys {
		t := m.taken[k]
		if *t == (taken{}) {
			continue
		}
		if *t != (taken{released: true}) {
			m.tx.Queue(`INSERT INTO shop_taken (variant_id, shop_id, quantity, ordered_at, first_at, first_day) VALUES ($1,$2,$3,$4,$5,$6)
				ON CONFLICT (variant_id, shop_id) DO UPDATE SET quantity = shop_taken.quantity + excluded.quantity,
					ordered_at = CASE WHEN shop_taken.ordered_at > excluded.ordered_at THEN shop_taken.ordered_at ELSE excluded.ordered_at END,
					first_at = CASE WHEN excluded.first_at = 0 OR (shop_taken.first_at <> 0 AND shop_taken.first_at < excluded.first_at) THEN shop_taken.first_at ELSE excluded.first_at END,
					first_day = CASE WHEN excluded.first_day = '' OR (shop_taken.first_day <> '' AND shop_taken.first_day < excluded.first_day) THEN shop_taken.first_day ELSE excluded.first_day END`,
				k.variant, k.shop, int64(t.quantity), t.ordered, t.first, t.firstDay)
		}
		switch {
		case t.released:
			m.tx.Queue(`UPDATE stock_ack SET unsure = TRUE WHERE variant_id = $1 AND shop_id = $2`, k.variant, k.shop)
		case t.quantity > 0 && len(m.tells) > 0:
			m.tx.Queue(`UPDATE stock_ack SET unsure = TRUE WHERE variant_id = $1 AND shop_id = $2 AND stated_at > 0 AND stated_at >= $3`, k.variant, k.shop, cmp.Or(t.first, t.ordered)-statedMargin.Microseconds())
		}
	}
	clear(m.taken)
}

// statedMargin is how far a shop's clock may be from ours before an order counts
// as newer than what the shop said.
const statedMargin = 10 * time.Second
