// Package conformance is the suite that every connector passes. A connector's
// own test makes a Subject, which is the connector together with a shop that it
// reads, and calls Run:
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, func(t *testing.T) conformance.Subject { return newSubject(t) })
//	}
//
// The suite plays the engine: it follows cursors as connectors.Stream allows,
// changes the shop between pages and between requests, breaks the wire, and
// compares what it was told with what the shop holds. Nothing may be lost, in
// no order of events, and no failure may pass for an answer.
//
// Every check runs in a testing/synctest bubble: waiting costs no time. So the
// Subject must reach its shop without sockets, through a transport in memory.
package conformance

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

// Subject is a connector under test together with a shop of its own. The shop
// needs a few dozen orders at least, some of them within one second, and more
// of the rest than one small page. Its methods may be called from within the
// transport, between two requests of the connector.
type Subject interface {
	// Connect returns a new connector to the shop, as a new process would
	// make it.
	Connect(Setup) (connectors.Connector, error)
	// IDs lists what the shop has now of a resource, as an owner sees it.
	IDs(r intake.Resource) []string
	// Unreadable lists the records among them whose payload makes no sense on
	// purpose: a total that is no number. They must be served, with a Problem.
	Unreadable(r intake.Resource) []string
	// Do makes a change happen in the shop, to the record with this id, or to
	// a new one for Add. It returns the id of the record that changed, or
	// ErrCannot where this shop knows no such change of the resource or of
	// this record.
	Do(r intake.Resource, c Change, id string) (string, error)
	// Advance moves the shop's clock, and the connector's with it. What the
	// shop does by itself in that time is no concern of the suite.
	Advance(d time.Duration)
	// Now is the time on the shop's clock.
	Now() time.Time
	// Misbehave makes the shop commit a fault in every answer until Behave.
	// It returns ErrCannot for a fault that it does not know.
	Misbehave(f Fault) error
	Behave()
	// Facts is what Probe must report: at least currency and time zone; empty
	// fields are not compared.
	Facts() connectors.Shop
	// Secrets are the credentials in use, which must show up nowhere.
	Secrets() []string
}

// Setup is what the suite asks of a connector.
type Setup struct {
	// PageSize is the most records that a page may hold; 0 leaves the
	// connector its default.
	PageSize int
	// Wire, when not nil, wraps the transport that carries the requests.
	Wire func(http.RoundTripper) http.RoundTripper
	// Log is the connector's log.
	Log zerolog.Logger
}

// Change is something that happens in a shop.
type Change string

// The changes. All but Quiet, Unrefund and Remove move the date of the record;
// all but Touch change what the books see of it.
const (
	Add      Change = "add"
	Edit     Change = "edit"
	Quiet    Change = "edit without moving the date"
	Touch    Change = "move the date alone"
	Refund   Change = "refund in part"
	Unrefund Change = "delete a refund"
	Shelve   Change = "put in the trash"
	Remove   Change = "delete for good"
)

// Fault is a misbehaviour that only the shop itself can commit. What goes
// wrong on the way (throttling, broken bodies, time-outs) the suite does
// itself, on the wire.
type Fault string

// The faults.
const (
	Duplicates Fault = "rows come twice"
	Reordered  Fault = "rows come in another order"
	SkewAhead  Fault = "the shop's clock is ahead" // by minutes
	SkewBehind Fault = "the shop's clock is behind"
	RetiredKey Fault = "the key was retired"
)

// ErrCannot means that a shop knows no such change or fault. The suite leaves
// out what depends on it.
var ErrCannot = errors.New("this shop cannot do that")

// T is what a check needs of *testing.T.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// check is one claim. It gets a shop of its own.
type check struct {
	name string
	run  func(ctx context.Context, t T, s Subject)
}

// patience is how long a check may take on the clock of its bubble. Retries
// and time-outs of a connector together take much less.
const patience = 24 * time.Hour

// Run proves that the connectors of newSubject are sound. It calls newSubject
// once for each check, within the check's bubble. Checks run in parallel.
func Run(t *testing.T, newSubject func(t *testing.T) Subject) {
	RunShop(t, newSubject)
	run(t, newSubject, wireChecks())
}

// RunShop proves it for another shop of the same connector, as for an older
// version of its platform: all but what happens on the wire, which is the same
// for each of them.
func RunShop(t *testing.T, newSubject func(t *testing.T) Subject) {
	run(t, newSubject, shopChecks())
}

func run(t *testing.T, newSubject func(t *testing.T) Subject, checks []check) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				c.run(ctx, t, newSubject(t))
			})
		})
	}
}

func shopChecks() []check {
	all := []check{
		{"ProbeTellsTheFacts", probeTellsTheFacts},
		{"StreamsAreDeclaredSoundly", streamsAreDeclaredSoundly},
		{"FullPullEqualsTheShop", fullPullEqualsTheShop},
		{"EachPageCanBeReadAgain", eachPageCanBeReadAgain},
		{"IncrementalPullBringsLessThanAll", incrementalPullBringsLessThanAll},
		{"IncrementalPullSeesEachChange", incrementalPullSeesEachChange},
		{"ChangesWithinOneSecondAreSeen", changesWithinOneSecondAreSeen},
		{"ReadingResumesAfterEachPage", readingResumesAfterEachPage},
		{"ChangesBetweenPagesLoseNothing", changesBetweenPagesLoseNothing},
		{"ChangesBetweenRequestsLoseNothing", changesBetweenRequestsLoseNothing},
		{"SeekStartsEarlyEnough", seekStartsEarlyEnough},
		{"SpoiltCursorIsNoSilentLoss", spoiltCursorIsNoSilentLoss},
		{"DigestsFollowTheContent", digestsFollowTheContent},
		{"FetchAnswersInOrder", fetchAnswersInOrder},
		{"FetchTellsWhatIsGone", fetchTellsWhatIsGone},
		{"QuietChangesAreFoundByTheReread", quietChangesAreFoundByTheReread},
		{"RemovedRecordsAreNoticed", removedRecordsAreNoticed},
		{"ShelvedRecordsAreNoticed", shelvedRecordsAreNoticed},
		{"ListNamesEveryRecord", listNamesEveryRecord},
		{"ConcurrentUseIsSafe", concurrentUseIsSafe},
		{"CancellingEndsTheWork", cancellingEndsTheWork},
		{"RetiredKeyIsDenied", retiredKeyIsDenied},
	}
	for _, f := range []Fault{Duplicates, Reordered, SkewAhead, SkewBehind} {
		all = append(all, check{"Shop/" + string(f), shopFaultLosesNothing(f)})
	}
	return all
}

func wireChecks() []check {
	var all []check
	for _, f := range wireFaults() {
		all = append(all, check{"Wire/" + f.name, wireFaultIsNoSilentLoss(f)})
	}
	return all
}
