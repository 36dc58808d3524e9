// Package sales decides what a storefront's order means: which payments,
// invoices, shipments, refunds and cancellations it tells of, and what each of
// them posts to the accounts, the stock and the taxes.
//
// Decide is a pure function. From the order as the shop now states it, it works
// out every event that should stand in the books; what stands already is left
// alone, what is new is posted, and what has changed or gone is reversed and,
// where it still applies, posted again as the next revision. So an order may be
// stated once or many times, early or late: the books end the same.
package sales

import (
	"fmt"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/quantity"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
)

// DocumentKind is that of everything an order posts.
const DocumentKind = "order"

// Order is an order as the books have it.
type Order struct {
	ID       int64
	Revision int
	State    intake.OrderState
	Lines    map[string]Line
	Events   map[string]Event
}

// Event is something that happened to an order, in its newest revision.
type Event struct {
	Revision int
	Digest   string // of what it posts, but for dates and costs
	Document string // digest of the document it issued, "" for none
	Active   bool   // false once it was reversed
	Entry    *ledger.Stored
	Moves    []inventory.Stored
	Facts    []tax.Fact
	Invoice  int64 // id of the document that it issued, 0 for none
}

// Line is an order line as the books have it.
type Line struct {
	ID        int64
	Stock     int64 // the variant whose stock it wants
	Demand    quantity.Quantity
	Allocated quantity.Quantity
	State     string
}

// The states of an order line.
const (
	LineOpen        = "open"
	LineAllocated   = "allocated"
	LineReady       = "ready"
	LineShipped     = "shipped"
	LineReturned    = "returned"
	LineBackordered = "backordered"
	LineCancelled   = "cancelled"
)

// Goods is what the books know of the thing that a line sells.
type Goods struct {
	Variant int64 // 0: the shop no longer has it
	Stock   int64 // the variant that carries its stock
	Tracked bool  // its stock is counted
	Stub    bool  // named by an order before the shop described it
	// Unlisted: the shop did not describe it when its products were read. It is
	// sold without stock until it does.
	Unlisted bool
	Cost     decimal.Decimal
}

// Facts is all that Decide needs to know besides the two statements.
type Facts struct {
	Shop     string
	ShopID   int64
	External string    // id of the order in the shop
	Placed   time.Time // by the customer
	Modified time.Time
	Rules    Rules
	Home     money.Currency // of the accounts
	Zone     *time.Location // of business dates
	LockDate string         // nothing is posted at or before it; "" for none
	// Rate returns the exchange rate into Home on a day.
	Rate  func(c money.Currency, day string) (decimal.Decimal, bool)
	Goods map[string]Goods // by external id of the line
}

// Decision is what a statement changes.
type Decision struct {
	// Ignore is set for what is never booked: drafts and test orders.
	Ignore   bool
	State    intake.OrderState
	Final    bool // nothing more is expected
	Waiting  bool // goods that the shop has not described yet: decide again when it has
	Currency money.Currency
	Rate     decimal.Decimal
	Promised string
	Amounts  Amounts
	Lines    []LineDecision
	Refunds  []RefundDecision
	Steps    []Step
}

// Amounts are the order's figures in minor units of its currency.
type Amounts struct {
	Total      int64
	Tax        int64
	Discount   int64
	Gifts      int64
	Recomputed int64  // what our own arithmetic gives
	Difference string // how the two differ, "" where they do not
}

// LineDecision is a line as it should now be.
type LineDecision struct {
	Said      intake.Line
	Goods     Goods
	Ordered   quantity.Quantity
	Current   quantity.Quantity
	Refunded  quantity.Quantity
	Shipped   quantity.Quantity
	Returned  quantity.Quantity
	Demand    quantity.Quantity
	State     string
	UnitPrice decimal.Decimal
	Subtotal  int64
	Net       int64
	Tax       int64
}

// RefundDecision is a refund as it was understood.
type RefundDecision struct {
	Said   intake.Refund
	Amount int64
}

// Step is one change to the events of an order: a reversal of what stands, a
// posting, or both.
type Step struct {
	Event    string
	Revision int    // after the step
	Reverse  *Event // nil: there is nothing to take back
	Day      string // business date of the reversal
	// KeepDocument: only the settlement has changed; the invoice and its tax
	// facts stand as they were issued.
	KeepDocument bool
	Posting      *Posting // nil: it no longer applies
}

// Posting is what an event posts.
type Posting struct {
	Event     string
	Effective string
	Digest    string
	Document  string
	Entry     *ledger.Entry // nil: no money
	Moves     []LineMove
	Facts     []tax.Fact
	Invoice   *Invoice
	Summary   string // in plain words
}

// LineMove is a move that concerns a line of the order.
type LineMove struct {
	Line string
	Move inventory.Move
}

// Invoice is a document to be issued: an invoice or a credit note.
type Invoice struct {
	Kind     string // InvoiceKind or CreditNoteKind
	Currency money.Currency
	Net      int64
	Tax      int64
	Total    int64
	Lines    []InvoiceLine
}

// The kinds of Invoice.
const (
	InvoiceKind    = "invoice"
	CreditNoteKind = "credit_note"
)

// InvoiceLine is a line of an Invoice, as printed.
type InvoiceLine struct {
	Title    string            `json:"title"`
	SKU      string            `json:"sku,omitempty"`
	Kind     intake.LineKind   `json:"kind"`
	Quantity quantity.Quantity `json:"quantity"`
	Net      int64             `json:"net"`
	Taxes    []InvoiceTax      `json:"taxes,omitempty"`
}

// InvoiceTax is the tax of one rate on a line.
type InvoiceTax struct {
	Name   string          `json:"name"`
	Rate   decimal.Decimal `json:"rate"`
	Amount int64           `json:"amount"`
}

// Cause is the key of an event in a revision: it names what was posted, for
// ever.
func (f Facts) Cause(event string, revision int) string {
	key := "order/" + f.Shop + "/" + f.External + "/" + event
	if revision > 1 {
		key += fmt.Sprintf("#%d", revision)
	}
	return key
}

// day returns the business date of an instant, never one in a locked period.
func (f Facts) day(t time.Time) string {
	return f.Unlocked(t.In(f.Zone).Format(time.DateOnly))
}

// Unlocked returns a business date, or the first one after the locked period.
func (f Facts) Unlocked(day string) string {
	return ledger.Unlocked(f.LockDate, day)
}
