package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/payouts"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Payout is money that a gateway paid to the bank.
type Payout struct {
	Shop      string // "" where the gateway's account is not mapped by a shop
	Gateway   string
	Currency  money.Currency  // in which the gateway held it
	Amount    decimal.Decimal // that left the gateway for the bank, in Currency
	Fee       decimal.Decimal // that the gateway kept of its balance besides, in Currency
	Received  decimal.Decimal // that arrived at the bank, in the company's currency; zero: Amount at the rate of the day
	Date      string          // YYYY-MM-DD
	Reference string          // the gateway's own; the same payout twice is refused
}

// BookPayout posts a payout: the bank and the fee against the gateway's
// clearing account. In another currency the clearing account is relieved at
// the rate at which it was filled, and the difference to what arrived is an
// exchange gain or loss. It returns the id of the entry.
func (b *Books) BookPayout(ctx context.Context, p Payout) (int64, error) {
	if p.Reference == "" || p.Gateway == "" {
		return 0, fault.New(fault.Invalid, "name both, as in: comptoir payout add stripe --reference po_123 …", "a payout needs a gateway and a reference")
	}
	if err := isDay(p.Date); err != nil {
		return 0, err
	}
	amount, err := positive("amount", p.Amount, p.Currency, false)
	if err != nil {
		return 0, err
	}
	fee, err := positive("fee", p.Fee, p.Currency, true)
	if err != nil {
		return 0, err
	}
	clearing := b.clearingOf(p.Shop, p.Gateway, p.Currency)
	cause := payouts.ManualCause(p.Gateway, p.Currency, p.Reference)
	return b.bookOnce(ctx, cause, func(tx *store.Tx) (*ledger.Entry, error) {
		if err := notStated(ctx, tx, p); err != nil {
			return nil, err
		}
		total, err := amount.Add(fee)
		if err != nil {
			return nil, err
		}
		relieved, err := b.carried(ctx, tx, clearing, total, p.Date)
		if err != nil {
			return nil, err
		}
		received, err := b.received(p, amount)
		if err != nil {
			return nil, err
		}
		feeHome, err := b.carried(ctx, tx, clearing, fee, p.Date)
		if err != nil {
			return nil, err
		}
		e := &ledger.Entry{Journal: ledger.JournalCash, Effective: p.Date, Cause: cause, DocumentKind: payouts.DocumentKind,
			Description: fmt.Sprintf("Payout %s of %s", p.Reference, p.Gateway)}
		e.Lines = pairs(
			inBoth(ledger.Ref{Role: ledger.Bank}, received, amount),
			inBoth(ledger.Ref{Role: ledger.PaymentFees}, feeHome, fee),
			inBoth(clearing, -relieved, total.Neg()),
			exchange(relieved-received-feeHome, p.Currency),
		)
		return e, nil
	})
}

// Dispute is a payment that a customer disputes with the gateway.
type Dispute struct {
	Shop      string
	Gateway   string
	Currency  money.Currency
	Amount    decimal.Decimal
	Date      string // YYYY-MM-DD
	Reference string // the gateway's own
	Stage     string // DisputeOpened, DisputeWon or DisputeLost
}

// The stages of a dispute.
const (
	DisputeOpened = "opened"
	DisputeWon    = "won"
	DisputeLost   = "lost"
)

// disputeKind is the document kind of what a person tells of a dispute.
const disputeKind = "dispute"

// disputeCause is the key of a stage of a dispute that a person books.
func disputeCause(gateway string, c money.Currency, reference, stage string) string {
	return fmt.Sprintf("dispute/%s/%s/%s/%s", gateway, c, reference, stage)
}

