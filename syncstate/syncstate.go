// Package syncstate remembers how far each stream of each shop was read, which
// records were applied with which content, and how the last runs went. It
// lives in one bbolt file.
//
// It is a cache of progress: losing it costs time, never data. The books carry
// a fence with each commit, and where the two disagree the books are right
// (see Rewind). So the file may be deleted, or replaced by an older copy, at any
// time. Only a copy from before a restore of the books is no good: it speaks of
// commits that are no more under numbers that were given again. Backups need
// not hold this file; after a restore of the books, delete it when in doubt.
//
// The file holds one small key for each record and a bounded number of runs
// for each stream. bbolt reuses pages that have become free but never returns
// them to the file system; to make the file smaller, stop the daemon and
// delete it. Every commit is synced to disk. The list of free pages is a hash
// map, which stays fast however large the file gets, and is written with each
// commit, so that opening need not scan the file.
package syncstate

import (
	"errors"
	"fmt"
	"time"
)

// Mark is how far a stream was read.
type Mark struct {
	// Fence is the number of the commit in the books that Cursor follows;
	// zero before the first.
	Fence int64
	// Cursor is the connector's own note; nil is the beginning.
	Cursor []byte
}

// Key is what was last applied of one record.
type Key struct {
	// ID is the record's external id.
	ID string
	// Digest identifies its content: any text. Empty stands for a record that
	// the shop no longer has.
	Digest string
}

// Run is one reading of a stream, as it went.
type Run struct {
	Stream    string    `json:"stream"`
	Purpose   string    `json:"purpose,omitempty"` // "pull", "reread", "sweep" …; "" where the caller did not say
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended"`
	Pages     int       `json:"pages"`
	Applied   int       `json:"applied"`
	Unchanged int       `json:"unchanged"`
	Parked    int       `json:"parked"`
	// Newest is the latest change that the run has seen; zero where it saw
	// none or the shop does not date its records.
	Newest time.Time `json:"newest,omitzero"`
	// Error is what ended the run early; "" for a run that came to its end.
	Error string `json:"error,omitempty"`
}

// Options say how to open the file.
type Options struct {
	// ReadOnly opens a file that exists, beside other readers. A process that
	// writes keeps readers out.
	ReadOnly bool
	// Timeout is how long to wait for another process to let go of the file.
	// Zero means a second.
	Timeout time.Duration
	// Now is the clock. RecordRun reads it for a run without an end; nil
	// leaves the end of such a run open.
	Now func() time.Time
	// KeepRuns is how many runs of each stream are kept. Zero means 200.
	KeepRuns int
	// Space names the set of keys that a stream belongs to. Streams that
	// state the same records must share one: an order that goes from the list
	// of orders to the trash and back has its first digest again, and only a
	// common set knows that something happened in between. Nil gives each
	// stream a set of its own.
	Space func(stream string) string
}

// ErrStale means that a mark was not where the caller thought: another run has
// moved it. Read it again and start from there.
var ErrStale = errors.New("another run has moved this stream; start again from its current mark")

// HeldError means that another process has the file open.
type HeldError struct{ Path string }

func (e *HeldError) Error() string {
	return fmt.Sprintf("sync state %s is in use by another comptoir process: "+
		"stop the daemon (systemctl stop comptoir) and try again, or leave the work to it", e.Path)
}

// DamagedError means that the file cannot be read. Nothing is lost with it.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("sync state %s is damaged (%v): stop comptoir, delete the file and start again; "+
		"it only remembers progress and is rebuilt from the books", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// StreamStats is what the file holds of one stream.
type StreamStats struct {
	Mark Mark
	Runs int
}

// Stats is what the file holds.
type Stats struct {
	Path    string
	Size    int64 // of the file, in bytes
	Free    int64 // bytes of it that the next commits can use again
	Streams map[string]StreamStats
	Keys    map[string]int // records remembered, by space
}
