package main

import (
	"bytes"
	"context"
	"testing"

	"comptoir/cmd/internal/engine"
	"comptoir/erp/fault"
)

func TestAPushThatFailedAtItsFirstCallDoesNotSayThatAllIsWell(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	ended := fault.New(fault.Unavailable, "try again", "the shop shows a maintenance page")
	if err := a.printPush(context.Background(), nil, engine.PushResult{Shop: "atelier", Calls: 1}, ended); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("beside the error it prints %q; want nothing", out.String())
	}
}
