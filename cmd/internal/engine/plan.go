package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/shopspring/decimal"
)

// Plan is what a shop would be told, worked out and not done. As JSON it is a
// file that a person reads before it is applied.
type Plan struct {
	Shop string    `json:"shop"`
	Made time.Time `json:"made_at"`
	// All: everything was compared, and not only what has changed.
	All bool `json:"all"`
	// Changes are what would be told, in the order of telling. From is what the
	// shop had when it was asked for the plan.
	Changes []PushChange `json:"changes"`
	// Hash is over everything else.
	Hash string `json:"hash"`
}

// sum is the hash of a plan.
func (p Plan) sum() (string, error) {
	p.Hash = ""
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write down the plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// ReadPlan reads a plan from a file, and refuses one that was edited.
func ReadPlan(r io.Reader) (Plan, error) {
	var p Plan
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fault.New(fault.Invalid, "make one with: comptoir push SHOP --plan FILE", "this is no plan: %w", err)
	}
	sum, err := p.sum()
	if err == nil && sum != p.Hash {
		err = fault.New(fault.Conflict, "make a new one; to send less, own less of the shop's fields, or wait", "the plan was edited since it was made")
	}
	return p, err
}

// Plan works out what a shop would be told, and changes nothing anywhere. It
// reads in the shop what it has now.
func (e *Engine) Plan(ctx context.Context, r PushRequest) (Plan, error) {
	sh, err := e.shop(r.Shop)
	if err != nil {
		return Plan{}, err
	}
	release, err := sh.hold(ctx)
	if err != nil {
		return Plan{}, err
	}
	defer release()
	plan := Plan{Shop: sh.Name, Made: e.opts.Now().UTC().Truncate(time.Second), All: r.All, Changes: []PushChange{}}
	for _, kind := range kindsOf(r.Kinds) {
		pushes, err := e.planned(ctx, sh, kind, r.All)
		if err != nil {
			return plan, err
		}
		for _, push := range pushes {
			plan.Changes = append(plan.Changes, changesOf(push)...)
		}
	}
	plan.Hash, err = plan.sum()
	return plan, err
}

// planned works out the pushes of a kind, with what the shop has now in their
// From, and without what it has as it should.
func (e *Engine) planned(ctx context.Context, sh *shop, kind outbox.Kind, all bool) ([]erp.Push, error) {
	pushes, _, err := e.opts.Books.Pushes(ctx, erp.PushQuery{Shop: sh.Name, Kind: kind, Express: express(sh), Peek: true, All: all})
	if err != nil || len(pushes) == 0 {
		return nil, err
	}
	has, err := e.asTheShopHasIt(ctx, sh, pushes)
	if err != nil {
		return nil, err
	}
	var out []erp.Push
	for _, push := range pushes {
		if ref, ok := objectOf(push); ok && has[ref] != nil {
			if push, ok = compared(push, has[ref]); !ok {
				continue
			}
		}
		out = append(out, push)
	}
	return out, nil
}

// objectOf is the record of the shop that a push changes; false where there is
// none yet, or where its fields are not compared.
func objectOf(push erp.Push) (intake.Ref, bool) {
	switch {
	case push.Level != nil:
		return push.Level.Ref, true
	case push.Edit != nil:
		return push.Edit.Ref, push.Edit.Ref.ID != ""
	}
	return intake.Ref{}, false
}

