package erp_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// counter is a web shop that can be told what to change: its answers are those
// of a connector.
type counter struct {
	t          *testing.T
	name       string
	flat       bool // its categories form no tree
	noDates    bool // it cannot begin and end a sale
	noWeights  bool
	weighs     func(value string) (string, bool) // how it words a weight; nil: as it is told
	now        time.Time
	next       int
	categories map[string]*intake.Category
	products   map[string]*intake.Product
	refuses    string // why it refuses everything; "" if it does not
	calls      int
	edits      []intake.Edit             // all that it was told
	made       map[string]intake.Outcome // by key: so that a thing is made once
}

func newCounter(t *testing.T, name string) *counter {
	return &counter{t: t, name: name, now: counted, next: 100, categories: map[string]*intake.Category{}, products: map[string]*intake.Product{}, made: map[string]intake.Outcome{}}
}

func (c *counter) express(kind intake.Kind, f intake.Field, value string) (string, bool) {
	switch {
	case f == intake.FieldParent && c.flat:
		return "", false
	case c.noWeights && f == intake.FieldWeight:
		return "", false
	case c.weighs != nil && f == intake.FieldWeight:
		return c.weighs(value)
	case c.noDates && (f == intake.FieldSaleFrom || f == intake.FieldSaleTo):
		return "", false
	}
	return value, true
}

// product adds a product of one variant, which has its id.
func (c *counter) product(id, sku, title string, categories ...string) *intake.Product {
	price := dec("10")
	p := &intake.Product{Title: title, Kind: intake.ProductStocked, Status: "published", CategoryIDs: categories,
		Variants: []intake.Variant{{ID: id, ProductID: id, SKU: sku, Kind: intake.ProductStocked, Sellable: true, Price: &price, Regular: &price}}}
	c.products[id] = p
	return p
}

func (c *counter) category(id, parent, name string) *intake.Category {
	k := &intake.Category{Name: name, ParentID: parent}
	c.categories[id] = k
	return k
}

func (c *counter) record(kind intake.Kind, id string) intake.Record {
	c.now = c.now.Add(time.Second)
	if kind == intake.KindCategory {
		if k := c.categories[id]; k != nil {
			body := *k
			return seal(c.t, kind, id, c.now, &body)
		}
		return intake.Missing(intake.Ref{Kind: kind, ID: id})
	}
	if p := c.products[id]; p != nil {
		body := *p
		body.Variants, body.CategoryIDs = slices.Clone(p.Variants), slices.Clone(p.CategoryIDs)
		return seal(c.t, kind, id, c.now, &body)
	}
	return intake.Missing(intake.Ref{Kind: kind, ID: id})
}

// tell does what the shop is told.
func (c *counter) tell(edits []intake.Edit) []intake.Outcome {
	c.calls++
	c.edits = append(c.edits, edits...)
	var out []intake.Outcome
	for _, e := range edits {
		o := intake.Outcome{Result: intake.Done, Ref: e.Ref}
		switch {
		case c.refuses != "":
			o.Result, o.Why = intake.Refused, c.refuses
		case e.Delete:
			c.drop(e.Ref.ID)
		case e.Ref.Kind == intake.KindVariant && c.products[e.Ref.Parent] == nil, e.Ref.Kind == intake.KindProduct && e.Ref.ID != "" && c.products[e.Ref.ID] == nil,
			e.Ref.Kind == intake.KindCategory && e.Ref.ID != "" && c.categories[e.Ref.ID] == nil:
			o.Result, o.Why = intake.Refused, "there is no such thing"
		case e.Ref.Kind == intake.KindVariant:
			if e.Ref.ID == "" {
				c.add(e, &o)
			}
			c.apply(variantOf(c.products[e.Ref.Parent], o.Ref.ID), e.Changes)
			o.Records = []intake.Record{c.record(intake.KindProduct, e.Ref.Parent)}
		default:
			if e.Ref.ID == "" {
				c.make(e, &o)
			}
			if e.Ref.Kind == intake.KindCategory {
				c.apply(c.categories[o.Ref.ID], e.Changes)
			} else {
				c.apply(c.products[o.Ref.ID], e.Changes)
			}
			o.Records = []intake.Record{c.record(e.Ref.Kind, o.Ref.ID)}
		}
		out = append(out, o)
	}
	return out
}

