package erp

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Drift is a difference between what a shop states now and the books.
type Drift struct {
	// Resource is what it is about; "stock" for units, which have none of their
	// own.
	Resource intake.Resource `json:"resource"`
	ID       string          `json:"id"`    // external
	Label    string          `json:"label"` // for people: the order's number, the SKU, the title
	Kind     DriftKind       `json:"kind"`
	// Field is what differs of a record that both sides have; "" where only one
	// has it.
	Field string `json:"field"`
	Shop  string `json:"shop"`  // what the shop has
	Books string `json:"books"` // what it should have, or what the books took it to have
	// Value is what is at stake, never negative: the total of an order, the
	// units that differ at cost, or by how much prices differ.
	Value    decimal.Decimal `json:"value"`
	Currency money.Currency  `json:"currency"`
	// AgeSeconds is since when it can have been so; 0 where nobody knows.
	AgeSeconds int64 `json:"age_seconds"`
	// Pending: it is on its way from one side to the other, and does not count.
	Pending bool   `json:"pending"`
	Why     string `json:"why,omitempty"` // such as why the record is parked

	// Ref is the record that it was found in, and Since when it was last
	// changed; zero where nobody knows.
	Ref   intake.Ref `json:"-"`
	Since time.Time  `json:"-"`
}

// DriftKind says which side has a record.
type DriftKind string

// The kinds of drift.
const (
	DriftMissing   DriftKind = "missing"   // the shop has it and the books do not
	DriftExtra     DriftKind = "extra"     // the books have it and the shop does not
	DriftDifferent DriftKind = "different" // both have it
)

// StockUnits is the resource of a Drift in units of stock.
const StockUnits intake.Resource = "stock"

// DriftQuery says what Drift is asked for.
type DriftQuery struct {
	Shop string
	// Resource is the one that the records were read from.
	Resource intake.Resource
	Said     []intake.Record
	// Express is that of the shop's connectors.Editor; nil where it has none.
	Express func(kind intake.Kind, field intake.Field, value string) (string, bool)
}

// OrderFact is what an order adds to its day.
type OrderFact struct {
	Day      string // "" for what is no order that the books are to have
	Status   string
	Currency money.Currency
	Total    int64 // minor units
}

