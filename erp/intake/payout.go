package intake

import (
	"time"

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// PayoutState is where a payout stands.
type PayoutState string

// The states of a payout. Only one that is paid is booked at the bank.
const (
	PayoutPending   PayoutState = "pending" // announced or on its way
	PayoutPaid      PayoutState = "paid"
	PayoutFailed    PayoutState = "failed" // the bank sent it back
	PayoutCancelled PayoutState = "cancelled"
)

// Payout is money that a gateway carries to the bank, or takes from it where
// Net is negative, with all that it is made of.
type Payout struct {
	Gateway   string          `json:"gateway"` // as in Money.Gateway
	Currency  money.Currency  `json:"currency"`
	State     PayoutState     `json:"state"`
	RawStatus string          `json:"raw_status"`
	IssuedAt  time.Time       `json:"issued_at"`
	Net       decimal.Decimal `json:"net"`
	Reference string          `json:"reference,omitempty"` // on the bank statement
	// Items add up to Net: each by its Amount less its Fee.
	Items []PayoutItem `json:"items,omitempty"`
}

// PayoutItem is one movement of the gateway's balance.
type PayoutItem struct {
	ID     string          `json:"id"` // unique within the gateway
	Kind   PayoutItemKind  `json:"kind"`
	Raw    string          `json:"raw"`    // the gateway's own word for the kind
	Amount decimal.Decimal `json:"amount"` // signed: into the balance is positive
	Fee    decimal.Decimal `json:"fee"`    // that the gateway kept; negative where it gave one back
	At     time.Time       `json:"at"`
	Order  string          `json:"order,omitempty"`  // external id of the order that it is about
	Source string          `json:"source,omitempty"` // external id of what caused it: a payment, a refund, a dispute
}

// PayoutItemKind says what moved a gateway's balance.
type PayoutItemKind string

// The kinds of PayoutItem. Charges and refunds are booked with their orders,
// fees of theirs with them; a payout books the others.
const (
	ItemCharge     PayoutItemKind = "charge"
	ItemRefund     PayoutItemKind = "refund"
	ItemDispute    PayoutItemKind = "dispute"    // held back (negative), or given free (positive)
	ItemReserve    PayoutItemKind = "reserve"    // held back (negative), or released (positive)
	ItemAdjustment PayoutItemKind = "adjustment" // all else, fees and credits of the gateway among them
	ItemTransfer   PayoutItemKind = "transfer"   // an earlier payout that came back; a payout is no item of its own
)
