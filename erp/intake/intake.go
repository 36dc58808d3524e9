// Package intake is what a storefront says, in the ERP's words. It is pure
// data: connectors fill it, the books decide what it means.
//
// Amounts are decimals in major units, exactly as the storefront stated them,
// with all the digits it sent; the books round them. Instants are in UTC; a
// zero time means that the storefront did not say. External ids are the
// storefront's own, kept as text. Unknown enum values are kept verbatim.
package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// Resource is a kind of record that a storefront serves.
type Resource string

// The resources, in the order in which they must be synced.
const (
	TaxRates        Resource = "tax_rates"
	Gateways        Resource = "gateways"
	ShippingMethods Resource = "shipping_methods"
	Categories      Resource = "categories"
	Products        Resource = "products"
	Variants        Resource = "variants"
	Customers       Resource = "customers"
	Coupons         Resource = "coupons"
	Orders          Resource = "orders"
	// Trash is the orders that the shop has put away. They are orders; only
	// the list they are read from is another.
	Trash Resource = "trash"
	// Locations come before the goods that stand there.
	Locations Resource = "locations"
	// Payouts come after the orders whose money they carry.
	Payouts Resource = "payouts"
)

// Kind names what a record is; the external id is unique within it.
type Kind string

// The kinds of record.
const (
	KindTaxRate        Kind = "tax_rate"
	KindGateway        Kind = "gateway"
	KindShippingMethod Kind = "shipping_method"
	KindCategory       Kind = "category"
	KindProduct        Kind = "product"
	KindVariant        Kind = "variant"
	KindCustomer       Kind = "customer"
	KindCoupon         Kind = "coupon"
	KindOrder          Kind = "order"
	KindLocation       Kind = "location"
	KindPayout         Kind = "payout"
)

// KindOf returns the kind of the records that r serves.
func KindOf(r Resource) Kind {
	switch r {
	case TaxRates:
		return KindTaxRate
	case Gateways:
		return KindGateway
	case ShippingMethods:
		return KindShippingMethod
	case Categories:
		return KindCategory
	case Products:
		return KindProduct
	case Variants:
		return KindVariant
	case Customers:
		return KindCustomer
	case Coupons:
		return KindCoupon
	case Locations:
		return KindLocation
	case Payouts:
		return KindPayout
	default:
		return KindOrder
	}
}

// Ref names one record of a shop.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
	// Parent is the external id of the record that holds this one, where the
	// shop needs it to find it again (a variation's product). May be empty.
	Parent string `json:"parent,omitempty"`
}

// Record is one statement of a storefront about one of its records. Make it
// with Seal, Unreadable, Missing or Hidden.
type Record struct {
	Ref Ref
	// Modified is when the shop last changed it, to the shop's precision;
	// zero where the shop does not say. It is no part of the content.
	Modified time.Time
	// Digest identifies the content: equal digests mean that nothing that
	// the books look at has changed. Hex; empty only for a missing or a
	// hidden record.
	Digest string
	// Body is one of *Order, *Product, *Variant, *Category, *Customer,
	// *Coupon, *TaxRate, *Gateway, *ShippingMethod, *Location, *Payout. It is
	// nil when the shop no longer has the record or hides it, and when
	// Problem is set.
	Body any
	// Statement is Body as JSON. Digest is its SHA-256.
	Statement []byte
	// Raw is the payload as the shop sent it. Nil when the record is gone.
	Raw json.RawMessage
	// Problem says in plain words why the payload could not be understood
	// (an amount that is no number, say). The books park such a record.
	Problem string
	// Hidden is set where the shop may have the record and does not show it:
	// nothing can be said of it, and what the books have stands.
	Hidden bool
}

// Gone reports whether the shop no longer has the record.
func (r Record) Gone() bool { return r.Body == nil && r.Problem == "" && !r.Hidden }

// Seal returns the record that states body. It fails only where body holds
// what JSON cannot.
func Seal(ref Ref, modified time.Time, body any, raw json.RawMessage) (Record, error) {
	statement, err := json.Marshal(body)
	if err != nil {
		return Record{}, fmt.Errorf("state %s %s: %w", ref.Kind, ref.ID, err)
	}
	return Record{Ref: ref, Modified: modified, Digest: digest(statement), Body: body, Statement: statement, Raw: raw}, nil
}

