package engine

import (
	"context"
	"slices"

	"comptoir/erp"
	"comptoir/erp/intake"
)

// link finds the shop's new products among those of the other shops, where they
// were read to their end; nil where they were not.
func (e *Engine) link(ctx context.Context, sh *shop) (*erp.Linking, error) {
	catalogueAt, err := e.catalogueRead(sh)
	if err != nil || catalogueAt.IsZero() {
		return nil, err
	}
	graced, cancel := e.grace(ctx)
	defer cancel()
	l, err := e.opts.Books.Link(graced, sh.Name, e.absent()...)
	if err != nil {
		return nil, err
	}
	if l.Linked > 0 {
		sh.log.Info().Int("linked", l.Linked).Int("shared", l.Shared).Strs("ambiguous", l.Ambiguous).Msg("products linked with those of the other shops")
	}
	if len(l.Missing) > 0 && !slices.Equal(l.Missing, sh.awaited) {
		sh.log.Info().Strs("missing", l.Missing).Msg("new goods wait until the products of these shops were read too; the money is booked")
	}
	sh.awaited = l.Missing
	return &l, nil
}

// absent lists the shops that nobody should wait for: those that are paused,
// and those whose products are not read on a schedule though others of their
// resources are.
func (e *Engine) absent() []string {
	var names []string
	for _, sh := range e.shops {
		if sh.pausedFor() != "" || (len(sh.Schedules) > 0 && sh.Schedules[intake.Products] == "" && sh.Schedules[intake.Variants] == "") {
			names = append(names, sh.Name)
		}
	}
	return names
}
