package payouts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// chunk bounds how many items one query names.
const chunk = 1000

// Load reads a payout as the books have it, with its items and with those of
// other payouts that said names; nil where the books have neither. Id 0 is a
// payout that they do not have.
func Load(ctx context.Context, r store.Reader, shop, id int64, said *intake.Payout) (*Payout, error) {
	p := &Payout{ID: id, Items: map[string]Item{}}
	if id != 0 {
		err := r.QueryRow(ctx, `SELECT revision, digest, active, booked_on FROM payout WHERE id = $1`, id).Scan(&p.Bank.Revision, &p.Bank.Digest, &p.Bank.Active, &p.Bank.Day)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read payout %d: %w", id, err)
		}
		if err := p.loadItems(ctx, r, `payout_id = $1`, id); err != nil {
			return nil, err
		}
	}
	var others []string
	for _, it := range said.Items {
		if _, ok := p.Items[it.ID]; !ok {
			others = append(others, it.ID)
		}
	}
	for ids := range slices.Chunk(others, chunk) {
		if err := p.loadItems(ctx, r, `shop_id = $1 AND gateway = $2 AND external_id IN (`+store.In(len(ids), 3)+`)`, store.InArgs([]any{shop, said.Gateway}, ids)...); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Payout) loadItems(ctx context.Context, r store.Reader, where string, args ...any) error {
	rows, err := r.Query(ctx, `SELECT external_id, payout_id, removed, revision, digest, active, booked_on FROM payout_item WHERE `+where, args...)
	if err != nil {
		return fmt.Errorf("read the items of payouts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var it Item
		if err := rows.Scan(&id, &it.Payout, &it.Removed, &it.Revision, &it.Digest, &it.Active, &it.Day); err != nil {
			return err
		}
		p.Items[id] = it
	}
	return rows.Err()
}

// Writer writes the decisions of one transaction.
type Writer struct {
	Tx     *store.Tx
	Poster *ledger.Poster
	// Value turns a posting into the lines of an entry, in the currency of the
	// books.
	Value func(ctx context.Context, r store.Reader, c money.Currency, p *Posting) ([]ledger.Line, error)
}

// Write queues what a decision changes. Before holds the id under which the
// payout is written, and Account is its clearing account.
func (w *Writer) Write(ctx context.Context, before *Payout, said *intake.Payout, d Decision, f Facts, account int64) error {
	bank, items := before.Bank, map[string]Event{}
	for id, it := range before.Items {
		items[id] = it.Event
	}
	for _, s := range d.Steps {
		had := items[s.Item]
		if s.Item == "" {
			had = before.Bank
		}
		now, err := w.step(ctx, before.ID, said, s, had, f)
		if err != nil {
			return err
		}
		if s.Item == "" {
			bank = now
		} else {
			items[s.Item] = now
		}
	}
	w.Tx.Queue(`INSERT INTO payout (id, shop_id, external_id, account_id, gateway, currency, state, raw_status, issued_at, day, net, reference, revision, digest, active, booked_on)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)
		ON CONFLICT (shop_id, external_id) DO UPDATE SET account_id = excluded.account_id, gateway = excluded.gateway, currency = excluded.currency, state = excluded.state,
			raw_status = excluded.raw_status, issued_at = excluded.issued_at, day = excluded.day, net = excluded.net, reference = excluded.reference,
			revision = excluded.revision, digest = excluded.digest, active = excluded.active, booked_on = excluded.booked_on`,
		before.ID, f.ShopID, f.External, account, said.Gateway, string(said.Currency), string(said.State), said.RawStatus, store.Micros(said.IssuedAt), d.Day, d.Net, said.Reference,
		bank.Revision, bank.Digest, bank.Active, bank.Day)
	for _, it := range d.Items {
		e := items[it.Said.ID]
		w.Tx.Queue(`INSERT INTO payout_item (shop_id, gateway, external_id, payout_id, kind, raw, amount, fee, happened_at, day, order_ref, source, removed, revision, digest, active, booked_on)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,FALSE,$13,$14,$15,$16)
			ON CONFLICT (shop_id, gateway, external_id) DO UPDATE SET payout_id = excluded.payout_id, kind = excluded.kind, raw = excluded.raw, amount = excluded.amount, fee = excluded.fee,
				happened_at = excluded.happened_at, day = excluded.day, order_ref = excluded.order_ref, source = excluded.source, removed = FALSE,
				revision = excluded.revision, digest = excluded.digest, active = excluded.active, booked_on = excluded.booked_on`,
			f.ShopID, said.Gateway, it.Said.ID, before.ID, string(it.Said.Kind), it.Said.Raw, it.Amount, it.Fee, store.Micros(it.Said.At), it.Day, it.Said.Order, it.Said.Source,
			e.Revision, e.Digest, e.Active, e.Day)
	}
	for _, id := range d.Gone {
		e := items[id]
		w.Tx.Queue(`UPDATE payout_item SET removed = TRUE, revision = $4, digest = $5, active = $6, booked_on = $7 WHERE shop_id = $1 AND gateway = $2 AND external_id = $3`,
			f.ShopID, said.Gateway, id, e.Revision, e.Digest, e.Active, e.Day)
	}
	return nil
}

// step writes one step, what is taken back first, and returns the event as it
// then stands.
func (w *Writer) step(ctx context.Context, payout int64, said *intake.Payout, s Step, had Event, f Facts) (Event, error) {
	now := Event{Revision: s.Revision, Digest: had.Digest, Day: s.Day}
	if s.Reverse {
		cause := f.Cause(said.Gateway, s.Item, had.Revision)
		e, err := ledger.ByCause(ctx, w.Tx, cause)
		if err != nil {
			return now, err
		}
		if e.ID == 0 {
			return now, fmt.Errorf("reverse %s: the books have no such entry", cause)
		}
		if _, err := w.Poster.Post(ctx, e.Reversal(e.ID, cause+"/reversal", s.Day)); err != nil {
			return now, fmt.Errorf("reverse %s: %w", cause, err)
		}
	}
	if s.Posting == nil {
		return now, nil
	}
	lines, err := w.Value(ctx, w.Tx, said.Currency, s.Posting)
	if err != nil {
		return now, err
	}
	now.Active, now.Digest, now.Day = true, s.Posting.Digest, s.Posting.Effective
	_, err = w.Poster.Post(ctx, &ledger.Entry{Journal: ledger.JournalCash, Effective: s.Posting.Effective, Cause: f.Cause(said.Gateway, s.Item, s.Revision),
		Description: s.Posting.Description, Shop: f.ShopID, DocumentKind: DocumentKind, Document: payout, Lines: lines})
	return now, err
}
