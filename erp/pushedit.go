package erp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

const (
	// editBatch is how many objects are compared at a time.
	editBatch = 500
	// waitForPlace is how long an object waits for the category that it is to
	// stand in. Once that is there it is looked at at once.
	waitForPlace = 10 * time.Minute
)

// editPushes works out what of the catalogue a shop is to be told.
func (b *Books) editPushes(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	if q.Express == nil {
		return nil, false, nil
	}
	list, more, err := b.messages(ctx, tx, shop, q)
	if err != nil {
		return nil, false, err
	}
	e := editing{b: b, tx: tx, shop: shop, kind: intake.Kind(q.Kind), express: q.Express, now: b.opts.Now(), making: map[int64]bool{}}
	for chunk := range slices.Chunk(list, editBatch) {
		if err := e.work(ctx, chunk); err != nil {
			return nil, false, err
		}
	}
	return e.pushes, more || e.more, nil
}

// editing works out edits of one kind for a shop.
type editing struct {
	b       *Books
	tx      *store.Tx
	shop    int64
	kind    intake.Kind
	express catalog.Express
	now     time.Time
	pushes  []Push
	making  map[int64]bool // categories that the shop is told to make
	more    bool           // what waits for one of these
}

func (e *editing) work(ctx context.Context, list []outbox.Message) error {
	ids := make([]int64, len(list))
	for i, m := range list {
		ids[i] = m.Object
	}
	objects, err := e.b.sight(ctx, e.tx, e.shop, e.kind, ids)
	if err != nil {
		return err
	}
	asked, err := publications(ctx, e.tx, e.shop, ids)
	if err != nil {
		return err
	}
	wanted := map[int64]bool{}
	if e.kind == intake.KindVariant {
		if wanted, err = askedVariants(ctx, e.tx, e.shop, ids); err != nil {
			return err
		}
	}
	for _, m := range list {
		o := objects[m.Object]
		_, published := asked[m.Object]
		if wanted[m.Object] && (!o.exists || o.ref.ID != "") { // somebody else has made it
			unaskVariant(e.tx, e.shop, m.Object)
		}
		switch {
		case !o.exists:
			outbox.Settled(e.tx, m)
		case o.ref.ID == "" && wanted[m.Object]:
			err = e.addVariant(ctx, m, o)
		case o.deleted && o.ref.ID != "":
			e.push(m, o, intake.Edit{Ref: o.ref, Delete: true})
		case o.deleted, o.ref.ID == "" && !o.house && !published:
			outbox.Settled(e.tx, m)
		case o.ref.ID == "":
			err = e.make(ctx, m, o)
		default:
			e.compare(m, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// push adds what the shop is to be told. The key of a change names what is
// changed and to what; that of what is to be made stays the same until the shop
// refuses it, whatever changes of it meanwhile.
func (e *editing) push(m outbox.Message, o *sighted, edit intake.Edit) {
	named := struct {
		Shop, Object, Revision, Since, Tries int64
		Kind                                 outbox.Kind
		Edit                                 intake.Edit
	}{Shop: m.Shop, Object: m.Object, Kind: m.Kind, Since: store.Micros(m.Since), Tries: int64(m.Tries)}
	if edit.Ref.ID != "" {
		named.Revision, named.Edit = m.Revision, edit
	}
	edit.Key = keyOf(named)
	for i := range edit.Variants {
		edit.Variants[i].Key = keyOf([]any{edit.Key, edit.Variants[i].Key})
	}
	e.pushes = append(e.pushes, Push{Message: m, Label: o.label, Edit: &edit})
}

// keyOf is a text that is the same for the same value only.
func keyOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // texts and numbers can always be written
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// compare tells the shop what differs of an object that it has.
func (e *editing) compare(m outbox.Message, o *sighted) {
	if e.kind == intake.KindProduct && o.waits != 0 {
		delete(o.Ours, intake.FieldCategories)
	}
	if e.kind == intake.KindVariant && !catalog.HoldsSaleDates(e.express) {
		catalog.OnSale(o.Ours, o.sale[0], o.sale[1], e.now)
	}
	sent := e.b.sent(e.shop, e.kind)
	c := catalog.Compare(o.Sides, func(f intake.Field) bool { return slices.Contains(sent, f) }, e.express)
	for f, a := range c.Agreed {
		agree(e.tx, e.shop, e.kind, o.id, f, a, e.now)
	}
	e.note(o, c.Conflicts)
	if len(c.Changes) > 0 {
		e.push(m, o, intake.Edit{Ref: o.ref, Changes: c.Changes})
		return
	}
	outbox.Settled(e.tx, m)
	if turn := catalog.NextTurn(o.sale[0], o.sale[1], e.now); !turn.IsZero() && slices.Contains(sent, intake.FieldSale) {
		outbox.PutAt(e.tx, e.shop, m.Kind, m.Object, e.now, turn)
	}
}

// note keeps the conflicts of an object, in place of those that it had.
func (e *editing) note(o *sighted, conflicts []catalog.Conflict) {
	fields := make([]string, len(conflicts))
	for i, c := range conflicts {
		fields[i] = string(c.Field)
		e.tx.Queue(`INSERT INTO conflict (shop_id, kind, local_id, field, ours, theirs, since) VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (shop_id, kind, local_id, field) DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs`,
			e.shop, string(e.kind), o.id, string(c.Field), c.Ours, c.Theirs, store.Micros(e.now))
	}
	if len(fields) == 0 {
		e.tx.Queue(`DELETE FROM conflict WHERE shop_id = $1 AND kind = $2 AND local_id = $3`, e.shop, string(e.kind), o.id)
		return
	}
	e.tx.Queue(`DELETE FROM conflict WHERE shop_id = $1 AND kind = $2 AND local_id = $3 AND field NOT IN (`+store.In(len(fields), 4)+`)`,
		store.InArgs([]any{e.shop, string(e.kind), o.id}, fields)...)
}

// make tells the shop to make what it does not have. A category waits for the
// one above it, where the shop has a tree.
func (e *editing) make(ctx context.Context, m outbox.Message, o *sighted) error {
	edit := intake.Edit{Ref: intake.Ref{Kind: e.kind}}
	if e.kind == intake.KindCategory {
		if !e.b.policy(e.shop).Sends(intake.FieldCategories) {
			outbox.Settled(e.tx, m)
			return nil
		}
		if _, tree := e.express(e.kind, intake.FieldParent, "1"); tree && o.waits != 0 {
			e.more = e.more || e.making[o.waits]
			outbox.Postpone(e.tx, m, e.now.Add(waitForPlace))
			return nil
		}
		e.making[o.id] = true
	}
	edit.Changes = catalog.Fresh(e.kind, o.Ours, e.express)
	if e.kind == intake.KindProduct {
		var why string
		var err error
		if edit.Variants, why, err = e.freshVariants(ctx, o.id); err != nil {
			return err
		}
		if why != "" {
			outbox.Refused(e.tx, m, e.now, why)
			return nil
		}
	}
	e.push(m, o, edit)
	return nil
}

// freshVariants describes the variants of a product that is to be made. Their
// keys are told apart by what they are of. Why says what keeps the shop from
// having them.
func (e *editing) freshVariants(ctx context.Context, product int64) (out []intake.Edit, why string, err error) {
	ids, err := catalog.VariantsOf(ctx, e.tx, []int64{product})
	if err != nil {
		return nil, "", err
	}
	variants, err := e.b.sight(ctx, e.tx, e.shop, intake.KindVariant, ids[product])
	if err != nil {
		return nil, "", err
	}
	for _, id := range ids[product] {
		if why := variants[id].noPrice; why != "" {
			return nil, why, nil
		}
		edit := e.fresh(variants[id])
		edit.Key = fmt.Sprint(id)
		out = append(out, edit)
	}
	return out, "", nil
}

// publications returns since when products are to be made in a shop.
func publications(ctx context.Context, r store.Reader, shop int64, ids []int64) (map[int64]time.Time, error) {
	out := map[int64]time.Time{}
	rows, err := r.Query(ctx, `SELECT product_id, asked_at FROM publication WHERE NOT made AND shop_id = $1 AND product_id IN (`+store.In(len(ids), 2)+`)`, store.InArgs([]any{shop}, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read what is to be published: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, at int64
		if err := rows.Scan(&id, &at); err != nil {
			return nil, err
		}
		out[id] = store.FromMicros(at)
	}
	return out, rows.Err()
}

// compareEdits queues a message for what of the catalogue a shop does not have
// as the books want it, and returns how many. How the shop expresses things is
// not known here, so some of them will turn out to tell nothing.
func (b *Books) compareEdits(ctx context.Context, tx *store.Tx, shop int64) (int, error) {
	queued := 0
	for _, kind := range []intake.Kind{intake.KindCategory, intake.KindProduct, intake.KindVariant} {
		sent := b.sent(shop, kind)
		if len(sent) == 0 {
			continue
		}
		ids, err := toCompare(ctx, tx, shop, kind)
		if err != nil {
			return queued, err
		}
		for chunk := range slices.Chunk(ids, editBatch) {
			objects, err := b.sight(ctx, tx, shop, kind, chunk)
			if err != nil {
				return queued, err
			}
			for _, id := range chunk {
				o := objects[id]
				c := catalog.Compare(o.Sides, func(f intake.Field) bool { return slices.Contains(sent, f) }, asItIs)
				missing := o.ref.ID == "" && o.house && !o.deleted
				if o.exists && (missing || o.deleted && o.ref.ID != "" || o.ref.ID != "" && len(c.Changes)+len(c.Conflicts)+len(c.Agreed) > 0) {
					outbox.Put(tx, shop, outbox.Kind(kind), id, b.opts.Now())
					queued++
				}
			}
		}
	}
	return queued, tx.Flush(ctx)
}

// toCompare lists the objects of a kind that a shop has or is to have.
func toCompare(ctx context.Context, r store.Reader, shop int64, kind intake.Kind) ([]int64, error) {
	q := `SELECT DISTINCT local_id FROM origin WHERE shop_id = $1 AND kind = $2 AND NOT gone ORDER BY local_id`
	if kind == intake.KindCategory {
		q = `SELECT local_id FROM origin WHERE shop_id = $1 AND kind = $2 AND NOT gone UNION SELECT id FROM category WHERE shop_id = 0 AND NOT deleted ORDER BY 1`
	}
	out, err := readIDs(ctx, r, q, shop, string(kind))
	if err != nil {
		return nil, fmt.Errorf("list what the shop has of each %s: %w", kind, err)
	}
	return out, nil
}
