// Package outbox keeps what the shops have still to be told. A change in the
// books writes its message in the same transaction; the engine carries it to
// the shop and has the books acknowledge it.
//
// A message about stock, a product, a variant or a category holds no value. It
// says "look at this": what the shop should have is worked out from the books
// when the message is delivered, and compared with what the shop is known to
// have. So a hundred changes of one thing are one message, the newest value is
// what is sent, and a value that the shop has already is not. A request about
// an order is a message of its own, and holds what was asked for.
package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"comptoir/erp/store"
)

// Kind says what a message is about.
type Kind string

// The kinds, in the order in which they are delivered: a product is put into a
// category that the shop has by then.
const (
	Category Kind = "category" // object: a category
	Product  Kind = "product"  // object: a product
	Variant  Kind = "variant"  // object: a variant; all but its stock
	Stock    Kind = "stock"    // object: the variant that carries the stock
	Order    Kind = "order"    // object: a request about an order
)

// Kinds lists the kinds in the order in which they are delivered.
func Kinds() []Kind { return []Kind{Category, Product, Variant, Stock, Order} }

// Message is something that a shop has to be told.
type Message struct {
	Shop     int64     `json:"shop"`
	Kind     Kind      `json:"kind"`
	Object   int64     `json:"object"`
	Revision int64     `json:"revision"` // grows with each change of the object
	Since    time.Time `json:"since"`    // when the oldest change that it tells of was made
	Due      time.Time `json:"due"`      // not before
	Tries    int       `json:"tries"`    // refusals in a row
	Parked   bool      `json:"parked"`   // refused too often or for good: a person has to look at it
	Why      string    `json:"why"`      // of the last refusal, in the shop's own words
}

// Put queues a message, or says that there is more to tell where there is one:
// it is then due at once, even if it was parked.
func Put(tx *store.Tx, shop int64, kind Kind, object int64, now time.Time) {
	PutAt(tx, shop, kind, object, now, now)
}

// PutStock is PutBound for the stock of a variant, where the books count it.
func PutStock(tx *store.Tx, shops []int64, variant int64, now time.Time) {
	putWhere(tx, shops, Stock, Variant, variant, counted, now)
}

// PutStockNews is PutStock for shops that state something else of the stock than
// they have acknowledged.
func PutStockNews(tx *store.Tx, shops []int64, variant int64, now time.Time) {
	putWhere(tx, shops, Stock, Variant, variant, counted+` AND NOT EXISTS (SELECT 1 FROM shop_stock k WHERE k.shop_id = g.shop_id AND k.variant_id = g.local_id AND k.known
		AND NOT EXISTS (SELECT 1 FROM shop_level x WHERE x.shop_id = k.shop_id AND x.variant_id = k.variant_id
			AND NOT EXISTS (SELECT 1 FROM stock_ack a WHERE a.shop_id = x.shop_id AND a.variant_id = x.variant_id AND a.location = x.location)))`, now)
}

// counted says of a variant that its stock was taken over.
const counted = ` AND EXISTS (SELECT 1 FROM stock_level l WHERE l.variant_id = g.local_id AND l.place_id = 1 AND l.opened)`

// PutAllStock queues a message for each stock that a shop sells from and the
// books count.
func PutAllStock(tx *store.Tx, shop int64, now time.Time) {
	tx.Queue(`INSERT INTO outbox (shop_id, kind, object_id, revision, since, due, tries, parked, why)
		SELECT DISTINCT g.shop_id, 'stock', g.local_id, 1, CAST($2 AS BIGINT), CAST($2 AS BIGINT), 0, FALSE, '' FROM origin g JOIN stock_level l ON l.variant_id = g.local_id AND l.place_id = 1 AND l.opened
			WHERE g.shop_id = $1 AND g.kind = 'variant' AND NOT g.gone`+again, shop, store.Micros(now))
}

