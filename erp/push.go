package erp

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// Push is something that a shop is to be told, worked out from the books as
// they are now. Exactly one of Level, Edit and Request is set.
type Push struct {
	Message outbox.Message `json:"message"`
	// Label is the SKU of the variant, or the name or number of what else it is
	// about: for people.
	Label   string               `json:"label"`
	Level   *intake.StockLevel   `json:"level,omitempty"`
	Edit    *intake.Edit         `json:"edit,omitempty"`
	Request *intake.OrderRequest `json:"request,omitempty"`
	// Taken is what the shop's orders had taken of a stock when Level was worked
	// out.
	Taken quantity.Quantity `json:"taken,omitempty"`
	// Rest says that more of the message is told by another request after this
	// one: the message is not settled with it.
	Rest bool `json:"rest,omitempty"`
}

// PushQuery says what Pushes is asked for.
type PushQuery struct {
	Shop  string
	Kind  outbox.Kind
	Limit int // messages to look at; 0 for all that are due
	// Express is that of the shop's connectors.Editor; nil where it has none.
	Express func(kind intake.Kind, field intake.Field, value string) (string, bool)
	// Peek changes nothing, and looks at messages that are not due yet too. Else
	// messages that turn out to tell nothing new are settled.
	Peek bool
}

// Pushes works out what a shop is to be told of one kind, oldest change first.
// More says that there are messages beyond the limit. Of a variant whose stock
// the shop keeps at several locations there is a Push for each that differs,
// all with the same message.
func (b *Books) Pushes(ctx context.Context, q PushQuery) (pushes []Push, more bool, err error) {
	shop, err := b.shop(q.Shop)
	if err != nil {
		return nil, false, err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) (err error) {
		pushes, more, err = b.pushesOf(ctx, tx, shop, q)
		if err == nil && q.Peek {
			err = errPreview
		}
		return err
	})
	if err != nil && !errors.Is(err, errPreview) {
		return nil, false, fmt.Errorf("work out the %s messages for %s: %w", q.Kind, q.Shop, err)
	}
	return pushes, more, nil
}

// Due reports whether a message of a kind is due to a shop.
func (b *Books) Due(ctx context.Context, shop string, kind outbox.Kind) (bool, error) {
	id, err := b.shop(shop)
	if err != nil {
		return false, err
	}
	list, err := outbox.Due(ctx, b.db, id, kind, b.opts.Now(), 1)
	return len(list) > 0, err
}

// pushesOf is Pushes in a transaction.
func (b *Books) pushesOf(ctx context.Context, tx *store.Tx, shop int64, q PushQuery) ([]Push, bool, error) {
	switch q.Kind {
	case outbox.Stock:
		return b.stockPushes(ctx, tx, shop, q)
	case outbox.Order:
		return b.orderPushes(ctx, tx, shop, q)
	default:
		return b.editPushes(ctx, tx, shop, q)
	}
}

// messages lists the messages that a query looks at, oldest first, and whether
// there are more. Those that are parked are not among them.
func (b *Books) messages(ctx context.Context, r store.Reader, shop int64, q PushQuery) (list []outbox.Message, more bool, err error) {
	limit := math.MaxInt32
	if q.Limit > 0 {
		limit = q.Limit + 1
	}
	if q.Peek {
		list, err = outbox.Waiting(ctx, r, shop, q.Kind, limit)
	} else {
		list, err = outbox.Due(ctx, r, shop, q.Kind, b.opts.Now(), limit)
	}
	if q.Limit > 0 && len(list) > q.Limit {
		return list[:q.Limit], true, err
	}
	return list, false, err
}

// PushReceipt says what Pushed did.
type PushReceipt struct {
	Done    int `json:"done"`
	Stale   int `json:"stale"` // to be worked out anew and sent again at once
	Refused int `json:"refused"`
	Parked  int `json:"parked"` // of those refused: too often, or for good
	Skipped int `json:"skipped"`
}

