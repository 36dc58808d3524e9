package erp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/sales"
	"comptoir/erp/store"
)

// Receipt says what Receive did.
type Receipt struct {
	Fence     int64     // number of this commit within its stream
	Applied   int       // records that changed something
	Unchanged int       // records that the books knew already
	Parked    int       // records set aside, see ParkedRecords
	Outcomes  []Outcome // one for each record, in the order received
}

// Outcome is what became of one record.
type Outcome uint8

// The outcomes.
const (
	Unchanged Outcome = iota
	Applied
	Parked
)

// Receive applies a page: effects, parked records and the fence commit
// together or not at all. The fence's number grows by one with each call.
// Resume is the cursor that the page ends with; nil keeps the one before, as
// for records that were fetched by their ids. Applying a page again is
// harmless. A record that cannot be applied is parked and does not stop the
// others. An error means that nothing was applied.
func (b *Books) Receive(ctx context.Context, s Stream, said []intake.Record, resume []byte) (Receipt, error) {
	shop, err := b.shop(s.Shop)
	if err != nil {
		return Receipt{}, err
	}
	var receipt Receipt
	commit := func(apply func(tx *store.Tx) ([]Outcome, error)) error {
		return b.db.Write(ctx, func(tx *store.Tx) error {
			outcomes, err := apply(tx)
			if err != nil {
				return err
			}
			receipt = tally(outcomes)
			receipt.Fence, err = b.fence(ctx, tx, shop, s.Resource, resume)
			return err
		})
	}
	err = commit(func(tx *store.Tx) ([]Outcome, error) { return b.applyPage(ctx, tx, s, said, nil) })
	if refusedByDatabase(err) {
		b.opts.Log.Warn().Str("shop", s.Shop).Str("resource", string(s.Resource)).Err(err).Msg("page refused by the database; applying it record by record")
		err = commit(func(tx *store.Tx) ([]Outcome, error) { return b.applyEach(ctx, tx, s, said, nil) })
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("receive %d %s of %s: %w", len(said), s.Resource, s.Shop, err)
	}
	return receipt, nil
}

// refusedByDatabase reports whether one record of a page may be to blame.
func refusedByDatabase(err error) bool {
	var half halfWritten
	return err != nil && (store.IsConstraint(err) || fault.KindOf(err) == fault.Invalid || errors.As(err, &half))
}

// halfWritten is why a record cannot be booked of which a part is written
// already. It hides the fault in it: who parks the record for that has to undo
// the part first.
type halfWritten struct{ fault *fault.Error }

func (h halfWritten) Error() string { return h.fault.Error() }

// hideFault makes a fault of writing a record one that undoes the record.
func hideFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.Internal {
		return halfWritten{f}
	}
	return err
}

func tally(outcomes []Outcome) Receipt {
	r := Receipt{Outcomes: outcomes}
	for _, o := range outcomes {
		switch o {
		case Applied:
			r.Applied++
		case Parked:
			r.Parked++
		default:
			r.Unchanged++
		}
	}
	return r
}

// fence notes the commit within its stream.
func (b *Books) fence(ctx context.Context, tx *store.Tx, shop int64, r intake.Resource, resume []byte) (int64, error) {
	var number int64
	err := tx.QueryRow(ctx, `INSERT INTO fence (shop_id, resource, number, cursor, committed_at) VALUES ($1, $2, 1, $3, $4)
		ON CONFLICT (shop_id, resource) DO UPDATE SET number = fence.number + 1, cursor = COALESCE(excluded.cursor, fence.cursor), committed_at = excluded.committed_at
		RETURNING number`, shop, string(r), resume, store.Micros(b.opts.Now())).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("write fence: %w", err)
	}
	return number, nil
}

// Fence is the last commit of a stream, as the books remember it.
type Fence struct {
	Stream    Stream
	Number    int64
	Cursor    []byte
	Committed time.Time
}

// Fences returns the fences of a shop, one for each stream that has ever
// received a page.
func (b *Books) Fences(ctx context.Context, shop string) ([]Fence, error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	rows, err := b.db.Query(ctx, `SELECT resource, number, cursor, committed_at FROM fence WHERE shop_id = $1 ORDER BY resource`, id)
	if err != nil {
		return nil, fmt.Errorf("read fences of %s: %w", shop, err)
	}
	defer rows.Close()
	var out []Fence
	for rows.Next() {
		f := Fence{Stream: Stream{Shop: shop}}
		var at int64
		if err := rows.Scan(&f.Stream.Resource, &f.Number, &f.Cursor, &at); err != nil {
			return nil, err
		}
		f.Committed = store.FromMicros(at)
		out = append(out, f)
	}
	return out, rows.Err()
}

