package shopify

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

func (c *Connector) pullLocations(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Locations)
}

func (c *Connector) pullCategories(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Categories)
}

func (c *Connector) pullProducts(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Products)
}

func (c *Connector) pullVariants(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Variants)
}

func (c *Connector) pullCustomers(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Customers)
}

func (c *Connector) pullPayouts(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Payouts)
}

// fetchOthers reads records again that are no orders.
func (c *Connector) fetchOthers(_ context.Context, refs []intake.Ref) ([]intake.Record, error) {
	return nil, c.unknownResource(intake.Resource(refs[0].Kind))
}
