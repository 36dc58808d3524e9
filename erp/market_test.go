package erp_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// market is books that decide on the stock of shops, and the shops.
type market struct {
	t interface {
		Helper()
		Fatal(...any)
		Fatalf(string, ...any)
	}
	now       time.Time
	path, url string
	names     []string
	shops     map[string]*stall
	*erp.Books
}

// stall is a shop that counts one unit of each thing after the other. Its clock
// is ours.
type stall struct {
	name      string
	has       map[string]int64     // by external id
	changed   map[string]time.Time // when the shop last changed a variant
	orders    []intake.Record
	read      int  // orders that the books have read
	overwrite bool // it cannot compare before it sets
	calls     int  // levels that it was told
	sold      int
}

func openMarket(t *testing.T, url string, policies map[string]outbox.Policy) *market {
	m := &market{t: t, now: counted, url: url, shops: map[string]*stall{}}
	if url == "" {
		m.path = filepath.Join(t.TempDir(), "books.db")
	}
	for name := range policies {
		m.names = append(m.names, name)
		m.shops[name] = &stall{name: name, has: map[string]int64{}, changed: map[string]time.Time{}}
	}
	slices.Sort(m.names)
	m.connect(policies)
	m.compare()
	t.Cleanup(func() { m.Books.Close() })
	return m
}

// connect opens the books with what the shops are sent.
func (m *market) connect(policies map[string]outbox.Policy) {
	m.t.Helper()
	rules := map[string]sales.Rules{}
	for name := range policies {
		r := sales.DefaultRules()
		if policies[name].Owns(intake.FieldQuantity) {
			r.StockOwner = sales.OwnerERP
		}
		rules[name] = r
	}
	var err error
	m.Books, err = erp.Open(ctx, erp.Options{Path: m.path, URL: m.url, Shops: rules, Order: m.names, Policies: policies,
		Company: erp.Company{Currency: "EUR", Chart: "general", TimeZone: time.UTC, Rates: []erp.Rate{{Currency: "USD", From: "2026-01-01", Rate: dec("0.9")}}}, Now: func() time.Time { return m.now }, Log: zerolog.Nop()})
	if err != nil {
		m.t.Fatal(err)
	}
}

// compare compares the shops where what they are sent has changed.
func (m *market) compare() {
	m.t.Helper()
	for _, s := range m.names {
		if _, err := m.CompareChanged(ctx, s); err != nil {
			m.t.Fatal(err)
		}
	}
}

// eachMarket runs a test on both databases.
func eachMarket(t *testing.T, policies map[string]outbox.Policy, fn func(t *testing.T, m *market)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, openMarket(t, "", policies)) })
	t.Run("postgres", func(t *testing.T) { fn(t, openMarket(t, storetest.URL(t), policies)) })
}

// ownsStock is the policy of a shop whose stock the books decide on.
func ownsStock(edit ...func(*outbox.Policy)) outbox.Policy {
	p := outbox.Policy{On: true, Share: 100, Owners: outbox.DefaultOwners(true)}
	for _, e := range edit {
		e(&p)
	}
	return p
}

// stock puts a thing with a SKU of its own into shops.
func (m *market) stock(id string, n int64, shops ...string) {
	for _, s := range shops {
		m.shops[s].has[id] = n
		m.shops[s].changed[id] = m.now
	}
}

// product is what the shop states of a thing.
func (m *market) product(s *stall, id string) intake.Record {
	m.t.Helper()
	q, cost := decimal.NewFromInt(s.has[id]), dec("2")
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindProduct, ID: id}, s.changed[id], &intake.Product{Title: id, Kind: intake.ProductStocked, Status: "published",
		Variants: []intake.Variant{{ID: id, ProductID: id, SKU: "SKU-" + id, Kind: intake.ProductStocked, Sellable: true, Tracked: true, Stock: &q, Cost: &cost}}}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return rec
}

// pullGoods reads the goods of a shop, and pullOrders its orders; both settle.
func (m *market) pullGoods(shop string) {
	m.t.Helper()
	s := m.shops[shop]
	var recs []intake.Record
	for _, id := range slices.Sorted(maps.Keys(s.has)) {
		recs = append(recs, m.product(s, id))
	}
	m.receive(shop, intake.Products, recs)
	if _, err := m.Link(ctx, shop); err != nil {
		m.t.Fatal(err)
	}
}

func (m *market) pullOrders(shop string) {
	m.t.Helper()
	s := m.shops[shop]
	m.receive(shop, intake.Orders, s.orders[s.read:])
	s.read = len(s.orders)
	if _, err := m.Settle(ctx, shop, m.now, m.now); err != nil {
		m.t.Fatal(err)
	}
}

func (m *market) receive(shop string, r intake.Resource, recs []intake.Record) {
	m.t.Helper()
	receipt, err := m.Receive(ctx, erp.Stream{Shop: shop, Resource: r}, recs, []byte("cursor"))
	if err != nil || receipt.Parked > 0 {
		m.t.Fatalf("receive: %+v, %v", receipt, err)
	}
}

// pull reads all shops.
func (m *market) pull() {
	m.t.Helper()
	m.now = m.now.Add(time.Hour)
	for _, s := range m.names {
		m.pullGoods(s)
	}
	for _, s := range m.names {
		m.pullOrders(s)
	}
}