// BookDispute posts a stage of a dispute: opened, the gateway holds the money
// back; won, it gives it free; lost, it is a loss. It returns the id of the
// entry.
func (b *Books) BookDispute(ctx context.Context, d Dispute) (int64, error) {
	clearing, disputes := b.clearingOf(d.Shop, d.Gateway, d.Currency), ledger.Ref{Role: ledger.Disputes}
	sides := map[string][2]ledger.Ref{
		DisputeOpened: {disputes, clearing}, DisputeWon: {clearing, disputes}, DisputeLost: {{Role: ledger.DisputeLosses}, disputes},
	}
	side, ok := sides[d.Stage]
	if !ok || d.Reference == "" || d.Gateway == "" {
		return 0, fault.New(fault.Invalid, "as in: comptoir dispute open|won|lost stripe --reference dp_123 …", "a dispute needs a gateway, a reference and one of the stages opened, won and lost")
	}
	if err := isDay(d.Date); err != nil {
		return 0, err
	}
	amount, err := positive("amount", d.Amount, d.Currency, false)
	if err != nil {
		return 0, err
	}
	cause := disputeCause(d.Gateway, d.Currency, d.Reference, d.Stage)
	return b.bookOnce(ctx, cause, func(tx *store.Tx) (*ledger.Entry, error) {
		if err := disputeNotStated(ctx, tx, d); err != nil {
			return nil, err
		}
		home, err := b.disputed(ctx, tx, d, clearing, amount)
		if err != nil {
			return nil, err
		}
		return &ledger.Entry{Journal: ledger.JournalCash, Effective: d.Date, Cause: cause, DocumentKind: disputeKind,
			Description: fmt.Sprintf("Dispute %s of %s %s", d.Reference, d.Gateway, d.Stage),
			Lines:       pairs(inBoth(side[0], home, amount), inBoth(side[1], -home, amount.Neg()))}, nil
	})
}

