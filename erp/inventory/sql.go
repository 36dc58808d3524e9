package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Mover writes the moves of one transaction and keeps the levels up with them.
// Call Flush before the transaction ends.
type Mover struct {
	tx       *store.Tx
	recorded time.Time
	levels   map[levelKey]*delta
	taken    map[takenKey]*taken
	inOrder  []*taken         // that the order at hand has changed
	costs    map[int64]*costs // by variant
	tells    []int64          // shops
}

// costs is what a transaction does to the unit cost of a variant.
type costs struct {
	in      []decimal.Decimal // at which goods came in
	average bool              // the unit cost must be the average, whatever came in
	last    *decimal.Decimal  // at which a vendor delivered last
}

type levelKey struct{ variant, place int64 }

type delta struct {
	onHand, demand, allocated quantity.Quantity
	value                     int64
	firstDay                  string
}

// NewMover returns a Mover for tx; moves are recorded as of the given instant.
func NewMover(tx *store.Tx, recorded time.Time) *Mover {
	return &Mover{tx: tx, recorded: recorded, levels: map[levelKey]*delta{}, taken: map[takenKey]*taken{}, costs: map[int64]*costs{}}
}

// Tells has shops told of what changes in what can be sold.
func (m *Mover) Tells(shops []int64) { m.tells = shops }

func (m *Mover) level(variant, place int64) *delta {
	k := levelKey{variant, place}
	d := m.levels[k]
	if d == nil {
		d = new(delta)
		m.levels[k] = d
	}
	return d
}

