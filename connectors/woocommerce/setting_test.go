package woocommerce_test

import (
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/money"
)

func TestTheCurrencyOfPricesIsThatOfTheShop(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   money.Currency
		fails  bool
	}{
		{"as it is", 0, "", "EUR", false},
		{"in small letters", 200, `{"id":"woocommerce_currency","value":"jpy"}`, "JPY", false},
		{"the key may not read it", 401, forbidden, "", false},
		{"no currency", 200, `{"id":"woocommerce_currency","value":"points"}`, "", false},
		{"out of order", 500, broken, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScales(t, "kg")
			s.route, s.status, s.body = "settings/general/woocommerce_currency", test.status, test.body
			c := s.connect("")
			for asked := 0; asked < 2; asked++ {
				before := s.asked
				got, err := c.Currency(t.Context())
				if got != test.want || (err != nil) != test.fails || test.fails && connectors.ClassOf(err) != connectors.Transient {
					t.Errorf("%q, %v", got, err)
				}
				if again := s.asked > before; again != (asked == 0 || test.fails) {
					t.Errorf("time %d: asked %v", asked, again)
				}
			}
		})
	}
}

// A setting that was read stands while the shop cannot state it, and is read
// again after an hour.
func TestTheCurrencyThatAShopHadStandsWhileItCannotSay(t *testing.T) {
	s := newScales(t, "kg")
	s.route = "settings/general/woocommerce_currency"
	c := s.connect("")
	for _, step := range []struct {
		status int
		body   string
		want   money.Currency
	}{{0, "", "EUR"}, {500, broken, "EUR"}, {200, `{"value":"USD"}`, "USD"}} {
		s.status, s.body = step.status, step.body
		if got, err := c.Currency(t.Context()); got != step.want || err != nil {
			t.Errorf("with %d: %q, %v", step.status, got, err)
		}
		s.Advance(2 * time.Hour)
	}
}
