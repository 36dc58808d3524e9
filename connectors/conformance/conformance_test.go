package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestASoundConnectorPasses(t *testing.T) {
	Run(t, func(*testing.T) Subject { return newToyShop(sound) })
}

// Each flaw is caught by the check that is there for it: no check is idle.
func TestEachFlawIsCaught(t *testing.T) {
	caught := map[string]bool{}
	for _, tt := range []struct {
		flaw  flaw
		check string
		says  string
	}{
		{wrongFacts, "ProbeTellsTheFacts", "currency"},
		{ordersFirst, "StreamsAreDeclaredSoundly", "depends on it"},
		{claimsToBeSorted, "IncrementalPullBringsLessThanAll", "brings all"},
		{losesARow, "FullPullEqualsTheShop", "are lost"},
		{goesInCircles, "FullPullEqualsTheShop", "does not move"},
		{emptyNext, "FullPullEqualsTheShop", "Next is empty"},
		{wrongKind, "FullPullEqualsTheShop", "not of kind"},
		{readsNonsense, "FullPullEqualsTheShop", "unreadable is true"},
		{ownDigest, "FullPullEqualsTheShop", "not sealed"},
		{remembersItsPlace, "EachPageCanBeReadAgain", "read again"},
		{bringsAll, "IncrementalPullBringsLessThanAll", "brings all"},
		{skipsADigest, "IncrementalPullSeesEachChange", "leaves the digest"},
		{dateInContent, "IncrementalPullSeesEachChange", "changes its digest"},
		{keepsNoMargin, "ChangesWithinOneSecondAreSeen", "lost"},
		{pagesByOffset, "ReadingResumesAfterEachPage", "lost"},
		{pagesByOffset, "ChangesBetweenPagesLoseNothing", "lost"},
		{pagesByOffset, "ChangesBetweenRequestsLoseNothing", "lost"},
		{seeksLate, "SeekStartsEarlyEnough", "lost"},
		{spoiltMeansEnd, "SpoiltCursorIsNoSilentLoss", "lost"},
		{skipsADigest, "DigestsFollowTheContent", "its digest has not"},
		{fetchOutOfOrder, "FetchAnswersInOrder", "asked for"},
		{leavesOutGone, "FetchTellsWhatIsGone", "records for"},
		{hidesQuiet, "QuietChangesAreFoundByTheReread", "lost"},
		{hidesVanishing, "RemovedRecordsAreNoticed", "lost"},
		{skipsTrash, "ShelvedRecordsAreNoticed", "lost"},
		{listsOnePage, "ListNamesEveryRecord", "not listed"},
		{remembersItsPlace, "ConcurrentUseIsSafe", "lost"},
		{ignoresContext, "CancellingEndsTheWork", "has ended"},
		{swallowsErrors, "RetiredKeyIsDenied", "want Denied"},
		{takesAnyClass, "RetiredKeyIsDenied", "want Denied"},
		{goneOnError, "RetiredKeyIsDenied", "want Denied"},
		{pagesByOffset, "Shop/rows come twice", "lost"},
		{dropsRowsBackward, "Shop/rows come in another order", "lost"},
		{trustsItsOwnClock, "Shop/the shop's clock is behind", "lost"},
		{keepsNoMargin, "Shop/the shop's clock is ahead", "lost"},
		{takesAnyClass, "Wire/429 with Retry-After", "class"},
		{throttleWithoutEnd, "Wire/429 with Retry-After", "RetryAfter"},
		{throttleWithoutEnd, "Wire/429 with Retry-After as a date", "RetryAfter"},
		{takesAnyClass, "Wire/429 without Retry-After", "class"},
		{swallowsErrors, "Wire/503 with Retry-After", "lost"},
		{swallowsErrors, "Wire/500 with HTML", "there is no error"},
		{goneOnError, "Wire/500 with HTML", "passes for gone"},
		{skipsAfterAnError, "Wire/502 with HTML", "lost"},
		{plainErrors, "Wire/502 with HTML", "only *connectors.Error"},
		{probesBlindly, "Wire/504 with nothing", "neither an error"},
		{swallowsErrors, "Wire/504 with nothing", "there is no error"},
		{goneOnError, "Wire/200 with HTML", "passes for gone"},
		{swallowsErrors, "Wire/200 with an error object", "there is no error"},
		{swallowsErrors, "Wire/200 with nothing", "there is no error"},
		{takesAnyClass, "Wire/401", "class"},
		{goneOnError, "Wire/401", "passes for gone"},
		{goneOnError, "Wire/403 with HTML", "passes for gone"},
		{goneOnError, "Wire/404 with HTML", "passes for gone"},
		{followsRedirects, "Wire/redirect to another host", "was followed"},
		{swallowsErrors, "Wire/connection refused", "there is no error"},
		{tellsSecrets, "Wire/connection reset", "a secret shows up"},
		{plainErrors, "Wire/connection closed without an answer", "only *connectors.Error"},
		{takesAnyClass, "Wire/expired certificate", "class"},
		{waitsForEver, "Wire/no answer ever", "context deadline exceeded"},
		{impatient, "Wire/slow answer", "harmless"},
		{waitsForEver, "Wire/body that stalls", "context deadline exceeded"},
		{takesHalfABody, "Wire/body cut off", "lost"},
		{takesHalfABody, "Wire/body cut off without a sign", "there is no error"},
		{takesHalfABody, "Wire/body cut off after a row", "there is no error"},
		{swallowsErrors, "Wire/notice before the JSON", "there is no error"},
		{swallowsErrors, "Wire/notice after the JSON", "there is no error"},
		{readsWithoutLimit, "Wire/endless body", "without a limit"},
		{strictAboutBlanks, "Wire/byte order mark and blank lines before the JSON", "harmless"},
		{strictAboutBlanks, "Wire/blank lines after the JSON", "harmless"},
	} {
		t.Run(tt.check+"/"+string(tt.flaw), func(t *testing.T) {
			said := runFlawed(t, tt.flaw, tt.check)
			if !strings.Contains(strings.Join(said, "\n"), tt.says) {
				t.Errorf("a connector that %s: the check does not say %q: %q", tt.flaw, tt.says, said[:min(len(said), 3)])
			}
		})
		caught[tt.check] = true
	}
	for _, c := range allChecks() {
		if !caught[c.name] {
			t.Errorf("nothing shows that check %q can fail", c.name)
		}
	}
}

func allChecks() []check { return slices.Concat(shopChecks(), wireChecks()) }

// runFlawed runs one check on a flawed connector and returns what it said.
func runFlawed(t *testing.T, f flaw, name string) (said []string) {
	for _, c := range allChecks() {
		if c.name != name {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			rec := &recorder{}
			done := make(chan struct{})
			go func() { // Fatalf ends this goroutine
				defer close(done)
				c.run(ctx, rec, newToyShop(f))
			}()
			<-done
			said = rec.said
		})
		return said
	}
	t.Fatalf("no check %q", name)
	return nil
}

// recorder is a T that keeps what a check says.
type recorder struct {
	mu   sync.Mutex
	said []string
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
