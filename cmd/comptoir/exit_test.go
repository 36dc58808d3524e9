package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/fault"
)

func TestExitCodesFollowKindAndClass(t *testing.T) {
	class := func(c connectors.Class) error {
		return fmt.Errorf("shop atelier: %w", &connectors.Error{Class: c, Op: "woocommerce: list orders", Err: errors.New("no")})
	}
	kind := func(k fault.Kind) error { return fmt.Errorf("sync: %w", fault.New(k, "", "no")) }
	for want, errs := range map[int][]error{
		exitOK:          {nil},
		exitInternal:    {errors.New("boom"), kind(fault.Internal)},
		exitUsage:       {kind(fault.Invalid), kind(fault.NotFound)},
		exitAttention:   {kind(fault.Conflict), kind(fault.Unprocessable), kind(fault.Locked), class(connectors.Rejected)},
		exitRefused:     {class(connectors.Denied)},
		exitUnavailable: {kind(fault.Unavailable), class(connectors.Transient), class(connectors.Throttled)},
		exitInterrupted: {context.Canceled, fmt.Errorf("read orders: %w", context.Canceled)},
	} {
		for _, err := range errs {
			if got := exitCode(err); got != want {
				t.Errorf("%v: code %d, want %d", err, got, want)
			}
		}
	}
}
