package erp

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/completeness"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/outbox"
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
		if err := d.load(ctx, kind, ids); err != nil {
			return err
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
	if err := d.fields(ctx, described); err != nil {
		return err
	}
	return d.stock(ctx, described)
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

// fact is what an order adds to its day.
func (d *drifting) fact(o *intake.Order) OrderFact {
	if o.PlacedAt.IsZero() {
		return OrderFact{}
	}
	f := OrderFact{Day: completeness.DayOf(o.PlacedAt, d.b.zone()), Status: o.RawStatus, Currency: o.Currency}
	if total, err := money.Round(o.Total, o.Currency); err == nil {
		f.Total = total.Minor
	} // else the order is parked, and the day differs by it
	return f
}

// zone is the time zone of the company.
func (b *Books) zone() *time.Location {
	return cmp.Or(b.opts.Company.TimeZone, time.UTC)
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

// extra notes a record that only the books have.
func (d *drifting) extra(ctx context.Context, rec *intake.Record, had *origin) error {
	f := Drift{Kind: DriftExtra, Since: store.FromMicros(had.modified)}
	if rec.Ref.Kind == intake.KindOrder {
		var a money.Amount
		var number, status string
		err := d.r.QueryRow(ctx, `SELECT number, raw_status, total, currency FROM sales_order WHERE id = $1`, had.local).Scan(&number, &status, &a.Minor, &a.Currency)
		if err != nil {
			return fmt.Errorf("read order %s: %w", rec.Ref.ID, err)
		}
		f.Label, f.Books, f.Value, f.Currency = number, status, a.Decimal(), a.Currency
	} else if before, err := d.b.statements(ctx, d.r, d.shop, rec.Ref.Kind, []int64{had.local}); err != nil {
		return err
	} else {
		f.Label = labelOf(before[had.local])
	}
	d.add(rec, f)
	return nil
}

// orderDiffers notes what the shop states of an order now beside what it stated
// when it was booked: the status and the total, or else that something differs.
func (d *drifting) orderDiffers(ctx context.Context, rec *intake.Record, now *intake.Order, had *origin) error {
	stated, err := d.b.statements(ctx, d.r, d.shop, intake.KindOrder, []int64{had.local})
	if err != nil {
		return err
	}
	f := Drift{Kind: DriftDifferent, Label: now.Number, Value: now.Total, Currency: now.Currency}
	booked, ok := stated[had.local].(*intake.Order)
	refunded, bookedRefunds := refundsOf(now), decimal.Decimal{}
	if ok {
		bookedRefunds = refundsOf(booked)
	}
	switch {
	case !ok:
		f.Field = "content"
	case booked.RawStatus != now.RawStatus:
		f.Field, f.Shop, f.Books = "status", now.RawStatus, booked.RawStatus
	case !booked.Total.Equal(now.Total):
		f.Field, f.Shop, f.Books, f.Value = "total", now.Total.String(), booked.Total.String(), now.Total.Sub(booked.Total)
	case !refunded.Equal(bookedRefunds):
		f.Field, f.Shop, f.Books, f.Value = "refunds", refunded.String(), bookedRefunds.String(), refunded.Sub(bookedRefunds)
	default:
		f.Field, f.Shop, f.Books = "content", rec.Digest[:min(8, len(rec.Digest))], had.digest[:min(8, len(had.digest))]
	}
	d.add(rec, f)
	return nil
}

func refundsOf(o *intake.Order) (sum decimal.Decimal) {
	for _, r := range o.Refunds {
		sum = sum.Add(r.Amount)
	}
	return sum
}

// described is an object of the catalogue as a record states it.
type described struct {
	rec   *intake.Record
	kind  intake.Kind
	id    string
	local int64
	body  any
}

// describe returns the objects of the catalogue that a record states and the
// books have. A variant that they do not have is missing.
func (d *drifting) describe(rec *intake.Record) []described {
	key := originKey{rec.Ref.Kind, rec.Ref.ID}
	switch rec.Body.(type) {
	case *intake.Category, *intake.Product, *intake.Variant:
	default:
		if d.locals[key].digest != rec.Digest && rec.Ref.Kind != intake.KindOrder {
			d.add(rec, Drift{Kind: DriftDifferent, Field: "content", Shop: rec.Digest[:min(8, len(rec.Digest))], Books: d.locals[key].digest[:min(8, len(d.locals[key].digest))]})
		}
		return nil
	}
	out := []described{{rec: rec, kind: rec.Ref.Kind, id: rec.Ref.ID, local: d.locals[key].local, body: rec.Body}}
	if rec.Ref.Kind != intake.KindProduct {
		return out
	}
	for _, v := range variantsIn(rec) {
		o := d.locals[originKey{intake.KindVariant, v.ID}]
		if o == nil || o.gone {
			d.add(rec, Drift{Resource: intake.Variants, ID: v.ID, Label: labelOf(v), Kind: DriftMissing})
			continue
		}
		out = append(out, described{rec: rec, kind: intake.KindVariant, id: v.ID, local: o.local, body: v})
	}
	return out
}

// fields compares the fields of objects of the catalogue.
func (d *drifting) fields(ctx context.Context, all []described) error {
	for _, kind := range []intake.Kind{intake.KindCategory, intake.KindProduct, intake.KindVariant} {
		var some []described
		for _, one := range all {
			if one.kind == kind {
				some = append(some, one)
			}
		}
		if len(some) == 0 {
			continue
		}
		ids := localsOf(some)
		objects, err := d.b.sight(ctx, d.r, d.shop, kind, ids)
		if err != nil {
			return err
		}
		waiting, err := d.waiting(ctx, outbox.Kind(kind), ids)
		if err != nil {
			return err
		}
		for _, one := range some {
			d.compare(one, objects[one.local], waiting[one.local])
		}
	}
	return nil
}

func localsOf(all []described) []int64 {
	ids := make([]int64, 0, len(all))
	for _, one := range all {
		ids = append(ids, one.local)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// message is what the shop has still to be told of an object.
type message struct {
	waits bool
	since time.Time
	why   string // of a message that is parked
}

// waiting reads what the shop has still to be told of objects.
func (d *drifting) waiting(ctx context.Context, kind outbox.Kind, ids []int64) (map[int64]message, error) {
	out := map[int64]message{}
	err := eachRow(ctx, d.r, `SELECT object_id, since, parked, why FROM outbox WHERE shop_id = $1 AND kind = $2 AND object_id IN (`+store.In(len(ids), 3)+`)`,
		store.InArgs([]any{d.shop, string(kind)}, ids), func(rows *sql.Rows) error {
			var id, since int64
			var parked bool
			var m message
			err := rows.Scan(&id, &since, &parked, &m.why)
			m.since, m.waits = store.FromMicros(since), !parked
			if m.waits {
				m.why = ""
			}
			out[id] = m
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read what the shop has still to be told: %w", err)
	}
	return out, nil
}

// resourceOfKind names the objects of the catalogue.
var resourceOfKind = map[intake.Kind]intake.Resource{intake.KindCategory: intake.Categories, intake.KindProduct: intake.Products, intake.KindVariant: intake.Variants}

// compare notes the fields in which the shop differs: from what the books
// decide, and elsewhere from what it had stated.
func (d *drifting) compare(one described, o *sighted, told message) {
	base := Drift{Resource: resourceOfKind[one.kind], ID: one.id, Label: labelOf(one.body), Kind: DriftDifferent}
	if !o.exists {
		base.Kind = DriftMissing
		d.add(one.rec, base)
		return
	}
	if o.deleted {
		base.Kind, base.Why, base.Pending = DriftMissing, cmp.Or(told.why, "the books have deleted it"), told.waits
		if told.waits {
			base.Since = told.since
		}
		d.add(one.rec, base)
		return
	}
	now := intake.Fields(one.body)
	owned := d.b.owned(d.shop, one.kind)
	for _, f := range editable[one.kind] {
		if before, stated := o.Theirs[f]; stated && before != now[f] && !slices.Contains(owned, f) {
			d.addField(one.rec, base, f, now[f], before)
		}
	}
	if d.q.Express == nil || len(owned) == 0 {
		return
	}
	o.Theirs = now
	if one.kind == intake.KindVariant && !catalog.HoldsSaleDates(d.q.Express) {
		catalog.OnSale(o.Ours, o.sale[0], o.sale[1], d.now)
	}
	base.Pending, base.Why = told.waits, told.why
	if told.waits {
		base.Since = told.since
	}
	c := catalog.Compare(o.Sides, func(f intake.Field) bool { return slices.Contains(owned, f) }, d.q.Express)
	for _, change := range c.Changes {
		d.addField(one.rec, base, change.Field, change.From, change.To)
	}
	base.Pending, base.Why = false, "both sides have changed it: a person has to say which one counts"
	for _, conflict := range c.Conflicts {
		d.addField(one.rec, base, conflict.Field, conflict.Theirs, conflict.Ours)
	}
}

func (d *drifting) addField(rec *intake.Record, f Drift, field intake.Field, shop, books string) {
	f.Field, f.Shop, f.Books = string(field), shop, books
	if field == intake.FieldPrice || field == intake.FieldSale {
		a, errA := intake.Number(shop)
		b, errB := intake.Number(books)
		if errA == nil && errB == nil {
			f.Value = a.Sub(b)
		}
	}
	d.add(rec, f)
}

// Certify writes the certificates of days whose orders were compared whole, and
// returns them. The shop's side is what it stated of these days.
func (b *Books) Certify(ctx context.Context, shop, from, to string, ofShop completeness.Days) (out []completeness.Certificate, err error) {
	id, err := b.shop(shop)
	if err != nil {
		return nil, err
	}
	days, err := completeness.Between(from, to)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		ofBooks, err := completeness.OfBooks(ctx, tx, id, b.zone(), from, to)
		if err != nil {
			return err
		}
		completeness.Save(tx, id, days, ofShop, ofBooks, b.opts.Now())
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		out, err = completeness.Read(ctx, tx, id, b.zone(), from, to)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("certify %s to %s of %s: %w", from, to, shop, err)
	}
	return out, nil
}

// FirstOrderDay returns the day of the first order that the books have of a
// shop; "" where they have none.
func (b *Books) FirstOrderDay(ctx context.Context, shop string) (string, error) {
	id, err := b.shop(shop)
	if err != nil {
		return "", err
	}
	return completeness.FirstDay(ctx, b.db, id, b.zone())
}

// DayOf returns the day of an instant in the company's time zone.
func (b *Books) DayOf(t time.Time) string { return completeness.DayOf(t, b.zone()) }

// BeginOf returns the first instant of a day in the company's time zone; the
// zero time of what is no day.
func (b *Books) BeginOf(day string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, day, b.zone())
	if err != nil {
		return time.Time{}
	}
	return t
}

// OrdersSince calls yield with the orders that the books have of a shop and that
// were placed at or after an instant. An error from yield ends it.
func (b *Books) OrdersSince(ctx context.Context, shop string, since time.Time, yield func([]intake.Ref) error) error {
	id, err := b.shop(shop)
	if err != nil {
		return err
	}
	var refs []intake.Ref
	err = eachRow(ctx, b.db, `SELECT external_id FROM sales_order WHERE shop_id = $1 AND placed_at >= $2 AND NOT deleted ORDER BY placed_at, id`, []any{id, store.Micros(since)},
		func(rows *sql.Rows) error {
			ref := intake.Ref{Kind: intake.KindOrder}
			err := rows.Scan(&ref.ID)
			refs = append(refs, ref)
			return err
		})
	if err != nil {
		return fmt.Errorf("list the orders of %s since %s: %w", shop, since.Format(time.RFC3339), err)
	}
	return yield(refs)
}
