package payouts_test

import (
	"fmt"
	"testing"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/payouts"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

var issued = time.Date(2026, 3, 10, 6, 0, 0, 0, time.UTC)

func facts() payouts.Facts {
	return payouts.Facts{Shop: "atelier", External: "501", Zone: time.UTC, Clearing: ledger.Ref{Role: ledger.Clearing, Gateway: "stripe", Currency: "EUR"}, Fees: ledger.Ref{Role: ledger.PaymentFees}}
}

// stated draws a payout of what its items add up to.
func stated(t *rapid.T) *intake.Payout {
	p := &intake.Payout{Gateway: "stripe", Currency: "EUR", IssuedAt: issued}
	p.State = rapid.SampledFrom([]intake.PayoutState{intake.PayoutPaid, intake.PayoutPending, intake.PayoutFailed, intake.PayoutCancelled, "unheard of"}).Draw(t, "state")
	for i := range rapid.IntRange(0, 6).Draw(t, "items") {
		it := intake.PayoutItem{ID: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "group"), "-", i), At: issued.AddDate(0, 0, -rapid.IntRange(0, 40).Draw(t, "days"))}
		it.Kind = rapid.SampledFrom([]intake.PayoutItemKind{intake.ItemCharge, intake.ItemRefund, intake.ItemDispute, intake.ItemReserve, intake.ItemAdjustment, "new"}).Draw(t, "kind")
		it.Amount = decimal.New(int64(rapid.IntRange(-500, 500).Draw(t, "amount")), -2)
		it.Fee = decimal.New(int64(rapid.IntRange(-50, 50).Draw(t, "fee")), -2)
		p.Items = append(p.Items, it)
		p.Net = p.Net.Add(it.Amount).Sub(it.Fee)
	}
	return p
}

// apply makes of a decision what the books then have.
func apply(before *payouts.Payout, d payouts.Decision) *payouts.Payout {
	after := &payouts.Payout{ID: 1, Bank: before.Bank, Items: map[string]payouts.Item{}}
	for id, it := range before.Items {
		after.Items[id] = it
	}
	for _, it := range d.Items {
		after.Items[it.Said.ID] = payouts.Item{Event: after.Items[it.Said.ID].Event, Payout: 1}
	}
	for _, id := range d.Gone {
		after.Items[id] = payouts.Item{Event: after.Items[id].Event, Payout: 1, Removed: true}
	}
	for _, s := range d.Steps {
		e := payouts.Event{Revision: s.Revision, Day: s.Day}
		if s.Posting != nil {
			e.Active, e.Digest, e.Day = true, s.Posting.Digest, s.Posting.Effective
		}
		if s.Item == "" {
			after.Bank = e
			continue
		}
		it := after.Items[s.Item]
		it.Event = e
		after.Items[s.Item] = it
	}
	return after
}

func TestPayoutMovesTheClearingAccountByItsChargesAndRefunds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := stated(t)
		d, err := payouts.Decide(nil, said, facts())
		if err != nil {
			t.Fatal(err)
		}
		var clearing int64
		for _, s := range d.Steps {
			var sum int64
			for _, l := range s.Posting.Lines {
				sum += l.Amount
				if l.Account.Role == ledger.Clearing {
					clearing += l.Amount
				}
			}
			if sum != 0 {
				t.Fatalf("%s does not balance: %+v", s.Posting.Description, s.Posting.Lines)
			}
		}
		var sold int64 // what orders have put there, and the payout takes away
		for _, it := range d.Items {
			if it.Said.Kind == intake.ItemCharge || it.Said.Kind == intake.ItemRefund {
				sold += it.Amount - it.Fee
			}
		}
		want := -sold
		if said.State != intake.PayoutPaid {
			want += d.Net
		}
		if clearing != want {
			t.Fatalf("the clearing account moves by %d, want %d", clearing, want)
		}
	})
}

func TestStatementThatIsKnownChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := &payouts.Payout{ID: 1}
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			said := stated(t)
			d, err := payouts.Decide(books, said, facts())
			if err != nil {
				t.Fatal(err)
			}
			books = apply(books, d)
			again, err := payouts.Decide(books, said, facts())
			if err != nil || len(again.Steps) > 0 || len(again.Gone) > 0 {
				t.Fatalf("stated again: %+v %v, %v", again.Steps, again.Gone, err)
			}
		}
	})
}

func TestChangeIsBookedWhenItWasMade(t *testing.T) {
	paid := &intake.Payout{Gateway: "stripe", Currency: "EUR", State: intake.PayoutPaid, IssuedAt: issued, Net: decimal.New(5, 0)}
	failed := *paid
	failed.State = intake.PayoutFailed
	for _, c := range []struct {
		name, modified, lock string
		want                 string // days of the reversal, and of the posting after that
	}{
		{"nobody says when", "", "", "2026-03-10 2026-03-10"},
		{"the gateway says when", "2026-04-02", "", "2026-04-02 2026-04-02"},
		{"before it was issued", "2026-03-01", "", "2026-03-10 2026-03-10"},
		{"in a period that is locked since", "2026-03-20", "2026-03-31", "2026-04-01 2026-04-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			books := &payouts.Payout{ID: 1}
			decide := func(said *intake.Payout, f payouts.Facts) payouts.Step {
				t.Helper()
				d, err := payouts.Decide(books, said, f)
				if err != nil || len(d.Steps) != 1 {
					t.Fatalf("%+v, %v", d.Steps, err)
				}
				books = apply(books, d)
				return d.Steps[0]
			}
			decide(paid, facts())
			f := facts()
			f.LockDate = c.lock
			if c.modified != "" {
				f.Modified, _ = time.Parse(time.DateOnly, c.modified)
			}
			back := decide(&failed, f)
			again := decide(paid, f)
			if got := back.Day + " " + again.Posting.Effective; got != c.want || !back.Reverse || again.Revision != 2 {
				t.Errorf("got %s, want %s; %+v %+v", got, c.want, back, again)
			}
		})
	}
}
