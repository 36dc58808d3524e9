package shopify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// mapper turns one order into a statement.
//
// Amounts are in the shop's own currency (shopMoney); what the customer was
// shown is kept beside them. Lines are net. An order is stated as it was sold:
// with its edits, before its refunds and returns, which are stated apart.
type mapper struct {
	*heldOrder
	out        *intake.Order
	home       string                 // country of the shop
	country    string                 // where the goods go
	shipUnpaid []string               // gateways, in lower case
	sold       map[string]agreed      // by line, of edited orders
	stated     map[string]intake.Line // by their ids
}

// orderRules are the settings that orders are read with.
type orderRules struct {
	country    string   // of the shop
	shipUnpaid []string // gateways
}

// state makes the record of an order that was completed.
func (h *heldOrder) state(rules orderRules) intake.Record {
	if h.problem != "" {
		return h.seal(intake.KindOrder, h.ID, h.Updated, nil, h.raw)
	}
	m := &mapper{heldOrder: h, home: rules.country, out: new(intake.Order), stated: map[string]intake.Line{}}
	for _, gateway := range rules.shipUnpaid {
		m.shipUnpaid = append(m.shipUnpaid, strings.ToLower(strings.TrimSpace(gateway)))
	}
	h.arrange()
	m.head()
	m.lines()
	m.money()
	m.shipments()
	m.refunds()
	m.totals()
	m.status()
	return h.seal(intake.KindOrder, h.ID, h.Updated, m.out, h.raw)
}

// arrange puts the parts of an order in the order of their ids, whichever way
// it was read: a bulk operation has no other, and what a refund means depends
// on those before it.
func (h *heldOrder) arrange() {
	slices.SortStableFunc(h.Lines.Nodes, func(a, b lineItem) int { return cmp.Compare(a.ID.id(), b.ID.id()) })
	slices.SortStableFunc(h.Fulfillments, func(a, b fulfillment) int { return cmp.Compare(a.ID.id(), b.ID.id()) })
	slices.SortStableFunc(h.Refunds, func(a, b refund) int { return cmp.Compare(a.ID.id(), b.ID.id()) })
	transactions := func(a, b transaction) int { return cmp.Compare(a.ID.id(), b.ID.id()) }
	slices.SortStableFunc(h.Transactions, transactions)
	for i := range h.Refunds {
		slices.SortStableFunc(h.Refunds[i].Transactions.Nodes, transactions)
	}
}

// in reads an amount in the shop's own currency.
func (m *mapper) in(b bag, field string) decimal.Decimal { return m.amount(b.Shop.Amount, field) }

func (m *mapper) head() {
	o := m.out
	if m.ID.ref() == "" {
		m.fail("id", fmt.Errorf("%q is no id of an order", m.ID.text))
	}
	o.Number = m.Name.trimmed()
	if o.Number == "" {
		o.Number = m.ID.ref()
	}
	o.Test = m.Test
	o.MoneyStated = true // by the transactions
	o.PlacedAt = m.instant(m.Processed, "processedAt")
	if o.PlacedAt.IsZero() {
		o.PlacedAt = m.instant(m.Created, "createdAt")
	}
	o.CancelledAt = m.instant(m.Cancelled, "cancelledAt")
	o.Currency = money.Currency(strings.ToUpper(m.Currency.trimmed()))
	if of := m.Total.Shop.Currency.trimmed(); of != "" && !strings.EqualFold(of, string(o.Currency)) {
		m.fail("totalPriceSet", fmt.Errorf("the order is in %s, but its total in %s", o.Currency, of))
	}
	o.PricesIncludeTax = m.TaxesIncluded
	o.Note = m.Note.trimmed()
	o.CreatedVia = m.Source.trimmed()
	for _, code := range m.Codes {
		o.Coupons = append(o.Coupons, code.trimmed())
	}
	m.customer()
}

// customer is who bought, as the order holds it. All of it is protected data:
// an app without the right to it sees none, and the order is stated all the
// same.
func (m *mapper) customer() {
	billing, shipping := m.Billing.body(), m.Shipping.body()
	m.out.CustomerID = m.Customer.ID.ref()
	m.out.Customer = intake.Customer{
		Email: m.Email.trimmed(), Phone: m.Phone.trimmed(),
		FirstName: billing.FirstName, LastName: billing.LastName, Company: billing.Company,
		Billing: billing, Shipping: shipping,
	}
	if billing.IsZero() {
		m.out.Customer.FirstName, m.out.Customer.LastName, m.out.Customer.Company = shipping.FirstName, shipping.LastName, shipping.Company
	}
	if m.out.Customer.Phone == "" {
		m.out.Customer.Phone = billing.Phone
	}
	m.country = m.home
	for _, country := range []string{billing.Country, shipping.Country} { // the last one wins
		if country != "" {
			m.country = country
		}
	}
}

