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
	"comptoir/erp/purchasing"
	"comptoir/erp/reports"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
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

var twoShops = map[string]outbox.Policy{"a": ownsStock(), "b": ownsStock()}

func TestASaleInOneShopLowersTheStockInTheOther(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		for _, s := range m.names {
			if told := m.push(s); len(told) > 0 {
				t.Errorf("%s has what it is to have, and was told %q", s, told)
			}
		}
		m.now = m.now.Add(time.Minute)
		m.sell("a", "1", 3)
		m.pullOrders("a")
		m.whole()
		if told := m.push("a"); len(told) > 0 {
			t.Errorf("a sold them itself, and was told %q", told)
		}
		if told := m.push("b"); fmt.Sprint(told) != "[SKU-1=7 done]" {
			t.Errorf("b was told %q", told)
		}
		if got := m.shelf("1"); got != "a=7 b=7" {
			t.Errorf("the shops have %s", got)
		}
		m.whole()
	})
}

func TestAnEchoIsNoNews(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.sell("a", "1", 3)
		m.rest()
		m.now = m.now.Add(time.Minute)
		receipt, err := m.Receive(ctx, erp.Stream{Shop: "b", Resource: intake.Products}, []intake.Record{m.product(m.shops["b"], "1")}, nil)
		if err != nil || receipt.Applied != 0 {
			t.Errorf("what b was told came back and was applied: %+v, %v", receipt, err)
		}
		if standing, err := m.Outbox(ctx, "b"); err != nil || standing.Waiting != 0 {
			t.Errorf("an echo queued %+v, %v", standing, err)
		}
	})
}

func TestWhatSomebodyCountsInAShopIsPutBack(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		m.now = m.now.Add(time.Minute)
		m.stock("1", 25, "b")
		m.now = m.now.Add(time.Minute)
		m.pullGoods("b")
		m.whole()
		if told := m.push("b"); fmt.Sprint(told) != "[SKU-1=10 done]" {
			t.Errorf("b was told %q", told)
		}
	})
}

func TestASaleWhileItsNumberIsOverwrittenIsFoundOut(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.shops["b"].overwrite = true
		m.stock("1", 10, "a", "b")
		m.begin()
		m.now = m.now.Add(time.Minute)
		m.sell("a", "1", 3)
		m.pullOrders("a")
		m.push("b", func() { m.sell("b", "1", 2) })
		if got := m.shelf("1"); got != "a=7 b=7" {
			t.Fatalf("b does not know what it sold: %s", got)
		}
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=5" {
			t.Errorf("the shops have %s", got)
		}
		m.whole()
		report, err := reports.Run(ctx, m.Reader(), "stock", reports.Params{Now: m.now})
		if err != nil || fmt.Sprintf(report.Notes[0].Text, report.Notes[0].Args...) != "b could have sold unseen for 2s at most while its numbers were overwritten in the last day, and its orders took 2 units then." {
			t.Errorf("the report says %+v, %v", report.Notes, err)
		}
		if got := report.Sections[0].Rows[0][7].Number; got != 2000 {
			t.Errorf("%d thousandths were sold while overwritten", got)
		}
	})
}

func TestAShareAndALimitKeepStockFromAShop(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "b": ownsStock(func(p *outbox.Policy) { p.Share = 50 }), "c": ownsStock(func(p *outbox.Policy) { p.Cap = 3 })}, func(t *testing.T, m *market) {
		m.stock("1", 11, "a", "b", "c")
		m.begin()
		m.rest()
		if got := m.shelf("1"); got != "a=11 b=5 c=3" {
			t.Errorf("the shops have %s", got)
		}
	})
}

func TestAShopThatDecidesItselfIsToldNothing(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "b": {On: true, Share: 100, Owners: outbox.DefaultOwners(false)}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.sell("a", "1", 3)
		m.rest()
		if standing, err := m.Outbox(ctx, "b"); err != nil || standing.Waiting != 0 || m.shops["b"].calls != 0 {
			t.Errorf("b: %+v, %v, %d calls", standing, err, m.shops["b"].calls)
		}
	})
}

