package tax

import (
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// Sale is what a shop sold and what tax it charged, as Explain takes it.
type Sale struct {
	Day       string // business date on which it was placed
	To        Place
	VATNumber string // of the customer
	Currency  money.Currency
	// Stated is the tax of the whole document, in minor units.
	Stated int64
	Lines  []SaleLine
}

// SaleLine is one line of a Sale.
type SaleLine struct {
	Category string // Shipping: as the goods, where the zone does not tax it apart
	Goods    bool   // not delivery, a fee or a tip
	Net      int64  // minor units, without tax
	Charged  []Charged
}

// Charged is the tax that a shop charged on a line.
type Charged struct {
	PPM    int64
	Amount decimal.Decimal // major units, as many digits as the shop sends
}

// Reason says how a shop's tax relates to our own computation.
type Reason string

// The reasons. Those before OtherRate are in order.
const (
	Agrees        Reason = "agrees"
	RoundingLine  Reason = "rounding-per-line"
	RoundingTotal Reason = "rounding-per-total"
	RoundingGross Reason = "rounding-from-gross" // prices include the tax
	ReverseCharge Reason = "reverse-charge"      // the customer owes it: VAT number, another country of the zone
	Export        Reason = "export"              // no tax of ours is due there, and none was charged
	OneStopShop   Reason = "one-stop-shop"       // the rate of home was charged, that of the destination is due
	Exempt        Reason = "exempt"              // none was charged, and it is due
	NotDue        Reason = "not-due"             // tax was charged where none is due
	OtherRate     Reason = "other-rate"
	Unexplained   Reason = "unexplained"
)

// Fine reports whether a reason needs nobody to look at it.
func (r Reason) Fine() bool {
	switch r {
	case Agrees, RoundingLine, RoundingTotal, RoundingGross, ReverseCharge, Export:
		return true
	default:
		return false
	}
}

// Opinion is what the rules say of a Sale.
type Opinion struct {
	Zone     string `json:"zone"` // "" where no zone matches
	Stated   int64  `json:"stated"`
	Expected int64  `json:"expected"`
	Reason   Reason `json:"reason"`
	Text     string `json:"text"` // in plain words
}

// Compute returns the tax of each component on a net amount, exactly, in the
// unit of the amount. Compound components are due on the taxes before them,
// too.
func Compute(net decimal.Decimal, due []Rate) []decimal.Decimal {
	out := make([]decimal.Decimal, len(due))
	before := decimal.Decimal{}
	for i, x := range due {
		base := net
		if x.Compound {
			base = net.Add(before)
		}
		out[i] = base.Mul(decimal.New(x.PPM, -6))
		before = before.Add(out[i])
	}
	return out
}

// sum adds decimals up.
func sum(list []decimal.Decimal) decimal.Decimal {
	total := decimal.Decimal{}
	for _, d := range list {
		total = total.Add(d)
	}
	return total
}

// Explain computes the tax of a sale by the rules and explains how the shop's
// differs, if it does. It changes nothing: the shop's amounts are what counts.
func (r *Rules) Explain(s Sale) Opinion {
	zone, found := r.ZoneOf(s.To)
	o := Opinion{Zone: zone.Code, Stated: s.Stated}
	charged := s.Stated != 0
	switch {
	case !found && !charged:
		o.Reason, o.Text = Export, fmt.Sprintf("no tax is due in %s, and none was charged", s.To.name())
		return o
	case !found:
		o.Reason, o.Text = NotDue, fmt.Sprintf("tax was charged, and the rules have no zone for %s", s.To.name())
		return o
	}
	c := r.compute(s, zone.Code)
	o.Expected = c.perLine
	switch {
	case s.Stated == c.perLine && s.Stated == c.perTotal && c.sameRates:
		o.Reason, o.Text = Agrees, "the tax is what the rules give"
	case !charged && c.perLine == 0:
		o.Reason, o.Text = Agrees, "no tax is due, and none was charged"
	case c.sameRates:
		r.rounding(&o, c)
	case !charged && !zone.Home && r.foreign(s.VATNumber):
		o.Expected = 0
		o.Reason, o.Text = ReverseCharge, fmt.Sprintf("the customer has the VAT number %s in zone %s and owes the tax there", s.VATNumber, zone.Code)
	case !charged:
		o.Reason, o.Text = Exempt, fmt.Sprintf("no tax was charged, and %s is due in zone %s", c.due, zone.Code)
	case r.chargedAtHome(s, zone):
		o.Reason = OneStopShop
		o.Text = fmt.Sprintf("the tax of the company's own country was charged (%s), and that of the destination %s is due (%s), unless sales to other countries are below the threshold", c.charged, zone.Code, c.due)
	case c.due == "none":
		o.Reason, o.Text = NotDue, fmt.Sprintf("tax was charged (%s), and none is due in zone %s", c.charged, zone.Code)
	default:
		o.Reason, o.Text = OtherRate, fmt.Sprintf("%s was charged, and %s is due in zone %s on %s", c.charged, c.due, zone.Code, s.Day)
	}
	return o
}

// foreign reports whether a VAT number is one of another country than the
// company's own. It does not ask whether the number exists.
func (r *Rules) foreign(number string) bool {
	if len(number) < 3 {
		return false
	}
	prefix := strings.ToUpper(number[:2])
	letters := strings.IndexFunc(prefix, func(c rune) bool { return c < 'A' || c > 'Z' }) < 0
	return letters && !slices.ContainsFunc(r.Zones, func(z Zone) bool { return z.Home && slices.Contains(z.Countries, prefix) })
}

func (p Place) name() string {
	parts := slices.DeleteFunc([]string{p.Country, p.Region, p.Postcode}, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return "a place that the order does not name"
	}
	return strings.Join(parts, " ")
}

// computed is what the rules give for a sale, rounded in each way that shops
// round.
type computed struct {
	perLine   int64  // each line and component rounded
	perTotal  int64  // each component of the whole rounded
	fromGross int64  // taken out of the gross of each line
	bound     int64  // one minor unit for each line and component
	sameRates bool   // each line bears the rates that are due
	due       string // on the lines whose rates differ
	charged   string // on the same lines
}

func (r *Rules) compute(s Sale, zone string) computed {
	c := computed{sameRates: true}
	scale, err := s.Currency.Decimals()
	if err != nil {
		scale = 2
	}
	var totals []decimal.Decimal
	totalOf := map[string]int{}
	var due, charged []string
	var delivery, goods bool
	for _, l := range s.Lines {
		rates := r.Due(zone, r.category(s, l, zone), s.Day)
		net := decimal.NewFromInt(l.Net)
		parts := Compute(net, rates)
		gross := net
		for i, p := range parts {
			c.perLine += p.Round(0).IntPart()
			key := fmt.Sprint(rates[i].Position, "/", rates[i].PPM)
			n, ok := totalOf[key]
			if !ok {
				n = len(totals)
				totalOf[key] = n
				totals = append(totals, decimal.Decimal{})
			}
			totals[n] = totals[n].Add(p)
			c.bound++
		}
		for _, t := range l.Charged {
			gross = gross.Add(t.Amount.Shift(int32(scale)))
		}
		c.fromGross += insideGross(gross, rates)
		if l.Net == 0 || sameRates(rates, l.Charged) {
			continue
		}
		c.sameRates = false
		due = append(due, percents(rates, func(x Rate) int64 { return x.PPM })...)
		charged = append(charged, percents(l.Charged, func(t Charged) int64 { return t.PPM })...)
		delivery, goods = delivery || l.Category == Shipping && !l.Goods, goods || l.Goods
	}
	for _, t := range totals {
		c.perTotal += t.Round(0).IntPart()
	}
	c.due, c.charged = list(due), list(charged)
	if delivery && !goods {
		c.charged += " on delivery"
	}
	return c
}

// insideGross takes the tax out of an amount that includes it.
func insideGross(gross decimal.Decimal, rates []Rate) int64 {
	one := decimal.NewFromInt(1)
	factor := one.Add(sum(Compute(one, rates)))
	return gross.Round(0).Sub(gross.Round(0).DivRound(factor, 12)).Round(0).IntPart()
}

// category is that of a line; delivery and fees follow the goods where the zone
// does not tax them apart: those with the largest amount.
func (r *Rules) category(s Sale, l SaleLine, zone string) string {
	if l.Goods || r.Knows(zone, l.Category) && l.Category == Shipping {
		return l.Category
	}
	best, category := int64(-1), Standard
	for _, g := range s.Lines {
		if g.Goods && g.Net > best {
			best, category = g.Net, g.Category
		}
	}
	return category
}

// sameRates compares the rates that are due with those that were charged; those
// of zero do not count.
func sameRates(due []Rate, charged []Charged) bool {
	var want, got []int64
	for _, x := range due {
		if x.PPM != 0 {
			want = append(want, x.PPM)
		}
	}
	var total int64
	for _, t := range charged {
		if t.PPM != 0 {
			got = append(got, t.PPM)
			total += t.PPM
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return true
	}
	// A shop may charge several components as one rate.
	one := decimal.NewFromInt(1_000_000)
	return len(got) == 1 && len(want) > 1 && sum(Compute(one, due)).Equal(decimal.NewFromInt(total))
}

func percents[T any](list []T, ppm func(T) int64) []string {
	var out []string
	for _, x := range list {
		if n := ppm(x); n != 0 {
			out = append(out, Percent(n)+" %")
		}
	}
	return out
}

// list joins what is different, "none" where there is nothing.
func list(parts []string) string {
	slices.Sort(parts)
	parts = slices.Compact(parts)
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, " and ")
}

// rounding says which way of rounding reproduces the shop's tax.
func (r *Rules) rounding(o *Opinion, c computed) {
	switch off := o.Stated - c.perLine; {
	case o.Stated == c.perLine:
		o.Reason, o.Text = RoundingLine, "the rates are right; the tax was rounded on each line"
	case o.Stated == c.perTotal:
		o.Reason, o.Text, o.Expected = RoundingTotal, "the rates are right; the tax was rounded once for each rate", c.perTotal
	case o.Stated == c.fromGross:
		o.Reason, o.Text, o.Expected = RoundingGross, "the rates are right; the tax was taken out of prices that include it", c.fromGross
	case off <= c.bound && -off <= c.bound:
		o.Reason, o.Text = RoundingLine, fmt.Sprintf("the rates are right; the tax is off by %d of the smallest unit, within one for each line and rate", off)
	default:
		o.Reason, o.Text = Unexplained, "the rates are right, and the amounts differ by more than rounding explains"
	}
}

// chargedAtHome reports whether the rates of the company's own country were
// charged on what went to another one.
func (r *Rules) chargedAtHome(s Sale, zone Zone) bool {
	if zone.Home {
		return false
	}
	for _, home := range r.Zones {
		if !home.Home || len(home.Regions) > 0 || len(home.Postcodes) > 0 {
			continue
		}
		same := true
		for _, l := range s.Lines {
			same = same && (l.Net == 0 || sameRates(r.Due(home.Code, r.category(s, l, home.Code), s.Day), l.Charged))
		}
		if same {
			return true
		}
	}
	return false
}

// Category is the tax category of a shop's own tax class: its name, but for
// those that every shop has.
func Category(class string) string {
	switch class {
	case "", "standard":
		return Standard
	case "reduced-rate":
		return "reduced"
	case "zero-rate":
		return "zero"
	default:
		return strings.TrimSuffix(class, "-rate")
	}
}