// disputed is what a dispute is worth in the company's currency: when it is
// opened what the clearing account carries, later what was put aside then.
func (b *Books) disputed(ctx context.Context, tx *store.Tx, d Dispute, clearing ledger.Ref, amount money.Amount) (int64, error) {
	if d.Stage == DisputeOpened {
		return b.carried(ctx, tx, clearing, amount, d.Date)
	}
	var home, foreign, decided int64
	err := tx.QueryRow(ctx, `SELECT l.debit, l.foreign_debit FROM entry e JOIN entry_line l ON l.entry_id = e.id AND l.debit > 0
		WHERE e.cause = $1 AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.reverses = e.id)`, disputeCause(d.Gateway, d.Currency, d.Reference, DisputeOpened)).Scan(&home, &foreign)
	if errors.Is(err, sql.ErrNoRows) {
		home, foreign, err = b.heldBack(ctx, tx, d)
	}
	if err == nil && foreign == 0 {
		return 0, fault.New(fault.NotFound, "book it first: comptoir dispute open", "no dispute %s of %s is open", d.Reference, d.Gateway)
	}
	if err != nil {
		return 0, fmt.Errorf("read dispute %s: %w", d.Reference, err)
	}
	if foreign != amount.Minor {
		return 0, fault.New(fault.Invalid, "give the amount it was opened with", "dispute %s is about %s, not %s", d.Reference, money.Amount{Minor: foreign, Currency: d.Currency}, amount)
	}
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM entry e WHERE e.cause IN ($1, $2) AND NOT EXISTS (SELECT 1 FROM entry x WHERE x.reverses = e.id)`,
		disputeCause(d.Gateway, d.Currency, d.Reference, DisputeWon), disputeCause(d.Gateway, d.Currency, d.Reference, DisputeLost)).Scan(&decided)
	if err != nil {
		return 0, fmt.Errorf("read dispute %s: %w", d.Reference, err)
	}
	if decided > 0 {
		return 0, fault.New(fault.Conflict, "a decision that has changed is a dispute of its own", "dispute %s of %s is decided already", d.Reference, d.Gateway)
	}
	return home, nil
}

// positive rounds an amount that must be more than nothing, or may be nothing.
func positive(what string, d decimal.Decimal, c money.Currency, orZero bool) (money.Amount, error) {
	a, err := money.Round(d, c)
	if err != nil {
		return a, fmt.Errorf("%s: %w", what, err)
	}
	if !a.Decimal().Equal(d) || a.Minor < 0 || (a.Minor == 0 && !orZero) {
		return a, fault.New(fault.Invalid, "give a positive amount with no more decimals than the currency has", "%s %s %s is not possible", what, d, c)
	}
	return a, nil
}

// clearingOf is the clearing account of a gateway, as the shop maps it.
func (b *Books) clearingOf(shop, gateway string, c money.Currency) ledger.Ref {
	return b.opts.Shops[shop].Clearing(gateway, c, b.opts.Company.Currency)
}

// carried is what an amount on a clearing account, or on one that takes money
// from it, is worth in the company's currency: at the rate at which the account
// was filled, or where it holds nothing, at the rate of the day. A negative
// amount is one that is overdrawn.
func (b *Books) carried(ctx context.Context, r store.Reader, account ledger.Ref, amount money.Amount, day string) (int64, error) {
	if amount.Currency == b.opts.Company.Currency || amount.Minor == 0 {
		return amount.Minor, nil
	}
	q, args := `a.role = $1 AND a.gateway = $2 AND a.currency = $3`, []any{string(account.Role), account.Gateway, string(account.Currency)}
	if account.Code != "" {
		q, args = `a.code = $1`, []any{account.Code}
	}
	if account.Role != ledger.Clearing { // it holds several currencies
		q, args = q+fmt.Sprintf(` AND l.currency = $%d`, len(args)+1), append(args, string(amount.Currency))
	}
	var home, foreign int64
	err := r.QueryRow(ctx, `SELECT COALESCE(SUM(l.debit - l.credit), 0), COALESCE(SUM(l.foreign_debit - l.foreign_credit), 0)
		FROM entry_line l JOIN account a ON a.id = l.account_id WHERE `+q, args...).Scan(&home, &foreign)
	if err != nil {
		return 0, fmt.Errorf("read what the account of %s %s carries: %w", account.Role, account.Gateway, err)
	}
	switch {
	case foreign == amount.Minor: // the last of it takes the cents along
		return home, nil
	case foreign > 0 && home > 0 && amount.Minor > 0, foreign < 0 && home < 0 && amount.Minor < 0:
		share := decimal.NewFromInt(home).Mul(decimal.NewFromInt(amount.Minor)).DivRound(decimal.NewFromInt(foreign), 0)
		return share.IntPart(), nil
	}
	return b.atRate(amount, day)
}

// atRate converts an amount at the rate of a day.
func (b *Books) atRate(amount money.Amount, day string) (int64, error) {
	company := b.opts.Company
	if amount.Currency == company.Currency {
		return amount.Minor, nil
	}
	rate, ok := company.rate(amount.Currency, day)
	if !ok {
		return 0, fault.New(fault.Unprocessable, fmt.Sprintf("add a rate for %s to books.rates", amount.Currency), "there is no exchange rate from %s into %s on %s", amount.Currency, company.Currency, day)
	}
	home, err := amount.Convert(rate, company.Currency)
	return home.Minor, err
}

// received is what a payout brought the bank.
func (b *Books) received(p Payout, amount money.Amount) (int64, error) {
	if p.Received.IsZero() {
		return b.atRate(amount, p.Date)
	}
	a, err := positive("received", p.Received, b.opts.Company.Currency, false)
	if err == nil && amount.Currency == b.opts.Company.Currency && a.Minor != amount.Minor {
		err = fault.New(fault.Invalid, "give what the gateway kept as its fee", "%s left the gateway and %s arrived, in the same currency", amount, a)
	}
	return a.Minor, err
}

// inBoth is a line in the company's currency and the document's; a positive
// amount is a debit.
func inBoth(account ledger.Ref, home int64, foreign money.Amount) ledger.Line {
	return ledger.Line{Account: account, Currency: foreign.Currency, Debit: max(home, 0), Credit: max(-home, 0),
		ForeignDebit: max(foreign.Minor, 0), ForeignCredit: max(-foreign.Minor, 0)}
}

// exchange is the line of an exchange difference: a positive amount is a loss.
func exchange(home int64, c money.Currency) ledger.Line {
	role := ledger.ExchangeLoss
	if home < 0 {
		role = ledger.ExchangeGain
	}
	return inBoth(ledger.Ref{Role: role}, home, money.Amount{Currency: c})
}

// pairs leaves out the lines that are about nothing.
func pairs(lines ...ledger.Line) []ledger.Line {
	out := lines[:0]
	for _, l := range lines {
		if l.Debit != 0 || l.Credit != 0 {
			out = append(out, l)
		}
	}
	return out
}

// bookOnce posts an entry that a person asked for. One with the same cause is a
// conflict: what they report is in the books already.
func (b *Books) bookOnce(ctx context.Context, cause string, build func(*store.Tx) (*ledger.Entry, error)) (int64, error) {
	var id int64
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		var had int64
		err := tx.QueryRow(ctx, `SELECT id FROM entry WHERE cause = $1`, cause).Scan(&had)
		if err == nil {
			return fault.New(fault.Conflict, "look at it, and give another reference if it is another one", "it is in the books already, as entry %d", had)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		e, err := build(tx)
		if err != nil {
			return err
		}
		id, err = b.postOne(ctx, tx, e)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("book %s: %w", cause, err)
	}
	return id, nil
}