// totals states what the order is worth. The tax is what the shop says, unless
// the total is nearer to the lines with the taxes that they bear: then it is
// theirs, since the tax of duties and fees is not in the shop's sum.
func (m *mapper) totals() {
	o := m.out
	o.Total = m.in(m.Total, "totalPriceSet")
	var net, tax decimal.Decimal
	for i := range o.Lines {
		net = net.Add(o.Lines[i].Total)
		o.DiscountTotal = o.DiscountTotal.Add(o.Lines[i].Subtotal).Sub(o.Lines[i].Total)
		for _, t := range o.Lines[i].Taxes {
			tax = tax.Add(t.Amount)
		}
	}
	if left := o.Total.Sub(net).Sub(tax); !left.IsZero() && left.Equal(m.in(m.Tip, "totalTipReceivedSet")) {
		o.Lines = append(o.Lines, intake.Line{ID: "tip", Kind: intake.LineTip, Title: "Tip", Quantity: one, Subtotal: left, Total: left})
		net = net.Add(left)
	}
	o.TotalTax = tax
	if m.Tax != nil {
		left, stated := o.Total.Sub(net), m.in(*m.Tax, "totalTaxSet")
		if !left.Equal(tax) && left.Sub(stated).Abs().LessThanOrEqual(left.Sub(tax).Abs()) {
			o.TotalTax = stated
		}
	}
	if shown := strings.ToUpper(m.Presented.trimmed()); shown != "" && shown != string(o.Currency) {
		o.Presented = &intake.Presented{Currency: money.Currency(shown), Total: m.amount(m.Total.Presentment.Amount, "totalPriceSet")}
		if m.Tax != nil {
			o.Presented.TotalTax = m.amount(m.Tax.Presentment.Amount, "totalTaxSet")
		}
	}
	m.rounding()
}

// rounding states what was paid more or less because there are no coins for
// it, as a line: the shop's total is without it, and the money with it.
func (m *mapper) rounding() {
	rounding := m.in(m.CashRounding.Payment, "totalCashRoundingAdjustment")
	refunded := false
	for i := range m.out.Refunds {
		for _, l := range m.out.Refunds[i].Lines {
			refunded = refunded || l.LineID == roundingLine
		}
	}
	if rounding.IsZero() && !refunded {
		return
	}
	m.out.Total = m.out.Total.Add(rounding)
	m.out.Lines = append(m.out.Lines, intake.Line{ID: roundingLine, Kind: intake.LineFee, Code: "cash_rounding", Title: "Cash rounding",
		Quantity: one, Subtotal: rounding, Total: rounding})
}

// The ids of lines that have none of their own in the shop, and what is put
// before the ids of those that are no items: the numbers of different kinds
// may be the same.
const (
	roundingLine   = "r"
	shippingPrefix = "s"
	dutyPrefix     = "d"
	feePrefix      = "f"
)

var one = decimal.New(1, 0)

// status says where the order stands.
func (m *mapper) status() {
	o := m.out
	financial, fulfilled := strings.ToUpper(m.Financial.trimmed()), strings.ToUpper(m.Fulfilled.trimmed())
	o.RawStatus = strings.ToLower(financial + "/" + fulfilled)
	if !o.CancelledAt.IsZero() {
		o.RawStatus = "cancelled/" + o.RawStatus
	}
	whole := fulfilled == "FULFILLED" || fulfilled == "FULFILLMENT_NOT_REQUIRED"
	switch {
	case !o.CancelledAt.IsZero():
		o.State = intake.StateCancelled
	case financial == "REFUNDED":
		o.State = intake.StateRefunded
	case whole:
		o.State = intake.StateCompleted
	case !shippable(fulfilled):
		o.State = intake.StateHold
	default:
		o.State = m.unshipped(financial)
	}
	o.Trashed = m.Closed.trimmed() != "" && !whole && o.CancelledAt.IsZero()
	if fulfilled == "FULFILLED" {
		o.CompletedAt = m.newestFulfillment()
	}
}

// shippable reports whether goods that have not left yet may leave. A status
// that is not known holds the order.
func shippable(fulfilled string) bool {
	switch fulfilled {
	case "UNFULFILLED", "OPEN", "PARTIALLY_FULFILLED", "IN_PROGRESS", "PENDING_FULFILLMENT", "RESTOCKED":
		return true
	}
	return false
}

