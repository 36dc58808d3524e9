package shopify

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp/money"
)

// Probe proves the credentials and reports what the shop is like.
func (c *Connector) Probe(ctx context.Context) (connectors.Shop, error) {
	shop := connectors.Shop{Platform: platform, URL: c.client.base.String(), Version: c.cfg.APIVersion, Checks: []connectors.Check{}}
	known, _, err := c.askAccess(ctx)
	if err != nil {
		return shop, err
	}
	shop.Name = known.shop.Name
	shop.Country = known.shop.Address.Country
	shop.Currency = money.Currency(known.shop.Currency)
	shop.PricesIncludeTax = known.shop.TaxesIncluded
	shop.TimeZone = known.shop.Zone
	return shop, nil
}