// variantOf is a variant of a product, nil where it has none with that id.
func variantOf(p *intake.Product, id string) *intake.Variant {
	for i := range p.Variants {
		if p.Variants[i].ID == id {
			return &p.Variants[i]
		}
	}
	return nil
}

// drop takes a category away; what stood under it moves to the root.
func (c *counter) drop(id string) {
	delete(c.categories, id)
	for _, k := range c.categories {
		if k.ParentID == id {
			k.ParentID = ""
		}
	}
	for _, p := range c.products {
		p.CategoryIDs = slices.DeleteFunc(p.CategoryIDs, func(k string) bool { return k == id })
	}
}

func (c *counter) make(e intake.Edit, o *intake.Outcome) {
	if had, ok := c.made[e.Key]; ok && (c.categories[had.Ref.ID] != nil || c.products[had.Ref.ID] != nil) {
		o.Ref, o.Variants = had.Ref, had.Variants
		return
	}
	defer func() { c.made[e.Key] = *o }()
	c.next++
	o.Ref.ID = fmt.Sprint(c.next)
	if e.Ref.Kind == intake.KindCategory {
		c.categories[o.Ref.ID] = new(intake.Category)
		return
	}
	p := &intake.Product{Kind: intake.ProductStocked}
	for _, v := range e.Variants {
		made := intake.Variant{ID: o.Ref.ID, ProductID: o.Ref.ID, Kind: intake.ProductStocked, Sellable: true}
		c.apply(&made, v.Changes)
		p.Variants = append(p.Variants, made)
		o.Variants = append(o.Variants, intake.Ref{Kind: intake.KindVariant, ID: made.ID, Parent: o.Ref.ID})
	}
	c.products[o.Ref.ID] = p
}

// add makes a variant of a product, with nothing in stock.
func (c *counter) add(e intake.Edit, o *intake.Outcome) {
	if had, ok := c.made[e.Key]; ok {
		o.Ref = had.Ref
		return
	}
	c.next++
	o.Ref.ID = fmt.Sprint(c.next)
	c.made[e.Key] = *o
	v := intake.Variant{ID: o.Ref.ID, ProductID: e.Ref.Parent, Kind: intake.ProductStocked, Sellable: true}
	if !e.Untracked {
		none := dec("0")
		v.Tracked, v.Stock = true, &none
	}
	p := c.products[e.Ref.Parent]
	p.Variants = append(p.Variants, v)
}

func (c *counter) apply(body any, changes []intake.Change) {
	values := map[intake.Field]string{}
	for _, ch := range changes {
		values[ch.Field] = ch.To
		switch b := body.(type) {
		case *intake.Category:
			if ch.Field == intake.FieldParent {
				b.ParentID = ch.To
			}
		case *intake.Product:
			if ch.Field == intake.FieldCategories {
				b.CategoryIDs = slices.DeleteFunc(list(ch.To), func(id string) bool { return c.categories[id] == nil })
			}
		}
	}
	if err := catalog.Told(body, values); err != nil {
		c.t.Fatal(err)
	}
}

// list reads a JSON list of ids.
func list(text string) []string {
	var out []string
	for id := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
		if id = strings.Trim(id, `"`); id != "" {
			out = append(out, id)
		}
	}
	return out
}

// street is books with counters, and a clock that a test can set.
type street struct {
	t        *testing.T
	now      time.Time
	counters map[string]*counter
	order    []string
	opts     erp.Options
	*erp.Books
}

// owning is the policy of a shop that leaves fields to the books, and is told of
// them.
func owning(fields ...intake.Field) outbox.Policy {
	owners := outbox.DefaultOwners(true)
	for _, f := range fields {
		owners[f] = outbox.ERP
	}
	return outbox.Policy{On: true, Owners: owners, Share: 100}
}

