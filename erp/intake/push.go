package intake

import (
	"time"

	"github.com/shopspring/decimal"
)

// What the books tell a shop. A push never says more than what is to change.

// StockLevel is what a shop is to have of a variant at one place.
type StockLevel struct {
	Ref         Ref             `json:"ref"`                    // the variant that the shop counts; Parent is its product
	InventoryID string          `json:"inventory_id,omitempty"` // as Variant.InventoryID
	Location    string          `json:"location,omitempty"`     // external id; "" where the shop has no locations
	To          decimal.Decimal `json:"to"`                     // units that can be sold; never negative
	// From is what the shop must have for the change to be made: where it has
	// another number nothing is written, and the outcome is Stale. Nil: the
	// books do not know what it has, and any number may be replaced.
	From *decimal.Decimal `json:"from,omitempty"`
	// Status says for a shop that does not count this variant whether it can
	// be bought: InStock, OutOfStock or OnBackorder. A shop that counts works
	// it out itself.
	Status string `json:"status"`
	// Counted: the shop counts the variant. If not, only Status is sent.
	Counted bool `json:"counted"`
}

// The values of StockLevel.Status.
const (
	InStock     = "in_stock"
	OutOfStock  = "out_of_stock"
	OnBackorder = "on_backorder"
)

// Change is a new value of one field, in the field's canonical text.
type Change struct {
	Field Field `json:"field"`
	// From is what the shop is known to have; "" where it has nothing or is
	// not known to have it.
	From string `json:"from"`
	To   string `json:"to"`
}

// Edit is what the books want changed of a product, a variant or a category.
type Edit struct {
	// Key names this change: it is the same whenever the change is tried again,
	// and another one for each other change. Where the shop has a place for it,
	// it is kept with what is made, so that it is made once.
	Key string `json:"key"`
	// Ref is what is to be changed; with an empty ID it is to be made. Of a
	// variant, Parent is the product.
	Ref Ref `json:"ref"`
	// Delete takes a category away; what stands in it stays. Products are
	// never deleted, but archived by their status.
	Delete bool `json:"delete,omitempty"`
	// Changes are in the order of their fields; nothing else is written. In
	// FieldCategories and FieldParent the shop's own ids stand.
	Changes []Change `json:"changes"`
	// Variants are those of a product that is to be made, all without an id;
	// each states its FieldSKU where it has one. None: a product that exists.
	Variants []Edit `json:"variants,omitempty"`
	// Untracked: of a variant that is to be made, the stock is not counted, and
	// it can always be bought. If not, the shop counts it, from nothing: until
	// its stock is told it cannot be sold but on backorder.
	Untracked bool `json:"untracked,omitempty"`
}

// OrderRequest is one thing that a person wants done with an order of a shop.
// Exactly one of Shipment, Status, Cancel and Refund is set.
type OrderRequest struct {
	Order    Ref           `json:"order"`
	Shipment *NewShipment  `json:"shipment,omitempty"`
	Status   string        `json:"status,omitempty"` // the shop's own word for it
	Cancel   *Cancellation `json:"cancel,omitempty"`
	Refund   *NewRefund    `json:"refund,omitempty"`
	// Known is how the order stood when this was asked for; nil where that is
	// not compared. See Overtaken.
	Known *Known `json:"known,omitempty"`
}

// NewShipment is goods of an order that leave from one location.
type NewShipment struct {
	Carrier     string        `json:"carrier,omitempty"`
	Tracking    string        `json:"tracking,omitempty"` // number
	TrackingURL string        `json:"tracking_url,omitempty"`
	Location    string        `json:"location,omitempty"` // external id; "" where the shop has none, or decides itself
	Lines       []ShippedLine `json:"lines"`              // never empty; quantities are positive
	Notify      bool          `json:"notify,omitempty"`   // the shop writes to the customer
	At          time.Time     `json:"at"`
	// Completes: with this shipment all that was to be shipped has left.
	Completes bool `json:"completes,omitempty"`
}

// Cancellation is an order that will not be shipped.
type Cancellation struct {
	// Reason is customer, inventory, fraud, declined, staff or other.
	Reason  string `json:"reason"`
	Note    string `json:"note,omitempty"`    // for the staff
	Restock bool   `json:"restock,omitempty"` // goods go back in stock
	Refund  bool   `json:"refund,omitempty"`  // what was paid goes back the way it came
	Notify  bool   `json:"notify,omitempty"`
}

// NewRefund is money to be given back, goods taken back, or both.
type NewRefund struct {
	Amount decimal.Decimal `json:"amount"` // in the order's currency, with tax; never more than what is left
	Reason string          `json:"reason,omitempty"`
	// Pay has the shop's gateway move the money. If not, it is only noted that
	// it was moved by hand.
	Pay      bool            `json:"pay,omitempty"`
	Restock  bool            `json:"restock,omitempty"`  // goods of Lines go back in stock
	Location string          `json:"location,omitempty"` // where they go; "" lets the shop decide
	Lines    []NewRefundLine `json:"lines,omitempty"`    // none: an amount alone
	Notify   bool            `json:"notify,omitempty"`
}

// NewRefundLine is the part of a refund that concerns one line.
type NewRefundLine struct {
	LineID   string          `json:"line_id"`
	Quantity decimal.Decimal `json:"quantity"` // 0 for an amount without goods
	Total    decimal.Decimal `json:"total"`    // net
	Taxes    []Tax           `json:"taxes,omitempty"`
}

// Result is what became of one thing that a shop was told.
type Result string

// The results.
const (
	Done  Result = "done"  // the shop has it, be it that it had it already
	Stale Result = "stale" // of a stock level: the shop had another number than From, nothing was written
	// Refused: the shop does not take it, and says why; nothing was written. A
	// request about an order is not made again then: where the reason passes by
	// itself, the connector returns an error instead.
	Refused Result = "refused"
	// Skipped: the shop cannot hold it (stock of an item that it does not
	// track), which is no failure; Why says so.
	Skipped Result = "skipped"
	// Unknown: it could not be found out whether the shop has it. No connector
	// says so: it returns an error, and is asked again.
	Unknown Result = "unknown"
)

// Outcome is what became of one level, edit or request.
type Outcome struct {
	Result Result `json:"result"`
	Why    string `json:"why,omitempty"` // of Refused, Skipped and Unknown: the shop's own words
	// Now is what the shop has of a stock level: after Stale always, else
	// where its answer tells.
	Now *decimal.Decimal `json:"now,omitempty"`
	// Ref is what was changed, with the id of what was made. Variants are
	// those of a product that was made, in the order of Edit.Variants.
	Ref      Ref   `json:"ref"`
	Variants []Ref `json:"variants,omitempty"`
	// Records are what the shop states after the change, as Fetch would:
	// always after an edit or a request that is Done, but for what was
	// deleted; after a stock level where the answer tells.
	Records []Record `json:"-"`
	// A sale in the shop between these two instants, by our clock, may have
	// been overwritten; zero where the shop compares before it sets.
	ExposedFrom time.Time `json:"exposed_from,omitzero"`
	ExposedTo   time.Time `json:"exposed_to,omitzero"`
}
