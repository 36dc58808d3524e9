package sandbox

import (
	"slices"
	"time"
)

// hooks are the addresses that want to be told of changes, and what they have
// still to be told.
type hooks struct {
	last  int64
	all   []*subscription // in order of id
	sent  int64           // deliveries ever made
	queue []*delivery     // oldest first
}

// subscription is an address that wants to be told of one topic.
type subscription struct {
	id                int64
	topic             string // as the platform states it: "order.updated", "ORDERS_UPDATED"
	address, secret   string
	site              string // the shop's own address, as it was reached when this was made
	name              string
	status            string // active, paused or disabled
	created, modified int64
	failures          int // in a row
}

// The states of a subscription.
const (
	hookActive   = "active"
	hookPaused   = "paused"
	hookDisabled = "disabled"
)

// delivery is something that an address is to be told.
type delivery struct {
	to      int64  // the subscription
	ping    bool   // it only greets the address
	topic   string // as the header states it
	kind    string // of the record: order, product …
	id      int64
	number  int64 // its own
	event   int64 // the same for all that one change has to tell
	at, due int64 // when the change was made, and not before when it is sent
	tries   int
	body    []byte // where it was made when the change was; nil: it is made when sent
	bare    bool   // without a signature that is right
}

// subscribe adds a subscription and gives it an id.
func (s *Shop) subscribe(h subscription) *subscription {
	s.hooks.last++
	h.id, h.created, h.modified = s.hooks.last, s.now(), s.now()
	if h.status == "" {
		h.status = hookActive
	}
	s.hooks.all = append(s.hooks.all, &h)
	s.changed()
	return &h
}

// subscription finds one by its id; nil where there is none.
func (s *Shop) subscription(id int64) *subscription {
	for _, h := range s.hooks.all {
		if h.id == id {
			return h
		}
	}
	return nil
}

// unsubscribe takes a subscription away.
func (s *Shop) unsubscribe(h *subscription) {
	s.hooks.all = slices.DeleteFunc(s.hooks.all, func(x *subscription) bool { return x == h })
	s.changed()
}

// Subscription is an address that wants to be told of one topic.
type Subscription struct {
	ID                     string
	Topic, Address, Status string
	Failures               int // in a row
}

// Subscriptions returns those that there are, oldest first.
func (s *Shop) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Subscription
	for _, h := range s.hooks.all {
		all = append(all, Subscription{ID: text(h.id), Topic: h.topic, Address: h.address, Status: h.status, Failures: h.failures})
	}
	return all
}

// GiveUp has the shop do with a subscription what it does after too many
// failures: WooCommerce switches it off, Shopify takes it away.
func (s *Shop) GiveUp(id string) {
	s.change(func() int64 {
		h := s.subscription(number(id))
		switch {
		case h == nil:
			return 0
		case s.onShopify():
			s.unsubscribe(h)
		default:
			h.status, h.modified, h.failures = hookDisabled, s.now(), wooPatience+1
		}
		return h.id
	})
}

// Undelivered returns how many deliveries wait.
func (s *Shop) Undelivered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hooks.queue)
}

// ping queues the greeting that a new subscription gets.
func (s *Shop) ping(h *subscription) {
	s.hooks.queue = append(s.hooks.queue, &delivery{to: h.id, ping: true, at: s.now(), due: s.now()})
}

// hooked is what a platform tells of a change: a topic as its header states it,
// and the record that it is about.
type hooked struct {
	topic, kind string
	id          int64
}

// announce queues what subscriptions want to be told of a change.
func (s *Shop) announce(kind EventKind, id int64) {
	if len(s.hooks.all) == 0 {
		return
	}
	told, name := s.wooTells, func(topic string) string { return topic }
	if s.onShopify() {
		told, name = s.shopifyTells, topicName
	}
	s.hooks.sent++
	event := s.hooks.sent
	for _, what := range told(kind, id) {
		for _, h := range s.hooks.all {
			if h.topic == name(what.topic) && h.status == hookActive {
				s.queue(h, what, event)
			}
		}
	}
}

// queue has an address told. WooCommerce tells of one record once, however often
// it changes until then.
func (s *Shop) queue(h *subscription, what hooked, event int64) {
	d := &delivery{to: h.id, topic: what.topic, kind: what.kind, id: what.id, event: event, at: s.now(), due: s.now()}
	if s.onShopify() {
		d.body = s.shopifyPayload(what)
	} else if slices.ContainsFunc(s.hooks.queue, func(q *delivery) bool { return q.to == d.to && q.topic == d.topic && q.id == d.id && q.kind == d.kind }) {
		return
	}
	s.hooks.sent++
	d.number = s.hooks.sent
	s.spoilHook(d)
}

// spoilHook queues a delivery as the faults that are active want it.
func (s *Shop) spoilHook(d *delivery) {
	hit := s.door.strikeHook(d.topic)
	if hit["hook-lost"] != nil {
		return
	}
	if f := hit["hook-late"]; f != nil {
		d.due += int64(f.wait() / time.Second)
	}
	d.bare = hit["hook-unsigned"] != nil
	s.hooks.queue = append(s.hooks.queue, d)
	if hit["hook-twice"] != nil {
		again := *d
		s.hooks.queue = append(s.hooks.queue, &again)
	}
	if n := len(s.hooks.queue); hit["hook-shuffled"] != nil {
		at := s.door.draw(n)
		s.hooks.queue[at], s.hooks.queue[n-1] = s.hooks.queue[n-1], s.hooks.queue[at]
	}
}
