package shopify

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// box is a Keeper in memory.
type box struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (b *box) Kept(_ context.Context, name string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[name], nil
}

func (b *box) Keep(_ context.Context, name string, value []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil {
		b.kept = map[string][]byte{}
	}
	b.kept[name] = slices.Clone(value)
	return nil
}

func orderRef(id string) intake.Ref { return intake.Ref{Kind: intake.KindOrder, ID: id} }

// anOrder is the order as the shop states it.
func anOrder(t *testing.T, c *Connector, id string) *intake.Order {
	t.Helper()
	recs, err := c.Fetch(t.Context(), []intake.Ref{orderRef(id)})
	if err != nil {
		t.Fatal(err)
	}
	o, ok := recs[0].Body.(*intake.Order)
	if !ok {
		t.Fatalf("%s: %+v", id, recs[0])
	}
	return o
}

// paidOrder places and pays an order that fits.
func paidOrder(t *testing.T, shop *sandbox.Shop, c *Connector, fits func(*intake.Order) bool) (string, *intake.Order) {
	t.Helper()
	for range 200 {
		id := shop.PlaceOrder()
		shop.PayOrder(id) // unless a card has paid it
		if o := anOrder(t, c, id); o.State == intake.StateOpen && len(o.Shipments) == 0 && len(o.GiftCards) == 0 && fits(o) {
			return id, o
		}
	}
	t.Fatal("no order is such")
	return "", nil
}

// paidByCard finds an order that a card has paid, of which nothing was given
// back.
func paidByCard(t *testing.T, shop *sandbox.Shop, c *Connector) (string, *intake.Order) {
	t.Helper()
	for _, id := range shop.IDs(intake.Orders) {
		o := anOrder(t, c, id)
		if len(o.Payments) == 1 && o.Payments[0].Kind == intake.MoneySale && o.Payment.Method == "shopify_payments" && len(o.Refunds) == 0 && o.Presented == nil &&
			len(goods(o)) > 0 && goods(o)[0].SKU != "" && o.Total.GreaterThan(decimal.NewFromInt(5)) {
			return id, o
		}
	}
	t.Fatal("no order is such")
	return "", nil
}

// goods are the lines of an order that hold goods.
func goods(o *intake.Order) []intake.Line {
	return slices.DeleteFunc(slices.Clone(o.Lines), func(l intake.Line) bool { return l.Kind != intake.LineItem })
}

func severalUnits(o *intake.Order) bool {
	g := goods(o)
	return len(g) > 0 && g[0].Quantity.GreaterThan(decimal.NewFromInt(1)) && !g[0].GiftCard && g[0].SKU != ""
}

func push(t *testing.T, c *Connector, key string, r intake.OrderRequest) intake.Outcome {
	t.Helper()
	o, err := c.PushOrder(t.Context(), key, r)
	if err != nil {
		t.Fatal(err)
	}
	if o.Result == intake.Done && len(o.Records) != 1 {
		t.Fatalf("it is done, and stated %d times", len(o.Records))
	}
	return o
}

func units(line string, n int64) []intake.ShippedLine {
	return []intake.ShippedLine{{LineID: line, Quantity: decimal.NewFromInt(n)}}
}

