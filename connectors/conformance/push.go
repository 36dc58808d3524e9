package conformance

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// Pusher is a Subject whose connector also changes its shop. The shop needs a
// few products that it counts, one of them with variants, and categories.
type Pusher interface {
	Subject
	// Stock is what the shop has of a variant at a location, which is "" where
	// it knows none.
	Stock(variant intake.Ref, location string) int
	// Sell has a customer buy units of a variant and pay by a gateway that can
	// give money back; it returns the order's id.
	Sell(variant intake.Ref, units int) string
	// Compares says whether the shop itself compares before it sets stock.
	Compares() bool
	// LoseAnswers has the shop do what the next n requests ask for that change
	// something, and drop the connection in place of an answer.
	LoseAnswers(n int)
	// Writes counts the requests so far that could have changed something.
	Writes() int
	// Deliver has the shop send what it has to tell those who subscribed. take
	// is given each delivery, and says which status it is answered with.
	Deliver(ctx context.Context, take func(header http.Header, body []byte) int)
	// SwitchOff has the shop give up one of the subscriptions.
	SwitchOff()
}

// RunPush proves that what the connectors of newSubject tell a shop arrives
// once and harms nothing else. Like Run it calls newSubject for each check,
// within the check's bubble. What a connector has no ability for is left out.
func RunPush(t *testing.T, newSubject func(t *testing.T) Pusher) {
	run(t, func(t *testing.T) Subject { return newSubject(t) }, pushChecks())
}

func pushChecks() []check {
	var all []check
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, t T, s Pusher)
	}{
		{"StockLands", stockLands},
		{"StockThatIsThereIsDone", stockThatIsThereIsDone},
		{"AWrongFromIsStaleAndWritesNothing", wrongFromIsStale},
		{"ASaleMeanwhileIsSeen", saleMeanwhileIsSeen},
		{"StockIsSetOnceThoughTheAnswerIsLost", stockIsSetOnce},
		{"OneRefusedLevelDoesNotHinderOthers", refusedLevelHindersNoOther},
		{"StockBatchesAreFew", stockBatchesAreFew},
		{"AnEditChangesWhatItNames", editChangesWhatItNames},
		{"AProductIsMadeOnce", productIsMadeOnce},
		{"AVariantIsMadeOnce", variantIsMadeOnce},
		{"ACategoryIsMadeOnce", categoryIsMadeOnce},
		{"ADeletedCategoryKeepsItsProducts", deletedCategoryKeepsItsProducts},
		{"OneRefusedEditDoesNotHinderOthers", refusedEditHindersNoOther},
		{"AnOrderIsShippedInParts", orderIsShippedInParts},
		{"MoneyIsGivenBackOnce", moneyIsGivenBackOnce},
		{"MoreThanIsLeftIsNotGivenBack", tooMuchIsRefused},
		{"AnOrderIsCancelledOnce", orderIsCancelledOnce},
		{"HintsNameWhatChanged", hintsNameWhatChanged},
		{"HintsAreSigned", hintsAreSigned},
		{"SubscriptionsAreKeptInOrder", subscriptionsAreKeptInOrder},
	} {
		all = append(all, check{"Push/" + c.name, func(ctx context.Context, t T, s Subject) { c.run(ctx, t, s.(Pusher)) }})
	}
	return append(all, pushWireChecks()...)
}

// tries is how often something is told again whose answer did not arrive.
const tries = 10

// insist tells a shop something until it answers, with the same words each
// time.
func insist(ctx context.Context, t T, what string, tell func() error) {
	t.Helper()
	var err error
	for range tries {
		if err = tell(); err == nil {
			return
		}
		checkError(t, what, err)
		e, ok := asError(err)
		if !ok || e.Class == connectors.Denied || e.Class == connectors.Rejected || ctx.Err() != nil {
			break
		}
		time.Sleep(cmp.Or(e.RetryAfter, 30*time.Second))
	}
	t.Fatalf("%s: %v", what, err)
}

