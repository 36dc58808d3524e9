package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/syncstate"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// soakOps is how many things happen on a database; PostgreSQL takes longer for
// each. COMPTOIR_TEST_SOAK=20000 makes it a long one on either, of some ten
// minutes on SQLite.
func soakOps(url string) int {
	n, err := strconv.Atoi(os.Getenv("COMPTOIR_TEST_SOAK"))
	switch all := os.Getenv("COMPTOIR_TEST_REQUIRE") == "all"; {
	case err == nil:
		return n
	case all && url == "":
		return 3_000
	case all:
		return 500
	case url == "":
		return 500
	default:
		return 150
	}
}

// Two shops of different platforms sell the same goods from one stock, while
// people change things on both sides and in the books, answers are lost after
// the shop has acted, webhooks get lost or come twice, and the daemon is ended
// at any moment. When all of it is over, both shops and the books agree.
func TestTwoShopsAndTheBooksAgreeAtRest(t *testing.T) {
	seed := uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("COMPTOIR_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Log("seed", seed)
	onEachDatabase(t, func(t *testing.T, url string) {
		synctest.Test(t, func(t *testing.T) {
			s := newSoak(t, url, seed, 50)
			for range soakOps(url) {
				s.happen()
				s.pass()
			}
			s.rest()
			s.agree()
		})
	})
}

// soak is two shops, the books between them, and a daemon that is ended and
// started again.
type soak struct {
	t     *testing.T
	dice  *rand.Rand
	dir   string
	url   string // of the database; "" for a file
	shops [2]*soakShop
	skus  []string
	log   safeBuffer

	books  *erp.Books
	state  *syncstate.Bolt
	engine *engine.Engine
	cancel context.CancelFunc
	ended  chan error
	starts int
	heard  int // deliveries of webhooks

	done   map[string]int // how often each thing happened
	serial int
}

// soakShop is one of the shops.
type soakShop struct {
	*box
	name  string
	wire  *wire
	post  sandbox.Deliverer
	ids   map[string]string // variants by SKU
	named map[string]string // products by SKU
}

const (
	soakAtelier  = "atelier"
	soakBoutique = "boutique"
)

// newSoak makes the shops, which sell n articles in common, and starts the
// daemon.
func newSoak(t *testing.T, url string, seed uint64, n int) *soak {
	s := &soak{t: t, url: url, dice: rand.New(rand.NewPCG(seed, 5)), dir: t.TempDir(), done: map[string]int{}}
	for i, name := range []string{soakAtelier, soakBoutique} {
		o := sandbox.Options{Seed: int64(seed)*2 + int64(i), Goods: int64(seed) + 100, Orders: 20, Common: true}
		if i == 1 {
			o.Platform = sandbox.Shopify
		}
		b := newBox(t, o)
		shop := &soakShop{box: b, name: name, wire: &wire{next: b.Transport()}}
		shop.post = sandbox.Deliverer{Shop: b.Shop, Transport: door{s, name}}
		b.Connector = connect(t, "https://shop.example", b.Shop, shop.wire, b.now)
		s.shops[i] = shop
	}
	for _, shop := range s.shops {
		shop.bubbled()
		shop.read(t)
		for _, fault := range []string{"hook-lost:chance=0.2", "hook-twice:chance=0.2", "hook-late:chance=0.1:delay=90s", "hook-shuffled:chance=0.1"} {
			f, err := sandbox.ParseFault(fault)
			if err != nil {
				t.Fatal(err)
			}
			shop.Misbehave(f)
		}
	}
	for sku := range s.shops[0].ids {
		if s.shops[1].ids[sku] != "" {
			s.skus = append(s.skus, sku)
		}
	}
	slices.Sort(s.skus)
	if len(s.skus) < n {
		t.Fatalf("the shops have %d articles in common, and %d are wanted", len(s.skus), n)
	}
	s.skus = s.skus[:n]
	s.start()
	s.wait(time.Minute)
	t.Cleanup(func() {
		if s.cancel != nil {
			s.stop()
		}
	})
	return s
}

// read finds the articles that the shop counts one by one, under a SKU that is
// one.
func (s *soakShop) read(t *testing.T) {
	t.Helper()
	s.ids, s.named = map[string]string{}, map[string]string{}
	twice := map[string]bool{}
	for _, v := range s.variants(t) {
		if v.SKU == "" || !v.Tracked || v.Stock == nil || v.StockOf != "" && v.StockOf != v.ID || !v.Sellable {
			continue
		}
		if s.ids[v.SKU] != "" {
			twice[v.SKU] = true
		}
		s.ids[v.SKU], s.named[v.SKU] = v.ID, v.ProductID
	}
	for sku := range twice {
		delete(s.ids, sku)
	}
}

// whole reads a resource from the beginning, by a connector of its own whose
// wire is whole.
func (s *soakShop) whole(t *testing.T, r intake.Resource) []intake.Record {
	t.Helper()
	c := connect(t, "https://shop.example", s.Shop, s.Transport(), s.now)
	var all []intake.Record
	var cur connectors.Cursor
	for more := true; more; {
		page, err := c.Pull(t.Context(), r, cur)
		if err != nil {
			t.Fatal(err)
		}
		all, cur, more = append(all, page.Records...), page.Next, page.More
	}
	return all
}

// variants are all variants of the shop, as it states them.
func (s *soakShop) variants(t *testing.T) []intake.Variant {
	t.Helper()
	var all []intake.Variant
	for _, st := range s.Streams() {
		if st.Resource != intake.Products && st.Resource != intake.Variants {
			continue
		}
		for _, rec := range s.whole(t, st.Resource) {
			switch body := rec.Body.(type) {
			case *intake.Product:
				all = append(all, body.Variants...)
			case *intake.Variant:
				all = append(all, *body)
			}
		}
	}
	return all
}

// start opens everything and runs the daemon.
func (s *soak) start() {
	s.t.Helper()
	log := zerolog.New(&s.log)
	rates := append(s.shops[0].rates(), s.shops[1].rates()...)
	rules, policies := map[string]sales.Rules{}, map[string]outbox.Policy{}
	var shops []engine.Shop
	for _, shop := range s.shops {
		r := sales.DefaultRules()
		r.StockOwner = sales.OwnerERP
		owners := outbox.DefaultOwners(true)
		for _, f := range []intake.Field{intake.FieldPrice, intake.FieldSale, intake.FieldWeight, intake.FieldCategories} {
			owners[f] = outbox.ERP
		}
		rules[shop.name], policies[shop.name] = r, outbox.Policy{On: true, Owners: owners, Share: 100}
		e := engine.Shop{Name: shop.name, Connector: shop.Connector, Push: true, Schedules: map[intake.Resource]string{}, Jitter: time.Second,
			Reread: "@every 3h", Sweep: "@every 6h", Retry: "@every 1h", Compare: "@every 2h"}
		for _, st := range shop.Streams() {
			e.Schedules[st.Resource] = "@every 5m"
		}
		e.Schedules[intake.Orders] = "@every 1m"
		shops = append(shops, e)
	}
	var err error
	s.books, err = erp.Open(s.t.Context(), erp.Options{Path: filepath.Join(s.dir, "books.db"), URL: s.url, Now: time.Now, Log: log,
		Company:  erp.Company{Name: "Atelier Zoé", Currency: "EUR", TimeZone: time.UTC, Chart: "pcg", Rates: rates[:min(len(rates), 3)]},
		Shops:    rules,
		Policies: policies,
		Order:    []string{soakAtelier, soakBoutique}})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.state, err = syncstate.Open(s.stateFile(), syncstate.Options{Now: time.Now, Space: engine.Space}); err != nil {
		s.t.Fatal(err)
	}
	s.engine, err = engine.New(engine.Options{Books: s.books, State: s.state, Shops: shops, Now: time.Now, Log: log, StopTimeout: time.Second})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	s.cancel, s.ended = cancel, make(chan error, 1)
	s.starts++
	go func() { s.ended <- s.engine.Run(ctx) }()
	for _, shop := range s.shops { // where it does not succeed, the polls must do
		_, _ = s.engine.Subscribe(ctx, shop.name, "https://comptoir.example/hooks/"+shop.name)
	}
}

func (s *soak) stateFile() string { return filepath.Join(s.dir, "sync.db") }

// stop ends the daemon and closes everything.
func (s *soak) stop() {
	s.t.Helper()
	s.cancel()
	s.cancel = nil
	if err := <-s.ended; err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(s.books.Close(), s.state.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the daemon in the middle of what it does, and now and then loses
// the sync state with it.
func (s *soak) kill() {
	s.t.Helper()
	for _, shop := range s.shops {
		shop.wire.cut(s.dice.IntN(2) == 0)
	}
	if s.dice.IntN(2) == 0 {
		time.Sleep(time.Duration(s.dice.IntN(3000)) * time.Millisecond)
	}
	s.stop()
	if s.dice.IntN(4) == 0 {
		if err := os.Remove(s.stateFile()); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, shop := range s.shops {
		shop.wire.mend()
	}
	s.start()
}

// wire carries requests, and loses some.
type wire struct {
	next http.RoundTripper

	mu   sync.Mutex
	dice *rand.Rand
	dead bool // nothing gets through any more
	acts bool // what is sent while it is dead still reaches the shop
	calm bool
	lost int // answers that were lost after the shop had acted
}

var errLine = errors.New("the line is cut")

// RoundTrip does what is asked, or not, and tells, or not.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if w.dice == nil {
		w.dice = rand.New(rand.NewPCG(7, 7))
	}
	dead, acts, calm, throw := w.dead, w.acts, w.calm, w.dice.IntN(1000)
	w.mu.Unlock()
	switch {
	case dead && !acts, !calm && !dead && throw < 5: // it never arrives
		return nil, errLine
	case !calm && !dead && throw < 12:
		return &http.Response{StatusCode: http.StatusTooManyRequests, Status: "429 Too Many Requests", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Retry-After": {"2"}}, Body: io.NopCloser(strings.NewReader(""))}, nil
	}
	res, err := w.next.RoundTrip(r)
	if err == nil && (dead || !calm && throw < 20) { // it was done, and nobody hears of it
		w.mu.Lock()
		w.lost++
		w.mu.Unlock()
		return nil, errors.Join(errLine, res.Body.Close())
	}
	return res, err
}

func (w *wire) cut(acts bool) { w.mu.Lock(); w.dead, w.acts = true, acts; w.mu.Unlock() }
func (w *wire) mend()         { w.mu.Lock(); w.dead = false; w.mu.Unlock() }
func (w *wire) quiet()        { w.mu.Lock(); w.calm = true; w.mu.Unlock() }

// happening is something that may happen, and how often it does beside the
// others.
type happening struct {
	name   string
	weight int
	do     func(s *soak) bool
}

var happenings = []happening{
	{"sale", 60, (*soak).sell},
	{"cancellation", 5, onOrder((*box).CancelOrder)},
	{"shipment", 8, onOrder((*box).CompleteOrder)},
	{"edit of an order", 4, onOrder((*box).EditOrder)},
	{"refund", 5, onOrder(func(b *box, id string) string { return b.RefundOrder(id, true) })},
	{"receipt", 12, (*soak).receive},
	{"number changed by hand in a shop", 1, (*soak).meddle},
	{"price", 6, (*soak).reprice},
	{"sale price", 2, (*soak).reduce},
	{"weight", 2, (*soak).reweigh},
	{"product moved to other categories", 3, (*soak).sortInto},
	{"category renamed", 1, (*soak).renameCategory},
	{"category moved", 1, (*soak).moveCategory},
	{"category added or deleted", 1, (*soak).addOrDeleteCategory},
	{"product edited in a shop", 2, (*soak).editInShop},
	{"kill", 1, func(s *soak) bool { s.kill(); return true }},
}

// happen makes one thing happen.
func (s *soak) happen() {
	s.t.Helper()
	sum := 0
	for _, h := range happenings {
		sum += h.weight
	}
	throw := s.dice.IntN(sum)
	for _, h := range happenings {
		if throw -= h.weight; throw < 0 {
			if h.do(s) {
				s.done[h.name]++
			}
			return
		}
	}
}

// pass lets time pass until the next thing happens: often none.
func (s *soak) pass() {
	d := time.Duration(s.dice.ExpFloat64() * float64(4*time.Second))
	if s.dice.IntN(200) == 0 {
		d += 10 * time.Minute
	}
	s.wait(d)
}

// wait lets time pass for all. The shops' own clocks, by which they date what
// happens, are never far behind.
func (s *soak) wait(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Second, time.Until(end)))
		for _, shop := range s.shops {
			if late := time.Since(shop.Clock()); late > 0 {
				shop.Advance(late)
			}
			s.heard += shop.post.Deliver(s.t.Context())
		}
	}
}

