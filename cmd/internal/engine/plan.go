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
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// Plan is what a shop would be told, worked out and not done. As JSON it is a
// file that a person reads before it is applied.
type Plan struct {
	Shop string    `json:"shop"`
	Made time.Time `json:"made_at"`
	// All: everything was compared, and not only what has changed.
	All bool `json:"all"`
	// Resources are those that alone were looked at; none means all.
	Resources []intake.Resource `json:"resources,omitempty"`
	// Changes are what would be told, in the order of telling. From is what the
	// shop had when it was asked for the plan.
	Changes []PushChange `json:"changes"`
	// Conflicts are the fields of which a person has to say which side counts:
	// the plan leaves them as they are.
	Conflicts []erp.StandingConflict `json:"conflicts,omitempty"`
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
	err := dec.Decode(&p)
	switch {
	case errors.Is(err, io.EOF):
		err = errors.New("it is empty")
	case err == nil && (p.Shop == "" || p.Hash == ""):
		err = errors.New("it names no shop, or has no hash")
	case err == nil && dec.More():
		err = errors.New("something follows it")
	}
	if err != nil {
		return p, fault.New(fault.Invalid, "make one with: comptoir push SHOP --plan FILE", "this is no plan: %w", err)
	}
	sum, err := p.sum()
	if err == nil && sum != p.Hash {
		err = fault.New(fault.Conflict, "make a new one; to send less, choose with --resource when it is made", "the plan was edited since it was made")
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
	for _, kind := range r.Kinds {
		plan.Resources = append(plan.Resources, resourceOf(kind))
	}
	list, conflicts, err := e.foresee(ctx, sh, foresight{kinds: kindsOf(r.Kinds), all: r.All})
	if err != nil {
		return plan, err
	}
	plan.Conflicts = conflicts
	for _, push := range list {
		plan.Changes = append(plan.Changes, push.changes...)
	}
	plan.Hash, err = plan.sum()
	return plan, err
}

// kinds are those that the plan is about.
func (p Plan) kinds() []outbox.Kind {
	return slices.DeleteFunc(outbox.Kinds(), func(k outbox.Kind) bool { return len(p.Resources) > 0 && !slices.Contains(p.Resources, resourceOf(k)) })
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
