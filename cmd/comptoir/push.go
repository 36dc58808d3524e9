package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/cmd/internal/engine"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/spf13/cobra"
)

func (a *app) push() *cobra.Command {
	var p pushing
	cmd := &cobra.Command{
		Use:   "push SHOP | --apply FILE",
		Short: "Tell a shop what has changed in the books",
		Long: "Push sends a shop what of the fields that the books own has changed: stock, and whatever else owners gives to erp.\n" +
			"The daemon does the same by itself, as soon as something changes. Before stock is sent the shop's orders are read.\n\n" +
			"With --dry-run nothing is changed, here or there: it is worked out what would be sent, beside what the shop has\n" +
			"now. --plan writes the same into a file with a hash; --apply sends exactly what such a file says, and nothing where\n" +
			"the books or the shop have moved since or the file was edited. --dry-run and --plan work while the daemon runs. What is\n" +
			"to be made has no id yet: what depends on it calls it new:NAME, such as new:Garden/Pots for a category. Fields that both\n" +
			"sides have changed are listed as conflicts, and not sent.",
		Args: func(cmd *cobra.Command, args []string) error {
			if p.apply != "" {
				return count(0, 0)(cmd, args)
			}
			return count(1, 1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p.a = a
			for _, name := range []string{"plan", "apply"} {
				if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
					return fault.New(fault.Invalid, "name a file", "--%s has no FILE", name)
				}
			}
			switch {
			case p.apply != "" && (p.all || p.dry || p.plan != "" || len(p.resources) > 0):
				return fault.New(fault.Invalid, "give it alone", "--apply goes with no other flag of push: the plan says what is sent")
			case p.apply != "":
				return p.runApply(cmd.Context())
			case p.dry || p.plan != "":
				return p.runPlan(cmd.Context(), args[0])
			default:
				return p.run(cmd.Context(), args[0])
			}
		},
	}
	cmd.Flags().BoolVar(&p.all, "all", false, "compare everything that the shop is sent, not only what has changed")
	cmd.Flags().BoolVar(&p.dry, "dry-run", false, "change nothing, and show what would be sent")
	cmd.Flags().StringVar(&p.plan, "plan", "", "change nothing, and write what would be sent into this `FILE`")
	cmd.Flags().StringVar(&p.apply, "apply", "", "send exactly what the plan in this `FILE` says")
	cmd.Flags().StringSliceVar(&p.resources, "resource", nil, "only this `RESOURCE`: categories, products, variants, stock or orders; may be repeated")
	return cmd
}

// pushing is a push as the command line asks for it.
type pushing struct {
	a           *app
	all, dry    bool
	plan, apply string
	resources   []string
}

// pushKinds are the resources that can be pushed.
var pushKinds = map[string]outbox.Kind{
	string(intake.Categories): outbox.Category, string(intake.Products): outbox.Product, string(intake.Variants): outbox.Variant,
	string(intake.FieldQuantity): outbox.Stock, string(intake.Orders): outbox.Order,
}

func (p *pushing) request(shop string) (engine.PushRequest, error) {
	r := engine.PushRequest{Shop: shop, All: p.all}
	for _, name := range p.resources {
		kind, ok := pushKinds[name]
		if !ok {
			return r, fault.New(fault.Invalid, "use categories, products, variants, stock or orders", "--resource %q cannot be pushed", name)
		}
		r.Kinds = append(r.Kinds, kind)
	}
	return r, nil
}

func (p *pushing) run(ctx context.Context, shop string) error {
	r, err := p.request(shop)
	if err != nil {
		return err
	}
	return p.a.withHouse(ctx, "push", []string{shop}, func(ctx context.Context, h *daemon.House) error {
		if err := h.Ready(shop); err != nil {
			return err
		}
		res, err := h.Engine.Push(ctx, r)
		return errors.Join(p.a.printPush(ctx, h.Books, res, err), err, pushAttention(res))
	})
}

