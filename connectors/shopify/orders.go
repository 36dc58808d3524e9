package shopify

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// pullOrders returns the page of orders after cur.
func (c *Connector) pullOrders(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Orders)
}

// fetchOrders reads orders again.
func (c *Connector) fetchOrders(context.Context, []intake.Ref) ([]intake.Record, error) {
	return nil, c.unknownResource(intake.Orders)
}
