package intake

import (
	"time"

	"github.com/shopspring/decimal"
)

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