// stream is the connector's stream of a resource.
func stream(t T, conn connectors.Connector, r intake.Resource) (connectors.Stream, bool) {
	t.Helper()
	for _, st := range conn.Streams() {
		if st.Resource == r {
			return st, true
		}
	}
	return connectors.Stream{}, false
}

// readNow reads what the shop states of a resource now, by id.
func readNow(ctx context.Context, t T, s Subject, r intake.Resource) map[string]intake.Record {
	t.Helper()
	s.Advance(settling)
	conn := connect(t, s, Setup{})
	st, ok := stream(t, conn, r)
	if !ok {
		return nil
	}
	return readAll(ctx, t, s, conn, st).seen
}

// unit is a variant with the record that states it.
type unit struct {
	variant *intake.Variant
	in      intake.Record
}

// ref names the variant.
func (u unit) ref() intake.Ref {
	return intake.Ref{Kind: intake.KindVariant, ID: u.variant.ID, Parent: u.variant.ProductID}
}

// units are the variants that the shop sells now, in order of id.
func units(ctx context.Context, t T, s Subject) []unit {
	t.Helper()
	var all []unit
	for _, r := range []intake.Resource{intake.Products, intake.Variants} {
		for _, rec := range readNow(ctx, t, s, r) {
			switch body := rec.Body.(type) {
			case *intake.Variant:
				if body.Sellable {
					all = append(all, unit{body, rec})
				}
			case *intake.Product:
				for i := range body.Variants {
					if body.Variants[i].Sellable && body.Status == "published" {
						all = append(all, unit{&body.Variants[i], rec})
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b unit) int {
		return cmp.Or(cmp.Compare(len(a.variant.ID), len(b.variant.ID)), cmp.Compare(a.variant.ID, b.variant.ID))
	})
	return all
}

// has is what the shop has of what a level is about.
func has(s Pusher, l intake.StockLevel) decimal.Decimal {
	return decimal.NewFromInt(int64(s.Stock(l.Ref, l.Location)))
}

// counted are the levels of what the shop counts, as it has them now: From and
// To are the same. One of those has the product of its own, and one is a variant
// of several, where the shop has both.
func counted(ctx context.Context, t T, s Pusher) []intake.StockLevel {
	t.Helper()
	var levels []intake.StockLevel
	for _, u := range units(ctx, t, s) {
		v := u.variant
		if !v.Tracked || v.StockOf != "" {
			continue
		}
		l := intake.StockLevel{Ref: u.ref(), InventoryID: v.InventoryID, Status: intake.InStock, Counted: true}
		if len(v.Levels) > 0 {
			l.Location = v.Levels[0].Location
		}
		l.To = has(s, l)
		if l.To.IsPositive() {
			levels = append(levels, asSeen(s, l))
		}
	}
	if len(levels) < 5 {
		t.Fatalf("the suite needs a shop that counts five variants at least, not %d", len(levels))
	}
	last := len(levels) - 1 // a variant of several
	levels[2], levels[last] = levels[last], levels[2]
	return levels
}

// asSeen is a level from what the shop has now.
func asSeen(s Pusher, l intake.StockLevel) intake.StockLevel {
	from := has(s, l)
	l.From = &from
	return l
}

// raised is a level that is to be by more units than the shop has.
func raised(l intake.StockLevel, by int64) intake.StockLevel {
	l.To = l.From.Add(decimal.NewFromInt(by))
	return l
}

// outcomesOf checks that there is one outcome for each thing told.
func outcomesOf(t T, what string, outcomes []intake.Outcome, told int) {
	t.Helper()
	if len(outcomes) != told {
		t.Fatalf("%s: %d outcomes for %d", what, len(outcomes), told)
	}
	for i, o := range outcomes {
		if (o.Result == intake.Refused || o.Result == intake.Skipped) && o.Why == "" {
			t.Errorf("%s: outcome %d is %s and does not say why", what, i, o.Result)
		}
	}
}
