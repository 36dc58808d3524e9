package catalog

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

const title, price = intake.FieldTitle, intake.FieldPrice

func asItIs(_ intake.Kind, _ intake.Field, value string) (string, bool) { return value, true }

func all(intake.Field) bool { return true }

func TestWhatChangedSinceBothAgreedDecides(t *testing.T) {
	for _, c := range []struct {
		name         string
		ours, theirs string
		agreed       *Agreement
		send         bool
		conflict     bool
		agree        bool
	}{
		{name: "nothing changed", ours: "a", theirs: "a", agreed: &Agreement{"a", "a"}},
		{name: "nothing changed, and the shop words it its own way", ours: "a", theirs: "A", agreed: &Agreement{"a", "A"}},
		{name: "the books changed it", ours: "b", theirs: "a", agreed: &Agreement{"a", "a"}, send: true},
		{name: "the books changed what the shop words its own way", ours: "b", theirs: "A", agreed: &Agreement{"a", "A"}, send: true},
		{name: "the shop changed what the books own", ours: "a", theirs: "b", agreed: &Agreement{"a", "a"}, send: true},
		{name: "both changed it", ours: "b", theirs: "c", agreed: &Agreement{"a", "a"}, conflict: true},
		{name: "both changed it to the same", ours: "b", theirs: "b", agreed: &Agreement{"a", "a"}, agree: true},
		{name: "nothing was agreed", ours: "a", theirs: "b", send: true},
		{name: "nothing was agreed, and both have the same", ours: "a", theirs: "a", agree: true},
		{name: "the books emptied it", ours: "", theirs: "a", agreed: &Agreement{"a", "a"}, send: true},
	} {
		s := Sides{Kind: intake.KindProduct, Ours: map[intake.Field]string{title: c.ours}, Theirs: map[intake.Field]string{title: c.theirs}}
		want := Comparison{Agreed: map[intake.Field]Agreement{}}
		if c.agreed != nil {
			s.Agreed = map[intake.Field]Agreement{title: *c.agreed}
		}
		if c.send {
			want.Changes = []intake.Change{{Field: title, From: c.theirs, To: c.ours}}
		}
		if c.conflict {
			want.Conflicts = []Conflict{{Field: title, Ours: c.ours, Theirs: c.theirs, Agreed: *c.agreed}}
		}
		if c.agree {
			want.Agreed[title] = Agreement{c.ours, c.theirs}
		}
		if diff := cmp.Diff(want, Compare(s, all, asItIs)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

// A shop that weighs in kilograms. Before that was known it stated numbers alone,
// and so did the books.
func TestWeightsAreComparedByWhatTheyMean(t *testing.T) {
	const weight = intake.FieldWeight
	kilograms := func(_ intake.Kind, _ intake.Field, value string) (string, bool) {
		number, unit, err := intake.ReadWeight(value)
		told, ok := intake.ConvertWeight(number, unit, "kg")
		return intake.Weight(told, "kg"), err == nil && ok
	}
	for _, c := range []struct {
		name         string
		ours, theirs string
		agreed       *Agreement
		send         string // what the shop is told; "" for nothing
		conflict     bool
		agree        *Agreement
	}{
		{name: "in another unit", ours: "700 g", theirs: "0.7 kg", agree: &Agreement{"0.7 kg", "0.7 kg"}},
		{name: "in another unit that the shop keeps", ours: "0.7 kg", theirs: "700 g", agree: &Agreement{"0.7 kg", "700 g"}},
		{name: "the books changed it", ours: "1 lb", theirs: "0.7 kg", agreed: &Agreement{"0.7 kg", "0.7 kg"}, send: "0.45359237 kg"},
		{name: "the shop begins to state its unit", ours: "0.7", theirs: "0.7 kg", agreed: &Agreement{"0.7", "0.7"}, agree: &Agreement{"0.7 kg", "0.7 kg"}},
		{name: "the books have the unit first", ours: "0.7 kg", theirs: "0.7", agreed: &Agreement{"0.7", "0.7"}, agree: &Agreement{"0.7 kg", "0.7"}},
		{name: "the books change it before the shop states its unit", ours: "800 g", theirs: "0.7", agreed: &Agreement{"0.7", "0.7"}, send: "0.8 kg"},
		{name: "the books change it when the shop has stated its unit", ours: "800 g", theirs: "0.7 kg", agreed: &Agreement{"0.7", "0.7"}, send: "0.8 kg"},
		{name: "the shop changes what was a number alone", ours: "0.7", theirs: "0.9 kg", agreed: &Agreement{"0.7", "0.7"}, send: "0.7 kg"},
		{name: "both change what was a number alone", ours: "800 g", theirs: "0.9 kg", agreed: &Agreement{"0.7", "0.7"}, conflict: true},
		{name: "a number alone that is of another shop", ours: "700", theirs: "0.7 kg", agreed: &Agreement{"0.7", "0.7"}},
		{name: "a number alone, and nothing was agreed", ours: "700", theirs: "0.7 kg"},
		{name: "the shop changes its unit, and with it all weights", ours: "700 g", theirs: "0.7 kg", agreed: &Agreement{"700 g", "700 g"}, agree: &Agreement{"0.7 kg", "0.7 kg"}},
		{name: "the shop changes its unit, and leaves the numbers", ours: "700 g", theirs: "700 kg", agreed: &Agreement{"700 g", "700 g"}, send: "0.7 kg"},
		{name: "the shop words it its own way", ours: "1 oz", theirs: "0.028 kg", agreed: &Agreement{"0.028349523125 kg", "0.028 kg"}},
	} {
		s := Sides{Kind: intake.KindVariant, Ours: map[intake.Field]string{weight: c.ours}, Theirs: map[intake.Field]string{weight: c.theirs}}
		if c.agreed != nil {
			s.Agreed = map[intake.Field]Agreement{weight: *c.agreed}
		}
		got := Compare(s, all, kilograms)
		want := Comparison{Agreed: map[intake.Field]Agreement{}}
		if c.send != "" {
			want.Changes = []intake.Change{{Field: weight, From: c.theirs, To: c.send}}
		}
		if c.conflict {
			want.Conflicts = []Conflict{{Field: weight, Ours: "0.8 kg", Theirs: c.theirs, Agreed: *c.agreed}}
		}
		if c.agree != nil {
			want.Agreed[weight] = *c.agree
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		for f, a := range got.Agreed {
			s.Agreed = map[intake.Field]Agreement{f: a}
		}
		if again := Compare(s, all, kilograms); len(got.Agreed) > 0 && len(again.Agreed)+len(again.Changes)+len(again.Conflicts) > 0 {
			t.Errorf("%s: compared again there is still %+v", c.name, again)
		}
	}
}

func TestAFieldThatTheShopCannotHoldIsLeftAlone(t *testing.T) {
	s := Sides{Kind: intake.KindProduct, Ours: map[intake.Field]string{title: "a", intake.FieldShort: "b"}, Theirs: map[intake.Field]string{title: "x", intake.FieldShort: ""}}
	noShort := func(_ intake.Kind, f intake.Field, value string) (string, bool) { return value, f != intake.FieldShort }
	want := []intake.Change{{Field: title, From: "x", To: "a"}}
	if diff := cmp.Diff(want, Compare(s, all, noShort).Changes); diff != "" {
		t.Error(diff)
	}
}

func TestASaleRunsFromItsBeginningToItsEnd(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name          string
		from, to, now time.Time
		sale          string
		turn          time.Time
	}{
		{"no dates", time.Time{}, time.Time{}, day(5), "8", time.Time{}},
		{"before", day(10), day(20), day(5), "", day(10)},
		{"at the beginning", day(10), day(20), day(10), "8", day(20)},
		{"at the end", day(10), day(20), day(20), "", time.Time{}},
		{"without a beginning", time.Time{}, day(20), day(5), "8", day(20)},
		{"without an end", day(10), time.Time{}, day(15), "8", time.Time{}},
	} {
		fields := map[intake.Field]string{intake.FieldSale: "8"}
		OnSale(fields, c.from, c.to, c.now)
		if got := fields[intake.FieldSale]; got != c.sale {
			t.Errorf("%s: sale price %q, want %q", c.name, got, c.sale)
		}
		if got := NextTurn(c.from, c.to, c.now); !got.Equal(c.turn) {
			t.Errorf("%s: turns at %v, want %v", c.name, got, c.turn)
		}
	}
}

// A shop that states what it was told in words of its own, and changes things
// by itself, is told each value once.
func TestAfterWhatWasSentNothingIsLeftToSend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "a", "A", "b", "B", " c "})
		fields := []intake.Field{title, intake.FieldShort, price}
		sides := Sides{Kind: intake.KindProduct, Ours: map[intake.Field]string{}, Theirs: map[intake.Field]string{}, Agreed: map[intake.Field]Agreement{}}
		owned := map[intake.Field]bool{}
		for _, f := range fields {
			sides.Ours[f], sides.Theirs[f] = text.Draw(t, "ours"), text.Draw(t, "theirs")
			if rapid.Bool().Draw(t, "met") {
				sides.Agreed[f] = Agreement{text.Draw(t, "agreed ours"), text.Draw(t, "agreed theirs")}
			}
			owned[f] = rapid.Bool().Draw(t, "owned")
		}
		sends := func(f intake.Field) bool { return owned[f] }
		upper := rapid.Bool().Draw(t, "the shop says so beforehand")
		express := func(_ intake.Kind, _ intake.Field, v string) (string, bool) {
			if upper {
				v = strings.ToUpper(v)
			}
			return v, true
		}
		first := Compare(sides, sends, express)
		for _, c := range first.Changes {
			if !owned[c.Field] {
				t.Fatalf("%s is the shop's, and was sent", c.Field)
			}
			stated := strings.ToUpper(c.To) // the shop's own words
			sides.Theirs[c.Field], sides.Agreed[c.Field] = stated, Agreement{c.To, stated}
		}
		for f, a := range first.Agreed {
			sides.Agreed[f] = a
		}
		for _, c := range first.Conflicts {
			if c.Ours == c.Theirs {
				t.Fatalf("%s is a conflict, though both have %q", c.Field, c.Ours)
			}
		}
		again := Compare(sides, sends, express)
		if len(again.Changes) > 0 || len(again.Agreed) > 0 {
			t.Fatalf("there is more to send: %+v", again)
		}
		if diff := cmp.Diff(first.Conflicts, again.Conflicts); diff != "" {
			t.Fatalf("conflicts changed by themselves: %s", diff)
		}
	})
}

// What Fields reads out of a body, Told puts back.
func TestAValueThatIsToldIsTheValueThatIsRead(t *testing.T) {
	day := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	ten, eight := decimal.RequireFromString("10"), decimal.RequireFromString("8.5")
	for _, c := range []struct{ said, empty any }{
		{&intake.Product{Title: "Tee", Description: "<p>Soft</p>", Short: "Soft", Status: "draft", Images: []string{"https://x.example/a.jpg"}}, new(intake.Product)},
		{&intake.Variant{SKU: "T", Barcode: "4006381333931", Price: &eight, Regular: &ten, Sale: &eight, SaleFrom: day, SaleTo: day.AddDate(0, 0, 1), Weight: "0.2",
			Options: []intake.Option{{Name: "Size", Value: "M"}}, Backorders: "notify"}, new(intake.Variant)},
		{&intake.Category{Name: "Shirts", Description: "All shirts"}, new(intake.Category)},
	} {
		if err := Told(c.empty, intake.Fields(c.said)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(intake.Fields(c.said), intake.Fields(c.empty)); diff != "" {
			t.Errorf("%T: %s", c.said, diff)
		}
	}
}