// TestShopsComeToAgree has shops sell, count and be told at random, with the
// books reading one or the other: nothing that is due lacks its message, and at
// rest the shops have what is available.
func TestShopsComeToAgree(t *testing.T) {
	m := openMarket(t, "", twoShops)
	m.begin()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m.t = rt
		m.now = m.now.Add(24 * time.Hour)
		m.forget()
		m.shops["b"].overwrite = rapid.Bool().Draw(rt, "overwrites")
		available := map[string]int64{fmt.Sprint(round, "0"): 50, fmt.Sprint(round, "1"): 5}
		things := slices.Sorted(maps.Keys(available))
		for id, n := range available {
			m.stock(id, n, m.names...)
		}
		m.pull()
		sell := func(shop, id string, n int64) {
			m.sell(shop, id, n)
			available[id] -= n
		}
		for step := range rapid.IntRange(1, 10).Draw(rt, "steps") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds")) * time.Second)
			shop, id := rapid.SampledFrom(m.names).Draw(rt, "shop"), rapid.SampledFrom(things).Draw(rt, "thing")
			n := rapid.Int64Range(1, 3).Draw(rt, "units")
			switch rapid.SampledFrom([]string{"sell", "sell", "count", "pull goods", "pull orders", "push", "sell while pushed"}).Draw(rt, "step") {
			case "sell":
				sell(shop, id, n)
			case "count":
				m.stock(id, int64(1000+step), shop) // what it had before would be no news
			case "pull goods":
				m.pullGoods(shop)
			case "pull orders":
				m.pullOrders(shop)
			case "push":
				m.push(shop)
			case "sell while pushed":
				m.push(shop, func() { sell(shop, id, n) })
			}
		}
		m.whole()
		m.rest()
		for id, want := range available {
			for _, s := range m.names {
				if has := max(m.shops[s].has[id], 0); has != max(want, 0) {
					rt.Fatalf("%s has %d of %s, %d are available", s, has, id, want)
				}
			}
		}
		m.whole()
	})
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

// TestWhateverChangesTheStockIsInTheOutbox has orders be paid, edited, refunded,
// cancelled and shipped, stock be bought, counted and kept back at random. The
// shop takes what it is told at once, so each change needs a message of its own.
func TestWhateverChangesTheStockIsInTheOutbox(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"atelier": ownsStock(), "boutique": ownsStock(func(p *outbox.Policy) { p.Share = 70 })}, func(t *testing.T, m *market) {
		m.stock("7", 100, "atelier", "boutique")
		m.begin()
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			m.t = rt
			n++
			shop := rapid.SampledFrom(m.names).Draw(rt, "shop")
			for i, o := range history(rt) {
				m.now = m.now.Add(time.Minute)
				rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: fmt.Sprint("h", n)}, m.now, o, []byte(fmt.Sprint(i)))
				if err != nil {
					rt.Fatal(err)
				}
				if _, err := m.Receive(ctx, erp.Stream{Shop: shop, Resource: intake.Orders}, []intake.Record{rec}, nil); err != nil {
					rt.Fatal(err)
				}
				switch rapid.IntRange(0, 5).Draw(rt, "meanwhile") {
				case 0:
					if _, err := m.AdjustStock(ctx, "SKU-7", dec("3"), "counted"); err != nil {
						rt.Fatal(err)
					}
				case 1:
					if _, err := m.SetSafety(ctx, "SKU-7", decimal.NewFromInt(rapid.Int64Range(0, 4).Draw(rt, "safety"))); err != nil {
						rt.Fatal(err)
					}
				case 2:
					if _, err := m.CashPurchase(ctx, purchasing.Document{Kind: purchasing.Cash, Date: "2026-03-20", PaidFrom: "cash", Lines: []purchasing.Line{{SKU: "SKU-7", Quantity: dec("2"), Net: dec("5")}}}); err != nil {
						rt.Fatal(err)
					}
				}
				if rapid.IntRange(0, 9).Draw(rt, "looked at") == 0 {
					m.whole()
				}
				for _, s := range m.names {
					m.drain(s)
				}
			}
		})
		m.t = t
		m.whole()
	})
}

// TestAShopThatComesLaterSharesWhatIsThere has a second shop come when the stock
// was taken over from the first: what it had sold before that is not taken off
// once more, what it sold since is.
func TestAShopThatComesLaterSharesWhatIsThere(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.now = m.now.Add(-48 * time.Hour)
		m.sell("b", "1", 2) // before a was counted
		m.now = m.now.Add(48 * time.Hour)
		m.names = []string{"a"}
		m.pullGoods("a")
		if _, err := m.Link(ctx, "a", "b"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Settle(ctx, "a", m.now, m.now, "b"); err != nil {
			t.Fatal(err)
		}
		m.now = m.now.Add(time.Hour)
		m.sell("a", "1", 1)
		m.rest()
		m.now = m.now.Add(time.Hour)
		m.sell("b", "1", 4) // since
		m.names = []string{"a", "b"}
		m.stock("1", 30, "b")
		m.begin()
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=5" {
			t.Errorf("the shops have %s, ten less one less four are there", got)
		}
		m.whole()
	})
}

func TestWhatAShopIsToHaveFollowsItsShare(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "b": {}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.stock("1", 8, "b")
		m.begin()
		m.rest()
		if got := m.shelf("1"); got != "a=10 b=8" {
			t.Fatalf("the shops have %s", got)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		m.connect(map[string]outbox.Policy{"a": ownsStock(func(p *outbox.Policy) { p.Share = 50 }), "b": ownsStock()})
		m.compare()
		m.whole()
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=10" {
			t.Errorf("the shops have %s", got)
		}
		m.whole()
		if queued, err := m.Compare(ctx, "a"); err != nil || queued != 0 {
			t.Errorf("%d messages are queued of what a has, %v", queued, err)
		}
	})
}
