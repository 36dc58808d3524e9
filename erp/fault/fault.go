// Package fault names the kinds of error that a caller of the books can tell
// apart. It answers one question: what is the caller told? Exit codes and
// HTTP statuses look at the kind and at nothing else.
//
// An error that a person reads says what happened, where, and what to do
// next. New puts the first two into the message and the last into Fix.
package fault

import (
	"errors"
	"fmt"
)

// Kind is the class of a fault.
type Kind uint8

const (
	// Internal is a defect or a broken machine: nobody but us can help.
	Internal Kind = iota
	// Invalid is input that can never be accepted as it stands.
	Invalid
	// NotFound names something that does not exist.
	NotFound
	// Conflict is a change that another change has overtaken.
	Conflict
	// Unprocessable is input in good form that the books refuse for now:
	// a missing setting, a missing rate. It is parked and can be retried.
	Unprocessable
	// Locked is a change to a closed period.
	Locked
	// Unavailable is a resource held by another process or out of reach.
	Unavailable
)

func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Unprocessable:
		return "unprocessable"
	case Locked:
		return "locked"
	case Unavailable:
		return "unavailable"
	default:
		return "internal"
	}
}

// Error is a fault with its kind and the advice that goes with it.
type Error struct {
	Kind Kind
	Msg  string // what happened, and where
	Fix  string // what the reader can do about it; may be empty
	Err  error  // the cause; may be nil
}

// New returns a fault of the kind k. Its message is built as by fmt.Sprintf.
func New(k Kind, fix, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Msg: err.Error(), Fix: fix, Err: errors.Unwrap(err)}
}

func (e *Error) Error() string {
	if e.Fix == "" {
		return e.Msg
	}
	return e.Msg + ": " + e.Fix
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first fault in err's chain, Internal where
// there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// FixOf returns the advice of the first fault in err's chain, "" where there
// is none.
func FixOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Fix
	}
	return ""
}
