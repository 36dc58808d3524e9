package intake_test

import (
	"testing"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// The stock pool of a group has no price of its own, though a shop states one
// that it works out from those of the variants.
func TestWhatIsNeverSoldItselfHasNoPrice(t *testing.T) {
	price := decimal.RequireFromString("21.90")
	for _, sellable := range []bool{true, false} {
		fields := intake.Fields(&intake.Variant{Price: &price, Weight: "0.2", Sellable: sellable})
		if _, ok := fields[intake.FieldPrice]; ok != sellable || fields[intake.FieldWeight] != "0.2" {
			t.Errorf("sellable %v: %v", sellable, fields)
		}
	}
}
