package engine_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/shopify"
	"comptoir/connectors/woocommerce"
	"comptoir/erp"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

// box is the storefront in a box behind the real connector, in memory. Shop
// and engine share one clock, which only advance moves, unless bubbled.
type box struct {
	connectors.Connector
	*sandbox.Shop

	mu    sync.Mutex
	clock func() time.Time
}

// afterHistory is an hour after the generated history ends.
var afterHistory = time.Date(2026, time.November, 1, 1, 0, 0, 0, time.UTC)

// onEachPlatform runs a test on a shop of each platform. That of Shopify has
// all that only such a shop has: edits, returns, exchanges, shipments in part,
// payouts.
func onEachPlatform(t *testing.T, o sandbox.Options, test func(t *testing.T, o sandbox.Options)) {
	t.Run("woocommerce", func(t *testing.T) { test(t, o) })
	o.Platform, o.Extras = sandbox.Shopify, true
	t.Run("shopify", func(t *testing.T) { test(t, o) })
}

// newBox makes a shop with so many orders.
func newBox(t testing.TB, o sandbox.Options) *box {
	t.Helper()
	b := &box{}
	b.clock = func() time.Time { return afterHistory }
	o.Now = b.now
	b.Shop = sandbox.New(o)
	b.Connector = connect(t, "https://shop.example", b.Shop, b.Transport(), b.now)
	return b
}

// connect makes the real connector of a shop.
func connect(t testing.TB, url string, s *sandbox.Shop, transport http.RoundTripper, now func() time.Time) connectors.Connector {
	t.Helper()
	d, settings := woocommerce.Driver(), map[string]string{"url": url, "consumer_key": s.Key(), "consumer_secret": s.Secret()}
	if s.Platform() == sandbox.Shopify {
		d, settings = shopify.Driver(), map[string]string{"url": url, "access_token": s.Key(), "webhook_secret": s.Secret()}
	}
	c := d.Config()
	for _, f := range c.Fields() {
		if v, ok := settings[f.Key]; ok {
			*f.Value.(*string) = v
		}
		if f.Key == "retry_wait" { // what is played is ready at once
			*f.Value.(*time.Duration) = time.Millisecond
		}
	}
	made, err := d.New(connectors.Env{Shop: "atelier", Transport: transport, Now: now, Log: zerolog.Nop()}, c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (b *box) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock()
}

// live lets time pass for shop and engine.
func (b *box) live(d time.Duration) {
	b.Advance(d)
	later := b.now().Add(d)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = func() time.Time { return later }
}

// bubbled makes box and engine follow the clock of the bubble, which it moves
// to the end of the shop's history first.
func (b *box) bubbled() {
	time.Sleep(time.Until(afterHistory))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = time.Now
}

func (b *box) rates() []erp.Rate { return ratesOf(b.Shop) }

func ratesOf(s *sandbox.Shop) []erp.Rate {
	var rates []erp.Rate
	for currency, rate := range s.Rates() {
		rates = append(rates, erp.Rate{Currency: currency, From: "2000-01-01", Rate: rate})
	}
	return rates
}

func (b *box) List(ctx context.Context, r intake.Resource, yield func([]intake.Ref) error) error {
	return b.Connector.(connectors.Lister).List(ctx, r, yield)
}

func (b *box) Seek(r intake.Resource, since time.Time) connectors.Cursor {
	return b.Connector.(connectors.Seeker).Seek(r, since)
}

// shuffled states what another connector states, with the records of each
// resource and the resources in another order.
type shuffled struct {
	*box
	dice  *rand.Rand
	mixed map[intake.Resource][]intake.Record
	end   map[intake.Resource]connectors.Cursor
}

func shuffle(b *box, seed uint64) *shuffled {
	return &shuffled{box: b, dice: rand.New(rand.NewPCG(seed, seed)),
		mixed: map[intake.Resource][]intake.Record{}, end: map[intake.Resource]connectors.Cursor{}}
}

func (s *shuffled) Streams() []connectors.Stream {
	streams := slices.Clone(s.box.Streams())
	s.dice.Shuffle(len(streams), func(i, j int) { streams[i], streams[j] = streams[j], streams[i] })
	for i := range streams {
		streams[i].Sorted = false
	}
	return streams
}

// Pull reads all that there is at first, and then deals it out.
func (s *shuffled) Pull(ctx context.Context, r intake.Resource, cur connectors.Cursor) (connectors.Page, error) {
	if s.end[r] == nil {
		for more := true; more; {
			page, err := s.box.Pull(ctx, r, s.end[r])
			if err != nil {
				return connectors.Page{}, err
			}
			s.mixed[r] = append(s.mixed[r], page.Records...)
			s.end[r], more = page.Next, page.More
		}
		s.dice.Shuffle(len(s.mixed[r]), func(i, j int) { s.mixed[r][i], s.mixed[r][j] = s.mixed[r][j], s.mixed[r][i] })
	}
	if len(s.mixed[r]) == 0 { // all was dealt out, and cur leads on from there
		if len(cur) == 0 {
			cur = s.end[r]
		}
		return s.box.Pull(ctx, r, cur)
	}
	n := min(1+s.dice.IntN(40), len(s.mixed[r]))
	page := connectors.Page{Records: s.mixed[r][:n], Next: connectors.Cursor{'p', byte(len(s.mixed[r]) % 251)}, More: n < len(s.mixed[r])}
	s.mixed[r] = s.mixed[r][n:]
	if !page.More {
		page.Next = s.end[r]
	}
	return page, nil
}
