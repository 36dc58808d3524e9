package inventory

import (
	"context"
	"fmt"
	"sort"
	"time"

	"comptoir/erp/fault"
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
}

type levelKey struct{ variant, place int64 }

type delta struct {
	onHand, demand, allocated quantity.Quantity
	value                     int64
	ordered                   int64
	firstDay                  string
}

// NewMover returns a Mover for tx; moves are recorded as of the given instant.
func NewMover(tx *store.Tx, recorded time.Time) *Mover {
	return &Mover{tx: tx, recorded: recorded, levels: map[levelKey]*delta{}}
}

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
		if d.firstDay == "" || mv.Effective < d.firstDay {
			d.firstDay = mv.Effective
		}
	}
	return nil
}

// Want changes what open orders want of a variant, and what is set aside for
// them. At is when the shop changed the order, in microseconds; it is kept
// only where on hand less demand changes by the whole order.
func (m *Mover) Want(variant int64, demand, allocated quantity.Quantity) {
	if demand == 0 && allocated == 0 {
		return
	}
	d := m.level(variant, Main)
	d.demand += demand
	d.allocated += allocated
}

// Touched notes that an order of the shop changed what can be sold of a
// variant, at an instant of the shop's clock in microseconds.
func (m *Mover) Touched(variant, at int64) {
	d := m.level(variant, Main)
	d.ordered = max(d.ordered, at)
}

// Flush queues the changes of the levels.
func (m *Mover) Flush() {
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
		m.tx.Queue(`INSERT INTO stock_level (variant_id, place_id, on_hand, demand, allocated, value, ordered_at, first_day, dirty) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,TRUE)
			ON CONFLICT (variant_id, place_id) DO UPDATE SET on_hand = stock_level.on_hand + excluded.on_hand, demand = stock_level.demand + excluded.demand,
				allocated = stock_level.allocated + excluded.allocated, value = stock_level.value + excluded.value,
				ordered_at = CASE WHEN stock_level.ordered_at > excluded.ordered_at THEN stock_level.ordered_at ELSE excluded.ordered_at END,
				first_day = CASE WHEN excluded.first_day = '' OR (stock_level.first_day <> '' AND stock_level.first_day < excluded.first_day) THEN stock_level.first_day ELSE excluded.first_day END,
				dirty = TRUE`,
			k.variant, k.place, int64(d.onHand), int64(d.demand), int64(d.allocated), d.value, d.ordered, d.firstDay)
	}
	clear(m.levels)
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
