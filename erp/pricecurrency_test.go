package erp_test

import (
	"slices"
	"strings"
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/outbox"
)

// pricing is the policy of shops of which the books decide on prices.
func pricing() outbox.Policy {
	return owning(intake.FieldPrice, intake.FieldSale, intake.FieldTitle, intake.FieldBarcode)
}

// twoCurrencies are a shop that describes what it sells in euros, and one that
// sells the same in dollars.
func twoCurrencies(t *testing.T, s *street) (euros, dollars *counter) {
	t.Helper()
	euros, dollars = s.counters["atelier"], s.counters["boutique"]
	euros.product("10", "TEE", "Tee")
	price := dec("12")
	tee := dollars.product("20", "TEE", "Tee")
	tee.Variants[0].Price, tee.Variants[0].Regular = &price, &price
	for shop, currency := range map[string]money.Currency{"atelier": "EUR", "boutique": "USD"} {
		if err := s.PricedIn(ctx, shop, currency); err != nil {
			t.Fatal(err)
		}
	}
	s.pullAll()
	s.rest()
	return euros, dollars
}

func (c *counter) price(product string) string {
	return c.products[product].Variants[0].Regular.String()
}

func TestAPriceIsToldOnlyToShopsOfItsCurrency(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": pricing(), "boutique": pricing()}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		euros, dollars := twoCurrencies(t, s)
		if euros.price("10") != "10" || dollars.price("20") != "12" {
			t.Fatalf("linked, they cost %s EUR and %s USD", euros.price("10"), dollars.price("20"))
		}
		change, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldPrice, Text: "19.90"}}, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(change.Shops, []string{"atelier"}) || len(change.Warnings) != 1 || !strings.Contains(change.Warnings[0], "boutique sells in USD and is not told prices in EUR") {
			t.Errorf("told %q, with the warnings %q", change.Shops, change.Warnings)
		}
		s.rest()
		if _, err := s.SetProduct(ctx, "TEE", []erp.Assignment{{Field: intake.FieldPrice, Text: "21"}, {Field: intake.FieldBarcode, Text: "4006381333931"}}, false); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.quiet()
		if euros.price("10") != "21" || dollars.price("20") != "12" || dollars.products["20"].Variants[0].Barcode != "4006381333931" {
			t.Errorf("%s EUR, %s USD, barcode %q", euros.price("10"), dollars.price("20"), dollars.products["20"].Variants[0].Barcode)
		}

		price := dec("13") // the shop in dollars keeps its own price
		dollars.products["20"].Variants[0].Price, dollars.products["20"].Variants[0].Regular = &price, &price
		s.pull("boutique")
		s.rest()
		s.quiet()
		if euros.price("10") != "21" || dollars.price("20") != "13" {
			t.Errorf("after a price of its own: %s EUR, %s USD", euros.price("10"), dollars.price("20"))
		}
		view, err := s.Product(ctx, "TEE")
		if err != nil {
			t.Fatal(err)
		}
		for _, shop := range view.Shops {
			i := slices.IndexFunc(shop.Fields, func(f erp.FieldInShop) bool { return f.Field == intake.FieldPrice })
			if want := map[string]outbox.Owner{"atelier": outbox.ERP, "boutique": outbox.Shop}[shop.Shop]; shop.Fields[i].Owner != want {
				t.Errorf("%s: the price belongs to %s", shop.Shop, shop.Fields[i].Owner)
			}
		}
	})
}

// The listing that the price came from is gone; it is as little a price in
// dollars as before.
func TestAPriceStaysInItsCurrencyWhenItsShopNoLongerSellsIt(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": pricing(), "boutique": pricing()}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		euros, dollars := twoCurrencies(t, s)
		euros.products = map[string]*intake.Product{}
		receive(t, s.Books, erp.Stream{Shop: "atelier", Resource: intake.Products}, euros.record(intake.KindProduct, "10"))
		s.rest()
		if _, err := s.Compare(ctx, "boutique"); err != nil {
			t.Fatal(err)
		}
		s.rest()
		if dollars.price("20") != "12" {
			t.Errorf("it costs %s USD", dollars.price("20"))
		}
	})
}

func TestAProductIsNotMadeAtAPriceInAnotherCurrency(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": pricing(), "boutique": pricing()}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		_, dollars := twoCurrencies(t, s)
		s.counters["atelier"].product("11", "CAP", "Cap")
		s.pull("atelier")
		_, err := s.PublishProduct(ctx, "CAP", "boutique", false)
		if fault.KindOf(err) != fault.Unprocessable || !strings.Contains(err.Error(), "the shop sells in USD, and its price is in EUR") {
			t.Errorf("published with %v", err)
		}
		if err := s.PricedIn(ctx, "boutique", "EUR"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PublishProduct(ctx, "CAP", "boutique", false); err != nil {
			t.Fatal(err)
		}
		if err := s.PricedIn(ctx, "boutique", "USD"); err != nil { // it turns out before it was made
			t.Fatal(err)
		}
		s.rest()
		if len(dollars.products) != 1 {
			t.Errorf("it was made: %d products", len(dollars.products))
		}
		waiting, err := s.Outbox(ctx, "boutique")
		if err != nil || waiting.Waiting != 1 {
			t.Errorf("%+v, %v", waiting, err)
		}
	})
}

// What was held back while the currency was another one is told when it is not.
func TestPricesAreToldAgainWhenAShopChangesItsCurrency(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": pricing(), "boutique": pricing()}
	eachStreet(t, policies, []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		_, dollars := twoCurrencies(t, s)
		if err := s.PricedIn(ctx, "boutique", "EUR"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CompareChanged(ctx, "boutique"); err != nil {
			t.Fatal(err)
		}
		s.rest()
		if dollars.price("20") != "10" {
			t.Errorf("it costs %s", dollars.price("20"))
		}
	})
}

func TestACurrencyThatIsNoneIsRefused(t *testing.T) {
	eachStreet(t, nil, []string{"atelier"}, func(t *testing.T, s *street) {
		if err := s.PricedIn(ctx, "atelier", "X"); err == nil {
			t.Error("it was taken")
		}
	})
}
