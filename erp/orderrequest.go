package erp

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Requested is something that a person wants done with an order of a shop. The
// shop is asked for it; the books follow when the shop states it.
type Requested struct {
	ID       int64               `json:"id,omitempty"` // none of a dry run
	Shop     string              `json:"shop"`
	Number   string              `json:"number"` // of the order
	Kind     string              `json:"kind"`   // shipment, status, cancel or refund
	Request  intake.OrderRequest `json:"request"`
	State    string              `json:"state"` // waiting, done, refused, or planned by a dry run
	Created  time.Time           `json:"created"`
	Answered time.Time           `json:"answered,omitzero"`
	Why      string              `json:"why,omitempty"` // what the shop refused it for, in its own words
}

// The states of a Requested.
const (
	RequestPlanned = "planned"
	RequestWaiting = "waiting"
	RequestDone    = "done"
	RequestRefused = "refused"
)

// ShipAsk is a shipment as a person asks for it.
type ShipAsk struct {
	Lines       []sales.Ask // none: all that is left
	Carrier     string
	Tracking    string
	TrackingURL string
	Location    string // external id or name of where it leaves from; "" lets the shop decide
	Notify      bool   // the shop writes to the customer
}

// RefundAsk is a refund as a person asks for it: of an amount, of goods, or with
// neither of all that is left.
type RefundAsk struct {
	Amount   *decimal.Decimal // with tax, in the order's currency
	Lines    []sales.Ask
	Reason   string
	ByHand   bool // the money was moved by hand: the gateway must not
	Restock  bool
	Location string // external id or name of where goods come back to
	Notify   bool
}

// ShipOrder asks a shop to ship goods of an order, which is named by its number
// or its external id. Dry only works out the request. It refuses a shop that is
// not told of shipments, an order that is not open, and more than is left.
func (b *Books) ShipOrder(ctx context.Context, shop, order string, ask ShipAsk, dry bool) (Requested, error) {
	return b.request(ctx, shop, order, dry, func(q *requesting) error {
		if !q.b.policy(q.shop).Owns(intake.FieldShipments) {
			return fault.New(fault.Unprocessable, "set owners.shipments of the shop to erp", "shop %s decides on its shipments itself", shop)
		}
		s, err := q.placed.Ship(ask.Lines)
		if err != nil {
			return err
		}
		if s.Location, err = q.location(ctx, ask.Location); err != nil {
			return err
		}
		s.Carrier, s.Tracking, s.TrackingURL, s.Notify, s.At = ask.Carrier, ask.Tracking, ask.TrackingURL, ask.Notify, q.now.Truncate(time.Second)
		q.ask.Shipment = &s
		return nil
	})
}

// CancelOrder asks a shop to cancel an order. It refuses one of which goods were
// shipped, and one that is over.
func (b *Books) CancelOrder(ctx context.Context, shop, order string, c intake.Cancellation, dry bool) (Requested, error) {
	if c.Reason == "" {
		c.Reason = cancelReasons[len(cancelReasons)-1]
	}
	if !slices.Contains(cancelReasons, c.Reason) {
		return Requested{}, fault.New(fault.Invalid, "use one of "+strings.Join(cancelReasons, ", "), "there is no reason %q", c.Reason)
	}
	return b.request(ctx, shop, order, dry, func(q *requesting) error {
		q.ask.Cancel = &c
		return q.placed.Cancel()
	})
}

// cancelReasons are those of intake.Cancellation.
var cancelReasons = []string{"customer", "inventory", "fraud", "declined", "staff", "other"}

// RefundOrder asks a shop to give money of an order back. It refuses more than
// is left, and says how much that is.
func (b *Books) RefundOrder(ctx context.Context, shop, order string, ask RefundAsk, dry bool) (Requested, error) {
	return b.request(ctx, shop, order, dry, func(q *requesting) error {
		r, err := q.placed.Refund(ask.Amount, ask.Lines)
		if err != nil {
			return err
		}
		if r.Location, err = q.location(ctx, ask.Location); err != nil {
			return err
		}
		r.Reason, r.Pay, r.Restock, r.Notify = ask.Reason, !ask.ByHand, ask.Restock, ask.Notify
		q.ask.Refund = &r
		q.ask.Known = intake.Know(q.placed.Said, q.ask)
		return nil
	})
}

