package conformance

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// hinterOf connects a Hinter, if the connector is one.
func hinterOf(t T, s Subject) (connectors.Hinter, bool) {
	t.Helper()
	h, ok := connect(t, s, Setup{}).(connectors.Hinter)
	if !ok {
		t.Logf("no Hinter")
	}
	return h, ok
}

// The addresses of ours, one after the other.
const (
	ourAddress = "https://books.example/hooks/atelier"
	newAddress = "https://ledger.example/hooks/atelier"
)

// subscribe has the shop send hints, and returns how each subscription stands.
func subscribe(ctx context.Context, t T, h connectors.Hinter, address string) []connectors.Subscription {
	t.Helper()
	var stand []connectors.Subscription
	insist(ctx, t, "subscribe", func() (err error) {
		stand, err = h.Subscribe(ctx, address)
		return err
	})
	return stand
}

// doneTo counts what Subscribe did.
func doneTo(stand []connectors.Subscription) map[string]int {
	done := map[string]int{}
	for _, s := range stand {
		done[s.Done]++
	}
	return done
}

// post is a delivery as it came.
type post struct {
	header http.Header
	body   []byte
}

// delivered collects what the shop has to tell.
func delivered(ctx context.Context, s Pusher) []post {
	var all []post
	s.Deliver(ctx, func(header http.Header, body []byte) int {
		all = append(all, post{header.Clone(), slices.Clone(body)})
		return http.StatusOK
	})
	return all
}

// A new order, an edited one and an edited product are each named by a hint.
func hintsNameWhatChanged(ctx context.Context, t T, s Pusher) {
	h, ok := hinterOf(t, s)
	if !ok {
		return
	}
	subscribe(ctx, t, h, ourAddress)
	delivered(ctx, s) // greetings
	for _, c := range []struct {
		r intake.Resource
		c Change
	}{{intake.Orders, Add}, {intake.Orders, Edit}, {intake.Orders, Refund}, {intake.Products, Edit}} {
		id, ok := tryAny(t, s, c.r, c.c, append([]string{}, s.IDs(c.r)...))
		if c.c == Add {
			id, ok = try(t, s, c.r, c.c, "")
		}
		if !ok {
			continue
		}
		told := false
		for _, p := range delivered(ctx, s) {
			hint, err := h.Hint(p.header, p.body)
			if err != nil {
				t.Errorf("%s of %s %s: %v: %s", c.c, c.r, id, err, p.body)
				continue
			}
			again, err := h.Hint(p.header, p.body)
			if err != nil || again.Key != hint.Key {
				t.Errorf("%s of %s %s: the same delivery has the keys %q and %q (%v)", c.c, c.r, id, hint.Key, again.Key, err)
			}
			told = told || slices.ContainsFunc(hint.Refs, func(ref intake.Ref) bool { return ref.Kind == intake.KindOf(c.r) && ref.ID == id })
		}
		if !told {
			t.Errorf("%s of %s %s: no hint names it", c.c, c.r, id)
		}
	}
}

func hintsAreSigned(ctx context.Context, t T, s Pusher) {
	h, ok := hinterOf(t, s)
	if !ok {
		return
	}
	subscribe(ctx, t, h, ourAddress)
	delivered(ctx, s)
	if _, ok := try(t, s, intake.Orders, Add, ""); !ok {
		return
	}
	all := delivered(ctx, s)
	if len(all) == 0 {
		t.Fatalf("a new order is not told of")
	}
	for _, p := range all {
		for name, spoilt := range map[string]post{
			"another body":     {p.header, append(slices.Clone(p.body), ' ')},
			"no body":          {p.header, nil},
			"no signature":     {withoutSignature(p.header), p.body},
			"other signature":  {withSignature(p.header, "AAAA"), p.body},
			"broken signature": {withSignature(p.header, "%%"), p.body},
		} {
			if hint, err := h.Hint(spoilt.header, spoilt.body); !errors.Is(err, connectors.ErrSignature) {
				t.Errorf("%s: %+v, %v, want ErrSignature", name, hint, err)
			}
		}
	}
}

// signed reports whether a header holds a signature, by its name.
func signed(name string) bool {
	return slices.ContainsFunc([]string{"Signature", "Hmac-Sha256"}, func(end string) bool {
		return len(name) > len(end) && name[len(name)-len(end):] == end
	})
}

func withoutSignature(h http.Header) http.Header {
	h = h.Clone()
	for name := range h {
		if signed(name) {
			h.Del(name)
		}
	}
	return h
}

func withSignature(h http.Header, value string) http.Header {
	h = h.Clone()
	for name := range h {
		if signed(name) {
			h.Set(name, value)
		}
	}
	return h
}

// Subscriptions are made once, mended where the shop gave one up, so that they
// bear a failure again, and moved with the address.
func subscriptionsAreKeptInOrder(ctx context.Context, t T, s Pusher) {
	h, ok := hinterOf(t, s)
	if !ok {
		return
	}
	first := doneTo(subscribe(ctx, t, h, ourAddress))
	n := first["made"]
	if n == 0 || len(first) != 1 {
		t.Fatalf("at first: %v", first)
	}
	before := s.Writes()
	if again := doneTo(subscribe(ctx, t, h, ourAddress)); again["kept"] != n || len(again) != 1 || s.Writes() != before {
		t.Errorf("again: %v with %d changes, want %d kept", again, s.Writes()-before, n)
	}
	s.SwitchOff()
	if mended := doneTo(subscribe(ctx, t, h, ourAddress)); mended["kept"] != n-1 || mended["mended"]+mended["made"] != 1 {
		t.Errorf("after one was given up: %v, want %d kept and one mended", mended, n-1)
	}
	failing := 0
	if _, ok := try(t, s, intake.Orders, Add, ""); ok {
		s.Deliver(ctx, func(http.Header, []byte) int { failing++; return http.StatusServiceUnavailable })
	}
	if still := doneTo(subscribe(ctx, t, h, ourAddress)); failing > 0 && (still["kept"] != n || len(still) != 1) {
		t.Errorf("after a delivery that failed since: %v, want %d kept", still, n)
	}
	if moved := doneTo(subscribe(ctx, t, h, newAddress)); moved["made"] != n || moved["removed"] != n {
		t.Errorf("at another address: %v, want %d made and removed", moved, n)
	}
	if still := doneTo(subscribe(ctx, t, h, newAddress)); still["kept"] != n || len(still) != 1 {
		t.Errorf("and again: %v, want %d kept", still, n)
	}
}