// unshipped is the state of an order that waits for nothing but its money. One
// that is not known holds the order.
func (m *mapper) unshipped(financial string) intake.OrderState {
	switch financial {
	case "PAID", "PARTIALLY_REFUNDED", "AUTHORIZED":
		return intake.StateOpen
	case "PENDING":
		if m.Terms != nil || m.shipsUnpaid() {
			return intake.StateOpen
		}
	}
	return intake.StateHold
}

// shipsUnpaid reports whether the order goes through a gateway whose goods
// leave before their money comes.
func (m *mapper) shipsUnpaid() bool {
	used := append([]scalar{}, m.Gateways...)
	for i := range m.Transactions {
		used = append(used, m.Transactions[i].Gateway, m.Transactions[i].Title)
	}
	for _, gateway := range used {
		for _, unpaid := range m.shipUnpaid {
			if unpaid != "" && strings.ToLower(gateway.trimmed()) == unpaid {
				return true
			}
		}
	}
	return false
}

func (m *mapper) newestFulfillment() time.Time {
	var newest time.Time
	for i := range m.out.Shipments {
		if at := m.out.Shipments[i].At; at.After(newest) {
			newest = at
		}
	}
	return newest
}

// shipped reports whether the goods of a fulfilment left.
func (f *fulfillment) shipped() bool { return strings.EqualFold(f.Status.trimmed(), "SUCCESS") }

// shippedWhole returns the lines that the only fulfilment of an order carried,
// where they follow from the order: it carried as many goods as there are, and
// there can be no others. Nil: it must be read.
func (h *heldOrder) shippedWhole() []*lineItem {
	var only *fulfillment
	for i := range h.Fulfillments {
		if f := &h.Fulfillments[i]; f.shipped() {
			if only != nil {
				return nil
			}
			only = f
		}
	}
	if only == nil || h.Edited || len(h.Refunds) > 0 {
		return nil
	}
	var all, ships []*lineItem
	var allUnits, shipUnits decimal.Decimal
	for i := range h.Lines.Nodes {
		l := &h.Lines.Nodes[i]
		units, err := l.Quantity.number()
		if err != nil {
			return nil
		}
		all, allUnits = append(all, l), allUnits.Add(units)
		if l.Ships {
			ships, shipUnits = append(ships, l), shipUnits.Add(units)
		}
	}
	units, err := only.Total.number()
	switch {
	case err != nil:
		return nil
	case units.Equal(allUnits):
		return all
	case units.Equal(shipUnits) && strings.EqualFold(h.Fulfilled.trimmed(), "FULFILLED"): // all that is to be shipped, and nothing else
		return ships
	default:
		return nil
	}
}

// shipments states the fulfilments that left; those that were cancelled or
// refused did not.
func (m *mapper) shipments() {
	whole := m.shippedWhole()
	for i := range m.Fulfillments {
		f := &m.Fulfillments[i]
		if !f.shipped() {
			continue
		}
		s := intake.Shipped{ID: f.ID.ref(), At: m.instant(f.Created, "date of fulfilment "+f.ID.ref()), Location: f.Location.ID.ref()}
		if len(f.Tracking) > 0 {
			s.Carrier, s.Tracking = f.Tracking[0].Company.trimmed(), f.Tracking[0].Number.trimmed()
		}
		if whole != nil {
			for _, l := range whole {
				s.Lines = append(s.Lines, intake.ShippedLine{LineID: l.ID.ref(), Quantity: m.amount(l.Quantity, "quantity of line "+l.ID.ref())})
			}
		} else {
			s.Lines = m.shippedLines(f)
		}
		m.out.Shipments = append(m.out.Shipments, s)
	}
}

// shippedLines lists what a fulfilment carried, in the order of the lines.
func (m *mapper) shippedLines(f *fulfillment) []intake.ShippedLine {
	units := map[string]decimal.Decimal{}
	for _, l := range f.Lines.Nodes {
		id := l.Line.ID.ref()
		units[id] = units[id].Add(m.amount(l.Quantity, "quantity of fulfilment "+f.ID.ref()))
	}
	var lines []intake.ShippedLine
	for i := range m.Lines.Nodes {
		id := m.Lines.Nodes[i].ID.ref()
		if q := units[id]; q.IsPositive() {
			lines = append(lines, intake.ShippedLine{LineID: id, Quantity: q})
		}
		delete(units, id)
	}
	for _, l := range f.Lines.Nodes {
		if id := l.Line.ID.ref(); units[id].IsPositive() {
			m.fail("fulfilment "+f.ID.ref(), fmt.Errorf("it carries line %q, which the order does not have", id))
		}
	}
	return lines
}
