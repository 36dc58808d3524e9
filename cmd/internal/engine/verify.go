package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/completeness"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
)

// VerifyRequest is what Verify is asked for.
type VerifyRequest struct {
	Shop string
	// Resources are those to compare: of categories, products, variants, stock,
	// orders and what else the shop serves. None means these five.
	Resources []intake.Resource
	// Since limits the orders to those that changed on this day or later; zero
	// means all.
	Since time.Time
	// Grace is how long a change may be under way from the shop to the books: a
	// younger one is told as pending. Zero where nobody is carrying changes: then
	// nothing is, and what the shop has still to be told counts too.
	Grace time.Duration
}

// Verification says where a shop and the books differ.
type Verification struct {
	Shop string `json:"shop"`
	// Checked counts the records compared, by resource.
	Checked map[intake.Resource]int `json:"checked"`
	// Drift lists the differences; never nil. Those that are pending are on
	// their way and do not count.
	Drift []erp.Drift `json:"drift"`
	// Days are the days of which all orders were compared, in their order;
	// never nil.
	Days []completeness.Certificate `json:"days"`
	// Began is when the first request was made.
	Began time.Time     `json:"as_of"`
	Took  time.Duration `json:"-"` // "took_seconds" in JSON
}

// MarshalJSON writes the time that it took in seconds, under a name that says
// so.
func (v Verification) MarshalJSON() ([]byte, error) {
	type plain Verification
	return json.Marshal(struct {
		plain
		Took float64 `json:"took_seconds"`
	}{plain(v), v.Took.Seconds()})
}

// Drifted returns the differences that count.
func (v Verification) Drifted() []erp.Drift {
	return slices.DeleteFunc(slices.Clone(v.Drift), func(d erp.Drift) bool { return d.Pending })
}

// Verify reads a shop and compares it with the books. It writes nothing but the
// certificates of the days that it compared whole. What differs is read a second
// time before it counts, since both sides may have changed while it was read; so
// it does not wait for its turn, and needs no sync state.
func (e *Engine) Verify(ctx context.Context, r VerifyRequest) (Verification, error) {
	sh, err := e.shop(r.Shop)
	if err != nil {
		return Verification{}, err
	}
	v := &verifying{e: e, r: r, began: e.opts.Now(), found: map[recordKey][]erp.Drift{},
		facts: map[string]erp.OrderFact{}, differ: map[intake.Resource]map[intake.Ref]bool{}, checked: map[intake.Resource]int{},
		// A shop of its own: what is noted of requests belongs to whoever has the turn.
		sh: &shop{Shop: sh.Shop, streams: sh.streams, log: sh.log}}
	if err := v.choose(); err != nil {
		return Verification{}, err
	}
	return v.run(ctx)
}

// verifying is a Verify at work.
type verifying struct {
	e       *Engine
	sh      *shop
	r       VerifyRequest
	began   time.Time
	streams []connectors.Stream
	wanted  map[intake.Resource]bool // nil: all
	found   map[recordKey][]erp.Drift
	facts   map[string]erp.OrderFact // by order
	differ  map[intake.Resource]map[intake.Ref]bool
	checked map[intake.Resource]int
}

// recordKey names the record that a difference was found in.
type recordKey struct {
	kind intake.Kind
	id   string
}

func recordOf(ref intake.Ref) recordKey { return recordKey{ref.Kind, ref.ID} }

// verified are the resources that Verify reads where none are named.
var verified = []intake.Resource{intake.Categories, intake.Products, intake.Variants, intake.Orders, intake.Trash}

