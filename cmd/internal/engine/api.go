package engine

import (
	"encoding/json"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/syncstate"

	"github.com/rs/zerolog"
)

// Shop is a shop that the engine keeps in step with the books.
type Shop struct {
	// Name is the shop's name in the configuration and in the books.
	Name      string
	Connector connectors.Connector
	// Schedules holds the cron spec of each resource that the daemon pulls.
	// A spec has five fields, or six of which the first is the seconds, or is
	// a descriptor such as "@every 5m". A resource without one is pulled only
	// on demand.
	Schedules map[intake.Resource]string
	// Location is the time zone of all the shop's cron specs; nil means UTC.
	Location *time.Location
	// Jitter puts off each scheduled pull by a random time up to this, so
	// that many shops do not ask at the same second. Zero means none.
	Jitter time.Duration
	// Reread, Sweep and Retry are cron specs: for reading open and recent
	// orders again, for comparing all ids with the shop's, and for applying
	// parked records again. "" means never.
	Reread, Sweep, Retry string
	// Push is whether the shop is told of changes: On of its outbox.Policy.
	Push bool
	// Compare is a cron spec: for comparing everything that the shop is sent
	// with what it is known to have. "" means never.
	Compare string
	// Verify is the cron spec for comparing the shop with the books, of the
	// orders those that changed within VerifySpan before; "" means never.
	Verify     string
	VerifySpan time.Duration
	// Silence is how long a busy resource may bring nothing new before an
	// alarm is raised. Zero derives it from the resource's own history, see
	// ResourceStatus.Alarm.
	Silence time.Duration
}

// Options say what an engine works on. Books, State and Now are required;
// without State only Plan works.
type Options struct {
	Books *erp.Books
	State *syncstate.Bolt
	Shops []Shop
	Now   func() time.Time
	Log   zerolog.Logger
	// Progress is told after each page; nil means nobody is. It may be called
	// from several goroutines and must not block.
	Progress func(Progress)
	// StopTimeout is how long a page that is being applied may still take
	// after the context has ended; after that it is dropped whole. Zero means
	// 20 seconds.
	StopTimeout time.Duration
	// Passed is whether other processes with the same books take hints of the
	// shops too, and pass them on through the books; see PassHint.
	Passed bool
}

// Progress is how far a pass over one resource has come.
type Progress struct {
	Shop     string
	Resource intake.Resource
	Done     int // records looked at in this pass
	Total    int // records in this pass as far as the shop says; 0: it does not
}

// Request is what Sync is asked for.
type Request struct {
	Shop string
	// Resources are those to pull; none means all. They are pulled in the
	// connector's order, whatever the order here.
	Resources []intake.Resource
}

// ResyncRequest is what Resync is asked for.
type ResyncRequest struct {
	Shop string
	// Resources are those to read again; none means all.
	Resources []intake.Resource
	// Since limits it to records that changed at or after this instant; zero
	// means everything.
	Since time.Time
	// Order is the external id of the one order to read again; "" means no
	// such limit. It goes neither with Resources nor with Since.
	Order string
	// DryRun changes nothing and lists in Result.Changes what would change.
	DryRun bool
}

// Result says what a pass did.
type Result struct {
	Shop string `json:"shop"`
	// Resources holds one entry for each resource that was read, in the order
	// of reading.
	Resources []ResourceResult `json:"resources"`
	// Total sums up Resources; its Took is that of the whole pass.
	Total ResourceResult `json:"total"`
	// Linked says what became of products that other shops may sell too; nil
	// where the pass did not read orders, or the products were not read to
	// their end.
	Linked *erp.Linking `json:"linked,omitempty"`
	// Settled says what became of the stock; nil where the pass did not read
	// the products and the orders to their end.
	Settled *erp.Settlement `json:"settled,omitempty"`
	// Changes is what a dry run would have changed.
	Changes []erp.Change `json:"changes,omitzero"`
}

// ResourceResult says what a pass did with one resource.
type ResourceResult struct {
	Resource  intake.Resource `json:"resource,omitempty"`
	Pages     int             `json:"pages"`
	Applied   int             `json:"applied"`   // records that changed something
	Unchanged int             `json:"unchanged"` // records that were known already
	Parked    int             `json:"parked"`    // records set aside, with their reasons in the books
	Took      time.Duration   `json:"-"`         // "took_seconds" in JSON
	// Error is why the resource was not read to its end; "" where it was.
	Error string `json:"error,omitempty"`
}