// Pushed takes what became of pushes, all of one kind, in one transaction: what
// the shop has is acknowledged, what it states after the change is received,
// and what it refused is tried again later, but for a request about an order:
// that waits for a person, and the later ones of its order go on. Taking an
// outcome twice is harmless.
func (b *Books) Pushed(ctx context.Context, shop string, pushes []Push, outcomes []intake.Outcome) (PushReceipt, error) {
	if _, err := b.shop(shop); err != nil || len(pushes) == 0 {
		return PushReceipt{}, err
	}
	if len(pushes) != len(outcomes) {
		return PushReceipt{}, fault.New(fault.Internal, "this is a defect of the connector: please report it", "%s was told %d things and says what became of %d", shop, len(pushes), len(outcomes))
	}
	t := taking{b: b, shop: shop, pushes: pushes, outcomes: heard(pushes, outcomes)}
	commit := func(apply applying) error {
		return b.db.Write(ctx, func(tx *store.Tx) error { return t.run(ctx, tx, apply) })
	}
	err := commit(b.applyPage)
	if refusedByDatabase(err) {
		err = commit(b.applyEach)
	}
	if err != nil {
		return PushReceipt{}, fmt.Errorf("take what %s did with %d %s messages: %w", shop, len(pushes), pushes[0].Message.Kind, err)
	}
	t.log()
	return t.receipt, nil
}

// applying is applyPage or applyEach.
type applying func(context.Context, *store.Tx, Stream, []intake.Record, func(*page)) ([]Outcome, error)

// taking is a Pushed at work.
type taking struct {
	b        *Books
	shop     string
	pushes   []Push
	outcomes []intake.Outcome
	receipt  PushReceipt
}

