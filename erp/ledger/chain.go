package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"comptoir/erp/store"
)

// link is the newest entry of a chain.
type link struct {
	sequence int64
	hash     []byte
}

// chain returns the end of a shop's chain. Each entry carries the hash of its
// own content and of the entry before it, so that a change to any of them shows
// in all that follow. A shop has a chain of its own, because its entries come
// one after the other anyway: the fence sees to that.
func (p *Poster) chain(ctx context.Context, shop int64) (*link, error) {
	if c := p.chains[shop]; c != nil {
		return c, nil
	}
	c := new(link)
	err := p.tx.QueryRow(ctx, `SELECT sequence, hash FROM entry_chain WHERE shop_id = $1`, shop).Scan(&c.sequence, &c.hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the chain of entries: %w", err)
	}
	p.chains[shop] = c
	return c, nil
}

// sum hashes the content of an entry: every column of it and of its lines.
type sum struct{ h hash.Hash }

func newSum(before []byte) sum {
	s := sum{sha256.New()}
	s.text(string(before))
	return s
}

func (s sum) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	s.h.Write(b[:])
}

func (s sum) text(t string) {
	s.number(int64(len(t)))
	s.h.Write([]byte(t))
}

func (s sum) entry(id, sequence, recorded int64, e *Entry) {
	for _, n := range []int64{id, sequence, recorded, e.Shop, e.Document, e.Reverses} {
		s.number(n)
	}
	for _, t := range []string{e.Journal, e.Effective, e.Cause, e.Description, e.DocumentKind} {
		s.text(t)
	}
}

func (s sum) line(n int, account string, l Line) {
	for _, v := range []int64{int64(n), l.Debit, l.Credit, l.ForeignDebit, l.ForeignCredit, l.Contact} {
		s.number(v)
	}
	s.text(account)
	s.text(string(l.Currency))
	s.text(l.Memo)
}

func (s sum) hash() []byte { return s.h.Sum(nil) }

// Broken is an entry that is not as it was written.
type Broken struct {
	Entry int64 // id
	Cause string
	Why   string
}

// VerifyChain reads all entries and returns the first of each chain that is
// not as it was written, or not in its place.
func VerifyChain(ctx context.Context, r store.Reader) ([]Broken, error) {
	v := verifier{ends: map[int64]link{}}
	rows, err := r.Query(ctx, `SELECT e.id, e.sequence, e.recorded_at, e.shop_id, e.document_id, e.reverses, e.journal, e.effective, e.cause, e.description, e.document_kind, e.hash,
			l.line, COALESCE(a.code, ''), l.debit, l.credit, l.foreign_debit, l.foreign_credit, l.contact_id, l.currency, l.memo
		FROM entry e JOIN entry_line l ON l.entry_id = e.id LEFT JOIN account a ON a.id = l.account_id ORDER BY e.shop_id, e.sequence, e.id, l.line`)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	defer rows.Close()
	var now written
	for rows.Next() {
		var w written
		var n int
		var account string
		var l Line
		if err := rows.Scan(&w.id, &w.sequence, &w.recorded, &w.Shop, &w.Document, &w.Reverses, &w.Journal, &w.Effective, &w.Cause, &w.Description, &w.DocumentKind, &w.hash,
			&n, &account, &l.Debit, &l.Credit, &l.ForeignDebit, &l.ForeignCredit, &l.Contact, &l.Currency, &l.Memo); err != nil {
			return nil, fmt.Errorf("read entries: %w", err)
		}
		if w.id != now.id {
			v.check(now)
			now = w
			now.sum = newSum(v.before(w.Shop))
			now.sum.entry(w.id, w.sequence, w.recorded, &w.Entry)
		}
		now.sum.line(n, account, l)
	}
	v.check(now)
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	return v.broken, v.finish(ctx, r)
}

// written is an entry as it is read back.
type written struct {
	Entry
	id, sequence, recorded int64
	hash                   []byte
	sum                    sum
}

type verifier struct {
	ends   map[int64]link
	stop   map[int64]bool // chains that are broken already
	broken []Broken
}

func (v *verifier) before(shop int64) []byte { return v.ends[shop].hash }

func (v *verifier) report(shop int64, b Broken) {
	if v.stop == nil {
		v.stop = map[int64]bool{}
	}
	if !v.stop[shop] {
		v.broken = append(v.broken, b)
	}
	v.stop[shop] = true
}

func (v *verifier) check(w written) {
	if w.id == 0 {
		return
	}
	switch end := v.ends[w.Shop]; {
	case w.sequence != end.sequence+1:
		v.report(w.Shop, Broken{w.id, w.Cause, fmt.Sprintf("it is number %d of its chain, after number %d: an entry is missing or moved", w.sequence, end.sequence)})
	case string(w.sum.hash()) != string(w.hash):
		v.report(w.Shop, Broken{w.id, w.Cause, "its content, or that of an entry before it, is not what was written"})
	}
	v.ends[w.Shop] = link{w.sequence, w.hash}
}

// finish compares the ends of the chains with those that were kept.
func (v *verifier) finish(ctx context.Context, r store.Reader) error {
	rows, err := r.Query(ctx, `SELECT shop_id, sequence, hash FROM entry_chain ORDER BY shop_id`)
	if err != nil {
		return fmt.Errorf("read the chains of entries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var shop int64
		var kept link
		if err := rows.Scan(&shop, &kept.sequence, &kept.hash); err != nil {
			return err
		}
		if end := v.ends[shop]; end.sequence != kept.sequence || string(end.hash) != string(kept.hash) {
			v.report(shop, Broken{Why: fmt.Sprintf("the chain ends at number %d, but %d entries were written: the last ones are missing or changed", end.sequence, kept.sequence)})
		}
	}
	return rows.Err()
}
