package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/store/storetest"

	"github.com/shopspring/decimal"
)

// Two processes on one PostgreSQL database, each with a data directory of its
// own, are given the same two shops. One of them keeps the shops in step and the
// other stands by. The hints of the shops come to either. Again and again the
// one at work is killed in the middle of telling the shops, the other goes on,
// and the first comes back to stand by. In the end the shops have what they are
// to have, and nothing happened twice.
func TestProcessesOnOneDatabaseGoOnForEachOther(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	c := newCrew(t, rand.New(rand.NewPCG(seed, 6)))
	c.hands[0].start()
	c.until("the first one has told the shops all they should have", c.quiet)
	c.hands[1].start()
	c.until("the second one says that it stands by", func() bool {
		return strings.Contains(c.output("status", "--data", c.hands[1].dir), "shopify: another comptoir process syncs it")
	})
	c.hintsReachTheOtherOne()
	categories, products := c.categories(), len(c.shops[platforms[1]].IDs(intake.Products))
	rounds := 2
	if os.Getenv("COMPTOIR_TEST_REQUIRE") == "all" {
		rounds = 4
	}
	for round := range rounds {
		c.change(round)
		time.Sleep(time.Duration(c.dice.Int64N(int64(1500 * time.Millisecond))))
		at := c.hands[round%2]
		c.first.Store(int32(c.dice.IntN(2)))
		at.kill()
		if c.dice.IntN(3) == 0 {
			c.change(rounds + round) // nobody is there to see it
		}
		c.until("the other one has gone on", c.quiet)
		at.start()
	}
	c.until("all is told", c.quiet)
	for _, h := range c.hands {
		h.stop()
	}
	c.agree(categories)
	if got, want := len(c.shops[platforms[1]].IDs(intake.Products)), products+c.published; got != want {
		t.Errorf("%s has %d products, want %d", platforms[1], got, want)
	}
}

// crew is two processes that share a database and two shops.
type crew struct {
	*history
	dice  *rand.Rand
	url   string // of the database
	shops map[string]*sandbox.Shop
	hands [2]*hand
	first atomic.Int32 // which of them the hints are sent to

	added, shipped int
	published      int            // products of the first shop in the second
	refunded       map[string]int // how often, by shop and order
}

// hand is one of the processes.
type hand struct {
	t      *testing.T
	of     *crew
	dir    string
	listen string
	cmd    *exec.Cmd
	log    bytes.Buffer
}

func newCrew(t *testing.T, dice *rand.Rand) *crew {
	t.Helper()
	dir := t.TempDir()
	c := &crew{dice: dice, url: storetest.URL(t), shops: map[string]*sandbox.Shop{}, refunded: map[string]int{},
		history: &history{t: t, config: filepath.Join(dir, "comptoir.yaml"), data: filepath.Join(dir, "office")}}
	c.env = []string{"COMPTOIR_BOOKS_URL=" + c.url}
	rates := map[money.Currency]decimal.Decimal{}
	var made []config.Made
	for _, platform := range platforms {
		b := box{name: platform, platform: platform, owned: []intake.Field{intake.FieldQuantity, intake.FieldPrice, intake.FieldSale, intake.FieldCategories, intake.FieldShipments}}
		shop := sandbox.New(sandbox.Options{Platform: b.speaks(), Seed: killSeed, Orders: 30, Common: true})
		shop.Quieten()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			shop.Handler().ServeHTTP(w, r)
			time.Sleep(5 * time.Millisecond) // so that a kill finds it at work
		}))
		t.Cleanup(server.Close)
		m, err := b.made(shop, strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		c.shops[platform], made = shop, append(made, m)
		maps.Copy(rates, shop.Rates())
		post := sandbox.Deliverer{Shop: shop, Transport: c}
		go post.Run(t.Context(), 200*time.Millisecond)
		go c.live(shop)
	}
	conf, err := config.Make(rates, made...)
	if err != nil {
		t.Fatal(err)
	}
	conf.Data, conf.Webhooks.URL = c.data, "https://comptoir.example"
	if err := writeSource(conf, c.config); err != nil {
		t.Fatal(err)
	}
	for i := range c.hands {
		c.hands[i] = &hand{t: t, of: c, dir: filepath.Join(dir, "hand"+strconv.Itoa(i)), listen: freePort(t)}
		t.Cleanup(c.hands[i].kill)
	}
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// live lets time pass in a shop as it passes here.
func (c *crew) live(shop *sandbox.Shop) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			shop.Advance(time.Second)
		case <-c.t.Context().Done():
			return
		}
	}
}