// PutBound is Put for each of the shops that has the object: one of its records
// is bound to it and not gone.
func PutBound(tx *store.Tx, shops []int64, kind Kind, object int64, now time.Time) {
	bound := kind
	if kind == Stock {
		bound = Variant
	}
	putWhere(tx, shops, kind, bound, object, ``, now)
}

// putWhere queues a message for each of the shops in which a record of a kind is
// bound to the object, on a condition. The kind of the record is a constant of
// the query, since the index is of one kind.
func putWhere(tx *store.Tx, shops []int64, kind, bound Kind, object int64, condition string, now time.Time) {
	if len(shops) == 0 {
		return
	}
	tx.Queue(`INSERT INTO outbox (shop_id, kind, object_id, revision, since, due, tries, parked, why)
		SELECT DISTINCT g.shop_id, CAST($1 AS TEXT), g.local_id, 1, CAST($3 AS BIGINT), CAST($3 AS BIGINT), 0, FALSE, '' FROM origin g
			WHERE g.local_id = $2 AND g.kind = '`+string(bound)+`' AND NOT g.gone AND g.shop_id IN (`+store.In(len(shops), 4)+`)`+condition+again,
		store.InArgs([]any{string(kind), object, store.Micros(now)}, shops)...)
}

// again says that there is more to tell of what is queued already.
const again = ` ON CONFLICT (shop_id, kind, object_id) DO UPDATE SET revision = outbox.revision + 1, tries = 0, parked = FALSE, why = '',
	due = CASE WHEN outbox.parked OR outbox.tries > 0 OR excluded.due < outbox.due THEN excluded.due ELSE outbox.due END`

// PutAt is Put for what is to be looked at later, when a sale begins, say. One
// that is due sooner stays so.
func PutAt(tx *store.Tx, shop int64, kind Kind, object int64, now, due time.Time) {
	tx.Queue(`INSERT INTO outbox (shop_id, kind, object_id, revision, since, due, tries, parked, why) VALUES ($1,$2,$3,1,$4,$5,0,FALSE,'')`+again,
		shop, string(kind), object, store.Micros(now), store.Micros(due))
}

// Due lists messages of a shop that are due, oldest first.
func Due(ctx context.Context, r store.Reader, shop int64, kind Kind, now time.Time, limit int) ([]Message, error) {
	return list(ctx, r, `WHERE shop_id = $1 AND kind = $2 AND NOT parked AND due <= $3 ORDER BY since, object_id LIMIT $4`, shop, string(kind), store.Micros(now), limit)
}

// Waiting lists messages of a shop that are not parked, due or not, oldest
// first.
func Waiting(ctx context.Context, r store.Reader, shop int64, kind Kind, limit int) ([]Message, error) {
	return list(ctx, r, `WHERE shop_id = $1 AND kind = $2 AND NOT parked ORDER BY since, object_id LIMIT $3`, shop, string(kind), limit)
}

// All lists the messages of a shop, oldest first.
func All(ctx context.Context, r store.Reader, shop int64) ([]Message, error) {
	return list(ctx, r, `WHERE shop_id = $1 ORDER BY since, kind, object_id`, shop)
}

