package catalog

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
)

func TestAValueIsReadAsAPersonWritesIt(t *testing.T) {
	paris := time.FixedZone("CEST", 2*60*60)
	for _, c := range []struct {
		field      intake.Field
		text, want string
		refused    bool
		warned     bool
	}{
		{field: intake.FieldTitle, text: " Tee ", want: "Tee"},
		{field: intake.FieldTitle, text: " ", refused: true},
		{field: intake.FieldStatus, text: "archived", want: "archived"},
		{field: intake.FieldStatus, text: "gone", refused: true},
		{field: intake.FieldPrice, text: "19.90", want: "19.9"},
		{field: intake.FieldPrice, text: "0", want: "0"},
		{field: intake.FieldPrice, text: "-1", refused: true},
		{field: intake.FieldPrice, text: "19,90", refused: true},
		{field: intake.FieldPrice, text: "", refused: true},
		{field: intake.FieldSale, text: "", want: ""},
		{field: intake.FieldWeight, text: "0.700kg", want: "0.7 kg"},
		{field: intake.FieldWeight, text: "1.5 lbs", want: "1.5 lb"},
		{field: intake.FieldWeight, text: "0", want: ""},
		{field: intake.FieldWeight, text: "", want: ""},
		{field: intake.FieldWeight, text: "700", refused: true}, // of what?
		{field: intake.FieldWeight, text: "0,7 kg", refused: true},
		{field: intake.FieldWeight, text: "3 stones", refused: true},
		{field: intake.FieldWeight, text: "-1 kg", refused: true},
		{field: intake.FieldSaleFrom, text: "2026-06-01", want: "2026-05-31T22:00:00Z"},
		{field: intake.FieldSaleTo, text: "2026-06-01", want: "2026-06-01T21:59:59Z"},
		{field: intake.FieldSaleTo, text: "2026-06-01T10:00:00+02:00", want: "2026-06-01T08:00:00Z"},
		{field: intake.FieldSaleTo, text: "tomorrow", refused: true},
		{field: intake.FieldBarcode, text: "4006381333931", want: "4006381333931"},
		{field: intake.FieldBarcode, text: "4006381333932", want: "4006381333932", warned: true},
		{field: intake.FieldBarcode, text: "96385074", want: "96385074"},
		{field: intake.FieldBarcode, text: "036000291452", want: "036000291452"},
		{field: intake.FieldBarcode, text: "ABC", want: "ABC", warned: true},
		{field: intake.FieldImages, text: "https://x.example/a.jpg, http://x.example/b.jpg", want: `["https://x.example/a.jpg","http://x.example/b.jpg"]`},
		{field: intake.FieldImages, text: "/etc/a.jpg", refused: true},
		{field: intake.FieldOptions, text: "Size=M, Colour=Red", want: `[{"name":"Size","value":"M"},{"name":"Colour","value":"Red"}]`},
		{field: intake.FieldOptions, text: "Size", refused: true},
		{field: intake.FieldBackorders, text: "maybe", refused: true},
		{field: intake.FieldSKU, text: "X", refused: true},
	} {
		got, warning, err := Value(c.field, c.text, paris)
		if (err != nil) != c.refused || (warning != "") != c.warned || got != c.want {
			t.Errorf("%s=%s: %q, warning %q, error %v; want %q", c.field, c.text, got, warning, err, c.want)
		}
	}
}

func TestAnOddBarcodeSaysWhatItShouldBe(t *testing.T) {
	_, warning, _ := Value(intake.FieldBarcode, "4006381333939", time.UTC)
	if !strings.Contains(warning, "should be 1") {
		t.Errorf("warning: %s", warning)
	}
}

func TestAnEmptyTitleIsRefusedWithWhatATitleIs(t *testing.T) {
	_, _, err := Value(intake.FieldTitle, " ", time.UTC)
	if want := "it is a text that is not empty"; fault.FixOf(err) != want {
		t.Errorf("an empty title is refused with %v, and the advice %q; want %q", err, fault.FixOf(err), want)
	}
}

func TestAPriceHasNoMoreDecimalsThanItsCurrency(t *testing.T) {
	for _, c := range []struct {
		price    string
		currency money.Currency
		refused  bool
	}{
		{"", "EUR", false},
		{"19.9", "EUR", false},
		{"19.99", "EUR", false},
		{"19.999", "EUR", true},
		{"1900", "JPY", false},
		{"1900.5", "JPY", true},
		{"19.999", "KWD", false},
		{"19.9999", "KWD", true},
		{"0.001", "EUR", true},
		{"0", "EUR", false},
		{"10000000000000", "EUR", false},
		{"10000000000001", "EUR", true}, // beyond money.MaxMinor
		{"1e30", "EUR", true},
	} {
		err := CheckDecimals(intake.FieldPrice, c.price, c.currency)
		if refused := err != nil; refused != c.refused || refused && (fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.price)) {
			t.Errorf("%s in %v: %v", c.price, c.currency, err)
		}
	}
}

func TestATextOfOneLineIsShortAndText(t *testing.T) {
	for _, c := range []struct {
		text    string
		refused bool
	}{
		{"Œuf 🥚 « dur »", false},
		{strings.Repeat("é", 255), false},
		{strings.Repeat("é", 256), true},
		{"two\nlines", true},
		{"a\x01b", true},
		{"a\xffb", true},
	} {
		if _, _, err := Value(intake.FieldTitle, c.text, time.UTC); (err != nil) != c.refused || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.20q: %v", c.text, err)
		}
	}
}
