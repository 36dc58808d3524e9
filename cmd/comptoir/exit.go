package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

const interrupted = "interrupted; nothing is lost, the next run goes on from there"

// message is what a person reads about an error.
func message(err error) string {
	if exitCode(err) == exitInterrupted {
		return "comptoir: " + interrupted
	}
	return "comptoir: " + strings.ReplaceAll(err.Error(), "\n", "\ncomptoir: ")
}

// errorJSON is an error under --json, one object on standard error.
type errorJSON struct {
	Error string `json:"error"`
	Fix   string `json:"fix,omitempty"` // what to do about it
	Exit  int    `json:"exit"`          // the exit code
}

// asJSON takes the advice out of the message, where it ends with it.
func asJSON(err error) errorJSON {
	out := errorJSON{Error: err.Error(), Fix: fault.FixOf(err), Exit: exitCode(err)}
	var shop *connectors.Error
	if errors.As(err, &shop) {
		out.Fix = shop.Fix
	}
	if out.Exit == exitInterrupted {
		out.Error, out.Fix = interrupted, ""
	}
	if out.Fix != "" {
		out.Error = strings.TrimSuffix(out.Error, ": "+out.Fix)
	}
	return out
}

// complain tells of the error that ended a verb. Where the command line was
// not understood, --json may not have been read yet.
func (a *app) complain(err error, args []string) {
	if !a.json && !slices.Contains(args, "--json") {
		fmt.Fprintln(a.err, message(err))
		return
	}
	enc := json.NewEncoder(a.err)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(asJSON(err)) // a reader that has gone away has gone away
}