// door takes what a shop sends to the daemon, as its receiver of webhooks does.
type door struct {
	soak *soak
	shop string
}

func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil || d.soak.cancel == nil {
		return nil, errors.Join(err, errLine)
	}
	hinter, ok := d.soak.engine.Hinter(d.shop)
	if !ok || !strings.HasSuffix(r.URL.Path, "/"+d.shop) {
		return nil, fmt.Errorf("%s was sent to %s", d.shop, r.URL)
	}
	hint, err := hinter.Hint(r.Header, body)
	if err == nil {
		_, err = d.soak.engine.TakeHint(d.shop, hint)
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusUnauthorized
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
}

func (s *soak) anyShop() *soakShop { return s.shops[s.dice.IntN(len(s.shops))] }
func (s *soak) anySKU() string     { return s.skus[s.dice.IntN(len(s.skus))] }

// sell sells what the shop shows to have, as a checkout does.
func (s *soak) sell() bool {
	shop, sku := s.anyShop(), s.anySKU()
	shown, _ := shop.Stock(shop.ids[sku])
	n := 1 + s.dice.IntN(3)
	if shown < n {
		return false
	}
	return shop.Sell(shop.ids[sku], n) != ""
}

// onOrder changes some recent order of a shop.
func onOrder(do func(b *box, id string) string) func(*soak) bool {
	return func(s *soak) bool {
		shop := s.anyShop()
		ids := shop.IDs(intake.Orders)
		if len(ids) == 0 {
			return false
		}
		return do(shop.box, ids[len(ids)-1-s.dice.IntN(min(len(ids), 20))]) != ""
	}
}