// Move checks and queues a move.
func (m *Mover) Move(ctx context.Context, mv Move) error {
	if mv.Quantity <= 0 || mv.Value < 0 || mv.From == mv.To {
		return fault.New(fault.Invalid, "this is a defect in a posting rule: please report it",
			"move %s of %s from %d to %d is not possible", mv.Cause, mv.Quantity, mv.From, mv.To)
	}
	id, err := m.tx.NewID(ctx)
	if err != nil {
		return err
	}
	m.tx.Queue(`INSERT INTO stock_move (id, variant_id, from_place, to_place, quantity, unit_cost, value, reason, document_kind, document_id, line_id, effective, recorded_at, cause)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		id, mv.Variant, mv.From, mv.To, int64(mv.Quantity), mv.UnitCost.String(), mv.Value, mv.Reason, mv.DocumentKind, mv.Document, mv.Line, mv.Effective, store.Micros(m.recorded), mv.Cause)
	for _, side := range []struct {
		place int64
		sign  int64
	}{{mv.From, -1}, {mv.To, 1}} {
		if side.place != Main { // levels are kept of our own places only
			continue
		}
		d := m.level(mv.Variant, side.place)
		d.onHand += quantity.Quantity(side.sign) * mv.Quantity
		d.value += side.sign * mv.Value
		first := &d.firstDay
		if mv.Shop != 0 {
			t := m.takenBy(mv.Shop, mv.Variant)
			t.quantity -= quantity.Quantity(side.sign) * mv.Quantity
			first = &t.firstDay
		}
		if *first == "" || mv.Effective < *first {
			*first = mv.Effective
		}
	}
	m.noteCost(mv)
	return nil
}

// noteCost keeps what Flush needs to know to keep the unit cost the average.
func (m *Mover) noteCost(mv Move) {
	if mv.To != Main && mv.To != Vendors {
		return
	}
	c := m.cost(mv.Variant)
	if mv.To == Main {
		c.in = append(c.in, mv.UnitCost)
	}
	if mv.From == Vendors {
		c.last = &mv.UnitCost
	}
	c.average = c.average || mv.From == Vendors || mv.To == Vendors
}

func (m *Mover) cost(variant int64) *costs {
	c := m.costs[variant]
	if c == nil {
		c = new(costs)
		m.costs[variant] = c
	}
	return c
}

// Average makes the unit cost of a variant the average of what is on hand, as
// it does of its own accord where goods came in at another cost.
func (m *Mover) Average(variant int64) { m.cost(variant).average = true }

// Want changes what open orders of a shop want of a variant, and what is set
// aside for them.
func (m *Mover) Want(shop, variant int64, demand, allocated quantity.Quantity) {
	if demand == 0 && allocated == 0 {
		return
	}
	d := m.level(variant, Main)
	d.demand += demand
	d.allocated += allocated
	m.takenBy(shop, variant).quantity += demand
}

// Recheck has the allocation of a variant looked at again, though its numbers
// are the same.
func (m *Mover) Recheck(variant int64) { m.level(variant, Main) }

// Flush queues the changes of the levels. Where goods came in at another cost
// than the one at which they leave, that becomes the average of what is on
// hand, in the company's currency.
func (m *Mover) Flush(ctx context.Context, currency money.Currency) error {
	keys := make([]levelKey, 0, len(m.levels))
	for k := range m.levels {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].variant != keys[j].variant {
			return keys[i].variant < keys[j].variant
		}
		return keys[i].place < keys[j].place
	})
	for _, k := range keys {
		d := m.levels[k]
		m.tx.Queue(`INSERT INTO stock_level (variant_id, place_id, on_hand, demand, allocated, value, first_day, dirty) VALUES ($1,$2,$3,$4,$5,$6,$7,TRUE)
			ON CONFLICT (variant_id, place_id) DO UPDATE SET on_hand = stock_level.on_hand + excluded.on_hand, demand = stock_level.demand + excluded.demand,
				allocated = stock_level.allocated + excluded.allocated, value = stock_level.value + excluded.value,
				first_day = CASE WHEN excluded.first_day = '' OR (stock_level.first_day <> '' AND stock_level.first_day < excluded.first_day) THEN stock_level.first_day ELSE excluded.first_day END,
				dirty = TRUE`,
			k.variant, k.place, int64(d.onHand), int64(d.demand), int64(d.allocated), d.value, d.firstDay)
	}
	m.OrderDone()
	m.tell(keys)
	clear(m.levels)
	m.flushTaken()
	return m.average(ctx, currency)
}

// tell queues messages about the levels that have changed in what can be sold,
// or in what the orders of a shop took of it.
func (m *Mover) tell(keys []levelKey) {
	if len(m.tells) == 0 {
		return
	}
	sold := map[int64]bool{}
	for k, t := range m.taken {
		sold[k.variant] = sold[k.variant] || t.quantity != 0 || t.released
	}
	for _, k := range keys {
		d := m.levels[k]
		sold[k.variant] = sold[k.variant] || d.onHand != d.demand
	}
	for _, variant := range slices.Sorted(maps.Keys(sold)) {
		if sold[variant] {
			outbox.PutStock(m.tx, m.tells, variant, m.recorded)
		}
	}
}

// average brings the unit costs up to date that the moves have changed.
func (m *Mover) average(ctx context.Context, currency money.Currency) error {
	variants := slices.Sorted(maps.Keys(m.costs))
	levels, err := Levels(ctx, m.tx, variants)
	if err != nil {
		return err
	}
	for _, v := range variants {
		c, l := m.costs[v], levels[v]
		now := l.UnitCost
		switch another := slices.ContainsFunc(c.in, func(d decimal.Decimal) bool { return !d.Equal(l.UnitCost) }); {
		case !c.average && (!l.valued || !another):
			continue
		case l.OnHand > 0 && l.Value >= 0:
			now = UnitCost(l.OnHand, l.Value, currency)
		case c.last != nil:
			now = *c.last
		}
		if !l.valued || !now.Equal(l.UnitCost) {
			m.tx.Queue(`UPDATE stock_level SET unit_cost = $2 WHERE variant_id = $1 AND place_id = 1`, v, now.String())
		}
	}
	clear(m.costs)
	return nil
}

// Levels reads what is on hand of variants, and what it is worth. Those of
// which nothing ever was are left out.
func Levels(ctx context.Context, r store.Reader, variants []int64) (map[int64]Level, error) {
	out := make(map[int64]Level, len(variants))
	for chunk := range slices.Chunk(variants, 1024) {
		if err := readLevels(ctx, r, chunk, out); err != nil {
			return nil, fmt.Errorf("read stock: %w", err)
		}
	}
	return out, nil
}

func readLevels(ctx context.Context, r store.Reader, variants []int64, into map[int64]Level) error {
	rows, err := r.Query(ctx, `SELECT variant_id, on_hand, value, unit_cost FROM stock_level WHERE place_id = 1 AND variant_id IN (`+store.In(len(variants), 1)+`)`, store.InArgs(nil, variants)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var variant int64
		var cost string
		var l Level
		if err := rows.Scan(&variant, &l.OnHand, &l.Value, &cost); err != nil {
			return err
		}
		if l.valued = cost != ""; l.valued {
			if l.UnitCost, err = decimal.NewFromString(cost); err != nil {
				return fmt.Errorf("unit cost of variant %d: %w", variant, err)
			}
		}
		into[variant] = l
	}
	return rows.Err()
}

// Stored is a move as it was written.
type Stored struct {
	ID int64
	Move
}

// OfDocuments returns the moves of documents, by document, oldest first.
func OfDocuments(ctx context.Context, r store.Reader, ids []int64) (map[int64][]Stored, error) {
	out := map[int64][]Stored{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT id, variant_id, from_place, to_place, quantity, unit_cost, value, reason, document_kind, document_id, line_id, effective, cause
		FROM stock_move WHERE document_id IN (`+store.In(len(ids), 1)+`) ORDER BY id`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read moves: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Stored
		var cost string
		if err := rows.Scan(&s.ID, &s.Variant, &s.From, &s.To, &s.Quantity, &cost, &s.Value, &s.Reason, &s.DocumentKind, &s.Document, &s.Line, &s.Effective, &s.Cause); err != nil {
			return nil, err
		}
		if s.UnitCost, err = decimal.NewFromString(cost); err != nil {
			return nil, fmt.Errorf("unit cost of move %d: %w", s.ID, err)
		}
		out[s.Document] = append(out[s.Document], s)
	}
	return out, rows.Err()
}
