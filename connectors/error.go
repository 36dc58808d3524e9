package connectors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Class answers what the engine does about an error.
type Class uint8

const (
	// Transient: the network or the shop stumbled; try again with back-off.
	Transient Class = iota
	// Throttled: the shop asks for patience; wait RetryAfter.
	Throttled
	// Rejected: this record or request can't succeed; park it and go on.
	Rejected
	// Denied: credentials, rights or address are wrong; pause the shop, and
	// ask again only now and then, since a person has to look.
	Denied
)

func (c Class) String() string {
	switch c {
	case Throttled:
		return "throttled"
	case Rejected:
		return "rejected"
	case Denied:
		return "denied"
	default:
		return "transient"
	}
}

// Error is the only error that a connector lets out, but for that of a
// context that has ended.
type Error struct {
	Class      Class
	Op         string        // "woocommerce: list orders"
	RetryAfter time.Duration // zero: the engine's own back-off
	Fix        string        // what a shop owner can do about it; may be empty
	Err        error
}

func (e *Error) Error() string {
	msg := fmt.Sprintf("%s: %v", e.Op, e.Err)
	if e.Fix != "" {
		msg += ": " + e.Fix
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of err. An error that is no Error is Transient:
// trying again does no harm.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Transient
}

// Unread is an error of reading what was just changed. It has that tried again:
// were it Rejected, the change would count as refused, and it was made.
func Unread(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Class != Rejected {
		return err
	}
	again := *e
	again.Class = Transient
	return &again
}

// Ended reports whether err means only that the context has ended.
func Ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
