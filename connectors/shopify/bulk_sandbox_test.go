package shopify_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/shopify"
	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// bulkBox is a sandbox and what it was asked for.
type bulkBox struct {
	*sandbox.Shop
	mu    sync.Mutex
	asked []string // documents by their names, and "the result"
}

// newBulkBox makes one with orders that cannot be understood among them.
func newBulkBox(orders int) *bulkBox {
	b := &bulkBox{}
	b.Shop = sandbox.New(sandbox.Options{Seed: 11, Orders: orders, Platform: sandbox.Shopify, Points: 1e9, Restore: 1e9})
	b.PlaceOddOrder(sandbox.OddNotANumber)
	b.Advance(time.Hour)
	return b
}

// RoundTrip takes down what is asked for.
func (b *bulkBox) RoundTrip(req *http.Request) (*http.Response, error) {
	what := "the result"
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		what = strings.FieldsFunc(string(body), func(r rune) bool { return strings.ContainsRune(` "{(:\`, r) })[2]
	}
	b.mu.Lock()
	b.asked = append(b.asked, what)
	b.mu.Unlock()
	return b.Transport().RoundTrip(req)
}

func (b *bulkBox) connect(t testing.TB, bulk string) *shopify.Connector {
	t.Helper()
	cfg := shopify.NewConfig()
	cfg.URL, cfg.AccessToken, cfg.Bulk, cfg.RetryWait = "https://atelier.myshopify.com", b.Key(), bulk, 20*time.Microsecond
	c, err := shopify.New(connectors.Env{Shop: "atelier", Transport: b, Now: b.Clock, Log: zerolog.Nop(), Spool: t.TempDir()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// orderRun is a run over all orders.
type orderRun struct {
	digests map[string]string // of orders that were not gone when the run ended
	cursor  connectors.Cursor
	between func(page int) // called after each page; may be nil
	pages   int
}

// read reads from the cursor to the end of a run, and tries again what fails.
func (r *orderRun) read(t testing.TB, c connectors.Connector) {
	t.Helper()
	if r.digests == nil {
		r.digests = map[string]string{}
	}
	failures := 0
	for more := true; more; {
		page, err := c.Pull(t.Context(), intake.Orders, r.cursor)
		if err != nil {
			if failures++; failures > 20 {
				t.Fatal(err)
			}
			continue
		}
		for _, rec := range page.Records {
			if r.digests[rec.Ref.ID] = rec.Digest; rec.Gone() {
				delete(r.digests, rec.Ref.ID)
			}
		}
		r.cursor, more = page.Next, page.More
		if r.pages++; r.between != nil {
			r.between(r.pages)
		}
	}
}

// paged is what reading page by page brings.
func paged(t *testing.T, b *bulkBox) map[string]string {
	t.Helper()
	var r orderRun
	c := b.connect(t, shopify.BulkNever)
	r.read(t, c)
	r.read(t, c) // those of the last moments
	if len(r.digests) == 0 {
		t.Fatal("pages bring no orders")
	}
	return r.digests
}

func TestOrdersAreTheSameInBulkByPageAndOneByOne(t *testing.T) {
	b := newBulkBox(300)
	var bulk orderRun
	bulk.read(t, b.connect(t, shopify.BulkAuto))
	if !slices.Contains(b.asked, "the result") {
		t.Error("no bulk operation was read")
	}
	if len(bulk.digests) != len(b.IDs(intake.Orders)) {
		t.Errorf("%d orders have come, the shop has %d", len(bulk.digests), len(b.IDs(intake.Orders)))
	}
	if diff := cmp.Diff(paged(t, b), bulk.digests); diff != "" {
		t.Errorf("by page (-), in bulk (+): %s", diff)
	}
	var refs []intake.Ref
	for id := range bulk.digests {
		refs = append(refs, intake.Ref{Kind: intake.KindOrder, ID: id})
	}
	records, err := b.connect(t, shopify.BulkNever).Fetch(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	fetched := map[string]string{}
	for _, rec := range records {
		fetched[rec.Ref.ID] = rec.Digest
	}
	if diff := cmp.Diff(fetched, bulk.digests); diff != "" {
		t.Errorf("one by one (-), in bulk (+): %s", diff)
	}
}

func TestAllOrdersComeWhateverBecomesOfBulkOperations(t *testing.T) {
	for _, fault := range []string{"bulk-failed", "bulk-expired", "bulk-short", "bulk-cut", "bulk-stuck", "bulk-full", "denied",
		"bulk-failed:count=1", "bulk-expired:count=1", "bulk-short:count=2", "bulk-cut:count=5", "bulk-stuck:count=9", "bulk-full:count=3"} {
		t.Run(fault, func(t *testing.T) {
			b := newBulkBox(60)
			f, err := sandbox.ParseFault(fault)
			if err != nil {
				t.Fatal(err)
			}
			b.Misbehave(f)
			want := paged(t, b)
			b.asked = nil
			var bulk orderRun
			bulk.read(t, b.connect(t, shopify.BulkAuto))
			if diff := cmp.Diff(want, bulk.digests); diff != "" {
				t.Errorf("by page (-), in bulk (+): %s", diff)
			}
			helped := strings.Contains(fault, "count")
			pages := 0
			for _, what := range b.asked {
				if what == "orders" {
					pages++
				}
			}
			byPage := pages > 1 // one is that of the window of changes
			if helped == byPage {
				t.Errorf("read by page: %v, want %v: %q", byPage, !helped, b.asked)
			}
		})
	}
}

// Orders that change, appear and vanish while a result is read come with the
// window of changes after it, however late the result states them.
func TestChangesWhileAResultIsReadAreNotLost(t *testing.T) {
	b := newBulkBox(1200)
	r := orderRun{between: func(page int) {
		if page > 8 {
			return
		}
		ids := b.IDs(intake.Orders)
		b.Advance(time.Minute)
		b.Edit(intake.Orders, ids[page*7%len(ids)])
		b.RefundOrder(ids[len(ids)-1-page], true)
		b.Add(intake.Orders)
		b.Delete(intake.Orders, ids[page*11%len(ids)])
	}}
	c := b.connect(t, shopify.BulkAuto)
	r.read(t, c)
	r.between = nil
	b.Advance(time.Hour) // windows end a little before now
	r.read(t, c)
	if diff := cmp.Diff(paged(t, b), r.digests); diff != "" {
		t.Errorf("by page (-), in bulk (+): %s", diff)
	}
}

// BenchmarkFirstOrders tells how many orders a second come from the sandbox,
// both ways.
func BenchmarkFirstOrders(b *testing.B) {
	const orders = 3_000
	for _, bulk := range []string{shopify.BulkAuto, shopify.BulkNever} {
		b.Run("bulk="+bulk, func(b *testing.B) {
			box := newBulkBox(orders)
			for b.Loop() {
				var r orderRun
				r.read(b, box.connect(b, bulk))
			}
			b.ReportMetric(orders*float64(b.N)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}
