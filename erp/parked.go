package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// ParkedRecord is a record that could not be applied.
type ParkedRecord struct {
	ID       int64           `json:"id"`
	Shop     string          `json:"shop"`
	Resource intake.Resource `json:"resource"`
	Ref      intake.Ref      `json:"ref"`
	Reason   string          `json:"reason"`
	Fix      string          `json:"fix"`
	Amount   string          `json:"amount"` // the money at stake: "12.00 EUR"; "" where there is none
	FirstAt  time.Time       `json:"first_at"`
	LastAt   time.Time       `json:"last_at"`
	Tries    int             `json:"tries"`
	Raw      []byte          `json:"-"`
}

// park sets a record aside with its payload, the reason in plain words, the
// money at stake and what would help.
func (p *page) park(ctx context.Context, rec intake.Record, f *fault.Error) error {
	key := originKey{rec.Ref.Kind, rec.Ref.ID}
	row, again := p.parked[key]
	if !again {
		id, err := p.tx.NewID(ctx)
		if err != nil {
			return err
		}
		row.id = id
	}
	amount := ""
	switch body := rec.Body.(type) {
	case *intake.Order:
		amount = money.Text(body.Total, body.Currency)
	case *intake.Payout:
		amount = money.Text(body.Net, body.Currency)
	}
	if p.changes != nil {
		*p.changes = append(*p.changes, Change{Ref: rec.Ref, What: fmt.Sprintf("park %s %s", rec.Ref.Kind, rec.Ref.ID), Parks: f.Error()})
	}
	now := store.Micros(p.now)
	p.tx.Queue(`INSERT INTO parked (id, shop_id, resource, kind, external_id, parent, digest, modified_at, reason, fix, amount, problem, raw, statement, first_at, last_at, tries)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$15,1)
		ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET digest = excluded.digest, modified_at = excluded.modified_at, reason = excluded.reason, fix = excluded.fix,
			amount = excluded.amount, problem = excluded.problem, raw = excluded.raw, statement = excluded.statement, last_at = excluded.last_at, tries = parked.tries + 1, dropped = FALSE`,
		row.id, p.shop, string(p.stream.Resource), string(rec.Ref.Kind), rec.Ref.ID, rec.Ref.Parent, rec.Digest, store.Micros(rec.Modified), f.Msg, f.Fix, amount, rec.Problem,
		p.b.compress(rec.Raw), p.b.compress(rec.Statement), now)
	row.digest, row.dropped = rec.Digest, false
	p.parked[key] = row
	return nil
}

const parkedColumns = `SELECT p.id, s.name, p.resource, p.kind, p.external_id, p.parent, p.reason, p.fix, p.amount, p.first_at, p.last_at, p.tries FROM parked p JOIN shop s ON s.id = p.shop_id`

func scanParked(row interface{ Scan(...any) error }, more ...any) (ParkedRecord, error) {
	var r ParkedRecord
	var first, last int64
	err := row.Scan(append([]any{&r.ID, &r.Shop, &r.Resource, &r.Ref.Kind, &r.Ref.ID, &r.Ref.Parent, &r.Reason, &r.Fix, &r.Amount, &first, &last, &r.Tries}, more...)...)
	r.FirstAt, r.LastAt = store.FromMicros(first), store.FromMicros(last)
	return r, err
}

