package erp

import (
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// staleWithout is why an outcome that says "stale" and no number is refused.
const staleWithout = "the shop is said to have another number than it was to have, and not which: this is a defect of the connector, please report it"

// heard returns the outcomes as the books take them. Stale has the shop told
// anew at once, from the number that it has; without a number, or of anything
// but a stock level, it would be told the same without end, so that counts as
// refused: it is tried a few times, and then a person is told.
func heard(pushes []Push, outcomes []intake.Outcome) []intake.Outcome {
	out := make([]intake.Outcome, len(outcomes))
	for i, o := range outcomes {
		if o.Result == intake.Stale && (pushes[i].Level == nil || o.Now == nil) {
			o.Result, o.Why = intake.Refused, staleWithout
		}
		out[i] = o
	}
	return out
}

// refused queues that a message was refused. What passes by itself a connector
// says by an error, so a request about an order was refused for good; of the
// catalogue and the stock what comes before may put it right.
func (t *taking) refused(tx *store.Tx, m outbox.Message, now time.Time, why string) {
	switch {
	case m.Kind == outbox.Order:
		outbox.RefusedForGood(tx, m, why)
		t.receipt.Parked++
	default:
		if outbox.Refused(tx, m, now, why); m.Tries+1 >= outbox.MaxTries {
			t.receipt.Parked++
		}
	}
}
