package sandbox

import (
	"slices"
	"time"
)

// paymentFee is what the platform or a gateway kept of a payment.
type paymentFee struct{ of *transaction }

func paymentTypes() []gqlType {
	return []gqlType{
		{name: "OrderTransaction", is: []string{"Node"}, fields: gqlFields{
			"id":                   gqlID("OrderTransaction", func(_ *gqlRun, t *transaction) int64 { return t.id }),
			"kind":                 gqlText(func(_ *gqlRun, t *transaction) string { return t.kind }),
			"status":               gqlText(func(_ *gqlRun, t *transaction) string { return t.status }),
			"gateway":              gqlTextOrNull(func(_ *gqlRun, t *transaction) string { return t.gateway.code }),
			"formattedGateway":     gqlTextOrNull(func(_ *gqlRun, t *transaction) string { return t.gateway.title }),
			"manualPaymentGateway": gqlBool(func(_ *gqlRun, t *transaction) bool { return t.gateway.byHand() }),
			"createdAt":            gqlTime(func(_ *gqlRun, t *transaction) int64 { return t.at }),
			"processedAt":          gqlTime(func(_ *gqlRun, t *transaction) int64 { return t.at }),
			"test":                 gqlBool(func(_ *gqlRun, t *transaction) bool { return t.o.test }),
			"amountSet":            bagOf(func(_ *gqlRun, t *transaction) (*order, int64) { return t.o, t.amount }),
			"amountRoundingSet":    gqlObject("MoneyBag", func(_ *gqlRun, t *transaction) bag { return t.rounding() }),
			"totalUnsettledSet":    bagOf(func(_ *gqlRun, t *transaction) (*order, int64) { return t.o, 0 }),
			"parentTransaction":    gqlObject("OrderTransaction", func(_ *gqlRun, t *transaction) *transaction { return t.parent }),
			"order":                gqlObject("Order", func(_ *gqlRun, t *transaction) *order { return t.o }),
			"paymentId":            gqlTextOrNull(func(_ *gqlRun, t *transaction) string { return t.reference() }),
			"receiptJson":          gqlTextOrNull(func(*gqlRun, *transaction) string { return "{}" }),
			"fees": gqlList("TransactionFee", func(_ *gqlRun, t *transaction) []paymentFee {
				if t.fee == 0 {
					return nil
				}
				return []paymentFee{{t}}
			}),
		}},
		{name: "TransactionFee", is: []string{"Node"}, fields: gqlFields{
			"id":          gqlID("TransactionFee", func(_ *gqlRun, f paymentFee) int64 { return f.of.id }),
			"amount":      coinOf(func(_ *gqlRun, f paymentFee) int64 { return f.of.fee }),
			"taxAmount":   coinOf(func(*gqlRun, paymentFee) int64 { return 0 }),
			"flatFee":     coinOf(func(*gqlRun, paymentFee) int64 { return 25 }),
			"flatFeeName": gqlTextOrNull(func(*gqlRun, paymentFee) string { return "flat fee" }),
			"rate":        gqlText(func(*gqlRun, paymentFee) string { return "0.015" }),
			"rateName":    gqlTextOrNull(func(*gqlRun, paymentFee) string { return "card rate" }),
			"type":        gqlText(func(*gqlRun, paymentFee) string { return "processing_fee" }),
		}},
		{name: "Fulfillment", is: []string{"Node"}, fields: gqlFields{
			"id":               gqlID("Fulfillment", func(_ *gqlRun, f *fulfillment) int64 { return f.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, f *fulfillment) int64 { return f.id }),
			"name":             gqlText(func(_ *gqlRun, f *fulfillment) string { return "#" + f.o.label() + ".1" }),
			"createdAt":        gqlTime(func(_ *gqlRun, f *fulfillment) int64 { return f.at }),
			"updatedAt":        gqlTime(func(_ *gqlRun, f *fulfillment) int64 { return f.changed() }),
			"status":           gqlText(func(_ *gqlRun, f *fulfillment) string { return f.status("SUCCESS", "CANCELLED") }),
			"displayStatus":    gqlTextOrNull(func(_ *gqlRun, f *fulfillment) string { return f.status("FULFILLED", "CANCELED") }),
			"requiresShipping": gqlBool(func(*gqlRun, *fulfillment) bool { return true }),
			"totalQuantity":    gqlNumber(func(_ *gqlRun, f *fulfillment) int64 { return f.units() }),
			"location":         gqlObject("Location", func(_ *gqlRun, f *fulfillment) *site { return f.from }),
			"order":            gqlObject("Order", func(_ *gqlRun, f *fulfillment) *order { return f.o }),
			"trackingInfo":     gqlList("FulfillmentTrackingInfo", func(_ *gqlRun, f *fulfillment) []tracking { return f.tracking() }),
			"fulfillmentLineItems": gqlConnection("FulfillmentLineItem", func(_ *gqlRun, f *fulfillment) gqlRows[*carried] {
				all := make([]*carried, len(f.carries))
				for i := range all {
					all[i] = &f.carries[i]
				}
				return gqlRows[*carried]{all: all}
			}),
		}},
		{name: "FulfillmentTrackingInfo", fields: gqlFields{
			"company": gqlTextOrNull(func(_ *gqlRun, t tracking) string { return t.company }),
			"number":  gqlTextOrNull(func(_ *gqlRun, t tracking) string { return t.number }),
			"url":     gqlTextOrNull(func(_ *gqlRun, t tracking) string { return t.url }),
		}},
		{name: "FulfillmentLineItem", is: []string{"Node"}, fields: gqlFields{
			"id":       gqlID("FulfillmentLineItem", func(_ *gqlRun, c *carried) int64 { return c.row.l.id*10 + c.of.id%10 }),
			"lineItem": gqlObject("LineItem", func(_ *gqlRun, c *carried) *lineItem { return c.row }),
			"quantity": gqlNumber(func(_ *gqlRun, c *carried) int64 { return c.qty }),
		}},
	}
}