// choose finds the streams to read. Units are read with what carries them, and
// orders with those that the shop has put away.
func (v *verifying) choose() error {
	read := verified
	if len(v.r.Resources) > 0 {
		v.wanted, read = map[intake.Resource]bool{}, nil
		for _, r := range v.r.Resources {
			v.wanted[r] = true
			switch r {
			case erp.StockUnits:
				read = append(read, intake.Products, intake.Variants)
			case intake.Orders, intake.Trash:
				v.wanted[intake.Orders], v.wanted[intake.Trash] = true, true
				read = append(read, intake.Orders, intake.Trash)
			case intake.Variants:
				read = append(read, intake.Products, intake.Variants)
			default:
				if _, ok := v.sh.stream(r); !ok {
					return v.sh.lacks(r, erp.StockUnits)
				}
				read = append(read, r)
			}
		}
	}
	for _, st := range v.sh.streams {
		if slices.Contains(read, st.Resource) {
			v.streams = append(v.streams, st)
		}
	}
	if len(v.streams) == 0 {
		return fault.New(fault.NotFound, "choose another resource", "shop %s has nothing of what is to be compared", v.sh.Name)
	}
	return nil
}

func (v *verifying) run(ctx context.Context) (Verification, error) {
	read := map[intake.Kind]map[string]bool{}
	for i, st := range v.streams {
		kind := intake.KindOf(st.Resource)
		if read[kind] == nil {
			read[kind] = map[string]bool{}
		}
		if err := v.read(ctx, st, read[kind]); err != nil {
			return Verification{}, fmt.Errorf("compare the %s of shop %s: %w", st.Resource, v.sh.Name, err)
		}
		if slices.ContainsFunc(v.streams[i+1:], func(later connectors.Stream) bool { return intake.KindOf(later.Resource) == kind }) {
			continue
		}
		first, _ := v.sh.streamOf(kind)
		if err := v.unseen(ctx, kind, first.Resource, read[kind]); err != nil {
			return Verification{}, err
		}
	}
	if err := v.again(ctx); err != nil {
		return Verification{}, err
	}
	if err := v.unmade(ctx); err != nil {
		return Verification{}, err
	}
	out := Verification{Shop: v.sh.Name, Checked: v.checked, Drift: v.drift(), Began: v.began, Days: []completeness.Certificate{}}
	var err error
	if v.wanted == nil || v.wanted[intake.Orders] {
		out.Days, err = v.certify(ctx)
	}
	out.Took = v.e.opts.Now().Sub(v.began)
	return out, err
}

// read compares all that a stream states, or the orders since the day.
func (v *verifying) read(ctx context.Context, st connectors.Stream, seen map[string]bool) error {
	var from connectors.Cursor
	if seeker, ok := v.sh.Connector.(connectors.Seeker); ok && !v.r.Since.IsZero() && intake.KindOf(st.Resource) == intake.KindOrder {
		from = seeker.Seek(st.Resource, v.r.Since)
	}
	for page, err := range v.e.pages(ctx, v.sh, st.Resource, from) {
		if err != nil {
			return err
		}
		if err := v.compare(ctx, st.Resource, page.Records); err != nil {
			return err
		}
		v.checked[st.Resource] += len(page.Records)
		for _, rec := range page.Records {
			seen[rec.Ref.ID] = true
		}
		v.e.progress(Progress{Shop: v.sh.Name, Resource: st.Resource, Done: v.checked[st.Resource], Total: page.Total})
	}
	return nil
}

// compare compares records, and notes what differs, in place of what was noted
// of them before.
func (v *verifying) compare(ctx context.Context, r intake.Resource, said []intake.Record) error {
	q := erp.DriftQuery{Shop: v.sh.Name, Resource: r, Said: said}
	if editor, ok := v.sh.Connector.(connectors.Editor); ok {
		q.Express = editor.Express
	}
	found, facts, err := v.e.opts.Books.Drift(ctx, q)
	if err != nil {
		return err
	}
	for i, rec := range said {
		delete(v.found, recordOf(rec.Ref))
		if rec.Ref.Kind == intake.KindOrder {
			delete(v.facts, rec.Ref.ID)
			if facts[i].Day != "" {
				v.facts[rec.Ref.ID] = facts[i]
			}
		}
	}
	for _, d := range found {
		v.found[recordOf(d.Ref)] = append(v.found[recordOf(d.Ref)], d)
		v.differs(r, d.Ref)
	}
	return nil
}