// asTheShopHasIt reads the records that pushes change.
func (e *Engine) asTheShopHasIt(ctx context.Context, sh *shop, pushes []erp.Push) (map[intake.Ref]any, error) {
	var refs []intake.Ref
	seen := map[intake.Ref]bool{}
	for _, push := range pushes {
		if ref, ok := objectOf(push); ok && !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	has := map[intake.Ref]any{}
	for some := range slices.Chunk(refs, fetchSize) {
		said, err := e.fetch(ctx, sh, resourceOf(pushes[0].Message.Kind), some)
		if err != nil {
			return nil, fmt.Errorf("read in shop %s what it has: %w", sh.Name, err)
		}
		for _, rec := range said {
			for _, ref := range some {
				if ref.Kind == rec.Ref.Kind && ref.ID == rec.Ref.ID {
					has[ref] = rec.Body
				}
			}
		}
	}
	return has, nil
}

// compared puts what the shop has into a push; false where it has what it
// should.
func compared(push erp.Push, body any) (erp.Push, bool) {
	if push.Level != nil {
		l := *push.Level
		if now := stockOf(body, l.Location); now != nil && l.Counted {
			l.From = now
			push.Level = &l
			return push, !now.Equal(l.To)
		}
		return push, true
	}
	if push.Edit.Delete {
		return push, true
	}
	edit, fields := *push.Edit, intake.Fields(body)
	edit.Changes = nil
	for _, c := range push.Edit.Changes {
		if c.From = fields[c.Field]; c.From != c.To {
			edit.Changes = append(edit.Changes, c)
		}
	}
	push.Edit = &edit
	return push, len(edit.Changes)+len(edit.Variants) > 0
}

// stockOf is what a variant has at a location; nil where it does not say.
func stockOf(body any, location string) *decimal.Decimal {
	v, ok := body.(*intake.Variant)
	if !ok {
		return nil
	}
	for _, l := range v.Levels {
		if l.Location == location {
			return &l.Available
		}
	}
	if len(v.Levels) > 0 {
		return nil
	}
	return v.Stock
}

// Apply tells a shop what a plan says, and nothing else. Before that the plan is
// worked out anew: where the books or the shop have moved since, it is refused
// with a Conflict fault that says what differs, and nothing is sent.
func (e *Engine) Apply(ctx context.Context, plan Plan) (PushResult, error) {
	sh, err := e.pushed(plan.Shop)
	if err != nil {
		return PushResult{}, err
	}
	release, err := e.takeTurnSoon(ctx, sh)
	if err != nil {
		return PushResult{}, err
	}
	defer release()
	p := e.beginPush(sh)
	return p.end(p.apply(ctx, plan))
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
	chosen := map[outbox.Kind][]erp.Push{}
	concerns := plan.concerns()
	var now []PushChange
	for _, kind := range outbox.Kinds() {
		pushes, err := p.e.planned(ctx, p.sh, kind, plan.All)
		if err != nil {
			return err
		}
		for _, push := range pushes {
			if changes := changesOf(push); slices.ContainsFunc(changes, concerns) {
				chosen[kind] = append(chosen[kind], push)
				now = append(now, changes...)
			}
		}
	}
	if err := plan.stands(now); err != nil {
		return err
	}
	return p.applyKinds(ctx, chosen)
}

func (p *pass) applyKinds(ctx context.Context, chosen map[outbox.Kind][]erp.Push) error {
	for _, kind := range outbox.Kinds() {
		if len(chosen[kind]) == 0 {
			continue
		}
		if !p.able(kind) {
			return fault.New(fault.Invalid, "leave it to the shop", "shop %s cannot be told of %s", p.sh.Name, resourceOf(kind))
		}
		if err := p.tell(ctx, kind, chosen[kind]); err != nil {
			return err
		}
	}
	if p.res.Total.Stale > 0 {
		return fault.New(fault.Conflict, "make a new plan", "the stock of %d articles moved in shop %s while the plan was applied; it was left as it is", p.res.Total.Stale, p.sh.Name)
	}
	return nil
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

// stands reports as a Conflict fault how a plan differs from what it would be
// now.
func (p Plan) stands(now []PushChange) error {
	var differ []string
	at := map[place]PushChange{}
	for _, c := range now {
		at[placeOf(c)] = c
	}
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
	const most = 5
	more := ""
	if n := len(differ) - most; n > 0 {
		differ, more = differ[:most], fmt.Sprintf("; and %d more", n)
	}
	return fault.New(fault.Conflict, fmt.Sprintf("nothing was sent; make a new plan: comptoir push %s --plan FILE", p.Shop), "the plan of %s does not stand any more: %w",
		p.Made.Format(time.DateTime), errors.New(strings.Join(differ, "; ")+more))
}

// name is how a person knows a change.
func (c PushChange) name() string {
	name := fmt.Sprintf("%s of %s", c.Field, quoted(c.Label))
	if c.Label == "" {
		name = fmt.Sprintf("%s of %s %s", c.Field, c.Resource, c.ID)
	}
	if c.Location != "" {
		name += " at " + c.Location
	}
	return name
}

// quoted is a value for people: in quotes, and not longer than a line.
func quoted(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

func kindsOf(chosen []outbox.Kind) []outbox.Kind {
	return slices.DeleteFunc(outbox.Kinds(), func(k outbox.Kind) bool { return len(chosen) > 0 && !slices.Contains(chosen, k) })
}
