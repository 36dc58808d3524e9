package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/payouts"
	"comptoir/erp/store"
)

// savePayout decides and writes a payout that the shop states.
func (p *page) savePayout(ctx context.Context, rec *intake.Record, id int64, said *intake.Payout) error {
	before, err := payouts.Load(ctx, p.tx, p.shop, id, said)
	if err != nil {
		return err
	}
	f := payouts.Facts{Shop: p.stream.Shop, ShopID: p.shop, External: rec.Ref.ID, Modified: rec.Modified, Zone: p.b.opts.Company.TimeZone, LockDate: p.lock,
		Clearing: p.b.clearingOf(p.stream.Shop, said.Gateway, said.Currency),
		Fees:     ledger.Ref{Role: ledger.PaymentFees, Code: p.rules.Roles[ledger.PaymentFees]}}
	d, err := payouts.Decide(before, said, f)
	if err != nil {
		return err
	}
	if !cameBack(before, said) {
		if err := notByHand(ctx, p.tx, rec.Ref.ID, said); err != nil {
			return err
		}
	}
	if err := disputesNotByHand(ctx, p.tx, rec.Ref.ID, said, d); err != nil {
		return err
	}
	if err := p.b.rated(d, said); err != nil {
		return err
	}
	account, err := p.poster.Account(ctx, f.Clearing)
	if err != nil {
		return err
	}
	for _, s := range d.Steps {
		what := "the bank"
		if s.Item != "" {
			what = "item " + s.Item
		}
		if s.Reverse {
			p.note(rec.Ref, fmt.Sprintf("payout %s: reverse %s", rec.Ref.ID, what))
		}
		if s.Posting != nil {
			p.note(rec.Ref, fmt.Sprintf("payout %s: post %s on %s", rec.Ref.ID, what, s.Posting.Effective))
		}
	}
	w := payouts.Writer{Tx: p.tx, Poster: p.poster, Value: p.b.value}
	return hideFault(w.Write(ctx, before, said, d, f, account))
}

// cameBack reports whether a payout that the books had at the bank is there no
// more: a person may tell of what became of it.
func cameBack(before *payouts.Payout, said *intake.Payout) bool {
	return before.Bank.Revision > 0 && (said.State == intake.PayoutFailed || said.State == intake.PayoutCancelled)
}

// notByHand refuses a payout that a person has booked already: it would be at
// the bank twice.
func notByHand(ctx context.Context, r store.Reader, external string, said *intake.Payout) error {
	var id int64
	err := r.QueryRow(ctx, `SELECT e.id FROM entry e WHERE e.cause IN ($1, $2) AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.reverses = e.id) ORDER BY e.id`,
		payouts.ManualCause(said.Gateway, said.Currency, said.Reference), payouts.ManualCause(said.Gateway, said.Currency, external)).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for payout %s among those booked by hand: %w", external, err)
	}
	return fault.New(fault.Conflict, fmt.Sprintf("take one of them back: comptoir ledger reverse %d, then comptoir parked retry; or comptoir parked drop", id),
		"payout %s of %s was booked by hand already, as entry %d", external, said.Gateway, id)
}

// notStated refuses a payout by hand that a shop states: it would be at the bank
// twice. One that came back may be told of by hand.
func notStated(ctx context.Context, r store.Reader, p Payout) error {
	var shop, external, state string
	err := r.QueryRow(ctx, `SELECT s.name, p.external_id, p.state FROM payout p JOIN shop s ON s.id = p.shop_id
		WHERE p.gateway = $1 AND p.currency = $2 AND (p.reference = $3 OR p.external_id = $3) AND p.state NOT IN ('failed', 'cancelled') ORDER BY p.id LIMIT 1`,
		p.Gateway, string(p.Currency), p.Reference).Scan(&shop, &external, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for payout %s among those of the shops: %w", p.Reference, err)
	}
	return fault.New(fault.Conflict, "see comptoir payout list", "shop %s states it itself, as payout %s (%s): it is booked when it is paid", shop, external, state)
}

// disputesNotByHand refuses a payout that holds money back, or gives it free,
// for a dispute of which a person has booked the same already.
func disputesNotByHand(ctx context.Context, r store.Reader, external string, said *intake.Payout, d payouts.Decision) error {
	posted := map[string]bool{}
	for _, s := range d.Steps {
		posted[s.Item] = s.Posting != nil
	}
	var causes []string
	for _, it := range d.Items {
		if it.Said.Kind != intake.ItemDispute || !posted[it.Said.ID] || it.Amount == 0 {
			continue
		}
		stage := DisputeOpened
		if it.Amount > 0 {
			stage = DisputeWon
		}
		for _, reference := range []string{it.Said.Source, it.Said.ID} {
			causes = append(causes, disputeCause(said.Gateway, said.Currency, reference, stage))
		}
	}
	for some := range slices.Chunk(causes, 1000) {
		var id int64
		err := r.QueryRow(ctx, `SELECT e.id FROM entry e WHERE e.cause IN (`+store.In(len(some), 1)+`) AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.reverses = e.id) ORDER BY e.id LIMIT 1`,
			store.InArgs(nil, some)...).Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return fmt.Errorf("look for the disputes of payout %s among those booked by hand: %w", external, err)
		}
		return fault.New(fault.Conflict, fmt.Sprintf("take yours back: comptoir ledger reverse %d, then comptoir parked retry", id),
			"a dispute of payout %s of %s was booked by hand already, as entry %d", external, said.Gateway, id)
	}
	return nil
}

