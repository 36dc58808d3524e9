package payouts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// Decide works out what a gateway's statement of a payout changes. Before is
// nil for a payout that the books do not have. It touches no database and no
// clock. An error is a fault that says why the payout must be parked.
func Decide(before *Payout, said *intake.Payout, facts Facts) (Decision, error) {
	if before == nil {
		before = &Payout{}
	}
	d := decider{before: before, said: said, facts: facts}
	if err := d.read(); err != nil {
		return Decision{}, err
	}
	if err := d.check(); err != nil {
		return Decision{}, err
	}
	for i := range d.out.Items {
		it := &d.out.Items[i]
		d.step(it.Said.ID, before.Items[it.Said.ID].Event, d.itemPosting(it))
	}
	for id, had := range before.Items {
		if had.Payout == before.ID && !had.Removed && !d.stated[id] {
			d.out.Gone = append(d.out.Gone, id)
		}
	}
	slices.Sort(d.out.Gone)
	for _, id := range d.out.Gone {
		d.step(id, before.Items[id].Event, nil)
	}
	d.step("", before.Bank, d.bankPosting())
	return d.out, nil
}

// decider carries a decision while it is made.
type decider struct {
	before *Payout
	said   *intake.Payout
	facts  Facts
	stated map[string]bool // ids of items
	out    Decision
}

func (d *decider) refuse(fix, format string, args ...any) error {
	err := fault.New(fault.Unprocessable, fix, format, args...)
	err.Msg = fmt.Sprintf("payout %s of %s: %s", d.facts.External, d.said.Gateway, err.Msg)
	return err
}

const lookInShop = "look at the payout in the shop; it is read again when it changes there"

// read turns what is stated into minor units and business dates.
func (d *decider) read() error {
	if _, err := d.said.Currency.Decimals(); err != nil {
		return d.refuse(lookInShop, "%w", err)
	}
	if d.said.Gateway == "" {
		return d.refuse(lookInShop, "it names no gateway")
	}
	if d.said.IssuedAt.IsZero() {
		return d.refuse(lookInShop, "it has no date")
	}
	d.out.Day = d.facts.day(d.said.IssuedAt)
	var err error
	if d.out.Net, err = exact(d.said.Net, d.said.Currency); err != nil {
		return d.refuse(lookInShop, "net: %w", err)
	}
	d.stated = make(map[string]bool, len(d.said.Items))
	for _, it := range d.said.Items {
		if d.stated[it.ID] {
			return d.refuse(lookInShop, "it has two items with the id %s", it.ID)
		}
		d.stated[it.ID] = true
		if d.carriedOn(it.ID) {
			continue
		}
		at := it.At
		if at.IsZero() {
			at = d.said.IssuedAt
		}
		out := ItemDecision{Said: it, Day: d.facts.day(at)}
		if out.Amount, err = exact(it.Amount, d.said.Currency); err != nil {
			return d.refuse(lookInShop, "item %s: %w", it.ID, err)
		}
		if out.Fee, err = exact(it.Fee, d.said.Currency); err != nil {
			return d.refuse(lookInShop, "fee of item %s: %w", it.ID, err)
		}
		d.out.Items = append(d.out.Items, out)
	}
	return nil
}

// carriedOn reports whether another payout has an item by now. One that came
// back may name it for ever, but the money is in the other.
func (d *decider) carriedOn(item string) bool {
	had, ok := d.before.Items[item]
	came := d.said.State == intake.PayoutFailed || d.said.State == intake.PayoutCancelled
	return came && ok && !had.Removed && had.Payout != d.before.ID
}

// exact is an amount that needs no rounding: what moved at a bank has no part of
// a cent.
func exact(d decimal.Decimal, c money.Currency) (int64, error) {
	a, err := money.Round(d, c)
	if err != nil {
		return 0, err
	}
	if !a.Decimal().Equal(d) {
		return 0, fmt.Errorf("%s has more decimals than %s", d, c)
	}
	return a.Minor, nil
}

// check refuses a payout that was paid and is not what its items add up to: one
// of them was missed or misread. One that is on its way may still change. Where
// an earlier payout came back, the money is in this one too; gateways differ in
// whether they list it.
func (d *decider) check() error {
	if d.said.State != intake.PayoutPaid || len(d.out.Items) == 0 {
		return nil
	}
	var sum, carried int64
	var err error
	for _, it := range d.out.Items {
		into := &sum
		if it.Said.Kind == intake.ItemTransfer {
			into = &carried
		}
		for _, n := range []int64{it.Amount, -it.Fee} {
			if *into, err = money.AddMinor(*into, n); err != nil {
				return d.refuse(lookInShop, "its items: %w", err)
			}
		}
	}
	if sum == d.out.Net || sum+carried == d.out.Net {
		return nil
	}
	return d.refuse("read it again with comptoir resync; if it stays so, look at the payout in the shop", "its items add up to %s, and %s was paid",
		money.Amount{Minor: sum, Currency: d.said.Currency}, money.Amount{Minor: d.out.Net, Currency: d.said.Currency})
}

