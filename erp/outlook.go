package erp

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// Outlook is all that a shop has to be told, with what can be told only once
// something else was made.
type Outlook struct {
	// Pushes are in the order of telling.
	Pushes []Foreseen
	// Names says of the ids that stand for what is to be made what a person
	// calls it: the path of a category, else what it is and its number in the
	// books. They stand in the references of Pushes.
	Names map[intake.Ref]string
	// Conflicts are the fields that both sides have changed: they are not told.
	Conflicts []StandingConflict
}

// Foreseen is a push as it will be once those before it are done.
type Foreseen struct {
	Push
	// StandIn stands for the id of what is to be made, until the shop gives it
	// one; "" where nothing is made. StandIns are those of Edit.Variants.
	StandIn  string
	StandIns []string
}

// OutlookQuery says what Outlook is asked for.
type OutlookQuery struct {
	Shop  string
	Kinds []outbox.Kind // in the order of outbox.Kinds
	// Express is as in PushQuery.
	Express catalog.Express
	// All looks at everything that the shop is sent, and not only at what has
	// changed; see Compare.
	All bool
}

// Outlook works out what a shop has to be told, due or not, and changes nothing.
// What is to be made is taken to be there for what comes after it: a category
// for those under it and the products in it, a product for the stock of its
// variants. What is to be deleted is taken to be gone.
func (b *Books) Outlook(ctx context.Context, q OutlookQuery) (Outlook, error) {
	shop, err := b.shop(q.Shop)
	if err != nil {
		return Outlook{}, err
	}
	out := Outlook{Names: map[intake.Ref]string{}, Conflicts: []StandingConflict{}}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		out.Pushes, out.Conflicts = nil, out.Conflicts[:0]
		if q.All {
			if _, err := b.compareAll(ctx, tx, shop); err != nil {
				return err
			}
		}
		l := looking{b: b, tx: tx, shop: shop, query: q, out: &out, done: map[objectKey]bool{}}
		for _, kind := range q.Kinds {
			if err := l.look(ctx, kind); err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
		}
		if err := l.conflicts(ctx); err != nil {
			return err
		}
		return errPreview
	})
	if err != nil && !errors.Is(err, errPreview) {
		return Outlook{}, fmt.Errorf("work out what %s is to be told: %w", q.Shop, err)
	}
	return out, nil
}

// looking is an Outlook at work, in a transaction that is not committed.
type looking struct {
	b     *Books
	tx    *store.Tx
	shop  int64
	query OutlookQuery
	out   *Outlook
	done  map[objectKey]bool // what is taken to be made or deleted
	house *tree              // once it was read
	// shelves are the shop's locations, once they were read.
	shelves []shelf
}

// look works out the pushes of one kind. As long as there is something to be
// made or deleted among them, they are worked out again as if it was.
func (l *looking) look(ctx context.Context, kind outbox.Kind) error {
	for {
		pushes, _, err := l.b.pushesOf(ctx, l.tx, l.shop, PushQuery{Shop: l.query.Shop, Kind: kind, Express: l.query.Express, Peek: true})
		if err != nil {
			return err
		}
		pushes = slices.DeleteFunc(pushes, func(p Push) bool { return p.Edit != nil && l.done[editedBy(p)] })
		doing := slices.DeleteFunc(slices.Clone(pushes), func(p Push) bool { return p.Edit == nil || p.Edit.Ref.ID != "" && !p.Edit.Delete })
		if len(doing) == 0 {
			for _, p := range pushes {
				l.out.Pushes = append(l.out.Pushes, Foreseen{Push: p})
			}
			return nil
		}
		if err := l.do(ctx, doing); err != nil {
			return err
		}
	}
}

func editedBy(p Push) objectKey { return objectKey{intake.Kind(p.Message.Kind), p.Message.Object} }

