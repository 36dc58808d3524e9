package engine_test

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"
	"comptoir/syncstate"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if orders := os.Getenv(serveOrders); orders != "" {
		serveShop(orders)
		return
	}
	goleak.VerifyTestMain(withDatabase{m})
}

// withDatabase runs tests that may want a PostgreSQL server.
type withDatabase struct{ m *testing.M }

// Run runs the tests and returns the exit code.
func (w withDatabase) Run() int { return storetest.Run(w.m) }

// onEachDatabase runs a test on books in a file, where url is "", and on books
// in PostgreSQL. The server is started outside of what the test does, which may
// have a clock of its own.
func onEachDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.URL(t)) })
}

// onEachPlatformAndDatabase runs a test on a shop of each platform, with books on
// each database; on gives a world that is being made an empty one.
func onEachPlatformAndDatabase(t *testing.T, o sandbox.Options, test func(t *testing.T, o sandbox.Options, on func(*world))) {
	onEachPlatform(t, o, func(t *testing.T, o sandbox.Options) {
		t.Run("sqlite", func(t *testing.T) { test(t, o, func(*world) {}) })
		t.Run("postgres", func(t *testing.T) {
			next := storetest.URL(t) // taken here, since the test may have a clock of its own
			test(t, o, func(w *world) {
				if w.url, next = next, ""; w.url == "" {
					w.url = storetest.URL(w.t)
				}
			})
		})
	})
}

// world is one data directory with the engine over it. Real books, real sync
// state; the shop is what the test makes it.
type world struct {
	t    testing.TB
	dir  string
	url  string // of the database of the books; "": a file in dir
	shop engine.Shop
	// others are shops of the same books, which go after shop.
	others []engine.Shop
	now    func() time.Time
	// rates are the exchange rates of what the shop sells in.
	rates []erp.Rate
	rules func(*sales.Rules)    // may change how orders are booked; may be nil
	opts  func(*engine.Options) // may change the options of each start; may be nil
	// policy, where set, is that of all shops: they are told of changes.
	policy *outbox.Policy
	// booksNow is the clock of the books; a test may hang a fault on it.
	booksNow func() time.Time

	stateDir string // of the sync state, where that is not dir

	log    safeBuffer
	books  *erp.Books
	state  *syncstate.Bolt
	engine *engine.Engine
}

// newWorld makes a world around a connector and starts it.
func newWorld(t testing.TB, c connectors.Connector, change ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: engine.Shop{Name: "atelier", Connector: c}, now: time.Now}
	if b, ok := c.(interface {
		now() time.Time
		rates() []erp.Rate
	}); ok { // a storefront in a box
		w.now, w.rates = b.now, b.rates()
	}
	for _, fn := range change {
		fn(w)
	}
	w.start()
	t.Cleanup(w.stop)
	return w
}

// start opens both stores and makes an engine, as a process does.
func (w *world) start() {
	w.t.Helper()
	if w.booksNow == nil {
		w.booksNow = w.now
	}
	log := zerolog.New(&w.log)
	shops := append([]engine.Shop{w.shop}, w.others...)
	rules, policies := map[string]sales.Rules{}, map[string]outbox.Policy{}
	names := make([]string, len(shops))
	for i, s := range shops {
		r := sales.DefaultRules()
		if w.rules != nil {
			w.rules(&r)
		}
		if w.policy != nil {
			r.StockOwner = string(w.policy.Owners[intake.FieldQuantity])
			policies[s.Name], shops[i].Push = *w.policy, w.policy.On
		}
		rules[s.Name], names[i] = r, s.Name
	}
	var err error
	w.books, err = erp.Open(w.t.Context(), erp.Options{
		Path: w.booksFile(), URL: w.url, Now: w.booksNow, Log: log,
		Company: erp.Company{Name: "Atelier Zoé", Currency: "EUR", TimeZone: time.UTC, Chart: "pcg", Rates: w.rates},
		Shops:   rules, Policies: policies, Order: names,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.state, err = syncstate.Open(w.stateFile(), syncstate.Options{Now: w.now, Space: engine.Space})
	if err != nil {
		w.t.Fatal(err)
	}
	o := engine.Options{Books: w.books, State: w.state, Shops: shops, Now: w.now, Log: log}
	if w.opts != nil {
		w.opts(&o)
	}
	if w.engine, err = engine.New(o); err != nil {
		w.t.Fatal(err)
	}
}

// recover compares the sync state with the books, as a process does before it
// works.
func (w *world) recover() {
	w.t.Helper()
	if err := w.engine.Recover(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// stop closes both stores. It may be called again.
func (w *world) stop() {
	if w.books == nil {
		return
	}
	if err := w.books.Close(); err != nil {
		w.t.Error(err)
	}
	if err := w.state.Close(); err != nil {
		w.t.Error(err)
	}
	w.books = nil
}

func (w *world) restart() { w.stop(); w.start() }

func (w *world) booksFile() string { return filepath.Join(w.dir, "books.db") }
func (w *world) stateFile() string { return filepath.Join(cmp.Or(w.stateDir, w.dir), "sync.db") }

// sync reads the shop, and fails the test where that fails.
func (w *world) sync(resources ...intake.Resource) engine.Result {
	w.t.Helper()
	res, err := w.engine.Sync(w.t.Context(), engine.Request{Shop: w.shop.Name, Resources: resources})
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func (w *world) digest() string {
	w.t.Helper()
	d, err := w.books.Digest(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// fence returns how many commits the books have of a stream.
func (w *world) fence(r intake.Resource) int64 {
	w.t.Helper()
	fences, err := w.books.Fences(w.t.Context(), w.shop.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range fences {
		if f.Stream.Resource == r {
			return f.Number
		}
	}
	return 0
}

// inStep fails the test unless the sync state follows the books.
func (w *world) inStep() {
	w.t.Helper()
	fences, err := w.books.Fences(w.t.Context(), w.shop.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	marks, err := w.state.Marks()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range fences {
		name := f.Stream.Shop + "/" + string(f.Stream.Resource)
		if m := marks[name]; m.Fence != f.Number || !bytes.Equal(m.Cursor, f.Cursor) {
			w.t.Errorf("%s: the sync state is at %d %q and the books at %d %q", name, m.Fence, m.Cursor, f.Number, f.Cursor)
		}
	}
}

// keep copies the files of a store that is closed, and returns what puts the
// copy in its place again.
func (w *world) keep(file string) (restore func()) {
	w.t.Helper()
	if w.books != nil {
		w.t.Fatal("the stores are open")
	}
	saved := map[string][]byte{}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		raw, err := os.ReadFile(file + suffix)
		if err == nil {
			saved[suffix] = raw
		} else if !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
	}
	return func() {
		w.t.Helper()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(file + suffix); err != nil && !os.IsNotExist(err) {
				w.t.Fatal(err)
			}
			if raw, ok := saved[suffix]; ok {
				if err := os.WriteFile(file+suffix, raw, 0o600); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// mark returns the mark of a stream of the shop.
func (w *world) mark(r intake.Resource) syncstate.Mark {
	w.t.Helper()
	m, err := w.state.Mark(w.shop.Name + "/" + string(r))
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func mark(fence int64, cursor string) syncstate.Mark {
	return syncstate.Mark{Fence: fence, Cursor: []byte(cursor)}
}
