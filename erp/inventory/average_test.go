package inventory_test

import (
	"math"
	"testing"

	"comptoir/erp/inventory"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestGoodsThatComeInAtAnotherCostChangeTheAverage(t *testing.T) {
	for name, test := range map[string]struct {
		onHand, value int64
		cost          string
		q, paid       int64

		wantValue, wantLevel int64
		wantCost             string
	}{
		"the first":                      {0, 0, "0", 10_000, 3500, 3500, 3500, "3.5"},
		"dearer":                         {10_000, 3500, "3.5", 10_000, 4500, 4500, 8000, "4"},
		"a third":                        {1000, 100, "1", 2000, 900, 900, 1000, "3.33333333"},
		"for nothing":                    {10_000, 3500, "3.5", 10_000, 0, 0, 3500, "1.75"},
		"sold before, dearer":            {-2000, -2000, "10", 5000, 6000, 5600, 3600, "12"},
		"sold before, all of it":         {-5000, -5000, "10", 5000, 6000, 5000, 0, "12"},
		"sold before, more than came":    {-5000, -5000, "10", 2000, 2400, 2000, -3000, "12"},
		"sold before at no cost":         {-2000, 0, "0", 5000, 6000, 3600, 3600, "12"},
		"cents left of what is gone":     {0, 3, "10", 1000, 1000, 997, 1000, "10"},
		"more left of it than came":      {0, 2000, "10", 1000, 1000, 0, 2000, "20"},
		"worth less than nothing before": {1000, -17_000, "55", 5000, 10_000, 29_000, 12_000, "20"},
	} {
		t.Run(name, func(t *testing.T) {
			l := inventory.Level{OnHand: quantity.Quantity(test.onHand), Value: test.value, UnitCost: decimal.RequireFromString(test.cost)}
			value, after, err := l.Receive(quantity.Quantity(test.q), test.paid, "EUR")
			if err != nil {
				t.Fatal(err)
			}
			if value != test.wantValue || after.Value != test.wantLevel || after.UnitCost.String() != test.wantCost {
				t.Errorf("entered at %d, level %d at %s, want %d, %d at %s", value, after.Value, after.UnitCost, test.wantValue, test.wantLevel, test.wantCost)
			}
		})
	}
}

func TestWhatCannotBeReceivedOrReleasedIsRefused(t *testing.T) {
	l := inventory.Level{OnHand: 2000, Value: 700, UnitCost: decimal.RequireFromString("3.5")}
	full := inventory.Level{OnHand: 1 << 62, Value: 1}
	receive := func(l inventory.Level, q quantity.Quantity, cost int64) error {
		_, _, err := l.Receive(q, cost, "EUR")
		return err
	}
	release := func(q quantity.Quantity) error {
		_, _, err := l.Release(q, "EUR")
		return err
	}
	for name, err := range map[string]error{
		"no units":       receive(l, 0, 100),
		"a cost below 0": receive(l, 1000, -1),
		"too many":       receive(full, 1<<62, 1),
		"too much":       receive(l, 1000, math.MaxInt64),
		"more than are":  release(2001),
		"none":           release(0),
	} {
		if err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// TestValueFollowsTheGoods receives and releases at random, also more than is
// there: what moved adds up to the level, the last unit leaves nothing behind,
// and what is on hand after a shortage is worth what it cost.
func TestValueFollowsTheGoods(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l inventory.Level
		var moved int64
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			q := quantity.Quantity(rapid.Int64Range(1, 50_000).Draw(t, "quantity"))
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				paid := rapid.Int64Range(0, 100_000).Draw(t, "paid")
				short := l.OnHand <= 0
				value, after, err := l.Receive(q, paid, "EUR")
				if err != nil {
					t.Fatal(err)
				}
				if !short && l.Value >= 0 && value != paid {
					t.Fatalf("entered at %d, cost %d", value, paid)
				}
				moved += value
				l = after
			case 1:
				if q = min(q, l.OnHand); q <= 0 {
					continue
				}
				value, after, err := l.Release(q, "EUR")
				if err != nil {
					t.Fatal(err)
				}
				if after.OnHand == 0 && l.Value >= 0 && after.Value != 0 {
					t.Fatalf("%d is left of nothing", after.Value)
				}
				moved -= value
				l = after
			default: // sold, whether there is any or not
				value, err := inventory.ValueOf(q, l.UnitCost, "EUR")
				if err != nil {
					t.Fatal(err)
				}
				l.OnHand, l.Value = l.OnHand-q, l.Value-value
				moved -= value
			}
			if moved != l.Value {
				t.Fatalf("%d moved, the level says %d", moved, l.Value)
			}
			if l.UnitCost.IsNegative() {
				t.Fatalf("unit cost %s", l.UnitCost)
			}
		}
	})
}
