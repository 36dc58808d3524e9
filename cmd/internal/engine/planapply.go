package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// Apply tells a shop what a plan says, and nothing else. Before that the plan is
// worked out anew: where the books or the shop have moved since, it is refused
// with a Conflict fault that says what differs, and nothing is sent. What can be
// told only after something else was made is looked at again then: where it has
// become another thing it is left, and a Conflict fault says so.
func (e *Engine) Apply(ctx context.Context, plan Plan) (PushResult, error) {
	return e.inPass(ctx, plan.Shop, func(p *pass) error { return p.apply(ctx, plan) })
}

func (p *pass) apply(ctx context.Context, plan Plan) error {
	for _, kind := range outbox.Kinds() {
		if err := p.repeat(ctx, kind); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(plan.Changes, func(c PushChange) bool { return c.Resource == resourceOf(outbox.Stock) }) {
		if err := p.readOrders(ctx); err != nil {
			return err
		}
	}
	list, conflicts, err := p.e.foresee(ctx, p.sh, foresight{kinds: plan.kinds(), all: plan.All})
	if err != nil {
		return err
	}
	concerns := plan.concerns()
	list = slices.DeleteFunc(list, func(push planned) bool { return !slices.ContainsFunc(push.changes, concerns) })
	if err := plan.stands(list, conflicts); err != nil {
		return err
	}
	a := applying{pass: p, plan: plan, made: map[intake.Ref]string{}}
	for _, kind := range plan.kinds() {
		of := slices.DeleteFunc(slices.Clone(list), func(push planned) bool { return push.Message.Kind != kind })
		if err := a.tellKind(ctx, kind, of); err != nil {
			return err
		}
	}
	if err := p.noteConflicts(ctx, plan); err != nil {
		return err
	}
	return a.account()
}

// noteConflicts has the books keep the conflicts of a plan, for a person to
// decide them: to look at what there is to tell comes upon them.
func (p *pass) noteConflicts(ctx context.Context, plan Plan) error {
	for _, kind := range plan.kinds() {
		if slices.ContainsFunc(plan.Conflicts, func(c erp.StandingConflict) bool { return outbox.Kind(c.Kind) == kind }) {
			if _, _, err := p.pushes(ctx, kind, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// applying is an Apply that has begun to send.
type applying struct {
	*pass
	plan Plan
	made map[intake.Ref]string // see naming
	left []PushChange          // what was not sent
}

// tellKind tells the shop pushes of one kind: those first that wait for nothing,
// then what waited for them, worked out with the ids that the shop gave.
func (a *applying) tellKind(ctx context.Context, kind outbox.Kind, list []planned) error {
	if len(list) == 0 {
		return nil
	}
	if !a.able(kind) {
		return fault.New(fault.Invalid, "leave it to the shop", "shop %s cannot be told of %s", a.sh.Name, resourceOf(kind))
	}
	waits := func(push planned) bool { return push.waits }
	ready, left := slices.DeleteFunc(slices.Clone(list), waits), slices.DeleteFunc(slices.Clone(list), func(push planned) bool { return !push.waits })
	for len(ready) > 0 || len(left) > 0 && len(a.made) > 0 {
		if err := a.tellThese(ctx, kind, ready); err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		is := func(object int64) func(planned) bool {
			return func(push planned) bool { return push.Message.Object == object }
		}
		again, _, err := a.e.foresee(ctx, a.sh, foresight{kinds: []outbox.Kind{kind}, all: a.plan.All, made: a.made,
			only: func(_ outbox.Kind, object int64) bool { return slices.ContainsFunc(left, is(object)) }})
		if err != nil {
			return err
		}
		ready = slices.DeleteFunc(again, func(push planned) bool { return push.waits || !a.plan.says(push.changes) })
		if len(ready) == 0 {
			break
		}
		left = slices.DeleteFunc(left, func(push planned) bool { return slices.ContainsFunc(ready, is(push.Message.Object)) })
	}
	for _, push := range left {
		a.left = append(a.left, push.changes...)
	}
	return nil
}

// tellThese tells the shop pushes, and keeps under which ids it has what they
// made.
func (a *applying) tellThese(ctx context.Context, kind outbox.Kind, list []planned) error {
	if len(list) == 0 {
		return nil
	}
	pushes := make([]erp.Push, len(list))
	a.outcome = map[int64]intake.Outcome{}
	for i := range list {
		pushes[i] = list[i].Push
	}
	err := a.tell(ctx, kind, pushes)
	for _, push := range list {
		maps.Copy(a.made, push.madeBy(a.outcome[push.Message.Object]))
	}
	return err
}

// account says as a Conflict fault what of the plan was not sent.
func (a *applying) account() error {
	var left, stale error
	if len(a.left) > 0 {
		var names []string
		for _, c := range a.left {
			if name := fmt.Sprintf("%s %s", c.Resource, quoted(cmp.Or(c.Label, c.ID))); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		left = fault.New(fault.Conflict, fmt.Sprintf("see: comptoir outbox list %s; then make a new plan", a.sh.Name),
			"what they depend on was not made, or they have become others meanwhile, so these were not sent: %s", few(names))
	}
	if n := a.res.Total.Stale; n > 0 {
		stale = fault.New(fault.Conflict, "make a new plan", "the stock of %d articles moved in shop %s while the plan was applied; it was left as it is", n, a.sh.Name)
	}
	return errors.Join(left, stale)
}

// concerns returns what reports whether a change is of a record that the plan
// changes.
func (p Plan) concerns() func(PushChange) bool {
	record := func(c PushChange) place {
		c.Field = ""
		return placeOf(c)
	}
	records := map[place]bool{}
	for _, c := range p.Changes {
		records[record(c)] = true
	}
	return func(c PushChange) bool { return records[record(c)] }
}

// says reports whether the plan holds changes. What the shop has of what it has
// just made is not compared.
func (p Plan) says(changes []PushChange) bool {
	at := map[place]PushChange{}
	for _, c := range p.Changes {
		at[placeOf(c)] = c
	}
	return !slices.ContainsFunc(changes, func(c PushChange) bool {
		have, ok := at[placeOf(c)]
		return !ok || have.To != c.To || have.From != c.From
	})
}

// stands reports as a Conflict fault how a plan differs from what it would be
// now.
func (p Plan) stands(list []planned, conflicts []erp.StandingConflict) error {
	var now []PushChange
	at := map[place]PushChange{}
	for _, push := range list {
		for _, c := range push.changes {
			at[placeOf(c)] = c
			now = append(now, c)
		}
	}
	differ := p.decided(conflicts)
	for _, c := range p.Changes {
		have, ok := at[placeOf(c)]
		delete(at, placeOf(c))
		switch {
		case !ok:
			differ = append(differ, c.name()+" needs no change any more")
		case have.From != c.From:
			differ = append(differ, fmt.Sprintf("%s was %s in the shop, and is %s", c.name(), quoted(c.From), quoted(have.From)))
		case have.To != c.To:
			differ = append(differ, fmt.Sprintf("%s was to become %s, and is to become %s", c.name(), quoted(c.To), quoted(have.To)))
		}
	}
	for _, c := range now {
		if _, ok := at[placeOf(c)]; ok {
			differ = append(differ, c.name()+" is to be changed too")
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, fmt.Sprintf("nothing was sent; make a new plan: comptoir push %s --plan FILE", p.Shop), "the plan of %s does not stand any more: %s",
		p.Made.Format(time.DateTime), few(differ))
}

// decided lists how the conflicts of a plan have moved since.
func (p Plan) decided(now []erp.StandingConflict) []string {
	type about struct {
		kind  intake.Kind
		id    int64
		field intake.Field
	}
	at := map[about]erp.StandingConflict{}
	for _, c := range now {
		at[about{c.Kind, c.ID, c.Field}] = c
	}
	var out []string
	for _, c := range p.Conflicts {
		name := fmt.Sprintf("the conflict about %s of %s", c.Field, quoted(c.Label))
		switch have, ok := at[about{c.Kind, c.ID, c.Field}]; {
		case !ok:
			out = append(out, name+" is settled")
		case have.Books != c.Books:
			out = append(out, fmt.Sprintf("%s: the books had %s, and have %s", name, quoted(c.Books), quoted(have.Books)))
		case have.Stated != c.Stated:
			out = append(out, fmt.Sprintf("%s: the shop had %s, and has %s", name, quoted(c.Stated), quoted(have.Stated)))
		}
	}
	return out
}

// few joins what a person is told, and leaves out what is too much of it.
func few(list []string) string {
	const most = 5
	if n := len(list) - most; n > 0 {
		return strings.Join(list[:most], "; ") + fmt.Sprintf("; and %d more", n)
	}
	return strings.Join(list, "; ")
}
