package ledger

import (
	"context"
	"fmt"
	"sort"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// Poster writes the entries of one transaction and keeps the daily balances
// up with them. Call Flush before the transaction ends.
type Poster struct {
	tx       *store.Tx
	accounts *Accounts
	recorded time.Time
	made     map[Ref]Account
	days     map[accountDay]sums
	chains   map[int64]*link
	lock     *string // the lock date, once it was read
}

type accountDay struct {
	account int64
	day     string
}

type sums struct{ debit, credit int64 }

// NewPoster returns a Poster for tx; entries are recorded as of the given
// instant.
func NewPoster(tx *store.Tx, accounts *Accounts, recorded time.Time) *Poster {
	return &Poster{tx: tx, accounts: accounts, recorded: recorded, made: map[Ref]Account{}, days: map[accountDay]sums{}, chains: map[int64]*link{}}
}

// Post checks e, queues it and returns its id. An entry that does not balance,
// and one that is dated in the locked period, is refused here and by the
// database.
func (p *Poster) Post(ctx context.Context, e *Entry) (int64, error) {
	if err := e.Check(); err != nil {
		return 0, err
	}
	if err := p.open(ctx, e); err != nil {
		return 0, err
	}
	chain, err := p.chain(ctx, e.Shop)
	if err != nil {
		return 0, err
	}
	id, err := p.tx.NewID(ctx)
	if err != nil {
		return 0, err
	}
	sum := newSum(chain.hash)
	sum.entry(id, chain.sequence+1, store.Micros(p.recorded), e)
	for i, l := range e.Lines {
		acc, err := p.accounts.resolve(ctx, p.tx, p.made, l.Account)
		if err != nil {
			return 0, fmt.Errorf("entry %s: %w", e.Cause, err)
		}
		p.tx.Queue(`INSERT INTO entry_line (entry_id, line, account_id, debit, credit, currency, foreign_debit, foreign_credit, contact_id, memo) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
			id, i+1, acc.ID, l.Debit, l.Credit, string(l.Currency), l.ForeignDebit, l.ForeignCredit, l.Contact, l.Memo)
		sum.line(i+1, acc.Code, l)
		key := accountDay{acc.ID, e.Effective}
		s := p.days[key]
		if s.debit, err = money.AddMinor(s.debit, l.Debit); err != nil {
			return 0, err
		}
		if s.credit, err = money.AddMinor(s.credit, l.Credit); err != nil {
			return 0, err
		}
		p.days[key] = s
	}
	chain.sequence, chain.hash = chain.sequence+1, sum.hash()
	p.tx.Queue(`INSERT INTO entry (id, journal, effective, recorded_at, cause, description, shop_id, document_kind, document_id, reverses, sequence, hash) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`,
		id, e.Journal, e.Effective, store.Micros(p.recorded), e.Cause, e.Description, e.Shop, e.DocumentKind, e.Document, e.Reverses, chain.sequence, chain.hash)
	return id, nil
}

// Account returns the id of the account that r names; one of a gateway is made
// where it is seen for the first time.
func (p *Poster) Account(ctx context.Context, r Ref) (int64, error) {
	acc, err := p.accounts.resolve(ctx, p.tx, p.made, r)
	return acc.ID, err
}

// Flush queues the changes of the daily balances and the ends of the chains.
func (p *Poster) Flush() {
	for shop, c := range p.chains {
		p.tx.Queue(`INSERT INTO entry_chain (shop_id, sequence, hash) VALUES ($1,$2,$3)
			ON CONFLICT (shop_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash`, shop, c.sequence, c.hash)
	}
	clear(p.chains)
	keys := make([]accountDay, 0, len(p.days))
	for k := range p.days {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].account != keys[j].account {
			return keys[i].account < keys[j].account
		}
		return keys[i].day < keys[j].day
	})
	for _, k := range keys {
		s := p.days[k]
		p.tx.Queue(`INSERT INTO account_day (account_id, day, debit, credit) VALUES ($1,$2,$3,$4)
			ON CONFLICT (account_id, day) DO UPDATE SET debit = account_day.debit + excluded.debit, credit = account_day.credit + excluded.credit`,
			k.account, k.day, s.debit, s.credit)
	}
	clear(p.days)
}

// Stored is an entry as it was written.
type Stored struct {
	ID int64
	Entry
}

// OfDocuments returns the entries of documents, by document, oldest first.
func OfDocuments(ctx context.Context, r store.Reader, ids []int64) (map[int64][]Stored, error) {
	out := map[int64][]Stored{}
	if len(ids) == 0 {
		return out, nil
	}
	err := scanStored(ctx, r, func(s Stored) { out[s.Document] = append(out[s.Document], s) },
		storedColumns+` WHERE e.document_id IN (`+store.In(len(ids), 1)+`) ORDER BY e.id, l.line`, store.InArgs(nil, ids)...)
	return out, err
}

// ByID returns one entry, or a NotFound fault.
func ByID(ctx context.Context, r store.Reader, id int64) (Stored, error) {
	var found Stored
	err := scanStored(ctx, r, func(s Stored) { found = s }, storedColumns+` WHERE e.id = $1 ORDER BY l.line`, id)
	if err == nil && found.ID == 0 {
		err = fault.New(fault.NotFound, "see comptoir report journal", "there is no entry %d", id)
	}
	return found, err
}

// ByCause returns the entry that a cause has posted; its ID is 0 where there
// is none.
func ByCause(ctx context.Context, r store.Reader, cause string) (Stored, error) {
	var found Stored
	err := scanStored(ctx, r, func(s Stored) { found = s }, storedColumns+` WHERE e.cause = $1 ORDER BY l.line`, cause)
	return found, err
}

const storedColumns = `SELECT e.id, e.journal, e.effective, e.cause, e.description, e.shop_id, e.document_kind, e.document_id, e.reverses,
			a.role, a.gateway, a.currency, a.code, l.debit, l.credit, l.currency, l.foreign_debit, l.foreign_credit, l.contact_id, l.memo
		FROM entry e JOIN entry_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id`

// scanStored calls yield with each entry that a query for storedColumns finds,
// whole. The lines of an entry must follow each other.
func scanStored(ctx context.Context, r store.Reader, yield func(Stored), query string, args ...any) error {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read entries: %w", err)
	}
	defer rows.Close()
	var now Stored
	for rows.Next() {
		var s Stored
		var l Line
		if err := rows.Scan(&s.ID, &s.Journal, &s.Effective, &s.Cause, &s.Description, &s.Shop, &s.DocumentKind, &s.Document, &s.Reverses,
			&l.Account.Role, &l.Account.Gateway, &l.Account.Currency, &l.Account.Code, &l.Debit, &l.Credit, &l.Currency, &l.ForeignDebit, &l.ForeignCredit, &l.Contact, &l.Memo); err != nil {
			return fmt.Errorf("read entries: %w", err)
		}
		if s.ID != now.ID {
			if now.ID != 0 {
				yield(now)
			}
			now = s
		}
		now.Lines = append(now.Lines, l)
	}
	if now.ID != 0 {
		yield(now)
	}
	return rows.Err()
}
