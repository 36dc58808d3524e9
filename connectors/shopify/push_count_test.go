package shopify_test

import (
	"fmt"
	"testing"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/shopify"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// 10,000 quantities take 40 calls of 250, and nothing else is asked.
func TestTenThousandQuantitiesTakeFortyCalls(t *testing.T) {
	const many = 10_000
	b := newBox(sandbox.Options{Seed: 3, Range: many}, shopify.BulkNever)
	conn, err := b.Connect(conformance.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	var levels []intake.StockLevel
	for _, id := range b.Shop.IDs(intake.Variants) {
		if had := b.Shop.StockAt(id, "501"); had >= 0 && len(levels) < many {
			from := decimal.NewFromInt(int64(had))
			levels = append(levels, intake.StockLevel{Ref: intake.Ref{Kind: intake.KindVariant, ID: id}, InventoryID: b.Shop.InventoryID(id), Location: "501",
				To: from.Add(decimal.NewFromInt(1)), From: &from, Counted: true})
		}
	}
	p := conn.(connectors.StockPusher)
	for n, part := range p.StockBatches(levels) {
		outcomes, err := p.PushStock(t.Context(), fmt.Sprint("part ", n), part)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Result != intake.Done {
				t.Fatalf("%s: %s (%s)", part[i].Ref.ID, o.Result, o.Why)
			}
		}
	}
	calls, writes := b.Shop.Calls(), b.Shop.StockWrites()
	if len(calls) != 1 || calls["mutation inventorySetQuantities"] != many/250 || b.Shop.Requests() != many/250 || len(writes) != many {
		t.Errorf("%d quantities took %v of %d requests", len(writes), calls, b.Shop.Requests())
	}
}
