package connectors

import (
	"context"
	"errors"
	"net/http"

	"comptoir/erp/intake"
	"comptoir/erp/money"
)

// The abilities to change a shop. All of them are told of the outcome of each
// thing apart; an error means that none of them is known to have been done, so
// that all have to be tried again with the same key. Trying again is harmless:
// where the shop takes an idempotency key, key is sent; where it does not, the
// connector looks whether the thing is there before it makes it.

// StockPusher sets what a shop can sell.
type StockPusher interface {
	// StockBatches puts together levels that the shop takes in one call each:
	// as few calls as its API allows, each level in one of them, in any order.
	// It does no I/O.
	StockBatches(levels []intake.StockLevel) [][]intake.StockLevel
	// PushStock tells the shop one of these parts. Outcomes are in the order of
	// the levels.
	PushStock(ctx context.Context, key string, levels []intake.StockLevel) ([]intake.Outcome, error)
}

// Editor changes products, variants and categories.
type Editor interface {
	// Express returns the value of a field as the shop will state it once it
	// was told so ("notify" may become "yes"); false where the shop has no such
	// field, or none that can be written. See Learner.
	Express(kind intake.Kind, field intake.Field, value string) (string, bool)
	// EditBatches is like StockBatches. Edits are all of one kind.
	EditBatches(edits []intake.Edit) [][]intake.Edit
	// PushEdits tells the shop one of these parts.
	PushEdits(ctx context.Context, key string, edits []intake.Edit) ([]intake.Outcome, error)
}

// Learner is an Editor that has to ask the shop before it knows what Express
// returns.
type Learner interface {
	// Learn asks the shop for what Express depends on, such as the unit of its
	// weights, where that is not known yet or may have changed. Call it before
	// Express, which does no I/O. After an error nothing may be concluded from
	// what Express returns.
	Learn(ctx context.Context) error
}

// Priced is an Editor that can find out in which currency the shop has its
// prices. Without it they are taken for the currency of the accounts.
type Priced interface {
	// Currency asks the shop in which currency its prices are; "" where the
	// shop does not let that be known. What was found out may be returned again
	// for an hour.
	Currency(ctx context.Context) (money.Currency, error)
}

// OrderPusher ships, cancels and refunds orders.
type OrderPusher interface {
	// PushOrder does one of these. Its outcome is Done or Refused: the latter
	// ends the request, so a reason that passes by itself is an error, and so is
	// whatever leaves open whether it was done.
	PushOrder(ctx context.Context, key string, r intake.OrderRequest) (intake.Outcome, error)
}

// Hinter takes what a shop says of its own accord. A hint means "look at
// these": the records are always fetched.
type Hinter interface {
	// Hint checks a delivery and says what to look at. It does no I/O and is
	// given the body as it came. Its error is ErrSignature, ErrForeign or
	// ErrUnreadable.
	Hint(header http.Header, body []byte) (Hint, error)
	// Subscribe has the shop send hints to an address: it makes the
	// subscriptions that lack, mends those that the shop has switched off, and
	// takes away those that it once made for another address. It says how each
	// stands.
	Subscribe(ctx context.Context, address string) ([]Subscription, error)
}

// Hint is what a delivery points at.
type Hint struct {
	// Key is the same for all deliveries of one event, and another one for
	// each other event; "" for a delivery that says nothing.
	Key   string
	Topic string
	// Refs are the records to fetch, of one kind; none where nothing need be.
	Refs []intake.Ref
	// Pull are the resources to read where the delivery does not say which
	// record has changed.
	Pull []intake.Resource
}

// Why a delivery is refused.
var (
	ErrSignature  = errors.New("the signature does not match")
	ErrForeign    = errors.New("the delivery is of another shop")
	ErrUnreadable = errors.New("the delivery cannot be read")
)

// Subscription is how the shop's hints on one topic stand.
type Subscription struct {
	Topic string `json:"topic"`
	ID    string `json:"id"`
	// Done says what Subscribe did: "kept", "made", "mended" or "removed".
	Done string `json:"done"`
	Note string `json:"note,omitempty"` // such as why the shop had switched it off
}