// MarshalJSON writes the time that it took in seconds, under a name that says
// so.
func (r ResourceResult) MarshalJSON() ([]byte, error) {
	type plain ResourceResult
	return json.Marshal(struct {
		plain
		Took float64 `json:"took_seconds"`
	}{plain(r), r.Took.Seconds()})
}

// ShopStatus is how a shop stands.
type ShopStatus struct {
	Shop string `json:"shop"`
	// Paused is why the shop is read only now and then, to see whether it
	// still refuses, or until Engine.Resume; "" where it is not paused.
	Paused    string           `json:"paused,omitempty"`
	Resources []ResourceStatus `json:"resources"`
	// Push is how what the shop is told stands; nil where it is told nothing.
	Push *PushStatus `json:"push,omitempty"`
	// Hints tell what the shop pointed at and was not looked at yet; nil where
	// its connector takes none.
	Hints *HintStatus `json:"hints,omitempty"`
	// Drift is what the last comparison on the schedule found; nil where this
	// process has made none.
	Drift *DriftStatus `json:"drift,omitempty"`
	// RepeatedSKUs are those that several records of the shop have: each of
	// these keeps a stock of its own until a person has looked at them. It is
	// as it was up to a minute ago.
	RepeatedSKUs []string `json:"repeated_skus,omitempty"`
}

// PushStatus is how that stands which a shop has still to be told.
type PushStatus struct {
	Waiting int `json:"waiting"` // messages that are not parked
	Parked  int `json:"parked"`  // those that the shop has refused too often
	// Oldest is since when the oldest of those that wait does; nil where none
	// does.
	Oldest *time.Time `json:"oldest"`
	// LastPush is when the shop was last told something without a failure; nil
	// where this process has told it nothing.
	LastPush *time.Time `json:"last_push"`
	// LastError is why the last pass failed; "" where it did not.
	LastError string `json:"last_error,omitempty"`
	// ExposureSeconds is the longest time, since this process was started,
	// within which a sale in the shop may have been overwritten.
	ExposureSeconds float64 `json:"exposure_seconds"`
}

// ResourceStatus is how a resource of a shop stands.
type ResourceStatus struct {
	Shop     string          `json:"shop"`
	Resource intake.Resource `json:"resource"`
	Cursor   string          `json:"cursor"` // the connector's own words; "" before the first page
	LastRun  time.Time       `json:"-"`      // when the last pull began; zero, and null in JSON, where there was none
	// Applied and Unchanged count the records of the last pull.
	Applied   int `json:"applied"`
	Unchanged int `json:"unchanged"`
	// Parked counts the records that are parked now.
	Parked int `json:"parked"`
	// LagSeconds is the time since the beginning of the last pull that read
	// the resource to its end, which is how old our picture of it is; -1
	// where none did, and null in JSON.
	LagSeconds int64 `json:"-"`
	// LastError is why the last pull failed; "" where it did not. That it was
	// stopped is no failure.
	LastError string `json:"last_error,omitempty"`
	// Alarm says in plain words that the resource is silent for unusually
	// long; "" where it is not.
	Alarm string `json:"alarm,omitempty"`
}

// statusJSON is a ResourceStatus in JSON.
type statusJSON struct {
	plainStatus
	LastRun    *time.Time `json:"last_run"`
	LagSeconds *int64     `json:"lag_seconds"`
}

type plainStatus ResourceStatus

// MarshalJSON writes null for what never was.
func (s ResourceStatus) MarshalJSON() ([]byte, error) {
	out := statusJSON{plainStatus: plainStatus(s)}
	if !s.LastRun.IsZero() {
		out.LastRun = &s.LastRun
	}
	if s.LagSeconds >= 0 {
		out.LagSeconds = &s.LagSeconds
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *ResourceStatus) UnmarshalJSON(b []byte) error {
	var in statusJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*s = ResourceStatus(in.plainStatus)
	s.LastRun, s.LagSeconds = time.Time{}, -1
	if in.LastRun != nil {
		s.LastRun = *in.LastRun
	}
	if in.LagSeconds != nil {
		s.LagSeconds = *in.LagSeconds
	}
	return nil
}