func (p *pushing) runApply(ctx context.Context) error {
	file, err := os.Open(p.apply)
	if err != nil {
		return fault.New(fault.NotFound, "name the file that --plan has written", "the plan cannot be opened: %w", err)
	}
	plan, err := engine.ReadPlan(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return p.a.withHouse(ctx, "push", []string{plan.Shop}, func(ctx context.Context, h *daemon.House) error {
		if err := h.Ready(plan.Shop); err != nil {
			return err
		}
		res, err := h.Engine.Apply(ctx, plan)
		return errors.Join(p.a.printPush(ctx, h.Books, res, err), err, pushAttention(res))
	})
}

// runPlan shows what would be sent, also before sending is switched on: it is
// then worked out as if it were.
func (p *pushing) runPlan(ctx context.Context, shop string) error {
	r, err := p.request(shop)
	if err != nil {
		return err
	}
	c, err := p.a.load()
	if err != nil {
		return err
	}
	on := true
	if s, ok := c.Shop(shop); ok {
		on, s.Push.Enabled = s.Push.Enabled, true
	}
	return daemon.Look(ctx, c, p.a.env(c, "push"), shop, func(h *daemon.House) error {
		plan, err := h.Engine.Plan(ctx, r)
		if err != nil {
			return err
		}
		if p.plan != "" {
			if err := writePlan(p.plan, plan); err != nil {
				return err
			}
		}
		return p.a.printPlan(ctx, h.Books, c, plan, p.plan, on)
	})
}

// writePlan writes a plan as a file that only its owner can read: it holds
// what a shop sells, and for how much.
func writePlan(path string, plan engine.Plan) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(plan); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return fault.New(fault.Invalid, "name a file that can be written", "write the plan: %w", err)
	}
	return nil
}

// planJSON is a plan under --json, in the form of what a push answers.
type planJSON struct {
	engine.Plan
	DryRun bool   `json:"dry_run"`
	File   string `json:"file,omitempty"`
}

func (a *app) printPlan(ctx context.Context, b *erp.Books, c *config.Config, plan engine.Plan, file string, on bool) error {
	if a.json {
		return a.printJSON(planJSON{plan, true, file})
	}
	a.printChanges(plan.Changes)
	if len(plan.Conflicts) > 0 {
		a.printf("Not sent, as both sides have changed it:\n")
		a.printConflicts(plan.Conflicts)
	}
	left, err := leftOver(ctx, b, plan.Shop)
	if err != nil {
		return err
	}
	left.conflicts = 0 // those of now are listed above
	switch {
	case len(plan.Changes) == 0 && len(plan.Conflicts) > 0 && left == (unsettled{}):
		a.printf("There is nothing else to tell %s.\n", plan.Shop)
	case len(plan.Changes) == 0:
		a.printNothingTold(plan.Shop, left)
	case file != "":
		a.printf("%s would be sent to %s. To send exactly this: comptoir push --apply %s\n", plural(len(plan.Changes), "change"), plan.Shop, file)
	default:
		a.printf("%s would be sent to %s; nothing was changed.\n", plural(len(plan.Changes), "change"), plan.Shop)
	}
	if !on {
		a.printf("Nothing is sent to %s yet: push.enabled is off in %s.\n", plan.Shop, c.File)
	}
	return nil
}

// printPush prints what a push did that ended with an error, or nil.
func (a *app) printPush(ctx context.Context, b *erp.Books, res engine.PushResult, ended error) error {
	if res.Shop == "" || ended != nil && res.Calls == 0 {
		return nil
	}
	if a.json {
		return a.printJSON(res)
	}
	a.printChanges(res.Changes)
	if ended != nil && len(res.Changes) == 0 {
		return nil // the error says all that there is to say
	}
	left, err := leftOver(ctx, b, res.Shop)
	if err != nil {
		return err
	}
	t := res.Total
	if len(res.Changes) == 0 {
		a.printNothingTold(res.Shop, left)
	} else {
		a.printf("%s: %d done, %d refused, in %s and %s\n", res.Shop, t.Done, t.Refused, plural(res.Calls, "call"), res.Took.Round(time.Millisecond))
	}
	if res.Exposure > 0 {
		a.printf("%s: a sale within %s may have been overwritten; the next reading of orders and stock puts it right\n", res.Shop, res.Exposure.Round(time.Millisecond))
	}
	for _, kind := range res.Unable {
		a.printf("%s cannot be told of this, so it waits: %s\n", res.Shop, kind)
	}
	if res.Waiting != "" {
		a.printf("%s: some is left for the next push: %s\n", res.Shop, res.Waiting)
	}
	return nil
}