// SetOrderStatus asks a shop to give an order a status, in the shop's own word.
func (b *Books) SetOrderStatus(ctx context.Context, shop, order, status string, dry bool) (Requested, error) {
	status = strings.TrimSpace(status)
	if status == "" {
		return Requested{}, fault.New(fault.Invalid, "give it as the shop calls it", "the status is missing")
	}
	return b.request(ctx, shop, order, dry, func(q *requesting) error {
		has := []string{q.placed.Said.RawStatus}
		for _, r := range q.placed.Asked {
			if r.Status != "" {
				has = append(has, r.Status)
			}
		}
		if has[len(has)-1] == status {
			return fault.New(fault.Unprocessable, "there is nothing to do", "order %s has status %s already, or is to have it", q.placed.Said.Number, status)
		}
		q.ask.Status = status
		q.ask.Known = &intake.Known{Statuses: slices.Compact(has)}
		return nil
	})
}

// requesting is a request that is worked out.
type requesting struct {
	b        *Books
	tx       *store.Tx
	shop     int64
	order    int64
	external string
	now      time.Time
	placed   sales.Placed
	ask      intake.OrderRequest
}

// request finds the order, has the request worked out, and queues it.
func (b *Books) request(ctx context.Context, shop, order string, dry bool, work func(*requesting) error) (Requested, error) {
	var out Requested
	id, err := b.shop(shop)
	if err != nil {
		return out, err
	}
	if !b.policy(id).On {
		return out, fault.New(fault.Unprocessable, fmt.Sprintf("set shops.%s.push.enabled to true", shop), "shop %s is sent nothing", shop)
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		q := requesting{b: b, tx: tx, shop: id, now: b.opts.Now()}
		if err := q.find(ctx, shop, order); err != nil {
			return err
		}
		if err := work(&q); err != nil {
			return err
		}
		out, err = q.queue(ctx, shop, dry)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("order %s of %s: %w", order, shop, err)
	}
	return out, nil
}

// find reads the order as the shop last stated it, what became of its lines, and
// what was asked for and not answered.
func (q *requesting) find(ctx context.Context, shop, named string) error {
	list, err := candidates(ctx, q.tx, `SELECT o.id, s.name, o.external_id, o.number FROM sales_order o JOIN shop s ON s.id = o.shop_id
		WHERE s.name = $1 AND NOT o.deleted AND (o.external_id = $2 OR o.number IN ($2, '#' || $2)) ORDER BY o.id`, shop, named)
	if err != nil {
		return err
	}
	if len(list) > 1 { // the number of one order may be the id of another one
		numbered := slices.DeleteFunc(slices.Clone(list), func(c candidate) bool { return strings.TrimPrefix(c.number, "#") != strings.TrimPrefix(named, "#") })
		if len(numbered) == 1 {
			list = numbered
		}
	}
	switch len(list) {
	case 0:
		return fault.New(fault.NotFound, "give its number or its id in the shop; sync the shop where it is new", "the books have no such order")
	case 1:
	default:
		return fault.New(fault.Unprocessable, "give the id instead of the number", "several orders are called so: %v", list)
	}
	q.order, q.external = list[0].id, list[0].external
	q.ask.Order = intake.Ref{Kind: intake.KindOrder, ID: q.external}
	if err := q.statement(ctx); err != nil {
		return err
	}
	if err := q.lines(ctx); err != nil {
		return fmt.Errorf("read its lines: %w", err)
	}
	return q.asked(ctx)
}

func (q *requesting) statement(ctx context.Context) error {
	var packed []byte
	err := q.tx.QueryRow(ctx, `SELECT o.state, p.statement FROM sales_order o JOIN payload p ON p.local_id = o.id AND p.kind = 'order' AND p.shop_id = o.shop_id WHERE o.id = $1`, q.order).Scan(&q.placed.State, &packed)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.Unprocessable, "sync the shop first", "the books do not know what the shop states of it")
	}
	if err != nil {
		return fmt.Errorf("read what the shop states of it: %w", err)
	}
	statement, err := q.b.decompress(packed)
	if err != nil {
		return err
	}
	body, err := intake.Reopen(intake.KindOrder, statement)
	if err != nil {
		return err
	}
	q.placed.Said = body.(*intake.Order)
	return nil
}

