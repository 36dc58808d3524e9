package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
)

// Strangers lists the shops that the books have records of and that the
// configuration does not have. Most often one of them was renamed.
func Strangers(ctx context.Context, c *config.Config, books *erp.Books) ([]string, error) {
	counts, err := books.Counts(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, n := range counts {
		if _, ok := c.Shop(n.Shop); !ok && !slices.Contains(names, n.Shop) {
			names = append(names, n.Shop)
		}
	}
	return names, nil
}

// StrangersAdvice says what it means that the books have shops which are not
// configured.
func StrangersAdvice(names []string) string {
	return fmt.Sprintf("the books have records of %s, which the configuration does not have: where a shop was renamed, give it its old name back, "+
		"since under a new name everything is booked a second time", strings.Join(names, ", "))
}
