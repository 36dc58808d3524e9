package sandbox

import (
	"container/heap"
	"time"
)

// Event is something that happened in the shop.
type Event struct {
	At   time.Time // virtual time, in UTC
	Kind EventKind
	// ID is the external id of the record that changed: of the order for a
	// refund, of the variant for a price or a stock (a simple product is its
	// own). Goods that orders take change stock, too, without an event.
	ID string
}

// EventKind names what happened.
type EventKind string

// What can happen.
const (
	OrderPlaced    EventKind = "order placed"
	OrderPaid      EventKind = "order paid"
	OrderFailed    EventKind = "order failed"
	OrderWaits     EventKind = "order awaits pickup"
	OrderCompleted EventKind = "order completed"
	OrderCancelled EventKind = "order cancelled"
	OrderEdited    EventKind = "order edited"
	OrderRefunded  EventKind = "order refunded"
	OrderParted    EventKind = "order shipped in part"
	OrderTrashed   EventKind = "order trashed"
	ProductEdited  EventKind = "product edited"
	ProductGone    EventKind = "product deleted"
	PriceChanged   EventKind = "price changed"
	StockChanged   EventKind = "stock changed" // by hand or by an app; not what orders take
	StockTaken     EventKind = "stock taken"   // by an order, or given back; Advance does not tell it
	CategoryEdited EventKind = "category edited"
	CategoryGone   EventKind = "category deleted"
	CategoryAdded  EventKind = "category added"
	CustomerAdded  EventKind = "customer added"
	CustomerGone   EventKind = "customer deleted"
	ProductAdded   EventKind = "product added"
	OrderGone      EventKind = "order deleted"
	CustomerEdited EventKind = "customer edited"
	CouponEdited   EventKind = "coupon edited"
)

// Advance lets virtual time pass: the shop lives through all that falls due,
// and tells what happened, in order. Advancing in two steps is the same as in
// one.
func (s *Shop) Advance(d time.Duration) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.telling = true
	s.live(s.clock.Add(d))
	happened := s.events
	s.telling, s.events = false, nil
	return happened
}

// live does what is on the agenda up to an instant. A step that is overdue,
// because direct changes moved the clock past it, is dated now: dates never
// run backwards.
func (s *Shop) live(until time.Time) {
	for len(s.agenda.steps) > 0 && s.agenda.steps[0].at <= until.Unix() {
		next := heap.Pop(&s.agenda).(step)
		if at := time.Unix(next.at, 0).UTC(); at.After(s.clock) {
			s.clock = at
		}
		s.do(next)
	}
	s.clock = until
}

// step is something that will happen.
type step struct {
	at  int64
	seq uint64 // keeps steps of one second in the order in which they were planned
	do  action
	id  int64
}

type action uint8

const (
	doArrive action = iota
	doArriveLive
	doPay
	doFail
	doExpire
	doShip
	doWait
	doCancel
	doRefundSome
	doRefundAll
	doRefundAmount
	doRefundByStatus
	doEdit
	doTrash
	doOpenShop
	doDiscontinue
	doDispute
	doDisputeEnd
	doShipPart
	doExchange
	doSettle
	doRestock
	doSale
)

// agenda is a heap of steps by time.
type agenda struct {
	steps []step
	seq   uint64
}

func (a *agenda) Len() int { return len(a.steps) }
func (a *agenda) Less(i, j int) bool {
	x, y := &a.steps[i], &a.steps[j]
	return x.at < y.at || x.at == y.at && x.seq < y.seq
}
func (a *agenda) Swap(i, j int) { a.steps[i], a.steps[j] = a.steps[j], a.steps[i] }
func (a *agenda) Push(x any)    { a.steps = append(a.steps, x.(step)) }
func (a *agenda) Pop() any {
	last := a.steps[len(a.steps)-1]
	a.steps = a.steps[:len(a.steps)-1]
	return last
}

func (a *agenda) addAll(steps []step) {
	for i := range steps {
		a.seq++
		steps[i].seq = a.seq
	}
	a.steps = append(a.steps, steps...)
	heap.Init(a)
}

