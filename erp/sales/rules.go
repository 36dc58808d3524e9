package sales

import (
	"fmt"
	"slices"

	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
)

// Rules are how a shop wants its orders booked.
type Rules struct {
	// Revenue says when a sale is invoiced: OnPayment or OnShipment.
	Revenue string
	// Restock says what becomes of refunded goods where the shop does not
	// say: RestockNever, RestockLines or RestockAlways.
	Restock string
	// StockOwner says who decides on the stock after it was taken over:
	// OwnerShop or OwnerERP.
	StockOwner string
	// RefundTax says how a refund by amount only is split: TaxStated leaves
	// the tax alone, as the shop states it; TaxProportional takes the tax
	// back in the proportion of the order.
	RefundTax string
	// CancelReturnsMoney books the money of a cancelled paid order as given
	// back. False leaves it as a customer deposit until a refund says so.
	CancelReturnsMoney bool
	// LeadDays is the promise to the customer where the shop states none:
	// so many days after the order was placed. Negative: no promise.
	LeadDays int
	// Statuses maps a shop's own status to what it means; it wins over the
	// connector's reading.
	Statuses map[string]intake.OrderState
	// Accounts maps a gateway to the code of its clearing account. A gateway
	// without one gets an account of its own.
	Accounts map[string]string
	// Roles maps roles to the accounts that this shop's sales are booked to, by
	// code: those of ShopRoles. The others are the company's.
	Roles map[ledger.Role]string
}

// ShopRoles are the roles that a shop may have accounts of its own for: nothing
// in the books is tied to what is on them.
func ShopRoles() []ledger.Role {
	return []ledger.Role{ledger.Sales, ledger.ShippingIncome, ledger.OtherIncome, ledger.SalesReturns, ledger.Discounts, ledger.PaymentFees, ledger.CostOfGoodsSold}
}

// The choices of Rules.
const (
	OnPayment       = "payment"
	OnShipment      = "shipment"
	RestockNever    = "never"
	RestockLines    = "lines"  // what a refund line counts comes back
	RestockAlways   = "always" // and all goods of an order refunded in full
	OwnerShop       = "shop"
	OwnerERP        = "erp"
	TaxStated       = "stated"
	TaxProportional = "proportional"
)

// DefaultRules are those of a shop that says nothing else.
func DefaultRules() Rules {
	return Rules{Revenue: OnShipment, Restock: RestockLines, StockOwner: OwnerShop, RefundTax: TaxStated,
		CancelReturnsMoney: true, LeadDays: 3}
}

// Validate reports the first rule that is not one of its choices.
func (r Rules) Validate() error {
	for role := range r.Roles {
		if !slices.Contains(ShopRoles(), role) {
			return fmt.Errorf("accounts.%s: a shop cannot have an account of its own for this; it can for %q", role, ShopRoles())
		}
	}
	for _, c := range []struct {
		key, got string
		want     []string
	}{
		{"revenue", r.Revenue, []string{OnPayment, OnShipment}},
		{"restock", r.Restock, []string{RestockNever, RestockLines, RestockAlways}},
		{"stock_owner", r.StockOwner, []string{OwnerShop, OwnerERP}},
		{"refund_tax", r.RefundTax, []string{TaxStated, TaxProportional}},
	} {
		ok := false
		for _, w := range c.want {
			ok = ok || c.got == w
		}
		if !ok {
			return fmt.Errorf("%s: %q is none of %q", c.key, c.got, c.want)
		}
	}
	return nil
}

// Clearing is the account between a gateway and the bank: one for each gateway
// and currency. Home is the currency of the books; money in another one is
// kept apart from it where the rules name the account.
func (r Rules) Clearing(gateway string, currency, home money.Currency) ledger.Ref {
	if gateway == "" {
		gateway = "unknown"
	}
	a := ledger.Ref{Role: ledger.Clearing, Gateway: gateway, Currency: currency}
	if code := r.Accounts[gateway]; code != "" {
		a.Code = code
		if currency != home {
			a.Code += "-" + string(currency)
		}
	}
	return a
}
