package conformance

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// orderPusherOf connects an OrderPusher, if the connector is one.
func orderPusherOf(t T, s Subject) (connectors.OrderPusher, bool) {
	t.Helper()
	p, ok := connect(t, s, Setup{}).(connectors.OrderPusher)
	if !ok {
		t.Logf("no OrderPusher")
	}
	return p, ok
}

// pushOrder asks the shop to do something with an order.
func pushOrder(ctx context.Context, t T, p connectors.OrderPusher, key string, r intake.OrderRequest) intake.Outcome {
	t.Helper()
	var out intake.Outcome
	insist(ctx, t, "push order", func() (err error) {
		out, err = p.PushOrder(ctx, key, r)
		return err
	})
	outcomesOf(t, "push order", []intake.Outcome{out}, 1)
	return out
}

// orderNow is what the shop states of an order now.
func orderNow(ctx context.Context, t T, s Subject, ref intake.Ref) (*intake.Order, intake.Record) {
	t.Helper()
	conn := connect(t, s, Setup{})
	st, _ := stream(t, conn, intake.Orders)
	rec := fetch(ctx, t, s, conn, st, []intake.Ref{ref})[0]
	o, ok := rec.Body.(*intake.Order)
	if !ok {
		t.Fatalf("order %s is not there: %+v", ref.ID, rec)
	}
	return o, rec
}

// bought is a paid order of units of one variant, and its line.
func bought(ctx context.Context, t T, s Pusher, of intake.StockLevel, units int) (intake.Ref, intake.Line) {
	t.Helper()
	ref := intake.Ref{Kind: intake.KindOrder, ID: s.Sell(of.Ref, units)}
	s.Advance(settling)
	o, _ := orderNow(ctx, t, s, ref)
	for _, l := range o.Lines {
		if l.VariantID == of.Ref.ID || l.ProductID == of.Ref.Parent {
			return ref, l
		}
	}
	t.Fatalf("order %s has no line of %s: %+v", ref.ID, of.Ref.ID, o.Lines)
	return ref, intake.Line{}
}

// agrees reports an outcome that is not done, or whose record is not what the
// shop states.
func agrees(ctx context.Context, t T, s Subject, what string, out intake.Outcome, ref intake.Ref) *intake.Order {
	t.Helper()
	o, rec := orderNow(ctx, t, s, ref)
	if out.Result != intake.Done {
		t.Errorf("%s: %s (%s)", what, out.Result, out.Why)
		return o
	}
	if len(out.Records) != 1 || out.Records[0].Digest != rec.Digest {
		t.Errorf("%s: the outcome does not hold what the shop states:\n%s", what, differences(out.Records, rec))
	}
	return o
}

// Each part leaves once, whether or not the answer arrives.
func orderIsShippedInParts(ctx context.Context, t T, s Pusher) {
	for _, lost := range []int{0, 1} {
		p, ok := orderPusherOf(t, s)
		if !ok {
			return
		}
		ref, line := bought(ctx, t, s, counted(ctx, t, s)[0], 3)
		ship := func(tracking string, units int64, completes bool) intake.OrderRequest {
			return intake.OrderRequest{Order: ref, Shipment: &intake.NewShipment{Carrier: "Colis Exemple", Tracking: tracking, At: s.Now(), Completes: completes,
				Lines: []intake.ShippedLine{{LineID: line.ID, Quantity: decimal.NewFromInt(units)}}}}
		}
		for n, r := range []intake.OrderRequest{ship("T-1", 1, false), ship("T-1", 1, false), ship("T-2", 2, true), ship("T-2", 2, true)} {
			parcel := n/2 + 1
			if n%2 == 0 {
				s.LoseAnswers(lost)
			}
			out := pushOrder(ctx, t, p, "colis "+ref.ID+r.Shipment.Tracking, r)
			s.LoseAnswers(0)
			o := agrees(ctx, t, s, r.Shipment.Tracking, out, ref)
			if len(o.Shipments) != parcel {
				t.Fatalf("told %d times: %d shipments, want %d: %+v", n+1, len(o.Shipments), parcel, o.Shipments)
			}
			at := o.Shipments[parcel-1]
			if at.Tracking != r.Shipment.Tracking || len(at.Lines) != 1 || at.Lines[0].LineID != line.ID || !at.Lines[0].Quantity.Equal(r.Shipment.Lines[0].Quantity) {
				t.Errorf("shipment %d is %+v, want %+v", parcel, at, r.Shipment)
			}
			if done := o.State == intake.StateCompleted; done != (parcel == 2) {
				t.Errorf("after shipment %d the order is %s", parcel, o.State)
			}
		}
	}
}

