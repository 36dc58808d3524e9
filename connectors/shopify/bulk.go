package shopify

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// byBulk reports whether the orders after cur are read by a bulk operation.
func (c *Connector) byBulk(connectors.Cursor) bool { return false }

// firstOrders returns the next page of the first reading of all orders.
func (c *Connector) firstOrders(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, c.unknownResource(intake.Orders)
}
