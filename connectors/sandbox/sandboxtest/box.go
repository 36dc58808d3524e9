// Package sandboxtest makes a sandbox the subject of the conformance suite, for
// the tests of the connectors. A connector's own test says how it connects.
package sandboxtest

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
)

var _ conformance.Pusher = (*Box)(nil)

// URL is where a box is, for a configuration.
const URL = "https://shop.example"

// skew is how far the clocks of the shop and the connector are apart where they
// differ.
const skew = 5 * time.Minute

// Box is a sandbox with a connector to it. The connector's clock is the shop's,
// but for a skew. Shop and Open are required.
type Box struct {
	Shop     *sandbox.Shop
	Platform sandbox.Platform // that the shop was made for
	// Open makes a connector to the shop at URL. A page holds at most so many
	// records; 0 leaves the connector its default.
	Open func(env connectors.Env, pageSize int) (connectors.Connector, error)

	skew time.Duration // of the shop's clock, before the connector's
}

// Connect makes a connector as the suite wants it.
func (b *Box) Connect(setup conformance.Setup) (connectors.Connector, error) {
	var transport http.RoundTripper = b.Shop.Transport()
	if setup.Wire != nil {
		transport = setup.Wire(transport)
	}
	return b.Open(connectors.Env{
		Shop: "atelier", Transport: transport, Log: setup.Log,
		Now: func() time.Time { return b.Now().Add(-b.skew) },
	}, setup.PageSize)
}

// Now is the time on the shop's clock.
func (b *Box) Now() time.Time { return b.Shop.Clock() }

// Advance moves it.
func (b *Box) Advance(d time.Duration) { b.Shop.Advance(d) }

// Secrets are the key and the secret of the shop.
func (b *Box) Secrets() []string { return []string{b.Shop.Key(), b.Shop.Secret()} }

// Facts are the same for each sandbox.
func (b *Box) Facts() connectors.Shop {
	return connectors.Shop{Currency: "EUR", TimeZone: "Europe/Paris", ClockOffset: b.skew}
}

// IDs lists what the shop has.
func (b *Box) IDs(r intake.Resource) []string { return b.Shop.IDs(r) }

// Unreadable are the planted orders of which an amount is no number.
func (b *Box) Unreadable(r intake.Resource) []string {
	var ids []string
	for id, why := range b.Shop.Planted() {
		if r == intake.Orders && strings.Contains(why, "not a number") {
			ids = append(ids, id)
		}
	}
	return ids
}

// Do makes a change happen.
func (b *Box) Do(r intake.Resource, c conformance.Change, id string) (string, error) {
	if id == "" && c != conformance.Add {
		return "", conformance.ErrCannot
	}
	if id = b.do(r, c, id); id == "" {
		return "", conformance.ErrCannot
	}
	return id, nil
}

func (b *Box) do(r intake.Resource, c conformance.Change, id string) string {
	switch {
	case c == conformance.Add && r == intake.Trash:
		return b.Shop.TrashOrder("")
	case c == conformance.Add:
		return b.Shop.Add(r)
	case c == conformance.Remove:
		return b.Shop.Delete(r, id)
	case c == conformance.Touch && b.Shop.Planted()[id] == "":
		return b.Shop.Touch(r, id)
	case c == conformance.Edit && r != intake.Trash:
		return b.Shop.Edit(r, id)
	case r == intake.Orders:
		return b.doToOrder(c, id)
	default:
		return ""
	}
}

// doToOrder makes a change happen that only orders know. It returns the order's
// id, and not that of a refund.
func (b *Box) doToOrder(c conformance.Change, id string) string {
	shopify := b.Platform == sandbox.Shopify
	switch refunds := b.Shop.RefundIDs(id); {
	case c == conformance.Quiet:
		return b.Shop.EditOrderSilently(id)
	case c == conformance.Refund && b.Shop.RefundOrder(id, true) != "":
		return id
	case c == conformance.Unrefund && !shopify && len(refunds) > 0 && b.Shop.DeleteRefund(refunds[0]) != "":
		return id
	case c == conformance.Shelve && (!shopify || slices.Contains(b.Shop.OrderIDs("processing"), id)):
		return b.Shop.TrashOrder(id) // to archive one that was shipped is its usual end at Shopify
	default:
		return ""
	}
}

// Misbehave makes the shop commit a fault.
func (b *Box) Misbehave(f conformance.Fault) error {
	names := map[conformance.Fault]string{conformance.Duplicates: "duplicate", conformance.Reordered: "reorder", conformance.RetiredKey: "retired-key"}
	switch name := names[f]; {
	case name != "":
		b.Shop.Misbehave(sandbox.Fault{Name: name})
	case f == conformance.SkewAhead:
		b.skew = skew
	case f == conformance.SkewBehind:
		b.skew = -skew
	default:
		return conformance.ErrCannot
	}
	return nil
}

// Behave ends all faults.
func (b *Box) Behave() {
	b.skew = 0
	b.Shop.Behave()
}

// Stock is what the shop has of a variant.
func (b *Box) Stock(of intake.Ref, at string) int { return b.Shop.StockAt(of.ID, at) }

// Sell has a customer buy.
func (b *Box) Sell(of intake.Ref, units int) string { return b.Shop.Sell(of.ID, units) }

// Compares is true of Shopify.
func (b *Box) Compares() bool { return b.Platform == sandbox.Shopify }

// Writes counts what could have changed something.
func (b *Box) Writes() int {
	n := 0
	for _, calls := range b.Shop.Calls() {
		n += calls
	}
	return n
}

// LoseAnswers has the next n answers to what changes something get lost.
func (b *Box) LoseAnswers(n int) {
	b.Shop.Behave()
	if n > 0 {
		b.Shop.Misbehave(sandbox.Fault{Name: "answer-lost", Count: n})
	}
}

// SwitchOff has the shop give up its first subscription.
func (b *Box) SwitchOff() { b.Shop.GiveUp(b.Shop.Subscriptions()[0].ID) }

// Deliver hands over what the shop has to tell.
func (b *Box) Deliver(ctx context.Context, take func(http.Header, []byte) int) {
	post := sandbox.Deliverer{Shop: b.Shop, Transport: answering(take)}
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