func TestShipmentsReachTheShopInParts(t *testing.T) {
	shop, c, _ := pushed(t)
	id, o := paidOrder(t, shop, c, severalUnits)
	line := goods(o)[0]
	first := &intake.NewShipment{Carrier: "Colissimo", Tracking: "8L01", TrackingURL: "https://suivi.example/8L01", Lines: units(line.ID, 1), Notify: true}
	done := push(t, c, "k1", intake.OrderRequest{Order: orderRef(id), Shipment: first})
	after, _ := done.Records[0].Body.(*intake.Order)
	if done.Result != intake.Done || len(after.Shipments) != 1 || after.Shipments[0].Tracking != "8L01" || !sameUnits(after.Shipments[0].Lines, first.Lines) {
		t.Fatalf("%s %s: %+v", done.Result, done.Why, after.Shipments)
	}
	// The same parcel a second time, under another key: the number says that it
	// is the same.
	if again := push(t, c, "k2", intake.OrderRequest{Order: orderRef(id), Shipment: first}); again.Result != intake.Done || len(anOrder(t, c, id).Shipments) != 1 {
		t.Errorf("%s %s, and now %+v", again.Result, again.Why, anOrder(t, c, id).Shipments)
	}
	// More than is left.
	if all := push(t, c, "k3", intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Lines: units(line.ID, line.Quantity.IntPart())}}); all.Result != intake.Refused || !strings.Contains(all.Why, "1 of line") {
		t.Errorf("more than is left: %s %s", all.Result, all.Why)
	}
	var rest []intake.ShippedLine
	for _, l := range goods(o) {
		if l.ID == line.ID {
			l.Quantity = l.Quantity.Sub(decimal.NewFromInt(1))
		}
		rest = append(rest, intake.ShippedLine{LineID: l.ID, Quantity: l.Quantity})
	}
	last := push(t, c, "k4", intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Lines: rest}})
	if after, _ = last.Records[0].Body.(*intake.Order); last.Result != intake.Done || after.CompletedAt.IsZero() {
		t.Errorf("%s %s, completed at %v", last.Result, last.Why, after.CompletedAt)
	}
	recs, err := c.Fetch(t.Context(), []intake.Ref{orderRef(id)})
	if err != nil || recs[0].Digest != last.Records[0].Digest {
		t.Errorf("what is stated after a push has the digest %s, and with the next pull %s: %v", last.Records[0].Digest, recs[0].Digest, err)
	}
}

// Two parcels with the same in them and no number are two; one of which the
// answer was lost is one, also after a restart.
func TestLostAnswerShipsNothingTwice(t *testing.T) {
	shop, c, way := pushed(t)
	keeper := &box{}
	c.env.Keeper = keeper
	id, o := paidOrder(t, shop, c, severalUnits)
	r := intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Lines: units(goods(o)[0].ID, 1)}}
	push(t, c, "k1", r)
	way.after = func(op string, res *http.Response) *http.Response {
		if op == "order_ship" {
			return nil
		}
		return res
	}
	if _, err := c.PushOrder(t.Context(), "k2", r); connectors.ClassOf(err) != connectors.Transient {
		t.Fatalf("%v", err)
	}
	if n := way.times("order_ship"); n != 2 {
		t.Errorf("sent %d times, want it sent once for each shipment", n)
	}
	way.after = nil
	restarted, err := New(c.env, &c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if again := push(t, restarted, "k2", r); again.Result != intake.Done {
		t.Errorf("%s %s", again.Result, again.Why)
	}
	if there := anOrder(t, c, id).Shipments; len(there) != 2 {
		t.Errorf("the shop has %d shipments of two", len(there))
	}
}

func TestShipmentsThatCannotBe(t *testing.T) {
	shop, c, _ := pushed(t)
	id, o := paidOrder(t, shop, c, severalUnits)
	line := goods(o)[0].ID
	half := []intake.ShippedLine{{LineID: line, Quantity: decimal.RequireFromString("0.5")}}
	for name, tt := range map[string]struct {
		order string
		s     intake.NewShipment
		says  string
	}{
		"no such order":         {"1", intake.NewShipment{Lines: units(line, 1)}, "does not have"},
		"half of one":           {id, intake.NewShipment{Lines: half}, "whole units"},
		"no such line":          {id, intake.NewShipment{Lines: units("1", 1)}, "line 1 cannot be shipped"},
		"from another location": {id, intake.NewShipment{Lines: units(line, 1), Location: "77"}, "leave from location"},
		"too many lines":        {id, intake.NewShipment{Lines: slices.Repeat(units(line, 1), mostShipped+1)}, "make two"},
	} {
		if got := push(t, c, name, intake.OrderRequest{Order: orderRef(tt.order), Shipment: &tt.s}); got.Result != intake.Refused || !strings.Contains(got.Why, tt.says) {
			t.Errorf("%s: %s %q", name, got.Result, got.Why)
		}
	}
	if shop.HoldOrder(id) == "" {
		t.Fatal("the order cannot be put on hold")
	}
	if got := push(t, c, "held", intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Lines: units(line, 1)}}); got.Result != intake.Refused || !strings.Contains(got.Why, "on hold") {
		t.Errorf("on hold: %s %q", got.Result, got.Why)
	}
}

