package tax

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/fault"
)

// Authority is an agency: whom taxes are declared and paid to.
type Authority struct {
	Code string `json:"code"` // as components name it: country, or country and region
	Name string `json:"name"`
	// Period is how often it is declared to: monthly, quarterly or yearly.
	Period string `json:"period"`
	// Account is the code of the account for what is declared and not paid;
	// "" means the one that has the role tax_settlement.
	Account string `json:"account,omitempty"`
	// Collects lists the other agencies whose tax is declared to this one, as
	// the countries of a one-stop shop.
	Collects []string `json:"collects,omitempty"`
}

// Covers lists the agencies whose tax is declared to a: its own and those that
// it collects for.
func (a Authority) Covers() []string { return append([]string{a.Code}, a.Collects...) }

// Zone is where the same taxes are due. An empty list means everywhere.
type Zone struct {
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Countries []string `json:"countries"`         // ISO 3166-1 alpha-2
	Regions   []string `json:"regions,omitempty"` // as the shop writes them: CA
	// Postcodes are patterns: "97400", "974*", "90001...90899".
	Postcodes []string `json:"postcodes,omitempty"`
	Home      bool     `json:"home,omitempty"` // the company's own country
}

// Place is where something is delivered.
type Place struct{ Country, Region, Postcode string }

// Rate is one component of the tax on a category of goods in a zone.
type Rate struct {
	Zone     string `json:"zone"`
	Category string `json:"category"`
	// Position tells the components of one zone and category apart, and is
	// the order in which compound ones are added.
	Position int    `json:"position"`
	Name     string `json:"name"`
	Agency   string `json:"agency"`
	PPM      int64  `json:"rate_ppm"`
	Compound bool   `json:"compound,omitempty"` // it is due on the taxes before it, too
	From     string `json:"from"`               // first day
	To       string `json:"to,omitempty"`       // last day, "" while it goes on
	// RecoverablePPM is the part of it that the company gets back on what it
	// buys, in parts per million.
	RecoverablePPM int64 `json:"recoverable_ppm"`
}

// The categories that every set of rules uses; it may have more.
const (
	Standard = "standard"
	Shipping = "shipping" // delivery, where it is not taxed as the goods are
)

// Rules are the taxes that are due: where, on what, since when, to whom.
type Rules struct {
	Name     string      `json:"name"`
	Agencies []Authority `json:"agencies"`
	Zones    []Zone      `json:"zones"`
	Rates    []Rate      `json:"rates"`
}

// Check reports all that is wrong with the rules, in one Invalid fault: an
// agency or zone that is not known, a day that is none, two rates that are
// valid at once for the same zone, category and position.
func (r *Rules) Check() error {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	agencies, zones := map[string]bool{}, map[string]bool{}
	for _, a := range r.Agencies {
		if a.Code == "" || agencies[a.Code] {
			add("agency %q: its code is missing or there twice", a.Code)
		}
		if !slices.Contains([]string{"monthly", "quarterly", "yearly"}, a.Period) {
			add("agency %s: its period %q is none of monthly, quarterly, yearly", a.Code, a.Period)
		}
		agencies[a.Code] = true
	}
	for _, z := range r.Zones {
		if z.Code == "" || zones[z.Code] {
			add("zone %q: its code is missing or there twice", z.Code)
		}
		if len(z.Countries) == 0 {
			add("zone %s: it has no countries", z.Code)
		}
		zones[z.Code] = true
	}
	for _, x := range r.Rates {
		switch {
		case !agencies[x.Agency]:
			add("%s: agency %q is not known", x.label(), x.Agency)
		case !zones[x.Zone]:
			add("%s: zone %q is not known", x.label(), x.Zone)
		case x.Category == "" || x.Name == "":
			add("%s: its category or name is missing", x.label())
		case !isDay(x.From) || x.To != "" && !isDay(x.To) || x.To != "" && x.To < x.From:
			add("%s: %q to %q is no time", x.label(), x.From, x.To)
		case x.PPM < 0 || x.RecoverablePPM < 0 || x.RecoverablePPM > 1_000_000:
			add("%s: its rate or its recoverable part is out of range", x.label())
		}
	}
	for i, x := range r.Rates {
		for _, y := range r.Rates[:i] {
			if x.Zone == y.Zone && x.Category == y.Category && x.Position == y.Position && x.overlaps(y) {
				add("%s and %s are valid at once: end one before the other begins, or give them positions where both are due", y.label(), x.label())
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "", "the tax rules %s are refused:\n  %s", r.Name, strings.Join(wrong, "\n  "))
}

func (x Rate) label() string {
	until := "on"
	if x.To != "" {
		until = "until " + x.To
	}
	return fmt.Sprintf("%q (zone %s, %s, %s %%, from %s %s)", x.Name, x.Zone, x.Category, Percent(x.PPM), x.From, until)
}

func (x Rate) overlaps(y Rate) bool {
	return (x.To == "" || y.From <= x.To) && (y.To == "" || x.From <= y.To)
}

func (x Rate) validOn(day string) bool { return x.From <= day && (x.To == "" || day <= x.To) }

func isDay(day string) bool {
	_, err := time.Parse(time.DateOnly, day)
	return err == nil
}

// ZoneOf returns the zone in which a place lies, the most exact one: by
// postcode before by region before by country.
func (r *Rules) ZoneOf(p Place) (Zone, bool) {
	best, found := 0, Zone{}
	for _, z := range r.Zones {
		if score := z.match(p); score > best {
			best, found = score, z
		}
	}
	return found, best > 0
}

// match is how exactly a zone names a place, 0 where the place is not in it.
func (z Zone) match(p Place) int {
	if !slices.Contains(z.Countries, strings.ToUpper(p.Country)) {
		return 0
	}
	score := 1
	if len(z.Regions) > 0 {
		if !slices.ContainsFunc(z.Regions, func(s string) bool { return strings.EqualFold(s, p.Region) }) {
			return 0
		}
		score += 2
	}
	if len(z.Postcodes) > 0 {
		if !slices.ContainsFunc(z.Postcodes, func(s string) bool { return matchPostcode(s, p.Postcode) }) {
			return 0
		}
		score += 4
	}
	return score
}

// matchPostcode matches "97400", "974*" and "90001...90899". Spaces, hyphens
// after the fifth letter ("90012-1234") and capitals do not count.
func matchPostcode(pattern, code string) bool {
	code = strings.ToUpper(strings.ReplaceAll(code, " ", ""))
	if len(code) == 10 && code[5] == '-' {
		code = code[:5]
	}
	pattern = strings.ToUpper(strings.ReplaceAll(pattern, " ", ""))
	if from, to, ok := strings.Cut(pattern, "..."); ok {
		return len(code) == len(from) && from <= code && code <= to
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(code, prefix)
	}
	return code == pattern
}

// Due returns the components that are due in a zone on a category on a day, in
// their order.
func (r *Rules) Due(zone, category, day string) []Rate {
	var out []Rate
	for _, x := range r.Rates {
		if x.Zone == zone && x.Category == category && x.validOn(day) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Rate) int { return cmp.Compare(a.Position, b.Position) })
	return out
}

// Knows reports whether a zone has, or ever had, rates for a category.
func (r *Rules) Knows(zone, category string) bool {
	return slices.ContainsFunc(r.Rates, func(x Rate) bool { return x.Zone == zone && x.Category == category })
}