// disputeNotStated refuses a stage of a dispute by hand that a payout tells of:
// its money would be held back, or given free, twice.
func disputeNotStated(ctx context.Context, r store.Reader, d Dispute) error {
	sign := map[string]int64{DisputeOpened: -1, DisputeWon: 1}[d.Stage]
	var shop, external string
	err := r.QueryRow(ctx, `SELECT s.name, p.external_id FROM payout_item i JOIN payout p ON p.id = i.payout_id JOIN shop s ON s.id = p.shop_id
		WHERE i.active AND i.kind = 'dispute' AND i.amount * $4 > 0 AND p.gateway = $1 AND p.currency = $2 AND (i.source = $3 OR i.external_id = $3) ORDER BY i.happened_at LIMIT 1`,
		d.Gateway, string(d.Currency), d.Reference, sign).Scan(&shop, &external)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for dispute %s in the payouts of the shops: %w", d.Reference, err)
	}
	return fault.New(fault.Conflict, "see comptoir payout list", "payout %s of %s tells of it itself", external, shop)
}

// rated refuses a payout in a currency without a rate, before anything is
// written of it.
func (b *Books) rated(d payouts.Decision, said *intake.Payout) error {
	for _, s := range d.Steps {
		if s.Posting == nil {
			continue
		}
		if _, err := b.atRate(money.Amount{Minor: 1, Currency: said.Currency}, s.Posting.Effective); err != nil {
			return err
		}
	}
	return nil
}

// value turns a posting of a payout into the lines of an entry. In another
// currency than that of the books, what leaves an account takes along what the
// account carries it at, and what arrives at the bank, or is taken from it, is
// worth the rate of the day; the difference between the two is an exchange gain
// or loss.
func (b *Books) value(ctx context.Context, r store.Reader, c money.Currency, p *payouts.Posting) ([]ledger.Line, error) {
	var clearing payouts.Line // stays empty where a fee and what it is for make up for each other
	if i := slices.IndexFunc(p.Lines, func(l payouts.Line) bool { return l.Account.Role == ledger.Clearing }); i >= 0 {
		clearing = p.Lines[i]
	}
	var lines []ledger.Line
	var home int64 // of the others
	atBank := false
	for _, l := range p.Lines {
		if l.Account.Role == ledger.Clearing {
			continue
		}
		n, err := b.valueLine(ctx, r, c, p.Effective, l, clearing.Account)
		if err != nil {
			return nil, err
		}
		n = something(n, l.Amount)
		home += n
		atBank = atBank || l.Account.Role == ledger.Bank
		lines = append(lines, inBoth(l.Account, n, money.Amount{Minor: l.Amount, Currency: c}))
	}
	relieved := home
	if atBank {
		var err error
		if relieved, err = b.carried(ctx, r, clearing.Account, money.Amount{Minor: -clearing.Amount, Currency: c}, p.Effective); err != nil {
			return nil, err
		}
	}
	relieved = something(relieved, -clearing.Amount)
	lines = append(lines, inBoth(clearing.Account, -relieved, money.Amount{Minor: clearing.Amount, Currency: c}), exchange(relieved-home, c))
	return pairs(lines...), nil
}

// something is what an amount is worth in the currency of the books, no less
// than its smallest unit: the gateway's balance has moved, though by less. What
// that is too much is made up for when the account is emptied.
func something(home, foreign int64) int64 {
	switch {
	case foreign == 0:
		return 0
	case home != 0:
		return home
	case foreign < 0:
		return -1
	}
	return 1
}

// valueLine is what a line beside that of the clearing account is worth in the
// currency of the books; a positive amount is a debit.
func (b *Books) valueLine(ctx context.Context, r store.Reader, c money.Currency, day string, l payouts.Line, clearing ledger.Ref) (int64, error) {
	held := l.Account.Role == ledger.Disputes || l.Account.Role == ledger.Reserve
	switch amount := (money.Amount{Minor: l.Amount, Currency: c}); {
	case l.Account.Role == ledger.Bank:
		return b.atRate(amount, day)
	case l.Amount > 0: // it leaves the clearing account
		return b.carried(ctx, r, clearing, amount, day)
	case held:
		n, err := b.carried(ctx, r, l.Account, amount.Neg(), day)
		return -n, err
	default:
		return b.atRate(amount, day)
	}
}

// heldBack is what a gateway holds back for a dispute, as its payouts tell: in
// the company's currency and in that of the dispute.
func (b *Books) heldBack(ctx context.Context, r store.Reader, d Dispute) (home, foreign int64, err error) {
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(-i.amount), 0) FROM payout_item i JOIN payout p ON p.id = i.payout_id
		WHERE i.active AND i.kind = 'dispute' AND p.gateway = $1 AND p.currency = $2 AND (i.source = $3 OR i.external_id = $3)`,
		d.Gateway, string(d.Currency), d.Reference).Scan(&foreign)
	if err != nil {
		return 0, 0, fmt.Errorf("read dispute %s: %w", d.Reference, err)
	}
	home, err = b.carried(ctx, r, ledger.Ref{Role: ledger.Disputes}, money.Amount{Minor: foreign, Currency: d.Currency}, d.Date)
	return home, foreign, err
}
