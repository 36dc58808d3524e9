package shopify

import (
	"encoding/json"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// cursorVersion is raised when the meaning of a field changes.
const cursorVersion = 1

// phase is a part of a run over a resource. The empty one reads its list.
type phase string

const (
	// phaseGone reads what was deleted in the window.
	phaseGone phase = "gone"
	// phaseTouched reads the variants of which the stock or the cost has
	// changed, which need not move the date of the variant.
	phaseTouched phase = "touched"
	// phaseWhole reads the whole list, where a change may leave its date alone.
	phaseWhole phase = "whole"
	// phaseBulk reads orders from the result of a bulk operation.
	phaseBulk phase = "bulk"
)

// cursor is how far a resource was read. Between two runs it holds only where
// the next window starts.
type cursor struct {
	Version int   `json:"v"`
	Phase   phase `json:"phase,omitempty"`
	// Since is the start of the window, in Unix seconds; 0: everything.
	Since int64 `json:"since,omitempty"`
	// Until is its end, which does not belong to it. It is fixed with the
	// first page of a run, so that what changes meanwhile comes in the next.
	Until int64 `json:"until,omitempty"`
	// Bounded means that pages of this run ended at Until; the first does not.
	Bounded bool `json:"bounded,omitempty"`
	// After is the last id that was read in this phase, 0 before the first.
	After uint64 `json:"after,omitempty"`
	// Whole is when the list was last read whole, in Unix seconds.
	Whole int64 `json:"whole,omitempty"`
	// Payouts is how the payouts were last stated that may still change.
	Payouts map[string]string `json:"payouts,omitempty"`
	// Bulk is the state of phaseBulk.
	Bulk json.RawMessage `json:"bulk,omitempty"`
}

// readCursor reads a cursor. One that cannot be read, or that another version
// has written, is the beginning: reading too much does no harm.
func (c *Connector) readCursor(r intake.Resource, from connectors.Cursor) cursor {
	if len(from) == 0 {
		return cursor{}
	}
	var cur cursor
	if json.Unmarshal(from, &cur) != nil || cur.Version != cursorVersion || !cur.sound() {
		c.env.Log.Warn().Str("shop", c.env.Shop).Str("resource", string(r)).
			Msg("the place where reading stopped cannot be understood, so everything is read again")
		return cursor{}
	}
	return cur
}

// sound reports whether the parts of a cursor fit together.
func (cur cursor) sound() bool {
	if cur.Since < 0 || cur.Until < 0 || cur.Whole < 0 {
		return false
	}
	switch cur.Phase {
	case "":
		return true
	case phaseGone, phaseTouched, phaseWhole:
		return cur.Since > 0 && cur.Until > 0
	case phaseBulk:
		return len(cur.Bulk) > 0
	default:
		return false
	}
}

func (cur cursor) bytes() connectors.Cursor {
	cur.Version = cursorVersion
	b, _ := json.Marshal(cur) // numbers and plain text
	return b
}

// since reports whether a row has changed since the window began. One without
// a date may have changed at any time.
func (cur cursor) since(r row) bool { return r.modified.IsZero() || r.modified.Unix() >= cur.Since }

// finished is the cursor after the last page of a run: the next window starts
// before the end of this one.
func (c *Connector) finished(cur cursor) cursor {
	next := cursor{Since: max(cur.Until-int64(c.cfg.Overlap/time.Second), cur.Since), Whole: cur.Whole}
	if cur.Since == 0 || cur.Phase == phaseWhole {
		next.Whole = cur.Until
	}
	return next
}

// clockMargin is how far the end of a window stays behind the clocks: what is
// changed in the last moments may still be missing from a search.
const clockMargin = 30 * time.Second

// horizon is where a window ends. The shop's clock says it, but never beyond
// our own: where one of them runs ahead for a while, nothing is skipped.
func (c *Connector) horizon(shopNow time.Time) int64 {
	h := c.env.Now()
	if !shopNow.IsZero() && shopNow.Before(h) {
		h = shopNow
	}
	return max(h.Add(-clockMargin).Unix(), 0)
}

// Seek makes a cursor that starts at the changes after since. A resource that
// cannot be asked for changes starts at its beginning.
func (c *Connector) Seek(r intake.Resource, since time.Time) connectors.Cursor {
	if l, ok := c.listOf(r); !ok || l.dated == "" || since.Unix() <= 0 {
		return cursor{}.bytes()
	}
	return cursor{Since: since.Unix(), Whole: since.Unix()}.bytes()
}
