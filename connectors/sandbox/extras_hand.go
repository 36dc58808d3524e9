package sandbox

// What a test can do by hand to a shop with Extras. See hand.go.

// ShipPart ships a part of an order that is to be shipped, from the second
// location. Only a shop with Extras can.
func (s *Shop) ShipPart(id string) string {
	return s.changeOrder(id, s.partable, s.shipPart)
}

// Exchange takes back a unit of a shipped order and sends something else for
// it. Only a shop with Extras can. It returns the id of the refund.
func (s *Shop) Exchange(id string) string {
	var made *refund
	s.changeOrder(id, s.exchangeable, func(o *order) { made = s.exchange(o, s.dice(dieChange, s.now())) })
	if made == nil {
		return ""
	}
	return text(made.id)
}

// DelayRefund refunds an order in part, with money that is still to come, and
// returns the id of the refund. Only a shop with Extras can.
func (s *Shop) DelayRefund(id string) string {
	return s.giveBack(id, func(o *order, d *dice) *refund {
		if !s.opt.Extras {
			return nil
		}
		s.slow = true
		defer func() { s.slow = false }()
		return s.refundSome(o, d)
	})
}

// SettleRefund lets the money of an order's refunds arrive.
func (s *Shop) SettleRefund(orderID string) string {
	return s.changeOrder(orderID, func(o *order) bool { return o.unsettled() }, s.settle)
}