func list(ctx context.Context, r store.Reader, where string, args ...any) ([]Message, error) {
	rows, err := r.Query(ctx, `SELECT shop_id, kind, object_id, revision, since, due, tries, parked, why FROM outbox `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	defer rows.Close()
	var out []Message
	for rows.Next() {
		var m Message
		var since, due int64
		if err := rows.Scan(&m.Shop, &m.Kind, &m.Object, &m.Revision, &since, &due, &m.Tries, &m.Parked, &m.Why); err != nil {
			return nil, fmt.Errorf("read the outbox: %w", err)
		}
		m.Since, m.Due = store.FromMicros(since), store.FromMicros(due)
		out = append(out, m)
	}
	return out, rows.Err()
}

// as says of a message that it is the one that was read, and as it was then.
// One that was settled meanwhile and queued again counts its revisions anew, so
// that it is told apart by when it began.
const as = `shop_id = $1 AND kind = $2 AND object_id = $3 AND revision = $4 AND since = $5`

// as returns the arguments of as, and after them others.
func (m Message) as(others ...any) []any {
	return append([]any{m.Shop, string(m.Kind), m.Object, m.Revision, store.Micros(m.Since)}, others...)
}

// Settled queues that the shop has what a message told. What has changed since
// the message was read stays to be told, and so does what the shop has refused
// a part of.
func Settled(tx *store.Tx, m Message) {
	tx.Queue(`DELETE FROM outbox WHERE `+as+` AND tries = $6`, m.as(m.Tries)...)
}

// Moved queues that the shop had moved on when it was told: what a message
// tells is another thing now, though the values may come out the same, and
// must not be taken for the same attempt.
func Moved(tx *store.Tx, m Message) {
	tx.Queue(`UPDATE outbox SET revision = revision + 1 WHERE `+as, m.as()...)
}

// Drop queues that a message is forgotten, whatever it tells.
func Drop(tx *store.Tx, shop int64, kind Kind, object int64) {
	tx.Queue(`DELETE FROM outbox WHERE shop_id = $1 AND kind = $2 AND object_id = $3`, shop, string(kind), object)
}

// Has reports whether there is a message.
func Has(ctx context.Context, r store.Reader, shop int64, kind Kind, object int64) (bool, error) {
	list, err := list(ctx, r, `WHERE shop_id = $1 AND kind = $2 AND object_id = $3`, shop, string(kind), object)
	return len(list) > 0, err
}

// MaxTries is how often in a row a shop may refuse a message before it is
// parked.
const MaxTries = 6

// Refused queues that the shop refused a message: it is tried again later each
// time, and in the end parked. To say so twice of one try counts once.
func Refused(tx *store.Tx, m Message, now time.Time, why string) {
	wait := time.Minute << min(m.Tries, 10)
	tx.Queue(`UPDATE outbox SET tries = tries + 1, parked = tries + 1 >= $7, why = $8, due = $9 WHERE `+as+` AND tries = $6`, m.as(m.Tries, MaxTries, why, store.Micros(now.Add(wait)))...)
}

// RefusedForGood queues that the shop refused a message for a reason that does
// not go away by itself: it waits for a person at once. To say so twice of one
// try counts once.
func RefusedForGood(tx *store.Tx, m Message, why string) {
	tx.Queue(`UPDATE outbox SET tries = tries + 1, parked = TRUE, why = $7 WHERE `+as+` AND tries = $6`, m.as(m.Tries, why)...)
}

// Park queues that a message waits for a person, who is told why. It does not
// count as refused.
func Park(tx *store.Tx, m Message, why string) {
	tx.Queue(`UPDATE outbox SET parked = TRUE, why = $6 WHERE `+as, m.as(why)...)
}

// Standing is how the messages of a shop stand.
type Standing struct {
	Waiting int // not parked
	Parked  int
	Oldest  time.Time // since when the oldest of those that wait has; zero where none does
	Next    time.Time // when the next of them is due; zero where none is
}

// StandingOf counts the messages of a shop.
func StandingOf(ctx context.Context, r store.Reader, shop int64) (Standing, error) {
	var s Standing
	var oldest, next sql.NullInt64
	err := r.QueryRow(ctx, `SELECT COUNT(*) FILTER (WHERE NOT parked), COUNT(*) FILTER (WHERE parked), MIN(since) FILTER (WHERE NOT parked), MIN(due) FILTER (WHERE NOT parked)
		FROM outbox WHERE shop_id = $1`, shop).Scan(&s.Waiting, &s.Parked, &oldest, &next)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("count the outbox: %w", err)
	}
	s.Oldest, s.Next = store.FromMicros(oldest.Int64), store.FromMicros(next.Int64)
	return s, nil
}

// Postpone queues that a message is looked at later: something else has to be
// there before. A new change of its object makes it due at once.
func Postpone(tx *store.Tx, m Message, due time.Time) {
	tx.Queue(`UPDATE outbox SET due = $6 WHERE `+as, m.as(store.Micros(due))...)
}
