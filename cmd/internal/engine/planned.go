package engine

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// planned is a push of a plan.
type planned struct {
	erp.Foreseen
	changes []PushChange // as the plan tells them
	waits   bool         // something has to be made before
	names   naming
}

// foresight says what to work out.
type foresight struct {
	kinds []outbox.Kind
	all   bool
	made  map[intake.Ref]string                     // see naming
	only  func(kind outbox.Kind, object int64) bool // nil for everything
}

// foresee works out what a shop is to be told, with what it has now in From, and
// without what it has as it should.
func (e *Engine) foresee(ctx context.Context, sh *shop, f foresight) ([]planned, []erp.StandingConflict, error) {
	for _, kind := range f.kinds {
		if err := e.learn(ctx, sh, kind); err != nil {
			return nil, nil, err
		}
	}
	outlook, err := e.opts.Books.Outlook(ctx, erp.OutlookQuery{Shop: sh.Name, Kinds: f.kinds, Express: express(sh), All: f.all})
	if err != nil {
		return nil, nil, err
	}
	names := naming{standIns: outlook.Names, made: f.made}
	pushes := slices.DeleteFunc(outlook.Pushes, func(push erp.Foreseen) bool {
		return f.only != nil && !f.only(push.Message.Kind, push.Message.Object)
	})
	has, err := e.asTheShopHasIt(ctx, sh, slices.DeleteFunc(slices.Clone(pushes), func(push erp.Foreseen) bool { return names.isNew(push) }))
	if err != nil {
		return nil, nil, err
	}
	var out []planned
	for _, push := range pushes {
		if ref, ok := objectOf(push.Push); ok && has[ref] != nil {
			if push.Push, ok = compared(push.Push, has[ref]); !ok {
				continue
			}
		}
		changes, waits := names.changes(push)
		out = append(out, planned{push, changes, waits, names})
	}
	return out, outlook.Conflicts, nil
}

// newPrefix begins what a plan calls something that is to be made.
const newPrefix = "new:"

// naming says what a plan calls records that the shop did not have when it was
// made: the shop's ids of them are not known before.
type naming struct {
	standIns map[intake.Ref]string // of what is still to be made
	made     map[intake.Ref]string // of what was made for the plan, by the shop's ids
}

// of returns what the plan calls a record, and whether it is still to be made;
// "" of one that the shop had.
func (n naming) of(ref intake.Ref) (name string, waits bool) {
	ref.Parent = ""
	if name, waits = n.standIns[ref]; waits {
		return newPrefix + name, true
	}
	if name, ok := n.made[ref]; ok {
		return newPrefix + name, false
	}
	return "", false
}

// isNew reports whether the shop does not have the record that a push changes.
func (n naming) isNew(push erp.Foreseen) bool {
	ref, ok := objectOf(push.Push)
	if !ok {
		return true
	}
	_, waits := n.of(ref)
	return waits
}

// changes lists what a push tells as a plan tells it, and whether something else
// has to be made before.
func (n naming) changes(f erp.Foreseen) (list []PushChange, waits bool) {
	push := f.Push
	if push.Level != nil {
		_, waits = n.of(push.Level.Ref)
	}
	if f.StandIn != "" {
		edit := *push.Edit
		edit.Ref.ID, edit.Variants = f.StandIn, slices.Clone(edit.Variants)
		for i := range edit.Variants {
			edit.Variants[i].Ref.ID = f.StandIns[i]
		}
		push.Edit = &edit
	}
	for _, c := range changesOf(push) {
		if name, _ := n.of(intake.Ref{Kind: kindOf(c.Resource), ID: c.ID}); name != "" {
			c.New, c.ID, c.From = name, "", ""
		}
		var after bool
		c.To, after = n.refer(c.Field, c.To)
		waits = waits || after
		list = append(list, c)
	}
	return list, waits
}

// kindOf is the kind of the records that a resource of PushChange is about.
func kindOf(r intake.Resource) intake.Kind {
	if r == resourceOf(outbox.Stock) {
		return intake.KindVariant
	}
	return intake.KindOf(r)
}

// refer puts names in the place of categories that a value refers to.
func (n naming) refer(f intake.Field, value string) (text string, waits bool) {
	category := func(id string) string {
		name, after := n.of(intake.Ref{Kind: intake.KindCategory, ID: id})
		waits = waits || after
		if name == "" {
			return id
		}
		return name
	}
	switch f {
	case intake.FieldParent:
		return category(value), waits
	case intake.FieldCategories:
		var ids []string
		if json.Unmarshal([]byte(value), &ids) != nil { // it refers to none
			return value, false
		}
		for i := range ids {
			ids[i] = category(ids[i])
		}
		slices.Sort(ids)
		return plainList(ids), waits
	}
	return value, false
}

// plainList is intake.List for people: it spells names as they are.
func plainList(list []string) string {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if len(list) == 0 || enc.Encode(list) != nil { // texts can always be written
		return ""
	}
	return strings.TrimSpace(text.String())
}

// madeBy returns what the plan calls that which its push has made, by the ids
// that the shop gave it.
func (p planned) madeBy(o intake.Outcome) map[intake.Ref]string {
	out := map[intake.Ref]string{}
	if p.StandIn == "" || o.Result != intake.Done {
		return out
	}
	kind := intake.Kind(p.Message.Kind)
	out[intake.Ref{Kind: kind, ID: o.Ref.ID}] = p.names.standIns[intake.Ref{Kind: kind, ID: p.StandIn}]
	for i, v := range o.Variants[:min(len(o.Variants), len(p.StandIns))] {
		out[intake.Ref{Kind: v.Kind, ID: v.ID}] = p.names.standIns[intake.Ref{Kind: intake.KindVariant, ID: p.StandIns[i]}]
	}
	return out
}