// run acknowledges before it receives: a record that only says what the shop was
// told is then known for an echo.
func (t *taking) run(ctx context.Context, tx *store.Tx, apply applying) error {
	p, err := t.b.openPage(ctx, tx, Stream{Shop: t.shop, Resource: intake.Products})
	if err != nil {
		return err
	}
	switch t.pushes[0].Message.Kind {
	case outbox.Stock:
		err = t.b.stockPushed(ctx, p, t.pushes, t.outcomes)
	case outbox.Order:
		err = t.b.orderPushed(ctx, p, t.pushes, t.outcomes)
	default:
		err = t.b.editPushed(ctx, p, t.pushes, t.outcomes)
	}
	if err != nil {
		return err
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	t.settle(tx, p)
	for _, r := range resources {
		if records := t.records(intake.KindOf(r)); len(records) > 0 {
			if _, err := apply(ctx, tx, Stream{Shop: t.shop, Resource: r}, records, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// resources are those whose records a shop may state after a push.
var resources = []intake.Resource{intake.Categories, intake.Products, intake.Variants, intake.Orders}

// records returns what the shop states after the pushes, of one kind.
func (t *taking) records(kind intake.Kind) []intake.Record {
	var out []intake.Record
	for _, o := range t.outcomes {
		for _, rec := range o.Records {
			if rec.Ref.Kind == kind && !rec.Hidden {
				out = append(out, rec)
			}
		}
	}
	return out
}

// settle settles the messages: one of which a push was refused is tried again
// later, one of which a push was stale stays due.
func (t *taking) settle(tx *store.Tx, p *page) {
	t.receipt = PushReceipt{}
	worst := map[int64]int{} // by object: the index of the outcome that decides
	for i, o := range t.outcomes {
		switch o.Result {
		case intake.Done:
			t.receipt.Done++
		case intake.Stale:
			t.receipt.Stale++
		case intake.Skipped:
			t.receipt.Skipped++
		default:
			t.receipt.Refused++
		}
		object := t.pushes[i].Message.Object
		if at, ok := worst[object]; !ok || weight(o.Result) > weight(t.outcomes[at].Result) {
			worst[object] = i
		}
	}
	for i := range t.outcomes {
		m := t.pushes[i].Message
		if worst[m.Object] != i {
			continue
		}
		switch o := t.outcomes[i]; o.Result {
		case intake.Done, intake.Skipped:
			if !t.pushes[i].Rest {
				outbox.Settled(tx, m)
			}
		case intake.Stale:
			outbox.Moved(tx, m)
		case intake.Unknown:
			outbox.Park(tx, m, o.Why)
			t.receipt.Parked++
		default:
			t.refused(tx, m, p.now, o.Why)
		}
	}
}

// weight orders results by how much they keep a message from being settled.
func weight(r intake.Result) int {
	return slices.Index([]intake.Result{intake.Skipped, intake.Done, intake.Stale, intake.Refused, intake.Unknown}, r)
}

// log tells of what the shop cannot hold, which nobody has to do anything about.
func (t *taking) log() {
	for i, o := range t.outcomes {
		if o.Result == intake.Skipped {
			m := t.pushes[i].Message
			t.b.opts.Log.Info().Str("shop", t.shop).Str("kind", string(m.Kind)).Str("label", t.pushes[i].Label).Str("why", o.Why).Msg("the shop cannot hold what it was told")
		}
	}
}

// Compare queues a message for everything that a shop is sent and that it does
// not have as the books want it, as far as is known, and returns how many. Call
// it before the first push, when what is sent has changed, and on a schedule of
// its own: a change in the books queues its message by itself.
func (b *Books) Compare(ctx context.Context, shop string) (queued int, err error) {
	id, err := b.shop(shop)
	if err != nil {
		return 0, err
	}
	return b.compare(ctx, shop, id, false)
}

// CompareChanged is Compare where what the shop is sent has changed since it was
// last compared, and does nothing otherwise. Call it before shops are told.
func (b *Books) CompareChanged(ctx context.Context, shop string) (queued int, err error) {
	id, err := b.shop(shop)
	if err != nil {
		return 0, err
	}
	_, changed, err := b.comparedBefore(ctx, b.db, id)
	if err != nil || !changed {
		return 0, err
	}
	return b.compare(ctx, shop, id, true)
}

func (b *Books) compare(ctx context.Context, shop string, id int64, changed bool) (queued int, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		now, again, err := b.comparedBefore(ctx, tx, id)
		if err != nil || changed && !again {
			return err
		}
		tx.Queue(`INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, comparedName(id), now)
		queued, err = b.compareAll(ctx, tx, id)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("compare %s with the books: %w", shop, err)
	}
	return queued, nil
}

// comparedName is the name of the setting that says what a shop was sent when it
// was last compared.
func comparedName(shop int64) string { return fmt.Sprintf("compared shop %d", shop) }

// comparedBefore returns what a shop is sent, written down, and whether that has
// changed since it was last compared.
func (b *Books) comparedBefore(ctx context.Context, r store.Reader, shop int64) (now string, changed bool, err error) {
	now, err = b.sentText(shop)
	if err != nil {
		return "", false, err
	}
	var before string
	err = r.QueryRow(ctx, `SELECT value FROM setting WHERE name = $1`, comparedName(shop)).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", false, fmt.Errorf("read what a shop was sent before: %w", err)
	}
	return now, before != now, nil
}

// sentText is what a shop is sent, written down.
func (b *Books) sentText(shop int64) (string, error) {
	text, err := json.Marshal(b.policy(shop))
	if err != nil {
		return "", fmt.Errorf("write down what a shop is sent: %w", err)
	}
	return string(text), nil
}

// forgetCompared has shops compared again before they are told, of which it is
// said now that they are sent something else than when they were compared, or
// nothing: changes in the books queue no messages about that meanwhile, and
// would be lost when it is said as before once more.
func (b *Books) forgetCompared(ctx context.Context, tx *store.Tx) error {
	sent := map[string]string{}
	for _, s := range b.ranked {
		text, err := b.sentText(s.id)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		sent[comparedName(s.id)] = text
	}
	return eachRow(ctx, tx, `SELECT name, value FROM setting WHERE name LIKE 'compared shop %'`, nil, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		if err == nil && sent[name] != value {
			tx.Queue(`DELETE FROM setting WHERE name = $1 AND value = $2`, name, value)
		}
		return err
	})
}

func (b *Books) compareAll(ctx context.Context, tx *store.Tx, shop int64) (queued int, err error) {
	stock, err := b.compareStock(ctx, tx, shop)
	if err != nil {
		return 0, err
	}
	edits, err := b.compareEdits(ctx, tx, shop)
	return stock + edits, err
}

// policy is what of a shop the books decide on.
func (b *Books) policy(shop int64) outbox.Policy { return b.policies[shop] }

// sends returns the shops that are told of changes of a field, by id. Who
// changes the field queues a message for each of them that has the object; see
// outbox.PutBound.
func (b *Books) sends(f intake.Field) []int64 { return b.senders[f] }

// sendTo notes which shop is sent what, when the shops are known.
func (b *Books) sendTo() {
	b.policies, b.senders = map[int64]outbox.Policy{}, map[intake.Field][]int64{}
	for _, s := range b.ranked {
		policy := b.opts.Policies[s.name]
		b.policies[s.id] = policy
		for f := range policy.Owners {
			if policy.Sends(f) {
				b.senders[f] = append(b.senders[f], s.id)
			}
		}
	}
}

// Outbox tells how the messages of a shop stand.
func (b *Books) Outbox(ctx context.Context, shop string) (outbox.Standing, error) {
	id, err := b.shop(shop)
	if err != nil {
		return outbox.Standing{}, err
	}
	return outbox.StandingOf(ctx, b.db, id)
}
