package main

import (
	"context"
	"errors"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/fault"
)

// The exit codes; `comptoir help exit-codes` explains them.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitAttention   = 3
	exitRefused     = 4
	exitUnavailable = 5
	exitInterrupted = 130
)

const exitHelp = `Comptoir ends with one of these codes:

    0  All went well. Records that were parked are no failure: the others went on.
    1  A defect of Comptoir or of the machine. Please report it.
    2  The command line or the configuration is wrong, or names something that
       does not exist.
    3  It was done, but a person has to look: a check that failed, a record that
       is still parked after a retry, a change to a closed period.
    4  The shop refuses: the key, its rights or the address are wrong.
    5  The shop, the database or the data directory cannot be used now. Trying
       again later may help.
  130  It was interrupted. Nothing is lost: the next run goes on from there.
`

// exitCode is the exit code that an error stands for. It looks at the class of
// a connector's error and the kind of a fault, and at nothing else.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	var shop *connectors.Error
	if errors.As(err, &shop) {
		switch shop.Class {
		case connectors.Denied:
			return exitRefused
		case connectors.Rejected:
			return exitAttention
		default:
			return exitUnavailable
		}
	}
	var known *fault.Error
	if !errors.As(err, &known) && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound:
		return exitUsage
	case fault.Conflict, fault.Unprocessable, fault.Locked:
		return exitAttention
	case fault.Unavailable:
		return exitUnavailable
	default:
		return exitInternal
	}
}

// message is what a person reads about an error.
func message(err error) string {
	if exitCode(err) == exitInterrupted {
		return "comptoir: interrupted; nothing is lost, the next run goes on from there"
	}
	return "comptoir: " + strings.ReplaceAll(err.Error(), "\n", "\ncomptoir: ")
}