// bankPosting: clearing to bank, or back where the gateway took money from it.
// Nothing is at the bank before it was paid, nor after it came back.
func (d *decider) bankPosting() *Posting {
	if d.said.State != intake.PayoutPaid || d.out.Net == 0 {
		return nil
	}
	return d.posting(fmt.Sprintf("Payout %s of %s", name(d.said.Reference, d.facts.External), d.said.Gateway), d.out.Day,
		Line{ledger.Ref{Role: ledger.Bank}, d.out.Net}, Line{d.facts.Clearing, -d.out.Net})
}

// itemPosting books what only a payout tells of.
//
// What the gateway holds back for a dispute or as a reserve is still ours until
// it is lost: an asset of its own. All else that is neither a charge nor a
// refund is what the gateway asks for its services, or gives back of that; so
// both directions go to the payment fees, which then show what being paid costs.
func (d *decider) itemPosting(it *ItemDecision) *Posting {
	counter := d.facts.Fees
	title := "Adjustment"
	switch it.Said.Kind {
	case intake.ItemCharge, intake.ItemRefund, intake.ItemTransfer:
		return nil
	case intake.ItemDispute:
		counter, title = ledger.Ref{Role: ledger.Disputes}, "Dispute"
	case intake.ItemReserve:
		counter, title = ledger.Ref{Role: ledger.Reserve}, "Reserve"
	}
	title = fmt.Sprintf("%s %s of %s", title, name(it.Said.Source, it.Said.ID), d.said.Gateway)
	if it.Said.Raw != "" {
		title += " (" + it.Said.Raw + ")"
	}
	return d.posting(title, it.Day, Line{counter, -it.Amount}, Line{d.facts.Fees, it.Fee}, Line{d.facts.Clearing, it.Amount - it.Fee})
}

// name is the first text that says something.
func name(texts ...string) string {
	return texts[slices.IndexFunc(texts, func(s string) bool { return s != "" })]
}

// posting leaves out what is nothing; nil where nothing is left.
func (d *decider) posting(title, day string, lines ...Line) *Posting {
	p := &Posting{Effective: ledger.Unlocked(d.facts.LockDate, day), Description: title}
	if p.Effective != day {
		p.Description += " (of " + day + ", in the locked period)"
	}
	text := string(d.said.Currency)
	for _, l := range lines {
		if l.Amount == 0 {
			continue
		}
		if i := slices.IndexFunc(p.Lines, func(x Line) bool { return x.Account == l.Account }); i >= 0 {
			p.Lines[i].Amount += l.Amount
		} else {
			p.Lines = append(p.Lines, l)
		}
		text += fmt.Sprintf("|%s/%s/%s/%s=%d", l.Account.Role, l.Account.Gateway, l.Account.Currency, l.Account.Code, l.Amount)
	}
	p.Lines = slices.DeleteFunc(p.Lines, func(l Line) bool { return l.Amount == 0 })
	if len(p.Lines) == 0 {
		return nil
	}
	sum := sha256.Sum256([]byte(text))
	p.Digest = hex.EncodeToString(sum[:8])
	return p
}

// step adds what must be done so that an event stands as it should: nothing,
// where it does.
func (d *decider) step(item string, had Event, p *Posting) {
	s := Step{Item: item, Revision: had.Revision, Reverse: had.Active, Posting: p}
	switch {
	case p == nil && !had.Active:
		return
	case p != nil && had.Active && had.Digest == p.Digest:
		return
	}
	if had.Active {
		s.Day = d.changeDay(had)
	}
	if p != nil {
		s.Revision++
		if had.Revision > 0 { // a change is booked when it was made
			p.Effective = max(p.Effective, d.changeDay(had))
		}
	}
	d.out.Steps = append(d.out.Steps, s)
}

// changeDay is the business date on which a change is booked: when the gateway
// made it, and not before what it changes.
func (d *decider) changeDay(had Event) string {
	day := had.Day
	if !d.facts.Modified.IsZero() {
		day = max(day, d.facts.day(d.facts.Modified))
	}
	if day == "" {
		day = d.out.Day
	}
	return ledger.Unlocked(d.facts.LockDate, day)
}
