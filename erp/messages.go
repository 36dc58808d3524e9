package erp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/outbox"
	"comptoir/erp/store"
)

// Message is something that a shop has still to be told, for people.
type Message struct {
	Shop   string      `json:"shop"`
	Kind   outbox.Kind `json:"kind"`
	Object int64       `json:"object"` // the books' id of what it is about
	// Label is the SKU of a variant, or the name or number of what else it is
	// about; "" where that has neither.
	Label  string    `json:"label"`
	Since  time.Time `json:"since"`  // when the oldest change that it tells of was made
	Due    time.Time `json:"due"`    // not before
	Tries  int       `json:"tries"`  // refusals in a row
	Parked bool      `json:"parked"` // refused too often or for good: it waits for a person
	Why    string    `json:"why"`    // of the last refusal, in the shop's own words
}

// MessageKey names a message.
type MessageKey struct {
	Shop   string
	Kind   outbox.Kind
	Object int64
}

// Messages lists what a shop has still to be told, all shops where the name is
// "", oldest first.
func (b *Books) Messages(ctx context.Context, shop string) ([]Message, error) {
	shops := b.ranked
	if shop != "" {
		id, err := b.shop(shop)
		if err != nil {
			return nil, err
		}
		shops = []rankedShop{{id: id, name: shop}}
	}
	out := []Message{}
	for _, s := range shops {
		list, err := outbox.All(ctx, b.db, s.id)
		if err != nil {
			return nil, err
		}
		labels, err := labelsOf(ctx, b.db, list)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			out = append(out, Message{Shop: s.name, Kind: m.Kind, Object: m.Object, Label: labels[labelled{m.Kind, m.Object}],
				Since: m.Since, Due: m.Due, Tries: m.Tries, Parked: m.Parked, Why: m.Why})
		}
	}
	slices.SortStableFunc(out, func(x, y Message) int { return x.Since.Compare(y.Since) })
	return out, nil
}

// labelled is what has a label.
type labelled struct {
	kind outbox.Kind
	id   int64
}

// labelQuery reads the labels of what messages of a kind are about, by ids.
func labelQuery(kind outbox.Kind, in string) string {
	switch kind {
	case outbox.Category:
		return `SELECT id, name FROM category WHERE id IN (` + in + `)`
	case outbox.Product:
		return `SELECT id, title FROM product WHERE id IN (` + in + `)`
	case outbox.Order:
		return `SELECT r.id, o.number FROM order_request r JOIN sales_order o ON o.id = r.order_id WHERE r.id IN (` + in + `)`
	default:
		return `SELECT v.id, COALESCE(NULLIF(v.sku, ''), NULLIF(p.title, ''), v.title) FROM variant v LEFT JOIN product p ON p.id = v.product_id WHERE v.id IN (` + in + `)`
	}
}

// labelBatch is how many labels one query reads.
const labelBatch = 500

func labelsOf(ctx context.Context, r store.Reader, list []outbox.Message) (map[labelled]string, error) {
	ids := map[outbox.Kind][]int64{}
	for _, m := range list {
		ids[m.Kind] = append(ids[m.Kind], m.Object)
	}
	labels := map[labelled]string{}
	for _, kind := range outbox.Kinds() {
		for some := range slices.Chunk(ids[kind], labelBatch) {
			rows, err := r.Query(ctx, labelQuery(kind, store.In(len(some), 1)), store.InArgs(nil, some)...)
			if err != nil {
				return nil, fmt.Errorf("read what the messages are about: %w", err)
			}
			for rows.Next() {
				of := labelled{kind: kind}
				var label string
				if err = rows.Scan(&of.id, &label); err != nil {
					break
				}
				labels[of] = label
			}
			if err == nil {
				err = rows.Err()
			}
			if closed := rows.Close(); err == nil {
				err = closed
			}
			if err != nil {
				return nil, fmt.Errorf("read what the messages are about: %w", err)
			}
		}
	}
	return labels, nil
}

// RetryMessage makes a message due at once, after what the shop refused was
// mended. It is a NotFound fault where there is none.
func (b *Books) RetryMessage(ctx context.Context, k MessageKey) error {
	return b.withMessage(ctx, k, func(tx *store.Tx, shop int64) {
		outbox.Put(tx, shop, k.Kind, k.Object, b.opts.Now())
		if k.Kind == outbox.Order {
			tx.Queue(`UPDATE order_request SET state = $2 WHERE id = $1 AND state = $3`, k.Object, RequestWaiting, RequestRefused)
		}
	})
}

// DropMessage takes a message away without telling the shop, which then goes on
// to differ from the books in what the message tells of, until that changes
// again or everything is compared. A request about an order counts as refused.
// It is a NotFound fault where there is none.
func (b *Books) DropMessage(ctx context.Context, k MessageKey) error {
	return b.withMessage(ctx, k, func(tx *store.Tx, shop int64) {
		outbox.Drop(tx, shop, k.Kind, k.Object)
		if k.Kind == outbox.Order { // those that wait behind it go on
			tx.Queue(`UPDATE order_request SET state = $2, answered_at = $3 WHERE id = $1 AND state = $4`,
				k.Object, RequestRefused, store.Micros(b.opts.Now()), RequestWaiting)
		}
	})
}

func (b *Books) withMessage(ctx context.Context, k MessageKey, change func(tx *store.Tx, shop int64)) error {
	shop, err := b.shop(k.Shop)
	if err != nil {
		return err
	}
	return b.db.Write(ctx, func(tx *store.Tx) error {
		switch there, err := outbox.Has(ctx, tx, shop, k.Kind, k.Object); {
		case err != nil:
			return err
		case !there:
			return fault.New(fault.NotFound, "see: comptoir outbox list "+k.Shop, "no message to shop %s about %s %d waits", k.Shop, k.Kind, k.Object)
		}
		change(tx, shop)
		return nil
	})
}
