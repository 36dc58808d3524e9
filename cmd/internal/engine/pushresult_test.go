package engine

import (
	"testing"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

func TestAShipmentOfPartsOfUnitsIsListedWithAllOfThem(t *testing.T) {
	lines := []intake.ShippedLine{
		{LineID: "1", Quantity: decimal.RequireFromString("0.5")},
		{LineID: "2", Quantity: decimal.RequireFromString("0.75")},
	}
	got := requestChange(PushChange{}, intake.OrderRequest{Shipment: &intake.NewShipment{Lines: lines, Carrier: "Colissimo", Tracking: "6A1"}})
	if want := "1.25 units, Colissimo 6A1"; got.To != want {
		t.Errorf("the shipment is listed as %q; want %q", got.To, want)
	}
}