// one is a refund of one unit of a line.
func one(line intake.Line) *intake.NewRefund {
	share := func(d decimal.Decimal) decimal.Decimal { return d.Div(line.Quantity).Round(2) }
	r := &intake.NewRefund{Reason: "essai", Pay: true, Restock: true,
		Lines: []intake.NewRefundLine{{LineID: line.ID, Quantity: decimal.NewFromInt(1), Total: share(line.Total)}}}
	r.Amount = r.Lines[0].Total
	for _, tax := range line.Taxes {
		tax.Amount = share(tax.Amount)
		r.Lines[0].Taxes = append(r.Lines[0].Taxes, tax)
		r.Amount = r.Amount.Add(tax.Amount)
	}
	return r
}

func moneyIsGivenBackOnce(ctx context.Context, t T, s Pusher) {
	for _, lost := range []int{0, 1} {
		p, ok := orderPusherOf(t, s)
		if !ok {
			return
		}
		goods := counted(ctx, t, s)[0]
		ref, line := bought(ctx, t, s, goods, 3)
		was := has(s, goods)
		r := intake.OrderRequest{Order: ref, Refund: one(line)}
		s.LoseAnswers(lost)
		for n := range 2 {
			out := pushOrder(ctx, t, p, "retour "+ref.ID, r)
			s.LoseAnswers(0)
			o := agrees(ctx, t, s, "refund", out, ref)
			if len(o.Refunds) != 1 || !o.Refunds[0].Amount.Equal(r.Refund.Amount) {
				t.Fatalf("told %d times: the refunds are %+v, want one of %s", n+1, o.Refunds, r.Refund.Amount)
			}
			if got := has(s, goods); !got.Equal(was.Add(decimal.NewFromInt(1))) {
				t.Errorf("told %d times: %s are in stock, there were %s", n+1, got, was)
			}
		}
	}
}

func tooMuchIsRefused(ctx context.Context, t T, s Pusher) {
	p, ok := orderPusherOf(t, s)
	if !ok {
		return
	}
	ref, line := bought(ctx, t, s, counted(ctx, t, s)[0], 1)
	before, _ := orderNow(ctx, t, s, ref)
	r := one(line)
	r.Amount = before.Total.Add(decimal.NewFromInt(100))
	r.Lines[0].Total = r.Lines[0].Total.Add(before.Total).Add(decimal.NewFromInt(100))
	out := pushOrder(ctx, t, p, "trop "+ref.ID, intake.OrderRequest{Order: ref, Refund: r})
	if out.Result != intake.Refused {
		t.Errorf("more than is left: %+v, want refused", out)
	}
	if after, _ := orderNow(ctx, t, s, ref); len(after.Refunds) != 0 {
		t.Errorf("more than is left was given back: %+v", after.Refunds)
	}
}

func orderIsCancelledOnce(ctx context.Context, t T, s Pusher) {
	for _, lost := range []int{0, 1} {
		p, ok := orderPusherOf(t, s)
		if !ok {
			return
		}
		goods := counted(ctx, t, s)[0]
		was := has(s, goods)
		ref, _ := bought(ctx, t, s, goods, 2)
		r := intake.OrderRequest{Order: ref, Cancel: &intake.Cancellation{Reason: "staff", Restock: true, Refund: true}}
		s.LoseAnswers(lost)
		for n := range 2 {
			out := pushOrder(ctx, t, p, "annulé "+ref.ID, r)
			s.LoseAnswers(0)
			o := agrees(ctx, t, s, "cancel", out, ref)
			if o.State != intake.StateCancelled && o.State != intake.StateRefunded {
				t.Errorf("told %d times: the order is %s", n+1, o.State)
			}
			if got := has(s, goods); !got.Equal(was) {
				t.Errorf("told %d times: %s are in stock, there were %s", n+1, got, was)
			}
		}
	}
}