func openStreet(t *testing.T, url string, policies map[string]outbox.Policy, order ...string) *street {
	t.Helper()
	s := &street{t: t, now: synced, counters: map[string]*counter{}, order: order}
	rules := map[string]sales.Rules{}
	for _, name := range order {
		rules[name] = sales.DefaultRules()
		s.counters[name] = newCounter(t, name)
	}
	opts := erp.Options{URL: url, Shops: rules, Policies: policies, Order: order, Company: erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC},
		Now: func() time.Time { return s.now }, Log: zerolog.Nop()}
	if url == "" {
		opts.Path = t.TempDir() + "/books.db"
	}
	var err error
	if s.Books, err = erp.Open(ctx, opts); err != nil {
		t.Fatal(err)
	}
	s.opts = opts
	t.Cleanup(func() { s.Close() })
	return s
}

// reopen opens the books with other policies, and compares the shops as a pass
// does.
func (s *street) reopen(policies map[string]outbox.Policy) {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.opts.Policies = policies
	var err error
	if s.Books, err = erp.Open(ctx, s.opts); err != nil {
		s.t.Fatal(err)
	}
	for _, shop := range s.order {
		if _, err := s.CompareChanged(ctx, shop); err != nil {
			s.t.Fatal(err)
		}
	}
}

// eachStreet runs a test on both databases.
func eachStreet(t *testing.T, policies map[string]outbox.Policy, order []string, fn func(t *testing.T, s *street)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, openStreet(t, "", policies, order...)) })
	t.Run("postgres", func(t *testing.T) { fn(t, openStreet(t, storetest.URL(t), policies, order...)) })
}

// pull reads all of a shop's catalogue into the books, and links it.
func (s *street) pull(shop string) {
	s.t.Helper()
	c := s.counters[shop]
	var categories, products []intake.Record
	for _, id := range slices.Sorted(maps.Keys(c.categories)) {
		categories = append(categories, c.record(intake.KindCategory, id))
	}
	for _, id := range slices.Sorted(maps.Keys(c.products)) {
		products = append(products, c.record(intake.KindProduct, id))
	}
	receive(s.t, s.Books, erp.Stream{Shop: shop, Resource: intake.Categories}, categories...)
	receive(s.t, s.Books, erp.Stream{Shop: shop, Resource: intake.Products}, products...)
	if _, err := s.Link(ctx, shop); err != nil {
		s.t.Fatal(err)
	}
}

func (s *street) pullAll() {
	s.t.Helper()
	for _, shop := range s.order {
		s.pull(shop)
	}
}

// plan lists what a shop would be told: "kind id field: from → to".
func (s *street) plan(shop string) []string {
	s.t.Helper()
	out := []string{}
	for _, kind := range []outbox.Kind{outbox.Category, outbox.Product, outbox.Variant} {
		pushes, _, err := s.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: kind, Express: s.counters[shop].express, Peek: true})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, p := range pushes {
			for _, ch := range p.Edit.Changes {
				out = append(out, fmt.Sprintf("%s %s %s: %s → %s", kind, p.Edit.Ref.ID, ch.Field, ch.From, ch.To))
			}
			if p.Edit.Delete {
				out = append(out, fmt.Sprintf("%s %s is deleted", kind, p.Edit.Ref.ID))
			}
		}
	}
	return out
}