func TestOrdersAreCancelledOnce(t *testing.T) {
	shop, c, way := pushed(t)
	id, _ := paidOrder(t, shop, c, severalUnits)
	r := intake.OrderRequest{Order: orderRef(id), Cancel: &intake.Cancellation{Reason: "customer", Note: strings.Repeat("é", 300), Restock: true, Refund: true}}
	way.after = func(op string, res *http.Response) *http.Response {
		if op == "order_cancel" {
			return nil
		}
		return res
	}
	if _, err := c.PushOrder(t.Context(), "k1", r); err == nil {
		t.Fatal("the answer was lost")
	}
	way.after = nil
	for range 2 {
		if done := push(t, c, "k1", r); done.Result != intake.Done {
			t.Errorf("%s %s", done.Result, done.Why)
		}
	}
	if o := anOrder(t, c, id); len(o.Refunds) != 1 || o.CancelledAt.IsZero() {
		t.Errorf("cancelled at %v, with %d refunds", o.CancelledAt, len(o.Refunds))
	}
	if got := push(t, c, "k2", intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Lines: units("1", 1)}}); got.Result != intake.Refused {
		t.Errorf("shipping what was cancelled: %s", got.Result)
	}
	other, _ := paidOrder(t, shop, c, severalUnits)
	if got := push(t, c, "k3", intake.OrderRequest{Order: orderRef(other), Cancel: &intake.Cancellation{Reason: "mood"}}); got.Result != intake.Refused || !strings.Contains(got.Why, "mood") {
		t.Errorf("a reason that nobody knows: %s %s", got.Result, got.Why)
	}
}

func TestOrdersAreClosedAndOpened(t *testing.T) {
	shop, c, way := pushed(t)
	id, _ := paidOrder(t, shop, c, severalUnits)
	for _, status := range []string{"closed", "closed", "Open"} {
		if got := push(t, c, status, intake.OrderRequest{Order: orderRef(id), Status: status}); got.Result != intake.Done {
			t.Errorf("%s: %s %s", status, got.Result, got.Why)
		}
	}
	if way.times("order_close") != 2 || way.times("order_open") != 1 {
		t.Errorf("asked %v", way.ops)
	}
	if got := push(t, c, "s", intake.OrderRequest{Order: orderRef(id), Status: "completed"}); got.Result != intake.Refused || !strings.Contains(got.Why, "completed") {
		t.Errorf("completed: %s %s", got.Result, got.Why)
	}
}

