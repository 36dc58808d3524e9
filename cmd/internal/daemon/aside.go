package daemon

import (
	"slices"

	"comptoir/cmd/internal/engine"
)

// warn logs what a person should know from the beginning.
func (h *House) warn(env Env) {
	if len(h.Strangers) > 0 {
		env.Log.Warn().Msg(StrangersAdvice(h.Strangers))
	}
	if h.locks == nil {
		return
	}
	for _, shop := range h.locks.held {
		env.Log.Warn().Str("shop", shop).Msg("another comptoir process syncs this shop into the same database; it is left to it")
	}
}

// Ready is an Unavailable fault for a shop that another process syncs.
func (h *House) Ready(shop string) error {
	if h.locks != nil && slices.Contains(h.locks.held, shop) {
		return h.locks.busy(shop)
	}
	return nil
}

// leftAside returns a shop that is left to another process. Unlike Ready it may
// be called at any time: it tells how the house was opened.
func (h *House) leftAside(name string) (engine.Shop, bool) {
	i := slices.IndexFunc(h.aside, func(s engine.Shop) bool { return s.Name == name })
	if i < 0 {
		return engine.Shop{}, false
	}
	return h.aside[i], true
}

// elsewhere are the names of the shops that are left to other processes.
func (h *House) elsewhere() []string {
	var names []string
	for _, s := range h.aside {
		names = append(names, s.Name)
	}
	return names
}

// ours are the names of the shops that this process syncs.
func (h *House) ours() []string {
	return slices.DeleteFunc(h.Config.ShopNames(), func(shop string) bool { return h.Ready(shop) != nil })
}
