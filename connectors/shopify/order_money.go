package shopify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// giftCardGateway is the gateway of what gift cards paid.
const giftCardGateway = "gift_card"

// The kinds of transaction that are told apart, and how the books call them.
// One that is not known is stated by its own name, and booked by nobody.
var moneyKinds = map[string]string{
	"AUTHORIZATION":     intake.MoneyAuthorize,
	"EMV_AUTHORIZATION": intake.MoneyAuthorize,
	"SALE":              intake.MoneySale,
	"CAPTURE":           intake.MoneyCapture,
	"VOID":              intake.MoneyVoid,
}

// is reports whether a transaction is of a kind.
func (t *transaction) is(kinds ...string) bool {
	for _, kind := range kinds {
		if strings.EqualFold(t.Kind.trimmed(), kind) {
			return true
		}
	}
	return false
}

// moved reports whether the money moved.
func (t *transaction) moved() bool { return strings.EqualFold(t.Status.trimmed(), "SUCCESS") }

// coming reports whether the money is on its way.
func (t *transaction) coming() bool {
	status := strings.ToUpper(t.Status.trimmed())
	return status == "PENDING" || status == "AWAITING_RESPONSE"
}

// gateway is where the money went through, by the shop's own name.
func (t *transaction) gateway() string {
	for _, name := range []scalar{t.Gateway, t.Title} {
		if name.trimmed() != "" {
			return name.trimmed()
		}
	}
	return "unknown"
}

func (m *mapper) movedAt(t *transaction) time.Time {
	at := m.instant(t.Processed, "date of transaction "+t.ID.ref())
	if at.IsZero() {
		at = m.instant(t.Created, "date of transaction "+t.ID.ref())
	}
	return at
}

// cash is the money of a transaction, with what was rounded because there are
// no coins for it: the shop states that apart.
func (m *mapper) cash(t *transaction) decimal.Decimal {
	return m.in(t.Amount, "transaction "+t.ID.ref()).Add(m.in(t.Rounding, "rounding of transaction "+t.ID.ref()))
}

// money states what was paid, and how. Only what succeeded moved. Refunds are
// stated apart.
func (m *mapper) money() {
	for i := range m.Transactions {
		t := &m.Transactions[i]
		if !t.moved() || t.is("REFUND", "CHANGE", "SUGGESTED_REFUND") {
			continue
		}
		if t.is("SALE", "CAPTURE") && strings.EqualFold(t.gateway(), giftCardGateway) {
			m.out.GiftCards = append(m.out.GiftCards, intake.Gift{ID: t.ID.ref(), Amount: m.cash(t)})
			continue
		}
		kind, known := moneyKinds[strings.ToUpper(t.Kind.trimmed())]
		if !known {
			kind = strings.ToLower(t.Kind.trimmed())
		}
		m.out.Payments = append(m.out.Payments, intake.Money{ID: t.ID.ref(), Kind: kind, Gateway: t.gateway(), Amount: m.cash(t),
			Fee: m.fee(t), Reference: t.PaymentID.trimmed(), At: m.movedAt(t)})
	}
	m.change()
	m.method()
	m.out.PaidAt = m.paidAt()
}

// change takes what a till gave back off the payment that it came out of.
func (m *mapper) change() {
	for i := range m.Transactions {
		t := &m.Transactions[i]
		if !t.moved() || !t.is("CHANGE") {
			continue
		}
		if p := m.changed(t); p != nil {
			p.Amount = p.Amount.Sub(m.in(t.Amount, "transaction "+t.ID.ref()).Abs())
		} else {
			m.fail("transaction "+t.ID.ref(), fmt.Errorf("change was given, but out of no payment of the order"))
		}
	}
}

// changed is the payment that change was given out of: its parent, or else the
// only one through the same gateway.
func (m *mapper) changed(t *transaction) *intake.Money {
	var same []*intake.Money
	for i := range m.out.Payments {
		p := &m.out.Payments[i]
		if p.Kind != intake.MoneySale && p.Kind != intake.MoneyCapture {
			continue
		}
		if p.ID == t.Parent.ID.ref() {
			return p
		}
		if p.Gateway == t.gateway() {
			same = append(same, p)
		}
	}
	if len(same) == 1 {
		return same[0]
	}
	return nil
}

// fee is what the gateway kept, with the tax on it. A fee in another currency
// than the order's is left out: the payout will tell.
func (m *mapper) fee(t *transaction) decimal.Decimal {
	var fee decimal.Decimal
	for i := range t.Fees {
		f := &t.Fees[i]
		if of := f.Amount.Currency.trimmed(); of != "" && !strings.EqualFold(of, string(m.out.Currency)) {
			continue
		}
		fee = fee.Add(m.amount(f.Amount.Amount, "fee of transaction "+t.ID.ref())).Add(m.amount(f.Tax.Amount, "tax on a fee of transaction "+t.ID.ref()))
	}
	return fee
}

// method states how the customer chose to pay: by the first payment, though it
// may be still to come, and not by a gift card where something else pays too.
func (m *mapper) method() {
	p := &m.out.Payment
	if m.Terms != nil {
		p.Terms = m.Terms.Name.trimmed()
	}
	for i := range m.Transactions {
		t := &m.Transactions[i]
		if !t.is("SALE", "CAPTURE", "AUTHORIZATION", "EMV_AUTHORIZATION") || !t.moved() && !t.coming() {
			continue
		}
		if p.Method == "" || p.Method == giftCardGateway {
			p.Method, p.Title = t.gateway(), t.Title.trimmed()
		}
	}
	if p.Method == "" && len(m.Gateways) > 0 {
		p.Method = m.Gateways[0].trimmed()
	}
}

// paidAt is when the order was paid in full; zero where it was not.
func (m *mapper) paidAt() time.Time {
	owed := m.in(m.Total, "totalPriceSet").Add(m.in(m.CashRounding.Payment, "totalCashRoundingAdjustment"))
	if !owed.IsPositive() {
		return time.Time{}
	}
	type paid struct {
		at     time.Time
		amount decimal.Decimal
	}
	var all []paid
	for _, p := range m.out.Payments {
		if p.Kind == intake.MoneySale || p.Kind == intake.MoneyCapture {
			all = append(all, paid{p.At, p.Amount})
		}
	}
	for i := range m.Transactions {
		for _, g := range m.out.GiftCards {
			if t := &m.Transactions[i]; t.ID.ref() == g.ID {
				all = append(all, paid{m.movedAt(t), g.Amount})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b paid) int { return a.at.Compare(b.at) })
	for _, p := range all {
		if owed = owed.Sub(p.amount); !owed.IsPositive() {
			return p.at
		}
	}
	return time.Time{}
}