// ParkedRecords lists what is parked, oldest first; shop "" means all.
func (b *Books) ParkedRecords(ctx context.Context, shop string) ([]ParkedRecord, error) {
	rows, err := b.db.Query(ctx, parkedColumns+` WHERE NOT p.dropped AND ($1 = '' OR s.name = $1) ORDER BY p.id`, shop)
	if err != nil {
		return nil, fmt.Errorf("list parked records: %w", err)
	}
	defer rows.Close()
	var out []ParkedRecord
	for rows.Next() {
		r, err := scanParked(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// ParkedRecord returns one parked record with its payload.
func (b *Books) ParkedRecord(ctx context.Context, id int64) (ParkedRecord, error) {
	var packed []byte
	row := b.db.QueryRow(ctx, `SELECT p.id, s.name, p.resource, p.kind, p.external_id, p.parent, p.reason, p.fix, p.amount, p.first_at, p.last_at, p.tries, p.raw
		FROM parked p JOIN shop s ON s.id = p.shop_id WHERE p.id = $1 AND NOT p.dropped`, id)
	r, err := scanParked(row, &packed)
	if errors.Is(err, sql.ErrNoRows) {
		return r, noParked(id)
	}
	if err != nil {
		return r, fmt.Errorf("read parked record %d: %w", id, err)
	}
	r.Raw, err = b.decompress(packed)
	return r, err
}

func noParked(id int64) error {
	return fault.New(fault.NotFound, "see comptoir parked list", "no parked record has the number %d", id)
}

// RetryParked applies a parked record again as it was stated. It returns the
// reason where it is still parked, "" where it is not.
func (b *Books) RetryParked(ctx context.Context, id int64) (reason string, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		reason = ""
		s, rec, err := b.reopenParked(ctx, tx, id)
		if err != nil {
			return err
		}
		outcomes, err := b.applyEach(ctx, tx, s, []intake.Record{rec}, func(p *page) { p.force = true })
		if err != nil || outcomes[0] != Parked {
			return err
		}
		return tx.QueryRow(ctx, `SELECT reason FROM parked WHERE id = $1`, id).Scan(&reason)
	})
	if err != nil {
		return "", fmt.Errorf("retry parked record %d: %w", id, err)
	}
	return reason, nil
}

// reopenParked reads a parked record as it was stated.
func (b *Books) reopenParked(ctx context.Context, tx *store.Tx, id int64) (Stream, intake.Record, error) {
	var s Stream
	var rec intake.Record
	var raw, statement []byte
	var modified int64
	err := tx.QueryRow(ctx, `SELECT s.name, p.resource, p.kind, p.external_id, p.parent, p.digest, p.modified_at, p.problem, p.raw, p.statement
		FROM parked p JOIN shop s ON s.id = p.shop_id WHERE p.id = $1 AND NOT p.dropped`, id).
		Scan(&s.Shop, &s.Resource, &rec.Ref.Kind, &rec.Ref.ID, &rec.Ref.Parent, &rec.Digest, &modified, &rec.Problem, &raw, &statement)
	if errors.Is(err, sql.ErrNoRows) {
		return s, rec, noParked(id)
	}
	if err != nil {
		return s, rec, err
	}
	rec.Modified = store.FromMicros(modified)
	if rec.Raw, err = b.decompress(raw); err != nil {
		return s, rec, err
	}
	if rec.Statement, err = b.decompress(statement); err != nil || rec.Problem != "" {
		return s, rec, err
	}
	rec.Body, err = intake.Reopen(rec.Ref.Kind, rec.Statement)
	return s, rec, err
}

// DropParked forgets a parked record; it is applied when the shop states it
// anew with another content.
func (b *Books) DropParked(ctx context.Context, id int64) error {
	return b.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE parked SET dropped = TRUE, raw = NULL, statement = NULL WHERE id = $1 AND NOT dropped`, id)
		if err == nil && n == 0 {
			err = noParked(id)
		}
		return err
	})
}

// Readmit forgets that records of a shop were dropped, so that they are applied
// when they are next read: the orders with these external ids, or where none
// are given, all of them.
func (b *Books) Readmit(ctx context.Context, shop string, orders ...string) error {
	id, err := b.shop(shop)
	if err != nil {
		return err
	}
	return b.db.Write(ctx, func(tx *store.Tx) error {
		if len(orders) == 0 {
			tx.Queue(`DELETE FROM parked WHERE shop_id = $1 AND dropped`, id)
		}
		for _, o := range orders {
			tx.Queue(`DELETE FROM parked WHERE shop_id = $1 AND kind = 'order' AND external_id = $2 AND dropped`, id, o)
		}
		return nil
	})
}
