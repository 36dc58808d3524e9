package conformance

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
)

func TestASoundPusherPasses(t *testing.T) {
	RunPush(t, func(*testing.T) Pusher { return newTillShop(tellsSoundly) })
}

// Each flaw is caught by the check that is there for it: no check is idle.
func TestEachPushFlawIsCaught(t *testing.T) {
	caught := map[string]bool{}
	for _, tt := range []struct {
		flaw  pushFlaw
		check string
		says  string
	}{
		{tellsNothing, "StockLands", "the shop has"},
		{neverDone, "StockThatIsThereIsDone", "stale"},
		{sendsNoFrom, "AWrongFromIsStaleAndWritesNothing", "want stale"},
		{sendsNoFrom, "ASaleMeanwhileIsSeen", "the sale was overwritten"},
		{hidesExposure, "ASaleMeanwhileIsSeen", "outside of what is said to be exposed"},
		{forgetsAll, "StockIsSetOnceThoughTheAnswerIsLost", "told twice"},
		{oneForAll, "OneRefusedLevelDoesNotHinderOthers", "no such variant"},
		{oneByOne, "StockBatchesAreFew", "batches"},
		{editsTheTitle, "AnEditChangesWhatItNames", "its title is"},
		{statesNothing, "AnEditChangesWhatItNames", "do not state it"},
		{statesTheOld, "AnEditChangesWhatItNames", "not what is read next"},
		{newKeyEachTime, "AProductIsMadeOnce", "told again"},
		{newKeyEachTime, "AVariantIsMadeOnce", "told again"},
		{countsAll, "AVariantIsMadeOnce", "the new one is"},
		{hearsNoRefusal, "AVariantIsMadeOnce", "want refused"},
		{newKeyEachTime, "ACategoryIsMadeOnce", "has made"},
		{takesProductsWith, "ADeletedCategoryKeepsItsProducts", "took products"},
		{tellsNothing, "ADeletedCategoryKeepsItsProducts", "still there"},
		{oneForAll, "OneRefusedEditDoesNotHinderOthers", "no such record"},
		{shipsAllAtOnce, "AnOrderIsShippedInParts", "the order is completed"},
		{newKeyEachTime, "AnOrderIsShippedInParts", "shipments, want"},
		{newKeyEachTime, "MoneyIsGivenBackOnce", "the refunds are"},
		{hearsNoRefusal, "MoreThanIsLeftIsNotGivenBack", "want refused"},
		{newKeyEachTime, "AnOrderIsCancelledOnce", "are in stock"},
		{namesNobody, "HintsNameWhatChanged", "no hint names it"},
		{trustsEveryone, "HintsAreSigned", "want ErrSignature"},
		{subscribesAgain, "SubscriptionsAreKeptInOrder", "again"},
	} {
		name := "Push/" + tt.check
		t.Run(tt.check+"/"+string(tt.flaw), func(t *testing.T) {
			if said := strings.Join(runFlawedPush(t, tt.flaw, name), "\n"); !strings.Contains(said, tt.says) {
				t.Errorf("a connector that %s: the check does not say %q: %q", tt.flaw, tt.says, said[:min(len(said), 600)])
			}
		})
		caught[name] = true
	}
	for _, c := range pushWireChecks() {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range []pushFlaw{takesAnyAnswer, newKeyEachTime, losesPatience, minceJSON} {
				if len(runFlawedPush(t, f, c.name)) > 0 {
					return
				}
			}
			t.Error("no flaw is caught")
		})
		caught[c.name] = true
	}
	for _, c := range pushChecks() {
		if !caught[c.name] {
			t.Errorf("nothing shows that check %q can fail", c.name)
		}
	}
}

// runFlawedPush runs one check on a flawed connector and returns what it said.
func runFlawedPush(t *testing.T, f pushFlaw, name string) (said []string) {
	t.Helper()
	for _, c := range pushChecks() {
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
				c.run(ctx, rec, newTillShop(f))
			}()
			<-done
			said = rec.said
		})
		return said
	}
	t.Fatalf("no check %q", name)
	return nil
}
