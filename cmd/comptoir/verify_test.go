package main

import (
	"testing"

	"comptoir/cmd/internal/engine"
	"comptoir/erp"
)

func TestTheRemedyFitsWhatDiffers(t *testing.T) {
	parked, missing, waits := erp.Drift{Field: "parked"}, erp.Drift{}, erp.Drift{Pending: true}
	for _, c := range []struct {
		drift []erp.Drift
		want  string
	}{
		{[]erp.Drift{parked, waits}, "look after what is parked with comptoir parked list"},
		{[]erp.Drift{missing}, "read it again with comptoir resync atelier, tell the shop with comptoir push atelier, or correct the shop"},
		{[]erp.Drift{missing, parked}, "look after what is parked with comptoir parked list, read it again with comptoir resync atelier, tell the shop with comptoir push atelier, or correct the shop"},
	} {
		if got := remedy(engine.Verification{Shop: "atelier", Drift: c.drift}); got != c.want {
			t.Errorf("%+v: %s", c.drift, got)
		}
	}
}