// push tells a shop all that there is, as the engine does.
func (s *street) push(shop string) {
	s.t.Helper()
	c := s.counters[shop]
	for _, kind := range []outbox.Kind{outbox.Category, outbox.Product, outbox.Variant} {
		for more := true; more; {
			var pushes []erp.Push
			var err error
			if pushes, more, err = s.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: kind, Express: c.express, Limit: 50}); err != nil {
				s.t.Fatal(err)
			}
			if len(pushes) == 0 {
				continue
			}
			edits := make([]intake.Edit, len(pushes))
			for i, p := range pushes {
				edits[i] = *p.Edit
			}
			if _, err := s.Pushed(ctx, shop, pushes, c.tell(edits)); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// rest pushes to all shops until nobody has anything to say.
func (s *street) rest() {
	s.t.Helper()
	for round := 0; ; round++ {
		before := 0
		for _, shop := range s.order {
			before += s.counters[shop].calls
			s.push(shop)
		}
		after := 0
		for _, shop := range s.order {
			after += s.counters[shop].calls
		}
		if after == before {
			return
		}
		if round > 10 {
			s.t.Fatal("the shops are told things without end")
		}
	}
}

func (s *street) quiet() {
	s.t.Helper()
	if found, err := s.Verify(ctx); err != nil || len(found) > 0 {
		s.t.Fatalf("the books are not whole: %+v, %v", found, err)
	}
	for _, shop := range s.order {
		if plan := s.plan(shop); len(plan) > 0 {
			s.t.Fatalf("%s has still to be told: %q", shop, plan)
		}
		left, err := s.Outbox(ctx, shop)
		if err != nil || left.Waiting+left.Parked > 0 {
			s.t.Fatalf("%s: messages are left: %+v, %v", shop, left, err)
		}
	}
}

func TestWhatTheBooksOwnIsPutBackAndWhatTheShopOwnsIsTakenOver(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": owning(intake.FieldPrice)}
	eachStreet(t, policies, []string{"atelier"}, func(t *testing.T, s *street) {
		c := s.counters["atelier"]
		p := c.product("1", "TEE", "Tee")
		s.pullAll()
		s.rest()
		s.quiet()
		twelve := dec("12")
		p.Title, p.Variants[0].Regular, p.Variants[0].Price = "Soft tee", &twelve, &twelve
		s.pullAll()
		if diff := cmp.Diff([]string{"variant 1 price: 12 → 10"}, s.plan("atelier")); diff != "" {
			t.Fatal(diff)
		}
		s.rest()
		s.quiet()
		if got := p.Variants[0].Regular.String(); got != "10" {
			t.Errorf("the price in the shop is %s", got)
		}
		if p.Title != "Soft tee" {
			t.Errorf("the title in the shop is %q", p.Title)
		}
		calls := c.calls
		s.pullAll() // the echo
		s.rest()
		if c.calls != calls {
			t.Errorf("the echo caused %d calls", c.calls-calls)
		}
	})
}

func TestTwoShopsOfOneTreeHaveTheSameCategories(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": owning(intake.FieldCategories, intake.FieldTitle), "boutique": owning(intake.FieldCategories, intake.FieldTitle)}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, b := s.counters["atelier"], s.counters["boutique"]
		b.flat = true
		a.category("1", "", "Clothing")
		a.category("2", "1", "Shirts")
		a.product("10", "TEE", "Tee", "2")
		b.category("7", "", "shirts")
		b.category("8", "", "New in")
		b.product("20", "TEE", "T-Shirt", "8")
		b.product("21", "MUG", "Mug", "8")
		s.pullAll()
		s.pull("atelier")
		s.rest()
		s.quiet()
		var names []string
		for _, k := range a.categories {
			names = append(names, k.Name)
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"Clothing", "New in", "Shirts"}, names); diff != "" {
			t.Errorf("categories of the first shop: %s", diff)
		}
		names = nil
		for _, k := range b.categories {
			names = append(names, k.Name)
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"Clothing", "New in", "Shirts"}, names); diff != "" {
			t.Errorf("categories of the second shop: %s", diff)
		}
		if got := b.products["20"]; got.Title != "Tee" || !slices.Equal(got.CategoryIDs, []string{"7"}) {
			t.Errorf("the shared product is %q in %v", got.Title, got.CategoryIDs)
		}
		if got := b.products["21"]; !slices.Equal(got.CategoryIDs, []string{"8"}) {
			t.Errorf("the other one's product is in %v", got.CategoryIDs)
		}
		s.pullAll()
		s.rest()
		s.quiet()
	})
}