// receive adds goods to the stock in the books.
func (s *soak) receive() bool {
	s.serial++
	if _, err := s.books.AdjustStock(s.t.Context(), s.anySKU(), decimal.NewFromInt(int64(1+s.dice.IntN(20))), fmt.Sprint("delivery ", s.serial)); err != nil {
		s.t.Fatal(err)
	}
	return true
}

// meddle changes a number that the books own, in the shop.
func (s *soak) meddle() bool {
	shop := s.anyShop()
	return shop.SetStock(shop.ids[s.anySKU()], s.dice.IntN(50)) != ""
}

// set changes fields of an article in the books.
func (s *soak) set(sku string, set ...erp.Assignment) bool {
	if _, err := s.books.SetProduct(s.t.Context(), sku, set, false); err != nil {
		s.t.Fatalf("set %v of %s: %v", set, sku, err)
	}
	return true
}

func (s *soak) cents(from, to int) string {
	return decimal.New(int64(from+s.dice.IntN(to-from)), -2).String()
}

func (s *soak) reprice() bool {
	return s.set(s.anySKU(), erp.Assignment{Field: intake.FieldPrice, Text: s.cents(5000, 9000)})
}

// reduce begins or ends a sale.
func (s *soak) reduce() bool {
	price := ""
	if s.dice.IntN(2) == 0 {
		price = s.cents(100, 400)
	}
	return s.set(s.anySKU(), erp.Assignment{Field: intake.FieldSale, Text: price})
}