// applyEach applies a page record by record, each in a savepoint: the one that
// the database refuses is parked.
func (b *Books) applyEach(ctx context.Context, tx *store.Tx, s Stream, said []intake.Record, setup func(*page)) ([]Outcome, error) {
	outcomes := make([]Outcome, len(said))
	for i := range said {
		var one []Outcome
		err := tx.Savepoint(ctx, func() error {
			var err error
			one, err = b.applyPage(ctx, tx, s, said[i:i+1], setup)
			return err
		})
		if refusedByDatabase(err) {
			if err := b.parkRefused(ctx, tx, s, said[i], err); err != nil {
				return nil, err
			}
			outcomes[i] = Parked
			continue
		}
		if err != nil {
			return nil, err
		}
		outcomes[i] = one[0]
	}
	return outcomes, nil
}

// parkRefused parks a record that the database refuses.
func (b *Books) parkRefused(ctx context.Context, tx *store.Tx, s Stream, rec intake.Record, refusal error) error {
	p, err := b.openPage(ctx, tx, s)
	if err != nil {
		return err
	}
	why := fault.New(fault.Unprocessable, "please report it, with comptoir parked show", "the books refused it: %w", refusal)
	var half halfWritten
	if errors.As(refusal, &half) {
		why = half.fault
	}
	if err := p.park(ctx, rec, why); err != nil {
		return err
	}
	return tx.Flush(ctx)
}

// page is what the records of one page share while they are applied.
type page struct {
	b       *Books
	tx      *store.Tx
	stream  Stream
	shop    int64
	rules   sales.Rules
	now     time.Time
	lock    string // the lock date
	origins map[originKey]*origin
	parked  map[originKey]parkedRow
	poster  *ledger.Poster
	mover   *inventory.Mover
	// shopCount is how many shops the books have; 0 until it was read.
	shopCount int
	mindful   map[intake.Kind]bool // see minds
	agreed    map[objectKey]map[intake.Field]catalog.Agreement
	within    map[string]*intake.Variant // what the shop stated before of the variants of the product at hand, by external id
	house     *bool                      // whether there are categories of the house; nil until it was read
	// force applies records that are known already: parked ones, and orders
	// whose goods have been described since.
	force bool
	// changes collects what is done, for a preview.
	changes *[]Change
}

type originKey struct {
	kind intake.Kind
	id   string
}

// origin is a row of that name: where a record came from.
type origin struct {
	local    int64
	digest   string
	modified int64
	gone     bool
	was      int64 // the variant that the record was before it became one of its own; 0 for none
	isNew    bool  // not written yet
}

type parkedRow struct {
	id       int64
	digest   string
	modified int64
	dropped  bool
	gone     bool // noted: the shop no longer has it
}

func (b *Books) openPage(ctx context.Context, tx *store.Tx, s Stream) (*page, error) {
	shop, err := b.shop(s.Shop)
	if err != nil {
		return nil, err
	}
	now := b.opts.Now()
	poster := ledger.NewPoster(tx, b.accounts, now)
	lock, err := poster.Lock(ctx)
	if err != nil {
		return nil, err
	}
	mover := inventory.NewMover(tx, now)
	mover.Tells(b.sends(intake.FieldQuantity))
	return &page{b: b, tx: tx, stream: s, shop: shop, rules: b.opts.Shops[s.Shop], now: now, lock: lock,
		origins: map[originKey]*origin{}, parked: map[originKey]parkedRow{}, mindful: map[intake.Kind]bool{},
		agreed: map[objectKey]map[intake.Field]catalog.Agreement{},
		poster: poster, mover: mover}, nil
}

// applyPage applies records in one go: what they need to know is read in a few
// queries, and their writes are queued.
func (b *Books) applyPage(ctx context.Context, tx *store.Tx, s Stream, said []intake.Record, setup func(*page)) ([]Outcome, error) {
	p, err := b.openPage(ctx, tx, s)
	if err != nil {
		return nil, err
	}
	if setup != nil {
		setup(p)
	}
	outcomes := make([]Outcome, len(said))
	if err := p.load(ctx, said); err != nil {
		return nil, err
	}
	var orders []int
	for _, i := range newest(said) {
		rec := &said[i]
		switch p.look(rec) {
		case skip:
			continue
		case stillParked:
			outcomes[i] = Parked
			continue
		}
		if _, ok := rec.Body.(*intake.Order); ok {
			orders = append(orders, i)
			continue
		}
		if outcomes[i], err = p.apply(ctx, rec); err != nil {
			return nil, fmt.Errorf("%s %s: %w", rec.Ref.Kind, rec.Ref.ID, err)
		}
	}
	if err := p.orders(ctx, said, orders, outcomes); err != nil {
		return nil, err
	}
	return outcomes, p.flush(ctx)
}