// RoundTrip carries a hint to one of the processes that are there, as a load
// balancer does.
func (c *crew) RoundTrip(r *http.Request) (*http.Response, error) {
	var errs error
	for i := range c.hands {
		to := r.Clone(r.Context())
		to.URL.Scheme, to.URL.Host = "http", c.hands[(int(c.first.Load())+i)%2].listen
		if r.GetBody != nil {
			to.Body, _ = r.GetBody()
		}
		res, err := http.DefaultTransport.RoundTrip(to)
		if err == nil {
			return res, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, errs
}

func (h *hand) start() {
	h.t.Helper()
	h.cmd = exec.Command("comptoir", "--config", h.of.config, "--data", h.dir, "run")
	h.cmd.Env = append(os.Environ(), "COMPTOIR_BOOKS_URL="+h.of.url, "COMPTOIR_WEBHOOKS_LISTEN="+h.listen)
	h.cmd.Stderr = &h.log
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.of.until("it takes hints", func() bool {
		conn, err := net.Dial("tcp", h.listen)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (h *hand) kill() {
	if h.cmd != nil {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
		h.cmd = nil
	}
}

func (h *hand) stop() {
	h.t.Helper()
	if err := errors.Join(h.cmd.Process.Signal(syscall.SIGTERM), h.cmd.Wait()); err != nil {
		h.t.Errorf("%v\n%s", err, h.log.String())
	}
	h.cmd = nil
}

// until waits until something is so.
func (c *crew) until(what string, so func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			for i, h := range c.hands {
				c.t.Logf("process %d:\n%s", i, h.log.String())
			}
			c.t.Fatalf("it did not come to be that %s; waiting: %s", what, c.output("outbox", "list"))
		}
	}
}

// quiet reports whether a process is at work and the shops were told all that
// they should be.
func (c *crew) quiet() bool {
	var orders, messages int
	c.count(`SELECT COUNT(*) FROM sales_order`, &orders)
	c.count(`SELECT COUNT(*) FROM outbox`, &messages)
	return orders > 0 && messages == 0
}

func (c *crew) count(query string, n *int) {
	c.t.Helper()
	db, err := sql.Open("pgx", c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(n); err != nil {
		*n = 0 // the first process has not made the tables yet
	}
}

// hintsReachTheOtherOne sells in one shop while all hints come to the process
// that stands by: the other shop hears of it long before the next reading.
func (c *crew) hintsReachTheOtherOne() {
	c.t.Helper()
	c.first.Store(1)
	defer c.first.Store(0)
	c.until("the shops know where to send hints", func() bool {
		for _, shop := range c.shops {
			if len(shop.Subscriptions()) == 0 {
				return false
			}
		}
		return true
	})
	for _, pair := range [][2]string{{platforms[0], platforms[1]}, {platforms[1], platforms[0]}} {
		here, there := c.shops[pair[0]], c.shops[pair[1]]
		sku, id := c.article(pair[0])
		before, _ := there.Stock(there.VariantOf(sku))
		sold := here.Sell(id, 2)
		if sold == "" {
			c.t.Fatalf("%s did not sell %s", pair[0], sku)
		}
		began := time.Now()
		c.until(fmt.Sprintf("%s has heard of what %s sold", pair[1], pair[0]), func() bool {
			now, _ := there.Stock(there.VariantOf(sku))
			return now == before-2
		})
		c.t.Logf("%s knows what %s sold after %v", pair[1], pair[0], time.Since(began).Round(100*time.Millisecond))
	}
}

// article returns something that a shop has some of, and its variant there.
func (c *crew) article(shop string) (sku, id string) {
	c.t.Helper()
	skus := c.counted()
	for range 100 {
		sku = skus[c.dice.IntN(len(skus))]
		id = c.shops[shop].VariantOf(sku)
		other := true
		for _, s := range c.shops {
			left, counted := s.Stock(s.VariantOf(sku))
			other = other && counted && left > 10
		}
		if id != "" && other {
			return sku, id
		}
	}
	c.t.Fatal("the shops have nothing to sell")
	return "", ""
}

// change changes stock, prices and categories in the books, has something new of
// one shop made in the other, ships an order of each shop, and gives a part of
// its money back.
func (c *crew) change(round int) {
	c.t.Helper()
	skus := c.counted()
	for range 4 {
		c.output("stock", "adjust", skus[c.dice.IntN(len(skus))], "--by", strconv.Itoa(1+c.dice.IntN(9)), "--reason", "found")
	}
	c.output("price", "set", skus[c.dice.IntN(len(skus))], fmt.Sprintf("%d.%02d", 50+c.dice.IntN(40), c.dice.IntN(100)))
	c.output("category", "add", "Rayon "+strconv.Itoa(round))
	c.added++
	fresh := "NEW-" + c.shops[platforms[0]].Add(intake.Products)
	c.until(fresh+" is in the books", func() bool {
		var n int
		c.count(`SELECT COUNT(*) FROM variant WHERE sku = '`+fresh+`'`, &n)
		return n > 0
	})
	c.output("product", "publish", fresh, platforms[1])
	c.published++
	for _, name := range platforms {
		_, id := c.article(name)
		order := c.shops[name].Sell(id, 1)
		if order == "" || !slices.Contains(c.shops[name].IDs(intake.Orders), order) {
			continue
		}
		if !c.inBooks(name, order) {
			continue
		}
		c.output("shipment", "add", name, order, "--carrier", "Colissimo", "--tracking", "8L"+name+order)
		c.shipped++
		c.output("order", "refund", name, order, "--amount", "1.00", "--reason", "late")
		c.refunded[name+"/"+order]++
	}
}

// inBooks waits until an order is in the books; test orders are left out there.
func (c *crew) inBooks(shop, order string) bool {
	for range 100 {
		var n int
		c.count(`SELECT COUNT(*) FROM origin g JOIN shop s ON s.id = g.shop_id WHERE g.kind = 'order' AND s.name = '`+shop+`' AND g.external_id = '`+order+`'`, &n)
		if n > 0 {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

func (c *crew) categories() map[string]int {
	n := map[string]int{}
	for name, shop := range c.shops {
		n[name] = len(shop.IDs(intake.Categories))
	}
	return n
}

// agree compares the shops with the books, and counts what must have happened
// once.
func (c *crew) agree(before map[string]int) {
	c.t.Helper()
	for _, verb := range []string{"sync", "push"} { // what was not due yet
		for _, name := range platforms {
			c.output(verb, name)
		}
	}
	for _, name := range platforms {
		if out, err := c.command("verify", name).CombinedOutput(); err != nil {
			c.t.Errorf("verify %s: %v\n%s", name, err, out)
		}
		var told struct {
			Changes []any `json:"changes"`
		}
		if err := json.Unmarshal([]byte(c.output("push", name, "--all", "--json")), &told); err != nil {
			c.t.Fatal(err)
		}
		if len(told.Changes) > 0 {
			c.t.Errorf("%s was told more: %v", name, told.Changes)
		}
		if got, want := len(c.shops[name].IDs(intake.Categories)), before[name]+c.added; got != want {
			c.t.Errorf("%s has %d categories, want %d", name, got, want)
		}
	}
	c.eachShippedOnce(c.shipped)
	for order, want := range c.refunded {
		shop, id, _ := strings.Cut(order, "/")
		var got int
		c.count(`SELECT COUNT(*) FROM refund r JOIN origin g ON g.local_id = r.order_id AND g.kind = 'order' JOIN shop s ON s.id = g.shop_id
			WHERE NOT r.removed AND s.name = '`+shop+`' AND g.external_id = '`+id+`'`, &got)
		if got != want {
			c.t.Errorf("order %s was refunded %d times, want %d", order, got, want)
		}
	}
	c.t.Logf("%d orders shipped and refunded, %d products published", c.shipped, c.published)
}