func (q *requesting) lines(ctx context.Context) error {
	q.placed.Lines = map[string]sales.PlacedLine{}
	return eachRow(ctx, q.tx, `SELECT external_id, ordered, refunded, shipped, returned, demand, state FROM order_line WHERE order_id = $1`, []any{q.order}, func(rows *sql.Rows) error {
		var id string
		var l sales.PlacedLine
		err := rows.Scan(&id, &l.Ordered, &l.Refunded, &l.Shipped, &l.Returned, &l.Demand, &l.State)
		q.placed.Lines[id] = l
		return err
	})
}

func (q *requesting) asked(ctx context.Context) error {
	list, err := requests(ctx, q.tx, `WHERE r.order_id = $1 AND r.state = 'waiting'`, q.order)
	for _, r := range list {
		q.placed.Asked = append(q.placed.Asked, r.Request)
	}
	return err
}

// location finds a location of the shop by its id or its name.
func (q *requesting) location(ctx context.Context, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	var names []string
	found := ""
	err := eachRow(ctx, q.tx, `SELECT external_id, name FROM location WHERE shop_id = $1 AND NOT deleted ORDER BY id`, []any{q.shop}, func(rows *sql.Rows) error {
		var id, name string
		err := rows.Scan(&id, &name)
		if id == named || name == named && found == "" {
			found = id
		}
		names = append(names, name)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read its locations: %w", err)
	}
	if found == "" {
		fix := "leave it out: the shop has no locations"
		if len(names) > 0 {
			fix = "use one of " + strings.Join(names, ", ")
		}
		return "", fault.New(fault.NotFound, fix, "the shop has no location %q", named)
	}
	return found, nil
}

// queue writes the request and its message.
func (q *requesting) queue(ctx context.Context, shop string, dry bool) (Requested, error) {
	out := Requested{Shop: shop, Number: q.placed.Said.Number, Kind: kindOfRequest(q.ask), Request: q.ask, State: RequestPlanned, Created: q.now}
	if dry {
		return out, nil
	}
	text, err := json.Marshal(q.ask)
	if err != nil {
		return out, fmt.Errorf("write the request down: %w", err)
	}
	if out.ID, err = q.tx.NewID(ctx); err != nil {
		return out, err
	}
	out.State = RequestWaiting
	q.tx.Queue(`INSERT INTO order_request (id, shop_id, order_id, kind, request, state, created_at) VALUES ($1,$2,$3,$4,$5,'waiting',$6)`,
		out.ID, q.shop, q.order, out.Kind, string(text), store.Micros(q.now))
	outbox.Put(q.tx, q.shop, outbox.Order, out.ID, q.now)
	return out, nil
}

func kindOfRequest(r intake.OrderRequest) string {
	switch {
	case r.Shipment != nil:
		return "shipment"
	case r.Cancel != nil:
		return "cancel"
	case r.Refund != nil:
		return "refund"
	default:
		return "status"
	}
}

// OrderRequests lists what was asked of a shop, "" for all shops, of a kind, ""
// for all kinds, newest first.
func (b *Books) OrderRequests(ctx context.Context, shop, kind string) ([]Requested, error) {
	if shop != "" {
		if _, err := b.shop(shop); err != nil {
			return nil, err
		}
	}
	list, err := requests(ctx, b.db, `WHERE (s.name = $1 OR $1 = '') AND (r.kind = $2 OR $2 = '')`, shop, kind)
	slices.Reverse(list)
	return append([]Requested{}, list...), err
}

// requests reads requests on a condition, oldest first.
func requests(ctx context.Context, r store.Reader, where string, args ...any) ([]Requested, error) {
	var out []Requested
	err := eachRow(ctx, r, `SELECT r.id, s.name, o.number, r.kind, r.request, r.state, r.created_at, r.answered_at, r.why
		FROM order_request r JOIN shop s ON s.id = r.shop_id JOIN sales_order o ON o.id = r.order_id `+where+` ORDER BY r.created_at, r.id`, args, func(rows *sql.Rows) error {
		var q Requested
		var request string
		var created, answered int64
		if err := rows.Scan(&q.ID, &q.Shop, &q.Number, &q.Kind, &request, &q.State, &created, &answered, &q.Why); err != nil {
			return err
		}
		q.Created, q.Answered = store.FromMicros(created), store.FromMicros(answered)
		out = append(out, q)
		return json.Unmarshal([]byte(request), &out[len(out)-1].Request)
	})
	if err != nil {
		return nil, fmt.Errorf("read what was asked of shops: %w", err)
	}
	return out, nil
}
