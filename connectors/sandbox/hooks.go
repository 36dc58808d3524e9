package sandbox

import "slices"

// hooks are the addresses that want to be told of changes.
type hooks struct {
	last  int64
	all   []*subscription // in order of id
	queue []delivery      // oldest first
}

// subscription is an address that wants to be told of one topic.
type subscription struct {
	id                int64
	topic             string // as the platform states it: "order.updated", "ORDERS_UPDATED"
	address, secret   string
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

// ping queues the greeting that a new subscription gets.
func (s *Shop) ping(h *subscription) {
	s.hooks.queue = append(s.hooks.queue, delivery{to: h.id, ping: true})
}

// delivery is something that an address is to be told.
type delivery struct {
	to   int64 // the subscription
	ping bool
}
