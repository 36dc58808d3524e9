package shopify_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/shopify"
	"comptoir/erp/intake"
)

// The ways in which a shop is read for the first time: by pages, and by a bulk
// operation.
func TestConformance(t *testing.T) {
	box := func(bulk string) func(*testing.T) conformance.Subject {
		return func(*testing.T) conformance.Subject {
			return newBox(sandbox.Options{Platform: sandbox.Shopify, Seed: 7, Orders: 50, Extras: true}, bulk)
		}
	}
	t.Run("pages", func(t *testing.T) { conformance.Run(t, box(shopify.BulkNever)) })
	t.Run("bulk", func(t *testing.T) { conformance.RunShop(t, box(shopify.BulkAuto)) })
}

// What is told to a shop arrives once.
func TestPushConformance(t *testing.T) {
	conformance.RunPush(t, func(*testing.T) conformance.Pusher {
		return newBox(sandbox.Options{Platform: sandbox.Shopify, Seed: 7, Orders: 50, Extras: true}, shopify.BulkNever)
	})
}

// box is a sandbox as a subject of the suite.
type box struct {
	shop *sandbox.Shop
	bulk string
	skew time.Duration // of the shop's clock, before ours
}

func newBox(o sandbox.Options, bulk string) *box {
	// The connector's clock stands still but for Advance, so that points would
	// not flow back: there are enough of them.
	o.Points, o.Restore = 1<<30, 1<<20
	b := &box{shop: sandbox.New(o), bulk: bulk}
	b.shop.PlaceOddOrder(sandbox.OddNotANumber)
	b.shop.Advance(5 * time.Minute) // a window ends a little behind the clock
	b.shop.HoldClock()              // the suite says what shares a second
	return b
}

func (b *box) Connect(setup conformance.Setup) (connectors.Connector, error) {
	cfg := shopify.NewConfig()
	cfg.URL, cfg.AccessToken, cfg.Bulk = "https://shop.example", b.shop.Key(), b.bulk
	cfg.WebhookSecret = b.shop.Secret()
	if setup.PageSize > 0 {
		cfg.PageSize = setup.PageSize
	}
	var transport http.RoundTripper = b.shop.Transport()
	if setup.Wire != nil {
		transport = setup.Wire(transport)
	}
	return shopify.New(connectors.Env{
		Shop: "atelier", Transport: transport, Log: setup.Log,
		Now: func() time.Time { return b.Now().Add(-b.skew) },
	}, cfg)
}

func (b *box) Now() time.Time          { return b.shop.Clock() }
func (b *box) Advance(d time.Duration) { b.shop.Advance(d) }
func (b *box) Secrets() []string       { return []string{b.shop.Key()} }

func (b *box) Facts() connectors.Shop {
	return connectors.Shop{Currency: "EUR", TimeZone: "Europe/Paris", ClockOffset: b.skew}
}

func (b *box) IDs(r intake.Resource) []string { return b.shop.IDs(r) }

// Unreadable are the planted orders of which an amount is no number.
func (b *box) Unreadable(r intake.Resource) []string {
	var ids []string
	for id, why := range b.shop.Planted() {
		if r == intake.Orders && strings.Contains(why, "not a number") {
			ids = append(ids, id)
		}
	}
	return ids
}

func (b *box) Do(r intake.Resource, c conformance.Change, id string) (string, error) {
	if id == "" && c != conformance.Add {
		return "", conformance.ErrCannot
	}
	if id = b.do(r, c, id); id == "" {
		return "", conformance.ErrCannot
	}
	return id, nil
}

func (b *box) do(r intake.Resource, c conformance.Change, id string) string {
	switch {
	case c == conformance.Add:
		return b.shop.Add(r)
	case c == conformance.Remove:
		return b.shop.Delete(r, id)
	case c == conformance.Touch && b.shop.Planted()[id] == "":
		return b.shop.Touch(r, id)
	case c == conformance.Edit:
		return b.shop.Edit(r, id)
	case r != intake.Orders:
		return ""
	case c == conformance.Quiet:
		return b.shop.EditOrderSilently(id)
	case c == conformance.Refund && b.shop.RefundOrder(id, true) != "":
		return id // of the order, not of the refund
	case c == conformance.Shelve && slices.Contains(b.shop.OrderIDs("processing"), id):
		return b.shop.TrashOrder(id) // to archive one that was shipped is its usual end
	}
	return ""
}

func (b *box) Misbehave(f conformance.Fault) error {
	switch f {
	case conformance.Duplicates:
		b.shop.Misbehave(sandbox.Fault{Name: "duplicate"})
	case conformance.Reordered:
		b.shop.Misbehave(sandbox.Fault{Name: "reorder"})
	case conformance.RetiredKey:
		b.shop.Misbehave(sandbox.Fault{Name: "retired-key"})
	case conformance.SkewAhead:
		b.skew = 5 * time.Minute
	case conformance.SkewBehind:
		b.skew = -5 * time.Minute
	default:
		return conformance.ErrCannot
	}
	return nil
}

func (b *box) Behave() {
	b.skew = 0
	b.shop.Behave()
}

func (b *box) Stock(of intake.Ref, at string) int   { return b.shop.StockAt(of.ID, at) }
func (b *box) Sell(of intake.Ref, units int) string { return b.shop.Sell(of.ID, units) }
func (b *box) Compares() bool                       { return true }
func (b *box) Writes() int {
	n := 0
	for _, calls := range b.shop.Calls() {
		n += calls
	}
	return n
}

func (b *box) LoseAnswers(n int) {
	b.shop.Behave()
	if n > 0 {
		b.shop.Misbehave(sandbox.Fault{Name: "answer-lost", Count: n})
	}
}

func (b *box) SwitchOff() { b.shop.GiveUp(b.shop.Subscriptions()[0].ID) }

// Deliver hands over what the shop has to tell.
func (b *box) Deliver(ctx context.Context, take func(http.Header, []byte) int) {
	post := sandbox.Deliverer{Shop: b.shop, Transport: answering(take)}
	post.Deliver(ctx)
}

// answering is an address that takes deliveries.
type answering func(http.Header, []byte) int

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: a(r.Header, body), Body: http.NoBody, Request: r}, nil
}
