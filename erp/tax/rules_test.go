package tax_test

import (
	"strings"
	"testing"

	"comptoir/erp/fault"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func rules(t *testing.T, name string) *tax.Rules {
	t.Helper()
	r, err := tax.Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPresetsGiveTheRatesOfTheDay(t *testing.T) {
	for _, test := range []struct {
		preset   string
		to       tax.Place
		category string
		day      string
		zone     string
		want     string
	}{
		{"fr", tax.Place{Country: "FR", Postcode: "75011"}, "standard", "2026-03-02", "FR", "20"},
		{"fr", tax.Place{Country: "FR", Postcode: "75011"}, "intermediate", "2026-03-02", "FR", "10"},
		{"fr", tax.Place{Country: "MC"}, "reduced", "2026-03-02", "FR", "5.5"},
		{"fr", tax.Place{Country: "fr"}, "super-reduced", "2026-03-02", "FR", "2.1"},
		{"fr", tax.Place{Country: "FR", Postcode: "974 00"}, "standard", "2026-03-02", "FR-DOM-POST", "8.5"},
		{"fr", tax.Place{Country: "GF"}, "standard", "2026-03-02", "FR-EXEMPT", "0"},
		{"fr", tax.Place{Country: "RO"}, "standard", "2025-07-31", "RO", "19"},
		{"fr", tax.Place{Country: "RO"}, "standard", "2025-08-01", "RO", "21"},
		{"fr", tax.Place{Country: "US"}, "standard", "2026-03-02", "", ""},
		{"us-ca", tax.Place{Country: "US", Region: "CA", Postcode: "94110"}, "standard", "2026-03-02", "US-CA", "6 1.25"},
		{"us-ca", tax.Place{Country: "US", Region: "ca", Postcode: "90012-1234"}, "standard", "2025-03-31", "US-CA-LA", "6 1.25 2.25"},
		{"us-ca", tax.Place{Country: "US", Region: "CA", Postcode: "90012"}, "standard", "2025-04-01", "US-CA-LA", "6 1.25 2.5"},
		{"us-ca", tax.Place{Country: "US", Region: "NV"}, "standard", "2026-03-02", "", ""},
	} {
		r := rules(t, test.preset)
		zone, _ := r.ZoneOf(test.to)
		var got []string
		for _, x := range r.Due(zone.Code, test.category, test.day) {
			got = append(got, tax.Percent(x.PPM))
		}
		if zone.Code != test.zone || strings.Join(got, " ") != test.want {
			t.Errorf("%s %+v %s %s: zone %q, %q", test.preset, test.to, test.category, test.day, zone.Code, got)
		}
	}
}

func TestTwoRatesValidAtOnceAreRefusedByName(t *testing.T) {
	read := func(text string) error {
		r, err := tax.ReadRules(strings.NewReader(text))
		if err == nil {
			err = r.Check()
		}
		return err
	}
	err := read(`
name: mine
agencies: [{code: FR, name: DGFiP, period: monthly}]
zones: [{code: FR, name: France, countries: [FR]}]
rates:
  - {zone: FR, category: standard, name: Old, agency: FR, percent: "19.6", from: 2000-04-01}
  - {zone: FR, category: standard, name: New, agency: FR, percent: "20", from: 2014-01-01}
  - {zone: FR, category: standard, name: On top, agency: FR, percent: "1", position: 2, from: 2014-01-01}
`)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), `"Old" (zone FR, standard, 19.6 %, from 2000-04-01 on) and "New" (zone FR, standard, 20 %, from 2014-01-01 on) are valid at once`) ||
		strings.Contains(err.Error(), "On top") {
		t.Error(err)
	}
	for _, bad := range []string{
		"rates: [{zone: FR, category: standard, name: x, agency: FR, percent: \"20\", from: 2014-01-01}]",
		"rates: [{percent: \"twenty\"}]",
		"rates: [{percent: \"0.00001\"}]",
		"rates: [{percent: \"-1\"}]",
		"agencies: [{code: FR, period: weekly}]",
		"zones: [{code: FR}]",
		"ratez: []",
		"- x",
	} {
		if err := read(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestCompoundTaxesAreDueOnThoseBefore(t *testing.T) {
	// Quebec before 2013: 5 % federal, 9.5 % of the province on both.
	got := tax.Compute(decimal.NewFromInt(10000), []tax.Rate{{PPM: 50_000}, {PPM: 95_000, Compound: true}})
	if got[0].String() != "500" || got[1].String() != "997.5" {
		t.Error(got)
	}
}

// sale is goods of 19.99 and delivery of 4.90 to France, with 20 %.
func sale(edit func(*tax.Sale)) tax.Sale {
	s := tax.Sale{Day: "2026-03-02", To: tax.Place{Country: "FR"}, Currency: "EUR", Stated: 498, Lines: []tax.SaleLine{
		{Category: "standard", Goods: true, Net: 1999, Charged: []tax.Charged{{PPM: 200_000, Amount: decimal.RequireFromString("3.998")}}},
		{Category: tax.Shipping, Net: 490, Charged: []tax.Charged{{PPM: 200_000, Amount: decimal.RequireFromString("0.98")}}},
	}}
	edit(&s)
	return s
}

func charge(s *tax.Sale, stated int64, ppm int64, amounts ...string) {
	s.Stated = stated
	for i := range s.Lines {
		s.Lines[i].Charged = nil
		if i < len(amounts) {
			s.Lines[i].Charged = []tax.Charged{{PPM: ppm, Amount: decimal.RequireFromString(amounts[i])}}
		}
	}
}

func TestDifferencesOfTheShopsTaxAreExplained(t *testing.T) {
	for _, test := range []struct {
		name     string
		edit     func(*tax.Sale)
		reason   tax.Reason
		expected int64
		text     string
	}{
		{"agrees", func(*tax.Sale) {}, tax.Agrees, 498, ""},
		{"rounded once", func(s *tax.Sale) {
			s.Lines = append(s.Lines, s.Lines[0], s.Lines[0])
			s.Lines[0].Net, s.Lines[2].Net, s.Lines[3].Net = 1002, 1002, 1002 // 200.4 each
			s.Stated = 699
		}, tax.RoundingTotal, 699, "rounded once for each rate"},
		{"rounded on each line", func(s *tax.Sale) {
			s.Lines = append(s.Lines, s.Lines[0], s.Lines[0])
			s.Lines[0].Net, s.Lines[2].Net, s.Lines[3].Net = 1002, 1002, 1002
			s.Stated = 698
		}, tax.RoundingLine, 698, "rounded on each line"},
		{"prices that include it", func(s *tax.Sale) {
			// 3 × 0.99 gross; net 0.82 or 0.83 by the shop's own rounding.
			s.Lines = s.Lines[:1]
			s.Lines[0].Net = 82
			charge(s, 17, 200_000, "0.17")
		}, tax.RoundingGross, 17, "prices that include it"},
		{"other rate", func(s *tax.Sale) { charge(s, 249, 100_000, "2.00", "0.49") }, tax.OtherRate, 498, "10 % was charged, and 20 % is due in zone FR"},
		{"exempt", func(s *tax.Sale) { charge(s, 0, 0) }, tax.Exempt, 498, "no tax was charged, and 20 % is due"},
		{"a VAT number at home frees nobody", func(s *tax.Sale) { charge(s, 0, 0); s.VATNumber = "FR40303265045" }, tax.Exempt, 498, ""},
		{"a VAT number of home abroad", func(s *tax.Sale) { charge(s, 0, 0); s.To.Country, s.VATNumber = "DE", "FR40303265045" }, tax.Exempt, 473, ""},
		{"other rate on delivery", func(s *tax.Sale) {
			s.Lines[0].Category = "reduced"
			charge(s, 208, 55_000, "1.09945")
			s.Lines[1].Charged = []tax.Charged{{PPM: 200_000, Amount: decimal.RequireFromString("0.98")}}
		}, tax.OtherRate, 137, "20 % on delivery was charged, and 5.5 % is due"},
		{"reverse charge", func(s *tax.Sale) { charge(s, 0, 0); s.To.Country, s.VATNumber = "DE", "DE129273398" }, tax.ReverseCharge, 0, "DE129273398"},
		{"one-stop shop, right", func(s *tax.Sale) {
			s.To.Country = "DE"
			charge(s, 473, 190_000, "3.7981", "0.931")
		}, tax.Agrees, 473, ""},
		{"one-stop shop, home rate", func(s *tax.Sale) { s.To.Country = "DE" }, tax.OneStopShop, 473, "the destination DE is due (19 %)"},
		{"export", func(s *tax.Sale) { charge(s, 0, 0); s.To.Country = "US" }, tax.Export, 0, ""},
		{"not due", func(s *tax.Sale) { s.To.Country = "US" }, tax.NotDue, 0, "no zone for US"},
		{"delivery follows the goods", func(s *tax.Sale) {
			s.Lines[0].Category = "reduced"
			charge(s, 137, 55_000, "1.09945", "0.2695")
		}, tax.Agrees, 137, ""},
		{"amounts that no rounding explains", func(s *tax.Sale) { s.Stated = 600 }, tax.Unexplained, 498, "more than rounding"},
	} {
		o := rules(t, "fr").Explain(sale(test.edit))
		if o.Reason != test.reason || o.Expected != test.expected || !strings.Contains(o.Text, test.text) || o.Text == "" {
			t.Errorf("%s: %+v", test.name, o)
		}
	}
}

func TestDeliveryStatedApartIsTaxedByItself(t *testing.T) {
	s := sale(func(s *tax.Sale) {
		s.To = tax.Place{Country: "US", Region: "CA", Postcode: "90012"}
		s.Currency = "USD"
		s.Lines[0].Charged = []tax.Charged{{PPM: 97_500, Amount: decimal.RequireFromString("1.949025")}}
		s.Lines[1].Charged = nil
		s.Stated = 195
	})
	if o := rules(t, "us-ca").Explain(s); !o.Reason.Fine() || o.Zone != "US-CA-LA" {
		t.Errorf("%+v", o)
	}
}

// TestTaxByTheRulesNeverDiffersByMoreThanRounding charges what is due, rounded
// in any of the ways that shops round, and finds nothing to look at.
func TestTaxByTheRulesNeverDiffersByMoreThanRounding(t *testing.T) {
	r := rules(t, "fr")
	rapid.Check(t, func(t *rapid.T) {
		s := tax.Sale{Day: "2026-03-02", Currency: "EUR", To: tax.Place{Country: rapid.SampledFrom([]string{"FR", "DE", "FI", "GP"}).Draw(t, "country")}}
		zone, _ := r.ZoneOf(s.To)
		var perLine int64
		exact := decimal.Decimal{}
		for range rapid.IntRange(1, 6).Draw(t, "lines") {
			l := tax.SaleLine{Category: "standard", Goods: true, Net: int64(rapid.IntRange(1, 100_000).Draw(t, "net"))}
			for i, part := range tax.Compute(decimal.NewFromInt(l.Net), r.Due(zone.Code, l.Category, s.Day)) {
				l.Charged = append(l.Charged, tax.Charged{PPM: r.Due(zone.Code, l.Category, s.Day)[i].PPM, Amount: part.Shift(-2)})
				perLine += part.Round(0).IntPart()
				exact = exact.Add(part)
			}
			s.Lines = append(s.Lines, l)
		}
		s.Stated = perLine
		if rapid.Bool().Draw(t, "once") {
			s.Stated = exact.Round(0).IntPart()
		}
		if o := r.Explain(s); !o.Reason.Fine() {
			t.Fatalf("%+v: %+v", s, o)
		}
	})
}