// tracking is how the parcel can be followed.
func (f *fulfillment) tracking() []tracking {
	if f.p != nil && f.p.told {
		return f.p.tracking
	}
	return []tracking{{company: "Colis Exemple", number: "CE" + text(f.id)}}
}

// changed is when the parcel last changed.
func (f *fulfillment) changed() int64 {
	if f.p == nil {
		return f.at
	}
	return max(f.at, f.p.changed, f.p.cancelled)
}

// status chooses between two words: for a parcel that left, and one that was
// cancelled.
func (f *fulfillment) status(left, cancelled string) string {
	if f.p != nil && f.p.cancelled > 0 {
		return cancelled
	}
	return left
}

func (f *fulfillment) units() int64 {
	var n int64
	for _, c := range f.carries {
		n += c.qty
	}
	return n
}

// reference is what the gateway calls the payment.
func (t *transaction) reference() string {
	if t.kind == "REFUND" || t.kind == "VOID" || t.status != "SUCCESS" || t.gateway.code == giftGateway.code {
		return ""
	}
	return t.o.transaction()
}

// rounding is by how much cash was rounded; none where it was not.
func (t *transaction) rounding() bag {
	if t.rounded == 0 {
		return bag{}
	}
	return bag{o: t.o, cents: t.rounded}
}

// account is the shop's balance of card payments.
type account struct{ s *Shop }

// booked is a movement with the payout that carries it.
type booked struct {
	movement
	in *payout
}

// movements are the movements of the balance, oldest first; those of one
// payout where the search names it. A payout that failed holds nothing any
// more once another carries what it held.
func (s *Shop) movements(q search) []*booked {
	payouts := s.payouts()
	var all []*booked
	add := func(moved []movement, of *payout) {
		for _, m := range moved {
			if in := s.paidOut.byMove[m.id]; of == nil || in == of {
				all = append(all, &booked{m, in})
			}
		}
	}
	t := q.only("payments_transfer_id")
	if t == nil {
		add(s.balance, nil)
		return all
	}
	for _, p := range payouts {
		if t.number(p.id) {
			add(p.moved, p)
		}
	}
	return all
}

func (p *payout) status(now time.Time) string {
	switch {
	case !p.arrived(now.Unix()):
		return "SCHEDULED"
	case p.fails:
		return "FAILED"
	default:
		return "PAID"
	}
}

// movementWords are the type, the source and the reason of each kind.
var movementWords = [...]struct{ kind, source, reason string }{
	moveCharge:      {"CHARGE", "CHARGE", ""},
	moveRefund:      {"REFUND", "REFUND", ""},
	moveDispute:     {"DISPUTE_WITHDRAWAL", "DISPUTE", ""},
	moveDisputeWon:  {"DISPUTE_REVERSAL", "DISPUTE", ""},
	moveReserve:     {"RESERVED_FUNDS_WITHDRAWAL", "SYSTEM_ADJUSTMENT", ""},
	moveReserveBack: {"RESERVED_FUNDS_REVERSAL", "SYSTEM_ADJUSTMENT", ""},
	moveAdjustment:  {"ADJUSTMENT", "ADJUSTMENT", "Correction of a fee"},
}