func (s *Shop) plan(at int64, do action, id int64) {
	s.agenda.seq++
	heap.Push(&s.agenda, step{at: at, seq: s.agenda.seq, do: do, id: id})
}

// do takes one step, if it still makes sense.
func (s *Shop) do(st step) {
	switch st.do {
	case doArrive:
		s.arrive()
		return
	case doArriveLive:
		s.arrive()
		s.planArrival()
		return
	case doOpenShop:
		s.openShop()
		return
	case doDiscontinue:
		s.discontinue(st.id)
		return
	case doSale:
		s.turnSale(s.variant(st.id))
		return
	}
	o := s.order(st.id)
	if o == nil || o.trashed {
		return
	}
	d := s.dice(dieLife, o.id*32+int64(st.do))
	switch st.do {
	case doPay:
		if o.state == statePending || o.state == stateHeld || o.state == stateFailed {
			s.pay(o)
		}
	case doFail:
		if o.state == statePending {
			s.fail(o)
		}
	case doExpire, doCancel:
		if o.state == statePending || o.state == stateHeld || st.do == doCancel && o.state == stateOpen && len(o.refunds) == 0 && !o.underway() {
			s.callOff(o, d)
		}
	case doShip:
		if s.shippable(o) && (o.state == stateOpen || o.state == statePickup) {
			s.complete(o)
		}
	case doWait:
		if o.state == stateOpen {
			s.await(o)
		}
	case doRefundSome:
		s.refundSome(o, d)
	case doRefundAll:
		s.refundAll(o, d)
	case doRefundAmount:
		s.refundAmount(o, d)
	case doRefundByStatus:
		if o.state == stateOpen {
			s.refundByStatus(o)
		}
	case doEdit:
		s.edit(o, d)
	case doTrash:
		s.trash(o)
	case doShipPart:
		s.shipPart(o)
	case doExchange:
		s.exchange(o, d)
	case doSettle:
		s.settle(o)
	case doRestock:
		s.restock(o)
	case doDispute:
		s.dispute(o, d)
	case doDisputeEnd:
		s.endDispute(o, d)
	}
}

// planArrival makes the next customer come: at the pace of the history, but
// never less than two an hour.
func (s *Shop) planArrival() {
	gap := 1800
	if s.opt.Orders > 0 {
		gap = max(1, min(gap, 365*86400/s.opt.Orders))
	}
	d := s.dice(dieDay, int64(s.placed))
	s.plan(s.now()+int64(d.between(max(1, gap/2), gap*3/2)), doArriveLive, 0)
}

// arrive lets a customer place an order and decides how it will go on.
func (s *Shop) arrive() {
	o := s.place(s.oddOf(s.placed))
	o.auto = true
	at := o.created
	d := s.dice(dieLife, o.id*32+31)
	if o.state == stateDraft {
		return
	}
	if s.planted[o.id] != "" || o.gateway == payNothing {
		s.pay(o)
		return
	}
	if o.authorised {
		s.enter(o, stateOpen, OrderPlaced)
		s.planShipping(o, d)
		return
	}
	switch o.gateway {
	case payTransfer, payCheque:
		if d.in(850) {
			s.plan(at+int64(d.between(1, 6))*86400+int64(d.n(30000)), doPay, o.id)
		} else {
			s.plan(at+10*86400, doExpire, o.id)
		}
	case payDelivery:
		s.planShipping(o, d)
	default:
		switch d.pick(930, 35, 30, 5) {
		case 0:
			s.pay(o)
		case 1:
			s.plan(at+int64(d.between(20, 90)), doFail, o.id)
			if d.in(400) {
				s.plan(at+int64(d.between(600, 7200)), doPay, o.id)
			}
		case 2:
			s.plan(at+3600, doExpire, o.id)
		case 3: // made by hand for a customer who never pays
		}
	}
	if d.in(40) {
		s.plan(at+int64(d.between(300, 4*86400)), doEdit, o.id)
	}
	if d.in(6) {
		s.plan(at+int64(d.between(86400, 20*86400)), doTrash, o.id)
	}
}

