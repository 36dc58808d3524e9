package woocommerce

import (
	"testing"

	"comptoir/erp/intake"
)

func TestExpress(t *testing.T) {
	c := hooked(t)
	for _, test := range []struct {
		kind        intake.Kind
		field       intake.Field
		value, want string
		can         bool
	}{
		{intake.KindProduct, intake.FieldTitle, " Thé &amp; café ", "Thé & café", true},
		{intake.KindProduct, intake.FieldStatus, "published", "published", true},
		{intake.KindProduct, intake.FieldStatus, "archived", "private", true},
		{intake.KindProduct, intake.FieldStatus, "future", "", false},
		{intake.KindProduct, intake.FieldQuantity, "3", "", false},
		{intake.KindVariant, intake.FieldPrice, "12.50", "12.5", true},
		{intake.KindVariant, intake.FieldSale, "", "", true},
		{intake.KindVariant, intake.FieldBackorders, "notify", "notify", true},
		{intake.KindVariant, intake.FieldBackorders, "sometimes", "sometimes", false},
		{intake.KindVariant, intake.FieldWeight, "0.35", "0.35", true},
		{intake.KindVariant, intake.FieldWeight, "700 g", "700 g", false}, // of which unit the shop's numbers are is not known
		{intake.KindVariant, intake.FieldTitle, "x", "", false},
		{intake.KindCategory, intake.FieldParent, "7", "7", true},
	} {
		if got, can := c.Express(test.kind, test.field, test.value); got != test.want || can != test.can {
			t.Errorf("%s %s %q: %q %v", test.kind, test.field, test.value, got, can)
		}
	}
}