func (p *page) flush(ctx context.Context) error {
	p.poster.Flush()
	if err := p.mover.Flush(ctx, p.b.opts.Company.Currency); err != nil {
		return err
	}
	return p.tx.Flush(ctx)
}

// newest returns the indices of the newest statement of each record: a page may
// hold one twice.
func newest(said []intake.Record) []int {
	at := make(map[intake.Ref]int, len(said))
	for i, rec := range said {
		ref := intake.Ref{Kind: rec.Ref.Kind, ID: rec.Ref.ID}
		if had, ok := at[ref]; !ok || !rec.Modified.Before(said[had].Modified) {
			at[ref] = i
		}
	}
	out := make([]int, 0, len(at))
	for _, i := range at {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// load reads origins and parked rows of the records.
func (p *page) load(ctx context.Context, said []intake.Record) error {
	byKind := map[intake.Kind][]string{}
	for _, rec := range said {
		byKind[rec.Ref.Kind] = append(byKind[rec.Ref.Kind], rec.Ref.ID)
	}
	for kind, ids := range byKind {
		if err := p.loadOrigins(ctx, kind, ids); err != nil {
			return err
		}
		rows, err := p.tx.Query(ctx, `SELECT external_id, id, digest, modified_at, dropped, gone FROM parked WHERE shop_id = $1 AND kind = $2 AND external_id IN (`+store.In(len(ids), 3)+`)`,
			store.InArgs([]any{p.shop, string(kind)}, ids)...)
		if err != nil {
			return fmt.Errorf("read parked records: %w", err)
		}
		for rows.Next() {
			var external string
			var row parkedRow
			if err := rows.Scan(&external, &row.id, &row.digest, &row.modified, &row.dropped, &row.gone); err != nil {
				return errors.Join(err, rows.Close())
			}
			p.parked[originKey{kind, external}] = row
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return p.preload(ctx, said)
}

// loadOrigins reads the origins of external ids that are not read yet.
func (p *page) loadOrigins(ctx context.Context, kind intake.Kind, ids []string) error {
	missing := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, ok := p.origins[originKey{kind, id}]; !ok && id != "" {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	rows, err := p.tx.Query(ctx, `SELECT external_id, local_id, digest, modified_at, gone, was FROM origin WHERE shop_id = $1 AND kind = $2 AND external_id IN (`+store.In(len(missing), 3)+`)`,
		store.InArgs([]any{p.shop, string(kind)}, missing)...)
	if err != nil {
		return fmt.Errorf("read origins: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var external string
		o := new(origin)
		if err := rows.Scan(&external, &o.local, &o.digest, &o.modified, &o.gone, &o.was); err != nil {
			return err
		}
		p.origins[originKey{kind, external}] = o
	}
	return rows.Err()
}

// verdict is what look found.
type verdict uint8

const (
	apply verdict = iota
	skip
	stillParked
)

// look decides whether a record needs to be applied at all.
func (p *page) look(rec *intake.Record) verdict {
	key := originKey{rec.Ref.Kind, rec.Ref.ID}
	had, parked := p.origins[key], p.parked[key]
	switch {
	case p.force:
		return apply
	case rec.Gone():
		if (had == nil || had.gone) && (parked.id == 0 || parked.gone) {
			return skip
		}
		return apply
	case parked.id != 0 && parked.digest == rec.Digest && parked.dropped:
		return skip
	case parked.id != 0 && (parked.digest == rec.Digest || store.Micros(rec.Modified) < parked.modified):
		return stillParked // the same, or one that is older than what waits
	case had == nil || had.digest == "":
		return apply
	case had.digest == rec.Digest && !had.gone && parked.id == 0:
		p.redate(rec, had)
		return skip
	case !rec.Modified.IsZero() && store.Micros(rec.Modified) < had.modified:
		return skip // an older statement than the one that was applied
	}
	return apply
}

// redate notes that the shop has stated the same content at a later date: what
// it stated in between must not be taken for newer.
func (p *page) redate(rec *intake.Record, had *origin) {
	if at := store.Micros(rec.Modified); at > had.modified {
		had.modified = at
		p.tx.Queue(`UPDATE origin SET modified_at = $4 WHERE shop_id = $1 AND kind = $2 AND external_id = $3`, p.shop, string(rec.Ref.Kind), rec.Ref.ID, at)
	}
}

// apply applies a record that is no order.
func (p *page) apply(ctx context.Context, rec *intake.Record) (Outcome, error) {
	if rec.Gone() {
		return Applied, p.gone(ctx, rec.Ref)
	}
	if rec.Problem != "" {
		return Parked, p.park(ctx, *rec, fault.New(fault.Unprocessable, "correct it in the shop; it is then read again", "%s", rec.Problem))
	}
	err := p.save(ctx, rec)
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.Internal {
		return Parked, p.park(ctx, *rec, f)
	}
	if err != nil {
		return Parked, err
	}
	p.note(rec.Ref, fmt.Sprintf("save %s %s", rec.Ref.Kind, rec.Ref.ID))
	return Applied, p.remember(rec)
}

// ensure returns the local id of a record, made where it is not known. What it
// makes is written by remember, or by stub.
func (p *page) ensure(ctx context.Context, kind intake.Kind, external string) (int64, bool, error) {
	key := originKey{kind, external}
	if had := p.origins[key]; had != nil {
		return had.local, false, nil
	}
	id, err := p.tx.NewID(ctx)
	if err != nil {
		return 0, false, err
	}
	p.origins[key] = &origin{local: id, isNew: true}
	return id, true, nil
}

// place writes the origin of a record that another one names before the shop
// has described it.
func (p *page) place(kind intake.Kind, external, parent string) {
	o := p.origins[originKey{kind, external}]
	p.tx.Queue(`INSERT INTO origin (shop_id, kind, external_id, local_id, parent, digest) VALUES ($1,$2,$3,$4,$5,'')`, p.shop, string(kind), external, o.local, parent)
	o.isNew = false
}

// remember writes the origin and the payload of a record that was applied.
func (p *page) remember(rec *intake.Record) error {
	key := originKey{rec.Ref.Kind, rec.Ref.ID}
	o := p.origins[key]
	if o == nil {
		return fmt.Errorf("remember %s %s: it has no id", rec.Ref.Kind, rec.Ref.ID)
	}
	modified := max(store.Micros(rec.Modified), o.modified)
	if o.isNew {
		p.tx.Queue(`INSERT INTO origin (shop_id, kind, external_id, local_id, parent, digest, modified_at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			p.shop, string(rec.Ref.Kind), rec.Ref.ID, o.local, rec.Ref.Parent, rec.Digest, modified)
	} else {
		p.tx.Queue(`UPDATE origin SET local_id=$4, digest=$5, modified_at=$6, gone=FALSE WHERE shop_id=$1 AND kind=$2 AND external_id=$3`,
			p.shop, string(rec.Ref.Kind), rec.Ref.ID, o.local, rec.Digest, modified)
	}
	o.isNew, o.digest, o.modified, o.gone = false, rec.Digest, modified, false
	p.tx.Queue(`INSERT INTO payload (shop_id, kind, local_id, raw, statement, received_at) VALUES ($1,$2,$3,$4,$5,$6)
		ON CONFLICT (local_id, kind, shop_id) DO UPDATE SET raw = excluded.raw, statement = excluded.statement, received_at = excluded.received_at`,
		p.shop, string(rec.Ref.Kind), o.local, p.b.compress(rec.Raw), p.b.compress(rec.Statement), store.Micros(p.now))
	if row, ok := p.parked[key]; ok && (row.digest == rec.Digest || store.Micros(rec.Modified) >= row.modified) {
		p.tx.Queue(`DELETE FROM parked WHERE id = $1`, row.id)
		delete(p.parked, key)
	}
	return nil
}

func (b *Books) compress(raw []byte) []byte {
	if len(raw) == 0 {
		return nil
	}
	return b.pack.EncodeAll(raw, make([]byte, 0, len(raw)/3))
}

func (b *Books) decompress(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	return b.unpack.DecodeAll(packed, nil)
}

// Change is what a record would change.
type Change struct {
	Ref   intake.Ref `json:"ref"`
	What  string     `json:"what"` // in plain words: "order 1042: post refund 12.00 EUR"
	Parks string     `json:"parks,omitempty"`
}

func (p *page) note(ref intake.Ref, what string) {
	if p.changes != nil {
		*p.changes = append(*p.changes, Change{Ref: ref, What: what})
	}
}

var errPreview = errors.New("preview")

// Preview tells what Receive would change, and changes nothing.
func (b *Books) Preview(ctx context.Context, s Stream, said []intake.Record) ([]Change, error) {
	var changes []Change
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		changes = nil
		if _, err := b.applyPage(ctx, tx, s, said, func(p *page) { p.changes = &changes }); err != nil {
			return err
		}
		return errPreview
	})
	if !errors.Is(err, errPreview) {
		return nil, fmt.Errorf("preview %d %s of %s: %w", len(said), s.Resource, s.Shop, err)
	}
	return changes, nil
}