func (v *verifying) differs(r intake.Resource, ref intake.Ref) {
	if v.differ[r] == nil {
		v.differ[r] = map[intake.Ref]bool{}
	}
	v.differ[r][ref] = true
}

// unseen notes the records of a kind that the books have and the shop did not
// list. Of orders only those count that were placed since the day: older ones
// are listed only where they have changed.
func (v *verifying) unseen(ctx context.Context, kind intake.Kind, r intake.Resource, seen map[string]bool) error {
	note := func(refs []intake.Ref) error {
		for _, ref := range refs {
			if !seen[ref.ID] {
				v.differs(r, ref)
			}
		}
		return nil
	}
	if kind == intake.KindOrder && !v.r.Since.IsZero() {
		return v.e.opts.Books.OrdersSince(ctx, v.sh.Name, v.r.Since, note)
	}
	return v.e.opts.Books.Known(ctx, v.sh.Name, kind, note)
}

// again reads what differs a second time.
func (v *verifying) again(ctx context.Context) error {
	for r, set := range v.differ {
		refs := make([]intake.Ref, 0, len(set))
		for ref := range set {
			refs = append(refs, ref)
		}
		slices.SortFunc(refs, func(a, b intake.Ref) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
		for some := range slices.Chunk(refs, fetchSize) {
			said, err := v.e.fetch(ctx, v.sh, r, some)
			if err != nil {
				return fmt.Errorf("read again %d %s of shop %s: %w", len(some), r, v.sh.Name, err)
			}
			if err := v.compare(ctx, r, said); err != nil {
				return err
			}
		}
	}
	return nil
}

// unmade adds what the shop is to have and was not made there yet.
func (v *verifying) unmade(ctx context.Context) error {
	if _, ok := v.sh.Connector.(connectors.Editor); !ok {
		return nil // nobody could make it
	}
	for _, st := range v.streams {
		found, err := v.e.opts.Books.Unmade(ctx, v.sh.Name, st.Resource)
		if err != nil {
			return err
		}
		for _, d := range found {
			v.found[recordOf(d.Ref)] = append(v.found[recordOf(d.Ref)], d)
		}
	}
	return nil
}

// drift lists what was found, the most valuable first.
func (v *verifying) drift() []erp.Drift {
	out := []erp.Drift{}
	for _, some := range v.found {
		for _, d := range some {
			if v.wanted != nil && !v.wanted[d.Resource] {
				continue
			}
			if !d.Since.IsZero() && v.began.Sub(d.Since).Abs() < v.r.Grace { // clocks differ, but not that much
				d.Pending = true
			}
			d.Pending = d.Pending && v.r.Grace > 0
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b erp.Drift) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), b.Value.Cmp(a.Value), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Field, b.Field))
	})
	return out
}

// certify writes the certificates of the days of which all orders were
// compared: up to yesterday, since today goes on.
func (v *verifying) certify(ctx context.Context) ([]completeness.Certificate, error) {
	books := v.e.opts.Books
	ofShop := completeness.Days{}
	first := ""
	for _, f := range v.facts {
		ofShop.Add(f.Day, f.Status, f.Currency, 1, f.Total)
		if first == "" || f.Day < first {
			first = f.Day
		}
	}
	if !v.r.Since.IsZero() {
		first = books.DayOf(v.r.Since)
		if !v.r.Since.Equal(books.BeginOf(first)) {
			var err error // that day was not read whole
			if first, err = completeness.Shift(first, 1); err != nil {
				return nil, err
			}
		}
	} else {
		ours, err := books.FirstOrderDay(ctx, v.sh.Name)
		if err != nil {
			return nil, err
		}
		if first == "" || ours != "" && ours < first {
			first = ours
		}
	}
	if first == "" {
		return []completeness.Certificate{}, nil
	}
	yesterday, err := completeness.Shift(books.DayOf(v.began), -1)
	if err != nil {
		return nil, err
	}
	days, err := books.Certify(ctx, v.sh.Name, first, yesterday, ofShop)
	if days == nil {
		days = []completeness.Certificate{}
	}
	return days, err
}