// begin reads all shops for the first time.
func (m *market) begin() {
	m.t.Helper()
	m.pull()
	for _, s := range m.names { // those before wait for the last one
		m.pullGoods(s)
		m.pullOrders(s)
	}
}

// forget takes what the shops have had until now out of sight.
func (m *market) forget() {
	for _, s := range m.shops {
		clear(s.has)
		s.orders, s.read = nil, 0
	}
}

// sell has a shop sell some, which lowers its own number.
func (m *market) sell(shop, id string, n int64) {
	m.t.Helper()
	s := m.shops[shop]
	s.sold++
	s.has[id] -= n
	number := fmt.Sprintf("%s-%d", shop, s.sold)
	o := &intake.Order{Number: number, RawStatus: "processing", State: intake.StateOpen, PlacedAt: m.now, PaidAt: m.now, Currency: "EUR", Total: dec("10"),
		Lines: []intake.Line{{ID: "1", Kind: intake.LineItem, ProductID: id, VariantID: id, SKU: "SKU-" + id, Title: id, Quantity: decimal.NewFromInt(n), Subtotal: dec("10"), Total: dec("10")}}}
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: number}, m.now, o, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	s.orders = append(s.orders, rec)
}

// push delivers what is due as the engine does: it reads the orders first, and
// works out anew what was stale, at most three times. In the middle of a push
// the shop may do something.
func (m *market) push(shop string, meanwhile ...func()) (told []string) {
	m.t.Helper()
	for range 3 {
		m.pullOrders(shop)
		pushes, _, err := m.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: outbox.Stock})
		if err != nil {
			m.t.Fatal(err)
		}
		if len(pushes) == 0 {
			return told
		}
		outcomes := m.shops[shop].take(m, pushes, meanwhile)
		meanwhile = nil
		for i, p := range pushes {
			told = append(told, fmt.Sprintf("%s=%s %s", p.Label, p.Level.To, outcomes[i].Result))
		}
		receipt, err := m.Pushed(ctx, shop, pushes, outcomes)
		if err != nil {
			m.t.Fatal(err)
		}
		if receipt.Stale == 0 {
			return told
		}
	}
	return told
}

// take does what the shop does with what it is told.
func (s *stall) take(m *market, pushes []erp.Push, meanwhile []func()) []intake.Outcome {
	had := maps.Clone(s.has)
	if !s.overwrite { // what happens in between is seen
		for _, do := range meanwhile {
			do()
		}
		had = maps.Clone(s.has)
	}
	from := m.now
	m.now = m.now.Add(time.Second)
	if s.overwrite {
		for _, do := range meanwhile {
			do()
		}
	}
	m.now = m.now.Add(time.Second)
	out := make([]intake.Outcome, len(pushes))
	for i, p := range pushes {
		s.calls++
		id := p.Level.Ref.ID
		now := decimal.NewFromInt(had[id])
		out[i] = intake.Outcome{Result: intake.Done, Ref: p.Level.Ref, Now: &p.Level.To}
		switch {
		case p.Level.From != nil && !p.Level.From.Equal(now):
			out[i].Result, out[i].Now = intake.Stale, &now
		case s.overwrite && p.Level.To.Equal(now): // nothing is written
		default:
			s.has[id], s.changed[id] = p.Level.To.IntPart(), m.now
			if s.overwrite {
				out[i].ExposedFrom, out[i].ExposedTo = from, m.now
			}
		}
	}
	return out
}

// rest pulls and pushes until nothing is left to be told.
func (m *market) rest() {
	m.t.Helper()
	for range 20 {
		m.now = m.now.Add(time.Minute)
		told := 0
		for _, s := range m.names {
			m.pullGoods(s)
			told += len(m.push(s))
		}
		waiting := 0
		for _, s := range m.names {
			standing, err := m.Outbox(ctx, s)
			if err != nil {
				m.t.Fatal(err)
			}
			waiting += standing.Waiting
		}
		if told == 0 && waiting == 0 {
			return
		}
	}
	m.t.Fatalf("the shops are told on and on")
}

// shelf is what each shop has, in the order of the shops.
func (m *market) shelf(id string) string {
	var out []string
	for _, s := range m.names {
		out = append(out, fmt.Sprintf("%s=%d", s, m.shops[s].has[id]))
	}
	return strings.Join(out, " ")
}

func (m *market) whole() {
	m.t.Helper()
	found, err := m.Verify(ctx)
	if err != nil || len(found) > 0 {
		m.t.Fatalf("the books are not whole: %+v, %v", found, err)
	}
}

// drain has a shop take all that it is told.
func (m *market) drain(shop string) {
	m.t.Helper()
	for range 5 {
		pushes, _, err := m.Pushes(ctx, erp.PushQuery{Shop: shop, Kind: outbox.Stock})
		if err != nil {
			m.t.Fatal(err)
		}
		if len(pushes) == 0 {
			return
		}
		outcomes := make([]intake.Outcome, len(pushes))
		for i, p := range pushes {
			outcomes[i] = intake.Outcome{Result: intake.Done, Ref: p.Level.Ref}
		}
		if _, err := m.Pushed(ctx, shop, pushes, outcomes); err != nil {
			m.t.Fatal(err)
		}
	}
	m.t.Fatal("the shop is told the same on and on")
}
