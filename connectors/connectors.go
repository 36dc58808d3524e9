// Package connectors says what a storefront is to Comptoir: the driver that a
// connector package exports, the connector that reads one shop, the abilities
// that it may have besides, and the one kind of error that it lets out.
//
// A new connector is one folder beside this file and one line in package all.
package connectors

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/rs/zerolog"
)

// Driver is what a connector package exports; package all lists them.
type Driver struct {
	// Name is the platform's name in the configuration: "woocommerce".
	Name string
	// Config returns a new configuration that holds the defaults.
	Config func() Config
	// New makes a connector for one shop. It does no I/O.
	New func(Env, Config) (Connector, error)
}

// Config is a connector's own configuration. It describes its fields once:
// checking, documentation, the example file and redaction come from that.
type Config interface {
	// Fields lists the settings in the order in which they are explained.
	Fields() []Field
	// Validate reports the first setting that cannot work, as a FieldError.
	Validate() error
}

// Field is one setting of a connector.
type Field struct {
	Key      string // as in the file: "consumer_key"
	Help     string // whole sentences: meaning, unit, limits
	Value    any    // pointer into the Config: *string, *int, *bool, *time.Duration or *[]string; it holds the default until it is set
	Example  string // shown in the example file where the default is empty
	Required bool
	Secret   bool // never printed; may be given as file:PATH, env:NAME or credential:NAME
}

// FieldError is a setting that cannot work.
type FieldError struct {
	Key string
	Msg string // what is wrong, and what to do
}

func (e *FieldError) Error() string { return e.Key + ": " + e.Msg }

// Env is all that a connector may use of the outside world.
type Env struct {
	// Shop is the shop's name in the configuration.
	Shop string
	// Transport carries every request. Pacing, metrics, replay and faults
	// live here, so that no wrapper hides an ability. Nil means the default.
	Transport http.RoundTripper
	// Now is the clock; never nil.
	Now func() time.Time
	// Log takes what an operator should know. Secrets and personal data never.
	Log zerolog.Logger
	// Keeper keeps what must outlive the process; nil: nothing can be kept.
	Keeper Keeper
	// Spool is a directory for files that are too large for memory, such as
	// an export that is being read. It is there; what is in it may be deleted
	// between two runs. Empty means the system's own for temporary files.
	Spool string
}

// Keeper keeps small values of one shop between runs: a token that the shop
// has renewed. It is durable when Keep returns. Safe for concurrent use.
type Keeper interface {
	// Kept returns the value last kept under a name, nil where there is none.
	Kept(ctx context.Context, name string) ([]byte, error)
	Keep(ctx context.Context, name string, value []byte) error
}

// Cursor is a connector's own note of how far it has read a resource. It is
// opaque to everyone else. Empty means from the beginning.
type Cursor []byte

// Connector reads one shop. It translates and decides nothing. It is safe for
// concurrent use.
type Connector interface {
	// Probe proves the credentials and reports what the shop is like.
	Probe(ctx context.Context) (Shop, error)
	// Streams lists what Pull serves, in the order in which it must be
	// synced.
	Streams() []Stream
	// Pull returns the page after cur. Repeating it is harmless. A page that
	// cannot be read whole is an error: a partial page is never returned.
	Pull(ctx context.Context, r intake.Resource, cur Cursor) (Page, error)
	// Fetch reads records again, one record for each ref and in that order.
	// The Body is nil where the shop no longer has the record; where it may
	// have it and does not show it to us, the record is Hidden. Refs are all
	// of one kind.
	Fetch(ctx context.Context, refs []intake.Ref) ([]intake.Record, error)
}

// Stream tells how far the cursor of a resource may be trusted. The
// conformance suite proves what it claims.
type Stream struct {
	Resource intake.Resource
	// Sorted means that a record which changes after a page was read comes
	// after that page, or in the next pull: the engine then keeps the cursor
	// of each page. Otherwise it keeps only the one after the last page.
	Sorted bool
	// Full means that the shop cannot be asked for changes: each pull that
	// begins with the cursor of a finished one reads everything again.
	Full bool
	// Overlap is how far before the newest change a new pull starts.
	Overlap time.Duration
	// Reread is for changes that leave the date alone: records younger than
	// this, and all that are not final, are read again on a schedule. Zero:
	// every change moves the date.
	Reread time.Duration
	// Vanishes means that the shop does not tell of records that are gone, so
	// the ids are swept on a schedule. It needs a Lister.
	Vanishes bool
}

// Page is a part of a resource.
type Page struct {
	Records []intake.Record
	Next    Cursor // never empty, even after an empty page
	More    bool   // whether to pull again at once
	Total   int    // records in this run as far as the shop says; 0: it does not
}

// Shop is what a storefront is like, as Probe found it.
type Shop struct {
	Platform         string         `json:"platform"`
	Version          string         `json:"version,omitempty"` // of the platform
	Name             string         `json:"name,omitempty"`
	URL              string         `json:"url"`
	Country          string         `json:"country,omitempty"`
	Currency         money.Currency `json:"currency"`
	Decimals         int            `json:"decimals"`
	PricesIncludeTax bool           `json:"prices_include_tax"`
	RoundAtSubtotal  bool           `json:"round_at_subtotal"` // tax is rounded once for an order, not for each line
	TimeZone         string         `json:"time_zone"`
	// ClockOffset is the shop's clock minus ours.
	ClockOffset time.Duration `json:"-"`
	Checks      []Check       `json:"checks,omitempty"`
}

// MarshalJSON writes the clock offset in seconds, under a name that says so.
func (s Shop) MarshalJSON() ([]byte, error) {
	type plain Shop
	return json.Marshal(struct {
		plain
		ClockOffset float64 `json:"clock_offset_seconds"`
	}{plain(s), s.ClockOffset.Seconds()})
}

// Check is one thing that Probe looked at.
type Check struct {
	Name string `json:"name"` // "credentials", "filter by change", …
	OK   bool   `json:"ok"`
	Warn bool   `json:"warn,omitempty"` // works, but look at it
	Note string `json:"note,omitempty"` // what was found, and what to do
}

// Lister lists the ids of a resource, for sweeps and counts.
type Lister interface {
	// List calls yield with every id that the shop has of r, in no order and
	// at least once each. An error from yield ends it.
	List(ctx context.Context, r intake.Resource, yield func(refs []intake.Ref) error) error
}

// Seeker makes a cursor that starts at the changes after an instant.
type Seeker interface {
	Seek(r intake.Resource, since time.Time) Cursor
}