// reweigh tells a weight in a unit that one of the shops may not have.
func (s *soak) reweigh() bool {
	unit := []string{"g", "kg", "oz", "lb"}[s.dice.IntN(4)]
	return s.set(s.anySKU(), erp.Assignment{Field: intake.FieldWeight, Text: s.cents(1, 5000) + " " + unit})
}

// tree is the categories of the house.
func (s *soak) tree() []erp.CategoryNode {
	nodes, err := s.books.Categories(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return nodes
}

// anyCategory returns the address of a category; "" where there is none yet.
func (s *soak) anyCategory() string {
	nodes := slices.DeleteFunc(s.tree(), func(n erp.CategoryNode) bool { return n.Name == wooNone }) // WooCommerce puts there what stands nowhere
	if len(nodes) == 0 {
		return ""
	}
	return strconv.FormatInt(nodes[s.dice.IntN(len(nodes))].ID, 10)
}

func (s *soak) sortInto() bool {
	in := s.anyCategory()
	return in != "" && s.set(s.anySKU(), erp.Assignment{Field: intake.FieldCategories, Text: in})
}

// allowed reports whether a change of the tree was made; one that the books
// refuse, such as a category below itself, is none.
func (s *soak) allowed(err error) bool {
	if err != nil && fault.KindOf(err) == fault.Internal {
		s.t.Fatal(err)
	}
	return err == nil
}

func (s *soak) renameCategory() bool {
	s.serial++
	which := s.anyCategory()
	if which == "" {
		return false
	}
	_, err := s.books.RenameCategory(s.t.Context(), which, fmt.Sprint("Rayon ", s.serial), false)
	return s.allowed(err)
}

func (s *soak) moveCategory() bool {
	which, under := s.anyCategory(), ""
	if s.dice.IntN(3) > 0 {
		under = s.anyCategory()
	}
	if which == "" {
		return false
	}
	_, err := s.books.MoveCategory(s.t.Context(), which, under, false)
	return s.allowed(err)
}

func (s *soak) addOrDeleteCategory() bool {
	s.serial++
	if nodes := s.tree(); len(nodes) > 12 {
		node := nodes[s.dice.IntN(len(nodes))]
		if node.Name == wooNone { // WooCommerce keeps it
			return false
		}
		_, err := s.books.DeleteCategory(s.t.Context(), strconv.FormatInt(node.ID, 10), true, false)
		return s.allowed(err)
	}
	_, err := s.books.AddCategory(s.t.Context(), fmt.Sprint("Nouveau ", s.serial), "", false)
	return s.allowed(err)
}

// editInShop changes what the shop owns of a product, and what it does not.
func (s *soak) editInShop() bool {
	shop := s.anyShop()
	return shop.Edit(intake.Products, shop.named[s.anySKU()]) != ""
}

// rest lets everything come to an end.
func (s *soak) rest() {
	s.t.Helper()
	for _, shop := range s.shops {
		shop.wire.quiet()
	}
	s.wait(time.Hour)
	for _, shop := range s.shops {
		shop.Quieten()
	}
	s.wait(2 * time.Hour)
	conflicts, err := s.books.Conflicts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range conflicts { // both sides have changed it: a person decides
		side := []outbox.Owner{outbox.ERP, outbox.Shop}[s.dice.IntN(2)]
		if _, err := s.books.KeepSide(s.t.Context(), c.Shop, c.Kind, c.ID, c.Field, side, false); err != nil {
			s.t.Fatal(err)
		}
		s.done["conflict decided"]++
	}
	s.wait(7 * time.Hour)
	for _, shop := range s.shops {
		standing, err := s.books.Outbox(s.t.Context(), shop.name)
		if err != nil {
			s.t.Fatal(err)
		}
		if standing.Waiting+standing.Parked > 0 {
			s.t.Errorf("%s: %+v at rest", shop.name, standing)
			messages, err := s.books.Messages(s.t.Context(), shop.name)
			s.t.Logf("%+v %v", messages, err)
		}
	}
}

// agree compares both shops with the books, on each field that has an owner.
func (s *soak) agree() {
	s.t.Helper()
	s.t.Logf("%v; %d starts, %d webhooks; answers lost: %d and %d", s.done, s.starts, s.heard, s.shops[0].wire.lost, s.shops[1].wire.lost)
	findings, err := s.books.Verify(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range findings {
		s.t.Errorf("the books: %s: %s: %s", f.Check, f.Where, f.What)
	}
	for _, shop := range s.shops {
		ours, theirs := s.ours(shop), s.theirs(shop)
		for _, sku := range s.skus {
			if diff := cmp.Diff(ours[sku], theirs[sku]); diff != "" {
				s.t.Errorf("%s in %s (-books +shop):\n%s", sku, shop.name, diff)
			}
		}
		s.everyOrderOnce(shop)
		s.noDrift(shop)
	}
}

// noDrift has the books and a shop compared as people have it done, with a
// connector whose wire is whole.
func (s *soak) noDrift(shop *soakShop) {
	s.t.Helper()
	e, err := engine.New(engine.Options{Books: s.books, Now: shop.now, Shops: []engine.Shop{
		{Name: shop.name, Connector: connect(s.t, "https://shop.example", shop.Shop, shop.Transport(), shop.now)}}})
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := e.Verify(s.t.Context(), engine.VerifyRequest{Shop: shop.name})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range v.Drift {
		s.t.Errorf("%s drifts: %+v", shop.name, d)
	}
	for _, day := range v.Days {
		if !day.Holds {
			s.t.Errorf("%s is not certified for %s: shop %+v, books %+v", shop.name, day.Day, day.Shop, day.Books)
		}
	}
}

// wooNone is where WooCommerce puts what stands in no category.
const wooNone = "Uncategorized"

// article is what the books and a shop must agree on.
type article struct {
	Stock, Price, Sale string
	Weight             string // in kilograms
	Categories         []string
}

// ours is what the books hold of the articles. A product may be another one in
// each shop, where not all of its variants are the same.
func (s *soak) ours(shop *soakShop) map[string]article {
	s.t.Helper()
	in := map[string][]string{} // categories by the shop's product
	s.query(`SELECT g.external_id, c.name FROM origin g JOIN shop s ON s.id = g.shop_id JOIN product_category x ON x.product_id = g.local_id JOIN category c ON c.id = x.category_id
		WHERE g.kind = 'product' AND NOT c.deleted AND s.name = '`+shop.name+`' ORDER BY c.name`, func(scan func(...any)) {
		var product, name string
		if scan(&product, &name); name != wooNone {
			in[product] = append(in[product], name)
		}
	})
	out := map[string]article{}
	s.query(`SELECT v.sku, l.on_hand, l.demand, v.regular, v.sale, v.weight FROM variant v JOIN stock_level l ON l.variant_id = v.id AND l.place_id = 1`, func(scan func(...any)) {
		var sku, regular, sale, weight string
		var onHand, demand int64
		scan(&sku, &onHand, &demand, &regular, &sale, &weight)
		out[sku] = article{Stock: decimal.New(max(onHand-demand, 0), -3).String(), Price: regular, Sale: sale, Weight: kilograms(weight), Categories: slices.Sorted(slices.Values(in[shop.named[sku]]))}
	})
	return out
}

// kilograms is a weight in one unit, whatever it was told in; as it is where it
// has none.
func kilograms(weight string) string {
	number, unit, err := intake.ReadWeight(weight)
	told, ok := intake.ConvertWeight(number, unit, "kg")
	if err != nil || !ok {
		return weight
	}
	return intake.Weight(told, "kg")
}

// theirs is what a shop states of them.
func (s *soak) theirs(shop *soakShop) map[string]article {
	s.t.Helper()
	names, in := map[string]string{}, map[string][]string{}
	for _, rec := range shop.whole(s.t, intake.Categories) {
		if name := rec.Body.(*intake.Category).Name; name != wooNone {
			names[rec.Ref.ID] = name
		}
	}
	for _, rec := range shop.whole(s.t, intake.Products) {
		for _, id := range rec.Body.(*intake.Product).CategoryIDs {
			if names[id] != "" {
				in[rec.Ref.ID] = append(in[rec.Ref.ID], names[id])
			}
		}
	}
	out := map[string]article{}
	for _, v := range shop.variants(s.t) {
		if v.SKU == "" || v.Stock == nil {
			continue
		}
		a := article{Stock: decimal.Max(*v.Stock, decimal.Decimal{}).String(), Price: intake.Fields(&v)[intake.FieldPrice], Sale: intake.Fields(&v)[intake.FieldSale],
			Weight: kilograms(v.Weight), Categories: slices.Sorted(slices.Values(in[v.ProductID]))}
		out[v.SKU] = a
	}
	return out
}

func (s *soak) query(q string, row func(scan func(...any))) {
	s.t.Helper()
	rows, err := s.books.Reader().Query(s.t.Context(), q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		row(func(into ...any) {
			if err := rows.Scan(into...); err != nil {
				s.t.Fatal(err)
			}
		})
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
}

// everyOrderOnce: the books have the orders of a shop, each once, as the shop
// states it.
func (s *soak) everyOrderOnce(shop *soakShop) {
	s.t.Helper()
	have := map[string]string{}
	s.query(`SELECT g.external_id, g.digest FROM origin g JOIN shop s ON s.id = g.shop_id WHERE g.kind = 'order' AND NOT g.gone AND s.name = '`+shop.name+`'`, func(scan func(...any)) {
		var id, digest string
		scan(&id, &digest)
		have[id] = digest
	})
	parked, err := s.books.ParkedRecords(s.t.Context(), shop.name)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range parked {
		s.t.Errorf("%s of %s is parked: %s", p.Ref.ID, shop.name, p.Reason)
	}
	said := shop.whole(s.t, intake.Orders)
	for _, st := range shop.Streams() {
		if st.Resource == intake.Trash {
			said = append(said, shop.whole(s.t, intake.Trash)...)
		}
	}
	for _, rec := range said {
		if have[rec.Ref.ID] != rec.Digest {
			s.t.Errorf("order %s of %s: the books have %q, the shop states %q: %s", rec.Ref.ID, shop.name, have[rec.Ref.ID], rec.Digest, rec.Statement)
		}
		delete(have, rec.Ref.ID)
	}
	for id := range have {
		s.t.Errorf("order %s of %s: the shop does not list it", id, shop.name)
	}
}

// While one shop has not heard that the other has sold the last unit, it sells
// what there is not. That much is told to be oversold, and no more: once it has
// heard, within one period of its reading and a few seconds, it shows nothing.
func TestWhatIsOversoldIsWhatWasSoldBeforeTheShopHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSoak(t, "", 4, 1)
		lost, err := sandbox.ParseFault("hook-lost")
		if err != nil {
			t.Fatal(err)
		}
		for _, shop := range s.shops {
			shop.wire.quiet()
			shop.Quieten()
			shop.Misbehave(lost)
		}
		s.wait(20 * time.Minute)
		first, second, sku := s.shops[0], s.shops[1], s.skus[0]
		shown := func(shop *soakShop) int {
			n, _ := shop.Stock(shop.ids[sku])
			return n
		}
		if shown(first) < 20 || shown(first) != shown(second) {
			t.Fatalf("the shops show %d and %d", shown(first), shown(second))
		}
		began := time.Now()
		first.Sell(first.ids[sku], shown(first))
		unseen := 0
		for shown(second) > 0 && time.Since(began) < 10*time.Minute {
			if second.Sell(second.ids[sku], 1) != "" {
				unseen++
			}
			s.wait(5 * time.Second)
		}
		t.Log("window", time.Since(began))
		if window := time.Since(began); window > 65*time.Second || unseen == 0 {
			t.Errorf("%d units were sold unseen, within %v\n%s", unseen, window, s.log.String())
		}
		s.wait(20 * time.Minute)
		list, err := s.books.VariantStocks(t.Context(), sku)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			if v.SKU == sku && (v.Oversold.String() != strconv.Itoa(unseen) || v.Available.String() != "0") {
				t.Errorf("%s units are told to be oversold and %s available, want %d and 0", v.Oversold, v.Available, unseen)
			}
		}
		if shown(first) > 0 || shown(second) > 0 {
			t.Errorf("the shops show %d and %d of what is sold out", shown(first), shown(second))
		}
	})
}
