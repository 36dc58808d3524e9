package intake

import (
	"time"

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// OrderState is what a storefront's status means to the books.
type OrderState string

// The states of an order. A status that is not mapped is StateHold.
const (
	StatePending   OrderState = "pending"   // placed, unpaid: takes no stock
	StateHold      OrderState = "hold"      // wanted, but waits for a person or for money: takes stock, does not ship
	StateOpen      OrderState = "open"      // to be shipped
	StateCompleted OrderState = "completed" // shipped in full
	StateCancelled OrderState = "cancelled" // will not be shipped; stock is free again
	StateFailed    OrderState = "failed"    // payment failed; may come back
	StateRefunded  OrderState = "refunded"  // paid back in full
	StateDraft     OrderState = "draft"     // a checkout that was never placed: not booked
)

// Known reports whether s is one of the states above.
func (s OrderState) Known() bool {
	switch s {
	case StatePending, StateHold, StateOpen, StateCompleted, StateCancelled, StateFailed, StateRefunded, StateDraft:
		return true
	}
	return false
}

// Order is a sale as the shop states it now.
type Order struct {
	Number      string     `json:"number"`
	RawStatus   string     `json:"raw_status"`
	State       OrderState `json:"state"`
	Trashed     bool       `json:"trashed,omitempty"` // put away; State is the one it had before
	Test        bool       `json:"test,omitempty"`
	PlacedAt    time.Time  `json:"placed_at"`
	PaidAt      time.Time  `json:"paid_at,omitzero"`
	CompletedAt time.Time  `json:"completed_at,omitzero"`
	CancelledAt time.Time  `json:"cancelled_at,omitzero"`
	PromisedOn  string     `json:"promised_on,omitempty"` // YYYY-MM-DD; "" where the shop does not say

	Currency         money.Currency  `json:"currency"`
	PricesIncludeTax bool            `json:"prices_include_tax,omitempty"` // how prices were entered; line amounts are net all the same
	Total            decimal.Decimal `json:"total"`                        // what the order is worth, with tax, before gift cards
	TotalTax         decimal.Decimal `json:"total_tax"`
	DiscountTotal    decimal.Decimal `json:"discount_total"` // net; already inside the lines
	// Presented is what the customer saw, where that was in another currency
	// than the shop's own. It is kept, and never booked.
	Presented *Presented `json:"presented,omitempty"`

	CustomerID string   `json:"customer_id,omitempty"` // "" for a guest
	Customer   Customer `json:"customer"`              // snapshot; account and addresses may have changed since
	Lines      []Line   `json:"lines"`
	Coupons    []string `json:"coupons,omitempty"`
	Payment    Payment  `json:"payment"`
	Payments   []Money  `json:"payments,omitempty"`
	GiftCards  []Gift   `json:"gift_cards,omitempty"` // used to pay
	// MoneyStated: the shop tells of all money that moves. A cancellation alone
	// then gives nothing back, only its refunds do.
	MoneyStated bool      `json:"money_stated,omitempty"`
	Refunds     []Refund  `json:"refunds,omitempty"`
	Shipments   []Shipped `json:"shipments,omitempty"`
	Note        string    `json:"note,omitempty"` // by the customer
	CreatedVia  string    `json:"created_via,omitempty"`
}

// Presented is an order in the currency that the customer was shown.
type Presented struct {
	Currency money.Currency  `json:"currency"`
	Total    decimal.Decimal `json:"total"`
	TotalTax decimal.Decimal `json:"total_tax"`
}

// LineKind tells the lines of an order apart.
type LineKind string

// The kinds of line.
const (
	LineItem     LineKind = "item"
	LineShipping LineKind = "shipping"
	LineFee      LineKind = "fee" // may be negative
	LineTip      LineKind = "tip"
)

// Line is one line of an order.
type Line struct {
	ID        string          `json:"id"` // unique within the order
	Kind      LineKind        `json:"kind"`
	ProductID string          `json:"product_id,omitempty"` // "" when the product is gone
	VariantID string          `json:"variant_id,omitempty"` // the sellable unit; for a simple product the product's own id
	SKU       string          `json:"sku,omitempty"`        // as sold
	Title     string          `json:"title"`                // as sold
	Code      string          `json:"code,omitempty"`       // shipping method
	Quantity  decimal.Decimal `json:"quantity"`             // as ordered; 1 for shipping, fees and tips
	Subtotal  decimal.Decimal `json:"subtotal"`             // net, before discounts
	Total     decimal.Decimal `json:"total"`                // net, after discounts
	TaxClass  string          `json:"tax_class,omitempty"`
	Taxes     []Tax           `json:"taxes,omitempty"`
	GiftCard  bool            `json:"gift_card,omitempty"` // a gift card sold: a liability, not revenue
	Options   []Option        `json:"options,omitempty"`
}

// Option is a choice that makes a variant: size L, colour blue.
type Option struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Tax is the tax of one rate on one line.
type Tax struct {
	RateID   string          `json:"rate_id"`
	Name     string          `json:"name"`
	Rate     decimal.Decimal `json:"rate"` // per cent: 5.5
	Compound bool            `json:"compound,omitempty"`
	Amount   decimal.Decimal `json:"amount"`
	// Country is where the tax is due (ISO 3166-1 alpha-2), for shops that
	// have no list of their rates. "" where the list says.
	Country string `json:"country,omitempty"`
	// Remitted: the marketplace that sold the goods pays this tax to the
	// authority itself, so the merchant owes none.
	Remitted bool `json:"remitted,omitempty"`
}

// Payment is how the customer chose to pay.
type Payment struct {
	Method string `json:"method,omitempty"` // the gateway's code; "" where the shop does not say
	Title  string `json:"title,omitempty"`
	Terms  string `json:"terms,omitempty"`
}

// Money is money that moved: a payment taken, captured or voided. Refunds are
// in Order.Refunds.
type Money struct {
	ID        string          `json:"id"` // unique within the order
	Kind      string          `json:"kind"`
	Gateway   string          `json:"gateway"`
	Amount    decimal.Decimal `json:"amount"`
	Fee       decimal.Decimal `json:"fee"` // kept by the gateway, in the order's currency
	Reference string          `json:"reference,omitempty"`
	At        time.Time       `json:"at"`
}

// The kinds of Money. Only a sale and a capture are booked.
const (
	MoneyAuthorize = "authorize"
	MoneySale      = "sale"
	MoneyCapture   = "capture"
	MoneyVoid      = "void"
)

// Gift is a gift card used to pay.
type Gift struct {
	ID     string          `json:"id"`
	Code   string          `json:"code,omitempty"`
	Amount decimal.Decimal `json:"amount"`
}

// Refund is money given back, goods taken back, or both.
type Refund struct {
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Amount decimal.Decimal `json:"amount"` // by which the sale is worth less; zero or positive
	// Paid is the money that went back so far: less than Amount where some is
	// still to come or was set off against other goods, more where an earlier
	// overpayment went back too. Nil where the shop does not say: as much of
	// Amount as had been paid.
	Paid    *decimal.Decimal `json:"paid,omitempty"`
	Reason  string           `json:"reason,omitempty"`
	Gateway string           `json:"gateway,omitempty"` // "" means the order's own
	Full    bool             `json:"full,omitempty"`    // the shop calls it the refund of all that was left
	Lines   []RefundLine     `json:"lines,omitempty"`
}

// RefundLine is the part of a refund that concerns one line of the order.
// Quantity and amounts are positive.
type RefundLine struct {
	LineID   string          `json:"line_id"`
	Quantity decimal.Decimal `json:"quantity"` // 0 for an amount without goods
	Total    decimal.Decimal `json:"total"`    // net
	Taxes    []Tax           `json:"taxes,omitempty"`
	Restock  Restock         `json:"restock,omitempty"`
}

// Restock says what became of refunded goods.
type Restock string

// What a shop may say about refunded goods.
const (
	RestockUnknown Restock = ""    // the shop does not say: the rule of the shop decides
	RestockYes     Restock = "yes" // had left, and is back in stock
	RestockNo      Restock = "no"  // had left, and stays away
	// RestockUnshipped: it never left. Nothing comes back, and it is no longer
	// to be shipped.
	RestockUnshipped Restock = "unshipped"
)

// Shipped is a shipment of lines of the order. A shop without shipments states
// none: an order that is completed was shipped in full.
type Shipped struct {
	ID       string        `json:"id"`
	At       time.Time     `json:"at"`
	Carrier  string        `json:"carrier,omitempty"`
	Tracking string        `json:"tracking,omitempty"`
	Location string        `json:"location,omitempty"` // external id of where it left from; "" where the shop does not say
	Lines    []ShippedLine `json:"lines"`
}

// ShippedLine is the part of a shipment that concerns one line.
type ShippedLine struct {
	LineID   string          `json:"line_id"`
	Quantity decimal.Decimal `json:"quantity"`
}
