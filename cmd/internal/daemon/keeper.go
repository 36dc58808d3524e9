package daemon

import (
	"context"

	"comptoir/connectors"
	"comptoir/erp"
)

// NewKeeper returns what keeps the values of one shop in the books. Use hands
// the books over for the time of a call: those that are open, or ones that it
// opens.
func NewKeeper(shop string, use func(context.Context, func(*erp.Books) error) error) connectors.Keeper {
	return keeper{shop, use}
}

type keeper struct {
	shop string
	use  func(context.Context, func(*erp.Books) error) error
}

func (k keeper) Kept(ctx context.Context, name string) (value []byte, err error) {
	err = k.use(ctx, func(b *erp.Books) error {
		value, err = b.Kept(ctx, k.shop, name)
		return err
	})
	return value, err
}

func (k keeper) Keep(ctx context.Context, name string, value []byte) error {
	return k.use(ctx, func(b *erp.Books) error { return b.Keep(ctx, k.shop, name, value) })
}