func TestRefundsGiveBackMoneyAndGoodsOnce(t *testing.T) {
	shop, c, way := pushed(t)
	c.env.Keeper = &box{}
	id, o := paidByCard(t, shop, c)
	line := goods(o)[0]
	amount := decimal.RequireFromString("1.5")
	r := intake.OrderRequest{Order: orderRef(id), Refund: &intake.NewRefund{Amount: amount, Reason: "a crack", Pay: true, Restock: true,
		Lines: []intake.NewRefundLine{{LineID: line.ID, Quantity: decimal.NewFromInt(1)}}}}
	way.after = func(op string, res *http.Response) *http.Response {
		if op == "order_refund" {
			return nil
		}
		return res
	}
	if o, err := c.PushOrder(t.Context(), "k1", r); err == nil {
		t.Fatalf("the answer was lost: %+v", o)
	}
	way.after = nil
	done := push(t, c, "k1", r)
	if done.Result != intake.Done {
		t.Fatalf("%s %s", done.Result, done.Why)
	}
	after, _ := done.Records[0].Body.(*intake.Order)
	if len(after.Refunds) != 1 {
		t.Fatalf("%+v", after.Refunds)
	}
	if back := after.Refunds[0]; back.Reason != "a crack" || back.Paid == nil || !back.Paid.Equal(amount) || len(back.Lines) == 0 || back.Lines[0].LineID != line.ID {
		t.Errorf("given back: %+v", back)
	}
	for name, tt := range map[string]struct {
		refund intake.NewRefund
		says   string
	}{
		"more than was paid":    {intake.NewRefund{Amount: o.Total.Add(amount), Pay: true}, "only"},
		"more units than sold":  {intake.NewRefund{Lines: []intake.NewRefundLine{{LineID: line.ID, Quantity: line.Quantity}}}, "are left"},
		"half of one":           {intake.NewRefund{Lines: []intake.NewRefundLine{{LineID: line.ID, Quantity: decimal.RequireFromString("0.5")}}}, "whole units"},
		"nothing that is noted": {intake.NewRefund{Amount: amount}, "by hand"},
	} {
		if got := push(t, c, name, intake.OrderRequest{Order: orderRef(id), Refund: &tt.refund}); got.Result != intake.Refused || !strings.Contains(got.Why, tt.says) {
			t.Errorf("%s: %s %q", name, got.Result, got.Why)
		}
	}
}

// Money does not go back twice though the answer is lost and the shop does not
// keep its word about keys: nothing is sent again before it was looked at what is
// there.
func TestMoneyGoesBackOnceThoughTheShopForgetsTheKey(t *testing.T) {
	shop, c, way := pushed(t)
	c.env.Keeper = &box{}
	id, _ := paidByCard(t, shop, c)
	r := intake.OrderRequest{Order: orderRef(id), Refund: &intake.NewRefund{Amount: decimal.RequireFromString("1.5"), Pay: true}}
	shop.Misbehave(sandbox.Fault{Name: "key-forgotten"})
	shop.Misbehave(sandbox.Fault{Name: "answer-lost", Count: 1})
	if o, err := c.PushOrder(t.Context(), "k1", r); err == nil || connectors.ClassOf(err) != connectors.Transient {
		t.Errorf("the answer was lost: %+v, %v", o, err)
	}
	if done := push(t, c, "k1", r); done.Result != intake.Done {
		t.Errorf("%s %s", done.Result, done.Why)
	}
	if o := anOrder(t, c, id); len(o.Refunds) != 1 || way.times("order_refund") != 1 {
		t.Errorf("given back %d times, told %d times", len(o.Refunds), way.times("order_refund"))
	}
}

// What was paid by hand is given back by hand, and only noted.
func TestRefundsByHandAreNoted(t *testing.T) {
	shop, c, _ := pushed(t)
	id, _ := paidOrder(t, shop, c, func(o *intake.Order) bool { return severalUnits(o) && o.Presented == nil && o.Payment.Method == "bacs" })
	amount := decimal.RequireFromString("1.5")
	r := &intake.NewRefund{Amount: amount, Pay: true}
	if got := push(t, c, "k1", intake.OrderRequest{Order: orderRef(id), Refund: r}); got.Result != intake.Refused || !strings.Contains(got.Why, "given back by hand") {
		t.Errorf("through a gateway that is none: %s %q", got.Result, got.Why)
	}
	r.Pay = false
	done := push(t, c, "k2", intake.OrderRequest{Order: orderRef(id), Refund: r})
	after, _ := done.Records[0].Body.(*intake.Order)
	if done.Result != intake.Done || len(after.Refunds) != 1 || after.Refunds[0].Paid == nil || !after.Refunds[0].Paid.Equal(amount) {
		t.Errorf("%s %s: %+v", done.Result, done.Why, after.Refunds)
	}
}
