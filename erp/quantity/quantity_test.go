package quantity_test

import (
	"encoding/json"
	"testing"

	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

func TestQuantityIsExact(t *testing.T) {
	for in, want := range map[string]quantity.Quantity{"1": 1000, "0.25": 250, "-13": -13000, "1.000": 1000, "0.001": 1} {
		if got, err := quantity.Of(decimal.RequireFromString(in)); err != nil || got != want {
			t.Errorf("Of(%s) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"0.0001", "1e30", "1e9999"} {
		if got, err := quantity.Of(decimal.RequireFromString(in)); err == nil {
			t.Errorf("Of(%s) = %d, want an error", in, got)
		}
	}
}

func TestQuantityIsANumberOfUnitsInJSON(t *testing.T) {
	b, err := json.Marshal(quantity.Quantity(2500))
	if err != nil || string(b) != "2.5" {
		t.Errorf("%s %v", b, err)
	}
	var q quantity.Quantity
	if err := json.Unmarshal([]byte("2.5"), &q); err != nil || q != 2500 {
		t.Errorf("%d %v", q, err)
	}
}
