package daemon

import (
	"context"
	"errors"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/engine"
)

// Look opens what it takes to look at one shop beside its books, and changes
// neither: it works while another process syncs the shop. The sync state stays
// closed, so of the engine only what needs none can be used: Plan.
func Look(ctx context.Context, c *config.Config, env Env, shop string, use func(*House) error) (err error) {
	shops, err := Pick(c, []string{shop})
	if err != nil {
		return err
	}
	h := &House{Config: c}
	if h.Books, err = OpenThereBooks(ctx, c, env); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ready, err := h.connect(env, shops, false)
	if err != nil {
		return err
	}
	if h.Engine, err = engine.New(engine.Options{Books: h.Books, Shops: ready, Now: env.Now, Log: env.Log}); err != nil {
		return err
	}
	return use(h)
}