// unsettled is what a shop cannot be told by itself: what it has refused, what
// is parked, the requests about orders that are not answered, and the fields
// that both sides have changed.
type unsettled struct{ refused, parked, requests, conflicts int }

// leftOver counts what is unsettled between the books and a shop.
func leftOver(ctx context.Context, b *erp.Books, shop string) (unsettled, error) {
	var u unsettled
	messages, err := b.Messages(ctx, shop)
	if err != nil {
		return u, err
	}
	for _, m := range messages {
		switch {
		case m.Parked:
			u.parked++
		case m.Tries > 0:
			u.refused++
		case m.Kind == outbox.Order:
			u.requests++
		}
	}
	conflicts, err := b.Conflicts(ctx)
	for _, c := range conflicts {
		if c.Shop == shop {
			u.conflicts++
		}
	}
	return u, err
}

// printNothingTold says that there is nothing to tell a shop now, and what is
// to be done before there can be.
func (a *app) printNothingTold(shop string, u unsettled) {
	if u == (unsettled{}) {
		a.printf("%s has all that it should.\n", shop)
		return
	}
	a.printf("There is nothing to tell %s now.\n", shop)
	if u.refused > 0 {
		a.printf("%s has refused %s, told again later: comptoir outbox list %s\n", shop, plural(u.refused, "message"), shop)
	}
	if u.parked > 0 {
		a.printf("parked until you have looked: %s to %s: comptoir outbox list %s --parked\n", plural(u.parked, "message"), shop, shop)
	}
	if u.requests > 0 {
		a.printf("%s about orders of %s waiting: comptoir order requests --shop %s\n", plural(u.requests, "request"), shop, shop)
	}
	if u.conflicts > 0 {
		a.printf("%s changed in the books and in %s: comptoir conflict list\n", plural(u.conflicts, "field"), shop)
	}
}

// changesShown is how many changes a person is shown.
const changesShown = 100

func (a *app) printChanges(changes []engine.PushChange) {
	if len(changes) == 0 {
		return
	}
	t := a.newTable([]string{"resource", "what", "field", "from", "to", ""})
	for _, c := range changes[:min(len(changes), changesShown)] {
		what := c.Label
		if what == "" {
			what = c.ID
		}
		if c.Location != "" {
			what += " at " + c.Location
		}
		became := string(c.Outcome)
		if c.Why != "" {
			became += ": " + oneLine(c.Why)
		}
		t.AppendRow([]any{c.Resource, what, c.Field, oneLine(c.From), oneLine(c.To), became})
	}
	t.Render()
	if n := len(changes) - changesShown; n > 0 {
		a.printf("… and %d more; --json lists all.\n", n)
	}
}

// oneLine is a value that fits into a table.
func oneLine(text string) string {
	const most = 48
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return text
}

// pushAttention is the error that tells of what a person has to look at.
func pushAttention(res engine.PushResult) error {
	i := slices.IndexFunc(res.Changes, func(c engine.PushChange) bool { return c.Outcome == intake.Refused })
	if i < 0 {
		return nil
	}
	return fault.New(fault.Unprocessable, "see: comptoir outbox list "+res.Shop+", and comptoir conflict list", "%s refused %s, such as: %s", res.Shop, plural(res.Total.Refused, "change"), res.Changes[i].Why)
}
