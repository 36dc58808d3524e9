package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"time"
)

// Deliverer sends what a shop has to tell those who subscribed.
type Deliverer struct {
	Shop *Shop
	// Transport carries the deliveries; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout is how long an address may take; 0 means as long as the platform
	// gives it: 60 seconds on WooCommerce, 5 on Shopify.
	Timeout time.Duration
}

// parcelled is a delivery that is ready to be sent.
type parcelled struct {
	of      *delivery
	address string
	header  http.Header
	body    []byte
}

// Deliver sends all that is due by the shop's clock, one after the other, and
// returns how many were sent. WooCommerce sends each once and switches a webhook
// off after the seventh failure in a row; Shopify sends again, later and later,
// and after eight more failures takes the subscription away.
func (d *Deliverer) Deliver(ctx context.Context) int {
	sent := 0
	for _, p := range d.Shop.packed() {
		if ctx.Err() != nil {
			d.Shop.putBack(p.of)
			continue
		}
		d.Shop.delivered(p.of, d.send(ctx, p))
		sent++
	}
	return sent
}

// Run delivers again and again until ctx ends.
func (d *Deliverer) Run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.Deliver(ctx)
		}
	}
}

// send tells one address, and reports whether it took it.
func (d *Deliverer) send(ctx context.Context, p parcelled) bool {
	ctx, cancel := context.WithTimeout(ctx, d.patience())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address, bytes.NewReader(p.body))
	if err != nil {
		return false
	}
	r.Header = p.header
	transport := d.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	res, err := transport.RoundTrip(r) // redirects are not followed
	if err != nil {
		return false
	}
	io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // what it says beside its status is of no interest
	res.Body.Close()
	if d.Shop.onShopify() {
		return res.StatusCode >= 200 && res.StatusCode < 300
	}
	return res.StatusCode >= 200 && res.StatusCode <= 302
}

func (d *Deliverer) patience() time.Duration {
	switch {
	case d.Timeout > 0:
		return d.Timeout
	case d.Shop.onShopify():
		return 5 * time.Second
	default:
		return time.Minute
	}
}

// packed takes what is due out of the queue, with headers and bodies as they
// are now.
func (s *Shop) packed() []parcelled {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ready []parcelled
	s.hooks.queue = slices.DeleteFunc(s.hooks.queue, func(d *delivery) bool {
		h := s.subscription(d.to)
		if h == nil || h.status != hookActive {
			return true
		}
		if d.due > s.now() {
			return false
		}
		p := parcelled{of: d, address: h.address}
		if s.onShopify() {
			p.header, p.body = s.shopifyParcel(h, d), d.body
		} else {
			p.header, p.body = s.wooParcel(h, d)
		}
		ready = append(ready, p)
		return true
	})
	return ready
}

func (s *Shop) putBack(d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks.queue = append(s.hooks.queue, d)
}

// delivered notes what became of a delivery.
func (s *Shop) delivered(d *delivery, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.subscription(d.to)
	switch {
	case h == nil, d.ping: // that the address does not greet back does not count
	case taken:
		h.failures = 0
	case s.onShopify():
		s.sendAgain(h, d)
	default:
		if h.failures++; h.failures > wooPatience {
			h.status, h.modified = hookDisabled, s.now()
			s.changed()
		}
	}
}
