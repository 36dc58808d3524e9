// Package payouts decides what a gateway's payout means: money that reached the
// bank or was taken from it, and what the gateway held back, gave free, charged
// and credited on the way.
//
// Charges and refunds, and the fees of theirs, are booked with their orders; a
// payout books the rest. Each item is booked on its own day, because the
// gateway's balance moved then: a fee of March is one of March, though the
// payout that it was kept from is of April. The bank is booked on the day of the
// payout, and only while it is paid.
//
// Decide is a pure function. What stands in the books already is left alone,
// what has changed or gone is reversed and, where it still applies, posted again
// as the next revision.
package payouts

import (
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
)

// DocumentKind is that of everything a payout posts.
const DocumentKind = "payout"

// Payout is a payout as the books have it.
type Payout struct {
	ID    int64
	Bank  Event           // what it has moved at the bank
	Items map[string]Item // by the gateway's id: its own, and others that the gateway now counts to it
}

// Event is something that a payout posts, in its newest revision.
type Event struct {
	Revision int
	Digest   string // of what it posts, but for dates
	Active   bool   // false where it never posted, or was reversed
	Day      string // business date of the last posting or reversal
}

// Item is an item as the books have it.
type Item struct {
	Event
	Payout  int64 // id of the payout that it belongs to
	Removed bool  // it belongs to none any more
}

// Facts is all that Decide needs to know besides the two statements.
type Facts struct {
	Shop     string
	ShopID   int64
	External string // id of the payout in the shop
	Modified time.Time
	Zone     *time.Location // of business dates
	LockDate string         // nothing is posted at or before it; "" for none
	Clearing ledger.Ref     // of the gateway and currency
	Fees     ledger.Ref     // that the gateway charges
}

// Decision is what a statement changes.
type Decision struct {
	Net   int64  // in minor units of the payout's currency
	Day   string // business date on which it was issued
	Items []ItemDecision
	Gone  []string // items that the payout no longer has
	Steps []Step
}

// ItemDecision is an item as it was understood.
type ItemDecision struct {
	Said        intake.PayoutItem
	Amount, Fee int64
	Day         string // business date
}

// Step is one change to what a payout has posted: a reversal, a posting, or
// both.
type Step struct {
	Item     string // id of the item; "" for the payout itself
	Revision int    // after the step
	Reverse  bool   // what the revision before has posted
	Day      string // business date of the reversal
	Posting  *Posting
}

// Posting is what a payout or an item posts, in the payout's currency.
type Posting struct {
	Effective   string
	Digest      string
	Description string
	Lines       []Line // they add up to nothing
}

// Line is one side of a Posting; a positive amount is a debit.
type Line struct {
	Account ledger.Ref
	Amount  int64
}

// Cause is the key of what a payout, or an item of it, has posted in a
// revision. An item keeps its own when the gateway moves it to another payout.
func (f Facts) Cause(gateway, item string, revision int) string {
	key := "payout/" + f.Shop + "/" + f.External
	if item != "" {
		key = "payout-item/" + f.Shop + "/" + gateway + "/" + item
	}
	if revision > 1 {
		key += fmt.Sprintf("#%d", revision)
	}
	return key
}

// ManualCause is the key of a payout that a person books.
func ManualCause(gateway string, c money.Currency, reference string) string {
	return fmt.Sprintf("payout/%s/%s/%s", gateway, c, reference)
}

func (f Facts) day(t time.Time) string { return t.In(f.Zone).Format(time.DateOnly) }
