package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Known is how an order stood when a refund or a status was asked for, and what
// else was asked for and has been done since. Where the shop has moved on by
// itself in what a request touches, nobody has asked for both.
type Known struct {
	// Statuses are those that the order may have, in the shop's own words.
	Statuses []string `json:"statuses,omitempty"`
	// Refunded is what had gone back, in the order's currency, with tax.
	Refunded decimal.Decimal `json:"refunded"`
	// Units are what had been refunded of the lines that a refund is of, by
	// their ids.
	Units map[string]decimal.Decimal `json:"units,omitempty"`
}

// Know returns what an order as it is stated says of itself, for a request
// about it.
func Know(o *Order, r OrderRequest) *Known {
	k := &Known{}
	if r.Status != "" {
		k.Statuses = []string{o.RawStatus}
	}
	if r.Refund == nil {
		return k
	}
	for _, back := range o.Refunds {
		k.Refunded = k.Refunded.Add(back.Amount)
	}
	for _, l := range r.Refund.Lines {
		if k.Units == nil {
			k.Units = map[string]decimal.Decimal{}
		}
		k.Units[l.LineID] = unitsBack(o, l.LineID)
	}
	return k
}

func unitsBack(o *Order, line string) (sum decimal.Decimal) {
	for _, back := range o.Refunds {
		for _, l := range back.Lines {
			if l.LineID == line {
				sum = sum.Add(l.Quantity)
			}
		}
	}
	return sum
}

// askAgain is what to do about a request that was overtaken.
const askAgain = ": nothing was done; look at the order, and ask again if it is still to be done"

// Overtaken says how an order has moved on since a request about it was worked
// out, so that it must not be carried out any more; "" where it has not. A
// status that it is to have it may have already. A connector asks it where it
// is about to write, after it has looked for what an earlier try has done.
func (r OrderRequest) Overtaken(now *Order) string {
	switch k := r.Known; {
	case k == nil:
		return ""
	case r.Refund != nil:
		return k.refundOvertaken(Know(now, r))
	case r.Status != "" && now.RawStatus != r.Status && len(k.Statuses) > 0 && !slices.Contains(k.Statuses, now.RawStatus):
		return fmt.Sprintf("the order was %s when this was asked for, and is %s in the shop since", strings.Join(k.Statuses, " or "), now.RawStatus) + askAgain
	}
	return ""
}

func (k *Known) refundOvertaken(now *Known) string {
	if now.Refunded.GreaterThan(k.Refunded) {
		return fmt.Sprintf("%s of the order had gone back when this was asked for, and %s have gone back in the shop since then", k.Refunded, now.Refunded) + askAgain
	}
	for line, units := range now.Units {
		if units.GreaterThan(k.Units[line]) {
			return fmt.Sprintf("%s of line %s had come back when this was asked for, and %s have come back in the shop since then", k.Units[line], line, units) + askAgain
		}
	}
	return ""
}

// Add counts a refund that was asked for too, and was made since.
func (k *Known) Add(made *NewRefund) {
	k.Refunded = k.Refunded.Add(made.Amount)
	for _, l := range made.Lines {
		if had, ok := k.Units[l.LineID]; ok {
			k.Units[l.LineID] = had.Add(l.Quantity)
		}
	}
}
