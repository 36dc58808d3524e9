package engine_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
	"comptoir/erp/store"

	"github.com/rs/zerolog"
	_ "modernc.org/sqlite"
)

// over starts a world around a shop that is served over HTTP on loopback.
func over(b *testing.B, s *sandbox.Shop, url string, transport http.RoundTripper) *world {
	b.Helper()
	now := func() time.Time { return afterHistory }
	w := &world{t: b, dir: b.TempDir(), now: now, rates: ratesOf(s)}
	w.shop = engine.Shop{Name: "atelier", Connector: connect(b, url, s, transport, now)}
	w.start()
	b.Cleanup(w.stop)
	return w
}

// BenchmarkPull pulls 10,000 orders over HTTP into the books, and then inserts
// the rows that this made into an empty database of the same schema: without
// triggers and foreign keys, with prepared statements, 100 orders to a
// transaction. The metric ratio is the time of the rows alone through the time
// of the whole.
func BenchmarkPull(b *testing.B) {
	const orders = 10_000
	for b.Loop() {
		b.StopTimer()
		s := sandbox.New(sandbox.Options{Seed: 1, Orders: orders, Now: func() time.Time { return afterHistory }})
		server := httptest.NewServer(s.Handler())
		w := over(b, s, server.URL, http.DefaultTransport)
		b.StartTimer()
		began := time.Now()
		w.sync()
		whole := time.Since(began)
		b.StopTimer()
		server.Close()
		w.stop()
		raw, rows := insertRaw(b, w.booksFile(), orders/100)
		b.ReportMetric(orders/whole.Seconds(), "orders/s")
		b.ReportMetric(orders/raw.Seconds(), "raw-orders/s")
		b.ReportMetric(float64(rows)/orders, "rows/order")
		b.ReportMetric(raw.Seconds()/whole.Seconds(), "ratio")
		b.StartTimer()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// insertRaw copies all rows of the books into an empty database, in so many
// transactions, and returns how long the writing took.
func insertRaw(b *testing.B, books string, transactions int) (took time.Duration, rows int) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "raw.db")
	empty, err := store.Open(b.Context(), store.Options{Path: path, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	if err := empty.Close(); err != nil {
		b.Fatal(err)
	}
	from := openRaw(b, books)
	defer from.Close()
	to := openRaw(b, path)
	defer to.Close()
	to.SetMaxOpenConns(1)
	for _, name := range names(b, to, "trigger") {
		must(b, to, "DROP TRIGGER "+name)
	}
	tables := names(b, from, "table")
	content := map[string][][]any{}
	inserts := map[string]*sql.Stmt{}
	for _, name := range tables {
		must(b, to, "DELETE FROM "+name)
		all, columns := rowsOf(b, from, name)
		if len(all) == 0 {
			continue
		}
		content[name] = all
		rows += len(all)
		stmt, err := to.Prepare("INSERT INTO " + name + " VALUES (?" + strings.Repeat(", ?", columns-1) + ")")
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		inserts[name] = stmt
	}
	must(b, to, "PRAGMA wal_checkpoint(TRUNCATE)")
	began := time.Now()
	for i := range transactions {
		tx, err := to.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for name, all := range content {
			stmt := tx.Stmt(inserts[name])
			for _, row := range all[len(all)*i/transactions : len(all)*(i+1)/transactions] {
				if _, err := stmt.Exec(row...); err != nil {
					b.Fatalf("insert into %s: %v", name, err)
				}
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began), rows
}

// openRaw opens a database with the settings of the books, but for the foreign
// keys.
func openRaw(b *testing.B, path string) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(wal)&_pragma=synchronous(full)"+
		"&_pragma=foreign_keys(off)&_pragma=wal_autocheckpoint(20000)&_pragma=cache_size(-32768)")
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func must(b *testing.B, db *sql.DB, q string) {
	b.Helper()
	if _, err := db.Exec(q); err != nil {
		b.Fatalf("%s: %v", q, err)
	}
}

func names(b *testing.B, db *sql.DB, kind string) []string {
	b.Helper()
	rows, err := db.Query("SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name", kind)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			b.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}

// rowsOf reads a table in the order in which it was written.
func rowsOf(b *testing.B, db *sql.DB, name string) (all [][]any, columns int) {
	b.Helper()
	rows, err := db.Query("SELECT * FROM " + name)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		row, at := make([]any, len(cols)), make([]any, len(cols))
		for i := range row {
			at[i] = &row[i]
		}
		if err := rows.Scan(at...); err != nil {
			b.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all, len(cols)
}

// BenchmarkSlowShop pulls from a shop that takes 0.7 s for a page of 100, and
// then makes the same requests again and does nothing with the answers. The
// metric ratio is the time of the pull through the time of the requests.
func BenchmarkSlowShop(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := sandbox.New(sandbox.Options{Seed: 1, Orders: 2_000, Now: func() time.Time { return afterHistory }})
		s.Pace(700 * time.Millisecond)
		tape := &tape{to: s.Transport()}
		w := over(b, s, "https://shop.example", tape)
		b.StartTimer()
		began := time.Now()
		w.sync()
		whole := time.Since(began)
		b.StopTimer()
		w.stop()
		served := tape.again(b)
		b.ReportMetric(whole.Seconds(), "pull-s")
		b.ReportMetric(served.Seconds(), "shop-s")
		b.ReportMetric(whole.Seconds()/served.Seconds(), "ratio")
		b.StartTimer()
	}
}

// tape remembers the requests that it carries.
type tape struct {
	to   http.RoundTripper
	mu   sync.Mutex
	made []*http.Request
}

func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.made = append(t.made, r.Clone(context.WithoutCancel(r.Context())))
	t.mu.Unlock()
	return t.to.RoundTrip(r)
}

// again makes all requests one after the other, and returns how long it took.
func (t *tape) again(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	for _, r := range t.made {
		resp, err := t.to.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// The environment variable that asks for BenchmarkBackfill and BenchmarkBulk,
// with the number of orders, and those by which the test binary is started as a
// shop.
const (
	backfillOrders = "COMPTOIR_BENCH_BACKFILL"
	serveOrders    = "COMPTOIR_BENCH_SERVE"
	servePlatform  = "COMPTOIR_BENCH_PLATFORM"
	serveCommon    = "COMPTOIR_BENCH_COMMON"
)

// BenchmarkBackfill pulls 100,000 orders from a shop in another process. It
// takes minutes, so it runs only when asked for:
//
//	COMPTOIR_BENCH_BACKFILL=100000 go test -run '^$' -bench Backfill -benchtime 1x -timeout 1h ./cmd/internal/engine
//
// Its metrics are the most memory that this process ever held, and the speed
// of the last 10,000 orders through that of the first 10,000.
func BenchmarkBackfill(b *testing.B) {
	orders, err := strconv.Atoi(os.Getenv(backfillOrders))
	if err != nil {
		b.Skipf("set %s to the number of orders to pull", backfillOrders)
	}
	s := sandbox.New(sandbox.Options{Seed: 1}) // for its key; the orders are in the other process
	url := startShop(b, sandbox.WooCommerce, orders)
	for b.Loop() {
		w := over(b, s, url, http.DefaultTransport)
		var at []time.Duration // when each page was done
		var done []int
		began := time.Now()
		w.opts = func(o *engine.Options) {
			o.Progress = func(p engine.Progress) {
				if p.Resource == intake.Orders {
					at, done = append(at, time.Since(began)), append(done, p.Done)
				}
			}
		}
		w.restart()
		w.sync()
		whole := time.Since(began)
		last := done[len(done)-1]
		speed := func(from, to int) float64 {
			i, _ := slices.BinarySearch(done, from)
			j, _ := slices.BinarySearch(done, to)
			return float64(done[j]-done[i]) / (at[j] - at[i]).Seconds()
		}
		part := min(10_000, last/3)
		b.ReportMetric(float64(last)/whole.Seconds(), "orders/s")
		b.ReportMetric(speed(last-part, last)/speed(0, part), "last/first")
		b.ReportMetric(float64(mostMemory(b))/(1<<20), "MB-peak")
		w.stop()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// BenchmarkBulk pulls 100,000 orders from a Shopify shop by a bulk operation,
// and then the same history from a WooCommerce shop, each shop in another
// process. It takes minutes, so it runs only when asked for:
//
//	COMPTOIR_BENCH_BACKFILL=100000 go test -run '^$' -bench Bulk -benchtime 1x -timeout 1h ./cmd/internal/engine
//
// Its metrics are the most memory that this process held until the first pull
// ended, the orders a second of both, and the first through the second.
func BenchmarkBulk(b *testing.B) {
	orders, err := strconv.Atoi(os.Getenv(backfillOrders))
	if err != nil {
		b.Skipf("set %s to the number of orders to pull", backfillOrders)
	}
	b.Setenv(serveCommon, "yes") // both tell the same
	pull := func(platform sandbox.Platform) (perSecond float64) {
		url := startShop(b, platform, orders)
		w := over(b, sandbox.New(sandbox.Options{Seed: 1, Platform: platform}), url, http.DefaultTransport)
		began := time.Now()
		for _, r := range w.sync().Resources {
			if r.Resource == intake.Orders {
				perSecond = float64(r.Applied+r.Parked) / time.Since(began).Seconds()
			}
		}
		w.stop()
		return perSecond
	}
	for b.Loop() {
		bulk := pull(sandbox.Shopify)
		b.ReportMetric(float64(mostMemory(b))/(1<<20), "MB-peak")
		pages := pull(sandbox.WooCommerce)
		b.ReportMetric(bulk, "bulk-orders/s")
		b.ReportMetric(pages, "woo-orders/s")
		b.ReportMetric(bulk/pages, "ratio")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// startShop starts this binary as a shop, and returns its address.
func startShop(b *testing.B, platform sandbox.Platform, orders int) string {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), serveOrders+"="+strconv.Itoa(orders), servePlatform+"="+string(platform))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close() // ends it
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// serveShop is the other side of startShop: it serves until its standard input
// ends.
func serveShop(orders string) {
	n, err := strconv.Atoi(orders)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	o := sandbox.Options{Seed: 1, Orders: n, Platform: sandbox.Platform(os.Getenv(servePlatform)), Common: os.Getenv(serveCommon) != ""}
	if o.Platform != sandbox.Shopify { // which has its points back in real time
		o.Now = func() time.Time { return afterHistory }
	}
	s := sandbox.New(o)
	server := httptest.NewServer(s.Handler())
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}

// mostMemory returns the most memory in bytes that this process ever had
// resident, as Linux counts it.
func mostMemory(b *testing.B) int64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("the peak of memory is only known on Linux: ", err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb << 10
		}
	}
	b.Fatal("no VmHWM in /proc/self/status")
	return 0
}
