// Package intake is what a storefront says, in the ERP's words. It is pure
// data: connectors fill it, the books decide what it means.
//
// Amounts are decimals in major units, exactly as the storefront stated them,
// with all the digits it sent; the books round them. Instants are in UTC; a
// zero time means that the storefront did not say. External ids are the
// storefront's own, kept as text. Unknown enum values are kept verbatim.
package intake

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
