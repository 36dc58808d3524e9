package config

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/rs/zerolog"
)

// oneShop is a configuration with one shop that has more keys.
func oneShop(more string) string {
	return "shops:\n  atelier:\n    connector: stall\n    url: https://a.example\n    key: k\n    " + more + "\n"
}

func loaded(t *testing.T, text string) *Config {
	t.Helper()
	c, _, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShopThatIsToldNothingDecidesOnEverything(t *testing.T) {
	c := loaded(t, oneShop(""))
	p := c.Shops[0].Policy()
	if p.On || p.Share != 100 || p.Cap != 0 {
		t.Errorf("the policy is %+v", p)
	}
	for _, f := range outbox.Fields() {
		if p.Owns(f) || p.Sends(f) {
			t.Errorf("the books own %s", f)
		}
	}
}

func TestStockAndShipmentsAreTheBooksWherePushingIsOn(t *testing.T) {
	p := loaded(t, oneShop("push: {enabled: true, share: 50, cap: 9, locations: {Paris: main}}")).Shops[0].Policy()
	for _, f := range outbox.Fields() {
		if want := f == intake.FieldQuantity || f == intake.FieldShipments; p.Sends(f) != want {
			t.Errorf("%s is sent: %v, want %v", f, p.Sends(f), want)
		}
	}
	if p.Share != 50 || p.Cap != 9 || p.Locations["Paris"] != "main" {
		t.Errorf("the policy is %+v", p)
	}
}

func TestOwnersAreToldFieldByField(t *testing.T) {
	c := loaded(t, oneShop("push: {enabled: true}\n    owners: {stock: shop, price: erp, sale_price: erp, categories: erp}"))
	p := c.Shops[0].Policy()
	for f, want := range map[intake.Field]bool{intake.FieldQuantity: false, intake.FieldPrice: true, intake.FieldSaleFrom: true, intake.FieldSaleTo: true,
		intake.FieldName: true, intake.FieldParent: true, intake.FieldTitle: false} {
		if p.Sends(f) != want {
			t.Errorf("%s is sent: %v, want %v", f, p.Sends(f), want)
		}
	}
	o, err := c.BooksOptions(time.Now, zerolog.Nop())
	if err != nil || o.Shops["atelier"].StockOwner != "shop" || !o.Policies["atelier"].Sends(intake.FieldPrice) {
		t.Errorf("the books are told %+v %+v %v", o.Shops, o.Policies, err)
	}
}

func TestBadPushSettingsAreNamed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"owners: {stock: me}", `shops.atelier.owners.stock: "me" is neither shop nor erp`},
		{"owners: {prise: erp}", "did you mean price?"},
		{"push: {share: 0}", "write a whole number from 1 to 100"},
		{"push: {cap: -1}", "shops.atelier.push.cap"},
		{"push: {locations: {Paris: main, Lyon: main}}", "the same units would be sold twice"},
		{"rules: {stock_owner: erp}", "this key stands under owners.stock of the shop now"},
		{"verify_span: 1h", "is not a time span between 24h"},
	} {
		if _, _, err := load(t, oneShop(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", c.text, err, c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"webhooks: {url: http://shop.example.com}", "does not begin with https://"},
		{"webhooks: {url: nonsense}", "write it as https://"},
		{"webhooks: {listen: nonsense}", "write it as HOST:PORT"},
	} {
		if _, _, err := load(t, c.text+"\n"+oneShop("")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", c.text, err, c.want)
		}
	}
}