// Unreadable returns the record whose payload could not be understood, for
// the reason given in plain words.
func Unreadable(ref Ref, modified time.Time, raw json.RawMessage, problem string) Record {
	return Record{Ref: ref, Modified: modified, Digest: digest(raw), Raw: raw, Problem: problem}
}

// Missing returns the record that the shop no longer has.
func Missing(ref Ref) Record { return Record{Ref: ref} }

// Hidden returns the record that the shop does not show to us: an order from
// before the time that our rights reach back to, say. Only Fetch may return
// it; the books are never told of it.
func Hidden(ref Ref) Record { return Record{Ref: ref, Hidden: true} }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Reopen reads a Statement back into the body of its kind.
func Reopen(kind Kind, statement []byte) (any, error) {
	var body any
	switch kind {
	case KindOrder:
		body = new(Order)
	case KindProduct:
		body = new(Product)
	case KindVariant:
		body = new(Variant)
	case KindCategory:
		body = new(Category)
	case KindCustomer:
		body = new(Customer)
	case KindCoupon:
		body = new(Coupon)
	case KindTaxRate:
		body = new(TaxRate)
	case KindGateway:
		body = new(Gateway)
	case KindShippingMethod:
		body = new(ShippingMethod)
	case KindLocation:
		body = new(Location)
	case KindPayout:
		body = new(Payout)
	default:
		return nil, fmt.Errorf("statement of unknown kind %q", kind)
	}
	if err := json.Unmarshal(statement, body); err != nil {
		return nil, fmt.Errorf("read statement of kind %s: %w", kind, err)
	}
	return body, nil
}

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

// ProductKind tells what is kept in stock.
type ProductKind string

// The kinds of product.
const (
	ProductStocked  ProductKind = "stocked"
	ProductService  ProductKind = "service"
	ProductGiftCard ProductKind = "gift_card"
)

// Product groups variants. A shop whose product is itself the sellable unit
// states one variant that has the product's id.
type Product struct {
	Title       string      `json:"title"`
	Slug        string      `json:"slug,omitempty"`
	Description string      `json:"description,omitempty"`
	Short       string      `json:"short,omitempty"`
	Brand       string      `json:"brand,omitempty"`
	Status      string      `json:"status"` // published, draft, archived, or verbatim
	Kind        ProductKind `json:"kind"`
	TaxClass    string      `json:"tax_class,omitempty"`
	CategoryIDs []string    `json:"category_ids,omitempty"`
	Images      []string    `json:"images,omitempty"`
	// Variants are those that the shop sends along with the product. Those
	// of their own resource are not repeated here.
	Variants []Variant `json:"variants,omitempty"`
}

// Variant is the sellable unit.
type Variant struct {
	ID        string           `json:"id"`
	ProductID string           `json:"product_id"`
	SKU       string           `json:"sku,omitempty"`
	Barcode   string           `json:"barcode,omitempty"`
	Title     string           `json:"title,omitempty"`
	Options   []Option         `json:"options,omitempty"`
	Status    string           `json:"status,omitempty"`
	Kind      ProductKind      `json:"kind"`
	TaxClass  string           `json:"tax_class,omitempty"`
	Price     *decimal.Decimal `json:"price,omitempty"`
	Regular   *decimal.Decimal `json:"regular,omitempty"`
	Sale      *decimal.Decimal `json:"sale,omitempty"`
	SaleFrom  time.Time        `json:"sale_from,omitzero"`
	SaleTo    time.Time        `json:"sale_to,omitzero"`
	Cost      *decimal.Decimal `json:"cost,omitempty"` // the shop's cost field; nil where it has none
	Weight    string           `json:"weight,omitempty"`
	// Tracked says whether the shop counts this variant's stock; false for a
	// group that only holds others.
	Tracked bool `json:"tracked"`
	// StockOf is the external id of the variant that carries the stock, where
	// several share one ("manage_stock": "parent"). "" means its own.
	StockOf string `json:"stock_of,omitempty"`
	// Stock is the number that the shop can still sell: it has taken off what
	// open orders hold. Nil where it is not tracked here.
	Stock      *decimal.Decimal `json:"stock,omitempty"`
	Backorders string           `json:"backorders,omitempty"`
	// Levels is Stock by location, for shops that have several.
	Levels []Level `json:"levels,omitempty"`
	// InventoryID is the external id under which the shop counts the stock,
	// where that is another than ID.
	InventoryID string `json:"inventory_id,omitempty"`
	// Sellable is false for the stock pool of a group: a variant that carries
	// stock for others and is never sold itself.
	Sellable bool `json:"sellable"`
}

