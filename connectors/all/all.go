// Package all lists the connectors. A new one is one line here.
package all

import (
	"fmt"
	"strings"

	"comptoir/connectors"
	"comptoir/connectors/shopify"
	"comptoir/connectors/woocommerce"
)

// Registry returns the drivers of all connectors, in the order in which they
// are shown to a person.
func Registry() []connectors.Driver {
	return []connectors.Driver{
		woocommerce.Driver(),
		shopify.Driver(),
	}
}

// Lookup returns the driver of that name. The error lists the names there are.
func Lookup(name string) (connectors.Driver, error) {
	var names []string
	for _, d := range Registry() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return connectors.Driver{}, fmt.Errorf("connector %q is not known: use one of %s", name, strings.Join(names, ", "))
}
