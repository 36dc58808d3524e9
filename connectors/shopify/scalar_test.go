package shopify

import (
	"encoding/json"
	"testing"
)

func TestScalarReadsWhatTheShopMayWrite(t *testing.T) {
	for _, c := range []struct {
		json, ref, number, instant string
	}{
		{`"gid://shopify/Order/123"`, "123", "", ""},
		{`"gid://shopify/InventoryLevel/5?inventory_item_id=7"`, "5", "", ""},
		{`18446744073709551615`, "18446744073709551615", "18446744073709551615", ""},
		{`"12.50"`, "", "12.5", ""},
		{`12.50`, "", "12.5", ""},
		{`null`, "", "0", "0001-01-01T00:00:00Z"},
		{`"-0.004"`, "", "-0.004", ""},
		{`"1e99999"`, "", "", ""},
		{`{"amount":"1"}`, "", "", ""},
		{`"2026-11-23T10:00:00+01:00"`, "", "", "2026-11-23T09:00:00Z"},
		{`"yesterday"`, "", "", ""},
	} {
		var s scalar
		if err := json.Unmarshal([]byte(c.json), &s); err != nil {
			t.Fatalf("%s: %v", c.json, err)
		}
		if got := s.ref(); got != c.ref {
			t.Errorf("%s: the id is %q, want %q", c.json, got, c.ref)
		}
		if n, err := s.number(); c.number != "" && (err != nil || n.String() != c.number) {
			t.Errorf("%s: the number is %v (%v), want %s", c.json, n, err, c.number)
		} else if c.number == "" && c.ref == "" && err == nil {
			t.Errorf("%s passes for the number %v", c.json, n)
		}
		if at, err := s.instant(); c.instant != "" && (err != nil || at.Format("2006-01-02T15:04:05Z07:00") != c.instant) {
			t.Errorf("%s: the instant is %v (%v), want %s", c.json, at, err, c.instant)
		} else if c.instant == "" && err == nil {
			t.Errorf("%s passes for the instant %v", c.json, at)
		}
	}
}