// Level is what a shop has of a variant at one location.
type Level struct {
	Location  string          `json:"location"`  // external id
	Available decimal.Decimal `json:"available"` // can still be sold
	OnHand    decimal.Decimal `json:"on_hand"`
	Committed decimal.Decimal `json:"committed,omitzero"` // held by open orders
	Incoming  decimal.Decimal `json:"incoming,omitzero"`
}

// Category is a node of the shop's category tree.
type Category struct {
	ParentID    string `json:"parent_id,omitempty"`
	Name        string `json:"name"`
	Slug        string `json:"slug,omitempty"`
	Description string `json:"description,omitempty"`
	Position    int    `json:"position,omitempty"`
}

// Customer is a person or company that buys.
type Customer struct {
	Email      string    `json:"email,omitempty"`
	FirstName  string    `json:"first_name,omitempty"`
	LastName   string    `json:"last_name,omitempty"`
	Company    string    `json:"company,omitempty"`
	Phone      string    `json:"phone,omitempty"`
	VATNumber  string    `json:"vat_number,omitempty"`
	Role       string    `json:"role,omitempty"`
	Billing    Address   `json:"billing"`
	Shipping   Address   `json:"shipping"`
	Registered time.Time `json:"registered,omitzero"`
}

// Address is a postal address.
type Address struct {
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Company   string `json:"company,omitempty"`
	Street1   string `json:"street1,omitempty"`
	Street2   string `json:"street2,omitempty"`
	City      string `json:"city,omitempty"`
	Region    string `json:"region,omitempty"`
	Postcode  string `json:"postcode,omitempty"`
	Country   string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	Phone     string `json:"phone,omitempty"`
}

// IsZero reports whether the address says nothing.
func (a Address) IsZero() bool { return a == Address{} }

// Coupon is a discount code.
type Coupon struct {
	Code        string          `json:"code"`
	Type        string          `json:"type"` // percent, fixed_cart, fixed_product, or verbatim
	Amount      decimal.Decimal `json:"amount"`
	Description string          `json:"description,omitempty"`
	ExpiresAt   time.Time       `json:"expires_at,omitzero"`
	UsageCount  int             `json:"usage_count,omitempty"`
	UsageLimit  int             `json:"usage_limit,omitempty"` // 0: none
	Free        bool            `json:"free_shipping,omitempty"`
}

// TaxRate is a rate that the shop computes with.
type TaxRate struct {
	Name     string          `json:"name"`
	Country  string          `json:"country,omitempty"`
	Region   string          `json:"region,omitempty"`
	Postcode string          `json:"postcode,omitempty"`
	City     string          `json:"city,omitempty"`
	Rate     decimal.Decimal `json:"rate"` // per cent
	Class    string          `json:"class,omitempty"`
	Priority int             `json:"priority,omitempty"`
	Compound bool            `json:"compound,omitempty"`
	Shipping bool            `json:"shipping,omitempty"`
}

// Gateway is a way to pay.
type Gateway struct {
	Title   string `json:"title"`
	Enabled bool   `json:"enabled"`
}

// ShippingMethod is a way to ship.
type ShippingMethod struct {
	Title   string `json:"title"`
	Zone    string `json:"zone,omitempty"`
	Enabled bool   `json:"enabled"`
}

// Location is a place that a shop keeps stock at or ships from.
type Location struct {
	Name    string `json:"name"`
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	City    string `json:"city,omitempty"`
	Active  bool   `json:"active"`
	Ships   bool   `json:"ships"` // online orders are shipped from it
}

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