// sum adds up one side of the movements of some kinds.
func (p *payout) sum(fees bool, kinds ...movementKind) int64 {
	var sum int64
	for _, m := range p.moved {
		for _, k := range kinds {
			switch {
			case m.kind != k:
			case fees:
				sum += m.fee
			default:
				sum += m.amount
			}
		}
	}
	return sum
}

func payoutTypes() []gqlType {
	side := func(fees bool, kinds ...movementKind) gqlField {
		return coinOf(func(_ *gqlRun, p *payout) int64 { return p.sum(fees, kinds...) })
	}
	reserves := []movementKind{moveReserve, moveReserveBack}
	others := []movementKind{moveDispute, moveDisputeWon, moveAdjustment}
	return []gqlType{
		{name: "ShopifyPaymentsAccount", is: []string{"Node"}, fields: gqlFields{
			"id":              gqlID("ShopifyPaymentsAccount", func(*gqlRun, account) int64 { return 1 }),
			"activated":       gqlBool(func(*gqlRun, account) bool { return true }),
			"country":         gqlText(func(*gqlRun, account) string { return "FR" }),
			"defaultCurrency": gqlText(func(*gqlRun, account) string { return currencies[eur].code }),
			"balance": gqlList("MoneyV2", func(x *gqlRun, _ account) []coin {
				var left int64
				for _, m := range x.s.movements(nil) {
					if m.in == nil {
						left += m.amount - m.fee
					}
				}
				return []coin{{cents: left}}
			}),
			"payouts": gqlConnection("ShopifyPaymentsPayout", func(x *gqlRun, _ account) gqlRows[*payout] {
				key := payoutKey(x.args.text("sortKey"))
				all := slices.SortedFunc(slices.Values(x.s.payouts()), func(a, b *payout) int { return key(a).compare(key(b)) })
				return rowsOf(x, all, key, payoutTerm)
			}),
			"balanceTransactions": gqlConnection("ShopifyPaymentsBalanceTransaction", func(x *gqlRun, _ account) gqlRows[*booked] {
				return rowsOf(x, x.s.movements(parseSearch(x.args.text("query"))), func(b *booked) gqlKey { return gqlKey{b.id, b.id} }, movementTerm)
			}),
			"disputes": gqlConnection("ShopifyPaymentsDispute", func(x *gqlRun, _ account) gqlRows[*booked] {
				return gqlRows[*booked]{all: x.s.disputes()}
			}),
		}},
		{name: "ShopifyPaymentsPayout", is: []string{"Node"}, fields: gqlFields{
			"id":               gqlID("ShopifyPaymentsPayout", func(_ *gqlRun, p *payout) int64 { return p.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, p *payout) int64 { return p.id }),
			"issuedAt":         gqlTime(func(_ *gqlRun, p *payout) int64 { return p.issued }),
			"net":              coinOf(func(_ *gqlRun, p *payout) int64 { return p.net() }),
			"status":           gqlText(func(x *gqlRun, p *payout) string { return p.status(x.s.clock) }),
			"externalTraceId":  gqlTextOrNull(func(_ *gqlRun, p *payout) string { return "TR" + text(p.id) }),
			"transactionType": gqlText(func(_ *gqlRun, p *payout) string {
				if p.net() < 0 {
					return "WITHDRAWAL"
				}
				return "DEPOSIT"
			}),
			"summary": gqlSame("ShopifyPaymentsPayoutSummary"),
		}},
		{name: "ShopifyPaymentsPayoutSummary", fields: gqlFields{
			"chargesGross":           side(false, moveCharge),
			"chargesFee":             side(true, moveCharge),
			"refundsFeeGross":        side(false, moveRefund),
			"refundsFee":             side(true, moveRefund),
			"reservedFundsGross":     side(false, reserves...),
			"reservedFundsFee":       side(true, reserves...),
			"adjustmentsGross":       side(false, others...),
			"adjustmentsFee":         side(true, others...),
			"retriedPayoutsGross":    side(false),
			"retriedPayoutsFee":      side(true),
			"advanceGross":           side(false),
			"advanceFees":            side(true),
			"usdcRebateCreditAmount": side(false),
		}},
		{name: "ShopifyPaymentsBalanceTransaction", is: []string{"Node"}, fields: movementFields()},
		{name: "ShopifyPaymentsAssociatedOrder", fields: gqlFields{
			"id":   gqlID("Order", func(_ *gqlRun, o associated) int64 { return o.id }),
			"name": gqlText(func(x *gqlRun, o associated) string { return x.s.nameOf(o.id) }),
		}},
		{name: "ShopifyPaymentsBalanceTransactionAssociatedPayout", fields: gqlFields{
			"id": gqlID("ShopifyPaymentsPayout", func(_ *gqlRun, b *booked) int64 {
				if b.in == nil {
					return 0
				}
				return b.in.id
			}),
			"status": gqlTextOrNull(func(x *gqlRun, b *booked) string {
				if b.in == nil {
					return "PENDING"
				}
				return b.in.status(x.s.clock)
			}),
		}},
		{name: "ShopifyPaymentsDispute", is: []string{"Node"}, fields: gqlFields{
			"id":               gqlID("ShopifyPaymentsDispute", func(_ *gqlRun, b *booked) int64 { return b.id }),
			"legacyResourceId": gqlNumberText(func(_ *gqlRun, b *booked) int64 { return b.id }),
			"initiatedAt":      gqlTime(func(_ *gqlRun, b *booked) int64 { return b.at }),
			"amount":           coinOf(func(_ *gqlRun, b *booked) int64 { return -b.amount }),
			"status":           gqlText(func(x *gqlRun, b *booked) string { return x.s.outcome(b) }),
			"type":             gqlText(func(*gqlRun, *booked) string { return "CHARGEBACK" }),
			"order":            gqlObject("Order", func(x *gqlRun, b *booked) *order { return x.s.order(b.order) }),
		}},
	}
}