// planShipping decides what becomes of an order that is to be shipped.
func (s *Shop) planShipping(o *order, d *dice) {
	at := s.now()
	if s.planted[o.id] != "" {
		s.plan(s.closing(at, 1, o.id), doShip, o.id)
		return
	}
	if o.odd == unknownStatus {
		s.plan(at+int64(d.between(3600, 86400)), doWait, o.id)
		if d.in(500) {
			s.plan(s.closing(at, 4, o.id), doShip, o.id)
		}
		return
	}
	s.planPart(o)
	switch d.pick(955, 15, 15, 15) {
	case 0:
		s.plan(s.closing(at, d.few(4), o.id), doShip, o.id)
	case 1:
		s.plan(at+int64(d.between(1800, 43200)), doCancel, o.id)
	case 2:
		s.plan(at+int64(d.between(1800, 43200)), doRefundByStatus, o.id)
	case 3: // out of stock at the supplier's: stays open
	}
}

// planReturns decides whether a customer sends goods back.
func (s *Shop) planReturns(o *order, d *dice) {
	if s.planted[o.id] != "" {
		return
	}
	s.planExchange(o)
	later := func() int64 { return s.now() + int64(d.between(2*86400, 20*86400)) + int64(d.n(30000)) }
	switch d.pick(880, 65, 25, 20, 10) {
	case 1:
		s.plan(later(), doRefundSome, o.id)
	case 2:
		s.plan(later(), doRefundAll, o.id)
	case 3:
		s.plan(later(), doRefundAmount, o.id)
	case 4:
		at := later()
		s.plan(at, doRefundSome, o.id)
		s.plan(at+86400, doRefundAll, o.id)
	}
}

// closing is when parcels leave, days after an instant: at 17:00, a handful of
// orders in each second, as a bulk action marks them.
func (s *Shop) closing(at int64, days int, id int64) int64 {
	day := time.Unix(at, 0).In(s.zone).AddDate(0, 0, days+1)
	return time.Date(day.Year(), day.Month(), day.Day(), 17, 0, int(id/8%3), 0, s.zone).Unix()
}

// openShop is the routine of each morning: goods come in where they run out,
// and now and then a text, a price or a category changes.
func (s *Shop) openShop() {
	day := s.now() / 86400
	d := s.dice(dieDay, day<<32)
	low := int64(6 + s.opt.Orders/2000)
	for _, p := range s.products {
		if !p.listed() {
			continue
		}
		for _, v := range append([]*variant{p.own}, p.variants...) {
			if v.tracked && !v.gone && v.stock < low && d.in(600) {
				s.setStock(v, v.stock+int64(d.between(30, 80))+3*low)
			}
		}
	}
	s.editCatalogue(d)
	s.settleReserve()
	s.plan(s.now()+86400, doOpenShop, 0)
}

func (s *Shop) editCatalogue(d *dice) {
	if p := s.products[d.n(len(s.products))]; d.in(250) && p.listed() {
		s.editProduct(p)
	}
	if v := s.sellable[d.n(len(s.sellable))]; d.in(200) && v.of.listed() && !v.gone {
		s.setPrice(v, v.price+int64(d.between(-1, 2))*10)
	}
	if d.in(60) && len(s.categories) > 0 {
		s.editCategory(s.categories[d.n(len(s.categories))])
	}
	if c := s.customers[d.n(len(s.customers))]; d.in(200) && !c.admin && !c.gone {
		s.moveHouse(c, d)
	}
	if d.in(30) {
		s.editCoupon(s.coupons[d.n(len(s.coupons))])
	}
}

func (s *Shop) happened(kind EventKind, id int64) {
	s.changed()
	s.announce(kind, id)
	if !s.telling {
		return
	}
	s.events = append(s.events, Event{At: time.Unix(s.now(), 0).UTC(), Kind: kind, ID: text(id)})
}
