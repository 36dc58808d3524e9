package woocommerce

import (
	"encoding/json"
	"slices"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// cursorVersion is raised when the meaning of a field changes.
const cursorVersion = 1

// cursor is how far a list was read. Between two runs it holds only where the
// next window starts.
type cursor struct {
	Version int `json:"v"`
	// Since is the start of the window, in Unix seconds; 0: everything.
	Since int64 `json:"since,omitempty"`
	// Blind means that the shop was seen to ignore modified_after: it is read
	// whole, and the window is applied here.
	Blind bool `json:"blind,omitempty"`
	// Until is where the next window will start. It is fixed before the first
	// page of a run of several pages is read, so that what changes meanwhile
	// comes again.
	Until int64 `json:"until,omitempty"`
	// After is the last id that was read in this run, 0 before the first page,
	// and Offset where it stood in the list.
	After  int64 `json:"after,omitempty"`
	Offset int   `json:"offset,omitempty"`
	// List is the route that After and Offset belong to.
	List string `json:"list,omitempty"`
}

// readCursor reads a cursor. One that cannot be read, or that another version
// has written, is the beginning: reading too much does no harm.
func readCursor(cur connectors.Cursor) cursor {
	var c cursor
	if json.Unmarshal(cur, &c) != nil || c.Version != cursorVersion || c.Since < 0 || c.Until < 0 || c.After < 0 || c.Offset < 0 {
		return cursor{}
	}
	return c
}

func (c cursor) bytes() connectors.Cursor {
	c.Version = cursorVersion
	b, _ := json.Marshal(c) // numbers and plain text
	return b
}

// running reports whether the cursor is in the middle of a run over a list.
func (c cursor) running(route string) bool { return c.After > 0 && c.List == route }

// restart is the cursor at the beginning of its run.
func (c cursor) restart() cursor { return cursor{Since: c.Since, Blind: c.Blind} }

// asked is the start of the window that the shop is asked for.
func (c cursor) asked() int64 {
	if c.Blind {
		return 0
	}
	return c.Since
}

// changed returns the rows in the window. A row without a date may have
// changed at any time.
func (c cursor) changed(rows []row) []row {
	if !c.Blind {
		return rows
	}
	return slices.DeleteFunc(rows, func(r row) bool { return !r.modified.IsZero() && r.modified.Unix() < c.Since })
}

// instantOf is the instant of a Unix second; zero for 0.
func instantOf(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Seek makes a cursor that starts at the changes after since. A list that
// cannot be asked for changes starts at its beginning.
func (c *Connector) Seek(r intake.Resource, since time.Time) connectors.Cursor {
	if l, ok := c.listOf(r); !ok || !l.windowed || since.Unix() <= 0 {
		return cursor{}.bytes()
	}
	return cursor{Since: since.Unix()}.bytes()
}