// associated is an order that a movement is about, which may be gone.
type associated struct{ id int64 }

func movementFields() gqlFields {
	return gqlFields{
		"id":               gqlID("ShopifyPaymentsBalanceTransaction", func(_ *gqlRun, b *booked) int64 { return b.id }),
		"type":             gqlText(func(_ *gqlRun, b *booked) string { return movementWords[b.kind].kind }),
		"test":             gqlBool(func(*gqlRun, *booked) bool { return false }),
		"transactionDate":  gqlTime(func(_ *gqlRun, b *booked) int64 { return b.at }),
		"amount":           coinOf(func(_ *gqlRun, b *booked) int64 { return b.amount }),
		"fee":              coinOf(func(_ *gqlRun, b *booked) int64 { return b.fee }),
		"net":              coinOf(func(_ *gqlRun, b *booked) int64 { return b.amount - b.fee }),
		"sourceType":       gqlTextOrNull(func(_ *gqlRun, b *booked) string { return movementWords[b.kind].source }),
		"adjustmentReason": gqlTextOrNull(func(_ *gqlRun, b *booked) string { return movementWords[b.kind].reason }),
		"associatedOrder":  gqlObject("ShopifyPaymentsAssociatedOrder", func(_ *gqlRun, b *booked) associated { return associated{b.order} }),
		"associatedPayout": gqlSame("ShopifyPaymentsBalanceTransactionAssociatedPayout"),
		"sourceId": gqlRaw(func(x *gqlRun, b *booked) {
			if b.source == 0 {
				x.text(text(b.id))
				return
			}
			x.text(text(b.source))
		}),
		"sourceOrderTransactionId": gqlRaw(func(x *gqlRun, b *booked) {
			if b.source == 0 {
				x.null()
				return
			}
			x.text(text(b.source))
		}),
	}
}

func (s *Shop) nameOf(id int64) string {
	if o := s.order(id); o != nil {
		return "#" + o.label()
	}
	return "#" + text(id)
}

// disputes are the payments that banks wanted back.
func (s *Shop) disputes() []*booked {
	var all []*booked
	for _, b := range s.movements(nil) {
		if b.kind == moveDispute {
			all = append(all, b)
		}
	}
	return all
}

// outcome is how a dispute ended. A lost one moves nothing.
func (s *Shop) outcome(b *booked) string {
	for _, m := range s.balance {
		if m.kind == moveDisputeWon && m.order == b.order {
			return "WON"
		}
	}
	if s.now() > b.at+46*86400 {
		return "LOST"
	}
	return "UNDER_REVIEW"
}

func payoutKey(sortKey string) func(*payout) gqlKey {
	if sortKey == "ID" {
		return func(p *payout) gqlKey { return gqlKey{p.id, p.id} }
	}
	return func(p *payout) gqlKey { return gqlKey{p.issued, p.id} }
}

func payoutTerm(s *Shop, p *payout, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(p.id), true
	case "issued_at":
		return t.instant(p.issued), true
	case "status":
		return t.word(p.status(s.clock)), true
	}
	return false, false
}

func movementTerm(s *Shop, b *booked, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(b.id), true
	case "processed_at":
		return t.instant(b.at), true
	case "transaction_type":
		return t.word(movementWords[b.kind].kind), true
	case "payments_transfer_id":
		return true, true // those of the payout are all that there are
	case "payout_status":
		return b.in != nil && t.word(b.in.status(s.clock)), true
	}
	return false, false
}
