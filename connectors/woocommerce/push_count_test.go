package woocommerce_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// 10,000 quantities are read and written a hundred at a time, the fewest that
// the API allows; told again, they are only read.
func TestTenThousandQuantitiesTakeAHundredWrites(t *testing.T) {
	synctest.Test(t, tellTenThousand) // the connector keeps a pace
}

func tellTenThousand(t *testing.T) {
	const many = 10_000
	b := newBox(sandbox.Options{Seed: 3, Range: many})
	conn, err := b.Connect(conformance.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	var levels []intake.StockLevel
	for _, id := range b.Shop.IDs(intake.Products) {
		if had, counted := b.Shop.Stock(id); counted && len(levels) < many {
			from := decimal.NewFromInt(int64(had))
			levels = append(levels, intake.StockLevel{Ref: intake.Ref{Kind: intake.KindVariant, ID: id, Parent: id},
				To: from.Add(decimal.NewFromInt(1)), From: &from, Counted: true})
		}
	}
	p := conn.(connectors.StockPusher)
	tell := func(key string) {
		t.Helper()
		for n, part := range p.StockBatches(levels) {
			outcomes, err := p.PushStock(t.Context(), fmt.Sprint(key, n), part)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range outcomes {
				if o.Result != intake.Done {
					t.Fatalf("%s: %s (%s)", part[i].Ref.ID, o.Result, o.Why)
				}
			}
		}
	}
	before := b.Shop.Requests()
	tell("first ")
	calls, writes, asked := b.Shop.Calls(), b.Shop.StockWrites(), b.Shop.Requests()-before
	if len(levels) != many || len(calls) != 1 || calls["POST /wc/v3/products/batch"] != many/100 || len(writes) != many || asked > 2*many/100+2 {
		t.Errorf("%d quantities took %v of %d requests, and %d were written", len(levels), calls, asked, len(writes))
	}
	if tell("again "); len(b.Shop.StockWrites()) != many {
		t.Errorf("told again, %d more were written", len(b.Shop.StockWrites())-many)
	}
}
