package conformance

import (
	"context"
	"net/http"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// pushWireChecks have each fault of the wire meet a request that changes
// something: those that spoil an answer come after the change was made.
func pushWireChecks() []check {
	var all []check
	for _, f := range wireFaults() {
		if !f.heavy {
			all = append(all, check{"Push/Wire/" + f.name, func(ctx context.Context, t T, s Subject) { faultDoesNoHarm(ctx, t, s.(Pusher), f) }})
		}
	}
	return all
}

// told is something that a shop is told while the wire fails.
type told struct {
	what string
	tell func() (intake.Outcome, error)
	// done is how often the shop has done it since.
	done func() int
}

// faultDoesNoHarm tells a shop things of each kind. The first request of each
// that could change something meets the fault; told again with the same key it
// is done, and done once.
func faultDoesNoHarm(ctx context.Context, t T, s Pusher, f wireFault) {
	armed := false
	var wire tap
	conn := connect(t, s, Setup{Wire: wire.wire})
	things := thingsToTell(ctx, t, s, conn)
	wire.set(func(_ int, req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if !armed || !changes(req) {
			return next.RoundTrip(req)
		}
		armed = false
		return f.trip(req, next, s.Now())
	})
	for _, thing := range things {
		armed = true
		out, err := thing.tell()
		if armed {
			t.Errorf("%s: no request could have changed the shop", thing.what)
		}
		armed = false
		if e, ok := asError(err); ok && !f.allows(e.Class) {
			t.Errorf("%s: an error of class %v: %v", thing.what, e.Class, err)
		}
		for n := 0; err != nil && n < tries; n++ {
			checkError(t, thing.what, err)
			time.Sleep(time.Minute)
			out, err = thing.tell()
		}
		switch done := thing.done(); {
		case err != nil:
			t.Errorf("%s: still %v", thing.what, err)
		case out.Result != intake.Done:
			t.Errorf("%s: %s (%s), want done", thing.what, out.Result, out.Why)
		case done != 1:
			t.Errorf("%s: done %d times, want once", thing.what, done)
		}
	}
}

// thingsToTell are one thing of each kind that the connector has the ability
// for.
func thingsToTell(ctx context.Context, t T, s Pusher, conn connectors.Connector) []told {
	t.Helper()
	var all []told
	levels := counted(ctx, t, s)
	if p, ok := conn.(connectors.StockPusher); ok {
		l := raised(levels[0], 3)
		all = append(all, told{"stock",
			func() (intake.Outcome, error) { return only(p.PushStock(ctx, "stock", []intake.StockLevel{l})) },
			func() int {
				if has(s, l).Equal(l.To) {
					return 1
				}
				return 0
			}})
	}
	if e, ok := conn.(connectors.Editor); ok {
		categories := s.IDs(intake.Categories)
		all = append(all, making(ctx, s, e, intake.Products, fresh(e, "fil", categories[1], 1)),
			making(ctx, s, e, intake.Categories, intake.Edit{Key: "fil", Ref: intake.Ref{Kind: intake.KindCategory},
				Changes: []intake.Change{{Field: intake.FieldName, To: "Au fil de l’eau"}}}))
	}
	if p, ok := conn.(connectors.OrderPusher); ok {
		ref, line := bought(ctx, t, s, levels[1], 3)
		order := func() *intake.Order { o, _ := orderNow(ctx, t, s, ref); return o }
		ask := func(what string, r intake.OrderRequest, done func() int) {
			r.Order = ref
			all = append(all, told{what, func() (intake.Outcome, error) { return p.PushOrder(ctx, what+ref.ID, r) }, done})
		}
		ask("refund", intake.OrderRequest{Refund: one(line)}, func() int { return len(order().Refunds) })
		ask("shipment", intake.OrderRequest{Shipment: &intake.NewShipment{Tracking: "F-1", At: s.Now(), Lines: []intake.ShippedLine{{LineID: line.ID, Quantity: line.Quantity.Div(line.Quantity)}}}},
			func() int { return len(order().Shipments) })
	}
	return all
}

// making is a record that is to be made.
func making(ctx context.Context, s Pusher, e connectors.Editor, r intake.Resource, edit intake.Edit) told {
	before := s.IDs(r)
	return told{"make " + string(edit.Ref.Kind),
		func() (intake.Outcome, error) { return only(e.PushEdits(ctx, "make "+string(r), []intake.Edit{edit})) },
		func() int { return len(without(s.IDs(r), before)) }}
}

// only is the one outcome that there is.
func only(outcomes []intake.Outcome, err error) (intake.Outcome, error) {
	if err != nil || len(outcomes) != 1 {
		return intake.Outcome{}, err
	}
	return outcomes[0], nil
}
