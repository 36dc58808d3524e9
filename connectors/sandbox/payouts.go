package sandbox

import "time"

// The platform's own card payments: what they leave on a balance, and the
// payouts that carry it to the bank. A history in common has none, as other
// platforms do not tell them.

// movement is a change of the balance.
type movement struct {
	id     int64
	at     int64
	kind   movementKind
	order  int64 // 0: about none
	source int64 // id of the payment or refund; 0: none
	amount int64 // into the balance
	fee    int64 // taken off it
}

type movementKind uint8

const (
	moveCharge movementKind = iota
	moveRefund
	moveDispute
	moveDisputeWon
	moveReserve
	moveReserveBack
	moveAdjustment
)

// firstMovement keeps the ids of movements apart from others.
const firstMovement = 9_000_000_000

// settles reports whether the shop has a balance at all.
func (s *Shop) settles() bool { return s.onShopify() && !s.opt.Common }

func (s *Shop) move(m movement) {
	m.id, m.at = firstMovement+int64(len(s.balance)), s.now()
	s.balance = append(s.balance, m)
}

// charge puts a payment on the balance where the platform itself took it, and
// decides whether the customer's bank will want it back.
func (s *Shop) charge(o *order, id, amount int64) {
	if !s.settles() || o.gateway != payStripe || amount <= 0 || o.test {
		return
	}
	s.move(movement{kind: moveCharge, order: o.id, source: id, amount: amount, fee: o.charge(amount)})
	if d := s.dice(dieLife, o.id*32+28); d.in(8) && s.planted[o.id] == "" {
		s.plan(s.now()+int64(d.between(8, 30))*86400, doDispute, o.id)
	}
}

// chargeBack takes a refund off the balance. The fee of the payment is not
// given back.
func (s *Shop) chargeBack(o *order, r *refund) {
	if s.settles() && o.gateway == payStripe && r.moved > 0 && !o.test {
		s.move(movement{kind: moveRefund, order: o.id, source: r.transactionID(), amount: -r.moved})
	}
}

const disputeFee = 1500

// dispute takes back what is left of a payment while the banks look into it.
func (s *Shop) dispute(o *order, d *dice) {
	if !s.refundable(o) {
		return
	}
	o.disputed = true
	s.move(movement{kind: moveDispute, order: o.id, amount: -o.left(), fee: disputeFee})
	s.plan(s.now()+int64(d.between(20, 45))*86400, doDisputeEnd, o.id)
	s.changed()
}

// endDispute gives the money back where the shop wins.
func (s *Shop) endDispute(o *order, d *dice) {
	if d.in(500) {
		s.move(movement{kind: moveDisputeWon, order: o.id, amount: o.left(), fee: -disputeFee})
		s.changed()
	}
}

// settleReserve withholds a sum on the first of each month and releases it on
// the first of the next; on the fifteenth it corrects something.
func (s *Shop) settleReserve() {
	if !s.settles() || len(s.balance) == 0 {
		return
	}
	const withheld, correction = 20_000, 350
	switch s.clock.Day() {
	case 1:
		if s.withheld {
			s.move(movement{kind: moveReserveBack, amount: withheld})
		}
		s.withheld = s.clock.Month()%4 != 0
		if s.withheld {
			s.move(movement{kind: moveReserve, amount: -withheld})
		}
	case 15:
		amount := int64(correction)
		if s.clock.Month()%2 == 0 {
			amount = -amount
		}
		s.move(movement{kind: moveAdjustment, amount: amount})
	}
}

// payout carries movements to the bank, or takes from it what the balance is
// short of.
type payout struct {
	id     int64
	issued int64
	fails  bool // the bank sends it back, and another takes its place
	moved  []movement
}

func (p *payout) net() int64 {
	var sum int64
	for _, m := range p.moved {
		sum += m.amount - m.fee
	}
	return sum
}

// daysToBank is how long a payout is on its way.
const daysToBank = 2

// arrived reports whether the bank has it, or has sent it back.
func (p *payout) arrived(now int64) bool { return now >= p.issued+daysToBank*86400 }

// paidOut are the payouts so far, and when that was.
type paidOut struct {
	until  int64
	moved  int
	all    []*payout
	byMove map[int64]*payout // the last that carries a movement
}

// firstPayout and payoutsOfDay make the ids of payouts grow with their dates.
const (
	firstPayout   = 80_000_000
	payoutsOfDay  = 10
	everyNthFails = 20
)

// payouts returns the payouts issued so far, oldest first: one at six on each
// weekday, with all that moved on the days before. One of them fails, and is
// issued again, when it is back, with what it held.
func (s *Shop) payouts() []*payout {
	now := s.now()
	if s.paidOut.until == now && s.paidOut.moved == len(s.balance) {
		return s.paidOut.all
	}
	s.paidOut = paidOut{until: now, moved: len(s.balance), byMove: map[int64]*payout{}}
	if len(s.balance) == 0 {
		return nil
	}
	next := 0
	var failed *payout
	for day := s.balance[0].at / 86400 * 86400; day+6*3600 <= now; day += 86400 {
		if w := time.Unix(day, 0).UTC().Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		from := next
		for next < len(s.balance) && s.balance[next].at < day {
			next++
		}
		if from < next {
			p := &payout{id: firstPayout + day/86400*payoutsOfDay, issued: day + 6*3600, moved: s.balance[from:next:next]}
			if p.fails = len(s.paidOut.all) == everyNthFails; p.fails {
				failed = p
			}
			s.issue(p)
		}
		if failed != nil && failed.arrived(day) {
			s.issue(&payout{id: firstPayout + day/86400*payoutsOfDay + 1, issued: day + 7*3600, moved: failed.moved})
			failed = nil
		}
	}
	return s.paidOut.all
}

func (s *Shop) issue(p *payout) {
	if p.issued > s.now() {
		return
	}
	s.paidOut.all = append(s.paidOut.all, p)
	for _, m := range p.moved {
		s.paidOut.byMove[m.id] = p
	}
}
