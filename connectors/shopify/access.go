package shopify

import (
	"context"
	"slices"
	"strings"
)

// The scopes that decide what can be read of a shop.
const (
	scopeOrders    = "read_orders"
	scopeAllOrders = "read_all_orders"
	scopeProducts  = "read_products"
	scopeInventory = "read_inventory"
	scopeLocations = "read_locations"
	scopeCustomers = "read_customers"
	scopeTerms     = "read_payment_terms"
	scopePayments  = "read_shopify_payments"
	scopeAccounts  = "read_shopify_payments_accounts" // serves as well as scopePayments
)

// The scopes that decide what can be written into a shop.
const (
	scopeSetStock = "write_inventory"
	scopeShip     = "write_merchant_managed_fulfillment_orders"
	scopeOrder    = "write_orders"
	scopeEdit     = "write_products"
	scopePublish  = "write_publications"
	scopeFiles    = "write_files"
)

// writing are the rights that the mutations need. Who only reads a shop has no
// need of them.
var writing = [...]right{
	{scope: scopeSetStock, without: "stock"},
	{scope: scopeEdit, without: "products, prices and collections"},
	{scope: scopePublish, without: "what is made in the shop, which then is not on sale until somebody publishes it"},
	{scope: scopeFiles, without: "which pictures a product loses"},
	{scope: scopeShip, without: "shipments"},
	{scope: scopeOrder, without: "cancellations, refunds and whether an order is closed"},
}

// right is a scope that the app should have.
type right struct {
	scope   string
	without string // what is missing without it
	needed  bool   // else the books can do without it
}

// rights are those that the documents need, but for that to payouts.
var rights = [...]right{
	{scopeOrders, "no orders are read", true},
	{scopeProducts, "no products, variants and collections are read", true},
	{scopeInventory, "no stock and no costs are read, and so no variants", true},
	{scopeLocations, "no locations are read", true},
	{scopeCustomers, "customers are not read, and orders do not say whose they are", false},
	{scopeTerms, "orders on payment terms are held until they are paid", false},
}

// access is what the app may see of the shop.
type access struct {
	scopes []string
	shop   shopFacts
}

// has reports whether a scope was granted. One that may write may read.
func (a access) has(scope string) bool {
	what, reading := strings.CutPrefix(scope, "read_")
	return slices.Contains(a.scopes, scope) || reading && slices.Contains(a.scopes, "write_"+what)
}

// windowed reports whether the shop hides orders older than 60 days: one that
// is not found is then unknown and not deleted.
func (a access) windowed() bool { return !a.has(scopeAllOrders) }

// payouts reports whether the payouts of Shopify Payments may be read.
func (a access) payouts() bool { return a.has(scopePayments) || a.has(scopeAccounts) }

// shopFacts is what the shop says of itself.
type shopFacts struct {
	Name          string `json:"name"`
	Currency      string `json:"currencyCode"`
	Zone          string `json:"ianaTimezone"`
	TaxesIncluded bool   `json:"taxesIncluded"`
	Domain        string `json:"myshopifyDomain"`
	Address       struct {
		Country string `json:"countryCodeV2"`
	} `json:"shopAddress"`
	Plan struct {
		Name string `json:"publicDisplayName"`
	} `json:"plan"`
}

// access asks the shop once what the app may see of it, and what the shop is
// like. Probe asks anew.
func (c *Connector) access(ctx context.Context) (access, error) {
	if known := c.granted.Load(); known != nil {
		return *known, nil
	}
	known, _, err := c.askAccess(ctx)
	return known, err
}

func (c *Connector) askAccess(ctx context.Context) (access, *answer, error) {
	var said struct {
		Shop         shopFacts `json:"shop"`
		Installation struct {
			Scopes []struct {
				Handle string `json:"handle"`
			} `json:"accessScopes"`
		} `json:"currentAppInstallation"`
	}
	a, err := c.client.do(ctx, "read what the shop is like", documentOf("shop"), nil, &said)
	if err != nil {
		return access{}, nil, err
	}
	known := access{shop: said.Shop}
	for _, s := range said.Installation.Scopes {
		known.scopes = append(known.scopes, s.Handle)
	}
	c.granted.Store(&known)
	return known, a, nil
}