// do adds pushes with which something is made or deleted, and has the shop be
// taken to have done it.
func (l *looking) do(ctx context.Context, doing []Push) error {
	outcomes := make([]intake.Outcome, len(doing))
	for i, push := range doing {
		f := Foreseen{Push: push}
		outcomes[i] = intake.Outcome{Result: intake.Done, Ref: push.Edit.Ref}
		if push.Edit.Delete {
			l.done[editedBy(push)] = true
		} else if err := l.make(ctx, &f, &outcomes[i]); err != nil {
			return err
		}
		l.out.Pushes = append(l.out.Pushes, f)
		outbox.Drop(l.tx, l.shop, push.Message.Kind, push.Message.Object)
	}
	p, err := l.b.openPage(ctx, l.tx, Stream{Shop: l.query.Shop, Resource: intake.Products})
	if err != nil {
		return err
	}
	if err := l.b.editPushed(ctx, p, doing, outcomes); err != nil {
		return err
	}
	return p.flush(ctx)
}

// make gives what is to be made ids, also in the outcome.
func (l *looking) make(ctx context.Context, f *Foreseen, o *intake.Outcome) (err error) {
	if f.StandIn, err = l.standIn(ctx, editedBy(f.Push)); err != nil {
		return err
	}
	o.Ref.ID = f.StandIn
	if f.Message.Kind == outbox.Variant {
		return l.count(ctx, f.Message.Object, *f.Edit)
	}
	if len(f.Edit.Variants) == 0 {
		return nil
	}
	if f.StandIns, err = l.variants(ctx, f.Push); err != nil {
		return err
	}
	for _, id := range f.StandIns {
		o.Variants = append(o.Variants, intake.Ref{Kind: intake.KindVariant, ID: id, Parent: f.StandIn})
	}
	return nil
}

// standIn gives something that is to be made an id. It is a number, as the
// shops' own are, and one that none of them gives.
func (l *looking) standIn(ctx context.Context, of objectKey) (string, error) {
	l.done[of] = true
	id, name := fmt.Sprintf("9%018d", of.id), fmt.Sprintf("%s %d", of.kind, of.id)
	if of.kind == intake.KindCategory {
		if l.house == nil {
			t, err := houseTree(ctx, l.tx)
			if err != nil {
				return "", err
			}
			l.house = &t
		}
		name = l.house.path(of.id)
	}
	l.out.Names[intake.Ref{Kind: of.kind, ID: id}] = name
	return id, nil
}

// variants gives the variants of a product that is to be made ids.
func (l *looking) variants(ctx context.Context, push Push) ([]string, error) {
	all, err := catalog.VariantsOf(ctx, l.tx, []int64{push.Message.Object})
	if err != nil {
		return nil, err
	}
	var out []string
	for i, edit := range push.Edit.Variants {
		id := all[push.Message.Object][i] // they were described in this order
		standIn, err := l.standIn(ctx, objectKey{intake.KindVariant, id})
		if err == nil {
			err = l.count(ctx, id, edit)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, standIn)
	}
	return out, nil
}

// count has the shop be taken to count a variant that is to be made, and to have
// none of it.
func (l *looking) count(ctx context.Context, variant int64, edit intake.Edit) error {
	if edit.Untracked || !l.b.policy(l.shop).Sends(intake.FieldQuantity) || !slices.Contains(l.query.Kinds, outbox.Stock) {
		return nil
	}
	if l.shelves == nil {
		c, err := l.b.openCounts(ctx, l.tx, l.shop)
		if err != nil {
			return err
		}
		l.shelves = c.shelves
	}
	l.tx.Queue(`INSERT INTO shop_stock (shop_id, variant_id, quantity, stated_at, seen_at) VALUES ($1,$2,0,0,$3) ON CONFLICT (shop_id, variant_id) DO NOTHING`,
		l.shop, variant, store.Micros(l.b.opts.Now()))
	for _, at := range l.shelves {
		if at.location != "" {
			l.tx.Queue(`INSERT INTO shop_level (variant_id, shop_id, location, available, on_hand, committed, incoming) VALUES ($1,$2,$3,0,0,0,0)
				ON CONFLICT (variant_id, shop_id, location) DO NOTHING`, variant, l.shop, at.location)
		}
	}
	return nil
}

// conflicts adds the conflicts about what was looked at.
func (l *looking) conflicts(ctx context.Context) error {
	all, err := conflictsOf(ctx, l.tx, `WHERE c.shop_id = $1`, l.shop)
	for _, c := range all {
		if slices.Contains(l.query.Kinds, outbox.Kind(c.Kind)) {
			l.out.Conflicts = append(l.out.Conflicts, c)
		}
	}
	return err
}