// Drift compares what a shop states with the books, and changes nothing. Facts
// are in the order of the records.
func (b *Books) Drift(ctx context.Context, q DriftQuery) (found []Drift, facts []OrderFact, err error) {
	shop, err := b.shop(q.Shop)
	if err != nil {
		return nil, nil, err
	}
	d := drifting{b: b, q: q, shop: shop, now: b.opts.Now(), facts: make([]OrderFact, len(q.Said)), locals: map[originKey]*origin{}, parked: map[originKey]parkedReason{}}
	err = b.db.Read(ctx, func(r store.Reader) error {
		d.r, d.found = r, nil
		return d.run(ctx)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("compare %d %s of %s: %w", len(q.Said), q.Resource, q.Shop, err)
	}
	for i := range d.found {
		if f := &d.found[i]; !f.Since.IsZero() {
			f.AgeSeconds = max(int64(d.now.Sub(f.Since).Seconds()), 0)
		}
	}
	return d.found, d.facts, nil
}

// drifting is a Drift at work.
type drifting struct {
	b      *Books
	q      DriftQuery
	r      store.Reader
	shop   int64
	now    time.Time
	found  []Drift
	facts  []OrderFact
	locals map[originKey]*origin
	parked map[originKey]parkedReason
}

// parkedReason is why a record is parked, or that a person dropped it.
type parkedReason struct {
	digest  string
	reason  string
	dropped bool
}

func (d *drifting) run(ctx context.Context) error {
	byKind := map[intake.Kind][]string{}
	for i := range d.q.Said {
		rec := &d.q.Said[i]
		byKind[rec.Ref.Kind] = append(byKind[rec.Ref.Kind], rec.Ref.ID)
		for _, v := range variantsIn(rec) {
			byKind[intake.KindVariant] = append(byKind[intake.KindVariant], v.ID)
		}
	}
	for kind, ids := range byKind {
		for some := range slices.Chunk(ids, editBatch) {
			if err := d.load(ctx, kind, some); err != nil {
				return err
			}
		}
	}
	var described []described
	for i := range d.q.Said {
		rec := &d.q.Said[i]
		known, err := d.known(ctx, i, rec)
		if err != nil {
			return err
		}
		if known && rec.Body != nil {
			described = append(described, d.describe(rec)...)
		}
	}
	for some := range slices.Chunk(described, editBatch) { // a product may have thousands of variants
		if err := d.fields(ctx, some); err != nil {
			return err
		}
		if err := d.stock(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// variantsIn returns the variants that a record states.
func variantsIn(rec *intake.Record) []*intake.Variant {
	switch body := rec.Body.(type) {
	case *intake.Variant:
		return []*intake.Variant{body}
	case *intake.Product:
		out := make([]*intake.Variant, len(body.Variants))
		for i := range body.Variants {
			out[i] = &body.Variants[i]
		}
		return out
	}
	return nil
}

// load reads what the books have of records of a kind.
func (d *drifting) load(ctx context.Context, kind intake.Kind, ids []string) error {
	err := eachRow(ctx, d.r, `SELECT external_id, local_id, digest, modified_at, gone FROM origin WHERE shop_id = $1 AND kind = $2 AND external_id IN (`+store.In(len(ids), 3)+`)`,
		store.InArgs([]any{d.shop, string(kind)}, ids), func(rows *sql.Rows) error {
			var external string
			o := new(origin)
			err := rows.Scan(&external, &o.local, &o.digest, &o.modified, &o.gone)
			d.locals[originKey{kind, external}] = o
			return err
		})
	if err != nil {
		return fmt.Errorf("read origins: %w", err)
	}
	err = eachRow(ctx, d.r, `SELECT external_id, digest, reason, dropped FROM parked WHERE shop_id = $1 AND kind = $2 AND NOT gone AND external_id IN (`+store.In(len(ids), 3)+`)`,
		store.InArgs([]any{d.shop, string(kind)}, ids), func(rows *sql.Rows) error {
			var external string
			var p parkedReason
			err := rows.Scan(&external, &p.digest, &p.reason, &p.dropped)
			d.parked[originKey{kind, external}] = p
			return err
		})
	if err != nil {
		return fmt.Errorf("read parked records: %w", err)
	}
	return nil
}

// add notes a difference in a record.
func (d *drifting) add(rec *intake.Record, f Drift) {
	f.Resource, f.Ref = cmp.Or(f.Resource, d.q.Resource), rec.Ref
	f.ID = cmp.Or(f.ID, rec.Ref.ID)
	f.Label = cmp.Or(f.Label, f.ID)
	f.Value = f.Value.Abs()
	f.Currency = cmp.Or(f.Currency, d.b.opts.Company.Currency)
	if f.Since.IsZero() {
		f.Since = rec.Modified
	}
	d.found = append(d.found, f)
}

// known compares a record as a whole. It reports whether both sides have it, so
// that its fields can be compared.
func (d *drifting) known(ctx context.Context, i int, rec *intake.Record) (bool, error) {
	key := originKey{rec.Ref.Kind, rec.Ref.ID}
	had, parked := d.locals[key], d.parked[key]
	there := had != nil && !had.gone && had.digest != ""
	order, isOrder := rec.Body.(*intake.Order)
	if isOrder {
		if there || !sales.Ignored(order, d.b.opts.Shops[d.q.Shop]) {
			d.facts[i] = d.fact(order)
		} else {
			return false, nil
		}
	}
	whole := Drift{Kind: DriftDifferent, Label: labelOf(rec.Body)}
	if isOrder {
		whole.Value, whole.Currency = order.Total, order.Currency
	}
	switch {
	case rec.Hidden:
		return false, nil
	case rec.Gone():
		if there {
			return false, d.extra(ctx, rec, had)
		}
		return false, nil
	case parked.dropped && (parked.digest == rec.Digest || !there):
		return false, nil // a person has decided
	case parked.reason != "" && !parked.dropped:
		whole.Field, whole.Shop, whole.Books, whole.Why = "parked", "stated", "parked", parked.reason
		d.add(rec, whole)
		return false, nil
	case !there:
		whole.Kind = DriftMissing
		d.add(rec, whole)
		return false, nil
	case isOrder && had.digest != rec.Digest:
		return false, d.orderDiffers(ctx, rec, order, had)
	case rec.Problem != "":
		whole.Field, whole.Why = "unreadable", rec.Problem
		d.add(rec, whole)
		return false, nil
	}
	return true, nil
}

// labelOf names a record for people.
func labelOf(body any) string {
	switch b := body.(type) {
	case *intake.Order:
		return b.Number
	case *intake.Product:
		return b.Title
	case *intake.Variant:
		return cmp.Or(b.SKU, b.Title)
	case *intake.Category:
		return b.Name
	}
	return ""
}
